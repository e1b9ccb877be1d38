"""What the statistics of the evaluation hold: `python -m benchmarks.statistics [--small]`; minutes, without a language model.

Coverage of corrected and naive intervals by simulation with known truth, and whether QA recall ranks simulated extractors as
oracle recall does, on scripted histories (written by a program, not by people). `--small` embeds nothing and takes seconds.
"""

import argparse
import time
from typing import Any

from benchmarks.common import write
from kithe.dialogues.scripted import Scripted
from kithe.evaluation.agreement import agreement
from kithe.evaluation.matching import default_encoder
from kithe.evaluation.qa.extractive import Extractive
from kithe.evaluation.qa.oracle import STRENGTHS, bare, compare_extractors
from kithe.evaluation.qa.questionnaire import questionnaire
from kithe.evaluation.qa.recall import answerable, ask, qa_metrics
from kithe.evaluation.qa.threshold import chosen_threshold
from kithe.evaluation.simulation import SETTINGS, simulate, worst
from kithe.records.history import History

REPEATS = 20_000
LABELS = 200
HISTORIES = 80
SEED = 1  # other people than those the answerer's neighbours were chosen on


def coverage(repeats: int) -> list[dict[str, Any]]:
    """One row a setting and method."""
    return [
        {"measure": "coverage", **vars(setting), "method": name, **vars(found)}
        for setting in SETTINGS
        for name, found in simulate(setting, repeats).items()
    ]


def corrected(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The coverage of PPI++ and of the naive interval at 200 labels: the worst setting of each, and the error of a simulation."""
    some = [row for row in rows if row["labels"] == LABELS]
    default, naive = ([row for row in some if row["method"] == name] for name in ("ppi_plus", "naive"))
    lowest = min(default, key=lambda row: float(row["coverage"]))
    return {
        "coverage_corrected": lowest["coverage"],
        "coverage_corrected_error": lowest["error"],
        "coverage_naive": max(row["coverage"] for row in naive),
        "coverage_naive_worst": min(row["coverage"] for row in naive),
        "coverage_all_corrections": min(worst(simulate(setting)) for setting in SETTINGS if setting.labels == LABELS),
    }


def histories(count: int) -> list[History]:
    """Scripted histories whose personas hold values that no known statement of the answerer has."""
    teacher = Scripted()
    return [teacher.dialogue(teacher.persona(SEED, index, unseen=True), SEED, 0) for index in range(count)]


def ranks(people: list[History]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """QA recall against oracle recall over simulated extractors."""
    found = compare_extractors(people, Extractive(), questionnaire(), chosen_threshold())
    rows = [
        {"measure": "recall", **vars(strength), "oracle_recall": oracle, "qa_recall": qa}
        for strength, oracle, qa in zip(STRENGTHS, found.oracle, found.qa, strict=True)
    ]
    figures = {"spearman_qa_oracle": found.spearman, "spearman_low": found.low, "spearman_high": found.high}
    return rows, {**figures, "extractors": len(rows)}


def knows_when_it_does_not_know(people: list[History]) -> dict[str, Any]:
    """The answerer's "I don't know" decisions on bare gold statements, against what their keys say."""
    rows = ask(Extractive(), questionnaire(), [(person, [bare(item) for item in person.items]) for person in people])
    found = agreement(*answerable(rows, {row.id: not row.gold.idk for row in rows}), [row.user for row in rows])
    recall = qa_metrics(rows, chosen_threshold())
    names = ("agreement", "kappa", "sensitivity", "specificity")
    return {
        **{f"answerability_{name}": found[name]["value"] for name in names},
        "qa_recall_of_gold": recall["qa_recall"]["value"],
        "unsupported_of_gold": recall["qa_unsupported"]["value"],
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the simulations only, with 4,000 repeats")
    small = parser.parse_args().small
    started = time.perf_counter()
    rows = coverage(4000 if small else REPEATS)
    summary = corrected(rows)
    summary["simulation_s"] = time.perf_counter() - started
    if not small:
        people = histories(HISTORIES)
        default_encoder().encode([item.statement for person in people for item in person.items])
        more, figures = ranks(people)
        rows += more
        summary |= {**figures, **knows_when_it_does_not_know(people), "histories": len(people)}
    name = "statistics_small" if small else "statistics"
    command = f"python -m benchmarks.statistics{' --small' if small else ''}"
    path = write(name, command, rows, summary, seconds=time.perf_counter() - started, text="scripted")
    for key, value in summary.items():
        print(f"{key}: {value:.4f}" if isinstance(value, float) else f"{key}: {value}")
    print(path)


if __name__ == "__main__":
    main()
