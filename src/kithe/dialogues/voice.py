"""How somebody writes: casing, contractions, spelling, punctuation and PersonaChat's tokens. Words, not content."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kithe.dialogues.pen import Pen
from kithe.dialogues.script import page

_CONTRACTION = re.compile(
    r"\b(?:I'(?:m|ve|d|ll)|(?:ca|wo|do|does|did|is|are|was|have)n't|(?:it|that|what|who)'s|(?:you|we|they)'re)\b", re.IGNORECASE
)
_TOKEN = re.compile(r"([.,!?;])(?=\s|$)")
_START = re.compile(r"(?<=[a-z][.!?] )(?!http)[a-z]")
_GAP = re.compile(r" ,")
_MARKED = (".", "!", "?")
_QUESTION = re.compile(
    r"^((well|so|oh|hi|hey|hello|hi again|hello again),? )?"
    r"(who |(what|where|why|how|when)(('s| is| are| does| do| did| should| far| long| many| much| tall| old| big|'s) )"
    r"|do you|does|did you|are|is|can you|can I|could (you|I)|would you|will|have you|should |tell me about yourself)"
    r"|(,| and|about) you(rself|rs)?$|your day$",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"^((hi|hello|hey|okay|ok|hey there),? )?((can|could|would) you (please )?|please )?(tell me |show me |give me )?",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"^(set|put|turn|switch|add|read|call|ring|tell|text|make|remind|give|flip|roll|skip|play|lock|unlock|open|close|take|find|book"
    r"|track|convert|order|reorder|buy|show|search|start|stop|check|look|log|schedule|move|resume|pause|dim|brighten|define)\b",
    re.IGNORECASE,
)
# what a filler may stand before
_PLAIN = re.compile(r"^(I|I'm|I've|I'd|my|it's|the|we|there's|they|someone|somebody|being|as a)\b")


@dataclass(frozen=True)
class Voice:
    """One speaker's habits, most as the share of sentences that show them.

    `tokens` is PersonaChat's look ("i am good , thanks ."), which has no capitals; `bare` leaves the last stop out, `polite` and
    `terse` are about requests.
    """

    lower: bool = False
    tokens: bool = False
    expand: bool = False
    british: bool = False
    bare: float = 0.0
    loud: float = 0.05
    chatty: float = 0.0
    typos: float = 0.0
    polite: float = 0.0
    terse: float = 0.0

    def write(self, sentences: Sequence[str], pen: Pen) -> list[str]:
        """The sentences as this speaker writes them; a turn is these joined by a space."""
        follows = [*sentences[1:], ""]
        return [self._sentence(text, after, pen) for text, after in zip(sentences, follows, strict=True)]

    def request(self, text: str, pen: Pen) -> str:
        """A request in this speaker's manners: with a courtesy, or down to its bones."""
        bare = _COURTESY.sub("", text).removesuffix(" please").rstrip(" ,")
        if pen.chance(self.terse) and len(bare.split()) > 1:
            return bare
        if pen.chance(self.polite) and _COMMAND.match(text) and not text.endswith(("please", "thanks")):
            if pen.chance(0.6):
                return f"{pen.line(page('voice')['could_you'])} {text}"
            return f"{text}, {pen.line(page('voice')['please'])}"
        return text

    def _sentence(self, text: str, after: str, pen: Pen) -> str:
        rng = pen.rng
        text = self._spell(self._dress(text, pen), rng)
        if not text.endswith(_MARKED):
            text += self._stop(text, after, rng)
        if self.tokens:
            return " ".join(_TOKEN.sub(r" \1 ", text).lower().split())
        return text.lower() if self.lower else _capitals(text)

    def _dress(self, text: str, pen: Pen) -> str:
        """Fillers before and after, where they fit."""
        if not self.chatty or not pen.chance(self.chatty) or not _PLAIN.match(text) or text.count(" ") < 3:
            return text
        if pen.chance(0.7):
            return f"{pen.line(page('voice')['before'])} {text}"
        after = pen.line(page("voice")["after"])
        fits = not (text.endswith(_MARKED) or _QUESTION.search(text))
        return _GAP.sub(",", f"{text} {after}") if fits else text

    def _spell(self, text: str, rng: Random) -> str:
        swaps = page("voice")["spelling"]
        if self.british:
            text = _swap(text, swaps["british"], 1.0, rng)
        if self.expand:
            text = _CONTRACTION.sub(lambda found: _full(found[0]), text.replace("it's been", "it has been"))
        return _swap(text, swaps["typos"], 0.4, rng) if rng.random() < self.typos else text

    def _stop(self, text: str, after: str, rng: Random) -> str:
        """How a sentence ends that does not say so itself."""
        if after.startswith("and "):
            return ""
        if _QUESTION.search(text) and rng.random() < 0.85:
            return "?"
        if not after and rng.random() < self.bare:
            return ""
        return "!" if rng.random() < self.loud else "."


def _capitals(text: str) -> str:
    """Sentence case; a sentence that goes on after "and" keeps its small letter."""
    start = text if text.startswith("and ") else text[:1].upper() + text[1:]
    return _START.sub(lambda found: found[0].upper(), start)


def _full(short: str) -> str:
    """A contraction in two words."""
    special = {"can't": "can not", "won't": "will not"}.get(short.lower())
    full = special or re.sub(r"n't$", " not", short)
    for ending, word in (("'m", "am"), ("'ve", "have"), ("'ll", "will"), ("'re", "are"), ("'d", "would"), ("'s", "is")):
        full = full.replace(ending, f" {word}")
    return full


def _swap(text: str, pairs: dict[str, str], chance: float, rng: Random) -> str:
    for word, other in pairs.items():
        if word in text and rng.random() < chance:
            text = re.sub(rf"\b{word}\b", other, text)
    return text
