"""Families of fonts that lines are drawn in: a fixed list, from Debian's packages.

The list was made before any network was asked about these fonts, by a rule: text faces of Debian 12
with all signs of a script; at most two of a maker, and then of different styles; of families that
copy each other's shapes, one (so no Carlito beside Lato, no Takao beside IPA). DejaVu and Droid are
left out: the code was tried on them.

Fonts lie in a folder, each package unpacked in a folder named PACKAGE_VERSION_…, as
`apt-get download PACKAGE` and `dpkg -x FILE FOLDER` make it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Of each script: family, style; and the package that has it, without "fonts-".
LISTED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Latin": (
        ("B612", "Regular", "b612"),
        ("Cabin", "Regular", "cabin"),
        ("Caladea", "Regular", "crosextra-caladea"),
        ("Cantarell", "Regular", "cantarell"),
        ("Comfortaa", "Regular", "comfortaa"),
        ("Courier Prime Code", "Regular", "courier-prime"),
        ("Dosis", "Book", "dosis"),
        ("EB Garamond", "12 Regular", "ebgaramond"),
        ("Fanwood Text", "Regular", "fanwood"),
        ("Fira Code", "Regular", "firacode"),
        ("Gentium Plus", "Regular", "sil-gentiumplus"),
        ("Inconsolata", "Medium", "inconsolata"),
        ("Inter", "Regular", "inter"),
        ("Lato", "Regular", "lato"),
        ("Liberation Serif", "Regular", "liberation"),
        ("Linux Libertine O", "Regular", "linuxlibertine"),
        ("Lobster Two", "Regular", "lobstertwo"),
        ("Nimbus Sans", "Regular", "urw-base35"),
        ("Noto Sans", "Regular", "noto-core"),
        ("Old Standard TT", "Regular", "oldstandard"),
        ("Play", "Regular", "play"),
        ("Quicksand", "Regular", "quicksand"),
        ("Roboto", "Regular", "roboto-unhinted"),
        ("Vollkorn", "Regular", "vollkorn"),
    ),
    "Chinese": (
        ("AR PL UKai CN", "Book", "arphic-ukai"),
        ("AR PL UMing CN", "Light", "arphic-uming"),
        ("Baekmuk Batang", "Regular", "baekmuk"),
        ("Baekmuk Dotum", "Regular", "baekmuk"),
        ("HanaMinA", "Regular", "hanazono"),
        ("IPAGothic", "Regular", "ipafont-gothic"),
        ("IPAMincho", "Regular", "ipafont-mincho"),
        ("Konatu", "Regular", "konatu"),
        ("KouzanBrushFont", "Regular", "kouzan-mouhitsu"),
        ("LXGW WenKai", "Regular", "lxgw-wenkai"),
        ("M PLUS 1", "Regular", "mplus"),
        ("MotoyaLCedar", "W3 mono", "motoya-l-cedar"),
        ("MotoyaLMaru", "W3 mono", "motoya-l-maruberi"),
        ("Noto Sans CJK SC", "Regular", "noto-cjk"),
        ("Noto Serif CJK SC", "Regular", "noto-cjk"),
        ("Oradano-mincho-GSRR", "mincho-GSRR", "oradano-mincho-gsrr"),
        ("Sawarabi Gothic", "Medium", "sawarabi-gothic"),
        ("Sawarabi Mincho", "Medium", "sawarabi-mincho"),
        ("Ume Gothic", "Regular", "horai-umefont"),
        ("Ume Mincho", "Regular", "horai-umefont"),
        ("WenQuanYi Zen Hei", "Regular", "wqy-zenhei"),
        ("cwTeXFangSong", "Medium", "cwtex-fs"),
        ("cwTeXYen", "Medium", "cwtex-yen"),
        ("kiloji", "Regular", "kiloji"),
    ),
}
COLLECTION = 12  # fonts that one file may hold, at most
_LICENCE = re.compile(r"^License: *(\S[^\n]*)", re.M)


@dataclass(frozen=True)
class Font:
    """One font of a family.

    Attributes:
        path, index: The file, and which of its fonts.
        package, version, licence: Where it comes from; "" if unknown.
    """

    family: str
    path: Path
    index: int = 0
    style: str = ""
    package: str = ""
    version: str = ""
    licence: str = ""

    def at(self, size: int) -> FreeTypeFont:
        """To draw with, so many pixels to the em."""
        return _opened(self.path, self.index, size)

    def origin(self) -> dict[str, str]:
        """What a record keeps of it: where it comes from, and the SHA-256 of its file."""
        return {
            "family": self.family, "style": self.style, "package": self.package,
            "version": self.version, "licence": self.licence,
            "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
        }  # fmt: skip


@lru_cache(maxsize=8)
def _opened(path: Path, index: int, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size, index=index)


def listed(script: str, folder: Path) -> list[Font]:
    """The fonts of LISTED, in the order of the list.

    Raises:
        ValueError: No such script, or a font is missing; the message says which package has it.
    """
    if script not in LISTED:
        raise ValueError(f"script is {script!r}; expected one of {', '.join(LISTED)}")
    found = []
    for family, style, name in LISTED[script]:
        own = next(_of(folder, family, style, f"fonts-{name}"), None)
        if own is None:
            raise ValueError(f"{folder} lacks {family} ({style}): unpack the package fonts-{name} "
                             "there, by apt-get download and dpkg -x")  # fmt: skip
        found.append(own)
    return found


def _of(folder: Path, family: str, style: str, package: str) -> Iterator[Font]:
    """The fonts of this name in the package's folder."""
    for unpacked in sorted(folder.glob(f"{package}_*")):
        version = unquote(unpacked.name.split("_")[1])
        licence = licences(unpacked / "usr/share/doc" / package / "copyright")
        for path, index in _files(unpacked):
            if _opened(path, index, 20).getname() == (family, style):
                yield Font(family, path, index, style, package, version, licence)


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".ttf", ".otf", ".ttc") or path.is_symlink():
            continue
        for index in range(COLLECTION if path.suffix.lower() == ".ttc" else 1):
            try:
                _opened(path, index, 20)
            except OSError:  # the collection has no more, or FreeType doesn't read it
                break
            yield path, index


def licences(path: Path) -> str:
    """What a Debian copyright file names in its machine-readable form, at most 60 characters."""
    if not path.is_file():
        return ""
    named = _LICENCE.findall(path.read_text(errors="replace"))
    return ", ".join(dict.fromkeys(name.strip() for name in named))[:60]
