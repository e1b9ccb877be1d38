"""Layer 1: nine ways to say the same less well; intent and slots stay as they are."""

import itertools
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final, Literal

from kithe.gym.noise.meaning import Meaning, Span, has_word, lost, words_of_noise

Register = Literal["formal", "plain", "casual"]
_WORD: Final = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")


def kept(meaning: Meaning, original: str, text: str) -> bool:
    """The post-condition of the layer: something else changed, every slot stands there as it was, and so does the intent."""
    changed = original.split() != text.split()
    return changed and not lost(meaning.slots, original, text) and (not meaning.intent or has_word(text, meaning.intent))


def protected(text: str, meaning: Meaning) -> list[Span]:
    """Where slots and the intent stand."""
    spans = [match.span() for slot in meaning.slots for match in re.finditer(re.escape(slot), text)]
    if meaning.intent:
        spans += [match.span() for match in re.finditer(rf"\b{re.escape(meaning.intent)}\b", text, re.IGNORECASE)]
    return spans


def free_words(text: str, meaning: Meaning, least: int = 1) -> list[re.Match[str]]:
    """The words outside slots and intent, of at least so many letters."""
    spans = protected(text, meaning)
    return [
        match
        for match in _WORD.finditer(text)
        if len(match[0]) >= least and not any(start < match.end() and match.start() < end for start, end in spans)
    ]


def rewritten(text: str, changes: Mapping[re.Match[str], str]) -> str:
    """A text with other words where matches are, all at once, so that no change moves the place of another.

    Raises:
        ValueError: a match is of another text, whose places are not those of this one.
    """
    pieces, end = list[str](), 0
    for match in sorted(changes, key=lambda own: own.start()):
        if match.string != text:
            raise ValueError(f"a match in {match.string!r} has no place in {text!r}")
        pieces += [text[end : match.start()], changes[match]]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _some(matches: Sequence[re.Match[str]], most: int, rng: Random) -> list[re.Match[str]]:
    """So many of the matches at the most, drawn, the last one first."""
    return sorted(rng.sample(matches, min(len(matches), most)), key=lambda own: -own.start())


def colloquial(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """Contractions, and slang where the user writes casually or plainly; an opening word where nothing can be changed."""
    tables = words_of_noise()
    swaps = {**tables["contractions"], **(tables["colloquial"] if register != "formal" else {})}
    found = [(said, new) for said, new in swaps.items() if has_word(text, said)]
    if found:
        said, new = rng.choice(found)
        changed = re.sub(rf"(?<!\w){re.escape(said)}(?!\w)", new, text, count=1, flags=re.IGNORECASE)
        if kept(meaning, text, changed):
            return changed
    opener: str = rng.choice(tables["openers"][register])
    return opener + (text if text[:2] == "I " or text[:1].isdigit() else _lower(text, meaning))


def incomplete(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """Some function words left out; where there are none, the end breaks off."""
    little = [match for match in free_words(text, meaning) if match[0].lower() in words_of_noise()["function"]]
    if not little:
        return text.rstrip(".!?") + " and then..."
    return re.sub(r"  +", " ", rewritten(text, dict.fromkeys(_some(little, 3, rng), ""))).strip()


def typo(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """One or two words with letters swapped, dropped or doubled."""
    words = free_words(text, meaning, 4)
    if not words:
        return None
    return rewritten(text, {match: misspelt(match[0], rng) for match in _some(words, rng.choice((1, 1, 2)), rng)})


def misspelt(word: str, rng: Random) -> str:
    """A word of at least four letters with one slip of the finger, never the same as before."""
    places = [n for n in range(1, len(word) - 1) if word[n] != word[n + 1]]
    kind = rng.choice(("swap", "drop", "double"))
    if kind == "swap" and places:
        n = rng.choice(places)
        return word[:n] + word[n + 1] + word[n] + word[n + 2 :]
    n = rng.randrange(1, len(word) - 1)
    return word[:n] + word[n + 1 :] if kind == "drop" else word[:n] + word[n] + word[n:]


def segmentation(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """Two words run together, or one taken apart."""
    words = free_words(text, meaning)
    joints = [(one, two) for one, two in itertools.pairwise(words) if text[one.end() : two.start()] == " "]
    longer = [match for match in words if len(match[0]) >= 6]
    if joints and (not longer or rng.random() < 0.6):
        one, two = rng.choice(joints)
        return text[: one.end()] + text[two.start() :]
    if longer:
        match = rng.choice(longer)
        middle = rng.randint(2, len(match[0]) - 2)
        return rewritten(text, {match: f"{match[0][:middle]} {match[0][middle:]}"})
    return None


def punctuation(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """Marks left out or repeated, capitals lost; an emoji only from somebody casual."""
    spans = protected(text, meaning)
    marks = [
        match
        for match in re.finditer(r"[.,!?;](?=\s|$)", text)
        if not any(start <= match.start() < end for start, end in spans)
    ]  # fmt: skip
    if register == "casual" and rng.random() < 0.4:
        return f"{text} {rng.choice(words_of_noise()['emoji'])}"
    if marks and (register == "formal" or rng.random() < 0.7):
        text = rewritten(text, dict.fromkeys(marks, ""))
        return text if register == "formal" else _lower(text, meaning)
    if register == "formal":
        return f"{text} ."
    return f"{text.rstrip('.')}{rng.choice(('!!', '???', ' ...'))}"


def synonym(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """One or two words by others of about the same meaning."""
    table = words_of_noise()["synonyms"]
    words = [match for match in free_words(text, meaning) if match[0].lower() in table]
    rare = [match for match in words if len(match[0]) > 3] or words
    changes = {match: rng.choice(table[match[0].lower()]) for match in _some(rare, rng.choice((1, 2)), rng)}
    capital = {match: new.capitalize() if match[0][0].isupper() else new for match, new in changes.items()}
    return rewritten(text, capital) if words else None


def emotion(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A feeling beside the matter."""
    return _beside(text, words_of_noise()["emotions"][register], rng)


def negative(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A doubt beside the matter."""
    return _beside(text, words_of_noise()["negatives"][register], rng)


def fragment(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A piece of what happens around the user."""
    return f"{text} {rng.choice(words_of_noise()['fragments'][register])}"


def _beside(text: str, sentences: Sequence[str], rng: Random) -> str:
    own = rng.choice(sentences)
    return f"{text} {own}" if rng.random() < 0.5 else f"{own} {text}"


def _lower(text: str, meaning: Meaning) -> str:
    """Without the capital at the beginning, unless it belongs to a slot or to 'I'."""
    if any(start == 0 for start, _ in protected(text, meaning.model_copy(update={"intent": ""}))) or text[:2] in ("I ", "I'"):
        return text
    return text[:1].lower() + text[1:]
