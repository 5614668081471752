"""Calibration: exact on a few inputs, and of a rule whose confidence is known."""

import numpy as np
import pytest
import torch

from falsestruct.learning import calibration
from falsestruct.learning.ensembles import by_hand
from falsestruct.learning.networks import MLP
from falsestruct.learning.schedule import Schedule


def test_the_error_counts_every_input():
    confidence = np.array([0.05, 0.55, 0.55, 1.0])
    right = np.array([False, True, False, True])
    assert calibration.error(confidence, right) == pytest.approx((0.05 + 0.1 + 0) / 4)
    assert calibration.error(np.array([0.9, 0.9]), np.array([True, False])) == pytest.approx(0.4)


def test_a_rule_of_known_confidence():
    """Two classes; an input is its log-odds, so that confidences are .6, .7, .8, .9."""
    odds = torch.tensor([0.9, 0.6, 0.8, 0.7], dtype=torch.float64).logit()[:, None]
    learn = by_hand(lambda x: torch.cat([x, torch.zeros_like(x)], -1))
    asked = learn(MLP, (odds, torch.zeros(4)), [1, 2], Schedule(1))
    y = torch.tensor([0, 1, 1, 0])  # two are wrong
    found = calibration.sureness(asked, odds, y)
    assert found["confidence"] == pytest.approx([0.75] * 2)
    assert found["shy"] == pytest.approx([-0.25] * 2, abs=1e-6)
    assert found["calibration"] == pytest.approx([(0.6 + 0.3 + 0.8 + 0.1) / 4] * 2)
