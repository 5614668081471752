"""How much of the instability has a name? Rules from half of the networks, judged on the others.

Measures take any `Ensemble`, so that rules built by hand can stand in for networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor

from falsestruct.characterise import foretelling
from falsestruct.characterise.foretelling import NUMBERS, Known, Rule, foretold
from falsestruct.evidence import spread
from falsestruct.instability import attacks, barred
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import by_name, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import idx
from falsestruct.problems.digits import CLASSES
from falsestruct.problems.pictures import pixel_table
from falsestruct.sweep.grid import sweep

HALVES_SEED, DRAW_SEED, SHUFFLE_SEED, RULES_SEED, SPACE_SEED = range(50_000, 100_000, 10_000)
BATCH, RATE = 50, 3.0  # as in chapter 20: times the architecture's learning rate
BY_HEART = Schedule(steps=350, batch=BATCH, target=0.3, learning_rate=1e-2)  # likewise
BEYOND = 1.5  # a flip is followed to this multiple of its size
# In front of a rule's name: what it is asked to foretell.
TOLD = {"": "flips, followed on", "at once ": "flips", "images ": "changes between images"}
ONE, VOTE = "another network", "vote of ten"  # of the first half
BASELINES = ("class means", "neighbours", "random directions", "true labels")
RULES = (
    "random directions", "random statistics", "neighbours", "class means", "true labels",
    "named statistics", "learned directions", ONE, VOTE,
)  # fmt: skip
SPACES = ("random", "as random", "class means", "as learned", "learned")  # that are forbidden


@dataclass(frozen=True)
class Study:
    """How networks train and are attacked.

    Attributes:
        dataset: As `idx.load` names it.
        samples: Training images of a network, out of its half.
        steps: Of `BATCH` samples each.
        known, judged: Held-out images that are attacked, of the first half and of the second.
        barred: As many of the second half's are attacked again with a subspace forbidden.
        starts: Of all attacks.
    """

    dataset: str = "digits"
    samples: int = 300
    steps: int = 150
    known: int = 150
    judged: int = 240
    barred: int = 60
    starts: int = 2

    def half(self, which: int) -> tuple[Set, Set]:
        """Training and held-out images with labels, of one half of either; each in an order drawn
        once."""
        found = []
        for x, y in (idx.pool(self.dataset).train, idx.pool(self.dataset).test):
            order = torch.randperm(len(y), generator=_generator(HALVES_SEED))
            own = order[which * (len(y) // 2) : (which + 1) * (len(y) // 2)]
            found.append((x[own], y[own]))
        return found[0], found[1]

    def attacked(self, which: int) -> Tensor:
        """The held-out images of a half that are attacked."""
        return self.half(which)[1][0][: self.judged if which else self.known]

    def sets(self, labels: str, which: int, seeds: Sequence[int]) -> list[Set]:
        """What networks of a half learn: "true" labels or "shuffled" ones, each its own shuffle."""
        (x, y), sets = self.half(which)[0], []
        for seed in seeds:
            own = torch.randperm(len(y), generator=_generator(DRAW_SEED + seed))[: self.samples]
            given = y[own]
            if labels == "shuffled":
                given = given[torch.randperm(len(own), generator=_generator(SHUFFLE_SEED + seed))]
            sets.append((x[own], given))
        return sets

    def networks(self, name: str, labels: str, which: int, seeds: Sequence[int]) -> Ensemble:
        """Networks of a half, trained on `sets`; their facts have `fitted`, training accuracy."""
        sets = self.sets(labels, which, seeds)
        network = by_name(name, for_images(sets[0][0].shape[-1], CLASSES))
        rate = RATE * network.learning_rate
        usual = Schedule(self.steps, batch=BATCH, learning_rate=rate)
        asked = train(network, sets, seeds, BY_HEART if labels == "shuffled" else usual)
        said = asked.labels(torch.stack([x for x, _ in sets]), own=True)
        right = said == torch.stack([y for _, y in sets])
        facts = {**asked.facts, "fitted": right.double().mean(1).tolist()}
        return replace(asked, facts=facts)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- flips ----


@dataclass(frozen=True)
class Flips:
    """Smallest perturbations found of images (images, …) by networks: (networks, images, …)."""

    asked: Ensemble
    x: Tensor
    attack: attacks.Attack

    @classmethod
    def of(cls, asked: Ensemble, x: Tensor, *, starts: int) -> Flips:
        """The usual attack, Euclidean norm."""
        found = attacks.smallest_perturbations(
            asked.outputs, x.float(), norm="l2", members=len(asked), starts=starts
        )
        return cls(asked, x, found)

    def first(self, images: int) -> Flips:
        """Those of the first images."""
        size, change = self.attack.size[:, :images], self.attack.perturbation[:, :images]
        return Flips(self.asked, self.x[:images], attacks.Attack("l2", size, change))

    def known(self, factor: float) -> Known:
        """Inputs and answers with the perturbations times a factor."""
        flat = self.x.float().flatten(1)
        change, x = self.attack.perturbation, self.x.float()
        flipped = self.asked.labels(x + change, own=True)
        after = self.asked.labels(x + factor * change, own=True)
        lasting = (flipped == after) & self.attack.size.isfinite()
        return Known(
            flat.double().numpy(), (x + factor * change).flatten(2).double().numpy(),
            self.asked.labels(x).numpy(), after.numpy(), lasting.numpy(),
        )  # fmt: skip

    def between(self) -> Known:
        """Not flips: each image, and the nearest of the others that the network labels otherwise.

        Raises:
            ValueError: a network gives all images one label.
        """
        flat, labels = self.x.double().flatten(1), self.asked.labels(self.x)
        apart = labels[:, :, None] != labels[:, None, :]
        if not apart.any(2).all():
            raise ValueError("a network gives all images one label; expected at least two")
        near = torch.cdist(flat, flat).masked_fill(~apart, torch.inf).argmin(2)
        after = labels.gather(1, near)
        return Known(flat.numpy(), flat[near].numpy(), labels.numpy(), after.numpy(),
                     np.ones(after.shape, dtype=bool))  # fmt: skip


def _others(asked: Ensemble, known: Known, side: int) -> dict[str, np.ndarray]:
    """What networks of the first half foretell: the mean of each alone, and their vote."""
    shape = (-1, side, side)
    still = asked.labels(torch.from_numpy(known.x).float().view(shape)).numpy()
    moved = asked.labels(torch.from_numpy(known.moved).float().view(shape)).numpy()
    moved = moved.reshape(len(asked), *known.after.shape)
    told = (still[:, None] == known.before) & (moved == known.after)
    vote = (stats.mode(still).mode == known.before) & (stats.mode(moved).mode == known.after)
    found = {ONE: told.mean(0), VOTE: vote.astype(float)}
    return {name: np.where(known.lasting, own, np.nan) for name, own in found.items()}


# ---- one kind of networks ----


def fitted(study: Study, flips: Flips) -> dict[str, Rule]:
    """The rules that the first half's networks choose, by name."""
    (x, y), known = study.half(0)[0], flips.known(BEYOND)
    side = x.shape[-1]
    made = foretelling.families(
        known, (x.flatten(1).numpy(), y.numpy()), side=side, seed=RULES_SEED
    )
    return {name: foretelling.chosen(fits, known) for name, fits in made.items()}


def forbidden(found: dict[str, Rule], flips: Flips) -> dict[str, Tensor]:
    """Bases of `SPACES` for the second half's networks: (pixels, q) or (networks, pixels, q)."""
    change, members = flips.attack.perturbation, len(flips.asked)
    spaces = {
        "learned": barred.basis(torch.from_numpy(found["learned directions"].vectors)),
        "class means": barred.basis(torch.from_numpy(found["class means"].vectors)),
        "random": barred.at_random(members, change[0, 0].numel(), NUMBERS, seed=SPACE_SEED),
    }
    for seed, name in enumerate(("learned", "random"), SPACE_SEED + 1):
        share = barred.held(change, spaces[name])
        spaces[f"as {name}"] = barred.turned(change, share, NUMBERS, seed=seed)
    return {name: spaces[name] for name in SPACES}


def judged(study: Study, first: Ensemble, second: Ensemble) -> pd.DataFrame:
    """A row a network of the second half.

    Columns: those of `Ensemble.table`, with `Study.networks` fitted (training accuracy); accuracy
    (held-out images of its half); terms (names of the named statistics); lasting (share of flips);
    held NAME for each of `SPACES`, of the first `barred` perturbations; and `cells`, one an
    attacked image: for each of `RULES`, with each front of `TOLD`, whether it foretells the change;
    log NAME, the growth of the smallest perturbation when that space is forbidden (its logarithm,
    NaN where nothing was found), of the first `barred` images.
    """
    start = Flips.of(first, study.attacked(0), starts=study.starts)
    flips = Flips.of(second, study.attacked(1), starts=study.starts)
    found = fitted(study, start)
    x, y = study.half(1)[1]
    tables = []
    asked = flips.known(BEYOND), flips.known(1.0), flips.between()
    for front, known in zip(TOLD, asked, strict=True):
        told = {name: foretold(rule, known) for name, rule in found.items()}
        told |= _others(first, known, x.shape[-1])
        tables += [spread(front + name, told[name]) for name in RULES]
    few = flips.first(study.barred)
    spaces = forbidden(found, few)
    for name, bases in spaces.items():
        away = barred.across(second, few.x, bases, starts=study.starts)
        growth = (away.size / few.attack.size).log()
        tables.append(spread(f"log {name}", torch.where(growth.isfinite(), growth, torch.nan)))
    whole = second.table(
        accuracy=(second.labels(x) == y).double().mean(1),
        lasting=asked[0].lasting.mean(1),
        terms="; ".join(found["named statistics"].terms),
        **{f"held {name}": barred.held(few.attack.perturbation, own)
           for name, own in spaces.items()},
    )  # fmt: skip
    return whole.join(pd.concat(tables, axis=1))


def point(*, study: dict[str, object], architecture: str, labels: str,
          seeds: list[list[int]]) -> pd.DataFrame:  # fmt: skip
    """Networks of one architecture, with true or shuffled labels, as `judged`."""
    how = Study(**study)  # type: ignore[arg-type]
    first, second = (
        how.networks(architecture, labels, which, own) for which, own in enumerate(seeds)
    )
    return judged(how, first, second)


def measured(study: Study, names: Sequence[str], *, seeds: Sequence[Sequence[int]]) -> pd.DataFrame:
    """All architectures, with true and with shuffled labels: a row a network of the second half.

    Args:
        seeds: Of the first half's networks and of the second's.
    """
    grid = [
        {"study": asdict(study), "architecture": name, "labels": labels}
        | {"seeds": [list(own) for own in seeds]}
        for name in names
        for labels in ("true", "shuffled")
    ]
    return sweep(point, grid)


def parts(study: Study, name: str, *, seeds: Sequence[Sequence[int]], images: int) -> pd.DataFrame:
    """Digits with the smallest perturbation of one network of the second half, its part in the
    learned directions, the rest, and the smallest perturbation without these directions.

    Columns: image, panel, row, column, value, size (of a perturbation, else NaN).
    """
    first, second = (study.networks(name, "true", i, own) for i, own in enumerate(seeds))
    learned = fitted(study, Flips.of(first, study.attacked(0), starts=study.starts))
    basis = barred.basis(torch.from_numpy(learned["learned directions"].vectors)).float()
    x, one = study.attacked(1)[:images].float(), second.select([0])
    free = attacks.smallest_perturbations(
        one.outputs, x, norm="l2", members=1, starts=study.starts
    ).perturbation[0]
    inside = ((free.flatten(1) @ basis) @ basis.T).view(free.shape)
    away = barred.across(one, x, basis, starts=study.starts).perturbation[0]
    shown = {"image": x, "perturbation": free, "in nine directions": inside, "rest": free - inside,
             "nine forbidden": away}  # fmt: skip
    return pd.concat(
        pixel_table(picture, image=i, panel=panel,
                    size=np.nan if panel == "image" else float(picture.norm()))
        for panel, pictures in shown.items() for i, picture in enumerate(pictures)
    )  # fmt: skip
