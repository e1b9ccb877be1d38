"""The results table: which columns it has and what stands in them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kithe.report.estimates import OF_USERS
from kithe.report.rows import FIRST, Result, Row, finished, leaves, rows, teacher
from kithe.report.text import NONE, count, counts, fraction, quantity, shorten, with_interval
from kithe.report.writers import Table

SCORES = ("precision", "recall", "f1")
JUDGED = ("qa_unsupported", "oracle_recall", "relevance", "sensibility", "precision_worst", "precision_best")
FIELDS = ("polarity_accuracy", "intensity_accuracy", "type_accuracy", "category_accuracy", "evidence_f1")
ANSWERS = (
    *("qa_recall", "accuracy", "accuracy_official", "accuracy_exact_and_stem", "chance", "constant", "atf", "rva"),
    *("personalisation", "personalisation.original", "personalisation.oracle", "delta.personalisation", "delta.completion"),
    *("win_rate", "profile_macro_f1"),
)
TEST_SET = "test set"
DONE = "done"
LABEL = 100
PROBLEM = 60
EXPLAINED = (
    "Scores: over all items of a test set's users, with 95 % intervals (cluster bootstrap over users; over several seeds also"
    " their spread). n: test users; facts: their gold facts. Parse rate: answers that could be read. Unscored: inferred items"
    " without a verdict. Dropped facts: left out of the training corpus. Overlap: turns (by 13 words in a row), users,"
    " personas, dialogues or facts of the test set that stand in the training data. s/history: seconds of computing a test"
    " history; peak MB: highest memory of any stage. –: none, or undefined. Counts are means over seeds."
)
OF_FIELDS = (
    "Accuracy of a field and F1 of the evidence turns: over the right items of which both sides name it; what was not asked"
    " for has no column."
)
SCRIPTED = "(scripted): written by a program, not by people or a language model."
JUDGES = {
    "gold": "an inferred item is right if it is matched, one to one, to a gold fact: sentence similarity above a threshold and no"
    " conflict in sign, number, time or person"
}


@dataclass(frozen=True)
class Column:
    """A column: its name, its text in a row, and whether it is aligned right."""

    name: str
    text: Callable[[Row], str]
    right: bool = True


def results_table(results: Sequence[Result]) -> Table:
    """The table of all cells, from the contents of their result.json files alone."""
    listed = rows(results)
    judged = [score(name) for name in JUDGED if any(name in row.metrics for row in listed)]
    columns = [*setting(listed), *SIZES, *answered(listed), *map(score, SCORES), *described(listed), *MEASURES, *judged]
    return layout(columns, listed, " ".join([legend(results), *([OF_FIELDS] if described(listed) else [])]))


def short_table(results: Sequence[Result]) -> Table:
    """What matters at the end of a run: scores with intervals, n, seconds per history; what all rows share is in the legend."""
    listed = rows(results)
    columns = [column for column in setting(listed) if column.name != TEST_SET]
    own = [column for column in columns if len({column.text(row) for row in listed}) > 1]
    common = "; ".join(f"{column.name}: {column.text(listed[0])}" for column in columns if column not in own and listed)
    cell = [Column("cell", lambda row: label(row, own), right=False)] if own else []
    text = ". ".join(
        filter(
            None,
            [common, "Brackets: 95 % intervals; n: test users; facts: their gold facts; parse rate: answers that could be read"],
        )
    )
    fields = [column for column in described(listed) if column.name.endswith("accuracy")]
    return layout([*cell, TESTED, *N, *answered(listed), *map(score, SCORES), *fields, PARSED, SECONDS], listed, text)


def label(row: Row, columns: Sequence[Column]) -> str:
    """What sets a row apart, in few words; that it is done goes without saying."""
    return shorten(", ".join(text for column in columns if (text := column.text(row)) not in (NONE, DONE)), LABEL)


def layout(columns: Sequence[Column], listed: Sequence[Row], text: str) -> Table:
    """Columns filled with rows."""
    body = tuple(tuple(column.text(row) for column in columns) for row in listed)
    return Table(tuple(column.name for column in columns), tuple(column.right for column in columns), body, text)


def setting(listed: Sequence[Row]) -> list[Column]:
    """The columns that say what a row is: always data, adapt and model; what else differs between rows; what went wrong."""
    wanted = [Column("data", lambda row: row.data or NONE, right=False), *(choice(group) for group in FIRST[1:])]
    wanted += [choice(group) for group in varying(listed)]
    wanted += [Column("variant", lambda row: row.variant or NONE, right=False)] if any(row.variant for row in listed) else []
    wanted += [TESTED]
    wanted += [Column("state", state, right=False)] if any(row.problem for row in listed) else []
    return wanted


def varying(listed: Sequence[Row]) -> list[str]:
    """The other groups whose options differ between rows with numbers; the teacher stands in the name of its data."""
    others = sorted({group for row in listed for group in row.choices} - {*FIRST, "teacher"})
    return [group for group in others if len({row.choices.get(group) for row in listed if not row.problem}) > 1]


def choice(group: str) -> Column:
    """The column of a config group."""
    return Column(group, lambda row: row.choices.get(group) or NONE, right=False)


def state(row: Row) -> str:
    """`done`, or what happened and to which run."""
    return f"{shorten(row.problem, PROBLEM)} ({', '.join(row.runs)})" if row.problem else DONE


def score(name: str) -> Column:
    """The column of a metric with its interval."""
    return Column(name, lambda row: with_interval(row.metrics.get(name)))


def answered(listed: Sequence[Row]) -> list[Column]:
    """The columns of tasks that answer rather than extract, chance and the best constant answer among them; none elsewhere."""
    return [score(name) for name in ANSWERS if any(name in row.metrics for row in listed)]


def described(listed: Sequence[Row]) -> list[Column]:
    """The columns of what right items say beside their statement, as far as some task asked for it."""
    known = (score(name) for name in FIELDS if any(name in row.metrics for row in listed))
    return [replace(column, name=column.name.replace("_", " ")) for column in known]


def size(row: Row, name: str) -> int | None:
    """What a metric is a share of."""
    found = row.metrics.get(name)
    return found.n if found else None


def users(row: Row) -> int | None:
    """The number of test users: what is resampled for every interval of the row."""
    return next((number for name in OF_USERS if (number := size(row, name)) is not None), None)


def facts(row: Row) -> int | None:
    """The number of gold facts of the test users: what recall is a share of."""
    return size(row, "recall")


def seeds(row: Row) -> str:
    """How many seeds a row is the mean of; none where nothing is drawn."""
    return str(len(row.seeds)) if row.seeds else NONE


def train_facts(row: Row) -> str:
    """Training facts, and how many fewer than asked for: an arm that has fewer than another is not matched with it."""
    short = f" ({count(row.missing_facts)} fewer than asked for)" if row.missing_facts else ""
    return f"{count(row.train_facts)}{short}"


def dropped_facts(row: Row) -> dict[str, float]:
    """Facts left out of the training corpus by reason; histories that were passed over stand in the CSV file only."""
    found = {reason.removeprefix("facts "): value for reason, value in row.dropped.items() if not reason.startswith("histories")}
    return {reason: value for reason, value in found.items() if value}


def parse_rate(row: Row) -> str:
    """The share of answers that could be read."""
    found = row.metrics.get("parse_rate")
    return fraction(found.value if found else None)


TESTED = Column(TEST_SET, lambda row: row.test_set or NONE, right=False)
N = (Column("n", lambda row: count(users(row))), Column("facts", lambda row: count(facts(row))))
PARSED = Column("parse rate", parse_rate)
SECONDS = Column("s/history", lambda row: quantity(row.seconds_per_history))
SIZES = (Column("seeds", seeds), *N)
MEASURES = (
    PARSED,
    Column("unscored", lambda row: count(row.unscored)),
    Column("train facts", train_facts),
    Column("dropped facts", lambda row: counts(dropped_facts(row))),
    Column("overlap", lambda row: counts({kind: value for kind, value in row.overlap.items() if value})),
    SECONDS,
    Column("peak MB", lambda row: quantity(row.peak_memory_mb)),
)


def legend(results: Iterable[Result]) -> str:
    """One line: task, judge and matcher, what the numbers are, what is scripted."""
    done = [result for result in results if finished(result)]
    tasks = sorted({str(result["cell"].get("task")) for result in done})
    judges = sorted({judge_name(result) for result in done})
    scripted = any(teacher(result) == "scripted" for result in done)
    who = [f"Task: {', '.join(tasks)}.", f"Judge: {' | '.join(judges)}."] if done else []
    return " ".join([*who, EXPLAINED, *([SCRIPTED] if scripted else [])])


def judge_name(result: Result) -> str:
    """The judge with its settings, the matcher among them."""
    name = str(result["cell"].get("judge"))
    node = (result.get("config") or {}).get("judge") or {}
    settled = (result.get("provenance") or {}).get("judge") or {}
    settings = [
        f"{key}={settled[key] if value is None else value}"
        for key, value in leaves(node)
        if key and "_target_" not in key and (value is not None or key in settled)
    ]
    return "; ".join(filter(None, [name, JUDGES.get(name), ", ".join(settings)]))


def records(listed: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Rows for a CSV file, in full precision and with every metric."""
    ordered = list(listed)
    groups = [*FIRST, *sorted({group for row in ordered for group in row.choices} - set(FIRST))]
    names = [*SCORES, *sorted({name for row in ordered for name in row.metrics} - set(SCORES))]
    for row in ordered:
        yield {
            "runs": " ".join(row.runs),
            "state": row.problem or DONE,
            "data_name": row.data,
            # `recall` is a group and a metric.
            **{f"{group}_option" if group in names else group: row.choices.get(group) for group in groups},
            "variant": row.variant,
            "seeds": " ".join(map(str, row.seeds)),
            "test_set": row.test_set,
            "n": users(row),
            "gold_facts": facts(row),
            **{key: value for name in names for key, value in numbers(row, name).items()},
            "unscored": row.unscored,
            "train_facts": row.train_facts,
            "dropped_facts": sum(dropped_facts(row).values()) if row.train_facts is not None else None,
            "overlap": json.dumps(row.overlap, sort_keys=True) if row.overlap else None,
            "dropped_reasons": json.dumps(row.dropped, sort_keys=True) if row.dropped else None,
            "seconds_per_history": row.seconds_per_history,
            "peak_memory_mb": row.peak_memory_mb,
        }


def numbers(row: Row, name: str) -> Mapping[str, float | None]:
    """A metric's value and the ends of its interval."""
    if (found := row.metrics.get(name)) is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
