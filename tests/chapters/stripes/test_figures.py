"""The front page's picture says what its table says; where optimisers are drawn."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import same_color

from falsestruct.chapters.stripes.figures import RULES, glance, stripe_optimisers
from falsestruct.plots import style as plots


def table() -> pd.DataFrame:
    pixels = pd.DataFrame({"row": [0, 0, 1, 1], "column": [0, 1, 0, 1], "value": [0.0, 1, 0, 1]})
    agree = {"direction": "vertical", "brightness": "vertical", "networks": "vertical"}
    part = agree | {"direction": "horizontal"}
    return pd.concat(
        [pixels.assign(panel="a", share=1.0, **agree), pixels.assign(panel="b", share=0.9, **part)]
    )


def test_answers_that_part_from_the_direction_look_different() -> None:
    figure = glance(table())
    texts = [text for axes in figure.axes for text in axes.texts]
    said = [text.get_text() for text in texts]
    assert said == [
        *RULES.values(),
        *["vertical", "vertical", "vertical (100%)"],
        *["horizontal", "vertical", "vertical (90%)"],
    ]
    colours = [text.get_color() for text in texts[3:]]
    expected = [plots.ORIGINAL] * 4 + [plots.FALSE] * 2
    assert all(map(same_color, colours, expected))
    assert [text.get_fontweight() == "bold" for text in texts[3:]] == [False] * 4 + [True] * 2


def test_all_pictures_share_one_scale_of_grey() -> None:
    images = [axes.images[0] for axes in glance(table()).axes if axes.images]
    assert len(images) == 2 and len({image.get_clim() for image in images}) == 1


def test_the_linear_network_has_curves_and_the_others_a_row_each() -> None:
    rows = [("linear", 0.01), ("linear", 0.1), ("MLP", 0.06), ("deep MLP", 0.06)]
    table = pd.DataFrame(rows, columns=["architecture", "a"])
    both = pd.concat([table.assign(optimiser=name) for name in ("Adam", "descent")])
    figure = stripe_optimisers(both.assign(share=0.5, low=0.4, high=0.6), margin=0.02)
    left, right = figure.axes
    assert [text.get_text() for text in right.get_yticklabels()] == ["MLP", "deep MLP"]
    assert right.get_title() == "at the offset 0.06"
    assert [text.get_text() for text in left.get_xticklabels()] == ["0.01", "0.1"]
    assert len(left.containers) == 2
    assert 0.02 in [line.get_xdata()[0] for line in left.lines]
