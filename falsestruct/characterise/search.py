"""Which simple statistic of the input does a trained network follow? A search, and its level.

The search knows the network's labels on some inputs and nothing else. It is only worth something on
inputs on which the candidates are decoupled: `decoupled` makes them from a planted problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from falsestruct import statistics
from falsestruct.problems.planted import Planted
from falsestruct.statistics import Estimate

NONE = "none of these"
FLOOR = 0.9  # balanced accuracy that a statistic must reach to be named
LEVEL = 0.05  # of the test, over the whole library
COLLINEAR = 0.95  # |correlation| from which two statistics are one
Z = 1.96  # standard errors within which two statistics predict equally well
FEWEST = 10  # inputs with either label in either half; with fewer there is nothing to read
FREQUENCIES = 4  # periods across an image, at most
WAVES = 40  # ⌈a/x⌉ mod 2 for a = 1 … WAVES
GRAIN = 0.05  # of images; pixels span about 1
PART = 500  # held-out inputs at once: a pool may be small, and is then used several times
CHUNK = 2**20  # numbers at once: more is slower, and takes memory
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Library:
    """Statistics of inputs, simple ones first.

    Attributes:
        names: Of each.
        values: (statistics, samples), float64, each with more than one value.
    """

    names: tuple[str, ...]
    values: Tensor

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.names) != len(self.values):
            raise ValueError(
                f"{len(self.names)} names for values of shape {tuple(self.values.shape)}; expected "
                "(statistics, samples) and a name each"
            )
        if not self.values.isfinite().all():
            bad = (~self.values.isfinite()).any(1).nonzero().flatten().tolist()
            raise ValueError(f"not finite: {', '.join(self.names[i] for i in bad[:5])}")

    def __len__(self) -> int:
        return len(self.names)


def library(x: Tensor) -> Library:
    """The statistics of images (samples, rows, columns) or vectors (samples, coordinates).

    Images: mean, contrast, median, extremes, orientation (largest mean of a band of rows less that
    of a band of columns), edges, halves, quadrants, rows, columns, bands, pixels, and low Fourier
    bins with the image's centre as origin (even part, odd part, size). Vectors: coordinates,
    products, and ⌈a/x⌉ mod 2. A statistic that is the same on all inputs is left out.

    Raises:
        ValueError: x has another shape, or is not finite.
    """
    if x.ndim not in (2, 3) or not len(x):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected vectors (samples, coordinates) or images "
            "(samples, rows, columns)"
        )
    if not x.isfinite().all():
        raise ValueError(f"x has {int((~x.isfinite()).sum())} values that are not finite")
    source = _of_images if x.ndim == 3 else _of_vectors
    named = {name: value for name, value in source(x.double()) if _varies(value)}
    if not named:
        raise ValueError("no statistic of x varies: give inputs that differ")
    return Library(tuple(named), torch.stack(list(named.values())))


def _varies(value: Tensor) -> bool:
    scale = value.abs().max().item()
    return bool(value.max() - value.min() > 1e-12 * max(scale, 1e-300))


def _of_vectors(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    names = [f"x{i + 1}".translate(_SUBSCRIPTS) for i in range(x.shape[1])]
    yield from zip(names, x.T, strict=True)
    for i, name in enumerate(names):
        yield f"{name}²", x[:, i] ** 2
    for i, j in combinations(range(len(names)), 2):
        yield f"{names[i]}·{names[j]}", x[:, i] * x[:, j]
    for i, name in enumerate(names):
        inverse = torch.where(x[:, i] == 0, 0.0, 1 / x[:, i])
        for a in range(1, WAVES + 1):
            yield f"⌈{a}/{name}⌉ mod 2", torch.ceil(a * inverse) % 2


def _of_images(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Linear ones first, by the number of pixels that they look at; the mean needs no choice."""
    rows, columns, flat = x.mean(2), x.mean(1), x.flatten(1)
    width = max(1, x.shape[1] // 8), max(1, x.shape[2] // 8)
    bands = rows.unfold(1, width[0], 1).mean(2), columns.unfold(1, width[1], 1).mean(2)
    yield "mean", flat.mean(1)
    for i in range(x.shape[1]):
        yield from ((f"pixel ({i}, {j})", x[:, i, j]) for j in range(x.shape[2]))
    yield from ((f"row {i}", rows[:, i]) for i in range(rows.shape[1]))
    yield from ((f"column {j}", columns[:, j]) for j in range(columns.shape[1]))
    for word, band, size in zip(("rows", "columns"), bands, width, strict=True):
        if size > 1:
            places = range(band.shape[1])
            yield from ((f"{word} {i} to {i + size - 1}", band[:, i]) for i in places)
    yield from _parts(x)
    parts, sizes = _waves(x)
    yield from parts
    yield "contrast", flat.std(1)
    yield "median", flat.median(1).values
    yield "smallest pixel", flat.amin(1)
    yield "largest pixel", flat.amax(1)
    yield "orientation", bands[0].amax(1) - bands[1].amax(1)
    yield "largest band of rows", bands[0].amax(1)
    yield "largest band of columns", bands[1].amax(1)
    edges = x.diff(dim=1).abs().mean((1, 2)), x.diff(dim=2).abs().mean((1, 2))
    yield "edges from row to row", edges[0]
    yield "edges from column to column", edges[1]
    yield "edges, difference", edges[0] - edges[1]
    yield from sizes


def _parts(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Quadrants, halves, the middle."""
    i, j = x.shape[1] // 2, x.shape[2] // 2
    part = {
        "upper left": x[:, :i, :j],
        "upper right": x[:, :i, j:],
        "lower left": x[:, i:, :j],
        "lower right": x[:, i:, j:],
    }
    mean = {name: quadrant.mean((1, 2)) for name, quadrant in part.items()}
    yield from ((f"{name} quadrant", value) for name, value in mean.items())
    middle = x[:, i // 2 : i // 2 + i, j // 2 : j // 2 + j].mean((1, 2))
    yield "middle", middle
    yield "middle less all", middle - x.mean((1, 2))
    yield "upper less lower half", x[:, :i].mean((1, 2)) - x[:, i:].mean((1, 2))
    yield "left less right half", x[:, :, :j].mean((1, 2)) - x[:, :, j:].mean((1, 2))
    yield (
        "one diagonal less the other",
        mean["upper left"] + mean["lower right"] - mean["upper right"] - mean["lower left"],
    )


def _waves(x: Tensor) -> tuple[list[tuple[str, Tensor]], list[tuple[str, Tensor]]]:
    """Fourier bins of at most `FREQUENCIES` periods, one of k and −k: their parts, their sizes."""
    height, width = x.shape[1:]
    rows = torch.arange(height, dtype=x.dtype) - (height - 1) / 2
    columns = torch.arange(width, dtype=x.dtype) - (width - 1) / 2
    highest = min(FREQUENCIES, height // 2), min(FREQUENCIES, width // 2)
    parts, sizes = [], []
    for k in range(highest[0] + 1):
        for m in range(-highest[1] if k else 1, highest[1] + 1):
            angle = 2 * math.pi * (k * rows[:, None] / height + m * columns / width)
            even, odd = (x * angle.cos()).mean((1, 2)), (x * angle.sin()).mean((1, 2))
            parts += [(f"Fourier ({k}, {m}), even", even), (f"Fourier ({k}, {m}), odd", odd)]
            sizes.append((f"Fourier ({k}, {m}), size", torch.hypot(even, odd)))
    return parts, sizes


def decoupled(
    problem: Planted, samples: int, generator: torch.Generator, *, reach: float = 1.0
) -> Tensor:
    """Inputs (samples, …) on which the planted structure says nothing about the original one.

    Held-out inputs whose false structure is right on every second one (ρ = ½). Then the component
    along the false structure is multiplied by a number between 0 and 2·reach, so that it has all
    sizes, those of the data in the middle; and images get a grain, normal noise of size `GRAIN` on
    pixels, on rows and on columns, so that neighbours and extremes don't go together either.

    Raises:
        ValueError: the reach is not positive, or the problem plants nothing.
    """
    return probes(problem, samples, generator, reach=reach)[0]


def probes(
    problem: Planted, samples: int, generator: torch.Generator, *, reach: float = 1.0
) -> tuple[Tensor, Tensor]:
    """What `decoupled` gives, and of each input which held-out one it was made from, (samples,).

    A pool may be small: 1,500 inputs of stripes come from sixty images. Inputs of one image are no
    independent draws, so `Search` takes these numbers.

    Raises:
        ValueError: as `decoupled`.
    """
    if not (math.isfinite(reach) and reach > 0):
        raise ValueError(f"reach is {reach}; expected a finite number > 0")
    if not problem.strength > 0:
        raise ValueError(f"strength is {problem.strength}; expected > 0: nothing is planted")
    sizes = [min(PART, samples - start) for start in range(0, samples, PART)]
    x = torch.cat([problem.draw(n, generator, rho=0.5, held_out=True)[0] for n in sizes])
    component = x.flatten(1) @ problem.direction.flatten() - problem.level
    # Without the pattern, inputs of one image are the same but for rounding.
    plain = x.flatten(1) - component[:, None] * problem.direction.flatten()
    base = torch.unique(plain.mul(1e6).round(), dim=0, return_inverse=True)[1]
    factor = 2 * reach * torch.rand(samples, dtype=x.dtype, generator=generator)
    change = ((factor - 1) * component).view(-1, *[1] * (x.ndim - 1))
    moved = x + change * problem.direction
    if x.ndim == 3:
        rows, columns = (samples, x.shape[1], 1), (samples, 1, x.shape[2])
        for shape in (x.shape, rows, columns):
            moved += GRAIN * torch.randn(shape, dtype=x.dtype, generator=generator)
    return moved, base


@dataclass(frozen=True)
class Reading:
    """What the search found.

    Attributes:
        named: The statistic that the labels follow, or "none of these".
        best: The statistic that predicts best; empty if there was nothing to predict.
        score: Balanced accuracy of its threshold rule on the half it was not fitted on.
        p: Probability of so good a best score if labels had nothing to do with inputs, at most.
        p_single: The least p-value of a statistic by itself, which forgets how many there are.
        group: Statistics that go together with the best one: |correlation| above .95.
        ties: Others that predict as well as the best one, within 1.96 standard errors over the
            inputs' origins.
        runner_up: The best statistic outside of the group.
        lead: How much better the best one is, in balanced accuracy, on the same inputs.
        threshold: Of the rule.
        above: The label that the rule gives above it, 0 or 1.
    """

    named: str
    best: str
    score: float
    p: float
    p_single: float
    group: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    runner_up: str = ""
    lead: Estimate | None = None
    threshold: float = math.nan
    above: int = 1

    @property
    def ahead(self) -> bool:
        """The runner-up is distinguishable: the interval of the lead lies above zero."""
        return self.lead is not None and self.lead.low > 0


class Search:
    """A library, cut in two halves and sorted once, for any number of networks."""

    def __init__(self, own: Library, *, base: Tensor | None = None, seed: int = 0) -> None:
        """Cut the inputs in two halves at random.

        Args:
            base: What each input was made from, (samples,), as `probes` says; all of one origin
                are in one half, and count once in an interval. None: each is its own.

        Raises:
            ValueError: there are fewer than 4·FEWEST inputs.
        """
        samples = own.values.shape[1]
        if samples < 4 * FEWEST:
            raise ValueError(f"{samples} inputs; expected at least {4 * FEWEST}")
        generator = torch.Generator().manual_seed(seed)
        self.library, self.seed = own, seed
        self.base = torch.arange(samples) if base is None else base
        self.fitted, self.judged = _halves(self.base, generator)
        values, self.sorted = own.values[:, self.fitted].sort(dim=1)
        nxt = torch.cat((values[:, 1:], values[:, -1:]), 1)
        self.cuts = nxt > values  # between equal values there is no threshold
        self.thresholds = (values + nxt) / 2
        judged, self.others = own.values[:, self.judged].sort(dim=1)
        self.places = torch.searchsorted(judged, self.thresholds, right=True)

    def read(self, labels: Tensor, *, permutations: int = 199) -> Reading:
        """Which statistic do these labels (samples,), 0 or 1, follow?

        A statistic's score is the balanced accuracy of the best threshold rule of the first half,
        sign included, on the second half. The p-value is that of the best score among its own under
        permuted labels (Westfall and Young's max-T; `permutations` of them): it holds for the whole
        library. A statistic is named if p ≤ .05 and the best score is at least .9. The name is
        that of the simplest, the first in the library, of those that correlate above .95 with the
        best one and predict as well. Where either half has fewer than ten inputs of a label,
        nothing is named.

        Raises:
            ValueError: labels of another shape or other than 0 and 1.
        """
        y = self._checked(labels)
        if self.scarce(y):
            return Reading(NONE, "", 0.5, 1.0, 1.0)
        score, fit, cut, sign = (part[0] for part in self._scores(y[None]))
        # Equal scores: the better fit, then the simpler statistic.
        winner = max(range(len(score)), key=lambda i: (float(score[i]), float(fit[i]), -i))
        gains = self._gains(y, cut, sign)
        gains = self._by_origin(gains)
        group, ties = self._group(winner), _ties(gains, winner)
        rest = score.clone()
        rest[group] = -1
        runner = int(rest.argmax())
        alone = bool(group.all())
        p, single = self._p(y, score, permutations)
        names = self.library.names
        first = int((group & ties).nonzero()[0])  # the winner ties with itself
        named = p <= LEVEL and float(score[winner]) >= FLOOR
        return Reading(
            names[first] if named else NONE,
            names[winner],
            float(score[winner]),
            p,
            single,
            tuple(names[i] for i in group.nonzero().flatten().tolist()),
            tuple(names[i] for i in (ties & ~group).nonzero().flatten().tolist()),
            "" if alone else names[runner],
            None if alone else statistics.mean((gains[winner] - gains[runner]).numpy()),
            float(self.thresholds[winner, cut[winner]]),
            int(sign[winner] > 0),
        )

    def scores(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Balanced accuracy of every statistic, (networks, statistics): held out, and as fitted.

        Args:
            labels: (networks, samples), 0 or 1.
        """
        score, fit, _, _ = self._scores(labels.float())
        return score, (1 + fit) / 2

    def _checked(self, labels: Tensor) -> Tensor:
        samples = self.library.values.shape[1]
        if labels.shape != (samples,):
            raise ValueError(f"labels have shape {tuple(labels.shape)}; expected ({samples},)")
        if not ((labels == 0) | (labels == 1)).all():
            raise ValueError("labels other than 0 and 1")
        return labels.float()

    def scarce(self, labels: Tensor) -> bool:
        """Either half has fewer than FEWEST inputs of a label."""
        counts = [
            int((labels[half] == label).sum())
            for half in (self.fitted, self.judged)
            for label in (0, 1)
        ]
        return min(counts) < FEWEST

    def _scores(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Score, fit, cut and sign, (networks, statistics) each."""
        size = max(1, CHUNK // self.sorted.numel())
        parts = [self._some(part) for part in labels.split(size)]
        score, fit, cut, sign = (torch.cat(column) for column in zip(*parts, strict=True))
        return score, fit, cut, sign

    def _some(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Youden's index J = TPR − FPR at every cut; balanced accuracy is (1 + J)/2."""
        first = labels[:, self.fitted]
        below = _sorted(first, self.sorted).cumsum_(-1)  # (networks, statistics, cuts)
        j = _youden(below, torch.arange(1, first.shape[1] + 1), first).mul_(self.cuts)
        cut = j.abs().argmax(-1, keepdim=True)
        best = j.gather(-1, cut)
        second = labels[:, self.judged]
        place = self.places.expand(len(labels), -1, -1).gather(-1, cut)
        ones = torch.nn.functional.pad(_sorted(second, self.others).cumsum_(-1), (1, 0))
        held = _youden(ones.gather(-1, place), place, second)
        score = (1 + best.sign() * held) / 2
        return score[..., 0], best.abs()[..., 0], cut[..., 0], best.sign()[..., 0]

    def _p(self, labels: Tensor, score: Tensor, permutations: int) -> tuple[float, float]:
        """p-value of the best score by max-T, and the least p-value of a statistic by itself."""
        if permutations < 1:
            raise ValueError(f"permutations is {permutations}; expected at least 1")
        generator = torch.Generator().manual_seed(self.seed + 1)
        draws = torch.rand(permutations, len(labels), generator=generator).argsort(1)
        null = self._scores(labels[draws])[0]
        # Single precision: equal scores may differ in the last digit, and a tie must count.
        least = score - 1e-6
        best = 1 + int((null.amax(1) >= least.max()).sum())
        single = 1 + int((null >= least).sum(0).min())
        return best / (1 + permutations), single / (1 + permutations)

    def _group(self, winner: int) -> Tensor:
        """Mask (statistics,) of those that go together with the winner."""
        centred = self.library.values - self.library.values.mean(1, keepdim=True)
        unit = centred / centred.norm(dim=1, keepdim=True)
        near = (unit @ unit[winner]).abs() > COLLINEAR
        near[winner] = True
        return near

    def _gains(self, labels: Tensor, cut: Tensor, sign: Tensor) -> Tensor:
        """What each judged input adds to each balanced accuracy: (statistics, judged)."""
        threshold = self.thresholds.gather(1, cut[:, None])
        above = self.library.values[:, self.judged] > threshold
        second = labels[self.judged]
        right = (above == (sign > 0)[:, None]) == (second > 0)
        share = torch.where(second > 0, second.mean(), 1 - second.mean())
        return right * (0.5 / share).double()

    def _by_origin(self, gains: Tensor) -> Tensor:
        """Means over the inputs of one origin, weighed by their number: (statistics, origins).

        Their plain mean is the balanced accuracy.
        """
        names, origin = torch.unique(self.base[self.judged], return_inverse=True)
        sums = torch.zeros(len(gains), len(names), dtype=gains.dtype).index_add_(1, origin, gains)
        return sums * (len(names) / len(origin))


def _halves(base: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs to fit on and to judge on, in a random order; no origin is in both."""
    names, origin = torch.unique(base, return_inverse=True)
    rank = torch.randperm(len(names), generator=generator)[origin]
    order = rank.argsort(stable=True)
    cut = int((rank < rank[order[len(base) // 2]]).sum())
    return order[:cut], order[cut:]


def _ties(gains: Tensor, winner: int) -> Tensor:
    """Mask (statistics,) of those that predict as well as the winner, origin by origin."""
    less = gains[winner] - gains
    error = less.std(1) / math.sqrt(less.shape[1])
    return less.mean(1) <= Z * error


def _sorted(labels: Tensor, order: Tensor) -> Tensor:
    """Labels (networks, samples) in each statistic's order (statistics, samples)."""
    return labels.index_select(1, order.flatten()).view(len(labels), *order.shape)


def _youden(below: Tensor, count: Tensor, labels: Tensor) -> Tensor:
    """J of the rule "1 above the cut": `below` ones among `count` samples that are not above it.

    Args:
        labels: (networks, samples) of the half.
    """
    ones = labels.sum(1).view(-1, 1, 1).clamp_min(1)
    zeros = (labels.shape[1] - labels.sum(1)).view(-1, 1, 1).clamp_min(1)
    return count / zeros - below * (1 / ones + 1 / zeros)


def characterise(
    predict: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    base: Tensor | None = None,
    extra: Sequence[tuple[str, Tensor]] = (),
    permutations: int = 199,
    seed: int = 0,
) -> Reading:
    """Which simple statistic does this network follow on these inputs?

    Args:
        predict: Maps inputs (samples, …) to labels (samples,), 0 or 1.
        x: Inputs on which candidates are decoupled: `decoupled` makes some.
        base: As for `Search`.
        extra: More statistics, after the library's own: a name and values (samples,) each.
    """
    own = library(x)
    if extra:
        values = torch.stack([value.double() for _, value in extra])
        names = (*own.names, *(name for name, _ in extra))
        own = Library(names, torch.cat((own.values, values)))
    return Search(own, base=base, seed=seed).read(predict(x), permutations=permutations)
