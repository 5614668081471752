"""The networks of the front page: the command stores the same again, and what is said is so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters

from falsestruct.learning.networks import ARCHITECTURES, LINEAR, MLP, Architecture
from falsestruct.press.paths import Book
from falsestruct.press.site import live, stored
from falsestruct.problems.stripes import Stripes

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def packed() -> stored.Packed:
    return stored.pack()


def numbers(raw: bytes) -> np.ndarray:
    return np.frombuffer(raw, stored.STORED).astype(float)


def test_the_stored_networks_are_these(packed: stored.Packed) -> None:
    """Another processor may round otherwise, and training amplifies that: no byte by byte here."""
    weights, about = live.files(Book(REPOSITORY), "stripes")
    np.testing.assert_allclose(numbers(packed.weights), numbers(weights.read_bytes()), atol=0.02)
    stored = json.loads(about.read_text())
    for now, then in zip(packed.about["networks"], stored["networks"], strict=True):
        assert {**now, "loss": 0, "steps": 0, "colour": 0} == {
            **then, "loss": 0, "steps": 0, "colour": 0
        }  # fmt: skip
        assert abs(now["colour"] - then["colour"]) <= 3
    identity = live.identified(weights.read_bytes())
    assert stored | {"networks": 0} == packed.about | identity | {"networks": 0}


def test_the_same_bytes_again_whatever_the_number_of_threads(packed: stored.Packed) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = stored.pack((LINEAR, MLP))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert packed.weights.startswith(again.weights)
    assert packed.about["networks"][:2] == again.about["networks"]


def test_how_many_pictures_are_read_by_colour(packed: stored.Packed) -> None:
    """By another way: PyTorch's modules with the numbers as they are stored."""
    left = torch.from_numpy(numbers(packed.weights))
    x, horizontal = Stripes().conflict_set(stored.OFFSET)
    for architecture, about in zip(ARCHITECTURES, packed.about["networks"], strict=True):
        network = architecture.build().double()
        count = sum(p.numel() for p in network.parameters())
        vector_to_parameters(left[:count], network.parameters())
        left = left[count:]
        by_colour = (network(x)[:, 0] > 0) != horizontal.bool()
        assert about["colour"] == int(by_colour.sum()) > len(x) / 2
        assert about["name"] == architecture.name and about["loss"] <= 1.001e-3
    assert len(left) == 0


def test_a_layer_that_the_page_can_not_compute_is_an_error() -> None:
    odd = Architecture("odd", lambda: nn.Sequential(nn.Tanh()), engine="looped")
    with pytest.raises(ValueError, match=r"can't compute Tanh\(\): teach networks\.js"):
        list(stored._layers(odd.build()))
