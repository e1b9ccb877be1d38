"""A filter of predicted items between prediction and scoring; its reader is scripted, its place in the cell is real."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kithe.cell import Cell
from kithe.cli import main
from kithe.config.compose import compose
from kithe.evaluation.verifier.judge import Verifier, VerifierFilter, VerifierJudge
from kithe.knowledge.text import stems
from kithe.records.base import write_lines
from kithe.records.chat import Prediction
from kithe.worker import Worker

WORDS = ["model=tiny", "adapt=zero-shot", "task/test=sample", "task.test.sample.limit=3", "judge=rules", "judge.resamples=50"]


class Shared:
    """Finds supported what shares most of its words with what is said."""

    name, threshold, searched = "scripted", 0.6, 0.6

    def probabilities(self, asked: Sequence[tuple[str, str, str]]) -> list[float]:
        return [len(stems(stated) & stems(said)) / max(1, len(stems(stated))) for _, said, stated in asked]


def cell(store: Path, *words: str) -> Cell:
    return Cell.of(compose([*WORDS, *words, f"paths.store={store}"]))


def test_a_filter_is_another_run_on_the_same_predictions_and_a_column_of_its_own(tmp_path: Path) -> None:
    plain, filtered = cell(tmp_path), cell(tmp_path, "task/verify=verifier")
    assert plain.identity.predictions == filtered.identity.predictions
    assert plain.identity.run != filtered.identity.run
    assert "verify" not in plain.choices
    assert filtered.choices["verify"] == "verifier"
    assert filtered.identity == cell(tmp_path / "elsewhere", "task/verify=verifier").identity
    assert filtered.identity.run != cell(tmp_path, "task/verify=verifier", "task.verify.verifier.threshold=0.9").identity.run


def test_judge_and_filter_are_what_their_classes_say_and_learn_from_different_pairs(tmp_path: Path) -> None:
    both = cell(tmp_path, "judge=verifier", "task/verify=verifier")
    judge, other = both.build("judge"), both.build("task").verify
    assert isinstance(judge, VerifierJudge)
    assert judge.verifier.course == Verifier().course
    assert other.verifier.course == VerifierFilter().verifier.course
    assert judge.verifier.course.source != other.verifier.course.source


def predicted(of: Cell) -> Worker:
    """The worker of a cell for which two items a user are predicted: the user's own words, and something never said."""
    of.prepare()
    worker = Worker(of)
    for name, source in worker.task.test.items():
        made: list[Any] = []
        for person in source.histories("test", 0):
            own = next(turn.text for turn in person.turns if turn.speaker == person.user)
            items = [{"statement": own}, {"statement": "I keep three camels in Timbuktu."}]
            made.append(Prediction.model_validate({"id": person.id, "items": items, "units": 1}))
        write_lines(worker.predictions.path / name / "predictions.jsonl", (each.line() for each in made))
    return worker


def test_what_is_not_verified_is_not_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "checkpoint", Shared())
    filtered = cell(tmp_path, "task/verify=verifier", "judge.sensitivity=1", "judge.specificity=1")
    worker = predicted(filtered)
    worker.score()
    rows = [json.loads(line) for line in (filtered.folder.path / "scores" / "sample.jsonl").read_text("utf-8").splitlines()]
    held = list(Prediction.read(worker.predictions.path / "sample" / "predictions.jsonl"))
    assert sum(row["items"] for row in rows) <= len(held)
    assert all(len(each.items) == 2 for each in held)


@pytest.mark.slow
def test_a_filter_that_was_really_trained_takes_items_out(
    tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ["+task.verify.verifier.course.limit=24", "+task.verify.verifier.course.precision=fp32"]
    main(["build", "filter", *tiny, f"paths.store={tmp_path}"])
    (trained,) = (tmp_path / "verifiers").iterdir()
    assert trained.name.startswith("msc-s1-")
    assert str(trained) in capsys.readouterr().out
    weights = (trained / "verifier.safetensors").stat().st_mtime_ns

    filtered = cell(tmp_path, "task/verify=verifier", *tiny, "judge.sensitivity=1", "judge.specificity=1")
    worker = predicted(filtered)
    worker.score()
    assert (trained / "verifier.safetensors").stat().st_mtime_ns == weights
    assert len(list((tmp_path / "verifiers").iterdir())) == 1
    histories = list(worker.task.test["sample"].histories("test", 0))
    held = list(Prediction.read(worker.predictions.path / "sample" / "predictions.jsonl"))
    kept = worker.task.verify.kept(histories, held)
    assert [each.id for each in kept] == [each.id for each in held]
    assert all(len(each.items) + len(each.rejected) == 2 for each in kept)
    gone = [rejection.raw for each in kept for rejection in each.rejected]
    assert all(reason.startswith("not verified: ") for reason in (each.reason for some in kept for each in some.rejected))
    rows = [json.loads(line) for line in (filtered.folder.path / "scores" / "sample.jsonl").read_text("utf-8").splitlines()]
    assert sum(row["items"] for row in rows) == 2 * len(held) - len(gone)
    assert gone
