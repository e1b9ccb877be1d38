"""H, the independent second labelling: a model (or a scripted stand-in) reads the dialogues without knowing what was planned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, ClassVar, Final, Protocol, get_args

import yaml
from pydantic import ValidationError

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError, unknown
from kithe.generation.asking import Problem, Script, asked, together
from kithe.generation.log import Rejected
from kithe.generation.reading import json_of, located
from kithe.generation.stages import Outcome, Row, Written
from kithe.generation.writing import prompt_text
from kithe.knowledge.prompt import transcript
from kithe.llm.client import Ask, Client, Reply
from kithe.records.base import Record
from kithe.records.chat import Message, Prediction, Rejection
from kithe.records.history import Evidence, History, Inference, Intensity, KnowledgeItem, Polarity

MOST: Final = 24  # items of one dialogue


class Extractor(Protocol):
    """Whoever labels dialogues that somebody else wrote."""

    @property
    def name(self) -> str:
        """The name in cards."""

    def label(self, histories: Mapping[str, History], seed: int) -> Iterator[tuple[str, Outcome]]:
        """What each dialogue reveals: a `Prediction` for every key that was answered."""


@dataclass(frozen=True)
class Extraction:
    """The stage: every dialogue gets a second labelling. One that cannot be read stays empty, and is kept as unread."""

    extractor: Extractor
    record: ClassVar[type[Record]] = Prediction
    version: ClassVar[int] = 1

    def keys(self, key: str) -> tuple[str, ...]:
        """One labelling a dialogue."""
        return (key,)

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Stage.write`; the items of construction are not shown."""
        histories = {row.key: row.known["dialogues"].model_copy(update={"items": ()}) for row in rows}
        if isinstance(self.extractor, Noisy):
            histories = {row.key: row.known["dialogues"] for row in rows}
        for key, found in self.extractor.label(histories, seed):
            if isinstance(found, Rejected):
                unread = Rejection(reason=found.reason, raw=found.raw)
                found = Written(Prediction(id=histories[key].id, units=1, unparsed=1, rejected=(unread,)), (found,))
            yield key, found


@dataclass(frozen=True)
class ModelExtractor:
    """A language model that thinks in a pattern and then lists items.

    Attributes:
        client: who answers; best another model than the one that wrote the dialogues.
        pattern: decomposition | monologue | self_ask | self_debate | self_critic.
        max_tokens: the longest answer.
    """

    client: Client
    pattern: str = "decomposition"
    max_tokens: int = 2048

    def __post_init__(self) -> None:
        """Check the pattern.

        Raises:
            ConfigError: there is no such pattern.
        """
        if self.pattern not in patterns():
            raise unknown("thinking pattern of an extractor", self.pattern, patterns())

    @property
    def name(self) -> str:
        """The client's."""
        return self.client.name

    def label(self, histories: Mapping[str, History], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Extractor.label`."""
        yield from together({key: self.script(key, history) for key, history in histories.items()}, self.client)

    def asks(self, stage: str, key: str, seed: int) -> list[Ask]:
        """See `kithe.generation.stages.Asking`."""
        del stage
        teacher = Scripted()
        return [self.ask(key, teacher.dialogue(teacher.persona(seed, int(key.split("-")[0])), seed, 0))]

    def script(self, key: str, history: History) -> Script[Written]:
        """One dialogue, read."""
        return (yield from asked(self.ask(key, history), lambda reply: read_labels(reply, history)))

    def ask(self, key: str, history: History) -> Ask:
        """The request for one dialogue; greedy."""
        steps = patterns()[self.pattern]
        text = prompt_text("extract.txt").format(
            turns="\n".join(f"[{index}] {transcript(history, [index])}" for index in range(len(history.turns))),
            steps="\n".join(f"{number}. {name}: {what}" for number, (name, what) in enumerate(steps.items(), 1)),
            names=", ".join(f'"{name}": ...' for name in steps),
        )
        return Ask(key, (Message(role="user", content=text),), label_schema(tuple(steps)), self.max_tokens)


@dataclass(frozen=True)
class Noisy:
    """A scripted extractor that is no extractor: it copies the labels of construction and makes errors at known rates.

    It exists to show what the figures of agreement say about errors that are known, and is always named scripted.

    Attributes:
        miss: of the items, those it overlooks.
        invent: per item, how often it adds one about something that nobody said.
        flip: of the items it finds, those with the wrong polarity.
    """

    miss: float = 0.2
    invent: float = 0.1
    flip: float = 0.05

    def __post_init__(self) -> None:
        """Check the rates.

        Raises:
            ConfigError: one is no rate.
        """
        for key in ("miss", "invent", "flip"):
            if not 0 <= getattr(self, key) <= 1:
                raise ConfigError(f"extractor.{key}={getattr(self, key)}: it must be between 0 and 1")

    @property
    def name(self) -> str:
        """With its rates."""
        return f"scripted (misses {self.miss}, invents {self.invent}, flips {self.flip})"

    def label(self, histories: Mapping[str, History], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Extractor.label`."""
        for key, history in histories.items():
            items = tuple(self._items(history, Random(f"{seed}/noisy/{history.id}")))
            yield key, Written(Prediction(id=history.id, items=items, units=1))

    def _items(self, history: History, rng: Random) -> Iterator[KnowledgeItem]:
        silent = [
            index for index, turn in enumerate(history.turns) if turn.speaker == history.user and not _tells(history, index)
        ]
        for number, item in enumerate(history.items):
            if rng.random() >= self.miss:
                other: Polarity = "negative" if item.polarity == "positive" else "positive"
                yield item.model_copy(update={"polarity": other}) if rng.random() < self.flip else item
            if rng.random() < self.invent:
                evidence = (Evidence(turn=rng.choice(silent)),) if silent else ()
                yield KnowledgeItem(statement=f"My lucky number is {1000 + number}.", polarity="positive", evidence=evidence)


def label_schema(steps: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of an answer."""
    texts = {name: {"type": "string", "maxLength": 600} for name in steps}
    item: dict[str, Any] = {
        "statement": {"type": "string", "maxLength": 160},
        "value": {"type": "string", "maxLength": 80},
        "polarity": {"type": "string", "enum": list(get_args(Polarity))},
        "intensity": {"type": "string", "enum": list(get_args(Intensity))},
        "inference": {"type": "string", "enum": list(get_args(Inference))},
        "confidence": {"type": "number"},
        "turn": {"type": "integer"},
        "quote": {"type": "string", "maxLength": 200},
    }
    items = {"type": "array", "maxItems": MOST, "items": _object(item)}
    return _object({"thinking": _object(texts), "items": items})


def read_labels(reply: Reply, history: History) -> Written | Problem:
    """The items of an answer whose quotes stand in the user's turns; the others are left out and named."""
    found = json_of(reply)
    if isinstance(found, Problem):
        return found
    listed = found.get("items")
    if not isinstance(listed, list):
        return Problem("wrong schema", "there is no list 'items' in it")
    read = [_item(entry, history) for entry in listed[:MOST]]
    items = tuple(item for item in read if isinstance(item, KnowledgeItem))
    dropped = tuple(item for item in read if isinstance(item, Rejected))
    return Written(Prediction(id=history.id, items=items, units=1, raw=(reply.text,)), dropped)


def _item(entry: Any, history: History) -> KnowledgeItem | Rejected:
    if not isinstance(entry, dict):
        return Rejected(reason="item: wrong schema", raw=str(entry)[:400])
    fields = {key: entry.get(key) for key in ("statement", "value", "polarity", "intensity", "inference", "confidence")}
    try:
        item = KnowledgeItem.model_validate(fields)
    except ValidationError as error:
        return Rejected(reason="item: wrong schema", raw=f"{entry}: {error.errors()[0]['msg']}"[:400])
    quote = str(entry.get("quote") or "")
    turns = [index for index, turn in enumerate(history.turns) if turn.speaker == history.user]
    turns.sort(key=lambda index: index != entry.get("turn"))
    places = ((index, words) for index in turns if (words := located(quote, history.turns[index].text)))
    place = next(places, None)
    if place is None:
        return Rejected(reason="item: quote not in a user turn", raw=str(entry)[:400])
    return item.model_copy(update={"evidence": (Evidence(turn=place[0], quote=place[1]),)})


@cache
def patterns() -> Mapping[str, Mapping[str, str]]:
    """Thinking pattern -> step -> what to do in it."""
    found: dict[str, dict[str, str]] = yaml.safe_load(prompt_text("patterns.yaml"))
    return found


def _tells(history: History, turn: int) -> bool:
    return any(evidence.turn == turn for item in history.items for evidence in item.evidence)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}
