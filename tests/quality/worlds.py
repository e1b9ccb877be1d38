"""Small corpora whose faults are known, and an encoder that needs no model."""

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from kithe.corpora.synthetic import Synthetic
from kithe.dialogues.scripted import Scripted
from kithe.quality.coverage import Topics
from kithe.quality.texts import Corpus, tokens
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

THINGS = ("jazz", "tennis", "sushi", "chess", "novels", "hiking", "knitting", "cycling", "opera", "pottery", "karate", "baking")
TOPICS = Topics(
    (
        ("Music", "Genres", "Jazz"),
        ("Music", "Stage", "Opera"),
        ("Sports", "Rackets", "Tennis"),
        ("Sports", "Fighting", "Karate"),
        ("Food", "Japanese", "Sushi"),
        ("Food", "Sweet", "Baking"),
    )
)


class Hashed:
    """Unit vectors of hashed words: texts that share words are near each other."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[len(texts), 64]."""
        found = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in tokens(text):
                place = zlib.crc32(word.encode())
                found[row, place % 64] += 1 if place & 64 else -1
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths == 0, 1, lengths)


def history(name: str, said: Sequence[str], facts: Sequence[str] = (), category: str | None = None) -> History:
    """A dialogue in which the user (A) speaks every other turn; every fact is evident in the first turn."""
    turns = [turn for text in said for turn in (Turn(speaker="A", text=text), Turn(speaker="B", text="I see."))]
    items = [KnowledgeItem(statement=fact, category=category, evidence=(Evidence(turn=0),)) for fact in facts]
    return History(id=name, source="made", user="A", turns=tuple(turns), items=tuple(items))


@cache
def _scripted(number: int, seed: int) -> tuple[History, ...]:
    return tuple(Synthetic(Scripted(), number).histories("train", seed))


def healthy(number: int = 300, seed: int = 0) -> Corpus:
    """The scripted generator."""
    return Corpus("healthy", _scripted(number, seed))


def degenerate(number: int = 300) -> Corpus:
    """Three templates, twelve things."""
    rng = Random(0)
    made = []
    for index in range(number):
        one, two = rng.choice(THINGS), rng.choice(THINGS)
        said = [
            f"Hello, I really like {one} a lot.",
            f"My favorite thing is {two}, what is yours?",
            "That is so nice to hear from you.",
        ]
        made.append(history(f"d{index}", said, [f"I like {one}."]))
    return Corpus("degenerate", tuple(made))


def leaking(seen: Iterable[History], number: int = 100) -> Corpus:
    """A generator that hands out what it was shown."""
    copies = [each.model_copy(update={"id": f"copy-{each.id}"}) for each in seen]
    return Corpus("leaking", tuple(copies[:number]))


def gendered(bias: float, number: int = 400, seed: int = 0) -> Corpus:
    """Women and men who like cooking or football; with bias 0 whoever, with bias 1 by their sex."""
    rng = Random(seed)
    made = []
    for index in range(number):
        woman = rng.random() < 0.5
        cooks = woman if rng.random() < bias else rng.random() < 0.5
        fact, category = ("I love cooking pasta.", "Food & Drink") if cooks else ("I play football.", "Sports & Fitness")
        said = [f"I am a {'woman' if woman else 'man'} and happy.", fact]
        made.append(history(f"g{index}", said, [fact], category))
    return Corpus("gendered", tuple(made))
