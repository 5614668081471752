"""The chapters as their authors wrote them: no typed numbers, the agreed form, nothing private."""

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from falsestruct.press.notebook import claims
from falsestruct.press.paths import find_book
from falsestruct.press.run.chapters import read_chapters

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "book").glob("*.md"))
NUMBERED = [path for path in PAGES if path.stem[0].isdigit()]
CHAPTERS = [chapter.path for chapter in read_chapters(find_book()).values()]
WRITTEN = [
    *PAGES,
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")),
    *sorted((ROOT / "book" / "claims").iterdir()),
    ROOT / "book" / "references.bib",
]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LEDGERS = ("31_evidence", "32_figures")  # made from records: they show nothing of their own
LAST_SECTIONS = ["What this does not show", "Run it yourself"]

# Names that contain digits. A number that was measured or chosen is none of them.
ALLOWED = (
    r"[Cc]hapters? [0-9]{2}(?:(?:,| and) [0-9]{2})*",
    r"Conjecture 1\.1",
    r"Smale's 18th",
    r"CC BY 4\.0",
    r"arXiv:[0-9]{4}\.[0-9]{5}",
    r"CIFAR-10",
    r"\b03[0-9]\b",  # the released runs' own names
    r"95 %",  # the level of every interval in the book
)

PRIVATE = (
    r"/(?:tmp|work|home|root|mnt|Users)/",
    r"\bthis session\b|\bthe brief\b|\bissue #?[0-9]+\b",
    r"\bTODO\b|\bFIXME\b|\bXXX\b|lorem ipsum",
    r"localhost|127\.0\.0\.1|\bartifactory\b|\bindex-url\b",
)


IMPORTS = """
import ast, importlib.abc, sys
from pathlib import Path
import jupytext

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("myst_nb", "sphinx", "jupyter_book", "docutils"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
for path in sys.argv[1:]:
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            body = ast.parse(cell.source).body
            found = [line for line in body if isinstance(line, (ast.Import, ast.ImportFrom))]
            exec(compile(ast.Module(found, []), path, "exec"))
"""


def test_notebooks_run_where_there_is_no_myst_nb():
    """On Colab, say: what builds the book isn't there."""
    command = [sys.executable, "-c", IMPORTS, *map(str, CHAPTERS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def without_code(text: str, *, code: str = "code|math") -> str:
    """Lines in fences of code, and of directives that begin so, as empty lines."""
    kept: list[str] = []
    fences: list[tuple[str, bool]] = []  # open ones, and whether they hide what is in them
    for line in text.splitlines():
        fence = re.match(r" *(`{3,}|~{3,})(.*)$", line)
        closing = fence and fences and fence[1] == fences[-1][0] and not fence[2].strip()
        if closing:
            fences.pop()
        elif fence and not any(hidden for _, hidden in fences):
            fences.append((fence[1], not re.match(rf" *\{{(?!{code})", fence[2])))
        kept.append("" if closing or any(hidden for _, hidden in fences) else line)
    return "\n".join(kept)


def prose(text: str) -> str:
    """What is read as sentences; line numbers stay."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    text = without_code(text)
    for pattern, flags in (
        (r"\A---\n.*?\n---\n", re.S),  # front matter
        (r"<!--.*?-->|^%.*?$", re.S | re.M),  # comments
        (r"\$\$.*?\$\$", re.S),
        (r"^#+ .*?$", re.M),  # headings
        (r"^\([a-z0-9-]+\)=$", re.M),  # targets
        (r"^ *(?:`{3,}|:{3,})\{[^}]*\}.*?$", re.M),  # a directive's own line
        (r"^ *:[a-z-]+:.*?$", re.M),  # its options
        (r"\{[a-z:+]+\}`[^`]*`", 0),  # roles
        (r"(`+).+?\1", re.S),  # code
        (r"(?<!\\)\$[^$]+?(?<!\\)\$", 0),  # math
        (r"\]\([^)]*\)", 0),  # where a link goes
        (r"\]\{[^}]*\}", 0),  # classes
        (r"<https?:[^>]*>", 0),
    ):
        text = re.sub(pattern, blank, text, flags=flags)
    return text


def typed_numbers(text: str) -> list[str]:
    """Lines with a number that nobody measured."""
    found = []
    for line in prose(text).splitlines():
        rest = re.sub(r"^ *(?:[0-9]+\.|\([0-9]\)) ", "", line)  # the number of an item
        for allowed in ALLOWED:
            rest = re.sub(allowed, "", rest)
        if re.search(r"[0-9]", rest):
            found.append(line.strip())
    return found


@pytest.mark.parametrize(
    "text",
    [
        "It took 7 steps.",
        "About 0.05 of them, says {cite}`thesing2019false`.",
        "From 5,000 samples.",
        "| a | 3 |",
        ":::{note}\nOf 20 seeds.\n:::",
        "```{prf:proposition} Name\n:label: p-1\n\nThere are 12 ReLUs.\n```",
        "```{prf:lemma} Name\n:label: l-1\n\nA.\n```\n\nAll 12.\n\n```{prf:proof}\nB.\n```",
        "See [all 12](x.md).",
        "In chapter 02 it was 5.",
    ],
)
def test_the_lint_sees_a_typed_number(text):
    assert typed_numbers(text)


@pytest.mark.parametrize(
    "text",
    [
        "---\nversion: 3\n---\nText.",
        "It took {glue:text}`steps:.2f` steps and $7$ more.",
        "```{code-cell} ipython3\nseeds = 20\n```\nText.",
        "```bash\nfalsestruct run -p seeds=5\n```",
        "$$\nx = 3\n$$",
        "```{math}\n:label: e-2\nx = 3\n```",
        "(def-2)=\n## Part 2\n",
        "```{prf:definition} Number 5\n:label: d-5\n\nText.\n```",
        "In chapter 02, and in [that](../notebooks/03_stripes.ipynb), `seeds=5`.",
        "1. The first.\n2. The second, Conjecture 1.1.",
    ],
)
def test_the_lint_lets_names_and_runs_pass(text):
    assert typed_numbers(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_number_is_typed(page):
    assert typed_numbers(page.read_text()) == []


def code_cells(chapter: Path):
    notebook = jupytext.read(chapter, fmt="md:myst")
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_cells_are_few_and_short(chapter):
    cells = code_cells(chapter)
    assert len(cells) <= 12
    assert [cell.source for cell in cells if len(re.findall(r"\S.*", cell.source)) > 10] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_first_cell_is_the_configuration(chapter):
    first, *others = code_cells(chapter)
    assert first.metadata.get("tags") == ["parameters"]
    assert not any("parameters" in cell.metadata.get("tags", []) for cell in others)
    assert re.search(r'^profile = "book"  # ', first.source, re.M)


def outside_code(text: str) -> str:
    return re.sub(r"^(`{3,}).*?^\1 *$", "", text, flags=re.S | re.M)


@pytest.mark.parametrize("chapter", NUMBERED, ids=lambda path: path.stem)
def test_chapters_end_with_their_limits_and_how_to_run_them(chapter):
    sections = re.findall(r"^## (.+?) *$", outside_code(chapter.read_text()), re.M)
    if chapter.stem not in LEDGERS:
        assert sections[-2:] == LAST_SECTIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_one_title_a_page(page):
    assert len(re.findall(r"^# ", outside_code(page.read_text()), re.M)) == 1


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_nothing_private_is_said(path):
    text = path.read_text()
    found = [m[0] for pattern in PRIVATE for m in re.finditer(pattern, text, re.I)]
    assert found == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_a_warning_or_names_a_machine_s_folders(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.text
            found = [m[0] for m in re.finditer(PRIVATE[0], str(output))]
            assert found == []


def test_every_chapter_is_in_the_contents():
    contents = (ROOT / "_toc.yml").read_text()
    listed = re.findall(r"file: (notebooks|book)/([0-9]{2}_\w+)", contents)
    folders = {True: "notebooks", False: "book"}
    assert sorted(listed, key=lambda found: found[1]) == [
        (folders[path in CHAPTERS], path.stem) for path in NUMBERED
    ]


def test_every_cited_key_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "book/references.bib").read_text(), re.M))
    for page in PAGES:
        cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text())
        wanted = {key.strip() for keys_ in cited for key in keys_.split(",")}
        assert wanted <= keys, page.name


def untied(text: str) -> list[str]:
    """Sentences of a page of consequences that name no claim and are not marked as opinion.

    The opening, what is asked next and the two last sections say nothing about networks.
    """
    body = outside_code(text).split("\n## ")[1:]
    exempt = ("What would have to be shown next", *LAST_SECTIONS)
    found = []
    for section in body:
        if section.startswith(exempt):
            continue
        for paragraph in re.split(r"\n\s*\n", section)[1:]:
            plain = " ".join(paragraph.split())
            if plain and not plain.startswith("*Opinion.*"):
                sentences = re.split(r"(?<=[.?!:]) (?=[A-Z\"])", plain)
                found += [one for one in sentences if "{verdict}`" not in one]
    return found


def test_every_consequence_is_tied_to_a_claim_or_marked_as_opinion():
    text = (ROOT / "book" / "30_consequences.md").read_text()
    free = [sentence for sentence in untied(text) if not sentence.startswith(FREE)]
    assert free == []
    known = claims.read_claims(find_book())
    tied = re.findall(r"\{verdict\}`([^`]*)`", text)
    assert len(tied) > 30 and set(tied) <= set(known)


# Sentences that say what comes, or who said it.
FREE = (
    "The question can be asked, though.",
    "A built-in invariance does the same.",
    "Smale asked for",
    "The conjecture's authors see",
    "Two later theorems",
    '"Simpler" has no settled meaning.',
    "Being unstable is no proof that a *planted* structure was taken.",
    "A false structure need not be the unstable one.",
    "A hint that is always there does not close the way",
    "Not everything that would be a false structure is taken.",
)


def test_an_untied_sentence_is_found():
    text = "# A\n\nOpening.\n\n## One\n\nTied {verdict}`x`. Free here.\n\n*Opinion.* Mine.\n"
    assert untied(text) == ["Free here."]
