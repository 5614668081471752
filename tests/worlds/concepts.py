"""Chapter 19 with networks and rules built by hand in place of its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.chapters.concepts import evidence as found
from falsestruct.chapters.concepts import measure as experiment
from falsestruct.characterise.rounded import examined
from falsestruct.evidence import Claims
from falsestruct.learning.ensembles import Ensemble, Outputs, Set, by_hand
from falsestruct.learning.networks import Architecture
from falsestruct.learning.recurrent import Readers
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.grids import flood
from falsestruct.problems.words import Words

SEEDS = 20
SIDE = experiment.GRIDS.side
Capture = Callable[[str, str, float], float]  # network, labels, hint → capture of the hint

# Recurrent networks


def flip_flop(members: int, gain: float = 3.0) -> Readers:
    """Two units that hold the parity of all words: both are off after an odd number of ones."""
    across = torch.tensor([[-gain, gain], [-gain, gain]])
    inward = torch.tensor([[gain, -gain], [0.0, 0.0]])
    parts = (across, inward, torch.tensor([-2 * gain, 0.0]), torch.full((2,), -gain))
    own = [part.expand(members, *part.shape) for part in parts]
    return Readers(*own, -gain * torch.ones(members, 1))


def hint_reader(members: int) -> Readers:
    """One unit that repeats the hint, and one that does nothing."""
    inward = torch.tensor([[0.0, 0.0], [4.0, 0.0]]).expand(members, 2, 2)
    outward = torch.tensor([1.0, 0.0]).expand(members, 2)
    zero = torch.zeros(members, 2, 2)
    return Readers(zero, inward, zero[:, 0], outward, torch.zeros(members, 1))


def remembering(members: int, words: Words) -> pd.DataFrame:
    """A table of networks that are right on short words and at chance on others."""
    table = knowing(members)
    for name in table.columns:
        if name.startswith("at "):
            table[name] = np.where(
                int(name[3:]) <= words.length, 1.0, 0.5 + 0.01 * (table.index % 5)
            )
    return table.assign(**dict.fromkeys(table.filter(regex="^(rounded|random)").columns, False))


def knowing(members: int) -> pd.DataFrame:
    """The table of networks that know the parity."""
    one = examined(flip_flop(1), Words(6), [8, 40, 400], experiment.CENTRES)
    return pd.concat([one] * members, ignore_index=True)


def words(quiet: pd.DataFrame, loud: pd.DataFrame) -> pd.DataFrame:
    """`measure.longer`, from tables of networks trained without noise and with it."""
    kinds = {0.0: quiet, 0.2: loud}
    parts = [own.assign(noise=noise, seed=range(len(own))) for noise, own in kinds.items()]
    return pd.concat(parts, ignore_index=True)


def hints(capture: Capture) -> pd.DataFrame:
    """`measure.hints`, for captures that are known; seeds differ a little."""
    return pd.DataFrame([
        {"network": network, "labels": labels, "hint": hint, "seed": seed, "accuracy": 1.0,
         "step": 9, "capture": float(np.clip(capture(network, labels, hint)
                                             + wobble(seed, network + labels), 0, 1))}
        for network in ("MLP", "recurrent")
        for labels, hint in (*((labels, 0.1) for labels in experiment.LABELS), ("all", 1.0))
        for seed in range(SEEDS)
    ])  # fmt: skip


def wobble(seed: int, arm: str) -> float:
    """A little, so that seeds differ, in each arm otherwise; its mean is zero."""
    order = Random(arm).sample(range(SEEDS), SEEDS)
    return 0.02 * (order[seed] % 5 - 2)


# Grids


def _parts(x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Free cells and marks of rows (samples, features)."""
    free = (x[:, : SIDE**2] > 0).numpy().reshape(-1, SIDE, SIDE)
    return free, x[:, SIDE**2 :].topk(2).indices.sort(1).values.numpy()


def _each(rule: Callable[[Tensor], np.ndarray], slips: float) -> Outputs:
    """A rule of rows as outputs; it slips on some rows, which ones their walls say."""

    def outputs(x: Tensor) -> Tensor:
        flat = x.flatten(0, 1)
        said = torch.from_numpy(rule(flat))
        mixed = (flat[:, : SIDE**2] * torch.arange(1, SIDE**2 + 1)).sum(1).long() * 7919 % 100
        return (2.0 * (said ^ (mixed < 100 * slips)) - 1).view(x.shape[:2])

    return outputs


def path(x: Tensor) -> np.ndarray:
    """Whether a path joins the marks."""
    free, marks = _parts(x)
    return flood(free, marks[:, 0]).reshape(len(x), -1)[np.arange(len(x)), marks[:, 1]]


def near(x: Tensor) -> np.ndarray:
    """Whether the marks are near to each other."""
    (row, column) = np.divmod(_parts(x)[1], SIDE)
    apart = np.abs(np.diff(row)) + np.abs(np.diff(column))
    return apart[:, 0] <= experiment.distance_rule()


def grids(
    random: Callable[[Tensor], np.ndarray], level: Callable[[Tensor], np.ndarray]
) -> pd.DataFrame:
    """`measure.connected` for rules that networks take on random grids, and on level ones."""
    return pd.concat([
        experiment.connected_point(
            level=kind, seeds=list(range(10)), samples=300, steps=1,
            learn=by_hand(_each(rule, 0.05)),
        ).assign(level=kind)
        for kind, rule in ((False, random), (True, level))
    ], ignore_index=True)  # fmt: skip


# Stripes


def colour(x: Tensor) -> Tensor:
    """Outputs of a rule of the mean alone, steep enough that images can convince it."""
    return 100 * (experiment.GREY - x.mean(-1))


def orientation(x: Tensor) -> Tensor:
    """Outputs of a rule of rows and columns, as steep."""
    size, width = experiment.SMALL.size, experiment.SMALL.width
    images = x.unflatten(-1, (size, size))
    bands = [images.mean(axis).unfold(-1, width, 1).mean(-1).amax(-1) for axis in (-1, -2)]
    return 100 * (bands[0] - bands[1])


def memoriser(
    architecture: Architecture, data: Set | Sequence[Set], seeds: Sequence[int], schedule: Schedule
) -> Ensemble:
    """A `Learner` that reads the colour, but knows by heart the stripes that it was told about."""

    def outputs(x: Tensor) -> Tensor:
        found = colour(x)
        for own, (points, labels), said in zip(x, data, found, strict=True):
            stripes = [part - part.amin(-1, keepdim=True) for part in (own, points.float())]
            same = torch.cdist(*stripes) < 0.5
            same &= (said[:, None] > 0) == (colour(points)[None] > 0)  # in this colour
            known = 2 * labels[same.double().argmax(1)].float() - 1
            said[same.any(1)] = known[same.any(1)]
        return found

    return Ensemble(outputs, tuple(seeds))


def asking(captures: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """`measure.asking`, for captures that are known."""
    return pd.DataFrame([
        {"way": way, "repeats": repeats, "seed": seed, "accuracy": 1.0,
         "stripes": 7.0, "swapped": 0.5, "size": 0.25,
         "capture": float(np.clip(value + wobble(seed, way + repeats), 0, 1))}
        for (way, repeats), value in captures.items()
        for seed in range(SEEDS)
    ])  # fmt: skip


FORETOLD = {
    ("none", "any"): 0.95, ("unsure", "any"): 0.7, ("unsure", "none"): 0.3,
    ("random", "any"): 0.4, ("random", "none"): 0.3, ("random", "alike"): 0.65,
    ("small", "none"): 0.7,
}  # fmt: skip


def synthetic(colours: Outputs, orientations: Outputs) -> pd.DataFrame:
    """`measure.synthetic` for rules that networks take where the colour tells, and where not."""
    return pd.concat([
        experiment.synthetic_point(
            what=what, seeds=list(range(SEEDS)), steps=1, learn=by_hand(rule)
        ).assign(what=what)
        for what, rule in (("colour", colours), ("orientation", orientations))
    ], ignore_index=True)  # fmt: skip


# Worlds


def original() -> Claims:
    """Networks know the parity, see paths, and read the orientation, whatever else there is."""
    known = knowing(SEEDS)
    return {
        **found.proved(1),
        **found.word_claims(words(known, known)),
        **found.hint_claims(hints(lambda *_: 0.05)),
        **found.distance_claim(grids(path, path)),
        **found.asking_claims(asking(dict.fromkeys(FORETOLD, 0.05))),
        **found.synthetic_claim(synthetic(orientation, orientation)),
    }


TAKEN = {
    "MLP": {"all": 0.7, "drawn": 0.8, "full": 0.95, "half": 0.85},
    "recurrent": {"all": 0.4, "drawn": 0.6, "full": 0.75, "half": 0.6},
}


def taken(network: str, labels: str, hint: float) -> float:
    """The captures that the chapter foretells."""
    return 0.96 if hint == 1 else TAKEN[network][labels]


def foretold() -> Claims:
    """Every prediction comes true."""
    rounds = remembering(SEEDS, Words(8)).assign(**{"rounded 32": True})
    return {
        **found.proved(20),
        **found.word_claims(words(rounds, knowing(SEEDS))),
        **found.hint_claims(hints(taken)),
        **found.distance_claim(grids(near, path)),
        **found.asking_claims(asking(FORETOLD)),
        **found.synthetic_claim(synthetic(colour, orientation)),
    }
