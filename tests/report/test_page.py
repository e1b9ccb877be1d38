"""The page of a report as a file: whole, self-contained, safe with any text, bounded in size, honest about what is missing."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_cases import metric, result, zero_shot
from report_store import write_failed, write_run, write_sweep
from talks_store import GOOD, TALK, verdicts, write_small_sweep, write_talks

from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem, Turn
from kithe.report import audits, examples
from kithe.report.build import AT_ONCE, PAGES, build, report

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<b>"
VOID = {"meta", "input", "br"}


class Tags(HTMLParser):
    """Every element with its attributes, the text outside of scripts and styles, and what was never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_small_sweep(tmp_path)
    return tmp_path


def made(store: Path, sweep: str = "talks") -> str:
    """The page of a sweep."""
    build(store, sweep)
    return (store / "sweeps" / sweep / "report.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_loads_nothing(store: Path) -> None:
    text = made(store)
    found = Tags(text)
    assert found.open == []
    assert {tag for tag, _ in found.elements}.isdisjoint({"link", "img", "iframe", "object", "form", "base"})
    attributes = {name for _, own in found.elements for name in own}
    assert not any(name.startswith("on") for name in attributes)
    assert "src" not in attributes
    links = [own["href"] for _, own in found.elements if "href" in own]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    ids = [own["id"] for _, own in found.elements if "id" in own]
    assert len(set(ids)) == len(ids)
    assert {str(link)[1:] for link in links} <= set(ids)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|import\(", text)


def test_only_its_own_script_may_run(store: Path) -> None:
    import hashlib
    from base64 import b64encode

    text = made(store)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_every_section_is_there_with_its_numbers(store: Path) -> None:
    words = " ".join(Tags(made(store)).words)
    sections = ("Results", "Differences", "Slices", "Confidence", "Equal budget", "Failures", "Worst errors", "Examples", "Cost")
    assert all(section in words for section in (*sections, "Provenance"))
    assert "written by a program" in words or "a program wrote" in words
    assert ".650" in words  # F1 of the two seeds, .7 and .6
    assert "I like olives." in words
    assert "says the opposite of a fact" in words
    assert "6 of 6 users" in words


def test_hostile_text_stays_text(store: Path) -> None:
    said = [KnowledgeItem(statement=EVIL, category=EVIL, confidence=0.9)]
    talk = History(
        id=EVIL, source="hand", user=EVIL, turns=(Turn(speaker=EVIL, text=EVIL),), items=(KnowledgeItem(statement=EVIL),)
    )
    run = result("evil", config={"note": EVIL, "api_key": "s3cret"}, cell={"model": EVIL})
    run["provenance"]["stages"] = {"corpus": None, "weights": None, "predictions": "evil"}
    write_run(store, run, {"laps": [{"id": EVIL, "tp": 0, "predicted": 1, "gold": 1, "matches": []}]})
    folder = store / "predictions" / "evil" / "laps"
    write_lines(folder / "histories.jsonl", [talk.line()])
    write_lines(folder / "predictions.jsonl", [Prediction(id=EVIL, items=tuple(said), raw=(EVIL,)).line()])
    write_failed(store, "broken", f"RuntimeError: {EVIL}", {"task": "pki", "adapt": EVIL})
    write_json(store / "audits" / "judge.json", {EVIL: EVIL, "cases": [{EVIL: EVIL}], "figures": {"kappa": metric(0.5)}})
    write_sweep(store, "bad", ["evil", "broken"])
    text = made(store, "bad")
    found = Tags(text)
    assert sum(tag == "script" for tag, _ in found.elements) == 1
    assert {"img", "b"} & {tag for tag, own in found.elements if own.get("class") != "key"} == set()
    assert EVIL not in text
    assert "s3cret" not in text
    assert "".join(found.words).count(EVIL) > 10


def test_it_is_bounded_and_says_so(store: Path) -> None:
    folder = store / "predictions" / "many" / "laps"
    users = [f"user{number}" for number in range(60)]
    long = "I like to talk about this. " * 200
    items = tuple(KnowledgeItem(statement=f"I own item {number}.", confidence=0.5) for number in range(8))
    turns = tuple(Turn(speaker="ann", text=long) for _ in range(90))
    write_lines(folder / "histories.jsonl", (History(id=user, source="hand", user="ann", turns=turns).line() for user in users))
    write_lines(folder / "predictions.jsonl", (Prediction(id=user, items=items, raw=(long,) * 3).line() for user in users))
    run = result("many")
    run["provenance"]["stages"] = {"predictions": "many"}
    write_run(store, run, {"laps": [{"id": user, "tp": 0, "predicted": 8, "gold": 0, "matches": []} for user in users]})
    write_sweep(store, "large", ["many"])
    text = made(store, "large")
    assert len(text) < 1_500_000
    assert f"{examples.PEOPLE} of 60 users" in text
    assert "the 40 it was most sure of, of 480 wrong items" in text
    assert "10 more turns are in the file" in text


def test_a_large_sweep_leaves_the_page_to_the_command(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store / "sweeps" / "talks"
    assert {path.name for path in report(store, "talks", most=3 * len(TALK))} >= set(PAGES)
    written = report(store, "talks", most=3 * len(TALK) - 1)
    assert not {path.name for path in written} & set(PAGES)
    assert not any((folder / name).exists() for name in PAGES)
    assert "page: kithe report talks" in capsys.readouterr().out
    assert AT_ONCE > 1000


def test_a_judge_of_items_is_shown_with_its_words(store: Path) -> None:
    run = result("judged", cell={"judge": "rules"})
    del run["metrics"]["laps/f1"], run["metrics"]["laps/recall"]
    write_talks(store, run, GOOD, verdicts(GOOD))
    write_sweep(store, "judged", ["judged"])
    text = made(store, "judged")
    assert "&lt;b&gt;never said&lt;/b&gt;" in text
    assert "no verdict: prose" in text
    assert "a simulated judge" in text
    assert "found by" not in text


def test_a_sweep_without_any_number_still_has_a_page(store: Path) -> None:
    write_failed(store, "broken", "Traceback\nRuntimeError: out of memory", {"task": "pki", "adapt": "lora"})
    write_sweep(store, "none", ["broken"])
    words = " ".join(Tags(made(store, "none")).words)
    assert "RuntimeError: out of memory" in words
    assert "0 of 1 runs finished" in words


def test_every_table_is_kept_for_others_too(store: Path) -> None:
    build(store, "talks")
    held = json.loads((store / "sweeps" / "talks" / "tables.json").read_text(encoding="utf-8"))
    assert {"results", "differences", "laps/calibration", "laps/equal budget", "laps/errors", "laps/probes"} <= held.keys()
    assert all(len(line) == len(table["header"]) for table in held.values() for line in table["body"])
    assert "## laps/probes" in (store / "sweeps" / "talks" / "details.md").read_text(encoding="utf-8")


def test_what_seeds_and_marks_say(store: Path) -> None:
    text = made(store)
    assert text.count('class="ring"') == 2
    assert ">3<" not in text.partition("Differences</h2>")[0].partition("seeds")[2]
    (best,) = re.findall(r'class="best">([^<]+)<', text)
    assert best == ".650"


def test_evidence_is_marked_by_quote_or_by_words() -> None:
    assert examples.marked("I bake <bread>.", [("<bread>", "x")]) == "I bake <mark>&lt;bread&gt;</mark>."
    assert examples.marked("My two dogs are barking.", [("", "I have two dogs.")]) == (
        "My <mark>two</mark> <mark>dogs</mark> are barking."
    )
    assert examples.marked("Hello.", []) == "Hello."
    assert examples.marked("a b c", [("a b", ""), ("b c", "")]) == "<mark>a b</mark> c"


def found_audits(folder: Path) -> Iterator[audits.Audit]:
    yield from audits.audits(folder)


def test_audits_are_tables_whatever_they_hold(tmp_path: Path) -> None:
    content = {
        "judge": "verifier",
        "agreement": {"kappa": metric(0.8, 0.7, 0.9, 100), "by_kind": {"negation": {"kappa": metric(None)}}},
        "wrong": [{"case": number, "said": True} for number in range(70)],
        "notes": ["one", "two"],
    }
    write_json(tmp_path / "audits" / "verifier" / "audit.json", content)
    (tmp_path / "audits" / "torn.json").write_text("{", encoding="utf-8")
    torn, found = found_audits(tmp_path)
    assert "cannot be read" in torn.facts
    assert (found.name, found.facts) == ("verifier/audit", {"judge": "verifier"})
    tables = dict(found.tables)
    assert tables["agreement"].body == (("kappa", ".800 [.700, .900] (n 100)"),)
    assert tables["agreement · by kind · negation"].body == (("kappa", "–"),)
    assert len(tables["wrong"].body) == audits.LINES
    assert tables["wrong"].legend == "10 more lines are in the file."
    assert tables["notes"].body == (("one",), ("two",))
    assert list(audits.audits(tmp_path / "nowhere")) == []


def test_no_training_no_reference(store: Path) -> None:
    write_sweep(store, "alone", ["lora-s0"])
    assert 'data-label="Δ"' not in made(store, "alone")
    write_talks(store, zero_shot("alone", f1=metric(None)), {})
    write_sweep(store, "silent", ["alone"])
    assert "Nothing was inferred." in made(store, "silent")
