"""monitoring.mon_alerts: which causes are open, since when, and who was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cdp.alerts.alert import Alert, Cause
from cdp.lake import Log
from cdp.publish.patience import patiently
from cdp.settings import Settings

TABLE = "monitoring.mon_alerts"


@dataclass(frozen=True)
class Open:
    """A cause that was told and is not resolved: since when it is there, and when it was told."""

    since: datetime
    told: datetime
    severity: str


class Memory:
    """The table, through PyIceberg."""

    def __init__(self, settings: Settings) -> None:
        import pyarrow as pa

        schema = pa.schema(
            [
                ("cause", pa.string()),
                ("severity", pa.string()),
                ("told_at", pa.timestamp("us", "UTC")),
                ("since", pa.timestamp("us", "UTC")),
                ("run_id", pa.string()),
                ("owner", pa.string()),
                ("title", pa.string()),
                ("rows", pa.float64()),
                ("query", pa.string()),
            ]
        )
        self._log = patiently(lambda: Log(TABLE, schema, settings))
        self._repeat = timedelta(hours=settings.alert_repeat_hours)

    def open(self) -> dict[str, Open]:
        """By cause."""
        return still_open(patiently(self._log.read))

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Keep the alerts that are sent."""
        moment = datetime.now(UTC)
        rows: list[dict[str, Any]] = [
            {
                "cause": a.cause.name,
                "severity": a.cause.severity,
                "told_at": moment,
                "since": a.since,
                "run_id": a.run_id or None,
                "owner": a.owner or None,
                "title": a.title,
                "rows": a.cause.rows,
                "query": a.cause.query or None,
            }
            for a in alerts
        ]
        patiently(lambda: self._log.append(rows))

    def is_news(self, cause: Cause, known: Open | None, moment: datetime) -> bool:
        """Whether an alert is sent: what is new, has become worse, or was sent long ago."""
        if known is None or (known.severity, cause.severity) == ("warned", "failed"):
            return True
        return moment - known.told >= self._repeat


def still_open(rows: Sequence[dict[str, Any]]) -> dict[str, Open]:
    """The causes whose last word is not that they are resolved."""
    found: dict[str, Open] = {}
    for row in sorted(rows, key=lambda r: r["told_at"]):
        if row["severity"] == "resolved":
            found.pop(row["cause"], None)
        else:
            found[row["cause"]] = Open(row["since"], row["told_at"], row["severity"])
    return found
