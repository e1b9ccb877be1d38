"""The task `ip_dialog`: answer a request as fits the person that the conversation shows, along one of five pathways."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Literal, get_args

from kithe.errors import ConfigError
from kithe.ip_dialog import prompts, reading
from kithe.ip_dialog.extra import Space, space
from kithe.ip_dialog.pathways import GRAPHS, INTERVENTIONS, SETS, Graph, Intervention, Pathway, Step, without
from kithe.ip_dialog.people import changed
from kithe.ip_dialog.prompts import Style
from kithe.records.chat import ChatExample, ChatRequest, Generation, Message, Prediction, Rejection
from kithe.records.history import History, KnowledgeItem
from kithe.records.question import Question

Calls = Literal["single_call", "strict"]


@dataclass(frozen=True)
class IPDialog:
    """Requests answered along a pathway (system D).

    Attributes:
        pathway: which fields come before the answer.
        calls: `single_call`: one answer with all fields; `strict`: an answer per node, which is shown the node's parents only.
        intervention: a node that is set instead of asked for: the gold attributes, wrong values for the gold types, or the gold
            types. Needs `strict` calls: only there does a node have no other way in.
        left_out: nodes removed from the pathway, for ablations.
        style: how answers are written in training, and when asked unless `asked_style` says otherwise.
        asked_style: how answers are asked for; one that training never showed tests what was learnt beside the form.
        extra: attributes beside the twelve (`kithe.ip_dialog.extra.Extra`); models are shown their values.
        max_new_tokens: longest answer.
    """

    subject: ClassVar[str] = "answers"

    pathway: Pathway = "task_related"
    calls: Calls = "single_call"
    intervention: Intervention = "none"
    left_out: tuple[str, ...] = ()
    style: Style = "fields"
    asked_style: Style | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    max_new_tokens: int = 256

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible, or they do not go together.
        """
        object.__setattr__(self, "left_out", tuple(self.left_out))
        choices = {"pathway": tuple(GRAPHS), "calls": get_args(Calls), "intervention": INTERVENTIONS, "style": get_args(Style)}
        for name, values in choices.items():
            if getattr(self, name) not in values:
                raise ConfigError(f"task.format.{name}={getattr(self, name)}: allowed: {', '.join(values)}")
        if self.asked_style not in (None, *get_args(Style)):
            raise ConfigError(f"task.format.asked_style={self.asked_style}: allowed: null, {', '.join(get_args(Style))}")
        if self.max_new_tokens < 1:
            raise ConfigError(f"task.format.max_new_tokens={self.max_new_tokens}: it must be at least 1")
        nodes = GRAPHS[self.pathway].nodes - {"answer"}
        if set(self.left_out) - nodes:
            raise ConfigError(
                f"task.format.left_out={list(self.left_out)}: {self.pathway} has the nodes {', '.join(sorted(nodes)) or 'none'}"
            )
        if self.intervention != "none":
            self._check_intervention()
        space(self.extra)  # refuses what is wrong with it

    def _check_intervention(self) -> None:
        node = SETS[self.intervention]
        if self.calls != "strict":
            raise ConfigError(f"task.format.intervention={self.intervention} needs task.format.calls=strict")
        if node not in self.graph.nodes:
            having = [name for name, graph in GRAPHS.items() if node in graph.nodes]
            raise ConfigError(
                f"task.format.intervention={self.intervention}: {self.pathway} has no node '{node}'; with it: {', '.join(having)}"
            )

    @property
    def version(self) -> str:
        """Of prompts and targets."""
        return f"ip_dialog-{prompts.VERSION}"

    @cached_property
    def known(self) -> Space:
        """The attributes there are."""
        return space(self.extra)

    @cached_property
    def graph(self) -> Graph:
        """The pathway without what is left out."""
        return without(GRAPHS[self.pathway], frozenset(self.left_out))

    @cached_property
    def rounds(self) -> tuple[tuple[Step, ...], ...]:
        """The steps asked for in each answer."""
        given = frozenset([SETS[self.intervention]]) if self.intervention != "none" else frozenset[str]()
        return self._split(self.graph.asked(given))

    @cached_property
    def taught(self) -> tuple[tuple[Step, ...], ...]:
        """The steps that each training answer shows: all of them, whatever is set when a model is asked."""
        return self._split(self.graph.steps)

    def _split(self, steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], ...]:
        return (steps,) if self.calls == "single_call" else tuple((step,) for step in steps)

    def fitted(self, context: int) -> "IPDialog":
        """The same; a conversation is never cut, since any turn may matter. An answer takes a third of the context at most."""
        return replace(self, max_new_tokens=min(self.max_new_tokens, max(1, context // 3)))

    def needs(self) -> frozenset[str]:
        """Training items must come with a question."""
        return frozenset({"question"})

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        """What to learn: each answer of the pathway, with the gold content of the steps before it."""
        return [
            ChatExample(
                id=f"{history.id}#{number}",
                prompt=self._prompt(history, steps, prompts.gold(question(history)), self.style),
                answer=prompts.written(prompts.gold(question(history), self.style), steps, self.style),
            )
            for history in histories
            for number, steps in enumerate(self.taught)
        ]

    def requests(self, history: History, shots: Sequence[ChatExample] = ()) -> list[ChatRequest]:
        """The first thing to ask, after worked examples of it."""
        prompt = self._prompt(history, self.rounds[0], self._set(history), self.asked_style or self.style)
        alike = [shot for shot in shots if shot.id.endswith(f"#{self.taught.index(self.rounds[0])}")]
        return [ChatRequest(id=f"{history.id}#0", prompt=_with_shots(prompt, alike))]

    def follow_up(self, history: History, generations: Sequence[Generation]) -> list[ChatRequest]:
        """What to ask next, given the answers so far; nothing once the pathway is through."""
        number = len(generations)
        if number >= len(self.rounds):
            return []
        known = {**self._found(generations), **self._set(history)}
        prompt = self._prompt(history, self.rounds[number], known, self.asked_style or self.style)
        return [ChatRequest(id=f"{history.id}#{number}", prompt=prompt)]

    def prediction(self, history: History, generations: Sequence[Generation]) -> Prediction:
        """The attributes a model named, and its whole text for the judge.

        Raises:
            ValueError: the answers are not those to this history's requests.
        """
        if [item.id for item in generations] != [f"{history.id}#{number}" for number in range(len(self.rounds))]:
            raise ValueError(f"history '{history.id}': {len(generations)} answers do not match its {len(self.rounds)} requests")
        text = self._whole(history, generations)
        found = reading.read(text)
        said = reading.values(found.answer, question(history).form)
        return Prediction(
            id=history.id,
            items=tuple(_items(found.attributes or {})),
            units=1,
            unparsed=int(said is None),
            rejected=() if said else (Rejection(reason="no answer in the form asked for", raw=text),),
            raw=(text,),
        )

    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer with all fields."""
        names = [name for name, _ in prompts.fields(self.rounds[-1])]
        return {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": names,
            "additionalProperties": False,
        }

    def _prompt(self, history: History, steps: Sequence[Step], given: Mapping[str, str], style: Style) -> tuple[Message, ...]:
        return prompts.messages(history, question(history), steps, given, style, self.known.schema)

    def _set(self, history: History) -> dict[str, str]:
        """The content of the node that is set."""
        asked = question(history)
        if self.intervention == "gold_types":
            return {"types": prompts.gold(asked)["types"]}
        if self.intervention == "gold_attributes":
            return {"related": prompts.gold(asked)["related"]}
        return {"related": _wrong(asked, history.id, self.known)} if self.intervention == "random_attributes" else {}

    def _found(self, generations: Sequence[Generation]) -> dict[str, str]:
        """What the answers so far say, by node."""
        steps = [steps[0] for steps in self.rounds]
        return {step.node: content(item.text) for step, item in zip(steps, generations, strict=False)}

    def _whole(self, history: History, generations: Sequence[Generation]) -> str:
        """All fields in one text, as if written at once."""
        if len(self.rounds) == 1 and self.intervention == "none":
            return generations[0].text
        found = {**self._found(generations[:-1]), **self._set(history)}
        fields: dict[str, str] = {step.node: step.field for step in self.graph.steps}
        lines = [f"- {fields[node]}: [{text}]" for node, text in found.items()]
        return "\n".join([*lines, generations[-1].text])


def question(history: History) -> Question:
    """The question of a history.

    Raises:
        ConfigError: it has none.
    """
    if history.question is None:
        raise ConfigError(f"history '{history.id}' of {history.source} asks nothing; task=ip_dialog needs data=ip_dialog")
    return history.question


def content(text: str) -> str:
    """What stands in the one field of an answer: inside its brackets, after its label, or all of it."""
    bare = text.strip()
    if "[" in bare:
        bare = bare.split("[", 1)[1].split("]", 1)[0]
    elif bare.startswith("- ") and ":" in bare:
        bare = bare.split(":", 1)[1]
    return " ".join(bare.split())


def _wrong(asked: Question, name: str, known: Space) -> str:
    """The related types with other values, as far as the person stays possible."""
    random, person = Random(f"{name}/random"), dict(asked.persona)
    pairs = []
    for key, value in asked.related.items():
        values = known.schema.attributes[key].values
        possible = [other[key] for other in changed(person, key, known.schema, known.rules)]
        others = possible or [other for other in values if other != value]
        pairs.append(f"{key}: {random.choice(others)}")
    return ", ".join(pairs)


def _items(attributes: Mapping[str, str]) -> Iterator[KnowledgeItem]:
    for name, value in attributes.items():
        yield KnowledgeItem(statement=f"My {name} is {value}.", key=name, value=value, inference="implicit")


def _with_shots(prompt: tuple[Message, ...], shots: Sequence[ChatExample]) -> tuple[Message, ...]:
    """The prompt with worked examples between its instruction and its question."""
    worked = [part for shot in shots for part in (shot.prompt[-1], Message(role="assistant", content=shot.answer))]
    return (*prompt[:-1], *worked, prompt[-1])
