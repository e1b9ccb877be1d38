"""`kithe annotate` as a user types it, without serving: files in and out, figures, and what it says of bad input."""

import json
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest
from annotated import RUN, run_desk, run_store, small, truth, verdict_rows

from kithe import cli
from kithe.annotation import session
from kithe.annotation.book import Book
from kithe.annotation.package import read, write
from kithe.annotation.pages import environment
from kithe.evaluation.judging.validation import Label
from kithe.records.base import write_lines
from kithe.records.history import History, Turn


def annotate(store: Path, *words: object) -> None:
    cli.main(["annotate", *map(str, words), "--store", str(store)])


def said(store: Path, *words: object) -> str:
    """The one line of an error."""
    with redirect_stderr(StringIO()) as errors, pytest.raises(SystemExit):
        annotate(store, *words)
    (line,) = errors.getvalue().splitlines()
    return line


def labels_file(path: Path, store: Path, names: tuple[str, ...] = ("ada", "grace")) -> Path:
    tasks = read(store / "annotation" / RUN / "package.jsonl").tasks
    rows = [Label(item=task.id, annotator=name, relevance=truth(task), sensibility=True) for name in names for task in tasks]
    write_lines(path, [row.line() for row in rows])
    return path


def test_labels_go_in_figures_and_labels_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = run_store(tmp_path / "store", 3)
    verdict_rows(store, run_desk(store).package, wrong=2)
    file = labels_file(tmp_path / "in.jsonl", store)
    with file.open("a", encoding="utf-8") as out:
        out.write(Label(item="elsewhere#0", annotator="ada", relevance=True, sensibility=True).line() + "\n")
    annotate(store, RUN, "--import", file)
    count = sum(1 for _ in file.open(encoding="utf-8")) - 1
    assert capsys.readouterr().out.splitlines() == [
        f"{count} labels taken in",
        "1 items that are not among those judged, left out, such as elsewhere#0",
    ]
    annotate(store, RUN, "--import", file, "--export", tmp_path / "out.jsonl", "--export", tmp_path / "ls.json", "--results")
    out = capsys.readouterr().out
    assert f"0 labels taken in, {count} known already" in out
    assert f"{count} labels in {tmp_path / 'ls.json'}" in out
    assert "relevance: alpha                     1.000 [1.000, 1.000]" in out
    assert "The run's judge beside people" in out
    assert "PPI++" in out
    annotate(store, RUN, "--export", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines() == file.read_text(encoding="utf-8").splitlines()[:-1]


def test_a_runs_labels_are_at_hand_for_a_report(tmp_path: Path) -> None:
    store = run_store(tmp_path / "store", 2)
    assert session.labels_of(store, RUN) == []
    run_desk(store)
    assert session.labels_of(store, RUN) == []
    file = labels_file(tmp_path / "in.jsonl", store)
    annotate(store, RUN, "--import", file)
    assert session.labels_of(store, RUN) == list(Label.read(file))


@pytest.mark.parametrize("missing", ["uvicorn", "starlette.applications", "jinja2"])
def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    store = run_store(tmp_path, 2)
    monkeypatch.delitem(sys.modules, "kithe.annotation.app", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    environment.cache_clear()
    error = said(store, RUN, "--annotators", "ada", "--port", "0")
    assert error.endswith("is not installed; fix: pip install 'kithe[annotate]'")
    environment.cache_clear()


def test_label_studio_goes_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = run_store(tmp_path / "store", 2)
    run_desk(store)
    annotate(store, RUN, "--import", labels_file(tmp_path / "in.jsonl", store, ("ada",)), "--export", tmp_path / "ls.json")
    tasks = json.loads((tmp_path / "ls.json").read_text(encoding="utf-8"))
    result = tasks[0]["annotations"][0]["result"]
    next(each for each in result if each["from_name"] == "annotator")["value"]["text"] = ["linus"]
    (tmp_path / "back.json").write_text(json.dumps(tasks), encoding="utf-8")
    capsys.readouterr()
    annotate(store, RUN, "--import", tmp_path / "back.json")
    assert capsys.readouterr().out.startswith("1 labels taken in, ")
    assert len(Book(store / "annotation" / RUN / "labels.db").labels("linus")) == 1


def test_what_a_user_may_get_wrong(tmp_path: Path) -> None:
    store = run_store(tmp_path / "store", 2)
    assert "did you mean 'pki-zero-shot-tiny-1'" in said(store, "pki-zero-shot-tiny-2", "--annotators", "ada")
    assert "annotate what?" in said(store)
    assert "without '/'" in said(store, "a/b", "--kind", "review", "--from", "x.jsonl")
    assert "no such kind of package: 'item'" in said(store, RUN, "--kind", "item")
    assert "who answers?" in said(store, RUN)
    assert "'ada' stands there twice" in said(store, RUN, "--annotators", "ada,ada")
    assert "the users themselves answer" in said(store, RUN, "--kind", "user", "--annotators", "ada")
    assert "--kind turing needs --from with two corpora" in said(store, "t", "--kind", "turing", "--from", "laps")
    assert "--kind noise needs --from with one file; given: none" in said(store, "n", "--kind", "noise")
    assert "cannot be read" in said(store, RUN, "--import", tmp_path / "nowhere.jsonl")
    assert "cannot be read" in said(store, "--package", tmp_path / "nowhere.jsonl")
    assert "cannot be used" in said(store, RUN, "--annotators", "ada", "--port", "99999")
    write(tmp_path / "other.jsonl", small().model_copy(update={"header": small().header.model_copy(update={"name": RUN})}))
    assert "holds another package" in said(store, "--package", tmp_path / "other.jsonl")


def test_a_package_is_made_once_and_stays_as_it_is(tmp_path: Path) -> None:
    store = run_store(tmp_path / "store")
    one = session.opened(store, session.Made(RUN, sample=session.Sample(items=5)))
    again = session.opened(store, session.Made(RUN, sample=session.Sample(items=50)))
    assert len(one.package.tasks) == len(again.package.tasks) == 5
    (store / "predictions" / "predicted" / "sample" / "predictions.jsonl").unlink()
    assert session.opened(store, session.Made(RUN)).package == one.package


def test_packages_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("robot", "folk"):
        rows = [History(id=f"{name}{n}", source=name, user="A", turns=(Turn(speaker="A", text=f"{name} {n}"),)) for n in range(4)]
        write_lines(tmp_path / f"{name}.jsonl", [row.line() for row in rows])
    words = ("blindly", "--kind", "turing", "--from", tmp_path / "robot.jsonl", tmp_path / "folk.jsonl", "--results")
    annotate(tmp_path, *words)
    assert "0 of 4 tasks have a label" in capsys.readouterr().out
    assert "holds a package of kind 'turing'" in said(tmp_path, "blindly", "--kind", "noise", "--from", tmp_path / "robot.jsonl")
    write(tmp_path / "made.jsonl", small("user"))
    annotate(tmp_path, "--package", tmp_path / "made.jsonl", "--results")
    assert "0 of 6 tasks have a label" in capsys.readouterr().out


def test_many_links_go_to_a_file(tmp_path: Path) -> None:
    package = small("user", users=115, each=1)
    desk = session.with_people(session.opened(tmp_path, session.Made(""), _given(tmp_path, package)), tmp_path, [])
    assert len(session.links(desk.people, 8700)) == 116
    assert len({line.split("/enter/")[1] for line in session.links(desk.people, 8700)}) == 116


def _given(folder: Path, package: object) -> Path:
    write(folder / "given.jsonl", package)  # type: ignore[arg-type]
    return folder / "given.jsonl"
