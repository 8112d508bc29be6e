"""The shape of what lands: the Parquet schemas of the landing zone and of quarantine."""

from collections.abc import Sequence

import pyarrow as pa

from cdp.landing.source import Source

INSTANT = pa.timestamp("us", tz="UTC")

CAPTURED = [
    ("_op", pa.string()),
    ("_lsn", pa.int64()),
    ("_committed_at", INSTANT),
    ("_unchanged", pa.string()),
]
TRACED = [
    ("_extra", pa.string()),
    ("_source_file", pa.string()),
    ("_source_row", pa.int64()),
    ("_delivered_at", INSTANT),
    ("_landed_at", INSTANT),
]
QUARANTINE = pa.schema(
    [
        ("text", pa.string()),
        ("reason", pa.string()),
        ("_source_file", pa.string()),
        ("_source_row", pa.int64()),
        ("_landed_at", INSTANT),
    ]
)


def landing(source: Source, gained: Sequence[str] = ()) -> pa.Schema:
    """The source's columns as text, what a capture knows, and where each row came from.

    gained: columns that a captured table has and the source does not declare.
    """
    names = [c.name for c in source.columns] + list(gained)
    captured = CAPTURED if source.captured else []
    return pa.schema([*((n, pa.string()) for n in names), *captured, *TRACED])
