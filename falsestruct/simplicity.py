"""Simplicity: how little does a learner need until it captures a structure?

Every measure is taken on data in which one structure alone predicts the label: the other one is
there, but says nothing (`alone`). So a measure belongs to a structure *and* a learner, and it can
be compared between two structures on the same inputs. Less is simpler, in all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.learning import training
from falsestruct.learning.networks import Architecture
from falsestruct.learning.training import Schedule, Set, Watch
from falsestruct.problems.planted import Planted

Which = Literal["original", "false", "coin"]
WHICH: tuple[Which, Which] = ("original", "false")
LABELLINGS = (*WHICH, "coin")

CAPTURED = 0.95  # accuracy from which a network has captured the only structure in its data
SHARE = 0.95  # of the seeds must have done so
SCALES = (0.0, 0.25, 0.5, 1.0)  # of the outputs, in the code's mixture
DATA_SEED = 2**20  # added to a network's seed for its data
TEST_SEED = 20_000


@dataclass(frozen=True)
class Learnt:
    """What came out of learning.

    Attributes:
        outputs: Logits (members, samples) of inputs (members, samples, …).
        history: A row a member and step looked at: member, step, test (accuracy on the test set).
    """

    outputs: Callable[[Tensor], Tensor]
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


# A training set a member, their seeds, and a test set to look at or None.
Learn = Callable[[Sequence[Set], Sequence[int], Set | None], Learnt]


def learner(architecture: Architecture, schedule: Schedule, *, at: Sequence[int] = ()) -> Learn:
    """Networks of an architecture under a schedule, as a learner; `at`: the steps to look at."""

    def learn(sets: Sequence[Set], seeds: Sequence[int], test: Set | None) -> Learnt:
        watch = Watch(at, {"test": test}) if test is not None else None
        trained = training.train(architecture, list(sets), list(seeds), schedule, watch=watch)
        return Learnt(training.as_function(trained), trained.history)

    return learn


def alone(
    problem: Planted,
    which: Which,
    samples: int,
    generator: torch.Generator,
    *,
    held_out: bool = False,
) -> Set:
    """Inputs (samples, …) and labels (samples,) that only one of the two structures predicts.

    On half of the inputs the two structures agree, drawn independently of everything else. The
    labels are those of `which`; the other structure is then right on one half, like a coin. With
    strength 0 the false structure's labels are a coin's too: there is nothing to learn. "coin" has
    no structure by construction, on the same inputs.

    Raises:
        ValueError: `which` is unknown.
    """
    if which not in LABELLINGS:
        raise ValueError(f"which is {which!r}; expected one of {', '.join(LABELLINGS)}")
    agrees = torch.randperm(samples, generator=generator) < samples / 2
    x, y = problem.make(samples, generator, agrees, held_out)
    coin = torch.randint(2, (samples,), generator=generator).double()
    return x, {"original": y, "false": torch.where(agrees, y, 1 - y), "coin": coin}[which]


def sequences(problem: Planted, which: Which, samples: int, seeds: Sequence[int]) -> list[Set]:
    """One `alone` a seed, in an order of its own. Both structures get the same inputs."""
    generators = [torch.Generator().manual_seed(DATA_SEED + seed) for seed in seeds]
    return [alone(problem, which, samples, generator) for generator in generators]


def first_kept(levels: Sequence[float] | np.ndarray, captured: np.ndarray) -> np.ndarray:
    """Smallest level from which on all are captured, infinite where there is none: (members,).

    Args:
        levels: Increasing, (levels,).
        captured: (levels, members).
    """
    kept = np.logical_and.accumulate(captured[::-1])[::-1]
    padded = np.vstack((kept, np.ones(kept.shape[1], dtype=bool)))
    return np.append(np.asarray(levels, dtype=float), np.inf)[padded.argmax(0)]


def code_length(outputs: Tensor, y: Tensor) -> Tensor:
    """Bits (members,) for labels y (members, samples), given what the learner said before each.

    −log2 of the mean over the scales β of Π p_β(y_i), with p_β(1) = σ(β·output). A mixture is a
    code like any other, and costs at most 2 bits more than its best scale. β = 0 spends one bit a
    label, so a learner that is sure and wrong loses 2 bits in all, and not thousands.
    """
    sign = 2 * y.double() - 1
    log = [torch.nn.functional.logsigmoid(beta * sign * outputs.double()).sum(1) for beta in SCALES]
    nats = math.log(len(SCALES)) - torch.logsumexp(torch.stack(log), 0)
    return nats / math.log(2)


def prequential(learnt: Sequence[Learnt], data: Sequence[Set], sizes: Sequence[int]) -> Tensor:
    """Prequential code length in bits (members,): learn from the past, code what comes next.

    Dawid (1984); for networks Blier and Ollivier (arXiv:1802.07044). The first sizes[0] labels are
    sent at one bit each. Then learnt[j] knows sizes[j] labels, and those up to sizes[j + 1], at
    last to the end of the sequence, are sent with its probabilities: Σ −log2 p, by `code_length`.

    Args:
        learnt: One a size.
        data: A sequence of more than sizes[-1] samples a member.
    """
    x, y = (torch.stack([pair[k] for pair in data]) for k in (0, 1))
    ends = [*sizes, y.shape[1]]
    with torch.no_grad():
        outputs = [
            one.outputs(x[:, k:after].float())
            for one, (k, after) in zip(learnt, pairwise(ends), strict=True)
        ]
    return sizes[0] + code_length(torch.cat(outputs, 1), y[:, sizes[0] :])


@dataclass(frozen=True)
class Trial:
    """On how much a learner is tried.

    Attributes:
        sizes: Of the training sets, increasing; each holds the one before.
        labels: How many are coded, more than sizes[-1].
        seeds: One a network and its data.

    Raises:
        ValueError: sizes and labels don't increase.
    """

    sizes: Sequence[int]
    labels: int
    seeds: Sequence[int]

    def __post_init__(self) -> None:
        ends = [*self.sizes, self.labels]
        if len(ends) < 2 or ends[0] < 1 or any(a >= b for a, b in pairwise(ends)):
            raise ValueError(
                f"sizes {list(self.sizes)}, labels {self.labels}; expected increasing sizes from 1 "
                "on, and more labels than the last of them"
            )

    def learn(
        self, problem: Planted, which: Which, learn: Learn, test: Set | None = None
    ) -> tuple[list[Learnt], list[Set]]:
        """What came out for each size, and the data (a sequence of all labels a seed).

        Args:
            test: What to look at in the course of learning from the largest set.
        """
        data = sequences(problem, which, self.labels, self.seeds)
        largest = self.sizes[-1]
        learnt = [
            learn([(x[:k], y[:k]) for x, y in data], self.seeds, test if k == largest else None)
            for k in self.sizes
        ]
        return learnt, data


def bits(problem: Planted, which: Which, learn: Learn, trial: Trial) -> Tensor:
    """Prequential code length (seeds,) of so many labels of one structure."""
    return prequential(*trial.learn(problem, which, learn), trial.sizes)


def measure(
    problem: Planted, which: Which, learn: Learn, trial: Trial, *, tested: int = 60
) -> pd.DataFrame:
    """What a learner needs for one structure: a row a seed, with seed, samples, steps, bits.

    `samples`: the smallest of the sizes from which on the network captures the structure. `steps`:
    the first step looked at from which on it does so when it learns from the largest set. Both
    are infinite if that never happens: more than the largest that was tried. `bits`: of
    `prequential`. Captured is an accuracy of `CAPTURED` on `tested` held-out inputs.
    """
    generator = torch.Generator().manual_seed(TEST_SEED)
    x, y = test = alone(problem, which, tested, generator, held_out=True)
    learnt, data = trial.learn(problem, which, learn, test)
    everyone = x.float().expand(len(trial.seeds), *x.shape)
    with torch.no_grad():
        right = [((one.outputs(everyone) > 0) == (y > 0.5)).double().mean(1) for one in learnt]
    captured = torch.stack(right).numpy() >= CAPTURED
    return pd.DataFrame(
        {
            "seed": list(trial.seeds),
            "samples": first_kept(trial.sizes, captured),
            "steps": _steps(learnt[-1].history),
            "bits": prequential(learnt, data, trial.sizes).numpy(),
        }
    )


def _steps(history: pd.DataFrame) -> np.ndarray:
    """First step from which on each member captures; one that has left stays as it was."""
    seen = history.pivot(index="step", columns="member", values="test").sort_index().ffill()
    return first_kept(seen.index.to_numpy(), seen.to_numpy() >= CAPTURED)


def quantile(thresholds: np.ndarray) -> np.ndarray:
    """Smallest threshold that a share of `SHARE` of the seeds don't exceed.

    Args:
        thresholds: (…, seeds), possibly infinite.
    """
    rank = math.ceil(SHARE * thresholds.shape[-1] - 1e-9)
    return np.sort(thresholds, -1)[..., rank - 1]


@dataclass(frozen=True)
class Crossing:
    """Where two structures are equally simple.

    Attributes:
        value: Of the strength; the end of the sweep if there is no crossing inside.
        inside: Whether there is one inside.
    """

    value: float
    inside: bool


def crossing(
    strengths: Sequence[float], original: Sequence[float], false: Sequence[float]
) -> Crossing:
    """The strength from which on the false structure is the simpler one.

    The last change of sign of log(false/original), interpolated in the logarithm of the strength.
    Between two strengths where a measure is infinite (never reached), only the order is known:
    their geometric mean. Where both are infinite or equal, neither is simpler; a stretch of such
    strengths counts as a crossing in its middle.

    Args:
        strengths: Increasing and positive, (points,).
        original, false: The measure, positive or infinite, (points,).
    """
    left, right = (np.asarray(values, dtype=float) for values in (original, false))
    with np.errstate(invalid="ignore"):
        gap = np.where(left == right, 0.0, np.log(right) - np.log(left))
    logs = np.log(np.asarray(strengths, dtype=float))
    harder, simpler = np.flatnonzero(gap > 0), np.flatnonzero(gap < 0)
    if not len(simpler) or (len(harder) and harder[-1] > simpler[-1]):
        return Crossing(float(strengths[-1]), False)
    if not len(harder):
        return Crossing(float(strengths[0]), False)
    i = int(harder[-1])
    j = int(simpler[simpler > i][0])
    part = 0.5
    if j == i + 1 and np.isfinite(gap[[i, j]]).all():
        part = gap[i] / (gap[i] - gap[j])
    return Crossing(float(np.exp(logs[i] + part * (logs[j] - logs[i]))), True)


def factor(predicted: float, measured: float) -> float:
    """max(p/m, m/p) ≥ 1: by what factor a prediction is off, exp |log(p/m)|."""
    return math.exp(abs(math.log(predicted / measured)))
