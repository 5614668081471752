"""TensorFlow's checkpoints (its tensor bundle), read without TensorFlow.

The index is a table of LevelDB: blocks of sorted keys with shared beginnings, and at its end the
places of the blocks. Its values are protocol buffers that say where in the data file a variable
lies. As TensorFlow's `tensor_bundle.cc` and LevelDB's `table_format.md` describe it; blocks that
are compressed, which TensorFlow doesn't write, are refused. Check sums aren't looked at: a number
that was damaged is read as it is.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes: two places, padding, MAGIC
TRAILER = 5  # bytes behind each block: how it is compressed, and a check sum
DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64}  # of types.proto
Fields = dict[int, list[int | bytes]]


class CheckpointError(ValueError):
    """What can't be read, in one line."""


@dataclass(frozen=True)
class Entry:
    """Where a variable lies.

    Attributes:
        dtype: Of types.proto.
        shard: Which data file.
        offset, size: In bytes.
    """

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints below a folder, without their endings: the last of each of its folders."""
    found: dict[Path, Path] = {}
    for index in sorted(folder.rglob("*.index"), key=lambda path: (str(path.parent), _step(path))):
        found[index.parent] = index.with_suffix("")
    return list(found.values())


def read(prefix: Path) -> dict[str, np.ndarray]:
    """The variables of a checkpoint, by name; those of other types than numbers are left out.

    Args:
        prefix: Path without .index and .data-….

    Raises:
        CheckpointError: A file is missing, short, compressed, or no checkpoint.
    """
    shards, entries = index(_bytes(_ended(prefix, ".index")))
    data = [_bytes(_ended(prefix, f".data-{i:05d}-of-{shards:05d}")) for i in range(shards)]
    found = {}
    for name, entry in entries.items():
        if entry.dtype not in DTYPES:
            continue
        if not entry.shard < shards:
            raise CheckpointError(f"{prefix}: {name} is in data file {entry.shard} of {shards}")
        raw = data[entry.shard][entry.offset : entry.offset + entry.size]
        dtype = np.dtype(DTYPES[entry.dtype]).newbyteorder("<")
        if len(raw) != entry.size or entry.size != math.prod(entry.shape) * dtype.itemsize:
            raise CheckpointError(f"{prefix}: {name} has {len(raw)} bytes; expected shape "
                                  f"{entry.shape} of {dtype}")  # fmt: skip
        try:
            found[name] = np.frombuffer(raw, dtype).reshape(entry.shape)
        except (ValueError, OverflowError) as error:  # an empty one with huge sides
            raise CheckpointError(f"{prefix}: {name}: {error}") from None
    return found


def index(table: bytes) -> tuple[int, dict[str, Entry]]:
    """Number of data files, and the entries of an index file.

    Raises:
        CheckpointError: As `read`.
    """
    if len(table) < FOOTER or int.from_bytes(table[-8:], "little") != MAGIC:
        raise CheckpointError("no index of a checkpoint: its last bytes aren't those of a table")
    try:
        _, _, place = _place(table[-FOOTER:], 0)
        start, size, _ = _place(table[-FOOTER:], place)
        shards, entries = 1, {}
        for _, handle in _block(table, start, size):
            own_start, own_size, _ = _place(handle, 0)
            for key, value in _block(table, own_start, own_size):
                if key:
                    entries[key.decode()] = _entry(value)
                else:
                    shards = _number(_fields(value), 1, 1)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise CheckpointError(f"an index of a checkpoint that breaks off: {error}") from None
    return shards, entries


def _place(raw: bytes, place: int) -> tuple[int, int, int]:
    """Start and size of a block, and the place behind them."""
    start, place = _varint(raw, place)
    size, place = _varint(raw, place)
    return start, size, place


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block."""
    raw = table[start : start + size]
    if len(raw) < size or table[start + size] != 0:
        raise CheckpointError("a block of the index is compressed or breaks off; expected neither")
    restarts = struct.unpack("<I", raw[-4:])[0]
    place, stop, key = 0, len(raw) - 4 * (restarts + 1), b""
    while place < stop:
        shared, place = _varint(raw, place)
        own, place = _varint(raw, place)
        length, place = _varint(raw, place)
        key = key[:shared] + raw[place : place + own]
        place += own
        yield key, raw[place : place + length]
        place += length


def _entry(value: bytes) -> Entry:
    """BundleEntryProto: dtype 1, shape 2 (dimension 2, size 1), shard 3, offset 4, size 5."""
    fields = _fields(value)
    shape = []
    for given in fields.get(2, []):
        for dimension in _fields(given).get(2, []) if isinstance(given, bytes) else []:
            shape.append(_number(_fields(dimension), 1, 0) if isinstance(dimension, bytes) else 0)
    numbers = (_number(fields, field, 0) for field in (3, 4, 5))
    return Entry(_number(fields, 1, 0), tuple(shape), *numbers)


def _number(fields: Fields, field: int, default: int) -> int:
    last = fields.get(field, [default])[-1]
    return last if isinstance(last, int) else default


def _fields(raw: bytes) -> Fields:
    """A protocol buffer as numbers and bytes by field."""
    found: Fields = {}
    place = 0
    while place < len(raw):
        tag, place = _varint(raw, place)
        value: int | bytes
        if tag & 7 == 0:
            value, place = _varint(raw, place)
        else:
            size = {1: 8, 5: 4}.get(tag & 7, -1)
            if size < 0:
                size, place = _varint(raw, place)
            value, place = raw[place : place + size], place + size
        found.setdefault(tag >> 3, []).append(value)
    return found


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place behind it."""
    value = shift = 0
    while True:
        byte = raw[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _ended(prefix: Path, end: str) -> Path:
    return prefix.with_name(prefix.name + end)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from None


def _step(path: Path) -> int:
    last = path.stem.rpartition("-")[2]
    return int(last) if last.isdigit() else -1
