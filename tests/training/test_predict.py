"""Prediction: straight, killed and resumed, and on two ranks of torchrun."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import predict_job
import pytest
from hypothesis import given
from hypothesis import strategies as st
from predict_job import requests

from kithe.errors import ConfigError
from kithe.llm.chat import render
from kithe.llm.local import LocalModel, Prefix
from kithe.llm.models import Folder
from kithe.records.chat import ChatRequest, Generation, Message
from kithe.training import predict as module
from kithe.training.predict import Job, batches, predict
from kithe.training.trainer import Hardware, Ranks


@pytest.fixture(scope="module")
def processes() -> Any:
    """Forks from a server that has imported everything and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["predict_job", "job"])
    with pytest.MonkeyPatch.context() as patch:  # the server finds modules by this variable alone
        patch.setenv("PYTHONPATH", str(Path(predict_job.__file__).parent), prepend=os.pathsep)
        context.Process(target=int).start()
    return context


def start(processes: Any, settings: dict[str, Any]) -> int | None:
    process = processes.Process(target=predict_job.main, args=(settings,))
    process.start()
    process.join(120)
    return process.exitcode  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def straight(processes: Any, spec: Folder, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
    """The settings all runs here share, and the answers of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("straight")
    settings = {"model": spec.path, "folder": str(folder / "work"), "result": str(folder / "result")}
    assert start(processes, settings) == 0
    return {"model": spec.path}, (folder / "result.0").read_text()


def jobs(spec: Folder) -> list[Job]:
    return batches([(request.id, render(spec.tokenizer(), request.prompt)) for request in requests()], 500)


def written(folder: Path) -> dict[str, list[str]]:
    """Per file, the ids in it."""
    files = sorted(folder.glob("generations.*"))
    return {file.name: [json.loads(line)["id"] for line in file.read_text().splitlines()] for file in files}


@given(lengths=st.lists(st.integers(1, 60), max_size=40), budget=st.integers(1, 200))
def test_batches_hold_every_prompt_once_within_the_budget(lengths: list[int], budget: int) -> None:
    prompts = [(f"r{n}", [0] * length) for n, length in enumerate(lengths)]
    made = batches(prompts, budget)
    assert [job.number for job in made] == list(range(len(made)))
    listed = [prompt for job in made for prompt in job.prompts]
    assert sorted(listed) == sorted(prompts)
    assert [len(ids) for _, ids in listed] == sorted(lengths, reverse=True)
    for job in made:
        assert len(job.prompts) == 1 or len(job.prompts) * len(job.prompts[0][1]) <= budget


def test_the_answers_are_the_models_in_the_order_of_the_requests(spec: Folder, straight: tuple[dict[str, str], str]) -> None:
    answers = [Generation.model_validate_json(line) for line in straight[1].splitlines()]
    assert [answer.id for answer in answers] == [request.id for request in requests()]
    machine = LocalModel(spec.load("fp32"), spec.tokenizer())
    for request, answer in list(zip(requests(), answers, strict=True))[::5]:
        (alone,) = machine.generate([(request.id, render(spec.tokenizer(), request.prompt))], 12, prefix=Prefix())
        assert answer.text == alone.text
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=1e-4)


def test_time_and_tokens(spec: Folder, tmp_path: Path) -> None:
    answered = predict_job.main({"model": spec.path, "folder": str(tmp_path)})
    assert answered.tokens == sum(len(ids) for job in jobs(spec) for _, ids in job.prompts) + sum(
        answer.new_tokens for answer in answered.generations
    )
    spent = [json.loads(line) for line in (tmp_path / "seconds.rank0.jsonl").read_text().splitlines()]
    assert [row["batch"] for row in spent] == list(range(len(jobs(spec))))
    assert answered.seconds == sum(row["seconds"] for row in spent) > 0


def test_what_is_done_is_not_done_again(
    spec: Folder, straight: tuple[dict[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"model": spec.path, "folder": str(tmp_path)}
    first = predict_job.main(settings)
    monkeypatch.setattr(module, "_run", lambda *given: pytest.fail("nothing was missing"))
    assert predict_job.main(settings) == first


@pytest.mark.parametrize(("after", "torn"), [(0, True), (1, False), (2, True), (4, False)])
def test_a_killed_prediction_ends_as_a_straight_one(
    processes: Any, spec: Folder, straight: tuple[dict[str, str], str], tmp_path: Path, after: int, torn: bool
) -> None:
    settings = {**straight[0], "folder": str(tmp_path / "work"), "result": str(tmp_path / "result")}
    assert start(processes, {**settings, "die": after, "torn": torn}) == -signal.SIGKILL
    left = (tmp_path / "work" / "generations.rank0.jsonl").read_bytes()
    assert left.endswith(b"\n") is not torn
    done = [name for job in jobs(spec)[:after] for name, _ in job.prompts]
    assert left.count(b"\n") == len(done) + torn
    assert start(processes, settings) == 0
    assert (tmp_path / "result.0").read_text() == straight[1]
    ids = written(tmp_path / "work")["generations.rank0.jsonl"]
    assert ids[: len(done)] == done
    assert len(ids) == len(requests()) + torn  # of a torn batch, one whole line stays beside the new one


def test_two_ranks_of_torchrun_share_the_batches(
    spec: Folder, straight: tuple[dict[str, str], str], processes: Any, tmp_path: Path
) -> None:
    shared = {**straight[0], "folder": str(tmp_path / "work"), "strategy": "ddp"}
    # Another number of processes was killed before.
    assert start(processes, {**straight[0], "folder": shared["folder"], "die": 2}) == -signal.SIGKILL
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", predict_job.__file__]
    ranks = {**shared, "result": str(tmp_path / "result")}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, json.dumps(ranks)], check=True, timeout=300, env=environment, capture_output=True)
    assert (tmp_path / "result.0").read_text() == (tmp_path / "result.1").read_text() == straight[1]
    by_rank = written(tmp_path / "work")
    mine = [[name for job in jobs(spec)[rank::2] for name, _ in job.prompts] for rank in range(2)]
    first = [name for job in jobs(spec)[:2] for name, _ in job.prompts]
    assert sorted(by_rank["generations.rank0.jsonl"]) == sorted({*first, *mine[0]})
    assert sorted(by_rank["generations.rank1.jsonl"]) == sorted({*mine[1]} - {*first})


def test_one_line_of_progress_and_nothing_else(spec: Folder, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    predict_job.main({"model": spec.path, "folder": str(tmp_path), "progress": True})
    shown = capfd.readouterr()
    assert shown.out == ""
    lines = [line for line in shown.err.replace("\r", "\n").splitlines() if line.strip()]
    assert all(line.startswith("predict:") for line in lines)
    assert shown.err.count("\n") == 1
    assert "23 of 23 requests" in lines[-1]


def test_mistakes(spec: Folder, tmp_path: Path) -> None:
    model, tokenizer = spec.load("fp32"), spec.tokenizer()
    with pytest.raises(ConfigError, match=r"request 'h14#0': \d+ prompt tokens and 200"):
        predict(model, tokenizer, requests(), folder=tmp_path, max_new_tokens=200, progress=False)
    with pytest.raises(ValueError, match="same id"):
        predict(model, tokenizer, requests(1) * 2, folder=tmp_path, progress=False)
    predict(model, tokenizer, requests(2), folder=tmp_path, max_new_tokens=2, progress=False)
    renamed = [request.model_copy(update={"id": f"h{1 - n}#0"}) for n, request in enumerate(requests(2))]
    with pytest.raises(ConfigError, match=rf"another prompt of id 'h\d#0'.*rm -r {tmp_path}"):
        predict(model, tokenizer, renamed, folder=tmp_path, max_new_tokens=2, progress=False)


def test_a_kept_answer_counts_for_the_prompt_it_was_given_to_and_no_other(spec: Folder, tmp_path: Path) -> None:
    model, tokenizer = spec.load("fp32"), spec.tokenizer()

    def asked(word: str) -> ChatRequest:
        return ChatRequest(id="h0#0", prompt=(Message(role="user", content=f"I like {word}."),))

    cats, dogs = (render(tokenizer, asked(word).prompt) for word in ("cats", "dogs"))
    assert len(cats) == len(dogs)
    first = predict(model, tokenizer, [asked("cats")], folder=tmp_path, max_new_tokens=2, progress=False)
    with pytest.raises(ConfigError, match="another prompt of id 'h0#0'"):
        predict(model, tokenizer, [asked("dogs")], folder=tmp_path, max_new_tokens=2, progress=False)
    (kept,) = first.generations
    older = kept.model_copy(update={"asked": "", "text": "from an earlier version"})
    (tmp_path / "generations.rank0.jsonl").write_text(f"{older.line()}\n", encoding="utf-8")
    assert predict(model, tokenizer, [asked("cats")], folder=tmp_path, max_new_tokens=2, progress=False).generations == [kept]


def test_a_process_without_work_writes_nothing(spec: Folder, tmp_path: Path) -> None:
    model, tokenizer = spec.load("fp32"), spec.tokenizer()
    idle = module._Predictor(LocalModel(model, tokenizer), model, (), 5, "free", None)
    module._run(idle, [Job(-1, ())], [module._Writer(tmp_path, 0, lambda: False)], Hardware(), Ranks(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_ask(spec: Folder, tmp_path: Path) -> None:
    answered = predict(spec.load("fp32"), spec.tokenizer(), [], folder=tmp_path, progress=False)
    assert (answered.generations, answered.seconds, answered.tokens) == ([], 0, 0)
