"""How large the house is: lines, functions, docstrings, shared lines. `python -m benchmarks.house`.

Counts are of the package's Python files, without tests. `tests/test_house.py` holds what must stay.
"""

from __future__ import annotations

import ast
import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "falsestruct"
SHARED = 6  # as many equal lines in a row may two files of a room have


@dataclass(frozen=True)
class House:
    """What was counted.

    Attributes:
        lines: Of the package.
        chapters: Lines of each chapter's folder, by name.
        functions: Lines of each function, "file:name" to number, docstring included.
        undocumented: Public functions and classes without a docstring.
        public: Number of public functions and classes.
        shared: Pairs of files of one room with more than `SHARED` equal lines in a row.
    """

    lines: int
    chapters: dict[str, int]
    functions: dict[str, int]
    undocumented: list[str]
    public: int
    shared: list[tuple[str, str, int]]


def measure(package: Path = PACKAGE) -> House:
    """Count everything."""
    files = sorted(package.rglob("*.py"))
    rooms = [
        f for f in (package / "chapters").iterdir() if f.is_dir() and (f / "__init__.py").exists()
    ]
    public = [found for path in files for found in _public(path)]
    return House(
        sum(map(_lines, files)),
        {room.name: sum(map(_lines, room.glob("*.py"))) for room in sorted(rooms)},
        {name: size for path in files for name, size in _functions(path, package)},
        [name for name, documented in public if not documented],
        len(public),
        list(_shared(files, package)),
    )


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _functions(path: Path, package: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            where = f"{path.relative_to(package)}:{node.lineno} {node.name}"
            yield where, (node.end_lineno or node.lineno) - node.lineno + 1


def _public(path: Path) -> Iterator[tuple[str, bool]]:
    """Functions and classes of a module, and methods of its public classes."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text())
    nodes = [node for node in tree.body if isinstance(node, kinds)]
    for owner in [node for node in nodes if isinstance(node, ast.ClassDef)]:
        if not owner.name.startswith("_"):
            nodes += [node for node in owner.body if isinstance(node, ast.FunctionDef)]
    for node in nodes:
        if not node.name.startswith("_"):
            yield f"{path.name}:{node.name}", ast.get_docstring(node) is not None


def _shared(files: list[Path], package: Path) -> Iterator[tuple[str, str, int]]:
    """Longest run of equal lines of two files of a room; imports and blank lines don't count."""
    rooms: dict[Path, list[Path]] = {}
    for path in files:
        inside = path.relative_to(package).parts
        # The chapters are one room: what two of them share belongs to a kit.
        rooms.setdefault(
            package / inside[0] if inside[0] == "chapters" else path.parent, []
        ).append(path)
    for own in rooms.values():
        code = {path: _code(path) for path in own}
        runs = {path: _runs(lines) for path, lines in code.items()}
        for left, right in itertools.combinations(own, 2):
            if runs[left] & runs[right]:
                names = (str(path.relative_to(package)) for path in (left, right))
                yield *names, _longest(code[left], code[right])


def _runs(lines: list[str]) -> set[tuple[str, ...]]:
    """All runs of one line more than two files may share."""
    size = SHARED + 1
    return {tuple(lines[i : i + size]) for i in range(len(lines) - size + 1)}


def _code(path: Path) -> list[str]:
    text = path.read_text()
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return [line.strip() for number, line in lines if line.strip() and number not in skipped]


def _longest(left: list[str], right: list[str]) -> int:
    best, row = 0, [0] * (len(right) + 1)
    places: dict[str, list[int]] = {}
    for index, line in enumerate(right):
        places.setdefault(line, []).append(index)
    for line in left:
        new = [0] * (len(right) + 1)
        for index in places.get(line, ()):
            new[index + 1] = row[index] + 1
            best = max(best, new[index + 1])
        row = new
    return best


def main() -> None:
    """Print it."""
    house = measure()
    sizes = sorted(house.functions.values())
    print(f"lines {house.lines}")
    print(f"chapters, mean {statistics.mean(house.chapters.values()):.0f}")
    for name, count in house.chapters.items():
        print(f"  {name} {count}")
    middle, ninth = (sizes[int(share * len(sizes))] for share in (0.5, 0.9))
    print(f"functions: median {middle}, 90th percentile {ninth}, longest {sizes[-1]}")
    for name, size in sorted(house.functions.items(), key=lambda item: -item[1])[:8]:
        print(f"  {size} {name}")
    print(f"documented {1 - len(house.undocumented) / house.public:.3f} of {house.public} public")
    print(f"pairs of files that share more than {SHARED} lines: {len(house.shared)}")
    for pair in house.shared:
        print("shared", *pair)


if __name__ == "__main__":
    main()
