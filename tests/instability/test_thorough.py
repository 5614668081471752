"""Starting again where nothing was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from falsestruct.instability import attacks
from falsestruct.instability.thorough import HARD, LARGE, convolutional, effort, thorough
from falsestruct.instability.trained import ensembles
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.planted import registry


@dataclass(frozen=True)
class Watched(Ensemble):
    """Remembers which members were asked for alone."""

    asked: list[list[int]] = field(default_factory=list)

    def select(self, members: Sequence[int]) -> Ensemble:
        self.asked.append(list(members))
        return super().select(members)


def watched(strength: float) -> Watched:
    (own,) = ensembles("stripes", "MLP", [(strength, 1.0)], range(2))
    return Watched(own.outputs, own.seeds, own.facts, own.trained)


def test_thorough_starts_again_where_nothing_was_found() -> None:
    own, problem = watched(0.4), registry.by_name("stripes", 0.4)
    x = problem.draw(12, torch.Generator().manual_seed(0))[0].float()
    once = attacks.smallest_perturbations(own.outputs, x, norm="linf", members=2)
    more = thorough(own, x, "linf")
    assert once.size.isinf().any()
    assert more.size.isfinite().double().mean() > once.size.isfinite().double().mean()
    near = once.size <= LARGE
    assert torch.equal(more.size[near], once.size[near])
    assert own.asked == [(~near).any(1).nonzero().flatten().tolist()]
    flips = own.labels(x + more.perturbation, own=True) != own.labels(x)
    assert torch.equal(flips, more.size.isfinite())


def test_thorough_s_reach_is_as_large_in_both_norms() -> None:
    """Euclidean sizes are √n times as large: being above `LARGE` is no reason to start again."""
    own, problem = watched(0.1), registry.by_name("stripes")
    x = problem.draw(6, torch.Generator().manual_seed(0))[0].float()
    once = attacks.smallest_perturbations(own.outputs, x, norm="l2", members=2)
    assert (once.size > LARGE).any()
    assert (once.size < LARGE * 32).all()
    assert torch.equal(thorough(own, x, "l2").size, once.size)
    assert own.asked == []


def test_effort_is_what_a_stronger_attack_gains() -> None:
    (own,) = ensembles("stripes", "MLP", [(0.1, 1.0)], [0, 1])
    x = registry.by_name("stripes").draw(2, torch.Generator().manual_seed(0))[0].float()
    size = thorough(own, x, "linf").size
    gain, weak = effort(own, x, size)
    assert gain.shape == (2,) and (gain < 0.05).all() and (weak > gain).all()
    twice, _ = effort(own, x, 2 * size)
    assert (twice > 0.9).all()


def test_convolutions_get_more_effort() -> None:
    (cnn,) = ensembles("digits-brightness", "CNN", [(0.2, 1.0)], [0])
    (mlp,) = ensembles("digits-brightness", "MLP", [(0.2, 1.0)], [0])
    assert convolutional(cnn) and not convolutional(mlp)
    x = registry.by_name("digits-brightness").draw(3, torch.Generator().manual_seed(0))[0].float()
    for own, starts, steps in ((cnn, *HARD), (mlp, 1, 20)):
        same = attacks.smallest_perturbations(
            own.outputs, x, norm="linf", members=1, starts=starts, steps=steps
        )
        assert torch.equal(thorough(own, x, "linf").size, same.size)
