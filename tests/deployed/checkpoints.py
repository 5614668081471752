"""Writes TensorFlow's checkpoints as TensorFlow does, small ones: what the tests read."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from falsestruct.deployed.checkpoints import MAGIC

NUMBERS = {np.dtype("float32"): 1, np.dtype("float64"): 2, np.dtype("int32"): 3,
           np.dtype("int64"): 9, np.dtype("bool"): 10}  # fmt: skip


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(items: Sequence[tuple[bytes, bytes]], every: int = 16) -> bytes:
    """Keys share their beginnings with the one before, but for each one after `every` others."""
    out, before, restarts = bytearray(), b"", []
    for i, (key, value) in enumerate(items):
        shared = 0
        if i % every == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        out += (
            varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        )
        before = key
    restarts = restarts or [0]
    return bytes(out) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def write(prefix: Path, variables: Mapping[str, np.ndarray], *, blocks: int = 1) -> None:
    """PREFIX.index and PREFIX.data-00000-of-00001."""
    items, data = [(b"", field(1, 1))], b""
    for name, values in sorted(variables.items()):
        dims = b"".join(field(2, field(1, size)) for size in values.shape)
        raw = values.tobytes()
        check = varint(6 << 3 | 5) + b"abcd"  # a check sum, which the reader passes over
        items.append((name.encode(), field(1, NUMBERS[values.dtype]) + field(2, dims)
                      + field(4, len(data)) + field(5, len(raw)) + check))  # fmt: skip
        data += raw
    table, places = b"", []
    for part in np.array_split(np.arange(len(items)), blocks):
        own = block([items[i] for i in part])
        places.append((items[part[-1]][0] + b"~", varint(len(table)) + varint(len(own))))
        table += own + b"\0" + b"sums"
    meta, index = block([]), block(places)
    footer = b""
    for own in (meta, index):
        footer += varint(len(table)) + varint(len(own))
        table += own + b"\0" + b"sums"
    table += footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(prefix.name + ".index").write_bytes(table)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(data)
