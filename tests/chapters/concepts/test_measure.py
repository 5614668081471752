"""Chapter 19: small networks whose answer is known, and the verdicts in worlds made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct import success
from falsestruct.chapters.concepts import evidence as found
from falsestruct.chapters.concepts import measure as experiment
from falsestruct.characterise.rounded import examined
from falsestruct.learning import recurrent
from falsestruct.learning.ensembles import by_hand
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.words import Words
from tests.worlds import concepts as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if "concepts" in k}
SEEDS = [1, 2]


def verdicts(pairs) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Words


@pytest.fixture(autouse=True)
def _other_seeds(monkeypatch):
    monkeypatch.setattr(experiment, "FIRST", 1)


def test_a_network_that_holds_the_parity_is_found_out():
    table = examined(worlds.flip_flop(2), Words(8), [8, 400], experiment.CENTRES)
    assert len(table) == 2 and (table == 1).all(axis=None)


def test_one_that_reads_a_hint_is_at_chance_without():
    table = examined(worlds.hint_reader(1), Words(8), [8, 50], [4])
    assert table["known"][0] == 0.5 and not table["rounded 4"][0]


def test_longer_words_are_tested(monkeypatch):
    monkeypatch.setattr(experiment, "LONGEST", 3)
    table = experiment.longer([3, 20], [0.0, 0.1], seeds=2, steps=30)
    assert table["noise"].tolist() == [0, 0, 0.1, 0.1] and table["seed"].tolist() == [1, 2, 1, 2]
    assert table[["known", "at 3", "at 20"]].stack().between(0, 1).all()
    assert found.lengths(table) == [3, 20]


def test_a_loud_hint_is_taken_and_none_is_not(monkeypatch):
    monkeypatch.setattr(experiment, "LONGEST", 3)
    table = experiment.hints([0.0, 1.0], seeds=2, steps=600)
    loud = table[table["hint"] == 1]
    assert len(table) == 16 and (loud["accuracy"] == 1).all() and loud["capture"].mean() > 0.6
    assert (loud["step"] < 600).all()
