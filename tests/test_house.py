"""The house stays a house: short functions, documented, and nothing written twice in a room."""

from benchmarks import house


def test_the_package():
    found = house.measure()
    sizes = sorted(found.functions.values())
    assert sizes[int(0.9 * len(sizes))] <= 25 and sizes[-1] <= 60
    assert sum(found.chapters.values()) <= 600 * len(found.chapters)
    assert len(found.undocumented) <= 0.05 * found.public, found.undocumented
    assert found.shared == []


def test_what_is_counted(tmp_path):
    """A long function, one without a docstring, and lines that two chapters share."""
    lines = "\n".join(f"    x{i} = {i}" for i in range(8))
    for name in ("one", "two"):
        room = tmp_path / "chapters" / name
        room.mkdir(parents=True)
        (room / "__init__.py").write_text("")
        (room / "measure.py").write_text(f"def {name}():\n{lines}\n")
    (tmp_path / "success.py").write_text('def f():\n    """Yes."""\n\n\ndef _g():\n    pass\n')
    found = house.measure(tmp_path)
    assert found.lines == 2 * 9 + 6 and found.chapters == {"one": 9, "two": 9}
    assert sorted(found.functions.values()) == [2, 2, 9, 9]
    assert found.public == 3 and len(found.undocumented) == 2
    assert found.shared == [("chapters/one/measure.py", "chapters/two/measure.py", 8)]
