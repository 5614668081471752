"""Success explained by the structure that was captured: swept over agreement and strength.

A network is trained on data where the false structure g agrees with the label on a share ρ, and
tested on mixtures with other shares ρ′ that it never saw. Training (`point`) and measuring
(`measure`) are apart, and `measure` asks an `Ensemble`, trained or built by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.learning.ensembles import Ensemble, Learner, train
from falsestruct.learning.networks import Architecture, by_name, fitting
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import digits as handwriting
from falsestruct.problems.digits import Digits
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.planted import digits as patterns
from falsestruct.sweep.grid import sweep

MIXTURES = (0.0, 0.25, 0.5, 0.75)  # agreement ρ′ of the data that a network is tested on
TENTH_WRONG, HALF = 0.9, 0.5
CLAIMED = (HALF, TENTH_WRONG, 1.0)  # agreements ρ in training that claims are about
DRAWS = 100  # of which inputs agree in a mixture
HELD_OUT_SEED, MIXTURE_SEED, INTERVENTION_SEED = 50_000, 60_000, 70_000


@dataclass(frozen=True)
class Setting:
    """How a problem is trained and tested.

    Attributes:
        strengths: Of the false signal, those that are swept.
        samples: In training.
        held_out: In the probe, which capture is read off, and as many others in the test.
    """

    strengths: tuple[float, ...]
    samples: int
    held_out: int
    schedule: Schedule


SETTINGS = {
    "stripes": Setting((0.05, 0.1, 0.3), 60, 60, Schedule(1000, target=1e-2)),
    "oscillation": Setting((1e-3, 1e-2, 1e-1), 500, 500, Schedule(3000, batch=50)),
    "digits-brightness": Setting((0.1, 0.2, 0.4), 300, 598, Schedule(1000, target=1e-2)),
}


@cache
def plant(name: str, strength: float | None = None) -> Planted:
    """The planted problem of this name, at this strength or the usual one.

    Digits change the roles of their parts: the larger one is held out, because an accuracy is
    known only as well as the number of test images allows.
    """
    if name != "digits-brightness":
        return registry.by_name(name, strength)
    own = handwriting.digits()
    data = Digits(own.test_images, own.test_labels, own.train_images, own.train_labels)
    return patterns.digits("brightness", usual(name) if strength is None else strength, data=data)


def usual(name: str) -> float:
    """A problem's usual strength."""
    return registry.STRENGTHS[name]


def training_sets(
    name: str, given: Planted, rho: float, seeds: Sequence[int], *, samples: int | None = None
) -> list[Set]:
    """One training set a seed, with agreement ρ."""
    size = samples or SETTINGS[name].samples
    return [given.draw(size, torch.Generator().manual_seed(s), rho=rho) for s in seeds]


@dataclass(frozen=True)
class Seeds:
    """How many networks a point gets.

    Attributes:
        many: Architectures of dense layers, where claims are about single points: at the usual
            strength with an agreement of ½, 0.9 and 1.
        few: All others.
        controls: Other than dense layers with an agreement of ½, which take longest.
    """

    many: int
    few: int
    controls: int

    def of(self, network: Architecture, *, common: bool, rho: float) -> int:
        """Seeds of an architecture, at the usual strength or not."""
        if not network.is_dense and rho == HALF:
            return self.controls
        return self.many if network.is_dense and common and rho in CLAIMED else self.few


def grid(
    seeds: Seeds,
    *,
    swept: Sequence[str],
    agreements: Sequence[float],
    varied: Sequence[str],
    coarse: Sequence[float],
) -> list[dict[str, Any]]:
    """The arguments of `point`: who is trained on what, with how many seeds.

    At the usual strength every architecture with ρ = ½ and 1, and those in `swept` with all
    `agreements`; at the other strengths those in `varied`, with the agreements in `coarse`. Where
    an architecture is swept, ½, 0.9 and 1 are added.
    """
    points = []
    for name, setting in SETTINGS.items():
        for strength in setting.strengths:
            common = strength == usual(name)
            for network in fitting(plant(name, strength).direction.shape):
                if not common and network.name not in varied:
                    continue
                wanted = {*(agreements if common else coarse), *CLAIMED}
                if common and network.name not in swept:
                    wanted = {HALF, 1.0}
                about = {"problem": name, "architecture": network.name, "strength": strength}
                count = {rho: seeds.of(network, common=common, rho=rho) for rho in wanted}
                for number in sorted({*count.values()}):
                    rhos = sorted(float(rho) for rho in wanted if count[rho] == number)
                    points.append(about | {"rhos": rhos, "seeds": list(range(number))})
    return points


def fewer(seeds: int, swept: Sequence[str], samples: int) -> list[dict[str, Any]]:
    """The arguments of `point` on digits with fewer images, at an agreement of ½ and 0.9."""
    name = "digits-brightness"
    return [
        {"problem": name, "architecture": network.name, "strength": usual(name)}
        | {"rhos": [HALF, TENTH_WRONG], "seeds": list(range(seeds)), "samples": samples}
        for network in fitting(plant(name).direction.shape)
        if network.name in swept
    ]


def networks_table(points: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Train and measure every point of a grid: one row a network, columns as `point`."""
    return sweep(point, points)


def point(
    *,
    problem: str,
    architecture: str,
    strength: float,
    rhos: list[float],
    seeds: list[int],
    samples: int | None = None,
    learn: Learner = train,
) -> pd.DataFrame:
    """Train some networks, all agreements in lockstep, and measure them: one row a network.

    Columns: problem, architecture, strength, rho, seed, loss, steps, reached, and those of
    `measure`.

    Args:
        samples: Of a training set; None: the problem's usual number.
        learn: Where the networks come from.
    """
    given = plant(problem, strength)
    network = by_name(architecture, fitting(given.direction.shape))
    sets = {rho: training_sets(problem, given, rho, seeds, samples=samples) for rho in rhos}
    every = [pair for own in sets.values() for pair in own]
    trained = learn(network, every, seeds * len(rhos), SETTINGS[problem].schedule)
    tables = []
    for place, (rho, own) in enumerate(sets.items()):
        part = trained.select(range(place * len(seeds), (place + 1) * len(seeds)))
        about = part.table(problem=problem, architecture=architecture, strength=strength, rho=rho)
        tables.append(about.join(measure(problem, given, part, own, rho=rho)))
    return pd.concat(tables, ignore_index=True)


# Measuring


@dataclass(frozen=True)
class _Answers:
    """Which held-out inputs each member gets right, in both forms: (members, samples).

    Attributes:
        agree, apart: With the false feature that agrees with the label, and with the other one.
        fresh: Inputs whose second form was not in the member's training set.
    """

    agree: Tensor
    apart: Tensor
    fresh: Tensor

    def share(self, right: Tensor) -> Tensor:
        """Share of the fresh inputs that are right, (members,)."""
        return (right & self.fresh).double().sum(1) / self.fresh.double().sum(1)

    def mixture(self, rho: float) -> Tensor:
        """Accuracy (members,) on the mixture in which a share ρ agrees: mean over `DRAWS` draws."""
        generator = torch.Generator().manual_seed(MIXTURE_SEED)
        samples, found = self.agree.shape[1], []
        for _ in range(DRAWS):
            agrees = torch.zeros(samples, dtype=torch.bool)
            agrees[torch.randperm(samples, generator=generator)[: round(rho * samples)]] = True
            found.append(self.share(torch.where(agrees, self.agree, self.apart)))
        return torch.stack(found).mean(0)


def measure(
    name: str, given: Planted, own: Ensemble, sets: Sequence[Set], *, rho: float
) -> pd.DataFrame:
    """Measure networks on held-out inputs: one row a member.

    Columns:
        captured: Share of the probe's conflict set on which the member sides with g.
        agreeing: Accuracy on the probe where the structures agree.
        at_0, at_0.25, …: Accuracy on mixtures of the test.
        same: Accuracy on test data with the agreement of training.
        half_error: |accuracy − ρ′| with half of the false signal, mean over the mixtures.
        half_captured, half_agreeing: With half of the signal, the share of the test's conflict set
            on which the member sides with g, and the accuracy where the structures agree.
        exchange, randomise, along: Share of the labels that change when test inputs exchange the
            false feature, when they draw it at random, when they exchange another component.
        exceptions, familiar: Accuracy on the own training inputs where g is wrong, and right; NaN
            where there are none.
        entropy: The smallest loss on the own training set of what sees g alone.
        agreeing_each, at_0_each: Input by input, as `each` writes them, what agreeing and at_0 are
            the means of.
    """
    probe, test = held_out_sets(name, given)
    half = success.rescale(given, test[0], 0.5), test[1]
    seen, tested, halved = (_answers(given, own, part, sets) for part in (probe, test, half))
    columns = {
        "captured": 1 - seen.share(seen.apart),
        "agreeing": seen.share(seen.agree),
        **{f"at_{share:g}": tested.mixture(share) for share in MIXTURES},
        "same": tested.mixture(rho),
        "half_error": torch.stack([(halved.mixture(s) - s).abs() for s in MIXTURES]).mean(0),
        "half_captured": 1 - halved.share(halved.apart),
        "half_agreeing": halved.share(halved.agree),
        **_interventions(given, own, success.reflect(given, test[0])),
        **_on_training(given, own, sets),
    }
    table = pd.DataFrame({key: value.tolist() for key, value in columns.items()})
    return table.assign(
        agreeing_each=each(seen.agree, seen.fresh), at_0_each=each(tested.apart, tested.fresh)
    )


def each(right: Tensor, counts: Tensor) -> list[str]:
    """A word a member (members, samples): 1 where it is right, 0 where wrong; - does not count."""
    marks = np.where(counts.numpy(), right.long().numpy().astype(str), "-")
    return ["".join(row) for row in marks]


def matrix(words: Sequence[str]) -> np.ndarray:
    """What `each` wrote as numbers (members, samples), NaN where an input does not count."""
    return np.array([[np.nan if mark == "-" else float(mark) for mark in word] for word in words])


def held_out_sets(name: str, given: Planted) -> tuple[Set, Set]:
    """The probe and the test: inputs where the structures disagree, and their labels.

    They share no input, but on stripes, where both hold every stripe once.
    """
    size = SETTINGS[name].held_out
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    x, y = given.draw(2 * size, generator, rho=0.0, held_out=True)
    return (x[:size], y[:size]), (x[size:], y[size:])


def _answers(given: Planted, own: Ensemble, conflict: Set, sets: Sequence[Set]) -> _Answers:
    x, y = conflict
    agree, apart = (own.labels(part) == y.long() for part in (success.reflect(given, x), x))
    flat = x.flatten(1)
    fresh = [torch.cdist(flat, seen.flatten(1)).amin(1) > 1e-6 for seen, _ in sets]
    return _Answers(agree, apart, torch.stack(fresh))


def _interventions(given: Planted, own: Ensemble, x: Tensor) -> dict[str, Tensor]:
    moves: dict[str, tuple[success.Intervention, int]] = {
        "exchange": (success.exchange, 1),
        "randomise": (success.randomise, 5),
        "along": (along_random(given), 1),
    }
    return {
        name: success.changed(own.labels, given, x, move, seed=INTERVENTION_SEED, repeats=repeats)
        for name, (move, repeats) in moves.items()
    }


def along_random(given: Planted) -> success.Intervention:
    """The control: exchange the component along a random direction."""
    generator = torch.Generator().manual_seed(INTERVENTION_SEED)
    return partial(success.exchange, along=success.random_direction(given, generator))


def _on_training(given: Planted, own: Ensemble, sets: Sequence[Set]) -> dict[str, Tensor]:
    x, y = (torch.stack(parts) for parts in zip(*sets, strict=True))
    right = own.labels(x, own=True) == y.long()
    false = torch.stack([given.false(inputs) for inputs, _ in sets])
    agrees = false == y.long()
    found = {
        name: (right & mask).double().sum(1) / mask.double().sum(1)
        for name, mask in (("exceptions", ~agrees), ("familiar", agrees))
    }
    pairs = zip(y.long(), false, strict=True)
    entropies = [success.conditional_entropy(*pair) for pair in pairs]
    return found | {"entropy": torch.tensor(entropies, dtype=torch.float64)}
