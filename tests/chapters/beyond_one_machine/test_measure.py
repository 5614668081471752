"""The model of many cores: closed forms, and the bounds of list scheduling."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.chapters.beyond_one_machine import figures as plots
from falsestruct.chapters.beyond_one_machine import measure as scaling
from falsestruct.chapters.beyond_one_machine.measure import Plan, simulate

SECONDS = st.floats(0.01, 100)
POINTS = st.lists(SECONDS, min_size=1, max_size=8).map(tuple)
STAGES = st.lists(POINTS, min_size=1, max_size=4).map(tuple)
PLANS = st.lists(st.builds(Plan, chapter=st.just("00_any"), stages=STAGES), min_size=1, max_size=3)


def test_one_core_takes_them_one_after_the_other() -> None:
    plan = Plan("03", ((5.0,), (1.0, 2.0), (4.0,)))
    assert simulate([plan], 1) == scaling.work([plan]) == 12.0


def test_enough_cores_leave_the_longest_points() -> None:
    plans = [Plan("03", ((5.0,), (1.0, 2.0), (4.0, 3.0))), Plan("04", ((1.0,), (9.5,)))]
    assert simulate(plans, 100) == scaling.critical(plans[0]) == 11.0
    assert scaling.critical(plans[1]) == 10.5


def test_a_stage_waits_for_the_one_before() -> None:
    plan = Plan("03", ((3.0, 1.0), (1.0, 1.0)))
    assert simulate([plan], 2) == 4.0  # not 3: the second stage starts at 3


def test_a_point_costs_the_one_that_sends_it_and_the_one_that_computes_it() -> None:
    plan = Plan("03", ((10.0,) * 4,))
    assert simulate([plan], 100, overhead=0.5) == 4 * 0.5 + 10 + 0.5
    assert simulate([plan], 1, overhead=0.5) == 0.5 + 4 * (10 + 0.5)
    nothing = Plan("03", ((0.0,) * 400,))
    assert simulate([nothing], 64, overhead=0.5) == 400 * 0.5 + 0.5  # the sender is the neck


def test_two_chapters_share_the_cores() -> None:
    plans = [Plan("03", ((2.0, 2.0),)), Plan("04", ((2.0, 2.0),))]
    assert simulate(plans, 2) == 4.0
    assert simulate(plans, 4) == 2.0


@given(PLANS, st.integers(1, 20))
def test_list_scheduling_keeps_grahams_bounds(plans: list[Plan], cores: int) -> None:
    """R. L. Graham (1966): no greedy schedule is longer than work/cores + critical path."""
    seconds, work, critical = simulate(plans, cores), scaling.work(plans), _critical(plans)
    assert seconds >= max(critical, work / cores) * (1 - 1e-9)
    assert seconds <= (work / cores + critical) * (1 + 1e-9)


def _critical(plans: list[Plan]) -> float:
    return max(scaling.critical(plan) for plan in plans)


@given(PLANS, st.integers(1, 20), st.floats(0, 1))
def test_overhead_never_helps_by_more_than_the_order(
    plans: list[Plan], cores: int, overhead: float
) -> None:
    points = sum(len(stage) for plan in plans for stage in plan.stages)
    bound = scaling.work(plans) / cores + _critical(plans) + 2 * points * overhead
    assert _critical(plans) * (1 - 1e-9) <= simulate(plans, cores, overhead=overhead)
    assert simulate(plans, cores, overhead=overhead) <= bound * (1 + 1e-9)


def test_table_and_where_it_stops() -> None:
    plan = Plan("03", ((1.0,) * 64,))
    rows = scaling.table([plan], [1, 64, 128], overhead=0.0)
    assert rows["seconds"].tolist() == [64.0, 1.0, 1.0]
    assert rows["efficiency"].tolist() == [1.0, 1.0, 0.5]
    assert scaling.stops_at(rows) == 128
    assert scaling.stops_at(rows, efficiency=0.6) == 64
    assert scaling.stops_at(rows, efficiency=2) == 0
    drawn = plots.scaling_curve(pd.concat([rows.assign(plan=name) for name in ("a", "b")]))
    assert len(drawn.axes[0].lines) == 4  # each with its line of perfect scaling


def test_plans_unfold_kinds_and_put_what_a_chapter_does_itself_between_its_sweeps() -> None:
    kinds = [{"seconds": 1.5, "points": 2}, {"seconds": 3.0, "points": 1}]
    stored = [{"chapter": "03", "own": [2.0, 0.5], "sweeps": [kinds]}]
    assert scaling.plans(stored) == [Plan("03", ((2.0,), (1.5, 1.5, 3.0), (0.5,)))]
    assert scaling.plans(stored, scale=2)[0].stages == ((4.0,), (3.0, 3.0, 6.0), (1.0,))
    assert scaling.plans([{"chapter": "01", "own": [9.0], "sweeps": []}])[0].stages == ((9.0,),)


@pytest.mark.parametrize(("cores", "overhead"), [(0, 0.0), (1, -1.0)])
def test_nonsense_is_refused(cores: int, overhead: float) -> None:
    with pytest.raises(ValueError, match="expected at least 1 and 0"):
        simulate([], cores, overhead=overhead)
