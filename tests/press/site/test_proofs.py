"""Statements, proofs and chapter numbers, on throw-away pages that Sphinx builds."""

import re
from io import StringIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from falsestruct.press.site.titles import MENTION, _with_links, chapter_of, typeset

INDEX = """\
# Front

Chapters 02 and 10, and {{prf:ref}}`two-first`.

```{{statements}}
```

```{{toctree}}
{chapters}
```
"""
TWO = """\
# Two

```{prf:definition} Here
:label: two-here

What `chapter 10` is. See chapter 10, chapter 02 and chapter 99.
```

```{prf:lemma} First
:label: two-first

$x$
```

```{prf:proof}
Proof by *looking*. See {prf:ref}`ten-first`.

It is so.
```
"""
TEN = """\
# Ten

```{prf:proposition} Tenth
:label: ten-first

$y$
```

```{prf:proof}
*At once.*
```

Words.

```{prf:proof}
Of nothing.
```
"""

CONFIGURATION = """\
extensions = ["myst_parser", "sphinx_proof"]
extensions += ["falsestruct.press.site.proofs", "falsestruct.press.site.titles"]
myst_enable_extensions = ["dollarmath"]
proof_title_format = "%t"
numfig = True
html_theme = "basic"
suppress_warnings = ["config.cache"]
"""


def build(root: Path, builder: str = "html", **pages: str) -> tuple[Path, str]:
    """Build these pages; where they are, and what Sphinx complained about."""
    source = root / "source"
    source.mkdir(exist_ok=True)
    names = [f"{name[1:]}.md" for name in pages]
    files = {f"{name[1:]}.md": text for name, text in pages.items()}
    files |= {"index.md": INDEX.format(chapters="\n".join(names)), "conf.py": CONFIGURATION}
    for name, text in files.items():
        if not (source / name).exists() or (source / name).read_text() != text:
            (source / name).write_text(text)
    out, warnings, said = root / builder, StringIO(), StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, source, out, root / "trees", builder, status=said, warning=warnings)
        app.build()
    (root / "said").write_text(said.getvalue())
    return out, warnings.getvalue()


def page(out: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((out / f"{name}.html").read_text(), "html.parser")


def numbers(out: Path, name: str) -> list[str]:
    return [tag.get_text().strip() for tag in page(out, name).select(".proof .caption-number")]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out, warnings = build(tmp_path_factory.mktemp("two"), _02_two=TWO, _10_ten=TEN)
    assert re.sub(r".*looks like.*\n", "", warnings) == ""
    return out


def test_a_mark_behind_a_formula_stays_with_it(tmp_path):
    text = TEN.replace("Words.", "We add $a$, then $b$ and $c$.")
    out, _ = build(tmp_path, _10_ten=text)
    kept = [tag.get_text() for tag in page(out, "10_ten").select("span.keep")]
    assert len(kept) == 2 and kept[0].endswith(",") and kept[1].endswith(".")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('<span class="pasted-text">4e-13</span>.', "4 · 10<sup>−13</sup>"),
        ("<td><p>1e+05</p></td>", ">10<sup>5</sup>"),
        ('<span class="mf">1e-05</span>', '<span class="mf">1e-05</span>'),
        ('<span class="pasted-text">0.25</span>', '<span class="pasted-text">0.25</span>'),
    ],
)
def test_a_power_of_ten_in_the_text_is_one(text, wanted):
    context = {"body": text}
    typeset(None, "", "", context, None)
    assert wanted in context["body"]


def test_one_counter_a_chapter(built):
    assert numbers(built, "02_two") == ["Definition 2.1", "Lemma 2.2"]
    assert numbers(built, "10_ten") == ["Proposition 10.1"]


def test_a_chapter_in_between_changes_no_number(tmp_path):
    more = TEN.replace("ten-", "three-").replace("Ten", "Three")
    out, _ = build(tmp_path, _02_two=TWO, _03_three=more, _10_ten=TEN)
    assert numbers(out, "02_two") == ["Definition 2.1", "Lemma 2.2"]
    assert numbers(out, "03_three") == ["Proposition 3.1"]
    assert numbers(out, "10_ten") == ["Proposition 10.1"]


def test_a_second_build_has_nothing_to_do_and_a_change_touches_its_page_only(tmp_path):
    written = r"writing output.*02_two"
    build(tmp_path, _02_two=TWO, _10_ten=TEN)
    assert re.search(written, (tmp_path / "said").read_text())
    build(tmp_path, _02_two=TWO, _10_ten=TEN)
    assert "no targets are out of date" in (tmp_path / "said").read_text()
    out, _ = build(tmp_path, _02_two=TWO, _10_ten=TEN + "\nMore.\n")
    assert "More." in page(out, "10_ten").get_text()
    assert not re.search(written, (tmp_path / "said").read_text())
    assert numbers(out, "02_two") == ["Definition 2.1", "Lemma 2.2"]


def test_references_name_the_statement_on_any_page(built):
    assert page(built, "index").find("a", href="02_two.html#two-first").get_text() == "Lemma 2.2"
    assert page(built, "02_two").find("a", href="10_ten.html#ten-first").get_text() == (
        "Proposition 10.1"
    )


def test_a_proof_is_a_fold_that_says_of_what(built):
    first, *others = page(built, "02_two").select("details")
    assert first.summary.get_text() == "Proof of Lemma 2.2"
    assert [p.get_text() for p in first.find_all("p")] == [
        "Proof by looking. See Proposition 10.1.", "It is so.",
    ]  # fmt: skip
    assert others == []


def test_a_proof_of_nothing_is_just_a_proof(built):
    at_once, of_nothing = page(built, "10_ten").select("details")
    assert at_once.p.get_text() == "At once."
    assert at_once["id"] == "proof-of-ten-first"
    assert of_nothing.summary.get_text() == "Proof"


def test_no_id_is_there_twice(built):
    for name in ("02_two", "10_ten"):
        ids = [tag["id"] for tag in page(built, name).find_all(id=True)]
        assert sorted(ids) == sorted(set(ids))


def test_all_statements_are_listed(built):
    listed = [item.get_text().strip() for item in page(built, "index").select("ul.statements li")]
    assert listed == ["Definition 2.1 Here", "Lemma 2.2 First", "Proposition 10.1 Tenth"]


def test_on_one_long_page_proofs_are_open(tmp_path):
    out, _ = build(tmp_path, "singlehtml", _02_two=TWO, _10_ten=TEN)
    folds = page(out, "index").select("details")
    assert [fold.has_attr("open") for fold in folds] == [True] * 3
    assert folds[0].summary.get_text() == "Proof of Lemma 2.2"


def test_titles_begin_with_the_chapter_s_number(built):
    assert page(built, "02_two").h1.get_text().startswith("2. Two")
    assert page(built, "index").h1.get_text().startswith("Front")
    entries = page(built, "index").select(".toctree-wrapper a")
    assert [entry.get_text() for entry in entries] == ["2. Two", "10. Ten"]


def test_mentions_of_other_chapters_are_links(built):
    links = page(built, "02_two").select("#two-here a.internal")
    assert [(link.get_text(), link["href"]) for link in links] == [("chapter 10", "10_ten.html")]
    front = page(built, "index").select("section > p a.internal")
    assert [link.get_text() for link in front[:2]] == ["Chapters 02", "10"]


@pytest.mark.parametrize(
    ("document", "number"),
    [("notebooks/02_x", 2), ("notebooks/24_y_z", 24), ("book/index", None), ("2_x", None)],
)
def test_the_number_of_a_chapter_is_that_of_its_file(document, number):
    assert chapter_of(document) == number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Chapter 02 has it.", ["02"]),
        ("In chapters 02, 03 and 14 it is.", ["02", "03", "14"]),
        ("chapter 2, chapters, chapter 123, subchapter 02x", []),
    ],
)
def test_what_counts_as_a_mention(text, numbers):
    found: list[str] = []

    def link(number: str, words: str) -> nodes.Node:
        found.append(number)
        return nodes.Text(words)

    parts = _with_links(text, link)
    assert found == numbers
    assert "".join(part.astext() for part in parts) == text
    assert bool(MENTION.search(text)) == bool(numbers)
