"""What is asked again, of readers by hand."""

import pytest

from falsestruct.deployed import again, made
from falsestruct.deployed.filetypes import Answer

JSON = made.made("JSON", 3, made.Plan(1500))


class Network:
    """Takes files with a sign in them for text, for want of a threshold."""

    def __init__(self, sign):
        self.sign = sign
        self.asked = 0

    def answers(self, files):
        self.asked += len(files)
        return [Answer("txt", "json", 0.3) if self.sign in one else Answer("json", "json", 0.9)
                for one in files]  # fmt: skip

    def labels(self, files):
        return [one.label for one in self.answers(files)]


def bag():
    return again.White([b'{"a": 1}', b"a = 1\n\n\n\n"], ["JSON", "INI"])


def changes(*files):
    first = ({"arm": "plain", "way": "", "amount": 0.0}, JSON)
    return [first, *(({"arm": "filled", "way": "x", "amount": i}, f) for i, f in enumerate(files))]


def test_only_verdicts_that_fall_are_kept_with_what_the_network_says_itself():
    rows = again.said("JSON", JSON, changes(JSON + b"\n\n\n", JSON), network=Network(b"\n\n\n"),
                      bag=bag(), search=False)  # fmt: skip
    assert [row["arm"] for row in rows] == ["plain", "filled", again.CUT]
    assert (rows[1]["label"], rows[1]["raw"], rows[1]["score"]) == ("txt", "json", 0.3)
    assert rows[2]["label"] == "json" and rows[2]["amount"] == again.EDGE
    misread = again.said("JSON", JSON, changes(), network=Network(b"{"), bag=bag(), search=True)
    assert misread == []


@pytest.mark.parametrize(("sign", "label"), [(b"\x00", "json"), (b"q", "txt")])
def test_letters_are_searched_as_often_as_new_lines(sign, label):
    data = JSON.replace(sign, b"x")
    network = Network(sign)
    rows = again.said("JSON", data, [({"arm": "plain", "way": "", "amount": 0}, data)],
                      network=network, bag=bag(), search=True)  # fmt: skip
    assert rows[-1]["arm"] == again.LETTERS and rows[-1]["label"] == label
    assert network.asked <= again.QUERIES + 4


def test_two_ends():
    data = bytes(range(33, 127)) * 20
    assert again.cut(b" " + data + b"\n") == data[:256] + data[-256:]
    assert again.cut(b"\n" + data[:512]) == data[:512]
    assert len(again.cut(data[:600])) == 512


def test_a_bag_that_sees_whitespace():
    reader = bag()
    assert reader.labels([b"\n\n\n\n\n\n", b'{"b"}']) == ["ini", "json"]
    assert reader.labels([b'{"a": 1}' + b"\n" * 40]) == ["ini"]  # new lines are its words
