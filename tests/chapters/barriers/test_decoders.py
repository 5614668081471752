"""Decoders in worlds where it is known what they know, and the attack on them."""

import pandas as pd
import pytest
import torch

from falsestruct.chapters.barriers import decoders
from falsestruct.chapters.barriers import evidence as estimates
from falsestruct.press.notebook import claims
from falsestruct.press.paths import find_book
from falsestruct.theory import barrier
from falsestruct.theory.firenet import Plan

CLAIMS = claims.read_claims(find_book())
TRACE, SEEDS, POINTS = 0.02, 3, 4
IDS = ("barriers-detail", "barriers-decoder", "barriers-amplification", "barriers-kernel",
       "barriers-noise")  # fmt: skip


@pytest.fixture(scope="module")
def new():
    return decoders.world(seeds=SEEDS, trace=TRACE, samples=60, offset=1)


def linear(world, *, detail):
    """The exact linear decoder of signals on the first unknowns, with or without the detail."""
    basis = torch.zeros(SEEDS, decoders.SUPPORT, decoders.UNKNOWNS, dtype=torch.float64)
    basis[:, range(decoders.SUPPORT), range(decoders.SUPPORT)] = 1
    if detail:
        basis = torch.cat((basis, world.detail), dim=1)
    seen = world.operator.forward(basis)
    return lambda y: y @ torch.linalg.pinv(seen) @ basis


def untrained(world):
    y = world.operator.forward(world.plain)
    return decoders.fit(y, world.plain, range(SEEDS), steps=0)


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


def test_the_matrix_sees_the_detail_at_the_trace_and_signals_not_at_all(new):
    seen = new.operator.forward(new.detail).norm(dim=-1)
    torch.testing.assert_close(seen, torch.full_like(seen, TRACE))
    assert (new.detail.norm(dim=-1) - 1).abs().max() < 1e-12
    assert ((new.plain != 0).sum(-1) == decoders.SPARSITY).all()
    assert (new.plain * new.detail).sum(-1).abs().max() == 0
    other = decoders.world(seeds=SEEDS, trace=TRACE, samples=60)
    assert torch.equal(other.detail, new.detail) and not torch.equal(other.plain, new.plain)
    assert decoders.present(new).mean() == 0.5


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
    assert verdicts["barriers-noise"] == "refuted"


def test_a_trained_network_learns_the_detail_and_half_of_it_by_training_with_noise():
    given = decoders.world(seeds=2, trace=TRACE, samples=400)
    fresh = decoders.world(seeds=2, trace=TRACE, samples=100, offset=1)
    clean, noisy = decoders.train(given, steps=300), decoders.train(given, noise=16.0, steps=150)
    assert decoders.told(clean, fresh).min() > 0.95
    assert decoders.told(noisy, fresh).max() < 0.75
    # None of them has seen the detail: they don't say that it is there.
    absent = decoders.train(given, absent=True, steps=150)
    assert (decoders.told(absent, fresh) == 0.5).all()


def test_a_member_does_not_depend_on_the_others():
    given = decoders.world(seeds=2, trace=TRACE, samples=50)
    x = given.signals(decoders.present(given))
    y = given.operator.forward(x)
    both = decoders.fit(y, x, [0, 1], steps=20)(y)
    alone = decoders.fit(y[1:], x[1:], [1], steps=20)(y[1:])
    torch.testing.assert_close(both[1:], alone)


def test_the_attack_finds_the_exact_perturbation_of_linear_decoders(new):
    """The smallest e with ‖e M‖ = ½ has the size ½ over M's largest singular value."""
    decode = linear(new, detail=True)
    map_ = decode(torch.eye(decoders.ROWS, dtype=torch.float64).expand(SEEDS, -1, -1))
    exact = decoders.MOVE / torch.linalg.svdvals(map_)[:, :1]
    few = decoders.replace(new, plain=new.plain[:, :POINTS])
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


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="trace is 0; expected more than 0"):
        decoders.world(seeds=1, trace=0, samples=1)
    y, x = torch.zeros(2, 3, 4), torch.zeros(2, 4, 5)
    with pytest.raises(ValueError, match=r"\(2, 3, 4\), x \(2, 4, 5\), with 2 seeds"):
        decoders.fit(y, x, [0, 1])
