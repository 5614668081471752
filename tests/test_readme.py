"""README's section "Audit your own network": its lines run as they stand there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from falsestruct.characterise.ground import LEAST
from tests.worlds.onnx import onnx_model

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTION = README.partition("## Audit your own network")[2].partition("\n## ")[0]
PYTHON = re.findall(r"```python\n(.*?)```", SECTION, re.S)
COMMANDS = re.findall(r"^falsestruct .*$", SECTION, re.M)
RNG = np.random.default_rng(0)


def block(*words: str) -> str:
    """The one block of the section in which all of these words stand."""
    (found,) = [one for one in PYTHON if all(word in one for word in words)]
    return found


def test_the_general_call_comes_first() -> None:
    assert PYTHON[0] == block("import falsestruct\n", "original=y, false=suspicion")
    assert len(PYTHON) == 4 and len(COMMANDS) == 3


def test_the_fewest_inputs_of_a_search_are_said() -> None:
    assert f"at least {LEAST}, or {LEAST} groups." in SECTION


def run(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    names = {"falsestruct": __import__("falsestruct")} | given
    exec(text, names)
    return names


def table(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Who is ill has a high value; the clinic goes with it nine times in ten."""
    ill = RNG.integers(0, 2, n)
    clinic = np.where(RNG.random(n) < 0.9, ill, 1 - ill)
    frame = pd.DataFrame({"value": ill + RNG.normal(size=n), "clinic": clinic})
    return frame, ill


def test_a_forest_on_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = table(300)
    forest = RandomForestClassifier(10, random_state=0, max_depth=2).fit(train, train["clinic"])
    x, y = table(400)
    found = run(PYTHON[0], tmp_path, monkeypatch, predict=forest, x=x, y=y, suspicion="clinic")
    assert found["report"].verdict == "clinic"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


class Small(nn.Module):
    """As in torchvision: normalised colours, features with batch norm, then one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None])
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 2, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)
        )
        self.classifier = nn.Linear(8 * 16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.features((x - self.mean) / self.std), 1))


def trained() -> nn.Module:
    """On the corner, left in training mode; the audit has to switch it, and back."""
    network, (x, _, bright) = Small(), images(0.5, 400)
    step = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        step.zero_grad()
        nn.functional.cross_entropy(network(x), torch.tensor(bright)).backward()
        step.step()
    return network


def images(agree: float, n: int = 120) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Channels first. The label is in the last row, and in the first corner so often."""
    y = RNG.integers(0, 2, n)
    bright = np.where(RNG.random(n) < agree, y, 1 - y)
    x = 0.3 + 0.4 * RNG.random((n, 3, 8, 8))
    x[:, :, -1] = 0.1 + 0.8 * y[:, None, None]
    x[..., :2, :2] = 0.1 + 0.8 * bright[:, None, None, None]
    return torch.tensor(x, dtype=torch.float32), y, bright


def corner(x: torch.Tensor) -> torch.Tensor:
    return x[..., :2, :2].mean((1, 2, 3)) > 0.5


def last_row(x: torch.Tensor) -> torch.Tensor:
    return x[:, :, -1].mean((1, 2)) > 0.5


def test_a_convolutional_network_on_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, bright = images(0.7)
    network = trained()
    given = {"predict": network, "x": x, "y": y}
    found = run(PYTHON[0], tmp_path, monkeypatch, **given, suspicion=bright)
    assert found["report"].verdict == "false"
    assert "data:image/png" in (tmp_path / "report.html").read_text()
    x, _, _ = images(1.0)
    given = {"predict": network, "x": x, "y": last_row}
    found = run(block("def change"), tmp_path, monkeypatch, **given, corner=corner)
    assert found["report"].verdict == "corner" and found["report"].needed is None
    assert all(part.training for part in network.modules())


def test_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("falsestruct.characterise.blind")
    x, y, _ = images(0.9)
    found = run(block("falsestruct.search"), tmp_path, monkeypatch, predict=trained(), x=x, y=y)
    assert found["report"].verdict


def test_a_problem_of_the_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = block("registry.by_name")

    def bright(x: torch.Tensor) -> torch.Tensor:
        return x.mean((1, 2)) < 3 / 32

    run(text, tmp_path, monkeypatch, predict=bright)
    assert "follows colour" in capsys.readouterr().out


WEIGHT = np.zeros((3, 16, 2))  # red against twice green
WEIGHT[0, :, 1], WEIGHT[1, :, 0] = 1 / 16, 2 / 16


class Runtime:
    """An onnxruntime whose models say whether an image is red."""

    def __init__(self, path: str, providers: list[str]) -> None:
        assert Path(path).suffix == ".onnx" and providers == ["CPUExecutionProvider"]

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="x", shape=["n", 3, 4, 4], type="tensor(float)")]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="scores")]

    def run(self, outputs: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [feed["x"].reshape(-1, 48) @ WEIGHT.reshape(48, 2)]


MODEL = """
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

_train = pd.read_csv("table.csv")[["clinic", "value"]]
forest = RandomForestClassifier(10, random_state=0).fit(_train, _train["clinic"])
"""


@pytest.fixture
def desk_of_a_stranger(desk: Any, invoke: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The files that the commands name."""
    desk.file("mymodel.py").write_text(MODEL)
    frame, ill = table(300)
    frame.assign(ill=ill).to_csv(desk.file("table.csv"), index=False)
    model = onnx_model(WEIGHT.reshape(48, 2), (b"n", 3, 4, 4))
    desk.file("model.onnx").write_bytes(model)
    rows = []
    for i in range(80):
        red, snow = i % 2, (i // 2) % 2
        pixels = np.full((4, 4, 3), 40, dtype=np.uint8) + np.uint8(150) * np.array(
            [red, 0, 0], "u1"
        )
        pixels[0, 0] = i
        path = desk.file(f"folder/{'red' if red else 'dull'}/{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        rows.append((f"{path.parent.name}/{i}.png", "red" if snow else "dull"))
    pd.DataFrame(rows, columns=["file", "place"]).to_csv(desk.file("more.csv"), index=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "mymodel", raising=False)
    return lambda line: invoke(desk, *shlex.split(line)[1:])


@pytest.mark.parametrize("real", [True, False])
def test_an_onnx_file(desk_of_a_stranger: Any, monkeypatch: pytest.MonkeyPatch, real: bool) -> None:
    if real:
        pytest.importorskip("onnxruntime")
    else:
        runtime = SimpleNamespace(InferenceSession=Runtime)
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    code, out, err = desk_of_a_stranger(COMMANDS[0])
    assert "answers 0, 1, … mean dull, red" in err
    assert code == 0 and out.startswith("verdict: label\n"), err
    assert "divided by 255" in out and "page: page.html" in err


def test_a_forest_from_a_terminal(desk_of_a_stranger: Any) -> None:
    code, out, err = desk_of_a_stranger(COMMANDS[1])
    assert code == 0 and '"verdict": "clinic"' in out, err


def test_the_search_from_a_terminal(desk_of_a_stranger: Any) -> None:
    pytest.importorskip("falsestruct.characterise.blind")
    code, out, err = desk_of_a_stranger(COMMANDS[2])
    assert code == 0 and out.startswith("verdict: "), err
