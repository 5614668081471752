"""The main paper's own networks, audited from the checkpoints that were released with its code.

The book ships none of them: the reader names the folder. Networks are those of the paper, which
their variables' names and shapes tell: convolutions with max-pooling and "same" padding, channels
last before the first dense layer, ReLU between layers, label 1 above 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from falsestruct.characterise.audit import AuditError, Predict, audit
from falsestruct.deployed.checkpoints import CheckpointError, checkpoints, read
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.oscillation import oscillation
from falsestruct.problems.planted.stripes import stripes

COLOUR = 0.01  # offset of the stripes' colour: the paper's training
HINT = Oscillation().delta  # size of the oscillation's hint, likewise
Layers = list[tuple[Tensor, Tensor]]  # kernel and bias of each, in their order


def audited(folder: Path, *, samples: int = 500, points: int = 0, seed: int = 0) -> pd.DataFrame:
    """Which structure each network in the folder captured.

    Args:
        samples, points, seed: As for `audit`.

    Returns:
        Columns network (its folders), problem, strength, verdict, success, and of each structure
        share, low, high: original, original_low, …, false, ….

    Raises:
        AuditError: No checkpoint in the folder, or one that isn't such a network.
    """
    found = checkpoints(folder) if folder.is_dir() else []
    if not found:
        raise AuditError(f"{folder}: no checkpoint (.index) in it; name the folder of the paper's "
                         "code, with its models")  # fmt: skip
    rows = []
    for prefix in found:
        try:
            predict, problem = network(read(prefix))
        except CheckpointError as error:
            raise AuditError(str(error)) from None
        own = audit(predict, problem, samples=samples, points=points, seed=seed)
        row: dict[str, object] = {
            "network": str(prefix.parent.relative_to(folder)), "problem": problem.name,
            "strength": problem.strength, "verdict": own.verdict, "success": own.success,
        }  # fmt: skip
        for word, capture in zip(("original", "false"), own.captures, strict=True):
            row |= {word: capture.share, f"{word}_low": capture.low, f"{word}_high": capture.high}
        rows.append(row)
    return pd.DataFrame(rows)


def network(variables: Mapping[str, np.ndarray]) -> tuple[Predict, Planted]:
    """The network of a checkpoint, and the problem that it was trained for.

    Raises:
        CheckpointError: The variables are no such network.
    """
    images, dense = _layers(variables, "conv2d"), _layers(variables, "dense")
    if not dense or dense[-1][0].shape[-1] != 1:
        raise CheckpointError(f"variables {', '.join(sorted(variables))[:80]}: expected dense "
                              "layers, the last with one output")  # fmt: skip
    problem = stripes(COLOUR) if images else oscillation(HINT)

    def predict(x: Tensor) -> Tensor:
        h = x.double()
        if images:
            h = h[:, None]
            for kernel, bias in images:
                h = functional.conv2d(h, kernel.permute(3, 2, 0, 1), bias, padding="same")
                h = functional.max_pool2d(functional.relu(h), 2)
            h = h.permute(0, 2, 3, 1).flatten(1)
        for i, (kernel, bias) in enumerate(dense):
            h = (functional.relu(h) if i else h) @ kernel + bias
        return (h[:, 0] > 0).long()

    return predict, problem


def _layers(variables: Mapping[str, np.ndarray], kind: str) -> Layers:
    """Of kind, kind_1, …: Adam's averages beside them have longer names."""
    names = sorted(
        (int(match[1] or 0), match[0])
        for match in (re.fullmatch(rf"{kind}(?:_(\d+))?/kernel", name) for name in variables)
        if match
    )
    try:
        return [
            (_tensor(variables[name]), _tensor(variables[name.replace("kernel", "bias")]))
            for _, name in names
        ]
    except KeyError as error:
        raise CheckpointError(f"no variable {error} beside its kernel") from None


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
