"""`+from=<run_id>`: a run's config with new values on top."""

import json
from pathlib import Path

from kithe.cell import Cell, replayed
from kithe.config.compose import compose


def started(tmp_path: Path, *words: str) -> Cell:
    """A prepared cell, as a finished run leaves it."""
    cell = Cell.of(compose([*words, f"paths.store={tmp_path}"]))
    cell.prepare()
    return cell


def again(cell: Cell, tmp_path: Path, *words: str) -> Cell:
    return Cell.of(compose(replayed([f"+from={cell.identity.run}", f"paths.store={tmp_path}", *words])[:-1]))


def test_without_new_words_it_is_the_same_run(tmp_path: Path) -> None:
    cell = started(tmp_path, "data=real", "adapt=lora", "adapt.rank=4")
    assert again(cell, tmp_path).identity == cell.identity


def test_a_new_value_reaches_the_keys_that_refer_to_it(tmp_path: Path) -> None:
    cell = started(tmp_path, "data=real", "adapt=lora")
    assert again(cell, tmp_path, "corpus.expressed=0.3").config["data"]["threshold"] == 0.3


def test_the_runs_values_stand_where_the_config_files_have_changed_since(tmp_path: Path) -> None:
    cell = started(tmp_path, "data=real", "adapt=lora")
    file = cell.folder.path / "cell.json"
    held = json.loads(file.read_text(encoding="utf-8"))
    held["config"]["adapt"]["alpha"] = 99
    file.write_text(json.dumps(held), encoding="utf-8")
    later = again(cell, tmp_path, "adapt.rank=4").config
    assert (later["adapt"]["rank"], later["adapt"]["alpha"]) == (4, 99)
