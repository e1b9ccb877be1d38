"""The written report: everything in it, nothing outside of it, and text of dialogues shown as text."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kithe.quality.figures import Figure
from kithe.quality.measure import Sizes
from kithe.quality.sources import Reference
from kithe.quality.texts import Corpus
from kithe.report import page, plots
from kithe.report.corpus import SECTIONS, shown, write
from tests.quality.worlds import TOPICS, Hashed, healthy, history

EVIL = '<script>alert(1)</script> & "so on" | `code`'
VOID = {"meta", "i", "br"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A report on a corpus whose name and words try to break out."""
    made = healthy(60).histories + tuple(history(f"e{i}", [f"{EVIL} again and again {i}"]) for i in range(5))
    reference = Reference(Corpus("real", healthy(60, 1).histories), Corpus("real test", healthy(60, 2).histories))
    sizes = Sizes(tokens=1000, passages=60, items=60, people=20, utterances=40, histories=100)
    paths = write([Corpus(EVIL, made)], [reference], Hashed(), TOPICS, tmp_path_factory.mktemp("out"), sizes)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


class Tags(HTMLParser):
    """Whether every tag is closed, and which attributes there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "line", "rect", "circle", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@cache
def tags(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    return found


def test_the_page_is_whole_and_loads_nothing(written: dict[str, str]) -> None:
    text = written["report.html"]
    found = tags(text)
    assert found.open == []
    assert found.names.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert found.attributes.isdisjoint({"src", "href", "onclick", "onload"})
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text
    assert "width=device-width" in text
    assert "prefers-color-scheme: dark" in text


def test_what_dialogues_say_is_shown_as_text(written: dict[str, str]) -> None:
    assert "<script>" not in written["report.html"]
    assert "&lt;script&gt;alert(1)" in written["report.html"]
    assert "<script>" not in written["report.md"]


def test_every_section_has_its_tables_and_the_plots_are_there(written: dict[str, str]) -> None:
    for heading in SECTIONS.values():
        assert f"## {heading}" in written["report.md"]
        assert f"<h2>{heading}</h2>" in written["report.html"]
    assert written["report.html"].count("<svg") == 5
    for title in ("Items by interest category", "Words per user turn", "Turns per dialogue", "Diversity", "Embedding map"):
        assert f"<title>{title}</title>" in written["report.html"]


def test_the_json_holds_every_figure_of_the_tables(written: dict[str, str]) -> None:
    found = json.loads(written["report.json"])
    assert {"section", "metric", "corpus", "against", "value", "low", "high", "n", "of", "note"} == set(found["figures"][0])
    assert all(row["n"] is not None for row in found["figures"])
    for row in found["figures"]:
        assert f"| {row['metric']} " in written["report.md"]
    assert set(found["gates"]) == {EVIL}
    assert found["corpora"] == {EVIL: 65}


def test_figures_are_shown_with_interval_and_n() -> None:
    assert shown(Figure(0.5, 0.4, 0.6, 10)) == "0.500 [0.400, 0.600] (n 10)"
    assert shown(Figure(1234.0, n=5)) == "1234 (n 5)"
    assert shown(None) == "–"


def test_plots_place_what_they_are_given() -> None:
    bars = plots.bars("b", {"one": {"x": 0.5, "y": 1.0}, "two": {"x": 0.0}})
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', bars)]
    assert widths[0] == pytest.approx(widths[2] / 2)
    assert widths[1] == widths[3] == 0.0
    dots = plots.scatter("s", {"one": [(0.0, 0.0), (2.0, 2.0)], "two": [(1.0, 1.0)]})
    assert [float(x) for x in re.findall(r'cx="([\d.]+)"', dots)] == [12.0, 708.0, 360.0]
    lines = plots.histograms("h", "words", {"one": [1, 1, 2, 9], "two": []})
    assert lines.count("<polyline") == 2
    rows = plots.intervals("i", [("m", [("one", 1.0, 0.5, 1.5), ("two", 2.0, None, None)])])
    assert rows.count("<circle") == 2
    assert plots.scatter("none", {}).endswith("</svg>")


def test_a_page_escapes_its_title(tmp_path: Path) -> None:
    assert "<title>a &lt;b&gt;</title>" in page.page("a <b>", [])
