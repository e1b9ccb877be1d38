"""How much of a text repeats itself. All of these depend on length: compare at equal token budgets."""

import gzip
from collections import Counter
from collections.abc import Callable, Sequence
from math import exp, log

from kithe.quality.figures import Figure, mean, over_draws
from kithe.quality.table3 import draw
from kithe.quality.texts import Corpus, ngrams

TTR = 0.72
ORDER = 4


def distinct(words: Sequence[str], n: int) -> float:
    """Distinct n-grams / n-grams (Li et al. 2016); 0 without any."""
    grams = list(ngrams(words, n))
    return len(set(grams)) / len(grams) if grams else 0.0


def ngram_diversity(words: Sequence[str]) -> float:
    """The sum of distinct-1 to distinct-4 (Shaib et al. 2024)."""
    return sum(distinct(words, n) for n in range(1, ORDER + 1))


def compression_ratio(words: Sequence[str]) -> float:
    """Bytes / gzipped bytes of the text (Shaib et al. 2024): higher is more redundant."""
    raw = " ".join(words).encode()
    return len(raw) / len(gzip.compress(raw, mtime=0)) if raw else 0.0


def mtld(words: Sequence[str], threshold: float = TTR) -> float:
    """The mean length of runs of words that keep a type-token ratio above `threshold`, forwards and backwards averaged.

    McCarthy and Jarvis 2010. A text that never falls that far has no complete run and gets its length.
    """
    return (_runs(words, threshold) + _runs(list(reversed(words)), threshold)) / 2 if words else 0.0


def _runs(words: Sequence[str], threshold: float) -> float:
    factors, seen, length = 0.0, set[str](), 0
    for word in words:
        seen.add(word)
        length += 1
        if len(seen) / length < threshold:
            factors, seen, length = factors + 1, set(), 0
    if length:
        factors += (1 - len(seen) / length) / (1 - threshold)
    return len(words) / factors if factors else float(len(words))


def at_budget(corpus: Corpus, statistic: Callable[[Sequence[str]], float], budget: int, seed: int = 0) -> Figure:
    """A statistic of `budget` words of whole histories in random order; n is the budget."""
    return over_draws(lambda rng: statistic(draw(corpus.tokens, budget, rng)), budget, seed)


def self_bleu(texts: Sequence[Sequence[str]], seed: int = 0) -> Figure:
    """Mean BLEU-4 of each text against all others (Zhu et al. 2018): higher is more alike.

    Clipped precisions, above unigrams with one added to both counts (Lin and Och 2004); brevity against the nearest length.
    """
    if len(texts) < 2:
        return Figure(0.0)
    counted = [[Counter(ngrams(text, n)) for text in texts] for n in range(1, ORDER + 1)]
    best = [_two_best(column) for column in counted]
    lengths = Counter(len(text) for text in texts)
    return mean([_bleu(index, text, counted, best, lengths) for index, text in enumerate(texts)], seed)


# Per n-gram: its highest count in any one text, which text that is, and its highest count in any other.
_Best = dict[tuple[str, ...], tuple[int, int, int]]


def _two_best(column: Sequence[Counter[tuple[str, ...]]]) -> _Best:
    best: _Best = {}
    for index, grams in enumerate(column):
        for gram, count in grams.items():
            first, holder, second = best.get(gram, (0, -1, 0))
            best[gram] = (count, index, first) if count > first else (first, holder, max(second, count))
    return best


def _bleu(
    index: int,
    text: Sequence[str],
    counted: Sequence[Sequence[Counter[tuple[str, ...]]]],
    best: Sequence[_Best],
    lengths: Counter[int],
) -> float:
    total = 0.0
    for order, (column, tops) in enumerate(zip(counted, best, strict=True)):
        own = column[index]
        hits = sum(min(count, _others(tops[gram], index)) for gram, count in own.items())
        added = int(order > 0)
        if not hits + added:
            return 0.0
        total += log((hits + added) / (own.total() + added)) if own.total() + added else 0.0
    return exp(total / ORDER) * _brevity(len(text), lengths)


def _others(entry: tuple[int, int, int], index: int) -> int:
    first, holder, second = entry
    return second if holder == index else first


def _brevity(length: int, lengths: Counter[int]) -> float:
    others = [other for other, count in lengths.items() if count > (other == length)]
    near = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= near else exp(1 - near / length) if length else 0.0
