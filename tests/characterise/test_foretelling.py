"""Rules that foretell flips: families on networks built by hand, whose flips are known."""

import numpy as np
import pytest

from falsestruct.characterise import foretelling
from falsestruct.characterise.foretelling import Known, Rule

RNG = np.random.default_rng(0)
X = RNG.random((40, 64))
W = RNG.normal(size=(3, 64))  # of the hidden rule, and of its three classes


def said(x):
    return (x - 0.5) @ W.T


def flipped(x, factor=1.5):
    """Beyond the plane between the two best classes."""
    f = said(x)
    order = np.argsort(-f, axis=1)
    apart = W[order[:, 0]] - W[order[:, 1]]
    gap = np.take_along_axis(f, order[:, :1], 1) - np.take_along_axis(f, order[:, 1:2], 1)
    return x - factor * gap * apart / (apart**2).sum(1, keepdims=True)


def known(networks=4):
    moved = np.stack([flipped(X)] * networks)
    before = np.tile(said(X).argmax(1), (networks, 1))
    after = said(moved.reshape(-1, 64)).argmax(1).reshape(before.shape)
    return Known(X, moved, before, after, after != before)


def test_what_a_rule_foretells():
    own = known()
    assert np.nanmean(foretelling.foretold(Rule(lambda x: said(x).argmax(1)), own)) == 1
    assert np.nanmean(foretelling.foretold(Rule(lambda x: np.zeros(len(x), int)), own)) == 0
    lost = Known(own.x, own.moved, own.before, own.after, np.zeros_like(own.lasting))
    assert np.isnan(foretelling.foretold(Rule(lambda x: said(x).argmax(1)), lost)).all()
    assert own.inputs.shape == (2 * 4 * 40, 64) and (own.answers[:40] == own.before[0]).all()
    assert (own.inputs[4 * 40 : 5 * 40] == own.moved[0]).all()


def test_the_first_half_chooses_what_foretells_the_other_networks():
    seen = []

    def fit(quality):
        def fitted(part):
            seen.append((part.moved.shape, quality))
            return Rule(lambda x: said(x).argmax(1) if quality else np.zeros(len(x), int))

        return fitted

    rule = foretelling.chosen([fit(0), fit(1), fit(1)], known())
    assert np.nanmean(foretelling.foretold(rule, known())) == 1
    assert [shape for shape, _ in seen] == [(2, 20, 64)] * 3 + [(4, 40, 64)]
    assert seen[-1][1] == 1


def test_directions_learned_from_answers_are_the_rule_s_own():
    x = RNG.random((3000, 64))
    vectors = foretelling.discriminant(x, said(x).argmax(1), 1.0)
    assert vectors.shape == (2, 64)
    apart = np.linalg.svd(W - W.mean(0), full_matrices=False)[2][:2]
    assert np.linalg.svd(vectors @ apart.T)[1].min() > 0.9 * np.linalg.svd(vectors)[1].min()


def test_statistics_are_picked_greedily():
    answers = RNG.integers(3, size=500)
    values = RNG.normal(size=(500, 30))
    values[:, 7] = answers == 1
    values[:, 3] = (answers == 2) + 0.1 * values[:, 3]
    values[:, 11] = values[:, 7]  # says nothing that 7 has not said
    values[:, 12] = 1.0
    found = foretelling.forward(values, answers)
    assert {7, 3} == set(found[:2]) and 11 not in found and 12 not in found
    assert len(set(found)) == foretelling.NUMBERS


@pytest.fixture(scope="module")
def made():
    labels = said(X).argmax(1)
    return foretelling.families(known(), (X, labels), side=8, seed=1)


def test_families_read_nine_numbers(made):
    assert set(made) == {
        "random directions", "random statistics", "neighbours", "class means", "true labels",
        "named statistics", "learned directions",
    }  # fmt: skip
    rules = {name: fits[0](known()) for name, fits in made.items()}
    for name in ("random directions", "class means", "true labels", "learned directions"):
        assert rules[name].vectors.shape == ((2 if "random" not in name else 9), 64)
    for name in ("named statistics", "random statistics"):
        assert len(set(rules[name].terms)) == 9
    assert rules["named statistics"].terms != rules["random statistics"].terms
    own = known()
    assert np.nanmean(foretelling.foretold(rules["neighbours"], own)) == 1  # it knows them
    again = foretelling.families(own, (X, said(X).argmax(1)), side=8, seed=1)
    drawn = [fits["random directions"][0](own).vectors for fits in (made, again)]
    assert (drawn[0] == drawn[1]).all()


def test_learned_directions_foretell_and_drawn_ones_do_not(made):
    own = known()
    share = {
        name: np.nanmean(foretelling.foretold(foretelling.chosen(made[name], own), own))
        for name in ("learned directions", "random directions")
    }
    assert share["learned directions"] > 0.9
    assert share["random directions"] < 0.6
