"""Claims as files state them: errors in one line, short forms, verdicts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from falsestruct.press.notebook import stated as rules
from falsestruct.press.notebook.stated import Former, judge, read_claims, satisfies
from falsestruct.press.paths import Book, UserError
from falsestruct.statistics import Estimate, Nobody, exact

ROOT = Path(__file__).parents[3]
GOOD = exact(0)  # a control that comes out the other way
REQUIRED = ("component", "control", "kind", "measure", "pinned", "predicted", "problem", "refuted",
            "sentence", "source", "supported")  # fmt: skip


def between(low, high):
    return Estimate((low + high) / 2, low, high, 5, "by hand")


# ---- errors name the file, the claim and the field ----


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": 1}, "a-claim: more: Extra inputs are not permitted"),
        ({"expected": "supported"}, "a-claim: expected: Extra inputs"),
        ({"chapter": "01_one"}, "a-claim: chapter: the file's name says it"),
        ({"id": "Not OK"}, "Not OK: id: 'Not OK': write lower-case words and hyphens"),
        ({"id": "../x"}, "lower-case words and hyphens"),
        ({"aliases": ["a b"]}, "a-claim: aliases: 'a b': write lower-case words and hyphens"),
        ({"component": "luck"}, "component: Input should be 'foundation', 'success'"),
        ({"kind": "guessed"}, "kind: Input should be 'proved', 'measured' or 'check', not 'guess"),
        ({"pinned": "true"}, "pinned: Input should be 'supported'"),
        ({"predicted": "true"}, "predicted: Input should be"),
        ({"networks": 2.5}, "networks"),
        ({"networks": -1}, "networks"),
        ({"former": [{"verdict": "supported", "networks": 8}]}, "former.commit: Field required"),
        ({"about": "structure"}, "about: structure; an instability is about one of structure"),
        ({"component": "instability"}, "about: None; an instability is about one of structure"),
        ({"sentence": "  "}, "sentence: String should have at least 1 character"),
        ({"supported": {}}, "supported: {} is no rule like"),
        ({"supported": []}, "supported: [] is no rule like"),
        ({"supported": "low > 1"}, "is no rule like"),
        ({"supported": {"low": 0.5}}, "supported: 0.5 is no comparison with a number"),
        ({"supported": {"low": "> ._"}}, "no comparison"),
        ({"supported": {"median": "> 0.5"}}, "'median' is not value, low or high"),
        ({"refuted": {"low": "about 0.5"}}, "refuted: 'about 0.5' is no comparison"),
        ({"control": "none"}, "control: Input should be"),
        ({"control": {"sentence": "x"}}, "control.rule: Field required"),
        ({"control": {"sentence": "x", "rule": {"low": "x"}}}, "control.rule: 'x' is no compari"),
        ({"threshold": "> 0.5"}, "threshold: it stands beside refuted, supported; one will do"),
        ({"supported": None, "refuted": None, "threshold": "== 1"}, "threshold: '== 1'; expected"),
        ({"supported": None, "refuted": None, "threshold": 1}, "1 is no comparison"),
        ({"architectures": "MLP"}, "a-claim: architectures: 'MLP'; expected a list of names"),
        ({"problems": [1]}, "a-claim: problems: [1]; expected a list of names"),
        *[({field: None}, field) for field in REQUIRED],
    ],
)  # fmt: skip
def test_a_bad_entry_is_one_line(stated, entry, changes, message):
    with pytest.raises(UserError) as caught:
        stated(entry(**changes))
    text = str(caught.value)
    assert text.startswith("book/claims/01_one.yml, ") and message in text and "\n" not in text


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n", "- [\n", "- id: x\n  id\n", "- {id: [1]}\n"])
def test_a_file_that_cannot_be_read_is_one_line(stated, text):
    with pytest.raises(UserError, match=r"^book/claims/01_one\.yml.*$") as caught:
        stated(text=text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({}, "book/claims/01_one.yml: 'a-claim' is stated twice"),
        ({"id": "other", "aliases": ["a-claim"]}, "'a-claim' is an id, or an alias, of two claims"),
        ({"id": "a", "architectures": ["Claim", "claim"]}, "'a-claim' is stated twice"),
    ],
)
def test_an_id_is_one_claims(stated, entry, second, message):
    with pytest.raises(UserError, match=message):
        stated(entry(), entry(**second))


def test_two_files_with_one_id_are_both_named(stated, entry, tmp_path):
    stated(entry())
    (tmp_path / "book/claims/02_two.yml").write_text(
        (tmp_path / "book/claims/01_one.yml").read_text()
    )
    with pytest.raises(UserError, match=r"01_one.yml and .*/02_two.yml: 'a-claim'"):
        read_claims(Book(tmp_path))


def test_no_claims_are_no_error(stated, tmp_path):
    assert read_claims(Book(tmp_path)) == stated(text="# nothing yet\n") == {}


def test_a_claim_says_all_that_was_stated(stated, entry):
    former = {"verdict": "refuted", "networks": 8, "commit": "0123abc"}
    more = {"networks": {"MLP": 20}, "former": [former], "aliases": ["old"], "piloted": True,
            "amended": "It\nwas."}  # fmt: skip
    found = stated(entry(component="instability", about="networks", predicted="unknown", **more))
    one = found["a-claim"]
    assert (one.chapter, one.sentence, one.amended) == ("01_one", "It holds.", "It was.")
    assert (one.networks, one.aliases, one.piloted) == ({"MLP": 20}, ("old",), True)
    assert one.former == (Former(**former),) and (one.about, one.predicted) == (
        "networks",
        "unknown",
    )
    with pytest.raises(ValidationError, match="frozen"):
        one.pinned = "refuted"


def test_nobody_asks_what_was_predicted_of_a_check(claim):
    assert claim(kind="check", predicted=None).predicted == "unknown"


def test_a_measured_claim_counts_its_networks(claim):
    assert claim(networks=0).networks == 0
    assert claim(kind="proved", networks=None).networks is None
    with pytest.raises(ValidationError, match="networks: a measured claim says how many"):
        claim(networks=None)


def test_claims_are_parsed_again_only_when_a_file_has_changed(stated, entry, monkeypatch):
    before = stated(entry())
    changed = stated(entry(sentence="It says another thing."))
    assert before != changed == stated(entry(sentence="It says another thing."))
    monkeypatch.setattr(rules.yaml, "load", lambda *_: pytest.fail("parsed again"))
    changed.clear()  # nobody else's claims are lost
    assert stated(entry(sentence="It says another thing."))["a-claim"].sentence.startswith(
        "It says"
    )


# ---- short forms ----


@pytest.mark.parametrize(
    ("threshold", "supported", "refuted"),
    [
        ("> 0.5", {"low": "> 0.5"}, {"high": "< 0.5"}),
        (">= .5", {"low": ">= .5"}, {"high": "< .5"}),
        ("<1e-1", {"high": "< 1e-1"}, {"low": "> 1e-1"}),
        ("<= -2", {"high": "<= -2"}, {"low": "> -2"}),
    ],
)
def test_a_threshold_is_the_two_rules_that_it_stands_for(claim, stated, entry, threshold, supported,
                                                         refuted):  # fmt: skip
    found = stated(entry(supported=None, refuted=None, threshold=threshold))["a-claim"]
    assert found == claim(supported=supported, refuted=refuted)


def test_an_entry_can_be_a_claim_for_each_architecture(stated, entry):
    found = stated(entry(
        sentence="It holds for {architecture}.", networks={"MLP": 20, "paper's CNN": 10},
        control={"sentence": "Not {architecture}.", "rule": {"high": "<= 0.1"}}, aliases=["old"],
        architectures={"MLP": "refuted", "paper's CNN": {"id": "own", "threshold": "> 0.7",
                                                        "control": {"rule": {"low": "> 1"}}}},
    ))  # fmt: skip
    assert list(found) == ["a-claim-mlp", "own"]
    first, last = found.values()
    assert (first.pinned, last.pinned) == ("refuted", "supported")
    assert (first.networks, last.networks) == (20, 10)
    assert (first.aliases, last.aliases) == (("old-mlp",), ("old-paper-cnn",))
    assert last.architecture == "paper's CNN" and last.sentence == "It holds for paper's CNN."
    assert last.control.sentence == "Not paper's CNN." and last.control.rule == ({"low": "> 1"},)
    assert last.supported == ({"low": "> 0.7"},) and first.supported == ({"low": "> 0.5"},)
    assert stated(entry())["a-claim"].architecture == ""


def test_an_entry_can_be_a_claim_for_each_problem_and_architecture(stated, entry):
    found = stated(entry(
        id="holds-{problem}", problem=None, sentence="On {problem}, {architecture}.",
        problems={"stripes": None, "two words": {"pinned": "inconclusive"}},
        architectures=["MLP", "CNN"], predicted={"MLP": "refuted", "CNN": "supported"},
    ))  # fmt: skip
    assert list(found) == ["holds-stripes-mlp", "holds-stripes-cnn", "holds-two-words-mlp",
                           "holds-two-words-cnn"]  # fmt: skip
    last = found["holds-two-words-cnn"]
    assert last.sentence == "On two words, CNN." and last.problem == "two words"
    assert [one.predicted for one in found.values()] == ["refuted", "supported"] * 2
    assert [one.pinned for one in found.values()] == ["supported"] * 2 + ["inconclusive"] * 2


def test_the_only_claim_of_an_entry_has_its_former_ids_as_they_are(stated, entry):
    [one] = stated(entry(architectures=["MLP"], aliases=["old"])).values()
    assert one.aliases == ("old", "old-mlp")


def test_the_ids_of_this_book_stay():
    """All that there were when the ledger was split, some of them as aliases."""
    claims = read_claims(Book(ROOT)).values()
    known = {id for claim in claims for id in (claim.id, *claim.aliases)}
    ids = (ROOT / "tests/frozen/ids.txt").read_text().split()
    assert len(ids) == 241 and set(ids) <= known


# ---- verdicts ----


@pytest.mark.parametrize(
    ("found", "control", "verdict"),
    [
        (between(0.6, 0.9), GOOD, "supported"),
        (between(0.1, 0.4), GOOD, "refuted"),
        (between(0.4, 0.6), GOOD, "inconclusive"),
        (between(0.5, 0.6), GOOD, "inconclusive"),  # the rule says more than 0.5
        (between(0.6, 0.9), exact(0.2), "inconclusive"),
        (between(0.1, 0.4), exact(0.2), "inconclusive"),
        (Nobody("none fits"), GOOD, "inconclusive"),
        (between(0.6, 0.9), Nobody("none fits", 1), "inconclusive"),
    ],
)
def test_verdicts(claim, found, control, verdict):
    assert judge(claim(), found, control) == verdict
    assert judge(claim(kind="check"), found, control) == verdict


def test_alternatives(claim):
    either = claim(supported=[{"low": "> 0.5"}, {"high": "< -0.5"}], refuted={"value": "== 0"})
    assert [judge(either, exact(x), GOOD) for x in (-1, 1, 0)] == [
        "supported",
        "supported",
        "refuted",
    ]
    both = claim(supported={"low": "> 0.5", "high": "< 0.8"})
    assert judge(both, between(0.6, 0.9), GOOD) == "inconclusive"


def test_rules_that_exclude_nothing_are_an_error(claim):
    with pytest.raises(UserError, match=r"'a-claim': 0.7 \[0.7, 0.7\] supports and refutes"):
        judge(claim(refuted={"low": "> 0.1"}), exact(0.7), GOOD)


@pytest.mark.parametrize("field", ["sentence", "source", "measure", "problem", "control"])
def test_a_claim_that_is_not_filled_in_decides_nothing(claim, field):
    words = (
        {"sentence": "FILL IN: what?", "rule": {"high": "< 0"}} if field == "control" else "FILL IN"
    )
    with pytest.raises(UserError, match="says FILL IN: state it in book/claims/01_one"):
        judge(claim(**{field: words}), exact(1), GOOD)


numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(numbers, numbers)
def test_a_comparison_means_what_it_says(claim, value, bound):
    signs = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}
    for sign, holds in (signs | {"==": value == bound}).items():
        rule = claim(supported={"value": f"{sign} {bound:.3f}"}).supported
        assert satisfies(exact(value), rule) is holds
