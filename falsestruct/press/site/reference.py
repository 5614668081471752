"""A Sphinx extension: the reference of the package's public names, from its source.

```{reference} ROOM …``` lists the modules of these rooms (or single modules) with every public
function, class and method: signature, and the whole docstring, with shapes, errors and sources.
Nothing is imported. The names are objects of Sphinx's Python domain, so the search finds them; and
where a text says `structures.unstable`, that is a link.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import OptionSpec

from falsestruct.press.paths import Book

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.python import PythonDomain

PACKAGE = "falsestruct"
PARTS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Examples", "Example", "Note")
_LITERAL = re.compile(r"`+([^`]+)`+")
_ITEM = re.compile(r"([*\w][*\w, .|]*): (.+)")
_DOTTED = re.compile(r"[a-z_]\w*(?:\.\w+)+")


@dataclass(frozen=True)
class Name:
    """A public name of a module.

    Attributes:
        full: With its module: "falsestruct.structures.unstable".
        kind: "function", "class" or "method".
        signature: As in the source, without `self`; empty for a class.
        says: Its docstring; empty without one.
        members: Of a class.
    """

    full: str
    kind: str
    signature: str
    says: str
    members: tuple[Name, ...] = ()


# ---- the source ----


def modules(book: Book, room: str) -> list[Path]:
    """The files of a room, or of one module, in the order of their names.

    Raises:
        ValueError: the package has no such room.
    """
    folder, single = book.package / room, book.package / f"{room}.py"
    found = sorted(folder.rglob("*.py")) if folder.is_dir() else [single] * single.exists()
    if not found:
        raise ValueError(f"the package has no room {room!r}")
    return [path for path in found if not path.name.startswith("_")]


def names(path: Path, module: str) -> list[Name]:
    """The public names that a file defines, in its order."""
    return list(_public(ast.parse(path.read_text(encoding="utf-8")).body, module, "function"))


def _public(body: Sequence[ast.stmt], above: str, kind: str) -> Iterator[Name]:
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if _is_marked(node, "overload"):  # what it overloads follows, with the docstring
            continue
        full, says = f"{above}.{node.name}", ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            members = tuple(m for m in _public(node.body, full, "method") if m.says)
            yield Name(full, "class", "", says, members)
        else:
            yield Name(full, kind, _signature(node), says)


def _signature(node: ast.FunctionDef) -> str:
    """Parameters and what comes back; a property has no parameters."""
    returns = f" → {ast.unparse(node.returns)}" if node.returns else ""
    if _is_marked(node, "property"):
        return returns
    own = node.args.args
    if own and own[0].arg in ("self", "cls"):
        del own[0]
    return f"({ast.unparse(node.args)}){returns}"


def _is_marked(node: ast.FunctionDef | ast.ClassDef, name: str) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == name for mark in node.decorator_list)


# ---- docstrings ----


def described(says: str) -> list[nodes.Node]:
    """A docstring as nodes: paragraphs, lists, examples, and its parts with their items."""
    found: list[nodes.Node] = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(says)):
        head, _, rest = block.partition("\n")
        title = head.strip().removesuffix(":")
        if head.strip().endswith(":") and title in PARTS:
            found.append(nodes.rubric("", title))
            found += _items(inspect.cleandoc(rest))
        elif block.strip():
            found.append(_block(block))
    return found


def _block(block: str) -> nodes.Node:
    lines = inspect.cleandoc(block).split("\n")
    if lines[0].startswith(">>>"):
        return nodes.doctest_block("\n".join(lines), "\n".join(lines), language="pycon")
    if lines[0].startswith("- "):
        parts = re.split(r"\n?^- ", "\n".join(lines), flags=re.M)[1:]
        items = [nodes.list_item("", paragraph(part)) for part in parts]
        return nodes.bullet_list("", *items, bullet="-")
    return paragraph("\n".join(lines))


def _items(text: str) -> list[nodes.Node]:
    """`name: what it is`, a line each; what is indented goes on. Other text is a paragraph."""
    found: list[tuple[str, str]] = []
    for line in text.split("\n"):
        item = _ITEM.fullmatch(line)
        if item:
            found.append((item[1], item[2]))
        elif found and line.startswith(" "):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            return [_block(text)]
    items = [
        nodes.definition_list_item(
            "", nodes.term("", "", nodes.literal(name, name)), nodes.definition("", paragraph(said))
        )
        for name, said in found
    ]
    return [nodes.definition_list("", *items)]


def paragraph(text: str) -> nodes.paragraph:
    """Text in which backticks mark code; all else is as it stands."""
    made, done, text = nodes.paragraph(), 0, " ".join(text.split())
    for found in _LITERAL.finditer(text):
        made += nodes.Text(text[done : found.start()])
        made += nodes.literal(found[1], found[1])
        done = found.end()
    made += nodes.Text(text[done:])
    return made


# ---- the directive ----


class ReferenceDirective(SphinxDirective):
    """`{reference} ROOM …`: the public names of rooms or modules of the package."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        """A section a module."""
        book, found = Book(Path(self.env.srcdir)), list[nodes.Node]()
        for room in self.arguments[0].split():
            try:
                paths = modules(book, room)
            except ValueError as error:
                raise ExtensionError(f"{self.get_location()}: {error}") from None
            for path in paths:
                self.env.note_dependency(str(path))
                found += self._module(path, path.relative_to(book.root))
        return found

    def _module(self, path: Path, place: Path) -> list[nodes.Node]:
        """A module's docstring and names; nothing of a module without any."""
        module = ".".join(place.with_suffix("").parts)
        public = names(path, module)
        if not public:
            return []
        title = module.removeprefix(f"{PACKAGE}.")
        part = nodes.section("", nodes.title("", "", nodes.literal(title, title)), ids=[module])
        part += described(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        part += [self._entry(name) for name in public]
        return [part]

    def _entry(self, name: Name) -> addnodes.desc:
        """A name with its signature and docstring."""
        domain = cast("PythonDomain", self.env.get_domain("py"))
        domain.note_object(name.full, name.kind, name.full, location=self.get_location())
        shown = name.full.rpartition(".")[2]
        line = addnodes.desc_signature("", "", ids=[name.full])
        line += addnodes.desc_name(shown, shown)
        line += nodes.inline(name.signature, name.signature, classes=["signature"])
        content = addnodes.desc_content("", *described(name.says))
        content += [self._entry(member) for member in name.members]
        return addnodes.desc("", line, content, domain="py", objtype=name.kind)


# ---- links to it ----


def link_names(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """On `doctree-resolved`: code that names one thing of the package leads to it."""
    known = _by_suffix(cast("PythonDomain", app.env.get_domain("py")))
    if not known:
        return
    for code in list(doctree.findall(nodes.literal)):
        entry = known.get(code.astext().removesuffix("()"))
        if not entry or not _DOTTED.match(code.astext()) or _within_a_link(code):
            continue
        link = make_refnode(app.builder, docname, *entry, code.deepcopy())
        code.parent.replace(code, link)


def _by_suffix(domain: PythonDomain) -> dict[str, tuple[str, str]]:
    """Page and anchor of each name, whole or from a dot on; what is ambiguous leads nowhere."""
    found: dict[str, set[tuple[str, str]]] = {}
    for full, entry in domain.objects.items():
        parts = full.split(".")
        for first in range(len(parts) - 1):
            found.setdefault(".".join(parts[first:]), set()).add((entry.docname, entry.node_id))
    return {name: next(iter(places)) for name, places in found.items() if len(places) == 1}


def _within_a_link(node: nodes.Node) -> bool:
    above = node.parent
    while above is not None:
        if isinstance(above, (nodes.reference, nodes.title, addnodes.desc_signature)):
            return True
        above = above.parent
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("reference", ReferenceDirective)
    app.connect("doctree-resolved", link_names)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
