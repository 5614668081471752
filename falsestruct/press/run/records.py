"""Recorded runs: results too long to compute in a chapter, kept with what produced them."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from falsestruct.press.notebook import environment
from falsestruct.press.paths import (
    Book,
    UserError,
    find_book,
    make_folder,
    read_json,
    read_text,
    write_atomically,
)
from falsestruct.press.run import machine_code, surroundings
from falsestruct.sweep.reach import code_key, reachable

if TYPE_CHECKING:
    import pandas as pd

THREADS = 1  # of each task; tasks run side by side


@dataclass(frozen=True)
class Record:
    """A recorded run.

    Attributes:
        table: Its results.
        seconds: Processor seconds of each of its tasks.
        outdated: The package's code has changed since.
        about: Parameters, versions, machine, date, commit.
    """

    id: str
    table: pd.DataFrame
    seconds: tuple[float, ...]
    outdated: bool
    about: dict[str, Any]


def plan(book: Book) -> dict[str, dict[str, Any]]:
    """The recorded runs that `book/records.yml` names.

    Raises:
        UserError: it is no YAML, or an entry lacks its function or its tasks.
    """
    path = book.source / "records.yml"
    try:
        entries = (yaml.safe_load(read_text(path)) or {}) if path.exists() else {}
    except yaml.YAMLError as error:
        raise UserError("book/records.yml: " + " ".join(str(error).split())) from None
    for id, entry in entries.items() if isinstance(entries, dict) else [("it", None)]:
        if not isinstance(entry, dict) or not {"function", "tasks"} <= entry.keys():
            raise UserError(f"book/records.yml: {id}: expected a function and its tasks")
    return dict(entries)


def load(id: str, *, book: Book | None = None) -> Record:
    """The recorded run of this id.

    Raises:
        UserError: it is not planned, or was never made.
    """
    import pandas as pd

    book = book or find_book()
    entry = _entry(book, id)
    path = book.records / f"{id}.json"
    if not path.exists():
        raise UserError(f"the recorded run {id!r} was never made: run `falsestruct record {id}`")
    stored = read_json(path)
    table = pd.read_json(StringIO(json.dumps(stored.pop("table"))), orient="split", dtype=False)
    outdated = stored["code_key"] != _key(book, entry) or stored["tasks"] != entry["tasks"]
    return Record(id, table, tuple(stored["seconds"]), outdated, stored)


def former(id: str, *, book: Book | None = None) -> pd.DataFrame:
    """What code that is gone had found in this recorded run, as far as the book still tells of it.

    Raises:
        UserError: nothing of the kind is kept.
    """
    import pandas as pd

    path = (book or find_book()).records / f"{id}-former.csv"
    if not path.exists():
        raise UserError(f"of former runs of {id!r} nothing is kept: there is no {path.name}")
    return pd.read_csv(path)


def make(id: str, *, jobs: int = 1, book: Book | None = None) -> Record:
    """Compute a recorded run again and store it. The old one stays until the new one is whole.

    Raises:
        UserError: it is not planned, `jobs` is not positive, or it can't be stored.
        ValueError: a result is infinite, or a loss is NaN.
    """
    import pandas as pd  # here, so that the command line starts without it

    book = book or find_book()
    entry = _entry(book, id)
    if jobs < 1:
        raise UserError(f"jobs is {jobs}; expected at least 1")
    surroundings.check_clone(book)
    make_folder(book.records)  # better known before the long computation than after it
    # Of the code that runs, not of what is there when it ends.
    key, commit = _key(book, entry), environment.commit(book.root)
    reached = reachable(book.root, [_module(entry)])
    if not reached:
        raise UserError(f"no module {_module(entry)!r}, which book/records.yml names for {id!r}")
    machine_code.keep(book.root, reached)
    with ProcessPoolExecutor(max_workers=jobs, max_tasks_per_child=1) as pool:
        futures = [pool.submit(_timed, entry["function"], task) for task in entry["tasks"]]
        tables, seconds = zip(*(future.result() for future in futures), strict=True)
    table = pd.concat(tables, ignore_index=True)
    _check_finite(id, table)
    record = {
        "id": id,
        "function": entry["function"],
        "tasks": entry["tasks"],
        "code_key": key,
        "seconds": [round(value, 1) for value in seconds],
        "date": datetime.now(UTC).date().isoformat(),
        "environment": environment.describe() | {"threads": THREADS},
        "commit": commit,
        "table": json.loads(table.to_json(orient="split", index=False, double_precision=15)),
    }
    write_atomically(book.records / f"{id}.json", json.dumps(record, indent=None) + "\n")
    return load(id, book=book)


def _check_finite(id: str, table: pd.DataFrame) -> None:
    numbers = table.select_dtypes("number")
    # NaN elsewhere means "not measured at this step"; JSON would make null of infinity as well.
    bad = [str(name) for name in numbers if np.isinf(numbers[name]).any()]
    bad += ["loss"] if "loss" in numbers and numbers["loss"].isna().any() else []
    if bad:
        raise ValueError(f"recorded run {id!r}: NaN or infinity in {', '.join(bad)}; not stored")


def _entry(book: Book, id: str) -> dict[str, Any]:
    entries = plan(book)
    if id not in entries:
        known = ", ".join(entries) or "none"
        raise UserError(f"no recorded run {id!r} in book/records.yml; known: {known}")
    return entries[id]


def _key(book: Book, entry: dict[str, Any]) -> str:
    return code_key(book.root, [_module(entry)])


def _module(entry: dict[str, Any]) -> str:
    return str(entry["function"]).partition(":")[0]


def _timed(function: str, task: dict[str, Any]) -> tuple[pd.DataFrame, float]:
    import torch

    torch.set_num_threads(THREADS)
    module, _, name = function.partition(":")
    call: Callable[..., pd.DataFrame] = getattr(importlib.import_module(module), name)
    start = time.process_time()  # what else the machine does counts for nothing
    return call(**task), time.process_time() - start
