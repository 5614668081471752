"""What is compiled beforehand is what training loads: no process rounds otherwise than another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from falsestruct.learning import compiled

ROOT = Path(compiled.__file__).parents[2]
PROGRAM = """
import numpy, torch
from falsestruct.learning import beside, fresh, fused, shallow, training, volume
from falsestruct.learning.networks import shallow as architecture
from falsestruct.learning.training import Schedule, Watch
x = torch.linspace(-1, 1, 40, dtype=torch.float64).view(20, 2)
y = (x[:, 0] > 0).double()
for dtype in (torch.float32, torch.float64):
    for schedule in (Schedule(3), Schedule(8, batch=5, target=0.1, optimizer="sgd")):
        watch = Watch((0, 2), {"test": (x, y)})
        training.train(architecture(2, 5), (x, y), [0, 1], schedule, watch=watch, dtype=dtype)
    start = shallow.glorot([0], 2, 5, dtype=dtype)
    batches = shallow.make_batches([(x, y)], 5, dtype=dtype)
    shallow.train(start, batches, seeds=[0], steps=3, observe=lambda *_: None)
def draw(samples, rng):
    x = rng.random((samples, 2), dtype="float32")
    return x, (x[:, 0] > 0.5).astype("float32")
looks = fresh.Looks(2, {"test": draw(9, numpy.random.default_rng(0))})
for known in (None, lambda x: (x[:, :1], x[:, 1])):
    own = architecture(2 if known is None else 1, 5)
    fresh.train(own, draw, [0], Schedule(3, batch=4, learning_rate=0.1), looks, known)
ends = torch.ones(10), torch.zeros(10)
rng = numpy.random.default_rng(0)
volume.conditioned(volume.covariance(x, 1), y[:10], ends=ends, walks=1, steps=1_000, rng=rng)
entries = fused._advance, beside._advance, fused._loss, fused._outputs, volume.advance
print(sum(sum(e.stats.cache_misses.values()) for e in entries))
print(sum(sum(e.stats.cache_hits.values()) for e in entries))
"""


@pytest.mark.slow
def test_training_compiles_nothing_more(tmp_path: Path) -> None:
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "falsestruct.learning.compiled"]
    subprocess.run(command, env=env, cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    misses, hits = map(int, done.stdout.split())
    assert misses == 0 < hits
