"""A grid of runs of one function, over any executor: resumable, shared, with time left."""

from __future__ import annotations

import functools
import hashlib
import importlib
import itertools
import json
import math
import os
import pickle
import queue
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from falsestruct.sweep import reach
from falsestruct.sweep.progress import Progress, Report, Tally, reports
from falsestruct.sweep.store import Store, encode, table

STORE = "FALSESTRUCT_SWEEPS"
SCHEDULER = "FALSESTRUCT_SCHEDULER"
ROOT = Path(__file__).resolve().parents[2]
FORM = "falsestruct sweep 1"  # of keys and entries: another one makes all stored points void

# Points that are submitted at once. A pool that tells its size gets a few a worker: what a second
# process on the store has finished by then is read. A cluster doesn't tell: its queue has to hold
# enough for 4,096 cores.
A_WORKER, UNKNOWN = 4, 8_192
SHOWN = 5  # failures in a message


@dataclass(frozen=True)
class Failure:
    """A point that could not be computed."""

    arguments: dict[str, Any]
    error: BaseException

    def __str__(self) -> str:
        kind, text = type(self.error).__name__, " ".join(str(self.error).split())
        if isinstance(self.error, (BrokenExecutor, CancelledError)) or kind == "KilledWorker":
            text = f"the worker died or was stopped; start the sweep again to go on ({text})"
        return f"{_canonical(self.arguments)}: {kind}: {text}"


class SweepError(Exception):
    """Points of a sweep failed; all others are finished, and stored if there is a store.

    Attributes:
        failures: In grid order.
    """

    def __init__(self, message: str, failures: Sequence[Failure] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


def sweep(
    function: Callable[..., Mapping[str, Any] | pd.DataFrame],
    grid: Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]],
    *,
    executor: Executor | None = None,
    store: Path | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Call a function at every point of a grid; one table of all results, in grid order.

    A finished point is stored at once, so a sweep that was killed takes up where it was. Several
    processes may sweep on one store: what one has stored no other begins. The key of a stored
    point covers the bytes of every file of the package that the function's module reaches (and of
    the module's own file, if it lies outside), `requirements.txt`, the function's name, and the
    arguments, where 1, 1.0 and True differ. It doesn't cover other modules outside of the package,
    data that the function reads, the number of threads, or the machine. Files are read at the
    first sweep of the process: what was edited needs a new process.

    Args:
        function: A function at the top level of a module that an executor's workers can import.
            It takes its arguments by keyword and returns one row (a mapping) or several (a data
            frame) of int, float, bool and str. The same arguments must give the same result.
        grid: The arguments of each point; or for each name its values, for all combinations, the
            last name changing fastest. Values are str, int, finite float, bool, None, and lists
            and dicts of these. Equal points are computed once.
        executor: Where points are computed, one thread each; it is not shut down. None: the
            cluster that $FALSESTRUCT_SCHEDULER names, else this process, with all its threads.
        store: A folder; None: $FALSESTRUCT_SWEEPS, else nothing is stored.
        progress: Called after every point. None: a bar, if standard error is a terminal. In any
            case the file $FALSESTRUCT_PROGRESS, if set, gets the JSON of `Progress`.

    Returns:
        The rows of all points. Scalar arguments lead as columns, unless the function returned a
        column of that name.

    Raises:
        TypeError, ValueError: a function or arguments that no key or worker could name.
        StoreError: the store can't be written; nothing has been computed.
        SweepError: points failed; the others are finished.
    """
    given = _points(grid)
    module, reference = _refer(function)
    texts = [_canonical(point) for point in given]
    source = _source(module)
    keys = [_key(source, reference, text) for text in texts]
    if executor is None:
        executor = _from_environment() or _Here()
    folder = store or os.environ.get(STORE)
    shelf = Store(Path(folder)) if folder else None
    with reports(progress, reference) as report:
        points = dict(zip(keys, texts, strict=True))
        run = _Run(reference, points, Counter(keys), executor, shelf, report)
        run.all()
    _raise_for(run.errors, dict(zip(keys, given, strict=True)), keys, folder)
    scalars = [{k: v for k, v in p.items() if not isinstance(v, (list, dict))} for p in given]
    return table([(s, run.results[key]) for s, key in zip(scalars, keys, strict=True)])


def _raise_for(
    errors: Mapping[str, BaseException],
    points: Mapping[str, dict[str, Any]],
    keys: Sequence[str],
    folder: Path | str | None,
) -> None:
    failures = [Failure(points[key], errors[key]) for key in keys if key in errors]
    if not failures:
        return
    kept = f"the others are stored in {folder}" if folder else "nothing is stored: give a store"
    more = [f"and {len(failures) - SHOWN} more"] if len(failures) > SHOWN else []
    lines = [f"{len(failures)} of {len(keys)} points failed; {kept}"]
    lines += [str(failure) for failure in failures[:SHOWN]]
    raise SweepError("\n  ".join(lines + more), failures) from failures[0].error


# What is computed, and its key


def _points(
    grid: Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The arguments of each point, checked."""
    points: Iterable[Mapping[str, Any]]
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
                raise TypeError(f"the grid's {name!r} is {values!r}; expected a list of values")
        combinations = itertools.product(*grid.values())
        points = [dict(zip(grid, values, strict=True)) for values in combinations]
    else:
        points = list(grid)
    for index, point in enumerate(points):
        if not isinstance(point, Mapping):
            raise TypeError(f"point {index} is {point!r}; expected its arguments by name")
        _check(f"point {index}: ", dict(point))
    return [dict(point) for point in points]


def _refer(function: Callable[..., Any]) -> tuple[ModuleType, str]:
    """The function's module, and the "module:name" by which a worker finds it."""
    name = getattr(function, "__qualname__", "")
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if module is None or vars(module).get(name) is not function:
        raise TypeError(
            f"{function!r} can't be imported by its name, so no worker would find it: sweep a "
            "function that is defined at the top level of a module (no lambda, no inner function, "
            "no method), and give it its settings as arguments"
        )
    if not getattr(module, "__file__", None):
        raise TypeError(
            f"{name} is defined in {module.__name__}, which has no file, so its source has no "
            "key: write it into a module and import it"
        )
    return module, f"{module.__name__}:{name}"


def _check(where: str, value: Any) -> None:
    kind = type(value)
    if kind is list:
        for index, item in enumerate(value):
            _check(f"{where}[{index}]", item)
    elif kind is dict:
        for name, item in value.items():
            if type(name) is not str:
                raise TypeError(f"{where}{name!r} is {type(name).__name__}; expected a str")
            _check(f"{where}[{name!r}]", item)
    elif kind is float and not math.isfinite(value):
        raise ValueError(f"{where} is {value!r}; expected a finite number, or None")
    elif kind not in (str, int, float, bool, type(None)):
        raise TypeError(
            f"{where} is {value!r} of type {kind.__module__}.{kind.__qualname__}; expected str, "
            "int, float, bool, None, or lists and dicts of these: convert it (.item(), list())"
        )


def _canonical(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, allow_nan=False)


def _key(source: str, reference: str, arguments: str) -> str:
    return hashlib.sha256("\n".join([FORM, source, reference, arguments]).encode()).hexdigest()


_read: dict[Path, str] = {}  # digests of the files as this process first saw them


def _source(module: ModuleType) -> str:
    """Digest of all source that a module's functions can reach.

    Raises:
        RuntimeError: a file is not what it was when this process first swept with it. The loaded
            code may be the old one then, and its result must not go under the new one's key.
    """
    lines = []
    for path in _files(module):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if _read.setdefault(path, digest) != digest:
            raise RuntimeError(
                f"{path} has changed since this process first swept with it, and may be loaded in "
                "its old form: start a new process (restart the kernel, the workers)"
            )
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        lines.append(f"{name} {digest}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(module: ModuleType) -> list[Path]:
    requirements = [path for path in [ROOT / "requirements.txt"] if path.exists()]
    if module.__name__.split(".")[0] == reach.PACKAGE:
        return [*requirements, *reach.reachable(ROOT, [module.__name__])]
    own = Path(module.__file__ or "").resolve()
    reached = reach.imported(own.read_text(), ROOT, package=module.__package__ or "")
    return [*requirements, own, *reach.reachable(ROOT, reached)]


# In the worker


@dataclass(frozen=True)
class _Outcome:
    """What a worker sends back: an encoded table, or an error and where it was raised."""

    result: str
    seconds: float
    error: Exception | None = None
    trace: str = ""


# Once a process, when the module has just been loaded. If a worker outlives an edit, its key stays
# that of what it has loaded.
_loaded_source = functools.cache(_source)


def _work(reference: str, arguments: str, key: str, threads: int | None) -> _Outcome:
    """Compute one point, wherever this is called.

    Args:
        threads: For PyTorch, if the function's module loads it; None leaves them as they are.
    """
    start = time.perf_counter()
    try:
        home, _, name = reference.partition(":")
        module = importlib.import_module(home)
        if _key(_loaded_source(module), reference, arguments) != key:
            raise RuntimeError(
                f"the worker runs other code than the one that submits: {module.__file__}, what it "
                "imports, or requirements.txt differs; give both the same files, restart the worker"
            )
        torch = sys.modules.get("torch")
        if torch and threads and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        result = encode(vars(module)[name](**json.loads(arguments)))
    except Exception as error:
        trace = traceback.format_exc()
        return _Outcome("", time.perf_counter() - start, _portable(error), trace)
    return _Outcome(result, time.perf_counter() - start)


def _portable(error: Exception) -> Exception:
    """The error, or its text: one that can't be unpickled would break a whole pool."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _Here(Executor):
    """This process, at once."""

    _max_workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Compute, then return."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _from_environment() -> Executor | None:
    if not os.environ.get(SCHEDULER):
        return None
    cluster: Any = importlib.import_module("falsestruct.sweep.cluster")
    executor: Executor | None = cluster.from_environment()
    return executor


# In the process that submits


class _Run:
    """The points of one sweep: waiting, running, over."""

    def __init__(
        self,
        reference: str,
        points: Mapping[str, str],
        times: Mapping[str, int],
        executor: Executor,
        store: Store | None,
        report: Report,
    ) -> None:
        """Points are arguments by key, times how often each key is in the grid."""
        self.results: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, BaseException] = {}
        self._reference, self._points, self._times = reference, points, times
        self._executor, self._store, self._report = executor, store, report
        self._tally = Tally(sum(times.values()))
        self._running: dict[Future[_Outcome], str] = {}
        self._over: queue.SimpleQueue[Future[_Outcome]] = queue.SimpleQueue()
        here = isinstance(executor, _Here)
        workers = getattr(executor, "_max_workers", None)  # no public name tells it
        self._at_once = 1 if here else A_WORKER * workers if workers else UNKNOWN
        self._threads = None if here else 1

    def all(self) -> None:
        """Bring every point to its end; if interrupted, cancel what waits."""
        self._report(self._tally.progress())
        try:
            self._loop()
        except BaseException:
            for future in self._running:
                future.cancel()
            raise

    def _loop(self) -> None:
        # What is stored comes first, so that the estimate of the time left knows what is to do.
        waiting = deque(sorted(self._points, key=lambda key: not self._has(key)))
        while waiting or self._running:
            while waiting and len(self._running) < self._at_once:
                self._begin(waiting.popleft())
            if self._running:
                self._end_one()

    def _has(self, key: str) -> bool:
        return self._store is not None and self._store.has(key)

    def _begin(self, key: str) -> None:
        """Read or submit a point."""
        result = self._store.read(key) if self._store else None
        if result is None:
            self._submit(key)
        else:
            self.results[key] = result
            self._close(key, from_store=True)

    def _submit(self, key: str) -> None:
        self._tally.submitted()
        arguments = self._points[key]
        try:
            future = self._executor.submit(_work, self._reference, arguments, key, self._threads)
        except RuntimeError as error:  # a broken pool is one; every later point comes here too
            future = Future()
            future.set_exception(error)
        self._running[future] = key
        future.add_done_callback(self._over.put)

    def _end_one(self) -> None:
        """Wait for a point to finish, and store it."""
        future = self._over.get()
        key = self._running.pop(future)
        error = CancelledError() if future.cancelled() else future.exception()
        if error is None:
            error = self._keep(key, future.result())
        if error is not None:
            self.errors[key] = error
        self._close(key)

    def _keep(self, key: str, outcome: _Outcome) -> Exception | None:
        """Store what a worker sent; or the error."""
        if outcome.error is not None:
            if outcome.error.__traceback__ is None:  # lost on the way from another process
                outcome.error.add_note(outcome.trace)
            return outcome.error
        result = json.loads(outcome.result)
        about = {
            "function": self._reference,
            "arguments": json.loads(self._points[key]),
            "seconds": outcome.seconds,
        }
        try:
            if self._store:
                self._store.write(key, about, result)
        except OSError as error:
            return OSError(f"computed, but it could not be stored: {error}")
        self.results[key] = result
        return None

    def _close(self, key: str, *, from_store: bool = False) -> None:
        self._tally.ended(self._times[key], failed=key in self.errors, from_store=from_store)
        self._report(self._tally.progress())
