"""One made JSON file as it is, destroyed, and changed with its value kept: what a figure shows."""

from __future__ import annotations

import itertools

from falsestruct.deployed import destroyed, made, meant

SEED, SIZE = 1011, 200
LINES, SIGNS = 8, 24  # that are shown
NEW = 12  # new lines that are put in: of so short a file they take the verdict
MANY = 4  # empty lines that are shown by their number
SAID = {
    "plain": "json",
    "destroyed": "python",
    "same": "txt",
}  # by the network


def example(case: str) -> str:
    """The whole file: plain; destroyed, its lines shuffled; or same, with new lines put in.

    Raises:
        ValueError: no such case.
    """
    data = made.made("JSON", SEED, made.Plan(SIZE))
    if case == "destroyed":
        return destroyed.destroyed("JSON", data, "lines").decode()
    if case == "same":
        return meant.changed("JSON", data, "newlines, head", NEW).decode()
    if case != "plain":
        raise ValueError(f"case is {case!r}; expected plain, destroyed or same")
    return data.decode()


def head(text: str) -> str:
    """The first LINES lines, each cut after SIGNS signs; MANY empty ones or more are one line."""
    shown: list[str] = []
    for line, same in itertools.groupby(text.split("\n")):
        count = len(list(same))
        shown += [f"… {count} empty lines …"] if not line and count >= MANY else [line] * count
    cut = shown[:LINES]
    return "\n".join(line if len(line) <= SIGNS else line[: SIGNS - 1] + "…" for line in cut)
