"""Records of claims, and whether they agree with what is stated."""

import json

import pytest

from falsestruct.press.notebook import claims, display, history, staging
from falsestruct.press.paths import UserError
from falsestruct.statistics import Estimate, Nobody, exact, proportion

HALF = proportion([True, False] * 10)
MANY = proportion([True] * 20)
FILE = "book/claims/01_one.yml"
KEYS = {"01_one": "now"}


@pytest.fixture
def shown(monkeypatch):
    """What cells show: data by MIME type."""
    found = []
    monkeypatch.setattr(display, "_publish", lambda data, _: found.append(data))
    return found


def staged(desk, id="one-holds"):
    return json.loads((desk.root / "_build/staged/claims" / f"{id}.json").read_text())


# ---- what a cell stores ----


def test_a_record_holds_numbers_and_what_they_were_made_with(run_of_one, shown):
    claims.record("one-holds", MANY, control=Nobody("none fits", 1))
    entry = staged(run_of_one)
    assert not {"verdict", "rule", "kind"} & set(entry)
    assert claims.estimate(entry) == MANY
    assert claims.estimate(entry["control"]) == Nobody("none fits", 1)
    assert (entry["id"], entry["chapter"], entry["key"]) == ("one-holds", "01_one", "a key")
    assert entry["parameters"] == {"seeds": 3} and entry["commit"] == "unknown"
    assert {"python", "numpy", "torch", "machine", "threads"} <= set(entry["environment"])


def test_a_run_stores_numbers_that_can_be_compared_and_ids(run_of_one, shown):
    claims.record("one-holds", exact(3), control=exact(0))
    [data] = shown
    line = "one-holds: 3 (exact), n = 1; control 0 (exact), n = 1"
    assert data == {"text/plain": line, claims.MIME: {"ids": ["one-holds"]}}


def test_by_hand_a_cell_shows_its_card_and_may_run_twice(run_of_one, shown, monkeypatch):
    monkeypatch.delenv(staging.VARIABLE)
    monkeypatch.delenv("PYTEST_VERSION")
    for value in (3, 2):
        claims.record("one-holds", exact(value), control=exact(0))
    assert [data["text/html"].partition("</b>")[0] for data in shown] == [
        "<div><b>Supported", "<div><b>Refuted",
    ]  # fmt: skip
    assert not run_of_one.file("book/evidence.json").exists()


def test_a_table_records_many_claims(run_of_one, shown):
    run_of_one.edit(FILE, "  problem: none\n", "  problem: none\n  architectures: [MLP, CNN]\n")
    pairs = {"one-holds-mlp": (exact(4), exact(0)), "one-holds-cnn": (exact(1), exact(0))}
    claims.record_table(pairs)
    [data] = shown
    assert data[claims.MIME] == {"ids": list(pairs)} and data["text/plain"].count("\n") == 1
    assert staged(run_of_one, "one-holds-cnn")["value"] == 1
    with pytest.raises(UserError, match="'one-holds-mlp' is recorded twice in 01_one"):
        claims.record_table(pairs)
    with pytest.raises(ValueError, match="expected at least one id"):
        claims.record_table({})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: one-holds", "id: another", "no claim 'one-holds' in book/claims: state it before"),
        ("sentence: It holds.", "sentence: FILL IN", "'one-holds' still says FILL IN"),
        (
            'threshold: ">= 3"',
            'supported: {low: "> 1"}\n  refuted: {low: "> 2"}',
            "supports and re",
        ),
    ],
)
def test_what_cannot_be_recorded(run_of_one, shown, old, new, message):
    run_of_one.edit(FILE, old, new)
    with pytest.raises(UserError, match=message):
        claims.record("one-holds", exact(3), control=exact(0))
    assert shown == []


def test_a_record_belongs_to_its_chapter(run_of_one):
    run_of_one.file(FILE).rename(run_of_one.file("book/claims/02_two.yml"))
    with pytest.raises(UserError, match="belongs to 02_two, not to 01_one"):
        claims.record("one-holds", exact(1), control=exact(0))


# ---- evidence ----


def test_merging_replaces_one_chapters_records(tmp_path):
    path = tmp_path / "evidence.json"
    assert claims.read_evidence(path) == {}
    claims.merge_evidence(path, "01_one", [{"id": "a", "chapter": "01_one"}])
    claims.merge_evidence(path, "02_two", [{"id": "b", "chapter": "02_two"}])
    claims.merge_evidence(path, "01_one", [{"id": "c", "chapter": "01_one"}])
    assert list(claims.read_evidence(path)) == ["b", "c"]


def test_records_are_judged_by_the_rules_of_today(desk, recorded, monkeypatch):
    path, asked = desk.book.published.evidence, []

    def standing(book):
        asked.append(book)
        return {"one-holds": "0123456789ab"}

    monkeypatch.setattr(claims.history, "standing", standing)
    monkeypatch.setattr(claims.history, "older", lambda book, a, b: (a, b) == ("0123456789ab", "c"))
    unstated = recorded(exact(1), id="unstated")
    found = [recorded(exact(3), id="one-holds", commit="c"), unstated]
    claims.merge_evidence(path, "01_one", found)
    assert claims.judge_again(desk.book, path) == {"one-holds": "supported"}
    entry = claims.read_evidence(path)["one-holds"]
    assert (entry["verdict"], entry["rule_since"], entry["older"]) == (
        "supported",
        "0123456789ab",
        True,
    )
    assert entry["rule"]["supported"] == [{"low": ">= 3"}]
    assert claims.read_evidence(path)["unstated"] == unstated
    before = path.stat().st_mtime_ns
    claims.judge_again(desk.book, path)
    assert path.stat().st_mtime_ns == before and len(asked) == 1  # nothing changed, nobody asked
    desk.edit(FILE, "pinned: supported", "pinned: refuted")
    claims.judge_again(desk.book, path)
    assert len(asked) == 1
    desk.edit(FILE, ">= 3", "> 5")
    assert claims.judge_again(desk.book, path) == {"one-holds": "refuted"}
    assert claims.read_evidence(path)["one-holds"]["rule"]["supported"] == [{"low": "> 5"}]
    assert len(asked) == 2


def test_a_rule_that_was_not_committed_is_asked_for_again(desk, recorded, monkeypatch):
    path = desk.book.published.evidence
    claims.merge_evidence(path, "01_one", [recorded(exact(3), id="one-holds")])
    for since in (history.UNCOMMITTED, "0123456789ab"):
        monkeypatch.setattr(claims.history, "standing", lambda _, since=since: {"one-holds": since})
        claims.judge_again(desk.book, path)
        assert claims.read_evidence(path)["one-holds"]["rule_since"] == since


# ---- is the ledger in order? ----


@pytest.mark.parametrize(
    ("changes", "found", "keys", "what"),
    [
        ({}, None, KEYS, "has no record: run `falsestruct run 01_one`"),
        ({}, {"key": "then"}, KEYS, "has a record older than its chapter: run `falsestruct run 01"),
        ({}, {"key": ""}, {"01_one": "now", "": ""}, "older than its chapter"),
        ({}, {}, {}, "belongs to 01_one, which is not in the book"),
        ({"pinned": "refuted"}, {}, KEYS, "came out supported, pinned is refuted"),
        ({"kind": "check", "pinned": "refuted"}, {}, KEYS, "came out supported, pinned is refuted"),
        ({"threshold": "> 2", "supported": None, "refuted": None}, {}, KEYS, "came out refuted"),
        ({"control": {"sentence": "No.", "rule": {"low": "> 1"}}}, {}, KEYS, "out inconclusive"),
        (
            {"networks": 10},
            {},
            KEYS,
            "states 10 networks, but no parameter of its run does (they h",
        ),
        ({"networks": {"MLP": 20, "CNN": 10}}, {}, KEYS, "states 10 networks, but no parameter"),
        ({}, {"ends": []}, KEYS, "has one interval only, so no p"),
    ],
)
def test_what_is_wrong_between_claims_and_records(claim, recorded, changes, found, keys, what):
    evidence = {} if found is None else {"a-claim": recorded(MANY, **found)}
    [problem] = claims.check({"a-claim": claim(**changes)}, evidence, keys)
    assert problem.id == "a-claim" and what in problem.what


def test_a_record_that_nobody_states(recorded):
    [problem] = claims.check({}, {"a-claim": recorded(MANY)}, KEYS)
    assert problem == claims.Problem("a-claim", "has a record but is not in book/claims")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {}),
        ({"predicted": "refuted"}, {}),  # only what is pinned has to come out
        ({"networks": {"MLP": 20, "CNN": 4}}, {"parameters": {"seeds": [20, {"slow": 4}]}}),
        ({"networks": 0}, {}),
        ({"kind": "proved"}, {"ends": []}),
    ],
)
def test_nothing_wrong(claim, recorded, changes, found):
    assert (
        claims.check({"a-claim": claim(**changes)}, {"a-claim": recorded(MANY, **found)}, KEYS)
        == []
    )


def test_nobody_is_inconclusive_and_in_order(claim, recorded):
    evidence = {"a-claim": recorded(Nobody("none fits"))}
    stated = {"a-claim": claim(pinned="inconclusive")}
    assert claims.check(stated, evidence, KEYS) == []
    [row] = claims.ledger_rows(stated, evidence)
    assert (row["verdict"], row["value"], row["n"]) == ("inconclusive", None, 0)


def test_rows_of_the_ledger(claim, recorded):
    stated = {"a-claim": claim(predicted="refuted")}
    found = recorded(Estimate(0.7, 0.6, 0.8, 20, "by hand"))
    row = {"id": "a-claim", "chapter": "01_one", "predicted": "refuted", "pinned": "supported"}
    assert claims.ledger_rows(stated, {"a-claim": found}) == [
        row | {"verdict": "supported", "value": 0.7, "low": 0.6, "high": 0.8, "n": 20}
    ]
    [without] = claims.ledger_rows(stated, {})
    assert without["verdict"] is None and without["n"] is None
