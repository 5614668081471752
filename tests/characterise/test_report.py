"""Reports: for a terminal, as JSON, and as a page that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from falsestruct import statistics
from falsestruct.characterise import report
from falsestruct.characterise.held import inputs
from falsestruct.characterise.report import Page, Picture, Table
from falsestruct.characterise.suspicion import Suspicion, audit

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 120)
Z = RNG.permutation(Y)
IMAGES = RNG.random((120, 4, 4))
IMAGES[:, 0, 0] = Z


def corner(x: np.ndarray) -> np.ndarray:
    return (x[:, 0, 0] > 0.5).astype(int)


@pytest.fixture(scope="module")
def found() -> Suspicion:
    return audit(corner, IMAGES, original=Y, false=corner, points=2)


def test_a_text_for_a_terminal(found: Suspicion) -> None:
    text = found.to_text()
    assert text.startswith("verdict: corner\nIt is right on 100 %")
    assert re.search(r"^  corner +100 % +9\d\.\d % to 100 % +\d+$", text, re.M)
    assert "smallest flip found, ℓ∞" in text and "natural conflict" in text
    assert not re.search(r" $", text, re.M)
    assert re.search(rf"^  asked +{found.queries} inputs$", text, re.M)


def test_what_is_missing_is_said() -> None:
    few = audit(corner, IMAGES[Y == Z], original=Y[Y == Z], false=corner, points=0)
    text = few.to_text()
    assert "unknown  0 % to 100 %" in text and "about 11 more conflict inputs" in text
    assert "none was searched for" in text


def test_an_unsure_success_is_said() -> None:
    rows = np.r_[np.flatnonzero(Y == Z)[:9], np.flatnonzero(Y != Z)]
    wrong = np.isin(np.arange(120), rows[:1])
    few = audit(lambda x: corner(x) ^ wrong[x[:, 0, 1].astype(int)], index(IMAGES)[rows],
                original=Y[rows], false=corner, points=0)  # fmt: skip
    assert few.verdict == "undecided" and few.needed is None and few.needed_agreeing
    assert f"about {few.needed_agreeing} more inputs or groups on which both" in few.to_text()
    assert f"(9 inputs); about {few.needed_agreeing} more there would say" in few.sentence


def index(x: np.ndarray) -> np.ndarray:
    """Each image has its number in a pixel."""
    x = x.copy()
    x[:, 0, 1] = np.arange(len(x))
    return x


def test_a_page_is_complete_in_itself(found: Suspicion) -> None:
    html = found.to_html()
    page = BeautifulSoup(html, "html.parser")
    assert page.html is not None and page.html["lang"] == "en" and len(page.find_all("h1")) == 1
    assert not re.search(r"https?://|@import|url\(|<script|<link", html)
    assert "prefers-color-scheme: dark" in html
    pictures = page.find_all("img")
    assert 0 < len(pictures) <= 8
    for picture in pictures:
        assert re.fullmatch(r"Picture of 4 × 4 pixels, values from .* to .*", picture["alt"])
        data = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
        assert Image.open(io.BytesIO(data)).size == (4, 4)
    said = page.find_all("figcaption")
    assert all(re.fullmatch(r"original: \d. corner: \d. The network: \d.", s.text) for s in said)
    first = found.examples[0]
    assert first.original != first.false == first.answer
    for table in page.find_all("table"):
        assert all(cell.get("scope") for cell in table.find_all("th"))


def test_what_comes_from_outside_is_escaped() -> None:
    page = Page("A <b>", "x", "1 < 2 & 3", (Table("T", ("<i>",), (("<u>",),)),), ("<script>",),
                "P", (Picture("<img src=x>", 'say "no" <br>'),))  # fmt: skip
    html = report.as_html(page)
    assert not re.search(r"<(b|i|u|br|script|img)\b", html) and "&quot;no&quot;" in html


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5], [1.0, 0.25]], [[0, 128], [255, 64]]),
        ([[2.0, 128.0], [25.0, 3.0]], [[2, 128], [25, 3]]),
        ([[-1.0, 0.0], [1.0, 1.0]], [[0, 128], [255, 255]]),
        ([[5.5, 5.5], [5.5, 5.5]], [[0, 0], [0, 0]]),
        ([[np.nan, 0.0], [1.0, 1.0]], [[0, 0], [255, 255]]),
    ],
)
def test_pictures_keep_the_range_that_people_use(values: Any, expected: Any) -> None:
    made = Image.open(io.BytesIO(report.png(np.array(values))))
    np.testing.assert_array_equal(np.asarray(made), expected)


def test_colour_stays_and_other_channels_are_averaged() -> None:
    colour = RNG.random((3, 2, 3))
    assert Image.open(io.BytesIO(report.png(colour))).mode == "RGB"
    assert Image.open(io.BytesIO(report.png(RNG.random((3, 2, 7))))).mode == "L"


def test_every_kind_of_input_is_shown() -> None:
    assert report.shown(inputs(["a" * 900])) == "a" * 400 + " …"
    table = pd.DataFrame({f"c{i}": [i] for i in range(14)})
    assert str(report.shown(inputs(table))).startswith("c0 = 0, c1 = 1")
    assert str(report.shown(inputs(table))).endswith("c11 = 11, …")
    for values in (RNG.random(9), RNG.random((9, 2))):
        html = report.as_html(Page("t", "v", "s", (), (), "P", (Picture(values, "curve"),)))
        lines = BeautifulSoup(html, "html.parser").find_all("polyline")
        assert len(lines) == values.ndim and 'aria-label="Curve of 9 values, from 0.' in html


@pytest.mark.parametrize(
    ("share", "said"),
    [(1, "100 %"), (0.9996, "100.0 %"), (0.994, "99.4 %"), (0.5, "50 %"), (0.012, "1.2 %")],
)
def test_percent(share: float, said: str) -> None:
    assert report.percent(share) == said


def test_json_has_no_numpy_and_no_infinity() -> None:
    value = {"a": np.float64(0.5), "b": (np.int64(1), float("inf")), 3: [np.bool_(True)], "c": {1}}
    assert report.plain(value) == {"a": 0.5, "b": [1, None], "3": [True], "c": "{1}"}
    picture = [Picture("a word", "what it is")]
    assert report.plain(picture, left_out=("shown",)) == [{"caption": "what it is"}]
    assert report.plain(pd.Timestamp("2020-01-02")) == "2020-01-02 00:00:00"


def test_the_page_of_a_search() -> None:
    own = statistics.proportion(np.arange(50) < 47)
    foretold = SimpleNamespace(decisions=own, flips=None)
    finalist = SimpleNamespace(name="mean > ½", rank=1, foretold=foretold, excess=own, p=0.01,
                               named=True, pictures=(RNG.random((4, 4)),), answer="cat",
                               over="class means", terms=("mean", "last"))  # fmt: skip
    searched = SimpleNamespace(
        verdict="mean > ½", sentence="It reads the mean.", ranked=(finalist,), success=own,
        baselines={"class means": SimpleNamespace(decisions=own, flips=own)}, undecided=0.3,
        probes=(40, 50), clusters=(8, 9), flips=(7, "gradients"), queries=900,
        warnings=("few probes",),
    )  # fmt: skip
    page = report.of_found(searched)
    text, html = report.as_text(page), report.as_html(page)
    assert "verdict: mean > ½" in text and "class means" in text and "40 and 50" in text
    assert "mean &gt; ½: whether it answers cat: direction 1 of 1." in html
    assert "94.0\u00a0% [" in html and not re.search(r"<td>[^<]*\d %", html)
    finalist.pictures = (np.ones(9), np.ones(9))
    finalist.terms = ("mean", "direction 2: + cash, − noon")
    words = report.of_found(searched).pictures
    assert [one.shown for one in words] == ["+ cash, − noon"]  # a curve of words says nothing
    assert words[0].caption == "mean > ½: whether it answers cat: direction 2 of 2."
    lasting = vars(searched) | {"flips": (7, "gradients", 9, 300)}
    lasting["ranked"] = (SimpleNamespace(**vars(finalist), excess_flips=own),)
    told = report.as_text(report.of_found(SimpleNamespace(**lasting)))
    assert "7 of 9 last, by gradients; 300 inputs asked about for them" in told
    assert text.count("unknown") == told.count("unknown") + 1  # the excess of flips
    finalist.foretold.everywhere = own
    assert "all kinds" in text and report.as_text(report.of_found(searched)).count("unknown") == 2
    assert "7, by gradients" in html and "mean; last" in text and "8 and 9" in text


def test_on_a_terminal_a_long_name_loses_its_middle() -> None:
    names = [f"sum of steps of {90 * 'x'}: whether it answers {label}" for label in "ab"]
    rows = tuple((name, 90 * "y") for name in names)
    page = report.Page("t", "v", "s", (report.Table("T", ("rule", "terms"), rows),), ())
    lines = report.as_text(page).splitlines()[-2:]
    assert [line[: report.WIDEST + 2][-1] for line in lines] == ["a", "b"]
    assert all(line.startswith("  sum of steps") and line.endswith("y" * 90) for line in lines)
    assert names[0] in report.as_html(page)
