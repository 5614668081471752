"""Exact smallest perturbations of small ReLU networks: what an attack's size is compared with.

Two independent ways. In ℓ∞ a mixed-integer program, for any number of inputs and dense layers
(Tjeng, Xiao and Tedrake, arXiv:1711.07356). In the plane, ℓ2 and ℓ∞, all linear pieces of one
hidden layer are listed: the decision boundary is a polygonal line, and the nearest point of it lies
inside of a piece or on a crease. Both need a radius within which a flip is known, such as an
attack's size: it fixes most ReLUs, and the optimum lies within it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from falsestruct.instability.attacks import Norm
from falsestruct.learning.training import Trained

Array = np.ndarray
Status = Literal["optimal", "limit", "none"]

_BEYOND = 1e-5  # share of the output by which a program's flip passes 0; ten times HiGHS' tolerance
_ROUNDING = 1e-9  # relative to the radius
_NUDGES = tuple(np.geomspace(1e-9, 1e-3, 13).tolist())  # past the boundary: more than rounding
_PART, _BLOCK = 256, 128  # candidates that are checked, and cells that are listed, at once
_EVERY = 8  # of so many creases one is looked at first


@dataclass(frozen=True)
class Dense:
    """One network of dense layers with ReLUs between them and one output, in float64.

    Attributes:
        weights: Of each layer, (outputs, inputs).
        biases: Of each layer, (outputs,).

    Raises:
        ValueError: shapes that don't fit, or a number that is not finite.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __post_init__(self) -> None:
        widths = [w.shape for w in self.weights]
        fits = all(
            b.shape == w.shape[:1] for w, b in zip(self.weights, self.biases, strict=True)
        ) and all(a[0] == b[1] for a, b in zip(widths, widths[1:], strict=False))
        if not fits or widths[-1][0] != 1:
            raise ValueError(f"layers of shapes {widths}; expected a chain that ends in one output")
        if not all(np.isfinite(v).all() for v in (*self.weights, *self.biases)):
            raise ValueError("weights or biases contain NaN or infinity; expected finite numbers")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weights[0].shape[1])

    def __call__(self, x: Array) -> Array:
        """Outputs (samples,) of inputs (samples, inputs)."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight.T + bias, 0)
        return (x @ self.weights[-1].T + self.biases[-1])[:, 0]


@dataclass(frozen=True)
class Exact:
    """The smallest perturbation of one input, and how sure that is.

    Attributes:
        size: Of a perturbation that flips the label, verified by an evaluation in float64; infinite
            if there is none within the radius, or none was found in time.
        lower: No smaller perturbation flips it. From a program: up to HiGHS' tolerance of 1e-6, and
            if a flip must carry the output by 1e-5 of itself beyond 0.
        perturbation: (inputs,); zero where size is infinite.
        status: "optimal"; "limit" (out of time, lower and size still hold); "none" (proved: nothing
            within the radius flips).
        pieces: Binary variables of the program, or linear pieces that were listed.
    """

    size: float
    lower: float
    perturbation: Array
    status: Status
    pieces: int

    @property
    def gap(self) -> float:
        """(size − lower) / lower: 0 if exact to rounding."""
        return self.size / self.lower - 1 if self.lower > 0 else math.inf


def dense(trained: Trained, member: int) -> Dense:
    """One member of an ensemble of dense networks.

    Raises:
        ValueError: the architecture has other layers than dense ones.
    """
    values = {n: p[member].double().cpu().numpy() for n, p in trained.parameters.items()}
    weights = tuple(v for name, v in values.items() if name.endswith("weight"))
    biases = tuple(v for name, v in values.items() if name.endswith("bias"))
    if not trained.architecture.is_dense:
        raise ValueError(
            f"{trained.architecture.name!r} is no chain of dense layers; expected one like an MLP"
        )
    return Dense(weights, biases)


def smallest_linf(network: Dense, x: Array, *, radius: float, seconds: float = 60.0) -> Exact:
    """The smallest ℓ∞ perturbation of x that flips the network's label, by HiGHS.

    minimise t subject to |η_i| ≤ t ≤ radius, f(x + η) ≤ −β f(x) with β = 1e-5 (≥, if the label is
    0): a flip, and not just an output that HiGHS' tolerance can't tell from 0. A ReLU
    y = max(p, 0) whose input p keeps its sign for |η|∞ ≤ radius is linear or zero; one with
    p ∈ [l, u], l < 0 < u, costs a binary d: y ≥ p, y ≤ p − l(1 − d), 0 ≤ y ≤ u·d. Perturbations are
    scaled by the radius, y by u and f by f(x), so that HiGHS' absolute tolerance is a relative one.

    Args:
        x: One input, (inputs,).
        radius: Within which to search; the smaller, the fewer binaries.
        seconds: For HiGHS.

    Raises:
        ValueError: x or radius don't fit, or the output is 0 at x.
        ArithmeticError: HiGHS fails, or its solution does not flip the label.
    """
    value = _check(network, x, radius)
    program = _Program(network, x, radius)
    found = program.solve(value, seconds)
    if found.status == 2:  # infeasible: a proof
        return _nothing(network, radius, "none", program.binaries)
    if found.status not in (0, 1) or (found.status == 0 and found.x is None):
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    linear = program.binaries == 0 and found.x is not None  # then HiGHS states no bound of its own
    bound = found.fun if linear else found.mip_dual_bound
    lower = radius * max(0.0, float(bound or 0.0))
    if found.x is None:
        return _nothing(network, lower, "limit", program.binaries)
    eta = radius * found.x[: network.inputs]
    flip = _flip(network, x, eta, "linf")
    if flip is None:
        after = float(network((x + eta)[None])[0])
        raise ArithmeticError(
            f"HiGHS' solution does not flip the label: output {value:.3g}, {after:.3g} after it; "
            "scale the network or lower the radius"
        )
    size = float(np.abs(flip).max())
    status: Status = "optimal" if found.status == 0 else "limit"
    return Exact(size, min(lower, size), flip, status, program.binaries)


def proved_stable(network: Dense, x: Array, *, radius: float, seconds: float = 60.0) -> bool:
    """Whether HiGHS proves that no ℓ∞ perturbation up to this radius flips the network's label.

    The program of `smallest_linf`, of which only matters whether it has a solution: cheap where the
    radius is below the smallest one. (To minimise nothing instead took several times as long.)

    Args:
        x: One input, (inputs,).
        seconds: For HiGHS. What is not decided in time is not proved.

    Raises:
        ValueError: x or radius don't fit, or the output is 0 at x.
    """
    value = _check(network, x, radius)
    return bool(_Program(network, x, radius).solve(value, seconds, gap=1.0).status == 2)


def smallest_in_plane(network: Dense, x: Array, *, norm: Norm, radius: float) -> Exact:
    """The smallest perturbation of x that flips the label, by listing the linear pieces.

    For two inputs and one hidden layer. Creases are the lines on which a hidden ReLU changes over;
    they cut the square of this radius into cells, on each of which the output is g·x + c. The
    boundary's nearest point is the foot of the perpendicular on one of the lines g·x + c = 0, if
    that lies in its cell, or the boundary's crossing with a crease.

    Args:
        x: One input, (2,).
        norm: Of the perturbation.
        radius: Within which to search, in that norm.

    Raises:
        ValueError: the network is of another kind, or x or radius don't fit.
    """
    _check(network, x, radius)
    if network.inputs != 2 or len(network.weights) != 2:
        raise ValueError(
            f"{network.inputs} inputs, {len(network.weights)} layers; expected 2 and 2: other "
            "networks have smallest_linf"
        )
    plane = _Plane.around(network, x, radius)
    cells = plane.cells()
    for point in plane.zeros(cells, norm):
        flip = _flip(network, x, radius * point, norm)
        if flip is not None:
            lower, size = (_size(eta, norm) for eta in (radius * point, flip))
            return Exact(size, min(lower, size), flip, "optimal", len(cells))
    return _nothing(network, radius, "none", len(cells))


def _check(network: Dense, x: Array, radius: float) -> float:
    if x.shape != (network.inputs,) or not np.isfinite(x).all():
        raise ValueError(f"x has shape {x.shape}; expected ({network.inputs},), finite numbers")
    if not 0 < radius < math.inf:
        raise ValueError(
            f"radius is {radius}; expected a positive number, such as an attack's size"
        )
    if (value := float(network(x[None])[0])) == 0:
        raise ValueError("the output is 0 at x: it lies on the boundary; expected one beside it")
    return value


def _nothing(network: Dense, lower: float, status: Status, pieces: int) -> Exact:
    return Exact(math.inf, lower, np.zeros(network.inputs), status, pieces)


def _size(eta: Array, norm: Norm) -> float:
    return float(np.linalg.norm(eta) if norm == "l2" else np.abs(eta).max())


def _flip(network: Dense, x: Array, eta: Array, norm: Norm) -> Array | None:
    """The smallest nudge of eta past the boundary that flips the label, or None.

    Outwards first. Where the boundary bends, the other side may lie elsewhere: down the slope, or,
    in the plane, in one of many directions.
    """
    before = network(x[None])[0] > 0
    size = _size(eta, norm)
    ways = np.stack([eta, *_ways(network, x + eta, size)])
    for nudge in _NUDGES:
        tries = eta + nudge * ways
        flips = (network(x + tries) > 0) != before
        if flips.any():
            found = tries[flips]
            return found[int(np.argmin([_size(one, norm) for one in found]))]
    return None


def _ways(network: Dense, x: Array, size: float) -> Iterator[Array]:
    step = max(size, 1e-12) * 1e-6
    slope = np.array([
        (network((x + e)[None])[0] - network((x - e)[None])[0]) for e in step * np.eye(len(x))
    ])  # fmt: skip
    for unit in (np.sign(slope), slope / max(float(np.linalg.norm(slope)), 1e-300)):
        yield size * unit
        yield -size * unit
    if len(x) == 2:
        for angle in np.linspace(0, 2 * math.pi, 32, endpoint=False):
            yield size * np.array([math.cos(angle), math.sin(angle)])


class _Program:
    """The variables (η/radius, t/radius, then y/u and d of each undecided ReLU) and constraints."""

    def __init__(self, network: Dense, x: Array, radius: float) -> None:
        n = network.inputs
        self.lower, self.upper = [-1.0] * n + [0.0], [1.0] * (n + 1)
        self.integral = [0] * (n + 1)
        self.rows: list[Array] = []
        self.limits: list[float] = []
        self.binaries = 0
        for sign in (1.0, -1.0):
            for i in range(n):
                row = np.zeros(n + 1)
                row[i], row[n] = sign, -1.0
                self._at_most(row, 0.0)
        # Every layer's values are linear in the variables: matrix · variables + constant.
        matrix, constant = np.hstack([radius * np.eye(n), np.zeros((n, 1))]), x.astype(float)
        low, high = constant - radius, constant + radius
        for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
            middle, half = weight @ (low + high) / 2 + bias, np.abs(weight) @ (high - low) / 2
            low, high = middle - half, middle + half
            matrix, constant = self._relu(weight @ matrix, weight @ constant + bias, (low, high))
            low, high = np.maximum(low, 0), np.maximum(high, 0)
        self.output = (network.weights[-1] @ matrix)[0]
        self.offset = float((network.weights[-1] @ constant + network.biases[-1])[0])

    def _relu(
        self, matrix: Array, constant: Array, bounds: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        low, high = bounds
        open_ = np.flatnonzero((low < 0) & (high > 0))
        before, new = matrix.shape[1], 2 * len(open_)
        self.binaries += len(open_)
        self.lower += [0.0] * new
        self.upper += [1.0] * new
        self.integral += [0, 1] * len(open_)
        after = np.hstack([np.where((low >= 0)[:, None], matrix, 0.0), np.zeros((len(low), new))])
        for place, j in enumerate(open_):
            y, d = before + 2 * place, before + 2 * place + 1
            scale = max(high[j], -low[j])
            above = np.zeros(before + new)
            above[:before], above[y] = matrix[j], -high[j]
            self._at_most(above / scale, -constant[j] / scale)
            below = -above
            below[d] = -low[j]
            self._at_most(below / scale, (constant[j] - low[j]) / scale)
            off = np.zeros(before + new)
            off[y], off[d] = 1.0, -1.0
            self._at_most(off, 0.0)
            after[j, y] = high[j]
        return after, np.where(low >= 0, constant, 0.0)

    def _at_most(self, row: Array, limit: float) -> None:
        self.rows.append(row)
        self.limits.append(limit)

    def solve(self, value: float, seconds: float, *, gap: float = 1e-7):  # type: ignore[no-untyped-def]
        """Minimise t so that the output has the other sign than value.

        Args:
            gap: Relative; with 1 the first flip that is found will do.
        """
        variables = len(self.lower)
        self._at_most(self.output / value, -self.offset / value - _BEYOND)
        matrix = np.zeros((len(self.rows), variables))
        for i, row in enumerate(self.rows):
            matrix[i, : len(row)] = row
        cost = np.zeros(variables)
        cost[sum(1 for v in self.lower if v < 0)] = 1.0  # t comes after the η
        return milp(
            cost,
            constraints=LinearConstraint(matrix, -np.inf, np.array(self.limits)),
            bounds=Bounds(np.array(self.lower), np.array(self.upper)),
            integrality=np.array(self.integral),
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )


@dataclass(frozen=True)
class _Plane:
    """slope·u + level + Σ_j weight_j max(normal_j·u + shift_j, 0) on |u|∞ ≤ 1; |normal_j| = 1."""

    slope: Array
    level: float
    normal: Array
    shift: Array
    weight: Array

    @classmethod
    def around(cls, network: Dense, x: Array, radius: float) -> _Plane:
        """In units of the radius; ReLUs that don't change over in it join the linear part."""
        inner, outer = radius * network.weights[0], network.weights[1][0]
        here = network.weights[0] @ x + network.biases[0]
        crossed = np.abs(here) < np.abs(inner).sum(1)
        on = ~crossed & (here > 0)
        length = np.linalg.norm(inner[crossed], axis=1)
        return cls(
            outer[on] @ inner[on],
            float(outer[on] @ here[on] + network.biases[1][0]),
            inner[crossed] / length[:, None],
            here[crossed] / length,
            outer[crossed] * length,
        )

    def cells(self) -> Array:
        """Which ReLUs are on, bool (cells, ReLUs): every cell of the square once.

        Each cell has a corner, and an edge that leaves the corner along one of two lines. So both
        sides of both ways along both lines, at every crossing of two lines, see every cell.
        """
        edges = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        normal = np.vstack([self.normal, edges])
        shift = np.concatenate([self.shift, [1.0, -1.0, 1.0, -1.0]])
        first, second = np.triu_indices(len(normal), 1)
        a, b = normal[first], normal[second]
        cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        keep = np.abs(cross) > 1e-12
        first, second, a, b, cross = (v[keep] for v in (first, second, a, b, cross))
        corner = np.stack([
            (-shift[first] * b[:, 1] + shift[second] * a[:, 1]) / cross,
            (-shift[second] * a[:, 0] + shift[first] * b[:, 0]) / cross,
        ], 1)  # fmt: skip
        inside = (np.abs(corner) <= 1 + _ROUNDING).all(1)
        found = [
            on
            for line in (first, second)
            for on in self._beside(corner[inside], normal[line[inside]])
        ]
        everything = np.vstack(found)
        return everything[_first_of_each(everything)]

    def _beside(self, corner: Array, own: Array) -> Iterator[Array]:
        """Who is on just beside a line, a little way along it from a corner: (corners, ReLUs).

        Both ways along, on both sides. Only for creases through the corner does it matter which.

        Args:
            own: Normals of the lines, (corners, 2).
        """
        value = corner @ self.normal.T + self.shift
        close = rows, columns = np.nonzero(np.abs(value) <= _ROUNDING)
        along, crease = np.stack([-own[:, 1], own[:, 0]], 1)[rows], self.normal[columns]
        move, across = (along * crease).sum(1), (own[rows] * crease).sum(1)
        for way in (1.0, -1.0):
            for side in (1.0, -1.0):
                on = value > 0
                on[close] = np.where(np.abs(move) > 1e-12, way * move, side * across) > 0
                yield on

    def zeros(self, cells: Array, norm: Norm) -> Iterator[Array]:
        """Zeros of f that can be nearest to the origin, nearest first."""
        slope = self.slope + (cells * self.weight) @ self.normal
        level = self.level + (cells * self.weight) @ self.shift
        blocks = [slice(start, start + _BLOCK) for start in range(0, len(cells), _BLOCK)]
        found = [self._zeros(cells[rows], slope[rows], level[rows], norm) for rows in blocks]
        points, sizes, inside = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(sizes, kind="stable")
        for start in range(0, len(order), _PART):
            part = order[start : start + _PART]
            own, point = inside[part], points[part]
            value = point @ self.normal.T + self.shift
            yield from point[(np.where(own, value, -value) >= -_ROUNDING).all(1)]

    def _zeros(
        self, cells: Array, slope: Array, level: Array, norm: Norm
    ) -> tuple[Array, Array, Array]:
        """Zeros of slope·u + level in the square, cell by cell: points, sizes, their cells.

        The foot of the perpendicular, and where each crease normal·u + shift = 0 is met. Those that
        some of the creases part from their cell are left out: most of them, and cheaply.
        """
        length = np.abs(slope).sum(1) if norm == "linf" else (slope**2).sum(1)
        s, n, c = slope[:, None], self.normal[None], level[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = -level / length
            foot = step[:, None] * (np.sign(slope) if norm == "linf" else slope)
            cross = s[..., 0] * n[..., 1] - s[..., 1] * n[..., 0]
            first = (-c * n[..., 1] + self.shift * s[..., 1]) / cross
            second = (-self.shift * s[..., 0] + c * n[..., 0]) / cross
        x, y = np.hstack([foot[:, :1], first]), np.hstack([foot[:, 1:], second])
        sizes = np.sqrt(x**2 + y**2) if norm == "l2" else np.maximum(np.abs(x), np.abs(y))
        near = sizes <= 1  # NaN is not
        points, sizes, own = np.stack([x[near], y[near]], 1), sizes[near], np.nonzero(near)[0]
        value = points @ self.normal[::_EVERY].T + self.shift[::_EVERY]
        value = np.where(cells[own, ::_EVERY], value, -value)
        there = (value >= -1e3 * _ROUNDING).all(1)  # a first look may err on one side only
        return points[there], sizes[there], cells[own[there]]


def _first_of_each(rows: Array) -> Array:
    """Where each different row of bools (rows, columns) comes first, in the order of their bytes.

    As `np.unique` along an axis, which sorts rows one by one: here words of 64 columns are sorted.
    """
    packed = np.packbits(rows, axis=1)
    wide = np.zeros((len(packed), 8 * (packed.shape[1] // 8 + 1)), dtype=np.uint8)
    wide[:, : packed.shape[1]] = packed
    words = wide.view(">u8").astype(np.uint64)
    order = np.lexsort(words.T[::-1])
    new = np.ones(len(order), dtype=bool)
    new[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    return order[new]
