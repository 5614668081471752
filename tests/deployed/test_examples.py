"""The examples are what their parser says of them."""

import json

import pytest

from falsestruct.deployed.examples import LINES, SIGNS, example, head


def test_one_value_two_texts_and_one_that_no_parser_takes():
    plain, broken, same = map(example, ("plain", "destroyed", "same"))
    assert json.loads(plain) == json.loads(same) and plain != same
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert sorted(broken.split()) == sorted(plain.split())
    with pytest.raises(ValueError, match="expected plain, destroyed or same"):
        example("other")


def test_heads_fit_the_figure():
    assert head("a\n" * 20) == "\n".join("a" * LINES)
    assert head("b" * 99) == "b" * (SIGNS - 1) + "…" and head("b" * SIGNS) == "b" * SIGNS
    heads = {head(example(case)) for case in ("plain", "destroyed", "same")}
    assert len(heads) == 3  # a reader sees the difference
