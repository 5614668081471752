"""A chapter's beginning: text, claim, measure, evidence, figure, test, a place in the contents.

All of them fail until they are filled in, and say what to do. Either all are written or none.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from falsestruct.press.notebook.stated import read_claims
from falsestruct.press.paths import Book, UserError, write_atomically
from falsestruct.press.run.chapters import numbered

_SLUG = re.compile(r"(?:([0-9]{2})_)?([a-z][a-z0-9]*(?:_[a-z0-9]+)*)")
_LISTED = re.compile(r"^( *)- file: notebooks/([0-9]{2}_\w+) *$", re.M)

CHAPTER = """\
---
falsestruct:
  profiles:
    paper:
      seeds: 100
    quick:
      seeds: 2
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
    jupytext_version: 1.19.6
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# {title}

FILL IN: the question, for a student who has never heard of it, and why the answer matters.

```{{code-cell}} ipython3
:tags: [parameters]

seeds = 20
profile = "book"
```

```{{code-cell}} ipython3
from falsestruct.chapters.{slug} import evidence, measure
from falsestruct.chapters.{slug} import figures as plots
from falsestruct.press.notebook import claims, display, figures
```

## FILL IN: what is measured

FILL IN: the definition, and what the claim says. Every number comes from `display.glue`.

```{{code-cell}} ipython3
table = measure.measured(seeds=seeds)
display.glue(**evidence.said(table))
```

FILL IN: what came out: {{glue:text}}`share_planted:.2f` over {{glue:text}}`networks:d` networks.

```{{code-cell}} ipython3
figures.publish(
    plots.shares, evidence.shown(table), "{claim}",
    caption="FILL IN: what to see.",
    alt="FILL IN: what the figure shows, for who can't see it.",
)
```

```{{code-cell}} ipython3
claims.record_table(evidence.found(table))
```

## What this does not show

FILL IN: where a referee would press.

## Run it yourself

```bash
falsestruct run {name} -p seeds=5
```
"""
MEASURE = '''\
"""Chapter {name}: FILL IN what is measured, in a line."""

from __future__ import annotations

import pandas as pd

from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Learner


def measured(*, seeds: int, learner: Learner = ensembles.train) -> pd.DataFrame:
    """A row a network: `kind`, planted or control, its `seed`, and the `share` that was measured.

    Args:
        seeds: Networks of each kind, at least 1; their seeds are 0, 1, ...
        learner: What makes networks of data; a rule by hand where the answer is known.
    """
    raise NotImplementedError("FILL IN: draw data, let the learner learn, ask the networks")
'''
EVIDENCE = '''\
"""Chapter {name}: from its table to claims, figures and numbers in the text."""

from __future__ import annotations

from functools import partial

import pandas as pd

from falsestruct import evidence

SHARE = partial(evidence.mean, bounds=(0.0, 1.0))


def found(table: pd.DataFrame) -> evidence.Claims:
    """Each claim's estimate and its control's."""
    planted, control = (
        SHARE(evidence.where(table, kind=kind)["share"])
        for kind in ("planted", "control")
    )
    return {{"{claim}": (planted, control)}}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A row a kind of network: kind, value, low, high."""
    return evidence.summary(table, "kind", "share", measure=SHARE)


def said(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the text."""
    return evidence.said(table, "kind", "share") | {{"networks": len(table)}}
'''
FIGURES = '''\
"""Figures of chapter {name}."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes, style


def shares(table: pd.DataFrame) -> Figure:
    """The mean share of each kind of network, with its interval."""
    picture = style.figure(0.25)
    axis = picture.subplots()
    shapes.named(axis, list(table["kind"]))
    heights = [-row for row in range(len(table))]
    shapes.marks(axis, table.assign(height=heights), "value", shapes.Look())
    axis.set_xlabel("FILL IN: share of what, mean with 95 % interval")
    style.tidy(axis)
    return picture
'''
CLAIM = """\
- id: {claim}
  component: success
  problem: FILL IN
  kind: measured
  networks: 20
  sentence: "FILL IN: what you expect to find, in one sentence, before you look."
  source: "FILL IN: a paper and the place in it, or ours"
  measure: "FILL IN: the number that decides."
  # FILL IN: nothing fulfils this rule. Write your own, "> 0.5" say.
  threshold: "> 9e99"
  control:
    sentence: "FILL IN: what must come out the other way: labels shuffled, nothing planted."
    rule: {{low: "> 9e99"}}
  predicted: supported  # what you expect before the first run; it never changes
  pinned: supported  # what the gate holds
"""
TEST = '''\
"""Chapter {name}: what is left to fill in, and its claim in worlds whose answer is known."""

from pathlib import Path

import pytest

from falsestruct.chapters.{slug} import evidence, measure
from falsestruct.press.notebook import claims
from falsestruct.press.paths import Book

BOOK = Book(Path(__file__).parents[3])
ID = "{claim}"
FILES = [BOOK.source / "{name}.md", BOOK.claims / "{name}.yml"]
FILES += sorted((BOOK.package / "chapters/{slug}").glob("*.py"))


def verdict(**options):
    found = evidence.found(measure.measured(seeds=10, **options))
    return claims.judge(claims.read_claims(BOOK)[ID], *found[ID])


def test_nothing_is_left_to_fill_in():
    left = [
        f"{{path.relative_to(BOOK.root)}}, line {{number}}: {{line.strip()}}"
        for path in FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "FILL IN" in line
    ]
    what = "Fill these in, the claim first, and commit it before you run:"
    assert not left, "\\n".join([what, *left])


def test_the_claim_comes_out_as_pinned():
    assert verdict() == claims.read_claims(BOOK)[ID].pinned


def test_in_a_world_without_the_effect_the_claim_is_not_supported():
    pytest.fail("FILL IN: verdict(learner=ensembles.by_hand(rule)) with a rule that you know")
'''


@dataclass(frozen=True)
class Made:
    """What `new` has written.

    Attributes:
        name: Of the chapter, NN_slug.
        paths: New and changed files, below the book's root.
        advice: What to do next.
    """

    name: str
    paths: tuple[str, ...]
    advice: str


def new(book: Book, slug: str, *, title: str | None = None) -> Made:
    """Begin a chapter.

    Args:
        slug: Lower-case words joined by underscores; NN_slug for a number of one's own choice, else
            it is the first free one.
        title: Of the chapter; else made of the slug.

    Raises:
        UserError: the slug is malformed or taken, or a file can't be written. Nothing has changed.
    """
    name, slug = _name(book, slug)
    claim, folder = f"{slug.replace('_', '-')}-holds", f"falsestruct/chapters/{slug}"
    heading = " ".join((title or slug.replace("_", " ").capitalize()).split())
    words = {"name": name, "slug": slug, "claim": claim, "title": heading}
    texts = {
        path: text.format(**words)
        for path, text in {
            f"book/{name}.md": CHAPTER,
            f"book/claims/{name}.yml": CLAIM,
            f"{folder}/__init__.py": '"""Chapter {name}."""\n',
            f"{folder}/measure.py": MEASURE,
            f"{folder}/evidence.py": EVIDENCE,
            f"{folder}/figures.py": FIGURES,
            f"tests/chapters/{slug}/test_measure.py": TEST,
        }.items()
    }
    for path in texts:
        if (book.root / path).exists():
            raise UserError(f"{path} is there already: choose another slug than {slug!r}")
    if claim in read_claims(book):
        raise UserError(f"book/claims states {claim!r} already: choose another slug than {slug!r}")
    texts["_toc.yml"] = _with_entry(book.root / "_toc.yml", name)
    _write(book.root, texts)
    advice = (
        f"Next: fill in the claim {claim} in book/claims/{name}.yml and commit it; then what "
        f"is measured, then the text.\n`pytest tests/chapters/{slug}/test_measure.py` says what is "
        f"left, `falsestruct run {name}` runs it."
    )
    return Made(name, tuple(texts), advice)


def _name(book: Book, given: str) -> tuple[str, str]:
    """NN_slug and slug."""
    match = _SLUG.fullmatch(given)
    if not match or keyword.iskeyword(match[2]):
        raise UserError(
            f"slug {given!r}: expected lower-case words joined by underscores, like parities or "
            "12_parities"
        )
    taken = {path.stem[:2]: path.stem for path in numbered(book)}
    number, slug = match[1], match[2]
    for name in taken.values():
        if name[3:] == slug:
            raise UserError(f"slug {slug!r} is taken by {name}: choose another one")
    free = [f"{n:02d}" for n in range(1, 100) if f"{n:02d}" not in taken]
    if number is None and free:
        number = free[0]
    if number not in free:
        owner = taken.get(number or "", "none is left")
        raise UserError(f"number {number} is taken ({owner}); free are {', '.join(free[:5])}, ...")
    return f"{number}_{slug}", slug


def _with_entry(path: Path, name: str) -> str:
    """The contents with one more chapter, after the last one with a smaller number."""
    if not path.exists():
        raise UserError(f"{path.name} is missing: it has the contents of the book")
    text = path.read_text()
    listed = list(_LISTED.finditer(text))
    if not listed:
        raise UserError(f"{path.name} lists no `- file: notebooks/NN_slug`: add {name} by hand")
    smaller = [match for match in listed if match[2] < name]
    match = smaller[-1] if smaller else listed[0]
    entry = f"{match[1]}- file: notebooks/{name}\n"
    place = text.find("\n", match.end()) + 1 if smaller else match.start()
    if smaller and place == 0:  # the file ends without a line break
        return f"{text}\n{entry}"
    return text[:place] + entry + text[place:]


def _write(root: Path, texts: Mapping[str, str]) -> None:
    """All files or none."""
    before = {name: _bytes(root / name) for name in texts}
    folders = {folder for name in texts for folder in (root / name).parents if not folder.exists()}
    try:
        for name, text in texts.items():
            write_atomically(root / name, text)
    except BaseException:
        for name, old in before.items():
            if old is None:
                (root / name).unlink(missing_ok=True)
            elif _bytes(root / name) != old:
                write_atomically(root / name, old)
        for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
