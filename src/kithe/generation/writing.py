"""Dialogues by a model: the prompt, the schema of an answer, and an answer as a history whose facts stand in their turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from random import Random
from typing import Any, Final

from kithe.corpora.expressed import Expressed
from kithe.dialogues import exemplars as bank
from kithe.dialogues.exemplars import Exemplars
from kithe.dialogues.mix import Mix
from kithe.generation.asking import Problem, Script, asked
from kithe.generation.log import Rejected
from kithe.generation.reading import echoed, foreign, json_of, located
from kithe.generation.stages import Written
from kithe.generation.turns import Plan, Planned, plan
from kithe.llm.client import Ask, Reply
from kithe.personas.persona import Persona
from kithe.records.chat import Message
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

_SHORT: Final = 600  # characters of a turn


def prompt_text(name: str) -> str:
    """A prompt's text with its named slots."""
    return (files("kithe.generation") / "prompts" / name).read_text("utf-8")


@dataclass(frozen=True)
class Writing:
    """How dialogues are asked for.

    Attributes:
        mix: what they are made of.
        max_tokens: the longest answer.
        temperature: of the draws.
    """

    mix: Mix = field(default_factory=Mix)
    max_tokens: int = 2048
    temperature: float = 0.8

    def script(self, key: str, persona: Persona, seed: int, number: int, exemplars: Exemplars) -> Script[Written]:
        """One dialogue: asked for, read, and asked for once more if it must be; three exemplars show the tone."""
        rng = Random(f"{seed}/dialogue/{persona.id}/{number}")
        planned = plan(persona, self.mix, rng)
        shown = bank.draw(exemplars, rng)
        ask = self.ask(key, persona, planned, shown, rng.getrandbits(31))
        name = f"{persona.id}-{number}"
        return (yield from asked(ask, lambda reply: read_dialogue(reply, name, persona, planned, shown)))

    def asks(self, key: str, persona: Persona, seed: int, exemplars: Exemplars) -> list[Ask]:
        """What a dialogue takes, for an estimate."""
        rng = Random(f"{seed}/dialogue/{persona.id}/0")
        return [self.ask(key, persona, plan(persona, self.mix, rng), bank.draw(exemplars, rng), 0)]

    def ask(self, key: str, persona: Persona, planned: Plan, shown: Sequence[str], seed: int) -> Ask:
        """The request for a dialogue."""
        text = prompt_text("dialogue.txt").format(
            partner_a="who talks to an assistant on a phone or at home",
            partner_b="that assistant",
            summary=persona.summary or "see the facts below",
            topic=f"What they talk about: {' > '.join(planned.topic)}\n" if planned.topic else "",
            facts="\n".join(f"- {fact.line()}" for fact in planned.facts),
            turns="\n".join(planned.lines()),
            exemplars="\n".join(f"- {line}" for line in shown),
            count=planned.count,
        )
        message = Message(role="user", content=text)
        return Ask(key, (message,), dialogue_schema(planned), self.max_tokens, self.temperature, seed=seed)


def dialogue_schema(planned: Plan) -> dict[str, Any]:
    """The JSON schema of an answer."""
    ids = [fact.id for fact in planned.facts]
    turn = {
        "type": "object",
        "properties": {
            "speaker": {"type": "string", "enum": ["user", "assistant"]},
            "text": {"type": "string", "maxLength": _SHORT},
            "shows": {"type": "array", "items": {"type": "string", "enum": ids}, "maxItems": 2},
            "words": {"type": "array", "items": {"type": "string", "maxLength": 160}, "maxItems": 2},
        },
        "required": ["speaker", "text", "shows", "words"],
        "additionalProperties": False,
    }
    turns = {"type": "array", "items": turn, "minItems": 2 * planned.count, "maxItems": 2 * planned.count + 1}
    return {"type": "object", "properties": {"turns": turns}, "required": ["turns"], "additionalProperties": False}


def read_dialogue(reply: Reply, name: str, persona: Persona, planned: Plan, shown: Sequence[str]) -> Written | Problem:
    """The history that an answer holds, with the facts that stand in their turns; what was planned and is not there is dropped.

    A turn counts by its place among the user's turns. A fact is there if the words that the answer gives for it stand in its turn
    or, failing that, if the turn holds half of the value's content words (the rule of `kithe.corpora.expressed`).
    """
    found = json_of(reply)
    if isinstance(found, Problem):
        return found
    rows = _rows(found)
    if isinstance(rows, Problem):
        return rows
    turns = tuple(Turn(speaker="A" if row["speaker"] == "user" else "B", text=" ".join(row["text"].split())) for row in rows)
    own = [index for index, turn in enumerate(turns) if turn.speaker == "A"]
    said = [turns[index].text for index in own]
    if problem := _unusable(turns, said, persona, planned, shown):
        return problem
    history = History(id=name, source="synthetic", user="A", turns=turns, licence="generated")
    items, dropped = list[KnowledgeItem](), list[Rejected]()
    for fact in planned.facts:
        evidence = _evidence(history, own, rows, fact)
        if evidence:
            items.append(_item(fact, evidence))
        else:
            dropped.append(Rejected(reason="fact not in its turn", raw=f"{fact.line()} @ {said[fact.turn - 1]}"))
    if planned.facts and not items:
        return Problem("facts not shown", "no listed fact is shown in its turn; copy the words that show it into 'words'")
    return Written(history.model_copy(update={"items": tuple(items)}), tuple(dropped))


def _rows(found: dict[str, Any]) -> list[dict[str, Any]] | Problem:
    """The turns of an answer, with lists of texts under `shows` and `words`."""
    rows = found.get("turns")
    if not isinstance(rows, list) or not rows:
        return Problem("wrong schema", "there is no list 'turns' in it")
    clean = list[dict[str, Any]]()
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or row.get("speaker") not in ("user", "assistant") or not isinstance(row.get("text"), str):
            return Problem("wrong schema", f"turn {number} is not an object with 'speaker' (user or assistant) and 'text'")
        if row["text"].strip():
            clean.append(
                {"speaker": row["speaker"], "text": row["text"], **{key: _texts(row.get(key)) for key in ("shows", "words")}}
            )
    return clean or Problem("empty", "every turn is empty")


def _texts(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else []


def _unusable(
    turns: Sequence[Turn], said: Sequence[str], persona: Persona, planned: Plan, shown: Sequence[str]
) -> Problem | None:
    """What is wrong with a dialogue as a whole."""
    if len(said) < planned.count:
        return Problem("wrong schema", f"it has {len(said)} user turns; {planned.count} are wanted")
    if foreign_problem := foreign([turn.text for turn in turns]):
        return foreign_problem
    if any(echoed(text, persona.summary) for text in said):
        return Problem("persona echo", "the user says the description of the person; say it in other words")
    if any(bank.echoes(text, shown) for text in said):
        return Problem("exemplar echo", "the user says one of the examples of tone; use other words")
    return None


def _evidence(history: History, own: Sequence[int], rows: Sequence[dict[str, Any]], fact: Planned) -> tuple[Evidence, ...]:
    """Where a fact stands in its turn."""
    index = own[fact.turn - 1]
    row, text = rows[index], history.turns[index].text
    quotes = [words for shows, words in zip(row["shows"], row["words"], strict=False) if shows == fact.id]
    for quote in quotes:
        if len(quote.split()) > 1 and (words := located(quote, text)):
            return (Evidence(turn=index, quote=words),)
    share = Expressed(context=False).shares(history, fact.value).get(index, 0.0)
    return (Evidence(turn=index, quote=text),) if share >= 0.5 else ()


def _item(fact: Planned, evidence: tuple[Evidence, ...]) -> KnowledgeItem:
    return KnowledgeItem(
        statement=fact.statement, category=fact.category, key=fact.key, value=fact.value, type=fact.type,
        polarity=fact.polarity, intensity=fact.intensity, inference=fact.inference, evidence=evidence)  # fmt: skip
