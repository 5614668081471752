"""Asks roc-validator whether a folder is an RO-Crate, without a network: `make crate`.

It needs an older rich than the book does, so it runs in an environment of its own, with
requirements-crate.txt. The context, which it would fetch, comes with the package rocrate.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

CONTEXT = json.loads((files("rocrate") / "data" / "ro-crate.jsonld").read_text())


def _answer(_self: HttpRequester, url: str, **_options: Any) -> SimpleNamespace:
    if url.rstrip("/") != CONTEXT["@id"]:
        raise RuntimeError(f"{url}: a crate must need no other context than {CONTEXT['@id']}")
    text = json.dumps(CONTEXT)
    return SimpleNamespace(
        status_code=200, text=text, content=text.encode(), json=lambda: CONTEXT, url=url,
        headers={"Content-Type": "application/ld+json"},
    )  # fmt: skip


def main(folder: str) -> int:
    """Exit code 1 and a line for each requirement that isn't met."""
    HttpRequester.get = _answer  # type: ignore[method-assign]
    settings = {"rocrate_uri": folder, "requirement_severity": models.Severity.REQUIRED}
    result = services.validate(services.ValidationSettings(**settings))
    for issue in result.get_issues():
        print(f"{issue.check.identifier}: {issue.message}")
    checked = len(result.executed_checks) if hasattr(result, "executed_checks") else "?"
    print(f"{folder}: {checked} checks, {'passed' if result.passed() else 'failed'}")
    return int(not result.passed())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
