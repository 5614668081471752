"""Networks on parities, with and without a hint, and the information in a layer (chapter 15).

Training is on fresh data in every step, but for the information, where a network sees all inputs
that there are. Every function gives a table with a row a network and look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct.learning import fresh, training
from falsestruct.learning.networks import Architecture, shallow
from falsestruct.learning.schedule import Schedule, Trained
from falsestruct.problems.parity import Parity, rows
from falsestruct.success import FOLLOWS, TAKES
from falsestruct.sweep.grid import sweep
from falsestruct.theory.information import entropy, equal_bins, fixed_bins

FIRST = 1000  # seed of the first network; smaller ones were for trials
BATCH, WIDTH = 64, 64  # fresh samples in a step; hidden ReLUs, where nothing else is said
RATES = {"descent": 0.03, "Adam": 3e-4}
LOOKS, SAMPLES = 25, 500  # steps between two looks; inputs of a look
HINTED = 10  # bits of an input with a hint, beside the hint
TEST_SEED = 90_000
ONES = 10  # hidden ReLUs for each bit, as in arXiv:1703.07950
BITS, MAJORITY = 12, 5  # inputs of the layered network, and how many of them its labels are about
LAYERS = (BITS, 10, 5, 3)


def _trained(
    task: Parity,
    tests: dict[str, Parity],
    *,
    optimiser: str,
    seeds: int,
    steps: int,
    width: int,
    until: tuple[str, float] | None = None,
) -> pd.DataFrame:
    rng = np.random.default_rng(TEST_SEED)
    adam = optimiser == "Adam"
    schedule = Schedule(
        steps, BATCH, learning_rate=RATES[optimiser], optimizer="adam" if adam else "sgd"
    )
    return fresh.train(
        shallow(task.inputs, width), task.draw, range(FIRST, FIRST + seeds), schedule,
        every=LOOKS, tests={name: own.draw(SAMPLES, rng) for name, own in tests.items()},
        until=until,
    )  # fmt: skip


def parity_point(*, bits: int, optimiser: str, seeds: int, steps: int) -> pd.DataFrame:
    """The parity of half of the bits, beside a coin: `right`, the share of fresh inputs at the end.

    Networks with ten hidden ReLUs a bit; one that has 0.99 right is done.
    """
    task = Parity(bits, bits // 2)
    seen = _trained(
        task, {"right": task}, optimiser=optimiser, seeds=seeds, steps=steps,
        width=ONES * bits, until=("right", 0.99),
    )  # fmt: skip
    return seen.groupby("seed", as_index=False).last()


def parities(sizes: Sequence[int], *, seeds: int, steps: int) -> pd.DataFrame:
    """`parity_point` for each number of bits and each optimiser."""
    grid = {"bits": list(sizes), "optimiser": [*RATES], "seeds": [seeds], "steps": [steps]}
    return sweep(parity_point, grid).drop(columns=["seeds", "steps"])


def hint_point(
    *, bits: int, size: int, optimiser: str, right: float, true: float, seeds: int, steps: int
) -> pd.DataFrame:
    """A parity and a hint: how often networks are right where the hint is wrong, look by look.

    Columns: seed, step, apart (that share), learnt (the first step with `TAKES` of it; the last
    one if there is none), reached (whether there is). A network with `FOLLOWS` of it is done.
    """
    task = Parity(bits, size, right, true)
    seen = _trained(
        task, {"apart": task.conflict()}, optimiser=optimiser, seeds=seeds, steps=steps,
        width=WIDTH, until=("apart", FOLLOWS),
    )  # fmt: skip
    first = seen[(seen["apart"] >= TAKES) & (seen["step"] > 0)].groupby("seed")["step"].min()
    learnt = seen["seed"].map(first)
    return seen.assign(learnt=learnt.fillna(steps), reached=learnt.notna())


def hints(
    sizes: Sequence[int],
    shares: Sequence[float],
    *,
    bits: int = HINTED,
    optimiser: str,
    seeds: int,
    steps: int,
    noise: str = "hint",
) -> pd.DataFrame:
    """`hint_point` for each size of the parity and each share q that is right.

    Columns: size, optimiser, q, noise, and those of `hint_point`.

    Args:
        noise: What is right with probability q: the "hint", or the "label" beside a coin.
    """
    fixed = {"bits": bits, "optimiser": optimiser, "seeds": seeds, "steps": steps}
    where = {"hint": ("right", "true", 1.0), "label": ("true", "right", 0.5)}
    varied, other, value = where[noise]
    grid = [{"size": k, varied: q, other: value} | fixed for k in sizes for q in shares]
    table = sweep(hint_point, grid).drop(columns=["bits", "seeds", "steps", other])
    return table.rename(columns={varied: "q"}).assign(noise=noise)


def every(
    sizes: dict[str, list[list[int]]],
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    limits: Sequence[int],
) -> pd.DataFrame:
    """All tables of `hints` in one, by optimiser.

    Args:
        sizes: Of the parity, for each optimiser in two groups.
        shares: q of the hint; 1 for descent on the first group only. Of the label's noise, beside
            the parity of four bits: all between ½ and 1.
        seeds, limits: Networks and steps of each group; the label's noise has those of the first.
    """
    tables, inside = [], [q for q in shares if q < 1]
    for name, both in sizes.items():
        for i, own in enumerate(both):
            some = shares if name == "descent" and not i else inside
            tables.append(hints(own, some, optimiser=name, seeds=seeds[i], steps=limits[i]))
        noisy = {"optimiser": name, "seeds": seeds[0], "steps": limits[0], "noise": "label"}
        tables.append(hints([4], inside[1:], **noisy))  # type: ignore[arg-type]
    return pd.concat(tables, ignore_index=True)


def biased(means: Sequence[float], *, bits: int, size: int, seeds: int, steps: int) -> pd.DataFrame:
    """Trained on bits of each mean, with Adam: `own` and `even`, right on such and on fair bits."""
    fixed = {"bits": bits, "size": size, "seeds": seeds, "steps": steps}
    return sweep(biased_point, [{"mean": m} | fixed for m in means]).drop(columns=[*fixed])


def biased_point(*, mean: float, bits: int, size: int, seeds: int, steps: int) -> pd.DataFrame:
    """A point of `biased`."""
    task = Parity(bits, size, mean=mean)
    tests = {"own": task, "even": Parity(bits, size)}
    seen = _trained(task, tests, optimiser="Adam", seeds=seeds, steps=steps, width=2 * WIDTH)
    return seen.groupby("seed", as_index=False).last()


# Information


def _layered() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in zip(LAYERS, LAYERS[1:], strict=False):
        layers += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(LAYERS[-1], 1))


LAYERED = Architecture("12-10-5-3-1", _layered, engine="stacked", learning_rate=3e-3)


def last_layer(trained: Trained, x: Tensor, unit: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Values (members, inputs, units) of the last hidden layer, with this function as its unit."""
    values = x.expand(len(trained), *x.shape)
    for layer in range(0, 2 * (len(LAYERS) - 1), 2):
        weight, bias = (trained.parameters[f"{layer}.{part}"] for part in ("weight", "bias"))
        values = unit(torch.baddbmm(bias[:, None], values, weight.transpose(1, 2)))
    return values.numpy()


CODES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fixed": fixed_bins,
    "equal": equal_bins,
    "exact": lambda values: values,
    "sign": np.sign,
}


def layer_point(*, steps: int, shuffled: bool, seeds: int) -> pd.DataFrame:
    """Networks after so many steps: the bits that each of `CODES` has about the input.

    In double precision: in single, tanh reaches one where it should only come near.

    Columns: seed, right (share of the labels), and the names of `CODES`.
    """
    x = rows(BITS)
    y = (x[:, :MAJORITY].sum(1) > 0).double()
    if shuffled:
        y = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(TEST_SEED))]
    names, schedule = list(range(FIRST, FIRST + seeds)), Schedule(steps, batch=256)
    done = training.train(LAYERED, (x, y), names, schedule, dtype=torch.float64)
    values = last_layer(done, x, torch.tanh)
    signs = last_layer(done, x, torch.sign)
    found = [
        {name: entropy(code(s if name == "sign" else v)) for name, code in CODES.items()}
        for v, s in zip(values, signs, strict=True)
    ]
    right = ((training.outputs(done, x) > 0) == (y > 0.5)).double().mean(1)
    return pd.DataFrame(found).assign(seed=names, right=right.tolist())


def layers(steps: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`layer_point` for each number of steps, with the labels and with shuffled ones."""
    grid = {"steps": list(steps), "shuffled": [False, True], "seeds": [seeds]}
    return sweep(layer_point, grid).drop(columns="seeds")
