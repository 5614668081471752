"""Planted patterns: hand-built networks are named rightly, and false worlds support nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pandas as pd
import pytest
import torch

from falsestruct.chapters.images import evidence
from falsestruct.chapters.images import figures as plots
from falsestruct.chapters.images import measure as experiment
from falsestruct.chapters.images.measure import KINDS, Sweep
from falsestruct.evidence import cells, spread, where
from falsestruct.learning.ensembles import Learner, Seeds, train
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book
from falsestruct.statistics import exact
from tests.worlds.images import HOW, NORMS, RADIUS, Hand, asked, false, mixture, original, world

CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "08_images"}
POINT = {"sweep": asdict(HOW), "norm": 0.8, "architecture": "MLP", "seeds": [0, 1]}


def judged(swept: pd.DataFrame, usual: pd.DataFrame) -> dict[str, str]:
    captured = evidence.captured_claims(usual)
    found = captured | evidence.order_claims(swept, usual, RADIUS)
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


def verdicts(hand: Callable[[str, float, float], Hand]) -> dict[str, str]:
    return judged(*world(hand))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("hand", "expected"),
    [(original, 0), (false, 1), (mixture(0.5), 0.5), (mixture(0.2), 0.2)],
    ids=["original", "false", "half", "fifth"],
)
def test_hand_built_networks_are_named_with_their_share(
    kind: str, hand: Hand, expected: float
) -> None:
    table = asked(hand, POINT | {"kind": kind})
    assert table["capture"].tolist() == pytest.approx([expected] * 2)
    sides = cells(table, "side")
    assert sides.shape == (2, 100)
    assert sides.mean(1).tolist() == table["capture"].tolist()


def test_a_constant_answer_captures_nothing() -> None:
    table = asked(lambda _, x: torch.ones(len(x)).long(), POINT | {"kind": "pixel"})
    assert table["capture"].between(0.4, 0.6).all()


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
    sides = [name for name in swept if str(name).startswith("side ")]
    cnn, faint = swept["architecture"] == "CNN", swept["norm"] < 3
    both = swept.copy()
    both.loc[cnn & faint, sides] = 0.0
    id = "digits-pixel-cnn-last"
    assert judged(both, usual)[id] == "inconclusive"  # the control: it is last for the sinusoid too
    swept.loc[cnn & faint & (swept["kind"] == "pixel"), sides] = 0.0
    swept.loc[~cnn & faint & (swept["kind"] == "sinusoid"), sides] = 0.0
    fewer = swept[~cnn | (swept["seed"] < 10)]
    found = evidence.order_claims(fewer, usual, RADIUS)
    assert judge(CLAIMS[id], *found[id]) == "supported"
    assert [part.n for part in found[id]] == [10, 10]


def test_intervals_count_images_as_well_as_networks() -> None:
    """Networks that all agree: the images alone make the interval."""
    image = torch.arange(100) % 2
    table = pd.DataFrame({"seed": range(50)}).join(spread("side", image.expand(50, -1)))
    found = experiment.taken(table)
    assert found.value == 0.5
    assert 0.3 < found.low < 0.41 and 0.59 < found.high < 0.7


def test_both_patterns_of_a_seed_count_as_one() -> None:
    table = pd.DataFrame({"seed": [0, 1, 2] * 2, "capture": [0.9, 0.9, 0.1] * 2})
    assert evidence.sided(table).n == evidence.sided(table[:3]).n == 3
    assert evidence.sided(table).value == pytest.approx(2 / 3)


def shuffled(architecture, data, seeds, schedule):  # type: ignore[no-untyped-def]
    """Training on labels that say nothing."""
    return train(architecture, [(x, y[torch.randperm(len(y))]) for x, y in data], seeds, schedule)


@pytest.mark.parametrize(
    ("norm", "steps", "learn"), [(0.8, 0, train), (0.0, 60, train), (0.8, 60, shuffled)]
)
def test_untrained_networks_strength_zero_and_shuffled_labels_are_not_supported(
    norm: float, steps: int, learn: Learner
) -> None:
    torch.manual_seed(0)
    how = asdict(Sweep(samples=100, steps=steps, images=100))
    point = {"sweep": how, "norm": norm, "seeds": list(range(6)), "architecture": "MLP"}
    table = experiment.planted_point(**point, kind="sinusoid", learn=learn)
    found = experiment.taken(table)
    assert judge(CLAIMS["digits-sinusoid-captured-mlp"], found, exact(0)) != "supported"
    assert found.value < 0.8


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
    norms = [1.0, 2.0, 8.0]
    shares = {0: [0.0, 0.25, 0.75], 1: [0.0, 0.1, 0.2], 2: [0.6, 0.8, 1.0]}
    tables = []
    for seed, own in shares.items():
        sides = (torch.arange(20) < 20 * torch.tensor(own)[:, None]).double()
        names = {"kind": "pixel", "architecture": "MLP", "seed": seed, "norm": norms}
        tables.append(pd.DataFrame(names | {"strength": norms}).join(spread("side", sides)))
    crossed = experiment.crossovers(pd.concat(tables, ignore_index=True))
    assert crossed["norm"].tolist() == pytest.approx([4, 8, 1])
    assert crossed["beyond"].tolist() == [0, 1, -1]
    summary = experiment.crossover_summary(crossed)
    assert summary["unit"].tolist() == ["norm", "strength"]
    assert summary["value"].tolist() == pytest.approx([32 ** (1 / 3)] * 2)
    assert summary["beyond"].tolist() == pytest.approx([2 / 3] * 2)


def test_norms_make_patterns_comparable() -> None:
    assert [HOW.norm(kind) for kind in KINDS] == pytest.approx([8, 1, 8])


def test_the_grids_have_every_point() -> None:
    many = Seeds(3, 2)
    swept = experiment.sweep_grid(HOW, NORMS, seeds=many)
    usual = experiment.usual_grid(HOW, seeds=many)
    longer = experiment.longer_grid(HOW, NORMS, seeds=2)
    assert [len(grid) for grid in (swept, usual, longer)] == [3 * 5 * 3, 2 * 5 * 2, 4]
    assert {point["sweep"]["steps"] for point in longer} == {8 * HOW.steps}
    assert [point["rho"] for point in longer] == [1, 1, 1, 0.5]
    for point in swept + usual:
        slow = point["architecture"] in ("CNN", "attention")
        assert point["seeds"] == ([0, 1] if slow else [0, 1, 2])


def test_few_images_can_be_separated_and_many_can_not() -> None:
    how = Sweep(samples=600)
    assert experiment.bare_sets(how, seeds=1, samples=600) == [True] * 3
    assert experiment.bare_sets(how, seeds=1, samples=30) == [False] * 3


def test_the_linear_claims_need_a_fainter_crossover_and_a_control() -> None:
    def table(first: float, rho: float = 1.0) -> pd.DataFrame:
        rows = [
            {"kind": "sinusoid", "architecture": "linear", "seed": seed, "norm": norm, "rho": rho}
            | {"strength": norm / 8, "capture": float(norm >= first)}
            for seed in range(5)
            for norm in (0.5, 1.0, 2.0)
        ]
        wide = pd.DataFrame(rows)
        return wide.join(spread("side", torch.tensor(wide["capture"])[:, None].expand(-1, 20)))

    def verdict(first: float, control: float = 9.0) -> str:
        both = pd.concat([table(first), where(table(control, 0.5), norm=1.0)])
        found = evidence.linear_claims(table(2.0), both, [True], [False])
        assert judge(CLAIMS["digits-linear-limit"], *found["digits-linear-limit"]) == "supported"
        return judge(CLAIMS["digits-linear-waits"], *found["digits-linear-waits"])

    assert verdict(1.0) == "supported"
    assert verdict(2.0) == "inconclusive"  # equal: nothing is known of what was not seen
    assert verdict(1.0, control=0.5) == "inconclusive"
    some = evidence.linear_claims(table(2.0), table(1.0), [True, False], [False])
    assert judge(CLAIMS["digits-linear-limit"], *some["digits-linear-limit"]) == "refuted"


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
