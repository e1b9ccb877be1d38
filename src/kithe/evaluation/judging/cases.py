"""Forty small cases with the verdicts the rubric gives them (`cases.yaml`): a test set for every judge."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from kithe.evaluation.agreement import agreement
from kithe.evaluation.judging.items import ItemJudge
from kithe.evaluation.judging.verdicts import Question, Scored
from kithe.evaluation.scores import Metric
from kithe.records.base import Record
from kithe.records.history import History, KnowledgeItem, Turn

USER = "U"
_TURN = re.compile(r"([UAG]): (.+)")
_SESSION = re.compile(r"-- session (\d+) --")


class Case(Record):
    """One case: what was said, a statement about the user, and what the rubric says of it.

    `strict` is the relevance where strength of feeling counts too (None: the same); a case with `duplicate_of` repeats a
    statement that another case makes about the same user, and is not judged again; in one that is `ordered` a later session
    takes an earlier one back.
    """

    n: int
    statement: str
    relevance: bool
    sensibility: bool
    turns: tuple[str, ...]
    strict: bool | None = None
    duplicate_of: int | None = None
    ordered: bool = False

    @property
    def correct(self) -> bool:
        """Relevant and sensible."""
        return self.relevance and self.sensibility

    @property
    def question(self) -> Question:
        """The case as a question to a judge."""
        name = f"case-{self.duplicate_of or self.n}"
        history = History(id=name, source="cases", user=USER, turns=_turns(self.turns))
        return Question(f"case-{self.n}", history, KnowledgeItem(statement=self.statement))


@cache
def cases() -> tuple[Case, ...]:
    """All cases in order."""
    rows = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
    return tuple(Case.model_validate(row) for row in rows)


def examine(judge: ItemJudge, chosen: Sequence[Case] | None = None) -> tuple[dict[str, dict[str, Metric]], list[Case]]:
    """How well a judge does on the cases: agreement per criterion and on `correct`, and the cases it does not get right.

    Duplicates are not asked. A criterion on which nothing was scored has no figures.
    """
    asked = [case for case in (cases() if chosen is None else chosen) if case.duplicate_of is None]
    said = judge.verdicts([case.question for case in asked])
    pairs = [(case, verdict) for case, verdict in zip(asked, said, strict=True) if isinstance(verdict, Scored)]
    right = {case.n for case, verdict in pairs if (case.relevance, case.sensibility) == (verdict.relevance, verdict.sensibility)}
    figures = {
        name: agreement([getattr(case, name) for case, _ in pairs], [getattr(verdict, name) for _, verdict in pairs])
        for name in ("relevance", "sensibility", "correct")
        if pairs
    }
    return figures, [case for case in asked if case.n not in right]


def _turns(lines: Sequence[str]) -> tuple[Turn, ...]:
    session, turns = 1, []
    for line in lines:
        if mark := _SESSION.fullmatch(line):
            session = int(mark[1])
        elif said := _TURN.fullmatch(line):
            turns.append(Turn(speaker=said[1], text=said[2], session=session))
        else:
            raise ValueError(f"cases.yaml: '{line}' is neither 'U: ...', 'A: ...', 'G: ...' nor '-- session <n> --'")
    return tuple(turns)
