"""The oscillation experiment on few seeds and steps."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch

from falsestruct.chapters.oscillation import evidence
from falsestruct.chapters.oscillation import measure as experiment
from falsestruct.chapters.oscillation import runs as oscillation_runs
from falsestruct.chapters.oscillation.runs import RUNS, Run
from falsestruct.learning import shallow

LOUD = replace(RUNS[3].with_delta(1.0), name="loud")


@pytest.fixture(scope="module")
def outcome() -> pd.DataFrame:
    return experiment.train([LOUD], 3, steps=1_500, at=[10])


def test_runs_are_those_of_the_paper() -> None:
    rows = [(run.name, run.samples, run.second, run.batch, run.width) for run in RUNS]
    assert rows == [
        ("030", 5_000, "hint", 50, 104),
        ("034", 10_000, "zero", 50, 104),
        ("035", 5_000, "zero", 50, 104),
        ("036", 7, "hint", 7, 104),
    ]
    steps = [oscillation_runs.steps_of(run, 30_000) for run in RUNS]
    assert steps == [3_000_000, 6_000_000, 3_000_000, 30_000]


def test_a_loud_hint_is_taken(outcome: pd.DataFrame) -> None:
    last = experiment.final(outcome)
    assert (last["hint"] == 1).all()
    assert (last["captured"] > 0.9).all()
    assert (outcome[outcome["step"] == 10]["captured"] < 0.9).any()


def test_the_flip_and_its_control(outcome: pd.DataFrame) -> None:
    last = experiment.final(outcome)
    assert (last["flip_hint"] > 0.9).all()
    assert last["flip_hint"].tolist() == pytest.approx((1 - last["swapped"]).tolist())
    assert (last["flip_away"] < 0.1).all()
    assert outcome[outcome["step"] == 10]["flip_hint"].isna().all()  # counted at the end only


def test_exact_counts_agree_with_a_fine_grid(outcome: pd.DataFrame) -> None:
    _, ensemble = experiment.train_members([(LOUD, seed, False) for seed in range(3)], steps=1_500)
    x1 = torch.linspace(LOUD.problem.b, 1, 200_001, dtype=torch.float64)
    x = torch.stack((x1, torch.zeros_like(x1)), dim=1)
    signs = shallow.logits(ensemble, x) > 0
    changes = (signs[:, 1:] != signs[:, :-1]).sum(1)
    assert experiment.final(outcome)["changes"].tolist() == changes.tolist()


def test_the_size_of_a_block_changes_no_network(outcome: pd.DataFrame) -> None:
    cut = experiment.train([LOUD], 3, steps=1_500, at=[10], block=2)
    order = ["step", "seed"]
    left, right = (t.sort_values(order, ignore_index=True) for t in (outcome, cut))
    pd.testing.assert_frame_equal(left, right, rtol=1e-9)


def test_noise_has_the_size_of_the_hint_and_nothing_to_say() -> None:
    run = RUNS[0]
    x, y = experiment.training_set(run, 0, noise=True)
    assert set(x[:, 1].tolist()) == {0.0, run.problem.delta}
    agree = ((x[:, 1] > 0).double() == y).double().mean()
    assert 0.45 < agree < 0.55


def test_live_and_recorded_training_are_the_same() -> None:
    runs = [RUNS[0], RUNS[2]]
    live = experiment.train(runs, 2, steps=30)
    recorded = oscillation_runs.train_runs(runs, 2, steps=30)
    shared = list(recorded.columns)
    pd.testing.assert_frame_equal(live[shared], recorded)


def test_lockstep_refuses_runs_of_different_batch() -> None:
    with pytest.raises(ValueError, match="one batch size and one width"):
        oscillation_runs.train_runs([RUNS[0], RUNS[3]], 1, steps=1)


def test_schedule_of_two_lengths_is_split_and_looked_at_in_epochs() -> None:
    table = oscillation_runs.paper_schedule(["030", "036"], seeds=1, epochs=31)
    assert set(table["run"]) == {"030", "036"}
    assert sorted(table[table["run"] == "030"]["step"]) == [1_000, 3_000, 3_100]
    assert set(table["epoch"]) == {10, 30, 31}
    with pytest.raises(ValueError, match=r"\['999'\]"):
        oscillation_runs.paper_schedule(["999"], seeds=1, epochs=1)


def test_delta_crossover_and_summary() -> None:
    rows = [
        {"seed": seed, "delta": delta, "captured": share}
        for seed in (0, 1)
        for delta, share in ((1e-4, 0.0), (1e-2, 1.0))
    ]
    table = pd.DataFrame(rows)
    # Three quarters of the way from 1e-4 to 1e-2 in the logarithm.
    assert evidence.delta_crossovers(table) == pytest.approx([10**-2.5, 10**-2.5])
    assert evidence.delta_summary(table)["share"].tolist() == [0.0, 1.0]


def test_final_rows_and_those_of_a_step() -> None:
    table = pd.DataFrame({"run": ["034", "034", "035"], "seed": [0, 0, 0], "step": [5, 9, 7]})
    assert experiment.final(table)["step"].tolist() == [9, 7]
    assert experiment.at_steps(table, "034", 5).index.tolist() == [0]
    with pytest.raises(ValueError, match=r"not looked at in step 6; expected one of \[5, 9\]"):
        experiment.at_steps(table, "034", 6)


def test_history_summary_orders_and_names_the_runs(outcome: pd.DataFrame) -> None:
    summary = evidence.history_summary(outcome, {"loud": "title"})
    assert set(summary["run"]) == {"title"}
    assert sorted(set(summary["step"])) == [10, 1_500]
    assert (summary["low"] <= summary["mean"] + 1e-9).all()


def test_run_with_other_delta_changes_nothing_else() -> None:
    run: Run = RUNS[0].with_delta(0.5)
    assert run.problem.delta == 0.5
    assert replace(run, problem=RUNS[0].problem) == RUNS[0]
