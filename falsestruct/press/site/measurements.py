"""What `make bench` measured when it was last recorded: book/records/benchmarks.json."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from falsestruct.chapters.beyond_one_machine import measure as scaling
from falsestruct.chapters.beyond_one_machine.measure import Plan
from falsestruct.press.paths import Book, UserError, find_book, read_json
from falsestruct.press.site import pages

Measured = Mapping[str, Any]
ENGINE = ("architecture", "engine", "dtype", "rate", "share", "chosen")


def path_of(book: Book) -> Path:
    """Where the recorded measurements are kept."""
    return book.records / "benchmarks.json"


def load(*, book: Book | None = None) -> dict[str, Any]:
    """The recorded measurements.

    Raises:
        UserError: nobody recorded any.
    """
    path = path_of(book or find_book())
    if not path.exists():
        raise UserError("nothing was measured yet: run `python -m benchmarks --record`")
    measured: dict[str, Any] = read_json(path)
    return measured


def comparisons(measured: Measured) -> str:
    """The table of ratios, promised ones first."""
    rows = []
    for row in sorted(measured["comparisons"], key=lambda row: row["wanted"] is None):
        wanted = "" if row["wanted"] is None else f"{row['wanted']:g}"
        met = "" if row["wanted"] is None else ("yes" if row["met"] else "**no**")
        spread = f"{row['ratio']:.3g} ({row['lowest']:.3g} to {row['highest']:.3g})"
        rows.append([row["what"], row["against"], spread, wanted, met])
    header = ["What", "Against", "Times as fast", "Promised", "Met"]
    return pages.table(header, rows, "bench-ratios", widths=[34, 26, 20, 10, 10])


def times(measured: Measured) -> str:
    """The table of whole runs of the book."""
    rows = []
    for row in measured.get("book", []):
        ran = ", ".join(row["ran"]) or "none"
        rows.append([row["what"], f"{row['seconds']:.1f}", _allowed(row), _runs(row), ran])
    header = ["Run", "Seconds", "At most", "Of", "Chapters that ran"]
    return pages.table(header, rows, "bench-book", widths=[26, 10, 10, 14, 40])


def _allowed(row: Measured) -> str:
    return "" if row["allowed"] is None else f"{row['allowed']:g}"


def _runs(row: Measured) -> str:
    runs = row.get("runs")  # unknown in records from before it was kept
    return "" if runs is None else "one run" if runs == 1 else f"median of {runs}"


def merge(old: Measured, new: Measured, parts: Sequence[str]) -> dict[str, Any]:
    """A record in which some parts were measured again; the others keep what was said of them.

    Comparisons of those parts that aren't made any more are gone.

    Args:
        old: The record so far; empty if there is none.
        new: What was measured, and `about`: when and with what.
        parts: Which parts that was.
    """
    abouts = dict(old.get("abouts", {})) | dict.fromkeys(parts, new["about"])
    rows = [row for row in old.get("comparisons", []) if row["part"] not in parts]
    rows += new.get("comparisons", [])
    merged = dict(old) | dict(new) | {"comparisons": rows, "abouts": abouts}
    del merged["about"]
    return merged


def about(measured: Measured, part: str) -> dict[str, str]:
    """What the prose says of the machine and the day of a part's measurement."""
    names = ("machine", "date", "commit", "torch")
    return {name: str(measured["abouts"][part][name]) for name in names}


def shares(measured: Measured) -> dict[str, float]:
    """The shares of training time that the prose names; 0 where a kind isn't there."""
    found = Counter({(r["architecture"], r["kind"]): r["share"] for r in measured["shares"]})
    return {
        "compiled_small": found["2-104-1", "compiled engine"],
        "products_mlp": found["MLP", "matrix products"],
        "optimiser_mlp": found["MLP", "optimiser"],
        "convolutions": found["paper's CNN", "convolutions"],
        "copies": found["paper's CNN", "copies and indexing"],
    }


def peaks(measured: Measured) -> dict[str, float | str]:
    """What the prose says of the engines that are used: shares of the peak, and the small network.

    `most` and `least` of float32 on all threads, and whose they are; the share of one thread's peak
    of the small network, float64, NaN where it wasn't measured; its steps per second on the
    engine `looped` and on the plain loop, float32.
    """
    table = pd.DataFrame(measured["engines"]).reindex(columns=[*ENGINE, "alone"])
    used = table[table["chosen"] & (table["dtype"] == "float32")].set_index("architecture")["share"]
    small = table[table["architecture"] == "2-104-1"]
    alone = small[small["chosen"] & (small["dtype"] == "float64")]["alone"]
    rates = small[small["dtype"] == "float32"].set_index("engine")["rate"]
    return {
        "most": float(used.max()), "least": float(used.min()),
        "fullest": str(used.idxmax()), "emptiest": str(used.idxmin()),
        "alone": float(alone.iloc[0]),
        "looped": float(rates["looped"]), "plain": float(rates.get("plain loop", math.nan)),
    }  # fmt: skip


def sizes(measured: Measured) -> dict[str, float]:
    """Median sizes of the book's attack and of foolbox's, and where ours is no larger, by norm."""
    found = {(row["norm"], row["attack"]): row for row in measured["sizes"]}
    quoted = {}
    for norm, other in (("l2", "DDNAttack"), ("linf", "LInfFMNAttack")):
        quoted[f"{norm}_ours"] = found[norm, "ours"]["median"]
        quoted[f"{norm}_other"] = found[norm, other]["median"]
        quoted[f"{norm}_share"] = found[norm, other]["no_larger"]
    return quoted


def overhead(measured: Measured) -> float:
    """Seconds that a point costs beside its work, on the most workers that were tried."""
    by_workers = {int(k): v for k, v in measured["check"]["overhead"].items()}
    return statistics.median(by_workers[max(by_workers)])


def check_table(measured: Measured) -> pd.DataFrame:
    """Model and measurement on real workers: workers, run, measured, predicted.

    The model gets each point's median seconds in one process, and the overhead of a point.
    """
    check = measured["check"]
    seconds = tuple(statistics.median(runs) for runs in zip(*check["seconds"], strict=True))
    rows = []
    for workers, runs in check["measured"].items():
        cost = statistics.median(check["overhead"][workers])
        predicted = scaling.simulate([Plan("check", 0.0, (seconds,))], int(workers), overhead=cost)
        rows += [
            {"workers": int(workers), "run": run, "measured": value, "predicted": predicted}
            for run, value in enumerate(runs)
        ]
    return pd.DataFrame(rows)
