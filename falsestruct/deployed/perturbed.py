"""The smallest changes of a line's pixels that take the package's answer, and random ones.

The search is foolbox's DDN attack (arXiv:1811.09600) with the same steps for every line. What it
finds is rounded to bytes, and counts only where onnxruntime gives the other answer to these bytes.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct.deployed import lines
from falsestruct.deployed.graph import Graph
from falsestruct.deployed.lines import COLUMNS, ROWS, Directions

SMALL = 5.0  # grey levels of 255, root mean square over a line's pixels
GROWTH = (1.0, 1.02, 1.05, 1.1, 1.2, 1.4, 2.0)  # of a change that rounding undoes
SIZES = (4, 8, 16, 32, 64, 128)  # of random changes, grey levels
SOFTER = 20.0  # the network is so sure that float32 has no slope left for the attack
FIRST = SMALL / 127.5 * math.sqrt(ROWS * COLUMNS)  # where the search begins, in its own units
AGREE = 1e-4  # between both readings of the network


class Margins(nn.Module):
    """Two outputs for lines (lines, 1, ROWS, COLUMNS) in [−1, 1]: 0 and how far above the bar the
    answer "turned" is, in logits over SOFTER. Nothing beside the line counts."""

    def __init__(self, graph: Graph, wide: Tensor, bar: float) -> None:
        super().__init__()
        self.graph, self.bar = graph, math.log(bar / (1 - bar))
        self.inside = (torch.arange(COLUMNS) < wide[:, None])[:, None, None].float()

    def forward(self, x: Tensor) -> Tensor:
        answers = self.graph.logits((x * self.inside).expand(-1, 3, -1, -1))
        above = answers[:, 1] - answers[:, 0] - self.bar
        return torch.stack([torch.zeros_like(above), above / SOFTER], 1)


def pictures(drawn: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Lines as the network sees them, bytes (ROWS, at most COLUMNS): scaling changes nothing."""
    found = []
    for line in drawn:
        wide = min(math.ceil(ROWS * line.shape[1] / line.shape[0]), COLUMNS)
        found.append(np.rint((lines.scaled(line)[0, :, :wide] + 1) * 127.5).astype(np.uint8))
    return found


def smallest(
    shown: Sequence[np.ndarray], network: Directions, graph: Graph, *,
    bar: float, steps: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """The smallest change found of each picture of `pictures`, and random ones.

    Args:
        bar: The answer "turned" must be above it, or not any more.

    Returns:
        A row a line. before, after: the answers. size: of the change in grey levels, NaN where none
        was found; turning: size of the difference to the turned picture; ratio: of both, 1 where
        none was found. loud: size of the smallest random change of SIZES that takes the answer, NaN
        if none; noise ratio: likewise. small flips, noise flips: whether a change, or a random one,
        of SMALL takes it. own flips, order flips, other flips: whether the change found does, its
        pixels in random order, and the change of the next line, each made SMALL; 0 where none was
        found for the line, NaN where none was for the next. clean, changed: as `packed` gives them.

    Raises:
        ValueError: Both readings of the network differ.
    """
    before = network.scores(shown)
    x = torch.from_numpy(np.stack([lines.scaled(line)[:1] for line in shown]))
    wide = torch.tensor([line.shape[1] for line in shown])
    model = Margins(graph, wide, bar)
    with torch.no_grad():
        again = graph.logits((x * model.inside).expand(-1, 3, -1, -1)).softmax(1)[:, 1].numpy()
    if (apart := float(np.abs(again - before).max())) > AGREE:
        raise ValueError(f"both readings differ by {apart}; expected at most {AGREE}")
    found = _searched(model, x, torch.from_numpy(before > bar).long(), steps)
    rng, rows = np.random.default_rng(seed), []
    for line, goal, score in zip(shown, found, before, strict=True):
        noise = rng.standard_normal(line.shape)
        rows.append(_row(line, goal[0, :, : line.shape[1]], noise, network, bar, score))
    table = pd.DataFrame(rows)
    packs = zip(table["changed"], shown, strict=True)
    changes = [unpacked(text).astype(float) - line if text else None for text, line in packs]
    return table.join(pd.DataFrame(_again(shown, changes, before > bar, network, bar, rng)))


def _again(
    shown: Sequence[np.ndarray], changes: Sequence[np.ndarray | None], before: np.ndarray,
    network: Directions, bar: float, rng: np.random.Generator,
) -> list[dict[str, float]]:  # fmt: skip
    """A row a line: whether its change takes the answer at SMALL; and in random order; and the
    next line's."""

    def flips(line: np.ndarray, change: np.ndarray | None, was: bool, missing: float) -> float:
        picture = _small(line, change)
        if picture is None:
            return missing
        return float((network.scores([picture])[0] > bar) != was)

    rows = []
    for i, (line, was) in enumerate(zip(shown, before, strict=True)):
        own, other = changes[i], changes[(i + 1) % len(changes)] if len(changes) > 1 else None
        order = None if own is None else rng.permutation(own.ravel()).reshape(own.shape)
        rows.append({"own flips": flips(line, own, was, 0.0),
                     "order flips": flips(line, order, was, 0.0),
                     "other flips": flips(line, other, was, math.nan)})  # fmt: skip
    return rows


def _small(line: np.ndarray, change: np.ndarray | None) -> np.ndarray | None:
    """The line changed by SMALL, after clipping to bytes, in this direction; beyond the change's
    own columns nothing."""
    if change is None:
        return None
    fit = np.zeros(line.shape)
    wide = min(line.shape[1], change.shape[1])
    fit[:, :wide] = change[:, :wide]
    if not fit.any():
        return None
    fit /= np.sqrt(np.mean(fit**2))
    return _bytes(line + _loud(line, fit) * fit)


def _searched(model: Margins, x: Tensor, label: Tensor, steps: int) -> np.ndarray:
    import foolbox

    known = foolbox.PyTorchModel(model.eval(), bounds=(-1, 1), device="cpu")
    attack = foolbox.attacks.DDNAttack(steps=steps, init_epsilon=FIRST)
    changed = attack(known, x, label, epsilons=None)[0]
    return changed.detach().numpy()


def _row(
    line: np.ndarray, goal: np.ndarray, noise: np.ndarray, network: Directions, bar: float,
    before: float,
) -> dict[str, object]:  # fmt: skip
    """One line's row of `smallest`; goal (rows, columns) is in [−1, 1]."""

    def flips(picture: np.ndarray) -> bool:
        return bool((network.scores([picture])[0] > bar) != (before > bar))

    step = (goal + 1) * 127.5 - line
    tries = (_bytes(line + growth * step) for growth in GROWTH)
    changed = next((one for one in tries if flips(one)), None)
    size = math.nan if changed is None else rms(changed, line)
    turning = rms(lines.turned(line), line)
    noisy = (_bytes(line + own * noise) for own in SIZES)
    loud = next((rms(one, line) for one in noisy if flips(one)), math.nan)
    after = math.nan if changed is None else float(network.scores([changed])[0])
    return {
        "before": float(before), "after": after, "size": size, "turning": turning, "loud": loud,
        "ratio": 1.0 if changed is None else min(size / turning, 1.0),
        "noise ratio": 1.0 if math.isnan(loud) else min(loud / turning, 1.0),
        "small flips": float(size <= SMALL),
        "noise flips": float(flips(_bytes(line + _loud(line, noise) * noise))),
        "clean": packed(line),
        "changed": "" if changed is None else packed(changed),
    }  # fmt: skip


def _loud(line: np.ndarray, noise: np.ndarray) -> float:
    """The factor of noise with which it changes a line by SMALL after clipping to bytes.

    Much of a line is black or white, so that much of a change may be clipped.
    """
    low, high = 0.0, 64 * SMALL
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if rms(_bytes(line + middle * noise), line) < SMALL else (low, middle)
        )
    return high


def rms(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square of the difference of two pictures, in grey levels."""
    return float(np.sqrt(np.mean((one.astype(float) - other.astype(float)) ** 2)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def packed(picture: np.ndarray) -> str:
    """Bytes (ROWS, columns) as text, for a record."""
    return base64.b64encode(zlib.compress(picture.tobytes(), 9)).decode()


def unpacked(text: str) -> np.ndarray:
    """What `packed` packed."""
    values = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    return values.reshape(ROWS, -1)
