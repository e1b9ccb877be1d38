"""What the guards look at in one statement: its sign, its numbers, whom and what it is about, whether it holds now."""

import re
from dataclasses import dataclass
from functools import lru_cache

from kithe.evaluation.lexicon import Label, lexicon
from kithe.evaluation.quantities import periods, quantities

CONTRACTIONS = (
    (re.compile(r"[’`]"), "'"),
    (re.compile(r"\b(?:can't|cannot|cant)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\b(do|does|did|is|are|was|were|have|has|had|would|could|should)n'?t\b"), r"\1 not"),
    (re.compile(r"\b(?:i'm|im)\b"), "i am"),
    (re.compile(r"\bzero\b"), "no"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'s?\b"), " "),
)
WORD_OR_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
PROPER_NOUN = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
SOMEONE = "someone"
SUBJECT = re.compile(r"(?:my|our) (?:\w+ )??(\w+) (?!and i )")
PRONOUN_SUBJECT = re.compile(r"(?:he|she|they|his) ")
CONJUNCTION = re.compile(r"(?<=\w) (?:and|but|or|because|since|when|while|so|if|although|though|unless|until|which|who) ")
PAST_TENSE = re.compile(r"\b[a-z]{2,}ed\b")


@dataclass(frozen=True)
class Reading:
    """One statement as the guards see it.

    Attributes:
        sign: +1, or -1 where an odd number of words of its first clause negate.
        privative: whether it names an absence without a negator ("vegetarian").
        poles: the opposites it names: axis and end (+1 or -1).
        numbers: its numbers in one notation ("two" = "2", "half an hour" = "30 min").
        periods: how often it happens, as far as said (`day`, `week`, `month`, `year`).
        status: whether it holds now: `present`, `past` (a plain past tense), `former` or `future`.
        subject: the relative or acquaintance it is about, None where it is about the speaker.
        people: everybody it mentions.
        kinds: the things it names, by kind ("red" of the colors), the name of a kind itself among them.
        names: the proper nouns that are no thing of a known kind, in lower case.
    """

    sign: int
    privative: bool
    poles: frozenset[tuple[str, int]]
    numbers: frozenset[str]
    periods: frozenset[str]
    status: str
    subject: str | None
    people: frozenset[str]
    kinds: dict[str, frozenset[int]]
    names: frozenset[str]


@lru_cache(maxsize=1 << 15)
def read(statement: str) -> Reading:
    """The reading of a statement in English."""
    numbers, text = quantities(plain(statement))
    found, subject = list(lexicon().find(text)), _subject(text)
    return Reading(
        sign=_sign(text),
        privative=any(sort == "privative" for sort, _, _ in found),
        poles=frozenset((axis, end) for sort, axis, end in found if sort == "pole"),
        numbers=numbers,
        periods=periods(text),
        status=_status(text, found),
        subject=subject,
        people=frozenset(name for sort, name, _ in found if sort == "person") | ({SOMEONE} & {subject}),
        kinds=_kinds(found),
        names=_names(statement),
    )


def plain(statement: str) -> str:
    """Lower case, contractions written out, words and numbers apart by single spaces."""
    text = statement.lower()
    for pattern, replacement in CONTRACTIONS:
        text = pattern.sub(replacement, text)
    return " ".join(WORD_OR_NUMBER.findall(text))


def _sign(text: str) -> int:
    clause = f" {CONJUNCTION.split(text, maxsplit=1)[0]} "
    for phrase in lexicon().harmless:
        clause = clause.replace(f" {phrase} ", " ")
    return -1 if sum(sort == "negator" for sort, _, _ in lexicon().find(clause)) % 2 else 1


def _status(text: str, found: list[Label]) -> str:
    named = {name for sort, name, _ in found if sort == "status"}
    said = next((status for status in ("former", "future", "past") if status in named), None)
    return said or ("past" if PAST_TENSE.search(text) else "present")


def _subject(text: str) -> str | None:
    """The person of "my (little) sister ...", or somebody unknown for "she ..."."""
    if PRONOUN_SUBJECT.match(text):
        return SOMEONE
    match = SUBJECT.match(text)
    labels = lexicon().labels.get(match[1], ()) if match else ()
    return next((name for sort, name, _ in labels if sort == "person"), None)


def _kinds(found: list[Label]) -> dict[str, frozenset[int]]:
    named = {kind for sort, kind, _ in found if sort == "kind"}
    return {kind: frozenset(number for sort, name, number in found if sort == "kind" and name == kind) for kind in named}


def _names(statement: str) -> frozenset[str]:
    words = (word.lower() for word in PROPER_NOUN.findall(statement))
    return frozenset(word for word in words if word not in lexicon().labels)
