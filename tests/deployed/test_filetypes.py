"""Magika's network asked directly, against the package's own answers."""

import hashlib
import importlib
import json
import re
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.deployed import filetypes, made
from falsestruct.deployed.filetypes import Answer, Config, called, outcome, window
from tests.deployed.files import FILES

CONFIG = Config(
    first=1024, last=1024, block=4096, least=8, padding=256, labels=("json", "randomtxt", "png"),
    thresholds={"png": 0.9}, usual=0.5, renamed={"randomtxt": "txt"},
    texts=frozenset({"json", "txt"}),
)  # fmt: skip
BLOCK = CONFIG.block
SIGN = st.integers(33, 126).map(lambda code: bytes([code]))  # no whitespace, for bytes.strip


@pytest.fixture(scope="module")
def network():
    if not filetypes.installed():
        pytest.skip("magika isn't installed")
    return filetypes.FileTypes()


@pytest.fixture(scope="module")
def package():
    return pytest.importorskip("magika")


def test_the_two_windows_and_what_fills_them():
    found = window(b" \n ab c \n", CONFIG)
    assert found[:4].tolist() == [*b"ab c"] and found[7:1024].tolist() == [256] * 1017
    assert found[4:7].tolist() == [*b" \n", 256]
    assert found[-4:].tolist() == [*b"ab c"] and found.dtype == np.int32 and found.shape == (2048,)
    long = bytes(range(33, 97)) * 200
    assert window(long, CONFIG).tolist() == [*long[:1024], *long[-1024:]]
    white = b"\n" * BLOCK + b"x" * BLOCK
    assert window(white, CONFIG)[:1024].tolist() == [256] * 1024  # and never reads on


@given(
    seed=st.integers(0, 2**32), ends=st.tuples(st.binary(max_size=30), st.binary(max_size=30)),
    one=st.binary(min_size=1, max_size=200), other=st.binary(max_size=200),
)  # fmt: skip
def test_no_byte_beyond_both_blocks_matters(seed, ends, one, other):
    """The theorem of chapter 21."""
    head, tail = (np.random.default_rng([seed, i]).bytes(BLOCK) for i in (0, 1))
    head, tail = (ends[0] + head)[:BLOCK], (tail + ends[1])[-BLOCK:]
    first, second = (window(head + middle + tail, CONFIG) for middle in (one, other))
    np.testing.assert_array_equal(first, second)


@given(place=st.integers(0, 2047), own=SIGN, new=SIGN)
def test_a_byte_inside_of_a_window_does(place, own, new):
    data = bytearray(own * 3 * BLOCK)
    data[place if place < 1024 else len(data) - 2048 + place] = new[0]
    changed = (window(bytes(data), CONFIG) != window(own * 3 * BLOCK, CONFIG)).nonzero()[0]
    assert changed.tolist() == ([place] if own != new else [])


def test_thresholds_and_names():
    decide = filetypes._decided
    assert decide(CONFIG, "json", 0.5) == Answer("json", "json", 0.5)
    assert decide(CONFIG, "json", 0.49).label == "txt"
    assert (
        decide(CONFIG, "png", 0.89).label == "unknown" and decide(CONFIG, "png", 0.9).label == "png"
    )
    assert decide(CONFIG, "randomtxt", 0.9).label == "txt"
    assert filetypes._few(b"", CONFIG).label == "empty"
    assert filetypes._few(b"a\xc3\xa4", CONFIG).label == "txt"
    assert filetypes._few(b" " * 99 + b"abc", CONFIG).label == "txt"
    assert filetypes._few(b"\xff" * 7, CONFIG).label == "unknown"
    assert filetypes._few(b"12345678", CONFIG) is None


def test_outcomes():
    assert called("C", "cpp") and not called("JSON", "jsonl")
    assert [outcome("XML", label) for label in ("xml", "txt", "unknown", "svg")] == [
        "kept", "declined", "declined", "another type",
    ]  # fmt: skip


def _inputs():
    """Files of all sizes around the package's corner cases, broken ones and binary ones."""
    rng = np.random.default_rng(5)
    found = [
        made.made(kind, 1, made.Plan(size))
        for kind in ("JSON", "XML", "INI")
        for size in (200, 3000)
    ]
    found += [*FILES.values(), b"", b"abc", b"  abcdefg", b" abcdefgh ", b"\xff" * 20]
    found += [
        b"\n" * 5000 + b"x = 1\n",
        FILES["Python"] + b"\n" * 5000,
        b" " * 4095 + b"12345678" * 900,
    ]
    found += [rng.bytes(n) for n in (9, 600, 9000)]
    found += [rng.integers(32, 127, 700).astype(np.uint8).tobytes(), b"word " * 1000]
    return found


def test_the_answers_are_the_package_s_own(network, package):
    files, own = _inputs(), package.Magika()
    found = network.answers(files)
    for data, one in zip(files, found, strict=True):
        said = own.identify_bytes(data)
        assert (one.label, one.raw) == (str(said.output.label), str(said.dl.label)), data[:40]
        assert one.score == pytest.approx(said.score, abs=1e-4)
    assert len({one.label for one in found}) > 8


def test_the_window_is_the_package_s_own(package):
    import io

    seekable = importlib.import_module("magika.types.seekable")
    config = filetypes._config(filetypes._folder())
    for data in _inputs():
        if len(data) < config.least:
            continue
        own = package.Magika._extract_features_from_seekable(
            seekable.Seekable(io.BytesIO(data)), config.first, 0, config.last, config.padding,
            config.block, False,
        )  # fmt: skip
        assert window(data, config).tolist() == [*own.beg, *own.end], data[:40]


def test_an_answer_does_not_depend_on_what_else_is_asked(network):
    files = list(FILES.values())
    np.testing.assert_array_equal(network.scores(files)[3:4], network.scores(files[3:4]))
    assert network.labels([]) == []


def test_who_is_asked(network):
    found = filetypes.identity()
    assert (found["version"], found["sha256"]) == (filetypes.VERSION, filetypes.HASH)
    assert set(sum(filetypes.NAMES.values(), ())) <= set(network.config.labels)


def test_without_the_package_one_line_says_what_to_do(monkeypatch):
    filetypes._folder.cache_clear()
    monkeypatch.setattr(filetypes.importlib.util, "find_spec", lambda name: None)
    assert not filetypes.installed()
    with pytest.raises(ImportError, match=re.escape("pip install 'falsestruct[deployed]'")):
        filetypes.identity()
    filetypes._folder.cache_clear()


@pytest.fixture
def another(monkeypatch, tmp_path):
    """A package that has this network and says this in its configuration."""

    def made(network=b"other", **config):
        folder = tmp_path / "models" / "standard_v9"
        for path in (folder, tmp_path / "config"):
            path.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(network)
        (tmp_path / "config" / "content_types_kb.min.json").write_text("{}")
        usual = {"mid_size": 0, "use_inputs_at_offsets": False, "beg_size": 9, "end_size": 9,
                 "block_size": 9, "min_file_size_for_dl": 1, "padding_token": 256,
                 "target_labels_space": [], "thresholds": {}, "medium_confidence_threshold": 0.5,
                 "overwrite_map": {}}  # fmt: skip
        (folder / "config.min.json").write_text(json.dumps(usual | config))
        spec = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
        monkeypatch.setattr(filetypes.importlib.util, "find_spec", lambda name: spec)
        monkeypatch.setattr(filetypes.importlib.metadata, "version", lambda name: "9.0")
        return folder

    filetypes._folder.cache_clear()
    yield made
    filetypes._folder.cache_clear()


def test_another_version_is_not_asked(another, monkeypatch):
    folder = another()
    assert not filetypes.installed()
    assert filetypes.absent() == "magika 9.0 has another network than 1.0.3"
    monkeypatch.setattr(filetypes, "HASH", hashlib.sha256(b"other").hexdigest())
    assert filetypes.installed() and filetypes.absent() == ""
    another(mid_size=512)
    assert "isn't version 1.0.3: standard_v9 reads more than two windows" in filetypes.absent()
    (folder / "config.min.json").write_text("{}")
    assert filetypes.absent().startswith("magika isn't version 1.0.3")
    (folder / "model.onnx").unlink()
    filetypes._folder.cache_clear()
    assert "has 0 models" in filetypes.absent() and "\n" not in filetypes.absent()


def test_what_is_missing_is_named(monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(filetypes.importlib.util, "find_spec",
                        lambda name: None if name == "onnxruntime" else there("json"))  # fmt: skip
    assert filetypes.absent() == "onnxruntime isn't installed"
