"""`task=atlas`: conversations as rows of the pipeline, by rules and by models, and what is published of them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.generate import Generation, execute
from kithe.generation.log import Rejected
from kithe.generation.pipeline import Block, Pipeline
from kithe.generation.stages import Outcome, Row, Unanswered, Written
from kithe.gym.conversations import Conversations
from kithe.gym.corpus import SPLITS, Atlas
from kithe.gym.players import Answering, ModelPlayers, ScriptedPlayers, opening
from kithe.gym.records import Trajectory
from kithe.gym.source import WrittenAtlas
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Client, Failure
from kithe.llm.endpoint import Endpoint
from kithe.llm.scripted import ScriptedClient
from kithe.records.chat import Message
from tests.llm.serving import Served

ATLAS = Atlas(sessions=2)
WORDS = ["task=atlas", "task.personas=12", "task.rows_per_file=5", "task.together=3"]


def written(store: Path, *words: str) -> Generation:
    run = Generation.of(compose([*WORDS, f"paths.store={store}", *words]))
    run.prepare()
    execute(run)
    return run


def files(run: Generation) -> dict[str, bytes]:
    names = json.loads((run.corpus.path / "card.json").read_text())["files"]
    return {name: (run.corpus.path / name).read_bytes() for name in [*names, "card.json", "README.md"]}


def test_a_corpus_of_nothing_but_quarantine_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: Conversations, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        yield from ((row.key, Rejected(reason="user: no JSON", raw="Sure!")) for row in rows)

    monkeypatch.setattr(Conversations, "write", nothing)
    with pytest.raises(SystemExit, match=r"all 60 conversations are in quarantine, the first one since: user: no JSON"):
        written(tmp_path)
    assert not list(tmp_path.glob("generated/*/card.json"))


def test_rows_are_the_conversations_of_the_corpus() -> None:
    stage = Conversations(ScriptedPlayers(ATLAS))
    rows = [Row(key, {}) for index in (3, 1500) for key in stage.keys(str(index))]
    found = {key: outcome.record for key, outcome in stage.write(rows, 4) if isinstance(outcome, Written)}
    assert [found["3-0"], found["3-1"]] == list(Atlas(personas=4, sessions=2, seed=4).trajectories(3))
    assert {talk.persona_id for talk in found.values() if isinstance(talk, Trajectory)} == {"u00003", "u01500"}


def test_shards_and_one_process_write_the_same(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    for shard in (1, 2, 0):
        part = written(tmp_path / "parts", "task.shards=3", f"task.shard={shard}")
        assert part.publishing.done == (shard == 0)
    assert files(part) == files(whole)
    assert "use it with data=atlas data.folder=atlas-scripted-s0-" in whole.summary()
    more = written(tmp_path / "whole", "task.personas=14")
    assert more.id != whole.id
    assert more.stage_ids == whole.stage_ids


def test_the_library_people_use_reads_a_published_corpus(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = written(tmp_path / "store").corpus.path
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    for split in SPLITS:
        lines = [json.loads(line) for line in (folder / "jsonl" / f"{split}.jsonl").read_text().splitlines()]
        rows = [{**row, "persona": {name: value for name, value in row["persona"].items() if value}} for row in found[split]]
        assert rows == lines


def test_a_written_corpus_is_read_as_it_would_be_drawn(tmp_path: Path) -> None:
    run = written(tmp_path)
    read = WrittenAtlas(run.corpus.path)
    drawn = compose(["data=atlas", "data.atlas.personas=12"])
    source = Cell.of(drawn).build("data")
    assert {history.line() for history in read.histories("train", 1)} == {
        history.line() for history in source.histories("train", 1)
    }
    assert read.losses("train") == source.losses("train")
    assert read.scripted
    cell = Cell.of(compose(["data=atlas", f"data.folder={run.id}", f"paths.store={tmp_path}", "adapt=lora"]))
    assert cell.identity.run != Cell.of(compose(["data=atlas", "adapt=lora"])).identity.run


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="task=atlas"):
        WrittenAtlas(tmp_path)
    run = written(tmp_path)
    with open(run.corpus.path / "trajectories.jsonl", "a") as file:
        file.write("x")
    with pytest.raises(ConfigError, match="changed since"):
        WrittenAtlas(run.corpus.path)
    with pytest.raises(ConfigError, match="conversations and nothing else"):
        Generation.of(compose(["task=atlas", "+task.stages.more=${task.stages.conversations}"])).plan  # noqa: B018


def says(ask: Ask) -> str:
    done = "no patience left" in ask.messages[0].content
    return json.dumps({"satisfied": done, "feedback": None if done else "shorter please", "violated_dims": ["length_pref"],
                       "serves_dim": None if done else "length_pref"})  # fmt: skip


def players(client: Client, answers: Client, **options: float) -> ModelPlayers:
    quiet = Atlas(sessions=1, distractor=Atlas().distractor.__class__(rate=0.0))
    return ModelPlayers(client, {"one": Answering(answers)}, quiet, **options)  # type: ignore[arg-type]


def test_models_play_and_what_fails_says_why() -> None:
    user = ScriptedClient(says, "user")
    stage = Conversations(players(user, ScriptedClient(lambda _: "Certainly.", "assistant")))
    outcomes = dict(stage.write([Row(f"{index}-0", {}) for index in range(12)], 0))
    reasons = {outcome.reason.split(":")[0] for outcome in outcomes.values() if not isinstance(outcome, Written)}
    assert reasons <= {"stylist", "user"}
    talks = [outcome.record for outcome in outcomes.values() if isinstance(outcome, Written)]
    assert talks
    assert all(isinstance(talk, Trajectory) and talk.backend == user.name for talk in talks)
    broke = ScriptedClient(lambda _: Failure("budget", "spent"), "assistant")
    left = dict(Conversations(players(user, broke)).write([Row("0-0", {}), Row("1-0", {}), Row("2-0", {})], 0))
    assert Unanswered("budget") in left.values()


def test_an_estimate_asks_what_a_conversation_asks() -> None:
    asks = ModelPlayers(ScriptedClient(says, "x"), {}, ATLAS).asks("conversations", "2-1", 0)
    talk = next(iter(ScriptedPlayers(ATLAS).play({"2-1": opening(ATLAS, 2, 1, 0)}, 0)))[1]
    assert isinstance(talk, Written)
    assert isinstance(talk.record, Trajectory)
    noised = sum(message.noise is not None for message in talk.record.said)
    assert len(asks) == 2 * talk.record.turns + 2 * noised + (talk.record.how != "plain")


@pytest.mark.slow
def test_a_served_model_plays(served_model: Served, tmp_path: Path) -> None:
    """SmolLM2-135M is far too small to play; whatever it says ends in a row or in quarantine, and nothing is asked twice."""
    endpoint = Endpoint(served_model.base_url, served_model.model, concurrency=2, timeout=500, deadline=580, attempts=1)
    client = Cached(endpoint, str(tmp_path / "answers.sqlite"))
    stages = {"conversations": Conversations(players(client, client))}
    block, kept = Block("train", 0, range(2)), []
    for name in ("first", "again"):
        line = Pipeline(stages, {"conversations": tmp_path / name}, seed=0, together=2)  # type: ignore[arg-type]
        assert not line.run([block])
        rows = [Trajectory.model_validate_json(texts["conversations"]) for _, texts in line.rows(block)]
        failed = list(line.quarantine(block))
        assert len(rows) + len(failed) == 2
        assert all(why.reason for *_, why in failed)
        kept.append((rows, failed, endpoint.spent().calls))
    assert kept[0] == kept[1]
    assert 2 <= kept[0][2] <= 30


def test_messages_are_plain_chat() -> None:
    ask = ModelPlayers(ScriptedClient(says, "x"), {}, ATLAS).asks("conversations", "0-0", 0)[0]
    assert all(isinstance(message, Message) for message in ask.messages)
