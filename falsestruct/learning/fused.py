"""One small network after the other, all its steps in one compiled function.

The weights of a network with few inputs and one hidden layer are some kilobytes. Trained in
lockstep, thousands of such networks travel through memory in every step; trained one by one, a
network stays in the processor's caches until it is done, its weights in the nearest. A hidden
unit's activities are contiguous over the samples of a block, so that the compiler uses the
processor's vectors.

`benchmarks/training.py` has the measurement. Results are those of the other engines but for
rounding, and on one kind of processor the same to the byte for a seed, whatever the ensemble and
the number of threads. Nothing here checks sizes or labels: see `single`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

BLOCK = 64  # samples that pass through the network at once: their activities stay in the cache
INPUTS = 64  # at most; matrix products are faster before that (`networks.FEW`)
FINISHED, REACHED, DIVERGED = range(3)
# Sums may be taken in any order; NaN and infinity must stay what they are.
_FAST = {"reassoc", "contract", "nsz", "arcp"}

Three = tuple[np.ndarray, np.ndarray, np.ndarray]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled at its first call for each precision, once for all processes.

    The machine code is kept beside this file, or in the reader's cache folder, or where
    NUMBA_CACHE_DIR says. If none of them can be written, each process compiles for itself.
    """
    try:
        return njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")(function)
    except RuntimeError:  # numba found no folder
        return njit(nogil=True, fastmath=_FAST, error_model="numpy")(function)


@dataclass
class State:
    """A network in training, and Adam's averages.

    Attributes:
        flat: Hidden weights (inputs, width), hidden biases (width,), output weights
            (outputs, width), output biases (outputs,), one after the other.
        first, second: Adam's averages of gradient and squared gradient, like `flat`.
        inputs, width, outputs: Sizes of the layers.
        step: Steps taken.
    """

    flat: np.ndarray
    first: np.ndarray
    second: np.ndarray
    inputs: int
    width: int
    outputs: int
    step: int = 0

    @classmethod
    def of(cls, flat: np.ndarray, inputs: int, width: int, outputs: int) -> State:
        """A network before its first step; `flat` is changed by training.

        Raises:
            ValueError: it has another number of weights, or too many inputs.
        """
        if flat.shape != ((inputs + 1 + outputs) * width + outputs,) or inputs > INPUTS:
            raise ValueError(
                f"flat has shape {flat.shape} for {inputs}-{width}-{outputs}; expected all weights "
                f"in a row, and at most {INPUTS} inputs"
            )
        return cls(flat, np.zeros_like(flat), np.zeros_like(flat), inputs, width, outputs)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Inputs, width, outputs."""
        return self.inputs, self.width, self.outputs


@dataclass(frozen=True)
class Rule:
    """How a step changes the weights, and when a network is done.

    Attributes:
        rate, decay: Learning rate; decoupled weight decay.
        adam: Adam with its usual constants; otherwise plain gradient descent.
        target: Done as soon as the loss on the whole set is at most this; None: never.
        epoch: With batches, steps between two looks at that loss, the first look after so many.
            None: each step sees the whole set, and each looks at the loss before it changes
            anything.
    """

    rate: float
    decay: float = 0.0
    adam: bool = True
    target: float | None = None
    epoch: int | None = None


def advance(
    state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray, rule: Rule, *, steps: int
) -> tuple[int, float]:
    """Take so many steps, or fewer: until the target, or until an output is NaN or infinite.

    Args:
        state: Changed in place.
        x, y: Samples (samples, inputs) and labels (samples,), 0 or 1, or 0 … outputs − 1.
        order: The samples of each step, (rows, batch); after the last row the first again.

    Returns:
        FINISHED, REACHED or DIVERGED, and the last loss that was looked at: NaN if none was.
    """
    target = -1.0 if rule.target is None else rule.target
    status, taken, seen = _advance(
        (state.flat, state.first, state.second), (x, y, order), state.sizes, (state.step, steps),
        (rule.rate, rule.decay, target), (rule.adam, rule.target is not None, rule.epoch or 0),
    )  # fmt: skip
    state.step += taken
    return status, seen


def loss(state: State, x: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy on samples (samples, inputs), labels (samples,), in nats."""
    return float(_loss(state.flat, x, y, state.sizes))


def outputs(state: State, x: np.ndarray) -> np.ndarray:
    """Outputs (samples, outputs) for samples (samples, inputs)."""
    found = np.empty((state.outputs, len(x)), state.flat.dtype)
    _outputs(state.flat, x, state.width, found)
    return found.T


@_compiled
def _gather(x: np.ndarray, rows: np.ndarray, block: np.ndarray) -> None:
    """The inputs of these samples, one input after the other: (inputs, samples)."""
    for s in range(len(rows)):
        for i in range(x.shape[1]):
            block[i, s] = x[rows[s], i]


@_compiled
def _forward(
    flat: np.ndarray, block: np.ndarray, size: int, active: np.ndarray, out: np.ndarray
) -> None:
    """Outputs (outputs, samples) of a block of inputs; keeps what the hidden units did."""
    inputs, (width, many) = len(block), (len(active), len(out))
    bias, weight = inputs * width, (inputs + 1) * width
    for c in range(many):
        out[c, :size] = flat[weight + many * width + c]
    if inputs == 2 and many == 1:
        _forward_plane(flat, (block[0], block[1]), size, active, out[0])
        return
    zero = flat.dtype.type(0)
    for h in range(width):
        unit = active[h]
        unit[:size] = flat[bias + h]
        for i in range(inputs):
            w = flat[i * width + h]
            for s in range(size):
                unit[s] += block[i, s] * w
        for s in range(size):
            unit[s] = zero if unit[s] < zero else unit[s]
        for c in range(many):
            v = flat[weight + c * width + h]
            for s in range(size):
                out[c, s] += v * unit[s]


@_compiled
def _forward_plane(
    flat: np.ndarray, coordinates: tuple[np.ndarray, np.ndarray], size: int, active: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """Two inputs, one output: one loop over the samples, nothing on its way to memory and back."""
    (first, second), width, zero = coordinates, len(active), flat.dtype.type(0)
    for h in range(width):
        unit = active[h]
        p, q, b, v = flat[h], flat[width + h], flat[2 * width + h], flat[3 * width + h]
        for s in range(size):
            value = b + first[s] * p + second[s] * q
            value = zero if value < zero else value
            unit[s] = value
            out[s] += v * value


@_compiled
def _backward(
    flat: np.ndarray, block: np.ndarray, size: int, active: np.ndarray, error: np.ndarray,
    below: np.ndarray, slope: np.ndarray,
) -> None:  # fmt: skip
    """Add a block's part to the gradient: ∂v = Σ ea, ∂b = Σ ev·1{a > 0}, ∂w = Σ ev·1{a > 0}·x."""
    inputs, (width, many) = len(block), (len(active), len(error))
    bias, weight = inputs * width, (inputs + 1) * width
    zero = flat.dtype.type(0)
    for c in range(many):
        total = zero
        for s in range(size):
            total += error[c, s]
        slope[weight + many * width + c] += total
    if inputs == 2 and many == 1:
        _backward_plane(flat, (block[0], block[1]), size, active, error[0], slope)
        return
    for h in range(width):
        unit = active[h]
        below[:size] = zero
        for c in range(many):
            v, own = flat[weight + c * width + h], zero
            for s in range(size):
                own += error[c, s] * unit[s]
                below[s] += v * error[c, s]
            slope[weight + c * width + h] += own
        total = zero
        for s in range(size):
            below[s] = below[s] if unit[s] > zero else zero
            total += below[s]
        slope[bias + h] += total
        for i in range(inputs):
            total = zero
            for s in range(size):
                total += below[s] * block[i, s]
            slope[i * width + h] += total


@_compiled
def _backward_plane(
    flat: np.ndarray, coordinates: tuple[np.ndarray, np.ndarray], size: int, active: np.ndarray,
    error: np.ndarray, slope: np.ndarray,
) -> None:  # fmt: skip
    (first, second), width, zero = coordinates, len(active), flat.dtype.type(0)
    for h in range(width):
        unit, v = active[h], flat[3 * width + h]
        own, on, along, across = zero, zero, zero, zero
        for s in range(size):
            value = unit[s]
            passed = error[s] if value > zero else zero
            own += error[s] * value
            on += passed
            along += passed * first[s]
            across += passed * second[s]
        slope[h] += v * along
        slope[width + h] += v * across
        slope[2 * width + h] += v * on
        slope[3 * width + h] += own


@_compiled
def _errors(out: np.ndarray, y: np.ndarray, rows: np.ndarray, batch: int) -> None:
    """From outputs to (p − y)/batch, in place: p is the sigmoid or the softmax."""
    one, share = out.dtype.type(1), out.dtype.type(1 / batch)
    for s in range(len(rows)):
        if len(out) == 1:
            out[0, s] = (one / (one + math.exp(-out[0, s])) - y[rows[s]]) * share
            continue
        largest = _largest(out, s)
        total = out.dtype.type(0)
        for c in range(len(out)):
            out[c, s] = math.exp(out[c, s] - largest)
            total += out[c, s]
        for c in range(len(out)):
            out[c, s] *= share / total
        out[int(y[rows[s]]), s] -= share


@_compiled
def _block_loss(out: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
    """Sum of the cross-entropies of a block."""
    total = 0.0
    for s in range(len(rows)):
        if len(out) == 1:
            z = out[0, s]
            total += max(z, 0.0) - z * y[rows[s]] + math.log1p(math.exp(-abs(z)))
            continue
        largest, mass = _largest(out, s), 0.0
        for c in range(len(out)):
            mass += math.exp(out[c, s] - largest)
        total += math.log(mass) - (out[int(y[rows[s]]), s] - largest)
    return total


@_compiled
def _largest(out: np.ndarray, s: int) -> float:
    largest = out[0, s]
    for c in range(1, len(out)):
        largest = max(largest, out[c, s])
    return largest


@_compiled
def _finite(out: np.ndarray, size: int) -> bool:
    """Whether no output is NaN or infinite: the sum of such outputs isn't finite either."""
    total = 0.0
    for c in range(len(out)):
        for s in range(size):
            total += out[c, s]
    return math.isfinite(total)


@_compiled
def _loss(flat: np.ndarray, x: np.ndarray, y: np.ndarray, sizes: tuple[int, int, int]) -> float:
    inputs, width, many = sizes
    block, active = np.empty((inputs, BLOCK), flat.dtype), np.empty((width, BLOCK), flat.dtype)
    out, total, rows = np.empty((many, BLOCK), flat.dtype), 0.0, np.arange(len(x))
    for begin in range(0, len(x), BLOCK):
        part = rows[begin : begin + BLOCK]
        _gather(x, part, block)
        _forward(flat, block, len(part), active, out)
        total += _block_loss(out, y, part)
    return total / len(x)


@_compiled
def _outputs(flat: np.ndarray, x: np.ndarray, width: int, found: np.ndarray) -> None:
    block = np.empty((x.shape[1], BLOCK), flat.dtype)
    active, out = np.empty((width, BLOCK), flat.dtype), np.empty((len(found), BLOCK), flat.dtype)
    rows = np.arange(len(x))
    for begin in range(0, len(x), BLOCK):
        part = rows[begin : begin + BLOCK]
        _gather(x, part, block)
        _forward(flat, block, len(part), active, out)
        found[:, begin : begin + len(part)] = out[:, : len(part)]


@_compiled
def _adam(
    flat: np.ndarray, first: np.ndarray, second: np.ndarray, slope: np.ndarray,
    step: int, rate: float, decay: float,
) -> None:  # fmt: skip
    """AdamW (arXiv:1412.6980, 1711.05101): decay first, then the step."""
    kind = flat.dtype.type
    keep, scale = kind(1 - rate * decay), kind(rate / (1 - 0.9**step))
    fix, tiny = kind(1 / math.sqrt(1 - 0.999**step)), kind(1e-8)
    a, b, c, d = kind(0.9), kind(0.1), kind(0.999), kind(0.001)
    for i in range(len(flat)):
        g = slope[i]
        first[i] = a * first[i] + b * g
        second[i] = c * second[i] + d * g * g
        flat[i] = keep * flat[i] - scale * first[i] / (math.sqrt(second[i]) * fix + tiny)


@_compiled
def _descent(flat: np.ndarray, slope: np.ndarray, rate: float, decay: float) -> None:
    kind = flat.dtype.type
    keep, scale = kind(1 - rate * decay), kind(rate)
    for i in range(len(flat)):
        flat[i] = keep * flat[i] - scale * slope[i]


@_compiled
def _advance(
    weights: Three, data: Three, sizes: tuple[int, int, int], span: tuple[int, int],
    numbers: tuple[float, float, float], how: tuple[bool, bool, int],
) -> tuple[int, int, float]:  # fmt: skip
    (flat, first, second), (x, y, order) = weights, data
    (inputs, width, many), (start, steps), (rate, decay, target) = sizes, span, numbers
    adam, looks, epoch = how
    batch, last = order.shape[1], math.nan
    block, active = np.empty((inputs, BLOCK), flat.dtype), np.empty((width, BLOCK), flat.dtype)
    out, below, slope = np.empty((many, BLOCK), flat.dtype), active[0].copy(), flat.copy()
    for taken in range(steps):
        step, total = start + taken, 0.0
        if looks and epoch > 0 and step > 0 and step % epoch == 0:
            last = _loss(flat, x, y, sizes)
            if last <= target:
                return REACHED, taken, last
        slope[:] = 0
        for begin in range(0, batch, BLOCK):
            rows = order[taken % len(order), begin : begin + BLOCK]
            _gather(x, rows, block)
            _forward(flat, block, len(rows), active, out)
            if not _finite(out, len(rows)):
                return DIVERGED, taken, math.nan
            if looks and epoch == 0:
                total += _block_loss(out, y, rows)
            _errors(out, y, rows, batch)
            _backward(flat, block, len(rows), active, out, below, slope)
        if looks and epoch == 0:
            last = total / batch
            if last <= target:
                return REACHED, taken, last
        if adam:
            _adam(flat, first, second, slope, step + 1, rate, decay)
        else:
            _descent(flat, slope, rate, decay)
    return FINISHED, steps, last
