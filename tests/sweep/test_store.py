"""What a sweep keeps."""

import json
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from falsestruct import files
from falsestruct.sweep.store import Store, StoreError, encode, table

KEY, OTHER = "a" * 64, "b" * 64
RESULT = {"rows": 1, "columns": {"x": ["float", [0.1]], "name": ["str", ["é"]]}}
VALUES = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(),
    "bool": st.booleans(),
    "str": st.one_of(st.text(), st.none()),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 4))
    names = draw(st.lists(st.text(), unique=True, max_size=4))
    columns = {}
    for name in names:
        dtype = draw(st.sampled_from(sorted(VALUES)))
        values = draw(st.lists(VALUES[dtype], min_size=rows, max_size=rows))
        columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns, index=range(rows))


def back(result):
    return table([({}, json.loads(encode(result)))])


@given(frames())
def test_a_table_reads_back_exactly(frame):
    found = back(frame)
    assert_frame_equal(found, frame, check_exact=True, check_column_type=False)
    for name in frame.select_dtypes("float64"):  # -0.0 equals 0.0, so look at the bits
        there = frame[name].notna()
        bits = [part.loc[there, name].to_numpy().tobytes() for part in (found, frame)]
        assert bits[0] == bits[1]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int64"), (True, "bool"), (0.1, "float64"), ("x", "str"), (np.int8(3), "int64"),
        (np.float32(0.1), "float64"), (np.bool_(False), "bool"), (np.str_("y"), "str"),
        (-np.inf, "float64"), (np.uint64(2**63 - 1), "int64"),
    ],
)  # fmt: skip
def test_a_mapping_is_one_row(value, dtype):
    found = back({"a": value})
    assert found["a"].dtype == dtype and found["a"].tolist() == [value] and len(found) == 1


def test_narrow_numbers_are_widened_exactly():
    frame = pd.DataFrame({"x": np.float32([0.1, np.nan]), "n": np.uint8([1, 255])})
    assert_frame_equal(back(frame), frame.astype({"x": "float64", "n": "int64"}), check_exact=True)


def test_a_mapping_without_columns_is_a_row_all_the_same():
    assert back({}).shape == (1, 0)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (3, "got int; expected a mapping"),
        (None, "got NoneType"),
        ({"a": None}, "column 'a' has dtype object"),
        ({"a": [1, 2]}, "column 'a' has dtype object"),
        ({"a": 2**64}, "column 'a'"),
        ({"a": np.uint64(2**63)}, "column 'a' has dtype uint64"),
        ({"a": np.longdouble(1)}, "dtype float128"),
        ({"a": 1j}, "dtype complex128"),
        ({"a": pd.Timestamp(0)}, "dtype datetime64"),
        ({3: 1}, r"columns are \[3\]"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"columns are \['a', 'a'\]"),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), "dtype Int64"),
        (pd.DataFrame({"a": pd.Categorical(["x"])}), "dtype category"),
        (pd.DataFrame({"a": [1, "x"]}), "dtype object"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([5], name="seed")), "reset_index"),
    ],
)
def test_what_is_not_plain_is_refused(result, message):
    with pytest.raises(TypeError, match=message):
        encode(result)


def test_scalars_lead_and_the_functions_own_columns_win():
    parts = [
        ({"seed": 1, "x": 9, "width": 5}, json.loads(encode({"x": 0.5}))),
        ({"seed": 2, "width": None}, json.loads(encode(pd.DataFrame({"x": [1, 2]})))),
    ]
    expected = {"seed": [1, 2, 2], "width": [5.0, np.nan, np.nan], "x": [0.5, 1.0, 2.0]}
    assert_frame_equal(table(parts), pd.DataFrame(expected), check_exact=True)


def test_what_one_part_lacks_is_missing_there():
    parts = [
        ({}, json.loads(encode({"a": 1, "t": "x", "b": True}))),
        ({}, {"rows": 1, "columns": {}}),
    ]
    found = table(parts)
    assert found["a"].dtype == "float64" and found["t"].dtype == "str" and found["b"][0] is True
    assert found.loc[1].isna().all()


def test_parts_without_rows_do_not_change_a_dtype():
    empty = json.loads(encode(pd.DataFrame({"a": pd.Series([], dtype="float64")})))
    assert table([({}, empty), ({}, json.loads(encode({"a": 3})))])["a"].dtype == "int64"
    assert table([({}, empty)])["a"].dtype == "float64"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def entry(store):
    store.write(KEY, {"function": "m:f", "arguments": {"n": 1}, "seconds": 0.25}, RESULT)
    return store.folder / f"{KEY}.json"


def test_an_entry_says_what_it_is(store, entry):
    assert store.has(KEY) and store.read(KEY) == RESULT
    said = json.loads(entry.read_text())
    assert len(said.pop("checksum")) == 64
    assert said == {
        "key": KEY, "function": "m:f", "arguments": {"n": 1}, "seconds": 0.25, "result": RESULT,
    }  # fmt: skip


def test_no_entry_is_nothing_to_warn_of(store):
    with warnings.catch_warnings(action="error"):
        assert store.read(OTHER) is None and not store.has(OTHER)


def test_every_flipped_bit_is_noticed(store, entry):
    raw = entry.read_bytes()
    for position in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[position] ^= 1 << bit
            entry.write_bytes(changed)
            with pytest.warns(UserWarning, match="damaged"):
                assert store.read(KEY) is None, (position, bit)


def test_every_cut_and_every_addition_is_noticed(store, entry):
    raw = entry.read_bytes()
    for damaged in [*(raw[:end] for end in range(len(raw))), raw + b" ", b" " + raw, b"{}"]:
        entry.write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{KEY}.json is damaged"):
            assert store.read(KEY) is None


def test_the_entry_of_another_key_is_noticed(store, entry):
    entry.rename(store.folder / f"{OTHER}.json")
    with pytest.warns(UserWarning, match=f"it is the entry of {KEY}"):
        assert store.read(OTHER) is None


def test_an_entry_that_cannot_be_read_is_noticed(store, entry):
    entry.unlink()
    entry.mkdir()
    with pytest.warns(UserWarning, match="Is a directory"):
        assert store.read(KEY) is None


def test_a_folder_that_cannot_be_one(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't keep results in .*file/below: Not a directory"):
        Store(tmp_path / "file" / "below")


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(StoreError, match="permission denied"):
        Store(tmp_path)


def test_half_an_entry_is_never_there(store, entry, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.write(KEY, {}, {"rows": 2, "columns": {}})
    assert store.read(KEY) == RESULT and list(store.folder.glob(".*")) == []
