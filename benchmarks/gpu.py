"""The same ensembles on a CUDA GPU and on the processor: `python -m benchmarks.gpu`.

Losses must agree within `training.TOLERANCE` after `training.TOLERANCE_STEPS` steps; then both are
timed, in alternation. Prints a table and leaves JSON under _build. Ends with 1 where there is no
GPU, or where losses differ by more. No part of `make bench`.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.measure import RUNS, Way, compare
from benchmarks.training import MEMBERS, SEEDS, SMALL, UNIT, batch_of, data_of
from falsestruct.learning import training
from falsestruct.learning.networks import MLP, PAPER, Architecture
from falsestruct.learning.training import TOLERANCE, TOLERANCE_STEPS, Schedule, Trained
from falsestruct.press.paths import write_atomically

RESULT = Path("_build/benchmarks-gpu.json")


@dataclass(frozen=True)
class Case:
    """An ensemble, and how many steps of it are timed."""

    architecture: Architecture
    members: int
    steps: int

    def train(self, device: str, dtype: torch.dtype, steps: int) -> Trained:
        """Train it on a device; the result is on the processor, so all work is done by then."""
        schedule = Schedule(steps, batch=batch_of(self.architecture))
        data, seeds = data_of(self.architecture), range(self.members)
        return training.train(
            self.architecture, data, seeds, schedule, dtype=dtype, device=device
        )  # fmt: skip

    def way(self, device: str, dtype: torch.dtype) -> Way:
        """A way to train it; its work is networks × steps."""

        def run() -> float:
            self.train(device, dtype, self.steps)
            return float(self.members * self.steps)

        return run


CASES = (Case(SMALL, MEMBERS, 300), Case(MLP, SEEDS, 100), Case(PAPER, SEEDS, 10))


@dataclass(frozen=True)
class Row:
    """One ensemble on two devices.

    Attributes:
        difference: Largest relative difference of a member's losses on the two devices.
        steps: After so many steps.
        allowed: What `difference` may be.
        fast, slow: Networks × steps per second on the first and on the second device, medians.
        ratio, lowest, highest: fast/slow, median and range over alternating runs.
    """

    architecture: str
    members: int
    dtype: str
    difference: float
    steps: int
    allowed: float
    fast: float
    slow: float
    ratio: float
    lowest: float
    highest: float

    @property
    def agrees(self) -> bool:
        """Whether the losses agree; NaN doesn't."""
        return self.difference <= self.allowed


def measure(
    case: Case,
    devices: tuple[str, str],
    dtype: torch.dtype,
    *,
    steps: int = TOLERANCE_STEPS,
    runs: int = RUNS,
) -> Row:
    """Compare the losses of an ensemble on two devices, then time both."""
    here, there = (case.train(device, dtype, steps).loss for device in devices)
    seen = compare(devices, tuple(case.way(d, dtype) for d in devices), unit=UNIT, runs=runs)  # type: ignore[arg-type]
    return Row(
        case.architecture.name, case.members, str(dtype).removeprefix("torch."),
        difference(here, there), steps, TOLERANCE[dtype],
        seen.fast, seen.slow, seen.ratio, seen.lowest, seen.highest,
    )  # fmt: skip


def difference(losses: torch.Tensor, reference: torch.Tensor) -> float:
    """The largest of |losses − reference|/|reference|, both (members,)."""
    return ((losses - reference).abs() / reference.abs()).max().item()


def report(rows: Sequence[Row], device: str) -> dict[str, object]:
    """Print the table; returns what is kept."""
    table = Table("architecture", "members", "dtype", "difference", "GPU / processor", "range")
    for row in rows:
        sign = "≤" if row.agrees else "NOT ≤"
        table.add_row(
            row.architecture, str(row.members), row.dtype,
            f"{row.difference:.1e} {sign} {row.allowed:g} after {row.steps} steps",
            f"{row.ratio:.2f}×", f"{row.lowest:.3g}–{row.highest:.3g}",
        )  # fmt: skip
    Console(width=None if Console().is_terminal else 140).print(table)
    about = {"device": device, "processor": platform.processor() or platform.machine()}
    about |= {"threads": str(torch.get_num_threads()), "torch": torch.__version__}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    return {"about": about, "rows": [asdict(row) | {"agrees": row.agrees} for row in rows]}


def main() -> None:
    """Measure every case in both precisions."""
    if not torch.cuda.is_available():
        print("no CUDA GPU is here: nothing to compare the processor with")
        raise typer.Exit(1)
    rows = []
    for case in CASES:
        for dtype in TOLERANCE:
            print(f"measuring: {case.architecture.name}, {dtype}", flush=True)
            rows.append(measure(case, ("cuda", "cpu"), dtype))
    kept = json.dumps(report(rows, torch.cuda.get_device_name()), indent=1) + "\n"
    write_atomically(RESULT, kept)
    print(kept)
    if not all(row.agrees for row in rows):
        print("losses differ by more than is allowed: the ratios mean nothing")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
