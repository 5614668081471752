"""What a reader sees of a claim: numbers as text, its card, a table of several."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from falsestruct.press.notebook.stated import Claim
from falsestruct.statistics import Estimate, Nobody

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
HEADER = ("Verdict", "Claim", "Value", "n", "Control")
WIDTHS = (15, 44, 19, 5, 17)


@dataclass(frozen=True)
class Decided:
    """A claim with what a run found.

    Attributes:
        estimate, control: What measure and control came to.
        history: Since when the rule stands and what made the number, for a person; empty by hand.
    """

    claim: Claim
    verdict: str
    estimate: Estimate | Nobody
    control: Estimate | Nobody
    history: str = ""


def number(value: float) -> str:
    """A number for a person: three significant digits, a power of ten only far from one."""
    if value < 0:
        return f"−{number(-value)}"
    if value == int(value) and value < 1e6:
        return str(int(value))
    if 999 < value < 1e6:
        return f"{value:.0f}"
    if 1e-3 <= value < 1e6:
        return f"{value:.3g}"
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):g}·10{str(int(power)).translate(_RAISED)}"


def numbers(*values: float) -> list[str]:
    """Numbers that stand side by side, with equally many decimals where all are near one."""
    texts = [number(value) for value in values]
    if any("·" in text for text in texts) or max(map(abs, values)) >= 1000:
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{value:.{decimals}f}".replace("-", "−") for value in values]


def text(found: Estimate | Nobody) -> str:
    """An estimate for a person: value, interval, n; or why there is none."""
    if isinstance(found, Nobody):
        return f"no number, because nobody qualifies: {found.reason}"
    if found.method == "exact":
        return f"{number(found.value)} (exact)"
    value, low, high = numbers(found.value, found.low, found.high)
    return f"{value}, 95 % interval [{low}, {high}], n = {found.n}"


def interval(found: Estimate | Nobody) -> str:
    """An estimate in a table's cell: value and interval, or why there is none."""
    if isinstance(found, Nobody):
        return found.reason
    if found.method == "exact":
        return f"{number(found.value)} (exact)"
    value, low, high = numbers(found.value, found.low, found.high)
    return f"{value} [{low}, {high}]"


def line(id: str, found: Estimate | Nobody, control: Estimate | Nobody) -> str:
    """What a notebook stores of a claim, and nbval compares: numbers, no verdict."""
    return f"{id}: {interval(found)}, n = {found.n}; control {interval(control)}, n = {control.n}"


def markdown(decided: Sequence[Decided]) -> str:
    """The card of a claim, or the table of several, in MyST; each carries the target `claim-ID`."""
    return _card(decided[0]) if len(decided) == 1 else _table(decided)


def for_jupyter(decided: Sequence[Decided]) -> str:
    """The same in HTML, for who executes a chapter by hand."""
    if len(decided) > 1:
        lines = (f"{d.verdict}: {d.claim.id}: {text(d.estimate)}" for d in decided)
        return "<br>".join(map(html.escape, lines))
    [one] = decided
    claim, against = one.claim, f"Control: {one.claim.control.sentence} It came to"
    return (
        f"<div><b>{_kind(one)}</b>: {html.escape(claim.sentence)}<br>"
        f"{html.escape(f'{text(one.estimate)}. {claim.measure}')}<br>"
        f"{html.escape(f'{against} {text(one.control)}.')}<br><code>{claim.id}</code></div>"
    )


def _kind(one: Decided) -> str:
    """The verdict as a card begins with it; a check is none of the evidence, and says so."""
    if one.claim.kind != "check":
        return one.verdict.capitalize()
    words = {"supported": "passed", "refuted": "failed", "inconclusive": "says nothing"}
    return f"Check {words[one.verdict]}"


def style(claim: Claim, verdict: str) -> str:
    """The classes of a claim's card."""
    return f"claim claim-{'check check-' if claim.kind == 'check' else ''}{verdict}"


def anchors(claim: Claim, kind: str) -> str:
    """The targets of a claim and of its former ids: `claim-ID` or `ledger-ID`."""
    return "".join(f"({kind}-{id})=\n" for id in (*claim.aliases, claim.id))


def networks(count: int | Mapping[str, int]) -> str:
    """A number of networks, or one for each architecture, for a person."""
    if isinstance(count, Mapping):
        return ", ".join(f"{number} of {name}" for name, number in count.items())
    return f"{count} network{'' if count == 1 else 's'}"


def former(claim: Claim) -> str:
    """The verdicts under other numbers of networks, for a person; empty if there are none."""
    told = (f"{badge(claim, old.verdict)} with {networks(old.networks)}" for old in claim.former)
    return f"Formerly {'; '.join(told)}." if claim.former else ""


def _card(one: Decided) -> str:
    claim = one.claim
    more = "".join(f"{part}\n\n" for part in (former(claim), one.history) if part)
    return (
        f"{anchors(claim, 'claim')}"
        f"::::{{admonition}} {_kind(one)}: {claim.sentence}\n"
        f":class: {style(claim, one.verdict)}\n\n"
        f"**{text(one.estimate)}**. {claim.measure}\n\n"
        f"Control: {claim.control.sentence} It came to {text(one.control)}.\n\n{more}"
        f"`{claim.id}`, [in the ledger](#ledger-{claim.id})\n::::\n"
    )


def badge(claim: Claim, verdict: str, *, target: str = "") -> str:
    """A verdict as a word with a class, so that colour and icon come with it."""
    shown, word = ("check", "check ") if claim.kind == "check" else (verdict, "")
    mark = f"#{target} " if target else ""
    return f"[{word}{verdict}]{{{mark}.verdict .verdict-{shown.replace(' ', '-')}}}"


def _table(decided: Sequence[Decided]) -> str:
    rows = [list(HEADER)]
    targets = []
    for one in decided:
        id = one.claim.id
        said = filter(
            None, (one.claim.sentence, former(one.claim), f"[in the ledger](#ledger-{id})")
        )
        rows.append([
            badge(one.claim, one.verdict, target=f"claim-{id}"),
            " ".join(said),
            interval(one.estimate),
            str(one.estimate.n),
            interval(one.control),
        ])  # fmt: skip
        targets += [f"(claim-{alias})=\n" for alias in one.claim.aliases]
    widths = " ".join(map(str, WIDTHS))
    lines = [":::{list-table}", ":header-rows: 1", f":widths: {widths}", ":class: claim-table", ""]
    for row in rows:
        lines += [f"{'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(row)]
    return "\n".join([*targets, *lines, ":::", ""])
