import pytest

from kithe.evaluation.scores import Share, UserScore, metrics, ratio, score_user
from kithe.records.chat import Prediction
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

TURNS = tuple(Turn(speaker="A", text=f"turn {i}") for i in range(6))


def history(name: str, *items: KnowledgeItem) -> History:
    return History(id=name, source="test", user="A", turns=TURNS, items=items)


def at(*turns: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(turn=turn) for turn in turns)


ANN = history(
    "ann",
    KnowledgeItem(
        statement="I like tea.",
        polarity="positive",
        intensity="high",
        type="interest",
        category="Food & Drink",
        evidence=at(0, 2),
    ),
    KnowledgeItem(statement="I hate rain.", polarity="negative", type="dislike", evidence=at(3)),
    KnowledgeItem(statement="I own a boat."),
)
ANN_FOUND = Prediction(
    id="ann",
    items=(
        KnowledgeItem(statement="Rain is awful.", polarity="positive", type="dislike", evidence=at(3, 4)),
        KnowledgeItem(
            statement="I enjoy tea.", polarity="positive", intensity="low", type="interest", category="Leisure", evidence=at(2)
        ),
        KnowledgeItem(statement="I fly planes."),
        KnowledgeItem(statement="I am tall."),
    ),
    units=3,
    unparsed=1,
)
BOB, BOB_FOUND = history("bob", KnowledgeItem(statement="I ski.")), Prediction(id="bob", units=2)
CYD, CYD_FOUND = history("cyd"), Prediction(id="cyd", units=1)
USERS = [score_user(ANN, ANN_FOUND, [(0, 1, 0.9), (1, 0, 0.8)]), score_user(BOB, BOB_FOUND, []), score_user(CYD, CYD_FOUND, [])]


def test_every_metric_by_hand() -> None:
    found = {name: (round(metric["value"], 6), metric["n"]) for name, metric in metrics(USERS, resamples=50).items()}
    assert found == {
        "precision": (0.5, 4),  # 2 of 4 inferred items
        "recall": (0.5, 4),  # 2 of 3 + 1 gold items
        "f1": (0.5, 8),  # 4 of 4 + 4
        "macro_f1": (round(2 / 7, 6), 2),  # ann 4/7, bob 0, cyd has nothing to find and found nothing
        "polarity_accuracy": (0.5, 2),  # tea agrees, rain does not
        "intensity_accuracy": (0.0, 1),  # only tea has one on both sides
        "type_accuracy": (1.0, 2),
        "category_accuracy": (0.0, 1),
        "evidence_f1": (round(4 / 6, 6), 6),  # tea {0,2} and {2}, rain {3} and {3,4}: twice 2 in common of 3 + 3
        "parse_rate": (round(5 / 6, 6), 6),
        "items_per_history": (round(4 / 3, 6), 3),
    }


def test_intervals_enclose_values() -> None:
    assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in metrics(USERS, resamples=500).values())


def test_metrics_of_nothing_are_left_out() -> None:
    assert metrics([]) == {}
    assert set(metrics([score_user(CYD, CYD_FOUND, [])], resamples=10)) == {"parse_rate", "items_per_history"}
    assert "precision" not in metrics([score_user(BOB, BOB_FOUND, [])], resamples=10)


def test_a_row_is_plain_values() -> None:
    assert USERS[0].row() == {"id": "ann", "tp": 2, "predicted": 4, "gold": 3, "matches": [[0, 1, 0.9], [1, 0, 0.8]]}


def test_a_metric_as_a_ratio_over_users() -> None:
    precision = ratio(USERS, "precision")
    assert precision.ids == ("ann", "bob", "cyd")
    assert precision.value == pytest.approx(0.5)


def counted(name: str, tp: int, predicted: int, gold: int) -> UserScore:
    shares = {"precision": Share(tp, predicted), "recall": Share(tp, gold), "items_per_history": Share(predicted, 1)}
    return UserScore(name, tp, predicted, gold, (), shares)


def test_one_user_is_an_interval_of_no_width() -> None:
    found = metrics([counted("a", 1, 2, 4)], resamples=40)
    assert found["recall"] == {"value": 0.25, "low": 0.25, "high": 0.25, "n": 4}


def test_nobody_and_nothing_have_no_metrics_but_counts() -> None:
    assert metrics([], resamples=40) == {}
    assert metrics([counted("a", 0, 0, 0)], resamples=40) == {
        "items_per_history": {"value": 0.0, "low": 0.0, "high": 0.0, "n": 1}
    }


def test_what_only_one_of_many_users_has_keeps_an_interval_at_the_fewest_resamples() -> None:
    users = [counted("a", 1, 1, 1), *(counted(f"b{number}", 0, 0, 0) for number in range(99))]
    assert metrics(users, resamples=40)["precision"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
