"""A blind benchmark of the search: networks with plants, and what is true of them.

Two sets of networks are drawn: one with fixed seeds, and one by the digest of the search's own
code, so that a changed search is asked about networks that nobody has seen. Streams of a seed: 0
the plant (`problems.plants`), 1 the architecture, 2 the training set, 3 what the search gets, 4 the
conflict set, 5 fresh probes, 6 those of another plant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from falsestruct.characterise import probes
from falsestruct.characterise.asking import inputs
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import by_name, for_images
from falsestruct.learning.training import Schedule
from falsestruct.problems.plants import FAMILIES, Family, Plant, Set, plant
from falsestruct.sweep.reach import code_key

FIXED = "fixed"
FIRST, SIZE = 1000, 200  # of the fixed set: book/claims/09_characterise.yml states them
ROOT = Path(__file__).parents[2]
HOWS = ("planted", "independent", "shuffled", "untrained")
ARCHITECTURES = ("MLP", "deep MLP")
SAMPLES, BY_HEART = 1000, 300  # of a training set; of one whose labels are shuffled
STEPS, TARGET = 1000, 1e-2
HANDED = 300  # inputs that the search gets
FRESH, PROBES = 200, 400  # images of the conflict set, and probes made of as many
SIZES = 0.75, 1.5  # of the plant on probes
OTHER = 2**32  # added to a seed, for another plant


# ---- the sets ----


def digest() -> str:
    """Of what the code does that the search can reach: comments and docstrings don't count.

    `python -c "from falsestruct.characterise import benchmark; print(benchmark.digest())"` shows
    what the last of chapter 09's `draws` must be.
    """
    return code_key(ROOT, ["falsestruct.characterise.blind"])[:16]


def drawn(draw: str, count: int = SIZE) -> list[tuple[Family, int]]:
    """Family and seed of each network of a set.

    Args:
        draw: FIXED, or a digest.
    """
    seeds = [FIRST + i if draw == FIXED else _seed(f"{draw} {i}") for i in range(count)]
    return [(FAMILIES[i % len(FAMILIES)], seed) for i, seed in enumerate(seeds)]


def _seed(text: str) -> int:
    """Above those of trials and of the fixed set, below 2³²."""
    return 10_000 + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") // 2


# ---- networks ----


@dataclass(frozen=True)
class Case:
    """One network of a set, before it is trained.

    Attributes:
        how: Of HOWS: the plant gives all labels, or half of them; the labels are shuffled; or
            there is no training.
    """

    plant: Plant
    seed: int
    how: str = HOWS[0]

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise ValueError(f"how is {self.how!r}; expected one of {', '.join(HOWS)}")

    def rng(self, stream: int) -> np.random.Generator:
        """A generator of its own."""
        return np.random.default_rng([self.seed, stream])

    @property
    def problem(self) -> str:
        """Of PROBLEMS."""
        return self.plant.images.name

    @property
    def rho(self) -> float:
        """Share of inputs on which the plant gives the label."""
        return 0.5 if self.how == "independent" else 1.0

    @property
    def architecture(self) -> str:
        """One of ARCHITECTURES, drawn."""
        return ARCHITECTURES[int(self.rng(1).integers(len(ARCHITECTURES)))]

    def training(self) -> Set:
        """Its training set: inputs (samples, side, side) and labels (samples,)."""
        rng, shuffled = self.rng(2), self.how == "shuffled"
        x, y = self.plant.draw(BY_HEART if shuffled else SAMPLES, rng, "training", rho=self.rho)
        return x, y[torch.from_numpy(rng.permutation(len(y)))] if shuffled else y

    def conflict_set(self) -> Set:
        """Held-out inputs on which plant and original part, and the planted side of each."""
        rng = self.rng(4)
        bare, _ = self.plant.images.draw(FRESH, rng, "fresh")
        return self.plant.conflict(bare, rng)

    def fresh(self) -> Set:
        """Probes of images that the search doesn't get, with the plant put in against the original.

        Returns:
            Inputs (PROBES, side, side), and the planted side of each.
        """
        return probed(self.plant, self.rng(5))

    def strange(self) -> Set:
        """The same with a random mask that this network has nothing to do with."""
        mask = plant("mask", self.seed + OTHER, problem=self.plant.images.name)
        return probed(mask, self.rng(6))


def probed(own: Plant, rng: np.random.Generator) -> Set:
    """Made of fresh images as the search makes its own, with a plant in various sizes."""
    bare, y = own.images.draw(FRESH, rng, "fresh")
    each = np.arange(FRESH)
    pairs = probes.paired(each, y.long().numpy(), rng)
    x = probes.Maker(inputs(bare.numpy()), pairs, each, rng).make(PROBES).x.array()
    return own.conflict(torch.from_numpy(x), rng, sizes=SIZES)


@dataclass(frozen=True)
class Asked:
    """A network as labels of arrays, which is all that a search gets.

    Attributes:
        network: One member.
        level: Outputs above it are label 1.
    """

    network: Ensemble
    level: float = 0.0

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """(n,) of inputs (n, side, side)."""
        with torch.no_grad():
            return np.asarray(self.network.outputs(torch.from_numpy(x)[None])[0].numpy())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Labels (n,)."""
        return (self.outputs(x) > self.level).astype(np.int64)

    def agreement(self, own: Set) -> float:
        """Share of inputs (n, side, side) to which it gives these labels (n,)."""
        return float((self(own[0].numpy()) == own[1].long().numpy()).mean())


def networks(cases: Sequence[Case]) -> list[Asked]:
    """Each one's network; those of one problem and architecture train in lockstep.

    Raises:
        ValueError: cases of different kinds: `how` must be the same for all.
    """
    if len({case.how for case in cases}) > 1:
        raise ValueError("cases differ in how they train; expected the same for all")
    groups: dict[tuple[str, str], list[int]] = {}
    for i, case in enumerate(cases):
        groups.setdefault((case.problem, case.architecture), []).append(i)
    found: dict[int, Asked] = {}
    for (_, name), group in groups.items():
        own = [cases[i] for i in group]
        steps = 0 if own[0].how == "untrained" else STEPS
        architecture = by_name(name, for_images(own[0].plant.images.side))
        trained = ensembles.train(
            architecture, [case.training() for case in own], [case.seed for case in own],
            Schedule(steps, target=TARGET),
        )  # fmt: skip
        for member, i in enumerate(group):
            found[i] = _levelled(Asked(trained.select([member])), cases[i])
    return [found[i] for i in range(len(cases))]


def _levelled(asked: Asked, case: Case) -> Asked:
    """Without training, outputs may have one sign: their median parts them."""
    if case.how != "untrained":
        return asked
    return replace(asked, level=float(np.median(asked.outputs(case.training()[0].numpy()))))


def handed(case: Case, asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, side, side) and labels (n,) that the search gets.

    Held-out ones; of a network that learnt shuffled labels its training set; of an untrained one
    its own answers, so that it counts as one that has learnt.
    """
    if case.how == "shuffled":
        x, y = case.training()
    else:
        x, y = case.plant.draw(HANDED, case.rng(3), "search", rho=case.rho)
    labels = asked(x.numpy()) if case.how == "untrained" else y.long().numpy()
    return x.numpy(), labels
