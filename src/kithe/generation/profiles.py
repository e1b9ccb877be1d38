"""Personas by a model: a background from the joint model, then tier by tier, each tier reading what those before it wrote."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from kithe.errors import unknown
from kithe.generation.asking import Ended, Problem, Script, asked
from kithe.generation.log import Rejected
from kithe.generation.reading import foreign, json_of
from kithe.generation.stages import Written
from kithe.llm.client import Ask, Reply
from kithe.personas.complete import SENSITIVE
from kithe.personas.fill import TierAnswer, read_summary, read_tier, settled_values, summary_prompt, tier_prompt, tier_schema
from kithe.personas.ontology import ontology
from kithe.personas.paths import Sampling, sampler
from kithe.personas.persona import Persona, Stated
from kithe.personas.repair import mend
from kithe.personas.skeleton import Skeleton, draw_skeleton
from kithe.personas.summary import sampled_keys, write_summary

FAULTY: Final = 0.5  # a tier with a greater share of unusable values is not used
SUMMARY: Final = 400  # tokens of a summary
Paths = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Profiles:
    """How personas are asked for.

    Attributes:
        tiers: the tiers of the ontology that the model writes, a call each; None: all. The others hold what the background says.
        paths: how interest paths are drawn.
        max_tokens: the longest answer.
        temperature: of the draws.
    """

    tiers: Sequence[str] | None = None
    paths: Sampling = field(default_factory=Sampling)
    max_tokens: int = 4096
    temperature: float = 0.8

    def __post_init__(self) -> None:
        """Check the tiers.

        Raises:
            ConfigError: there is no such tier.
        """
        for tier in self.tiers or ():
            if tier not in ontology().tiers:
                raise unknown("tier in teacher.profiles.tiers", tier, ontology().tiers)

    def script(self, key: str, name: str, seed: int) -> Script[Written]:
        """One persona: a call for each tier, one for the summary, and one more for each answer that cannot be used."""
        rng, book = Random(f"{seed}/persona/{key}"), ontology()
        skeleton, paths = draw_skeleton(rng), sampler(self.paths, seed).paths(int(key))
        values, dropped = settled_values(skeleton), list[Rejected]()
        for tier in book.tiers if self.tiers is None else self.tiers:
            ask = self.tier_ask(key, tier, skeleton, paths, values, rng.getrandbits(31))
            answer = yield from asked(ask, lambda reply, tier=tier: _tier(reply, tier, skeleton, paths))  # type: ignore[misc]
            values |= answer.values
            dropped += [Rejected(reason=f"value: {fault.kind}", raw=f"{fault.key}: {fault.text}") for fault in answer.problems]
        mended = mend(values, lambda key: ())
        if mended.left:
            raise Ended(Rejected(reason="contradiction", raw="; ".join(str(conflict) for conflict in mended.left)))
        for one in mended.repairs:
            dropped.append(Rejected(reason="value: contradiction", raw=f"{one.key}: {one.before.value} ({one.conflict})"))
        whole = {known: mended.values.get(known) for known in book.keys}
        keys = sampled_keys(name, whole, SENSITIVE)
        summary = yield from self._summary(key, whole, keys, rng.getrandbits(31), dropped)
        persona = Persona(id=name, attributes=(), skeleton=skeleton, paths=paths, values=whole, summary=summary)
        return Written(persona, tuple(dropped))

    def asks(self, key: str, seed: int) -> list[Ask]:
        """What a persona takes, for an estimate: as if no tier had anything to say of the others."""
        skeleton, paths = draw_skeleton(Random(f"{seed}/persona/{key}")), sampler(self.paths, seed).paths(int(key))
        values = settled_values(skeleton)
        tiers = [self.tier_ask(key, tier, skeleton, paths, values, 0) for tier in self.tiers or ontology().tiers]
        return [*tiers, Ask(key, summary_prompt(ontology(), values, tuple(values)[:1]), None, SUMMARY)]

    def tier_ask(self, key: str, tier: str, skeleton: Skeleton, paths: Paths, values: dict[str, Stated | None], seed: int) -> Ask:
        """The request for a tier."""
        messages = tier_prompt(ontology(), tier, skeleton, paths, values)
        return Ask(key, messages, tier_schema(ontology(), tier, skeleton, paths), self.max_tokens, self.temperature, seed=seed)

    def _summary(
        self, key: str, values: dict[str, Stated | None], keys: tuple[str, ...], seed: int, dropped: list[Rejected]
    ) -> Script[str]:
        """A summary that says what it should, in the model's words or, where they fail the check twice, in plain ones."""
        ask = Ask(key, summary_prompt(ontology(), values, keys), None, SUMMARY, self.temperature, seed=seed)

        def read(reply: Reply) -> str | Problem:
            answer = read_summary(reply.text, ontology(), values, keys)
            wrong = "; ".join(problem.text for problem in answer.problems)
            return Problem("wrong schema", wrong) if wrong else answer.text

        text = yield from asked(ask, read, fallback="")
        if not text:
            dropped.append(Rejected(reason="summary"))
        return text or write_summary(ontology(), values, keys)


def _tier(reply: Reply, tier: str, skeleton: Skeleton, paths: Paths) -> TierAnswer | Problem:
    """A tier as read; values that cannot be used are null and named, and too many of them are a problem."""
    found = json_of(reply)
    if isinstance(found, Problem):
        return found
    answer = read_tier(reply.text, ontology(), tier, skeleton, paths)
    faults = [fault for fault in answer.problems if fault.kind not in ("unknown", "links")]
    stated = [value.value for value in answer.values.values() if value]
    if any(fault.kind == "unreadable" for fault in faults) or len(faults) > FAULTY * len(answer.values):
        return Problem("wrong schema", "; ".join(f"{fault.key or 'all of it'}: {fault.text}" for fault in faults[:8]))
    return foreign(stated, sentences=False) or answer
