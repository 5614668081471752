"""Chapter 17: small networks whose answer is known, and the verdicts in worlds made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.chapters.overparametrisation import evidence as found
from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems import bright
from falsestruct.statistics import Nobody
from tests.worlds import overparametrisation as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if k.startswith("over-")}


def verdicts(pairs) -> dict[str, str]:
    return {id.removeprefix("over-"): judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Training


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Few images and units, and other seeds than those of the claims."""
    sizes = {"FIRST": 1, "IMAGES": 160, "WIDTH": 32, "CROWD": 40, "UNITS": 16, "INPUTS": 80,
             "ALONE": 30, "SAMPLES": 40, "DRAWS": 3, "ASKED": 20, "SHUFFLING": 1500}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sizes.items():
            patch.setattr(experiment, name, value)
        experiment.alone.cache_clear()
        yield
    experiment.alone.cache_clear()


def test_what_fits_shuffled_labels_and_what_can_not():
    table = experiment.fits([1, 2], seeds=2)
    assert set(table["seed"]) == {1, 2}  # of the weights, too: no seed of the claims
    kinds = table.groupby("who")
    right, correct = kinds["right"].min(), kinds["correct"].mean()
    assert (right[["true", "partly", "shuffled"]] == 1).all() and right["tight"] < 1
    assert correct["true"] > correct["partly"] > correct["shuffled"]
    assert kinds["width"].max()[["tight", "narrow", "true"]].tolist() == [1, 2, 32]


def test_so_many_labels_are_shuffled(monkeypatch):
    seen = {}

    def spy(width, sets, **_):
        seen[len(seen)] = sets[0][1]
        raise InterruptedError

    monkeypatch.setattr(experiment, "_trained", spy)
    for share in (0.0, experiment.PARTLY, 1.0):
        with pytest.raises(InterruptedError):
            experiment.fits_point(width=4, shuffled=share, seeds=1)
    own, partly, shuffled = seen.values()
    moved = [(labels != own).double().mean().item() for labels in (partly, shuffled)]
    assert own.sum() == partly.sum() == shuffled.sum()
    assert 0 < moved[0] <= experiment.PARTLY and 0.3 < moved[1] < 0.7


def test_random_features_have_all_arms_and_fit_where_they_can():
    table = experiment.peak([5, 40, 300], seeds=2)
    assert set(table) == {"count", "arm", "seed", "wrong", "captured", "turned", "right"}
    ridged = {arm + experiment.RIDGED for arm in (experiment.FLIPPED, experiment.AT_TIMES)}
    assert len(table) == 3 * 2 * 5 and set(table["arm"]) == {*experiment.ARMS, *ridged}
    right = table.set_index(["count", "arm"])["right"]
    for arm in experiment.ARMS:
        assert (right[300, arm] == 1).all() and (right[5, arm] < 1).all()
    wrong = table.groupby(["count", "arm"])["wrong"].mean()
    assert all(wrong[40, arm] > wrong[40, arm + experiment.RIDGED] for arm in experiment.ARMS
               if arm != experiment.NEVER)  # fmt: skip
    never = table[(table["arm"] == experiment.NEVER) & (table["count"] == 300)]
    assert (never["captured"] > 0.9).all() and (never["wrong"] < 0.1).all()


def test_flipped_labels_are_a_tenth(monkeypatch):
    seen = []

    def errors(own, others, count, rng, *, ridges):
        seen.append(own[1])
        return np.zeros((3, len(ridges)))

    monkeypatch.setattr(experiment.features, "errors", errors)
    experiment.features_point(count=5, seeds=1)
    assert [*experiment.ARMS] == [experiment.FLIPPED, experiment.NEVER, experiment.AT_TIMES]
    flipped, never, times = seen
    assert (flipped != never).sum() == 4 and (never == times).all()


def test_networks_with_noise_of_their_own_and_of_groups():
    table = experiment.rooms([0.0, 4.0], seeds=2)
    kinds = table.groupby(["kind", "energy"])
    assert set(kinds.groups) == {("own", 0.0), ("own", 4.0), ("shared", 4.0)}
    assert (table["right"] == 1).all() and (table["exceptions"] == 1).all()
    assert table["captured"].between(0, 1).all() and (table["wrong"] < 0.5).all()
    assert np.allclose(table["turned"], table["captured"] - table["wrong"])


def test_held_out_noise_is_new_or_that_of_the_groups(monkeypatch):
    seen = {}

    def spy(networks, sets, wrong, noise):
        seen[len(seen)] = sets[0][0][:, bright.PIXELS :], noise[0]
        return networks.table()

    monkeypatch.setattr(experiment, "_looked_at", spy)
    for kind in ("own", "shared"):
        experiment.crowd_point(width=4, samples=40, rate=0.1, kind=kind, energy=4.0, seeds=1)
    (own, new), (shared, known) = seen.values()
    assert new.shape == (597, 80) and not torch.isin(new, own).any()
    assert len(shared.unique(dim=0)) == experiment.GROUPS
    assert torch.equal(shared.unique(dim=0), known.unique(dim=0))


def test_widths_and_samples():
    table = experiment.wide([8, 16, 32], [30, 60], seeds=2)
    cells = table.groupby(["width", "samples", "rate"]).size()
    assert (cells == 2).all() and len(cells) == 4 * len(experiment.RATES)
    assert (16, 60, experiment.RATES[0]) in cells


def test_each_structure_alone_is_learnt():
    for parity in (True, False):
        networks, _, (x, y) = experiment.alone(0.1, parity, 1, 2)
        assert networks.table()["reached"].all()
        assert (networks.labels(x, own=True) == y).all() and x.shape == (2, 30, 64)
        told = torch.stack([bright.said(one) for one in x])
        assert torch.equal(told, y)  # here both structures agree
        apart = torch.stack([bright.images(seed, 30, rho=0.0)[0] for seed in (1, 2)])
        says = networks.labels(apart, own=True)
        assert ((says == y).double().mean() > 0.9) == parity


def test_noise_and_lines_have_a_row_each():
    table = experiment.flat(seeds=2)
    assert len(table) == 8 and (table["rise"] > 0).all() and (table["before"] > 0).all()
    lines = experiment.lines(seeds=2)
    assert len(lines) == 4 * 2 * len(experiment.LINE) and lines["t"].between(0.05, 0.95).all()
    assert lines["excess"].notna().all() and found.lines(lines)["pair"].nunique() == 4


def test_pairs_that_have_not_learnt_have_no_line(monkeypatch):
    monkeypatch.setattr(experiment, "MOST", 1)
    experiment.alone.cache_clear()
    lines = experiment.line_point(pair="parity to parity", seeds=2)
    experiment.alone.cache_clear()
    assert len(lines) == 2 * len(experiment.LINE) and lines["excess"].isna().all()


def test_chance_and_split_pixels():
    table = experiment.directions(seeds=2)
    assert len(table) == 2 * 3 and (table["right"] == 1).all()
    assert table["flipped"].between(0, 1).all() and (table["shortest"] > 0).all()
    kinds = table.groupby("kind").mean()
    assert kinds["shortest"]["alike"] > 0.99 * kinds["shortest"]["split"]  # some directions of all
    assert kinds["flipped"]["split"] < kinds["flipped"]["alike"]


# Worlds whose answer is known


def features(**other) -> pd.DataFrame:
    return worlds.features(**({"peak": 0.4, "at_times": (0.9, 0.4, 0.2)} | other))


def supported() -> found.Claims:
    """All claims on networks, in a world in which each is supported."""
    return {
        **found.fit_claims(worlds.fits(0.95)),
        **found.peak_claims(features()),
        **found.room_claims(worlds.rooms(0.3, 0.8, 0.35)),
        **found.wide_claims(worlds.wide(0.2, 0.4)),
        **found.flat_claims(worlds.flat(8.0, 0.2)),
        **found.line_claims(worlds.lines(0.1, 0.01, 0.5)),
        **found.chance_claims(worlds.directions(0.3, 0.1, 0.3)),
    }


@pytest.fixture
def book_sizes(monkeypatch):
    monkeypatch.setattr(experiment, "WIDTH", 128)
    monkeypatch.setattr(experiment, "SAMPLES", 200)


@pytest.mark.usefixtures("book_sizes")
def test_every_claim_has_an_estimate_and_can_be_supported():
    pairs = supported() | found.proved(5)
    assert set(pairs) == set(CLAIMS)
    assert set(verdicts(pairs).values()) == {"supported"}, verdicts(pairs)


@pytest.mark.usefixtures("book_sizes")
def test_every_claim_on_networks_can_be_refuted():
    said = verdicts({
        **found.fit_claims(worlds.fits(0.8, right=0.995)),
        **found.peak_claims(features(peak=0.1, at_times=(0.6, 0.3, 0.4))),
        **found.room_claims(worlds.rooms(0.3, 0.35, 0.3)),
        **found.wide_claims(worlds.wide(0.4, 0.35)),
        **found.flat_claims(worlds.flat(1.1, 0.2)),
        **found.line_claims(worlds.lines(0.01, 0.01, 0.5)),
        **found.chance_claims(worlds.directions(0.3, 0.3, 0.3)),
    })  # fmt: skip
    assert set(said.values()) == {"refuted"}, said


@pytest.mark.usefixtures("book_sizes")
def test_every_control_can_fail():
    said = verdicts({
        **found.fit_claims(worlds.fits(0.95, paying=0.93, narrow=1.0)),  # no price; any fits
        **found.room_claims(worlds.rooms(0.3, 0.8, 0.7)),  # any noise does it
        **found.wide_claims(worlds.wide(0.2, 0.4, more=0.3)),  # samples make no difference
        **found.flat_claims(worlds.flat(8.0, 8.0)),  # the brightness is flat, however faint
        **found.line_claims(worlds.lines(0.1, 0.01, 0.001)),  # order makes no difference
        **found.chance_claims(worlds.directions(0.3, 0.1, 0.1)),  # not the number of dimensions
    })  # fmt: skip
    assert set(said.values()) == {"inconclusive"}, said


@pytest.mark.usefixtures("book_sizes")
def test_a_peak_that_a_ridge_keeps_and_more_features_that_always_help():
    table = features(ridge=0.4, flipped=(0.9, 0.6, 0.4))
    assert set(verdicts(found.peak_claims(table)).values()) == {"inconclusive"}


@pytest.mark.usefixtures("book_sizes")
def test_few_features_that_can_not_read_the_parity_are_not_what_many_are_compared_with():
    table = features(at_times=(0.95, 0.2, 0.25))
    assert found.best_below(table) == worlds.BELOW
    assert verdicts(found.peak_claims(table))["across"] == "refuted"


def test_noise_that_makes_networks_deaf_is_no_room():
    """Who guesses on seven tenths of the images is captured on more, and follows nothing."""
    table = worlds.rooms(0.1, 0.1, 0.1, deaf=0.7 / 4)
    captured = table[table["kind"] == "own"].groupby("energy")["captured"].mean()
    assert captured[4.0] - captured[0.0] > 0.3
    assert verdicts(found.room_claims(table))["room"] == "refuted"


@pytest.mark.usefixtures("book_sizes")
def test_who_can_not_fit_shuffled_labels_does_not_count():
    few = found.fit_claims(worlds.fits(0.95, right=0.9))
    assert isinstance(few["over-success"][0], Nobody)
    assert verdicts(few) == {"success": "inconclusive", "starts": "refuted"}


def test_who_did_not_reach_its_loss_does_not_count():
    """Two of twenty may be left out; with three, the rest would be a selection."""
    table = worlds.flat(8.0, 0.2, lost=2)
    assert np.isnan(found.quotients(table, bright.STRENGTH)).sum() == 2
    for lost, nobody in ((2, False), (3, True)):
        for ((value, _),) in (
            found.flat_claims(worlds.flat(8.0, 0.2, lost=lost)).values(),
            found.wide_claims(worlds.wide(0.2, 0.4, lost=lost)).values(),
            found.line_claims(worlds.lines(0.1, 0.01, 0.5, lost=lost)).values(),
        ):
            assert isinstance(value, Nobody) == nobody and value.n == 20 - lost


# Tables and numbers for the page


@pytest.mark.usefixtures("book_sizes")
def test_the_page_s_tables():
    table = found.peak(features())
    assert table["panel"].nunique() == 4
    line = table[table["line"] == "flipped labels, with a ridge"]
    assert len(line) == 3 * len(worlds.COUNTS)
    drawn = found.turns(worlds.rooms(0.3, 0.8, 0.35), worlds.wide(0.2, 0.4))
    noise = drawn[drawn["panel"] == "energy of the noise"].set_index(["line", "x"])["value"]
    assert (
        noise["noise of a group", 0.0]
        == noise["noise of its own", 0.0]
        == pytest.approx(0.3, abs=0.01)
    )
    assert set(drawn[drawn["panel"] == "hidden units"]["x"]) == set(worlds.WIDTHS)
    lines = found.lines(worlds.lines(0.1, 0.01, 0.5)).set_index(["pair", "t"])["value"]
    assert lines["brightness to parity", 0.5] == pytest.approx(0.1, abs=0.01)


@pytest.mark.usefixtures("book_sizes")
def test_the_closed_form_has_its_peak_where_features_are_as_many_as_samples():
    table = found.peak(features()).groupby("panel").get_group("squared error, in closed form")
    top = table.loc[table["value"].idxmax(), "count"]
    assert abs(top - found.SAMPLES) < 15
    assert table["value"].iloc[-1] < table["value"].max() / 10
    assert table.loc[table["count"] == found.SAMPLES, "value"].isna().all()


@pytest.mark.usefixtures("book_sizes")
def test_what_the_page_says_is_there_and_finite():
    page = (find_book(Path(__file__)).root / "book" / "17_overparametrisation.md").read_text()
    said = found.said(worlds.fits(0.95), features(flipped=(0.7, 0.5, 0.9)))
    said |= found.said_of_room(worlds.rooms(0.3, 0.8, 0.35), worlds.wide(0.2, 0.4))
    said |= found.said_of_valleys(worlds.flat(8.0, 0.2), worlds.lines(0.1, 0.01, 0.5))
    said |= found.said_of_chance(worlds.directions(0.3, 0.1, 0.3))
    named = {part.split(":")[0] for part in page.split("{glue:text}`")[1:]}
    assert named <= set(said), named - set(said)
    assert all(np.isfinite(list(said.values())))
    assert said["quotient_faint"] == pytest.approx(0.2, rel=0.05) and said["known_usual"] == 20
    assert said["turned_own"] == pytest.approx(0.8, abs=0.01)
    assert said["turned_more"] == pytest.approx(0.1, abs=0.01)
    rises = [said[f"rise_{name}"] for name in ("own", "shared", "named")]
    assert rises == pytest.approx([0.5, 0.05, 0.45], abs=0.02)
    assert said["captured_flipped_labels_before"] == pytest.approx(0.7, abs=0.01)
    assert said["price"] == pytest.approx(4, rel=0.1) and said["draws"] == experiment.DRAWS
    assert (said["steps_parity_usual"], said["steps_parity_faint"]) == (100, 300)
    assert said["best"] == worlds.BELOW and said["bound_split"] == 0.125
    assert pd.Series(said).notna().all()
