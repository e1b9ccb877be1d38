"""The judge and the filter, with a scripted reader that counts shared words, and with a real network trained for a moment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judged_talks import question, talk
from words_encoder import WordsEncoder

from kithe.errors import ConfigError, Stopped
from kithe.evaluation.judging.cases import cases, examine
from kithe.evaluation.judging.verdicts import Question, Scored, found
from kithe.evaluation.verifier import checkpoint as checkpoints
from kithe.evaluation.verifier.challenge import challenge
from kithe.evaluation.verifier.checkpoint import Checkpoint, build, summary
from kithe.evaluation.verifier.course import Course
from kithe.evaluation.verifier.judge import SEVERAL, Verifier, VerifierFilter, VerifierJudge
from kithe.evaluation.verifier.pairs import Pair, texts
from kithe.knowledge.text import stems
from kithe.records.chat import Prediction
from kithe.records.history import KnowledgeItem

HISTORY = talk(
    "h",
    "A: Hi! I keep bees.",
    "U: Nice. We bake bread on Sundays. My oven is ancient.",
    "A: Do you sail?",
    "U: Yes, I sail every week.",
    "--",
    "U: play Miles Davis",
    "A: Playing.",
    "U: I want to see Oslo.",
)


class SharedWords:
    """A scripted reader: the share of the statement's stems that the words have."""

    name, threshold, searched = "scripted", 0.6, 0.8

    def probabilities(self, asked: Sequence[tuple[str, str, str]]) -> list[float]:
        return [len(stems(stated) & stems(said)) / max(1, len(stems(stated))) for _, said, stated in asked]


def scripted(**options: Any) -> Verifier:
    verifier = Verifier(**options)
    vars(verifier)["checkpoint"] = SharedWords()
    return verifier


def verdict(statement: str, **options: Any) -> Scored:
    (said,) = VerifierJudge(scripted(**options)).verdicts([question(HISTORY, statement)])
    assert isinstance(said, Scored)
    return said


def test_what_is_supported_is_quoted_word_for_word_with_its_confidence() -> None:
    said = verdict("I bake bread on Sundays.")
    assert said.correct
    assert said.quote == "We bake bread on Sundays."
    assert found(said.quote, HISTORY)
    assert said.votes[0].confidence == 1.0  # type: ignore[union-attr]


def test_what_only_the_partner_says_is_not_relevant() -> None:
    said = verdict("I keep bees.")
    assert (said.relevance, said.quote) == (False, "")
    assert said.votes[0].confidence == 1.0  # type: ignore[union-attr]


def test_rules_object_to_one_request_and_can_be_left_out() -> None:
    assert not verdict("I like Miles Davis.").relevance
    assert verdict("I like Miles Davis.", rules=False).relevance


def test_requests_again_and_again_are_an_interest() -> None:
    often = talk("often", "U: play Miles Davis", "U: more Miles Davis", "--", "U: play Miles Davis please")
    (said,) = VerifierJudge(scripted()).verdicts([question(often, "I like Miles Davis.")])
    assert isinstance(said, Scored)
    assert (said.correct, said.relevance_reason, said.quote) == (True, SEVERAL, "play Miles Davis")


def test_nobody_speaks() -> None:
    (said,) = VerifierJudge(scripted()).verdicts([question(talk("empty"), "I like tea.")])
    assert isinstance(said, Scored)
    assert not said.relevance
    assert VerifierJudge(scripted()).verdicts([]) == []


def prediction(*statements: str) -> Prediction:
    return Prediction(id="h", items=tuple(KnowledgeItem(statement=text) for text in statements), units=1)


def test_scores_of_whole_predictions() -> None:
    made = prediction("I bake bread on Sundays.", "I keep bees.", "I bake bread on Sundays!")
    scores = VerifierJudge(scripted(), resamples=50).score([HISTORY], [made])
    assert scores.metrics["precision"]["value"] == 0.5
    assert scores.metrics["precision_strict"]["value"] == pytest.approx(1 / 3)
    assert scores.settings["judge"] == "scripted"
    assert [row["tp"] for row in scores.rows] == [1]


def test_a_filter_takes_out_what_it_does_not_find_and_says_so() -> None:
    made = prediction("I bake bread on Sundays.", "I keep bees.", "I like music.")
    (kept,) = VerifierFilter(scripted()).kept([HISTORY], [made])
    assert [item.statement for item in kept.items] == ["I bake bread on Sundays."]
    assert [(each.reason, KnowledgeItem.model_validate_json(each.raw).statement) for each in kept.rejected] == [
        ("not verified: not supported", "I keep bees."),
        ("not verified: too general or too obvious to be of use", "I like music."),
    ]
    assert VerifierFilter(scripted()).kept([HISTORY], [prediction()]) == [prediction()]


def test_identities_follow_what_decides() -> None:
    judge = VerifierJudge(scripted())
    assert judge.identity == VerifierJudge(scripted(store="elsewhere")).identity
    assert judge.identity != VerifierJudge(scripted(passages=9)).identity
    assert judge.content != VerifierJudge(scripted(course=Course(seed=5))).content
    assert VerifierFilter().content != VerifierFilter(Verifier()).content


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"threshold=1\.5"):
        Verifier(threshold=1.5)
    with pytest.raises(ConfigError, match="passages=0"):
        Verifier(passages=0)
    with pytest.raises(ConfigError, match="resamples=0"):
        VerifierJudge(resamples=0)


def test_the_best_of_many_passages_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithe.evaluation.verifier.judge.default_encoder", WordsEncoder)
    statement = "I bake sour bread on Sundays."
    assert verdict(statement).relevance
    assert not verdict(statement, passages=2).relevance
    assert verdict(statement, passages=2, threshold=0.5).relevance


def test_the_cases_reach_a_verdict_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithe.evaluation.verifier.judge.default_encoder", WordsEncoder)
    figures, wrong = examine(VerifierJudge(scripted()))
    assert figures["correct"]["agreement"]["n"] == len(cases()) - 1
    assert {14, 28, 39}.isdisjoint(case.n for case in wrong)


# From here on with a real network.

EASY = [
    Pair(premise=f"I {verb} {thing} a lot.", statement=f"I {verb} {other}.", supported=thing == other, dialogue=thing)
    for verb in ("like", "sell")
    for thing in ("tea", "boats", "roses")
    for other in ("tea", "boats", "roses")
]
SMALL = Course(epochs=4, batch=6, learning_rate=3e-4, precision="fp32", dialogues=0, harder=0)


class Easy:
    """A course of easy pairs of its own."""

    def training(self, folder: str | None = None) -> list[Pair]:
        return EASY

    def fitting(self, folder: str | None = None) -> list[Pair]:
        return EASY

    def lookups(self, folder: str | None = None) -> list[tuple[Question, bool]]:
        return []


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> Course:
    for name in ("training", "fitting", "lookups"):
        monkeypatch.setattr(Course, name, getattr(Easy, name))
    return SMALL


def test_a_verifier_is_trained_once_and_found_again(easy: Course, tmp_path: Path) -> None:
    first = build(easy, tmp_path)
    assert first.folder.parent == tmp_path / "verifiers"
    assert sorted(path.name for path in first.folder.iterdir() if not path.name.startswith(".")) == [
        "card.json",
        "learnt.json",
        "metrics.jsonl",
        "state.json",
        "verifier.safetensors",
    ]
    written = (first.folder / "verifier.safetensors").stat().st_mtime_ns
    again = build(easy, tmp_path)
    assert again == first
    assert (again.folder / "verifier.safetensors").stat().st_mtime_ns == written
    assert f"validation: kappa 1.000 [1.000, 1.000], n={len(EASY)}" in summary(first)
    said = again.probabilities(texts(EASY))
    assert min(p for p, pair in zip(said, EASY, strict=True) if pair.supported) > max(
        p for p, pair in zip(said, EASY, strict=True) if not pair.supported
    )
    judge = VerifierJudge(Verifier(easy, str(tmp_path)))
    (verdict_,) = judge.verdicts([question(talk("real", "U: I sell boats a lot."), "I sell boats.")])
    assert isinstance(verdict_, Scored)
    assert (verdict_.correct, verdict_.quote) == (True, "I sell boats a lot.")


def test_stopped_and_continued_training_ends_as_a_straight_one(tmp_path: Path) -> None:
    from kithe.training.pairs import WEIGHTS, learn

    course = replace(SMALL, epochs=2)
    pairs = texts(EASY), [pair.supported for pair in EASY], course.learning
    rows: list[dict[str, Any]] = []
    learn(*pairs, seed=0, folder=tmp_path / "straight", sink=rows.append)

    half = tmp_path / "half"
    with pytest.raises(Stopped, match="step 2 of 6"):
        learn(*pairs, seed=0, folder=half, sink=lambda row: None, stop=iter([False, True, True]).__next__)
    assert not (half / WEIGHTS).exists()
    rest: list[dict[str, Any]] = []
    learn(*pairs, seed=0, folder=half, sink=rest.append)
    assert [row["step"] for row in rest] == [3, 4, 5, 6]
    assert [row["loss"] for row in rest] == [row["loss"] for row in rows[2:]]
    assert (half / WEIGHTS).read_bytes() == (tmp_path / "straight" / WEIGHTS).read_bytes()
    assert not (half / "checkpoint").exists()


def test_where_premise_and_statement_begin() -> None:
    from kithe.training.pairs import LONGEST, collate, tokenise

    rows = tokenise([("a b", "c d e", "f"), ("", "x " * 500, "y " * 500)])
    batch = collate(rows, [True, False])
    assert (batch.part[0] == 1).sum() == 4
    assert (batch.part[0] == 2)[batch.attention[0].bool()].sum() == 2
    assert (batch.part[1] == 1).sum() == LONGEST["premise"] + 1
    assert (batch.part[1] == 2).sum() == LONGEST["statement"] + 1
    assert batch.labels.tolist() == [1.0, 0.0]


def test_padding_changes_no_probability() -> None:
    import torch

    from kithe.training.pairs import network, probabilities

    model = network(seed=1)
    some = texts(challenge("development")[:5])
    together = probabilities(model, some)
    assert together == pytest.approx([probabilities(model, [one])[0] for one in some], abs=1e-5)
    with torch.no_grad():
        assert probabilities(model, []) == []


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from kithe.training.pairs import network

    save_file({"head.weight": torch.zeros(1, 4)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="other parameters"):
        network(tmp_path / "other.safetensors")


def test_a_checkpoint_is_read_once_a_process(easy: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Course] = []

    def counted(course: Course, store: Path, folder: str | None = None) -> Checkpoint:
        calls.append(course)
        return Checkpoint(store, 0.5, 0.5)

    monkeypatch.setattr(checkpoints, "build", counted)
    assert checkpoints.checkpoint(easy, tmp_path) is checkpoints.checkpoint(easy, tmp_path)
    assert len(calls) == 1


def test_what_the_network_has_read_it_does_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kithe.training import pairs

    read: list[tuple[str, str, str]] = []

    def counted(model: object, asked: Sequence[tuple[str, str, str]]) -> list[float]:
        read.extend(asked)
        return [len(said) / 100 for _, said, _ in asked]

    monkeypatch.setattr(pairs, "probabilities", counted)
    found = Checkpoint(tmp_path, 0.5, 0.5)
    vars(found)["network"] = object()
    one, other = ("", "I sail.", "I sail."), ("", "I bake bread.", "I sail.")
    assert found.probabilities([one, other, one]) == [0.07, 0.13, 0.07]
    assert found.probabilities([other, one]) == [0.13, 0.07]
    assert read == [one, other]
