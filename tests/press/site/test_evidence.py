"""The page of the evidence, read as MyST."""

from dataclasses import replace

import pytest
from docutils import nodes

from falsestruct import statistics
from falsestruct.press.notebook.claims import COMPONENTS, VERDICTS
from falsestruct.press.site import evidence
from falsestruct.press.site.ledger import Entry
from falsestruct.statistics import Nobody
from tests.worlds.ledger import ESTIMATES, claim, entry, record, rows, tree

LEDGER = tuple(f"ledger-{id}" for id in ("a-claim", "b-claim", "c-claim"))


def test_the_summary_counts_by_component():
    entries = [
        entry("a-claim"),
        entry("b-claim", "refuted"),
        entry("c-claim", "inconclusive", component="simplicity"),
        entry("d-claim", component="simplicity", kind="check"),
    ]
    header, *body = rows(tree(evidence.summary(entries)))
    assert header == ["Component", "Claims", *VERDICTS, "Checks"]
    assert body == [
        ["Foundation", "0", "0", "0", "0", "0"],
        ["Success", "2", "1", "1", "0", "0"],
        ["Instability", "0", "0", "0", "0", "0"],
        ["Simplicity", "1", "0", "0", "1", "1"],
        ["All", "3", "1", "1", "1", "1"],
    ]


def test_a_component_shows_its_claims_by_problem_whatever_their_verdict():
    entries = [
        entry("a-claim", "inconclusive", problem="one"),
        entry("b-claim", "supported", problem="two", kind="check"),
        entry("c-claim", "refuted", problem="one"),
        entry("elsewhere", component="foundation"),
    ]
    document = tree(evidence.component(entries, "success"))
    _, *body = rows(document)
    assert [row[0] for row in body] == ["inconclusive", "refuted", "check supported"]
    assert [row[2:] for row in body] == [
        ["one", "0.500 [0.375, 0.625]", "12"],
        ["one", "0.250 [0.125, 0.375]", "12"],
        ["two", "0.750 [0.625, 0.875]", "12"],
    ]
    ids = [name for part in document.findall(nodes.admonition) for name in part["ids"]]
    assert {"ledger-a-claim", "ledger-b-claim", "ledger-c-claim"} <= set(ids)
    assert "elsewhere" not in document.astext()
    wanted = {ref["refid"] for ref in document.findall(nodes.reference) if "refid" in ref}
    assert {"ledger-a-claim", "ledger-b-claim", "claim-a-claim", "claim-b-claim"} <= wanted


def test_refuted_is_as_prominent_as_supported():
    supported, refuted = (evidence.details(entry("a-claim", v)) for v in ("supported", "refuted"))
    assert refuted.splitlines()[1].startswith("::::{admonition} Refuted: ")
    assert "claim-refuted" in refuted.splitlines()[2]
    assert len(supported.splitlines()) == len(refuted.splitlines())


def test_an_entry_tells_everything():
    old = {"verdict": "inconclusive", "networks": {"MLP": 3}, "commit": "0ld1"}
    one = entry(former=[old], networks=20, amended="The bar was lower.", aliases=["once"])
    document = tree(evidence.details(one))
    for part in (
        "Sentence of a-claim", "Measure of a-claim.", "low > 0.5",
        "high < 0.5, or low > 7 and value == 8", "Control of a-claim.", "Required: high <= 0.1",
        "It came to 0 (exact). It holds.", "ours, by hand", "measured",
        "0.750, 95 % interval [0.625, 0.875], n = 12", "The number was made by commit abc1",
        "Formerly inconclusive with 3 of MLP.", "The bar was lower.", "20 networks",
    ):  # fmt: skip
        assert part in document.astext(), part
    assert "ledger-once" in [id for part in document.findall(nodes.Element) for id in part["ids"]]


def test_a_failed_control_and_a_surprise_are_said():
    failed = Entry(claim(), record(ESTIMATES["supported"], control=1.0))
    text = tree(evidence.details(failed)).astext()
    assert "It does not hold." in text
    assert text.count("supported, and it came out otherwise") == 2  # predicted, and pinned
    right = evidence.details(entry("a-claim", "refuted", predicted="refuted", pinned="refuted"))
    assert "otherwise" not in right


def test_a_check_says_that_it_is_one():
    text = evidence.details(entry(kind="check"))
    assert "{admonition} Check supported: " in text and "claim-check" in text


def test_a_claim_without_record_links_to_no_card():
    text = evidence.component([entry("never-run", "no record")], "success")
    assert "claim-never-run" not in text
    assert "falsestruct run 01_one" in tree(text).astext()


@pytest.mark.parametrize("name", COMPONENTS)
def test_an_empty_component_says_so(name):
    assert evidence.component([], name) == "No claim yet.\n"


def test_an_unknown_component_is_an_error():
    with pytest.raises(ValueError, match="'sucess'; expected one of foundation, success"):
        evidence.component([], "sucess")


def test_what_is_compared_does_not_change_with_commit_or_time():
    one, two = (
        [Entry(claim(), record(ESTIMATES["supported"], commit=c, seconds=s))]
        for c, s in (("abc", 1.0), ("def", 2.0))
    )
    assert evidence.summary(one) == evidence.summary(two)
    assert evidence.provenance(one) != evidence.provenance(two)


def test_provenance_has_a_row_for_each_origin():
    entries = [
        entry("a-claim"),
        entry("b-claim", "refuted"),
        Entry(claim("c-claim"), record(ESTIMATES["refuted"], commit="def")),
        entry("never-run", "no record"),
    ]
    text = evidence.provenance(entries)
    assert text.startswith("With python 3.0, torch 2.0:\n")
    _, *body = rows(tree(text))
    assert body == [[*("01_one", commit, "A machine"), "1", "1.5"] for commit in ("abc1", "def")]


# ---- predictions, many claims, history ----


def test_predictions_count_that_were_made_blindly_and_met_a_number():
    entries = [
        entry("a-claim", "refuted"),
        entry("b-claim"),
        entry("c-claim", "refuted", predicted="refuted"),
        entry("d-claim", "refuted", piloted=True),
        entry("e-claim", predicted="unknown"),
        entry("f-claim", "refuted", kind="check"),
        entry("g-claim", "no record"),
    ]
    text = evidence.predictions(entries)
    assert text.startswith("**2 of 3 predictions** (67 %) came true.")
    assert "1 claim whose prediction came after a first look, and 1 whose" in text
    _, *body = rows(tree(text, targets=LEDGER))
    assert [row[1:] for row in body] == [["supported", "supported", "refuted"]]
    assert "a-claim" in body[0][0]
    assert evidence.predictions([]).startswith("**0 of 0 predictions** came true")


@pytest.fixture
def measured():
    """One verdict that survives, two that don't, an exact one and one without any number."""
    sure = statistics.proportion([True] * 400)
    thread = statistics.proportion([True] * 62 + [False] * 38)
    return [
        Entry(claim("a-claim"), record(sure)),
        Entry(claim("b-claim"), record(thread)),
        Entry(claim("c-claim", predicted="refuted"), record(thread)),
        Entry(claim("d-claim", kind="proved"), record(statistics.exact(1))),
        entry("e-claim", "no record"),
    ]


def test_verdicts_that_hang_by_a_thread_are_named(measured):
    table = evidence.many(measured)
    assert table.loc["a-claim", "holm"] < 0.05 < table.loc["b-claim", "p"] * 3
    text = evidence.survivors(measured)
    assert "A p-value is known for 3 of 4 measured claims" in text
    assert "By Holm, 0 would" in text or "b-claim" in text
    known = evidence.adjusted(measured)
    assert set(known) == {"a-claim", "b-claim", "c-claim"}
    shown = evidence.component(measured, "success")
    assert shown.count("Among all\n: p ≤ ") == 3
    lost = evidence.details(measured[1], {"p": 0.02, "holm": 0.06, "bh": 0.04})
    assert "p ≤ 0.02, 0.06 by Holm, 0.04 by Benjamini–Hochberg, as supported" in lost
    assert "**supported does not survive Holm**" in lost


def test_rules_that_are_younger_than_their_number_are_named():
    ages = {"a-claim": True, "b-claim": False, "c-claim": None}
    entries = [
        Entry(claim(id), record(ESTIMATES["supported"], rule_since="aaaa", older=older))
        for id, older in ages.items()
    ]
    text = evidence.history(entries)
    assert "Of 3 claims with a record, the rule is older than the number in 1" in text
    assert "younger in 1. Of 1 the history can't tell" in text
    assert "#ledger-b-claim" in text and "#ledger-a-claim" not in text


def test_verdicts_that_moved_with_the_number_of_networks_stand_beside_those_of_today():
    old = {"verdict": "refuted", "networks": 5, "commit": "0ld1"}
    entries = [
        entry("a-claim", former=[old]),
        entry("b-claim"),
        entry("c-claim", "refuted", former=[old]),
    ]
    text = evidence.formerly(entries)
    assert text.startswith("It was changed for 2 claims, and the verdict with it for 1.")
    _, *body = rows(tree(text, targets=LEDGER))
    assert [row[1:] for row in body] == [["Formerly refuted with 5 networks.", "supported"]]
    assert "changed for 0 claims, and the verdict with it for 0" in evidence.formerly(entries[1:2])


def test_where_nobody_qualifies_the_reason_is_said():
    none = Nobody("no network is right on the data", 1)
    entries = [Entry(claim("a-claim"), record(none)), entry("b-claim")]
    _, *body = rows(tree(evidence.nobody(entries), targets=LEDGER))
    assert [row[1:] for row in body] == [["no network is right on the data", "1"]]
    assert "nobody qualifies: no network is right on the data" in evidence.details(entries[0])
    assert evidence.nobody(entries[1:]) == "In no claim was that so.\n"
    assert replace(entries[0], record=None).estimate is None
