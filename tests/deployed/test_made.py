"""Files by grammars: what the plan says, and their parsers take them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.deployed.made import GRAMMARS, WORDS, Draw, Plan, made
from falsestruct.deployed.parsers import REJECTING, accepted, installed

KINDS = [kind for kind in GRAMMARS if installed(kind)]


def test_every_kind_that_is_rejected_has_a_grammar():
    assert tuple(GRAMMARS) == REJECTING


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 2500),
    depth=st.integers(1, 4),
    words=st.booleans(),
)
def test_parsers_take_what_is_made(kind, seed, size, depth, words):
    plan = Plan(size, depth, words)
    data = made(kind, seed, plan)
    assert accepted(kind, data) and data == made(kind, seed, plan)
    assert size <= len(data) and data != made(kind, seed + 1, plan)


@pytest.mark.parametrize("kind", KINDS)
def test_length_is_close_to_the_plan_and_depth_shows(kind):
    sizes = [len(made(kind, seed, Plan(2000, 1))) for seed in range(8)]
    assert sum(sizes) / 8 < 2500
    if kind in ("JSON", "XML", "Python", "C"):
        deep, flat = (made(kind, 1, Plan(3000, depth)).decode() for depth in (4, 1))
        assert _indent(deep) > _indent(flat)


def _indent(text):
    return max(len(line) - len(line.lstrip()) for line in text.split("\n"))


def test_vocabulary_alone_changes():
    kinds = Draw(3, Plan(words=True)), Draw(3, Plan(words=False))
    names = [[draw.word() for _ in range(50)] for draw in kinds]
    assert set(names[0]) <= set(WORDS) and not set(names[1]) & set(WORDS)
    assert not set("".join(names[1])) & set("aeiou")
    with pytest.raises(ValueError, match="kind is 'CSV'"):
        made("CSV", 0)
    with pytest.raises(ValueError, match="expected a size"):
        Plan(0)
