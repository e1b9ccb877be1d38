from pathlib import Path

import pytest
from annotated import histories

from kithe.annotation import blind
from kithe.annotation.exchange import export
from kithe.annotation.package import Package
from kithe.errors import ConfigError
from kithe.evaluation.qa.review import Line
from kithe.gym.noise.distractor import Noise, Semantics
from kithe.gym.records import Spoken, Trajectory
from kithe.records.base import write_lines
from kithe.records.history import History, Turn


def corpus(path: Path, name: str, lengths: list[int]) -> Path:
    rows = [
        History(
            id=f"{name}-{n}",
            source=name,
            user=name,
            turns=tuple(Turn(speaker=(name, "partner")[i % 2], text=f"word {n} {i}") for i in range(length)),
        )
        for n, length in enumerate(lengths)
    ]
    write_lines(path / f"{name}.jsonl", [row.line() for row in rows])
    return path / f"{name}.jsonl"


def turing(tmp_path: Path, pairs: int = 100) -> Package:
    machine, people = corpus(tmp_path, "robot", [4] * 40), corpus(tmp_path, "folk", [3, 9] * 40)
    return blind.turing("test", str(machine), str(people), tmp_path, pairs)


def test_pairs_hide_who_is_who_and_have_one_length(tmp_path: Path) -> None:
    package = turing(tmp_path)
    assert len(package.tasks) == 40
    for task in package.tasks:
        first, second = task.panes
        assert len(first.turns) == len(second.turns) == 3
        shown = "".join(task.model_dump_json(exclude={"truth"}))
        assert not {"robot", "folk", "machine"} & set(shown.replace('"', " ").split())
        assert {turn.speaker for pane in task.panes for turn in pane.turns} == {"A", "B"}
    truths = [task.truth for task in package.tasks]
    assert {truths.count("first"), truths.count("second")} & set(range(10, 31))
    assert turing(tmp_path) == package
    assert len(turing(tmp_path, pairs=5).tasks) == 5


def test_the_truth_is_where_people_wrote(tmp_path: Path) -> None:
    machine, said = histories(2), {"user": "x", "turns": (Turn(speaker="x", text="human words"),)}
    people = [history.model_copy(update=said) for history in histories(2)]
    write_lines(tmp_path / "m.jsonl", [h.line() for h in machine])
    write_lines(tmp_path / "h.jsonl", [h.line() for h in people])
    package = blind.turing("t", str(tmp_path / "m.jsonl"), str(tmp_path / "h.jsonl"), tmp_path, 9)
    (task,) = package.tasks  # the two human conversations say the same and count once
    assert task.panes[0 if task.truth == "first" else 1].turns[0].text == "human words"


def test_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such corpus"):
        blind.turing("t", "nowhere", "laps", tmp_path, 5)


def talks(path: Path, users: int = 6) -> Path:
    rows = []
    for user in range(users):
        noise = Noise(
            original_text=f"clean {user}", noisy_text=f"cleen {user}", layer="surface", layer_index=1,
            applied_strategies=("typo",), extracted_semantics=Semantics(intent="ask"),
        )  # fmt: skip
        messages = (
            Spoken(role="user", content=f"cleen {user}", clean=f"clean {user}", noise=noise, turn=0),
            Spoken(role="assistant", content=f"answer {user}", turn=1),
            Spoken(role="user", content=f"next {user}", clean=f"next {user}", turn=1),
        )
        rows.append(
            Trajectory(id=f"t{user}", persona_id=f"p{user}", session=0, persona={}, query_id="q", original_query="q",
                       target=2, satisfied=True, messages=messages)
        )  # fmt: skip
    write_lines(path / "talks.jsonl", [row.line() for row in rows])
    return path / "talks.jsonl"


def test_half_of_the_messages_have_noise_and_each_follows_what_was_said_before(tmp_path: Path) -> None:
    package = blind.noise("n", talks(tmp_path), 8)
    groups = [task.group for task in package.tasks]
    assert (groups.count("surface"), groups.count("clean")) == (4, 4)
    for task in package.tasks:
        said = [turn.text for pane in task.panes for turn in pane.turns]
        number = task.user.removeprefix("p")
        assert (task.statement, said) in [(f"cleen {number}", []), (f"next {number}", [f"cleen {number}", f"answer {number}"])]
    assert blind.noise("n", tmp_path, 8).tasks == package.tasks


def test_the_folder_of_a_corpus_will_do(tmp_path: Path) -> None:
    """Its file of rejected conversations, and whatever else lies there, is not read."""
    talks(tmp_path).rename(tmp_path / "trajectories.jsonl")
    write_lines(tmp_path / "rejected.jsonl", ['{"row": "1-0", "reason": "user: no answer", "raw": ""}'])
    assert len(blind.noise("n", tmp_path, 8).tasks) == 8
    assert len(blind.follow_up("f", tmp_path, 6).tasks) == 6


def test_half_of_the_follow_ups_are_of_another_conversation(tmp_path: Path) -> None:
    package = blind.follow_up("f", talks(tmp_path), 6)
    for task in package.tasks:
        own = task.statement == f"next {task.user.removeprefix('p')}"
        assert own == (task.group == blind.OWN)
        assert task.panes[0].turns[-1].speaker == "assistant"
    assert [task.group for task in package.tasks].count(blind.OWN) == 3


def test_trajectories_that_do_not_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        blind.noise("n", tmp_path / "nowhere.jsonl", 4)
    with pytest.raises(ConfigError, match="at least two users"):
        blind.follow_up("f", alone(tmp_path), 4)
    write_lines(tmp_path / "other.jsonl", ["{}"])
    with pytest.raises(ConfigError, match="cannot be read"):
        blind.follow_up("f", tmp_path / "other.jsonl", 4)


def alone(path: Path) -> Path:
    (row,) = Trajectory.read(talks(path, users=1))
    write_lines(path / "alone.jsonl", [row.model_copy(update={"id": name}).line() for name in "ab"])
    return path / "alone.jsonl"


def test_reviews_come_from_the_export_of_answers_and_go_back(tmp_path: Path) -> None:
    lines = [Line(id=f"r{n}", question="Which?", gold="tea", candidate="coffee", automatic=n % 2 == 0) for n in range(4)]
    write_lines(tmp_path / "reviews.jsonl", [line.model_dump_json() for line in lines])
    package = blind.review("qa", tmp_path / "reviews.jsonl")
    assert package.tasks[0].facts == {"Question": "Which?", "Reference answer": "tea", "Answer": "coffee"}
    assert [task.truth for task in package.tasks] == ["yes", "no", "yes", "no"]
    export(tmp_path / "back.jsonl", package, [])
    assert list(Line.read(tmp_path / "back.jsonl")) == lines
    with pytest.raises(ConfigError, match="cannot be read"):
        blind.review("qa", tmp_path / "none.jsonl")
