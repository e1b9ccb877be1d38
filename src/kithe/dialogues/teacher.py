"""Who writes personas and dialogues: the seam behind which scripted, endpoint and local teachers look alike."""

from typing import Protocol

from kithe.personas.persona import Persona
from kithe.records.history import History


class Teacher(Protocol):
    """A writer of personas and of dialogues with labelled facts.

    Both methods are functions of their arguments alone: asked again, a teacher gives the same answer (one that calls a
    model keeps what it has written).
    """

    @property
    def name(self) -> str:
        """The name in results and ids."""
        ...

    @property
    def scripted(self) -> bool:
        """Whether its text comes from a program rather than from a language model or a person."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The optional fields of `KnowledgeItem` that its labels carry."""
        ...

    def persona(self, seed: int, index: int, unseen: bool = False) -> Persona:
        """The persona of this index; `unseen` asks for things that no persona without it would hold, where there is a choice."""
        ...

    def dialogue(self, persona: Persona, seed: int, index: int) -> History:
        """The persona's dialogue of this index, with everything it reveals about the persona as items."""
        ...
