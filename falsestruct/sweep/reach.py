"""Which source a piece of code can reach, and a key over it.

The imports are read from the syntax tree, nothing is executed. A module's packages count as well:
importing `falsestruct.problems.stripes` runs `falsestruct/__init__.py`.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import itertools
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

PACKAGE = "falsestruct"


def module_file(root: Path, module: str) -> Path | None:
    """The file of a module of the package below root, or None if there is no such module."""
    base = root.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def imported(source: str, root: Path, *, package: str = "") -> set[str]:
    """Modules of the package that a source text imports, at any depth of the text.

    Args:
        package: The package that relative imports start from.
    """
    return {name for name in _names(source, package) if module_file(root, name)}


@functools.lru_cache(maxsize=512)
def _names(source: str, package: str) -> frozenset[str]:
    """What an import of this text may name, module or not: all chapters ask of the same files."""
    names: set[str] = set()
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            above = parents if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in names if name.split(".")[0] == PACKAGE)


def reachable(root: Path, modules: Iterable[str], *, without: Sequence[str] = ()) -> list[Path]:
    """Files of all modules of the package that these modules reach, sorted.

    Args:
        without: Modules and packages that no way leads into or through.
    """
    todo, found = list(modules), {}
    while todo:
        name = todo.pop()
        path = module_file(root, name)
        if path is None or name in found or _within(name, without):
            continue
        found[name] = path
        parent = name.rpartition(".")[0]
        package = name if path.name == "__init__.py" else parent
        todo += imported(path.read_text(), root, package=package) | ({parent} if parent else set())
    return sorted(found.values())


def is_idle(path: Path) -> bool:
    """Is this a package's file that no run gets anything from: docstring, version, names looked up?

    What they change is no number. (A recorded run's key is older than this, and counts versions.)
    """
    if path.name != "__init__.py":
        return False
    lines = _without_docstrings(_tree(path.read_text())).body
    return all(_is_empty(line, path) or _is_version(line) for line in lines)


def _is_version(line: ast.stmt) -> bool:
    return ast.unparse(line).startswith("__version__ = ")


def _within(name: str, packages: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def _tree(source: str) -> ast.Module:
    """The syntax tree, without IPython's own lines; empty if there is an error in the text.

    Text that doesn't parse can't run, so what it imports doesn't matter: its run fails and says
    where. Asking whether it is fresh must not.
    """
    for text in (source, re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source)):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return ast.Module([], [])


def code_key(root: Path, modules: Iterable[str]) -> str:
    """Key of what the reachable code does: its functions, classes and constants.

    Comments, docstrings, layout, imports and the places of files don't count, nor does the order of
    definitions. For recorded runs: they take long, and a better docstring or a file that moves
    changes no number. A package's own `__getattr__` doesn't count either: it finds names for
    readers, and nothing that a run does.
    """
    found = (_definitions(path) for path in reachable(root, modules))
    digest = hashlib.sha256()
    for text in sorted(itertools.chain.from_iterable(found)):
        digest.update(f"{text}\n".encode())
    return digest.hexdigest()


def _definitions(path: Path) -> list[str]:
    """What stands in a module's text, an entry a statement, without docstrings and imports."""
    tree = _without_imports(_without_docstrings(_tree(path.read_text())))
    return [_dump(node) for node in tree.body if not _is_empty(node, path)]


def _is_empty(node: ast.stmt, path: Path) -> bool:
    return isinstance(node, ast.Pass) or (path.name == "__init__.py" and _looks_up_names(node))


def _looks_up_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__getattr__"


def _without_imports(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            lines = getattr(node, name, None)
            if isinstance(lines, list):
                kept = [x for x in lines if not isinstance(x, (ast.Import, ast.ImportFrom))]
                setattr(node, name, kept or ([ast.Pass()] if lines and name == "body" else []))
    return tree


def _dump(tree: ast.AST) -> str:
    """`ast.dump` in the form of Python 3.11, so that a key is the same on a later one."""
    later: dict[str, bool] = {"show_empty": True} if sys.version_info >= (3, 13) else {}
    return ast.dump(tree, **later).replace(", type_params=[]", "")


def _without_docstrings(tree: ast.Module) -> ast.Module:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, holders):
            node.body = [
                line
                for line in node.body
                if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            ] or [ast.Pass()]
    return tree
