"""Recorded runs."""

import json

import pytest

from falsestruct.press.paths import UserError
from falsestruct.press.run import records

PLAN = """\
slow:
  chapter: 01_one
  function: falsestruct.problems.slow:table
  tasks:
    - {first: 1}
    - {first: 0.1}
"""
SLOW = """\
import pandas as pd


def table(first):
    return pd.DataFrame({"x": [first, 2], "name": ["034", "b"], "rare": [None, 1.0]})
"""


@pytest.fixture
def planned(desk):
    desk.file("book/records.yml").write_text(PLAN)
    desk.file("falsestruct/problems/slow.py").write_text(SLOW)
    return desk


def stored(desk, **changes):
    """A record as `make` stores it."""
    entry = records.plan(desk.book)["slow"]
    key = records._key(desk.book, entry)
    table = {"columns": ["x", "name"], "data": [[1.5, "034"], [None, "b"]]}
    about = {"id": "slow", "tasks": entry["tasks"], "code_key": key, "seconds": [1.0, 2.0]}
    path = desk.book.records / "slow.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(about | {"table": table} | changes))


def test_a_record_is_loaded_with_its_types(planned):
    stored(planned)
    record = records.load("slow", book=planned.book)
    assert not record.outdated and record.seconds == (1.0, 2.0)
    assert record.table["name"].tolist() == ["034", "b"]
    assert record.table["x"][0] == 1.5 and record.table["x"].isna()[1]


@pytest.mark.parametrize(
    ("name", "old", "new", "outdated"),
    [
        ("falsestruct/problems/slow.py", "2]", "3]", True),
        ("falsestruct/problems/slow.py", "2]", "2]  ", False),
        ("falsestruct/problems/one.py", "1.0", "2.0", False),
        ("book/records.yml", "0.1", "0.2", True),
    ],
)
def test_a_record_is_outdated_when_its_code_or_tasks_changed(planned, name, old, new, outdated):
    stored(planned)
    planned.edit(name, old, new)
    assert records.load("slow", book=planned.book).outdated is outdated


def test_what_is_missing_is_one_line(planned):
    with pytest.raises(UserError, match=r"no recorded run 'fast'.*known: slow"):
        records.load("fast", book=planned.book)
    with pytest.raises(UserError, match="never made: run `falsestruct record slow`"):
        records.load("slow", book=planned.book)
    with pytest.raises(UserError, match="jobs is 0"):
        records.make("slow", jobs=0, book=planned.book)


@pytest.mark.parametrize(
    ("table", "bad"),
    [({"x": [1.0, float("inf")]}, "x"), ({"loss": [1.0, float("nan")]}, "loss")],
)
def test_no_loss_that_is_no_number(table, bad):
    import pandas as pd

    with pytest.raises(ValueError, match=f"NaN or infinity in {bad}"):
        records._check_finite("slow", pd.DataFrame(table))


def test_not_measured_is_allowed():
    import pandas as pd

    records._check_finite("slow", pd.DataFrame({"pieces": [None, 3.0], "name": ["a", None]}))


@pytest.mark.slow
def test_a_record_is_made_by_the_command(planned):
    done = planned.call("record", "slow", "--jobs", "2")
    assert done.returncode == 0 and done.stdout.startswith("slow: 4 rows"), done.stderr
    record = records.load("slow", book=planned.book)
    assert not record.outdated
    assert record.table["x"].tolist() == [1.0, 2.0, 0.1, 2.0]
    assert record.about["function"] == "falsestruct.problems.slow:table"
    assert {"date", "environment", "commit"} <= set(record.about)


def test_what_former_code_had_found_is_kept_beside_a_record(planned):
    with pytest.raises(UserError, match=r"of 'slow' nothing is kept: there is no slow-former\.csv"):
        records.former("slow", book=planned.book)
    path = planned.book.records / "slow-former.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("search,p\nold,0.5\n")
    assert records.former("slow", book=planned.book).to_dict("list") == {
        "search": ["old"],
        "p": [0.5],
    }
