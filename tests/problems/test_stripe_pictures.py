"""Pictures of the stripes, and parts of their sets."""

from __future__ import annotations

import pandas as pd
import torch

from falsestruct.problems.stripe_pictures import (
    answered,
    every_second,
    examples,
    in_the_middle,
    vertical_images,
)
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()


def test_vertical_images_are_counted() -> None:
    assert vertical_images(*STRIPES.released(0.01)) == 0
    assert vertical_images(*STRIPES.described(0.01)) == 30


def test_examples_hold_every_pixel() -> None:
    table = examples(STRIPES, 0.1)
    assert isinstance(table, pd.DataFrame)
    assert table.groupby("panel").size().eq(1024).all()
    released = table[table["panel"] == "“vertical”, as released"]
    assert released.groupby("row")["value"].nunique().eq(1).all()


def test_every_second_position_of_either_orientation() -> None:
    data = STRIPES.described(0.1)
    even, odd = every_second(data), every_second(data, 1)
    for first, (x, y) in enumerate((even, odd)):
        assert len(x) == 30 and y.sum() == 15
        begins = (x[y == 1][:, :, 0] > 0.5).int().argmax(1)
        assert begins.tolist() == list(range(first, 30, 2))
    together = torch.cat((even[0], odd[0]))
    assert {tuple(image.flatten().tolist()) for image in together} == {
        tuple(image.flatten().tolist()) for image in data[0]
    }


def test_answers_are_those_of_the_rules_and_of_most_networks() -> None:
    x = in_the_middle(STRIPES, [True, True], [-0.1, 0.1])
    table = answered(STRIPES, {"old": x[0], "new": x[1]}, torch.tensor([0.9, 0.3]))
    said = table.drop_duplicates("panel").set_index("panel")
    assert said["direction"].tolist() == ["horizontal", "horizontal"]
    assert said["brightness"].tolist() == ["horizontal", "vertical"]
    assert said["networks"].tolist() == ["horizontal", "vertical"]
    assert said["share"].round(6).tolist() == [0.9, 0.7]
