"""Success and instability at once, on real digits, beside a rule that has only the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from falsestruct import statistics
from falsestruct.instability import attacks, universal
from falsestruct.instability.attacks import Attack, Outputs
from falsestruct.instability.universal import Universal
from falsestruct.learning import training
from falsestruct.learning.networks import Architecture, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.digits import CLASSES, Digits
from falsestruct.statistics import Estimate
from falsestruct.theory import nearest

BATCH = 100  # images a step
STARTS = 3  # of the attack: from the image, then towards each of the two closest labels
Numbers = NDArray[np.float64]
SEED = 20_000  # of random perturbations
NEIGHBOUR = "nearest neighbour"
SHUFFLED = ", shuffled labels"
RANDOM = "random"


@dataclass(frozen=True)
class Ensemble:
    """Rules of one kind: trained networks, or anything else that gives outputs.

    Attributes:
        outputs: Inputs (members, samples, *shape) to (members, samples, classes), differentiable.
        members: How many.
    """

    name: str
    outputs: Outputs
    members: int

    def labels(self, x: Tensor) -> Tensor:
        """Labels (members, samples) of shared inputs (samples, *shape)."""
        with torch.no_grad():
            parts = [
                self.outputs(p.expand(self.members, *p.shape)).argmax(-1) for p in x.split(200)
            ]
        return torch.cat(parts, 1)


# An architecture, a set or one for each seed, seeds, steps → what was learnt.
Learner = Callable[[Architecture, Set | Sequence[Set], Sequence[int], int], Ensemble]


@dataclass(frozen=True)
class Target:
    """Images to attack, their digits, and what counts as near.

    Attributes:
        x, y: Images (samples, side, side) and digits (samples,).
        reach: Half the distance to the nearest image of another digit in the whole data set.
        other: That image, (samples, side, side), and its digit, (samples,).
    """

    x: Tensor
    y: Tensor
    reach: Tensor
    other: Set


def whole(data: Digits) -> Set:
    """All images and digits, those for training first."""
    images, digits = zip(data.train, data.test, strict=True)
    return torch.cat(images), torch.cat(digits)


def target(data: Digits, images: int | None = None) -> Target:
    """The first so many held-out images, or all of them."""
    x, y = (part[:images] for part in data.test)
    points, digits = whole(data)
    reach, index = nearest.half_distances(points, digits, x, y)
    return Target(x, y, reach, (points[index], digits[index]))


def trained(
    architecture: Architecture, sets: Set | Sequence[Set], seeds: Sequence[int], steps: int
) -> Ensemble:
    """The learner of the chapter: networks, a batch of `BATCH` images a step."""
    networks = training.train(architecture, sets, seeds, Schedule(steps, batch=BATCH))
    return Ensemble(architecture.name, training.as_function(networks), len(networks))


def ensembles(
    data: Digits,
    seeds: tuple[int, int],
    *,
    steps: int,
    shuffled: bool = False,
    learner: Learner = trained,
) -> list[Ensemble]:
    """Networks of the five architectures.

    Args:
        seeds: How many of each: of the dense ones, and of the CNN and attention, which are slow.
        shuffled: The control: each network trains on labels in an order of its own.
        learner: What makes rules out of images and labels.
    """
    found = []
    x, y = data.train
    for architecture in for_images(data.side, CLASSES):
        own = range(seeds[0] if architecture.engine == "dense" else seeds[1])
        orders = [torch.randperm(len(y), generator=torch.Generator().manual_seed(s)) for s in own]
        sets: Set | list[Set] = [(x, y[order]) for order in orders] if shuffled else (x, y)
        found.append(learner(architecture, sets, own, steps))
    return found


def neighbour(data: Digits) -> Ensemble:
    """The nearest neighbour among the training images: learnt from what the networks saw."""
    return Ensemble(NEIGHBOUR, nearest.outputs(*data.train, CLASSES), 1)


def accuracies(rules: Sequence[Ensemble], data: Digits) -> pd.DataFrame:
    """Share of all held-out images read rightly: architecture, seed, accuracy."""
    x, y = data.test
    tables = []
    for one in rules:
        share = (one.labels(x) == y).double().mean(1).tolist()
        own = {"architecture": one.name, "seed": range(one.members), "accuracy": share}
        tables.append(pd.DataFrame(own))
    return pd.concat(tables, ignore_index=True)


def stable_rule(data: Digits) -> tuple[Estimate, Estimate]:
    """The proposition, checked: shares of all images that the nearest neighbour in all data keeps.

    Returns:
        Share that is right and whose certificate is at least half the distance to the nearest image
        of another digit; share that keeps its label on the whole way to that image.
    """
    points, digits = whole(data)
    half, index = nearest.half_distances(points, digits, points, digits)
    # Both sides are the same number in exact arithmetic, if the point itself is the nearest one.
    keeps = nearest.certificate(points, digits, points) >= half * (1 - 1e-12)
    right = nearest.rule(points, digits, points) == digits
    there = nearest.rule(points, digits, points[index]) == digits
    n = len(points)
    return (
        statistics.exact((right & keeps).double().mean().item(), n),
        statistics.exact(there.double().mean().item(), n),
    )


def attacked(rules: Sequence[Ensemble], at: Target) -> dict[str, Attack]:
    """The smallest perturbations found in the Euclidean norm, by name."""
    return {
        one.name: attacks.smallest_perturbations(
            one.outputs, at.x, norm="l2", members=one.members, starts=STARTS
        )
        for one in rules
    }


def checks(rules: Sequence[Ensemble], at: Target, found: Mapping[str, Attack]) -> pd.DataFrame:
    """The sanity checks of each attack: architecture, check, value, holds.

    At four times the largest reach nothing may survive.
    """
    large = 4 * at.reach.max().item()
    rows = []
    for one in rules:
        sane = attacks.sanity(one.outputs, at.x, at.y, attack=found[one.name], large=large)
        rows += [{"architecture": one.name, "check": k} | v for k, v in asdict(sane).items()]
    return pd.DataFrame(rows)


def overturned(
    rules: Sequence[Ensemble], at: Target, found: Mapping[str, Attack], *, draws: int
) -> pd.DataFrame:
    """One row a network and image: architecture, seed, image, right, size, reach, random, cut.

    `size` is that of the smallest perturbation found; `random` the share of random perturbations of
    size `reach`, the same for all networks, that flip the label; `cut` whether the perturbation
    found flips it still when it is stretched to `reach` and pixels are cut to [0, 1].
    """
    generator, keep = torch.Generator().manual_seed(SEED), at.reach[:, None, None]
    noise = [keep * attacks.random_directions(at.x, 1.0, generator) for _ in range(draws)]
    tables = []
    for one in rules:
        labels, attack = one.labels(at.x), found[one.name]
        random = torch.stack([one.labels(at.x + eta) != labels for eta in noise])
        stretch = (at.reach / attack.size)[..., None, None]
        cut = (at.x + stretch * attack.perturbation).clamp(0, 1)
        columns = {
            "right": labels == at.y,
            "size": attack.size,
            "reach": at.reach.expand_as(attack.size),
            "random": random.double().mean(0),
            "cut": _read(one, cut) != labels,
        }
        tables.append(_long(one.name, columns))
    return pd.concat(tables, ignore_index=True)


def _read(one: Ensemble, x: Tensor) -> Tensor:
    """Labels (members, samples) of each member's own inputs."""
    with torch.no_grad():
        return one.outputs(x).argmax(-1)


def _long(name: str, columns: Mapping[str, Tensor]) -> pd.DataFrame:
    """Tensors (members, samples) as a row each member and sample."""
    members, samples = next(iter(columns.values())).shape
    place = {"seed": np.repeat(range(members), samples), "image": np.tile(range(samples), members)}
    values = {key: value.flatten().numpy() for key, value in columns.items()}
    return pd.DataFrame({"architecture": name} | place | values)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """One row a network: architecture, seed, right, overturned, random, cut, median.

    Shares of the attacked images in the table of `overturned`: read rightly; read rightly and
    overturned within reach; read rightly and overturned by random noise of size reach; by a
    perturbation within reach and [0, 1]. `median` is that of size/reach over the images read
    rightly.
    """
    rows = []
    for (name, seed), own in table.groupby(["architecture", "seed"], sort=False):
        right = own["right"]
        near = right & (own["size"] < own["reach"])
        rows.append(
            {"architecture": name, "seed": seed, "right": right.mean(), "overturned": near.mean()}
            | {"random": (right * own["random"]).mean(), "cut": (near & own["cut"]).mean()}
            | {"median": (own["size"] / own["reach"])[right].median()}
        )
    return pd.DataFrame(rows)


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """Share of images read rightly, a row a network of `shares` and condition, for the figure.

    Columns: architecture, condition, seed, share; mean over networks, low, high. Under noise and
    attack, what was read rightly and not overturned.
    """
    left = {
        "as they are": table["right"],
        "random noise": table["right"] - table["random"],
        "attack": table["right"] - table["overturned"],
    }
    rows = []
    for condition, part in left.items():
        own = table[["architecture", "seed"]].assign(condition=condition, share=part)
        for _, networks in own.groupby("architecture", sort=False):
            own_mean = average(networks["share"])
            ends = {"low": own_mean.low, "high": own_mean.high}
            rows.append(networks.assign(mean=own_mean.value, **ends))
    return pd.concat(rows, ignore_index=True)


def neighbour_bound(data: Digits, at: Target) -> pd.DataFrame:
    """What the certificate of nearest neighbour allows: image, right, size (at least), reach."""
    size = nearest.certificate(*data.train, at.x)
    right = nearest.rule(*data.train, at.x) == at.y
    columns = {"right": right, "size": size, "reach": at.reach}
    return _long("certificate", {key: value[None] for key, value in columns.items()})


def beside_certificate(table: pd.DataFrame, bound: pd.DataFrame) -> pd.DataFrame:
    """Sizes of `overturned` beside those of `neighbour_bound`: architecture, seed, shorter, ratio.

    `shorter` is the share of images that the network reads rightly and loses to a perturbation
    shorter than the certificate, which is zero where nearest neighbour is wrong; `ratio` the median
    of size/certificate over the images that both read rightly.
    """
    least = bound.set_index("image")["size"].where(bound.set_index("image")["right"], 0.0)
    certified = table["image"].map(least)
    # An attack that meets the certificate exactly may fall short of it by rounding.
    shorter = table["right"] & (table["size"] < (1 - 1e-9) * certified)
    ratio = (table["size"] / certified).where(table["right"] & (certified > 0))
    keys = ["architecture", "seed"]
    grouped = table[keys].assign(shorter=shorter, ratio=ratio).groupby(keys, sort=False)
    return grouped.agg({"shorter": "mean", "ratio": "median"}).reset_index()


def curves(table: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Share of images read rightly and overturned below level·reach.

    Columns: architecture, level, share, low, high. Means over networks with 95 % intervals; without
    interval where there is one network.
    """
    rows = []
    for name, part in table.groupby("architecture", sort=False):
        relative = (part["size"] / part["reach"]).where(part["right"], np.inf)
        for level in levels:
            share = average((relative < level).groupby(part["seed"]).mean().to_numpy())
            rows.append(
                {"architecture": name, "level": level}
                | {"share": share.value, "low": share.low, "high": share.high}
            )
    return pd.DataFrame(rows)


def universals(rules: Sequence[Ensemble], x: Tensor, size: float) -> dict[str, Universal]:
    """One perturbation a network, found on images x in the Euclidean norm, by name."""
    return {
        one.name: universal.universal_perturbations(
            one.outputs, x, norm="l2", size=size, members=one.members
        )
        for one in rules
    }


def universal_shares(
    rules: Sequence[Ensemble], at: Target, found: Mapping[str, Universal], *, draws: int
) -> pd.DataFrame:
    """One row a network: architecture, seed, share, random, mean_random, most.

    `share` of the images is read rightly and loses its label to the network's own perturbation,
    `random` to a random one of the same size, `mean_random` in the mean over several random ones;
    `most` is the share of the labels flipped that become one and the same digit.
    """
    tables = []
    for one in rules:
        own, right = found[one.name], one.labels(at.x) == at.y
        flips = universal.flips(one.outputs, at.x, own)
        noise = [universal.random_like(own, seed=SEED + i) for i in range(draws)]
        chance = torch.stack([universal.flips(one.outputs, at.x, eta) & right for eta in noise])
        after = _read(one, at.x + own.perturbation[:, None])
        new = torch.nn.functional.one_hot(after, CLASSES) * flips[..., None]
        columns = {
            "architecture": one.name,
            "seed": range(one.members),
            "share": (flips & right).double().mean(1).tolist(),
            "random": chance[0].double().mean(1).tolist(),
            "mean_random": chance.double().mean((0, 2)).tolist(),
            "most": (new.sum(1).amax(1) / flips.sum(1).clamp_min(1)).tolist(),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def transfers(
    found: Mapping[str, Universal], targets: Sequence[Ensemble], x: Tensor
) -> pd.DataFrame:
    """Share of labels on x flipped: source, source_seed, target, target_seed, share."""
    tables = []
    for source, own in found.items():
        for one in targets:
            share = universal.transfer(one.outputs, x, own, members=one.members)
            pairs = [range(n) for n in share.shape]
            index = pd.MultiIndex.from_product(pairs, names=["source_seed", "target_seed"])
            table = pd.DataFrame({"share": share.flatten().numpy()}, index=index).reset_index()
            tables.append(table.assign(source=source, target=one.name))
    return pd.concat(tables, ignore_index=True)


def controls(
    shuffled: Sequence[Ensemble], found: Mapping[str, Universal], x: Tensor, size: float
) -> dict[str, Universal]:
    """Perturbations that should not transfer: of networks that learnt shuffled labels, and random.

    Args:
        found: The networks' own; the random ones are as many as those of the first architecture.
    """
    own = universals(shuffled, x, size)
    first = next(iter(found.values()))
    return {name + SHUFFLED: one for name, one in own.items()} | {
        RANDOM: universal.random_like(first, seed=SEED - 1)
    }


def effectiveness(table: pd.DataFrame) -> pd.DataFrame:
    """What a source's perturbation does in others' networks, over what their own ones do there.

    One row a source network and target: source, source_seed, target, ratio. A network is not its
    own target. 0 where the own perturbations do nothing.
    """
    itself = (table["source"] == table["target"]) & (table["source_seed"] == table["target_seed"])
    own = table.loc[itself, ["target", "target_seed", "share"]].rename(columns={"share": "own"})
    joined = table[~itself].merge(own, on=["target", "target_seed"])
    keys = ["source", "source_seed", "target"]
    mean = joined.groupby(keys, sort=False)[["share", "own"]].mean().reset_index()
    ratio = (mean["share"] / mean["own"]).where(mean["own"] > 0, 0.0)
    return mean[keys].assign(ratio=ratio)


def matrix(ratios: pd.DataFrame) -> pd.DataFrame:
    """Mean of `effectiveness` over source networks: source, target, ratio, low, high."""
    rows = []
    for (source, to), own in ratios.groupby(["source", "target"], sort=False):
        mean = average(own["ratio"])
        rows.append(
            {"source": source, "target": to}
            | {"ratio": mean.value, "low": mean.low, "high": mean.high}
        )
    return pd.DataFrame(rows)


def average(values: ArrayLike) -> Estimate:
    """Mean over networks; the value alone where there is one."""
    numbers = np.asarray(values, dtype=float)
    return statistics.mean(numbers) if len(numbers) > 1 else statistics.exact(float(numbers[0]))


def _column(table: pd.DataFrame, name: str, column: str) -> Numbers:
    """One number a network of an architecture."""
    return table.loc[table["architecture"] == name, column].to_numpy(dtype=float)


@dataclass(frozen=True)
class Measured:
    """Everything that the chapter measures; tables as the function of that name gives them.

    Attributes:
        at, attacks: What was attacked, and the perturbations found.
        success, shuffled: `accuracies` of the networks, and of those that learnt shuffled labels.
        checks, overturned, shares: Of the networks and of nearest neighbour.
        bound: `neighbour_bound`.
        sizes: `beside_certificate` of the networks and of nearest neighbour.
        length: Of the universal perturbations.
        universals: Of the networks, nearest neighbour, and `controls`.
        universal: `universal_shares` of the networks and of nearest neighbour.
        ratios: `effectiveness` in the networks of all `universals`.
    """

    at: Target
    attacks: Mapping[str, Attack]
    success: pd.DataFrame
    shuffled: pd.DataFrame
    checks: pd.DataFrame
    overturned: pd.DataFrame
    shares: pd.DataFrame
    bound: pd.DataFrame
    sizes: pd.DataFrame
    length: float
    universals: Mapping[str, Universal]
    universal: pd.DataFrame
    ratios: pd.DataFrame


def measure(
    data: Digits,
    networks: Sequence[Ensemble],
    shuffled: Sequence[Ensemble],
    *,
    images: int,
    draws: int = 20,
) -> Measured:
    """Attack networks, and nearest neighbour beside them.

    Universal perturbations are as long as the median reach. Networks' own are found on training
    images; that of nearest neighbour on the held-out images themselves, as its training images are
    its memory.

    Args:
        shuffled: Networks of the same architectures that learnt shuffled labels.
        images: Held-out images that are attacked one by one, and training images that a universal
            perturbation is found on.
        draws: Random perturbations an image, and of all images a network.

    Raises:
        ValueError: an architecture has one network only, so that none could pass on to another.
    """
    lone = [one.name for one in networks if one.members < 2]
    if lone:
        raise ValueError(f"{', '.join(lone)}: one network; expected two seeds or more of each")
    at, full, rules = target(data, images), target(data), [*networks, neighbour(data)]
    found = attacked(rules, at)
    table, bound = overturned(rules, at, found, draws=draws), neighbour_bound(data, at)
    length, x = full.reach.median().item(), data.train_images[:images]
    own = universals(networks, x, length) | universals(rules[-1:], full.x, length)
    every = own | controls(shuffled, own, x, length)
    return Measured(
        at,
        found,
        accuracies(rules, data),
        accuracies(shuffled, data),
        checks(rules, at, found),
        table,
        shares(table),
        bound,
        beside_certificate(table, bound),
        length,
        every,
        universal_shares(rules, full, own, draws=draws),
        effectiveness(transfers(every, networks, at.x)),
    )


def with_certificate(found: Measured) -> pd.DataFrame:
    """What `curves` needs for the figure: the networks, nearest neighbour, and its certificate."""
    columns = ["architecture", "seed", "right", "size", "reach"]
    return pd.concat([found.overturned[columns], found.bound[columns]], ignore_index=True)


def estimates(found: Measured) -> dict[str, tuple[Estimate, Estimate]]:
    """Estimate and control of every claim on the networks, by id."""
    names = [n for n in found.success["architecture"].unique() if n != NEIGHBOUR]
    most = (found.bound["right"] & (found.bound["size"] < found.bound["reach"])).mean()
    claims = {
        "paradox-neighbour": _beside_neighbour(found.shares, "overturned", names, most),
        "paradox-neighbour-universal": _beside_neighbour(found.universal, "share", names),
    }
    for name in names:
        for id, (value, control) in _of_architecture(found, name, names).items():
            slug = name.lower().replace(" ", "-")
            claims[f"paradox-{id}-{slug}"] = average(value), average(control)
    return claims


def about(
    claims: Mapping[str, tuple[Estimate, Estimate]], word: str
) -> dict[str, tuple[Estimate, Estimate]]:
    """The claims whose id starts with this word after the chapter's name."""
    return {id: pair for id, pair in claims.items() if id.startswith(f"paradox-{word}-")}


def _of_architecture(
    t: Measured, name: str, names: Sequence[str]
) -> dict[str, tuple[Numbers, Numbers]]:
    """One number a network, for the claims on an architecture and their controls."""
    others = [other for other in names if other != name]
    return {
        "success": (_column(t.success, name, "accuracy"), _column(t.shuffled, name, "accuracy")),
        "overturned": (_column(t.shares, name, "overturned"), _column(t.shares, name, "random")),
        "size": (_column(t.sizes, name, "shorter"), _column(t.sizes, NEIGHBOUR, "shorter")),
        "universal": (_column(t.universal, name, "share"), _column(t.universal, name, "random")),
        "seeds": (_to(t.ratios, name, [name]), _to(t.ratios, name + SHUFFLED, [name])),
        "across": (_to(t.ratios, name, others), _to(t.ratios, name + SHUFFLED, others)),
    }


def _to(ratios: pd.DataFrame, source: str, targets: Sequence[str]) -> Numbers:
    """Mean ratio of each network of a source over some targets."""
    own = ratios[(ratios["source"] == source) & ratios["target"].isin(targets)]
    return own.groupby("source_seed")["ratio"].mean().to_numpy(dtype=float)


def _beside_neighbour(
    table: pd.DataFrame, column: str, names: Sequence[str], most: float | None = None
) -> tuple[Estimate, Estimate]:
    """Networks' shares less nearest neighbour's, which loses at most `most`; the same for noise.

    The smallest difference over architectures; the largest one for noise.
    """
    loss = _column(table, NEIGHBOUR, column)[0] if most is None else most
    noise = _column(table, NEIGHBOUR, "random")[0]
    attack = [average(_column(table, name, column) - loss) for name in names]
    random = [average(_column(table, name, "random") - noise) for name in names]
    return min(attack, key=lambda e: e.value), max(random, key=lambda e: e.value)


def examples(
    one: Ensemble, at: Target, attack: Attack, images: Sequence[int], *, member: int = 0
) -> pd.DataFrame:
    """Pixels of some images: image, panel, label, row, column, value, size.

    Panels: the image, the smallest perturbation, both added, the image under random noise of size
    reach, and the nearest image of another digit. `label` is what the network reads, but for the
    last, where it is the digit. The perturbation is a hundredth longer than the smallest found,
    lest rounding decides; `size` is its norm.
    """
    generator = torch.Generator().manual_seed(SEED)
    noise = attacks.random_directions(at.x, 1.0, generator) * at.reach[:, None, None]
    eta = 1.01 * attack.perturbation[member]
    panels = {
        "image": at.x,
        "perturbation": eta,
        "sum": at.x + eta,
        "random noise": at.x + noise,
        "nearest other": at.other[0],
    }
    tables = []
    for index in images:
        for panel, pictures in panels.items():
            picture = pictures[index]
            read, digit = one.labels(picture[None])[member, 0], at.other[1][index]
            label = int(digit if panel == "nearest other" else read)
            pixels = _pixels(picture).assign(image=index, panel=panel, label=label)
            tables.append(pixels.assign(size=eta[index].norm().item()))
    return pd.concat(tables, ignore_index=True)


def portraits(found: Mapping[str, Universal], members: Sequence[int]) -> pd.DataFrame:
    """Pixels of universal perturbations: source, seed, row, column, value."""
    tables = [
        _pixels(own.perturbation[member]).assign(source=name, seed=member)
        for name, own in found.items()
        for member in members
        if member < len(own)
    ]
    return pd.concat(tables, ignore_index=True)


def _pixels(picture: Tensor) -> pd.DataFrame:
    rows, columns = np.indices(picture.shape)
    cells = {"row": rows.ravel(), "column": columns.ravel(), "value": picture.flatten().numpy()}
    return pd.DataFrame(cells)


def typical(one: Ensemble, at: Target, attack: Attack, digits: Sequence[int]) -> list[int]:
    """Of each digit the image whose smallest perturbation, over the reach, is the median one.

    Among the images of the digit that the rule's first member reads rightly; the lower median.
    """
    relative = attack.size[0] / at.reach
    right = one.labels(at.x)[0] == at.y
    chosen = []
    for digit in digits:
        own = (right & (at.y == digit)).nonzero().flatten()
        if not len(own):
            raise ValueError(f"no image of the digit {digit} is read rightly; choose another one")
        chosen.append(int(own[relative[own].median(0).indices]))
    return chosen
