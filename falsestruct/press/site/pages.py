"""Pages made from what the chapters found: the ledger of claims, the gallery of figures.

Every function takes claims, records or figures and returns MyST text, which `show` displays.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from falsestruct.press.notebook import cards, claims, display, figures, staging
from falsestruct.press.notebook.cards import Decided
from falsestruct.press.notebook.claims import Found
from falsestruct.press.notebook.figures import FORMATS, Published
from falsestruct.press.notebook.history import UNCOMMITTED
from falsestruct.press.notebook.stated import COMPONENTS, UNKNOWN, VERDICTS, Claim, Rule, satisfies
from falsestruct.press.paths import Book, find_book
from falsestruct.press.site import citing
from falsestruct.statistics import Nobody

UNRECORDED = "no record"
FILES = (*FORMATS, "csv")


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: what was claimed, and what a run found.

    Attributes:
        claim: As stated beforehand.
        record: As a run left it; None if none did.
    """

    claim: Claim
    record: Mapping[str, Any] | None

    @property
    def verdict(self) -> str:
        """One of `claims.VERDICTS`, or `UNRECORDED`."""
        return UNRECORDED if self.record is None else claims.verdict(self.claim, self.record)

    @property
    def ids(self) -> tuple[str, ...]:
        """Its claim's id and former ids."""
        return self.claim.id, *self.claim.aliases

    @property
    def decided(self) -> Decided:
        """What a card shows of it; the claim must have a record."""
        if self.record is None or self.estimate is None or self.control is None:
            raise ValueError(f"claim {self.claim.id!r} has no record; expected one")
        found = self.estimate, self.control
        return Decided(self.claim, self.verdict, *found, since(self.record))

    @property
    def estimate(self) -> Found | None:
        """What the measure came to."""
        return None if self.record is None else claims.estimate(self.record)

    @property
    def control(self) -> Found | None:
        """What the control came to."""
        return None if self.record is None else claims.estimate(self.record["control"])


def read_ledger() -> list[Entry]:
    """All claims with their records, from the results that this process reads, as stated."""
    evidence = claims.read_evidence(staging.output().evidence)
    return ledger(claims.read_claims(find_book()), evidence)


def ledger(stated: Mapping[str, Claim], evidence: Mapping[str, Mapping[str, Any]]) -> list[Entry]:
    """Claims beside their records. A record without a claim is no part of the ledger."""
    return [Entry(claim, evidence.get(id)) for id, claim in stated.items()]


def tally(entries: Iterable[Entry]) -> dict[str, int]:
    """How many claims there are, how many came to each verdict, how many otherwise than pinned.

    Returns:
        Counts under "claims", each of `VERDICTS`, "unrecorded" and "unexpected".
    """
    entries = list(entries)
    found = [entry.verdict for entry in entries]
    recorded = [entry for entry in entries if entry.record is not None]
    return {
        "claims": len(entries),
        **{verdict: found.count(verdict) for verdict in VERDICTS},
        "unrecorded": found.count(UNRECORDED),
        "unexpected": sum(entry.verdict != entry.claim.pinned for entry in recorded),
    }


def quotable(entries: Iterable[Entry]) -> dict[str, str | int]:
    """What other pages may quote: the tally, and `ID` and `ID-verdict` of each recorded claim."""
    entries = list(entries)
    quotes: dict[str, str | int] = dict(tally(entries))
    for entry in entries:
        if entry.estimate is not None:
            quotes[entry.claim.id] = claims.text(entry.estimate)
            quotes[f"{entry.claim.id}-verdict"] = entry.verdict
    return quotes


def show(text: str) -> None:
    """Display MyST text: rendered in the book, as it is in Jupyter."""
    plain = f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'
    display.show(markdown=text, html=plain, text=text)


def summary(entries: Sequence[Entry]) -> str:
    """A table of counts: a row a component and one for all, a column a verdict."""
    rows = []
    for component in (*COMPONENTS, "all"):
        part = [entry for entry in entries if component in (entry.claim.component, "all")]
        counts = tally(part)
        verdicts = [str(counts[verdict]) for verdict in VERDICTS]
        rows.append([component.capitalize(), str(counts["claims"]), *verdicts])
    header = ["Component", "Claims", *(badge(verdict) for verdict in VERDICTS)]
    return table(header, rows, "ledger-summary", widths=[28, 18, 18, 18, 18])


def badge(verdict: str) -> str:
    """A verdict as a word with a class, so that colour and icon come with it."""
    return f"[{verdict}]{{.verdict .verdict-{verdict.replace(' ', '-')}}}"


def component(entries: Iterable[Entry], name: str) -> str:
    """The claims of one component: a table, then an entry for each, by problem.

    Raises:
        ValueError: there is no such component.
    """
    if name not in COMPONENTS:
        raise ValueError(f"component {name!r}; expected one of {', '.join(COMPONENTS)}")
    part = [entry for entry in entries if entry.claim.component == name]
    # By problem, in the order of the chapters. Not by verdict: a refuted claim stands where a
    # supported one would.
    problems = list(dict.fromkeys(entry.claim.problem for entry in part))
    part.sort(key=lambda entry: problems.index(entry.claim.problem))
    if not part:
        return "No claim yet.\n"
    return "\n".join([_overview(part), *map(details, part)])


def _overview(entries: Iterable[Entry]) -> str:
    rows = []
    for entry in entries:
        id, estimate = entry.claim.id, entry.estimate
        card = f", [card](#claim-{id})" if estimate is not None else ""
        rows.append(
            [
                badge(entry.verdict),
                f"{entry.claim.sentence} [Details](#ledger-{id}){card}",
                entry.claim.problem,
                *(("", "") if estimate is None else (claims.interval(estimate), str(estimate.n))),
            ]
        )
    header = ["Verdict", "Claim", "Problem", "Value", "n"]
    return table(header, rows, "ledger-overview", widths=[15, 48, 14, 17, 6])


def board(entries: Iterable[Entry]) -> str:
    """The status board: a row a problem and architecture, a column a component of the conjecture.

    A cell has each verdict that occurs, and the values that came to it, each a link to the ledger.
    Problems of which all components are asked come first.
    """
    components = [name for name in COMPONENTS if name != "foundation"]
    cells: dict[tuple[str, str], dict[str, list[Entry]]] = {}
    for entry in entries:
        claim = entry.claim
        if claim.architecture and claim.component in components:
            row = cells.setdefault((claim.problem, claim.architecture), {})
            row.setdefault(claim.component, []).append(entry)
    problems = list(dict.fromkeys(problem for problem, _ in cells))
    asked = {p: len({c for (q, _), row in cells.items() if q == p for c in row}) for p in problems}
    rows = [
        [problem, architecture, *(_cell(row.get(name, [])) for name in components)]
        for (problem, architecture), row in cells.items()
    ]
    rows.sort(key=lambda row: (-asked[row[0]], problems.index(row[0])))
    header = ["Problem", "Architecture", *(name.capitalize() for name in components)]
    return table(header, rows, "status-board", widths=[18, 16, 22, 22, 22])


def _cell(entries: Sequence[Entry]) -> str:
    parts = []
    for verdict in (*VERDICTS, UNRECORDED):
        links = [
            f"[{_value(entry)}](#ledger-{entry.claim.id})"
            for entry in entries
            if entry.verdict == verdict
        ]
        if links:
            parts.append(f"{badge(verdict)} {', '.join(links)}")
    return "<br>".join(parts) or "–"


def _value(entry: Entry) -> str:
    found = entry.estimate
    return (
        entry.claim.id if found is None or isinstance(found, Nobody) else cards.number(found.value)
    )


def board_counts(entries: Iterable[Entry]) -> dict[str, int]:
    """How many cells of each problem came to each verdict: `PROBLEM-COMPONENT-VERDICT` and sums.

    Also `PROBLEM-cells`: how many there are. Problems in the form that claims name them.
    """
    counts: dict[str, int] = {}
    for entry in entries:
        claim = entry.claim
        if not claim.architecture:
            continue
        for verdict in VERDICTS:
            key = f"{claim.problem}-{claim.component}-{verdict}"
            counts[key] = counts.get(key, 0) + (entry.verdict == verdict)
        for key in (f"{claim.problem}-cells", f"{claim.problem}-{claim.component}-cells"):
            counts[key] = counts.get(key, 0) + 1
    return counts


PLANTED = {  # what the front page calls a problem
    "digits": "digits, nothing planted",
    "digits-brightness": "digits with brightness",
    "digits-pixel": "digits with a pixel",
    "digits-sinusoid": "digits with a sinusoid",
}


def small_board(entries: Iterable[Entry]) -> str:
    """The status board in small: a row a problem, a column a component, counts of verdicts."""
    counts = board_counts(entries := list(entries))
    components = [name for name in COMPONENTS if name != "foundation"]
    problems = dict.fromkeys(e.claim.problem for e in entries if e.claim.architecture)
    rows = []
    for problem in problems:
        cells = []
        for name in components:
            found = {v: counts.get(f"{problem}-{name}-{v}", 0) for v in VERDICTS}
            shown = [f"[{n} {v}]{{.verdict .verdict-{v}}}" for v, n in found.items() if n]
            cells.append("<br>".join(shown) or "–")
        if any(cell != "–" for cell in cells):
            rows.append([PLANTED.get(problem, problem), *cells])
    rows.sort(key=lambda row: row[0] == PLANTED["digits"])  # it names no structure: last
    header = ["Problem", *(name.capitalize() for name in components)]
    return table(header, rows, "small-board", widths=[25, 25, 25, 25])


def since(record: Mapping[str, Any]) -> str:
    """Since which commit a record's rule stands, and which one made its number, for a person."""
    stands, made = record.get("rule_since", UNKNOWN), record.get("commit", UNKNOWN)
    rule = {UNKNOWN: "since nobody knows when", UNCOMMITTED: "and is not committed yet"}
    told = rule.get(stands, f"since commit `{stands}`")
    number = f"by commit `{made}`" if made != UNKNOWN else "by a commit that nobody knows"
    order = ""
    if record.get("older") is not None:
        order = f", which is {'not older' if record['older'] else 'older'} than the rule"
    return f"The rule stands {told}. The number was made {number}{order}."


def details(entry: Entry) -> str:
    """One claim whole: what it is, the rule stated beforehand, what was found, the control.

    It carries the target `ledger-ID`, which the claim's card links to.
    """
    claim, verdict = entry.claim, entry.verdict
    lines = {
        "Found": _found(entry),
        "Measure": claim.measure,
        "Supported if": rule(claim.supported),
        "Refuted if": rule(claim.refuted),
        "Control": f"{claim.control.sentence} {_control(entry)}",
        "Predicted": _predicted(entry),
        "Pinned": claim.pinned + _surprise(entry),
        "Networks": _networks(claim),
        "Kind": claim.kind,
        "History": since(entry.record) if entry.record else "",
        "Source": claim.source,
    }
    lines |= {"Before": former(claim), "Amended": claim.amended}
    body = "\n\n".join(f"{term}\n: {text}" for term, text in lines.items() if text)
    return (
        f"{cards.anchors(claim, 'ledger')}"
        f"::::{{admonition}} {verdict.capitalize()}: {claim.sentence}\n"
        f":class: {cards.style(claim, verdict.replace(' ', '-'))}\n\n{body}\n\n`{claim.id}`\n::::\n"
    )


def _predicted(entry: Entry) -> str:
    claim = entry.claim
    if claim.predicted == UNKNOWN:
        return "unknown"
    first = " after a first look, so it counts for nothing" if claim.piloted else ""
    missed = entry.record is not None and not claim.piloted and claim.predicted != entry.verdict
    return claim.predicted + first + (", **and it came out otherwise**" if missed else "")


def _networks(claim: Claim) -> str:
    """How many networks the design has, for a person; empty where the claim has none."""
    if isinstance(claim.networks, dict):
        return ", ".join(f"{count} of {name}" for name, count in claim.networks.items())
    return "" if claim.networks is None else str(claim.networks)


def former(claim: Claim) -> str:
    """Verdicts under other numbers of networks, for a person."""
    told = (
        f"{badge(old.verdict)} with "
        + (f"{old.networks} networks" if isinstance(old.networks, int) else
           ", ".join(f"{count} of {name}" for name, count in (old.networks or {}).items()))
        + f" (commit `{old.commit}`)"
        for old in claim.former
    )  # fmt: skip
    return "; ".join(told)


def _found(entry: Entry) -> str:
    if entry.estimate is None:
        return f"Nothing yet: `falsestruct run {entry.claim.chapter}` records it."
    return f"**{claims.text(entry.estimate)}**, [in its chapter](#claim-{entry.claim.id})"


def _control(entry: Entry) -> str:
    required = f"Required: {rule(entry.claim.control.rule)}."
    if entry.control is None:
        return required
    kept = satisfies(entry.control, entry.claim.control.rule)
    holds = "It holds." if kept else "**It does not hold.**"
    return f"{required} It came to {claims.text(entry.control)}. {holds}"


def _surprise(entry: Entry) -> str:
    unexpected = entry.record is not None and entry.verdict != entry.claim.pinned
    return ", **and it came out otherwise**" if unexpected else ""


def rule(alternatives: Rule) -> str:
    """A rule in words: the comparisons that must all hold, and the alternatives to them."""
    return ", or ".join(
        " and ".join(f"`{end} {comparison}`" for end, comparison in part.items())
        for part in alternatives
    )


def provenance(entries: Iterable[Entry]) -> str:
    """Which commit, machine and libraries each record is from, and how long its chapter took.

    This changes from run to run.
    """
    rows: dict[str, list[list[str]]] = {}
    for entry in entries:
        if entry.record is None:
            continue
        about = dict(entry.record["environment"])
        machine, threads = about.pop("machine"), about.pop("threads")
        versions = ", ".join(f"{name} {version}" for name, version in about.items())
        row = [f"`{entry.record['chapter']}`", f"`{entry.record['commit']}`", machine]
        row += [str(threads), f"{entry.record['seconds']:g}"]
        own = rows.setdefault(versions, [])
        own += [row] if row not in own else []
    header = ["Chapter", "Commit", "Machine", "Threads", "Seconds"]
    return "\n".join(
        f"With {versions}:\n\n"
        + table(header, own, "ledger-provenance", widths=[28, 20, 28, 12, 12])
        for versions, own in rows.items()
    )


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], name: str, *, widths: Sequence[int]
) -> str:
    """A list-table of class `name`: unlike a pipe table it can hold any text."""
    shares = " ".join(map(str, widths))
    lines = [":::{list-table}", ":header-rows: 1", f":widths: {shares}", f":class: {name}", ""]
    for row in (header, *rows):
        lines += [f"{'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(row)]
    return "\n".join([*lines, ":::", ""])


def read_figures() -> list[Published]:
    """All figures of the results that this process reads, in the order of their numbers."""
    return in_order(figures.all_figures(staging.output()), find_book())


def in_order(records: Iterable[Published], book: Book) -> list[Published]:
    """Figures by chapter, and in a chapter as its text publishes them.

    A figure whose id doesn't stand literally in the text comes after those that do.
    """

    def place(record: Published) -> tuple[str, float, str]:
        path = book.source / f"{record.chapter}.md"
        position = path.read_text().find(f'"{record.id}"') if path.exists() else -1
        return record.chapter, position if position >= 0 else float("inf"), record.id

    return sorted(records, key=place)


def figure_index(records: Iterable[Published]) -> str:
    """A table of the figures: number and link, id, chapter."""
    rows = [
        [f"{{numref}}`fig-{record.id}`", f"[{record.id}](#figure-{record.id})", record.chapter]
        for record in records
    ]
    return table(["Figure", "Id", "Chapter"], rows, "figure-index", widths=[20, 50, 30])


def gallery(records: Iterable[Published]) -> str:
    """All figures, each whole."""
    return "\n".join(map(figure_entry, records)) or "No figure yet.\n"


def downloads(record: Published) -> str:
    """Links to a figure's files, for a page in notebooks/."""
    base = f"../book/figures/{record.id}"
    links = (f"{{download}}`{kind.upper()} <{base}.{kind}>`" for kind in FILES)
    return f"Download {', '.join(links)}."


def redraw_command(record: Published) -> str:
    """The command that draws a figure for a paper's column, from its stored data."""
    return f"falsestruct figure {record.id} --style paper -o {record.id}.pdf"


def figure_entry(record: Published) -> str:
    """A figure with its picture, caption, chapter, downloads, citation, and how to make it again.

    Two ways: from the stored data, at another size; or from nothing, with its chapter.
    """
    id, base = record.id, f"../book/figures/{record.id}"
    alt = " ".join(record.alt.split())
    bibtex = citing.figure_entry(find_book(), record)
    return (
        f"(figure-{id})=\n"
        f"::::::{{admonition}} {id}\n:class: figure-entry\n\n"
        f"```{{image}} {base}.svg\n:alt: {alt}\n:class: thumbnail\n```\n\n"
        f"{{numref}}`fig-{id}`, in {{doc}}`{record.chapter}`. {record.caption}\n\n"
        f"{downloads(record)}\n\n"
        f"Draw it again for a paper's column, from the stored data; compute its data again:\n\n"
        f"```{{code-block}} bash\n"
        f"{redraw_command(record)}\n"
        f"falsestruct run {record.chapter} --force\n```\n\n"
        f"`````{{dropdown}} Cite it\n```{{code-block}} bibtex\n{bibtex}```\n`````\n"
        f"::::::\n"
    )
