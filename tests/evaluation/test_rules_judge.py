import numpy as np
import pytest
from judged_talks import question, talk

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.evaluation.agreement import agreement
from kithe.evaluation.judges import Judge
from kithe.evaluation.judging.items import ItemJudge, judged
from kithe.evaluation.judging.rules import SIMULATED, RulesJudge, Truth
from kithe.evaluation.judging.verdicts import Duplicate, Question, Scored, Unscored
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

TALK = talk("ann", "U: I have two cats.", "U: hi", "U: I ski.", facts=[("I have two cats.", 0), ("I love skiing.", 2)])


def odd(questions: list[Question]) -> list[Truth]:
    return [Truth(question.place % 2 == 1) for question in questions]


def many(n: int = 4000) -> list[Question]:
    return [question(TALK, f"I like thing {index}.", index) for index in range(n)]


def said(judge: RulesJudge, questions: list[Question]) -> list[bool]:
    verdicts = judge.verdicts(questions)
    return [verdict.correct for verdict in verdicts if isinstance(verdict, Scored)]


def test_it_errs_as_often_as_told() -> None:
    found = agreement([place % 2 == 1 for place in range(4000)], said(RulesJudge(0.92, 0.7, truth=odd), many()), resamples=50)
    assert found["sensitivity"]["value"] == pytest.approx(0.92, abs=0.02)
    assert found["specificity"]["value"] == pytest.approx(0.70, abs=0.03)


def test_a_majority_of_votes_is_better_than_one() -> None:
    truth = [place % 2 == 1 for place in range(4000)]
    one, five = (agreement(truth, said(RulesJudge(0.8, 0.8, samples=n, truth=odd), many()), resamples=20) for n in (1, 5))
    # 1 - P(at most two of five right) at 0.8 is 0.942.
    assert one["agreement"]["value"] == pytest.approx(0.80, abs=0.02)
    assert five["agreement"]["value"] == pytest.approx(0.942, abs=0.015)


def test_seed_and_item_decide_and_nothing_else() -> None:
    judge, questions = RulesJudge(0.6, 0.6, truth=odd), many(200)
    assert judge.verdicts(questions) == [judge.verdicts([each])[0] for each in questions]
    assert said(judge, questions) != said(RulesJudge(0.6, 0.6, seed=1, truth=odd), questions)


def test_gold_facts_are_its_truth_and_their_place_its_position() -> None:
    judge = RulesJudge(1.0, 1.0)
    questions = [
        question(TALK, text, place) for place, text in enumerate(["I own 2 cats.", "I adore skiing.", "I have three cats."])
    ]
    assert judge.by_gold(questions) == [Truth(True, position=0.0), Truth(True, position=1.0), Truth(False)]


def test_silence_is_unscored() -> None:
    verdicts = RulesJudge(silent=0.3, truth=odd).verdicts(many(1000))
    missing = [verdict for verdict in verdicts if isinstance(verdict, Unscored)]
    assert len(missing) == pytest.approx(300, abs=50)
    assert {verdict.reason for verdict in missing} == {SIMULATED}


def test_repeats_are_not_judged_again() -> None:
    asked: list[int] = []

    class Counting:
        def verdicts(self, questions: list[Question]) -> list[Scored | Unscored]:
            asked.append(len(questions))
            return RulesJudge(truth=odd).verdicts(questions)

    judge: ItemJudge = Counting()  # type: ignore[assignment]
    found = judged(judge, [question(TALK, "I ski.", 0), question(TALK, "i ski", 1), question(TALK, "I sew.", 2)])
    assert asked == [2]
    assert found[1] == Duplicate(item="ann#1", user="ann", duplicate_of="ann#0")


def scripted(n: int) -> list[History]:
    teacher = Scripted()
    return [teacher.dialogue(teacher.persona(3, index), 3, 0) for index in range(n)]


def predictions(histories: list[History], wrong: float) -> list[Prediction]:
    """Each history's own facts, and with some chance another history's instead."""
    random = np.random.default_rng(0)
    strangers = [item for history in histories for item in history.items]
    return [
        Prediction(
            id=history.id,
            items=tuple(
                item if random.random() > wrong else strangers[random.integers(len(strangers))] for item in history.items
            ),
            units=1,
        )
        for history in histories
    ]


def test_scores_of_scripted_histories_from_end_to_end() -> None:
    histories = scripted(40)
    guesses = predictions(histories, wrong=0.4)
    perfect: Judge = RulesJudge(1.0, 1.0, resamples=100)
    poor: Judge = RulesJudge(0.6, 0.5, silent=0.1, resamples=100)
    true, seen = perfect.score(histories, guesses), poor.score(histories, guesses)
    p, (q1, q0) = true.metrics["precision"]["value"], (0.6, 0.5)
    assert 0.5 < p < 0.75
    assert seen.metrics["precision"]["value"] == pytest.approx((q0 + q1 - 1) * p + 1 - q0, abs=0.12)
    assert seen.unscored > 0
    assert seen.settings == {"simulated": True, "sensitivity": 0.6, "specificity": 0.5, "unscored": {SIMULATED: seen.unscored}}
    bounds = seen.metrics["precision_worst"]["value"], seen.metrics["precision_best"]["value"]
    assert bounds[0] < seen.metrics["precision"]["value"] < bounds[1]
    assert true.metrics["items_per_history"]["n"] == 40
    assert [row["id"] for row in true.rows] == [history.id for history in histories]
    assert sum(row["tp"] for row in true.rows) == round(p * true.metrics["precision"]["n"])
    assert sum(len(row["verdicts"]) for row in true.rows) == sum(len(guess.items) for guess in guesses)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"judge.specificity=1.2"):
        RulesJudge(specificity=1.2)
    with pytest.raises(ConfigError, match=r"judge.samples=0"):
        RulesJudge(samples=0)
    item = KnowledgeItem(statement="I ski.")
    with pytest.raises(ValueError, match="not those of"):
        RulesJudge().score([TALK], [Prediction(id="bob", items=(item,))])
