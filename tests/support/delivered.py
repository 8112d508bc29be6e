"""Deliveries of a source of a test's own: what it is, and what reading one comes to."""

from pathlib import Path
from typing import Any

from cdp.landing import delivery
from cdp.landing.batch import Reject
from cdp.landing.source import Source

Rows = list[dict[str, Any]]


def described(*columns: dict[str, Any], **more: Any) -> Source:  # noqa: ANN401 - as YAML has it
    """A source of bills with a required `id` and these columns; most of its rows may be bad."""
    return Source.model_validate(
        {
            "source": "erp",
            "table": "bills",
            "description": "Bills.",
            "owner": "someone",
            "format": "csv",
            "key": ["id"],
            "ordering": "id",
            "quarantine": {"max_share": 0.9},
            "columns": [{"name": "id", "type": "string", "required": True}, *columns],
        }
        | more
    )


def read(path: Path, source: Source) -> tuple[Rows, list[Reject]]:
    """The rows of a file, and its rejects."""
    rejects: list[Reject] = []
    rows = [row for t in delivery.tables(path, source, rejects) for row in t.to_pylist()]
    return rows, rejects
