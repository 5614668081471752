"""Fonts of a fixed list, found where packages were unpacked."""

import hashlib
import shutil
from pathlib import Path

import matplotlib
import pytest

from falsestruct.deployed import fonts
from falsestruct.deployed.fonts import LISTED, Font

OWN = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@pytest.fixture
def folder(tmp_path):
    """One package, unpacked, with two families."""
    root = tmp_path / "fonts-own_1%3a2.0-1_all" / "usr/share"
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf"):
        (root / "fonts").mkdir(parents=True, exist_ok=True)
        shutil.copy(OWN / name, root / "fonts" / name)
    (root / "doc/fonts-own").mkdir(parents=True)
    (root / "doc/fonts-own/copyright").write_text("Files: *\nLicense: OFL-1.1\n\nLicense: GPL-2+\n")
    return tmp_path


def test_listed_fonts_come_with_where_they_come_from(folder, monkeypatch):
    own = (("DejaVu Serif", "Book", "own"), ("DejaVu Sans", "Book", "own"))
    monkeypatch.setitem(LISTED, "Latin", own)
    found = fonts.listed("Latin", folder)
    assert [font.path.name for font in found] == ["DejaVuSerif.ttf", "DejaVuSans.ttf"]
    assert found[1].origin() == {
        "family": "DejaVu Sans", "style": "Book", "package": "fonts-own", "version": "1:2.0-1",
        "licence": "OFL-1.1, GPL-2+",
        "sha256": hashlib.sha256((OWN / "DejaVuSans.ttf").read_bytes()).hexdigest(),
    }  # fmt: skip


def test_what_lacks_is_named_with_its_package(folder, monkeypatch):
    monkeypatch.setitem(LISTED, "Latin", (("Nobody's", "Regular", "nobody"),))
    with pytest.raises(ValueError, match=r"lacks Nobody's .*fonts-nobody"):
        fonts.listed("Latin", folder)
    with pytest.raises(ValueError, match="expected one of Latin, Chinese"):
        fonts.listed("Greek", folder)


def test_the_list_has_as_many_families_as_the_claims_say():
    for own in LISTED.values():
        families = [family for family, _, _ in own]
        assert len(set(families)) == len(families) == 24 and families == sorted(families)
        packages = [package for _, _, package in own]
        assert max(packages.count(package) for package in packages) <= 2


def test_a_font_is_opened_at_its_size():
    font = Font("DejaVu Sans", OWN / "DejaVuSans.ttf")
    assert font.at(40).getlength("mm") > 1.9 * font.at(20).getlength("mm")
    assert font.at(40) is font.at(40)


def test_no_licence_is_read_where_none_is_named(tmp_path):
    assert fonts.licences(tmp_path / "copyright") == ""
    (tmp_path / "copyright").write_text("Free as in speech.\n")
    assert fonts.licences(tmp_path / "copyright") == ""
