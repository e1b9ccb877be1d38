"""What the rubric says beyond "is it supported": rules on a statement and the words it rests on (`rules.yaml`).

They look at surface forms in English and miss what is said in other forms. Relevance: requests, imagined words, what is over,
numbers. Sensibility: daily commands, what is too general, guesses about sensitive matters, statements that contradict
themselves.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import yaml

from kithe.evaluation.quantities import agree
from kithe.evaluation.statements import plain, read
from kithe.evaluation.verifier.retrieval import Piece
from kithe.knowledge.text import stems
from kithe.records.history import History

FILE: Final = Path(__file__).with_name("rules.yaml")
TIMES, SESSIONS = 3, 2  # how often, and in how many sessions, a request is an interest (spec 2.9)
REQUEST: Final = "a single request shows no interest"
ENOUGH: Final = 0.5  # share of a statement's content words that a turn must have to be about the same thing


@cache
def words() -> dict[str, Any]:
    """The content of `rules.yaml`."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@cache
def digest() -> str:
    """Changes with every word of the rules."""
    return sha256(FILE.read_bytes()).hexdigest()[:8]


def is_request(text: str) -> bool:
    """Whether a turn asks for something and says nothing of the user."""
    low = text.lower().strip()
    about = re.search(words()["oneself"], re.sub(words()["formula"], " ", low))
    return about is None and (low.endswith("?") or any(re.search(pattern, low) for pattern in words()["request"]))


def repeated(history: History, statement: str) -> list[int]:
    """The user's requests about what a statement names, if there are at least three in at least two sessions; else nothing."""
    wanted = stems(statement)
    turns = [
        (place, turn.session)
        for place, turn in enumerate(history.turns)
        if turn.speaker == history.user and wanted and is_request(turn.text) and _about(wanted, turn.text)
    ]
    often = len(turns) >= TIMES and len({session for _, session in turns}) >= SESSIONS
    return [place for place, _ in turns] if often else []


def against_relevance(history: History, piece: Piece, statement: str) -> Iterator[str]:
    """Reasons why words that seem to support a statement do not."""
    low = piece.text.lower()
    if re.search(words()["imagined"], low) and not re.search(words()["wished"], statement.lower()):
        yield "the words are imagined or ironic"
    if is_request(piece.text) and liked(statement):
        yield REQUEST
    if over(history, piece, statement):
        yield "the user takes it back"
    stated, said = read(statement).numbers, read(f"{piece.context} {piece.text}").numbers
    if said and any(not any(agree(number, other) for other in said) for number in stated):
        yield "the user names another number"


def over(history: History, piece: Piece, statement: str) -> bool:
    """Whether the user says in the same words, or later about the same thing, that it is so no longer."""
    reading, wanted = read(statement), stems(statement)
    if reading.status != "present" or reading.sign < 0 or re.search(words()["over"], statement.lower()):
        return False
    same = [part for part in re.split(r"(?<=[.!?])\s+", piece.text) if wanted & stems(part)]
    later = [
        turn.text
        for place, turn in enumerate(history.turns)
        if place > piece.turn and turn.speaker == history.user and _about(wanted, turn.text)
    ]
    return any(re.search(words()["over"], text.lower()) for text in (*same, *later))


def against_sensibility(history: History, pieces: Sequence[Piece], statement: str) -> Iterator[str]:
    """Reasons why a statement is nothing lasting and useful, given the words it could rest on."""
    text = plain(statement)
    thing = liked(statement)
    if thing in words()["routine"]:
        yield "an everyday command is no interest"
    if thing in words()["general"] or any(re.fullmatch(pattern, text) for pattern in words()["trivial"]):
        yield "too general or too obvious to be of use"
    if thing and re.search(words()["disliking"], statement.lower()):
        yield "the statement contradicts itself"
    said = {word for turn in history.turns if turn.speaker == history.user for word in plain(turn.text).split()}
    if any(word in words()["guessed"] and word not in said for word in text.split()) and not _asked(history, text):
        yield "a sensitive matter is guessed"
    errands = bool(pieces) and all(is_request(piece.text) for piece in pieces)
    if errands and re.fullmatch(words()["interest"], text) and not repeated(history, statement):
        yield "an errand is no interest"
    if pieces and re.search(words()["imagined"], pieces[0].text.lower()) and stems(statement) & stems(pieces[0].text):
        yield "the words are imagined or ironic"


def liked(statement: str) -> str:
    """What a statement says the user likes or is interested in; empty for other statements."""
    match = re.fullmatch(words()["liking"], plain(statement))
    return match[1] if match else ""


def _about(wanted: frozenset[str], text: str) -> bool:
    return bool(wanted) and len(wanted & stems(text)) / len(wanted) >= ENOUGH


def _asked(history: History, text: str) -> bool:
    """Whether the other speaker names the matter, so that the user may have agreed to it."""
    heard = {word for turn in history.turns if turn.speaker != history.user for word in plain(turn.text).split()}
    return all(word in heard for word in text.split() if word in words()["guessed"])
