"""Who decides about two files in one, and whether that has a name; with readers by hand."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import names
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import filetypes, made
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


def test_the_search_sees_no_sealed_file(monkeypatch):
    """Sealed files have a word that no other has; the pairs are of those alone."""
    own = [File(f.name, f.kind, f.half, f.data + b"\n# sealed" * (f.half == "sealed"))
           for f in files(6, 1300)]  # fmt: skip
    told = {}

    def searched(seen, pairs, ask, **options):
        told.update(seen=seen, pairs=pairs, said=ask([data for data, _ in seen]), **options)
        return pd.DataFrame({"right": [1.0]})

    monkeypatch.setattr(names, "listed", lambda kinds, manifest, folder: own)
    monkeypatch.setattr(names.searching, "searched", searched)
    monkeypatch.setattr(names.filetypes, "FileTypes", Heads)
    monkeypatch.setattr(names.runs, "asked_who", lambda: {"model": "stands in"})
    for reader in ("network", "words", "bag"):
        table = names.real_names(
            reader=reader, kinds=[], made_files=1, queries=9, seed=1, manifest="", folder=""
        )
        assert table["reader"].tolist() == [reader] and told["queries"] == 9
        assert told["seen"] and not any(b"# sealed" in data for data, _ in told["seen"])
        assert all(b"# sealed" in data for both in told["pairs"] for data, _ in both)
        if reader == "bag":  # it learned from the open files among these
            known = list(zip(told["seen"], told["said"], strict=True))
            known = known[: sum(f.half == "open" for f in own)]
            assert len(known) > 2 and all(
                said in filetypes.NAMES[kind] for (_, kind), said in known
            )


def test_files_are_those_of_the_list(tmp_path):
    data = {kind: worlds.sealed(1)[i].data for i, kind in enumerate(("XML", "JSON"))}
    rows = []
    for kind, content in data.items():
        digest = hashlib.sha256(content).hexdigest()
        (tmp_path / digest).write_bytes(content)
        rows.append({"type": kind, "half": "open", "sha256": digest})
    pd.DataFrame(rows).to_csv(tmp_path / "list.csv")
    found = names.listed(["JSON", "XML"], str(tmp_path / "list.csv"), str(tmp_path))
    assert [(file.kind, file.data) for file in found] == [
        ("JSON", data["JSON"]),
        ("XML", data["XML"]),
    ]
    (tmp_path / rows[0]["sha256"]).write_bytes(b"another")
    with pytest.raises(ValueError, match="expected"):
        names.listed(["XML"], str(tmp_path / "list.csv"), str(tmp_path))
