"""The same person in two systems: attributes of the 130-key ontology as dimensions of the bank, and back (`crosswalk.yaml`)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from random import Random

import yaml
from pydantic import Field

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence
from kithe.gym.diversity import Neighbours
from kithe.gym.sampling import GymPersona, Sampler, Stratified, named
from kithe.personas.persona import Persona
from kithe.records.base import Record

_WORD = re.compile(r"[a-z]+")


class Link(Record):
    """One dimension's attribute, and its values there: by name, or, of an open attribute, by the words in it."""

    key: str
    values: dict[str, str | None] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)

    def dimension_value(self, text: str) -> str | None:
        """The dimension's value for what the attribute holds; None where there is none."""
        if self.values:
            return self.values.get(text)
        return next((self.words[word] for word in reversed(_WORD.findall(text.lower())) if word in self.words), None)

    def attribute_value(self, value: str) -> str | None:
        """The first of the attribute's values that the dimension's value stands for."""
        return next((own for own, other in self.values.items() if other == value), None)


@cache
def links() -> Mapping[str, Link]:
    """The links by dimension.

    Raises:
        ConfigError: a link leads to what the bank does not hold.
    """
    tree = yaml.safe_load((files("kithe.gym") / "crosswalk.yaml").read_text("utf-8"))
    found = {name: Link.model_validate(body) for name, body in tree.items()}
    for name, link in found.items():
        for value in (*link.values.values(), *link.words.values()):
            if value is not None:
                bank().check({name: value}, "crosswalk.yaml")
    return found


def mapped(attributes: Mapping[str, str]) -> dict[str, str]:
    """The dimensions that attributes determine, from attribute key -> value; those that contradict one before are left out."""
    found: dict[str, str] = {}
    for name, link in links().items():
        value = link.dimension_value(attributes[link.key]) if link.key in attributes else None
        if value is not None and coherence().allowed(name, value, found):
            found[name] = value
    return found


def attribute_of(dimension: str, value: str) -> tuple[str, str] | None:
    """The ontology's key and value for a dimension's value; None where the ontology has none."""
    link = links().get(dimension)
    own = link.attribute_value(value) if link else None
    return (link.key, own) if link and own else None


def persona_from_csp(
    persona: Persona, sampler: Sampler, seed: int, attempt: int = 0, counts: Counter[tuple[str, str]] | None = None
) -> GymPersona:
    """The simulated user that a persona of the synthetic-persona generator is.

    What its attributes determine is taken over; the other dimensions are drawn given those.

    Args:
        persona: with values of the ontology, or with scripted attributes only.
        sampler: how the other dimensions are drawn.
        seed: of those draws, together with the persona's id.
        attempt: which draw it is, where one before was not taken.
        counts: how many users before have a value, by (dimension, value); None: there are none before.
    """
    stated = {key: own.value for key, own in persona.values.items() if own is not None and own.polarity == "positive"}
    scripted = {own.key: own.value for own in persona.attributes if own.polarity == "positive"}
    given = mapped({**scripted, **stated})
    rng = Random(f"{seed}/csp/{persona.id}/{attempt}" if attempt else f"{seed}/csp/{persona.id}")
    return named(persona.id, sampler.values(bank(), rng, given, Counter() if counts is None else counts), seed)


@dataclass(frozen=True)
class Generated:
    """Users who are personas of the synthetic-persona generator, so that one person can be studied in both systems.

    Attributes:
        sampler: how dimensions are drawn that the ontology does not determine, and how far users are apart.
        teacher: who writes the personas; one by rules, of the complete ontology.
    """

    sampler: Sampler = field(default_factory=Sampler)
    teacher: Scripted = field(default_factory=lambda: Scripted(complete=True))

    def __post_init__(self) -> None:
        """Check the strata.

        Raises:
            ConfigError: one is taken over from the persona, so that there is nothing to even out.
        """
        strategy = self.sampler.strategy
        taken = [name for name, link in links().items() if link.values]
        for name in strategy.strata if isinstance(strategy, Stratified) else ():
            if name in taken:
                raise ConfigError(
                    f"users of generated personas: strata: {name} is taken over from the persona and cannot be evened out; "
                    f"any dimension can but {', '.join(taken)}"
                )

    def personas(self, count: int, seed: int) -> Iterator[GymPersona]:
        """See `People`; where strata are evened out, what personas determine counts as well."""
        before, counts = Neighbours(bank().names, self.sampler.distance), Counter[tuple[str, str]]()
        for index in range(count):
            persona, near = self.teacher.persona(seed, index), True
            for attempt in range(self.sampler.tries):
                found = persona_from_csp(persona, self.sampler, seed, attempt, counts)
                if not (near := before.near(found.values)):
                    break
            before.add(found.values)
            counts.update(found.values.items())
            yield found.model_copy(update={"id": f"u{index:05d}", "near": near})
