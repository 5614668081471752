"""A classifier as a black box: labels as codes, with every answer checked and counted.

It streams: no more than one batch is handed over at a time, of fewer inputs if they are large.
Inputs on which the network raises are found by halving, counted and left out; nothing that it says
is believed twice without asking again (`Network.checked`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.characterise.adapters import Module, adapter, plain
from falsestruct.characterise.audit import BATCH_NOISE, AuditError
from falsestruct.characterise.held import BATCH, Inputs, Kind, inputs, listed

__all__ = ["FAILED", "AuditError", "Inputs", "Kind", "Network", "inputs", "network"]

FAILED = -1  # the code of an input without an answer
HOPELESS = 64  # single inputs that may fail before the first answer
CHECKED = 2048  # inputs that are asked about again
REASON = 240  # characters of an error that are told; scikit-learn's have a thousand


class Network:
    """What it answers, as codes 0 … k − 1.

    Attributes:
        classes: The label of each code. They grow in the order in which they are seen, unless they
            were given or the network gives scores.
        queries: Inputs handed over so far, all repeats counted.
        failed: Inputs without an answer so far, by the reason.
        changed: Of the inputs last checked, how many got another label when asked again, and how
            many in another batch.
        rechecked: How many those were.
        batch: Inputs handed over at once, at most.
        tick: Called with the size of each batch that is done; for progress.
    """

    def __init__(
        self, predict: Any, threshold: float | None, classes: Sequence[Any] | None,
        batch: int | None,
    ) -> None:  # fmt: skip
        self._ask = adapter(predict)
        self.threshold, self.batch = threshold, batch or BATCH
        self._wanted = batch is not None
        self.fixed = classes is not None
        self.classes: tuple[Any, ...] = tuple(classes or ())
        self.queries = 0
        self.failed: dict[str, int] = {}
        self.changed: dict[str, int] = {"again": 0, "in another batch": 0}
        self.rechecked = 0
        self.tick: Callable[[int], None] | None = None
        self._answered = False
        self._scores: int | None = None  # how many an input, once seen

    @property
    def closed(self) -> bool:
        """Whether all of its classes are known: they were given, or it gives scores."""
        return self.fixed or self._scores is not None

    def know(self, classes: Sequence[Any]) -> None:
        """Give codes to labels that it may still show, after those that it has."""
        if not self.closed:
            self.classes = tuple(dict.fromkeys((*self.classes, *classes)))

    def size(self, x: Inputs) -> int:
        """How many of these are handed over at once: as was wanted, else as memory allows."""
        return self.batch if self._wanted else min(self.batch, x.at_once())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the inputs on the way to the network."""
        return getattr(self._ask, "notes", ())

    def labels(self, x: Inputs, rows: np.ndarray | None = None) -> np.ndarray:
        """Codes (n,), int64; −1 where the network gives no answer.

        Args:
            rows: Positions of the inputs that are meant, (n,); all if not given.

        Raises:
            AuditError: It fails on more than half of the inputs, or its answers are no labels.
        """
        rows = np.arange(len(x)) if rows is None else rows
        codes, reasons = np.full(len(rows), FAILED, dtype=np.int64), dict[str, int]()
        start, most = 0, self.size(x)
        while start < len(rows):
            part = slice(start, start + min(self.batch, most))
            codes[part] = self._codes(x.take(rows[part]), reasons)
            start = part.stop
            if self.tick is not None:
                self.tick(len(rows[part]))
            if 2 * sum(reasons.values()) > len(rows):
                raise AuditError(_most(reasons, len(rows)))
        for reason, count in reasons.items():
            self.failed[reason] = self.failed.get(reason, 0) + count
        return codes

    def checked(self, x: Inputs) -> np.ndarray:
        """As `labels`; asks a second time, and in another order and other batches.

        Whole batches, spread over x, of at most CHECKED inputs are asked about again; `changed`
        counts those that got another label.

        Raises:
            AuditError: More than 1 % did; or as `labels`.
        """
        codes, size = self.labels(x), self.size(x)
        starts = np.arange(0, len(x), size)
        chosen = np.linspace(0, len(starts) - 1, min(len(starts), max(1, CHECKED // size)))
        some = (starts[np.unique(chosen.astype(int)), None] + np.arange(size)).ravel()
        some = some[some < len(x)]
        failed = dict(self.failed)  # failures of the same inputs count once
        again = self.labels(x, some)
        mixed = np.random.default_rng(0).permutation(len(some))
        usual, half = self.batch, max(1, min(size, len(some)) // 2)
        other, self.batch = np.empty_like(again), half
        other[mixed] = self.labels(x, some[mixed])
        self.batch = usual if self.batch == half else self.batch  # it may have had to shrink
        self.failed, self.rechecked = failed, len(some)
        self.changed = {
            "again": int((again != codes[some]).sum()),
            "in another batch": int((other != codes[some]).sum()),
        }
        self._refuse_noise()
        return codes

    def _refuse_noise(self) -> None:
        advice = {
            "again": "a fixed rule: switch dropout and other noise off",
            "in another batch": "labels that don't depend on the batch: use evaluation mode",
        }
        for how, count in self.changed.items():
            if count > BATCH_NOISE * self.rechecked:
                how_said = "when asked again" if how == "again" else how
                raise AuditError(
                    f"predict gave other labels for {count} of {self.rechecked} inputs {how_said}; "
                    f"expected {advice[how]}"
                )

    def gradient(self, x: Inputs, of: np.ndarray, against: np.ndarray) -> np.ndarray | None:
        """Gradient of the score of one class minus that of another, (n, …) as `Inputs.array`.

        Of a single score with a threshold, class 1 stands for the score and class 0 for minus it.

        Args:
            of, against: Codes (n,).

        Returns:
            None for everything but a PyTorch module that gives scores of inputs held as floats.
        """
        asked = self._ask
        if not isinstance(asked, Module) or asked.whole or x.kind in ("texts", "table"):
            return None
        if not np.issubdtype(x.take(np.arange(1)).raw().dtype, np.floating):
            return None
        parts, size = [], self.size(x)
        for start in range(0, len(x), size):
            rows = np.arange(start, min(start + size, len(x)))
            part = self._gradient(asked, x.take(rows), of[rows], against[rows])
            if part is None:
                return None
            parts.append(part)
        return np.concatenate(parts)

    def _gradient(
        self, asked: Module, x: Inputs, of: np.ndarray, against: np.ndarray
    ) -> np.ndarray | None:
        with torch.enable_grad():
            values = asked.values(x).requires_grad_()
            scores = plain(asked.scores(x, values))
            self.queries += len(x)
            if not isinstance(scores, Tensor) or not scores.requires_grad:
                return None
            scores = scores.reshape(len(x), -1)
            if scores.shape[1] == 1:
                scores = torch.cat([torch.zeros_like(scores), scores], 1)
            row = torch.arange(len(x), device=scores.device)
            first, second = (torch.as_tensor(c, device=scores.device) for c in (of, against))
            margin = (scores[row, first] - scores[row, second]).sum()
            (found,) = torch.autograd.grad(margin, values, allow_unused=True)
        return None if found is None else np.asarray(found.double().cpu().numpy())

    def _codes(self, x: Inputs, reasons: dict[str, int]) -> np.ndarray:
        """Codes of one batch; cut in halves until those that raise are alone."""
        self.queries += len(x)
        try:
            answer = self._ask(x)
        except AuditError:
            raise
        except Exception as error:
            text = shorten(str(error), REASON, placeholder=" …") or "no message"
            return self._halved(x, reasons, f"{type(error).__name__}: {text}")
        codes = self._read(answer, len(x))
        missing = int((codes == FAILED).sum())
        if missing:
            _count(reasons, "its answer is NaN", missing)
        self._answered |= missing < len(x)
        return codes

    def _halved(self, x: Inputs, reasons: dict[str, int], error: str) -> np.ndarray:
        if len(x) == 1:
            _count(reasons, error, 1)
            if not self._answered and sum(reasons.values()) >= HOPELESS:
                raise AuditError(
                    f"predict raised on each of the first {HOPELESS} inputs, one by one: {error}"
                )
            return np.array([FAILED])
        before, middle = sum(reasons.values()), len(x) // 2
        halves = [
            self._codes(x.take(rows), reasons)
            for rows in (np.arange(middle), np.arange(middle, len(x)))
        ]
        if sum(reasons.values()) == before:  # it only was too large a batch
            self.batch = min(self.batch, max(1, middle))
        return np.concatenate(halves)

    def _read(self, answer: Any, n: int) -> np.ndarray:
        """Codes (n,) of an answer.

        Raises:
            AuditError: It is neither n labels nor n rows of scores.
        """
        values = _array(plain(answer))
        if n == 1 and values.ndim != 2:  # networks that squeeze a batch of one
            values = values.reshape(1, -1) if values.size == self._scores else values.reshape(-1)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim not in (1, 2) or len(values) != n:
            raise AuditError(
                f"predict gave shape {values.shape} for a batch of {n}; expected ({n},) labels or "
                f"({n}, k) scores"
            )
        if values.dtype.kind == "c":
            raise AuditError("predict gave complex numbers; expected labels or real scores")
        if values.ndim == 2:
            return self._largest(values)
        if values.dtype.kind == "f":
            return self._beyond(values)
        if self.threshold is not None:
            raise AuditError(
                f"threshold is {self.threshold}, but predict gave labels of dtype {values.dtype}; "
                "leave threshold= out"
            )
        return self._named(values)

    def _largest(self, scores: np.ndarray) -> np.ndarray:
        k = scores.shape[1]
        if scores.dtype.kind not in "fiub":
            raise AuditError(
                f"predict gave ({len(scores)}, {k}) of {scores.dtype}; expected scores"
            )
        if self.threshold is not None:
            raise AuditError(
                f"threshold is {self.threshold}, but predict gave {k} scores an input, of which "
                "the largest counts; leave threshold= out"
            )
        if self._scores is None and not self.fixed:
            self.classes = tuple(range(k))
        if k != len(self.classes):
            raise AuditError(
                f"predict gave {k} scores an input; expected {len(self.classes)}, one for each of "
                f"the classes {listed(self.classes)}"
            )
        self._scores = k
        bad = np.isnan(scores).any(1)
        return np.where(bad, FAILED, np.where(bad[:, None], 0, scores).argmax(1))

    def _beyond(self, scores: np.ndarray) -> np.ndarray:
        if self.threshold is None:
            raise AuditError(
                f"predict gave one float an input, such as {scores[0]:g}: a score? Say from where "
                "on it means yes with threshold=; if these are labels, give them as integers"
            )
        if not self.fixed:
            self.classes = (0, 1)
        if len(self.classes) != 2:
            raise AuditError(f"classes are {listed(self.classes)}; expected two for one score")
        self._scores = 1
        return np.where(np.isnan(scores), FAILED, scores > self.threshold).astype(np.int64)

    def _named(self, labels: np.ndarray) -> np.ndarray:
        """Codes of labels; new labels become classes."""
        own, seen = pd.factorize(labels)  # −1 for None and NaN
        known = {label: code for code, label in enumerate(self.classes)}
        texts = [isinstance(label, str) for label in (*seen, *self.classes)]
        if self.fixed and not any(texts[: len(seen)]) and all(texts[len(seen) :]):
            known = dict(enumerate(range(len(self.classes))))  # positions of the names given
        for label in (one.item() if isinstance(one, np.generic) else one for one in seen):
            if label not in known and self.fixed:
                raise AuditError(
                    f"predict gave the label {label!r}; expected one of {listed(self.classes)}"
                )
            known.setdefault(label, len(known))
        if not self.fixed:
            self.classes = tuple(known)
        table = [known[one.item() if isinstance(one, np.generic) else one] for one in seen]
        return np.array([*table, FAILED], dtype=np.int64)[own]


def network(
    predict: Any,
    *,
    threshold: float | None = None,
    classes: Sequence[Any] | None = None,
    batch: int | None = None,
) -> Network:
    """Take a classifier as it is.

    Args:
        predict: A function of a batch as it is held; a PyTorch module; a scikit-learn estimator
            (its `predict`); the path of an .onnx file or an onnxruntime session. It gives labels
            (n,), integers, truth values or texts; scores (n, k), k ≥ 2, of which the largest
            counts; or, with `threshold`, one score an input, (n,) or (n, 1).
        threshold: Scores above it are class 1, others class 0.
        classes: Labels in the order of the scores, or of the codes.
        batch: Inputs handed over at once, at most; if not given, 512, or as many as fit into 64 MiB
            as float64.

    Raises:
        AuditError: It is none of these, or the options can't be used.
    """
    if batch is not None and batch < 1:
        raise AuditError(f"batch is {batch}; expected at least 1")
    if isinstance(classes, (np.ndarray, pd.Series)):  # such as scikit-learn's classes_
        classes = classes.tolist()
    if classes is not None and len(set(classes)) != len(classes):
        raise AuditError(f"classes are {listed(classes)}; expected different ones")
    if classes is not None and len(classes) < 2:
        raise AuditError(f"classes are {listed(classes)}; expected at least two")
    return Network(predict, threshold, classes, batch)


def _array(answer: Any) -> np.ndarray:
    if isinstance(answer, Tensor):
        answer = answer.detach().cpu()
        answer = answer.float() if answer.dtype in (torch.bfloat16, torch.float16) else answer
    try:
        values = np.asarray(answer)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AuditError(
            f"predict gave {type(answer).__name__}, which is no array of labels: {error}"
        ) from None
    if values.dtype == object and not all(_label(one) for one in values.flat):
        raise AuditError(f"predict gave {type(answer).__name__} of other things than labels")
    return values


def _label(one: Any) -> bool:
    return one is None or one is pd.NA or isinstance(one, (str, int, float, np.generic))


def _count(reasons: dict[str, int], reason: str, count: int) -> None:
    reasons[reason] = reasons.get(reason, 0) + count


def _most(reasons: dict[str, int], n: int) -> str:
    worst = max(reasons, key=lambda reason: reasons[reason])
    return f"predict gave no answer for {sum(reasons.values())} of {n} inputs: {worst}"
