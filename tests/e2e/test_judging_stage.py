"""Judging as a stage of a cell: killed at any moment nothing is asked twice; another rubric asks the judge and nobody else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError, Stopped
from kithe.evaluation.judging.cases import cases
from kithe.evaluation.judging.model import ModelJudge
from kithe.evaluation.judging.rubric import FOLDER
from kithe.evaluation.judging.verdicts import Scored, Unscored
from kithe.llm.endpoint import Endpoint
from kithe.llm.inprocess import InProcess
from kithe.records.base import write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.worker import Worker
from tests.llm.serving import Served
from tests.llm.stub_server import Say, completion, error, running
from tests.llm.test_local import SMOLLM2

ITEMS = 40
VOTES = 4
AT_ONCE = 3
SCRIPT = """
import sys
from pathlib import Path
from kithe.evaluation.judging.kept import Kept
from kithe.evaluation.judging.model import ModelJudge
from kithe.evaluation.judging.verdicts import Question
from kithe.llm.cache import Cached
from kithe.llm.endpoint import Endpoint
from kithe.records.history import History, KnowledgeItem, Turn

url, folder, items = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
turns = Turn(speaker="U", text="I ski.", session=1), Turn(speaker="U", text="Hi.", session=2)
talk = History(id="h", source="test", user="U", turns=turns)
asked = [Question(f"h#{place}", talk, KnowledgeItem(statement=f"I like thing {place}."), place) for place in range(items)]
client = Endpoint(url, "stub", concurrency=int(sys.argv[4]), timeout=20.0, structured="prompt")
judge = ModelJudge(Cached(client, str(folder / "cache.sqlite")), max_tokens=64)
print(sum(verdict.item.startswith("h#") for verdict in Kept(judge, folder / "verdicts.jsonl").verdicts(asked)))
"""

YES = json.dumps({"quote": "I ski.", "relevance": "yes", "relevance_reason": "", "sensibility": "yes", "sensibility_reason": ""})


def judging(url: str, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, url, str(folder), str(ITEMS), str(AT_ONCE)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def lines(folder: Path) -> list[str]:
    file = folder / "verdicts.jsonl"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def test_killed_judging_asks_for_no_verdict_twice(tmp_path: Path) -> None:
    kills = 0
    with running(lambda body, number: Say(completion(YES).body, seconds=0.01)) as stub:
        for wanted in (3, 15, 30):
            process = judging(stub.url, tmp_path)
            while len(lines(tmp_path)) < wanted and process.poll() is None:
                time.sleep(0.005)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.communicate()
        known = {json.loads(line)["key"] for line in lines(tmp_path) if line.endswith("}")}
        before = len(stub.bodies)
        last = judging(stub.url, tmp_path)
        out, _ = last.communicate(timeout=120)
    assert kills >= 1
    assert out.strip() == str(ITEMS)
    assert len(lines(tmp_path)) == ITEMS
    assert len(stub.bodies) - before <= (ITEMS - len(known)) * VOTES
    asked = Counter(json.dumps([body["messages"], body.get("seed")]) for body in stub.bodies)
    assert len(asked) == ITEMS * VOTES
    # Only what was under way when the process was killed is asked for again.
    assert sum(asked.values()) - len(asked) <= kills * AT_ONCE


WORDS = ["model=tiny", "adapt=zero-shot", "task/test=sample", "task.test.sample.limit=3", "judge=endpoint"]
STUB = ["judge.client.client.model=stub", "judge.samples=1", "judge.client.client.structured=prompt", "judge.resamples=100"]


def scored(store: Path, url: str, *words: str, stop: Callable[[], bool] = lambda: False) -> Cell:
    """A cell whose predictions are the gold facts and one invention a user, judged by the server."""
    cell = Cell.of(compose([*WORDS, *STUB, f"judge.client.client.base_url={url}", f"paths.store={store}", *words]))
    cell.prepare()
    worker = Worker(cell, stop)
    for name, source in worker.task.test.items():
        people = list(source.histories("test", 0))
        invented = {"statement": "I keep three camels in Timbuktu."}
        made = [Prediction.model_validate({"id": each.id, "items": [*each.items, invented], "units": 1}) for each in people]
        folder = worker.predictions.path / name
        write_lines(folder / "histories.jsonl", (each.line() for each in people))
        write_lines(folder / "predictions.jsonl", (each.line() for each in made))
    worker.score()
    return cell


def honest(body: dict[str, Any], number: int) -> Say:
    """Yes, with a quote of the user's first words, to everything but camels."""
    text = str(body["messages"][1]["content"])
    first = next(line for line in text.splitlines() if line.startswith("User: ")).removeprefix("User: ")
    camels = "camels" in text.rsplit("Statement about the user", 1)[1]
    answer = {"quote": "NONE" if camels else first, "relevance": "no" if camels else "yes", "sensibility": "yes"}
    return completion(json.dumps({**answer, "relevance_reason": "", "sensibility_reason": ""}))


def test_the_worker_judges_over_http_and_another_rubric_asks_the_judge_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    rules = yaml.safe_load((FOLDER / "v1.yaml").read_text(encoding="utf-8"))
    stricter = {**rules, "name": "own", "task": f"{rules['task']} Be strict."}
    own.write_text(yaml.safe_dump(stricter), encoding="utf-8")
    with running(honest) as stub:
        first = scored(tmp_path / "store", stub.url)
        found = first.folder.read("scores.json")
        asked = len(stub.bodies)
        again = scored(tmp_path / "store", stub.url)
        assert len(stub.bodies) == asked
        other = scored(tmp_path / "store", stub.url, f"judge.rubric={own}")
        assert len(stub.bodies) == 2 * asked
        own.write_text(yaml.safe_dump({**stricter, "name": "changed"}), encoding="utf-8")
        changed = Cell.of(compose([*other.words]))
    facts = sum(json.loads(line)["gold"] for line in (first.folder.path / "scores" / "sample.jsonl").read_text().splitlines())
    assert found["metrics"]["sample/precision"]["value"] == pytest.approx(facts / (facts + 3))
    assert found["judge"]["model"].startswith("stub@127.0.0.1")
    assert asked == 2 * (facts + 3)
    verdicts = (first.folder.path / "verdicts" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(verdicts) == facts + 3
    assert again.identity == first.identity
    assert len({cell.identity.predictions for cell in (first, other, changed)}) == 1
    assert len({cell.identity.run for cell in (first, other, changed)}) == 3


def test_scoring_stops_after_a_verdict_and_goes_on_from_there(tmp_path: Path) -> None:
    def written() -> list[str]:
        return [line for file in tmp_path.glob("runs/*/verdicts/*.jsonl") for line in file.read_text("utf-8").splitlines()]

    with running(honest) as stub:
        with pytest.raises(Stopped):
            scored(tmp_path, stub.url, stop=lambda: len(written()) >= 3)
        first = written()
        cell = scored(tmp_path, stub.url)
    assert len(first) == 3
    assert written()[:3] == first
    assert len(set(written())) == len(written()) > 3
    assert cell.folder.read("scores.json")["metrics"]["sample/precision"]["value"] > 0


def test_a_server_that_is_down_fails_the_stage_and_keeps_what_was_said(tmp_path: Path) -> None:
    quick = ["judge.client.client.attempts=1", "judge.client.client.deadline=5"]

    def half(body: dict[str, Any], number: int) -> Say:
        return error(500, "down") if "camels" in str(body["messages"]) and down[0] else honest(body, number)

    down = [True]
    with running(half) as stub:
        with pytest.raises(ConfigError, match=r"3 of \d+ items got no verdict \(3 no answer: server\)"):
            scored(tmp_path, stub.url, *quick)
        down[0], before = False, len(stub.bodies)
        scored(tmp_path, stub.url, *quick)
        assert len(stub.bodies) - before == 3 * 2


@pytest.mark.slow
def test_a_real_model_behind_a_real_server_judges(served_model: Served, tmp_path: Path) -> None:
    client = Endpoint(served_model.base_url, served_model.model, concurrency=2, timeout=300.0, deadline=900.0)
    chosen = [case for case in cases() if case.n in (1, 4, 7)]
    judge = ModelJudge(client, samples=1, max_tokens=160, reask=True)
    verdicts = judge.verdicts([case.question for case in chosen])
    client.close()
    assert [verdict.item for verdict in verdicts] == [case.question.id for case in chosen]
    assert all(isinstance(verdict, Scored | Unscored) for verdict in verdicts)
    # Such a small model decides badly, but inside the schema it decides.
    assert any(isinstance(verdict, Scored) for verdict in verdicts)


@pytest.mark.slow
def test_a_real_model_in_this_process_judges() -> None:
    judge = ModelJudge(InProcess(SMOLLM2, rows=4), samples=1, max_tokens=120)
    asked = [case.question for case in cases() if case.n in (1, 7)]
    verdicts = judge.verdicts(asked)
    assert [verdict.item for verdict in verdicts] == [question.id for question in asked]
    assert judge.settings["model"] == "smollm2-135m (local)"


def test_questions_are_asked_about_a_cells_predictions_too(tmp_path: Path) -> None:
    with running(honest) as stub:
        plain = scored(tmp_path, stub.url)
        both = scored(tmp_path, stub.url, "recall=extractive", "recall.resamples=100")
    metrics = both.folder.read("scores.json")["metrics"]
    assert {"sample/qa_recall", "sample/qa_unsupported", "sample/qa_recall_at_0.7", "sample/precision"} <= set(metrics)
    assert metrics["sample/qa_recall"]["value"] == 1.0
    assert both.identity.predictions == plain.identity.predictions
    assert both.identity.run != plain.identity.run
    rows = [json.loads(line) for line in (both.folder.path / "recall" / "sample.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["id"] for row in rows} == {each.id for each in history_of(both)}
    assert all(row["qa_found"] <= row["qa_asked"] <= 24 for row in rows)


def history_of(cell: Cell) -> list[History]:
    return list(History.read(next(cell.store.root.glob("predictions/*/sample/histories.jsonl"))))
