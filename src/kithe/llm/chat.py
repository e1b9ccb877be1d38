"""The one place where chats become text and tokens, for training, prediction and reinforcement alike.

Training and prediction can only agree about a prompt if the same function writes it. The supervised part of a training
example is what its rendering adds to the rendering of its prompt, so any template that leaves the prompt as it was works,
whether or not it marks assistant tokens.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kithe.errors import ConfigError
from kithe.records.chat import ChatExample, Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# What templates may ask for beside the messages. Reasoning templates then close their empty think block inside the prompt,
# and templates that print today's date print a fixed one, so that a prompt does not change overnight.
VARIABLES: Final[dict[str, Any]] = {"enable_thinking": False, "date_string": "26 Jul 2024"}


@dataclass(frozen=True)
class Encoded:
    """A tokenised training example.

    Attributes:
        ids: token ids of prompt and answer, ending with the turn terminator; shape [length].
        supervised: whether each token is learnt, False throughout the prompt; shape [length].
    """

    ids: list[int]
    supervised: list[bool]

    @property
    def targets(self) -> int:
        """How many tokens are learnt."""
        return sum(self.supervised)


def render(tokenizer: "PreTrainedTokenizerBase", prompt: Sequence[Message]) -> list[int]:
    """The token ids of a prompt, the generation prompt included.

    Raises:
        ConfigError: the tokenizer has no chat template.
    """
    return _ids(tokenizer, _text(tokenizer, prompt, generation_prompt=True))


def encode(tokenizer: "PreTrainedTokenizerBase", prompt: Sequence[Message], answer: str) -> Encoded:
    """A training example: `render(prompt)`, then the answer and the end of the turn, which alone are supervised.

    Raises:
        ConfigError: the tokenizer has no chat template.
        ValueError: the template rewrites the prompt once an answer follows, does not close the turn with a special token,
            or leaves nothing of the answer to learn.
    """
    before = _text(tokenizer, prompt, generation_prompt=True)
    whole = _text(tokenizer, [*prompt, Message(role="assistant", content=answer)], generation_prompt=False)
    if not whole.startswith(before):
        raise ValueError("the chat template changes the prompt when an answer follows, so the answer has no certain beginning")
    prompt_ids = _ids(tokenizer, before)
    answer_ids = _closed(tokenizer, _continuation(tokenizer, prompt_ids, before, whole))
    if len(answer_ids) < 2:
        raise ValueError("nothing to learn: the chat template leaves no token of the answer")
    return Encoded(prompt_ids + answer_ids, [False] * len(prompt_ids) + [True] * len(answer_ids))


def encode_example(tokenizer: "PreTrainedTokenizerBase", example: ChatExample) -> Encoded:
    """`encode` for a record; its ValueErrors name the record."""
    try:
        return encode(tokenizer, example.prompt, example.answer)
    except ValueError as error:
        raise ValueError(f"example '{example.id}': {error}") from error


def terminator(tokenizer: "PreTrainedTokenizerBase") -> int:
    """The token that ends an assistant's turn, which training teaches and generation must stop at."""
    return encode(tokenizer, [Message(role="user", content="a")], "b").ids[-1]


def template_hash(tokenizer: "PreTrainedTokenizerBase") -> str:
    """16 hexadecimal digits that change with the chat template or with the values given to it."""
    content = json.dumps([tokenizer.chat_template, VARIABLES], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _text(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], *, generation_prompt: bool) -> str:
    if not tokenizer.chat_template:
        raise ConfigError(
            f"model={tokenizer.name_or_path}: its tokenizer has no chat template; choose an instruction-tuned model "
            "or add a chat_template.jinja to its folder"
        )
    chat = [{"role": message.role, "content": message.content} for message in messages]
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=generation_prompt, **VARIABLES))


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    # The template has written every special token already.
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _continuation(tokenizer: "PreTrainedTokenizerBase", prompt_ids: list[int], before: str, whole: str) -> list[int]:
    ids = _ids(tokenizer, whole)
    if ids[: len(prompt_ids)] == prompt_ids:
        return ids[len(prompt_ids) :]
    # A token spans the boundary; a model that continues the prompt cannot produce it, so the answer is tokenised alone.
    return _ids(tokenizer, whole[len(before) :])


def _closed(tokenizer: "PreTrainedTokenizerBase", ids: list[int]) -> list[int]:
    """`ids` up to the turn terminator: without the white space that templates put between turns."""
    end = len(ids)
    while end and not str(tokenizer.decode(ids[end - 1 : end])).strip():
        end -= 1
    if not end or not _ends_turn(tokenizer, ids[end - 1]):
        raise ValueError("the chat template does not close the assistant's turn with a special token")
    return ids[:end]


def _ends_turn(tokenizer: "PreTrainedTokenizerBase", token: int) -> bool:
    if token == tokenizer.eos_token_id:
        return True
    added = tokenizer.added_tokens_decoder.get(token)
    special = token in tokenizer.all_special_ids or (added is not None and bool(added.special))
    return special and token != tokenizer.bos_token_id
