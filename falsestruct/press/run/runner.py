"""Runs of several chapters: which, side by side, reported as they go, published when whole."""

from __future__ import annotations

import difflib
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock

from falsestruct.press.notebook import claims, staging
from falsestruct.press.paths import PART, Book, Output, UserError, make_folder, write_atomically
from falsestruct.press.run import chapters, chronicle, edits, surroundings
from falsestruct.press.run.chapters import Chapter, Job, Result
from falsestruct.sweep import cluster as dask

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Points:
    """How far a chapter's sweep is; `left` is the seconds that remain, None if nobody knows."""

    done: int
    total: int
    left: float | None


class Reporter(Protocol):
    """Who is told how far a run is."""

    def started(self, jobs: Sequence[Job], expected: Mapping[str, float]) -> None:
        """These jobs begin; `expected` has the seconds that each took last time."""

    def progressed(self, chapter: str, cells: int, points: Points | None = None) -> None:
        """So many cells of a chapter are done, and in a sweep of the next so many points."""

    def finished(self, result: Result) -> None:
        """A chapter is done: published, or `result.error` says why not."""


@dataclass
class Summary:
    """What a run did.

    Attributes:
        ran: Chapters that ran and were published.
        skipped: Chapters that were fresh.
        drawn: Of these, the ones whose figures were drawn again.
        changed: Of those that ran, the ones that somebody changed meanwhile; they are stale.
        errors: What went wrong, by chapter.
        notebooks: Where to see it, by chapter, if the notebook came to be.
        verdicts: Of the chosen chapters' recorded claims, of this run or an earlier one.
        unexpected: Ids of claims whose verdict is not the one that is pinned.
    """

    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    notebooks: dict[str, Path] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What the reader asked to run.

    Attributes:
        names: Chapters; all if empty.
        force: Also what is fresh.
        jobs: Chapters side by side; threads are divided between them. None for one a core, here
            or on the cluster.
        profile: One of `chapters.PROFILES`.
        parameters: Changed parameters, as given. Each goes to the chosen chapters that have it.
        output: Where the results go; None for the book, or for a place below _build if the run is
            not the book's own.
        scheduler: Address of the Dask scheduler whose workers run the chapters; None for here.
    """

    names: Sequence[str] = ()
    force: bool = False
    jobs: int | None = None
    profile: str = "book"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output: Path | None = None
    scheduler: str | None = None


def destination(book: Book, request: Request) -> Output:
    """Where a request's results go: only the book's own parameters reach the book.

    Raises:
        UserError: the folder that was asked for belongs to the book.
    """
    if request.output is not None:
        folder = request.output.resolve()
        kept = (book.source, book.published.notebooks, book.package)
        if folder == book.root or any(folder.is_relative_to(place) for place in kept):
            raise UserError(f"can't write to {folder}: it belongs to the book; choose another one")
        return book.output(folder)
    if request.profile == "book" and not request.parameters:
        return book.published
    return book.output(book.build / "runs" / (request.profile if not request.parameters else "own"))


def select(book: Book, request: Request) -> dict[str, Chapter]:
    """The chapters that a request names.

    Raises:
        UserError: an unknown chapter or profile, or a parameter that no chosen chapter has.
    """
    known = chapters.read_chapters(book)
    for name in request.names:
        if name not in known:
            raise UserError(_not_a_chapter(book, name, known))
    if request.profile not in chapters.PROFILES:
        options = ", ".join(chapters.PROFILES)
        raise UserError(f"no profile {request.profile!r}; one of {options}")
    if request.jobs is not None and request.jobs < 1:
        raise UserError(f"jobs is {request.jobs}; expected at least 1")
    chosen = {name: known[name] for name in (request.names or known)}
    for name in request.parameters:
        if not any(name in chapter.parameters for chapter in chosen.values()):
            names = sorted({key for chapter in chosen.values() for key in chapter.parameters})
            has = ", ".join(names)
            raise UserError(f"no chosen chapter has a parameter {name!r}; they have {has}")
    return dict(sorted(chosen.items()))


def _not_a_chapter(book: Book, name: str, known: Mapping[str, Chapter]) -> str:
    """What to do instead: numbers were others once, and pages are not run."""
    names = [path.stem for path in chapters.numbered(book)]
    now = next((n for n in names if n == name or n[3:] == re.sub(r"^\d+_", "", name)), None)
    if now is None:
        near = difflib.get_close_matches(name, known, n=3) or known
        return f"no chapter {name!r}; there are {', '.join(near)}"
    called = now if now == name else f"{name!r} is {now} now, which"
    if now not in known:
        return f"{called} is a page and isn't run: `falsestruct build` shows what runs have found"
    return f"no chapter {name!r}: it is {now} now; run `falsestruct run {now}`"


@dataclass(frozen=True)
class _Plan:
    """A request whose every part has been checked."""

    book: Book
    request: Request
    output: Output
    chosen: Mapping[str, Chapter]
    changed: Mapping[str, dict[str, Any]]
    staging: Path
    client: Client | None
    scratch: Path  # everything that can be thrown away

    @property
    def own(self) -> bool:
        """The run is at the book's own parameters, so the pinned verdicts hold for it."""
        return self.request.profile == "book" and not self.request.parameters


def run(book: Book, request: Request, reporter: Reporter) -> Summary:
    """Run what a request asks for and publish each chapter as soon as it is whole.

    Raises:
        UserError: the request can't be fulfilled; nothing has changed then.
    """
    surroundings.check_clone(book)
    chosen, output = select(book, request), destination(book, request)
    changed = {name: _parameters(chapter, request) for name, chapter in chosen.items()}
    claims.read_claims(book)
    if output == book.published:
        chronicle.read(output)  # better known to be damaged now than after the last chapter
        edits.refuse(book, chosen)
    client = _client(request)
    for folder in (output.folder, output.notebooks, output.figures):
        make_folder(folder)
    summary = Summary()
    scratch = _scratch(book, request)
    with staging.folder(scratch) as folder:
        plan = _Plan(book, request, output, chosen, changed, folder, client, scratch)
        _sweep(plan)
        jobs = [_job(plan, name) for name in chosen if _is_due(plan, name)]
        summary.skipped = sorted(set(chosen) - {job.chapter for job in jobs})
        _draw_again(plan, summary)
        _run_jobs(plan, jobs, reporter, summary)
    _read_verdicts(plan, summary)
    return summary


def _scratch(book: Book, request: Request) -> Path:
    """Below the book; of a book that can't be written to, below the folder of the output."""
    if request.output is not None:
        try:
            make_folder(book.build)
        except UserError:
            return request.output.resolve() / "_build"
    return book.build


def _is_due(plan: _Plan, name: str) -> bool:
    """Results outside of the book are always made again: no key says what is there."""
    if plan.request.force or plan.output != plan.book.published:
        return True
    found = chapters.state(plan.book, plan.chosen[name]).state
    return found in (chapters.STALE, chapters.NEVER)


def _draw_again(plan: _Plan, summary: Summary) -> None:
    """Draw the figures of fresh chapters again where only what draws them has changed."""
    for name in summary.skipped:
        chapter = plan.chosen[name]
        if chapters.state(plan.book, chapter).state != chapters.OLD_PICTURES:
            continue
        try:
            with _publishing(plan):
                chapters.draw_again(plan.book, chapter)
            summary.drawn.append(name)
        except (UserError, OSError) as error:
            summary.errors[name] = str(error)


def _parameters(chapter: Chapter, request: Request) -> dict[str, Any]:
    """The parameters that differ from the chapter's own."""
    given = {k: v for k, v in request.parameters.items() if k in chapter.parameters}
    own = chapters.check_parameters(chapter.name, chapter.parameters, given)
    profile = {"profile": request.profile} if "profile" in chapter.parameters else {}
    changed = profile | chapter.profiles.get(request.profile, {}) | own
    return {k: v for k, v in changed.items() if v != chapter.parameters[k]}


def _job(plan: _Plan, name: str) -> Job:
    chapter, changed = plan.chosen[name], plan.changed[name]
    return Job(
        root=plan.book.root,
        chapter=name,
        parameters=chapter.parameters | changed,
        changed=changed,
        key=chapters.freshness_key(plan.book, chapter),
        staging=plan.staging / name,
        # On a cluster a worker's thread is a core.
        threads=1 if plan.client else max(1, (os.cpu_count() or 1) // workers(plan.request)),
        # The book proves itself anew each time. Others take up what a killed run has finished.
        sweeps=None if plan.own or plan.request.force else plan.scratch / "sweeps",
        drawing=chapters.drawing_key(plan.book, chapter),
    )


def workers(request: Request) -> int:
    """Chapters side by side.

    One a core by default, not one a stale chapter: the number of threads changes the last digits,
    and results should not depend on how much happened to be stale.

    Raises:
        UserError: the cluster can't be used.
    """
    if request.jobs is None and (client := _client(request)):
        from falsestruct.press.run import cluster

        return cluster.threads(client)
    return request.jobs or os.cpu_count() or 1


def _client(request: Request) -> Client | None:
    if not request.scheduler:
        return None
    from falsestruct.press.run import cluster

    return cluster.connect(request.scheduler)


def _sweep(plan: _Plan) -> None:
    """Remove what a killed run left half written; publishing holds the same lock."""
    with _publishing(plan):
        for folder in (plan.output.folder, plan.output.notebooks, plan.output.figures):
            for path in folder.glob(f".*{PART}"):
                path.unlink(missing_ok=True)


def _publishing(plan: _Plan) -> FileLock:
    return FileLock(plan.scratch / "publish.lock")


def _run_jobs(plan: _Plan, jobs: list[Job], reporter: Reporter, summary: Summary) -> None:
    if not jobs:
        return
    expected = {
        job.chapter: chapters.state(plan.book, plan.chosen[job.chapter]).seconds or 0.0
        for job in jobs
    }
    # Long chapters first, so that none is left alone at the end.
    jobs = sorted(jobs, key=lambda job: -expected[job.chapter])
    reporter.started(jobs, expected)
    for result in _outcomes(plan, jobs, lambda job: _tell(job, reporter)):
        finished = _publish(plan, result, summary)
        reporter.finished(finished)


def _outcomes(
    plan: _Plan, jobs: Sequence[Job], progressed: Callable[[Job], None]
) -> Iterator[Result]:
    if plan.client is None:
        return _results(jobs, workers(plan.request), progressed)
    from falsestruct.press.run import cluster

    client, asked = plan.client, plan.request.jobs
    return cluster.results(client, jobs, lambda: asked or cluster.threads(client), progressed)


def _publish(plan: _Plan, result: Result, summary: Summary) -> Result:
    name = result.job.chapter
    failed = plan.scratch / "failed" / f"{name}.ipynb"
    if result.error is None:
        try:
            with _publishing(plan):
                fresh = chapters.publish(result, plan.output)
            summary.ran.append(name)
            summary.changed += [] if fresh else [name]
            failed.unlink(missing_ok=True)
            return result
        except (UserError, OSError) as error:
            result = replace(result, error=f"its results could not be published: {error}")
    summary.errors[name] = str(result.error)
    notebook = result.job.staging / chapters.AFTER
    if notebook.exists():  # with the traceback
        write_atomically(failed, notebook.read_bytes())
        summary.notebooks[name] = failed
    return result


def _read_verdicts(plan: _Plan, summary: Summary) -> None:
    """Judge all records by the rules of today, those of fresh chapters, too."""
    stated, path = claims.read_claims(plan.book), plan.output.evidence
    with _publishing(plan):
        first = chronicle.noting(plan.book, plan.output)
        found = claims.judge_again(plan.book, path, first=first)
    for id, entry in claims.read_evidence(path).items():
        if entry["chapter"] in plan.chosen:
            summary.verdicts[id] = found.get(id, entry["verdict"])
            if plan.own and (id not in stated or found[id] != stated[id].pinned):
                summary.unexpected.append(id)


@dataclass(frozen=True)
class _Worker:
    """A process that runs one chapter, and the end of the pipe where its result comes out."""

    job: Job
    process: BaseProcess
    receiver: Connection


def _results(
    jobs: Sequence[Job], at_once: int, progressed: Callable[[Job], None]
) -> Iterator[Result]:
    """Results as they come; between them, how far the running chapters are.

    A process a chapter, so that one that is killed takes no other with it.
    """
    waiting, running = list(jobs), list[_Worker]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_start(waiting.pop(0)))
            ready = connection.wait([worker.receiver for worker in running], timeout=0.3)
            for worker in running:
                progressed(worker.job)
            for worker in [worker for worker in running if worker.receiver in ready]:
                running.remove(worker)
                yield _finish(worker)
    finally:  # interrupted
        for worker in running:
            worker.process.terminate()
            worker.process.join()


def _start(job: Job) -> _Worker:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, sender), daemon=True)
    process.start()
    sender.close()  # ours; when the process ends, the pipe does
    return _Worker(job, process, receiver)


def _work(job: Job, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runner, which ends us
    threading.Thread(target=_end_with_runner, daemon=True).start()
    os.environ.pop(dask.VARIABLE, None)  # a request without a cluster stays here altogether
    sender.send(chapters.execute(job))


def _end_with_runner() -> None:
    """A killed runner leaves nobody to publish for; the kernel watches this process likewise."""
    runner = parent_process()
    if runner is not None:
        runner.join()
        os._exit(1)


def _finish(worker: _Worker) -> Result:
    try:
        result: Result = worker.receiver.recv()
    except EOFError:
        worker.process.join()
        code = worker.process.exitcode
        result = Result(worker.job, 0.0, f"its process ended (exit code {code})")
    worker.receiver.close()
    worker.process.join()
    return result


def _tell(job: Job, reporter: Reporter) -> None:
    """On a cluster a chapter may be at its second attempt, in a folder of its own."""
    attempts = job.staging.glob("*/run.json")
    folder = max(attempts, key=_time, default=job.staging / "run.json").parent
    reporter.progressed(job.chapter, _cells_done(folder), _points(folder))


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _cells_done(folder: Path) -> int:
    try:
        return int((folder / chapters.CELLS).read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _points(folder: Path) -> Points | None:
    """How far the sweep is that runs in a chapter, if one does."""
    try:
        read = json.loads((folder / chapters.POINTS).read_text())
        points = Points(int(read["done"]), int(read["total"]), read["left"])
    except (FileNotFoundError, ValueError):  # there is none, or half of it
        return None
    return points if points.done < points.total else None
