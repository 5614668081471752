"""Convolutions that are attacked: outputs to the bit, gradients within rounding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import fold

from falsestruct.instability import convolved
from falsestruct.instability.attacks import Outputs
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import by_name, fitting
from falsestruct.learning.training import Schedule


def trained(architecture: str, side: int) -> Ensemble:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(6, side, side, generator=generator), torch.tensor([0, 1] * 3)
    return train(by_name(architecture, fitting((side, side))), (x, y), [0, 1], Schedule(3))


def asked(outputs: Outputs, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    found = outputs(x)
    (slope,) = torch.autograd.grad(found.sum(), x)
    return found.detach(), slope


@pytest.mark.parametrize(("name", "side"), [("pooled CNN", 32), ("paper's CNN", 32), ("CNN", 8)])
def test_outputs_are_equal_and_gradients_within_rounding(name: str, side: int) -> None:
    own = trained(name, side)
    x = torch.randn(2, 5, side, side, generator=torch.Generator().manual_seed(1))
    (found, slope), (wanted, known) = (
        asked(outputs, x) for outputs in (convolved.outputs_of(own), own.outputs)
    )
    assert torch.equal(found, wanted)
    assert (slope - known).abs().max() < 1e-5 * known.abs().max()
    assert not torch.equal(found[0], found[1])  # each member has its own weights and inputs


def test_the_gradient_is_the_product_of_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[tuple[int, ...]] = []

    def watched(columns: Tensor, *given: object, **options: object) -> Tensor:
        asked_for.append(tuple(columns.shape))
        return fold(columns, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(convolved, "fold", watched)
    asked(convolved.outputs_of(trained("CNN", 8)), torch.ones(2, 5, 8, 8))
    assert asked_for == [(5, 9, 64)] * 2


def test_other_networks_stay_as_they_are() -> None:
    own = trained("MLP", 8)
    assert convolved.outputs_of(own) is own.outputs
    rule = Ensemble(own.outputs, (0, 1))
    assert convolved.outputs_of(rule) is rule.outputs
