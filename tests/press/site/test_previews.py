"""What a link shows before one goes there, and the link that each claim has to itself."""

from __future__ import annotations

import json
import re

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from falsestruct.press.site import previews
from tests.press.site.test_directives import build

PAGE = """\
# Evidence

{number}`one-holds` [there](#claim-one-holds), {cite:t}`thesing2019false`, {term}`radius`.

```{prf:definition} A name
:label: def-one

The number $a < b$, and {term}`radius`.
```

```{glossary}
radius
  How far.
```

```{ledger} success
```

```{figures} gallery
```

```{bibliography}
```
"""


def pieces(folder, name: str) -> dict[str, str]:
    text = (folder / f"_previews/{name}.js").read_text()
    head = f'previews("{name}", '
    assert text.startswith(head) and text.endswith(");\n")
    return json.loads(text[len(head) : -len(");\n")])


@pytest.mark.slow
def test_pages_leave_previews_and_claims_have_links(finished, tmp_path):
    finished.file("book/31_page.md").write_text(PAGE)
    built = build(finished, tmp_path, pages="book/31_page")
    chapter, page = pieces(built, "notebooks-01_one"), pieces(built, "book-31_page")
    assert "Supported: It holds." in chapter["claim-one-holds"]
    assert "A number." in chapter["claim-one-holds"] and "<a" not in str(chapter)
    # The ledger's are in files of their own, and of its many lines those that decide.
    ledger = pieces(built, "book-31_page-one")["ledger-one-holds"]
    assert ledger.startswith("<p><strong>Supported: It holds.</strong></p><p><em>Found</em>: ")
    told = re.findall("<em>(.*?)</em>", ledger)
    assert told == list(previews.TOLD) and "ledger-one-holds" not in page
    assert 'data-src="_images/one-line.svg"' in chapter["fig-one-line"]
    assert (built / "_images/one-line.svg").exists() and "A caption." in chapter["fig-one-line"]
    assert page["def-one"] == (
        "<p><strong>Definition 31.1 A name</strong></p><p>The number "
        '<span class="math">\\(a &lt; b\\)</span>, and radius.</p>'
    )
    assert page["term-radius"] == "<p><strong>radius</strong></p><p>How far.</p>"
    assert "What do AI algorithms actually learn" in str([page[k] for k in page if k[:2] == "id"])
    soup = BeautifulSoup((built / "notebooks/01_one.html").read_text(), "html.parser")
    [link] = soup.select("#claim-one-holds > .admonition-title > a.headerlink")
    assert link["href"] == "#claim-one-holds" and link["title"] == "Link to this claim"
    # Everything that a link of the page leads to and that has a preview: it is found by its anchor.
    links = BeautifulSoup((built / "book/31_page.html").read_text(), "html.parser")
    for found in links.select("a.internal[href*='#term-'], a.internal[href*='bibliography']"):
        assert found["href"].partition("#")[2] in page


def test_a_row_of_a_table_stands_for_its_claim():
    row = nodes.row()
    for text in ("supported", "It holds.", "3 [2, 4]"):
        row += nodes.entry("", nodes.paragraph("", text))
    verdict = nodes.inline("", "supported", ids=["claim-a"], classes=["verdict"])
    row[0][0].clear()
    row[0][0] += verdict
    document = nodes.document(None, None)
    document += row
    assert dict(previews._pieces(None, document))["claim-a"] == (
        "<p><strong>supported</strong></p><p>It holds.</p><p>3 [2, 4]</p>"
    )


def test_what_is_long_is_left_out_as_a_whole():
    parts = [nodes.paragraph("", "x" * 400), nodes.paragraph("", "y" * 400)]
    assert previews.short(parts) == f"<p>{'x' * 400}</p><p>…</p>"
    assert previews.short(parts[:1]) == f"<p>{'x' * 400}</p>"
