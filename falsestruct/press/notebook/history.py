"""What git knows of the claims: since when a rule stands, what was predicted before the first run.

Rules are compared as parsed, so that layout, wording and the files that hold them don't count.
Commits are ordered by ancestry, never by date.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from falsestruct.press.notebook.stated import UNKNOWN, comparison, spread
from falsestruct.press.paths import Book, UserError

UNCOMMITTED = "uncommitted"
SHORT = 12  # digits of a commit, as records name theirs

_CLAIMS = ("book/claims.yml", "book/claims")  # before and after the ledger was split by chapter
_EVIDENCE = "book/evidence.json"


@dataclass(frozen=True)
class Stated:
    """What one version of the ledger says of a claim, as far as it decides anything.

    Attributes:
        rule: Supported, refuted and the control's rule, parsed, as canonical JSON.
        verdict: The verdict that the gate holds: `pinned`, once called `expected`.
        predicted: The verdict that was predicted, where the ledger states it; else empty.
        networks: Their number as JSON, one or one for each architecture; empty if not stated.
        aliases: Former ids.
    """

    rule: str
    verdict: str
    predicted: str = ""
    networks: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Claims by id, and why others could not be read (by id, or by the file's own fault)."""

    stated: Mapping[str, Stated]
    skipped: Mapping[str, str]


@dataclass(frozen=True)
class Recorded:
    """One record of a claim: its verdict, n, and the commit that it names ("+": and changes)."""

    verdict: str
    n: int
    commit: str


@dataclass(frozen=True)
class Prediction:
    """What a claim's first version expected.

    Attributes:
        verdict: "unknown" where git can't show that it was stated before the first record.
        commit: The first that states the claim; "unknown" if there is none.
        first_record_commit: The one that the first record names; "none" without a record.
        why: The reason, for a person.
    """

    verdict: str
    commit: str
    first_record_commit: str
    why: str


def rules(texts: Mapping[str, str]) -> dict[str, Stated]:
    """The claims of one version of the ledger, by id, whatever its form.

    Args:
        texts: The text of each file by its path; where two state an id, the last path counts.
    """
    return {id: stated for path in sorted(texts) for id, stated in read(texts[path]).stated.items()}


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    """The claims of one file, in any form that the ledger ever had; never raises."""
    try:
        loaded = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        return Reading({}, {"": "no YAML: " + " ".join(str(error).split())})
    if not isinstance(entries := loaded or [], list):
        return Reading({}, {"": f"expected a list of claims, found a {type(entries).__name__}"})
    stated: dict[str, Stated] = {}
    skipped: dict[str, str] = {}
    for position, entry in enumerate(entries):
        name = str(entry.get("id")) if isinstance(entry, dict) else f"entry {position}"
        try:
            stated.update({_id(claim): _stated(claim) for claim in spread(entry)})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped[name] = f"{type(error).__name__}: {error}"
    return Reading(stated, skipped)


def standing(book: Book) -> dict[str, str]:
    """For each claim of today the commit since which its rule stands, as `since` says."""
    now = rules(_today(book))
    try:
        committed, origins = _origins(book, _head(book))
    except _NoHistoryError:
        return dict.fromkeys(now, UNKNOWN)
    return {
        id: origins[id] if id in committed and committed[id].rule == stated.rule else UNCOMMITTED
        for id, stated in now.items()
    }


def since(book: Book, id: str) -> str:
    """The oldest commit from which on the claim's rule is today's, all along a way to HEAD.

    A rule that a merge brought stands since the commit on the merged branch; a rule that was
    changed and changed back, since it was changed back. A former id counts as the claim.

    Returns:
        Twelve digits of the commit; "uncommitted" if HEAD states another rule, or none;
        "unknown" without git or in a shallow clone.

    Raises:
        UserError: the ledger states no such claim, or its rule can't be read.
    """
    stands = standing(book)
    if id not in stands:
        why = _why(_today(book), id)
        raise UserError(f"no rule of claim {id!r} in the ledger ({why}): state it there")
    return stands[id]


def older(book: Book, a: str, b: str) -> bool | None:
    """Is commit a the commit b, or an ancestor of it?

    Args:
        book: Whose history is asked.
        a, b: Commits; a final "+", for uncommitted changes on top, is ignored.

    Returns:
        None if git can't tell: a commit is unknown, the clone shallow, or there is no git.
    """
    first, second = a.removesuffix("+"), b.removesuffix("+")
    if not all(re.fullmatch("[0-9a-f]{4,64}", commit) for commit in (first, second)):
        return None
    try:
        _head(book)  # a shallow clone would deny an ancestor that it cut off
        code = _run(book, "merge-base", "--is-ancestor", first, second).returncode
    except _NoHistoryError:
        return None
    return {0: True, 1: False}.get(code)


def recorded(book: Book) -> dict[str, tuple[Recorded, ...]]:
    """The records of each claim that git has seen, the first one first; empty without history.

    A record that was only made again at another commit is listed again, so that `commit` tells
    which one was the first.
    """
    try:
        return _recorded(book, _head(book))
    except _NoHistoryError:
        return {}


def first_predictions(book: Book) -> dict[str, Prediction]:
    """What was expected of each claim of today when it was first committed.

    It counts as a prediction if that commit is the one that the claim's first record names, or an
    ancestor of it. Former ids don't count: a prediction belongs to the id that it was made for.
    """
    records = recorded(book)
    try:
        first = _first_stated(book, _head(book))
    except _NoHistoryError:
        first = {}
    found = {}
    for id in rules(_today(book)):
        commit, verdict = first.get(id, (UNKNOWN, UNKNOWN))
        record = records[id][0].commit if id in records else "none"
        before = True if record == "none" else older(book, commit, record)
        if commit == UNKNOWN:
            verdict, why = UNKNOWN, "the history states no such claim"
        elif record == "none":
            why = "no record yet"
        elif before:
            why = "stated at or before the commit of the first record"
        else:
            known = "is no ancestor of" if before is False else "can't be compared with"
            verdict, why = UNKNOWN, f"the claim's first commit {known} the first record's"
        found[id] = Prediction(verdict, commit, record, why)
    return found


def _today(book: Book) -> dict[str, str]:
    """The ledger as it lies in the working tree."""
    files = [book.root / _CLAIMS[0], *(book.root / _CLAIMS[1]).glob("*.yml")]
    return {
        path.relative_to(book.root).as_posix(): path.read_text() for path in files if path.exists()
    }


def _why(texts: Mapping[str, str], id: str) -> str:
    """Why a claim has no rule."""
    for path, text in sorted(texts.items()):
        for name, reason in read(text).skipped.items():
            if name in ("", id) or id.startswith(f"{name}-"):
                return f"{path}: {reason}"
    return "there is no such id"


# Forms of the ledger


def _id(claim: Mapping[str, Any]) -> str:
    if not isinstance(claim["id"], str):
        raise ValueError(f"the id is {claim['id']!r}; expected words")
    return str(claim["id"])


def _comparison(text: Any) -> tuple[str, float]:
    sign, number = comparison(text)
    return sign, float(number) + 0.0  # -0 is 0


def _alternatives(rule: Any) -> list[dict[str, tuple[str, float]]]:
    """The sets of comparisons of which one must hold, in an order that doesn't depend on layout."""
    parts = rule if isinstance(rule, list) else [] if rule is None else [rule]
    parsed = [{end: _comparison(text) for end, text in part.items()} for part in parts]
    return sorted(parsed, key=lambda part: sorted(part.items()))


def _stated(claim: Mapping[str, Any]) -> Stated:
    control = claim.get("control")
    decides = {
        "supported": claim["supported"],
        "refuted": claim.get("refuted"),
        "control": control.get("rule") if isinstance(control, dict) else None,
    }
    parsed = {name: _alternatives(rule) for name, rule in decides.items()}
    networks = claim.get("networks")
    return Stated(
        rule=json.dumps(parsed, sort_keys=True),
        verdict=str(claim.get("pinned") or claim.get("expected") or UNKNOWN),
        predicted=str(claim.get("predicted") or ""),
        networks="" if networks is None else json.dumps(networks, sort_keys=True),
        aliases=tuple(claim.get("aliases") or ()),
    )


# Git


class _NoHistoryError(Exception):
    """There is no git, no commit, or only a part of the history."""


@dataclass(frozen=True)
class _History:
    """The commits that touch some files, and the merges between, newest first."""

    parents: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, Mapping[str, str]] = field(repr=False)  # by commit and path


def _run(book: Book, *words: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    command = ["git", "--no-optional-locks", "-C", str(book.root), *words]
    try:
        return subprocess.run(command, input=given.encode(), capture_output=True, check=False)
    except OSError:
        raise _NoHistoryError from None


def _git(book: Book, *words: str, given: str = "") -> bytes:
    done = _run(book, *words, given=given)
    if done.returncode:
        raise _NoHistoryError(done.stderr.decode(errors="replace"))
    return done.stdout


def _head(book: Book) -> str:
    """The present commit of a whole clone."""
    shallow, head = _git(book, "rev-parse", "--is-shallow-repository", "HEAD").decode().split()
    if shallow == "true":
        raise _NoHistoryError("a shallow clone")
    return head


def _history(book: Book, head: str, *paths: str) -> _History:
    """All versions of files, of `.yml` files where a path is a folder."""
    walk = ("rev-list", "--topo-order", "--full-history", "--parents", head, "--", *paths)
    lines = [line.split() for line in _git(book, *walk).decode().splitlines()]
    parents = {commit: tuple(dict.fromkeys(before)) for commit, *before in lines}
    names = [(commit, path) for commit in parents for path in paths]
    found = _ids(book, [f"{commit}:./{path}" for commit, path in names])
    objects = _contents(book, (id for id, kind in found if kind))
    files: dict[str, dict[str, str]] = {commit: {} for commit in parents}  # path → blob
    for (commit, path), (id, kind) in zip(names, found, strict=True):
        if kind == "blob":
            files[commit][path] = id
        elif kind == "tree":
            files[commit] |= {f"{path}/{name}": blob for name, blob in _listed(objects[id], id)}
    blobs = {id for version in files.values() for id in version.values()}
    texts = {
        id: data.decode(errors="replace")
        for id, data in (objects | _contents(book, blobs - set(objects))).items()
    }
    return _History(
        parents,
        {c: {path: texts[id] for path, id in version.items()} for c, version in files.items()},
    )


def _ids(book: Book, names: Iterable[str]) -> list[tuple[str, str]]:
    """Id and kind of each object, both empty where there is none."""
    out = _git(book, "cat-file", "--batch-check", given="".join(f"{name}\n" for name in names))
    parts = [line.split() for line in out.decode().splitlines()]
    return [("", "") if part[-1] == "missing" else (part[0], part[1]) for part in parts]


def _contents(book: Book, ids: Iterable[str]) -> dict[str, bytes]:
    """What objects hold, each read once."""
    wanted = sorted(set(ids))
    out = _git(book, "cat-file", "--batch", given="".join(f"{id}\n" for id in wanted))
    contents, start = {}, 0
    for id in wanted:
        end = out.index(b"\n", start)
        size = int(out[start:end].split()[2])
        contents[id] = out[end + 1 : end + 1 + size]
        start = end + size + 2
    return contents


def _listed(tree: bytes, id: str) -> Iterator[tuple[str, str]]:
    """Name and blob of each `.yml` file in a tree object: `mode name`, a zero, the raw id."""
    size = len(id) // 2
    while tree:
        head, _, rest = tree.partition(b"\0")
        name = head.split(b" ", 1)[1].decode(errors="replace")
        if name.endswith(".yml"):
            yield name, rest[:size].hex()
        tree = rest[size:]


@lru_cache(maxsize=2)
def _ledgers(book: Book, head: str) -> tuple[_History, dict[str, dict[str, Stated]]]:
    """The history of the claims, and what each of its commits states."""
    history = _history(book, head, *_CLAIMS)
    return history, {commit: rules(texts) for commit, texts in history.texts.items()}


@lru_cache(maxsize=2)
def _origins(book: Book, head: str) -> tuple[dict[str, Stated], dict[str, str]]:
    """What HEAD states, and for each claim the commit since which its rule stands."""
    history, stated = _ledgers(book, head)
    if not stated:
        return {}, {}
    tip = next(iter(stated))
    return stated[tip], {
        id: _origin((id, *claim.aliases), claim.rule, history.parents, stated)[:SHORT]
        for id, claim in stated[tip].items()
    }


def _origin(
    names: Iterable[str],
    rule: str,
    parents: Mapping[str, tuple[str, ...]],
    stated: Mapping[str, Mapping[str, Stated]],
) -> str:
    """The oldest commit from which a way leads to the newest through commits with this rule."""

    def has_it(commit: str) -> bool:
        claims = stated.get(commit, {})
        return any(name in claims and claims[name].rule == rule for name in names)

    reached, starts = {next(iter(parents))}, []
    for commit in parents:  # each comes after all its children
        if commit in reached:
            before = [parent for parent in parents[commit] if has_it(parent)]
            reached.update(before)
            starts += [] if before else [commit]
    return starts[-1]


@lru_cache(maxsize=2)
def _first_stated(book: Book, head: str) -> dict[str, tuple[str, str]]:
    """For each id that there ever was its first commit and the verdict predicted there."""
    first: dict[str, tuple[str, str]] = {}
    for commit, claims in reversed(_ledgers(book, head)[1].items()):
        for id, claim in claims.items():
            first.setdefault(id, (commit[:SHORT], claim.predicted or claim.verdict))
    return first


@lru_cache(maxsize=2)
def _recorded(book: Book, head: str) -> dict[str, tuple[Recorded, ...]]:
    found: dict[str, dict[Recorded, None]] = {}
    for texts in reversed(list(_history(book, head, _EVIDENCE).texts.values())):
        for id, entry in _claims_of(texts.get(_EVIDENCE, "{}")).items():
            record = Recorded(entry["verdict"], entry["n"], entry.get("commit", UNKNOWN))
            found.setdefault(id, {})[record] = None
    return {id: tuple(records) for id, records in found.items()}


@lru_cache(maxsize=1024)
def _claims_of(text: str) -> dict[str, dict[str, Any]]:
    """The records of one version of the evidence; none if it is no JSON, by a bad merge, say."""
    try:
        claims: dict[str, dict[str, Any]] = json.loads(text).get("claims", {})
    except ValueError:
        return {}
    return claims
