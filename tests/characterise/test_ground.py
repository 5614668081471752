"""Undecided probes, in halves that share nothing, and the network's answers to them."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from falsestruct.characterise import answered, flips, library
from falsestruct.characterise import ground as module
from falsestruct.characterise.answered import OTHERS, often, usual
from falsestruct.characterise.asking import AuditError, inputs, network
from falsestruct.characterise.ground import LEAST, Data, Ground, ground

D, N = 6, 200
Y = np.arange(N) % 2
X = np.random.default_rng(0).normal(size=(N, D)) + np.where(Y > 0, 0.6, -0.6)[:, None]


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
    x, y = np.tile(X, (2, 1)), np.tile(Y, 2)
    groups = np.tile(np.arange(N), 2)
    own = stood(x=x, y=y, groups=groups)
    first, second = (set(groups[part.base].ravel()) for part in (own.first, own.second))
    assert not first & second and len(first | second) > 150
    assert not set(groups[own.rows]) & first and own.size == len(own.rows) == N
    assert own.success.n <= N


def test_groups_may_be_a_column() -> None:
    frame = pd.DataFrame(np.tile(X, (2, 1))).rename(columns=str)
    frame["patient"] = [f"p{i // 2}" for i in range(2 * N)]
    own = Data.of(inputs(frame), np.tile(Y, 2), "patient")
    assert len(np.unique(own.groups)) == N
    with pytest.raises(AuditError, match="groups is 'camera', which is no column"):
        Data.of(inputs(frame), np.tile(Y, 2), "camera")


def test_answers_are_the_networks() -> None:
    own = stood(lambda x: np.array(["no", "yes"])[rule(x)], classes=["yes", "no"])
    see = own.view.coordinates
    for part in (own.first, own.second):
        told = np.array(own.network.classes)[part.answers]
        x = part.look.z * see.scale + see.centre
        clear = np.abs(x[:, 0]) > 1e-4
        assert (told == np.array(["no", "yes"])[rule(x)])[clear].all() and clear.mean() > 0.9
        assert np.allclose(own.view(inputs(x)).values, part.look.values, atol=1e-3)


def test_what_is_fitted_to_comes_first_and_shares_no_cluster() -> None:
    part = stood().first
    fitting, choosing = (set(part.cluster[rows]) for rows in (part.fitting, part.choosing))
    assert not fitting & choosing and len(fitting) == round(module.FITTED * N // 4)
    assert part.undecided[part.choosing].all() and not part.undecided[part.fitting].all()
    rest = slice(part.choosing.stop, None)
    assert not part.undecided[rest].any() and set(part.cluster[rest]) <= choosing


def test_success_compares_labels_by_value() -> None:
    right = (rule(X) == Y).mean()  # the labels are equally many
    for y in (Y, Y.astype(float), Y.astype(bool), torch.from_numpy(Y)):
        own = stood(y=y)
        assert own.success.value == pytest.approx(right) and own.warnings == ()
    named = stood(y=np.array(["ham", "spam"])[Y])
    assert named.success.value == pytest.approx(right)
    assert "as fits best" in named.warnings[0] and "'spam' is 1" in named.warnings[0]
    swapped = stood(lambda x: 1 - rule(x))
    assert swapped.success.value == pytest.approx(1 - right)


def test_success_is_balanced_over_the_labels() -> None:
    """It nearly always gives the frequent label: that is no success."""
    y = (np.arange(N) % 10 == 0).astype(int)
    own = stood(lambda x: (x[:, 0] > 3.5).astype(int), X, y)
    assert own.success.value == pytest.approx(0.5, abs=0.06) and own.success.high < 0.75


def test_success_knows_the_rarest_label() -> None:
    """Two inputs of a thousand have it, and 200 are asked about."""
    y = (np.arange(1000) % 500 == 7).astype(int)
    x = np.random.default_rng(1).normal(size=(1000, 3))
    own = stood(lambda z: (z[:, 0] > 9).astype(int), x, y)
    assert own.success.value == pytest.approx(0.5) and own.success.n == 200
    order = module._in_turn(y, np.random.default_rng(0))
    assert sorted(order) == list(range(1000)) and y[order[:4]].sum() == 2


def test_one_answer_is_not_two_labels() -> None:
    """Labels of other names than the answers are matched one to one."""
    y = np.array(["ham", "spam"])[(np.arange(N) % 5 == 0).astype(int)]
    own = stood(lambda x: np.where(x[:, 0] > 99, 3, 7), X, y)
    assert own.success.value == pytest.approx(0.5)


@pytest.mark.parametrize("threshold", [0.0, None])
def test_labels_that_match_in_part_are_refused(threshold: float | None) -> None:
    y = 2 * Y - 1
    if threshold is not None:
        with pytest.raises(AuditError, match=r"y says -1, 1, .* 0, 1; say .*classes="):
            stood(lambda x: x[:, 0], y=y, threshold=threshold)
        assert stood(lambda x: x[:, 0], y=y, threshold=0.0, classes=[-1, 1]).warnings == ()
    with pytest.raises(AuditError, match=r"y says -1, 1, but the network answers"):
        stood(rule, y=y)


def test_labels_shifted_by_one_are_refused() -> None:
    scores = np.random.default_rng(3).normal(size=(D, 4))
    with pytest.raises(AuditError, match="y says 1, 2, 3, 4, but the network answers 0, 1, 2, 3"):
        stood(lambda x: x @ scores, y=1 + np.arange(N) % 4)
    more = stood(lambda x: np.where(x[:, 1] > 2, 5, np.where(x[:, 1] < -2, 6, rule(x))),
                 y=np.where(np.arange(N) % 20 == 0, 9, Y))  # fmt: skip
    assert more.warnings == (
        "y says 9, which the network never answers; it answers 5, 6, which y never says",
    )


def test_labels_of_any_type() -> None:
    for y in (list(Y), Y.astype(object), pd.Series(Y), pd.Series(Y, dtype="category")):
        own = stood(y=y)
        assert own.data.values == (0, 1) and own.warnings == ()
    mixed = stood(y=[1 if label else "no" for label in Y])
    assert mixed.data.values == ("1", "no")


def test_where_the_data_force_all_probes_all_are_taken() -> None:
    frame = pd.DataFrame({"site": np.where(Y > 0, "n", "s"), "noise": X[:, 0] * 1e-9 + Y})
    own = stood(lambda t: (t["site"] == "n").to_numpy(), frame)
    assert own.forced and own.first.undecided.all()
    assert len(own.second.answers) == int(OTHERS[0] * 4000)
    assert "all probes" in own.warnings[-1]


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
    mixed = np.random.default_rng(2).permutation(800)
    other = stood(lambda z: (z.mean(1) > 2).astype(int), x[mixed], y[mixed])
    assert other.undecided == pytest.approx(own.undecided, abs=0.03)


def test_the_neighbour_knows_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty classes of which one has two inputs, and a neighbour that knows few others."""
    monkeypatch.setattr(module, "REFERENCE", 20)
    rng = np.random.default_rng(1)
    y = np.concatenate([np.repeat(np.arange(19), 20), [19, 19]])
    x = 30.0 * np.eye(20)[y] + rng.normal(size=(len(y), 20))
    data = Data.of(inputs(x), y, None)
    _, means, apart = module._sensible(data, rng)
    assert np.isfinite(means).all() and len(means) == 20
    assert not apart(inputs(x[-2:])).any()  # its own neighbour is among them


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
    see = own.view.coordinates
    assert (own.second.look.z[:, 1] * see.scale[1] + see.centre[1] <= 2.001).all()
    assert any("RuntimeError: too large" in line for line in own.warnings)


def test_noise_is_said() -> None:
    """One input of two hundred gets another label whenever it is asked about."""
    asked = 0

    def noisy(x: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += 1
        odd = (x == X[7]).all(1)
        return np.where(odd, asked % 2, rule(x))

    own = stood(noisy)
    assert any(f"1 of {N} inputs got another label" in line for line in own.warnings)


def test_what_flips_a_black_box_is_known() -> None:
    own = stood()
    changes = own.first.look.changes
    assert changes is not None and own.first.look.slopes is None and len(changes) > 2
    assert np.median(np.abs(changes[:, 0]) / np.linalg.norm(changes, axis=1)) > 0.5
    assert own.first.look.take(own.first.fitting).changes is changes
    assert own.second.look.changes is None


def test_queries_are_about_as_many_as_are_given() -> None:
    own = stood()
    assert own.network.queries < 1.1 * 4000 + 2 * N


def test_memory_does_not_grow_with_the_size_of_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """1300 probes of 128 × 128 would be 170 MB in float64, and are made of as large parts."""
    monkeypatch.setattr(library, "BYTES", 2**22)
    monkeypatch.setattr(flips, "BYTES", 2**22)
    monkeypatch.setattr(answered, "ROUNDS", 2)
    rng, y = np.random.default_rng(0), np.arange(160) % 2
    x = rng.random((160, 1, 1)) + 0.1 * rng.random((160, 128, 128))
    x[:, :, :64] += 0.5 * y[:, None, None]
    data = Data.of(inputs(x.astype(np.float32)), y, None)
    tracemalloc.start()
    asked = network(lambda z: (z[:, :, :64].mean((1, 2)) > 0.8).astype(int), batch=32)
    own = ground(asked, data, 2000, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 110e6 and len(own.first.answers) > 200


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
        ({"y": Y[:-1]}, r"y has shape \(199,\); expected \(200,\)"),
        ({"y": 0 * Y}, "y has the one value 0; expected at least two"),
        ({"y": [None, *Y[1:]]}, "y has 1 missing"),
        ({"x": np.where(X > 2, np.nan, X)}, "inputs have values that are not finite"),
        ({"x": [f"w{i}" for i in range(N)], "predict": digit}, "no two share a word"),
        ({"groups": Y}, f"there are 2 groups; expected at least {LEAST}"),
        ({"y": np.arange(N)}, f"y has {N} values for {N} inputs; expected classes"),
        ({"x": X[:40], "y": Y[:40]}, f"there are 40 inputs; expected at least {LEAST}"),
    ],
)
def test_what_cannot_be_used(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        stood(**change)


def test_flips_ask_about_inputs_of_their_own_half_alone() -> None:
    """What is judged must not depend on what was fitted to, nor the other way round."""
    seen: list[np.ndarray] = []
    own = stood(lambda x: seen.append(np.array(x)) or rule(x))
    fitting = np.unique(own.first.base[own.first.fitting])

    def asked_about() -> set[int]:
        asked = {row.tobytes() for x in seen for row in x}
        seen.clear()
        return {i for i, row in enumerate(X) if row.tobytes() in asked}

    asked_about()
    module._changed(own, fitting, 4000, 0)
    assert len(first := asked_about()) > 20 and first <= set(fitting)
    found = module.flipped(own, own.rows, 1e6, 0)
    assert len(second := asked_about()) > 20 and second <= set(own.rows)
    assert set(found.rows) <= set(own.rows) and (found.before == rule(X[found.rows])).all()


def test_a_group_gives_one_flip() -> None:
    groups = np.tile(np.arange(N), 2)
    own = stood(x=np.tile(X, (2, 1)), y=np.tile(Y, 2), groups=groups)
    found = module.flipped(own, own.rows, 1e6, 0)
    assert 30 < len(found.rows) <= module.POINTS
    assert len(np.unique(groups[found.rows])) == len(found.rows)
    few = module.flipped(own, own.rows, 400, 0)
    assert len(few.rows) <= 5
