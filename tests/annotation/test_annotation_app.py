"""The handlers: who may see what, what is kept, and that nothing in a page can do anything."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from annotated import small
from starlette.testclient import TestClient

from kithe.annotation.app import LONGEST_BODY, LONGEST_NOTE, POLICY, Site
from kithe.annotation.book import Book
from kithe.annotation.desk import Desk
from kithe.annotation.package import Header, Package, Pane, Task
from kithe.annotation.people import gather
from kithe.evaluation.judging.validation import ADJUDICATOR, load
from kithe.records.history import Evidence, Turn

NASTY = '<script>alert(1)</script><img src=x onerror="alert(2)"> \'"&'
YES = {"relevance": "yes", "sensibility": "yes"}


class People:
    """Browsers of several people at one site."""

    def __init__(self, folder: Path, package: Package, names: tuple[str, ...] = ("ada", "grace")) -> None:
        self.desk = Desk(package, gather(folder, names), Book(folder / "labels.db"))
        self.site = Site(self.desk, resamples=50)

    def at(self, name: str) -> TestClient:
        browser = self.stranger()
        answer = browser.get(f"/enter/{self.desk.people.token(name)}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return browser

    def stranger(self) -> TestClient:
        return TestClient(self.site.app(), base_url="http://127.0.0.1:8700")


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    found = People(tmp_path, small())
    yield found
    found.desk.book.close()


def key(people: People, item: str) -> str:
    return people.desk.package.by_id[item].key


def test_an_answer_is_on_disk_before_the_next_task_comes(people: People) -> None:
    ada = people.at("ada")
    first = ada.get("/")
    assert first.url.path.startswith("/task/")
    answer = ada.post(first.url.path, data={"relevance": "yes", "sensibility": "no", "note": " why "}, follow_redirects=False)
    (label,) = people.desk.book.labels()
    assert (label.annotator, label.answers, label.note) == ("ada", {"relevance": True, "sensibility": False}, "why")
    assert answer.headers["location"] == ada.get("/").url.path != first.url.path
    again = ada.get(first.url.path).text
    assert again.count("checked") == 2
    assert ">why</textarea>" in again
    assert "1 done" in again


def test_accept_says_yes_to_everything(people: People) -> None:
    ada = people.at("ada")
    ada.post(f"/task/{key(people, 'u0#0')}", data={"all": "first", "relevance": "no"})
    assert people.desk.book.labels()[0].answers == {"relevance": True, "sensibility": True}


def test_a_script_gets_the_next_address_and_problems_as_json(people: People) -> None:
    ada, script = people.at("ada"), {"accept": "application/json"}
    path = f"/task/{key(people, 'u0#0')}"
    assert ada.post(path, data=YES, headers=script).json()["next"].startswith("/task/")
    bad = ada.post(path, data={"relevance": "maybe"}, headers=script)
    assert (bad.status_code, bad.json()) == (422, {"problem": "relevance: 'maybe' is no answer; answers: yes, no"})
    for task in people.desk.package.tasks:
        last = ada.post(f"/task/{task.key}", data=YES, headers=script)
    assert last.json() == {"next": "/list"}
    assert "All done" in ada.get("/").text


def test_an_incomplete_answer_comes_back_with_what_is_missing_and_keeps_nothing(people: People) -> None:
    answer = people.at("ada").post(f"/task/{key(people, 'u0#0')}", data={"relevance": "yes"})
    assert answer.status_code == 422
    assert "sensibility: no answer; answers: yes, no" in answer.text
    long = people.at("ada").post(f"/task/{key(people, 'u0#0')}", data={**YES, "note": "x" * (LONGEST_NOTE + 1)})
    assert long.status_code == 422
    huge = people.at("ada").post(f"/task/{key(people, 'u0#0')}", data={**YES, "note": "x" * LONGEST_BODY})
    assert huge.status_code == 413
    assert people.desk.book.count() == 0


def test_strangers_see_nothing(people: People) -> None:
    for name in ("wrong", people.desk.people.token("ada")[:-1], "%00", "x" * 5000):
        answer = people.stranger().get(f"/enter/{name}", follow_redirects=False)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert people.stranger().get("/enter/a/b").status_code == 404
    for path in ("/", "/list", "/results", "/labels.jsonl", "/label_studio.json", f"/task/{key(people, 'u0#0')}"):
        assert people.stranger().get(path).status_code == 403
    forged = people.stranger()
    forged.cookies.set(people.site.cookie, "forged")
    assert forged.post(f"/task/{key(people, 'u0#0')}", data=YES).status_code == 403
    assert people.desk.book.count() == 0


def test_annotators_are_blind_to_each_other_and_to_the_results(people: People) -> None:
    ada, grace = people.at("ada"), people.at("grace")
    path = f"/task/{key(people, 'u0#0')}"
    ada.post(path, data={"relevance": "no", "sensibility": "no", "note": "ada's secret"})
    for page in (path, "/list", "/"):
        text = grace.get(page).text
        assert "secret" not in text
        assert "ada" not in text
        assert "checked" not in text
    for page in ("/results", "/labels.jsonl", "/label_studio.json", "/label_studio.xml"):
        answer = grace.get(page)
        assert answer.status_code == 403
        assert "Only the adjudicator" in answer.text


def test_the_adjudicator_settles_what_people_differ_on(people: People) -> None:
    ada, grace, judge = people.at("ada"), people.at("grace"), people.at(ADJUDICATOR)
    path, other = f"/task/{key(people, 'u0#0')}", f"/task/{key(people, 'u0#1')}"
    assert "No disagreements" in judge.get("/list").text
    ada.post(path, data=YES)
    grace.post(path, data={"relevance": "yes", "sensibility": "no", "note": "a passing mood"})
    assert judge.get(other).status_code == 403
    shown = judge.get(path).text
    assert "Annotator 1" in shown
    assert "a passing mood" in shown
    assert "ada" not in shown
    assert "grace" not in shown
    assert "Settle 1 of 1" in judge.get("/results").text
    judge.post(path, data=YES)
    assert "Settle" not in judge.get("/results").text
    assert people.desk.book.labels(ADJUDICATOR)[0].answers == {"relevance": True, "sensibility": True}
    grace.post(path, data=YES)
    assert judge.get(path).status_code == 200  # settled once, still to be seen


def test_downloads_are_what_other_tools_read(people: People, tmp_path: Path) -> None:
    people.at("ada").post(f"/task/{key(people, 'u0#0')}", data=YES)
    judge = people.at(ADJUDICATOR)
    (tmp_path / "labels.jsonl").write_text(judge.get("/labels.jsonl").text, encoding="utf-8")
    found = load(tmp_path / "labels.jsonl", ["u0#0"])
    assert [label.annotator for label in found.rows] == ["ada"]
    assert len(judge.get("/label_studio.json").json()) == 6
    assert judge.get("/label_studio.xml").text.startswith("<View>")


def test_every_answer_carries_the_headers_and_no_page_holds_script_or_style_of_its_own(people: People) -> None:
    ada, judge = people.at("ada"), people.at(ADJUDICATOR)
    ada.post(f"/task/{key(people, 'u0#0')}", data=YES)
    pages = [ada.get("/"), ada.get("/list"), ada.get("/nowhere"), ada.get("/task/0"), judge.get("/results"), ada.get("/results")]
    for answer in [*pages, ada.get("/static/app.css"), ada.put("/list")]:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
    assert [page.status_code for page in pages] == [200, 200, 404, 404, 200, 403]
    for page in pages:
        assert not re.search(r"<script(?! src=\"/static/)|<style|\sstyle=|\son\w+=|https?://", page.text)


def test_text_from_data_is_text(tmp_path: Path) -> None:
    pane = Pane(title=NASTY, person=NASTY, turns=(Turn(speaker=NASTY, text=NASTY),), marks=(Evidence(turn=0, quote="alert"),))
    task = Task(id=NASTY, user=NASTY, statement=NASTY, facts={NASTY: NASTY}, panes=(pane, pane), truth=NASTY, group=NASTY)
    header = Header(name="x", kind="items", title=NASTY, source=NASTY)
    people = People(tmp_path, Package(header=header, tasks=(task,)))
    ada, grace, judge = people.at("ada"), people.at("grace"), people.at(ADJUDICATOR)
    path = f"/task/{task.key}"
    ada.post(path, data={**YES, "note": NASTY})
    grace.post(path, data={"relevance": "no", "sensibility": "yes", "note": NASTY})
    for page in (ada.get(path), ada.get("/list"), judge.get(path), judge.get("/results"), judge.get("/list")):
        assert page.status_code == 200
        assert "<img" not in page.text
        assert "<script>" not in page.text
        assert 'onerror="' not in page.text
    assert "&lt;script&gt;" in ada.get(path).text
    assert judge.get("/label_studio.json").status_code == 200


def test_nothing_known_already_is_in_any_page(tmp_path: Path) -> None:
    package = small("turing", truth="first", group="robots")
    people = People(tmp_path, package)
    ada = people.at("ada")
    text = "".join(ada.get(f"/task/{task.key}").text for task in package.tasks) + ada.get("/list").text
    assert "robots" not in text
    assert "u0" not in text


def test_other_sites_and_other_hosts_are_refused(people: People) -> None:
    ada, path = people.at("ada"), f"/task/{key(people, 'u0#0')}"
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        assert ada.post(path, data=YES, headers={"origin": origin}).status_code == 403
    assert ada.get("/list", headers={"host": "evil.example"}).status_code == 400
    assert people.desk.book.count() == 0
    assert ada.post(path, data=YES, headers={"origin": "http://127.0.0.1:8700"}).status_code == 200


def test_a_page_of_somebody_else_is_not_filed_under_ones_own_name(people: People) -> None:
    grace, path = people.at("grace"), f"/task/{key(people, 'u0#0')}"
    answer = grace.post(path, data={**YES, "person": "ada"})
    assert answer.status_code == 409
    assert "you are now grace" in answer.text
    assert people.desk.book.count() == 0


def test_the_cookie_is_out_of_reach_for_scripts_and_other_packages(people: People, tmp_path: Path) -> None:
    answer = people.stranger().get(f"/enter/{people.desk.people.token('ada')}", follow_redirects=False)
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert People(tmp_path / "other", small("user")).site.cookie != people.site.cookie


def test_in_user_validation_nobody_sees_anybody_elses_items(tmp_path: Path) -> None:
    package = small("user", users=115, each=2)
    people = People(tmp_path, package, package.users)
    for name in ("u0", "u57", "u114"):
        browser = people.at(name)
        foreign = next(task for task in package.tasks if task.user != name)
        assert browser.get(f"/task/{foreign.key}").status_code == 403
        assert browser.post(f"/task/{foreign.key}", data={"accept": "yes"}).status_code == 403
        for task in package.tasks:
            if task.user == name:
                browser.post(f"/task/{task.key}", data={"accept": "yes" if task.id.endswith("0") else "no"})
        assert "All done" in browser.get("/").text
    text = people.at(ADJUDICATOR).get("/results").text
    assert "3 of 115 people answered, 3 of them about all their items." in text
    assert ">0.500<" in text


@pytest.mark.parametrize("kind", ["noise", "follow-up", "review", "turing"])
def test_every_kind_has_pages(tmp_path: Path, kind: str) -> None:
    more = {"truth": "first", "group": "g"} if kind == "turing" else {"group": "g"}
    people = People(tmp_path, small(kind, **more))
    ada = people.at("ada")
    page = ada.get("/").text
    name, word = re.findall(r'type="radio" name="([\w-]+)" value="([\w-]+)"', page)[-1]
    for task in people.desk.package.tasks:
        ada.post(f"/task/{task.key}", data={name: word})
    assert people.desk.book.count() == 6
    assert people.at(ADJUDICATOR).get("/results").status_code == 200


def test_what_goes_wrong_inside_is_one_sentence(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full: /secret/path")

    monkeypatch.setattr(people.desk.book, "add", broken)
    browser = TestClient(people.site.app(), base_url="http://127.0.0.1", raise_server_exceptions=False)
    browser.get(f"/enter/{people.desk.people.token('ada')}")
    answer = browser.post(f"/task/{key(people, 'u0#0')}", data=YES)
    assert answer.status_code == 500
    assert "nothing that was saved is lost" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY
