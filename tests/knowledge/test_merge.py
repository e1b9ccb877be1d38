from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from talks import items

from kithe.knowledge.merge import conflict, merge
from kithe.knowledge.text import normalised
from kithe.llm.embed import Embedder
from kithe.records.history import Evidence, KnowledgeItem


class Angles:
    """Statements that end with a number of degrees, on the unit circle; any others at 90 degrees to them."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        angles = [np.deg2rad(float(text.split()[-1]) if text.split()[-1].isdecimal() else 90) for text in texts]
        return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


class Nothing:
    """An encoder that must not be asked."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def item(statement: str, confidence: float | None = None, turn: int = 0, **more: object) -> KnowledgeItem:
    return KnowledgeItem(statement=statement, confidence=confidence, evidence=(Evidence(turn=turn),), **more)


def test_the_same_statement_needs_no_embedding() -> None:
    merged = merge(
        [item("I have two cats.", 0.5, 4), item("i have two cats", 0.75, 2), item("I have two cats.", None, 4)], 0.8, Nothing()
    )
    assert merged == (KnowledgeItem(statement="i have two cats", confidence=0.75, evidence=(Evidence(turn=2), Evidence(turn=4))),)


def test_nothing_and_one_need_no_embedding() -> None:
    assert merge([], 0.8, Nothing()) == ()
    assert merge([item("I ski.")], 0.8, Nothing()) == (item("I ski."),)


def test_the_threshold_is_included_and_compared_with_the_first_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithe.knowledge.merge.conflicts", lambda one, other: [])
    chain = [item("x 0"), item("x 60"), item("x 120")]  # neighbours have cosine 0.5, the ends -0.5
    assert [part.statement for part in merge(chain, 0.499, Angles())] == ["x 0", "x 120"]
    assert len(merge(chain, 0.501, Angles())) == 3


def test_other_words_merge_and_conflicts_do_not(embedder: Embedder) -> None:
    said = [
        "I love hiking.",
        "I am a nurse.",
        "I really enjoy going on hikes.",
        "I have two cats.",
        "I have three cats.",
        "I am not a nurse.",
    ]
    merged = merge([item(text, turn=number) for number, text in enumerate(said)], 0.8, embedder)
    assert [part.statement for part in merged] == [said[0], said[1], said[3], said[4], said[5]]
    assert merged[0].evidence == (Evidence(turn=0), Evidence(turn=2))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (item("I like tea."), item("I love tea."), False),
        (item("I like tea.", polarity="positive"), item("I love tea.", polarity="negative"), True),
        (item("I like tea.", polarity="positive"), item("I love tea."), False),
        (item("I like tea."), item("I don't like tea."), True),
        (item("I have 2 cats."), item("I have two cats."), False),
        (item("I have 2 cats."), item("I have 3 cats."), True),
    ],
)
def test_conflict(one: KnowledgeItem, other: KnowledgeItem, expected: bool) -> None:
    assert conflict(one, other) is expected
    assert conflict(other, one) is expected


@given(some=st.lists(items, max_size=8), threshold=st.sampled_from([0.0, 0.5, 1.0]))
def test_what_merging_keeps(some: list[KnowledgeItem], threshold: float) -> None:
    numbered = [part.model_copy(update={"evidence": (Evidence(turn=turn),)}) for turn, part in enumerate(some)]
    merged = merge(numbered, threshold, Angles())
    plain = [normalised(part.statement) or part.statement for part in merged]
    assert len(set(plain)) == len(plain)
    assert {part.statement for part in merged} <= {part.statement for part in some}
    firsts = [part.evidence[0].turn for part in merged]
    assert firsts == sorted(firsts)  # in the order of first appearance
    assert sorted(place.turn for part in merged for place in part.evidence) == list(range(len(some)))
    assert max((part.confidence or 0 for part in merged), default=0) == max((part.confidence or 0 for part in some), default=0)
