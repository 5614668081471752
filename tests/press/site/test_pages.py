"""Pages made from what the chapters found, read as MyST."""

import io
from dataclasses import replace

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st
from myst_parser.parsers.docutils_ import Parser
from pybtex.database import parse_string

from falsestruct.press.notebook import claims, figures
from falsestruct.press.notebook.claims import COMPONENTS, VERDICTS
from falsestruct.press.paths import Book
from falsestruct.press.site import pages

ENVIRONMENT = {"python": "3.0", "torch": "2.0", "machine": "A machine", "threads": 1}


def claim(id, *, component="success", problem="none", expected="supported"):
    return claims._claim(
        {
            "id": id,
            "chapter": "01_one",
            "component": component,
            "problem": problem,
            "kind": "measured",
            "sentence": f"Sentence of {id}, with $|x|$ and a | bar.",
            "source": "ours, by hand",
            "measure": f"Measure of {id}.",
            "supported": {"low": "> 0.5"},
            "refuted": [{"high": "< 0.5"}, {"low": "> 7", "value": "== 8"}],
            "control": {"sentence": f"Control of {id}.", "rule": {"high": "<= 0.1"}},
            "expected": expected,
        }
    )


def record(verdict, *, value=0.75, holds=True, commit="abc", seconds=1.5):
    estimate = {"value": value, "low": 0.625, "high": 0.875, "n": 12, "method": "Wilson"}
    control = {"value": 0.0, "low": 0.0, "high": 0.0, "n": 1, "method": "exact", "holds": holds}
    return {
        "chapter": "01_one", "verdict": verdict, **estimate, "control": control,
        "environment": ENVIRONMENT, "commit": commit, "seconds": seconds,
    }  # fmt: skip


def entry(id="a-claim", verdict="supported", **changes):
    found = None if verdict == pages.UNRECORDED else record(verdict)
    return pages.Entry(claim(id, **changes), found)


def tree(text):
    """The page as docutils reads it; whatever it complains about fails."""
    complaints = io.StringIO()
    settings = {
        "myst_enable_extensions": ["attrs_inline", "colon_fence", "deflist", "dollarmath"],
        "warning_stream": complaints,
        "report_level": 2,
    }
    # Cards are in the chapters, so stand-ins catch the links to them.
    cards = {f"claim-{id}" for id in ("a-claim", "b-claim", "c-claim")}
    stand_ins = "".join(f"({card})=\n\nCard.\n\n" for card in sorted(cards))
    document = publish_doctree(stand_ins + text, parser=Parser(), settings_overrides=settings)
    assert complaints.getvalue() == ""
    return document


def test_a_ledger_has_every_claim_and_only_claims():
    stated = {id: claim(id) for id in ("a-claim", "b-claim")}
    found = pages.ledger(stated, {"b-claim": record("refuted"), "gone": record("supported")})
    assert [(e.claim.id, e.verdict) for e in found] == [
        ("a-claim", "no record"),
        ("b-claim", "refuted"),
    ]
    assert found[0].estimate is None
    assert found[1].estimate.low == 0.625
    assert found[1].control.value == 0


@given(st.lists(st.tuples(st.sampled_from((*VERDICTS, "no record")), st.sampled_from(VERDICTS))))
def test_the_tally_adds_up(given_entries):
    entries = [entry(f"c{i}", v, expected=e) for i, (v, e) in enumerate(given_entries)]
    counts = pages.tally(entries)
    assert counts["claims"] == len(entries)
    assert sum(counts[v] for v in VERDICTS) + counts["unrecorded"] == len(entries)
    unexpected = [1 for v, e in given_entries if v not in (e, "no record")]
    assert counts["unexpected"] == len(unexpected)


def test_the_tally_counts_each_verdict():
    verdicts = ["supported"] * 3 + ["refuted"] * 2 + ["inconclusive"]
    counts = pages.tally([entry(f"c{i}", verdict) for i, verdict in enumerate(verdicts)])
    assert counts == {
        "claims": 6, "supported": 3, "refuted": 2, "inconclusive": 1, "unrecorded": 0,
        "unexpected": 3,
    }  # fmt: skip


def test_quotable_is_what_was_found():
    quotes = pages.quotable([entry("a-claim", "refuted"), entry("b-claim", "no record")])
    assert quotes["a-claim"] == "0.750, 95 % interval [0.625, 0.875], n = 12"
    assert quotes["a-claim-verdict"] == "refuted"
    assert (quotes["claims"], quotes["refuted"]) == (2, 1)
    assert not {"b-claim", "b-claim-verdict"} & set(quotes)


def rows(document):
    """The cells' text of the page's first table."""
    table = next(document.findall(nodes.table))
    return [[cell.astext() for cell in row.children] for row in table.findall(nodes.row)]


def test_the_summary_counts_by_component():
    entries = [
        entry("a-claim", "supported", component="success"),
        entry("b-claim", "refuted", component="success"),
        entry("c-claim", "inconclusive", component="simplicity"),
    ]
    header, *body = rows(tree(pages.summary(entries)))
    assert header == ["Component", "Claims", *VERDICTS]
    assert body == [
        ["Foundation", "0", "0", "0", "0"],
        ["Success", "2", "1", "1", "0"],
        ["Instability", "0", "0", "0", "0"],
        ["Simplicity", "1", "0", "0", "1"],
        ["All", "3", "1", "1", "1"],
    ]


def test_the_board_has_a_row_a_problem_and_architecture():
    def cell(id, verdict, component, architecture, problem="stripes"):
        made = entry(id, verdict, component=component, problem=problem)
        return replace(made, claim=replace(made.claim, architecture=architecture))

    entries = [
        cell("f-claim", "supported", "foundation", "CNN", problem="digits"),
        cell("g-claim", "supported", "success", "CNN", problem="digits"),
        cell("c-claim", "inconclusive", "simplicity", "CNN", problem="digits"),
        cell("a-claim", "supported", "success", "MLP"),
        cell("e-claim", "supported", "success", "MLP"),
        cell("b-claim", "refuted", "instability", "MLP"),
        cell("d-claim", "no record", "success", "CNN"),
        cell("h-claim", "supported", "simplicity", "CNN"),
        entry("elsewhere", "supported"),
    ]
    targets = "".join(f"(ledger-{e.claim.id})=\n\nHere.\n\n" for e in entries)
    document = tree(targets + pages.board(entries))
    assert rows(document) == [
        ["Problem", "Architecture", "Success", "Instability", "Simplicity"],
        ["stripes", "MLP", "supported 0.75, 0.75", "refuted 0.75", "–"],
        ["stripes", "CNN", "no record d-claim", "–", "supported 0.75"],
        ["digits", "CNN", "supported 0.75", "–", "inconclusive 0.75"],
    ]
    counts = pages.board_counts(entries)
    assert counts["stripes-success-supported"] == 2 and counts["stripes-success-refuted"] == 0
    assert counts["stripes-cells"] == 5 and counts["stripes-success-cells"] == 3
    assert counts["digits-simplicity-inconclusive"] == 1
    assert "none-cells" not in counts


def test_the_small_board_has_digits_without_a_structure_last_and_says_so():
    entries = []
    for id, problem in (("a", "digits"), ("b", "digits-pixel"), ("c", "stripes"), ("d", "digits")):
        made = entry(f"{id}-claim", "supported", component="success", problem=problem)
        entries.append(replace(made, claim=replace(made.claim, architecture="MLP")))
    _, *body = rows(tree(pages.small_board(entries)))
    assert [row[:2] for row in body] == [
        ["digits with a pixel", "1 supported"],
        ["stripes", "1 supported"],
        ["digits, nothing planted", "2 supported"],
    ]


def test_a_component_shows_its_claims_by_problem_whatever_their_verdict():
    entries = [
        entry("a-claim", "inconclusive", problem="one"),
        entry("b-claim", "supported", problem="two"),
        entry("c-claim", "refuted", problem="one"),
        entry("elsewhere", "supported", component="foundation"),
    ]
    document = tree(pages.component(entries, "success"))
    _, *body = rows(document)
    assert [row[0] for row in body] == ["inconclusive", "refuted", "supported"]
    assert [row[2:] for row in body] == [
        ["one", "0.750 [0.625, 0.875]", "12"],
        ["one", "0.750 [0.625, 0.875]", "12"],
        ["two", "0.750 [0.625, 0.875]", "12"],
    ]
    ids = [part["ids"] for part in document.findall(nodes.admonition)]
    assert [any(f"ledger-{id}" in names for names in ids) for id in ("a-claim", "c-claim")] == [
        True,
        True,
    ]
    assert "elsewhere" not in document.astext()


def test_refuted_is_as_prominent_as_supported():
    supported, refuted = (pages.details(entry("a-claim", v)) for v in ("supported", "refuted"))
    assert len(supported.splitlines()) == len(refuted.splitlines())
    assert refuted.splitlines()[1].startswith("::::{admonition} Refuted: ")
    assert "claim-refuted" in refuted.splitlines()[2]


def test_an_entry_tells_everything():
    text = tree(pages.details(entry("a-claim", "supported"))).astext()
    for part in (
        "Sentence of a-claim", "Measure of a-claim.", "low > 0.5",
        "high < 0.5, or low > 7 and value == 8", "Control of a-claim.", "Required: high <= 0.1",
        "It came to 0 (exact). It holds.", "ours, by hand", "measured",
        "0.750, 95 % interval [0.625, 0.875], n = 12",
    ):  # fmt: skip
        assert part in text, part


def test_a_failed_control_and_a_surprise_are_said():
    failed = pages.Entry(claim("a-claim"), record("inconclusive", holds=False))
    text = tree(pages.details(failed)).astext()
    assert "It does not hold." in text
    assert "supported, and it came out otherwise" in text
    assert "otherwise" not in pages.details(entry("a-claim", "refuted", expected="refuted"))


def test_a_claim_without_record_links_to_no_card():
    text = pages.component([entry("never-run", "no record")], "success")
    assert "claim-never-run" not in text
    assert "falsestruct run 01_one" in tree(text).astext()


def test_every_link_to_the_ledger_has_its_target():
    document = tree(pages.component([entry("a-claim"), entry("b-claim", "refuted")], "success"))
    wanted = {ref["refid"] for ref in document.findall(nodes.reference) if "refid" in ref}
    assert {"ledger-a-claim", "ledger-b-claim", "claim-a-claim", "claim-b-claim"} <= wanted


@pytest.mark.parametrize("name", COMPONENTS)
def test_an_empty_component_says_so(name):
    assert pages.component([], name) == "No claim yet.\n"


def test_an_unknown_component_is_an_error():
    with pytest.raises(ValueError, match="'sucess'; expected one of foundation, success"):
        pages.component([], "sucess")


def test_what_is_compared_does_not_change_with_commit_or_time():
    one, two = (
        [pages.Entry(claim("a-claim"), record("supported", commit=c, seconds=s))]
        for c, s in (("abc", 1.0), ("def", 2.0))
    )
    for page in (pages.summary, pages.quotable, lambda e: pages.component(e, "success")):
        assert page(one) == page(two)
    assert pages.provenance(one) != pages.provenance(two)


def test_provenance_has_a_row_for_each_origin():
    entries = [
        pages.Entry(claim("a-claim"), record("supported")),
        pages.Entry(claim("b-claim"), record("refuted")),
        pages.Entry(claim("c-claim"), record("refuted", commit="def")),
        entry("never-run", "no record"),
    ]
    text = pages.provenance(entries)
    assert text.startswith("With python 3.0, torch 2.0:\n")
    _, *body = rows(tree(text))
    assert body == [
        ["01_one", "abc", "A machine", "1", "1.5"],
        ["01_one", "def", "A machine", "1", "1.5"],
    ]


FIGURE = figures.Published(
    "a-figure", "01_one", "plots:line", {}, "What to see.", "A line\nthat rises.", {}
)


@pytest.fixture
def book_with_figure(finished_once, monkeypatch):
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(finished_once.root))
    monkeypatch.delenv("FALSESTRUCT_OUTPUT", raising=False)
    return finished_once


@pytest.mark.slow
def test_pages_read_the_book(book_with_figure):
    assert [(e.claim.id, e.verdict) for e in pages.read_ledger()] == [("one-holds", "supported")]
    (record,) = pages.read_figures()
    assert record.id == "one-line"


@pytest.mark.slow
def test_a_figure_comes_with_downloads_citation_and_command(book_with_figure):
    text = pages.gallery(pages.read_figures())
    files = book_with_figure.root / "book" / "figures"
    for kind in ("svg", "pdf", "png", "csv"):
        assert f"{{download}}`{kind.upper()} <../book/figures/one-line.{kind}>`" in text
        assert (files / f"one-line.{kind}").exists()
    assert "(figure-one-line)=" in text
    assert "A caption." in text
    assert ":alt: A line.\n" in text
    assert "falsestruct figure one-line --style paper" in text
    bibtex = text.partition("```{code-block} bibtex\n")[2].partition("```")[0]
    assert list(parse_string(bibtex, "bibtex").entries) == ["falsestruct:one-line"]


def test_the_index_of_figures_links_to_each():
    assert "[a-figure](#figure-a-figure)" in pages.figure_index([FIGURE])
    assert "{numref}`fig-a-figure`" in pages.figure_index([FIGURE])


def test_figures_come_as_their_chapters_publish_them(tmp_path):
    book = Book(tmp_path)
    book.source.mkdir()
    (book.source / "01_one.md").write_text('publish(p, t, "z")\nthen "b", at last "a"')
    (book.source / "02_two.md").write_text('"a-0"')
    places = [("02_two", "a-0"), ("01_one", "z"), ("01_one", "made-up"), ("01_one", "a")]
    places += [("01_one", "b"), ("00_gone", "y")]
    records = [replace(FIGURE, chapter=chapter, id=id) for chapter, id in places]
    ids = [record.id for record in pages.in_order(records, book)]
    assert ids == ["y", "z", "b", "a", "made-up", "a-0"]


def test_no_figure_is_said():
    assert pages.gallery([]) == "No figure yet.\n"


def test_shown_text_is_escaped_where_it_is_html(monkeypatch):
    shown = {}
    monkeypatch.setattr(pages.display, "show", lambda **forms: shown.update(forms))
    pages.show("low < 1 & <b>")
    assert shown["markdown"] == "low < 1 & <b>"
    assert "low &lt; 1 &amp; &lt;b&gt;" in shown["html"]
