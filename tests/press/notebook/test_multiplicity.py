"""p-values of verdicts, against what the intervals say by hand."""

import numpy as np
import pytest
from scipy import stats

from falsestruct import statistics
from falsestruct.press.notebook import multiplicity as many
from falsestruct.statistics import ALPHAS, Nobody, exact

MANY = statistics.proportion(np.ones(20, bool))
SOME = statistics.proportion(np.arange(20) < 12)


def smallest(probability):
    """The smallest α of the grid that a probability of one side fits into twice."""
    return min([a for a in ALPHAS if a >= 2 * probability], default=1)


def mid_p(successes, n=20, p=0.5):
    return stats.binom.sf(successes, n, p) + stats.binom.pmf(successes, n, p) / 2


@pytest.mark.parametrize(
    ("changes", "found", "p"),
    [
        ({}, MANY, smallest(mid_p(20))),  # supported
        ({}, SOME, smallest(mid_p(12))),  # inconclusive: of supported
        ({"supported": {"low": "> 1.5"}, "refuted": {"high": "< 1.5"}}, MANY, min(ALPHAS)),
        ({"supported": {"high": "< -0.5"}, "refuted": {"low": "> -0.5"}}, -MANY, min(ALPHAS)),
        ({"supported": {"value": "> 0.5"}, "refuted": {"high": "< 0.1"}}, SOME, 1),
        ({"supported": {"value": "> 0.5", "low": "> 0.4"}, "refuted": {"high": "< 0"}}, SOME, 0.1),
        ({"supported": {"value": "> 0.7", "low": "> 0.4"}, "refuted": {"high": "< 0.1"}}, SOME, 1),
        ({"supported": {"low": "<= 0.6", "high": ">= 0.6"}, "refuted": {"high": "< 0.1"}}, SOME, 1),
        ({"supported": {"low": "> 1.5"}, "refuted": {"high": "< 0.1"}}, SOME, 1),  # out of reach
        ({"control": {"sentence": "No.", "rule": {"low": "> 0"}}}, MANY, 1),  # it never holds
        ({}, exact(1), None),
        ({}, statistics.Estimate(0.7, 0.6, 0.8, 20, "one interval only"), None),
        ({}, Nobody("no network fits"), 1),
    ],
)  # fmt: skip
def test_p_inverts_the_interval(claim, recorded, changes, found, p):
    assert many.p_value(claim(**changes), recorded(found)) == p


def test_the_family_is_what_was_measured_and_recorded(claim, recorded):
    claims = {
        "strong": claim(), "weak": claim(supported={"low": "> 0.4"}, refuted={"high": "< 0.4"}),
        "open": claim(), "exact": claim(), "unrecorded": claim(),
        "proved": claim(kind="proved"), "check": claim(kind="check"),
    }  # fmt: skip
    found = {id: recorded(MANY) for id in ("strong", "proved", "check")}
    found |= {"weak": recorded(statistics.proportion(np.arange(20) < 13)), "open": recorded(SOME),
              "exact": recorded(exact(1))}  # fmt: skip
    table = many.multiplicity(claims, found)
    assert list(table.index) == ["strong", "weak", "open", "exact"]
    assert list(table.columns) == ["verdict", "p", "holm", "bh"]
    assert table["verdict"].to_list() == ["supported", "supported", "inconclusive", "supported"]
    p = table["p"].to_list()
    assert p[:3] == [0.0001, 0.05, 0.5]
    assert np.isnan(table.loc["exact", ["p", "holm", "bh"]].to_numpy(float)).all()
    assert table["holm"].to_list()[:3] == [3 * p[0], 2 * p[1], max(2 * p[1], p[2])]
    assert table["bh"].to_list()[:3] == pytest.approx([3 * p[0], 1.5 * p[1], p[2]])
    assert many.fallen(table, "holm") == many.fallen(table, "bh") == ["weak"]


def test_no_claims_are_no_error():
    table = many.multiplicity({}, {})
    assert table.empty and list(table.columns) == ["verdict", "p", "holm", "bh"]
    assert many.fallen(table, "holm") == []
