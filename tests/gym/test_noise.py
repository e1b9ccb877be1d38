"""Noise: every operator under its layer's post-condition, persona-aware, at the rates that are set."""

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym.figures import strategy_law
from kithe.gym.noise import ambiguous, distractor, missing, surface
from kithe.gym.noise.distractor import CHECKS, LAYERS, OPERATORS, RATES, Distractor, Layer, applied_to
from kithe.gym.noise.meaning import Meaning, extract, has_word, intents_in, lost, words_of_noise
from kithe.gym.noise.traces import TRACES, slips_between
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
    assert {name for _, name in EVERY} == set(RATES) == set(TRACES)


def unseen(layer: Layer, name: str, texts: list[str]) -> tuple[list[str], list[str]]:
    """The texts that a strategy leaves as they are, and what it makes of others where that is not as it should be."""
    still, wrong = [], []
    for number, text in enumerate(texts):
        meaning = extract(text)
        made = OPERATORS[layer][name](text, meaning, REGISTERS[number % 3], Random(number))
        if made is None:
            still.append(text)
        elif not TRACES[name](text, made) or not CHECKS[layer](meaning, text, made):
            wrong.append(made)
    return still, wrong


@pytest.mark.parametrize(("layer", "name"), EVERY, ids=[name for _, name in EVERY])
def test_every_strategy_shows_in_every_text(layer: Layer, name: str) -> None:
    """No condition holds of a text that nobody changed; what a strategy makes of it, unchecked, has its trace."""
    assert not any(TRACES[name](text, text) or CHECKS[layer](extract(text), text, text) for text in TEXTS)
    still, wrong = unseen(layer, name, [query.text for query in queries()])
    assert not wrong
    more, wrong = unseen(layer, name, FOLLOW_UPS)
    assert len(wrong) <= 0.02 * len(
        FOLLOW_UPS
    )  # "first" is gone from "in the first sentence", and then "the first part" is added
    assert len(still) + len(more) <= 0.06 * len(TEXTS)  # all words are plain: none has a synonym


@pytest.mark.parametrize(("layer", "name"), EVERY, ids=[name for _, name in EVERY])
def test_what_is_reported_was_applied(layer: Layer, name: str) -> None:
    for query in queries():
        meaning = extract(query.text, query.slots)
        made = applied_to(query.text, query.text, layer, name, meaning, "casual", Random(query.id))
        if made is not None:
            assert TRACES[name](query.text, made)
            assert CHECKS[layer](meaning, query.text, made)
            assert has_word(made, query.intent)
            assert layer != "surface" or all(slot in made for slot in query.slots)


@pytest.mark.parametrize(
    ("slots", "original", "text", "gone"),
    [
        (("5",), "plan 5 days", "uh plan 5 days", []),
        (("5",), "plan 5 days", "plan 50 days", ["5"]),
        (("5",), "plan 5 days", "plan 15 days", ["5"]),
        (("5",), "plan 5 days", "plan 2.5 days", ["5"]),
        (("5",), "plan 5 days", "plan 5,000 days", ["5"]),
        (("5",), "plan 5 days", "plan 5-10 days", ["5"]),
        (("5",), "plan for 5", "plan for 5. 7 is too many", []),
        (("5", "days"), "plan 5 days", "plan 5 day", ["days"]),
        (("Lisbon",), "plan Lisbon", "plan lisbon", ["Lisbon"]),
        (("$5",), "plan $5", "plan with $5!", []),
        (("H",), "plan the pH", "uh plan the pH", []),
        (("H",), "plan the pH", "uh plan it", ["H"]),
    ],
)
def test_the_meaning_stays_only_where_every_slot_is_as_it_was(
    slots: tuple[str, ...], original: str, text: str, gone: list[str]
) -> None:
    assert lost(slots, original, text) == gone
    assert surface.kept(Meaning(intent="plan", slots=slots), original, text) is not bool(gone)


def broken(text: str, meaning: Meaning, register: surface.Register, rng: Random) -> str | None:
    return f"{text} By the way."


@pytest.mark.parametrize("operator", [broken, lambda text, *_: text, lambda text, *_: text[::-1], lambda *_: ""])
def test_a_broken_strategy_is_never_reported(operator: distractor.Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    for layer, name in EVERY:
        monkeypatch.setitem(OPERATORS[layer], name, operator)  # type: ignore[arg-type]
        assert applied_to(TEXTS[0], TEXTS[0], layer, name, extract(TEXTS[0]), "plain", Random(0)) is None
    assert Distractor(rate=1).noised(TEXTS[0], "plain", Random(0)) is None


SAID = "Please plan a trip to Lisbon for 3 days, and do not book a hotel."
LEFT = [  # strategy, a text that has its trace, one that has it not
    ("colloquial", SAID.replace("do not", "don't"), "Please plan a trip to Lisbon for 3 days."),
    ("colloquial", f"Well, {SAID}", f"Also, {SAID}"),
    ("incomplete sentence", "plan trip to Lisbon for 3 days, and do not book hotel.", "Please plan a trip to Lisbon."),
    ("incomplete sentence", f"{SAID[:-1]} and then...", f"{SAID} and more"),
    ("typo", SAID.replace("hotel", "hotle"), SAID.replace("hotel", "hostels and inns")),
    ("typo", SAID.replace("book", "bok").replace("trip", "tripp"), SAID.replace("book", "rent")),
    ("word segmentation", SAID.replace("a trip", "atrip"), SAID.replace("a trip", "a  trip")),
    ("word segmentation", SAID.replace("hotel", "ho tel"), SAID.replace("hotel", "hostel")),
    ("punctuation and format", SAID.replace(",", "").lower(), SAID.replace(" a ", " ")),
    ("punctuation and format", f"{SAID} 😅", f"{SAID}  "),
    ("synonym", SAID.replace("and", "plus"), SAID.replace("and", "or")),
    ("synonym", SAID.replace("Please", "Kindly"), f"{SAID} It is quick."),
    ("emotional attitude", f"{SAID} I am so fed up with it by now.", f"{SAID} I am hungry."),
    ("negative expression", f"Nobody ever gets this right. {SAID}", f"Everybody gets this right. {SAID}"),
    ("real-life fragment", f"{SAID} (typing this on the bus)", f"{SAID} (for my aunt)"),
    ("missing slot", SAID.replace(" for 3 days", ""), SAID.replace("for 3 days", "for long")),
    ("vague slot value", SAID.replace("Lisbon", "somewhere"), f"{SAID} Or somewhere else."),
    ("vague slot value", f"{SAID} Same as that stuff.", f"{SAID} Same as the last one."),
    ("reference to missing context", SAID.replace("Lisbon", "the version from before"), SAID.replace("Lisbon", "Rome")),
    ("unclear priority", f"{SAID} The rest may matter more or it may not.", f"{SAID} The hotel first."),
    ("multiple intents", f"{SAID} Also, check the weather for tomorrow.", f"{SAID} Also, check it."),
    ("intent ambiguity", f"{SAID} Perhaps what I really mean is: recommend a film for tonight.", f"{SAID} Perhaps."),
    ("mind changing", f"{SAID} Actually, forget that and check the weather for tomorrow instead.", f"{SAID} Actually, no."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "has", "has_not"), LEFT)
def test_traces_by_hand(name: str, has: str, has_not: str) -> None:
    assert TRACES[name](SAID, has)
    assert not TRACES[name](SAID, has_not)
    assert not TRACES[name](has, has)  # what stood there before was not put there


def test_the_trace_of_a_contradiction() -> None:
    one, two = words_of_noise()["contradictions"][0]
    assert TRACES["self-contradiction"](SAID, f"{SAID} {one} {two}")
    assert not TRACES["self-contradiction"](SAID, f"{SAID} {one}")
    assert not TRACES["self-contradiction"](f"{SAID} {one} {two}", f"{SAID} {one} {two} Yes.")


@pytest.mark.parametrize(
    ("one", "two", "slips"),
    [("hotel", "hotel", 0), ("hotel", "hotle", 1), ("hotel", "hotl", 1), ("hotel", "hottel", 1), ("hotel", "htole", 2),
     ("", "abc", 3), ("ca", "abc", 3), ("trip", "rent", 4)])  # fmt: skip
def test_slips_by_hand(one: str, two: str, slips: int) -> None:
    assert slips_between(one, two) == slips_between(two, one) == slips


def test_post_conditions_are_of_the_pair() -> None:
    """What held before noise is none of its doing."""
    several = "Plan the trip, then compare hotels and check the weather."
    assert len(intents_in(several)) >= 2
    check = CHECKS["semantic ambiguity"]
    assert not check(extract(several), several, f"{several} Please.")
    assert not check(extract(several), several, "Plan the trip and check the weather.")
    assert check(extract(several), several, f"{several} Also, translate it into French.")
    assert check(extract(SAID), SAID, f"{SAID} {' '.join(words_of_noise()['contradictions'][0])}")
    plan = Meaning(intent="plan", slots=("Lisbon", "Porto"))
    assert not CHECKS["incomplete information"](plan, SAID, f"{SAID} Thanks.")  # Porto was never there
    assert CHECKS["incomplete information"](plan, SAID, SAID.replace("Lisbon", "there"))
    assert not CHECKS["incomplete information"](plan, SAID, "A trip somewhere.")
    assert not CHECKS["surface"](extract(SAID), SAID, f"{SAID} ")
    assert not CHECKS["surface"](extract(SAID), SAID, SAID.replace("3 days", "3 nights"))
    assert not CHECKS["surface"](extract(SAID), SAID, SAID.replace("plan", "plna"))
    assert CHECKS["surface"](extract(SAID), SAID, SAID.replace("hotel", "hotle"))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "the", "plan", "  ", "you", "hotel", "\t", "of", "is"]), min_size=1, max_size=14),
    st.integers(0, 99),
)
def test_places_are_those_of_the_text_that_is_changed(words: list[str], seed: int) -> None:
    """Gaps that collapse move no later change: only function words go, and all that is left stands in order."""
    text = "  " + " ".join(words)
    made = surface.incomplete(text, Meaning(intent="plan", slots=()), "plain", Random(seed)) or ""
    little = sum(word in words_of_noise()["function"] for word in words)
    if little:
        left = made.split()
        assert len(left) == len(text.split()) - min(3, little)
        assert [word for word in left if word in ("plan", "hotel")] == [w for w in text.split() if w in ("plan", "hotel")]


def test_a_match_of_another_text_has_no_place() -> None:
    match = next(re.finditer("hotel", SAID))
    assert surface.rewritten(SAID, {match: "inn"}) == SAID.replace("hotel", "inn")
    with pytest.raises(ValueError, match="has no place in"):
        surface.rewritten(f"Well, {SAID}", {match: "inn"})


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80), register=st.sampled_from(REGISTERS), seed=st.integers(0, 999))
def test_any_text_survives(text: str, register: surface.Register, seed: int) -> None:
    noise = Distractor(rate=1).noised(text, register, Random(seed))
    if noise is not None:
        assert CHECKS[noise.layer](extract(text), text, noise.noisy_text)
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
    assert gone == "Add one."
    for operator in (missing.vague, missing.reference, missing.priority):
        assert operator(gone, meaning, "plain", rng) not in (None, gone)
    assert missing.absent(gone, meaning, "plain", rng) is None
    assert missing.priority("Go.", extract("Go."), "plain", rng) is None  # nothing was struck, so nothing may be open


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[a-z]{4,12}", fullmatch=True), st.integers(0, 999))
def test_a_slip_of_the_finger_is_small(word: str, seed: int) -> None:
    slipped = surface.misspelt(word, Random(seed))
    assert slipped != word
    assert abs(len(slipped) - len(word)) <= 1
    assert (slipped[0], slipped[-1]) == (word[0], word[-1]) or sorted(slipped) == sorted(word)


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("I gave up halfway through a tenant's seventh letter from Tenochtitlan.", ("Tenochtitlan",)),
        ("Power costs 0.32 euros a kWh; my iCloud holds 12 by 14 metres.", ("0.32 euros", "12", "14 metres")),
        ("I have $50 and she is 81, coming at 7 or 8.", ("$50", "81", "7", "8")),
        ("Ask Ångström, not Zoë, which one should go, since no one knows.", ("Ångström", "Zoë")),
        ("Add half a litre for twenty-one days near 12 degrees south.", ("half a litre", "twenty-one days", "12 degrees south")),
    ],
)
def test_numbers_and_names_are_whole_words_with_their_units(text: str, slots: tuple[str, ...]) -> None:
    assert extract(text).slots == slots


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
