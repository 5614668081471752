"""Perturbations of rules whose radii are known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.instability.attacks import Norm, Outputs
from falsestruct.learning import networks
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()
X, Y = STRIPES.described(0.1)
TOWARDS = torch.where(Y > 0, 1.0, -1.0).double()[:, None, None]


def colour(x: torch.Tensor) -> torch.Tensor:
    return STRIPES.colour(x)[None]


def orientation(x: torch.Tensor) -> torch.Tensor:
    return STRIPES.orientation(x)[None]


def test_constant_images_flip_the_colour_rule_only() -> None:
    assert attacks.flipped(colour, X, 0.11 * TOWARDS).all()
    assert not attacks.flipped(colour, X, 0.09 * TOWARDS).any()
    assert not attacks.flipped(orientation, X, 0.4 * TOWARDS).any()


def test_random_directions_have_the_norm_asked_for_and_flip_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    eta = attacks.random_directions(X, 3.2, generator)
    torch.testing.assert_close(eta.flatten(1).norm(dim=1), torch.full((60,), 3.2).double())
    assert not attacks.flipped(colour, X, eta).any()
    again = attacks.random_directions(X, 3.2, torch.Generator().manual_seed(0))
    assert torch.equal(eta, again)
    assert not torch.equal(eta, attacks.random_directions(X, 3.2, generator))


def test_smallest_step_is_the_radius_up_to_the_grid() -> None:
    step = attacks.smallest_step(colour, X, TOWARDS, largest=0.7, points=7, halvings=10)
    assert step.shape == (60,)
    assert ((step > 0.0999) & (step < 0.1001)).all()
    never = attacks.smallest_step(orientation, X, TOWARDS, largest=0.4, points=8)
    assert never.isinf().all()
    mixed = attacks.smallest_step(colour, X, TOWARDS * (Y > 0)[:, None, None], largest=0.4)
    assert torch.equal(mixed.isinf(), Y == 0)


NORMS: tuple[Norm, Norm] = ("l2", "linf")
ORDER = {"l2": 2.0, "linf": math.inf}


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def stacked(members: int, inputs: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    """Random ReLU networks of one hidden layer, biases included."""
    return {
        "W": draw(members, width, inputs, seed=seed),
        "b": draw(members, width, seed=seed + 1),
        "v": draw(members, width, seed=seed + 2) / width**0.5,
        "c": draw(members, seed=seed + 3) / 4,
    }


def relu(parameters: dict[str, Tensor]) -> Outputs:
    def one(p: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.relu(x.flatten(1) @ p["W"].T + p["b"]) @ p["v"] + p["c"]

    return lambda x: torch.func.vmap(one)(parameters, x)


def linear(w: Tensor, b: Tensor) -> Outputs:
    """Weights (members, inputs), biases (members,)."""
    return lambda x: torch.einsum("msd,md->ms", x.flatten(2), w) + b[:, None]


def sizes(eta: Tensor, norm: Norm) -> Tensor:
    return torch.linalg.vector_norm(eta.flatten(2).double(), ord=ORDER[norm], dim=2)


def assert_flips(outputs: Outputs, x: Tensor, attack: attacks.Attack) -> None:
    """Where a size is finite the perturbation flips and has it; elsewhere it is zero."""
    found = attack.size.isfinite()
    flips = (outputs(x + attack.perturbation) > 0) != (
        outputs(x.expand(*attack.perturbation.shape)) > 0
    )
    assert torch.equal(flips, found)
    wanted = torch.where(found, attack.size, 0.0)
    torch.testing.assert_close(sizes(attack.perturbation, attack.norm), wanted, rtol=1e-12, atol=0)


@given(
    seed=st.integers(0, 10_000),
    members=st.integers(1, 3),
    shape=st.sampled_from([(1,), (5,), (2, 3)]),
    norm=st.sampled_from(NORMS),
)
def test_linear_models_in_closed_form(
    seed: int, members: int, shape: tuple[int, ...], norm: Norm
) -> None:
    w, b = draw(members, math.prod(shape), seed=seed), draw(members, seed=seed + 1)
    x, outputs = draw(4, *shape, seed=seed + 2), linear(w, b)
    attack = attacks.smallest_perturbations(outputs, x, norm=norm, members=members)
    dual = w.norm(dim=1) if norm == "l2" else w.abs().sum(1)
    exact = outputs(x.expand(members, *x.shape)).abs() / dual[:, None]
    torch.testing.assert_close(attack.size, exact, rtol=1e-6, atol=1e-12)
    assert attack.norm == norm and attack.size.dtype == torch.float64
    assert_flips(outputs, x, attack)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("starts", [1, 4])
def test_the_walk_itself_knows_how_far_the_boundary_is(
    norm: Norm, starts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last stretch ends on the boundary however far the walk went beyond it, so a wrong dual
    # norm would hide behind it wherever the direction is right. Without it: |w·x + b| / dual norm.
    monkeypatch.setattr(attacks, "_ROUNDS", 0)
    w, b = draw(3, 40), draw(3, seed=1)
    x, outputs = draw(6, 40, seed=2), linear(w, b)
    attack = attacks.smallest_perturbations(outputs, x, norm=norm, members=3, starts=starts)
    dual = w.norm(dim=1) if norm == "l2" else w.abs().sum(1)
    exact = outputs(x.expand(3, *x.shape)).abs() / dual[:, None]
    assert (attack.size >= exact * (1 - 1e-9)).all()
    assert (attack.size <= exact * 1.01).all()
    assert_flips(outputs, x, attack)


def nearest_on_grid(outputs: Outputs, x: Tensor, norm: Norm, reach: float, points: int) -> Tensor:
    """Smallest of a dense grid of 2-D perturbations that flips each sample of one member."""
    line = torch.linspace(-reach, reach, points, dtype=torch.float64)
    eta = torch.cartesian_prod(line, line)
    length = sizes(eta[None], norm)[0]
    own = outputs(x[None])[0] > 0
    flips = [(outputs((z + eta)[None])[0] > 0) != label for z, label in zip(x, own, strict=True)]
    return torch.stack([torch.where(flip, length, torch.inf).min() for flip in flips])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("width", "seed"), [(6, 0), (6, 40), (6, 60), (104, 20)])
def test_networks_of_two_inputs_against_a_dense_grid(norm: Norm, width: int, seed: int) -> None:
    outputs = relu(stacked(1, 2, width, seed))
    x, reach, points = draw(8, 2, seed=9), 4.0, 401
    attack = attacks.smallest_perturbations(outputs, x, norm=norm, members=1, starts=24)
    near = nearest_on_grid(outputs, x, norm, reach, points)
    assert near.isfinite().all()
    # What flips on the grid is an upper bound of the exact size, about a cell away from it.
    assert (attack.size[0] <= near * (1 + 1e-9)).all()
    assert (attack.size[0] >= near - 5 * 2 * reach / points).all()
    assert_flips(outputs, x, attack)


@pytest.mark.parametrize("norm", NORMS)
def test_a_corner_is_found_where_no_single_plane_leads_to_it(norm: Norm) -> None:
    # Label 1 where both coordinates exceed 1: the nearest point of it is the corner (1, 1).
    def corner(x: Tensor) -> Tensor:
        return x.amin(2) - 1

    x = torch.zeros(1, 2, dtype=torch.float64)
    attack = attacks.smallest_perturbations(corner, x, norm=norm, members=1, steps=60, starts=4)
    exact = 2**0.5 if norm == "l2" else 1.0
    assert exact <= attack.size.item() <= 1.002 * exact


@pytest.mark.parametrize("norm", NORMS)
def test_sizes_scale_with_the_inputs(norm: Norm) -> None:
    parameters, x = stacked(2, 5, 20), draw(6, 5, seed=4)
    small = parameters | {"W": parameters["W"] * 8}
    plain, shrunk = (
        attacks.smallest_perturbations(relu(p), z, norm=norm, members=2, starts=3)
        for p, z in ((parameters, x), (small, x / 8))
    )
    torch.testing.assert_close(plain.size, 8 * shrunk.size, rtol=1e-9, atol=0)


@pytest.mark.parametrize("norm", NORMS)
def test_a_member_does_not_depend_on_the_others(
    norm: Norm, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters, x = stacked(5, 4, 30), draw(20, 4, seed=4)
    monkeypatch.setattr(attacks, "_CHUNK", 100)  # so that alone and together differ in chunks
    together = attacks.smallest_perturbations(relu(parameters), x, norm=norm, members=5, starts=3)
    for i in range(5):
        own = {name: value[i : i + 1] for name, value in parameters.items()}
        alone = attacks.smallest_perturbations(relu(own), x, norm=norm, members=1, starts=3)
        torch.testing.assert_close(alone.size[0], together.size[i], rtol=1e-9, atol=0)
    again = attacks.smallest_perturbations(relu(parameters), x, norm=norm, members=5, starts=3)
    assert torch.equal(again.perturbation, together.perturbation)


def test_each_member_can_have_its_own_inputs() -> None:
    w, b = draw(3, 4), draw(3, seed=1)
    x, outputs = draw(3, 5, 4, seed=2), linear(draw(3, 4), draw(3, seed=1))
    attack = attacks.smallest_perturbations(outputs, x, norm="l2")
    exact = outputs(x).abs() / w.norm(dim=1)[:, None]
    torch.testing.assert_close(attack.size, exact, rtol=1e-6, atol=0)
    assert b.shape == (3,) and attack.perturbation.shape == (3, 5, 4)


@pytest.mark.parametrize("norm", NORMS)
def test_where_nothing_flips_the_size_is_infinite(norm: Norm) -> None:
    x = draw(4, 3)

    def one_is_constant(z: Tensor) -> Tensor:
        return torch.stack((torch.ones(z.shape[1]).double(), z[1, :, 0]))

    attack = attacks.smallest_perturbations(one_is_constant, x, norm=norm, members=2, starts=2)
    assert attack.size[0].isinf().all() and (attack.perturbation[0] == 0).all()
    torch.testing.assert_close(attack.size[1], x[:, 0].abs(), rtol=1e-6, atol=0)
    severed = attacks.smallest_perturbations(
        lambda z: torch.full(z.shape[:2], -1.0), x, norm=norm, members=2
    )
    assert severed.size.isinf().all() and severed.perturbation.isfinite().all()


def test_an_output_that_is_not_a_number_is_no_flip() -> None:
    # 1 + log of a distance to a wall that is never passed: NaN beyond it.
    def walled(z: Tensor) -> Tensor:
        return 5 + torch.sqrt(2 - z[..., 0])

    attack = attacks.smallest_perturbations(
        walled, torch.zeros(1, 1).double(), norm="l2", members=1, starts=8
    )
    assert attack.size.isinf().all()


def test_what_flips_once_and_not_again_is_not_returned() -> None:
    calls = []

    def fickle(z: Tensor) -> Tensor:
        calls.append(None)
        flipped = 1 - z[..., 0]
        return flipped if len(calls) <= 30 else torch.ones_like(flipped)

    x = torch.zeros(1, 1).double()
    # The label, 8 steps and their end, 2 ends and 12 tries: 24 calls; then the last evaluation.
    found = attacks.smallest_perturbations(fickle, x, norm="l2", members=1, steps=8)
    assert found.size.isfinite().all()
    calls[:] = [None] * 6
    lost = attacks.smallest_perturbations(fickle, x, norm="l2", members=1, steps=8)
    assert lost.size.isinf().all() and (lost.perturbation == 0).all()


def test_a_point_on_the_boundary_needs_next_to_nothing() -> None:
    w, b = torch.ones(1, 3).double(), torch.zeros(1).double()
    x = torch.tensor([[1.0, -1.0, 0.0]]).double()
    attack = attacks.smallest_perturbations(linear(w, b), x, norm="l2", members=1)
    assert 0 < attack.size.item() < 1e-12
    assert_flips(linear(w, b), x, attack)


@pytest.mark.parametrize("norm", NORMS)
def test_starts_from_elsewhere_find_what_the_gradient_at_x_hides(norm: Norm) -> None:
    # Flat around 0 and on the way to the left; label 0 only where x > 1.
    def ledge(z: Tensor) -> Tensor:
        return 1 - 2 * torch.relu(z[..., 0] - 0.5)

    x = torch.zeros(1, 1).double()
    first = attacks.smallest_perturbations(ledge, x, norm=norm, members=1)
    more = attacks.smallest_perturbations(ledge, x, norm=norm, members=1, starts=12)
    assert first.size.isinf().all()
    torch.testing.assert_close(more.size, torch.ones(1, 1).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("norm", NORMS)
def test_never_worse_than_random_directions_of_the_same_budget(norm: Norm) -> None:
    parameters, x, steps = stacked(6, 10, 40), draw(16, 10, seed=4), 20
    once, more = (
        attacks.smallest_perturbations(
            relu(parameters), x, norm=norm, members=6, steps=steps, starts=starts
        )
        for starts in (1, 4)
    )
    for i in range(6):
        own = relu({name: value[i : i + 1] for name, value in parameters.items()})
        best = torch.full((16,), torch.inf).double()
        for seed in range(steps):
            direction = draw(16, 10, seed=100 + seed)
            if norm == "linf":
                direction = direction.sign()
            direction = direction / sizes(direction[None], norm)[0, :, None]
            found = attacks.smallest_step(
                lambda z, own=own: (own(z[None]) > 0).long(), x, direction, largest=10.0
            )
            best = best.minimum(found)
        assert once.size[i].median() <= best.median()
        assert (more.size[i] <= best).double().mean() >= 0.9


def test_stacked_images_in_single_precision() -> None:
    nets = [networks.initialise(networks.MLP.build(), seed) for seed in range(3)]
    parameters, _ = torch.func.stack_module_state(nets)
    parameters = {name: value.detach() for name, value in parameters.items()}
    network = networks.MLP.build()
    outputs = torch.func.vmap(lambda p, z: networks.apply(network, p, z))
    x = STRIPES.described(0.1)[0][::6].float()
    for norm in NORMS:
        attack = attacks.smallest_perturbations(
            lambda z: outputs(parameters, z), x, norm=norm, members=3
        )
        assert attack.perturbation.shape == (3, 10, 32, 32)
        assert attack.perturbation.dtype == torch.float32 and attack.size.isfinite().all()
        assert_flips(lambda z: outputs(parameters, z), x, attack)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norm": "l1"}, "norm is 'l1'; expected one of"),
        ({"steps": 0}, "steps is 0, starts is 1"),
        ({"starts": 0}, "steps is 20, starts is 0"),
        ({"members": None}, r"x has shape \(4, 3\) .* expected \(members, samples, \*shape\)"),
        ({"x": torch.zeros(4)}, r"x has shape \(4,\)"),
        ({"x": torch.zeros(4, 3).long()}, "torch.int64"),
        ({"x": torch.tensor([[1.0, math.nan], [math.inf, 0.0]])}, "2 values that are not finite"),
        (
            {"outputs": lambda x: x[..., None]},
            r"shape \(2, 4, 3, 1\) for inputs .*\(2, 4, 3\); expected \(2, 4\)",
        ),
        ({"outputs": lambda x: x[..., 0] / 0}, "8 values that are not finite"),
    ],
)
def test_errors_name_what_does_not_fit(change: dict[str, object], message: str) -> None:
    good = {"outputs": lambda x: x[..., 0], "x": torch.ones(4, 3), "norm": "l2", "members": 2}
    with pytest.raises(ValueError, match=message):
        attacks.smallest_perturbations(**(good | change))  # type: ignore[arg-type]


def test_robust_accuracy_counts_right_points_whose_size_is_larger() -> None:
    size = torch.tensor([[0.1, 0.5, torch.inf], [0.1, 0.2, 0.3]], dtype=torch.float64)
    attack = attacks.Attack("l2", size, torch.zeros(2, 3, 1))
    correct = torch.tensor([[True, True, False], [True, True, True]])
    assert torch.equal(
        attacks.robust_accuracy(attack, correct, 0.2),
        torch.tensor([1 / 3, 1 / 3], dtype=torch.float64),
    )


def sanity(
    outputs: Outputs, x: Tensor, *, large: float = 10.0, **options: object
) -> attacks.Sanity:
    y = (outputs(x[None])[0] > 0).long()
    attack = attacks.smallest_perturbations(outputs, x, norm="l2", members=1, **options)  # type: ignore[arg-type]
    return attacks.sanity(outputs, x, y, attack=attack, large=large)


def test_an_honest_model_passes_every_check() -> None:
    seen = sanity(relu(stacked(1, 2, 6)), draw(40, 2, seed=9), starts=12)
    assert seen.holds
    assert seen.surviving.value == seen.gradients.value == seen.rise.value == 0
    assert seen.black_box.value <= 0.01


def test_masked_gradients_are_caught() -> None:
    # The input is quantised: every gradient is zero, random noise flips many labels.
    seen = sanity(lambda z: (z.sum(2) * 2).round() + 0.5, draw(40, 2, seed=9))
    assert not seen.holds
    assert seen.gradients == attacks.Check(False, 1.0)
    assert seen.surviving == attacks.Check(False, 1.0)
    assert seen.rise == attacks.Check(False, math.inf)
    assert not seen.black_box.holds and seen.black_box.value > 0.5


def test_an_attack_that_is_too_weak_is_caught() -> None:
    # Right directions, three times too far.
    w, b = torch.ones(1, 2).double(), torch.zeros(1).double()
    outputs, x = linear(w, b), draw(60, 2, seed=9)
    y = (outputs(x[None])[0] > 0).long()
    good = attacks.smallest_perturbations(outputs, x, norm="l2", members=1)
    weak = attacks.Attack("l2", 3 * good.size, 3 * good.perturbation)
    strong, seen = (
        attacks.sanity(outputs, x, y, attack=a, large=9.0, draws=20) for a in (good, weak)
    )
    assert strong.holds and strong.black_box.value == 0
    assert not seen.black_box.holds and seen.black_box.value > 0.5
    # The attack that flips at 3 times the size leaves points at a "large" size between.
    middle = good.size.median().item()
    left = attacks.sanity(outputs, x, y, attack=weak, large=middle).surviving
    assert not left.holds and left.value == (weak.size > middle).double().mean().item()


def test_a_margin_that_rises_on_the_way_is_caught() -> None:
    # 1 + r − r²: the margin peaks at r = 1/2, and is back at its start at r = 1.
    def hill(z: Tensor) -> Tensor:
        return 1 + z[..., 0] - z[..., 0] ** 2

    x, y = torch.zeros(1, 1).double(), torch.ones(1)
    end = (1 + 5**0.5) / 2 + 1e-9
    uphill = attacks.Attack(
        "l2", torch.full((1, 1), end).double(), torch.full((1, 1, 1), end).double()
    )
    seen = attacks.sanity(hill, x, y, attack=uphill, large=2.0)
    step = end / 10
    assert not seen.rise.holds
    assert seen.rise.value == pytest.approx(step - step**2)
    # Down the other side the margin falls all the way.
    best = attacks.smallest_perturbations(hill, x, norm="l2", members=1, starts=8)
    assert best.size.item() == pytest.approx((5**0.5 - 1) / 2, rel=1e-6)
    assert attacks.sanity(hill, x, y, attack=best, large=2.0).holds


def test_points_that_are_wrong_from_the_start_do_not_survive() -> None:
    x = torch.tensor([[1.0], [2.0]]).double()
    attack = attacks.smallest_perturbations(lambda z: z[..., 0], x, norm="l2", members=1)
    seen = attacks.sanity(lambda z: z[..., 0], x, torch.tensor([0, 1]), attack=attack, large=0.5)
    assert seen.surviving == attacks.Check(False, 0.5)


def test_sanity_wants_the_inputs_that_were_attacked() -> None:
    x = torch.ones(2, 1).double()
    attack = attacks.smallest_perturbations(lambda z: z[..., 0], x, norm="l2", members=1)
    with pytest.raises(ValueError, match=r"x has shape \(1, 1, 1\), the attack \(1, 2, 1\)"):
        attacks.sanity(lambda z: z[..., 0], x[:1], torch.ones(1), attack=attack, large=2.0)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_linear_models_of_several_classes_in_closed_form(norm: Norm) -> None:
    """The nearest of nine planes: (f_own − f_k) / ‖w_own − w_k‖ in the dual norm."""
    w, b, x = draw(3, 10, 6), draw(3, 10, seed=1), draw(40, 6, seed=2)

    def outputs(z: Tensor) -> Tensor:
        return z @ w.transpose(1, 2) + b[:, None]

    attack = attacks.smallest_perturbations(outputs, x, norm=norm, members=3, starts=10)
    f = outputs(x.expand(3, -1, -1))
    own = f.argmax(-1)
    member = torch.arange(3)[:, None]
    gaps = f.gather(-1, own[..., None]) - f
    slopes = w[member, own][:, :, None] - w[:, None]
    dual = torch.linalg.vector_norm(slopes, ord=2 if norm == "l2" else 1, dim=-1)
    distances = (gaps / dual).scatter(-1, own[..., None], torch.inf).amin(-1)
    torch.testing.assert_close(attack.size, distances, rtol=1e-6, atol=1e-9)
    flipped = outputs(x + attack.perturbation).argmax(-1) != own
    assert flipped.all()
    checks = attacks.sanity(outputs, x, own, attack=attack, large=1.01 * attack.size.max())
    assert checks.holds


def test_one_output_in_an_axis_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="one output a member and sample, or that and one a class"):
        attacks.smallest_perturbations(
            lambda z: z.sum(-1, keepdim=True), draw(4, 3), norm="l2", members=1
        )
