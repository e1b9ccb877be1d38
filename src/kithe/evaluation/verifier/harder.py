"""Harder pairs of kithe's own, made from training facts (`harder.yaml`).

Pairs that people labelled are mostly told apart by their subject: the statement that does not hold is about something else. Here
it is about the same thing, and wrong in its sign, its number, a detail, the person, the time, or in who said it. Every kind has
supported pairs beside the others, so that no word alone gives the label away.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from kithe.evaluation.verifier.pairs import Pair

_FACT: Final = re.compile(r"I(?: (?P<verb>[a-z]+)|(?P<be>'m| am)) (?P<rest>.+?)\.?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\b(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b(?! of\b)")

Made: TypeAlias = Iterator[Pair]


@dataclass(frozen=True)
class Fact:
    """A fact "I <verb> <rest>" that can be turned around; `verb` is "am" or a base form of `harder.yaml`."""

    verb: str
    rest: str

    @property
    def said(self) -> str:
        """As a sentence."""
        return f"I {self.verb} {self.rest}."

    @property
    def bare(self) -> str:
        """What follows "you" or "to": the base form."""
        return f"{'be' if self.verb == 'am' else self.verb} {self.rest}"

    def into(self, text: str) -> str:
        """A phrase of `harder.yaml` with the fact in it: after "to", after "you" or after "I"."""
        own = self.said[2:-1]
        return text.format(bare=self.bare, own=own, you=f"are {self.rest}" if self.verb == "am" else own, thing=self.rest)

    @property
    def denied(self) -> str:
        """The opposite."""
        return f"I am not {self.rest}." if self.verb == "am" else f"I don't {self.verb} {self.rest}."

    def of(self, who: str) -> str:
        """The same of somebody else."""
        verb = "is" if self.verb == "am" else words()["verbs"][self.verb]
        own = re.sub(r"\bmy\b", "their", self.rest)
        return f"{who[:1].upper()}{who[1:]} {verb} {own}."

    @property
    def likes(self) -> bool:
        """Whether it says that a thing is liked."""
        return self.verb in words()["liking"] and not self.rest.startswith(("to ", "when ", "that ", "it "))


@cache
def words() -> dict[str, Any]:
    """The words of `harder.yaml`."""
    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("harder.yaml").read_text(encoding="utf-8"))
    return found


def fact(statement: str) -> Fact | None:
    """A statement as a fact that can be turned around; None for other forms, such as negations."""
    match = _FACT.fullmatch(statement.strip())
    if match is None or re.match(r"(?:not|never|no)\b", match["rest"]):
        return None
    if match["be"] or match["verb"].lower() == "am":
        return Fact("am", match["rest"])
    return Fact(match["verb"], match["rest"]) if match["verb"] in words()["verbs"] else None


@dataclass(frozen=True)
class Pen:
    """What a maker of pairs writes with: draws, other people's sentences, and other facts to put around a fact."""

    draw: random.Random
    asides: Sequence[str] = ()
    facts: Sequence[Fact] = ()

    def one(self, name: str) -> str:
        """A word or phrase of a list."""
        return str(self.draw.choice(words()[name]))

    def other(self, known: Fact) -> Fact:
        """Another fact."""
        found = [each for each in self.draw.sample(self.facts, min(4, len(self.facts))) if each.rest != known.rest]
        return found[0] if found else Fact("have", "a parrot called Otto")

    def around(self, sentence: str, known: Fact | None = None) -> str:
        """A turn that says a sentence, with up to three others beside it: real ones, or what is so of other facts."""
        count = self.draw.choices((0, 1, 2, 3), (45, 30, 17, 8))[0] if self.asides or self.facts else 0
        said = [self._beside(known) for _ in range(count)]
        said.insert(self.draw.randint(0, count), f"{self.one('openers')}{sentence}")
        return f"{' '.join(said)}{self.one('tails')}"

    def _beside(self, known: Fact | None) -> str:
        if self.asides and (not self.facts or self.draw.random() < 0.4):
            return self.draw.choice(self.asides).strip()
        other = self.other(known or Fact("have", "nothing"))
        ways = (
            other.said,
            self.against(other),
            other.of(self.one("relatives")),
            self.gone(other),
            other.into(self.one("imagined")),
        )
        return self.draw.choice(ways)

    def again(self, known: Fact) -> str:
        """A fact in other words where there are any."""
        return known.into(self.one("again")) if known.likes and self.draw.random() < 0.5 else known.said

    def against(self, known: Fact) -> str:
        """The opposite of a fact, in one wording or another."""
        return known.into(self.one("against")) if known.likes and self.draw.random() < 0.5 else known.denied

    def gone(self, known: Fact) -> str:
        """That a fact holds no longer."""
        other = self.other(known) if self.facts else Fact("have", "other plans")
        return known.into(self.one("retracted").replace("{other}", other.said[2:-1]))


def polarity(known: Fact, pen: Pen) -> Made:
    """Said and denied, in all four ways."""
    for said, stated, holds in (
        (known.said, pen.against(known), False),
        (pen.against(known), pen.again(known), False),
        (pen.against(known), pen.against(known), True),
        (known.said, pen.again(known), True),
    ):
        yield Pair(premise=pen.around(said, known), statement=stated, supported=holds)


def number(known: Fact, pen: Pen) -> Made:
    """Another number; facts without any are replaced by a count of something."""
    text = known.said
    if _NUMBER.search(text) is None:
        text = f"I have {pen.one('numbers')} {pen.one('counted')}."
    found = _NUMBER.search(text)
    assert found is not None
    other = pen.draw.choice([name for name in words()["numbers"] if name != found[0]])
    changed = f"{text[: found.start()]}{other}{text[found.end() :]}"
    yield Pair(premise=pen.around(text, known), statement=changed, supported=False)
    yield Pair(premise=pen.around(changed, known), statement=changed, supported=True)


def detail(known: Fact, pen: Pen) -> Made:
    """A detail more than was said, or another one; a detail less is supported."""
    one, other = pen.draw.sample(words()["details"], 2)
    full, wrong = f"{known.said[:-1]} {one}.", f"{known.said[:-1]} {other}."
    yield Pair(premise=pen.around(known.said, known), statement=full, supported=False)
    yield Pair(premise=pen.around(full, known), statement=wrong, supported=False)
    yield Pair(premise=pen.around(full, known), statement=known.said, supported=True)
    yield Pair(premise=pen.around(full, known), statement=full, supported=True)


def person(known: Fact, pen: Pen) -> Made:
    """Somebody else's fact given to the user, and the other way round."""
    who = pen.one("relatives")
    theirs = known.of(who)
    yield Pair(premise=pen.around(theirs, known), statement=pen.again(known), supported=False)
    yield Pair(premise=pen.around(theirs, known), statement=theirs, supported=True)
    yield Pair(premise=pen.around(known.said, known), statement=theirs, supported=False)


def retracted(known: Fact, pen: Pen) -> Made:
    """What was so once."""
    for statement, holds in ((pen.again(known), False), (f"I used to {known.bare}.", True)):
        yield Pair(premise=pen.around(pen.gone(known), known), statement=statement, supported=holds)


def partner(known: Fact, pen: Pen) -> Made:
    """What the partner says: of the user, confirmed or not, and of themself."""
    guess, other = known.into(pen.one("guesses")), pen.other(known)
    yield Pair(context=guess, premise=pen.one("passed"), statement=known.said, supported=False)
    yield Pair(context=guess, premise=pen.one("refused"), statement=known.said, supported=False)
    yield Pair(context=guess, premise=pen.one("agreed"), statement=pen.again(known), supported=True)
    yield Pair(context=guess, premise=f"{pen.one('refused')} {other.said}", statement=other.said, supported=True)
    theirs, own = pen.around(known.said, known), pen.around(other.said, known)
    yield Pair(context=theirs, premise=pen.one("passed"), statement=pen.again(known), supported=False)
    yield Pair(context=theirs, premise=own, statement=pen.again(known), supported=False)
    yield Pair(context=theirs, premise=own, statement=pen.again(other), supported=True)


def imagined(known: Fact, pen: Pen) -> Made:
    """What was imagined, asked or quoted."""
    text = known.into(pen.one("imagined" if pen.draw.random() < 0.6 else "asked"))
    yield Pair(premise=pen.around(text, known), statement=pen.again(known), supported=False)
    yield Pair(premise=pen.around(known.said, known), context=text, statement=pen.again(known), supported=True)


def requested(known: Fact, pen: Pen) -> Made:
    """A single request about a thing, taken for a liking."""
    if not known.likes:
        return
    yield Pair(premise=known.into(pen.one("requests")), statement=pen.again(known), supported=False)
    yield Pair(
        premise=f"{pen.one('requests').format(thing=known.rest)}. {pen.again(known)}", statement=known.said, supported=True
    )


MAKERS: Final[dict[str, Callable[[Fact, Pen], Made]]] = {
    "polarity": polarity,
    "number": number,
    "detail": detail,
    "person": person,
    "retracted": retracted,
    "partner": partner,
    "imagined": imagined,
    "requested": requested,
}


def made(pairs: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """So many harder pairs from the facts that these pairs support, all kinds in turn.

    Args:
        pairs: of the training split; their supported statements are the facts, their premises what is said around them.
        count: how many.
        seed: of the draws.
    """
    draw = random.Random(f"{seed}/harder")
    asides = [
        sentence.strip() for pair in pairs for sentence in re.findall(r"[^.!?]+[.!?]", pair.premise)[:1] if len(sentence) < 60
    ]
    facts = [(known, pair.dialogue) for pair in pairs if pair.supported and (known := fact(pair.statement))]
    pen = Pen(draw, asides, [known for known, _ in facts])
    found: list[Pair] = []
    each = dict.fromkeys(MAKERS, 0)
    for _ in range(20 * count if facts else 0):
        known, dialogue = draw.choice(facts)
        kind = min(each, key=each.__getitem__)
        fresh = list(MAKERS[kind](known, pen))
        each[kind] += len(fresh)
        found += [pair.model_copy(update={"kind": kind, "dialogue": dialogue}) for pair in fresh]
        if len(found) >= count:
            break
    return found[:count]


def turned(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """For each supported pair whose fact can be turned around, an unsupported pair with the same real words of the user."""
    draw = random.Random(f"{seed}/turned")
    found = [(pair, known) for pair in pairs if pair.supported and (known := fact(pair.statement))]
    return [_turned(pair, known, Pen(draw)) for pair, known in found]


def _turned(pair: Pair, known: Fact, pen: Pen) -> Pair:
    def wrong(kind: str, statement: str) -> Pair:
        return pair.model_copy(update={"statement": statement, "supported": False, "kind": kind})

    ways = [
        lambda: wrong("polarity", pen.against(known)),
        lambda: wrong("detail", f"{known.said[:-1]} {pen.one('details')}."),
        lambda: wrong("person", known.of(pen.one("relatives"))),
        lambda: pair.model_copy(
            update={"context": pair.premise, "premise": pen.one("passed"), "supported": False, "kind": "partner"}
        ),
    ]
    if number := _NUMBER.search(pair.statement):
        other = pen.draw.choice([name for name in words()["numbers"] if name != number[0]])
        return wrong("number", f"{pair.statement[: number.start()]}{other}{pair.statement[number.end() :]}")
    return pen.draw.choice(ways)()
