"""The audit: shares, verdicts at every boundary, sizes, and what it refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import falsestruct
from falsestruct import statistics
from falsestruct.characterise import audit as auditing
from falsestruct.characterise import entry, held
from falsestruct.characterise.audit import Audit, AuditError, audit, judge
from falsestruct.characterise.known import mixture, uniform
from falsestruct.characterise.suspicion import Suspicion
from falsestruct.problems.planted import registry
from falsestruct.statistics import Estimate

STRIPES = registry.by_name("stripes")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- captures and verdicts ----


@pytest.mark.parametrize("name", list(registry.PROBLEMS))
def test_either_structure_is_named(name: str) -> None:
    problem = registry.by_name(name)
    for which, rule in enumerate((problem.original, problem.false)):
        found = audit(rule, problem, samples=100, points=0)
        assert found.verdict == rule.name and found.success == 1
        assert [capture.share for capture in found.captures] == [1 - which, which]
        names = [capture.structure for capture in found.captures]
        assert names == [problem.original.name, problem.false.name]
        assert f"follows {rule.name}" in found.sentence


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_mixture_is_called_one_with_its_share(share: float) -> None:
    problem = registry.by_name("digits-brightness")
    predict = mixture(problem, share, seed=1)
    found = audit(lambda x: predict(x)[0], problem, samples=500, points=0)
    false = found.captures[1]
    assert found.verdict == "mixture" and "is a mixture" in found.sentence
    assert false.low <= share <= false.high
    assert false.share + found.captures[0].share == pytest.approx(1)


def test_the_interval_is_over_different_inputs() -> None:
    """Stripes have sixty different conflict inputs, however many are drawn."""
    predict = mixture(STRIPES, 0.5, seed=3)
    x, _ = STRIPES.conflict_set(60, generator())
    expected = statistics.proportion((predict(x)[0] == STRIPES.false(x)).numpy())
    for samples in (200, 700):
        false = audit(lambda z: predict(z)[0], STRIPES, samples=samples, points=0).captures[1]
        assert (false.share, false.low) == pytest.approx((expected.value, expected.low))


@pytest.mark.parametrize("answer", [0, 1])
def test_a_constant_answer_is_a_finding(answer: int) -> None:
    found = audit(lambda x: [answer] * len(x), "stripes")
    assert found.verdict == "none" and found.instability == auditing.Instability(None, None)
    assert found.sentence.startswith(f"It answers {answer} to every input")
    assert [capture.share for capture in found.captures] == [0.5, 0.5]


def test_coins_follow_nothing() -> None:
    found = audit(lambda x: uniform(x, 0) < 0.5, registry.by_name("oscillation"), points=0)
    assert found.verdict == "none" and "follows neither" in found.sentence


def test_the_opposite_of_the_truth_follows_nothing() -> None:
    assert audit(lambda x: 1 - STRIPES.original(x), STRIPES, points=0).verdict == "none"


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high, 100, "by hand")


def two(value: float, low: float, high: float) -> tuple[tuple[str, Estimate], ...]:
    """Shares of f, given, and h, the rest."""
    return ("f", estimate(value, low, high)), ("h", estimate(1 - value, 1 - high, 1 - low))


GOOD = estimate(1.0, 0.96, 1.0)


@pytest.mark.parametrize(
    ("success", "shares", "verdict"),
    [
        # 1 and 2: the success
        (estimate(0.7, 0.6, 0.7499), two(1.0, 0.96, 1.0), "none"),
        (estimate(0.7, 0.6, 0.75), two(1.0, 0.96, 1.0), "undecided"),
        (estimate(0.8, 0.75, 0.85), two(1.0, 0.96, 1.0), "undecided"),
        (estimate(0.8, 0.7501, 0.85), two(1.0, 0.96, 1.0), "f"),
        # 3: a name
        (GOOD, two(0.9, 0.7501, 0.97), "f"),
        (GOOD, two(0.9, 0.75, 0.97), "undecided"),
        (GOOD, two(0.8999, 0.85, 0.93), "undecided"),
        (GOOD, two(0.1, 0.05, 0.2), "h"),
        (GOOD, two(1.0, 0.57, 1.0), "undecided"),  # five of five
        # 4: a mixture
        (GOOD, two(0.5, 0.1001, 0.8999), "mixture"),
        (GOOD, two(0.5, 0.1, 0.88), "undecided"),
        (GOOD, two(0.5, 0.12, 0.9), "undecided"),
        (GOOD, two(0.2, 0.11, 0.3), "mixture"),
        (estimate(0.85, 0.8, 0.9), two(0.2, 0.15, 0.3), "undecided"),  # the errors explain it
        (estimate(0.9, 0.86, 0.93), two(0.2, 0.15, 0.3), "mixture"),
    ],
)
def test_the_rules_at_their_boundaries(
    success: Estimate, shares: tuple[tuple[str, Estimate], ...], verdict: str
) -> None:
    assert judge(success, shares) == verdict


def test_few_inputs_are_undecided() -> None:
    found = audit(STRIPES.false, STRIPES, samples=5, points=0)
    assert found.captures[1].share == 1 and found.verdict == "undecided"
    assert "does not decide" in found.sentence


# ---- forms of answers ----


@pytest.mark.parametrize(
    "form",
    [
        lambda labels: labels,
        lambda labels: labels.bool(),
        lambda labels: labels.float().requires_grad_(),
        lambda labels: labels.numpy(),
        lambda labels: labels.numpy()[::-1][::-1].astype(np.uint8),
        lambda labels: labels.numpy()[::-1].copy()[::-1],  # of negative stride
        lambda labels: labels.tolist(),
        lambda labels: tuple(bool(label) for label in labels),
    ],
)
def test_labels_may_come_in_any_form(form: Callable[[Tensor], Any]) -> None:
    found = audit(lambda x: form(STRIPES.false(x)), "stripes", points=0)
    assert found.verdict == "colour"


def test_inputs_are_float64_and_a_copy() -> None:
    def vandal(x: Tensor) -> Tensor:
        assert x.dtype == torch.float64 and x.shape[1:] == (32, 32)
        labels = STRIPES.false(x)
        x.zero_()
        return labels

    assert audit(vandal, "stripes", points=3).verdict == "colour"


# ---- what is refused ----


class Fickle:
    """Other answers on every call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        return (uniform(x, self.calls) < 0.5).long()


def raises(_: Tensor) -> Tensor:
    raise RuntimeError("mat1 and mat2\nshapes differ")


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (
            raises,
            r"predict raised RuntimeError on a batch of shape \(.*32, 32\): mat1 and mat2 shapes",
        ),
        (
            lambda x: STRIPES.false(x)[:, None],
            r"shape \(.*, 1\) for a batch of .*: one label an input",
        ),
        (lambda x: STRIPES.false(x)[:-1], "one label an input"),
        (lambda x: 1, "one label an input"),
        (lambda x: x.mean((1, 2)), "labels other than 0 and 1: .*not scores"),
        (lambda x: STRIPES.false(x) + 1, "labels other than 0 and 1: 2"),
        (lambda x: STRIPES.false(x) * 2 - 1, "labels other than 0 and 1: -1"),
        (lambda x: torch.where(STRIPES.false(x) > 0, torch.nan, 0.0), "labels that are NaN"),
        (lambda x: torch.full((len(x),), math.inf), "labels other than 0 and 1: inf"),
        (lambda x: None, "no array of labels"),
        (lambda x: ["vertical"] * len(x), "no array of labels"),
        (lambda x: STRIPES.false(x).to(torch.complex64), "complex"),
        (Fickle(), "other labels for .* when asked again: switch|other labels for .* asked again"),
        (
            lambda x: (x.mean((1, 2)) < x.mean((1, 2)).sort().values[len(x) // 3]).long(),
            "in another batch; .*evaluation mode",
        ),
        (lambda x: ((torch.arange(len(x)) % 3) > 0).long(), "in another batch"),
    ],
)
def test_a_predict_that_can_not_be_audited_is_one_clear_line(
    predict: Callable[[Tensor], Any], message: str
) -> None:
    with pytest.raises(AuditError, match=message) as caught:
        audit(predict, "stripes")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        ("stripe", {}, "no problem 'stripe'; expected one of stripes"),
        (registry.by_name("digits-pixel", 0), {}, "strength 0 plants nothing"),
        (registry.by_name("stripes", 0), {}, "strength 0 plants nothing"),
        ("stripes", {"samples": 0}, "samples is 0"),
        ("stripes", {"points": -1}, "points is -1"),
        ("oscillation", {"samples": 3}, "samples is 3: .*at least one an interval"),
        ("digits-pixel", {"samples": 5000}, "expected at most 597"),
    ],
)
def test_a_problem_that_can_not_be_used(
    problem: Any, options: dict[str, int], message: str
) -> None:
    with pytest.raises(AuditError, match=message):
        audit(lambda x: x[:, 0] > 0, problem, **options)


# ---- sizes ----


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("name", list(registry.PROBLEMS))
def test_sizes_of_the_false_structure_are_exact(name: str, norm: Any) -> None:
    problem = registry.by_name(name)
    x, _ = problem.draw(20, generator(), held_out=True)
    found = auditing.perturbations(problem.false, problem, x, norm=norm, points=6, rounds=1)
    exact = problem.distance(x[:6], norm)
    assert found.tolist() == pytest.approx(exact.tolist(), rel=1e-6)
    assert (found >= exact - 1e-9).all()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_normals_lead_to_a_boundary_that_no_line_hits_straight(norm: Any) -> None:
    """A linear rule whose normal is none of the directions searched: rounds come close to it."""
    problem = registry.by_name("digits-brightness")
    x, _ = problem.draw(40, generator(), held_out=True)
    w = torch.randn(64, generator=generator(4), dtype=torch.float64)
    level = (x.flatten(1) @ w).median()
    rule = lambda z: (z.flatten(1) @ w > level).long()  # noqa: E731
    dual = w.norm() if norm == "l2" else w.abs().sum()
    exact = (x[:8].flatten(1) @ w - level).abs() / dual
    ratio = [
        (auditing.perturbations(rule, problem, x, norm=norm, points=8, rounds=rounds) / exact)
        for rounds in (0, 10)
    ]
    assert (ratio[1] >= 1 - 1e-9).all()
    assert ratio[1].median() < {"l2": 1.15, "linf": 1.4}[norm]
    assert ratio[0].median() > 1.6
    chance = auditing.random_only(rule, problem, x, norm=norm, points=8) / exact
    assert chance.median() > 1.3 * ratio[1].median()


def test_every_size_is_a_flip() -> None:
    problem = registry.by_name("digits-pixel")
    x, _ = problem.draw(40, generator(), held_out=True)
    walk = auditing._Walk(problem.original, x[:5], "l2", generator())
    walk.follow(walk.noise(), torch.full((5,), 50.0).double())
    walk.follow_normal()
    done = walk.size.isfinite()
    assert done.any()
    assert torch.allclose(walk.best.flatten(1).norm(dim=1)[done], walk.size[done])
    flips = problem.original(walk.x + walk.best) != problem.original(walk.x)
    assert torch.equal(flips, done)


def test_a_rule_without_a_boundary_nearby_has_no_size() -> None:
    """It differs on one held-out input in fifty, far away from the others: most find nothing."""
    x, _ = STRIPES.draw(60, generator(), held_out=True)

    def rule(z: Tensor) -> Tensor:
        return ((z - x[-1]).flatten(1).norm(dim=1) < 1e-6).long()

    sizes = auditing.perturbations(rule, STRIPES, x[:-1], norm="l2", points=5, rounds=1)
    assert sizes.isinf().all()
    found = auditing._search(auditing._Labels(rule), STRIPES, x[:-1], 5, 0)
    assert found == auditing.Instability(None, None)


# ---- JSON, names ----


def test_the_json_is_the_one_agreed() -> None:
    found = audit(STRIPES.false, "stripes", samples=100, points=4)
    data = json.loads(found.to_json())
    assert list(data) == ["captures", "success", "instability", "verdict", "sentence"]
    assert [list(c) for c in data["captures"]] == [["structure", "share", "low", "high"]] * 2
    assert list(data["instability"]) == ["l2", "linf"]
    assert data["instability"] == pytest.approx({"l2": 3.2, "linf": 0.1}, rel=1e-6)
    assert data["verdict"] == "colour" and isinstance(data["success"], float)
    left_out = audit(STRIPES.false, "stripes", samples=100, points=0)
    assert json.loads(left_out.to_json())["instability"] == {"l2": None, "linf": None}


def test_the_same_seed_gives_the_same_audit() -> None:
    problem = registry.by_name("digits-sinusoid")
    predict = mixture(problem, 0.3, 0)
    found = [
        audit(lambda x: predict(x)[0], problem, samples=60, points=3, seed=s) for s in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]
    assert isinstance(found[0], Audit)


def test_the_package_knows_audit_and_its_like_and_no_more() -> None:
    assert falsestruct.audit.__wrapped__ is entry.audit and falsestruct.AuditError is AuditError
    assert falsestruct.inputs is held.inputs
    with pytest.raises(AttributeError, match="no attribute 'audits'"):
        _ = falsestruct.audits


def test_the_second_argument_says_which_audit() -> None:
    """A problem or its name: the book's. Anything else: one's own data, with what to compare."""
    for problem in (STRIPES, "stripes"):
        found = falsestruct.audit(STRIPES.false, problem, samples=60, points=0)
        assert found == audit(STRIPES.false, problem, samples=60, points=0)
    x, _ = STRIPES.draw(60, generator())
    wide, _ = STRIPES.conflict_set(60, generator())
    own = falsestruct.audit(
        STRIPES.false, torch.cat([x, wide]), original=STRIPES.original, false=STRIPES.false,
        points=0,
    )  # fmt: skip
    assert isinstance(own, Suspicion) and own.captures[1].share == 1
    with pytest.raises(AuditError, match="original= and false= missing: say what"):
        falsestruct.audit(STRIPES.false, x)
    with pytest.raises(AuditError, match=r"^false= missing"):
        falsestruct.audit(STRIPES.false, x, original=STRIPES.original)
