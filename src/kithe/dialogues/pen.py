"""The hand that writes: templates, lines and cues of one wording family, each draw from one random state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import TypeVar

from kithe.dialogues.facts import Fact
from kithe.dialogues.script import page
from kithe.personas.grammar import Family, Forms, half
from kithe.personas.traits import STRONG, WEAK, Cue, CueField, words_of
from kithe.records.history import Inference, Intensity

Choice = TypeVar("Choice")

_OPEN = re.compile(r"(what|who|where|when|which|how(?! about| do you feel)|tell|name|describe)\b", re.IGNORECASE)
_YES_NO = re.compile(r"(yes|yeah|yea|yep|yup|oh yes|sure|no|nope|nah|not really|guilty)\b", re.IGNORECASE)
_RETURNS = re.compile(r"\?|\b(yours|and you)$")
_TRIES = 5
_DIRECT = 0.6  # of strong and weak facts, those put so by the cue itself where one can; the others by what goes around it


@dataclass(frozen=True)
class Piece:
    """A sentence of a turn, and the facts that it reveals about its speaker; a `loose` one may be left out."""

    text: str
    facts: tuple[Fact, ...] = ()
    intensity: Intensity = "medium"
    inference: Inference = "explicit"
    loose: bool = False


@dataclass(frozen=True)
class Pen:
    """Reads templates and puts facts into words."""

    rng: Random
    family: Family = "all"

    def read(self, template: str, slots: Mapping[str, Forms] | None = None) -> str:
        """A reading of a template."""
        return words_of(template, self.rng, slots, self.family)

    def line(self, block: str, slots: Mapping[str, Forms] | None = None) -> str:
        """A reading of one line of a block; empty where the family has none."""
        lines = _lines(block, self.family)
        return self.read(self.pick(lines), slots) if lines else ""

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of them."""
        return choices[int(self.rng.random() * len(choices))]

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.rng.random() < share

    def show(self, facts: Sequence[Fact], field: CueField = "say") -> Piece:
        """A piece that reveals facts of one trait in the words of one of its cues, as strongly as the first of them wants."""
        fact = facts[0]
        text, intensity, cue = self._toned(fact, field, together(facts), _group(fact))
        return Piece(text, tuple(facts), intensity, cue.inference)

    def tell(self, facts: Sequence[Fact]) -> Piece:
        """A piece that says the facts, or lets a single implicit one be inferred."""
        return self.hint(facts[0]) if facts[0].implicit and facts[0].trait.cues("hint", self.family) else self.show(facts)

    def hint(self, fact: Fact) -> Piece:
        """A piece from which the fact can only be inferred."""
        text, intensity, _ = self._toned(fact, "hint", fact.forms, "hint")
        return Piece(text, (fact,), intensity, "implicit")

    def ask(self, facts: Sequence[Fact]) -> tuple[Piece, Piece]:
        """A question about a fact and an answer that fits it: no "yes" to "what". Both are empty for a trait without one."""
        fact = facts[0]
        cues = fact.trait.cues("qa", self.family)
        if not cues:
            return Piece(""), Piece("")
        wanted = self.pick(cues).question
        question = self.read(wanted, fact.forms)
        for _ in range(_TRIES):
            text, intensity, _ = self._toned(fact, "qa", together(facts), _group(fact), wanted)
            if not (_OPEN.match(question) and _YES_NO.match(text)):
                break
        return Piece(question), Piece(text, tuple(facts), intensity)

    def request(self, fact: Fact, cue: Cue) -> tuple[Piece, str]:
        """A request that reveals the fact, and the assistant's reply."""
        text = self.read(cue.question, fact.forms)
        intensity = fact.intensity if cue.inference == "implicit" else strength(text)
        if cue.inference == "implicit" and intensity != "medium" and not text.endswith(("?", "!")):
            text = self._around(text, "hint", intensity)
        return Piece(text, (fact,), intensity, cue.inference), self.read(cue.text, fact.forms)

    def _toned(
        self, fact: Fact, field: CueField, slots: Mapping[str, Forms], group: str, question: str = ""
    ) -> tuple[str, Intensity, Cue]:
        """A text of the wanted strength, that strength, and the cue it was made from."""
        graded, wanted = _asked(self._graded(fact, field), question), fact.intensity
        plain = graded["medium"]
        if graded[wanted] and (wanted == "medium" or not plain or self.chance(_DIRECT)):
            return self._plain(graded[wanted], slots, wanted)
        if plain:
            text, found, cue = self._plain(plain, slots, "medium")
            return (self._around(text, group, wanted), wanted, cue) if found == "medium" else (text, found, cue)
        strong = graded["high"] or graded["low"]
        cue = self.pick(strong)
        text = self.read(cue.text, slots)
        if wanted in ("medium", "low") and cue.intensity == "high":
            return self._around(text, "favorite", wanted), wanted, cue
        return text, cue.intensity, cue

    def _graded(self, fact: Fact, field: CueField) -> Mapping[Intensity, tuple[Cue, ...]]:
        """The cues of the family; where a trait has none for it, all."""
        graded = fact.trait.graded(field, self.family)
        return graded if any(graded.values()) else fact.trait.graded(field)

    def _plain(self, cues: Sequence[Cue], slots: Mapping[str, Forms], wanted: Intensity) -> tuple[str, Intensity, Cue]:
        """A reading of one of the cues; of medium ones one without a strong or a weak word, if there is any."""
        for _ in range(_TRIES):
            cue = self.pick(cues)
            text = self.read(cue.text, slots)
            found = strength(text) if wanted == "medium" else wanted
            if found == wanted and not _RETURNS.search(text):
                break
        return text, found, cue

    def _around(self, text: str, group: str, wanted: Intensity) -> str:
        """The text with its strength inside, where it begins in a way that has a stronger or weaker form, or else around it."""
        begins = [(plain, toned) for plain, toned in _inside(wanted, self.family) if text.startswith(f"{plain} ")]
        begins = [pair for pair in begins if not _ADVERB.match(text, len(pair[0]))]
        if begins and group not in ("favorite", "hint"):
            plain, toned = self.pick(begins)
            return f"{toned}{text[len(plain) :]}"
        if text.endswith(("?", "!")):
            text = text.rstrip("?!")
        if group in ("fact", "denied"):
            group = "grave" if _GRAVE.search(text) else "past" if group == "fact" and _PAST.search(text) else group
        for _ in range(_TRIES):
            said = self.line(page("tone")[group][wanted])
            if not (_OFTEN.search(said) and _OFTEN.search(text)):
                break
        return said.replace("*", text)


_ADVERB = re.compile(r" (even|really|ever|always|also|just|actually|quite|know|think|mind|tend to|usually)\b")
_PAST = re.compile(r"\b(grew up|was|were|moved|started|got|used to|studied|born|lived|graduated|met|spent|came|ago|originally)\b")
_GRAVE = re.compile(
    r"\b(passed away|died|dead|lost my|late (wife|husband)|widow|divorc|illness|cancer|diabet|asthma|allerg|disab|chronic)"
)
_OFTEN = re.compile(
    r"\b(now and then|on and off|so often|time|times|when|every|always|never|usually|mostly|often|once|daily|weekly|tend"
    r"|any|anything)\b"
)


def strength(text: str) -> Intensity:
    """How strongly something is put, by its words."""
    return "high" if STRONG.search(text) else "low" if WEAK.search(text) else "medium"


def together(facts: Sequence[Fact]) -> Mapping[str, Forms]:
    """The forms of one fact, or of several as one enumeration ("ramen and tacos", "ham or eggs" where they are unwanted)."""
    if len(facts) == 1:
        return facts[0].forms
    every = [fact.forms["v"] for fact in facts]
    word = "or" if facts[0].polarity == "negative" else "and"
    joined = {form: f"{', '.join(one[form] for one in every[:-1])} {word} {every[-1][form]}" for form in every[0]}
    return {**facts[0].forms, "v": {**joined, "it": "them", "is": "are", "s": ""}}


def _group(fact: Fact) -> str:
    """Which words make it stronger or weaker."""
    kind = fact.trait.type
    if kind == "goal" and fact.polarity == "positive":
        return "goal"
    if fact.polarity == "negative":
        return "dislike" if kind in ("dislike", "preference") else "denied"
    return "like" if kind in ("preference", "interest") else "fact"


def _asked(graded: Mapping[Intensity, tuple[Cue, ...]], question: str) -> Mapping[Intensity, tuple[Cue, ...]]:
    """Only the answers to this question, if there is one."""
    if not question:
        return graded
    return {level: tuple(cue for cue in cues if cue.question == question) for level, cues in graded.items()}


@cache
def _inside(wanted: Intensity, family: Family) -> tuple[tuple[str, str], ...]:
    """Beginnings of a plain statement, each with a form of this strength in a wording family."""
    pairs = (line.partition(" >> ") for line in half(page("tone")["inside"].get(wanted, ""), family))
    return tuple((plain, toned) for plain, _, toned in pairs)


@cache
def _lines(block: str, family: Family) -> tuple[str, ...]:
    return half(block, family)
