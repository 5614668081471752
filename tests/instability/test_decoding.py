"""Decoders in worlds where it is known what they know, and the attack on them."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from falsestruct.chapters.barriers import evidence as estimates
from falsestruct.instability import decoding as decoders
from falsestruct.learning.decoders import fit
from falsestruct.press.notebook import claims
from falsestruct.press.paths import find_book
from falsestruct.problems import sparse
from falsestruct.statistics import Nobody
from falsestruct.theory import barrier
from falsestruct.theory.firenet import Plan

CLAIMS = claims.read_claims(find_book())
TRACE, SEEDS, POINTS = 0.02, 10, 3
IDS = ("barriers-detail", "barriers-decoder", "barriers-amplification", "barriers-kernel",
       "barriers-noise", "barriers-noise-stable")  # fmt: skip


@pytest.fixture(scope="module")
def new():
    return sparse.world(seeds=SEEDS, trace=TRACE, samples=60, offset=1)


def linear(world, *, detail):
    """The exact linear decoder of signals on the first unknowns, with or without the detail."""
    basis = torch.zeros(SEEDS, sparse.SUPPORT, sparse.UNKNOWNS, dtype=torch.float64)
    basis[:, range(sparse.SUPPORT), range(sparse.SUPPORT)] = 1
    if detail:
        basis = torch.cat((basis, world.detail), dim=1)
    seen = world.operator.forward(basis)
    return lambda y: y @ torch.linalg.pinv(seen) @ basis


def untrained(world):
    y = world.operator.forward(world.plain)
    return fit(y, world.plain, range(SEEDS), steps=0)


@pytest.fixture(scope="module")
def firenet(new):
    return decoders.measure(
        "FIRENET", 0.0, decoders.unrolled(new, Plan(0.05, 5, 30)), new, points=POINTS
    )


def judged(new, firenet, *, learnt, noisy, absent):
    parts = (
        ("network", 0.0, learnt),
        ("network", 16.0, noisy),
        ("network, no detail", 0.0, absent),
    )
    tables = [decoders.measure(*part, new, points=POINTS) for part in parts]
    found = estimates.of_decoders(pd.concat([*tables, firenet], ignore_index=True))
    return {id: claims.judge(CLAIMS[id], *found[id]) for id in IDS}


def test_decoders_that_know_the_detail_are_named_right(new, firenet):
    know, blind = linear(new, detail=True), linear(new, detail=False)
    verdicts = judged(new, firenet, learnt=know, noisy=blind, absent=blind)
    assert verdicts == dict.fromkeys(IDS, "supported")


def test_decoders_that_ignore_the_detail_are_refuted(new, firenet):
    blind = linear(new, detail=False)
    verdicts = judged(new, firenet, learnt=blind, noisy=blind, absent=blind)
    assert verdicts["barriers-detail"] == verdicts["barriers-decoder"] == "refuted"
    assert "supported" not in verdicts.values()


def test_firenet_in_the_networks_place_is_refuted(new, firenet):
    table = pd.concat(
        [firenet.assign(kind=kind, noise=noise)
         for kind, noise in (("network", 0.0), ("network", 16.0), ("network, no detail", 0.0))]
        + [firenet]
    )  # fmt: skip
    found = estimates.of_decoders(table)
    verdicts = {id: claims.judge(CLAIMS[id], *found[id]) for id in IDS}
    assert verdicts["barriers-detail"] == verdicts["barriers-decoder"] == "refuted"
    assert "supported" not in verdicts.values()


def test_untrained_networks_are_never_supported(new, firenet):
    start = untrained(new)
    verdicts = judged(new, firenet, learnt=start, noisy=start, absent=start)
    assert "supported" not in verdicts.values()


def test_noise_that_leaves_the_detail_is_refuted(new, firenet):
    know, blind = linear(new, detail=True), linear(new, detail=False)
    verdicts = judged(new, firenet, learnt=know, noisy=know, absent=blind)
    assert verdicts["barriers-noise"] == verdicts["barriers-noise-stable"] == "refuted"


def test_a_trained_network_learns_the_detail_and_half_of_it_by_training_with_noise():
    given = sparse.world(seeds=2, trace=TRACE, samples=400)
    fresh = sparse.world(seeds=2, trace=TRACE, samples=100, offset=1)
    clean, noisy = decoders.train(given, steps=300), decoders.train(given, noise=16.0, steps=150)
    assert decoders.told(clean, fresh).min() > 0.95
    assert decoders.told(noisy, fresh).max() < 0.75
    # None of them has seen the detail: they don't say that it is there.
    absent = decoders.train(given, absent=True, steps=150)
    assert (decoders.told(absent, fresh) == 0.5).all()


def test_the_attack_finds_the_exact_perturbation_of_linear_decoders(new):
    """The smallest e with ‖e M‖ = ½ has the size ½ over M's largest singular value."""
    decode = linear(new, detail=True)
    map_ = decode(torch.eye(sparse.ROWS, dtype=torch.float64).expand(SEEDS, -1, -1))
    exact = decoders.MOVE / torch.linalg.svdvals(map_)[:, :1]
    few = replace(new, plain=new.plain[:, :POINTS])
    found = decoders.smallest(decode, few)
    assert ((found / exact - 1).abs() < 0.01).all()


def test_errors_are_the_larger_of_both(new):
    nothing = decoders.errors(lambda y: torch.zeros_like(new.plain), new)
    wanted = (new.plain.norm(dim=-1) ** 2 + 1).sqrt()
    torch.testing.assert_close(nothing, wanted)


def test_decoders_of_the_table_answer_for_the_matrix_that_they_know():
    cell = barrier.TABLE[4]
    (answers,) = decoders.inexact([cell], seeds=2, steps=200)
    half = barrier.half_distance(cell)
    known, other = (barrier.minimiser(barrier.row(cell, larger)) for larger in (1, 0))
    for answer in answers:
        assert barrier.distance(answer, known) < 0.5 * half
        assert barrier.distance(answer, other) > 1.5 * half


def test_without_an_accurate_signal_the_theorem_says_nothing(new, firenet):
    blind = decoders.measure("network", 0.0, linear(new, detail=False), new, points=POINTS)
    absent = blind.assign(kind="network, no detail")
    found = estimates.of_decoders(pd.concat([blind, absent, firenet], ignore_index=True))
    assert isinstance(found["barriers-kernel"][0], Nobody)
    assert claims.judge(CLAIMS["barriers-kernel"], *found["barriers-kernel"]) == "inconclusive"
