"""A log keeps every whole row, whatever happens to the last one."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock, Timeout
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.generation.log import Log, Rejected, is_complete, lines, quarantined

VALUES = st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=12), max_size=2), min_size=1, max_size=5)


def filled(path: Path, values: list[dict[str, str]], rejected: int | None = None) -> None:
    with Log(path) as log:
        for index, value in enumerate(values):
            if index == rejected:
                log.reject(str(index), Rejected(reason="empty", raw='a "quoted"\nline'))
            elif str(index) not in log:
                log.add(str(index), json.dumps(value))


@settings(max_examples=20, deadline=None)
@given(values=VALUES, data=st.data())
def test_a_file_cut_at_any_byte_goes_on_from_its_whole_rows(values: list[dict[str, str]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        filled(path, values)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        with Log(path) as log:
            assert sum(str(index) in log for index in range(len(values))) == whole[:cut].count(b"\n")
        filled(path, values)
        assert path.read_bytes() == whole


def test_what_a_power_cut_leaves_is_cut_away(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    filled(path, [{"a": "1"}, {"a": "2"}, {"a": "3"}])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0" * (len(lines[1]) - 1) + b"\n" + lines[2])
    with Log(path) as log:
        assert [row in log for row in "012"] == [True, False, False]
    assert path.read_bytes() == lines[0]


def test_values_come_back_and_rejected_rows_say_why(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    filled(path, [{"a": "é"}, {}, {"b": "2"}], rejected=1)
    with Log(path) as log:
        assert json.loads(log.value("0") or b"") == {"a": "é"}
        assert log.value("1") is None
    assert list(quarantined(path)) == [("1", "rejected", Rejected(reason="empty", raw='a "quoted"\nline'))]
    assert lines(path) == 3


def test_what_was_left_out_of_a_row_is_there_with_the_row_or_not_at_all(tmp_path: Path) -> None:
    path, part = tmp_path / "a.jsonl", Rejected(reason="fact not in its turn", raw="F1")
    with Log(path) as log:
        log.add("0", "{}")
        log.add("1", '{"a": 1}', [part, part])
        assert log.value("1") == b'{"a": 1}'
    assert list(quarantined(path)) == [("1", "dropped", part)] * 2
    assert lines(path) == 2
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'{"row":"1","value"')])
    with Log(path) as log:
        assert "1" not in log
        log.add("1", '{"a": 1}', [part, part])
    assert path.read_bytes() == whole
    assert lines(tmp_path / "none.jsonl") == 0


def test_a_complete_file_is_known_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert not is_complete(path, 2)
    filled(path, [{}, {}])
    with Log(path) as log:
        log.complete(2)
    assert is_complete(path, 2)
    assert not is_complete(path, 3)
    path.write_bytes(path.read_bytes() + b"x")
    assert not is_complete(path, 2)


def test_one_process_at_a_time_holds_a_file(tmp_path: Path) -> None:
    with Log(tmp_path / "a.jsonl"), pytest.raises(Timeout):
        FileLock(tmp_path / "a.lock", timeout=0).acquire()
