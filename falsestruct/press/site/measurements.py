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
        allowed, met = _allowed(row)
        rows.append([row["what"], f"{row['seconds']:.1f}", allowed, met, _runs(row), ran])
    header = ["Run", "Seconds", "At most", "Met", "Of", "Chapters that ran"]
    return pages.table(header, rows, "bench-book", widths=[24, 10, 10, 8, 14, 34])


def _allowed(row: Measured) -> tuple[str, str]:
    if row["allowed"] is None:
        return "", ""
    return f"{row['allowed']:g}", "yes" if row["seconds"] <= row["allowed"] else "**no**"


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


def sizes(measured: Measured) -> dict[str, float | str]:
    """Median sizes of the book's attack and of foolbox's, and where ours is no larger, by norm.

    And in words foolbox's median after as few steps as ours takes.
    """
    found = {(row["norm"], row["attack"]): row for row in measured["sizes"]}
    quoted: dict[str, float | str] = {}
    for norm, other in (("l2", "DDNAttack"), ("linf", "LInfFMNAttack")):
        quoted[f"{norm}_ours"] = found[norm, "ours"]["median"]
        quoted[f"{norm}_other"] = found[norm, other]["median"]
        quoted[f"{norm}_share"] = found[norm, other]["no_larger"]
        few = found[norm, "few steps"]["median"]
        quoted[f"{norm}_few"] = "none, since most labels stay" if few is None else f"{few:.3f}"
    return quoted


def plans(measured: Measured, name: str, *, scale: float = 1.0) -> list[Plan]:
    """What the chapters of a profile compute, its seconds scaled."""
    return scaling.plans(measured["plan"][name], scale=scale)


def chapters_table(measured: Measured) -> str:
    """The table of plans: a row a chapter and profile."""
    rows = []
    for profile in measured["plan"]:
        for plan in plans(measured, profile):
            sweeps = plan.stages[1::2]
            minutes = (scaling.work([plan]) / 60, scaling.critical(plan) / 60)
            points = str(sum(map(len, sweeps)))
            rows.append([plan.chapter, profile, str(len(sweeps)), points]
                        + [f"{value:.1f}" for value in minutes])  # fmt: skip
    header = ["Chapter", "Profile", "Sweeps", "Points", "Minutes of work", "Longest chain, minutes"]
    return pages.table(header, rows, "bench-plans", widths=[30, 14, 12, 12, 16, 16])


def overhead(measured: Measured) -> float:
    """Seconds that a point costs beside its work, on one and two workers.

    That is a core for each: what many workers cost on few cores is not a cluster's.
    """
    few = [runs for workers, runs in measured["check"]["overhead"].items() if int(workers) <= 2]
    return statistics.median(second for runs in few for second in runs)


def check_table(measured: Measured) -> pd.DataFrame:
    """Model and measurement on workers that compute: columns of `waits_table`, but scale.

    The model gets each point's median seconds in one process, and the overhead of a point.
    """
    check = measured["check"]
    seconds = tuple(statistics.median(runs) for runs in zip(*check["seconds"], strict=True))
    rows = []
    for workers, runs in check["measured"].items():
        about = {"plan": "computed", "workers": int(workers)}
        rows += _beside(measured, about, runs, [Plan("check", (seconds,))])
    return pd.DataFrame(rows)


def waits_table(measured: Measured) -> pd.DataFrame:
    """Model and measurement on workers that wait: a row a run.

    Columns: plan, workers, scale, run, measured, predicted (from the overhead on one and two
    workers), refitted (from the overhead on as many), scheduled (without any overhead), chained
    (whether that is one chapter's chain, which more workers don't shorten).
    """
    rows = []
    for row in measured["check"]["waits"]:
        about = {name: row[name] for name in ("plan", "workers", "scale")}
        own = plans(measured, row["plan"], scale=row["scale"])
        rows += _beside(measured, about, row["measured"], own)
    return pd.DataFrame(rows)


def _beside(
    measured: Measured, about: Measured, runs: Sequence[float], own: Sequence[Plan]
) -> list[dict[str, Any]]:
    workers = about["workers"]
    as_many = statistics.median(measured["check"]["overhead"][str(workers)])
    costs = {"predicted": overhead(measured), "refitted": as_many, "scheduled": 0.0}
    model = {name: scaling.simulate(own, workers, overhead=each) for name, each in costs.items()}
    # One chapter's chain, however many workers: there a model can hardly be wrong.
    chained = model["scheduled"] <= 1.01 * max(scaling.critical(plan) for plan in own)
    row = {**about, "chained": chained, **model}
    return [{**row, "run": run, "measured": value} for run, value in enumerate(runs)]


def errors(table: pd.DataFrame, model: str = "predicted") -> pd.Series:
    """measured / model − 1 of each run of a `waits_table`."""
    found: pd.Series = table["measured"] / table[model] - 1
    return found


def both_checks(measured: Measured) -> pd.DataFrame:
    """Every run of `waits_table` and `check_table`."""
    tables = [waits_table(measured), check_table(measured)]
    return pd.concat(tables, ignore_index=True)


def curves(measured: Measured) -> pd.DataFrame:
    """The model's seconds by plan, for the numbers of cores that were checked, and no other."""
    cores = sorted({row["workers"] for row in measured["check"]["waits"]})
    tables = [
        scaling.table(plans(measured, name), cores, overhead=overhead(measured)).assign(plan=name)
        for name in measured["plan"]
    ]
    return pd.concat(tables, ignore_index=True)


def checked(measured: Measured) -> dict[str, float]:
    """What the prose says of all workers: errors in percent, overheads in milliseconds.

    Positive errors are runs that took longer than the model says.
    """
    runs = both_checks(measured)
    waits = runs[runs["plan"] != "computed"]
    error, most = 100 * errors(runs), int(waits["workers"].max())
    costs = {k: 1000 * statistics.median(v) for k, v in measured["check"]["overhead"].items()}
    free = ~waits["chained"]
    return {
        "most": most,
        "overhead": 1000 * overhead(measured),
        **{f"cost_{number}": costs[str(number)] for number in (1, 2, most)},
        "run_seconds": float(waits["scheduled"].median()),
        "harsher": float(1 / waits["scale"].min()),
        "harsher_most": float(1 / waits.loc[waits["workers"] == most, "scale"].max()),
        "chained": int(waits.loc[~free, "workers"].min()) if not free.all() else most + 1,
        "least": float(error.min()),
        "largest": float(error.max()),
        "worst": int(runs["workers"].to_numpy()[error.to_numpy().argmax()]),
        "free": float(100 * errors(waits[free]).max()),
        "refitted": float(100 * errors(waits[free], "refitted").max()),
        "alone": float(100 * errors(waits, "scheduled").max()),
    }
