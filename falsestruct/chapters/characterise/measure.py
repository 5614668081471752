"""The level of a search over many statistics, and audits of networks whose answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from falsestruct.chapters.characterise import runs
from falsestruct.characterise import audit as auditing
from falsestruct.characterise.benchmark import FIXED, HOWS
from falsestruct.characterise.known import Predict, coins, mixture
from falsestruct.characterise.search import Search, library, probes
from falsestruct.instability import attacks
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import fitting
from falsestruct.learning.training import Schedule
from falsestruct.problems.planted import Planted, registry
from falsestruct.sweep.grid import sweep

PROBLEMS = list(registry.PROBLEMS)
IMAGES, STEPS, TARGET = 600, 1_000, 1e-2  # of a training set, drawn from the pool; of training
PROBE_SEED = 10_000  # inputs to read on: no training set has this seed
# Problem, strength, and Adam's rate if it is not the architecture's.
KINDS: dict[str, tuple[str, float, float | None]] = {
    "orientation": ("stripes", 0.01, None),
    "colour": ("stripes", 0.2, None),
    "hint": ("oscillation", 0.1, 5e-3),
    "brightness": ("digits-brightness", 0.2, None),
    "pixel": ("digits-pixel", 2.0, None),
    "sinusoid": ("digits-sinusoid", 0.2, None),
}


def generator(seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def planted(kind: str) -> Planted:
    """The problem at a strength at which all networks take the same structure."""
    return registry.by_name(*KINDS[kind][:2])


def live(count: int, *, queries: int) -> pd.DataFrame:
    """`runs.searched` of the first networks of the fixed set, in blocks as they were recorded."""
    starts = range(0, count, runs.BLOCK)
    grid = [{"draw": FIXED, "start": start, "count": min(runs.BLOCK, count - start)}
            | {"how": HOWS[0], "queries": queries} for start in starts]  # fmt: skip
    return sweep(runs.searched, grid)


def level(*, labellings: int, samples: int, permutations: int) -> pd.DataFrame:
    """p-values of the best of many statistics on labels that are coins: labelling, p, p_single.

    On digits with varied brightness. A few labellings without ten inputs of each label in each half
    have p = 1.
    """
    x, base = probes(planted("brightness"), samples, generator(PROBE_SEED))
    search = Search(library(x), base=base)
    rows = []
    for labelling in range(labellings):
        coins = torch.rand(samples, generator=generator(labelling)) < 0.5
        found = search.read(coins, permutations=permutations)
        rows.append({"labelling": labelling, "p": found.p, "p_single": found.p_single})
    return pd.DataFrame(rows)


def train(kind: str, seeds: Sequence[int], *, steps: int = STEPS) -> Ensemble:
    """Networks of a kind: the deep MLP for images, the paper's for the oscillation."""
    problem, rate = planted(kind), KINDS[kind][2]
    among = fitting(problem.direction.shape)
    architecture = next((one for one in among if one.name == "deep MLP"), among[0])
    size = min(problem.samples, IMAGES)
    sets = [problem.draw(size, generator(seed)) for seed in seeds]
    return ensembles.train(
        architecture, sets, seeds, Schedule(steps, target=TARGET, learning_rate=rate)
    )


def mixtures(
    problems: Sequence[str], shares: Sequence[float], *, seeds: int, samples: int
) -> pd.DataFrame:
    """Audits of networks built by hand: problem, p, seed, share, low, high, verdict, right."""
    grid: list[dict[str, Any]] = [
        {"problem": problem, "p": p, "seeds": seeds, "samples": samples}
        for problem in problems for p in shares
    ]  # fmt: skip
    return sweep(mixture_point, grid).drop(columns=["seeds", "samples"])


def mixture_point(*, problem: str, p: float, seeds: int, samples: int) -> pd.DataFrame:
    """One point of `mixtures`."""
    own = registry.by_name(problem)
    right = {0.0: own.original.name, 1.0: own.false.name}.get(p, "mixture")
    tables = [audits(own, mixture(own, p, seed), [seed], samples=samples) for seed in range(seeds)]
    table = pd.concat(tables, ignore_index=True)
    return table.assign(problem=problem, p=p, right=table["verdict"] == right)


def audits(
    problem: Planted, predict: Predict, seeds: Sequence[int], *, samples: int
) -> pd.DataFrame:
    """Audits of networks, without perturbations: seed, share of the false one, low, high, verdict.

    Each on inputs of its own.
    """
    rows = []
    for member, seed in enumerate(seeds):

        def one(x: Tensor, member: int = member) -> Tensor:
            return predict(x)[member]

        found = auditing.audit(one, problem, samples=samples, points=0, seed=PROBE_SEED + seed)
        false = found.captures[1]
        rows.append((seed, false.share, false.low, false.high, found.verdict))
    return pd.DataFrame(rows, columns=["seed", "share", "low", "high", "verdict"])


def null_audits(kinds: Sequence[str], *, seeds: int, samples: int) -> pd.DataFrame:
    """Audits of networks that learnt nothing: kind, training, and those of `audits`."""
    tables = []
    for kind in kinds:
        null = {"untrained": train(kind, range(seeds), steps=0).labels,
                "random": coins(list(range(seeds)))}  # fmt: skip
        for how, predict in null.items():
            table = audits(planted(kind), predict, range(seeds), samples=samples)
            tables.append(table.assign(kind=kind, training=how))
    return pd.concat(tables, ignore_index=True)


def exact_sizes(problems: Sequence[str], *, points: int) -> pd.DataFrame:
    """The search for perturbations on the false structure itself: problem, norm, ratio, random.

    Ratios of median sizes to the exact median; `random` of random directions only.
    """
    rows = []
    for name in problems:
        own = registry.by_name(name)
        x = held_out(own)
        for norm in ("l2", "linf"):
            exact = own.distance(x[:points], norm).median()
            found = auditing.perturbations(own.false, own, x, norm=norm, points=points).median()
            chance = auditing.random_only(own.false, own, x, norm=norm, points=points).median()
            rows.append((name, norm, (found / exact).item(), (chance / exact).item()))
    return pd.DataFrame(rows, columns=["problem", "norm", "ratio", "random"])


def gaps(kinds: Sequence[str], *, seeds: int, points: int) -> pd.DataFrame:
    """Sizes from labels against a gradient attack, Euclidean norm: kind, seed, ratio, random.

    Ratios of median sizes. Where random directions find nothing, the end of the search counts,
    which is too small.
    """
    grid = [{"kind": kind, "seeds": list(range(seeds)), "points": points} for kind in kinds]
    return sweep(gap_point, grid).drop(columns="points")


def gap_point(*, kind: str, seeds: list[int], points: int) -> pd.DataFrame:
    """One point of `gaps`."""
    own, trained = planted(kind), train(kind, seeds)
    x = held_out(own)
    attack = attacks.smallest_perturbations(
        trained.outputs, x[:points].float(), norm="l2", members=len(trained), steps=30, starts=4
    )
    end = auditing.RANDOM_REACH * own.distance(x[:points], "l2")
    rows = []
    for member, seed in enumerate(seeds):
        alone = trained.select([member])

        def one(z: Tensor, alone: Ensemble = alone) -> Tensor:
            return alone.labels(z)[0]

        white = attack.size[member].median()
        found = auditing.perturbations(one, own, x, norm="l2", points=points).median() / white
        chance = auditing.random_only(one, own, x, norm="l2", points=points).minimum(end).median()
        rows.append((seed, found.item(), (chance / white).item()))
    return pd.DataFrame(rows, columns=["seed", "ratio", "random"]).assign(kind=kind)


def held_out(problem: Planted) -> Tensor:
    """Different held-out inputs on which both structures are right."""
    x, _ = problem.draw(100, generator(PROBE_SEED), held_out=True)
    return auditing.once(x)


def fit(problem: Planted, seed: int, *, rho: float = 1.0) -> Predict:
    """Logistic regression on a planted training set of its own: one member, (1, samples)."""
    x, y = problem.draw(IMAGES, generator(seed), rho=rho)
    own = LogisticRegression(max_iter=2_000).fit(x.flatten(1).numpy(), y.numpy())
    return lambda z: torch.from_numpy(own.predict(z.flatten(1).numpy())).long()[None]


def models(*, fits: int, samples: int) -> pd.DataFrame:
    """Audits of logistic regression on the sinusoid, and where it says nothing (ρ = ½).

    Columns: rho, and those of `audits`.
    """
    grid = [{"rho": rho, "fits": fits, "samples": samples} for rho in (1.0, 0.5)]
    return sweep(model_point, grid).drop(columns=["fits", "samples"])


def model_point(*, rho: float, fits: int, samples: int) -> pd.DataFrame:
    """One point of `models`."""
    own = planted("sinusoid")
    tables = [audits(own, fit(own, seed, rho=rho), [seed], samples=samples) for seed in range(fits)]
    return pd.concat(tables, ignore_index=True).assign(rho=rho)


def forest() -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """A random forest on digits whose corner mostly tells the label, as a stranger has it.

    Returns:
        Images (n, 8, 8) to labels (n,); held-out images, their labels, and what the corner says.
    """
    own = planted("pixel")
    x, y = own.draw(IMAGES, generator(0), rho=0.95)
    fitted = RandomForestClassifier(30, random_state=0).fit(x.flatten(1).numpy(), y.long().numpy())
    held, truth = own.draw(400, generator(1), rho=0.9, held_out=True)
    return (
        lambda images: np.asarray(fitted.predict(images.reshape(len(images), -1))),
        held.numpy(), truth.long().numpy(), own.false(held).numpy(),
    )  # fmt: skip
