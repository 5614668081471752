"""The command line as a reader meets it: JSON, exit codes, one clear line."""

import csv
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pybtex.database import parse_string
from rich.console import Console

from falsestruct import cli
from falsestruct.press.notebook import claims, figures
from falsestruct.press.paths import Book
from falsestruct.press.run import records
from falsestruct.press.run.chapters import Job, Result
from falsestruct.press.run.runner import Points
from falsestruct.press.site import citing
from falsestruct.problems.planted import registry

ROOT = Path(__file__).parents[1]

# ---- usage errors: one line, exit 2, nothing changed ----


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "01_on"), "no chapter '01_on'; there are 01_one"),
        (("run", "zzz"), "no chapter 'zzz'; there are 01_one, 02_two, 03_last"),
        (("run", "01_one", "zzz"), "no chapter 'zzz'"),
        (("run", "-p", "seed=3"), "no chosen chapter has a parameter 'seed'; they have name"),
        (("run", "02_two", "-p", "scale=3"), "no chosen chapter has a parameter 'scale'"),
        (("run", "-p", "seeds"), "-p seeds: expected NAME=VALUE"),
        (("run", "-p", "=3"), "expected NAME=VALUE"),
        (("run", "-p", "seeds=abc"), "01_one, parameter seeds: 'abc' is no int"),
        (("run", "-p", "seeds=3.5"), "01_one, parameter seeds: 3.5 is float, expected int"),
        (("run", "-p", "widths=3"), "parameter widths: 3 is int, expected list"),
        (("run", "-p", "seeds=abc", "--output", "elsewhere"), "'abc' is no int"),
        (("run", "--profile", "slow"), "no profile 'slow'; one of quick, book, paper"),
        (("run", "--jobs", "0"), "jobs is 0; expected at least 1"),
        (("run", "--scheduler", "here"), "scheduler 'here': expected tcp://HOST:PORT, as `dask"),
        (("run", "--scheduler", "http://a:1"), "scheduler 'http://a:1': expected tcp://HOST:PORT"),
        (("run", "--jobs", "0", "--scheduler", "tcp://a:1"), "jobs is 0; expected at least 1"),
        (("run", "--output", "requirements.txt/below"), "can't write to "),
        (("run", "--output", "requirements.txt"), "can't write to "),
        (("run", "--profile", "quick", "--output", "book"), "it belongs to the book"),
        (("claims", "--output", "nowhere"), "no results in nowhere"),
        (("figures", "--output", "nowhere"), "no results in nowhere"),
        (("cite", "one-lin"), "no chapter, figure or claim 'one-lin'; did you mean one-line"),
        (("cite", "1_one"), "no chapter, figure or claim '1_one'; did you mean 01_one"),
        (("new", "Two words"), "slug 'Two words': expected lower-case words"),
        (("new", "two"), "slug 'two' is taken by 02_two"),
        (("new", "three"), "_toc.yml is missing"),
        (("figure", "one-line", "--style", "poster", "-o", "x.pdf"), "style 'poster': expected"),
        (("figure", "one-lime", "-o", "x.pdf"), "no figure 'one-lime'; did you mean one-line"),
        (("figure", "one-line", "--width", "wide", "-o", "x.pdf"), "width 'wide': expected a"),
        (("figure", "one-line", "-o", "x.gif"), "format 'gif': expected one of svg, pdf, png"),
        (("figure", "one-line", "-o", "x"), "format '': expected one of"),
        (("figure", "one-line", "--font-size", "0", "-o", "x.pdf"), "expected positive sizes"),
        (("record", "zzz"), "no recorded run 'zzz'"),
    ],
)
def test_a_usage_error_is_one_line_and_changes_nothing(labelled, invoke, words, message):
    before = labelled.digest()
    code, out, err = invoke(labelled, *words)
    assert code == 2 and out == ""
    assert err.startswith("falsestruct: ") and message in err and err.count("\n") == 1
    assert labelled.digest() == before


def test_the_environment_can_name_the_scheduler(desk, invoke, monkeypatch):
    monkeypatch.setenv("FALSESTRUCT_SCHEDULER", "there")
    code, _, err = invoke(desk, "run")
    assert code == 2 and err.startswith("falsestruct: scheduler 'there': expected")


def test_help_tells_how_to_use_a_cluster(desk, invoke):
    code, out, _ = invoke(desk, "run", "--help")
    text = " ".join(re.sub(r"[│╭╰─╮╯]", " ", out).split())
    assert code == 0 and "--scheduler ADDRESS" in text and "FALSESTRUCT_SCHEDULER" in text
    assert "falsestruct run --profile paper --scheduler tcp://127.0.0.1:8786" in text
    assert "_build/sweeps" in text


COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
EXAMPLE = re.compile(r"^ +(falsestruct .+?) *$", re.M)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_help_has_examples_that_fit_a_terminal(desk, invoke, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = invoke(desk, *([command] if command else []), "--help")
    assert code == 0 and max(map(len, out.splitlines())) <= 80
    examples = EXAMPLE.findall(out.partition("Examples:")[2])
    info = {c.name or c.callback.__name__: c for c in cli.app.registered_commands}
    written = info[command].epilog if command else cli.app.info.epilog
    # Each stands on one line, as it was written, so that it can be copied.
    assert examples and "\n".join(examples) in written
    assert all(example.split()[1] == command or command is None for example in examples)


def typed(text):
    """The commands of a page or a help: their words, as a shell splits them."""
    lines = re.findall(r"^(?:\$ )?falsestruct [^\n]+$", text, re.M)
    return [shlex.split(line.replace("\\", ""), comments=True)[1:] for line in lines]


PAGES = {name: (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md")}
PAGES |= {"help": "\n".join(str(c.epilog) for c in [*cli.app.registered_commands, cli.app.info])}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_name_what_there_is(page):
    """Commands, options, chapters, figures and claims."""
    commands = typer.main.get_command(cli.app).commands
    real = Book(ROOT)
    known = {*citing.titles(real), *claims.read_claims(real), *records.plan(real)}
    known |= {record.id for record in figures.all_figures(real.published)}
    examples = typed(PAGES[page])
    assert examples
    for words in examples:
        if words[0].isupper():  # falsestruct COMMAND --help
            continue
        options = {option for p in commands[words[0]].params for option in p.opts} | {"--help"}
        assert {word for word in words if re.match("--?[a-z]", word)} <= options, words
        if words[0] in ("cite", "figure", "record", "run"):
            ids = [word for word in words[1:2] if word[0] not in "->" and word[:3] != "NN_"]
            assert set(ids) <= known, words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rnu",), "No such command 'rnu'. Did you mean 'run'"),
        (("run", "--forse"), "No such option: --forse (Possible options: --force"),
        (("figure", "one-line"), "Missing option '-o'"),
        (("run", "--jobs", "many"), "Invalid value for '--jobs': Input should be a valid integer"),
        (("audit", "m:f"), "either --data PATH or --problem NAME"),
        (("audit", "m:f", "--problem", "stripes", "--data", "x"), "either --data PATH or"),
        (("search", "m:f"), "say what to ask it about: --data PATH"),
    ],
)
def test_a_mistyped_command_is_explained(labelled, invoke, monkeypatch, words, message):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, err = invoke(labelled, *words)
    assert code == 2 and out == "" and err.startswith("falsestruct: ")
    assert message in err and err.count("\n") == 1


@pytest.fixture
def labelled(desk):
    """A book with one figure, without running anything."""
    folder = desk.book.published.figures
    folder.mkdir()
    record = {
        "id": "one-line",
        "chapter": "01_one",
        "plot": "falsestruct.chapters.one.figures:line",
    }
    record |= {"options": {}, "caption": "A caption.", "alt": "A line.", "about": {}}
    (folder / "one-line.json").write_text(json.dumps(record))
    (folder / "one-line.csv").write_text("x,y\n1,2\n")
    return desk


EMPTY = "---\nkernelspec: {display_name: Python, name: python3}\n---\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("book/claims/01_one.yml", "- [", "book/claims/01_one.yml"),
        ("book/01_one.md", EMPTY, "01_one.md: the first code cell"),
        ("book/evidence.json", "<<<<<<< ours", "is no JSON"),
    ],
)
@pytest.mark.parametrize("command", ["claims", "run"])
def test_a_broken_source_is_one_line(labelled, invoke, name, text, message, command):
    labelled.file(name).write_text(text)
    if name.endswith(".json"):
        labelled.file("notebooks").mkdir()
        labelled.file("notebooks/01_one.ipynb").write_text('{"metadata": {}}')
    code, _, err = invoke(labelled, command)
    assert code == 2 and message in err and err.count("\n") == 1


def test_outside_of_a_book(desk, invoke, tmp_path):
    code, _, err = invoke(type(desk)(tmp_path), "list")
    assert code == 2 and "no book in" in err


def test_building_needs_notebooks(desk, invoke):
    code, _, err = invoke(desk, "build")
    assert code == 2 and "no notebook for 01_one, 02_two, 03_last: run `falsestruct run`" in err


def test_a_chapter_that_was_never_run(desk, invoke):
    code, out, _ = invoke(desk, "list", "--json")
    assert code == 0
    assert json.loads(out)[0] == {"chapter": "01_one", "state": "never run", "seconds": None}


def test_without_records_the_ledger_is_not_in_order(desk, invoke):
    code, out, err = invoke(desk, "claims", "--json")
    assert code == 1 and json.loads(out)["ok"] is False
    assert err == "one-holds has no record: run `falsestruct run 01_one`\n"


# ---- after one whole run ----


@pytest.mark.slow
def test_list(finished_once, invoke):
    code, out, err = invoke(finished_once, "list", "--json")
    rows = json.loads(out)
    assert code == 0 and err == ""
    assert [set(row) for row in rows] == [{"chapter", "state", "seconds"}] * 3
    assert [row["chapter"] for row in rows] == ["01_one", "02_two", "03_last"]
    assert {row["state"] for row in rows} == {"fresh"}
    assert all(isinstance(row["seconds"], float) and row["seconds"] > 0 for row in rows)
    code, out, _ = invoke(finished_once, "list")
    assert code == 0 and re.search(r"02_two +fresh +[0-9.]+", out)


@pytest.mark.slow
def test_claims(finished_once, invoke):
    code, out, err = invoke(finished_once, "claims", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "ok": True,
        "claims": [
            {
                "id": "one-holds", "chapter": "01_one", "predicted": "supported",
                "pinned": "supported", "verdict": "supported",
                "value": 3.0, "low": 3.0, "high": 3.0, "n": 1,
            }
        ],
    }  # fmt: skip
    code, out, _ = invoke(finished_once, "claims")
    assert code == 0 and "one-holds" in out


@pytest.mark.slow
def test_figures(finished_once, invoke):
    code, out, err = invoke(finished_once, "figures", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [{"id": "one-line", "chapter": "01_one", "caption": "A caption."}]


@pytest.mark.slow
def test_a_run_with_nothing_changed_executes_nothing(finished_once, invoke):
    before = finished_once.digest()
    code, out, err = invoke(finished_once, "run")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert re.fullmatch(r"chapters: 0 run, 3 skipped, 0 failed, \d+ s", first)
    assert second == "claims: 1 supported, 0 refuted, 0 inconclusive, 0 unexpected"
    assert finished_once.digest() == before


@pytest.mark.slow
def test_a_run_with_nothing_changed_loads_nothing_heavy(finished_once):
    # Such a run consists of imports: it takes as long as they do.
    text = (
        "import sys\nfrom falsestruct import cli\nsys.argv = ['falsestruct', 'run']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    print(*sys.modules, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=finished_once.root, env=finished_once.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "chapters: 0 run, 3 skipped" in done.stdout
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()}
    heavy = {"distributed", "IPython", "matplotlib", "pandas", "papermill", "scipy", "torch"}
    assert "falsestruct" in loaded and not loaded & heavy


CLAIMS = "book/claims/01_one.yml"
RECORDED = "slow:\n  chapter: 01_one\n  function: falsestruct.problems.one:value\n  tasks: [{}]\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (
            lambda desk: desk.edit(CLAIMS, "pinned: supported", "pinned: refuted"),
            "one-holds came out supported, pinned is refuted",
        ),
        (
            lambda desk: desk.edit(CLAIMS, '">= 3"', '"> 3"'),
            "one-holds came out inconclusive, pinned is supported",
        ),
        (
            lambda desk: desk.edit("falsestruct/problems/one.py", "1.0", "2.0"),
            "one-holds has a record older than its chapter: run `falsestruct run 01_one`",
        ),
        (lambda desk: desk.file("book/evidence.json").unlink(), "one-holds has no record"),
        (
            lambda desk: desk.file(CLAIMS).write_text(""),
            "one-holds has a record but is not in book/claims",
        ),
        (
            lambda desk: desk.file("book/records.yml").write_text(RECORDED),
            "slow the recorded run 'slow' was never made",
        ),
    ],
)
def test_claims_that_are_not_in_order(finished, invoke, spoil, line):
    spoil(finished)
    code, out, err = invoke(finished, "claims", "--json")
    assert code == 1 and json.loads(out)["ok"] is False
    assert err.startswith(line) and err.count("\n") == 1


@pytest.mark.slow
def test_an_outdated_recorded_run(finished, invoke):
    finished.file("book/records.yml").write_text(RECORDED)
    record = {"id": "slow", "tasks": [{}], "code_key": "another", "seconds": [1]}
    record["table"] = {"columns": ["x"], "data": [[1]]}
    finished.file("book/records").mkdir()
    finished.file("book/records/slow.json").write_text(json.dumps(record))
    code, _, err = invoke(finished, "claims")
    assert code == 1
    assert err == "slow is a recorded run of other code: run `falsestruct record slow`\n"


@pytest.mark.slow
def test_only_the_pinned_verdict_has_to_come_out(finished, invoke):
    finished.edit(CLAIMS, "predicted: supported", "predicted: refuted")
    code, out, err = invoke(finished, "claims", "--json")
    assert (code, err) == (0, "") and json.loads(out)["claims"][0]["predicted"] == "refuted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "verdict", "pinned"),
    [
        ("pinned: supported", "pinned: refuted", "supported", "refuted"),
        ('">= 3"', '"> 4"', "refuted", "supported"),
    ],
)
def test_a_changed_claim_makes_no_chapter_stale(finished, invoke, old, new, verdict, pinned):
    """And the run says what comes of it, although it executes nothing."""
    finished.edit(CLAIMS, old, new)
    code, out, _ = invoke(finished, "run")
    assert code == 1 and "0 run, 3 skipped" in out
    assert f"unexpected: one-holds came out {verdict}, pinned is {pinned}" in out
    assert finished.evidence()["one-holds"]["verdict"] == verdict


@pytest.mark.slow
def test_an_unexpected_verdict_is_published_honestly(finished):
    """Editing one helper runs its one chapter."""
    finished.edit("falsestruct/problems/one.py", "1.0", "0.5")
    done = finished.call("run")
    assert done.returncode == 1
    assert "unexpected: one-holds came out refuted, pinned is supported" in done.stdout
    assert "chapters: 1 run, 2 skipped, 0 failed" in done.stdout
    assert "claims: 0 supported, 1 refuted, 0 inconclusive, 1 unexpected" in done.stdout
    entry = finished.evidence()["one-holds"]
    assert (entry["verdict"], entry["value"]) == ("refuted", 1.5)
    with finished.file("book/figures/one-line.csv").open() as file:
        assert [row["y"] for row in csv.DictReader(file)] == ["1.5", "0.1"]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert re.fullmatch(r"\[1/1\] 01_one done, \d+ s, about 0 s left", line)


@pytest.mark.slow
def test_quick_and_changed_parameters_go_elsewhere(finished, invoke, tmp_path):
    before, out = finished.digest(), str(tmp_path / "out")
    words = ("--profile", "quick", "-p", "widths=[3, 4]", "--output", out)
    done = finished.call("run", *words, "01_one")
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished.digest() == before and f"results: {out}" in done.stdout
    code, ledger, _ = invoke(finished, "claims", "--json", "--output", out)
    assert code == 0 and json.loads(ledger)["claims"][0]["value"] == 4.0
    code, listed, _ = invoke(finished, "figures", "--json", "--output", out)
    assert code == 0 and json.loads(listed)[0]["id"] == "one-line"
    assert (tmp_path / "out/figures/one-line.csv").read_text() == "x,y\n3,4.0\n4,0.1\n"
    notebook = json.loads((tmp_path / "out/notebooks/01_one.ipynb").read_text())
    assert notebook["metadata"]["falsestruct_run"]["parameters"] == {
        "seeds": 4, "scale": 1.5, "widths": [3, 4], "name": "one", "profile": "quick",
    }  # fmt: skip
    assert finished.evidence()["one-holds"]["value"] == 3.0


@pytest.mark.slow
def test_a_figure_in_a_papers_size(finished_once, tmp_path):
    before, file = finished_once.digest(), tmp_path / "new" / "figure.out"
    size = ("--width", "3.25in", "--font-size", "8", "--format", "pdf", "-o", str(file))
    done = finished_once.call("figure", "one-line", *size)
    assert done.returncode == 0 and done.stdout == f"{file}\n", done.stderr
    pdf = file.read_bytes()
    assert pdf.startswith(b"%PDF") and b"/MediaBox [ 0 0 234 117 ]" in pdf
    assert done.stderr == "" and finished_once.digest() == before


def test_what_is_too_narrow_to_read_is_said(labelled, invoke, monkeypatch):
    def redraw(*_, width, font_size, style, format):
        assert (width, font_size, style, format) == (1.0, None, "paper", "svg")
        return b"drawn", ['"a" touches "b"', '"c" touches "d"']

    monkeypatch.setattr(cli.figures, "redraw", redraw)
    words = ("one-line", "--style", "paper", "--width", "1in", "-o", "x.svg")
    code, out, err = invoke(labelled, "figure", *words)
    assert code == 0 and out == "x.svg\n" and labelled.file("x.svg").read_bytes() == b"drawn"
    assert err == (
        'falsestruct: too narrow for its texts: "a" touches "b" and 1 more; '
        "try a larger --width or a smaller --font-size\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "key", "note"),
    [
        ((), "falsestruct", "Version 0.1.0"),
        (("01_one",), "falsestruct:01-one", r"chapter 01\_one"),
        (("one-line",), "falsestruct:one-line", r"chapter 01\_one"),
        (("one-holds",), "falsestruct:claim:one-holds", "supported, 3 (exact)"),
    ],
)
def test_cite(finished_once, invoke, words, key, note):
    code, out, err = invoke(finished_once, "cite", *words)
    assert code == 0 and err.startswith("falsestruct: commit unknown: not a git repository")
    [(found, entry)] = parse_string(out, "bibtex").entries.items()
    assert found == key and entry.type == "misc"
    assert note in entry.fields["note"] and "commit unknown" in entry.fields["note"]


@pytest.mark.slow
def test_build(finished, invoke, monkeypatch):
    """The book's own build has its own test; here: what is called, and what comes of it."""
    calls, shown = [], []

    def fake(command, check, capture_output, text, env):
        calls.append(command)
        shown.append(env["FALSESTRUCT_OUTPUT"])
        page = finished.file("_build/html/book/index.html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("")
        return subprocess.CompletedProcess(command, len(calls) - 1, "what Sphinx said", "warned\n")

    monkeypatch.setattr(cli.subprocess, "run", fake)
    code, out, _ = invoke(finished, "build")
    assert code == 0 and out == f"open {finished.root}/_build/html/book/index.html\n"
    code, out, err = invoke(finished, "build", "--strict")
    assert code == 1 and out == "what Sphinx said\n" and err.endswith("warned\n")
    assert Path(calls[0][0]).name == "jupyter-book" and "-W" not in calls[0]
    assert {"-W", "-n", "--keep-going", "--all"} <= set(calls[1])
    other = finished.file("other")
    (other / "_build/html/book").mkdir(parents=True)
    (other / "_build/html/book/index.html").write_text("")
    invoke(finished, "build", "--output", "other")
    assert shown == ["", "", str(other)]  # the folder whose results the pages show
    assert calls[2][-2:] == ["--path-output", str(other)]


# ---- progress ----


def job(name):
    return Job(Path(), name, {}, {}, "", Path(), 1)


def test_the_log_has_a_line_a_chapter(capsys):
    with cli._LogReporter(2) as log:
        log.started([job("a"), job("b"), job("c")], {"a": 10.0, "b": 4.0, "c": 0.0})
        log.progressed("a", 1)
        log.finished(Result(job("b"), 6.0))
        log.finished(Result(job("a"), 8.0, "cell 1: no"))
        log.finished(Result(job("c"), 1.0))
    assert capsys.readouterr().out.splitlines() == [
        "[1/3] b done, 6 s, about 10 s left",  # a and c (as long as b), two at a time: max(10, 8)
        "[2/3] a failed, 8 s, about 7 s left",  # c, as long as b and a on average
        "[3/3] c done, 1 s, about 0 s left",
    ]


def test_the_bars_count_cells():
    console = Console(force_terminal=True, width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    bars = cli._BarReporter({"a": 4, "b": 3}, console)
    with bars:
        bars.started([job("a"), job("b")], {"a": 12.0, "b": 0.0})
        told = [task.fields for task in bars.progress.tasks]
        assert told == [{"what": "waits, last time 12 s"}, {"what": "waits"}]
        bars.progressed("a", 2)
        assert bars.progress.tasks[0].fields["what"] == "about 12 s left"
        assert not bars.progress.tasks[1].started  # it waits for a core
        bars.progressed("a", 2, Points(12, 45, 30.4))
        assert bars.progress.tasks[0].fields["what"] == "points 12/45, 30 s left"
        bars.progressed("b", 0)
        assert bars.progress.tasks[1].fields["what"] == "runs"  # never before: nobody knows
        bars.progressed("b", 0, Points(0, 45, None))
        console.print(bars.progress.get_renderable())
        bars.progressed("a", 5)  # papermill's own cell of parameters
        bars.progressed("b", 1)
        bars.finished(Result(job("a"), 1.0))
        bars.finished(Result(job("b"), 1.0, "cell 2: no"))
    text = console.export_text()
    assert re.search(r"a ━+ cells 4/4 \S+ done", text)
    assert re.search(r"b \S+ cells 1/3 \S+ failed", text)
    assert re.search(r"cells 2/4 .* points 12/45, 30 s left", text)
    assert re.search(r"cells 0/3 .* points 0/45\s*$", text, re.M)
    longest = max(map(len, citing.titles(Book(ROOT))))
    assert longest + len(" ━━━━━━━━━━ cells 12/12 0:12:34 points 120/450, 300 s left") <= 80


@pytest.mark.slow
def test_a_terminal_gets_bars(finished):
    shutil.rmtree(finished.file("notebooks"))
    for name in ("01_one", "03_last"):
        finished.file(f"book/{name}.md").unlink()
    finished.file(CLAIMS).unlink()
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "falsestruct.cli", "run"], cwd=finished.root,
        env=finished.environment() | {"TERM": "xterm"}, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    try:
        while part := os.read(master, 4096):
            seen += part
    except OSError:  # how Linux says that the other end is closed
        pass
    assert process.wait(timeout=60) == 0
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen).decode()
    assert "━" in text and re.search(r"02_two.* cells 2/2 .* done", text)
    assert "chapters: 1 run, 0 skipped, 0 failed" in text


# ---- audit: the reader's own network ----

READERS = """
print("a model that talks")


def colour(x):
    print("here too")
    return x.mean((1, 2)) < 3 / 32


def score(x):
    return x.mean((1, 2))


def constant(x):
    return [1] * len(x)


def broken(x):
    return x @ x.no_such_thing


number = 3
"""


@pytest.fixture
def reader(desk, invoke, monkeypatch):
    """`falsestruct audit` in a folder with the reader's module."""
    desk.file("readers.py").write_text(READERS)
    desk.file("ends.py").write_text("import sys\n\nsys.exit(3)\n")
    desk.file("wrong.py").write_text("import no_such_module\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("readers", "ends", "wrong"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return lambda *words: invoke(desk, "audit", *words)


def test_the_help_of_an_audit_names_every_problem():
    assert f"One of {', '.join(registry.PROBLEMS)}." == cli.AUDITED


def test_an_audit_prints_the_json_agreed(reader):
    words = ("readers:colour", "--problem", "stripes", "--points", "3", "--json")
    code, out, err = reader(*words)
    found = json.loads(out)
    assert code == 0 and "a model that talks" in err and "here too" in err
    assert list(found) == ["captures", "success", "instability", "verdict", "sentence"]
    assert found["captures"][1] == {
        "structure": "colour", "share": 1.0, "low": pytest.approx(0.05 ** (1 / 60)), "high": 1.0,
    }  # fmt: skip
    assert found["verdict"] == "colour" and found["success"] == 1.0
    assert found["instability"] == pytest.approx({"l2": 3.2, "linf": 0.1}, rel=1e-6)
    assert reader(*words)[1] == out


def test_an_audit_for_a_person(reader):
    code, out, _ = reader("readers:colour", "--problem", "stripes", "--strength", "0.05",
                          "--points", "3")  # fmt: skip
    assert code == 0 and out.startswith("verdict: colour\nIt is right on 100 % ")
    assert re.search(r"^colour +1 +0.951 +1 *$", out, re.M)
    assert out.endswith("smallest perturbations found, medians: l2 1.6, linf 0.05\n")


def test_a_constant_answer_is_found_not_refused(reader):
    code, out, _ = reader("readers:constant", "--problem", "oscillation", "--json")
    found = json.loads(out)
    assert code == 0 and found["verdict"] == "none"
    assert found["instability"] == {"l2": None, "linf": None}
    assert found["sentence"].startswith("It answers 1 to every input")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("readers:score", "--problem", "stripes"), "labels other than 0 and 1"),
        (("readers:broken", "--problem", "stripes"), "predict raised AttributeError on a batch of"),
        (("readers:none", "--problem", "stripes"), "readers has no function 'none'"),
        (("readers:number", "--problem", "stripes"), "readers has no function 'number'"),
        (("readers", "--problem", "stripes"), "'readers': expected MODULE:FUNCTION"),
        ((":f", "--problem", "stripes"), "expected MODULE:FUNCTION"),
        (("wrong:f", "--problem", "stripes"), "can't import wrong: ModuleNotFoundError"),
        (("ends:f", "--problem", "stripes"), "can't import ends: SystemExit: 3"),
        (("readers:colour", "--problem", "stripe"), "no problem 'stripe'; expected one of stripes"),
        (("readers:colour", "--problem", "stripes", "--strength", "-1"), "strength is -1.0"),
        (("readers:colour", "--problem", "stripes", "--strength", "0"), "plants nothing"),
        (("readers:colour", "--problem", "oscillation", "--strength", "0"), "delta > 0"),
        (("readers:colour", "--problem", "stripes", "--samples", "0"), "samples is 0"),
    ],
)
def test_what_can_not_be_audited_is_one_line(reader, words, message):
    code, out, err = reader(*words)
    last = err.strip().splitlines()[-1]
    assert code == 2 and out == ""
    assert last.startswith("falsestruct: ") and message in last
