"""`falsestruct audit` and `falsestruct search` on a reader's own data, from a terminal."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

READERS = """
import numpy as np

print("loading")


def warm(images):
    print("asked")
    return ["cow" if np.asarray(i)[..., 0].mean() > 128 else "yak" for i in images]


def place(images):
    return ["cow" if np.asarray(i)[..., 2].mean() > 128 else "yak" for i in images]


def by_ward(table):
    return np.where(table.ward == "a", "y", "n")


def loud(texts):
    return ["!" in text for text in texts]


def odd(images):
    return [-1 if np.asarray(i)[..., 0].mean() > 128 else 1 for i in images]


def set_place(images, structure, value, rng):
    from PIL import Image
    for image in images:
        blue = 250 if value == "cow" else 5
        image.paste(Image.merge("RGB", [*image.split()[:2], Image.new("L", image.size, blue)]))
    return images
"""


@pytest.fixture
def reader(desk, invoke, monkeypatch):
    desk.file("own.py").write_text(READERS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own", raising=False)
    rng = np.random.default_rng(0)
    for i in range(60):
        cow, field = i % 2, (i % 2) if i % 3 else 1 - i % 2
        pixels = rng.integers(0, 90, (4, 4, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(150 * cow)
        pixels[..., 2] += np.uint8(150 * field)
        path = desk.file(f"animals/{'cow' if cow else 'yak'}/{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    ill = np.array(["y", "n"])[np.arange(80) % 2]
    pd.DataFrame({"age": rng.integers(20, 80, 80), "ward": np.where(ill == "y", "a", "b"),
                  "nr": range(80), "ill": ill}).to_csv(desk.file("table.csv"))  # fmt: skip
    return lambda *words: invoke(desk, *words)


def test_a_folder_of_images(reader, desk):
    words = ("audit", "own:warm", "--data", "animals", "--false", "own:place", "--points", "2")
    code, out, err = reader(*words, "--json", "--html", "page.html")
    found = json.loads(out)
    assert code == 0 and found["verdict"] == "label", err
    assert found["captures"][0]["share"] == 1 and found["captures"][0]["n"] == 20
    assert "loading" in err and "page: page.html" in err
    page = desk.file("page.html").read_text()
    assert page.count("data:image/png;base64,") == 8
    code, out, _ = reader(*words, "--original", "own:place", "--false", "label")
    assert code == 0 and out.startswith("verdict: label\n")


def test_an_intervention_from_a_module(reader, desk):
    for path in [p for p in desk.file("animals").rglob("*.png") if int(p.stem) % 3 == 0]:
        path.unlink()
    code, out, err = reader("audit", "own:place", "--data", "animals", "--false", "own:place",
                            "--intervene", "own:set_place", "--points", "0")  # fmt: skip
    assert code == 0 and out.startswith("verdict: place\n"), err
    assert "where your intervention on place makes them disagree" in out


def test_a_table_and_a_column_beside(reader):
    words = ("audit", "own:by_ward", "--data", "table.csv", "--target", "ill", "--points", "0")
    code, out, err = reader(*words, "--false", "ward", "--beside", "nr")
    assert code == 0 and out.startswith("verdict: ward\n"), err
    assert "where exchange of ward makes them disagree" in out and "'a' for 'y'" in out
    code, out, err = reader(*words, "--false", "ward", "--intervene", "randomise", "--groups", "nr")
    assert code == 0 and "where randomise of ward makes" in out


def test_the_column_of_groups_is_not_handed_over(reader, desk):
    desk.file("own.py").write_text(
        READERS
        + """

def narrow(table):
    assert list(table) == ["age", "ward"], list(table)
    return by_ward(table)
"""
    )
    words = ("--data", "table.csv", "--target", "ill", "--beside", "Unnamed: 0", "--groups", "nr")
    code, out, err = reader("audit", "own:narrow", *words, "--false", "ward", "--points", "0")
    assert code == 0 and out.startswith("verdict: ward\n") and "80 groups" in out, err


def test_a_column_may_have_a_colon_in_its_name(reader, desk):
    table = pd.read_csv(desk.file("table.csv")).rename(columns={"ill": "who:ill"})
    table.assign(**{"own:ward": table.ward}).to_csv(desk.file("t.csv"), index=False)
    words = ("audit", "own:by_ward", "--data", "t.csv", "--target", "who:ill", "--points", "0")
    code, out, err = reader(*words, "--false", "own:ward")
    assert code == 0 and "where exchange of own:ward makes them disagree" in out, err
    code, out, err = reader(*words[:4], "--original", "who:ill", "--false", "ward")
    assert code == 0 and out.startswith("verdict: ward\n"), err


def test_classes_may_be_negative_numbers(reader):
    words = ("--data", "animals", "--original", "own:odd", "--false", "own:odd")
    code, _, err = reader("audit", "own:odd", *words, "--classes", "-1,1")
    assert code == 0, err


def test_other_errors_than_the_audits_are_not_made_one_line(reader, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a fault of our own")

    monkeypatch.setattr("falsestruct.characterise.suspicion.audit", broken)
    with pytest.raises(ValueError, match="a fault of our own"):
        reader("audit", "own:warm", "--data", "animals", "--false", "own:place")


def test_an_error_of_many_lines_becomes_one(reader, monkeypatch):
    from falsestruct.characterise.audit import AuditError

    def broken(*_, **__):
        raise AuditError("one\n  two")

    monkeypatch.setattr("falsestruct.characterise.suspicion.audit", broken)
    code, _, err = reader("audit", "own:warm", "--data", "animals", "--false", "own:place")
    assert code == 2 and err.strip().endswith("falsestruct: one two")


PLACE = ("--data", "animals", "--false", "own:place")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--data", "animals"), "say what you suspect: --false COLUMN"),
        (("--data", "nowhere", "--false", "x"), "nowhere: no such file or folder"),
        (("--data", "animals", "--false", "snow"), "which is no column; expected one of"),
        (("--data", "animals", "--false", "own:snow"), "own has no function 'snow'"),
        (("--data", "animals", "--size", "big", "--false", "file"), "--size is big; expected ROWS"),
        (("--data", "table.csv", "--false", "ward"), "no labels: name the column with --target"),
        ((*PLACE, "--classes", "a,b"), "expected one of 'a', 'b'"),
        ((*PLACE, "--html", "own.py/page.html"), "own.py: File exists"),
    ],
)  # fmt: skip
def test_what_can_not_be_audited_is_one_line(reader, words, message):
    code, _, err = reader("audit", "own:warm", *words)
    last = err.strip().splitlines()[-1]
    assert code == 2 and last.startswith("falsestruct: ") and message in last


def test_an_onnx_file_that_is_not_there(reader):
    code, _, err = reader("audit", "m.onnx", "--data", "animals", "--false", "own:place")
    assert code == 2 and err.strip().endswith("m.onnx: no such file")


def test_a_search_prints_its_report(reader, desk, monkeypatch):
    """The command hands over what it read; the search has its own tests."""
    seen = {}

    def search(predict, x, y, **options):
        seen.update(options, y=list(y), kind=x.kind, labels=predict(x.take(np.arange(2)).held))
        return SimpleNamespace(
            to_json=lambda: '{"verdict": "red"}', to_text=lambda: "verdict: red",
            to_html=lambda: "<p>It reads red.",
        )  # fmt: skip

    import falsestruct.characterise as package

    monkeypatch.setattr(package, "blind", SimpleNamespace(search=search), raising=False)
    monkeypatch.setitem(sys.modules, "falsestruct.characterise.blind", package.blind)
    words = ("search", "own:warm", "--data", "animals", "--groups", "file", "--queries", "1234")
    code, out, err = reader(*words, "--html", "page.html", "--batch", "17")
    assert seen["batch"] == 17
    assert code == 0 and out == "verdict: red\n", err
    assert seen["y"] == ["cow"] * 30 + ["yak"] * 30 and seen["kind"] == "images"
    assert seen["labels"] == ["cow", "cow"] and seen["queries"] == 1234
    assert seen["classes"] == ("cow", "yak") and len(seen["groups"]) == 60
    assert desk.file("page.html").read_text() == "<p>It reads red."
    assert json.loads(reader(*words, "--json")[1]) == {"verdict": "red"}
