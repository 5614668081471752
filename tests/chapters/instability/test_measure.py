"""Chapter 06 on networks built by hand, and on worlds in which its claims are false."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from falsestruct.chapters.instability import evidence as estimates
from falsestruct.chapters.instability import measure as experiment
from falsestruct.chapters.instability import rules
from falsestruct.instability import attacks, exact
from falsestruct.instability.attacks import Outputs
from falsestruct.learning import training
from falsestruct.learning.networks import fitting
from falsestruct.press.notebook.claims import Claim, judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.planted.registry import STRENGTHS
from tests.worlds.instability import POINTS, hand, tables

CLAIMS = {
    id: claim for id, claim in read_claims(find_book()).items() if claim.chapter == "06_instability"
}
# Proved or about the attack: they don't depend on what networks learn.
FIXED = {
    "instability-nothing-follows", "instability-attack-gap", "instability-reflection",
    *(f"instability-structure-{name}" for name in experiment.PROBLEMS),
}  # fmt: skip


def mixed(problem: Planted, original: Outputs, share: float) -> Outputs:
    """The false structure on a share of the inputs, told by something neither structure sees."""

    def outputs(x: Tensor) -> Tensor:
        flat = x.flatten(2)
        mark = (1e3 * flat[..., 0]).remainder(1.0) if x.ndim == 3 else _position(x)
        return torch.where(mark < share, rules.false_rule(problem)(x), original(x))

    return outputs


def _position(x: Tensor) -> Tensor:
    """Where the stripe lies, in [0, 1), whatever its direction and colour."""
    rows, columns = x.mean(3), x.mean(2)
    both = torch.where((rows.std(2) > columns.std(2))[..., None], rows, columns)
    return both.argmax(2) / both.shape[2]


@pytest.mark.parametrize("name", experiment.PROBLEMS)
def test_the_false_structure_as_a_network_has_its_own_numbers(name: str) -> None:
    problem = registry.by_name(name)
    row = experiment.measure(problem, rules.false_rule(problem), 1, points=POINTS).iloc[0]
    assert row["capture"] == row["success"] == row["own"] == 1.0
    for column in ("ratio_0", "ratio_1", "cosine"):
        assert row[column] == pytest.approx(1.0, abs=1e-3)
    assert row["size"] == pytest.approx(row["radius"], rel=1e-3)
    assert row["robust"] == 0.0
    assert row["sane"]


def test_the_originals_as_networks_are_seen_to_be_stable() -> None:
    table = hand()
    original = table[table["rule"] == "original"].set_index("problem")
    assert (original["capture"] == 0).all()
    assert (original["success"] == 1).all()
    assert (original["own"] == 0).all()
    assert original.loc["stripes", "size"] == pytest.approx(rules.STRIPE_RADIUS, rel=1e-2)
    assert original.loc["stripes", "sane"]
    # It is flat on the data, so that a gradient leads nowhere, and the checks say so.
    assert not original.loc["oscillation", "sane"]
    assert original.loc["oscillation", "gradients"] == 1.0


def test_what_a_flat_network_hides_from_the_attack_the_exact_distance_sees() -> None:
    found = rules.masked(points=POINTS)
    assert found["flat_masked"] == 1.0
    assert found["missed_one"] == 1.0
    assert 0 <= found["missed_many"] < 1.0
    assert found["ratio_masked"] == pytest.approx(
        rules.stability("oscillation", points=90).value, rel=0.1
    )
    problem, network = registry.by_name("oscillation"), rules.oscillation_network()
    x, _ = problem.draw(8, torch.Generator().manual_seed(0))
    assert problem.original.radius is not None
    for point, radius in zip(x.numpy(), problem.original.radius(x).tolist(), strict=True):
        for norm in ("l2", "linf"):
            exactly = exact.smallest_in_plane(network, point, norm=norm, radius=0.1)
            assert exactly.size == pytest.approx(radius, rel=1e-6)


@pytest.mark.parametrize(("name", "share"), [("stripes", 0.3), ("oscillation", 0.6)])
def test_mixtures_get_the_right_share(name: str, share: float) -> None:
    problem = registry.by_name(name)
    outputs = mixed(problem, rules.ORIGINALS[name], share)
    capture = experiment.captures(problem, outputs, 1).item()
    assert capture == pytest.approx(share, abs=0.07)


def test_a_constant_network_fails_the_sanity_checks_and_has_no_finite_size() -> None:
    problem = registry.by_name("stripes")
    row = experiment.measure(
        problem, lambda x: 0 * x.flatten(2).sum(2) + 1.0, 1, points=POINTS
    ).iloc[0]
    assert row["size"] == experiment.LARGE
    assert not row["sane"]
    assert row["surviving"] == pytest.approx(row["success"])
    assert np.isnan(row["cosine"])  # no perturbation, no direction


def test_sizes_are_kept_apart_by_label() -> None:
    """A boundary that touches one label must not pass as lying in the middle."""
    problem = registry.by_name("stripes")
    shift = 0.9 * problem.distance(problem.draw(10, torch.Generator())[0], "l2").median()
    shifted: Outputs = lambda x: rules.false_rule(problem)(x) - shift  # noqa: E731
    row = experiment.measure(problem, shifted, 1, points=POINTS).iloc[0]
    assert row["ratio_1"] == pytest.approx(0.1, rel=1e-2)
    assert row["ratio_0"] == pytest.approx(1.9, rel=1e-2)
    assert not estimates.in_band(pd.DataFrame([row]))[0]


# ---- structures ----


def test_bounds_of_the_originals_are_in_order_and_the_upper_one_flips() -> None:
    problem = registry.by_name("digits-brightness")
    x, _ = problem.draw(8, torch.Generator().manual_seed(1), held_out=True)
    low, high = rules.radii(problem, x)
    assert (low > 0).all()
    assert (low <= high * (1 + 1e-6)).all()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    inside = x + 0.99 * low[:, None, None] * noise / noise.flatten(1).norm(dim=1)[:, None, None]
    assert (problem.original(inside) == problem.original(x)).all()


def test_structures_change_places_when_the_false_one_is_strong() -> None:
    for name, value in (("stripes", 5.0), ("oscillation", None)):
        usual = rules.stability(name, points=POINTS)
        assert usual.low > 1
        if value is not None:
            assert usual.value == pytest.approx(value)
        strong = rules.stability(name, factor=10.0, points=POINTS)
        assert strong.value == pytest.approx(usual.value / 10)


@pytest.mark.parametrize("size", [0.0, 3.0])
def test_the_follower_agrees_and_is_as_unstable_as_the_proposition_says(size: float) -> None:
    ratio, gap = rules.follower_ratio(size=size)
    assert ratio.value == pytest.approx(1 / math.sqrt(1 + size**2), rel=1e-9)
    assert gap < 1e-9


def test_no_follower_where_the_data_span_everything() -> None:
    problem = registry.by_name("oscillation")
    with pytest.raises(ValueError, match="span all 2 dimensions"):
        rules.follower(problem, torch.eye(2, dtype=torch.float64), 1.0)


def test_the_mirror_bounds_every_network_that_reads_both() -> None:
    """The second proposition on random linear networks, whose distances are closed forms."""
    problem = registry.by_name("oscillation")
    x, _ = problem.draw(50, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    mirror, seen = x + 2 * experiment.worst(problem, x), 0
    for _ in range(300):
        w = problem.direction + 0.02 * torch.randn(2, generator=generator, dtype=torch.float64)
        level = problem.level + 0.01 * torch.randn(1, generator=generator, dtype=torch.float64)
        value, other = x @ w - level, mirror @ w - level
        reads = ((value > 0) == problem.false(x)) & ((other > 0) != problem.false(x))
        for dual in (w.norm(), w.abs().sum()):
            total = (value.abs() + other.abs()) / dual
            assert (total[reads] <= 2 * problem.distance(x, "l2")[reads] * (1 + 1e-9)).all()
        seen += int(reads.sum())
    assert seen > 100


# ---- worlds ----


def verdicts(world: str) -> dict[str, str]:
    found = estimates.estimates(tables(world), points=POINTS)
    assert set(found) == set(CLAIMS)
    return {id: judge(CLAIMS[id], *pair) for id, pair in found.items()}


def test_where_networks_follow_the_original_no_claim_about_them_is_supported() -> None:
    found = verdicts("original")
    board = {id for id, claim in CLAIMS.items() if claim.architecture}
    for id in board:
        # Parity's own perturbations are as large as the brightness's: there the control objects.
        refused = "inconclusive" if CLAIMS[id].problem.startswith("digits") else "refuted"
        assert found[id] == refused, id
    for id in set(CLAIMS) - FIXED - board:
        # Two are about the original, and true where networks follow it.
        allowed = {"instability-original-inherits": "supported"}
        assert found[id] == allowed.get(id, found[id])
        assert found[id] != "supported" or id in allowed, id


def test_where_networks_follow_the_false_structure_its_claims_are_supported() -> None:
    found = verdicts("false")
    for id, claim in CLAIMS.items():
        if claim.architecture:
            # Parity's own perturbations are as large: there the control objects.
            wanted = "inconclusive" if claim.problem.startswith("digits") else "supported"
            assert found[id] == wanted, id
    for name in experiment.PROBLEMS:
        assert found[f"instability-slope-{name}"] == "supported"
        assert found[f"instability-cosine-{name}"] == "supported"
    assert found["instability-readers-dense"] == "supported"
    assert found["instability-readers-convolutions"] == "supported"
    assert found["instability-universal-stripes"] == "supported"
    # Training against an adversary changed nothing.
    assert {found[f"instability-adversary-{name}"] for name in experiment.PROBLEMS} == {"refuted"}


def claim(id: str) -> Claim:
    return CLAIMS[id]


def test_untrained_networks_and_shuffled_labels_have_no_instability_of_a_structure() -> None:
    problem = registry.by_name("stripes")
    name, seeds = "MLP", range(6)
    x, y = problem.draw(60, torch.Generator().manual_seed(0))
    shuffled = y[torch.randperm(60, generator=torch.Generator().manual_seed(1))]
    network = fitting(problem.direction.shape)[1]
    for labels, schedule in (
        (y, training.Schedule(0)),
        (shuffled, training.Schedule(200, target=1e-2)),
    ):
        trained = training.train(network, (x, labels), seeds, schedule)
        table = experiment.measure(
            problem, training.as_function(trained), len(trained), points=POINTS
        ).assign(problem="stripes", architecture=name, strength=problem.strength, seed=seeds)
        both = pd.concat([table.assign(rho=rho) for rho in (1.0, 0.5)], ignore_index=True)
        estimate, control = estimates.board(both)["instability-stripes-mlp"]
        assert judge(claim("instability-stripes-mlp"), estimate, control) != "supported"


def test_without_a_false_structure_nothing_is_supported() -> None:
    """Strength 0: there is nothing to read, and no distance to compare with."""
    problem = registry.by_name("stripes", 1e-9)  # 0 leaves the conflict set undefined
    (trained,) = experiment.ensembles("stripes", "MLP", [(1e-9, 1.0)], range(6))
    table = experiment.measure(
        problem, training.as_function(trained), len(trained), points=POINTS
    ).assign(problem="stripes", architecture="MLP", strength=STRENGTHS["stripes"], seed=range(6))
    both = pd.concat([table.assign(rho=rho) for rho in (1.0, 0.5)], ignore_index=True)
    estimate, control = estimates.board(both)["instability-stripes-mlp"]
    assert judge(claim("instability-stripes-mlp"), estimate, control) == "refuted"


# ---- the machinery, on few networks ----


def test_networks_of_one_problem_at_a_small_scale() -> None:
    table = experiment.networks(
        "stripes", seeds=2, slow_seeds=1, factors=[0.125], points=8, architectures=["MLP"]
    )
    assert set(table["architecture"]) == {"MLP"}
    cells = table.groupby(["strength", "rho"]).size()
    assert len(cells) == 5 and (cells == 2).all()
    weak = table[(table["strength"] < 0.1)]
    assert (weak["capture"] < 0.1).all()
    strong = table[(table["strength"] == 0.1) & (table["rho"] == 1.0)]
    assert (strong["capture"] > 0.5).all()
    # The proposition: who reads an image and its mirror image is at most twice as stable.
    assert ((strong["ratio_0"] + strong["ratio_1"]) / 2 < 2).all()
    assert strong["cosine"].notna().all() and weak["cosine"].isna().all()


def test_dense_networks_get_more_seeds_in_every_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[dict] = []

    def sweep(_: object, grid: list[dict]) -> pd.DataFrame:
        points.extend(grid)
        return pd.DataFrame(columns=["seeds", "points"])

    monkeypatch.setattr(experiment, "sweep", sweep)
    for name in experiment.PROBLEMS:
        experiment.networks(name, seeds=20, slow_seeds=10, factors=[0.5, 1.0, 2.0], points=8)
    seeds = {(p["problem"], p["architecture"]): p["seeds"] for p in points}
    assert len(seeds) == len(points) == 11
    slow = {"pooled CNN", "paper's CNN", "CNN", "attention"}
    assert {name for (_, name), number in seeds.items() if number == 10} == slow
    assert set(seeds.values()) == {10, 20}
    for point in points:
        usual = STRENGTHS[point["problem"]]
        assert point["cells"][:2] == [[usual, 1.0], [usual, 0.5]]
        swept = point["architecture"] == experiment.SWEPT[point["problem"]]
        assert len(point["cells"]) == (7 if swept else 2)


def test_networks_that_measurements_share_are_trained_once() -> None:
    (first,) = experiment.ensembles("stripes", "MLP", [(0.1, 1.0)], range(2))
    strong, again = experiment.ensembles("stripes", "MLP", [(0.4, 1.0), (0.1, 1.0)], [0, 1])
    assert again is first
    assert strong.steps.max() < first.steps.min()  # cells keep their order
    assert first.seeds == strong.seeds == (0, 1)


def test_an_adversary_beyond_the_radius_changes_what_is_read() -> None:
    plain, hard = (
        experiment.adversary_point(problem="stripes", variant=variant, seeds=2, points=8)
        for variant in ("plain", "adversary")
    )
    assert (plain["capture"] > 0.5).all()
    assert (hard["capture"] < 0.1).all()
    assert (hard["size"] > 1.5 * plain["size"]).all()


def test_noise_has_the_adversary_s_size() -> None:
    x, y = experiment.training_set("stripes", (0.1, 1.0), 0)
    noisy, labels = experiment._noisy((x, y), 0.2, 0)
    assert noisy.shape == (60 * experiment.COPIES, 32, 32)
    assert torch.equal(labels, y.repeat(experiment.COPIES))
    difference = (noisy - x.repeat(experiment.COPIES, 1, 1)).abs()
    torch.testing.assert_close(difference, torch.full_like(difference, 0.2))


def test_universal_shares_of_the_structure_itself() -> None:
    problem = registry.by_name("digits-brightness")
    row = experiment.universal_shares(problem, rules.false_rule(problem), 1, points=POINTS).iloc[0]
    assert row["own"] == row["found"] == 1.0
    assert row["random"] < 0.5


def test_gaps_on_two_networks() -> None:
    table = experiment.gap_point(rho=1.0, seeds=2, points=4, solved=1)
    assert len(table) == 4
    assert (table["worst"].abs() < 0.01).all()
    assert (table["mirrored"] <= 1).all()
    assert (table["solver"] < 1e-3).all()
    assert (table[table["norm"] == "linf"]["binaries"] > 0).all()


def test_a_network_that_always_answers_the_same_has_no_gap() -> None:
    """Neither search finds anything, and that is no excess."""
    problem = registry.by_name("oscillation")
    (trained,) = experiment.ensembles("oscillation", "2-104-1", [(0.01, 1.0)], [0])
    values = {name: value.double() for name, value in trained.parameters.items()}
    last = [name for name in values if name.startswith("2.")]
    values |= {name: torch.full_like(values[name], float("bias" in name)) for name in last}
    table = experiment.gap_rows(problem, replace(trained, parameters=values), points=2, solved=0)
    assert (table[["worst", "middle", "near", "weak"]] == 0).all(axis=None)
    assert table["other"].tolist() == pytest.approx([experiment.FAR / 0.01] * 2)


def test_thorough_starts_again_where_nothing_was_found() -> None:
    problem = registry.by_name("stripes", 0.4)
    (trained,) = experiment.ensembles("stripes", "MLP", [(0.4, 1.0)], range(2))
    x = problem.draw(12, torch.Generator().manual_seed(0))[0].float()
    outputs = training.as_function(trained)
    once = attacks.smallest_perturbations(outputs, x, norm="linf", members=2)
    more = experiment.thorough(outputs, x, "linf", 2)
    assert once.size.isinf().any()
    assert more.size.isfinite().double().mean() > once.size.isfinite().double().mean()
    near = once.size <= experiment.LARGE
    assert torch.equal(more.size[near], once.size[near])
    asked: list[list[int]] = []

    def some(rows: list[int]) -> Outputs:
        asked.append(rows)
        return experiment.some_of(trained)(rows)

    alone = experiment.thorough(outputs, x, "linf", 2, some=some)
    assert asked == [(~near).any(1).nonzero().flatten().tolist()]
    torch.testing.assert_close(alone.size, more.size)
    flips = (outputs(x + more.perturbation) > 0) != (outputs(x.expand(2, *x.shape)) > 0)
    assert torch.equal(flips, more.size.isfinite())


def test_thorough_s_reach_is_as_large_in_both_norms() -> None:
    """Euclidean sizes are √n times as large: being above `LARGE` is no reason to start again."""
    problem = registry.by_name("stripes")
    (trained,) = experiment.ensembles("stripes", "MLP", [(0.1, 1.0)], range(2))
    x = problem.draw(6, torch.Generator().manual_seed(0))[0].float()
    outputs = training.as_function(trained)
    once = attacks.smallest_perturbations(outputs, x, norm="l2", members=2)
    assert (once.size > experiment.LARGE).any()
    assert (once.size < experiment.LARGE * 32).all()

    def some(rows: list[int]) -> Outputs:
        pytest.fail(f"members {rows} start again")

    assert torch.equal(experiment.thorough(outputs, x, "l2", 2, some=some).size, once.size)


@pytest.mark.parametrize(("name", "d"), [("oscillation", 2), ("digits-brightness", 64)])
def test_chance_is_the_mean_cosine_of_random_directions(name: str, d: int) -> None:
    noise = torch.randn(40_000, d, generator=torch.Generator().manual_seed(0))
    sampled = (noise[:, 0].abs() / noise.norm(dim=1)).mean().item()
    assert estimates.chance(name) == pytest.approx(sampled, rel=0.02)
    if d == 2:
        assert estimates.chance(name) == pytest.approx(2 / math.pi)


def test_networks_without_a_perturbation_have_no_cosine() -> None:
    """As zeros they would say that the others point elsewhere."""
    table = tables("false").networks
    free = (table["problem"] == "oscillation") & (table["rho"] == 0.5)
    some = table["cosine"].where(~(free & (table["seed"] < 4)))
    found = [
        estimates.of_directions(own, tables("false").universals)["instability-cosine-oscillation"]
        for own in (table, table.assign(cosine=some))
    ]
    assert found[1][1].value == pytest.approx(found[0][1].value)
    assert (found[0][1].n, found[1][1].n) == (10, 6)
    drawn = estimates.cosine_table(table.assign(cosine=some))
    assert len(drawn) == len(estimates.cosine_table(table)) - 4


def test_slopes_need_two_strengths() -> None:
    table = pd.DataFrame({
        "seed": [0, 0, 0, 1, 2, 2],
        "radius": [0.1, 0.2, 0.4, 0.1, 0.1, 0.4],
        "size": [0.3, 0.6, 1.2, 0.3, 0.5, 0.5],
    })  # fmt: skip
    assert estimates.slopes(table) == pytest.approx([1.0, 0.0])


def test_too_few_networks_decide_nothing() -> None:
    for low, high in ((0.0, 2.0), (1e-3, 1e3)):
        found = estimates._mean([1.0], geometric=high > 2, nothing=(low, high))
        assert (found.low, found.high, found.n) == (low, high, 1)


def test_a_problem_may_be_left_out() -> None:
    """As in the quick profile: what was not measured is inconclusive, and nothing fails."""
    whole = tables("false")
    part = whole.networks[
        (whole.networks["problem"] == "stripes") & (whole.networks["architecture"] == "MLP")
    ]
    found = estimates.of_readers(part, hand())
    id = "instability-readers-digits-brightness"
    assert judge(CLAIMS[id], *found[id]) == "inconclusive"
    assert set(estimates.board(part)) == {"instability-stripes-mlp"}
    said = estimates.said_of_sizes(part, hand())
    assert "stripes_mlp_half" in said and "linear_0" not in said
    assert estimates.size_table(part)["original"].eq(rules.STRIPE_RADIUS).all()
