"""A new last layer on the features of a network: what it has learnt and does not use.

Kirichenko, Izmailov and Wilson (arXiv:2204.02937) learn the last layer anew. We do it on data in
which the false structure says nothing. The same is done with features that were not trained, and
with features that were trained as long on shuffled labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from falsestruct.evidence import spread
from falsestruct.learning import engines, training
from falsestruct.learning.networks import Architecture
from falsestruct.learning.schedule import Schedule, Trained
from falsestruct.problems.planted import Planted, Set

TESTED = 300  # images of the conflict set, shared by all networks
BALANCED_SEED, SHUFFLE_SEED, TEST_SEED = 2**21, 2**22, 30_000  # of data, beside a network's seed
SOLVER_STEPS = 2_000  # at most, of the logistic regression, with its usual ridge


def features(trained: Trained, x: Tensor) -> Tensor:
    """Outputs of the last hidden layer, (members, samples, units), of (members, samples, …).

    Raises:
        ValueError: the architecture is no stack of dense layers with a hidden one.
    """
    names = engines.dense_layers(trained.architecture.build())
    if len(names) < 2:
        raise ValueError(f"{trained.architecture.name} has no hidden layer; expected one or more")
    weight = trained.parameters[f"{names[-1]}.weight"]  # (members, outputs, units)
    members, _, units = weight.shape
    identity = torch.eye(units, dtype=weight.dtype).expand(members, units, units)
    nothing = torch.zeros(members, units, dtype=weight.dtype)
    changed = {f"{names[-1]}.weight": identity, f"{names[-1]}.bias": nothing}
    with torch.no_grad():
        return engines.forward(trained.architecture)(
            {**trained.parameters, **changed}, x.to(weight.dtype)
        )


def relearnt(known: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Labels (tests,) by a logistic regression on features (samples, units) and labels y."""
    rule = make_pipeline(StandardScaler(), LogisticRegression(max_iter=SOLVER_STEPS))
    found: np.ndarray = rule.fit(known, y).predict(asked)
    return found


def compare(
    problem: Planted,
    architecture: Architecture,
    seeds: Sequence[int],
    *,
    samples: int,
    schedule: Schedule,
) -> pd.DataFrame:
    """How much of the conflict set is read by the original, before and after.

    Networks of each seed in three arms: "untrained", "trained" where both structures predict the
    label, "shuffled" on the same inputs with their labels in a random order, each by `schedule`.
    The last layer is learnt anew on `samples` others, on half of which the false structure is
    wrong, with the original's labels; the same for all arms. Inputs of the conflict set that are
    among these others do not count for this seed.

    Columns: seed, arm, before, after (shares of the conflict set), accuracy (in training), one
    (whether the new last layer gives all inputs one label), right 0, right 1, … (whether it gives
    the original's label to that input; NaN where the input does not count).
    """
    sets = [problem.draw(samples, _generator(seed)) for seed in seeds]
    fair = [problem.draw(samples, _generator(BALANCED_SEED + seed), rho=0.5) for seed in seeds]
    test = _each_once(*problem.conflict_set(TESTED, _generator(TEST_SEED)))
    shuffled = [
        (inputs, labels[torch.randperm(samples, generator=_generator(SHUFFLE_SEED + seed))])
        for (inputs, labels), seed in zip(sets, seeds, strict=True)
    ]
    untrained = Schedule(0, batch=schedule.batch)
    arms = {
        "untrained": (sets, untrained),
        "trained": (sets, schedule),
        "shuffled": (shuffled, schedule),
    }
    tables = []
    for arm, (data, how) in arms.items():
        trained = training.train(architecture, data, list(seeds), how)
        own = training.as_function(trained)(torch.stack([inputs for inputs, _ in data])).detach()
        fits = engines.correct(own, torch.stack([labels for _, labels in data]))
        table = _readings(trained, fair, test)
        tables.append(table.assign(arm=arm, accuracy=fits.double().mean(1).numpy()))
    return pd.concat(tables, ignore_index=True)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _each_once(x: Tensor, y: Tensor) -> Set:
    """The different inputs among x, in their order, and their labels: some problems have few."""
    _, first = np.unique(x.flatten(1).numpy(), axis=0, return_index=True)
    kept = np.sort(first)
    return x[kept], y[kept]


def unseen(asked: Tensor, known: Tensor) -> np.ndarray:
    """Which inputs (tests,) of (tests, …) are none of those (samples, …), to the bit."""
    seen = {row.tobytes() for row in known.flatten(1).numpy()}
    return np.array([row.tobytes() not in seen for row in asked.flatten(1).numpy()])


def _readings(trained: Trained, fair: Sequence[Set], test: Set) -> pd.DataFrame:
    """Columns of `compare`, less those of the arm: a row a network."""
    (x, y), members = test, len(trained)
    known = features(trained, torch.stack([inputs for inputs, _ in fair])).numpy()
    asked = features(trained, x.expand(members, *x.shape)).numpy()
    says = np.stack([relearnt(known[i], fair[i][1].numpy(), asked[i]) for i in range(members)])
    counts = np.stack([unseen(x, inputs) for inputs, _ in fair])
    after = np.where(counts, says == y.numpy(), np.nan)
    right = engines.correct(training.outputs(trained, x), y.expand(members, -1)).numpy()
    table = pd.DataFrame({
        "seed": trained.seeds,
        "before": np.nanmean(np.where(counts, right, np.nan), axis=1),
        "after": np.nanmean(after, axis=1),
        "one": (says == says[:, :1]).all(1),
    })  # fmt: skip
    return table.join(spread("right", after))
