"""Chapter 15: small networks whose answer is known, and the verdicts in worlds made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.failures import evidence as found
from falsestruct.chapters.failures import measure as experiment
from falsestruct.learning import training
from falsestruct.learning.schedule import Schedule
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.parity import rows
from falsestruct.statistics import Nobody
from tests.worlds import failures as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if "failures" in k}


def verdicts(pairs) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Training


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Four bits, and other seeds than those of the claims."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "HINTED", 4)
        patch.setattr(experiment, "FIRST", 0)
        yield


@pytest.fixture(scope="module")
def hints(_small) -> pd.DataFrame:
    return experiment.hints([2], [0.5, 0.9, 1.0], optimiser="descent", seeds=2, steps=3000)


def test_a_parity_of_two_bits_is_learnt_beside_a_hint_that_errs(hints):
    wrong = hints[hints["q"] == 0.9]
    assert wrong["reached"].all() and (wrong.groupby("seed")["apart"].last() >= 0.95).all()
    early = wrong[wrong["step"].between(25, 150)].groupby("seed")["apart"].min()
    assert (early < 0.25).all()  # it took the hint first
    first = wrong[wrong["apart"] >= 0.75].groupby("seed")["step"].min()
    assert (wrong.groupby("seed")["learnt"].first() == first).all()


def test_a_hint_that_never_errs_is_kept(hints):
    always = hints[hints["q"] == 1.0]
    assert not always["reached"].any() and (always["learnt"] == 3000).all()
    assert (always.groupby("seed")["apart"].last() < 0.05).all()
    assert always.groupby("seed")["step"].last().tolist() == [3000, 3000]


def test_it_takes_longer_beside_a_better_hint(hints):
    learnt = hints.groupby("q")["learnt"].min()
    assert learnt[0.5] < learnt[0.9] < learnt[1.0]
    assert set(hints) == {
        "size", "optimiser", "q", "arm", "seed", "step", "apart", "agreed", "learnt", "reached",
        "alone",
    }  # fmt: skip
    assert (hints["alone"] == hints["learnt"]).all()


def test_who_opposes_a_coin_has_not_learnt(monkeypatch):
    looks = [{"seed": 0, "step": 25, "apart": 0.9, "agreed": 0.1},
             {"seed": 0, "step": 50, "apart": 0.8, "agreed": 0.8}]  # fmt: skip
    monkeypatch.setattr(experiment.fresh, "train", lambda *_: pd.DataFrame(looks))
    point = {"size": 2, "optimiser": "descent", "q": 0.5, "arm": "hint", "seeds": 1}
    assert experiment.hint_point(**point, steps=50)["learnt"].tolist() == [50, 50]


@pytest.mark.parametrize("optimiser", ["descent", "Adam"])
def test_what_is_added_to_the_output_need_not_be_learnt(optimiser):
    options = {"arm": "added", "optimiser": optimiser, "seeds": 2, "steps": 2000}
    table = experiment.hints([2], [0.5, 0.9], **options)
    first = table[table["step"] == 0].query("q == 0.9")
    assert (first["agreed"] > 0.75).all() and (first["own"] < 0.75).all()
    late = table.query("q == 0.9").drop_duplicates("seed")
    assert table["reached"].all()
    assert (late["alone"] < late["learnt"]).any()  # the hint must be outvoted as well


def test_rows_that_training_never_shows(monkeypatch):
    seen = []

    def noted(architecture, draw, seeds, schedule, looks):
        seen.append((draw(100, np.random.default_rng(0))[0], looks.tests["apart"][0]))
        return pd.DataFrame([{"seed": 0, "step": 0, "apart": 0.0, "agreed": 1.0}])

    monkeypatch.setattr(experiment.fresh, "train", noted)
    options = {"optimiser": "descent", "seeds": 1, "steps": 9}
    experiment.hints([2], [0.9], arm="unseen", **options)
    (trained, tested) = seen[0]
    assert (trained[:, 2] == trained[:, 3]).all() and (tested[:, 2] != tested[:, 3]).all()


def test_every_arm_is_there():
    sizes = {"descent": [[2], [1]], "Adam": [[2]]}
    table = experiment.every(sizes, [0.5, 0.9, 1.0], seeds=[2, 1], limits=[50, 25])
    own = table.groupby(["optimiser", "arm", "size"])["q"].unique().map(sorted).to_dict()
    for name in sizes:
        last = [0.5, 0.9, 1.0] if name == "descent" else [0.5, 0.9]
        assert own[name, "hint", 2] == last
        assert own[name, "label", 2] == [0.9]
        assert own[name, "added", 2] == [0.5, 0.9]
    assert own["descent", "unseen", 2] == [0.9, 1.0] and ("Adam", "unseen", 2) not in own
    assert own["descent", "label", 1] == [0.9] and own["descent", "hint", 1] == [0.5, 0.9]


def test_who_is_asked_only_when_it_learns_stops_there():
    both = {
        name: experiment.hints([1], [0.9], optimiser=name, seeds=2, steps=500)
        for name in ("descent", "Adam")
    }
    end = {k: t.groupby("seed")[["apart", "agreed"]].last().min(axis=1) for k, t in both.items()}
    assert (end["descent"] >= 0.95).all() and (end["Adam"] >= 0.75).all()
    assert (
        both["Adam"]
        .groupby("seed")["step"]
        .last()
        .equals(both["Adam"].groupby("seed")["learnt"].first().rename("step").astype(int))
    )


def test_noise_in_the_label_is_another_thing():
    options = {"optimiser": "Adam", "seeds": 2, "steps": 100}
    table = experiment.hints([2], [0.7, 0.9], arm="label", **options)
    assert set(table["arm"]) == {"label"} and sorted(set(table["q"])) == [0.7, 0.9]


def test_the_parity_of_two_bits_is_easy():
    table = experiment.parities([4], seeds=2, steps=3000)
    assert table["optimiser"].tolist() == ["descent"] * 2 + ["Adam"] * 2
    assert (table["right"] > 0.9).all() and (table["step"] < 3000).any()


def test_biased_bits_are_tested_on_both():
    table = experiment.biased([0.0, 0.7], bits=4, size=1, seeds=2, steps=300)
    assert table["mean"].tolist() == [0] * 4 + [0.7] * 4
    assert table["when"].tolist() == ["learnt", "learnt", "end", "end"] * 2
    end = table[table["when"] == "end"]
    assert (end[["own", "other"]] > 0.95).all(axis=None)  # one bit is one bit everywhere
    first = table[table["when"] == "learnt"]
    assert (first["own"] >= 0.95).all() and (first["step"] < 300).all()


# Information


def test_the_last_layer_is_the_network_s():
    x = rows(experiment.BITS)
    y = (x[:, 0] > 0).double()
    schedule = Schedule(3, batch=64)
    done = training.train(experiment.LAYERED, (x, y), [1, 2], schedule, dtype=torch.float64)
    values = experiment.last_layer(done, x[:20], torch.tanh)
    assert values.shape == (2, 20, 3)
    network = experiment.LAYERED.build().double()
    network.load_state_dict({name: own[1] for name, own in done.parameters.items()})
    with torch.no_grad():
        wanted = network[:-1](x[:20]).numpy()
    assert values[1] == pytest.approx(wanted, abs=1e-12)


def test_an_untrained_layer_has_all_the_information_and_bins_have_less():
    table = experiment.layer_point(steps=0, shuffled=False, seeds=2)
    assert (table["exact"] == 12).all() and (table["sign"] <= 3).all()
    assert (table[["fixed", "equal"]] < 12).all(axis=None)
    assert (table["fine"] > table["fixed"]).all()


# Worlds whose answer is known


def test_every_claim_has_an_estimate():
    pairs = worlds.claims(worlds.mixed, other=0.8)
    others = found.parity_claims(worlds.parities(0.5)) | found.layer_claims(worlds.layers(3, 9))
    assert set(pairs) | set(others) == set(CLAIMS)


def test_in_a_world_that_follows_the_law_the_laws_are_supported():
    said = verdicts(worlds.claims(worlds.by_the_law, other=0.8))
    own = {id for id in said if id.endswith("-added")}
    assert {said[id] for id in set(said) - own} == {"supported"}, said
    assert {said[id] for id in own} == {"inconclusive"}  # seeing the hint makes no difference


def test_where_only_what_is_added_follows_the_law():
    said = verdicts(worlds.claims(worlds.mixed, other=0.8))
    off = {"failures-law", "failures-law-six", "failures-law-adam"}
    assert {said[id] for id in off} == {"refuted"}
    assert {said[id] for id in set(said) - off} == {"supported"}, said


def test_a_network_that_does_not_learn_has_no_slope():
    table = worlds.hints(worlds.by_the_law).query("size == 4 and arm == 'hint'")
    own = table[table["optimiser"] == "descent"]
    late = (own["seed"] < 2) & (own["q"] == 0.95)
    few = own.assign(reached=own["reached"] & ~late)
    assert np.isnan(found.slopes(few)).sum() == 2 and found.power(few).n == 18
    many = own.assign(reached=own["reached"] & ~(late | (own["seed"] == 5)))
    assert isinstance(found.power(many), Nobody)


def test_where_networks_follow_the_original_at_once_nothing_of_it_is():
    said = verdicts(worlds.claims(worlds.at_once, other=1.0))
    for id in ("taken", "never", "law", "law-six", "law-adam", "biased"):
        assert said[f"failures-{id}"] == "refuted", id
    assert said["failures-delay"] == "inconclusive"  # its control is right at once as well


def test_a_barrier_is_told_from_a_delay():
    said = verdicts(worlds.claims(worlds.never, other=1.0))
    assert said["failures-delay"] == "refuted" and said["failures-taken"] == "supported"


def test_a_square_root_is_told_from_the_law():
    said = verdicts(worlds.claims(lambda o, k, q: worlds.by_the_law("Adam", k, q), other=1.0))
    assert said["failures-law"] == said["failures-law-six"] == "refuted"
    assert said["failures-law-adam"] == "supported"


@pytest.mark.parametrize(("right", "verdict"), [(0.5, "supported"), (1.0, "refuted")])
def test_parities(right, verdict):
    assert set(verdicts(found.parity_claims(worlds.parities(right))).values()) == {verdict}


def test_information():
    said = verdicts(found.layer_claims(worlds.layers(3.0, 9.5)))
    assert set(said.values()) == {"supported"}
    said = verdicts(found.layer_claims(worlds.layers(9.5, 9.5, exact=11.0)))
    assert said["failures-compression"] == "refuted"
    assert said["failures-information"] == "refuted" and said["failures-bins"] == "supported"
    said = verdicts(found.layer_claims(worlds.layers(3.0, 3.0)))
    assert said["failures-compression"] == "supported"
    assert said["failures-adaptive"] == "refuted"


# Tables and numbers for the page


def test_slopes_by_hand():
    assert found.slopes(worlds.hints(worlds.by_the_law).query(
        "optimiser == 'descent' and size == 4 and arm == 'hint'"
    )) == pytest.approx([1.0] * worlds.SEEDS)  # fmt: skip


def test_who_is_done_stays_as_it_was():
    table = worlds.hints(worlds.at_once)
    late = found.after(table, 5000)
    assert len(late) == len(table.drop_duplicates(found.NETWORK))
    assert (late[late["arm"] == "hint"]["apart"] == 1).all()


def test_the_page_s_tables():
    table = worlds.hints(worlds.by_the_law)
    cells = found.taken(table, worlds.BUDGET)
    own = cells.set_index(["row", "column"])["value"]
    assert own[4, 0.95] == 1 and own[4, 0.5] == 0 and own[2, 0.8] == 0
    drawn = found.courses(table, (0.5, 0.95))
    last = drawn.groupby("q")["value"].last()
    assert last[0.5] == 0 and drawn[drawn["q"] == 0.95]["value"].iloc[0] == 1
    delays = found.delays(table).query("optimiser == 'descent' and size == 4 and arm == 'hint'")
    assert delays["value"].to_numpy() == pytest.approx(delays["stretch"].to_numpy())
    assert set(found.bits_of(worlds.layers(3, 9))["what"]) == {"exact", "equal", "fixed"}
    steps = found.until_right(worlds.parities(0.5))
    assert steps["value"].to_numpy() == pytest.approx(10 * steps["bits"].to_numpy())


def test_only_networks_that_learn_have_lost_information():
    table = worlds.layers(3, 9)
    some = table.assign(right=table["right"].where(table["seed"] < 4, 0.9))
    assert set(found.right_ones(some)["seed"]) == {0, 1, 2, 3}
    assert found.layer_claims(some)["failures-compression"][0].n == 4


def test_said_are_finite_numbers():
    table = worlds.hints(worlds.by_the_law)
    said = found.said(table, worlds.BUDGET)
    assert said["often_delay"] == pytest.approx(said["often_law"])
    assert said["slope_Adam_4"] == said["own_Adam_4"] == pytest.approx(0.5)
    assert said["unfinished"] == 0 and said["two_steps"] == 200 and said["first_q"] == 0.65
    others = found.said_of_others(worlds.biased(1.0, 0.8), worlds.layers(3, 9))
    assert others["fall_fixed"] == pytest.approx(7, abs=0.02) and others[
        "biased_other"
    ] == pytest.approx(0.8)
    assert all(np.isfinite(list((said | others).values())))


def test_a_jump_after_the_coin_is_told_from_a_power():
    jump = worlds.hints(lambda o, k, q: (2 if q > 0.5 else 1) * worlds.by_the_law(o, k, q))
    said = found.said(jump, worlds.BUDGET)
    for tag, power in (("descent_6", 1.0), ("Adam_4", 0.5)):
        assert said[f"slope_{tag}"] > power + 0.1
        assert said[f"inside_slope_{tag}"] == pytest.approx(power)
        assert [said[f"{end}_slope_{tag}"] for end in ("first", "last")] == pytest.approx([2, 2])
        assert said[f"off_slope_{tag}"] == pytest.approx(1)
    assert said["off_own_descent_4"] == pytest.approx(0)


def test_the_clock_that_outvotes_is_another():
    table = worlds.hints(worlds.by_the_law)
    later = table.assign(learnt=table["learnt"] * np.where(table["q"] > 0.5, 3, 1))
    said = found.said(later, worlds.BUDGET)
    assert said["first_outvoted_descent_4"] == pytest.approx(3)
    assert said["first_own_descent_4"] == pytest.approx(1)
    assert said["inside_outvoted_descent_4"] == pytest.approx(1)
    assert said["outvoted_descent_4"] > 1.1 > said["own_descent_4"]


def test_said_of_parities():
    said = found.said_of_parities(worlds.parities(0.93))
    assert said["there_descent"] == said["there_Adam"] == 0
    assert said["least_Adam"] == pytest.approx(0.91)
    assert said["slow_descent"] == said["fast_descent"] == pytest.approx(2.5 ** (1 / 3))
