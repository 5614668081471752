"""The whole book as one PDF: its pages joined into one document, which Chromium prints.

Sphinx can join pages itself (singlehtml), but then ids that two chapters share point to the first
one, and what is made for each page is made only for the first. So the pages are built as they are
for the web, in a folder of their own, and joined here.
"""

from __future__ import annotations

import html
import io
import posixpath
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from falsestruct.press.paths import Book, UserError, make_folder, write_atomically

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from playwright.sync_api import Page as BrowserPage
    from pypdf import PdfReader

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What does nothing on paper. A link to something in it loses its target, and so becomes text.
SCREEN_ONLY = ("script", "style", "button")
SCREEN_ONLY_CLASSES = frozenset(
    {
        "headerlink",
        "no-print",
        "noprint",
        "d-print-none",
        "live",
        "figure-fold",
        "interactive",  # the gallery has the same; the still stands above
    }
)
# Attributes that name other elements by their ids.
REFERRING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
ABOUT = ("title", "authors", "version", "date-released", "abstract")


@dataclass(frozen=True)
class Page:
    """A built page.

    Attributes:
        name: Its document, like notebooks/01_paradox.
        part: The part of the book that begins with it, or None.
        html: The whole page.
    """

    name: str
    part: str | None
    html: str

    @property
    def anchor(self) -> str:
        """Where the page begins in the joined document."""
        return self.name.replace("/", "-")


@dataclass(frozen=True)
class Printed:
    """What Chromium made of a document: the PDF, its number of pages, the text of all headings."""

    data: bytes
    pages: int
    headings: Sequence[str]


@dataclass(frozen=True)
class Made:
    """A finished PDF: where it is and how many pages it has."""

    path: Path
    pages: int


def make(book: Book, *, built: Path | None = None) -> Made:
    """Build, join and print the book; the pages in `_build/html` stay as they are.

    Args:
        book: What is printed.
        built: A folder of its pages, of which the caller knows that they are up to date: they are
            copied instead of built anew.

    Raises:
        UserError: no Chromium, the pages can't be built, or they ask for something from outside.
    """
    make_folder(book.build)  # better known before the long build than after it
    browser = find_chromium()
    folder = build_pages(book) if built is None else copy_pages(book, built)
    pages = read_pages(book, folder)
    about = read_about(book)
    joined = folder / "whole-book.html"
    write_atomically(joined, join(pages, about))
    printed = print_document(joined, browser)
    path = book.build / f"{about['title'].lower().replace(' ', '-')}.pdf"
    write_atomically(path, described(printed, about))
    return Made(path, printed.pages)


def find_chromium() -> str:
    """The browser: Chromium or Chrome on the path, or the one that Playwright installed.

    Raises:
        UserError: there is none.
    """
    for name in CHROMIUM:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise UserError(
        "no Chromium, which prints the PDF: install it (`apt-get install chromium`), "
        "or `python -m playwright install chromium`"
    )


def build_pages(book: Book) -> Path:
    """The folder of the pages, built anew and apart from `_build/html`.

    Anew, since Sphinx doesn't see when only a style changes.

    Raises:
        UserError: Jupyter Book isn't installed, or fails; what it complains about is printed.
    """
    apart = book.build / "pdf"
    shutil.rmtree(apart, ignore_errors=True)
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", str(book.root), "-q", "--path-output", str(apart)]
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise UserError(f"no {program}: install requirements.txt") from None
    if done.returncode:
        raise UserError("the pages can't be built: Sphinx says above why")
    return apart / "_build" / "html"


def copy_pages(book: Book, built: Path) -> Path:
    """The folder of the pages, copied from where they were built."""
    apart = book.build / "pdf"
    shutil.rmtree(apart, ignore_errors=True)
    return shutil.copytree(built, apart / "_build" / "html")


def read_pages(book: Book, folder: Path) -> list[Page]:
    """The pages in the order of the table of contents."""
    contents = yaml.safe_load((book.root / "_toc.yml").read_text())
    return [
        Page(name, part, (folder / f"{name}.html").read_text()) for name, part in in_order(contents)
    ]


def in_order(contents: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Documents of a `_toc.yml`, each with the caption of the part that begins with it."""
    name = contents.get("root") or contents.get("file")
    caption = contents.get("caption")
    if name is not None:
        yield name, caption
        caption = None
    for key in ("parts", "chapters", "sections", "entries"):
        for entry in contents.get(key, ()):
            for document, own in in_order(entry):
                yield document, own or caption
                caption = None


def read_about(book: Book) -> dict[str, str]:
    """Title, authors, version, date and abstract, as `CITATION.cff` has them.

    Raises:
        UserError: there is no `CITATION.cff`.
    """
    path = book.root / "CITATION.cff"
    if not path.exists():
        raise UserError(f"{path} is missing: it has the book's title and authors")
    source = yaml.safe_load(path.read_text())
    about = {key: str(source.get(key, "")) for key in ABOUT}
    return about | {"authors": ", ".join(map(_name, source["authors"]))}


def _name(author: Mapping[str, str]) -> str:
    parts = (author.get("given-names"), author.get("family-names"))
    return author.get("name") or " ".join(filter(None, parts))


def join(pages: Sequence[Page], about: Mapping[str, str]) -> str:
    """One HTML document of all pages: title page, contents, chapters.

    Its addresses are relative to the folder of the pages. Each id gets its page's name before it.
    A link to another page becomes one within the document, one to a file the file's name.
    """
    from bs4 import BeautifulSoup

    soups = {page.name: BeautifulSoup(page.html, "html.parser") for page in pages}
    articles = {name: _article(name, soup) for name, soup in soups.items()}
    titles = {page.name: _title(articles[page.name]) for page in pages}
    ids = {page.name: _own_ids(page, articles[page.name]) for page in pages}
    anchors = {page.name: page.anchor for page in pages}
    for page in pages:
        _mend_links(articles[page.name], page.name, anchors, ids)
    body = "\n".join(_chapter(page, articles[page.name]) for page in pages)
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light"><head>\n'
        f'<meta charset="utf-8"><title>{html.escape(about["title"])}</title>\n'
        f"{_head(soups)}\n<style>{_running_heads(pages, titles)}</style></head>\n"
        f'<body class="whole-book">\n{_cover(about)}\n{_contents(pages, titles)}\n'
        f'<main class="bd-main"><div class="bd-content">\n{body}\n</div></main></body></html>\n'
    )


def _article(name: str, soup: BeautifulSoup) -> Tag:
    article = soup.select_one("article.bd-article")
    if article is None:
        raise UserError(f"{name}.html has no article: was it built by another theme?")
    for tag in list(filter(_for_screens, article.find_all(True))):
        tag.decompose()
    for tag in article.find_all("noscript"):  # no script runs here
        tag.unwrap()
    for fold in article.find_all("details"):
        fold["open"] = ""
    for image in _with("src", article.find_all("img")):
        image["src"] = _resolve(name, str(image["src"]))
        del image["loading"]
    return article


def _for_screens(tag: Tag) -> bool:
    return tag.name in SCREEN_ONLY or not SCREEN_ONLY_CLASSES.isdisjoint(tag.get("class") or ())


def _with(name: str, tags: Iterable[Tag]) -> Iterator[Tag]:
    """Those that have an attribute. Much faster than a selector, which asks a dozen questions."""
    return (tag for tag in tags if name in tag.attrs)


def _title(article: Tag) -> str:
    heading = article.find("h1")
    return " ".join(heading.get_text().split()) if heading else ""


def _own_ids(page: Page, article: Tag) -> set[str]:
    """Put the page's name before each id, of equal ones the first only; the ids as they were."""
    seen: set[str] = set()
    tags = article.find_all(True)
    for tag in _with("id", tags):
        old = str(tag["id"])
        if old in seen:
            del tag["id"]
        else:
            tag["id"] = f"{page.anchor}--{old}"
            seen.add(old)
    for name in REFERRING:
        for tag in _with(name, tags):
            tag[name] = " ".join(f"{page.anchor}--{old}" for old in str(tag[name]).split())
    return seen


def _mend_links(
    article: Tag, name: str, anchors: Mapping[str, str], ids: Mapping[str, set[str]]
) -> None:
    for link in _with("href", article.find_all("a")):
        address = urlsplit(str(link["href"]))
        if address.scheme in ("http", "https", "mailto"):
            continue
        document = _resolve(name, address.path).removesuffix(".html") if address.path else name
        fragment = unquote(address.fragment)
        if fragment in ids.get(document, ()):
            link["href"] = f"#{anchors[document]}--{fragment}"
        elif address.path and document in anchors:
            link["href"] = f"#{anchors[document]}"
        elif link.has_attr("download"):  # on paper the file's name says more than its kind
            link.string = posixpath.basename(unquote(address.path))
            link.name, link.attrs = "code", {}
        else:
            link.unwrap()


def _resolve(name: str, address: str) -> str:
    """An address on a page, relative to the folder of all pages; what has a scheme stays."""
    if urlsplit(address).scheme:
        return address
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))


def _head(soups: Mapping[str, BeautifulSoup]) -> str:
    """Styles and MathJax of all pages, each once. Of the theme's scripts none."""
    found: dict[str, None] = {}
    for name, soup in soups.items():
        for style in (soup.head or soup).find_all("link", rel="stylesheet"):
            style["href"] = _resolve(name, str(style["href"]))
            found[str(style)] = None
        for script in soup.find_all("script"):
            if "mathjax" in str(script.get("src", "")):
                script["src"] = _resolve(name, str(script["src"]))
                found[str(script)] = None
            elif script.get_text().lstrip().startswith("window.MathJax"):
                found[str(script)] = None
    return "\n".join(found)


def _running_heads(pages: Sequence[Page], titles: Mapping[str, str]) -> str:
    rules = []
    for index, page in enumerate(pages):
        text = titles[page.name].replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
        rules.append(f'@page chapter-{index} {{ @top-left {{ content: "{text}" }} }}')
        rules.append(f"#{_css_name(page.anchor)} {{ page: chapter-{index} }}")
    return "\n".join(rules)


def _css_name(anchor: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else f"\\{c}" for c in anchor)


def _cover(about: Mapping[str, str]) -> str:
    told = {key: html.escape(value) for key, value in about.items()}
    version = f"Version {told['version']}, {told['date-released']}"
    return (
        f'<section class="cover"><h1>{told["title"]}</h1>\n'
        f'<p class="authors">{told["authors"]}</p>\n'
        f'<p class="abstract">{told["abstract"]}</p>\n<p class="edition">{version}<br>\n'
        "Text and figures: CC BY 4.0. Code: MIT licence.<br>\n"
        "This is the printed form of the book&#8217;s pages. Figures with their data, and the code "
        "of every number, come with the book&#8217;s sources, in <code>book/figures/</code> and "
        "<code>falsestruct/</code>.</p></section>"
    )


def _contents(pages: Sequence[Page], titles: Mapping[str, str]) -> str:
    lines = []
    for page in pages:
        if page.part:
            lines.append(f'<li class="part">{html.escape(page.part)}</li>')
        title = html.escape(titles[page.name])
        lines.append(
            f'<li><a href="#{page.anchor}"><span class="title">{title}</span>'
            f'<span class="number" data-anchor="{page.anchor}"></span></a></li>'
        )
    listed = "\n".join(lines)
    return f'<nav class="book-contents"><h1>Contents</h1>\n<ul>\n{listed}\n</ul></nav>'


def _chapter(page: Page, article: Tag) -> str:
    part = f'<p class="part">{html.escape(page.part)}</p>\n' if page.part else ""
    return f'<section class="chapter" id="{page.anchor}">\n{part}{article}\n</section>'


def print_document(document: Path, browser: str) -> Printed:
    """A joined document as PDF, with page numbers in its contents.

    Raises:
        UserError: it asks for something that isn't a local file.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser)
        page = chromium.new_page(color_scheme="light")
        foreign: list[str] = []
        page.on("request", lambda request: _note_foreign(request.url, foreign))
        page.emulate_media(media="print")  # formulas are as large as the text on paper
        page.goto(document.as_uri(), wait_until="load", timeout=120_000)
        _settle(page)
        # Contents have page numbers only after a first print, of the layout alone.
        unseen = page.add_style_tag(content="* { visibility: hidden !important }")
        draft = page.pdf(prefer_css_page_size=True, print_background=True)
        unseen.evaluate("style => style.remove()")
        numbers, count = _page_numbers(draft)
        page.evaluate(
            "numbers => document.querySelectorAll('[data-anchor]').forEach("
            "tag => { tag.textContent = numbers[tag.dataset.anchor] ?? '' })",
            numbers,
        )
        data = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
        headings = page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]"
            ".map(heading => heading.textContent.replace(/\\s+/g, ' ').trim())"
        )
        chromium.close()
    if foreign:
        raise UserError(f"the book asks for {foreign[0]}: it must be whole without a network")
    return Printed(data, count, headings)


def _note_foreign(address: str, foreign: list[str]) -> None:
    if urlsplit(address).scheme not in ("file", "data", "blob"):
        foreign.append(address)


def _settle(page: BrowserPage) -> None:
    """Wait for formulas, fonts and pictures."""
    broken = page.evaluate(
        """async () => {
          await window.MathJax?.startup?.promise;
          await document.fonts.ready;
          const broken = [];
          const shown = image => image.decode().catch(() => broken.push(image.src));
          await Promise.all([...document.images].map(shown));
          return broken;
        }"""
    )
    if broken:
        name = posixpath.basename(urlsplit(broken[0]).path)
        raise UserError(f"the picture {name} can't be shown: is it there? `falsestruct list`")


def _page_numbers(data: bytes) -> tuple[dict[str, int], int]:
    """On which page each named place is, counted from 1; and how many pages there are."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    numbers = {}
    for name, place in reader.named_destinations.items():
        number = reader.get_destination_page_number(place)
        if number is not None:
            numbers[name.removeprefix("/")] = number + 1
    return numbers, len(reader.pages)


def described(printed: Printed, about: Mapping[str, str]) -> bytes:
    """The PDF with title, authors and subject, and whole headings in its outline.

    Chromium drops the space where a heading's line breaks, and formulas. The changes are appended
    to what it wrote.
    """
    from pypdf import PdfReader
    from pypdf.generic import NameObject, TextStringObject

    reader = PdfReader(io.BytesIO(printed.data))
    trailer: Any = reader.trailer
    information = trailer["/Info"].get_object()
    entries = list(_outline(trailer["/Root"].get("/Outlines")))
    told = {"/Title": about["title"], "/Author": about["authors"], "/Subject": about["abstract"]}
    for name, text in told.items():
        information[NameObject(name)] = TextStringObject(text)
    if len(entries) == len(printed.headings):
        for entry, heading in zip(entries, printed.headings, strict=True):
            entry[NameObject("/Title")] = TextStringObject(heading)
    return printed.data + _update(reader, [information, *entries], printed.data)


def _update(reader: PdfReader, changed: Iterable[Any], data: bytes) -> bytes:
    """What to append to a PDF so that these objects of it are read as they are now.

    An incremental update: ISO 32000-1, 7.5.6. pypdf writes one as well, but it compares all objects
    to find the changed ones, which is 13 seconds for the book.
    """
    from pypdf.generic import DictionaryObject, NameObject, NumberObject

    out, table = io.BytesIO(), "xref\n0 1\n0000000000 65535 f \n"
    for one in changed:
        number = one.indirect_reference.idnum
        out.write(b"\n")
        table += f"{number} 1\n{len(data) + out.tell():010} 00000 n \n"
        out.write(f"{number} 0 obj\n".encode())
        one.write_to_stream(out)
        out.write(b"\nendobj")
    before = int(data.rpartition(b"startxref")[2].split()[0])
    trailer = DictionaryObject({NameObject("/Prev"): NumberObject(before)})
    for name in ("/Size", "/Root", "/Info", "/ID"):
        if name in reader.trailer:
            trailer[NameObject(name)] = reader.trailer.raw_get(name)
    out.write(b"\n")
    start = len(data) + out.tell()
    out.write(f"{table}trailer\n".encode())
    trailer.write_to_stream(out)
    return out.getvalue() + f"\nstartxref\n{start}\n%%EOF\n".encode()


def _outline(entry: Any) -> Iterator[Any]:
    """The entries of an outline, in the order of the text."""
    child = entry.get_object().get("/First") if entry is not None else None
    while child is not None:
        found = child.get_object()
        yield found
        yield from _outline(found)
        child = found.get("/Next")
