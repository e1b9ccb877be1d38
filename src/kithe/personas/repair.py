"""Contradictions out of a persona: replace what conflicts, a few times; then write anew; then give it up with a reason."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kithe.personas.complete import draft_persona, offers, summary_of
from kithe.personas.contradictions import Conflict, conflicts, fits
from kithe.personas.ontology import ontology
from kithe.personas.persona import Attribute, Persona, Stated
from kithe.personas.skeleton import SETTLED

ROUNDS: Final = 3  # of replacement, then the persona is written anew
DRAFTS: Final = 3  # then it is given up
Offer = Callable[[str], Iterable[tuple[Stated, Attribute | None]]]


@dataclass(frozen=True)
class Repair:
    """A value that was replaced because of a conflict (after None: it is no longer stated)."""

    key: str
    conflict: str
    before: Stated
    after: Stated | None


@dataclass(frozen=True)
class Mended:
    """Values after replacement, with what was replaced, how the new values are said, and the conflicts that are left."""

    values: Mapping[str, Stated | None]
    attributes: Mapping[str, Attribute | None]
    repairs: tuple[Repair, ...]
    left: tuple[Conflict, ...]


@dataclass(frozen=True)
class Outcome:
    """A persona, or why there is none; with every replacement and the number of drafts that it took."""

    persona: Persona | None
    repairs: tuple[Repair, ...]
    drafts: int
    reason: str = ""


def mend(values: Mapping[str, Stated | None], offer: Offer, rounds: int = ROUNDS) -> Mended:
    """Replace conflicting values (after CoNL's edit loop) until none is left or the rounds are over.

    What comes from an interest path or the background stays; a grounded liking that cannot stay becomes a dislike.

    Args:
        values: the values of a persona.
        offer: other values for a key, the first that conflicts with nothing is taken; without one it is unstated.
        rounds: how often to look again.
    """
    now, said, done = dict(values), dict[str, Attribute | None](), list[Repair]()
    for _ in range(rounds):
        found = conflicts(now)
        if not found:
            break
        left = found
        for conflict in found:
            if conflict in left:
                _replace(now, said, done, conflict, offer)
                left = conflicts(now)
    return Mended(now, said, tuple(done), tuple(conflicts(now)))


def _replace(
    now: dict[str, Stated | None], said: dict[str, Attribute | None], done: list[Repair], conflict: Conflict, offer: Offer
) -> None:
    """Give the freest key of a conflict another value."""
    key = _freest(now, conflict.keys)
    before = now.get(key) if key else None
    if key is None or before is None:
        return
    if before.path is not None:
        turned = before.model_copy(update={"polarity": "negative" if before.polarity == "positive" else "positive"})
        now[key], said[key] = turned, None
    else:
        now[key], said[key] = _fitting(now, key, offer)
    done.append(Repair(key, conflict.name, before, now[key]))


def _freest(now: Mapping[str, Stated | None], keys: Sequence[str]) -> str | None:
    """The key that changes most easily: free text, then an enumeration, then an interest path; never the background."""
    free = [key for key in keys if key not in SETTLED and now.get(key)]
    return min(free, key=lambda key: _hold(now, key), default=None)


def _hold(now: Mapping[str, Stated | None], key: str) -> tuple[bool, bool]:
    stated = now[key]
    return (stated is not None and stated.path is not None, ontology().by_key[key].kind == "enum")


def _fitting(now: Mapping[str, Stated | None], key: str, offer: Offer) -> tuple[Stated | None, Attribute | None]:
    for stated, attribute in offer(key):
        if fits({**now, key: stated}, key):
            return stated, attribute
    return None, None


def write_persona(identity: str, rng: Random, paths: Sequence[tuple[str, ...]], unseen: bool = False) -> Outcome:
    """A complete persona without contradictions, or the reason why there is none (arguments as of `draft_persona`)."""
    repairs: list[Repair] = []
    left: tuple[Conflict, ...] = ()
    for draft in range(1, DRAFTS + 1):
        persona = draft_persona(identity, rng, paths, unseen)
        mended = mend(persona.values, lambda key: offers(key, rng, unseen))
        repairs += mended.repairs
        left = mended.left
        if not left:
            return Outcome(with_values(persona, mended), tuple(repairs), draft)
    return Outcome(
        None, tuple(repairs), DRAFTS, f"{DRAFTS} drafts contradict themselves; the last: {left[0].name} ({left[0].reason})"
    )


def with_values(persona: Persona, mended: Mended) -> Persona:
    """The persona with its values replaced, and with them what is said of it and its summary."""
    changed = {repair.key for repair in mended.repairs}
    kept = [_turned(row, mended) for row in persona.attributes if row.key not in changed or _grounded(row.key, mended)]
    new = [attribute for key, attribute in mended.attributes.items() if attribute and key in changed]
    values = dict(mended.values)
    return persona.model_copy(update={
        "attributes": (*kept, *new), "values": values, "summary": summary_of(persona.id, values)})  # fmt: skip


def _grounded(key: str, mended: Mended) -> bool:
    stated = mended.values.get(key)
    return stated is not None and stated.path is not None


def _turned(row: Attribute, mended: Mended) -> Attribute:
    """A grounded attribute whose liking was turned into a dislike, or the attribute as it was."""
    stated = mended.values.get(row.key)
    if stated is None or stated.path is None or stated.polarity == row.polarity:
        return row
    return row.model_copy(update={"polarity": stated.polarity, "trait": "path_not"})
