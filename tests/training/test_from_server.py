"""Prediction by a model behind a server: nothing asked twice, nothing lost."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError, Stopped
from kithe.llm.client import Ask, Failure
from kithe.llm.remote import Remote
from kithe.llm.scripted import ScriptedClient
from kithe.records.chat import ChatRequest, Message
from kithe.training.server import from_server

REQUESTS = [ChatRequest(id=f"h#{number}", prompt=(Message(role="user", content=f"say {number}"),)) for number in range(6)]


class Player:
    """A client that answers with the prompt, and remembers what it was asked."""

    def __init__(self, reply: Callable[[Ask], str | Failure] = lambda ask: ask.messages[-1].content) -> None:
        self.asks: list[Ask] = []
        self.client = ScriptedClient(lambda ask: self.asks.append(ask) or reply(ask), "server")  # type: ignore[func-returns-value]


def test_answers_come_in_the_order_of_the_requests_and_are_kept(tmp_path: Path) -> None:
    player = Player()
    found = from_server(player.client, REQUESTS, folder=tmp_path, max_new_tokens=9)
    assert [item.text for item in found.generations] == [f"say {number}" for number in range(6)]
    assert found.tokens == 6 * 4
    assert {ask.max_tokens for ask in player.asks} == {9}
    again = from_server(player.client, REQUESTS, folder=tmp_path)
    assert again.generations == found.generations
    assert len(player.asks) == 6


def test_an_answer_to_another_prompt_is_refused(tmp_path: Path) -> None:
    player = Player()
    from_server(player.client, REQUESTS, folder=tmp_path)
    other = REQUESTS[3].model_copy(update={"prompt": (Message(role="user", content="say 9"),)})
    with pytest.raises(ConfigError, match=rf"another prompt of id 'h#3'.*rm -r {tmp_path}"):
        from_server(player.client, [*REQUESTS[:3], other, *REQUESTS[4:]], folder=tmp_path)
    assert len(player.asks) == 6


def test_it_says_how_far_it_is_if_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from_server(Player().client, REQUESTS[:4], folder=tmp_path)
    assert capsys.readouterr().err == ""
    from_server(Player().client, REQUESTS, folder=tmp_path, progress=True)
    assert capsys.readouterr().err.splitlines() == ["predict: goes on after 4 of 6 requests", "predict: 6 of 6 requests, 0 s"]
    from_server(Player().client, REQUESTS, folder=tmp_path, progress=True)
    assert capsys.readouterr().err == ""


def test_a_stop_and_a_torn_line_lose_at_most_one_answer(tmp_path: Path) -> None:
    player = Player()
    with pytest.raises(Stopped):
        from_server(player.client, REQUESTS, folder=tmp_path, stop=lambda: len(player.asks) == 3)
    file = tmp_path / "generations.rank0.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    assert len(from_server(player.client, REQUESTS, folder=tmp_path).generations) == 6
    assert len(player.asks) == 3 + 4


def seconds(folder: Path) -> list[float]:
    return [json.loads(line)["seconds"] for line in (folder / "seconds.rank0.jsonl").read_text().splitlines()]


def test_the_time_of_every_answer_outlives_a_kill(tmp_path: Path) -> None:
    def dies(ask: Ask) -> str:
        if ask.id == "h#3":
            os._exit(9)
        return "yes"

    child = os.fork()
    if not child:
        try:
            from_server(Player(dies).client, REQUESTS, folder=tmp_path)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    spent = seconds(tmp_path)
    assert len(spent) == len((tmp_path / "generations.rank0.jsonl").read_text().splitlines()) == 3
    found = from_server(Player().client, REQUESTS, folder=tmp_path)
    assert seconds(tmp_path)[:3] == spent
    assert len(seconds(tmp_path)) == 6
    assert found.seconds == pytest.approx(sum(seconds(tmp_path)))


def test_a_torn_line_of_seconds_is_cut(tmp_path: Path) -> None:
    from_server(Player().client, REQUESTS[:2], folder=tmp_path)
    whole = seconds(tmp_path)
    with open(tmp_path / "seconds.rank0.jsonl", "ab") as file:
        file.write(b'{"seco')
    from_server(Player().client, REQUESTS, folder=tmp_path)
    assert seconds(tmp_path)[: len(whole)] == whole


def test_what_may_pass_is_asked_again_and_what_does_not_is_an_empty_answer(tmp_path: Path) -> None:
    down = [True]

    def reply(ask: Ask) -> str | Failure:
        if "1" in ask.messages[-1].content:
            return Failure("too_long", "no room")
        return Failure("rate_limited", "later") if "2" in ask.messages[-1].content and down[0] else "[]"

    player = Player(reply)
    with pytest.raises(ConfigError, match=r"1 of 6 requests got no answer \(1 rate_limited\).*Repeat"):
        from_server(player.client, REQUESTS, folder=tmp_path)
    down[0] = False
    found = from_server(player.client, REQUESTS, folder=tmp_path)
    assert [item.text for item in found.generations] == ["[]", "", "[]", "[]", "[]", "[]"]
    assert len(player.asks) == 7


def test_a_schema_goes_with_every_ask(tmp_path: Path) -> None:
    player = Player()
    from_server(player.client, REQUESTS[:1], folder=tmp_path, schema={"type": "array"})
    assert player.asks[0].schema == {"type": "array"}


WORDS = ["model=endpoint", "model.client.client.model=any", "task/test=sample"]


def test_it_cannot_be_trained_and_says_so() -> None:
    with pytest.raises(ConfigError, match="adapt=lora: model=endpoint is behind a server"):
        Cell.of(compose([*WORDS, "adapt=lora"]))
    with pytest.raises(ConfigError, match="its weights are not here"):
        Remote(Player().client).folder()


def test_how_it_is_reached_changes_no_id_and_what_it_is_does() -> None:
    ways = ([], ["model.client.client.concurrency=3", "model.client.path=x"])
    same = [Cell.of(compose([*WORDS, *more])).identity.run for more in ways]
    other = Cell.of(compose([*WORDS, "model.client.client.model=another"])).identity.run
    assert same[0] == same[1] != other
    cell = Cell.of(compose(WORDS))
    assert (cell.placement.processes, cell.placement.accelerator) == (1, "cpu")
    assert json.dumps(cell.config)
