"""What a chapter is, when it is fresh, and how its results are published."""

import json
import re
from dataclasses import asdict

import nbformat
import pytest

from falsestruct.press import paths
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import UserError
from falsestruct.press.run import chapters
from falsestruct.press.run.chapters import (
    Job,
    Result,
    check_parameters,
    read_chapter,
    read_chapters,
)
from falsestruct.statistics import exact

KNOWN = {"seeds": 3, "rate": 0.1, "deep": True, "name": "a", "widths": [1, 2], "deltas": (0.1,)}
KNOWN["steps"] = {"a": 5, "b": 0.5}


def test_a_chapter_as_written(desk):
    found = read_chapters(desk.book)
    assert list(found) == ["01_one", "02_two", "03_last"]
    one = found["01_one"]
    assert one.parameters == {
        "seeds": 3, "scale": 1.5, "widths": [1, 2], "name": "one", "profile": "book",
    }  # fmt: skip
    assert one.profiles == {"quick": {"seeds": 4}} and one.data == ("book/numbers.txt",)
    assert one.code_cells == 4


@pytest.mark.parametrize("text", ["# A page\n", "---\nmyst: {}\n---\n\nkernelspec: no\n"])
def test_what_has_no_kernel_is_a_page(desk, text):
    desk.file("book/30_page.md").write_text(text)
    assert "30_page" not in read_chapters(desk.book)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":tags: [parameters]\n", "", "must be tagged `parameters`"),
        ("seeds = 3", "seeds = len([])", "`seeds = len([])` is no plain literal"),
        ("seeds = 3", "seeds: int = 3", "is not `name = literal`"),
        ("seeds = 3", "seeds = n = 3", "is not `name = literal`"),
        ("seeds = 3", "print(3)", "is not `name = literal`"),
        ("seeds = 3", "seeds = (", "parameters cell: line"),
        ("    quick:\n", "    tiny:\n", "no profile 'tiny'; one of quick, book, paper"),
        ("      seeds: 4\n", "      seed: 4\n", "has no parameter 'seed'"),
        ("      seeds: 4\n", "      seeds: many\n", "parameter seeds: 'many'"),
    ],
)
def test_what_is_wrong_with_a_chapter_is_one_line(desk, old, new, message):
    desk.edit("book/01_one.md", old, new)
    with pytest.raises(UserError) as caught:
        read_chapters(desk.book)
    assert message in str(caught.value) and "01_one" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("seeds", "5", 5), ("seeds", "-5", -5), ("seeds", 5, 5),
        ("rate", "5", 5.0), ("rate", "1e-3", 0.001), ("rate", 1, 1.0),
        ("deep", "False", False), ("name", "5", "5"), ("name", "a=b", "a=b"),
        ("widths", "[3, 4, 5]", [3, 4, 5]), ("widths", "(3,)", [3]), ("widths", "[]", []),
        ("deltas", "[1, 0.5]", (1.0, 0.5)), ("deltas", [1], (1.0,)),
        ("steps", "{'a': 5, 'b': 1}", {"a": 5, "b": 1.0}),
    ],
)  # fmt: skip
def test_parameters_get_the_chapters_types(name, given, value):
    checked = check_parameters("x", KNOWN, {name: given})
    assert checked == {name: value} and type(checked[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("seeds", "abc"), ("seeds", "3.5"), ("seeds", "3.0"), ("seeds", "True"), ("seeds", ""),
        ("seeds", "[3]"), ("seeds", "{[]: 1}"), ("seeds", "__import__('os')"), ("seeds", None),
        ("rate", "fast"), ("rate", "1e999"), ("rate", "True"), ("deep", "1"), ("deep", "yes"),
        ("widths", "3"), ("widths", "[1, 'a']"), ("widths", "[1, 2.5]"), ("deltas", "['a']"),
        ("name", 5), ("steps", "5"), ("steps", "{'a': 5}"), ("steps", {"a": 0.5, "b": 1.0}),
    ],
)  # fmt: skip
def test_ill_typed_parameters_are_refused(name, given):
    with pytest.raises(UserError, match=f"^x, parameter {name}(, a)?: .*") as caught:
        check_parameters("x", KNOWN, {name: given})
    words = {"seeds": "int", "rate": "float|finite", "deep": "bool", "name": "str"}
    words |= {"widths": "list|int", "deltas": "float", "steps": "dict|int"}
    assert re.search(words[name], str(caught.value).partition(":")[2])
    assert "\n" not in str(caught.value)


def test_unknown_parameters_are_refused():
    with pytest.raises(UserError, match="x has no parameter 'seed'; it has seeds, rate"):
        check_parameters("x", KNOWN, {"seed": 1})


# ---- fresh or not ----


def states(desk):
    found = read_chapters(desk.book).values()
    return {chapter.name: chapters.state(desk.book, chapter).state for chapter in found}


def test_never_run(desk):
    assert set(states(desk).values()) == {"never run"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        lambda desk: desk.file("notebooks/01_one.ipynb").write_text("{"),
        lambda desk: desk.file("book/evidence.json").unlink(),
        lambda desk: desk.file("book/figures/one-line.svg").unlink(),
        lambda desk: desk.file("book/figures/one-line.csv").unlink(),
        lambda desk: desk.file("book/figures/one-line.json").unlink(),
        lambda desk: desk.edit(
            "book/figures/one-line.json", '"about": {', '"about": {}, "drawn": {'
        ),
    ],
)
def test_a_damaged_result_is_stale(finished, damage):
    assert states(finished)["01_one"] == "fresh"
    damage(finished)
    assert states(finished)["01_one"] == "stale"
    assert states(finished)["02_two"] == "fresh"


@pytest.mark.parametrize("kept", [None, "sweeps"])
def test_what_a_kernel_is_told_about_sweeps(desk, monkeypatch, kept):
    """Where to say how far it is; where to keep points only if the run keeps them."""
    monkeypatch.setattr(
        chapters.os,
        "environ",
        {"FALSESTRUCT_SWEEPS": "/of/the/reader", "MALLOC_MMAP_THRESHOLD_": "7"},
    )
    sweeps = kept and desk.root / kept
    folder = desk.root / "staged"
    chapters._set_environment(Job(desk.root, "x", {}, {}, "", folder, 2, sweeps))
    told = chapters.os.environ
    assert told["FALSESTRUCT_PROGRESS"] == str(folder / "points.json")
    assert told.get("FALSESTRUCT_SWEEPS") == (kept and str(sweeps))
    assert told["OMP_NUM_THREADS"] == "2"
    assert told["MALLOC_TRIM_THRESHOLD_"] == str(2**30)
    assert told["MALLOC_MMAP_THRESHOLD_"] == "7"  # the reader's own stays


# ---- publishing, without kernels ----


def staged(desk, value, figure="one-line"):
    """A finished run of 01_one, as `execute` leaves it."""
    chapter = read_chapter(desk.file("book/01_one.md"))
    key = chapters.freshness_key(desk.book, chapter)
    folder = desk.root / "_build" / "staged"
    drawing = chapters.drawing_key(desk.book, chapter)
    job = Job(desk.root, "01_one", {}, {}, key, folder, 1, drawing=drawing)
    for kind in ("svg", "pdf", "png", "csv"):
        paths.write_atomically(folder / "figures" / f"{figure}.{kind}", f"{value}")
    drawn = Published(figure, "01_one", "m:f", {}, "", "", {"value": value, "key": key})
    paths.write_atomically(folder / "figures" / f"{figure}.json", json.dumps(asdict(drawn)))
    record = {"id": "one-holds", "chapter": "01_one", "commit": "unknown", "key": key}
    record |= asdict(exact(value)) | {"control": asdict(exact(0))}
    paths.write_atomically(folder / "claims" / "one-holds.json", json.dumps(record))
    chapter.notebook.metadata["value"] = value
    nbformat.write(chapter.notebook, folder / chapters.AFTER)
    chapters._tidy(folder / chapters.AFTER, job, 1.0)
    return Result(job, 1.0)


def published_values(desk):
    """What notebook, evidence and each file of the figure came from."""
    figure = desk.file("book/figures")
    texts = [(figure / f"one-line.{kind}").read_text() for kind in ("svg", "pdf", "png", "csv")]
    record = json.loads((figure / "one-line.json").read_text())
    notebook = desk.notebook("01_one")["metadata"]["value"]
    evidence = desk.evidence()["one-holds"]["value"]
    return {notebook, evidence, record["about"]["value"], *map(int, texts)}


def test_publishing_makes_a_chapter_fresh(desk):
    assert chapters.publish(staged(desk, 4), desk.book.published)
    assert states(desk)["01_one"] == "fresh" and published_values(desk) == {4}
    entry = desk.evidence()["one-holds"]
    assert (entry["verdict"], entry["seconds"]) == ("supported", 1.0)


@pytest.mark.parametrize("edit", [("x label", "y label"), ("import mat", "import re\nimport mat")])
def test_what_only_draws_makes_a_chapter_to_be_drawn_again(desk, edit):
    chapters.publish(staged(desk, 4), desk.book.published)
    desk.edit("falsestruct/chapters/one/figures.py", *edit)
    assert states(desk)["01_one"] == "to be drawn again"
    desk.edit("falsestruct/problems/one.py", "1.0", "2.0")
    assert states(desk)["01_one"] == "stale"  # which wins: its run draws


def test_publishing_drops_figures_that_are_no_longer_made(desk):
    chapters.publish(staged(desk, 1, "old-line"), desk.book.published)
    other = desk.file("book/figures/other.json")
    other.write_text('{"chapter": "02_two"}')
    (desk.root / "_build/staged/figures").rename(desk.root / "_build/gone")
    chapters.publish(staged(desk, 2), desk.book.published)
    names = {path.name for path in desk.file("book/figures").iterdir()}
    assert names == {f"one-line.{k}" for k in ("svg", "pdf", "png", "csv", "json")} | {"other.json"}


class Killed(BaseException):
    """No handler may catch it."""


@pytest.mark.parametrize("steps", range(8))
def test_killed_between_any_two_steps_the_chapter_is_stale(desk, monkeypatch, steps):
    """Before the edit as after it: no moment passes off a mixture as whole."""
    chapters.publish(staged(desk, 1), desk.book.published)
    original = desk.file("falsestruct/problems/one.py").read_text()
    desk.edit("falsestruct/problems/one.py", "1.0", "2.0")
    result, written, real = staged(desk, 2), [], paths.write_atomically

    def write(path, data):
        if len(written) == steps:
            raise Killed
        written.append(path)
        real(path, data)

    for module in (chapters, chapters.claims):
        monkeypatch.setattr(module, "write_atomically", write)
    if steps < 7:  # five files of the figure, the evidence, the notebook
        with pytest.raises(Killed):
            chapters.publish(result, desk.book.published)
        assert states(desk)["01_one"] == "stale"
        desk.file("falsestruct/problems/one.py").write_text(original)
        assert states(desk)["01_one"] == ("fresh" if published_values(desk) == {1} else "stale")
        desk.edit("falsestruct/problems/one.py", "1.0", "2.0")
        monkeypatch.undo()
    chapters.publish(result, desk.book.published)
    assert states(desk)["01_one"] == "fresh" and published_values(desk) == {2}
    assert not list(desk.root.rglob(".*.part"))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("falsestruct/problems/one.py", "1.0", "2.0"), ("book/01_one.md", "seeds = 3", "seeds = (")],
)
def test_what_changed_while_it_ran_is_published_as_stale(desk, name, old, new):
    result = staged(desk, 1)
    desk.edit(name, old, new)
    assert not chapters.publish(result, desk.book.published)
    desk.edit(name, new, old)  # even then: which version the kernel had loaded, nobody knows
    assert states(desk)["01_one"] == "stale" and desk.evidence()["one-holds"]["key"] == ""
