"""Counts the rows that a run has accepted, rejected and found in quarantine."""

from collections.abc import Mapping, Sequence

from cdp.catalog import Catalog
from cdp.lake import open_catalog
from cdp.plan import batches
from cdp.plan.state import Known
from cdp.publish.journal import Move
from cdp.publish.patience import patiently
from cdp.settings import Settings

# The tables of cleaned rows, and those of them that cannot be used.
CLEANED, REJECTED = "staging.base_", "__rejected"


def summary(changed: Sequence[Move], known: Known, settings: Settings) -> str:
    """Report these counts in one line; empty where the run has taken in no batch.

    changed: what it has published. known: the state from before it.
    Raises CdpError when the catalog or the store is away.
    """
    catalog = Catalog(settings)
    cleaned = [m for m in changed if m.table.startswith(CLEANED) and m.old != m.new]
    if not cleaned:
        return ""
    rejected = [m for m in changed if m.table.endswith(REJECTED)]
    taken_in, unfit = (sum(_added(catalog, m) for m in moves) for moves in (cleaned, rejected))
    before = _batches(known, {m.table for m in cleaned})
    quarantined = patiently(lambda: _quarantined(before, settings))
    counts = f"{taken_in - unfit:,} accepted, {unfit:,} rejected, {quarantined:,} quarantined"
    return f"rows of new batches: {counts}"


def _added(catalog: Catalog, move: Move) -> int:
    state = catalog.load(move.table)
    return max(0, state.rows(move.new) - state.rows(move.old)) if state else 0


def _batches(known: Known, tables: set[str]) -> dict[str, int]:
    """The last batch of each source that tables had taken in, -1 for none."""
    found: dict[str, int] = {}
    for node in known.graph.nodes:
        if node.table in tables:
            fact = known.facts.get(node.unique_id)
            taken = fact.batches if fact else {}
            for source, each in known.seen.batches.items():
                if each.table in node.raw:
                    found[source] = taken.get(source, -1)
    return found


def _quarantined(before: Mapping[str, int], settings: Settings) -> int:
    """The lines in quarantine of later batches than these."""
    from pyiceberg.expressions import GreaterThan

    later = GreaterThan("batch", min(before.values(), default=-1))  # type: ignore[misc,call-arg,arg-type]
    scan = open_catalog(settings).load_table(batches.TABLE).scan(later)
    rows = scan.select("source_name", "batch", "quarantined").to_arrow().to_pylist()
    return sum(
        row["quarantined"] or 0
        for row in rows
        if row["batch"] > before.get(row["source_name"], row["batch"])
    )
