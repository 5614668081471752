"""Helpers for the book *False Structures*: problems, networks, training, evidence.

The package is thin on purpose. A chapter imports what it needs from the submodules, and this file
imports nothing, so that a chapter depends on exactly the modules that it names.
"""

__version__ = "0.1.0"
