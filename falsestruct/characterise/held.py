"""Inputs as their owner holds them: arrays, tensors, lists of images or texts, tables.

A classifier is asked in the form in which its data are held. What looks at the values sees one
form: `Inputs.array`. `Inputs.like` goes back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from falsestruct.characterise.audit import AuditError

Kind = Literal["images", "vectors", "sequences", "texts", "table"]
Layout = Literal["plain", "first", "last"]  # where the channels of pictures are

AXES = {"vectors": (2,), "sequences": (2, 3), "images": (3, 4)}  # of a batch
CHANNELS = (1, 3, 4)
BATCH = 512  # inputs that are handed over, or looked at, at once: at most
BYTES = 2**26  # of their values as float64, at most
MODES = ("L", "RGB", "RGBA", "I", "F")  # of PIL, whose pixels are numbers


@dataclass(frozen=True)
class Inputs:
    """A batch as its owner holds it.

    Attributes:
        kind: What one input is.
        held: NumPy array or torch tensor (n, …), list of arrays, of PIL images or of texts, Series
            of texts, or DataFrame.
    """

    kind: Kind
    held: Any

    def __len__(self) -> int:
        return len(self.held)

    def take(self, rows: np.ndarray) -> Inputs:
        """The inputs of these rows (m,), in this order, repeats allowed: copies, in the same form.

        Args:
            rows: Positions, or a mask (n,).
        """
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        if isinstance(self.held, (pd.DataFrame, pd.Series)):
            return Inputs(self.kind, self.held.iloc[rows])
        if isinstance(self.held, Tensor):
            return Inputs(self.kind, self.held[torch.from_numpy(rows).to(self.held.device)])
        if isinstance(self.held, np.ndarray):
            return Inputs(self.kind, self.held[rows])
        return Inputs(self.kind, [_copied(self.held[row]) for row in rows])

    def at_once(self, most: int | None = None) -> int:
        """How many inputs are handed over, or looked at, at once: 1 … BATCH.

        Args:
            most: Bytes of their values as float64, at most; BYTES if not given.
        """
        if self.kind in ("texts", "table") or not len(self):
            return BATCH
        first = self.held[0] if isinstance(self.held, list) else self.held
        shape = np.shape(_pixels(first)) if isinstance(self.held, list) else first.shape[1:]
        return max(1, min(BATCH, (most or BYTES) // (8 * max(1, math.prod(shape)))))

    @property
    def layout(self) -> Layout:
        """Where the held pictures have their channels; "plain" if there is no such axis."""
        first = self.held[0] if isinstance(self.held, list) else self.held
        shape = np.shape(_pixels(first)) if isinstance(self.held, list) else first.shape[1:]
        if self.kind != "images" or len(shape) != 3:
            return "plain"
        front, back = shape[0] in CHANNELS, shape[2] in CHANNELS
        if front == back:  # either could be: go by what is usual
            return "first" if isinstance(first, Tensor) else "last"
        return "first" if front else "last"

    def array(self) -> np.ndarray:
        """The values (n, …), float64; of a table, its numeric and bool columns.

        Images are (n, rows, columns) or (n, rows, columns, channels), whatever the held layout.

        Raises:
            AuditError: Texts, or inputs of different shapes.
        """
        if self.kind == "texts":
            raise AuditError("texts have no array of values; take .texts()")
        if isinstance(self.held, pd.DataFrame):
            numbers = self.held[self.numeric()]
            return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))
        return from_layout(self.raw().astype(np.float64), self.layout)

    def raw(self) -> np.ndarray:
        """The values (n, …) in the held layout and dtype; not for texts and tables."""
        if not isinstance(self.held, list):
            return _pixels(self.held)
        parts = [_pixels(one) for one in self.held]
        shapes = sorted({part.shape for part in parts})
        if len(shapes) > 1:
            raise AuditError(
                f"{self.kind} have different shapes, such as {shapes[0]} and {shapes[-1]}; "
                "expected one shape: resize or pad them"
            )
        return np.stack(parts)

    def like(self, values: np.ndarray | Sequence[str] | pd.DataFrame) -> Inputs:
        """Inputs of the same form and dtype with other values.

        Integers are rounded and clipped to their type's range, so uint8 images stay images.

        Args:
            values: As `array` gives them (m, …), m free unless it is a table with other columns;
                texts for texts; a DataFrame for a table, taken as it is.

        Raises:
            AuditError: A table's array with another number of rows.
        """
        if self.kind == "texts":
            texts = [str(one) for one in values]
            held = self.held
            if isinstance(held, pd.Series):
                return Inputs("texts", pd.Series(texts, name=held.name, dtype=held.dtype))
            return Inputs("texts", np.array(texts) if isinstance(held, np.ndarray) else texts)
        if isinstance(self.held, pd.DataFrame):
            table = values if isinstance(values, pd.DataFrame) else self._table(np.asarray(values))
            return Inputs("table", table)
        array = to_layout(np.asarray(values, dtype=np.float64), self.layout)
        if isinstance(self.held, list):
            same = len(self.held) == len(array)
            return Inputs(self.kind, [_form(self.held[i if same else 0], one)
                                      for i, one in enumerate(array)])  # fmt: skip
        return Inputs(self.kind, _form(self.held, array))

    def _table(self, values: np.ndarray) -> pd.DataFrame:
        if len(values) != len(self):
            raise AuditError(f"{len(values)} rows for a table of {len(self)}; give a DataFrame")
        table = self.held.copy()
        for name, column in zip(self.numeric(), values.T, strict=True):
            dtype = table[name].dtype
            plain = np.dtype(getattr(dtype, "numpy_dtype", dtype))
            known = np.isfinite(column)
            filled = pd.Series(cast(np.where(known, column, 0), plain), index=table.index)
            table[name] = (filled if known.all() else filled.where(known)).astype(dtype)
        return table

    def numeric(self) -> list[Any]:
        """Names of a table's columns of numbers and truth values."""
        return list(self.frame().select_dtypes(["number", "bool"]).columns)

    def texts(self) -> list[str]:
        """The texts (n,).

        Raises:
            AuditError: Other inputs.
        """
        if self.kind != "texts":
            raise AuditError(f"inputs are {self.kind}, not texts")
        return [str(one) for one in self.held]

    def frame(self) -> pd.DataFrame:
        """The table.

        Raises:
            AuditError: Other inputs.
        """
        if not isinstance(self.held, pd.DataFrame):
            raise AuditError(f"inputs are {self.kind}, not a table")
        return self.held


def inputs(x: Any, *, kind: Kind | None = None) -> Inputs:
    """Recognise a batch: its form and what one input is.

    (n, d) are vectors, (n, rows, columns) and four axes are images, strings are texts, a DataFrame
    is a table. Channels are the axis of 1, 3 or 4; of a tensor the first one, if both could be.

    Args:
        kind: To overrule it: "sequences" of (n, steps) or (n, steps, features) can't be told.

    Raises:
        AuditError: Nothing to ask about, or a form that isn't known; it names what was given.
    """
    if isinstance(x, Inputs):
        return x
    if kind is not None and kind not in get_args(Kind):
        raise AuditError(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    held = _held(x)
    if len(held) == 0:
        raise AuditError("x is empty; expected at least one input")
    if isinstance(held, pd.DataFrame):
        return Inputs(_agreed("table", kind, ("table",), "a table"), held)
    if _all_texts(held):
        return Inputs(_agreed("texts", kind, ("texts",), "texts"), held)
    first = held[0] if isinstance(held, list) else held
    shape = (len(held), *np.shape(_pixels(first))) if isinstance(held, list) else first.shape
    fits = tuple(name for name, axes in AXES.items() if len(shape) in axes)
    if not fits:
        raise AuditError(
            f"x has shape {tuple(shape)}; expected (n, d), (n, rows, columns) or images with "
            "channels: one row an input"
        )
    usual: Kind = "vectors" if len(shape) == 2 else "images"
    return Inputs(_agreed(usual, kind, fits, f"of shape {tuple(shape)}"), held)


def listed(values: Sequence[Any]) -> str:
    """The first few of these, for an error or a report."""
    shown = ", ".join(map(repr, values[:5]))
    return f"{shown}, …" if len(values) > 5 else shown


def identical(x: Inputs) -> np.ndarray:
    """A number (n,) for each input, the same for inputs that are the same."""
    if isinstance(x.held, pd.DataFrame):
        try:
            return np.asarray(pd.factorize(pd.util.hash_pandas_object(x.held, index=False))[0])
        except TypeError:  # cells that can't be hashed
            return np.arange(len(x))
    if x.kind == "texts":
        return np.asarray(pd.factorize(np.array(x.texts(), dtype=object))[0])
    size = x.at_once()
    digests = [
        hashlib.blake2b(one.tobytes(), digest_size=8).digest()
        for start in range(0, len(x), size)
        for one in _each(x.held, start, min(start + size, len(x)))
    ]
    return np.asarray(pd.factorize(np.frombuffer(b"".join(digests), dtype=np.uint64))[0])


def _each(held: Any, start: int, stop: int) -> Iterator[np.ndarray]:
    """Images, or rows, one by one; of a tensor the whole part is fetched at once."""
    if isinstance(held, list):
        yield from (_pixels(held[row]) for row in range(start, stop))
    else:
        yield from _pixels(held[start:stop])


def _agreed(usual: Kind, wanted: Kind | None, fits: Sequence[str], given: str) -> Kind:
    if wanted is not None and wanted not in fits:
        raise AuditError(f"x is {given}, but kind is {wanted!r}; expected {' or '.join(fits)}")
    return wanted or usual


def _held(x: Any) -> Any:
    """An array, tensor, table, Series, or list of what is one input."""
    if isinstance(x, (pd.DataFrame, pd.Series, Tensor)):
        return x if not isinstance(x, pd.Series) or _all_texts(x) else x.to_numpy()
    if isinstance(x, np.ndarray) and x.dtype != object:
        return x
    if isinstance(x, (list, tuple, np.ndarray)):
        items = list(x)
        if all(isinstance(one, (str, np.ndarray, Tensor, Image.Image)) for one in items):
            return items
        try:
            return np.asarray(items, dtype=np.float64)
        except (TypeError, ValueError):
            names = sorted({type(one).__name__ for one in items})
            raise AuditError(
                f"x is a list of {', '.join(names)}; expected texts, images, or numbers of one "
                "shape"
            ) from None
    raise AuditError(
        f"x is {type(x).__name__}; expected a NumPy array, a torch tensor, a list of images or of "
        "texts, or a pandas DataFrame"
    )


def _all_texts(held: Any) -> bool:
    if isinstance(held, np.ndarray):
        return held.ndim == 1 and held.dtype.kind in "US"
    return not isinstance(held, Tensor) and all(isinstance(one, str) for one in held)


def _copied(one: Any) -> Any:
    if isinstance(one, Tensor):
        return one.clone()
    return one if isinstance(one, str) else one.copy()


def _pixels(one: Any) -> np.ndarray:
    """One image, or a whole batch, as an array."""
    if isinstance(one, Tensor):
        one = one.detach().cpu()
        return np.asarray((one.float() if one.dtype == torch.bfloat16 else one).numpy())
    if isinstance(one, Image.Image) and one.mode not in MODES:
        one = one.convert("L" if one.mode == "1" else "RGB")
    return np.asarray(one)


def from_layout(values: np.ndarray, layout: Layout) -> np.ndarray:
    """Channels last, and no axis for a single one."""
    if layout == "plain":
        return values
    values = np.moveaxis(values, 1, -1) if layout == "first" else values
    return values[..., 0] if values.shape[-1] == 1 else values


def to_layout(values: np.ndarray, layout: Layout) -> np.ndarray:
    """The reverse of `from_layout`."""
    if layout == "plain":
        return values
    values = values[..., None] if values.ndim == 3 else values
    return np.moveaxis(values, -1, 1) if layout == "first" else values


def cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers as this dtype: integers rounded and clipped to its range, truth from ½ on."""
    if dtype.kind == "b":
        return values >= 0.5
    if np.issubdtype(dtype, np.integer):
        range_ = np.iinfo(dtype)
        values = np.clip(np.rint(values), range_.min, range_.max)
    return values.astype(dtype)


def _form(pattern: Any, values: np.ndarray) -> Any:
    """Values in the form of the pattern: an array, a tensor or a PIL image."""
    if isinstance(pattern, Image.Image):
        image = Image.fromarray(cast(values, _pixels(pattern).dtype))
        return image if image.mode == pattern.mode else image.convert(pattern.mode)
    if isinstance(pattern, Tensor):
        if not pattern.is_floating_point():
            values = cast(values, torch.empty(0, dtype=pattern.dtype).numpy().dtype)
        values = np.ascontiguousarray(values)
        return torch.from_numpy(values).to(pattern.device, pattern.dtype)
    return cast(values, pattern.dtype)
