"""One claim, as a file states it and as the press holds it."""

import json
from dataclasses import asdict

import pytest
import yaml

from falsestruct.press.notebook.stated import Claim, read_claims, spread
from falsestruct.press.paths import Book
from falsestruct.statistics import exact

ENTRY = {
    "id": "a-claim", "component": "success", "problem": "none", "kind": "measured",
    "sentence": "It\n holds.", "source": "ours", "measure": "A number.",
    "supported": {"low": "> 0.5"}, "refuted": {"high": "< 0.5"},
    "control": {"sentence": "Not here.", "rule": {"high": "<= 0.1"}},
    "networks": 0, "predicted": "supported", "pinned": "supported",
}  # fmt: skip


@pytest.fixture(scope="session")
def entry():
    """An entry of a file, with changes; None leaves a field out."""
    return lambda **changes: {k: v for k, v in (ENTRY | changes).items() if v is not None}


@pytest.fixture(scope="session")
def claim(entry):
    """The claim that such an entry states."""
    return lambda **changes: Claim(chapter="01_one", **next(spread(entry(**changes))))


@pytest.fixture
def stated(tmp_path):
    """All claims of a book whose chapter 01_one states these entries, or this text."""

    def read(*entries, text=None):
        book = Book(tmp_path)
        book.claims.mkdir(parents=True, exist_ok=True)
        (book.claims / "01_one.yml").write_text(text or yaml.safe_dump(list(entries)))
        return read_claims(book)

    return read


@pytest.fixture(scope="session")
def recorded():
    """A record as a run leaves it, with changes."""

    def record(found, *, control=None, **changes):
        about = {"id": "a-claim", "chapter": "01_one", "parameters": {"seeds": 20}, "key": "now"}
        about |= asdict(found) | {"control": asdict(control or exact(0)), "commit": "unknown"}
        return json.loads(json.dumps(about | changes))

    return record
