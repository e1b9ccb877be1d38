from pathlib import Path

import pytest
from annotated import small
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.annotation.package import Header, Package, Pane, Task, checked, neutral, read, write
from kithe.errors import ConfigError
from kithe.records.history import Evidence, Turn

TEXT = st.text(max_size=30)
PANES = st.builds(
    Pane,
    person=TEXT,
    turns=st.lists(st.builds(Turn, speaker=TEXT, text=TEXT, session=st.integers(1, 3)), max_size=3).map(tuple),
    marks=st.lists(st.builds(Evidence, turn=st.integers(0, 9), quote=TEXT), max_size=2).map(tuple),
)
TASKS = st.builds(
    Task,
    id=st.text(min_size=1, max_size=30),
    user=TEXT,
    statement=TEXT,
    facts=st.dictionaries(TEXT, TEXT, max_size=2),
    panes=st.lists(PANES, max_size=2).map(tuple),
    truth=TEXT,
    group=TEXT,
)


@settings(deadline=None, max_examples=25)
@given(st.lists(TASKS, min_size=1, max_size=4, unique_by=lambda task: task.id))
def test_a_package_survives_its_file(tmp_path_factory: pytest.TempPathFactory, tasks: list[Task]) -> None:
    package = Package(header=Header(name="mine", kind="items", seed=3), tasks=tuple(tasks))
    path = tmp_path_factory.mktemp("packages") / "package.jsonl"
    write(path, package)
    assert read(path) == package
    assert read(path).digest == package.digest
    assert len(package.by_key) == len(tasks)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "it is empty; the first line is a header such as"),
        (["{}"], "line 1: name: Field required"),
        (['{"name": "x", "kind": "item"}'], "line 1: kind"),
        (['{"name": "x", "kind": "items"}'], "nothing to decide"),
        (['{"name": "x", "kind": "items"}', "oops"], "line 2: the line: Invalid JSON"),
        (['{"name": "x", "kind": "items"}', '{"id": "a", "stament": "b"}'], "line 2: stament: Extra inputs"),
        (['{"name": "x", "kind": "items"}', '{"id": "a"}', '{"id": "a"}'], "1 task ids stand there twice, such as 'a'"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "a", tmp_path / "b"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read(path)


def test_speakers_lose_their_names() -> None:
    turns = [Turn(speaker=name, text=name) for name in ("bot", "human", "bot", "third")]
    assert [turn.speaker for turn in neutral(turns)] == ["A", "B", "A", "C"]


def test_a_key_says_nothing_about_where_a_task_comes_from() -> None:
    package = small()
    assert all(task.user not in task.key and len(task.key) == 12 for task in package.tasks)
    assert checked(package).users == ("u0", "u1", "u2")
