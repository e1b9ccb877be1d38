"""A section that a report gets beside those that every report has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kithe.report.writers import Table


@dataclass(frozen=True)
class Part:
    """What a further section shows.

    Attributes:
        heading: of the section, and its key in report.json.
        words: how to read it.
        tables: in both reports.
        images: plots with captions, as HTML.
        figures: what stands in report.json.
    """

    heading: str
    words: str
    tables: Sequence[Table]
    images: Sequence[str]
    figures: Mapping[str, Any]
