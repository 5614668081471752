"""The compiled engine: gradients and steps against PyTorch, its ends, its cache, its threads."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from falsestruct.learning import fused, single, training
from falsestruct.learning.networks import MLP, Architecture, shallow
from falsestruct.learning.training import Adversary, DivergedError, Schedule, Watch

SMALL = shallow(2, 7)


def classifier(inputs: int, width: int, outputs: int) -> Architecture:
    """One hidden layer with one output a class, behind a layer that flattens."""

    def build() -> nn.Module:
        layers = nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs)
        return nn.Sequential(nn.Flatten(), *layers)

    return Architecture("classifier", build, engine="fused", outputs=outputs)


def data(samples: int, inputs: int, outputs: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points and a rule that can be learnt: which side of a plane, and of another one."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, inputs, dtype=torch.float64, generator=generator)
    return x, (x.sum(1) > 0).double() + (x[:, 0] > 0.7).double() * (outputs > 2)


def loss_of(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    out = network(x)
    if out.shape[1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(out[:, 0], y)
    return nn.functional.cross_entropy(out, y.long())


def row(network: nn.Module, *, gradient: bool = False) -> Tensor:
    """All weights, or their gradients, in the order of `fused.State`."""
    _, hidden_weight, hidden_bias, weight, bias = (None, *network.parameters())
    parts = (hidden_weight, hidden_bias, weight, bias)
    values = [part.grad if gradient else part.detach() for part in parts]
    return torch.cat([values[0].T.flatten(), *(value.flatten() for value in values[1:])])


sizes = st.tuples(
    st.integers(1, 5), st.integers(1, 9), st.sampled_from([1, 1, 2, 3]), st.integers(1, 150)
)


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(0, 2**20))
def test_gradients_are_those_of_automatic_differentiation(sizes, seed) -> None:
    """A step of plain gradient descent at rate one moves the weights by the gradient."""
    inputs, width, outputs, samples = sizes
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs)).double()
    x, y = data(samples, inputs, outputs, seed)
    loss = loss_of(network, x, y)
    loss.backward()
    state = single.start(network, torch.float64)
    before = torch.from_numpy(state.flat.copy())
    assert torch.equal(before, row(network))
    assert fused.loss(state, x.numpy(), y.numpy()) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(fused.outputs(state, x.numpy()), network(x).detach(), atol=1e-12)
    rule = fused.Rule(rate=1.0, adam=False)
    fused.advance(state, x.numpy(), y.numpy(), np.arange(samples)[None], rule, steps=1)
    moved = before - torch.from_numpy(state.flat)
    torch.testing.assert_close(moved, row(network, gradient=True), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("batch", [None, 70])
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (2, 3), (64, 1)])
def test_steps_are_those_of_pytorch(inputs, outputs, batch, optimizer) -> None:
    """Blocks of 64 samples, batches of 70: the second block of a step counts, too."""
    architecture, rate, decay = classifier(inputs, 11, outputs), 0.02, 0.1
    x, y = data(210, inputs, outputs)
    schedule = Schedule(
        40, batch=batch, learning_rate=rate, weight_decay=decay, optimizer=optimizer
    )
    trained = training.train(architecture, (x, y), [3], schedule, dtype=torch.float64)
    assert trained.steps.tolist() == [40]
    network = training.initialise(architecture.build(), 3).double()
    kind = torch.optim.AdamW if optimizer == "adam" else torch.optim.SGD
    steps = kind(network.parameters(), lr=rate, weight_decay=decay)
    generator = torch.Generator().manual_seed(training.BATCH_SEED + 3)
    for step in range(40):
        if batch and step % 3 == 0:
            order = torch.randperm(210, generator=generator)
        part = order[step % 3 * batch :][:batch] if batch else slice(None)
        steps.zero_grad()
        loss_of(network, x[part], y[part]).backward()
        steps.step()
    for name, value in network.named_parameters():
        torch.testing.assert_close(trained.parameters[name][0], value.detach(), rtol=0, atol=1e-12)


SCHEDULES = {
    "whole": Schedule(60, learning_rate=[0.01, 0.05, 0.02], weight_decay=[0.0, 0.1, 0.0]),
    "to a loss": Schedule(400, target=0.45, learning_rate=[0.01, 0.05, 0.02]),
    "batches to a loss": Schedule(400, batch=30, target=0.45, learning_rate=[0.01, 0.05, 0.02]),
    "not reached": Schedule(35, batch=30, target=1e-9, learning_rate=0.01),
    "descent": Schedule(60, batch=30, optimizer="sgd", learning_rate=[0.1, 0.5, 0.2]),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_it_is_the_dense_engine_but_faster(name, dtype) -> None:
    """Losses, steps, who reached the target, and every row of the history."""
    sets = [data(100, 2, 1, seed) for seed in range(3)]
    watch = Watch((0, 3, 4, 30), {"other": data(50, 2, 1, 9), "own": sets})
    found, expected = (
        training.train(network, sets, [4, 5, 6], SCHEDULES[name], watch=watch, dtype=dtype)
        for network in (SMALL, replace(SMALL, engine="dense"))
    )
    assert found.steps.tolist() == expected.steps.tolist()
    assert found.reached.tolist() == expected.reached.tolist() == [name != "not reached"] * 3
    rtol = training.TOLERANCE[dtype]
    torch.testing.assert_close(found.loss, expected.loss, rtol=rtol, atol=0)
    columns = ["member", "seed", "step", "other", "own"]
    assert found.history[columns].equals(expected.history[columns])
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=rtol)
    for key, value in expected.parameters.items():
        assert found.parameters[key].shape == value.shape and found.parameters[key].dtype == dtype
    if name.endswith("to a loss"):
        assert len(set(found.steps.tolist())) == 3 and found.steps.max() < 400


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_neither_the_ensemble_nor_the_threads_change_a_byte(dtype) -> None:
    sets = [data(100, 2, 1, seed) for seed in range(6)]
    schedule, before = Schedule(300, batch=30, target=0.3), torch.get_num_threads()

    def bytes_of(members: list[int]) -> list[bytes]:
        own = [sets[i] for i in members]
        trained = training.train(SMALL, own, members, schedule, dtype=dtype)
        values = zip(*(trained.parameters[name] for name in trained.parameters), strict=True)
        return [b"".join(part.numpy().tobytes() for part in member) for member in values]

    try:
        torch.set_num_threads(1)
        alone = bytes_of(list(range(6)))
        torch.set_num_threads(3)
        assert bytes_of(list(range(6))) == alone
        assert bytes_of([5, 2]) == [alone[5], alone[2]]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("schedule", [Schedule(50), Schedule(50, batch=10, target=0.1)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_what_is_not_finite_is_an_error_that_names_members_and_step(schedule, outputs) -> None:
    architecture = classifier(2, 7, outputs)
    good, (x, y) = data(40, 2, outputs), data(40, 2, outputs)
    with pytest.raises(DivergedError, match=r"members \[1\] .* the first at step 0;"):
        training.train(architecture, [good, (x / 0, y)], [0, 1], schedule)
    fast = replace(schedule, learning_rate=[1e-3, 1e38], optimizer="sgd")
    with pytest.raises(DivergedError, match=r"members \[1\] .* at step [1-9]"):
        training.train(architecture, good, [0, 1], fast)


def test_a_last_step_into_infinity_is_noticed() -> None:
    with pytest.raises(DivergedError, match="at step 1;"):
        schedule = Schedule(1, learning_rate=1e38, optimizer="sgd")
        training.train(SMALL, data(40, 2, 1), [0], schedule)


def test_what_it_cannot_do_goes_to_the_dense_engine(monkeypatch) -> None:
    """Adversaries, more than 64 inputs, more than one hidden layer."""
    monkeypatch.setattr(single, "train", lambda *_, **__: pytest.fail("the compiled engine"))
    adversary = Schedule(2, adversary=Adversary("l2", 0.1))

    def two() -> nn.Module:
        layers = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)
        return nn.Sequential(*layers)

    deep = replace(SMALL, build=two)
    for architecture, inputs, schedule in (
        (SMALL, 2, adversary),
        (classifier(65, 7, 1), 65, Schedule(2)),
        (deep, 2, Schedule(2)),
    ):
        trained = training.train(architecture, data(20, inputs, 1), [0], schedule)
        assert trained.steps.tolist() == [2]
    assert single.serves(classifier(64, 7, 3), 64) and not single.serves(MLP, 1024)


@pytest.mark.parametrize("outputs", [1, 3])
def test_what_the_compiled_function_would_not_notice_is_refused(outputs: int) -> None:
    """It reads and writes where it is told, also beyond its arrays."""
    architecture, (x, y) = classifier(2, 7, outputs), data(20, 2, outputs)
    for wrong in (x[:, :1], torch.cat((x, x), 1)):
        with pytest.raises(ValueError, match=f"have {wrong.shape[1]} numbers each; .* takes 2"):
            training.train(architecture, (wrong, y), [0], Schedule(1))
        watch = Watch(tests={"other": (wrong, y)})
        with pytest.raises(ValueError, match=f"have {wrong.shape[1]} numbers each"):
            training.train(architecture, (x, y), [0], Schedule(1), watch=watch)
    for label in (-1.0, max(2, outputs), float("nan")):
        bad = torch.where(torch.arange(20) == 7, torch.tensor(float(label)), y.float())
        with pytest.raises(ValueError, match=r"a label is .*; expected 0 to"):
            training.train(architecture, (x, bad), [0], Schedule(1))


def test_weights_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(10,\) for 2-7-1"):
        fused.State.of(np.zeros(10), 2, 7, 1)
    with pytest.raises(ValueError, match="at most 64 inputs"):
        fused.State.of(np.zeros(65 + 3), 65, 1, 1)


def test_a_target_of_a_loss_stops_in_the_middle_of_a_call() -> None:
    """Also when the whole set is looked at: before a step is taken, not after."""
    x, y = (part.numpy() for part in data(100, 2, 1))
    state = single.start(training.initialise(SMALL.build(), 0), torch.float64)
    rule = fused.Rule(0.05, target=0.5)
    status, seen = fused.advance(state, x, y, np.arange(100)[None], rule, steps=1000)
    assert status == fused.REACHED and 0 < state.step < 1000 and seen <= 0.5
    assert seen == pytest.approx(fused.loss(state, x, y), rel=1e-12)
    again = replace(rule, target=None)
    assert fused.advance(state, x, y, np.arange(100)[None], again, steps=1)[0] == fused.FINISHED
    assert math.isnan(fused.advance(state, x, y, np.arange(100)[None], again, steps=1)[1])


PROGRAM = """
import numpy as np
from falsestruct.learning import fused
state = fused.State.of(np.linspace(-1, 1, 13), 2, 3, 1)
x = np.linspace(0, 1, 20).reshape(10, 2)
fused.advance(state, x, np.arange(10.0) % 2, np.arange(10)[None], fused.Rule(0.1), steps=5)
hits = sum(fused._advance.stats.cache_hits.values())
print(state.flat.sum(), hits, type(fused._advance._cache).__name__)
"""


@pytest.mark.slow
def test_machine_code_is_kept_and_does_without_a_folder(tmp_path: Path) -> None:
    """Compiled once; a folder that is missing is made; one that can't be is done without."""

    def run(cache: Path, package: Path = Path(fused.__file__).parents[2]) -> list[str]:
        places = dict.fromkeys(("HOME", "XDG_CACHE_HOME"), str(blocked))
        places |= {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(package)}
        command = [sys.executable, "-B", "-c", PROGRAM]
        done = subprocess.run(
            command, env=os.environ | places, cwd=tmp_path,  # not where the package is
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    missing = tmp_path / "not" / "there"
    first, second = run(missing), run(missing)
    assert list(missing.rglob("*.nbi")) and second[0] == first[0]
    assert int(first[1]) == 0 < int(second[1])
    # A copy whose own folder for machine code is a file, and no other place either.
    room = tmp_path / "falsestruct" / "learning"
    room.mkdir(parents=True)
    for name in ("__init__.py", "learning/__init__.py", "learning/fused.py"):
        shutil.copy(Path(fused.__file__).parents[1] / name, tmp_path / "falsestruct" / name)
    (room / "__pycache__").write_text("no folder")
    assert run(blocked / "below", tmp_path) == [first[0], "0", "NullCache"]
