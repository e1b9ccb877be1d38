"""The whole chain against a real model: at most thirty calls, every row valid or in quarantine with a reason, nothing paid twice.

SmolLM2-135M is far too small to write personas; what is tested is that whatever it says ends where it should.
"""

from collections import Counter
from pathlib import Path

import pytest

from kithe.dialogues.mix import Mix
from kithe.generation.extraction import Extraction, ModelExtractor
from kithe.generation.log import Rejected
from kithe.generation.pipeline import Block, Pipeline
from kithe.generation.profiles import Profiles
from kithe.generation.stages import Dialogues, Personas, Stage, Written
from kithe.generation.teacher import Model, stand_in
from kithe.generation.turns import plan
from kithe.generation.writing import Writing
from kithe.llm.cache import Cached
from kithe.llm.client import Client
from kithe.llm.endpoint import Endpoint
from kithe.llm.inprocess import InProcess
from kithe.personas.paths import Sampling
from kithe.records.chat import Prediction
from kithe.records.history import History
from tests.generation.cases import Terse
from tests.llm.serving import Served
from tests.llm.test_local import SMOLLM2

pytestmark = pytest.mark.slow
BLOCK = Block("train", 0, range(2))


class Invented(Terse):
    """Complete personas by the scripted teacher, and no dialogues."""

    def persona(self, seed: int, index: int, unseen: bool = False):  # type: ignore[no-untyped-def]
        return stand_in(str(index), seed)


def chain(root: Path, client: Client) -> Pipeline:
    """Dialogues of scripted personas by the model."""
    stages: dict[str, Stage] = {
        "personas": Personas(Invented()),
        "dialogues": Dialogues(Model(client, writing=Writing(max_tokens=240))),
    }
    return Pipeline(stages, {name: root / name for name in stages}, seed=1, together=2)


def labelling(root: Path, client: Client) -> Pipeline:
    """Scripted dialogues, labelled by the model."""
    stages: dict[str, Stage] = {
        "personas": Personas(Terse()),
        "dialogues": Dialogues(Terse()),
        "extraction": Extraction(ModelExtractor(client, max_tokens=120)),
    }
    return Pipeline(stages, {name: root / name for name in stages}, seed=1, together=2)


def check(line: Pipeline) -> Counter[str]:
    """Every row is whole or says why it is not; returns how many of each."""
    found: Counter[str] = Counter()
    for key, texts in line.rows(BLOCK):
        history = History.model_validate_json(texts["dialogues"])
        expected = plan(stand_in(key.split("-")[0], 1), Mix(), _rng(history.id))
        assert sum(turn.speaker == "A" for turn in history.turns) >= expected.count
        assert history.items
        for item in history.items:
            assert all(evidence.quote in history.turns[evidence.turn].text for evidence in item.evidence)
        found["valid"] += 1
    for stage, _, what, why in line.quarantine(BLOCK):
        assert why.reason
        assert why.raw
        found[f"{stage}: {what}: {why.reason}"] += 1
    rows = sum(count for name, count in found.items() if name == "valid" or name.startswith("dialogues: rejected"))
    assert rows == len(BLOCK.indexes)
    return found


def _rng(name: str):  # type: ignore[no-untyped-def]
    from random import Random

    persona, number = name.rsplit("-", 1)
    return Random(f"1/dialogue/{persona}/{number}")


def test_served(served_model: Served, tmp_path: Path) -> None:
    endpoint = Endpoint(served_model.base_url, served_model.model, concurrency=2, timeout=500, deadline=580, attempts=1)
    client = Cached(endpoint, str(tmp_path / "answers.sqlite"))
    line = chain(tmp_path / "first", client)
    assert not line.run([BLOCK])
    found = check(line)
    labels = labelling(tmp_path / "labels", client)
    assert not labels.run([BLOCK])
    read = [Prediction.model_validate_json(texts["extraction"]) for _, texts in labels.rows(BLOCK)]
    assert len(read) == len(BLOCK.indexes)
    assert sum(one.unparsed for one in read) == sum(why.reason[:5] != "item:" for *_, why in labels.quarantine(BLOCK))
    personas = Model(client, Profiles(tiers=["Social & Relationships"], paths=Sampling(n=2, categories=1), max_tokens=120))
    ((_, outcome),) = personas.personas(["0"], 1)
    assert isinstance(outcome, Written | Rejected)
    calls = endpoint.spent().calls
    assert 5 <= calls <= 16, found
    again = chain(tmp_path / "again", client)
    assert not again.run([BLOCK])
    assert check(again) == found
    assert endpoint.spent().calls == calls


def test_in_process(tmp_path: Path) -> None:
    client = Cached(InProcess(SMOLLM2, rows=2), str(tmp_path / "answers.sqlite"))
    teacher = Model(client, writing=Writing(max_tokens=32))
    line = Pipeline(
        {"personas": Personas(Invented()), "dialogues": Dialogues(teacher)},
        {"personas": tmp_path / "p", "dialogues": tmp_path / "d"},
        seed=1,
        together=1,
    )
    block = Block("train", 0, range(1))
    assert not line.run([block])
    ((stage, key, what, why),) = line.quarantine(block)
    assert (stage, key, what, why.reason) == ("dialogues", "0-0", "rejected", "truncated")
    assert client.paid().calls == 2
