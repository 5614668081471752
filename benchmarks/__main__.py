"""`make bench`: every comparison in one table, and as JSON under _build."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import lockstep
from falsestruct.press import environment

RESULT = Path("_build/benchmarks.json")


def main() -> None:
    """Run, print, store."""
    rows = lockstep.rows()
    about = environment.describe()
    RESULT.parent.mkdir(exist_ok=True)
    stored = {"environment": about, "rows": [asdict(row) for row in rows]}
    RESULT.write_text(json.dumps(stored, indent=1) + "\n")
    table = Table("what", "against", "fast", "slow", "unit", "ratio", "range", "wanted")
    for row in rows:
        spread = f"{row.lowest:.1f}–{row.highest:.1f}"
        table.add_row(
            row.what, row.against, f"{row.fast:,.0f}", f"{row.slow:,.0f}", row.unit,
            f"{row.ratio:.1f}×", spread, f"≥ {row.wanted:g}×",
        )  # fmt: skip
    console = Console(width=None if Console().is_terminal else 180)
    console.print(table)
    console.print(f"{about['machine']}, {about['threads']} threads, torch {about['torch']}")


if __name__ == "__main__":
    main()
