"""BibTeX for the book, a chapter, a figure, a claim. Each entry names version, commit and chapter.

Entries are `@misc`, which every style knows, and plain ASCII, which every TeX can read. A key never
changes: `falsestruct`, `falsestruct:NN_slug`, `falsestruct:FIGURE`, `falsestruct:claim:CLAIM`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import yaml

from falsestruct.press.notebook import claims, environment, figures
from falsestruct.press.notebook.claims import Claim
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Book, Output, UserError

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}", "·": r"$\cdot$",
    "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$", "`": r"\textasciigrave{}",
    **{sign: f"\\{sign}" for sign in "&%#_$"},
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$",
    "ℓ": r"$\ell$", "∞": r"$\infty$", "→": r"$\to$", "½": r"$\frac{1}{2}$", "√": r"$\surd$",
    "–": "--", "—": "---", "“": "``", "”": "''", "‘": "`", "’": "'", "…": r"\dots{}",
    "\u00a0": "~", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "å": r"\aa{}", "Å": r"\AA{}", "ı": r"\i{}",
}  # fmt: skip
_GREEK = {
    **dict(zip("αβγδζηθικλμνξπρστυφχψω", (
        "alpha", "beta", "gamma", "delta", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
        "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "varphi", "chi", "psi", "omega",
    ), strict=True)),
    "ε": "varepsilon", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Π": "Pi",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
    "\u0328": "k",
}  # fmt: skip


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
        return figure_entry(book, published[id])
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
    source = _source(book)
    return _entry(book, "falsestruct", f"{{{tex(source['title'])}}}", source["version"], {})


def chapter_entry(book: Book, name: str, *, output: Output | None = None) -> str:
    """A chapter, at the commit that its results were computed at."""
    output, source = output or book.published, _source(book)
    title = f"{{{tex(source['title'])}}}, chapter {_numbered(book, name)}"
    evidence = claims.read_evidence(output.evidence).values()
    commits = [entry["commit"] for entry in evidence if entry["chapter"] == name]
    records = figures.all_figures(output)
    commits += [r.about["commit"] for r in records if r.chapter == name and "commit" in r.about]
    about = {"chapter": name, "commit": commits[0] if commits else None}
    return _entry(book, f"falsestruct:{name}", title, source["version"], about)


def figure_entry(book: Book, record: Published) -> str:
    """A figure, at the version and commit that drew it."""
    source, about = _source(book), record.about
    title = f"{{{tex(source['title'])}}}: figure {record.id}"
    commit = record.drawn.get("commit") or about.get("commit")
    facts = {"chapter": record.chapter, "commit": commit}
    version = about.get("version", source["version"])
    return _entry(book, f"falsestruct:{record.id}", title, version, facts)


def claim_entry(book: Book, claim: Claim, record: Mapping[str, Any] | None) -> str:
    """A claim with its verdict and value, as `record` has them; "not decided" if it is None."""
    source = _source(book)
    title = f"{{{tex(source['title'])}}}: claim {claim.id}"
    found = "not decided by any run yet"
    if record is not None:
        found = f"{claims.verdict(claim, record)}, {claims.text(claims.estimate(record))}"
    facts = {
        "chapter": claim.chapter,
        "commit": record["commit"] if record else None,
        "found": f"{claim.sentence} Verdict and value: {found}",
    }
    return _entry(book, f"falsestruct:claim:{claim.id}", title, source["version"], facts)


def titles(book: Book) -> dict[str, str]:
    """The title of each chapter by its name, NN_slug."""
    found = {}
    for path in sorted(book.source.glob("[0-9][0-9]_*.md")):
        text = path.read_text().partition("\n---\n")[2]  # after the header
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
    source = _source(book)
    commit = facts.get("commit") or environment.commit(book.root)
    parts = [f"Version {version}", f"commit {commit}"]
    if chapter := facts.get("chapter"):
        parts.append(f"chapter {chapter}")
    note = ", ".join(parts) + (f". {facts['found']}" if facts.get("found") else "")
    fields = {
        "author": " and ".join(map(_author, source["authors"])),
        "title": title,
        "year": str(source.get("date-released", ""))[:4],
        "howpublished": "Executable book",
        "version": tex(str(version)),
        "url": source.get("repository-code") or source.get("url") or "",
        "note": tex(note),
    }
    lines = [f"  {name:<12} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@misc{{{key},\n{''.join(lines)}}}\n"


def _source(book: Book) -> dict[str, Any]:
    path = book.root / "CITATION.cff"
    if not path.exists():
        raise UserError(f"{path} is missing: it has the book's title and authors")
    try:
        source = yaml.safe_load(path.read_text())
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
    """Plain text, with formulas between dollar signs, as ASCII that TeX sets the same way.

    Raises:
        UserError: a character that there is no command for.
    """
    text = re.sub(r'"([^"]*)"', "“\\1”", text)
    # Formulas with pairs of braces, one within the other at most; other dollars are dollars.
    parts = re.split(r"\$((?!\s)(?:[^${}]|{(?:[^${}]|{[^${}]*})*})+(?<!\s))\$", text)
    for index, part in enumerate(parts):
        if index % 2 == 0:
            parts[index] = "".join(map(_character, part))
        else:
            signs = re.findall(r"\\?.", part, re.S)
            parts[index] = f"${''.join(map(_in_formula, signs))}$"
    # Signs above the line that meet share one brace, formulas that meet are one.
    joined = re.sub(r"(?<=[0-9a-z-])\}\$\$\^\{", "", "".join(parts))
    return re.sub(r"(?<!\\)\$\$", "", joined)


def _in_formula(sign: str) -> str:
    """A character of a formula, with the backslash before it."""
    if sign.isascii():
        return f"\\{sign}" if sign in "%#&" else sign
    return f"{{{_character(sign).strip('$')}}}"


def _character(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign in _GREEK:
        return f"$\\{_GREEK[sign]}$"
    if sign.isascii():
        return sign
    kind = unicodedata.decomposition(sign).split()
    if kind[:1] in (["<sub>"], ["<super>"]):
        mark = "_" if kind[0] == "<sub>" else "^"
        plain = "".join(chr(int(code, 16)) for code in kind[1:]).replace("\N{MINUS SIGN}", "-")
        return f"${mark}{{{plain}}}$"
    base, *accents = list(unicodedata.normalize("NFD", sign))
    if base.isascii() and len(accents) == 1 and accents[0] in _ACCENTS:
        return f"{{\\{_ACCENTS[accents[0]]}{{{base}}}}}"
    raise UserError(f"no TeX for {sign!r} (U+{ord(sign):04X}): write it as a formula, $...$")
