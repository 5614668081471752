"""Files that are whole at every moment; what an interruption leaves is in press/test_paths.py."""

import pytest

from falsestruct.files import write_atomically


def test_bytes_replace_a_file_and_leave_nothing_else(tmp_path):
    for raw in (b"old", b"\x00\xffnew"):
        write_atomically(tmp_path / "x", raw)
    assert (tmp_path / "x").read_bytes() == b"\x00\xffnew"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_the_system_says_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "absent" / "x", b"")
