"""`make test` executes these notebooks once more: what took longest comes first.

So that no core is idle while the last chapter is executed. Not needed to read or to run them.
"""

import json


def pytest_collection_modifyitems(items):
    """By the seconds that a notebook's run took; its cells stay as they are."""
    taken = {path: seconds(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: (-taken[item.path], item.path))


def seconds(path):
    """Of the run that a notebook's outputs are from; 0 if nobody knows."""
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    return metadata.get("falsestruct_run", {}).get("seconds", 0)
