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
        A row a line. before: whether its answer is above the bar. size: of the change in grey
        levels, NaN where none was found; turning: size of the difference to the turned picture;
        ratio: of both, 1 where none was found. noise ratio: of the smallest random change of SIZES
        that takes the answer, likewise. small flips, noise flips: whether a change, or a random
        one, of SMALL takes it. clean, changed: as `packed` gives them.

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
        rows.append(_row(line, goal[0, :, : line.shape[1]], noise, network, bar, bool(score > bar)))
    return pd.DataFrame(rows)


def _searched(model: Margins, x: Tensor, label: Tensor, steps: int) -> np.ndarray:
    import foolbox

    known = foolbox.PyTorchModel(model.eval(), bounds=(-1, 1), device="cpu")
    attack = foolbox.attacks.DDNAttack(steps=steps, init_epsilon=FIRST)
    changed = attack(known, x, label, epsilons=None)[0]
    return changed.detach().numpy()


def _row(
    line: np.ndarray, goal: np.ndarray, noise: np.ndarray, network: Directions, bar: float,
    before: bool,
) -> dict[str, object]:  # fmt: skip
    """One line's row of `smallest`; goal (rows, columns) is in [−1, 1]."""

    def flips(picture: np.ndarray) -> bool:
        return bool((network.scores([picture])[0] > bar) != before)

    step = (goal + 1) * 127.5 - line
    tries = (_bytes(line + growth * step) for growth in GROWTH)
    changed = next((one for one in tries if flips(one)), None)
    size = math.nan if changed is None else rms(changed, line)
    turning = rms(lines.turned(line), line)
    noisy = (_bytes(line + own * noise) for own in SIZES)
    loud = next((rms(one, line) for one in noisy if flips(one)), turning)
    return {
        "before": before, "size": size, "turning": turning,
        "ratio": 1.0 if changed is None else min(size / turning, 1.0),
        "noise ratio": min(loud / turning, 1.0), "small flips": float(size <= SMALL),
        "noise flips": float(flips(_bytes(line + _loud(line, noise) * noise))),
        "clean": packed(line), "changed": "" if changed is None else packed(changed),
    }  # fmt: skip


def _loud(line: np.ndarray, noise: np.ndarray) -> float:
    """The factor of noise with which it changes a line by SMALL after clipping to bytes."""
    low, high = 0.0, 8 * SMALL
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
