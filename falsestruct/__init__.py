"""Helpers for the book *False Structures*: problems, networks, training, evidence.

The package is thin on purpose. A chapter imports what it needs from the submodules, and this file
imports nothing, so that a chapter depends on exactly the modules that it names. `falsestruct.audit`
is there for readers; it is looked up when it is asked for.
"""

__version__ = "0.1.0"


def __getattr__(name):  # type: ignore[no-untyped-def]
    """`falsestruct.audit`, without an import statement: no code of the book goes this way.

    Left out of the keys of recorded runs (`sources.code_key`).
    """
    if name != "audit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module("falsestruct.characterise.audit").audit
