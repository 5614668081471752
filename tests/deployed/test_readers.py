"""Readers that stand beside the network."""

import shutil

import pytest

from falsestruct.deployed import made
from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.readers import BLOCK, Bag, LibMagic, seen

KINDS = ("JSON", "XML", "Python", "INI")


def corpus(seeds):
    pairs = [(made.made(kind, seed, made.Plan(2500)), kind) for kind in KINDS for seed in seeds]
    return [data for data, _ in pairs], [kind for _, kind in pairs]


def test_words_are_told_and_their_order_is_not_read():
    bag = Bag(*corpus(range(4)))
    files, kinds = corpus(range(10, 13))
    assert bag.labels(files) == [NAMES[kind][0] for kind in kinds]
    turned = [b" ".join(reversed(data.split())) for data in files]
    assert bag.labels(turned) == bag.labels(files)


def test_only_the_windows_are_seen():
    data = b"  \n" + bytes(range(65, 91)) * 500 + b"\n \n"
    found = seen(data)
    assert found.startswith(b"ABC") and found.endswith(b"XYZ") and len(found) == 2049
    middle = data[:BLOCK] + b"?" * 99 + data[-BLOCK:]
    assert seen(middle) == found
    assert seen(b"\n" * BLOCK + data)[:1] == b"\n"  # nothing left of the first block


@pytest.mark.skipif(shutil.which("file") is None, reason="no libmagic here")
def test_libmagic_reads_what_its_rules_say():
    magic = LibMagic()
    files = [
        b'{"a": [1, 2]}\n',
        b'{"a": [1, 2\n',
        b'<?xml version="1.0"?>\n<a/>\n',
        b"\x00\x01\x02",
    ]
    assert magic.labels(files) == ["json", "txt", "xml", "unknown"]
    assert magic.labels([]) == [] and magic.version.startswith("file-")


def test_without_the_command_that_is_said(monkeypatch):
    monkeypatch.setattr("falsestruct.deployed.readers.shutil.which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="install the package file"):
        LibMagic()
