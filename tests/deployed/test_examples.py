"""The examples are what their parser says of them."""

import json

import pytest

from falsestruct.deployed import filetypes
from falsestruct.deployed.examples import LINES, SAID, SIGNS, example, head


def test_one_value_two_texts_and_one_that_its_parser_rejects():
    plain, broken, same = map(example, ("plain", "destroyed", "same"))
    assert json.loads(plain) == json.loads(same) and plain != same
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert sorted(broken.split()) == sorted(plain.split())
    with pytest.raises(ValueError, match="expected plain, destroyed or same"):
        example("other")


def test_heads_fit_the_figure():
    assert head("a\n" * 20) == "\n".join("a" * LINES)
    assert head("{\n\n\n\n\n\na\n\n\nb") == "{\n… 5 empty lines …\na\n\n\nb"
    assert head("b" * 99) == "b" * (SIGNS - 1) + "…" and head("b" * SIGNS) == "b" * SIGNS
    heads = {head(example(case)) for case in ("plain", "destroyed", "same")}
    assert len(heads) == 3  # a reader sees the difference


@pytest.mark.skipif(not filetypes.installed(), reason="the network isn't installed")
def test_what_the_network_says_of_the_examples():
    said = filetypes.FileTypes().labels([example(case).encode() for case in SAID])
    assert said == list(SAID.values())
