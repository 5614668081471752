"""Claims stated before the run, records made by it, and whether the two agree.

`book/claims.yml` says what would support and what would refute a claim. A chapter calls `record`
with what it measured; the verdict follows from the rule, nobody types it.
"""

from __future__ import annotations

import html
import itertools
import json
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from falsestruct.press.notebook import environment, staging
from falsestruct.press.notebook.display import show
from falsestruct.press.paths import Book, UserError, find_book, read_json, write_atomically
from falsestruct.statistics import Estimate

VERDICTS = ("supported", "refuted", "inconclusive")
COMPONENTS = ("foundation", "success", "instability", "simplicity")
KINDS = ("proved", "measured")
FIELDS = {
    "id", "chapter", "component", "problem", "kind", "sentence", "source", "measure",
    "supported", "refuted", "control", "expected",
}  # fmt: skip
FILL_IN = "FILL IN"  # what `falsestruct new` leaves to the author; such a claim decides nothing
EACH = "architectures"  # optional: one claim for each of these
_COMPARISON = re.compile(r"(<=|>=|<|>|==) *(-?[0-9][0-9_.]*(?:e-?[0-9]+)?)")
_OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Rule = tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Claim:
    """A claim, as `book/claims.yml` states it before any run.

    Attributes:
        component: Of the conjecture: success, instability, simplicity; or foundation.
        kind: "proved" (counted or exact, no statistics) or "measured".
        source: The paper that makes the claim and where, or "ours".
        measure: What number decides.
        supported, refuted: Alternatives, each a set of comparisons that must all hold on the
            estimate's value, low and high.
        control: The sentence that says what must come out the other way.
        control_rule: What the control's estimate must fulfil, in the form of `supported`.
        expected: The verdict that the book expects.
        architecture: The networks that it is about, where the status board has a cell for it.
    """

    id: str
    chapter: str
    component: str
    problem: str
    kind: str
    sentence: str
    source: str
    measure: str
    supported: Rule
    refuted: Rule
    control: str
    control_rule: Rule
    expected: str
    architecture: str = ""

    @property
    def stated(self) -> str:
        """What a record depends on: everything but the verdict that we expect."""
        return json.dumps(asdict(self) | {"expected": ""}, sort_keys=True)


@dataclass(frozen=True)
class Problem:
    """Something wrong between claims and records."""

    id: str
    what: str


def read_claims(book: Book) -> dict[str, Claim]:
    """All claims of the book, by id.

    Raises:
        UserError: an entry lacks a field, repeats an id, or states a rule that can't be read.
    """
    text = book.claims.read_text() if book.claims.exists() else ""
    return dict(_read(text))


@lru_cache(maxsize=4)
def _read(text: str) -> dict[str, Claim]:
    """Claims from the file's text; each record of a chapter asks for the same ones."""
    claims: dict[str, Claim] = {}
    for entry in itertools.chain.from_iterable(map(_each, _entries(text))):
        claim = _claim(entry)
        if claim.id in claims:
            raise UserError(f"book/claims.yml states {claim.id!r} twice: give one another id")
        claims[claim.id] = claim
    return claims


def _entries(text: str) -> list[dict[str, Any]]:
    try:
        entries = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise UserError("book/claims.yml: " + " ".join(str(error).split())) from None
    if not isinstance(entries or [], list) or not all(isinstance(e, dict) for e in entries or []):
        raise UserError("book/claims.yml: expected a list of claims, each with its fields")
    return entries or []


def slug(architecture: str) -> str:
    """An architecture's name as part of a claim's id: paper's CNN, paper-cnn."""
    return architecture.lower().replace("'s", "").replace(" ", "-")


def _each(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """An entry with `architectures`, a list or a mapping to expected verdicts, is one claim each.

    Each gets the id `ID-slug`; `{architecture}` in its texts becomes the name.
    """
    if EACH not in entry:
        return [entry]
    given, name = entry[EACH], entry.get("id", "a claim without id")
    if not isinstance(given, (list, dict)) or not all(isinstance(a, str) for a in given):
        raise UserError(
            f"book/claims.yml, {name}: {EACH} is {given!r}; expected a list of names, or a "
            "verdict for each name"
        )
    rest = {field: value for field, value in entry.items() if field != EACH}
    if isinstance(given, list):
        given = dict.fromkeys(given, entry.get("expected"))
    elif "expected" in rest:
        raise UserError(f"book/claims.yml, {name}: expected stands twice: with each name will do")

    def named(value: Any, architecture: str) -> Any:
        if isinstance(value, dict):
            return {key: named(part, architecture) for key, part in value.items()}
        return value.replace("{architecture}", architecture) if isinstance(value, str) else value

    return [
        {
            **{field: named(value, architecture) for field, value in rest.items()},
            "id": f"{name}-{slug(architecture)}",
            "architecture": architecture,
            "expected": expected,
        }
        for architecture, expected in given.items()
    ]


def _claim(entry: dict[str, Any]) -> Claim:
    name = entry.get("id", "a claim without id")
    if set(entry) - {"architecture"} != FIELDS:
        wrong = ", ".join(sorted((set(entry) - {"architecture"}) ^ FIELDS))
        raise UserError(f"book/claims.yml, {name}: missing or unknown fields: {wrong}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(name)):
        raise UserError(f"book/claims.yml, {name}: write the id in lower-case words and hyphens")
    allowed_values = {"component": COMPONENTS, "kind": KINDS, "expected": VERDICTS}
    for field, allowed in allowed_values.items():
        if entry[field] not in allowed:
            known = ", ".join(allowed)
            raise UserError(f"book/claims.yml, {name}: {field} is {entry[field]!r}; one of {known}")
    rules: dict[str, Any] = {field: _rule(entry[field], name) for field in ("supported", "refuted")}
    control = entry["control"]
    if not isinstance(control, dict) or set(control) != {"sentence", "rule"}:
        raise UserError(f"book/claims.yml, {name}: control needs a sentence and a rule")
    given: dict[str, Any] = {
        field: " ".join(str(entry[field]).split()) for field in set(entry) - {*rules, "control"}
    }
    sentence = " ".join(str(control["sentence"]).split())
    return Claim(**given, **rules, control=sentence, control_rule=_rule(control["rule"], name))


def _rule(rule: Any, name: str) -> Rule:
    alternatives = rule if isinstance(rule, list) and rule else [rule]
    for comparisons in alternatives:
        if not isinstance(comparisons, dict) or not comparisons:
            raise UserError(f"book/claims.yml, {name}: {rule!r} is no rule like {{low: '> 0.5'}}")
        for end, text in comparisons.items():
            if end not in ("value", "low", "high") or not _COMPARISON.fullmatch(str(text)):
                raise UserError(
                    f"book/claims.yml, {name}: {end}: {text!r} is no comparison of value, low or "
                    "high with a number, like low: '> 0.5'"
                )
    return tuple(alternatives)


def satisfies(estimate: Estimate, rule: Rule) -> bool:
    """Does the estimate fulfil one of the rule's alternatives?"""

    def holds(end: str, text: str) -> bool:
        match = _COMPARISON.fullmatch(text)
        assert match  # `read_claims` has looked
        return bool(_OPERATORS[match[1]](getattr(estimate, end), float(match[2])))

    return any(all(holds(end, text) for end, text in part.items()) for part in rule)


def judge(claim: Claim, estimate: Estimate, control: Estimate) -> str:
    """The verdict. A control that does not come out the other way leaves a claim inconclusive.

    Raises:
        UserError: the claim isn't filled in.
        ValueError: the estimate fulfils both rules, so that they exclude nothing.
    """
    if FILL_IN in claim.stated:
        raise UserError(f"claim {claim.id!r} still says {FILL_IN}: state it in book/claims.yml")
    supported, refuted = (satisfies(estimate, rule) for rule in (claim.supported, claim.refuted))
    if supported and refuted:
        raise ValueError(f"claim {claim.id!r}: {estimate} supports and refutes; mend the rules")
    if not satisfies(control, claim.control_rule) or not (supported or refuted):
        return "inconclusive"
    return "supported" if supported else "refuted"


def record(id: str, estimate: Estimate, *, control: Estimate) -> None:
    """Judge a claim and stage its record; show it as a card.

    Args:
        id: As in `book/claims.yml`.
        estimate: What the claim's measure came to.
        control: What the same measure came to in the claim's control.

    Raises:
        UserError: nobody stated this claim, it belongs to another chapter, or this run has
            already recorded it.
        ValueError: the estimate supports and refutes.
    """
    claim, verdict = _stage(id, estimate, control)
    _show_card(claim, verdict, estimate, control)


def record_table(found: Mapping[str, tuple[Estimate, Estimate]]) -> None:
    """Judge and stage many claims at once; show them as one table instead of a card each.

    For the cells of the status board: one claim, several architectures.

    Args:
        found: For each id the estimate and its control.

    Raises:
        UserError, ValueError: as `record`.
    """
    if not found:
        raise ValueError("no claims to record; expected at least one id with its estimates")
    rows = []
    for id, (estimate, control) in found.items():
        claim, verdict = _stage(id, estimate, control)
        rows.append((claim, verdict, estimate, control))
    _show_table(rows)


def _stage(id: str, estimate: Estimate, control: Estimate) -> tuple[Claim, str]:
    """Judge one claim and write its record to the run's own folder."""
    run, book = staging.current(), find_book()
    claims = read_claims(book)
    if id not in claims:
        raise UserError(f"no claim {id!r} in book/claims.yml: state it before the run")
    claim = claims[id]
    if run.chapter not in (claim.chapter, "by-hand"):
        raise UserError(f"claim {id!r} belongs to {claim.chapter}, not to {run.chapter}")
    path = run.folder / "claims" / f"{id}.json"
    if run.chapter == claim.chapter and path.exists():
        raise UserError(f"claim {id!r} is recorded twice in {run.chapter}: one record decides")
    verdict = judge(claim, estimate, control)
    entry = {
        "id": id,
        "chapter": claim.chapter,
        "verdict": verdict,
        **asdict(estimate),
        "control": asdict(control) | {"holds": satisfies(control, claim.control_rule)},
        "parameters": run.parameters,
        "environment": environment.describe(),
        "commit": environment.commit(book.root),
        "key": run.key,
    }
    write_atomically(path, json.dumps(entry, indent=2))
    return claim, verdict


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


def text(estimate: Estimate) -> str:
    """An estimate for a person: value, interval, n."""
    if estimate.method == "exact":
        return f"{number(estimate.value)} (exact)"
    value, low, high = numbers(estimate.value, estimate.low, estimate.high)
    return f"{value}, 95 % interval [{low}, {high}], n = {estimate.n}"


def _show_card(claim: Claim, verdict: str, estimate: Estimate, control: Estimate) -> None:
    numbers = f"**{text(estimate)}**. {claim.measure}"
    against = f"Control: {claim.control} It came to {text(control)}."
    ledger = f"[in the ledger](#ledger-{claim.id})"
    show(
        markdown=(
            f"(claim-{claim.id})=\n"
            f"::::{{admonition}} {verdict.capitalize()}: {claim.sentence}\n"
            f":class: claim claim-{verdict}\n\n{numbers}\n\n{against}\n\n"
            f"`{claim.id}`, {ledger}\n::::\n"
        ),
        html=(
            f"<div><b>{verdict.capitalize()}</b>: {html.escape(claim.sentence)}<br>"
            f"{text(estimate)}. {html.escape(claim.measure)}<br>{html.escape(against)}<br>"
            f"<code>{claim.id}</code></div>"
        ),
        text=f"{verdict}: {claim.id}: {text(estimate)}",
    )


def _show_table(rows: Sequence[tuple[Claim, str, Estimate, Estimate]]) -> None:
    header = ["Verdict", "Claim", "Value", "n", "Control"]
    lines, plain = [], []
    for claim, verdict, estimate, control in rows:
        link = f"[in the ledger](#ledger-{claim.id})"
        cells = [
            f"[{verdict}]{{#claim-{claim.id} .verdict .verdict-{verdict}}}",
            f"{claim.sentence} {link}",
            interval(estimate),
            str(estimate.n),
            interval(control),
        ]
        lines += [f"{'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(cells)]
        plain.append(f"{verdict}: {claim.id}: {text(estimate)}")
    head = [f"{'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(header)]
    top = [
        ":::{list-table}",
        ":header-rows: 1",
        ":widths: 15 44 19 5 17",
        ":class: claim-table",
        "",
    ]
    show(
        markdown="\n".join([*top, *head, *lines, ":::", ""]),
        html="<br>".join(html.escape(line) for line in plain),
        text="\n".join(plain),
    )


def interval(estimate: Estimate) -> str:
    """An estimate in a table's cell: value and interval."""
    if estimate.method == "exact":
        return f"{number(estimate.value)} (exact)"
    value, low, high = numbers(estimate.value, estimate.low, estimate.high)
    return f"{value} [{low}, {high}]"


def read_evidence(path: Path) -> dict[str, dict[str, Any]]:
    """The records of an evidence file, by claim id; empty if there is no such file."""
    if not path.exists():
        return {}
    stored: dict[str, dict[str, Any]] = read_json(path)["claims"]
    return stored


def estimate(record: Mapping[str, Any]) -> Estimate:
    """What a record, or the control in it, came to."""
    names = ("value", "low", "high", "n", "method")
    return Estimate(**{name: record[name] for name in names})


def merge_evidence(path: Path, chapter: str, records: Iterable[dict[str, Any]]) -> None:
    """Replace a chapter's records in an evidence file, atomically."""
    old = {id: entry for id, entry in read_evidence(path).items() if entry["chapter"] != chapter}
    merged = old | {entry["id"]: entry for entry in records}
    text = json.dumps({"claims": dict(sorted(merged.items()))}, indent=1)
    write_atomically(path, text + "\n")


def check(
    claims: Mapping[str, Claim],
    evidence: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, str],
) -> list[Problem]:
    """What is wrong between claims and records.

    Args:
        claims: As stated.
        evidence: As recorded.
        keys: The present freshness key of each chapter.
    """
    problems = [
        Problem(id, "has a record but is not in book/claims.yml")
        for id in sorted(set(evidence) - set(claims))
    ]
    for id, claim in claims.items():
        entry = evidence.get(id)
        if claim.chapter not in keys:
            problems.append(Problem(id, f"belongs to {claim.chapter}, which is not in the book"))
        elif entry is None:
            problems.append(Problem(id, f"has no record: run `falsestruct run {claim.chapter}`"))
        elif entry["key"] != keys[claim.chapter]:
            what = f"has a record older than its chapter: run `falsestruct run {claim.chapter}`"
            problems.append(Problem(id, what))
        elif entry["verdict"] != claim.expected:
            what = f"came out {entry['verdict']}, expected {claim.expected}"
            problems.append(Problem(id, what))
    return problems


def ledger_rows(
    claims: Mapping[str, Claim], evidence: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row a claim: id, chapter, expected, verdict, value, low, high, n."""
    return [
        {"id": claim.id, "chapter": claim.chapter, "expected": claim.expected}
        | {key: evidence.get(claim.id, {}).get(key) for key in _MEASURED}
        for claim in claims.values()
    ]


_MEASURED: Sequence[str] = ("verdict", "value", "low", "high", "n")
