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

TEST_SEED = 90_000  # of long words, and of the first centres
TESTED = 200  # long words


def centres(reader: Readers, words: Words, count: int, seed: int) -> np.ndarray:
    """So many centres of one network's states on all words, by k-means: (count, units), or fewer.

    Args:
        reader: One network.
        seed: Of the first centres, which are drawn from the states (k-means++).
    """
    with torch.no_grad():
        states = [reader.first(), *reader.grow(words.levels())]
    known = np.unique(torch.cat([part[0] for part in states]).double().numpy(), axis=0)
    if len(known) <= count:
        return known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty cluster keeps its centre, which does no harm
        found, _ = kmeans2(known, count, minit="++", rng=np.random.default_rng(seed))
    return np.asarray(found)


def rounded(reader: Readers, points: np.ndarray) -> Automaton:
    """The machine that moves as the network does, each state to the nearest of these points."""
    place = torch.from_numpy(points).to(reader.bias.dtype)
    with torch.no_grad():
        moved = [reader.move(place[None], x[None])[0].double().numpy() for x in letters()]
        says = (reader.answer(place[None])[0] > 0).long()
    nearest = [vq(states, points)[0] for states in moved]
    start = vq(reader.first()[0].double().numpy(), points)[0]
    return Automaton(
        tuple(says.tolist()),
        tuple((int(a), int(b)) for a, b in zip(*nearest, strict=True)),
        int(start[0]),
    )


def is_parity(reader: Readers, words: Words, count: int, seed: int) -> bool:
    """Whether one network, rounded to so many states, is the parity of all words of one bit on."""
    machine = rounded(reader, centres(reader, words, count, seed))
    return first_difference(PARITY, machine, 1) is None


def examined(
    readers: Readers, words: Words, lengths: Sequence[int], counts: Sequence[int]
) -> pd.DataFrame:
    """What networks know of short words, of long ones, and of all: a row each.

    Columns: known, share of all `words` that are right; `at N`, share of the labels of random words
    of N bits, the same for all networks; `rounded N`, whether the network with its states rounded
    to N centres is the parity at all lengths.
    """
    levels = words.levels()
    truth = torch.cat([y for _, y in levels])
    known = success.accuracy(readers.labels(levels, range(1, len(levels) + 1)), truth)
    columns: dict[str, list[float]] = {"known": known.tolist()}
    x, y = random_words(TESTED, max(lengths), np.random.default_rng(TEST_SEED))
    right = (readers.read(x) > 0) == (y > 0)
    for length in lengths:
        columns[f"at {length}"] = right[:, :, length - 1].double().mean(1).tolist()
    for count in counts:
        alone = (readers.select([member]) for member in range(len(readers)))
        columns[f"rounded {count}"] = [is_parity(one, words, count, TEST_SEED) for one in alone]
    return pd.DataFrame(columns)
