"""Networks on parities, with and without a hint, and the information in a layer (chapter 15).

Training is on data drawn afresh in every step, but for the information, where a network sees all
inputs that there are. Every function gives a table with a row a network and look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

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
from falsestruct.theory.information import BINS, entropy, equal_bins, fixed_bins

FIRST = 1000  # seed of the first network; smaller ones were for trials
BATCH, WIDTH = 64, 64  # fresh samples in a step; hidden ReLUs, where nothing else is said
RATES = {"descent": 0.03, "Adam": 3e-4}
BARE = {"descent": 0.3, "Adam": 3e-3}  # beside a coin: the fastest of a small grid, twelve bits
BIASED = 1e-3  # Adam's
EVERY, SAMPLES = 25, 500  # steps between two looks; inputs of a look
HINTED = 10  # bits of an input with a hint, beside the hint
TEST_SEED = 90_000
ONES = 10  # hidden ReLUs for each bit, as in arXiv:1703.07950
BITS, MAJORITY = 12, 5  # inputs of the layered network, and how many of them its labels are about
LAYERS = (BITS, 10, 5, 3)


def _schedule(optimiser: str, steps: int, rate: float | None = None) -> Schedule:
    return Schedule(
        steps, BATCH, learning_rate=rate or RATES[optimiser],
        optimizer="adam" if optimiser == "Adam" else "sgd",
    )  # fmt: skip


def _looks(tests: Mapping[str, Parity], until: float | None = None) -> fresh.Looks:
    rng = np.random.default_rng(TEST_SEED)
    return fresh.Looks(EVERY, {k: task.draw(SAMPLES, rng) for k, task in tests.items()}, until)


def _names(seeds: int) -> range:
    return range(FIRST, FIRST + seeds)


def parity_point(*, bits: int, optimiser: str, seeds: int, steps: int) -> pd.DataFrame:
    """The parity of half of the bits, beside a coin: `right`, the share of fresh inputs at the end.

    Networks with ten hidden ReLUs a bit; one that has 0.99 right is done.
    """
    task = Parity(bits, bits // 2)
    seen = fresh.train(
        shallow(task.inputs, ONES * bits), task.draw, _names(seeds),
        _schedule(optimiser, steps, BARE[optimiser]), _looks({"right": task}, 0.99),
    )  # fmt: skip
    return seen.groupby("seed", as_index=False).last()


def parities(sizes: Sequence[int], *, seeds: int, steps: int) -> pd.DataFrame:
    """`parity_point` for each number of bits and each optimiser."""
    rest = {"seeds": seeds, "steps": steps}
    grid = [{"bits": bits, "optimiser": name} | rest for bits in sizes for name in RATES]
    return sweep(parity_point, grid).drop(columns=[*rest])


def hint_point(
    *, size: int, optimiser: str, q: float, arm: str, seeds: int, steps: int
) -> pd.DataFrame:
    """A parity and a hint: how often networks are right where the hint is wrong, look by look.

    Columns: seed, step, apart (that share), agreed (right where the hint is), learnt (the first
    step with `TAKES` of both; the last one if there is none), reached (whether there is), alone (as
    learnt; with "added", the first step with `TAKES` of the network's own output). Who opposes a
    coin has not learnt: hence both. A network with `FOLLOWS` of both is done; with "label", "added"
    and Adam, where only `learnt` is asked for, one with `TAKES`.

    Args:
        arm: "hint": it is right with probability q; "label": so is the label, beside a coin;
            "added": what the hint has to say is added to the output of a network that doesn't see
            it; "unseen": in training the last two bits are equal, in tests they differ.
    """
    label, last = arm == "label", int(arm == "unseen")
    task = Parity(HINTED, size, *((0.5, q) if label else (q, 1.0)), last=last)
    apart = replace(task.conflict(), last=-last)
    until = TAKES if arm in ("label", "added") or optimiser == "Adam" else FOLLOWS
    looks = _looks({"apart": apart, "agreed": replace(apart, right=1.0)}, until)
    rest = (task.draw, _names(seeds), _schedule(optimiser, steps))
    if arm == "added":
        x, y = looks.tests["apart"]
        own = x * (np.arange(HINTED + 1) < HINTED).astype(np.float32), y  # nothing is added
        looks = replace(looks, tests={**looks.tests, "own": own})
        seen = fresh.train(shallow(HINTED, WIDTH), *rest, looks, _told(q))
    else:
        seen = fresh.train(shallow(task.inputs, WIDTH), *rest, looks)

    def first(columns: list[str]) -> pd.Series:
        known = seen[seen[columns].min(axis=1) >= TAKES]
        return seen["seed"].map(known.groupby("seed")["step"].min())

    learnt = first(["apart", "agreed"])
    alone = first(["own"]) if arm == "added" else learnt
    steps_of = {"learnt": learnt.fillna(steps), "alone": alone.fillna(steps)}
    return seen.assign(reached=learnt.notna(), **steps_of)


def _told(q: float) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The bits, and the logit of a hint that has been learnt: see the chapter's proposition."""
    weight = np.float32(np.log(q / (1 - q)))
    return lambda x: (x[:, :-1], weight * x[:, -1])


def hints(
    sizes: Sequence[int], shares: Sequence[float], *, arm: str = "hint", **options: Any
) -> pd.DataFrame:
    """`hint_point` for each size of the parity and each share q that is right.

    Columns: size, optimiser, q, arm, and those of `hint_point`. Options: optimiser, seeds, steps.
    """
    grid = [{"size": k, "q": q, "arm": arm, **options} for k in sizes for q in shares]
    return sweep(hint_point, grid).drop(columns=["seeds", "steps"])


def every(
    sizes: dict[str, list[list[int]]], shares: list[float], *, seeds: list[int], limits: list[int]
) -> pd.DataFrame:
    """All tables of `hints` in one; `sizes` has a group or two for each optimiser.

    A hint that is never wrong is beside the first group with descent. The label's noise is beside
    the largest parity of each. The other arms are for the largest of the first.
    """
    tables, inside = [], [q for q in shares if q < 1]
    for name, groups in sizes.items():
        for i, own in enumerate(groups):
            rest: dict[str, Any] = {"optimiser": name, "seeds": seeds[i], "steps": limits[i]}
            tables.append(hints(own, inside if name == "Adam" or i else shares, **rest))
            tables.append(hints([max(own)], inside[1:], arm="label", **rest))
        rest, top = {"optimiser": name, "steps": limits[0]}, [max(groups[0])]
        tables.append(hints(top, inside, arm="added", seeds=seeds[0], **rest))
        if name == "descent":
            tables.append(hints(top, [inside[-1], 1.0], arm="unseen", seeds=seeds[1], **rest))
    return pd.concat(tables, ignore_index=True)


def biased(means: Sequence[float], *, bits: int, size: int, seeds: int, steps: int) -> pd.DataFrame:
    """`biased_point` for bits of either of two means."""
    rest = {"bits": bits, "size": size, "seeds": seeds, "steps": steps}
    grid = [{"mean": m, "other_mean": o} | rest for m, o in (means, means[::-1])]
    return sweep(biased_point, grid).drop(columns=["other_mean", *rest])


def biased_point(
    *, mean: float, other_mean: float, bits: int, size: int, seeds: int, steps: int
) -> pd.DataFrame:
    """Trained with Adam on bits of this mean: `own` and `other`, right on those of either.

    A row for the first look with `FOLLOWS` of its own, if there is one, `when` "learnt", and one
    for the "end". Fair bits end with `FOLLOWS` of both.
    """
    task = Parity(bits, size, mean=mean)
    looks = _looks(
        {"own": task, "other": replace(task, mean=other_mean)}, None if mean else FOLLOWS
    )
    network, schedule = shallow(task.inputs, 2 * WIDTH), _schedule("Adam", steps, BIASED)
    seen = fresh.train(network, task.draw, _names(seeds), schedule, looks)
    when = {"learnt": seen[seen["own"] >= FOLLOWS].groupby("seed").head(1),
            "end": seen.groupby("seed").tail(1)}  # fmt: skip
    return pd.concat([rows.assign(when=name) for name, rows in when.items()], ignore_index=True)


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
    "fine": partial(fixed_bins, bins=2 * BINS),
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
    names, schedule = list(_names(seeds)), Schedule(steps, batch=256)
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
    grid = [{"steps": n, "shuffled": kind, "seeds": seeds} for n in steps for kind in (False, True)]
    return sweep(layer_point, grid).drop(columns="seeds")
