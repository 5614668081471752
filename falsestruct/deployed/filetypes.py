"""Magika's network, asked directly, with the package's own thresholds.

From the package's code (1.0.3): of the first 4,096 bytes without whitespace in front the first
1,024, of the last 4,096 without whitespace behind the last 1,024, filled up with 256. A file with
fewer than 8 bytes left is called txt or unknown without the network.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

MISSING = "magika isn't installed; run `pip install 'falsestruct[deployed]'`"
VERSION, HASH = "1.0.3", "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c"
DECLINED = ("txt", "unknown", "empty")
# What the package calls files of a kind: C headers are C++ as well.
NAMES = {
    "JSON": ("json",), "XML": ("xml",), "Python": ("python",), "TOML": ("toml",), "INI": ("ini",),
    "C": ("c", "cpp"), "HTML": ("html",), "CSV": ("csv",),
}  # fmt: skip


@dataclass(frozen=True)
class Config:
    """What the package reads beside its network.

    Attributes:
        first, last: Bytes of the two windows.
        block: Bytes that are read at either end.
        least: Bytes that a file needs to be asked about.
        padding: What fills a window up.
        labels: The network's answers.
        thresholds: Of each label whose own differs from `usual`.
        renamed: Labels that the package gives another name.
        texts: Labels that are declined as txt, others as unknown.
    """

    first: int
    last: int
    block: int
    least: int
    padding: int
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    usual: float
    renamed: dict[str, str]
    texts: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """What the package says of a file.

    Attributes:
        label: Its verdict.
        raw: The network's largest answer, before thresholds; "undefined" if it wasn't asked.
        score: Of the latter, in [0, 1].
    """

    label: str
    raw: str
    score: float


class FileTypes:
    """The network on one thread, and the package's rules around it.

    Raises:
        ImportError: magika or onnxruntime isn't installed.
    """

    def __init__(self) -> None:
        import onnxruntime

        folder = _folder()
        self.config = config()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(_model(folder)), options, providers=["CPUExecutionProvider"]
        )

    def scores(self, files: Sequence[bytes]) -> np.ndarray:
        """The network's answers, (files, labels), each row a distribution.

        One file at a time: a score differs by up to a thousandth between sizes of a batch, so that
        an answer would depend on what else is asked. On one thread larger batches save no time.
        """
        rows = [np.zeros((0, len(self.config.labels)), dtype=np.float32)]
        for data in files:
            feed = {"bytes": window(data, self.config)[None]}
            rows += self.session.run(["target_label"], feed)
        return np.concatenate(rows)

    def answers(self, files: Sequence[bytes]) -> list[Answer]:
        """The package's answer to each file, in its mode of high confidence."""
        found = [_few(data, self.config) for data in files]
        asked = [i for i, one in enumerate(found) if one is None]
        if asked:
            for i, row in zip(asked, self.scores([files[i] for i in asked]), strict=True):
                best = int(row.argmax())
                found[i] = _decided(self.config, self.config.labels[best], float(row[best]))
        return [one for one in found if one is not None]

    def labels(self, files: Sequence[bytes]) -> list[str]:
        """The verdicts alone; those of a kind have one name, its first of NAMES."""
        return [one.label for one in self.answers(files)]


def window(data: bytes, config: Config) -> np.ndarray:
    """The network's input, (first + last,) int32: bytes, and the padding."""
    head = data[: config.block].lstrip()[: config.first]
    tail = data[-config.block :].rstrip()[-config.last :]
    found = np.full(config.first + config.last, config.padding, dtype=np.int32)
    found[: len(head)] = np.frombuffer(head, dtype=np.uint8)
    if tail:
        found[-len(tail) :] = np.frombuffer(tail, dtype=np.uint8)
    return found


def called(kind: str, label: str) -> bool:
    """Whether a verdict names the kind."""
    return label in NAMES[kind]


def outcome(kind: str, label: str) -> str:
    """Of a verdict on a file of this kind: kept, declined or another type."""
    return "kept" if called(kind, label) else "declined" if label in DECLINED else "another type"


def installed() -> bool:
    """Whether the network that the records asked can be asked here."""
    return not absent()


def absent() -> str:
    """Why it can't be asked, in one line; "" if it can."""
    for name in ("magika", "onnxruntime"):
        if importlib.util.find_spec(name) is None:
            return f"{name} isn't installed"
    try:
        config()
        own = identity()
    except (ImportError, KeyError, OSError, ValueError) as error:
        return f"magika isn't version {VERSION}: {error}"
    if own["sha256"] != HASH:
        return f"magika {own['version']} has another network than {VERSION}"
    return ""


def config() -> Config:
    """What the installed package reads beside its network.

    Raises:
        ImportError: magika isn't installed, or reads files in another way.
    """
    return _config(_folder())


def identity() -> dict[str, str]:
    """Package, version, model, and SHA-256 of its file, for a record.

    Raises:
        ImportError: magika isn't installed.
    """
    folder = _folder()
    return {
        "package": "magika", "version": importlib.metadata.version("magika"),
        "model": folder.name, "sha256": hashlib.sha256(_model(folder).read_bytes()).hexdigest(),
    }  # fmt: skip


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Where the package keeps its model, without importing the package."""
    spec = importlib.util.find_spec("magika")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(MISSING)
    models = Path(next(iter(spec.submodule_search_locations))) / "models"
    found = sorted(path.parent for path in models.glob("*/model.onnx"))
    if len(found) != 1:
        raise ImportError(f"magika has {len(found)} models in {models}; expected one, as {VERSION}")
    return found[0]


def _model(folder: Path) -> Path:
    return folder / "model.onnx"


def _config(folder: Path) -> Config:
    given: dict[str, Any] = json.loads((folder / "config.min.json").read_text())
    if given["mid_size"] or given["use_inputs_at_offsets"]:
        raise ImportError(f"{folder.name} reads more than two windows; expected magika {VERSION}")
    kinds = json.loads((folder.parents[1] / "config" / "content_types_kb.min.json").read_text())
    return Config(
        given["beg_size"], given["end_size"], given["block_size"], given["min_file_size_for_dl"],
        given["padding_token"], tuple(given["target_labels_space"]), given["thresholds"],
        given["medium_confidence_threshold"], given["overwrite_map"],
        frozenset(name for name, kind in kinds.items() if kind["is_text"]),
    )  # fmt: skip


def _few(data: bytes, config: Config) -> Answer | None:
    """The answer to a file with too few bytes for the network."""
    if not data:
        return Answer("empty", "undefined", 1.0)
    block = data[: config.block]
    # Of a short file the package strips the front alone here, too.
    if len(data) >= config.least and len(block.lstrip()) >= config.least:
        return None
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return Answer("unknown", "undefined", 1.0)
    return Answer("txt", "undefined", 1.0)


def _decided(config: Config, raw: str, score: float) -> Answer:
    label = config.renamed.get(raw, raw)
    if score < config.thresholds.get(raw, config.usual):
        label = "txt" if label in config.texts else "unknown"
    return Answer(label, raw, score)
