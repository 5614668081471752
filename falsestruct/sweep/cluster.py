"""A running Dask cluster: found, checked, and offered as an executor.

Dask repeats the tasks of a worker that dies on the others, and gives a task up when four workers
died while they ran it. What it doesn't notice is checked here, before anything is sent: other
versions, other code, another number of threads, all of which change numbers.

Nothing of `distributed` is imported before a cluster is asked for.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import logging
import os
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from distributed import Client

VARIABLE = "FALSESTRUCT_SCHEDULER"
SPOKEN = ("python", "dask", "distributed", "msgpack")  # what a scheduler and its clients share
PACKAGES = (
    "dask", "distributed", "msgpack", "cloudpickle", "numpy", "numba", "scipy", "pandas", "torch",
)  # fmt: skip
_PATIENCE = 2.0  # seconds for each of: hear from it, see a worker, hear from that
_CLIENTS: dict[str, Client] = {}


class ClusterError(Exception):
    """The cluster can't be used; its text is the one line that the reader sees."""


def from_environment() -> Executor | None:
    """An executor on the cluster that $FALSESTRUCT_SCHEDULER names; None if it names none.

    Arguments named like those of `distributed.Client.submit` (key, workers, priority, …) never
    reach the function: pass such ones by position.

    Raises:
        ClusterError: it names one that can't be used.
    """
    address = os.environ.get(VARIABLE)
    return connect(address).get_executor(pure=False, retries=0) if address else None


def connect(address: str) -> Client:
    """A client of the scheduler at tcp://HOST:PORT; one for each process, closed when it ends.

    Takes at most ten seconds.

    Raises:
        ClusterError: nobody listens there, it is no scheduler, it has no worker, or versions, code
            or threads are others than here.
    """
    url = _parse(address)
    if url in _CLIENTS and _CLIENTS[url].status == "running":
        return _CLIENTS[url]
    _silence()
    client = _client(url)
    try:
        _check_scheduler(client, url)
        _check_workers(client, url)
    except BaseException:
        client.close(timeout=1)
        raise
    atexit.register(client.close, timeout=1)
    _CLIENTS[url] = client
    return client


def _parse(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        named = bool(parts.hostname and parts.port) and not parts.path.strip("/")
    except ValueError:  # a port that is no number, half a bracket
        named = False
    if not named or parts.scheme not in ("tcp", "tls") or len(address.split()) != 1:
        raise ClusterError(
            f"scheduler {address!r}: expected tcp://HOST:PORT, as `dask scheduler` prints it"
        )
    return parts._replace(path="").geturl()


def _silence() -> None:
    """What goes wrong is an exception; Dask's log would be in the way, and in the notebooks."""
    import distributed  # it sets its levels when it is imported

    assert distributed is not None
    for name in ("distributed", "distributed.client", "distributed.gc", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _reason(error: object) -> str:
    return textwrap.shorten(f"{type(error).__name__}: {error}", 120, placeholder=" …")


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _client(url: str) -> Client:
    from distributed import Client

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions that differ without doing any harm
        try:
            return _within(
                lambda: Client(url, timeout=_PATIENCE, set_as_default=False), 2 * _PATIENCE
            )
        except Exception as error:  # whatever reading somebody else's bytes can end in
            why = _reason(error.__cause__ or error)
            raise ClusterError(
                f"no Dask scheduler at {url} answers in {2 * _PATIENCE:.0f} s, or none that we "
                f"understand ({why}); start one with `dask scheduler`, or run without --scheduler"
            ) from None


def _within(call: Callable[[], Client], limit: float) -> Client:
    """Call in a thread: the client waits for ever for one that listens and says nothing."""
    answer: Future[Client] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # for the one who waits
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(timeout=limit)


def _check_scheduler(client: Client, url: str) -> None:
    found = client.get_versions()["scheduler"]["packages"]
    found |= {"python": _minor(found["python"])}
    _check_versions(f"the scheduler at {url}", found, _here(), SPOKEN)


def _check_workers(client: Client, url: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise ClusterError(
            f"the scheduler at {url} has no worker; start some with `dask worker {url}`, or wait "
            "until the queue has"
        ) from None
    here, answers = _here(), client.sync(_ask, client)
    if not answers:
        raise ClusterError(f"no worker of {url} answers")
    for worker, answer in sorted(answers.items()):
        name = f"worker {worker}"
        if not isinstance(answer, Mapping):
            raise ClusterError(
                f"{name} can't use this package ({_reason(answer)}): install it there, or set "
                "PYTHONPATH to the clone"
            )
        _check_versions(name, answer, here, ("python", *PACKAGES))
        _check_code(name, answer, here)


async def _ask(client: Client) -> dict[str, Any]:
    """What each worker computes with, or why it can't say.

    One that says nothing is left out if others do: it may have just died, and Dask sees to that.
    """

    async def ask(worker: str) -> dict[str, Any]:
        try:
            question = client.run(_here, workers=[worker], on_error="return")
            return await asyncio.wait_for(question, _PATIENCE)
        except (TimeoutError, OSError):
            return {}

    workers = (await client.scheduler.identity(n_workers=-1))["workers"]
    answers = await asyncio.gather(*(ask(worker) for worker in workers))
    return {worker: answer for each in answers for worker, answer in each.items()}


def _here() -> dict[str, Any]:
    """What this process computes with: versions, threads, and the package's source."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return {
        "python": _minor(sys.version.split()[0]),
        **{name: _version(name) for name in PACKAGES},
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "folder": str(folder),
        "code": digest.hexdigest(),
        "changed": _changed_since_loaded(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _changed_since_loaded() -> list[str]:
    """Files of our loaded modules that are younger than this process, which has the old ones."""
    import psutil  # Dask needs it, so it is there

    started = psutil.Process().create_time()
    files = {
        str(module.__file__)
        for name, module in list(sys.modules.items())
        if name.split(".")[0] == "falsestruct" and getattr(module, "__file__", None)
    }
    # A copy or a checkout can keep the time of the content, but not that of the inode.
    return sorted(file for file in files if os.stat(file).st_ctime > started)


def _check_versions(
    who: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    for name in names:
        # A build for a GPU has the version of the one without.
        there, here = (str(x.get(name) or "nothing").partition("+")[0] for x in (theirs, ours))
        if there != here:
            raise ClusterError(f"{who} has {name} {there}, here it is {here}: use one environment")


def _check_code(who: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    if theirs["code"] != ours["code"]:
        raise ClusterError(
            f"{who} has other code, in {theirs['folder']}; here it is {ours['folder']}: use one "
            "clone, or the same commit"
        )
    if theirs["changed"]:
        raise ClusterError(
            f"{who} loaded {theirs['changed'][0]} before it changed: restart the worker"
        )
    if theirs["threads"] != "1":
        raise ClusterError(
            f"{who} has OMP_NUM_THREADS={theirs['threads']}, which changes the last digits: start "
            "it with OMP_NUM_THREADS=1, or with a nanny, which sets it"
        )
