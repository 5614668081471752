"""Helpers for the book *False Structures*: problems, networks, training, evidence.

The package is thin on purpose. A chapter imports what it needs from the submodules, and this file
imports nothing, so that a chapter depends on exactly the modules that it names. `falsestruct.audit`
and its like are there for readers; they are looked up when they are asked for.
"""

__version__ = "0.1.0"


def __getattr__(name):  # type: ignore[no-untyped-def]
    """`audit`, `search`, `inputs` and `AuditError`, without an import statement.

    No code of the book goes this way. Left out of the keys of recorded runs (`sources.code_key`).
    """
    places = {"audit": "hints", "search": "hints", "inputs": "held", "AuditError": "audit"}
    if name not in places:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"falsestruct.characterise.{places[name]}"), name)
