"""The plan of a dialogue: as long, as routine, as strong and as open as the mix wants."""

from collections import Counter
from random import Random

import pytest

from kithe.dialogues.mix import Mix, distance
from kithe.dialogues.scripted import Scripted
from kithe.generation.reading import echoed, foreign, located
from kithe.generation.teacher import stand_in
from kithe.generation.turns import TYPES, first_person, plan
from kithe.personas.ontology import ontology

PEOPLE = [stand_in(str(index), 0) for index in range(250)]
MANY = [plan(persona, Mix(), Random(index)) for index, persona in enumerate(PEOPLE)]


def test_lengths_routine_strength_and_openness_follow_the_mix() -> None:
    counts = [one.count for one in MANY]
    assert min(counts) >= 2
    assert max(counts) <= 12
    assert sum(counts) / len(counts) == pytest.approx(6, abs=0.3)
    facts = [fact for one in MANY for fact in one.facts]
    assert 0.35 <= 1 - len(facts) / sum(counts) <= 0.47
    intensity = Counter(fact.intensity for fact in facts)
    assert distance(intensity, Mix().intensity) < 0.05
    assert sum(fact.polarity == "negative" for fact in facts) / len(facts) == pytest.approx(0.15, abs=0.05)
    assert sum(fact.inference == "implicit" for fact in facts) / len(facts) == pytest.approx(0.30, abs=0.05)


def test_a_turn_shows_one_fact_and_a_key_comes_once() -> None:
    for one, persona in zip(MANY, PEOPLE, strict=True):
        assert len({fact.turn for fact in one.facts}) == len(one.facts) == len({fact.key for fact in one.facts})
        assert all(1 <= fact.turn <= one.count for fact in one.facts)
        assert len(one.lines()) == one.count
        assert one.topic in persona.paths


def test_a_persona_that_only_has_attributes_can_be_planned_too() -> None:
    teacher = Scripted()
    persona = teacher.persona(0, 0).model_copy(update={"values": {}})
    found = plan(persona, Mix(), Random(0))
    assert found.facts
    assert all(fact.statement[0].isupper() for fact in found.facts)


def test_every_tier_has_a_type() -> None:
    assert set(TYPES) == set(ontology().tiers)


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("plays or does judo", "I play or do judo."),
        ("is drawn to murals", "I am drawn to murals."),
        ("watches cricket", "I watch cricket."),
        ("does not drink tea", "I do not drink tea."),
        ("mostly uses a phone", "I mostly use a phone."),
        ("always waits for sales", "I always wait for sales."),
        ("has two cats", "I have two cats."),
        ("studies law", "I study law."),
        ("cannot eat nuts", "I cannot eat nuts."),
        ("makes or collects quilts", "I make or collect quilts."),
    ],
)  # fmt: skip
def test_statements_are_in_the_first_person(said: str, own: str) -> None:
    assert first_person(said) == own


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("i love JAZZ", "Well, I love  jazz!", "I love  jazz"),
        ("don't eat meat", "I don’t eat meat.", "don’t eat meat"),
        ('"two cats."', "I have two cats at home", "two cats"),
        ("cat", "I like concatenation", None),
        ("", "anything", None),
        ("I love opera", "I love jazz", None),
        ("it costs 5.50", "It costs 5.50, they say", "It costs 5.50"),
    ],
)  # fmt: skip
def test_quotes_are_found_as_they_stand(quote: str, text: str, found: str | None) -> None:
    assert located(quote, text) == found


ENGLISH = (
    "Could you please remind me tomorrow that I have to call the dentist, and also play some music while I am cooking dinner"
)
FOREIGN = {
    "fr": "Est-ce que tu peux me rappeler demain que je dois appeler le dentiste et mettre de la musique pour le repas",
    "es": "Recuerda por favor que tengo que llamar al dentista y pon algo de musica mientras cocino la cena",
    "de": "Erinnere mich bitte morgen daran dass ich den Zahnarzt anrufen muss und spiele beim Kochen etwas Musik",
    "it": "Ricordami per favore domani di chiamare il dentista e metti un po di musica mentre preparo la cena",
    "ru": "Напомни мне завтра позвонить врачу",
}


def test_english_is_told_from_other_languages() -> None:
    assert foreign([ENGLISH]) is None
    assert foreign(["Spiele Musik"]) is None
    for text in FOREIGN.values():
        assert foreign([text]) is not None, text


def test_an_echo_is_ten_words_in_a_row() -> None:
    given = "This person likes the music of a band from Lagos, keeps two cats and works at night."
    assert echoed("oh, this person likes the music of a band from Lagos, right", given)
    assert not echoed("I like the music of a band from Lagos and have two cats", given)
