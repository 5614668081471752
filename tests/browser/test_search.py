"""The search finds what stands beside formulas, in captions and in the glossary."""

from urllib.parse import quote

import pytest

pytestmark = pytest.mark.slow

# What is looked for, the page that must be among the first results, and where it stands there.
LOOKED_FOR = [
    ("alternating jumps", "notebooks/02_structures", "beside formulas"),
    ("convex hulls", "notebooks/08_images", "in a proposition"),
    ("neighbouring breakpoints disjoint", "notebooks/02_structures", "in a folded proof"),
    ("zigzag", "notebooks/02_structures", "in what a figure shows"),
    ("Orange adds ink", "notebooks/01_paradox", "in a caption"),
    ("certificate", "book/glossary", "in the glossary"),
    ("Wilson interval", "book/glossary", "in the glossary"),
    ("capture", "notebooks/05_success", "in a definition's title"),
    ("Clever Hans", "book/bibliography", "in the bibliography"),
    ("predicate", "book/notation", "in the notation"),
]
WORDS = [words for words, *_ in LOOKED_FOR]
DONE = """() => {
  const heading = document.querySelector("#search-results h2");
  return heading && !/Searching/.test(heading.textContent);
}"""


def found(page):
    """Where the results lead, best first."""
    page.wait_for_function(DONE)
    links = page.locator("#search-results ul.search li > a")
    return [links.nth(i).get_attribute("href") for i in range(links.count())]


@pytest.mark.parametrize(("words", "target", "where"), LOOKED_FOR, ids=WORDS)
@pytest.mark.parametrize("home", ["server", "folder"])
def test_the_search_finds_it(window, server, html, home, words, target, where):
    start = server if home == "server" else html.as_uri() + "/"
    results = found(window(f"{start}search.html?q={quote(words)}"))
    assert any(f"{target}.html" in result for result in results[:8]), (where, results)


def test_nonsense_is_not_found(window, server):
    assert found(window(f"{server}search.html?q=qwertzuiop")) == []


def test_a_result_leads_to_the_statement(window, server):
    page = window(f"{server}search.html?q={quote('smaller radius decides')}")
    (result,) = [address for address in found(page) if address.endswith("#lem-radii")]
    page.locator(f'#search-results a[href="{result}"]').click()
    page.wait_for_url("**/02_structures.html*#lem-radii")
    assert page.locator("#lem-radii").is_visible()


def test_a_term_of_the_glossary_is_a_result_of_its_own(window, server):
    results = found(window(f"{server}search.html?q={quote('false structure')}"))
    assert any(address.endswith("#term-false-structure") for address in results)
