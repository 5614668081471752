"""Fewest bytes, with readers whose answer is known."""

import pytest

from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.parsers import meaning
from falsestruct.deployed.smallest import DATA, MOST, at_random, smallest
from tests.deployed.files import FILES


def counting(kind, most):
    """A reader that gives up where more than `most` new lines follow each other."""
    asked = []

    def ask(files):
        asked.extend(files)
        own = kind.lower()
        return ["txt" if b"\n" * (most + 1) in data else own for data in files]

    return ask, asked


@pytest.mark.parametrize("kind", DATA)
def test_the_fewest_are_found_and_proved(kind):
    data = FILES[kind]
    ask, asked = counting(kind, 6)
    found = smallest(kind, data, ask, queries=300)
    assert found is not None and found.label == "txt"
    # One more than these follow each other already at the place, or two.
    assert found.size in (5, 6, 7) and len(found.after) == len(data) + found.size
    assert meaning(kind, found.after) == meaning(kind, data)
    assert found.asked == len(asked) - 1 <= 300


def test_a_reader_that_holds_is_not_flipped_and_none_is_said():
    assert smallest("JSON", FILES["JSON"], lambda files: ["json"] * len(files), queries=100) is None


def test_no_more_than_asked_for():
    ask, asked = counting("JSON", 99)
    assert smallest("JSON", FILES["JSON"], ask, queries=200) is None
    assert len(asked) <= 201 and len(set(asked)) == len(asked)


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="expected a file that is called JSON"):
        smallest("JSON", FILES["JSON"], lambda files: ["txt"] * len(files))
    with pytest.raises(ValueError, match="expected one of JSON, XML"):
        smallest("Python", FILES["Python"], lambda files: ["python"] * len(files))


def test_the_control_has_as_many_bytes():
    after = at_random("JSON", FILES["JSON"], seed=1)
    assert len(after) == len(FILES["JSON"]) + MOST and after != at_random("JSON", FILES["JSON"])
    assert meaning("JSON", after) == meaning("JSON", FILES["JSON"])
    with pytest.raises(UnfitError, match="no place"):
        at_random("JSON", b'"alone"')
