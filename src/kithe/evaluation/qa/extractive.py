"""An answerer without a language model: it picks the items that answer a question, by their attribute key.

The key is the item's own where it has one. Else the most similar known statements vote: the scripted traits say in some 750
statements what each attribute sounds like. What is like none of them answers nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from random import Random
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.matching import Encoder, as_statement, default_encoder
from kithe.evaluation.qa.answers import Answer
from kithe.evaluation.qa.questionnaire import Enquiry
from kithe.evaluation.statements import read
from kithe.personas.traits import book, words_of
from kithe.records.history import History, KnowledgeItem

VALUES: Final = 2  # of a trait's lexicon, with each of its wordings
FLOOR: Final = 0.5
NEIGHBOURS: Final = 5
SHARPNESS: Final = 4  # a neighbour's vote is its cosine to this power


class Answerer(Protocol):
    """Answers the questions of a questionnaire from a history or from inferred items."""

    def from_history(self, history: History, enquiries: Sequence[Enquiry]) -> list[Answer]:
        """An answer to every question from what was said."""

    def from_items(self, items: Sequence[KnowledgeItem], enquiries: Sequence[Enquiry]) -> list[Answer]:
        """An answer to every question from inferred items alone."""


@dataclass(frozen=True)
class Extractive:
    """The answerer; its answers are statements, so that sign, number and person are in them.

    Attributes:
        floor: cosine that the most similar known statement must reach.
        trust_keys: whether an item's own key counts; without, every key is guessed.
        encoder: None for the sentence encoder.
    """

    floor: float = FLOOR
    trust_keys: bool = True
    encoder: Encoder | None = field(default=None, compare=False)

    def from_history(self, history: History, enquiries: Sequence[Enquiry]) -> list[Answer]:
        """The answers in what the history is known to reveal: its gold items. It does not read the conversation."""
        return self.from_items(history.items, enquiries)

    def from_items(self, items: Sequence[KnowledgeItem], enquiries: Sequence[Enquiry]) -> list[Answer]:
        """For every question the statements of the items that answer it."""
        keys = self.keys(items)
        negative = [is_negative(item) for item in items]
        return [
            Answer(
                tuple(
                    dict.fromkeys(
                        as_statement(item)
                        for item, key, no in zip(items, keys, negative, strict=True)
                        if enquiry.answered_by(item, key, no)
                    )
                )
            )
            for enquiry in enquiries
        ]

    def keys(self, items: Sequence[KnowledgeItem]) -> list[str | None]:
        """The key of every item, its own or the one that the nearest known statements have."""
        own = [item.key if self.trust_keys else None for item in items]
        unkeyed = [item for item, key in zip(items, own, strict=True) if key is None]
        guessed = iter(self._guess(unkeyed))
        return [key if key is not None else next(guessed) for key in own]

    def _guess(self, items: Sequence[KnowledgeItem]) -> list[str | None]:
        if not items:
            return []
        vectors = self._encoder.encode([as_statement(item) for item in items]).astype(np.float64)
        return [self._vote(cosines) for cosines in vectors @ self._known.T]

    def _vote(self, cosines: NDArray[np.float64]) -> str | None:
        """The key with the most votes among the nearest known statements; the nearest one's where votes are equal."""
        nearest = np.argsort(-cosines, kind="stable")[:NEIGHBOURS].tolist()
        votes: dict[str, float] = {}
        for place in nearest:
            key = exemplars()[place][1]
            votes[key] = votes.get(key, 0.0) + max(0.0, float(cosines[place])) ** SHARPNESS
        return max(votes, key=votes.__getitem__) if cosines[nearest[0]] >= self.floor else None

    @property
    def _encoder(self) -> Encoder:
        return self.encoder or default_encoder()

    @cached_property
    def _known(self) -> NDArray[np.float64]:
        return self._encoder.encode([statement for statement, _ in exemplars()]).astype(np.float64)


@cache
def exemplars() -> tuple[tuple[str, str], ...]:
    """Statements with the key each is about: every wording of every scripted trait, with values that training may show."""
    found: dict[str, str] = {}
    for trait in book().traits.values():
        rng = Random(f"exemplars/{trait.id}")
        for way in (line for line in trait.state.splitlines() if line.strip()):
            for _ in range(VALUES):
                slots = {slot: rng.choice(book().lexicons[name].shown).forms for slot, name in trait.slots.items()}
                text = words_of(way, rng, slots)
                found.setdefault(f"{text[:1].upper()}{text[1:].rstrip('.')}.", trait.key)
    return tuple(found.items())


def is_negative(item: KnowledgeItem) -> bool:
    """Whether an item rejects something: as it says itself, else by the sign of its statement."""
    return item.polarity == "negative" if item.polarity is not None else read(as_statement(item)).sign < 0
