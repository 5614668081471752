"""Networks on words, grids and stripes: who holds the concept, and who something near (chapter 19).

Every function that trains gives a table with a row a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.characterise.rounded import centres, rounded
from falsestruct.learning import ensembles, recurrent
from falsestruct.learning.ensembles import Ensemble, Learner, Set
from falsestruct.learning.networks import shallow
from falsestruct.learning.recurrent import Readers
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.grids import Grids, reach
from falsestruct.problems.stripes import Stripes
from falsestruct.problems.words import Words, random_words
from falsestruct.sweep.grid import sweep
from falsestruct.theory.concepts import PARITY, first_difference

FIRST = 1000  # seed of the first network; smaller ones are for trials
LONGEST = 8  # bits of the longest words of training
TESTED = 200  # longer words, the same for all networks
CENTRES = (4, 16, 32)
RATES = {"MLP": 3e-3, "recurrent": 5e-3}
HIDDEN = {"words": 64, "grids": 128, "stripes": 32}  # ReLUs of the MLPs
TARGET = 0.01  # loss at which training ends, where it does
GRIDS = Grids()
SMALL, OFFSET = Stripes(size=16), 0.25
POOL, ASKED = 200, 16  # images to choose from, and labels that one may ask for
GREY, SPREAD, STRIDE = SMALL.width / SMALL.size, 0.1, 0.1  # of images that are made
MADE, PATIENCE, SURE = 40, 300, 0.99
# Streams of random numbers: a network's seed and one of these never give the same numbers.
TEST, TRAINING, POOLED, CHANCE, NOISE = 1, 2, 3, 4, 5


def _seeds(count: int) -> list[int]:
    return list(range(FIRST, FIRST + count))


def _generator(seed: int, stream: int) -> torch.Generator:
    return torch.Generator().manual_seed(
        int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])
    )


# Words


def longer(
    lengths: Sequence[int], noises: Sequence[float], *, seeds: int, steps: int
) -> pd.DataFrame:
    """`longer_point` for each noise in the state."""
    rest = {"lengths": list(lengths), "seeds": seeds, "steps": steps}
    return sweep(longer_point, [{"noise": noise} | rest for noise in noises]).drop(
        columns=[*rest][1:]
    )


def longer_point(*, noise: float, lengths: list[int], seeds: int, steps: int) -> pd.DataFrame:
    """Recurrent networks on all words of up to eight bits, with noise in the state or without."""
    schedule = Schedule(steps, learning_rate=RATES["recurrent"])
    learnt = recurrent.train(Words(LONGEST).levels(), _seeds(seeds), schedule, noise=noise)
    return examined(learnt.readers, lengths).assign(seed=learnt.seeds)


def examined(readers: Readers, lengths: Sequence[int]) -> pd.DataFrame:
    """What networks know of words, a row each.

    Columns: known, share of the words of training that are right; `at N`, share of the labels of
    random words of N bits; `rounded N`, whether the network with its states rounded to N centres is
    the parity at all lengths.
    """
    words, rng = Words(LONGEST), np.random.default_rng([FIRST, TEST])
    states = readers.grow(words.levels())
    right = [
        (readers.answer(s) > 0) == (y > 0.5)
        for s, (_, y) in zip(states, words.levels(), strict=True)
    ]
    columns: dict[str, Any] = {"known": torch.cat(right, 1).double().mean(1).tolist()}
    x, y = random_words(TESTED, max(lengths), rng)
    said = (readers.read(x) > 0) == (y > 0)
    for length in lengths:
        columns[f"at {length}"] = said[:, :, length - 1].double().mean(1).tolist()
    for count in CENTRES:
        columns[f"rounded {count}"] = [
            is_parity(readers.select([member]), count) for member in range(len(readers))
        ]
    return pd.DataFrame(columns)


def is_parity(reader: Readers, count: int) -> bool:
    """Whether one network, its states rounded, is the parity of all words of one bit or more."""
    machine = rounded(reader, centres(reader, Words(LONGEST), count, seed=TEST))
    return first_difference(PARITY, machine, 1) is None


def hints(sizes: Sequence[float], *, seeds: int, steps: int) -> pd.DataFrame:
    """`hint_point` for both networks, with labels on all words or on full ones, and each size."""
    rest = {"seeds": seeds, "steps": steps}
    grid = [
        {"network": network, "labels": labels, "hint": hint} | rest
        for network in RATES for labels in ("all", "full") for hint in sizes
    ]  # fmt: skip
    return sweep(hint_point, grid).drop(columns=[*rest])


def hint_point(*, network: str, labels: str, hint: float, seeds: int, steps: int) -> pd.DataFrame:
    """Networks on words with a hint: capture of it, and accuracy on the words of training.

    Args:
        network: "MLP" or "recurrent".
        labels: On "all" words of up to eight bits, or on "full" ones, of eight bits, alone.
    """
    lengths = list(range(1, LONGEST + 1)) if labels == "all" else [LONGEST]
    schedule = Schedule(steps, learning_rate=RATES[network], target=TARGET)
    known, turned = Words(LONGEST, hint), Words(LONGEST, hint, sign=-1)
    (x, y), (other, _) = known.rows(lengths), turned.rows([LONGEST])
    if network == "MLP":
        asked = ensembles.train(
            shallow(x.shape[1], HIDDEN["words"]), (x, y), _seeds(seeds), schedule
        )
        own, apart, taken = asked.labels(x), asked.labels(other), asked.facts["steps"]
    else:
        learnt = recurrent.train(known.levels(), _seeds(seeds), schedule, asked=lengths)
        own, apart = (
            read(learnt.readers, w, n) for w, n in ((known, lengths), (turned, [LONGEST]))
        )
        taken = learnt.steps.tolist()
    return pd.DataFrame({
        "seed": _seeds(seeds), "steps_taken": taken,
        "accuracy": success.accuracy(own, y).tolist(),
        "capture": success.capture(apart, turned.told, turned.parity, other).tolist(),
    })  # fmt: skip


def read(readers: Readers, words: Words, lengths: Sequence[int]) -> Tensor:
    """Labels (members, words) of all words of these lengths, in the order of `Words.rows`."""
    with torch.no_grad():
        states = readers.grow(words.levels())
        return torch.cat([(readers.answer(states[n - 1]) > 0).long() for n in lengths], 1)


# Grids


@cache
def distance_rule() -> int:
    """The largest distance that the false structure calls connected: the best on other grids."""
    return reach(GRIDS, 20_000, np.random.default_rng([FIRST, CHANCE]))


def connected(*, seeds: int, samples: int, steps: int) -> pd.DataFrame:
    """`connected_point` for networks on random grids, and on grids where distance says nothing."""
    rest = {"seeds": _seeds(seeds), "samples": samples, "steps": steps}
    return sweep(connected_point, [{"level": level} | rest for level in (False, True)]).drop(
        columns=["samples", "steps"]
    )


def connected_point(
    *, level: bool, seeds: list[int], samples: int, steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """MLPs on grids: shares of wrong answers on fresh grids, tested on random ones in any case.

    Columns: seed, accuracy (on its own training set), misled and led (where distance misleads and
    where it does not), and `near N` or `far N`: the share called joined of pairs at distance N that
    are joined, or are not. Every network has its own grids.
    """
    grids = Grids(GRIDS.side, GRIDS.walls, level)
    drawn = [grids.draw(samples, np.random.default_rng([seed, TRAINING])) for seed in seeds]
    fresh = [GRIDS.draw(samples, np.random.default_rng([seed, TEST])) for seed in seeds]
    sets: list[Set] = [(own.rows(), own.labels.float()) for own in drawn]
    network = shallow(2 * grids.side**2, HIDDEN["grids"])
    schedule = Schedule(steps, batch=50)
    asked = (learn or ensembles.train)(network, sets, seeds, schedule)
    said = asked.labels(torch.stack([own.rows() for own in fresh]), own=True).numpy() > 0
    known = asked.labels(torch.stack([x for x, _ in sets]), own=True)
    rows = []
    for own, answers in zip(fresh, said, strict=True):
        wrong, near = answers != own.joined, own.distance <= distance_rule()
        row = {"misled": wrong[near != own.joined].mean(), "led": wrong[near == own.joined].mean()}
        for steps_apart in range(1, 8):
            for name, joined in (("joined", True), ("apart", False)):
                at = (own.distance == steps_apart) & (own.joined == joined)
                row[f"{name} {steps_apart}"] = answers[at].mean() if at.any() else np.nan
        rows.append(row)
    accuracy = success.accuracy(known, torch.stack([y for _, y in sets]))
    return pd.DataFrame(rows).assign(seed=seeds, accuracy=accuracy.tolist())


# Stripes: asking, and making


def pool(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random stripes, half in either colour: images, labels, and which of the stripes each is."""
    generator = _generator(seed, POOLED)
    horizontal = torch.rand(POOL, generator=generator) < 0.5
    position = torch.randint(SMALL.positions, (POOL,), generator=generator)
    size = OFFSET * (0.5 + torch.rand(POOL, dtype=torch.float64, generator=generator))
    true = torch.where(horizontal, -size, size)
    true[POOL // 2 :] *= -1
    x = SMALL.images(horizontal, position, true)
    return x.flatten(1), horizontal.double(), position + SMALL.positions * horizontal


def chosen(order: Tensor, stripe: Tensor, *, spread: bool) -> Tensor:
    """The first images (`ASKED`,) in this order; with `spread` no stripe twice."""
    if not spread:
        return order[:ASKED]
    seen: dict[int, int] = {}
    for image in order.tolist():
        seen.setdefault(int(stripe[image]), image)
    return torch.tensor(list(seen.values())[:ASKED])


def asking(*, seeds: int, steps: int) -> pd.DataFrame:
    """`asking_point` for every way to choose, and without."""
    rest = {"seeds": _seeds(seeds), "steps": steps}
    ways = [
        ("none", False),
        *((way, spread) for way in ("unsure", "random") for spread in (False, True)),
    ]
    grid = [{"way": way, "spread": spread} | rest for way, spread in ways]
    return sweep(asking_point, grid).drop(columns=["steps"])


def asking_point(
    *, way: str, spread: bool, seeds: list[int], steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """MLPs on every stripe once, and on sixteen more images with labels that they asked for.

    Columns: seed, capture of the colour on every stripe in the other colour, accuracy on the
    training set.

    Args:
        way: "none"; "unsure", the smallest outputs of the network that saw none of the pool;
            "random", a random order. Each network has a pool of its own.
    """
    x, y = SMALL.described(OFFSET)
    plain, pools = (x.flatten(1), y), [pool(seed) for seed in seeds]
    sets: list[Set] = [plain] * len(seeds)
    if way != "none":
        chance = [torch.randperm(POOL, generator=_generator(seed, CHANCE)) for seed in seeds]
        if way == "unsure":
            first = _stripes(sets, seeds, steps, learn)
            with torch.no_grad():
                outputs = first.outputs(torch.stack([one[0] for one in pools]).float())
            chance = list(outputs.abs().argsort(1))
        picks = [chosen(o, own[2], spread=spread) for o, own in zip(chance, pools, strict=True)]
        sets = [
            (torch.cat((plain[0], own[0][pick])), torch.cat((plain[1], own[1][pick])))
            for own, pick in zip(pools, picks, strict=True)
        ]
    asked, (other, _) = _stripes(sets, seeds, steps, learn), SMALL.conflict_set(OFFSET)
    points, given = (torch.stack(part) for part in zip(*sets, strict=True))
    labels = asked.labels(other.flatten(1).float())
    return pd.DataFrame({
        "seed": seeds,
        "capture": success.capture(labels, SMALL.colour, SMALL.orientation, other).tolist(),
        "accuracy": success.accuracy(asked.labels(points.float(), own=True), given).tolist(),
    })  # fmt: skip


def _stripes(
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
    return _stripes([(x.flatten(1), y) for x, y in sets], seeds, steps, learn)


def made(asked: Ensemble) -> tuple[Tensor, Tensor, Tensor]:
    """Images that convince networks, from grey ones with noise, along the gradient.

    Steps of Euclidean length 0.1, until the network gives the wanted label a probability of 0.99.

    Returns:
        Images (members, 40, pixels), wanted labels (40,), and who is convinced (members, 40).
    """
    starts = [
        torch.randn(MADE, SMALL.size**2, generator=_generator(seed, NOISE)) for seed in asked.seeds
    ]
    x, wanted = GREY + SPREAD * torch.stack(starts), torch.arange(MADE) % 2
    sign, enough = 2.0 * wanted - 1, float(torch.logit(torch.tensor(SURE)))
    for _ in range(PATIENCE):
        point = x.clone().requires_grad_()
        outputs = sign * asked.outputs(point)
        (slope,) = torch.autograd.grad(outputs.sum(), point)
        going = (outputs.detach() < enough)[..., None]
        if not going.any():
            break
        size = slope.norm(dim=2, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
        x = x + STRIDE * going * slope / size
    with torch.no_grad():
        convinced = sign * asked.outputs(x) >= enough
    return x, wanted, convinced


def synthetic(*, seeds: int, steps: int) -> pd.DataFrame:
    """`synthetic_point` for readers of the colour and of the orientation."""
    rest = {"seeds": _seeds(seeds), "steps": steps}
    return sweep(
        synthetic_point, [{"what": what} | rest for what in ("colour", "orientation")]
    ).drop(columns=["steps"])


def synthetic_point(
    *, what: str, seeds: list[int], steps: int, learn: Learner | None = None
) -> pd.DataFrame:
    """Images made for networks: what both structures say of them.

    Columns: seed, capture of the colour, convinced (share of the images), and of those that
    convince, the shares of which `orientation` and `colour` say the label that was wanted.
    """
    asked = readers_of(what, seeds, steps, learn)
    x, wanted, convinced = made(asked)
    other, _ = SMALL.conflict_set(OFFSET)
    images = x.double().flatten(0, 1).view(-1, SMALL.size, SMALL.size)
    labels = asked.labels(other.flatten(1).float())
    columns = {"capture": success.capture(labels, SMALL.colour, SMALL.orientation, other)}
    for rule in (SMALL.orientation, SMALL.colour):
        says = (rule(images).view(convinced.shape) == wanted) & convinced
        columns[rule.name] = says.sum(1) / convinced.sum(1)  # NaN where nothing convinces
    columns["convinced"] = convinced.double().mean(1)
    return pd.DataFrame({name: part.tolist() for name, part in columns.items()}).assign(seed=seeds)


def pictures(steps: int) -> pd.DataFrame:
    """Two images made for the first network of either kind: columns what, wanted, row, column, value."""
    tables = []
    for what in ("colour", "orientation"):
        x, wanted, _ = made(readers_of(what, _seeds(1), steps))
        for image in (0, 1):
            row, column = np.divmod(np.arange(SMALL.size**2), SMALL.size)
            tables.append(pd.DataFrame({
                "what": what, "wanted": ("vertical", "horizontal")[int(wanted[image])],
                "row": row, "column": column, "value": x[0, image].tolist(),
            }))  # fmt: skip
    return pd.concat(tables, ignore_index=True)
