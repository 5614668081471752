"""Data on a disk, for the command line: a folder of images, a table, arrays.

Images are read when a batch of them is asked for, so a folder may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import Inputs, inputs

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
LABEL = "label"  # the column that a folder's own names make
FORMS = "a folder of images, a .csv, .npz or .npy file"


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Attributes:
        x: The inputs.
        attributes: What else is known of each.
        target: The attribute that says what the answer should be; None if none does.
        classes: Names of the folder's classes in the order in which folders sort; None for others.
    """

    x: Inputs
    attributes: pd.DataFrame
    target: str | None
    classes: tuple[str, ...] | None = None

    def labels(self) -> np.ndarray:
        """What the answer should be, (n,).

        Raises:
            AuditError: Nothing says so.
        """
        if self.target is None:
            raise AuditError("no labels: name the column with --target, or give --labels FILE.csv")
        return self.attributes[self.target].to_numpy()

    def has(self, name: str) -> bool:
        """Whether something of this name is known of each input."""
        return name in self.attributes

    def column(self, name: str) -> np.ndarray:
        """What is known of each input by this name, (n,).

        Raises:
            AuditError: No such column.
        """
        _need(self.attributes, name)
        return self.attributes[name].to_numpy()


def read(
    path: Path,
    *,
    labels: Path | None = None,
    target: str | None = None,
    beside: Sequence[str] = (),
    text: str | None = None,
    size: tuple[int, int] | None = None,
) -> Loaded:
    """Read data.

    Args:
        path: A folder of images, whose labels are the names of its folders, or stand in `labels`;
            a .csv table; an .npz file with `x` and more arrays of that length; an .npy file.
        labels: A .csv file with a row an input; for a folder its first column has file names.
        target: The column of the right answers. It is not handed to the network.
        beside: Other columns of a table that are not handed to it.
        text: The column of a table with the texts that are.
        size: Rows and columns to which images are resized.

    Raises:
        AuditError: Something that can't be read, or does not fit.
    """
    if not path.exists():
        raise AuditError(f"{path}: no such file or folder")
    if path.is_dir():
        return _folder(path, labels, target, size)
    if path.suffix == ".csv":
        return _table(_csv(path), target, beside, text)
    if path.suffix in (".npz", ".npy"):
        return _arrays(path, labels, target)
    raise AuditError(f"{path}: expected {FORMS}")


class Pictures(list):  # type: ignore[type-arg]
    """Paths that are images when one looks at them."""

    def __init__(self, paths: Sequence[Path], mode: str, size: tuple[int, int] | None) -> None:
        super().__init__(paths)
        self.mode, self.size = mode, size

    def __getitem__(self, index: Any) -> Any:
        path = super().__getitem__(index)
        try:
            with Image.open(path) as image:
                made = image.convert(self.mode)
        except OSError as error:
            raise AuditError(f"{path}: {error}") from None
        return made if self.size is None else made.resize(self.size[::-1])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def _folder(
    path: Path, labels: Path | None, target: str | None, size: tuple[int, int] | None
) -> Loaded:
    files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
    if not files:
        raise AuditError(f"{path}: no images in it; expected {', '.join(SUFFIXES[:4])} or the like")
    names = [one.relative_to(path).as_posix() for one in files]
    folders = [name.split("/")[0] if "/" in name else None for name in names]
    known = pd.DataFrame({"file": names})
    classes = None if None in folders else tuple(sorted(set(map(str, folders))))
    if classes is not None:
        known[LABEL] = folders
    if labels is not None:
        table = _csv(labels)
        classes = None if LABEL in table else classes
        known = _joined(known, table, labels)
    target = _target(known, target, LABEL)
    pictures = Pictures([path / name for name in known["file"]], _mode(files), size)
    return Loaded(Inputs("images", pictures), known, target, classes if target == LABEL else None)


def _joined(files: pd.DataFrame, table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """What a table says of files; those that it doesn't name are left out."""
    table = table.rename(columns={table.columns[0]: "file"})
    table["file"] = table["file"].astype(str)
    absent = sorted(set(table["file"]) - set(files["file"]))
    if absent:
        raise AuditError(f"{path} names {absent[0]}, which is not in the folder")
    if table["file"].duplicated().any():
        raise AuditError(f"{path} names {table['file'][table['file'].duplicated()].iloc[0]} twice")
    return table.merge(files[[c for c in files if c == "file" or c not in table]], on="file")


def _mode(files: Sequence[Path]) -> str:
    """Grey if all of them are."""
    for path in files:
        try:
            with Image.open(path) as image:
                if image.mode not in ("1", "L"):
                    return "RGB"
        except (UnidentifiedImageError, OSError) as error:
            raise AuditError(f"{path}: {error}") from None
    return "L"


def _csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        raise AuditError(f"{path}: can't read it as a table: {text}") from None
    if table.empty:
        raise AuditError(f"{path}: no rows in it")
    return table


def _target(table: pd.DataFrame, wanted: str | None, usual: str) -> str | None:
    if wanted is not None:
        _need(table, wanted)
        return wanted
    return usual if usual in table else None


def _need(table: pd.DataFrame, *names: str) -> None:
    for name in names:
        if name not in table:
            known = ", ".join(map(str, table.columns))
            raise AuditError(f"no column {name!r}; expected one of {known}")


def _table(
    table: pd.DataFrame, target: str | None, beside: Sequence[str], text: str | None
) -> Loaded:
    target = _target(table, target, LABEL)
    _need(table, *beside)
    if text is not None:
        _need(table, text)
        return Loaded(inputs(table[text].astype(str).tolist()), table, target)
    apart = {*beside, target}
    return Loaded(inputs(table[[name for name in table if name not in apart]]), table, target)


def _arrays(path: Path, labels: Path | None, target: str | None) -> Loaded:
    try:
        loaded = np.load(path, allow_pickle=False)
        found = {"x": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (OSError, ValueError) as error:
        raise AuditError(f"{path}: can't read it: {error}") from None
    if "x" not in found:
        raise AuditError(f"{path}: has {', '.join(found)}; expected an array x of inputs")
    x = inputs(found.pop("x"))
    columns = {k: v for k, v in found.items() if v.shape in ((len(x),), (len(x), 1))}
    known = pd.DataFrame({name: values.reshape(-1) for name, values in columns.items()})
    if labels is not None:
        table = _csv(labels)
        if len(table) != len(x):
            raise AuditError(f"{labels} has {len(table)} rows for {len(x)} inputs")
        known = table if known.empty else known.join(table, rsuffix=" of labels")
    return Loaded(x, known, _target(known, target, "y" if "y" in known else LABEL))
