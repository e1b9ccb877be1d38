"""Stages write every row once, whoever writes it, however often it is interrupted."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cases import KilledError, content, pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.corpora.synthetic import VALIDATION_START
from kithe.generation.pipeline import blocks

TODO = blocks(20, 7)


@given(personas=st.integers(1, 3000), size=st.integers(1, 900), shards=st.integers(1, 9))
def test_blocks_hold_every_index_once_and_shards_every_block(personas: int, size: int, shards: int) -> None:
    found = blocks(personas, size)
    indexes = [index for block in found for index in block.indexes]
    most = max(1, personas // 8)
    assert indexes == [*range(personas), *range(VALIDATION_START, VALIDATION_START + most)]
    assert len({block.name for block in found}) == len(found)
    parts = [block for shard in range(shards) for block in found[shard::shards]]
    assert sorted(parts, key=lambda block: block.name) == found


def straight(root: Path, each: int = 2) -> dict[str, bytes]:
    line, _ = pipeline(root, each=each)
    assert not line.run(TODO)
    return content(root, TODO)


@settings(max_examples=10, deadline=None)
@given(together=st.integers(1, 9), shards=st.integers(1, 4), kills=st.lists(st.integers(0, 30), max_size=4))
def test_shards_interrupted_anywhere_write_what_one_process_writes(together: int, shards: int, kills: list[int]) -> None:
    with TemporaryDirectory() as folder:
        one, many = Path(folder) / "one", Path(folder) / "many"
        asked: list[str] = []
        for shard in reversed(range(shards)):
            for kill in [*kills, None]:
                limit = {} if kill is None else {"kill_after": kill}
                line, teacher = pipeline(many, each=2, together=together, personas=limit, dialogues=limit)
                try:
                    line.run(TODO[shard::shards])
                except KilledError:
                    assert kill is not None
                asked += teacher.asked
        assert content(many, TODO) == straight(one)
        assert len(asked) == len(set(asked)) == 22 * 3


def test_more_personas_add_rows_and_change_none(tmp_path: Path) -> None:
    before = straight(tmp_path)
    line, teacher = pipeline(tmp_path, each=2)
    line.run(blocks(24, 7))
    after = content(tmp_path, blocks(24, 7))
    assert all(after[name].startswith(text) for name, text in before.items())
    assert sorted(name for name in teacher.asked if name[0] == "p") == [f"p{VALIDATION_START + 2}", "p20", "p21", "p22", "p23"]


def test_a_rejected_row_goes_no_further_and_is_not_asked_for_again(tmp_path: Path) -> None:
    faults = {"personas": {"bad": ("3",)}, "dialogues": {"bad": ("5-1",)}}
    line, _ = pipeline(tmp_path, each=2, **faults)
    assert not line.run(TODO)
    keys = [key for block in TODO for key, _ in line.rows(block)]
    assert len(keys) == 22 * 2 - 3
    assert not {"3-0", "3-1", "5-1"} & set(keys)
    found = [(stage, row, what, why.reason) for block in TODO for stage, row, what, why in line.quarantine(block)]
    assert found == [("personas", "3", "rejected", "malformed"), ("dialogues", "5-1", "rejected", "malformed")]
    again, teacher = pipeline(tmp_path, each=2)
    assert not again.run(TODO)
    assert teacher.asked == []


def test_a_row_that_nobody_answered_for_is_written_later_and_stands_in_its_place(tmp_path: Path) -> None:
    line, _ = pipeline(tmp_path / "gaps", each=2, personas={"silent": ("4",)}, dialogues={"silent": ("9-0",)})
    assert line.run(TODO) == {"timeout": 2}
    assert not line.complete(TODO[0])
    assert line.complete(TODO[2])
    later, teacher = pipeline(tmp_path / "gaps", each=2)
    assert not later.run(TODO)
    assert teacher.asked == ["p4", "d4-0", "d4-1", "d9-0"]
    straight(tmp_path / "whole")
    whole, _ = pipeline(tmp_path / "whole", each=2)
    assert [list(later.rows(block)) for block in TODO] == [list(whole.rows(block)) for block in TODO]


def test_a_stage_that_fails_leaves_what_it_wrote(tmp_path: Path) -> None:
    line, _ = pipeline(tmp_path, dialogues={"kill_after": 2})
    with pytest.raises(KilledError):
        line.run(TODO)
    assert (tmp_path / "dialogues" / TODO[0].name).read_bytes().count(b"\n") == 2
    assert (tmp_path / "personas" / TODO[0].name).read_bytes().count(b"\n") == 4
