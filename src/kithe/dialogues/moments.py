"""Facts of the moment, as LAPS labels them: how long one has to cook, whom one watches with, what one is in the mood for."""

from collections.abc import Mapping
from functools import cache

from kithe.dialogues.draft import Draft
from kithe.dialogues.facts import Fact
from kithe.dialogues.pen import Piece
from kithe.dialogues.script import page
from kithe.personas.grammar import Forms, half
from kithe.personas.persona import Attribute
from kithe.personas.traits import Trait


def moment(draft: Draft, names: str) -> tuple[Piece, Piece]:
    """A question about the moment and an answer that is labelled; both are empty where nothing of it is left to ask.

    Args:
        draft: what is written; nothing is asked twice in one of its sessions.
        names: the kinds of moment that fit, between spaces.
    """
    spare = [name for name in names.split() if (draft.session, name) not in draft.moments]
    if not spare:
        return Piece(""), Piece("")
    name = draft.pen.pick(spare)
    draft.moments.add((draft.session, name))
    trait, values = _moments()[name]
    value = draft.pen.pick(values)
    slots: Mapping[str, Forms] = {"v": {"v": value}}
    attribute = Attribute(key=trait.key, category=trait.category, value=value, polarity="positive", trait=trait.id)
    question, _, answer = draft.pen.line(trait.qa, slots).partition(" >> ")
    return Piece(question), Piece(answer, (Fact(attribute, trait, slots),))


@cache
def _moments() -> dict[str, tuple[Trait, tuple[str, ...]]]:
    found = {}
    for name, body in page("moments").items():
        lines = {field: "\n".join(half(body[field], "all")) for field in ("state", "qa")}
        trait = Trait(id=name, topic="life", key="free:moment", category=body["category"], type=body["type"],
                      slots={"v": name}, **lines)  # fmt: skip
        found[name] = (trait, tuple(value.strip() for value in body["of"].replace("\n", " ").split(";")))
    return found
