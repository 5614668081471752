"""Smallest perturbations, 256 images and 20 MLPs: the book's attack against foolbox.

Two things could be fast here: the search, and that all members go through one batched product. So
foolbox attacks the 20 members as one model, whose batch is members × images and whose layers are
the same batched products: what is left is the search. One member after the other stands beside it.

DDN and LInfFMN, at their default 100 steps, found the smallest of what foolbox 3.3.4 offers here.
Its L2FMN and its DeepFool (ℓ2 and ℓ∞) stop at perturbations that are a third larger.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import foolbox
import torch
from foolbox.attacks.base import MinimizationAttack as Minimization
from torch import Tensor, nn

from benchmarks.measure import Comparison, Way, compare_each
from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack, Norm
from falsestruct.learning import training
from falsestruct.learning.networks import MLP
from falsestruct.learning.training import Schedule, Trained
from falsestruct.problems.stripes import Stripes

MEMBERS, POINTS, STEPS = 20, 256, 150
BAND = (0.05, 0.15)
BOUNDS = (-100.0, 100.0)  # so wide that they never bind: ours has none
FOOLBOX: dict[Norm, Minimization] = {
    "l2": foolbox.attacks.DDNAttack(),
    "linf": foolbox.attacks.LInfFMNAttack(),
}
EVALUATIONS = 20  # gradients that ours takes; foolbox's default is 100 steps
FEW: dict[Norm, Minimization] = {
    "l2": foolbox.attacks.DDNAttack(steps=EVALUATIONS),
    "linf": foolbox.attacks.LInfFMNAttack(steps=EVALUATIONS),
}
OTHERS: dict[str, tuple[Norm, Minimization]] = {
    "L2FMN": ("l2", foolbox.attacks.L2FMNAttack()),
    "L2DeepFool": ("l2", foolbox.attacks.L2DeepFoolAttack()),
    "LinfDeepFool": ("linf", foolbox.attacks.LinfDeepFoolAttack()),
}


class Logits(nn.Module):
    """Two logits, as foolbox wants them, from one output f (samples, 1): −f/2 and f/2."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        half = self.network(x)[:, 0] / 2
        return torch.stack((-half, half), 1)


class Together(nn.Module):
    """Networks as one: inputs (members · samples, …), one member after the other, to (…, 1).

    Args:
        function: Outputs (members, samples) of inputs (members, samples, …).
    """

    def __init__(self, function: Callable[[Tensor], Tensor], members: int) -> None:
        super().__init__()
        self.function, self.members = function, members

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x.unflatten(0, (self.members, -1))).flatten()[:, None]


@cache
def trained() -> Trained:
    """20 MLPs after 150 steps on the stripes, loss about 1e-3."""
    data, schedule = Stripes().described(0.1), Schedule(STEPS)
    return training.train(MLP, data, range(MEMBERS), schedule, device="cpu")


@cache
def images() -> Tensor:
    """Random stripes, (256, 32, 32)."""
    generator = torch.Generator().manual_seed(1)
    return Stripes().test(POINTS, BAND, "true", generator)[0].float()


def ours(norm: Norm) -> Attack:
    """All members at once."""
    function = training.as_function(trained())
    return attacks.smallest_perturbations(function, images(), norm=norm, members=MEMBERS)


def one_model(norm: Norm, attack: Minimization) -> Tensor:
    """foolbox on all members as one model: sizes (members, samples), float64."""
    network = Together(training.as_function(trained()), MEMBERS)
    x = images()
    return _found(network, x.repeat(MEMBERS, *[1] * (x.ndim - 1)), norm, attack).view(MEMBERS, -1)


def one_by_one(norm: Norm, attack: Minimization) -> Tensor:
    """foolbox on one network after the other: sizes (members, samples), float64."""
    found = []
    for member in range(MEMBERS):
        network = MLP.build()
        parameters = trained().parameters.items()
        network.load_state_dict({name: p[member] for name, p in parameters})
        found.append(_found(network.eval().requires_grad_(False), images(), norm, attack))
    return torch.stack(found)


def _found(network: nn.Module, x: Tensor, norm: Norm, attack: Minimization) -> Tensor:
    """Sizes (samples,) of an attack's perturbations; infinite where the label stayed."""
    model = foolbox.PyTorchModel(Logits(network).eval(), bounds=BOUNDS, device="cpu")
    labels = model(x).argmax(1)
    moved = attack.run(model, x, foolbox.criteria.Misclassification(labels))
    eta = (moved - x).flatten(1).double()
    size = eta.norm(dim=1) if norm == "l2" else eta.abs().amax(1)
    return torch.where(model(moved).argmax(1) != labels, size, torch.inf)


def sizes() -> list[dict[str, float | str | None]]:
    """One row an attack: norm, name, median, 95th percentile, and how ours compares with it.

    A size is None if so many points keep their label. Medians are over points and members, of one
    run: the attacks draw nothing. `no_larger` is the share of points at which our size is at most
    1.001 times the attack's.
    """
    own = {norm: ours(norm).size for norm in FOOLBOX}
    attacks = {type(attack).__name__: (norm, attack) for norm, attack in FOOLBOX.items()} | OTHERS
    rows = [_row(norm, "ours", size, size) for norm, size in own.items()]
    for name, (norm, attack) in attacks.items():
        rows.append(_row(norm, name, one_by_one(norm, attack), own[norm]))
    return rows + [_row(n, "few steps", one_model(n, attack), own[n]) for n, attack in FEW.items()]


def _row(norm: Norm, name: str, size: Tensor, own: Tensor) -> dict[str, float | str | None]:
    return {
        "norm": norm,
        "attack": name,
        "median": _finite(size.median()),
        "p95": _finite(size.quantile(0.95, interpolation="lower")),
        "no_larger": (own <= 1.001 * size).double().mean().item(),
    }


def _finite(size: Tensor) -> float | None:
    """None where so many points kept their labels that there is no such size."""
    return size.item() if size.isfinite() else None


def rows() -> list[Comparison]:
    """Three comparisons a norm: with foolbox on one model, which is promised; with as few steps
    as ours takes; and one by one.

    Raises:
        ArithmeticError: our median is larger than foolbox's, so that being faster means nothing.
    """
    return [row for norm, attack in FOOLBOX.items() for row in _compared(norm, attack)]


def _compared(norm: Norm, attack: Minimization) -> list[Comparison]:
    mine = ours(norm).size.median().item()
    ways: dict[str, tuple[Way, float | None]] = {}
    for how, way, by, wanted in (
        ("members as one model", one_model, attack, 5.0),
        (f"members as one model, {EVALUATIONS} steps", one_model, FEW[norm], None),
        ("members one by one", one_by_one, attack, None),
    ):
        other = way(norm, by).median().item()
        if not mine <= other:
            raise ArithmeticError(
                f"{norm}: our median size is {mine:.5g}, foolbox's {other:.5g} with {how}; "
                "expected at most that: raise steps or starts"
            )
        ways[how] = (lambda way=way, by=by: float(way(norm, by).numel())), wanted  # type: ignore[misc]
    name = f"foolbox {foolbox.__version__} {type(attack).__name__}"
    return compare_each(
        f"smallest {norm} perturbations, {POINTS} points, {MEMBERS} members",
        lambda: float(ours(norm).size.numel()),
        {f"{name}, {how}": one for how, one in ways.items()},
        unit="points × members / s",
    )
