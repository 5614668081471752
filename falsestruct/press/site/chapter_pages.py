"""What the build adds to a page with a number: a head, a fold under each figure, a foot.

All of it comes from what a run left (claims, figures, the notebook's mark), so it is put in when
the page is built and not when the chapter runs. Every function returns MyST text.
"""

from __future__ import annotations

import ast
import copy
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from falsestruct.names import slug
from falsestruct.press.notebook import cards, claims, figures
from falsestruct.press.notebook.claims import VERDICTS
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Book, Output
from falsestruct.press.run import chronicle
from falsestruct.press.run.chapters import MARK
from falsestruct.press.site import citing, gallery, interactive, ledger
from falsestruct.press.site.ledger import UNRECORDED, Entry
from falsestruct.press.site.pages import at, badge, download, plural, table

OPEN = 4  # a list of at most so many claims stands open
_TITLE = re.compile(r"\A\s*# .+\n?")
# A chapter reads the book's claims, so it needs the whole clone.
_COLAB = "!git clone {home} book\n%cd book\n%pip install --quiet ."
_FIGURE = re.compile(r"^:name: fig-([a-z0-9-]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A chapter's stored notebook and what the book knows about it.

    Attributes:
        name: Of the chapter.
        notebook: As JSON.
        entries: The chapter's part of the ledger.
        figures: Records of the figures that it publishes, by id.
    """

    name: str
    notebook: Mapping[str, Any]
    entries: Sequence[Entry]
    figures: Mapping[str, Published]

    @property
    def mark(self) -> Mapping[str, Any]:
        """What the run left in the notebook; empty if no run did."""
        mark: Mapping[str, Any] = self.notebook.get("metadata", {}).get(MARK, {})
        return mark


def page(book: Book, name: str, notebook: Mapping[str, Any], *, output: Output) -> Page:
    """A chapter's page from what is stored."""
    own = [entry for entry in ledger.read(book, output) if entry.claim.chapter == name]
    found = {f.id: f for f in figures.all_figures(output) if f.chapter == name}
    return Page(name, notebook, own, found)


def augment(shown: Page, book: Book, output: Output, *, home: str = "") -> dict[str, Any]:
    """The notebook with head, folds and foot. The stored one stays as it is.

    Args:
        home: Address of the book's repository, if it has one.
    """
    notebook: dict[str, Any] = copy.deepcopy(dict(shown.notebook))
    for cell in notebook["cells"]:
        for out in cell.get("outputs", []):
            decide(out, shown)
            _locate(out, at(book, output.figures))
    cells: list[dict[str, Any]] = []
    for cell in itertools.chain.from_iterable(map(_parted, notebook["cells"])):
        cells.append(cell)
        for id in published_in(cell):
            if id in shown.figures:
                cells.append(_markdown(f"fold-{id}", fold(shown.figures[id], book, output)))
    first = cells[0]
    source = "".join(first["source"])
    title = _TITLE.match(source)
    if first["cell_type"] != "markdown" or title is None:
        raise ValueError(f"{shown.name}: the first cell is no heading; begin the text with `# …`")
    first["source"] = f"{title[0]}\n{head(shown)}\n{source[title.end() :]}"
    ends = foot(shown, home) + _changed(shown, book, output)
    notebook["cells"] = [*cells, _markdown(f"foot-{shown.name}", ends)]
    return notebook


def _changed(shown: Page, book: Book, output: Output) -> str:
    """What changed from run to run; results apart from the book have no runs before them."""
    if output != book.published:
        return ""
    stated = claims.read_claims(book)
    return chronicle.as_text(output, shown.name, stated=stated, linked=_carded(shown))


def _parted(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A cell that ends with its figure, code folded, and what it shows after: the fold between."""
    outputs = cell.get("outputs", [])
    if published_in(cell):
        # Its code says caption and alt text, which stand below and in the figure.
        known = cell["metadata"].get("tags", [])
        cell["metadata"] = cell["metadata"] | {"tags": sorted({*known, "hide-input"})}
    ends = [i + 1 for i, out in enumerate(outputs) if published_in({"outputs": [out]})]
    cuts = sorted({0, *ends, len(outputs)})
    if len(cuts) < 3:
        yield cell
        return
    for part, (first, last) in enumerate(itertools.pairwise(cuts)):
        own = copy.deepcopy(cell) | {"outputs": outputs[first:last]}
        if part:
            tags = [*cell["metadata"].get("tags", []), "remove-input"]
            # Removed from the page; a cell without a source is left out whole.
            own |= {"id": f"part-{part}-{cell['id']}"[:64], "source": "# continued"}
            own["metadata"] = cell["metadata"] | {"tags": tags}
        yield own


def decide(out: dict[str, Any], shown: Page) -> None:
    """In place of the numbers of recorded claims their card, or table, by the rules of today."""
    data = out.get("data", {})
    if claims.MIME not in data:
        return
    known = {entry.claim.id: entry for entry in shown.entries if entry.record is not None}
    found = [known[id].decided for id in data[claims.MIME]["ids"] if id in known]
    if found:
        out["data"] = {"text/markdown": cards.markdown(found)}


def _carded(shown: Page) -> set[str]:
    """The claims, also by former ids, that the page shows as cards or tables."""
    outs = [out for cell in shown.notebook["cells"] for out in cell.get("outputs", [])]
    ids = {id for out in outs for id in out.get("data", {}).get(claims.MIME, {}).get("ids", [])}
    own = [e.claim for e in shown.entries if e.record is not None and e.claim.id in ids]
    return {id for claim in own for id in (claim.id, *claim.aliases)}


def _locate(out: dict[str, Any], figures: str) -> None:
    """A figure's picture is where this output has it."""
    if published_in({"outputs": [out]}):
        text = "".join(out["data"]["text/markdown"])
        out["data"]["text/markdown"] = text.replace("../book/figures/", f"{figures}/", 1)


def _markdown(id: str, text: str) -> dict[str, Any]:
    # An id holds at most 64 characters.
    return {"cell_type": "markdown", "id": id[:64], "metadata": {}, "source": text}


def published_in(cell: Mapping[str, Any]) -> list[str]:
    """Ids of the figures that a cell's outputs show."""
    shown = (out.get("data", {}).get("text/markdown", "") for out in cell.get("outputs", []))
    return [id for text in shown for id in _FIGURE.findall("".join(text))]


# ---- head ----


def head(shown: Page) -> str:
    """What the chapter shows, and how long it takes to execute it again."""
    lines = []
    if shown.entries:
        lines += [_counted(shown.entries), _claims(shown)]
    if "seconds" in shown.mark:
        lines.append(
            f"Re-executes in {duration(shown.mark['seconds'])} on "
            f"{plural(shown.mark['threads'], 'core')}: `falsestruct run {shown.name}`. "
            "[How, and what this page was made with](#provenance-" + shown.name + ")."
        )
    return _head("What this chapter shows", lines) if lines else ""


def _head(title: str, lines: Sequence[str]) -> str:
    body = "\n\n".join(lines)
    return f"::::::{{admonition}} {title}\n:class: chapter-head\n\n{body}\n::::::\n"


def _counted(entries: Sequence[Entry]) -> str:
    """How many claims came to what; checks beside them."""
    counts = ledger.tally(entries)
    verdicts = ", ".join(badge(v, count=counts[v]) for v in VERDICTS if counts[v])
    checks = f" Beside them {plural(counts['checks'], 'check')}." if counts["checks"] else ""
    return f"**{plural(counts['claims'], 'claim')}**: {verdicts or UNRECORDED}.{checks}"


def _claims(shown: Page) -> str:
    groups: dict[str, list[Entry]] = {}
    for entry in shown.entries:
        groups.setdefault(stem(entry), []).append(entry)
    lines = "\n".join(f"- {_group(group)}" for group in groups.values())
    opened = ":open:\n" if len(groups) <= OPEN else ""
    return f":::::{{dropdown}} The claims and their verdicts\n{opened}\n{lines}\n:::::"


def stem(entry: Entry) -> str:
    """The id that claims share which differ in the architecture only."""
    claim = entry.claim
    return claim.id.removesuffix(f"-{slug(claim.architecture)}") if claim.architecture else claim.id


def _group(entries: Sequence[Entry]) -> str:
    first = entries[0].claim
    if len(entries) == 1:
        badge = cards.badge(first, entries[0].verdict)
        return f"{badge} {first.sentence} {_link(entries[0], 'Result')}"
    sentence = first.sentence.removeprefix(f"{first.architecture}: ")
    sentence = sentence.replace(first.architecture, "…")
    parts = []
    for verdict in (*VERDICTS, UNRECORDED):
        own = [_link(e, e.claim.architecture) for e in entries if e.verdict == verdict]
        if own:
            parts.append(f"{cards.badge(first, verdict)} {', '.join(own)}")
    return f"{sentence[0].upper()}{sentence[1:]} {'; '.join(parts)}"


def _link(entry: Entry, text: str) -> str:
    kind = "ledger" if entry.record is None else "claim"
    return f"[{text}](#{kind}-{entry.claim.id})"


def duration(seconds: float) -> str:
    """Seconds for a person, rounded up: nobody minds to wait less."""
    if seconds < 60:
        return f"about {max(5, 5 * -(-int(seconds) // 5))} seconds"
    return f"about {plural(-(-int(seconds) // 60), 'minute')}"


# ---- figures ----


def fold(record: Published, book: Book, output: Output) -> str:
    """Under a figure: its slider, if it has one; how to cite it, get its files and redraw it."""
    parts = [interactive.block(record, output)] if interactive.has(record) else []
    bibtex = citing.figure_entry(book, record, output=output)
    parts.append(
        f"(data-{record.id})=\n::::{{dropdown}} Cite or download this figure\n"
        f":class-container: figure-fold\n\n"
        f"{{numref}}`fig-{record.id}`. {gallery.downloads(record, book, output)}\n\n"
        f"Draw it for a column of a paper, from the stored data:\n\n"
        f"```{{code-block}} bash\n{gallery.redraw_command(record)}\n```\n\n"
        f"```{{code-block}} bibtex\n{bibtex}```\n\n"
        f"[In the list of figures](#figure-{record.id})\n::::\n"
    )
    return "\n".join(parts)


# ---- foot ----


def with_ends(text: str, name: str, book: Book, output: Output) -> str:
    """A page that shows what the chapters found, with head and foot.

    Raises:
        ValueError: it doesn't begin with a heading.
    """
    title = _TITLE.match(text)
    if title is None:
        raise ValueError(f"{name}: the text begins with no heading; begin it with `# …`")
    entries = ledger.read(book, output)
    shows = _counted(entries) if "{ledger}" in text or "{verdict}" in text else ""
    if "{figures}" in text:
        shows = f"**{plural(len(figures.all_figures(output)), 'figure')}**."
    made = (
        "Made from the ledger and the figures while the pages are built. Nothing is executed for "
        f"it. [How](#provenance-{name})."
    )
    top = _head("What this page is made of", [shows, made])
    return f"{title[0]}\n{top}\n{text[title.end() :]}\n{_page_foot(name, entries, book, output)}"


def _page_foot(name: str, entries: Sequence[Entry], book: Book, output: Output) -> str:
    commits = sorted({f"`{e.record['commit']}`" for e in entries if e.record is not None})
    texts = [
        download(book, book.source / f"{name}.md", "text (.md)"),
        download(book, output.evidence, "evidence.json"),
    ]
    return (
        f"(provenance-{name})=\n"
        f"::::::{{admonition}} How this page came about\n:class: provenance\n\n"
        f"Commits of the records\n: {', '.join(commits) or 'none'}\n\n"
        f"Take it with you: {', '.join(texts)}.\n\n"
        f"Build it again, from the book's records or from another run's:\n\n"
        f"```{{code-block}} bash\nfalsestruct build\nfalsestruct build --output _build/runs/quick\n"
        f"```\n::::::\n"
    )


def foot(shown: Page, home: str = "") -> str:
    """What the page was made with, its files, and the command that makes it again."""
    colab = (
        f"On Colab, first run\n\n```{{code-block}} ipython3\n{_COLAB.format(home=home)}\n```\n\n"
    )
    return (
        f"(provenance-{shown.name})=\n"
        f"::::::{{admonition}} How this page came about\n:class: provenance\n\n"
        f"{_made_with(shown)}\n\n"
        f"Take it with you: {{download}}`notebook (.ipynb) <{shown.name}.ipynb>`, "
        f"{{download}}`text (.md) <../book/{shown.name}.md>`.\n\n"
        f"Execute it again:\n\n"
        f"```{{code-block}} bash\n{run_command(shown)}\n```\n\n"
        f"{colab if home else ''}"
        f"{_parameters(shown)}\n::::::\n"
    )


def _made_with(shown: Page) -> str:
    mark = shown.mark
    about: Mapping[str, Any] = mark.get("environment", {})
    seeds = {k: v for k, v in mark.get("parameters", {}).items() if k.endswith("seeds")}
    versions = ", ".join(f"{k} {v}" for k, v in about.items() if k not in ("machine", "threads"))
    lines = {
        "Commit": f"`{mark['commit']}`" if "commit" in mark else "",
        "Machine": about.get("machine", ""),
        "Threads": str(mark.get("threads", "")),
        "Numbers of seeds": ", ".join(f"`{k} = {v}`" for k, v in seeds.items()),
        "Seconds": f"{mark['seconds']:g}" if "seconds" in mark else "",
        "Versions": versions,
    }
    return "\n\n".join(f"{term}\n: {text}" for term, text in lines.items() if text)


def run_command(shown: Page) -> str:
    """The one command, and how to run it with another number of seeds, where it has such."""
    lines = [f"falsestruct run {shown.name} --force"]
    known = shown.mark.get("parameters", {})
    seeds = [k for k, v in known.items() if type(v) is int and k.endswith("seeds")]
    name = next(iter(sorted(seeds, key=lambda k: k != "seeds")), None)
    if name is not None:
        changed = max(2, known[name] // 4)
        lines.append(f"falsestruct run {shown.name} -p {name}={changed}   # not into the book")
    return "\n".join(lines)


def _parameters(shown: Page) -> str:
    code = next((c for c in shown.notebook["cells"] if c["cell_type"] == "code"), None)
    meanings = explained("".join(code["source"])) if code else {}
    rows = [
        [f"`{name}`", f"`{value!r}`", meanings.get(name, "")]
        for name, value in shown.mark.get("parameters", {}).items()
    ]
    if not rows:
        return ""
    return "Parameters of `-p`:\n\n" + table(
        ["Parameter", "Value", "What it is"], rows, "parameters", widths=[20, 30, 50]
    )


def explained(source: str) -> dict[str, str]:
    """What the comments behind the assignments of a parameters cell say, by name."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = comments.get(line.end_lineno or line.lineno, "")
    return found
