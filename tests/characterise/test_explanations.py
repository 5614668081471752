"""Seven explanations against closed forms, and against captum's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from captum import attr
from torch import Tensor

from falsestruct.characterise import explanations as explain
from falsestruct.characterise.explanations import METHODS, Effort, Question
from falsestruct.problems.planted.digits import pattern
from falsestruct.theory.explanations import wave

WEIGHTS = torch.tensor([[1.0, -2.0, 0.0, 3.0], [0.5, 0.0, 4.0, -1.0]])  # of two members
EFFORT = Effort(points=8, donors=4, orders=50, steps=200, draws=8)
VALUES = [name for name in METHODS if name not in ("gradient", "SmoothGrad", "masks")]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def linear(x: Tensor) -> Tensor:
    return (x @ WEIGHTS.to(x.dtype)[:, :, None])[..., 0]


def curved(x: Tensor) -> Tensor:
    """Differs between the members, and isn't linear."""
    return torch.tanh(linear(x)) + x[..., 0] * x[..., 1]


@pytest.fixture
def ask() -> Question:
    x = torch.randn(2, 5, 4, generator=generator(), dtype=torch.float64)
    donors = torch.randn(200, 4, generator=generator(), dtype=torch.float64)
    return Question(linear, x, donors - donors.mean(0), generator())


def test_gradients_of_a_linear_function_are_its_weights(ask):
    for name in ("gradient", "SmoothGrad"):
        wanted = WEIGHTS.double()[:, None].expand(2, 5, 4)
        assert torch.allclose(METHODS[name](ask, EFFORT), wanted)


@pytest.mark.parametrize("name", VALUES)
def test_values_of_a_linear_function_are_its_terms(ask, name):
    found = METHODS[name](replace(ask, donors=torch.zeros(3, 4, dtype=torch.float64)), EFFORT)
    assert torch.allclose(found, WEIGHTS.double()[:, None] * ask.x)


def test_integrated_gradients_and_shapley_values_add_up(ask):
    own = replace(ask, outputs=curved, donors=ask.donors[:1])
    gap = curved(ask.x) - curved(own.donors.expand(2, 5, 4))
    fine = replace(EFFORT, points=500)
    assert torch.allclose(explain.integrated(own, fine).sum(-1), gap, atol=1e-3)
    assert torch.allclose(explain.shapley(own, replace(EFFORT, orders=1)).sum(-1), gap)


def test_shapley_values_of_a_product_are_halves(ask):
    x = torch.ones(1, 1, 2, dtype=torch.float64)
    own = Question(lambda c: c.prod(-1), x, torch.zeros(1, 2, dtype=torch.float64), generator())
    found = explain.shapley(own, replace(EFFORT, orders=400))
    assert torch.allclose(found, torch.full_like(found, 0.5), atol=0.1)


def test_occlusion_takes_values_of_donors_at_even_quantiles():
    donors = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    own = Question(lambda c: c[..., 0], torch.ones(1, 1, 1), donors, generator())
    assert explain.occlusion(own, EFFORT).item() == pytest.approx(1.0)


def test_a_mask_keeps_what_the_answer_needs():
    x = 2 * torch.ones(1, 3, 4)
    own = Question(lambda c: 2 * c[..., 2], x, -x[0].expand(3, 4), generator())
    found = explain.masks(own, EFFORT)
    assert (found.argmax(-1) == 2).all() and (found[..., 2] > 0.5).all()
    assert (found[..., [0, 1, 3]] < 0.1).all()


def test_shares_add_up_and_nothing_names_nothing():
    found = explain.shares(torch.tensor([[3.0, -4.0], [0.0, 0.0]]))
    assert torch.allclose(found, torch.tensor([[0.36, 0.64], [0.5, 0.5]], dtype=torch.float64))


@pytest.mark.parametrize("name", ["pixels", "Walsh"])
def test_dictionaries_are_orthonormal(name):
    basis = explain.dictionary(name, 8)
    assert torch.allclose(basis @ basis.T, torch.eye(64, dtype=torch.float64))


def test_an_unknown_dictionary_is_refused():
    with pytest.raises(ValueError, match="no dictionary 'Fourier'"):
        explain.dictionary("Fourier", 8)


def test_the_patterns_are_coordinates():
    def unit(kind):
        image = pattern(kind, 8)
        return image / image.norm()

    pixels, walsh = (explain.dictionary(name, 8) for name in ("pixels", "Walsh"))
    assert explain.coordinate(unit("pixel"), pixels) == 0
    assert explain.coordinate(unit("brightness"), walsh) == 0
    assert explain.coordinate(unit("sinusoid"), walsh) == 2
    with pytest.raises(ValueError, match="take a dictionary that has it"):
        explain.coordinate(unit("pixel"), walsh)


def test_outputs_are_seen_through_a_dictionary():
    basis, x = explain.dictionary("Walsh", 8), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    seen = explain.seen_through(lambda images: images[..., 1, 5], basis, 8)
    assert torch.allclose(seen(x.flatten(2) @ basis.T), x[..., 1, 5])


def test_the_wave_is_the_proved_one_and_bends_the_gradient(ask):
    at = torch.tensor([-3.5, -1.0, 0.0, 0.3, 2.2, 7.0], dtype=torch.float64)
    wanted = [float(wave(Fraction(str(u)))) for u in at.tolist()]
    assert explain.triangles(at).tolist() == pytest.approx(wanted)
    bent = explain.with_wave(ask, 2, height=0.05, steeper=10.0)
    off = bent.outputs(ask.x) - linear(ask.x)
    assert off.abs().max() <= 0.05 and off.abs().min() > 0
    change = explain.gradient(bent, EFFORT) - explain.gradient(ask, EFFORT)
    steep = 10 * WEIGHTS.double().norm(dim=1)
    assert torch.allclose(change[..., 2].abs(), steep[:, None].expand(2, 5))
    assert torch.allclose(change[..., [0, 1, 3]], torch.zeros(2, 5, 3, dtype=torch.float64))


def test_decoys_are_the_coordinates_that_vary_most_and_least(ask):
    own = replace(ask, donors=ask.donors * torch.tensor([3.0, 1.0, 0.1, 9.0]))
    assert explain.decoys(own, 3) == {"bright": 0, "faint": 2}
    assert explain.decoys(own, 2) == {"bright": 3, "faint": 1}


def test_captum_says_the_same(ask):
    own = replace(ask, outputs=curved, donors=ask.donors[:1])
    fine = replace(EFFORT, points=400, orders=600)
    for member in range(2):

        def one(x, member=member):
            return curved(x.expand(2, *x.shape))[member]

        x, start = ask.x[member], own.donors
        theirs = attr.Saliency(one).attribute(x.clone(), abs=False)
        assert torch.allclose(explain.gradient(own, fine)[member], theirs)
        theirs = attr.IntegratedGradients(one).attribute(x.clone(), start, n_steps=400)
        assert torch.allclose(explain.integrated(own, fine)[member], theirs, atol=1e-4)
        theirs = attr.ShapleyValues(one).attribute(x.clone(), start).double()  # float32
        assert torch.allclose(explain.shapley(own, fine)[member], theirs, atol=0.2)
        theirs = attr.FeatureAblation(one).attribute(x.clone(), start)
        assert torch.allclose(explain.occlusion(own, fine)[member], theirs)
        noisy = attr.NoiseTunnel(attr.Saliency(one))
        theirs = noisy.attribute(x.clone(), nt_samples=400, stdevs=fine.noise, abs=False)
        assert torch.allclose(explain.smooth(own, fine)[member], theirs, atol=0.1)
