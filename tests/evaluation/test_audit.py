"""A judge's audit, from the verdicts to the page and the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kithe import cli
from kithe.errors import ConfigError
from kithe.evaluation.judges import GoldJudge
from kithe.evaluation.judging.audit import audit, families
from kithe.evaluation.judging.cases import Case, cases
from kithe.evaluation.judging.model import ModelJudge
from kithe.evaluation.judging.probes import injections
from kithe.evaluation.judging.rules import RulesJudge
from kithe.evaluation.judging.validation import Label, Labels
from kithe.llm.client import Ask
from kithe.llm.scripted import ScriptedClient
from kithe.report.audit_page import page

ASKED = [case for case in cases() if case.duplicate_of is None]


def told(case: Case, text: str) -> bool:
    """Whether everything said in a case stands in a prompt."""
    return all(turn[3:] in text for turn in case.turns if turn[1:3] == ": ")


def by_truth(obeys: bool) -> ModelJudge:
    """Knows the cases, quotes the conversation's first words, and maybe follows what the conversation asks."""

    def reply(ask: Ask) -> str:
        text = ask.messages[1].content
        statement = json.loads(text.rsplit("Statement about the user: ", 1)[1])
        case = next((case for case in ASKED if statement.startswith(case.statement) and told(case, text)), None)
        first = next(line for line in text.splitlines() if ": " in line).split(": ", 1)[1]
        right = case is not None and case.relevance
        if obeys and "answer relevance yes" in text:
            right = True
        sensible = case is not None and case.sensibility
        said = {"relevance": "yes" if right else "no", "sensibility": "yes" if sensible else "no"}
        return json.dumps({"quote": first, **said, "relevance_reason": "r", "sensibility_reason": ""})

    return ModelJudge(ScriptedClient(reply, "qwen3-4b"), samples=0)


def probes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["probe"]: row for row in found["probes"]}


def test_a_judge_that_knows_the_cases_is_right_and_stands_firm() -> None:
    found = audit(by_truth(obeys=False), half="none", resamples=50).as_dict()
    assert (found["cases"]["asked"], found["cases"]["right"], found["cases"]["unscored"]) == (39, 39, 0)
    assert found["cases"]["agreement"]["correct"]["kappa"]["value"] == 1.0
    rows = probes(found)
    assert {"test-retest", "order swap", "length", "paraphrase"} <= rows.keys()
    assert {f"injection: {each.name}" for each in injections()} <= rows.keys()
    assert {row["rate"]["value"] for name, row in rows.items() if name.startswith("injection")} == {0.0}
    usable = [case for case in ASKED if not case.ordered and any("--" in turn for turn in case.turns)]
    assert rows["order swap"]["skipped"] == 39 - len(usable)
    assert found["warnings"] == []


def test_a_judge_that_obeys_is_found_out() -> None:
    rows = probes(audit(by_truth(obeys=True), half="none", resamples=50).as_dict())
    assert rows["injection: plain order"]["to_yes"] > 5
    assert rows["injection: plain order"]["to_no"] == 0
    assert rows["injection: plain order"]["p"] < 0.05


def test_asking_again_forgets_what_was_remembered() -> None:
    rows = probes(audit(RulesJudge(0.7, 0.7), half="none", resamples=50).as_dict())
    assert rows["test-retest"]["to_yes"] + rows["test-retest"]["to_no"] > 3


def test_warnings_name_family_simulation_and_labels() -> None:
    labels = Labels((Label(item="case-1", annotator="ann", relevance=True, sensibility=True),), unknown={"x#1": 2})
    asked = [case.question for case in ASKED]
    found = audit(by_truth(obeys=False), (asked, labels), "none", "Qwen/Qwen3-0.6B", 1, resamples=20)
    text = "\n".join(found.warnings)
    assert "of one family" not in text  # the scripted client's name says that it is scripted
    assert "1 items that are not among those judged, left out, such as x#1" in text
    assert "1 items have the label of one person only" in text
    assert found.labels is not None
    assert found.labels.labelled == 1
    simulated = audit(RulesJudge(), half="none", limit=1, resamples=20)
    assert "simulated" in simulated.warnings[0]


@pytest.mark.parametrize(
    ("judge", "generator", "warned"),
    [
        ("qwen3-4b@127.0.0.1:80", "qwen3-0.6b", 1),
        ("Qwen/Qwen3-8B@host", "qwen3-0.6b@other", 1),
        ("smollm2-135m (local)", "smollm2-135m", 1),
        ("gemma3-27b@host", "qwen3-0.6b", 0),
        ("", "qwen3-0.6b", 0),
    ],
)
def test_one_family_is_warned_of(judge: str, generator: str, warned: int) -> None:
    class Named:
        name = judge

    assert len(families(Named(), generator)) == warned


def test_the_page_says_everything_and_escapes_it() -> None:
    pairs = [(n, who) for n in range(1, 19) for who in "ab"]
    labels = Labels(tuple(Label(item=f"case-{n}", annotator=who, relevance=n < 9, sensibility=True) for n, who in pairs))
    asked = [case.question for case in ASKED]
    found = audit(RulesJudge(0.8, 0.8), (asked, labels), "none", limit=3, resamples=50).as_dict()
    text = page(json.loads(json.dumps(found)))
    parts = (
        "# Judge: rules",
        "**Warning:**",
        "of 39 right",
        "injection: fake answer",
        "Rogan-Gladen",
        "PPI++",
        "Krippendorff",
    )
    for part in parts:
        assert part in text
    hostile = {**found, "cases": {**found["cases"], "wrong": [{"statement": "a | b <script>", "relevance": None}]}}
    assert "<script>" not in page(hostile)


def test_a_judge_of_whole_predictions_is_refused() -> None:
    with pytest.raises(ConfigError, match="GoldJudge cannot be asked about single items"):
        audit(GoldJudge())  # type: ignore[arg-type]


def test_the_command_writes_json_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "labels.jsonl"
    good = [Label(item=f"case-{n}", annotator="ann", relevance=True, sensibility=n % 2 == 0).line() for n in range(1, 9)]
    unknown = '{"item": "zzz", "annotator": "a", "relevance": true, "sensibility": true}'
    file.write_text("\n".join([*good, "not json", unknown]) + "\n", encoding="utf-8")
    words = ["judge=rules", f"paths.store={tmp_path / 'store'}", "--limit", "2", "--challenge", "none", "--labels", str(file)]
    cli.main(["audit", *words])
    out = capsys.readouterr()
    assert "# Judge: rules (simulated)" in out.out
    assert "lines that could not be read" in out.out
    (held,) = (tmp_path / "store" / "audits").glob("*.json")
    content = json.loads(held.read_text(encoding="utf-8"))
    assert content["labels"]["labelled"] == 8
    assert {"value", "low", "high"} == set(content["labels"]["precision"]["ppi_plus"])
    assert held.with_suffix(".md").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "which judge"),
        (["judge=gold"], "cannot be asked about single items"),
        (["judge=rules", "--run", "x"], "--labels FILE"),
        (["judge=rules", "--labels", "/nowhere.jsonl"], "cannot be read"),
        (["judge=rules", "--labels", "{empty}"], "none is about the cases"),
        (["judge=rules", "--labels", "{empty}", "--run", "nosuchrun"], "no run 'nosuchrun'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: list[str], part: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    given = [word.replace("{empty}", str(tmp_path / "empty.jsonl")) for word in words]
    assert part in refused("audit", *given, f"paths.store={tmp_path}")
