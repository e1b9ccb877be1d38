"""The page of a report in a real Chromium: desktop and phone, light and dark, with and without scripts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from talks_store import write_small_sweep

from kithe.records.base import write_json
from kithe.report.build import build
from tests.browser import DESKTOP, PATIENCE, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store")
    write_small_sweep(store)
    write_json(
        store / "audits" / "rules.json",
        {"judge": "rules", "agreement": {"kappa": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 40}}},
    )
    build(store, "talks")
    return store / "sweeps" / "talks" / "report.html"


@pytest.fixture(params=[("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")], ids="-".join)
def page(request: pytest.FixtureRequest, browser: "Browser", file: Path) -> "Iterator[Page]":
    """The page at one width and colour; whatever it asks the network for, or complains about, is an error."""
    size, scheme = request.param
    shown = browser.new_page(viewport=DESKTOP if size == "desktop" else PHONE, color_scheme=scheme)
    shown.set_default_timeout(PATIENCE)
    said: list[str] = []
    shown.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith("file:") else None)
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert said == []


def luminance(colour: str) -> float:
    """The relative luminance of `rgb(r, g, b)` (WCAG 2)."""
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(page: "Page", selector: str) -> float:
    """The contrast of a text with the page behind it."""
    colour = page.eval_on_selector(selector, "node => getComputedStyle(node).color")
    paper = page.eval_on_selector("body", "node => getComputedStyle(node).backgroundColor")
    low, high = sorted((luminance(colour), luminance(paper)))
    return (high + 0.05) / (low + 0.05)


def test_it_fits_the_screen_and_can_be_read(page: "Page") -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for selector in ("body", "p.note", "nav a", "table.main small", ".up, .down, .soft"):
        assert contrast(page, selector) >= 4.5
    assert page.locator("table.main tbody tr").count() == 2
    assert page.locator("svg.forest").first.is_visible()
    assert page.locator("#judges").is_visible()


def test_errors_are_filtered_by_words_and_kind(page: "Page") -> None:
    rows = page.locator("#error-list li[data-row]")
    shown = page.locator("#error-list li[data-row]:visible")
    page.locator("#error-list details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert shown.count() == rows.count() == 8
    tools = page.locator("[data-filter=error-list]")
    tools.locator("input").fill("YACHT")
    assert shown.count() == 1
    assert tools.locator("output").inner_text() == "1 of 8"
    tools.locator("input").fill("")
    tools.locator("select[name=kind]").select_option("opposite")
    assert shown.all_inner_texts()[0].splitlines()[1].startswith("I like olives.")
    tools.locator("select[name=kind]").select_option("")
    assert shown.count() == 8


def test_a_link_leads_to_the_marked_turn(page: "Page") -> None:
    page.locator("[data-filter=example-list] input").fill("barking")
    example = page.locator("#example-list details[data-row]:visible")
    assert example.count() == 1
    example.locator("summary").first.click()
    example.locator("a", has_text="turn 1").first.click()
    turn = page.locator(":target")
    assert turn.is_visible()
    assert turn.locator("mark").all_inner_texts()[:2] == ["two", "dogs"]


def test_wide_tables_scroll_in_their_own_box(page: "Page") -> None:
    page.get_by_text("Every column", exact=True).click()
    box = page.locator("#results ~ details .wide").first
    assert box.evaluate("node => node.scrollWidth >= node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_everything_is_there(browser: "Browser", file: Path) -> None:
    context: Any = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(file.as_uri())
    assert not page.locator(".tools").first.is_visible()
    assert page.locator("table.main").first.is_visible()
    page.locator("#error-list summary").first.click()
    assert page.locator("#error-list li").first.is_visible()
    context.close()
