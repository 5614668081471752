"""Attacks across a subspace, against the exact law of linear rules."""

import pytest
import torch

from falsestruct.instability import barred
from falsestruct.instability.attacks import smallest_perturbations
from tests.worlds.perturbed import X, class_means, nearest_mean, two_classes

PIXELS = X[:12]


def test_a_rule_of_two_classes_grows_by_the_law():
    x = torch.rand(20, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rule, bases = two_classes([3.0, 4.0]), barred.basis(torch.eye(64)[:1])
    free = smallest_perturbations(rule.outputs, x.float(), norm="l2", members=1, starts=2)
    assert barred.held(free.perturbation, bases).item() == pytest.approx(0.36)
    away = barred.across(rule, x, bases, starts=2)
    assert (away.size / free.size).flatten().tolist() == pytest.approx([1.25] * 20, rel=1e-3)
    assert away.perturbation.flatten(2)[..., 0].abs().max() < 1e-6
    nothing = barred.across(two_classes([1.0, 0.0]), x, bases, starts=2)  # it reads no other pixel
    assert nothing.size.isinf().all()


def test_of_many_classes_it_is_the_least_over_rivals():
    rule, means = nearest_mean(1), class_means().double()
    q = torch.randn(64, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    bases = torch.linalg.qr(q).Q
    away = barred.across(rule, PIXELS, bases, starts=10)
    f = rule.outputs(PIXELS[None])[0].double()
    own = f.argmax(1)
    apart = means[own][:, None] - means
    left = apart - (apart @ bases) @ bases.T
    exact = ((f.gather(1, own[:, None]) - f) / left.norm(dim=2)).nan_to_num(nan=torch.inf).amin(1)
    assert away.size[0].tolist() == pytest.approx(exact.tolist(), rel=2e-3)
    changed = rule.labels(PIXELS + away.perturbation, own=True)
    assert (changed != rule.labels(PIXELS)).all()
    free = smallest_perturbations(rule.outputs, PIXELS.float(), norm="l2", members=1, starts=10)
    held = (free.perturbation[0].flatten(1).double() @ bases).square().sum(1)
    bound = free.size[0] / (1 - held / free.size[0].square()).sqrt()
    assert (away.size[0] <= 1.002 * bound).all() and (away.size >= 0.998 * free.size).all()


def test_too_many_inputs_are_refused(monkeypatch):
    monkeypatch.setattr("falsestruct.instability.attacks._CHUNK", 64 * 5)
    with pytest.raises(ValueError, match="attack fewer at once"):
        barred.across(nearest_mean(1), PIXELS, barred.basis(torch.eye(64)[:1]), starts=1)


def test_turned_subspaces_hold_what_is_wanted():
    change = torch.randn(2, 30, 64, generator=torch.Generator().manual_seed(2)) * torch.linspace(
        2, 0.1, 64
    )
    wanted = torch.tensor([0.3, 0.2])
    bases = barred.turned(change, wanted, 9, seed=4)
    assert barred.held(change, bases).tolist() == pytest.approx(wanted.tolist())
    assert torch.allclose(
        bases.transpose(1, 2) @ bases, torch.eye(9, dtype=torch.float64).expand(2, -1, -1)
    )
    most = barred.turned(change, torch.ones(2), 9, seed=4)  # more than nine can hold: the main ones
    squares = torch.linalg.svdvals(change.double()).square()
    assert torch.allclose(barred.held(change, most), squares[:, :9].sum(1) / squares.sum(1))
    least = barred.turned(change, torch.zeros(2), 9, seed=4)
    assert (barred.held(change, least) < wanted).all()
    drawn = barred.at_random(400, 64, 9, seed=5)
    assert barred.held(change[:1].expand(400, -1, -1), drawn).mean().item() == pytest.approx(
        9 / 64, abs=0.01
    )
