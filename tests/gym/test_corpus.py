"""The corpus: split by user; its release has the published fields; as histories it can be learnt from."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kithe.corpora.build import build
from kithe.corpora.expressed import Expressed
from kithe.corpora.source import DataSource, Lossy
from kithe.errors import ConfigError
from kithe.gym import source as reading
from kithe.gym.assistant import heard
from kithe.gym.corpus import SPLITS, Atlas, split_of
from kithe.gym.export import Card, write_release
from kithe.gym.noise.distractor import Distractor, Noise, Semantics
from kithe.gym.source import NOISED_AWAY, AtlasSource, unreadable
from kithe.gym.user import script

SMALL = Atlas(personas=60, sessions=3)
ORIGIN = {"teacher": "scripted", "scripted": True, "licence": "apache-2.0"}
FIELDS = {"id", "persona_id", "persona", "original_query", "initial_query", "full_conversation", "role_utterances", "num_turns",
          "distractor_type", "conversation_ended"}  # fmt: skip


def release(folder: Path) -> Card:
    return write_release(SMALL.talks, folder, SMALL, ORIGIN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("atlas")
    release(found)
    return found


def test_fewer_users_are_the_beginning_of_more() -> None:
    first = list(Atlas(personas=5, sessions=3).trajectories(4))
    assert first == [talk for talk in SMALL.talks() if talk.persona_id == "u00004"]
    assert Atlas(personas=5, sessions=3, seed=1).users != Atlas(personas=5, sessions=3).users


def test_every_process_writes_the_same() -> None:
    """Whatever seed Python hashes with, so that shards and resumed runs agree; in processes of their own."""
    code = "from kithe.gym.corpus import Atlas\nprint(end=''.join(talk.line() for talk in Atlas(personas=40).talks()))"
    texts = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1] == "".join(talk.line() for talk in Atlas(personas=40).talks()).encode()


def test_no_user_is_in_two_splits(folder: Path) -> None:
    rows = {split: (folder / "jsonl" / f"{split}.jsonl").read_text().splitlines() for split in SPLITS}
    users = {split: {json.loads(row)["persona_id"] for row in rows[split]} for split in SPLITS}
    assert not users["train"] & users["test"]
    assert not users["train"] & users["validation"]
    assert not users["validation"] & users["test"]
    assert set.union(*users.values()) == {user.id for user in SMALL.users}
    many = [split_of(f"u{index:05d}") for index in range(3000)]
    for split, law in zip(SPLITS, (0.8, 0.1, 0.1), strict=True):
        assert abs(many.count(split) / 3000 - law) < 3 * (law * (1 - law) / 3000) ** 0.5


def test_the_release_has_the_published_fields(folder: Path) -> None:
    card = release(folder)
    rows = [json.loads(line) for split in SPLITS for line in (folder / "jsonl" / f"{split}.jsonl").read_text().splitlines()]
    tables = [pq.read_table(folder / "parquet" / f"{split}.parquet") for split in SPLITS]
    assert all(set(row) == FIELDS for row in rows)
    assert all(set(table.column_names) == FIELDS for table in tables)
    columns = [row for table in tables for row in table.to_pylist()]
    assert [row["full_conversation"] for row in columns] == [row["full_conversation"] for row in rows]
    held = [{name: value for name, value in row["persona"].items() if value is not None} for row in columns]
    assert held == [row["persona"] for row in rows]
    for row in rows:
        talk = row["full_conversation"]
        assert [line["content"] for line in talk if line["role"] == "user"] == row["role_utterances"]["user"]
        assert row["initial_query"] == talk[0]["content"]
        assert row["num_turns"] == len(row["role_utterances"]["assistant"])
    assert all("others" not in row["persona"].values() for row in rows)
    assert card["rows"] == {split: sum(split_of(row["persona_id"]) == split for row in rows) for split in SPLITS}
    assert card["scripted"] is True
    text = (folder / "README.md").read_text()
    assert "10462" in text
    assert "no language model" in text
    assert release(folder) == card


def test_noise_types_are_released(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "jsonl" / "train.jsonl").read_text().splitlines()]
    kinds = {row["distractor_type"].split(":")[0] for row in rows}
    assert kinds == {"none", "surface", "incomplete information", "semantic ambiguity"}


def test_histories_hold_what_was_brought_up() -> None:
    source = AtlasSource(Atlas(personas=40, sessions=3))
    assert isinstance(source, Lossy)
    own: DataSource = source
    found = [history for split in SPLITS for history in own.histories(split, 0)]
    assert len(found) == len({history.id for history in found}) == 40
    items = [(history, item) for history in found for item in history.items]
    assert len(items) > 60
    for history, item in items:
        turn = history.turns[item.evidence[0].turn]
        assert turn.speaker == history.user
        assert item.statement.startswith("I want you to ")
        assert all(getattr(item, name) for name in source.fields)
        assert heard(turn.text)
    kept = [Expressed().kept(history, item) for history, item in items]
    assert sum(own is not None for own in kept) / len(items) > 0.9  # by the rule that all training data goes through
    assert {turn.session for turn in found[0].turns} == {1, 2, 3}
    orders = [[history.id for history in source.histories("train", seed)] for seed in (0, 1)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_what_noise_hides_is_counted() -> None:
    quiet = AtlasSource(Atlas(personas=30, sessions=2, distractor=Distractor(rate=0.0)))
    loud = AtlasSource(Atlas(personas=30, sessions=2, distractor=Distractor(rate=1.0)))
    assert sum(quiet.losses(split)[NOISED_AWAY] for split in SPLITS) <= 1
    assert sum(loud.losses(split)[NOISED_AWAY] for split in SPLITS) > 10


@pytest.mark.parametrize("options", [{"personas": 0}, {"sessions": 0}, {"drift": 1.5}, {"stray": -0.1}])
def test_impossible_corpora(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Atlas(**options)  # type: ignore[arg-type]


def test_the_corpus_stage_takes_it_like_any_other_source() -> None:
    corpus = build(AtlasSource(Atlas(personas=60, sessions=2)), 40, 0, 0.5)
    assert corpus.card["missing_facts"] == 0
    assert sum(len(history.items) for history in corpus.train) == 40
    assert NOISED_AWAY in corpus.card["left_out_by_the_source"]


def test_what_a_model_says_in_its_own_words_is_an_item_unless_noise_took_it_out() -> None:
    plain = Atlas(personas=20, distractor=Distractor(rate=0.0))
    talk = next(own for own in plain.talks() if any(said.reveals for said in own.said))
    place = next(number for number, own in enumerate(talk.messages) if own.reveals)
    name = next(one for one in talk.persona if one not in script().cues)
    words = "This is far too long for me."
    free = {"content": words, "clean": words, "reveals": (talk.messages[place].reveals[0], name)}
    meaning = Semantics(intent="", slots=(), compressed_text="")
    lost = Noise(
        original_text="a", noisy_text="b", layer="incomplete information", layer_index=2, applied_strategies=("x",),
        extracted_semantics=meaning,
    )  # fmt: skip
    for backend, noise, expected in (("model", None, 2), ("model", lost, 0), ("scripted", None, 0)):
        silent = [own.model_copy(update={"reveals": ()}) for own in talk.messages]
        silent[place] = silent[place].model_copy(update={**free, "noise": noise})
        own = talk.model_copy(update={"messages": tuple(silent), "backend": backend})
        assert len(reading.history([own], "atlas").items) == expected
        assert unreadable(own) == 2 - expected
    assert reading.item(name, talk.persona[name], "", 0).statement.startswith("The user ")
