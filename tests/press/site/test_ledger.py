"""Claims beside their records."""

import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook.stated import VERDICTS
from falsestruct.press.paths import Book, UserError, write_atomically
from falsestruct.press.site import ledger
from falsestruct.press.site.ledger import Entry
from falsestruct.statistics import Nobody
from tests.worlds.ledger import ESTIMATES, claim, entry, record


def test_it_has_every_claim_and_only_claims():
    stated = {id: claim(id) for id in ("a-claim", "b-claim")}
    found = ledger.of(stated, {id: record(ESTIMATES["refuted"]) for id in ("b-claim", "gone")})
    assert [(e.claim.id, e.verdict) for e in found] == [
        ("a-claim", "no record"),
        ("b-claim", "refuted"),
    ]
    assert found[0].estimate is None and found[0].control is None
    assert found[1].estimate == ESTIMATES["refuted"] and found[1].control.value == 0
    with pytest.raises(ValueError, match="'a-claim' has no record"):
        _ = found[0].decided


def test_a_claim_is_found_by_its_former_ids_and_others_name_the_nearest():
    entries = [entry("a-claim", aliases=["once-called"]), entry("b-claim")]
    assert ledger.find(entries, "once-called") is entries[0]
    with pytest.raises(UserError, match="no claim 'b-clam' in book/claims; did you mean b-claim"):
        ledger.find(entries, "b-clam")


@given(st.lists(st.tuples(st.sampled_from((*VERDICTS, "no record")), st.sampled_from(VERDICTS))))
def test_the_tally_adds_up(given_entries):
    entries = [entry(f"c{i}", v, pinned=p) for i, (v, p) in enumerate(given_entries)]
    counts = ledger.tally(entries)
    assert counts["claims"] == len(entries) == counts["proved"] + counts["measured"]
    assert sum(counts[v] for v in VERDICTS) + counts["unrecorded"] == len(entries)
    assert counts["unexpected"] == sum(v not in (p, "no record") for v, p in given_entries)


def test_checks_are_counted_by_themselves():
    entries = [entry("a"), entry("b", kind="check"), entry("c", "refuted", kind="check")]
    counts = ledger.tally(entries)
    assert (counts["claims"], counts["supported"], counts["refuted"]) == (1, 1, 0)
    assert (counts["checks"], counts["failed"]) == (2, 1)


@pytest.mark.parametrize(
    ("facts", "said", "older"),
    [
        ({"rule_since": "aaaa", "older": True}, "`aaaa`. The number was made by commit `abc1`, no "
         "earlier than the rule.", True),
        ({"rule_since": "aaaa", "older": False}, "`abc1`, earlier than the rule.", False),
        ({"rule_since": "uncommitted"}, "and is not committed yet. The number was made by", None),
        ({"rule_since": "unknown", "commit": "unknown"}, "since nobody knows when. The number was "
         "made by a commit that nobody knows.", None),
        ({}, "since nobody knows when.", None),
        # Judged by another rule: what the record says is not about today's.
        ({"rule_since": "aaaa", "older": True, "rule": {}}, "since nobody knows when.", None),
    ],
)  # fmt: skip
def test_it_is_told_since_when_the_rule_stands_and_what_made_the_number(facts, said, older):
    one = Entry(claim(), record(ESTIMATES["supported"], **facts))
    assert said in one.history and one.older is older


def test_a_rule_that_is_the_record_s_own_keeps_its_commit():
    one = claim()
    kept = record(ESTIMATES["supported"], rule=one.rule, rule_since="aaaa", older=True)
    assert Entry(one, kept).since == "aaaa"


def test_it_is_read_again_after_a_change_only(tmp_path):
    book = Book(tmp_path)
    book.claims.mkdir(parents=True)
    assert ledger.read(book, book.published) == ()
    text = "- {id: a, component: success, problem: x, kind: proved, sentence: S, source: s, "
    text += "measure: m, threshold: '> 0', control: {sentence: C, rule: {low: '> 0'}}, "
    text += "pinned: refuted, predicted: refuted}\n"
    write_atomically(book.claims / "01_one.yml", text)
    first = ledger.read(book, book.published)
    assert [one.claim.id for one in first] == ["a"]
    assert ledger.read(book, book.published) is first
    os.utime(book.claims / "01_one.yml", ns=(1, 1))
    assert ledger.read(book, book.published) is not first


def test_the_table_has_a_line_a_claim_with_all_that_was_found():
    many = {"MLP": 3, "CNN": 2}
    entries = [
        entry("a-claim", networks=many, predicted="refuted"),
        entry("b-claim", "no record"),
        Entry(claim("c-claim"), record(Nobody("none is right", 2))),
    ]
    text = ledger.as_csv(entries, {"a-claim": {"p": 0.01, "holm": 0.02, "bh": 0.015}})
    first, second, third = csv.DictReader(io.StringIO(text))
    assert first["sentence"] == entries[0].claim.sentence
    assert first["networks"] == "MLP: 3; CNN: 2"
    assert [first[name] for name in ("predicted", "pinned", "verdict")] == [
        "refuted", "supported", "supported",
    ]  # fmt: skip
    numbers = ("value", "low", "high", "control_value", "p", "bh")
    assert [float(first[name]) for name in numbers] == [0.75, 0.625, 0.875, 0, 0.01, 0.015]
    assert second["verdict"] == "no record" and second["value"] == second["commit"] == ""
    assert (third["nobody"], third["n"], third["value"]) == ("none is right", "2", "")
    assert ledger.as_csv([], {}).startswith("id,chapter,")
