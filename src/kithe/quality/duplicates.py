"""Near-duplicate dialogues by MinHash and locality-sensitive hashing."""

from collections.abc import Iterator, Sequence

from kithe.quality.extras import need
from kithe.quality.figures import Figure, share
from kithe.quality.texts import ngrams

SHINGLE = 5
PERMUTATIONS = 128
JACCARD = 0.8
# LSH asks for candidates somewhat below the bar, so that none above it is missed; each is then compared exactly.
SLACK = 0.15

Shingles = frozenset[tuple[str, ...]]


def shingles(words: Sequence[str]) -> Shingles:
    """The distinct runs of five words; a shorter text is one shingle."""
    return frozenset(ngrams(words, SHINGLE)) or frozenset([tuple(words)])


def jaccard(first: Shingles, second: Shingles) -> float:
    """Shared shingles / all shingles."""
    return len(first & second) / len(first | second)


def pairs(texts: Sequence[Sequence[str]], threshold: float = JACCARD) -> list[tuple[int, int]]:
    """Every pair of texts, first index lower, whose shingles have at least that Jaccard similarity; wordless texts are left out.

    Raises:
        ConfigError: the extra `quality` is not installed.
    """
    library = need("datasketch", "the search for near-duplicates")
    held = [(index, shingles(words)) for index, words in enumerate(texts) if words]
    index = library.MinHashLSH(threshold=max(0.1, threshold - SLACK), num_perm=PERMUTATIONS)
    base = library.MinHash(num_perm=PERMUTATIONS, seed=1)
    found = []
    by_place = dict(held)
    for place, own in held:
        sketch = base.copy()
        sketch.update_batch([" ".join(shingle).encode() for shingle in own])
        found += [(other, place) for other in index.query(sketch) if jaccard(by_place[other], own) >= threshold]
        index.insert(place, sketch)
    return sorted(found)


def near_duplicates(texts: Sequence[Sequence[str]], threshold: float = JACCARD) -> Figure:
    """The share of texts that have a near-duplicate among the others; n texts with words."""
    return share(len({index for pair in pairs(texts, threshold) for index in pair}), sum(map(bool, texts)))


def across(
    texts: Sequence[Sequence[str]], others: Sequence[Sequence[str]], threshold: float = JACCARD
) -> Iterator[tuple[int, int]]:
    """Pairs (text, other) of near-duplicates between two sets."""
    for first, second in pairs([*texts, *others], threshold):
        if first < len(texts) <= second:
            yield first, second - len(texts)


def exact_duplicates(texts: Sequence[Sequence[str]]) -> Figure:
    """The share of texts that stand word by word elsewhere in the set, first ones not counted; n texts."""
    return share(len(texts) - len({tuple(words) for words in texts}), len(texts))
