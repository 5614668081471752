"""The two structures of an audit: what they say about each input, as codes of the classes.

A structure is a function of a batch, one label an input, or the name of a column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import Inputs, listed

Given = Callable[[Any], Any] | Sequence[Any] | np.ndarray | str
UNDEFINED = -1  # the code where a structure says nothing
FEWEST = 5  # inputs a value that is no class must have on average


@dataclass(frozen=True)
class Structure:
    """What one structure says.

    Attributes:
        values: Of each input, (n,), objects; None where it says nothing.
        rule: Reads them from a batch as it is held.
        column: Of the table, where they are.
    """

    name: str
    values: np.ndarray
    rule: Callable[[Any], Any] | None = None
    column: Any = None

    @property
    def readable(self) -> bool:
        """Whether other inputs have values, too."""
        return self.rule is not None or self.column is not None

    def read(self, x: Inputs) -> np.ndarray:
        """The values of other inputs, if it is `readable`."""
        if self.rule is None:
            return _objects(self.name, x.frame()[self.column], len(x))
        try:
            answer = self.rule(x.held)
        except Exception as error:
            text = " ".join(str(error).split()) or "no message"
            raise AuditError(f"{self.name} raised {type(error).__name__}: {text}") from error
        return _objects(self.name, answer, len(x))


def structure(
    given: Given, role: str, x: Inputs, attributes: Mapping[str, Any] | pd.DataFrame | None
) -> Structure:
    """Recognise what was given for `role`, "original" or "false".

    Raises:
        AuditError: No such column, a function that raises, or another number of values than inputs.
    """
    if callable(given):
        name = getattr(given, "__name__", role)
        name = role if name == "<lambda>" else name
        unread = Structure(name, np.empty(0, dtype=object), given)
        size, n = x.at_once(), len(x)
        slices = [np.arange(start, min(start + size, n)) for start in range(0, n, size)]
        parts = [unread.read(x.take(rows)) for rows in slices]
        return Structure(name, np.concatenate(parts), given)
    if isinstance(given, str):
        return _column(given, role, x, attributes)
    return Structure(role, _objects(role, given, len(x)))


def _column(
    name: str, role: str, x: Inputs, attributes: Mapping[str, Any] | pd.DataFrame | None
) -> Structure:
    if isinstance(x.held, pd.DataFrame) and name in x.held.columns:
        return Structure(name, _objects(name, x.held[name], len(x)), column=name)
    if attributes is not None and name in attributes:
        return Structure(name, _objects(name, attributes[name], len(x)))
    known = list(x.held.columns) if x.kind == "table" else []
    known += [] if attributes is None else list(attributes)
    said = f"expected one of {', '.join(map(str, known))}" if known else "give attributes="
    raise AuditError(f"{role} is {name!r}, which is no column; {said}")


def column(
    name: Any, x: Inputs, attributes: Mapping[str, Any] | pd.DataFrame | None, role: str
) -> np.ndarray:
    """Values (n,) that were given as they are or by a column's name."""
    if isinstance(name, str):
        return _column(name, role, x, attributes).values
    return _objects(role, name, len(x))


def _objects(name: str, values: Any, n: int) -> np.ndarray:
    """Values (n,) as Python's own, None for what is missing."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.shape != (n,):
        raise AuditError(f"{name} has shape {array.shape}; expected ({n},): one label an input")
    found = pd.Series(array).astype(object).to_numpy()
    missing = pd.isna(found)
    plain = [None if gone else one.item() if isinstance(one, np.generic) else one
             for one, gone in zip(found, missing, strict=True)]  # fmt: skip
    made = np.empty(n, dtype=object)
    made[:] = plain
    return made


def coded(values: np.ndarray, known: Mapping[Any, int]) -> np.ndarray:
    """Codes (n,) of values; UNDEFINED for None and for values that aren't known."""
    own, seen = pd.factorize(values)
    table = [known.get(one, UNDEFINED) for one in seen]
    return np.array([*table, UNDEFINED], dtype=np.int64)[own]


def matched(name: str, said: Sequence[Any], answered: Sequence[Any], *, closed: bool) -> str | None:
    """What to say if labels are the network's in part; None if all is well.

    Args:
        name: Of what says them.
        said, answered: Different labels: those that were given, and the network's.
        closed: Whether the network has no other ones.

    Raises:
        AuditError: Some labels are none of the network's, some of the network's are never said, and
            these are as many, or it has no others: the same classes under other names, so that each
            would count as wrong.
    """
    foreign = [label for label in said if label not in set(answered)]
    never = [label for label in answered if label not in set(said)]
    if not foreign or not never:
        return None
    if closed or len(foreign) == len(never):
        raise AuditError(unlike(name, said, answered, closed=closed))
    return (
        f"{name} says {listed(foreign)}, which the network never answers; it answers "
        f"{listed(never)}, which {name} never says"
    )


def unlike(name: str, said: Sequence[Any], answered: Sequence[Any], *, closed: bool) -> str:
    """That these labels are not the network's, and what to do."""
    if any(isinstance(label, str) for label in answered):
        advice = "give the same names"
    elif closed or all(isinstance(label, str) for label in said):
        advice = "say what its answers mean: classes=, in order"
    else:
        advice = "give the same labels in both"
    return f"{name} says {listed(said)}, but the network answers {listed(answered)}; {advice}"


def original_codes(
    original: Structure, classes: Sequence[Any], *, fixed: bool
) -> tuple[tuple[Any, ...], dict[Any, int], tuple[str, ...]]:
    """All classes, those of the original too; the code of each; and what a report should say.

    Args:
        classes: Those that the network has shown.
        fixed: Whether it has no others: it gives scores, or they were given.

    Raises:
        AuditError: The original's values are not the network's labels, or are all the same.
    """
    seen = list(pd.unique(original.values[original.values != None]))  # noqa: E711 elementwise
    if _truths(seen) and not set(classes) <= {0, 1}:
        raise AuditError(
            f"{original.name} says True and False, but the network answers "
            f"{listed(list(classes))}; hand over a function that says whether it answers the class "
            "in question"
        )
    if len(seen) < 2:
        raise AuditError(
            f"{original.name} says {listed(seen) or 'nothing'} about all of x; expected two labels"
        )
    known = {label: code for code, label in enumerate(classes)}
    foreign = [label for label in seen if label not in known]
    told = matched(original.name, seen, list(known), closed=fixed)
    if foreign and (fixed or len(foreign) == len(seen)):
        raise AuditError(unlike(original.name, foreign, list(known), closed=fixed))
    for label in foreign:
        known[label] = len(known)
    return tuple(known), known, () if told is None else (f"{told}.",)


def false_codes(
    false: Structure, truth: np.ndarray, known: Mapping[Any, int]
) -> tuple[dict[Any, int], tuple[str, ...]]:
    """The class of each value of the false structure, and what was matched, for the report.

    Values that aren't classes stand for the class that the original has with most of them. A value
    without such a majority says nothing.

    Args:
        truth: The original's codes (n,).
        known: The code of each class.

    Raises:
        AuditError: All values fall on one class or on none, or there are too many for their number
            of inputs.
    """
    own, seen = pd.factorize(false.values)
    classes = not _truths(list(seen)) or set(known) <= {0, 1}
    if classes and all(value in known for value in seen) and len(seen) > 1:
        return {value: known[value] for value in seen}, ()
    if len(seen) < 2:
        raise AuditError(
            f"{false.name} says {listed(list(seen)) or 'nothing'} about all of x; expected two "
            "values"
        )
    if len(seen) * FEWEST > len(own):
        raise AuditError(
            f"{false.name} has {len(seen)} values in {len(own)} inputs; expected labels: of a "
            "number, compare it with a threshold first"
        )
    names = {code: label for label, code in known.items()}
    table, told = {}, []
    for code, value in enumerate(seen):
        with_it = truth[(own == code) & (truth != UNDEFINED)]
        counts = np.bincount(with_it, minlength=len(known))
        if 2 * counts.max() <= counts.sum():
            told.append(f"{value!r} for nothing (no class in most of {len(with_it)})")
            continue
        table[value] = int(counts.argmax())
        share = 100 * counts.max() / counts.sum()
        told.append(f"{value!r} for {names[table[value]]!r} ({share:.0f} % of {len(with_it)})")
    if not table:
        raise AuditError(
            f"no value of {false.name} goes with one class in most inputs; give labels or a "
            "function that say which class each value stands for"
        )
    if len(table) > 1 and len(set(table.values())) == 1:
        raise AuditError(
            f"all values of {false.name} go with {names[next(iter(table.values()))]!r} in most "
            "inputs; give labels or a function that say which class each value stands for"
        )
    return table, (f"{false.name}: taken {', '.join(told[:6])}, as most of x has it.",)


def _truths(values: Sequence[Any]) -> bool:
    return len(values) > 0 and all(isinstance(value, bool) for value in values)
