"""A ledger made up: claims that differ in what a test asks, and records for their verdicts."""

import io
from dataclasses import asdict

from docutils import nodes
from docutils.core import publish_doctree
from myst_parser.parsers.docutils_ import Parser

from falsestruct import statistics
from falsestruct.press.notebook.stated import Claim
from falsestruct.press.site.ledger import UNRECORDED, Entry
from falsestruct.statistics import Estimate, Nobody

ENVIRONMENT = {"python": "3.0", "torch": "2.0", "machine": "A machine", "threads": 1}
VALUES = {"supported": 0.75, "refuted": 0.25, "inconclusive": 0.5}
ESTIMATES = {
    verdict: Estimate(value, value - 0.125, value + 0.125, 12, "Wilson")
    for verdict, value in VALUES.items()
}


def claim(id: str = "a-claim", **changes: object) -> Claim:
    """A claim that more than half supports."""
    fields: dict[str, object] = {
        "id": id,
        "chapter": "01_one",
        "component": "success",
        "problem": "none",
        "kind": "measured",
        "sentence": f"Sentence of {id}, with $|x|$ and a | bar.",
        "source": "ours, by hand",
        "measure": f"Measure of {id}.",
        "supported": {"low": "> 0.5"},
        "refuted": [{"high": "< 0.5"}, {"low": "> 7", "value": "== 8"}],
        "control": {"sentence": f"Control of {id}.", "rule": {"high": "<= 0.1"}},
        "networks": 0,
        "predicted": "supported",
        "pinned": "supported",
    } | changes
    if fields["component"] == "instability":
        fields.setdefault("about", "networks")
    return Claim(**fields)


def record(found: Estimate | Nobody, *, control: float = 0.0, **more: object) -> dict[str, object]:
    """What a run leaves."""
    entry = {"chapter": "01_one", **asdict(found), "control": asdict(statistics.exact(control))}
    return entry | {"environment": ENVIRONMENT, "commit": "abc1", "seconds": 1.5} | more


def entry(id: str = "a-claim", verdict: str = "supported", **changes: object) -> Entry:
    """A line of the ledger that comes to this verdict."""
    found = None if verdict == UNRECORDED else record(ESTIMATES[verdict])
    return Entry(claim(id, **changes), found)


def tree(text: str, *, targets: tuple[str, ...] = ()) -> nodes.document:
    """The page as docutils reads it; whatever it complains about fails."""
    complaints = io.StringIO()
    settings = {
        "myst_enable_extensions": ["attrs_inline", "colon_fence", "deflist", "dollarmath"],
        "warning_stream": complaints,
        "report_level": 2,
    }
    # Cards are in the chapters, so stand-ins catch the links to them.
    known = (*(f"claim-{id}" for id in ("a-claim", "b-claim", "c-claim")), *targets)
    stand_ins = "".join(f"({name})=\n\nHere.\n\n" for name in known)
    document = publish_doctree(stand_ins + text, parser=Parser(), settings_overrides=settings)
    assert complaints.getvalue() == ""
    return document


def rows(document: nodes.document) -> list[list[str]]:
    """The cells' text of the page's first table."""
    table = next(document.findall(nodes.table))
    return [[cell.astext() for cell in row.children] for row in table.findall(nodes.row)]
