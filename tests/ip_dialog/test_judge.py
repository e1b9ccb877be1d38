"""The judge of the grid: a perfect model, an empty one and constants get what they must; failures are counted."""

from functools import cache

import pytest

from kithe.errors import ConfigError
from kithe.evaluation.judges import Scores
from kithe.ip_dialog.judge import IPDialogJudge
from kithe.ip_dialog.pathways import Pathway
from kithe.ip_dialog.pipeline import Pipeline, Settings
from kithe.ip_dialog.signatures import failure
from kithe.ip_dialog.task import IPDialog, question
from kithe.ip_dialog.teacher import Scripted
from kithe.records.chat import Prediction
from kithe.records.history import History


@cache
def items() -> tuple[History, ...]:
    return tuple(Pipeline(Scripted(), Settings(duplicates=None, twins=True)).items("test", 12))


def predictions(texts: list[str]) -> list[Prediction]:
    return [Prediction(id=item.id, raw=(text,)) for item, text in zip(items(), texts, strict=True)]


def scored(texts: list[str], pathway: Pathway = "task_related") -> Scores:
    return IPDialogJudge(pathway, resamples=200).score(items(), predictions(texts))


@pytest.mark.parametrize("pathway", ["task_related", "type_guided", "attribute_filter"])
def test_a_perfect_model(pathway: Pathway) -> None:
    found = scored([example.answer for example in IPDialog(pathway).examples(items())], pathway).metrics
    for name in ("atf", "atf_official", "vf1", "rva", "rva_official", "precision", "recall", "f1", "parse_rate"):
        assert found[name]["value"] == 1, name
    for name in ("B", "M", "R"):
        assert found[f"accuracy.{name}"]["value"] == 1
    assert found["accuracy.O"]["value"] > 0.95
    assert found["accuracy_exact_and_stem"]["value"] == pytest.approx(found["accuracy"]["value"])
    assert "accuracy_official" not in found  # METEOR without synonyms is not the official one
    assert found["twins_both_right"]["value"] == 1
    assert found["failure.other_form"]["value"] == 0


def test_an_answer_that_moves_with_the_irrelevant_is_seen() -> None:
    pairs = Pipeline(Scripted(), Settings(duplicates=None, swap="gender")).items("test", 6, ["predict"])
    moved = ["- Answer: [no]" if question(item).twin_of else "- Answer: [yes]" for item in pairs]
    for texts, wanted in ((moved, 0.0), (["- Answer: [yes]"] * len(pairs), 1.0)):
        made = [Prediction(id=item.id, raw=(text,)) for item, text in zip(pairs, texts, strict=True)]
        found = IPDialogJudge(resamples=50).score(pairs, made).metrics
        assert found["unmoved_by_the_irrelevant"]["value"] == wanted
        assert "twins_both_right" not in found


def test_the_vector_is_scored_over_all_attributes() -> None:
    found = scored([example.answer for example in IPDialog("full_attributes").examples(items())], "full_attributes").metrics
    assert found["vector_accuracy"]["value"] == 1
    assert found["vector_accuracy"]["n"] == 12 * len(items())
    # Naming all twelve is officially a mistake in types, whatever is known.
    assert found["atf_official"]["value"] < 0.6


def test_an_empty_model_gets_nothing_and_says_so() -> None:
    found = scored([""] * len(items())).metrics
    assert found["accuracy"]["value"] == found["parse_rate"]["value"] == found["atf"]["value"] == 0
    assert "rva" not in found
    assert found["rva_official"]["value"] == 0
    assert "accuracy_of_read" not in found
    assert found["failure.empty"]["value"] == 1


def test_direct_answers_have_no_attributes() -> None:
    found = scored(["- Analysis: [x]\n- Answer: [yes]"] * len(items()), "direct_response").metrics
    assert "atf" not in found
    assert "f1" not in found
    assert found["failure.other_form"]["value"] > 0.5


def test_chance_and_constants_stand_beside_every_model() -> None:
    found = scored([""] * len(items())).metrics
    always = scored(["- Answer: [A, B, C, D, E]"] * len(items())).metrics
    closed = found["chance"]["value"]
    assert 0 < found["chance_exact_match"]["value"] < closed < found["constant"]["value"] < 1
    assert always["accuracy.M"]["value"] <= 2 * found["constant"]["value"]
    assert found["atf_turn_count"]["value"] < 1


def test_rows_are_one_an_item_with_counts_for_comparisons() -> None:
    rows = scored([example.answer for example in IPDialog().examples(items())]).rows
    assert [row["id"] for row in rows] == [item.id for item in items()]
    for row, item in zip(rows, items(), strict=True):
        assert row["tp"] == row["predicted"] == row["gold"] == len(question(item).related)


def test_synonyms_need_wordnet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITHE_WORDNET", "/nowhere")
    with pytest.raises(ConfigError, match="apt install wordnet-base"):
        IPDialogJudge(synonyms=True).score(items()[:1], predictions([""] * len(items()))[:1])
    with pytest.raises(ConfigError, match=r"judge\.pathway=x"):
        IPDialogJudge("x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"judge\.resamples=0"):
        IPDialogJudge(resamples=0)


@pytest.mark.parametrize(
    ("text", "form", "wanted"),
    [
        ("", "text", "empty"),
        ("- Analysis: [..]\n- Answer: [..]", "text", "template"),
        ("- Answer: [content]", "options", "other_form"),
        ("- Answer: [yes]", "options", "other_form"),
        ("- Answer: [A, B]", "yes_no", "other_form"),
        ("- Answer: [A, B]", "list", "other_form"),
        ("- Answer: [I would keep A and B]", "options", None),
        ("- Answer: [no]", "yes_no", None),
        ("- Answer: [1. rest 2. go]", "list", None),
    ],
)
def test_how_answers_fail(text: str, form: str, wanted: str | None) -> None:
    assert failure(text, form) == wanted  # type: ignore[arg-type]
