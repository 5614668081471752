"""What chapters compute, found by executing them; and workers that wait."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks import beyond, plans
from benchmarks.waiting import wait
from falsestruct.press.notebook import staging
from falsestruct.sweep import grid

CHAPTER = """---
kernelspec:
  display_name: Python 3
  name: python3
falsestruct:
  profiles:
    paper:
      blocks: 3
---

```{code-cell} ipython3
:tags: [parameters]

blocks = 1
profile = "book"
```

```{code-cell} ipython3
from benchmarks.waiting import wait
from falsestruct.sweep.grid import sweep
first = sweep(wait, {"seconds": [0.01], "index": [7]})
```

```{code-cell} ipython3
second = sweep(wait, [{"seconds": 0.0, "index": i} for i in range(blocks)])
assert second["index"].tolist() == list(range(blocks)) and profile == "paper"
```

```{code-cell} ipython3
raise ValueError("cells after it run")
```
"""


def test_seeds_make_no_kind() -> None:
    one = {"members": [{"seed": 3, "run": "a"}, {"seed": 4, "run": "a"}], "steps": 5}
    other = {"members": [{"seed": 8, "run": "a"}, {"seed": 9, "run": "a"}], "steps": 5}
    assert plans.kind(one) == plans.kind(other) != plans.kind(one | {"steps": 6})
    assert plans.seeds(one) == [3, 4]
    block = {"seeds": [0, 1], "a": 0.5}
    assert plans.kind(block) == plans.kind(block | {"seeds": [2, 3]}) == {"seeds": 2, "a": 0.5}
    assert plans.kind(block) != plans.kind(block | {"seeds": [2]})
    assert plans.seeds(block) == [0, 1] and plans.seeds({"seeds": 20, "a": [1.0]}) == []


def test_a_result_stands_for_other_networks() -> None:
    text = json.dumps({"rows": 3, "columns": {"seed": ["int", [1, 0, 1]], "x": ["int", [0, 1, 2]]}})
    columns = json.loads(plans.of_others(text, [0, 1], [10, 11]))["columns"]
    assert columns == {"seed": ["int", [11, 10, 11]], "x": ["int", [0, 1, 2]]}
    assert json.loads(plans.of_others(text, [], []))["columns"]["seed"][1] == [1, 0, 1]


def test_a_point_of_each_kind_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds are told apart by no kind, so that the second block of them is the first's result."""
    calls = []
    monkeypatch.setattr(plans, "kind", lambda arguments: arguments["seconds"])
    monkeypatch.setattr("benchmarks.waiting.time.sleep", calls.append)
    known: plans.Known = {}
    recorder = plans.Recorder(known)
    with patch.object(grid, "_from_environment", recorder.begin):
        for seconds in ([1.0, 1.0, 2.0], [2.0]):
            points = [{"seconds": s, "index": i} for i, s in enumerate(seconds)]
            assert len(grid.sweep(wait, points)) == len(points)
    recorder.end()
    assert calls == [1.0, 2.0] and len(known) == 2
    counts = [[kind["points"] for kind in sweep] for sweep in recorder.sweeps()]
    assert counts == [[2, 1], [1]] and len(recorder.own) == 3
    assert recorder.sweeps()[1][0]["seconds"] == recorder.sweeps()[0][1]["seconds"]


def test_a_chapter_is_executed_at_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").touch()
    (tmp_path / "book" / "05_any.md").write_text(CHAPTER)
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(tmp_path))
    monkeypatch.setenv(staging.VARIABLE, "")  # put back what the execution sets
    found = plans.execute("05_any", "paper", {})
    assert found["failed"] == [4] and len(found["own"]) == 3 and min(found["own"]) >= 0
    assert [len(kinds) for kinds in found["sweeps"]] == [1, 3]
    assert 0.01 <= found["sweeps"][0][0]["seconds"] < 5
    assert [kind["points"] for kind in found["sweeps"][1]] == [1, 1, 1]


@pytest.mark.slow
def test_two_workers_wait_as_planned() -> None:
    stored = [
        {"chapter": "01", "own": [2.0], "sweeps": []},
        {"chapter": "03", "own": [0.0, 0.0], "sweeps": [[{"seconds": 0.5, "points": 4}]]},
    ]
    with patch.multiple(beyond, ROUNDS=1, EMPTY=20):
        found = beyond.waits({"book": stored}, (2,), 0.5)
    assert 0 < found["overhead"]["2"][0] < 1
    (row,) = found["waits"]
    assert (row["plan"], row["workers"], row["scale"]) == ("book", 2, 0.5 / 2)
    assert row["measured"][0] >= 0.5  # the points that it had to wait for, all of them
