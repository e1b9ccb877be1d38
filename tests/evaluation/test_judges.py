import json

import pytest
from stub import StubEncoder

from kithe.errors import ConfigError
from kithe.evaluation import judges
from kithe.evaluation.judges import GoldJudge, Judge
from kithe.llm.embed import Embedder
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem, Turn


def history(name: str, *statements: str) -> History:
    items = tuple(KnowledgeItem(statement=text) for text in statements)
    return History(id=name, source="test", user="A", turns=(Turn(speaker="A", text="hello"),), items=items)


def prediction(name: str, *statements: str) -> Prediction:
    return Prediction(id=name, items=tuple(KnowledgeItem(statement=text) for text in statements), units=1)


HISTORIES = [history("ann", "I have two cats.", "I love hiking."), history("bob", "My mother is a dentist.")]
PREDICTIONS = [
    prediction("ann", "I really enjoy going on hikes.", "I have three cats.", "I own 2 cats."),
    prediction("bob", "I am a dentist."),
]


def test_scores_with_the_real_encoder_by_hand(encoder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_encoder", lambda: encoder)
    judge: Judge = GoldJudge(resamples=200)
    scores = judge.score(HISTORIES, PREDICTIONS)
    assert [(row["id"], row["tp"], row["predicted"], row["gold"]) for row in scores.rows] == [("ann", 2, 3, 2), ("bob", 0, 1, 1)]
    assert [match[:2] for match in scores.rows[0]["matches"]] == [[0, 2], [1, 0]]
    assert scores.unscored == 0
    assert scores.metrics["precision"]["value"] == pytest.approx(2 / 4)
    assert scores.metrics["recall"]["value"] == pytest.approx(2 / 3)
    assert scores.metrics["parse_rate"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2}
    assert json.loads(json.dumps(scores.rows)) == scores.rows
    assert judge.score(HISTORIES, PREDICTIONS) == scores


def test_a_threshold_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = StubEncoder({"I ski.": (1, 0), "I go skiing.": (0.8, 0.6)})
    monkeypatch.setattr(judges, "_encoder", lambda: encoder)
    pair = [history("a", "I ski.")], [prediction("a", "I go skiing.")]
    assert [GoldJudge(threshold, resamples=50).score(*pair).rows[0]["tp"] for threshold in (0.79, 0.81)] == [1, 0]


def test_users_are_counted_where_a_resample_would_hold_nothing(encoder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_encoder", lambda: encoder)
    others = [history(f"u{number}") for number in range(20)]
    asked = [prediction("ann", "I really enjoy going on hikes."), *(prediction(other.id) for other in others)]
    found = GoldJudge().users([HISTORIES[0], *others], asked)
    assert [(user.tp, user.predicted, user.gold) for user in found[:2]] == [(1, 1, 2), (0, 0, 0)]


@pytest.mark.parametrize(
    "predictions",
    [PREDICTIONS[:1], PREDICTIONS[::-1], [*PREDICTIONS, prediction("cyd")], [PREDICTIONS[0], PREDICTIONS[0]]],
)
def test_predictions_about_other_histories_are_refused(predictions: list[Prediction]) -> None:
    with pytest.raises(ValueError, match="predictions are not those of"):
        GoldJudge().score(HISTORIES, predictions)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"judge.threshold=1.5"):
        GoldJudge(threshold=1.5)
    with pytest.raises(ConfigError, match=r"judge.resamples=0"):
        GoldJudge(resamples=0)
