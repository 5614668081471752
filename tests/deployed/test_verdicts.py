"""What is stored of verdicts comes back as it was."""

import math
from io import StringIO

import pandas as pd

from falsestruct.chapters.deployed import measure
from falsestruct.deployed.verdicts import judged, long, wide
from tests.worlds import deployed as worlds

KEY = ["file", "arm", "way", "amount"]


def test_a_verdict_and_what_it_means():
    assert judged("C", "cpp") == {"label": "cpp", "kept": 1.0, "outcome": "kept"}
    assert judged("C", "txt") == {"label": "txt", "kept": 0.0, "outcome": "declined"}
    assert judged("C", None)["label"] is None and math.isnan(judged("C", None)["kept"])


def test_a_row_a_file_and_back():
    files = [file for file in worlds.sealed(2) if file.kind in ("JSON", "INI")]
    files.append(measure.File("odd", "JSON", "sealed", b"[]"))  # misread, so asked about once
    table = measure.court(files, worlds.surface, others={"parser": worlds.parser})
    stored = wide(table)
    assert stored["file"].tolist() == [file.name for file in files]
    assert "network|filled|newlines|0.75" in stored and "parser|plain||0" in stored
    back = long(pd.read_json(StringIO(stored.assign(source="x").to_json(orient="records"))))
    assert back["source"].eq("x").all() and (back["file"] == "odd").sum() == 1
    asked = table.dropna(subset="kept").reset_index(drop=True)
    both = asked.merge(back, on=KEY, suffixes=("", " back"), validate="one_to_one")
    assert len(both) == len(asked) == len(back)
    for name in ("label", "kept", "outcome", "parser", "kind", "half", "size"):
        assert both[name].equals(both[f"{name} back"].astype(both[name].dtype)), name
