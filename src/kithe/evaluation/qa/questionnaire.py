"""The questions of QA recall, in a file that may be edited (spec 2.10)."""

from functools import cache
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import Field, ValidationError

from kithe.errors import ConfigError, unknown
from kithe.personas.ontology import ontology
from kithe.personas.traits import book
from kithe.records.base import Record
from kithe.records.history import KnowledgeItem

STANDARD: Final = Path(__file__).with_name("questionnaire.yaml")


class Enquiry(Record):
    """One question about a user.

    `keys` are the attributes that answer it. To one with `likes` a dislike is no answer; one with `dislikes` is answered by
    everything the user rejects, whatever its key.
    """

    id: str = Field(min_length=1)
    question: str = Field(min_length=1)
    form: Literal["list", "phrase"]
    keys: tuple[str, ...]
    likes: bool = False
    dislikes: bool = False

    def answered_by(self, item: KnowledgeItem, key: str | None, negative: bool) -> bool:
        """Whether an item with this key and sign answers the question."""
        if negative and (self.dislikes or self.likes):
            return self.dislikes
        return key in self.keys


def questionnaire(path: Path | None = None) -> tuple[Enquiry, ...]:
    """The questions of a file, or the 24 standard ones.

    Raises:
        ConfigError: the file is missing or no list of questions, an id stands twice, or a key is none of the known ones.
    """
    return _read(path or STANDARD)


@cache
def _read(path: Path) -> tuple[Enquiry, ...]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        enquiries = tuple(Enquiry.model_validate(row) for row in rows)
    except OSError as error:
        raise ConfigError(f"questionnaire {path}: cannot be read ({error.strerror}); name a YAML file of questions") from error
    except (ValidationError, TypeError, yaml.YAMLError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "no YAML list of questions"}
        place = ".".join(map(str, first["loc"]))
        fields = ", ".join(Enquiry.model_fields)
        raise ConfigError(f"questionnaire {path.name}: {place}: {first['msg']}; a question has {fields}") from error
    ids = [enquiry.id for enquiry in enquiries]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ConfigError(f"questionnaire {path.name}: the id {twice[0]} stands there twice; give every question its own")
    known = keys()
    for enquiry in enquiries:
        for key in enquiry.keys:
            if key not in known:
                raise unknown(f"attribute key in question {enquiry.id} of {path.name}", key, known)
    return enquiries


@cache
def keys() -> frozenset[str]:
    """The attribute keys of the ontology, and those of the scripted traits beyond it."""
    return frozenset({*ontology().keys} | {trait.key for trait in book().traits.values()})
