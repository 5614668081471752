"""Recorded measurements: read, tabulated, and the model beside them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from falsestruct.chapters.beyond_one_machine import figures as plots
from falsestruct.press.paths import Book, UserError
from falsestruct.press.site import measurements

ROW = {"what": "a", "against": "b", "fast": 3.0, "slow": 1.0, "unit": "u", "ratio": 3.0}
ROW |= {"lowest": 2.5, "highest": 3.5, "part": "training"}
MEASURED = {
    "comparisons": [
        ROW | {"wanted": None, "met": True},
        ROW | {"what": "kept", "wanted": 2.0, "met": True, "part": "perturbation"},
        ROW | {"what": "missed", "wanted": 9.0, "met": False},
    ],
    "book": [
        {"what": "no change", "seconds": 2.04, "allowed": 5, "ran": [], "runs": 5},
        {"what": "all", "seconds": 500.0, "allowed": 540, "ran": ["02_structures"], "runs": 1},
    ],
    "check": {
        "seconds": [[1.0, 2.0, 3.0], [3.0, 2.0, 3.0], [2.0, 2.0, 3.0]],
        "overhead": {"1": [0.5, 0.25], "2": [0.0], "4": [1.0, 1.0, 2.0]},
        "measured": {"1": [7.0, 8.0], "2": [4.0, 5.0]},
        "waits": [
            {"plan": "book", "workers": 4, "scale": 0.5, "measured": [6.0, 3.0]},
            {"plan": "book", "workers": 1, "scale": 0.25, "measured": [4.5]},
        ],
    },
    "plan": {
        "book": [{"chapter": "03", "own": [2.0, 1.0], "sweeps": [[{"seconds": 5.0, "points": 2}]]}]
    },
}


def test_nobody_measured_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run `python -m benchmarks --record`"):
        measurements.load(book=Book(tmp_path))


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.records.mkdir(parents=True)
    measurements.path_of(book).write_text(json.dumps(MEASURED))
    assert measurements.load(book=book) == MEASURED


def test_promises_come_first_and_a_missed_one_is_said() -> None:
    text = measurements.comparisons(MEASURED)
    places = [text.index(word) for word in ("- kept", "- missed", "- a\n")]
    assert places == sorted(places)
    kept, missed = text.split("- kept")[1].split("- missed")
    assert "- yes" in kept
    assert "**no**" in missed.split("- a\n")[0]
    assert "3 (2.5 to 3.5)" in kept


def test_a_part_that_is_measured_again_leaves_the_others_as_they_were() -> None:
    first, second = {"date": "1 May"}, {"date": "2 May"}
    old = measurements.merge(
        {}, MEASURED | {"about": first}, ["training", "perturbation", "book", "beyond"]
    )
    assert {name: old[name] for name in MEASURED} == MEASURED
    other = ROW | {"against": "c", "part": "perturbation"}
    again = {"about": second, "book": [], "comparisons": [other]}
    new = measurements.merge(old, again, ["book", "perturbation"])
    # "kept" isn't measured any more; what "a" is compared with a second time stands beside it.
    rows = [(row["what"], row["against"]) for row in new["comparisons"]]
    assert rows == [("a", "b"), ("missed", "b"), ("a", "c")]
    assert new["book"] == [] and new["check"] == MEASURED["check"]
    days = {part: seen["date"] for part, seen in new["abouts"].items()}
    assert days == {
        "training": "1 May", "beyond": "1 May", "book": "2 May", "perturbation": "2 May",
    }  # fmt: skip


def test_the_prose_names_the_day_of_the_part_that_it_speaks_of() -> None:
    seen = {"machine": "m", "date": "d", "commit": "c", "torch": "t", "numpy": "n"}
    measured = {"abouts": {"book": seen, "training": seen | {"date": "e"}}}
    assert measurements.about(measured, "book") == {k: seen[k] for k in seen if k != "numpy"}
    assert measurements.about(measured, "training")["date"] == "e"


def test_times_name_the_chapters_and_what_is_no_median() -> None:
    text = measurements.times(MEASURED)
    assert "- 2.0\n  - 5\n  - yes\n  - median of 5\n  - none" in text
    slow = MEASURED["book"][0] | {"seconds": 1e9, "allowed": 5}
    assert "- 5\n  - **no**" in measurements.times({"book": [slow]})
    assert "- 500.0\n  - 540\n  - yes\n  - one run\n  - 02_structures" in text


def test_the_model_gets_medians_and_is_set_beside_each_run() -> None:
    table = measurements.check_table(MEASURED)
    assert measurements.overhead(MEASURED) == 0.25  # of one and two workers, not of four
    one, two = (table[table["workers"] == n] for n in (1, 2))
    # Points of 2, 2 and 3 seconds; each costs a quarter of a second, and so does the first's way.
    assert one["predicted"].tolist() == [8.0, 8.0]
    assert two["predicted"].tolist() == [5.75, 5.75]
    assert two["measured"].tolist() == [4.0, 5.0]
    both = measurements.both_checks(MEASURED)
    assert both["plan"].unique().tolist() == ["book", "computed"]
    plots.scaling_error(both)  # draws what the page gives it


def test_waiting_points_are_predicted_from_few_workers_and_fitted_to_as_many() -> None:
    table = measurements.waits_table(MEASURED)
    assert table["workers"].tolist() == [4, 4, 1] and table["run"].tolist() == [0, 1, 0]
    four, one = table.iloc[0], table.iloc[2]
    # Stages of 1, 2 × 2.5 and 0.5 seconds on four workers; each sends first and costs the worker.
    assert four["scheduled"] == 4.0
    assert four["predicted"] == 4 + (2 + 3 + 2) * 0.25
    assert four["refitted"] == 4 + (2 + 3 + 2) * 1.0
    assert one["scheduled"] == 3.25
    assert table["chained"].tolist() == [True, True, False]  # four workers wait for one chain
    errors = measurements.errors(table)
    assert errors[2] == pytest.approx(4.5 / one["predicted"] - 1)
    assert errors.min() == pytest.approx(3 / 5.75 - 1)
    assert measurements.errors(table, "scheduled").abs().max() == 0.5


def test_the_prose_gets_the_largest_error_and_no_core_that_was_not_tried() -> None:
    said = measurements.checked(MEASURED)
    table = measurements.both_checks(MEASURED)
    errors = 100 * measurements.errors(table)
    assert (said["most"], said["harsher"], said["chained"]) == (4, 4.0, 4)
    assert (said["least"], said["largest"]) == (errors.min(), errors.max())
    assert said["worst"] == table.loc[errors.idxmax(), "workers"]
    assert said["free"] == errors[2] and table["workers"][2] == 1  # the others are one chain
    assert (said["overhead"], said["cost_1"], said["cost_4"]) == (250, 375, 1000)
    curves = measurements.curves(MEASURED)
    assert curves["cores"].tolist() == [1, 4] and set(curves["plan"]) == {"book"}
    # Stages of 2, 2 × 5 and 1 seconds; on one core a point's way is hidden but for each first.
    assert curves["seconds"].tolist() == [13 + 7 * 0.25, 8 + 7 * 0.25]


def test_a_chapter_is_a_row_with_what_it_sends_and_how_long_it_takes_at_least() -> None:
    stored = {"chapter": "01", "own": [90.0], "sweeps": []}
    text = measurements.chapters_table({"plan": MEASURED["plan"] | {"paper": [stored]}})
    sent, alone = text.split("* - 03")[1].split("* - 01")
    assert [line[4:] for line in sent.splitlines()[1:]] == ["book", "1", "2", "0.2", "0.1"]
    assert [line[4:] for line in alone.splitlines()[1:6]] == ["paper", "0", "0", "1.5", "1.5"]


def test_shares_are_those_of_the_named_architectures() -> None:
    rows = [
        {"architecture": a, "kind": k, "share": s}
        for a, k, s in (
            ("2-104-1", "compiled engine", 0.1),
            ("MLP", "matrix products", 0.2),
            ("MLP", "optimiser", 0.3),
            ("paper's CNN", "convolutions", 0.4),
            ("paper's CNN", "copies and indexing", 0.5),
        )
    ]
    assert measurements.shares({"shares": rows}) == {
        "compiled_small": 0.1, "products_mlp": 0.2, "optimiser_mlp": 0.3,
        "convolutions": 0.4, "copies": 0.5,
    }  # fmt: skip
    # A small network without a compiled engine spends nothing in one.
    assert measurements.shares({"shares": rows[1:]})["compiled_small"] == 0


def engine(architecture: str, name: str, rate: float, **more: object) -> dict[str, object]:
    row = {"architecture": architecture, "engine": name, "dtype": "float32", "rate": rate}
    return row | {"share": rate / 100, "chosen": False} | more


def test_the_plain_loop_is_not_the_engine_looped() -> None:
    rows = [
        engine("2-104-1", "looped", 7.0),
        engine("2-104-1", "plain loop", 9.0),
        engine("2-104-1", "fused", 30.0, chosen=True, alone=0.3),
        engine("2-104-1", "fused", 20.0, chosen=True, alone=0.4, dtype="float64"),
        engine("MLP", "dense", 60.0, chosen=True),
    ]
    assert measurements.peaks({"engines": rows}) == {
        "most": 0.6, "fullest": "MLP", "least": 0.3, "emptiest": "2-104-1",
        "alone": 0.4, "looped": 7.0, "plain": 9.0,
    }  # fmt: skip


def test_a_record_from_before_the_plain_loop_had_a_mark_is_still_shown() -> None:
    rows = [engine("2-104-1", "looped", 7.0)] + [
        engine("2-104-1", "dense", 9.0, chosen=True, dtype=dtype)
        for dtype in ("float32", "float64")
    ]
    found = measurements.peaks({"engines": rows})
    assert math.isnan(found["plain"]) and math.isnan(found["alone"])  # type: ignore[arg-type]
    old = [{"what": "all", "seconds": 1.0, "allowed": None, "ran": []}]
    assert "- 1.0\n  - \n  - \n  - \n  - none" in measurements.times({"book": old})


def test_sizes_are_those_of_the_attack_that_was_timed() -> None:
    names = (("l2", "ours"), ("l2", "DDNAttack"), ("linf", "ours"), ("linf", "LInfFMNAttack"))
    names += (("l2", "few steps"), ("linf", "few steps"))
    rows = [
        {"norm": norm, "attack": attack, "median": float(i), "no_larger": i / 4}
        for i, (norm, attack) in enumerate(names)
    ]
    assert measurements.sizes({"sizes": rows}) == {
        "l2_ours": 0.0, "l2_other": 1.0, "l2_share": 0.25, "l2_few": "4.000",
        "linf_ours": 2.0, "linf_other": 3.0, "linf_share": 0.75, "linf_few": "5.000",
    }  # fmt: skip
    rows[-1]["median"] = None
    assert "most labels stay" in str(measurements.sizes({"sizes": rows})["linf_few"])
