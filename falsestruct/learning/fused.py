"""One small network after the other, all its steps in one compiled function.

The weights of a network with few inputs and one hidden layer are some kilobytes. Trained in
lockstep, thousands of such networks travel through memory in every step; trained one by one, a
network stays in the processor's nearest cache until it is done. A hidden unit's activities are
contiguous over the samples of a block, so that the compiler uses the processor's vectors.

`benchmarks/training.py` has the measurement. Results are those of the other engines but for
rounding, and the same to the byte for a seed, whatever the ensemble and the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

BLOCK = 64  # samples that pass through the network at once: their activities stay in the cache
INPUTS = 64  # at most; beyond it, matrix products are faster
FINISHED, REACHED, DIVERGED = range(3)
# Sums may be taken in any order; NaN and infinity must stay what they are.
_compiled: Callable[..., Any] = njit(
    nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy"
)


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
        """A network before its first step; `flat` is changed by training."""
        if flat.shape != ((inputs + 1 + outputs) * width + outputs,) or inputs > INPUTS:
            raise ValueError(
                f"flat has shape {flat.shape} for {inputs}-{width}-{outputs}; expected all weights "
                f"in a row, and at most {INPUTS} inputs"
            )
        return cls(flat, np.zeros_like(flat), np.zeros_like(flat), inputs, width, outputs)


@dataclass(frozen=True)
class Rule:
    """How a step changes the weights, and when a network is done.

    Attributes:
        rate, decay: Learning rate; decoupled weight decay.
        adam: Adam with its usual constants; otherwise plain gradient descent.
        target: Done as soon as the loss on the whole set is at most this; None: never.
        every: Steps between two looks at that loss.
    """

    rate: float
    decay: float = 0.0
    adam: bool = True
    target: float | None = None
    every: int = 1


def advance(
    state: State, x: np.ndarray, y: np.ndarray, order: np.ndarray, rule: Rule
) -> tuple[int, float]:
    """Take as many steps as `order` has rows, or fewer: until the target or a NaN.

    Args:
        state: Changed in place.
        x, y: Samples (samples, inputs) and labels (samples,), 0 or 1, or 0 … outputs − 1.
        order: The samples of each step, (steps, batch).

    Returns:
        FINISHED, REACHED or DIVERGED, and the last loss that was looked at: NaN if none was.
    """
    target = -1.0 if rule.target is None else rule.target
    status, taken, loss = _advance(
        state.flat, state.first, state.second, x, y, order,
        (state.inputs, state.width, state.outputs), state.step,
        (rule.rate, rule.decay, target), (rule.adam, rule.target is not None, rule.every),
    )  # fmt: skip
    state.step += taken
    return status, loss


def loss(state: State, x: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy on samples (samples, inputs), labels (samples,), in nats."""
    return float(_loss(state.flat, x, y, (state.inputs, state.width, state.outputs)))


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
    inputs, (width, outputs) = len(block), (len(active), len(out))
    bias, weight = inputs * width, (inputs + 1) * width
    zero = flat.dtype.type(0)
    for c in range(outputs):
        out[c, :size] = flat[weight + outputs * width + c]
    for h in range(width):
        unit, b = active[h], flat[bias + h]
        if inputs == 2:
            p, q = flat[h], flat[width + h]
            for s in range(size):
                value = b + block[0, s] * p + block[1, s] * q
                unit[s] = zero if value < zero else value
        else:
            unit[:size] = b
            for i in range(inputs):
                w = flat[i * width + h]
                for s in range(size):
                    unit[s] += block[i, s] * w
            for s in range(size):
                unit[s] = zero if unit[s] < zero else unit[s]
        for c in range(outputs):
            v = flat[weight + c * width + h]
            for s in range(size):
                out[c, s] += v * unit[s]


@_compiled
def _backward(
    flat: np.ndarray, block: np.ndarray, size: int, active: np.ndarray, error: np.ndarray,
    below: np.ndarray, slope: np.ndarray,
) -> None:  # fmt: skip
    """Add a block's part to the gradient: ∂v = Σ e·a, ∂b = Σ e·v·1{a > 0}, ∂w = Σ e·v·1{a > 0}·x."""
    inputs, (width, outputs) = len(block), (len(active), len(error))
    bias, weight = inputs * width, (inputs + 1) * width
    zero = flat.dtype.type(0)
    for c in range(outputs):
        total = zero
        for s in range(size):
            total += error[c, s]
        slope[weight + outputs * width + c] += total
    for h in range(width):
        unit = active[h]
        below[:size] = zero
        for c in range(outputs):
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
def _errors(out: np.ndarray, y: np.ndarray, rows: np.ndarray, batch: int) -> None:
    """From outputs to (p − y)/batch, in place: p is the sigmoid or the softmax."""
    one, share = out.dtype.type(1), out.dtype.type(1 / batch)
    if len(out) == 1:
        for s in range(len(rows)):
            out[0, s] = (one / (one + math.exp(-out[0, s])) - y[rows[s]]) * share
        return
    for s in range(len(rows)):
        largest = out[:, s].max()
        out[:, s] = np.exp(out[:, s] - largest)
        out[:, s] *= share / out[:, s].sum()
        out[int(y[rows[s]]), s] -= share


@_compiled
def _block_loss(out: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
    """Sum of the cross-entropies of a block."""
    total = 0.0
    for s in range(len(rows)):
        if len(out) == 1:
            z = out[0, s]
            total += max(z, 0.0) - z * y[rows[s]] + math.log1p(math.exp(-abs(z)))
        else:
            largest = out[:, s].max()
            own = out[int(y[rows[s]]), s] - largest
            total += math.log(np.exp(out[:, s] - largest).sum()) - own
    return total


@_compiled
def _loss(flat: np.ndarray, x: np.ndarray, y: np.ndarray, sizes: tuple[int, int, int]) -> float:
    inputs, width, outputs = sizes
    block, active = np.empty((inputs, BLOCK), flat.dtype), np.empty((width, BLOCK), flat.dtype)
    out, total, rows = np.empty((outputs, BLOCK), flat.dtype), 0.0, np.arange(len(x))
    for start in range(0, len(x), BLOCK):
        part = rows[start : start + BLOCK]
        _gather(x, part, block)
        _forward(flat, block, len(part), active, out)
        total += _block_loss(out, y, part)
    return total / len(x)


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
    flat: np.ndarray, first: np.ndarray, second: np.ndarray,
    x: np.ndarray, y: np.ndarray, order: np.ndarray, sizes: tuple[int, int, int], start: int,
    numbers: tuple[float, float, float], how: tuple[bool, bool, int],
) -> tuple[int, int, float]:  # fmt: skip
    (inputs, width, outputs), (rate, decay, target) = sizes, numbers
    adam, looks, every = how
    batch, last = order.shape[1], math.nan
    block, active = np.empty((inputs, BLOCK), flat.dtype), np.empty((width, BLOCK), flat.dtype)
    out, below, slope = np.empty((outputs, BLOCK), flat.dtype), active[0].copy(), flat.copy()
    for taken in range(len(order)):
        if looks and (start + taken) % every == 0:
            last = _loss(flat, x, y, sizes)
            if last <= target:
                return REACHED, taken, last
        slope[:] = 0
        for begin in range(0, batch, BLOCK):
            rows = order[taken, begin : begin + BLOCK]
            _gather(x, rows, block)
            _forward(flat, block, len(rows), active, out)
            _errors(out, y, rows, batch)
            _backward(flat, block, len(rows), active, out, below, slope)
        if not math.isfinite(slope[-1]):
            return DIVERGED, taken, math.nan
        if adam:
            _adam(flat, first, second, slope, start + taken + 1, rate, decay)
        else:
            _descent(flat, slope, rate, decay)
    return FINISHED, len(order), last
