"""What has been loaded, by source: monitoring.mon_landed_batches, as models see it."""

from cdp.lake import open_catalog
from cdp.plan.state import Batches
from cdp.publish.patience import patiently
from cdp.settings import Settings

TABLE = "monitoring.mon_landed_batches"
COLUMNS = ("source_name", "batch", "raw_table", "landed_at", "landed")


def read(settings: Settings) -> dict[str, Batches]:
    """The last batch of each source, and when the last one that has rows was landed."""
    rows = patiently(
        lambda: (
            open_catalog(settings)
            .load_table(TABLE)
            .scan(selected_fields=COLUMNS)
            .to_arrow()
            .sort_by("batch")
            .to_pylist()
        )
    )
    found: dict[str, Batches] = {}
    for row in rows:
        name, before = row["source_name"], found.get(row["source_name"])
        landed_at = before.landed_at if before else ""
        if row["landed"]:
            landed_at = max(landed_at, row["landed_at"].isoformat())
        found[name] = Batches(row["raw_table"], row["batch"], landed_at)
    return found
