"""Which code a text reaches, and a key over what it does."""

import pytest

from falsestruct.sweep import reach

PACKAGE = {
    "__init__.py": "",
    "top.py": "X = 1\n",
    "problems/__init__.py": "",
    "problems/a.py": "from . import b\n",
    "problems/b.py": "from ..theory.deep import y\n",
    "problems/c.py": "def f():\n    import falsestruct.top as t\n    return t\n",
    "theory/__init__.py": "from falsestruct.theory.deep import y\n",
    "theory/deep.py": "y = 1\n",
    "cycle/__init__.py": "",
    "cycle/one.py": "from falsestruct.cycle import two\n",
    "cycle/two.py": "from .one import *\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in PACKAGE.items():
        path = tmp_path / "falsestruct" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def reached(root, code):
    found = reach.reachable(root, reach.imported(code, root))
    return {str(path.relative_to(root / "falsestruct")) for path in found}


DEEP = {"__init__.py", "theory/__init__.py", "theory/deep.py"}
B = DEEP | {"problems/__init__.py", "problems/b.py"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os, numpy", set()),
        ("import falsestruct", {"__init__.py"}),
        ("from falsestruct import top", {"__init__.py", "top.py"}),
        ("from falsestruct.top import X", {"__init__.py", "top.py"}),
        ("from falsestruct import problems", {"__init__.py", "problems/__init__.py"}),
        ("import falsestruct.theory.deep", DEEP),
        ("from falsestruct.problems import b", B),
        ("from falsestruct.problems import a as z", B | {"problems/a.py"}),
        ("def f():\n    from falsestruct.problems.b import y", B),
        (
            "from falsestruct.problems.c import f",
            {"__init__.py", "problems/__init__.py", "problems/c.py", "top.py"},
        ),
        (
            "import falsestruct.cycle.one",
            {"__init__.py", "cycle/__init__.py", "cycle/one.py", "cycle/two.py"},
        ),
        ("%matplotlib inline\nfrom falsestruct import top", {"__init__.py", "top.py"}),
        ("x = (1\n  % 2)\nfrom falsestruct import top", {"__init__.py", "top.py"}),
        ("from falsestruct import", set()),
    ],
)
def test_reached_modules(root, code, expected):
    assert reached(root, code) == expected


def test_a_module_with_an_error_is_still_a_part(root):
    (root / "falsestruct/top.py").write_text("def (")
    assert reached(root, "from falsestruct import top") == {"__init__.py", "top.py"}


def key(root):
    return reach.code_key(root, ["falsestruct.problems.b"])


@pytest.mark.parametrize(
    "text",
    [
        "y = 1  # why\n",
        '"""About."""\n\ny   =   (1)\n',
        '"""About."""\ny = 1\n"""After."""\n',
    ],
)
def test_the_code_key_ignores_what_changes_no_number(root, text):
    before = key(root)
    (root / "falsestruct/theory/deep.py").write_text(text)
    assert key(root) == before


@pytest.mark.parametrize("text", ["y = 2\n", "y = 1.0\n", "y = -1\n", "z = 1\n", ""])
def test_the_code_key_sees_changed_code(root, text):
    before = key(root)
    (root / "falsestruct/theory/deep.py").write_text(text)
    assert key(root) != before


def test_the_code_key_ignores_what_is_not_reached(root):
    before = key(root)
    (root / "falsestruct/top.py").write_text("X = 2\n")
    assert key(root) == before


def test_docstrings_of_functions_and_classes_do_not_count(root):
    path = root / "falsestruct/theory/deep.py"
    path.write_text('class A:\n    """One."""\n\n    def f(self):\n        """One."""\n')
    before = key(root)
    path.write_text('class A:\n    """Two."""\n\n    def f(self):\n        """Two."""\n')
    assert key(root) == before


LOOK_UP = """

def __getattr__(name):
    import importlib

    return importlib.import_module("falsestruct.top").X
"""


def test_a_packages_own_getattr_does_not_count(root):
    """It finds names for readers; what it finds is not reached by code that doesn't ask for it."""
    path = root / "falsestruct/__init__.py"
    before = key(root)
    path.write_text(LOOK_UP)
    assert key(root) == before
    assert reached(root, "import falsestruct") == {"__init__.py"}
    path.write_text(f"y = 1\n{LOOK_UP}")
    assert key(root) != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("__init__.py", "class A:\n    def __getattr__(self, name):\n        return 1\n"),
        ("__init__.py", "def getattr(name):\n    return 1\n"),
        ("theory/deep.py", "y = 1\n\n\ndef __getattr__(name):\n    return 1\n"),
    ],
)
def test_every_other_function_counts(root, file, text):
    before = key(root)
    (root / "falsestruct" / file).write_text(text)
    assert key(root) != before


def test_the_form_of_the_tree_is_that_of_every_python():
    """Python 3.12 and 3.13 print syntax trees otherwise; the key must not depend on it."""
    tree = reach._tree("def f(a, b=1):\n    return a\n\n\nclass A:\n    x = []\n")
    expected = (
        "Module(body=[FunctionDef(name='f', args=arguments(posonlyargs=[], args=[arg(arg='a'), "
        "arg(arg='b')], kwonlyargs=[], kw_defaults=[], defaults=[Constant(value=1)]), "
        "body=[Return(value=Name(id='a', ctx=Load()))], decorator_list=[]), "
        "ClassDef(name='A', bases=[], keywords=[], body=[Assign(targets=[Name(id='x', "
        "ctx=Store())], value=List(elts=[], ctx=Load()))], decorator_list=[])], type_ignores=[])"
    )
    assert reach._dump(tree) == expected


def test_a_place_and_an_import_do_not_count(root):
    """A file that moves, and the lines that follow it, change no number."""
    text = "import math\nfrom falsestruct.theory import deep\n\n\ndef f():\n    return deep.y\n"
    (root / "falsestruct/problems/b.py").write_text(text)
    before = key(root)
    (root / "falsestruct/rooms").mkdir()
    (root / "falsestruct/rooms/__init__.py").write_text('"""A room."""\n')
    (root / "falsestruct/theory/deep.py").rename(root / "falsestruct/rooms/deep.py")
    moved = text.replace("falsestruct.theory", "falsestruct.rooms").replace("import math\n", "")
    (root / "falsestruct/problems/b.py").write_text(moved)
    assert key(root) == before
    (root / "falsestruct/problems/b.py").write_text(moved.replace("deep.y", "deep.z"))
    assert key(root) != before
