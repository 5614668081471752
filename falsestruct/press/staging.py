"""Where a running chapter puts its results before they count.

The runner names a folder in the environment. A reader who executes the notebook by hand gets one
under `_build/by-hand`; nothing of that reaches the book.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from falsestruct.press.paths import Output, find_book, write_atomically

VARIABLE = "FALSESTRUCT_STAGING"
OUTPUT = "FALSESTRUCT_OUTPUT"


@dataclass(frozen=True)
class Run:
    """The run that a chapter is part of.

    Attributes:
        folder: Where results are staged.
        chapter: Its name, NN_slug; "by-hand" if nobody told.
        parameters: Name and value of every parameter.
        key: The freshness key.
    """

    folder: Path
    chapter: str = "by-hand"
    parameters: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    def save(self) -> None:
        """Leave word for the kernel that will execute the chapter."""
        data = asdict(self) | {"folder": str(self.folder)}
        write_atomically(self.folder / "run.json", json.dumps(data))


def current() -> Run:
    """The run that this process is part of."""
    if folder := os.environ.get(VARIABLE):
        data = json.loads((Path(folder) / "run.json").read_text())
        return Run(**(data | {"folder": Path(folder)}))
    return Run(find_book().build / "by-hand")


def output() -> Output:
    """The results that this process reads: those of the run it is part of, else the book's.

    For chapters that show what other chapters found (`last: true` in their header).
    """
    book = find_book()
    folder = os.environ.get(OUTPUT)
    if folder is None or Path(folder) == book.published.folder:
        return book.published
    return book.output(Path(folder))
