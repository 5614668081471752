"""What an audit stands on: the network's answers to x, and what both structures say, as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from falsestruct.characterise import suspected
from falsestruct.characterise.asking import Inputs, Network
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import identical
from falsestruct.characterise.suspected import Given, Structure, coded
from falsestruct.characterise.verdicts import Design

VERDICTS = ("mixture", "undecided", "none")  # beside the structures' names
Attributes = Mapping[str, Any] | pd.DataFrame | None


@dataclass(frozen=True)
class Case:
    """Answers and structures as codes (n,)."""

    asked: Network
    x: Inputs
    original: Structure
    false: Structure
    labels: np.ndarray
    truth: np.ndarray
    wrong: np.ndarray
    design: Design
    told: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """The original's and the false structure's."""
        return self.original.name, self.false.name

    @property
    def classes(self) -> tuple[Any, ...]:
        """They grow if a changed input gets an answer that no other has."""
        return self.asked.classes

    @cached_property
    def both(self) -> np.ndarray:
        """Where there is an answer, and both structures say something."""
        return (self.truth >= 0) & (self.wrong >= 0) & (self.labels >= 0)

    @cached_property
    def agree(self) -> np.ndarray:
        """Inputs on which both say the same."""
        return np.flatnonzero(self.both & (self.truth == self.wrong))

    @cached_property
    def apart(self) -> np.ndarray:
        """Inputs on which they differ."""
        return np.flatnonzero(self.both & (self.truth != self.wrong))

    @cached_property
    def right(self) -> np.ndarray:
        """Whether it is right where both say the same."""
        return np.asarray(self.labels[self.agree] == self.truth[self.agree])

    @cached_property
    def constant(self) -> bool:
        """Whether all inputs get one answer."""
        answered = self.labels[self.labels >= 0]
        return bool((answered == answered[0]).all())


def pair(
    x: Inputs, original: Given, false: Given, attributes: Attributes
) -> tuple[Structure, Structure]:
    """The structures, under names that differ from each other and from a verdict."""
    first = suspected.structure(original, "original", x, attributes)
    second = suspected.structure(false, "false", x, attributes)
    if first.name == second.name or {first.name, second.name} & set(VERDICTS):
        first = replace(first, name=f"{first.name} (original)")
        second = replace(second, name=f"{second.name} (false)")
    return first, second


def design(x: Inputs, groups: Any, attributes: Attributes) -> Design:
    """Clusters of what shares a source.

    Raises:
        AuditError: No such column, or missing values.
    """
    if groups is None:
        return Design(identical(x), grouped=False)
    names = suspected.column(groups, x, attributes, "groups")
    if any(name is None for name in names):
        raise AuditError("groups has missing values; expected a name for each input")
    return Design(np.asarray(pd.factorize(names)[0]), grouped=True)


def case(
    asked: Network, x: Inputs, structures: tuple[Structure, Structure], sampled: Design
) -> Case:
    """Ask about x, and again.

    Raises:
        AuditError: As `Network.checked`; labels that don't fit; nothing on which both agree.
    """
    labels, (original, false) = asked.checked(x), structures
    classes, known, partly = suspected.original_codes(original, asked.classes, fixed=asked.closed)
    asked.know(classes)
    truth = coded(original.values, known)
    table, told = suspected.false_codes(false, truth, known)
    wrong = coded(false.values, table)
    made = Case(asked, x, original, false, labels, truth, wrong, sampled, (*partly, *told))
    _usable(made)
    return made


def _usable(own: Case) -> None:
    if not len(own.agree):
        raise AuditError(
            f"{own.original.name} and {own.false.name} agree on no input that was answered; "
            "hand over some on which they agree, too: they say whether it has learnt anything"
        )
    if own.design.grouped and own.design.count(own.agree) < 2:
        raise AuditError("groups has one group where the structures agree; expected at least two")
