"""The whole book as one PDF: pages joined by hand, and the real book as a reader gets it."""

import io
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pypdf
import pytest
from bs4 import BeautifulSoup
from pypdf.generic import DecodedStreamObject, NameObject

from falsestruct import cli
from falsestruct.press.paper import pdf
from falsestruct.press.paths import Book, UserError
from tests.conftest import CITATION

ROOT = Path(__file__).parents[3]
ABOUT = {
    "title": "A Book", "authors": "Ann, Bob", "version": "1.2", "date-released": "2026-01-02",
    "abstract": "On x < y.",
}  # fmt: skip
# Of a page's content all but its text: which font, which letters. A formula's letters are paths.
NO_TEXT = re.compile(rb"^(?!.*(?:T[fjJ]|BT|ET|Do)$).*\n", re.M)
BETWEEN_LETTERS = re.compile(rb"> Tj\n[-\d. ]+ Td <")
# In an SVG: a picture of pixels, a digit say; hatching, whose one tile Chromium makes of pixels.
RASTER = re.compile("<image|<pattern")


def page(name, body, *, part=None, head=""):
    html = (
        f"<html><head>{head}</head><body><nav><a href='x.html'>menu</a></nav>"
        f"<article class='bd-article'>{body}</article></body></html>"
    )
    return pdf.Page(name, part, html)


def joined(*pages):
    return BeautifulSoup(pdf.join(pages, ABOUT), "html.parser")


# ---- contents ----


def test_pages_come_in_order_and_a_part_begins_with_its_first_page():
    contents = {
        "root": "book/index",
        "parts": [
            {"caption": "I", "chapters": [{"file": "n/a", "sections": [{"file": "n/b"}]}]},
            {"caption": "II", "chapters": [{"file": "n/c"}, {"file": "n/d"}]},
        ],
    }
    assert list(pdf.in_order(contents)) == [
        ("book/index", None), ("n/a", "I"), ("n/b", None), ("n/c", "II"), ("n/d", None),
    ]  # fmt: skip


def test_a_table_of_contents_without_parts():
    contents = {"root": "index", "chapters": [{"file": "a"}, {"file": "b"}]}
    assert list(pdf.in_order(contents)) == [("index", None), ("a", None), ("b", None)]


def test_the_title_page_and_the_contents():
    whole = joined(
        page("book/index", "<h1>Front<a class='headerlink' href='#f'>#</a></h1>"),
        page("n/a", "<h1>One &lt; two</h1>", part="I The first"),
    )
    cover = whole.select_one(".cover").get_text()
    assert all(text in cover for text in ("A Book", "Ann, Bob", "1.2", "2026-01-02", "On x < y."))
    lines = [line.get_text().strip() for line in whole.select(".book-contents li")]
    assert lines == ["Front", "I The first", "One < two"]
    assert [a["href"] for a in whole.select(".book-contents a")] == ["#book-index", "#n-a"]
    assert whole.select_one("#n-a > .part").get_text() == "I The first"


def test_about_the_book(tmp_path):
    (tmp_path / "CITATION.cff").write_text(
        "title: T\nversion: 0.1.0\ndate-released: 2026-11-22\nabstract: A.\nauthors:\n"
        "  - name: A group\n  - given-names: Ann\n    family-names: Other\n"
    )
    assert pdf.read_about(Book(tmp_path)) == {
        "title": "T", "version": "0.1.0", "date-released": "2026-11-22", "abstract": "A.",
        "authors": "A group, Ann Other",
    }  # fmt: skip


def test_a_book_without_citation_is_told(tmp_path):
    with pytest.raises(UserError, match=r"CITATION.cff is missing"):
        pdf.read_about(Book(tmp_path))


# ---- joining ----


def links(whole, chapter):
    return {a.get_text(): a["href"] for a in whole.select(f"#{chapter} a")}


def test_ids_of_two_pages_are_told_apart_and_links_follow():
    whole = joined(
        page("n/a", "<h1 id='top'>A</h1><a href='b.html#top'>there</a><a href='#top'>here</a>"),
        page("n/b", "<h1 id='top'>B</h1><a href='#top'>own</a><a href='a.html'>whole page</a>"),
    )
    assert links(whole, "n-a") == {"there": "#n-b--top", "here": "#n-a--top"}
    assert links(whole, "n-b") == {"own": "#n-b--top", "whole page": "#n-a"}
    assert whole.find(id="n-b--top").get_text() == "B"


def test_links_between_folders_and_out_of_the_book():
    whole = joined(
        page(
            "n/a", "<a href='../book/refs.html#id%201'>ref</a><a href='https://x.org/a#b'>web</a>"
        ),
        page("book/refs", "<p id='id 1'>Ref</p>"),
    )
    assert links(whole, "n-a") == {"ref": "#book-refs--id 1", "web": "https://x.org/a#b"}


def test_what_leads_to_no_page_is_no_link():
    whole = joined(
        page(
            "n/a",
            "<p><a href='../_downloads/0f/figure.svg' download=''><code>SVG</code></a>, "
            "<a href='../genindex.html'>index</a>, <a href='#nowhere'>lost</a>, "
            "<a href='file:///home/me/x'>mine</a>, <a href='#'>top</a></p>",
        )
    )
    assert whole.select("#n-a a") == []
    assert whole.select_one("#n-a p").get_text() == "figure.svg, index, lost, mine, top"


def test_a_link_to_what_is_only_for_screens_becomes_text():
    whole = joined(page("n/a", "<div class='figure-fold'><i id='x'></i></div><a href='#x'>go</a>"))
    assert whole.select("#n-a a") == [] and "go" in whole.select_one("#n-a").get_text()


def test_an_id_that_a_page_has_twice_stays_with_the_first():
    whole = joined(page("n/a", "<b id='x'>1</b><i id='x'>2</i><label for='x'>l</label>"))
    assert [tag.name for tag in whole.select("[id='n-a--x']")] == ["b"]
    assert whole.select_one("label")["for"] == "n-a--x"


def test_folds_are_open_and_what_scripts_do_is_gone():
    whole = joined(
        page(
            "n/a",
            "<h1>A<a class='headerlink' href='#'>#</a></h1><details><summary>s</summary>x</details>"
            "<noscript><img src='../_images/still.svg' loading='lazy'></noscript>"
            "<script>alert(1)</script><button>Copy</button>",
        )
    )
    chapter = whole.select_one("#n-a")
    assert chapter.select_one("details").has_attr("open")
    assert chapter.select("script, button, noscript, .headerlink") == []
    assert chapter.img["src"] == "_images/still.svg" and not chapter.img.has_attr("loading")


def test_styles_and_mathjax_are_taken_once_and_no_other_script():
    style = "<link rel='stylesheet' href='../_static/book.css'>"
    mathjax = "<script>window.MathJax = {}</script><script src='../_static/mathjax/t.js'></script>"
    theme = "<script src='../_static/theme.js'></script><link rel='next' href='b.html'>"
    pages = [page("n/a", "", head=style), page("n/b", "", head=style + mathjax + theme)]
    head = joined(*pages).head
    assert [tag["href"] for tag in head.select("link")] == ["_static/book.css"]
    assert [tag.get("src") for tag in head.select("script")] == [None, "_static/mathjax/t.js"]


def test_a_running_head_is_the_chapters_title():
    style = joined(page("n/01_a", '<h1>Say "x" \\ &lt;/style&gt;</h1>')).head.style.get_text()
    assert '@page chapter-0 { @top-left { content: "Say \\"x\\" \\\\ \\3c /style>" } }' in style
    assert "#n-01_a { page: chapter-0 }" in style


def test_a_page_of_another_theme_is_told():
    with pytest.raises(UserError, match=r"n/a.html has no article"):
        pdf.join([pdf.Page("n/a", None, "<html></html>")], ABOUT)


# ---- without a browser ----


@pytest.fixture
def no_browser(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))


def test_who_has_no_chromium_is_told_what_to_install(no_browser):
    with pytest.raises(UserError, match=r"no Chromium.*`apt-get install chromium`"):
        pdf.find_chromium()


def test_the_command_is_one_line_without_chromium(no_browser, monkeypatch, capsys):
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(ROOT))
    monkeypatch.setattr(cli, "_need_notebooks", lambda book: None)
    monkeypatch.setattr("sys.argv", ["falsestruct", "pdf"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and out == ""
    assert err.count("\n") == 1 and "no Chromium" in err


# ---- with a browser: a small document ----


@pytest.fixture(scope="module")
def browser():
    """Chromium's path; without one the tests are skipped, or fail where it is required."""
    try:
        return pdf.find_chromium()
    except UserError as error:
        if os.environ.get("FALSESTRUCT_REQUIRE_BROWSER"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def written(tmp_path):
    def write(*pages):
        path = tmp_path / "whole.html"
        # Without the book's styles a chapter begins a page because its named page is another one.
        path.write_text(pdf.join(pages, ABOUT))
        return path

    return write


def outline(reader):
    def flat(entries):
        for entry in entries:
            yield from flat(entry) if isinstance(entry, list) else [entry]

    return {
        entry.title: reader.get_destination_page_number(entry) for entry in flat(reader.outline)
    }


def test_a_small_book_is_printed_with_numbers_outline_and_author(browser, written):
    long = "A heading that is so long that it does not fit on one line of the printed page, is it"
    path = written(page("n/a", f"<h1>{long}</h1>"), page("n/b", "<h1>B</h1>"))
    printed = pdf.print_document(path, browser)
    reader = pypdf.PdfReader(io.BytesIO(pdf.described(printed, ABOUT)))
    assert printed.pages == len(reader.pages) == 3
    assert outline(reader) == {"A Book": 0, "Contents": 0, long: 1, "B": 2}
    assert reader.pages[0].extract_text().split()[-2:] == ["it2", "B3"]
    assert reader.metadata.title == "A Book" and reader.metadata.author == "Ann, Bob"
    assert reader.metadata.subject == "On x < y."


def test_a_book_that_asks_for_something_from_outside_is_told(browser, written):
    path = written(page("n/a", "<h1>A</h1><link rel='stylesheet' href='http://127.0.0.1:9/a.css'>"))
    with pytest.raises(UserError, match=r"asks for http://127.0.0.1:9/a.css"):
        pdf.print_document(path, browser)


def test_a_picture_that_is_missing_is_told(browser, written):
    path = written(page("n/a", "<h1>A</h1><img src='../_images/gone.svg'>"))
    with pytest.raises(UserError, match=r"gone.svg can't be shown"):
        pdf.print_document(path, browser)


# ---- with a browser: the real book ----


class Whole:
    """The printed book, its joined document, and what is read from them."""

    def __init__(self, made, folder):
        self.made = made
        self.joined = folder / "whole-book.html"
        self.soup = BeautifulSoup(self.joined.read_text(), "html.parser")
        self.reader = pypdf.PdfReader(made.path)
        places = self.reader.named_destinations.items()
        number = self.reader.get_destination_page_number
        self.places = {name.removeprefix("/"): number(place) for name, place in places}
        self.chapters = [section["id"] for section in self.soup.select("section.chapter")]
        self.text = cache(self._text)

    def _text(self, index):
        return read(self.reader.pages[index])

    def pages_of(self, chapter):
        """The pages of a chapter: each begins one."""
        index = self.chapters.index(chapter)
        ends = [*(self.places[c] for c in self.chapters[1:]), len(self.reader.pages)]
        return range(self.places[chapter], ends[index])

    def links(self):
        for index, page in enumerate(self.reader.pages):
            for annotation in page.get("/Annots") or []:
                found = annotation.get_object()
                if found["/Subtype"] == "/Link":
                    yield index, found


def read(page):
    """A printed page's text without white space; all that isn't text would take five times as long.

    The page itself is left with its text alone.
    """
    less = DecodedStreamObject()
    less.set_data(BETWEEN_LETTERS.sub(b"", NO_TEXT.sub(b"", page.get_contents().get_data())))
    page[NameObject("/Contents")] = less
    return squeezed(page.extract_text())


def squeezed(text):
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def whole(browser, html):
    """Printed from the web's pages, which are up to date; below, a small book builds its own."""
    before = {path: path.stat().st_mtime_ns for path in html.rglob("*")}
    made = pdf.make(Book(ROOT), built=html)
    after = {path: path.stat().st_mtime_ns for path in html.rglob("*")}
    assert after == before, "the web's pages were touched"
    return Whole(made, ROOT / "_build" / "pdf" / "_build" / "html")


slow = pytest.mark.slow


@slow
def test_pages_are_built_apart_and_anew_or_taken_as_they_are(browser, tmp_path):
    files = {
        "_config.yml": 'execute: {execute_notebooks: "off"}\nonly_build_toc_files: true\n',
        "_toc.yml": "format: jb-book\nroot: index\nchapters:\n  - file: one\n",
        "index.md": "# Front\n\nTo [the other](one.md).\n",
        "one.md": "# One\n\nWritten.\n",
        "CITATION.cff": CITATION,
        "_build/html/one.html": '<article class="bd-article"><h1>On the web</h1></article>',
        "_build/html/index.html": '<article class="bd-article"><h1>Front</h1></article>',
        "_build/pdf/_build/html/_static/left.css": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    web = {path: text for path, text in files.items() if path.startswith("_build/html/")}
    pages = tmp_path / "_build" / "pdf" / "_build" / "html"
    left = pages / "_static" / "left.css"
    for built, heading in ((None, "One"), (tmp_path / "_build" / "html", "On the web")):
        left.parent.mkdir(exist_ok=True)
        left.touch()
        made = pdf.make(Book(tmp_path), built=built)
        assert not left.exists(), "of an earlier build"
        path = tmp_path / "_build" / "a-book-&-more.pdf"
        assert made == pdf.Made(path, len(pypdf.PdfReader(path).pages))
        headings = BeautifulSoup((pages / "whole-book.html").read_text(), "html.parser")("h1")
        assert [h.get_text() for h in headings][2:] == ["Front", heading]
        found = (tmp_path / "_build" / "html").iterdir()
        assert {f"_build/html/{path.name}": path.read_text() for path in found} == web


@slow
def test_the_book_is_one_file_with_a_title_and_all_its_pages(whole):
    assert whole.made.path == ROOT / "_build" / "false-structures.pdf"
    assert whole.made.pages == len(whole.reader.pages) > 50
    assert whole.reader.metadata.title == "False Structures"
    assert whole.reader.metadata.author
    box = whole.reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)


@slow
def test_the_outline_has_every_heading_on_its_page(whole):
    headings = [h.get_text() for h in whole.soup.select("section.chapter h1")]
    found = outline(whole.reader)
    for chapter, heading in zip(whole.chapters, headings, strict=True):
        assert found[" ".join(heading.split())] in whole.pages_of(chapter)
    sections = {
        " ".join(h.get_text().split()) for h in whole.soup.select("h2") if not h.select(".math")
    }
    assert sections <= set(found)


@slow
def test_the_contents_give_each_chapters_page(whole):
    text = "".join(whole.text(page) for page in range(1, min(whole.places.values())))
    for chapter in whole.chapters:
        line = whole.soup.select_one(f".book-contents a[href='#{chapter}'] .title").get_text()
        assert f"{squeezed(line)}{whole.places[chapter] + 1}" in text
        assert squeezed(line) in whole.text(whole.places[chapter])
    assert sorted(whole.places[c] for c in whole.chapters) == [
        whole.places[c] for c in whole.chapters
    ]


@slow
def test_every_internal_link_leads_into_the_chapter_it_names(whole):
    targets = [link["/Dest"].removeprefix("/") for _, link in whole.links() if "/Dest" in link]
    assert set(targets) == {a["href"][1:] for a in whole.soup.select("a[href^='#']")}
    for target in set(targets):
        chapter = target.split("--")[0]
        assert whole.places[target] in whole.pages_of(chapter), target


@slow
def test_a_link_to_a_figure_leads_to_its_caption(whole):
    linked = 0
    for figure in whole.soup.select("figure[id]"):
        if figure["id"] in whole.places:
            linked += 1
            number = squeezed(figure.select_one(".caption-number").get_text())
            assert number in whole.text(whole.places[figure["id"]]), figure["id"]
    assert linked > 20


@slow
def test_other_links_are_web_addresses(whole):
    actions = [link["/A"] for _, link in whole.links() if "/Dest" not in link]
    assert {action["/S"] for action in actions} == {"/URI"}
    addresses = {action["/URI"] for action in actions}
    assert all(re.match(r"https?://", address) for address in addresses)
    assert any("doi.org" in address or "arxiv.org" in address for address in addresses)


@slow
def test_no_line_of_code_is_cut(whole):
    lines = [
        (len(line), chapter, squeezed(line))
        for chapter in whole.chapters
        for block in whole.soup.select(f"#{chapter} pre")
        for line in block.get_text().splitlines()
    ]
    longest = sorted(lines, reverse=True)[:60]
    assert longest[-1][0] > 90
    texts = {c: "".join(map(whole.text, whole.pages_of(c))) for c in {c for _, c, _ in longest}}
    assert [line for _, chapter, line in longest if line not in texts[chapter]] == []


@slow
def test_no_chapter_ends_on_an_empty_page(whole):
    for chapter in whole.chapters:
        last = whole.pages_of(chapter)[-1]
        title = squeezed(whole.soup.select_one(f"#{chapter} h1").get_text())
        left = whole.text(last).replace(title, "", 1).replace(str(last + 1), "", 1)
        assert len(left) > 20, f"page {last + 1}"


def objects(resources, seen):
    """All objects that a page's resources name, forms within forms too."""
    for kind in ("/XObject", "/Font", "/Pattern"):
        named = resources[kind].get_object() if kind in resources else {}
        for reference in named.values():
            key = getattr(reference, "idnum", id(reference))
            if key in seen:
                continue
            seen.add(key)
            found = reference.get_object()
            yield kind, found
            if "/Resources" in found:
                yield from objects(found["/Resources"].get_object(), seen)


@slow
def test_figures_are_vectors(whole):
    """Pixels are only where a figure itself has some."""
    pixels = []
    for index, one in enumerate(whole.reader.pages):
        inside = objects(one["/Resources"].get_object(), set())
        if any(kind == "/XObject" and found["/Subtype"] == "/Image" for kind, found in inside):
            pixels.append(index)
    with_pixels = {
        path.stem
        for path in (ROOT / "book" / "figures").glob("*.svg")
        if RASTER.search(path.read_text())
    }
    numbers = {
        squeezed(figure.select_one(".caption-number").get_text())
        for figure in whole.soup.select("figure:has(img)")
        if Path(figure.img["src"]).stem in with_pixels
    }
    assert pixels and numbers
    for index in pixels:
        assert any(re.search(rf"{re.escape(n)}(?!\d)", whole.text(index)) for n in numbers), index


@slow
def test_fonts_are_embedded(whole):
    seen, names = set(), Counter()
    for one in whole.reader.pages:
        for kind, font in objects(one["/Resources"].get_object(), seen):
            if kind != "/Font":
                continue
            names[font["/Subtype"]] += 1
            for reference in font.get("/DescendantFonts", [font]):
                inner = reference.get_object()
                if inner["/Subtype"] != "/Type3":  # its glyphs stand in the file anyway
                    descriptor = inner["/FontDescriptor"].get_object()
                    assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
    assert names["/Type0"] > 3


@slow
def test_nothing_runs_over_the_margin(whole, browser):
    """Laid out as wide as the printed column, no table, formula or code is wider."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser)
        shown = chromium.new_page(viewport={"width": 665, "height": 1000})  # 176 mm
        shown.emulate_media(media="print")
        shown.goto(whole.joined.as_uri(), wait_until="load", timeout=120_000)
        shown.evaluate("async () => { await MathJax.startup.promise }")
        wide = shown.evaluate(
            """() => [...document.querySelectorAll(".chapter *")]
              .filter(tag => !tag.closest("mjx-assistive-mml, svg svg, defs"))
              .filter(tag => tag.getBoundingClientRect().right > innerWidth + 1)
              .map(tag => `${tag.closest(".chapter").id}: ${tag.outerHTML.slice(0, 120)}`)"""
        )
        chromium.close()
    assert wide == []
