"""Runs of several chapters: which, side by side, reported as they go, published when whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from falsestruct.press import chapters, claims
from falsestruct.press.chapters import Chapter, Job, Result
from falsestruct.press.paths import Book, Output, UserError


class Reporter(Protocol):
    """Who is told how far a run is."""

    def started(self, jobs: Sequence[Job], expected: Mapping[str, float]) -> None:
        """These jobs begin; `expected` has the seconds that each took last time."""

    def progressed(self, chapter: str, cells: int) -> None:
        """So many cells of a chapter are done."""

    def finished(self, result: Result) -> None:
        """A chapter is done."""


@dataclass
class Summary:
    """What a run did.

    Attributes:
        ran, skipped: Names of chapters.
        errors: What went wrong, by chapter.
        verdicts: Of the claims that were recorded.
        unexpected: Ids of claims whose verdict is not the expected one.
    """

    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What the reader asked to run.

    Attributes:
        names: Chapters; all if empty.
        force: Also what is fresh.
        jobs: Chapters side by side; threads are divided between them.
        profile: One of `chapters.PROFILES`.
        parameters: Changed parameters, as given.
        output: Where the results go; None for the book, or for a place below _build if the run is
            not the book's own.
    """

    names: Sequence[str] = ()
    force: bool = False
    jobs: int | None = None
    profile: str = "book"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output: Path | None = None


def destination(book: Book, request: Request) -> Output:
    """Where a request's results go: only the book's own parameters reach the book."""
    if request.output is not None:
        return book.output(request.output.resolve())
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
            raise UserError(f"no chapter {name!r}; there are {', '.join(known)}")
    if request.profile not in chapters.PROFILES:
        options = ", ".join(chapters.PROFILES)
        raise UserError(f"no profile {request.profile!r}; one of {options}")
    if request.jobs is not None and request.jobs < 1:
        raise UserError(f"jobs is {request.jobs}; expected at least 1")
    chosen = {name: known[name] for name in (request.names or known)}
    for name in request.parameters:
        if not any(name in chapter.parameters for chapter in chosen.values()):
            names = sorted({name for chapter in chosen.values() for name in chapter.parameters})
            raise UserError(f"no chosen chapter has a parameter {name!r}; they have {names}")
    return dict(sorted(chosen.items()))


def run(book: Book, request: Request, reporter: Reporter) -> Summary:
    """Run what a request asks for and publish each chapter as soon as it is whole.

    Chapters that read the results of others run when those are done.
    """
    chosen, output, summary = select(book, request), destination(book, request), Summary()
    _check_writable(output)
    configured = {name: _parameters(chapter, request) for name, chapter in chosen.items()}
    for last in (False, True):
        part = {name: chapter for name, chapter in chosen.items() if chapter.last == last}
        jobs = []
        for name, chapter in part.items():
            now = chapters.state(book, chapter)
            if output == book.published and now.state == "fresh" and not request.force:
                summary.skipped.append(name)
            else:
                jobs.append(_job(book, chapter, configured[name], request, output))
        _run_jobs(book, jobs, request, output, reporter, summary)
    return summary


def _parameters(chapter: Chapter, request: Request) -> dict[str, Any]:
    """The parameters that differ from the chapter's own."""
    given = {k: v for k, v in request.parameters.items() if k in chapter.parameters}
    own = chapters.check_parameters(chapter.name, chapter.parameters, given)
    profile = {"profile": request.profile} if "profile" in chapter.parameters else {}
    changed = profile | chapter.profiles.get(request.profile, {}) | own
    return {k: v for k, v in changed.items() if v != chapter.parameters[k]}


def _job(
    book: Book, chapter: Chapter, changed: dict[str, Any], request: Request, output: Output
) -> Job:
    name = chapter.name
    return Job(
        root=book.root,
        chapter=name,
        parameters=chapter.parameters | changed,
        changed=changed,
        key=chapters.freshness_key(book, chapter),
        staging=book.build / "staging" / f"{os.getpid()}" / name,
        output=output.folder,
        threads=max(1, (os.cpu_count() or 1) // _jobs(request)),
    )


def _jobs(request: Request) -> int:
    # One chapter a core by default, not one a stale chapter: the number of threads changes the
    # last digits, and results should not depend on how much happened to be stale.
    return request.jobs or os.cpu_count() or 1


def _check_writable(output: Output) -> None:
    for folder in (output.folder, output.notebooks, output.figures):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"can't write to {folder}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise UserError(f"can't write to {folder}: choose another folder with --output")


def _run_jobs(
    book: Book, jobs: list[Job], request: Request, output: Output, reporter: Reporter,
    summary: Summary,
) -> None:  # fmt: skip
    if not jobs:
        return
    known = chapters.read_chapters(book)
    expected = {j.chapter: chapters.state(book, known[j.chapter]).seconds or 0.0 for j in jobs}
    # Long chapters first, so that none is left alone at the end.
    jobs = sorted(jobs, key=lambda job: -expected[job.chapter])
    reporter.started(jobs, expected)
    stated = claims.read_claims(book)
    own = output == book.published
    for result in _results(jobs, min(_jobs(request), len(jobs)), reporter.progressed):
        reporter.finished(result)
        name = result.job.chapter
        summary.ran.append(name)
        if result.error:
            summary.errors[name] = result.error
            continue
        with FileLock(book.build / "publish.lock"):
            verdicts = chapters.publish(result, output).verdicts
        summary.verdicts |= verdicts
        wrong = [id for id, verdict in verdicts.items() if verdict != stated[id].expected]
        summary.unexpected += wrong if own else []


def _results(
    jobs: Sequence[Job], workers: int, progressed: Callable[[str, int], None]
) -> Iterator[Result]:
    """Results as they come; between them, how far the running chapters are."""
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        pending: dict[Future[Result], Job] = {pool.submit(chapters.execute, j): j for j in jobs}
        while pending:
            done, _ = wait(pending, timeout=0.3, return_when=FIRST_COMPLETED)
            for job in pending.values():
                progressed(job.chapter, _cells_done(job))
            for future in done:
                yield _result(future, pending.pop(future))


def _result(future: Future[Result], job: Job) -> Result:
    error = future.exception()
    if error is None:
        return future.result()
    return Result(job, 0.0, f"its process ended: {type(error).__name__}: {error}")


def _cells_done(job: Job) -> int:
    try:
        return int((job.staging / "progress").read_text())
    except (FileNotFoundError, ValueError):
        return 0
