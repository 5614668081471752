"""Bad inputs over all commands: each is one clear line and exit code 2, and changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from falsestruct.press.run import certificates, received
from tests.conftest import REPOSITORY
from tests.torture.toy import Toy

# What is typed.
TYPED = [
    "rnu", "--nope", "list --nope", "list extra", "run --forse", "run zzz", "run 1_one",
    "run 01_one zzz", "run -p seeds", "run -p =3", "run -p seeds=abc", "run -p seeds=1e400",
    "run -p nobody=3", "run 01_one -p widths=3", "run --profile slow", "run --profile",
    "run --jobs 0", "run --jobs many", "run --jobs -1", "run --output requirements.txt",
    "run --output book", "run --output .", "run --scheduler here",
    "run --scheduler http://127.0.0.1:1", "claims --output nowhere", "claims extra",
    "figures --output nowhere", "figures --output requirements.txt", "cite zzz", "cite 1_one",
    "cite one-line extra", "figure", "figure one-line", "figure zzz -o x.pdf",
    "figure one-line -o x.gif", "figure one-line -o x", "figure one-line -o requirements.txt/y.pdf",
    "figure one-line -o book", "figure one-line -o x.pdf --width wide",
    "figure one-line -o x.pdf --width -3in", "figure one-line -o x.pdf --font-size 0",
    "figure one-line -o x.pdf --font-size big", "figure one-line -o x.pdf --style poster",
    "figure one-line -o x.pdf --format bmp", "new", "new UPPER", "new two", "new 01_two",
    "new ../x", "record", "record zzz", "record slow --jobs 0", "record slow --jobs x",
    "take", "take zzz", "audit", "audit m:f", "audit m:f --problem zzz",
    "audit m --problem stripes", "audit nosuch:f --problem stripes", "audit m:f --data x",
    "search m:f",
    "search nosuch.onnx --data nowhere", "search m:f --data x --size 3", "build --output nowhere",
    "build extra", "pdf extra", "export", "export --ro-crate book", "export --ro-crate",
    "certify --check nowhere", "certify --check requirements.txt", "certify --check book",
    "certify --jobs 0",
]  # fmt: skip


def _text(name: str, text: str | bytes) -> Callable[[Toy], None]:
    def write(toy: Toy) -> None:
        toy.file(name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def _gone(name: str) -> Callable[[Toy], None]:
    def remove(toy: Toy) -> None:
        toy.file(name).unlink()

    return remove


def _certificate(**wrong: object) -> str:
    """A certificate without claims, with a field that none has."""
    counts = dict.fromkeys(certificates.counted([]), 0)
    made = {
        "format": 1, "commit": "0" * 12, "date": "2021-01-01T00:00:00+00:00", "seconds": 1.0,
        "machine": {"machine": "a"}, "failed": {}, "claims": [], "counts": counts,
    }  # fmt: skip
    assert received.wrong(made | {"digest": certificates.digest(made)}) == ""
    made |= wrong
    return json.dumps(made | {"digest": certificates.digest(made)})


# What is found: files that a person, a merge or a disk has damaged.
FOUND: list[tuple[Callable[[Toy], None], str]] = [
    (_text("book/evidence.json", "<<<<<<< ours"), "claims"),
    (_text("book/evidence.json", "[]"), "claims"),
    (_text("book/evidence.json", ""), "run"),
    (_text("book/claims/01_one.yml", "- ["), "run"),
    (_text("book/claims/01_one.yml", "- id: one"), "claims"),
    (_text("book/claims/01_one.yml", b"\xff\xfe"), "claims"),
    (_text("book/01_one.md", ""), "run 01_one"),
    (_text("book/01_one.md", b"---\nkernelspec: \xff\n---\n"), "list"),
    (_text("book/01_one.md", "---\nkernelspec: {name: [}\n---\n# x\n"), "list"),
    (_text("book/02_two.md", "---\nkernelspec: {name: python3, display_name: P}\n---\n"), "run"),
    (_text("book/records.yml", "- ["), "record slow"),
    (_text("book/records.yml", "slow: 3"), "record slow"),
    (_text("book/records.yml", "slow: {function: nowhere:f, tasks: [{}]}"), "record slow"),
    (_text("CITATION.cff", "- ["), "cite"),
    (_text("CITATION.cff", "title: x"), "cite"),
    (_gone("CITATION.cff"), "cite"),
    (_gone("_toc.yml"), "new third"),
    (_gone("notebooks/01_one.ipynb"), "build"),
    (_text("notebooks/01_one.ipynb", "{"), "take 01_one"),
    (_text("book/figures/one-line.json", "{"), "figures"),
    (_text("book/figures/one-line.json", "{}"), "figures"),
    (_gone("book/figures/one-line.csv"), "figure one-line -o x.pdf"),
    (_text("book/figures/one-line.csv", "a\n1\n"), "figure one-line -o x.pdf"),
    (_text("falsestruct/chapters/one/figures.py", "def line(:\n"), "figure one-line -o x.pdf"),
    (_text("random.py", ""), "run"),
    (_gone("_config.yml"), "list"),
    (_text("book/history.json", "{}"), "run"),
    (_text("book/history.json", '{"chapters": {"01_one": [{"commit": 1}]}}'), "run --force"),
    *((_text("_build/received.json", text), "certify --check _build/received.json") for text in (
        "{}", "[]", "null", "[" * 2_000_000, "1" * 5000, _certificate(date=None),
        _certificate(date="\ud800"), _certificate(machine=[]), _certificate(machine={}),
        _certificate(claims=[{}]), _certificate(claims=[{"id": [1]}]),
        _certificate(seconds=10**400), _certificate(format=True), _certificate(commit="HEAD"),
        _certificate(more="x"),
    )),
]  # fmt: skip


def tried(toy: Toy) -> tuple[int, list[str]]:
    """All of them: how many, and what is wrong."""
    wrong = []
    for words in TYPED:
        wrong += _one(toy, words.split(), words)
    for damage, words in FOUND:
        kept = {path: path.read_bytes() for path in toy.root.rglob("*")
                if path.is_file() and "_build" not in path.parts}  # fmt: skip
        damage(toy)
        wrong += _one(toy, words.split(), f"{words}, of a damaged book")
        for path in set(toy.root.glob("*.py")) - kept.keys():
            path.unlink()
        for path, raw in kept.items():
            if not path.exists() or path.read_bytes() != raw:
                path.write_bytes(raw)
    return len(TYPED) + len(FOUND), wrong


def _one(toy: Toy, words: list[str], what: str) -> list[str]:
    before = toy.digest()
    # These need the whole package, or a clone that is not in Python's path.
    real = words[0] in ("audit", "search") or toy.file("random.py").exists()
    there = toy.environment() | ({"PYTHONPATH": str(REPOSITORY)} if real else {})
    done = subprocess.run(
        [sys.executable, *(["-P"] if real else []), "-m", "falsestruct.cli", *words], cwd=toy.root,
        env=there, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    if toy.digest() != before:
        return [f"{what}: something changed"]
    if done.returncode != 2 or len(lines) != 1 or not lines[0].startswith("falsestruct: "):
        end = lines[-1] if lines else ""
        return [f"{what}: exit code {done.returncode}, {len(lines)} lines, {end[:200]}"]
    return []
