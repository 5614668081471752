"""Training of many networks: one verb for every architecture.

In lockstep, or with the engine `fused` one after the other (`single`).

What a member becomes does not depend on the ensemble that it trains in, nor on the device, within
`TOLERANCE`; with the same seed, ensemble, device and number of threads it is the same to the byte.
Training amplifies rounding, so the tolerance is stated after `TOLERANCE_STEPS` steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from falsestruct.learning import engines
from falsestruct.learning.members import DivergedError, spread
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import BATCH_SEED, Adversary, Schedule, Set, Trained, Watch

__all__ = [
    "Adversary", "DivergedError", "Schedule", "Set", "Trained", "Watch", "as_function",
    "concatenate", "memory", "outputs", "pick_device", "select", "train",
]  # fmt: skip

TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-9}  # relative, of losses
TOLERANCE_STEPS = 200
LIMIT = 2**30  # bytes that an ensemble in training may need; larger ones train in parts


def train(
    architecture: Architecture,
    sets: Set | Sequence[Set],
    seeds: Sequence[int],
    schedule: Schedule,
    *,
    watch: Watch | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "auto",
) -> Trained:
    """Train one network a seed; a member that is done leaves and costs no more.

    Args:
        sets: Inputs (samples, …) and labels (samples,), 0 or 1, or 0 … classes − 1 if the
            architecture has several outputs: one pair for all members, or one a member, of equal
            size. A set given to several members is held once.
        device: "cpu", "cuda", or "auto": a CUDA GPU if there is one.

    Raises:
        ValueError: numbers of sets, seeds, rates or samples that don't fit.
        DivergedError: a loss is NaN or infinite.
    """
    own = _each(sets, len(seeds), "training sets")
    _check_batch(schedule, own)
    rates = _per_member(schedule.learning_rate, architecture.learning_rate, len(seeds))
    decays = _per_member(schedule.weight_decay, 0.0, len(seeds))
    watch = watch or Watch()
    tests = {
        name: _each(given, len(seeds), f"sets {name!r}") for name, given in watch.tests.items()
    }
    place = pick_device(device)

    if _fused(architecture, own[0][0], schedule, place):
        from falsestruct.learning import single  # numba takes half a second: only who needs it

        each = zip(seeds, rates.tolist(), decays.tolist(), own, strict=True)
        members = [
            single.Member(i, *one, {name: test[i] for name, test in tests.items()})
            for i, one in enumerate(each)
        ]
        return single.train(architecture, members, schedule, at=watch.at, dtype=dtype)

    def part(group: list[int]) -> Trained:
        run = _Lockstep(
            architecture,
            _Members(group[0], [seeds[i] for i in group], rates[group], decays[group]),
            _Sets.of([own[i] for i in group], dtype, place),
            replace(watch, tests={name: [t[i] for i in group] for name, t in tests.items()}),
            schedule,
        )
        return run.train()

    groups = _groups(architecture, own, schedule, dtype)
    # Convolutions on a GPU would round to ten bits otherwise.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        if architecture.engine == "looped" and place.type == "cpu":
            # Two convolutions beside each other keep two cores busier than one on both.
            return concatenate(spread(part, groups))
        return concatenate([part(group) for group in groups])


def _fused(architecture: Architecture, x: Tensor, schedule: Schedule, place: torch.device) -> bool:
    """Whether the compiled engine serves: what it can't do, `dense` does."""
    if architecture.engine != "fused" or place.type != "cpu" or schedule.adversary is not None:
        return False
    from falsestruct.learning import single

    return single.serves(architecture, x[0].numel())


def pick_device(device: str = "auto") -> torch.device:
    """The device of this name; "auto" is a CUDA GPU if there is one, else the processor."""
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(automatic if device == "auto" else device)


def concatenate(parts: Sequence[Trained]) -> Trained:
    """The members of several trained ensembles of one architecture, in order."""
    first = parts[0]
    if len(parts) == 1:
        return first
    starts = accumulate((len(part) for part in parts), initial=0)
    tables = [
        p.history.assign(member=p.history["member"] + s)
        for p, s in zip(parts, starts, strict=False)
    ]
    return Trained(
        first.architecture,
        tuple(seed for part in parts for seed in part.seeds),
        {name: torch.cat([p.parameters[name] for p in parts]) for name in first.parameters},
        torch.cat([p.loss for p in parts]),
        torch.cat([p.steps for p in parts]),
        torch.cat([p.reached for p in parts]),
        pd.concat(tables, ignore_index=True),
    )


def select(trained: Trained, members: Sequence[int]) -> Trained:
    """Some members of an ensemble, in the order given."""
    index = torch.tensor(members, dtype=torch.long)
    tables = [
        trained.history[trained.history["member"] == old].assign(member=new)
        for new, old in enumerate(members)
    ]
    return Trained(
        trained.architecture,
        tuple(trained.seeds[i] for i in members),
        {name: value[index] for name, value in trained.parameters.items()},
        trained.loss[index],
        trained.steps[index],
        trained.reached[index],
        pd.concat(tables, ignore_index=True),
    )


def as_function(trained: Trained) -> Callable[[Tensor], Tensor]:
    """Outputs (members, samples) from inputs (members, samples, …), differentiable.

    With several classes (members, samples, classes). Computed in the precision of the parameters.
    """
    forward = engines.forward(trained.architecture)
    dtype = next(iter(trained.parameters.values())).dtype
    return lambda x: forward(trained.parameters, x.to(dtype))


def outputs(trained: Trained, x: Tensor, *, chunk: int = 500) -> Tensor:
    """Outputs (members, samples) for shared inputs (samples, …), `chunk` inputs at a time.

    With several classes (members, samples, classes).
    """
    function = as_function(trained)
    with torch.no_grad():
        parts = [function(part.expand(len(trained), *part.shape)) for part in x.split(chunk)]
    return torch.cat(parts, dim=1)


def memory(architecture: Architecture, x: Tensor, batch: int, dtype: torch.dtype) -> int:
    """Bytes that a member needs in training, at most: what `LIMIT` is compared with.

    Weights, gradient, Adam's two averages, an update of its own, the result, and what moves when
    others leave; then, for each sample of a step, twice the input and three times every layer's
    output.

    Args:
        x: Inputs (samples, …), for their shape.
    """
    with torch.device("meta"):
        network, image = architecture.build(), torch.empty(1, *x.shape[1:])
    sizes: list[int] = []
    for layer in network.modules():
        if not isinstance(layer, (nn.Sequential, nn.Flatten)):
            layer.register_forward_hook(lambda _, __, out: sizes.append(out.numel()))
    network(image)
    weights = sum(p.numel() for p in network.parameters())
    return (7 * weights + batch * (2 * image.numel() + 3 * sum(sizes))) * dtype.itemsize


def _groups(
    architecture: Architecture, sets: Sequence[Set], schedule: Schedule, dtype: torch.dtype
) -> list[list[int]]:
    """Members that train together: as many as `LIMIT` allows."""
    x = sets[0][0]
    need = memory(architecture, x, schedule.batch or len(x), dtype)
    size = 1 if architecture.engine == "looped" else max(1, LIMIT // need)
    members = list(range(len(sets)))
    return [members[start : start + size] for start in range(0, len(sets), size)]


def _each(given: Set | Sequence[Set], members: int, what: str) -> list[Set]:
    """One set a member."""
    one = isinstance(given, tuple) and isinstance(given[0], Tensor)
    sets: list[Set] = [given] * members if one else list(given)  # type: ignore[list-item, arg-type]
    if len(sets) != members or not sets:
        raise ValueError(f"{len(sets)} {what} for {members} seeds; expected one each, or one pair")
    sizes = {(*x.shape,) for x, _ in sets} | {(*y.shape, *x.shape[1:]) for x, y in sets}
    if len(sizes) != 1:
        raise ValueError(f"{what} of sizes {sorted(sizes)}; expected one size for all members")
    return sets


def _check_batch(schedule: Schedule, sets: Sequence[Set]) -> None:
    samples = len(sets[0][0])
    if schedule.batch is not None and not 1 <= schedule.batch <= samples:
        raise ValueError(
            f"batch is {schedule.batch} but a set has {samples} samples; expected 1 to {samples}"
        )


def _per_member(given: float | Sequence[float] | None, default: float, members: int) -> Tensor:
    values = default if given is None else given
    if isinstance(values, Sequence) and len(values) != members:
        raise ValueError(f"{len(values)} rates for {members} seeds; expected one each, or one")
    return torch.as_tensor(values, dtype=torch.float64).expand(members)


@dataclass(frozen=True)
class _Sets:
    """The training sets of some members.

    Attributes:
        x, y: (sets, samples, …), (sets, samples).
        rows: Which set each member has, (members,).
    """

    x: Tensor
    y: Tensor
    rows: Tensor

    @classmethod
    def of(cls, sets: Sequence[Set], dtype: torch.dtype, device: torch.device) -> _Sets:
        places = {(id(x), id(y)): (x, y) for x, y in sets}
        order = {key: row for row, key in enumerate(places)}
        x, y = (
            torch.stack([pair[k] for pair in places.values()]).to(device, dtype) for k in (0, 1)
        )
        rows = [order[id(x), id(y)] for x, y in sets]
        return cls(x, y, torch.tensor(rows, device=device))

    def whole(self, start: int = 0, stop: int | None = None) -> Set:
        """The samples start … stop of every member: views if all members share them."""
        x, y = self.x[:, start:stop], self.y[:, start:stop]
        if len(x) == 1:
            members = len(self.rows)
            return x.expand(members, *x.shape[1:]), y.expand(members, y.shape[1])
        return x[self.rows], y[self.rows]

    def batch(self, index: Tensor) -> Set:
        """The samples index (members, batch) of every member."""
        rows = self.rows[:, None]
        return self.x[rows, index], self.y[rows, index]

    def keep(self, stay: Tensor) -> _Sets:
        """The sets of the members that stay."""
        return replace(self, rows=self.rows[stay])


@dataclass(frozen=True)
class _Members:
    """Some members: the first one's number, seeds, learning rates, weight decays."""

    first: int
    seeds: list[int]
    rates: Tensor
    decays: Tensor


class _Order:
    """Which samples each member sees in a step: an own permutation in every epoch."""

    def __init__(self, seeds: Sequence[int], samples: int, batch: int) -> None:
        self.generators = [torch.Generator().manual_seed(BATCH_SEED + seed) for seed in seeds]
        self.samples, self.batch, self.epoch = samples, batch, samples // batch

    def at(self, step: int, device: torch.device) -> Tensor:
        """Indices (members, batch); must be asked for every step in turn."""
        start = step % self.epoch * self.batch
        if start == 0:
            draws = [torch.randperm(self.samples, generator=g) for g in self.generators]
            self.permutations = torch.stack(draws).to(device)
        return self.permutations[:, start : start + self.batch]

    def keep(self, stay: Tensor) -> None:
        """Drop the members outside of the mask."""
        kept = stay.tolist()
        self.generators = [g for g, keep in zip(self.generators, kept, strict=True) if keep]
        self.permutations = self.permutations[stay]


class _Optimizer:
    """PyTorch's fused AdamW, or gradient descent, with rates and decays of each member's own.

    If they differ, the fused step fills a buffer, at rate one, with −m̂/(√v̂ + ε), and each member
    takes its own multiple of it. Not through `torch.optim.AdamW`: what it does around a step costs
    as much as the step of a small ensemble.
    """

    def __init__(
        self, parameters: Sequence[Tensor], rates: Tensor, decays: Tensor, kind: str
    ) -> None:
        self.parameters, self.rates, self.decays = list(parameters), rates, decays
        self.adam = kind == "adam"
        self.own = bool((rates != rates[0]).any() or (decays != decays[0]).any())
        places = 0 if not self.adam else 3 if self.own else 2
        self.averages = [[torch.zeros_like(p) for p in parameters] for _ in range(places)]
        self.counts = [torch.zeros((), device=p.device) for p in parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step down the parameters' `.grad`."""
        slopes = [p.grad for p in self.parameters if p.grad is not None]
        if not self.adam:
            self._move([-slope for slope in slopes])
        elif self.own:
            self._adam(self.averages[2], slopes, 1.0, 0.0)
            self._move(self.averages[2])
            torch._foreach_zero_(self.averages[2])
        else:
            self._adam(self.parameters, slopes, self.rates[0].item(), self.decays[0].item())

    def _adam(self, moved: list[Tensor], slopes: list[Tensor], rate: float, decay: float) -> None:
        first, second = self.averages[:2]
        adamw(
            moved, slopes, first, second, [], self.counts, fused=True, amsgrad=False,
            beta1=0.9, beta2=0.999, lr=rate, weight_decay=decay, eps=1e-8, maximize=False,
        )  # fmt: skip

    def _move(self, updates: Sequence[Tensor]) -> None:
        """Each member's own multiple of its update, after its decay."""
        for update, parameter in zip(updates, self.parameters, strict=True):
            shape = (-1, *[1] * (parameter.ndim - 1)) if self.own else ()
            rates, decays = (v[: None if self.own else 1] for v in (self.rates, self.decays))
            rates, decays = (v.to(parameter).reshape(shape) for v in (rates, decays))
            parameter.mul_(1 - rates * decays).addcmul_(update, rates)

    def keep(self, stay: Tensor, parameters: Sequence[Tensor]) -> None:
        """Drop the members outside of the mask; `parameters` are the new ones."""
        self.parameters = list(parameters)
        self.rates, self.decays = self.rates[stay.cpu()], self.decays[stay.cpu()]
        self.averages = [[engines.compact(v, stay) for v in values] for values in self.averages]


class _Lockstep:
    """An ensemble in training."""

    def __init__(
        self,
        architecture: Architecture,
        members: _Members,
        sets: _Sets,
        watch: Watch,
        schedule: Schedule,
    ) -> None:
        self.architecture, self.members, self.schedule = architecture, members, schedule
        self.sets, self.watch = sets, watch
        device, dtype, samples = sets.x.device, sets.x.dtype, sets.x.shape[1]
        self.tests = {n: _Sets.of(t, dtype, device) for n, t in watch.tests.items()}  # type: ignore[arg-type]
        networks = [initialise(architecture.build(), seed) for seed in members.seeds]
        initial, _ = torch.func.stack_module_state(networks)
        start = {name: value.detach().to(device, dtype) for name, value in initial.items()}
        batch = schedule.batch or samples
        self.engine = engines.ENGINES[architecture.engine](architecture, start, batch)
        self.forward = engines.forward(architecture)
        own = list(self.engine.parameters.values())
        self.optimizer = _Optimizer(own, members.rates, members.decays, schedule.optimizer)
        self.order = _Order(members.seeds, samples, schedule.batch) if schedule.batch else None
        self.live = torch.arange(len(members.seeds))
        self.seeds = tuple(members.seeds)
        self.result = {name: torch.empty(value.shape, dtype=dtype) for name, value in start.items()}
        self.left: dict[int, tuple[float, int, bool]] = {}
        self.tables: list[pd.DataFrame] = []

    def train(self) -> Trained:
        """Train until every member has left."""
        x, y = self.sets.whole()
        for step in range(self.schedule.steps + 1):
            if self.order is not None:
                x, y = self.sets.batch(self.order.at(step, x.device))
            losses = self.engine.differentiate(self._moved(x, y), y)
            self._check(losses, step)
            leave = self._look(step, losses)
            if leave.all():
                break
            self.optimizer.step()
            if leave.any():
                self._keep(~leave)
                x, y = self.sets.whole()
        return self._collect()

    def _moved(self, x: Tensor, y: Tensor) -> Tensor:
        """What this step trains on: the inputs, or what the adversary makes of them."""
        if self.schedule.adversary is None:
            return x
        parameters = {name: value.detach() for name, value in self.engine.stacked().items()}
        return self.schedule.adversary.perturb(lambda z: self.forward(parameters, z), x, y)

    def _look(self, step: int, losses: Tensor) -> Tensor:
        """Note what is to be seen in this step; returns who leaves, (members,)."""
        last, target = step == self.schedule.steps, self.schedule.target
        leave = torch.full_like(losses, last, dtype=torch.bool)
        after_epoch = self.order is None or (step > 0 and step % self.order.epoch == 0)
        look = last or step in self.watch.at or (after_epoch and target is not None)
        if not look:
            return leave
        if self.order is not None or self.schedule.adversary is not None:  # not the set's losses
            losses = self._losses()
            self._check(losses, step)
        done = losses <= target if target is not None else torch.ones_like(leave)
        if after_epoch and target is not None:
            leave |= done
        noted = step in self.watch.at
        if not noted and not leave.any():
            return leave
        self._note(step, losses, torch.ones_like(leave) if noted else leave)
        parameters = self.engine.stacked()
        for i in leave.nonzero().flatten().tolist():
            member = int(self.live[i])
            for name, value in parameters.items():
                self.result[name][member] = value[i]
            self.left[member] = (losses[i].item(), step, bool(done[i]))
        return leave

    def _note(self, step: int, losses: Tensor, who: Tensor) -> None:
        """Add rows to the history: of the members in the mask."""
        columns = {"member": self.live.tolist(), "seed": self.members.seeds, "step": step}
        table = pd.DataFrame(columns | {"loss": losses.double().tolist()})
        for name, test in self.tests.items():
            right = [engines.correct(out, y) for out, y in self._outputs(test)]
            table[name] = torch.cat(right, 1).double().mean(1).tolist()
        self.tables.append(table[who.tolist()])

    @torch.no_grad()
    def _outputs(self, sets: _Sets) -> Iterator[tuple[Tensor, Tensor]]:
        """Outputs and labels (members, part), as many samples at a time as a step has."""
        size = self.schedule.batch or self.sets.x.shape[1]
        for start in range(0, sets.x.shape[1], size):
            x, y = sets.whole(start, start + size)
            yield self.engine.outputs(x), y

    def _losses(self) -> Tensor:
        """Loss of each member on its whole set, (members,)."""
        parts = [engines.cross_entropy(out, y) * y.shape[1] for out, y in self._outputs(self.sets)]
        return torch.stack(parts).sum(0) / self.sets.x.shape[1]

    def _keep(self, stay: Tensor) -> None:
        kept = stay.tolist()
        self.engine.keep(stay)
        self.optimizer.keep(stay, list(self.engine.parameters.values()))
        self.sets = self.sets.keep(stay)
        self.tests = {name: test.keep(stay) for name, test in self.tests.items()}
        if self.order is not None:
            self.order.keep(stay)
        self.live = self.live[stay.cpu()]
        seeds = [s for s, keep in zip(self.members.seeds, kept, strict=True) if keep]
        self.members = replace(self.members, seeds=seeds)

    def _check(self, losses: Tensor, step: int) -> None:
        finite = torch.isfinite(losses)
        if not finite.all():
            bad = (self.members.first + self.live[~finite.cpu()]).tolist()
            raise DivergedError(
                f"members {bad} have a loss that is NaN or infinite at step {step}; expected "
                "finite losses: lower the learning rate"
            )

    def _collect(self) -> Trained:
        loss, steps, reached = zip(*(self.left[i] for i in range(len(self.left))), strict=True)
        history = pd.concat(self.tables, ignore_index=True)
        return Trained(
            self.architecture,
            self.seeds,
            self.result,
            torch.tensor(loss, dtype=torch.float64),
            torch.tensor(steps),
            torch.tensor(reached),
            history.sort_values(["member", "step"], ignore_index=True),
        )
