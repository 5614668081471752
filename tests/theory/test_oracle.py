"""Readers of digits: their samples, exact chances against the bound, three thresholds."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import barrier, oracle
from falsestruct.theory.oracle import Samples

LAWS = (oracle.geometric, oracle.harmonic, oracle.until(20))


@pytest.mark.parametrize("part", [1, 5, None])
@pytest.mark.parametrize("larger", [0, 1])
def test_sample_m_is_at_most_two_to_the_minus_m_away(part, larger):
    given_, own = Samples(3, part, larger), Samples(3, part, larger).entries
    for m in range(1, 9):
        away = [abs(a - b) for a, b in zip(given_.sample(m), own, strict=True)]
        assert max(away) <= Fraction(1, 2**m)  # one entry differs, so this is the norm
    assert given_.read == 8


def test_before_they_part_both_matrices_and_the_limit_look_alike():
    seen = [[Samples(2, part, j).sample(m) for part, j in ((7, 0), (7, 1), (None, 0))]
            for m in range(1, 8)]  # fmt: skip
    assert all(a == b == c for a, b, c in seen[:6])
    first, second, limit = seen[6]
    assert first == second[::-1] != limit


@pytest.mark.parametrize("part", [1, 2, 3, 20, 21, 60])
def test_a_coin_attains_the_bound_and_stays_above_one_half(part):
    for law in LAWS:
        assert oracle.worse(law, part) == oracle.bound(law, part)
    assert oracle.worse(oracle.geometric, part) == Fraction(1, 2) + Fraction(1, 2**part)
    assert oracle.worse(oracle.harmonic, part) == Fraction(1, 2) + Fraction(1, 2 * part)
    assert (oracle.worse(oracle.until(20), part) == Fraction(1, 2)) == (part > 20)


@given(st.integers(1, 30), st.fractions(0, 1), st.integers(1, 40))
def test_no_coin_and_no_law_beats_the_bound(part, heads, last):
    for law in (*LAWS, oracle.until(last)):
        assert oracle.worse(law, part, heads=heads) <= oracle.bound(law, part)


@given(st.integers(1, 12), st.integers(1, 20), st.tuples(*[st.fractions(-1, 1)] * 2))
def test_with_a_margin_any_samples_will_do(part, m, off):
    """Entries off by 2⁻ᵐ at most: no wrong decision, and a decision from the sample n + 3 on."""

    class Noisy(Samples):
        def sample(self, m):
            return [a + b / 2**m for a, b in zip(self.entries, off, strict=True)]

    found = oracle.decide(Noisy(1, part, 1), m, tie=-1, margin=Fraction(2, 2**m))
    assert found in (-1, 1) and (m < part + 3 or found == 1)


def test_who_may_wait_for_ever_is_always_right():
    assert oracle.worse(oracle.endless, 60) == 1 > oracle.bound(oracle.until(40), 60)


def test_real_coins_do_what_is_computed():
    for part in (1, 2, 4):
        played = oracle.play(oracle.geometric, part, 1, times=2000, seed=5)
        assert played == pytest.approx(float(oracle.worse(oracle.geometric, part)), abs=0.04)


@pytest.mark.parametrize("digits", range(2, 7))
def test_three_thresholds(digits):
    (found,) = oracle.promises([digits], 12).itertuples(index=False)
    assert max(found.patient, found.single) <= 1 < 10 * found.patient
    assert 1.4 < 10 * found.single < 1.5
    assert found.samples == 12  # as many as it takes: for every number there is an input


def test_the_patient_one_reads_once_where_it_need_not_decide():
    member = Samples(4, 30, 1)
    answer = oracle.patient(member, 4)
    assert member.read == 1 and oracle.error(member, answer) < 1e-3
    other = Samples(3, 30, 1)
    assert oracle.error(other, oracle.patient(other, 4)) == 0 and other.read == 30


def test_in_the_limit_all_between_the_two_are_right():
    limit = Samples(2, None)
    entry = limit.limit
    assert oracle.error(limit, [1 / (2 * entry)] * 2) == 0 == oracle.error(limit, [1 / entry, 0])
    assert oracle.error(limit, [2 / entry, Fraction(0)]) == pytest.approx(float(1 / entry))
    assert barrier.gap([entry, entry], [1 / (2 * entry)] * 2) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Samples(2, 0), "part is 0; expected at least 1"),
        (lambda: Samples(2, 1).sample(0), "the sample is 0"),
        (lambda: oracle.family(1, 3), "K is 1; expected at least 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_table_has_every_reader_and_real_runs_of_the_first():
    found = oracle.table(6, played=3, runs=400)
    assert len(found) == 6 * len(oracle.READERS)
    first = found[found["reader"] == "geometric"].set_index("part")
    assert (first["excess"] == [2.0**-part for part in range(1, 7)]).all()
    assert (first["played"].dropna() - first["worse"]).abs().max() < 0.1
    assert found["played"].notna().sum() == 3
    assert (found[found["halts"]]["over"] <= 0).all()
    assert oracle.table(41).groupby("reader")["over"].max()["until they part"] == 0.5
