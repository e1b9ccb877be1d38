"""Looking statements up in histories: the passages that could support them, and how likely each does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kithe.evaluation.judging.verdicts import Question
from kithe.evaluation.matching import Encoder
from kithe.evaluation.verifier.retrieval import Piece, nearest, pieces, searched

if TYPE_CHECKING:
    from kithe.training.pairs import Text


@dataclass(frozen=True)
class Looked:
    """What was found about a statement: the passages read, nearest first, and how likely each supports it.

    `searched` says whether the user says more than that, so that passages had to be chosen.
    """

    read: tuple[Piece, ...]
    probabilities: tuple[float, ...]
    searched: bool = False

    @property
    def best(self) -> int | None:
        """The passage most likely to support it; None where the user says nothing."""
        return max(range(len(self.read)), key=self.probabilities.__getitem__, default=None)

    @property
    def highest(self) -> float:
        """How likely that passage does; 0 where there is none."""
        return max(self.probabilities, default=0.0)


def look(
    questions: Sequence[Question], passages: int, encoder: Encoder, probabilities: "Callable[[Sequence[Text]], list[float]]"
) -> list[Looked]:
    """What is found about each statement.

    Args:
        questions: statements and the histories they are looked up in.
        passages: how many of a history are read closely.
        encoder: by which passages are found.
        probabilities: the reader, of context, premise and statement.
    """
    known = {id(question.history): pieces(question.history) for question in questions}
    _encode(questions, known, passages, encoder)
    read = []
    for question in questions:
        found, statement = known[id(question.history)], question.item.statement
        read.append(tuple(found[index] for index in nearest(found, statement, encoder, passages)))
    asked = [(piece.context, piece.text, q.item.statement) for q, some in zip(questions, read, strict=True) for piece in some]
    answers = iter(probabilities(asked))
    return [
        Looked(some, tuple(next(answers) for _ in some), len(known[id(question.history)]) > passages)
        for question, some in zip(questions, read, strict=True)
    ]


def _encode(questions: Sequence[Question], known: Mapping[int, Sequence[Piece]], passages: int, encoder: Encoder) -> None:
    """Encode at once everything that is to be searched; the encoder remembers it."""
    long = [question for question in questions if len(known[id(question.history)]) > passages]
    said = {id(question.history): searched(known[id(question.history)]) for question in long}
    if long:
        encoder.encode([*(question.item.statement for question in long), *(text for some in said.values() for text in some)])
