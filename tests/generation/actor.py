"""A scripted model: does what the prompts ask for, in its way, unless a test has it misbehave."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kithe.llm.client import Ask, Failure, Reply
from kithe.llm.scripted import ScriptedClient

ROUTINE = [
    "set a timer for ten minutes please",
    "what is the weather like today",
    "turn the lights down a bit",
    "read me the news",
]
Fault = Callable[[Ask, str], str | Failure | Reply]


@dataclass
class Actor:
    """Plays the model; `fault` changes answers, for the first `times` asks only if that is given."""

    fault: Fault | None = None
    times: int | None = None
    asked: list[Ask] = field(default_factory=list)

    @property
    def client(self) -> ScriptedClient:
        return ScriptedClient(self.answer, "actor")

    def answer(self, ask: Ask) -> str | Failure | Reply:
        self.asked.append(ask)
        text = play(ask)
        if self.fault and (self.times is None or len(self.asked) <= self.times):
            return self.fault(ask, text)
        return text


def play(ask: Ask) -> str:
    prompt = ask.messages[0].content
    if "You write one conversation" in prompt:
        return json.dumps({"turns": conversation(prompt)})
    if "Write the section" in prompt:
        return json.dumps(section(prompt, ask.schema or {}))
    if "Think in these steps" in prompt:
        return json.dumps({"thinking": {}, "items": labels(prompt)})
    return " ".join(f"This person {phrase}." for phrase in re.findall(r"^- \w+: (.+)$", prompt, re.M))


def conversation(prompt: str) -> list[dict[str, Any]]:
    facts = dict(re.findall(r"^- (F\d+): (.+?) \(", prompt, re.M))
    turns: list[dict[str, Any]] = []
    for number, told in re.findall(r"^(\d+)\. (show.+)$", prompt, re.M):
        shown = re.findall(r"F\d+", told)
        words = [facts[fact].rstrip(".") for fact in shown]
        text = f"you know what, {words[0]}, so there it is" if words else ROUTINE[int(number) % len(ROUTINE)]
        turns.append({"speaker": "user", "text": text, "shows": shown, "words": [part.upper() for part in words]})
        turns.append({"speaker": "assistant", "text": "All right, that is done for you.", "shows": [], "words": []})
    return turns


def section(prompt: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Each interest line becomes the value of some free key; everything else is null."""
    free = [
        key
        for key, body in schema["properties"].items()
        if not {"enum", "pattern"} & set(body["anyOf"][1]["properties"]["value"])
    ]
    leaves = re.findall(r"^L(\d+): .*> (.+)$", prompt, re.M) if '"Interest"' in prompt else []
    said = {
        key: {"value": leaf, "polarity": "positive", "intensity": "low", "path": f"L{line}"}
        for key, (line, leaf) in zip(free, leaves, strict=False)
    }
    return {key: said.get(key) for key in schema["properties"]}


def labels(prompt: str) -> list[dict[str, Any]]:
    found = re.findall(r"^\[(\d+)\] User: you know what, (.+), so there it is$", prompt, re.M)
    base = {"polarity": "positive", "intensity": "medium", "inference": "explicit", "confidence": 0.9}
    return [{**base, "statement": f"{words}.", "value": words, "turn": int(turn), "quote": words} for turn, words in found]
