"""Worlds whose answer is known: what each claim of chapter 04 says there."""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.chapters.oscillation import evidence
from falsestruct.evidence import Claims
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book

CLAIMS = {id: c for id, c in read_claims(find_book()).items() if c.chapter == "04_oscillation"}
LOOKS = (2_000_000, 80_000, 6_000_000)  # compared at, the live schedule's end, the record's


def runs(**changes: dict[str, float]) -> pd.DataFrame:
    """Twenty networks a run. With the hint they take it; without they learn a part of f_a."""
    hint = {"captured": 0.95, "hint": 1.0, "zero": 0.5, "changes": 0.0, "flip_hint": 0.95}
    none = {"captured": 0.3, "hint": 0.7, "zero": 0.7, "changes": 5.0, "flip_hint": 0.0}
    known = {"030": hint, "034": none, "035": none, "036": hint, "036 without hint": none}
    rows = [
        {"run": run, "seed": seed, "step": step, "flip_away": 0.0, "pieces": 9} | own
        | changes.get(f"r{run}", {})
        for run, own in known.items()
        for seed in range(20)
        for step in LOOKS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(live: pd.DataFrame, paper: pd.DataFrame) -> dict[str, str]:
    last = live[live["step"] == LOOKS[-1]]
    found: Claims = {
        **evidence.live_claims(last),
        **evidence.flip_claims(last),
        **evidence.record_claims(last, paper),
        **evidence.paper_claims(paper),
        **evidence.sample_claims(paper),
        **evidence.change_claims(last, paper),
    }
    return {id.removeprefix("oscillation-"): judge(CLAIMS[id], *p) for id, p in found.items()}


TAKEN = {
    "hint-5000", "hint-7", "original-later", "universal-flip", "live-is-record", "live-ends-alike",
    "paper-hint", "paper-7", "paper-5000-not-enough", "too-few-changes",
}  # fmt: skip


def supported(**changes: dict[str, float]) -> set[str]:
    found = verdicts(runs(**changes), runs(**changes))
    return {id for id, verdict in found.items() if verdict == "supported"}


def test_where_hints_are_taken_the_claims_say_so_and_every_claim_is_judged() -> None:
    assert supported() == TAKEN
    judged = {f"oscillation-{id}" for id in verdicts(runs(), runs())}
    assert judged | {"oscillation-smallest-delta"} == set(CLAIMS)


@pytest.mark.parametrize(
    ("run", "change", "falls"),
    [
        (
            "030",
            {"captured": 0.7},
            {"hint-5000", "live-ends-alike", "paper-hint", "live-is-record"},
        ),
        ("036", {"captured": 0.7}, {"hint-7", "paper-7"}),
        ("034", {"zero": 1.0}, {"original-later"}),
        ("035", {"zero": 1.0}, {"paper-5000-not-enough"}),
        ("030", {"changes": 6.0}, {"too-few-changes"}),
        ("035", {"changes": 0.0}, {"too-few-changes"}),
        ("030", {"flip_hint": 0.1}, {"universal-flip"}),
        ("030", {"flip_away": 0.5}, {"universal-flip"}),
        ("036 without hint", {"captured": 0.9}, {"hint-7"}),
    ],
)
def test_each_claim_needs_its_own_number(
    run: str, change: dict[str, float], falls: set[str]
) -> None:
    lost = TAKEN - supported(**{f"r{run}": change})
    assert lost & falls, lost
    assert lost <= falls


def test_more_samples_help_where_they_do() -> None:
    found = verdicts(runs(), runs(r034={"zero": 0.9}))
    assert found["samples-matter"] == "supported"
    assert verdicts(runs(), runs(r034={"zero": 0.5}))["samples-matter"] == "refuted"


def test_a_live_run_that_differs_from_the_record_is_seen() -> None:
    found = verdicts(runs(r030={"captured": 0.8}), runs())
    assert found["live-is-record"] == "refuted"
    assert found["live-ends-alike"] == "supported"  # on the same side, still


def test_counts_are_for_the_prose() -> None:
    assert evidence.counts(runs(r034={"zero": 1.0})) == {
        "learnt_034": 20, "learnt_035": 0, "took_036": 20,
    }  # fmt: skip


def test_a_quiet_hint_is_judged_by_where_it_is_taken() -> None:
    rows = [
        {"seed": seed, "delta": delta, "captured": share}
        for seed in range(10)
        for delta, share in ((1e-5, 0.3), (5e-5, 0.9 + 0.001 * seed))
    ]
    swept, claim = pd.DataFrame(rows), CLAIMS["oscillation-smallest-delta"]
    apart = pd.DataFrame({"captured": [0.3] * 10})
    quiet = evidence.delta_claims(swept, apart)[claim.id]
    loud = evidence.delta_claims(swept.assign(delta=100 * swept["delta"]), apart)[claim.id]
    either = evidence.delta_claims(swept, apart.assign(captured=0.9))[claim.id]
    assert [judge(claim, *pair) for pair in (quiet, loud, either)] == [
        "supported", "refuted", "inconclusive",
    ]  # fmt: skip


def test_figures_get_a_row_a_network() -> None:
    table = evidence.change_table(runs(), runs())
    assert table.groupby("label").size().eq(60).all() and len(set(table["label"])) == 5
    beside = evidence.beside_released(runs())
    assert beside.groupby("training")["paper"].first().to_dict() == {
        "10,000 samples": 1.0, "5,000 samples": 6 / 7,
    }  # fmt: skip
