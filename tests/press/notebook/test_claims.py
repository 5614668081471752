"""Claims, records, verdicts, and whether they agree."""

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook import claims, staging
from falsestruct.press.paths import UserError
from falsestruct.statistics import Estimate, exact

ENTRY = {
    "id": "a-claim",
    "chapter": "01_one",
    "component": "success",
    "problem": "none",
    "kind": "measured",
    "sentence": "It\n holds.",
    "source": "ours",
    "measure": "A number.",
    "supported": {"low": "> 0.5"},
    "refuted": {"high": "< 0.5"},
    "control": {"sentence": "Not here.", "rule": {"high": "<= 0.1"}},
    "expected": "supported",
}
GOOD = exact(0)  # a control that comes out the other way


def claim(**changes):
    return claims._claim(ENTRY | changes)


def between(low, high):
    return Estimate((low + high) / 2, low, high, 5, "by hand")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.6, 0.9, "supported"),
        (0.1, 0.4, "refuted"),
        (0.4, 0.6, "inconclusive"),
        (0.5, 0.6, "inconclusive"),  # the rule says more than 0.5
    ],
)
def test_verdicts(low, high, verdict):
    assert claims.judge(claim(), between(low, high), GOOD) == verdict


@pytest.mark.parametrize(("low", "high"), [(0.6, 0.9), (0.1, 0.4), (0.4, 0.6)])
def test_a_failing_control_decides_nothing(low, high):
    assert claims.judge(claim(), between(low, high), exact(0.2)) == "inconclusive"


def test_rules_that_exclude_nothing_are_an_error():
    with pytest.raises(ValueError, match="supports and refutes"):
        claims.judge(claim(refuted={"low": "> 0.1"}), exact(0.7), GOOD)


def test_alternatives():
    either = claim(supported=[{"low": "> 0.5"}, {"high": "< -0.5"}], refuted={"value": "== 0"})
    assert claims.judge(either, exact(-1), GOOD) == "supported"
    assert claims.judge(either, exact(1), GOOD) == "supported"
    assert claims.judge(either, exact(0), GOOD) == "refuted"
    both = claim(supported={"low": "> 0.5", "high": "< 0.8"})
    assert claims.judge(both, between(0.6, 0.9), GOOD) == "inconclusive"


numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(numbers, numbers)
def test_a_comparison_means_what_it_says(value, bound):
    signs = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}
    for sign, holds in signs.items():
        rule = claims._rule({"value": f"{sign} {bound:.3f}"}, "x")
        assert claims.satisfies(exact(value), rule) is holds


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": 1}, "a-claim: missing or unknown fields: more"),
        ({"id": "Not OK"}, "lower-case words and hyphens"),
        ({"id": "../x"}, "lower-case words and hyphens"),
        ({"component": "luck"}, "component is 'luck'; one of foundation, success"),
        ({"kind": "guessed"}, "kind is 'guessed'; one of proved, measured"),
        ({"expected": "true"}, "expected is 'true'; one of supported"),
        ({"supported": {}}, "is no rule like"),
        ({"supported": []}, "is no rule like"),
        ({"supported": "low > 1"}, "is no rule like"),
        ({"supported": {"low": 0.5}}, "no comparison"),
        ({"supported": {"low": "about 0.5"}}, "no comparison"),
        ({"supported": {"median": "> 0.5"}}, "no comparison"),
        ({"control": "none"}, "control needs a sentence and a rule"),
        ({"control": {"sentence": "x"}}, "control needs a sentence and a rule"),
        ({"control": {"sentence": "x", "rule": {"low": "x"}}}, "no comparison"),
    ],
)
def test_a_bad_entry_is_one_line(desk, changes, message):
    desk.book.claims.write_text(yaml.safe_dump([ENTRY | changes]))
    with pytest.raises(UserError) as caught:
        claims.read_claims(desk.book)
    text = str(caught.value)
    assert text.startswith("book/claims.yml") and message in text and "\n" not in text


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_no_field_is_optional(desk, field):
    kept = {name: value for name, value in ENTRY.items() if name != field}
    desk.book.claims.write_text(yaml.safe_dump([kept]))
    with pytest.raises(UserError, match=f"missing or unknown fields: {field}"):
        claims.read_claims(desk.book)


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n", "- [\n", "- id: x\n  id\n"])
def test_a_ledger_that_cannot_be_read_is_one_line(desk, text):
    desk.book.claims.write_text(text)
    with pytest.raises(UserError, match=r"^book/claims\.yml.*$"):
        claims.read_claims(desk.book)


def test_an_id_is_stated_once(desk):
    desk.book.claims.write_text(yaml.safe_dump([ENTRY, ENTRY]))
    with pytest.raises(UserError, match="states 'a-claim' twice"):
        claims.read_claims(desk.book)


def test_no_claims_are_no_error(desk):
    desk.book.claims.write_text("# nothing yet\n")
    assert claims.read_claims(desk.book) == {}


def test_line_breaks_in_sentences_do_not_matter():
    assert claim().sentence == "It holds."


def test_what_is_stated_covers_all_but_the_expectation():
    assert claim(expected="refuted").stated == claim().stated
    for field in sorted(set(ENTRY) - {"expected"}):
        other = {
            "supported": {"low": "> 0.6"},
            "refuted": {"high": "< 0.4"},
            "control": {"sentence": "Not here.", "rule": {"high": "<= 0.2"}},
            "component": "simplicity",
            "kind": "proved",
        }.get(field, "other")
        assert claim(**{field: other}).stated != claim().stated, field


# ---- records ----


def staged(desk, id="one-holds"):
    return json.loads((desk.root / "_build/staged/claims" / f"{id}.json").read_text())


def test_a_record_says_what_it_was_made_with(run_of_one):
    claims.record("one-holds", between(3, 4), control=exact(0))
    entry = staged(run_of_one)
    assert entry["verdict"] == "supported" and entry["key"] == "a key"
    assert (entry["value"], entry["low"], entry["high"], entry["n"]) == (3.5, 3, 4, 5)
    assert entry["parameters"] == {"seeds": 3} and entry["commit"] == "unknown"
    assert entry["control"]["value"] == 0 and entry["control"]["holds"] is True
    assert {"python", "numpy", "torch", "machine", "threads"} <= set(entry["environment"])


def test_a_failing_control_is_recorded_honestly(run_of_one):
    claims.record("one-holds", between(3, 4), control=exact(1))
    assert staged(run_of_one)["verdict"] == "inconclusive"
    assert staged(run_of_one)["control"]["holds"] is False


def test_only_stated_claims_are_recorded(run_of_one):
    with pytest.raises(UserError, match=r"no claim 'unheard-of'.*state it before the run"):
        claims.record("unheard-of", exact(1), control=exact(0))


def test_a_record_belongs_to_its_chapter(run_of_one):
    run_of_one.edit("book/claims.yml", "01_one", "02_two")
    with pytest.raises(UserError, match="belongs to 02_two, not to 01_one"):
        claims.record("one-holds", exact(1), control=exact(0))


def test_one_record_decides(run_of_one):
    claims.record("one-holds", exact(3), control=exact(0))
    with pytest.raises(UserError, match="recorded twice"):
        claims.record("one-holds", exact(4), control=exact(0))


def test_by_hand_a_cell_may_run_twice(run_of_one, monkeypatch):
    monkeypatch.delenv(staging.VARIABLE)
    for _ in range(2):
        claims.record("one-holds", exact(3), control=exact(0))
    assert not run_of_one.file("book/evidence.json").exists()


def test_a_card_shows_verdict_number_and_link(run_of_one, monkeypatch):
    cards = []
    monkeypatch.setattr(claims, "show", lambda **forms: cards.append(forms))
    run_of_one.edit("book/claims.yml", "It holds.", "It is a < b.")
    claims.record("one-holds", exact(3), control=exact(0))
    [card] = cards
    assert "(claim-one-holds)=" in card["markdown"] and "(#ledger-one-holds)" in card["markdown"]
    assert "Supported: It is a < b." in card["markdown"] and "3 (exact)" in card["markdown"]
    assert "a &lt; b" in card["html"]
    assert card["text"] == "supported: one-holds: 3 (exact)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"), (-2.0, "−2"), (0.0, "0"), (0.12345, "0.123"), (12.345, "12.3"),
        (1234.5, "1234"), (999.9, "1000"), (0.0001234, "1.23·10⁻⁴"), (1e9, "1·10⁹"),
        (-0.25, "−0.25"), (-2e-5, "−2·10⁻⁵"), (-3.0, "−3"),
    ],
)  # fmt: skip
def test_numbers_for_people(value, text):
    assert claims.number(value) == text


@given(st.floats(-1e12, 1e12))
def test_numbers_keep_three_digits(value):
    assert math.isclose(parsed(claims.number(value)), value, rel_tol=6e-3)


def parsed(text):
    """The number that a text for people says."""
    digits, _, power = text.replace("−", "-").partition("·10")
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(f"{digits}e{power.translate(raised) or 0}")


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
    assert claims.numbers(*values) == texts


# ---- one claim for each architecture ----


def stated(desk, *entries):
    desk.book.claims.write_text(yaml.safe_dump(list(entries)))
    return claims.read_claims(desk.book)


def test_claims_are_parsed_again_only_when_the_file_has_changed(desk, monkeypatch):
    before = stated(desk, ENTRY)
    assert claims.read_claims(desk.book) == before
    changed = stated(desk, ENTRY | {"sentence": "It says another thing."})
    assert [c.sentence for c in changed.values()] == ["It says another thing."]
    monkeypatch.setattr(claims.yaml, "load", lambda *_: pytest.fail("parsed again"))
    changed.clear()  # nobody else's claims are lost
    assert [c.sentence for c in claims.read_claims(desk.book).values()] == [
        "It says another thing."
    ]


def test_an_entry_can_be_a_claim_for_each_architecture(desk):
    texts = {"sentence": "It holds for {architecture}.", "expected": "refuted"}
    control = {"sentence": "Not {architecture}.", "rule": {"high": "<= 0.1"}}
    entry = ENTRY | texts | {"control": control, "architectures": ["MLP", "paper's CNN"]}
    found = stated(desk, entry)
    assert list(found) == ["a-claim-mlp", "a-claim-paper-cnn"]
    last = found["a-claim-paper-cnn"]
    assert last.architecture == "paper's CNN" and last.expected == "refuted"
    assert last.sentence == "It holds for paper's CNN." and last.control == "Not paper's CNN."
    assert stated(desk, ENTRY)["a-claim"].architecture == ""


def test_each_architecture_can_have_its_own_expectation(desk):
    entry = {name: value for name, value in ENTRY.items() if name != "expected"}
    found = stated(desk, entry | {"architectures": {"MLP": "refuted", "CNN": "supported"}})
    assert {id: claim.expected for id, claim in found.items()} == {
        "a-claim-mlp": "refuted", "a-claim-cnn": "supported",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": "MLP"}, "architectures is 'MLP'; expected a list of names"),
        ({"architectures": [1]}, r"architectures is \[1\]"),
        ({"architectures": {"MLP": "refuted"}}, "expected stands twice"),
        ({"architectures": ["MLP", "mlp"]}, "states 'a-claim-mlp' twice"),
    ],
)
def test_bad_architectures_are_one_line(desk, changes, message):
    with pytest.raises(UserError, match=message):
        stated(desk, ENTRY | changes)


def test_a_table_records_many_claims(run_of_one, monkeypatch):
    tables = []
    monkeypatch.setattr(claims, "show", lambda **forms: tables.append(forms))
    entry = ENTRY | {"id": "each", "architectures": ["MLP", "CNN"]}
    stated(run_of_one, entry)
    claims.record_table({
        "each-mlp": (between(0.6, 0.9), exact(0)), "each-cnn": (between(0.1, 0.4), exact(0.02)),
    })  # fmt: skip
    verdicts = [staged(run_of_one, id)["verdict"] for id in ("each-mlp", "each-cnn")]
    assert verdicts == ["supported", "refuted"]
    [table] = tables
    for part in ("{#claim-each-mlp .verdict .verdict-supported}", "(#ledger-each-cnn)",
                 "0.25 [0.10, 0.40]", "0.02 (exact)"):  # fmt: skip
        assert part in table["markdown"]
    assert table["text"].splitlines()[1].startswith("refuted: each-cnn: 0.25")
    with pytest.raises(UserError, match="recorded twice"):
        claims.record_table({"each-mlp": (exact(1), exact(0))})
    with pytest.raises(ValueError, match="expected at least one id"):
        claims.record_table({})


# ---- the ledger ----

KEYS = {"01_one": "now"}


def entry(**changes):
    record = {"id": "a-claim", "chapter": "01_one", "verdict": "supported", "key": "now"}
    return {"a-claim": record | {"value": 1.0, "low": 0.9, "high": 1.1, "n": 20} | changes}


@pytest.mark.parametrize(
    ("stated", "evidence", "keys", "what"),
    [
        ({"a-claim": claim()}, {}, KEYS, "has no record"),
        ({}, entry(), KEYS, "has a record but is not in"),
        ({"a-claim": claim()}, entry(key="then"), KEYS, "older than its chapter"),
        ({"a-claim": claim()}, entry(key=""), {"01_one": ""} | KEYS, "older than its chapter"),
        ({"a-claim": claim()}, entry(verdict="refuted"), KEYS, "came out refuted, expected"),
        ({"a-claim": claim(expected="refuted")}, entry(), KEYS, "expected refuted"),
        ({"a-claim": claim()}, entry(), {}, "belongs to 01_one, which is not in the book"),
    ],
)
def test_what_is_wrong_between_claims_and_records(stated, evidence, keys, what):
    [problem] = claims.check(stated, evidence, keys)
    assert problem.id == "a-claim" and what in problem.what


def test_nothing_wrong():
    assert claims.check({"a-claim": claim()}, entry(), KEYS) == []


def test_rows_of_the_ledger():
    rows = claims.ledger_rows({"a-claim": claim()}, entry())
    assert rows == [
        {
            "id": "a-claim", "chapter": "01_one", "expected": "supported", "verdict": "supported",
            "value": 1.0, "low": 0.9, "high": 1.1, "n": 20,
        }
    ]  # fmt: skip
    [row] = claims.ledger_rows({"a-claim": claim()}, {})
    assert row["verdict"] is None and row["n"] is None


def test_merging_replaces_one_chapters_records(tmp_path):
    path = tmp_path / "evidence.json"
    claims.merge_evidence(path, "01_one", [{"id": "a", "chapter": "01_one"}])
    claims.merge_evidence(path, "02_two", [{"id": "b", "chapter": "02_two"}])
    claims.merge_evidence(path, "01_one", [{"id": "c", "chapter": "01_one"}])
    assert list(claims.read_evidence(path)) == ["b", "c"]
