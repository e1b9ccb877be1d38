"""The texts of `prompts.yaml`."""

from functools import cache
from importlib.resources import files

import yaml

from kithe.records.base import Record


class Texts(Record):
    """What models are shown; see the head of the file."""

    version: int
    task: str
    hidden: str
    session: str
    query: str
    reasoning: str
    reasoning_evidence: str
    whole: str
    append: str
    dimensions: str
    teacher: str
    profile_judge: str
    pair_judge: str
    personalisation: str
    completion: str
    intent: str


@cache
def texts() -> Texts:
    """The texts of the package."""
    return Texts.model_validate(yaml.safe_load((files("kithe.ppopt") / "prompts.yaml").read_text("utf-8")))
