"""Runs of several chapters, with real kernels; see also tests/test_cli.py."""

import base64
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from falsestruct.press.notebook import claims
from falsestruct.press.paths import UserError
from falsestruct.press.run import chapters, cluster, runner
from falsestruct.press.run.runner import Points, Request, destination

CHAPTERS = ("01_one", "02_two", "03_last")


class Silent:
    def started(self, jobs, expected):
        self.jobs = jobs

    def progressed(self, chapter, cells, points=None):
        self.told = (chapter, cells, points)

    def finished(self, result):
        pass


# ---- without kernels ----


@pytest.mark.parametrize(
    ("request_", "folder"),
    [
        (Request(), "book"),
        (Request(force=True, names=("01_one",)), "book"),
        (Request(profile="quick"), "_build/runs/quick"),
        (Request(profile="paper"), "_build/runs/paper"),
        (Request(parameters={"seeds": "5"}), "_build/runs/own"),
    ],
)
def test_only_the_books_own_parameters_reach_the_book(desk, request_, folder):
    assert destination(desk.book, request_).folder == desk.root / folder


@pytest.mark.parametrize("folder", [".", "book", "book/figures", "notebooks", "falsestruct/x"])
def test_the_book_is_no_place_for_other_results(desk, folder):
    """--output book --profile quick would replace the book's evidence."""
    with pytest.raises(UserError, match="it belongs to the book"):
        destination(desk.book, Request(profile="quick", output=desk.root / folder))


def test_one_worker_a_core_or_as_many_as_asked():
    assert runner.workers(Request()) == os.cpu_count()
    assert runner.workers(Request(jobs=3)) == 3


@pytest.fixture
def fake(desk, monkeypatch):
    """A run whose chapters take no time: what would be executed, and with what."""
    jobs = []

    def results(given, at_once, progressed):
        jobs.extend(given)
        return iter(())

    monkeypatch.setattr(runner, "_results", results)

    def call(**changes):
        jobs.clear()
        runner.run(desk.book, Request(**changes), Silent())
        return {job.chapter: job for job in jobs}

    return call


def test_threads_are_divided(fake, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for jobs, threads in ((1, 8), (3, 2), (8, 1), (100, 1), (None, 1)):
        assert {job.threads for job in fake(jobs=jobs).values()} == {threads}


class Client:
    """Of a cluster with five threads."""

    def nthreads(self):
        return {"tcp://a:1": 3, "tcp://b:1": 2}


@pytest.mark.parametrize(("jobs", "at_once"), [(None, 5), (3, 3)])
def test_on_a_cluster_a_thread_is_a_core(desk, monkeypatch, jobs, at_once):
    """Nothing runs here then."""
    found = {}

    def results(client, given, now, progressed):
        assert isinstance(client, Client) and now() == at_once
        found.update({job.chapter: job.threads for job in given})
        return iter(())

    monkeypatch.setattr(cluster, "connect", lambda address: {"tcp://x:1": Client()}[address])
    monkeypatch.setattr(cluster, "results", results)
    monkeypatch.setattr(runner, "_start", None)
    request = Request(jobs=jobs, scheduler="tcp://x:1")
    assert runner.workers(request) == at_once
    runner.run(desk.book, request, Silent())
    assert found == dict.fromkeys(CHAPTERS, 1)


def test_only_the_books_own_runs_compute_every_point_anew(fake, desk):
    """And whoever says --force."""
    kept = desk.root / "_build/sweeps"
    for changes, folder in [
        ({}, None),
        ({"force": True}, None),
        ({"output": desk.root / "elsewhere"}, None),
        ({"profile": "paper"}, kept),
        ({"profile": "quick"}, kept),
        ({"parameters": {"seeds": "7"}}, kept),
        ({"profile": "paper", "force": True}, None),
    ]:
        assert {job.sweeps for job in fake(**changes).values()} == {folder}


@pytest.mark.parametrize("attempt", ["", "attempt-b"])
def test_how_far_a_chapter_is(desk, attempt):
    """Of several attempts, the last; half a file tells nothing, nor does a sweep that is done."""
    job = chapters.Job(desk.root, "01_one", {}, {}, "", desk.root / "staged", 1)
    told = Silent()
    runner._tell(job, told)
    assert told.told == ("01_one", 0, None)
    folder = job.staging / attempt
    if attempt:
        old = job.staging / "attempt-c"
        old.mkdir(parents=True)
        (old / "progress").write_text("9")
        (old / "run.json").touch()
        os.utime(old / "run.json", (1, 1))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").touch()
    (folder / "progress").write_text("3")
    for text, points in [
        ('{"done": 12, "total": 45, "failed": 1, "left": 30.5}', Points(12, 45, 30.5)),
        ('{"done": 0, "total": 45, "failed": 0, "left": null}', Points(0, 45, None)),
        ('{"done": 12, "tot', None),
        ('{"done": 45, "total": 45, "failed": 0, "left": 0}', None),
    ]:
        (folder / "points.json").write_text(text)
        runner._tell(job, told)
        assert told.told == ("01_one", 3, points)


def test_a_parameter_goes_to_the_chapters_that_have_it(fake):
    found = fake(parameters={"seeds": "7", "scale": "2"}, profile="quick")
    assert found["01_one"].changed == {"seeds": 7, "scale": 2.0, "profile": "quick"}
    assert found["02_two"].changed == {"seeds": 7, "profile": "quick"}
    assert found["01_one"].parameters["widths"] == [1, 2]


def test_a_profile_changes_what_the_header_says(fake):
    assert fake(profile="quick")["01_one"].changed == {"seeds": 4, "profile": "quick"}
    assert fake(profile="paper")["01_one"].changed == {"profile": "paper"}
    assert fake()["01_one"].changed == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("31_page", "31_page is a page and isn't run: `falsestruct build` shows"),
        ("21_page", "'21_page' is 31_page now, which is a page and isn't run"),
        ("22_two", "no chapter '22_two': it is 02_two now; run `falsestruct run 02_two`"),
        ("two", "it is 02_two now"),
        ("01_on", "no chapter '01_on'; there are 01_one"),
    ],
)
def test_old_names_and_pages_are_explained(desk, name, message):
    desk.file("book/31_page.md").write_text("# A page\n")
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        runner.select(desk.book, Request(names=(name,)))
    assert "\n" not in str(caught.value)


def test_half_written_files_of_a_killed_run_are_removed(fake, desk):
    for folder in ("book", "notebooks", "book/figures"):
        desk.file(folder).mkdir(exist_ok=True)
        desk.file(f"{folder}/.x.json.abc.part").write_text("half")
    fake()
    assert not list(desk.root.rglob("*.part"))


# ---- one whole run ----


@pytest.mark.slow
def test_all_results_are_there(finished_once):
    desk = finished_once
    assert sorted(p.stem for p in desk.file("notebooks").iterdir()) == list(CHAPTERS)
    names = sorted(p.name for p in desk.file("book/figures").iterdir())
    assert names == sorted(f"one-line.{k}" for k in ("csv", "json", "pdf", "png", "svg"))
    entry = desk.evidence()["one-holds"]
    assert (entry["value"], entry["verdict"]) == (3.0, "supported")
    assert entry["parameters"]["seeds"] == 3 and entry["seconds"] > 0
    assert entry["environment"]["threads"] == 1


@pytest.mark.slow
def test_nothing_is_left_behind(finished_once):
    build = finished_once.root / "_build"
    assert [path.name for path in (build / "staging").iterdir()] == ["lock"]
    assert not (build / "failed").exists() and not list(finished_once.root.rglob("*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_notebook_is_clean(finished_once, name):
    notebook = finished_once.notebook(name)
    assert set(notebook["metadata"]) <= {"falsestruct", "falsestruct_run", "jupytext", "kernelspec"}
    for index, cell in enumerate(notebook["cells"]):
        assert cell["id"] == f"cell-{index:03d}"
        assert set(cell["metadata"]) <= {"tags"} and cell["metadata"].get("tags") != []
        assert "injected-parameters" not in cell["metadata"].get("tags", [])


@pytest.mark.slow
def test_syncing_changes_nothing(finished):
    """Text and notebook are a pair, byte for byte."""
    before = finished.digest()
    command = [sys.executable, "-m", "jupytext", "--sync", *finished.file("notebooks").iterdir()]
    done = subprocess.run(command, cwd=finished.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert finished.digest() == before


# ---- runs that go wrong; each starts from a finished book ----

BAD = {
    "01_one": ("raise ZeroDivisionError('no\\nway')", "code cell 4 (`raise", "no way"),
    "02_two": ("import os\nos._exit(1)", "code cell 3: DeadKernelError", ""),
    "04_nan": (
        "from falsestruct import statistics\nstatistics.exact(float('nan'))",
        "code cell 2 (`from falsestruct",
        "ValueError: value and interval are (nan",
    ),
    "05_unstated": (
        "from falsestruct import statistics as s\n"
        "from falsestruct.press.notebook import claims\n"
        "claims.record('other', s.exact(1), control=s.exact(0))",
        "code cell 2 (`from falsestruct",
        "UserError: no claim 'other'",
    ),
}


def without_seconds(desk, name):
    notebook = desk.notebook(name)
    del notebook["metadata"]["falsestruct_run"]["seconds"]
    return notebook


@pytest.mark.slow
def test_failing_chapters_leave_their_last_good_results(finished):
    """The others go on; the summary names chapter, cell and error; exit 1."""
    two = finished.file("book/02_two.md").read_text()
    for name in ("04_nan", "05_unstated"):
        text = two.replace("from falsestruct.problems.two import double\n\ndouble(seeds)", "CODE")
        finished.file(f"book/{name}.md").write_text(text)
    finished.edit("book/01_one.md", "claims.record(", "CODE\n\nclaims.record(")
    finished.edit("book/02_two.md", "double(seeds)", "```\n\n```{code-cell} ipython3\nCODE")
    for name, (code, *_) in BAD.items():
        finished.edit(f"book/{name}.md", "CODE", code)
    finished.edit("book/03_last.md", "print(", "print('again', ")
    last = finished.digest("notebooks").pop("notebooks/03_last.ipynb")
    before = finished.digest()
    done = finished.call("run")
    after = finished.digest()
    assert done.returncode == 1
    failed = dict(
        line.removeprefix("failed: ").split(", ", 1)
        for line in done.stdout.splitlines()
        if line.startswith("failed: ")
    )
    assert sorted(failed) == list(BAD)
    for name, (_, *messages) in BAD.items():
        assert all(message in failed[name] for message in messages), failed[name]
        assert str(finished.root / f"_build/failed/{name}.ipynb") in failed[name]
    assert "chapters: 1 run, 0 skipped, 4 failed" in done.stdout
    assert after.pop("notebooks/03_last.ipynb") != before.pop("notebooks/03_last.ipynb") == last
    assert after == before
    assert "ZeroDivisionError" in finished.file("_build/failed/01_one.ipynb").read_text()


def states(desk):
    found = chapters.read_chapters(desk.book).values()
    return {chapter.name: chapters.state(desk.book, chapter).state for chapter in found}


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.1)


def processes_of(desk):
    """Processes whose folder is the book's: workers and kernels."""
    found = []
    for path in os.listdir("/proc"):
        try:
            if path.isdigit() and os.readlink(f"/proc/{path}/cwd") == str(desk.root):
                found.append(int(path))
        except OSError:
            continue
    return found


@contextlib.contextmanager
def deaf():
    """As where pytest is a job in the background: what it starts would not hear Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_in_the_middle(finished, sent):
    """Nothing of it counts, no process stays, and the next run completes."""
    started = finished.file("_build/started")
    wait = f"open({str(started)!r}, 'w').close(); import time; time.sleep(600)"
    original = finished.file("book/02_two.md").read_text()
    finished.edit("book/02_two.md", "double(seeds)", wait)
    before = finished.digest()
    with deaf():
        process = finished.start("run", "02_two")
    wait_for(started.exists)
    os.kill(process.pid, sent)
    assert process.wait(timeout=30) != 0
    wait_for(lambda: not processes_of(finished), seconds=30)
    assert finished.digest() == before
    finished.file("book/02_two.md").write_text(original.replace("double(seeds)", "double(5)"))
    done = finished.call("run")
    assert done.returncode == 0 and "1 run, 2 skipped" in done.stdout, done.stdout + done.stderr
    assert set(states(finished).values()) == {"fresh"}
    assert [path.name for path in (finished.root / "_build/staging").iterdir()] == ["lock"]


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_no_other_with_it(finished, monkeypatch):
    """As the kernel of an operating system does that runs out of memory."""
    finished.edit("falsestruct/problems/helper.py", "2", "3")
    finished.edit("book/01_one.md", 'print("seeds", seeds)', "import os, signal, time\n"
                  "os.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)")  # fmt: skip
    done = finished.call("run")
    assert done.returncode == 1
    assert "failed: 01_one, its process ended (exit code -9)" in done.stdout
    assert states(finished)["02_two"] == "fresh", done.stdout + done.stderr
    assert states(finished)["01_one"] == "stale"


@pytest.mark.slow
def test_two_runs_at_once_and_identical_notebooks(finished):
    """Both complete; what they leave is consistent, and the same as before but for seconds."""
    before = {name: without_seconds(finished, name) for name in ("01_one", "02_two")}
    figures = finished.digest("book/figures")
    other = finished.start("run", "--force", "01_one", "02_two")
    done = finished.call("run", "--force", "01_one", "02_two")
    assert done.returncode == 0 and other.wait(timeout=120) == 0, done.stdout + done.stderr
    assert {name: without_seconds(finished, name) for name in before} == before
    assert finished.digest("book/figures") == figures
    stated, evidence = claims.read_claims(finished.book), finished.evidence()
    now = {
        name: chapters.freshness_key(finished.book, chapter)
        for name, chapter in chapters.read_chapters(finished.book).items()
    }
    assert claims.check(stated, evidence, now) == []
    assert [path.name for path in (finished.root / "_build/staging").iterdir()] == ["lock"]


# ---- what needs no execution ----


def picture(desk):
    """What the notebook shows of the figure."""
    cells = desk.notebook("01_one")["cells"]
    [html] = [o["data"]["text/html"] for c in cells for o in c.get("outputs", [])
              if "text/html" in o.get("data", {})]  # fmt: skip
    return "".join(html)


@pytest.mark.slow
def test_figures_are_drawn_again_without_executing(finished):
    before, mark = finished.digest(), finished.notebook("01_one")["metadata"]["falsestruct_run"]
    finished.edit("falsestruct/chapters/one/figures.py", "x label", "another label")
    assert states(finished)["01_one"] == "to be drawn again"
    done = finished.call("run")
    assert done.returncode == 0 and "0 run, 3 skipped" in done.stdout, done.stdout + done.stderr
    assert "figures drawn again: 01_one" in done.stdout
    assert set(states(finished).values()) == {"fresh"}
    after = finished.digest()
    changed = {name for name in after if after[name] != before[name]}
    drawn = {f"book/figures/one-line.{kind}" for kind in ("svg", "pdf", "png", "json")}
    assert changed == drawn | {"falsestruct/chapters/one/figures.py", "notebooks/01_one.ipynb"}
    png = base64.b64encode(finished.file("book/figures/one-line.png").read_bytes()).decode()
    assert png in picture(finished)
    assert finished.notebook("01_one")["metadata"]["falsestruct_run"] == mark
    finished.edit("falsestruct/chapters/one/figures.py", "another label", "x label")
    assert finished.call("run").returncode == 0
    now = finished.digest()
    assert {name for name in now if now[name] != before[name]} <= {"book/figures/one-line.json"}


@pytest.mark.slow
def test_a_figure_that_can_not_be_drawn_leaves_all_as_it_was(finished):
    finished.edit("falsestruct/chapters/one/figures.py", 'table["x"]', 'table["z"]')
    before = finished.digest()
    done = finished.call("run")
    assert done.returncode == 1
    assert "failed: 01_one, figure 'one-line' can't be drawn again: KeyError: 'z'" in done.stdout
    assert finished.digest() == before


@pytest.mark.slow
def test_where_only_a_rule_changed_the_run_judges_again(finished):
    finished.edit("book/claims/01_one.yml", '">= 3"', '">= 4"')
    before = finished.digest()
    done = finished.call("run")
    assert done.returncode == 1 and "0 run, 3 skipped" in done.stdout
    assert "unexpected: one-holds came out refuted, pinned is supported" in done.stdout
    assert finished.evidence()["one-holds"]["verdict"] == "refuted"
    after = finished.digest()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"book/evidence.json", "book/history.json"}
