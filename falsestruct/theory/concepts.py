"""What chapter 19 proves about concepts, in rational arithmetic and by counting.

Integers along a ray, cells that are connected, words of bits, and automata. The definitions and
proofs are the book's own, after arXiv:2207.12186, of which only the abstract was read; that words
of bounded length tell automata apart is Moore's (1956).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random

from falsestruct.theory.oscillation import LEVEL, alternating_network
from falsestruct.theory.relu import ReluNetwork
from falsestruct.theory.stable import line

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
Word = tuple[int, ...]  # bits, 0 or 1
Cell = tuple[int, int]
GAMMAS = (Fraction(2), Fraction(4), Fraction(10))

# Integers along a ray


def slack(label: Callable[[int], int], n: int, pieces: int) -> int:
    """2·wrong − n + pieces: not negative for a rule with so many linear pieces on [0, n].

    Args:
        label: Of the integers 0 … n; right where it is the integer mod 2.
    """
    return 2 * sum(label(t) != t % 2 for t in range(n + 1)) - n + pieces


def network_slack(network: ReluNetwork, n: int) -> int:
    """`slack` of a network of one input, with its number of pieces on [0, n]."""
    along = line(network)
    pieces, _ = along.counts(ZERO, Fraction(n))
    return slack(lambda t: int(along(Fraction(t)) > LEVEL), n, pieces)


def exact_network(n: int) -> ReluNetwork:
    """The smallest network of one hidden layer that is right on 0 … n: n − 1 ReLUs if n ≥ 4."""
    return alternating_network([t + HALF for t in range(n)], first=0)


def random_network(width: int, n: int, rng: Random) -> ReluNetwork:
    """ReLUs of one input with their knots between 0 and n."""
    ways = [rng.choice((-1, 1)) for _ in range(width)]
    knots = [Fraction(rng.randint(0, 10 * n), 10) for _ in range(width)]
    return ReluNetwork(
        tuple((Fraction(way),) for way in ways),
        tuple(-way * t for way, t in zip(ways, knots, strict=True)),
        tuple(Fraction((-1) ** i * rng.randint(1, 9)) for i in range(width)),
        Fraction(rng.randint(-9, 9), 9),
    )


def iterated(t: int) -> int:
    """Is t odd? s ← |s − 1|, two ReLUs, applied t times."""
    state = ZERO
    for _ in range(t):
        state = max(state - 1, ZERO) + max(1 - state, ZERO)
    return int(state > LEVEL)


# Cells that are connected


def neighbours(cell: Cell) -> Iterator[Cell]:
    """The four cells beside one."""
    row, column = cell
    yield from ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))


def flood(free: frozenset[Cell], start: Cell, steps: int | None = None) -> frozenset[Cell]:
    """Cells that are lit after so many steps; None: until nothing changes.

    The local rule: a free cell is lit if it, or a neighbour, was.
    """
    lit = frozenset([start]) & free
    while steps is None or steps > 0:
        spread = frozenset(c for c in free if c in lit or any(n in lit for n in neighbours(c)))
        if spread == lit:
            break
        lit, steps = spread, None if steps is None else steps - 1
    return lit


def component(free: frozenset[Cell], start: Cell) -> frozenset[Cell]:
    """Cells that a path joins to the start, by merging sets: another way than `flood`."""
    parts: list[set[Cell]] = []
    for cell in free:
        near = [part for part in parts if any(n in part for n in neighbours(cell))]
        parts = [part for part in parts if part not in near]
        parts.append({cell}.union(*near))
    return frozenset(next((part for part in parts if start in part), set()))


def grids(side: int) -> Iterator[frozenset[Cell]]:
    """The free cells of every grid of this side."""
    cells = list(product(range(side), range(side)))
    for choice in product((False, True), repeat=len(cells)):
        yield frozenset(cell for cell, free in zip(cells, choice, strict=True) if free)


def wrongly_lit(side: int, steps: int | None) -> Fraction:
    """Share of (grid, start, cell) of free cells at which a flood of so many steps is wrong."""
    wrong = total = 0
    for free in grids(side):
        for start in free:
            wrong += len(component(free, start) ^ flood(free, start, steps))
            total += len(free)
    return Fraction(wrong, total)


def told_apart(lengths: Iterable[int], *, enough: bool) -> Fraction:
    """Share of corridors at whose near end a flood from the far one sees a gap next to that.

    Args:
        enough: As many steps as it takes, one less than cells; or half as many as cells.
    """
    seen = []
    for length in lengths:
        whole = frozenset((0, i) for i in range(length))
        broken, end = whole - {(0, length - 2)}, (0, length - 1)
        steps = length - 1 if enough else length // 2
        seen.append(((0, 0) in flood(whole, end, steps)) != ((0, 0) in flood(broken, end, steps)))
    return Fraction(sum(seen), len(seen))


# Words of bits


def parity(word: Word) -> int:
    """Is the number of ones odd?"""
    return sum(word) % 2


def reachable(
    word: Word, size: Fraction, gamma: Fraction | None = None
) -> tuple[Fraction, Fraction]:
    """Smallest and largest state after s ← |s − b| from 0, each bit b moved by up to `size`.

    The states that can be reached are an interval at each step, and its ends are computed exactly.

    Args:
        gamma: Each step is followed by one that rounds: γ(s − ½) + ½, cut off at 0 and 1.
    """
    low = high = ZERO
    for bit in word:
        left, right = low - bit - size, high - bit + size
        low = ZERO if left <= 0 <= right else min(abs(left), abs(right))
        high = max(abs(left), abs(right))
        if gamma is not None:
            low, high = (min(ONE, max(ZERO, gamma * (s - HALF) + HALF)) for s in (low, high))
    return low, high


def clearance(word: Word, size: Fraction, gamma: Fraction | None = None) -> Fraction:
    """Distance from ½, where the label changes, to the states that can be reached."""
    low, high = reachable(word, size, gamma)
    return max(ZERO, low - HALF, HALF - high)


def unmoved(word: Word, size: Fraction, gamma: Fraction | None = None) -> bool:
    """Whether no perturbation of this size moves the state from the parity."""
    return set(reachable(word, size, gamma)) == {Fraction(parity(word))}


def words(rng: Random, least: int = 1) -> list[Word]:
    """All words of up to eight bits, and twenty random ones each of twenty and sixty."""
    short = [word for n in range(least, 9) for word in product((0, 1), repeat=n)]
    return short + [tuple(rng.choices((0, 1), k=n)) for n in (20, 60) for _ in range(20)]


# Automata


@dataclass(frozen=True)
class Automaton:
    """A machine that reads letters 0 and 1 and says 0 or 1 in each state.

    Attributes:
        outputs: What it says in each state.
        moves: For each state, the next one after either letter.
        start: The state before the first letter.
    """

    outputs: tuple[int, ...]
    moves: tuple[tuple[int, int], ...]
    start: int = 0

    def __post_init__(self) -> None:
        states = range(len(self.outputs))
        known = all(next_ in states for pair in self.moves for next_ in pair)
        if len(self.moves) != len(states) or self.start not in states or not known:
            raise ValueError(f"{self}; expected two moves for each state, to states that exist")

    def __call__(self, word: Iterable[int]) -> int:
        """What it says after a word."""
        state = self.start
        for letter in word:
            state = self.moves[state][letter]
        return self.outputs[state]


PARITY = Automaton((0, 1), ((0, 1), (1, 0)))


def first_difference(left: Automaton, right: Automaton, least: int = 0) -> int | None:
    """Length of the shortest word, `least` at the least, on which they differ; None: they agree.

    Breadth first through the pairs of states that some word leads to, so it ends.
    """
    level, length = {(left.start, right.start)}, 0
    seen: set[tuple[int, int]] = set()
    while level:
        if length >= least:
            if any(left.outputs[a] != right.outputs[b] for a, b in level):
                return length
            seen |= level
        after = {(left.moves[a][i], right.moves[b][i]) for a, b in level for i in (0, 1)}
        level, length = after - seen, length + 1
    return None


def chain(states: int) -> Automaton:
    """Says 1 from the word of states − 1 letters on."""
    moves = tuple((min(i + 1, states - 1),) * 2 for i in range(states))
    return Automaton(tuple(int(i == states - 1) for i in range(states)), moves)


def counter(length: int) -> Automaton:
    """The parity of words of up to so many letters; of longer ones it says 0.

    Its states are pairs of the letters read and their parity, and one for all longer words.
    """
    over = 2 * length + 2
    moves = [
        (2 * t + 2 + odd, 2 * t + 3 - odd) if t < length else (over, over)
        for t in range(length + 1)
        for odd in (0, 1)
    ]
    return Automaton((*(i % 2 for i in range(over)), 0), (*moves, (over, over)))


def random_automaton(states: int, rng: Random) -> Automaton:
    """Moves and outputs at random."""

    def one() -> int:
        return rng.randrange(states)

    return Automaton(
        tuple(rng.randrange(2) for _ in range(states)), tuple((one(), one()) for _ in range(states))
    )


# What the chapter records: the number that decides, and its control's


def evidence(cases: int) -> dict[str, tuple[Fraction, Fraction]]:
    """Every statement tried: by name, the number that decides and that of its control.

    Args:
        cases: Random networks, and random pairs of automata.
    """
    return {
        "trivial": trivial_evidence(cases),
        "near": near_evidence(),
        "symbols": symbol_evidence(),
        "restored": restored_evidence(),
        "words": automaton_evidence(cases),
    }


def trivial_evidence(cases: int) -> tuple[Fraction, Fraction]:
    """Least slack of networks, random and exact; largest of the rule that is iterated."""
    rng = Random(0)
    drawn = [(rng.randint(1, 12), rng.randint(8, 40)) for _ in range(cases)]
    found = [network_slack(random_network(width, n, rng), n) for width, n in drawn]
    found += [network_slack(exact_network(n), n) for n in range(4, 20)]
    found += [network_slack(exact_network(n // 2), n) for n in range(8, 20)]
    return Fraction(min(found)), Fraction(max(slack(iterated, n, 3) for n in range(8, 41)))


def near_evidence() -> tuple[Fraction, Fraction]:
    """Wrong answers of the flood, gaps seen too early or not at all; wrong after two steps."""
    corridors = range(4, 31)
    early = told_apart(corridors, enough=False)
    missed = 1 - told_apart(corridors, enough=True)
    return wrongly_lit(3, None) + early + missed, wrongly_lit(3, 2)


def symbol_evidence() -> tuple[Fraction, Fraction]:
    """Largest error of the bare rule's clearances, at 1/2n and at half of it.

    And the smallest clearance at 1/2n of the one that rounds, γ = 2.
    """
    bare = max(
        abs(clearance(word, share * HALF / len(word)) - (1 - share) * HALF)
        for word in words(Random(0))
        for share in (ONE, HALF)
    )
    long = words(Random(0), least=4)
    return bare, min(clearance(word, HALF / len(word), GAMMAS[0]) for word in long)


def restored_evidence() -> tuple[Fraction, Fraction]:
    """Share of words and γ at which nothing moves, at ½ − 1/2γ; the same without rounding."""

    def kept(rounding: bool) -> Fraction:
        found: Sequence[bool] = [
            unmoved(word, HALF - HALF / gamma, gamma if rounding else None)
            for gamma in GAMMAS
            for word in words(Random(0))
        ]
        return Fraction(sum(found), len(found))

    return kept(True), kept(False)


def automaton_evidence(cases: int) -> tuple[Fraction, Fraction]:
    """Latest first difference beyond p + q − 2; earliest of counters beyond what two states ask."""
    rng, beyond = Random(0), []
    pairs = [(chain(1 + n % 6), Automaton((0,), ((0, 0),))) for n in range(1, 6)]
    for _ in range(cases):
        p, q = rng.randint(1, 6), rng.randint(1, 6)
        pairs.append((random_automaton(p, rng), random_automaton(q, rng)))
    for left, right in pairs:
        found = first_difference(left, right)
        if found is not None:
            beyond.append(found - (len(left.outputs) + len(right.outputs) - 2))
    late = [(first_difference(PARITY, counter(n)) or 0) - 2 for n in range(3, 41)]
    return Fraction(max(beyond)), Fraction(min(late))
