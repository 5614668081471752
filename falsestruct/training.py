"""Training of many networks: full batch, Adam, sigmoid cross-entropy, own seed, own data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from falsestruct.networks import Architecture, apply, initialise

Parameters = dict[str, Tensor]


class DivergedError(ArithmeticError):
    """A loss became NaN or infinite: such a run is an error, never evidence."""


@dataclass(frozen=True)
class Trained:
    """Networks of one architecture after training.

    Attributes:
        parameters: Each (members, …).
        loss: Of the final parameters on the training set, (members,).
        steps: Steps that each member took, (members,).
        reached: Whether each met the stopping rule, (members,); all true without one.
    """

    architecture: Architecture
    parameters: Parameters
    loss: Tensor
    steps: Tensor
    reached: Tensor

    def __len__(self) -> int:
        return len(self.loss)


def train(
    architecture: Architecture,
    sets: Sequence[tuple[Tensor, Tensor]],
    seeds: Sequence[int],
    *,
    steps: int,
    target: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> Trained:
    """Train one network a seed, each on its own set, with Adam on the whole set.

    The learning rate is the architecture's.

    Args:
        sets: Images (samples, 32, 32) and labels 0 or 1 (samples,), one pair a member, of equal
            size.
        steps: At most so many.
        target: Stop a member as soon as its loss is at most this; None: use all steps.

    Raises:
        DivergedError: a loss is NaN or infinite.
    """
    if len(sets) != len(seeds):
        raise ValueError(f"{len(sets)} training sets for {len(seeds)} seeds; expected equal")
    x = torch.stack([images for images, _ in sets]).to(dtype)
    y = torch.stack([labels for _, labels in sets]).to(dtype)
    groups = [list(range(len(seeds)))] if architecture.stacks else [[i] for i in range(len(seeds))]
    parts = [
        _train_group(
            architecture,
            (x[group], y[group]),
            [seeds[i] for i in group],
            steps=steps,
            target=target,
        )
        for group in groups
    ]
    return concatenate(parts)


def concatenate(parts: Sequence[Trained]) -> Trained:
    """The members of several trained ensembles of one architecture, in order."""
    first = parts[0]
    return Trained(
        first.architecture,
        {name: torch.cat([p.parameters[name] for p in parts]) for name in first.parameters},
        torch.cat([p.loss for p in parts]),
        torch.cat([p.steps for p in parts]),
        torch.cat([p.reached for p in parts]),
    )


def select(trained: Trained, members: Sequence[int]) -> Trained:
    """Some members of an ensemble, in the order given."""
    index = torch.tensor(members, dtype=torch.long)
    return Trained(
        trained.architecture,
        {name: value[index] for name, value in trained.parameters.items()},
        trained.loss[index],
        trained.steps[index],
        trained.reached[index],
    )


def outputs(trained: Trained, x: Tensor, *, chunk: int = 500) -> Tensor:
    """Outputs (members, samples) for shared inputs (samples, 32, 32).

    Computed in the precision of the parameters, `chunk` inputs at a time.
    """
    dtype = next(iter(trained.parameters.values())).dtype
    forward = _forward(trained.architecture)
    with torch.no_grad():
        parts = []
        for part in x.to(dtype).split(chunk):
            shared = part.expand(len(trained), *part.shape)
            parts.append(forward(trained.parameters, shared))
    return torch.cat(parts, dim=1)


def _forward(architecture: Architecture) -> Callable[[Parameters, Tensor], Tensor]:
    """Outputs (members, samples) from parameters (members, …), inputs (members, samples, …)."""
    network = architecture.build()

    def one(parameters: Parameters, x: Tensor) -> Tensor:
        return apply(network, parameters, x)

    def loop(parameters: Parameters, x: Tensor) -> Tensor:
        members = range(len(x))
        return torch.stack(
            [one({name: p[i] for name, p in parameters.items()}, x[i]) for i in members]
        )

    return torch.func.vmap(one) if architecture.stacks else loop


def _train_group(
    architecture: Architecture,
    data: tuple[Tensor, Tensor],
    seeds: Sequence[int],
    *,
    steps: int,
    target: float | None,
) -> Trained:
    """Train members in lockstep; one that has reached the target leaves and costs no more."""
    x, y = data
    networks = [initialise(architecture.build(), seed) for seed in seeds]
    initial, _ = torch.func.stack_module_state(networks)
    live = {name: p.detach().to(x.dtype).requires_grad_() for name, p in initial.items()}
    forward = _forward(architecture)
    optimizer = torch.optim.Adam(live.values(), lr=architecture.learning_rate, fused=True)
    members = torch.arange(len(seeds))
    finished: dict[int, tuple[Parameters, float, int, bool]] = {}
    for step in range(steps + 1):
        outputs_now = forward(live, x)
        losses = binary_cross_entropy_with_logits(outputs_now, y, reduction="none").mean(1)
        _check(losses, members, step)
        done = losses.detach() <= target if target is not None else torch.zeros(len(x)).bool()
        leave = torch.ones_like(done) if step == steps else done
        for i in leave.nonzero().flatten().tolist():
            copy = {name: p.detach()[i].clone() for name, p in live.items()}
            reached = target is None or bool(done[i])
            finished[int(members[i])] = (copy, losses[i].item(), step, reached)
        if leave.all():
            break
        optimizer.zero_grad()
        # Members share nothing, so the sum's gradient is each member's own.
        losses.sum().backward()
        optimizer.step()
        if leave.any():
            stay = ~leave
            _keep(live, optimizer, stay)
            x, y, members = x[stay], y[stay], members[stay]
    return _collect(architecture, [finished[i] for i in range(len(seeds))])


def _keep(live: Parameters, optimizer: torch.optim.Adam, stay: Tensor) -> None:
    """Drop the members that have left from the parameters and from Adam's memory."""
    old = list(live.values())
    for name, parameter in list(live.items()):
        live[name] = parameter.detach()[stay].clone().requires_grad_()
    optimizer.param_groups[0]["params"] = list(live.values())
    for before, after in zip(old, live.values(), strict=True):
        memory = optimizer.state.pop(before)
        for key in ("exp_avg", "exp_avg_sq"):
            memory[key] = memory[key][stay].clone()
        optimizer.state[after] = memory


def _check(losses: Tensor, members: Tensor, step: int) -> None:
    bad = members[~torch.isfinite(losses.detach())].tolist()
    if bad:
        raise DivergedError(
            f"members {bad} have a loss that is NaN or infinite at step {step}; expected finite "
            "losses: lower the learning rate"
        )


def _collect(
    architecture: Architecture, members: Sequence[tuple[Parameters, float, int, bool]]
) -> Trained:
    names = members[0][0]
    return Trained(
        architecture,
        {name: torch.stack([parameters[name] for parameters, *_ in members]) for name in names},
        torch.tensor([loss for _, loss, _, _ in members], dtype=torch.float64),
        torch.tensor([step for _, _, step, _ in members]),
        torch.tensor([reached for *_, reached in members]),
    )
