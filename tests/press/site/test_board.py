"""The status board counts every claim about a component, and its sentences say what it counts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from falsestruct.press.notebook.stated import COMPONENTS, VERDICTS
from falsestruct.press.site import board
from falsestruct.press.site.ledger import Entry
from falsestruct.statistics import Nobody
from tests.worlds.ledger import claim, entry, record, rows, tree

HEAD = ["Problem", *board.COLUMNS.values()]
ENTRIES = [
    entry("d-1", problem="digits"),
    entry("s-1", architecture="MLP", problem="stripes"),
    entry("s-2", "refuted", architecture="MLP", problem="stripes"),
    entry("s-3", "inconclusive", problem="stripes"),
    entry("s-4", component="instability", about="structure", problem="stripes"),
    entry("s-5", "refuted", component="instability", about="networks", problem="stripes"),
    entry("s-6", component="instability", about="neither", problem="stripes"),
    entry("s-7", "no record", component="simplicity", architecture="CNN", problem="stripes"),
    Entry(claim("s-8", component="simplicity", problem="stripes"), record(Nobody("none is"))),
    entry("f-1", component="foundation", problem="stripes"),
    entry("k-1", kind="check", problem="stripes"),
]
TARGETS = tuple(f"ledger-{one.claim.id}" for one in ENTRIES)


def test_counts_stand_above_values_and_problems_without_a_structure_come_last():
    header, *body = rows(tree(board.board(ENTRIES), targets=TARGETS))
    assert header == HEAD
    assert body == [
        ["stripes", "1 supported<br>1 refuted<br>1 inconclusive", "1 supported", "1 refuted",
         "1 supported", "1 inconclusive<br>1 no record"],
        ["MLP", "supported 0.75<br>refuted 0.25", "–", "–", "–", "–"],
        ["CNN", "–", "–", "–", "–", "no record ?"],
        ["no single one", "inconclusive 0.5", "supported 0.75", "refuted 0.25", "supported 0.75",
         "inconclusive ?"],
        ["digits, nothing planted", "1 supported", "–", "–", "–", "–"],
        ["no single one", "supported 0.75", "–", "–", "–", "–"],
        ["all", "2 supported<br>1 refuted<br>1 inconclusive", "1 supported", "1 refuted",
         "1 supported", "1 inconclusive<br>1 no record"],
    ]  # fmt: skip


def test_the_small_board_is_the_same_board_summed():
    large = rows(tree(board.board(ENTRIES), targets=TARGETS))
    assert rows(tree(board.small_board(ENTRIES))) == [large[i] for i in (0, 1, 5, 7)]


@st.composite
def ledgers(draw):
    kinds = st.tuples(
        st.sampled_from(("digits", "stripes", "other")),
        st.sampled_from(COMPONENTS),
        st.sampled_from(("structure", "networks", "neither")),
        st.sampled_from((*VERDICTS, "no record")),
        st.sampled_from(("measured", "proved", "check")),
    )
    found = []
    for i, (problem, component, about, verdict, kind) in enumerate(draw(st.lists(kinds))):
        own = {"about": about} if component == "instability" else {}
        one = entry(f"c{i}", verdict, problem=problem, component=component, kind=kind, **own)
        found.append(one)
    return found


@given(ledgers())
def test_the_sentences_follow_from_the_counts_whatever_they_are(entries):
    counted = [e for e in entries if e.claim.component != "foundation" and e.claim.kind != "check"]
    lines = board.sentences(entries).strip().splitlines()
    said = {re.match(r"- \*\*(.+?)\*\*", line)[1]: line for line in lines if line}
    for name, title in board.COLUMNS.items():
        own = [e for e in counted if (e.claim.about or e.claim.component) == name]
        assert (title in said) == bool(own)
        for problem in {e.claim.problem for e in own}:
            found = [e.verdict for e in own if e.claim.problem == problem]
            way = "Divided"
            if not {"supported", "refuted"} & set(found):
                way = "Open"
            elif len(set(found)) == 1:
                way = f"{found[0].capitalize()} throughout"
            [sentence] = re.findall(rf"{way}: ([^.]*)\.", said[title])
            part = next(
                p for p in sentence.split("; ") if p.startswith(board.NAMES.get(problem, problem))
            )
            assert all(f"{found.count(v)} {v}" in part for v in set(found)) or part.endswith(
                f"({len(found)})"
            )
        for verdict in (*VERDICTS, "no record"):
            count = sum(e.verdict == verdict for e in own)
            assert not count or f"{count} {verdict}" in said[title].partition(". ")[0]


@given(ledgers())
def test_every_claim_about_a_component_is_in_one_cell(entries):
    counted = [e for e in entries if e.claim.component != "foundation" and e.claim.kind != "check"]
    found = [e.claim.id for part in board.cells(entries).values() for e in part]
    assert sorted(found) == sorted(e.claim.id for e in counted)
