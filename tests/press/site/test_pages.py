"""What pages are made of."""

from pathlib import Path

import pandas as pd

from falsestruct.press.paths import Book
from falsestruct.press.site import pages
from tests.worlds.ledger import rows, tree


def test_a_table_holds_any_text():
    text = pages.table(["A", "B"], [["a | bar", "[x]{.y}"]], "name", widths=[30, 70])
    assert rows(tree(text)) == [["A", "B"], ["a | bar", "x"]]


def test_a_frame_shows_its_index_if_it_has_a_name():
    data = pd.DataFrame({"kind": ["a", "bb"], "n": [1, 20]})
    named = [["kind", "n"], ["a", "1"], ["bb", "20"]]
    assert rows(tree(pages.frame(data, "name"))) == named
    assert rows(tree(pages.frame(data.set_index("kind"), "name"))) == named
    assert ":widths: 4 2" in pages.frame(data, "name")


def test_a_badge_has_its_word_and_a_class():
    assert pages.badge("no record") == "[no record]{.verdict .verdict-no-record}"
    assert pages.badge("refuted", count=3) == "[3 refuted]{.verdict .verdict-refuted}"
    assert (pages.plural(1, "claim"), pages.plural(0, "claim")) == ("1 claim", "0 claims")


def test_addresses_begin_at_the_book_wherever_the_file_is():
    book = Book(Path("/shelf/book"))
    assert pages.at(book, Path("/shelf/book/book/x.csv")) == "/book/x.csv"
    assert (
        pages.download(book, Path("/shelf/run/x.csv"), "CSV") == "{download}`CSV </../run/x.csv>`"
    )


def test_shown_text_is_escaped_where_it_is_html(monkeypatch):
    shown = {}
    monkeypatch.setattr(pages.display, "show", lambda **forms: shown.update(forms))
    pages.show("low < 1 & <b>")
    assert shown["markdown"] == "low < 1 & <b>"
    assert "low &lt; 1 &amp; &lt;b&gt;" in shown["html"]
