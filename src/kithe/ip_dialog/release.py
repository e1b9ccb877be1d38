"""The authors' released files, read as they are (spec 5.10): gold items, and a folder of predictions per pathway."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kithe.errors import ConfigError, unknown
from kithe.ip_dialog.schema import tasks
from kithe.records.base import open_text
from kithe.records.question import Question

PATHWAYS: Final = {
    "basic": "DirectResponse",
    "cot1": "AttributeFilter",
    "cot2": "TypeGuided",
    "cot3": "FullAttributes",
    "cot4": "TaskRelated",
}
_FOLDER: Final = re.compile(r"(?:^|_)(basic|cot[1-4])(?:_|$)")


class Truth(BaseModel):
    """The gold fields of a row."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    related_attributes: dict[str, str]
    analysis: str
    answer: str | list[str]


class GoldRow(BaseModel):
    """A row of the gold file."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    index: int | str
    task: str
    truth: Truth = Field(alias="GT")


class PredictionRow(BaseModel):
    """A row of a predictions file; those of local models have neither index nor task."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    predict: str
    index: int | str | None = None
    task: str | None = None


def gold(path: Path) -> list[tuple[str, Question]]:
    """The gold items with their index, in the order of the file.

    Raises:
        ConfigError: the file is missing or a row is not a gold item.
    """
    made = []
    for number, value in _rows(path):
        try:
            row = GoldRow.model_validate(value)
        except ValidationError as error:
            raise _wrong(path, number, error) from None
        if row.task not in tasks():
            raise unknown(f"task in line {number} of {path}", row.task, tasks())
        made.append((str(row.index), _question(row)))
    if not made:
        raise ConfigError(f"{path} holds no gold items")
    return made


def _question(row: GoldRow) -> Question:
    said, form = row.truth.answer, tasks()[row.task].form
    answer = tuple(said) if isinstance(said, list) else (said,)
    if form == "yes_no":
        answer = (answer[0].strip().lower(),)
    elif form == "text" and isinstance(said, list):
        answer = (str(said),)  # printed as Python prints lists
    truth = row.truth
    return Question(task=row.task, form=form, related=truth.related_attributes, analysis=truth.analysis, answer=answer)


def predictions(path: Path, items: list[tuple[str, Question]]) -> list[str]:
    """The raw texts of one model, one per gold item.

    Raises:
        ConfigError: they are not about these items.
    """
    texts: list[str] = []
    for number, value in _rows(path):
        try:
            row = PredictionRow.model_validate(value)
        except ValidationError as error:
            raise _wrong(path, number, error) from None
        if len(texts) < len(items):
            index, question = items[len(texts)]
            for name, found, wanted in (("index", row.index, index), ("task", row.task, question.task)):
                if found is not None and str(found) != wanted:
                    raise ConfigError(f"{path}, line {number}: {name} is {found}, but row {number} of the gold file has {wanted}")
        texts.append(row.predict)
    if len(texts) != len(items):
        raise ConfigError(f"{path} holds {len(texts)} rows, the gold file {len(items)}; row i belongs to row i")
    return texts


def pathway_folders(folder: Path) -> dict[Path, str]:
    """The folders of a release with the pathway of each, by name: basic, cot1, … cot4.

    Raises:
        ConfigError: there is none.
    """
    if not folder.is_dir():
        raise ConfigError(f"no such folder: {folder}")
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    found = {path: match[1] for path in (inside or [folder]) if (match := _FOLDER.search(path.name))}
    if not found and (match := _FOLDER.search(folder.resolve().name)):
        found = {folder: match[1]}
    if not found:
        raise ConfigError(f"{folder} holds no folder named like alpaca_hq_basic_1000; pathways: {', '.join(PATHWAYS)}")
    return found


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    if not path.is_file():
        raise ConfigError(f"no such file: {path}")
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except ValueError:
                    raise ConfigError(f"{path}, line {number}: not a JSON object") from None


def _wrong(path: Path, number: int, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    return ConfigError(f"{path}, line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
