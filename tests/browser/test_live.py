"""Networks that answer in the page: as PyTorch does, with smallest changes that turn them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import vector_to_parameters

from falsestruct.instability.attacks import smallest_perturbations
from falsestruct.learning.networks import ARCHITECTURES
from falsestruct.press.site.live import LIMIT
from falsestruct.problems.stripes import Stripes
from tests.browser.conftest import AXE, PHONE, Heard

pytestmark = pytest.mark.slow

FRONT = "book/index.html"
STORED = Path(__file__).parents[2] / "book" / "networks"
ABOUT = json.loads((STORED / "stripes.json").read_text())
NAMES = [network.name for network in ARCHITECTURES]
DENSE = [network.name for network in ARCHITECTURES if network.is_dense]
STRIPES, WORDS = Stripes(), ("vertical", "horizontal")
LOADED = """async () => {
  const about = JSON.parse(document.querySelector(".live script").textContent);
  const root = document.documentElement.dataset.content_root;
  window.loaded = await networks.load(root, "stripes", about);
  return loaded.map((network) => network.name);
}"""
ANSWERS = """(images) => loaded.map((network) =>
  images.map((image) => networks.output(network, Float64Array.from(image))))"""
SMALLEST = """([name, images, known]) => {
  const network = loaded.find((one) => one.name === name);
  return images.map((image) =>
    [...networks.smallest(network, Float64Array.from(image), known.map((x) => Float64Array.from(x)))]);
}"""


@pytest.fixture(scope="module")
def modules() -> dict[str, torch.nn.Module]:
    """PyTorch's networks with the stored weights, in float64."""
    raw = np.frombuffer((STORED / "stripes.f16").read_bytes(), "<f2")
    numbers, found = torch.from_numpy(raw.astype(np.float64)), {}
    for architecture in ARCHITECTURES:
        network = architecture.build().double()
        count = sum(p.numel() for p in network.parameters())
        vector_to_parameters(numbers[:count], network.parameters())
        numbers, found[architecture.name] = numbers[count:], network.requires_grad_(False)
    assert len(numbers) == 0
    return found


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Of all kinds that a reader can make: true and swapped, without and with noise."""
    generator = torch.Generator().manual_seed(19)
    x = torch.cat([STRIPES.test(100, (0, 0.2), c, generator)[0] for c in ("true", "swapped")])
    noise = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + noise * torch.linspace(0, 0.5, len(x), dtype=x.dtype)[:, None, None]


@pytest.fixture(params=["served", "as a file"])
def home(request, server, html) -> str:
    return server if request.param == "served" else f"{html.as_uri()}/"


def asked(page):
    """The box, once the networks have answered."""
    page.locator(".live button", has_text="Ask the networks").click()
    page.wait_for_function("document.querySelector('.live tbody td').textContent !== ''")
    return page.locator(".live")


def rows(box) -> dict[str, list[str]]:
    """By network: what it says, what it sides with, its share, its button."""
    return {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in box.locator("tbody tr").all()
    }


def pixels(box, place: int) -> np.ndarray:
    """The tones of a picture, in the order of the pictures."""
    script = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    return np.array(box.locator("canvas").nth(place).evaluate(script)).reshape(32, 32, 4)[:, :, 0]


def test_the_browser_answers_as_pytorch(window, server, modules, images):
    page = window(server + FRONT)
    assert page.evaluate(LOADED) == NAMES
    found = torch.tensor(page.evaluate(ANSWERS, images.flatten(1).tolist()), dtype=torch.float64)
    wanted = torch.stack([modules[name](images)[:, 0] for name in NAMES])
    assert len(images) == 200
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    assert all(0 < (own > 0).sum() < len(images) for own in wanted)


def test_the_smallest_change_of_the_linear_network_is_the_closed_form(
    window, server, modules, images
):
    page = window(server + FRONT)
    page.evaluate(LOADED)
    x, network = images[::10], modules["linear"]
    found = page.evaluate(SMALLEST, ["linear", x.flatten(1).tolist(), []])
    eta = torch.tensor(found, dtype=torch.float64)
    (weights, _), outputs = network.parameters(), network(x)
    torch.testing.assert_close(eta, -outputs * weights / weights.square().sum(), rtol=1e-5, atol=0)
    assert ((network(x + eta.view_as(x)) > 0) != (outputs > 0)).all()


@pytest.fixture(scope="module")
def odd() -> torch.Tensor:
    """Without a direction, and stripes on which a search from the picture alone ends nowhere."""
    flat = torch.tensor([-0.2, -0.1, 0.1, 0.9], dtype=torch.float64)
    arms = STRIPES.images(torch.tensor([True, False]), torch.tensor([14, 14]), torch.zeros(2))
    stripes = STRIPES.images(
        torch.tensor([True, True]), torch.tensor([0, 14]), torch.tensor([-0.2, -0.2])
    )
    return torch.cat([flat[:, None, None].expand(-1, 32, 32), arms.amax(0)[None], stripes])


def far_and_near(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The shortest change that searches from 20 random places find: starts that no page has."""
    network.requires_grad_(True)
    best = torch.full((len(x),), torch.inf, dtype=x.dtype)
    generator = torch.Generator().manual_seed(7)
    before = network(x)[:, 0] > 0
    for _ in range(20):
        noise = torch.randn(x.shape, dtype=x.dtype, generator=generator)
        shift = torch.randn(len(x), 1, 1, dtype=x.dtype, generator=generator)
        change = 0.1 * noise + 0.2 * shift
        for round in range(60):
            change = change.detach().requires_grad_(True)
            out = network(x + change)[:, 0]
            (slope,) = torch.autograd.grad(out.sum(), change)
            turned, size = (out > 0) != before, change.flatten(1).norm(dim=1)
            best = torch.where(turned & (size < best), size, best).detach()
            share = ((slope * change).sum((1, 2)) - out) / slope.square().sum((1, 2))
            weight = 6 / (6 + round)
            aim = 1.001 + 0.6 * max(0, 1 - round / 30)
            change = (1 - weight) * change + weight * aim * share[:, None, None] * slope
    return best


def changes(page, kind: str, x: torch.Tensor) -> torch.Tensor:
    """What the page finds, with the pictures from which it starts."""
    known = STRIPES.described(0.1)[0].flatten(1).tolist()
    found = page.evaluate(SMALLEST, [kind, x.flatten(1).tolist(), known])
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize("kind", DENSE[1:])
def test_the_changes_of_the_others_are_as_small_as_other_searches_find(
    window, server, modules, images, odd, kind
):
    page = window(server + FRONT)
    page.evaluate(LOADED)
    x, network = torch.cat([images[::20], odd]), modules[kind]
    eta = changes(page, kind, x)
    assert ((network(x + eta.view_as(x)) > 0) != (network(x) > 0)).all()
    network.requires_grad_(True)
    attack = smallest_perturbations(
        lambda z: network(z.flatten(0, 1)).view(z.shape[:2]), x, norm="l2", members=1
    )
    sizes = torch.minimum(attack.size[0], far_and_near(network, x))
    assert sizes.isfinite().all()
    assert (eta.norm(dim=1) < 1.02 * sizes).all(), (eta.norm(dim=1) / sizes).tolist()


def test_nothing_is_loaded_before_it_is_used_and_nothing_from_elsewhere(browser, home):
    context, heard = browser.new_context(), Heard()
    page = context.new_page()
    heard.listen(page)
    page.goto(home + FRONT)
    page.wait_for_load_state("load")
    assert not any("/_networks/" in address for address in heard.requests)
    page.locator(".live input[type=range]").first.press("ArrowRight")
    page.wait_for_function("document.querySelector('.live tbody td').textContent !== ''")
    page.locator(".live button", has_text="Show").first.click()
    page.locator(".live figure").nth(2).wait_for()
    loaded = [address for address in heard.requests if "/_networks/" in address]
    assert loaded == [f"{home}_networks/stripes.{'js' if home.startswith('file') else 'f16'}"]
    assert heard.errors() == [] and heard.elsewhere(home) == []
    context.close()


def test_the_table_says_what_the_networks_do(window, server, modules):
    box = asked(window(server + FRONT))
    for kind in WORDS[::-1]:
        box.get_by_role("radio", name=kind).check()
        for steps in (-40, 7, 11):
            slider = box.get_by_label("Brightness")
            slider.evaluate(
                "(s, value) => { s.value = value; s.dispatchEvent(new Event('input')); }",
                steps / 100 if steps > 0 else -0.2,
            )
            offset = float(slider.input_value())
            box.page.evaluate("new Promise((done) => setTimeout(done, 100))")
            x = STRIPES.images(
                torch.tensor([kind == "horizontal"]), torch.tensor([14]), torch.tensor([offset])
            )
            brighter = WORDS[int(offset < 0)]
            for name, (says, side, share, _) in rows(box).items():
                said = WORDS[int(modules[name](x).item() > 0)]
                with_it = [rule for rule, word in (("direction", kind), ("brightness", brighter))
                           if word == said]  # fmt: skip
                assert says == said
                assert side == ("both" if len(with_it) == 2 else (with_it or ["neither"])[0])
                colour = ABOUT["networks"][NAMES.index(name)]["colour"]
                assert share == f"{colour} of {ABOUT['conflicts']}"
    assert {network["name"] for network in ABOUT["networks"]} == set(rows(box))


def test_a_click_shows_the_smallest_change_and_what_it_turns(window, server, modules):
    box = asked(window(server + FRONT))
    for name in DENSE:
        box.get_by_role("button", name=f"Show the smallest change for {name}", exact=True).click()
        box.page.wait_for_function(
            "name => document.querySelector('.live [role=status]').textContent.includes(name)",
            arg="No smaller change" if name == "linear" else f"search found for {name}.",
        )
        assert "→" in rows(box)[name][0]
        assert np.ptp(pixels(box, 1)) > 100
        assert (pixels(box, 0) != pixels(box, 2)).any()
        size = STRIPES.images(torch.tensor([True]), torch.tensor([14]), torch.tensor([0.1]))
        if name == "linear":
            weights = next(modules[name].parameters())
            length = abs(modules[name](size).item()) / weights.norm().item()
            assert f"Euclidean length {length:.2f}" in box.locator("[role=status]").inner_text()
    box.get_by_label("Place").press("ArrowLeft")
    box.locator("figure").nth(1).wait_for(state="hidden")
    assert not any("→" in says for says, *_ in rows(box).values())


def test_all_is_done_from_the_keyboard(window, server):
    page = window(server + FRONT)
    page.locator(".live input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".live canvas").first.get_attribute("aria-label").startswith(
        "Your picture: a vertical stripe at 15 to 17"
    )  # fmt: skip
    reached, said = [], "document.activeElement.textContent || document.activeElement.id"
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(said))
        page.keyboard.press("ArrowRight")
    assert [end.partition("stripes-")[2] for end in reached[:3]] == ["place", "offset", "noise"]
    assert reached[3] == "Empty picture"
    assert reached[4:] == [f"Show the smallest change for {name}" for name in DENSE]
    page.wait_for_function("document.querySelector('.live tbody td').textContent !== ''")
    page.keyboard.press("Enter")
    page.locator(".live figure").nth(2).wait_for()
    assert "deep MLP" in page.locator(".live canvas").nth(1).get_attribute("aria-label")


def test_a_stripe_can_be_drawn(window, server):
    box = asked(window(server + FRONT))
    page = box.page
    box.get_by_role("button", name="Empty picture").click()
    box.get_by_text("no stripe").or_(box.locator("canvas[aria-label$='no stripe']")).wait_for()
    assert np.ptp(pixels(box, 0)) == 0
    at = box.locator("canvas").first.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + 3)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] - 3, steps=40)
    page.mouse.up()
    box.locator("canvas[aria-label$='no stripe, with a drawing']").wait_for()
    drawn = pixels(box, 0) > pixels(box, 0).min()
    assert drawn.sum(0).tolist().count(32) == STRIPES.width and drawn.sum() == 32 * STRIPES.width
    assert "direction says vertical" in box.locator("[role=status]").inner_text()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_nobody_is_kept_out(window, server, mode, size):
    options = {"viewport": PHONE} if size == "phone" else {}
    box = asked(window(server + FRONT, color_scheme=mode, **options))
    box.get_by_role("button", name="Show the smallest change for MLP").click()
    box.locator("figure").nth(2).wait_for()
    page = box.page
    folder = Path(__file__).parents[2] / "_build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    box.screenshot(path=folder / f"live-{mode}-{size}.png")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('.live').then((found) => found.violations)")
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found if v["id"] != "region"] == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    wide = """b => [...b.querySelectorAll("*")].filter((part) => part.clientWidth
      && part.scrollWidth > part.clientWidth + 1 && !part.matches(".unseen, button"))
      .map((part) => `${part.outerHTML.slice(0, 80)} ${part.scrollWidth} ${part.clientWidth}`)"""
    assert box.evaluate(wide) == []


def test_it_is_said_when_the_networks_can_not_be_loaded(window, server):
    page = window(server + FRONT)
    page.route("**/_networks/*", lambda route: route.abort())
    page.locator(".live button", has_text="Ask the networks").click()
    page.get_by_text("The networks could not be loaded.").wait_for()
    page.unroute("**/_networks/*")
    asked(page)


def test_without_scripts_and_on_paper_there_is_the_still_picture(browser, window, server):
    context = browser.new_context(java_script_enabled=False)
    bare, printed = context.new_page(), window(server + FRONT)
    bare.goto(server + FRONT)
    assert printed.locator(".live").is_visible()
    printed.emulate_media(media="print")
    for page in (bare, printed):
        assert not page.locator(".live").is_visible()
        assert page.locator("figure img[src*='stripes-glance']").is_visible()
    context.close()


def test_the_weights_are_light(html):
    """All that is stored, and what a server sends: as it is stored."""
    assert sum(path.stat().st_size for path in STORED.iterdir()) < LIMIT
    assert (html / "_networks/stripes.f16").read_bytes() == (STORED / "stripes.f16").read_bytes()
