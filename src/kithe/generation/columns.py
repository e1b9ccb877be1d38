"""Records as published rows: the same row as a JSON line and in Parquet, with a column for every field.

A mapping has no fixed columns, so its entries become a list of `{key, value}`.
"""

import json
import types
import typing
from collections.abc import Callable
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

    return pyarrow.schema([(name, column(field.annotation)) for name, field in record.model_fields.items()])


def column(annotation: Any) -> "pyarrow.DataType":
    """The Arrow type of an annotation: texts, numbers, records, sequences and mappings of those, and None beside any.

    Raises:
        TypeError: there is none.
    """
    import pyarrow

    plain = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    origin, parts = typing.get_origin(annotation), _parts(annotation)
    if annotation in plain:
        return plain[annotation]
    if origin is Literal:
        return plain[type(parts[0])]
    if _optional(annotation):
        return column(parts[0])
    if origin in (tuple, list):
        return pyarrow.list_(column(parts[0]))
    if origin is dict:
        return pyarrow.list_(pyarrow.struct([("key", column(parts[0])), ("value", column(parts[1]))]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pyarrow.struct(list(schema(annotation)))
    raise TypeError(f"no column type for {annotation!r}")


Convert = Callable[[Any], Any]


def converter(annotation: Any) -> Convert | None:
    """What turns the JSON value of an annotation into one that fits its column; None where it fits as it is."""
    origin, parts = typing.get_origin(annotation), _parts(annotation)
    inner = converter(parts[-1]) if _optional(annotation) or origin is dict else None
    if origin is dict:
        within = inner or _same
        return lambda value: [{"key": key, "value": within(part)} for key, part in value.items()]
    if _optional(annotation):
        return inner and (lambda value: None if value is None else inner(value))
    if origin in (tuple, list):
        each = converter(parts[0])
        return each and (lambda value: [each(part) for part in value])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {name: change for name, field in annotation.model_fields.items() if (change := converter(field.annotation))}
        return (lambda value: {**value, **{name: change(value[name]) for name, change in fields.items()}}) if fields else None
    return None


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
        self._convert = converter(record) or _same
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
        row = self._convert(record.model_dump(mode="json"))
        self.rows += 1
        if self._lines:
            self._lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        if self.parquet:
            self._group.append(row)
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


def _same(value: Any) -> Any:
    return value


def _parts(annotation: Any) -> tuple[Any, ...]:
    """What a type is made of, without None."""
    return tuple(part for part in typing.get_args(annotation) if part is not types.NoneType)


def _optional(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (types.UnionType, typing.Union)
