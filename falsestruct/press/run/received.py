"""What a certificate's file may hold. A stranger wrote it, so every field is checked.

A file that is read has all fields and no other, texts of one line without control characters, and
numbers that an estimate may have. Whether it is true, `certificates.check` asks.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic import model_validator as checks_all

from falsestruct.press.notebook import claims
from falsestruct.press.notebook.stated import VERDICTS, Id, comparison

FORMAT = 1
LONGEST = 500  # characters of a text
LARGEST = 16_000_000  # bytes of a file; that of this book has 1 MB
NO_RECORD = "no record"
_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control characters, halves of pairs


def line(text: str) -> str:
    """A text as a certificate may hold it: one line of characters that can be shown, not longer."""
    shown = "".join(c if unicodedata.category(c) not in _UNSHOWN else " " for c in text)
    return " ".join(shown.split())[:LONGEST]


def _is_line(text: str) -> str:
    if any(unicodedata.category(c) in _UNSHOWN for c in text):
        raise ValueError("expected one line without control characters")
    return text


def _is_date(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", text, re.ASCII):
        raise ValueError("expected a date like 2027-01-31T12:00:00+00:00")
    datetime.fromisoformat(text)
    return text


def _is_verdict(text: str) -> str:
    if text not in (*VERDICTS, NO_RECORD):
        raise ValueError(f"expected one of {', '.join((*VERDICTS, NO_RECORD))}")
    return text


def _is_comparison(text: str) -> str:
    comparison(text)
    return text


def _is_format(number: int) -> int:
    if number != FORMAT:
        raise ValueError(f"this version reads {FORMAT}, not {number}")
    return number


Line = Annotated[str, Field(max_length=LONGEST), AfterValidator(_is_line)]
Chapter = Annotated[str, Field(pattern=r"^[0-9]{2}_[a-z0-9_]{1,80}$")]
Count = Annotated[int, Field(ge=0)]
Threads = Annotated[int, Field(ge=0, le=1_000_000)]
Comparison = Annotated[Line, AfterValidator(_is_comparison)]
Alternatives = Annotated[
    list[Annotated[dict[Literal["value", "low", "high"], Comparison], Field(min_length=1)]],
    Field(min_length=1),
]
Said = Annotated[str, AfterValidator(_is_verdict)]


class _Whole(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Result(_Whole):
    """An estimate, or why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: Line | None = None
    reason: Line | None = None
    n: Count

    @checks_all(mode="after")
    def _is_estimate(self) -> Self:
        own = self.model_fields_set - {"control"}
        wanted = ["n", "reason"] if "reason" in own else ["high", "low", "method", "n", "value"]
        if sorted(own) != wanted or any(getattr(self, name) is None for name in wanted):
            raise ValueError(f"expected {', '.join(wanted)}, each with a value")
        claims.estimate({name: getattr(self, name) for name in wanted})
        return self


class Both(Result):
    """A result with its control's."""

    control: Result


class Rule(_Whole):
    """As `Claim.rule` has it."""

    supported: Alternatives
    refuted: Alternatives
    control: Alternatives


class Verdicts(_Whole):
    """By the rule, of either result."""

    book: Said
    run: Said


class Row(_Whole):
    """A claim; `records` are the recorded runs that its chapter loads."""

    id: Annotated[Id, Field(max_length=100)]
    chapter: Chapter
    records: list[Line]
    rule: Rule
    book: Both | None
    run: Both | None
    verdicts: Verdicts
    agrees: bool


class Counts(_Whole):
    """As `certificates.counted`."""

    claims: Count
    agree: Count
    differ: Count
    moved: Count
    loaded: Count
    loaded_agree: Count


class Received(_Whole):
    """A certificate."""

    format: Annotated[int, AfterValidator(_is_format)]
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{12,40}\+?|unknown)$")]
    date: Annotated[str, AfterValidator(_is_date)]
    machine: Annotated[dict[Line, Line | Threads], Field(max_length=50)]
    seconds: Annotated[float, Field(ge=0)]
    failed: dict[Chapter, Line]
    claims: list[Row]
    counts: Counts
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @checks_all(mode="after")
    def _is_one(self) -> Self:
        if not isinstance(self.machine.get("machine"), str):
            raise ValueError("machine: expected versions, threads and, as machine, its kind")
        if twice := [id for id, n in Counter(row.id for row in self.claims).items() if n > 1]:
            raise ValueError(f"claims: {twice[0]} stands there twice")
        return self


def wrong(found: Any) -> str:
    """What makes this no certificate, in one line: the field and what is expected; or empty."""
    try:
        Received.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = line(ascii(".".join(map(str, first["loc"]))).strip("'\""))
        what = first["msg"].removeprefix("Value error, ")
        return line(f"{field}: {what}" if field else what)
    return ""
