"""Binary images: the rules by hand, all images, and what is drawn from them."""

import numpy as np
import pytest

from falsestruct.problems import binary
from falsestruct.theory.explanations import smallest


def image(*rows: str) -> np.ndarray:
    return np.array([[int(c) for c in "".join(rows)]], dtype=np.float32)


def test_rules_by_hand():
    row = image("0000", "1110", "0000", "0000")
    assert binary.original(row) == 1 and binary.original(row.reshape(4, 4).T.reshape(1, 16)) == 0
    assert binary.original(image("1000", "0000", "0000", "0000")) == 0  # a tie
    assert binary.corner(image("1000", *["0000"] * 3)) == 1 and binary.corner(row) == 0
    assert binary.brightness(image(*["1111"] * 2, "1000", "0000")) == 1
    assert binary.brightness(image(*["1111"] * 2, "0000", "0000")) == 0
    assert binary.parity(image("1000", "0100", "0010", "0001")) == 1
    assert binary.parity(image("1000", "0100", "0000", "0000")) == 0
    assert binary.middle(image("0111", "1111", "0000", "0000")) == 1
    assert binary.middle(image("1111", "1111", "1000", "0000")) == 1
    assert binary.middle(image("1111", "1111", "1100", "0000")) == 0
    assert binary.middle(image("1111", "1100", "1000", "0000")) == 0
    assert binary.seven(image("1001", "0110", "0110", "0001")) == 1
    assert binary.seven(image("1000", "0110", "0000", "1000")) == 1
    assert binary.seven(image("0110", "1001", "1001", "1000")) == 0


def test_all_images_are_there_once_and_numbers_name_them():
    x = binary.images()
    assert x.shape == (65_536, 16) and set(np.unique(x)) == {0, 1}
    assert (x @ 2.0 ** np.arange(16) == np.arange(65_536)).all()


@pytest.mark.parametrize("rule", binary.RULES)
def test_each_label_has_more_than_a_fifth_of_every_conflict_set(rule):
    apart = binary.labels(rule) != binary.labels("original")
    share = binary.labels(rule)[apart].mean()
    assert 0.2 < share < 0.8 and 0.3 < apart.mean() < 0.7


@pytest.mark.parametrize("rule", ["original", *binary.RULES])
def test_images_of_a_class_have_masks_of_one_size(rule):
    which, counts = binary.classes(rule)
    assert counts.sum() == 65_536 and len(which) == {"original": 317}.get(rule, len(which))
    names = binary.CLASSES[rule](binary.images())
    rng, labels = np.random.default_rng(0), binary.labels(rule)
    for n in rng.choice(which, 3):
        other = rng.choice(np.flatnonzero(names == names[n]))
        assert len({smallest(labels, int(image), 0.05)[0] for image in (n, other)}) == 1


def test_what_is_drawn_agrees():
    rng = np.random.default_rng(0)
    which = binary.draw(500, "corner", rng)
    assert (binary.labels("corner")[which] == binary.labels("original")[which]).all()
    every = binary.draw(500, "original", rng)
    assert 0.3 < (binary.labels("corner")[every] != binary.labels("original")[every]).mean() < 0.7


def test_an_unknown_rule_is_an_error():
    with pytest.raises(KeyError):
        binary.labels("nothing")
