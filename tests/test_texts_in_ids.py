"""Which texts of the package an id counts: those that the cell's training data and test sets are made from."""

import pytest

from kithe import cell as cells
from kithe.cell import Cell, content, content_versions
from kithe.config.compose import compose
from kithe.identity import Identity

TASKS = {
    "pki": ["task=pki", "data=synthetic", "adapt=lora", "task/test=msc"],
    "sample": ["task=pki", "data=synthetic", "adapt=lora", "task/test=sample"],
    "ppopt": ["task=ppopt", "data=ppopt", "adapt=lora", "judge=ppopt"],
    "ip_dialog": ["task=ip_dialog", "data=ip_dialog", "adapt=lora", "judge=ip_dialog"],
}
ALL = {"corpus", "weights", "predictions", "run"}


def ids(task: str, monkeypatch: pytest.MonkeyPatch, edited: str = "") -> Identity:
    """The ids of a cell as they would be with another wording in a file whose pattern begins so."""
    with monkeypatch.context() as patch:
        patch.setenv("KITHE_DATA", "/nowhere")
        patch.setattr(Cell, "check", lambda cell: None)
        if edited:
            changed = {True: "another wording", False: ""}
            patch.setattr(
                cells, "content", lambda *patterns: content(*patterns) + changed[any(p.startswith(edited) for p in patterns)]
            )
        return Cell.of(compose([*TASKS[task], "model=tiny"])).identity


@pytest.mark.parametrize(
    ("edited", "renamed"),
    [
        ("gym/", {"ppopt": ALL}),
        ("ppopt/", {"ppopt": ALL}),
        ("ip_dialog/", {"ip_dialog": ALL}),
        ("corpora/sample/", {"sample": {"predictions", "run"}}),
        ("personas/", {"pki": ALL, "sample": ALL}),
    ],
)
def test_a_new_wording_renames_the_cells_that_are_made_from_it_and_no_others(
    edited: str, renamed: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for task in ("pki", "sample", "ppopt", "ip_dialog"):
        before, after = vars(ids(task, monkeypatch)), vars(ids(task, monkeypatch, edited))
        found[task] = {stage for stage in before if before[stage] != after[stage]}
    assert {task: stages for task, stages in found.items() if stages} == renamed


def test_texts_are_found_at_any_depth_and_each_room_counts_once() -> None:
    sample, atlas = {"_target_": "kithe.corpora.sample.Sample"}, {"_target_": "kithe.gym.corpus.Atlas"}
    nested = {"a": {"_target_": "kithe.corpora.held_out.HeldOut", "of": sample}, "b": [{"atlas": atlas}, atlas]}
    assert cells.written_with(nested) == ("corpora.sample", "gym")
    assert cells.written_with({"_target_": "kithe.corpora.real.RealSet", "name": "laps"}) == ()
    assert content_versions({}, sample)["test"] == content("corpora/sample/*.yaml") != content_versions({}, {})["test"]


def test_who_writes_training_data_while_they_are_drawn_counts() -> None:
    words = [
        "task=ip_dialog",
        "data=ip_dialog-endpoint",
        "adapt=lora",
        "judge=ip_dialog",
        "data.teacher.examiner.client.model=any",
    ]
    one, other = (Cell.of(compose([*words, f"data.teacher.client.client.model={model}"])).identity for model in ("one", "other"))
    assert all(vars(one)[stage] != vars(other)[stage] for stage in ALL)
