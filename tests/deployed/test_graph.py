"""An ONNX graph in torch gives the answers of onnxruntime, and slopes."""

import numpy as np
import pytest
import torch

from falsestruct.deployed import lines
from falsestruct.deployed.graph import OPERATIONS, Graph

onnx = pytest.importorskip("onnx")


def node(kind, inputs, output, **own):
    return onnx.helper.make_node(kind, inputs, [output], **own)


def stored(path, nodes, constants):
    """A graph from x (n, 1, 4, 6) to y."""
    values = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    kind = onnx.TensorProto.FLOAT
    ends = [[onnx.helper.make_tensor_value_info(name, kind, None)] for name in ("x", "y")]
    graph = onnx.helper.make_graph(nodes, "own", *ends, values)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 11)])
    model.ir_version = 8
    onnx.save(model, str(path))


def test_a_small_graph_is_read_as_written(tmp_path):
    weight = np.array([[1.0, -1.0], [2.0, 0.5]], dtype=np.float32)
    stored(
        tmp_path / "own.onnx",
        [
            node("MaxPool", ["x"], "p", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0]),
            node("GlobalAveragePool", ["p"], "g"),
            node("HardSigmoid", ["g"], "h", alpha=0.2, beta=0.5),
            node("Concat", ["h", "h"], "c", axis=1),
            node("Reshape", ["c", "shape"], "r"),
            node("MatMul", ["r", "w"], "m"),
            node("Softmax", ["m"], "y", axis=1),
        ],
        {"w": weight, "shape": np.array([1, 2], dtype=np.int64)},
    )
    x = torch.arange(24.0).reshape(1, 1, 4, 6) / 100
    g = np.mean([x[0, 0, i : i + 2, j : j + 2].max() for i in (0, 2) for j in (0, 2, 4)])
    h = 0.2 * g + 0.5
    found = Graph(tmp_path / "own.onnx").logits(x)
    np.testing.assert_allclose(found.numpy(), [[h, h] @ weight], rtol=1e-5)


def test_what_it_does_not_know_is_named(tmp_path):
    stored(tmp_path / "own.onnx", [node("Tan", ["x"], "y")], {})
    with pytest.raises(ValueError, match=r"own.onnx has a Tan; expected only Add, "):
        Graph(tmp_path / "own.onnx")
    stored(tmp_path / "own.onnx", [node("Relu", ["x"], "y")], {})
    with pytest.raises(ValueError, match="no softmax"):
        Graph(tmp_path / "own.onnx").logits(torch.zeros(1, 1, 4, 6))


def test_reshaping_keeps_sizes_that_are_zero():
    own = OPERATIONS["Reshape"]({}, torch.zeros(2, 3, 4), torch.tensor([0, -1]))
    assert own.shape == (2, 12)
    assert OPERATIONS["Clip"]({"min": 0.0, "max": 6.0}, torch.tensor([-1.0, 9.0])).tolist() == [
        0,
        6,
    ]


def test_the_network_answers_as_onnxruntime_does():
    if not lines.installed():
        pytest.skip("rapidocr-onnxruntime isn't installed")
    rng = np.random.default_rng(1)
    shown = [rng.integers(0, 256, (48, 150)).astype(np.uint8) for _ in range(3)]
    x = torch.from_numpy(np.stack([lines.scaled(line) for line in shown])).requires_grad_()
    answers = Graph(lines.model()).logits(x)
    np.testing.assert_allclose(
        answers.softmax(1)[:, 1].detach().numpy(), lines.Directions().scores(shown), atol=1e-4
    )
    (slope,) = torch.autograd.grad(answers[0, 1], x)
    assert slope[0].abs().max() > 0 and slope[1:].abs().max() == 0
