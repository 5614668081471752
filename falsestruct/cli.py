"""The command line: falsestruct list, run, claims, figures, cite, …, audit, search, build, pdf."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import falsestruct
from falsestruct.press.notebook import claims, environment, figures
from falsestruct.press.paths import (
    Book,
    Output,
    UserError,
    find_book,
    is_stdout,
    make_folder,
    write_asked,
    write_atomically,
)
from falsestruct.press.run import chapters, edits, records, runner, scaffold, surroundings
from falsestruct.press.run.chapters import Job, Result
from falsestruct.press.run.runner import Points
from falsestruct.press.site import anew, citing
from falsestruct.sweep import cluster


def _examples(*lines: str) -> str:
    """Below a command's options: what people type."""
    return "Examples:\n\n```bash\n" + "\n".join(lines) + "\n```"


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="False Structures: re-execute, check, draw and cite the book.",
    epilog=_examples(
        "falsestruct run --profile quick       # a first look, apart from the book",
        "falsestruct run 03_stripes --force    # one chapter, fresh or not",
        "falsestruct cite stripes-crossover    # BibTeX",
        "falsestruct figure stripes-crossover --style paper -o crossover.pdf",
        "falsestruct COMMAND --help            # what a command can do, with examples",
    ),
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AUDITED = "One of stripes, oscillation, digits-brightness, digits-pixel, digits-sinusoid."
OutputFolder = Annotated[
    Path | None, typer.Option(help="Read or write results there instead of in the book.")
]


# Where a file can't grow, whoever writes it: also semaphores of workers, which are files.
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def main() -> None:
    """Entry point: what the reader can mend is one line and exit code 2."""
    surroundings.settle()
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except UserError as error:
        print(f"falsestruct: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        where = f": {error.filename}" if error.filename else ""
        print(f"falsestruct: {error.strerror}{where}; free some space", file=sys.stderr)
    except Exception as error:
        if not hasattr(error, "format_message"):  # of a mistyped command line
            raise
        _tell_mistyped(error)
    sys.exit(2)


def _tell_mistyped(error: Any) -> None:
    """Without words there is no message: the help has been printed then."""
    if text := " ".join(error.format_message().split()):
        context, words = getattr(error, "ctx", None), list[str]()
        while context is not None and context.parent:  # the program itself may have any name
            words, context = [context.info_name, *words], context.parent
        print(f"falsestruct: {text}; see `{' '.join(['falsestruct', *words])} --help`",
              file=sys.stderr)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        print(f"falsestruct {falsestruct.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


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


@app.command(
    "list",
    epilog=_examples(
        "falsestruct list",
        "falsestruct list --json    # for programs",
    ),
)
def list_chapters(as_json: Json = False) -> None:
    """List the chapters: fresh, stale, to be drawn again or never run; seconds of the last run."""
    book = find_book()
    states = [chapters.state(book, chapter) for chapter in chapters.read_chapters(book).values()]
    if as_json:
        print(json.dumps([asdict(state) for state in states]))
    else:
        _table(("chapter", "state", "seconds"), [(s.chapter, s.state, s.seconds) for s in states])


@app.command(
    epilog=_examples(
        "falsestruct run                              # what is not fresh",
        "falsestruct run 03_stripes --force           # one chapter, fresh or not",
        "falsestruct run --profile quick              # a first look, in two minutes",
        "falsestruct run 04_oscillation -p seeds=5    # another parameter",
        "falsestruct run --profile paper --scheduler tcp://127.0.0.1:8786",
    )
)
def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHAPTER", help="NN_slug; all chapters if none is named."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also chapters that are fresh.")] = False,
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
    """Re-execute the chapters that are stale, or those that are named.

    Of a chapter that is fresh but for what draws its figures, the figures are drawn again from
    their data; nothing is executed.

    Results of `quick`, `paper` or a changed parameter go below _build, never into the book. Such a
    run keeps the finished points of its sweeps in _build/sweeps, and the next one takes them up;
    --force computes them again. The book's own runs compute everything anew each time.

    Exit code 1 says that a chapter failed or that a claim came out otherwise than pinned.
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
    if summary.ran:
        _tell_unknown(book)
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
        pinned = f"pinned is {stated[id].pinned}" if id in stated else "but nobody states it"
        print(f"unexpected: {id} came out {summary.verdicts[id]}, {pinned}")
    for name in summary.drawn:
        print(f"figures drawn again: {name}")
    counts = {v: list(summary.verdicts.values()).count(v) for v in claims.VERDICTS}
    print(
        f"chapters: {len(summary.ran)} run, {len(summary.skipped)} skipped, "
        f"{len(summary.errors)} failed, {seconds:.0f} s"
    )
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    print(f"claims: {tally}, {len(summary.unexpected)} unexpected")
    if summary.ran:
        print(f"results: {output.folder}")


@app.command(
    "claims",
    epilog=_examples(
        "falsestruct claims",
        "falsestruct claims --json                                # for programs",
        "falsestruct claims --output _build/runs/quick            # of another run",
    ),
)
def check_claims(as_json: Json = False, output: OutputFolder = None) -> None:
    """Check the ledger against book/claims, by the pinned verdicts; exit 1 if they disagree."""
    book = find_book()
    stated = claims.read_claims(book)
    evidence = claims.read_evidence(_output(book, output).evidence)
    known = chapters.read_chapters(book)
    keys = {name: chapters.freshness_key(book, chapter) for name, chapter in known.items()}
    problems = [*claims.check(stated, evidence, keys), *_outdated_records(book)]
    edited = {name: edits.found(book, chapter) for name, chapter in known.items()}
    problems += [
        claims.Problem(name, f"has an edited notebook, {what}: run `falsestruct take {name}`")
        for name, what in edited.items()
        if what
    ]
    rows = claims.ledger_rows(stated, evidence)
    if as_json:
        print(json.dumps({"ok": not problems, "claims": rows}))
    else:
        _table(list(rows[0]) if rows else (), [[*map(_short, row.values())] for row in rows])
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


@app.command(
    "figures",
    epilog=_examples(
        "falsestruct figures",
        "falsestruct figures --json    # with whole captions, for programs",
    ),
)
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


@app.command(
    epilog=_examples(
        "falsestruct cite                      # the book",
        "falsestruct cite 03_stripes           # a chapter",
        "falsestruct cite stripes-crossover    # a figure",
        "falsestruct cite audit-verdict        # a claim, with verdict and value",
        "falsestruct cite stripes-crossover >> references.bib",
    )
)
def cite(
    id: Annotated[
        str | None,
        typer.Argument(help="A chapter, figure or claim; the book if left out."),
    ] = None,
) -> None:
    """Print BibTeX for the book, a chapter, a figure or a claim, with version and commit."""
    book = find_book()
    print(citing.cite(book, id), end="")
    _tell_unknown(book)


def _tell_unknown(book: Book) -> None:
    """Results and citations without a commit are worth less: say why there is none."""
    if why := environment.why_unknown(book.root):
        print(f"falsestruct: commit unknown: {why}", file=sys.stderr)


@app.command(
    "figure",
    epilog=_examples(
        "falsestruct figure stripes-crossover -o crossover.pdf",
        "falsestruct figure stripes-crossover --style paper -o crossover.pdf",
        "falsestruct figure stripes-crossover --style slides -o crossover.svg",
        "falsestruct figure stripes-crossover --width 85mm --font-size 7 -o x.pdf",
    ),
)
def draw_figure(
    id: Annotated[str, typer.Argument(help="As `falsestruct figures` has it.")],
    output: Annotated[Path, typer.Option("-o", metavar="FILE", help="Where to write it.")],
    style: Annotated[
        str,
        typer.Option(help="book (6.3in, 9 pt), paper (3.25in, 8 pt) or slides (10in, 18 pt)."),
    ] = "book",
    width: Annotated[
        str | None, typer.Option(help="Like 3.25in, 8.5cm, 85mm, 240pt; else the style's.")
    ] = None,
    font_size: Annotated[float | None, typer.Option(help="In points; else the style's.")] = None,
    format: Annotated[str | None, typer.Option(help="svg, pdf or png; else as FILE ends.")] = None,
) -> None:
    """Draw a figure again from its stored data, at another size, without computing anything.

    Fonts are embedded. What can't be read at that size is said; the file is written all the same.
    """
    data, misfits = figures.redraw(
        find_book().published,
        id,
        format=format or output.suffix.lstrip("."),
        width=None if width is None else figures.inches(width),
        font_size=font_size,
        style=style,
    )
    figures.write_figure(output, data)
    print(output, file=sys.stderr if is_stdout(output) else sys.stdout)
    if misfits:
        more = f" and {len(misfits) - 1} more" if len(misfits) > 1 else ""
        print(f"falsestruct: too narrow for its texts: {misfits[0]}{more}; "
              "try a larger --width or a smaller --font-size", file=sys.stderr)  # fmt: skip


@app.command(
    epilog=_examples(
        "falsestruct new parities                  # the first free number",
        "falsestruct new 12_parities               # this number",
        "falsestruct new parities --title 'Parities: hard to learn, easy to say'",
    )
)
def new(
    slug: Annotated[str, typer.Argument(help="Lower-case words joined by underscores.")],
    title: Annotated[str | None, typer.Option(help="Of the chapter; else made of SLUG.")] = None,
) -> None:
    """Begin a chapter: its text, a claim, a test, a place in the contents.

    They fail until they are filled in: the claim can't be read and the test says what to do. An
    error leaves nothing behind.
    """
    made = scaffold.new(find_book(), slug, title=title)
    for path in made.paths:
        print(path)
    print(made.advice)


@app.command(
    epilog=_examples(
        "falsestruct take 03_stripes    # after editing notebooks/03_stripes.ipynb",
    )
)
def take(
    name: Annotated[str, typer.Argument(metavar="CHAPTER", help="NN_slug.")],
) -> None:
    """Take over into a chapter's text what was edited in its notebook; outputs don't count."""
    book = find_book()
    count = edits.take(book, name)
    print(f"book/{name}.md: {count} cells" if count else f"book/{name}.md says what it says")


@app.command(
    "record",
    epilog=_examples(
        "falsestruct record oscillation-paper-schedule --jobs 2    # hours",
    ),
)
def make_record(
    id: Annotated[str, typer.Argument(help="As in book/records.yml.")],
    jobs: Annotated[int, typer.Option(help="Tasks side by side.")] = 1,
) -> None:
    """Compute a recorded run again: the long computations that chapters only load."""
    start = time.perf_counter()
    made = records.make(id, jobs=jobs)
    print(f"{id}: {len(made.table)} rows in {time.perf_counter() - start:.0f} s")
    _tell_unknown(find_book())


Data = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A folder of images, or a .csv, .npz or .npy file."),
]
Labels = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="What is known of each input: its first column names "
                 "the folder's files."),
]  # fmt: skip
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Of the right answers; not handed to the network. If not "
                 "given: label, or the names of the folders."),
]  # fmt: skip
Beside = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Of a table, not handed over either; may be repeated."),
]
Text = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Of a table: the texts that are the inputs.")
]
Size = Annotated[
    str | None, typer.Option(metavar="ROWSxCOLUMNS", help="Resize images, such as 32x32.")
]
Groups = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Inputs of one source, which count as one. Of a table, it "
                 "is not handed to the network."),
]  # fmt: skip
Threshold = Annotated[
    float | None, typer.Option(help="Of a network that gives one score: above it is class 1.")
]
Classes = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="What its answers 0, 1, … or its scores mean.")
]
Batch = Annotated[
    int | None, typer.Option(help="Inputs handed over at once; if not given, as memory allows.")
]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures, too.")
]
Model = Annotated[str, typer.Argument(metavar="MODEL")]
Original = Annotated[
    str | None, typer.Option(metavar="COLUMN|MODULE:FUNCTION", help="If it is not --target.")
]
Suspected = Annotated[
    str | None, typer.Option(metavar="COLUMN|MODULE:FUNCTION", help="What you suspect.")
]
Intervene = Annotated[
    str | None,
    typer.Option(metavar="HOW", help="exchange, randomise or MODULE:FUNCTION, where too few inputs "
                 "are in conflict."),
]  # fmt: skip
Problem = Annotated[str | None, typer.Option(help=f"Of the book, instead of --data. {AUDITED}")]
Strength = Annotated[
    float | None,
    typer.Option(help="Of the problem's false signal; its usual one if not given."),
]
Samples = Annotated[int, typer.Option(help="Of the problem, drawn for either set.")]
Tried = Annotated[int, typer.Option(help="Inputs whose smallest flip is searched for.")]
Seed = Annotated[int, typer.Option(help="Of the inputs and of the search.")]


@app.command(
    "audit",
    epilog=_examples(
        "falsestruct audit model.onnx --data folder/ --labels more.csv --false place",
        "falsestruct audit model.onnx --data ward.csv --target ill --false clinic",
        "falsestruct audit mymodel:predict --data folder/ --false mymodel:snowy",
        "falsestruct audit mymodel:predict --problem stripes",
        "falsestruct audit mymodel:predict --problem stripes --strength 0.05 --json",
    ),
)
def audit_network(  # noqa: PLR0913 one option each
    model: Model,
    *,
    data: Data = None,
    labels: Labels = None,
    target: Target = None,
    original: Original = None,
    false: Suspected = None,
    intervene: Intervene = None,
    groups: Groups = None,
    beside: Beside = None,
    text: Text = None,
    size: Size = None,
    threshold: Threshold = None,
    classes: Classes = None,
    batch: Batch = None,
    problem: Problem = None,
    strength: Strength = None,
    samples: Samples = 500,
    points: Tried = 20,
    seed: Seed = 0,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """Which structure did your network learn: the one that it should, or the one you suspect?

    MODEL is an .onnx file, or MODULE:NAME of a function from a batch to labels or scores, of a
    PyTorch module or of a scikit-learn estimator. MODULE is looked for in the present folder first.
    A function gets images as a list of PIL images, texts as a list, a table as a DataFrame.

    With --problem: FUNCTION takes a batch (N, …), a float64 tensor, to labels (N,), 0 or 1.
    """
    _need_one(data, problem, false)
    if problem is not None:
        _audit_planted(model, (problem, strength), samples, points, seed, as_json)
        return
    with _readers_own():
        from falsestruct.characterise import suspicion

        read = _read(data, labels, target, beside, groups, text, size)
        found = suspicion.audit(
            _model(model), read.x,
            original=_original(original, read), false=_structure(false, read),
            intervene=_intervention(intervene), attributes=read.attributes, groups=groups,
            threshold=threshold, classes=_classes(classes, read), batch=batch, points=points,
            seed=seed, progress=sys.stderr.isatty(),
        )  # fmt: skip
    _show(found.to_json if as_json else found.to_text, found.to_html, html)


@app.command(
    "search",
    epilog=_examples(
        "falsestruct search model.onnx --data folder/ --html page.html",
        "falsestruct search mymodel:forest --data table.csv --target ill",
    ),
)
def search_network(  # noqa: PLR0913 one option each
    model: Model,
    *,
    data: Data = None,
    labels: Labels = None,
    target: Target = None,
    groups: Groups = None,
    beside: Beside = None,
    text: Text = None,
    size: Size = None,
    threshold: Threshold = None,
    classes: Classes = None,
    batch: Batch = None,
    queries: Annotated[int, typer.Option(help="Inputs to ask it about, about.")] = 20_000,
    seed: Seed = 0,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """What explains your network's decisions where the data don't force them? No suspicion needed.

    MODEL and the data are those of `falsestruct audit`.
    """
    if data is None:
        raise UserError("say what to ask it about: --data PATH")
    with _readers_own():
        from falsestruct.characterise import blind

        read = _read(data, labels, target, beside, groups, text, size)
        found = blind.search(
            _model(model), read.x, read.labels(),
            groups=None if groups is None else read.column(groups), threshold=threshold,
            classes=_classes(classes, read), queries=queries, seed=seed,
            progress=sys.stderr.isatty(), **({} if batch is None else {"batch": batch}),
        )  # fmt: skip
    _show(found.to_json if as_json else found.to_text, found.to_html, html)


@app.command(
    "released",
    epilog=_examples(
        "falsestruct released ~/false_structures",
        "falsestruct released ~/false_structures --json",
    ),
)
def audit_released(
    folder: Annotated[Path, typer.Argument(help="Of the main paper's code, with its models.")],
    as_json: Json = False,
) -> None:
    """Audit the networks that the main paper's authors released, from a folder of yours.

    Get their code from github.com/vegarant/false_structures, with its models; it has no licence, so
    that this book ships none of it. The command reads TensorFlow's checkpoints without TensorFlow,
    of each folder the last one, and keeps and sends nothing. A verdict is the name of the structure
    that a network follows, on nine in ten inputs, if it is right on surely more than three in four
    where both structures agree; else "undecided" (as run 035, which follows one on fewer), "none"
    or "mixture". Strength is the size of the hint, or of the colour's offset, that is assumed: the
    paper's. The last two columns are shares of the inputs on which the structures disagree; behind
    each share stands its 95 % interval. (Of stripes all inputs are asked; there, pass over it.) Any
    network of two inputs, or of 32 by 32 pixels, is taken for one of the paper's.
    """
    with _readers_own():
        from falsestruct.characterise import released

        table = released.audited(folder)
    if as_json:
        print(table.to_json(orient="records"))
        return
    columns = (
        "network",
        "problem",
        "strength",
        "verdict",
        "right if both agree",
        "original",
        "false",
    )
    _table(
        columns,
        [[row["network"], row["problem"], _short(row["strength"]), row["verdict"],
          *(_interval(row, share) for share in ("success", "original", "false"))]
         for row in table.to_dict("records")],
    )  # fmt: skip


def _interval(row: Mapping[Any, Any], name: str) -> str:
    """A share with its ends."""
    value, low, high = (_short(float(row[f"{name}{end}"])) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def _need_one(data: Path | None, problem: str | None, false: str | None) -> None:
    """One thing to ask about, and a suspicion if it is the reader's."""
    if (problem is None) == (data is None):
        raise UserError("say what to ask it about: either --data PATH or --problem NAME")
    if data is not None and false is None:
        raise UserError("say what you suspect: --false COLUMN or --false MODULE:FUNCTION; without "
                        "a suspicion there is `falsestruct search`")  # fmt: skip


def _audit_planted(
    model: str, problem: tuple[str, float | None], samples: int, points: int, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Of one of the book's problems."""
    with _readers_own():
        from falsestruct.characterise import audit as auditing
        from falsestruct.problems.planted import registry

        predict = _function(model)
        try:
            chosen = registry.by_name(*problem)
        except ValueError as error:  # no such problem
            raise UserError(str(error)) from None
        found = auditing.audit(predict, chosen, samples=samples, points=points, seed=seed)
    if as_json:
        print(found.to_json())
        return
    print(f"verdict: {found.verdict}\n{found.sentence}")
    rows = [list(asdict(capture).values()) for capture in found.captures]
    _table(("structure", "share", "low", "high"), [[_short(cell) for cell in row] for row in rows])
    sizes = asdict(found.instability).items()
    told = ", ".join(f"{norm} {'none' if v is None else claims.number(v)}" for norm, v in sizes)
    print(f"smallest perturbations found, medians: {told}")


@contextlib.contextmanager
def _readers_own() -> Iterator[None]:
    """What the reader's code prints must not get into the JSON; what is wrong is one line.

    PyTorch and all is imported in here: no other command waits for it.
    """
    with contextlib.redirect_stdout(sys.stderr):
        from falsestruct.characterise.audit import AuditError
        from falsestruct.characterise.hints import hinted

        try:
            yield
        except AuditError as error:
            raise UserError(hinted(" ".join(str(error).split()))) from None


def _read(
    data: Path | None, labels: Path | None, target: str | None, beside: Sequence[str] | None,
    groups: str | None, text: str | None, size: str | None,
) -> Any:  # fmt: skip
    from falsestruct.characterise import data as on_disk

    assert data is not None
    pixels = None if size is None else _pixels(size)
    apart = [*(beside or ()), *([] if groups is None else [groups])]
    return on_disk.read(data, labels=labels, target=target, beside=apart, text=text, size=pixels)


def _pixels(size: str) -> tuple[int, int]:
    rows, _, columns = size.partition("x")
    if not (rows.isdigit() and columns.isdigit() and int(rows) > 0 < int(columns)):
        raise UserError(f"--size is {size}; expected ROWSxCOLUMNS, such as 32x32")
    return int(rows), int(columns)


def _classes(given: str | None, read: Any) -> Sequence[Any] | None:
    if given is None:
        if read.classes is not None:
            print(f"answers 0, 1, … mean {', '.join(read.classes)}", file=sys.stderr)
        return read.classes
    return [_label(name) for name in given.split(",")]


def _label(name: str) -> int | str:
    try:
        return int(name)
    except ValueError:
        return name


def _original(given: str | None, read: Any) -> Any:
    """What was given, else the data's labels."""
    if given is None:
        read.labels()  # says what is missing
        return read.target
    return _structure(given, read)


def _structure(given: str | None, read: Any) -> Any:
    """A column's name as it is, MODULE:FUNCTION as what it names."""
    return given if given is None or read.has(given) else _intervention(given)


def _intervention(given: str | None) -> Any:
    """A name as it is, MODULE:FUNCTION as what it names."""
    return _function(given) if given is not None and ":" in given else given


def _model(target: str) -> Any:
    """An .onnx file as its path, MODULE:NAME as what it names."""
    return Path(target) if target.endswith(".onnx") else _function(target)


def _show(told: Callable[[], str], page: Callable[[], str], html: Path | None) -> None:
    print(told())
    if html is not None:
        write_asked(html, page())
        print(f"page: {html}", file=sys.stderr)


def _function(target: str) -> Any:
    """The reader's own function, or estimator, by MODULE:FUNCTION."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise UserError(f"{target!r}: expected MODULE:FUNCTION")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:  # a script that ends itself, too
        text = " ".join(str(error).split())
        raise UserError(f"can't import {module}: {type(error).__name__}: {text}") from None
    if not callable(found) and not hasattr(found, "predict"):
        raise UserError(f"{module} has no function {name!r}")
    return found


@app.command(
    epilog=_examples(
        "falsestruct build",
        "falsestruct build --strict                      # as `make test` does",
        "falsestruct build --output _build/runs/quick    # with another run's results",
    )
)
def build(
    strict: Annotated[bool, typer.Option("--strict", help="Make every warning an error.")] = False,
    output: OutputFolder = None,
    address: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="FALSESTRUCT_ADDRESS",
            help="Where the pages will be served, https://…",
        ),
    ] = "",
) -> None:
    """Build the HTML from stored results, without executing or drawing anything.

    With --output, pages show the results in that folder, and are built in _build below it. With
    --address, pages name absolute addresses, and there is a sitemap.
    """
    book = find_book()
    if address and not address.startswith(("https://", "http://")):
        raise UserError(f"--address is {address}; expected https://…")
    _need_notebooks(book)
    _warn_of_edits(book, strict=strict)
    folder = book.root if output is None else _output(book, output).folder
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(book.root), "-q"]
    command += ["--path-output", str(folder)]
    command += ["-W", "-n", "--keep-going", "--all"] if strict else []
    shown = os.environ | {"FALSESTRUCT_OUTPUT": "" if output is None else str(folder)}
    shown |= {"FALSESTRUCT_ADDRESS": address}
    page = folder / "_build" / "html" / "book" / "index.html"
    with anew.alone(folder):
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, env=shown)
        except FileNotFoundError:
            raise UserError(f"no {command[0]}: install requirements.txt") from None
        if done.returncode:
            _check_room(done.stderr)
        # Warnings pass; what Sphinx says when all is well would hide them.
        print(done.stderr, file=sys.stderr, end="")
        if done.returncode or not page.exists():
            print(done.stdout)
            raise typer.Exit(1)
    print(f"open {page}")


def _check_room(said: str) -> None:
    """One line instead of Sphinx's traceback where a build found no room."""
    for number, what in re.findall(r"^OSError: \[Errno (\d+)\] (.+)$", said, re.M):
        if int(number) in NO_ROOM:
            raise UserError(f"{what}; free some space")


def _warn_of_edits(book: Book, *, strict: bool) -> None:
    """Pages show what the notebooks say, edited or not."""
    try:
        edits.refuse(book, chapters.read_chapters(book))
    except UserError as error:
        if strict:
            raise
        print(f"falsestruct: {error}", file=sys.stderr)


def _need_notebooks(book: Book) -> None:
    known = chapters.read_chapters(book)
    missing = [n for n in known if not (book.published.notebooks / f"{n}.ipynb").exists()]
    if missing:
        raise UserError(f"no notebook for {', '.join(missing)}: run `falsestruct run` first")


@app.command("pdf", epilog=_examples("falsestruct pdf    # about a minute; then open it"))
def make_pdf() -> None:
    """Print the whole book, from the stored notebooks, as one PDF.

    It is _build/false-structures.pdf. Chromium or Chrome must be installed. Nothing is executed,
    and nothing comes from the network.
    """
    from falsestruct.press.paper import pdf  # no other command waits for what reads HTML

    book, start = find_book(), time.perf_counter()
    _need_notebooks(book)
    made = pdf.make(book)
    print(f"open {made.path}: {made.pages} pages, {time.perf_counter() - start:.0f} s")


@app.command(
    epilog=_examples(
        "falsestruct export --ro-crate crate   # the whole book, for an archive",
        "falsestruct export --metadata         # after editing CITATION.cff",
    )
)
def export(
    ro_crate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for an RO-Crate of the book.")
    ] = None,
    metadata: Annotated[
        bool, typer.Option("--metadata", help="Write .zenodo.json and codemeta.json.")
    ] = False,
) -> None:
    """Write what archives take: the book as an RO-Crate, or the metadata of a deposit."""
    from falsestruct.press.deposit import crate, files

    book = find_book()
    if ro_crate is None and not metadata:
        raise UserError("say what to export: --ro-crate DIR, or --metadata")
    for name, text in files.written(book).items() if metadata else ():
        write_atomically(book.root / name, text)
        print(book.root / name)
    if ro_crate is not None:
        print(f"{ro_crate}: {crate.export(book, ro_crate)} files named in ro-crate-metadata.json")


@app.command(
    "history", epilog=_examples("falsestruct history    # after merging runs of two branches")
)
def recover_history() -> None:
    """Write book/history.json anew, from the records that git has; runs add to it.

    Each chapter shows at its foot what changed in its claims.
    """
    from falsestruct.press.notebook.history import NoHistoryError
    from falsestruct.press.run import chronicle

    book = find_book()
    try:
        known = chronicle.recovered(book)
    except NoHistoryError as error:
        raise UserError(f"can't tell what changed: {' '.join(str(error).split())}") from None
    chronicle.write(book.published, known)
    print(f"{chronicle.path_of(book.published)}: {sum(map(len, known.values()))} changes of "
          f"{len(known)} chapters")  # fmt: skip


@app.command(epilog=_examples("falsestruct weights    # after a change of what trains them"))
def weights() -> None:
    """Train the networks that answer on the front page, and store them in book/networks.

    One of each kind in chapter 03, on one thread: on the same machine, the same bytes each time.
    Takes seconds.
    """
    from falsestruct.press.site import live  # no other command waits for PyTorch

    for path in live.store(find_book()):
        print(path)


@app.command(
    epilog=_examples(
        "falsestruct certify                        # executes every chapter",
        "falsestruct certify --check received.json  # executes nothing",
    )
)
def certify(
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check a certificate, execute nothing.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Chapters side by side.")] = None,
    uncommitted: Annotated[
        bool, typer.Option("--uncommitted", help="Also of what no commit has; nobody can check it.")
    ] = False,
) -> None:
    """Execute every chapter, compare it with the book's results, and write a certificate.

    Recorded runs (`book/records.yml`) are loaded, not computed again; the certificate counts the
    claims of the chapters that load some apart. It is below _build/certificates, as JSON and as a
    page, beside a folder with what the run came to; the book stays as it is. Leave
    the clone alone until it ends: of what changes meanwhile there is no certificate. Laid in
    book/certificates, a certificate is listed with the evidence. Exit code 1 says that something
    differs, or that a certificate doesn't follow from its own numbers.
    """
    from falsestruct.press.run import certificates

    book = find_book()
    if check is not None:
        found = certificates.read(check)
        wrong = certificates.check(book, found)
        print("\n".join(wrong) or f"It follows: {certificates.summary(found)}.")
        print(certificates.CAVEAT)
    else:
        found = _certificate(book, jobs, uncommitted=uncommitted)
        wrong = [*certificates.differences(found), *found["failed"].values()]
        print("\n".join([*wrong, certificates.summary(found)]))
    if wrong:
        raise typer.Exit(1)


def _certificate(book: Book, jobs: int | None, *, uncommitted: bool) -> dict[str, Any]:
    """Made of a run that keeps apart from the book, and from runs before it."""
    from falsestruct.press.run import certificates

    basis = certificates.begin(book, uncommitted=uncommitted)
    start, folder = time.perf_counter(), book.build / "certificates"
    make_folder(folder)
    own = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    request = runner.Request(force=True, jobs=jobs, output=own)
    with _reporter(book, runner.workers(request)) as reporter:
        ran = runner.run(book, request, reporter)
    certificates.hold(book, basis, changed=ran.changed, results=own)
    output, seconds = runner.destination(book, request), time.perf_counter() - start
    found = certificates.make(basis, output, seconds=seconds, failed=ran.errors)
    name = f"{found['commit']}-{found['date'][:19].replace(':', '')}"
    own.rename(folder / name)
    for end, text in (("json", certificates.as_json(found)), ("md", certificates.as_page(found))):
        write_atomically(folder / f"{name}.{end}", text)
        print(folder / f"{name}.{end}")
    return found


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
    """A live bar a chapter, for terminals: cells done, the time it took, what it does."""

    def __init__(self, cells: Mapping[str, int], console: Console | None = None) -> None:
        self.cells = cells
        count = TextColumn("cells"), MofNCompleteColumn(), TimeElapsedColumn()
        columns = TextColumn("{task.description}"), BarColumn(bar_width=10), *count
        self.progress = Progress(*columns, TextColumn("{task.fields[what]}"), console=console)
        self.tasks: dict[str, Any] = {}
        self.expected: dict[str, float] = {}

    def __enter__(self) -> _BarReporter:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, jobs: Sequence[Job], expected: Mapping[str, float]) -> None:
        self.expected |= expected
        for job in jobs:
            last = f", last time {expected[job.chapter]:.0f} s" if expected[job.chapter] else ""
            total, what = self.cells[job.chapter], f"waits{last}"
            task = self.progress.add_task(job.chapter, total=total, start=False, what=what)
            self.tasks[job.chapter] = task

    def progressed(self, chapter: str, cells: int, points: Points | None = None) -> None:
        task = self.tasks[chapter]
        self.progress.start_task(task)
        # A cell that papermill adds for changed parameters is none of the chapter's.
        done = min(cells, self.cells[chapter])
        elapsed = self.progress.tasks[task].elapsed or 0.0
        what = _describe(points, self.expected[chapter] - elapsed)
        self.progress.update(task, completed=done, what=what)

    def finished(self, result: Result) -> None:
        task = self.tasks[result.job.chapter]
        if result.error:
            self.progress.update(task, what="failed")
        else:
            self.progress.update(task, completed=self.cells[result.job.chapter], what="done")
        self.progress.stop_task(task)


def _describe(points: Points | None, left: float) -> str:
    """What a running chapter does; `left`: seconds, if it takes as long as last time."""
    usual = f"about {left:.0f} s left" if left > 0 else "runs"
    if points is None:
        return usual
    rest = "" if points.left is None else f", {points.left:.0f} s left"
    return f"points {points.done}/{points.total}{rest}"


def _reporter(book: Book, workers: int) -> _LogReporter | _BarReporter:
    if not sys.stdout.isatty():
        return _LogReporter(workers)
    known = chapters.read_chapters(book)
    return _BarReporter({name: chapter.code_cells for name, chapter in known.items()})


if __name__ == "__main__":
    main()
