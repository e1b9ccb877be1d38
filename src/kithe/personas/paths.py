"""Which interests a persona starts from: leaves of the taxonomy, drawn half at random and half by depth.

The sampler blends a uniform law with a stratified one, "to balance topical diversity with semantic specificity"
(paper A §2); the formulas are those of docs/taxonomy.md.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kithe.errors import ConfigError
from kithe.personas.taxonomy import Taxonomy, plain, taxonomy

Sampler = Literal["uniform", "stratified", "walk"]
Depths = Literal["uniform_depth", "sqrt", "specific"]
LawName = Literal["hybrid", "walk"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BLOCK: Final = 512  # personas drawn at once; part of what a seed means
UNIT: Final = 1 << 50  # a law is kept in whole shares of this, so that leaving leaves out is exact
_STREAM: Final = 2_6  # keeps these draws apart from others of the same seed


@dataclass(frozen=True)
class Sampling:
    """How anchor paths are drawn.

    Args:
        n: paths for each persona.
        beta: the share of stratified draws; the others are uniform over all leaves.
        depths: how the stratified draws weigh a depth h: all the same, by the root of the number of its leaves, or by h.
        cap: the most paths of one persona in one top category.
        categories: the fewest top categories a persona's paths touch; None is 5, or n if that is less.
        gamma: 0 draws personas independently; up to 1, what earlier personas have often drawn becomes rarer by
            (1 + times drawn) ** -gamma for a category's leaves, renewed every 512 personas.
        law: "hybrid", or "walk" as a baseline: from the root down, every child as likely as its siblings.
    """

    n: int = 8
    beta: float = 0.5
    depths: Depths = "sqrt"
    cap: int = 2
    categories: int | None = None
    gamma: float = 0.0
    law: LawName = "hybrid"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            ConfigError: a number out of its range.
        """
        allowed = {
            "n": (self.n >= 1, "at least 1"),
            "beta": (0 <= self.beta <= 1, "from 0 to 1"),
            "depths": (self.depths in get_args(Depths), f"one of {', '.join(get_args(Depths))}"),
            "law": (self.law in get_args(LawName), f"one of {', '.join(get_args(LawName))}"),
            "cap": (self.cap >= 1, "at least 1"),
            "categories": (1 <= self.fewest <= self.n, f"from 1 to n={self.n}"),
            "gamma": (0 <= self.gamma <= 1, "from 0 to 1"),
        }
        for name, (right, what) in allowed.items():
            if not right:
                raise ConfigError(f"path sampling: {name}={getattr(self, name)}; it must be {what}")

    @property
    def fewest(self) -> int:
        """The fewest top categories a persona's paths touch."""
        return min(5, self.n) if self.categories is None else self.categories


@dataclass(frozen=True)
class Pick:
    """One anchor: a leaf's id, what drew it, and how likely a single draw without caps is to draw it."""

    leaf: str
    sampler: Sampler
    prob: float


@dataclass(frozen=True)
class Draws:
    """Picks of M personas, [M, n] each: indices into `taxonomy.leaves`, whether a draw was stratified, and p(leaf)."""

    leaves: Ints
    stratified: NDArray[np.bool_]
    probs: Floats


class PathSampler:
    """Draws the paths of persona 0, 1, 2, ...; what a persona gets depends on the options, the seed and its number only.

    Any process can draw any range of personas. With gamma > 0 it first draws, once, all that come before. Threads need a
    sampler each.
    """

    def __init__(self, sampling: Sampling, seed: int, tree: Taxonomy | None = None) -> None:
        """Prepare to draw from `tree`, by default the taxonomy that comes with kithe.

        Raises:
            ConfigError: the tree has too few leaves or categories for the options, or the seed is negative.
        """
        self.sampling, self.seed, self.tree = sampling, seed, tree or taxonomy()
        self._leaves = _Leaves.of(self.tree)
        room = np.minimum(np.bincount(self._leaves.category), sampling.cap).sum()
        if seed < 0 or sampling.n > room or sampling.fewest > self._leaves.spread:
            has = f"{self._leaves.spread} categories with room for {room} paths at cap={sampling.cap}"
            asked = f"n={sampling.n} in {sampling.fewest} categories"
            raise ConfigError(f"path sampling: {asked}, seed={seed}; the taxonomy has {has}, and a seed is not negative")
        self._counts = [np.zeros(self._leaves.spread, dtype=np.int64)]
        self._last: tuple[int, Draws] | None = None

    @cached_property
    def base(self) -> "_Law":
        """The law of a single draw before any balancing."""
        return _Law.of(self._leaves, *self._parts, self.sampling.beta)

    @cached_property
    def _parts(self) -> tuple[Floats, Floats]:
        return laws(self.tree, self.sampling)

    def draw(self, start: int, stop: int) -> Draws:
        """The picks of personas `start` to `stop` - 1, in order."""
        if not 0 <= start < stop:
            raise ConfigError(f"path sampling: personas {start} to {stop}; it must be 0 <= start < stop")
        blocks = [self._block(number) for number in range(start // BLOCK, (stop - 1) // BLOCK + 1)]
        part = slice(start % BLOCK, start % BLOCK + stop - start)
        columns = ("leaves", "stratified", "probs")
        return Draws(*(np.concatenate([getattr(block, name) for block in blocks])[part] for name in columns))

    def picks(self, persona: int) -> tuple[Pick, ...]:
        """The picks of one persona; asking for neighbours one after the other costs no more than asking for all."""
        own = self.draw(persona, persona + 1)
        names: tuple[Sampler, Sampler] = ("walk", "walk") if self.sampling.law == "walk" else ("uniform", "stratified")
        columns = zip(own.leaves[0], own.stratified[0], own.probs[0], strict=True)
        return tuple(Pick(self.tree.leaves[leaf].id, names[int(way)], float(prob)) for leaf, way, prob in columns)

    def paths(self, persona: int) -> tuple[tuple[str, ...], ...]:
        """The names from the root to each leaf that one persona starts from."""
        return tuple(self.tree.path(pick.leaf) for pick in self.picks(persona))

    def _block(self, number: int) -> Draws:
        """The draws of one block of personas; the last one is kept."""
        last = self._last
        if last is None or last[0] != number:
            last = self._last = (number, self._drawn(number, self._law(number)))
        return last[1]

    def _law(self, number: int) -> "_Law":
        """The law of a block: with balancing it depends on what all earlier blocks drew."""
        if self.sampling.gamma == 0:
            return self.base
        while len(self._counts) <= number:
            earlier = self._block(len(self._counts) - 1)
            drawn = np.bincount(self._leaves.category[earlier.leaves.ravel()], minlength=self._leaves.spread)
            self._counts.append(self._counts[-1] + drawn)
        return self._balanced(self._counts[number])

    def _balanced(self, counts: Ints) -> "_Law":
        factor = ((1.0 + counts) ** -self.sampling.gamma)[self._leaves.category]
        uniform, stratified = (law * factor for law in self._parts)
        return _Law.of(self._leaves, uniform, stratified, self.sampling.beta)

    def _drawn(self, number: int, law: "_Law") -> Draws:
        """The steps of docs/taxonomy.md for a block at once: draw until every persona has n, then widen the narrow ones."""
        ask = self.sampling
        attempts = ask.n + (ask.n - 1) // ask.cap  # a draw that fails closes one of the categories that are full
        rng = np.random.default_rng((self.seed, _STREAM, number))
        chance = rng.random((BLOCK, attempts + ask.fewest, 2))
        hands = _Hands(self._leaves, law, ask.n)
        for attempt in range(attempts):
            rows = np.flatnonzero(hands.held < ask.n)
            way = (chance[rows, attempt, 0] < law.beta).astype(np.int64)
            leaves = hands.choose(rows, way, chance[rows, attempt, 1], hands.closed[rows])
            category = self._leaves.category[leaves]
            full = hands.touched[rows, category] >= ask.cap
            hands.closed[rows[full], category[full]] = True
            hands.take(rows[~full], leaves[~full], way[~full], hands.held[rows[~full]])
            hands.held[rows[~full]] += 1
        for attempt in range(attempts, attempts + ask.fewest):
            rows = np.flatnonzero((hands.touched > 0).sum(axis=1) < ask.fewest)
            if not len(rows):
                break
            way = np.ones(len(rows), dtype=np.int64)
            leaves = hands.choose(rows, way, chance[rows, attempt, 1], hands.touched[rows] > 0)
            hands.take(rows, leaves, way, hands.crowded(rows))
        return Draws(hands.picks, hands.ways.astype(np.bool_), law.probs[hands.picks])


def laws(tree: Taxonomy, sampling: Sampling) -> tuple[Floats, Floats]:
    """p_U and p_S over `tree.leaves`: each [leaves], summing to one; both are the walk's law if that is asked for.

    p_U(l) = 1 / |L|;  p_S(l) = w(depth) / (categories with a leaf at that depth) / (leaves at that depth in l's category).
    """
    if sampling.law == "walk":
        walk = np.array([1 / np.prod([len(up.children) for up in tree.line(leaf.id)[:-1]]) for leaf in tree.leaves])
        return walk, walk
    depth = np.array([leaf.depth for leaf in tree.leaves])
    places = {node.id: place for place, node in enumerate(tree.categories)}
    category = np.array([places[tree.above(leaf.id, 1).id] for leaf in tree.leaves])
    cells = np.zeros((depth.max() + 1, len(places)), dtype=np.int64)
    np.add.at(cells, (depth, category), 1)
    weights = depth_weights(cells.sum(axis=1), sampling.depths)
    stratified = weights[depth] / (cells > 0).sum(axis=1)[depth] / cells[depth, category]
    return np.full(len(depth), 1 / len(depth)), stratified


def depth_weights(leaves: Ints, preset: Depths) -> Floats:
    """w by depth, summing to one over the depths that have leaves; `leaves` holds how many each depth has."""
    has = leaves > 0
    shapes: dict[Depths, Floats] = {
        "uniform_depth": has.astype(np.float64),
        "sqrt": np.sqrt(leaves),
        "specific": np.arange(len(leaves), dtype=np.float64) * has,
    }
    return np.asarray(shapes[preset] / shapes[preset].sum(), dtype=np.float64)


@dataclass(frozen=True)
class _Leaves:
    """The leaves as arrays: category of each, first leaf of each category, and all leaves of the same name ([leaves, most])."""

    category: Ints
    first: Ints
    named: Ints

    @classmethod
    def of(cls, tree: Taxonomy) -> "_Leaves":
        tops = [tree.above(leaf.id, 1).id for leaf in tree.leaves]
        places = {top: place for place, top in enumerate(dict.fromkeys(tops))}
        category = np.array([places[top] for top in tops])
        groups: dict[str, list[int]] = {}
        for place, leaf in enumerate(tree.leaves):
            groups.setdefault(plain(leaf.name), []).append(place)
        named = np.full((len(tops), max(map(len, groups.values()))), len(tops))
        for group in groups.values():
            for place in group:
                named[place, : len(group)] = group
        return cls(category, np.searchsorted(category, np.arange(len(places) + 1)), named)

    @property
    def spread(self) -> int:
        """How many categories have leaves."""
        return len(self.first) - 1


@dataclass(frozen=True)
class _Law:
    """A hybrid law in whole shares: where each leaf begins ([2, leaves + 2], the last one empty), and what each category has."""

    edges: Ints
    shares: Ints
    beta: float
    probs: Floats

    @classmethod
    def of(cls, leaves: _Leaves, uniform: Floats, stratified: Floats, beta: float) -> "_Law":
        """The law p ~ (1 - beta) uniform + beta stratified, of two parts that need not sum to one."""
        mixed = (1 - beta) * uniform + beta * stratified
        blend = beta * stratified.sum() / mixed.sum()
        edges = np.zeros((2, len(uniform) + 2), dtype=np.int64)
        for row, part in enumerate((uniform, stratified)):
            edges[row, 1:-1] = np.cumsum(np.maximum(1, np.rint(part / part.sum() * UNIT)).astype(np.int64))
            edges[row, -1] = edges[row, -2]
        return cls(edges, np.diff(edges[:, leaves.first], axis=1), float(blend), mixed / mixed.sum())


class _Hands:
    """What the personas of one block hold so far, and what is left for each of them to draw."""

    def __init__(self, leaves: _Leaves, law: _Law, n: int) -> None:
        self._leaves, self._law = leaves, law
        self.picks = np.full((BLOCK, n), -1, dtype=np.int64)
        self.ways = np.zeros((BLOCK, n), dtype=np.int64)
        self.held = np.zeros(BLOCK, dtype=np.int64)
        self.touched = np.zeros((BLOCK, leaves.spread), dtype=np.int64)
        self.closed = np.zeros((BLOCK, leaves.spread), dtype=np.bool_)
        self._left = np.tile(law.shares, (BLOCK, 1, 1))
        self._gone = np.empty((BLOCK, 0), dtype=np.int64)

    def choose(self, rows: Ints, way: Ints, chance: Floats, without: NDArray[np.bool_]) -> Ints:
        """A leaf for each row, by the law `way` without the categories `without` and all that is gone; chance is in [0, 1).

        A point in what is left names the category; within it, the shares of gone leaves are stepped over in order.
        """
        until = np.cumsum(np.where(without, 0, self._left[rows, way]), axis=1)
        total = until[:, -1]
        if (total <= 0).any():
            raise ConfigError("path sampling: no leaf is left to draw; lower n or the fewest categories, or raise the cap")
        point = np.minimum((chance * total).astype(np.int64), total - 1)
        category = (until <= point[:, None]).sum(axis=1)
        before = np.where(category > 0, until[np.arange(len(rows)), category - 1], 0)
        start = self._leaves.first[category]
        place = self._law.edges[way, start] + point - before
        end = self._leaves.first[category + 1]
        for leaf in np.sort(self._gone[rows], axis=1).T:
            low, high = self._law.edges[way, leaf], self._law.edges[way, leaf + 1]
            place += np.where((start <= leaf) & (leaf < end) & (low <= place), high - low, 0)
        found = [np.searchsorted(edges, place, side="right") - 1 for edges in self._law.edges[:, :-1]]
        return np.asarray(np.where(way == 1, found[1], found[0]), dtype=np.int64)

    def take(self, rows: Ints, leaves: Ints, way: Ints, seat: Ints) -> None:
        """Put a leaf on each row's seat; no leaf of its name can be drawn there again."""
        old = self.picks[rows, seat]
        there = old >= 0
        self.touched[rows[there], self._leaves.category[old[there]]] -= 1
        self.touched[rows, self._leaves.category[leaves]] += 1
        self.picks[rows, seat], self.ways[rows, seat] = leaves, way
        named = self._leaves.named[leaves]
        gone = np.full((BLOCK, named.shape[1]), len(self._leaves.category), dtype=np.int64)
        gone[rows] = named
        self._gone = np.concatenate([self._gone, gone], axis=1)
        for twin in named.T:
            real = twin < len(self._leaves.category)
            which, leaf = rows[real], twin[real]
            self._left[which, :, self._leaves.category[leaf]] -= (self._law.edges[:, leaf + 1] - self._law.edges[:, leaf]).T

    def crowded(self, rows: Ints) -> Ints:
        """The seat to give up in each row: the last one taken in the category with the most."""
        crowd = np.take_along_axis(self.touched[rows], self._leaves.category[self.picks[rows]], axis=1)
        return np.asarray(crowd.shape[1] - 1 - np.argmax(crowd[:, ::-1], axis=1), dtype=np.int64)


@lru_cache(maxsize=4)
def sampler(paths: Sampling, seed: int) -> PathSampler:
    """The path sampler of a seed."""
    return PathSampler(paths, seed)
