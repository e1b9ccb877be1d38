"""Records as published rows: the same row as a JSON line and in Parquet, with a column for every field.

A field that is a mapping has no fixed columns; it says how a record was drawn and is not published.
"""

import json
import types
import typing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import BaseModel

from kithe.records.base import Record

if TYPE_CHECKING:
    import pyarrow

ROWS: Final = 50_000  # in a Parquet file
GROUP: Final = 1000  # rows written to it at once


def schema(record: type[BaseModel]) -> "pyarrow.Schema":
    """The columns of a record."""
    import pyarrow

    kept = {name: field.annotation for name, field in record.model_fields.items() if not _mapping(field.annotation)}
    return pyarrow.schema([(name, column(annotation)) for name, annotation in kept.items()])


def column(annotation: Any) -> "pyarrow.DataType":
    """The Arrow type of an annotation: texts, numbers, records, sequences of those, and None beside any.

    Raises:
        TypeError: there is none.
    """
    import pyarrow

    plain = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in plain:
        return plain[annotation]
    if origin is Literal:
        return plain[type(parts[0])]
    if origin in (types.UnionType, typing.Union):
        (kept,) = [part for part in parts if part is not types.NoneType]
        return column(kept)
    if origin in (tuple, list):
        return pyarrow.list_(column(parts[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pyarrow.struct(list(schema(annotation)))
    raise TypeError(f"no column type for {annotation!r}")


def unpublished(record: type[BaseModel]) -> dict[str, Any]:
    """The fields without a column, as pydantic's `exclude` wants them."""
    found: dict[str, Any] = {}
    for name, field in record.model_fields.items():
        inner = [part for part in typing.get_args(field.annotation) or (field.annotation,) if _is_record(part)]
        if _mapping(field.annotation):
            found[name] = True
        elif inner and (below := unpublished(inner[0])):
            found[name] = {"__all__": below} if typing.get_origin(field.annotation) in (tuple, list) else below
    return found


class Table:
    """One split of one kind of record, written as it comes; use as a context manager.

    Attributes:
        jsonl: the JSON-lines file; None for none.
        parquet: the beginning of the Parquet files' names (`<beginning>-00000.parquet`, compressed by zstd); None for none.
        files: what was written; an empty table has one file of each kind too.
    """

    def __init__(self, record: type[Record], jsonl: Path | None, parquet: Path | None) -> None:
        self.jsonl, self.parquet, self.files = jsonl, parquet, list[Path]()
        self.rows = 0
        self._exclude = unpublished(record)
        self._columns = schema(record) if parquet else None
        self._group: list[Any] = []
        self._writer: Any = None

    def __enter__(self) -> Self:
        for path in (self.jsonl, self.parquet):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
        self._lines = open(self.jsonl, "w", encoding="utf-8") if self.jsonl else None
        self.files += [self.jsonl] if self.jsonl else []
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lines:
            self._lines.close()
        if self.parquet and error is None and (self._group or not self.rows):
            self._flush()
        if self._writer:
            self._writer.close()

    def add(self, record: Record) -> None:
        """Write a row."""
        line = record.model_dump_json(exclude=self._exclude)
        self.rows += 1
        if self._lines:
            self._lines.write(f"{line}\n")
        if self.parquet:
            self._group.append(json.loads(line))
            if len(self._group) == GROUP:
                self._flush()

    def _flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if self._writer is None:
            path = Path(f"{self.parquet}-{(self.rows - len(self._group)) // ROWS:05d}.parquet")
            self._writer = pyarrow.parquet.ParquetWriter(path, self._columns, compression="zstd")
            self.files.append(path)
        self._writer.write_batch(pyarrow.RecordBatch.from_pylist(self._group, self._columns))
        self._group = []
        if self.rows and self.rows % ROWS == 0:
            self._writer.close()
            self._writer = None


def _mapping(annotation: Any) -> bool:
    return typing.get_origin(annotation) is dict


def _is_record(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)
