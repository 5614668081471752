"""Instability: perturbations that flip a network's label, and the random ones that don't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

Predict = Callable[[Tensor], Tensor]
# Inputs (members, samples, *shape) to one output each (members, samples), label 1 where positive;
# or to one a class (members, samples, classes), where the largest one is the label.
Outputs = Callable[[Tensor], Tensor]
Norm = Literal["l2", "linf"]

_ORDER = {"l2": 2.0, "linf": torch.inf}
_DUAL = {"l2": 2.0, "linf": 1.0}
# The search aims beyond the boundary at first, then at it: from inside, it settles for the first
# boundary that it meets. Starts take turns, as a wide first aim misses what is narrow.
_OVERSHOOTS = (0.3, 0.0, 0.6, 0.1)
_MEMORY = 0.3  # weight of the newest gradient in the running mean
_ROUNDS = 12  # of false position along the direction found
_CHUNK = 2**22  # numbers in the inputs of one evaluation: bounds the memory
_TOLERANCE = 0.01  # share of points that a sanity check may miss


def flipped(predict: Predict, x: Tensor, eta: Tensor) -> Tensor:
    """Mask (members, samples): where adding eta changes the label.

    Args:
        predict: Maps inputs (samples, ...) to labels (members, samples).
        eta: Broadcasts against x (samples, ...).
    """
    return predict(x + eta) != predict(x)


def random_directions(x: Tensor, norm: float, generator: torch.Generator) -> Tensor:
    """Random perturbations of x (samples, ...), uniform on the ℓ2 sphere of this radius."""
    noise = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    size = noise.flatten(1).norm(dim=1)
    return noise * (norm / size).view(-1, *[1] * (x.ndim - 1))


def smallest_step(
    predict: Predict,
    x: Tensor,
    direction: Tensor,
    *,
    largest: float,
    points: int = 20,
    halvings: int = 5,
) -> Tensor:
    """Smallest t in (0, largest] at which one network gives x + t·direction another label.

    The first flip on a grid of `points`, made finer by bisection: a flip that is undone within one
    step of the grid is missed.

    Args:
        predict: One network: inputs (samples, ...) to labels (1, samples).
        direction: Broadcasts against x (samples, ...).

    Returns:
        (samples,), float64; infinite where no t of the grid flips the label.
    """
    before, step = predict(x)[0], largest / points
    shape = (-1, *[1] * (x.ndim - 1))

    def flips(t: Tensor) -> Tensor:
        return predict(x + t.view(shape) * direction)[0] != before

    found = torch.full(before.shape, torch.inf, dtype=torch.float64)
    for i in range(1, points + 1):
        t = torch.full_like(found, i * step)
        found = torch.where(flips(t) & found.isinf(), t, found)
    low, high = (found - step).nan_to_num(posinf=0.0), found.nan_to_num(posinf=0.0)
    for _ in range(halvings):
        middle = (low + high) / 2
        past = flips(middle)
        low, high = torch.where(past, low, middle), torch.where(past, middle, high)
    return torch.where(found.isinf(), found, high)


def labels(f: Tensor) -> Tensor:
    """Labels (members, samples) of outputs: 1 where positive, or the class of the largest one."""
    return (f > 0).long() if f.ndim == 2 else f.argmax(-1)


def read(f: Tensor, label: Tensor, rival: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Margin of outputs towards a label, and whether they give another one, (members, samples).

    With several classes the margin is that of the label's output over the largest other one, or
    over the rival's; then it may be negative while the label stays. Outputs that are not finite
    give no label.

    Args:
        f: As `Outputs` gives them.
        label, rival: Of each member and sample.
    """
    if f.ndim == label.ndim:
        positive = label > 0
        return torch.where(positive, f, -f), ((f > 0) != positive) & f.isfinite()
    own = f.gather(-1, label[..., None])[..., 0]
    if rival is None:
        other = f.scatter(-1, label[..., None], -torch.inf).amax(-1)
    else:
        other = f.gather(-1, rival[..., None])[..., 0]
    return own - other, (f.argmax(-1) != label) & f.isfinite().all(-1)


def looked_at(outputs: Outputs, x: Tensor, members: int | None) -> tuple[Tensor, Tensor]:
    """Inputs as each member gets them, (members, samples, *shape), and the outputs there.

    Args:
        x: Inputs (samples, *shape) that `members` members share, or each member's own (members,
            samples, *shape) if `members` is None.

    Raises:
        ValueError: shapes that don't fit, or numbers that are not finite.
    """
    wanted = "(members, samples, *shape)" if members is None else "(samples, *shape)"
    if x.ndim < (3 if members is None else 2) or 0 in x.shape or not x.is_floating_point():
        raise ValueError(
            f"x has shape {tuple(x.shape)} and {x.dtype}; expected {wanted}, not empty, of floats: "
            "give members if they share x"
        )
    if not x.isfinite().all():
        raise ValueError(f"x has {int((~x.isfinite()).sum())} values that are not finite")
    x = x.detach() if members is None else x.detach().expand(members, *x.shape)
    with torch.no_grad():
        f = torch.cat([outputs(x[:, rows]) for rows in _chunks(x)], dim=1)
    if f.shape[:2] != x.shape[:2] or f.ndim > 3 or f.shape[2:] == (1,):
        raise ValueError(
            f"outputs gave shape {tuple(f.shape)} for inputs of shape {tuple(x.shape)}; expected "
            f"{tuple(x.shape[:2])}, one output a member and sample, or that and one a class"
        )
    if not f.isfinite().all():
        raise ValueError(f"outputs gave {int((~f.isfinite()).sum())} values that are not finite")
    return x, f


@dataclass(frozen=True)
class Attack:
    """Perturbations that flip each member's own label, as small as the search found them.

    Attributes:
        norm: In which they are small.
        size: Norm of each, (members, samples), float64; infinite where none was found.
        perturbation: (members, samples, *shape), in the precision of x; zero where none was found.
    """

    norm: Norm
    size: Tensor
    perturbation: Tensor


@dataclass(frozen=True)
class Check:
    """Whether a check holds, and the number that says so."""

    holds: bool
    value: float


@dataclass(frozen=True)
class Sanity:
    """What is reported next to every robust accuracy (Croce and Hein, arXiv:2003.01690).

    Attributes:
        surviving: Share of points that are right and stay so at the large size; must be 0.
        rise: Along the attack the mean margin must fall; largest rise between two of eleven equal
            steps, as a share of the margin at the start. Infinite where nothing was found.
        black_box: Share of points that a random perturbation 1 % smaller than the attack's flips
            (where the attack found none or more: one of the large size).
        gradients: Share of points at which the output's gradient is zero or not finite.
    """

    surviving: Check
    rise: Check
    black_box: Check
    gradients: Check

    @property
    def holds(self) -> bool:
        """All four hold."""
        return all(c.holds for c in (self.surviving, self.rise, self.black_box, self.gradients))


@dataclass(frozen=True)
class _Case:
    """Members, their inputs (members, samples, *shape), and the labels they give.

    A rival is the one other class that a search aims at; None: whichever is closest.
    """

    outputs: Outputs
    x: Tensor
    label: Tensor
    norm: Norm
    rival: Tensor | None = None

    def part(self, rows: slice) -> _Case:
        rival = None if self.rival is None else self.rival[:, rows]
        return _Case(self.outputs, self.x[:, rows], self.label[:, rows], self.norm, rival)

    def against(self, start: int) -> tuple[_Case, bool]:
        """What a start aims at, and whether it begins at x itself.

        The first start does. With several classes the next ones do too, each against one class, the
        closest one first; then they take turns from elsewhere.
        """
        with torch.no_grad():
            f = self.outputs(self.x) if start else self.x.new_empty(0)
        if not start or f.ndim == self.label.ndim:
            return replace(self, rival=None), start == 0
        others = f.argsort(-1, descending=True)[..., 1:]  # the own label leads
        rivals = others.shape[-1]
        return replace(self, rival=others[..., (start - 1) % rivals]), start <= rivals

    def margin(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """Output towards the own label, and whether eta flips it: both (members, samples)."""
        with torch.no_grad():
            return self._read(self.outputs(self.x + eta))

    def gradient(self, eta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As margin, and the margin's gradient: zero where the model gives none."""
        with torch.enable_grad():
            point = (self.x + eta).requires_grad_()
            value, flips = self._read(self.outputs(point))
            if not value.requires_grad:
                return value, flips, torch.zeros_like(point)
            # Points share nothing, so the sum's gradient is each point's own.
            (slope,) = torch.autograd.grad(
                value.sum(), point, allow_unused=True, materialize_grads=True
            )
        return value.detach(), flips, slope

    def _read(self, f: Tensor) -> tuple[Tensor, Tensor]:
        return read(f, self.label, self.rival)


def smallest_perturbations(
    outputs: Outputs,
    x: Tensor,
    *,
    norm: Norm,
    members: int | None = None,
    steps: int = 20,
    starts: int = 1,
    seed: int = 0,
) -> Attack:
    """For every member and sample the smallest perturbation found that flips the member's label.

    All members and samples move at once. A step replaces the output by its tangent plane, as in
    DeepFool (arXiv:1511.04599), takes the smallest perturbation of x itself onto that plane, as in
    FAB (arXiv:1907.02044), and mixes it into the one so far with a falling weight, as in the method
    of Frank and Wolfe. The last stretch is false position along the smallest that flipped. So sizes
    are upper bounds. They are exact for linear models. Every one is verified by a last evaluation.

    Args:
        x: Inputs (samples, *shape) that `members` members share, or each member's own (members,
            samples, *shape) if `members` is None. Work is done in this precision.
        norm: Of the perturbation: "l2" or "linf".
        steps: Evaluations of outputs and gradient a start.
        starts: The first from x itself; others from random points no further away than the
            smallest perturbation so far. One start may find nothing where networks bend a lot. In
            two dimensions 12 come close and 24 were exact on the networks of the tests. With
            several classes the starts after the first aim at one class each, from x itself as long
            as classes last: classes starts are exact for linear models.

    Raises:
        ValueError: norm is unknown, x is not finite, or shapes don't fit.
    """
    if norm not in get_args(Norm):
        raise ValueError(f"norm is {norm!r}; expected one of {get_args(Norm)}")
    if min(steps, starts) < 1:
        raise ValueError(f"steps is {steps}, starts is {starts}; expected at least 1 of each")
    case = _case(outputs, x, norm, members)
    generator = torch.Generator().manual_seed(seed)
    best = torch.zeros_like(case.x)
    size = torch.full(case.label.shape, torch.inf, dtype=torch.float64)
    for start in range(starts):
        # The noise is the same for all members: no member's result depends on the others.
        noise = torch.randn(case.x.shape[1:], dtype=case.x.dtype, generator=generator)
        away = torch.rand(case.x.shape[1], dtype=case.x.dtype, generator=generator)
        for rows in _chunks(case.x):
            part, first = case.part(rows).against(start)
            turn = 0 if first else start
            radius = away[rows] * _away(part, size[:, rows], turn)  # 0 from x itself
            radius = torch.zeros_like(radius) if first else radius
            eta = _scaled(noise[rows].expand_as(part.x), radius, norm)
            walked = _walk(part, eta, steps, turn)
            part = replace(part, rival=None)
            found = _verified(part, _shrunk(part, walked))
            length = _norms(found.double(), norm)
            better = (length > 0) & (length < size[:, rows])
            size[:, rows] = torch.where(better, length, size[:, rows])
            best[:, rows] = torch.where(_wide(better, found), found, best[:, rows])
    return Attack(norm, size, best)


def robust_accuracy(attack: Attack, correct: Tensor, epsilon: float) -> Tensor:
    """Share (members,) of points that are correct (members, samples) and stay so up to epsilon."""
    return (correct & (attack.size > epsilon)).double().mean(1)


def sanity(
    outputs: Outputs,
    x: Tensor,
    y: Tensor,
    *,
    attack: Attack,
    large: float,
    draws: int = 10,
    seed: int = 0,
) -> Sanity:
    """Is this attack strong enough to speak of robustness?

    Args:
        x: As the attack got it: shared (samples, *shape) or own (members, samples, *shape).
        y: True labels, (samples,) or (members, samples).
        large: A size at which nothing may survive.
        draws: Random perturbations a point.
    """
    shared = x.ndim < attack.perturbation.ndim
    case = _case(outputs, x, attack.norm, len(attack.size) if shared else None)
    if case.x.shape != attack.perturbation.shape:
        raise ValueError(
            f"x has shape {tuple(case.x.shape)}, the attack {tuple(attack.perturbation.shape)}; "
            "expected equal: give the x that was attacked"
        )
    surviving = robust_accuracy(attack, case.label == y.long(), large).mean().item()
    rise = _rise(case, attack)
    black_box = _flipped_by_chance(case, attack.size.clamp(max=large), draws, seed)
    _, _, slope = case.gradient(torch.zeros_like(case.x))
    length = _norms(slope, attack.norm)
    flat = 1 - ((length > 0) & length.isfinite()).double().mean().item()
    return Sanity(
        Check(surviving == 0, surviving),
        Check(rise <= _TOLERANCE, rise),
        Check(black_box <= _TOLERANCE, black_box),
        Check(flat <= _TOLERANCE, flat),
    )


def _case(outputs: Outputs, x: Tensor, norm: Norm, members: int | None) -> _Case:
    x, f = looked_at(outputs, x, members)
    return _Case(outputs, x, labels(f), norm)


def _chunks(x: Tensor) -> list[slice]:
    step = max(1, _CHUNK // x[:, 0].numel())
    return [slice(first, first + step) for first in range(0, x.shape[1], step)]


def _wide(values: Tensor, like: Tensor) -> Tensor:
    """Values (members, samples) that broadcast against (members, samples, *shape)."""
    return values.view(*values.shape, *[1] * (like.ndim - values.ndim))


def _norms(eta: Tensor, norm: Norm, *, dual: bool = False) -> Tensor:
    order = (_DUAL if dual else _ORDER)[norm]
    flat = eta.flatten(2)
    if order == torch.inf:  # ten times faster than vector_norm
        return torch.maximum(flat.amax(2), -flat.amin(2))
    return torch.linalg.vector_norm(flat, ord=order, dim=2)


def _scaled(eta: Tensor, size: Tensor, norm: Norm) -> Tensor:
    length = _norms(eta, norm).clamp_min(torch.finfo(eta.dtype).tiny)
    return eta * _wide(size / length, eta)


def _steepest(slope: Tensor, size: Tensor, norm: Norm) -> Tensor:
    """The perturbation of this size along which a plane of this slope rises most."""
    return slope.sign() * _wide(size, slope) if norm == "linf" else _scaled(slope, size, norm)


def _away(case: _Case, size: Tensor, start: int) -> Tensor:
    """How far random points may lie: the smallest perturbation so far, else ever further out."""
    length = _norms(case.x, case.norm)
    return torch.where(size.isfinite(), size.to(length), _unless_zero(length) * start)


def _unless_zero(length: Tensor) -> Tensor:
    return torch.where(length > 0, length, 1.0)


def _walk(case: _Case, eta: Tensor, steps: int, start: int) -> Tensor:
    """The smallest perturbation on the way that flips the label; zero where none did."""
    best, size = torch.zeros_like(eta), torch.full_like(case.label, torch.inf, dtype=eta.dtype)
    wide, mean = _OVERSHOOTS[start % len(_OVERSHOOTS)], torch.zeros_like(eta)
    for step in range(steps):
        margin, flips, slope = case.gradient(eta)
        best, size = _smaller(case, eta, flips, (best, size))
        dual = _norms(slope, case.norm, dual=True)
        slope = slope / _wide(dual, eta)
        # The plane margin + slope·(η' − η) = 0: how far from here, how far from x.
        here = margin / dual
        there = here - (slope * eta).flatten(2).sum(2)
        usable = _wide(here.isfinite() & there.isfinite(), eta)
        everywhere = bool(usable.all())  # as a rule: then two passes over all numbers fewer
        slope = slope if everywhere else torch.where(usable, slope, mean)
        mean = torch.lerp(mean, slope, _MEMORY if step else 1.0)
        planned = 1.005 + wide * max(0.0, 1 - 2 * step / steps)
        aim = torch.where(size.isinf(), max(planned, 1.2), planned)  # until the first flip: wide
        goal = _steepest(-mean, aim * _bounded(case, there, size), case.norm)
        # From x: averages of goals. From elsewhere: along the boundary there, ever closer to x.
        base = eta + _steepest(-slope, 1.1 * here, case.norm) if start else eta
        moved = torch.lerp(base, goal, step / steps if start else 6 / (6 + step))
        # Nothing to follow: go on outwards, or back from where the output is not finite.
        factor = _wide(torch.where(margin.isfinite(), 2.0, 0.5), eta)
        eta = moved if everywhere else torch.where(usable, moved, eta * factor)
    return _smaller(case, eta, case.margin(eta)[1], (best, size))[0]


def _smaller(
    case: _Case, eta: Tensor, flips: Tensor, known: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The best perturbation and its size, after a look at another."""
    best, size = known
    length = _norms(eta, case.norm)
    better = flips & (length < size)
    if not better.any():
        return known
    return torch.where(_wide(better, eta), eta, best), torch.where(better, length, size)


def _bounded(case: _Case, distance: Tensor, size: Tensor) -> Tensor:
    """No further than what is known to flip, and no less than what rounding lets move x."""
    least = 64 * torch.finfo(distance.dtype).eps * _unless_zero(_norms(case.x, case.norm))
    return distance.maximum(least).minimum(size)


def _shrunk(case: _Case, eta: Tensor) -> Tensor:
    """The same directions, up to where the label flips: false position (Illinois), bisection."""
    below, above = case.margin(torch.zeros_like(eta))[0], case.margin(eta)[0]
    low, high = torch.zeros_like(below), torch.ones_like(below)
    before = torch.zeros_like(below)  # 1 where the last try flipped, −1 where it didn't
    beyond = 1 + 16 * torch.finfo(eta.dtype).eps  # a try that hits 0 need not flip
    for i in range(_ROUNDS):
        share = below / (below - above)
        if i % 3 == 2:  # where the output bends or jumps, false position alone is slow
            share = torch.full_like(share, 0.5)
        share = torch.where((share >= 0) & (share <= 1), share, 0.5)
        middle = ((low + (high - low) * share) * beyond).minimum(high)
        value, flips = case.margin(eta * _wide(middle, eta))
        below = torch.where(flips, torch.where(before > 0, below / 2, below), value)
        above = torch.where(flips, value, torch.where(before < 0, above / 2, above))
        low, high = torch.where(flips, low, middle), torch.where(flips, middle, high)
        before = torch.where(flips, 1.0, -1.0)
    return eta * _wide(high * beyond, eta)


def _verified(case: _Case, eta: Tensor) -> Tensor:
    """Zero where eta doesn't flip the label even when it grows by a few roundings."""
    flips = case.margin(eta)[1]
    for i in range(6):
        if flips.all():
            break
        growth = 1 + 2.0 ** (6 + i) * torch.finfo(eta.dtype).eps
        eta = torch.where(_wide(flips, eta), eta, eta * growth)
        flips = case.margin(eta)[1]
    return torch.where(_wide(flips, eta), eta, 0.0)


def _rise(case: _Case, attack: Attack) -> float:
    found = attack.size.isfinite()
    if not found.any():
        return torch.inf
    means = []
    for share in torch.linspace(0, 1, 11).tolist():
        parts = [
            case.part(rows).margin(share * attack.perturbation[:, rows])[0]
            for rows in _chunks(case.x)
        ]
        means.append(torch.cat(parts, 1)[found].double().mean())
    along = torch.stack(means)
    return (along.diff().max().clamp(min=0) / along[0]).item()


def _flipped_by_chance(case: _Case, size: Tensor, draws: int, seed: int) -> float:
    """Share of points that one of so many random perturbations, 1 % smaller than size, flips."""
    generator = torch.Generator().manual_seed(seed)
    flipped = torch.zeros_like(case.label, dtype=torch.bool)
    for _ in range(draws):
        noise = torch.randn(case.x.shape[1:], dtype=case.x.dtype, generator=generator)
        for rows in _chunks(case.x):
            part = case.part(rows)
            eta = _steepest(
                noise[rows].expand_as(part.x), 0.99 * size[:, rows].to(part.x), case.norm
            )
            flipped[:, rows] |= part.margin(eta)[1]
    return flipped.double().mean().item()
