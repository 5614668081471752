"""Training: the book's verb against a plain PyTorch loop, and which engine serves which network.

Everything runs on the processor, also where there is a GPU; for that see `benchmarks/gpu.py`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import plain
from benchmarks.measure import Comparison, Way, compare, compare_each, rates, threads
from benchmarks.plain import TARGET, Plain
from falsestruct.learning import training
from falsestruct.learning.networks import ARCHITECTURES, PAPER, Architecture, shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.stripes import Stripes

SMALL = shallow(2, 104)
MEMBERS, BATCH, CORES = 128, 50, 2
STEPS, DENSE_STEPS, PLAIN_STEPS = 2_000, 500, 1_000  # of one run of each way
SEEDS = 20
PEAK = 2048  # size of the matrices whose product gives the peak
UNIT = "networks × steps / s"
# What is promised against the plain loop and against the engine `dense`.
WANTED = {torch.float32: (120.0, 3.0), torch.float64: (100.0, 4.0)}
SHARE = 0.3  # of the peak on one thread, float64
BY_HAND = {"dense": ["dense"], "fused": ["dense", "fused"]}  # engines beside those for any network


def data_of(architecture: Architecture) -> Set:
    """The training set of the paper's experiment with this kind of input."""
    if architecture.name == SMALL.name:
        return Oscillation().sample(5_000, "hint", torch.Generator().manual_seed(0))
    return Stripes().described(plain.OFFSET)


def batch_of(architecture: Architecture) -> int | None:
    """Samples a step; None: all."""
    return BATCH if architecture.name == SMALL.name else None


def lockstep(architecture: Architecture, members: int, steps: int, dtype: torch.dtype) -> float:
    """Train with the book's verb; returns networks × steps."""
    schedule, seeds = Schedule(steps, batch=batch_of(architecture)), range(members)
    training.train(architecture, data_of(architecture), seeds, schedule, dtype=dtype, device="cpu")
    return float(members * steps)


def rows() -> list[Comparison]:
    """The promised comparisons, and what each part of the stripe network's gain gives."""
    with threads(CORES):
        table = [row for dtype in WANTED for row in _small(dtype)]
        alone = [_alone(dtype) for dtype in WANTED]
        return [*table, *alone, _share(), _stripes(), *_stripe_parts()]


def _small(dtype: torch.dtype) -> list[Comparison]:
    """The small network with its engine, against the plain loop and against the engine `dense`."""
    against_plain, against_dense = WANTED[dtype]
    dense = replace(SMALL, engine="dense")
    return compare_each(
        f"2-104-1, batch {BATCH}, {MEMBERS} members, {CORES} threads, {_name(dtype)}",
        lambda: lockstep(SMALL, MEMBERS, STEPS, dtype),
        {
            plain.NAME: (
                lambda: plain.small(data_of(SMALL), batch=BATCH, steps=PLAIN_STEPS, dtype=dtype),
                against_plain,
            ),
            "engine dense": (lambda: lockstep(dense, MEMBERS, DENSE_STEPS, dtype), against_dense),
        },
        unit=UNIT,
    )


def _alone(dtype: torch.dtype) -> Comparison:
    """As `_small` against the plain loop, but on one thread, so that no second core is in it."""
    with threads(1):
        return compare(
            (
                f"2-104-1, batch {BATCH}, {MEMBERS} members, 1 thread, {_name(dtype)}",
                f"{plain.NAME}, 1 thread",
            ),
            (
                lambda: lockstep(SMALL, MEMBERS, STEPS, dtype),
                lambda: plain.small(data_of(SMALL), batch=BATCH, steps=PLAIN_STEPS, dtype=dtype),
            ),
            unit=UNIT,
        )


def _share() -> Comparison:
    """The share of one thread's peak: operations per second against those of a matrix product."""
    work = flops(SMALL)
    with threads(1):
        return compare(
            (
                f"2-104-1, batch {BATCH}, {MEMBERS} members, 1 thread, float64: share of the peak",
                f"product of two {PEAK:,} × {PEAK:,} matrices, 1 thread",
            ),
            (
                lambda: work * lockstep(SMALL, MEMBERS, STEPS, torch.float64),
                product(torch.float64),
            ),
            unit="operations / s",
            wanted=SHARE,
        )


def _stripes() -> Comparison:
    def verb() -> float:
        assert _to_target().reached.all()
        return float(SEEDS)

    return compare(
        (f"{PAPER.name}, {SEEDS} seeds to a loss of {TARGET:g}", f"{plain.NAME}, same stopping"),
        (verb, lambda: Plain().to_target(SEEDS)),
        unit="networks / s",
        wanted=1.5,
    )


def _to_target() -> training.Trained:
    schedule = Schedule(2_000, target=TARGET)
    return training.train(PAPER, data_of(PAPER), range(SEEDS), schedule, device="cpu")


def _stripe_parts() -> list[Comparison]:
    """What the layout, the order of layers, stopping and the second thread give, each alone."""
    slowest = int(_to_target().steps.max())
    one, two = {"threads": 1}, f"{CORES} threads"
    parts: dict[tuple[str, str], tuple[dict[str, int | bool], dict[str, int | bool]]] = {
        ("channels-last", "without it"): ({"channels_last": True}, {}),
        ("ReLU after pooling", "before it"): ({"pooled_first": True}, {}),
        ("stopping at the target", f"all to {slowest} steps"): ({}, {"fixed": slowest}),
        (two, "1 thread"): ({"threads": CORES}, one),
        (f"{two}, channels-last", "1 thread, channels-last"): (
            {"channels_last": True, "threads": CORES},
            one | {"channels_last": True},
        ),
    }
    return [
        compare(
            (f"{PAPER.name}, plain loop: {what}", f"plain loop: {against}"),
            (lambda a=a: Plain(**a).to_target(2), lambda b=b: Plain(**b).to_target(2)),  # type: ignore[misc, arg-type]
            unit="networks / s",
        )
        for (what, against), (a, b) in parts.items()
    ]


@dataclass(frozen=True)
class EngineRate:
    """How fast one engine, or the plain loop, trains one architecture.

    Attributes:
        rate: Networks × steps per second, median.
        gflops: Floating-point operations per second in its matrix products and convolutions, 1e9.
        share: Of the peak measured in the same runs, with as many threads.
        chosen: Whether the package uses this engine for it.
        alone: The share on one thread, of the peak of one thread; None for what isn't chosen.
    """

    architecture: str
    engine: str
    dtype: str
    rate: float
    gflops: float
    share: float
    chosen: bool
    alone: float | None = None


def engines() -> list[dict[str, object]]:
    """Every architecture on every engine that can train it, in alternation.

    The small network on the plain loop too.
    """
    return [
        asdict(row)
        for architecture in (SMALL, *ARCHITECTURES)
        for dtype in (torch.float32, torch.float64)
        for row in _engines(architecture, dtype)
    ]


def engines_of(architecture: Architecture) -> list[str]:
    """The engines that can train it: those for any network, then those that its own implies."""
    return ["looped", "stacked", *BY_HAND.get(architecture.engine, [])]


def _engines(architecture: Architecture, dtype: torch.dtype) -> Iterator[EngineRate]:
    work = flops(architecture)
    ways = {
        name: _way(replace(architecture, engine=name), dtype)  # type: ignore[arg-type]
        for name in engines_of(architecture)
    }
    if architecture.name == SMALL.name:
        data = data_of(SMALL)
        ways["plain loop"] = lambda: plain.small(data, batch=BATCH, steps=PLAIN_STEPS, dtype=dtype)
    *seen, peak = rates([*ways.values(), product(dtype)])
    with threads(1):
        one, top = map(statistics.median, rates([ways[architecture.engine], product(dtype)]))
    for name, own in zip(ways, seen, strict=True):
        rate, chosen = statistics.median(own), name == architecture.engine
        yield EngineRate(
            architecture.name, name, _name(dtype), rate, rate * work / 1e9,
            rate * work / statistics.median(peak), chosen, one * work / top if chosen else None,
        )  # fmt: skip


def _way(architecture: Architecture, dtype: torch.dtype) -> Way:
    """About half a second of training, with as many members as the book trains at once."""
    if "CNN" in architecture.name:
        members, steps = 4, 3
    elif architecture.engine == "looped":
        members, steps = 4, 100
    elif architecture.name == SMALL.name:
        members, steps = (
            MEMBERS,
            {"fused": STEPS, "dense": DENSE_STEPS}.get(architecture.engine, 200),
        )
    else:
        members, steps = 10, 40
    return lambda: lockstep(architecture, members, steps, dtype)


def flops(architecture: Architecture) -> int:
    """Floating-point operations of one step of one member, forward and backward.

    Those of matrix products and convolutions, as PyTorch counts them for automatic differentiation.
    The rest, ReLUs and Adam too, counts as nothing.
    """
    x, y = (part[: batch_of(architecture)] for part in data_of(architecture))
    network = architecture.build().double()
    with FlopCounterMode(display=False) as counter:
        nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y).backward()
    return counter.get_total_flops()


def product(dtype: torch.dtype) -> Way:
    """A way that multiplies two large matrices; its work is floating-point operations."""
    a = torch.ones(PEAK, PEAK, dtype=dtype)
    out = torch.empty_like(a)

    def way() -> float:
        torch.mm(a, a, out=out)
        return 2.0 * PEAK**3

    return way


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
