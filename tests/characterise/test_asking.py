"""Classifiers as they come: every form of network and of answer, and what goes wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from falsestruct.characterise.adapters import AS_HELD, SCALED
from falsestruct.characterise.asking import FAILED, HOPELESS, AuditError, Network, inputs, network
from tests.worlds.onnx import onnx_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
IMAGES = RNG.random((20, 6, 5, 3)).astype(np.float32)
TRUTH = (X[:, 0] > 0).astype(int)


def positive(x: np.ndarray) -> np.ndarray:
    return x[:, 0] > 0


# ---- answers ----

ANSWERS = {
    "bool": positive,
    "int": lambda x: positive(x).astype(int),
    "list": lambda x: positive(x).tolist(),
    "tensor": lambda x: torch.tensor(positive(x)),
    "series": lambda x: pd.Series(positive(x)),
    "column": lambda x: positive(x)[:, None],
    "strings": lambda x: np.where(positive(x), "yes", "no"),
    "scores": lambda x: np.stack([-x[:, 0], x[:, 0]], 1),
    "logits": lambda x: SimpleNamespace(logits=torch.tensor(np.stack([-x[:, 0], x[:, 0]], 1))),
    "half": lambda x: torch.tensor(np.stack([-x[:, 0], x[:, 0]], 1)).bfloat16(),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_becomes_codes(name: str) -> None:
    asked = network(ANSWERS[name], batch=7)
    codes = asked.checked(inputs(X))
    assert codes.dtype == np.int64
    yes = [asked.classes[code] in (True, 1, "yes") for code in codes]
    np.testing.assert_array_equal(yes, TRUTH)


def test_one_score_needs_a_threshold() -> None:
    for shape in ((-1,), (-1, 1)):
        score = lambda x, shape=shape: x[:, 0].reshape(shape)  # noqa: E731
        asked = network(score, threshold=0.5)
        np.testing.assert_array_equal(asked.labels(inputs(X)), X[:, 0] > 0.5)
        assert asked.classes == (0, 1)
        with pytest.raises(AuditError, match=r"one float an input.*threshold="):
            network(score).labels(inputs(X))


def test_classes_come_in_order_of_appearance_or_as_given() -> None:
    words = np.array(["c", "a", "c", "b"])
    x = inputs(np.arange(4.0)[:, None])
    asked = network(lambda x: words[x[:, 0].astype(int)], batch=2)
    assert asked.labels(x).tolist() == [0, 1, 0, 2] and asked.classes == ("c", "a", "b")
    given = network(lambda x: words[x[:, 0].astype(int)], classes=("a", "b", "c"))
    assert given.labels(x).tolist() == [2, 0, 2, 1] and given.classes == ("a", "b", "c")
    named = network(lambda x: np.eye(3)[x[:, 0].astype(int) % 3], classes=("a", "b", "c"))
    assert named.labels(x).tolist() == [0, 1, 2, 0] and named.classes == ("a", "b", "c")
    placed = network(lambda x: x[:, 0].astype(int) % 3, classes=("a", "b", "c"))
    assert placed.labels(x).tolist() == [0, 1, 2, 0] and placed.classes == ("a", "b", "c")


def test_a_batch_of_one_may_be_squeezed() -> None:
    asked = network(lambda x: torch.tensor(x[:, :3]).squeeze(), batch=33)
    np.testing.assert_array_equal(asked.labels(inputs(X)), X[:, :3].argmax(1))
    asked = network(lambda x: torch.tensor(x[:, :1] > 0).squeeze(), batch=33)
    np.testing.assert_array_equal(asked.labels(inputs(X)), TRUTH[0] != TRUTH)


@pytest.mark.parametrize(
    ("predict", "options", "message"),
    [
        (lambda x: 1, {}, r"shape \(\) for a batch of 100; expected \(100,\) labels"),
        (lambda x: np.zeros((3, 2)), {}, r"shape \(3, 2\) for a batch of 100"),
        (lambda x: np.zeros((len(x), 2, 2)), {}, r"shape \(100, 2, 2\)"),
        (lambda x: x[:, 0] * 1j, {}, "complex"),
        (lambda x: [{}] * len(x), {}, "list of other things than labels"),
        (lambda x: x[:, :3], {"classes": "ab"}, "3 scores an input; expected 2"),
        (lambda x: x[:, :3], {"threshold": 0.5}, "threshold is 0.5, but predict gave 3 scores"),
        (positive, {"threshold": 0.5}, "labels of dtype bool"),
        (lambda x: x[:, 0], {"threshold": 0, "classes": "abc"}, "expected two for one score"),
        (lambda x: positive(x) + 1, {"classes": (0, 1)}, "label 2; expected one of 0, 1"),
        (lambda x: [["a", "b"]] * len(x), {}, "expected scores"),
        (lambda x: {"scores": x}, {}, r"dict of other things"),
    ],
)
def test_what_is_no_answer(predict: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        network(predict, **options).labels(inputs(X))


@pytest.mark.parametrize(
    ("predict", "options", "message"),
    [
        (3, {}, "predict is int; expected a function"),
        (LogisticRegression, {}, "is the class LogisticRegression; give a trained instance"),
        ("model.pt", {}, r"expected the path of an \.onnx file"),
        ("nowhere.onnx", {}, "nowhere.onnx: no such file"),
        (positive, {"batch": 0}, "batch is 0"),
        (positive, {"classes": "aa"}, "expected different ones"),
        (positive, {"classes": "a"}, "at least two"),
    ],
)
def test_what_is_no_network(predict: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        network(predict, **options)


# ---- failures and noise ----


def test_inputs_that_crash_are_found_and_counted() -> None:
    bad = {3, 50, 51, 99}

    def fragile(x: np.ndarray) -> np.ndarray:
        if any((row == X[b]).all() for row in x for b in bad):
            raise RuntimeError("cannot\n look")
        return positive(x)

    asked = network(fragile)
    codes = asked.checked(inputs(X))
    assert set(np.flatnonzero(codes == FAILED)) == bad
    good = np.setdiff1d(np.arange(100), list(bad))
    np.testing.assert_array_equal([asked.classes[c] for c in codes[good]], TRUTH[good])
    assert asked.failed == {"RuntimeError: cannot look": 4} and asked.batch == 512


def test_missing_answers_fail() -> None:
    def holes(x: np.ndarray) -> np.ndarray:
        return np.where(x[:, :1] > 1, np.nan, x[:, :2])

    asked = network(holes, batch=9)
    np.testing.assert_array_equal(asked.labels(inputs(X)) == FAILED, X[:, 0] > 1)
    assert asked.failed == {"its answer is NaN": int((X[:, 0] > 1).sum())}
    none = network(lambda x: pd.array([None if v > 1 else "a" for v in x[:, 0]], dtype="string"))
    np.testing.assert_array_equal(none.labels(inputs(X)) == FAILED, X[:, 0] > 1)
    none = network(lambda x: [None if v > 1 else "a" for v in x[:, 0]])
    np.testing.assert_array_equal(none.labels(inputs(X)) == FAILED, X[:, 0] > 1)
    one = network(lambda x: np.where(x[:, 0] > 1, np.nan, x[:, 0]), threshold=0)
    np.testing.assert_array_equal(one.labels(inputs(X)) == FAILED, X[:, 0] > 1)


def test_a_network_that_mostly_fails_is_refused() -> None:
    def never(x: np.ndarray) -> np.ndarray:
        raise ValueError("bad file")

    asked = network(never)
    with pytest.raises(AuditError, match=f"each of the first {HOPELESS} inputs.*bad file"):
        asked.labels(inputs(np.zeros((10_000, 2))))
    assert asked.queries < 2000  # found soon

    asked = network(lambda x: np.where(x[:, :1] > -0.5, np.nan, x[:, :2]))
    with pytest.raises(AuditError, match=r"no answer for [67]. of 100 inputs: its answer is NaN"):
        asked.labels(inputs(X))


def test_a_batch_that_is_too_large_is_cut() -> None:
    def small(x: np.ndarray) -> np.ndarray:
        if len(x) > 10:
            raise MemoryError
        return positive(x)

    asked = network(small)
    np.testing.assert_array_equal(asked.checked(inputs(X)), TRUTH[0] != TRUTH)
    assert asked.batch <= 10 and not asked.failed


def test_a_batch_that_raises_does_not_settle_the_layout() -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if (x.flatten(1)[:, 0] > 2).any():
                raise ValueError("too bright")
            return self.weight(x)

    x = inputs(np.where(np.arange(12).reshape(3, 2, 2) == 4, 3.0, 0.5))
    asked = network(Fragile())
    assert (asked.labels(x) == FAILED).tolist() == [False, True, False]


def test_whole_batches_are_asked_about_again() -> None:
    seen: list[np.ndarray] = []
    x = inputs(np.arange(5000.0)[:, None])
    asked = network(lambda b: seen.append(b[:, 0]) or b[:, 0] % 2 > 0)
    asked.checked(x)
    assert asked.rechecked == 3 * 512 + 5000 % 512
    first, again = seen[:10], seen[10:14]
    assert all(any(np.array_equal(a, b) for b in first) for a in again)
    assert again[0][0] == 0 and again[-1][-1] == 4999


def test_noise_is_refused_or_counted() -> None:
    calls = iter(range(1000))
    x = inputs(RNG.normal(size=(1000, 2)))
    asked = network(lambda x: x[:, 0] > (0 if next(calls) < 2 else 0.01))
    asked.checked(x)
    between = ((x.array()[:, 0] > 0) & (x.array()[:, 0] <= 0.01)).sum()
    assert asked.changed["again"] == between > 0 and asked.rechecked == 1000
    rng = np.random.default_rng(0)
    with pytest.raises(AuditError, match="when asked again; expected a fixed rule"):
        network(lambda x: rng.random(len(x)) > 0.5).checked(x)
    with pytest.raises(AuditError, match="in another batch; expected labels that don't depend"):
        network(lambda x: x[:, 0] > x[:, 0].mean() + len(x) / 5000).checked(x)


def test_batches_are_bounded_and_counted() -> None:
    sizes: list[int] = []
    ticks: list[int] = []

    def watched(x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        x[:] = 0  # must not reach the owner's data
        return np.zeros(len(x), dtype=int)

    data = X.copy()
    asked = network(watched, batch=30)
    asked.tick = ticks.append
    asked.labels(inputs(data))
    assert sizes == ticks == [30, 30, 30, 10] and asked.queries == 100
    np.testing.assert_array_equal(data, X)


def test_large_inputs_are_handed_over_few_at_once() -> None:
    sizes: list[int] = []

    def watched(x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return x[:, 0, 0, 0] > 0

    large = inputs(np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(300, 1).repeat(300, 2)
                   .repeat(3, 3))  # fmt: skip
    network(watched).checked(large)
    assert sizes[:4] == [31, 9, 31, 9] and max(sizes) == 31
    sizes.clear()
    network(watched, batch=40).labels(large)
    assert sizes == [40]


def test_some_rows_alone() -> None:
    asked = network(positive, batch=3)
    rows = np.array([5, 1, 1, 80, 99])
    np.testing.assert_array_equal(
        [asked.classes[code] for code in asked.labels(inputs(X), rows)], TRUTH[rows]
    )
    assert asked.queries == 5


# ---- PyTorch ----


class Convolutional(nn.Module):
    """Red against blue, with dropout that must be off."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 2, 1, bias=False)
        self.mix.weight.data = torch.tensor([[1.0, 0, 0], [0, 0, 1]])[:, :, None, None]
        self.drop = nn.Dropout(0.9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dtype == self.mix.weight.dtype
        return self.drop(self.mix(x)).mean((2, 3))


REDDER = IMAGES[..., 0].mean((1, 2)) < IMAGES[..., 2].mean((1, 2))


@pytest.mark.parametrize("form", ["last", "first", "double", "list", "channels first tensor"])
def test_a_module_gets_the_layout_that_it_wants(form: str) -> None:
    first = np.moveaxis(IMAGES, -1, 1)
    held: Any = {
        "last": IMAGES,
        "first": first,
        "double": IMAGES.astype(float),
        "list": list(IMAGES),
        "channels first tensor": torch.tensor(first),
    }[form]
    module = Convolutional()
    module.drop.eval()
    module.mix.train()
    asked = network(module)
    np.testing.assert_array_equal(asked.checked(inputs(held)), REDDER)
    assert module.training and module.mix.training and not module.drop.training  # as before
    assert all(parameter.grad is None for parameter in module.parameters())


def test_bytes_are_scaled_for_modules_and_it_is_said() -> None:
    class Bright(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1).mean(1, keepdim=True)

    asked = network(Bright(), threshold=0.5)
    images = np.array([[[100]], [[150]]], dtype=np.uint8)
    assert asked.labels(inputs(images)).tolist() == [0, 1]
    assert asked.notes == (SCALED,)


BYTES = RNG.integers(0, 256, (20, 6, 5, 3)).astype(np.uint8)
RED = BYTES[..., 0].mean((1, 2)) < BYTES[..., 2].mean((1, 2))


class Scales(Convolutional):
    """Takes bytes, and divides them itself."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dtype == torch.uint8
        return super().forward(x / 255)


class Normalises(Convolutional):
    """Wants shares from 0 to 1, but bytes go through it, too: all are above its mark."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = super().forward((x - 0.5) / 0.25)
        return torch.where(mixed.abs().amax(1, keepdim=True) > 20, -mixed, mixed)


@pytest.mark.parametrize(("module", "note"), [(Scales, AS_HELD), (Normalises, SCALED)])
def test_bytes_stay_bytes_for_a_module_that_scales_them_itself(module: Any, note: str) -> None:
    for held in (BYTES, torch.tensor(np.moveaxis(BYTES, -1, 1))):
        asked = network(module())
        np.testing.assert_array_equal(asked.labels(inputs(held)), RED)
        assert asked.notes == (note,)


def test_bytes_that_are_no_image_are_noted() -> None:
    flat = inputs(BYTES.reshape(20, -1))
    asked = network(nn.Linear(90, 2))
    asked.labels(flat)
    assert asked.notes == (AS_HELD,)
    session = FakeSession(["n", 90])
    asked = network(session)
    asked.labels(flat)
    assert asked.notes == (AS_HELD,) and session.seen[0].max() > 200


def test_values_have_the_dtype_of_the_module_before_its_device() -> None:
    """Apple's devices have no float64."""
    asked: Any = network(nn.Linear(4, 2))
    assert asked._ask.values(inputs(X)).dtype == torch.float32


def test_what_a_cast_to_integers_would_lose_is_refused() -> None:
    for values, shown in ((X, f"{X[0, 0]:g}"), (np.full((3, 4), np.nan), "nan")):
        for predict in (nn.EmbeddingBag(9, 2), FakeSession(["n", 4], "tensor(int64)")):
            with pytest.raises(AuditError, match=f"wants int64, but x has {shown}"):
                network(predict).labels(inputs(values))
    light = FakeSession(["n", 4], "tensor(uint8)")
    with pytest.raises(AuditError, match="wants uint8, but x has 300"):
        network(light).labels(inputs(np.full((3, 4), 300.0)))
    network(light).labels(inputs(np.full((3, 4), 200.0)))
    assert light.seen[0].dtype == np.uint8
    held = inputs(np.array([[0.0, 1.0], [2.0, 2.0]]), kind="sequences")
    codes = np.zeros(2, dtype=int)
    assert network(nn.EmbeddingBag(3, 2)).gradient(held, codes, codes + 1) is None


def test_grey_images_get_a_channel_or_are_flattened() -> None:
    grey = RNG.random((3, 3, 3))
    conv = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    with torch.no_grad():
        expected = conv(torch.tensor(grey[:, None]).float()).argmax(1).numpy()
    np.testing.assert_array_equal(network(conv).labels(inputs(grey)), expected)
    dense = nn.Linear(9, 2).double()
    with torch.no_grad():
        expected = dense(torch.tensor(grey).flatten(1)).argmax(1).numpy()
    np.testing.assert_array_equal(network(dense).labels(inputs(grey)), expected)


def test_tokens_stay_integers() -> None:
    tokens = torch.tensor([[0, 1], [1, 1], [2, 0]])
    bag = nn.EmbeddingBag(3, 2, mode="sum")
    bag.weight.data = torch.tensor([[1.0, 0], [0, 1], [3, 0]])
    asked = network(bag)
    x = inputs(tokens, kind="sequences")
    assert asked.labels(x).tolist() == [0, 1, 0]
    assert asked.gradient(x, np.zeros(3, int), np.ones(3, int)) is None


def test_the_gradient_is_that_of_a_difference_of_scores() -> None:
    linear = nn.Linear(4, 3).double()
    asked = network(linear, batch=40)
    of, against = RNG.integers(0, 3, (2, 100))
    weight = linear.weight.detach().numpy()
    found = asked.gradient(inputs(X), of, against)
    assert found is not None
    np.testing.assert_allclose(found, weight[of] - weight[against])
    asked = network(nn.Linear(4, 1).double(), threshold=0.0)
    found = asked.gradient(inputs(X), np.ones(100, int), np.zeros(100, int))
    weight = asked._ask.module.weight.detach().numpy()  # type: ignore[attr-defined]
    assert found is not None
    np.testing.assert_allclose(found, weight.repeat(100, 0))


def test_the_gradient_has_the_layout_of_the_array() -> None:
    asked = network(Convolutional())
    for held in (IMAGES, torch.tensor(np.moveaxis(IMAGES, -1, 1))):
        found = asked.gradient(inputs(held), np.zeros(20, int), np.ones(20, int))
        assert found is not None and found.shape == IMAGES.shape
        np.testing.assert_allclose(found[0, 0, 0], np.array([1, 0, -1]) / 30, atol=1e-7)


def test_a_black_box_has_no_gradient() -> None:
    codes = np.zeros(100, int)
    assert network(positive).gradient(inputs(X), codes, codes + 1) is None
    assert network(Convolutional()).gradient(inputs(["a"]), codes[:1], codes[:1]) is None
    whole = (IMAGES * 255).astype(np.uint8)
    assert network(Convolutional()).gradient(inputs(whole), codes[:20], codes[:20]) is None

    class Hard(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, 0] > 0

    assert network(Hard()).gradient(inputs(X), codes, codes + 1) is None


def test_a_module_takes_no_texts() -> None:
    with pytest.raises(AuditError, match="takes no texts"):
        network(Convolutional()).labels(inputs(["a"]))


# ---- scikit-learn ----


def test_numbers_of_an_estimator_have_the_names_that_are_given() -> None:
    """Its labels arrive as objects, not as an array of integers."""
    names = np.array(["benign", "grave"])
    for labels in ([0, 1, 1], [0.0, 1.0, 1.0], [False, True, True]):
        tree = DecisionTreeClassifier().fit([[0.0], [1], [2]], labels)
        for given in (list(names), names, pd.Series(names)):  # as scikit-learn's classes_ are
            own = network(tree, classes=given)
            assert own.labels(inputs(np.array([[0.0], [2]]))).tolist() == [0, 1]
            assert own.classes == ("benign", "grave")
    with pytest.raises(AuditError, match=r"gave the label 2; expected one of"):
        network(lambda x: np.full(len(x), 2, dtype=object), classes=names).labels(inputs(X))


@pytest.mark.filterwarnings("error")
def test_vectors_get_the_names_of_the_columns_that_an_estimator_was_fitted_to() -> None:
    tree = DecisionTreeClassifier().fit(pd.DataFrame({"a": [0.0, 1], "b": [1.0, 0]}), [0, 1])
    assert network(tree).labels(inputs(np.array([[1.0, 0], [0, 1]]))).tolist() == [0, 1]


def test_a_long_error_is_cut() -> None:
    def wordy(x: np.ndarray) -> np.ndarray:
        raise ValueError("no NaN, please.\n" + 200 * "see there. ")

    with pytest.raises(AuditError, match=r"no NaN, please\. see") as caught:
        network(wordy).labels(inputs(X))
    assert len(str(caught.value)) < 400 and str(caught.value).endswith(" …")


def test_an_estimator_gets_tables_as_they_are_and_images_flat() -> None:
    fitted = LogisticRegression().fit(IMAGES.reshape(20, -1), np.where(REDDER, "b", "r"))
    asked = network(fitted)
    for held in (IMAGES, torch.tensor(IMAGES), list(IMAGES)):
        named = [asked.classes[code] for code in asked.checked(inputs(held))]
        np.testing.assert_array_equal(named, fitted.predict(IMAGES.reshape(20, -1)))
    table = pd.DataFrame(X, columns=list("abcd"))
    by_name = LogisticRegression().fit(table, TRUTH.astype(float))
    asked = network(by_name)
    codes = asked.labels(inputs(table))
    assert set(asked.classes) == {0.0, 1.0}
    named = [asked.classes[code] for code in codes]
    np.testing.assert_array_equal(named, by_name.predict(table))
    more = table.assign(town="x")[["town", *"dcba"]]
    np.testing.assert_array_equal(network(by_name).labels(inputs(more)), codes)


# ---- ONNX ----


class FakeSession:
    """What `Onnx` uses of an onnxruntime session."""

    def __init__(self, shape: list[Any], kind: str = "tensor(float)", names: str = "x") -> None:
        self.shape, self.kind, self.names = shape, kind, names
        self.seen: list[np.ndarray] = []

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=n, shape=self.shape, type=self.kind) for n in self.names]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="label"), SimpleNamespace(name="probabilities")]

    def run(self, outputs: list[str], feed: dict[str, np.ndarray]) -> list[Any]:
        assert outputs == ["label"] and set(feed) == set(self.names)
        values = list(feed.values())
        self.seen += values
        if values[0].dtype == object:
            return [np.array(["q" if "q" in str(text) else "n" for text in values[0].ravel()])]
        flat = values[0].reshape(len(values[0]), -1)
        return [(flat[:, 0] > 0).astype(np.int64)]


@pytest.mark.parametrize(
    ("shape", "held", "given"),
    [
        (["n", 4], X, (100, 4)),
        ([None, 3, 6, 5], IMAGES, (20, 3, 6, 5)),
        ([None, 6, 5, 3], IMAGES, (20, 6, 5, 3)),
        ([None, 6, 5, 3], torch.tensor(IMAGES).permute(0, 3, 1, 2), (20, 6, 5, 3)),
        (["n", 1, 6, 5], IMAGES[..., 0], (20, 1, 6, 5)),
        (["n", 6, 5, 1], IMAGES[..., 0], (20, 6, 5, 1)),
        (["n", 30], IMAGES[..., 0], (20, 30)),
    ],
)
def test_a_session_gets_what_it_declares(shape: list[Any], held: Any, given: tuple[int]) -> None:
    session = FakeSession(shape)
    network(session).labels(inputs(held))
    assert session.seen[0].shape == given and session.seen[0].dtype == np.float32
    assert session.seen[0].flags.c_contiguous


def test_a_fixed_batch_is_filled_up_and_cut() -> None:
    session = FakeSession([8, 4])
    codes = network(session).checked(inputs(X))
    assert {len(seen) for seen in session.seen} == {8}
    np.testing.assert_array_equal(codes, TRUTH[0] != TRUTH)


def test_a_session_for_texts_bytes_or_columns() -> None:
    texts = FakeSession([None, 1], "tensor(string)")
    assert network(texts).labels(inputs(["a", "q", "b"])).tolist() == [0, 1, 0]
    scaled = FakeSession(["n", 1, 1])
    asked = network(scaled)
    asked.labels(inputs(np.full((2, 1, 1), 51, dtype=np.uint8)))
    assert scaled.seen[0].ravel().tolist() == pytest.approx([0.2, 0.2]) and asked.notes
    table = pd.DataFrame({"a": [1.0, -1.0], "b": [0.0, 1.0], "c": [5.0, 5.0]})
    assert network(FakeSession([None, 1], names="ab")).labels(inputs(table)).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("session", "held", "message"),
    [
        (FakeSession(["n", 9]), X, r"wants inputs of shape \['n', 9\], but x has \[100, 4\]"),
        (FakeSession(["n", 1], names="ab"), X, "wants the inputs a, b"),
        (FakeSession(["n", 4], "seq(x)"), X, r"input is seq\(x\)"),
    ],
)
def test_a_session_that_does_not_fit(session: FakeSession, held: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        network(session).labels(inputs(held))


def test_an_onnx_file_without_onnxruntime_is_one_line(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"nothing")
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(AuditError, match=r"need onnxruntime; run `pip install 'falsestruct\[onnx"):
        network(file)


def test_an_onnx_file_that_is_none(tmp_path: Any) -> None:
    pytest.importorskip("onnxruntime")
    file = tmp_path / "model.onnx"
    file.write_bytes(b"nothing")
    with pytest.raises(AuditError, match="onnxruntime can't read it"):
        network(file)


@pytest.mark.parametrize("batch", [b"n", 8])
def test_an_onnx_file_is_read_by_onnxruntime(tmp_path: Any, batch: Any) -> None:
    pytest.importorskip("onnxruntime")
    weight = RNG.normal(size=(3 * 6 * 5, 4)).astype(np.float32)
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx_model(weight, (batch, 3, 6, 5)))
    expected = (np.moveaxis(IMAGES, -1, 1).reshape(20, -1) @ weight).argmax(1)
    np.testing.assert_array_equal(network(file).checked(inputs(IMAGES)), expected)


def test_a_network_is_what_comes_out() -> None:
    assert isinstance(network(positive), Network)
