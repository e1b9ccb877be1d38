"""Checkpoints on disk: whatever happens to the last one, an intact one is found or it is said that there is none."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.training.checkpoints import Checkpoints, digest


def put(kept: Checkpoints, content: bytes, folder: bool = False) -> None:
    kept.folder.mkdir(exist_ok=True, parents=True)
    kept.drop_part()
    if folder:
        (kept.part / "shards").mkdir(parents=True)
    (kept.part / "shards" / "0" if folder else kept.part).write_bytes(content)
    kept.put_in_place()


def read(path: Path | None) -> bytes | None:
    return path and (path / "shards" / "0" if path.is_dir() else path).read_bytes()


@pytest.mark.parametrize("folder", [False, True])
def test_the_newest_intact_one_is_found(folder: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Checkpoints(tmp_path, "zero3" if folder else "plain", 2)
    assert kept.find() is None
    for content in (b"one", b"two", b"three"):
        put(kept, content, folder)
    assert read(kept.find()) == b"three"
    inside = kept.last / "shards" / "0" if folder else kept.last
    inside.write_bytes(b"thrXe")
    assert read(kept.find()) == b"two"
    assert "last.ckpt is damaged; trying the one before it" in capsys.readouterr().err
    inside = kept.before / "shards" / "0" if folder else kept.before
    inside.write_bytes(b"tw")
    assert kept.find() is None
    assert "damaged; starting over from step 0" in capsys.readouterr().err
    assert kept.find(first=False) is None
    assert not capsys.readouterr().err


@given(kills=st.lists(st.sampled_from(["write", "seal", "away", "last"]), max_size=12))
@settings(deadline=None)
def test_a_kill_at_any_moment_leaves_an_intact_one(kills: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = Checkpoints(tmp_path_factory.mktemp("kept"))
    put(kept, b"0")
    newest = 0
    for number, moment in enumerate(kills, 1):
        with pytest.MonkeyPatch.context() as patch:
            calls = {"seal": 0, "away": 1, "last": 2}
            if moment == "write":
                kept.part.write_bytes(b"half")
                continue
            patch.setattr(os, "replace", killing(calls[moment]))
            try:
                put(kept, str(number).encode())
                newest = number
            except KeyboardInterrupt:
                pass
        found = read(kept.find(first=False))
        assert found is not None
        assert int(found) >= newest - 1


def killing(after: int) -> object:
    """`os.replace` that dies before its call number `after`; the first call of a save writes the seals."""
    left, real = [after], os.replace

    def replace(*paths: object) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(*paths)  # type: ignore[arg-type]

    return replace


def test_what_was_left_half_written_is_cleared_away_by_one_process(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.part.mkdir()
    kept.find(first=False)
    assert kept.part.exists()
    kept.find()
    assert not kept.part.exists()


def test_shards_are_continued_by_as_many_processes_of_the_same_strategy(tmp_path: Path) -> None:
    put(Checkpoints(tmp_path, "zero3", 2), b"x", folder=True)
    for other in (Checkpoints(tmp_path, "zero3", 4), Checkpoints(tmp_path, "zero2", 2), Checkpoints(tmp_path, "plain", 2)):
        with pytest.raises(ConfigError, match=r"continued by runtime=zero3 runtime.processes=2, not by \d process"):
            other.find()
    put(Checkpoints(tmp_path / "plain", "plain", 2), b"x")
    assert Checkpoints(tmp_path / "plain", "plain", 1).find()
    with pytest.raises(ConfigError, match=r"one process or ddp .* not by 1 process\(es\) of zero2"):
        Checkpoints(tmp_path / "plain", "zero2", 1).find()


def test_a_folder_is_known_by_names_and_contents(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("same")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    (tmp_path / "b" / "x").rename(tmp_path / "b" / "y")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")
