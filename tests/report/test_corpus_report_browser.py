"""The report on a corpus in a real Chromium: tables and plots are seen, nothing is asked of the network, hostile text is text."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kithe.quality.measure import Sizes
from kithe.quality.sources import Reference
from kithe.quality.texts import Corpus
from kithe.report.corpus import SECTIONS, write
from tests.browser import DESKTOP, PATIENCE, PHONE
from tests.quality.worlds import TOPICS, Hashed, healthy, history

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.system
EVIL = "<script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\"> & \"so on\""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a corpus whose name, words and facts are hostile."""
    nasty = tuple(history(f"e{n}", [f"{EVIL} again and again {n}", EVIL], [EVIL], EVIL) for n in range(30))
    reference = Reference(Corpus("real", healthy(60, 1).histories), Corpus("real test", healthy(60, 2).histories))
    sizes = Sizes(tokens=1000, passages=60, items=60, people=20, utterances=40, histories=100)
    folder = tmp_path_factory.mktemp("out")
    write([Corpus(EVIL, healthy(60).histories + nasty), healthy(40)], [reference], Hashed(), TOPICS, folder, sizes)
    return folder / "report.html"


@pytest.fixture(params=[("desktop", "light"), ("phone", "dark")], ids="-".join)
def page(request: pytest.FixtureRequest, browser: "Browser", file: Path) -> "Iterator[Page]":
    """The page at one width and colour; whatever it asks the network for, or complains about, is an error."""
    size, scheme = request.param
    shown = browser.new_page(viewport=DESKTOP if size == "desktop" else PHONE, color_scheme=scheme)
    shown.set_default_timeout(PATIENCE)
    said: list[str] = []
    shown.on("request", lambda asked: said.append(asked.url) if asked.url != file.as_uri() else None)
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("dialog", lambda dialog: said.append(dialog.message))
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert said == []


def test_every_section_with_its_tables_is_seen(page: "Page") -> None:
    headings = page.locator("h2").all_inner_texts()
    assert [heading for heading in SECTIONS.values() if heading in headings] == list(SECTIONS.values())
    for table in page.locator("table").all():
        assert table.is_visible()
        assert table.locator("tbody tr").count() > 0
    assert page.get_by_role("cell", name="turns_per_dialogue").first.is_visible()


def test_every_plot_has_a_size_marks_and_a_caption(page: "Page") -> None:
    plots = page.locator("figure svg")
    assert plots.count() == 5
    for plot in plots.all():
        box = plot.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 50
        assert plot.locator("rect, circle, line, polyline").count() > 3
    assert all(caption.strip() for caption in page.locator("figcaption").all_inner_texts())


def test_the_page_is_no_wider_than_the_screen(page: "Page") -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_text_is_shown_and_not_run(page: "Page") -> None:
    assert page.locator("script, img, iframe").count() == 0
    assert page.title().startswith("Corpus report: <script>")
    assert "<script>document.title='stolen'</script>" in page.locator("body").inner_text()
