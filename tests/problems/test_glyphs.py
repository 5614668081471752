"""Glyphs: places, classes, deformations."""

from __future__ import annotations

import pytest
import torch

from falsestruct.problems.glyphs import Glyphs, deformation


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_glyphs_have_one_size_and_end_at_zero() -> None:
    own = Glyphs(3)
    t = torch.linspace(0, own.width, 2001, dtype=torch.float64).expand(own.classes, -1)
    values = own.glyph(torch.arange(own.classes), t)
    assert values.square().mean(1).tolist() == pytest.approx([1] * own.classes, rel=2e-3)
    assert values[:, 0].abs().max() == 0
    assert (own.glyph(torch.tensor([1]), torch.tensor([[-1.0, own.width + 1.0]])) == 0).all()


def test_nothing_deforms_nothing() -> None:
    plain, same, labels = Glyphs().draw(30, generator())
    assert torch.equal(plain, same) and plain.shape == (30, 40)
    assert set(labels.tolist()) <= set(range(10))


def test_what_is_deformed_keeps_its_noise_and_changes_little() -> None:
    quiet = Glyphs(noise=0.0)
    plain, bent, _ = quiet.draw(200, generator(), root=0.5)
    assert 0.05 < (bent - plain).norm() / plain.norm() < 0.7
    loud = Glyphs(noise=1.0)
    plain, bent, _ = loud.draw(200, generator(), root=0.5)
    outside = (bent - plain).abs() < 1e-12
    assert outside.double().mean() > 0.5


def test_displacements_have_the_stated_size_in_the_middle_and_vanish_at_the_ends() -> None:
    moved = deformation(20_000, 41, generator())
    assert moved[:, 20].square().mean().item() == pytest.approx(1, rel=0.05)
    assert moved[:, 0].square().mean() < 0.05 * moved[:, 20].square().mean()


def test_a_glyph_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="width above 0"):
        Glyphs(width=40)


@pytest.mark.parametrize("noise", [0.0, 0.2, 1.0])
def test_noise_has_the_stated_size(noise) -> None:
    with_it, without = (Glyphs(noise=size).draw(300, generator())[0] for size in (noise, 0.0))
    assert (with_it - without).std().item() == pytest.approx(noise, rel=0.02)
