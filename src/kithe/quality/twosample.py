"""Can a classifier tell synthetic from real text? A two-sample test with cross-validated AUC: 0.5 is 'no'."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithe.quality.figures import Auc, Figure, Floats, auc_figure
from kithe.quality.texts import Passage

FOLDS = 5
PERMUTATIONS = 200


@dataclass(frozen=True)
class Told:
    """An AUC with its interval over histories, and the p value of 'a classifier cannot tell' by exchanging whole histories."""

    figure: Figure
    p: float


def on_vectors(
    synthetic: NDArray[np.float32], real: NDArray[np.float32], groups: Sequence[str], seed: int = 0
) -> Told:  # fmt: skip
    """Logistic regression on embeddings; `groups` are the histories of the synthetic rows, then of the real ones."""
    labels = np.arange(len(synthetic) + len(real)) < len(synthetic)
    return told(out_of_fold(np.concatenate([synthetic, real]), labels, groups, seed), labels, groups, seed)


def on_words(synthetic: Sequence[Passage], real: Sequence[Passage], seed: int = 0) -> Told:
    """Logistic regression on which words and word pairs occur."""
    both = [*synthetic, *real]
    labels, groups = np.arange(len(both)) < len(synthetic), [passage.history for passage in both]
    return told(out_of_fold(bag_of_words([passage.text for passage in both]), labels, groups, seed), labels, groups, seed)


def bag_of_words(texts: Sequence[str], pairs: bool = True) -> object:
    """A matrix [texts, words] of 0 and 1 of the words in at least two texts; one empty column where there is none."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(ngram_range=(1, 2 if pairs else 1), min_df=2, binary=True, token_pattern=r"(?u)\b\w+\b")
    try:
        return counter.fit_transform(texts)
    except ValueError:  # the library's word for an empty vocabulary
        return np.zeros((len(texts), 1))


def out_of_fold(features: object, labels: NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> Floats:
    """Each row's score by a classifier that never saw its history; all rows of a history are in one fold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    least = min(len({group for group, own in zip(groups, labels, strict=True) if own == side}) for side in (True, False))
    if least < 2:
        return np.zeros(len(labels))
    folds = StratifiedGroupKFold(min(FOLDS, least), shuffle=True, random_state=seed)
    model = LogisticRegression(max_iter=300, class_weight="balanced", solver="liblinear")
    scores: Floats = cross_val_predict(model, features, labels, groups=list(groups), cv=folds, method="decision_function")
    return scores


def told(scores: Floats, labels: NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> Told:
    """The AUC of held-out scores; its p value counts the observed labelling, so it is never 0."""
    figure = auc_figure(scores, labels, groups, seed)
    names, place = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    side = np.zeros(len(names), dtype=bool)
    side[place] = labels
    random = np.random.default_rng((seed, 1))
    measured = Auc(scores)
    null = [measured(random.permutation(side)[place]) for _ in range(PERMUTATIONS)]
    above = sum(value >= figure.value for value in null)
    return Told(figure, (above + 1) / (PERMUTATIONS + 1))
