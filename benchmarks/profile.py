"""Where the time of training goes: shares of PyTorch's operations, from torch.profiler."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass

from torch.profiler import ProfilerActivity, profile

from benchmarks.training import BATCH, MEMBERS, SMALL, data_of
from falsestruct.learning import training
from falsestruct.learning.networks import DEEP_MLP, LINEAR, MLP, PAPER, POOLED
from falsestruct.learning.training import Schedule

CASES = ((SMALL, MEMBERS, 200), (LINEAR, 10, 200), (MLP, 10, 50), (DEEP_MLP, 10, 50))
CASES += ((POOLED, 1, 20), (PAPER, 1, 10))
REST = "Python and the rest"
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


def shares() -> list[dict[str, object]]:
    """Every kind's share of each architecture's training; they add up to one."""
    table: list[dict[str, object]] = []
    for architecture, members, steps in CASES:
        batch = BATCH if architecture is SMALL else None
        data = data_of(architecture)
        training.train(architecture, data, range(members), Schedule(3, batch=batch))
        with profile(activities=[ProfilerActivity.CPU], acc_events=True) as seen:
            start = time.perf_counter()
            training.train(architecture, data, range(members), Schedule(steps, batch=batch))
            whole = 1e6 * (time.perf_counter() - start)
        spent = dict.fromkeys(KINDS, 0.0)
        for event in seen.key_averages():
            for kind, names in KINDS.items():
                if re.fullmatch(f"aten::({names})", event.key):
                    spent[kind] += event.self_cpu_time_total / whole
        spent[REST] = 1 - sum(spent.values())
        table += [asdict(Share(architecture.name, kind, share)) for kind, share in spent.items()]
    return table
