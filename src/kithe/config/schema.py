"""The plain values of a config; what the groups hold is checked against the signatures of what they name."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

GROUPS = ("task", "data", "adapt", "model", "teacher", "judge", "recall", "runtime", "logger")

Plain = dict[str, Any]


class Paths(BaseModel):
    """Where things lie."""

    model_config = ConfigDict(extra="forbid", strict=True)
    store: str = Field(min_length=1)


class Corpus(BaseModel):
    """What is the same for the training corpora of all arms of a comparison."""

    model_config = ConfigDict(extra="forbid", strict=True)
    facts: int | None = Field(ge=1)
    expressed: float = Field(ge=0, le=1)
    validation: int = Field(ge=0)
    quality: Plain | None


class Sweep(BaseModel):
    """How a sweep runs and reports."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str | None
    fail_fast: bool
    also: list[str]
    tables: list[Literal["table1", "table2"]]


class Schema(BaseModel):
    """The plain values of the config; the groups are checked against the signatures of what they name."""

    model_config = ConfigDict(extra="forbid", strict=True)
    task: Plain
    data: Plain
    adapt: Plain
    model: Plain
    teacher: Plain
    judge: Plain
    recall: Plain | None = None
    runtime: Plain
    logger: Plain
    corpus: Corpus
    paths: Paths
    sweep: Sweep
    seed: int = Field(ge=0)
    precision: Literal["fp32", "bf16"]
    checkpoint_every: int = Field(ge=1)
    progress: bool
    plan: bool
    source: str | None = Field(alias="from")
