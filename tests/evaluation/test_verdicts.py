import pytest
from judged_talks import question, scored, talk

from kithe.evaluation.judging.precision import judged_precision, reasons, shares
from kithe.evaluation.judging.verdicts import (
    NO_QUOTE,
    TIED,
    Duplicate,
    Scored,
    Unread,
    Unscored,
    Verdict,
    Vote,
    checked,
    decide,
    duplicates,
    found,
    read,
    unsure,
)
from kithe.evaluation.statistics import compare

TALK = talk(
    "ann", "A: You seem to like hiking.", "U: Yes, every Sunday - with my dog, Max!", "U: play jazz", "--", "U: more jazz please"
)
ASKED = question(TALK, "I like hiking.")


def vote(relevance: bool = True, sensibility: bool = True, **more: str) -> Vote:
    return Vote.model_validate({"relevance": relevance, "sensibility": sensibility, **more})


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("Yes, every Sunday", True),
        ("yes every  sunday, with my dog", True),
        ("You seem to like hiking.", True),
        ("play jazz ... more jazz", True),
        ("play jazz | more jazz", True),
        ("play jazz more jazz", False),
        ("every Monday", False),
        ("play jazz ... every Monday", False),
        ("", False),
        ("...", False),
    ],
)
def test_a_quote_stands_in_the_history_or_not(quote: str, there: bool) -> None:
    assert found(quote, TALK) is there


def test_relevance_without_a_true_quote_is_taken_back_and_says_so() -> None:
    lie = checked(vote(quote="I love hiking", relevance_reason="stated"), TALK)
    assert not lie.relevance
    assert lie.relevance_reason == f"{NO_QUOTE}: stated"
    assert lie.sensibility
    honest = vote(quote="every Sunday")
    assert checked(honest, TALK) == honest
    assert checked(vote(relevance=False), TALK) == vote(relevance=False)


def test_the_majority_decides_each_criterion() -> None:
    votes = [
        vote(True, False, quote="a"),
        vote(True, True, quote="b"),
        vote(False, True, quote="c"),
        Unread(unread="empty answer"),
    ]
    said = decide(ASKED, votes)
    assert isinstance(said, Scored)
    assert (said.relevance, said.sensibility, said.correct, said.quote) == (True, True, True, "b")
    assert said.votes == tuple(votes)
    assert unsure(said) == pytest.approx(2 / 3)


def test_a_tie_is_decided_by_the_greedy_vote_or_not_at_all() -> None:
    split = [vote(True), vote(False)]
    assert decide(ASKED, split) == Unscored(item="ann#0", user="ann", reason=TIED, votes=tuple(split))
    greedy = decide(ASKED, [vote(True), vote(False, variant="greedy")])
    assert isinstance(greedy, Scored)
    assert not greedy.relevance


def test_without_a_vote_there_is_a_reason() -> None:
    blank = Unread(unread="empty answer")
    assert decide(ASKED, [blank, Unread(unread="refusal"), blank]) == Unscored(
        item="ann#0", user="ann", reason="empty answer", votes=(blank, Unread(unread="refusal"), blank)
    )
    assert decide(ASKED, []) == Unscored(item="ann#0", user="ann", reason="no answer")


@pytest.mark.parametrize(
    "verdict",
    [
        Scored(item="a#0", user="a", relevance=False, sensibility=True, votes=(vote(False), Unread(unread="refusal", raw="no"))),
        Unscored(item="a#1", user="a", reason="empty answer"),
        Duplicate(item="a#2", user="a", duplicate_of="a#0"),
    ],
)
def test_verdicts_survive_a_file(verdict: Verdict) -> None:
    again = read(verdict.line())
    assert again == verdict
    assert type(again) is type(verdict)


def test_repeats_are_found_within_a_user_only() -> None:
    other = talk("bob", "U: hi")
    asked = [question(TALK, "I like tea.", 0), question(TALK, "i like  tea", 1), question(other, "I like tea.", 0)]
    assert duplicates(asked) == {"ann#1": "ann#0"}
    assert duplicates(asked, same=lambda one, other: True) == {"ann#1": "ann#0"}


VERDICTS: list[Verdict] = [
    scored("a#0", "a"),
    scored("a#1", "a", relevance=False),
    scored("a#2", "a", sensibility=False),
    Unscored(item="a#3", user="a", reason="empty answer"),
    Duplicate(item="a#4", user="a", duplicate_of="a#0"),
    scored("b#0", "b"),
    Unscored(item="c#0", user="c", reason="refusal"),
]


def test_precision_by_hand() -> None:
    values = {name: (metric["value"], metric["n"]) for name, metric in judged_precision(VERDICTS, resamples=200).items()}
    assert values == {
        "precision": (2 / 4, 4),
        "precision_per_user": (pytest.approx((1 / 3 + 1) / 2), 2),
        "precision_worst": (pytest.approx(2 / 6), 6),
        "precision_best": (pytest.approx(4 / 6), 6),
        "precision_strict": (pytest.approx(2 / 5), 5),
        "relevance": (3 / 4, 4),
        "sensibility": (3 / 4, 4),
        "unscored_rate": (pytest.approx(2 / 6), 6),
    }
    assert reasons(VERDICTS) == {"empty answer": 1, "refusal": 1}


def test_nothing_scored_has_bounds_but_no_precision() -> None:
    found = judged_precision([VERDICTS[-1]], resamples=10)
    assert "precision" not in found
    assert (found["precision_worst"]["value"], found["precision_best"]["value"]) == (0.0, 1.0)
    assert judged_precision([]) == {}


def test_two_systems_are_compared_user_by_user() -> None:
    better = [verdict.model_copy(update={"relevance": True}) if isinstance(verdict, Scored) else verdict for verdict in VERDICTS]
    difference = compare(shares(better)["precision"], shares(VERDICTS)["precision"], resamples=200)
    assert difference.value == pytest.approx(1 / 4)
