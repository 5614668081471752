"""What git knows of the claims, in tiny repositories."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook import history
from falsestruct.press.notebook.history import Prediction, Recorded
from falsestruct.press.paths import Book, UserError

OLD = "book/claims.yml"


def claim(id="one", above="0.5", expected="supported", sentence="It holds.", **more):
    """A claim in the ledger's first form."""
    entry = {
        "id": id,
        "sentence": sentence,
        "supported": {"low": f"> {above}"},
        "refuted": {"high": f"< {above}"},
        "control": {"sentence": "Not so.", "rule": {"high": "< 0.1"}},
        "expected": expected,
    }
    return {key: value for key, value in (entry | more).items() if value is not None}


def text(*claims):
    return json.dumps(list(claims))  # JSON is YAML, too


def rule(entry):
    """The parsed rule of an entry that is one claim."""
    (stated,) = history.rules({OLD: text(entry)}).values()
    return stated.rule


class Repository:
    """A book under git; `commit` writes files (None removes one) and returns twelve digits."""

    def __init__(self, root):
        self.book, self.root = Book(root), root
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, files):
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if content is None else path.write_text(content)

    def commit(self, files):
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.head

    def state(self, *claims):
        return self.commit({OLD: text(*claims)})

    def record(self, id, verdict, commit, n=3):
        entry = {"verdict": verdict, "n": n, "commit": commit}
        stored = self.root / "book/evidence.json"
        claims = json.loads(stored.read_text())["claims"] if stored.exists() else {}
        return self.commit({"book/evidence.json": json.dumps({"claims": claims | {id: entry}})})

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")[:12]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Repository(tmp_path / "book")
    made.commit({"README": "No claims yet."})
    return made


# One version of the ledger


@pytest.mark.parametrize(
    ("threshold", "supported", "refuted"),
    [
        ("> 0.5", {"low": "> 0.5"}, {"high": "< 0.5"}),
        (">= .5", {"low": ">= 0.5"}, {"high": "< 0.50"}),
        ("<1e-1", {"high": "< 0.1"}, {"low": "> 0.1"}),
        ("<= -2", {"high": "<= -2.0"}, {"low": "> -2"}),
    ],
)
def test_a_threshold_is_the_two_rules_that_it_stands_for(threshold, supported, refuted):
    short = claim(supported=None, refuted=None, threshold=threshold)
    assert rule(short) == rule(claim(supported=supported, refuted=refuted))
    assert rule(short) != rule(claim(above="0.7"))


@given(st.floats(-1e6, 1e6), st.sampled_from(["{!r}", "{:.17g}", "{:+.20f}"]), st.integers(0, 2))
def test_the_spelling_of_a_number_does_not_count(number, spelling, spaces):
    written = f">{' ' * spaces}" + spelling.format(number)
    exact = float(spelling.format(number))
    assert rule(claim(supported={"low": written})) == rule(claim(supported={"low": f"> {exact!r}"}))


def test_the_order_of_alternatives_and_ends_does_not_count():
    several = [{"low": "> 1", "value": "< 9"}, {"high": "< -1"}]
    turned = [{"high": "< -1"}, {"value": "< 9", "low": "> 1"}]
    assert rule(claim(refuted=several)) == rule(claim(refuted=turned))
    assert rule(claim(refuted=several)) != rule(claim(refuted=several[:1]))


def test_words_do_not_count_but_the_controls_rule_does():
    control = {"sentence": "Other words.", "rule": {"high": "< .10"}}
    assert rule(claim()) == rule(claim(sentence="Other.", control=control, pinned="refuted"))
    assert rule(claim()) != rule(claim(control=control | {"rule": {"high": "< 0.2"}}))


def test_an_entry_for_architectures_is_one_claim_each():
    listed = text(claim(architectures=["paper's CNN", "MLP"], networks={"MLP": 20}))
    stated = history.rules({OLD: listed})
    assert list(stated) == ["one-paper-cnn", "one-mlp"]
    assert stated["one-mlp"].networks == "20" and stated["one-mlp"].verdict == "supported"
    mapped = claim(architectures={"MLP": "refuted", "deep MLP": "supported"}, expected=None)
    verdicts = {id: found.verdict for id, found in history.rules({OLD: text(mapped)}).items()}
    assert verdicts == {"one-mlp": "refuted", "one-deep-mlp": "supported"}


def test_an_entry_for_problems_is_one_claim_each_with_what_differs():
    entry = claim(
        id="holds-{problem}-well",
        expected=None,
        pinned="supported",
        predicted="refuted",
        architectures=["MLP"],
        networks=10,
        problems={
            "stripes": None,
            "two words": {
                "threshold": "< 3",
                "pinned": "inconclusive",
                "control": {"sentence": "Else."},
            },
        },
    )
    stated = history.rules({"book/claims/03_one.yml": text(entry)})
    plain, other = stated["holds-stripes-well-mlp"], stated["holds-two-words-well-mlp"]
    assert plain.rule == rule(claim())
    assert other.rule == rule(claim(supported={"high": "< 3"}, refuted={"low": "> 3"}))
    assert (plain.verdict, other.verdict) == ("supported", "inconclusive")
    assert plain.predicted == other.predicted == "refuted" and plain.networks == "10"


def test_what_cannot_be_read_is_skipped_with_a_reason():
    found = history.read(text(claim("good"), claim("bad", above="FILL IN"), "words"))
    assert list(found.stated) == ["good"] and list(found.skipped) == ["bad", "entry 2"]
    assert "'> FILL IN' is no comparison" in found.skipped["bad"]
    assert "no YAML" in history.read("- {id: one\n<<<<<<< HEAD").skipped[""]
    assert "list of claims" in history.read("id: one").skipped[""]
    assert history.read("# nothing yet\n") == history.Reading({}, {})


def test_every_version_of_this_books_ledger_is_read():
    book = Book(Path(__file__).parents[3])
    shown = history.standing(book)
    if history.UNKNOWN in shown.values():
        pytest.skip("no whole clone: there is no history to read")
    versions, stated = history._ledgers(book, history._head(book))
    texts = {each for version in versions.texts.values() for each in version.values()}
    assert [history.read(each).skipped for each in texts if history.read(each).skipped] == []
    assert shown and stated


# Since when a rule stands


def test_a_rule_stands_since_the_commit_that_brought_it(repository):
    first = repository.state(claim())
    second = repository.state(claim(), claim("two"))
    repository.commit({"README": "More."})
    assert history.standing(repository.book) == {"one": first, "two": second}
    assert history.since(repository.book, "two") == second


def test_a_rule_changed_back_stands_since_it_was_changed_back(repository):
    repository.state(claim())
    repository.state(claim(above="0.7"))
    back = repository.state(claim())
    assert history.since(repository.book, "one") == back


def test_a_claim_that_was_away_stands_since_its_return(repository):
    repository.state(claim())
    repository.state(claim("two"))
    back = repository.state(claim(), claim("two"))
    assert history.since(repository.book, "one") == back


def test_layout_words_and_verdicts_leave_a_rule_alone(repository):
    first = repository.state(claim())
    repository.commit(
        {
            OLD: "- id: one\n  expected: refuted\n  sentence: Other.\n  threshold: '>.50'\n"
            "  control: {rule: {high: '<0.10'}}\n"
        }
    )
    assert history.since(repository.book, "one") == first


def test_a_rule_is_followed_through_split_and_renaming(repository):
    first = repository.state(claim(), claim("two"))
    short = claim("two", supported=None, refuted=None, threshold="> 0.5")
    split = {"book/claims/20_one.yml": text(claim()), "book/claims/21_two.yml": text(short)}
    repository.commit({OLD: None} | split)
    repository.commit(
        {"book/claims/20_one.yml": None, "book/claims/30_renumbered.yml": text(claim())}
    )
    changed = repository.commit({"book/claims/21_two.yml": text(claim("two", above="0.9"))})
    assert history.standing(repository.book) == {"one": first, "two": changed}


def test_a_former_id_counts_as_the_claim(repository):
    first = repository.state(claim())
    repository.state(claim("new", aliases=["one"]))
    assert history.since(repository.book, "new") == first
    other = repository.state(claim("new", above="0.9", aliases=["one"]), claim())
    assert history.since(repository.book, "new") == other


@pytest.mark.parametrize("former", ["old-two-words-paper-cnn", "sole"])
def test_former_ids_of_a_fan_out_are_those_of_its_claims(repository, former):
    first = repository.state(claim(former))
    entry = claim(
        "new-{problem}",
        aliases=["old-{problem}", "sole"],
        problems=["two words"],
        architectures=["paper's CNN"],
    )
    repository.state(entry)
    assert history.standing(repository.book) == {"new-two-words-paper-cnn": first}
    repository.state(claim(former, above="0.9"))
    back = repository.state(entry)
    assert history.standing(repository.book) == {"new-two-words-paper-cnn": back}


def test_a_rule_kept_on_one_side_of_a_merge_stands_since_before(repository):
    first = repository.state(claim())
    repository.git("switch", "-q", "-c", "side")
    repository.state(claim(above="0.7"))
    repository.state(claim(sentence="Back again."))
    repository.git("switch", "-q", "main")
    repository.commit({"README": "More."})
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert history.since(repository.book, "one") == first


@pytest.mark.parametrize("kept", ["ours", "theirs"])
def test_a_merged_rule_stands_since_its_commit_on_the_branch(repository, kept):
    first = repository.state(claim())
    repository.git("switch", "-q", "-c", "side")
    there = repository.state(claim(above="0.7"))
    repository.state(claim(above="0.7", sentence="Other words."))
    repository.git("switch", "-q", "main")
    repository.commit({"README": "More."})
    repository.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "merge", "side")
    if kept == "theirs":
        repository.write({OLD: text(claim(above="0.7"))})
        repository.git("commit", "-q", "-a", "--amend", "-m", "merge")
    repository.commit({"README": "Even more."})
    assert history.since(repository.book, "one") == {"ours": first, "theirs": there}[kept]


def test_a_rule_made_by_a_merge_stands_since_the_merge(repository):
    repository.state(claim())
    repository.git("switch", "-q", "-c", "side")
    repository.state(claim(above="0.7"))
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "merge", "side")
    repository.write({OLD: text(claim(above="0.6"))})
    repository.git("commit", "-q", "-a", "--amend", "-m", "merge")
    assert history.since(repository.book, "one") == repository.head


def test_a_rule_that_head_does_not_state_is_uncommitted(repository):
    first = repository.state(claim(), claim("two"))
    changed = [claim(sentence="Other words."), claim("two", above="0.7"), claim("three")]
    repository.write({OLD: text(*changed)})
    assert history.standing(repository.book) == {
        "one": first,
        "two": "uncommitted",
        "three": "uncommitted",
    }


def test_a_shallow_clone_knows_nothing(repository, tmp_path):
    repository.state(claim())
    commit = repository.state(claim(sentence="Other words."))
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", tmp_path / "shallow")
    book = Book(tmp_path / "shallow")
    assert history.standing(book) == {"one": "unknown"}
    assert history.older(book, commit, commit) is None
    assert history.recorded(book) == {}
    assert history.first_predictions(book)["one"].verdict == "unknown"


@pytest.mark.parametrize("program", ["git", ""])
def test_without_history_nothing_is_known(tmp_path, monkeypatch, program):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if not program:
        monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "book").mkdir()
    (tmp_path / OLD).write_text(text(claim()))
    book = Book(tmp_path)
    assert history.since(book, "one") == "unknown"
    assert history.older(book, "abcdef1", "abcdef2") is None
    assert history.first_predictions(book)["one"].commit == "unknown"


def test_a_claim_without_a_rule_is_an_error_that_says_why(repository):
    repository.state(claim("bad", above="FILL IN"))
    with pytest.raises(UserError, match=r"'nobody'.*no such id"):
        history.since(repository.book, "nobody")
    with pytest.raises(UserError, match=r"claims.yml: .*'> FILL IN' is no comparison"):
        history.since(repository.book, "bad")


# Commits, records, predictions


def test_older_follows_ancestry(repository):
    first = repository.state(claim())
    repository.git("switch", "-q", "-c", "side")
    there = repository.state(claim(above="0.7"))
    repository.git("switch", "-q", "main")
    second = repository.state(claim(above="0.9"))
    book = repository.book
    assert history.older(book, first, second) is True
    assert history.older(book, first, first + "+") is True
    assert history.older(book, second, first) is False
    assert history.older(book, there, second) is False
    for nothing in ("unknown", "uncommitted", "", "0123456789ab"):
        assert history.older(book, first, nothing) is None
        assert history.older(book, nothing, first) is None


def test_records_are_listed_from_the_first(repository):
    stated = repository.state(claim())
    repository.record("one", "supported", stated)
    repository.commit({"book/evidence.json": "<<<<<<< HEAD"})
    (repository.root / "book/evidence.json").unlink()
    repository.record("one", "inconclusive", stated + "+", n=5)
    assert history.recorded(repository.book) == {
        "one": (Recorded("supported", 3, stated), Recorded("inconclusive", 5, stated + "+"))
    }


def test_records_of_a_merged_branch_are_kept(repository):
    stated = repository.state(claim())
    repository.git("switch", "-q", "-c", "side")
    repository.record("one", "supported", stated)
    repository.record("one", "refuted", stated)
    repository.git("switch", "-q", "main")
    repository.record("one", "refuted", stated)
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    (records,) = history.recorded(repository.book).values()
    assert {record.verdict for record in records} == {"supported", "refuted"}


def test_the_first_verdict_is_the_prediction_if_it_came_before_the_record(repository):
    early = repository.state(claim(expected="refuted"))
    repository.record("one", "supported", early + "+")
    late = repository.state(claim(), claim("late"), claim("open", pinned="inconclusive"))
    repository.record("late", "supported", early + "+")
    repository.write({OLD: text(claim(), claim("late"), claim("open"), claim("fresh"))})
    found = history.first_predictions(repository.book)
    assert found["one"].verdict == "refuted"
    assert (found["one"].commit, found["one"].first_record_commit) == (early, early + "+")
    assert found["late"].verdict == "unknown" and found["late"].commit == late
    assert "no ancestor" in found["late"].why
    assert found["open"] == Prediction("inconclusive", late, "none", "no record yet")
    assert found["fresh"].verdict == found["fresh"].commit == "unknown"


def test_a_later_record_or_a_stated_prediction_changes_nothing(repository):
    first = repository.state(claim(expected=None, pinned="supported", predicted="refuted"))
    repository.record("one", "supported", "unknown")
    repository.record("one", "supported", first)
    found = history.first_predictions(repository.book)["one"]
    assert found.verdict == "unknown" and "can't be compared" in found.why
    other = repository.state(claim("two", predicted="refuted"))
    repository.record("two", "supported", other)
    repository.state(claim("two", predicted="supported"))
    assert history.first_predictions(repository.book)["two"].verdict == "refuted"


def test_claims_of_architectures_have_their_predictions(repository):
    each = {"linear": "refuted", "MLP": "supported"}
    stated = repository.state(claim(architectures=each, expected=None))
    repository.record("one-linear", "supported", stated)
    now = repository.state(claim(architectures=["linear", "MLP", "CNN"]))
    found = history.first_predictions(repository.book)
    assert {id: (p.verdict, p.commit) for id, p in found.items()} == {
        "one-linear": ("refuted", stated),
        "one-mlp": ("supported", stated),
        "one-cnn": ("supported", now),
    }
