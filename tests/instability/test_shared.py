"""What two networks share: closed forms on linear rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from falsestruct.instability import attacks, shared
from falsestruct.instability.attacks import Attack
from tests.worlds.perturbed import two_classes


def test_perturbations_of_linear_networks_are_alike_as_their_normals_are() -> None:
    x = torch.rand(6, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.1
    rules = two_classes([1, 0], [1, 0], [1, 0], [0, 1], [1, 0], [3, 4])
    attack = attacks.smallest_perturbations(rules.outputs, x, norm="l2", members=6)
    assert shared.alike(attack.perturbation).mean(1).tolist() == pytest.approx(
        [1, 0, 0.6], abs=1e-3
    )


def test_perturbations_transfer_to_equals_and_not_across_right_angles() -> None:
    x = torch.rand(6, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    rules = two_classes([1, 0], [1, 0], [1, 0], [0, 1], [1, 0])
    attack = attacks.smallest_perturbations(rules.outputs, x.float(), norm="l2", members=5)
    flips, random = shared.transfers(rules, attack, x, factor=2.0, seed=0)
    assert flips.shape == random.shape == (2, 6)
    assert flips.mean(1).tolist() == [1, 0]
    assert (random.mean(1) < 0.5).all()


def test_towards_is_one_on_the_way_to_the_nearest_image_of_the_class() -> None:
    images = torch.zeros(3, 8, 8, dtype=torch.float64)
    images[1, 0, 0], images[2, 0, 0] = 1, 5
    labels = torch.tensor([0, 1, 1])
    known = (
        torch.cat((images, torch.rand(8, 8, 8).double())),
        torch.cat((labels, torch.arange(2, 10))),
    )
    x = -images[1:2]
    ways = torch.zeros(2, 1, 8, 8)
    ways[0, 0, 0, 0], ways[1, 0, 0, 0], ways[1, 0, 0, 1] = 1.5, 3.0, 4.0
    attack = Attack("l2", ways.flatten(2).norm(dim=2).double(), ways)
    rules = two_classes([1, 0], [1, 0])
    assert shared.towards(rules, attack, x, known).flatten().tolist() == pytest.approx([1, 0.6])


def test_agreeing_networks_start_and_end_alike() -> None:
    x = torch.zeros(1, 8, 8)
    x[0, 0, :2] = torch.tensor([0.3, -0.2])  # read as 1 by the first direction, as 0 by the second
    rules = two_classes([1, 0], [1, 0], [1, 0], [0, 1])
    attack = attacks.smallest_perturbations(rules.outputs, x, norm="l2", members=4)
    assert shared.agreeing(rules, attack, x).tolist() == [[True], [False]]
    assert shared.same_label(rules, x).tolist() == [[True], [False]]
    # A perturbation that leads nowhere is no agreement.
    still = replace(attack, perturbation=torch.zeros_like(attack.perturbation))
    assert not shared.agreeing(rules, still, x).any()
    # Read alike, and led to different places: the label is the same, the way is not.
    x[0, 0, :2] = torch.tensor([0.3, 0.2])
    there = attacks.smallest_perturbations(rules.outputs, x, norm="l2", members=4)
    apart = there.perturbation.clone()
    apart[1] = 0.0
    assert shared.same_label(rules, x).all()
    assert shared.agreeing(rules, there, x).all()
    led = shared.agreeing(rules, replace(there, perturbation=apart), x)
    assert led.tolist() == [[False], [True]]
