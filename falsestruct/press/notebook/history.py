"""Since when a claim's rule stands, as git knows it.

Rules are compared as parsed, so that layout, wording and the files that hold them don't count.
Commits are ordered by ancestry, never by date.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import yaml

from falsestruct.press.notebook import environment
from falsestruct.press.notebook.stated import UNKNOWN, comparison, read_claims, spread
from falsestruct.press.paths import Book

UNCOMMITTED = "uncommitted"
SHORT = 12  # digits of a commit, as records name theirs
RULE = "rule"  # among the fields of a claim in `versions`: its parsed rule as canonical JSON

_LEDGER = ("book/claims.yml", "book/claims")  # before and after it was split by chapter

Fields = Mapping[str, Any]


class NoHistoryError(Exception):
    """There is no git, no commit, or only a part of the history."""


def standing(book: Book) -> dict[str, str]:
    """For each claim the oldest commit from which on its rule is today's, all along a way to HEAD.

    A rule that a merge brought stands since the commit on the merged branch; a rule that was
    changed and changed back, since it was changed back. A former id counts as the claim.

    Returns:
        Twelve digits of the commit; "uncommitted" if HEAD states another rule, or none;
        "unknown" without git or in a shallow clone.
    """
    claims = read_claims(book)
    try:
        parents, stated = versions(book, head(book))
    except NoHistoryError:
        return dict.fromkeys(claims, UNKNOWN)
    now = next(iter(stated.values()), {})
    found = dict.fromkeys(claims, UNCOMMITTED)
    for id, claim in claims.items():
        rule = canonical(claim.rule)
        if id in now and now[id][RULE] == rule:
            found[id] = _origin((id, *claim.aliases), rule, parents, stated)[:SHORT]
    return found


@lru_cache(maxsize=1024)
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
        head(book)  # a shallow clone would deny an ancestor that it cut off
        code = _run(book, "merge-base", "--is-ancestor", first, second).returncode
    except NoHistoryError:
        return None
    return {0: True, 1: False}.get(code)


@lru_cache(maxsize=2)
def versions(
    book: Book, head: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, dict[str, Fields]]]:
    """The history of the ledger, whatever its form.

    Returns:
        The parents of each commit that touches it, and of the merges between, newest first; and for
        each of these commits the fields of each claim, with `RULE`.

    Raises:
        NoHistoryError: git has none.
    """
    walk = ("rev-list", "--topo-order", "--full-history", "--parents", head, "--", *_LEDGER)
    lines = [line.split() for line in _git(book, *walk).splitlines()]
    parents = {commit: tuple(dict.fromkeys(before)) for commit, *before in lines}
    return parents, {commit: _stated(book, commit) for commit in parents}


def stated_at(book: Book, commit: str) -> dict[str, tuple[str, str]]:
    """The chapter and the rule, as `canonical` spells it, of each claim that a commit states.

    Args:
        commit: At least twelve of its digits; a name, which may lead elsewhere tomorrow, is none.

    Raises:
        NoHistoryError: this clone has no such commit, or no git.
    """
    _check(book, commit)
    found: dict[str, tuple[str, str]] = {}
    for blob, path in _files(book, commit):
        chapter = PurePosixPath(path).stem
        claims = _read(_text(book, blob))
        found |= {id: (chapter, fields[RULE]) for id, fields in claims.items()}
    return found


def date_of(book: Book, commit: str) -> datetime:
    """When a commit was made to which a branch, a tag or HEAD leads.

    Args:
        commit: As for `stated_at`.

    Raises:
        NoHistoryError: this clone has no such commit, nothing leads to it, or there is no git.
    """
    _check(book, commit)
    # A removed branch leaves its commits for a while, but nobody else can fetch them.
    if _run(book, "merge-base", "--is-ancestor", commit, "HEAD").returncode and not _git(
        book, "for-each-ref", "--count=1", "--contains", commit
    ):
        raise NoHistoryError(f"nothing leads to {commit}")
    return datetime.fromtimestamp(int(_git(book, "log", "-1", "--format=%ct", commit)), UTC)


def _check(book: Book, commit: str) -> None:
    """Is this a commit's own name?

    Raises:
        NoHistoryError: it is none, or this clone has no such commit.
    """
    # Checked first, so that git can't take it for an option.
    if not re.fullmatch("[0-9a-f]{12,40}", commit):
        raise NoHistoryError(f"{commit} is no commit")
    # A branch may have such a name, too.
    if not _git(book, "rev-parse", "--verify", f"{commit}^{{commit}}").startswith(commit):
        raise NoHistoryError(f"{commit} is no commit")


def contents(book: Book, path: str) -> Iterator[tuple[str, str, str]]:
    """The versions of a file along first parents, the oldest first.

    Yields:
        Twelve digits of the commit that made this version, on the merged branch if a merge brought
        it; its date; and the file's text, empty where the commit removed it.

    Raises:
        NoHistoryError: there is no git, no commit, or only a part of the history.
    """
    walk = ("rev-list", "--first-parent", "--reverse", head(book), "--", path)
    for commit in _git(book, *walk).split():
        # Without --first-parent git goes on to the parent that has the same version.
        made = _git(book, "log", "-1", "--format=%H %cs", commit, "--", path).split()
        gone = not _git(book, "ls-tree", commit, "--", path)
        yield made[0][:SHORT], made[1], "" if gone else _git(book, "show", f"{commit}:{path}")


def canonical(rule: Mapping[str, Any]) -> str:
    """Supported, refuted and the control's rule as text; order and spelling don't count in it."""
    return json.dumps({name: _alternatives(rule[name]) for name in rule}, sort_keys=True)


def _stated(book: Book, commit: str) -> dict[str, Fields]:
    """What one commit's ledger says, by id; where two files state an id, the last one counts."""
    claims: dict[str, Fields] = {}
    for blob, _ in _files(book, commit):
        claims |= _read(_text(book, blob))
    return claims


def _files(book: Book, commit: str) -> Iterator[tuple[str, str]]:
    """Blob and path of each of the ledger's files."""
    for line in _git(book, "ls-tree", "-r", commit, "--", *_LEDGER).splitlines():
        about, _, path = line.partition("\t")
        if path.endswith(".yml"):
            yield about.split()[2], path


@lru_cache(maxsize=4096)
def _text(book: Book, blob: str) -> str:
    return _git(book, "cat-file", "blob", blob)


@lru_cache(maxsize=4096)
def _read(text: str) -> dict[str, Fields]:
    """The claims of one file. An entry without a rule (FILL IN, a conflict) states none yet."""
    claims: dict[str, Fields] = {}
    try:
        entries = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or []
    except (yaml.YAMLError, ValueError):
        return claims
    for entry in entries:
        try:
            claims |= {
                str(fields["id"]): fields | {RULE: _rule(fields)} for fields in spread(entry)
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return claims


def _rule(fields: Fields) -> str:
    control = {"control": fields["control"]["rule"]}
    return canonical({name: fields[name] for name in ("supported", "refuted")} | control)


def _alternatives(rule: Any) -> list[dict[str, tuple[str, float]]]:
    """The sets of comparisons of which one must hold, in an order that doesn't depend on layout."""
    parts = rule if isinstance(rule, list) else [rule]
    parsed = [{end: _comparison(text) for end, text in part.items()} for part in parts]
    return sorted(parsed, key=lambda part: sorted(part.items()))


def _comparison(text: Any) -> tuple[str, float]:
    sign, number = comparison(text)
    return sign, float(number) + 0.0  # -0 is 0


def _origin(
    names: Iterable[str],
    rule: str,
    parents: Mapping[str, tuple[str, ...]],
    stated: Mapping[str, Mapping[str, Fields]],
) -> str:
    """The oldest commit from which a way leads to the newest through commits with this rule."""

    def has_it(commit: str) -> bool:
        claims = stated.get(commit, {})
        return any(name in claims and claims[name][RULE] == rule for name in names)

    reached, starts = {next(iter(parents))}, []
    for commit in parents:  # each comes after all its children
        if commit in reached:
            before = [parent for parent in parents[commit] if has_it(parent)]
            reached.update(before)
            starts += [] if before else [commit]
    return starts[-1]


def head(book: Book) -> str:
    """The present commit of a whole clone.

    Raises:
        NoHistoryError: there is no git, no commit, or only a part of the history.
    """
    if why := environment.why_unknown(book.root):
        raise NoHistoryError(why)
    shallow, commit = _git(book, "rev-parse", "--is-shallow-repository", "HEAD").split()
    if shallow == "true":
        raise NoHistoryError("a shallow clone")
    return commit


def _git(book: Book, *words: str) -> str:
    done = _run(book, *words)
    if done.returncode:
        raise NoHistoryError(done.stderr)
    return done.stdout


def _run(book: Book, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return environment.git(book.root, *words)
    except OSError:
        raise NoHistoryError("no git") from None
