"""Planted patterns: hand-built networks are named rightly, and false worlds support nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from falsestruct import success
from falsestruct.chapters.images import figures as plots
from falsestruct.chapters.images import measure as experiment
from falsestruct.chapters.images.measure import KINDS, Sweep, captured, classes_meet, problem_of
from falsestruct.learning import training
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.networks import fitting
from falsestruct.learning.training import Schedule
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book
from tests.worlds.images import HOW, NORMS, RADIUS, Hand, false, mixture, original, share, world

CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "08_images"}


def verdicts(hand: Callable[[str, float, float], Hand]) -> dict[str, str]:
    found = experiment.planted_estimates(*world(hand), RADIUS)
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("hand", "expected"),
    [(original, 0), (false, 1), (mixture(0.5), 0.5), (mixture(0.2), 0.2)],
    ids=["original", "false", "half", "fifth"],
)
def test_hand_built_networks_are_named_with_their_share(
    kind: experiment.Kind, hand: Hand, expected: float
) -> None:
    assert share(problem_of("digits", kind, 0.1), hand) == pytest.approx(expected)


def test_a_constant_answer_captures_nothing() -> None:
    problem = problem_of("digits", "pixel", 1.0)
    assert 0.4 < share(problem, lambda _, x: torch.ones(len(x)).long()) < 0.6


def test_where_all_follow_the_original_every_claim_about_the_false_is_refuted() -> None:
    found = verdicts(lambda *_: original)
    assert len(found) == 26
    for id, verdict in found.items():
        wanted = "refuted" if "captured" in id or "fainter" in id else "inconclusive"
        assert verdict == wanted, id


def test_where_all_follow_the_false_structure_it_is_found_if_the_control_holds() -> None:
    found = verdicts(lambda _, __, rho: false if rho == 1 else original)
    supported = {id for id, verdict in found.items() if verdict == "supported"}
    assert supported == {id for id in found if "captured" in id or "fainter" in id}
    always = verdicts(lambda *_: false)
    assert set(always.values()) == {"inconclusive"}


def test_mixtures_support_no_capture() -> None:
    found = verdicts(lambda _, __, rho: mixture(0.75) if rho == 1 else original)
    assert {verdict for id, verdict in found.items() if "captured" in id} == {"inconclusive"}


def test_the_order_of_patterns_is_seen() -> None:
    """The pixel is taken at the largest norm only, the sinusoid from the middle one on."""
    first = {"brightness": 0.8, "pixel": 3.2, "sinusoid": 0.8}
    found = verdicts(
        lambda kind, norm, rho: false if rho == 1 and norm >= first[kind] else original
    )
    for name in ("linear", "cnn"):
        assert found[f"digits-sinusoid-before-pixel-{name}"] == "supported"
        assert found[f"digits-sinusoid-fainter-{name}"] == "supported"
        assert found[f"digits-pixel-fainter-{name}"] == "refuted"
    assert found["digits-pixel-cnn-last"] == "inconclusive"  # no architecture is last


def test_the_last_architecture_is_found() -> None:
    swept, usual = world(lambda kind, norm, _: false if norm > 0.5 else original)
    late = (swept["architecture"] == "CNN") & (swept["kind"] == "pixel") & (swept["norm"] < 3)
    swept.loc[late, "capture"] = 0.0
    found = experiment.planted_estimates(swept, usual, RADIUS)
    id = "digits-pixel-cnn-last"
    assert judge(CLAIMS[id], *found[id]) == "inconclusive"  # the control: ratio exactly one
    other = (swept["architecture"] != "CNN") & (swept["kind"] == "sinusoid") & (swept["norm"] < 3)
    swept.loc[other, "capture"] = 0.0
    fewer = swept[(swept["architecture"] != "CNN") | (swept["seed"] < 10)]
    found = experiment.planted_estimates(fewer, usual, RADIUS)
    assert judge(CLAIMS[id], *found[id]) == "supported"
    assert [part.n for part in found[id]] == [10, 10]


def test_untrained_networks_and_strength_zero_are_not_supported() -> None:
    claim = CLAIMS["digits-sinusoid-captured-mlp"]
    for norm, steps in ((0.8, 0), (0.0, 60)):
        how = asdict(Sweep(samples=100, steps=steps, images=100))
        table = experiment.planted_point(
            sweep=how, kind="sinusoid", norm=norm, architecture="MLP", seeds=list(range(6))
        )
        estimate = experiment.statistics.mean(table["capture"])
        assert judge(claim, estimate, experiment.statistics.exact(0)) != "supported"
        assert estimate.high < 0.8


def test_shuffled_labels_are_not_supported() -> None:
    problem = problem_of("digits", "sinusoid", 0.1)
    x, y = problem.draw(100, experiment.generator(0))
    y = y[torch.randperm(len(y), generator=experiment.generator(1))]
    trained = training.train(
        fitting(problem.direction.shape)[1], (x, y), range(4), Schedule(60, batch=50)
    )
    share_ = captured(lambda z: success.labels(training.outputs(trained, z)), problem, 100)
    assert share_.mean() < 0.8


def test_a_strong_sinusoid_is_learnt_and_an_independent_one_is_not() -> None:
    common = {"sweep": asdict(HOW), "kind": "sinusoid", "norm": 1.6, "architecture": "MLP"}
    agrees = experiment.planted_point(**common, seeds=[0, 1])
    alone = experiment.planted_point(**common, seeds=[1])
    says_nothing = experiment.planted_point(**common, seeds=[0, 1], rho=0.5)
    assert (agrees["capture"] > 0.9).all()
    assert (says_nothing["capture"] < 0.5).all()
    assert agrees["strength"].tolist() == pytest.approx([0.2, 0.2])
    assert alone["capture"][0] == pytest.approx(agrees["capture"][1], abs=0.03)


def test_crossovers_are_interpolated_or_bounds() -> None:
    table = pd.DataFrame({"kind": "pixel", "strength": [1.0, 2.0, 8.0], "norm": [1.0, 2.0, 8.0]})
    shares = {0: [0.0, 0.25, 0.75], 1: [0.0, 0.1, 0.2], 2: [0.6, 0.8, 1.0]}
    tables = [
        table.assign(architecture="MLP", seed=seed, capture=own) for seed, own in shares.items()
    ]
    crossed = experiment.crossovers(pd.concat(tables))
    assert crossed["norm"].tolist() == pytest.approx([4, 8, 1])
    assert crossed["beyond"].tolist() == [0, 1, -1]
    summary = experiment.crossover_summary(crossed)
    assert summary["value"].tolist() == pytest.approx([32 ** (1 / 3)] * 2)
    assert summary["beyond"].tolist() == pytest.approx([2 / 3] * 2)


def test_norms_make_patterns_comparable() -> None:
    assert [HOW.norm(kind) for kind in KINDS] == pytest.approx([8, 1, 8])


def test_the_grids_have_every_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[dict[str, object]] = []
    monkeypatch.setattr(experiment, "sweep", lambda _, grid: points.extend(grid))
    experiment.swept(HOW, NORMS, seeds=Seeds(3, 2))
    experiment.usual(HOW, seeds=Seeds(3, 2))
    experiment.longer(HOW, NORMS, seeds=2)
    assert len(points) == 3 * 5 * 3 + 2 * 5 * 2 + 4
    assert {point["sweep"]["steps"] for point in points[-4:]} == {8 * HOW.steps}
    assert [point["rho"] for point in points[-4:]] == [1, 1, 1, 0.5]
    for point in points[:-4]:
        slow = point["architecture"] in ("CNN", "attention")
        assert point["seeds"] == ([0, 1] if slow else [0, 1, 2])


@pytest.mark.parametrize(
    ("positive", "negative", "meet"),
    [
        ([[0, 0], [1, 1]], [[0, 1], [1, 0]], True),  # exclusive or
        ([[0, 0], [1, 0]], [[0, 1], [1, 1]], False),
        ([[0, 0], [2, 0]], [[1, 0]], True),  # inside
        ([[0, 0]], [[1e-6, 0]], False),
    ],
)
def test_hulls_meet(positive: list[list[int]], negative: list[list[int]], meet: bool) -> None:
    x = torch.tensor(positive + negative, dtype=torch.float64)
    y = torch.tensor([1] * len(positive) + [0] * len(negative))
    assert classes_meet(x, y) is meet


@given(gap=st.floats(0.01, 2), size=st.floats(0.01, 2), seed=st.integers(0, 9))
def test_the_proposition_on_pattern_and_margin(gap: float, size: float, seed: int) -> None:
    """The largest margin is √(γ² + s²), and an exchanged sign flips its images iff s > γ."""
    if abs(gap - size) < 0.05:
        size += 0.1
    bare = torch.randn(30, 3, generator=experiment.generator(seed), dtype=torch.float64)
    y = torch.arange(30) % 2
    sign = 2 * y - 1
    bare[:, 0] = sign * (gap + bare[:, 0].abs())
    bare[:2] = torch.tensor([[-gap, 0, 0], [gap, 0, 0]])  # the nearest points of the hulls
    x = torch.cat((bare, (size * sign)[:, None]), 1)
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(x, y)
    normal = torch.tensor(machine.coef_[0])
    assert 1 / normal.norm().item() == pytest.approx(math.hypot(gap, size), rel=1e-3)
    exchanged = x[:2] * torch.tensor([1, 1, 1, -1])
    flips = (torch.tensor(machine.decision_function(exchanged)) > 0) != (y[:2] > 0)
    assert flips.tolist() == [size > gap] * 2


@pytest.mark.parametrize("size", [0.02, 1.0])
def test_where_the_hulls_meet_only_the_pattern_is_left(size: float) -> None:
    """The proposition's first part: exclusive or, and a faint pattern as third coordinate."""
    bare = torch.tensor([[0, 0], [1, 1], [0, 1], [1, 0]], dtype=torch.float64)
    y = torch.tensor([1, 1, 0, 0])
    assert classes_meet(bare, y)
    x = torch.cat((bare, size * (2 * y[:, None] - 1)), 1)
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(x, y)
    assert machine.coef_[0].tolist() == pytest.approx([0, 0, 1 / size], abs=1e-4 / size)


def test_few_images_can_be_separated_and_many_can_not() -> None:
    how = Sweep(samples=600)
    assert experiment.bare_sets(how, seeds=1, samples=600) == [True] * 3
    assert experiment.bare_sets(how, seeds=1, samples=30) == [False] * 3


def test_the_margin_is_bounded_and_exact_for_two_points() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 0.6], [3.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([0, 1, 1])
    assert experiment.margin_bound(x, y) == pytest.approx(0.3, rel=1e-6)
    bare = problem_of("digits", "sinusoid", 0.0).draw(100, experiment.generator(0))
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(bare[0].flatten(1), bare[1])
    lower = 1 / torch.tensor(machine.coef_[0]).norm().item()
    assert lower * 0.999 <= experiment.margin_bound(*bare) <= lower * (1 + 1e-4)
    both = torch.cat((x[:2], x[:2]))
    assert experiment.margin_bound(both, torch.tensor([0, 1, 1, 0])) == 0


def test_the_linear_claims_need_a_fainter_crossover_and_a_control() -> None:
    rows = [
        {"kind": "sinusoid", "architecture": "linear", "seed": seed, "norm": norm}
        | {"strength": norm / 8, "capture": float(norm >= 2)}
        for seed in range(5)
        for norm in (0.5, 1.0, 2.0)
    ]
    table = pd.DataFrame(rows)
    control = table[table["norm"] == 1].assign(rho=0.5)

    def verdict(patient: pd.DataFrame) -> str:
        both = pd.concat([patient.assign(rho=1.0), control])
        found = experiment.linear_estimates(table, both, [True], [False])
        assert judge(CLAIMS["digits-linear-limit"], *found["digits-linear-limit"]) == "supported"
        return judge(CLAIMS["digits-linear-waits"], *found["digits-linear-waits"])

    assert verdict(table) == "refuted"
    assert verdict(table.assign(capture=(table["norm"] >= 1).astype(float))) == "supported"


def test_examples_differ_by_the_pattern_alone() -> None:
    table = experiment.examples(HOW, 1.6)
    assert table.groupby(["panel", "digit"]).size().eq(64).all()
    wide = table.pivot_table(index=["digit", "row", "column"], columns="panel", values="value")
    change = wide["brightness"] - wide["nothing planted"]
    assert change["odd"].tolist() == pytest.approx([0.2] * 64)
    assert change["even"].tolist() == pytest.approx([-0.2] * 64)


def test_figures_are_drawn_from_their_tables() -> None:
    swept, _ = world(lambda _, norm, __: false if norm > 0.5 else original)
    crossed = experiment.crossover_summary(experiment.crossovers(swept))
    summary = experiment.sweep_summary(swept)
    pictures = [
        draw(plots.examples, experiment.examples(HOW, 1.6).to_csv(index=False), {}, STYLES["book"]),
        draw(plots.capture, summary.to_csv(index=False), {"radius": 0.96}, STYLES["book"]),
        draw(plots.crossovers, crossed.to_csv(index=False), {}, STYLES["book"]),
    ]
    assert [len(picture.axes) for picture in pictures] == [9, 3, 2]
    lines = [line for line in pictures[1].axes[0].get_lines() if len(line.get_xdata()) == 3]
    assert lines[0].get_ydata().tolist() == pytest.approx([0, 1, 1])
