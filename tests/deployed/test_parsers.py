"""What parsers say, and that a proof can fail."""

import pytest

from falsestruct.deployed.parsers import (
    KINDS,
    REJECTING,
    RejectedError,
    UnprovedError,
    accepted,
    installed,
    meaning,
    proved,
    uncommented,
    without_directives,
)
from tests.deployed.files import FILES

SAME = {
    "JSON": (b'{"a": [1, "A"]}', b' {"a":[1,"\\u0041"] }\n'),
    "XML": (b"<a x='1' y='2'><b/></a>", b'<a y="2"\n x="&#49;"><!-- c --><b></b></a>'),
    "Python": (b"x = 'a'\n", b"# c\n\nx  =  ('\\x61')\n"),
    "TOML": (b'a = "b"\n', b"a = 'b' # c\n"),
    "INI": (b"[s]\na = 1\n", b"# c\n[s]\n\na : 1\n"),
    "C": (b"int f(void);", b"int /* c */ f(\n  void);\n"),
    "HTML": (b'<p id=a class="b">x</p>', b"<p class='b' id='a'>x<!-- c --></p>"),
    "CSV": (b"a,b\n", b'"a","b"\n'),
}
OTHER = {
    "JSON": (b'{"a": 1}', b'{"a": 1.0}'), "XML": (b"<a> x</a>", b"<a>x</a>"),
    "Python": (b"x = 1\n", b"x = 1.0\n"), "TOML": (b"a = 1\n", b"a = 1.0\n"),
    "INI": (b"[s]\na = 1\n", b"[s]\na = 1 ; c\n"), "C": (b"int f(void);", b"int g(void);"),
    "HTML": (b"<p>x</p>", b"<p> x</p>"), "CSV": (b"a,b\n", b"a,b\n\n"),
}  # fmt: skip
WRONG = {
    "JSON": [b'{"a" 1}', b"[NaN]", b'{"a": 1', b"\xff"],
    "XML": [b"<a><b></a>", b"<a b=1/>", b""],
    "Python": [b"def f()\n  x\n", b"x = (\n", b"\x00"],
    "TOML": [b"a 1\n", b"a = 1\na = 2\n"],
    "INI": [b"a = 1\n", b"[s]\na\n", b"[s]\na=1\na=2\n"],
    "C": [b"int f(void)", b"#if 1\nint x;\n", b"#endif\nint x;\n", b"int x = ;"],
}


def here(kind):
    if not installed(kind):
        pytest.skip("pycparser isn't installed")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_the_same_and_what_is_not(kind):
    here(kind)
    one, two = SAME[kind]
    assert proved(kind, one, two, "the same meaning") == two
    one, two = OTHER[kind]
    assert meaning(kind, one) != meaning(kind, two)
    with pytest.raises(UnprovedError, match="another meaning"):
        proved(kind, one, two, "the same meaning")
    with pytest.raises(UnprovedError, match="nothing changed"):
        proved(kind, one, one, "the same meaning")


@pytest.mark.parametrize("kind", REJECTING)
def test_what_parsers_reject(kind):
    here(kind)
    assert accepted(kind, FILES[kind])
    for wrong in WRONG[kind]:
        assert not accepted(kind, wrong), wrong
        assert proved(kind, FILES[kind], wrong, "rejected") == wrong
        with pytest.raises(UnprovedError, match="rejected"):
            proved(kind, FILES[kind], wrong, "the same meaning")
        with pytest.raises(RejectedError, match=kind):  # nothing is proved of a broken file
            proved(kind, wrong, FILES[kind], "rejected")
    with pytest.raises(UnprovedError, match="the same meaning"):
        proved(kind, *SAME[kind], "rejected")


def test_a_kind_without_a_parser():
    with pytest.raises(ValueError, match="expected one of JSON, XML"):
        meaning("PDF", b"")


def test_comments_of_c_are_spaces_and_strings_stay():
    text = 'a /* x\ny */ = "/* s */"; // end\nb = \'"\'; // c\n'
    assert uncommented(text) == 'a  \n = "/* s */";  \nb = \'"\';  \n'


def test_directives_of_c():
    text = "#if A\none\n#elif B\ntwo\n#else\nthree\n#endif\n# if 0\nfour\n#else\nfive\n#endif\n"
    code, directives = without_directives(text)
    assert code.split() == ["one", "five"]
    assert directives == ["if A", "elif B", "else", "endif", "if 0", "else", "endif"]
    assert without_directives("#ifdef __cplusplus\nx\n#endif\n#define Y \\\n 1\nz")[0].split() == [
        "z"
    ]
