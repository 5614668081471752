"""Perturbations towards targets: closed forms on linear rules."""

import pytest
import torch

from falsestruct.instability import targeted
from tests.worlds.perturbed import X, Y, class_means, nearest_mean

RULE = nearest_mean(2)
NEXT = ((Y + 1) % 10).expand(2, -1)


def attacked(size, targets=NEXT, steps=40):
    return targeted.towards(RULE.outputs, X, targets, size, steps=steps)


def test_no_perturbation_is_longer_than_it_may_be_and_those_that_can_arrive_do():
    eta = attacked(0.5)
    assert eta.shape == (2, 100, 8, 8)
    assert eta.flatten(2).norm(dim=2).max() <= 0.5 + 1e-6
    far = attacked(6.0)
    assert torch.equal(RULE.labels(X + far, own=True), NEXT)
    assert far.flatten(2).norm(dim=2).mean() < 3  # it stops on arrival


def test_it_goes_down_the_straight_way_where_there_are_two_classes():
    """Between two classes the steepest way is the difference of the means."""
    means = class_means()
    weights = torch.full((1, 10, 64), 0.0)
    weights[0, :2] = means[:2].float()
    bias = torch.full((1, 10), -1e3)
    bias[0, :2] = -means[:2].square().sum(1).float() / 2

    def outputs(x):
        return torch.einsum("msp,mcp->msc", x.flatten(2), weights) + bias[:, None]

    own = X[Y == 0]
    eta = targeted.towards(outputs, own, torch.ones(1, len(own), dtype=torch.long), 0.3, steps=9)
    way = (means[1] - means[0]).float()
    cosine = eta.flatten(2)[0] @ (way / way.norm()) / eta.flatten(2)[0].norm(dim=1)
    assert cosine.tolist() == pytest.approx([1] * len(own), abs=1e-4)


def test_onward_goes_on_to_the_full_size():
    own = RULE.labels(X)  # they have their targets already, and are led further in
    eta = targeted.towards(RULE.outputs, X, own, 0.3, steps=9, onward=True)
    assert eta.flatten(2).norm(dim=2).flatten().tolist() == pytest.approx([0.3] * 200, abs=1e-5)
    assert torch.equal(RULE.labels(X + eta, own=True), own)


def test_the_nearest_known_image_gives_its_label():
    moved = torch.stack([X + 0.01, X.flip(0)])
    found = targeted.nearest(moved, (X, Y))
    assert torch.equal(found[0], Y) and torch.equal(found[1], Y.flip(0))


def test_one_output_is_led_across_zero():
    def outputs(x):
        return x.flatten(2).sum(2)

    x = torch.tensor([[-0.1, 0.0], [0.3, 0.0], [-3.0, 0.0]])
    eta = targeted.towards(outputs, x, torch.ones(1, 3, dtype=torch.long), 0.5, steps=20)
    assert ((x + eta[0]).sum(1) > 0).tolist() == [True, True, False]
    assert targeted.kept(eta).tolist() == [[False, True, False]]


def test_what_has_its_target_is_kept():
    said = RULE.labels(X)
    assert targeted.kept(attacked(0.5, said)).all()
    own = targeted.kept(attacked(0.5))
    assert torch.equal(own, said == NEXT)


def test_a_swap_keeps_targets_and_moves_every_perturbation():
    eta = torch.arange(200.0).view(2, 100, 1, 1) + 1
    given = targeted.swapped(eta, NEXT)
    for member in range(2):
        assert sorted(given[member].flatten().tolist()) == eta[member].flatten().tolist()
        places = (given[member].flatten() - eta[member, 0, 0, 0]).long()
        assert torch.equal(NEXT[member][places], NEXT[member])
        assert (places != torch.arange(100)).all()


def test_what_does_not_fit_is_refused():
    for arguments in ((NEXT[:, :3], 0.5, 5), (NEXT, 0.0, 5), (NEXT, 0.5, 0)):
        targets, size, steps = arguments
        with pytest.raises(ValueError, match=r"expected \(members, inputs\), a positive size"):
            targeted.towards(RULE.outputs, X, targets, size, steps=steps)


def test_lessons_show_what_they_say():
    targets = NEXT.clone()
    targets[:, :10] = RULE.labels(X)[:, :10]  # these have their targets already
    eta = attacked(0.5, targets)
    show = {
        name: targeted.shown(name, X, targets, eta, 0.5, [3, 4]) - X for name in targeted.LESSONS
    }
    assert (show["attack"] - eta).abs().max() < 1e-9
    assert (show["swapped"] - targeted.swapped(eta, targets)).abs().max() < 1e-9
    norms = show["noise"].flatten(2).norm(dim=2)
    assert norms.flatten().tolist() == pytest.approx([0.5] * 200)
    stays = targeted.kept(eta)
    assert stays[:, :10].all() and not stays[:, 10:].any()
    pattern = show["leak only"].flatten(2)
    assert (pattern[stays] == 0).all()
    for member in range(2):
        for target in range(10):
            own = pattern[member, (targets[member] == target) & ~stays[member]]
            assert own.norm(dim=1).tolist() == pytest.approx([0.5] * len(own))
            assert (own - own[0]).abs().max() < 1e-12
    assert not torch.allclose(pattern[0], pattern[1])
    with pytest.raises(ValueError, match="lesson is 'song'; expected one of attack, leak only"):
        targeted.shown("song", X, NEXT, eta, 0.5, [3, 4])


def test_twins_and_those_left_out_hand_on_among_themselves():
    targets = torch.stack([(Y + 1 + torch.arange(100) % 10) % 10] * 2)  # every tenth is its label
    eta = (torch.arange(200.0).view(2, 100, 1, 1) + 1).expand(-1, -1, 8, 8)
    rows = (targets != Y)[0].nonzero().flatten()
    for lesson, alike in (("swapped", targets[0]), ("twin", 10 * Y + targets[0])):
        (x, y), _ = targeted.material(lesson, (X, Y), targets, eta, 1.0, [0, 1], wrong=True)
        givers = (x - X[rows]).mean((1, 2)).round().long() - 1
        assert torch.equal(y, targets[0, rows]) and torch.equal(alike[givers], alike[rows])
        assert set(givers.tolist()) == set(rows.tolist())
    ends = torch.where(torch.arange(100)[:, None, None] < 7, 0.0, eta)
    (x, y), _ = targeted.material("kept", (X, Y), targets, ends, 1.0, [0, 1])
    assert torch.equal(x, X[:7]) and torch.equal(y, targets[0, :7])


def test_everybody_gets_as_many_images():
    rows = torch.zeros(2, 100, dtype=torch.bool)
    rows[0, [5, 7, 9]], rows[1, [1, 2]] = True, True
    images, labels = X.expand(2, -1, -1, -1), NEXT
    (x, y), (other, z) = targeted.chosen(images, labels, rows)
    assert torch.equal(x, X[[5, 7]]) and torch.equal(y, NEXT[0, [5, 7]])
    assert torch.equal(other, X[[1, 2]]) and torch.equal(z, NEXT[1, [1, 2]])
    rows[1] = False
    with pytest.raises(ValueError, match="0 images for some member; expected at least 2"):
        targeted.chosen(images, labels, rows)
