"""What a sweep keeps: tables as JSON, one checked file a point, and who computes which point.

A store is a folder of entries `<key>.json`. In its folder `claims`, each process that uses the
store has a file `<owner>.owner` that it keeps locked while it lives; the operating system frees
the lock when it dies, however that happens. A claim `<key>.claim` is a hard link to the owner's
file, so making one is atomic and says whose it is, and any number of claims needs one open file.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

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
    """A folder of entries, used by this process until the `with` block ends.

    Several processes, and several threads of one, may use a folder at once.

    Raises:
        StoreError: on entering: the folder can't be written, or knows no locks or hard links.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._claims = self.folder / "claims"
        self._owner = self._claims / f"{uuid.uuid4().hex}.owner"
        self._life = _lock(self._owner)

    def __enter__(self) -> Self:
        try:
            self._claims.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError("permission denied")
            self.bury_the_dead()
            with self._alone():
                self._life.acquire()
            self.claim(self._owner.stem)  # a trial
            self.release(self._owner.stem)
        except OSError as error:
            why = error.strerror or error
            raise StoreError(
                f"can't keep results in {self.folder}: {why}; name a folder on a file system with "
                "locks and hard links that you may write to, or none"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with self._alone():
            for claim in self._claims_of(self._owner):
                claim.unlink()
            self._life.release()
            self._owner.unlink(missing_ok=True)

    def claim(self, key: str) -> bool:
        """Take a point; False if it is taken. Only then look whether the store has it.

        In that order no point is computed twice: who gives a claim back has written before.
        """
        try:
            os.link(self._owner, self._claim(key))
        except FileExistsError:
            return False
        return True

    def release(self, key: str) -> None:
        """Give a claimed point back."""
        self._claim(key).unlink(missing_ok=True)

    def bury_the_dead(self) -> None:
        """Give back what killed processes had claimed."""
        with self._alone():
            for owner in self._claims.glob("*.owner"):
                if owner != self._owner:
                    self._bury(owner)

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

    def _claim(self, key: str) -> Path:
        return self._claims / f"{key}.claim"

    def _alone(self) -> FileLock:
        """For what must not happen twice at once; held for moments."""
        return _lock(self._claims / "lock", timeout=-1)

    def _claims_of(self, owner: Path) -> list[Path]:
        number = _inode(owner)
        return [path for path in self._claims.glob("*.claim") if _inode(path) == number]

    def _bury(self, owner: Path) -> None:
        """Remove all traces of an owner that is dead; its claims last but one, its file last.

        While we hold its lock nobody makes or removes claims in its name: it is dead, and others
        who would bury it wait for us.
        """
        life = _lock(owner)
        try:
            life.acquire()
        except Timeout:
            return  # alive
        claims = self._claims_of(owner)
        keys = {path.stem for path in claims}
        for part in self.folder.glob(f".*.json.*{files.PART}") if keys else ():
            if part.name[1:].partition(".")[0] in keys:  # what it was writing
                part.unlink()
        for path in claims:
            path.unlink()
        life.release()
        owner.unlink()


class Nowhere(Store):
    """A store that keeps nothing."""

    def __init__(self) -> None:
        """No folder."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def claim(self, key: str) -> bool:
        """Every point is free."""
        return True

    def release(self, key: str) -> None:
        """Nothing was claimed."""

    def bury_the_dead(self) -> None:
        """Nothing was claimed."""

    def has(self, key: str) -> bool:
        """There is nothing."""
        return False

    def read(self, key: str) -> None:
        """There is nothing."""

    def write(self, key: str, about: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Nothing is kept."""


def _lock(path: Path, *, timeout: float = 0) -> FileLock:
    # A lock that is no more than an existing file would outlive a killed process.
    return FileLock(path, timeout=timeout, poll_interval=0.01, fallback_to_soft=False)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:  # given back a moment ago
        return None
