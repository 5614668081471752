"""Waves seen by an instrument that samples: two worlds that it can't tell apart at one rate.

In the fast world a signal of label y goes n − k_y times through its period in a unit of time, in
the slow world k_y times. Sampled n times a unit, both give the same numbers (chapter 12).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import pandas as pd
import torch
from torch import Tensor

World = Literal["fast", "slow"]
WORLDS: tuple[World, ...] = get_args(World)
Set = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Waves:
    """A wave of one of two frequencies and any phase, an offset, and noise.

    Attributes:
        samples: Numbers in an input, and the rate (samples a unit of time) of the usual instrument.
        periods: k_0 and k_1: periods a unit of the slow waves of the two labels.
        offset, noise: Standard deviations of what all samples share and of what each has alone; the
            wave's amplitude is 1.
    """

    samples: int = 64
    periods: tuple[int, int] = (3, 2)
    offset: float = 0.5
    noise: float = 0.3

    def __post_init__(self) -> None:
        low, high = sorted(self.periods)
        if not 0 < low < high < self.samples / 2:
            raise ValueError(
                f"periods are {self.periods}; expected two different numbers above 0 and below "
                f"{self.samples / 2:g}, half the samples"
            )

    def frequencies(self, world: World) -> tuple[int, int]:
        """Periods a unit of the waves of label 0 and of label 1."""
        first, second = self.periods
        return (first, second) if world == "slow" else (self.samples - first, self.samples - second)

    @property
    def exchanging(self) -> int:
        """The rate at which fast waves are the slow ones of the other label."""
        return self.samples - sum(self.periods)

    @property
    def midway(self) -> float:
        """The rate at which fast waves of both labels show the same periods."""
        return (self.samples + self.exchanging) / 2

    def draw(
        self, count: int, rate: float | Sequence[float], world: World, generator: torch.Generator
    ) -> Set:
        """Inputs (count, samples) and labels 0 or 1 (count,), float64.

        The same generator gives the same labels, offsets and noise in both worlds, and opposite
        phases: so at the usual rate it gives the same inputs.

        Args:
            rate: Samples a unit of time, above 0; of several, signals take turns in them.

        Raises:
            ValueError: a rate is not above 0.
        """
        given = [rate] if isinstance(rate, (int, float)) else list(rate)
        rates = torch.tensor(given, dtype=torch.float64)
        if not (rates > 0).all():
            raise ValueError(f"rate is {rate}; expected numbers above 0")
        y = torch.randint(2, (count,), generator=generator)
        phase = torch.rand(count, 1, generator=generator, dtype=torch.float64)
        offset = torch.randn(count, 1, generator=generator, dtype=torch.float64)
        noise = torch.randn(count, self.samples, generator=generator, dtype=torch.float64)
        each = rates[torch.arange(count) % len(rates)]
        time = torch.arange(self.samples, dtype=torch.float64) / each[:, None]
        own = torch.tensor(self.frequencies(world), dtype=torch.float64)[y]
        turns = own[:, None] * time + (phase if world == "fast" else -phase)
        x = torch.cos(2 * math.pi * turns) + self.offset * offset + self.noise * noise
        return x, y.double()


def pictures(rates: Sequence[float], *, until: float = 0.22) -> pd.DataFrame:
    """A wave of each world, label 0: panel (the rate), world, what (wave, sample), time, value.

    Args:
        rates: Samples a unit of time, a panel each.
        until: Time at which pictures end.
    """
    parts = list[pd.DataFrame]()
    for rate, (world, phase) in product(rates, zip(WORLDS, (0.125, -0.125), strict=True)):
        times = {"wave": torch.linspace(0, until, 800), "sample": torch.arange(0, until, 1 / rate)}
        for what, time in times.items():
            turns = Waves().frequencies(world)[0] * time.double() + phase
            own = {"time": time.tolist(), "value": torch.cos(2 * math.pi * turns).tolist()}
            parts.append(pd.DataFrame(own).assign(panel=f"{rate:g}", world=world, what=what))
    return pd.concat(parts, ignore_index=True)


def apparent(rates: Sequence[float]) -> pd.DataFrame:
    """Periods that a wave shows in an input, without a sign: world, label, rate, periods.

    An instrument sees a frequency less the nearest multiple of its rate.
    """
    waves, rows = Waves(), []
    for world, label, rate in product(WORLDS, (0, 1), rates):
        turns = waves.frequencies(world)[label] / rate  # a sample
        seen = waves.samples * abs(turns - round(turns))
        rows.append({"world": world, "label": label, "rate": float(rate), "periods": seen})
    return pd.DataFrame(rows)


def moved_by(rate: float, generator: torch.Generator, *, count: int = 1_000) -> float:
    """How far a fast wave's samples move when the rate changes, over their norm: mean of many."""
    silent, state = Waves(offset=0.0, noise=0.0), generator.get_state()
    before = silent.draw(count, silent.samples, "fast", generator)[0]
    after = silent.draw(count, rate, "fast", generator.set_state(state))[0]
    return float(((after - before).norm(dim=1) / before.norm(dim=1)).mean())
