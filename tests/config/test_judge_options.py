"""Judges and questionnaires as options: what is part of a run's id, how members and models are chosen, what is refused."""

from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.identity import without

BASE = ["model=tiny", "task/test=sample"]
ENDPOINT = ["judge=endpoint", "judge.client.client.model=any"]
PANEL = ["judge=panel", *(f"judge.members.{name}.client.client.model={name}" for name in ("first", "second"))]
LOCAL = ["judge=local", "model@judge.client.client.model=smollm2-135m"]


def cell(*words: str) -> Cell:
    return Cell.of(compose([*BASE, *words]))


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (ENDPOINT, ["judge.client.client.concurrency=2", "judge.client.client.timeout=3", "judge.client.path=elsewhere.sqlite"]),
        (
            [*PANEL, "~judge.members.third"],
            ["judge.members.first.client.client.attempts=1", "judge.members.second.client.path=x"],
        ),
        (LOCAL, ["judge.client.client.rows=2", "judge.client.client.batch_tokens=100", "judge.client.client.device=cpu"]),
        (["recall=endpoint", "recall.answerer.client.client.model=any"], ["recall.answerer.client.client.deadline=9"]),
    ],
    ids=["endpoint", "panel", "local", "recall"],
)
def test_how_a_model_is_reached_is_in_no_id_and_who_it_is_in_the_runs_alone(words: list[str], more: list[str]) -> None:
    plain, one, other = cell(), cell(*words), cell(*words, *more)
    assert one.identity == other.identity
    assert one.identity.run != plain.identity.run
    assert one.identity.predictions == plain.identity.predictions


def test_another_model_or_another_number_of_votes_is_another_run() -> None:
    runs = [cell(*ENDPOINT, *more).identity.run for more in ([], ["judge.client.client.model=b"], ["judge.samples=5"])]
    assert len(set(runs)) == 3


def test_no_questions_are_no_part_of_an_id() -> None:
    assert cell("recall=none").identity == cell().identity
    assert cell("recall=none").recall is None
    assert cell("recall=extractive").identity.run != cell().identity.run


def test_a_rubric_of_ones_own_counts_by_its_content(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    runs = []
    for task in ("one", "two"):
        own.write_text(f"name: own\ntask: {task}\nsteps: []\nrelevance: []\nsensibility: []\n", encoding="utf-8")
        runs.append(cell(*ENDPOINT, f"judge.rubric={own}").identity)
    assert runs[0].run != runs[1].run
    assert runs[0].predictions == runs[1].predictions


def test_members_of_a_panel_are_options() -> None:
    judge = cell(*PANEL, "judge@judge.members.third=rules").build("judge")
    assert [type(member).__name__ for member in judge.members.values()] == ["ModelJudge", "ModelJudge", "RulesJudge"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["judge=endpoint"], "judge.client.client.model"),
        ([*PANEL, "judge@judge.members.third=gold"], "judge.members.third: GoldJudge cannot be asked about single items"),
        ([*PANEL, "~judge.members.third", "~judge.members.second"], "no panel"),
        ([*ENDPOINT, "judge.rubric=v7"], "no such rubric: 'v7'"),
        (["recall=extractive", "recall.questionnaire=/nowhere.yaml"], "/nowhere.yaml"),
        (["adapt=keyword", "task=ip_dialog", "judge=ip_dialog"], "adapt=keyword infers facts about users"),
        (["adapt=keyword", "adapt.floor=3"], "adapt.floor=3"),
        (["adapt=sft", "model=endpoint", "model.client.client.model=any"], "cannot be trained here"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], part: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Cell.of(compose(["task/test=sample", "model=tiny", *words] if "task=ip_dialog" not in words else ["model=tiny", *words]))
    assert part in str(refused.value)


def test_a_baseline_reads_training_data_and_no_model() -> None:
    small, large = (cell("adapt=keyword", "data=synthetic", f"model={name}") for name in ("tiny", "smollm2-135m"))
    assert small.identity == large.identity
    assert small.identity.corpus is not None
    assert small.identity.weights is None
    assert cell("adapt=keyword", "seed=1").identity.predictions != small.identity.predictions


def test_a_star_in_a_path_is_every_key() -> None:
    assert without({"a": {"x": {"b": 1, "c": 2}, "y": {"b": 3}, "z": 4}}, "a.*.b") == {"a": {"x": {"c": 2}, "y": {}, "z": 4}}
