"""The built pages, parsed once for all tests of a worker."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

CONTENTS = re.findall(r"(?:root|file): (\S+)", (Path(__file__).parents[2] / "_toc.yml").read_text())


@pytest.fixture(scope="session")
def soups(html: Path) -> dict[Path, BeautifulSoup]:
    """Every page of the contents, parsed."""
    paths = [html / f"{name}.html" for name in CONTENTS]
    return {path: BeautifulSoup(path.read_text(), "html.parser") for path in paths}
