"""The client on a model in this process, on a random model with a real tokenizer; and drawing tokens, on known distributions."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from kithe.errors import ConfigError
from kithe.llm.client import Ask, Client
from kithe.llm.inprocess import InProcess
from kithe.llm.models import Tiny
from kithe.llm.sampling import Draws, Sampling
from tests.llm.test_local import SMOLLM2
from tests.llm.test_scripted_client import ask


@dataclass(frozen=True)
class Loud(Tiny):
    """A random model far from uniform."""

    def load(self, dtype: str) -> PreTrainedModel:
        made = super().load(dtype)
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(6)
        return made


@pytest.fixture(scope="module")
def client() -> InProcess:
    return InProcess(Loud("tiny", SMOLLM2), precision="fp32", rows=4, batch_tokens=600, device="cpu")


def asks(count: int, **more: Any) -> list[Ask]:
    return [ask(f"a{n}", f"Tell me about {n} cats.", **{"max_tokens": 12, "temperature": 1.0, **more}) for n in range(count)]


def texts(client: Client, some: list[Ask]) -> dict[str, str]:
    return {reply.id: reply.text for reply in client.complete(some)}


def test_every_ask_once_and_the_same_again(client: InProcess) -> None:
    assert isinstance(client, Client)
    replies = list(client.complete(asks(11)))
    assert sorted(reply.id for reply in replies) == sorted(each.id for each in asks(11))
    assert {reply.model for reply in replies} == {"tiny (local)"}
    assert all(0 < reply.new_tokens <= 12 < reply.prompt_tokens and reply.seconds > 0 for reply in replies)
    assert {reply.id: reply.text for reply in replies} == texts(client, asks(11))


def test_draws_belong_to_the_ask_and_not_to_its_batch(client: InProcess) -> None:
    together = texts(client, asks(7))
    assert {name: text for each in asks(7) for name, text in texts(client, [each]).items()} == together
    assert texts(client, list(reversed(asks(7)))) == together
    assert texts(client, asks(7, seed=1)) != together
    assert len(set(texts(client, [replace(asks(1)[0], id=str(n), seed=n) for n in range(5)]).values())) == 5


def test_without_temperature_the_seed_changes_nothing(client: InProcess) -> None:
    assert texts(client, asks(4, temperature=0.0, seed=1)) == texts(client, asks(4, temperature=0.0))
    mixed = [each if n % 2 else replace(each, temperature=0.0) for n, each in enumerate(asks(6))]
    assert texts(client, mixed)["a0"] == texts(client, asks(1, temperature=0.0))["a0"]


def test_schemas_and_lengths_of_all_kinds_in_one_stream(client: InProcess) -> None:
    schemas = [{"type": "array", "items": {"enum": [word]}, "minItems": 1, "maxItems": 1} for word in ("cat", "dog")]
    some = [replace(each, schema=(None, *schemas)[n % 3], max_tokens=(10, 14)[n % 2]) for n, each in enumerate(asks(12))]
    replies = {reply.id: reply for reply in client.complete(some)}
    for n, each in enumerate(some):
        if n % 3:
            assert json.loads(replies[each.id].text) == [("cat", "dog")[n % 3 - 1]]
            assert replies[each.id].finish == "stop"
        else:
            assert replies[each.id].new_tokens <= each.max_tokens


def test_what_does_not_fit_is_said(client: InProcess) -> None:
    some = [ask("long", "word " * 700, max_tokens=5), ask("fits", "word", max_tokens=5)]
    replies = {reply.id: reply for reply in client.complete(some)}
    assert replies["long"].failure is not None
    assert replies["long"].failure.reason == "too_long"
    assert replies["fits"].ok


def test_a_schema_that_is_none_fails_alone(client: InProcess) -> None:
    some = [replace(asks(1)[0], id="bad", schema={"type": "no such type"}), *asks(1)]
    replies = {reply.id: reply for reply in client.complete(some)}
    assert replies["bad"].failure is not None
    assert replies["bad"].failure.reason == "invalid"
    assert replies["a0"].ok


def test_stops_end_the_answer(client: InProcess) -> None:
    (whole,) = client.complete(asks(1))
    stop = whole.text[3:5]
    (cut,) = client.complete(asks(1, stop=("never said", stop)))
    assert (cut.text, cut.finish) == (whole.text[: whole.text.index(stop)], "stop")


def test_asks_are_taken_a_few_batches_ahead(client: InProcess) -> None:
    taken = 0

    def endless() -> Iterator[Ask]:
        nonlocal taken
        for taken in range(10**9):
            yield ask(str(taken), "x", max_tokens=1)

    kept: list[str] = []
    assert len(list(islice(client.complete(endless(), lambda ask, reply: kept.append(reply.id)), 10))) == 10
    assert taken < 16 <= 4 * 4
    assert len(kept) == 12  # whole batches


def test_names_and_bad_values() -> None:
    client = InProcess(Tiny("tiny", SMOLLM2))
    assert client.name == "tiny (local)"
    assert client.identity != InProcess(Tiny("tiny", SMOLLM2), precision="fp32").identity
    assert client.identity != InProcess(Tiny("tiny", SMOLLM2, seed=1)).identity
    with pytest.raises(ConfigError, match="rows=0"):
        InProcess(Tiny("tiny", SMOLLM2), rows=0)


LOGITS = torch.log(torch.tensor([0.5, 0.25, 0.15, 0.1]))


def drawn(count: int, **how: Any) -> Counter[int]:
    draws = Draws([Sampling(seed=f"{n}", **how) for n in range(count)])
    best, tokens = draws.choose(LOGITS.expand(count, -1).clone(), range(count))
    assert torch.equal(best, LOGITS[tokens])
    return Counter(tokens.tolist())


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    found = drawn(20_000, temperature=1.0)
    for token, share in enumerate((0.5, 0.25, 0.15, 0.1)):
        assert found[token] / 20_000 == pytest.approx(share, abs=0.02)  # six standard errors
    hot = drawn(20_000, temperature=2.0)
    weights = LOGITS.div(2).softmax(-1).tolist()
    assert [hot[token] / 20_000 for token in range(4)] == pytest.approx(weights, abs=0.02)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.4, {0}), (0.5, {0}), (0.6, {0, 1}), (0.8, {0, 1, 2}), (1.0, {0, 1, 2, 3}), (0.0, {0})]
)
def test_top_p_keeps_the_smallest_set_that_is_likely_enough(top_p: float, kept: set[int]) -> None:
    assert set(drawn(500, temperature=1.0, top_p=top_p)) == kept


def test_forbidden_tokens_are_never_drawn() -> None:
    logits = torch.full((200, 50), float("-inf"))
    logits[:, 7] = logits[:, 9] = -80.0
    _, tokens = Draws([Sampling(1.0, 1.0, str(n)) for n in range(200)]).choose(logits, range(200))
    assert set(tokens.tolist()) == {7, 9}


def test_no_temperature_takes_the_likeliest() -> None:
    assert set(drawn(5)) == {0}
