"""`teacher=endpoint` and `teacher=local`: personas and dialogues by a language model behind any client."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from kithe.dialogues.exemplars import Exemplars, HandWritten
from kithe.dialogues.scripted import FIELDS
from kithe.generation.asking import Script, together
from kithe.generation.best import BestOf
from kithe.generation.profiles import Profiles
from kithe.generation.stages import Outcome, Row, Written
from kithe.generation.writing import Writing
from kithe.identity import digest
from kithe.llm.client import Ask, Client
from kithe.personas.complete import draft_persona
from kithe.personas.paths import Sampling, sampler
from kithe.personas.persona import Persona


@dataclass(frozen=True)
class Model:
    """A teacher that asks a language model, tier by tier for personas and once for each dialogue.

    Attributes:
        client: who answers (`kithe.llm`).
        profiles: how personas are asked for.
        writing: how dialogues are asked for.
        exemplars: utterances that show the tone.
        best: how many candidates of each are written, and who chooses.
    """

    client: Client
    profiles: Profiles = field(default_factory=Profiles)
    writing: Writing = field(default_factory=Writing)
    exemplars: Exemplars = field(default_factory=HandWritten)
    best: BestOf = field(default_factory=BestOf)

    @property
    def name(self) -> str:
        """The client's: a model and where it runs."""
        return self.client.name

    @property
    def scripted(self) -> bool:
        """It is not."""
        return False

    @property
    def fields(self) -> frozenset[str]:
        """Every optional field of an item but the confidence."""
        return FIELDS

    def personas(self, keys: Sequence[str], seed: int) -> Iterator[tuple[str, Outcome]]:
        """The personas of these indexes (`ModelTeacher.personas`)."""
        yield from together({key: self.persona(key, seed) for key in keys}, self.client)

    def dialogues(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """A dialogue for each row (`ModelTeacher.dialogues`)."""
        yield from together({row.key: self.dialogue(row, seed) for row in rows}, self.client)

    def persona(self, key: str, seed: int) -> Script[Written]:
        """The script of one persona."""
        name = f"model{digest(self.client.identity, 6)}-{seed}-{key}"
        return self.best.script(lambda: self.profiles.script(key, name, seed))

    def dialogue(self, row: Row, seed: int) -> Script[Written]:
        """The script of one dialogue."""
        number = int(row.key.split("-")[1])
        return self.best.script(lambda: self.writing.script(row.key, row.known["personas"], seed, number, self.exemplars))

    def asks(self, stage: str, key: str, seed: int) -> list[Ask]:
        """See `Asking.asks`."""
        index = key.split("-")[0]
        if stage == "personas":
            return self.best.asks(self.profiles.asks(index, seed))
        return self.best.asks(self.writing.asks(key, stand_in(index, seed), seed, self.exemplars))


def stand_in(index: str, seed: int) -> Persona:
    """A scripted persona in place of one that is not written yet."""
    return draft_persona(f"stand-in-{seed}-{index}", Random(f"{seed}/{index}"), sampler(Sampling(), seed).paths(int(index)))
