"""Chapters: what they are made of, whether they are fresh, and one run of one chapter."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from falsestruct.press import claims, sources, staging
from falsestruct.press.paths import Book, Output, UserError, write_atomically

PROFILES = ("quick", "book", "paper")
STATES = ("fresh", "stale", "never run")
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
        last: It reads what other chapters write, so it runs after them.
    """

    name: str
    path: Path
    notebook: NotebookNode
    parameters: dict[str, Any]
    profiles: dict[str, dict[str, Any]]
    data: tuple[str, ...]
    last: bool

    @property
    def code_cells(self) -> int:
        """Number of cells that a run executes."""
        return sum(cell.cell_type == "code" for cell in self.notebook.cells)


@dataclass(frozen=True)
class Job:
    """One run of one chapter, with everything a worker process needs to know.

    Attributes:
        changed: Parameters that differ from the chapter's own.
        output: Where the results of the chapters that it reads are.
    """

    root: Path
    chapter: str
    parameters: dict[str, Any]
    changed: dict[str, Any]
    key: str
    staging: Path
    output: Path
    threads: int


@dataclass(frozen=True)
class Result:
    """What became of a job; `error` names the cell and the error, or is None."""

    job: Job
    seconds: float
    error: str | None = None


@dataclass(frozen=True)
class State:
    """Whether a chapter's results are those of its present text, parameters, code and data."""

    chapter: str
    state: str
    seconds: float | None


def read_chapters(book: Book) -> dict[str, Chapter]:
    """All chapters by name, in order. Pages without a notebook header are no chapters."""
    paths = sorted(book.source.glob("[0-9][0-9]_*.md"))
    return {path.stem: read_chapter(path) for path in paths}


def read_chapter(path: Path) -> Chapter:
    """A chapter from its text.

    Raises:
        UserError: its first code cell is not a parameters cell of plain literals.
    """
    notebook = jupytext.read(path, fmt="md:myst")
    header = notebook.metadata.get("falsestruct", {})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or "parameters" not in code[0].metadata.get("tags", []):
        raise UserError(f"{path.name}: the first code cell must be tagged `parameters`")
    parameters = _literals(code[0].source, path.name)
    profiles = {name: dict(values) for name, values in header.get("profiles", {}).items()}
    for profile, values in profiles.items():
        if profile not in PROFILES:
            raise UserError(f"{path.name}: no profile {profile!r}; one of {', '.join(PROFILES)}")
        profiles[profile] = check_parameters(path.stem, parameters, values)
    data, last = tuple(header.get("data", ())), bool(header.get("last", False))
    return Chapter(path.stem, path, notebook, parameters, profiles, data, last)


def _literals(source: str, where: str) -> dict[str, Any]:
    found = {}
    for line in ast.parse(source).body:
        try:
            if not isinstance(line, ast.Assign) or not isinstance(line.targets[0], ast.Name):
                raise ValueError
            found[line.targets[0].id] = ast.literal_eval(line.value)
        except ValueError:
            text = ast.unparse(line)
            raise UserError(f"{where}: parameters cell: `{text}` is no plain literal") from None
    return found


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
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise UserError(f"{where}: {value!r} is no {wanted.__name__}") from None
    if wanted is float and type(value) is int:
        value = float(value)
    if wanted in (list, tuple) and isinstance(value, (list, tuple)):
        value = wanted(value)
    if type(value) is not wanted:
        kind = type(value).__name__
        raise UserError(f"{where}: {value!r} is {kind}, expected {wanted.__name__}")
    return value


def freshness_key(book: Book, chapter: Chapter) -> str:
    """Content key over text, parameters, reachable source, requirements, claims and data."""
    digest = hashlib.sha256()
    for path in [chapter.path, book.requirements, *_source(book, chapter), *_data(book, chapter)]:
        digest.update(f"{path.relative_to(book.root)}\n".encode())
        digest.update(path.read_bytes() if path.exists() else b"absent")
    for claim in claims.read_claims(book).values():
        if claim.chapter == chapter.name:
            digest.update(claim.stated.encode())
    return digest.hexdigest()


def _source(book: Book, chapter: Chapter) -> list[Path]:
    code = "\n".join(c.source for c in chapter.notebook.cells if c.cell_type == "code")
    return sources.reachable(book.root, sources.imported(code, book.root))


def _data(book: Book, chapter: Chapter) -> list[Path]:
    return sorted(path for pattern in chapter.data for path in book.root.glob(pattern))


def state(book: Book, chapter: Chapter) -> State:
    """Is the published result of a chapter fresh, stale, or not there?"""
    path = book.published.notebooks / f"{chapter.name}.ipynb"
    if not path.exists():
        return State(chapter.name, "never run", None)
    mark = json.loads(path.read_text())["metadata"].get(MARK, {})
    evidence = claims.read_evidence(book.published.evidence)
    fresh = (
        mark.get("key") == freshness_key(book, chapter)
        and all(evidence.get(id, {}).get("key") == mark["key"] for id in mark["claims"])
        and all((book.published.figures / f"{id}.svg").exists() for id in mark["figures"])
    )
    return State(chapter.name, "fresh" if fresh else "stale", mark.get("seconds"))


def execute(job: Job) -> Result:
    """Run a chapter with papermill in its staging folder; nothing outside of it changes."""
    import papermill

    start = time.perf_counter()
    shutil.rmtree(job.staging, ignore_errors=True)
    run = staging.Run(job.staging, job.chapter, job.parameters, job.key)
    run.save()
    chapter = read_chapter(Book(job.root).source / f"{job.chapter}.md")
    before, after = job.staging / "before.ipynb", job.staging / "after.ipynb"
    nbformat.write(chapter.notebook, before)
    _set_environment(job)
    done = [0]

    def count(**_: Any) -> None:
        done[0] += 1
        write_atomically(job.staging / "progress", str(done[0]))

    try:
        papermill.execute_notebook(
            before, after, parameters=job.changed, cwd=job.root, kernel_name="python3",
            progress_bar=False, log_output=False, on_cell_executed=count,
            extra_arguments=["--IPKernelApp.log_level=40"],
        )  # fmt: skip
        _tidy(after, job, time.perf_counter() - start)
    except papermill.PapermillExecutionError as error:
        what = f"cell {error.cell_index}: {error.ename}: {error.evalue}"
        return Result(job, time.perf_counter() - start, what)
    except Exception as error:  # a kernel that died, a full disk: the other chapters go on
        what = f"after cell {done[0]}: {type(error).__name__}: {error}"
        return Result(job, time.perf_counter() - start, what)
    return Result(job, time.perf_counter() - start)


def _set_environment(job: Job) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(job.threads))
    path = os.pathsep.join(filter(None, [str(job.root), os.environ.get("PYTHONPATH")]))
    os.environ.update(
        threads,
        PYTHONPATH=path,
        FALSESTRUCT_ROOT=str(job.root),
        **{staging.OUTPUT: str(job.output), staging.VARIABLE: str(job.staging)},
        # The kernel belongs to the interpreter that runs the book, whatever else is installed.
        JUPYTER_PATH=str(Path(sys.prefix) / "share" / "jupyter"),
    )


def _tidy(path: Path, job: Job, seconds: float) -> None:
    """Strip what papermill added, so that text and notebook stay a pair, and leave our mark."""
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
    notebook.metadata[MARK] = {
        "key": job.key,
        "seconds": round(seconds, 1),
        "threads": job.threads,
        "parameters": job.parameters,
        "claims": sorted(p.stem for p in job.staging.glob("claims/*.json")),
        "figures": sorted(p.stem for p in job.staging.glob("figures/*.json")),
    }
    nbformat.write(notebook, path)


@dataclass(frozen=True)
class Publication:
    """What a published chapter brought."""

    verdicts: dict[str, str] = field(default_factory=dict)


def publish(result: Result, output: Output) -> Publication:
    """Move a finished run's results to where they count: the notebook last.

    Killed in between, the old notebook's key doesn't match its evidence, so the next run repeats
    the chapter.
    """
    job = result.job
    for path in sorted(job.staging.glob("figures/*")):
        write_atomically(output.figures / path.name, path.read_bytes())
    records = [
        json.loads(path.read_text()) | {"seconds": round(result.seconds, 1)}
        for path in sorted(job.staging.glob("claims/*.json"))
    ]
    claims.merge_evidence(output.evidence, job.chapter, records)
    after = (job.staging / "after.ipynb").read_text()
    _drop_old_figures(output, job.chapter, after)
    write_atomically(output.notebooks / f"{job.chapter}.ipynb", after)
    return Publication({entry["id"]: entry["verdict"] for entry in records})


def _drop_old_figures(output: Output, chapter: str, notebook: str) -> None:
    """Remove the files of figures that the chapter no longer makes."""
    kept = json.loads(notebook)["metadata"][MARK]["figures"]
    for path in output.figures.glob("*.json"):
        if path.stem not in kept and json.loads(path.read_text())["chapter"] == chapter:
            for file in output.figures.glob(f"{path.stem}.*"):
                file.unlink()
