"""Who decides about two files in one, and whether that has a name; with readers by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import names
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import filetypes, made, shares
from falsestruct.press.notebook.stated import judge
from tests.chapters.deployed.test_evidence import STATED
from tests.worlds import deployed as worlds


class Heads:
    """Stands in for the network: the head decides, and it is sure of nothing."""

    known = tuple(name for names in filetypes.NAMES.values() for name in names)
    config = filetypes.Config(1024, 1024, 4096, 8, 256, known, {}, 0.5, {}, frozenset())

    def scores(self, files):
        return np.full((len(files), len(self.config.labels)), 0.1)

    def labels(self, files):
        return worlds.surface(files)


def files(count, size, kinds=("JSON", "XML", "INI")):
    return [File(f"{f.kind} {f.name}", f.kind, f.half, f.data) for f in worlds.sealed(count, size)
            if f.kind in kinds]  # fmt: skip


def test_halves_and_what_may_foretell_them():
    table = names.halves(files(6, 1300), Heads(), seed=1)
    assert set(table["half"]) == {"open", "sealed"} and (table["first"] != table["second"]).all()
    assert table["heads"].dropna().eq(1).all() and table["heads"].notna().sum() >= 4
    assert table["surer alone"].eq(0).all() and table["bag of words"].notna().all()


def test_couples_fill_their_windows_and_are_of_types_with_open_files():
    short = [File("short", "JSON", "sealed", b"{}")]
    other = [File(f"toml {i}", "TOML", "sealed", made.made("TOML", i, made.Plan(1500)))
             for i in range(3)]  # fmt: skip
    free = [File("page", "HTML", "sealed", b"<p>" * 900)]
    own = files(6, 1300)
    pairs = names.couples([*own, *short, *other, *free], "sealed", seed=1)
    assert pairs == names.couples(own, "sealed", seed=1) and len(pairs) == 6
    used = [file.name for both in pairs for file in both]
    assert len(set(used)) == len(used)


def named(network, words, count=30):
    rows = [
        {"reader": reader, "heads": 1.0, "right": float(i < share * count)}
        for reader, share in (("network", network), ("words", words))
        for i in range(count)
    ]
    undecided = [{"reader": "network", "heads": math.nan, "right": 0.0}] * 9
    return pd.DataFrame([*rows, *undecided])


@pytest.mark.parametrize(
    ("network", "words", "verdict"),
    [(1, 1, "supported"), (0, 1, "refuted"), (0, 0, "inconclusive"), (1, 0.5, "inconclusive")],
)
def test_the_search_has_to_find_a_rule_that_is_there(network, words, verdict):
    [(id, pair)] = shares.searched_claim(named(network, words)).items()
    assert judge(STATED[id], *pair) == verdict
