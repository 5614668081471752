"""What does a given network read? The search and the audit, on networks whose answer is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import Tensor

from falsestruct import success
from falsestruct.characterise import audit as auditing
from falsestruct.characterise.known import Predict, coins, mixture
from falsestruct.characterise.search import LEVEL, NONE, Search, decoupled, library, probes
from falsestruct.evidence import Found, mean, summary
from falsestruct.instability import attacks
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import Architecture, fitting
from falsestruct.learning.training import Schedule
from falsestruct.problems.planted import Planted, registry
from falsestruct.sweep.grid import sweep

MOST_STEPS, TARGET = 1_000, 1e-2
IMAGES = 600  # of a training set, drawn from the pool: no two networks have the same digits
BY_HEART = 300, 100  # of a set with shuffled labels: images, and steps at most
PROBE_SEED = 10_000  # inputs to read on: no training set has this seed
BLOCK = 5  # networks that train together and are read on the same inputs
CONFLICT = 300
SIZES = (40, 80, 160, 320, 640, 1280)  # numbers of inputs on which luck is measured
TRAININGS = ("planted", "independent", "untrained", "shuffled")
NULL = ("untrained", "shuffled", "random")


@dataclass(frozen=True)
class Kind:
    """Networks of which it is known what they follow.

    Attributes:
        problem, strength: As in `registry.by_name`.
        expected: The statistic of the library that they follow.
        learning_rate: Of Adam; None: the architecture's.
    """

    problem: str
    strength: float
    expected: str
    learning_rate: float | None = None

    @property
    def planted(self) -> Planted:
        """The problem."""
        return registry.by_name(self.problem, self.strength)

    @property
    def architecture(self) -> Architecture:
        """The deep MLP for images, the paper's network for the oscillation."""
        among = fitting(self.planted.direction.shape)
        return next((one for one in among if one.name == "deep MLP"), among[0])


# Strengths at which every network takes the structure that stands here.
KINDS = {
    "orientation": Kind("stripes", 0.01, "orientation"),
    "colour": Kind("stripes", 0.2, "mean"),
    "hint": Kind("oscillation", 0.1, "x₂", learning_rate=5e-3),
    "brightness": Kind("digits-brightness", 0.2, "mean"),
    "pixel": Kind("digits-pixel", 2.0, "pixel (0, 0)"),
    "sinusoid": Kind("digits-sinusoid", 0.2, "Fourier (0, 2), odd"),
}
DIGITS = ("brightness", "pixel", "sinusoid")


def generator(seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def cases() -> dict[str, tuple[str, ...]]:
    """The kinds with their controls: trained where the pattern says nothing.

    That of "orientation" is "colour": the same stripes with a larger offset.
    """
    both = ("planted", "independent")
    return {kind: both[:1] if kind == "orientation" else both for kind in KINDS}


def null_cases() -> dict[str, tuple[str, ...]]:
    """Networks that learnt nothing, on one problem of each sort."""
    return {kind: NULL for kind in ("colour", "hint", "brightness")}


def train(kind: Kind, how: str, seeds: Sequence[int]) -> Ensemble:
    """Networks of a kind, each on a set of its own.

    Args:
        how: "planted" (the false structure agrees with all labels), "independent" (with half of
            them), "untrained", or "shuffled" (labels drawn anew).
    """
    if how not in TRAININGS:
        raise ValueError(f"how is {how!r}; expected one of {', '.join(TRAININGS)}")
    problem = kind.planted
    sets = []
    for seed in seeds:
        own = generator(seed)
        size = min(problem.samples, BY_HEART[0] if how == "shuffled" else IMAGES)
        x, y = problem.draw(size, own, rho=0.5 if how == "independent" else 1.0)
        order = torch.randperm(len(y), generator=own)
        sets.append((x, y[order] if how == "shuffled" else y))
    steps = {"untrained": 0, "shuffled": BY_HEART[1]}.get(how, MOST_STEPS)
    schedule = Schedule(steps, target=TARGET, learning_rate=kind.learning_rate)
    return ensembles.train(kind.architecture, sets, seeds, schedule)


def networks(kind: Kind, how: str, seeds: Sequence[int]) -> Predict:
    """Networks of a kind as labels; "random" ones answer at random, but always the same."""
    return coins(list(seeds)) if how == "random" else train(kind, how, seeds).labels


def readings(
    cases: Mapping[str, Sequence[str]], *, seeds: int, samples: int, permutations: int
) -> pd.DataFrame:
    """What the search says about networks of the kinds given: one row a network.

    Columns: kind, training, and those of `read_networks`.

    Args:
        cases: For each kind how its networks come about: of `TRAININGS`, or "random".
    """
    grid = [
        {"kind": kind, "training": how, "seeds": block}
        | {"samples": samples, "permutations": permutations}
        for kind, trainings in cases.items()
        for how in trainings
        for block in _blocks(seeds)
    ]
    return sweep(reading_point, grid).drop(columns=["samples", "permutations"])


def reading_point(
    *, kind: str, training: str, seeds: list[int], samples: int, permutations: int
) -> pd.DataFrame:
    """One point of `readings`."""
    own, sizes = KINDS[kind], {"samples": samples, "permutations": permutations}
    table = read_networks(own.planted, networks(own, training, seeds), seeds, **sizes)
    return table.assign(kind=kind, training=training)


def read_networks(
    problem: Planted,
    predict: Predict,
    seeds: Sequence[int],
    *,
    samples: int,
    permutations: int,
) -> pd.DataFrame:
    """Columns: seed, named, best, score, p, p_single, runner_up, ahead, captured.

    `captured` is the share of the conflict set on which the network follows the false structure,
    which the search doesn't know.
    """
    own = generator(PROBE_SEED + seeds[0])
    x, base = probes(problem, samples, own)
    apart, y = problem.conflict_set(CONFLICT, own)
    search = Search(library(x), base=base, seed=seeds[0])
    found = [search.read(labels, permutations=permutations) for labels in predict(x)]
    fields = ("named", "best", "score", "p", "p_single", "runner_up", "ahead")
    return pd.DataFrame(
        {"seed": list(seeds)}
        | {field: [getattr(one, field) for one in found] for field in fields}
        | {"captured": (1 - success.accuracy(predict(apart), y)).tolist()}
    )


def both(found: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """Readings in the order of `confusion`: networks that took a structure, others, null ones."""
    planted_first = found.sort_values("training", key=lambda v: v != "planted", kind="stable")
    return pd.concat((planted_first, null), ignore_index=True)


def confusion(table: pd.DataFrame) -> pd.DataFrame:
    """How often what is named: one row a kind and training, and name.

    Columns: networks, named, count, of. Names that no kind expects are "another statistic".
    """
    names = list(dict.fromkeys(kind.expected for kind in KINDS.values()))
    names += ["another statistic", NONE]
    rows = []
    for (kind, how), part in table.groupby(["kind", "training"], sort=False):
        label = str(kind) if how == "planted" else f"{kind}, {how}"
        counts = part["named"].where(part["named"].isin(names), "another statistic").value_counts()
        for name in names:
            own = {"named": name, "count": int(counts.get(name, 0)), "of": len(part)}
            rows.append({"networks": label} | own)
    return pd.DataFrame(rows)


def level(*, labellings: int, samples: int, permutations: int) -> pd.DataFrame:
    """p-values of the search on labels that are coin flips: labelling, p, p_single.

    On digits with varied brightness. A few labellings without ten inputs of each label in each half
    have p = 1.
    """
    x, base = probes(KINDS["brightness"].planted, samples, generator(PROBE_SEED))
    search = Search(library(x), base=base)
    rows = []
    for labelling in range(labellings):
        coins = torch.rand(samples, generator=generator(labelling)) < 0.5
        found = search.read(coins, permutations=permutations)
        rows.append({"labelling": labelling, "p": found.p, "p_single": found.p_single})
    return pd.DataFrame(rows)


def luck(sizes: Sequence[int], *, labellings: int) -> pd.DataFrame:
    """How well statistics predict coin flips: inputs, of, score (95th percentile over labellings).

    `of`: "the best of the library", and "one statistic", the mean.
    """
    rows = []
    for samples in sizes:
        own = library(decoupled(KINDS["colour"].planted, samples, generator(PROBE_SEED)))
        coins = torch.rand(labellings, samples, generator=generator(samples)) < 0.5
        scores, _ = Search(own).scores(coins)
        for name, values in (
            ("the best of the library", scores.amax(1)),
            ("one statistic", scores[:, 0]),
        ):
            top = values.quantile(1 - LEVEL).item()
            rows.append({"inputs": samples, "of": name, "score": top, "statistics": len(own)})
    return pd.DataFrame(rows)


ROWS = "best single row"


def offsets(values: Sequence[float], *, seeds: int, samples: int) -> pd.DataFrame:
    """Scores of three candidates on stripes against the offset: a, statistic, score, low, high."""
    grid = [{"a": a, "seeds": list(range(seeds)), "samples": samples} for a in values]
    return _scores(sweep(offset_point, grid), ["a", "statistic"])


def offset_point(*, a: float, seeds: list[int], samples: int) -> pd.DataFrame:
    """One point of `offsets`: one row a network and candidate."""
    kind = Kind("stripes", a, "")
    x = decoupled(kind.planted, samples, generator(PROBE_SEED))
    return candidate_scores(x, networks(kind, "planted", seeds)(x), ("mean", "orientation", ROWS))


def reaches(values: Sequence[float], kind: str, *, seeds: int, samples: int) -> pd.DataFrame:
    """Score of the expected statistic against the probe's reach: reach, training, score, low, high.

    Networks with one answer everywhere count one half.
    """
    own = KINDS[kind]
    tables = []
    for how in ("planted", "independent", "untrained"):
        predict = networks(own, how, range(seeds))
        for reach in values:
            x = decoupled(own.planted, samples, generator(PROBE_SEED), reach=reach)
            scores = candidate_scores(x, predict(x), (own.expected,))
            tables.append(scores.assign(reach=reach, training=how))
    return _scores(pd.concat(tables), ["training", "reach"])


def candidate_scores(x: Tensor, labels: Tensor, names: Sequence[str]) -> pd.DataFrame:
    """Held-out balanced accuracy of some candidates: network, statistic, score.

    The best row is chosen on the half that thresholds are fitted on: judged by hindsight, the best
    of many would be flattered.

    Args:
        labels: (networks, samples).
    """
    own = library(x)
    scores, fits = Search(own).scores(labels)
    rows = torch.tensor([i for i, name in enumerate(own.names) if name.startswith("row ")])
    best = rows[fits[:, rows].argmax(1)] if ROWS in names else None
    columns = {
        name: scores[range(len(scores)), own.names.index(name) if name != ROWS else best]
        for name in names
    }
    return pd.concat(
        pd.DataFrame({"network": range(len(labels)), "statistic": name, "score": v.tolist()})
        for name, v in columns.items()
    )


def _scores(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means of `score` over networks, with intervals."""

    def shares(values: object) -> Found:
        return mean(values, bounds=(0.0, 1.0))  # type: ignore[arg-type]

    return summary(table, by, "score", name="score", measure=shares)


def mixtures(
    problems: Sequence[str], shares: Sequence[float], *, seeds: int, samples: int
) -> pd.DataFrame:
    """Audits of networks built by hand: problem, p, seed, share, low, high, verdict, right."""
    grid = [
        {"problem": problem, "p": p, "seeds": seeds, "samples": samples}
        for problem in problems
        for p in shares
    ]
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
        for how in ("untrained", "random"):
            predict = networks(KINDS[kind], how, range(seeds))
            table = audits(KINDS[kind].planted, predict, range(seeds), samples=samples)
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
            found = auditing.perturbations(own.false, own, x, norm=norm, points=points)
            chance = auditing.random_only(own.false, own, x, norm=norm, points=points)
            rows.append(
                {"problem": name, "norm": norm, "ratio": (found.median() / exact).item()}
                | {"random": (chance.median() / exact).item()}
            )
    return pd.DataFrame(rows)


def gaps(kinds: Sequence[str], *, seeds: int, points: int) -> pd.DataFrame:
    """Sizes from labels against a gradient attack, Euclidean norm: kind, seed, ratio, random.

    Ratios of median sizes. Where random directions find nothing, the end of the search counts,
    which is too small.
    """
    grid = [{"kind": kind, "seeds": list(range(seeds)), "points": points} for kind in kinds]
    return sweep(gap_point, grid).drop(columns="points")


def gap_point(*, kind: str, seeds: list[int], points: int) -> pd.DataFrame:
    """One point of `gaps`."""
    own = KINDS[kind].planted
    trained = train(KINDS[kind], "planted", seeds)
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


MODELS: dict[str, Callable[[int], object]] = {
    "logistic regression": lambda seed: LogisticRegression(max_iter=2_000),
    "support vectors": lambda seed: SVC(),
    "nearest neighbours": lambda seed: KNeighborsClassifier(),
    "random forest": lambda seed: RandomForestClassifier(30, random_state=seed),
}


def fit(model: str, problem: Planted, seed: int, *, rho: float = 1.0) -> Predict:
    """A scikit-learn model on a planted training set of its own: one member, (1, samples)."""
    x, y = problem.draw(IMAGES, generator(seed), rho=rho)
    own = MODELS[model](seed).fit(x.flatten(1).numpy(), y.numpy())  # type: ignore[attr-defined]
    return lambda z: torch.from_numpy(own.predict(z.flatten(1).numpy())).long()[None]


def models(kinds: Sequence[str], *, fits: int, samples: int) -> pd.DataFrame:
    """Audits of scikit-learn models: kind, model, rho, and those of `audits`.

    Logistic regression also where the pattern says nothing (ρ = ½). The other models, which are
    slower, get half as many fits.
    """
    linear = "logistic regression"
    grid = [
        {"kind": kind, "model": model, "rho": rho, "samples": samples}
        | {"fits": fits if model == linear else (fits + 1) // 2}
        for kind in kinds
        for model, rho in [(name, 1.0) for name in MODELS] + [(linear, 0.5)]
    ]
    return sweep(model_point, grid).drop(columns=["fits", "samples"])


def model_point(*, kind: str, model: str, rho: float, fits: int, samples: int) -> pd.DataFrame:
    """One point of `models`."""
    own = KINDS[kind].planted
    tables = [
        audits(own, fit(model, own, seed, rho=rho), [seed], samples=samples) for seed in range(fits)
    ]
    return pd.concat(tables, ignore_index=True).assign(kind=kind, model=model, rho=rho)


def _blocks(seeds: int) -> list[list[int]]:
    return [list(range(i, min(i + BLOCK, seeds))) for i in range(0, seeds, BLOCK)]
