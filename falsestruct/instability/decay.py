"""Readers of the orientation under weight decay: how stable they are, and what that costs.

A decay penalises the sum of squared weights in gradient descent. With Adam it bounds the largest
weight, if training converges (Xie and Li, arXiv:2404.04454). With one hidden layer, weights and
bias u_j before a ReLU and v_j after it, c·u_j and v_j/c give the same outputs for every c > 0. Half
of the squares, (c²‖u_j‖² + v_j²/c²)/2, is least at ‖u_j‖·|v_j|. The larger of c‖u_j‖∞ and |v_j|/c
is least at the root of ‖u_j‖∞·|v_j|. So outputs cost the sum over ReLUs of the first, or the
largest of the second product. Both grow as outputs do if all weights grow. An output's own bias
is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from torch import Tensor

from falsestruct.evidence import said
from falsestruct.instability import attacks, exact, rules
from falsestruct.instability.attacks import Norm
from falsestruct.instability.exact import Dense
from falsestruct.instability.portrait import captures, held_out
from falsestruct.instability.thorough import STRONG
from falsestruct.instability.trained import fitted, training_set
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import by_name
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.stripes import Stripes
from falsestruct.theory.bands import euclidean, kept

STEPS = 600  # of Adam, whatever the decay is
ARCHITECTURE = "MLP"


def decayed(decay: float, *, seeds: Sequence[int], points: int) -> pd.DataFrame:
    """MLPs trained where the colour says nothing, with a weight decay: a row a network.

    Columns: seed, loss, steps, reached, decay, and those of `reader_rows`.
    """
    problem = registry.by_name("stripes")
    sets = [training_set(problem.name, (problem.strength, 0.5), seed) for seed in seeds]
    own = train(by_name(ARCHITECTURE), sets, seeds, Schedule(STEPS, weight_decay=decay))
    assert own.trained is not None
    networks = [exact.dense(own.trained, member) for member in range(len(own))]
    return own.table(decay=decay).join(reader_rows(problem, own, sets, networks, points=points))


def by_hand(*, points: int) -> pd.DataFrame:
    """`rules.bands_network`, measured in the same way: one row."""
    problem, network = registry.by_name("stripes"), rules.bands_network()
    own = Ensemble(rules.outputs_of(network), (0,))
    sets = [training_set(problem.name, (problem.strength, 0.5), 0)]
    return reader_rows(problem, own, sets, [network], points=points)


def reader_rows(
    problem: Planted,
    own: Ensemble,
    sets: Sequence[Set],
    networks: Sequence[Dense],
    *,
    points: int,
) -> pd.DataFrame:
    """Fit, reading, stability and cost: a row a member.

    Columns: right, accuracy on the training set; capture; size and euclid, medians over points of
    the ℓ∞ and ℓ2 sizes; cost and peak, of `costs`.

    Args:
        sets: What each member was trained on.
        networks: Its layers.
    """
    x = held_out(problem, points)[0].float()
    norms: dict[str, Norm] = {"size": "linf", "euclid": "l2"}
    columns = {
        name: attacks.smallest_perturbations(
            own.outputs, x, norm=norm, members=len(own), starts=STRONG[0], steps=STRONG[1]
        ).size.quantile(0.5, dim=1).tolist()
        for name, norm in norms.items()
    }  # fmt: skip
    found = [costs(network, *given) for network, given in zip(networks, sets, strict=True)]
    cost, peak = zip(*found, strict=True)
    read = {"right": fitted(own, sets).tolist(), "capture": captures(problem, own).tolist()}
    return pd.DataFrame(read | columns | {"cost": cost, "peak": peak})


def costs(network: Dense, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Least half sum of squares, and least square of the largest weight, by the margin.

    The margin is the least output towards the label on these inputs; infinite if one is wrong.

    Raises:
        ValueError: the network has not exactly one hidden layer.
    """
    if len(network.weights) != 2:
        raise ValueError(f"{len(network.weights)} layers; expected 2: one is hidden")
    sides = 2 * y.double().numpy() - 1
    margin = float((sides * network(x.double().flatten(1).numpy())).min())
    if margin <= 0:
        return math.inf, math.inf
    before = np.column_stack([network.weights[0], network.biases[0]])
    after = np.abs(network.weights[1][0])
    squares = float(after @ np.linalg.norm(before, axis=1))
    return squares / margin, float((after * np.abs(before).max(1)).max()) / margin


def relative(decays: pd.DataFrame) -> pd.DataFrame:
    """Sizes in units of the orientation's radius, in either norm: decay, size, euclid."""
    shape = Stripes()
    return pd.DataFrame({
        "decay": decays["decay"],
        "size": decays["size"] / rules.STRIPE_RADIUS,
        "euclid": decays["euclid"] / euclidean(shape.size, shape.width),
    })  # fmt: skip


def bound(times: int = 1) -> float:
    """What `rules.bands_network` keeps of the orientation's ℓ∞ radius, proved.

    Args:
        times: How many times the usual offset.
    """
    shape, a = Stripes(), Fraction(str(registry.STRENGTHS["stripes"]))
    return float(kept(shape.size, shape.width, times * a) / Fraction(rules.STRIPE_RADIUS))


def numbers(decays: pd.DataFrame) -> dict[str, float]:
    """Means by decay in those units, `size_DECAY` and so on, the least fit, what a margin costs.

    The network that is built by hand is `hand`.
    """
    table = decays.assign(**relative(decays)[["size", "euclid"]])
    hand, own = (table[mask] for mask in (table["decay"].isna(), table["decay"].notna()))
    columns = ["size", "euclid", "cost", "peak"]
    return {
        "bound": bound(),
        "right_least": own["right"].min(),
        **said(own, "decay", [*columns, "loss"]),
        **{f"{name}_hand": float(hand[name].iloc[0]) for name in columns},
    }
