"""Rules are fitted to one part and chosen by another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from falsestruct.characterise import candidates
from falsestruct.characterise.candidates import (
    FAMILIES,
    MEANS,
    Half,
    Look,
    Rule,
    at_random,
    class_means,
    families,
    learned,
    neighbours,
    settled,
    sparse,
    statistic,
    sum_of_two,
)
from falsestruct.characterise.readings import Way

NAMES = [f"s{i}" for i in range(8)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def half(rule: object, *, n: int = 900, classes: int = 2, seed: int = 0) -> Half:
    """Answers of a rule of statistics (n, 8) and coordinates (n, 5); three probes a cluster."""
    values, z = rng(seed).normal(size=(n, 8)), rng(seed + 1).normal(size=(n, 5))
    codes = np.asarray(rule(values, z)).astype(int)  # type: ignore[operator]
    cluster = np.arange(n) // 3
    return Half(Look(values, z), codes, classes, cluster, np.arange(2 * n // 3),
                np.arange(2 * n // 3, n))  # fmt: skip


def fresh(rule: object) -> tuple[Look, np.ndarray]:
    own = half(rule, seed=50)
    return own.look, own.codes


# ---- tiers ----


def test_a_statistic_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return values[:, 4] < 0.2

    own = half(rule)
    found = statistic(own, NAMES)
    look, codes = fresh(rule)
    assert (found.name, found.family, found.features) == ("s4", "statistic", 1)
    assert (own.refitted(found).predict(look) == codes).mean() > 0.99


def test_a_statistic_with_three_labels() -> None:
    own = half(lambda values, z: np.digitize(values[:, 2], [-0.4, 0.4]), classes=3)
    assert statistic(own, NAMES).name == "s2" and sum_of_two(own, NAMES) is None


def test_a_sum_of_two_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return values[:, 1] - 2 * values[:, 6] > 0.3

    own = half(rule)
    found = sum_of_two(own, NAMES)
    look, codes = fresh(rule)
    assert found is not None and found.name == "s1 and s6"
    assert (own.refitted(found).predict(look) == codes).mean() > 0.97
    assert (own.refitted(statistic(own, NAMES)).predict(look) == codes).mean() < 0.9


def test_two_names_of_one_statistic_are_no_sum() -> None:
    own = half(lambda values, z: values[:, 0] > 0)
    own.look.values[:, 1] = own.look.values[:, 0]
    found = sum_of_two(own, NAMES)
    assert found is not None and found.name != "s0 and s1"


V = np.array([0.6, 0, 0.8, 0, 0])


@pytest.mark.parametrize("squares", [False, True])
def test_directions_are_found(squares: bool) -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.abs(z @ V) > 0.6 if squares else z @ V > 0.2

    own = half(rule)
    found = learned(own, "squares" if squares else "plain")
    assert found is not None
    look, codes = fresh(rule)
    fitted = own.refitted(found)
    assert found.features == (2 if squares else 1)
    assert abs(fitted.vectors[0] @ V) > 0.98
    assert (fitted.predict(look) == codes).mean() > 0.95


def test_a_switch_is_found_and_read() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(z[:, 4] > 0, z[:, 0], z[:, 1]) > 0

    own = half(rule, n=2400)
    found = learned(own, "switch")
    assert found is not None and found.family == "directions and a switch" and found.features == 3
    look, codes = fresh(rule)
    assert (own.refitted(found).predict(look) == codes).mean() > 0.93
    straight = learned(own, "squares")
    assert straight is not None and own.score(own.fitted(straight)) < 0.92
    three = half(lambda values, z: np.digitize(z[:, 0], [0, 1]), classes=3)
    assert learned(three, "switch") is None


def test_gradients_are_used_where_there_are_any() -> None:
    own = half(lambda values, z: rng(9).random(len(z)) < 0.5)  # the answers tell nothing
    slopes = rng(3).normal(size=(900, 1)) * V
    look = Look(own.look.values, own.look.z, slopes)
    codes = (look.z @ V > 0).astype(int)
    given = Half(look, codes, 2, own.cluster, own.fitting, own.choosing)
    found = learned(given, "plain")
    assert found is not None
    assert "gradients" in found.name and abs(given.refitted(found).vectors[0] @ V) > 0.9999


def test_so_are_the_changes_that_flip_a_black_box() -> None:
    own = half(lambda values, z: z @ V > 0)
    changes = rng(3).normal(size=(7, 1)) * V
    given = replace(own, look=replace(own.look, changes=changes))
    found = learned(given, "plain")
    assert found is not None
    assert "flips" in found.name and abs(given.refitted(found).vectors[0] @ V) > 0.9999
    assert learned(given, "squares") is not None


def test_a_sparse_sum_of_steps_is_found() -> None:
    def rule(values: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (values[:, 0] > 0).astype(int) + (values[:, 3] > 0.5) + (z @ V > 0) >= 2

    own = half(rule, n=2400)
    straight = learned(own, "plain")
    assert straight is not None
    learners = [straight]
    found = sparse(own, NAMES, learners)
    look, codes = fresh(rule)
    rule_found = own.refitted(found)
    assert {"s0", "s3", "direction 1"} <= set(rule_found.terms) and len(rule_found.terms) < 9
    assert (rule_found.predict(look) == codes).mean() > 0.93
    assert (own.refitted(learners[0]).predict(look) == codes).mean() < 0.9


def test_a_sparse_sum_is_called_by_the_terms_of_its_last_fit() -> None:
    none = np.empty((0, 5))
    own = half(lambda values, z: values[:, 2] > 0)
    last = Rule(lambda look: look.z, ("s1", "s5", "s6", "s7", "direction 1"), none)
    *others, sum_of_steps = families(own, NAMES)
    found = settled(sum_of_steps, last)
    assert found.name == "sum of steps of s1, s5, s6 and 2 more" and found.features == 5
    assert settled(found, Rule(last.predict, (), none)).features == 1
    assert all(settled(one, last) is one for one in others)


def test_every_family_has_its_say_and_simple_ones_come_first() -> None:
    for classes in (2, 3):
        own = half(lambda values, z, k=classes: np.digitize(values[:, 2], [0, 1][: k - 1]),
                   classes=classes)  # fmt: skip
        found = [one.family for one in families(own, NAMES)]
        assert found == [
            name
            for name in FAMILIES
            if name != MEANS
            and (classes == 2 or name not in ("sum of two", "directions and a switch"))
        ]


def test_fits_see_the_first_part_only() -> None:
    """Answers of the second part may be anything: rules fitted to the first don't change."""
    own = half(lambda values, z: values[:, 4] < 0.2)
    codes = own.codes.copy()
    codes[own.choosing] = 1 - codes[own.choosing]
    other = Half(own.look, codes, 2, own.cluster, own.fitting, own.choosing)
    for one in families(own, NAMES):
        said = [case.fitted(one).predict(own.look) for case in (own, other)]
        assert np.array_equal(*said)
        assert own.score(own.fitted(one)) == pytest.approx(1 - other.score(other.fitted(one)))


# ---- baselines ----


def test_class_means_get_a_threshold() -> None:
    centres = np.zeros((2, 5))
    centres[1] = 3 * V
    own = half(lambda values, z: z @ V > -0.7)  # their direction, another threshold
    look, codes = fresh(lambda values, z: z @ V > -0.7)
    assert (own.refitted(class_means(centres, "plain")).predict(look) == codes).mean() > 0.98


def test_class_means_are_read_as_the_rule_is() -> None:
    """A band of the distance: squares and steps read it, one threshold doesn't."""
    centres = np.zeros((2, 5))
    centres[1] = 3 * V
    own = half(lambda values, z: np.abs(z @ V) > 0.7)
    look, codes = fresh(lambda values, z: np.abs(z @ V) > 0.7)
    ways: list[Way] = ["plain", "squares", "steps"]
    right = [(own.refitted(class_means(centres, way)).predict(look) == codes).mean()
             for way in ways]  # fmt: skip
    assert right[0] < 0.8 and min(right[1:]) > 0.9


def test_neighbours_foretell_what_is_smooth_and_not_what_is_not() -> None:
    smooth = half(lambda values, z: z[:, 0] > 0, n=3000)
    look, codes = fresh(lambda values, z: z[:, 0] > 0)
    assert (smooth.refitted(neighbours(smooth, 9999, seed=0)).predict(look) == codes).mean() > 0.85
    own = half(lambda values, z: values[:, 0] > 0)  # coordinates say nothing about statistics
    look, codes = fresh(lambda values, z: values[:, 0] > 0)
    assert (own.refitted(neighbours(own, 9999, seed=0)).predict(look) == codes).mean() < 0.6


def test_neighbours_know_so_many_answers_and_no_more() -> None:
    own = half(lambda values, z: z[:, 0] > 0, n=3000)
    look, codes = fresh(lambda values, z: z[:, 0] > 0)
    right = [(own.refitted(neighbours(own, most, seed=0)).predict(look) == codes).mean()
             for most in (20, 3000)]  # fmt: skip
    assert right[0] < right[1] - 0.05
    one = half(lambda values, z: z[:, 0] > 0)
    said = one.refitted(neighbours(one, 1, seed=0)).predict(look)
    assert len(np.unique(said)) == 1


def test_neighbours_are_balanced() -> None:
    own = half(lambda values, z: z[:, 0] > 1.2, n=3000)
    look, codes = fresh(lambda values, z: z[:, 0] > 1.2)
    said = own.refitted(neighbours(own, 9999, seed=0)).predict(look)
    assert said[codes == 1].mean() > 0.75


def test_random_directions_read_as_learned_ones() -> None:
    own = half(lambda values, z: z @ V > 0)
    look, codes = fresh(lambda values, z: z @ V > 0)
    shares = [
        (own.refitted(at_random(own, q, "plain", compared=1, seed=0)).predict(look) == codes).mean()
        for q in (1, 5)
    ]
    assert shares[0] < 0.9 and shares[1] > 0.95  # five of them span all that there is
    candidate = at_random(own, 4, "squares", compared=1, seed=0)
    assert candidate.features == 4 and own.refitted(candidate).predict(look).shape == codes.shape
    band = half(lambda values, z: np.abs(z @ V) > 0.7)
    look, codes = fresh(lambda values, z: np.abs(z @ V) > 0.7)
    right = [(band.refitted(at_random(band, 5, way, compared=1, seed=0)).predict(look)
              == codes).mean() for way in ("plain", "steps")]  # fmt: skip
    assert right[1] > right[0] + 0.05


def test_the_best_of_as_many_draws_as_rules_were_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = half(lambda values, z: z @ V > 0)
    drawn: list[int] = []
    monkeypatch.setattr(
        candidates.directions,
        "at_random",
        lambda d, count, z, rng: drawn.append(1) or rng.normal(size=(count, d)),
    )

    def scores(compared: int) -> float:
        draws = [at_random(own, 1, "plain", compared=compared, seed=seed) for seed in range(4)]
        return float(np.mean([own.score(own.fitted(one)) for one in draws]))

    monkeypatch.setattr(candidates, "DRAWS", (1, 50))
    assert scores(40) > scores(1) + 0.05 and len(drawn) == 4 * 41
    scores(1000)
    assert len(drawn) == 4 * 91


def test_a_candidate_knows_how_many_it_was_chosen_from() -> None:
    own = half(lambda values, z: values[:, 4] < 0.2)
    found = {one.family: one.compared for one in families(own, NAMES)}
    assert found["statistic"] == 8 and found["sum of two"] == candidates.LEADERS * 8
    assert found["sparse sum"] == len(candidates.SPARSE) and found["directions"] > 4


def test_a_perfect_score_of_few_clusters_counts_less() -> None:
    """Ten probes of either half of the answers, all right by luck, against a rule that is sure."""
    codes = np.zeros(300, int)
    codes[[200, 203, 206]] = 1
    look = Look(np.zeros((300, 1)), np.zeros((300, 1)))
    cluster = np.arange(300) // 3
    own = Half(look, codes, 2, cluster, slice(0, 150), slice(150, 300))
    right = Rule(lambda look: codes[150:], (), np.empty((0, 1)))
    wrong = Rule(lambda look: np.where(np.arange(150) == 50, 0, codes[150:]), (), np.empty((0, 1)))
    assert own.score(right) == own.surely(right) == 1
    assert own.surely(wrong) < own.score(wrong) - 0.05


def test_slices_copy_nothing() -> None:
    own = half(lambda values, z: values[:, 4] < 0.2).look.once()
    part = own.take(slice(0, 100))
    assert part.z.base is not None and np.shares_memory(part.z, own.z)
    assert np.shares_memory(part.w, own.w) and np.shares_memory(part.values, own.values)
