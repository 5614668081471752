"""The bibliography as a list, on a throw-away page."""

from docutils import nodes
from docutils.core import publish_doctree

from falsestruct.press.site.references import list_references

PAGE = """\
Before.

.. [One] Ada, *On one*. 2001.
.. [Two] Emmy, On two. 2002.

Between.

.. [Three] Sofia. 2003.
"""


def listed():
    doctree = publish_doctree(PAGE)
    ids = [entry["ids"] for entry in doctree.findall(nodes.citation)]
    list_references(None, doctree, "page")
    return doctree, ids


def test_every_run_of_entries_becomes_one_list():
    doctree, _ = listed()
    kinds = [type(child).__name__ for child in doctree.children]
    assert kinds == ["paragraph", "bullet_list", "paragraph", "bullet_list"]
    assert [len(found) for found in doctree.findall(nodes.bullet_list)] == [2, 1]
    assert list(doctree.findall(nodes.citation)) == []


def test_entries_keep_their_ids_and_words_and_lose_their_labels():
    doctree, ids = listed()
    items = list(doctree.findall(nodes.list_item))
    assert [item["ids"] for item in items] == ids
    assert [item.astext() for item in items] == [
        "Ada, On one. 2001.",
        "Emmy, On two. 2002.",
        "Sofia. 2003.",
    ]
    assert len(list(items[0].findall(nodes.emphasis))) == 1
