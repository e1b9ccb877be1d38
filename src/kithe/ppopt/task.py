"""The task `ppopt`: infer how somebody likes answers, then rewrite their new message (system C)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

from kithe.errors import ConfigError, at_least
from kithe.gym.bank import bank
from kithe.gym.style import SHOWN
from kithe.ppopt import output
from kithe.ppopt.output import Edit
from kithe.ppopt.states import State, fitting, prompt, question, shown, state
from kithe.ppopt.texts import texts
from kithe.records.chat import ChatExample, ChatRequest, Generation, Message, Prediction, Rejection
from kithe.records.history import History, KnowledgeItem

VERSION = 2  # of how targets are put and answers are read
_CHARACTERS_A_TOKEN = 3  # English in subword vocabularies has about four


@dataclass(frozen=True)
class PPOpt:
    """Reason, then optimise.

    Attributes:
        edit: `whole`: the new message is written anew; `append`: only what is added to it is written.
        reasoning: whether a profile comes first; without it, rewriting alone is learnt (an ablation).
        evidence: whether each line of the profile quotes what it is taken from.
        menu: whether the instruction lists the dimensions with their values, for models that have not been taught them.
        instructed: whether a model is told what to do; one that is taught from nothing does without.
        sessions: so many past sessions are shown, from 0 to 4 in the paper.
        characters: of every past message.
        max_new_tokens: longest answer.
        room: characters that the sessions and the new message may take; see `fitted`.
    """

    subject: ClassVar[str] = "rewritten messages"

    edit: Edit = "whole"
    reasoning: bool = True
    evidence: bool = True
    menu: bool = True
    instructed: bool = True
    sessions: int = 4
    characters: int = 500
    max_new_tokens: int = 512
    room: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.edit not in get_args(Edit):
            raise ConfigError(f"task.format.edit={self.edit}: allowed: {', '.join(get_args(Edit))}")
        for name, least in (("sessions", 0), ("characters", 1), ("max_new_tokens", 1)):
            at_least(f"task.format.{name}", getattr(self, name), least)

    @property
    def version(self) -> str:
        """Of prompts and targets."""
        return f"ppopt-{texts().version}.{VERSION}"

    def fitted(self, context: int) -> "PPOpt":
        """The same with an answer of half the context at most, and the oldest sessions left out where they have no room."""
        longest = min(self.max_new_tokens, max(1, context // 2))
        return replace(self, max_new_tokens=longest, room=(context - longest) * _CHARACTERS_A_TOKEN - len(self.instruction))

    @property
    def instruction(self) -> str:
        """What to write; the only words about it there are, for supervised targets and for rewards alike (defect U4)."""
        words = texts()
        profile = [words.reasoning_evidence if self.evidence else words.reasoning] if self.reasoning else []
        values = [f"{name} ({', '.join(bank().by_name[name].values)})" for name in SHOWN]
        names = [words.dimensions.format(names="; ".join(values))] if self.reasoning and self.menu else []
        return "\n".join([*profile, words.whole if self.edit == "whole" else words.append, *names])

    def state(self, history: History) -> State:
        """What is shown of a history."""
        own = state(history, self.sessions, self.characters)
        return own if self.room is None else fitting(own, self.room)

    def needs(self) -> frozenset[str]:
        """Training data must come with a new message."""
        return frozenset({"question"})

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        """The cold start: what the teacher wrote, where its target passed the filters."""
        return [
            ChatExample(id=f"{history.id}#0", prompt=self._prompt(history), answer=self.target(history))
            for history in histories
            if question(history).answer
        ]

    def target(self, history: History) -> str:
        """The teacher's answer in the form asked for."""
        asked = question(history)
        profile = output.profile(asked.analysis)
        lines = dict(line.split(" = ", 1) for line in asked.analysis.splitlines() if " = " in line)
        proof = {name: lines[name].partition("(")[2].rstrip(")") for name in profile if name in lines} if self.evidence else {}
        whole = asked.answer[0]
        text = whole.removeprefix(asked.text).strip() if self.edit == "append" else whole
        return output.written(profile, proof, text, reasoning=self.reasoning)

    def requests(self, history: History, shots: Sequence[ChatExample] = ()) -> list[ChatRequest]:
        """One request, after worked examples."""
        worked = [part for shot in shots for part in (*shot.prompt, Message(role="assistant", content=shot.answer))]
        return [ChatRequest(id=f"{history.id}#0", prompt=(*worked, *self._prompt(history)))]

    def prediction(self, history: History, generations: Sequence[Generation]) -> Prediction:
        """The profile as items; the whole text and the prompt as `raw`.

        Raises:
            ValueError: the answers are not those to this history's requests.
        """
        if [item.id for item in generations] != [f"{history.id}#0"]:
            raise ValueError(f"history '{history.id}': {len(generations)} answers do not match its request")
        return self.predicted(history, generations[0].text)

    def predicted(self, history: History, text: str) -> Prediction:
        """What a text says about a history."""
        found = output.read(text, question(history).text, self.edit, reasoning=self.reasoning)
        return Prediction(
            id=history.id,
            items=tuple(_items(found.profile)),
            units=1,
            unparsed=int(not found.ok),
            rejected=() if found.ok else (Rejection(reason="not in the form asked for", raw=text),),
            raw=(text, found.prompt),
        )

    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer, for constrained decoding."""
        parts = ["reasoning", "prompt"] if self.reasoning else ["prompt"]
        return {
            "type": "object",
            "properties": {name: {"type": "string"} for name in parts},
            "required": parts,
            "additionalProperties": False,
        }

    def _prompt(self, history: History) -> tuple[Message, ...]:
        own = self.state(history)
        return prompt(own, self.instruction) if self.instructed else (Message(role="user", content=shown(own)),)


def _items(profile: Mapping[str, str]) -> Iterator[KnowledgeItem]:
    for name, value in profile.items():
        yield KnowledgeItem(statement=f"I want {name.replace('_', ' ')}: {value}.", key=name, value=value, inference="implicit")


def inferred(prediction: Prediction) -> dict[str, str]:
    """The profile of a prediction."""
    return {item.key: item.value for item in prediction.items if item.key and item.value}


def rewritten(prediction: Prediction) -> str:
    """The prompt that a prediction sends to the deployed model."""
    return prediction.raw[-1]
