"""What the recorded runs of real files are about."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from falsestruct.chapters.deployed import runs
from falsestruct.deployed import made, sample, verdicts
from falsestruct.deployed.sample import Source
from falsestruct.press.notebook.stated import read_claims
from falsestruct.press.paths import Book
from falsestruct.press.run import records
from tests.worlds import deployed as worlds

BOOK = Book(Path(__file__).parents[3])


@pytest.fixture(scope="module")
def listed():
    return pd.read_csv(BOOK.records / "deployed-manifest.csv")


def test_the_list_of_files_is_what_the_rule_says(listed):
    assert (listed["half"] == listed["maker"].map(sample.half)).all()
    assert not listed.duplicated(["type", "maker"]).any() and listed["sha256"].is_unique
    assert listed["size"].between(sample.SMALLEST, sample.LARGEST).all()
    assert listed["licence"].notna().all() and not listed["name"].str.contains("/tmp|/work").any()
    assert not listed["source"].str.contains("magika|falsestruct").any()


def test_claims_name_as_many_sealed_files_as_are_listed(listed):
    sealed = Counter(listed.loc[listed["half"] == "sealed", "type"])
    claims = read_claims(BOOK)
    for kind, count in sealed.items():
        assert claims[f"{kind.lower()}-files-meaning"].networks == count


def test_the_record_is_about_the_files_that_are_listed(listed):
    table = records.load("deployed-court", book=BOOK).table
    own = table.merge(listed, left_on="file", right_on="sha256", suffixes=("", " listed"))
    assert len(own) == len(table) == len(listed)
    for name in ("half", "maker", "source", "size"):
        assert own[name].equals(own[f"{name} listed"]), name
    assert table["magic"].str.startswith("file-").all() and table["hash"].nunique() == 1


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Twelve makers of an INI and an XML file each."""
    found = []
    for i in range(12):
        (tmp_path / f"{i}.ini").write_bytes(made.made("INI", i, made.Plan(900)))
        (tmp_path / f"{i}.xml").write_bytes(made.made("XML", i, made.Plan(900)))
        files = tuple((f"{i}{end}", tmp_path / f"{i}{end}") for end in (".ini", ".xml"))
        found.append(Source(f"folder:{i}", "1", "MIT", files, str(i)))
    monkeypatch.setattr(runs, "_sources", lambda folder: found)
    monkeypatch.setattr(runs, "MOST", {"open": 2, "sealed": 3})
    monkeypatch.setattr(runs, "KINDS", ("INI", "XML"))
    monkeypatch.setattr(runs.sample, "NEAR", 1.0)  # the grammars' files are alike


def test_at_most_so_many_files_of_a_half(sources):
    table, own = runs.files("INI", None)
    assert Counter(table["half"]) == {"open": 2, "sealed": 3}
    assert [file.name for file in own] == table["sha256"].tolist()
    assert "path" not in runs.manifest(None) and set(runs.manifest(None)["type"]) == {"INI", "XML"}


def test_all_readers_are_asked_and_where_files_are_from_is_kept(sources, monkeypatch):
    class ByHand:
        version = "file-0"

        def labels(self, files):
            return worlds.parser(files)

    for module, name in ((runs.filetypes, "FileTypes"), (runs.readers, "LibMagic")):
        monkeypatch.setattr(module, name, ByHand)
    monkeypatch.setattr(runs, "asked_who", lambda: {"model": "by hand", "hash": "0"})
    stored = runs.real_court(kind="XML")
    assert len(stored) == 5 and set(stored["licence"]) == {"MIT"} and "path" not in stored
    table = verdicts.long(stored)
    assert table[["words", "libmagic"]].notna().all(axis=None)
    assert table.loc[table["arm"] == "plain", "words"].eq(1).all()
    flips = runs.real_flips(kind="XML")
    assert len(flips) == 3 and flips["half"].eq("sealed").all() and flips["found"].isna().all()


def test_a_folder_that_is_not_there():
    with pytest.raises(ValueError, match="unpack source packages there"):
        runs._sources("no such folder")
