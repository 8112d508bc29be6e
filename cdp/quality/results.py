"""monitoring.mon_check_results: each check of each run, and of each `cdp check`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cdp.lake import Log
from cdp.publish.patience import patiently
from cdp.quality.checks import Check
from cdp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = "monitoring.mon_check_results"


def read(run_id: str, settings: Settings) -> "list[Check]":
    """The checks of a run that are kept; what shows the rows of each is not among it."""
    rows = patiently(lambda: _log(settings).read(run_id=run_id))
    return [
        Check(
            row["table_name"],
            row["column_name"] or "",
            row["check_name"],
            row["check_kind"],
            row["outcome"],
            row["measured"],
            row["detail"] or "",
        )
        for row in rows
    ]


def _log(settings: Settings) -> Log:
    import pyarrow as pa

    schema = pa.schema(
        [
            ("run_id", pa.string()),
            ("checked_at", pa.timestamp("us", "UTC")),
            ("table_name", pa.string()),
            ("column_name", pa.string()),
            ("check_name", pa.string()),
            ("check_kind", pa.string()),
            ("outcome", pa.string()),
            ("measured", pa.float64()),
            ("detail", pa.string()),
        ]
    )
    return Log(TABLE, schema, settings)


def keep(run_id: str, checks: "Sequence[Check]", settings: Settings) -> None:
    """Add checks. run_id: empty for a check of what is published."""
    moment = datetime.now(UTC)
    rows = [
        {
            "run_id": run_id or None,
            "checked_at": moment,
            "table_name": c.table,
            "column_name": c.column or None,
            "check_name": c.name,
            "check_kind": c.kind,
            "outcome": c.outcome,
            "measured": c.measured,
            "detail": c.detail or None,
        }
        for c in checks
    ]
    patiently(lambda: _log(settings).append(rows))
