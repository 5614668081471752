"""The automaton in a recurrent network: its states rounded to a few, and what that machine says.

To cluster the states of recurrent networks is old (Das and Mozer, 1993). New is nothing but the
use: a finite machine can be compared with the parity on words of *all* lengths.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.cluster.vq import kmeans2, vq

from falsestruct import success
from falsestruct.learning.recurrent import Readers
from falsestruct.problems.words import Words, letters, random_words
from falsestruct.theory.concepts import PARITY, Automaton, first_difference

TEST_SEED = 90_000  # of long words; with a network's number, of its centres
TESTED = 200  # long words
ROUNDS = 100  # of k-means, at most


def centres(
    reader: Readers, words: Words, count: int, seed: Sequence[int], *, clusters: bool = True
) -> np.ndarray:
    """So many points among one network's states on all words: (count, units), or fewer.

    Args:
        reader: One network.
        seed: Of what is drawn.
        clusters: Centres by k-means, in a hundred rounds at most, from one draw of first centres
            (k-means++). Otherwise as many different states, drawn at random.
    """
    with torch.no_grad():
        states = [reader.first(), *reader.grow(words.levels())]
    known = np.unique(torch.cat([part[0] for part in states]).double().numpy(), axis=0)
    if len(known) <= count:
        return known
    rng = np.random.default_rng(seed)
    if not clusters:
        return np.asarray(rng.choice(known, count, replace=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty cluster keeps its centre, which does no harm
        found, _ = kmeans2(known, count, iter=ROUNDS, minit="++", rng=rng)
    return np.asarray(found)


def rounded(reader: Readers, points: np.ndarray) -> Automaton:
    """The machine that moves as the network does, each state to the nearest of these points.

    The state before the first bit is one of its own, whatever the points are.
    """
    own = np.concatenate((reader.first()[0].double().numpy(), points))
    place = torch.from_numpy(own).to(reader.bias.dtype)
    with torch.no_grad():
        moved = [reader.move(place[None], x[None])[0].double().numpy() for x in letters()]
        says = (reader.answer(place[None])[0] > 0).long()
    nearest = [vq(states, own)[0] for states in moved]
    moves = tuple((int(a), int(b)) for a, b in zip(*nearest, strict=True))
    return Automaton(tuple(says.tolist()), moves)


def is_parity(reader: Readers, points: np.ndarray) -> bool:
    """Whether one network, rounded to these points, is the parity of all words of one bit on."""
    return first_difference(PARITY, rounded(reader, points), 1) is None


def examined(
    readers: Readers, words: Words, lengths: Sequence[int], counts: Sequence[int]
) -> pd.DataFrame:
    """What networks know of short words, of long ones, and of all: a row each.

    Columns: known, share of all `words` that are right; `at N`, share of the labels of random words
    of N bits, the same for all networks; `rounded N`, whether the network, its states rounded to N
    centres, is the parity at all lengths; and `random N` for the largest N, the same with states
    drawn at random. What is drawn for centres is each network's own.
    """
    levels = words.levels()
    truth = torch.cat([y for _, y in levels])
    known = success.accuracy(readers.labels(levels, range(1, len(levels) + 1)), truth)
    columns: dict[str, list[float]] = {"known": known.tolist()}
    alone = [readers.select([member]) for member in range(len(readers))]
    x, y = random_words(TESTED, max(lengths), np.random.default_rng(TEST_SEED))
    right = (readers.read(x) > 0) == (y > 0)
    for length in lengths:
        columns[f"at {length}"] = right[:, :, length - 1].double().mean(1).tolist()
    for count, clusters in [*((count, True) for count in counts), (max(counts), False)]:
        columns[f"{'rounded' if clusters else 'random'} {count}"] = [
            is_parity(one, centres(one, words, count, [TEST_SEED, member], clusters=clusters))
            for member, one in enumerate(alone)
        ]
    return pd.DataFrame(columns)
