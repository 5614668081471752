"""Structures, and what it means that one is a false structure for another.

The definitions are the book's own; chapter 02 states them beside these functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Rule = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Structure:
    """A labelling rule with a name.

    Attributes:
        name: What people call it, in claims, figures and prose alike.
        rule: Maps inputs (samples, ...) to integer labels (samples,).
        radius: Maps inputs (samples, ...) to the distance (samples,) that an input can be moved,
            in the problem's norm, before the label changes; None where no closed form is known.
    """

    name: str
    rule: Rule
    radius: Callable[[Tensor], Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Labels (samples,) of inputs (samples, ...)."""
        labels = self.rule(x)
        if labels.shape != x.shape[:1]:
            raise ValueError(
                f"structure {self.name!r} gave labels of shape {tuple(labels.shape)} for "
                f"{x.shape[0]} inputs; expected ({x.shape[0]},): return one label an input"
            )
        return labels.long()


@dataclass(frozen=True)
class FalseStructure:
    """The outcome of `check_false_structure`.

    Attributes:
        agrees_on_training: g = f on the whole training set.
        agreement: Share of the test set on which g = f, in [0, 1].
        witness: An input of the domain with g ≠ f, or None if none was found.
        holds: g is a false structure for f at the tolerance that was asked for.
    """

    agrees_on_training: bool
    agreement: float
    witness: Tensor | None
    holds: bool


def agreement(f: Rule, g: Rule, x: Tensor) -> float:
    """Share of the inputs x (samples, ...) on which f and g give the same label, in [0, 1]."""
    if len(x) == 0:
        raise ValueError("agreement needs at least one input, got 0: give a non-empty set")
    return (f(x) == g(x)).double().mean().item()


def conflict(f: Rule, g: Rule, x: Tensor) -> Tensor:
    """Mask (samples,) of the conflict set: the inputs on which f and g disagree."""
    return f(x) != g(x)


def check_false_structure(
    g: Rule, f: Rule, *, training: Tensor, test: Tensor, domain: Tensor, tau: float = 0.0
) -> FalseStructure:
    """Is g a false structure for f (definition "false structure")?

    g must equal f on the training set, on a share of at least 1 − tau of the test set, and must
    differ from f at a point of `domain`, a finite sample (samples, ...) of the domain M. A sample
    can prove that g and f differ; it can't prove that they are equal.
    """
    if not 0 <= tau < 1:
        raise ValueError(f"tau is {tau}; expected 0 ≤ tau < 1")
    on_training = bool((g(training) == f(training)).all())
    on_test = agreement(f, g, test)
    differs = conflict(f, g, domain).nonzero()
    witness = domain[differs[0, 0]] if len(differs) else None
    holds = on_training and on_test >= 1 - tau and witness is not None
    return FalseStructure(on_training, on_test, witness, holds)


def is_partial(g: Rule, f: Rule, label: int, *, training: Tensor, domain: Tensor) -> bool:
    """Do the predicates "f = label" and "g = label" agree on the training set and differ on M?"""
    same = bool(((g(training) == label) == (f(training) == label)).all())
    return same and bool(((g(domain) == label) != (f(domain) == label)).any())


def unstable(g: Rule, f: Rule, x: Tensor, eta: Tensor) -> Tensor:
    """Mask (samples,) of the x at which eta shows g unstable: g's label changes, f's stays.

    Args:
        x: Inputs (samples, ...).
        eta: Perturbation that broadcasts against x; its norm is the ε of the definition.
    """
    moved = x + eta
    return (f(moved) == f(x)) & (g(moved) != g(x)) & torch.isfinite(moved).flatten(1).all(1)
