"""The record form in which the real sets lie on disk, and how a row of it becomes a history.

One row per (dialogue or history, user whose facts are gold): `{id, source, turns: [{speaker, text, session?}], user,
gold: [{value, category?, polarity?, intensity?, evidence_turn?, …}], licence, twin?, …}`. Fields not named here (a profile, the
persona a speaker was given) are not read: they must never reach a model.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kithe.corpora.laps import statement
from kithe.corpora.words import tidy
from kithe.errors import ConfigError
from kithe.records.base import open_text
from kithe.records.history import Evidence, History, Intensity, KnowledgeItem, Polarity, Turn


class Gold(BaseModel):
    """A fact about the user. `expressed` is people's judgement of whether the dialogue shows it (None: nobody judged)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str
    category: str | None = None
    polarity: Polarity | None = None
    intensity: Intensity | None = None
    expressed: bool | None = None
    situational: bool = False
    evidence_turn: int | None = None
    evidence_turns: tuple[int, ...] = ()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The turns that show it, as far as the set says."""
        first = () if self.evidence_turn is None else (self.evidence_turn,)
        return tuple(Evidence(turn=turn) for turn in self.evidence_turns or first)


class Said(BaseModel):
    """One utterance; sessions count from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    speaker: str
    text: str
    session: int = 1


class Row(BaseModel):
    """One user's dialogue or history with the facts that are gold."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    source: str
    user: str
    turns: tuple[Said, ...]
    gold: tuple[Gold, ...]
    licence: str = ""
    twin: str | None = None

    @functools.cached_property
    def spoken(self) -> frozenset[str]:
        """The words of the dialogue as they were written."""
        return frozenset(word for turn in self.turns for word in re.findall(r"[\w'-]+", turn.text))


@dataclass(frozen=True)
class Wanted:
    """Which facts of a set are gold.

    Attributes:
        situational: keep facts of the moment (what is in the fridge today, who watches along), which only LAPS marks.
        unexpressed: keep facts of which people said that the dialogue does not show them.
    """

    situational: bool = True
    unexpressed: bool = False

    def refusal(self, gold: Gold) -> str | None:
        """Why a fact is left out, None if it stays."""
        if gold.expressed is False and not self.unexpressed:
            return "facts not expressed (human flag)"
        return "situational facts" if gold.situational and not self.situational else None


def read(path: Path) -> Iterator[Row]:
    """The rows of a `.jsonl` or `.jsonl.gz` file.

    Raises:
        ConfigError: a line is no row.
    """
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield Row.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                raise ConfigError(f"{path}: line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def histories(
    rows: Iterable[Row], say: Callable[[Row, Gold], KnowledgeItem], wanted: Wanted, lost: Counter[str]
) -> Iterator[History]:
    """Rows as histories; facts that are left out are counted in `lost` by reason."""
    for row in rows:
        refused = [wanted.refusal(gold) for gold in row.gold]
        lost.update(reason for reason in refused if reason)
        items = tuple(say(row, gold) for gold, reason in zip(row.gold, refused, strict=True) if reason is None)
        turns = tuple(Turn(speaker=said.speaker, text=tidy(said.text), session=said.session) for said in row.turns)
        yield History(id=row.id, source=row.source, user=row.user, turns=turns, items=items, licence=row.licence, twin=row.twin)


def sentence(row: Row, gold: Gold) -> KnowledgeItem:
    """A fact that already is a first-person sentence (MSC, PersonaChat and its synthetic twin)."""
    del row
    return KnowledgeItem(statement=tidy(gold.value), polarity=gold.polarity, intensity=gold.intensity, evidence=gold.evidence)


def preference(row: Row, gold: Gold) -> KnowledgeItem:
    """A LAPS value as a first-person sentence, in the ontology's categories."""
    said = statement(gold.value, gold.category or "", gold.polarity, row.spoken)
    return KnowledgeItem(
        statement=tidy(said.text), category=said.category, value=tidy(gold.value), polarity=gold.polarity, evidence=gold.evidence
    )


def need(row: Row, gold: Gold) -> KnowledgeItem:
    """What a camper of CaSiNo needs, and how much; good for scoring intensity only (three items, fixed wording)."""
    del row
    return KnowledgeItem(
        statement=f"I need {gold.value}.",
        value=gold.value,
        polarity=gold.polarity,
        intensity=gold.intensity,
        evidence=gold.evidence,
    )
