"""What an utterance means, as far as noise has to know: the verb of what is wanted, and the things it names."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import yaml

from kithe.gym.queries import aspects, queries
from kithe.records.base import Record

Span = tuple[int, int]

_SOFT: Final = 4  # words that can stand in for slots
_NUMBER_WORDS: Final = """
two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million half
"""
_NUMBERS: Final = _NUMBER_WORDS.split()
_QUOTED: Final = re.compile(r"[\"“][^\"”]{2,60}[\"”]")
_NO_UNITS: Final = """
a an and are as at but by can could for from if in is it may nor of on or so than that the to was were which who will with would
"""
NUMBER: Final = r"[$€£]?\d(?:[\w.,:/%*^+-]*[\w%*^+])?"
_COUNT: Final = re.compile(
    rf"(?<!\w)(?:{NUMBER}|(?:{'|'.join(_NUMBERS)})(?:-\w+)*(?!\w))"
    rf"(?:\s(?:(?:percent|degrees|by|to|a|of)\s)?(?!(?:{'|'.join(_NO_UNITS.split())})\b)[A-Za-z]+)?",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<!\w)[A-ZÀ-ÖØ-Þ][\w’'-]*(?:\s(?:of\s|de\s|the\s)?[A-ZÀ-ÖØ-Þ][\w’'-]*)*")
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-])*")
_START: Final = re.compile(r"(?:^|[.!?:\n(]\s*)$")
_FIRST_WORDS: Final = "I I'm I'd I've I'll My The A An It We He She They One Each Our This That There No Also Now"
_NOT_NAMES: Final = frozenset(_FIRST_WORDS.split())
_EMPTY_WORDS: Final = """
about after again all also always another any anything because been before being both come could does each else enough
even every first from further good great have here instead into its just keep know last least less like made make many
maybe more most much must need next nice nothing okay once only other over please prefer quite rather really same should
show since some something still such sure take than thank thanks that their them then there these they thing things
think this those through time times together under until useful very want well were what when where whether which while
will with within without would write your
"""
_PLAIN: Final = frozenset(_EMPTY_WORDS.split())


class Meaning(Record):
    """What an utterance means.

    Attributes:
        intent: the verb of what is wanted first; empty where none is known.
        slots: numbers and named things, as they stand in the text.
        soft: plain words that the request is about, what matters most first.
        compressed: all that in short.
    """

    intent: str
    slots: tuple[str, ...]
    soft: tuple[str, ...] = ()
    compressed: str = ""


@cache
def words_of_noise() -> dict[str, Any]:
    """The texts of `noise.yaml`."""
    found: dict[str, Any] = yaml.safe_load((files("kithe.gym.noise") / "noise.yaml").read_text("utf-8"))
    return found


@cache
def intents() -> frozenset[str]:
    """Verbs that say what is wanted: those of the seed queries, of follow-ups, and of the second requests of noise."""
    cues = yaml.safe_load((files("kithe.gym") / "user.yaml").read_text("utf-8"))["cues"]
    follow = {clause.split()[0] for values in cues.values() for clauses in values.values() for clause in clauses}
    more = {aspect.split()[0] for own in aspects().values() for aspect in own}
    verbs = {query.intent for query in queries()} | follow | more | {verb for verb, _ in words_of_noise()["seconds"]}
    return frozenset(verbs - {"set"})


def intents_in(text: str) -> list[str]:
    """The verbs of what is wanted, in order, each once."""
    return list(dict.fromkeys(word for word in map(str.lower, _WORD.findall(text)) if word in intents()))


def has_word(text: str, word: str) -> bool:
    """Whether a word or phrase stands in a text as such, whatever its case."""
    return bool(word) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def lost(slots: Sequence[str], original: str, text: str) -> list[str]:
    """The slots of an original that do not stand in another text as they did: letter by letter, and in no longer word or number.

    A slot that is a part of a word already in the original, such as the H of pH, may stay one.
    """
    return [slot for slot in slots if slot not in text or (_stands(original, slot) and not _stands(text, slot))]


def _stands(text: str, slot: str) -> bool:
    return re.search(rf"(?<!\w)(?<!\d[.,:/-]){re.escape(slot)}(?!\w)(?![.,:/-]\d)", text) is not None


@lru_cache(maxsize=4096)
def extract(text: str, known: tuple[str, ...] = ()) -> Meaning:
    """The meaning of an utterance.

    Args:
        text: the utterance.
        known: slots that are known to be meant, where the writer is known; they are found wherever they stand as they are.
    """
    taken: list[Span] = []
    for slot in sorted(known, key=len, reverse=True):
        place = text.find(slot)
        if place >= 0 and not _overlap((place, place + len(slot)), taken):
            taken.append((place, place + len(slot)))
    for pattern in (_QUOTED, _COUNT, _NAME):
        for match in pattern.finditer(text):
            span = _trimmed(match)
            if span and not _overlap(span, taken):
                taken.append(span)
    slots = tuple(dict.fromkeys(text[start:end] for start, end in sorted(taken)))
    found = intents_in(text)
    intent = found[0] if found else ""
    soft = _soft(text, taken, intent)
    return Meaning(intent=intent, slots=slots, soft=soft, compressed=" ".join((intent, *(slots or soft))).strip())


def _trimmed(match: re.Match[str]) -> Span | None:
    """The span of a name or number; None for a word that is capital only because a sentence begins."""
    start, end = match.span()
    words = match[0].split()
    if match.re is _NAME:
        begins = _START.search(match.string[:start]) is not None
        if begins or words[0] in _NOT_NAMES:
            if len(words) == 1:
                return None
            start += len(words[0]) + 1
        if match.string[start:end] in _NOT_NAMES:
            return None
    tail = len(match.string[start:end]) - len(match.string[start:end].rstrip(".,:;!?"))
    return (start, end - tail)


def _soft(text: str, taken: Sequence[Span], intent: str) -> tuple[str, ...]:
    """Plain words of the request, those that follow the intent in its sentence first, the others after them."""
    words = [
        match
        for match in _WORD.finditer(text)
        if len(match[0]) >= 4
        and match[0].lower() not in _PLAIN
        and match[0].lower() not in intents()
        and text.count(match[0]) == 1
        and not _overlap(match.span(), taken)
    ]
    verb = re.search(rf"\b{re.escape(intent)}\b[^.?!]*", text, re.IGNORECASE) if intent else None
    asked = [match for match in words if verb and verb.start() < match.start() < verb.end()]
    longest = sorted((match for match in words if match not in asked), key=lambda match: len(match[0]), reverse=True)
    return tuple(match[0] for match in (*asked, *longest)[:_SOFT])


def _overlap(span: Span, taken: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)
