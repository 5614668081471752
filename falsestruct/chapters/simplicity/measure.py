"""Simplicity, measured: what each structure takes alone, and whether that tells which is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from falsestruct import simplicity, success
from falsestruct.learning import engines, last_layer, linearised, training, volume
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.linearised import Linearised
from falsestruct.learning.networks import LINEAR, PAPER, Architecture, by_name, fitting, shallow
from falsestruct.learning.training import Schedule, Watch
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.planted.oscillation import oscillation as planted_oscillation
from falsestruct.problems.planted.stripes import stripes as planted_stripes
from falsestruct.problems.stripes import Stripes
from falsestruct.simplicity import WHICH, Learn, Trial
from falsestruct.theory import diagonal

# The learner whose needs are measured. Chapter 03 trains longer, to a loss of 1e-3; a network that
# captures the only structure in its data does so before.
LEARNER_TARGET = 0.05
LEARNER_STEPS = {"stripes": 500, "oscillation": 2_000, "digits-brightness": 500}
AT = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 500, 610, 987, 1597, 2_000)
# Both structures in the data: as in chapter 03.
MOST_STEPS, TARGET = 2_000, 1e-3
LOOKS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597)
FITS = 0.95  # training accuracy from which a network fits its set
WEAKER = 0.1  # of the usual strength: the board's control
TESTED = 60  # held-out inputs that say whether a structure is captured
WIDTH_STEPS, WIDTH_RATE = 1_000, 1e-2
DESCENT_STEPS = 20_000  # plain ones, after which the linear network fits its set
WALKS = 2  # among random weights, from each start
WALK = 20_000, 80_000, 320_000, 1_280_000  # their steps: longer ones where the starts still show
ENDS = "colour", "original"  # by what the first network of a walk reads the conflict set
AGREE = 0.1  # in shares read by colour: how far walks from the two starts may be apart
# Samples and training where the last layer is learnt anew: as many steps on shuffled labels.
LAST_LAYER = {
    "stripes": (60, Schedule(300)),
    "oscillation": (500, Schedule(3_000, batch=50)),
    **{f"digits-{name}": (300, Schedule(300)) for name in ("brightness", "pixel", "sinusoid")},
}

TRAINED = ("samples", "steps", "bits")  # measured by training; the others of a kernel

Cells = Sequence[str]  # each an architecture and a width of the stripe: "deep MLP 3"


def problem(width: int, a: float) -> Planted:
    """Stripes of a width at an offset."""
    return planted_stripes(a, shape=Stripes(width=width))


def grid(
    cells: Cells, offsets: Sequence[float], slow: Sequence[float] | None = None, *, seeds: Seeds
) -> list[dict[str, Any]]:
    """Points of a sweep: every architecture and width at every offset; `slow`: of convolutions."""
    split = [cell.rpartition(" ") for cell in cells]
    return [
        {"architecture": name, "width": int(width), "a": a, "seeds": seeds.of(by_name(name))}
        for name, _, width in split
        for a in (slow if slow and not by_name(name).is_dense else offsets)
    ]


def extended(
    points: Sequence[Mapping[str, Any]], options: Mapping[str, Any], *, slow: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The points with more options, and with those in `slow` for convolutions."""
    return [
        {**point, **options, **({} if by_name(point["architecture"]).is_dense else slow)}
        for point in points
    ]


def ambiguous_point(*, architecture: str, width: int, a: float, seeds: int) -> pd.DataFrame:
    """Train where both structures predict the label: a row a seed and step looked at.

    Columns: architecture, width, a, seed, step, accuracy (on the training set), colour (share of
    the conflict set read by colour), last (whether it is the network's last step).
    """
    network, shape = by_name(architecture), Stripes(width=width)
    data, conflict = shape.described(a), shape.conflict_set(a)
    watch = Watch(LOOKS, {"accuracy": data, "original": conflict})
    schedule = Schedule(MOST_STEPS, target=TARGET)
    history = training.train(network, data, range(seeds), schedule, watch=watch).history
    last = history.groupby("member")["step"].transform("max") == history["step"]
    table = history.assign(
        architecture=architecture, width=width, a=a, colour=1 - history["original"], last=last
    )
    return table[["architecture", "width", "a", "seed", "step", "accuracy", "colour", "last"]]


def alone_point(
    *, architecture: str, width: int, a: float, seeds: int, sizes: list[int], labels: int
) -> pd.DataFrame:
    """What each structure of the stripes takes where it is alone: a row a structure and seed.

    Columns: architecture, width, a, structure, and those of `simplicity.measure`.
    """
    learn = _learner("stripes", by_name(architecture))
    table = both(problem(width, a), learn, Trial(sizes, labels, range(seeds)))
    return table.assign(architecture=architecture, width=width, a=a)


def both(given: Planted, learn: Learn, trial: Trial) -> pd.DataFrame:
    """`simplicity.measure` of both structures of a problem, with the column structure."""
    tables = [
        simplicity.measure(given, which, learn, trial, tested=TESTED).assign(
            structure=which, tried=trial.sizes[-1]
        )
        for which in WHICH
    ]
    return pd.concat(tables, ignore_index=True)


def _learner(name: str, architecture: Architecture) -> Learn:
    schedule = Schedule(LEARNER_STEPS[name], target=LEARNER_TARGET)
    return simplicity.learner(architecture, schedule, at=AT)


def kernel_point(*, architecture: str, width: int, a: float, seeds: int) -> pd.DataFrame:
    """What the tangent kernel at initialisation says: a row a structure and seed.

    Columns: architecture, width, a, structure, seed, norm, alignment (its inverse) of the
    structure alone, and colour, the share of the conflict set that the linearised network reads by
    colour after training on the set in which both predict the label.
    """
    network, shape = by_name(architecture), Stripes(width=width)
    both, conflict = shape.described(a), shape.conflict_set(a)
    every, n = torch.cat((both[0], conflict[0])), len(both[0])
    at = {image.numpy().tobytes(): i for i, image in enumerate(every)}
    rows = []
    for seed in range(seeds):
        start, tangent = linearised.tangents(network, seed, every)
        linear = Linearised(tangent[:n, :n], tangent[n:, :n], start[:n], start[n:])
        colour = ((linear.flow(2 * both[1] - 1) > 0) != (conflict[1] > 0.5)).double().mean().item()
        data = {
            which: simplicity.sequences(problem(width, a), which, n, [seed])[0] for which in WHICH
        }
        own = [at[image.numpy().tobytes()] for image in data["original"][0]]  # each is one of them
        kernel = tangent[own][:, own]
        for which, (_, labels) in data.items():
            y = 2 * labels - 1
            values = {
                "norm": linearised.norm(kernel, y),
                "alignment": linearised.misalignment(kernel, y),
            }
            rows.append({"structure": which, "seed": seed, "colour": colour} | values)
    return pd.DataFrame(rows).assign(architecture=architecture, width=width, a=a)


def volume_grid(cells: Cells, offsets: Sequence[float]) -> list[dict[str, Any]]:
    """Points of `volume_point`: dense architectures, with `WALKS` from each end."""
    points = grid(cells, offsets, seeds=Seeds(WALKS, WALKS))
    return [point for point in points if by_name(point["architecture"]).is_dense]


def volume_point(*, architecture: str, width: int, a: float, seeds: int) -> pd.DataFrame:
    """Volume among random weights of a dense network, a row a walk; `seeds` from each start.

    Columns: architecture, width, a, start (by what its first network reads the conflict set, or as
    much of it as one can that is right in training: "colour" or "original"), begins (share that
    this network reads by colour), colour (the same, mean over networks right on the training set),
    steps (of the walk).
    """
    hidden = len(engines.dense_layers(by_name(architecture).build())) - 1
    shape = Stripes(width=width)
    (x, y), (swapped, original) = shape.described(a), shape.conflict_set(a)
    colour, begins, steps = volume.agreeing(
        volume.covariance(torch.cat((x, swapped)), hidden), y, 1 - original, walks=seeds,
        steps=WALK, agree=AGREE, rng=np.random.default_rng([hidden, width, round(1e4 * a)]),
    )  # fmt: skip
    table = pd.DataFrame({"start": np.repeat(ENDS, seeds), "begins": np.repeat(begins, seeds)})
    table = table.assign(colour=colour.ravel())
    return table.assign(architecture=architecture, width=width, a=a, steps=steps)


def last_layer_point(*, name: str, seeds: int) -> pd.DataFrame:
    """A new last layer on three kinds of features: columns of `last_layer.compare`, and problem."""
    given, samples, schedule = registry.by_name(name), *LAST_LAYER[name]
    network = next(one for one in fitting(given.direction.shape) if one.name in ("MLP", "2-104-1"))
    table = last_layer.compare(given, network, range(seeds), samples=samples, schedule=schedule)
    return table.assign(problem=name)


def depths() -> pd.DataFrame:
    """Shares of the false structure in diagonal networks, as `diagonal.shares`."""
    return diagonal.shares()


def hint_grid(
    deltas: Sequence[float], *, seeds: int, sizes: Sequence[int], labels: int
) -> list[dict[str, Any]]:
    """Points of a sweep over δ."""
    shared = {"seeds": seeds, "sizes": list(sizes), "labels": labels}
    return [{"delta": delta, **shared} for delta in deltas]


def hint_point(*, delta: float, seeds: int, sizes: list[int], labels: int) -> pd.DataFrame:
    """What each structure of the oscillation takes alone, at one δ: as `alone_point`."""
    given = planted_oscillation(delta)
    (network,) = fitting(given.direction.shape)
    table = both(given, _learner("oscillation", network), Trial(sizes, labels, range(seeds)))
    return table.assign(architecture=network.name, a=delta)


def board_point(
    *, name: str, strength: float, architecture: str, seeds: int, sizes: list[int], labels: int
) -> pd.DataFrame:
    """Code lengths of both structures for a cell of the status board: a row a structure and seed.

    Columns: problem, architecture, a (the strength), structure, seed, bits.
    """
    given = registry.by_name(name, strength)
    learn = _learner(name, by_name(architecture, fitting(given.direction.shape)))
    trial = Trial(sizes, labels, range(seeds))
    tables = []
    for which in WHICH:
        bits = simplicity.bits(given, which, learn, trial)
        tables.append(pd.DataFrame({"seed": range(seeds), "bits": bits, "structure": which}))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(problem=name, architecture=architecture, a=strength)


def width_point(
    *, name: str, strength: float, seeds: int, samples: int, widths: list[int]
) -> pd.DataFrame:
    """The hidden width that each structure needs at a strength: structure, seed, needs.

    Infinite: more than the largest of `widths`, all increasing.
    """
    given, tables = registry.by_name(name, strength), []
    generator = torch.Generator().manual_seed(simplicity.TEST_SEED)
    for which in WHICH:
        x, y = simplicity.alone(given, which, 2 * TESTED, generator, held_out=True)
        needs, left = np.full(seeds, np.inf), np.arange(seeds)
        for width in reversed(widths):  # what fails at one width can't need less
            if not len(left):
                break
            data = simplicity.sequences(given, which, samples, left.tolist())
            schedule = Schedule(WIDTH_STEPS, target=LEARNER_TARGET)
            trained = training.train(hidden(x[0].numel(), width), data, left.tolist(), schedule)
            right = success.accuracy(success.labels(training.outputs(trained, x)), y).numpy()
            left = left[right >= simplicity.CAPTURED]
            needs[left] = width
        tables.append(pd.DataFrame({"structure": which, "seed": range(seeds), "needs": needs}))
    return pd.concat(tables, ignore_index=True).assign(a=strength, largest=max(widths))


def hidden(inputs: int, width: int) -> Architecture:
    """One hidden layer of ReLUs on inputs of any shape."""

    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 1))

    return replace(shallow(inputs, width), build=build, learning_rate=WIDTH_RATE)


def descent(a: float, *, seeds: int, steps: int, rate: float) -> pd.DataFrame:
    """The linear network under plain gradient descent on the cross-entropy: seed, accuracy, colour.

    On the stripes of the paper's width, where both structures predict the label. `accuracy` is on
    the training set, `colour` the share of the conflict set read by colour.
    """
    shape = Stripes()
    (x, y), (swapped, original) = shape.described(a), shape.conflict_set(a)
    every = torch.cat((x, swapped))
    models = [Linearised.of(LINEAR, seed, x, every) for seed in range(seeds)]
    # A linear network's kernel does not depend on its weights, so all seeds go side by side.
    starts = [torch.stack([getattr(m, name) for m in models]) for name in ("start", "test_start")]
    together = Linearised(models[0].kernel, models[0].across, *starts)
    positive = together.descend(2 * y - 1, steps=steps, rate=rate) > 0
    right = (positive == (torch.cat((y, original)) > 0.5)).double()
    accuracy, against = (part.mean(1) for part in right.split(len(x), dim=1))
    return pd.DataFrame({"seed": range(seeds), "accuracy": accuracy, "colour": 1 - against})


def mean_difference(shape: Stripes) -> float:
    """Largest difference of a pixel between the mean horizontal and the mean vertical image.

    Over all stripes in both colours. The offset 1/4 makes the sums exact in binary.
    """
    sets = shape.described(0.25), shape.conflict_set(0.25)
    x, y = (torch.cat([pair[k] for pair in sets]) for k in (0, 1))
    return float((x[y > 0.5].mean(0) - x[y < 0.5].mean(0)).abs().max())


def board_grid(seeds: Seeds, *, labels: Mapping[str, int]) -> list[dict[str, object]]:
    """Points of the cells that no other experiment of the chapter covers.

    Args:
        labels: How many are coded, by problem; networks learn from an eighth of them.
    """
    points = [("stripes", PAPER)]
    name = "digits-brightness"
    points += [(name, own) for own in fitting(registry.by_name(name).direction.shape)]
    return [
        {
            "name": name,
            "architecture": architecture.name,
            "strength": factor * registry.STRENGTHS[name],
            "seeds": seeds.of(architecture),
            "sizes": [labels[name] // 8],
            "labels": labels[name],
        }
        for name, architecture in points
        for factor in (1.0, WEAKER)
    ]
