"""What a rewriter writes: a profile between tags and a prompt between tags; written for training and read again, in one place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kithe.gym.bank import bank
from kithe.gym.style import SHOWN
from kithe.llm.tolerant import find

Edit = Literal["whole", "append"]

_REASONING: Final = re.compile(r"<REASONING>(.*?)</REASONING>", re.S | re.I)
_PROMPT: Final = re.compile(r"<PROMPT>(.*?)</PROMPT>", re.S | re.I)
_TAG: Final = re.compile(r"</?(?:REASONING|PROMPT)>", re.I)
_LINE: Final = re.compile(r"^\s*[-*]?\s*([\w ]+?)\s*[=:]\s*([^(\n]+?)\s*(?:\((.*)\))?\s*$", re.M)


@dataclass(frozen=True)
class Output:
    """What was written.

    Attributes:
        profile: dimension -> value, as far as lines can be read.
        reasoning: the text between its tags.
        prompt: what the deployed model is sent; never empty.
        ok: whether the tags are there, each once and in order.
    """

    profile: Mapping[str, str] = field(default_factory=dict)
    reasoning: str = ""
    prompt: str = ""
    ok: bool = False


def written(profile: Mapping[str, str], evidence: Mapping[str, str], prompt: str, *, reasoning: bool = True) -> str:
    """The text of an output; `prompt` is the whole message or what is added to it."""
    lines = [f"{name} = {value}" + (f" ({evidence[name]})" if evidence.get(name) else "") for name, value in profile.items()]
    head = "<REASONING>\n" + "".join(f"{line}\n" for line in lines) + "</REASONING>\n" if reasoning else ""
    return f"{head}<PROMPT>{prompt}</PROMPT>"


def read(text: str, query: str, edit: Edit, *, reasoning: bool = True) -> Output:
    """What a text says. Without tags, all of it is the prompt (spec C, 4.2); an empty prompt leaves the query as it was.

    A JSON object with `reasoning` and `prompt`, which constrained decoding gives, says the same as the tags.
    """
    text = _tagged(text, reasoning)
    thought, said = _REASONING.search(text), _PROMPT.search(text)
    tags = [tag.upper() for tag in _TAG.findall(text)]
    wanted = [*(["<REASONING>", "</REASONING>"] if reasoning else []), "<PROMPT>", "</PROMPT>"]
    body = (said.group(1) if said else _TAG.sub(" ", text[thought.end() :] if thought else text)).strip()
    prompt = (f"{query} {body}".strip() if edit == "append" else body) if body else query
    inside = thought.group(1).strip() if thought else ""
    return Output(profile(inside), inside, prompt, tags == wanted)


def _tagged(text: str, reasoning: bool) -> str:
    found = find(text) if text.lstrip().startswith("{") else None
    if found is None or not found.complete or not isinstance(found.value, dict) or "prompt" not in found.value:
        return text
    head = f"<REASONING>{found.value.get('reasoning', '')}</REASONING>" if reasoning else ""
    return f"{head}<PROMPT>{found.value['prompt']}</PROMPT>"


def profile(text: str) -> dict[str, str]:
    """Dimension -> value of every line that names a dimension of the bank; the first line about a dimension counts.

    Values are those of the bank where one is meant, and otherwise as they were written.
    """
    found: dict[str, str] = {}
    for name, value, _ in _LINE.findall(text):
        key = name.strip().lower().replace(" ", "_")
        if key in bank().by_name and key not in found:
            own = {option.lower(): option for option in bank().by_name[key].values}
            found[key] = own.get(value.strip().lower(), value.strip())
    return found


def wishes(persona: Mapping[str, str]) -> dict[str, str]:
    """What somebody wants of answers, among everything that is true of them."""
    return {name: persona[name] for name in SHOWN if name in persona}
