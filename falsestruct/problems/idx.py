"""Larger images in place of the bundled digits: MNIST and Fashion-MNIST from IDX files.

An IDX file is a header of big-endian 32-bit integers (a magic number that ends in the number of
dimensions, then the size of each) and one byte a value. LeCun, Cortes and Burges, *The MNIST
database*; Xiao, Rasul and Vollgraf, arXiv:1708.07747. The book itself needs neither.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from falsestruct.problems import digits as bundled
from falsestruct.problems.digits import CLASSES, Digits

FOLDER = "FALSESTRUCT_DATA"  # names a folder with one folder a data set
POOL = (1_200, 597)  # images in training and test parts, of larger data sets
LABELS, IMAGES = 1, 3  # dimensions; the magic numbers are 0x00000801 and 0x00000803
_BYTES = 0x0800  # in the magic number: one unsigned byte a value
_GZIP = b"\x1f\x8b"


class DataError(ValueError):
    """A data set is not where it should be, or not what it should be."""


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        name: What the parameter `dataset` calls it.
        url: Folder from which its files are downloaded.
        checksums: For each file (images and labels for training, then the same for tests) the MD5
            sum of its compressed form, in hexadecimal digits.
    """

    name: str
    url: str
    checksums: Mapping[str, str]


# The sums are those that torchvision publishes. They tell a damaged file from a whole one; against
# somebody who wants to deceive, MD5 is no protection.
SOURCES = {
    source.name: source
    for source in (
        Source(
            "mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            {
                "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
                "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
                "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
            },
        ),
        Source(
            "fashion-mnist",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            {
                "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
                "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
                "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
            },
        ),
    )
}
DATASETS = ("digits", *SOURCES)


def load(dataset: str, *, folder: Path | str | None = None, url: str | None = None) -> Digits:
    """Images of ten classes: "digits" (bundled), "mnist" or "fashion-mnist".

    Fashion-MNIST shows ten kinds of clothing. They are treated like the ten digits; whether a
    class's number is even is then an arbitrary split of the kinds into two groups of five.

    Args:
        folder: Has the four files, compressed or not. None: the folder named `dataset` in
            $FALSESTRUCT_DATA, else the files are downloaded once, into pooch's cache.
        url: Where to download from, in place of the usual server.

    Raises:
        ValueError: there is no such data set.
        DataError: files are missing, or damaged, or not what they should be.
    """
    if dataset == "digits":
        return bundled.digits()
    if dataset not in SOURCES:
        raise ValueError(f"dataset is {dataset!r}; expected one of {', '.join(DATASETS)}")
    return load_from(SOURCES[dataset], folder=folder, url=url)


@cache
def pool(dataset: str) -> Digits:
    """The data set, or as many of its images as the bundled one has, `POOL`."""
    return bundled.few(load(dataset), *POOL)


def load_from(
    source: Source, *, folder: Path | str | None = None, url: str | None = None
) -> Digits:
    """The data set of this source; arguments and errors as `load`.

    Compressed files must have the source's checksums. Files that somebody has uncompressed can't be
    compared with them, and are only checked for their form.
    """
    if folder is None and os.environ.get(FOLDER):
        folder = Path(os.environ[FOLDER]) / source.name
    paths = _downloaded(source, url) if folder is None else _found(source, Path(folder))
    parts: list[Tensor] = []
    for images_path, labels_path in (paths[:2], paths[2:]):
        images, labels = read(images_path, IMAGES), read(labels_path, LABELS).long()
        _check(images, labels, images_path, labels_path)
        parts += [images.double() / 255, labels]
    return Digits(*parts)


def read(path: Path, dimensions: int) -> Tensor:
    """The bytes of an IDX file as a tensor of so many dimensions, uint8.

    Raises:
        DataError: it is no such file, or has fewer or more values than its header says.
    """
    data = _uncompressed(path)
    wanted, header = _BYTES + dimensions, 4 * (1 + dimensions)
    magic = int.from_bytes(data[:4], "big")
    if magic != wanted:
        raise DataError(
            f"{path}: the magic number is 0x{magic:08x}; expected 0x{wanted:08x}, which an IDX "
            f"file of bytes in {dimensions} dimension(s) begins with"
        )
    if len(data) < header:
        raise DataError(f"{path}: {len(data)} bytes; expected {header} of header: it is truncated")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    found, expected = len(data) - header, math.prod(shape)
    if found != expected or not expected:
        state = "truncated" if found < expected else "of another form"
        raise DataError(
            f"{path}: {found} values; expected {' × '.join(map(str, shape))} = {expected}, and at "
            f"least one: it is {state}"
        )
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8).view(shape)


def _uncompressed(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path}: {len(data)} bytes that end or break before gzip's end mark ({error}); "
            "expected a whole file: it is truncated or damaged"
        ) from error


def _check(images: Tensor, labels: Tensor, images_path: Path, labels_path: Path) -> None:
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images, {labels_path} has {len(labels)} labels; "
            "expected as many"
        )
    if labels.max() >= CLASSES:
        where = int(labels.argmax())
        raise DataError(
            f"{labels_path}: label {where} is {int(labels[where])}; expected 0 to {CLASSES - 1}"
        )


def _found(source: Source, folder: Path) -> list[Path]:
    """The source's files in a folder, compressed or not, compressed ones with their checksums."""
    paths = []
    for name, checksum in source.checksums.items():
        path = folder / name
        if path.exists():
            _compare(path, checksum)
        else:
            path = folder / name.removesuffix(".gz")
        if not path.exists():
            raise DataError(
                f"{folder} has neither {name} nor {path.name}.\n{_instructions(source)}"
            )
        paths.append(path)
    return paths


def _compare(path: Path, checksum: str) -> None:
    found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if found != checksum:
        raise DataError(
            f"{path}: the MD5 sum is {found}; expected {checksum}: the file is damaged or another "
            "one; get it anew"
        )


def _downloaded(source: Source, url: str | None) -> list[Path]:
    import pooch  # here, as in a notebook it prints a warning about progress bars

    registry = {name: f"md5:{checksum}" for name, checksum in source.checksums.items()}
    base = (url or source.url).rstrip("/") + "/"
    store = pooch.create(
        path=Path(pooch.os_cache("falsestruct")) / source.name, base_url=base, registry=registry
    )
    paths = []
    for name in registry:
        try:
            paths.append(Path(store.fetch(name)))
        except ValueError as error:  # another checksum; pooch has deleted the file
            raise DataError(f"{base}{name}: {error}") from error
        except OSError as error:  # as requests' errors are
            raise DataError(
                f"{name} could not be downloaded from {base} ({type(error).__name__}).\n"
                f"{_instructions(source)}"
            ) from error
    return paths


def _instructions(source: Source) -> str:
    files = "\n".join(f"  {name}  {checksum}" for name, checksum in source.checksums.items())
    return (
        f"{source.name} consists of these files (MD5 sums beside them):\n{files}\n"
        f"Put them, compressed or not, into a folder {source.name!r} inside of a folder that the "
        f"variable {FOLDER} names, or give `load` the folder that has them."
    )
