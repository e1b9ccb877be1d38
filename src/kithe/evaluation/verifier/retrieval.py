"""Which of a user's turns could be the evidence of a statement: a long history is searched before it is read closely."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kithe.evaluation.matching import Encoder
from kithe.evaluation.verifier.pairs import before
from kithe.knowledge.text import stems
from kithe.records.history import History

LONGEST_PIECE: Final = 80  # words
SENTENCE: Final = re.compile(r"\S.*?(?:[.!?]+(?=\s|$)|$)", re.DOTALL)
SHARED: Final = 0.3  # what sharing every content word is worth, as a cosine


@dataclass(frozen=True)
class Piece:
    """A turn of the user, or a part of a long one, as it stands in the history.

    Attributes:
        turn: index into `History.turns`.
        text: the words, a verbatim part of the turn.
        context: what the partner said just before.
    """

    turn: int
    text: str
    context: str


def pieces(history: History) -> list[Piece]:
    """Everything the user said, turn by turn; a turn of more than 80 words in several pieces of whole sentences."""
    return [
        Piece(place, part, before(history, place))
        for place, turn in enumerate(history.turns)
        if turn.speaker == history.user
        for part in parts(turn.text)
        if part.strip()
    ]


def parts(text: str) -> list[str]:
    """A text, or its sentences in runs of at most 80 words (a longer sentence stays whole)."""
    if len(text.split()) <= LONGEST_PIECE:
        return [text]
    found: list[tuple[int, int]] = []
    for match in SENTENCE.finditer(text):
        if found and len(text[found[-1][0] : match.end()].split()) <= LONGEST_PIECE:
            found[-1] = (found[-1][0], match.end())
        else:
            found.append(match.span())
    return [text[start:end] for start, end in found]


def nearest(found: Sequence[Piece], statement: str, encoder: Encoder, count: int) -> list[int]:
    """The indexes of the pieces nearest to a statement, best first, by their words alone or with what was said before them.

    Cosine of sentence embeddings, with a little for shared content words; every piece if there are no more than `count`.
    """
    if len(found) <= count:
        return list(range(len(found)))
    texts, wanted = searched(found), stems(statement)
    cosines = np.maximum(*np.split(encoder.encode(texts) @ encoder.encode([statement])[0], 2))
    shares = np.array([len(wanted & stems(text)) / max(1, len(wanted)) for text in texts[len(found) :]])
    order = np.argsort(-(cosines + SHARED * shares), kind="stable")
    return [int(index) for index in order[:count]]


def searched(found: Sequence[Piece]) -> list[str]:
    """What is compared with a statement: each piece by itself, then each with what was said before it."""
    return [*(piece.text for piece in found), *(f"{piece.context} {piece.text}".strip() for piece in found)]


def quote(piece: Piece, statement: str) -> str:
    """The sentence of a piece that shares most with a statement, word for word; the whole piece where none shares anything."""
    wanted = stems(statement)
    sentences = [match[0] for match in SENTENCE.finditer(piece.text)]
    shared = [len(wanted & stems(sentence)) for sentence in sentences]
    return sentences[shared.index(max(shared))] if any(shared) else piece.text.strip()
