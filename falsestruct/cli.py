"""The command line: falsestruct list, run, claims, figures, cite, figure, record, …, build, pdf."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from falsestruct import cluster
from falsestruct.press import chapters, claims, figures, records, runner
from falsestruct.press.chapters import Job, Result
from falsestruct.press.paths import Book, Output, UserError, find_book
from falsestruct.press.runner import Points

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="False Structures: re-execute, check, draw and cite the book.",
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AUDITED = "One of stripes, oscillation, digits-brightness, digits-pixel, digits-sinusoid."
OutputFolder = Annotated[
    Path | None, typer.Option(help="Read or write results there instead of in the book.")
]


def main() -> None:
    """Entry point: what the reader can mend is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"falsestruct: {error}", file=sys.stderr)
        sys.exit(2)


def _output(book: Book, folder: Path | None) -> Output:
    if folder is not None and not folder.is_dir():
        raise UserError(f"no results in {folder}: no such folder")
    return book.published if folder is None else book.output(folder.resolve())


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    # A log has no width of its own: don't fold ids there.
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False).print(table)


@app.command("list")
def list_chapters(as_json: Json = False) -> None:
    """List the chapters: fresh, stale or never run, and how long the last run took."""
    book = find_book()
    states = [chapters.state(book, chapter) for chapter in chapters.read_chapters(book).values()]
    if as_json:
        print(json.dumps([asdict(state) for state in states]))
    else:
        _table(("chapter", "state", "seconds"), [(s.chapter, s.state, s.seconds) for s in states])


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="CHAPTER")] = None,
    force: Annotated[bool, typer.Option(help="Also chapters that are fresh.")] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Chapters side by side; one a core if not given.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Change a parameter.")
    ] = None,
    profile: Annotated[str, typer.Option(help="quick, book or paper.")] = "book",
    output: OutputFolder = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            envvar=cluster.VARIABLE,
            metavar="ADDRESS",
            help="Run on the workers of this Dask scheduler instead of here: tcp://HOST:8786.",
        ),
    ] = None,
) -> None:
    """Re-execute the chapters that are not fresh, or those that are named.

    Results of `quick`, `paper` or a changed parameter go below _build, never into the book. Such a
    run keeps the finished points of its sweeps in _build/sweeps, and the next one takes them up;
    --force computes them again. The book's own runs compute everything anew each time.

    Examples: falsestruct run 03_stripes --force; falsestruct run --profile quick;
    falsestruct run 04_oscillation -p seeds=5;
    falsestruct run --profile paper --scheduler tcp://127.0.0.1:8786
    """
    book, start = find_book(), time.perf_counter()
    request = runner.Request(
        names=names or (),
        force=force,
        jobs=jobs,
        profile=profile,
        parameters=_parameters(parameter or []),
        output=output,
        scheduler=scheduler or None,
    )
    with _reporter(book, runner.workers(request)) as reporter:
        summary = runner.run(book, request, reporter)
    _summarise(summary, runner.destination(book, request), time.perf_counter() - start)
    if summary.errors or summary.unexpected:
        raise typer.Exit(1)


def _parameters(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise UserError(f"-p {name}: expected NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _summarise(summary: runner.Summary, output: Output, seconds: float) -> None:
    stated = claims.read_claims(find_book())
    for name, error in summary.errors.items():
        seen = f"; see {summary.notebooks[name]}" if name in summary.notebooks else ""
        print(f"failed: {name}, {error}{seen}")
    for name in summary.changed:
        print(f"changed while it ran, so still stale: {name}")
    for id in summary.unexpected:
        expected = stated[id].expected if id in stated else "no record: nobody states it"
        print(f"unexpected: {id} came out {summary.verdicts[id]}, expected {expected}")
    counts = {v: list(summary.verdicts.values()).count(v) for v in claims.VERDICTS}
    print(
        f"chapters: {len(summary.ran)} run, {len(summary.skipped)} skipped, "
        f"{len(summary.errors)} failed, {seconds:.0f} s"
    )
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    print(f"claims: {tally}, {len(summary.unexpected)} unexpected")
    if summary.ran:
        print(f"results: {output.folder}")


@app.command("claims")
def check_claims(as_json: Json = False, output: OutputFolder = None) -> None:
    """Check the ledger against book/claims.yml; exit 1 if they disagree."""
    book = find_book()
    stated = claims.read_claims(book)
    evidence = claims.read_evidence(_output(book, output).evidence)
    known = chapters.read_chapters(book)
    keys = {name: chapters.freshness_key(book, chapter) for name, chapter in known.items()}
    problems = [*claims.check(stated, evidence, keys), *_outdated_records(book)]
    rows = claims.ledger_rows(stated, evidence)
    if as_json:
        print(json.dumps({"ok": not problems, "claims": rows}))
    else:
        columns = ("id", "chapter", "expected", "verdict", "value", "low", "high", "n")
        _table(columns, [[_short(row[column]) for column in columns] for row in rows])
    for problem in problems:
        print(f"{problem.id} {problem.what}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def _short(value: Any) -> Any:
    return claims.number(value) if isinstance(value, float) else value


def _outdated_records(book: Book) -> list[claims.Problem]:
    problems = []
    for id in records.plan(book):
        try:
            if records.load(id, book=book).outdated:
                what = f"is a recorded run of other code: run `falsestruct record {id}`"
                problems.append(claims.Problem(id, what))
        except UserError as error:
            problems.append(claims.Problem(id, str(error)))
    return problems


@app.command("figures")
def list_figures(as_json: Json = False, output: OutputFolder = None) -> None:
    """List the figures: id, chapter, caption."""
    book = find_book()
    rows = [
        {"id": figure.id, "chapter": figure.chapter, "caption": figure.caption}
        for figure in figures.all_figures(_output(book, output))
    ]
    if as_json:
        print(json.dumps(rows))
    else:
        _table(("id", "chapter", "caption"), [list(row.values()) for row in rows])


@app.command()
def cite(figure: str) -> None:
    """Print BibTeX for a figure."""
    print(figures.cite(find_book(), figure), end="")


@app.command("figure")
def draw_figure(
    figure: str,
    output: Annotated[Path, typer.Option("-o", metavar="FILE", help="Where to write it.")],
    width: Annotated[str, typer.Option(help="Like 3.25in, 8.5cm, 85mm, 240pt.")] = "6.3in",
    font_size: Annotated[float, typer.Option(help="In points.")] = 9.0,
    format: Annotated[str | None, typer.Option(help="svg, pdf or png; else as FILE ends.")] = None,
) -> None:
    """Draw a figure again from its stored data, at another size, without computing anything.

    Example: falsestruct figure stripes-crossover --width 3.25in --font-size 8 -o crossover.pdf
    """
    kind = format or output.suffix.lstrip(".")
    size = figures.inches(width)
    published = find_book().published
    data = figures.redraw(published, figure, width=size, font_size=font_size, format=kind)
    figures.write_figure(output, data)
    print(output)


@app.command("record")
def make_record(
    id: str, jobs: Annotated[int, typer.Option(help="Tasks side by side.")] = 1
) -> None:
    """Compute a recorded run again: the long computations that chapters only load."""
    start = time.perf_counter()
    made = records.make(id, jobs=jobs)
    print(f"{id}: {len(made.table)} rows in {time.perf_counter() - start:.0f} s")


@app.command("audit")
def audit_network(
    target: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION")],
    problem: Annotated[str, typer.Option(help=AUDITED)],
    strength: Annotated[
        float | None,
        typer.Option(help="Of the false signal; the problem's usual one if not given."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Inputs drawn for either set.")] = 500,
    points: Annotated[int, typer.Option(help="Inputs whose perturbations are searched for.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the inputs and of the search.")] = 0,
    as_json: Json = False,
) -> None:
    """Which structure did your network capture?

    FUNCTION takes a batch of inputs (N, …), a float64 tensor, and returns labels (N,), 0 or 1.
    MODULE is looked for in the present folder first.

    Example: falsestruct audit mymodel:predict --problem stripes --strength 0.05
    """
    from falsestruct import auditing  # PyTorch and all: no other command waits for it
    from falsestruct.problems import planted

    # What the reader's code prints must not get into the JSON.
    with contextlib.redirect_stdout(sys.stderr):
        predict = _function(target)
        try:
            chosen = planted.by_name(problem, strength)
            found = auditing.audit(predict, chosen, samples=samples, points=points, seed=seed)
        except ValueError as error:  # an AuditError, or a problem that there isn't
            raise UserError(str(error)) from None
    if as_json:
        print(found.to_json())
        return
    print(f"verdict: {found.verdict}\n{found.sentence}")
    rows = [list(asdict(capture).values()) for capture in found.captures]
    _table(("structure", "share", "low", "high"), [[_short(cell) for cell in row] for row in rows])
    sizes = asdict(found.instability).items()
    told = ", ".join(f"{norm} {'none' if v is None else claims.number(v)}" for norm, v in sizes)
    print(f"smallest perturbations found, medians: {told}")


def _function(target: str) -> Callable[..., Any]:
    """The reader's own function, by MODULE:FUNCTION."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise UserError(f"{target!r}: expected MODULE:FUNCTION")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:  # a script that ends itself, too
        text = " ".join(str(error).split())
        raise UserError(f"can't import {module}: {type(error).__name__}: {text}") from None
    if not callable(found):
        raise UserError(f"{module} has no function {name!r}")
    return found


@app.command()
def build(
    strict: Annotated[bool, typer.Option(help="Make every warning an error.")] = False,
) -> None:
    """Build the HTML from the stored notebooks, without executing anything."""
    book = find_book()
    _need_notebooks(book)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(book.root), "-q"]
    command += ["-W", "-n", "--keep-going", "--all"] if strict else []
    try:
        # Warnings come on stderr and pass; what Sphinx says when all is well would only hide them.
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise UserError(f"no {command[0]}: install requirements.txt") from None
    page = book.build / "html" / "book" / "index.html"
    if done.returncode or not page.exists():
        print(done.stdout)
        raise typer.Exit(1)
    print(f"open {page}")


def _need_notebooks(book: Book) -> None:
    known = chapters.read_chapters(book)
    missing = [n for n in known if not (book.published.notebooks / f"{n}.ipynb").exists()]
    if missing:
        raise UserError(f"no notebook for {', '.join(missing)}: run `falsestruct run` first")


@app.command("pdf")
def make_pdf() -> None:
    """Print the whole book, from the stored notebooks, as _build/false-structures.pdf.

    Chromium or Chrome must be installed; nothing is executed, and nothing comes from the network.
    """
    from falsestruct.press import pdf  # no other command waits for what reads HTML

    book, start = find_book(), time.perf_counter()
    _need_notebooks(book)
    made = pdf.make(book)
    print(f"open {made.path}: {made.pages} pages, {time.perf_counter() - start:.0f} s")


class _LogReporter:
    """One line a finished chapter, for logs."""

    def __init__(self, workers: int) -> None:
        self.workers, self.total, self.done = workers, 0, 0
        self.expected: dict[str, float] = {}
        self.taken: list[float] = []

    def __enter__(self) -> _LogReporter:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, jobs: Sequence[Job], expected: Mapping[str, float]) -> None:
        self.total += len(jobs)
        self.expected |= expected

    def progressed(self, chapter: str, cells: int, points: Points | None = None) -> None:
        return None

    def finished(self, result: Result) -> None:
        self.done += 1
        self.taken.append(result.seconds)
        name = result.job.chapter
        self.expected.pop(name, None)
        word = "failed" if result.error else "done"
        print(
            f"[{self.done}/{self.total}] {name} {word}, {result.seconds:.0f} s, "
            f"about {self._left():.0f} s left",
            flush=True,
        )

    def _left(self) -> float:
        """At most this long if all takes what it took last time; a new chapter, the mean."""
        usual = sum(self.taken) / len(self.taken)
        left = [seconds or usual for seconds in self.expected.values()]
        return max(max(left, default=0.0), sum(left) / self.workers)


class _BarReporter:
    """A live bar a chapter, for terminals."""

    def __init__(self, cells: Mapping[str, int], console: Console | None = None) -> None:
        self.cells = cells
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        last = TimeElapsedColumn(), TextColumn("{task.fields[points]}")
        self.progress = Progress(*columns, *last, console=console)
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> _BarReporter:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, jobs: Sequence[Job], expected: Mapping[str, float]) -> None:
        for job in jobs:
            last = f" (last time {expected[job.chapter]:.0f} s)" if expected[job.chapter] else ""
            name = f"{job.chapter}{last}"
            total = self.cells[job.chapter]
            task = self.progress.add_task(name, total=total, start=False, points="")
            self.tasks[job.chapter] = task

    def progressed(self, chapter: str, cells: int, points: Points | None = None) -> None:
        task = self.tasks[chapter]
        self.progress.start_task(task)
        # A cell that papermill adds for changed parameters is none of the chapter's.
        done = min(cells, self.cells[chapter])
        self.progress.update(task, completed=done, points=_describe(points))

    def finished(self, result: Result) -> None:
        task = self.tasks[result.job.chapter]
        total = self.cells[result.job.chapter]
        self.progress.update(task, points="")
        if result.error:
            self.progress.update(task, description=f"{result.job.chapter} failed")
        else:
            self.progress.update(task, completed=total)
        self.progress.stop_task(task)


def _describe(points: Points | None) -> str:
    if points is None:
        return ""
    left = "" if points.left is None else f", about {points.left:.0f} s left"
    return f"points {points.done}/{points.total}{left}"


def _reporter(book: Book, workers: int) -> _LogReporter | _BarReporter:
    if not sys.stdout.isatty():
        return _LogReporter(workers)
    known = chapters.read_chapters(book)
    return _BarReporter({name: chapter.code_cells for name, chapter in known.items()})


if __name__ == "__main__":
    main()
