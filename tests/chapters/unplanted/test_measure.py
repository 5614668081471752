"""Perturbations of plain images: closed forms on linear networks, and worlds that share nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.unplanted import evidence
from falsestruct.chapters.unplanted import figures as plots
from falsestruct.chapters.unplanted import measure as experiment
from falsestruct.chapters.unplanted.measure import MEASURES, QUALIFIED, TREATMENTS, Plain
from falsestruct.evidence import cells, crossed, spread
from falsestruct.instability.lessons import ARMS, LESSONS
from falsestruct.learning.training import Schedule
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book
from falsestruct.statistics import Nobody
from tests.worlds.perturbed import class_means, ignorant, nearest_mean

HOW = Plain(samples=100, steps=40, images=12)
CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "20_unplanted"}


def test_measures_of_a_linear_rule_are_its_distances() -> None:
    rule, means = nearest_mean(), class_means()
    table = experiment.measures(rule, Plain(samples=100, images=12, starts=10))
    x, y = HOW.attacked()
    f = rule.outputs(x.expand(2, -1, -1, -1))[0].double()
    own = f.argmax(1)
    gaps = f.gather(1, own[:, None]) - f
    distance = gaps / torch.cdist(means[own], means)
    smallest = distance.nan_to_num(nan=torch.inf).amin(1)
    robust = ((own == y) & (smallest > HOW.l2)).double()
    assert cells(table, "robust_l2").tolist() == [robust.tolist()] * 2
    assert cells(table, "accuracy").shape == (2, 597)
    assert table["sane"].all()
    assert cells(table, "cosine") == pytest.approx(1, abs=1e-3)
    for what in QUALIFIED:  # two equal rules read and are led alike
        assert (cells(table, what) == cells(table, "cosine")).all()
    assert (cells(table, "transfer") == 1).all()
    with pytest.raises(ValueError, match="3 members; expected an even number"):
        experiment.measures(nearest_mean(3), HOW)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Schedule]]:
    """What training was asked for."""
    calls: list[tuple[Any, Schedule]] = []

    def learn(_: Any, sets: Any, seeds: Any, schedule: Schedule) -> None:
        calls.append((sets if isinstance(sets, list) else [sets] * len(seeds), schedule))

    monkeypatch.setattr(experiment, "train", learn)
    return calls


def test_treatments_change_what_they_say(seen: list[tuple[Any, Schedule]]) -> None:
    x, y = HOW.train()
    for treatment in TREATMENTS:
        experiment.plain_networks(HOW, "linear", treatment, [0, 1])
    sets = {t: call[0] for t, call in zip(TREATMENTS, seen, strict=True)}
    schedules = {t: call[1] for t, call in zip(TREATMENTS, seen, strict=True)}
    for true in ("standard", "longer"):
        assert torch.equal(sets[true][0][0], x) and torch.equal(sets[true][0][1], y)
    heart, longer = schedules["one shuffle"], schedules["longer"]
    assert (longer.learning_rate, longer.steps) == (heart.learning_rate, heart.steps) == (0.01, 350)
    assert longer.target is None and heart.target == 0.3
    for norm, size in (("l2", 0.5), ("linf", 0.1)):
        adversary = schedules[f"adversary {norm}"].adversary
        assert adversary is not None
        assert (adversary.norm, adversary.size) == (norm, size)
        noise = sets[f"noise {norm}"][0][0] - x.repeat(experiment.COPIES, 1, 1)
        length = noise.flatten(1).norm(dim=1) if norm == "l2" else noise.flatten(1).abs().amax(1)
        assert length.tolist() == pytest.approx([size] * len(noise))
        assert not torch.equal(sets[f"noise {norm}"][0][0], sets[f"noise {norm}"][1][0])
    one, own = sets["one shuffle"], sets["own shuffles"]
    assert torch.equal(one[0][1], one[1][1])
    assert not torch.equal(own[0][1], own[1][1])
    for given in (one, own):
        assert torch.equal(given[0][0], x)
        assert torch.equal(given[0][1].bincount(), y.bincount())
        assert (given[0][1] == y).double().mean() < 0.3
    with pytest.raises(ValueError, match="treatment is 'kind words'; expected one of standard"):
        experiment.plain_networks(HOW, "linear", "kind words", [0])


def test_who_knows_nothing_teaches_nothing() -> None:
    """Random rules have perturbations, too; nothing is learnt from them about digits."""
    longer, id = Plain(samples=100, steps=150, images=12), "digits-perturbations-teach-linear"
    verdicts = {}
    for name, teachers in (("ignorant", ignorant(6)), ("mean", nearest_mean(6))):
        table = experiment.pupils(teachers, longer, "linear").assign(architecture="linear")
        assert table.groupby("lesson").size().to_dict() == dict.fromkeys(LESSONS, 6)
        assert table["accuracy"].tolist() == pytest.approx(
            cells(table.assign(seed=0), "right").mean(1)
        )
        found = evidence.taught_claims(table)[id]
        verdicts[name] = judge(CLAIMS[id], *found)
        assert found[0].value > 0.5 if name == "mean" else found[0].value < 0.2
    assert verdicts["ignorant"] != "supported"


def plain_table(**changes: dict[str, float]) -> pd.DataFrame:
    """A table of `plain` in which treatments change nothing, but for these changes.

    With shuffled labels a pair reads one image in ten alike; with its own none is led alike.
    """
    base = {"accuracy": 0.9, "robust_l2": 0.4, "robust_linf": 0.3, "look": 0.4}
    base |= {"cosine": 0.0, "same way": 0.0, "same label": 0.0, "transfer": 0.1, "random": 0.1}
    grid = np.arange(12)[:, None] ** 2 + 7 * np.arange(30)  # of networks and images
    disagree = (np.arange(12)[:, None] // 2 + np.arange(30)) % 10 != 0
    parts = []
    for place, treatment in enumerate(TREATMENTS):
        noise = 0.002 * np.sin(grid * (1 + place))
        own = changes.get(treatment.replace(",", "").replace(" ", "_"), {})
        names = {"architecture": "MLP", "treatment": treatment, "seed": range(12)}
        values = {name: base[name] + own.get(name, 0.0) + noise for name in MEASURES}
        if "shuffle" in treatment:
            values |= {name: np.where(disagree, np.nan, values[name]) for name in QUALIFIED}
        if "own shuffles" in treatment:
            values["same way"] = np.full_like(noise, np.nan)
        columns = [spread(name, matrix) for name, matrix in values.items()]
        parts.append(pd.DataFrame(names).join(pd.concat(columns, axis=1)))
    return pd.concat(parts, ignore_index=True)


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    found = evidence.robust_claims(table) | evidence.shared_claims(table)
    return {id.removesuffix("-mlp"): judge(CLAIMS[id], *pair) for id, pair in found.items()}


def test_where_nothing_changes_and_nothing_is_shared_all_is_refuted() -> None:
    found = verdicts(plain_table())
    assert len(found) == 8
    assert set(found.values()) == {"refuted"}


def test_each_claim_about_robustness_needs_its_own_number() -> None:
    gains = {"robust_l2": 0.2, "robust_linf": 0.2}
    better = {"adversary_l2": gains, "adversary_linf": gains}
    assert verdicts(plain_table(**better))["digits-robust-gain"] == "supported"
    one = {"adversary_l2": gains}  # the other norm gains nothing
    assert verdicts(plain_table(**one))["digits-robust-gain"] == "refuted"
    noise = better | {"noise_linf": gains}
    assert verdicts(plain_table(**noise))["digits-robust-gain"] == "inconclusive"
    cost = {f"adversary_{norm}": {"accuracy": -0.05} for norm in ("l2", "linf")}
    assert verdicts(plain_table(**cost))["digits-robust-cost"] == "supported"
    both = cost | {"noise_l2": {"accuracy": -0.05}}
    assert verdicts(plain_table(**both))["digits-robust-cost"] == "inconclusive"
    look = {"adversary_l2": {"look": 0.1}}
    assert verdicts(plain_table(**look))["digits-robust-look"] == "supported"
    assert verdicts(plain_table(**look, noise_l2={"look": 0.1}))["digits-robust-look"] == (
        "inconclusive"
    )


def test_each_claim_about_sharing_needs_its_own_number() -> None:
    shared = {"standard": {"cosine": 0.7, "same way": 0.7, "transfer": 0.8}}
    shared |= {"longer": {"same way": 0.7}}
    found = verdicts(plain_table(**shared))
    assert {id for id, verdict in found.items() if verdict == "supported"} == {
        "digits-shared-direction", "digits-shared-transfer", "digits-shared-beyond-labels",
    }  # fmt: skip
    # Any labels are shared as much where networks agree, and they seldom do.
    labels = shared | {"one_shuffle": {"same way": 0.7}}
    assert verdicts(plain_table(**labels))["digits-shared-beyond-labels"] == "refuted"
    apart = {"apart": {"same way": 0.7, "transfer": 0.8}}
    found = verdicts(plain_table(**apart))
    assert {id for id, verdict in found.items() if verdict == "supported"} == {
        "digits-shared-apart", "digits-shared-transfer-apart",
    }  # fmt: skip
    any_labels = apart | {"apart_own_shuffles": {"same label": 0.7}}
    assert verdicts(plain_table(**any_labels))["digits-shared-apart"] == "inconclusive"
    always = shared | {"own_shuffles": {"same label": 0.7}}
    found = verdicts(plain_table(**always))
    assert found["digits-shared-direction"] == "inconclusive"
    parted = shared | {"longer": {"same way": 0.4}}  # by the training, whatever the labels
    assert verdicts(plain_table(**parted))["digits-shared-beyond-labels"] == "inconclusive"
    chance = {"standard": {"transfer": 0.8, "random": 0.8}}
    assert verdicts(plain_table(**chance))["digits-shared-transfer"] == "inconclusive"


def test_intervals_of_pairs_count_pairs() -> None:
    assert evidence.shared_claims(plain_table())["digits-shared-direction-mlp"][0].n == 6
    assert evidence.robust_claims(plain_table())["digits-robust-gain-mlp"][0].n == 12


def test_a_difference_counts_what_qualifies_on_either_side() -> None:
    left, right = np.random.default_rng(0).normal(size=(2, 6, 21))
    left += 1
    for given, alone in ((left - right, (left, right)), (left, (left, 0 * right))):
        whole, found = crossed(given), evidence.between(*alone)
        assert (found.value, found.low, found.high) == pytest.approx(
            (whole.value, whole.low, whole.high)
        )
    scattered = np.where((np.arange(6)[:, None] + np.arange(21)) % 3, left, np.nan)
    whole, found = crossed(scattered), evidence.between(scattered, 0 * right)
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high))
    odd = np.arange(21) % 2 == 1  # no image qualifies on both sides
    found = evidence.between(np.where(odd, left, np.nan), np.where(odd, np.nan, right))
    assert found.value == pytest.approx(left[:, odd].mean() - right[:, ~odd].mean())
    assert found.low < found.value < found.high
    for none in (np.full_like(left, np.nan), np.where(np.arange(21) == 3, left, np.nan)):
        assert isinstance(evidence.between(right, none), Nobody)


def test_what_qualifies_is_counted() -> None:
    table = experiment.counted(plain_table()).set_index("treatment")
    counts = table[["all", "same_way", "same_label"]].T.to_dict("list")
    assert counts["standard"] == counts["apart"] == [180, 180, 180]
    assert counts["one shuffle"] == [180, 18, 18]
    assert counts["own shuffles"] == counts["apart, own shuffles"] == [180, 0, 18]


def test_half_way_to_the_nearest_of_another_class() -> None:
    x, y = HOW.train()
    half = [(x[y != y[i]] - x[i]).flatten(1).norm(dim=1).min() / 2 for i in range(len(y))]
    assert HOW.half_way() == pytest.approx(torch.stack(half).median().item())


def test_points_have_a_row_a_network_and_lesson() -> None:
    plain = asdict(HOW)
    table = experiment.plain_point(
        plain=plain, architecture="linear", treatment="standard", seeds=[0, 1]
    )
    assert table["seed"].tolist() == [0, 1]
    assert (cells(table, "accuracy").mean(1) > 0.5).all()
    taught = experiment.taught_point(plain=plain, architecture="linear", seeds=[0, 1])
    assert taught.groupby("lesson").size().to_dict() == dict.fromkeys(LESSONS, 2)
    assert set(experiment.LESSON) <= {*taught, "architecture"}


def test_the_grids_have_every_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[dict[str, Any]] = []
    monkeypatch.setattr(experiment, "sweep", lambda _, grid: points.extend(grid))
    experiment.plain(HOW, ["linear", "MLP"], seeds=4, others=2)
    experiment.taught(HOW, ["linear"], seeds=3)
    counts = {(p["architecture"], p.get("treatment")): len(p["seeds"]) for p in points}
    assert counts[("MLP", "standard")] == 4
    assert counts[("MLP", "own shuffles")] == 2
    assert counts[("linear", None)] == 3
    experiment.told(HOW, ["CNN"], seeds=2)
    assert len(points) == 2 * len(TREATMENTS) + 2


def test_networks_that_train_apart_share_no_image(seen: list[tuple[Any, Schedule]]) -> None:
    experiment.plain_networks(HOW, "linear", "apart", range(4))
    experiment.plain_networks(HOW, "linear", "apart, own shuffles", range(4))
    (sets, _), (shuffled, _) = seen
    images = [{tuple(image.flatten().tolist()) for image in x} for x, _ in sets]
    assert not images[0] & images[1] and images[0] & images[2]
    for (x, y), (same, other) in zip(sets, shuffled, strict=True):
        assert torch.equal(x, same) and not torch.equal(y, other)
    others = {tuple(image.flatten().tolist()) for image in HOW.others(1)[0]}
    assert not others & images[1] and len(HOW.others(1)[0]) == HOW.pool - HOW.samples == 1_100


@pytest.mark.parametrize(
    ("arms", "supported"),
    [
        ({"mean": 0.8, "perturbation": 0.8, "across means": 0.3}, {"geometry", "across", "beyond"}),
        ({"mean": 0.5, "perturbation": 0.8, "across means": 0.8}, {"beyond"}),
        ({"mean": 0.8, "perturbation": 0.8, "across means": 0.05}, {"geometry", "across"}),
        # Less is taught because less is left, or by the leak.
        (
            {"mean": 0.8, "perturbation": 0.8, "across means": 0.3, "across others": 0.3},
            {"geometry", "beyond"},
        ),
        (
            {"mean": 0.8, "perturbation": 0.8, "across means": 0.3, "random": 0.25},
            {"geometry", "across"},
        ),
    ],
)
def test_lessons_told_in_several_ways_are_judged(arms: dict, supported: set[str]) -> None:
    world = {"nearest": 0.6, "across random": 0.8, "across others": arms["perturbation"]}
    world |= {"random": 0.02} | arms
    rng, rows = np.random.default_rng(3), []
    for arm, share in world.items():
        right = (rng.random((10, 200)) < share).astype(float)
        own = pd.DataFrame({"seed": range(10), "arm": arm, "architecture": "MLP"})
        rows.append(own.join(spread("right", right)))
    found = evidence.told_claims(pd.concat(rows, ignore_index=True))
    verdict = {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}
    assert {id.split("-")[2] for id, v in verdict.items() if v == "supported"} == supported


def test_a_told_lesson_has_a_row_a_network_and_arm() -> None:
    table = experiment.told_point(plain=asdict(HOW), architecture="linear", seeds=[4, 5])
    assert table.groupby("arm").size().to_dict() == dict.fromkeys(ARMS, 2)
    assert table.groupby("seed")[["images", "size"]].nunique().eq(1).all().all()
    within = table.pivot(index="arm", columns="seed", values="within")
    others, means = (within.loc[f"across {arm}"].tolist() for arm in ("others", "means"))
    assert others == pytest.approx(means)
    assert within.notna().any(axis=1).tolist() == [arm.startswith("across") for arm in within.index]
    taught = table.groupby("arm")["accuracy"].mean()
    assert taught["perturbation"] > 0.4 and taught["random"] < 0.2


def test_figures_are_drawn_from_their_tables() -> None:
    summary = experiment.summary(plain_table(standard={"cosine": 0.7})).to_csv(index=False)
    lessons = [
        {"architecture": "MLP", "lesson": lesson, "accuracy": 0.1 * i}
        for lesson in LESSONS
        for i in range(4)
    ]
    gallery = experiment.gallery(HOW, "linear", images=3)
    assert gallery.groupby(["panel", "image"]).size().eq(64).all()
    assert gallery.groupby("image")["says"].nunique().gt(1).all()
    pictures = [
        draw(plots.robust, summary, {}, STYLES["book"]),
        draw(plots.shared, summary, {}, STYLES["book"]),
        draw(plots.taught, pd.DataFrame(lessons).to_csv(index=False), {}, STYLES["book"]),
        draw(
            plots.told,
            pd.DataFrame([{"architecture": "MLP", "arm": a, "accuracy": 0.5} for a in ARMS]).to_csv(
                index=False
            ),
            {},
            STYLES["book"],
        ),
        draw(plots.gallery, gallery.to_csv(index=False), {}, STYLES["book"]),
    ]
    assert [len(picture.axes) for picture in pictures] == [1, 1, 1, 1, 15]
