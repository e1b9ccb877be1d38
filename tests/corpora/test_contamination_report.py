"""Overlap between a training corpus and a test set."""

import json

from kithe.corpora.contamination import report
from kithe.records.history import History, KnowledgeItem, Turn

LONG = "one day in late may we walked the whole old harbour wall twice before breakfast"
KINDS = ("ngrams", "ids", "twins", "dialogues", "facts")


def history(name: str, *texts: str, facts: tuple[str, ...] = (), twin: str | None = None) -> History:
    turns = tuple(Turn(speaker="U", text=text) for text in texts)
    return History(
        id=name, source="t", user="U", turns=turns, items=tuple(KnowledgeItem(statement=fact) for fact in facts), twin=twin
    )


def counts(train: list[History], test: list[History]) -> dict[str, int]:
    found = report(train, test)
    return {kind: found[kind]["count"] for kind in KINDS if found[kind]["count"]}


def test_nothing_in_common() -> None:
    found = report([history("a", "hello there")], [history("b", "good morning")])
    assert {kind: found[kind]["count"] for kind in KINDS} == dict.fromkeys(KINDS, 0)
    assert (found["train_histories"], found["test_histories"], found["ngrams"]["share"]) == (1, 1, 0.0)
    assert json.loads(json.dumps(found)) == found


def test_thirteen_words_in_a_row_count_whatever_their_dress() -> None:
    twelve, thirteen = (" ".join(LONG.split()[:size]) for size in (12, 13))
    train = [history("a", f"Well, {LONG.upper()}!")]
    assert counts(train, [history("b", f"so {thirteen} again", "other")]) == {"ngrams": 1}
    assert counts(train, [history("b", f"so {twelve} again")]) == {}
    found = report(train, [history("b", thirteen, "other")])["ngrams"]
    assert found["share"] == 0.5
    assert found["examples"] == [{"train": "a", "test": "b", "text": " ".join(words_of(thirteen))}]


def words_of(text: str) -> list[str]:
    return ["1" if word == "one" else word for word in text.split()]


def test_the_same_user_and_the_same_dialogue() -> None:
    train = [history("a", "Hi!", "I'm Bo.", facts=("I am Bo.", "I sing."))]
    assert counts(train, [history("a", "else")]) == {"ids": 1}
    assert counts(train, [history("b", "hi", "i am bo", facts=("i am bo", "I dance."))]) == {"dialogues": 1, "facts": 1}
    assert counts(train, [history("b", "hi", "i am bob", facts=("I am Bo.",))]) == {}


def test_twins_share_personas() -> None:
    train = [history("spc-1", "x", twin="pc-1")]
    assert counts(train, [history("pc-1", "y"), history("other-1", "z", twin="pc-1"), history("pc-2", "w")]) == {"twins": 2}
    assert counts([history("pc-1", "x")], [history("pc-1", "y")]) == {"ids": 1}


def test_examples_are_few() -> None:
    found = report([history("a", LONG)], [history(str(number), LONG + " x") for number in range(9)])
    assert found["ngrams"]["count"] == 9
    assert len(found["ngrams"]["examples"]) == 3
