"""Figures in narrow columns: what is changed, and what is found unreadable."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from falsestruct.press.paper import fitting

SIZE = 8


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context({"font.size": SIZE, "figure.constrained_layout.use": True}):
        yield


def panels(count=1, width=3.25, height=1.6, **more):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False, **more)[0]


def fitted(figure):
    fitting.fit(figure)
    assert fitting.misfits(figure, SIZE) == []
    assert figure.get_figwidth() == pytest.approx(3.25)
    return figure


def test_what_fits_stays():
    figure, [axes] = panels(height=2)
    axes.set(xlabel="x", ylabel="y", title="title")
    axes.plot([0, 1], [0, 1], label="line")
    axes.legend()
    fitted(figure)
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("x", "y", "title")
    assert axes.get_legend() and not figure.legends and figure.get_figheight() == 2


def test_long_labels_are_wrapped_but_not_in_formulas():
    figure, axes = panels(2)
    words = "a rather long label with $x + y + z$ in it"
    for one in axes:
        one.set_xlabel(words)
        one.set_title("digits-brightness, 2-104-1")
    assert fitting.misfits(figure, SIZE)
    fitted(figure)
    for one in axes:
        assert one.get_xlabel().count("\n") and one.get_xlabel().replace("\n", " ") == words
        assert "$x + y + z$" in one.get_xlabel()
        assert "2-104-1" in one.get_title()


def test_an_axis_label_that_is_longer_than_its_panel_is_wrapped_or_the_figure_grows():
    figure, [axes] = panels(height=1.3)
    axes.set_ylabel("share of the conflict set that sides with the false structure")
    fitted(figure)
    assert axes.get_ylabel().count("\n") == 1 and figure.get_figheight() > 1.3


def test_a_wide_legend_gets_fewer_columns():
    figure, [axes] = panels()
    for index in range(6):
        axes.plot([0, 1], [0, index], label=f"a network number {index}")
    figure.legend(loc="outside upper center", ncols=6)
    assert any("cut off" in problem for problem in fitting.misfits(figure, SIZE))
    fitted(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"a network number {index}" for index in range(6)
    ]


def test_a_legend_on_the_data_moves_above_the_figure():
    figure, [axes] = panels()
    for index in range(5):
        axes.plot([0, 1], [0, index], label=f"the network of kind {index}")
    axes.legend(title="a title")
    assert any("a legend covers" in problem for problem in fitting.misfits(figure, SIZE))
    fitted(figure)
    assert axes.get_legend() is None and figure.legends[0].get_title().get_text() == "a title"
    assert len(figure.legends[0].get_texts()) == 5


def test_ticks_that_run_into_each_other_are_thinned_and_words_turned():
    figure, axes = panels(3, sharey=True)
    axes[0].set_xlim(0, 1.2345)
    axes[0].set_xticks([0.111, 0.222, 0.333, 0.444, 0.555])
    axes[1].set_xscale("log")
    axes[1].set_xlim(1e-9, 1)
    axes[2].set_xticks([0, 1, 2], ["linear", "attention", "convolution"])
    axes[2].xaxis.tick_top()
    assert any("touches" in problem for problem in fitting.misfits(figure, SIZE))
    fitted(figure)
    assert [text.get_text() for text in axes[2].get_xticklabels()] == [
        "linear", "attention", "convolution",
    ]  # fmt: skip


def test_names_above_each_other_make_a_figure_taller():
    figure, [axes] = panels(height=0.9)
    axes.set_yticks(range(8), [f"name {index}" for index in range(8)])
    fitted(figure)
    assert figure.get_figheight() > 0.9


def test_no_figure_grows_without_end():
    figure, axes = panels(2, height=1)
    for one in axes:
        for index in range(40):
            one.text(0.1, index / 4000, "on each other", transform=one.transAxes)
    fitting.fit(figure)
    assert figure.get_figheight() <= fitting.TALLEST
    assert fitting.misfits(figure, SIZE)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda axes: axes.text(0, 0, "tiny", fontsize=5.9), '"tiny" has 5.9 points'),
        (lambda axes: axes.text(0.9, 0.5, "far too long"), '"far too long" is cut off at the edge'),
        (
            lambda axes: [axes.text(0.1, 0.5, word) for word in ("one", "two")],
            '"one" touches "two"',
        ),
        (
            lambda axes: [axes.text(0.1, 0.5, word) for word in ("one\nline", "two\nlines")],
            '"one line" touches "two lines"',
        ),
    ],
)
def test_what_can_not_be_read_is_named(spoil, message):
    figure, [axes] = panels()
    spoil(axes)
    for text in axes.texts:
        text.set_in_layout(False)
    assert message in fitting.misfits(figure, SIZE)
