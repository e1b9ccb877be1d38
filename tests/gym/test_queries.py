"""Seed queries: enough of them, each of its own, with slots that stand in the text; and in the words of a persona."""

from collections import Counter
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym.bank import bank
from kithe.gym.noise.meaning import lost
from kithe.gym.queries import aspects, queries, query_at, read_page
from kithe.gym.sampling import GymPersona, Sampler
from kithe.gym.style import count_words
from kithe.gym.stylist import LENGTH, LENGTHS, ScriptedStylist, Styling, chosen

PEOPLE = list(Sampler().personas(60, 0))


def test_enough_over_all_domains() -> None:
    per_domain = Counter(query.domain for query in queries())
    assert set(per_domain) == set(bank().by_name["domain"].values)
    assert min(per_domain.values()) >= 16
    assert len(queries()) >= 400
    assert set(aspects()) == set(per_domain)


def test_each_is_its_own() -> None:
    texts = [query.text for query in queries()]
    assert len(set(texts)) == len({query.id for query in queries()}) == len(texts)
    grams = [frozenset(zip(words, words[1:], words[2:], strict=False)) for words in (text.lower().split() for text in texts)]
    near = [(a, b) for n, a in enumerate(grams) for b in grams[:n] if len(a & b) / len(a | b) > 0.25]
    assert near == []
    assert mean(len(query.slots) for query in queries()) > 3
    assert len({query.intent for query in queries()}) >= 40


def test_slots_stand_in_the_text() -> None:
    for query in queries():
        assert all(slot in query.text for slot in query.slots)
        assert query.ask_slots
        assert "[" not in query.text


@pytest.mark.parametrize(("line", "message"), [("plan | a trip to [Rome]", "2 parts"),
                                              ("plan | a [trip to Rome | We go.", "brackets"),
                                              ("Plan it | a trip to [Rome] | We go.", "intent"),
                                              ("plan | a trip to Rome | We go.", "slots"),
                                              ("plan | a trip to [Rome] | We go", "context")])  # fmt: skip
def test_a_faulty_query_is_named(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_page(f"domain: travel\naspects: [a b, c d, e f]\nqueries: |\n  {line}\n", "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: query 1")


def test_each_is_used_once_before_any_is_used_again() -> None:
    laps = [query_at(place, 4).id for place in range(2 * len(queries()))]
    half = len(queries())
    assert set(laps[:half]) == set(laps[half:]) == {query.id for query in queries()}
    assert laps[:half] != laps[half:]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(queries()), st.sampled_from(PEOPLE), st.sampled_from(list(LENGTHS)), st.integers(2, 5), st.integers(0, 9))
def test_adapted_queries_keep_the_request_and_the_band(query, person: GymPersona, length: str, target: int, seed: int) -> None:  # type: ignore[no-untyped-def]
    adapted = ScriptedStylist().adapt(query, person, "full", length, target, Random(seed))
    assert query.ask in adapted.text
    assert not lost(query.slots, query.text, adapted.text)
    assert ".." not in adapted.text.replace("0.999...", "")
    low, high = LENGTHS[length]
    words = count_words(adapted.text)
    assert words <= max(high, count_words(query.text))
    assert words >= low or length == "very long" or (length == "very short" and words >= 7)
    assert adapted.domain == query.domain
    assert not any(name in adapted.text for name in bank().names if "_" in name)
    told = [person.values[n] for n in ("age_band", "education_level", "risk_posture", "multi_intent_rate") if n in person.values]
    assert not any(f"I am {value}" in adapted.text for value in told)


def test_more_turns_more_aspects() -> None:
    def length(target: int) -> int:
        texts = (ScriptedStylist().adapt(q, PEOPLE[0], "full", "medium", target, Random(1)).text for q in queries()[:60])
        return sum(text.count("Please also") for text in texts)

    assert length(2) == 0
    assert length(2) < length(3) < length(4)


def test_a_plain_query_is_as_it_was() -> None:
    adapted = ScriptedStylist().adapt(queries()[0], PEOPLE[0], "plain", "long", 3, Random(0))
    assert adapted.text == queries()[0].text
    assert adapted.dimensions == ()


def test_partial_uses_two_to_four_dimensions() -> None:
    sizes = Counter(len(chosen(person, "partial", Random(index))) for index, person in enumerate(PEOPLE * 3))
    assert set(sizes) == {2, 3, 4}
    assert chosen(PEOPLE[0], "full", Random(0)) == tuple(PEOPLE[0].values)


def test_messages_are_as_long_as_somebody_likes_to_write_them() -> None:
    wishes = bank().dimension(LENGTH).values
    means = [sum(place * share for place, share in enumerate(Styling().law(wish).values())) for wish in wishes]
    assert means == sorted(means)
    assert means[-1] - means[0] > 1.5
    for name, share in Styling().law().items():  # all together have the whole distribution
        assert sum(Styling().law(wish)[name] for wish in wishes) / len(wishes) == pytest.approx(share)
    assert {Styling().length(Random(seed), "very short") for seed in range(50)} == {"very short", "short"}
    assert {Styling(sd=0).length(Random(seed), "long") for seed in range(5)} == {"medium"}


def test_rates_of_styling() -> None:
    rng, n = Random(0), 4000
    hows = Counter(Styling().how(rng) for _ in range(n))
    lengths = Counter(Styling().length(rng) for _ in range(n))
    for found, law in (
        (n - hows["plain"], 0.5),
        (hows["full"], 0.25),
        (lengths["short"], 0.3413),
        (lengths["very short"], 0.1587),
    ):
        assert abs(found / n - law) < 3 * (law * (1 - law) / n) ** 0.5
    with pytest.raises(ConfigError, match="probability"):
        Styling(rate=2)
    with pytest.raises(ConfigError, match=r"styling\.sd=-1"):
        Styling(sd=-1)


def test_formal_and_casual_people_write_differently() -> None:
    formal = GymPersona(id="f", values={"formality_level": "very formal"})
    casual = GymPersona(id="c", values={"formality_level": "very casual"})
    for query in queries()[:30]:
        one, two = (ScriptedStylist().adapt(query, p, "full", "medium", 2, Random(0)).text for p in (formal, casual))
        assert any(mark in one for mark in ("grateful", "May I", "I am writing"))
        assert any(mark in two for mark in ("hey", "can u", "hi!", "quick one"))
