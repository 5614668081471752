"""The audit of one's own data: hand-built rules with known answers, and what it refuses."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from falsestruct.characterise import flips, held
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.suspicion import Suspicion, audit

RNG = np.random.default_rng(0)
N = 240
Y = RNG.integers(0, 2, N)
CORNER = np.where(RNG.random(N) < 0.75, Y, 1 - Y)


def images() -> np.ndarray:
    """The bottom right pixel is the original structure, the top left one the false structure."""
    x = RNG.random((N, 4, 4))
    x[:, -1, -1], x[:, 0, 0] = Y, CORNER
    return x


X = images()
AGREED = X[Y == CORNER]


def content(x: np.ndarray) -> np.ndarray:
    return (x[:, -1, -1] > 0.5).astype(int)


def corner(x: np.ndarray) -> np.ndarray:
    return (x[:, 0, 0] > 0.5).astype(int)


def place(x: np.ndarray, name: str, value: int, rng: np.random.Generator) -> np.ndarray:
    where = -1 if name == "content" else 0
    x[:, where, where] = value
    return x


def suspect(predict: Any, x: Any = X, **options: Any) -> Suspicion:
    options = {"original": content, "false": corner, "points": 0} | options
    return audit(predict, x, **options)


# ---- verdicts ----


@pytest.mark.parametrize(("x", "how"), [(X, None), (AGREED, place)])
def test_either_structure_is_named(x: np.ndarray, how: Any) -> None:
    for rule, shares in ((content, [1, 0, 0]), (corner, [0, 1, 0])):
        found = suspect(rule, x, intervene=how)
        assert found.verdict == rule.__name__ and found.needed is None
        assert [own.share for own in found.captures] == shares
        assert [own.structure for own in found.captures] == ["content", "corner", "neither"]
        assert found.success.share == 1 and found.success.n == (Y == CORNER).sum()
        assert f"follows {rule.__name__}" in found.sentence
        assert all(check.passed for check in found.checks) and found.warnings == ()
        natural = "natural conflict"
        changed = "your intervention on corner"
        assert found.how == (natural if how is None else changed)
        assert found.captures[0].n == ((Y != CORNER).sum() if how is None else len(AGREED))


def test_a_mixture_is_one() -> None:
    def both(x: np.ndarray) -> np.ndarray:
        return np.where(x[:, 1, 1] < 0.5, content(x), corner(x))

    found = suspect(both)
    assert found.verdict == "mixture" and "is a mixture" in found.sentence
    assert sum(own.share or 0 for own in found.captures) == pytest.approx(1)


def test_an_answer_that_is_neither() -> None:
    def third(x: np.ndarray) -> np.ndarray:
        return np.where(content(x) == corner(x), content(x), 2)

    found = suspect(third)
    assert found.verdict == "none" and found.captures[2].share == 1
    assert "neither on 100 %" in found.sentence
    assert suspect(lambda x: (x[:, 1, 1] > 0.5).astype(int)).verdict == "none"


def test_a_constant_answer() -> None:
    found = suspect(lambda x: np.ones(len(x), dtype=int), points=3)
    assert found.verdict == "none" and found.sentence.startswith("It answers 1 to every input")
    assert not found.checks[0].passed and found.needed is None
    assert found.instability.smallest.n == 0


def test_an_answer_that_only_changed_inputs_get() -> None:
    """Its code must not be one of the original's classes that it never gave before."""

    def odd(x: np.ndarray) -> np.ndarray:
        return np.where(content(x) == corner(x), 1, 7)

    found = suspect(odd, AGREED, intervene=place)
    assert found.classes == (1, 0, 7) and found.captures[2].share == 1
    assert {one.answer for one in found.examples} == {7}


def test_what_can_not_be_used_is_found_before_the_network_is_asked() -> None:
    def never(x: np.ndarray) -> np.ndarray:
        pytest.fail("it was asked")

    for options in ({"false": "spot"}, {"groups": [1]}, {"intervene": "exchange"}):
        with pytest.raises(AuditError):
            suspect(never, **options)


def test_too_few_in_conflict_and_no_way_to_make_more() -> None:
    found = suspect(content, AGREED)
    assert found.verdict == "undecided" and found.needed == 11
    assert "No input has them disagree" in found.sentence
    assert "about 11 more inputs that do would decide" in found.sentence
    few = np.concatenate([AGREED, X[Y != CORNER][:4]])
    found = suspect(content, few)
    assert found.verdict == "undecided" and found.needed == 7
    assert found.captures[0].n == 4 and "about 7 more such inputs would decide" in found.sentence


# ---- what must not be named ----


def numbered(n: int) -> np.ndarray:
    return np.arange(n)[:, None] * np.ones(2)


def by_row(answers: np.ndarray) -> Any:
    """A network that gives these answers to `numbered`."""
    return lambda b: answers[b[:, 0].astype(int)]


def test_a_bias_is_no_structure() -> None:
    """It says 1 to nearly all, at random; so does the false structure, which it knows nothing of.

    Where both agree it is right on .96, and where they disagree it sides with the false one on .94.
    """
    rng = np.random.default_rng(0)
    y, z, answers = (rng.random(4000) < share for share in (0.6, 0.98, 0.97))
    found = audit(by_row(answers), numbered(4000), original=y, false=z, points=0)
    assert found.success.low > 0.75 and (found.captures[1].share or 0) > 0.9
    assert found.verdict == "undecided" and found.needed is None
    assert "original says False, and a mere bias would look the same" in found.sentence
    follows = audit(by_row(z), numbered(4000), original=y, false=z, points=0)
    assert follows.verdict == "false"  # the few that are not 1 tell
    reverse = audit(by_row(answers), numbered(4000), original=z, false=y, points=0)
    assert reverse.verdict == "undecided" and (reverse.captures[0].share or 0) > 0.9


def test_a_bias_is_no_mixture() -> None:
    """Both structures and the network say 1 to nearly all, and have nothing to do with each other.

    Where the structures disagree, one of them says 0, either as often.
    """
    rng = np.random.default_rng(0)
    y, z, answers = (rng.random(3000) < share for share in (0.94, 0.94, 0.97))
    found = audit(by_row(answers), numbered(3000), original=y, false=z, points=0)
    assert found.success.low > 0.75 and found.verdict == "undecided"
    assert found.sentence.endswith("; answers at random would look the same.")
    assert not found.checks[2].passed


def test_a_bias_among_many_classes_is_none_either() -> None:
    """Whatever the original says, the false structure and the network nearly always say 1."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 3000)
    z, answers = (np.where(rng.random(3000) < share, 1, y) for share in (0.97, 0.97))
    found = audit(by_row(answers), numbered(3000), original=y, false=z, points=0)
    assert found.success.low > 0.75 and (found.captures[1].share or 0) > 0.9
    assert found.verdict == "undecided"
    assert found.sentence.endswith("; a structure at random would be named as often.")
    check = found.checks[2]
    assert not check.passed and "original in 0, false in 20" in check.told


def test_a_bias_is_found_among_changed_inputs_too() -> None:
    rng = np.random.default_rng(0)
    x = np.c_[np.arange(600), np.zeros((600, 1))]
    x[:, 1] = rng.random(600) < 0.97
    answers = rng.random(600) < 0.97

    def give(b: np.ndarray, name: str, value: float, rng: np.random.Generator) -> np.ndarray:
        b[:, 1] = value
        return b

    options: Any = {"original": x[:, 1] > 0, "false": lambda b: b[:, 1] > 0, "intervene": give}
    found = audit(by_row(answers), x, points=0, **options)
    assert (found.captures[0].share or 0) > 0.9 and found.success.low > 0.75
    assert found.verdict == "undecided" and "a mere bias would look the same" in found.sentence
    assert audit(by_row(x[:, 1] > 0), x, points=0, **options).verdict == "original"


def test_a_conflict_of_one_class_alone_names_nothing_unless_something_is_changed() -> None:
    one = X[(Y == CORNER) | (Y == 0)]
    for rule in (content, corner):
        found = suspect(rule, one)
        assert found.captures[0].n >= 20 and found.verdict == "undecided"
        assert "on all of them, content says 0, and a mere bias" in found.sentence
        assert "or intervene=" in found.sentence and found.needed is None
        changed = suspect(rule, one, intervene=place)
        assert changed.verdict == rule.__name__ and changed.how == "your intervention on corner"
    few = np.concatenate([one, X[(Y != CORNER) & (Y == 1)][:6]])
    assert suspect(corner, few).verdict == "corner"


@pytest.mark.parametrize("rule", [content, corner])
def test_a_change_that_breaks_its_inputs_names_nothing(rule: Any) -> None:
    """It blanks all but the corner: what the network says then is no answer to the structure."""

    def blank(x: np.ndarray, name: str, value: int, rng: np.random.Generator) -> np.ndarray:
        x[:, 1:] = 0
        x[:, 0, 0] = value
        return x

    def needs_light(x: np.ndarray) -> np.ndarray:
        return np.where(x[:, 1:].sum((1, 2)) > 1, rule(x), 0)

    found = suspect(needs_light, AGREED, original=Y[Y == CORNER], intervene=blank)
    assert found.verdict == "undecided" and not found.checks[-1].passed
    assert "set to the value that it has, corner flips" in found.sentence
    careful = suspect(needs_light, AGREED, original=Y[Y == CORNER], intervene=place)
    assert careful.checks[-1].passed
    assert careful.checks[-1].name == "setting corner to the value that it has flips nothing"
    assert careful.verdict == ("original" if rule is content else "corner")


def test_labels_that_are_the_networks_in_part_are_refused_or_named() -> None:
    signs, ranks = 2 * Y - 1, Y + 1
    for predict, original in ((content, signs), (lambda x: np.eye(2)[content(x)], ranks)):
        with pytest.raises(AuditError, match=r"but the network answers (0, 1|1, 0); "):
            suspect(predict, original=original)
    open_ = suspect(lambda x: np.where(x[:, 1, 1] < 0.2, 5, np.where(x[:, 1, 1] < 0.3, 6, 0)),
                    points=0)  # fmt: skip
    assert "content says 1, which the network never answers" in open_.warnings[0]


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 1), st.integers(0, 100))
def test_a_share_lies_in_its_interval_and_names_what_it_must(share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, z = rng.integers(0, 2, (2, 300))
    answers = np.where(rng.random(300) < share, z, y)
    x = np.c_[np.arange(300), y]
    found = audit(lambda b: answers[b[:, 0].astype(int)], x, original=y, false=z, points=0)
    false = found.captures[1]
    conflict = y != z
    assert (
        false.share == pytest.approx((answers == z)[conflict].mean()) and false.n == conflict.sum()
    )
    assert false.low <= false.share <= false.high
    assert (found.verdict == "false") == (false.share >= 0.9 and false.low > 0.75)
    assert sum(own.share for own in found.captures) == pytest.approx(1)


# ---- forms ----


def test_many_classes_and_words() -> None:
    animal = RNG.integers(0, 3, 300)
    where = np.where(RNG.random(300) < 0.7, animal, RNG.integers(0, 3, 300))
    names, places = np.array(["cow", "fish", "yak"]), np.array(["field", "water", "snow"])
    x = np.c_[animal, where, RNG.random(300)]
    attributes = {"animal": names[animal], "place": places[where]}
    found = audit(lambda b: names[b[:, 1].astype(int)], x, original="animal", false="place",
                  attributes=attributes, points=0)  # fmt: skip
    assert found.verdict == "place" and set(found.classes) == set(names)
    assert "'snow' for 'yak'" in " ".join(found.warnings)
    scores = audit(lambda b: np.eye(3)[b[:, 0].astype(int)], x, original="animal", false="place",
                   attributes=attributes, points=0, classes=tuple(names))  # fmt: skip
    assert scores.verdict == "animal"
    with pytest.raises(AuditError, match="say what its answers mean: classes="):
        audit(lambda b: np.eye(3)[b[:, 0].astype(int)], x, original="animal", false="place",
              attributes=attributes)  # fmt: skip


TABLE = pd.DataFrame({"size": RNG.normal(size=N), "town": np.where(Y == 1, "a", "b"),
                      "old": RNG.integers(0, 9, N)})  # fmt: skip
SICK = np.where(Y == 1, "yes", "no")


def by_town(table: pd.DataFrame) -> np.ndarray:
    return np.where(table.town == "a", "yes", "no")


def test_a_column_of_a_table_is_exchanged_unasked() -> None:
    found = audit(by_town, TABLE, original=SICK, false="town", points=2)
    assert found.verdict == "town" and found.how == "exchange of town"
    along = found.instability.along_false
    assert along is not None and along.share == 1 and found.instability.along_original is None
    assert found.instability.smallest.pieces == 1
    assert found.instability.smallest.unit == "columns replaced"
    said = " ".join(found.warnings)
    assert "could not be verified for original" in said and "'b' for 'no'" in said
    randomised = audit(by_town, TABLE, original=SICK, false="town", intervene="randomise", points=0)
    assert randomised.verdict == "town" and randomised.captures[0].n < found.captures[0].n
    assert all(one.original != one.false == one.answer for one in randomised.examples)
    along = randomised.instability.along_false
    assert along is not None and along.share == 1 and along.n == randomised.captures[0].n


def test_a_mark_that_goes_with_one_class_of_many() -> None:
    """A mark stands for class 3, none for nothing: others are given the mark."""
    y = np.arange(100) % 5
    x = np.c_[y, y == 3, np.arange(100)].astype(float)

    def mark(b: np.ndarray) -> np.ndarray:
        return b[:, 1] == 1

    def give(b: np.ndarray, name: str, value: bool, rng: np.random.Generator) -> np.ndarray:
        b[:, 1] = value
        return b

    follows = {"mark": lambda b: np.where(mark(b), 3, b[:, 0]).astype(int),
               "original": lambda b: b[:, 0].astype(int)}  # fmt: skip
    for name, rule in follows.items():
        found = audit(rule, x, original=lambda b: b[:, 0].astype(int), false=mark, intervene=give,
                      points=0)  # fmt: skip
        assert found.verdict == name and found.captures[0].n == 80 and found.success.n == 20
        along = found.instability.along_false
        assert along is not None and along.share == (name == "mark") and along.n == 80


def test_texts() -> None:
    words = ["good"] * 60 + ["bad"] * 60
    marks = (["!"] * 45 + ["."] * 15) + (["."] * 45 + ["!"] * 15)
    texts = [f"a {w} day {i} {m}" for i, (w, m) in enumerate(zip(words, marks, strict=True))]
    found = audit(lambda batch: ["!" in text for text in batch], texts,
                  original=lambda batch: ["good" in text for text in batch],
                  false=lambda batch: ["!" in text for text in batch], points=3)  # fmt: skip
    assert found.verdict == "false" and found.instability.smallest.pieces == 1
    assert found.instability.smallest.unit == "words replaced"


def test_a_module_and_its_smallest_flips() -> None:
    class Corner(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([0.5 - x[:, 0, 0], x[:, 0, 0] - 0.5], 1)

    least = suspect(Corner(), torch.tensor(X).float(), points=4,
                    original=Y, false=CORNER).instability.smallest  # fmt: skip
    pairs = RNG.integers(0, N, (2, 2000))
    flat = X.reshape(N, -1)
    typical = np.median(np.linalg.norm(flat[pairs[0]] - flat[pairs[1]], axis=1))
    assert least.l2 == pytest.approx(0.5 / typical, rel=0.2) and least.n == 4
    assert least.linf is not None and 0.45 < least.linf <= 0.6  # of a largest difference of 1


def test_groups_are_what_counts() -> None:
    groups = np.arange(N) // 8
    found = suspect(corner, groups=groups)
    assert found.captures[1].n == len(set(groups[Y != CORNER])) and found.success.n == 30
    assert "groups (" in found.sentence
    alike = suspect(corner, np.concatenate([X] * 3))
    changed = suspect(corner, np.concatenate([AGREED] * 2), intervene=place).captures[1]
    assert changed.inputs == changed.n == len(AGREED)
    assert alike.captures[1].n == (Y != CORNER).sum() and "different inputs" in alike.warnings[0]
    with pytest.raises(AuditError, match="groups has one group"):
        suspect(corner, groups=[1] * N)
    with pytest.raises(AuditError, match="groups has missing values"):
        suspect(corner, groups=[None, *range(N - 1)])
    with pytest.raises(AuditError, match=r"groups has shape \(3,\)"):
        suspect(corner, groups=[1, 2, 3])


# ---- instability and controls ----


def test_flips_along_either_structure() -> None:
    for x in (X, AGREED):
        whole = suspect(corner, x, intervene=place)
        assert (whole.how == "natural conflict") == (x is X)
        found = whole.instability
        assert found.along_false is not None and found.along_original is not None
        assert found.along_false.share == 1 and found.along_original.share == 0
    assert suspect(corner).instability.along_false is None
    hidden = suspect(corner, original=Y, intervene=place).instability
    assert hidden.along_original is None  # nothing says whether it changed


def test_failures_and_notes_are_said() -> None:
    bad = X[5].copy()

    def fragile(x: np.ndarray) -> np.ndarray:
        if (x == bad).all((1, 2)).any():
            raise ValueError("no")
        return corner(x)

    found = suspect(fragile)
    assert found.verdict == "corner"
    assert found.warnings == ("1 inputs without an answer, left out: ValueError: no.",)


def test_what_looks_odd_is_said() -> None:
    half = X[(Y == CORNER) | (Y == 0)]
    assert "content always says 0" in " ".join(suspect(corner, half).warnings)

    def needs_both(x: np.ndarray) -> np.ndarray:
        return content(x) * corner(x)

    found = suspect(needs_both)
    assert "It answers 0 to every conflict input" in " ".join(found.warnings)
    assert not found.checks[3].passed
    reverse = suspect(corner, false=lambda x: 1 - corner(x))
    assert "does it mean the reverse?" in " ".join(reverse.warnings)
    open_ = suspect(corner, false=[None, *CORNER[1:]])
    assert f"says nothing about 1 of {N} inputs" in " ".join(open_.warnings)


def test_an_intervention_that_fails_matters_only_if_it_is_needed() -> None:
    def fails(x: np.ndarray, *_: Any) -> np.ndarray:
        raise KeyError("x")

    assert "corner was not changed: intervene raised KeyError" in " ".join(
        suspect(corner, intervene=fails).warnings
    )
    with pytest.raises(AuditError, match="intervene raised KeyError"):
        suspect(corner, AGREED, intervene=fails)


def test_the_batch_is_as_large_as_one_says() -> None:
    sizes: list[int] = []

    def watched(x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return corner(x)

    suspect(watched, batch=50, intervene=place, points=3)
    assert max(sizes) == 50
    with pytest.raises(AuditError, match="batch is 0"):
        suspect(corner, batch=0)


def test_names_can_not_be_mistaken_for_verdicts() -> None:
    found = suspect(corner, false="none", attributes={"none": CORNER})
    assert found.verdict == "none (false)"
    same = suspect(corner, original="a", false="a", attributes={"a": Y})
    assert [own.structure for own in same.captures][:2] == ["a (original)", "a (false)"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": -1}, "points is -1"),
        ({"original": Y, "false": 1 - Y}, "agree on no input that was answered"),
        ({"false": "spot"}, "no column; give attributes="),
        ({"intervene": "exchange"}, "corner is none; give intervene="),
        ({"threshold": 0.5}, "leave threshold= out"),
        ({"classes": ("a", "b")}, "content says"),
    ],
)
def test_what_can_not_be_audited(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        suspect(corner, **options)


@pytest.mark.parametrize("x", [X, AGREED, torch.tensor(AGREED), list(AGREED)])
def test_the_examples_are_what_was_asked(x: Any) -> None:
    def both_forms(batch: Any, where: int) -> np.ndarray:
        held = batch if isinstance(batch, np.ndarray) else np.stack([np.asarray(b) for b in batch])
        return (held[:, where, where] > 0.5).astype(int)

    def paint(batch: Any, name: str, value: int, rng: np.random.Generator) -> Any:
        for one in batch:
            one[0, 0] = value
        return batch

    found = suspect(lambda b: both_forms(b, 0), x, original=lambda b: both_forms(b, -1),
                    false=lambda b: both_forms(b, 0), intervene=paint)  # fmt: skip
    assert len(found.examples) == 8
    for one in found.examples:
        picture = one.shown.array()[0]
        assert (picture[-1, -1], picture[0, 0]) == (one.original, one.false)
        assert one.answer == one.false != one.original
    assert len({one.false for one in found.examples}) == 2


def test_the_same_seed_the_same_report() -> None:
    first, second = (suspect(corner, points=3, intervene=place, seed=4) for _ in range(2))
    assert first == second and first.to_json() == second.to_json()


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    suspect(corner, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "asking about x, and again" in err
    suspect(corner)
    assert capsys.readouterr() == ("", "")


def test_the_json_has_it_all_but_the_pictures() -> None:
    found = json.loads(suspect(corner, points=2).to_json())
    assert list(found) == [
        "verdict", "sentence", "captures", "success", "instability", "needed",
        "needed_agreeing", "how", "checks", "warnings", "classes", "queries",
    ]  # fmt: skip
    assert found["captures"][1]["share"] == 1.0 and found["instability"]["along_false"] is None


def test_memory_does_not_grow_with_the_number_of_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes in colour, 15 MB; as float64 all of them would be 118 MB."""
    for module in (held, flips):
        monkeypatch.setattr(module, "BYTES", 2**20)
    n = 1200
    y, corner = np.arange(n) % 2, (np.arange(n) // 3) % 2
    x = np.random.default_rng(1).integers(0, 200, (n, 3, 64, 64), dtype=np.uint8)
    x[:, :, :8, :8] = (200 * corner[:, None, None, None]).astype(np.uint8)
    tracemalloc.start()
    found = audit(lambda z: (z[:, :, :8, :8].mean((1, 2, 3)) > 100).astype(int), x,
                  original=y, false=corner, points=2)  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.verdict == "false" and peak < 45e6
