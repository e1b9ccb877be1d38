"""Noise: every operator under its layer's post-condition, persona-aware, at the rates that are set."""

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym.figures import strategy_law
from kithe.gym.noise import ambiguous, missing, surface
from kithe.gym.noise.distractor import CHECKS, LAYERS, OPERATORS, RATES, Distractor, Layer, applied_to
from kithe.gym.noise.meaning import extract, has_word, intents_in, words_of_noise
from kithe.gym.queries import queries
from kithe.gym.user import script

FOLLOW_UPS = [frame.format(cue=clause, Cue=clause.capitalize())
              for values in script().cues.values() for clauses in values.values() for clause in clauses
              for frame in ("Please {cue}.", "Could you {cue}, please?", "ok but {cue}")]  # fmt: skip
TEXTS = [*(query.text for query in queries()), *FOLLOW_UPS]
EVERY = [(layer, name) for layer in LAYERS for name in OPERATORS[layer]]
REGISTERS: tuple[surface.Register, ...] = ("formal", "plain", "casual")


def test_seventeen_strategies_in_three_layers() -> None:
    assert [len(OPERATORS[layer]) for layer in LAYERS] == [9, 4, 4]
    assert {name for _, name in EVERY} == set(RATES)


@pytest.mark.parametrize(("layer", "name"), EVERY, ids=[name for _, name in EVERY])
@settings(max_examples=40, deadline=None)
@given(text=st.sampled_from(TEXTS), register=st.sampled_from(REGISTERS), seed=st.integers(0, 10**6))
def test_post_conditions(layer: Layer, name: str, text: str, register: surface.Register, seed: int) -> None:
    meaning = extract(text)
    noisy = applied_to(text, text, layer, name, meaning, register, Random(seed))
    if noisy is None:
        return
    assert noisy != text
    if layer == "surface":
        assert all(slot in noisy for slot in meaning.slots)
    elif layer == "incomplete information":
        assert any(not has_word(noisy, slot) for slot in (*meaning.slots, *meaning.soft))
    else:
        assert len(intents_in(noisy)) >= 2 or ambiguous.contradicted(noisy)
    assert not meaning.intent or has_word(noisy, meaning.intent)


@pytest.mark.parametrize(("layer", "name"), EVERY, ids=[name for _, name in EVERY])
def test_each_can_nearly_always_be_applied(layer: Layer, name: str) -> None:
    texts = TEXTS[::3]
    failed = sum(applied_to(text, text, layer, name, extract(text), "plain", Random(text)) is None for text in texts)
    assert failed <= 0.06 * len(texts)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80), register=st.sampled_from(REGISTERS), seed=st.integers(0, 999))
def test_any_text_survives(text: str, register: surface.Register, seed: int) -> None:
    noise = Distractor(rate=1).noised(text, register, Random(seed))
    if noise is not None:
        assert CHECKS[noise.layer](extract(text), noise.noisy_text)
        assert noise.original_text == text


def test_what_each_operator_leaves() -> None:
    text = "Please plan a trip to Lisbon for 3 days, and do not book a hotel."
    meaning, rng = extract(text), Random(4)
    assert (meaning.intent, set(meaning.slots)) == ("plan", {"Lisbon", "3 days"})
    assert len(surface.typo(text, meaning, "plain", rng) or "") - len(text) in (-2, -1, 0, 1, 2)
    assert any(mark in (surface.emotion(text, meaning, "formal", rng) or "") for mark in words_of_noise()["emotions"]["formal"])
    assert re.search(r"\((?:sorry|typing|hold)", surface.fragment(text, meaning, "plain", rng) or "")
    gone = missing.absent(text, meaning, "plain", rng) or ""
    assert ("Lisbon" in gone) + ("3 days" in gone) == 1
    referred = missing.reference(text, meaning, "plain", rng) or ""
    assert any(phrase in referred for phrase in words_of_noise()["references"])
    open_ended = missing.priority(text, meaning, "plain", rng) or ""
    assert any(open_ended.endswith(phrase) for phrase in words_of_noise()["priorities"])
    assert ambiguous.contradicted(ambiguous.contradiction(text, meaning, "plain", rng) or "")
    assert len(intents_in(ambiguous.changed(text, meaning, "plain", rng) or "")) > len(intents_in(text))


def test_where_nothing_is_left_to_strike_the_rest_still_applies() -> None:
    text = "Add one example."
    meaning, rng = extract(text), Random(0)
    gone = missing.absent(text, meaning, "plain", rng) or ""
    assert gone == "Add."
    for operator in (missing.reference, missing.priority):
        assert operator(gone, meaning, "plain", rng) not in (None, gone)
    for operator in (missing.absent, missing.vague):
        assert operator(gone, meaning, "plain", rng) is None
    assert missing.priority("Go.", extract("Go."), "plain", rng) is None  # nothing was struck, so nothing may be open


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[a-z]{4,12}", fullmatch=True), st.integers(0, 999))
def test_a_slip_of_the_finger_is_small(word: str, seed: int) -> None:
    slipped = surface.misspelt(word, Random(seed))
    assert slipped != word
    assert abs(len(slipped) - len(word)) <= 1
    assert (slipped[0], slipped[-1]) == (word[0], word[-1]) or sorted(slipped) == sorted(word)


def test_intent_and_slots_of_templated_queries() -> None:
    intents = sum(extract(query.text).intent == query.intent for query in queries())
    assert intents / len(queries()) > 0.99
    right = total = found = 0
    for query in queries():
        slots = extract(query.text).slots
        hits = [any(slot in own or own in slot for own in query.slots) for slot in slots]
        right, total = right + sum(hits), total + len(hits)
        named = [own for own in query.slots if own[0].isupper() or any(map(str.isdigit, own))]
        found += all(any(slot in own or own in slot for slot in slots) for own in named)
    assert right / total > 0.9  # what is taken for a slot is one
    assert found / len(queries()) > 0.9  # names and figures are found
    known = [all(slot in " ".join(extract(query.text, query.slots).slots) for slot in query.slots) for query in queries()]
    assert sum(known) / len(known) > 0.99


def test_a_formal_user_never_writes_slang() -> None:
    slang = re.compile(rf"\b(?:{'|'.join(words_of_noise()['slang'])})\b", re.IGNORECASE)
    emoji = re.compile("|".join(words_of_noise()["emoji"]))
    wild = 0
    for number, text in enumerate(TEXTS):
        if slang.search(text):
            continue
        formal, casual = (Distractor(rate=1).noised(text, register, Random(number)) for register in ("formal", "casual"))
        if formal:
            assert not slang.search(formal.noisy_text), formal
            assert not emoji.search(formal.noisy_text)
        wild += bool(casual and (slang.search(casual.noisy_text) or emoji.search(casual.noisy_text)))
    assert wild > 100


def test_rates_layers_and_strategies_are_those_that_are_set() -> None:
    found = [Distractor().noised(TEXTS[n % len(queries())], "plain", Random(n)) for n in range(4000)]
    noised = [noise for noise in found if noise]
    _within(len(noised), len(found), 0.25)
    layers = Counter(noise.layer for noise in noised)
    for layer, share in zip(LAYERS, (0.5, 0.3, 0.2), strict=True):
        _within(layers[layer], len(noised), share)
    drawn = {layer: [Distractor().chosen(layer, Random(f"{layer}{n}")) for n in range(1500)] for layer in LAYERS}
    for layer in LAYERS:
        for name, law in strategy_law(layer).items():
            _within(sum(name in own for own in drawn[layer]), 1500, law)


def _within(hits: int, n: int, law: float) -> None:
    assert abs(hits / n - law) <= 3 * (law * (1 - law) / n) ** 0.5, (hits / n, law)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_levels(level: float) -> None:
    found = sum(Distractor(rate=level).noised(TEXTS[n % 400], "plain", Random(n)) is not None for n in range(600))
    assert abs(found / 600 - level) <= 3 * (level * (1 - level) / 600) ** 0.5 + 0.01


def test_the_record_says_what_was_done() -> None:
    text = queries()[3].text
    noise = next(n for n in (Distractor(rate=1).noised(text, "plain", Random(s), queries()[3].slots) for s in range(20)) if n)
    assert noise.original_text == text != noise.noisy_text
    assert LAYERS[noise.layer_index - 1] == noise.layer
    assert set(noise.applied_strategies) <= set(OPERATORS[noise.layer])
    assert noise.extracted_semantics.intent == queries()[3].intent
    assert set(noise.extracted_semantics.slots) >= set(queries()[3].slots)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rate": 1.5}, "probability"), ({"layers": {"surfaces": 1.0}}, "did you mean 'surface'"),
     ({"strategies": {"typos": 1.0}}, "did you mean 'typo'"), ({"layers": {"surface": 0.0}}, "at least one"),
     ({"strategies": {"typo": -1.0}}, "probability")])  # fmt: skip
def test_impossible_distractors(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Distractor(**options)  # type: ignore[arg-type]
