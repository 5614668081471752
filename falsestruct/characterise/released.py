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

from falsestruct import statistics
from falsestruct.characterise import audit as auditing
from falsestruct.characterise.audit import AuditError, Predict, audit
from falsestruct.deployed.checkpoints import CheckpointError, checkpoints, read
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.oscillation import oscillation
from falsestruct.problems.planted.stripes import stripes

COLOUR = 0.01  # offset of the stripes' colour: the paper's training
HINT = Oscillation().delta  # size of the oscillation's hint, likewise
Layers = list[tuple[Tensor, Tensor]]  # kernel and bias of each, in their order


def audited(
    folder: Path, *, samples: int = 500, points: int = 0, seed: int = 0, shuffled: bool = False
) -> pd.DataFrame:
    """Which structure each network in the folder captured.

    Args:
        samples, points, seed: As for `audit`.
        shuffled: For comparison: each kernel's weights in random order, and each bias's.

    Returns:
        Columns network (its folders), problem, strength, verdict, agreeing and conflicts (numbers
        of inputs on which the structures agree, and don't), and of success (share right on the
        former), original and false (shares of the latter) the value and the 95 % interval:
        success, success_low, success_high, ….

    Raises:
        AuditError: No checkpoint in the folder, or one that isn't such a network.
    """
    if not folder.is_dir():
        raise AuditError(f"{folder}: no such folder; name the folder that has the released code, "
                         "or the models alone")  # fmt: skip
    rows = []
    for prefix in checkpoints(folder):
        try:
            variables = read(prefix)
            predict, problem = network(_mixed(variables, seed) if shuffled else variables)
        except CheckpointError as error:
            raise AuditError(str(error)) from None
        name = prefix.parent.relative_to(folder).as_posix()
        own = audit(predict, problem, samples=samples, points=points, seed=seed)
        rows.append(
            {"network": name, "problem": problem.name, "strength": problem.strength,
             "verdict": own.verdict} | _shares(predict, problem, samples, seed)
        )  # fmt: skip
    if not rows:
        raise AuditError(f"{folder}: has no checkpoint; expected files that end in .index below it,"
                         " as in the released code's models/run_010/ckpt")  # fmt: skip
    return pd.DataFrame(rows)


def recorded(*, folder: str, shuffled: bool) -> pd.DataFrame:
    """`audited` for a record: the folder by a name below the present one, and whether shuffled."""
    return audited(Path(folder), shuffled=shuffled).assign(shuffled=shuffled)


def _shares(predict: Predict, problem: Planted, samples: int, seed: int) -> dict[str, float]:
    """Success and sides with intervals, on the audit's own inputs; it keeps no counts."""
    agreed, conflict = auditing._inputs(problem, samples, seed)
    right = torch.as_tensor(predict(agreed)) == problem.original(agreed)
    sides = torch.as_tensor(predict(conflict)) == problem.original(conflict)
    found: dict[str, float] = {"agreeing": len(agreed), "conflicts": len(conflict)}
    for name, holds in (("success", right), ("original", sides), ("false", ~sides)):
        own = statistics.proportion(holds.numpy())
        found |= {name: own.value, f"{name}_low": own.low, f"{name}_high": own.high}
    return found


def _mixed(variables: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Each variable's numbers in random order."""
    rng = np.random.default_rng(seed)
    return {name: rng.permutation(own.ravel()).reshape(own.shape)
            for name, own in sorted(variables.items())}  # fmt: skip


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
