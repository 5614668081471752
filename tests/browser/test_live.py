"""Networks that answer in the page: as PyTorch does, with smallest changes that turn them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pandas as pd
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
  const towards = known.map((image) => Float64Array.from(image));
  return images.map((image) =>
    [...networks.smallest(network, Float64Array.from(image), towards)]);
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


def from_elsewhere(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Lengths of changes that 20 random starts find, none of which the page has.

    Each goes down the slope on a sphere that shrinks while the label is another one, else grows.
    """
    generator, starts, steps = torch.Generator().manual_seed(7), 20, 200
    x = x.flatten(1).repeat(starts, 1)
    change = 0.1 * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    change += 0.2 * torch.randn(len(x), 1, dtype=x.dtype, generator=generator)
    before, best = network(x)[:, 0] > 0, torch.full((len(x),), torch.inf, dtype=x.dtype)
    for step in range(steps):
        change.requires_grad_(True)
        out = network(x + change)[:, 0]
        (slope,) = torch.autograd.grad(out.sum(), change)
        change = change.detach()
        turned, size = (out > 0) != before, change.norm(dim=1)
        best = torch.where(turned & (size < best), size, best)
        fall = max(0.01, (1 + np.cos(np.pi * step / steps)) / 2)
        pace = torch.where(before, -0.2, 0.2) * fall * size / slope.norm(dim=1)
        moved = change + pace[:, None] * slope
        wanted = size * (1 + torch.where(turned, -0.08, 0.08) * fall)
        change = moved * (wanted / moved.norm(dim=1))[:, None]
    return best.view(starts, -1).amin(0)


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
    attack = smallest_perturbations(
        lambda z: network(z.flatten(0, 1)).view(z.shape[:2]), x, norm="l2", members=1
    )
    sizes = torch.minimum(attack.size[0], from_elsewhere(network, x))
    assert (eta.norm(dim=1) < 1.02 * sizes).all(), (eta.norm(dim=1) / sizes).tolist()


@pytest.mark.parametrize("how", ["Ask the networks", "Show"])
def test_nothing_is_loaded_before_it_is_asked_and_nothing_from_elsewhere(browser, home, how):
    context, heard = browser.new_context(), Heard()
    page = context.new_page()
    heard.listen(page)
    page.goto(home + FRONT)
    page.wait_for_load_state("load")
    page.locator(".live input[type=range]").first.press("ArrowRight")
    page.get_by_role("radio", name="vertical").check()
    page.get_by_role("button", name="Empty picture").click()
    page.locator(".live canvas").first.click()
    page.locator(".live .status", has_text="On your picture").wait_for()
    page.wait_for_timeout(200)
    assert not any("/_networks/" in address for address in heard.requests)
    assert rows(page.locator(".live"))["MLP"][0] == ""
    size = page.locator(".live .size").inner_text()
    page.locator(".live button", has_text=how).first.click()
    page.wait_for_function("document.querySelector('.live tbody td').textContent !== ''")
    [loaded] = [address for address in heard.requests if "/_networks/" in address]
    kind = "js" if home.startswith("file") else "f16"
    assert loaded == f"{home}_networks/stripes.{kind}?v={ABOUT['crc32']}"
    assert not page.locator(".live .size").is_visible()
    assert heard.errors() == [] and heard.elsewhere(home) == []
    weight = 4 * np.ceil(ABOUT["bytes"] / 3) if kind == "js" else ABOUT["bytes"]
    assert f"loads {weight / 1000:.0f} kB" in size
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
            settled(box.page)
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
                assert share == str(ABOUT["networks"][NAMES.index(name)]["colour"])
    assert {network["name"] for network in ABOUT["networks"]} == set(rows(box))
    assert box.get_by_role("columnheader", name=f"of {ABOUT['conflicts']} swapped").count() == 1


def settled(page) -> None:
    """Whatever was asked for so far is drawn: pages draw once a frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


SET = "(s, value) => { s.value = value; s.dispatchEvent(new Event('input')); }"


def moved(box, label: str, value: float) -> None:
    """A slider set, and the page drawn anew."""
    box.get_by_label(label).evaluate(SET, value)
    settled(box.page)


def test_where_a_rule_says_nothing_no_network_sides_with_it(window, server):
    box = asked(window(server + FRONT))
    status = box.locator(".status")
    moved(box, "Brightness", 0)
    assert "direction says horizontal, brightness says nothing." in status.inner_text()
    assert {side for _, side, *_ in rows(box).values()} == {"–"}
    box.get_by_role("button", name="Empty picture").click()
    moved(box, "Brightness", 0.1)
    assert "direction says nothing, brightness says vertical." in status.inner_text()
    assert {side for _, side, *_ in rows(box).values()} == {"–"}
    assert "Siding" not in status.inner_text()


def test_a_cross_and_a_full_picture_have_no_direction(window, server):
    box = window(server + FRONT).locator(".live")
    said = box.locator(".status")
    box.locator("canvas").first.scroll_into_view_if_needed()
    at, mouse = box.locator("canvas").first.bounding_box(), box.page.mouse
    middle, down = at["x"] + at["width"] * 15.5 / 32, at["y"] + at["height"] * 15.5 / 32

    def stroke(*way: tuple[float, float]) -> None:
        mouse.move(*way[0])
        mouse.down()
        for point in way[1:]:
            mouse.move(*point)
        mouse.up()

    stroke((middle, at["y"] + 3), (middle, at["y"] + at["height"] - 3))
    box.locator(".status", has_text="direction says nothing").wait_for()
    box.get_by_role("button", name="Empty picture").click()
    stroke((middle, down), (middle, down + 40))
    box.locator(".status", has_text="direction says vertical").wait_for()
    for k in range(11):
        row = at["y"] + at["height"] * (3 * k + 0.5) / 32
        stroke((at["x"] + 3, row), (at["x"] + at["width"] - 3, row))
    settled(box.page)
    assert np.ptp(pixels(box, 0)) == 0
    assert "direction says nothing" in said.inner_text()


def shown(box, name: str) -> str:
    """What is said once a network's smallest change is shown."""
    found = "" if name == "linear" else "found "
    button = box.page.get_by_role(
        "button", name=f"Show the smallest change {found}for {name}", exact=True
    )
    button.click()
    box.locator("tr.shown", has=button).wait_for()
    box.locator("figure").nth(2).wait_for()
    assert box.locator("[aria-pressed=true]").count() == box.locator("tr.shown").count() == 1
    return box.locator(".status").inner_text()


def test_a_click_shows_the_smallest_change_and_what_it_turns(window, server, modules):
    box = asked(window(server + FRONT))
    for name in DENSE:
        said = shown(box, name)
        own = "the linear network" if name == "linear" else f"the {name}"
        found = "" if name == "linear" else "found "
        assert (
            f"in the middle is the smallest change {found}that turns the answer of {own}." in said
        )
        assert "from a dark stripe to the same one bright it is 6.40" in said
        named = f"smallest change {found}for {name}"
        assert box.locator("canvas").nth(1).get_attribute("aria-label") == f"The {named}, enlarged"
        says, side, *_ = rows(box)[name]
        assert says == "vertical → horizontal" and "Direction still says horizontal." in said
        assert side in ("brightness → direction", "brightness → both")
        assert np.ptp(pixels(box, 1)) > 100
        assert (pixels(box, 0) != pixels(box, 2)).any()
        size = STRIPES.images(torch.tensor([True]), torch.tensor([14]), torch.tensor([0.1]))
        if name == "linear":
            weights = next(modules[name].parameters())
            length = abs(modules[name](size).item()) / weights.norm().item()
            assert f"Euclidean length is {length:.2f};" in said
    box.locator("[aria-pressed=true]").click()  # closes
    box.locator("figure").nth(1).wait_for(state="hidden")
    assert box.locator("[aria-pressed=true], tr.shown").count() == 0
    shown(box, "MLP")
    box.get_by_label("Place").press("ArrowLeft")
    box.locator("figure").nth(1).wait_for(state="hidden")
    assert not any("→" in says + side for says, side, *_ in rows(box).values())


def test_a_change_is_found_on_pictures_without_a_stripe(window, server):
    """A search from the picture alone found none for the deep MLP, and 2.80 for the MLP."""
    box = asked(window(server + FRONT))
    box.get_by_role("button", name="Empty picture").click()
    most = {
        ("MLP", -0.1): 1.96,
        ("MLP", -0.2): 3.79,
        ("deep MLP", -0.1): 2.36,
        ("deep MLP", -0.2): 4.49,
    }
    for (name, offset), limit in most.items():
        moved(box, "Brightness", offset)
        said = shown(box, name)
        assert float(said.partition("length is ")[2].partition(";")[0]) < limit


def test_it_is_said_when_no_change_is_found(window, server):
    box = asked(window(server + FRONT))
    box.page.evaluate("() => { networks.smallest = () => null; }")
    box.get_by_role("button", name="Show the smallest change found for deep MLP").click()
    box.locator(
        ".status", has_text="The search found no change that turns the answer of the deep MLP"
    ).wait_for()
    assert not box.locator("figure").nth(1).is_visible()


def test_all_is_done_from_the_keyboard(window, server):
    page = window(server + FRONT)
    page.locator(".live input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".live canvas").first.get_attribute("aria-label").startswith(
        "Your picture: a vertical stripe at 15 to 17"
    )  # fmt: skip
    reached, said = [], "document.activeElement.textContent || document.activeElement.id"
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(said))
        page.keyboard.press("ArrowRight")
    assert [end.partition("stripes-")[2] for end in reached[:3]] == ["place", "offset", "noise"]
    assert reached[3:5] == ["Empty picture", "Ask the networks"]
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.live tbody td').textContent !== ''")
    reached = []
    for _ in DENSE:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(said))
    assert reached == [
        f"Show the smallest change {'' if name == 'linear' else 'found '}for {name}"
        for name in DENSE
    ]
    page.keyboard.press("Enter")
    page.locator(".live figure").nth(2).wait_for()
    assert "deep MLP" in page.locator(".live canvas").nth(1).get_attribute("aria-label")


def test_a_stripe_can_be_drawn(window, server):
    """With three moves only, as a fast hand makes; another button draws nothing."""
    box = asked(window(server + FRONT))
    page = box.page
    box.get_by_role("button", name="Empty picture").click()
    box.locator("canvas[aria-label$='no stripe']").wait_for()
    assert np.ptp(pixels(box, 0)) == 0
    at = box.locator("canvas").first.bounding_box()
    for button in ("right", "left"):
        page.mouse.move(at["x"] + at["width"] / 2, at["y"] + 3)
        page.mouse.down(button=button)
        page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] - 3, steps=3)
        page.mouse.up(button=button)
        if button == "right":
            settled(page)
            assert np.ptp(pixels(box, 0)) == 0
            page.keyboard.press("Escape")
    box.locator("canvas[aria-label$='no stripe, with a drawing']").wait_for()
    drawn = pixels(box, 0) > pixels(box, 0).min()
    assert drawn.sum(0).tolist().count(32) == STRIPES.width and drawn.sum() == 32 * STRIPES.width
    assert "direction says vertical" in box.locator(".status").inner_text()
    box.get_by_label("Place").press("ArrowRight")
    box.locator("canvas[aria-label$=' of 32, with a drawing']").wait_for()


def test_the_tones_are_those_of_the_still_picture(window, server):
    box = window(server + FRONT).locator(".live")
    table = pd.read_csv(STORED.parent / "figures/stripes-glance.csv")
    moved(box, "Place", STRIPES.positions // 2)
    for kind, offset, panel in (
        ("horizontal", -0.1, "training picture 1"),
        ("vertical", 0.1, "training picture 2"),
        ("horizontal", 0.1, "new picture"),
    ):
        box.get_by_role("radio", name=kind).check()
        moved(box, "Brightness", offset)
        own = table[table["panel"] == panel].pivot(index="row", columns="column", values="value")
        low, high = table["value"].min() - 0.1, table["value"].max()  # as `pictures.answered`
        wanted = np.round(255 * (own.to_numpy() - low) / (high - low))
        assert np.abs(pixels(box, 0) - wanted).max() <= 1


def test_a_screen_reader_is_told_once_all_is_at_rest(window, server):
    page = window(server + FRONT)
    box = page.locator(".live")
    page.clock.install(time=0)
    page.clock.pause_at(10_000)
    page.evaluate("""() => {
      window.told = [];
      const heard = document.querySelector(".live [role=status]");
      new MutationObserver(() => told.push(heard.textContent)).observe(heard, { childList: true });
    }""")
    for step in range(5):
        box.get_by_label("Brightness").evaluate(SET, -0.05 - step / 100)
        page.clock.run_for(300)
    assert page.evaluate("told") == []
    page.clock.run_for(300)
    assert page.evaluate("told") == [box.locator(".status").inner_text()]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_nobody_is_kept_out(window, server, mode, size):
    options = {"viewport": PHONE} if size == "phone" else {}
    box = asked(window(server + FRONT, color_scheme=mode, **options))
    box.get_by_role("button", name="Show the smallest change found for MLP").click()
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
    page, tries = window(server + FRONT), []
    page.route("**/_networks/*", lambda route: (tries.append(route), route.abort()))
    box = page.locator(".live")
    failed = box.locator(".status", has_text="The networks could not be loaded.")
    page.locator(".live button", has_text="Ask the networks").click()
    failed.wait_for()
    for step in range(3):
        moved(box, "Brightness", step / 100)
    assert len(tries) == 1
    page.locator(".live button", has_text="Show").first.click()
    failed.wait_for()
    assert len(tries) == 2 and box.locator("[aria-pressed=true]").count() == 0
    page.unroute("**/_networks/*")
    asked(page)


RAW = (STORED / "stripes.f16").read_bytes()
WRONG = {
    "another page": b"<!doctype html><title>Log in</title>",
    "short": RAW[:-2],
    "odd": RAW[:-1],
    "long": RAW + b"\0\0",
    "reversed": RAW[::-1],
    "one bit": RAW[:1000] + bytes([RAW[1000] ^ 1]) + RAW[1001:],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_weights_give_no_answers(window, server, wrong):
    page = window(server + FRONT)
    page.route("**/_networks/*", lambda route: route.fulfill(body=WRONG[wrong]))
    page.locator(".live button", has_text="Ask the networks").click()
    page.locator(".live .status", has_text="could not be loaded").wait_for()
    assert rows(page.locator(".live"))["MLP"][0] == ""
    page.unroute("**/_networks/*")
    asked(page)


@pytest.mark.parametrize("wrong", ["nothing", "short", "one bit"])
def test_a_wrong_script_gives_no_answers(window, html, wrong):
    """From a folder: one that delivers other bytes, and one that delivers none."""
    page = window(f"{html.as_uri()}/{FRONT}")
    text = base64.b64encode(WRONG.get(wrong, b"")).decode()
    page.evaluate(
        """text => {
          const own = window.own = networks.receive;
          networks.receive = (name) => { if (text) own(name, text); };
        }""",
        text,
    )
    page.locator(".live button", has_text="Ask the networks").click()
    page.locator(".live .status", has_text="could not be loaded").wait_for()
    assert rows(page.locator(".live"))["MLP"][0] == ""
    page.evaluate("() => { networks.receive = own; }")
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
