"""The head of one file before the tail of another, and simple rules for which of them decides.

The file is short enough that both windows show what was put there and nothing else, so that each
half is what the network would see of its own file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.words import Words

Statistic = Callable[[str], float]


def chimera(first: bytes, second: bytes) -> bytes:
    """The first file's first window, a new line, the second file's last window.

    Raises:
        ValueError: A file is shorter than a window, so that the network would see more of it.
    """
    head, tail = first.lstrip()[:WINDOW], second.rstrip()[-WINDOW:]
    if len(head) < WINDOW or len(tail) < WINDOW:
        raise ValueError(f"{len(head)} and {len(tail)} bytes; expected at least {WINDOW} of both")
    return head + b"\n" + tail


def pairs(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Files in disjoint pairs of different types, in random order.

    Args:
        table: A row a file, with a column type.

    Returns:
        Columns first, second: places in the table. Files without a partner are left out.
    """
    left = [int(i) for i in np.random.default_rng(seed).permutation(len(table))]
    kinds, found = list(table["type"]), list[tuple[int, int]]()
    while left:
        # The commonest type first: else it is what is left.
        most = Counter(kinds[i] for i in left).most_common(1)[0][0]
        one = next(i for i in left if kinds[i] == most)
        other = next((i for i in left if kinds[i] != most), None)
        if other is None:
            break
        left = [i for i in left if i not in (one, other)]
        found.append((one, other) if len(found) % 2 else (other, one))
    return pd.DataFrame(found, columns=["first", "second"])


def _share(test: Callable[[str], bool]) -> Statistic:
    return lambda text: sum(map(test, text)) / max(len(text), 1)


STATISTICS: dict[str, Statistic] = {
    "punctuation": _share(lambda s: not s.isalnum() and not s.isspace()),
    "letters": _share(str.isalpha),
    "capitals": _share(str.isupper),
    "digits": _share(str.isdigit),
    "whitespace": _share(str.isspace),
    "lines": _share(lambda s: s == "\n"),
    "brackets": _share(lambda s: s in "()[]{}"),
    "angles": _share(lambda s: s in "<>"),
    "quotes": _share(lambda s: s in "\"'"),
    "different signs": lambda text: len(set(text)) / max(len(text), 1),
}


def statistics(
    first: bytes, second: bytes, kinds: tuple[str, str], bag: Words, surer: tuple[float, float]
) -> dict[str, float]:
    """What may foretell which half of a chimera decides, positive for the head: by name.

    Args:
        kinds: Of the two files.
        bag: Made from other files.
        surer: The network's answer for its own type to each of the two files alone.
    """
    head, tail = first.lstrip()[:WINDOW], second.rstrip()[-WINDOW:]
    texts = head.decode("utf-8", "replace"), tail.decode("utf-8", "replace")
    both = chimera(first, second)
    found = {"always one half": 1.0}
    found |= {name: own(texts[0]) - own(texts[1]) for name, own in STATISTICS.items()}
    return found | {
        "bag of words": bag.evidence(both, kinds[0]) - bag.evidence(both, kinds[1]),
        "surer alone": surer[0] - surer[1],
    }


def decided(label: str, kinds: tuple[str, str]) -> float:
    """1 if the verdict names the head's type, 0 if the tail's, NaN if neither."""
    named = [label in NAMES[kind] for kind in kinds]
    return float(named[0]) if any(named) else math.nan


@dataclass(frozen=True)
class Rule:
    """The head decides where a statistic is above a threshold, or below it.

    Attributes:
        share: Of the cases that it was chosen on, those that it is right about.
    """

    name: str
    threshold: float
    above: bool
    share: float

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """For each row whether the head decides."""
        return np.asarray((table[self.name] > self.threshold) == self.above)


def best(table: pd.DataFrame, heads: np.ndarray) -> Rule:
    """The one of all columns' threshold rules that is right most often; of equal ones the first.

    Args:
        table: A row a case, a column a statistic.
        heads: Whether the head decides, (cases,).

    Raises:
        ValueError: no case.
    """
    if not len(table):
        raise ValueError("no case is decided for one of its halves; expected at least one")
    found = []
    for name in table:
        values = np.unique(table[name].to_numpy(dtype=float))
        cuts = [-math.inf, *((values[1:] + values[:-1]) / 2)]
        for cut in cuts:
            right = float(np.mean((table[name].to_numpy(dtype=float) > cut) == heads))
            found += [Rule(str(name), float(cut), True, right)]
            found += [Rule(str(name), float(cut), False, 1 - right)]
    return max(found, key=lambda rule: rule.share)
