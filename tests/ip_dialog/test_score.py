"""`kithe score ip_dialog` on hand-made files in the released layout, with figures worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from kithe.cli import main
from kithe.errors import ConfigError
from kithe.ip_dialog import baselines
from kithe.ip_dialog.meteor import Meteor
from kithe.ip_dialog.score import as_json, as_text, baseline_rows, score_release
from kithe.records.question import Question

TURN = [{"speaker": "user", "content": "hi"}, {"speaker": "ai", "content": "hello"}]


def row(index: int, task: str, answer: str | list[str], **related: str) -> dict[str, Any]:
    truth = {"related_attributes": related, "analysis": "Calm people rest.", "answer": answer}
    user = {"age": "adult"}
    return {
        "index": index,
        "task": task,
        "domain": "x",
        "user_attr_group": user,
        "request": "?",
        "GT": truth,
        "history": [TURN],
    }


GOLD = [
    row(10, "predict", "yes", age="adult"),
    row(11, "predict", "no", age="adult"),
    row(12, "filter", ["A", "D"], age="adult", hobby="music"),
    row(13, "rank", ["B", "C", "D", "A"], hobby="music"),
    row(14, "advice", ["go out", "rest"], hobby="music"),
    row(15, "recommend", "a bike, a tent", hobby="sports"),
]
SAID = [
    "- Analysis: [Calm people rest.]\n- Answer: [yes]",
    "- Analysis: [x]\n- Answer: [No.]",
    "- Attributes: [age: adult]\n- Answer: [A, B, D]",
    "- Answer: [C, A, D, B]",
    "- Analysis: [Calm people rest.]\n- Answer: [1. go out\n2. rest]",
    "- Analysis: [..]\n- Answer: [..]",
]


def lay_out(folder: Path, said: list[str] = SAID, local: bool = False) -> tuple[Path, Path]:
    gold, release = folder / "test.jsonl", folder / "out"
    gold.write_text("".join(f"{json.dumps(item)}\n" for item in GOLD), encoding="utf-8")
    for name in ("alpaca_hq_basic_1000", "alpaca_hq_cot4_1000"):
        (release / name).mkdir(parents=True)
        with open(release / name / "claude.jsonl", "w", encoding="utf-8") as file:
            for item, text in zip(GOLD, said, strict=False):
                more = {"prompt": "?", "label": ""} if local else {"index": item["index"], "task": item["task"], "input": "?"}
                file.write(f"{json.dumps({**more, 'predict': text})}\n")
    return gold, release


@pytest.mark.parametrize("local", [False, True])
def test_the_figures_by_hand(tmp_path: Path, local: bool) -> None:
    gold, release = lay_out(tmp_path, local=local)
    found = as_json(score_release(gold, release, Meteor()))
    assert set(found) == {"alpaca_hq_basic_1000", "alpaca_hq_cot4_1000"}
    table = found["alpaca_hq_basic_1000"]["claude"]
    assert list(table) == ["recommend", "rank", "filter", "predict", "advice"]
    # Officially the sum over a task's items: "no." is not "no", letters of an order are compared, not ranks.
    assert table["predict"] == {"official": 1.0, "corrected": 100.0, "parsed": 1.0}
    assert table["filter"] == {"official": 0.8, "corrected": 80.0, "parsed": 1.0}
    assert table["rank"] == {"official": 0.67, "corrected": 33.33, "parsed": 1.0}
    assert table["recommend"] == {"official": 0.0, "corrected": 0.0, "parsed": 0.0}
    assert table["advice"]["official"] == round(table["advice"]["corrected"] / 100, 2) == 1.0
    assert table["advice"]["corrected"] < 100


def test_attributes_by_hand(tmp_path: Path) -> None:
    gold, release = lay_out(tmp_path)
    scores = score_release(gold, release, Meteor())["alpaca_hq_cot4_1000"]["claude"].attributes()
    # One item of six names a type: F1 of {age} and {age, hobby} is 2/3.
    assert scores["official"] == pytest.approx({"ATF": 100 * (2 / 3) / 6, "VF1": 100 * (2 / 3) / 6, "RVA": 100 / 6})
    # Corrected RVA is over the one item that has a right type.
    assert scores["corrected"]["RVA"] == pytest.approx(100)


def test_the_command_prints_json_and_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold, release = lay_out(tmp_path)
    words = ["score", "ip_dialog", "--gold", str(gold), "--predictions", str(release)]
    main([*words, "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["alpaca_hq_cot4_1000"]["claude"]["predict"]["official"] == 1.0
    main(words)
    text = capsys.readouterr().out
    assert "TaskRelated" in text
    assert "chance, exact match (published)" in text
    assert "ATF" in text


def test_without_synonyms_the_score_says_that_it_is_not_official(tmp_path: Path) -> None:
    gold, release = lay_out(tmp_path)
    found = score_release(gold, release, Meteor())
    assert "exact and stem); not the official score" in as_text(found, Meteor())
    assert "not the official" not in as_text(found, Meteor(lambda word: ()))


def test_a_folder_of_one_pathway_is_read_too(tmp_path: Path) -> None:
    gold, release = lay_out(tmp_path)
    assert set(score_release(gold, release / "alpaca_hq_cot4_1000", Meteor())) == {"alpaca_hq_cot4_1000"}


def test_clear_errors(tmp_path: Path) -> None:
    gold, release = lay_out(tmp_path, SAID[:3])
    with pytest.raises(ConfigError, match="holds 3 rows, the gold file 6"):
        score_release(gold, release, Meteor())
    with pytest.raises(ConfigError, match="no such file"):
        score_release(tmp_path / "none", release, Meteor())
    with pytest.raises(ConfigError, match="no folder named like"):
        score_release(gold, tmp_path, Meteor()) if not (tmp_path / "empty").mkdir() else None
    gold.write_text('{"index": 1, "task": "dance", "GT": {"related_attributes": {}, "analysis": "", "answer": "x"}}\n')
    with pytest.raises(ConfigError, match="no such task in line 1"):
        score_release(gold, release, Meteor())
    gold.write_text('{"index": 1}\n')
    with pytest.raises(ConfigError, match="line 1: task"):
        score_release(gold, release, Meteor())


def test_an_index_that_does_not_agree_is_refused(tmp_path: Path) -> None:
    gold, release = lay_out(tmp_path)
    file = release / "alpaca_hq_basic_1000" / "claude.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([lines[1], lines[0], *lines[2:]]), encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1: index is 11, but row 1 of the gold file has 10"):
        score_release(gold, release, Meteor())


def questions(task: str, form: Any, answers: list[str]) -> list[Question]:
    return [Question(task=task, form=form, answer=tuple(answer)) for answer in answers]


def test_chance_is_on_the_metric_it_stands_beside() -> None:
    # As in the official set: two of five options in 89 of 100 items, one in the rest.
    options = questions("filter", "options", ["DE"] * 89 + ["E"] * 11)
    assert baselines.chance(options) == pytest.approx(0.378)
    assert baselines.chance_of_exact_match(options) == pytest.approx(0.89 / 10 + 0.11 / 5)
    orders = questions("rank", "order", ["BCDA"])
    assert baselines.chance(orders) == 0.5
    assert baselines.chance_of_exact_match(orders) == pytest.approx(1 / 24)
    assert baselines.chance(questions("advice", "list", ["x"])) == 0


def test_the_best_constants() -> None:
    options = questions("filter", "options", ["AB", "CD", "DE"])
    said, value = baselines.constant(options)
    assert value == pytest.approx(max(2 * 2 / 7, (2 * 1 / 3 + 2 * 1 / 3) / 3))
    assert said == "A B C D E"
    yes = [Question(task="predict", form="yes_no", answer=(word,)) for word in ("yes", "yes", "no")]
    assert baselines.constant(yes) == ("yes", pytest.approx(2 / 3))
    assert baselines.constant(questions("rank", "order", ["ABCD"])) == ("A B C D", 1.0)


def test_the_curve_of_the_commonest_attributes() -> None:
    made = [Question(task="x", form="text", related=related) for related in ({"a": "1", "b": "1"}, {"a": "2"}, {"c": "1"})]
    # Always "a": 2/3 and 1 and 0; then "a, b": 1, 2/3, 0; then all three: 4/5, 1/2, 1/2.
    assert baselines.frequent_types(made) == pytest.approx([(2 / 3 + 1) / 3, (1 + 2 / 3) / 3, (0.8 + 0.5 + 0.5) / 3])


def test_rows_without_a_model() -> None:
    rows = baseline_rows(questions("rank", "order", ["BCDA", "BADC"]))
    assert rows["chance"] == {"rank": 50.0}
    assert rows["chance, exact match (published)"]["rank"] == pytest.approx(100 / 24)
    assert rows["best constant, corrected"]["rank"] >= 50
