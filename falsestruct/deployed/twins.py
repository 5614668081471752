"""Files of the sample that count no longer: near copies of others, and makers that are one.

`sample` compared a file with earlier ones by its own runs of words alone, so that a short file
could lie inside of a later, longer one; and it knew a maker by one link. Both were seen after the
network had been asked. So the sample stays as it was, and this says which sealed files are left
out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from falsestruct.deployed import sample
from falsestruct.deployed.sample import NEAR

APACHE, GNOME, SISU = "github.com/apache", "gnome", "github.com/eclipse-sisu"
SAME = {  # what the names of sources say, where no repository is linked; home pages were read
    APACHE: "apache-pom|commons-|libcommons-|maven$|maven-(?:parent|resolver|shared)|mina2|wagon|"
    "felix-|geronimo-|excalibur-|liboro-|libxml-commons-|tomcat-",
    GNOME: r"github.com/gnome$|gnome-power-|gtk\+|gsettings-|notification-daemon|mousetweaks|"
    "pygobject",
    SISU: "sisu-",
}  # fmt: skip
NAMED = re.compile(  # what a licence is called
    "MIT|BSD|Apache|GPL|ISC|MPL|PSF|CC0|CC-|Zlib|Unlicense|EPL|public.domain|Artistic|CDDL|HPND|"
    "W3C|ZPL|Boost|GNU|Expat|Mozilla|Eclipse|OFL|X11|Zope|Perl|BlueOak|OpenSSL|Python|ASL|AFL",
    re.I,
)
_SHORT = re.compile(r'"repository": *"(?:github:)?([\w.-]+)/[\w.-]+"')  # npm's own short form
_FRONT = re.compile("^(?:npm|node|python)-")


def listed(table: pd.DataFrame, files: Sequence[bytes]) -> pd.DataFrame:
    """Of each file, whose it is, what it is a near copy of, and whether it counts.

    Args:
        table: A manifest, of all kinds, with the columns of `sample.COLUMNS`.
        files: Their bytes, in its order.

    Returns:
        Columns file, kind, half, owner, near (a file of its kind; "" if none), licence (as the
        source names it, or "a text": of one that has no name), counts.
    """
    own = table.reset_index(drop=True)
    found = pd.DataFrame({
        "file": own["sha256"], "kind": own["type"], "half": own["half"], "owner": owners(own),
        "near": near(list(own["type"]), list(own["half"]), files, list(own["sha256"])),
        "licence": own["licence"].map(lambda said: said if NAMED.search(said) else "a text"),
    })  # fmt: skip
    return found.assign(counts=counting(found))


def owners(table: pd.DataFrame) -> list[str]:
    """Makers, those that are one under one name.

    Ends of sentences are no part of a name; npm's short form of a link counts; sources of one name,
    but for what they are packed for, have one maker; so have those of SAME.
    """
    first = [_owner(row) for _, row in table.iterrows()]
    names = [_FRONT.sub("", str(one).split(":", 1)[-1].lower().replace("_", "-"))
             for one in table["source"]]  # fmt: skip
    known = {name: who for name, who in zip(names, first, strict=True) if "/" in who}
    found = [who if "/" in who else known.get(name, who)
             for name, who in zip(names, first, strict=True)]  # fmt: skip
    return [_same(who) for who in found]


def _owner(row: pd.Series) -> str:
    """The maker without a full stop behind it, or the owner of npm's short form."""
    who, text = str(row["maker"]).rstrip("."), _package(str(row["path"]))
    found = _SHORT.search(text)
    return f"github.com/{found[1]}".lower() if found and "/" not in who else who


def _package(path: str) -> str:
    """The package.json beside a file, or above it."""
    for folder in list(Path(path).parents)[:4]:
        if (folder / "package.json").is_file():
            return (folder / "package.json").read_text(errors="replace")
    return ""


def _same(who: str) -> str:
    return next((one for one, names in SAME.items() if re.match(names, who)), who)


def near(
    kinds: Sequence[str], halves: Sequence[str], files: Sequence[bytes], names: Sequence[str]
) -> list[str]:
    """Of each file the name of one of its kind, an open or an earlier one, with which it shares
    more than NEAR of the shorter's runs of words; "" if there is none."""
    runs = [sample.runs(data) for data in files]
    found = []
    for i, own in enumerate(runs):
        others = (j for j, kind in enumerate(kinds)
                  if kind == kinds[i] and j != i and (halves[j] == "open" or j < i))  # fmt: skip
        alike = (names[j] for j in others
                 if len(own & runs[j]) > NEAR * min(len(own), len(runs[j])))  # fmt: skip
        found.append(next(alike, ""))
    return found


def counting(table: pd.DataFrame) -> pd.Series:
    """Whether each file counts: an open one; a sealed one that is no near copy, whose owner has no
    open file of any kind and no earlier sealed one of this kind."""
    opened = set(table.loc[table["half"] == "open", "owner"])
    sealed = table["half"] == "sealed"
    again = table[sealed].duplicated(["kind", "owner"]).reindex(table.index, fill_value=False)
    out = sealed & ((table["near"] != "") | table["owner"].isin(opened) | again)
    return ~out


def without(table: pd.DataFrame, twins: pd.DataFrame) -> pd.DataFrame:
    """The rows of files that count.

    Args:
        table: With a column file, of `verdicts.long` say.
        twins: As `listed` gives it.
    """
    return table[~table["file"].isin(set(twins.loc[~twins["counts"].astype(bool), "file"]))]
