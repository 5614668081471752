"""Images side by side, and what is said of them."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import same_color

from falsestruct.plots.pictures import answered, side_by_side
from falsestruct.plots.style import FALSE, ORIGINAL

PIXELS = pd.DataFrame({"row": [0, 0, 1, 1], "column": [0, 1, 0, 1], "value": [0.0, 1, 0, 2]})
TABLE = pd.concat([PIXELS.assign(panel="a, b"), PIXELS.assign(panel="c", value=0.5)])


def test_images_share_a_scale_and_stand_under_their_names() -> None:
    axes = side_by_side(TABLE).axes
    assert [axis.get_title() for axis in axes] == ["a,\nb", "c"]
    assert {axis.images[0].get_clim() for axis in axes} == {(0, 2)}


def test_what_the_first_rule_does_not_say_stands_out() -> None:
    rules = {"one": "One says", "two": "Two says", "most": "Most say"}
    said = TABLE.assign(one="x", two=["x"] * 4 + ["y"] * 4, most="x", share=0.75)
    texts = [text for axis in answered(said, rules, shared="most").axes for text in axis.texts]
    words = [text.get_text() for text in texts]
    assert words == [*rules.values(), "x", "x", "x (75%)", "x", "y", "x (75%)"]
    colours = [FALSE if text.get_text() == "y" else ORIGINAL for text in texts[3:]]
    assert all(same_color(text.get_color(), c) for text, c in zip(texts[3:], colours, strict=True))
    heights = [text.get_position()[1] for text in texts[:3]]
    assert heights == sorted(heights, reverse=True)
