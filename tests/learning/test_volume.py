"""Volume among random weights, against closed forms and against networks drawn at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from falsestruct.learning import networks, volume
from falsestruct.learning.networks import shallow
from falsestruct.problems.stripes import Stripes

WALKS, STEPS = 100, 1_000  # from each end


def asked(matrix: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """Shares (walks, tests) of label 1; half of the walks begin where all tests have it."""
    ones = torch.ones(len(matrix) - len(y))
    shares, starts = volume.conditioned(
        matrix, y, ends=(ones, 1 - ones), walks=WALKS, steps=STEPS, rng=np.random.default_rng(0)
    )
    assert shares.shape == (2, WALKS, len(ones)) and starts.shape == (2, len(ones))
    return shares.reshape(2 * WALKS, -1)


def with_one(x: torch.Tensor) -> torch.Tensor:
    """The inputs and one more that is always one: a bias is its weight."""
    return torch.cat((x, torch.ones(len(x), 1, dtype=x.dtype)), 1).float()


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthant(matrix: torch.Tensor) -> float:
    """Probability that three standard normals with this correlation are all positive."""
    r = [math.asin(matrix[i, j].item()) for i, j in ((0, 1), (0, 2), (1, 2))]
    return 1 / 8 + sum(r) / (4 * math.pi)


def test_two_labels_foretell_a_third_as_the_orthants_say():
    matrix = torch.tensor([[1.0, 0.3, 0.6], [0.3, 1.0, -0.2], [0.6, -0.2, 1.0]]).double()
    flip = torch.diag(torch.tensor([1.0, -1.0, 1.0])).double()
    for y, mirrored in (([1, 1], matrix), ([1, 0], flip @ matrix @ flip)):
        signs = torch.tensor([1.0, 1.0, -1.0]).double()
        wanted = orthant(mirrored)
        wanted /= wanted + orthant(signs[:, None] * mirrored * signs)
        found = asked(matrix, torch.tensor(y))
        error = found.std() / math.sqrt(len(found))
        assert abs(found.mean() - wanted) < 4 * error < 0.03


def test_the_covariance_is_that_of_networks_drawn_at_random():
    x = torch.randn(4, 5, generator=draws(), dtype=torch.float64)
    network = shallow(6, 50).build()
    outputs = torch.stack(
        [networks.initialise(network, seed)(with_one(x))[:, 0].detach() for seed in range(4_000)]
    )
    seen, wanted = torch.cov(outputs.T.double()), volume.covariance(x, 1)
    torch.testing.assert_close(seen / seen.trace(), wanted / wanted.trace(), atol=0.015, rtol=0)


def test_networks_drawn_at_random_and_kept_if_right_say_the_same():
    x = torch.randn(7, 3, generator=draws(1), dtype=torch.float64)
    y = torch.tensor([1, 0, 1, 1])
    network = shallow(4, 200).build()
    said = torch.stack(
        [
            networks.initialise(network, seed)(with_one(x))[:, 0].detach() > 0
            for seed in range(6_000)
        ]
    )
    right = said[(said[:, :4] == (y > 0)).all(1)][:, 4:].double()
    matrix = volume.covariance(x, 1)
    found = asked(matrix, y).mean(0)
    assert len(right) > 100
    assert np.abs(right.mean(0).numpy() - found).max() < 4 * 0.5 / math.sqrt(len(right))


def test_a_linear_network_is_bound_between_its_inputs_and_free_beyond():
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 1.0], [-9.0, 9.0]]).double()
    matrix = volume.covariance(x, 0)
    found = asked(matrix, torch.tensor([1, 1]))
    assert (found[:, 0] == 1).all() and 0.2 < found[:, 1].mean() < 0.8


def test_labels_that_no_weights_have_are_refused():
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).double()
    with pytest.raises(ValueError, match="no weights are right on all 2 training inputs"):
        asked(volume.covariance(x, 0), torch.tensor([1, 0]))


def test_walks_begin_at_both_ends_and_forget_them():
    """By symmetry the two labels have the same share, wherever a walk begins."""
    matrix = torch.full((6, 6), 0.9).double() + 0.1 * torch.eye(6)
    y, rng = torch.tensor([1, 0, 1, 0]), np.random.default_rng(0)
    ends = torch.tensor([1, 1]), torch.tensor([0, 0])
    found, begin = volume.conditioned(matrix, y, ends=ends, walks=50, steps=4_000, rng=rng)
    assert np.abs(found.mean((1, 2)) - 0.5).max() < 0.05
    assert begin.tolist() == [[1, 1], [0, 0]]
    signs = [torch.tensor([[1.0], [-1], [1], [-1]]).numpy() * np.eye(4, 6), np.eye(6)[4:]]
    starts = [volume._start(signs[0], sign * signs[1]) for sign in (1, -1)]
    assert (starts[0][4:] > 0).all() and (starts[1][4:] < 0).all()
    for z in starts:
        assert (signs[0] @ z > 0).all() and np.linalg.norm(z) == pytest.approx(math.sqrt(6))


def test_where_no_vector_has_an_end_walks_begin_as_near_to_it_as_can_be():
    """Under u, v ≥ 1, −(u + v)/2 ≥ 1 fails by least at u = v = 1; w ≤ −1 can be."""
    signed, asked = np.eye(2, 3), np.array([[-0.5, -0.5, 0.0], [0.0, 0.0, -1.0]])
    z = volume._start(signed, asked)
    np.testing.assert_allclose(z, [1, 1, -1], atol=1e-6)  # of length √3
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 1.0], [-9.0, 9.0]]).double()
    how = {"walks": 1, "steps": 1_000, "rng": np.random.default_rng(0)}
    matrix, ends = volume.covariance(x, 0), [torch.zeros(2), torch.tensor([0.0, 1.0])]
    _, begin = volume.conditioned(matrix, torch.tensor([1, 1]), ends=ends, **how)
    assert begin.tolist() == [[1, 0], [1, 1]]


def test_stripes_that_tile_the_image_leave_the_linear_network_near_the_orientation():
    """Width eight: the four tiles have one mean, as thin stripes have. Width three: all can be."""
    for width, all_can_be in ((8, False), (3, True)):
        shape = Stripes(width=width)
        (x, y), (swapped, original) = shape.described(0.1), shape.conflict_set(0.1)
        matrix = volume.covariance(torch.cat((x, swapped)), 0)
        how = {"walks": 1, "steps": 1_000, "rng": np.random.default_rng(0)}
        _, begin = volume.conditioned(matrix, y, ends=[original, 1 - original], **how)
        wrong, far = np.abs(begin - original.numpy()).mean(1)
        assert (wrong == 0) == all_can_be and wrong < 0.25 and far == 1


def test_a_step_stays_in_the_cone_and_takes_its_angle_from_the_whole_interval():
    """In the plane, from z = (1, 0) towards ν = (0, 1): between the angles that lose a sign."""
    for free in (0.001, 0.25, 0.5, 0.999):
        z, signed = np.array([1.0, 0.0]), np.array([[1.0, 1.0], [2.0, -1.0]])
        low, high = -math.pi / 4, math.atan(2)
        noise = np.tile([0.0, 1.0], (5, 1))
        here = signed @ z
        first = np.array([free, 0.5, 0.5, 0.5, 0.5])
        one = (z.copy(), here.copy())
        volume.advance(one, (noise[:1], noise[:1] @ signed.T), first[:1])
        angle = low + free * (high - low)
        wanted = [math.cos(angle), math.sin(angle)]
        np.testing.assert_allclose(one[0], wanted, atol=1e-12)
        seen = volume.advance((z, here), (noise, noise @ signed.T), first)
        np.testing.assert_allclose(seen, z[None])
        np.testing.assert_allclose(here, signed @ z, atol=1e-12)
        assert (here > 0).all()


def test_steps_are_whole_blocks():
    with pytest.raises(ValueError, match="steps is 1500; expected a multiple of 1000"):
        volume.conditioned(
            torch.eye(3).double(), torch.tensor([1]), ends=[torch.ones(2)], walks=1, steps=1_500,
            rng=np.random.default_rng(0),
        )  # fmt: skip


def test_walks_are_longer_until_their_starts_agree(monkeypatch):
    toward = torch.tensor([1.0, 0.0])

    def conditioned(*_, ends, walks, steps, **__):
        apart = 0.5 - 100 / steps  # of the labels that a walk began at, this share is gone
        says = np.stack([np.abs(end.numpy() - np.full((walks, 2), apart)) for end in ends])
        return says, np.array([[1.0, 1.0], [0.0, 1.0]])

    monkeypatch.setattr(volume, "conditioned", conditioned)
    how = {"walks": 3, "agree": 0.1, "rng": np.random.default_rng(0)}
    shares, start, steps = volume.agreeing(None, None, toward, steps=(400, 2_500, 4_000), **how)
    assert steps == 2_500 and shares.shape == (2, 3)
    np.testing.assert_allclose(shares, [[0.54] * 3, [0.46] * 3])
    assert start.tolist() == [0.5, 0]
    with pytest.raises(RuntimeError, match="walks of 400 steps"):
        volume.agreeing(None, None, toward, steps=(400,), **how)
