"""A real scheduler and real workers: processes of their own, over TCP on this machine."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import psutil
import pytest

from falsestruct.sweep import cluster
from falsestruct.sweep.cluster import ClusterError
from tests.conftest import REPOSITORY, make_book

LIMIT = 90.0  # against hanging; nothing here takes so long
# What a run says of a book that is in no repository, as these are, and all that it says.
TOLD = (
    "falsestruct: commit unknown: not a git repository (or any of the parent directories): .git\n"
)
PROMISED = 10.0  # seconds until the one line


def wait_for(condition, seconds=LIMIT):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "took too long"
        time.sleep(0.05)
    return found


@dataclass
class Dask:
    """Processes of a cluster, each the head of its own group."""

    folder: Path
    path: str
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name, *words, before="", **environment):
        """`dask scheduler` or `dask worker`, with Python lines to execute before."""
        code = f"import sys\n{before}\nfrom distributed.cli.dask_{name} import main\nmain()"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FALSESTRUCT", "DASK"))}
        with (self.folder / f"{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code, "--no-dashboard", *words], cwd=self.folder,
                env=kept | {"PYTHONPATH": self.path} | environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def scheduler(self, before=""):
        file = self.folder / f"scheduler-{len(self.processes)}.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        process = self.start("scheduler", *words, before=before)

        def address():
            assert process.poll() is None, "the scheduler ended"
            try:
                return json.loads(file.read_text())["address"]
            except (FileNotFoundError, ValueError):
                return None

        self.address = wait_for(address)

    def worker(self, *words, before="", **environment):
        """A worker of one thread; it is there when this returns."""
        words = (self.address, "--nthreads", "1", "--host", "127.0.0.1", *words)
        process = self.start("worker", *words, before=before, **environment)
        wait_for(lambda: process.poll() is not None or "Registered to" in self.log(process))
        assert process.poll() is None, self.log(process)
        return process

    def log(self, process):
        return (self.folder / f"{self.processes.index(process)}.log").read_text()

    def end(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def cluster_of(folder, path):
    folder.mkdir(parents=True, exist_ok=True)
    found = Dask(folder, str(path))
    try:
        yield found
    finally:
        found.end()


def run(desk, *words):
    """`falsestruct run` as a reader calls it; what it says, and how long it takes."""
    start = time.monotonic()
    done = desk.call("run", *words)
    return done, time.monotonic() - start


# ---- without a cluster ----


@pytest.mark.parametrize(
    "address",
    [
        "", "here", "tcp://here", "tcp://:8786", "tcp://host:", "tcp://host:0", "tcp://host:99999",
        "tcp://host:port", "http://127.0.0.1:8787", "tcp://a:1/status", "tcp://[::1:1", "a b:1",
        "tcp://a:1\ntcp://b:1",
    ],
)  # fmt: skip
def test_an_address_that_is_none(address):
    with pytest.raises(ClusterError, match=r"expected tcp://HOST:PORT") as caught:
        cluster.connect(address)
    assert repr(address) in str(caught.value) and "\n" not in str(caught.value)


def test_here_is_the_default_and_loads_nothing_of_dask():
    code = (
        "import sys; from falsestruct import cli; from falsestruct.sweep import cluster;"
        "from falsestruct.press.run import runner;"
        "assert cluster.from_environment() is None; runner.workers(runner.Request());"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'dask', 'distributed'}))"
    )
    kept = {k: v for k, v in os.environ.items() if k != cluster.VARIABLE}
    assert subprocess.check_output([sys.executable, "-c", code], env=kept, text=True) == "[]\n"


# ---- whatever is wrong is one line within ten seconds ----


def check(code, out, err, message):
    assert (code, out) == (2, ""), out + err
    assert err.startswith("falsestruct: ") and err.count("\n") == 1, err
    assert re.search(message, err), err


def refused_by_process(desk, address, message):
    """As a reader meets it: with the time to start, and whatever Dask prints."""
    done, seconds = run(desk, "--scheduler", address, "02_two")
    check(done.returncode, done.stdout, done.stderr, message)
    assert seconds < PROMISED
    assert not desk.file("_build").exists() and not desk.file("notebooks").exists()


@pytest.fixture
def refused(desk, invoke):
    """The same without starting a process."""

    def call(address, message):
        start = time.monotonic()
        check(*invoke(desk, "run", "--scheduler", address, "02_two"), message)
        assert time.monotonic() - start < PROMISED

    return call


@contextlib.contextmanager
def listener(answer):
    """Something that listens, and does this with everybody who calls."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while server.fileno() != -1:
                with contextlib.suppress(OSError):  # a caller who has gone, or the test is over
                    calls.append(server.accept()[0])
                    answer(calls[-1])

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for call in calls:
        call.close()


def test_nobody_listens(desk):
    with socket.socket() as taken:  # and kept, so that nobody else begins to listen there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        message = rf"no Dask scheduler at tcp://127.0.0.1:{port} .*; start one"
        refused_by_process(desk, f"tcp://127.0.0.1:{port}", message)


def test_something_mute_listens(desk):
    with listener(lambda call: None) as address:
        refused_by_process(desk, address, "no Dask scheduler at .* answers in 4 s")


@pytest.mark.parametrize(
    "answer",
    [lambda call: call.close(), lambda call: call.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
    ids=["closes", "http"],
)
def test_something_else_listens(refused, answer):
    with listener(answer) as address:
        refused(address, "no Dask scheduler at .*, or none that we understand")


VERSION = """
from importlib import metadata
real = metadata.version
metadata.version = lambda name: {!r} if name == {!r} else real(name)
"""
HANDSHAKE = "from distributed.comm import core; core.Comm.handshake_info = lambda self: {}"


def test_other_schedulers(desk, refused, tmp_path):
    """Another version by its own word, and one so old that not even the handshake is the same."""
    with cluster_of(tmp_path / "dask", REPOSITORY) as dask:
        dask.scheduler(before=VERSION.format("2020.1.0", "distributed"))
        here = re.escape(metadata.version("distributed"))
        there = f"the scheduler at {dask.address} has distributed 2020.1.0, here it is {here}: use"
        refused_by_process(desk, dask.address, there)
        dask.scheduler(before=HANDSHAKE)
        refused(dask.address, "or none that we understand")


def test_workers_that_would_compute_something_else(desk, refused, tmp_path):
    """None, one that lacks the package, others of other versions, code, threads."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "falsestruct", tmp_path / "falsestruct", ignore=ignore)
    (tmp_path / "falsestruct/statistics.py").write_text("Z = 2\n")
    with cluster_of(tmp_path / "dask", REPOSITORY) as dask:
        dask.scheduler()
        no_worker = f"the scheduler at {dask.address} has no worker; start some"
        refused_by_process(desk, dask.address, no_worker)
        for kind, message in [
            ({"before": VERSION.format("1.2.3", "numpy")}, "has numpy 1.2.3, here it is "),
            ({"before": "sys.modules['falsestruct'] = None"}, "can't use this package .*NotFound"),
            ({"PYTHONPATH": str(tmp_path)}, f"has other code, in {tmp_path}/falsestruct; here it"),
            ({"OMP_NUM_THREADS": "2"}, "has OMP_NUM_THREADS=2, which changes the last digits"),
        ]:
            process = dask.worker("--no-nanny", **({"OMP_NUM_THREADS": "1"} | kind))
            address = re.findall(r"worker at: +(tcp://\S+)", dask.log(process))[-1]
            refused(dask.address, f"worker {address} {message}")
            if "PYTHONPATH" in kind:
                refused(address, f"no Dask scheduler at {address} answers")
            process.kill()
            process.wait()


# ---- chapters and points on a cluster ----

POINTS = '''\
"""Points of a sweep; they run where they are sent."""

import os
import time
from pathlib import Path

import numpy as np

from falsestruct.sweep.grid import sweep


def point(*, seed):
    return {"norm": float(np.linalg.norm(np.random.default_rng(seed).standard_normal((40, 40)), 2))}


def value(seeds):
    return float(sweep(point, {"seed": list(range(4 * seeds))})["norm"].sum())


def slow(*, folder, seed):
    """A point that says who computes it."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.15)
    return point(seed=seed)
'''
SWEEP = """
import json, sys
from falsestruct.problems import one
from falsestruct.sweep.grid import sweep
table = sweep(one.slow, {"folder": [sys.argv[1]], "seed": list(range(30))})
print(json.dumps(table["norm"].tolist()))
"""


@pytest.fixture(scope="module")
def desk_of_points(tmp_path_factory):
    """A book with a sweep, that was run here, side by side."""
    desk = make_book(tmp_path_factory.mktemp("points") / "work")
    desk.file("falsestruct/problems/one.py").write_text(POINTS)
    desk.file("book/03_last.md").unlink()
    done = desk.call("run", "--jobs", "2", "01_one")
    assert done.returncode == 0, done.stdout + done.stderr
    return desk


@pytest.fixture(scope="module")
def dask(desk_of_points, tmp_path_factory):
    """One worker of one thread, below its nanny."""
    with cluster_of(tmp_path_factory.mktemp("dask"), desk_of_points.root) as dask:
        dask.scheduler()
        dask.worker("--nanny")
        yield dask


@pytest.fixture
def desk_(desk_of_points):
    """It is as it was when a test is over: the workers see this one folder."""
    path = desk_of_points.file("book/02_two.md")
    text = path.read_text()
    yield desk_of_points
    path.write_text(text)
    desk_of_points.file("book/03_broken.md").unlink(missing_ok=True)


def numbers(desk):
    """All that a chapter found, without how long it took and where."""
    evidence = desk.evidence()
    for entry in evidence.values():
        del entry["seconds"]
    figures = {k: v for k, v in desk.digest("book/figures").items() if k.endswith((".csv", ".svg"))}
    return evidence, figures, desk.notebook("01_one")["cells"]


@pytest.mark.slow
def test_the_same_numbers_and_no_deadlock(desk_, dask):
    """The one thread is free for the points of the chapter that runs there."""
    here = numbers(desk_)
    assert here[0]["one-holds"]["value"] > 3 and here[0]["one-holds"]["environment"]["threads"] == 1
    done, _ = run(desk_, "--force", "--scheduler", dask.address, "01_one")
    assert (done.returncode, done.stderr) == (0, TOLD), done.stdout + done.stderr
    assert "chapters: 1 run, 0 skipped, 0 failed" in done.stdout
    assert numbers(desk_) == here
    log = dask.log(dask.processes[1])
    assert log.count("Run out-of-band function '_here'") == 2  # the runner's question, the sweep's
    assert [path.name for path in desk_.file("_build/staging").iterdir()] == ["lock"]


@pytest.fixture(scope="module")
def two(dask):
    """And one more without a nanny, so that nobody raises it from the dead."""
    dask.worker("--no-nanny", OMP_NUM_THREADS="1")
    return dask


@pytest.mark.slow
def test_a_sweep_loses_nothing_when_a_worker_is_killed(desk_, two, tmp_path):
    victim = two.worker("--no-nanny", OMP_NUM_THREADS="1")
    environment = desk_.environment() | {cluster.VARIABLE: two.address}
    command = [sys.executable, "-c", SWEEP, str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=desk_.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip

    def both():
        return (tmp_path / str(victim.pid)).exists() and len(os.listdir(tmp_path)) > 1

    wait_for(lambda: both() or process.poll() is not None)
    assert process.poll() is None, process.stderr.read()  # it is in the middle
    victim.kill()
    out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, err) == (0, "")
    space = {}
    exec(POINTS, space)
    assert json.loads(out) == [space["point"](seed=seed)["norm"] for seed in range(30)]


def wait_in_two(desk, attempts):
    """So often the chapter says who it is, and goes no further."""
    folder = desk.file("_build/begun")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    code = (
        f"import os, time, pathlib\nfolder = pathlib.Path({str(folder)!r})\n"
        "(folder / str(os.getpid())).touch()\n"
        f"time.sleep(600 * (len(os.listdir(folder)) <= {attempts}))\ndouble(5)"
    )
    desk.edit("book/02_two.md", "double(seeds)", code)


def begun(desk, number, *processes):
    """The kernels of the chapters that wait."""
    folder = desk.file("_build/begun")
    ended = lambda: any(process.poll() is not None for process in processes)  # noqa: E731
    wait_for(lambda: len(os.listdir(folder)) == number or ended())
    assert not ended()
    return [psutil.Process(int(name)) for name in os.listdir(folder)]


@pytest.mark.slow
def test_a_chapter_survives_the_machine_it_runs_on(desk_, two):
    """And what goes wrong in another one is said as ever."""
    text = desk_.file("book/02_two.md").read_text()
    broken = text.replace("double(seeds)", "raise ZeroDivisionError('no\\nway')")
    desk_.file("book/03_broken.md").write_text(broken)
    wait_in_two(desk_, 1)
    command = [sys.executable, "-m", "falsestruct.cli", "run", "--scheduler", two.address]
    process = subprocess.Popen(
        [*command, "02_two", "03_broken"], cwd=desk_.root, env=desk_.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    [kernel] = begun(desk_, 1, process)
    child, worker = kernel.parents()[:2]
    assert child.cmdline()[1:] == ["-m", "falsestruct.press.run.cluster"]
    worker.kill()
    out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, err) == (1, TOLD)
    line = "failed: 03_broken, code cell 2 (`from falsestruct.problems.two import double`): Zero"
    assert line in out and "chapters: 1 run, 0 skipped, 1 failed" in out
    assert '"10"' in json.dumps(desk_.notebook("02_two")["cells"])
    assert not psutil.wait_procs([kernel, child], timeout=LIMIT)[1]
    assert [path.name for path in desk_.file("_build/staging").iterdir()] == ["lock"]


@pytest.mark.slow
def test_runners_that_end_call_their_chapters_off(desk_, two):
    """By Ctrl-C, which can say so, and by SIGKILL, which can't."""
    wait_in_two(desk_, 2)
    before = desk_.digest()
    words = ("run", "--force", "--scheduler", two.address, "02_two")
    runners = [desk_.start(*words) for _ in range(2)]
    kernels = begun(desk_, 2, *runners)
    children = [kernel.parent() for kernel in kernels]
    for runner, sent in zip(runners, (signal.SIGINT, signal.SIGKILL), strict=True):
        runner.send_signal(sent)
        assert runner.wait(timeout=LIMIT) != 0
    assert not psutil.wait_procs([*kernels, *children], timeout=LIMIT)[1]
    assert desk_.digest() == before


@pytest.mark.slow
def test_a_worker_that_loaded_older_code_is_told_from_others(desk_, two):
    """The files are the same everywhere, but what it computes with is not what they say."""
    path = desk_.file("falsestruct/problems/one.py")
    path.write_text(POINTS.replace("seeds)", "seeds )", 1))
    done, seconds = run(desk_, "--scheduler", two.address, "01_one")
    path.write_text(POINTS)
    assert done.returncode == 2 and seconds < PROMISED
    assert f"loaded {path} before it changed: restart the worker\n" in done.stderr
