"""Chapters on a Dask cluster: each is a task, and runs in a process of its own beside a worker.

The clone lies on a file system that the runner and all workers see; what a chapter makes goes
through the staging folder there, and the runner publishes it as ever. A chapter's task leaves its
worker's thread to others, so that the points of a sweep in it have where to run.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from falsestruct.press.paths import UserError, make_folder, write_atomically
from falsestruct.press.run import chapters, surroundings
from falsestruct.press.run.chapters import Job, Result
from falsestruct.sweep import cluster

if TYPE_CHECKING:
    from distributed import Client

ATTEMPT = "attempt-"  # a folder each time that a chapter is begun: a worker may die
_RESULT = "result.json"


def connect(address: str) -> Client:
    """A client of a scheduler.

    Raises:
        UserError: the cluster can't be used.
    """
    try:
        return cluster.connect(address)
    except cluster.ClusterError as error:
        raise UserError(str(error)) from None


def threads(client: Client) -> int:
    """Threads of all workers: as many chapters side by side keep the cluster busy."""
    try:
        return max(1, sum(client.nthreads().values()))
    except OSError:  # the scheduler just went; the tasks will say so
        return 1


def results(
    client: Client,
    jobs: Sequence[Job],
    at_once: Callable[[], int],
    progressed: Callable[[Job], None],
) -> Iterator[Result]:
    """Results of the jobs as they come. Left early, it calls off those that run.

    Args:
        at_once: Chapters side by side at this moment. Dask can't hold them back: it counts no
            task that has left its thread.
    """
    executor = client.get_executor(pure=False, retries=0)
    waiting, running = list(jobs), dict["Future[Result]", Job]()
    try:
        while waiting or running:
            if client.status != "running":
                yield from (_lost(job, client) for job in [*running.values(), *waiting])
                return
            while waiting and len(running) < at_once():
                job = waiting.pop(0)
                make_folder(job.staging)
                running[executor.submit(execute, job)] = job
            for future in wait(running, timeout=0.3, return_when=FIRST_COMPLETED).done:
                yield _outcome(future, running.pop(future), client)
            for job in running.values():
                progressed(job)
    finally:  # interrupted
        for future in running:
            future.cancel()


def _outcome(future: Future[Result], job: Job, client: Client) -> Result:
    try:
        return future.result()
    except CancelledError:
        return _lost(job, client)
    except Exception as error:  # KilledWorker: it has cost too many workers
        return Result(job, 0.0, " ".join(f"{type(error).__name__}: {error}".split()))


def _lost(job: Job, client: Client) -> Result:
    return Result(job, 0.0, f"the scheduler at {client.scheduler.address} went away")


# ---- in a worker ----


def execute(job: Job) -> Result:
    """A chapter in a child of this worker; Dask calls this, again if the worker dies."""
    from distributed import get_worker, secede

    worker = get_worker()
    key, scheduler = worker.get_current_task(), worker.scheduler.address
    secede()
    if not job.staging.is_dir():
        return Result(job, 0.0, f"worker {worker.address} sees no {job.staging}: the clone must "
                      "lie on a file system that all workers see")  # fmt: skip

    def wanted() -> bool:  # by the runner, which may have been ended
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    # Of an attempt whose worker died, a kernel may still be writing.
    folder = Path(tempfile.mkdtemp(dir=job.staging, prefix=ATTEMPT))
    return _execute(replace(job, staging=folder), scheduler, wanted)


def _execute(job: Job, scheduler: str, wanted: Callable[[], bool]) -> Result:
    path = os.pathsep.join(filter(None, [str(job.root), os.environ.get("PYTHONPATH")]))
    child = subprocess.Popen(
        # A worker is a daemon, to which multiprocessing gives no children.
        [sys.executable, "-m", __name__], cwd=job.root, stdin=subprocess.PIPE,
        env=os.environ | {cluster.VARIABLE: scheduler, "PYTHONPATH": path},
    )  # fmt: skip
    with child:
        assert child.stdin is not None
        pickle.dump(job, child.stdin)
        child.stdin.flush()  # and left open: when this worker ends, the pipe does
        while child.poll() is None:
            try:
                child.wait(timeout=0.3)
            except subprocess.TimeoutExpired:
                if not wanted():
                    child.kill()
    try:
        return Result(job, **json.loads((job.staging / _RESULT).read_text()))
    except FileNotFoundError:
        return Result(job, 0.0, f"its process ended (exit code {child.returncode})")


# ---- in a worker's child ----


def main() -> None:
    """Run the job that the worker sends, and leave word of what became of it."""
    surroundings.settle()
    job = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_worker, daemon=True).start()
    result = Result(job, 0.0, "this machine sees another state of the clone: use one file system")
    if chapters.unchanged(job):
        result = chapters.execute(job)
    text = json.dumps({"seconds": result.seconds, "error": result.error})
    write_atomically(job.staging / _RESULT, text)


def _end_with_worker() -> None:
    """The worker that dies sees to nothing more; the kernel watches this process likewise."""
    os.read(0, 1)  # not through sys.stdin, whose lock would be held when we end
    os._exit(1)


if __name__ == "__main__":
    main()
