"""A grid of runs: in order, resumable, shared between processes."""

import importlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
from collections import Counter
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from falsestruct.sweep import grid as module
from falsestruct.sweep.grid import SweepError, sweep
from falsestruct.sweep.store import Store, StoreError

REPOSITORY = Path(__file__).parents[2]
LIMIT = 120  # seconds after which something hangs
TASKS = '''
"""What the tests sweep. A line is added to `log` for every call."""

import math
import os
import signal
import time

import pandas as pd


def note(log, n):
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{n} {os.getpid()}\\n".encode())
    os.close(file)


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.005)


def square(*, log, n):
    note(log, n)
    return {"square": n * n, "root": n**0.5, "even": n % 2 == 0, "name": f"n{n}"}


def rows(*, n, scale=1.0):
    return pd.DataFrame({"i": range(n), "x": [math.pi * scale * i for i in range(n)]})


def gated(*, log, n, gate, closed):
    """Every point from `closed` on waits for the gate."""
    note(log, n)
    if n >= closed:
        wait_for(gate)
    return {"square": n * n}


def met(*, log, n, gate):
    """Goes on when a second process has begun a point."""
    note(log, n)
    while len({line.split()[1] for line in open(log)}) < 2:
        time.sleep(0.005)
    return {"square": n * n}


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fails(*, log, n):
    note(log, n)
    if n in (1, 3):
        raise OddError("this", "that") if n == 3 else ValueError("no 1\\nplease")
    return {"square": n * n}


def dies(*, log, n, gate):
    if n == 2 and not os.path.exists(gate):
        os.kill(os.getpid(), signal.SIGKILL)
    note(log, n)
    return {"square": n * n}


def threads():
    import torch

    return {"threads": torch.get_num_threads()}

'''
SCRIPT = """
import json, os, sys
from pathlib import Path
from falsestruct.sweep.grid import sweep
import {name} as tasks

store, function, grid = sys.argv[1:]
table = sweep(getattr(tasks, function), json.loads(grid), store=store)
print(table.to_json(orient="records"))
"""


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("SWEEPS", "SCHEDULER", "PROGRESS"):
        monkeypatch.delenv(f"FALSESTRUCT_{name}", raising=False)


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module that worker processes can import."""
    name = f"tasks_{tmp_path.name}".replace("-", "_").replace("[", "_").replace("]", "_")
    (tmp_path / f"{name}.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.write_text("")
    return path


def calls(log):
    """How often each point was computed."""
    return dict(sorted(Counter(int(line.split()[0]) for line in log.open()).items()))


def pool(workers=2, method="spawn"):
    return ProcessPoolExecutor(workers, mp_context=get_context(method))


def grid(log, n, **more):
    return [{"log": str(log), "n": i, **more} for i in range(n)]


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "this hangs"
        time.sleep(0.01)


# The table


def local(a, b=0):
    return {"sum": a + b}


def test_a_mapping_is_all_combinations_the_last_name_fastest():
    found = sweep(local, {"a": [2, 1], "b": [0.5, 1.5]})
    expected = {"a": [2, 2, 1, 1], "b": [0.5, 1.5] * 2, "sum": [2.5, 3.5, 1.5, 2.5]}
    assert_frame_equal(found, pd.DataFrame(expected), check_exact=True)


def several(rows, label, options=None):
    return pd.DataFrame({"i": range(rows), "label": [label.upper()] * rows}, index=[7] * rows)


def test_rows_follow_the_grid_with_scalar_arguments_in_front():
    points = [
        {"rows": 2, "label": "b", "options": [1]},
        {"rows": 0, "label": "c"},
        {"rows": 1, "label": "a"},
    ]
    expected = pd.DataFrame({"rows": [2, 2, 1], "i": [0, 1, 0], "label": ["B", "B", "A"]})
    assert_frame_equal(sweep(several, iter(points)), expected, check_exact=True)


def test_an_empty_grid_is_an_empty_table():
    assert sweep(local, []).shape == (0, 0) == sweep(local, {"a": []}).shape


def special(n):
    return {"x": [math.nan, math.inf, -0.0][n], "y": 0.1 * n}


def test_computed_and_stored_are_the_same_table(tmp_path):
    computed = sweep(special, {"n": [2, 0, 1]}, store=tmp_path)
    for store in (str(tmp_path), None):
        assert_frame_equal(
            sweep(special, {"n": [2, 0, 1]}, store=store), computed, check_exact=True
        )
    assert math.copysign(1, computed["x"][0]) == -1 and computed["y"][0] == 0.1 * 2


def test_the_table_does_not_depend_on_the_executor(tasks, tmp_path):
    points = {"scale": [0.1, 3], "n": [3, 0, 2]}
    expected = sweep(tasks.rows, points)
    assert expected["x"].tolist() == [
        math.pi * scale * i for scale in (0.1, 3) for n in (3, 0, 2) for i in range(n)
    ]
    for place in (ThreadPoolExecutor(3), pool(), pool(1, "fork")):
        with place:
            found = sweep(tasks.rows, points, executor=place, store=tmp_path / str(id(place)))
        assert_frame_equal(found, expected, check_exact=True)


class Backwards(Executor):
    """Computes when all points are there, the last one first."""

    def __init__(self, total):
        self.total, self.calls, self.order = total, [], []

    def submit(self, fn, /, *args):
        future = Future()
        self.calls.append((future, fn, args))
        if len(self.calls) == self.total:
            threading.Thread(target=self.run).start()
        return future

    def run(self):
        for future, fn, args in reversed(self.calls):
            self.order.append(json.loads(args[1])["a"])
            future.set_result(fn(*args))


def test_the_order_is_the_grids_whatever_finishes_first():
    place = Backwards(5)
    found = sweep(local, {"a": [3, 1, 4, 0, 5]}, executor=place)
    assert place.order == [5, 0, 4, 1, 3] and found["a"].tolist() == [3, 1, 4, 0, 5]


def test_equal_points_are_computed_once(tmp_path, tasks, log):
    points = [*grid(log, 2), *grid(log, 2)]
    seen = []
    found = sweep(tasks.square, points, progress=seen.append)
    assert found["square"].tolist() == [0, 1, 0, 1] and calls(log) == {0: 1, 1: 1}
    assert (seen[-1].done, seen[-1].total) == (4, 4)


# What may be swept


def test_settings_that_no_key_can_name():
    def inner(a):
        return {}

    for function in (inner, lambda a: {}, [].append, types.SimpleNamespace.__init__, 3):
        with pytest.raises(TypeError, match="at the top level of a module"):
            sweep(function, {"a": [1]})


def test_a_function_of_a_notebook(monkeypatch):
    notebook = types.ModuleType("a_notebook")
    exec("def f(a):\n    return {}", vars(notebook))
    monkeypatch.setitem(sys.modules, "a_notebook", notebook)
    with pytest.raises(TypeError, match=r"has no file.* write it into a module"):
        sweep(notebook.f, {"a": [1]})


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([{"a": 1}, {"a": np.float64(1)}], TypeError, r"point 1: \['a'\].*numpy.float64.*\.item"),
        ([{"a": (1, 2)}], TypeError, r"\['a'\] is \(1, 2\) of type builtins.tuple"),
        ([{"a": {"b": [0, object()]}}], TypeError, r"\['a'\]\['b'\]\[1\] is <object"),
        ([{"a": {1: 2}}], TypeError, "1 is int; expected a str"),
        ([{"a": math.nan}], ValueError, "is nan; expected a finite number"),
        ([{"a": [-math.inf]}], ValueError, r"\['a'\]\[0\] is -inf"),
        ([{3: 1}], TypeError, "3 is int; expected a str"),
        ([1], TypeError, "point 0 is 1; expected its arguments by name"),
        ({"a": "text"}, TypeError, "the grid's 'a' is 'text'; expected a list"),
        ({"a": 3}, TypeError, "the grid's 'a' is 3"),
    ],
)
def test_arguments_that_are_not_plain(points, error, message, tmp_path):
    with pytest.raises(error, match=message):
        sweep(local, points, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def kind(a):
    return {"kind": type(a).__name__}


def test_one_is_not_one_point_zero_is_not_true(tmp_path):
    for values in ([1, 1.0, True, "1", None, 0.0, -0.0], [None, True, 1.0, 1]):
        found = sweep(kind, {"a": values}, store=tmp_path)
        assert found["kind"].tolist() == [type(value).__name__ for value in values]
    assert len(list(tmp_path.glob("*.json"))) == 7


def changes(a):
    a.append(3)
    return {"length": len(a)}


def test_a_function_cannot_change_the_grid():
    points = [{"a": [1]}, {"a": [1, 2]}]
    assert sweep(changes, points)["length"].tolist() == [2, 3] and points[0] == {"a": [1]}


# What is stored


def test_only_new_points_are_computed(tasks, log, tmp_path):
    sweep(tasks.square, grid(log, 3), store=tmp_path / "store")
    seen = []
    found = sweep(tasks.square, grid(log, 5)[::-1], store=tmp_path / "store", progress=seen.append)
    assert found["square"].tolist() == [16, 9, 4, 1, 0]
    assert calls(log) == dict.fromkeys(range(5), 1)
    # What is stored comes first, and says nothing about the time left.
    assert [(p.done, p.from_store, p.failed, p.total) for p in seen] == [
        (0, 0, 0, 5), (1, 1, 0, 5), (2, 2, 0, 5), (3, 3, 0, 5), (4, 3, 0, 5), (5, 3, 0, 5),
    ]  # fmt: skip
    assert [p.left is None for p in seen] == [True] * 4 + [False] * 2 and seen[-1].left == 0
    assert seen[4].left is not None and 0 <= seen[4].left <= seen[4].seconds


def test_the_folder_of_the_environment(tasks, log, tmp_path, monkeypatch):
    monkeypatch.setenv("FALSESTRUCT_SWEEPS", str(tmp_path / "store"))
    sweep(tasks.square, grid(log, 2))
    sweep(tasks.square, grid(log, 2))
    assert calls(log) == {0: 1, 1: 1} and len(list((tmp_path / "store").glob("*.json"))) == 2


def test_a_damaged_entry_is_computed_again(tasks, log, tmp_path):
    expected = sweep(tasks.square, grid(log, 2), store=tmp_path / "store")
    path = min((tmp_path / "store").glob("*.json"))
    path.write_bytes(path.read_bytes().replace(b'"rows": 1', b'"rows": 2'))
    with pytest.warns(UserWarning, match=f"{path.name} is damaged"):
        again = sweep(tasks.square, grid(log, 2), store=tmp_path / "store")
    assert_frame_equal(again, expected, check_exact=True)
    assert sorted(calls(log).values()) == [1, 2]
    sweep(tasks.square, grid(log, 2), store=tmp_path / "store")
    assert sorted(calls(log).values()) == [1, 2]


def test_a_store_that_cannot_be_written_stops_before_the_first_point(tasks, log, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't keep results in"):
        sweep(tasks.square, grid(log, 2), store=tmp_path / "file")
    assert calls(log) == {}


def test_a_full_disk_is_a_failure_of_the_point(tasks, log, tmp_path, monkeypatch):
    real, left = Store.write, [1]

    def write(self, *args):
        if left:
            left.pop()
            raise OSError(28, "No space left on device")
        real(self, *args)

    monkeypatch.setattr(Store, "write", write)
    with pytest.raises(
        SweepError, match=r"1 of 3 points failed.*\n.*could not be stored.*No space"
    ):
        sweep(tasks.square, grid(log, 3), store=tmp_path / "store")
    sweep(tasks.square, grid(log, 3), store=tmp_path / "store")
    assert calls(log) == {0: 2, 1: 1, 2: 1}


PACKAGE = {
    "falsestruct/job.py": (
        "from falsestruct import helper\n\n\ndef f(*, log, n):\n"
        "    open(log, 'a').write(f'{n} 0\\n')\n    return {'x': helper.FACTOR * n}\n"
    ),
    "falsestruct/helper.py": "FACTOR = 2\n",
    "falsestruct/other.py": "X = 1\n",
    "requirements.txt": "numpy==1\n",
    "outside.py": (
        "from falsestruct.job import f\n\n\ndef g(*, log, n):\n    return f(log=log, n=n)\n"
    ),
    "go.py": (
        "import sys\nfrom falsestruct import job\nfrom falsestruct.sweep import grid as sweep\n"
        "import outside\n"
        "f = outside.g if sys.argv[2] == 'outside' else job.f\n"
        "table = sweep.sweep(f, {'log': [sys.argv[1]], 'n': [1, 2]}, store='store')\n"
        "print(table['x'].tolist())\n"
    ),
}
PARTS = (
    "__init__",
    "files",
    *(f"sweep/{n}" for n in ("__init__", "progress", "reach", "store", "grid")),
)


def go(root, log, which):
    command = [sys.executable, "go.py", str(log), which]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("which", ["inside", "outside"])
def test_changed_source_is_another_point(tmp_path, log, which):
    for name in PARTS:
        (tmp_path / "falsestruct" / "sweep").mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / f"falsestruct/{name}.py", tmp_path / f"falsestruct/{name}.py")
    for name, text in PACKAGE.items():
        (tmp_path / name).write_text(text)
    assert go(tmp_path, log, which) == [2, 4]
    computed = 1
    for name, old, new, counts in (
        ("falsestruct/other.py", "X = 1", "X = 2", False),
        ("falsestruct/helper.py", "2", "3", True),
        (f"{'falsestruct/job' if which == 'inside' else 'outside'}.py", "def", "# why\ndef", True),
        ("requirements.txt", "1", "2", True),
    ):
        path = tmp_path / name
        path.write_text(path.read_text().replace(old, new))
        found = go(tmp_path, log, which)
        computed += counts
        assert calls(log) == {1: computed, 2: computed}, name
    assert found == [3, 6]
    path.write_text("numpy==1\n")  # back again: what was stored then still counts
    go(tmp_path, log, which)
    assert calls(log) == {1: computed, 2: computed}


def edit(tasks, old, new):
    path = Path(tasks.__file__)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_edit_under_a_running_process_is_refused(tasks, log, tmp_path):
    """What is loaded is the old code; its results must not go under the new code's key."""
    sweep(tasks.square, grid(log, 2), store=tmp_path / "store")
    edit(tasks, "n * n", "n * n + 1")
    with pytest.raises(RuntimeError, match=r"has changed since .*start a new process"):
        sweep(tasks.square, grid(log, 2), store=tmp_path / "store")


class EditsFirst(ProcessPoolExecutor):
    def submit(self, fn, /, *args):
        if (edited := self.__dict__.pop("edit", None)) is not None:
            edited()
        return super().submit(fn, *args)


def test_a_worker_with_other_source_is_refused(tasks, log, tmp_path):
    with EditsFirst(1, mp_context=get_context("spawn")) as place:
        place.edit = lambda: edit(tasks, "n * n", "n * n + 1")
        with pytest.raises(SweepError, match="the worker runs other code than the one that sub"):
            sweep(tasks.square, grid(log, 2), executor=place, store=tmp_path / "store")
    assert calls(log) == {} and list((tmp_path / "store").glob("*.json")) == []


def test_a_worker_that_outlives_an_edit_is_refused(tasks, log, monkeypatch):
    """It would compute with the code it has loaded, whatever the file says now."""
    with pool(1) as place:
        sweep(tasks.square, grid(log, 1), executor=place)
        edit(tasks, "n * n", "n * n + 1")
        monkeypatch.setattr(module, "_read", {})  # as in a new process
        with pytest.raises(SweepError, match="other code"):
            sweep(tasks.square, grid(log, 2), executor=place)
    assert calls(log) == {0: 1}


# Errors


def no_two(n):
    if n == 2:
        raise KeyError("two")
    return {"n": n}


def test_an_error_names_its_arguments_and_the_others_finish(tmp_path):
    with pytest.raises(SweepError) as caught:
        sweep(no_two, {"n": [1, 2, 3]}, store=tmp_path)
    first, second = str(caught.value).splitlines()
    assert first == f"1 of 3 points failed; the others are stored in {tmp_path}"
    assert second == """  {"n": 2}: KeyError: 'two'"""
    (failure,) = caught.value.failures
    assert failure.arguments == {"n": 2} and isinstance(failure.error, KeyError)
    assert caught.value.__cause__ is failure.error
    assert sweep(no_two, {"n": [3, 1]}, store=tmp_path)["n"].tolist() == [3, 1]


def never(n):
    raise ValueError(n)


def test_a_message_shows_the_first_failures():
    seen = []
    with pytest.raises(SweepError) as caught:
        sweep(never, {"n": list(range(8))}, progress=seen.append)
    lines = str(caught.value).splitlines()
    assert lines[0] == "8 of 8 points failed; nothing is stored: give a store"
    assert lines[1:6] == [f'  {{"n": {n}}}: ValueError: {n}' for n in range(5)]
    assert lines[6:] == ["  and 3 more"] and len(caught.value.failures) == 8
    assert (seen[-1].done, seen[-1].failed, seen[-1].left) == (0, 8, 0.0)


def bad(n):
    return {"n": [n]}


def test_a_result_that_is_no_table_is_a_failure():
    with pytest.raises(SweepError, match=r'{"n": 1}: TypeError: column \'n\' has dtype object'):
        sweep(bad, {"n": [1]})


def test_errors_come_from_worker_processes_with_their_traceback(tasks, log, tmp_path):
    """Also one that cannot be unpickled, which would break the pool."""
    with pool() as place, pytest.raises(SweepError) as caught:
        sweep(tasks.fails, grid(log, 6), executor=place, store=tmp_path / "store")
    one, three = caught.value.failures
    assert (one.arguments["n"], three.arguments["n"]) == (1, 3)
    assert isinstance(one.error, ValueError) and str(three.error) == "OddError: this and that"
    assert "ValueError: no 1 please" in str(caught.value)
    assert "in fails\n    raise OddError" in one.error.__notes__[0]
    assert calls(log) == dict.fromkeys(range(6), 1)
    assert len(list((tmp_path / "store").glob("*.json"))) == 4


def test_a_killed_worker_is_told_and_the_next_start_takes_up(tasks, log, tmp_path):
    points = grid(log, 20, gate=str(tmp_path / "gate"))
    with (
        pool(1) as place,
        pytest.raises(SweepError, match=r"the worker died.*start the sweep ag") as e,
    ):
        sweep(tasks.dies, points, executor=place, store=tmp_path / "store")
    assert {type(failure.error) for failure in e.value.failures} <= set(subclasses(BrokenExecutor))
    assert [failure.arguments["n"] for failure in e.value.failures] == list(range(2, 20))
    (tmp_path / "gate").touch()
    with pool(1) as place:
        found = sweep(tasks.dies, points, executor=place, store=tmp_path / "store")
    assert found["square"].tolist() == [n * n for n in range(20)]
    assert calls(log) == dict.fromkeys(range(20), 1)


def subclasses(kind):
    return [kind, *(below for child in kind.__subclasses__() for below in subclasses(child))]


class Pending(Executor):
    """Computes the first point; the others wait for ever."""

    def __init__(self):
        self.futures = []

    def submit(self, fn, /, *args):
        future = Future()
        if not self.futures:
            future.set_result(fn(*args))
        self.futures.append(future)
        return future


def test_an_interruption_cancels_what_waits_and_keeps_what_is_stored(tasks, log, tmp_path):
    def interrupt(progress):
        if progress.done == 1:
            raise KeyboardInterrupt

    place = Pending()
    with pytest.raises(KeyboardInterrupt):
        sweep(
            tasks.square, grid(log, 4), executor=place, store=tmp_path / "store",
            progress=interrupt,
        )  # fmt: skip
    assert [future.cancelled() for future in place.futures] == [False, True, True, True]
    sweep(tasks.square, grid(log, 4), store=tmp_path / "store")
    assert calls(log) == dict.fromkeys(range(4), 1)


def stops(n, stop):
    if n == stop:
        raise KeyboardInterrupt
    return {"n": n}


def test_an_interruption_of_this_process_is_no_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sweep(stops, {"stop": [2], "n": [0, 1, 2, 3]}, store=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_cancelled_point_is_a_failure():
    place = Pending()

    def cancel(progress):
        if progress.done == 1:
            for future in place.futures[1:]:
                future.cancel()

    with pytest.raises(SweepError, match=r'2 of 3.*\n.*{"n": 2}: CancelledError: the worker died'):
        sweep(no_cancel, {"n": [1, 2, 3]}, executor=place, progress=cancel)


def no_cancel(n):
    return {"n": n}


# Where it is computed


class Holding(Executor):
    """Finishes its points when as many are there as it wants to see at once."""

    def __init__(self, wanted, **attributes):
        self.wanted, self.held, self.most = wanted, [], 0
        vars(self).update(attributes)

    def submit(self, fn, /, *args):
        future = Future()
        self.held.append((future, fn(*args)))
        self.most = max(self.most, len(self.held))
        if len(self.held) == self.wanted:
            held, self.held = self.held, []
            threading.Thread(target=lambda: [f.set_result(r) for f, r in held]).start()
        return future


@pytest.mark.parametrize(
    ("points", "attributes", "at_once"),
    [(24, {"_max_workers": 2}, 8), (8_192, {}, 8_192)],
)
def test_enough_points_are_submitted_at_once_but_not_all(points, attributes, at_once):
    """A cluster of 4,096 cores is kept busy; a pool leaves something for a second process."""
    place = Holding(at_once, **attributes)
    arguments = {"n": list(range(points))}
    thread = threading.Thread(
        target=lambda: sweep(no_cancel, arguments, executor=place), daemon=True
    )
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive() and place.most == at_once


def test_a_worker_uses_one_thread(tasks, monkeypatch):
    pytest.importorskip("torch")
    edit(tasks, "import pandas as pd", "import pandas as pd\nimport torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pool(1) as place:
        assert sweep(tasks.threads, [{}], executor=place)["threads"].tolist() == [1]


def test_the_cluster_of_the_environment(monkeypatch):
    place = Backwards(2)
    cluster = types.ModuleType("falsestruct.sweep.cluster")
    cluster.from_environment = lambda: place
    monkeypatch.setitem(sys.modules, "falsestruct.sweep.cluster", cluster)
    sweep(local, {"a": [1, 2]})
    assert place.order == []
    monkeypatch.setenv("FALSESTRUCT_SCHEDULER", "tcp://somewhere")
    sweep(local, {"a": [1, 2]})
    assert place.order == [2, 1]


def test_the_progress_file_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FALSESTRUCT_PROGRESS", str(tmp_path / "progress"))
    sweep(local, {"a": [1, 2]}, store=tmp_path / "store")
    said = json.loads((tmp_path / "progress").read_text())
    assert {k: said[k] for k in ("done", "total", "failed", "from_store", "left")} == {
        "done": 2, "total": 2, "failed": 0, "from_store": 0, "left": 0.0,
    }  # fmt: skip


# Processes that are killed, and that share a store


@pytest.fixture
def start(tasks, tmp_path):
    """A sweep in a process of its own, on the store that all tests of this part use."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(name=tasks.__name__))
    begun = []
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])

    def start(function, points):
        command = [
            sys.executable, str(script), str(tmp_path / "store"), function, json.dumps(points),
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def test_a_killed_sweep_takes_up_where_it_was(tasks, log, tmp_path, start):
    points = grid(log, 8, gate=str(tmp_path / "gate"), closed=4)
    process = start("gated", points)
    until(lambda: len(calls(log)) == 5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(list((tmp_path / "store").glob("*.json"))) == 4
    (tmp_path / "gate").touch()
    seen = []
    found = sweep(tasks.gated, points, store=tmp_path / "store", progress=seen.append)
    assert found["square"].tolist() == [n * n for n in range(8)] and seen[-1].from_store == 4
    assert calls(log) == {n: 2 if n == 4 else 1 for n in range(8)}
    assert_frame_equal(found, sweep(tasks.gated, points), check_exact=True)


def test_two_processes_on_one_store(log, tmp_path, start):
    """They may compute a point twice; what they find is the same, and nothing is half there."""
    points = grid(log, 60, gate="")
    processes = [start("met", points) for _ in range(2)]
    tables = [json.loads(process.communicate(timeout=LIMIT)[0]) for process in processes]
    assert [row["square"] for row in tables[0]] == [n * n for n in range(60)]
    assert tables[0] == tables[1]
    assert set(calls(log)) == set(range(60)) and len(os.listdir(tmp_path / "store")) == 60


def test_what_another_process_stores_meanwhile_is_not_computed(tasks, log, tmp_path):
    points, store = grid(log, 3), tmp_path / "store"

    def another(progress):
        if progress.done == 1:
            sweep(tasks.square, points[2:], store=store)

    sweep(tasks.square, points, store=store, progress=another)
    assert calls(log) == dict.fromkeys(range(3), 1)


def test_a_function_of_a_script_and_a_pool(tmp_path):
    """`__main__` has a file, and spawned workers import it."""
    (tmp_path / "own.py").write_text(
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from falsestruct.sweep.grid import sweep\n\n\n"
        "def f(n):\n    return {'x': n + 1}\n\n\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as pool:\n"
        "        print(sweep(f, {'n': [1, 2]}, executor=pool)['x'].tolist())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "own.py"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False, timeout=LIMIT,
    )  # fmt: skip
    assert done.stdout == "[2, 3]\n", done.stderr
