"""Tables and numbers beside the claims about files: "5 of 58", of sealed files that count.

They were made after a look at the verdicts, and decide nothing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from falsestruct.deployed.again import LETTERS
from falsestruct.deployed.answers import itself
from falsestruct.deployed.destroyed import CONTROL, WAYS
from falsestruct.deployed.filetypes import DECLINED
from falsestruct.deployed.judged import MOST_FIRST, chosen, worst
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.parsers import REJECTING
from falsestruct.evidence import where

NAMES = ("package.json", "pyproject.toml")  # files that most of JSON's and TOML's are


def destroyed(court: pd.DataFrame) -> pd.DataFrame:
    """Sealed files that keep their verdict, a row a type: the way that is judged, and each way."""
    sealed, rows = where(court, half="sealed", arm="destroyed"), []
    for kind in REJECTING:
        own = where(sealed, kind=kind)
        kept = {way: of(where(own, way=way)["kept"]) for way in (*MOST_FIRST, CONTROL)}
        rows.append({"type": kind, "judged": worst(court, kind) or ""} | kept)
    return pd.DataFrame(rows).set_index("type").rename(columns={"closer": "last bracket"})


def small(court: pd.DataFrame) -> pd.DataFrame:
    """The small change that is judged, a row a type: its bytes, and who loses the verdict to it and
    to as many letters replaced."""
    rows = []
    for kind in dict.fromkeys(court["kind"]):
        if (change := chosen(court, str(kind))) is None:
            continue
        way, amount = change
        own = where(court, kind=kind, amount=amount)
        judged = where(own, arm="small", way=way)
        lost = {half: of(1 - where(judged, half=half)["kept"]) for half in ("open", "sealed")}
        letters = of(1 - where(own, arm="inside", half="sealed")["kept"])
        rows.append({"type": kind, "change": way, "bytes": f"{amount:.0f}"} | lost
                    | {"letters": letters})  # fmt: skip
    return pd.DataFrame(rows).set_index("type")


def filled(court: pd.DataFrame, *, full: float) -> pd.DataFrame:
    """What is said where the meaning is kept and this share of both windows is filled: a row a type
    and way; the verdict kept, txt or unknown, another type, and of these the commonest."""
    rows = []
    for way in FILLINGS[:2]:
        own = where(court, half="sealed", arm="filled", way=way, amount=full)
        for kind, part in own.groupby("kind", sort=False):
            text = part["label"].isin(DECLINED)
            other = part.loc[(part["kept"] == 0) & ~text, "label"]
            most = other.mode()
            rows.append({
                "way": way, "type": kind, "files": len(part), "kept": int(part["kept"].sum()),
                "txt or unknown": int(text.sum()), "another type": len(other),
                "mostly": "" if most.empty else f"{most[0]} ({int((other == most[0]).sum())})",
            })  # fmt: skip
    return pd.DataFrame(rows).set_index(["way", "type"])


def numbers(court: pd.DataFrame, again: pd.DataFrame, *, full: float) -> dict[str, str | float]:
    """For the prose.

    Args:
        court, again: Of files that count.
        full: The share of both windows that claims are about.
    """
    sealed = where(court, half="sealed")
    plain = where(sealed, arm="plain")
    html, ini = where(plain, kind="HTML")["kept"], where(sealed, kind="INI", way=CONTROL)["kept"]
    fell = where(again, arm="destroyed", way=list(WAYS))
    said = itself(fell)
    letters = where(again, arm=LETTERS)
    return {
        "html": of(html), "ini_bytes": of(ini), "searched_letters": len(letters),
        "own_text": of(said == "text"), "below": of(said == "declined"),
        "other_type": of(said == "another type"),
        **{f"magic_{kind.lower()}": of(where(plain, kind=kind)["libmagic"]) for kind in
           ("TOML", "INI")},
        **_bags(sealed, again, full), **_magic(sealed),
    }  # fmt: skip


def _bags(sealed: pd.DataFrame, again: pd.DataFrame, full: float) -> dict[str, float]:
    """How often a reader that always keeps its verdict would agree with the network; and of
    verdicts lost to small changes and new lines, those that a bag with whitespace keeps."""
    both = _also(sealed, sealed, "words")
    fell = where(both, arm="destroyed", way=list(WAYS)).dropna(subset="kept")
    known = _also(again, again.assign(kept=1.0), "white")
    newlines = lambda way: way == FILLINGS[0]  # noqa: E731
    lost = pd.concat([where(known, arm="small"), where(known, arm="filled", way=newlines,
                                                       amount=full)])  # fmt: skip
    return {
        "always": by_type(fell, fell["kept"]), "white": by_type(lost, lost["white"]),
        "white_files": lost["file"].nunique(),
    }  # fmt: skip


def _magic(sealed: pd.DataFrame) -> dict[str, float]:
    """What libmagic keeps more than the network: small changes, filled windows; and of C."""
    both = _also(sealed, sealed, "libmagic")
    both = where(both, kind=["JSON", "XML", "Python", "C"])
    some, much = where(both, arm="small"), where(both, arm="filled", way=FILLINGS[0])
    of_c = where(some, kind="C")
    return {
        name: by_type(part, part["libmagic"] - part["kept"])
        for name, part in {"magic_small": some, "magic_filled": much, "magic_c": of_c}.items()
    }


def by_name(court: pd.DataFrame, manifest: Path, *, full: float) -> pd.DataFrame:
    """Of JSON and TOML, files of one name and others: how many are read rightly, and lose it to the
    small change that is judged, to new lines, and to another order of their words.

    Args:
        manifest: A file with columns sha256 and name.
    """
    listed = pd.read_csv(manifest)
    known = dict(zip(listed["sha256"], listed["name"].str.split("/").str[-1], strict=True))
    rows = []
    for kind, name in zip(("JSON", "TOML"), NAMES, strict=True):
        own = where(court, half="sealed", kind=kind)
        such = own["file"].map(known) == name
        for title, part in ((name, own[such]), ("others", own[~such])):
            lost = _three(part, chosen(court, kind) or ("", 0.0), full)
            rows.append({"type": kind, "files": title} | lost)
    return pd.DataFrame(rows).set_index(["type", "files"])


def named(table: pd.DataFrame) -> dict[str, str]:
    """For the prose, of `by_name`: how many sealed files have the name that most have, and of these
    and of others how many lose the verdict to the small change."""
    found = {}
    for kind, own in table.groupby(level=0):
        counts = [int(cell.split()[-1]) for cell in own["read"]]
        key = str(kind).lower()
        found[f"named_{key}"] = f"{counts[0]} of {sum(counts)}"
        found |= {f"{key}_{name}": own["small change"].iloc[place]
                  for place, name in enumerate(("named", "others"))}  # fmt: skip
    return found


def sample(twins: pd.DataFrame) -> dict[str, float]:
    """How many sealed files there were, and how many count no longer; of XML, too."""
    sealed = where(twins, half="sealed")
    gone = sealed[~sealed["counts"].astype(bool)]
    return {"all_sealed": len(sealed), "left_out": len(gone),
            "left_out_xml": int((gone["kind"] == "XML").sum())}  # fmt: skip


def _three(part: pd.DataFrame, change: tuple[str, float], full: float) -> dict[str, str]:
    cases = {
        "small change": where(part, arm="small", way=change[0], amount=change[1]),
        "new lines": where(part, arm="filled", way=FILLINGS[0], amount=full),
        "words shuffled": where(part, arm="destroyed", way="words"),
    }
    lost = {name: of(1 - own["kept"]) for name, own in cases.items()}
    return {"read": of(where(part, arm="plain")["kept"])} | lost


def by_type(table: pd.DataFrame, values: pd.Series) -> float:
    """Mean over each file's mean, then over types."""
    files = values.groupby([table["kind"], table["file"]]).mean()
    return float(files.groupby("kind").mean().mean())


def of(values: pd.Series) -> str:
    """How many of how many are true, of those that are known."""
    known = values.dropna().astype(float)
    return f"{known.sum():.0f} of {len(known)}"


def _also(table: pd.DataFrame, plain: pd.DataFrame, reader: str) -> pd.DataFrame:
    """The rows of files that the network and another reader first read rightly."""
    right = where(plain, arm="plain", kept=1.0)
    return where(table, file=list(where(right, **{reader: 1.0})["file"]))
