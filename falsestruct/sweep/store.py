"""What a sweep keeps: tables as JSON, and a folder with one checked file `<key>.json` a point."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from falsestruct import files

LARGEST = 2**63 - 1  # of an int64
DTYPES = {"int": "int64", "float": "float64", "bool": "bool", "str": "str"}
_HEAD = '{{"checksum": "{}", '


class StoreError(Exception):
    """A store that can't be used; nothing has been computed."""


def encode(result: Any) -> str:
    """A table as JSON that reads back exactly: floats bit for bit, NaN and ±inf as such.

    Args:
        result: A mapping (one row) or a data frame; columns of int, float, bool or str. Narrower
            numbers are widened to int64 and float64. A data frame's index is left out.

    Raises:
        TypeError: something else; it says what and where.
    """
    if isinstance(result, Mapping):
        rows, frame = 1, pd.DataFrame({name: [value] for name, value in result.items()})
    elif isinstance(result, pd.DataFrame):
        rows, frame = len(result), result
    else:
        kind = type(result).__name__
        raise TypeError(f"got {kind}; expected a mapping (one row) or a pandas DataFrame")
    names = list(frame.columns)
    if len(set(names)) < len(names) or not all(type(name) is str for name in names):
        raise TypeError(f"columns are {names}; expected different strings")
    if any(name is not None for name in frame.index.names):
        raise TypeError(f"the index has names {list(frame.index.names)}: use reset_index() first")
    return json.dumps({"rows": rows, "columns": {name: _column(frame[name]) for name in names}})


def _column(series: pd.Series) -> list[Any]:
    """A column's kind and its values; missing text is None."""
    dtype, values = series.dtype, series.tolist()
    if isinstance(dtype, pd.StringDtype) or pd.api.types.infer_dtype(series) == "string":
        return ["str", [None if pd.isna(value) else str(value) for value in values]]
    kinds = {"b": "bool", "i": "int", "u": "int", "f": "float"}
    plain = isinstance(dtype, np.dtype) and dtype.itemsize <= 8  # no nullable, no long double
    kind = kinds.get(dtype.kind) if plain else None
    if kind is None or (kind == "int" and max(values, default=0) > LARGEST):
        shown = f"{series.name!r} has dtype {dtype}, values {values[:3]}"
        raise TypeError(f"column {shown}; expected plain int, float, bool or str: convert it")
    return [kind, values]


Part = tuple[Mapping[str, Any], Mapping[str, Any]]


def table(parts: Sequence[Part]) -> pd.DataFrame:
    """One table of several: the rows in order, with scalars as leading columns.

    A column that a part lacks is missing there (NaN; None among bool and in mixed columns), and
    so is a scalar None.

    Args:
        parts: Of each part, its scalars by name, and its decoded table. A column of the table
            wins over a scalar of the same name.
    """
    own = list(dict.fromkeys(name for _, part in parts for name in part["columns"]))
    leading = dict.fromkeys(name for scalars, _ in parts for name in scalars if name not in own)
    columns = {}
    for name in [*leading, *own]:
        cells = [
            part["columns"].get(name) or _constant(scalars.get(name), part["rows"])
            for scalars, part in parts
        ]
        kinds = {kind for kind, values in cells if values} or {kind for kind, _ in cells}
        values = [value for _, values in cells for value in values]
        columns[name] = pd.Series(values, dtype=_dtype(kinds))
    rows = sum(part["rows"] for _, part in parts)
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))


def _constant(value: Any, rows: int) -> tuple[str, list[Any]]:
    kind = type(value).__name__
    if kind == "int" and not -LARGEST - 1 <= value <= LARGEST:
        kind = "object"
    return kind, [value] * rows


def _dtype(kinds: set[str]) -> str:
    if kinds == {"str", "NoneType"}:
        return "str"
    if kinds <= {"int", "float", "NoneType"} and kinds != {"int"}:
        return "float64"
    return DTYPES.get(next(iter(kinds)), "object") if len(kinds) == 1 else "object"


def _seal(rest: bytes) -> bytes:
    return _HEAD.format(hashlib.sha256(rest).hexdigest()).encode() + rest


def _read(raw: bytes) -> dict[str, Any] | None:
    """What an entry says, or None if a single byte of it is not the one that was written."""
    if raw != _seal(raw[len(_seal(b"")) :]):
        return None
    entry: dict[str, Any] = json.loads(raw)
    return entry


class Store:
    """A folder of entries. Several processes, and several threads of one, may use it at once.

    Two of them may compute a point twice, with equal results; whoever is last writes.

    Raises:
        StoreError: the folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError("permission denied")
        except OSError as error:
            why = error.strerror or error
            raise StoreError(
                f"can't keep results in {self.folder}: {why}; name a folder that you may write to, "
                "or none"
            ) from error

    def has(self, key: str) -> bool:
        """Whether there is an entry, damaged or not."""
        return self._entry(key).exists()

    def read(self, key: str) -> dict[str, Any] | None:
        """The decoded table of a point, or None if there is no whole entry; warns if damaged."""
        path = self._entry(key)
        try:
            entry = _read(path.read_bytes())
            damage = None if entry else "its checksum is not that of its content"
        except FileNotFoundError:
            return None
        except OSError as error:
            entry, damage = None, f"{error.strerror or error}"
        if entry and entry["key"] != key:
            damage = f"it is the entry of {entry['key']}"
        if entry is None or damage:
            warnings.warn(
                f"{path} is damaged ({damage}); the point is computed again", stacklevel=2
            )
            return None
        return entry["result"]

    def write(self, key: str, about: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Store a point: the old entry or the new one is there at every moment, never half.

        Raises:
            OSError: it can't be written.
        """
        entry = {"key": key, **about, "result": result}
        rest = json.dumps(entry).removeprefix("{") + "\n"
        files.write_atomically(self._entry(key), _seal(rest.encode()))

    def _entry(self, key: str) -> Path:
        return self.folder / f"{key}.json"
