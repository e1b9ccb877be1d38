"""Personal data: what is planted is found, what is made for fiction is not, and nothing is left after scrubbing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.corpora.sample import Sample
from kithe.quality import pii
from tests.quality.worlds import healthy, history

PLANTED = {
    "write to maria.lopez+shop@mail-server.co.uk please": "email",
    "reach me at BOB_99@GMAIL.COM": "email",
    "my number is 415-555-2671": "phone",
    "call (212) 736-5000 after five": "phone",
    "it's +44 20 7946 0958.": "phone",
    "ring +49 30 901820 tomorrow": "phone",
    "or 020 7946 1234": "phone",
    "dial 736-5000": "phone",
    "the card is 4539 1488 0343 6467": "card",
    "5500005555555559 is the card": "card",
    "account GB82 WEST 1234 5698 7654 32": "iban",
    "DE89370400440532013000": "iban",
    "the server is 8.8.8.8": "ip address",
    "at 2001:4860:4860:0:0:0:0:8888": "ip address",
    "my social is 536-90-4399": "national number",
    "NI number QQ 12 34 56 C? No: AB 12 34 56 C": "national number",
    "I live at 1600 Pennsylvania Avenue": "street",
    "come to 22 Baker St": "street",
    "follow me @catlady88": "handle",
}


@pytest.mark.parametrize(("text", "kind"), PLANTED.items())
def test_planted_data_is_found(text: str, kind: str) -> None:
    assert [finding.kind for finding in pii.scan(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "write to anna@example.com",
        "call 212-555-0147",
        "the server is 192.168.0.1 or 203.0.113.9",
        "card 4539 1488 0343 6468",
        "account GB82 WEST 1234 5698 7654 33",
        "I was born 1990-12-24",
        "from 1990-1995 I had 2000 dollars",
        "I ran 10.5 km in 1:02:33",
        "it costs $1,234,567.00",
        "I have 2 dogs, 3 cats and 12 fish",
        "meet me at 5 or 6 down the road",
        "version 1.2.3.4.5",
        "24/7 365 days",
        "I scored 300 200 100 points",
        "that is 1000000 times better",
        "email me",
        "12 Angry Men",
        "at 7:30 am - 8:45 am",
    ],
)
def test_fiction_and_plain_numbers_are_no_finding(text: str) -> None:
    assert pii.scan(text) == []


def test_checksums() -> None:
    assert pii.luhn("4539148803436467")
    assert not pii.luhn("4539148803436468")
    assert pii.iban("GB82 WEST 1234 5698 7654 32")
    assert not pii.iban("GB82 WEST 1234 5698 7654 31")
    assert not pii.iban("GB82")


def test_names_are_known_or_introduced() -> None:
    assert [found.text for found in pii.names("I met Fatima Khan and then Olga.")] == ["Fatima Khan", "Olga"]
    assert [found.text for found in pii.names("My name is Quill.")] == ["Quill"]
    assert [found.text for found in pii.names("hi my name is bartholomew")] == ["bartholomew"]
    assert pii.names("I will mark the date in May, the art is not rich.") == []
    assert pii.names("my name is not important") == []


def test_scrubbing_leaves_nothing_to_find() -> None:
    text = "I am Sarah Miller, mail sarah@mail.org or call 212-736-5000, 22 Baker St."
    assert pii.scrub(text) == "I am [NAME], mail [EMAIL] or call [PHONE], [STREET]."
    assert pii.scrub("I like tea.") == "I like tea."


@given(st.lists(st.one_of(st.sampled_from([*PLANTED, "Olga says hi", "plain words"]), st.text(max_size=30)), max_size=5))
def test_scrubbed_text_scans_clean(parts: list[str]) -> None:
    clean = pii.scrub(" ... ".join(parts))
    assert [found for found in pii.scan(clean) if found.text in " ... ".join(PLANTED)] == []
    assert pii.scrub(pii.scrub(clean)) == pii.scrub(clean)


def test_what_comes_with_kithe_holds_no_personal_data() -> None:
    shipped = [each for split in ("validation", "test") for each in Sample().histories(split, 0)]
    assert pii.count(shipped) == {}
    assert pii.count(healthy().histories) == {}


def test_findings_name_their_history() -> None:
    made = [history("a", ["my mail is kim@post.net"], ["Write to kim@post.net."]), history("b", ["hello"])]
    assert [(name, found.kind) for name, found in pii.scan_histories(made)] == [("a", "email"), ("a", "email")]


def test_people_on_record_are_counted(real_data: Path) -> None:
    """In what people wrote there is next to nothing; a rule that sees much there is a bad rule."""
    from kithe.corpora.real import RealSet

    for name in ("personachat", "laps"):
        assert sum(pii.count(RealSet(name, str(real_data), limit=300).histories("train", 0)).values()) <= 1
