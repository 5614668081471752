"""Which structure did a given network capture, how well does it do, and how far is it from a flip?

The network is a black box: it gives labels, nothing else. It need not be a network.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from falsestruct import statistics
from falsestruct.problems.planted import Planted, registry
from falsestruct.statistics import Estimate

Predict = Callable[[Tensor], Any]
Norm = Literal["l2", "linf"]
Shares = tuple[tuple[str, Estimate], ...]  # of the structures, by name: the original's first

CAPTURED = 0.9  # share of the conflict set from which a structure is named
BEYOND = 0.75  # what the interval must lie above: the book's measure of "captures"
BATCH_NOISE = 0.01  # share of labels that may differ when the batch is cut otherwise: rounding
BISECTIONS = 20
GRID = 12  # steps on which a line is searched for its first flip
REACH = 4.0  # how far lines are followed, in units of the input's distance to the false structure
RANDOM_REACH = 64.0  # the same for random directions alone
NEIGHBOURS = 3  # inputs of the other label towards which a line is searched
PROBES = 60  # labels asked for each estimate of a normal


class AuditError(ValueError):
    """The network can't be audited; the text is one line that says why and what to do."""


@dataclass(frozen=True)
class Capture:
    """Share of the conflict set on which the network sides with a structure.

    Attributes:
        low, high: The 95 % interval over the inputs, mid-P.
    """

    structure: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Instability:
    """Medians over inputs of the smallest perturbation found; None if most inputs have none."""

    l2: float | None
    linf: float | None


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    Attributes:
        captures: Of the original and of the false structure.
        success: Accuracy on held-out inputs on which both structures are right.
        instability: Upper bounds.
        verdict: A structure's name, "mixture", "undecided" or "none".
        sentence: The same for a person.
    """

    captures: tuple[Capture, ...]
    success: float
    instability: Instability
    verdict: str
    sentence: str

    def to_json(self) -> str:
        """One line of JSON; what was not found is null."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)


def audit(
    predict: Predict,
    problem: Planted | str,
    *,
    samples: int = 500,
    points: int = 20,
    seed: int = 0,
) -> Audit:
    """Which structure of a planted problem did this network capture?

    It is asked about held-out inputs in two sets: the *conflict set*, where the structures
    disagree, for the captures, and the set where both are right, for the success. An input counts
    once, however often it was drawn. `judge` gives the verdict; sizes are medians over inputs of
    the second set, and upper bounds (`perturbations`).

    Args:
        predict: Maps a batch (N, …), float64, to labels (N,), 0 or 1: a tensor, an array or a list.
        problem: One of `planted`, or the name of one at its usual strength.
        samples, points: Inputs drawn for either set; inputs whose perturbations are searched for.

    Raises:
        AuditError: predict raises, gives anything but labels, or others when it is asked again or
            in another batch; or problem, samples or points can't be used.
    """
    chosen = _problem(problem)
    if samples < 1 or points < 0:
        raise AuditError(f"samples is {samples}, points is {points}; expected ≥ 1 and ≥ 0")
    agreed, conflict = _inputs(chosen, samples, seed)
    ask = _Labels(predict)
    labels = ask.checked(torch.cat((agreed, conflict)))
    first = int(labels[0]) if bool((labels == labels[0]).all()) else None
    success, shares = _counts(chosen, agreed, conflict, labels)
    verdict = judge(success, shares) if first is None else "none"
    return Audit(
        tuple(Capture(name, own.value, own.low, own.high) for name, own in shares),
        success.value,
        _search(ask, chosen, agreed, points if first is None else 0, seed),
        verdict,
        _sentence(verdict, success, shares, first),
    )


def _counts(
    problem: Planted, agreed: Tensor, conflict: Tensor, labels: Tensor
) -> tuple[Estimate, Shares]:
    """Accuracy where both are right, and the share of either structure where they disagree."""
    right = labels[: len(agreed)] == problem.original(agreed)
    sides = labels[len(agreed) :] == problem.original(conflict)
    return statistics.proportion(right.numpy()), (
        (problem.original.name, statistics.proportion(sides.numpy())),
        (problem.false.name, statistics.proportion((~sides).numpy())),
    )


def judge(success: Estimate, shares: Shares) -> str:
    """The verdict, for labels that are not all the same. The first of these that holds:

    1. "none": the interval of the success lies below .75: where both structures say the same, it
       says something else. So it is, too, if all inputs get the same label.
    2. "undecided": the interval of the success does not lie above .75.
    3. A structure's name: its share is at least .9, and the interval lies above .75.
    4. "mixture": both intervals lie strictly between .1 and .9, and each share's interval lies
       above that of the errors where both are right: errors alone don't explain it.
    5. "undecided": everything else.
    """
    if success.high < BEYOND:
        return "none"
    if success.low <= BEYOND:
        return "undecided"
    for name, share in shares:
        if share.value >= CAPTURED and share.low > BEYOND:
            return name
    # Mid-P is symmetric: the interval of the errors mirrors that of the success.
    errors = 1 - success.low
    inside = [max(1 - CAPTURED, errors) < own.low and own.high < CAPTURED for _, own in shares]
    return "mixture" if all(inside) else "undecided"


def _problem(given: Planted | str) -> Planted:
    if isinstance(given, str):
        try:
            given = registry.by_name(given)
        except ValueError as error:
            raise AuditError(str(error)) from None
    if not given.strength > 0:
        raise AuditError(
            f"{given.name} at strength {given.strength:g} plants nothing: there is no false "
            "structure to tell from the original one; give a strength above 0"
        )
    return given


def _inputs(problem: Planted, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Different held-out inputs: where both structures are right, and where they disagree."""
    generator = torch.Generator().manual_seed(seed)
    try:
        agreed, _ = problem.draw(samples, generator, held_out=True)
        apart, _ = problem.conflict_set(samples, generator)
    except ValueError as error:
        raise AuditError(f"samples is {samples}: {error}") from None
    both = problem.original(agreed) == problem.false(agreed)
    disagree = problem.original(apart) != problem.false(apart)
    if not both.any() or not disagree.any():
        raise AuditError(f"{problem.name}: no input where the structures disagree, or agree")
    return once(agreed[both]), once(apart[disagree])


def once(x: Tensor) -> Tensor:
    """Each input (samples, …) once, in the order in which it came first."""
    _, which = torch.unique(x.flatten(1), dim=0, return_inverse=True)
    first = torch.full((int(which.max()) + 1,), len(x), dtype=torch.long)
    first.scatter_reduce_(0, which, torch.arange(len(x)), "amin")
    return x[first.sort().values]


class _Labels:
    """The network as a function to labels 0 and 1, with every answer checked."""

    def __init__(self, predict: Predict) -> None:
        self.predict = predict

    def __call__(self, x: Tensor) -> Tensor:
        """Labels (samples,), int64."""
        try:
            answer = self.predict(x.clone())
        except Exception as error:
            text = " ".join(str(error).split()) or "no message"
            raise AuditError(
                f"predict raised {type(error).__name__} on a batch of shape {tuple(x.shape)}: "
                f"{text}"
            ) from error
        try:
            given = answer if isinstance(answer, Tensor) else torch.as_tensor(np.array(answer))
            labels = given.detach().cpu()
        except (TypeError, ValueError, RuntimeError) as error:
            raise AuditError(
                f"predict gave {type(answer).__name__}, which is no array of labels: {error}"
            ) from None
        if labels.shape != x.shape[:1]:
            raise AuditError(
                f"predict gave shape {tuple(labels.shape)} for a batch of {len(x)}; expected "
                f"({len(x)},): one label an input"
            )
        if labels.is_complex() or labels.isnan().any():
            count = len(x) if labels.is_complex() else int(labels.isnan().sum())
            raise AuditError(f"predict gave {count} labels that are NaN or complex; expected 0, 1")
        wrong = (labels != 0) & (labels != 1)
        if wrong.any():
            seen = ", ".join(f"{v:g}" for v in labels[wrong].unique()[:3].tolist())
            raise AuditError(
                f"predict gave labels other than 0 and 1: {seen}; give labels, not scores or "
                "probabilities"
            )
        return labels.long()

    def checked(self, x: Tensor) -> Tensor:
        """Labels that the same batch gets again, and other batches nearly so."""
        labels = self(x)
        again = int((self(x) != labels).sum())
        if again:
            raise AuditError(
                f"predict gave other labels for {again} of {len(x)} inputs when asked again; "
                "expected a fixed rule: switch dropout and other noise off"
            )
        backwards = x.flip(0)
        halves = torch.cat([self(part) for part in backwards.chunk(2)]).flip(0)
        differ = int((halves != labels).sum())
        if differ > BATCH_NOISE * len(x):
            raise AuditError(
                f"predict gave other labels for {differ} of {len(x)} inputs in another batch; "
                "expected labels that don't depend on the batch: use evaluation mode"
            )
        return labels


def _sentence(
    verdict: str,
    success: Estimate,
    shares: Shares,
    constant: int | None,
) -> str:
    (original, first), (false, second) = shares
    told = (
        f"where {original} and {false} disagree, it follows {original} on {_part(first)} and "
        f"{false} on {_part(second)} of {first.n} inputs"
    )
    right = f"It is right on {_part(success)} of {success.n} held-out inputs"
    if constant is not None:
        return f"It answers {constant} to every input: it follows neither {original} nor {false}."
    if verdict == "none":
        return f"{right}, on which {original} and {false} both are: it follows neither."
    if verdict == "mixture":
        return f"{right}, and is a mixture: {told}."
    if verdict == "undecided":
        return f"{right}; {told}: that does not decide what it follows."
    return f"{right}, and follows {verdict}: {told}."


def _part(own: Estimate) -> str:
    return f"{100 * own.value:.3g} % [{100 * own.low:.3g}, {100 * own.high:.3g}]"


def _search(ask: _Labels, problem: Planted, x: Tensor, points: int, seed: int) -> Instability:
    """Median sizes over the first `points` of x, None where they are infinite."""
    if points == 0:
        return Instability(None, None)
    found = {norm: perturbations(ask, problem, x, norm=norm, points=points, seed=seed).median()
             for norm in ("l2", "linf")}  # fmt: skip
    sizes = {norm: size.item() if size.isfinite() else None for norm, size in found.items()}
    return Instability(**sizes)


def perturbations(
    predict: Predict,
    problem: Planted,
    x: Tensor,
    *,
    norm: Norm,
    points: int = 20,
    rounds: int = 10,
    seed: int = 0,
) -> Tensor:
    """Size of the smallest perturbation found for each of the first `points` inputs, (points,).

    An upper bound of the true one, for labels are all there is to go by; infinite where nothing
    flipped. The search follows lines: along the false structure's direction, towards the nearest
    inputs of another label, in random directions, and, in `rounds`, along the normal of the
    boundary, estimated from labels around the boundary point found so far (Chen, Jordan and
    Wainwright, arXiv:1904.02144). On each line it takes the first flip on a grid and bisects.

    Args:
        x: Inputs (samples, …); those beyond the first serve as targets too.
    """
    walk = _Walk(predict, x[:points], norm, torch.Generator().manual_seed(seed))
    far = REACH * problem.distance(walk.x, norm)
    for sign in (1.0, -1.0):
        straight = problem.direction if norm == "l2" else problem.direction.sign()
        walk.follow((sign * straight).expand_as(walk.x), far)
    for target in _opposites(walk, x):
        walk.follow(target - walk.x, torch.full_like(far, torch.inf))
    for _ in range(NEIGHBOURS):
        walk.follow(walk.noise(), 4 * far)
    for _ in range(rounds):
        walk.follow_normal()
    return walk.size


def random_only(
    predict: Predict, problem: Planted, x: Tensor, *, norm: Norm, points: int = 20, seed: int = 0
) -> Tensor:
    """What random directions alone find, (points,): the control of `perturbations`.

    As many lines as there, each up to RANDOM_REACH times the false structure's distance.
    """
    walk = _Walk(predict, x[:points], norm, torch.Generator().manual_seed(seed))
    far = RANDOM_REACH * problem.distance(walk.x, norm)
    for _ in range(2 + 2 * NEIGHBOURS + 40):  # four lines follow each normal
        walk.follow(walk.noise(), far)
    return walk.size


def _opposites(walk: _Walk, x: Tensor) -> list[Tensor]:
    """For each point the nearest inputs to which the network gives another label."""
    labels = walk.predict(x)
    distance = torch.cdist(walk.x.flatten(1), x.flatten(1))
    distance = distance.masked_fill(walk.label[:, None] == labels, torch.inf)
    nearest = distance.argsort(1)[:, :NEIGHBOURS]
    return [x[which] for which in nearest.T]


class _Walk:
    """Points and the best boundary point of each so far."""

    def __init__(self, predict: Predict, x: Tensor, norm: Norm, generator: torch.Generator) -> None:
        self.predict = predict if isinstance(predict, _Labels) else _Labels(predict)
        self.x, self.norm, self.generator = x.double(), norm, generator
        self.label = self.predict(self.x)
        self.size = torch.full((len(x),), torch.inf, dtype=torch.float64)
        self.best = torch.zeros_like(self.x)

    def noise(self) -> Tensor:
        """Random directions, one a point."""
        return torch.randn(self.x.shape, dtype=self.x.dtype, generator=self.generator)

    def _length(self, eta: Tensor) -> Tensor:
        flat = eta.flatten(1)
        return flat.norm(dim=1) if self.norm == "l2" else flat.abs().amax(1)

    def _wide(self, value: Tensor) -> Tensor:
        return value.view(-1, *[1] * (self.x.ndim - 1))

    def _flips(self, eta: Tensor, rows: Tensor) -> Tensor:
        """Whether eta (…, rows, *shape) flips the labels of these rows: (…, rows)."""
        moved = self.x[rows] + eta
        labels = self.predict(moved.flatten(0, -self.x.ndim)).view(moved.shape[: 1 - self.x.ndim])
        return labels != self.label[rows]

    def follow(self, direction: Tensor, far: Tensor) -> None:
        """First flip on a grid along each point's direction, bisected; kept if it is smaller.

        Args:
            far: Where the line ends, (points,), in the norm; infinite: where the direction does.
        """
        length = self._length(direction)
        end = torch.minimum(torch.minimum(far, self.size), torch.where(far.isinf(), length, far))
        rows = ((length > 0) & (end > 0)).nonzero().flatten()
        if len(rows) == 0:
            return
        unit = direction[rows] / self._wide(length[rows])
        steps = end[rows] * (torch.arange(1, GRID + 1) / GRID)[:, None]  # (grid, rows)
        flips = self._flips(steps.view(*steps.shape, *[1] * (self.x.ndim - 1)) * unit, rows)
        found = flips.any(0)
        first = flips.long().argmax(0)[found]
        rows, unit, step = rows[found], unit[found], end[rows][found] / GRID
        self._bisect(rows, unit, step * first, step * (first + 1))

    def _bisect(self, rows: Tensor, unit: Tensor, low: Tensor, high: Tensor) -> None:
        for _ in range(BISECTIONS if len(rows) else 0):
            middle = (low + high) / 2
            past = self._flips(self._wide(middle) * unit, rows)
            low, high = torch.where(past, low, middle), torch.where(past, middle, high)
        better = high < self.size[rows]
        self.size[rows[better]] = high[better]
        self.best[rows[better]] = (self._wide(high) * unit)[better]

    def follow_normal(self) -> None:
        """Estimate the boundary's normal at the best point, and follow it from the input.

        At random points around it, a flip counts for the direction that leads there. In ℓ∞ the
        sign of the normal is the direction. Mixtures with the present one come after, for where the
        boundary bends or the estimate is poor.
        """
        if not self.size.isfinite().any():
            return
        rows = self.size.isfinite().nonzero().flatten()
        best = self.best[rows]
        noise = torch.randn(PROBES, *best.shape, dtype=best.dtype, generator=self.generator)
        noise = noise / noise.flatten(2).norm(dim=2).view(*noise.shape[:2], *[1] * (best.ndim - 1))
        around = self._wide(0.1 * best.flatten(1).norm(dim=1))
        flips = self._flips(best + around * noise, rows).double()
        weight = flips - flips.mean(0)  # (probes, rows)
        normal = torch.zeros_like(self.best)
        normal[rows] = (weight.view(*weight.shape, *[1] * (best.ndim - 1)) * noise).sum(0)
        if self.norm == "linf":
            normal = normal.sign()
        present = self.best / self._wide(self._length(self.best).clamp_min(1e-300))
        normal = normal / self._wide(self._length(normal).clamp_min(1e-300))
        for share in (1.0, 0.5, 0.2, 0.1):
            self.follow(share * normal + (1 - share) * present, self.size)
