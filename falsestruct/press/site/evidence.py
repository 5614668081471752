"""What the page of the evidence shows of the ledger, as MyST text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from falsestruct.press.notebook import cards, claims
from falsestruct.press.notebook.multiplicity import LEVEL, fallen, multiplicity
from falsestruct.press.notebook.stated import COMPONENTS, UNKNOWN, VERDICTS, Rule, satisfies
from falsestruct.press.site import ledger
from falsestruct.press.site.ledger import UNRECORDED, Entry
from falsestruct.press.site.pages import badge, plural, table
from falsestruct.statistics import Nobody

Adjusted = Mapping[str, Mapping[str, float]]
ADJUSTMENTS = {"holm": "Holm", "bh": "Benjamini–Hochberg"}


def many(entries: Iterable[Entry]) -> pd.DataFrame:
    """p-values of all measured claims with a record, as `multiplicity` has them."""
    part = {entry.claim.id: entry for entry in entries if entry.record is not None}
    stated = {id: entry.claim for id, entry in part.items()}
    return multiplicity(stated, {id: entry.record for id, entry in part.items()})  # type: ignore[misc]


def adjusted(entries: Iterable[Entry]) -> Adjusted:
    """The same by id; a claim without a p-value is not there."""
    return many(entries)[["p", *ADJUSTMENTS]].dropna().to_dict("index")  # type: ignore[return-value]


def summary(entries: Sequence[Entry]) -> str:
    """A table of counts: a row a component and one for all, a column a verdict."""
    rows = []
    for component in (*COMPONENTS, "all"):
        part = [entry for entry in entries if component in (entry.claim.component, "all")]
        counts = ledger.tally(part)
        shown = [str(counts[name]) for name in ("claims", *VERDICTS, "checks")]
        rows.append([component.capitalize(), *shown])
    header = [
        "Component",
        "Claims",
        *(badge(verdict) for verdict in VERDICTS),
        "Checks",
    ]
    return table(header, rows, "ledger-summary", widths=[24, 14, 16, 16, 16, 14])


def component(entries: Sequence[Entry], name: str) -> str:
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
    known = adjusted(entries)  # for the number of all claims, not of this component's
    return "\n".join([_overview(part), *(details(e, known.get(e.claim.id)) for e in part)])


def _overview(entries: Iterable[Entry]) -> str:
    rows = []
    for entry in entries:
        id, estimate = entry.claim.id, entry.estimate
        card = f", [card](#claim-{id})" if estimate is not None else ""
        found = ("", "") if estimate is None else (claims.interval(estimate), str(estimate.n))
        sentence = f"{entry.claim.sentence} [Details](#ledger-{id}){card}"
        verdict = cards.badge(entry.claim, entry.verdict)
        rows.append([verdict, sentence, entry.claim.problem, *found])
    header = ["Verdict", "Claim", "Problem", "Value", "n"]
    return table(header, rows, "ledger-overview", widths=[15, 48, 14, 17, 6])


def details(entry: Entry, p: Mapping[str, float] | None = None) -> str:
    """One claim whole: what it is, the rule stated beforehand, what was found, the control.

    It carries the target `ledger-ID`, which the claim's card links to.

    Args:
        p: Its p-value with adjustments, if it has one.
    """
    claim, verdict = entry.claim, entry.verdict
    lines = {
        "Found": _found(entry),
        "Measure": claim.measure,
        "Supported if": rule(claim.supported),
        "Refuted if": rule(claim.refuted),
        "Control": f"{claim.control.sentence} {_control(entry)}",
        "Predicted": predicted(entry),
        "Pinned": claim.pinned + (", **and it came out otherwise**" if _surprises(entry) else ""),
        "Networks": cards.networks(claim.networks) if claim.networks else "",
        "Among all": _among_all(entry, p),
        "Kind": claim.kind,
        "History": entry.history if entry.record else "",
        "Source": claim.source,
        "Before": cards.former(claim),
        "Amended": claim.amended,
    }
    body = "\n\n".join(f"{term}\n: {text}" for term, text in lines.items() if text)
    what = verdict if entry.counts else f"check {verdict}"
    return (
        f"{cards.anchors(claim, 'ledger')}"
        f"::::{{admonition}} {what.capitalize()}: {claim.sentence}\n"
        f":class: {cards.style(claim, verdict.replace(' ', '-'))}\n\n{body}\n\n`{claim.id}`\n::::\n"
    )


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


def rule(alternatives: Rule) -> str:
    """A rule in words: the comparisons that must all hold, and the alternatives to them."""
    return ", or ".join(
        " and ".join(f"`{end} {comparison}`" for end, comparison in part.items())
        for part in alternatives
    )


def _surprises(entry: Entry) -> bool:
    return entry.verdict not in (entry.claim.pinned, UNRECORDED)


def _is_tested(entry: Entry) -> bool:
    """Whether a prediction before any look met a number."""
    known = entry.claim.predicted != UNKNOWN and not entry.claim.piloted
    return entry.counts and known and entry.record is not None


def _missed(entry: Entry) -> bool:
    """Whether such a prediction was wrong."""
    return _is_tested(entry) and entry.verdict != entry.claim.predicted


def predicted(entry: Entry) -> str:
    """What was predicted, whether after a look, and whether it was wrong; as MyST."""
    first = " after a first look, so it counts for nothing" if entry.claim.piloted else ""
    missed = ", **and it came out otherwise**" if _missed(entry) else ""
    return entry.claim.predicted + first + missed


def _among_all(entry: Entry, p: Mapping[str, float] | None) -> str:
    """A verdict's p-value, and whether it survives that there are so many."""
    if p is None:
        return ""
    told = [f"p ≤ {cards.number(p['p'])}"]
    told += [f"{cards.number(p[name])} by {title}" for name, title in ADJUSTMENTS.items()]
    lost = [title for name, title in ADJUSTMENTS.items() if p[name] > LEVEL]
    what = "supported" if entry.verdict == "inconclusive" else entry.verdict
    fate = f"; **{what} does not survive {' and '.join(lost)}**" if lost else ""
    return f"{', '.join(told)}, as {what}{fate}"


def _link(entry: Entry) -> str:
    return f"[{entry.claim.sentence}](#ledger-{entry.claim.id})"


def predictions(entries: Sequence[Entry]) -> str:
    """How many predictions were right, and the claims that came out otherwise."""
    part = [entry for entry in entries if entry.counts]
    counted = sum(_is_tested(entry) for entry in part)
    hit = counted - sum(map(_missed, part))
    piloted = sum(entry.claim.piloted for entry in part)
    unknown = sum(entry.claim.predicted == UNKNOWN and not entry.claim.piloted for entry in part)
    rows = [
        [_link(e), *map(badge, (e.claim.predicted, e.claim.pinned, e.verdict))]
        for e in part
        if _missed(e)
    ]
    rate = f" ({100 * hit / counted:.0f} %)" if counted else ""
    told = (
        f"**{hit} of {plural(counted, 'prediction')}**{rate} came true. Left out are "
        f"{plural(piloted, 'claim')} whose prediction came after a first look, and {unknown} whose "
        "prediction the history doesn't tell.\n"
    )
    header = ["Claim", "Predicted", "Pinned", "Came out"]
    missed = table(header, rows, "ledger-missed", widths=[49, 17, 17, 17]) if rows else ""
    return f"{told}\n{missed}"


def survivors(entries: Sequence[Entry]) -> str:
    """Which verdicts would not survive an adjustment for the number of claims."""
    found = many(entries)
    known = found.dropna(subset=["p"])
    decided = known[known["verdict"] != "inconclusive"]
    measured = sum(entry.claim.kind == "measured" for entry in entries)
    told = [
        f"A p-value is known for {len(known)} of {plural(measured, 'measured claim')}; the others "
        f"are exact or were not recorded with one. {len(decided)} of them are decided."
    ]
    for name, title in ADJUSTMENTS.items():
        lost = [ledger.find(entries, id) for id in fallen(known, name)]
        told.append(f"By {title}, {len(lost)} would not survive.")
        told += [f"- {badge(entry.verdict)} {_link(entry)}" for entry in lost]
    return "\n\n".join(told) + "\n"


def history(entries: Iterable[Entry]) -> str:
    """How many rules are older than their number, and the claims whose rule is not."""
    part = [entry for entry in entries if entry.record is not None]
    ages = [entry.older for entry in part]
    told = (
        f"Of {plural(len(part), 'claim')} with a record, the rule is older than the number in "
        f"{ages.count(True)} and younger in {ages.count(False)}. "
        f"Of {ages.count(None)} the history can't tell.\n"
    )
    later = [f"- {badge(e.verdict)} {_link(e)}" for e in part if e.older is False]
    return "\n".join([told, *later, ""])


def formerly(entries: Iterable[Entry]) -> str:
    """For how many claims the number of networks was changed, and where the verdict did, too."""
    part = [entry for entry in entries if entry.claim.former]
    moved = [e for e in part if any(old.verdict != e.verdict for old in e.claim.former)]
    told = (
        f"It was changed for {plural(len(part), 'claim')}, and the verdict with it for "
        f"{len(moved)}. Each entry below has both.\n"
    )
    rows = [[_link(e), cards.former(e.claim), badge(e.verdict)] for e in moved]
    header = ["Claim", "Before", "Now"]
    shown = table(header, rows, "ledger-former", widths=[44, 38, 18]) if rows else ""
    return f"{told}\n{shown}"


def nobody(entries: Iterable[Entry]) -> str:
    """The claims that stay open because nobody qualifies, with the reason."""
    rows = [
        [_link(entry), found.reason, str(found.n)]
        for entry in entries
        for found in (entry.estimate, entry.control)
        if isinstance(found, Nobody)
    ]
    if not rows:
        return "In no claim was that so.\n"
    return table(["Claim", "Reason", "Qualified"], rows, "ledger-nobody", widths=[48, 38, 14])


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
