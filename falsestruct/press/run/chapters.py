"""Chapters: what they are made of, whether they are fresh, and one run of one chapter."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import json
import math
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from falsestruct.press.notebook import claims, environment, figures, staging
from falsestruct.press.paths import Book, Output, UserError, read_json, read_text, write_atomically
from falsestruct.press.run import chronicle, freshness, machine_code

PROFILES = ("quick", "book", "paper")
FRESH, STALE, NEVER, OLD_PICTURES = "fresh", "stale", "never run", "to be drawn again"
EDITED = "notebook edited"
AFTER = "after.ipynb"  # the executed chapter, in its staging folder
CELLS = "progress"  # there too: how many cells are done
POINTS = "points.json"  # there too: how far the sweep is that runs
SWEEPS = "FALSESTRUCT_SWEEPS"
_NONE = object()
MARK = "falsestruct_run"  # what a finished run leaves in the notebook's metadata


@dataclass(frozen=True)
class Chapter:
    """A chapter as its author wrote it.

    Attributes:
        name: NN_slug.
        path: Its text.
        notebook: The text as a notebook without outputs.
        parameters: The literals of its parameters cell.
        profiles: For each profile but "book", the parameters that differ.
        data: Files that it reads beside the package, as patterns below the book's root.
    """

    name: str
    path: Path
    notebook: NotebookNode
    parameters: dict[str, Any]
    profiles: dict[str, dict[str, Any]]
    data: tuple[str, ...]

    @property
    def code(self) -> list[str]:
        """The text of the cells that a run executes."""
        return [cell.source for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def code_cells(self) -> int:
        """Number of cells that a run executes."""
        return len(self.code)


@dataclass(frozen=True)
class Job:
    """One run of one chapter, with everything a worker process needs to know.

    Attributes:
        changed: Parameters that differ from the chapter's own.
        staging: A folder of its own; nothing outside of it changes while it runs.
        threads: Of the kernel.
        sweeps: Where finished points of sweeps are kept for the next run; None for nowhere.
        drawing: Key of what draws the chapter's figures.
    """

    root: Path
    chapter: str
    parameters: dict[str, Any]
    changed: dict[str, Any]
    key: str
    staging: Path
    threads: int
    sweeps: Path | None = None
    drawing: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a job; `error` names the cell and the error in one line, or is None."""

    job: Job
    seconds: float
    error: str | None = None


@dataclass(frozen=True)
class State:
    """Whether a chapter's results are those of its present text, parameters, code and data.

    Attributes:
        state: "fresh", "stale", "never run"; "to be drawn again": its numbers are fresh, but
            what draws its figures has changed; or "notebook edited": its text was not.
        seconds: That the last run took; None if there was none.
    """

    chapter: str
    state: str
    seconds: float | None


def read_chapters(book: Book) -> dict[str, Chapter]:
    """All chapters by name, in order. Pages without a kernel in their header are no chapters."""
    return {path.stem: read_chapter(path) for path in numbered(book) if _has_kernel(path)}


def numbered(book: Book) -> list[Path]:
    """The texts of chapters and of pages with a number."""
    return sorted(book.source.glob("[0-9][0-9]_*.md"))


def _has_kernel(path: Path) -> bool:
    header, _, _ = read_text(path).partition("\n---\n")
    return header.startswith("---\n") and "\nkernelspec:" in header


def read_chapter(path: Path, text: str | None = None) -> Chapter:
    """A chapter from its text, or from what its text is about to be.

    Raises:
        UserError: its first code cell is not a parameters cell of plain literals, or a profile in
            its header does not fit them.
    """
    text = read_text(path) if text is None else text
    try:
        notebook = jupytext.reads(text, fmt="md:myst")
    except Exception as error:  # whatever its readers of YAML and MyST raise
        what = " ".join(str(error).split())
        raise UserError(f"{path.name}: {type(error).__name__}: {what}") from None
    header = notebook.metadata.get("falsestruct", {})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or "parameters" not in code[0].metadata.get("tags", []):
        raise UserError(f"{path.name}: the first code cell must be tagged `parameters`")
    parameters = _literals(code[0].source, path.name)
    given = header.get("profiles") or {}
    profiles = {name: dict(values or {}) for name, values in given.items()}
    for profile, values in profiles.items():
        if profile not in PROFILES:
            raise UserError(f"{path.name}: no profile {profile!r}; one of {', '.join(PROFILES)}")
        profiles[profile] = check_parameters(path.stem, parameters, values)
    data = header.get("data") or ()
    data = (data,) if isinstance(data, str) else tuple(data)
    return Chapter(path.stem, path, notebook, parameters, profiles, data)


def _literals(source: str, where: str) -> dict[str, Any]:
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        raise UserError(f"{where}: parameters cell: line {error.lineno}: {error.msg}") from None
    found = {}
    for line in lines:
        text = ast.unparse(line)
        match line:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                if (literal := _literal(value)) is _NONE:
                    raise UserError(f"{where}: parameters cell: `{text}` is no plain literal")
                found[name] = literal
            case _:
                raise UserError(f"{where}: parameters cell: `{text}` is not `name = literal`")
    return found


def _literal(text: ast.expr | str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NONE  # no literal; None is one


def check_parameters(
    chapter: str, known: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Given values with the types of the chapter's own; text as from a command line is read.

    Raises:
        UserError: an unknown name, or a value of another type.
    """
    checked = {}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known)
            raise UserError(f"{chapter} has no parameter {name!r}; it has {names}")
        checked[name] = _as_type_of(known[name], value, f"{chapter}, parameter {name}")
    return checked


def _as_type_of(default: Any, value: Any, where: str) -> Any:
    wanted = type(default)
    if isinstance(value, str) and wanted is not str:
        if (literal := _literal(value)) is _NONE:
            raise UserError(f"{where}: {value!r} is no {wanted.__name__}")
        value = literal
    if wanted is float and type(value) is int:
        value = float(value)
    if wanted in (list, tuple) and isinstance(value, (list, tuple)):
        # An element has the type of the default's first; of an empty list nothing is known.
        value = wanted(_as_type_of(default[0], v, where) if default else v for v in value)
    if wanted is dict and isinstance(value, Mapping):
        if set(value) != set(default):
            raise UserError(f"{where}: {dict(value)}, expected a dict of {', '.join(default)}")
        value = {key: _as_type_of(default[key], value[key], f"{where}, {key}") for key in default}
    if type(value) is not wanted:
        kind = type(value).__name__
        raise UserError(f"{where}: {value!r} is {kind}, expected {wanted.__name__}")
    if wanted is float and not math.isfinite(value):
        raise UserError(f"{where}: {value!r}, expected a finite number")
    return value


def freshness_key(book: Book, chapter: Chapter) -> str:
    """Key of what a chapter's numbers depend on: text, data, code that computes, versions.

    Claims are judged by what the run left, and figures drawn again from it: neither counts.
    """
    # Which Jupytext wrote the header says nothing of what runs.
    text = re.sub(r"^jupytext:\n(?: .*\n)+", "", read_text(chapter.path), count=1, flags=re.M)
    return freshness.computing_key(book, text, chapter.code, _data(book, chapter))


def drawing_key(book: Book, chapter: Chapter) -> str:
    """Key of what draws a chapter's figures from their stored data."""
    return freshness.drawing_key(book, chapter.code)


def _data(book: Book, chapter: Chapter) -> list[Path]:
    found = {path for pattern in chapter.data for path in book.root.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def state(book: Book, chapter: Chapter) -> State:
    """Is the published result of a chapter fresh, stale, edited, or not there?"""
    from falsestruct.press.run import edits

    path = book.published.notebooks / f"{chapter.name}.ipynb"
    if not path.exists():
        return State(chapter.name, NEVER, None)
    try:
        mark = read_json(path)["metadata"].get(MARK, {})
    except (UserError, KeyError, TypeError):  # no notebook any more: the next run mends it
        return State(chapter.name, STALE, None)
    if edits.found(book, chapter):
        return State(chapter.name, EDITED, mark.get("seconds"))
    evidence = claims.read_evidence(book.published.evidence)
    fresh = (
        mark.get("key") == freshness_key(book, chapter)
        and all(evidence.get(id, {}).get("key") == mark["key"] for id in mark["claims"])
        and all(_has_figure(book.published, id, mark["key"]) for id in mark["figures"])
    )
    found = STALE if not fresh else OLD_PICTURES if old_figures(book, chapter) else FRESH
    return State(chapter.name, found, mark.get("seconds"))


def _has_figure(output: Output, id: str, key: str) -> bool:
    files = {kind: output.figures / f"{id}.{kind}" for kind in ("csv", *figures.FORMATS, "json")}
    whole = all(path.exists() for path in files.values())
    return whole and read_json(files["json"])["about"].get("key") == key


def old_figures(book: Book, chapter: Chapter) -> list[figures.Published]:
    """The published figures of a chapter that were drawn by other code than the present one."""
    known = [f for f in figures.all_figures(book.published) if f.chapter == chapter.name]
    if not known:
        return []
    key = drawing_key(book, chapter)
    return [figure for figure in known if figure.drawn.get("key") != key]


def draw_again(book: Book, chapter: Chapter) -> None:
    """Draw a chapter's figures that need it from their data, the notebook's pictures too.

    Nothing is executed. The records come last, so that what is ended in between is done again.

    Raises:
        UserError: a figure can't be drawn; the text names it.
    """
    old, key = old_figures(book, chapter), drawing_key(book, chapter)
    drawn = {figure.id: figures.redrawn(book.published, figure) for figure in old}
    path = book.published.notebooks / f"{chapter.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for figure in old:
        for format, data in drawn[figure.id].items():
            write_atomically(book.published.figures / f"{figure.id}.{format}", data)
        figures.replace_picture(notebook, figure, drawn[figure.id]["png"])
    write_atomically(path, nbformat.writes(notebook) + "\n")
    _not_older(book, chapter.name)
    by = {"key": key, "commit": environment.commit(book.root)}
    for figure in old:
        figures.store(book.published, dataclasses.replace(figure, drawn=by))


def execute(job: Job) -> Result:
    """Run a chapter with papermill in its staging folder; nothing outside of it changes.

    What goes wrong is in the result, so that the other chapters go on.
    """
    import papermill

    start, done = time.perf_counter(), [0]

    def count(**_: Any) -> None:
        done[0] += 1
        write_atomically(job.staging / CELLS, str(done[0]))

    error = None
    try:
        _execute(job, count)
        _tidy(job.staging / AFTER, job, time.perf_counter() - start)
    except papermill.PapermillExecutionError as failure:
        number = failure.exec_count - bool(job.changed)  # papermill adds a cell of parameters
        line = next(iter(failure.source.strip().splitlines()), "")
        error = f"code cell {number} (`{line}`): {failure.ename}: {failure.evalue}"
    except Exception as failure:  # a kernel that died, a full disk
        number = done[0] + 1 - bool(job.changed and done[0])
        error = f"code cell {number}: {type(failure).__name__}: {failure}"
    return Result(job, time.perf_counter() - start, error and " ".join(error.split()))


def _execute(job: Job, count: Callable[..., None]) -> None:
    import papermill
    from papermill.translators import PythonTranslator, papermill_translators

    class Literals(PythonTranslator):  # type: ignore[misc]  # untyped
        """Parameters are literals of Python: a tuple stays one."""

        @classmethod
        def translate(cls, val: Any) -> str:
            return repr(val)

    shutil.rmtree(job.staging, ignore_errors=True)
    staging.Run(job.staging, job.chapter, job.parameters, job.key).save()
    chapter = read_chapter(Book(job.root).source / f"{job.chapter}.md")
    before = job.staging / "before.ipynb"
    nbformat.write(chapter.notebook, before)
    _set_environment(job)
    papermill_translators.register("python", Literals)
    machine_code.keep(job.root, freshness.computed_by(Book(job.root), chapter.code))
    papermill.execute_notebook(
        before, job.staging / AFTER, parameters=job.changed, cwd=job.root, kernel_name="python3",
        progress_bar=False, log_output=False, on_cell_executed=count,
        # How printed text falls into messages depends on the machine's load.
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=50"],
        kernel_manager_class="falsestruct.press.run.kernels.LocalKernel",
    )  # fmt: skip


# A step of training frees large tensors, and glibc gives their pages back to the system, which has
# to clear new ones in the next step: a tenth of the time of a convolutional network. So a kernel
# keeps up to a gigabyte that it freed, in large pages if there are some. Other systems ignore this.
MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**27),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def _set_environment(job: Job) -> None:
    for name, value in MEMORY.items():
        os.environ.setdefault(name, value)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(job.threads))
    path = os.pathsep.join(filter(None, [str(job.root), os.environ.get("PYTHONPATH")]))
    os.environ.pop(SWEEPS, None)
    os.environ.update(
        threads | ({SWEEPS: str(job.sweeps)} if job.sweeps else {}),
        PYTHONPATH=path,
        FALSESTRUCT_ROOT=str(job.root),
        FALSESTRUCT_PROGRESS=str(job.staging / POINTS),
        **{staging.VARIABLE: str(job.staging)},
        # The kernel belongs to the interpreter that runs the book, whatever else is installed.
        JUPYTER_PATH=str(Path(sys.prefix) / "share" / "jupyter"),
    )


def _tidy(path: Path, job: Job, seconds: float) -> None:
    """Strip what papermill added, so that text and notebook stay a pair, and leave our mark."""
    from falsestruct.press.run import edits

    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index:03d}"
        for extra in ("papermill", "execution"):
            cell.metadata.pop(extra, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("language_info", None)
    # The text's own business; `jupytext --sync` would take it out.
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    notebook.metadata[MARK] = {
        "key": job.key,
        "seconds": round(seconds, 1),
        "threads": job.threads,
        "environment": environment.describe() | {"threads": job.threads},
        "commit": environment.commit(job.root),
        "parameters": job.parameters,
        "sources": edits.digest(edits.sources(notebook)),
        "claims": sorted(p.stem for p in job.staging.glob("claims/*.json")),
        "figures": sorted(p.stem for p in job.staging.glob("figures/*.json")),
    }
    nbformat.write(notebook, path)


def publish(result: Result, output: Output) -> bool:
    """Move a finished run's results to where they count: records of figures first, notebook last.

    Killed in between, the old notebook's key matches neither its figures nor its evidence, so the
    next run repeats the chapter.

    Returns:
        Whether they are fresh. If text, code or data changed while the chapter ran, its results
        belong to neither version, and are published as stale.
    """
    job = result.job
    key = _present(freshness_key, job, job.key)
    drawing = _present(drawing_key, job, job.drawing)
    staged = job.staging / "figures"
    for path in sorted(staged.glob("*.json")):
        record = read_json(path)
        record["about"]["key"] = key
        record["drawn"] = {"key": drawing, "commit": record["about"].get("commit")}
        write_atomically(output.figures / path.name, json.dumps(record, indent=1) + "\n")
    for path in sorted(set(staged.glob("*")) - set(staged.glob("*.json"))):
        write_atomically(output.figures / path.name, path.read_bytes())
    extra = {"seconds": round(result.seconds, 1), "key": key}
    records = {p.stem: read_json(p) | extra for p in sorted(job.staging.glob("claims/*.json"))}
    records = claims.judged(Book(job.root), records)
    first = chronicle.noting(Book(job.root), output)
    claims.merge_evidence(output.evidence, job.chapter, records.values(), first=first)
    notebook = nbformat.read(job.staging / AFTER, as_version=4)
    notebook.metadata[MARK]["key"] = key
    _drop_old_figures(output, job.chapter, notebook.metadata[MARK]["figures"])
    write_atomically(output.notebooks / f"{job.chapter}.ipynb", nbformat.writes(notebook) + "\n")
    if output == Book(job.root).published:
        _not_older(Book(job.root), job.chapter)
    return bool(key)


def _not_older(book: Book, name: str) -> None:
    """Jupytext takes the younger of a pair for the right one, and a text that is older for a fault.

    So does it itself after writing a notebook. Nothing is lost if it can't be done.
    """
    with contextlib.suppress(OSError):
        os.utime(book.source / f"{name}.md")


def unchanged(job: Job) -> bool:
    """Whether the clone's state is the one that the job is for."""
    return bool(_present(freshness_key, job, job.key))


def _present(now: Callable[[Book, Chapter], str], job: Job, then: str) -> str:
    """A key of a job's, or nothing if the clone's state is no longer the one that it stands for."""
    book = Book(job.root)
    try:
        chapter = read_chapter(book.source / f"{job.chapter}.md")
        return then if now(book, chapter) == then else ""
    except (UserError, OSError):  # being edited, or gone
        return ""


def _drop_old_figures(output: Output, chapter: str, kept: Sequence[str]) -> None:
    """Remove the files of figures that the chapter no longer makes."""
    for path in output.figures.glob("*.json"):
        if path.stem not in kept and read_json(path)["chapter"] == chapter:
            for file in output.figures.glob(f"{path.stem}.*"):
                file.unlink()
