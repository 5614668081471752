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
from falsestruct.statistics import Nobody
from tests.worlds import overparametrisation as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if k.startswith("over-")}


def verdicts(pairs) -> dict[str, str]:
    return {id.removeprefix("over-"): judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Training


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Few images and units, and other seeds than those of the claims."""
    sizes = {"FIRST": 0, "IMAGES": 160, "WIDTH": 32, "CROWD": 40, "UNITS": 16, "INPUTS": 80,
             "ALONE": 30, "SAMPLES": 40, "DRAWS": 3}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sizes.items():
            patch.setattr(experiment, name, value)
        experiment.alone.cache_clear()
        yield
    experiment.alone.cache_clear()


def test_the_same_images_in_either_brightness():
    (x, y), (other, parity) = (experiment.images(3, 40, rho=rho) for rho in (1.0, 0.0))
    assert torch.equal(y, parity)
    assert torch.equal(experiment.said(x, experiment.STRENGTH), y)
    assert torch.equal(experiment.said(other, experiment.STRENGTH), 1 - y)
    bare = [part - part.mean(1, keepdim=True) for part in (x, other)]
    assert torch.allclose(*bare)
    again, _ = experiment.images(4, 40, rho=1.0)
    assert not torch.allclose(again, x)
    agree, apart = experiment.held_out(experiment.STRENGTH)
    assert torch.equal(agree[1], apart[1]) and len(agree[0]) == 597


def test_what_fits_shuffled_labels_and_what_can_not():
    table = experiment.fits(1, seeds=2)
    kinds = table.groupby(["width", "shuffled"])["right"].min()
    assert kinds[32, True] == kinds[32, False] == 1 and kinds[1, True] < 1
    correct = table.groupby(["width", "shuffled"])["correct"].mean()
    assert correct[32, False] > 0.7 > correct[32, True]


def test_random_features_have_all_arms_and_fit_where_they_can():
    table = experiment.peak([5, 40, 300], seeds=2)
    assert set(table) == {"count", "arm", "ridge", "seed", "wrong", "captured", "right"}
    assert len(table) == 3 * 2 * 4 and sorted(table["ridge"].unique()) == [0, experiment.RIDGE]
    plain = table[table["ridge"] == 0].groupby("count")["right"].min()
    assert plain[300] == 1 > plain[5]
    ridge = table[table["ridge"] > 0]
    assert set(ridge["arm"]) == {experiment.FLIPPED}


def test_flipped_labels_are_a_tenth(monkeypatch):
    seen = []
    monkeypatch.setattr(
        experiment.features, "fit", lambda x, y, *, ridge: (seen.append(y), np.ones(x.shape[1]))[1]
    )
    experiment.features_point(count=5, most=5, seeds=1)
    arms = [*experiment.ARMS]
    flipped, ridge, never, times = seen
    assert arms[0] == experiment.FLIPPED and (flipped == ridge).all()
    assert (flipped != never).sum() == 4 and (never == times).all()


def test_networks_with_noise_of_their_own_and_of_groups():
    table = experiment.rooms([0.0, 4.0], seeds=2)
    kinds = table.groupby(["kind", "energy"])
    assert set(kinds.groups) == {("own", 0.0), ("own", 4.0), ("shared", 4.0)}
    assert (table["right"] == 1).all() and (table["exceptions"] == 1).all()
    assert table["captured"].between(0, 1).all() and (table["wrong"] < 0.5).all()


def test_widths_and_samples():
    table = experiment.wide([2, 4, 8], [30, 60], seeds=2)
    cells = table.groupby(["width", "samples", "rate"]).size()
    assert (cells == 2).all() and len(cells) == 4 * len(experiment.RATES)
    assert (4, 60, experiment.RATES[0]) in cells


def test_each_structure_alone_is_learnt():
    for parity in (True, False):
        networks, _, (x, y) = experiment.alone(0.1, parity, 0, 2)
        assert networks.table()["reached"].all()
        assert (networks.labels(x, own=True) == y).all() and x.shape == (2, 30, 64)
        told = torch.stack([experiment.said(one, 0.1) for one in x])
        assert torch.equal(told, y)  # here both structures agree
        apart = torch.stack([experiment.images(seed, 30, rho=0.0)[0] for seed in (0, 1)])
        says = networks.labels(apart, own=True)
        assert ((says == y).double().mean() > 0.9) == parity


def test_noise_and_lines_have_a_row_each():
    table = experiment.flat(seeds=2)
    assert len(table) == 8 and (table["rise"] > 0).all()
    lines = experiment.lines(seeds=2)
    assert len(lines) == 4 * 2 * len(experiment.LINE)
    ends = lines[lines["t"].isin([0.0, 1.0])]
    assert ends["excess"].abs().max() < 1e-6
    assert found.lines(lines)["pair"].nunique() == 4


# Worlds whose answer is known


def supported() -> found.Claims:
    """All claims on networks, in a world in which each is supported."""
    return {
        **found.fit_claims(worlds.fits(0.95)),
        **found.peak_claims(worlds.features(peak=0.4, few=0.6, most=0.2)),
        **found.room_claims(worlds.rooms(0.3, 0.8, 0.35)),
        **found.wide_claims(worlds.wide(0.2, 0.4)),
        **found.flat_claims(worlds.flat(8.0, 0.2)),
        **found.line_claims(worlds.lines(0.1, 0.01, 0.5)),
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
        **found.peak_claims(worlds.features(peak=0.1, few=0.3, most=0.3)),
        **found.room_claims(worlds.rooms(0.3, 0.35, 0.3)),
        **found.wide_claims(worlds.wide(0.4, 0.35)),
        **found.flat_claims(worlds.flat(1.1, 0.2)),
        **found.line_claims(worlds.lines(0.01, 0.01, 0.5)),
    })  # fmt: skip
    assert set(said.values()) == {"refuted"}, said


@pytest.mark.usefixtures("book_sizes")
def test_every_control_can_fail():
    said = verdicts({
        **found.fit_claims(worlds.fits(0.95, other=0.7, narrow=1.0)),  # leaks; any network fits
        **found.room_claims(worlds.rooms(0.3, 0.8, 0.7)),  # any noise does it
        **found.wide_claims(worlds.wide(0.2, 0.4, more=0.3)),  # samples make no difference
        **found.flat_claims(worlds.flat(8.0, 8.0)),  # the brightness is flat, however faint
        **found.line_claims(worlds.lines(0.1, 0.01, 0.001)),  # order makes no difference
    })  # fmt: skip
    assert set(said.values()) == {"inconclusive"}, said


@pytest.mark.usefixtures("book_sizes")
def test_a_peak_that_a_ridge_keeps_and_more_features_that_always_help():
    table = worlds.features(peak=0.4, few=0.9, most=0.3)
    ridge = (table["ridge"] > 0) & (table["count"] == 200)
    never = (table["arm"] == experiment.NEVER) & (table["count"] == worlds.MOST)
    other = table.assign(
        wrong=table["wrong"].where(~ridge, 0.4), captured=table["captured"].where(~never, 0.3)
    )
    assert set(verdicts(found.peak_claims(other)).values()) == {"inconclusive"}


@pytest.mark.usefixtures("book_sizes")
def test_who_can_not_fit_shuffled_labels_does_not_count():
    few = found.fit_claims(worlds.fits(0.95, right=0.9))
    assert isinstance(few["over-success"][0], Nobody)
    assert verdicts(few) == {"success": "inconclusive", "starts": "refuted"}


def test_who_did_not_reach_its_loss_does_not_count():
    table = worlds.flat(8.0, 0.2, lost=3)
    assert np.isnan(found.quotients(table, experiment.STRENGTH)).sum() == 3
    assert found.flat_claims(table)["over-flat"][0].n == 17


# Tables and numbers for the page


@pytest.mark.usefixtures("book_sizes")
def test_the_page_s_tables():
    table = found.peak(worlds.features(peak=0.4, few=0.6, most=0.2))
    assert table["panel"].nunique() == 3
    line = table[table["line"] == "flipped labels, with a ridge"]
    assert len(line) == 2 * len(worlds.COUNTS)
    drawn = found.captures(worlds.rooms(0.3, 0.8, 0.35), worlds.wide(0.2, 0.4))
    noise = drawn[drawn["panel"] == "energy of the noise"].set_index(["line", "x"])["value"]
    assert (
        noise["noise of a group", 0.0]
        == noise["noise of its own", 0.0]
        == pytest.approx(0.3, abs=0.01)
    )
    assert set(drawn[drawn["panel"] == "hidden units"]["x"]) == set(worlds.WIDTHS)
    lines = found.lines(worlds.lines(0.1, 0.01, 0.5)).set_index(["pair", "t"])["value"]
    assert lines["brightness to parity", 0.5] == pytest.approx(0.1, abs=0.01)


def test_the_closed_form_has_its_peak_where_features_are_as_many_as_samples():
    table = found.closed_form()
    top = table.loc[table["value"].idxmax(), "count"]
    assert abs(top - found.SAMPLES) < 15
    assert table["value"].iloc[-1] < table["value"].max() / 10


@pytest.mark.usefixtures("book_sizes")
def test_what_the_page_says_is_there_and_finite():
    page = (find_book(Path(__file__)).root / "book" / "17_overparametrisation.md").read_text()
    said = found.said(worlds.fits(0.95), worlds.features(peak=0.4, few=0.6, most=0.2))
    said |= found.said_of_room(worlds.rooms(0.3, 0.8, 0.35), worlds.wide(0.2, 0.4))
    said |= found.said_of_valleys(worlds.flat(8.0, 0.2), worlds.lines(0.1, 0.01, 0.5))
    named = {part.split(":")[0] for part in page.split("{glue:text}`")[1:]}
    assert named <= set(said), named - set(said)
    assert all(np.isfinite(list(said.values())))
    assert said["quotient_faint"] == pytest.approx(0.2, rel=0.05) and said["known_usual"] == 20
    assert said["captured_own_4_0"] == pytest.approx(0.8, abs=0.01)
    assert pd.Series(said).notna().all()
