"""Do the figures of chapter 17 show what stands in their tables?"""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.chapters.overparametrisation import evidence as found
from falsestruct.chapters.overparametrisation import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw
from tests.worlds import overparametrisation as worlds


def drawn(plot, table: pd.DataFrame, **options):
    return draw(plot, table.to_csv(index=False), options, STYLES["book"])


def test_the_peak_has_four_panels_and_a_line_an_arm():
    table = found.peak(worlds.features(peak=0.4, at_times=(0.9, 0.4, 0.2)))
    axes = drawn(plots.peak, table, samples=200).axes
    assert len(axes) == 4 and axes[0].get_yscale() == "log"
    assert not axes[0].containers and len(axes[1].containers) == len(axes[2].containers) == 5
    peaks = [container.lines[0].get_ydata()[2] for container in axes[1].containers]
    assert max(peaks) == pytest.approx(0.4, abs=0.01)
    assert {line.get_xdata()[0] for line in axes[1].lines if line.get_linestyle() == ":"} == {200}


def test_turns_have_a_panel_for_noise_and_one_for_width():
    table = found.turns(worlds.rooms(0.3, 0.8, 0.35), worlds.wide(0.2, 0.4))
    noise, width = drawn(plots.turns, table).axes
    assert len(noise.containers) == len(width.containers) == 2
    assert sorted(c.lines[0].get_ydata()[-1] for c in noise.containers) == pytest.approx(
        [0.35, 0.8], abs=0.01
    )
    assert [tick.get_text() for tick in width.get_xticklabels()] == ["8", "64", "256"]
    assert noise.get_xlabel() == "energy of the noise"


def test_lines_have_their_barriers():
    axis = drawn(plots.lines, found.lines(worlds.lines(0.1, 0.01, 0.5))).axes[0]
    tops = [max(container.lines[0].get_ydata()) for container in axis.containers]
    assert tops == pytest.approx([0.1, 0.01, 0.01, 0.5], abs=0.01)
