"""What is worked out from single items, against numbers counted by hand in `talks_store`."""

from pathlib import Path

import pytest
from report_cases import result
from talks_store import GOOD, POOR, TALK, history, prediction, rows, verdicts, write_small_sweep, write_talks

from kithe.report.background import Background, likeness, overlap
from kithe.report.budgets import every_budget, training_table
from kithe.report.build import read_result, sweep_runs
from kithe.report.errors import kinds_table, missed_kinds, mistakes, worst
from kithe.report.material import Answer, Shelf, answer
from kithe.report.probes import probes
from kithe.report.slices import Gap, Slice, sliced
from kithe.report.study import letter, study
from kithe.report.sureness import sureness

KNOWN = Background.of(map(history, TALK))


def answers(said: dict, scored: list | None = None) -> list[Answer]:  # type: ignore[type-arg]
    """Everybody's answer."""
    held = {row["id"]: row for row in scored or rows(said)}
    return [answer(history(user), prediction(user, said), held[user]) for user in TALK]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_small_sweep(tmp_path)
    return tmp_path


def test_answers_are_read_with_what_became_of_every_item(store: Path) -> None:
    shelf = Shelf(store, {run: read_result(store, run) for run in sweep_runs(store, "talks")})
    found = {each.history.id: each for each in shelf.answers("lora-s0", "laps")}
    assert found["u0"].right == [0]
    assert found["u0"].wrong == [1, 2]
    assert found["u3"].found == {0, 1}
    assert [item.statement for item in shelf.training_facts("lora-s0")] == ["I sail.", "I cook soup.", "I collect stamps."]
    assert shelf.training_facts("zero") == ()
    assert shelf.answers("lora-s0", "elsewhere") == []


def test_verdicts_are_read_and_items_without_one_stay_open() -> None:
    found = {each.history.id: each for each in answers(GOOD, verdicts(GOOD))}
    assert [call.right for call in found["u0"].calls] == [True, None, False]
    assert [call.right for call in found["u5"].calls] == [True, None]
    assert found["u0"].calls[1].why == "no verdict: prose"
    assert "duplicate" not in found["u5"].calls[1].why
    assert found["u0"].calls[2].why.startswith("not relevant, sensible")
    assert found["u0"].found == frozenset()


def test_a_line_that_cannot_be_read_costs_one_answer(store: Path) -> None:
    path = store / "predictions" / "p-lora-s0" / "laps" / "predictions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(["{torn", *lines[1:]]), encoding="utf-8")
    shelf = Shelf(store, {"lora-s0": read_result(store, "lora-s0")})
    assert [each.history.id for each in shelf.answers("lora-s0", "laps")] == ["u1", "u2", "u3", "u4", "u5"]


def values(measure: str, label: str) -> dict[str, tuple[float, int | None]]:
    """Value of a label -> share of hits and n."""
    found = sliced("A", answers(GOOD), KNOWN, history("u3").items)
    chosen = [each for each in found if isinstance(each, Slice) and (each.measure, each.label) == (measure, label)]
    return {each.value: (each.estimate.value, each.estimate.n) for each in chosen}


def test_recall_by_slices_counted_by_hand() -> None:
    assert values("recall", "polarity") == {"positive": (pytest.approx(6 / 7), 7), "negative": (0.0, 1)}
    assert values("recall", "negation") == {"plain": (pytest.approx(6 / 7), 7), "negated": (0.0, 1)}
    # Food has three facts of eight, Sport two: Food and Sport begin in the first half of the counts.
    assert values("recall", "frequency") == {"head": (pytest.approx(3 / 5), 5), "tail": (1.0, 3)}
    assert values("recall", "training")["unseen"] == (1.0, 3)
    assert values("recall", "inference") == {}
    assert values("precision", "negation") == {}


def test_slices_that_are_opposites_are_compared() -> None:
    (gap,) = [each for each in sliced("A", answers(GOOD), KNOWN) if isinstance(each, Gap) and each.label == "polarity"]
    assert gap.estimate.value == pytest.approx(6 / 7)
    assert (gap.first, gap.second) == ("positive", "negative")


def test_a_judge_of_items_has_precision_but_no_recall() -> None:
    found = sliced("A", answers(GOOD, verdicts(GOOD)), KNOWN)
    assert {each.measure for each in found} <= {"precision"}
    sure = sureness("A", answers(GOOD, verdicts(GOOD)))
    assert sure is not None
    assert sure.points == ()
    assert sure.average_precision is None
    assert sure.reliability.ece["n"] == 9


def test_confidence_by_hand() -> None:
    found = sureness("A", answers(GOOD))
    assert found is not None
    above = {point.threshold: point for point in found.points}
    assert above[0.0].precision is not None
    assert above[0.0].precision["value"] == pytest.approx(6 / 11)
    assert above[0.0].recall["value"] == pytest.approx(6 / 8)
    assert above[0.9].precision is not None
    assert (above[0.9].precision["value"], above[0.9].precision["n"]) == (1.0, 4)
    unsure = answers(GOOD)
    items = tuple(item.model_copy(update={"confidence": None}) for item in unsure[0].prediction.items)
    unsure[0] = Answer(unsure[0].history, unsure[0].prediction.model_copy(update={"items": items}), unsure[0].calls)
    assert sureness("A", unsure) is None


def test_equal_budget_by_hand() -> None:
    (found,) = every_budget({"A": [answers(GOOD)], "B": [answers(POOR)]})
    # One item each of u0, u1, u3 and u5: the most confident ones of A are all right, of B only "I run.".
    assert (found.items, found.ours, found.theirs) == (4, 1.0, 0.25)
    assert found.difference.value == 0.75
    assert every_budget({"A": [answers(GOOD)], "B": [answers({})]}) == []


def test_seeds_are_paired_for_the_budget() -> None:
    (found,) = every_budget({"A": [answers(GOOD), answers(POOR)], "B": [answers(POOR), answers(POOR)]})
    assert (found.items, found.ours, found.theirs) == (4, (1.0 + 0.25) / 2, 0.25)


def test_unequal_training_is_said() -> None:
    one, two = result("a"), result("b")
    one["provenance"]["training"] = {"examples": 100, "steps": 10}
    two["provenance"]["training"] = {"examples": 150, "steps": 10}
    found = training_table({"A": [one], "B": [two]})
    assert found.header == ("cell", "train facts", "examples", "steps")
    assert "examples: 100 to 150" in found.legend
    assert "steps" not in found.legend
    assert training_table({"A": [one]}).legend.endswith("within two per cent.")


def test_mistakes_have_the_kind_that_fits() -> None:
    found = {(each.user, each.item.statement): each.kind for own in answers(GOOD) for each in mistakes(own, KNOWN)}
    assert found == {
        ("u0", "I like olives."): "opposite",
        ("u0", "I bake bread."): "other speaker",
        ("u1", "I have three dogs."): "number",
        ("u4", "I own a yacht."): "invented",
        ("u5", "I collect stamps."): "again",
    }
    assert missed_kinds(answers(GOOD)[0]) == ["misread"]
    assert missed_kinds(answers(POOR)[0]) == ["silent", "unsure"]


def test_the_worst_errors_are_those_a_model_was_surest_of() -> None:
    found = [each for own in answers(GOOD) for each in mistakes(own, KNOWN)]
    assert [each.item.statement for each in worst(found, 2)] == ["I bake bread.", "I have three dogs."]
    table = kinds_table({"A": answers(GOOD)}, {"A": found})
    held = {line[0]: line[1] for line in table.body}
    assert held["wrong: says the opposite of a fact"] == "1 (20%)"
    assert held["missed: nothing near it was inferred"] == "1 (50%)"


def test_statements_pair_one_to_one_by_their_words() -> None:
    assert overlap(["I cook pasta.", "Pasta, I cook it!"], ["I cook pasta."]) == (2.0, 3.0)
    assert overlap([], ["I sail."]) == (0.0, 1.0)
    assert overlap(["I sail."], ["I run."]) == (0.0, 2.0)
    assert likeness(frozenset("ab"), frozenset("bc")) == pytest.approx(1 / 3)
    assert likeness(frozenset(), frozenset()) == 0.0


def test_probes_by_hand() -> None:
    found = {each.name: each.estimate.value for each in probes("A", answers(GOOD), KNOWN, history("u3").items)}
    assert found["another user's history"] < found["own history"]
    assert found["copied from training"] == pytest.approx(2 / 11)
    assert found["wrong and copied"] == 0.0
    assert found["other speaker"] == pytest.approx(1 / 5)
    assert found["silent"] == 0.0
    assert found["facts verbatim"] == pytest.approx(6 / 8)
    many = {each.name: each.estimate.value for each in probes("B", answers(POOR), KNOWN)}
    assert many["said of many"] == pytest.approx(3 / 4)
    assert many["silent"] == pytest.approx(1 / 5)
    assert "copied from training" not in many


def test_a_study_names_cells_and_finds_comparisons_both_ways(store: Path) -> None:
    found = study(store, "t", [read_result(store, run) for run in sweep_runs(store, "talks")])
    (part,) = found.test_sets
    assert list(part.cells) == ["A zero-shot", "B synthetic (scripted), lora"]
    assert found.names == {
        "zero": "A zero-shot",
        "lora-s0": "B synthetic (scripted), lora",
        "lora-s1": "B synthetic (scripted), lora",
    }
    one, two = part.cells.values()
    made = found.difference(one, two)
    assert made is not None
    assert made == found.difference(two, one)
    assert [len(seeds) for seeds in part.answers.values()] == [1, 2]


def test_letters_go_on_after_z() -> None:
    assert [letter(number) for number in (0, 25, 26, 27, 52)] == ["A", "Z", "AA", "AB", "BA"]


def test_a_run_without_single_items_is_left_out(store: Path) -> None:
    (store / "predictions" / "p-zero" / "laps" / "histories.jsonl").unlink()
    write_talks(
        store, result("other", cell={"adapt": "sft"}), GOOD, [{"id": user, "tp": 1, "predicted": 1, "gold": 1} for user in TALK]
    )
    names = [*sweep_runs(store, "talks"), "other"]
    (part,) = study(store, "t", [read_result(store, run) for run in names]).test_sets
    assert len(part.cells) == 3
    assert list(part.answers) == ["B synthetic (scripted), lora"]
