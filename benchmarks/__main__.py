"""`make bench`: every comparison in one table, and as JSON under _build.

`python -m benchmarks PART …` measures only some parts; a GPU is measured by `python -m
benchmarks.gpu`. `--record` keeps the result in
book/records/benchmarks.json, which the pages *Where the time goes* and *Beyond one machine* show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import (
    beyond,
    book,
    coverage,
    firenet,
    paper,
    perturbation,
    profile,
    sweep,
    training,
)
from falsestruct.press.notebook import environment
from falsestruct.press.paths import find_book, read_json, write_atomically
from falsestruct.press.site import measurements

RESULT = Path("_build/benchmarks.json")

PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "training": lambda root: {"comparisons": training.rows()},
    "paper": lambda root: {"comparisons": paper.rows()},
    "engines": lambda root: {"engines": training.engines(), "shares": profile.shares()},
    "perturbation": lambda root: {
        "comparisons": perturbation.rows(), "sizes": perturbation.sizes(),
    },
    "firenet": lambda root: {"comparisons": firenet.rows()},
    "sweep": lambda root: {"comparisons": sweep.rows(), "overheads": sweep.overheads()},
    "book": lambda root: {"book": [asdict(row) for row in book.timings(root)]},
    "coverage": lambda root: {"coverage": coverage.table()},
    "beyond": beyond.measure,
}  # fmt: skip


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=", ".join(PARTS))] = None,
    record: Annotated[bool, typer.Option(help="Keep the result for the book.")] = False,
) -> None:
    """Run, print, store."""
    if unknown := set(parts or ()) - set(PARTS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: expected of {', '.join(PARTS)}")
    root = find_book().root
    result: dict[str, Any] = {}
    for name in parts or PARTS:
        print(f"measuring: {name}", flush=True)
        found = PARTS[name](root)
        seen = found.pop("comparisons", [])
        rows = [asdict(row) | {"met": row.met, "part": name} for row in seen]
        result["comparisons"] = result.get("comparisons", []) + rows
        result |= found
    about = environment.describe() | {"date": datetime.now(UTC).date().isoformat()}
    result["about"] = about | {"commit": environment.commit(root)}
    text = json.dumps(result, indent=1) + "\n"
    write_atomically(RESULT, text)
    if record:
        kept = measurements.path_of(find_book())
        old = read_json(kept) if parts and kept.exists() else {}
        merged = measurements.merge(old, result, parts or list(PARTS))
        write_atomically(kept, json.dumps(merged, indent=1) + "\n")
    show(result)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console(width=None if Console().is_terminal else 180)
    table = Table("what", "against", "fast", "slow", "unit", "ratio", "range", "wanted", "met")
    for row in result.get("comparisons", []):
        spread = f"{row['lowest']:.3g}–{row['highest']:.3g}"
        wanted = "" if row["wanted"] is None else f"≥ {row['wanted']:g}×"
        table.add_row(
            row["what"], row["against"], f"{row['fast']:,.3g}", f"{row['slow']:,.3g}", row["unit"],
            f"{row['ratio']:.2f}×", spread, wanted,
            "" if row["wanted"] is None else ("yes" if row["met"] else "NO"),
        )  # fmt: skip
    if table.rows:
        console.print(table)
    for name in ("engines", "book", "coverage"):
        if rows := result.get(name):
            other = Table(*rows[0])
            for row in rows:
                other.add_row(*(_cell(value) for value in row.values()))
            console.print(other)
    for name in ("overheads", "sizes", "check"):
        if name in result:
            console.print(name, result[name])
    about = result["about"]
    console.print(f"{about['machine']}, {about['threads']} threads, torch {about['torch']}")


def _cell(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    typer.run(main)
