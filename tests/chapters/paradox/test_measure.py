"""The paradox measured on rules that have it, that don't have it, and that read nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from falsestruct.chapters.paradox import measure as experiment
from falsestruct.chapters.paradox.measure import SHUFFLED, Ensemble, Measured
from falsestruct.instability import attacks, universal
from falsestruct.learning import training
from falsestruct.learning.networks import Architecture, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.digits import CLASSES, Digits, digits
from falsestruct.statistics import Estimate
from falsestruct.theory import nearest

ALL = digits()
DATA = Digits(ALL.train_images, ALL.train_labels, ALL.test_images[:150], ALL.test_labels[:150])
NAMES = [architecture.name for architecture in for_images(8, CLASSES)]
MLP = for_images(8, CLASSES)[1]
KINDS = ("success", "overturned", "size", "universal", "seeds", "across")


def verdicts(claims: dict[str, tuple[Estimate, Estimate]]) -> dict[str, set[str]]:
    """The verdicts of all architectures, by kind of claim."""
    stated = read_claims(find_book())
    found = {id: judge(stated[id], *pair) for id, pair in claims.items()}
    return {
        kind: {v for id, v in found.items() if id.startswith(f"paradox-{kind}-")}
        for kind in (*KINDS, "neighbour")
    }


def measured(networks: Sequence[Ensemble], shuffled: Sequence[Ensemble]) -> Measured:
    return experiment.measure(DATA, networks, shuffled, images=40, draws=2)


def everywhere(make: Ensemble) -> list[Ensemble]:
    """The same rules under the name of each architecture."""
    return [Ensemble(name, make.outputs, make.members) for name in NAMES]


def linear(w: Tensor) -> Ensemble:
    """Linear rules with weights (members, classes, 64)."""
    centre = DATA.train_images.mean(0).flatten()
    return Ensemble(
        "", lambda x: torch.einsum("msd,mcd->msc", x.flatten(2).double() - centre, w), len(w)
    )


def random_weights(members: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(members, CLASSES, 64, dtype=torch.float64, generator=generator)


def means() -> Tensor:
    """Weights (classes, 64) that point from the mean image to the mean of each digit."""
    x, y = DATA.train_images.flatten(1), DATA.train_labels
    return torch.stack([x[y == c].mean(0) - x.mean(0) for c in range(CLASSES)])


@pytest.fixture(scope="module", autouse=True)
def one_search_a_rule() -> Iterator[None]:
    """The same rule stands under five names, and in several tests: it is attacked once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "neighbour", cache(experiment.neighbour))
        for module, name in (
            (attacks, "smallest_perturbations"),
            (universal, "universal_perturbations"),
        ):
            patch.setattr(module, name, remembered(getattr(module, name)))
        yield


def remembered(search: Callable[..., Any]) -> Callable[..., Any]:
    """A search that knows what it found: it depends on nothing but its arguments."""
    found: dict[Any, Any] = {}

    def once(outputs: attacks.Outputs, x: Tensor, **options: Any) -> Any:
        key = outputs, x.numpy().tobytes(), tuple(sorted(options.items()))
        if key not in found:
            found[key] = search(outputs, x, **options)
        return found[key]

    return once


@pytest.fixture(scope="module")
def unread() -> list[Ensemble]:
    """The control's place: rules that never learnt anything."""
    return everywhere(linear(random_weights(2, 99)))


def test_networks_have_both_halves_of_the_paradox(unread: list[Ensemble]) -> None:
    networks = [experiment.trained(MLP, DATA.train, range(3), 1_000)]
    networks = everywhere(Ensemble("", networks[0].outputs, 3))
    found = measured(networks, unread)
    claims = experiment.estimates(found)
    named = verdicts(claims)
    assert named["success"] == named["overturned"] == named["size"] == {"supported"}
    assert named["seeds"] == {"supported"}
    assert named["neighbour"] == {"supported"}  # the universal one
    assert found.checks["holds"].all()
    assert set(claims) | {"paradox-stable-rule"} == {
        id for id, claim in read_claims(find_book()).items() if claim.chapter == "01_paradox"
    }


def test_a_world_without_the_paradox_refutes_it(unread: list[Ensemble]) -> None:
    """The proposition's rule in place of the networks: as right, and nowhere overturned."""
    rule = nearest.outputs(*experiment.whole(DATA), CLASSES)
    double = Ensemble("", lambda x: torch.cat([rule(own[None]) for own in x]), 2)
    found = measured(everywhere(double), unread)
    named = verdicts(experiment.estimates(found))
    assert named["success"] == {"supported"}
    for kind in ("overturned", "size", "universal", "neighbour"):
        assert named[kind] == {"refuted"}, kind
    own = found.shares[found.shares["architecture"] != experiment.NEIGHBOUR]
    assert (own["right"] == 1).all() and (own["overturned"] == 0).all()


@pytest.mark.parametrize("labels", ["untrained", "shuffled"])
def test_rules_that_read_nothing_support_nothing(labels: str, unread: list[Ensemble]) -> None:
    x, y = DATA.train
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
    steps = 1 if labels == "untrained" else 300
    schedule = Schedule(steps, batch=100, learning_rate=0.0 if steps == 1 else 1e-3)
    networks = training.train(MLP, (x, shuffled), range(3), schedule)
    rules = everywhere(Ensemble("", training.as_function(networks), 3))
    named = verdicts(experiment.estimates(measured(rules, unread)))
    assert named["success"] == named["overturned"] == named["universal"] == {"refuted"}
    assert named["size"] == named["neighbour"] == {"refuted"}
    assert not any("supported" in named[kind] for kind in KINDS)


def test_transfer_tells_shared_directions_from_own_ones(unread: list[Ensemble]) -> None:
    one = linear(means().expand(3, -1, -1) + 1e-6 * random_weights(3, 1))
    named = verdicts(experiment.estimates(measured(everywhere(one), unread)))
    assert named["seeds"] == named["across"] == {"supported"}
    own = linear(random_weights(3, 2))
    named = verdicts(experiment.estimates(measured(everywhere(own), unread)))
    assert named["seeds"] == {"refuted"}


def test_one_network_is_too_few(unread: list[Ensemble]) -> None:
    with pytest.raises(ValueError, match=r"linear, MLP, .* expected two seeds"):
        measured(everywhere(linear(means()[None])), unread)


def test_effectiveness_in_numbers() -> None:
    rows = [
        ("a", 0, "a", 0, 0.8),
        ("a", 0, "a", 1, 0.2),
        ("a", 1, "a", 0, 0.4),
        ("a", 1, "a", 1, 0.4),
        ("a", 0, "b", 0, 0.3),
        ("a", 1, "b", 0, 0.0),
        ("b", 0, "a", 0, 0.0),
        ("b", 0, "a", 1, 0.6),
        ("b", 0, "b", 0, 0.6),
        ("noise", 0, "b", 0, 0.06),
        ("a", 0, "c", 0, 0.5),
        ("c", 0, "c", 0, 0.0),
    ]
    names = ["source", "source_seed", "target", "target_seed", "share"]
    ratios = experiment.effectiveness(pd.DataFrame(rows, columns=names))
    found = ratios.set_index(["source", "source_seed", "target"])["ratio"]
    expected = {
        ("a", 0, "a"): 0.2 / 0.4,
        ("a", 1, "a"): 0.4 / 0.8,
        ("a", 0, "b"): 0.5,
        ("a", 1, "b"): 0.0,
        ("b", 0, "a"): 0.3 / 0.6,
        ("noise", 0, "b"): 0.1,
        ("a", 0, "c"): 0.0,  # its own perturbation does nothing
    }
    assert found.to_dict() == pytest.approx(expected)
    table = experiment.matrix(ratios).set_index(["source", "target"])
    assert table.loc[("a", "b"), "ratio"] == 0.25


def test_shares_count_only_what_was_read_rightly() -> None:
    table = pd.DataFrame(
        {
            "architecture": "a",
            "seed": 0,
            "image": range(4),
            "right": [True, True, True, False],
            "size": [0.5, 2.0, 0.9, 0.1],
            "reach": 1.0,
            "random": [0.5, 0.0, 0.0, 1.0],
            "cut": [True, True, False, True],
        }
    )
    own = experiment.shares(table).iloc[0]
    assert own["right"] == 0.75
    assert own["overturned"] == 0.5
    assert own["random"] == 0.125
    assert own["cut"] == 0.25
    assert own["median"] == 0.9
    curve = experiment.curves(table, [0.4, 0.6, 3.0]).set_index("level")["share"]
    assert curve.tolist() == [0.0, 0.25, 0.75]
    left = experiment.outcomes(experiment.shares(table)).set_index("condition")["share"]
    assert left.to_dict() == {"as they are": 0.75, "random noise": 0.625, "attack": 0.25}
    bound = pd.DataFrame({"image": range(4), "right": [True, True, False, True], "size": 0.8})
    beside = experiment.beside_certificate(table, bound)
    assert beside["ratio"].tolist() == [(0.5 / 0.8 + 2.0 / 0.8) / 2]
    assert beside["shorter"].tolist() == [0.25]
    assert experiment.beside_certificate(table, bound.assign(size=0.5))["shorter"].tolist() == [0]


def test_target_is_half_way_to_another_digit() -> None:
    at = experiment.target(DATA, 30)
    images, labels = at.other
    assert (labels != at.y).all()
    torch.testing.assert_close((images - at.x).flatten(1).norm(dim=1), 2 * at.reach)
    points, numbers = experiment.whole(DATA)
    apart = torch.cdist(at.x.flatten(1), points.flatten(1))
    assert not ((apart < 1.999 * at.reach[:, None]) & (numbers != at.y[:, None])).any()


def test_shuffled_networks_learn_other_orders_of_the_same_labels() -> None:
    seen: list[Set] = []

    def learner(
        architecture: Architecture, sets: Set | Sequence[Set], seeds: Sequence[int], steps: int
    ) -> Ensemble:
        seen.extend(sets if isinstance(sets, list) else [sets] * len(seeds))  # type: ignore[list-item]
        return Ensemble(architecture.name, lambda x: x, len(seeds))

    found = experiment.ensembles(DATA, (3, 2), steps=7, shuffled=True, learner=learner)
    assert [one.members for one in found] == [3, 3, 3, 2, 2]
    assert [one.name for one in found] == NAMES
    orders = {tuple(y.tolist()) for _, y in seen}
    assert len(orders) == 3 and tuple(DATA.train_labels.tolist()) not in orders
    assert all(torch.equal(y.sort()[0], DATA.train_labels.sort()[0]) for _, y in seen)
    seen.clear()
    experiment.ensembles(DATA, (1, 1), steps=7, learner=learner)
    assert all(torch.equal(y, DATA.train_labels) for _, y in seen)


def test_stable_rule_is_counted_on_all_images() -> None:
    estimate, control = experiment.stable_rule(DATA)
    assert (estimate.value, control.value, estimate.n) == (1.0, 0.0, 1350)


def test_pictures_are_those_that_were_attacked(unread: list[Ensemble]) -> None:
    one = linear(means()[None])
    at = experiment.target(DATA, 12)
    attack = experiment.attacked([one], at)[""]
    read = (one.labels(at.x)[0] == at.y).nonzero().flatten()
    first = experiment.typical(one, at, attack, [int(at.y[read[0]])])
    like = read[at.y[read] == at.y[read[0]]]
    relative = (attack.size[0] / at.reach)[like].sort()
    assert first == [int(like[relative.indices[(len(like) - 1) // 2]])]
    with pytest.raises(ValueError, match="no image of the digit 11"):
        experiment.typical(one, at, attack, [11])
    table = experiment.examples(one, at, attack, first)
    labels = table.groupby("panel", sort=False)["label"].first()
    assert labels["image"] == at.y[first[0]]
    assert labels["sum"] != labels["image"]
    assert labels["nearest other"] == at.other[1][first[0]]
    wide = {
        panel: np.asarray(own.pivot(index="row", columns="column", values="value"))
        for panel, own in table.groupby("panel")
    }
    np.testing.assert_allclose(wide["image"] + wide["perturbation"], wide["sum"])
    noise = wide["random noise"] - wide["image"]
    assert np.linalg.norm(noise) == pytest.approx(at.reach[first[0]].item())
    own = experiment.universals([one], DATA.train_images[:50], 0.9)
    named = {"one": own[""], "one" + SHUFFLED: own[""]}
    portraits = experiment.portraits(named, [0, 1])
    assert portraits.groupby(["source", "seed"]).size().to_dict() == {
        ("one", 0): 64,
        ("one" + SHUFFLED, 0): 64,
    }
