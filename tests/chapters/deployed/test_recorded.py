"""Recorded runs about lines, on fonts and a network of the test's own."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from falsestruct.chapters.deployed import recorded
from falsestruct.deployed.fonts import Font
from tests.deployed.test_perturbed import Bright

SANS = Font("DejaVu Sans", Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")


@pytest.fixture(autouse=True)
def own(monkeypatch):
    monkeypatch.setattr(recorded.fonts, "listed", lambda script, folder: [SANS])
    monkeypatch.setattr(recorded.drawing, "Directions", Bright)
    monkeypatch.setattr(recorded, "Graph", lambda path: Bright())
    monkeypatch.setattr(recorded.drawing, "model", lambda: Path("own.onnx"))


def test_fonts_come_with_the_network_that_is_asked(monkeypatch):
    who = {"package": "own", "version": "1", "model": "net", "sha256": "ab"}
    monkeypatch.setattr(recorded.drawing, "identity", lambda: who)
    row = recorded.origins(script="Latin", folder=".").iloc[0]
    assert (row["family"], row["model"], row["hash"]) == ("DejaVu Sans", "own 1, net", "ab")
    assert len(row["sha256"]) == 64 and row["script"] == "Latin"


def test_only_lines_that_are_read_rightly_are_changed(monkeypatch):
    def drawn(kind, font, *, script, each, seed):
        pictures = [np.full((48, 100), value, dtype=np.uint8) for value in (117, 118, 200)]
        for picture in pictures:
            picture[0, 0] += 1
        return pictures

    monkeypatch.setattr(recorded.reading, "drawn", drawn)
    table = recorded.smallest(script="Latin", folder=".", each=3, seed=1, bar=0.5, steps=60)
    # Of the upright ones two are dark enough; of the turned ones the bright one is turned to it.
    assert table["turned"].tolist() == [False, False, True]
    assert (table["clean"] != "").sum() == 1  # the line in the middle
    assert "before" not in table and (table["bar"] == 0.5).all()
