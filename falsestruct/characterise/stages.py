"""What is being asked, live on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from falsestruct.characterise.asking import Network


class Stages:
    """A line a stage, with the number of inputs asked; silent unless it is wanted."""

    def __init__(self, asked: Network, wanted: bool) -> None:
        self.asked, self.bar, self.task = asked, None, None
        if wanted:
            self.bar = _bar()

    def __enter__(self) -> Stages:
        if self.bar is not None:
            self.bar.start()
            self.asked.tick = self._tick
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.asked.tick = None
            self.bar.stop()

    def start(self, what: str, *, total: int | None = None) -> None:
        """The next stage; total: of the inputs that it asks about at least."""
        if self.bar is not None:
            self.task = self.bar.add_task(what, total=total)

    def now(self, what: str) -> None:
        """How far this stage is, in words."""
        if self.bar is not None:
            self.bar.update(self.task, description=what)

    def _tick(self, count: int) -> None:
        if self.bar is not None:
            self.bar.advance(self.task, count)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    count = TextColumn("{task.completed:.0f} inputs")
    what = TextColumn("{task.description}", markup=False)  # a label may be "[/b]"
    columns = what, BarColumn(bar_width=10), count
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
