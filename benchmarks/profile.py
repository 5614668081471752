"""Where the time of training goes: shares of PyTorch's operations, from torch.profiler.

One run each, no median: a profiler slows down what it looks at, so these are for orientation. The
profiler sees PyTorch's operations only. What it can't see is Python, and, where training is one
compiled function, that function: there the rest is called the compiled engine, though a little of
it is Python.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.measure import threads
from benchmarks.training import MEMBERS, SMALL, lockstep
from falsestruct.learning.networks import DEEP_MLP, LINEAR, MLP, PAPER, POOLED, Architecture

CASES = ((SMALL, MEMBERS, 1_000), (LINEAR, 10, 200), (MLP, 10, 50), (DEEP_MLP, 10, 50))
CASES += ((POOLED, 1, 20), (PAPER, 1, 10))
REST, COMPILED = "Python and the rest", "compiled engine"
ENGINES = ("fused",)  # whose training is one compiled function
KINDS = {
    "matrix products": r"baddbmm|bmm|mm|addmm",
    "convolutions": r"convolution_backward|mkldnn_convolution",
    "optimiser": r"_fused_adamw_",
    "copies and indexing": r"copy_|index|cat|stack|clone|_index_put_impl_",
    "element by element": r"sum|mean|add_?|sub_?|mul_?|div_?|sigmoid_?|log_sigmoid_forward|"
    r"binary_cross_entropy\w*|clamp_min\w*|relu\w*|threshold_backward|max_pool2d\w*|isfinite|"
    r"ne|eq|abs|le|all|any|neg|rsub|minimum|exp_?|log1p_?",
}


@dataclass(frozen=True)
class Share:
    """The share of one kind of operation in an architecture's training time."""

    architecture: str
    kind: str
    share: float


def divided(times: Iterable[tuple[str, float]], *, compiled: bool) -> dict[str, float]:
    """The share of every kind, from shares of the time by operation; they add up to one.

    Args:
        times: Names such as "aten::bmm", and their own time as a share of the whole.
        compiled: Training is one compiled function, which isn't seen.
    """
    spent = dict.fromkeys(KINDS, 0.0)
    for operation, share in times:
        for kind, names in KINDS.items():
            if re.fullmatch(f"aten::({names})", operation):
                spent[kind] += share
    unseen = 1 - sum(spent.values())
    return spent | {COMPILED: unseen if compiled else 0.0, REST: 0.0 if compiled else unseen}


def shares() -> list[dict[str, object]]:
    """Every kind's share of each architecture's training, in one run; they add up to one.

    On one thread: the profiler would add up what happens at once.
    """
    with threads(1):
        return [
            asdict(Share(architecture.name, kind, share))
            for architecture, members, steps in CASES
            for kind, share in _profiled(architecture, members, steps).items()
        ]


def _profiled(architecture: Architecture, members: int, steps: int) -> dict[str, float]:
    lockstep(architecture, members, 3, torch.float32)
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as seen:
        start = time.perf_counter()
        lockstep(architecture, members, steps, torch.float32)
        whole = 1e6 * (time.perf_counter() - start)
    times = ((event.key, event.self_cpu_time_total / whole) for event in seen.key_averages())
    return divided(times, compiled=architecture.engine in ENGINES)
