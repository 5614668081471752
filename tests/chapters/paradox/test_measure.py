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

from falsestruct.chapters.paradox import evidence
from falsestruct.chapters.paradox import measure as experiment
from falsestruct.chapters.paradox.measure import CERTIFICATE, SHUFFLED, Measured, Rules
from falsestruct.evidence import Claims
from falsestruct.instability import attacks, universal
from falsestruct.instability.attacks import Attack
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Ensemble, Seeds, by_hand
from falsestruct.learning.networks import Architecture, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.digits import CLASSES, Digits, digits
from falsestruct.statistics import Estimate, Nobody, exact
from falsestruct.theory import nearest

ALL = digits()
DATA = Digits(ALL.train_images, ALL.train_labels, ALL.test_images[:150], ALL.test_labels[:150])
NAMES = [architecture.name for architecture in for_images(8, CLASSES)]
MLP = for_images(8, CLASSES)[1]
MEMBERS = 6  # with fewer, few shares can be told from anything
KINDS = ("success", "overturned", "size", "universal", "seeds", "across")


def verdicts(claims: Claims) -> dict[str, set[str]]:
    """What the estimates of all architectures say, by kind of claim.

    Controls count by their values: few networks in a test can't bound them from above.
    """
    stated = read_claims(find_book())
    found: dict[str, set[str]] = {kind: set() for kind in (*KINDS, "neighbour")}
    for id, (value, control) in claims.items():
        kind = id.split("-")[1]
        assert isinstance(control, Estimate)
        if id != "paradox-neighbour":
            found[kind].add(judge(stated[id], value, exact(control.value)))
    return found


def measured(networks: Rules, shuffled: Rules) -> Measured:
    return experiment.measure(DATA, networks, shuffled, images=40, searched=40, draws=2)


def judged(networks: Rules, shuffled: Rules) -> dict[str, set[str]]:
    return verdicts(evidence.estimates(measured(networks, shuffled)))


def everywhere(make: Ensemble) -> dict[str, Ensemble]:
    """The same rules under the name of each architecture."""
    return dict.fromkeys(NAMES, make)


def linear(w: Tensor) -> Ensemble:
    """Linear rules with weights (members, classes, 64)."""
    centre = DATA.train_images.mean(0).flatten()
    return Ensemble(
        lambda x: torch.einsum("msd,mcd->msc", x.flatten(2).double() - centre, w),
        tuple(range(len(w))),
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
def unread() -> dict[str, Ensemble]:
    """The control's place: rules that never learnt anything."""
    return everywhere(linear(random_weights(MEMBERS, 99)))


def test_networks_have_both_halves_of_the_paradox(unread: Rules) -> None:
    networks = ensembles.train(MLP, DATA.train, range(20), Schedule(1_000, batch=100))
    found = measured(everywhere(networks), unread)
    claims = evidence.estimates(found)
    named = verdicts(claims)
    assert named["success"] == named["overturned"] == named["size"] == {"supported"}
    assert named["seeds"] == {"supported"}
    assert named["neighbour"] == {"supported"}  # the universal one
    assert found.checks["holds"].all()
    assert set(claims) | {"paradox-stable-rule"} == {
        id for id, claim in read_claims(find_book()).items() if claim.chapter == "01_paradox"
    }


def test_a_world_without_the_paradox_refutes_it(unread: Rules) -> None:
    """The proposition's rule in place of the networks: as right, and nowhere overturned."""
    rule = nearest.outputs(*experiment.whole(DATA), CLASSES)
    stable = Ensemble(lambda x: torch.cat([rule(own[None]) for own in x]), tuple(range(MEMBERS)))
    found = measured(everywhere(stable), unread)
    named = verdicts(evidence.estimates(found))
    for kind in ("overturned", "size", "neighbour"):
        assert named[kind] == {"refuted"}, kind
    assert named["universal"] == {"inconclusive"}  # a search refutes no existence
    beside, noise = evidence.estimates(found)["paradox-neighbour"]
    stated = read_claims(find_book())["paradox-neighbour"]
    assert isinstance(noise, Estimate)
    assert judge(stated, beside, exact(noise.value)) == "refuted"
    own = found.overturned[found.overturned["architecture"].isin(NAMES)]
    assert (own["right"] == 1).all() and (own["overturned"] == 0).all()


@pytest.mark.parametrize("labels", ["untrained", "shuffled"])
def test_rules_that_read_nothing_support_nothing(labels: str, unread: Rules) -> None:
    x, y = DATA.train
    orders = [
        torch.randperm(len(y), generator=torch.Generator().manual_seed(s)) for s in range(MEMBERS)
    ]
    steps = 1 if labels == "untrained" else 300
    schedule = Schedule(steps, batch=100, learning_rate=0.0 if steps == 1 else 1e-3)
    networks = ensembles.train(MLP, [(x, y[order]) for order in orders], range(MEMBERS), schedule)
    claims = evidence.estimates(measured(everywhere(networks), unread))
    named, stated = verdicts(claims), read_claims(find_book())
    assert named["success"] == named["overturned"] == {"refuted"}
    assert named["universal"] == {"inconclusive"}
    assert named["size"] == {"refuted"}
    # Labels of their own: networks that share labels share directions, though they mean nothing.
    assert "supported" not in {judge(stated[id], *pair) for id, pair in claims.items()}


def test_transfer_tells_shared_directions_from_own_ones(unread: Rules) -> None:
    one = linear(means().expand(MEMBERS, -1, -1) + 1e-6 * random_weights(MEMBERS, 1))
    named = judged(everywhere(one), unread)
    assert named["seeds"] == named["across"] == {"supported"}
    named = judged(everywhere(linear(random_weights(MEMBERS, 2))), unread)
    assert named["seeds"] == {"refuted"}


def test_one_network_is_too_few(unread: Rules) -> None:
    with pytest.raises(ValueError, match=r"linear, MLP, .* expected two seeds"):
        measured(everywhere(linear(means()[None])), unread)


def test_transfers_name_whose_perturbation_meets_whom() -> None:
    """A rule that looks at the first pixel only, and perturbations that change it or another."""
    rule = Ensemble(lambda x: torch.stack([x[..., 0, 0] * 0 + 0.5, x[..., 0, 0]], -1), (0, 1))
    eta = torch.zeros(2, 8, 8)
    eta[:, 0, 0] = 1
    own = universal.Universal("l2", 1.0, eta)
    found = {"a": own, "noise": universal.Universal("l2", 1.0, eta.flip(1))}
    table = experiment.transfers(found, {"a": rule}, torch.zeros(3, 8, 8))
    assert table.groupby(["architecture", "target"])["ratio"].mean().to_dict() == {
        ("a", "a"): 1.0,
        ("noise", "a"): 0.0,
    }
    assert len(table) == 2 * 2 * 3
    matrix = evidence.matrix(table)
    assert matrix["ratio"].tolist() == [1.0, 0.0]
    assert (matrix["low"] < matrix["high"]).all()


def test_overturned_counts_only_what_was_read_rightly() -> None:
    """Images on a line that a threshold reads: label 1 from 1/2 on, the last digit is wrong."""
    x = torch.tensor([0.0, 0.25, 0.75, 1.0]).view(4, 1, 1)
    rule = Ensemble(lambda x: torch.stack([x[..., 0, 0] * 0 + 0.5, x[..., 0, 0]], -1), (0,))
    at = experiment.Target(x, torch.tensor([0, 0, 1, 0]), torch.full((4,), 0.4), (x, x[:, 0, 0]))
    size = torch.tensor([[0.5, 0.25, 0.3, 0.5]])
    eta = torch.tensor([0.5, 0.3, -0.3, -0.5]).view(1, 4, 1, 1)
    found = {"a": Attack("l2", size, eta), CERTIFICATE: Attack("l2", size * 1.2, 0 * eta)}
    table = experiment.overturned({"a": rule, CERTIFICATE: rule}, at, found, draws=1)
    own = table[table["architecture"] == "a"]
    assert own["right"].tolist() == [1, 1, 1, 0]
    assert own["overturned"].tolist() == own["cut"].tolist() == [0, 1, 1, 0]
    assert own["shorter"].tolist() == [1, 1, 1, 0]
    assert own["relative"].tolist()[:3] == pytest.approx([1.25, 0.625, 0.75])
    assert own["relative"].isna().tolist() == [False, False, False, True]
    curve = evidence.curves(own, [0.5, 0.7, 3.0])["share"]
    assert curve.tolist() == [0.0, 0.25, 0.75]
    left = evidence.outcomes(own).set_index("condition")["share"]
    assert left["as they are"] == 0.75 and left["attack"] == 0.25


def test_networks_stand_beside_nearest_neighbour_where_both_read_rightly() -> None:
    """Who reads fewer loses fewer. Of what both read, this network loses all, the other half."""
    rows = [
        {"architecture": name, "seed": seed, "image": image, "right": right, "random": 0.0}
        | {"overturned": float(right and (name == "a" or image % 2))}
        for name, seeds in (("a", range(5)), (experiment.NEIGHBOUR, [0]))
        for seed in seeds
        for image in range(40)
        for right in [float(name != "a" or image < 16)]
    ]
    table = pd.DataFrame(rows)
    found, noise = evidence._beside(table, read=True)
    assert isinstance(found, Estimate) and isinstance(noise, Estimate)
    assert found.value == 0.5 and found.low > 0 and noise.value == 0
    everywhere, _ = evidence._beside(table)
    assert isinstance(everywhere, Estimate) and everywhere.value == pytest.approx(-0.1)


def test_the_spread_between_images_is_in_every_interval() -> None:
    """Networks that disagree on one image each: over them alone the interval would be narrow."""
    rng = np.random.default_rng(0)
    seen = torch.from_numpy(rng.random(100) < 0.7) ^ torch.eye(20, 100, dtype=torch.bool)
    table = experiment.long("a", right=seen)
    estimate = evidence._share(table, "right", "a")
    assert isinstance(estimate, Estimate)
    assert estimate.value == pytest.approx(seen.double().mean().item())
    assert estimate.high - estimate.low > 0.15
    alone = evidence._share(table[table["seed"] == 0], "right", "a")
    assert isinstance(alone, Nobody)


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
        architecture: Architecture,
        data: Set | Sequence[Set],
        seeds: Sequence[int],
        schedule: Schedule,
    ) -> Ensemble:
        seen.extend(data if isinstance(data, list) else [data] * len(seeds))  # type: ignore[list-item]
        return by_hand(lambda x: x)(architecture, data, seeds, schedule)

    found = experiment.ensembles(DATA, Seeds(3, 2), steps=7, shuffled=True, learner=learner)
    assert {name: len(one) for name, one in found.items()} == dict(
        zip(NAMES, (3, 3, 3, 2, 2), strict=True)
    )
    orders = {tuple(y.tolist()) for _, y in seen}
    assert len(orders) == 3 and tuple(DATA.train_labels.tolist()) not in orders
    assert all(torch.equal(y.sort()[0], DATA.train_labels.sort()[0]) for _, y in seen)
    seen.clear()
    experiment.ensembles(DATA, Seeds(1, 1), steps=7, learner=learner)
    assert all(torch.equal(y, DATA.train_labels) for _, y in seen)


def test_stable_rule_is_counted_on_all_images() -> None:
    estimate, control = evidence.stable_rule(DATA)
    assert isinstance(estimate, Estimate) and isinstance(control, Estimate)
    assert (estimate.value, control.value, estimate.n) == (1.0, 0.0, 1350)


def test_pictures_are_those_that_were_attacked() -> None:
    one = linear(means()[None])
    at = experiment.target(DATA, 12)
    attack = experiment.attacked({"one": one}, at)["one"]
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
    own = experiment.universals({"one": one}, DATA.train_images[:50], 0.9)
    named = own | {"one" + SHUFFLED: own["one"]}
    portraits = experiment.portraits(named, [0, 1])
    assert portraits.groupby(["source", "seed"]).size().to_dict() == {
        ("one", 0): 64,
        ("one" + SHUFFLED, 0): 64,
    }
