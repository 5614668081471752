"""`falsestruct.audit` and `falsestruct.search`; their errors name what readers stumble over first.

The book's own code calls `entry` and `blind`: nothing that it computes depends on these words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from falsestruct.characterise import blind, entry
from falsestruct.characterise.audit import AuditError

F = TypeVar("F", bound=Callable[..., Any])

# How PyTorch says that a network of float32 got float64: it names both types, in many wordings.
_MIXED = re.compile(r"(?=.*\bdouble\b)(?=.*\bfloat\b).*type", re.IGNORECASE | re.DOTALL)
_PRECISION = (
    "; the inputs are float64 and your network is not: convert them in your function, "
    "x.to(torch.float32), or the network, model.double()"
)


def hinted(text: str) -> str:
    """An error's text, with what to do where it says that a network's precision is another one."""
    return text + _PRECISION * bool(_MIXED.search(text))


def _with_hints(function: F) -> F:
    @wraps(function)
    def told(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except AuditError as error:
            raise AuditError(hinted(str(error))) from error

    return cast(F, told)


audit = _with_hints(entry.audit)
search = _with_hints(blind.search)
