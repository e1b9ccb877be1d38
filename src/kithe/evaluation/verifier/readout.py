"""The last step of a verdict: what the network says, weighed with how alike the texts are and with the guards' objections.

A logistic regression with a few weights, which stand in the card of a verifier as plain numbers. It is fitted on pairs that the
network has not learnt from, so that it knows how far the network is to be trusted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.guards import GUARDS
from kithe.evaluation.matching import Encoder
from kithe.evaluation.quantities import agree
from kithe.evaluation.statements import plain, read
from kithe.evaluation.verifier.clauses import borne, resting, sign
from kithe.evaluation.verifier.retrieval import SENTENCE
from kithe.evaluation.verifier.rules import is_request, words
from kithe.knowledge.text import stems

if TYPE_CHECKING:
    from kithe.training.pairs import Text

PENALTY: Final = 20.0  # of squared weights of standardised features
ROUNDS: Final = 30
FOLDS: Final = 10
FEATURES: Final = (
    "network",
    "cosine with words",
    "cosine with words and context",
    "cosine with context",
    "cosine with nearest sentence",
    "shared words",
    "shared words, context too",
    "length",
    *GUARDS,
    "number of its own",
    "imagined",
    "over",
    "only a request",
    "a question",
    "negated on one side",
    "statement negated",
    "somebody else",
    "too strong",
    "words missing",
    "in context only",
    "in context only, agreed",
    "in context only, refused",
    "somebody else's clause",
    "clause of another sign",
    "unreal clause",
    "no clause",
    "claims to be",
    "does what was not said",
)


@dataclass(frozen=True)
class Readout:
    """Weights of the features, in their own units.

    Attributes:
        weights: one for each of `FEATURES`.
        bias: what is added.
    """

    weights: tuple[float, ...]
    bias: float

    def __call__(self, features: NDArray[np.float64]) -> list[float]:
        """The probability that each statement is supported; features: [pairs, features]."""
        logits = features @ np.array(self.weights) + self.bias
        return [float(value) for value in 1 / (1 + np.exp(-np.clip(logits, -30, 30)))]

    def card(self) -> dict[str, Any]:
        """As it stands in the card."""
        return {"weights": dict(zip(FEATURES, self.weights, strict=True)), "bias": self.bias}

    @classmethod
    def of(cls, card: dict[str, Any]) -> "Readout":
        """From a card."""
        return cls(tuple(card["weights"][name] for name in FEATURES), card["bias"])


def fit(features: NDArray[np.float64], labels: Sequence[bool], penalty: float = PENALTY) -> Readout:
    """Logistic regression with a squared penalty on the weights of standardised features, by Newton's method."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1.0
    known = np.column_stack([(features - mean) / scale, np.ones(len(features))])
    ridge = np.diag([penalty] * features.shape[1] + [1e-6])
    found, wanted = np.zeros(known.shape[1]), np.array(labels, dtype=float)
    for _ in range(ROUNDS):
        said = 1 / (1 + np.exp(-np.clip(known @ found, -30, 30)))
        slope = known.T @ (said - wanted) + ridge @ found
        curve = (known * (said * (1 - said))[:, None]).T @ known + ridge
        found = found - np.linalg.solve(curve, slope)
    weights = found[:-1] / scale
    return Readout(tuple(float(value) for value in weights), float(found[-1] - weights @ mean))


def apart(features: NDArray[np.float64], labels: Sequence[bool], groups: Sequence[str]) -> list[float]:
    """Probabilities as `fit` would give them, each pair's by a read-out that saw no pair of its group (two at least)."""
    names = {group: place % FOLDS for place, group in enumerate(sorted(set(groups)))}
    fold, truth, found = np.array([names[group] for group in groups]), np.array(labels), np.zeros(len(labels))
    for each in np.unique(fold):
        found[fold == each] = fit(features[fold != each], truth[fold != each].tolist())(features[fold == each])
    return [float(value) for value in found]


def features(asked: "Sequence[Text]", probabilities: Sequence[float], encoder: Encoder) -> NDArray[np.float64]:
    """What is known of each pair (context, premise, statement) in the order of `FEATURES`: [pairs, features]."""
    if not asked:
        return np.zeros((0, len(FEATURES)))
    sentences = [sentences_of(premise) for _, premise, _ in asked]
    encoder.encode([*(text for pair in asked for text in pair), *(text for some in sentences for text in some)])
    columns = list(zip(*asked, strict=True))
    context, premise, statement = (encoder.encode(list(column)) for column in columns)
    both = encoder.encode([f"{before} {said}".strip() for before, said, _ in asked])
    rows = []
    for at, (pair, some) in enumerate(zip(asked, sentences, strict=True)):
        near = encoder.encode(some) @ statement[at]
        best = some[int(np.argmax(near))]
        cosines = (premise[at] @ statement[at], both[at] @ statement[at], context[at] @ statement[at], near.max())
        known = float(np.clip(probabilities[at], 1e-6, 1 - 1e-6))
        rows.append([np.log(known / (1 - known)), *cosines, *_words(pair, best), *_clause(pair)])
    return np.array(rows, dtype=np.float64)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; the text itself where there is none."""
    return [match[0] for match in SENTENCE.finditer(text)] or [text]


def _words(pair: "Text", nearest: str) -> list[float]:
    """What the words tell, from "shared words" on; guards are asked about the sentence nearest to the statement."""
    context, premise, statement = pair
    wanted, said = stems(statement), stems(premise)
    own, both = (len(wanted & some) / max(1, len(wanted)) for some in (said, said | stems(context)))
    one, other = read(nearest), read(statement)
    heard = read(f"{context} {premise}").numbers
    borrowed = both - own
    return [
        own,
        both,
        len(premise.split()) / 20,
        *(float(guard(one, other)) for guard in GUARDS.values()),
        float(any(not any(agree(number, each) for each in heard) for number in other.numbers)),
        float(_has("imagined", premise) and not _has("wished", statement)),
        float(_has("over", nearest) and not _has("over", statement)),
        float(is_request(nearest)),
        float(nearest.rstrip().endswith("?")),
        float(_has("negation", nearest) != _has("negation", statement)),
        float(_has("negation", statement)),
        float(one.subject is not None and other.subject is None),
        float(_has("strong", statement) and not _has("strong", premise)),
        len(wanted - said - stems(context)) / 3,
        borrowed,
        borrowed * _has("agreed", premise),
        borrowed * _has("refused", premise),
    ]


def _clause(pair: "Text") -> list[float]:
    """What the part of the premise tells that shares most with the statement."""
    _, premise, statement = pair
    stated, rest = plain(statement), resting(premise, statement)
    affirmed = sign(stated) > 0
    return [
        float(rest is not None and rest.anothers and re.match(words()["acting"], stated) is not None),
        float(rest is not None and not rest.unreal and rest.sign != sign(stated)),
        float(rest is not None and rest.unreal and affirmed and re.search(words()["unreal"], stated) is None),
        float(rest is None),
        *(float(each) for each in borne(premise, statement)),
    ]


def _has(name: str, text: str) -> bool:
    return re.search(words()[name], text.lower().replace("’", "'")) is not None
