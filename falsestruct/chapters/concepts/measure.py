"""Networks on words, grids and stripes: who holds the concept, and who something near (chapter 19).

Every function that trains gives a table with a row a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.characterise.rounded import examined
from falsestruct.instability.synthetic import from_noise
from falsestruct.learning import ensembles, recurrent
from falsestruct.learning.ensembles import Ensemble, Learner
from falsestruct.learning.networks import shallow
from falsestruct.learning.schedule import Schedule, Set
from falsestruct.problems.grids import Grids, reach
from falsestruct.problems.pools import ask, between, pool
from falsestruct.problems.stripes import Stripes
from falsestruct.problems.words import Words
from falsestruct.sweep.grid import sweep

FIRST = 1000  # seed of the first network; smaller ones are for trials
LONGEST = 8  # bits of the longest words of training
CENTRES = (4, 16, 32)
RATES = {"MLP": 3e-3, "recurrent": 5e-3}
HIDDEN = {"words": 64, "grids": 128, "stripes": 32}  # ReLUs of the MLPs
TARGET = 0.01  # loss at which training ends, where it does
GRIDS, FURTHEST = Grids(), 7  # distances up to which a figure shows answers
LABELS = ("all", "drawn", "full", "half")  # as `Words.labelled` has them
WAYS = {
    "none": ("any",), "unsure": ("any", "none"), "small": ("none",),
    "random": ("any", "none", "alike"),
}  # fmt: skip
SMALL, OFFSET = Stripes(size=16), 0.25
POOL, ASKED = 200, 12  # images to choose from, and labels that one may ask for
MADE, GREY, SPREAD = 40, SMALL.width / SMALL.size, 0.1  # images that are made, and from what
# Streams of random numbers, of a network's seed; that of 0 is shared by all networks.
TEST, TRAINING, POOLED, CHANCE, NOISE, DRAWN = 1, 2, 3, 4, 5, 6


def _seeds(count: int) -> list[int]:
    return list(range(FIRST, FIRST + count))


def _generator(seed: int, stream: int) -> torch.Generator:
    (state,) = np.random.SeedSequence([seed, stream]).generate_state(1)
    return torch.Generator().manual_seed(int(state))


def _swept(point: Any, grid: Sequence[Mapping[str, Any]], **rest: Any) -> pd.DataFrame:
    """A point for each of a grid, with the same other arguments, which make no columns."""
    table = sweep(point, [{**own, **rest} for own in grid])
    return table.drop(columns=[*rest], errors="ignore")


# Words


def longer(
    lengths: Sequence[int], noises: Sequence[float], *, seeds: int, steps: int
) -> pd.DataFrame:
    """`longer_point` for each noise in the state."""
    grid = [{"noise": noise} for noise in noises]
    return _swept(longer_point, grid, lengths=list(lengths), seeds=_seeds(seeds), steps=steps)


def longer_point(*, noise: float, lengths: list[int], seeds: list[int], steps: int) -> pd.DataFrame:
    """Recurrent networks on all words of up to eight bits, with noise in the state or without."""
    schedule = Schedule(steps, learning_rate=RATES["recurrent"])
    learnt = recurrent.train(Words(LONGEST).levels(), seeds, schedule, noise=noise)
    table = examined(learnt.readers, Words(LONGEST), lengths, CENTRES)
    return table.assign(seed=learnt.seeds)


def hints(sizes: Sequence[float], *, seeds: int, steps: int) -> pd.DataFrame:
    """`hint_point` for both networks and each size; the smallest with every choice of labels."""
    grid = [
        {"network": network, "labels": labels, "hint": hint}
        for network in RATES for hint in sizes
        for labels in (LABELS if hint == min(sizes) else LABELS[:1])
    ]  # fmt: skip
    return _swept(hint_point, grid, seeds=_seeds(seeds), steps=steps)


def hint_point(
    *, network: str, labels: str, hint: float, seeds: list[int], steps: int
) -> pd.DataFrame:
    """Networks on words with a hint: capture of it, and accuracy on the words that had labels.

    Args:
        network: "MLP" or "recurrent".
        labels: Of "all" words of up to eight bits, or of some: as `Words.labelled` has them, drawn
            for each network.
    """
    every, full = range(1, LONGEST + 1), [LONGEST]
    schedule = Schedule(steps, learning_rate=RATES[network], target=TARGET)
    known, turned = Words(LONGEST, hint), Words(LONGEST, hint, sign=-1)
    (x, y), (other, _) = known.rows(every), turned.rows(full)
    labelled = torch.stack([known.labelled(labels, _generator(seed, DRAWN)) for seed in seeds])
    if network == "MLP":
        reader, sets = shallow(x.shape[1], HIDDEN["words"]), [(x[own], y[own]) for own in labelled]
        asked = ensembles.train(reader, sets, seeds, schedule)
        own, apart, last = asked.labels(x), asked.labels(other), asked.facts["steps"]
    else:
        learnt = recurrent.train(known.levels(), seeds, schedule, labelled=labelled, falling=False)
        own = learnt.readers.labels(known.levels(), every)
        apart = learnt.readers.labels(turned.levels(), full)
        last = learnt.steps.tolist()
    accuracy = ((own == y.long()) & labelled).sum(1) / labelled.sum(1)
    return pd.DataFrame({
        "seed": seeds, "step": last, "accuracy": accuracy.tolist(),
        "capture": success.capture(apart, turned.told, turned.parity, other).tolist(),
    })  # fmt: skip


# Grids


# The largest distance that the best rule of the distance calls connected, on other grids.
distance_rule = cache(partial(reach, GRIDS, 20_000, (0, CHANCE)))


def connected(*, seeds: int, samples: int, steps: int) -> pd.DataFrame:
    """`connected_point` for networks on random grids, and on grids where distance says nothing."""
    grid = [{"level": level} for level in (False, True)]
    return _swept(connected_point, grid, seeds=_seeds(seeds), samples=samples, steps=steps)


def connected_point(
    *, level: bool, seeds: list[int], samples: int, steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """MLPs on grids: what they say of fresh ones, which are random ones in any case.

    Columns: seed, accuracy (on its own training set), and those of `Marked.answers`. Every network
    has its own grids.
    """
    grids = Grids(GRIDS.side, GRIDS.walls, level)
    drawn = [grids.draw(samples, np.random.default_rng([seed, TRAINING])) for seed in seeds]
    fresh = [GRIDS.draw(samples, np.random.default_rng([seed, TEST])) for seed in seeds]
    sets: list[Set] = [(own.rows(), own.labels.float()) for own in drawn]
    network, schedule = shallow(2 * grids.side**2, HIDDEN["grids"]), Schedule(steps, batch=50)
    asked = (learn or ensembles.train)(network, sets, seeds, schedule)
    said = asked.labels(torch.stack([own.rows() for own in fresh]), own=True).numpy() > 0
    x, y = (torch.stack(part) for part in zip(*sets, strict=True))
    accuracy = success.accuracy(asked.labels(x, own=True), y).tolist()
    pairs = zip(fresh, said, strict=True)
    rows = [own.answers(answers, distance_rule(), FURTHEST) for own, answers in pairs]
    return pd.DataFrame(rows).assign(seed=seeds, accuracy=accuracy)


# Stripes: asking, and making


def asking(*, seeds: int, steps: int) -> pd.DataFrame:
    """`asking_point` for every way to choose, and without."""
    grid = [{"way": way, "repeats": own} for way, known in WAYS.items() for own in known]
    return _swept(asking_point, grid, seeds=_seeds(seeds), steps=steps)


def asking_point(
    *, way: str, repeats: str, seeds: list[int], steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """MLPs on every stripe once, and on twelve more images with labels that they asked for.

    Columns: seed, capture of the colour on the stripes that no pool shows, in the other colour,
    accuracy on the training set, and `Pool.facts` of what was asked about.

    Args:
        way, repeats: "none", or as `Pool.questions` has them. Each network has a pool of its own;
            it is least sure where the network that saw none of it has the smallest outputs.
    """
    x, y = SMALL.described(OFFSET)
    plain: Set = (x.flatten(1), y)
    sets, facts = [plain] * len(seeds), pd.DataFrame(index=range(len(seeds)))
    if way != "none":
        pools = [pool(SMALL, OFFSET, POOL, _generator(seed, POOLED)) for seed in seeds]
        first = _on_stripes(sets, seeds, steps, learn)
        with torch.no_grad():
            outputs = first.outputs(torch.stack([own.x for own in pools]).float())
        sets, facts = ask(plain, pools, outputs, ASKED, way=way, repeats=repeats)
    asked = _on_stripes(sets, seeds, steps, learn)
    points, given = (torch.stack(part) for part in zip(*sets, strict=True))
    accuracy = success.accuracy(asked.labels(points.float(), own=True), given).tolist()
    captures = coloured(asked, between(SMALL, OFFSET))
    return facts.assign(seed=seeds, capture=captures, accuracy=accuracy)


def coloured(asked: Ensemble, other: Tensor) -> list[float]:
    """Capture of the colour by each network, on stripes in the other colour."""
    labels = asked.labels(other.flatten(1).float())
    shares: list[float] = success.capture(labels, SMALL.colour, SMALL.orientation, other).tolist()
    return shares


def _on_stripes(
    sets: Sequence[Set], seeds: Sequence[int], steps: int, learn: Learner | None
) -> Ensemble:
    schedule = Schedule(steps, target=TARGET, learning_rate=RATES["MLP"])
    network = shallow(SMALL.size**2, HIDDEN["stripes"])
    return (learn or ensembles.train)(network, sets, seeds, schedule)


def readers_of(
    what: str, seeds: Sequence[int], steps: int, learn: Learner | None = None
) -> Ensemble:
    """Networks on every stripe once: with the true "colour", or with one that says nothing."""
    if what == "colour":
        sets = [SMALL.described(OFFSET)] * len(seeds)
    else:
        sets = [SMALL.independent(OFFSET, _generator(seed, TRAINING)) for seed in seeds]
    return _on_stripes([(x.flatten(1), y) for x, y in sets], seeds, steps, learn)


def made(asked: Ensemble) -> tuple[Tensor, Tensor, Tensor]:
    """As `from_noise`, from grey images with noise of each network's own."""
    draws = [_generator(seed, NOISE) for seed in asked.seeds]
    return from_noise(asked.outputs, draws, (MADE, SMALL.size**2), level=GREY, spread=SPREAD)


def synthetic(*, seeds: int, steps: int) -> pd.DataFrame:
    """`synthetic_point` for readers of the colour and of the orientation."""
    grid = [{"what": what} for what in ("colour", "orientation")]
    return _swept(synthetic_point, grid, seeds=_seeds(seeds), steps=steps)


def synthetic_point(
    *, what: str, seeds: list[int], steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """Images made for networks: what both structures say of them.

    Columns: seed, capture of the colour, convinced (share of the images), and of those that
    convince, the shares of which `orientation` and `colour` say the label that was wanted; reached,
    whether training met its target.
    """
    asked = readers_of(what, seeds, steps, learn)
    x, wanted, convinced = made(asked)
    images, (other, _) = x.double().view(-1, SMALL.size, SMALL.size), SMALL.conflict_set(OFFSET)
    columns = {"convinced": convinced.double().mean(1)}
    for rule in (SMALL.orientation, SMALL.colour):
        says = (rule(images).view(convinced.shape) == wanted) & convinced
        columns[rule.name] = says.sum(1) / convinced.sum(1)  # NaN where nothing convinces
    table = pd.DataFrame({name: part.tolist() for name, part in columns.items()})
    return table.assign(seed=seeds, capture=coloured(asked, other), reached=asked.facts["reached"])


def pictures(steps: int) -> pd.DataFrame:
    """Two images made for the first network of either kind: what, wanted, row, column, value."""
    row, column = np.divmod(np.arange(SMALL.size**2), SMALL.size)
    tables = []
    for what in ("colour", "orientation"):
        x, wanted, _ = made(readers_of(what, _seeds(1), steps))
        for image in (0, 1):
            name, value = ("vertical", "horizontal")[int(wanted[image])], x[0, image].tolist()
            own = {"what": what, "wanted": name, "row": row, "column": column, "value": value}
            tables.append(pd.DataFrame(own))
    return pd.concat(tables, ignore_index=True)
