"""Simplicity, measured: what each structure takes alone, and whether that tells which is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from falsestruct import simplicity, statistics, success
from falsestruct.learning import linearised, training
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.linearised import Linearised
from falsestruct.learning.networks import LINEAR, PAPER, Architecture, by_name, fitting
from falsestruct.learning.training import Schedule, Watch
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.planted.oscillation import oscillation as planted_oscillation
from falsestruct.problems.planted.stripes import stripes as planted_stripes
from falsestruct.problems.stripes import Stripes
from falsestruct.simplicity import WHICH, Crossing, Learn, Needed, Trial, Which
from falsestruct.statistics import Estimate

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
        for a in (slow if slow and _slow(name) else offsets)
    ]


def extended(
    points: Sequence[Mapping[str, Any]], options: Mapping[str, Any], *, slow: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The points with more options, and with those in `slow` for convolutions."""
    return [
        {**point, **options, **(slow if _slow(point["architecture"]) else {})} for point in points
    ]


def _slow(architecture: str) -> bool:
    return by_name(architecture).engine != "dense"


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


def both(
    given: Planted, learn: Learn, trial: Trial, *, labellings: Sequence[Which] = WHICH
) -> pd.DataFrame:
    """`simplicity.measure` of both structures of a problem, with the column structure."""
    tables = [
        simplicity.measure(given, which, learn, trial, tested=TESTED).assign(
            structure=which, tried=trial.sizes[-1]
        )
        for which in labellings
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
    rows = []
    for seed in range(seeds):
        flow = Linearised.of(network, seed, both[0], conflict[0]).flow(2 * both[1] - 1)
        colour = ((flow > 0) != (conflict[1] > 0.5)).double().mean().item()
        data = {
            which: simplicity.sequences(problem(width, a), which, len(both[0]), [seed])[0]
            for which in WHICH
        }
        _, kernel = linearised.tangents(network, seed, data["original"][0])
        for which, (_, labels) in data.items():
            y = 2 * labels - 1
            values = {
                "norm": linearised.norm(kernel, y),
                "alignment": linearised.misalignment(kernel, y),
            }
            rows.append({"structure": which, "seed": seed, "colour": colour} | values)
    return pd.DataFrame(rows).assign(architecture=architecture, width=width, a=a)


def hint_point(
    *, delta: float, seeds: int, sizes: list[int], labels: int, labellings: list[Which]
) -> pd.DataFrame:
    """What each labelling of the oscillation's inputs takes alone, at one δ: as `alone_point`."""
    given = planted_oscillation(delta)
    (network,) = fitting(given.direction.shape)
    learn = _learner("oscillation", network)
    table = both(given, learn, Trial(sizes, labels, range(seeds)), labellings=labellings)
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


def width_point(*, name: str, seeds: int, samples: int, widths: list[int]) -> pd.DataFrame:
    """The hidden width that each structure needs, at the usual strength: structure, seed, needs.

    Infinite: more than the largest of `widths`, all increasing.
    """
    given, tables = registry.by_name(name), []
    generator = torch.Generator().manual_seed(simplicity.TEST_SEED)
    for which in WHICH:
        x, y = simplicity.alone(given, which, 2 * TESTED, generator, held_out=True)
        data = simplicity.sequences(given, which, samples, range(seeds))
        right = []
        for width in widths:
            network = hidden(x[0].numel(), width)
            trained = training.train(
                network, data, range(seeds), Schedule(WIDTH_STEPS, target=LEARNER_TARGET)
            )
            labels = success.labels(training.outputs(trained, x))
            right.append(success.accuracy(labels, y).numpy() >= simplicity.CAPTURED)
        needs = simplicity.first_kept(widths, np.stack(right))
        tables.append(pd.DataFrame({"structure": which, "seed": range(seeds), "needs": needs}))
    return pd.concat(tables, ignore_index=True).assign(problem=name, largest=max(widths))


def hidden(inputs: int, width: int) -> Architecture:
    """One hidden layer of ReLUs on inputs of any shape."""

    def build() -> nn.Module:
        layers = nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 1)
        return nn.Sequential(nn.Flatten(), *layers)

    return Architecture(f"{inputs}-{width}-1", build, engine="dense", learning_rate=WIDTH_RATE)


MEASURES = ("samples", "steps", "bits", "norm", "alignment")
PREDICTORS = (*MEASURES, "linearised", "constant")
# What the seeds' values of a measure are summed up by; simplicity.quantile is that of "95 %".
_SUMS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    name: simplicity.quantile if name in ("samples", "steps") else (lambda v: v.mean(-1))
    for name in MEASURES
}


def crossings(
    ambiguous: pd.DataFrame, isolated: pd.DataFrame, kernels: pd.DataFrame
) -> pd.DataFrame:
    """Predicted and measured crossovers, for all seeds and for every bootstrap resample of them.

    "constant" predicts the middle of the kernels' offsets, and knows nothing.

    Columns: predictor, architecture, width, networks (so many seeds), draw (−1: all seeds as they
    are), predicted, inside (whether it lies in the sweep), measured.
    """
    last = ambiguous[ambiguous["last"]]
    tables = []
    for key, own in last.groupby(["architecture", "width"], sort=False):
        offsets, colour = _curves(own, "colour")
        cells = [_cell(table, key) for table in (isolated, kernels)]
        draws = _draws(colour.shape[1])
        measured = [_half(offsets, colour[:, draw].mean(1)) for draw in draws]
        for name in PREDICTORS:
            table = cells[0] if name in _TRAINED else cells[1]
            found = _predict(name, table, draws)
            rows = {
                "predictor": name,
                "architecture": key[0],
                "width": key[1],
                "networks": colour.shape[1],
                "draw": range(-1, len(draws) - 1),
                "predicted": [cross.value for cross in found],
                "inside": [cross.inside for cross in found],
                "measured": [cross.value for cross in measured],
            }
            tables.append(pd.DataFrame(rows))
    return pd.concat(tables, ignore_index=True)


_TRAINED = ("samples", "steps", "bits")


def _cell(table: pd.DataFrame, key: Any) -> pd.DataFrame:
    return table[(table["architecture"] == key[0]) & (table["width"] == key[1])]


def _draws(seeds: int) -> list[np.ndarray]:
    return [np.arange(seeds), *simplicity.resampled(seeds)]


def _curves(table: pd.DataFrame, column: str) -> tuple[list[float], np.ndarray]:
    """Offsets, and values (offsets, seeds)."""
    wide = table.pivot(index="a", columns="seed", values=column).sort_index()
    return wide.index.tolist(), wide.to_numpy(dtype=float)


def _predict(name: str, table: pd.DataFrame, draws: list[np.ndarray]) -> list[Crossing]:
    """A predictor's crossing for each draw of seeds, in one architecture and width."""
    if name == "constant":
        middle = math.sqrt(table["a"].min() * table["a"].max())
        return [Crossing(middle, True)] * len(draws)
    if name == "linearised":
        offsets, colour = _curves(table[table["structure"] == "false"], "colour")
        return [_half(offsets, colour[:, draw].mean(1)) for draw in draws]
    curves = [_curves(table[table["structure"] == which], name) for which in WHICH]
    offsets = curves[0][0]
    sums = [[_SUMS[name](values[:, draw]) for draw in draws] for _, values in curves]
    return [simplicity.crossing(offsets, *pair) for pair in zip(*sums, strict=True)]


def _half(offsets: Sequence[float], share: np.ndarray) -> Crossing:
    """Where a share reaches one half; the end of the sweep if it doesn't inside of it."""
    if share[0] >= 0.5:
        return Crossing(float(offsets[0]), False)
    if share.max() < 0.5:
        return Crossing(float(offsets[-1]), False)
    return Crossing(success.crossover(torch.tensor(offsets), torch.tensor(share)), True)


def ranking(crossed: pd.DataFrame) -> dict[str, tuple[Estimate, Estimate]]:
    """For each predictor by what factor it is off, and its control, with intervals over seeds.

    The factor is the geometric mean of max(p/m, m/p) over architectures and widths, predicted p and
    measured m. In the control each prediction is held against all other crossovers instead. The
    estimates' n is the number of networks of the architecture and width that has the fewest.
    """
    return {str(name): _off(part) for name, part in crossed.groupby("predictor", sort=False)}


def _off(part: pd.DataFrame) -> tuple[Estimate, Estimate]:
    fewest = int(part["networks"].min())
    keys = ["architecture", "width"]
    wide = part.pivot(index="draw", columns=keys, values=["predicted", "measured"]).sort_index()
    logs = np.log(wide.to_numpy(dtype=float)).reshape(len(wide), 2, -1)
    gaps = np.abs(logs[:, 0, :, None] - logs[:, 1, None, :])  # (resamples, cells, cells)
    own = np.diagonal(gaps, axis1=1, axis2=2)
    cells = own.shape[1]
    others = (gaps.sum((1, 2)) - own.sum(1)) / (cells * (cells - 1)) if cells > 1 else own.sum(1)
    return _interval(np.exp(own.mean(1)), fewest), _interval(np.exp(others), fewest)


def _interval(values: np.ndarray, seeds: int) -> Estimate:
    """The first value, with the percentiles of the rest."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    value = float(values[0])
    return Estimate(value, min(float(low), value), max(float(high), value), seeds, "bootstrap")


def first_fit(ambiguous: pd.DataFrame) -> pd.DataFrame:
    """What each network reads before training, at its first fit, and in the end.

    Columns: architecture, width, a, seed, start, fit, end: shares of the conflict set read by
    colour. Fit is the first step looked at with a training accuracy of at least `FITS`; networks
    that never get there are left out of the column `fit` (NaN).
    """
    keys = ["architecture", "width", "a", "seed"]
    ordered = ambiguous.sort_values("step", kind="stable")
    fitting = ordered[ordered["accuracy"] >= FITS]
    parts = {
        "start": ordered.groupby(keys, sort=False)["colour"].first(),
        "fit": fitting.groupby(keys, sort=False)["colour"].first(),
        "end": ordered.groupby(keys, sort=False)["colour"].last(),
    }
    return pd.DataFrame(parts).reset_index()


Found = dict[str, tuple[Estimate, Estimate]]  # claim → estimate and control
_CLAIMS = {"norm": "kernel-norm"}  # predictors whose claims have another name


def prediction_claims(ranked: Found) -> Found:
    """Estimates of the claims that a measure predicts the crossover, from `ranking`."""
    return {
        f"simplicity-predicts-{_CLAIMS.get(name, name)}": pair
        for name, pair in ranked.items()
        if name != "constant"
    }


def width_claim(widths: pd.DataFrame) -> Found:
    """Estimate of the claim on widths: stripes against the oscillation; columns of `width_point`.

    A width beyond the largest counts as the largest.
    """
    found = {}
    for name, part in widths.groupby("problem"):
        needs = part["needs"].clip(upper=part["largest"])
        wide = part.assign(needs=needs).pivot(index="seed", columns="structure", values="needs")
        found[name] = statistics.paired_difference(
            np.log2(wide["original"].to_numpy()), np.log2(wide["false"].to_numpy())
        )
    return {"simplicity-width": (found["stripes"], found["oscillation"])}


def first_claim(ambiguous: pd.DataFrame) -> Found:
    """Estimate of the claim that the first structure captured is the last."""
    table = first_fit(ambiguous).dropna()
    end = table["end"] > 0.5
    share = {name: statistics.proportion(((table[name] > 0.5) == end).to_numpy())
             for name in ("fit", "start")}  # fmt: skip
    return {"simplicity-first-captured": (share["fit"], share["start"])}


def hint_claim(hints: pd.DataFrame) -> Found:
    """Estimate of the claim that the hint needs fewer samples than the oscillation."""

    def share(delta: float) -> Estimate:
        own = hints[np.isclose(hints["a"], delta)]
        wide = own.pivot(index="seed", columns="structure", values="samples")
        return statistics.proportion((wide["false"] < wide["original"]).to_numpy())

    usual, least = registry.STRENGTHS["oscillation"], float(hints["a"].min())
    return {"simplicity-hint-samples": (share(usual), share(least))}


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


def optimiser_claim(plain: pd.DataFrame, ambiguous: pd.DataFrame, a: float) -> Found:
    """Estimate of the claim that plain descent takes the colour where Adam does not.

    Args:
        plain: Of `descent` at offset a.
        ambiguous: With the linear network at that offset and at the paper's width.
    """
    own = _cell(ambiguous[ambiguous["last"]], (LINEAR.name, Stripes().width))
    adam = own[np.isclose(own["a"], a)]
    shares = [statistics.proportion((t["colour"] >= 0.75).to_numpy()) for t in (plain, adam)]
    return {"simplicity-optimiser": (shares[0], shares[1])}


def thin_claim() -> Found:
    """Estimate of the claim that linear networks can't read thin stripes: see `mean_difference`."""
    thin, usual = (mean_difference(Stripes(width=width)) for width in (1, 3))
    return {"simplicity-linear-thin": (statistics.exact(thin), statistics.exact(usual))}


def mean_difference(shape: Stripes) -> float:
    """Largest difference of a pixel between the mean horizontal and the mean vertical image.

    Over all stripes in both colours. The offset 1/4 makes the sums exact in binary.
    """
    sets = shape.described(0.25), shape.conflict_set(0.25)
    x, y = (torch.cat([pair[k] for pair in sets]) for k in (0, 1))
    return float((x[y > 0.5].mean(0) - x[y < 0.5].mean(0)).abs().max())


def board_claims(board: pd.DataFrame) -> Found:
    """Estimates of the status board's cells, at the problem's usual strength.

    The control: the same at the weaker strength; for the oscillation with a coin for the hint.

    Args:
        board: Columns problem, architecture, a, structure, seed, bits.
    """
    found: Found = {}
    for key, own in board.groupby(["problem", "architecture"], sort=False):
        name, architecture = map(str, key)
        strength = registry.STRENGTHS[name]
        usual, weak = (own[np.isclose(own["a"], factor * strength)] for factor in (1, WEAKER))
        coin = name == "oscillation"
        control = differences(usual, "coin") if coin else differences(weak)
        slug = architecture.lower().replace("'s", "").replace(" ", "-")
        found[f"simplicity-{name.split('-')[0]}-{slug}"] = (differences(usual), control)
    return found


def differences(table: pd.DataFrame, other: Which = "false") -> Estimate:
    """Bits of the original less bits of the other labelling, mean over paired seeds."""
    wide = table.pivot(index="seed", columns="structure", values="bits")
    return statistics.paired_difference(wide["original"].to_numpy(), wide[other].to_numpy())


def board(isolated: pd.DataFrame, hints: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The status board's table: what was measured already, and the cells of their own."""
    stripes = isolated[isolated["width"] == Stripes().width].assign(problem="stripes")
    tables = stripes, others, hints.assign(problem="oscillation")
    columns = ["problem", "architecture", "a", "structure", "seed", "bits"]
    return pd.concat([table[columns] for table in tables], ignore_index=True)


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


def needs(table: pd.DataFrame, *, steps: int) -> pd.DataFrame:
    """Each measure with its interval over seeds, by architecture, strength and structure.

    Columns: learner, a, structure, measure, value, low, high (infinite: more than the largest that
    was tried), largest.

    Args:
        table: As `both` gives it, with architecture and a.
        steps: The learner's largest number.
    """
    rows = []
    for key, own in table.groupby(["architecture", "a", "structure"], sort=False):
        for name in _TRAINED:
            values = own[name].to_numpy()
            largest = {"samples": float(own["tried"].iloc[0]), "steps": float(steps)}
            found: Estimate | Needed = (
                statistics.mean(values)
                if name == "bits"
                else simplicity.needed(values, largest[name])
            )
            row = dict(zip(("learner", "a", "structure"), key, strict=True)) | {"measure": name}
            row |= {"value": found.value, "low": found.low, "high": found.high}
            rows.append(row | {"largest": largest.get(name, math.nan)})
    return pd.DataFrame(rows)


def learners(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column learner, "architecture, w = width"."""
    names = table["architecture"] + ", w = " + table["width"].astype(str)
    return table.assign(learner=names)


def history_table(ambiguous: pd.DataFrame, offsets: Sequence[float]) -> pd.DataFrame:
    """Reading over time at the paper's width: what `plots.simplicity.history` draws.

    A network that has met the target is done, and stays as it was.
    """
    own = ambiguous[(ambiguous["width"] == Stripes().width) & ambiguous["a"].isin(offsets)]
    rows = []
    for (name, a), part in own.groupby(["architecture", "a"], sort=False):
        seen = part.pivot(index="step", columns="seed", values="colour").sort_index().ffill()
        fits = part[part["accuracy"] >= FITS].groupby("seed")["step"].min()
        for step in (step for step in LOOKS if step in seen.index):
            share = statistics.mean(seen.loc[step].to_numpy())
            row = {"learner": name, "a": a, "step": step, "fit": fits.median()}
            rows.append(row | {"mean": share.value, "low": share.low, "high": share.high})
    return pd.DataFrame(rows)


def linearised_table(ambiguous: pd.DataFrame, kernels: pd.DataFrame) -> pd.DataFrame:
    """Shares read by colour, trained and linearised: what `plots.simplicity.linearised` draws."""
    tables = {
        "trained": ambiguous[ambiguous["last"]],
        "linearised": kernels[kernels["structure"] == "false"],
    }
    rows = []
    for kind, table in tables.items():
        for (name, a), part in learners(table).groupby(["learner", "a"], sort=False):
            share = statistics.mean(part["colour"].to_numpy())
            row = {"learner": name, "a": a, "kind": kind, "share": share.value}
            rows.append(row | {"low": share.low, "high": share.high})
    return pd.DataFrame(rows)


def ranking_table(crossed: pd.DataFrame, factors: Mapping[str, float]) -> pd.DataFrame:
    """Predicted over measured crossovers: what `plots.simplicity.ranking` draws.

    Args:
        factors: By what factor each predictor is off.
    """
    rows = []
    for (predictor, learner), part in learners(crossed).groupby(
        ["predictor", "learner"], sort=False
    ):
        ratio = (part["predicted"] / part["measured"]).to_numpy()
        first = part[part["draw"] == -1].iloc[0]
        low, high = np.quantile(ratio[1:], [0.025, 0.975])
        value = float(first["predicted"] / first["measured"])
        row = {"predictor": NAMES[str(predictor)], "learner": learner, "ratio": value}
        row |= {"low": min(low, value), "high": max(high, value), "inside": bool(first["inside"])}
        rows.append(row | {"factor": factors[str(predictor)]})
    return pd.DataFrame(rows)


NAMES = {
    "samples": "samples",
    "steps": "steps",
    "bits": "code length",
    "norm": "kernel norm",
    "alignment": "kernel alignment",
    "linearised": "linearised network",
    "constant": "a constant",
}
