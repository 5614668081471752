"""Certificates that were laid in book/certificates, as the evidence's page lists them.

Strangers wrote them. So each is checked when the page is built, what doesn't follow is said, and
their words are shown as they are, never read as a page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from falsestruct.press.paths import Book
from falsestruct.press.run import certificates
from falsestruct.press.run.certificates import Laid
from falsestruct.press.site.pages import download, literal

NONE = "No certificate of a re-execution was laid here yet.\n"
# Not the reason: that names folders of the machine that builds.
UNCOMPARED = "Not compared with its commit: git has no whole history of this copy."
SHOWN = 3  # lines about what differs; the rest is in the certificate, since this page is heavy


def as_list(book: Book, laid: Sequence[Laid]) -> str:
    """A list as MyST, in this order."""
    return "\n".join(line for one in laid for line in _entry(book, one)) or NONE


def _entry(book: Book, one: Laid) -> list[str]:
    """A certificate, or why it is none."""
    found, name = one.certificate, _named(book, one)
    wrong = [f"**This certificate does not hold:** {literal(what)}" for what in one.wrong]
    if found is None:
        return [f"- {name}", *_below(wrong)]
    told = [f"{chapter} failed: {literal(why)}" for chapter, why in found["failed"].items()]
    told += certificates.differences(found, literal)
    if not one.compared:
        wrong.append(UNCOMPARED)
    head = f"- {name}: {certificates.summary(found, literal)}."
    return [head, *_below(wrong), *_below(told)]


def _below(lines: Sequence[str]) -> list[str]:
    """At most so many lines, and how many more there are."""
    left = len(lines) - SHOWN
    more = [f"  - and {left} more, which the file tells"] if left > 0 else []
    return [*(f"  - {line}" for line in lines[:SHOWN]), *more]


def _named(book: Book, one: Laid) -> str:
    """Links to the file, and to the page beside it if that is the certificate's own."""
    if not re.fullmatch(r"[\w.+-]+", one.path.name, re.ASCII):  # it would mean something here
        return literal(ascii(one.path.name).strip("'\""))
    page = one.path.with_suffix(".md")
    links = [download(book, one.path, one.path.stem)]
    if one.certificate and page.exists():
        text = page.read_text(encoding="utf-8", errors="replace")
        if text == certificates.as_page(one.certificate):
            links.append(f"({download(book, page, 'as a page')})")
    return " ".join(links)
