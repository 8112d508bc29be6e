"""Reads a Parquet file as records of text."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cdp.errors import CdpError
from cdp.landing.records import Records
from cdp.landing.source import one_line


def read(path: Path) -> Iterator[Records]:
    """The rows of a file, a bounded number at a time, numbered from 1.

    Raises CdpError for a file with nested columns.
    """
    # Spark's own timestamps are INT96, of which nanoseconds hold the years 1677 to 2262 alone.
    file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
    nested = [f.name for f in file.schema_arrow if pa.types.is_nested(f.type)]
    if nested:
        raise CdpError(
            f"{path} holds nested columns: {one_line(', '.join(nested))}",
            "flatten them before delivery",
        )
    first = 1
    for batch in file.iter_batches():
        texts = [_in_utc(column).cast(pa.string()) for column in batch.columns]
        for text in texts:
            text.validate(full=True)  # a file may call bytes text
        numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
        first += batch.num_rows
        yield Records(
            batch.schema.names,
            texts,
            numbers,
            written=[_is_text(f.type) for f in batch.schema],
            floating=[pa.types.is_floating(f.type) for f in batch.schema],
        )


def _in_utc(column: pa.Array) -> pa.Array:
    """The column, if it has moments of a zone those of UTC: text has no seconds of an offset, as
    zones had long ago."""
    if pa.types.is_timestamp(column.type) and column.type.tz:
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )
