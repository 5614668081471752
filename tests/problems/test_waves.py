"""Two worlds of waves: one at the usual rate, each other's opposite at another one."""

import math

import pytest
import torch

from falsestruct.problems.waves import WORLDS, Waves, apparent

WAVES = Waves()


def generator():
    return torch.Generator().manual_seed(7)


def draw(rate, world, waves=WAVES, count=50):
    return waves.draw(count, rate, world, generator())


def test_at_the_usual_rate_both_worlds_are_the_same():
    (fast, y), (slow, same) = (draw(64, world) for world in WORLDS)
    assert torch.equal(y, same) and set(y.tolist()) == {0, 1}
    assert (fast - slow).abs().max() < 1e-9
    assert (draw(60, "fast")[0] - draw(60, "slow")[0]).abs().max() > 0.5


def test_at_the_exchanging_rate_the_fast_waves_are_the_slow_ones_of_the_other_label():
    assert WAVES.exchanging == 59
    x, y = draw(59, "fast", Waves(noise=0.0, offset=0.0))
    own = generator()
    labels = torch.randint(2, (50,), generator=own)
    phase = torch.rand(50, 1, generator=own, dtype=torch.float64)
    assert torch.equal(labels.double(), y)
    other = torch.tensor([2.0, 3.0], dtype=torch.float64)[labels][:, None]  # not 3 and 2
    slow = torch.cos(2 * math.pi * (other * torch.arange(64) / 59 + phase))
    assert (x - slow).abs().max() < 1e-9


def test_an_instrument_shows_the_periods_that_it_should():
    found = apparent([64, 59, WAVES.midway]).set_index(["rate", "world", "label"])["periods"]
    assert found[64].tolist() == pytest.approx([3, 2, 3, 2])
    assert found[59].tolist() == pytest.approx([64 * k / 59 for k in (2, 3, 3, 2)])
    assert found.sort_index().loc[61.5, "fast"].tolist() == pytest.approx(
        [64 * 0.5 / 61.5] * 2
    )  # no way to tell
    x, y = draw(59, "fast", Waves(noise=0.0, offset=0.0))
    crossings = (x.sign().diff(dim=1) != 0).sum(1)
    assert set(crossings[y == 0].tolist()) <= {4, 5} and set(crossings[y == 1].tolist()) <= {6, 7}


def test_the_offset_is_shared_and_the_noise_is_not():
    bare, _ = draw(64, "slow", Waves(noise=0.0, offset=0.0))
    level, _ = draw(64, "slow", Waves(noise=0.0, offset=2.0))
    noisy, _ = draw(64, "slow", Waves(noise=0.1, offset=0.0))
    assert (level - bare).std(1).max() < 1e-9 < (level - bare).std()
    assert (noisy - bare).std(1).mean() == pytest.approx(0.1, rel=0.1)


def test_what_is_no_wave_is_refused():
    with pytest.raises(ValueError, match=r"periods are \(3, 3\); expected two different"):
        Waves(periods=(3, 3))
    with pytest.raises(ValueError, match="below 32, half the samples"):
        Waves(periods=(3, 40))
    with pytest.raises(ValueError, match="rate is 0; expected numbers above 0"):
        draw(0, "fast")


def test_signals_take_turns_in_several_rates():
    several, y = draw([64.0, 59.5], "fast")
    for first, rate in enumerate((64.0, 59.5)):
        alone, same = draw(rate, "fast")
        assert torch.equal(several[first::2], alone[first::2]) and torch.equal(y, same)
