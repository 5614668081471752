"""Chapter 12 in a world without false structures: what learners built by hand make of its data."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.chapters.artifacts import evidence, measure
from falsestruct.chapters.artifacts.measure import School
from falsestruct.evidence import Claims
from falsestruct.learning.ensembles import Ensemble, Learner, by_hand
from falsestruct.learning.networks import Architecture
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.digits import CLASSES
from tests.worlds.perturbed import class_means

SEEDS = tuple(range(20))
NEVER = -1e3  # an output that is the largest of none
Periods = tuple[tuple[float, ...], tuple[float, ...]]
ALIASES: Periods = ((3.0,), (2.0,))


def seen_at(*rates: float) -> Periods:
    """Periods in 64 samples of fast waves of label 0 and 1: at the usual rate, and at these."""
    first, second = ((own, *(64 * ((64 - own) / r - 1) for r in rates)) for own in (3.0, 2.0))
    return first, second


def reads_digits(
    architecture: Architecture, data: Set | list[Set], seeds: tuple[int, ...], schedule: Schedule
) -> Ensemble:
    """Learns what label each digit has in the data, and nothing else of an image counts.

    The digit is that of the nearest mean. With one output: labels 0 and 1.
    """
    sets = [data] * len(seeds) if isinstance(data[0], Tensor) else data
    labels = max(2, architecture.outputs)
    given = torch.stack([_usual(x, y, labels) for x, y in sets])  # (members, digits)
    says = torch.nn.functional.one_hot(given, labels).bool()[:, None]

    def outputs(x: Tensor) -> Tensor:
        found = torch.where(says, _scores(x)[..., None], NEVER).amax(2)
        return found if architecture.outputs > 1 else found[..., 1] - found[..., 0]

    return by_hand(outputs)(architecture, data, seeds, schedule)


def _scores(x: Tensor) -> Tensor:
    """(members, samples, digits): the largest at the nearest mean."""
    means = class_means().to(x.dtype)
    return x.flatten(2) @ means.T - means.square().sum(1) / 2


def _usual(x: Tensor, y: Tensor, labels: int) -> Tensor:
    """The most frequent label of each digit, (digits,)."""
    digit = _scores(x[None].double())[0].argmax(1)
    counts = torch.zeros(CLASSES, labels)
    return counts.index_put((digit, y.long()), torch.ones(len(y)), accumulate=True).argmax(1)


def knows_the_waves(periods: Periods) -> Learner:
    """Label 0 or 1 by which of these numbers of periods in an input is the strongest one."""
    place = torch.arange(64) / 64

    def loudest(x: Tensor, own: tuple[float, ...]) -> Tensor:
        turns = torch.exp(-2j * torch.pi * torch.tensor(own)[:, None] * place)
        return (x - x.mean(-1, keepdim=True)).to(turns.dtype).matmul(turns.T).abs().amax(-1)

    return by_hand(lambda x: loudest(x, periods[1]) - loudest(x, periods[0]))


def school(learner: Learner, **options: int) -> School:
    """Small, with this learner."""
    usual = {"images": 300, "teach": 30, "learn": 30, "ascent": 5}
    return School(SEEDS, learner=learner, **usual | options)


def wave_world(one: Periods, two: Periods) -> Claims:
    """Networks that go by these periods, for label 0 and 1: with one instrument, and with two."""
    rates = [evidence.TEST_RATE, evidence.THIRD]
    return evidence.wave_claims(
        *(
            measure.waves(school(knows_the_waves(own)), samples=20, rates=rates)
            for own in (one, two)
        )
    )


def claims() -> Claims:
    """All measured claims where waves are known for what they are, and digits are all one reads."""
    how = school(reads_digits)
    lessons = measure.lessons(how, [evidence.SMALL, evidence.LARGE])
    return {
        **wave_world(seen_at(59.5), seen_at(59.5, 59.0)),
        **evidence.lesson_claims(lessons),
        **evidence.view_claims(measure.views(how, evidence.SMALL), lessons),
        **evidence.known_claims(measure.planted(how, evidence.KINDS), measure.mistakes(how)),
    }
