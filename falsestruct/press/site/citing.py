"""BibTeX for the book, a chapter, a figure, a claim. Each entry names version, commit and chapter.

Entries are `@misc`, which every style knows, and plain ASCII, which every TeX can read. A key never
changes: `falsestruct`, `falsestruct:NN-slug`, `falsestruct:FIGURE`, `falsestruct:claim:CLAIM`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from pylatexenc.latexencode import (
    RULE_DICT,
    RULE_REGEX,
    UnicodeToLatexConversionRule,
    UnicodeToLatexEncoder,
)

from falsestruct.press.deposit import swhid
from falsestruct.press.notebook import claims, environment, figures
from falsestruct.press.notebook.claims import Claim
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Book, Output, UserError

# Formulas with pairs of braces, one within the other at most; other dollars are dollars.
_FORMULA = re.compile(r"\$((?!\s)(?:[^${}]|{(?:[^${}]|{[^${}]*})*})+(?<!\s))\$")
# BibTeX counts braces, whatever stands before them.
_OWN = {"{": r"\textbraceleft{}", "}": r"\textbraceright{}", "`": r"\textasciigrave{}"} | {
    sign: f"\\{sign}" for sign in "&%#_$"
}


def cite(book: Book, id: str | None = None, *, output: Output | None = None) -> str:
    """A BibTeX entry.

    Args:
        id: Of a chapter, NN_slug, of a figure or of a claim; the book itself if None.
        output: Where figures and records are; the book's own results if None.

    Raises:
        UserError: nothing has this id (the text names the nearest), or there is no CITATION.cff.
    """
    output = output or book.published
    if id is None:
        return book_entry(book)
    if id in titles(book):
        return chapter_entry(book, id, output=output)
    published = {record.id: record for record in figures.all_figures(output)}
    if id in published:
        return figure_entry(book, published[id], output=output)
    stated = claims.read_claims(book)
    id = {alias: claim.id for claim in stated.values() for alias in claim.aliases}.get(id, id)
    if id in stated:
        return claim_entry(book, stated[id], claims.read_evidence(output.evidence).get(id))
    known = [*titles(book), *published, *stated]
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else (
        "see `falsestruct list`, `falsestruct figures`, `falsestruct claims`"
    )  # fmt: skip
    raise UserError(f"no chapter, figure or claim {id!r}; {hint}")


def book_entry(book: Book) -> str:
    """The book as a whole, at the commit of this clone."""
    source = citation(book)
    return _entry(book, "falsestruct", f"{{{tex(source['title'])}}}", source["version"], {})


def chapter_entry(book: Book, name: str, *, output: Output | None = None) -> str:
    """A chapter, at the commit that its results were computed at."""
    output, source = output or book.published, citation(book)
    title = f"{{{tex(source['title'])}}}, chapter {_numbered(book, name)}"
    evidence = claims.read_evidence(output.evidence).values()
    commits = [entry["commit"] for entry in evidence if entry["chapter"] == name]
    records = figures.all_figures(output)
    commits += [r.about["commit"] for r in records if r.chapter == name and "commit" in r.about]
    about = {"chapter": name, "commit": commits[0] if commits else None}
    return _entry(book, key(name), title, source["version"], about)


def figure_entry(book: Book, record: Published, *, output: Output | None = None) -> str:
    """A figure, at the version and commit that drew it; `swhid` names the bytes of its SVG file."""
    source, about = citation(book), record.about
    title = f"{{{tex(source['title'])}}}: figure {record.id}"
    commit = record.drawn.get("commit") or about.get("commit")
    picture = (output or book.published).figures / f"{record.id}.svg"
    exact = swhid.of(picture) if picture.exists() else ""
    facts = {"chapter": record.chapter, "commit": commit, "swhid": exact}
    version = about.get("version", source["version"])
    return _entry(book, key(record.id), title, version, facts)


def claim_entry(book: Book, claim: Claim, record: Mapping[str, Any] | None) -> str:
    """A claim with its verdict and value, as `record` has them; "not decided" if it is None."""
    source = citation(book)
    title = f"{{{tex(source['title'])}}}: claim {claim.id}"
    found = "not decided by any run yet"
    if record is not None:
        found = f"{claims.verdict(claim, record)}, {claims.text(claims.estimate(record))}"
    facts = {
        "chapter": claim.chapter,
        "commit": record["commit"] if record else None,
        "found": f"{claim.sentence} Verdict and value: {found}",
    }
    return _entry(book, key(f"claim:{claim.id}"), title, source["version"], facts)


def key(name: str) -> str:
    """The key of an entry: no `_`, which is fatal in a key where LaTeX's `underscore` is loaded."""
    return f"falsestruct:{name.replace('_', '-')}"


def titles(book: Book) -> dict[str, str]:
    """The title of each chapter by its name, NN_slug."""
    found = {}
    for path in sorted(book.source.glob("[0-9][0-9]_*.md")):
        text = path.read_text()
        text = text.partition("\n---\n")[2] if text.startswith("---\n") else text
        heading = re.search(r"^# +(.+?) *$", text, re.M)
        found[path.stem] = heading[1] if heading else path.stem
    return found


def _numbered(book: Book, name: str) -> str:
    """A chapter as it is spoken of: 03, Stripes: which structure …"""
    return f"{name[:2]}, {{{tex(titles(book).get(name, name))}}}"


def _entry(
    book: Book, key: str, title: str, version: object, facts: Mapping[str, str | None]
) -> str:
    """Fields that every style prints (title, note) have all that is needed to find it again."""
    source = citation(book)
    commit = facts.get("commit") or environment.commit(book.root)
    parts = [f"Version {version}", f"commit {commit}"]
    if chapter := facts.get("chapter"):
        parts.append(f"chapter {chapter}")
    if exact := facts.get("swhid"):
        parts.append(f"SVG file {exact}")
    note = ", ".join(parts) + (f". {facts['found']}" if facts.get("found") else "")
    fields = {
        "author": " and ".join(map(_author, source["authors"])),
        "title": title,
        "year": str(source.get("date-released", ""))[:4],
        "howpublished": "Executable book",
        "version": tex(str(version)),
        "url": source.get("repository-code") or source.get("url") or "",
        "swhid": exact or "",
        "note": tex(note),
    }
    lines = [f"  {name:<12} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@misc{{{key},\n{''.join(lines)}}}\n"


def citation(book: Book) -> dict[str, Any]:
    """What CITATION.cff says.

    Raises:
        UserError: it is missing, no YAML, or lacks title, version or authors.
    """
    path = book.root / "CITATION.cff"
    if not path.exists():
        raise UserError(f"{path} is missing: it has the book's title and authors")
    return dict(_cited(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=4)
def _cited(text: str) -> dict[str, Any]:
    """The content of CITATION.cff, read once for the hundreds of entries that need it."""
    try:
        source = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError("CITATION.cff: " + " ".join(str(error).split())) from None
    missing = {"title", "version", "authors"} - set(source if isinstance(source, dict) else ())
    if missing:
        raise UserError(f"CITATION.cff lacks {', '.join(sorted(missing))}")
    return dict(source)


def _author(author: Mapping[str, str]) -> str:
    if "name" in author:  # of a group; the braces keep BibTeX from taking it apart
        return f"{{{tex(author['name'])}}}"
    names = [author.get("name-particle", ""), author["family-names"]]
    family = " ".join(filter(None, names))
    parts = [family, author.get("name-suffix", ""), author.get("given-names", "")]
    return tex(", ".join(filter(None, parts)))


def tex(text: str) -> str:
    """Plain text, with formulas between dollar signs, as ASCII that LaTeX sets the same way.

    Raises:
        UserError: a character that there is no command for.
    """
    return str(_ENCODER.unicode_to_latex(re.sub(r'"([^"]*)"', "“\\1”", text)))


def _formula(found: re.Match[str]) -> str:
    """A formula stays one; what isn't ASCII in it is a command."""
    inside = re.sub(r"(?<!\\)[%#&]", r"\\\g<0>", found[1])
    return f"${re.sub(r'[^ -~]+', lambda signs: tex(signs[0]), inside)}$"


def _shifted(found: re.Match[str]) -> str:
    """Signs above or below the line share one brace."""
    mark = "^" if unicodedata.decomposition(found[0][0]).startswith("<super>") else "_"
    plain = unicodedata.normalize("NFKC", found[0]).replace("\N{MINUS SIGN}", "-")
    return rf"\ensuremath{{{mark}{{{plain}}}}}"


def _unknown(sign: str) -> str:
    raise UserError(f"no TeX for {sign!r} (U+{ord(sign):04X}): write it as a formula, $...$")


_RULES = (
    (RULE_REGEX, [(_FORMULA, _formula), (re.compile("[⁰¹²³⁴-⁹⁺⁻⁽⁾ⁿᵈᵏ]+|[₀-₉]+"), _shifted)]),
    (RULE_DICT, {ord(sign): command for sign, command in _OWN.items()}),
)
_ENCODER = UnicodeToLatexEncoder(
    conversion_rules=[
        *(UnicodeToLatexConversionRule(*r, replacement_latex_protection="none") for r in _RULES),
        "defaults",
    ],
    replacement_latex_protection="braces-all",  # as BibTeX wants it in names: M{\"u}ller
    unknown_char_policy=_unknown,
    unknown_char_warning=False,
)
