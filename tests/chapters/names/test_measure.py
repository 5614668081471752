"""Chapter 22 in worlds whose answer is known: rules that all networks share, or none, or means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.names import evidence
from falsestruct.chapters.names import figures as plots
from falsestruct.chapters.names import measure as experiment
from falsestruct.chapters.names.measure import BASELINES, BEYOND, RULES, SPACES, TOLD, Flips, Study
from falsestruct.evidence import cells
from falsestruct.learning.ensembles import Ensemble
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book
from falsestruct.statistics import Nobody
from tests.worlds.perturbed import class_means, linear, nearest_mean

HOW = Study(samples=100, steps=25, known=40, judged=60, barred=12)
LARGE = replace(HOW, known=150, judged=240)
CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "22_names"}


def test_halves_share_no_image_and_labels_are_what_they_say() -> None:
    halves = [[part[0] for part in HOW.half(which)] for which in (0, 1)]
    for one, other in zip(*halves, strict=True):
        assert torch.cdist(one.flatten(1), other.flatten(1)).min() > 0
    assert [len(part) for part in halves[0]] == [600, 298]
    for which in (0, 1):
        true, shuffled = (HOW.sets(labels, which, [3, 4]) for labels in ("true", "shuffled"))
        for (x, y), (same, other) in zip(true, shuffled, strict=True):
            assert len(x) == 100 and torch.equal(x, same)
            assert torch.cdist(x.flatten(1), halves[which][0].flatten(1)).amin(1).max() == 0
            assert torch.equal(y.bincount(minlength=10), other.bincount(minlength=10))
            assert (y == other).double().mean() < 0.3
        assert not torch.equal(true[0][0], true[1][0])
        assert torch.equal(HOW.attacked(which), halves[which][1][: (40, 60)[which]])


def test_networks_are_trained_on_their_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def learn(architecture, sets, seeds, schedule):  # type: ignore[no-untyped-def]
        seen.append(schedule)
        return replace(nearest_mean(len(seeds)), seeds=tuple(seeds))

    monkeypatch.setattr(experiment, "train", learn)
    asked = HOW.networks("MLP", "true", 0, [0, 1])
    assert asked.facts["fitted"] == pytest.approx([0.9] * 2, abs=0.1)
    HOW.networks("MLP", "shuffled", 0, [0, 1])
    assert seen[0].steps == 25 and seen[0].target is None and seen[1] == experiment.BY_HEART


def test_flips_are_followed_and_changes_between_images_are_no_flips() -> None:
    rule, x = nearest_mean(2), HOW.attacked(1)
    flips = Flips.of(rule, x, starts=10)
    known, once = flips.known(BEYOND), flips.known(1.0)
    change = flips.attack.perturbation[0].flatten(1).double().numpy()
    assert known.moved[0] - known.x == pytest.approx(1.5 * change, abs=1e-6)
    assert once.lasting.all() and (once.after != once.before).all()
    assert (known.lasting == (known.after == once.after)).all()
    images = flips.between()
    assert (images.before != images.after).all() and images.lasting.all()
    gap = np.linalg.norm(images.moved[0] - images.x, axis=1)
    apart = np.linalg.norm(images.x[:, None] - images.x[None], axis=2)
    apart[images.before[0][:, None] == images.before[0][None]] = np.inf
    assert gap == pytest.approx(apart.min(1))
    few = flips.first(5)
    assert few.attack.size.shape == (2, 5) and len(few.x) == 5
    with pytest.raises(ValueError, match="all images one label"):
        Flips.of(linear(torch.zeros(1, 10, 64), torch.eye(10)[:1]), x, starts=1).between()


def noisy(means: torch.Tensor, members: int, size: float, seed: int) -> Ensemble:
    """Nearest-mean rules whose means are those given, and noise of their own."""
    drawn = torch.randn(members, *means.shape, generator=torch.Generator().manual_seed(seed))
    own = means + size * drawn
    return linear(own, -own.square().sum(2) / 2)


def first_means() -> torch.Tensor:
    """Those of the first half's training images, which the baseline knows."""
    x, y = HOW.half(0)[0]
    return torch.stack([x[y == c].flatten(1).mean(0) for c in range(10)]).float()


def hidden(seed: int) -> torch.Tensor:
    """The same, and what all networks share in pixels where the images have no ink."""
    quiet = HOW.half(0)[0][0].flatten(1).std(0) < 0.02
    drawn = torch.randn(10, 64, generator=torch.Generator().manual_seed(seed))
    return first_means() + 0.4 * quiet * drawn


World = Callable[[int, int], Ensemble]  # seed and members to networks
WORLDS: dict[str, World] = {
    "shared": lambda seed, members: noisy(hidden(9), members, 0.02, seed),
    "means": lambda seed, members: noisy(first_means(), members, 0.01, seed),
    "alone": lambda seed, members: noisy(class_means(), members, 1.0, seed),
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Of each world, ten networks a half; where labels are shuffled, networks share nothing."""
    found = {
        name: experiment.judged(LARGE, world(1, 10), world(2, 10)).assign(architecture="linear")
        for name, world in WORLDS.items()
    }
    shuffled = found["alone"].assign(labels="shuffled")
    return {
        name: pd.concat([table.assign(labels="true"), shuffled], ignore_index=True)
        for name, table in found.items()
    }


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    found = evidence.claims(table)
    assert set(found) == {id for id in CLAIMS if id.endswith("-linear")}
    return {id.removesuffix("-linear"): judge(CLAIMS[id], *pair) for id, pair in found.items()}


def test_claims_turn_with_the_world(tables: dict[str, pd.DataFrame]) -> None:
    shared, means, alone = (verdicts(tables[name]) for name in WORLDS)
    assert shared["names-learned"] == "supported"  # what no baseline knows
    assert means["names-learned"] == "refuted"  # class means say it all
    assert alone["names-learned"] != "supported"
    assert shared["names-growth"] == "supported"
    assert alone["names-growth"] == "refuted"
    assert shared["names-named"] == "refuted"
    assert alone["names-growth-held"] == "refuted"


def test_a_subspace_that_holds_all_but_little_is_not_others_that_hold_as_much() -> None:
    """The growth without others is that of what they hold; a claim beyond that can be supported."""
    logs = {f"log {name} {i}": [value] * 10 for i in range(8)
            for name, value in (("learned", 0.9 + 0.01 * i), ("as learned", 0.5), ("random", 0.1),
                                ("as random", 0.1 + 0.001 * i))}  # fmt: skip
    table = pd.DataFrame({"seed": range(10), **logs})
    found = (
        evidence.growth(table, "learned", "as learned"),
        evidence.growth(table, "random", "as random"),
    )
    assert judge(CLAIMS["names-growth-held-linear"], *found) == "supported"
    lost = table.assign(**{f"log learned {i}": np.nan for i in range(2)})
    assert isinstance(evidence.growth(lost, "learned"), Nobody)


def test_a_table_has_what_figures_and_claims_take(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["shared"]
    true = table[table["labels"] == "true"]
    assert set(BASELINES) < set(RULES)
    for front in TOLD:
        for rule in RULES:
            told = cells(true, front + rule)
            assert told.shape == (10, 240)
            assert ((told >= 0) & (told <= 1) | np.isnan(told)).all()
    assert np.nanmean(cells(true, "vote of ten")) > 0.8
    assert np.isnan(cells(true, "class means")).mean() == pytest.approx(1 - true["lasting"].mean())
    growths = evidence.growths(table).set_index(["labels", "space"])
    for name in SPACES:  # linear rules of ten classes: about what is held says, or less
        row = growths.loc["true", name]
        assert 1 <= row["value"] < 1.3 * row["law"]
    for one, other in (("learned", "as learned"), ("random", "as random")):
        held = growths.loc["true", one]["held"], growths.loc["true", other]["held"]
        assert held[0] == pytest.approx(held[1], abs=1e-6)
    assert len(evidence.terms(table, "linear").split("; ")) == 9


def test_figures_draw_what_they_get(tables: dict[str, pd.DataFrame]) -> None:
    parts = experiment.parts(HOW, "linear", seeds=[[500, 501], [502]], images=2)
    sizes = parts.groupby("panel")["size"].mean()
    assert sizes["nine forbidden"] > sizes["perturbation"] > sizes["in nine directions"]
    for plot, table in ((plots.foretold, evidence.shares(tables["shared"])),
                        (plots.grown, evidence.growths(tables["shared"])),
                        (plots.parts, parts)):  # fmt: skip
        axes = draw(plot, table.to_csv(index=False), {}, STYLES["book"]).axes
        assert len(axes) in (1, 10)
    marked = draw(plots.foretold, evidence.shares(tables["shared"]).to_csv(index=False), {},
                  STYLES["book"]).axes[0]  # fmt: skip
    assert [label.get_text() for label in marked.get_yticklabels()] == list(plots.RULES.values())


def test_the_law_is_recorded() -> None:
    claim, pair = CLAIMS["names-law"], evidence.proved(20, 1)["names-law"]
    assert judge(claim, *pair) == "supported"
