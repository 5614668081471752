"""Perturbations of plain images: closed forms on linear networks, and worlds that share nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from falsestruct.chapters.images import figures as plots
from falsestruct.chapters.images import perturbations as experiment
from falsestruct.chapters.images.measure import generator, images_of
from falsestruct.chapters.images.perturbations import LESSONS, TREATMENTS, Plain
from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack
from falsestruct.learning import training
from falsestruct.learning.networks import for_images
from falsestruct.learning.training import Schedule, Trained
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.press.paths import find_book

HOW = Plain(samples=100, steps=40, images=12)
CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "08_images"}
LINEAR = for_images(8, 10)[0]


def linear(weights: Tensor, bias: Tensor) -> attacks.Outputs:
    """Members of linear networks: weights (members, classes, 64), bias (members, classes)."""
    w, b = weights.float(), bias.float()
    return lambda x: torch.einsum("msp,mcp->msc", x.float().flatten(2), w) + b[:, None]


def nearest_mean(members: int = 2) -> attacks.Outputs:
    """Every member is the rule "nearest mean of a class": it knows what digits look like."""
    x, y = HOW.train()
    means = torch.stack([x[y == c].mean(0).flatten() for c in range(10)])
    return linear(means.expand(members, -1, -1), -means.square().sum(1).expand(members, -1) / 2)


def ignorant(members: int) -> attacks.Outputs:
    """Random linear rules: they know nothing."""
    weights = torch.randn(members, 10, 64, generator=generator(5))
    return linear(weights, torch.zeros(members, 10))


def two_classes(*directions: list[float]) -> attacks.Outputs:
    """Members that answer class 1 where ⟨direction, x⟩ > 0, else class 0; eight never."""
    way = torch.zeros(len(directions), 10, 64)
    way[:, 1, :2] = torch.tensor(directions)
    bias = torch.full((len(directions), 10), -1e3)
    bias[:, :2] = 0
    return linear(way, bias)


def test_perturbations_of_linear_networks_are_alike_as_their_normals_are() -> None:
    x = torch.rand(6, 8, 8, generator=generator(0)) + 0.1
    rules = two_classes([1, 0], [1, 0], [1, 0], [0, 1], [1, 0], [3, 4])
    attack = attacks.smallest_perturbations(rules, x, norm="l2", members=6)
    assert experiment.alike(attack.perturbation).tolist() == pytest.approx([1, 0, 0.6], abs=1e-3)


def test_perturbations_transfer_to_equals_and_not_across_right_angles() -> None:
    x = torch.rand(6, 8, 8, generator=generator(0), dtype=torch.float64) + 0.1
    rules = two_classes([1, 0], [1, 0], [1, 0], [0, 1], [1, 0])
    attack = attacks.smallest_perturbations(rules, x.float(), norm="l2", members=5)
    shares, random = experiment.transfers(rules, attack, x)
    assert shares.tolist() == [1, 0]
    assert len(random) == 2
    assert (random < 0.5).all()


def test_towards_is_one_on_the_way_to_the_nearest_image_of_the_class() -> None:
    images = torch.zeros(3, 8, 8, dtype=torch.float64)
    images[1, 0, 0], images[2, 0, 0] = 1, 5
    labels = torch.tensor([0, 1, 1])
    known = (
        torch.cat((images, torch.rand(8, 8, 8).double())),
        torch.cat((labels, torch.arange(2, 10))),
    )
    x = -images[1:2]
    ways = torch.zeros(2, 1, 8, 8)
    ways[0, 0, 0, 0], ways[1, 0, 0, 0], ways[1, 0, 0, 1] = 1.5, 3.0, 4.0
    attack = Attack("l2", ways.flatten(2).norm(dim=2).double(), ways)
    rules = two_classes([1, 0], [1, 0])
    assert experiment.towards(rules, attack, x, known).tolist() == pytest.approx([1, 0.6])


def test_measures_of_a_linear_rule_are_its_distances() -> None:
    outputs = nearest_mean()
    table = experiment.measures(outputs, 2, Plain(samples=100, images=12, starts=10))
    x, y = HOW.attacked()
    f = outputs(x.expand(2, -1, -1, -1))[0].double()
    means = torch.stack([HOW.train()[0][HOW.train()[1] == c].mean(0).flatten() for c in range(10)])
    own = f.argmax(1)
    gaps = f.gather(1, own[:, None]) - f
    distance = gaps / torch.cdist(means[own], means)
    smallest = distance.nan_to_num(nan=torch.inf).amin(1)
    assert table["size_l2"].tolist() == pytest.approx([smallest.median().item()] * 2, rel=1e-2)
    robust = ((own == y) & (smallest > HOW.l2)).double().mean().item()
    assert table["robust_l2"].tolist() == pytest.approx([robust] * 2)
    assert table["sane"].all()
    assert table["cosine"].tolist() == pytest.approx([1, 1])
    assert table["transfer"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="3 members; expected an even number"):
        experiment.measures(nearest_mean(3), 3, HOW)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Schedule]]:
    """What training was asked for."""
    calls: list[tuple[Any, Schedule]] = []

    def train(_: Any, sets: Any, seeds: Any, schedule: Schedule) -> None:
        calls.append((sets if isinstance(sets, list) else [sets] * len(seeds), schedule))

    monkeypatch.setattr(training, "train", train)
    return calls


def test_treatments_change_what_they_say(seen: list[tuple[Any, Schedule]]) -> None:
    x, y = HOW.train()
    for treatment in TREATMENTS:
        experiment.plain_networks(HOW, LINEAR, treatment, [0, 1])
    sets = {t: call[0] for t, call in zip(TREATMENTS, seen, strict=True)}
    schedules = {t: call[1] for t, call in zip(TREATMENTS, seen, strict=True)}
    assert torch.equal(sets["standard"][0][1], y)
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
        experiment.plain_networks(HOW, LINEAR, "kind words", [0])


def test_the_lead_of_a_target_and_its_shape() -> None:
    outputs = nearest_mean()
    x = HOW.train()[0][:5].expand(2, -1, -1, -1)
    targets = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])
    lead = experiment.targeted(outputs, targets)(x)
    assert torch.equal(lead > 0, outputs(x).argmax(-1) == targets)
    with pytest.raises(ValueError, match="attack all points at once"):
        experiment.targeted(outputs, targets)(x[:, :3])


def test_lessons_contradict_the_nearest_image_and_keep_norms() -> None:
    x, y = HOW.train()
    outputs = nearest_mean()
    given = experiment.lessons(outputs, 2, (x, y), [0, 1])
    assert list(given.sets) == list(LESSONS)
    other = torch.cdist(x.flatten(1), x.flatten(1)).masked_fill(y[:, None] == y, torch.inf).amin(1)
    for lesson, sets in given.sets.items():
        for images, labels in sets:
            gaps = torch.cdist(images.flatten(1), x.flatten(1))
            if lesson.startswith("perturbation"):
                assert (y[gaps.argmin(1)] != labels).all()
                seen = outputs(images.expand(2, -1, -1, -1))[0].argmax(-1)
                assert torch.equal(seen, labels)
                origin = gaps.argmin(1)
                if "inside" in lesson:
                    assert (gaps.amin(1) < other[origin] / 2).all()
    for where in ("", " inside"):
        left, right = (given.sets[lesson + where][0] for lesson in ("perturbation", "random"))
        assert torch.equal(left[1], right[1])
    assert len(given.sets["perturbation"][0][1]) > len(given.sets["perturbation inside"][0][1]) > 2


def taught_by(outputs: attacks.Outputs, members: int) -> pd.DataFrame:
    """The table of `taught` if these had been the networks."""
    given = experiment.lessons(outputs, members, HOW.train(), range(members))
    x, y = images_of("digits").test
    tables = []
    for lesson, sets in given.sets.items():
        fresh: Trained = training.train(
            LINEAR,
            sets,
            range(members),
            Schedule(150, batch=min(50, len(sets[0][1])), learning_rate=0.03),
        )
        right = (training.outputs(fresh, x).argmax(-1) == y).double().mean(1)
        columns = {"architecture": "linear", "lesson": lesson, "accuracy": right.tolist()}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables)


def test_who_knows_nothing_teaches_nothing() -> None:
    """Random rules have perturbations, too; nothing is learnt from them about digits."""
    id = "digits-perturbations-teach-linear"
    claims = {}
    for name, outputs in (("ignorant", ignorant(6)), ("mean", nearest_mean(6))):
        found = experiment.taught_estimates(taught_by(outputs, 6))
        claims[name] = judge(CLAIMS[id], *found[id])
        value = found[id][0].value
        assert value > 0.5 if name == "mean" else value < 0.2
    assert claims["ignorant"] != "supported"


def plain_table(**changes: dict[str, float]) -> pd.DataFrame:
    """A table of `plain` in which treatments change nothing, but for these changes."""
    base = {"accuracy": 0.9, "robust_l2": 0.4, "robust_linf": 0.3, "look": 0.4, "cosine": 0.0}
    base |= {"transfer": 0.0, "random": 0.0}
    rows = [
        {"architecture": "MLP", "treatment": treatment, "seed": seed}
        | {name: value + 0.001 * (seed // 2) for name, value in base.items()}
        for treatment in TREATMENTS
        for seed in range(12)
    ]
    table = pd.DataFrame(rows)
    for treatment, columns in changes.items():
        for name, change in columns.items():
            table.loc[table["treatment"] == treatment.replace("_", " "), name] += change
    return table


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    found = experiment.plain_estimates(table)
    return {id.removesuffix("-mlp"): judge(CLAIMS[id], *pair) for id, pair in found.items()}


def test_where_nothing_changes_and_nothing_is_shared_all_is_refuted() -> None:
    found = verdicts(plain_table())
    assert len(found) == 6
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
    shared = {"standard": {"cosine": 0.7, "transfer": 0.8}}
    found = verdicts(plain_table(**shared))
    assert {id for id, verdict in found.items() if verdict == "supported"} == {
        "digits-shared-direction", "digits-shared-transfer", "digits-shared-beyond-labels",
    }  # fmt: skip
    labels = shared | {"one_shuffle": {"cosine": 0.7}}  # any labels are shared as much
    assert verdicts(plain_table(**labels))["digits-shared-beyond-labels"] == "refuted"
    always = shared | {"own_shuffles": {"cosine": 0.7}}
    assert verdicts(plain_table(**always))["digits-shared-direction"] == "inconclusive"
    chance = {"standard": {"transfer": 0.8, "random": 0.8}}
    assert verdicts(plain_table(**chance))["digits-shared-transfer"] == "inconclusive"


def test_intervals_of_pairs_count_pairs() -> None:
    found = experiment.plain_estimates(plain_table())
    assert found["digits-shared-direction-mlp"][0].n == 6
    assert found["digits-robust-gain-mlp"][0].n == 12


def test_points_have_a_row_a_network_and_lesson() -> None:
    plain = experiment.asdict(HOW)
    table = experiment.plain_point(
        plain=plain, architecture="linear", treatment="standard", seeds=[0, 1]
    )
    assert table["seed"].tolist() == [0, 1]
    assert (table["accuracy"] > 0.5).all()
    taught = experiment.taught_point(plain=plain, architecture="linear", seeds=[0, 1])
    assert taught.groupby("lesson").size().to_dict() == dict.fromkeys(LESSONS, 2)


def test_the_grids_have_every_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[dict[str, Any]] = []
    monkeypatch.setattr(experiment, "sweep", lambda _, grid: points.extend(grid))
    experiment.plain(HOW, ["linear", "MLP"], seeds=4, others=2)
    experiment.taught(HOW, ["linear"], seeds=3)
    counts = {(p["architecture"], p.get("treatment")): len(p["seeds"]) for p in points}
    assert counts[("MLP", "standard")] == 4
    assert counts[("MLP", "own shuffles")] == 2
    assert counts[("linear", None)] == 3
    assert len(points) == 2 * 7 + 1


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
        draw(plots.gallery, gallery.to_csv(index=False), {}, STYLES["book"]),
    ]
    assert [len(picture.axes) for picture in pictures] == [1, 1, 1, 15]
