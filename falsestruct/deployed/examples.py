"""One made JSON file as it is, destroyed, and changed with its value kept: what a figure shows."""

from __future__ import annotations

from falsestruct.deployed import destroyed, made, meant

SEED, SIZE = 1011, 200
LINES, SIGNS = 8, 24  # that are shown
FEW = 3  # new lines that are put in, so that they can be seen


def example(case: str) -> str:
    """The whole file: plain; destroyed, its lines shuffled; or same, with new lines put in.

    Raises:
        ValueError: no such case.
    """
    data = made.made("JSON", SEED, made.Plan(SIZE))
    if case == "destroyed":
        return destroyed.destroyed("JSON", data, "lines").decode()
    if case == "same":
        return meant.changed("JSON", data, "newlines, head", FEW).decode()
    if case != "plain":
        raise ValueError(f"case is {case!r}; expected plain, destroyed or same")
    return data.decode()


def head(text: str) -> str:
    """The first LINES lines, each cut after SIGNS signs."""
    shown = text.split("\n")[:LINES]
    return "\n".join(line if len(line) <= SIGNS else line[: SIGNS - 1] + "…" for line in shown)
