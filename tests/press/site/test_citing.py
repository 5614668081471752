"""BibTeX that BibTeX can read, for everything that has an id."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybtex import format_from_string
from pybtex.database import parse_string

from falsestruct.press.notebook import claims, figures
from falsestruct.press.paths import Book, UserError
from falsestruct.press.site import citing
from falsestruct.statistics import exact

ROOT = Path(__file__).parents[3]
REAL = Book(ROOT)
IDS = [
    *citing.titles(REAL),
    *(record.id for record in figures.all_figures(REAL.published)),
    *claims.read_claims(REAL),
]
RECORD = {
    "id": "one-holds", "chapter": "01_one", "value": 0.25, "low": 0.125, "high": 0.5, "n": 20,
    "method": "wilson", "commit": "abc123", "control": asdict(exact(0)),
}  # fmt: skip


@pytest.fixture
def shelf(desk):
    """A book with a figure and a record, without a run."""
    folder = desk.book.published.figures
    folder.mkdir()
    figure = {"id": "one-line", "chapter": "01_one", "plot": "plots:line", "options": {}}
    figure |= {"caption": "", "alt": "", "about": {"version": "0.0.9", "commit": "fedcba"}}
    (folder / "one-line.json").write_text(json.dumps(figure))
    desk.book.published.evidence.write_text(json.dumps({"claims": {"one-holds": RECORD}}))
    return desk


def entry(text):
    [(key, found)] = parse_string(text, "bibtex").entries.items()
    return key, found


@pytest.mark.parametrize(
    ("id", "key", "title", "note"),
    [
        (None, "falsestruct", r"{A Book \& more}", "Version 0.1.0, commit unknown"),
        (
            "01_one", "falsestruct:01-one", r"{A Book \& more}, chapter 01, {One}",
            r"Version 0.1.0, commit abc123, chapter 01\_one",
        ),
        (
            "02_two", "falsestruct:02-two", r"{A Book \& more}, chapter 02, {Two}",
            r"Version 0.1.0, commit unknown, chapter 02\_two",
        ),
        (
            "one-line", "falsestruct:one-line", r"{A Book \& more}: figure one-line",
            r"Version 0.0.9, commit fedcba, chapter 01\_one",
        ),
        (
            "one-holds", "falsestruct:claim:one-holds", r"{A Book \& more}: claim one-holds",
            r"Version 0.1.0, commit abc123, chapter 01\_one. It holds. "
            r"Verdict and value: refuted, 0.250, 95 \% interval [0.125, 0.500], n = 20",
        ),
    ],
)  # fmt: skip
def test_version_commit_and_chapter_are_named(shelf, id, key, title, note):
    found_key, found = entry(citing.cite(shelf.book, id))
    assert found_key == key and found.type == "misc"
    assert found.fields["title"] == title and found.fields["note"] == note
    assert [str(person) for person in found.persons["author"]] == [
        "Curie, Marie",
        "{The Book Group}",
    ]
    assert found.fields["year"] == "2026" and found.fields["url"] == "https://example.org/book"


def test_a_claim_that_nobody_decided_says_so(shelf):
    shelf.book.published.evidence.unlink()
    _, found = entry(citing.cite(shelf.book, "one-holds"))
    assert found.fields["note"].endswith("It holds. Verdict and value: not decided by any run yet")


def test_other_results_have_their_own_commits(shelf, tmp_path):
    other = shelf.book.output(tmp_path / "other")
    shutil.copytree(shelf.book.published.figures, other.figures)
    shelf.book.published.evidence.rename(other.evidence)
    (shelf.book.published.figures / "one-line.json").unlink()
    assert "fedcba" in citing.cite(shelf.book, "one-line", output=other)
    with pytest.raises(UserError, match="no chapter, figure or claim 'one-line'"):
        citing.cite(shelf.book, "one-line")


@pytest.mark.parametrize(
    ("id", "hint"),
    [
        ("1_one", "did you mean 01_one"),
        ("one-lin", "did you mean one-line"),
        ("one-hold", "did you mean one-holds"),
        ("zzz", "see `falsestruct list`, `falsestruct figures`, `falsestruct claims`"),
    ],
)
def test_the_nearest_are_named(shelf, id, hint):
    with pytest.raises(UserError) as caught:
        citing.cite(shelf.book, id)
    assert f"no chapter, figure or claim {id!r}; {hint}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "CITATION.cff is missing"),
        ("title: x", "CITATION.cff lacks authors, version"),
        ("- x", "CITATION.cff lacks authors, title, version"),
        ("a: [", "CITATION.cff: while parsing"),
    ],
)
def test_a_broken_citation_file_is_one_line(shelf, text, message):
    path = shelf.file("CITATION.cff")
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError) as caught:
        citing.cite(shelf.book)
    assert message in str(caught.value) and "\n" not in str(caught.value)


# ---- the book's own entries ----


def test_pages_with_a_number_are_cited_like_chapters():
    key, found = entry(citing.cite(REAL, "31_evidence"))
    assert key == "falsestruct:31-evidence"
    assert found.fields["title"].endswith(", chapter 31, {The evidence}")


def test_an_id_names_one_thing():
    assert len(IDS) == len(set(IDS))


def test_every_entry_of_the_book_is_bibtex_in_ascii():
    texts = [citing.cite(REAL)]
    output = REAL.published
    texts += [citing.chapter_entry(REAL, name) for name in citing.titles(REAL)]
    texts += [citing.figure_entry(REAL, record) for record in figures.all_figures(output)]
    evidence = claims.read_evidence(output.evidence)
    stated = claims.read_claims(REAL)
    texts += [citing.claim_entry(REAL, claim, evidence.get(id)) for id, claim in stated.items()]
    assert len(texts) == len(IDS) + 1
    assert all(text.isascii() for text in texts)
    parsed = parse_string("\n".join(texts), "bibtex")
    keys = list(parsed.entries)
    wanted = [f"claim:{id}" if id in stated else id for id in IDS]
    assert keys == ["falsestruct", *(citing.key(id) for id in wanted)]
    for key, found in parsed.entries.items():
        assert found.fields["note"].startswith("Version "), key
        assert ", commit " in found.fields["note"], key
        assert key == "falsestruct" or ", chapter " in found.fields["note"], key
    for id in evidence.keys() & stated.keys():
        note = parsed.entries[f"falsestruct:claim:{id}"].fields["note"]
        assert f": {claims.verdict(stated[id], evidence[id])}, " in note
        assert citing.tex(claims.text(claims.estimate(evidence[id]))) in note


def test_a_plain_bibliography_says_all_of_it(shelf):
    printed = format_from_string(
        citing.cite(shelf.book, "one-holds"), "plain", output_backend="text"
    )
    for words in ("Marie Curie", "A Book", "claim one-holds", "2026", "abc123", "refuted, 0.25"):
        assert words in printed


# ---- escaping ----


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50 % of a_b & c#d", r"50 \% of a\_b \& c\#d"),
        ("it costs $5", r"it costs \$5"),
        ("learn $f_a$ along $x_1$, 5 %", r"learn $f_a$ along $x_1$, 5 \%"),
        ("$ε_a$ is 5 % of $#b$", r"${\ensuremath{\varepsilon}}_a$ is 5 \% of $\#b$"),
        (
            r"a\b{c}~^`",
            r"a{\textbackslash}b\textbraceleft{}c\textbraceright{}{\textasciitilde}"
            r"{\textasciicircum}\textasciigrave{}",
        ),
        ("b − 1 ± 2", r"b {\ensuremath{-}} 1 {\ensuremath{\pm}} 2"),
        ("ℓ₁₂, x²", r"{\ensuremath{\ell}}\ensuremath{_{12}}, x\ensuremath{^{2}}"),
        ("2⁻ⁿ", r"2\ensuremath{^{-n}}"),
        ("Erdős, Müller, Ångström", r"Erd{\H{o}}s, M{\"u}ller, {\r{A}}ngstr{\"o}m"),
        ('says "none"', r"says {\textquotedblleft}none{\textquotedblright}"),
    ],
)
def test_text_as_tex(text, tex):
    assert citing.tex(text) == tex


def test_what_tex_has_no_word_for_is_said():
    with pytest.raises(UserError, match=r"no TeX for '好' \(U\+597D\)"):
        citing.tex("好")


@given(st.text(st.sampled_from('ab $&%#_{}~^\\<>|`"εℓ₂−é'), max_size=30))
def test_braces_match_whatever_the_text(text):
    written = citing.tex(text)
    assert written.isascii()
    [(_, found)] = parse_string(f"@misc{{k, note = {{{written}}}}}", "bibtex").entries.items()
    assert found.fields["note"].split() == written.split()
