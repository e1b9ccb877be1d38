"""Gates: what is wrong with a corpus stops it with its number and the way around; a healthy one passes."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose, instantiate
from kithe.errors import ConfigError
from kithe.experiment import check_corpus, make_corpus
from kithe.quality import gates as rooms
from kithe.quality.figures import Figure
from kithe.quality.gates import CHEAP, LIMITS, Gates, cheap
from kithe.records.base import write_lines
from tests.quality.worlds import degenerate, healthy, history

WORDS = ["data=synthetic", "adapt=lora", "model=tiny", "corpus.facts=30"]


def folder(path: Path, histories: object) -> Path:
    write_lines(path / "train.jsonl", (each.line() for each in histories))  # type: ignore[attr-defined]
    return path


def test_a_healthy_corpus_passes(tmp_path: Path) -> None:
    known = Gates().admit(folder(tmp_path, healthy().histories))
    assert {LIMITS[name].metric for name in CHEAP} <= known.keys()


def test_a_degenerate_corpus_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        Gates().admit(folder(tmp_path / "synthetic-x", degenerate(600).histories))
    text = str(refused.value)
    assert "\n" not in text
    for metric in ("repeated_turns", "compression_ratio", "top_100_five_grams", "distinct_2"):
        assert f"{metric} is" in text
    assert "allows at most 0.6" in text
    assert "kithe report corpus synthetic-x" in text
    assert "corpus.quality.max_repeated_turns=null" in text


def test_personal_data_is_refused_unless_allowed(tmp_path: Path) -> None:
    leaky = folder(tmp_path, [history("a", ["my mail is kim@post.net"])])
    with pytest.raises(ConfigError, match=r"personal_data is 1 \(n 2\) and corpus.quality.max_personal_data allows at most 0"):
        Gates().admit(leaky)
    Gates(max_personal_data=None).admit(leaky)
    Gates(max_personal_data=1).admit(leaky)
    Gates().admit(folder(tmp_path / "handle", [history("a", ["I am @catlady88"])]))


def test_small_corpora_are_not_judged_by_what_needs_many_words() -> None:
    assert set(cheap([history("a", ["one two three four five"] * 9)])) == {"personal_data"}


def test_a_corpus_is_looked_at_once_and_held_against_new_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = folder(tmp_path, healthy(60).histories)
    Gates().admit(made)
    monkeypatch.setattr(rooms, "cheap", lambda _: pytest.fail("measured again"))
    Gates().admit(made)
    with pytest.raises(ConfigError, match="compression_ratio"):
        Gates(max_compression=1.1).admit(made)


def test_limits_that_need_the_report_have_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def whole(_: object, against: tuple[str, ...]) -> dict[str, Figure]:
        asked.append(against)
        return {"mauve": Figure(0.02, n=500), "told_apart_by_words_auc": Figure(0.9, n=2000)}

    monkeypatch.setattr(rooms, "whole", whole)
    made = folder(tmp_path, healthy(60).histories)
    with pytest.raises(ConfigError, match=r"mauve is 0.02 \(n 500\) and corpus.quality.min_mauve allows at least 0.1"):
        Gates(min_mauve=0.1, against=("laps",)).admit(made)
    Gates(max_told_apart=0.95, against=("laps",)).admit(made)
    assert asked == [("laps",)]
    assert json.loads((made / "quality.json").read_text())["measured"]["against"] == ["laps"]


def test_the_config_says_every_limit_and_its_default() -> None:
    node = Cell.of(compose([])).config["corpus"]["quality"]
    assert set(node) - {"_target_"} == {each.name for each in fields(Gates)}
    assert instantiate(node) == Gates(against=[])  # type: ignore[arg-type]
    assert set(LIMITS) | {"against"} == {each.name for each in fields(Gates)}


def test_gates_are_no_part_of_what_a_corpus_is() -> None:
    plain, strict = (Cell.of(compose([*WORDS, *more])) for more in ([], ["corpus.quality.max_compression=2"]))
    assert plain.identity == strict.identity == Cell.of(compose([*WORDS, "corpus.quality=null"])).identity


def test_a_cell_is_stopped_before_anything_is_trained(tmp_path: Path) -> None:
    words = [*WORDS, "corpus.facts=900", f"paths.store={tmp_path}"]
    cell = Cell.of(compose(words))
    make_corpus(cell)
    check_corpus(cell)
    with pytest.raises(ConfigError, match=r"corpus.quality.max_compression allows at most 1.5"):
        check_corpus(Cell.of(compose([*words, "corpus.quality.max_compression=1.5"])))
    check_corpus(Cell.of(compose([*words, "corpus.quality=null"])))
    check_corpus(Cell.of(compose(["adapt=zero-shot", f"paths.store={tmp_path / 'none'}"])))


def test_cheap_gates_load_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "scipy", "datasketch", "spellchecker", "sentence_transformers")
    code = f"import sys, kithe.quality.gates; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_mistyped_limit_is_explained() -> None:
    with pytest.raises(ConfigError, match="max_compression"):
        Cell.of(compose(["+corpus.quality.max_compresion=2"]))
    with pytest.raises(ConfigError, match=r"corpus.quality.min_mauve"):
        Cell.of(compose(["corpus.quality.min_mauve=much"]))


@pytest.mark.parametrize("data", ["atlas", "ip_dialog"])
def test_corpora_of_other_tasks_pass_the_limits_that_come_with_them(data: str, tmp_path: Path) -> None:
    small = {
        "atlas": ["data.atlas.personas=60"],
        "ip_dialog": ["task=ip_dialog", "judge=ip_dialog", "data.per_task=15", "data.duplicates=null"],
    }
    config = Cell.of(compose([f"data={data}", *small[data]])).config
    source = instantiate(config["data"])
    instantiate(config["corpus"]["quality"]).admit(folder(tmp_path, source.histories("train", 0)))  # type: ignore[attr-defined]
