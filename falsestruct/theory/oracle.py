"""Algorithms that read a matrix digit by digit: what they can be sure of, and how often.

The model of chapter 11. Nobody hands out a matrix; sample m of it is a matrix at most 2⁻ᵐ away, in
the operator norm. An algorithm asks for samples, with or without coins, and has to halt. The
matrices are those of `barrier`, seen through the two entries of the first row: they are equal in
the limit, and in the pair that *parts* at sample n one of them is larger by 2⁻ⁿ. Samples before n
show the limit. All numbers are rational; the irrational entry is taken to sixty digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pandas as pd

from falsestruct.theory import barrier
from falsestruct.theory.barrier import Cell

HALF = Fraction(1, 2)

# Probability that an algorithm reads as far as sample n = 1, 2, …, if it saw no difference before.
Reading = Callable[[int], Fraction]


def geometric(n: int) -> Fraction:
    """Heads or tails before every further sample: 2¹⁻ⁿ."""
    return Fraction(1, 2 ** (n - 1))


def harmonic(n: int) -> Fraction:
    """1/n: the chance falls slowly, and the mean number of samples is infinite."""
    return Fraction(1, n)


def until(last: int) -> Reading:
    """All samples up to this one, and no further."""
    return lambda n: Fraction(int(n <= last))


def endless(n: int) -> Fraction:
    """Waits for a difference, however long: it never halts where there is none."""
    return Fraction(1)


@lru_cache(maxsize=1024)
def _row(digits: int, precision: int, larger: int) -> tuple[Fraction, ...]:
    return tuple(barrier.row(Cell(digits, precision), larger, Fraction))


@dataclass
class Samples:
    """Samples of one matrix, and how many were asked for.

    Attributes:
        digits: K: the minimisers of the pair are about 3·10⁻ᴷ apart.
        part: The sample from which on the entries differ; None: the limit, they never do.
        larger: Place of the larger entry, 0 or 1; without meaning in the limit.
        read: The largest sample that was asked for.
    """

    digits: int
    part: int | None
    larger: int = 0
    read: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.part is not None and self.part < 1:
            raise ValueError(f"part is {self.part}; expected at least 1, or None for the limit")

    @property
    def limit(self) -> Fraction:
        """The entry that both places have in the limit, about √2·10ᴷ/3."""
        return min(_row(self.digits, 0, 0))

    @property
    def entries(self) -> list[Fraction]:
        """The two entries themselves, which no algorithm may read."""
        if self.part is None:
            return [self.limit] * barrier.BLOCK
        return list(_row(self.digits, self.part - 1, self.larger))

    def sample(self, m: int) -> list[Fraction]:
        """Sample m = 1, 2, …: the two entries of a matrix at most 2⁻ᵐ away."""
        if m < 1:
            raise ValueError(f"the sample is {m}; expected 1, 2, …")
        self.read = max(self.read, m)
        hidden = self.part is None or m < self.part
        return [self.limit] * barrier.BLOCK if hidden else self.entries


def decide(samples: Samples, m: int, *, tie: int, margin: Fraction | int = 0) -> int:
    """The place of the larger entry by sample m; `tie` if they differ by no more than a margin.

    Args:
        margin: 0 for samples that keep the order, as those here; 2¹⁻ᵐ makes it certain for all.
    """
    first, second = samples.sample(m)
    return tie if abs(first - second) <= margin else int(second > first)


def chance(reading: Reading, part: int, larger: int, *, heads: Fraction = HALF) -> Fraction:
    """Probability of naming the larger entry, exactly: `decide` for every number of samples.

    From the sample on at which the entries part all samples say the same, so they are asked once.

    Args:
        heads: Probability of the answer 0 where the sample shows no difference.
    """
    total = Fraction(0)
    for m in range(1, part + 1):
        weight = reading(m) - (reading(m + 1) if m < part else 0)
        for tie, probability in ((0, heads), (1, 1 - heads)):
            right = decide(Samples(1, part, larger), m, tie=tie) == larger
            total += weight * probability * right
    return total


def worse(reading: Reading, part: int, *, heads: Fraction = HALF) -> Fraction:
    """The smaller of the chances on the two matrices that part there."""
    return min(chance(reading, part, larger, heads=heads) for larger in (0, 1))


def bound(reading: Reading, part: int) -> Fraction:
    """What `worse` is at most for any algorithm that reads so: ½ + ½ P(it reads so far)."""
    return HALF + HALF * reading(part)


@dataclass(frozen=True)
class Reader:
    """An algorithm of `decide`: how far it reads, and what it answers where it sees no difference.

    Attributes:
        reading: The law of its number of samples.
        heads: Probability of the answer 0 without a difference.
        halts: Does it halt on the limit, too? If not it is measured by one that gives up at 40.
    """

    reading: Reading
    heads: Fraction = HALF
    halts: bool = True


READERS = {
    "geometric": Reader(geometric),
    "harmonic": Reader(harmonic),
    "always twenty": Reader(until(20)),
    "geometric, no coin": Reader(geometric, Fraction(1)),
    "until they part, at most forty": Reader(until(40)),
    "until they part": Reader(endless, halts=False),
}


def table(last: int, *, played: int = 0, runs: int = 1000) -> pd.DataFrame:
    """What each reader can do on the pairs that part at the samples 1 to `last`.

    Args:
        played: Up to this sample the first reader really tosses coins, in so many runs.

    Returns:
        A row a reader and pair: reader, halts, part, worse, excess (of that over one half), over
        (its excess over the bound, 0 or less), played (share of the real runs that are right, on
        the matrix whose second entry is larger; NaN without runs).
    """
    rows = []
    for name, reader in READERS.items():
        law = reader.reading if reader.halts else until(40)
        for part in range(1, last + 1):
            least, share = worse(reader.reading, part, heads=reader.heads), math.nan
            if name == next(iter(READERS)) and part <= played:
                share = play(reader.reading, part, 1, times=runs, seed=1000 + part)
            rows.append({
                "reader": name, "halts": reader.halts, "part": part, "worse": float(least),
                "excess": float(least - HALF), "over": float(least - bound(law, part)),
                "played": share,
            })  # fmt: skip
    return pd.DataFrame(rows)


def play(reading: Reading, part: int, larger: int, *, times: int, seed: int) -> float:
    """Share of independent runs, with real coins, that name the larger entry.

    Args:
        reading: Of an algorithm that halts within 10⁵ samples nearly always; it stops there.
    """
    generator, right = np.random.default_rng(seed), 0
    for _ in range(times):
        m, coin = 1, generator.random()
        while m < 10**5 and coin < reading(m + 1):
            m += 1
        tie = int(generator.random() < 0.5)
        right += decide(Samples(1, part, larger), m, tie=tie) == larger
    return right / times


def family(digits: int, last: int) -> list[Samples]:
    """A class of inputs with three thresholds, those that part up to sample `last`.

    The pairs of K = `digits` with their limit, and those of K − 1 without.

    Raises:
        ValueError: K is below 2.
    """
    if digits < 2:
        raise ValueError(f"K is {digits}; expected at least 2")
    pairs = [
        Samples(own, part, larger)
        for own in (digits, digits - 1) for part in range(1, last + 1) for larger in (0, 1)
    ]  # fmt: skip
    return [*pairs, Samples(digits, None)]


def single(samples: Samples, digits: int) -> list[Fraction]:
    """K − 2 digits of the minimiser from one sample: the midpoint of the pair that it shows."""
    return [1 / (2 * _limit(samples, digits))] * barrier.BLOCK


def patient(samples: Samples, digits: int) -> list[Fraction]:
    """K − 1 digits: the midpoint for the pairs of K; for those of K − 1, read until they part."""
    entry = _limit(samples, digits)
    if entry == Samples(digits, None).limit:
        return [1 / (2 * entry)] * barrier.BLOCK
    m = 1
    while len(set(samples.sample(m))) == 1:
        m += 1
    return barrier.minimiser(samples.sample(m))


def _limit(samples: Samples, digits: int) -> Fraction:
    """The limit of the pair, of two possible ones, that the first sample belongs to."""
    limits = [Samples(own, None).limit for own in (digits, digits - 1)]
    first = min(samples.sample(1))
    return min(limits, key=lambda limit: abs(limit - first))


def error(samples: Samples, answer: list[Fraction]) -> float:
    """Euclidean distance of an answer to the nearest minimiser; in the limit they are a segment."""
    entries = samples.entries
    if samples.part is None:
        first, second = (value * entry for value, entry in zip(answer, entries, strict=True))
        t = min(max((1 + first - second) / 2, Fraction(0)), Fraction(1))
        best = [t / entries[0], (1 - t) / entries[1]]
    else:
        best = barrier.minimiser(entries)
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(answer, best, strict=True)))


def promises(several: Sequence[int], last: int) -> pd.DataFrame:
    """Worst errors over the `family` of each K, in units of what is promised and of a digit more.

    Returns:
        A row a K: K, patient and single in units of 10¹⁻ᴷ and 10²⁻ᴷ; patient more and single more,
        in a tenth of these; samples, the most that the patient one asked for.
    """
    return pd.DataFrame([{"K": digits} | _worst(digits, last) for digits in several])


def _worst(digits: int, last: int) -> dict[str, float]:
    """A row of `promises`."""
    worst, most = {"patient": 0.0, "single": 0.0}, 0
    for member in family(digits, last):
        worst["patient"] = max(worst["patient"], error(member, patient(member, digits)))
        most = max(most, member.read)
        worst["single"] = max(worst["single"], error(member, single(member, digits)))
    units = {"patient": 10.0 ** (1 - digits), "single": 10.0 ** (2 - digits)}
    found = {name: value / units[name] for name, value in worst.items()}
    return found | {f"{name} more": 10 * value for name, value in found.items()} | {"samples": most}
