"""Table 3 of paper A: what a corpus has per dialogue, and how many words it knows.

A dialogue is one session of a history, so that sets of one and of several sessions compare.
"""

from collections.abc import Sequence

import numpy as np

from kithe.quality.figures import Figure, over_draws, ratio
from kithe.quality.texts import Corpus
from kithe.records.history import History


def dialogues(history: History) -> int:
    """How many sessions a history has."""
    return len({turn.session for turn in history.turns})


def turns_per_dialogue(corpus: Corpus) -> Figure:
    """Turns of all speakers per dialogue; interval over histories; n dialogues."""
    return _per_dialogue(corpus.distinct, [len(history.turns) for history in corpus.distinct])


def items_per_dialogue(corpus: Corpus) -> Figure:
    """Knowledge items of a user per dialogue; interval over histories; n dialogues."""
    return _per_dialogue(corpus.histories, [len(history.items) for history in corpus.histories])


def words_per_turn(corpus: Corpus) -> Figure:
    """Words per turn; interval over histories; n turns."""
    ids = [history.id for history in corpus.distinct]
    return ratio(ids, [len(words) for words in corpus.tokens], [len(history.turns) for history in corpus.distinct])


def vocabulary(corpus: Corpus) -> Figure:
    """Distinct lower-case words of the whole corpus; n words. It grows with the corpus: see `vocabulary_at`."""
    return Figure(float(len({word for words in corpus.tokens for word in words})), n=sum(map(len, corpus.tokens)))


def vocabulary_at(corpus: Corpus, budget: int, seed: int = 0) -> Figure:
    """Distinct words among `budget` words of whole histories in random order; n is the budget."""
    return over_draws(lambda rng: float(len(set(draw(corpus.tokens, budget, rng)))), budget, seed)


def draw(texts: Sequence[Sequence[str]], budget: int, rng: np.random.Generator) -> list[str]:
    """Exactly `budget` words (fewer only if there are no more) of texts in random order; the last text may be cut."""
    taken: list[str] = []
    for index in rng.permutation(len(texts)):
        taken.extend(texts[index])
        if len(taken) >= budget:
            break
    return taken[:budget]


def _per_dialogue(histories: Sequence[History], counts: Sequence[int]) -> Figure:
    ids = [history.id for history in histories]
    return ratio(ids, [float(count) for count in counts], [dialogues(history) for history in histories])
