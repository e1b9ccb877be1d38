"""METEOR against scores worked out by hand, and its parts against words and texts with known results."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.ip_dialog import wordnet
from kithe.ip_dialog.meteor import WITHOUT_SYNONYMS, Meteor, chunks
from kithe.ip_dialog.porter import stem
from kithe.ip_dialog.tokens import sentences, tokens

WORDS = st.lists(
    st.sampled_from(["the", "cat", "cats", "sat", "sits", "on", "a", "mat", "dog", "running", "run"]), min_size=1, max_size=12
)


def test_the_same_text_is_short_of_one_by_half_a_chunk_penalty() -> None:
    # Four matches in one chunk: 1 - 0.5 (1/4)³.
    assert Meteor().score(["a", "b", "c", "d"], ["a", "b", "c", "d"]) == pytest.approx(1 - 0.5 / 64)


def test_half_of_the_reference_in_two_chunks() -> None:
    # P = 2/3, R = 2/4; PR / (0.9 P + 0.1 R) = (1/3) / 0.65; two matches in two chunks: half is left.
    assert Meteor().score(["a", "b", "c", "d"], ["a", "x", "c"]) == pytest.approx(0.5 * (1 / 3) / 0.65)


def test_stems_match_where_words_do_not() -> None:
    # P = R = 1 with the chunk penalty of three matches in one chunk.
    assert Meteor().score(["the", "cat", "sat"], ["the", "cats", "sat"]) == pytest.approx(1 - 0.5 / 27)


def test_synonyms_match_last_and_only_where_they_are_known() -> None:
    synonyms = Meteor(lambda word: {"auto", "automobile"} if word == "car" else ())
    assert synonyms.score(["my", "auto"], ["my", "car"]) == pytest.approx(1 - 0.5 / 8)
    # One match of two on both sides: F = 0.25 / 0.5, and one chunk of one match: half of it.
    assert Meteor().score(["my", "auto"], ["my", "car"]) == pytest.approx(0.25)
    assert Meteor().label == WITHOUT_SYNONYMS != synonyms.label


def test_a_word_takes_the_last_free_place() -> None:
    # Backwards: the hypothesis' last "a" takes the reference's last, so "a b" against "a b a" is two chunks, not one.
    assert Meteor().align(["a", "b", "a"], ["a", "b"]) == [(0, 2), (1, 1)]
    assert chunks([(0, 2), (1, 1)]) == 2


def test_nothing_in_common_is_zero_and_so_is_nothing() -> None:
    assert Meteor().score(["x"], ["y"]) == Meteor().score([], []) == Meteor().text_score("a", "") == 0


@given(WORDS, WORDS)
def test_the_alignment_is_one_to_one_and_the_score_a_share(reference: list[str], hypothesis: list[str]) -> None:
    pairs = Meteor().align(reference, hypothesis)
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert 0 <= Meteor().score(reference, hypothesis) < 1


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        *[("caresses", "caress"), ("ponies", "poni"), ("ties", "tie"), ("cats", "cat"), ("feed", "feed"), ("agreed", "agre")],
        *[("plastered", "plaster"), ("motoring", "motor"), ("sing", "sing"), ("conflated", "conflat"), ("hopping", "hop")],
        *[("falling", "fall"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"), ("enjoy", "enjoy"), ("died", "die")],
        *[
            ("relational", "relat"),
            ("radically", "radic"),
            ("hopefulness", "hope"),
            ("formalize", "formal"),
            ("adoption", "adopt"),
        ],
        *[("rate", "rate"), ("cease", "ceas"), ("controll", "control"), ("is", "is"), ("news", "news"), ("geology", "geolog")],
    ],
)
def test_stems(word: str, wanted: str) -> None:
    assert stem(word) == wanted


def test_tokens_follow_the_treebank() -> None:
    assert tokens("Good muffins cost $3.88. Don't (cannot) buy 3,000!") == (
        ["Good", "muffins", "cost", "$", "3.88", ".", "Do", "n't", "(", "can", "not", ")", "buy", "3,000", "!"]
    )
    assert tokens("['Buy a bike.', 'It\\'s \"fine\"']")[:6] == ["[", "'", "Buy", "a", "bike", "."]


def test_sentences_do_not_end_after_abbreviations_and_initials() -> None:
    assert list(sentences("Dr. J. Smith came. He left, e.g. early. Ok?")) == ["Dr. J. Smith came.", "He left, e.g. early.", "Ok?"]
    assert list(sentences('He said "no." Then it rained')) == ['He said "no."', "Then it rained"]


def small_wordnet(folder: Path) -> wordnet.WordNet:
    """Two synsets in WordNet's file format: {car, auto, motor_vehicle} and {go, travel}."""
    licence = "  1 This is a licence line\n"
    noun = "00000027 06 n 03 car 0 auto 0 motor_vehicle 0 000 | a gloss\n"
    verb = "00000027 38 v 02 go 0 travel(a) 0 000 | a gloss\n"
    files = {
        "data.noun": licence + noun,
        "index.noun": f"{licence}car n 1 0 1 0 00000027\nauto n 1 0 1 0 00000027\n",
        "noun.exc": "",
        "data.verb": licence + verb,
        "index.verb": f"{licence}go v 1 0 1 0 00000027\n",
        "verb.exc": "went go\n",
        **dict.fromkeys(("data.adj", "index.adj", "adj.exc", "data.adv", "index.adv", "adv.exc"), ""),
    }
    assert len(licence) == 27
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return wordnet.WordNet(folder)


def test_wordnet_finds_inflected_words_and_leaves_out_compounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = small_wordnet(tmp_path)
    assert found.synonyms("cars") == {"car", "auto"}
    assert found.synonyms("went") == {"go", "travel"}
    assert found.synonyms("zebra") == frozenset()
    monkeypatch.setenv("KITHE_WORDNET", str(tmp_path))
    assert wordnet.folder() == tmp_path
    monkeypatch.setenv("KITHE_WORDNET", str(tmp_path / "nowhere"))
    assert wordnet.folder() is None
