"""Lazy and rich training: a step by hand, movement against its bound, and what the engine does."""

import math

import pytest
import torch

from falsestruct.learning import engines, ensembles, lazy
from falsestruct.learning.linearised import Linearised
from falsestruct.learning.members import DivergedError
from falsestruct.learning.networks import shallow
from falsestruct.learning.schedule import Schedule

NETWORK = shallow(2, 16)
X = torch.tensor([[-1.0, 0.5], [1.0, 1.0], [-0.5, -1.0], [1.0, -1.0]], dtype=torch.float64)
Y = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64)


def trained(alpha, steps, rate=0.1, target=None, seeds=(1, 2)):
    schedule = Schedule(steps, target=target, learning_rate=rate, optimizer="sgd")
    return lazy.learner(alpha)(NETWORK, (X, Y), seeds, schedule)


def out(asked, x=X):
    return asked.outputs(x.expand(len(asked), *x.shape))


def test_nothing_is_said_before_training():
    asked = trained(7.0, 0)
    assert out(asked).abs().max() == 0
    assert asked.facts["loss"] == pytest.approx([math.log(2)] * 2)
    assert asked.facts["moved"] == [0, 0] and asked.facts["steps"] == [0, 0]


def test_a_large_factor_trains_the_linearised_network():
    asked = trained(1e4, 50)
    for member, seed in enumerate((1, 2)):
        model = Linearised.of(NETWORK, seed, X, X)
        zero = torch.zeros_like(model.start)
        flat = Linearised(model.kernel, model.across, zero, zero)
        wanted = flat.descend(2 * Y - 1, steps=50, rate=0.1)
        assert torch.allclose(out(asked)[member], wanted, atol=1e-3)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 30.0])
def test_weights_move_no_further_than_the_bound(alpha):
    asked = trained(alpha, 400, rate=0.02)
    for travelled, steps in zip(asked.facts["travelled"], asked.facts["steps"], strict=True):
        assert 0 < travelled <= math.sqrt(steps * 0.02 * math.log(2)) / alpha


def test_a_small_factor_moves_them_further():
    far, near = (trained(alpha, 3000, target=0.1).facts["moved"] for alpha in (0.3, 30.0))
    assert min(far) > 10 * max(near)


def test_a_member_at_its_target_stays_there():
    both = trained(1.0, 3000, target=0.2)
    assert all(both.facts["reached"]) and max(both.facts["loss"]) <= 0.2
    first, second = both.facts["steps"]
    assert first != second and max(first, second) < 3000
    for member, seed in enumerate((1, 2)):
        alone = trained(1.0, 3000, target=0.2, seeds=(seed,))
        assert alone.facts["steps"] == [both.facts["steps"][member]]
        assert torch.allclose(out(alone)[0], out(both)[member])
    short = trained(1.0, 3, target=0.2)
    assert short.facts["reached"] == [False, False] and short.facts["steps"] == [3, 3]


def test_a_member_at_its_target_costs_no_more(monkeypatch):
    sizes, plain = [], engines.forward

    def counted(architecture):
        forward = plain(architecture)

        def outputs(parameters, x):
            sizes.append(len(x))
            return forward(parameters, x)

        return outputs

    monkeypatch.setattr(engines, "forward", counted)
    trained(1.0, 3000, target=0.2)
    assert sizes[0] == 2 and sizes[-1] == 1


def test_labels_are_asked_as_of_any_ensemble():
    assert trained(1.0, 2000, target=0.1).labels(X.float()).tolist() == [[0, 1, 0, 1]] * 2
    assert isinstance(trained(1.0, 1), ensembles.Ensemble)


@pytest.mark.parametrize(
    "schedule", [Schedule(3), Schedule(3, batch=2, optimizer="sgd"),
                 Schedule(3, optimizer="sgd", learning_rate=[0.1, 0.2])],
)  # fmt: skip
def test_what_it_cannot_do_is_refused(schedule):
    with pytest.raises(ValueError, match="descent on whole sets"):
        lazy.learner(1.0)(NETWORK, (X, Y), [1, 2], schedule)


def test_a_factor_of_zero_and_a_rate_too_large_are_refused():
    with pytest.raises(ValueError, match="alpha is 0"):
        lazy.learner(0)
    with pytest.raises(DivergedError):
        trained(1.0, 200, rate=1e200)
