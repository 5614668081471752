"""Success and instability at once, on real digits, beside a rule that has only the first.

Tables have a row a network and image, since both are samples: architecture, seed, image, and what
was seen there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import attacks, universal
from falsestruct.instability.attacks import Attack
from falsestruct.instability.transfers import relative_flips
from falsestruct.instability.universal import Universal
from falsestruct.learning.ensembles import Ensemble, Learner, Seeds, train
from falsestruct.learning.networks import for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.digits import CLASSES, Digits
from falsestruct.theory import nearest

BATCH = 100  # images a step
STARTS = 3  # of the attack: from the image, then towards each of the two closest labels
SEED = 20_000  # of random perturbations
NEIGHBOUR, CERTIFICATE = "nearest neighbour", "certificate"
SHUFFLED, RANDOM = ", shuffled labels", "random"

Rules = Mapping[str, Ensemble]  # networks of each architecture, or other rules, by name


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


def ensembles(
    data: Digits, seeds: Seeds, *, steps: int, shuffled: bool = False, learner: Learner = train
) -> dict[str, Ensemble]:
    """Networks of the five architectures, by name.

    Args:
        shuffled: The control: each network trains on labels in an order of its own.
        learner: What makes rules out of images and labels.
    """
    found, (x, y) = {}, data.train
    for architecture in for_images(data.side, CLASSES):
        own = range(seeds.of(architecture))
        orders = [torch.randperm(len(y), generator=torch.Generator().manual_seed(s)) for s in own]
        sets: Set | list[Set] = [(x, y[order]) for order in orders] if shuffled else (x, y)
        found[architecture.name] = learner(architecture, sets, own, Schedule(steps, batch=BATCH))
    return found


def neighbour(data: Digits) -> Ensemble:
    """The nearest neighbour among the training images: learnt from what the networks saw."""
    return Ensemble(nearest.outputs(*data.train, CLASSES), (0,))


def attacked(rules: Rules, at: Target) -> dict[str, Attack]:
    """The smallest perturbations found in the Euclidean norm, by name."""
    return {
        name: attacks.smallest_perturbations(
            one.outputs, at.x, norm="l2", members=len(one), starts=STARTS
        )
        for name, one in rules.items()
    }


def certificate(data: Digits, at: Target) -> Attack:
    """What nearest neighbour withstands for certain, as if an attack had found it."""
    size = nearest.certificate(*data.train, at.x)
    return Attack("l2", size[None], torch.zeros_like(at.x)[None])


def checks(rules: Rules, at: Target, found: Mapping[str, Attack]) -> pd.DataFrame:
    """The sanity checks of each attack: architecture, check, value, holds.

    At four times the largest reach nothing may survive.
    """
    large, rows = 4 * at.reach.max().item(), []
    for name, one in rules.items():
        sane = attacks.sanity(one.outputs, at.x, at.y, attack=found[name], large=large)
        rows += [{"architecture": name, "check": key} | v for key, v in asdict(sane).items()]
    return pd.DataFrame(rows)


def long(name: str, **columns: Tensor) -> pd.DataFrame:
    """Tensors (networks, images) as numbers, a row each: architecture, seed, image, columns."""
    networks, images = next(iter(columns.values())).shape
    place = {"seed": np.repeat(range(networks), images), "image": np.tile(range(images), networks)}
    values = {key: value.flatten().double().numpy() for key, value in columns.items()}
    return pd.DataFrame({"architecture": name} | place | values)


def overturned(
    rules: Rules, at: Target, found: Mapping[str, Attack], *, draws: int
) -> pd.DataFrame:
    """What became of the images attacked: architecture, seed, image and the columns below.

    right: is it read rightly? The others count such images only. relative: size of the smallest
    perturbation found over the reach, else NaN; overturned: is it within the reach? random: share
    of random perturbations as long as the reach, the same for all networks, that flip the label.
    cut: does the perturbation flip it still when it is stretched to the reach and pixels are cut to
    [0, 1]? shorter: is it shorter than the certificate, which is 0 where nearest neighbour errs?

    Args:
        rules, found: With nearest neighbour and its `certificate` under the name CERTIFICATE.
    """
    generator, keep = torch.Generator().manual_seed(SEED), at.reach[:, None, None]
    noise = [keep * attacks.random_directions(at.x, 1.0, generator) for _ in range(draws)]
    least = found[CERTIFICATE].size.where(rules[CERTIFICATE].labels(at.x) == at.y, 0.0)
    tables = []
    for name, one in rules.items():
        labels, attack = one.labels(at.x), found[name]
        right, near = labels == at.y, attack.size < at.reach
        chance = torch.stack([one.labels(at.x + eta) != labels for eta in noise]).double().mean(0)
        stretch = (at.reach / attack.size)[..., None, None]
        cut = one.labels((at.x + stretch * attack.perturbation).clamp(0, 1), own=True) != labels
        # An attack that meets the certificate exactly may fall short of it by rounding.
        shorter = right & (attack.size < (1 - 1e-9) * least)
        relative = (attack.size / at.reach).where(right, torch.nan)
        seen = {"right": right, "overturned": right & near, "cut": right & near & cut}
        own = long(name, **seen, relative=relative, random=right * chance, shorter=shorter)
        tables.append(own)
    return pd.concat(tables, ignore_index=True)


def universals(rules: Rules, x: Tensor, size: float) -> dict[str, Universal]:
    """One perturbation a network, found on images x in the Euclidean norm, by name."""
    return {
        name: universal.universal_perturbations(
            one.outputs, x, norm="l2", size=size, members=len(one)
        )
        for name, one in rules.items()
    }


def universally(
    rules: Rules, at: Target, found: Mapping[str, Universal], *, draws: int
) -> pd.DataFrame:
    """What one perturbation a network does: architecture, seed, image and the columns below.

    right: is it read rightly? overturned: does it then lose its label to the network's own
    perturbation? random: to a random one of that size? mean_random: share of `draws` random ones to
    which it does. most: share of the network's flipped labels that become one and the same digit.
    """
    tables = []
    for name, one in rules.items():
        own, labels = found[name], one.labels(at.x)
        right = labels == at.y
        flips = universal.flips(one.outputs, at.x, own)
        noise = [universal.random_like(own, seed=SEED + i) for i in range(draws)]
        chance = torch.stack([universal.flips(one.outputs, at.x, eta) & right for eta in noise])
        after = one.labels(at.x + own.perturbation[:, None], own=True)
        new = (torch.nn.functional.one_hot(after, CLASSES) * flips[..., None]).sum(1)
        most = new.amax(1) / flips.sum(1).clamp_min(1)
        columns = {
            "right": right,
            "overturned": flips & right,
            "random": chance[0],
            "mean_random": chance.double().mean(0),
            "most": most[:, None].expand_as(labels),
        }
        tables.append(long(name, **columns))
    return pd.concat(tables, ignore_index=True)


def transfers(found: Mapping[str, Universal], targets: Rules, x: Tensor) -> pd.DataFrame:
    """What perturbations do in others' networks, over what these networks' own ones do there.

    Columns: architecture (whose perturbation), seed, image, ratio, target. See `relative_flips`.
    """
    tables = []
    for name, one in targets.items():
        labels = one.labels(x)
        moved = {
            source: torch.stack([one.labels(x + eta) != labels for eta in own.perturbation])
            for source, own in found.items()
        }
        own = moved[name].double().diagonal().T.numpy()  # (networks, images)
        for source, flips in moved.items():
            ratio = relative_flips(flips.double().numpy(), own, itself=source == name)
            tables.append(long(source, ratio=torch.from_numpy(ratio)).assign(target=name))
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class Measured:
    """Everything that the chapter measures; tables as the function of that name gives them.

    Attributes:
        at, attacks: What was attacked, and the perturbations found.
        overturned: Of the networks, nearest neighbour and its certificate.
        universally: Of the networks and nearest neighbour, on all held-out images.
        shuffled: What networks on shuffled labels read: architecture, seed, image, right.
        length: Of the universal perturbations.
        universals: Of the networks, nearest neighbour, those on shuffled labels, and random ones.
    """

    at: Target
    attacks: Mapping[str, Attack]
    checks: pd.DataFrame
    overturned: pd.DataFrame
    universally: pd.DataFrame
    shuffled: pd.DataFrame
    length: float
    universals: Mapping[str, Universal]
    transfers: pd.DataFrame


def measure(
    data: Digits, networks: Rules, shuffled: Rules, *, images: int, searched: int, draws: int = 20
) -> Measured:
    """Attack networks, and nearest neighbour beside them.

    Universal perturbations are as long as the median reach. Networks' own are found on training
    images; that of nearest neighbour on the held-out images themselves, as its training images are
    its memory.

    Args:
        shuffled: Networks of the same architectures that learnt shuffled labels.
        images: Held-out images that are attacked one by one.
        searched: Training images that a universal perturbation is found on.
        draws: Random perturbations an image, and of all images a network.

    Raises:
        ValueError: an architecture has one network only, so that none could pass on to another.
    """
    if lone := [name for name, one in networks.items() if len(one) < 2]:
        raise ValueError(f"{', '.join(lone)}: one network; expected two seeds or more of each")
    at, full, near = target(data, images), target(data), {NEIGHBOUR: neighbour(data)}
    rules = {**networks, **near}
    found, bound = attacked(rules, at), {CERTIFICATE: certificate(data, at)}
    length, x = full.reach.median().item(), data.train_images[:searched]
    own = universals(networks, x, length) | universals(near, full.x, length)
    every = own | {name + SHUFFLED: one for name, one in universals(shuffled, x, length).items()}
    every[RANDOM] = universal.random_like(next(iter(own.values())), seed=SEED - 1)
    readings = [long(name, right=one.labels(full.x) == full.y) for name, one in shuffled.items()]
    return Measured(
        at,
        found,
        checks(rules, at, found),
        overturned(rules | {CERTIFICATE: near[NEIGHBOUR]}, at, found | bound, draws=draws),
        universally(rules, full, own, draws=draws),
        pd.concat(readings, ignore_index=True),
        length,
        every,
        transfers(every, networks, at.x),
    )


def typical(one: Ensemble, at: Target, attack: Attack, digits: Sequence[int]) -> list[int]:
    """Of each digit the image whose smallest perturbation, over the reach, is the median one.

    Among the images of the digit that the rule's first member reads rightly; the lower median.
    """
    relative, right = attack.size[0] / at.reach, one.labels(at.x)[0] == at.y
    chosen = []
    for digit in digits:
        own = (right & (at.y == digit)).nonzero().flatten()
        if not len(own):
            raise ValueError(f"no image of the digit {digit} is read rightly; choose another one")
        chosen.append(int(own[relative[own].median(0).indices]))
    return chosen


def examples(one: Ensemble, at: Target, attack: Attack, images: Sequence[int]) -> pd.DataFrame:
    """Pixels of some images: image, panel, label, row, column, value, size.

    Panels: the image, the first network's smallest perturbation, both added, the image under random
    noise of size reach, and the nearest image of another digit. `label` is what the network reads,
    but for the last, where it is the digit. The perturbation is a hundredth longer than the
    smallest found, lest rounding decides; `size` is its norm.
    """
    generator, eta = torch.Generator().manual_seed(SEED), 1.01 * attack.perturbation[0]
    noise = attacks.random_directions(at.x, 1.0, generator) * at.reach[:, None, None]
    panels = {"image": at.x, "perturbation": eta, "sum": at.x + eta, "random noise": at.x + noise}
    labels = {panel: one.labels(pictures)[0] for panel, pictures in panels.items()}
    panels["nearest other"], labels["nearest other"] = at.other
    tables = [
        pixels(pictures[index]).assign(
            image=index, panel=panel, label=int(labels[panel][index]), size=eta[index].norm().item()
        )
        for index in images
        for panel, pictures in panels.items()
    ]
    return pd.concat(tables, ignore_index=True)


def portraits(found: Mapping[str, Universal], members: Sequence[int]) -> pd.DataFrame:
    """Pixels of universal perturbations: source, seed, row, column, value."""
    tables = [
        pixels(own.perturbation[member]).assign(source=name, seed=member)
        for name, own in found.items()
        for member in members
        if member < len(own)
    ]
    return pd.concat(tables, ignore_index=True)


def pixels(picture: Tensor) -> pd.DataFrame:
    """An image (side, side) as a row a pixel: row, column, value."""
    rows, columns = np.indices(picture.shape)
    cells = {"row": rows.ravel(), "column": columns.ravel(), "value": picture.flatten().numpy()}
    return pd.DataFrame(cells)
