"""TensorFlow's checkpoints, from files that the test writes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falsestruct.deployed.checkpoints import CheckpointError, checkpoints, read
from tests.deployed.checkpoints import write

RNG = np.random.default_rng(4)
VARIABLES = {
    "dense/kernel": RNG.normal(size=(3, 200)), "dense/kernel/Adam": RNG.normal(size=(3, 200)),
    "dense/bias": RNG.normal(size=200).astype(np.float32), "step": np.array(70_000, dtype=np.int64),
    "dense_1/kernel": RNG.normal(size=(2, 3, 4, 5)), "ids": np.arange(4, dtype=np.int32),
}  # fmt: skip


@pytest.mark.parametrize("blocks", [1, 3])
def test_what_was_written_is_read(tmp_path, blocks):
    write(tmp_path / "model.ckpt-3", VARIABLES, blocks=blocks)
    found = read(tmp_path / "model.ckpt-3")
    assert found.keys() == VARIABLES.keys()
    for name, values in VARIABLES.items():
        assert found[name].dtype == values.dtype and found[name].shape == values.shape
        np.testing.assert_array_equal(found[name], values)


def test_many_variables_take_several_restarts(tmp_path):
    many = {f"layer_{i:03d}/kernel": np.full(2, float(i)) for i in range(60)}
    write(tmp_path / "m", many)
    assert [float(own[0]) for own in read(tmp_path / "m").values()] == list(range(60))


def test_what_is_no_number_is_left_out(tmp_path):
    write(tmp_path / "m", {"a": np.ones(2), "flag": np.array([True])})
    assert list(read(tmp_path / "m")) == ["a"]


def test_the_last_of_each_folder(tmp_path):
    for name in ("one/ckpt/m.ckpt-9", "one/ckpt/m.ckpt-30", "two/m.ckpt-4"):
        write(tmp_path / name, {"a": np.ones(1)})
    found = [path.relative_to(tmp_path).as_posix() for path in checkpoints(tmp_path)]
    assert found == ["one/ckpt/m.ckpt-30", "two/m.ckpt-4"]


def test_broken_files_are_one_line(tmp_path):
    prefix = tmp_path / "m.ckpt-1"
    index, data = (tmp_path / f"m.ckpt-1.{end}" for end in ("index", "data-00000-of-00001"))
    with pytest.raises(CheckpointError, match="No such file"):
        read(prefix)
    write(prefix, {"a": np.ones(4)})
    whole, raw = index.read_bytes(), data.read_bytes()
    data.write_bytes(raw[:-1])
    with pytest.raises(CheckpointError, match=r"a has 31 bytes; expected shape \(4,\) of float64"):
        read(prefix)
    data.unlink()
    with pytest.raises(CheckpointError, match="No such file"):
        read(prefix)
    index.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="no index of a checkpoint"):
        read(prefix)
    index.write_bytes(b"short")
    with pytest.raises(CheckpointError, match="no index of a checkpoint"):
        read(prefix)
    compressed = whole.replace(b"\0sums", b"\1sums", 1)
    index.write_bytes(compressed)
    with pytest.raises(CheckpointError, match="compressed"):
        read(prefix)


@settings(max_examples=300, deadline=None, database=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(changes=st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=4))
def test_whatever_the_bytes_are_there_is_a_table_or_one_line(tmp_path, changes):
    prefix = tmp_path / "m"
    write(prefix, {"a": np.ones(4), "b/kernel": np.ones((2, 3), dtype=np.float32)})
    path = tmp_path / "m.index"
    raw = bytearray(path.read_bytes())
    for place, value in changes.items():
        raw[place % len(raw)] = value
    path.write_bytes(bytes(raw))
    try:
        found = read(prefix)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(own, np.ndarray) for own in found.values())


def test_a_data_file_that_the_checkpoint_doesn_t_have(tmp_path):
    """The index says that a variable is in the eighth file of one."""
    write(tmp_path / "m", {"a": np.ones(4)})
    path = tmp_path / "m.index"
    raw = path.read_bytes()
    size = b"\x28\x20"  # field 5, 32 bytes
    assert raw.count(size) == 1
    path.write_bytes(raw.replace(b"\x20\x00" + size, b"\x18\x07" + size))
    with pytest.raises(CheckpointError, match="m: a is in data file 7 of 1"):
        read(tmp_path / "m")
