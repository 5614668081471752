"""The largest sweep of the book stays below 2 GiB: measured in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from falsestruct.press.paths import find_book
from falsestruct.press.run.chapters import read_chapters

ALLOWED = 2 * 2**30

PEAK = """
import sys
from falsestruct.chapters.oscillation import measure as oscillation, runs as oscillation_runs
from falsestruct.chapters.stripes import measure as stripes
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.stripes import Stripes

problem, seeds, block = sys.argv[1], *map(int, sys.argv[2:4])
if problem == "stripes":  # points come one after the other, and memory doesn't grow with steps
    stripes.SWEPT = Schedule(2)
    stripes.crossing(Stripes(), [0.1], seeds=Seeds(seeds, seeds))
else:
    oscillation.train(oscillation_runs.RUNS[:3], seeds, steps=2, block=block)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("problem", ["stripes", "oscillation"])
def test_the_largest_sweep_of_the_book(problem: str) -> None:
    known = read_chapters(find_book())
    stripes, oscillation = (known[n].parameters for n in ("03_stripes", "04_oscillation"))
    seeds = stripes["sweep_seeds"] if problem == "stripes" else oscillation["seeds"]
    words = [problem, str(seeds), str(oscillation["block"])]
    command = [sys.executable, "-c", PEAK, *words]
    one = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=one)
    assert 100 * 2**20 < int(done.stdout) * 2**10 < ALLOWED
