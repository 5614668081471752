"""The search without a suspicion names the rules of hand-built networks, and nothing else.

Rules of families that lie outside of the library stand beside those inside; see `outside`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import falsestruct
from falsestruct import statistics
from falsestruct.characterise import blind
from falsestruct.characterise import found as found_module
from falsestruct.characterise.answered import Part
from falsestruct.characterise.asking import AuditError, inputs
from falsestruct.characterise.blind import NONE, Foretold, Found, search
from falsestruct.characterise.candidates import Candidate, Half, Look, Rule
from falsestruct.characterise.found import sentence
from falsestruct.characterise.stages import Stages

N, D = 320, 8


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


Y = np.arange(N) % 2
V = np.where(rng(1).random(D) < 0.5, 1.0, -1.0) / np.sqrt(D)  # dense, and no coordinate


def world() -> np.ndarray:
    """Vectors: the first coordinates tell the label loosely, the component along V exactly."""
    x = rng(2).normal(size=(N, D))
    x[:, :3] += np.where(Y > 0, 1.0, -1.0)[:, None]
    along = np.where(Y > 0, 1, -1) * rng(3).uniform(0.3, 1.0, N)
    return np.asarray(x - (x @ V)[:, None] * V + along[:, None] * V)


X = world()
OPTIONS: dict[str, Any] = {"queries": 1800}


def coin(x: Any) -> np.ndarray:
    rows = np.ascontiguousarray(np.asarray(x))
    return np.array([hashlib.blake2b(row.tobytes(), digest_size=1).digest()[0] & 1 for row in rows])


def linear(x: Any) -> np.ndarray:
    return (np.asarray(x) @ V > 0).astype(int)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less effort, for rules that are easy to find."""
    monkeypatch.setattr(blind.candidates, "DRAWS", (6, 6))
    monkeypatch.setattr(blind.candidates, "PAIRS", 12)


@cache
def found_linear() -> Found:
    return search(linear, X, Y, **OPTIONS)


def agreement(found: Found, rule: Any, x: Any) -> float:
    """Of the named rule with the true one, balanced."""
    assert found.rule is not None
    said, true = found.rule(x), np.asarray(rule(x))
    return float(np.mean([(said[true == label] == label).mean() for label in np.unique(true)]))


# ---- what is named ----


def test_a_random_direction() -> None:
    found = found_linear()
    assert found.verdict.startswith("1 direction") and found.ranked[0].rank == 1
    best = next(one for one in found.ranked if one.name == found.verdict)
    assert abs(best.pictures[0] @ V) > 0.97 and best.named
    assert agreement(found, linear, rng(9).normal(size=(2000, D))) > 0.95
    assert found.foretold is not None and found.excess is not None
    assert found.foretold.decisions.value >= 0.9 and found.excess.low > 0
    assert found.foretold.flips is not None and found.foretold.flips.value > 0.9


def test_a_quadratic_form() -> None:
    def rule(x: Any) -> np.ndarray:
        return (np.abs(np.asarray(x) @ V) > 0.5).astype(int)

    x = X - (X @ V)[:, None] * V
    x = x + (np.where(Y > 0, 1.0, 0.2) * rng(4).choice([-1, 1], N))[:, None] * V
    found = search(rule, x, Y, **OPTIONS)
    assert "square" in found.verdict
    assert agreement(found, rule, 0.6 * rng(9).normal(size=(2000, D))) > 0.9


def test_a_product_of_two_coordinates() -> None:
    x = rng(5).normal(size=(N, D))
    x[:, :2] += np.where(Y > 0, 1.0, -1.0)[:, None]
    x[:, 6] = np.abs(x[:, 6]) * np.sign(x[:, 7]) * np.where(Y > 0, 1, -1)
    found = search(lambda z: (z[:, 6] * z[:, 7] > 0).astype(int), x, Y, **OPTIONS)
    assert found.verdict == "x₇·x₈" and found.ranked[0].family == "statistic"


def test_a_sum_of_two_statistics() -> None:
    x = rng(5).normal(size=(N, D))
    x[:, :3] += np.where(Y > 0, 0.7, -0.7)[:, None]
    x[:, 6] = np.where(Y > 0, 1, -1) * np.abs(x[:, 6]) - x[:, 7]
    found = search(lambda z: (z[:, 6] + z[:, 7] > 0).astype(int), x, Y, **OPTIONS)
    assert found.verdict == "x₇ and x₈"


def images() -> np.ndarray:
    """8 × 8, smooth; the upper half tells the label loosely."""
    x = rng(6).normal(size=(N, 8, 8)).cumsum(1).cumsum(2) / 6
    x[:, :4] += np.where(Y > 0, 0.3, -0.3)[:, None, None]
    return np.asarray(x)


def test_a_pixel_of_images() -> None:
    x = images()
    x[:, 7, 7] = np.where(Y > 0, 1.0, -1.0)
    found = search(lambda z: (z[:, 7, 7] > 0).astype(int), x, Y, **OPTIONS)
    assert found.verdict == "pixel (7, 7)" and found.ranked[0].foretold.decisions.value > 0.99


def test_the_phase_of_a_wave() -> None:
    """The sign of the cosine of a phase, in a bin of size that varies: no statistic by name."""
    x, bins = images(), np.fft.fft2(images())
    phase = 0.7 + np.where(Y > 0, 0, np.pi) + rng(7).uniform(-1, 1, N)
    bins[:, 1, 2] = 6 * np.exp(1j * phase)
    bins[:, -1, -2] = np.conj(bins[:, 1, 2])
    x = np.fft.ifft2(bins).real

    def rule(z: Any) -> np.ndarray:
        return (np.cos(np.angle(np.fft.fft2(z)[:, 1, 2]) - 0.7) > 0).astype(int)

    found = search(rule, x, Y, **OPTIONS)
    assert found.verdict != NONE and agreement(found, rule, x) > 0.9


def test_a_structure_that_depends_on_another() -> None:
    """One direction where the switch is on, another one where it is off."""
    v, w, gate = np.linalg.qr(rng(17).normal(size=(D, 3)))[0].T
    x = rng(18).normal(size=(N, D))
    x += np.where(Y > 0, 0.7, -0.7)[:, None] * np.linalg.qr(rng(17).normal(size=(D, 6)))[0][:, 5]
    for u in (v, w):
        x += (np.where(Y > 0, 1, -1) * np.abs(x @ u) - x @ u)[:, None] * u

    def rule(z: Any) -> np.ndarray:
        return (np.where(z @ gate > 0, z @ v, z @ w) > 0).astype(int)

    found = search(rule, x, Y, queries=6000)
    assert "a switch" in found.verdict
    assert agreement(found, rule, rng(19).normal(size=(2000, D))) > 0.9


class Module(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = torch.tanh(x.double() @ torch.from_numpy(V))
        return torch.stack([-score, score], 1)


def test_gradients_of_a_module() -> None:
    found = search(Module(), torch.from_numpy(X), Y, **OPTIONS)
    assert "gradients" in found.verdict and found.flips[1] == "gradients"
    best = next(one for one in found.ranked if one.name == found.verdict)
    assert abs(best.pictures[0] @ V) > 0.999


def test_texts() -> None:
    own = rng(8)
    lists = [["a", "the", "to", "of", "in", "on"], ["report", "lunch", "team", "notes"],
             ["prize", "cash", "bonus", "deal"]]  # fmt: skip
    texts = []
    for label in Y:
        words = [*own.choice(lists[0], 6), *own.choice(lists[1 + label], 2)]
        words += ["free"] if label else []
        texts.append(" ".join(own.permutation(words)))
    found = search(lambda batch: ["spam" if "free" in t.split() else "ham" for t in batch], texts,
                   np.array(["ham", "spam"])[Y], **OPTIONS)  # fmt: skip
    assert found.verdict == "has “free”" and found.flips[1] == "substitution"
    assert found.rule is not None
    assert found.rule(["free lunch", "lunch"]).tolist() == ["spam", "ham"]


def test_tables() -> None:
    own = rng(8)
    frame = pd.DataFrame({"age": own.normal(40, 10, N), "pay": own.normal(50, 10, N),
                          "site": np.where(own.random(N) < 0.9, Y, 1 - Y),
                          "city": own.choice(["A", "B", "C"], N)})  # fmt: skip
    for name in ("plan", "branch", "channel"):
        frame[name] = np.where(own.random(N) < 0.85, Y, 1 - Y).astype(bool)
    frame["age"] = np.where(Y > 0, 1, -1) * np.abs(frame["age"] + frame["pay"] - 90) + 90
    frame["age"] -= frame["pay"]
    found = search(lambda t: (t["age"] + t["pay"] > 90).to_numpy(), frame, Y.astype(bool),
                   queries=3600)  # fmt: skip
    assert found.verdict == "age and pay"


# ---- several classes ----


def three() -> tuple[Any, np.ndarray, np.ndarray]:
    """It says "c" where the last coordinate is large, and else goes by class means."""
    label = np.arange(N) % 3
    x = rng(9).normal(size=(N, D))
    x[:, 0] += np.array([-1.5, 1.5, 0.0])[label]
    x[:, 1] += np.array([0, 0, 1.0])[label]
    x[:, -1] = np.where(label == 2, 1.5, -1.5) * rng(10).uniform(0.5, 1.5, N)

    def rule(z: Any) -> np.ndarray:
        return np.where(z[:, -1] > 0, "c", np.where(z[:, 0] > 0, "b", "a"))

    return rule, x, np.array(["a", "b", "c"])[label]


def test_one_class_against_the_rest() -> None:
    found = search(*three(), **OPTIONS)
    assert found.verdict == "x₈" and found.answer == "c"
    assert found.rule is not None
    x = rng(11).normal(size=(50, D))
    assert (found.rule(x) == (x[:, -1] > 0)).mean() > 0.9 and found.rule(x).dtype == bool
    assert "whether it answers c" in found.sentence


def test_all_classes_by_one_statistic() -> None:
    label = np.arange(N) % 3
    x = rng(12).normal(size=(N, D))
    x[:, :3] += np.eye(3)[label]
    x[:, -1] = label + rng(13).uniform(-0.4, 0.4, N)

    def rule(z: Any) -> np.ndarray:
        return np.array(["low", "middle", "high"])[np.digitize(z[:, -1], [0.5, 1.5])]

    found = search(rule, x, np.array(["low", "middle", "high"])[label], **OPTIONS)
    assert found.verdict == "x₈" and found.answer is None
    assert agreement(found, rule, x) > 0.95


# ---- none of these ----


def test_coins_that_know_the_data() -> None:
    """Right on every input that was given, and a coin on all others: no rule explains it."""
    known = {row.tobytes(): label for row, label in zip(X, Y, strict=True)}

    def rule(x: Any) -> np.ndarray:
        rows = np.ascontiguousarray(x)
        return np.array([known.get(row.tobytes(), c) for row, c in zip(rows, coin(x), strict=True)])

    found = search(rule, X, Y, **OPTIONS)
    assert found.verdict == NONE and found.rule is None and found.success.value == 1
    assert not any(one.named for one in found.ranked)
    assert "No rule explains it" in found.sentence


def test_what_has_not_learnt_the_labels_is_not_named() -> None:
    """A direction explains it, and has nothing to do with y: an untrained network."""
    away = np.roll(V, 1) - (np.roll(V, 1) @ V) * V
    found = search(lambda x: (x @ away > np.median(X @ away)).astype(int), X,
                   rng(14).integers(2, size=N), **OPTIONS)  # fmt: skip
    assert found.verdict == NONE and "has not learnt" in found.sentence
    assert found.ranked[0].foretold.decisions.value > 0.9


@pytest.mark.parametrize("labels", [[0, 1], ["ham", "spam"]])
def test_what_gives_one_label_has_learnt_nothing(labels: list[Any]) -> None:
    """It says 0 to all that is given, nine tenths of which are 0, and follows a direction else."""
    known = {row.tobytes() for row in X}
    y = np.array(labels)[(np.arange(N) % 10 == 0).astype(int)]

    def rule(x: Any) -> np.ndarray:
        given = np.array([row.tobytes() in known for row in np.ascontiguousarray(x)])
        return np.where(given, 0, linear(x))

    found = search(rule, X, y, **OPTIONS)
    assert found.verdict == NONE and "has not learnt" in found.sentence
    assert found.success.value == pytest.approx(0.5, abs=0.01)
    assert found.ranked[0].foretold.decisions.value > 0.9


def test_a_rule_that_explains_too_little_is_not_named() -> None:
    """The direction, and on three inputs of ten a coin: more than all baselines, but not enough."""

    def rule(x: Any) -> np.ndarray:
        rows = np.ascontiguousarray(x)
        digests = [hashlib.blake2b(row.tobytes(), digest_size=2).digest() for row in rows]
        odd, face = np.array([[digest[0] / 255, digest[1] & 1] for digest in digests]).T
        return np.where(odd < 0.3, face, linear(x)).astype(int)

    found = search(rule, X, Y, queries=4000)
    best = found.ranked[0]
    assert found.verdict == NONE and best.p <= 0.05 and 0.75 < best.foretold.decisions.value < 0.9
    assert "No rule explains it" in found.sentence


def test_class_means_need_no_other_name() -> None:
    """The network goes by class means: nothing exceeds them."""
    means = np.stack([X[label == Y].mean(0) for label in (0, 1)])
    scale = X.std(0)

    def rule(x: Any) -> np.ndarray:
        gap = ((x[:, None] - means) / scale) ** 2
        return np.asarray(gap.sum(2).argmin(1))

    found = search(rule, X, Y, **OPTIONS)
    assert found.verdict == "class means" and found.foretold.decisions.value > 0.97
    assert set(found.baselines) == {"distilled nearest neighbour", "random directions"}
    simple = [one for one in found.ranked if one.family in blind.candidates.SIMPLER]
    assert simple and all(one.p == 1 for one in simple)  # surely less than class means
    assert np.abs(found.ranked[0].pictures[0]).sum() > 0 and agreement(found, rule, X) > 0.95


def test_what_is_simpler_than_class_means_need_not_beat_them() -> None:
    """One coordinate is all that classes differ in: it is named, and class means tie with it."""
    x = np.column_stack([np.where(Y > 0, 1.0, -1.0) + 0.3 * X[:, 0], X[:, 1:4]])
    found = search(lambda z: (np.asarray(z)[:, 0] > 0).astype(int), x, Y, queries=6000)
    means = next(one for one in found.ranked if one.family == "class means")
    assert found.verdict == "x₁" and means.foretold.decisions.value > 0.9
    assert found.excess is not None and found.excess.low > 0
    assert "class means" not in {one.over for one in found.ranked if one.name == "x₁"}


def test_a_constant() -> None:
    found = search(lambda x: np.ones(len(x), int), X, Y, **OPTIONS)
    assert found.verdict == NONE and found.ranked == () and found.foretold is None
    json.loads(found.to_json())


def test_one_answer_to_all_that_is_not_data() -> None:
    known = {row.tobytes(): label for row, label in zip(X, Y, strict=True)}
    found = search(lambda x: np.array([known.get(row.tobytes(), 1) for row in x]), X, Y, **OPTIONS)
    assert found.verdict == NONE and "hardly vary" in found.sentence


@pytest.mark.parametrize("seed", range(3))
def test_coins_are_never_named(seed: int) -> None:
    found = search(coin, X, coin(X), seed=seed, **OPTIONS)
    assert found.verdict == NONE and all(one.p > 0.05 for one in found.ranked)


# ---- how it is judged ----


def test_the_report_holds_together() -> None:
    found = found_linear()
    assert len(found.ranked) == 6 == len({one.family for one in found.ranked})
    assert [one.rank for one in found.ranked] == sorted(one.rank for one in found.ranked)
    values = [one.foretold.decisions.value for one in found.ranked]
    assert values[0] == pytest.approx(max(values), abs=0.02)
    assert set(found.baselines) == {"class means", "distilled nearest neighbour",
                                    "random directions"}  # fmt: skip
    best = max(own.decisions.value for own in found.baselines.values())
    assert found.excess is not None and found.foretold is not None
    assert found.excess.value == pytest.approx(found.foretold.decisions.value - best)
    assert found.foretold.decisions.n == found.clusters[1] <= N // 4
    assert found.queries < 2 * OPTIONS["queries"]
    for one in found.ranked:
        assert one.named == (one.enough and one.p <= 0.05)
    steps = next(one for one in found.ranked if one.family == "sparse sum")
    assert steps.features == len(steps.terms)
    assert steps.name.startswith(f"sum of steps of {', '.join(steps.terms[:3])}")
    assert found.flips.lasting <= found.flips.found and found.flips.queries > found.flips.found
    told = f"{found.flips.lasting} of {found.flips.found} flips last to 1.5 times their size"
    assert told in found.warnings[-1] and str(found.flips.queries) in found.warnings[-1]


def test_flips_exceed_those_of_the_baselines_in_pairs() -> None:
    found = found_linear()
    best = next(one for one in found.ranked if one.name == found.verdict)
    assert best.excess_flips is not None and best.foretold.flips is not None
    others = [own.flips.value for own in found.baselines.values() if own.flips is not None]
    assert best.excess_flips.value == pytest.approx(best.foretold.flips.value - max(others))
    assert best.excess_flips.n == found.flips.lasting


def test_a_rule_must_be_sure_to_foretell_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_module, "SURE", 0.9999)
    monkeypatch.setattr(found_module, "WIDE", (1.1, 1.0))
    found = search(linear, X, Y, **OPTIONS)
    assert found.verdict == NONE and "surely" in found.sentence


@pytest.mark.parametrize(
    ("undecided", "everywhere", "classes", "enough"),
    [
        ((0.9, 0.86), None, 2, True),
        ((0.9, 0.86), (0.8, 0.76), 2, True),
        ((0.9, 0.86), (0.8, 0.74), 2, False),
        ((0.9, 0.84), None, 2, False),
        ((0.89, 0.86), None, 2, False),
        ((0.8, 0.76), (0.95, 0.91), 2, True),
        ((0.8, 0.76), (0.94, 0.91), 2, False),
        ((0.8, 0.76), (0.99, 0.89), 2, False),
        ((0.8, 0.74), (0.99, 0.98), 2, False),
        ((0.6, 0.56), (0.99, 0.98), 10, True),
        ((0.6, 0.54), (0.99, 0.98), 10, False),
    ],
)
def test_what_is_enough(
    undecided: tuple[float, float], everywhere: tuple[float, float] | None, classes: int,
    enough: bool,
) -> None:  # fmt: skip
    """Nine tenths of the undecided; or nineteen twentieths of all, and more than the middle."""
    any_ = statistics.proportion([True] * 50)
    one, other = (own and replace(any_, value=own[0], low=own[1], ends=())
                  for own in (undecided, everywhere))  # fmt: skip
    assert one and Foretold(one, None, other or None).enough(classes) is enough


def test_where_the_data_leave_little_undecided_all_kinds_of_probes_count() -> None:
    """A strong plant is what the data's own rules see, too; the network adds something faint."""
    found = planted_strongly()
    best = next(one for one in found.ranked if one.name == found.verdict)
    assert best.foretold.decisions.value < 0.9 and best.foretold.everywhere is not None
    assert best.foretold.everywhere.value > 0.95 and found.undecided < 0.15
    assert "of all kinds of probes" in found.sentence


@cache
def planted_strongly() -> Found:
    """Along the first coordinate; near its threshold, by something else."""
    x = X + np.outer(np.where(Y > 0, 3.0, -3.0), np.eye(D)[0])

    def rule(z: Any) -> np.ndarray:
        own = np.asarray(z)
        odd = np.sin(40 * own).sum(1) > 0
        return np.where(np.abs(own[:, 0]) < 0.6, odd, own[:, 0] > 0).astype(int)

    return search(rule, x, Y, queries=6000)


def test_baselines_have_the_budget_of_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same reading, as many draws as rules were compared, and as many answers as inputs."""
    seen: dict[str, set[Any]] = {"means": set(), "random": set(), "near": set()}
    means, drawn, near = (getattr(blind.candidates, name)
                          for name in ("class_means", "at_random", "neighbours"))  # fmt: skip
    monkeypatch.setattr(
        blind.candidates, "class_means", lambda c, way: seen["means"].add(way) or means(c, way)
    )
    monkeypatch.setattr(
        blind.candidates,
        "neighbours",
        lambda h, most, seed: seen["near"].add(most) or near(h, most, seed=seed),
    )
    monkeypatch.setattr(
        blind.candidates, "at_random",
        lambda h, count, way, compared, seed: seen["random"].add((count, way, compared))
        or drawn(h, count, way, compared=compared, seed=seed),
    )  # fmt: skip
    found = search(linear, X, Y, **OPTIONS)
    ways = {"statistic": "plain", "sum of two": "plain", "directions": "plain",
            "directions and squares": "squares", "directions and a switch": "switch",
            "sparse sum": "steps", "class means": "plain"}  # fmt: skip
    assert seen["means"] == {ways[one.family] for one in found.ranked}
    assert seen["near"] == {N // 2}
    assert {(one.features, ways[one.family]) for one in found.ranked} == {
        own[:2] for own in seen["random"]
    }
    assert max(own[2] for own in seen["random"]) > 20


def test_ties_share_ranks_and_the_simplest_of_them_is_named() -> None:
    x = rng(5).normal(size=(N, D))
    x[:, :3] += np.where(Y > 0, 0.7, -0.7)[:, None]
    x[:, 6] = np.where(Y > 0, 1, -1) * rng(6).uniform(0.5, 1.5, N)
    found = search(lambda z: (z[:, 6] > 0).astype(int), x, Y, **OPTIONS)
    first = [one for one in found.ranked if one.rank == 1]
    assert len(first) > 1 and found.verdict == "x₇"
    assert "statistic" in {one.family for one in first}


def test_holm_over_the_finalists(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_linear()
    monkeypatch.setattr(statistics, "holm", np.asarray)
    alone = search(linear, X, Y, **OPTIONS)
    for one, other in zip(found.ranked, alone.ranked, strict=True):
        assert one.p >= other.p
    assert min(one.p for one in found.ranked) == 6 * min(one.p for one in alone.ranked)


def test_a_weak_excess_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rule, if neighbours knew the truth."""

    def clever(half: Half, most: int, *, seed: int) -> Candidate:
        def along(look: Look) -> np.ndarray:
            return np.asarray((look.z * X.std(0) + X.mean(0)) @ V)[:, None]

        return blind.candidates._numbers("near", along, 1, "plain", V[None])

    monkeypatch.setattr(blind.candidates, "neighbours", clever)
    found = search(linear, X, Y, **OPTIONS)
    assert found.verdict == NONE and "more than its baselines" in found.sentence


def test_the_same_seed_finds_the_same() -> None:
    one, two = found_linear(), search(linear, X, Y, **OPTIONS)
    assert one.to_json() == two.to_json()
    assert search(linear, X, Y, seed=1, **OPTIONS).to_json() != one.to_json()


def test_groups_are_the_unit() -> None:
    groups = np.arange(N) // 2
    found = search(linear, X, Y, groups=groups, **OPTIONS)
    assert found.clusters[0] + found.clusters[1] <= N // 4 and found.success.n <= N // 2
    assert f"of {found.success.n} groups" in found.sentence
    assert f"of {found_linear().success.n} inputs" in found_linear().sentence


def test_batches_are_as_small_as_wanted() -> None:
    sizes: list[int] = []
    found = search(lambda x: sizes.append(len(x)) or linear(x), X, Y, batch=50, **OPTIONS)
    assert max(sizes) == 50 and found.verdict == found_linear().verdict


def test_a_network_that_fails_on_some() -> None:
    def fragile(x: np.ndarray) -> np.ndarray:
        if (x[:, 0] > 2.5).any():
            raise RuntimeError("too large")
        return linear(x)

    found = search(fragile, X, Y, **OPTIONS)
    assert found.verdict.startswith("1 direction")
    assert any("too large" in line for line in found.warnings)


def test_scores_and_a_threshold() -> None:
    found = search(lambda x: x @ V, X, Y, threshold=0.0, **OPTIONS)
    assert found.verdict == found_linear().verdict
    first, other = (own.ranked[0].foretold.decisions.value for own in (found, found_linear()))
    assert first == pytest.approx(other, abs=0.01)


def test_json() -> None:
    own = json.loads(found_linear().to_json())
    assert own["verdict"] == found_linear().verdict and "rule" not in own
    assert set(own["foretold"]["decisions"]) == {"value", "low", "high", "n", "method"}
    assert "pictures" not in own["ranked"][0] and own["flips"]["how"] == "boundary"
    odd = replace(found_linear(), answer=pd.Timestamp("2026-01-02"))
    assert json.loads(odd.to_json())["answer"].startswith("2026-01-02")


def test_text_and_page() -> None:
    found = found_linear()
    text, page = found.to_text(), found.to_html()
    assert text.startswith(f"verdict: {found.verdict}\n{found.sentence}")
    assert page.startswith("<!DOCTYPE html>") and "random directions" in text


def test_it_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    search(linear, X, Y, queries=1000, progress=True)
    told = capsys.readouterr().err
    assert "searching for flips" in told and "fitting baselines of" in told
    search(linear, X, Y, queries=1000)
    assert capsys.readouterr().err == ""


def test_errors() -> None:
    with pytest.raises(AuditError, match="queries is 10; expected at least 1000"):
        search(linear, X, Y, queries=10)
    with pytest.raises(AuditError, match="other labels"):
        search(lambda x: rng(int(x[0, 0] * 0) + id(x) % 1000).integers(2, size=len(x)), X, Y)
    with pytest.raises(AuditError, match="one float an input"):
        search(lambda x: x @ V, X, Y)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_fitted_is_said_in_one_line() -> None:
    x = X * np.where(np.arange(D) == 5, 1e100, 1.0)
    with pytest.raises(
        AuditError, match=r"no rule can be fitted.*\(.+\); if some.*scale"
    ) as caught:
        search(lambda z: (z[:, 0] > 0).astype(int), x, Y, queries=1000)
    assert "\n" not in str(caught.value) and isinstance(caught.value.__cause__, ValueError)


def test_the_package_has_it() -> None:
    assert falsestruct.search.__wrapped__ is search


def test_a_kind_can_be_given() -> None:
    found = search(linear, inputs(X, kind="sequences"), Y, **OPTIONS)
    assert found.rule is not None and found.rule(X[:3]).shape == (3,)


@pytest.mark.parametrize("count", [1, 2])
def test_few_coordinates(count: int) -> None:
    """In one dimension neighbours know all that there is to know: nothing exceeds them."""
    x = np.where(Y > 0, 1.0, -1.0)[:, None] * rng(15).uniform(0.2, 3, (N, count))
    found = search(lambda z: (z[:, 0] > 0.1).astype(int), x, Y, **OPTIONS)
    assert found.success.value == 1 and found.verdict in (NONE, "x₁")


# ---- which questions are asked, and how rules are named ----


def part(answers: np.ndarray) -> Part:
    """Each probe is a cluster of its own."""
    n = len(answers)
    look = Look(np.zeros((n, 1)), np.zeros((n, 1)))
    return Part(np.zeros((n, 2), int), np.arange(n), look, answers, np.ones(n, bool))


def asked(counts: list[int]) -> Any:
    answers = np.repeat(np.arange(len(counts)), counts)
    own = part(answers)
    return SimpleNamespace(first=own, second=own, everywhere=own)


def test_classes_are_asked_about_that_are_answered_often() -> None:
    tasks = blind._tasks(asked([50, 40, 60]))
    assert [task.answer for task in tasks] == [None, 2, 0, 1] and tasks[0].classes == 3
    tasks = blind._tasks(asked([50, 60, 3]))  # two among others: one question
    assert [task.answer for task in tasks] == [1]
    tasks = blind._tasks(asked([50, 60]))
    assert [task.answer for task in tasks] == [None]
    many = blind._tasks(asked([40 + i for i in range(14)]))
    assert [task.answer for task in many] == list(range(13, 3, -1))
    assert blind._left_out(asked([40] * 14)) == [
        "rules were fitted to the 10 most frequent answers, not to 4 others"
    ]
    assert blind._left_out(asked([40] * 10)) == []
    other = SimpleNamespace(first=part(np.repeat([0, 1, 2], [50, 40, 60])),
                            second=part(np.repeat([0, 1, 2], [40, 60, 50])),
                            everywhere=part(np.repeat([0, 1, 2, 3], 9)))  # fmt: skip
    assert [task.answer for task in blind._tasks(other)] == [None, 2, 0, 1]  # by the first half


def test_an_answer_to_decided_probes_alone_is_no_class() -> None:
    own = part(np.array([0, 1, 2, 0, 1, 0]))
    own = replace(own, undecided=np.array([True, True, False, True, True, False]))
    kept = own.ordered(2)
    assert kept.answers.tolist() == [0, 1, 0, 1, 0] and kept.cluster.tolist() == [0, 1, 3, 4, 5]
    assert (kept.fitting, kept.choosing) == (slice(0, 2), slice(2, 4))


def test_directions_of_words_are_named_by_words() -> None:
    vectors = np.array([[0.1, -0.9, 0.4, 0.0, 0.0, 0.01, 0.2]])
    names = ("a", "b", "c", "d", "e", "f", "g")
    rule = Rule(lambda look: look.z, ("has “c”", "direction 1"), vectors)
    candidate = Candidate("directions", "1 direction learned from answers", 1, "plain", None)  # type: ignore[arg-type]
    own = SimpleNamespace(view=SimpleNamespace(coordinates=SimpleNamespace(names=names)))
    one: Any = SimpleNamespace(rules={"": rule}, candidate=candidate)
    told = "− b, + c, + g, + a, + f"
    assert blind._named(own, one) == (f"1 direction learned from answers ({told})",
                                      ("has “c”", f"direction 1: {told}"))  # fmt: skip
    own.view.coordinates.names = ()
    assert blind._named(own, one) == ("1 direction learned from answers", rule.terms)


def test_simple_rules_are_named_if_they_come_close() -> None:
    """A difference that is sure, and too small to matter."""
    first = replace(found_linear().ranked[0], family="sparse sum", rank=1)
    told = first.foretold
    rules = [first]
    for less, family in ((0.005, "directions"), (0.02, "statistic")):
        value = replace(told.decisions, value=told.decisions.value - less, low=0.8, ends=())
        rules.append(replace(first, family=family, rank=2, foretold=Foretold(value)))
    assert blind._simplest([0, 1, 2], rules) == 1
    rules[2] = replace(rules[2], rank=1)
    assert blind._simplest([0, 1, 2], rules) == 2


def test_ties_that_did_better_are_mentioned() -> None:
    first = found_linear().ranked[0]
    tied = replace(first, name="other")
    told = first.foretold
    low = replace(first, foretold=Foretold(replace(told.decisions, value=0.91, low=0.8, ends=())))
    assert blind._better(low, [low, tied]) == ["other"]
    assert blind._better(first, [first, tied]) == []
    assert blind._better(low, [low, replace(tied, rank=2)]) == []
    said = sentence(found_linear().success, replace(first, named=True), ["other"], learnt=True,
                    which="probes")  # fmt: skip
    assert said.endswith("as well as, within chance: other.")


def test_names_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    asked: Any = SimpleNamespace(tick=None)
    with Stages(asked, True) as stages:
        stages.start("fitting rules")
        stages.now("fitting rules for [/b]")
    assert "for [/b]" in capsys.readouterr().err and asked.tick is None
