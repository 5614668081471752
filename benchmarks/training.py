"""Training: the book's verb against a plain PyTorch loop, and which engine serves which network."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Comparison, compare, rates
from falsestruct.learning import training
from falsestruct.learning.networks import ARCHITECTURES, PAPER, Architecture, initialise, shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.stripes import Stripes

SMALL = shallow(2, 104)
MEMBERS, STEPS, PLAIN_STEPS, BATCH = 128, 300, 600, 50
SEEDS, TARGET, OFFSET = 20, 1e-3, 0.01  # the paper's stripe network, at the paper's offset
PEAK = 2048  # size of the matrices whose product gives the peak
UNIT = "networks × steps / s"


def data_of(architecture: Architecture) -> Set:
    """The training set of the paper's experiment with this kind of input."""
    if architecture.name == SMALL.name:
        return Oscillation().sample(5_000, "hint", torch.Generator().manual_seed(0))
    return Stripes().described(OFFSET)


def lockstep(architecture: Architecture, members: int, steps: int, dtype: torch.dtype) -> float:
    """Train with the book's verb; returns networks × steps."""
    schedule = Schedule(steps, batch=BATCH if architecture.name == SMALL.name else None)
    training.train(architecture, data_of(architecture), range(members), schedule, dtype=dtype)
    return float(members * steps)


@dataclass(frozen=True)
class Plain:
    """A loop as PyTorch's tutorials write it, and what can be added to it."""

    channels_last: bool = False
    pooled_first: bool = False
    threads: int | None = None
    fixed: int | None = None  # steps for all, instead of stopping at the target

    def to_target(self, seeds: int) -> float:
        """Train the paper's stripe network, one seed after the other; returns networks."""
        x, y = (part.float() for part in data_of(PAPER))
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        for seed in range(seeds):
            network = initialise(PAPER.build(), seed) if self.pooled_first else literal(seed)
            if self.channels_last:
                network = network.to(memory_format=torch.channels_last)
            optimizer = torch.optim.Adam(network.parameters(), PAPER.learning_rate)
            loss_of = nn.BCEWithLogitsLoss()
            for _ in range(self.fixed or 2_000):
                optimizer.zero_grad()
                loss = loss_of(network(x)[:, 0], y)
                if self.fixed is None and loss.item() <= TARGET:
                    break
                loss.backward()
                optimizer.step()
        torch.set_num_threads(before)
        return float(seeds)


def literal(seed: int) -> nn.Module:
    """The paper's stripe network with its layers in the paper's order: ReLU before pooling."""
    layers = list(initialise(PAPER.build(), seed))
    for pool, relu in ((2, 3), (5, 6)):
        layers[pool], layers[relu] = layers[relu], layers[pool]
    return nn.Sequential(*layers)


def plain_small(dtype: torch.dtype) -> float:
    """Train one 2-104-1 network as PyTorch's tutorials do; returns its steps."""
    x, y = (part.to(dtype).unflatten(0, (-1, BATCH)) for part in data_of(SMALL))
    network = SMALL.build().to(dtype)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    for batch in torch.randint(len(x), (PLAIN_STEPS,)).tolist():
        optimizer.zero_grad()
        loss_of(network(x[batch])[:, 0], y[batch]).backward()
        optimizer.step()
    return float(PLAIN_STEPS)


def rows() -> list[Comparison]:
    """The promised comparisons, and what each part of the second one gives."""
    table = []
    for dtype, wanted in ((torch.float32, 25.0), (torch.float64, 12.0)):
        table.append(
            compare(
                (
                    f"2-104-1, batch {BATCH}, {MEMBERS} members, {_name(dtype)}",
                    "plain PyTorch loop",
                ),
                (
                    lambda dtype=dtype: lockstep(SMALL, MEMBERS, STEPS, dtype),
                    lambda dtype=dtype: plain_small(dtype),
                ),
                unit=UNIT,
                wanted=wanted,
            )
        )
    return [*table, _stripes(), *_stripe_parts()]


def _stripes() -> Comparison:
    schedule = Schedule(2_000, target=TARGET)

    def verb() -> float:
        trained = training.train(PAPER, data_of(PAPER), range(SEEDS), schedule)
        assert trained.reached.all()
        return float(SEEDS)

    return compare(
        (f"{PAPER.name}, {SEEDS} seeds to a loss of {TARGET:g}", "plain loop, same stopping rule"),
        (verb, lambda: Plain().to_target(SEEDS)),
        unit="networks / s",
        wanted=1.5,
    )


def _stripe_parts() -> list[Comparison]:
    """What the layout, the order of layers, stopping and the second thread give, each alone."""
    schedule = Schedule(2_000, target=TARGET)
    slowest = int(training.train(PAPER, data_of(PAPER), range(SEEDS), schedule).steps.max())
    one = {"threads": 1}
    parts: dict[tuple[str, str], tuple[dict[str, int | bool], dict[str, int | bool]]] = {
        ("… channels-last alone", "plain loop"): ({"channels_last": True}, {}),
        ("… ReLU after pooling alone", "plain loop"): ({"pooled_first": True}, {}),
        ("… stopping at the target alone", f"all to {slowest} steps"): ({}, {"fixed": slowest}),
        ("… all threads", "one thread"): ({}, one),
        ("… all threads, channels-last", "one thread"): (
            {"channels_last": True},
            one | {"channels_last": True},
        ),
    }
    return [
        compare(
            names,
            (lambda a=a: Plain(**a).to_target(2), lambda b=b: Plain(**b).to_target(2)),  # type: ignore[misc, arg-type]
            unit="networks / s",
        )
        for names, (a, b) in parts.items()
    ]


@dataclass(frozen=True)
class EngineRate:
    """How fast one engine trains one architecture.

    Attributes:
        rate: Networks × steps per second, median.
        gflops: Floating-point operations per second in its matrix products and convolutions, 1e9.
        share: Of the peak measured in the same run.
        chosen: Whether the package uses this engine for it.
    """

    architecture: str
    engine: str
    dtype: str
    rate: float
    gflops: float
    share: float
    chosen: bool


def engines() -> list[dict[str, object]]:
    """Every architecture on every engine that can train it, in alternation."""
    table: list[dict[str, object]] = []
    for architecture in (SMALL, *ARCHITECTURES):
        names = ["looped", "stacked"] + (["dense"] if architecture.engine == "dense" else [])
        for dtype in (torch.float32, torch.float64):
            ways = [_way(replace(architecture, engine=name), dtype) for name in names]  # type: ignore[arg-type]
            *seen, peak = rates([*ways, lambda dtype=dtype: _product(dtype)])
            top, work = statistics.median(peak), flops(architecture)
            for name, own in zip(names, seen, strict=True):
                rate = statistics.median(own)
                row = EngineRate(
                    architecture.name, name, _name(dtype), rate, rate * work / 1e9,
                    rate * work / top, name == architecture.engine,
                )  # fmt: skip
                table.append(asdict(row))
    return table


def _way(architecture: Architecture, dtype: torch.dtype) -> Callable[[], float]:
    """About half a second of training, with as many members as the book trains at once."""
    if "CNN" in architecture.name:
        members, steps = 4, 3
    elif architecture.engine == "looped":
        members, steps = 4, 100
    else:
        members, steps = (MEMBERS, 100) if architecture.name == SMALL.name else (10, 40)
    return lambda: lockstep(architecture, members, steps, dtype)


def flops(architecture: Architecture) -> int:
    """Floating-point operations of one step of one member, forward and backward."""
    x, y = data_of(architecture)
    x, y = (x[:BATCH], y[:BATCH]) if architecture is SMALL else (x, y)
    network = architecture.build().double()
    with FlopCounterMode(display=False) as counter:
        nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y).backward()
    return counter.get_total_flops()


def _product(dtype: torch.dtype) -> float:
    """Multiply two large matrices; returns floating-point operations."""
    a = torch.ones(PEAK, PEAK, dtype=dtype)
    torch.mm(a, a)
    return 2.0 * PEAK**3


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
