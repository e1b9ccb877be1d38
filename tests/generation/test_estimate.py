"""What a run would ask is said before it asks, and nothing is asked for that."""

import re
from pathlib import Path

import pytest
from actor import Actor
from cases import Terse

from kithe.generation.estimate import estimated, missing
from kithe.generation.extraction import Extraction, ModelExtractor
from kithe.generation.pipeline import Block, Pipeline
from kithe.generation.stages import Dialogues, Personas, Stage
from kithe.generation.teacher import Model
from kithe.llm.budget import Prices
from kithe.llm.client import Ask, Client

BLOCK = Block("train", 0, range(30))


class Priced:
    """A client with prices around another one."""

    def __init__(self, client: Client) -> None:
        self.client, self.name, self.identity, self.prices = client, client.name, client.identity, Prices(input=1.0, output=2.0)
        self.complete = client.complete


def line(root: Path, client: Client, each: int = 2) -> Pipeline:
    teacher = Model(client)
    stages: dict[str, Stage] = {
        "personas": Personas(teacher),
        "dialogues": Dialogues(teacher, each),
        "extraction": Extraction(ModelExtractor(client)),
    }
    return Pipeline(stages, {name: root / name for name in stages}, seed=0, together=10)


def test_an_estimate_asks_nothing_and_bounds_what_is_asked(tmp_path: Path) -> None:
    actor = Actor()
    pipeline = line(tmp_path, Priced(actor.client))
    before = list(missing(pipeline, [BLOCK]))
    assert actor.asked == []
    assert not list(tmp_path.rglob("*.jsonl"))
    assert [(one.stage, one.rows) for one in before] == [("personas", 30), ("dialogues", 60), ("extraction", 60)]
    text = estimated(pipeline, [BLOCK])
    assert "personas: 30 rows by scripted:actor: 240 calls" in text
    assert "dialogues: 60 rows by scripted:actor: 60 calls" in text
    assert all(float(cost) > 0 for cost in re.findall(r"at most (\d+\.\d+) at the prices", text))
    assert not pipeline.run([BLOCK])
    assert len(actor.asked) == pytest.approx(240 + 60 + 60, rel=0.1)
    words = sum(len(message.content.split()) for ask in actor.asked for message in ask.messages)
    said = sum(int(count) for count in re.findall(r"about (\d+) prompt tokens", text))
    assert said > words
    assert estimated(pipeline, [BLOCK]).startswith("nothing to ask")


def test_only_what_is_missing_counts(tmp_path: Path) -> None:
    actor = Actor()
    pipeline = line(tmp_path, actor.client)
    pipeline.run([Block("train", 0, range(10))])
    rows = {one.stage: one.rows for one in missing(pipeline, [BLOCK])}
    assert rows == {"personas": 20, "dialogues": 40, "extraction": 40}


def test_a_scripted_teacher_asks_nobody(tmp_path: Path) -> None:
    pipeline = Pipeline({"personas": Personas(Terse())}, {"personas": tmp_path}, seed=0, together=4)
    assert estimated(pipeline, [BLOCK]).startswith("nothing to ask")


def test_a_run_that_is_killed_pays_for_nothing_twice(tmp_path: Path) -> None:
    from kithe.llm.cache import Cached

    actor = Actor()
    spent: list[Ask] = []

    def dies(ask: Ask, text: str) -> str:
        if len(actor.asked) == 100:
            raise KeyboardInterrupt
        return text

    actor.fault = dies
    block = Block("train", 0, range(12))
    with pytest.raises(KeyboardInterrupt):
        line(tmp_path, Cached(actor.client, str(tmp_path / "answers.sqlite"))).run([block])
    spent += actor.asked[:-1]
    actor.fault, actor.asked = None, []
    pipeline = line(tmp_path, Cached(actor.client, str(tmp_path / "answers.sqlite")))
    assert not pipeline.run([block])
    spent += actor.asked
    keys = [(ask.messages, ask.seed) for ask in spent]
    assert len(keys) == len(set(keys))
    straight = Actor()
    whole = line(tmp_path / "straight", straight.client)
    assert not whole.run([block])
    assert len(spent) == len(straight.asked)
    assert list(whole.rows(block)) == list(pipeline.rows(block))
