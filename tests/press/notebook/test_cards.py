"""What a reader sees of a claim."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook import cards
from falsestruct.press.notebook.cards import Decided
from falsestruct.statistics import Estimate, Nobody, exact

FORMER = [
    {"verdict": "refuted", "networks": 8, "commit": "0123abc"},
    {"verdict": "supported", "networks": {"MLP": 1, "CNN": 9}, "commit": "4567def"},
]
SEVERAL = Estimate(0.25, 0.1, 0.4, 5, "by hand")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"), (-2.0, "−2"), (0.0, "0"), (0.12345, "0.123"), (12.345, "12.3"),
        (1234.5, "1234"), (999.9, "1000"), (0.0001234, "1.23·10⁻⁴"), (1e9, "1·10⁹"),
        (-0.25, "−0.25"), (-2e-5, "−2·10⁻⁵"), (-3.0, "−3"),
    ],
)  # fmt: skip
def test_numbers_for_people(value, text):
    assert cards.number(value) == text


@given(st.floats(-1e12, 1e12))
def test_numbers_keep_three_digits(value):
    digits, _, power = cards.number(value).replace("−", "-").partition("·10")
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    assert math.isclose(float(f"{digits}e{power.translate(raised) or 0}"), value, rel_tol=6e-3)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.96, 0.9591, 0.9612), ["0.960", "0.959", "0.961"]),
        ((-0.5, -1.0, 0.25), ["−0.50", "−1.00", "0.25"]),
        ((20.0, 18.0, 22.0), ["20", "18", "22"]),
        ((5.9e-5, 0.0, 0.25), ["5.9·10⁻⁵", "0", "0.25"]),
        ((1500.0, 0.123, 2e6), ["1500", "0.123", "2·10⁶"]),
    ],
)
def test_numbers_side_by_side_have_equally_many_decimals(values, texts):
    assert cards.numbers(*values) == texts


@pytest.mark.parametrize(
    ("found", "text", "interval"),
    [
        (exact(3), "3 (exact)", "3 (exact)"),
        (SEVERAL, "0.25, 95 % interval [0.10, 0.40], n = 5", "0.25 [0.10, 0.40]"),
        (Nobody("1 fits", 1), "no number, because nobody qualifies: 1 fits", "1 fits"),
    ],
)
def test_estimates_for_people(found, text, interval):
    assert (cards.text(found), cards.interval(found)) == (text, interval)
    control = exact(0, n=2)
    line = f"an-id: {interval}, n = {found.n}; control 0 (exact), n = 2"
    assert cards.line("an-id", found, control) == line


def test_a_card_says_all_that_was_found(claim):
    one = claim(sentence="It is a < b.", aliases=["old"], former=FORMER)
    card = cards.markdown([Decided(one, "supported", SEVERAL, exact(0), "Since then.")])
    assert card.startswith("(claim-old)=\n(claim-a-claim)=\n")
    for part in (
        "{admonition} Supported: It is a < b.\n:class: claim claim-supported\n",
        "**0.25, 95 % interval [0.10, 0.40], n = 5**. A number.",
        "Control: Not here. It came to 0 (exact).",
        "Formerly [refuted]{.verdict .verdict-refuted} with 8 networks; "
        "[supported]{.verdict .verdict-supported} with 1 of MLP, 9 of CNN.\n\nSince then.\n",
        "[in the ledger](#ledger-a-claim)",
    ):
        assert part in card
    assert "Formerly" not in cards.markdown([Decided(claim(), "supported", SEVERAL, exact(0))])


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("supported", "passed"), ("refuted", "failed"), ("inconclusive", "says nothing")],
)
def test_a_check_has_another_card(claim, verdict, said):
    one = claim(kind="check")
    card = cards.markdown([Decided(one, verdict, SEVERAL, exact(0))])
    assert f"{{admonition}} Check {said}: It holds." in card
    assert f":class: claim claim-check check-{verdict}\n" in card
    assert cards.badge(one, verdict) == f"[check {verdict}]{{.verdict .verdict-check}}"
    table = cards.markdown([Decided(one, verdict, SEVERAL, exact(0))] * 2)
    assert f"[check {verdict}]{{#claim-a-claim .verdict .verdict-check}}" in table


def test_nobody_has_the_reason_on_the_card(claim):
    found = Nobody("no network fits the data")
    card = cards.markdown([Decided(claim(), "inconclusive", found, exact(0))])
    assert "**no number, because nobody qualifies: no network fits the data**" in card


def test_several_claims_are_a_table(claim):
    first = claim(id="one", aliases=["old"], former=FORMER[:1])
    second = Decided(claim(id="two"), "inconclusive", Nobody("none fits"), exact(0.02))
    table = cards.markdown([Decided(first, "supported", SEVERAL, exact(0)), second])
    assert table.startswith("(claim-old)=\n\n:::{list-table}")
    for part in (
        "* - [supported]{#claim-one .verdict .verdict-supported}\n"
        "  - It holds. Formerly [refuted]{.verdict .verdict-refuted} with 8 networks. "
        "[in the ledger](#ledger-one)\n  - 0.25 [0.10, 0.40]\n  - 5\n  - 0 (exact)\n",
        "* - [inconclusive]{#claim-two .verdict .verdict-inconclusive}\n"
        "  - It holds. [in the ledger](#ledger-two)\n  - none fits\n  - 0\n  - 0.02 (exact)\n",
    ):
        assert part in table


def test_in_jupyter_cards_are_html(claim):
    one = Decided(claim(sentence="It is a < b."), "refuted", SEVERAL, exact(0))
    card = cards.for_jupyter([one])
    assert "<b>Refuted</b>: It is a &lt; b." in card and "It came to 0 (exact)." in card
    both = "refuted: a-claim: 0.25, 95 % interval [0.10, 0.40], n = 5"
    assert cards.for_jupyter([one, one]) == f"{both}<br>{both}"
