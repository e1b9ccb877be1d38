"""What looks like a fact about the user and is none: other people's facts, hypotheticals, the past, things taken back."""

import re
from functools import cache

from kithe.dialogues.draft import Draft, other_value
from kithe.dialogues.facts import Fact
from kithe.dialogues.pen import Piece
from kithe.dialogues.script import page

_BE = {"am": "is", "I'm": "is", "have": "has", "was": "was", "used": "used", "can": "can", "can't": "can't", "would": "would"}
_DO = {"don't": "doesn't", "do": "does"}
_ADVERBS = frozenset(("usually", "always", "mostly", "only", "often", "never", "really"))
_OWN = {"my": "their", "me": "them", "myself": "themselves", "mine": "theirs"}
_YOU = {
    "i am": "you are", "i'm": "you are", "i was": "you were", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "i": "you",
    "my": "your", "me": "you", "myself": "yourself", "mine": "yours",
}  # fmt: skip
_FIRST = re.compile(r"\b(i am|i'm|i was|i've|i'd|i'll|i|my|me|myself|mine)\b", re.IGNORECASE)
_OWNED = re.compile(r"\b(my|me|myself|mine)\b")


def third_person(statement: str, who: str) -> str:
    """Somebody's statement about themselves as one about `who`; empty where its verb is not known.

    `third_person("I have two cats.", "my aunt") == "my aunt has two cats"`.
    """
    words = statement.rstrip(".").split()
    if words[0] == "My":
        return _owned(f"{who}'s {' '.join(words[1:])}")
    if words[0] == "I'm":
        return _owned(f"{who} is {' '.join(words[1:])}")
    if words[0] != "I" or len(words) < 3:
        return ""
    place = 2 if words[1] in _ADVERBS else 1
    verb = _BE.get(words[place]) or _DO.get(words[place]) or (_inflected(words[place]) if words[place] in _verbs() else "")
    return _owned(" ".join([who, *words[1:place], verb, *words[place + 1 :]])) if verb else ""


def second_person(statement: str) -> str:
    """Somebody's statement about themselves as one about "you": "I am tall." becomes "you are tall"."""
    return _FIRST.sub(lambda found: _YOU[found[0].lower()], statement.rstrip("."))


@cache
def _verbs() -> frozenset[str]:
    """Verbs whose first person is a present tense that takes an s."""
    return frozenset(page("distract")["verbs"].split())


def _inflected(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", verb) else f"{verb}s"


def _owned(text: str) -> str:
    """What belonged to the speaker belongs to the other; a possessive at the start is the other's own name."""
    first, _, rest = text.partition(" ")
    return f"{first} {_OWNED.sub(lambda found: _OWN[found[0]], rest)}"


def distraction(draft: Draft, fact: Fact) -> str:
    """A sentence that names a fact which is not the user's; empty where none can be made of it."""
    pen, lines = draft.pen, page("distract")
    stated = pen.read(fact.trait.ways[0], fact.forms).rstrip(".")
    kind = pen.rng.random()
    if kind < 0.6:
        third = third_person(stated, pen.line(lines["who"]))
        text = pen.line(lines["third"], {"third": {"v": third}}) if third else ""
    else:
        first = stated[:1].lower() + stated[1:] if not stated.startswith(("I ", "I'")) else stated
        text = pen.line(lines["hypothetical" if kind < 0.8 else "past"], {"first": {"v": first}})
    return text if text and draft.clear(text) else ""


def taken_back(draft: Draft, fact: Fact) -> tuple[Piece, Piece] | None:
    """A fact that is not the user's, said as if it were, and the sentence that takes it back at once."""
    if set(fact.trait.slots) != {"v"}:
        return None
    said, back = draft.pen.show([fact]).text, draft.pen.line(page("distract")["retract"], fact.forms)
    return (Piece(said), Piece(back)) if draft.clear(said) and draft.clear(back) else None


def ambiguous(draft: Draft, fact: Fact) -> tuple[Piece, str, Piece] | None:
    """A cue that fits two values, the question which of them it is, and the words that settle it.

    The fact shows in both of the user's pieces; from the first alone it cannot be told.
    """
    other = other_value(fact, draft) if fact.simple and fact.intensity == "medium" else None
    if other is None:
        return None
    lines, pen = page("distract"), draft.pen
    pair = [fact.forms["v"], other["v"]]
    pen.rng.shuffle(pair)
    cue = pen.line(lines["ambiguous"], {"one": pair[0], "two": pair[1]})
    settled = pen.line(lines["settle"], fact.forms)
    return (
        Piece(cue, (fact,), inference="implicit"),
        pen.line(lines["settle_ask"]),
        Piece(settled, (fact,), inference="implicit"),
    )


def undecided(draft: Draft, fact: Fact) -> tuple[Piece, str, Piece] | None:
    """The same about a fact that is not the user's, which stays open."""
    found = ambiguous(draft, fact)
    if found is None:
        return None
    cue, question, _ = found
    return Piece(cue.text), question, Piece(draft.pen.line(page("distract")["undecided"]))
