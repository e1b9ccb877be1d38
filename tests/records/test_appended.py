"""Files that grow by whole lines, whatever byte their writer was killed at."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.records.appended import append, cut, whole_lines

LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=5)


@settings(max_examples=30, deadline=None)
@given(LINES, st.data())
def test_whatever_a_killed_writer_left_only_whole_lines_count(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("lines") / "rows"
    append(path, lines)
    content = path.read_bytes()
    left = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(left)
    whole = [line.encode() for line in lines][: left.count(b"\n")]
    assert whole_lines(path) == whole
    assert path.read_bytes() == left
    cut(path)
    append(path, ["new"])
    assert whole_lines(path) == [*whole, b"new"]


def test_where_there_is_no_file_there_are_no_lines_and_nothing_is_made(tmp_path: Path) -> None:
    assert whole_lines(tmp_path / "rows") == []
    cut(tmp_path / "rows")
    assert not list(tmp_path.iterdir())


def test_a_cut_file_is_never_rewritten(tmp_path: Path) -> None:
    """Its whole lines are there at every moment: the file stays the same one, and what is read through an open one is whole."""
    path = tmp_path / "rows"
    append(path, ["one", "two"])
    with open(path, "ab") as file:
        file.write(b"thr")
    with open(path, "rb") as earlier:
        cut(path)
        assert earlier.read() == b"one\ntwo\n"
