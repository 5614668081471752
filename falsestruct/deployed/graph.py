"""An ONNX graph as a function of torch tensors, for its gradients.

Only the operations of RapidOCR's direction classifier; `onnx` reads the file. Its answers are
compared with onnxruntime's before they count.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Values = dict[str, Tensor]
Own = dict[str, Any]  # an operation's attributes


def _conv(own: Own, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    top, left, bottom, right = own["pads"]
    padded = functional.pad(x, (left, right, top, bottom))
    return functional.conv2d(padded, weight, bias, own["strides"], groups=own.get("group", 1))


def _pool(own: Own, x: Tensor) -> Tensor:
    top, left, bottom, right = own["pads"]
    padded = functional.pad(x, (left, right, top, bottom), value=-torch.inf)
    return functional.max_pool2d(padded, own["kernel_shape"], own["strides"])


def _hard(own: Own, x: Tensor) -> Tensor:
    return (own.get("alpha", 0.2) * x + own.get("beta", 0.5)).clamp(0, 1)


def _normal(own: Own, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return functional.batch_norm(x, mean, var, scale, shift, eps=own.get("epsilon", 1e-5))


def _clip(own: Own, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    lowest = own.get("min") if low is None else float(low)
    return x.clamp(lowest, own.get("max") if high is None else float(high))


def _reshape(own: Own, x: Tensor, shape: Tensor) -> Tensor:
    sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(shape.long().tolist())]
    return x.reshape(sizes)


def _slice(own: Own, x: Tensor, start: Tensor, end: Tensor, *axes: Tensor) -> Tensor:
    return x[int(start) : int(end)]  # of a shape, the only thing that is sliced


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda own, a, b: a + b,
    "BatchNormalization": _normal,
    "Cast": lambda own, x: x,
    "Clip": _clip,
    "Concat": lambda own, *parts: torch.cat([part.reshape(-1) for part in parts]),
    "Conv": _conv,
    "Div": lambda own, a, b: a / b,
    "GlobalAveragePool": lambda own, x: x.mean((2, 3), keepdim=True),
    "HardSigmoid": _hard,
    "Identity": lambda own, x: x,
    "MatMul": lambda own, a, b: a @ b,
    "MaxPool": _pool,
    "Mul": lambda own, a, b: a * b,
    "Relu": lambda own, x: x.relu(),
    "Reshape": _reshape,
    "Shape": lambda own, x: torch.tensor(x.shape),
    "Slice": _slice,
    "Softmax": lambda own, x: x.softmax(own.get("axis", -1)),
}


class Graph:
    """The graph of a file.

    Raises:
        ImportError: onnx isn't installed.
        ValueError: The graph has an operation that isn't known here.
    """

    def __init__(self, path: Path) -> None:
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(str(path)).graph
        self.input = graph.input[0].name
        self.known: Values = {one.name: _tensor(numpy_helper.to_array(one))
                              for one in graph.initializer}  # fmt: skip
        self.steps: list[tuple[str, Own, list[str], str]] = []
        for node in graph.node:
            own = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            if node.op_type == "Constant":
                self.known[node.output[0]] = _tensor(numpy_helper.to_array(own["value"]))
            elif node.op_type in OPERATIONS:
                self.steps.append((node.op_type, own, list(node.input), node.output[0]))
            else:
                known = ", ".join(OPERATIONS)
                raise ValueError(f"{path.name} has a {node.op_type}; expected only {known}")

    def logits(self, x: Tensor) -> Tensor:
        """What goes into the last softmax, (inputs, classes), for inputs (inputs, …)."""
        values = {**self.known, self.input: x}
        for name, own, inputs, output in self.steps:
            given = [values[one] for one in inputs if one]
            if name == "Softmax":
                return given[0]
            values[output] = OPERATIONS[name](own, *given)
        raise ValueError("the graph has no softmax; expected a classifier's")


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values))
