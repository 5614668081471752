"""Integers, grids, words and automata: what is proved, on small cases by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import concepts as theory
from falsestruct.theory.relu import ReluNetwork

F = Fraction
bits = st.lists(st.integers(0, 1), min_size=1, max_size=12).map(tuple)

# Integers


def test_a_line_is_wrong_on_half_of_the_integers():
    network = ReluNetwork((), (), (), F(0))  # label 0 everywhere: 1, 3, 5 of 0 … 6 are wrong
    assert theory.network_slack(network, 6) == 2 * 3 - 6 + 1


@pytest.mark.parametrize("n", [4, 7, 12])
def test_the_exact_network_is_right_and_as_small_as_can_be(n):
    network = theory.exact_network(n)
    labels = [int(network((F(t),)) > F(1, 2)) for t in range(n + 1)]
    assert labels == [t % 2 for t in range(n + 1)] and network.size == n - 1
    assert theory.network_slack(network, n) == 0


@given(st.integers(1, 12), st.integers(2, 40), st.integers(0, 999))
def test_no_network_beats_the_bound(width, n, seed):
    assert theory.network_slack(theory.random_network(width, n, Random(seed)), n) >= 0


def test_the_iterated_rule_does():
    assert [theory.iterated(t) for t in range(5)] == [0, 1, 0, 1, 0]
    assert theory.slack(theory.iterated, 10, 3) == -7


# Grids


def test_a_flood_goes_a_cell_a_step_and_round_corners():
    free = frozenset([(0, 0), (0, 1), (1, 1), (2, 2)])
    assert theory.flood(free, (0, 0), 1) == {(0, 0), (0, 1)}
    assert theory.flood(free, (0, 0)) == theory.component(free, (0, 0)) == free - {(2, 2)}
    assert theory.flood(free, (1, 0)) == frozenset()  # a wall is no start


def test_corners_do_not_join():
    assert theory.component(frozenset([(0, 0), (1, 1)]), (0, 0)) == {(0, 0)}


def test_a_flood_is_exact_on_every_small_grid_and_one_cut_short_is_not():
    assert theory.wrongly_lit(2, None) == 0 == theory.wrongly_lit(3, None)
    assert theory.wrongly_lit(2, 2) == 0 < theory.wrongly_lit(3, 2)


def test_who_lights_too_much_is_wrong_too(monkeypatch):
    monkeypatch.setattr(theory, "flood", lambda free, start, steps: free)
    assert theory.wrongly_lit(2, None) > 0


def test_a_gap_out_of_reach_is_not_seen():
    assert theory.told_apart(range(4, 12), enough=False) == 0
    assert theory.told_apart(range(4, 12), enough=True) == 1
    whole = frozenset((0, i) for i in range(6))
    assert (0, 0) in theory.flood(whole, (0, 5), 5)
    assert (0, 0) not in theory.flood(whole - {(0, 4)}, (0, 5), 5)


# Words


@given(bits)
def test_without_perturbation_the_state_is_the_parity(word):
    for gamma in (None, *theory.GAMMAS):
        assert theory.reachable(word, F(0), gamma) == (theory.parity(word),) * 2


@given(bits, st.fractions(0, 1, max_denominator=50))
def test_the_clearance_falls_by_the_size_in_each_step(word, share):
    size = share / (2 * len(word))
    assert theory.clearance(word, size) == F(1, 2) - len(word) * size


@given(bits, st.integers(2, 9), st.integers(0, 999))
def test_no_perturbed_word_leaves_the_interval(word, parts, seed):
    rng, size = Random(seed), F(1, 3)
    for gamma in (None, F(2)):
        state = F(0)
        for bit in word:
            state = abs(state - bit - size * F(rng.randint(-parts, parts), parts))
            if gamma:
                state = min(F(1), max(F(0), gamma * (state - F(1, 2)) + F(1, 2)))
        low, high = theory.reachable(word, size, gamma)
        assert low <= state <= high


def test_a_radius_that_is_smaller_is_noticed(monkeypatch):
    assert theory.symbol_evidence()[0] == 0
    own = theory.clearance
    monkeypatch.setattr(theory, "clearance", lambda word, size, *rest: own(word, 2 * size, *rest))
    assert theory.symbol_evidence()[0] == F(1, 4)


@pytest.mark.parametrize("gamma", theory.GAMMAS)
def test_rounding_holds_up_to_its_radius_and_no_further(gamma):
    word, size = (1, 0, 1, 1) * 10, F(1, 2) - 1 / (2 * gamma)
    assert theory.unmoved(word, size, gamma)
    assert not theory.unmoved(word, size + F(1, 100), gamma)
    assert not theory.unmoved(word, size)


# Automata


def test_the_parity_by_hand():
    for word in product((0, 1), repeat=4):
        assert theory.PARITY(word) == sum(word) % 2


@pytest.mark.parametrize("length", [1, 3, 8])
def test_a_counter_is_right_up_to_its_length(length):
    machine = theory.counter(length)
    for n in range(length + 1):
        assert all(machine(w) == sum(w) % 2 for w in product((0, 1), repeat=n))
    assert machine((1,) + (0,) * length) == 0
    assert theory.first_difference(theory.PARITY, machine) == length + 1


def test_a_chain_needs_all_of_the_bound():
    silent = theory.Automaton((0,), ((0, 0),))
    assert theory.first_difference(theory.chain(5), silent) == 4 == 5 + 1 - 2


def test_what_is_said_before_the_first_letter_can_be_left_out():
    other = theory.Automaton((1, 0, 1), ((1, 2), (1, 2), (2, 1)))
    assert theory.first_difference(theory.PARITY, other) == 0
    assert theory.first_difference(theory.PARITY, other, 1) is None


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 9999))
def test_the_search_finds_the_shortest_word(p, q, seed):
    rng = Random(seed)
    left, right = theory.random_automaton(p, rng), theory.random_automaton(q, rng)
    short = next(
        (n for n in range(p + q - 1) for w in product((0, 1), repeat=n) if left(w) != right(w)),
        None,
    )
    assert theory.first_difference(left, right) == short  # Moore: no longer word is needed


def test_a_machine_has_its_moves():
    with pytest.raises(ValueError, match="two moves for each state"):
        theory.Automaton((0, 1), ((0, 2), (1, 0)))


def test_the_evidence_is_as_the_claims_say():
    found = theory.evidence(30)
    assert found["trivial"][0] == 0 > found["trivial"][1]
    assert found["near"][0] == 0 < found["near"][1]
    assert found["symbols"] == (0, F(1, 2))
    assert found["restored"][0] == 1 > found["restored"][1]
    assert found["words"][0] == 0 < found["words"][1]


def test_a_difference_that_comes_too_late_is_noticed(monkeypatch):
    monkeypatch.setattr(theory, "first_difference", lambda *_: 20)
    assert theory.automaton_evidence(3)[0] > 0
