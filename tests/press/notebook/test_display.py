"""What the prose is given."""

import numpy as np
import pytest

from falsestruct.press.notebook import display


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(display, "_publish", lambda data, metadata: found.append((data, metadata)))
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (3, "3"),
        ("3 of 4", "3 of 4"),
        (np.float64(0.25), "0.25"),
        (np.int64(3), "3"),
    ],
)
def test_glue_stores_what_a_format_can_read(shown, value, text):
    display.glue(name=value)
    [(data, metadata)] = shown
    assert data == {"application/papermill.record/text/plain": text}
    assert metadata["scrapbook"]["name"] == "name"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan"), -np.inf])
def test_no_number_that_is_none(shown, value):
    with pytest.raises(ValueError, match=r"share is .*; expected a finite number"):
        display.glue(share=value)
    assert shown == []


def test_show_has_three_forms(shown):
    display.show(markdown="m", html="h", text="t")
    assert shown == [({"text/markdown": "m", "text/html": "h", "text/plain": "t"}, {})]
