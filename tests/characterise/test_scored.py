"""How right a search is: of rules that are known, and of searches that are made up."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from falsestruct.characterise import scored
from falsestruct.characterise.benchmark import OTHER, Case
from falsestruct.characterise.blind import NONE
from falsestruct.characterise.scored import AGREEMENTS, BASELINES, TIERS, facts, reading
from falsestruct.problems.plants import plant
from tests.characterise.test_benchmark import by_hand, case, follower

KEYS = {"verdict", "tier", "p", "answered", "queries", "undecided", "why"}
KEYS |= {"cosine", "cosine_other", "flips"}


def test_what_is_known_of_a_follower() -> None:
    own = case("phase")
    found = facts(own, follower(own.plant))
    assert found["capture"] == found["fitted"] == 1 and found["family"] == "phase"
    assert facts(own, by_hand(lambda x: own.plant.original(x) - 0.5))["capture"] == 0


@pytest.fixture(scope="module")
def named() -> dict[str, object]:
    """A follower of a random mask, searched."""
    own = case("mask", seed=11)
    plain = Case(replace(own.plant, strength=0.7), own.seed)
    return reading(plain, follower(plain.plant), by_hand(lambda x: x.flatten(1)[:, 30] - 0.5),
                   queries=3000)  # fmt: skip


def test_a_mask_is_named_rightly(named: dict[str, object]) -> None:
    assert set(named) == KEYS | set(TIERS) | set(BASELINES) | set(AGREEMENTS)
    assert named["verdict"] != NONE and named["p"] <= 0.05 and named["tier"]  # type: ignore[operator]
    assert named["why"] == "" and 0 < named["undecided"] < 1  # type: ignore[operator]
    assert named["agrees"] > 0.9 and named["network"] == named["agrees"]  # type: ignore[operator]
    assert named["another"] < 0.8 and named["mask"] < 0.8  # type: ignore[operator]
    assert named["cosine"] > 0.8 > named["cosine_other"]  # type: ignore[operator]
    assert named["learned"] > named["library"]  # type: ignore[operator]


def test_one_answer_to_all_has_nothing_to_find() -> None:
    own = case("mask", how="untrained")
    found = reading(own, by_hand(lambda x: x.flatten(1)[:, 0] * 0 + 1), follower(own.plant),
                    queries=1000)  # fmt: skip
    assert found["verdict"] == NONE and found["p"] == 1 and set(found) >= KEYS
    assert all(np.isnan(found[name]) for name in AGREEMENTS)  # type: ignore[call-overload]
    assert "one value 1" in str(found["why"])


@pytest.mark.parametrize(
    ("success", "rules", "reason"),
    [
        (0.7, [(True, 0.1)], "labels"),
        (0.9, [], "floor"),
        (0.9, [(False, 0.1)], "floor"),
        (0.9, [(False, 0.1), (True, 0.0)], "excess"),
        (0.9, [(True, 0.01), (True, 0.0)], "p"),
    ],
)
def test_why_nothing_is_named(success: float, rules: list[tuple[bool, float]], reason: str) -> None:
    ranked = [
        Namespace(enough=enough, excess=Namespace(value=excess)) for enough, excess in rules
    ]  # fmt: skip
    found = Namespace(rule=None, success=Namespace(low=success), ranked=ranked)
    assert scored.why(found) == reason  # type: ignore[arg-type]
    found.rule = len
    assert scored.why(found) == ""  # type: ignore[arg-type]


def test_directions_are_compared_with_the_plant_of_the_same_family() -> None:
    class Rule:
        family, pictures = "directions", (case("window").plant.direction.numpy().reshape(8, 8),)

    class Found:
        ranked = (Rule(),)

    own = case("window")
    values = scored.cosines(own, Found())  # type: ignore[arg-type]
    strange = plant("window", own.seed + OTHER, problem="digits")
    assert values["cosine"] == pytest.approx(1)
    expected = abs(float(strange.direction @ own.plant.direction))
    assert values["cosine_other"] == pytest.approx(expected)
    assert np.isnan(scored.cosines(case("none"), Found())["cosine"])  # type: ignore[arg-type]
