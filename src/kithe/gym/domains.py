"""Do conversations lie together by what they are about? Neighbours in the space of sentence embeddings (spec B, 3.8).

Seed queries of a domain are near each other. Whether that is still so of what users say shows how far the domain rules a corpus:
the share of the nearest texts that are of the same domain is counted for both, over the same conversations, one for each seed
query, so that no text has another version of itself for a neighbour.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kithe.errors import ConfigError
from kithe.gym.records import Trajectory
from kithe.gym.user import CURIOSITY
from kithe.quality.embedding import Vectors, neighbourhoods
from kithe.quality.figures import Figure, Floats, ratio

NEIGHBOURS: Final = 10
PERMUTATIONS: Final = 500
SEEDS, OPENINGS, FOLLOW_UPS, WHOLE = "seed queries", "opening messages", "follow-ups", "all a user says"
FIRST = "first follow-ups that serve a wish"
DOMAIN, WISH = "domain", "wish served"


class Encoder(Protocol):
    """From texts to unit vectors (`kithe.llm.embed.Embedder`)."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """[len(texts), d]."""
        ...


@dataclass(frozen=True)
class Interleaving:
    """How far texts of one label lie apart from the others.

    Attributes:
        purity: the share of a text's nearest texts by other users that have its label; interval by resampling users.
        chance: the same where labels are exchanged between texts at random.
        apart: 0 where purity is chance (interleaved), 1 where all neighbours have the same label.
        p: how likely a purity as high is by chance; counts the observed labelling, so it is never 0.
        neighbours: how many are looked at.
    """

    purity: Figure
    chance: float
    apart: float
    p: float
    neighbours: int


@dataclass(frozen=True)
class Domains:
    """The figures of a corpus and what its map shows.

    Attributes:
        rows: (which texts, which label) -> how far apart.
        closer: purity by domain of seed queries minus that of all a user says, over the same conversations; None: too few.
        places: which texts -> (x, y, domain) of each, on a plane that keeps neighbours together.
        short: (which texts, which label) -> how many there are, where that is too few for neighbours.
    """

    rows: Mapping[tuple[str, str], Interleaving]
    closer: Figure | None
    places: Mapping[str, Sequence[tuple[float, float, str]]]
    short: Mapping[tuple[str, str], int]


def one_each(talks: Iterable[Trajectory]) -> list[Trajectory]:
    """The first conversation of each seed query that has a follow-up."""
    found: dict[str, Trajectory] = {}
    for talk in talks:
        if len(talk.said) > 1:
            found.setdefault(talk.query_id, talk)
    return list(found.values())


def texts_of(talks: Sequence[Trajectory]) -> dict[str, list[str]]:
    """The texts that are looked at, a text a conversation: as sent, noise included."""
    said = [[message.content for message in talk.said] for talk in talks]
    return {
        SEEDS: [talk.original_query for talk in talks],
        OPENINGS: [own[0] for own in said],
        FOLLOW_UPS: ["\n".join(own[1:]) for own in said],
        WHOLE: ["\n".join(own) for own in said],
    }


def others(groups: Sequence[str]) -> int:
    """How many texts of other groups there are at least beside each text."""
    return len(groups) - max(Counter(groups).values(), default=0)


def near(vectors: Vectors, groups: Sequence[str], neighbours: int = NEIGHBOURS) -> NDArray[np.int64]:
    """The nearest texts of each text by cosine, those of its own group left out: [n, neighbours].

    Raises:
        ConfigError: there are not enough texts of other groups.
    """
    names = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)[1]
    if (rest := others(groups)) < neighbours:
        raise ConfigError(f"neighbours: {neighbours} texts of other users are needed beside each, there are {rest}")
    alike = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    alike[names[:, None] == names[None, :]] = -np.inf
    found: NDArray[np.int64] = np.argsort(-alike, axis=1, kind="stable")[:, :neighbours]
    return found


def interleaving(
    vectors: Vectors, labels: Sequence[str], groups: Sequence[str], neighbours: int = NEIGHBOURS, seed: int = 0
) -> Interleaving:
    """How far texts [n, d] of unit length lie apart by their label.

    Raises:
        ConfigError: see `near`.
    """
    index, codes = (
        near(vectors, groups, neighbours),
        np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)[1],
    )
    same = _same(index, codes)
    rng = np.random.default_rng(seed)
    drawn = np.array([_same(index, rng.permutation(codes)).mean() for _ in range(PERMUTATIONS)])
    purity, chance = by_user(same, groups), float(drawn.mean())
    p = (int((drawn >= same.mean()).sum()) + 1) / (PERMUTATIONS + 1)
    return Interleaving(purity, chance, (purity.value - chance) / (1 - chance) if chance < 1 else 0.0, p, neighbours)


def _same(index: NDArray[np.int64], codes: NDArray[np.int64]) -> Floats:
    found: Floats = (codes[index] == codes[:, None]).mean(axis=1)
    return found


def by_user(values: Floats, users: Sequence[str]) -> Figure:
    """The mean of values, one a text, with an interval by resampling users."""
    names, place = np.unique(np.asarray(users, dtype=object).astype(str), return_inverse=True)
    return ratio([str(name) for name in names], list(np.bincount(place, values)), list(np.bincount(place).astype(np.float64)))


def domains(talks: Iterable[Trajectory], encoder: Encoder, seed: int = 0) -> Domains:
    """The figures and the map of a corpus, over one conversation of each seed query; what it is too small for is in `short`."""
    chosen = one_each(talks)
    users, about = [talk.persona_id for talk in chosen], [talk.persona["domain"] for talk in chosen]
    wishes = [talk.said[1].serves[0] for talk in chosen]
    kept = [n for n, wish in enumerate(wishes) if wish != CURIOSITY]
    whose = [users[n] for n in kept]
    short = {(FIRST, label): len(kept) for label in (DOMAIN, WISH)}
    if others(users) < NEIGHBOURS:
        few = {(name, DOMAIN): len(chosen) for name in (SEEDS, OPENINGS, FOLLOW_UPS, WHOLE)}
        return Domains({}, None, {}, few | short)
    vectors = {name: encoder.encode(texts) for name, texts in texts_of(chosen).items()}
    rows = {(name, DOMAIN): interleaving(own, about, users, seed=seed) for name, own in vectors.items()}
    if len(kept) > 2 * NEIGHBOURS and others(whose) >= NEIGHBOURS:
        first = encoder.encode([chosen[n].said[1].content for n in kept])
        for label, values in ((DOMAIN, about), (WISH, wishes)):
            rows[FIRST, label] = interleaving(first, [values[n] for n in kept], whose, seed=seed)
    codes = np.unique(np.asarray(about, dtype=object).astype(str), return_inverse=True)[1]
    apart = _same(near(vectors[SEEDS], users), codes) - _same(near(vectors[WHOLE], users), codes)
    closer = by_user(apart, users)
    planes = {name: neighbourhoods(vectors[name], seed) for name in (SEEDS, WHOLE, FOLLOW_UPS)}
    places = {
        name: [(float(x), float(y), domain) for (x, y), domain in zip(plane, about, strict=True)]
        for name, plane in planes.items()
    }
    return Domains(rows, closer, places, {name: n for name, n in short.items() if name not in rows})
