"""Networks on patches of photographs, and what they say of changed ones: recorded and live.

It imports as little as possible: the record is outdated only when a number in it could change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import ARCHITECTURES, Architecture, by_name, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import photographs
from falsestruct.problems.photographs import (
    PATCH,
    Threshold,
    changed,
    contrast,
    fitted,
    matched,
    radius,
    row_change,
    tiles,
    turned,
)

SEED = 1000  # the first network of a claim
SAMPLES = 150  # training patches of each material
TARGET, STEPS, BATCH = 0.02, 600, 50
# The CNN of ch. 01 for 32 × 32 images; the others are those of ch. 03.
KINDS = (*ARCHITECTURES[:3], by_name("CNN", for_images(PATCH)), ARCHITECTURES[3])
ARMS = ("plain", "changed", "turned", "shuffled")  # of training
WAYS = {"brick-grass": 4, "brick-gravel": 3, "grass-gravel": 1}  # the first so many of them
DATA, GRAIN, SHUFFLE, TURN = range(4)  # streams of a seed
CELLS = ("right", "turned", "grey", "rule", "follows", "same", "rows", "contrast", "below")
NOBODY = "-"


def stream(seed: int, which: int) -> torch.Generator:
    """A generator of its own for each use of a seed."""
    drawn = np.random.SeedSequence([seed, which]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(drawn >> np.uint64(1)))


def given(pair: str, seed: int) -> Set:
    """The training patches of a network, as they are."""
    return photographs.training(pair, SAMPLES, stream(seed, DATA))


def lesson(pair: str, arm: str, seed: int) -> Set:
    """What a network trains on.

    "shuffled": labels in a random order. "changed": a coin gives each patch grain or pales it, so
    that the threshold says nothing. "turned": random quarter turns.
    """
    x, y = given(pair, seed)
    if arm == "shuffled":
        return x, y[torch.randperm(len(y), generator=stream(seed, SHUFFLE))]
    if arm == "changed":
        coins = torch.randint(2, (len(y),), generator=stream(seed, TURN))
        return changed(x, coins, stream(seed, GRAIN)), y
    if arm == "turned":
        quarters = torch.randint(4, (len(y),), generator=stream(seed, TURN))
        return torch.stack([turned(one, int(k)) for one, k in zip(x, quarters, strict=True)]), y
    if arm != "plain":
        raise ValueError(f"arm is {arm!r}; expected one of {', '.join(ARMS)}")
    return x, y


def trained(kind: Architecture, pair: str, arm: str, seeds: Sequence[int]) -> Ensemble:
    """One network a seed, each with its own training patches."""
    sets = [lesson(pair, arm, seed) for seed in seeds]
    return train(kind, sets, seeds, Schedule(STEPS, BATCH, TARGET))


def networks(*, pair: str, architecture: str, arm: str, seeds: Sequence[int]) -> pd.DataFrame:
    """Networks that trained in one way: `asked`, with the columns architecture, loss, steps, …"""
    own = trained(by_name(architecture, KINDS), pair, arm, seeds)
    rules = [fitted(row_change, given(pair, seed)) for seed in seeds]
    right = [_fit(own, i, lesson(pair, arm, seed)) for i, seed in enumerate(seeds)]
    return asked(own, rules, pair, arm).assign(architecture=architecture, fitted=right)


def _fit(own: Ensemble, member: int, patches: Set) -> float:
    x, y = patches
    return (own.select([member]).labels(x.float())[0] == y).double().mean().item()


def asked(own: Ensemble, rules: Sequence[Threshold], pair: str, arm: str) -> pd.DataFrame:
    """A row a member, with what it says of each held-out tile as a text, `told`.

    Columns: those of `Ensemble.table`, pair, arm; right (of the tile), turned (right, of the turned
    tile), grey (right, of the tile at the mean GREY), rule (the threshold is right, of the tile).
    With a pair with brick: follows (says what the threshold says of the changed tile, where
    material and threshold part), same (right, where the same two changes leave them agreed), rows
    and contrast (right, of matched tiles); below (of the first tile of a block: the smallest
    perturbation found is below the threshold's radius). Empty where an arm needs none.

    Args:
        rules: The threshold on `row_change` of each member.
    """
    x, y = tiles(pair)
    what: dict[str, Tensor] = {"right": _right(own, x, y)}
    if arm in ("plain", "turned"):
        what["turned"] = _right(own, turned(x), y)
    if arm == "plain":
        what["grey"] = _right(own, photographs.at_grey(x), y)
        what["rule"] = torch.stack([(rule(x) == y).double() for rule in rules])
    if pair in photographs.BRICKS and arm in ("plain", "changed"):
        what |= _apart(own, rules, x, y)
    if pair in photographs.BRICKS and arm == "plain":
        what |= {name: _right(own, matched(x, s), y)
                 for name, s in (("rows", row_change), ("contrast", contrast))}  # fmt: skip
        what["below"] = _below(own, rules, x)
    texts = {c: told(what[c]) if c in what else [""] * len(own) for c in CELLS}
    return own.table(pair=pair, arm=arm, **texts)


def _right(own: Ensemble, x: Tensor, y: Tensor) -> Tensor:
    return (own.labels(x.float()) == y).double()


def _apart(own: Ensemble, rules: Sequence[Threshold], x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Answers to changed tiles: those that part the structures, and those that don't."""
    found = {}
    for name, agree in (("follows", False), ("same", True)):
        shown = changed(x, y, stream(0, GRAIN), agree=agree)
        said = torch.stack([rule(shown) for rule in rules])  # (members, tiles)
        counts = (said == y) == agree
        agrees = (own.labels(shown.float()) == said).double()
        found[name] = agrees.masked_fill(~counts, torch.nan)
    return found


def _below(own: Ensemble, rules: Sequence[Threshold], x: Tensor) -> Tensor:
    _, first = np.unique(photographs.blocks(), return_index=True)
    attack = attacks.smallest_perturbations(
        own.outputs, x[first].float(), norm="l2", members=len(own)
    )
    bound = torch.stack([radius(rule, x[first]) for rule in rules])
    found = torch.full((len(own), len(x)), torch.nan, dtype=torch.float64)
    found[:, first] = (attack.size < bound).double()
    return found


def told(values: Tensor) -> list[str]:
    """A text for each member: 1, 0, or NOBODY for NaN."""
    return ["".join(NOBODY if np.isnan(v) else str(int(v)) for v in row) for row in values.numpy()]


def by_threshold(rules: Sequence[Threshold]) -> Ensemble:
    """The thresholds themselves, in the place of networks; all of one sign."""
    cuts = torch.tensor([rule.cut for rule in rules])[:, None]
    first = rules[0]
    facts: dict[str, list[Any]] = {"loss": [0.0] * len(rules), "steps": [0] * len(rules),
                                   "reached": [True] * len(rules)}  # fmt: skip
    return Ensemble(
        lambda x: first.sign * (first.statistic(x) - cuts.to(x)), tuple(range(len(rules))), facts
    )


def thresholds(*, pair: str, seeds: Sequence[int]) -> pd.DataFrame:
    """`asked` of the thresholds on `row_change` that the seeds' training patches give.

    Further columns: letter and contrast_letter, the shares of these patches on which a threshold
    on `row_change` and one on `contrast` say the material; turns (share of turned held-out tiles on
    which the threshold does not).
    """
    patches = [given(pair, seed) for seed in seeds]
    rules, others = ([fitted(s, own) for own in patches] for s in (row_change, contrast))
    x, y = tiles(pair)
    own = asked(by_threshold(rules), rules, pair, "plain")
    return own.assign(
        architecture="threshold", seed=list(seeds), letter=[rule.right for rule in rules],
        contrast_letter=[rule.right for rule in others],
        turns=[(rule(turned(x)) != y).double().mean().item() for rule in rules],
    )  # fmt: skip


def every(*, pair: str, architecture: str, seeds: int, others: int) -> pd.DataFrame:
    """All ways of training that a pair's claims need; `thresholds` if that is the architecture.

    Args:
        seeds, others: Networks that train plainly, and in any other way.
    """
    own = range(SEED, SEED + seeds)
    if architecture == "threshold":
        return thresholds(pair=pair, seeds=own)
    parts = [
        networks(pair=pair, architecture=architecture, arm=arm, seeds=own[: others if i else seeds])
        for i, arm in enumerate(ARMS[: WAYS[pair]])
    ]
    return pd.concat(parts, ignore_index=True)
