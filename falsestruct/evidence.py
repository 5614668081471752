"""From a table with a row a network to the estimates of claims and their controls.

The interval follows from what was sampled (`statistics`): networks of one kind are independent
draws; networks pooled over architectures come in clusters (`within`), or in `strata` where the
sentence names them all; a mean over networks and images is `crossed`. Where too few networks
qualify there is no number, and the claim is inconclusive: `statistics.Nobody`, the one meaning of
"nobody qualifies" in the book.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.names import slug
from falsestruct.statistics import Estimate, Nobody

Found = Estimate | Nobody
Pair = tuple[Found, Found]  # a claim's estimate and its control's
Claims = dict[str, Pair]  # by the claim's id
Values = Sequence[float] | np.ndarray | pd.Series
Names = Sequence[object] | np.ndarray | pd.Series
Part = Mapping[str, Any]  # what `where` takes

LEAST = 2  # networks that an interval over networks needs


def where(table: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The rows in which each column has this value, one of these, or fulfils this condition.

    Args:
        columns: A value (numbers up to rounding), a list, tuple or set of values, or a function of
            the column that returns a mask, `lambda c: c >= 0.9`.

    Raises:
        ValueError: the table has no such column.
    """
    mask = np.ones(len(table), dtype=bool)
    for name, wanted in columns.items():
        if name not in table:
            raise ValueError(f"no column {name!r}; the table has {', '.join(map(str, table))}")
        mask &= _fulfils(table[name], wanted)
    return table[mask]


def _fulfils(column: pd.Series, wanted: Any) -> np.ndarray:
    if callable(wanted):
        return np.asarray(wanted(column), dtype=bool)
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return column.isin(list(wanted)).to_numpy()
    if isinstance(wanted, float):
        return np.isclose(column.to_numpy(dtype=float), wanted)
    return (column == wanted).to_numpy()


def share(
    outcomes: Sequence[bool] | np.ndarray | pd.Series,
    *,
    within: Names | None = None,
    strata: Names | None = None,
) -> Found:
    """Share of networks of which something is true.

    Args:
        outcomes: True or false (or 1 and 0), (networks,).
        within, strata: As for `mean`.

    Raises:
        ValueError: an outcome is neither; NaN would count as true.
    """
    if not (known := np.isin(given := np.asarray(outcomes), (0, 1))).all():
        raise ValueError(f"an outcome is {given[~known][0]}; expected true or false")
    values = given.astype(bool)
    if within is not None or strata is not None:
        return mean(values.astype(float), within=within, strata=strata, bounds=(0.0, 1.0))
    return statistics.proportion(values) if len(values) else Nobody("no network qualifies")


def mean(
    values: Values,
    *,
    within: Names | None = None,
    strata: Names | None = None,
    bounds: statistics.Bounds | None = None,
) -> Found:
    """Mean over networks; a value that is NaN has nobody behind it and does not count.

    Args:
        values: One number a network, (networks,).
        within: The cluster of each network, where kinds are pooled that stand for more kinds.
        strata: The group of each, where the sentence is about these groups only.
        bounds: Of the values: (0, 1) for shares.
    """
    return _mean(values, within, strata, bounds=bounds)


def most(
    values: Values, measure: Callable[[np.ndarray], Found] = mean, *, missing: float = 0.1
) -> Found:
    """A measure of numbers most of which are there; nobody's, if more than a share are NaN.

    For runs that may not come to their end: the rest would be a selection.

    Args:
        values: One number a network, (networks,).
        measure: Of values with NaN.
        missing: The largest share of NaN.
    """
    numbers = np.asarray(values, dtype=float)
    known = int((~np.isnan(numbers)).sum())
    if len(numbers) - known > missing * len(numbers):
        return Nobody(f"only {known} of {len(numbers)} networks have a number", known)
    return measure(numbers)


def _mean(values: Values, within: Names | None, strata: Names | None, **options: Any) -> Found:
    """As `mean`; options of the functions of `statistics`."""
    numbers = np.asarray(values, dtype=float)
    known = ~np.isnan(numbers)
    if known.sum() < LEAST:
        return too_few(int(known.sum()))
    if within is not None:
        names = np.asarray(within)[known]
        if (kinds := len(np.unique(names))) < LEAST:
            return too_few(kinds, "kinds of networks")
        return statistics.clustered(numbers[known], names, **options)
    if strata is not None:
        return _stratified(numbers[known], np.asarray(strata)[known], **options)
    return statistics.mean(numbers[known], **options)


def _stratified(numbers: np.ndarray, names: np.ndarray, **options: Any) -> Found:
    """No number if too few of any group qualify: the sentence is about all of them."""
    different, counts = np.unique(names, return_counts=True)
    if counts.min() < LEAST:
        return too_few(int(counts.min()), f"networks of {different[counts.argmin()]}")
    if len(different) == 1:
        return statistics.mean(numbers, **options)
    return statistics.stratified(numbers, names, **options)


def ratio(values: Values, *, within: Names | None = None, strata: Names | None = None) -> Found:
    """Geometric mean over networks of positive numbers, quotients of sizes say: as `mean`.

    Raises:
        ValueError: a value is zero or negative.
    """
    numbers = np.asarray(values, dtype=float)
    if (numbers <= 0).any():
        raise ValueError(f"the smallest value is {np.nanmin(numbers)}; expected positive values")
    if within is None and strata is None:
        known = numbers[~np.isnan(numbers)]
        return statistics.geometric_mean(known) if len(known) >= LEAST else too_few(len(known))
    found = _mean(np.log(numbers), within, strata, resolution=math.log(statistics.FACTOR))
    return found if isinstance(found, Nobody) else statistics.exponential(found)


def crossed(values: np.ndarray, *, bounds: statistics.Bounds | None = None) -> Found:
    """Mean over networks × inputs, both sampled; NaN where an input does not qualify.

    Args:
        values: (networks, inputs).
    """
    seen = ~np.isnan(np.asarray(values, dtype=float))
    networks, inputs = int(seen.any(1).sum()), int(seen.any(0).sum())
    if networks < LEAST:
        return too_few(networks)
    if inputs < LEAST:
        return too_few(inputs, "inputs")
    return statistics.two_way(values, bounds=bounds)


def spread(name: str, values: Any) -> pd.DataFrame:
    """A matrix (networks, inputs) as columns `name 0`, `name 1`, … of a table of networks.

    Args:
        values: An array or a tensor.
    """
    matrix = np.asarray(values)
    return pd.DataFrame(matrix, columns=[f"{name} {i}" for i in range(matrix.shape[1])])


def cells(table: pd.DataFrame, name: str) -> np.ndarray:
    """What `spread` made columns of, for `crossed`: (networks, inputs), in the order of `seed`."""
    own = table.sort_values("seed", kind="stable")
    return own.filter(regex=f"^{re.escape(name)} [0-9]+$").to_numpy(dtype=float)


def too_few(count: int, what: str = "networks") -> Nobody:
    """Nobody, because an interval needs more."""
    return Nobody(f"{count} {what} qualify; an interval needs {LEAST}", count)


def extreme(found: Iterable[Found], choose: Callable[..., Estimate] = max) -> Found:
    """The largest estimate, or the smallest with `min`: what holds for the worst of some groups.

    Groups in which nobody qualifies are left out; if none is left, nobody qualifies.
    """
    known = [one for one in found if isinstance(one, Estimate)]
    if not known:
        return Nobody("no group has enough networks")
    return choose(known, key=lambda one: one.value)


def contrast(
    stem: str,
    table: pd.DataFrame,
    by: str | Sequence[str],
    measure: Callable[[pd.DataFrame], Found],
    *,
    of: Part | pd.DataFrame,
    against: Part | pd.DataFrame,
) -> Claims:
    """One claim a group: a measure of some networks against the same measure of others.

    Args:
        stem: What the claims' ids begin with; the group's names follow.
        by: The columns that make the groups.
        measure: From a part of the table to an estimate.
        of: Whom the claim is about: what `where` takes, or a table of its own.
        against: Whom the control is about, likewise.
    """
    names = [by] if isinstance(by, str) else list(by)
    left, right = (
        part if isinstance(part, pd.DataFrame) else where(table, **part) for part in (of, against)
    )
    return {
        slug(stem, *key): (
            measure(where(left, **dict(zip(names, key, strict=True)))),
            measure(where(right, **dict(zip(names, key, strict=True)))),
        )
        for key in _groups(table, names)
    }


def _groups(table: pd.DataFrame, names: Sequence[str]) -> list[tuple[Hashable, ...]]:
    """The groups of a table, in the order in which they come."""
    return list(table[list(names)].drop_duplicates().itertuples(index=False, name=None))


def summary(
    table: pd.DataFrame,
    by: str | Sequence[str],
    column: str | None,
    *,
    name: str = "value",
    measure: Callable[[Any], Found] = mean,
) -> pd.DataFrame:
    """What a figure draws: a row a group, an estimate of a column with its interval.

    Columns: those of `by`, `name`, low, high. A group in which nobody qualifies has NaN; one
    network alone has its value, without an interval.

    Args:
        column: What is estimated; its missing values don't count. None: `measure` gets the rows of
            the group, for what takes more than a column.
    """
    names = [by] if isinstance(by, str) else list(by)
    rows = []
    for key in _groups(table, names):
        group = dict(zip(names, key, strict=True))
        part = where(table, **group)
        values = None if column is None else part[column].dropna().to_numpy(dtype=float)
        found = measure(part if values is None else values)
        alone = values is not None and len(values) == 1
        ends = (values[0] if alone else np.nan, np.nan, np.nan)  # type: ignore[index]
        if isinstance(found, Estimate):
            ends = (found.value, found.low, found.high)
        rows.append(group | dict(zip((name, "low", "high"), ends, strict=True)))
    return pd.DataFrame(rows, columns=[*names, name, "low", "high"])


def said(
    table: pd.DataFrame,
    by: str | Sequence[str],
    columns: str | Sequence[str],
    *,
    measure: Callable[[pd.Series], float] = pd.Series.mean,
) -> dict[str, float]:
    """Numbers for the prose, `COLUMN_GROUP` to a plain mean of the group; hyphens become `_`.

    Args:
        measure: From a column of a group to the number; another one than the mean, say.
    """
    names = [by] if isinstance(by, str) else list(by)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    return {
        "_".join([column, *(slug(word).replace("-", "_") for word in key)]): float(
            measure(where(table, **dict(zip(names, key, strict=True)))[column])
        )
        for key in _groups(table, names)
        for column in wanted
    }
