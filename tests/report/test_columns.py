"""Columns that are there only where there is something to say, and what is said of data files."""

from report_cases import metric, result, zero_shot

from kithe.report.accounts import files_table, notes
from kithe.report.tables import results_table, short_table

INTENSITY = {"casino/f1": metric(0.5), "casino/intensity_accuracy": metric(0.75, 0.5, 1.0), "casino/evidence_f1": metric(0.2)}


def test_fields_that_were_asked_for_have_columns_with_their_intervals() -> None:
    found = {**result("a"), "metrics": INTENSITY}
    table = results_table([found])
    assert table.body[0][table.header.index("intensity accuracy")] == ".750 [.500, 1.000]"
    assert table.body[0][table.header.index("evidence f1")].startswith(".200")
    assert "type accuracy" not in table.header
    assert "over the right items" in table.legend
    assert "intensity accuracy" in short_table([found]).header
    assert "evidence f1" not in short_table([found]).header


def test_fields_that_nobody_asked_for_have_none() -> None:
    found = {**result("a"), "metrics": {"casino/f1": metric(0.5)}}
    assert not [name for name in results_table([found]).header if name.endswith(("accuracy", "evidence f1"))]
    assert "over the right items" not in results_table([found]).legend


def test_data_files_are_listed_once_a_content_and_two_contents_are_told() -> None:
    cells = [result("a"), zero_shot("b"), {**result("c"), "provenance": {"files": {"laps/test.jsonl.gz": "22"}}}]
    for cell in cells[:2]:
        cell["provenance"] = {**cell["provenance"], "files": {"laps/test.jsonl.gz": "11", "laps/train.jsonl.gz": "33"}}
    table = files_table(cells, {"a": "lora", "b": "zero-shot", "c": "sft"})
    assert table.body == (
        ("laps/test.jsonl.gz", "11", "lora, zero-shot"),
        ("laps/test.jsonl.gz", "22", "sft"),
        ("laps/train.jsonl.gz", "33", "lora, zero-shot"),
    )
    (told,) = [note for note in notes(cells) if "contents" in note]
    assert told.startswith("laps/test.jsonl.gz: the runs read 2 different contents")
    assert not [note for note in notes(cells[:2]) if "contents" in note]
    assert {row[2] for row in files_table(cells[:2], {}).body} == {"all"}
