"""The shares a corpus is made of, over enough turns; families; exemplars' manners and echoes; distractors."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product
from operator import attrgetter
from random import Random

import pytest
import yaml

from kithe.corpora.sample import Sample
from kithe.dialogues.distract import second_person, third_person
from kithe.dialogues.exemplars import FromReal, HandWritten, Manner, draw, echo_share, echoes, manner, mask
from kithe.dialogues.mix import Mix, distance, largest_gap
from kithe.dialogues.pen import Pen, strength
from kithe.dialogues.script import page
from kithe.dialogues.scripted import Scripted
from kithe.dialogues.voice import Voice
from kithe.errors import ConfigError
from kithe.personas.grammar import half
from kithe.personas.traits import book
from kithe.records.history import History


def write(teacher: Scripted, count: int, seed: int = 11) -> list[History]:
    return [teacher.dialogue(teacher.persona(seed, index), seed, 0) for index in range(count)]


def turns(corpus: list[History], user: bool = True) -> list[str]:
    return [turn.text for history in corpus for turn in history.turns if (turn.speaker == history.user) == user]


@pytest.fixture(scope="module")
def assistant() -> list[History]:
    return write(Scripted(people=0.0), 700)


@pytest.fixture(scope="module")
def people() -> list[History]:
    return write(Scripted(people=1.0), 600)


@pytest.mark.parametrize("kind", ["assistant", "people"])
def test_quotas_are_met_over_two_thousand_facts(kind: str, request: pytest.FixtureRequest) -> None:
    labels = [item for history in request.getfixturevalue(kind) for item in history.items]
    assert len(labels) >= 2000
    assert distance(Counter(map(attrgetter("intensity"), labels)), Mix().intensity) <= 0.05
    assert distance(Counter(map(attrgetter("polarity"), labels)), Mix().polarity) <= 0.05
    assert 0.25 <= sum(item.inference == "implicit" for item in labels) / len(labels) <= 0.35


def test_other_quotas_are_met_too() -> None:
    mix = Mix(high=0.6, low=0.1, negative=0.4, implicit=0.1)
    labels = [item for history in write(Scripted(mix=mix), 500) for item in history.items]
    assert distance(Counter(map(attrgetter("intensity"), labels)), mix.intensity) <= 0.05
    assert distance(Counter(map(attrgetter("polarity"), labels)), mix.polarity) <= 0.05
    assert sum(item.inference == "implicit" for item in labels) / len(labels) < 0.15


def test_the_wording_carries_the_strength(people: list[History]) -> None:
    """Where an explicit cue has a word that tells its strength, it tells the label's (answers such as "me too" aside)."""
    agree = total = 0
    for history in people:
        for item in history.items:
            found = strength(item.evidence[0].quote)
            if found != "medium" and item.inference == "explicit":
                total += 1
                agree += found == item.intensity
    assert total > 200
    assert agree / total > 0.85


def test_a_third_to_a_half_of_an_assistants_requests_reveal_nothing(assistant: list[History]) -> None:
    spoken = len(turns(assistant))
    revealing = sum(len({part.turn for item in history.items for part in item.evidence}) for history in assistant)
    assert 0.3 <= 1 - revealing / spoken <= 0.5


def test_a_habit_shows_in_requests_of_several_sessions(assistant: list[History]) -> None:
    repeated = [
        {history.turns[part.turn].session for part in item.evidence}
        for history in assistant
        for item in history.items
        if item.inference == "implicit" and len(item.evidence) > 1
    ]
    assert sum(len(sessions) > 1 for sessions in repeated) > 20


def test_distractions_are_there_and_are_not_labelled(assistant: list[History], people: list[History]) -> None:
    signs = {
        "others": re.compile(
            r"(?i)\bmy (sister|brother|cousin|aunt|uncle|best friend|roommate|neighbor|boss|coworker) (is|has|likes)"
        ),
        "hypothetical": re.compile(r"(?i)what if I told|in another life|my horoscope says|the quiz said"),
        "past": re.compile(r"(?i)that was the old me|different decade|until last year|out of date|times change"),
        "back": re.compile(r"(?i)take that back about|ignore that, I was|the hmm|isn't me, forget it|it was only a phase"),
    }
    for name, sign in signs.items():
        found = [
            (history, place)
            for history in (*assistant, *people)
            for place, turn in enumerate(history.turns)
            if turn.speaker == history.user and sign.search(turn.text)
        ]
        assert len(found) >= 5, name
        for history, place in found:
            for item in history.items:
                if item.key in ("free:relatives", "free:siblings", "free:name"):
                    continue
                for part in item.evidence:
                    assert part.turn != place or not sign.search(part.quote), name


def test_there_are_enough_patterns_of_each_sort() -> None:
    lines = page("distract")
    assert len(half(lines["third"], "all")) >= 15
    assert len(half(page("people")["correct"], "all")) >= 10
    assert len(half(lines["retract"], "all")) >= 10
    assert len(half(page("assistant")["routine"], "all")) >= 40


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("I have two cats.", "my aunt has two cats"),
        ("I am tall.", "my aunt is tall"),
        ("I don't like my job.", "my aunt doesn't like their job"),
        ("My favorite color is blue.", "my aunt's favorite color is blue"),
        ("I usually travel with my sister.", "my aunt usually travels with their sister"),
        ("I study law.", "my aunt studies law"),
        ("I used to be a chef.", "my aunt used to be a chef"),
        ("I won a prize.", ""),
        ("There are three people in my household.", ""),
    ],
)
def test_third_person(stated: str, told: str) -> None:
    assert third_person(stated, "my aunt") == told


def test_second_person() -> None:
    assert second_person("I am proud of my kids.") == "you are proud of your kids"
    assert second_person("I'm tall and I like it.") == "you are tall and you like it"


def test_the_families_share_no_template_and_hardly_a_sentence() -> None:
    def blocks(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        return [text for part in (node.values() if isinstance(node, dict) else []) for text in blocks(part)]

    for name in ("people", "assistant", "advice", "tone", "distract", "voice"):
        for block in blocks({key: part for key, part in page(name).items() if key not in ("spelling", "verbs")}):
            assert not set(half(block, "a")) & set(half(block, "b"))
    said = []
    for family in ("a", "b"):
        found = turns(write(Scripted(family=family), 400))
        said.append({part.lower().strip(" .!?") for text in found for part in re.split(r"(?<=[.!?])\s", text)})
    assert len(said[0] & said[1]) / len(said[1]) < 0.08


def test_an_unknown_family_and_impossible_shares_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"teacher\.family"):
        Scripted(family="c")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"mix\.noise=2"):
        Mix(noise=2)
    with pytest.raises(ConfigError, match="must not exceed 1"):
        Mix(high=0.7, low=0.5)


def test_moments_are_labelled_only_where_asked_for() -> None:
    def of_the_moment(corpus: list[History]) -> int:
        return sum(item.key == "free:moment" for history in corpus for item in history.items)

    corpus = write(Scripted(people=0.0, mix=Mix(moments=0.8)), 120)
    assert of_the_moment(corpus) > 20
    assert of_the_moment(write(Scripted(people=0.0), 120)) == 0
    for history in corpus:
        for item in history.items:
            assert all(part.quote and part.quote in history.turns[part.turn].text for part in item.evidence)


def test_the_bank_is_large_and_none_of_it_comes_out(assistant: list[History]) -> None:
    bank = HandWritten().lines()
    assert len(bank) == len(set(bank)) >= 100
    assert all(isinstance(line, str) for line in bank)
    assert echo_share(assistant[:250], bank) < 0.01


def test_echoes() -> None:
    bank = ["could you find me a plumber who works on saturdays", "lights off"]
    assert echoes("Well, could you find me a plumber who works on Sundays?", bank)
    assert echoes("Hm. Could you find me a plumber who works Saturdays?", bank)
    assert not echoes("Could you find me a quiet cafe?", bank)
    assert not echoes("lights off", bank)


def test_exemplars_steer_the_manner() -> None:
    assert manner(("add oats", "lights off", "whats that")) == Manner(7 / 3 - 1 / 3, 1.0, 1.0, 0.0, 0.0, 1.0)
    assert len(draw(HandWritten(), Random(1))) == 3

    def share(lines: list[str], sign: str) -> float:
        return sum(bool(re.search(sign, text)) for text in lines) / len(lines)

    curt, kind = (_Bank(lines) for lines in (("add oats", "next one", "volume up"), ("Could you add oats, please?",) * 3))
    said = [turns(write(Scripted(people=0.0, exemplars=bank), 80)) for bank in (curt, kind)]
    lower, bare, polite = r"^[a-z]", r"[^.!?]$", r"(?i)please|could you|thank"
    assert share(said[0], lower) > 0.9 > 0.1 > share(said[1], lower)
    assert share(said[0], bare) > share(said[1], bare) + 0.2
    assert share(said[1], polite) > share(said[0], polite) + 0.04
    words = [sum(len(text.split()) for text in lines) / len(lines) for lines in said]
    assert words[1] > words[0]


class _Bank:
    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines

    def lines(self) -> tuple[str, ...]:
        return self._lines


def test_exemplars_of_a_real_source_are_scrubbed() -> None:
    masked = mask("mail bob@x.org at 5:30, I met Anna Smith in Rome")
    assert masked == "mail somewhere at some I met someone in someone"
    lines = FromReal(_Log(), scrub=str.upper, most=20).lines()
    assert 5 < len(lines) <= 20
    assert all(line == line.upper() for line in lines)
    assert FromReal(_Log(), most=20).lines() == FromReal(_Log(), most=20).lines()


@dataclass(frozen=True)
class _Log:
    """A source whose training split is the sample's validation split."""

    def histories(self, split: str, seed: int) -> Iterator[History]:
        assert split == "train"
        return Sample().histories("validation", seed)


def test_requests_in_a_manner() -> None:
    pen = Pen(Random(3))
    assert Voice(terse=1.0).request("could you tell me the time please", pen) == "the time"
    polite = {Voice(polite=1.0).request("set a timer", Pen(Random(seed))) for seed in range(20)}
    assert all(re.search(r"could|can|would|please|thank|cheers|trouble|if you", text) for text in polite)


def test_distances() -> None:
    assert distance({"a": 2, "b": 2}, {"a": 1.0}) == 0.5
    assert distance({"a": 1}, {"a": 5}) == 0
    assert largest_gap([1, 2, 3], [1, 2, 3]) == 0
    assert largest_gap([1, 1], [2, 2]) == 1


def test_every_line_of_the_scripts_can_be_read() -> None:
    """With slots such as $third filled in, nothing of the grammar is left over."""
    slots = {name: {"v": "tea"} for name in ("v", "third", "first", "one", "two")}
    slots["v"] |= {"it": "it", "cap": "Tea"}
    for name, family in product(("distract", "tone"), ("a", "b", "all")):
        for block in page(name).values():
            for text in [block] if isinstance(block, str) else block.values():
                for line in chain(*(whole.split(" >> ") for whole in half(text, family))):  # type: ignore[arg-type]
                    assert not re.search(r"[()|<>$]", Pen(Random(1), family).read(line, slots))  # type: ignore[arg-type]
    assert yaml.safe_dump(dict(page("moments")))
    assert book().lexicons


def test_strength_stands_inside_the_sentence_where_it_can() -> None:
    """A plain beginning gets a stronger or weaker form, in the family's own words, and grave matters are never made light of."""
    said: dict[tuple[str, str], str] = {}
    for family, wanted in product(("a", "b"), ("high", "low")):
        pen = Pen(Random(3), family)  # type: ignore[arg-type]
        said[family, wanted] = pen._around("I like old maps", "like", wanted)  # type: ignore[arg-type]
        assert said[family, wanted].endswith("like old maps")
        grave = pen._around("my mum passed away", "fact", wanted)  # type: ignore[arg-type]
        assert not re.search(r"no big deal|matter|nothing (special|much)|give it much thought", grave)
        often = [pen._around("we eat out all the time", "like", wanted) for _ in range(40)]  # type: ignore[arg-type]
        assert sum(bool(re.search(r"now and then|on and off|so often", text)) for text in often) <= 2
    assert len(set(said.values())) == 4
