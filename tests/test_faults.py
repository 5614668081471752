"""Faults that strangers met: each with its whole kind, from its reproduction.

The minimum of Python is in test_requirements.py, what is killed and full in torture/.
"""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import jupytext
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from jupytext.config import load_jupytext_config
from matplotlib.figure import Figure

import falsestruct
from falsestruct import cli
from falsestruct.characterise import hints
from falsestruct.press import paths
from falsestruct.press.notebook import claims, environment, figures, history, staging
from falsestruct.press.paths import Book, UserError
from falsestruct.press.run import chapters, edits, kernels, records, runner, surroundings
from falsestruct.press.run.chapters import EDITED, FRESH, STALE
from falsestruct.press.site import citing, directives, valid
from tests.conftest import REPOSITORY, Desk, commit_all, git
from tests.torture import harm

REAL = Book(REPOSITORY)


# ---- 2. the book's identity is its own ----


def test_a_clone_of_another_user_has_its_commit(desk, monkeypatch):
    head = commit_all(desk.root)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert environment.commit(desk.root) == head
    assert history.standing(desk.book) == {"one-holds": head}


def test_what_commands_leave_in_a_clone_is_no_change_and_a_new_source_is(desk):
    head = commit_all(desk.root)
    for name in ("crossover.pdf", "mymodel.py", "crate/data.csv", "book/certificates/x.json"):
        paths.write_atomically(desk.file(name), "x")
    assert environment.commit(desk.root) == head
    desk.file("falsestruct/problems/mine.py").write_text("")
    assert environment.commit(desk.root) == f"{head}+"
    desk.file("falsestruct/problems/mine.py").unlink()
    desk.file("requirements.txt").write_text("numpy==2\n")
    assert environment.commit(desk.root) == f"{head}+"


def test_a_repository_around_the_book_is_not_the_books(desk, invoke):
    commit_all(desk.root.parent)
    assert environment.commit(desk.root) == "unknown"
    assert history.standing(desk.book) == {"one-holds": "unknown"}
    code, out, err = invoke(desk, "cite")
    assert code == 0 and "commit unknown" in out
    assert err.startswith("falsestruct: commit unknown: ") and "no repository of its own" in err


def test_a_hook_of_another_repository_points_to_none(desk, tmp_path, monkeypatch):
    head = commit_all(desk.root)
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert environment.commit(desk.root) == head


# ---- 3. the reader's settings ----


@pytest.mark.parametrize("setting", [
    {"savefig.transparent": True}, {"savefig.bbox": "tight"}, {"svg.fonttype": "none"},
    {"pdf.compression": 0}, {"timezone": "Asia/Tokyo", "date.epoch": "0000-12-31T00:00:00"},
])  # fmt: skip
def test_saving_is_shielded_from_the_readers_matplotlibrc(setting):
    def plot(table):
        figure = Figure()
        figure.subplots().plot(pd.to_datetime(table["x"]), table["y"])
        return figure

    def files():
        style = figures.STYLES["book"]
        drawn = figures.draw(plot, "x,y\n2026-01-01,1\n2026-01-02,2\n", {}, style)
        return {kind: figures.save(drawn, kind, "salt") for kind in figures.FORMATS}

    before = files()
    with mpl.rc_context(setting):
        assert files() == before


LOCALES = [
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii"},
]


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_another_locale_changes_nothing(finished, locale):
    finished.edit("book/02_two.md", "# Two", "# Zwei: ½ ≠ ⅓")
    finished.edit("book/figures/one-line.json", "A caption.", "Ein Bild — größer.")
    finished.edit("falsestruct/problems/one.py", "return 1.0", "return 1.00")
    there = {k: v for k, v in finished.environment().items() if not k.startswith("LC_")} | locale

    def call(*words):
        command = [sys.executable, "-m", "falsestruct.cli", *words]
        return subprocess.run(
            command, cwd=finished.root, env=there, capture_output=True, check=False
        )

    shown = call("figures")
    assert shown.returncode == 0 and b"Ein Bild ? gr" in shown.stdout, shown.stderr
    assert call("cite", "02_two").stdout.isascii()
    if "LC_ALL" in locale:  # of files, not only of what is printed
        assert call("run").returncode == 0
        states = [chapters.state(finished.book, c).state for c in read(finished).values()]
        assert states == [FRESH] * 3


def read(desk: Desk):
    return chapters.read_chapters(desk.book)


# ---- 4. an edited notebook is half of a pair ----


def edit(desk, old="Some text.", new="Some text. And more."):
    path = desk.file("notebooks/01_one.ipynb")
    text = path.read_text()
    assert text.count(json.dumps(old)[1:-1]) == 1
    path.write_text(text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]))


@pytest.mark.parametrize("digest", [True, False])
def test_an_edited_notebook_is_noticed_and_taken_over(finished, invoke, digest):
    path = finished.file("notebooks/01_one.ipynb")
    if not digest:  # of a run before there was one
        notebook = json.loads(path.read_text())
        del notebook["metadata"]["falsestruct_run"]["sources"]
        path.write_text(json.dumps(notebook))
    assert chapters.state(finished.book, read(finished)["01_one"]).state == FRESH
    edit(finished)
    before = path.read_text()
    assert chapters.state(finished.book, read(finished)["01_one"]).state == EDITED
    for words in (("run",), ("run", "--force"), ("build", "--strict")):
        code, _, err = invoke(finished, *words)
        assert code == 2 and err.count("\n") == 1
        assert "01_one.ipynb was edited, cell 3 (`Some text. And more.`)" in err
        assert "falsestruct take 01_one" in err and "git restore" in err
    code, _, err = invoke(finished, "claims")
    assert code == 1 and "01_one has an edited notebook" in err
    header, _, _ = finished.file("book/01_one.md").read_text().partition("\n---\n")
    code, out, _ = invoke(finished, "take", "01_one")
    assert (code, out) == (0, "book/01_one.md: 1 cells\n")
    text = finished.file("book/01_one.md").read_text()
    assert text.startswith(header) and "Some text. And more." in text
    assert path.read_text() == before
    assert chapters.state(finished.book, read(finished)["01_one"]).state == STALE


def test_an_edited_notebook_of_an_edited_text_is_noticed(finished):
    finished.edit("book/01_one.md", "scale = 1.5", "scale = 2.5")
    assert edits.found(finished.book, read(finished)["01_one"]) == ""
    edit(finished)
    assert "cell 2" in edits.found(finished.book, read(finished)["01_one"])


def test_taking_over_an_unedited_notebook_changes_no_byte(finished, invoke):
    before = finished.digest()
    assert invoke(finished, "take", "01_one")[:2] == (0, "book/01_one.md says what it says\n")
    assert finished.digest() == before
    edit(finished, "print(", "print (")
    edits.take(finished.book, "01_one")
    finished.edit("book/01_one.md", "print (", "print(")
    assert finished.digest("book") == {k: v for k, v in before.items() if k.startswith("book/")}


@pytest.mark.parametrize("edited", [True, False])
def test_what_was_edited_in_the_text_is_not_taken_away(finished, invoke, edited):
    finished.edit("book/01_one.md", "Some text.", "Some text.\n\n+++\n\nAn own paragraph.")
    if edited:
        edit(finished, "print(", "print (")
    before = finished.digest()
    code, out, err = invoke(finished, "take", "01_one")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "in cells 4, 5, 6, 7" in err and "book/01_one.md" in err
    assert ("was edited, and so was book/01_one.md" in err) is edited
    assert ("falsestruct run 01_one" in err) is not edited
    if edited:
        code, _, err = invoke(finished, "run")
        assert code == 2 and "and so was book/01_one.md" in err and "was not" not in err
    assert finished.digest() == before


def test_a_text_whose_run_nobody_knows_is_not_taken_away(finished, invoke):
    """Of a run that left no digest, where the package has changed meanwhile."""
    path = finished.file("notebooks/01_one.ipynb")
    notebook = json.loads(path.read_text())
    del notebook["metadata"]["falsestruct_run"]["sources"]
    path.write_text(json.dumps(notebook))
    finished.edit("book/01_one.md", "Some text.", "Other text.")
    before = finished.digest()
    code, _, err = invoke(finished, "take", "01_one")
    assert code == 2 and "in cells 3" in err and finished.digest() == before


def test_a_cells_metadata_is_taken_over_as_jupytext_would(finished, invoke):
    path = finished.file("notebooks/01_one.ipynb")
    notebook = json.loads(path.read_text())
    more = {
        "mystnb": {"code_prompt_show": "Show", "image": {"alt": "a: b"}},
        "tags": ["hide-input"],
    }
    notebook["cells"][-1]["metadata"] = more | {"editable": False}
    path.write_text(json.dumps(notebook))
    assert "was edited" in invoke(finished, "run")[2]
    assert invoke(finished, "take", "01_one")[:2] == (0, "book/01_one.md: 1 cells\n")
    assert read(finished)["01_one"].notebook.cells[-1].metadata == more
    config = load_jupytext_config(str(REPOSITORY / "notebooks" / "x.ipynb"))
    assert config.cell_metadata_filter == ",".join([*edits.KEPT, "-all"])


def change(desk, number, text=None, **more):
    """One cell of 01_one's notebook, by its number from 0: other text, or other fields."""
    path = desk.file("notebooks/01_one.ipynb")
    notebook = json.loads(path.read_text())
    cell = notebook["cells"][number]
    cell.update(more, source=cell["source"] if text is None else text)
    path.write_text(json.dumps(notebook))


SAID, LAST = "Some text.", 'print("seeds", seeds)'  # in cells 2 and -1


@pytest.mark.parametrize(
    ("number", "was", "now"),
    [
        (2, SAID, SAID + "\n"), (2, SAID, f"\n \n{SAID}"), (2, SAID, SAID + "  "),
        (-1, LAST, LAST + "\n\n"), (-1, LAST, LAST + "\r\n"), (-1, LAST, LAST + "  "),
    ],
)  # fmt: skip
def test_what_a_text_does_not_keep_is_no_edit(finished, invoke, number, was, now):
    source = "".join(finished.notebook("01_one")["cells"][number]["source"])
    change(finished, number, source.replace(was, now))
    before = finished.digest()
    assert edits.found(finished.book, read(finished)["01_one"]) == ""
    edits.refuse(finished.book, read(finished))
    assert invoke(finished, "take", "01_one")[:2] == (0, "book/01_one.md says what it says\n")
    assert finished.digest() == before


def test_an_empty_markdown_cell_is_no_edit(finished):
    path = finished.file("notebooks/01_one.ipynb")
    notebook = json.loads(path.read_text())
    empty = {"cell_type": "markdown", "id": "new", "metadata": {}, "source": " \n"}
    notebook["cells"].insert(3, empty)
    path.write_text(json.dumps(notebook))
    edits.refuse(finished.book, read(finished))
    assert edits.take(finished.book, "01_one") == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2, "Other text.\r\n\r\nTwo lines.  \r\nThree.\r\n"), (2, "\n  - indented\n\n\n\nfar\n"),
        (2, "```python\nno = 'cell'\n```\n"), (-1, "\n\nx = 1  \n\n\ny = 2\n\n"),
        (-1, "text = '''\n+++\n```{code-cell}\n1\n```\n'''\n"), (-1, "---\na: 1\n---\n"),
        (-1, ":a: 1\nx"), (-1, ""),
    ],
)  # fmt: skip
def test_after_taking_over_a_run_is_not_refused(finished, number, text):
    """Whatever was edited, it is taken over once and reads back."""
    change(finished, number, text)
    assert edits.found(finished.book, read(finished)["01_one"])
    assert edits.take(finished.book, "01_one") == 1
    edits.refuse(finished.book, read(finished))
    assert edits.take(finished.book, "01_one") == 0
    again = read(finished)["01_one"].notebook.cells[number].source
    assert again.strip() == "\n".join(text.splitlines()).strip()


UNHELD = {
    "Before.\n+++\nafter.": "otherwise", "Words.\n\n```{code-cell}\n1\n```\nMore.": "otherwise",
    "Words.\n```": "otherwise", "one\u2028two": "otherwise", "a\fb": "unacceptable character",
}  # fmt: skip


@pytest.mark.parametrize("text", UNHELD)
def test_what_a_text_can_not_hold_is_not_taken_over(finished, invoke, text):
    change(finished, 2, text)
    before = finished.digest()
    code, out, err = invoke(finished, "take", "01_one")
    assert (code, out) == (2, "") and err.count("\n") == 1, err
    assert "nothing was taken over" in err and UNHELD[text] in err
    assert finished.digest() == before


@pytest.mark.parametrize(
    ("number", "text", "told"),
    [
        (1, "scale = f(", "line 1: '(' was never closed"),
        (1, "seeds = int(3)", "no plain literal"),
        (1, "name = 'one'", "has no parameter 'seeds'"), (0, None, "tagged `parameters`"),
    ],
)  # fmt: skip
def test_what_makes_no_chapter_is_not_taken_over(finished, invoke, number, text, told):
    if text is None:  # code before the parameters
        change(finished, number, "import os", cell_type="code", outputs=[], execution_count=None)
    else:
        change(finished, number, text)
    before = finished.digest()
    code, out, err = invoke(finished, "take", "01_one")
    assert (code, out) == (2, "") and err.count("\n") == 1, err
    assert "nothing was taken over" in err and told in err
    assert finished.digest() == before
    assert list(read(finished)) == ["01_one", "02_two", "03_last"]


@pytest.mark.parametrize("text", [None, "![it](attachment:it.png)", ""])
def test_a_pasted_picture_is_an_edit_and_is_not_lost(finished, invoke, text):
    change(finished, 2, text, attachments={"it.png": {"image/png": "iVBORw0KGgo="}})
    before = finished.digest()
    assert chapters.state(finished.book, read(finished)["01_one"]).state == EDITED
    assert "was edited, cell 3" in invoke(finished, "run")[2]
    code, out, err = invoke(finished, "take", "01_one")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "of 01_one.ipynb, cells 3 hold pasted pictures" in err
    assert finished.digest() == before


def test_no_notebook_of_this_book_was_edited():
    """Each holds the digest that tells it."""
    for name, chapter in chapters.read_chapters(REAL).items():
        notebook = paths.read_json(REAL.published.notebooks / f"{name}.ipynb")
        left = notebook["metadata"][chapters.MARK]["sources"]
        assert left == edits.digest(edits.sources(notebook)), name
        assert edits.found(REAL, chapter) == "", name


# ---- 5. text and notebook for Jupytext ----


def test_after_a_run_the_text_is_not_older_than_its_notebook(finished_once):
    for name in read(finished_once):
        text, notebook = (finished_once.file(f"{n}") for n in
                          (f"book/{name}.md", f"notebooks/{name}.ipynb"))  # fmt: skip
        assert text.stat().st_mtime >= notebook.stat().st_mtime


def test_a_clone_takes_less_time_than_jupytext_allows():
    config = load_jupytext_config(str(REPOSITORY / "notebooks" / "x.ipynb"))
    assert config.outdated_text_notebook_margin >= 60


def test_headers_are_those_that_jupytext_writes():
    found = set()
    filter_ = load_jupytext_config(
        str(REPOSITORY / "notebooks" / "x.ipynb")
    ).notebook_metadata_filter
    for name, chapter in chapters.read_chapters(REAL).items():
        chapter.notebook.metadata["jupytext"]["notebook_metadata_filter"] = filter_
        written = jupytext.writes(chapter.notebook, fmt="md:myst").partition("\n---\n")[0]
        has = chapter.path.read_text().partition("\n---\n")[0]
        found |= {name} if shorn(written) != shorn(has) else set()
    assert found == set()


def shorn(header):
    """Without what is Jupytext's own."""
    return re.sub(r"^jupytext:\n(?: .*\n)+", "", header, flags=re.M)


# ---- 6. keys that LaTeX takes ----


def test_no_key_is_active_in_latex():
    texts = [citing.cite(REAL)]
    texts += [citing.chapter_entry(REAL, name) for name in citing.titles(REAL)]
    texts += [citing.figure_entry(REAL, f) for f in figures.all_figures(REAL.published)]
    texts += [citing.claim_entry(REAL, claim, None) for claim in claims.read_claims(REAL).values()]
    keys = re.findall(r"^@misc\{(.*),$", "\n".join(texts), re.M)
    assert len(keys) == len(set(keys)) == len(texts)
    assert all(re.fullmatch(r"[a-z0-9:-]+", key) for key in keys)


# ---- 7., 9., 12., 13. a run in a strange place ----


@pytest.fixture
def short():
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="s-") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_a_run_in_a_strange_place(desk, tmp_path, short):
    """Brackets in the path, a long temporary place, no home, a strict umask, a tuple."""
    here = Desk(desk.root.rename(tmp_path / "a[v2] ü"))
    here.edit("book/02_two.md", "seeds = 2", "seeds = 2\npair = (1, 2)")
    here.edit("book/02_two.md", "double(seeds)\n", "double(seeds)\nassert pair == (3, 4), pair\n")
    long = tmp_path / "t" / ("x" * 90)
    long.mkdir(parents=True)
    made = short.stat().st_mtime_ns
    there = here.environment() | {"TMPDIR": str(long), "HOME": "/nonexistent"}
    there["XDG_RUNTIME_DIR"] = str(short)  # its own: other tests' kernels come and go in /tmp
    command = [sys.executable, "-m", "falsestruct.cli", "run", "02_two", "-p", "pair=(3, 4)"]
    done = subprocess.run(
        command, cwd=here.root, env=there, capture_output=True, text=True, check=False, umask=0o027
    )
    assert done.returncode == 0, done.stdout + done.stderr
    notebook = here.file("_build/runs/own/notebooks/02_two.ipynb")
    assert notebook.stat().st_mode & 0o777 == 0o640
    assert list(long.iterdir()) == []
    assert list(short.iterdir()) == [] and short.stat().st_mtime_ns > made  # sockets were there


def test_sockets_lie_where_paths_are_short(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.delenv(staging.VARIABLE, raising=False)
    monkeypatch.setattr(staging.tempfile, "gettempdir", lambda: str(long))
    made = kernels.LocalKernel()
    assert made.transport == "ipc" and len(made.ip) < 90
    assert os.path.dirname(made.connection_file) == os.path.dirname(made.ip)
    made.cleanup_ipc_files()
    monkeypatch.setattr(staging, "LONGEST", 3)
    assert kernels.LocalKernel().transport == "tcp"


@pytest.mark.parametrize("ended", [True, False])
def test_sockets_of_a_killed_kernel_go_with_its_run(desk, monkeypatch, ended):
    with staging.folder(desk.book.build) as folder:
        monkeypatch.setenv(staging.VARIABLE, str(folder))
        made = staging.sockets()
        if not ended:  # killed: the next run finds it
            shutil.copytree(folder, folder.with_name("run-dead"), symlinks=True)
            (folder / made.name).unlink()
    assert made.exists() is not ended
    with staging.folder(desk.book.build):
        assert not made.exists()


def test_the_contents_are_kept_in_a_folder_with_brackets(desk, tmp_path):
    root = desk.root.rename(tmp_path / "a[v2]")
    config = SimpleNamespace(
        external_toc_exclude_missing=True, source_suffix={".md": None, ".ipynb": None},
        external_site_map={"book/02_two": None, "book/03_last.md": None}, exclude_patterns=["x"],
    )  # fmt: skip
    directives.only_contents(SimpleNamespace(srcdir=root), config)
    assert config.exclude_patterns == ["x", "book/01_one.md"]


# ---- 8. git may not rewrite what keys are made of ----


@pytest.mark.slow
def test_a_clone_with_other_line_ends_is_fresh(finished, tmp_path):
    shutil.copy(REPOSITORY / ".gitattributes", finished.root)
    commit_all(finished.root)
    git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", str(finished.root), "clone")
    book = Book(tmp_path / "clone")
    states = [
        chapters.state(book, chapter).state for chapter in chapters.read_chapters(book).values()
    ]
    assert states == [FRESH] * 3
    assert environment.commit(book.root) == git(finished.root, "rev-parse", "--short=12", "HEAD")


# ---- 10. what the reader asked to write ----


def test_a_link_is_written_through(tmp_path):
    target, link = tmp_path / "target.pdf", tmp_path / "link.pdf"
    link.symlink_to(target)
    for data in (b"first", b"second"):  # the target is made, then replaced
        figures.write_figure(link, data)
        assert link.is_symlink() and target.read_bytes() == data
    target.chmod(0o600)
    figures.write_figure(link, b"third")
    assert target.stat().st_mode & 0o777 == 0o600 and target.read_bytes() == b"third"


def test_a_pipe_is_written_to(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    figures.write_figure(fifo, b"drawn")
    assert os.read(reader, 100) == b"drawn" and fifo.is_fifo()
    os.close(reader)


@pytest.mark.slow
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_gets_the_figure_alone(finished_once, tmp_path, into):
    words = ("figure", "one-line", "--format", "svg", "-o", "/dev/stdout")
    command = [sys.executable, "-m", "falsestruct.cli", *words]
    with (tmp_path / "out.svg").open("wb") as file:
        done = subprocess.run(
            command, cwd=finished_once.root, env=finished_once.environment(), check=True,
            stdout=file if into == "file" else subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    got = (tmp_path / "out.svg").read_bytes() if into == "file" else done.stdout
    assert got.startswith(b"<?xml") and got.endswith(b"</svg>\n")
    assert done.stderr == b"/dev/stdout\n"


def test_a_new_file_has_the_mode_of_the_umask(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "_UMASK", 0o077)
    figures.write_figure(tmp_path / "x.pdf", b"")
    assert (tmp_path / "x.pdf").stat().st_mode & 0o777 == 0o600


# ---- 11. a network of the usual precision ----

NETWORK = "import torch\n\nnet = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(2))\n"


@pytest.mark.slow
def test_a_network_of_float32_is_told_what_to_do(desk, tmp_path):
    (tmp_path / "own_network.py").write_text(
        NETWORK + "net(torch.zeros(1, 32, 32))\n\ndef labels(x):\n    return net(x).argmax(1)\n"
    )
    command = [sys.executable, "-m", "falsestruct.cli", "audit", "own_network:labels"]
    there = desk.environment() | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*command, "--problem", "stripes"], cwd=tmp_path, env=there, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    err = done.stderr
    assert done.returncode == 2 and done.stdout == "" and err.count("\n") == 1
    assert "same dtype" in err and "x.to(torch.float32)" in err


def broken(_batch):
    raise ValueError("no")


@pytest.mark.parametrize("ask", [falsestruct.audit, falsestruct.search])
def test_a_network_of_float32_asked_by_hand_is_told_what_to_do(ask):
    net = torch.nn.Linear(4, 2)
    x, y = np.eye(4)[[0, 1] * 100], np.arange(200) % 2
    named = {"original": y, "false": 1 - y} if ask is falsestruct.audit else {"y": y}
    with pytest.raises(falsestruct.AuditError, match=r"same dtype.*; .*x\.to\(torch\.float32\)"):
        ask(lambda batch: net(torch.as_tensor(batch)).argmax(1), x, **named)
    with pytest.raises(falsestruct.AuditError, match=r"^predict raised.*ValueError: no$"):
        ask(broken, x, **named)


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        ("mat1 and mat2 must have the same dtype, but got Double and Float", True),
        ("expected scalar type Float but found Double", True),
        ("Input type (double) and bias type (float) should be the same", True),
        ("expected m1 and m2 to have the same dtype, but got: double != float", True),
        ("mat1 and mat2 must have the same dtype, but got Long and Float", False),
        ("expected scalar type Long but found Float", False),
        ("no double entry in float.csv", False),
    ],
)
def test_the_hint_is_for_float32_before_float64_and_nothing_else(said, is_so):
    assert (hints.hinted(said) != said) == is_so


# ---- 13. smaller ----


@pytest.mark.parametrize("name", ["random.py", "numpy.py", "pandas/__init__.py"])
def test_a_file_that_hides_a_module_is_named(desk, invoke, name):
    paths.write_atomically(desk.file(name), "")
    code, out, err = invoke(desk, "run")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert name.partition("/")[0] in err and "rename or move it" in err


def test_other_files_hide_nothing(desk):
    for name in ("mymodel.py", "tests/__init__.py", "notes/random.py"):
        paths.write_atomically(desk.file(name), "")
    surroundings.check_clone(desk.book)


def test_a_read_only_checkout_is_run_into_another_folder(desk, tmp_path, monkeypatch):
    def refuse(folder):
        raise UserError(f"can't write to {folder}")

    request = runner.Request(output=tmp_path / "out")
    assert runner._scratch(desk.book, request) == desk.book.build
    monkeypatch.setattr(runner, "make_folder", refuse)
    assert runner._scratch(desk.book, request) == tmp_path / "out" / "_build"


@pytest.mark.slow
def test_a_run_of_a_read_only_checkout(finished, tmp_path):
    """For root nothing is read-only: it runs without root's powers."""
    command = [sys.executable, "-m", "falsestruct.cli", "run", "02_two", "--force"]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("no setpriv: root can write everywhere")
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    before, out = finished.digest(), tmp_path / "out"
    folders = [finished.root, *(path for path in finished.root.rglob("*") if path.is_dir())]
    with harm.read_only(folders):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            subprocess.run(command, cwd=finished.root, env=finished.environment(), check=True,
                           capture_output=True, text=True)  # fmt: skip
        subprocess.run([*command, "--output", str(out)], cwd=finished.root, check=True,
                       env=finished.environment(), capture_output=True)  # fmt: skip
    assert refused.value.returncode == 2 and "can't write to" in refused.value.stderr
    assert (out / "notebooks/02_two.ipynb").exists() and finished.digest() == before


def test_the_version_is_told(desk, invoke):
    assert invoke(desk, "--version")[:2] == (0, "falsestruct 0.1.0\n")


def test_folds_hold_no_paragraph():
    body = '<p>a</p><summary class="x">\n<p class="y">b</p><path d=""/></summary><p>c</p>'
    context = {"body": body}
    valid.mend(None, "", "", context, None)
    assert context["body"] == (
        '<p>a</p><summary class="x">\n<span class="y">b</span><path d=""/></summary><p>c</p>'
    )


def test_the_ledger_carries_no_bytes_that_say_nothing():
    code = '<code class="docutils literal notranslate"><span class="pre">low</span></code>'
    two = "<dd><p>one</p>\n<p>two</p>\n</dd>"
    body = f"<dd><p>{code}</p>\n</dd>{two}<dd>x</dd>"
    light = f'<dd><code class="literal">low</code></dd>{two}<dd>x</dd>'
    for page, made in {valid.HEAVY: light, "book/other": body}.items():
        context = {"body": body}
        valid.lighten(None, page, "", context, None)
        assert context["body"] == made


# ---- what torture found: damaged files are one line ----


@pytest.mark.parametrize(
    ("name", "raw", "words", "said"),
    [
        ("book/evidence.json", b"[]", "claims", "has no records of claims"),
        ("book/claims/01_one.yml", b"\xff\xfe", "claims", "is no UTF-8 text"),
        ("book/01_one.md", b"---\nkernelspec: \xff\n---\n", "list", "is no UTF-8 text"),
        ("book/01_one.md", b"---\nkernelspec: {name: [}\n---\n# x\n", "list", "01_one.md: "),
        ("book/records.yml", b"- [", "record slow", "book/records.yml: "),
        ("book/records.yml", b"slow: 3", "record slow", "slow: expected a function and its tasks"),
        ("book/records.yml", b"slow: {function: no:f, tasks: []}", "record slow", "no module 'no'"),
        ("book/figures/one-line.json", b"{}", "figures", "is no record of a figure"),
        (
            "book/figures/one-line.csv",
            b"a\n1\n",
            "figure one-line -o x.pdf",
            "can't be drawn from its",
        ),
        ("book/figures/one-line.csv", None, "figure one-line -o x.pdf", "can't read "),
    ],
)
def test_a_damaged_file_is_one_line(finished, invoke, name, raw, words, said):
    path = finished.file(name)
    path.unlink(missing_ok=True)
    if raw is not None:
        path.write_bytes(raw)
    code, out, err = invoke(finished, *words.split())
    assert (code, out) == (2, "") and err.startswith("falsestruct: ")
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_no_room_is_one_line_wherever_it_is_met(desk, invoke, monkeypatch, number):
    """Semaphores of workers are files, too."""

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), "/dev/shm/x")

    monkeypatch.setattr(records, "make", refuse)
    code, out, err = invoke(desk, "record", "slow")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert err == f"falsestruct: {os.strerror(number)}: /dev/shm/x; free some space\n"


def test_other_errors_of_the_system_are_not_hidden(desk, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(records, "make", refuse)
    monkeypatch.chdir(desk.root)
    monkeypatch.setattr(sys, "argv", ["falsestruct", "record", "slow"])
    with pytest.raises(OSError, match="Input/output"):
        cli.main()


def test_torture_is_not_in_the_gate():
    lines = (REPOSITORY / "Makefile").read_text().partition("\ntest: ")[2].partition("\n\n")[0]
    assert "torture" not in lines
    assert not list((REPOSITORY / "tests" / "torture").glob("test_*.py"))
