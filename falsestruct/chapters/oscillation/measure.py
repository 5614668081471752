"""The oscillation experiment, live: the four runs, the flip, and how small the hint may be.

Everything that a recorded run depends on is in `oscillation_runs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.chapters.oscillation import runs as oscillation_runs
from falsestruct.chapters.oscillation.runs import GRID, TRAINING_SEED, Run
from falsestruct.learning import shallow
from falsestruct.problems.oscillation import Oscillation
from falsestruct.sweep.grid import sweep

SEVEN_WITHOUT = Run("036 without hint", 7, "zero", batch=7)
NOISE_SEED = 30_000


Member = tuple[Run, int, bool]  # run, seed, and whether x₂ is noise in training (the control)


def train(
    runs: Sequence[Run],
    seeds: int,
    *,
    steps: int,
    at: Sequence[int] = (),
    controls: Sequence[Run] = (),
    block: int = 100,
) -> pd.DataFrame:
    """Train the runs with the seeds 0 … seeds − 1: a row a network and step looked at.

    Columns: those of `oscillation_runs.measure`, noise, step, `captured` (`add_captured`); at the
    last step also `pieces`, `changes` and those of `flips`.

    Args:
        controls: Runs to train with noise: x₂ is 0 or δ independently of the label, in training
            only.
        block: Networks in lockstep, a point of the sweep. More of them train faster on one core,
            fewer spread over more cores.
    """
    members = [
        {"run": asdict(run), "seed": seed, "noise": noise}
        for group, noise in ((runs, False), (controls, True))
        for run in group
        for seed in range(seeds)
    ]
    common = {"steps": steps, "at": list(at)}
    grid = [{"members": members[i : i + block]} | common for i in range(0, len(members), block)]
    return sweep(point, grid).drop(columns="steps")


def point(*, members: Sequence[Mapping[str, Any]], steps: int, at: Sequence[int]) -> pd.DataFrame:
    """One point of `train`: some networks in lockstep."""
    chosen = [(_run(entry["run"]), entry["seed"], entry["noise"]) for entry in members]
    table, ensemble = train_members(chosen, steps=steps, at=at)
    pairs = [(run, seed) for run, seed, _ in chosen]
    ends = oscillation_runs.count_pieces(pairs, ensemble).join(flips(chosen, ensemble))
    return table.join(ends.set_index(table.index[table["step"] == steps]))


def _run(fields: Mapping[str, Any]) -> Run:
    return Run(**{**fields, "problem": Oscillation(**fields["problem"])})


def train_members(
    members: Sequence[Member], *, steps: int, at: Sequence[int] = ()
) -> tuple[pd.DataFrame, shallow.Ensemble]:
    """As `oscillation_runs.train_runs`, without counting pieces, and the networks themselves.

    On `shallow`, as the recorded run: a seed means the same network there and here.
    """
    sets = [training_set(run, seed, noise=noise) for run, seed, noise in members]
    pairs, first = [(run, seed) for run, seed, _ in members], members[0][0]
    noises = [noise for _, _, noise in members]

    def observe(step: int, ensemble: shallow.Ensemble) -> tuple[pd.DataFrame, shallow.Ensemble]:
        table = oscillation_runs.measure(pairs, ensemble, sets).assign(noise=noises, step=step)
        return add_captured(table), ensemble.clone()

    seen = shallow.train(
        shallow.glorot([seed for _, seed in pairs], 2, first.width),
        shallow.make_batches(sets, first.batch),
        seeds=[2 * TRAINING_SEED + seed for _, seed in pairs],
        steps=steps,
        observe=observe,
        at=at,
    )
    return pd.concat([table for table, _ in seen], ignore_index=True), seen[-1][1]


def training_set(run: Run, seed: int, *, noise: bool = False) -> tuple[Tensor, Tensor]:
    """The training set of one member: inputs (samples, 2), labels (samples,)."""
    generator = torch.Generator().manual_seed(TRAINING_SEED + seed)
    x, y = run.problem.sample(run.samples, run.second, generator)
    if noise:
        coin = torch.Generator().manual_seed(NOISE_SEED + seed)
        x[:, 1] = run.problem.delta * (torch.rand(len(x), generator=coin) < 0.5).double()
    return x, y


def add_captured(table: pd.DataFrame) -> pd.DataFrame:
    """Add `captured`: with the wrong hint in x₂ a network sides with the hint or with f_a."""
    # Rounded: the record's decimals and a float's last bit should not make two numbers of one.
    return table.assign(captured=(1 - table["swapped"]).round(12))


def flips(members: Sequence[Member], ensemble: shallow.Ensemble) -> pd.DataFrame:
    """Shares of test points whose label a perturbation of size δ changes: one row a network.

    `flip_hint`: by (0, ±δ), the sign against the hint. `flip_away`: by the same with the other
    sign, away from the hint's boundary. `flip_original`: by (±δ, 0), the worse sign.
    """
    rows = []
    for member, (run, _, _) in enumerate(members):
        one = shallow.Ensemble(ensemble.flat[member : member + 1], 2, run.width)
        x, _ = run.problem.grid(GRID, "hint")
        swapped, _ = run.problem.grid(GRID, "swapped")
        across, aside = swapped - x, torch.tensor([run.problem.delta, 0.0]).double()
        before = success.labels(shallow.logits(one, x))
        share = {
            name: (success.labels(shallow.logits(one, x + eta)) != before).double().mean().item()
            for name, eta in (("hint", across), ("away", -across), ("up", aside), ("down", -aside))
        }
        along = {"flip_hint": share["hint"], "flip_away": share["away"]}
        rows.append(along | {"flip_original": max(share["up"], share["down"])})
    return pd.DataFrame(rows)


def at_steps(table: pd.DataFrame, run: str, step: int) -> pd.DataFrame:
    """The rows of one run at one step.

    Raises:
        ValueError: the run was not looked at then.
    """
    rows = table[(table["run"] == run) & (table["step"] == step)]
    if rows.empty:
        steps = sorted(set(table[table["run"] == run]["step"].tolist()))
        raise ValueError(f"run {run!r} was not looked at in step {step}; expected one of {steps}")
    return rows


def sweep_delta(
    deltas: Sequence[float], seeds: int, *, steps: int, block: int = 100
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run 030 at every δ, and the control at the last: the rows of the last step of each."""
    runs = [oscillation_runs.RUNS[0].with_delta(delta) for delta in deltas]
    table = train(runs, seeds, steps=steps, controls=[runs[-1]], block=block)
    return table[~table["noise"]], table[table["noise"]]


def final(table: pd.DataFrame) -> pd.DataFrame:
    """Each run's rows of its last step."""
    return table[table["step"] == table.groupby("run")["step"].transform("max")]
