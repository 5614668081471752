"""Smallest perturbations, 256 images and 20 MLPs: all members at once against foolbox.

DDN and LInfFMN, at their default 100 steps, found the smallest of what foolbox 3.3.4 offers here.
Its L2FMN and its DeepFool (ℓ2 and ℓ∞) stop at perturbations that are a third larger.
"""

from __future__ import annotations

from functools import cache

import foolbox
import torch
from torch import Tensor, nn

from benchmarks.measure import Comparison, compare
from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack, Norm
from falsestruct.learning import training
from falsestruct.learning.networks import MLP
from falsestruct.learning.training import Schedule, Trained
from falsestruct.problems.stripes import Stripes

MEMBERS, POINTS, STEPS = 20, 256, 150
BAND = (0.05, 0.15)
BOUNDS = (-100.0, 100.0)  # so wide that they never bind: ours has none
FOOLBOX: dict[Norm, foolbox.attacks.base.MinimizationAttack] = {
    "l2": foolbox.attacks.DDNAttack(),
    "linf": foolbox.attacks.LInfFMNAttack(),
}
OTHERS: dict[str, tuple[Norm, foolbox.attacks.base.MinimizationAttack]] = {
    "L2FMN": ("l2", foolbox.attacks.L2FMNAttack()),
    "L2DeepFool": ("l2", foolbox.attacks.L2DeepFoolAttack()),
    "LinfDeepFool": ("linf", foolbox.attacks.LinfDeepFoolAttack()),
}


class Logits(nn.Module):
    """Two logits, as foolbox wants them, from one output f: −f/2 and f/2."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        half = self.network(x)[:, 0] / 2
        return torch.stack((-half, half), 1)


@cache
def trained() -> Trained:
    """20 MLPs after 150 steps on the stripes, loss about 1e-3."""
    return training.train(MLP, Stripes().described(0.1), range(MEMBERS), Schedule(STEPS))


@cache
def images() -> Tensor:
    """Random stripes, (256, 32, 32)."""
    generator = torch.Generator().manual_seed(1)
    return Stripes().test(POINTS, BAND, "true", generator)[0].float()


def ours(norm: Norm) -> Attack:
    """All members at once."""
    function = training.as_function(trained())
    return attacks.smallest_perturbations(function, images(), norm=norm, members=MEMBERS)


def theirs(norm: Norm, attack: foolbox.attacks.base.MinimizationAttack) -> Tensor:
    """One network after the other, 256 images a batch: sizes (members, samples), float64."""
    parameters, x = trained().parameters, images()
    found = []
    for member in range(MEMBERS):
        network = MLP.build()
        network.load_state_dict({name: p[member] for name, p in parameters.items()})
        model = foolbox.PyTorchModel(
            Logits(network).eval().requires_grad_(False), bounds=BOUNDS, device="cpu"
        )
        labels = model(x).argmax(1)
        moved = attack.run(model, x, foolbox.criteria.Misclassification(labels))
        eta = (moved - x).flatten(1).double()
        size = eta.norm(dim=1) if norm == "l2" else eta.abs().amax(1)
        found.append(torch.where(model(moved).argmax(1) != labels, size, torch.inf))
    return torch.stack(found)


def sizes() -> list[dict[str, float | str]]:
    """One row an attack: norm, name, median, 95th percentile, and how ours compares with it.

    `no_larger` is the share of points at which our size is at most 1.001 times the attack's.
    """
    own = {norm: ours(norm).size for norm in FOOLBOX}
    attacks = {type(attack).__name__: (norm, attack) for norm, attack in FOOLBOX.items()} | OTHERS
    rows = [_row(norm, "ours", size, size) for norm, size in own.items()]
    for name, (norm, attack) in attacks.items():
        rows.append(_row(norm, name, theirs(norm, attack), own[norm]))
    return rows


def _row(norm: Norm, name: str, size: Tensor, own: Tensor) -> dict[str, float | str]:
    return {
        "norm": norm,
        "attack": name,
        "median": size.median().item(),
        "p95": size.quantile(0.95, interpolation="lower").item(),
        "no_larger": (own <= 1.001 * size).double().mean().item(),
    }


def rows() -> list[Comparison]:
    """One comparison a norm.

    Raises:
        ArithmeticError: our median is larger than foolbox's, so that being faster means nothing.
    """
    table = []
    for norm, attack in FOOLBOX.items():
        mine, other = ours(norm).size.median().item(), theirs(norm, attack).median().item()
        if not mine <= other:
            raise ArithmeticError(
                f"{norm}: our median size is {mine:.5g}, foolbox's {other:.5g}; expected at most "
                "that: raise steps or starts"
            )
        table.append(
            compare(
                (
                    f"smallest {norm} perturbations, {POINTS} points, {MEMBERS} members",
                    f"foolbox {foolbox.__version__} {type(attack).__name__}",
                ),
                (
                    lambda norm=norm: float(ours(norm).size.numel()),
                    lambda norm=norm, attack=attack: float(theirs(norm, attack).numel()),
                ),
                unit="points × members / s",
                wanted=5.0,
            )
        )
    return table
