"""Table 3, coverage, diversity and readability on texts small enough to count by hand."""

from collections import Counter
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.quality import coverage, diversity, readability, table3
from kithe.quality.texts import Corpus, Passage, corpus, ngrams, sample, sentences, tokens
from kithe.records.history import History, KnowledgeItem, Turn
from tests.quality.worlds import TOPICS, healthy, history


def talk(name: str, *sessions: int, items: int = 0, text: str = "well then") -> History:
    turns = tuple(
        Turn(speaker="AB"[i % 2], text=f"{text} {s} {i}", session=s + 1) for s, n in enumerate(sessions) for i in range(n)
    )
    facts = tuple(KnowledgeItem(statement=f"Fact {i}.") for i in range(items))
    return History(id=name, source="made", user="A", turns=turns, items=facts)


def test_dialogues_are_sessions() -> None:
    made = Corpus("made", (talk("a", 4, 6, items=3), talk("b", 8, items=1)))
    turns, items = table3.turns_per_dialogue(made), table3.items_per_dialogue(made)
    assert (turns.value, turns.n) == (6.0, 3)
    assert items.value == pytest.approx(4 / 3)


def test_a_dialogue_listed_for_both_speakers_counts_once() -> None:
    one = talk("a", 4)
    twin = one.model_copy(update={"id": "b", "user": "B"})
    assert table3.vocabulary(Corpus("made", (one, twin))).n == table3.vocabulary(Corpus("made", (one,))).n
    assert table3.turns_per_dialogue(Corpus("made", (one, twin))).n == 1


def test_vocabulary_raw_and_at_equal_words() -> None:
    made = Corpus("made", tuple(history(str(i), [f"word{i} is new"]) for i in range(50)))
    raw, matched = table3.vocabulary(made), table3.vocabulary_at(made, 50)
    assert raw.value == 50 + len({"is", "new", "i", "see"})
    assert matched.n == 50
    assert matched.value == 4 + 10  # ten of the five-word dialogues
    assert len(table3.draw(made.tokens, 7, np.random.default_rng(0))) == 7


def test_coverage_by_hand() -> None:
    paths = np.eye(6, dtype=np.float32)
    items = np.stack([paths[0], paths[0], paths[1], paths[2], (paths[3] + paths[4] + paths[5]) / 3 * 0.3])
    mapped = coverage.nearest(items, paths)
    assert list(mapped) == [0, 0, 1, 2, -1]
    assert coverage.counts(TOPICS, mapped, 1) == {("Food",): 0, ("Music",): 3, ("Sports",): 1}
    assert coverage.counts(TOPICS, mapped, 2)[("Music", "Genres")] == 2
    assert coverage.covered(TOPICS, mapped, 1, 1, 5).value == pytest.approx(2 / 3)
    assert coverage.covered(TOPICS, mapped, 2, 1, 5).value == pytest.approx(3 / 6)
    assert coverage.covered(TOPICS, mapped, 1, 3, 5).value == pytest.approx(1 / 3)
    assert coverage.covered(TOPICS, mapped, 1, 1, 2).n == 2
    assert coverage.nearest(np.empty((0, 6), dtype=np.float32), paths).shape == (0,)
    assert TOPICS.texts()[0] == "Jazz Genres"


def test_evenness_and_gini() -> None:
    assert coverage.evenness([5, 5, 5]) == pytest.approx(1.0)
    assert coverage.evenness([9, 0, 0]) == 0.0
    assert coverage.evenness([]) == coverage.gini([0, 0]) == 0.0
    assert coverage.gini([4, 4, 4, 4]) == 0.0
    assert coverage.gini([0, 0, 0, 8]) == 0.75


def test_distinct_and_ngram_diversity() -> None:
    words = ["a", "b", "a", "b", "a"]
    assert diversity.distinct(words, 1) == 0.4
    assert diversity.distinct(words, 2) == 0.5
    assert diversity.ngram_diversity(words) == pytest.approx(0.4 + 0.5 + 2 / 3 + 1.0)
    assert diversity.distinct([], 2) == 0.0


def test_mtld_by_its_definition() -> None:
    assert diversity.mtld(["a"] * 10) == 2.0  # the second word always ends a run
    assert diversity.mtld([f"w{i}" for i in range(30)]) == 30.0
    words = ["a", "b", "c", "a", "d", "e", "f", "g", "h", "i"]  # never below .72 but for the rest: 9 types in 10 words
    assert diversity.mtld(words) == pytest.approx(10 / ((1 - 0.9) / 0.28))


def test_repetition_compresses() -> None:
    varied = [word for words in healthy().tokens for word in words][:2000]
    assert diversity.compression_ratio(varied[:20] * 100) > 5 * diversity.compression_ratio(varied)
    assert diversity.compression_ratio([]) == 0.0


def plain_bleu(index: int, texts: list[list[str]]) -> float:
    """BLEU-4 as it is defined, one pair of counts at a time."""
    own, others = texts[index], texts[:index] + texts[index + 1 :]
    total = 0.0
    for n in range(1, 5):
        counts = Counter(ngrams(own, n))
        hits = sum(min(count, max(Counter(ngrams(other, n))[gram] for other in others)) for gram, count in counts.items())
        if n == 1 and not hits:
            return 0.0
        total += log((hits + (n > 1)) / (sum(counts.values()) + (n > 1))) / 4
    near = min((len(other) for other in others), key=lambda size: (abs(size - len(own)), size))
    return exp(total) * (1.0 if len(own) >= near else exp(1 - near / len(own)))


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8), min_size=2, max_size=7))
def test_self_bleu_is_the_mean_bleu_against_all_others(texts: list[list[str]]) -> None:
    expected = sum(plain_bleu(index, texts) for index in range(len(texts))) / len(texts)
    assert diversity.self_bleu(texts).value == pytest.approx(expected)


def test_self_bleu_at_its_ends() -> None:
    assert diversity.self_bleu([tokens("one two three four five")] * 4).value == pytest.approx(1.0)
    assert diversity.self_bleu([["a", "b"], ["c", "d"]]).value == 0.0
    assert diversity.self_bleu([["a"]]).value == 0.0


def test_flesch_by_hand() -> None:
    assert readability.reading_ease("The cat sat on the mat.") == pytest.approx(206.835 - 1.015 * 6 - 84.6)
    assert readability.reading_ease("") == 0.0
    assert readability.reading_ease("I go. You go.") == pytest.approx(206.835 - 1.015 * 2 - 84.6)


def test_syllables() -> None:
    known = {
        "cat": 1,
        "table": 2,
        "banana": 3,
        "walked": 1,
        "wanted": 2,
        "makes": 1,
        "the": 1,
        "beautiful": 3,
        "elephant": 3,
        "I": 1,
    }
    assert {word: readability.syllables(word) for word in known} == known


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I went to the the shop.", "repeated word"),
        ("I have a apple.", "a before a vowel"),
        ("It is an banana.", "an before a consonant"),
        ("She have two dogs.", "verb does not agree"),
        ("I likes it.", "verb does not agree"),
        ("You should of known.", "of for have"),
        ("I didn't went there.", "two forms of the past"),
        ("I dont know.", "missing apostrophe"),
        ("It is the my dog.", "two determiners"),
        ("My name is {name}.", "unfilled template"),
    ],
)
def test_slips_are_seen(text: str, kind: str) -> None:
    assert list(readability.slips(text)) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "I said that that was fine.",
        "An hour in a university, a European one.",
        "Does he like it? Did they go?",
        "What did she do there?",
        "The people I was with have gone.",
        "Could it, of course, be so?",
        "An MP and an honest man.",
        "He made her want to go.",
    ],
)
def test_good_english_has_no_slips(text: str) -> None:
    assert readability.slips(text) == {}


def test_rates_are_per_hundred_words() -> None:
    texts = [Passage("a", "I dont know what they want from me now ok"), Passage("b", "This is a good day for a walk outside")]
    assert readability.slip_rate(texts).value == pytest.approx(100 / 19)
    wrong = readability.misspelt_rate([Passage("a", "we went for a wonderfull walk outside"), Passage("b", "Xyzzy is a name")])
    assert wrong.value == pytest.approx(100 * 1 / 6)
    assert wrong.n == 6
    assert readability.reading_ease_figure(texts).n == 2


def test_words_sentences_and_samples() -> None:
    assert tokens("I don’t know; it's 5-ish") == ["i", "don't", "know", "it's", "5", "ish"]
    assert sentences("Hi there! How are you?\nFine.") == ["Hi there!", "How are you?", "Fine."]
    made = corpus("made", healthy().histories, 50)
    assert made == corpus("made", healthy().histories, 50)
    assert len(made.histories) == 50
    drawn = sample(made.passages, 30, 0)
    assert len({passage.history for passage in drawn}) == 30  # each history once before any twice
    assert len(sample(made.passages, 10_000, 0)) == len(made.passages)
    assert max(len(passage.text.split()) for passage in made.passages) <= 80
