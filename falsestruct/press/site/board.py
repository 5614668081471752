"""The status board: which components of the conjecture came out how, on which problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from falsestruct.press.notebook import cards
from falsestruct.press.notebook.stated import VERDICTS
from falsestruct.press.site.ledger import UNRECORDED, Entry
from falsestruct.press.site.pages import badge, plural, table
from falsestruct.statistics import Nobody

COLUMNS = {
    "success": "Success",
    "structure": "The structure is unstable",
    "networks": "Networks inherit it",
    "neither": "Other instability",
    "simplicity": "Simplicity",
}
LAST = ("all", "digits")  # where nothing is planted, claims name no structure
NAMES = {  # what a reader calls a problem
    "digits": "digits, nothing planted",
    "digits-brightness": "digits with brightness",
    "digits-pixel": "digits with a pixel",
    "digits-sinusoid": "digits with a sinusoid",
    "inverse-problems": "inverse problems",
    "all": "several problems at once",
    "any": "any classifier",
    "binary": "small images of 0 and 1",
    "binary-brightness": "small images of 0 and 1, with brightness",
    "binary-corner": "small images of 0 and 1, with a corner",
    "binary-seven": "small images of 0 and 1, parity of seven",
    "files": "types of files",
    "grids": "grids, connected or not",
    "photographs": "photographs of materials",
    "released": "the paper's released networks",
    "words": "words of 0 and 1",
}
Cells = dict[tuple[str, str], list[Entry]]


def column(entry: Entry) -> str | None:
    """Where a claim counts: one of `COLUMNS`; None for the foundation and for checks."""
    claim = entry.claim
    if claim.component == "foundation" or not entry.counts:
        return None
    return claim.about or claim.component


def cells(entries: Iterable[Entry]) -> Cells:
    """All claims about a component by problem and column; each is in exactly one cell."""
    found: Cells = {}
    for entry in entries:
        if name := column(entry):
            found.setdefault((entry.claim.problem, name), []).append(entry)
    return found


def problems(of: Cells) -> list[str]:
    """In the order of the chapters, with `LAST` behind them."""
    return sorted(
        dict.fromkeys(problem for problem, _ in of),
        key=lambda p: LAST.index(p) if p in LAST else -1,
    )


def board(entries: Iterable[Entry]) -> str:
    """Counts for each problem, and below them the values that came to each verdict, as links.

    A row for each architecture, and one for the claims that aren't about a single one.
    """
    of, rows = cells(entries), []
    for problem in problems(of):
        own = {name: of.get((problem, name), []) for name in COLUMNS}
        rows.append([f"**{NAMES.get(problem, problem)}**", *map(_counts, own.values())])
        names = dict.fromkeys(e.claim.architecture for part in own.values() for e in part)
        for architecture in sorted(names, key=lambda name: not name):
            parts = ([e for e in p if e.claim.architecture == architecture] for p in own.values())
            rows.append([architecture or "no single one", *map(_links, parts)])
    rows.append(_total(of))
    return _table(rows, "status-board")


def small_board(entries: Iterable[Entry]) -> str:
    """The same board, summed over architectures."""
    of = cells(entries)
    rows = [
        [NAMES.get(problem, problem), *(_counts(of.get((problem, name), [])) for name in COLUMNS)]
        for problem in problems(of)
    ]
    return _table([*rows, _total(of)], "small-board")


def _table(rows: Sequence[Sequence[str]], name: str) -> str:
    return table(["Problem", *COLUMNS.values()], rows, name, widths=[15, 17, 17, 17, 17, 17])


def _total(of: Cells) -> list[str]:
    sums = ([e for (_, at), part in of.items() if at == name for e in part] for name in COLUMNS)
    return ["**all**", *map(_counts, sums)]


def _by_verdict(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    parts = {v: [e for e in entries if e.verdict == v] for v in (*VERDICTS, UNRECORDED)}
    return {verdict: part for verdict, part in parts.items() if part}


def _counts(entries: Sequence[Entry]) -> str:
    parts = _by_verdict(entries).items()
    return "<br>".join(badge(verdict, count=len(part)) for verdict, part in parts) or "–"


def _links(entries: Sequence[Entry]) -> str:
    parts = []
    for verdict, part in _by_verdict(entries).items():
        links = ", ".join(f"[{_value(e)}](#ledger-{e.claim.id})" for e in part)
        parts.append(f"{badge(verdict)} {links}")
    return "<br>".join(parts) or "–"


def _value(entry: Entry) -> str:
    found = entry.estimate
    return "?" if found is None or isinstance(found, Nobody) else cards.number(found.value)


def sentences(entries: Iterable[Entry]) -> str:
    """What the counts say, a line a column: where all is supported, all refuted, open, divided."""
    of = cells(entries)
    lines = []
    for name, title in COLUMNS.items():
        own = {problem: of[problem, name] for problem in problems(of) if (problem, name) in of}
        if own:
            every = [entry for part in own.values() for entry in part]
            lines.append(f"- **{title}**: {_said(every)}. {' '.join(_sorted_out(own))}")
    return "\n".join(lines) + "\n"


def _sorted_out(own: dict[str, list[Entry]]) -> list[str]:
    """A sentence for each way in which a problem's claims may come out, where there is one."""
    ways: dict[str, list[str]] = {}
    for problem, part in own.items():
        found = set(_by_verdict(part))
        alone = {"supported": "Supported throughout", "refuted": "Refuted throughout"}
        way = alone.get(next(iter(found)), "Open") if len(found) == 1 else "Divided"
        ways.setdefault("Open" if not found & set(alone) else way, []).append(_place(problem, part))
    order = ("Supported throughout", "Refuted throughout", "Divided", "Open")
    return [f"{way}: {'; '.join(ways[way])}." for way in order if way in ways]


def _place(problem: str, part: Sequence[Entry]) -> str:
    name, parts = NAMES.get(problem, problem), _by_verdict(part)
    if len(parts) == 1:
        return f"{name} ({len(part)})"
    return f"{name} ({', '.join(f'{len(of)} {verdict}' for verdict, of in parts.items())})"


def _said(part: Sequence[Entry]) -> str:
    counts = [f"{len(of)} {verdict}" for verdict, of in _by_verdict(part).items()]
    return f"{plural(len(part), 'claim')}, {', '.join(counts)}"
