"""Two people, an adjudicator and a real headless Chromium: keys, phone width, dark, and a server that goes away."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from annotated import run_store, small
from annotating import Server

from kithe.annotation.book import Book, Label
from kithe.annotation.from_run import Sample, from_run
from kithe.annotation.package import Header, Package, Pane, Task
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.records.history import Evidence, Turn
from tests.browser import DESKTOP, PATIENCE, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.system
NASTY = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>"
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 3


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Two real conversations and one of hostile text."""
    made = from_run(run_store(tmp_path, 2), "pki-zero-shot-tiny-1", "items", Sample(items=4))
    turns = tuple(Turn(speaker="U", text=f"{NASTY} {LONG} {n}", session=1 + n // 20) for n in range(40))
    pane = Pane(person="U", turns=turns, marks=(Evidence(turn=30, quote="silico"),))
    nasty = Task(id="nasty", user="nasty", statement=f"{NASTY} {LONG}", panes=(pane,))
    return Package(header=Header(name="small", kind="items", title=NASTY), tasks=(*made.tasks, nasty))


@pytest.fixture
def server(tmp_path: Path, package: Package) -> Iterator[Server]:
    running = Server(tmp_path, package, "ada,grace")
    yield running
    running.kill()


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "annotation" / "small" / "labels.db")


def open_page(browser: "Browser", link: str, size: dict[str, int] = DESKTOP, scheme: str = "light") -> tuple["Page", list[str]]:
    """A page of somebody's own browser, and everything in it that should not be: errors, and requests to elsewhere."""
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), list[str]()
    home = link.split("/enter/")[0]
    page.on("request", lambda request: None if request.url.startswith(home) else wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(link)
    return page, wrong


def press(page: "Page", *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def answered(page: "Page", book: Book, name: str, *keys: str) -> Label:
    """Press keys; returns what was saved once the next page is there."""
    before = page.url
    press(page, *keys)
    page.wait_for_url(lambda url: url != before)
    return max(book.labels(name), key=lambda label: label.number)


def at_task(page: "Page", server: Server, package: Package, item: str) -> None:
    page.goto(f"http://127.0.0.1:{server.port}/task/{package.by_id[item].key}")


def test_two_people_answer_by_keyboard_and_the_adjudicator_settles(
    browser: "Browser", server: Server, book: Book, package: Package
) -> None:
    ada, ada_wrong = open_page(browser, server.links["ada"])
    grace, grace_wrong = open_page(browser, server.links["grace"])
    first = ada.url
    assert answered(ada, book, "ada", "a").answers == {"relevance": True, "sensibility": True}
    label = answered(ada, book, "ada", "2", "4", "n", *"so what", "Escape", "Enter")
    assert (label.answers, label.note) == ({"relevance": False, "sensibility": False}, "so what")
    third = ada.url
    press(ada, "ArrowLeft")
    ada.wait_for_url(lambda url: url != third)
    assert answered(ada, book, "ada", "1", "4", "Control+Enter").answers == {"relevance": True, "sensibility": False}
    while "/task/" in ada.url:
        answered(ada, book, "ada", "a")
    assert ada.locator("h1").inner_text() == "All done. Thank you."
    assert grace.url == first
    while "/task/" in grace.url:
        answered(grace, book, "grace", "1", "3", "Enter")
    judge, judge_wrong = open_page(browser, server.links[ADJUDICATOR])
    assert judge.locator("text=Settle 1 of 1 disagreements").is_visible()
    judge.click("text=Settle 1 of 1 disagreements")
    judge.click("text=Go on")
    judge.wait_for_url("**/task/**")
    assert judge.locator(".others p").count() == 2
    assert answered(judge, book, ADJUDICATOR, "a").answers == {"relevance": True, "sensibility": True}
    judge.click("text=Results")
    judge.wait_for_url("**/results")
    assert "People differ on 1 tasks; 1 of these are settled." in judge.locator("main").inner_text()
    with judge.expect_download() as download:
        judge.click("text=labels.jsonl")
    assert len(download.value.path().read_text(encoding="utf-8").splitlines()) == 2 * len(package.tasks) + 1
    assert [*ada_wrong, *grace_wrong, *judge_wrong] == []


def test_pages_fit_their_width_and_hostile_text_is_text(
    browser: "Browser", server: Server, package: Package, tmp_path: Path
) -> None:
    for size, scheme in ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")):
        page, wrong = open_page(browser, server.links["ada"], size, scheme)
        for path in (f"/task/{package.by_id['nasty'].key}", "/list"):
            page.goto(f"http://127.0.0.1:{server.port}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            assert page.title() != "stolen"
            assert "<img src=x" in page.locator("main").inner_text()
            assert len(page.screenshot()) > 10_000
        judge, judge_wrong = open_page(browser, server.links[ADJUDICATOR], size, scheme)
        assert judge.evaluate("document.documentElement.scrollWidth") <= size["width"]
        colour = judge.evaluate("getComputedStyle(document.body).backgroundColor")
        dark = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 200
        assert dark == (scheme == "dark")
        assert [*wrong, *judge_wrong] == []


def test_the_evidence_is_in_sight_and_so_are_the_buttons(browser: "Browser", server: Server, package: Package) -> None:
    from playwright.sync_api import expect

    for size in (DESKTOP, PHONE):
        page, _ = open_page(browser, server.links["ada"], size)
        at_task(page, server, package, "nasty")
        mark = page.locator("mark").first
        expect(mark).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        expect(mark).not_to_be_in_viewport()
        press(page, "e")
        expect(mark).to_be_in_viewport(ratio=1)
        expect(page.locator("#save")).to_be_in_viewport(ratio=1)
    place, card = mark.bounding_box(), page.locator(".card").bounding_box()
    assert place is not None
    assert card is not None
    assert place["y"] + place["height"] <= card["y"]


def test_an_answer_given_while_the_server_is_away_is_kept_on_the_page_and_saved_later(
    browser: "Browser", server: Server, book: Book, package: Package, tmp_path: Path
) -> None:
    page, _ = open_page(browser, server.links["ada"])
    server.kill()
    press(page, "1", "4", "n", *"kept", "Escape", "Enter")
    page.locator("#problem", has_text="Not saved: the server does not answer").wait_for()
    assert book.labels() == []
    again = Server(tmp_path, package, "ada,grace", server.port)
    try:
        page.reload()
        assert page.locator("textarea").input_value() == "kept"
        label = answered(page, book, "ada", "Enter")
        assert (label.answers, label.note) == ({"relevance": True, "sensibility": False}, "kept")
    finally:
        again.kill()


def test_without_scripts_the_forms_work(browser: "Browser", server: Server, book: Book) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.links["grace"])
    before = page.url
    page.click("button:has-text('Accept')")
    page.wait_for_url(lambda url: url != before)
    assert book.labels("grace")[0].answers == {"relevance": True, "sensibility": True}


def test_a_rating_and_a_pair_by_keyboard(browser: "Browser", tmp_path: Path) -> None:
    tasks = tuple(task.model_copy(update={"panes": task.panes * 2, "truth": "first"}) for task in small("turing").tasks)
    pairs = Package(header=Header(name="pairs", kind="turing"), tasks=tasks)
    ratings = small("noise", group="clean").model_copy(update={"header": Header(name="ratings", kind="noise")})
    for made, keys, answers in ((pairs, ("2", "Enter"), {"human": "second"}), (ratings, ("4", "Enter"), {"plausible": 4})):
        server = Server(tmp_path, made, "ada")
        try:
            page, wrong = open_page(browser, server.links["ada"], PHONE)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            book = Book(tmp_path / "annotation" / made.header.name / "labels.db")
            assert answered(page, book, "ada", *keys).answers == answers
            assert wrong == []
        finally:
            server.kill()
