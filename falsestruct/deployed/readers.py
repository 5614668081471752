"""Other readers that the court asks the same: libmagic, and one that knows words alone."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.words import Words

BLOCK = 4 * WINDOW  # bytes at either end that the package reads before it strips whitespace
COMMAND = "file"  # of libmagic
MIMES = {
    "application/json": "json", "text/xml": "xml", "application/xml": "xml", "text/html": "html",
    "text/x-script.python": "python", "text/x-python": "python", "text/x-c": "c",
    "text/x-c++": "cpp", "text/csv": "csv", "application/csv": "csv",
    "application/x-wine-extension-ini": "ini", "application/toml": "toml",
    "text/plain": "txt", "application/octet-stream": "unknown",
}  # fmt: skip


class LibMagic:
    """What `file --mime-type` says, in the network's names; other types by their MIME type.

    Raises:
        FileNotFoundError: The command isn't installed.
    """

    def __init__(self) -> None:
        if shutil.which(COMMAND) is None:
            raise FileNotFoundError(f"no command {COMMAND!r}: install the package file")
        asked = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
        self.version = asked.stdout.split("\n", 1)[0].strip()

    def labels(self, files: Sequence[bytes]) -> list[str]:
        """A type a file."""
        if not files:
            return []
        with tempfile.TemporaryDirectory() as folder:
            names = [f"{i:05d}" for i in range(len(files))]
            for name, data in zip(names, files, strict=True):
                (Path(folder) / name).write_bytes(data)
            asked = subprocess.run(
                [COMMAND, "--brief", "--mime-type", "--", *names],
                cwd=folder, capture_output=True, text=True, check=True,
            )  # fmt: skip
        return [MIMES.get(line.strip(), line.strip()) for line in asked.stdout.splitlines()]


class Bag:
    """A bag of words over the bytes that the network sees; it never declines.

    Args:
        files, kinds: To learn from, others than it is asked about.
    """

    def __init__(self, files: Sequence[bytes], kinds: Sequence[str]) -> None:
        self.words = Words.of([seen(data) for data in files], kinds)

    def labels(self, files: Sequence[bytes]) -> list[str]:
        """A type a file."""
        return [NAMES[self.words.kind(seen(data))][0] for data in files]


def seen(data: bytes) -> bytes:
    """The first and the last window, with a new line between them."""
    head = data[:BLOCK].lstrip()[:WINDOW]
    return head + b"\n" + data[-BLOCK:].rstrip()[-WINDOW:]
