"""The paper's four networks, 20 seeds each, at its whole schedule, against the plain loop.

Nobody waits for 30,000 epochs on either side. Each way takes some thousand or some hundred steps of
each network, in alternation, and a run's rates are extrapolated to the whole: every step of a
network is the same work. It is training alone; what chapter 04 looks at on the way is left out on
both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchmarks import plain
from benchmarks.measure import Comparison, Way, rates, summary, threads
from benchmarks.training import CORES
from falsestruct.chapters.oscillation.runs import RUNS, TRAINING_SEED, Run, steps_of
from falsestruct.learning import shallow
from falsestruct.learning.training import Set

SEEDS, EPOCHS = 20, 30_000
STEPS, PLAIN_STEPS = 3_000, 300  # the measured part, of each network
DAY = 24 * 3600
DTYPE = torch.float64  # of the exact schedule


def together() -> list[list[Run]]:
    """The networks that go in lockstep, as in `runs.paper_schedule`: those of one length."""
    lengths: dict[int, list[Run]] = {}
    for run in RUNS:
        lengths.setdefault(steps_of(run, EPOCHS), []).append(run)
    return [lengths[length] for length in sorted(lengths)]


def training_set(run: Run, seed: int) -> Set:
    """What `runs.train_runs` gives this member."""
    generator = torch.Generator().manual_seed(TRAINING_SEED + seed)
    return run.problem.sample(run.samples, run.second, generator)


def lockstep(group: Sequence[Run], *, seeds: int = SEEDS, steps: int = STEPS) -> Way:
    """All members of these networks with the batches and generators of the exact schedule."""
    members = [(run, seed) for run in group for seed in range(seeds)]
    initial = shallow.glorot([seed for _, seed in members], 2, group[0].width, dtype=DTYPE)
    sets = [training_set(run, seed) for run, seed in members]
    batches = shallow.make_batches(sets, group[0].batch, dtype=DTYPE)
    drawn = [2 * TRAINING_SEED + seed for _, seed in members]

    def way() -> float:
        shallow.train(initial, batches, seeds=drawn, steps=steps, observe=lambda *_: None)
        return float(len(members) * steps)

    return way


def looped(run: Run, *, steps: int = PLAIN_STEPS) -> Way:
    """One member of this network on the plain loop."""
    data = training_set(run, 0)
    return lambda: plain.small(data, batch=run.batch, steps=steps, dtype=DTYPE)


def extrapolated(seen: Sequence[Sequence[float]], steps: Sequence[float]) -> list[float]:
    """Whole schedules per day, one number a round.

    Args:
        seen: Networks × steps per second of each part, a number a round.
        steps: Networks × steps of each part in the whole schedule.
    """
    rounds = zip(*seen, strict=True)
    return [DAY / sum(s / r for s, r in zip(steps, own, strict=True)) for own in rounds]


def rows() -> list[Comparison]:
    """One row; both of its sides are extrapolated, and its names say from what."""
    groups = together()
    with threads(CORES):
        seen = rates([*map(lockstep, groups), *map(looped, RUNS)])
    work = {run.name: float(SEEDS * steps_of(run, EPOCHS)) for run in RUNS}
    fast = extrapolated(
        seen[: len(groups)], [sum(work[run.name] for run in group) for group in groups]
    )
    slow = extrapolated(seen[len(groups) :], list(work.values()))
    names = (
        f"the paper's four networks, {SEEDS} seeds, {EPOCHS:,} epochs, training alone "
        f"(extrapolated from {STEPS:,} steps of each network)",
        f"{plain.NAME} (extrapolated from {PLAIN_STEPS:,} steps of each network)",
    )
    return [summary(names, (fast, slow), unit="schedules / day", wanted=100.0)]
