"""`kithe score ip_dialog`: what the released answers of models are worth, in the published form and a corrected one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from kithe.ip_dialog import baselines
from kithe.ip_dialog.meteor import Meteor, installed
from kithe.ip_dialog.metrics import Scored, letter_agreement, rank_agreement, score_corrected, score_official
from kithe.ip_dialog.release import PATHWAYS, gold, pathway_folders, predictions
from kithe.ip_dialog.schema import tasks
from kithe.records.question import Question

Table = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class ModelScores:
    """One model under one pathway, an entry per item in both forms."""

    questions: Sequence[Question]
    official: Sequence[Scored]
    corrected: Sequence[Scored]

    def by_task(self) -> dict[str, dict[str, float]]:
        """Task -> `{official, corrected, parsed}`.

        `official` is the sum over the task's items rounded to two decimals, as published, so it is a percentage for 100 items
        only; `corrected` is a percentage; `parsed` is the share of the answers that could be read, in [0, 1].
        """
        found = {}
        for task in tasks():
            rows = [i for i, question in enumerate(self.questions) if question.task == task]
            if rows:
                found[task] = {
                    "official": round(sum(self.official[i].accuracy for i in rows), 2),
                    "corrected": round(100 * mean(self.corrected[i].accuracy for i in rows), 2),
                    "parsed": mean(self.corrected[i].read for i in rows),
                }
        return found

    def attributes(self) -> dict[str, dict[str, float | None]]:
        """ATF, VF1 and RVA in percent, in both forms; RVA is None where no item names a right type."""
        found: dict[str, dict[str, float | None]] = {}
        for form, rows in (("official", self.official), ("corrected", self.corrected)):
            defined = [row.values for row in rows if row.values is not None]
            found[form] = {
                "ATF": 100 * mean(row.types for row in rows),
                "VF1": 100 * mean(row.pairs for row in rows),
                "RVA": 100 * mean(defined) if defined else None,
            }
        return found


def score_release(gold_file: Path, folder: Path, meteor: Meteor | None = None) -> dict[str, dict[str, ModelScores]]:
    """Every model of every pathway folder: folder name -> file name without its ending -> scores.

    Raises:
        ConfigError: a file is missing or is not what it should be.
    """
    items, metric = gold(gold_file), meteor or installed()
    questions = [question for _, question in items]
    return {
        path.resolve().name: {
            file.stem: score_model(questions, predictions(file, items), pathway, metric) for file in sorted(path.glob("*.jsonl"))
        }
        for path, pathway in pathway_folders(folder).items()
    }


def score_model(questions: Sequence[Question], texts: Sequence[str], pathway: str, meteor: Meteor) -> ModelScores:
    """One model's texts, one per question."""
    pairs = list(zip(questions, texts, strict=True))
    return ModelScores(
        questions,
        [score_official(question, text, pathway, meteor) for question, text in pairs],
        [score_corrected(question, text, meteor) for question, text in pairs],
    )


def as_json(found: Mapping[str, Mapping[str, ModelScores]]) -> dict[str, Table]:
    """`{pathway: {model: {task: {official, corrected, parsed}}}}`."""
    return {pathway: {model: scores.by_task() for model, scores in models.items()} for pathway, models in found.items()}


def baseline_rows(questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Rows that need no model: name -> task -> percent."""
    groups = {task: [question for question in questions if question.task == task] for task in tasks()}
    made: dict[str, dict[str, float]] = {
        "chance": {},
        "chance, exact match (published)": {},
        "best constant, official": {},
        "best constant, corrected": {},
    }
    for task, group in groups.items():
        if group:
            made["chance"][task] = 100 * baselines.chance(group)
            made["chance, exact match (published)"][task] = 100 * baselines.chance_of_exact_match(group)
            made["best constant, official"][task] = 100 * baselines.constant(group, letter_agreement)[1]
            made["best constant, corrected"][task] = 100 * baselines.constant(group, rank_agreement)[1]
    return made


def as_text(found: Mapping[str, Mapping[str, ModelScores]], meteor: Meteor) -> str:
    """Tables for a terminal: per pathway a row per model and form, then chance and constants, then attributes."""
    blocks = [f"Open answers: METEOR ({meteor.label}){'' if meteor.synonyms else '; not the official score'}."]
    for pathway, models in found.items():
        blocks.append(f"\n{pathway} ({_name(pathway)})\n" + "\n".join(_lines(models)))
    return "\n".join(blocks) + "\n"


def _name(folder: str) -> str:
    return next((name for key, name in PATHWAYS.items() if f"_{key}_" in f"_{folder}_"), "")


def _lines(models: Mapping[str, ModelScores]) -> list[str]:
    if not models:
        return ["no .jsonl files"]
    scores = {model: one.by_task() for model, one in models.items()}
    shown = list(next(iter(scores.values())))
    lines = [_line("", [*shown, "mean"])]
    for model, table in scores.items():
        for form, scale in (("official", 1), ("corrected", 1), ("parsed", 100)):
            values = [scale * table[task][form] for task in shown]
            lines.append(_line(f"{model}, {form}{' %' if form == 'parsed' else ''}", [*values, mean(values)]))
    questions = next(iter(models.values())).questions
    for name, row in baseline_rows(questions).items():
        lines.append(_line(name, [*(row[task] for task in shown), mean(row[task] for task in shown)]))
    lines += ["", _line("", ["ATF", "VF1", "RVA"])]
    for model, one in models.items():
        for form, shares in one.attributes().items():
            lines.append(_line(f"{model}, {form}", list(shares.values())))
    curve = baselines.frequent_types(questions)
    best = max(range(len(curve)), key=curve.__getitem__) if curve else 0
    return [*lines, _line(f"the {best + 1} commonest attributes", [100 * curve[best]] if curve else [])]


def _line(name: str, cells: Sequence[str | float | None]) -> str:
    return f"{name:<34}" + "".join(f"{_cell(cell):>17}" for cell in cells)


def _cell(value: str | float | None) -> str:
    return value if isinstance(value, str) else "-" if value is None else f"{value:.2f}"
