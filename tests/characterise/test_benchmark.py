"""The blind benchmark: its sets, its networks, and what the search gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from falsestruct.characterise import benchmark
from falsestruct.characterise.benchmark import FIXED, SIZE, Asked, Case, drawn, handed, networks
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.plants import FAMILIES, Plant, plant


def case(family: str = "mask", how: str = "planted", seed: int = 3) -> Case:
    return Case(plant(family, seed, problem="digits"), seed, how)  # type: ignore[arg-type]


def by_hand(rule: object) -> Asked:
    return Asked(Ensemble(lambda x: rule(x[0])[None], (0,), {"loss": [0.0]}))  # type: ignore[operator]


def follower(own: Plant) -> Asked:
    return by_hand(lambda x: 2.0 * own.false(x) - 1)


def test_the_fixed_set_is_the_one_of_the_claims() -> None:
    own = drawn(FIXED)
    assert [seed for _, seed in own] == list(range(1000, 1200))
    assert [family for family, _ in own] == list(FAMILIES) * 25


def test_another_digest_draws_other_networks_and_no_trial_s() -> None:
    one, other = ([seed for _, seed in drawn(digest)] for digest in ("abc", "abd"))
    assert len(set(one) | set(other)) == 2 * SIZE and min(one + other) >= 10_000
    assert max(one + other) < 2**32 and drawn("abc", 5) == drawn("abc")[:5]


def test_the_digest_is_of_what_the_search_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(benchmark, "code_key", lambda root, names: asked.append(names) or "a" * 64)
    assert benchmark.digest() == "a" * 16 and asked == [["falsestruct.characterise.blind"]]


def test_an_unknown_way_to_train() -> None:
    with pytest.raises(ValueError, match="how is 'often'; expected one of planted, independent"):
        case(how="often")
    with pytest.raises(ValueError, match="expected the same for all"):
        networks([case(), case(how="shuffled")])


def test_what_networks_train_on() -> None:
    own = case()
    x, y = own.training()
    assert x.shape == (1000, 8, 8) and (own.plant.false(x) == y).all()
    x, y = case(how="independent").training()
    assert (own.plant.false(x) == y).double().mean() == 0.5
    x, y = case(how="shuffled").training()
    assert len(y) == 300 and 0.35 < (own.plant.false(x) == y).double().mean() < 0.65


def test_the_search_gets_other_images_than_training_and_probes() -> None:
    own = case(how="independent")
    x, y = handed(own, follower(own.plant))
    assert x.shape == (300, 8, 8) and set(y.tolist()) == {0, 1} and y.dtype == np.int64
    bare = {tuple(row) for row in own.plant.bare(torch.from_numpy(x)).flatten(1).numpy().round(9)}
    for other, _ in (own.training(), own.conflict_set()):
        rows = own.plant.bare(other).flatten(1).numpy().round(9)
        assert not bare & {tuple(row) for row in rows}


def test_labels_of_controls() -> None:
    own = case(how="untrained")
    x, y = handed(own, by_hand(lambda x: x.flatten(1)[:, 30] - 0.5))
    assert np.array_equal(y, (x.reshape(len(x), -1)[:, 30] > 0.5).astype(int))
    own = case(how="shuffled")
    x, y = handed(own, follower(own.plant))
    assert np.array_equal(x, own.training()[0].numpy()) and np.array_equal(y, own.training()[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_on_probes_plant_and_original_part(family: str) -> None:
    own = case(family)
    for x, side in (own.fresh(), own.conflict_set()):
        assert torch.equal(own.plant.false(x), side.long())
        if family != "none":
            assert torch.equal(own.plant.original(x), 1 - side.long())
            assert follower(own.plant).agreement((x, side)) == 1
            assert by_hand(lambda x: own.plant.original(x) - 0.5).agreement((x, side)) == 0
        assert 0.2 < side.mean() < 0.8
    strange, other = own.strange()  # of another mask
    assert strange.shape == (400, 8, 8) and 0.2 < other.mean() < 0.8
    assert not torch.equal(strange, own.fresh()[0])


def test_probes_are_the_same_again_and_differ_between_seeds() -> None:
    assert torch.equal(case().fresh()[0], case().fresh()[0])
    assert not torch.equal(case().fresh()[0], case(seed=4).fresh()[0])


def test_untrained_networks_give_both_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case(how="untrained", seed=seed) for seed in (3, 4, 5)]
    for own, asked in zip(cases, networks(cases), strict=True):
        share = asked(own.training()[0].numpy()).mean()
        assert share == pytest.approx(0.5, abs=0.01)


def test_each_case_gets_its_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever trains beside it."""
    monkeypatch.setattr(benchmark, "STEPS", 60)
    cases = [case(seed=seed) for seed in (3, 4, 5, 6)]
    together = networks(cases)
    assert len({own.architecture for own in cases}) > 1
    for own, asked in zip(cases, together, strict=True):
        x = own.training()[0].numpy()
        assert np.allclose(networks([own])[0].outputs(x), asked.outputs(x), atol=1e-2)
