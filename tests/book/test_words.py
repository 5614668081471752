"""Symbols, statements, terms and references as they are written: each explained, none twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.book.test_text import without_code

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.md"))
PAGES = sorted(BOOK.glob("*.md"))
NOTATION = BOOK / "notation.md"
GLOSSARY = BOOK / "glossary.md"

GREEK = re.compile(
    r"(?:alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|(?:var)?theta|iota|kappa|lambda|mu|nu|xi|"
    r"pi|(?:var)?rho|sigma|tau|upsilon|(?:var)?phi|chi|psi|omega|ell)\Z",
    re.I,
)
MACROS = ("R", "N", "relu", "sgn")  # of _config.yml; Jupyter and Colab don't know them


def read(text: str) -> str:
    """What is read: no front matter, no code."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    return re.sub(r"(?<!\})`[^`\n]+`", "", without_code(text, code="code"))


def formulas(text: str) -> list[str]:
    """All formulas, displayed or in the text."""
    text = read(text)
    shown = re.findall(r"\$\$(.*?)\$\$", text, re.S)
    rest = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    return shown + re.findall(r"(?<!\\)\$([^$]+?)(?<!\\)\$", rest)


def symbols(formula: str) -> set[str]:
    """The letters of a formula; an index is no letter of its own. `\\mathcal{S}` is one letter."""
    formula = re.sub(r"\\(?:text|operatorname|mathrm|tag)\{[^}]*\}", " ", formula)
    styled = {
        re.sub(r"[{}]", "", s) for s in re.findall(r"\\math(?:bb|cal|bf|frak)\{?\w\}?", formula)
    }
    formula = re.sub(r"\\math(?:bb|cal|bf|frak)\{?\w\}?", " ", formula)
    formula = re.sub(r"_(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|.)", " ", formula)
    greek = {f"\\{name}" for name in re.findall(r"\\([A-Za-z]+)", formula) if GREEK.match(name)}
    letters = set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula)))
    return styled | greek | letters


def used(text: str) -> set[str]:
    return set().union(*map(symbols, formulas(text)))


def explained() -> tuple[set[str], dict[str, set[str]]]:
    """Symbols in the first columns of the notation page, and by chapter those of one argument."""
    everywhere, local, split = set(), {}, False
    for line in NOTATION.read_text().splitlines():
        split = split or line == "## Letters of a single argument"
        first, *others = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and not split:
            everywhere |= used(first)
        elif chapter := re.match(r"\[chapter ([0-9]{2})\]", first.lstrip("| ")):
            local[chapter[1]] = used(others[0])
    return everywhere, local


def statements(path: Path) -> list[tuple[str, str]]:
    """Kind and label of every statement of a page that is no proof."""
    directive = re.compile(r"^`{3,}\{prf:(?!ref|proof)(\w+)\}(.*?)^`{3,}$", re.S | re.M)
    found = directive.findall(path.read_text())
    return [(kind, "".join(re.findall(r"^:label: (\S+)$", body, re.M))) for kind, body in found]


def terms() -> dict[str, str]:
    """The glossary: each term with its definition."""
    inside = re.search(r"```\{glossary\}\n:sorted:\n\n(.*?)```", GLOSSARY.read_text(), re.S)
    assert inside
    entries = {}
    for block in inside[1].strip().split("\n\n"):
        words = [line for line in block.splitlines() if not line.startswith("  ")]
        meaning = " ".join(line.strip() for line in block.splitlines() if line.startswith("  "))
        entries |= dict.fromkeys(words, meaning)
    return entries


# ---- symbols ----


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"r_{f_a}(x) = \min_i \lvert x_1 - t_i \rvert", {"r", "x", "t"}),
        (r"S_\varepsilon \times \mathbb{R}^d", {"S", "\\mathbbR", "d"}),
        (r"\hat c \in \mathcal{S}", {"c", "\\mathcalS"}),
        (r"\kappa_P \le \tfrac12 \text{ if } q", {"\\kappa", "q"}),
    ],
)
def test_symbols_are_told_from_indices_and_words(formula, expected):
    assert symbols(formula) == expected


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_symbol_is_explained(chapter):
    everywhere, local = explained()
    unknown = used(chapter.read_text()) - everywhere - local.get(chapter.stem[:2], set())
    assert unknown == set(), f"add a row to {NOTATION.name}, or a letter to its last table"


def test_no_symbol_is_explained_that_nobody_uses():
    everywhere, local = explained()
    texts = {path.stem[:2]: used(path.read_text()) for path in CHAPTERS}
    assert everywhere - set().union(*texts.values()) == set()
    assert {(n, letter) for n, letters in local.items() for letter in letters - texts[n]} == set()


def test_every_symbol_says_where_it_is_introduced():
    head = NOTATION.read_text().partition("## Signs that are used everywhere")[0]
    rows = [line for line in head.splitlines() if line.startswith("| $")]
    assert len(rows) > 50
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", re.sub(r"\$[^$]*\$", "", row))) == 5, row
        assert "{prf:ref}" in row.rsplit(" | ", 1)[1], row


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_formulas_are_understood_outside_of_the_book_too(chapter):
    own = re.compile(rf"\\(?:{'|'.join(MACROS)})(?![A-Za-z])")
    assert [f for f in formulas(chapter.read_text()) if own.search(f)] == []


# ---- statements ----


def test_every_statement_has_a_label_of_its_own():
    labels = [label for path in CHAPTERS for _, label in statements(path)]
    assert len(labels) > 30
    assert all(labels)
    assert [label for label, times in Counter(labels).items() if times > 1] == []


def test_every_reference_has_its_statement():
    labels = {label for path in CHAPTERS for _, label in statements(path)}
    role = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([^`>]+)>?`")
    targets = {target for path in PAGES for target in role.findall(path.read_text())}
    assert len(targets) > 20
    assert targets - labels == set()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_proof_follows_its_statement(path):
    text = path.read_text()
    for proof in re.finditer(r"^```\{prf:proof\}$", text, re.M):
        before = text[: proof.start()].rstrip()
        opening = re.findall(r"^```\{prf:(\w+)\}", before, re.M)
        assert before.endswith("\n```"), path.name
        assert opening[-1] in ("lemma", "proposition", "theorem", "corollary"), path.name


# ---- glossary ----


def test_the_glossary_is_short_and_links_where_it_can():
    known = terms()
    assert 40 <= len(set(known.values())) <= 70  # two names of one term are one
    for term, meaning in known.items():
        words = re.sub(r"\{[a-z:]+\}`[^`]*`|\([^)]*\)", "X", meaning)
        sentences = re.findall(r"[^.!?]+[.!?](?:\s|$)", words)
        assert meaning.endswith("."), term
        assert 1 <= len(sentences) <= 5, term
        assert len(meaning.split()) <= 60, term
    link = re.compile(r"\{prf:ref\}|\]\((?:../notebooks/)?[0-9]{2}_|\{term\}")
    linked = [term for term, meaning in known.items() if link.search(meaning)]
    assert len(linked) >= 0.85 * len(known)


def test_words_without_which_nothing_can_be_read_are_in_the_glossary():
    wanted = {
        "false structure", "original structure", "conflict set", "capture", "accuracy", "reach",
        "stability radius", "adversarial perturbation", "universal perturbation", "agreement",
        "strength", "crossover", "code length", "tangent kernel", "mid-P interval", "control",
        "interval", "claim", "verdict", "supported", "refuted", "inconclusive", "profile",
        "record", "seed", "unstable",
    }  # fmt: skip
    assert wanted - set(terms()) == set()


def test_every_term_that_is_linked_is_in_the_glossary():
    known = {term.lower() for term in terms()}
    for path in PAGES:
        linked = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", path.read_text())
        assert {" ".join(term.lower().split()) for term in linked} <= known, path.name


# ---- bibliography ----


def entries() -> dict[str, dict[str, str]]:
    text = (BOOK / "references.bib").read_text()
    found = re.findall(r"^@(\w+)\{([^,\s]+),\n(.*?)^\}", text, re.S | re.M)
    assert len(found) == len(re.findall(r"^@", text, re.M))
    keys = [key for _, key, _ in found]
    assert len(keys) == len(set(keys))
    return {
        key: {"kind": kind} | dict(re.findall(r"^ *(\w+) *= *\{(.*)\},?$", body, re.M))
        for kind, key, body in found
    }


def test_every_reference_leads_somewhere():
    for key, entry in entries().items():
        where = {"doi", "eprint", "url"} & set(entry)
        assert where, f"{key}: a DOI, an arXiv id or, where there is neither, an address"
        assert re.fullmatch(r"10\.\d{4,9}/\S+", entry.get("doi", "10.1000/x")), key
        assert re.fullmatch(r"https://\S+", entry.get("url", "https://x")), key
        if "eprint" in entry:
            assert entry["archiveprefix"] == "arXiv", key
            assert re.fullmatch(r"\d{4}\.\d{4,5}", entry["eprint"]), key


ALONE = {
    "sanyal2021",
    "glorot2010",
    "daniely2020",
    "westfall1993",
    "das1993",
    "strumbelj2010",
}  # a thesis, proceedings, a book


def test_only_what_has_no_identifier_is_given_by_its_address_alone():
    assert {k for k, entry in entries().items() if not {"doi", "eprint"} & set(entry)} == ALONE


def test_keys_are_name_and_year():
    for key, entry in entries().items():
        name, year = re.fullmatch(r"([a-z]+)(\d{4})[a-z]*", key).groups()
        assert year == entry["year"], key
        family = re.sub(r"\\\w\{|[{}\\'\"`]", "", entry["author"].split(" and ")[0].split(",")[0])
        assert family.lower().startswith(name[:5]), key


def test_no_word_of_a_title_is_split():
    # The search knows whole words only: {Python}, not {P}ython.
    for key, entry in entries().items():
        assert not re.search(r"\w\{(?!\\)|(?<!\\)\{\w+\}\w", entry["title"]), key


def test_every_reference_is_cited():
    cited = {
        key.strip()
        for path in PAGES
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", path.read_text())
        for key in keys.split(",")
    }
    assert set(entries()) - cited == set()


# ---- headings ----


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_headings_come_in_order(path):
    levels = [len(marks) for marks in re.findall(r"^(#+) ", read(path.read_text()), re.M)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(levels, levels[1:], strict=False))
