"""What the benchmarks compute from their measurements, and that two ways do the same work."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
import typer

from benchmarks import __main__ as entry
from benchmarks import book, firenet, gpu, measure, paper, perturbation, plain, profile, training
from falsestruct.chapters.oscillation import runs
from falsestruct.chapters.where_time_goes import figures as plots
from falsestruct.learning import shallow
from falsestruct.learning import training as learning
from falsestruct.learning.networks import LINEAR, MLP, PAPER, initialise
from falsestruct.learning.training import Schedule
from falsestruct.press.notebook.figures import STYLES, draw


class Clock:
    """A clock that only work moves: a way of so many seconds a turn."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, list[str]()

    def way(self, name: str, *seconds: float) -> measure.Way:
        """Each call takes the next of the seconds and does one piece of work."""
        left = list(seconds)

        def run() -> float:
            self.calls.append(name)
            self.now += left.pop(0)
            return 1.0

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", lambda: own.now)
    return own


def test_ways_alternate_and_the_first_run_does_not_count(clock: Clock) -> None:
    slow = clock.way("b", 900, 4, 4, 4)
    rows = measure.compare_each(
        "ours", clock.way("a", 100, 1, 2, 1),
        {"plain": (slow, 3.0), "dense": (clock.way("c", 7, 1, 1, 2), None)}, unit="u", runs=3,
    )  # fmt: skip
    assert "".join(clock.calls) == "abc" * 4
    plain_row, dense_row = rows
    assert (plain_row.what, plain_row.against, plain_row.wanted) == ("ours", "plain", 3.0)
    assert (plain_row.ratio, plain_row.lowest, plain_row.highest) == (4, 2, 4)
    assert (plain_row.fast, plain_row.slow, plain_row.met) == (1, 0.25, True)
    assert (dense_row.ratio, dense_row.lowest, dense_row.highest) == (1, 0.5, 2)
    assert dense_row.wanted is None and dense_row.met


def test_a_missed_promise_is_missed() -> None:
    assert not measure.summary(("a", "b"), ([2.9], [1.0]), unit="u", wanted=3.0).met


def test_medians_are_of_five_runs_or_more() -> None:
    assert measure.RUNS >= 5


def test_threads_are_put_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), measure.threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_operations_of_the_small_network_by_hand() -> None:
    """Forward and the weights' gradient of both layers, and the gradient of 104 activities."""
    batch, width = training.BATCH, 104
    first, second = 2 * batch * 2 * width, 2 * batch * width
    assert training.flops(training.SMALL) == 2 * first + 3 * second


def test_engines_of_an_architecture_end_with_its_own() -> None:
    assert training.engines_of(LINEAR) == ["looped", "stacked", "dense"]
    assert training.engines_of(PAPER) == ["looped", "stacked"]
    small = training.engines_of(training.SMALL)
    assert small[:3] == ["looped", "stacked", "dense"] and training.SMALL.engine in small
    assert training.BY_HAND["fused"] == ["dense", "fused"]


def test_the_plain_loop_learns_what_the_verb_learns() -> None:
    """The same rule, so that a ratio of speeds means something; one batch has no order."""
    x, y = (part[:50].double() for part in training.data_of(training.SMALL))
    network = initialise(training.SMALL.build(), 0).double()
    plain.train(network, x[None], y[None], 5)
    verb = learning.train(
        training.SMALL, (x, y), [0], Schedule(5), dtype=torch.float64, device="cpu"
    )
    for name, value in network.named_parameters():
        torch.testing.assert_close(verb.parameters[name][0], value.detach())


def test_work_is_networks_times_steps() -> None:
    data = training.data_of(training.SMALL)
    assert plain.small(data, batch=50, steps=3, dtype=torch.float64) == 3.0
    assert training.lockstep(training.SMALL, 2, 3, torch.float64) == 6.0


def test_networks_of_one_length_go_together_as_in_the_schedule() -> None:
    names = [[run.name for run in group] for group in paper.together()]
    assert names == [["036"], ["030", "035"], ["034"]]


def test_the_measured_part_is_the_schedule_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks, batches and generators are those that the recorded run gives to `shallow.train`."""
    seen = []

    def caught(initial, batches, *, seeds, steps, observe, **_):  # type: ignore[no-untyped-def]
        seen.append((initial.flat, batches.x, batches.y, batches.counts, seeds))
        return [pd.DataFrame()]

    monkeypatch.setattr(shallow, "train", caught)
    group = paper.together()[1]
    assert paper.lockstep(group, seeds=2, steps=5)() == 2 * 2 * 5
    runs.train_runs(group, 2, steps=5)
    ours, theirs = seen
    for mine, other in zip(ours[:3], theirs[:3], strict=True):
        assert torch.equal(mine, other)
    assert ours[3:] == theirs[3:]


def test_a_schedule_is_as_long_as_its_parts() -> None:
    # 10 steps at 5 a second and 30 at 10: five seconds; at half the speed ten.
    found = paper.extrapolated([[5.0, 2.5], [10.0, 5.0]], [10.0, 30.0])
    assert found == [paper.DAY / 5, paper.DAY / 10]


def test_members_as_one_model_are_the_members() -> None:
    data = training.data_of(MLP)
    trained = learning.train(MLP, data, range(3), Schedule(2), device="cpu")
    x = torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(0))
    model = perturbation.Logits(perturbation.Together(learning.as_function(trained), 3))
    both = model(x.repeat(3, 1, 1))
    expected = learning.outputs(trained, x)
    torch.testing.assert_close((both[:, 1] - both[:, 0]).view(3, 4), expected)


def test_a_matrix_for_each_gives_the_answers_one_by_one() -> None:
    batch = firenet.own()
    assert batch.operator.matrix.shape == (256, 80, 200) and batch.y.shape == (256, 1, 80)
    assert not torch.equal(batch.operator.matrix[0], batch.operator.matrix[1])
    operator, y = batch.alone[7]
    assert torch.equal(operator.matrix, batch.operator.matrix[7]) and torch.equal(y, batch.y[7])


def test_scipy_s_transform_is_ours() -> None:
    x = torch.randn(2, firenet.UNKNOWNS, dtype=torch.float64)
    torch.testing.assert_close(firenet.scipy_cosine(x), firenet.operators.cosine(x))


@pytest.mark.parametrize("compiled", [False, True])
def test_what_a_profiler_does_not_see_has_a_name(compiled: bool) -> None:
    times = [("aten::bmm", 0.2), ("aten::mm", 0.1), ("aten::_fused_adamw_", 0.3), ("other", 0.1)]
    spent = profile.divided(times, compiled=compiled)
    assert sum(spent.values()) == pytest.approx(1)
    assert spent["matrix products"] == pytest.approx(0.3) and spent["optimiser"] == 0.3
    unseen, none = profile.COMPILED, profile.REST
    if not compiled:
        unseen, none = none, unseen
    assert spent[unseen] == pytest.approx(0.4) and spent[none] == 0


def test_one_run_is_no_median(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    seconds = iter([3.0, 1.0, 2.0, 5.0, 4.0])
    assert book.WHOLE == 540 and book.Timing("whole", 1.0, 540, []).runs == 1
    monkeypatch.setattr(book, "_timed", lambda w, c, a: book.Timing(w, next(seconds), a, []))
    assert book._nothing(tmp_path) == book.Timing("no change", 3.0, 5, [], runs=5)


def test_a_device_beside_itself() -> None:
    case = gpu.Case(training.SMALL, 2, 5)
    row = gpu.measure(case, ("cpu", "cpu"), torch.float64, steps=4, runs=2)
    assert row.agrees and row.difference == 0 and row.steps == 4 and row.members == 2
    assert row.allowed == learning.TOLERANCE[torch.float64]
    assert row.lowest <= row.ratio <= row.highest
    kept = gpu.report([row], "a device")
    assert kept["about"]["device"] == "a device"  # type: ignore[index]
    assert kept["rows"][0]["agrees"] and kept["rows"][0]["architecture"] == "2-104-1"  # type: ignore[index]


def test_losses_that_differ_or_are_no_numbers_do_not_agree() -> None:
    row = gpu.Row("a", 1, "float64", 0.0, 1, 1e-3, 1, 1, 1, 1, 1)
    one = torch.tensor([1.0, 2.0])
    assert gpu.difference(torch.tensor([1.0, 2.5]), one) == 0.25
    for other, agrees in ((1e-3, True), (2e-3, False), (float("nan"), False)):
        assert gpu.Row(**(vars(row) | {"difference": other})).agrees is agrees


def test_the_gpu_s_ensembles_are_the_promised_ones() -> None:
    found = {case.architecture.name: case.members for case in gpu.CASES}
    assert found == {"2-104-1": 128, "MLP": 20, "paper's CNN": 20}


def test_without_a_gpu_it_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(typer.Exit) as end:
        gpu.main()
    assert end.value.exit_code == 1
    assert capsys.readouterr().out == "no CUDA GPU is here: nothing to compare the processor with\n"


def test_a_gpu_is_no_part_of_the_benchmarks() -> None:
    assert "paper" in entry.PARTS and "gpu" not in entry.PARTS


def test_rows_are_shown_with_their_promise(capsys: pytest.CaptureFixture[str]) -> None:
    row = vars(measure.summary(("ours", "theirs"), ([2.0], [1.0]), unit="u", wanted=3.0))
    entry.show(
        {"comparisons": [row | {"met": False, "part": "training"}],
         "about": {"machine": "m", "threads": 2, "torch": "t"}}
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert "≥ 3×" in shown and "NO" in shown


def _drawn(plot, rows):  # type: ignore[no-untyped-def]
    return draw(plot, pd.DataFrame(rows).to_csv(index=False), {}, STYLES["book"])


def test_the_plain_loop_has_a_mark_that_is_no_engine_s() -> None:
    rows = [
        {"architecture": a, "engine": e, "dtype": d, "rate": r, "chosen": e == "dense"}
        for d in ("float32", "float64")
        for a, e, r in (("s", "looped", 1.0), ("s", "dense", 3.0), ("s", "plain loop", 2.0))
    ]
    figure = _drawn(plots.training_engines, rows)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["looped", "dense", "plain loop", "used"]
    marks = {line.get_label(): line for line in figure.axes[0].lines}
    assert marks["plain loop"].get_xdata().tolist() == [2.0]
    assert marks["plain loop"].get_marker() != marks["looped"].get_marker()
    assert marks["used"].get_xdata().tolist() == [3.0]


def test_every_kind_of_work_has_a_bar() -> None:
    kinds = [*profile.divided([], compiled=True)]
    rows = [{"architecture": "s", "kind": kind, "share": 1 / len(kinds)} for kind in kinds]
    (axis,) = _drawn(plots.training_shares, rows).axes
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in axis.patches}
    assert len(axis.patches) == len(looks) == len(kinds) == 7
    assert axis.patches[-1].get_x() + axis.patches[-1].get_width() == pytest.approx(1)
