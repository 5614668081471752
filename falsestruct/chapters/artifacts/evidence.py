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
STRONG, LONG = 0.8, 1.6  # the same, where networks take what is planted
# Lessons on planted images: norm of what is planted, size of perturbations, lesson.
KINDS = (
    (PLANTED, ENOUGH, "attack"), (PLANTED, SHORT, "attack"), (0.0, ENOUGH, "attack"),
    (PLANTED, ENOUGH, "onward"), (0.0, ENOUGH, "onward"), (STRONG, LONG, "attack"),
    (STRONG, LONG, "noise"),
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


def taught(part: pd.DataFrame, name: str = "right") -> Found:
    """Accuracy of pupils, or another of their shares, over pupils and held-out images."""
    return crossed(cells(part, name), bounds=(0, 1))


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
    own, twin = following(lesson="attack"), wrong(lesson="twin")
    return {
        "artifacts-lesson": (taught(own), taught(following(lesson="noise"))),
        "artifacts-leak": (
            gain(every(lesson="leak only"), every(lesson="attack")),
            gain(wrong(lesson="leak only"), wrong(lesson="attack")),
        ),
        "artifacts-swapped": (
            gain(following(lesson="twin"), own),
            gain(following(lesson="leak only"), own),
        ),
        "artifacts-swapped-digits": (
            gain(wrong(lesson="swapped"), twin),
            gain(twin, wrong(lesson="attack")),
        ),
    }


def view_claims(table: pd.DataFrame, lessons: pd.DataFrame) -> Claims:
    """From `measure.views` and `measure.lessons`."""
    whole = where(lessons, targets="wrong only", lesson="attack", size=SMALL)
    robust, ordinary, outputs = (
        partial(where, table, view=name) for name in ("robust", "ordinary", "robust outputs")
    )
    through = robust(lesson="attack")
    return {
        "artifacts-robust-features": (gain(through, whole), taught(robust(lesson="noise"))),
        "artifacts-robust-outputs": (
            gain(outputs(lesson="attack"), whole),
            taught(outputs(lesson="truth")),
        ),
        "artifacts-ordinary-directions": (
            gain(ordinary(lesson="attack"), through),
            gain(ordinary(lesson="truth"), robust(lesson="truth")),
        ),
    }


def known_claims(planted: pd.DataFrame, mistakes: pd.DataFrame) -> Claims:
    """From `measure.planted`, several of them, and `measure.mistakes`."""
    long, short, bare, on, bare_on, strong, noise = (
        where(planted, norm=norm, size=size, lesson=lesson) for norm, size, lesson in KINDS
    )
    own, other = (where(mistakes, labels=name) for name in ("the teacher's", "random"))
    return {
        "artifacts-planted": (taught(long), taught(short)),
        "artifacts-planted-onward": (gain(on, long), gain(bare_on, bare)),
        "artifacts-planted-strong": (taught(strong), taught(noise)),
        "artifacts-planted-captured": (taught(strong, "sides"), taught(noise, "sides")),
        "artifacts-planted-read": (taught(strong, "reads"), taught(noise, "reads")),
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
    """Pupils by view and lesson, those that see whole images as well."""
    wrong = partial(where, lessons, targets="wrong only", size=SMALL)
    whole = pd.concat([wrong(lesson="attack"), wrong(lesson="noise")]).assign(view="whole")
    return pd.concat([whole, views], ignore_index=True)
