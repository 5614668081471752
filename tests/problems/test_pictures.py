"""A picture as a table."""

import torch

from falsestruct.problems.pictures import pixel_table


def test_a_row_a_pixel_with_its_place():
    table = pixel_table(torch.tensor([[0.0, 1.0], [2.0, 3.0]]), panel="one")
    assert table[["row", "column"]].values.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table["value"].tolist() == [0, 1, 2, 3] and set(table["panel"]) == {"one"}
