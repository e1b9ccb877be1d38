"""Shortcuts that a learner could take instead of reading: what templates, lengths and places give away."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithe.corpora.words import stems
from kithe.corpora.words import words as plain_words
from kithe.quality.figures import Figure, auc_figure, over_draws, ratio
from kithe.quality.texts import Corpus, ngrams, tokens
from kithe.quality.twosample import FOLDS, bag_of_words, out_of_fold
from kithe.records.history import History, KnowledgeItem

LABELS = 30
LEAST = 10
TOP = 100
RUN = 5


@dataclass(frozen=True)
class Example:
    """A user turn that reveals an item: its words, the words without those of the value, and the item's label."""

    history: str
    text: str
    masked: str
    label: str


@dataclass(frozen=True)
class LabelProbe:
    """How often a bag of words names the label of a turn's item.

    Attributes:
        full: from the whole turn.
        template: from the turn without the words that the item's value is made of: what the surface alone gives away.
        majority: always the most frequent label.
        labels: how many there are.
    """

    full: Figure
    template: Figure
    majority: float
    labels: int


def examples(histories: Sequence[History]) -> list[Example]:
    """One example per item with evidence and a key or category, of the 30 most frequent labels that have enough examples."""
    found = [made for history in histories for item in history.items if (made := _example(history, item))]
    frequent = {label for label, count in Counter(each.label for each in found).most_common(LABELS) if count >= LEAST}
    return [each for each in found if each.label in frequent]


def _example(history: History, item: KnowledgeItem) -> Example | None:
    label = item.key or item.category
    if label is None or not item.evidence:
        return None
    text = history.turns[item.evidence[0].turn].text
    value = stems(item.value) if item.value else stems(item.statement)
    masked = " ".join("_" if stems(word) & value else word for word in plain_words(text))
    return Example(history.id, text, masked, label)


def label_probe(found: Sequence[Example], seed: int = 0) -> LabelProbe | None:
    """The probe with whole histories held out; None where fewer than two labels can be compared."""
    counts = Counter(each.label for each in found)
    if len(counts) < 2 or len({each.history for each in found}) < FOLDS:
        return None
    full = _right([each.text for each in found], found, seed)
    template = _right([each.masked for each in found], found, seed)
    return LabelProbe(full, template, counts.most_common(1)[0][1] / len(found), len(counts))


def _right(texts: Sequence[str], found: Sequence[Example], seed: int) -> Figure:
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.svm import LinearSVC

    groups = [each.history for each in found]
    model = LinearSVC(C=0.3)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    labels = np.array([each.label for each in found], dtype=object)
    said = cross_val_predict(model, bag_of_words(texts, pairs=False), labels, groups=groups, cv=folds)
    sums: dict[str, list[int]] = {}
    for group, right in zip(groups, said == labels, strict=True):
        own = sums.setdefault(group, [0, 0])
        own[0] += int(right)
        own[1] += 1
    return ratio(list(sums), [own[0] for own in sums.values()], [own[1] for own in sums.values()])


def revealing(history: History) -> list[tuple[int, bool]]:
    """The user's turns by index, and whether each is evidence of an item."""
    evident = {evidence.turn for item in history.items for evidence in item.evidence}
    return [(index, index in evident) for index, turn in enumerate(history.turns) if turn.speaker == history.user]


def shape(history: History, index: int) -> list[float]:
    """What a turn is like without its words: length, place, session, question mark, who spoke before, length of that."""
    turn, before = history.turns[index], history.turns[index - 1] if index else None
    return [
        np.log1p(len(turn.text.split())),
        index / len(history.turns),
        float(index < 2),
        float(index >= len(history.turns) - 2),
        float(turn.session),
        float(turn.text.rstrip().endswith("?")),
        float(before is not None and before.speaker != history.user),
        np.log1p(len(before.text.split())) if before else 0.0,
    ]


def shape_probe(histories: Sequence[History], seed: int = 0) -> Figure | None:
    """The AUC of telling revealing turns from others by their shape alone; None where the corpus marks no evidence."""
    rows = [(history, index, evident) for history in histories for index, evident in revealing(history)]
    labels = np.array([evident for _, _, evident in rows], dtype=bool)
    if not labels.any() or labels.all() or len({history.id for history, _, _ in rows}) < FOLDS:
        return None
    features = np.array([shape(history, index) for history, index, _ in rows])
    groups = [history.id for history, _, _ in rows]
    scores = out_of_fold((features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9), labels, groups, seed)
    return auc_figure(scores, labels, groups, seed)


def first_speaker(histories: Sequence[History]) -> Figure:
    """How far the speaker who begins tells who the user is: share of histories in which the user begins, folded to [0.5, 1]."""
    begins = [float(history.turns[0].speaker == history.user) for history in histories if history.turns]
    found = ratio([str(row) for row in range(len(begins))], begins, [1.0] * len(begins))
    if found.value >= 0.5 or found.low is None or found.high is None:
        return found
    return Figure(1 - found.value, 1 - found.high, 1 - found.low, found.n)


def concentration(words: Sequence[Sequence[str]], run: int = RUN, top: int = TOP) -> float:
    """The share of all runs of five words that belong to the hundred most frequent ones; texts are never joined."""
    grams = Counter(gram for text in words for gram in ngrams(text, run))
    return sum(count for _, count in grams.most_common(top)) / grams.total() if grams else 0.0


def concentration_at(corpus: Corpus, turns: int, seed: int = 0) -> Figure:
    """`concentration` of `turns` user turns drawn at random, so that corpora of any size compare."""
    said = [tokens(passage.text) for passage in corpus.utterances]
    size = min(turns, len(said))

    def once(rng: np.random.Generator) -> float:
        chosen: NDArray[np.int64] = rng.choice(len(said), size, replace=False)
        return concentration([said[index] for index in chosen])

    return over_draws(once, size, seed, 8) if size else Figure(0.0)
