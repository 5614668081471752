"""The attack against foolbox 3.3.4 on the same networks: two labels, and ten."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from falsestruct.instability import attacks
from falsestruct.instability.attacks import Norm
from falsestruct.learning import training
from falsestruct.learning.networks import MLP, Architecture, for_images
from falsestruct.learning.training import Schedule, Trained
from falsestruct.problems.digits import digits
from falsestruct.problems.stripes import Stripes

foolbox = pytest.importorskip("foolbox")

MEMBERS, POINTS = 2, 48
BOUNDS = (-100.0, 100.0)  # so wide that they never bind: ours has none
ATTACKS = {
    "l2": foolbox.attacks.DDNAttack(),
    "linf": foolbox.attacks.LInfFMNAttack(),
}
TEN: Architecture = for_images(8, outputs=10)[1]


class Logits(nn.Module):
    """Two logits from one output f: 0 and f; several stay as they are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        out = self.network(x)
        return torch.cat((torch.zeros_like(out), out), 1) if out.shape[1] == 1 else out


@cache
def case(kind: str) -> tuple[Trained, Tensor]:
    """Two MLPs and the images that are attacked."""
    if kind == "two labels":
        trained = training.train(MLP, Stripes().described(0.1), range(MEMBERS), Schedule(150))
        generator = torch.Generator().manual_seed(1)
        return trained, Stripes().test(POINTS, (0.05, 0.15), "true", generator)[0].float()
    data = digits()
    trained = training.train(TEN, data.train, range(MEMBERS), Schedule(150))
    return trained, data.test_images[:POINTS].float()


def theirs(trained: Trained, x: Tensor, norm: Norm) -> Tensor:
    """Sizes (members, samples) that foolbox finds, infinite where it finds none."""
    found = []
    for member in range(len(trained)):
        network = trained.architecture.build()
        network.load_state_dict({name: p[member] for name, p in trained.parameters.items()})
        model = foolbox.PyTorchModel(
            Logits(network).eval().requires_grad_(False), bounds=BOUNDS, device="cpu"
        )
        labels = model(x).argmax(1)
        moved = ATTACKS[norm].run(model, x, foolbox.criteria.Misclassification(labels))
        eta = (moved - x).flatten(1).double()
        size = eta.norm(dim=1) if norm == "l2" else eta.abs().amax(1)
        found.append(torch.where(model(moved).argmax(1) != labels, size, torch.inf))
    return torch.stack(found)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("kind", ["two labels", "ten classes"])
def test_medians_are_no_larger_than_those_of_foolbox(kind: str, norm: Norm) -> None:
    trained, x = case(kind)
    outputs = training.as_function(trained)
    starts = 1 if kind == "two labels" else 10  # one a class
    own = attacks.smallest_perturbations(outputs, x, norm=norm, members=MEMBERS, starts=starts).size
    other = theirs(trained, x, norm)
    assert own.isfinite().all()
    for member in range(MEMBERS):
        assert own[member].median() <= 1.01 * other[member].median()
    assert (own <= 1.01 * other).double().mean() >= 0.9
    # Neither is another quantity: medians differ by less than a tenth.
    assert own.median() >= 0.9 * other.median()
