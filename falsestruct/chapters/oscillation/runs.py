"""The four runs of the oscillation experiment (arXiv:1906.01478), over seeds.

This module is what a recorded run depends on; it imports as little as possible, so that a record
becomes outdated only when a number in it could change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd
import torch

from falsestruct.learning import shallow
from falsestruct.problems.oscillation import Oscillation, Second
from falsestruct.theory import relu

GRID = 200  # test points in each interval
EPOCHS = (10, 30, 100, 300, 800, 1_000, 3_000, 5_000, 10_000, 20_000)  # looked at on the way
TRAINING_SEED = 10_000  # added to a member's seed for its data, 20,000 for its batches


@dataclass(frozen=True)
class Run:
    """One configuration.

    Attributes:
        name: The number under which the paper's authors released it, or ours.
        samples: Size of the training set.
        second: What x₂ is in training.
        batch: Batch size.
        problem: The problem, with its δ.
        width: Number of hidden ReLUs.
    """

    name: str
    samples: int
    second: Second
    batch: int = 50
    problem: Oscillation = Oscillation()
    width: int = 104

    def with_delta(self, delta: float) -> Run:
        """The same run with another δ."""
        return replace(self, problem=replace(self.problem, delta=delta))


RUNS = (
    Run("030", 5_000, "hint"),
    Run("034", 10_000, "zero"),
    Run("035", 5_000, "zero"),
    Run("036", 7, "hint", batch=7),
)


def steps_of(run: Run, epochs: int) -> int:
    """Number of steps in so many epochs."""
    return epochs * (run.samples // run.batch)


def paper_schedule(names: Sequence[str], *, seeds: int, epochs: int) -> pd.DataFrame:
    """The runs of these names at the paper's schedule, float64; measured at named epochs.

    Runs of different length go in lockstep as long as they last: one call a length.
    """
    chosen = [run for run in RUNS if run.name in names]
    unknown = set(names) - {run.name for run in chosen}
    if unknown:
        raise ValueError(f"no run {sorted(unknown)}; expected of {[run.name for run in RUNS]}")
    tables = []
    for length in sorted({steps_of(run, epochs) for run in chosen}):
        together = [run for run in chosen if steps_of(run, epochs) == length]
        at = [length * part // epochs for part in EPOCHS if part < epochs]
        table = train_runs(together, seeds, steps=length, at=at)
        tables.append(table.assign(epoch=table["step"] * epochs // length))
    return pd.concat(tables, ignore_index=True)


def train_runs(
    runs: Sequence[Run],
    seeds: int,
    *,
    steps: int,
    at: Sequence[int] = (),
    dtype: torch.dtype = torch.float64,
) -> pd.DataFrame:
    """Train each run with the seeds 0 … seeds − 1, all members in lockstep.

    The runs must have one batch size and one width. Returns a row a run, seed and named step: see
    `measure`. The last step's rows also carry exact counts of pieces and sign changes.
    """
    members = [(run, seed) for run in runs for seed in range(seeds)]
    if len({(run.batch, run.width) for run in runs}) != 1:
        raise ValueError("runs in lockstep need one batch size and one width: split the call")
    sets = [
        run.problem.sample(
            run.samples, run.second, torch.Generator().manual_seed(TRAINING_SEED + seed)
        )
        for run, seed in members
    ]

    def observe(step: int, ensemble: shallow.Ensemble) -> pd.DataFrame:
        table = measure(members, ensemble, sets)
        if step == steps:
            table = table.join(count_pieces(members, ensemble))
        return table.assign(step=step)

    tables = shallow.train(
        shallow.glorot([seed for _, seed in members], 2, runs[0].width, dtype=dtype),
        shallow.make_batches(sets, runs[0].batch, dtype=dtype),
        seeds=[2 * TRAINING_SEED + seed for _, seed in members],
        steps=steps,
        observe=observe,
        at=at,
    )
    return pd.concat(tables, ignore_index=True)


def measure(
    members: Sequence[tuple[Run, int]],
    ensemble: shallow.Ensemble,
    sets: Sequence[tuple[torch.Tensor, torch.Tensor]],
) -> pd.DataFrame:
    """One row a member: run, seed, δ, training loss, accuracies, largest weight on x₂.

    Accuracies are shares of correct labels (f_a) on a grid in S_ε with the hint (`hint`), with
    x₂ = 0 (`zero`), with the wrong hint (`swapped`), and with x₂ = 0 on all of [b, 1] (`whole`).
    """
    rows = []
    for member, (run, seed) in enumerate(members):
        one = shallow.Ensemble(ensemble.flat[member : member + 1], 2, run.width)
        x, y = sets[member]
        tests = {second: run.problem.grid(GRID, second) for second in ("hint", "zero", "swapped")}
        tests["whole"] = run.problem.whole_interval(GRID * len(run.problem.intervals))
        accuracy = {
            name: ((shallow.logits(one, tx)[0] > 0) == (ty > 0)).double().mean().item()
            for name, (tx, ty) in tests.items()
        }
        loss = shallow.cross_entropy(shallow.logits(one, x), y).item()
        rows.append(
            {"run": run.name, "seed": seed, "delta": run.problem.delta, "loss": loss, **accuracy}
            | {"weight_x2": one.hidden[0, 1].abs().max().item()}
        )
    return pd.DataFrame(rows)


def count_pieces(members: Sequence[tuple[Run, int]], ensemble: shallow.Ensemble) -> pd.DataFrame:
    """Exact counts along x₁ ∈ [b, 1] on the line x₂ = 0: `pieces` and `changes` of sign."""
    rows = []
    for member, (run, _) in enumerate(members):
        hidden = ensemble.hidden[member].double()
        network = relu.from_floats(
            hidden[:-1].T.tolist(),
            hidden[-1].tolist(),
            ensemble.output[member].tolist(),
            ensemble.bias[member].item(),
        ).along_first([Fraction(0)])
        low, high = Fraction(run.problem.a, run.problem.K + 1), Fraction(1)
        rows.append(
            {
                "pieces": relu.pieces(network, low, high),
                "changes": relu.sign_changes(network, low, high),
            }
        )
    return pd.DataFrame(rows)
