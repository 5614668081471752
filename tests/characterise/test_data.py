"""Data on a disk: what is read, and what can't be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.data import read
from falsestruct.characterise.held import identical

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, pixels in enumerate(PIXELS):
        place = tmp_path / "animals" / ("yak" if i % 2 else "cow")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i}.png")
    (tmp_path / "animals" / "notes.txt").write_text("no image")
    return tmp_path / "animals"


def table(path: Path, columns: dict[str, object]) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_folder_of_folders(folder: Path) -> None:
    found = read(folder)
    assert found.x.kind == "images" and len(found.x) == 4
    np.testing.assert_array_equal(found.x.array(), PIXELS[[0, 2, 1, 3]])
    assert found.labels().tolist() == ["cow", "cow", "yak", "yak"]
    assert found.classes == ("cow", "yak") and found.target == "label"
    assert found.attributes["file"].tolist()[0] == "cow/0.png"
    taken = found.x.take(np.array([3, 0]))
    assert isinstance(taken.held[0], Image.Image)
    np.testing.assert_array_equal(taken.array(), PIXELS[[3, 0]])
    assert len(set(identical(found.x))) == 4


def test_images_are_read_when_they_are_asked_for(folder: Path) -> None:
    found = read(folder)
    (folder / "yak" / "3.png").unlink()
    assert len(found.x.take(np.array([0, 1, 2]))) == 3
    with pytest.raises(AuditError, match=r"yak/3\.png: .*No such file"):
        found.x.take(np.array([3]))


def test_grey_if_all_are_and_resized_if_wanted(folder: Path) -> None:
    assert read(folder, size=(3, 2)).x.array().shape == (4, 3, 2, 3)
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert read(folder).x.array().shape == (4, 5, 6)


def test_what_is_known_of_a_folder_beside(folder: Path, tmp_path: Path) -> None:
    known = {"name": ["yak/1.png", "cow/0.png", "cow/2.png"], "place": ["snow", "field", "snow"]}
    found = read(folder, labels=table(tmp_path / "known.csv", known))
    assert found.attributes["place"].tolist() == ["snow", "field", "snow"]
    assert found.labels().tolist() == ["yak", "cow", "cow"] and found.classes == ("cow", "yak")
    np.testing.assert_array_equal(found.x.array(), PIXELS[[1, 0, 2]])
    by_place = read(folder, labels=tmp_path / "known.csv", target="place")
    assert by_place.labels().tolist() == ["snow", "field", "snow"] and by_place.classes is None
    table(tmp_path / "known.csv", known | {"label": [1, 0, 1]})
    own = read(folder, labels=tmp_path / "known.csv")
    assert own.labels().tolist() == [1, 0, 1] and own.classes is None


def test_a_table(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", {"age": [1, 2], "ward": ["a", "b"], "ill": ["y", "n"]})
    found = read(path, target="ill", beside=["ward"])
    assert list(found.x.frame()) == ["age"] and found.labels().tolist() == ["y", "n"]
    assert list(found.attributes) == ["age", "ward", "ill"]
    assert found.column("ward").tolist() == ["a", "b"]
    texts = read(path, target="ill", text="ward")
    assert texts.x.texts() == ["a", "b"]
    with pytest.raises(AuditError, match="no labels: name the column with --target"):
        read(path).labels()


def test_arrays(tmp_path: Path) -> None:
    x = RNG.normal(size=(3, 2))
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 1], place=["u", "v", "u"], other=np.zeros((9, 9)))
    found = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.x.array(), x)
    assert found.labels().tolist() == [0, 1, 1] and list(found.attributes) == ["y", "place"]
    np.save(tmp_path / "a.npy", x)
    labels = table(tmp_path / "y.csv", {"label": [5, 6, 7]})
    assert read(tmp_path / "a.npy", labels=labels).labels().tolist() == [5, 6, 7]


def test_what_can_not_be_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "no.csv").write_text("")
    (tmp_path / "none.csv").write_text("a,b\n")
    (tmp_path / "bad.npy").write_text("x")
    np.savez(tmp_path / "b.npz", images=[1])
    np.save(tmp_path / "c.npy", np.zeros((3, 2)))
    gone = table(tmp_path / "gone.csv", {"file": ["ox.png"]})
    twice = table(tmp_path / "twice.csv", {"file": ["cow/0.png", "cow/0.png"]})
    cases = [
        ({"path": tmp_path / "nowhere"}, "nowhere: no such file or folder"),
        ({"path": tmp_path / "empty"}, "no images in it; expected .png"),
        ({"path": tmp_path / "a.txt"}, r"a\.txt: expected a folder of images, a \.csv"),
        ({"path": tmp_path / "no.csv"}, "can't read it as a table"),
        ({"path": tmp_path / "none.csv"}, "no rows in it"),
        ({"path": tmp_path / "bad.npy"}, "can't read it"),
        ({"path": tmp_path / "b.npz"}, "has images; expected an array x"),
        ({"path": tmp_path / "c.npy", "labels": gone}, "has 1 rows for 3 inputs"),
        ({"path": folder, "labels": gone}, "names ox.png, which is not in the folder"),
        ({"path": folder, "labels": twice}, "names cow/0.png twice"),
        ({"path": folder, "target": "sex"}, "no column 'sex'; expected one of file, label"),
        ({"path": gone, "beside": ["sex"]}, "no column 'sex'; expected one of file"),
    ]
    for options, message in cases:
        with pytest.raises(AuditError, match=message):
            read(**options)  # type: ignore[arg-type]
    (folder / "broken.png").write_text("no image")
    (folder / "cow" / "0.png").write_text("no image")
    with pytest.raises(AuditError, match="cannot identify image"):
        read(folder)
