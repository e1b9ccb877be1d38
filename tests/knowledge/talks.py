"""Histories to cut, and strategies that draw items."""

from hypothesis import strategies as st

from kithe.knowledge.fields import choices
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

CATS = KnowledgeItem(
    statement="I have two cats.", category="Household", polarity="positive", evidence=(Evidence(turn=2, quote="two  cats"),)
)
NURSE = KnowledgeItem(
    statement="I am a nurse.", category="Occupation", inference="explicit", evidence=(Evidence(turn=4), Evidence(turn=8))
)
HIKING = KnowledgeItem(statement="I love hiking.", category="Leisure", intensity="high", evidence=(Evidence(turn=8),))
LAB = History(
    id="lab-1",
    source="lab",
    user="A",
    turns=tuple(
        Turn(speaker=speaker, text=text)
        for speaker, text in (
            ("A", "Hello there!"),
            ("B", "Hi. Any pets?"),
            ("A", "Yes, two  cats, Tom and Ada."),
            ("B", "Lovely. What do you do?"),
            ("A", "I'm a nurse at the city hospital."),
            ("B", "Hard work!"),
            ("B", "I am a cook."),
            ("B", "And at weekends?"),
            ("A", "Hiking, I love it. No shifts for a nurse then!"),
        )
    ),
    items=(HIKING, NURSE, CATS),
)


def talk(texts: list[str], user: str = "A") -> History:
    """A history in which A and B take turns, A first."""
    turns = tuple(Turn(speaker="AB"[index % 2], text=text) for index, text in enumerate(texts))
    return History(id="talk", source="lab", user=user, turns=turns)


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    lambda text: bool(text.split()) and len(text.split()) == 1
)
sentences = st.lists(words, min_size=1, max_size=12).map(" ".join)


def optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


items = st.builds(
    KnowledgeItem,
    statement=sentences,
    category=optional(st.sampled_from(choices("category"))),
    value=optional(sentences),
    type=optional(st.sampled_from(choices("type"))),
    polarity=optional(st.sampled_from(choices("polarity"))),
    intensity=optional(st.sampled_from(choices("intensity"))),
    inference=optional(st.sampled_from(choices("inference"))),
    confidence=optional(st.integers(0, 100).map(lambda number: number / 100)),
)
