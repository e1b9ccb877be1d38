"""The whole report on generators with a known fault: each fault shows, and the healthy one is free of all."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from kithe.errors import ConfigError
from kithe.quality.figures import Figure
from kithe.quality.gates import CHEAP, Gates
from kithe.quality.measure import Entry, Measured, Sizes, measure
from kithe.quality.sources import Reference, histories, read, seeds
from kithe.quality.texts import Corpus
from kithe.records.base import write_lines
from kithe.report.corpus import flat, meanings
from tests.quality.worlds import TOPICS, Hashed, degenerate, gendered, healthy, history, leaking

SMALL = Sizes(tokens=4000, passages=200, items=300, people=60, utterances=120, histories=400)
# Other people, other dialogues: what the leaking generator was shown, and what nobody was.
SHOWN, HELD = healthy(200, seed=1), healthy(200, seed=2)


@cache
def found(kind: str) -> dict[tuple[str, str | None], Figure]:
    """metric, against -> figure, of one generator against the same reference."""
    made = {
        "healthy": healthy(200, seed=3),
        "degenerate": degenerate(200),
        "biased": gendered(0.7),
        "leaking": leaking(SHOWN.histories),
    }
    corpus = Corpus("judged", made[kind].histories)
    reference = Reference(Corpus("real", SHOWN.histories), Corpus("real test", HELD.histories))
    measured = measure([corpus], [reference], Hashed(), TOPICS, SMALL)
    return {(entry.metric, entry.against): entry.figure for entry in measured.entries if entry.corpus == "judged"}


def value(kind: str, metric: str, against: str | None = None) -> float:
    return found(kind)[metric, against].value


def test_the_healthy_generator_is_free_of_faults() -> None:
    assert value("healthy", "near_duplicates") == 0.0
    assert value("healthy", "personal_data") == 0.0
    assert value("healthy", "stereotypes") == 0.0
    assert value("healthy", "near_copies_of_train", "real") == 0.0
    assert value("healthy", "told_apart_by_words_auc", "real") < 0.65
    assert value("healthy", "mauve", "real") > 0.7
    nearer = found("healthy")["nearer_to_train", "real"]
    assert nearer.low is not None
    assert nearer.high is not None
    assert nearer.low < 0.5 < nearer.high
    assert abs(value("healthy", "membership_auc", "real") - 0.5) < 0.1


def test_the_degenerate_generator_repeats_itself_and_is_told_apart() -> None:
    for metric in ("compression_ratio", "self_bleu", "repeated_turns", "near_duplicates", "top_100_five_grams"):
        assert value("degenerate", metric) > 1.5 * value("healthy", metric), metric
    for metric in ("distinct_1", "distinct_2", "distinct_3", "vendi", "vocabulary_at_equal_words", "mtld"):
        assert value("degenerate", metric) < 0.6 * value("healthy", metric), metric
    assert value("degenerate", "told_apart_by_words_auc", "real") > 0.95
    assert value("degenerate", "recall", "real") < 0.2
    assert value("degenerate", "mauve", "real") < 0.1


def test_the_leaking_generator_is_caught_by_every_measure_of_leaks() -> None:
    assert value("leaking", "copied_passages", "real") > 0.2
    assert value("leaking", "near_copies_of_train", "real") == 1.0
    told, innocent = (found(kind)["membership_auc", "real"] for kind in ("leaking", "healthy"))
    assert told.low > innocent.high + 0.1  # type: ignore[operator]  # there are enough of both for intervals
    nearer = found("leaking")["nearer_to_train", "real"]
    assert nearer.value is not None
    assert nearer.value > 0.5


def test_the_biased_generator_is_flagged() -> None:
    assert value("biased", "stereotypes") >= 2


def loose(**limits: float) -> Gates:
    """Gates with these limits and none of the default ones."""
    return Gates(**{**dict.fromkeys(CHEAP), **limits})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("degenerate", loose(max_near_duplicates=0.05, max_told_apart=0.95)),
        ("leaking", loose(max_copied=0.01, max_nearer_to_train=0.6)),
        ("biased", loose(max_stereotypes=0)),
    ],
)
def test_gates_on_the_report_stop_each_fault_and_let_the_healthy_pass(kind: str, limits: Gates) -> None:
    def figures(which: str) -> dict[str, Figure]:
        return {metric: figure for (metric, against), figure in found(which).items() if against or metric != "coverage"}

    assert limits.problems(figures("healthy")) == []
    broken = limits.problems(figures(kind))
    assert len(broken) == len(limits.limits())


def test_every_figure_is_explained_and_every_explanation_used() -> None:
    metrics = {metric for kind in ("healthy", "degenerate") for metric, _ in found(kind)}
    assert metrics <= meanings().keys()
    assert meanings().keys() - metrics == {"seed_recovery"}


def test_the_same_corpora_give_the_same_figures() -> None:
    reference = Reference(Corpus("real", SHOWN.histories[:30]), Corpus("real test", HELD.histories[:30]))
    runs = [measure([Corpus("a", healthy(30).histories)], [reference], Hashed(), TOPICS, SMALL) for _ in range(2)]
    assert runs[0] == runs[1]


def test_seeds_lie_beside_a_generated_corpus(tmp_path: Path) -> None:
    made = [history("p-1-0", ["jazz and jazz again"]), history("p-2-0", ["I play tennis"]), history("q", ["hello"])]
    write_lines(tmp_path / "train.jsonl", (each.line() for each in made))
    rows = [{"id": "p-1", "paths": [["Music", "Genres", "Jazz"]]}, {"id": "p-2", "paths": [["Sports", "Rackets", "Tennis"]]}]
    write_lines(tmp_path / "personas" / "train.jsonl", map(json.dumps, rows))
    corpus = read(str(tmp_path), tmp_path)
    assert dict(corpus.seeds) == {"p-1-0": (("Music", "Genres", "Jazz"),), "p-2-0": (("Sports", "Rackets", "Tennis"),)}
    measured: Measured = measure([corpus], [], Hashed(), TOPICS, SMALL)
    recovered: Entry = next(entry for entry in measured.entries if entry.metric == "seed_recovery")
    assert (recovered.figure.value, recovered.note) == (1.0, "chance 0.500")
    assert seeds(made, tmp_path / "none.jsonl") == {}
    assert flat(recovered)["n"] == 2


def test_corpora_are_read_by_id_folder_file_or_set(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lines(tmp_path / "corpus" / "synthetic-abc" / "train.jsonl", (each.line() for each in healthy(9).histories))
    by_id = read("synthetic-abc", tmp_path)
    assert by_id == read(str(tmp_path / "corpus" / "synthetic-abc"), tmp_path)
    assert by_id.histories == read(str(tmp_path / "corpus" / "synthetic-abc" / "train.jsonl"), tmp_path).histories
    monkeypatch.setenv("KITHE_DATA", str(real_data))
    write_lines(tmp_path / "generated" / "scripted-s0-1" / "train.jsonl", (each.line() for each in by_id.histories))
    assert read("scripted-s0-1", tmp_path).histories == by_id.histories
    assert len(read("laps", tmp_path, 5).histories) == 5
    with pytest.raises(ConfigError, match="synthetic-abc"):
        read("synthetic-abd", tmp_path)


WHOLE = healthy(3).histories[0].line()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [(["{"], "record 1 is no history"), ([WHOLE, '{"id": 3}'], "record 2 is no history: id"), ([], "no histories")],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, lines: list[str], problem: str) -> None:
    write_lines(tmp_path / "broken.jsonl", lines)
    with pytest.raises(ConfigError, match=problem):
        read(str(tmp_path / "broken.jsonl"), tmp_path)
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        histories(tmp_path / "binary.jsonl")


def test_histories_need_ids_of_their_own_and_users_who_speak(tmp_path: Path) -> None:
    one = healthy(3).histories[0]
    write_lines(tmp_path / "twice.jsonl", [one.line(), one.line()])
    with pytest.raises(ConfigError, match="1 ids stand there more than once"):
        read(str(tmp_path / "twice.jsonl"), tmp_path)
    write_lines(tmp_path / "mute.jsonl", [one.model_copy(update={"user": "nobody"}).line()])
    with pytest.raises(ConfigError, match="no turn is by its history"):
        read(str(tmp_path / "mute.jsonl"), tmp_path)


def test_the_smallest_corpus_is_measured_too() -> None:
    reference = Reference(Corpus("real", SHOWN.histories[:2]), Corpus("real test", HELD.histories[:1]))
    measured = measure([Corpus("one", (history("a", ["hello"]),))], [reference], Hashed(), TOPICS, SMALL)
    figures = {entry.metric: entry.figure for entry in measured.entries if entry.corpus == "one" and not entry.against}
    assert figures["turns_per_dialogue"].value == 2.0
    assert figures["items_per_dialogue"].value == 0.0


def test_the_command_explains_its_errors(tmp_path: Path, refused: Callable[..., str]) -> None:
    for words, message in (
        (["report", "corpus"], "which one"),
        (["report", "corpus", "nothing-there", "--store", str(tmp_path)], "no such corpus"),
        (["report", "corpus", "anything", "--real", "lapps"], "did you mean 'laps'"),
    ):
        assert message in refused(*words)
