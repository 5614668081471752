"""Readers of one structure beside readers of the other."""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.instability.compared import (
    faint_quotients,
    originals,
    quotients,
    said_of_faint,
    slopes,
)


def networks(problem: str, strength: float, *, captures: tuple[float, float]) -> pd.DataFrame:
    """Two seeds at ρ = 1 with sizes 0.2 and 0.4, two at ρ = 1/2 with sizes 0.1."""
    rows = [
        {"rho": rho, "seed": seed, "capture": capture, "size": 0.1 if rho < 1 else 0.2 * (seed + 1)}
        for rho, capture in zip((1.0, 0.5), captures, strict=True)
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows).assign(problem=problem, architecture="MLP", strength=strength)


def test_slopes_need_two_strengths() -> None:
    table = pd.DataFrame({
        "seed": [0, 0, 0, 1, 2, 2],
        "radius": [0.1, 0.2, 0.4, 0.1, 0.1, 0.4],
        "size": [0.3, 0.6, 1.2, 0.3, 0.5, 0.5],
    })  # fmt: skip
    assert slopes(table) == pytest.approx([1.0, 0.0])


def test_pairs_are_of_one_seed_and_of_readers() -> None:
    usual = networks("stripes", 0.1, captures=(1.0, 0.0))
    assert quotients(usual)["quotient"].tolist() == pytest.approx([2.0, 4.0])
    assert originals(usual)["inherited"].tolist() == pytest.approx([0.2, 0.2])
    for captures in ((0.8, 0.0), (1.0, 0.2)):
        assert quotients(networks("stripes", 0.1, captures=captures)).empty
    assert quotients(networks("stripes", 0.2, captures=(1.0, 0.0))).empty


def test_the_faint_ones_take_their_structure() -> None:
    """Three quarters do, at half of the usual strength."""
    for strength, captures, pairs in (
        (0.1, (0.8, 0.2), 2), (0.1, (0.7, 0.2), 0), (0.1, (0.8, 0.3), 0), (0.2, (1.0, 0.0), 0)
    ):  # fmt: skip
        assert len(faint_quotients(networks("digits-brightness", strength, captures=captures))) == (
            pairs
        )


def test_where_networks_change_over_and_where_parity_is_no_longer_stabler() -> None:
    name, free = "digits-brightness", 0.1
    steps = [(0.05, 0.2), (0.1, 0.8), (0.2, 1.0)]
    table = pd.concat([networks(name, s, captures=(c, free)) for s, c in steps])
    found = said_of_faint(table)
    assert found["side"] == pytest.approx(0.05 * 2**0.5)
    assert found["originals"] == pytest.approx(0.1)
    assert found["readers"] == pytest.approx((0.2 * 0.4) ** 0.5)
    assert (found["usual"], found["norm"]) == pytest.approx((0.2, 1.6))
    assert found["parity"] == pytest.approx(8 * found["equal"])
    assert 0.1 < found["equal"] < 0.14  # a bound of about 0.96, over eight
