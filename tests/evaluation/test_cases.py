import re
from collections import Counter

from kithe.evaluation.judging.cases import Case, cases, examine
from kithe.evaluation.judging.rules import RulesJudge, Truth
from kithe.evaluation.judging.verdicts import Question

# relevance and sensibility of cases 1 to 40
LABELS = "yy yy ny yn nn yy ny yy ny yy ny yy nn ny yy nn nn yy ny nn yy nn yn yy ny yn ny ny nn yy ny yy nn yy yn yy ny yy ny yy"
TRUE = {f"case-{case.n}": Truth(case.relevance, case.sensibility) for case in cases()}


def known(questions: list[Question]) -> list[Truth]:
    return [TRUE[question.id] for question in questions]


def test_forty_cases_with_the_labels_of_the_rubric() -> None:
    assert [case.n for case in cases()] == list(range(1, 41))
    assert [f"{'ny'[case.relevance]}{'ny'[case.sensibility]}" for case in cases()] == LABELS.split()
    assert Counter(case.correct for case in cases()) == {True: 16, False: 24}


def test_the_special_cases() -> None:
    by_number = {case.n: case for case in cases()}
    assert by_number[38].strict is False
    assert by_number[40].duplicate_of == 1
    assert by_number[40].question.history.id == by_number[1].question.history.id
    assert by_number[39].turns == ()
    repeats = [turn for turn in by_number[2].question.history.turns if turn.speaker == "U"]
    assert len(repeats) == 4
    assert len({turn.session for turn in repeats}) == 3


def test_statements_are_the_user_speaking() -> None:
    assert all(re.match(r"(I|My) ", case.statement) and case.statement.endswith(".") for case in cases())


def test_a_judge_that_knows_the_truth_decides_all_of_them() -> None:
    figures, wrong = examine(RulesJudge(1.0, 1.0, truth=known))
    assert wrong == []
    assert {name: found["kappa"]["value"] for name, found in figures.items()} == dict.fromkeys(
        ("relevance", "sensibility", "correct"), 1.0
    )


def test_a_judge_that_errs_is_told_where() -> None:
    figures, wrong = examine(RulesJudge(1.0, 0.0, truth=known))
    assert {case.n for case in wrong} == {case.n for case in cases() if not case.relevance}
    assert figures["relevance"]["specificity"]["value"] == 0.0


def test_a_silent_judge_has_no_figures_and_every_case_wrong() -> None:
    some: list[Case] = list(cases()[:5])
    figures, wrong = examine(RulesJudge(silent=1.0, truth=known), some)
    assert figures == {}
    assert wrong == some
