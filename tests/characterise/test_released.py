"""Networks in the released form, built by hand: which structure they follow is known."""

import json

import numpy as np
import pytest
import torch

from falsestruct.characterise import released
from falsestruct.characterise.audit import AuditError, audit
from falsestruct.deployed.checkpoints import CheckpointError
from tests.deployed.checkpoints import write


def convolutional(rng, hidden=8):
    """The paper's architecture with few channels, at random, with Adam's averages beside it."""
    shapes = {
        "conv2d/kernel": (5, 5, 1, 2), "conv2d/bias": (2,), "conv2d_1/kernel": (5, 5, 2, 3),
        "conv2d_1/bias": (3,), "dense/kernel": (8 * 8 * 3, hidden), "dense/bias": (hidden,),
        "dense_1/kernel": (hidden, 1), "dense_1/bias": (1,), "dense/kernel/Adam": (8 * 8 * 3, 1),
    }  # fmt: skip
    found = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return found | {"Variable": np.array(0, dtype=np.int32)}


def hint(size):
    """Label 1 if x₂ > δ/2: one ReLU of x₂."""
    return {
        "dense/kernel": np.array([[0.0, 0.0], [1.0, 0.0]]), "dense/bias": np.zeros(2),
        "dense_1/kernel": np.array([[1.0], [0.0]]), "dense_1/bias": np.array([-size / 2]),
    }  # fmt: skip


def test_a_network_that_follows_the_hint(tmp_path):
    write(tmp_path / "second/run_1/ckpt/m.ckpt-5", hint(released.HINT))
    table = released.audited(tmp_path, samples=100)
    row = table.iloc[0]
    assert (row["network"], row["problem"], row["verdict"]) == (
        "second/run_1/ckpt",
        "oscillation",
        "hint",
    )
    assert row["false"] == row["success"] == 1 and row["original"] == 0
    assert row["false_low"] > 0.9 and row["strength"] == released.HINT
    assert row["agreeing"] == row["conflicts"] == 100 and row["original_high"] < 0.1


def test_shuffled_weights_follow_nothing(tmp_path):
    rng = np.random.default_rng(3)
    own = hint(released.HINT) | {"dense/bias": rng.normal(size=2)}
    write(tmp_path / "run/m.ckpt-5", own)
    table = released.recorded(folder=str(tmp_path), shuffled=True)
    assert table["shuffled"].all() and table["verdict"][0] == "none"
    assert table["false_high"][0] < 0.75
    mixed = released._mixed(own, 0)
    assert all(sorted(mixed[name].ravel()) == sorted(own[name].ravel()) for name in own)
    assert any((mixed[name] != own[name]).any() for name in own)


def test_the_shares_are_the_audit_s(tmp_path):
    """Counted again, on the inputs that the audit takes."""
    write(tmp_path / "m.ckpt-5", hint(0.3 * released.HINT))
    table = released.audited(tmp_path, samples=80, seed=4)
    predict, problem = released.network(hint(0.3 * released.HINT))
    own = audit(predict, problem, samples=80, points=0, seed=4)
    first, second = own.captures
    row = table.iloc[0]
    assert (row["original"], row["original_low"]) == (first.share, first.low)
    assert (row["false"], row["false_high"]) == (second.share, second.high)
    assert row["success"] == own.success


def test_the_convolutions_are_those_of_the_paper():
    """Against a loop over pixels, channels last."""
    rng = np.random.default_rng(1)
    own, x = convolutional(rng), rng.normal(size=(6, 32, 32))
    h = x[..., None]
    for layer in ("conv2d", "conv2d_1"):
        kernel, bias = own[f"{layer}/kernel"], own[f"{layer}/bias"]
        side = h.shape[1]
        padded = np.pad(h, ((0, 0), (2, 2), (2, 2), (0, 0)))
        h = bias + sum(padded[:, i : i + side, j : j + side] @ kernel[i, j]
                       for i in range(5) for j in range(5))  # fmt: skip
        h = np.maximum(h, 0).reshape(len(h), side // 2, 2, side // 2, 2, -1).max((2, 4))
    flat = h.reshape(len(h), -1) @ own["dense/kernel"] + own["dense/bias"]
    out = (np.maximum(flat, 0) @ own["dense_1/kernel"])[:, 0]
    own["dense_1/bias"] = -np.median(out, keepdims=True)  # so that both labels are there
    predict, problem = released.network(own)
    assert problem.name == "stripes" and problem.strength == released.COLOUR
    assert predict(torch.from_numpy(x)).tolist() == (out > np.median(out)).astype(int).tolist()
    assert 0 < int(predict(torch.from_numpy(x)).sum()) < 6


def test_what_is_no_such_network(tmp_path):
    with pytest.raises(AuditError, match="no checkpoint"):
        released.audited(tmp_path)
    with pytest.raises(AuditError, match="nowhere: no such folder; name"):
        released.audited(tmp_path / "nowhere")
    write(tmp_path / "m", {"weights": np.ones(2)})
    with pytest.raises(AuditError, match="expected dense layers"):
        released.audited(tmp_path)
    with pytest.raises(CheckpointError, match="dense/bias"):
        released.network({"dense/kernel": np.ones((2, 1))})


def test_the_command(tmp_path, capsys, monkeypatch):
    from falsestruct import cli

    write(tmp_path / "run/m.ckpt-5", hint(released.HINT))
    for options in ([], ["--json"]):
        monkeypatch.setattr("sys.argv", ["falsestruct", "released", str(tmp_path), *options])
        with pytest.raises(SystemExit) as done:
            cli.main()
        out = capsys.readouterr().out
        assert done.value.code == 0 and "hint" in out
    assert json.loads(out)[0]["verdict"] == "hint"
    monkeypatch.setattr("sys.argv", ["falsestruct", "released", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 2 and "no such folder" in capsys.readouterr().err


def test_the_command_shows_intervals_and_an_example(tmp_path, capsys, monkeypatch):
    from falsestruct import cli

    write(tmp_path / "run/m.ckpt-5", hint(released.HINT))
    for arguments, shown in (([str(tmp_path)], "1 [0.994, 1]"),
                             (["--help"], "falsestruct released ~/false_structures")):  # fmt: skip
        monkeypatch.setattr("sys.argv", ["falsestruct", "released", *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        assert done.value.code == 0 and shown in capsys.readouterr().out
