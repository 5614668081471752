"""Chapter 19: small networks whose answer is known, and the verdicts in worlds made by hand."""

from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct import success
from falsestruct.chapters.concepts import evidence as found
from falsestruct.chapters.concepts import measure as experiment
from falsestruct.characterise.rounded import examined
from falsestruct.learning import recurrent
from falsestruct.learning.ensembles import by_hand
from falsestruct.press.notebook.claims import judge, read_claims
from falsestruct.press.paths import find_book
from falsestruct.problems.words import Words
from falsestruct.statistics import Nobody
from falsestruct.theory import concepts as theory
from tests.worlds import concepts as worlds

CLAIMS = {k: v for k, v in read_claims(find_book(Path(__file__))).items() if "concepts" in k}
SEEDS = [1, 2]


def verdicts(pairs) -> dict[str, str]:
    return {id: judge(CLAIMS[id], *pair) for id, pair in pairs.items()}


# Words


@pytest.fixture(autouse=True)
def _other_seeds(monkeypatch):
    monkeypatch.setattr(experiment, "FIRST", 1)


def test_a_network_that_holds_the_parity_is_found_out():
    table = examined(worlds.flip_flop(2), Words(8), [8, 400], experiment.CENTRES)
    assert len(table) == 2 and (table == 1).all(axis=None)


def test_one_that_reads_a_hint_is_at_chance_without():
    table = examined(worlds.hint_reader(1), Words(8), [8, 50], [4])
    assert table["known"][0] == 0.5 and not table["rounded 4"][0]


def test_longer_words_are_tested(monkeypatch):
    monkeypatch.setattr(experiment, "LONGEST", 3)
    table = experiment.longer([3, 20], [0.0, 0.1], seeds=2, steps=30)
    assert table["noise"].tolist() == [0, 0, 0.1, 0.1] and table["seed"].tolist() == [1, 2, 1, 2]
    assert table[["known", "at 3", "at 20"]].stack().between(0, 1).all()
    assert found.lengths(table) == [3, 20]


def test_a_loud_hint_is_taken_and_none_is_not(monkeypatch):
    monkeypatch.setattr(experiment, "LONGEST", 3)
    table = experiment.hints([0.0, 1.0], seeds=2, steps=600)
    loud = table[table["hint"] == 1]
    assert set(loud["labels"]) == {"all"} and len(loud) == 4 and len(table) == 20
    assert (loud["accuracy"] == 1).all() and loud["capture"].mean() > 0.6
    assert (loud["step"] < 600).all()
    alone = table[(table["hint"] == 0) & (table["network"] == "MLP")]
    assert (alone["accuracy"] == 1).all() and (alone["labels"].nunique()) == 4
    assert (alone[alone["labels"].isin(["all", "full"])]["capture"] == 0).all()


def test_the_words_of_both_networks_are_the_same():
    words = Words(4, 0.3)
    x, y = words.rows(range(1, 5))
    reader = recurrent.start([1], 2)
    labels = reader.labels(words.levels(), range(1, 5))
    lone = reader.read(x[-16:].view(16, 2, 4).transpose(1, 2))[0, :, -1] > 0
    assert labels.shape == (1, len(y)) and torch.equal(labels[0, -16:], lone.long())


# Grids


def test_rules_by_hand_on_grids():
    rest = {"level": False, "seeds": SEEDS, "samples": 400, "steps": 1}
    exact = experiment.connected_point(**rest, learn=by_hand(worlds._each(worlds.path, 0.0)))
    assert (exact[["near", "far"]] == 0).all(axis=None) and (exact["accuracy"] == 1).all()
    near = experiment.connected_point(**rest, learn=by_hand(worlds._each(worlds.near, 0.0)))
    assert (near["near"] == 1).all() and (near["far"] == 0).all()
    assert near["accuracy"].between(0.55, 0.8).all()
    reach = experiment.distance_rule()
    assert (near[f"apart {reach}"] == 1).all() and (near[f"joined {reach + 1}"] == 0).all()


@pytest.mark.parametrize(("level", "low", "high"), [(False, 0.57, 0.8), (True, 0.49, 0.51)])
def test_distance_says_something_on_random_grids_alone(level, low, high):
    def learn(architecture, data, seeds, schedule):
        x, y = data[0]
        assert low < (worlds.near(x) == (y > 0).numpy()).mean() < high
        return by_hand(worlds._each(worlds.path, 0.0))(architecture, data, seeds, schedule)

    rest = {"seeds": SEEDS, "samples": 400, "steps": 1, "learn": learn}
    assert len(experiment.connected_point(level=level, **rest)) == 2


def test_networks_on_grids_are_trained_on_their_own():
    table = experiment.connected(seeds=2, samples=200, steps=100)
    assert table["level"].tolist() == [False, False, True, True] and len(set(table["near"])) > 1
    assert (table["accuracy"] > 0.6).all()


# Stripes


def test_asking_adds_twelve_images():
    seen = []

    def learn(architecture, data, seeds, schedule):
        seen.append([x for x, _ in data])
        return by_hand(worlds.colour)(architecture, data, seeds, schedule)

    rest = {"seeds": SEEDS, "steps": 1, "learn": learn}
    for way in ("none", "random", "unsure"):
        table = experiment.asking_point(way=way, repeats="none", **rest)
        assert (table["capture"] == 1).all()
    assert (table["stripes"] == 12).all()
    none, _, chance, first, unsure = seen  # whoever asks was trained before
    assert [len(x) for x in none + first] == [28] * 4
    assert [len(x) for x in chance + unsure] == [40] * 4
    assert not torch.equal(chance[0][28:], chance[1][28:])
    size = worlds.colour(unsure[0]).abs()
    assert size[28:].max() < worlds.colour(chance[0]).abs()[28:].max()


def test_random_images_repeat_stripes_as_the_unsure_ones_do():
    rest = {"seeds": SEEDS, "steps": 1, "learn": by_hand(worlds.colour)}
    ways = (("unsure", "any"), ("random", "alike"), ("random", "any"))
    unsure, alike, chance = (
        experiment.asking_point(way=way, repeats=repeats, **rest) for way, repeats in ways
    )
    assert alike["stripes"].tolist() == unsure["stripes"].tolist()
    assert (unsure["size"] < 0.16).all() and (
        alike["size"] > 0.18
    ).all()  # small offsets are unsure
    assert chance["swapped"].between(0.1, 0.9).all()


def test_who_knows_by_heart_what_it_asked_about_reads_the_colour_elsewhere():
    tables = [
        experiment.asking_point(
            way=way, repeats=repeats, seeds=list(range(1, 21)), steps=1, learn=worlds.memoriser
        ).assign(way=way, repeats=repeats)
        for way, known in experiment.WAYS.items()
        for repeats in known
    ]
    table = pd.concat(tables, ignore_index=True)
    assert (table["accuracy"] == 1).all() and (table["capture"] == 1).all()
    assert verdicts(found.asking_claims(table))["concepts-spread"] == "refuted"


def test_what_is_made_convinces_and_shows_what_is_read():
    rest = {"seeds": SEEDS, "steps": 1}
    colour = experiment.synthetic_point(what="colour", learn=by_hand(worlds.colour), **rest)
    assert (colour["convinced"] == 1).all() and (colour["colour"] == 1).all()
    assert colour["orientation"].between(0.2, 0.8).all() and (colour["capture"] == 1).all()
    other = experiment.synthetic_point(
        what="orientation", learn=by_hand(worlds.orientation), **rest
    )
    assert (other["orientation"] == 1).all() and (other["capture"] == 0).all()


def test_readers_of_the_orientation_see_a_colour_that_says_nothing():
    given = {}

    def learn(architecture, data, seeds, schedule):
        given["x"], given["y"] = data[0]
        return by_hand(worlds.colour)(architecture, data, seeds, schedule)

    for what, agrees in (("colour", 1.0), ("orientation", 0.5)):
        experiment.readers_of(what, SEEDS, 1, learn)
        images = given["x"].view(-1, 16, 16)
        assert (experiment.SMALL.colour(images) == given["y"]).double().mean() == agrees


def test_pictures_are_images():
    table = experiment.pictures(20)
    assert len(table) == 4 * 256 and set(table["wanted"]) == {"vertical", "horizontal"}


# Worlds whose answer is known


def test_every_claim_has_an_estimate():
    assert set(worlds.foretold()) == set(CLAIMS)


def test_in_the_world_that_is_foretold_every_prediction_comes_true():
    said = verdicts(worlds.foretold())
    assert {id: said[id] for id in CLAIMS} == {id: c.predicted for id, c in CLAIMS.items()}


def test_where_networks_follow_the_original_nothing_about_another_is_supported():
    said = verdicts(worlds.original())
    gone = {"longer", "certified", "distance", "hint", "spread", "offsets"}
    gone |= {"labels-mlp", "labels-recurrent"}
    assert {said[f"concepts-{name}"] for name in gone} == {"refuted"}
    assert said["concepts-synthetic"] == "inconclusive"  # nobody takes the colour
    assert said["concepts-asking"] == "inconclusive"  # nothing is left to gain


def test_who_remembers_only_can_not_be_rounded():
    table = worlds.words(worlds.remembering(20, Words(8)), worlds.knowing(20))
    said = verdicts(found.word_claims(table))
    assert said == {"concepts-longer": "supported", "concepts-certified": "refuted"}


def test_if_noise_does_not_help_either_there_is_no_verdict():
    bad = worlds.remembering(20, Words(8))
    assert verdicts(found.word_claims(worlds.words(bad, bad)))["concepts-longer"] == "inconclusive"


def test_only_networks_that_are_right_on_the_words_of_training_count():
    bad, good = worlds.remembering(20, Words(8)), worlds.knowing(20)
    half = bad.assign(known=np.where(bad.index < 8, 0.99, 1.0))
    estimate, control = found.word_claims(worlds.words(half, good))["concepts-longer"]
    assert estimate.n == 12 and control.n == 20


def test_recurrent_networks_may_take_the_hint_rather():
    def turned(network, labels, hint):
        own = worlds.taken({"MLP": "recurrent", "recurrent": "MLP"}[network], "all", hint)
        return own - 0.1 * (labels in ("full", "half"))

    said = verdicts(found.hint_claims(worlds.hints(turned)))
    assert set(said.values()) == {"refuted"} and len(said) == 3


def test_rounding_must_mend_and_clusters_must_do_it():
    bad, good = worlds.remembering(20, Words(8)), worlds.knowing(20)
    mended = bad.assign(**{"rounded 32": True})
    quiet = {"supported": mended, "inconclusive": mended.assign(**{"random 32": True})}
    for verdict, table in quiet.items():
        said = verdicts(found.word_claims(worlds.words(table, good)))
        assert said["concepts-certified"] == verdict


def test_a_difference_that_a_loud_hint_shows_as_well_is_no_verdict():
    table = worlds.hints(lambda network, *_: 0.9 if network == "MLP" else 0.2)
    assert verdicts(found.hint_claims(table))["concepts-hint"] == "inconclusive"


def test_who_did_not_learn_does_not_count():
    table = worlds.hints(worlds.taken)
    lost = (table["network"] == "recurrent") & (table["labels"] == "all") & (table["hint"] < 1)
    half = table.assign(accuracy=table["accuracy"].where(~lost, 0.5))
    said = verdicts(found.hint_claims(half))
    assert said["concepts-hint"] == "inconclusive" and said["concepts-labels-mlp"] == "supported"
    two = table.assign(accuracy=table["accuracy"].where(~lost | (table["seed"] > 1), 0.5))
    estimate, _ = found.hint_claims(two)["concepts-hint"]
    assert estimate.n == 18
    four = table.assign(accuracy=table["accuracy"].where(~lost | (table["seed"] > 3), 0.5))
    assert isinstance(found.hint_claims(four)["concepts-hint"][0], Nobody)


def test_the_number_of_labels_may_be_what_matters():
    captures = {"half": 0.9, "full": 0.6, "drawn": 0.6, "all": 0.2}
    table = worlds.hints(lambda _, labels, hint: captures[labels])
    assert verdicts(found.hint_claims(table))["concepts-labels-mlp"] == "inconclusive"


def test_short_sight_is_not_distance():
    def sees_three_steps(x):
        free, marks = worlds._parts(x)
        lit = np.zeros(free.shape, dtype=bool)
        lit.reshape(len(x), -1)[np.arange(len(x)), marks[:, 0]] = True
        for _ in range(3):
            around = np.pad(lit, ((0, 0), (1, 1), (1, 1)))
            lit = lit | around[:, :-2, 1:-1] | around[:, 2:, 1:-1]
            lit = (lit | around[:, 1:-1, :-2] | around[:, 1:-1, 2:]) & free
        return lit.reshape(len(x), -1)[np.arange(len(x)), marks[:, 1]]

    said = verdicts(found.distance_claim(worlds.grids(sees_three_steps, worlds.path)))
    assert said == {"concepts-distance": "refuted"}


def test_errors_that_don_t_follow_distance_are_told_from_those_that_do():
    grids = worlds.grids
    said = verdicts(found.distance_claim(grids(worlds.near, worlds.near)))
    assert said == {"concepts-distance": "inconclusive"}

    def coin(x):
        return (x[:, 1] > 0).numpy() ^ (x[:, 8] > 0).numpy()  # often wrong, everywhere alike

    said = verdicts(found.distance_claim(grids(coin, worlds.path)))
    assert said == {"concepts-distance": "refuted"}


def test_asking_may_help_and_variety_may_not():
    helped = {**worlds.FORETOLD, ("unsure", "any"): 0.1, ("unsure", "none"): 0.3}
    said = verdicts(found.asking_claims(worlds.asking(helped)))
    assert said["concepts-asking"] == "supported" and said["concepts-spread"] == "refuted"
    same = {**worlds.FORETOLD, ("unsure", "none"): 0.7}
    said = verdicts(found.asking_claims(worlds.asking(same)))
    assert said["concepts-spread"] == "refuted"
    other = {**worlds.FORETOLD, ("random", "alike"): 0.4}
    said = verdicts(found.asking_claims(worlds.asking(other)))
    assert said["concepts-spread"] == "inconclusive"  # repeats are not what is bad about them


def test_small_offsets_may_be_as_good_and_the_choice_may_be_worse_than_they_are():
    same = {**worlds.FORETOLD, ("small", "none"): 0.3, ("unsure", "none"): 0.3}
    said = verdicts(found.asking_claims(worlds.asking(same)))
    assert said["concepts-offsets"] == "refuted"
    worse = {**worlds.FORETOLD, ("unsure", "none"): 0.9}
    said = verdicts(found.asking_claims(worlds.asking(worse)))
    assert said["concepts-offsets"] == "inconclusive"


def test_images_made_for_readers_of_the_orientation_are_accepted():
    def trace(x):
        return worlds.colour(x) + 0.2 * worlds.orientation(x)

    own = worlds.synthetic(trace, worlds.orientation)
    assert (own["capture"].where(own["what"] == "colour", 1) >= 0.75).all()
    assert verdicts(found.synthetic_claim(own)) == {"concepts-synthetic": "refuted"}
    bad = own.assign(orientation=0.5 + own["seed"] / 300)
    assert verdicts(found.synthetic_claim(bad)) == {"concepts-synthetic": "inconclusive"}


# Tables and numbers for the page


def test_the_page_s_tables():
    table = worlds.words(worlds.remembering(20, Words(8)), worlds.knowing(20))
    drawn = found.right_by_length(table).set_index(["noise", "length"])["value"]
    assert drawn[0.0, 8] == 1 and drawn[0.0, 400] == pytest.approx(0.52) and drawn[0.2, 400] == 1
    cells = found.captures(worlds.hints(worlds.taken), "network", "labels", "hint")
    cells = cells.set_index(["network", "labels", "hint"])["value"]
    assert cells["MLP", "all", 0.1] == pytest.approx(0.7)
    grids = worlds.grids(worlds.near, worlds.path)
    shown = found.by_distance(grids)
    far = shown.query("pair == 'joined' and distance == 7").set_index("level")["value"]
    assert far[False] < 0.2 and far[True] > 0.8


def test_proofs_say_on_how_many_grids_and_words_they_were_tried():
    tried = {id.removeprefix("concepts-"): pair for id, pair in found.proved(20).items()}
    counts = {name: tuple(part.n for part in pair) for name, pair in tried.items()}
    words = [len(theory.words(Random(0), least=least)) for least in (1, 4)]
    assert counts["near"] == (len(list(theory.grids(3))),) * 2
    assert counts["symbols"] == tuple(words) and counts["restored"] == (words[0],) * 2
    assert counts["trivial"] == counts["words"] == (20, 20)


def test_said_are_finite_numbers():
    table = worlds.words(worlds.remembering(20, Words(8)), worlds.knowing(20))
    own = found.spoken(table, worlds.hints(worlds.taken))
    assert own["quiet_long"] == 0 and own["loud_long"] == own["loud_rounded_32"] == 20
    assert own["capture_mlp_all_faint"] == "0.70" and own["longest"] == 400
    fewer = table.assign(known=np.where((table["noise"] > 0) & (table["seed"] < 5), 0.9, 1.0))
    seen = found.spoken(fewer, worlds.hints(worlds.taken))
    assert [seen["seeds"], seen["quiet_missed"], seen["loud_missed"]] == [20, 0, 5]
    assert seen["quiet_all"].startswith("0.00 [") and seen["loud_all"].startswith("0.75 [")
    assert own["trained"] == 200 and own["unlearnt"] == 0 and own["least_hints"] == 1
    lost = worlds.hints(worlds.taken)
    lost = lost.assign(accuracy=lost["accuracy"].where(lost["seed"] > 0, 0.5))
    assert found.spoken(table, lost)["unlearnt"] == 10
    more = found.spoken_of_others(
        worlds.grids(worlds.near, worlds.path), worlds.asking(worlds.FORETOLD),
        worlds.synthetic(worlds.colour, worlds.orientation),
    )  # fmt: skip
    assert more["near_random"] > 0.8 and more["near_level"] < 0.2 and more["far_random"] < 0.2
    assert more["capture_unsure_none"] == "30%" and more["stripes_random_alike"] == 7
    assert more["unconvinced"] == 0 and more["made_orientation"] == "100.0%"
    assert more["readers_colour"] == 20 and found.texts({"nobody": np.nan}, ".2f")["nobody"] == "–"
    numbers = [value for value in (own | more).values() if not isinstance(value, str)]
    assert np.isfinite(numbers).all()


def test_capture_of_a_hint_is_capture():
    words = Words(4, 0.2, sign=-1)
    x, _ = words.rows([4])
    labels = worlds.hint_reader(1).labels(words.levels(), [4])
    assert success.capture(labels, words.told, words.parity, x).tolist() == [1]
    assert isinstance(worlds.hints(worlds.taken), pd.DataFrame)
