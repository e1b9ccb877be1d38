"""A persona in a paragraph: written from its values, and checked against them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Final, cast

from kithe.personas.ontology import Ontology
from kithe.personas.persona import Stated

WORDS: Final = (60, 120)
SAMPLE: Final = 20  # keys that a summary is about
ENTAILED: Final = 0.8  # share of them that it must entail
COVERED: Final = 0.6  # share of a value's content words that must stand in one sentence
SLACK: Final = 0.25  # share of content words that a paraphrase may bring along; names and numbers never
_WORD = re.compile(r"[A-Za-z0-9][\w'’-]*")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_NEGATION = re.compile(r"\b(not|no|never|without|avoids?|dislikes?|cannot|can't|doesn't|hates?|hardly|lacks?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class SummaryCheck:
    """What a check of a summary found.

    `missing` are the keys asked for that it does not entail, `unsupported` the words that no value supports.
    """

    words: int
    asked: tuple[str, ...]
    missing: tuple[str, ...]
    unsupported: tuple[str, ...]
    share: float  # of content words that nothing supports

    @property
    def entailed(self) -> float:
        """The share of the keys asked for that the summary entails."""
        return 1 - len(self.missing) / len(self.asked) if self.asked else 1.0

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, in words; empty for a good one."""
        found = []
        if not WORDS[0] <= self.words <= WORDS[1]:
            found.append(f"{self.words} words; {WORDS[0]} to {WORDS[1]} are wanted")
        if self.entailed < ENTAILED:
            found.append(f"entails {self.entailed:.0%} of the facts asked for; missing: {', '.join(self.missing)}")
        telling = [word for word in self.unsupported if word[0].isupper() or word[0].isdigit()]
        if telling or self.share > SLACK:
            found.append(f"adds what no value says: {', '.join(telling or self.unsupported)}")
        return tuple(found)


def sampled_keys(identity: str, values: Mapping[str, Stated | None], sensitive: Sequence[str] = ()) -> tuple[str, ...]:
    """The keys that the summary of this persona is about: a random sample of those stated, but for the sensitive ones."""
    stated = sorted(key for key, value in values.items() if value and key not in sensitive)
    return tuple(Random(f"summary/{identity}").sample(stated, min(SAMPLE, len(stated))))


def write_summary(ontology: Ontology, values: Mapping[str, Stated | None], keys: Sequence[str]) -> str:
    """A plain summary that says each of the keys' values, a few in a sentence, in the order of the ontology."""
    order = [key for key in ontology.keys if key in keys and values.get(key)]
    phrases = [said(ontology, key, values) for key in order]
    groups = [phrases[start : start + 3] for start in range(0, len(phrases), 3)]
    sentences = [f"{'This person' if not place else 'The same person'} {_join(group)}." for place, group in enumerate(groups)]
    text = " ".join(sentences)
    return text if len(text.split()) <= WORDS[1] else write_summary(ontology, values, order[:-1])


def check_summary(text: str, ontology: Ontology, values: Mapping[str, Stated | None], keys: Sequence[str]) -> SummaryCheck:
    """Whether a summary entails the keys' values and adds nothing.

    A value is entailed if one sentence holds most of its content words (by stem), all its numbers, and a negation where the
    value is negative. A word is supported if it stands in what any value of the persona says, or carries no content.
    """
    sentences = _SENTENCE.split(text)
    missing = tuple(key for key in keys if not any(_entails(sentence, ontology, key, values) for sentence in sentences))
    known = {stem for key, value in values.items() if value for stem in stems(said(ontology, key, values))}
    content = [word for word in _WORD.findall(text) if word.lower() not in _plain()]
    added = [word for word in content if stem(word.lower()) not in known]
    words = tuple(dict.fromkeys(added))
    return SummaryCheck(len(text.split()), tuple(keys), missing, words, len(added) / max(1, len(content)))


def said(ontology: Ontology, key: str, values: Mapping[str, Stated | None]) -> str:
    """What the values say under a key that is stated, in the third person, without the subject."""
    stated = cast(Stated, values[key])
    return ontology.by_key[key].phrase(stated.value, stated.polarity, stated.path is not None)


def _join(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _entails(sentence: str, ontology: Ontology, key: str, values: Mapping[str, Stated | None]) -> bool:
    stated = cast(Stated, values[key])
    wanted, there = stems(stated.value) or stems(said(ontology, key, values)), stems(sentence)
    numbers = {word for word in wanted if word[0].isdigit()}
    if len(wanted & there) < COVERED * len(wanted) or not numbers <= there:
        return False
    return stated.polarity == "positive" or bool(_NEGATION.search(sentence))


@cache
def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry content."""
    return frozenset(stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in _plain())


@cache
def _plain() -> frozenset[str]:
    """Words that carry no content of their own."""
    return frozenset((files("kithe.personas") / "plain_words.txt").read_text("utf-8").split())


@cache
def stem(word: str) -> str:
    """The stem of a lower-case English word."""
    from snowballstemmer import stemmer

    return str(stemmer("english").stemWord(word.replace("’", "'")))
