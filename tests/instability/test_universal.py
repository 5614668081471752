"""Universal perturbations of models for which the best ones are known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from falsestruct.instability import universal
from falsestruct.instability.attacks import Norm, Outputs
from falsestruct.instability.universal import (
    Search,
    Universal,
    flipped_share,
    flips,
    random_like,
    transfer,
    universal_perturbations,
)

NORMS: tuple[Norm, Norm] = ("l2", "linf")


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def linear(w: Tensor, b: Tensor) -> Outputs:
    """Weights (members, inputs), biases (members,)."""
    return lambda x: torch.einsum("msd,md->ms", x.flatten(2), w) + b[:, None]


def classes(w: Tensor) -> Outputs:
    """Weights (members, classes, inputs)."""
    return lambda x: torch.einsum("msd,mcd->msc", x.flatten(2), w)


def unit(w: Tensor, norm: Norm) -> Tensor:
    return w.sign() if norm == "linf" else w / w.norm(dim=1, keepdim=True)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    members=st.integers(1, 3),
    size=st.sampled_from([1e-3, 0.3, 5.0]),
    norm=st.sampled_from(NORMS),
)
def test_linear_models_per_label_in_closed_form(
    seed: int, members: int, size: float, norm: Norm
) -> None:
    w, x = draw(members, 6, seed=seed), draw(40, 2, 3, seed=seed + 1)
    outputs = linear(w, torch.zeros(members).double())
    found = universal_perturbations(
        outputs, x, norm=norm, size=size, members=members, per_label=True
    )
    exact = (size * unit(w, norm)).view(members, 2, 3)
    torch.testing.assert_close(found.perturbation, torch.stack((exact, -exact), 1))


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_flipped_is_what_lies_within_reach(norm: Norm) -> None:
    w, b, x = draw(3, 64, seed=1), draw(3, seed=2), draw(200, 8, 8, seed=3)
    outputs, size = linear(w, b), 0.8 if norm == "l2" else 0.1
    options = {"norm": norm, "size": size, "members": 3}
    dual = w.norm(dim=1) if norm == "l2" else w.abs().sum(1)
    value = outputs(x.expand(3, *x.shape))
    reached = value.abs() <= size * dual[:, None]
    found = universal_perturbations(outputs, x, per_label=True, **options)
    assert torch.equal(flips(outputs, x, found), reached)
    torch.testing.assert_close(flipped_share(outputs, x, found), reached.double().mean(1))
    # One for both labels can move them one way only: the better way counts.
    one = universal_perturbations(outputs, x, **options)
    ways = torch.stack([(reached & side).double().mean(1) for side in (value > 0, value <= 0)])
    assert (flipped_share(outputs, x, one) >= 0.95 * ways.amax(0)).all()
    assert one.perturbation.shape == (3, 8, 8)
    chance = flipped_share(outputs, x, random_like(found))
    assert (chance < flipped_share(outputs, x, found) / 2).all()


@pytest.mark.parametrize("norm", NORMS)
def test_random_ones_have_full_size_and_a_seed(norm: Norm) -> None:
    found = Universal(norm, 0.7, torch.zeros(4, 3, 5, 5).double(), per_label=True)
    first, again, other = (random_like(found, seed=seed).perturbation for seed in (0, 0, 1))
    order = 2 if norm == "l2" else torch.inf
    size = torch.linalg.vector_norm(first.flatten(2), ord=order, dim=2)
    torch.testing.assert_close(size, torch.full((4, 3), 0.7).double())
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len({tuple(row.tolist()) for row in first.flatten(0, 1).flatten(1)}) == 12


@pytest.mark.parametrize("per_label", [False, True])
def test_constant_networks_flip_nothing(per_label: bool) -> None:
    x = draw(20, 4)
    for outputs in (
        lambda x: torch.ones(x.shape[:2]).double(),
        lambda x: 0 * x.sum(2) - 1,
        lambda x: torch.eye(3).double()[0].expand(*x.shape[:2], 3),
    ):
        found = universal_perturbations(
            outputs, x, norm="l2", size=100.0, members=2, per_label=per_label
        )
        assert (flipped_share(outputs, x, found) == 0).all()
        assert (transfer(outputs, x, found, members=2) == 0).all()


@pytest.mark.parametrize("norm", NORMS)
def test_several_classes_meet_in_the_one_that_is_nearest(norm: Norm) -> None:
    # Class 0 lies at the origin. Class 1 begins at distance 1 along e₁, class 2 at 3 along e₂.
    def outputs(x: Tensor) -> Tensor:
        return torch.stack((torch.zeros_like(x[..., 0]), x[..., 0] - 1, x[..., 1] - 3), -1)

    x = 0.01 * draw(30, 2)
    found = universal_perturbations(outputs, x, norm=norm, size=1.2, members=1)
    assert flipped_share(outputs, x, found).item() == 1
    assert found.perturbation[0, 0] > 1.1
    short = universal_perturbations(outputs, x, norm=norm, size=0.9, members=1)
    assert flipped_share(outputs, x, short).item() == 0
    assert short.perturbation[0, 0] == pytest.approx(0.9)  # as near as it may come


def test_one_perturbation_for_each_class() -> None:
    w = torch.eye(3).double()[None]
    x = torch.eye(3).double().repeat(5, 1)  # each class is its coordinate; the margin is 1
    found = universal_perturbations(classes(w), x, norm="l2", size=0.75, members=1, per_label=True)
    assert found.perturbation.shape == (1, 3, 3)
    assert flipped_share(classes(w), x, found).item() == 1
    assert (found.perturbation[0].diagonal() < 0).all()
    # The way to the nearest boundary, 1/√2, is down the own coordinate and up another.
    low = universal_perturbations(classes(w), x, norm="l2", size=0.7, members=1, per_label=True)
    assert flipped_share(classes(w), x, low).item() == 0


def test_a_label_that_never_comes_gets_no_perturbation() -> None:
    w, b, x = torch.ones(1, 2).double(), torch.full((1,), 9.0).double(), 0.1 * draw(10, 2)
    found = universal_perturbations(
        linear(w, b), x, norm="l2", size=20.0, members=1, per_label=True
    )
    assert (found.perturbation[0, 0] == 0).all()
    assert flipped_share(linear(w, b), x, found).item() == 1


def test_transfer_follows_the_angle_between_networks() -> None:
    # Two networks read the same coordinate, the third another one.
    w = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]).double()
    x = torch.tensor([[0.5, 0.5], [-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5]]).double()
    outputs = linear(w, torch.zeros(3).double())
    found = universal_perturbations(outputs, x, norm="l2", size=0.6, members=3, per_label=True)
    exact = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).double()
    assert torch.equal(transfer(outputs, x, found, members=3), exact)
    torch.testing.assert_close(flipped_share(outputs, x, found), exact.diagonal())
    # Attacked networks need not be the sources.
    other = linear(-w[:1], torch.zeros(1).double())
    hit = transfer(other, x, found, members=1)
    assert hit.shape == (3, 1)
    assert (hit == 0).all()  # the same label, the other way: only deeper inside


def test_members_do_not_depend_on_each_other_and_may_have_own_inputs() -> None:
    w, x = draw(3, 5, 16, seed=4), draw(3, 50, 4, 4, seed=5)
    options = {"norm": "l2", "size": 0.5, "search": Search(steps=15, seed=7)}
    together = universal_perturbations(classes(w), x, **options)
    for i in range(3):
        alone = universal_perturbations(classes(w[i : i + 1]), x[i], members=1, **options)
        torch.testing.assert_close(alone.perturbation[0], together.perturbation[i])
    assert torch.equal(
        flipped_share(classes(w), x, together), flips(classes(w), x, together).double().mean(1)
    )
    assert (together.perturbation.flatten(1).norm(dim=1) <= 0.5 + 1e-12).all()


def test_more_steps_and_starts_only_help_and_beat_chance() -> None:
    w, x = draw(2, 10, 64, seed=8), draw(300, 64, seed=9)
    outputs = classes(w)
    options = {"norm": "l2", "size": 1.0, "members": 2}
    one = universal_perturbations(outputs, x, search=Search(starts=1), **options)
    four = universal_perturbations(outputs, x, search=Search(starts=4), **options)
    chance = flipped_share(outputs, x, random_like(one))
    shares = [flipped_share(outputs, x, found) for found in (one, four)]
    assert (chance < shares[0] / 2).all()
    assert (shares[0] <= shares[1]).all()


def test_wrong_arguments_are_named() -> None:
    outputs, x = linear(torch.ones(1, 2).double(), torch.zeros(1).double()), draw(5, 2)
    good = {"norm": "l2", "size": 1.0, "members": 1}
    for wrong, message in (
        ({"norm": "l1"}, "norm is 'l1'"),
        ({"size": 0.0}, "size is 0.0"),
        ({"members": None}, r"x has shape \(5, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            universal_perturbations(outputs, x, **(good | wrong))
    with pytest.raises(ValueError, match="steps=0"):
        Search(steps=0)
    with pytest.raises(ValueError, match=r"outputs gave shape \(1, 5, 2, 1\)"):
        universal_perturbations(lambda x: x[..., None], x, **good)
    with pytest.raises(ValueError, match="not finite"):
        universal_perturbations(lambda x: x.sum(2) / 0, x, **good)
    found = universal_perturbations(outputs, x, **good)
    with pytest.raises(ValueError, match="perturbations have shape"):
        universal.transfer(lambda x: x.sum(2), draw(5, 3), found, members=1)


def test_outputs_that_are_not_finite_flip_nothing() -> None:
    def outputs(x: Tensor) -> Tensor:
        total = x.flatten(2).sum(2)
        return torch.where(total > 3, torch.nan, total - 2)

    x = torch.full((1, 2), 1.1)
    found = Universal("l2", 2.5, torch.tensor([[2.0, 0.0], [-2.0, 1.0]]))
    assert flipped_share(outputs, x, found).tolist() == [0, 1]
