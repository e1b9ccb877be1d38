"""The part of what was said that a statement would rest on, read closely: whose it is, its sign, whether it is real.

A surface reading of English by the patterns of `rules.yaml`; it errs, and what its answers are worth is learnt by the read-out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kithe.evaluation.guards import person_conflict
from kithe.evaluation.statements import plain, read
from kithe.evaluation.verifier.rules import is_request, words
from kithe.knowledge.text import stems

_PARTS: Final = re.compile(r"[.!?;:]+|,|\s(?:but|so|because|though|although|while|and(?! I\b)|which|who)\s", re.IGNORECASE)
_LEADING: Final = re.compile(
    r"^(?:(?:well|oh|ha|yes|yeah|no|and|but|so|because|sorry|honestly|actually|just|also|then|now|luckily|besides|since|that) )+"
)
_OWN: Final = re.compile(r"^(?:i|we|me|myself)\b")
_OTHERS: Final = re.compile(
    r"^(?:(?:my|our|his|her|their|the|a|an|this|these|those|some|all of my) \w+(?! and i\b)|he|she|they|you|it|there"
    r"|nobody|everybody|everyone|someone)\b"
)
_MINE: Final = re.compile(r"^(?:i|we|my|our)\b")
_CLAIM: Final = re.compile(r"^i am (?:also )?(?:a|an) (?:\w+ )?(\w+)$")
_DISLIKES: Final = ("hate", "dislike", "avoid", "detest", "despise")
_TASTE: Final = re.compile(
    rf"\b(?:i|we) ((?:(?!would\b|used\b|if\b)\w+ ){{0,3}}?)(like|love|enjoy|adore|prefer|{'|'.join(_DISLIKES)})\b(?! to know)"
)
_SHUNNED: Final = re.compile(r"^i (?:can not|never|do not) (?!have|own|know|be\b|live|work)")
_DEED: Final = re.compile(r"^i (\w+) ")
_BEING: Final = r"\b(?:am|m|as|been|become|became|be|being|was|of us|both) (?:also |now )?(?:a |an |the )?(?:\w+ ){{0,2}}{}s?\b"


@dataclass(frozen=True)
class Clause:
    """A part of a text between marks and conjunctions.

    Attributes:
        text: lower case, contractions written out.
        asked: whether the sentence it stands in is a question.
    """

    text: str
    asked: bool

    @property
    def anothers(self) -> bool:
        """Whether it has a subject, and that is not the speaker."""
        bare = _LEADING.sub("", self.text)
        return _OWN.match(bare) is None and _OTHERS.match(bare) is not None

    @property
    def sign(self) -> int:
        """-1 where it negates or rejects, else 1."""
        return sign(self.text)

    @property
    def unreal(self) -> bool:
        """Whether it is imagined, asked or under a condition."""
        if any(re.search(words()[name], self.text) for name in ("favour", "against")):
            return False
        return self.asked or re.search(words()["unreal"], self.text) is not None


def clauses(text: str) -> Iterator[Clause]:
    """The parts of a text."""
    for sentence in re.findall(r"[^.!?]+[.!?]*", text):
        for part in _PARTS.split(sentence):
            if part and (low := plain(part)):
                yield Clause(low, sentence.rstrip().endswith("?"))


def resting(text: str, statement: str) -> Clause | None:
    """The part that shares most content words with a statement, the shortest of several; None where no word is shared."""
    wanted = stems(plain(statement))
    found = [(len(wanted & stems(part.text)), -len(part.text), part) for part in clauses(text)]
    best = max(found, key=lambda each: each[:2], default=None)
    return best[2] if best and best[0] else None


def sign(text: str) -> int:
    """-1 where a text in lower case negates or rejects, else 1; two negations cancel, and set phrases have their own."""
    for name, value in (("favour", 1), ("against", -1)):
        if re.search(words()[name], text):
            return value
    return -1 if len(re.findall(words()["negators"], text)) % 2 else 1


def objections(context: str, said: str, statement: str) -> Iterator[str]:
    """Reasons of the rubric why words do not support a statement that they touch: the partner's, of somebody else, the opposite.

    Args:
        context: what the partner said before.
        said: the user's words.
        statement: about the user.
    """
    stated, low = plain(statement), said.lower()
    rest, heard = resting(said, statement), resting(context, statement)
    agreed = re.search(words()["agreed"], low) is not None
    if rest is None and heard and not agreed:
        mine = _MINE.match(_LEADING.sub("", heard.text)) is not None
        refused = re.search(words()["refused"], low) is not None and sign(stated) > 0
        if mine or refused or is_request(said):
            yield "only the other speaker says so"
    if rest and rest.anothers and re.match(words()["acting"], stated):
        one, other = read(rest.text), read(statement)
        if other.subject is None and (one.subject is not None or person_conflict(one, other)):
            yield "it is said of somebody else"
    if rest and _taste(rest.text) * (_taste(stated) or -bool(_SHUNNED.match(stated))) < 0:
        yield "the user says the opposite"


def _taste(text: str) -> int:
    """1 where the speaker likes something, -1 where they dislike it, 0 where neither is said."""
    for name, value in (("favour", 1), ("against", -1)):
        if re.search(words()[name], text):
            return value
    found = _TASTE.search(text)
    return 0 if found is None else (-1 if found[2] in _DISLIKES else 1) * sign(found[1])


def borne(said: str, statement: str) -> tuple[bool, bool]:
    """Whether a statement claims what the speaker is, or does, in a word that is not said of the speaker.

    The first: "I am a doctor" where a doctor is named but "am a doctor" is not said. The second: the verb after "I" is not said.
    """
    stated, heard = plain(statement), plain(said)
    claim, deed = _CLAIM.match(stated), _DEED.match(stated)
    named = claim is not None and stems(claim[1]) <= stems(heard)
    is_it = named and claim is not None and re.search(_BEING.format(re.escape(claim[1])), heard) is None
    verb = deed[1] if deed and deed[1] not in words()["stative"] else ""
    return is_it, bool(verb) and bool(stems(verb)) and not stems(verb) <= stems(heard)
