"""Where things live, and writing that never leaves half a file."""

import os
from pathlib import Path

import pytest

from falsestruct.press import paths
from falsestruct.press.paths import UserError, find_book, read_json, write_atomically


def test_the_book_is_found_from_a_folder_below(desk, monkeypatch):
    monkeypatch.delenv("FALSESTRUCT_ROOT", raising=False)
    assert find_book(desk.root / "falsestruct" / "press").root == desk.root


def test_no_book_is_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("FALSESTRUCT_ROOT", raising=False)
    with pytest.raises(UserError, match="no book in"):
        find_book(tmp_path)
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(tmp_path))
    with pytest.raises(UserError, match="FALSESTRUCT_ROOT"):
        find_book()


def test_a_file_is_written_with_its_folders(tmp_path):
    write_atomically(tmp_path / "a" / "b.txt", "text")
    assert (tmp_path / "a" / "b.txt").read_text() == "text"
    assert (tmp_path / "a" / "b.txt").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(UserError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        write_atomically(path, "new")
    if isinstance(error, OSError):
        assert str(path) in str(caught.value) and "No space left" in str(caught.value)
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file.txt"]


def test_the_old_content_is_there_until_the_new_is_whole(tmp_path, monkeypatch):
    path, seen, real = tmp_path / "file.txt", [], os.replace
    path.write_text("old")

    def look(new: str, old: Path) -> None:
        seen.append((Path(new).read_text(), path.read_text(), Path(new).suffix))
        real(new, old)

    monkeypatch.setattr(os, "replace", look)
    write_atomically(path, "new")
    assert seen == [("new", "old", paths.PART)]


def test_a_path_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"can't write to .*file/below"):
        write_atomically(tmp_path / "file" / "below" / "x", "")


def test_a_folder_cannot_be_overwritten_by_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="can't write"):
        write_atomically(tmp_path / "folder", "x")


def test_no_json_is_one_line(tmp_path):
    (tmp_path / "x.json").write_text("<<<<<<< ours")
    with pytest.raises(UserError, match=r"x\.json is no JSON"):
        read_json(tmp_path / "x.json")
