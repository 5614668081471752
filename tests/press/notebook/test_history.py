"""Since when a rule stands, in tiny repositories; and what this book's own history must show."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook import claims, history
from falsestruct.press.notebook.stated import UNKNOWN, read_claims
from falsestruct.press.paths import Book
from falsestruct.statistics import exact

OLD, NEW = "book/claims.yml", "book/claims/01_one.yml"
TEXTS = dict.fromkeys(("problem", "sentence", "source", "measure"), "Words.")


def claim(id="one", above="0.5", **changes):
    """A claim as today's ledger states it; None leaves a field out."""
    entry = {
        "id": id, "component": "success", "kind": "measured", **TEXTS,
        "supported": {"low": f"> {above}"}, "refuted": {"high": f"< {above}"},
        "control": {"sentence": "Not so.", "rule": {"high": "< 0.1"}},
        "networks": 0, "predicted": "supported", "pinned": "supported",
    }  # fmt: skip
    return {key: value for key, value in (entry | changes).items() if value is not None}


def text(*claims):
    return json.dumps(list(claims))  # JSON is YAML, too


def rule(**changes):
    """The parsed rule of a claim."""
    [stated] = history._read(text(claim(**changes))).values()
    return stated[history.RULE]


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
        return self.commit({NEW: text(*claims)})

    def branch(self, *above):
        """A branch with one commit a rule; its last commit. `main` goes on meanwhile."""
        self.git("switch", "-q", "-c", "side")
        there = [self.state(claim(above=each)) for each in above]
        self.git("switch", "-q", "main")
        self.commit({"README": "More."})
        return there

    def merge(self, **changes):
        """Merge that branch; the rule that the merge ends with is the claim's."""
        self.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "merge", "side")
        self.write({NEW: text(claim(**changes))})
        self.git("commit", "-q", "-a", "--amend", "-m", "merge")

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")[:12]

    @property
    def since(self):
        return history.standing(self.book)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Repository(tmp_path / "book")
    made.commit({"README": "No claims yet."})
    return made


# ---- rules as parsed ----


@given(st.floats(-1e6, 1e6), st.sampled_from(["{!r}", "{:.17g}", "{:+.20f}"]), st.integers(0, 2))
def test_the_spelling_of_a_number_does_not_count(number, spelling, spaces):
    written = f">{' ' * spaces}" + spelling.format(number)
    exact = float(spelling.format(number))
    assert rule(supported={"low": written}) == rule(supported={"low": f"> {exact!r}"})


def test_what_counts_in_a_rule():
    several = [{"low": "> 1", "value": "< 9"}, {"high": "< -1"}]
    turned = [{"high": "< -1"}, {"value": "< 9", "low": "> 1"}]
    assert rule(refuted=several) == rule(refuted=turned) != rule(refuted=several[:1])
    assert rule() == rule(supported=None, refuted=None, threshold="> .50") != rule(above="0.7")
    control = {"sentence": "Other words.", "rule": {"high": "< .10"}}
    assert rule() == rule(sentence="Other.", control=control, pinned="refuted")
    assert rule() != rule(control=control | {"rule": {"high": "< 0.2"}})


# ---- since when ----


def test_a_rule_stands_since_the_commit_that_brought_it(repository):
    first = repository.state(claim())
    second = repository.state(claim(), claim("two"))
    repository.commit({"README": "More."})
    repository.commit({NEW: text(claim(sentence="Other.", pinned="refuted"), claim("two"))})
    assert repository.since == {"one": first, "two": second}


@pytest.mark.parametrize("away", [claim(above="0.7"), claim("two"), claim(above="FILL IN")])
def test_a_rule_that_was_away_stands_since_its_return(repository, away):
    repository.state(claim())
    repository.state(away)
    back = repository.state(claim(), claim("three"))
    assert repository.since == {"one": back, "three": back}


def test_what_cannot_be_read_hides_nothing_else(repository):
    first = repository.state(claim())
    repository.commit({"book/claims/02_two.yml": "<<<<<<< HEAD\n- {"})
    repository.state("words", claim("two", above="FILL IN"), claim())
    repository.commit({"book/claims/02_two.yml": None, NEW: text(claim())})
    assert repository.since == {"one": first}


def test_a_rule_is_followed_through_split_and_renaming(repository):
    old = {"chapter": "01_one", "expected": "supported", "pinned": None, "predicted": None}
    first = repository.commit({OLD: text(claim(**old), claim("two", **old))})
    short = claim("two", supported=None, refuted=None, threshold="> 0.5")
    repository.commit({OLD: None, NEW: text(claim()), "book/claims/02_two.yml": text(short)})
    repository.commit({NEW: None, "book/claims/30_renumbered.yml": text(claim())})
    changed = repository.commit({"book/claims/02_two.yml": text(claim("two", above="0.9"))})
    assert repository.since == {"one": first, "two": changed}


@pytest.mark.parametrize("former", ["old-two-words-paper-cnn", "sole"])
def test_a_former_id_counts_as_the_claim(repository, former):
    first = repository.state(claim(former))
    entry = claim(
        "new-{problem}", aliases=["old-{problem}", "sole"], problem=None, problems=["two words"],
        architectures=["paper's CNN"],
    )  # fmt: skip
    repository.state(entry)
    assert repository.since == {"new-two-words-paper-cnn": first}
    repository.state(claim(former, above="0.9"))
    back = repository.state(entry)
    assert repository.since == {"new-two-words-paper-cnn": back}


def test_a_rule_kept_on_one_side_of_a_merge_stands_since_before(repository):
    first = repository.state(claim())
    repository.branch("0.7", "0.5")
    repository.state(claim(sentence="Other words."))
    repository.merge()  # the words are the branch's again
    assert repository.since == {"one": first}


@pytest.mark.parametrize("kept", ["ours", "theirs", "neither"])
def test_a_merged_rule_stands_since_its_commit_on_the_branch(repository, kept):
    first = repository.state(claim())
    there, _ = repository.branch("0.7", "0.70")
    repository.merge(above={"ours": "0.5", "theirs": "0.7", "neither": "0.6"}[kept])
    merge = repository.head
    repository.commit({"README": "Even more."})
    since = {"ours": first, "theirs": there, "neither": merge}[kept]
    assert repository.since == {"one": since}


def test_a_rule_that_head_does_not_state_is_uncommitted(repository):
    first = repository.state(claim(), claim("two"))
    repository.write({NEW: text(claim(sentence="Other."), claim("two", "0.7"), claim("three"))})
    assert repository.since == {"one": first, "two": "uncommitted", "three": "uncommitted"}


def test_a_shallow_clone_knows_nothing(repository, tmp_path):
    repository.state(claim())
    commit = repository.state(claim(sentence="Other words."))
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", tmp_path / "shallow")
    book = Book(tmp_path / "shallow")
    assert history.standing(book) == {"one": "unknown"}
    assert history.older(book, commit, commit) is None


@pytest.mark.parametrize("program", ["git", ""])
def test_without_history_nothing_is_known(tmp_path, monkeypatch, program):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if not program:
        monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "book/claims").mkdir(parents=True)
    (tmp_path / NEW).write_text(text(claim()))
    book = Book(tmp_path)
    assert history.standing(book) == {"one": "unknown"}
    assert history.older(book, "abcdef1", "abcdef2") is None


def test_older_follows_ancestry(repository):
    first = repository.state(claim())
    [there] = repository.branch("0.7")
    second = repository.state(claim(above="0.9"))
    book = repository.book
    assert history.older(book, first, second) is True
    assert history.older(book, first, first + "+") is True
    assert history.older(book, second, first) is False
    assert history.older(book, there, second) is False
    for nothing in ("unknown", "uncommitted", "", "0123456789ab"):
        assert history.older(book, first, nothing) is None
        assert history.older(book, nothing, first) is None


def test_a_judged_record_says_since_when_its_rule_stands(repository, recorded):
    first = repository.state(claim())
    records = {"one": recorded(exact(1), commit=f"{first}+")}

    def judged():
        records["one"] = entry = claims.judged(repository.book, records)["one"]
        return entry["verdict"], entry["rule_since"], entry["older"]

    assert judged() == ("supported", first, True)
    changed = repository.state(claim(above="2"))
    assert judged() == ("refuted", changed, False)
    repository.write({NEW: text(claim(above="0"))})
    assert judged() == ("supported", "uncommitted", None)
    committed = repository.state(claim(above="0"))
    assert judged() == ("supported", committed, False)


# ---- this book ----


@pytest.fixture(scope="module")
def ours():
    """The claims of this book by every id that they had, and all versions of each, oldest first."""
    book = Book(Path(__file__).parents[3])
    try:
        _, stated = history.versions(book, history.head(book))
    except history.NoHistoryError:
        pytest.skip("no whole clone: there is no history to read")
    known = {i: claim for claim in read_claims(book).values() for i in (claim.id, *claim.aliases)}
    past = {id: [v[id] for v in reversed(stated.values()) if id in v] for id in known}
    return {id: (claim, past[id]) for id, claim in known.items()}


def test_a_prediction_never_changes(ours):
    """It is the first verdict that was stated; "unknown" where that came too late to be one."""
    for id, (claim, past) in ours.items():
        made = [v.get("predicted") or v.get("expected") or v.get("pinned") for v in past]
        wanted = {made[0], UNKNOWN} if made else {claim.predicted}
        assert claim.kind == "check" or id != claim.id or claim.predicted in wanted, id


def test_no_verdict_under_another_number_of_networks_is_dropped(ours):
    for id, (claim, past) in ours.items():
        counts = [v["networks"] for v in past if v.get("networks") is not None]
        shown = [claim.networks, *(former.networks for former in claim.former)]
        assert id != claim.id or claim.amended or all(count in shown for count in counts), id
