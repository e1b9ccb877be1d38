"""Groups of answers: drawn the same however they are batched, and scored the same with one reading of the prompt as with many."""

from collections.abc import Sequence

import pytest
import torch
from peft import PeftModel

from kithe.llm.folders import load_folder, load_tokenizer
from kithe.llm.local import Drawn
from kithe.llm.sampling import Sampling
from kithe.training.adapters import Lora, Recipe
from kithe.training.grpo.rollouts import Frozen, Rollout, _beside, _padded, draw, log_probabilities, parts
from kithe.training.grpo.settings import Rollouts

PROMPT = tuple(range(20, 60))


def answers() -> list[Rollout]:
    return [Rollout(0, PROMPT, Drawn(ids, True, "")) for ids in ((70, 71, 72, 1), (80, 1), (1,), (90, 91, 92, 93))]


@pytest.fixture(scope="module")
def model(bytes_model: str):  # type: ignore[no-untyped-def]
    from pathlib import Path

    return load_folder(Path(bytes_model), "fp32")


def test_one_reading_of_the_prompt_gives_what_many_give_and_the_same_gradients(model) -> None:  # type: ignore[no-untyped-def]
    scores = log_probabilities(model, answers(), 0.7)
    _, mask = _padded(answers(), torch.device("cpu"))
    logits = _beside(model, answers(), mask) / 0.7
    targets = torch.tensor([token for own in answers() for token in own.drawn.ids])
    plain = logits.log_softmax(-1).gather(-1, targets[:, None])[:, 0]
    assert torch.allclose(scores.values[scores.mask], plain, atol=1e-5)
    assert scores.values[~scores.mask].abs().max() == 0
    assert float(scores.entropy.sum()) == pytest.approx(float(-(logits.softmax(-1) * logits.log_softmax(-1)).sum()), rel=1e-4)
    weight = model.model.layers[0].self_attn.k_proj.weight
    first = torch.autograd.grad(scores.values.sum(), weight)[0]
    second = torch.autograd.grad(plain.sum(), weight)[0]
    assert torch.allclose(first, second, atol=1e-4 * float(second.abs().max()))


def test_an_answer_of_one_token_is_scored_after_the_prompt_alone(model) -> None:  # type: ignore[no-untyped-def]
    one = [answers()[2]]
    assert log_probabilities(model, one, 1.0).values.shape == (1, 1)
    both = log_probabilities(model, answers(), 1.0)
    assert float(log_probabilities(model, one, 1.0).values[0, 0]) == pytest.approx(float(both.values[2, 0]), abs=1e-5)


def drawn(model, folder: str, at_once: int) -> Sequence[Rollout]:  # type: ignore[no-untyped-def]
    from pathlib import Path

    prompts = [(0, PROMPT), (1, PROMPT[:13]), (2, PROMPT[:30])]
    sampling = [[Sampling(1.0, 1.0, f"{state}/{number}") for number in range(4)] for state, _ in prompts]
    return draw(model, load_tokenizer(Path(folder)), prompts, sampling, 6, at_once)


def test_what_is_drawn_does_not_depend_on_the_batch_and_differs_in_a_group(model, bytes_model: str) -> None:  # type: ignore[no-untyped-def]
    together, apart = drawn(model, bytes_model, 12), drawn(model, bytes_model, 4)
    assert [own.drawn.ids for own in together] == [own.drawn.ids for own in apart]
    assert [own.state for own in together] == [0] * 4 + [1] * 4 + [2] * 4
    assert len({own.drawn.ids for own in together[:4]}) > 1


def test_micro_batches_hold_answers_to_one_prompt() -> None:
    rollouts = [*answers(), *(Rollout(1, PROMPT[:5], own.drawn) for own in answers())]
    found = parts(rollouts, 3)
    assert sorted(place for part in found for place in part) == list(range(8))
    assert all(len(part) <= 3 and len({rollouts[place].prompt for place in part}) == 1 for part in found)


def test_the_reference_of_fresh_adapters_is_the_model_with_adapters_off(bytes_model: str) -> None:
    from pathlib import Path

    own = Lora(Recipe(1e-3), rank=4, alpha=8).prepare(load_folder(Path(bytes_model), "fp32"))
    assert isinstance(own, PeftModel)
    reference = Frozen(own)
    start = log_probabilities(own, answers(), 1.0).values.detach()  # type: ignore[arg-type]
    with torch.no_grad():
        for name, weight in own.named_parameters():
            if "lora_B" in name:
                weight.add_(0.1)
        now = log_probabilities(own, answers(), 1.0).values  # type: ignore[arg-type]
        with reference.within(own):
            kept = log_probabilities(own, answers(), 1.0).values  # type: ignore[arg-type]
        with own.disable_adapter():
            off = log_probabilities(own, answers(), 1.0).values  # type: ignore[arg-type]
    assert torch.equal(kept, start)
    assert torch.allclose(kept, off, atol=1e-6)
    assert not torch.allclose(now, kept, atol=1e-3)


def test_a_group_needs_two_answers() -> None:
    from kithe.errors import ConfigError

    with pytest.raises(ConfigError, match=r"adapt\.rollouts\.group=1"):
        Rollouts(group=1)
