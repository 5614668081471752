"""Undecided probes, in halves that share nothing, and the network's answers to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from falsestruct.characterise import ground as module
from falsestruct.characterise.asking import AuditError, inputs, network
from falsestruct.characterise.ground import LEAST, Data, Ground, ground, often, usual

D = 6
Y = np.arange(160) % 2
X = np.random.default_rng(0).normal(size=(160, D)) + np.where(Y > 0, 0.6, -0.6)[:, None]


def rule(x: Any) -> np.ndarray:
    return (np.asarray(x)[:, 0] > 0).astype(int)


def digit(texts: Any) -> list[int]:
    return [int(text[1:]) % 2 for text in texts]


def stood(predict: Any = rule, x: Any = X, y: Any = Y, **options: Any) -> Ground:
    groups = options.pop("groups", None)
    return ground(network(predict, **options), Data.of(inputs(x), y, groups), 4000, 0)


def test_the_data_leave_these_probes_undecided() -> None:
    own = stood()
    z = own.view.coordinates(inputs(X))
    near = KNeighborsClassifier(1).fit(z, Y)
    means = NearestCentroid().fit(z, Y)
    for part in (own.first, own.second):
        points = part.look.z[part.undecided]
        assert (near.predict(points) != means.predict(points)).mean() > 0.99  # but for rounding
    assert own.second.undecided.all() and not own.first.undecided.all()
    rest = own.first.look.z[~own.first.undecided]
    share = (near.predict(rest) != means.predict(rest)).mean()
    assert share == pytest.approx(own.undecided, abs=0.08) and not own.forced


def test_the_halves_share_no_input_and_no_group() -> None:
    groups = np.repeat(np.arange(80), 2)
    own = stood(groups=groups)
    first, second = (set(groups[part.probes.base].ravel()) for part in (own.first, own.second))
    assert not first & second and len(first | second) > 60
    assert not set(groups[own.rows]) & first
    assert own.success.n == 80


def test_answers_are_the_networks() -> None:
    own = stood(lambda x: np.array(["no", "yes"])[rule(x)], classes=["yes", "no"])
    for part in (own.first, own.second):
        told = np.array(own.network.classes)[part.answers]
        assert (told == np.array(["no", "yes"])[rule(part.probes.x.held)]).all()
        assert np.array_equal(own.view(part.probes.x).values, part.look.values)


def test_success_compares_labels_by_value() -> None:
    right = (rule(X) == Y).mean()
    for y in (Y, Y.astype(float), Y.astype(bool), torch.from_numpy(Y)):
        own = stood(y=y)
        assert own.success.value == pytest.approx(right) and own.warnings == ()
    named = stood(y=np.array(["ham", "spam"])[Y])
    assert named.success.value == pytest.approx(right)
    assert "by majority" in named.warnings[0] and "'spam' is 1" in named.warnings[0]
    swapped = stood(lambda x: 1 - rule(x))
    assert swapped.success.value == pytest.approx(1 - right)


def test_labels_of_any_type() -> None:
    for y in (list(Y), Y.astype(object), pd.Series(Y), pd.Series(Y, dtype="category")):
        own = stood(y=y)
        assert own.data.values == (0, 1) and own.warnings == ()
    mixed = stood(y=[1 if label else "no" for label in Y])
    assert mixed.data.values == ("1", "no")


def test_where_the_data_force_all_probes_all_are_taken() -> None:
    frame = pd.DataFrame({"site": np.where(Y > 0, "n", "s"), "noise": X[:, 0] * 1e-9 + Y})
    own = stood(lambda t: (t["site"] == "n").to_numpy(), frame)
    assert own.forced and own.first.undecided.all() and len(own.second.answers) == 800


def test_without_an_undecided_probe() -> None:
    """Two labels far apart, and probes that a table can't put between them."""
    frame = pd.DataFrame({"site": np.where(Y > 0, "n", "s")})
    own = stood(lambda t: (t["site"] == "n").to_numpy(), frame)
    assert own.undecided == 0 and own.forced and len(usual((own.first, own.second))) == 2


def test_sorted_data_and_many_coordinates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbour's inputs are a random sample: both labels are among them."""
    monkeypatch.setattr(module, "NUMBERS", 0)  # as for many coordinates: 300 inputs
    y = np.repeat([0, 1], 400)
    x = 4.0 * y[:, None] + np.random.default_rng(1).normal(size=(800, 3))
    own = stood(lambda z: (z.mean(1) > 2).astype(int), x, y)
    assert own.undecided < 0.2
    assert np.allclose(own.view.means, [x.mean(0) * 0 - 1, x.mean(0) * 0 + 1], atol=0.2)


def test_where_one_answer_is_rare_all_are_taken() -> None:
    known = {row.tobytes(): label for row, label in zip(X, Y, strict=True)}
    own = stood(lambda x: np.array([known.get(row.tobytes(), 1) for row in x]))
    assert own.forced and own.success.value == 1


def test_usual_answers_are_counted_by_clusters() -> None:
    own = stood()
    parts = own.first, own.second
    assert usual(parts) == [0, 1] and often(parts, [0, 7]) and not often(parts, [7])


def test_failures_are_left_out_and_said() -> None:
    def fragile(x: np.ndarray) -> np.ndarray:
        if (x[:, 1] > 2).any():
            raise RuntimeError("too large")
        return rule(x)

    own = stood(fragile)
    assert (own.second.probes.x.array()[:, 1] <= 2).all()
    assert any("RuntimeError: too large" in line for line in own.warnings)


def test_modules_show_their_slopes() -> None:
    weight = np.arange(1.0, D + 1)

    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            score = x.double() @ torch.from_numpy(weight)
            return torch.stack([-score, score], 1)

    own = stood(Module(), torch.from_numpy(X))
    slopes = own.first.look.slopes
    assert slopes is not None and own.second.look.slopes is None
    seen = slopes[np.abs(slopes).sum(1) > 0]
    assert len(seen) > 100
    expected = weight * own.view.coordinates.scale
    along = seen @ expected / np.linalg.norm(seen, axis=1) / np.linalg.norm(expected)
    assert np.allclose(np.abs(along), 1) and (along > 0).any() and (along < 0).any()
    assert stood().first.look.slopes is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": Y[:-1]}, r"y has shape \(159,\); expected \(160,\)"),
        ({"y": 0 * Y}, "y has the one value 0; expected at least two"),
        ({"y": [None, *Y[1:]]}, "y has 1 missing"),
        ({"x": np.where(X > 2, np.nan, X)}, "inputs have values that are not finite"),
        ({"x": [f"w{i}" for i in range(160)], "predict": digit}, "no two share a word"),
        ({"groups": Y}, f"there are 2 groups; expected at least {LEAST}"),
        ({"x": X[:40], "y": Y[:40]}, f"there are 40 inputs; expected at least {LEAST}"),
    ],
)
def test_what_cannot_be_used(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        stood(**change)
