"""ONNX files made by hand, without the package that makes them."""

from __future__ import annotations

import numpy as np


def packed(*fields: tuple[int, int | bytes]) -> bytes:
    """A protobuf message."""

    def varint(value: int) -> bytes:
        low, rest = value & 127, value >> 7
        return bytes([low | 128]) + varint(rest) if rest else bytes([low])

    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(varint(number << 3) + varint(value))
        else:
            parts.append(varint(number << 3 | 2) + varint(len(value)) + value)
    return b"".join(parts)


def onnx_model(weight: np.ndarray, shape: tuple[int | bytes, ...]) -> bytes:
    """Scores of an image (shape) by a matrix, as an ONNX file has it: Flatten, then MatMul."""
    dims = [packed((1, packed((1 if isinstance(d, int) else 2, d)))) for d in shape]
    given = packed((1, b"x"), (2, packed((1, packed((1, 1), (2, b"".join(dims)))))))
    scores = packed((1, b"s"), (2, packed((1, packed((1, 1))))))
    raw = weight.astype("<f4").tobytes()
    matrix = packed(*((1, d) for d in weight.shape), (2, 1), (8, b"w"), (9, raw))
    flatten = packed((1, b"x"), (2, b"f"), (4, b"Flatten"))
    product = packed((1, b"f"), (1, b"w"), (2, b"s"), (4, b"MatMul"))
    graph = packed((1, flatten), (1, product), (2, b"g"), (5, matrix), (11, given), (12, scores))
    return packed((1, 8), (7, graph), (8, packed((1, b""), (2, 13))))
