"""Statements and proofs on the built pages: a Sphinx extension on top of sphinx-proof.

- Statements are numbered by chapter with one counter, as in "Lemma 2.8". Chapters keep their
  numbers when others come in between, and so do the statements that somebody cites.
- Proofs are folded. A fold is the browser's own `<details>`: it opens with the keyboard, without
  scripts and by searching in the page. On one long page, which is for print, all are open.
- The directive `{statements}` lists all statements.
"""

import copy
import re
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import OptionSpec
from sphinx.writers.html5 import HTML5Translator
from sphinx.writers.latex import LaTeXTranslator
from sphinx_proof.nodes import NODE_TYPES, proof_node, unenumerable_node

from falsestruct.press.site.titles import chapter_of

STATEMENTS = (*NODE_TYPES.values(), unenumerable_node)
# After Sphinx's own numbering, which has the default priority of 500.
AFTER_NUMBERING = 600


class folded_proof(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801
    """A proof. Its attribute `of` is the label of the statement before it, or empty."""


class statement_list(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801
    """The place of the list of all statements."""


class Statements(SphinxDirective):
    """`{statements}`: a list of all numbered statements with links."""

    has_content = False
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        return [statement_list()]


def fold_proofs(app: Sphinx, doctree: nodes.document) -> None:
    """Make every proof of a page a fold, and give every part an id of its own.

    sphinx-proof calls all proofs of a page "proof", and all contents of statements "proof-content".
    """
    for statement in doctree.findall(lambda node: isinstance(node, STATEMENTS)):
        label = statement["label"]
        app.env.proof_list[label]["name"] = statement[0].astext().strip()  # type: ignore[attr-defined]
        statement[1]["ids"] = [f"{label}-content"]
    for index, proof in enumerate(list(doctree.findall(proof_node))):
        content = proof[0].children
        before = proof.parent[proof.parent.index(proof) - 1] if proof.parent.index(proof) else None
        label = before["label"] if isinstance(before, STATEMENTS) else ""
        fold = folded_proof(of=label, ids=[f"proof-of-{label}" if label else f"proof-{index}"])
        first = next(content[0].findall(nodes.Text))
        first.parent.replace(first, nodes.Text(re.sub(r"^Proof\. *", "", first.astext())))
        fold += content
        proof.replace_self(fold)


def number_statements(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Replace the numbers that Sphinx gave to statements by chapter and place in the chapter."""
    env.plain_fignumbers = copy.deepcopy(env.toc_fignumbers)  # type: ignore[attr-defined]
    last: dict[str, int] = {}
    for label, entry in getattr(env, "proof_list", {}).items():
        document, chapter = entry["docname"], chapter_of(entry["docname"])
        numbers = env.toc_fignumbers.get(document, {}).get(entry["countertype"], {})
        if chapter is not None and label in numbers:
            last[document] = last.get(document, 0) + 1
            numbers[label] = (chapter, last[document])
    return []


def restore_numbers(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Let Sphinx compare its numbers with its own, or it would write all pages in every build."""
    env.toc_fignumbers = getattr(env, "plain_fignumbers", env.toc_fignumbers)


def title_of(env: BuildEnvironment, label: str) -> str:
    """Kind and number of a statement, such as "Lemma 2.8"; empty for an unknown label."""
    entry = getattr(env, "proof_list", {}).get(label)
    if not entry:
        return ""
    numbers = env.toc_fignumbers.get(entry["docname"], {}).get(entry["countertype"], {})
    return f"{entry['realtype'].title()} {'.'.join(map(str, numbers.get(label, ())))}".strip()


def name_proofs(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Say of what a fold is the proof, for those who hear a list of folds."""
    for fold in doctree.findall(folded_proof):
        of = title_of(app.env, fold["of"])
        fold["title"] = f"Proof of {of}" if of else "Proof"


def list_statements(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Fill the list of statements, in the order of the contents."""
    places = list(doctree.findall(statement_list))
    if not places:
        return
    entries = list(getattr(app.env, "proof_list", {}).items())
    entries.sort(key=lambda item: chapter_of(item[1]["docname"]) or 0)
    for place in places:
        place.replace_self(
            nodes.bullet_list(
                "", *(_item(app.builder, document, *entry) for entry in entries),
                classes=["statements"], bullet="-",
            )
        )  # fmt: skip


def _item(builder: Builder, document: str, label: str, entry: dict[str, Any]) -> nodes.list_item:
    title = nodes.Text(title_of(builder.env, label))
    link = make_refnode(builder, document, entry["docname"], label, title)
    return nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(f" {entry['name']}")))


def visit_html(self: HTML5Translator, node: folded_proof) -> None:
    """Begin the fold."""
    shown = {"open": "open"} if self.builder.name == "singlehtml" else {}
    self.body.append(self.starttag(node, "details", CLASS="proof", **shown))
    self.body.append(f"<summary>{node['title']}</summary>\n")


def depart_html(self: HTML5Translator, node: folded_proof) -> None:
    """End the fold."""
    self.body.append("</details>\n")


def visit_latex(self: LaTeXTranslator, node: folded_proof) -> None:
    """Print is not folded."""
    self.body.append(f"\n\n\\emph{{{node['title']}.}} ")


def depart_latex(self: LaTeXTranslator, node: folded_proof) -> None:
    """End the paragraph."""
    self.body.append("\n\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx; `_config.yml` lists this module after sphinx_proof."""
    app.setup_extension("sphinx_proof")
    app.add_node(folded_proof, html=(visit_html, depart_html), latex=(visit_latex, depart_latex))
    app.add_node(statement_list)
    app.add_directive("statements", Statements)
    app.add_css_file("statements.css")
    app.add_js_file("proofs.js", loading_method="defer")
    app.connect("doctree-read", fold_proofs)
    app.connect("env-before-read-docs", restore_numbers)
    app.connect("env-get-updated", number_statements, priority=AFTER_NUMBERING)
    app.connect("doctree-resolved", name_proofs)
    app.connect("doctree-resolved", list_statements)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
