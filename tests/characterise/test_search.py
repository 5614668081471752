"""The search over simple statistics: it names what hand-built networks follow, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from falsestruct.characterise import search as module
from falsestruct.characterise.search import (
    FEWEST,
    NONE,
    Library,
    Search,
    characterise,
    decoupled,
    library,
    probes,
)
from falsestruct.problems.planted import registry


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


# ---- the library ----


def value(own: Library, name: str) -> torch.Tensor:
    return own.values[own.names.index(name)]


def test_statistics_of_images_are_what_their_names_say() -> None:
    x = noise(5, 16, 16)
    own = library(x)
    assert own.names[0] == "mean"
    assert torch.allclose(value(own, "mean"), x.mean((1, 2)))
    assert torch.equal(value(own, "pixel (3, 5)"), x[:, 3, 5])
    assert torch.allclose(value(own, "row 2"), x[:, 2].mean(1))
    assert torch.allclose(value(own, "columns 4 to 5"), x[:, :, 4:6].mean((1, 2)))
    assert torch.allclose(value(own, "lower left quadrant"), x[:, 8:, :8].mean((1, 2)))
    assert torch.allclose(value(own, "contrast"), x.flatten(1).std(1))
    assert torch.allclose(value(own, "largest pixel"), x.amax((1, 2)))
    bands = [
        max(image.roll(0, d)[i : i + 2].mean() for i in range(15)).item()
        for d, image in ((0, image) for image in x)
    ]
    assert value(own, "largest band of rows").tolist() == pytest.approx(bands)
    turned = library(x.transpose(1, 2))
    assert torch.allclose(value(own, "orientation"), -value(turned, "orientation"))


@pytest.mark.parametrize(("k", "m"), [(0, 2), (3, 0), (2, -1), (4, 4)])
def test_a_wave_lies_in_its_own_bin(k: int, m: int) -> None:
    """The odd part of a sine about the centre is one half; every other bin is empty."""
    i = torch.arange(16, dtype=torch.float64) - 7.5
    angle = 2 * math.pi * (k * i[:, None] + m * i) / 16
    x = torch.stack((angle.sin(), 0 * angle))
    own = library(x)
    for name in own.names:
        if name.startswith("Fourier"):
            expected = (
                0.5 if name in (f"Fourier ({k}, {m}), odd", f"Fourier ({k}, {m}), size") else 0
            )
            assert value(own, name)[0].item() == pytest.approx(expected, abs=1e-12)


def test_fourier_sizes_do_not_see_a_shift() -> None:
    x = noise(3, 8, 8)
    shifted = library(x.roll((2, 3), (1, 2)))
    for name in shifted.names:
        if name.endswith("size"):
            assert torch.allclose(value(shifted, name), value(library(x), name))


def test_statistics_of_vectors() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.5, -1.0]]).double()
    own = library(x)
    assert own.names[:5] == ("x₁", "x₂", "x₁²", "x₂²", "x₁·x₂")
    assert value(own, "x₁·x₂").tolist() == [2, 0, -0.5]
    assert value(own, "⌈7/x₁⌉ mod 2").tolist() == [1, 1, 0]  # 7, 3, 14
    assert value(own, "⌈7/x₂⌉ mod 2").tolist() == [0, 0, 1]  # 4, nothing, −7


def test_a_statistic_that_never_varies_is_left_out() -> None:
    x = noise(4, 8, 8)
    x[:, 0, 0] = 3
    assert "pixel (0, 0)" not in library(x).names
    with pytest.raises(ValueError, match="no statistic of x varies"):
        library(torch.ones(4, 8, 8))


@pytest.mark.parametrize("shape", [(4,), (4, 2, 2, 2), (0, 3)])
def test_only_vectors_and_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected vectors"):
        library(torch.zeros(shape))


def test_values_must_be_finite() -> None:
    with pytest.raises(ValueError, match="1 values that are not finite"):
        library(torch.tensor([[1.0], [math.nan]]))
    with pytest.raises(ValueError, match="not finite: b"):
        Library(("a", "b"), torch.tensor([[1.0, 2.0], [math.inf, 2.0]]))
    with pytest.raises(ValueError, match="1 names for values of shape"):
        Library(("a",), torch.zeros(2, 3))


# ---- inputs ----


@pytest.mark.parametrize("name", list(registry.PROBLEMS))
def test_the_pattern_says_nothing_about_the_original_structure(name: str) -> None:
    problem = registry.by_name(name)
    x = decoupled(problem, 1200, generator())
    assert len(x) == 1200
    agree = (problem.original(x) == problem.false(x)).double().mean().item()
    assert agree == pytest.approx(0.5, abs=0.07)


def test_the_pattern_has_all_sizes_up_to_twice_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRAIN", 0.0)
    problem = registry.by_name("stripes", 0.1)
    size = problem.distance(decoupled(problem, 2000, generator(), reach=1.5), "linf")
    assert stats.kstest(size.numpy(), stats.uniform(0, 0.3).cdf).pvalue > 0.01


def test_the_grain_lies_on_pixels_rows_and_columns() -> None:
    problem = registry.by_name("digits-pixel", 1.0)
    x = decoupled(problem, 3000, generator())
    blank = x[:, 2:6, 0]  # the outer column is blank on nearly every digit
    assert blank.std().item() == pytest.approx(module.GRAIN * math.sqrt(3), rel=0.1)
    assert torch.corrcoef(x[:, 3:5, 0].T)[0, 1].item() == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize("reach", [0.0, -1.0, math.inf, math.nan])
def test_the_reach_is_positive(reach: float) -> None:
    with pytest.raises(ValueError, match="expected a finite number > 0"):
        decoupled(registry.by_name("stripes"), 10, generator(), reach=reach)


def test_nothing_planted_is_nothing_to_decouple() -> None:
    with pytest.raises(ValueError, match="nothing is planted"):
        decoupled(registry.by_name("digits-brightness", 0), 10, generator())


# ---- scores ----


def slow_score(values: np.ndarray, y: np.ndarray, search: Search) -> float:
    """The definition, one threshold at a time."""
    fit, judged = search.fitted.numpy(), search.judged.numpy()

    def balanced(rule: np.ndarray, truth: np.ndarray) -> float:
        return float((rule[truth == 1].mean() + (1 - rule[truth == 0]).mean()) / 2)

    own = np.unique(values[fit])
    best, rule = -1.0, (0.0, 1)
    for t in (own[1:] + own[:-1]) / 2:
        for sign in (1, -1):
            score = balanced((sign * values[fit] > sign * t).astype(float), y[fit])
            if score > best + 1e-9:
                best, rule = score, (t, sign)
    t, sign = rule
    return balanced((sign * values[judged] > sign * t).astype(float), y[judged])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 5, 1000]))
def test_a_score_is_that_of_its_definition(seed: int, levels: int) -> None:
    """Also where values repeat, so that there is no threshold between them."""
    values = (noise(1, 60, seed=seed) * levels / 4).round() + 0.1 * torch.arange(2)[:1, None]
    values[0, 0] += 1  # never constant
    y = (values[0] + noise(60, seed=seed + 1) > 0).long()
    search = Search(Library(("s",), values), seed=seed)
    if search.scarce(y):
        return
    expected = slow_score(values[0].numpy(), y.numpy(), search)
    assert search.scores(y[None])[0].item() == pytest.approx(expected, abs=1e-6)


def test_scores_do_not_depend_on_the_company() -> None:
    own = library(noise(80, 8, 8))
    labels = (noise(7, 80, seed=3) > 0).long()
    search = Search(own)
    whole, fits = search.scores(labels)
    assert torch.equal(whole[4:5], search.scores(labels[4:5])[0])
    assert torch.equal(fits[4:5], search.scores(labels[4:5])[1])
    assert fits.mean() > whole.mean()  # coins are predicted better where rules were fitted


# ---- names ----

IMAGES = noise(400, 8, 8)
FOLLOWED = {
    "mean": IMAGES.mean((1, 2)),
    "pixel (3, 5)": IMAGES[:, 3, 5],
    "row 2": IMAGES[:, 2].mean(1),
    "upper less lower half": IMAGES[:, :4].mean((1, 2)) - IMAGES[:, 4:].mean((1, 2)),
    "contrast": IMAGES.flatten(1).std(1),
    "orientation": IMAGES.mean(2).amax(1) - IMAGES.mean(1).amax(1),
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", list(FOLLOWED))
def test_it_names_what_a_network_follows(name: str, sign: int) -> None:
    own = FOLLOWED[name]
    labels = (sign * (own - own.median()) > 0).long()
    found = Search(library(IMAGES)).read(labels, permutations=19)
    assert (found.named, found.best, found.above) == (name, name, int(sign > 0))
    assert found.score > 0.95 and found.p == 0.05
    assert found.threshold == pytest.approx(own.median().item(), abs=0.1 * own.std().item())
    assert found.ahead


def test_it_names_nothing_for_coins_and_for_what_is_not_in_the_library() -> None:
    search = Search(library(IMAGES))
    coins = (torch.rand(400, generator=generator(5)) < 0.5).long()
    assert search.read(coins, permutations=39).named == NONE
    odd = (IMAGES[:, 0, 0] * IMAGES[:, 5, 5] > 0).long()
    assert search.read(odd, permutations=39).named == NONE


def test_the_floor_holds_where_the_p_value_is_small() -> None:
    """A noisy follower is significant, and still not named."""
    noisy = (FOLLOWED["mean"] + 0.1 * noise(400, seed=9) > 0).long()
    found = Search(library(IMAGES)).read(noisy, permutations=99)
    assert found.best == "mean" and found.p == 0.01
    assert 0.7 < found.score < module.FLOOR and found.named == NONE


def test_the_level_holds_where_the_floor_is_passed() -> None:
    """Few inputs and many statistics: the best predicts coins well, and is not named."""
    own = Library(tuple(f"s{i}" for i in range(40_000)), noise(40_000, 44, seed=1))
    search, y = Search(own, seed=1), torch.zeros(44)
    y[torch.cat((search.fitted[::2], search.judged[::2]))] = 1
    assert not search.scarce(y)
    found = search.read(y, permutations=39)
    assert found.score >= module.FLOOR and found.p_single <= 0.05
    assert found.p > 0.05 and found.named == NONE


def test_few_labels_of_a_kind_are_nothing_to_read() -> None:
    x = noise(4 * FEWEST + 60, 3)
    search = Search(library(x))
    for y in (torch.zeros(len(x)), torch.ones(len(x)), (torch.arange(len(x)) < FEWEST).long()):
        found = search.read(y)
        assert (found.named, found.best, found.p, found.lead) == (NONE, "", 1.0, None)
    enough = torch.zeros(len(x))
    enough[search.fitted[:FEWEST]] = 1
    enough[search.judged[:FEWEST]] = 1
    assert search.read(enough, permutations=1).best
    enough[search.judged[0]] = 0
    assert not search.read(enough, permutations=1).best


def test_the_p_value_counts_the_permutations_that_do_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of nine best scores reach the network's: p = 3/10; one by itself in one of them."""
    search = Search(library(IMAGES[:, :1, :2].flatten(1)))
    names = len(search.library)
    scores = torch.full((9, names), 0.5)
    scores[2, 1] = scores[7, 2] = 0.8
    monkeypatch.setattr(search, "_scores", lambda _: (scores, None, None, None))
    own = torch.full((names,), 0.5)
    own[1] = 0.8
    assert search._p(torch.zeros(400), own, 9) == (0.3, 0.2)
    assert search._p(torch.zeros(400), own + 0.1, 9) == (0.1, 0.1)


def test_the_level_of_the_search() -> None:
    """P(p ≤ α) ≤ α under random labels, and near it: the proposition, counted."""
    search = Search(library(noise(60, 12, seed=4)))
    below = 0
    for seed in range(200):
        order = torch.randperm(60, generator=generator(seed))
        below += search.read((order < 30).long(), permutations=19).p <= 0.1
    assert stats.binomtest(below, 200, 0.1).pvalue > 0.01


def test_collinear_statistics_are_one_and_the_simplest_gives_the_name() -> None:
    s = noise(300, seed=6)
    values = torch.stack((s + 0.01 * noise(300, seed=7), s, -2 * s + 1, noise(300, seed=8)))
    names = ("simple", "exact", "turned", "other")
    found = Search(Library(names, values)).read((s > 0).long(), permutations=19)
    assert found.group == ("simple", "exact", "turned") and found.runner_up == "other"
    assert found.best == "exact" and found.named in ("simple", "exact")
    far = values.clone()
    far[0] = s + 0.25 * noise(300, seed=7)  # still collinear, but it predicts worse
    worse = Search(Library(names, far)).read((s > 0).long(), permutations=19)
    assert "simple" in worse.group and worse.named == "exact"


def test_one_group_only_has_no_runner_up() -> None:
    s = noise(100)
    found = Search(Library(("a", "b"), torch.stack((s, 2 * s)))).read((s > 0).long())
    assert found.named == "a" and (found.runner_up, found.lead, found.ahead) == ("", None, False)


def test_inputs_of_one_origin_are_in_one_half() -> None:
    base = torch.arange(400) % 7
    search = Search(library(IMAGES), base=base)
    halves = [set(base[half].tolist()) for half in (search.fitted, search.judged)]
    assert not halves[0] & halves[1] and halves[0] | halves[1] == set(range(7))
    assert abs(len(search.fitted) - 200) < 60 and len(search.fitted) + len(search.judged) == 400


@pytest.mark.parametrize("origins", [400, 20])
def test_the_lead_is_a_paired_difference_over_origins(origins: int) -> None:
    base = torch.arange(400) % origins
    search = Search(library(IMAGES), base=base)
    reading = search.read((FOLLOWED["mean"] > 0).long(), permutations=19)
    assert reading.lead is not None and reading.lead.n == origins / 2
    scores = search.scores((FOLLOWED["mean"] > 0)[None])[0][0]
    names = search.library.names
    expected = scores[names.index(reading.best)] - scores[names.index(reading.runner_up)]
    assert reading.lead.value == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize(("name", "origins"), [("stripes", 60), ("digits-sinusoid", 597)])
def test_probes_know_their_origins(name: str, origins: int) -> None:
    x, base = probes(registry.by_name(name), 1500, generator())
    assert len(x) == len(base) == 1500
    assert 0.98 * origins < len(base.unique()) <= origins


def test_the_search_is_the_same_twice_and_differs_with_the_seed() -> None:
    own, labels = library(IMAGES), (FOLLOWED["row 2"] + 0.2 * noise(400, seed=2) > 0).long()
    assert Search(own).read(labels) == Search(own).read(labels)
    assert Search(own, seed=1).read(labels).score != Search(own).read(labels).score


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(399), "expected \\(400,\\)"),
        (torch.full((400,), 2), "other than 0 and 1"),
        (torch.full((400,), math.nan), "other than 0 and 1"),
    ],
)
def test_labels_are_checked(labels: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Search(library(IMAGES)).read(labels)


def test_few_inputs_and_no_permutations_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 40"):
        Search(library(noise(39, 2)))
    with pytest.raises(ValueError, match="permutations is 0"):
        Search(library(IMAGES)).read((FOLLOWED["mean"] > 0).long(), permutations=0)


def test_characterise_takes_statistics_of_the_readers_own() -> None:
    x = noise(300, 4)
    own = (x[:, 0] - x[:, 1] + x[:, 2]).sin()
    follow = lambda z: ((z[:, 0] - z[:, 1] + z[:, 2]).sin() > 0).long()  # noqa: E731
    assert characterise(follow, x, permutations=19).named == NONE
    assert characterise(follow, x, extra=[("wave", own)], permutations=19).named == "wave"


@pytest.mark.parametrize(
    ("name", "false", "original"),
    [
        ("stripes", "mean", "orientation"),
        ("oscillation", "x₂", "⌈20/x₁⌉ mod 2"),
        ("digits-brightness", "mean", NONE),
        ("digits-sinusoid", "Fourier (0, 2), odd", NONE),
    ],
)
def test_planted_structures_are_named_and_originals_where_there_are_any(
    name: str, false: str, original: str
) -> None:
    problem = registry.by_name(name)
    x = decoupled(problem, 600, generator(3))
    search = Search(library(x))
    assert search.read(problem.false(x), permutations=19).named == false
    found = search.read(problem.original(x), permutations=19)
    # On the data ⌈19/x₁⌉ changes where ⌈20/x₁⌉ does, up to less than ε.
    assert found.named == original or (name == "oscillation" and original in found.group)
