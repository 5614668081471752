"""Classifiers in the forms in which people have them, as functions of `Inputs` to raw answers.

PyTorch modules, scikit-learn estimators and ONNX files get the values in the layout that they want:
channels in front, an axis for a single channel, or flattened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import Inputs, to_layout

Ask = Callable[[Inputs], Any]
CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
SCALED = (
    "uint8 images were divided by 255 for the network, as torchvision's ToTensor does; hand over "
    "floats if it wants other values"
)
AS_HELD = (
    "the bytes of x, 0 to 255, were handed over as they are; hand over floats if the network wants "
    "others, such as 0 to 1"
)
UNSCALED = 0.25  # of the largest byte: what reaches the first layer of a network that scales itself
ONNX_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def adapter(predict: Any) -> Ask:
    """The network as a function of `Inputs`.

    Raises:
        AuditError: What is given is no classifier, or an ONNX file that can't be read.
    """
    if isinstance(predict, nn.Module):
        return Module(predict)
    if isinstance(predict, (str, Path)):
        return Onnx(session(Path(predict)))
    if hasattr(predict, "get_inputs") and hasattr(predict, "run"):
        return Onnx(predict)
    if isinstance(predict, type) and hasattr(predict, "predict"):
        raise AuditError(f"predict is the class {predict.__name__}; give a trained instance")
    if callable(getattr(predict, "predict", None)):
        return Estimator(predict)
    if callable(predict):
        return lambda x: predict(x.held)
    raise AuditError(
        f"predict is {type(predict).__name__}; expected a function, a PyTorch module, a "
        "scikit-learn estimator, an ONNX file or an onnxruntime session"
    )


def held_as_bytes(x: Inputs) -> bool:
    """Whether the values are bytes, 0 to 255."""
    return x.kind not in ("texts", "table") and x.take(np.arange(1)).raw().dtype == np.uint8


def whole_numbers(values: np.ndarray, wanted: Any) -> np.ndarray:
    """The values in a dtype of integers or truth values.

    Raises:
        AuditError: Some would become other values.
    """
    with np.errstate(invalid="ignore"):
        found = values.astype(wanted)
    wrong = values[found != values]
    if wrong.size:
        raise AuditError(
            f"the network wants {np.dtype(wanted)}, but x has {wrong.flat[0]:g}; hand over the "
            "whole numbers that it was trained on"
        )
    return found


class Estimator:
    """A scikit-learn estimator; of a table it gets the columns that it was fitted to.

    Images are flattened if it was fitted to that many features. Vectors get the names of the
    columns of the table that it was fitted to.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __call__(self, x: Inputs) -> Any:
        labels = self.estimator.predict(self._features(x))
        # A classifier that was fitted to 0.0 and 1.0 gives labels, not scores.
        return np.asarray(labels).astype(object) if hasattr(self.estimator, "classes_") else labels

    def _features(self, x: Inputs) -> Any:
        if x.kind == "texts":
            return x.held
        if x.kind == "table":
            names = getattr(self.estimator, "feature_names_in_", ())
            return x.held[list(names)] if set(names) <= set(x.held) and len(names) else x.held
        values = x.raw()
        flat = values.reshape(len(values), -1)
        if getattr(self.estimator, "n_features_in_", None) != flat.shape[1]:
            return values
        names = getattr(self.estimator, "feature_names_in_", None)
        return flat if names is None else pd.DataFrame(flat, columns=names)  # else it warns


class Module:
    """A PyTorch module in evaluation mode, without gradients, on its device, in its dtype.

    Its modes are restored after each batch. The first layout that it takes is kept. Images of bytes
    stay bytes if it takes them and scales them itself; else they are divided by 255.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        floats = (p for p in (*module.parameters(), *module.buffers()) if p.is_floating_point())
        some = next(floats, torch.empty(0))
        self.device, self.dtype = some.device, some.dtype
        self.first = next((m for m in module.modules() if _shapes_input(m)), None)
        self.whole = isinstance(self.first, (nn.Embedding, nn.EmbeddingBag))
        self.chosen: tuple[int, int] | None = None  # form of the values, and layout
        self.notes: tuple[str, ...] = ()

    def __call__(self, x: Inputs) -> Any:
        if x.kind == "texts":
            raise AuditError("a PyTorch module takes no texts; give a function that encodes them")
        with torch.no_grad():
            return self.scores(x, self.values(x))

    def values(self, x: Inputs) -> Tensor:
        """The inputs (n, …) as `Inputs.array` has them, on the module's device, as it wants them.

        Raises:
            AuditError: It wants whole numbers, and they are none.
        """
        array = x.array()
        if self.whole:
            return torch.from_numpy(whole_numbers(array, np.int64)).to(self.device)
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.dtype).to(self.device)

    def scores(self, x: Inputs, values: Tensor) -> Any:
        """What the module says about values that replace those of x."""
        forms = self._forms(x, values)
        if self.chosen is None:
            self.chosen = self._choose(x, forms)
        form, layout = self.chosen or (len(forms) - 1, 0)  # if none goes, the usual one says why
        with evaluating(self.module):
            return self.module(self._layouts(x, forms[form])[layout])

    def _forms(self, x: Inputs, values: Tensor) -> list[Tensor]:
        """Values as they may be wanted, the likeliest first."""
        if self.whole or not held_as_bytes(x):
            return [values]
        if x.kind != "images":
            self.notes = (AS_HELD,)
            return [values]
        return [values.to(torch.uint8), values / 255]

    def _choose(self, x: Inputs, forms: list[Tensor]) -> tuple[int, int] | None:
        for form, values in enumerate(forms):
            for layout, shaped in enumerate(self._layouts(x, values)):
                if self._takes(shaped):
                    if len(forms) > 1:
                        self.notes = (AS_HELD, SCALED)[form : form + 1]
                    return form, layout
        return None

    def _takes(self, shaped: Tensor) -> bool:
        """Whether the module takes these; bytes must not reach its first layer as they are.

        A network that takes off a mean and divides by a spread takes bytes, too, without a word.
        """
        largest: list[float] = []
        hook = None
        if self.first is not None and shaped.dtype == torch.uint8:
            hook = self.first.register_forward_pre_hook(
                lambda _, given: largest.append(float(given[0].abs().max()))
            )
        try:
            with evaluating(self.module), torch.no_grad():
                taken = len(plain(self.module(shaped))) == len(shaped)
            return taken and not any(one > UNSCALED * float(shaped.max()) for one in largest)
        except Exception:
            return False
        finally:
            if hook is not None:
                hook.remove()

    def _layouts(self, x: Inputs, values: Tensor) -> list[Tensor]:
        """Ways to hand the values over, the likeliest first."""
        held = values
        if x.layout == "first":
            held = values.movedim(-1, 1) if values.ndim == 4 else values[:, None]
        elif x.layout == "last" and values.ndim == 3:
            held = values[..., None]
        shapes = [held]
        if x.layout == "last":
            shapes.append(held.movedim(-1, 1))
        elif held.ndim < 4:
            shapes.append(held[:, None])
        axes = next((n for kind, n in CONVOLUTIONS.items() if isinstance(self.first, kind)), None)
        channels_first = x.layout == "last" or (axes is not None and held.ndim == axes + 1)
        if axes is not None and channels_first:
            shapes.reverse()
        return [*shapes, held.flatten(1)]


def _shapes_input(module: nn.Module) -> bool:
    return isinstance(module, (*CONVOLUTIONS, nn.Linear, nn.Embedding, nn.EmbeddingBag))


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, and every submodule's own mode again afterwards."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def plain(answer: Any) -> Any:
    """The scores of an answer that carries more: `logits`, as transformers call them."""
    if isinstance(answer, Mapping) and "logits" in answer:
        return answer["logits"]
    return getattr(answer, "logits", answer)


def session(path: Path) -> Any:
    """An onnxruntime session for a file.

    Raises:
        AuditError: No such file, another suffix, no onnxruntime, or a file that it can't read.
    """
    if path.suffix != ".onnx":
        raise AuditError(f"{path}: expected the path of an .onnx file, or a classifier itself")
    if not path.is_file():
        raise AuditError(f"{path}: no such file")
    try:
        import onnxruntime
    except ImportError:
        raise AuditError(
            f"{path}: ONNX files need onnxruntime; run `pip install 'falsestruct[onnx]'`"
        ) from None
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        text = " ".join(str(error).split())
        raise AuditError(f"{path}: onnxruntime can't read it: {text}") from None


class Onnx:
    """An onnxruntime session: name, dtype, layout and batch size as the model declares them."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.wanted = session.get_inputs()
        self.output = session.get_outputs()[0].name
        self.notes: tuple[str, ...] = ()
        unknown = [one.type for one in self.wanted if one.type not in ONNX_TYPES]
        if unknown:
            raise AuditError(f"the model's input is {unknown[0]}; expected numbers or texts")

    def __call__(self, x: Inputs) -> Any:
        feed = self._columns(x) if len(self.wanted) > 1 else {self.wanted[0].name: self._one(x)}
        size = self.wanted[0].shape[0] if self.wanted[0].shape else None
        if not isinstance(size, int):
            return self.session.run([self.output], feed)[0]
        parts = [self._fixed(feed, start, size) for start in range(0, len(x), size)]
        return np.concatenate(parts)[: len(x)]

    def _fixed(self, feed: Mapping[str, np.ndarray], start: int, size: int) -> np.ndarray:
        """A model for batches of one size: the last one is filled up with its last input."""
        rows = np.arange(start, start + size)
        part = {name: values[rows.clip(max=len(values) - 1)] for name, values in feed.items()}
        return np.asarray(self.session.run([self.output], part)[0])

    def _columns(self, x: Inputs) -> dict[str, np.ndarray]:
        """A model with one input a column."""
        names = [one.name for one in self.wanted]
        if x.kind != "table" or not set(names) <= set(map(str, x.held.columns)):
            raise AuditError(
                f"the model wants the inputs {', '.join(names)}; expected one, or a table with "
                "these columns"
            )
        columns = {str(name): x.held[name].to_numpy() for name in x.held.columns}
        return {one.name: self._typed(one, columns[one.name]).reshape(-1, 1) for one in self.wanted}

    def _one(self, x: Inputs) -> np.ndarray:
        wanted = self.wanted[0]
        if wanted.type == "tensor(string)":
            texts = np.array(x.texts(), dtype=object)
            return texts[:, None] if len(wanted.shape or ()) == 2 else texts
        values = x.array()
        if held_as_bytes(x) and np.issubdtype(ONNX_TYPES[wanted.type], np.floating):
            pictures = x.kind == "images"
            self.notes = (SCALED,) if pictures else (AS_HELD,)
            values = values / 255 if pictures else values
        return self._typed(wanted, self._shaped(x, values))

    def _typed(self, wanted: Any, values: np.ndarray) -> np.ndarray:
        dtype = ONNX_TYPES[wanted.type]
        plain = np.issubdtype(dtype, np.floating) or values.dtype == object
        return np.ascontiguousarray(values.astype(dtype) if plain else whole_numbers(values, dtype))

    def _shaped(self, x: Inputs, values: np.ndarray) -> np.ndarray:
        """The first layout whose axes are those that the model declares."""
        held = to_layout(values, x.layout)
        ways = [held]
        if held.ndim == 3:
            ways += [held[:, None], held[..., None]]
        elif held.ndim == 4:
            ways += [np.moveaxis(held, -1, 1), np.moveaxis(held, 1, -1)]
        ways.append(held.reshape(len(held), -1))
        shape = list(self.wanted[0].shape or held.shape)
        for way in ways:
            pairs = zip(shape[1:], way.shape[1:], strict=False)
            if way.ndim == len(shape) and all(not isinstance(a, int) or a == b for a, b in pairs):
                return way
        raise AuditError(
            f"the model wants inputs of shape {shape}, but x has {list(held.shape)}; resize x"
        )
