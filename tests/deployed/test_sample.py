"""The rule for real files: one a source, licensed, hashed, in two halves that share no source."""

import hashlib

import pytest

from falsestruct.deployed import sample
from falsestruct.deployed.sample import COLUMNS, Source, half, maker, manifest, read
from tests.deployed.files import FILES

BIG = b'{"a": "' + b"x" * 600 + b'"}'


def source(folder, name, files, licence="MIT", maker=None):
    own = folder / name
    own.mkdir()
    for path, data in files.items():
        (own / path).write_bytes(data)
    listed = tuple((path, own / path) for path in files)
    return Source(f"folder:{name}", "1.0", licence, listed, maker or name)


def text(start):
    """A JSON object of words that no other start gives."""
    return b'{"a": "' + b" ".join(b"w%d" % i for i in range(start, start + 80)) + b'"}'


def test_one_file_a_maker_and_kind_that_fits(tmp_path):
    big = text(0)
    table = manifest([
        source(tmp_path, "one", {"a.json": big, "b.json": text(100), "c.toml": FILES["TOML"] * 1}),
        source(tmp_path, "copy", {"z.json": big}),
        source(tmp_path, "broken", {"a.json": text(200)[:-1], "b.json": text(200) + b" "}),
        source(tmp_path, "small", {"a.json": b"[1]"}),
        source(tmp_path, "free", {"a.json": text(300)}, licence=""),
        source(tmp_path, "magika", {"a.json": text(400)}),
        source(tmp_path, "two", {"a.json": text(500)}, maker="one"),
    ])  # fmt: skip
    assert tuple(table) == COLUMNS
    json = table[table["type"] == "JSON"]
    assert json["maker"].is_unique and "one" in set(json["maker"])
    left_out = {"folder:small", "folder:free", "folder:magika"}
    assert json["source"].is_unique and not set(json["source"]) & left_out
    assert json["sha256"].is_unique and (json["size"] >= sample.SMALLEST).all()
    broken = json[json["source"] == "folder:broken"].iloc[0]
    assert broken["name"] == "b.json"
    assert read(broken) == text(200) + b" "
    order = [hashlib.sha256(name.encode()).hexdigest() for name in json["source"]]
    assert order == sorted(order)
    assert (json["half"] == json["maker"].map(half)).all()


def test_near_copies_are_left_out(tmp_path):
    own, near = text(0), text(30)  # 50 of 80 words in common
    far = text(50)
    table = manifest([source(tmp_path, name, {"a.json": data})
                      for name, data in {"a": own, "b": near, "c": far}.items()])  # fmt: skip
    found = {one: len(sample.runs(one) & sample.runs(own)) / len(sample.runs(one))
             for one in (near, far)}  # fmt: skip
    assert found[near] > sample.NEAR > found[far]
    kept = set(table["maker"])
    assert not {"a", "b"} <= kept and len(kept) == 2


def test_who_made_it():
    links = [
        "Homepage, https://x.org",
        "Source, https://www.GitHub.com/One/two",
        "https://gitlab.a/b",
    ]
    assert maker("pypi:Two_X", links) == "github.com/one"
    assert maker("pypi:Two_X", links[:1]) == maker("folder:two-x", []) == "two-x"
    assert maker("x", ["git+ssh://git@github.com/me/it.git"]) == "github.com/me"
    assert maker("x", ["https://github.com/sponsors/me"]) == "x"


def test_a_file_that_changed_is_not_read(tmp_path):
    row = manifest([source(tmp_path, "one", {"a.json": BIG})]).iloc[0]
    (tmp_path / "one" / "a.json").write_bytes(BIG + b" ")
    with pytest.raises(ValueError, match="make the manifest again"):
        read(row)
    (tmp_path / row["sha256"]).write_bytes(BIG)
    assert read(row, tmp_path) == BIG


def test_a_third_is_open_by_its_name_alone():
    names = [f"pypi:{i}" for i in range(900)]
    assert 0.28 < sum(half(name) == "open" for name in names) / 900 < 0.39
    assert {half(name) for name in names} == {"open", "sealed"}


def test_distributions_name_their_licence():
    found = {one.name: one for one in sample.distributions()}
    assert "BSD" in found["pypi:numpy"].licence and found["pypi:numpy"].version
    assert any(name.endswith(".py") for name, _ in found["pypi:numpy"].files)


def test_debian_s_packages_of_one_source_are_one_source(tmp_path):
    (tmp_path / "dpkg/info").mkdir(parents=True)
    (tmp_path / "dpkg/status").write_text(
        "Package: a\nVersion: 1\nArchitecture: all\n\n"
        "Package: a-dev\nSource: a (1)\nVersion: 1\nArchitecture: amd64\n"
    )
    (tmp_path / "dpkg/info/a.list").write_text("/usr\n/usr/x.json\n")
    (tmp_path / "dpkg/info/a-dev:amd64.list").write_text("/usr/y.h\n")
    (tmp_path / "usr/share/doc/a").mkdir(parents=True)
    (tmp_path / "usr/share/doc/a/copyright").write_text("Files: *\nLicense: MIT\n\nLicense: BSD\n")
    [found] = sample.packages(tmp_path / "dpkg", tmp_path)
    assert (found.name, found.licence) == ("debian:a", "MIT, BSD")
    assert [name for name, _ in found.files] == ["/usr/x.json", "/usr/y.h"]
    assert list(sample.packages(tmp_path / "nowhere")) == []


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [("LICENSE", "BSD 3-Clause\nmore", "BSD 3-Clause"), ("PKG-INFO", "License: MIT\n", "MIT"),
     ("pyproject.toml", 'license = "Apache-2.0"\n', "Apache-2.0"), ("README", "free", ""),
     ("COPYING", "====\nGNU GENERAL", "GNU GENERAL"),
     ("package.json", '{\n "license": "ISC"}', "ISC"),
     ("LICENSE.txt", "Me\nPermission is hereby granted, free of\ncharge", "MIT or alike")],
)  # fmt: skip
def test_folders_with_the_licence_that_they_name(tmp_path, name, text, licence):
    own = tmp_path / "pack-1.2"
    (own / "in").mkdir(parents=True)
    (own / name).write_text(text)
    (own / "in" / "a.json").write_bytes(BIG)
    [found] = sample.folders(tmp_path)
    assert (found.name, found.version, found.licence) == ("folder:pack", "1.2", licence)
    assert "in/a.json" in [path for path, _ in found.files]


def test_c_with_nothing_but_directives_says_nothing():
    assert not sample._has_code("C", b"#define A\n" * 40)
    assert sample._has_code("C", b"#define A\n" + b"int f(void);\n" * 10)
