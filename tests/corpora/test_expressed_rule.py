"""The rule that says whether a fact is expressed, by hand and against people's judgement."""

from pathlib import Path

import pytest

from kithe.corpora.expressed import Expressed
from kithe.corpora.real import RealSet
from kithe.corpora.rows import read
from kithe.records.history import Evidence, History, KnowledgeItem, Turn


def talk(*lines: str) -> History:
    turns = tuple(Turn(speaker=line[0], text=line[3:]) for line in lines)
    return History(id="h", source="t", user="U", turns=turns)


CHAT = talk(
    "P: Do you have kids?",
    "U: Yes, two.",
    "P: I adore horror films.",
    "U: Not my thing. I paint landscapes in oil.",
    "U: Landscapes mostly.",
    "P: Do you own a boat?",
    "U: Let us talk about landscapes instead.",
)


@pytest.mark.parametrize(
    ("statement", "turns"),
    [
        ("I paint landscapes.", (3,)),
        ("I have two kids.", (1,)),
        ("I like landscapes.", (3, 4, 6)),
        ("I adore horror films.", ()),
        ("I own a boat.", ()),
        ("I paint portraits of famous generals.", ()),
        ("I have it.", ()),
    ],
)
def test_where_a_fact_is_expressed(statement: str, turns: tuple[int, ...]) -> None:
    assert tuple(proof.turn for proof in Expressed(0.5).evidence(CHAT, statement)) == turns


def test_without_the_partners_turn_an_answer_is_not_enough() -> None:
    assert Expressed(1.0).evidence(CHAT, "I have two kids.") == (Evidence(turn=1),)
    assert Expressed(1.0, context=False).evidence(CHAT, "I have two kids.") == ()


def test_shares_are_of_the_statements_content_stems() -> None:
    assert Expressed(context=False).shares(CHAT, "I paint oil landscapes at sunrise.") == {3: 3 / 4, 4: 1 / 4, 6: 1 / 4}


def test_evidence_of_its_own_stays_and_zero_keeps_all() -> None:
    known = KnowledgeItem(statement="I paint landscapes.", evidence=(Evidence(turn=4, quote="Landscapes"),))
    absent = KnowledgeItem(statement="I own a boat.")
    assert Expressed(0.5).kept(CHAT, known) == known
    assert Expressed(0.5).kept(CHAT, absent) is None
    assert Expressed(0.0).kept(CHAT, absent) == absent


def test_it_agrees_with_people(data: Path) -> None:
    flags = {row.id: [gold.expressed for gold in row.gold] for row in read(data / "personachat" / "train.jsonl.gz")}
    chats = list(RealSet("personachat", str(data), unexpressed=True).histories("train", 0))
    rule = Expressed(0.5)
    pairs = [
        (flag, bool(rule.evidence(chat, item.statement)))
        for chat in chats
        for flag, item in zip(flags[chat.id], chat.items, strict=True)
    ]
    both, found, expressed = (sum(map(test, pairs)) for test in (all, lambda pair: pair[1], lambda pair: bool(pair[0])))
    assert len(pairs) == 7906
    assert both / found == pytest.approx(0.955, abs=0.005)
    assert both / expressed == pytest.approx(0.807, abs=0.005)


def test_it_finds_the_turns_people_marked(data: Path) -> None:
    rule = Expressed(0.5)
    hits = [
        any(rule.shares(chat, item.statement).get(proof.turn, 0) >= 0.5 for proof in item.evidence)
        for chat in RealSet("msc", str(data), limit=300).histories("train", 0)
        for item in chat.items
    ]
    assert sum(hits) / len(hits) == pytest.approx(0.843, abs=0.02)
