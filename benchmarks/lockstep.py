"""The oscillation network, 2-104-1, batch 50, Adam: lockstep against one network at a time."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.measure import Comparison, compare
from falsestruct import shallow
from falsestruct.problems.oscillation import Oscillation

MEMBERS, STEPS, PLAIN_STEPS, WIDTH, BATCH, SAMPLES = 128, 300, 600, 104, 50, 5_000


def lockstep(dtype: torch.dtype) -> float:
    """Train 128 networks at once; returns networks × steps."""
    problem, seeds = Oscillation(), range(MEMBERS)
    data = problem.sample(SAMPLES, "hint", torch.Generator().manual_seed(0))
    shallow.train(
        shallow.glorot(seeds, 2, WIDTH, dtype=dtype),
        shallow.make_batches([data] * MEMBERS, BATCH, dtype=dtype),
        seeds=seeds,
        steps=STEPS,
        observe=lambda step, ensemble: None,
    )
    return float(MEMBERS * STEPS)


def plain(dtype: torch.dtype) -> float:
    """Train one network as PyTorch's tutorials do; returns its steps."""
    data = Oscillation().sample(SAMPLES, "hint", torch.Generator().manual_seed(0))
    x, y = (part.to(dtype).unflatten(0, (-1, BATCH)) for part in data)
    network = nn.Sequential(nn.Linear(2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)).to(dtype)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    for batch in torch.randint(len(x), (PLAIN_STEPS,)).tolist():
        optimizer.zero_grad()
        loss_of(network(x[batch])[:, 0], y[batch]).backward()
        optimizer.step()
    return float(PLAIN_STEPS)


def rows() -> list[Comparison]:
    """One comparison a precision."""
    table = []
    for dtype, wanted in ((torch.float32, 15.0), (torch.float64, 10.0)):
        name = str(dtype).removeprefix("torch.")
        table.append(
            compare(
                (f"2-104-1, {MEMBERS} members in lockstep, {name}", "plain PyTorch loop"),
                (lambda dtype=dtype: lockstep(dtype), lambda dtype=dtype: plain(dtype)),
                unit="networks × steps / s",
                wanted=wanted,
            )
        )
    return table
