import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score, roc_curve
from words_encoder import WordsEncoder

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.evaluation.agreement import agreement
from kithe.evaluation.qa import oracle, review
from kithe.evaluation.qa.answers import Answer
from kithe.evaluation.qa.extractive import Answerer, Extractive, exemplars, is_negative
from kithe.evaluation.qa.questionnaire import questionnaire
from kithe.evaluation.qa.recall import Answered, answerable, ask, pairs_of, per_question, qa_metrics, recall_curve
from kithe.evaluation.qa.threshold import FILE, area, choose, chosen_threshold, roc, youden
from kithe.llm.embed import Embedder
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

JAZZ, BLUES = Answer(("jazz",)), Answer(("blues",))
ROWS = [
    Answered("a", "Q01", JAZZ, JAZZ, (0.9,)),
    Answered("a", "Q02", JAZZ, BLUES, (0.55,)),
    Answered("a", "Q03", JAZZ, Answer(), (-1.0,)),
    Answered("b", "Q01", Answer(("x", "y", "z")), JAZZ, (0.7, 0.7, 0.1)),
    Answered("b", "Q02", Answer(), JAZZ),
    Answered("b", "Q03", Answer(), Answer()),
]


def test_qa_recall_by_hand() -> None:
    found = {name: (metric["value"], metric["n"]) for name, metric in qa_metrics(ROWS, 0.6, resamples=100).items()}
    assert found == {
        "qa_recall": (2 / 4, 4),
        "qa_recall_per_user": (pytest.approx((1 / 3 + 1) / 2), 2),
        "qa_idk": (1 / 4, 4),
        "qa_unsupported": (1 / 2, 2),
    }
    assert [metric["value"] for metric in recall_curve(ROWS, resamples=20).values()] == [0.75, 0.5, 0.5, 0.25]
    assert per_question(ROWS, 0.6) == {"Q01": (2, 2), "Q02": (0, 1), "Q03": (0, 1)}


def test_without_gold_answers_there_is_no_recall() -> None:
    assert set(qa_metrics(ROWS[4:], 0.6, resamples=20)) == {"qa_unsupported"}
    assert recall_curve(ROWS[4:], resamples=5) == {}
    assert qa_metrics([], 0.6) == {}


def item(statement: str, key: str | None = None, polarity: str | None = None) -> KnowledgeItem:
    return KnowledgeItem.model_validate({"statement": statement, "key": key, "polarity": polarity})


def test_answers_come_from_the_items_with_the_right_key_and_sign() -> None:
    items = [
        item("I love jazz", "favorite_music_genre", "positive"),
        item("I hate techno.", "favorite_music_genre"),
        item("I have two kids.", "children"),
        item("I can whistle.", "free:ability"),
    ]
    answerer: Answerer = Extractive(encoder=WordsEncoder())
    answers = dict(zip([enquiry.id for enquiry in questionnaire()], answerer.from_items(items, questionnaire()), strict=True))
    assert {name: answer.elements for name, answer in answers.items() if not answer.idk} == {
        "Q01": ("I love jazz.",),
        "Q15": ("I have two kids.",),
        "Q24": ("I hate techno.",),
    }


def test_the_key_of_a_bare_statement_is_that_of_known_ones() -> None:
    statement, key = next((text, key) for text, key in exemplars() if key == "pets_owned")
    answerer = Extractive(encoder=WordsEncoder())
    assert answerer.keys([item(statement), item("Xylophone quux."), item("Anything.", "children")]) == [key, None, "children"]
    assert Extractive(trust_keys=False, encoder=WordsEncoder()).keys([item(statement, "children")]) == [key]
    assert answerer.keys([]) == []


@pytest.mark.parametrize(
    ("statement", "polarity", "negative"),
    [
        ("I hate rain.", None, True),
        ("I don't eat meat.", None, True),
        ("I love rain.", None, False),
        ("I love rain.", "negative", True),
    ],
)
def test_what_rejects_something(statement: str, polarity: str | None, negative: bool) -> None:
    assert is_negative(item(statement, polarity=polarity)) is negative


def scripted(n: int) -> list[History]:
    teacher = Scripted()
    return [teacher.dialogue(teacher.persona(5, index, unseen=True), 5, 0) for index in range(n)]


def test_perfect_items_answer_everything_and_none_answer_nothing() -> None:
    histories = scripted(15)
    answerer, encoder = Extractive(encoder=WordsEncoder()), WordsEncoder()
    everything = [Prediction(id=history.id, items=history.items) for history in histories]
    rows = ask(answerer, questionnaire(), pairs_of(histories, everything), encoder)
    assert len(rows) == 15 * 24
    assert {name: metric["value"] for name, metric in qa_metrics(rows, 0.6, resamples=10).items()} == {
        "qa_recall": 1.0,
        "qa_recall_per_user": 1.0,
        "qa_idk": 0.0,
        "qa_unsupported": 0.0,
    }
    nothing = ask(answerer, questionnaire(), pairs_of(histories, [Prediction(id=history.id) for history in histories]), encoder)
    assert qa_metrics(nothing, 0.6, resamples=10)["qa_recall"]["value"] == 0.0
    truth = {row.id: not row.gold.idk for row in rows}
    assert agreement(*answerable(rows, truth), resamples=10)["kappa"]["value"] == 1.0


def test_oracle_recall_needs_key_value_and_sign() -> None:
    def told(value: str, polarity: str = "positive", key: str = "pets_owned") -> KnowledgeItem:
        return KnowledgeItem.model_validate({"statement": "x", "key": key, "value": value, "polarity": polarity})

    history = History(
        id="a", source="t", user="U", turns=(), items=(told("two cats"), told("a dog"), told("Rex", key="free:name"))
    )
    said = [told("Two  cats"), told("a dog", "negative"), told("a hen")]
    assert oracle.oracle_recall([(history, said)]).value == pytest.approx(1 / 3)
    assert oracle.oracle_recall([(history, said)], frozenset({"pets_owned"})).value == 0.5


def test_simulated_extractors_do_as_told() -> None:
    histories = scripted(40)
    strangers = [each for history in histories for each in history.items]

    def share(strength: oracle.Strength) -> float:
        return oracle.oracle_recall([(history, oracle.extract(history, strength, strangers)) for history in histories]).value

    assert share(oracle.Strength(1.0)) == 1.0
    assert share(oracle.Strength(0.0)) == 0.0
    assert share(oracle.Strength(0.5)) == pytest.approx(0.5, abs=0.12)
    assert share(oracle.Strength(1.0, wrong=1.0)) < 0.05
    extra = [len(oracle.extract(history, oracle.Strength(1.0, invented=1.0), strangers)) for history in histories]
    assert extra == [2 * len(history.items) for history in histories]


def test_simulated_extractors_use_other_words() -> None:
    facts = [each for history in scripted(40) for each in history.items]
    found = [oracle.extract(history, oracle.Strength(1.0), facts) for history in scripted(40)]
    said = [each for items in found for each in items]
    assert [oracle.fact(each) for each in said] == [oracle.fact(each) for each in facts]
    other = sum(one.statement != each.statement for one, each in zip(said, facts, strict=True))
    assert other > 0.3 * len(facts)


def test_qa_recall_ranks_extractors_as_the_oracle_does() -> None:
    encoder = WordsEncoder()
    found = oracle.compare_extractors(scripted(40), Extractive(encoder=encoder), questionnaire(), 0.5, encoder, resamples=100)
    assert len(found.oracle) == len(oracle.STRENGTHS) >= 8
    assert found.spearman == pytest.approx(spearmanr(found.oracle, found.qa).statistic)
    assert found.spearman >= 0.8
    assert 0.7 < found.low <= found.high <= 1


def test_youden_and_roc_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    same = random.random(200) < 0.4
    cosines = np.clip(np.where(same, 0.7, 0.45) + random.normal(0, 0.15, 200), 0.01, 0.99)
    false, true, levels = roc_curve(same, cosines, drop_intermediate=False)
    threshold, value = youden(same.tolist(), cosines)
    assert value == pytest.approx((true - false).max(), abs=1e-9)
    assert abs(threshold - levels[(true - false).argmax()]) < 0.02
    points = roc(same.tolist(), cosines)
    assert points[:, :2] == pytest.approx(np.stack([false, true], axis=1))
    assert area(points) == pytest.approx(roc_auc_score(same, cosines))
    with pytest.raises(ValueError, match="both kinds"):
        youden([True, True], np.array([0.1, 0.2]))


def test_the_threshold_file_is_what_the_pairs_choose(encoder: Embedder) -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert choose(encoder).as_dict() == stored
    assert chosen_threshold() == stored["threshold"]
    assert stored["youden"] > 0.7
    assert stored["sensitivity"]["n"] + stored["specificity"]["n"] >= 220


def reviewed_file(path: Path, changes: dict[str, object], *more: str) -> Path:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    filled = [{**line, "agrees": changes.get(line["id"])} for line in lines]
    path.write_text("".join(f"{text}\n" for text in (*map(json.dumps, filled), *more)), encoding="utf-8")
    return path


def test_reviews_go_out_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    assert review.export(path, ROWS, questionnaire(), 0.6) == 3
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert first == {
        "id": "a#Q01",
        "question": questionnaire()[0].question,
        "gold": "jazz",
        "candidate": "jazz",
        "automatic": True,
        "agrees": None,
        "note": "",
    }
    found = review.load(reviewed_file(path, {"a#Q01": True, "a#Q02": True}), ROWS)
    assert (found.decided, found.open, found.problems()) == ({"a#Q01": True, "a#Q02": True}, ("b#Q01",), [])
    by_hand = review.reviewed(ROWS, found)
    assert qa_metrics(by_hand, 0.6, resamples=10)["qa_recall"]["value"] == 3 / 4
    assert review.agreement_with_people(by_hand, found, 0.6)["agreement"]["value"] == 0.5
    assert review.agreement_with_people(ROWS, review.Reviews({}), 0.6) == {}


def test_a_bad_review_file_loses_nothing_that_is_right(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    review.export(path, ROWS, questionnaire(), 0.6)
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[1])
    more = [json.dumps({**line, "agrees": False}), json.dumps({**line, "id": "z#Q01"}), "half a", '{"id": "a#Q01"}', ""]
    found = review.load(reviewed_file(path, {"a#Q01": True, "a#Q02": True}, *more), ROWS)
    assert found.decided == {"a#Q01": True}
    assert found.open == ("a#Q02", "b#Q01")
    assert (found.unknown, found.contradictory) == (("z#Q01",), ("a#Q02",))
    assert list(found.unreadable) == [6, 7]
    assert [problem.split(",")[0] for problem in found.problems()] == [
        "1 ids that were never asked about",
        "1 ids with contradictory verdicts",
        "2 lines that could not be read",
    ]
    with pytest.raises(ConfigError, match="cannot be read"):
        review.load(tmp_path / "nowhere.jsonl", ROWS)
