"""Claims as `book/claims/NN_slug.yml` states them before the run, and the rules that decide them.

`book/claims/README.md` says what the fields mean and which short forms there are.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import model_validator as checks_all

from falsestruct.names import slug
from falsestruct.press.paths import Book, UserError, read_text
from falsestruct.statistics import Estimate, Nobody

VERDICTS = ("supported", "refuted", "inconclusive")
COMPONENTS = ("foundation", "success", "instability", "simplicity")
KINDS = ("proved", "measured", "check")
ABOUT = ("structure", "networks", "neither")
UNKNOWN: Final = "unknown"
FILL_IN = "FILL IN"  # what `falsestruct new` leaves to the author; such a claim decides nothing
FANS = ("problems", "architectures")  # one claim for each, the second for each of the first
BY_NAME = ("networks", "pinned", "predicted", "expected", "aliases")  # one value, or one a name
MIRROR = {">": "<", ">=": "<", "<": ">", "<=": ">"}  # what a threshold's other side says
_COMPARISON = re.compile(r"(<=|>=|<|>|==)\s*([-+]?[0-9_.]+(?:e[-+]?[0-9]+)?)", re.I)
_OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip

Rule = tuple[Mapping[str, str], ...]
Rules = Sequence[Mapping[str, str]]  # the same as a record keeps it


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _alternatives(rule: Any) -> Any:
    """A rule as a tuple of alternatives, each of whose comparisons must all hold."""
    alternatives = rule if isinstance(rule, list) and rule else [rule]
    for comparisons in alternatives:
        if not isinstance(comparisons, dict) or not comparisons:
            raise ValueError(f"{rule!r} is no rule like {{low: '> 0.5'}}")
        for end, text in comparisons.items():
            if end not in ("value", "low", "high"):
                raise ValueError(f"{end!r} is not value, low or high")
            comparison(text)
    return tuple(alternatives)


def _is_id(id: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
        raise ValueError(f"{id!r}: write lower-case words and hyphens")
    return id


Words = Annotated[str, Field(min_length=1), BeforeValidator(_one_line)]
Parsed = Annotated[Rule, BeforeValidator(_alternatives)]
Id = Annotated[str, AfterValidator(_is_id)]
Count = Annotated[int, Field(ge=0, strict=True)]
Networks = Count | dict[str, Count] | None
Verdict = Literal["supported", "refuted", "inconclusive"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(_Frozen):
    """What must come out the other way, and the rule that says so."""

    sentence: Words
    rule: Parsed


class Former(_Frozen):
    """A verdict under another number of networks, and the commit of its record."""

    verdict: Verdict
    networks: Count | dict[str, Count]
    commit: str


class Claim(_Frozen):
    """A claim, as it is stated before any run.

    Attributes:
        chapter: NN_slug, whose file states it.
        component: Of the conjecture: success, instability, simplicity; or foundation.
        kind: "proved" (counted or exact, no statistics), "measured", or "check" (an identity or a
            test of the code, which counts nowhere).
        source: The paper that makes the claim and where, or "ours".
        measure: What number decides.
        supported, refuted: Alternatives, each a set of comparisons that must all hold on the
            estimate's value, low and high.
        pinned: The verdict that the gate holds.
        predicted: The verdict that was predicted before the first run, or "unknown"; of a check
            nobody asks.
        piloted: The prediction came after a first look, so it counts for nothing.
        networks: How many the design has, or how many of each architecture; 0 or None without such.
        about: Of an instability: the structure's, the networks', or neither.
        architecture: The networks that it is about, where the entry is about several.
        aliases: Former ids.
        former: Verdicts under another number of networks.
        amended: What was changed after a run, and why.
    """

    id: Id
    chapter: str
    component: Literal["foundation", "success", "instability", "simplicity"]
    problem: Words
    kind: Literal["proved", "measured", "check"]
    sentence: Words
    source: Words
    measure: Words
    supported: Parsed
    refuted: Parsed
    control: Control
    pinned: Verdict
    predicted: Literal["supported", "refuted", "inconclusive", "unknown"] = UNKNOWN
    piloted: bool = False
    networks: Networks = None
    about: Literal["structure", "networks", "neither"] | None = None
    architecture: str = ""
    aliases: tuple[Id, ...] = ()
    former: tuple[Former, ...] = ()
    amended: Annotated[str, BeforeValidator(_one_line)] = ""

    @checks_all(mode="after")
    def _is_whole(self) -> Claim:
        """What one field asks of another."""
        if self.kind != "check" and "predicted" not in self.model_fields_set:
            raise ValueError(f"predicted: a {self.kind} claim says it, or {UNKNOWN!r}")
        if self.kind == "measured" and self.networks is None:
            raise ValueError("networks: a measured claim says how many, 0 if it has none")
        if (self.about is not None) != (self.component == "instability"):
            raise ValueError(f"about: {self.about}; an instability is about one of "
                             f"{', '.join(ABOUT)}, nothing else is")  # fmt: skip
        return self

    @property
    def rule(self) -> dict[str, list[dict[str, str]]]:
        """What decides it, as a record keeps it."""
        rules = {"supported": self.supported, "refuted": self.refuted, "control": self.control.rule}
        return {name: [dict(part) for part in rule] for name, rule in rules.items()}


def read_claims(book: Book) -> dict[str, Claim]:
    """All claims of the book by id, in the order of the chapters.

    Raises:
        UserError: a file can't be read, an entry lacks a field or has one too many, repeats an id,
            or states a rule that can't be read. One line names the file, the claim and the field.
    """
    paths = sorted(book.claims.glob("*.yml"))
    return dict(_read(tuple((path.stem, read_text(path)) for path in paths)))


@lru_cache(maxsize=4)
def _read(texts: tuple[tuple[str, str], ...]) -> dict[str, Claim]:
    """Claims from the files' texts; each record of a chapter asks for the same ones."""
    claims: dict[str, Claim] = {}
    for chapter, text in texts:
        for claim in _of_chapter(chapter, text):
            if claim.id in claims:
                where = {chapter, claims[claim.id].chapter}
                files = " and ".join(f"book/claims/{name}.yml" for name in sorted(where))
                raise UserError(f"{files}: {claim.id!r} is stated twice: give one another id")
            claims[claim.id] = claim
    known = list(claims) + [alias for claim in claims.values() for alias in claim.aliases]
    if twice := [id for id in known if known.count(id) > 1]:
        raise UserError(f"book/claims: {twice[0]!r} is an id, or an alias, of two claims")
    return claims


def _of_chapter(chapter: str, text: str) -> Iterator[Claim]:
    where = f"book/claims/{chapter}.yml"
    try:
        entries = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or []
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{where}: {_one_line(str(error))}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{where}: expected a list of claims, each with its fields")
    for entry in entries:
        name = entry.get("id", "a claim without id")
        try:
            for fields in spread(entry):
                name = fields.get("id", name)
                if "chapter" in fields:
                    raise ValueError("chapter: the file's name says it; leave it out")
                yield Claim(chapter=chapter, **fields)
        except ValidationError as error:
            raise UserError(f"{where}, {name}: {_first(error)}") from None
        except ValueError as error:
            raise UserError(f"{where}, {name}: {error}") from None


def _first(error: ValidationError) -> str:
    """What is wrong first, in one line: the field and what was expected of it."""
    found = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in found["loc"] if isinstance(part, str))
    what = found["msg"].removeprefix("Value error, ")
    given = found["input"]
    said = f", not {given!r}" if found["type"] in ("literal_error", "string_type") else ""
    return _one_line(f"{field}: {what}{said}" if field else what)


# Short forms; the history of the claims reads them, too.


def spread(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The claims that an entry stands for, with its threshold spelt out.

    Raises:
        ValueError: `problems`, `architectures` or `threshold` isn't what it should be.
    """
    for part in _fan(_mirrored(entry), FANS[0]):
        yield from _fan(part, FANS[1])


def _fan(entry: Mapping[str, Any], many: str) -> list[dict[str, Any]]:
    """One claim for each name of a list, or of a mapping to its verdict or to what differs."""
    if many not in entry:
        return [dict(entry)]
    given, rest = entry[many], {key: entry[key] for key in entry if key != many}
    if not isinstance(given, (list, dict)) or not all(isinstance(name, str) for name in given):
        raise ValueError(f"{many}: {given!r}; expected a list of names, or what differs for each")
    own = given if isinstance(given, dict) else dict.fromkeys(given)
    field = many.removesuffix("s")
    return [_one(rest, field, name, own[name], alone=len(own) == 1) for name in own]


def _one(
    rest: Mapping[str, Any], field: str, name: str, own: Any, *, alone: bool
) -> dict[str, Any]:
    """The claim about one problem or architecture; alone, it has the entry's former ids, too."""
    own = {"pinned": own} if isinstance(own, str) else own or {}
    claim = {key: _of(rest[key], name) if key in BY_NAME else rest[key] for key in rest}
    claim |= _mirrored(own)
    if "control" in own:
        claim["control"] = {**rest.get("control", {}), **own["control"]}
    aliases = claim.get("aliases") or []
    if field == "architecture":
        if "id" not in own:
            claim["id"] = f"{claim.get('id')}-{slug(name)}"
        if "aliases" not in own:
            each = [f"{alias}-{slug(name)}" for alias in aliases]
            aliases = [*aliases, *each] if alone else each
    ids = {
        "id": str(claim.get("id")).replace(f"{{{field}}}", slug(name)),
        "aliases": [alias.replace(f"{{{field}}}", slug(name)) for alias in aliases],
    }
    return {**_named(claim, f"{{{field}}}", name), **ids, field: name}


def _of(value: Any, name: str) -> Any:
    return value[name] if isinstance(value, dict) and name in value else value


def _named(value: Any, mark: str, name: str) -> Any:
    """A name in all texts in place of its mark."""
    if isinstance(value, dict):
        return {key: _named(part, mark, name) for key, part in value.items()}
    if isinstance(value, list):
        return [_named(part, mark, name) for part in value]
    return value.replace(mark, name) if isinstance(value, str) else value


def _mirrored(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with its threshold spelt out as the two rules that it stands for."""
    if "threshold" not in entry:
        return dict(entry)
    sign, number = comparison(entry["threshold"])
    if sign not in MIRROR:
        raise ValueError(f"threshold: {entry['threshold']!r}; expected one of {', '.join(MIRROR)}")
    ends = ("low", "high") if sign in (">", ">=") else ("high", "low")
    both = {"supported": {ends[0]: f"{sign} {number}"}} | {
        "refuted": {ends[1]: f"{MIRROR[sign]} {number}"}
    }
    if twice := both.keys() & entry.keys():
        raise ValueError(f"threshold: it stands beside {', '.join(sorted(twice))}; one will do")
    return {key: entry[key] for key in entry if key != "threshold"} | both


def comparison(text: Any) -> tuple[str, str]:
    """The sign and the number, as written, of a comparison like "> 0.5".

    Raises:
        ValueError: it is none.
    """
    match = _COMPARISON.fullmatch(str(text).strip())
    try:
        float(match[2] if match else "")
    except ValueError:
        raise ValueError(f"{text!r} is no comparison with a number, like '> 0.5'") from None
    return match[1], match[2]  # type: ignore[index]


# Verdicts


def satisfies(found: Estimate | Nobody, rule: Rules) -> bool:
    """Does the estimate fulfil one of the rule's alternatives? Where nobody qualifies, never."""
    if isinstance(found, Nobody):
        return False

    def holds(end: str, text: str) -> bool:
        sign, number = comparison(text)
        return bool(_OPERATORS[sign](getattr(found, end), float(number)))

    return any(all(holds(end, text) for end, text in part.items()) for part in rule)


def judge(claim: Claim, found: Estimate | Nobody, control: Estimate | Nobody) -> str:
    """The verdict. A control that does not come out the other way leaves a claim inconclusive.

    Raises:
        UserError: the claim isn't filled in, or the estimate fulfils both rules, so that they
            exclude nothing.
    """
    where = f"book/claims/{claim.chapter}.yml"
    texts = claim.sentence, claim.source, claim.measure, claim.problem, claim.control.sentence
    if any(FILL_IN in text for text in texts):
        raise UserError(f"claim {claim.id!r} still says {FILL_IN}: state it in {where}")
    try:
        return decide(claim.rule, found, control)
    except ValueError as error:
        raise UserError(f"claim {claim.id!r}: {error}; mend {where}") from None


def decide(rule: Mapping[str, Rules], found: Estimate | Nobody, control: Estimate | Nobody) -> str:
    """The verdict by a rule alone, as `Claim.rule` has it.

    Raises:
        ValueError: the estimate fulfils both rules.
    """
    supported, refuted = (satisfies(found, rule[way]) for way in ("supported", "refuted"))
    if supported and refuted:
        ends = f"{found.value} [{found.low}, {found.high}]"  # type: ignore[union-attr]
        raise ValueError(f"{ends} supports and refutes")
    if not satisfies(control, rule["control"]) or not (supported or refuted):
        return "inconclusive"
    return "supported" if supported else "refuted"
