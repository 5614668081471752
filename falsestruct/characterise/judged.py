"""Explanations judged: what maps name, and whether they tell which answers a coordinate decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from falsestruct.characterise.explanations import METHODS, Effort, Question, shares, slopes

FEWEST = 4  # inputs of either kind that a probability needs


def judged(ask: Question, at: int, level: float, decoy: int, effort: Effort) -> pd.DataFrame:
    """What each method's maps name: a row a network and method.

    Columns: member, method, named (the mean of the shares is largest at the coordinate), decoy (at
    the decoy), one (share of single maps that name the coordinate). Then, of the inputs whose
    answer is also the coordinate's, positive above its level: asks (their share), changes (share of
    the answers that change when the coordinate is turned round, to the other side of the level),
    and how well it is told which: auc (by the coordinate's share), beside (by its value over the
    output), margin (by the output alone). An answer against the coordinate isn't given by it, which
    the output's sign says without a map.

    Args:
        at, decoy: Coordinates.
        level: Of the coordinate.
    """
    with torch.no_grad():
        turned = ask.x.clone()
        turned[..., at] = 2 * level - turned[..., at]
        before, after = ask.outputs(ask.x), ask.outputs(turned)
    changed, size = (before > 0) != (after > 0), before.abs().clamp_min(1e-12)
    ours = (before > 0) == (ask.x[..., at] > level)
    common = {
        "asks": ours.double().mean(1),
        "changes": (changed & ours).sum(1) / ours.sum(1),
        "margin": told(changed, -size, ours),
    }
    rows = []
    for name, method in METHODS.items():
        values = method(ask, effort)
        part = shares(values)
        first = part.mean(1).argmax(-1)
        columns = common | {
            "named": first == at,
            "decoy": first == decoy,
            "one": (part.argmax(-1) == at).double().mean(1),
            "auc": told(changed, part[..., at], ours),
            "beside": told(changed, values[..., at].abs() / size, ours),
        }
        own = pd.DataFrame({key: value.tolist() for key, value in columns.items()})
        rows.append(own.assign(method=name, member=range(len(own))))
    return pd.concat(rows, ignore_index=True)


def told(kind: Tensor, score: Tensor, among: Tensor) -> Tensor:
    """Probability that an input of a kind has a larger score than one that isn't, (members,).

    NaN for a network with less than `FEWEST` inputs of either kind.

    Args:
        kind: Mask (members, samples).
        score: (members, samples).
        among: Mask (members, samples) of the inputs that are asked about.
    """
    found = []
    for own, scores, asked in zip(kind.numpy(), score.numpy(), among.numpy(), strict=True):
        known, places = own[asked], scores[asked]
        enough = FEWEST <= known.sum() <= len(known) - FEWEST
        found.append(roc_auc_score(known, places) if enough else np.nan)
    return torch.tensor(found, dtype=torch.float64)


def fooled(ask: Question, other: Question, decoy: int, height: float) -> Tensor:
    """Share of inputs, (members,), at which other outputs, at most `height` away, fool a gradient.

    It is largest at the decoy, and the label is as before or the output was as near to zero.
    """
    before = ask.outputs(ask.x).detach()
    same = (other.outputs(other.x).detach() > 0) == (before > 0)
    largest = slopes(other.outputs, other.x).abs().argmax(-1) == decoy
    return (largest & (same | (before.abs() <= height))).double().mean(1)
