# ruff: noqa: E501
"""One small file of each kind, with all that changes look for."""

FILES = {
    "JSON": b'{\n  "name": "left pad",\n  "version": "1.0.0",\n  "files": ["index", "readme"],\n'
    b'  "main": {"a": 1.50, "b": [1, 2, 3]},\n  "c": null,\n  "d": true,\n  "e": "\\u0041bc",\n'
    b'  "f": 2,\n  "author": "some one"\n}\n',
    "XML": b'<?xml version="1.0"?>\n<!DOCTYPE root>\n<root a="one" b="two">\n<!-- hello\nworld -->\n'
    b"  <child name=\"alpha\" kind='beta'>text &amp; more</child>\n"
    + b'  <item id="x" k="y">more</item>\n' * 9
    + b"</root>\n",
    "Python": b'#!/usr/bin/python\n"""Says hello."""\nimport os\n\n\ndef f(x, y):\n    # hi there\n'
    b'    if x == "one":\n        return [1, 2, 3]\n    z = {"a": \'b\'}\n    for i in range(10):\n'
    b'        print("hello %s" % i)\n    return z, f"{x} words", r"\\raw"\n',
    "TOML": b'# comment here\n[project]\nname = "alpha"\nversion = "1.0"\nlist = [\n  "a", # one\n'
    b'  "b",\n]\nlong = """\none\n\ntwo"""\n\n[tool.x]\nk = 1\nl = true\nm = \'lit\'\nn = 2.0\n',
    "INI": b"; a comment\n[section]\nname = alpha\nother = beta\nlong = one\n  two\n\n[next]\na = 1\n"
    b"b = 2\nc: 3\nd = 4\ne = five\n",
    "C": b"/* Licensed\n   to all */\n#include <stdio.h>\n#define TWO(x) \\\n  (2 * (x))\n"
    b'#ifdef __cplusplus\nextern "C" {\n#endif\nstatic int add(int a, int b) {\n    return a + b;\n'
    b'}\n\nsize_t main(void) {\n    int x = add(1, 2); // say\n    printf("hello /* %d */\\n", x);\n'
    b"    return 0;\n}\n#ifdef __cplusplus\n}\n#endif\n",
    "HTML": b'<!DOCTYPE html>\n<html lang="en" dir="ltr">\n<head><title>Hi <b></title>\n'
    b"<style>a > b {}</style></head>\n<!-- one\ntwo -->\n"
    b'<body class="x" id="y"><p>Hello &amp; world<br></p></body>\n</html>\n',
    "CSV": b'a,b,c\n1,2,3\n"x, y",z,w\n',
}
