"""Personal data in text: e-mail, phone, card, bank account, address, national number; found, counted and taken out.

Patterns with checksums where the thing has one; numbers and addresses that are set aside for fiction (example.com, 555-01xx,
documentation networks) are no finding. Names are a matter of a list and of how people introduce themselves: `names` is counted
apart, since a made-up person may have one.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from kithe.records.history import History


@dataclass(frozen=True)
class Finding:
    """A piece of personal data: what it is and where it stands in the text."""

    kind: str
    start: int
    end: int
    text: str


def luhn(digits: str) -> bool:
    """Whether the last digit of a card number fits the others (ISO/IEC 7812)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits of an international bank account number fit (ISO 13616: remainder 1 by 97)."""
    plain = "".join(text.split()).upper()
    return 15 <= len(plain) <= 34 and int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _card(text: str) -> bool:
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _phone(text: str) -> bool:
    digits = _digits(text)
    return 7 <= len(digits) <= 15 and not re.search(r"555[\s.-]?01\d\d$", text)


def _address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global


def _mail(text: str) -> bool:
    return not re.search(r"[@.]example\.(?:com|org|net)$|\.(?:example|test|invalid)$", text, re.I)


def _always(_: str) -> bool:
    return True


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


_STREET: Final = "Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Terrace|Square|Crescent|Parkway|Highway"
# In the order of who claims a stretch of text first.
KINDS: Final[dict[str, tuple[re.Pattern[str], Callable[[str], bool]]]] = {
    "email": (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _mail),
    "iban": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), iban),
    "card": (re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]\d|\d)"), _card),
    "national number": (
        re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b|\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
        _always,
    ),
    "ip address": (
        re.compile(
            r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"
            r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:+){3,7}[0-9a-fA-F]{1,4}"
        ),
        _address,
    ),
    "phone": (
        re.compile(
            r"(?<![\w.,$€£-])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"  # international
            r"|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-]?)[2-9]\d{2}[ .-]?\d{4}"  # North America
            r"|[2-9]\d{2}[-.]\d{4}"
            r"|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4})(?![\w-])"
        ),
        _phone,
    ),
    "street": (re.compile(rf"\b\d{{1,5}} (?:[NSEW]\.? )?(?:[A-Z][a-z]+ |\d+(?:st|nd|rd|th) ){{1,3}}(?:{_STREET})\b"), _always),
    "handle": (re.compile(r"(?<![\w.])@[A-Za-z]\w{2,29}\b"), _always),
}  # fmt: skip
_INTRODUCED: Final = re.compile(
    r"\b(?:[Mm]y (?:full )?name(?:'s| is)|[Cc]all me|[Tt]his is|[Nn]ame's) ([A-Z][a-z]+(?: [A-Z][a-z]+)?)\b"
    r"|\bmy name is ([a-z]{3,})\b"
)
_NOT_NAMES: Final = frozenset({"not", "the", "just", "really", "very", "also", "called", "what", "hard", "too", "easy", "pretty"})


@cache
def _given() -> re.Pattern[str]:
    listed = yaml.safe_load((Path(__file__).parent / "names.yaml").read_text(encoding="utf-8"))["given"]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, listed))})\b(?: [A-Z][a-z]+\b)?")


@cache
def _anyhow() -> re.Pattern[str]:
    listed = yaml.safe_load((Path(__file__).parent / "names.yaml").read_text(encoding="utf-8"))["given"]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, listed))})\b", re.IGNORECASE)


def names_in_any_case(text: str) -> bool:
    """Whether a text holds a listed given name, also in lower case, or somebody's introduction; words such as "will" count."""
    return bool(_anyhow().search(text)) or bool(names(text))


def scan(text: str) -> list[Finding]:
    """The personal data in a text but for names, in the order they stand; no two overlap."""
    found: list[Finding] = []
    for kind, (pattern, valid) in KINDS.items():
        for match in pattern.finditer(text):
            free = all(match.end() <= other.start or match.start() >= other.end for other in found)
            if free and valid(match[0].strip()):
                found.append(Finding(kind, match.start(), match.end(), match[0]))
    return sorted(found, key=lambda finding: finding.start)


def names(text: str) -> list[Finding]:
    """What is probably a person's name: a known given name, capitalised, or what follows an introduction."""
    introduced = [(match, 1 if match[1] else 2) for match in _INTRODUCED.finditer(text)]
    spans = {match.span(group) for match, group in introduced if match[group] not in _NOT_NAMES}
    spans |= {match.span() for match in _given().finditer(text)}
    found: list[Finding] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not found or start >= found[-1].end:
            found.append(Finding("name", start, end, text[start:end]))
    return found


def scrub(text: str) -> str:
    """The text with every finding and every probable name replaced by what it is: `[EMAIL]`, `[PHONE]`, `[NAME]`."""
    certain = scan(text)
    clear = [name for name in names(text) if all(name.end <= f.start or name.start >= f.end for f in certain)]
    for finding in sorted([*certain, *clear], key=lambda finding: -finding.start):
        text = f"{text[: finding.start]}[{finding.kind.upper()}]{text[finding.end :]}"
    return text


def scan_histories(histories: Iterable[History]) -> Iterator[tuple[str, Finding]]:
    """Every finding in turns and items, with the id of its history."""
    for history in histories:
        for text in (*(turn.text for turn in history.turns), *(item.statement for item in history.items)):
            for finding in scan(text):
                yield history.id, finding


def count(histories: Iterable[History]) -> dict[str, int]:
    """Findings by kind."""
    return dict(Counter(finding.kind for _, finding in scan_histories(histories)))
