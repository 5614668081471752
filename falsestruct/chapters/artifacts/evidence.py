"""Chapter 12: from its tables to claims, figures and numbers in the text.

Pupils and held-out images are both sampled, so accuracies of pupils are crossed means; of waves any
number can be drawn, and only networks count.
"""

from __future__ import annotations

from functools import partial
from random import Random

import pandas as pd

from falsestruct import evidence
from falsestruct.evidence import Claims, Found, cells, crossed, where
from falsestruct.statistics import exact
from falsestruct.theory import artifacts as theory

USUAL, TEST_RATE, THIRD = 64.0, 59.5, 59.0  # samples a unit of time: of training, of the tests
SMALL, LARGE = 0.5, 1.0  # norms of perturbations
PLANTED, ENOUGH, SHORT = 0.25, 0.5, 0.3  # norm of what is planted; of perturbations
# Lessons on planted images: norm of what is planted, size of perturbations, lesson.
KINDS = (
    (PLANTED, ENOUGH, "attack"), (PLANTED, SHORT, "attack"),
    (0.0, ENOUGH, "attack"), (PLANTED, ENOUGH, "noise"),
)  # fmt: skip
SHARE = partial(evidence.mean, bounds=(0.0, 1.0))


# Proved


def proved(cases: int) -> Claims:
    """What is counted in exact arithmetic, on so many random cases each."""
    found: Claims = {}
    for name, shares in theory.SHARES.items():
        own, other = shares(cases, Random(0))
        found[f"artifacts-{name}"] = exact(float(own), cases), exact(float(other), cases)
    return found


# Measured


def taught(part: pd.DataFrame) -> Found:
    """Accuracy of pupils, over pupils and held-out images."""
    return crossed(cells(part, "right"), bounds=(0, 1))


def gain(part: pd.DataFrame, other: pd.DataFrame) -> Found:
    """Accuracy of some pupils less that of others with the same teachers."""
    return crossed(cells(part, "right") - cells(other, "right"), bounds=(-1, 1))


def wave_claims(one: pd.DataFrame, two: pd.DataFrame) -> Claims:
    """From `measure.waves`, with one instrument in training and with two."""
    fast, slow = (where(one, world=w, rate=TEST_RATE)["accuracy"] for w in ("fast", "slow"))
    third, second = (where(two, world="fast", rate=r)["accuracy"] for r in (THIRD, TEST_RATE))
    return {
        "artifacts-instrument": (SHARE(fast), SHARE(slow)),
        "artifacts-second-instrument": (SHARE(third), SHARE(second)),
    }


def lesson_claims(table: pd.DataFrame) -> Claims:
    """From `measure.lessons`."""
    following = partial(where, table, targets="next", size=LARGE)
    every, wrong = (partial(where, table, targets=t, size=SMALL) for t in ("all ten", "wrong only"))
    own = following(lesson="attack")
    return {
        "artifacts-lesson": (taught(own), taught(following(lesson="noise"))),
        "artifacts-leak": (
            gain(every(lesson="leak only"), every(lesson="attack")),
            gain(wrong(lesson="leak only"), wrong(lesson="attack")),
        ),
        "artifacts-swapped": (
            gain(following(lesson="swapped"), own),
            gain(following(lesson="leak only"), own),
        ),
    }


def view_claims(table: pd.DataFrame, lessons: pd.DataFrame) -> Claims:
    """From `measure.views` and `measure.lessons`."""
    whole = where(lessons, targets="wrong only", lesson="attack", size=SMALL)
    through, noise = (where(table, view="robust", lesson=name) for name in ("attack", "noise"))
    return {"artifacts-robust-features": (gain(through, whole), taught(noise))}


def known_claims(planted: pd.DataFrame, mistakes: pd.DataFrame) -> Claims:
    """From `measure.planted`, several of them, and `measure.mistakes`."""
    long, short = (
        where(planted, norm=PLANTED, size=size, lesson="attack") for size in (ENOUGH, SHORT)
    )
    own, other = (where(mistakes, labels=name) for name in ("the teacher's", "random"))
    return {
        "artifacts-planted": (taught(long), taught(short)),
        "artifacts-errors": (taught(own), taught(other)),
    }


# Figures


def curves(one: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy: world ("both rates": fast, with two in training), rate, value, low, high."""
    both = pd.concat([one, where(two, world="fast").assign(world="both rates")])
    return evidence.summary(both, ["world", "rate"], "accuracy", measure=SHARE)


def accuracies(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Accuracy of pupils by these columns, with value, low, high."""
    return evidence.summary(table, by, None, measure=taught)


def compared(views: pd.DataFrame, lessons: pd.DataFrame) -> pd.DataFrame:
    """Pupils by what they see of the lesson with wrong targets: those of `views`, with a name."""
    whole = where(lessons, targets="wrong only", lesson="attack", size=SMALL)
    noise = views["lesson"] == "noise"
    names = ("nine " + views["view"] + " directions").where(~noise, "noise in robust directions")
    return pd.concat([whole.assign(name="the whole image"), views.assign(name=names)])
