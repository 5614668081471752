"""`falsestruct.audit`: of a problem of the book, or of a reader's own data and suspicion."""

from __future__ import annotations

from typing import Any, overload

from falsestruct.characterise import audit as planted
from falsestruct.characterise import suspicion
from falsestruct.characterise.audit import Audit, AuditError
from falsestruct.characterise.suspicion import Suspicion
from falsestruct.problems.planted import Planted


@overload
def audit(predict: Any, x: Planted | str, **options: Any) -> Audit: ...
@overload
def audit(predict: Any, x: Any, **options: Any) -> Suspicion: ...
def audit(predict: Any, x: Any, **options: Any) -> Audit | Suspicion:
    """Which structure did a classifier learn?

    With x a problem of the book, or its name: `characterise.audit.audit`, with samples=, points=
    and seed=. With x your own inputs: `characterise.suspicion.audit`, with original= and false=,
    what to tell apart, and intervene=, attributes=, groups=, threshold=, classes=, batch=, points=,
    seed= and progress=, as it describes them.

    Raises:
        AuditError: It can't be audited; the text is one line that says why and what to do.
    """
    if isinstance(x, (Planted, str)):
        return planted.audit(predict, x, **options)
    missing = [f"{name}=" for name in ("original", "false") if options.get(name) is None]
    if missing:
        raise AuditError(
            f"{' and '.join(missing)} missing: say what the answer should depend on, and what you "
            "suspect; without a suspicion take falsestruct.search"
        )
    return suspicion.audit(predict, x, **options)
