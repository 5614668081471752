"""What each input says, as columns of a table of networks."""

from __future__ import annotations

import pandas as pd
import torch

from falsestruct.evidence import cells, crossed, spread, summary


def test_cells_are_what_was_spread_in_the_order_of_seeds() -> None:
    values = torch.arange(12.0).view(3, 4)
    table = pd.DataFrame({"seed": [2, 0, 1]}).join(spread("side", values))
    table = table.join(spread("side effect", values)).assign(side=9.0)
    assert cells(table, "side").tolist() == values[[1, 2, 0]].tolist()
    assert cells(table, "effect").shape == (3, 0)


def test_a_summary_of_rows_hands_over_the_group() -> None:
    values = torch.tensor([[0.0, 1, 0, 1], [1, 1, 0, 1], [1.0, 0, 0, 0], [0, 0, 1, 0]])
    table = pd.DataFrame({"kind": list("aabb"), "seed": [0, 1, 0, 1]}).join(spread("side", values))
    found = summary(table, "kind", None, measure=lambda part: crossed(cells(part, "side")))
    assert found["kind"].tolist() == ["a", "b"]
    assert found["value"].tolist() == [0.625, 0.25]
    assert (found["low"] < found["value"]).all()
