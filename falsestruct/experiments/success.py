"""Success explained by the structure that was captured: swept over agreement and strength.

A network is trained on data where the false structure g agrees with the label on a share ρ, and
tested on mixtures with other shares ρ′ that it never saw. Training (`point`) and measuring
(`measure`) are apart, so that networks built by hand can be measured in place of trained ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import statistics, success, training
from falsestruct.networks import by_name
from falsestruct.problems import digits as handwriting
from falsestruct.problems import planted
from falsestruct.problems.digits import Digits
from falsestruct.problems.planted import Planted
from falsestruct.statistics import Estimate
from falsestruct.sweep import sweep
from falsestruct.training import Schedule, Set, Trained

# Labels (members, samples) of inputs (members, samples, …): each member gets its own.
Networks = Callable[[Tensor], Tensor]
Evidence = dict[str, tuple[Estimate, Estimate]]  # by claim: estimate and control

TAKES = 0.75  # "sides with": on at least this share of a conflict set; a constant answer doesn't
FOLLOWS = 0.95
TOLERANCE = 0.02
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
    "oscillation": Setting((1e-3, 1e-2, 1e-1), 500, 500, Schedule(4000, batch=50)),
    "digits-brightness": Setting((0.1, 0.2, 0.4), 300, 598, Schedule(1000, target=1e-2)),
}
SHORT = {"stripes": "stripes", "oscillation": "oscillation", "digits-brightness": "digits"}


@cache
def plant(name: str, strength: float | None = None) -> Planted:
    """The planted problem of this name, at this strength or the usual one.

    Digits change the roles of their parts: the larger one is held out, because an accuracy is
    known only as well as the number of test images allows.
    """
    if name != "digits-brightness":
        return planted.by_name(name, strength)
    own = handwriting.digits()
    data = Digits(own.test_images, own.test_labels, own.train_images, own.train_labels)
    return planted.digits("brightness", usual(name) if strength is None else strength, data=data)


def usual(name: str) -> float:
    """A problem's usual strength."""
    return planted.STRENGTHS[name]


def training_sets(name: str, given: Planted, rho: float, seeds: Sequence[int]) -> list[Set]:
    """One training set a seed, with agreement ρ."""
    samples = SETTINGS[name].samples
    return [given.draw(samples, torch.Generator().manual_seed(s), rho=rho) for s in seeds]


# Training


def grid(
    seeds: int,
    few: int,
    *,
    agreements: Sequence[float],
    swept: Sequence[str],
    varied: Sequence[str],
) -> list[dict[str, Any]]:
    """The arguments of `point`: who is trained on what, with how many seeds.

    At the usual strength every architecture with ρ = ½ and 1, and those in `swept` with all
    `agreements`; at the other strengths those in `varied`, with all agreements.

    Args:
        seeds: Of architectures of dense layers, where claims are about single points: at the usual
            strength with an agreement of ½, 0.9 and 1.
        few: Of all others.
    """
    points = []
    for name, setting in SETTINGS.items():
        for strength in setting.strengths:
            common = strength == usual(name)
            for network in plant(name, strength).architectures:
                if not common and network.name not in varied:
                    continue
                full = network.name in (swept if common else varied)
                for rho in sorted({*agreements, *CLAIMED} if full else {HALF, 1.0}):
                    many = network.engine == "dense" and common and rho in CLAIMED
                    points.append(
                        {"problem": name, "architecture": network.name, "strength": strength}
                        | {"rho": float(rho), "seeds": list(range(seeds if many else few))}
                    )
    return points


def networks_table(points: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Train and measure every point of a grid: one row a network, columns as `point`."""
    return sweep(point, points)


def point(
    *, problem: str, architecture: str, strength: float, rho: float, seeds: list[int]
) -> pd.DataFrame:
    """Train some networks and measure them: one row a network, columns as `describe`."""
    given = plant(problem, strength)
    sets = training_sets(problem, given, rho, seeds)
    network = by_name(architecture, given.architectures)
    trained = training.train(network, sets, seeds, SETTINGS[problem].schedule)
    about = {
        "problem": problem, "architecture": architecture, "strength": strength, "rho": rho,
        "seed": seeds, "loss": trained.loss.tolist(), "reached": trained.reached.tolist(),
    }  # fmt: skip
    return pd.DataFrame(about).join(measure(problem, given, as_networks(trained), sets, rho=rho))


def as_networks(trained: Trained) -> Networks:
    """The labels of trained networks."""
    function = training.as_function(trained)

    def label(x: Tensor) -> Tensor:
        with torch.no_grad():
            return success.labels(function(x))

    return label


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
    name: str, given: Planted, networks: Networks, sets: Sequence[Set], *, rho: float
) -> pd.DataFrame:
    """Measure networks on held-out inputs: one row a member.

    Columns:
        captured: Share of the probe's conflict set on which the member sides with g.
        agreeing: Accuracy on the probe where the structures agree.
        at_0, at_0.25, …: Accuracy on mixtures of the test.
        same: Accuracy on test data with the agreement of training.
        half_error: |accuracy − ρ′| with half of the false signal, mean over the mixtures.
        half_captured: Share of the test's conflict set, with half of the signal, that sides with g.
        exchange, randomise, along: Share of the labels that change when test inputs exchange the
            false feature, when they draw it at random, when they exchange another component.
        exceptions, familiar: Accuracy on the own training inputs where g is wrong, and right; NaN
            where there are none.
        entropy: The smallest loss on the own training set of what sees g alone.
    """
    held_out = SETTINGS[name].held_out
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    x, y = given.draw(2 * held_out, generator, rho=0.0, held_out=True)
    probe, test = ((part, labels) for part, labels in zip(x.split(held_out), y.split(held_out)))
    predict = _shared(networks, len(sets))
    seen, tested = (_answers(given, predict, part, sets) for part in (probe, test))
    weak = (success.rescale(given, test[0], 0.5), test[1])
    halved = _answers(given, predict, weak, sets)
    columns = {
        "captured": 1 - seen.share(seen.apart),
        "agreeing": seen.share(seen.agree),
        **{f"at_{share:g}": tested.mixture(share) for share in MIXTURES},
        "same": tested.mixture(rho),
        "half_error": torch.stack([(halved.mixture(s) - s).abs() for s in MIXTURES]).mean(0),
        "half_captured": 1 - halved.share(halved.apart),
        **_interventions(given, predict, success.reflect(given, test[0])),
        **_on_training(given, networks, sets),
    }
    return pd.DataFrame({key: value.tolist() for key, value in columns.items()})


def _shared(networks: Networks, members: int) -> success.Predict:
    """The same inputs for all members."""
    return lambda x: networks(x.expand(members, *x.shape))


def _answers(
    given: Planted, predict: success.Predict, conflict: Set, sets: Sequence[Set]
) -> _Answers:
    x, y = conflict
    agree, apart = (predict(part) == y.long() for part in (success.reflect(given, x), x))
    flat = x.flatten(1)
    fresh = [torch.cdist(flat, own.flatten(1)).amin(1) > 1e-6 for own, _ in sets]
    return _Answers(agree, apart, torch.stack(fresh))


def _interventions(given: Planted, predict: success.Predict, x: Tensor) -> dict[str, Tensor]:
    along = random_direction(given)
    return {
        "exchange": success.changed(predict, given, x, success.exchange, seed=INTERVENTION_SEED),
        "randomise": success.changed(
            predict, given, x, success.randomise, seed=INTERVENTION_SEED, repeats=5
        ),
        "along": success.changed(
            predict, given, x, partial(success.exchange, along=along), seed=INTERVENTION_SEED
        ),
    }


def random_direction(given: Planted) -> Tensor:
    """A random direction of unit length at a right angle to the false structure's."""
    generator = torch.Generator().manual_seed(INTERVENTION_SEED)
    noise = torch.randn(given.direction.shape, generator=generator, dtype=torch.float64)
    noise -= (noise * given.direction).sum() * given.direction
    return noise / noise.norm()


def _on_training(given: Planted, networks: Networks, sets: Sequence[Set]) -> dict[str, Tensor]:
    x, y = (torch.stack(parts) for parts in zip(*sets, strict=True))
    right = networks(x) == y.long()
    false = torch.stack([given.false(own) for own, _ in sets])
    agrees = false == y.long()
    found = {
        name: (right & mask).double().sum(1) / mask.double().sum(1)
        for name, mask in (("exceptions", ~agrees), ("familiar", agrees))
    }
    entropies = [conditional_entropy(*pair) for pair in zip(y.long(), false, strict=True)]
    return found | {"entropy": torch.tensor(entropies, dtype=torch.float64)}


def conditional_entropy(y: Tensor, given: Tensor) -> float:
    """H(y | given) in nats: labels (samples,) 0 or 1, and what is known of each (samples,).

    No predictor that sees nothing else has a smaller cross-entropy (proposition in chapter 05).
    """
    total = 0.0
    for value in given.unique():
        part = y[given == value]
        shares = torch.stack([(part == label).double().mean() for label in (0, 1)])
        total -= torch.xlogy(shares, shares).sum().item() * len(part) / len(y)
    return total


# Predictions


def errors(table: pd.DataFrame, *, by: str) -> pd.Series[float]:
    """|accuracy − prediction|, mean over the unseen mixtures: one number a network.

    Args:
        by: What predicts. "capture": ρ′ + (1 − ρ′)(1 − captured). "two numbers": with the accuracy
            where the structures agree instead of 1. "false", "original": P(g = f) and 1, which
            take no look at the network. "same": the accuracy on data like the training data.
    """
    captured, ones = torch.tensor(table["captured"].to_numpy()), torch.ones(len(table)).double()
    agreeing = torch.tensor(table["agreeing"].to_numpy())
    given = {
        "capture": lambda share: success.foretold(share, captured),
        "two numbers": lambda share: success.foretold(share, captured, agreeing),
        "false": lambda share: success.foretold(share, ones),
        "original": lambda share: success.foretold(share, 0 * ones),
        "same": lambda share: torch.tensor(table["same"].to_numpy()),
    }
    if by not in given:
        raise ValueError(f"by is {by!r}; expected one of {', '.join(given)}")
    found = [
        np.abs(table[f"at_{share:g}"].to_numpy() - given[by](share).numpy()) for share in MIXTURES
    ]
    return pd.Series(np.mean(found, axis=0), index=table.index)


def foretold_table(table: pd.DataFrame) -> pd.DataFrame:
    """Predicted and measured accuracy: a row a network, mixture and predictor.

    Columns: problem, by ("capture", "two numbers"), full (trained with full agreement), tested,
    predicted, measured.
    """
    parts = []
    for by, agreeing in (("capture", 1.0), ("two numbers", table["agreeing"])):
        for share in MIXTURES:
            predicted = share * agreeing + (1 - share) * (1 - table["captured"])
            columns = {"problem": table["problem"], "by": by, "full": table["rho"] == 1}
            measured = {"predicted": predicted, "measured": table[f"at_{share:g}"]}
            parts.append(pd.DataFrame(columns | {"tested": share} | measured))
    return pd.concat(parts, ignore_index=True)


def unseen_table(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the unseen mixtures, trained with full agreement at the usual strength.

    Columns: problem, architecture, tested, accuracy, low, high (mean over networks, interval).
    """
    rows = []
    for (name, architecture), own in at_usual(table, 1.0).groupby(
        ["problem", "architecture"], sort=False
    ):
        for share in MIXTURES:
            found = statistics.mean(own[f"at_{share:g}"])
            rows.append(
                {"problem": name, "architecture": architecture, "tested": share}
                | {"accuracy": found.value, "low": found.low, "high": found.high}
            )
    return pd.DataFrame(rows)


def at_usual(table: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength with agreement ρ."""
    strength = table["problem"].map(planted.STRENGTHS)
    return table[(table["strength"] == strength) & (table["rho"] == rho)]


def swept_table(table: pd.DataFrame) -> pd.DataFrame:
    """Capture against agreement in training: a row for each problem, architecture, strength and ρ.

    Columns: problem, architecture, strength, usual, rho, share, low, high (mean over networks with
    its interval), exceptions, familiar, agreeing (means).
    """
    rows = []
    keys = ["problem", "architecture", "strength"]
    for (name, architecture, strength), curve in table.groupby(keys, sort=False):
        if curve["rho"].nunique() < 3:  # not swept
            continue
        for rho, own in curve.groupby("rho"):
            found = statistics.mean(own["captured"])
            means = own[["exceptions", "familiar", "agreeing"]].mean().to_dict()
            rows.append(
                dict(zip(keys, (name, architecture, strength), strict=True))
                | {"usual": strength == planted.STRENGTHS[str(name)], "rho": rho}
                | {"share": found.value, "low": found.low, "high": found.high, **means}
            )
    return pd.DataFrame(rows)


def changeovers(table: pd.DataFrame) -> pd.DataFrame:
    """From which ρ in training networks take the false structure: a row a swept curve.

    Columns: problem, architecture, strength, changeover, low, high (median over seeds with its
    interval), never (share of seeds that don't even at ρ = 1; they count as 1), always (share that
    do at the smallest ρ already).
    """
    rows = []
    keys = ["problem", "architecture", "strength"]
    for group, curve in table.groupby(keys, sort=False):
        if curve["rho"].nunique() < 3:
            continue
        found = []
        complete = curve.groupby("seed")["rho"].transform("size") == curve["rho"].nunique()
        for _, own in curve[complete].groupby("seed"):
            points = own.sort_values("rho")
            values, share = (torch.tensor(points[c].to_numpy()) for c in ("rho", "captured"))
            found.append(success.changeover(values, share, level=TAKES))
        known = np.array(found)
        middle = statistics.median(np.minimum(known, 1.0))
        rows.append(
            dict(zip(keys, group, strict=True))
            | {"changeover": middle.value, "low": middle.low, "high": middle.high}
            | {"never": np.isinf(known).mean(), "always": (known <= curve["rho"].min()).mean()}
        )
    return pd.DataFrame(rows)


# Evidence


def estimates(table: pd.DataFrame) -> Evidence:
    """Estimate and control of every claim of the chapter, by id.

    Args:
        table: Of all networks, as `networks_table` or built from `measure`.
    """
    return (
        cells(table)
        | _predictions(table)
        | _interventions_evidence(table)
        | _wrong_evidence(table)
        | {"success-interventions-exact": exact_interventions()}
    )


def cells(table: pd.DataFrame) -> Evidence:
    """One claim a problem and architecture: the false structure is taken, and explains success."""
    found = {}
    explained = (table["captured"] >= TAKES) & (errors(table, by="capture") <= TOLERANCE)
    for (name, architecture), own in table.groupby(["problem", "architecture"], sort=False):
        both = [
            statistics.proportion(explained[at_usual(own, rho).index].to_numpy())
            for rho in (1.0, HALF)
        ]
        slug = str(architecture).lower().replace("'s", "").replace(" ", "-")
        found[f"success-agreement-{SHORT[str(name)]}-{slug}"] = (both[0], both[1])
    return found


def _predictions(table: pd.DataFrame) -> Evidence:
    full, less = table[table["rho"] == 1], table[table["rho"] < 1]
    fits = full["familiar"] >= FOLLOWS
    largest = full["problem"].map({name: max(s.strengths) for name, s in SETTINGS.items()})
    strongest = full[full["strength"] == largest]
    followers = full[full["captured"] >= FOLLOWS]
    return {
        "success-strongest-signal": (
            worst(strongest, errors(strongest, by="false")),
            worst(strongest, errors(strongest, by="original"), smallest=True),
        ),
        "success-capture-foretells": (
            worst(full, errors(full, by="capture")),
            worst(full, errors(full, by="same"), smallest=True),
        ),
        "success-capture-foretells-fitted": (
            worst(full[fits], errors(full[fits], by="capture")),
            worst(full[~fits], errors(full[~fits], by="capture"), smallest=True),
        ),
        "success-capture-below-one": (
            worst(less, errors(less, by="capture")),
            worst(less, errors(less, by="false"), smallest=True),
        ),
        "success-two-numbers": (
            worst(table, errors(table, by="two numbers")),
            worst(table, errors(table, by="same"), smallest=True),
        ),
        "success-other-strength": (
            worst(followers, followers["half_error"]),
            worst(followers, errors(followers, by="false")),
        ),
    }


def _interventions_evidence(table: pd.DataFrame) -> Evidence:
    own = at_usual(table, 1.0)
    return {
        "success-exchange-flips": (
            worst(own, own["exchange"], smallest=True),
            worst(own, own["along"]),
        ),
        "success-exchange-is-capture": (
            worst(own, (own["exchange"] - own["captured"]).abs()),
            worst(own, (own["along"] - own["captured"]).abs(), smallest=True),
        ),
    }


def _wrong_evidence(table: pd.DataFrame) -> Evidence:
    """What networks do where the false structure no longer fits the training data."""
    wanted = table.groupby(["problem", "architecture"])["rho"].transform("nunique") > 2
    swept = table[wanted]
    wrong, none = at_usual(swept, TENTH_WRONG), at_usual(swept, HALF)
    found = {}
    for name, short in SHORT.items():
        shares = [
            statistics.proportion((part["captured"] >= TAKES)[part["problem"] == name].to_numpy())
            for part in (wrong, none)
        ]
        found[f"success-taken-though-wrong-{short}"] = (shares[0], shares[1])
    own = wrong[wrong["problem"] == "digits-brightness"]
    found["success-exceptions-by-heart"] = (
        statistics.paired_difference(own["exceptions"], own["at_0"]),
        statistics.paired_difference(own["familiar"], own["agreeing"]),
    )
    return found


def worst(table: pd.DataFrame, values: pd.Series[float], *, smallest: bool = False) -> Estimate:
    """Mean over networks in the problem where it is largest, or smallest.

    Problems with fewer than two networks are left out. If none is left, nothing was shown: 1 where
    the largest error is asked for, 0 where the smallest.
    """
    parts = [part for _, part in values.groupby(table["problem"]) if len(part) >= 2]
    if not parts:
        return statistics.exact(0.0 if smallest else 1.0)
    means = [statistics.mean(part) for part in parts]
    choose = min if smallest else max
    return choose(means, key=lambda estimate: estimate.value)


def exact_interventions() -> tuple[Estimate, Estimate]:
    """Largest deviation of the two structures from the proposition on interventions, and control.

    A structure changes the label of an input if the donor's feature value is another one (false)
    or never (original). The control exchanges the component along a random direction instead.
    """
    deviation, control = 0.0, 0.0
    for name in SETTINGS:
        given = plant(name)
        x, _ = given.draw(60, torch.Generator().manual_seed(HELD_OUT_SEED), held_out=True)
        for intervention in (success.exchange, success.randomise):
            moved = intervention(given, x, torch.Generator().manual_seed(INTERVENTION_SEED))
            crossed = (success.component(given, moved) > given.level) != (
                success.component(given, x) > given.level
            )
            if intervention is success.exchange and not crossed.all():
                deviation = 1.0
            follows = ((given.false(moved) != given.false(x)) == crossed).double().mean().item()
            stays = (given.original(moved) == given.original(x)).double().mean().item()
            deviation = max(deviation, 1 - follows, 1 - stays)
        along = success.exchange(
            given, x, torch.Generator().manual_seed(INTERVENTION_SEED), along=random_direction(given)
        )
        same = (given.false(along) == given.false(x)).double().mean().item()
        control = max(control, same)
    return statistics.exact(deviation), statistics.exact(control)
