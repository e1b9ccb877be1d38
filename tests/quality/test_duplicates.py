"""Near-duplicates: planted ones are found, others are not."""

from random import Random

import pytest

from kithe.errors import ConfigError
from kithe.quality import duplicates
from kithe.quality.extras import need

WORDS = [f"word{i}" for i in range(500)]


def texts(number: int, seed: int) -> list[list[str]]:
    rng = Random(seed)
    return [rng.choices(WORDS, k=120) for _ in range(number)]


def changed(text: list[str], rng: Random) -> list[str]:
    """The text with one word of it replaced: five of its 116 shingles differ, a Jaccard similarity above 0.9."""
    place = rng.randrange(len(text))
    return [*text[:place], "other", *text[place + 1 :]]


def test_planted_near_duplicates_are_found() -> None:
    rng, honest = Random(1), texts(300, 0)
    planted = [changed(text, rng) for text in honest[:200]]
    found = set(duplicates.pairs([*honest, *planted]))
    assert len(found & {(i, 300 + i) for i in range(200)}) >= 198
    assert len(found) <= 200


def test_the_rate_counts_texts_with_a_twin() -> None:
    made = texts(20, 0)
    assert duplicates.near_duplicates(made).value == 0.0
    assert duplicates.near_duplicates([*made, made[0], made[0]]).value == pytest.approx(3 / 22)
    assert duplicates.near_duplicates([[], []]).n == 0


def test_two_sets_are_compared_across() -> None:
    made = texts(10, 0)
    assert list(duplicates.across(made[:5], [made[3], *texts(4, 1)])) == [(3, 0)]


def test_jaccard_by_hand() -> None:
    first, second = duplicates.shingles(["a", "b", "c", "d", "e", "f"]), duplicates.shingles(["b", "c", "d", "e", "f", "g"])
    assert duplicates.jaccard(first, second) == pytest.approx(1 / 3)
    assert len(duplicates.shingles(["a", "b"])) == 1


def test_exact_duplicates_leave_the_first_out() -> None:
    assert duplicates.exact_duplicates([["a"], ["b"], ["a"], ["a"]]).value == 0.5


def test_a_missing_library_is_named_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"near-duplicates needs .*no_such_library.*pip install 'kithe\[quality\]'"):
        need("no_such_library", "near-duplicates")
