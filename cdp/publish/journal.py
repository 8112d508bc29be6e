"""monitoring.mon_publishes: what runs and publishes did, written before and after they do it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from cdp.lake import Log
from cdp.publish.patience import patiently
from cdp.settings import Settings

TABLE = "monitoring.mon_publishes"

# begun: branches are there. written: they hold what the run computes. audited, failed: all checks
# passed, or one did not. intended: about to move main. published: main has moved. refused: it has
# not, and will not. discarded: the branches are gone.
Event = Literal[
    "begun", "written", "audited", "failed", "intended", "published", "refused", "discarded"
]
# Each event is a file, and each command reads them all.
FILES = 40


@dataclass(frozen=True)
class Move:
    """What a run does to a table's main branch; a snapshot is None where there is none."""

    table: str
    old: int | None
    new: int | None


@dataclass
class Run:
    """A run as its events tell of it.

    moves: with the event `begun` the tables of the run, with `intended` what is published.
    """

    run_id: str
    state: str = ""
    publish: int | None = None
    began: datetime | None = None
    ended: datetime | None = None
    detail: str = ""
    begun: list[Move] = field(default_factory=list)
    intended: list[Move] = field(default_factory=list)

    @property
    def changed(self) -> list[Move]:
        return [m for m in self.intended if m.old != m.new]


class Journal:
    """The table, through PyIceberg: it is written when Spark and Trino are away, too."""

    def __init__(self, settings: Settings) -> None:
        import pyarrow as pa

        schema = pa.schema(
            [
                ("run_id", pa.string()),
                ("event", pa.string()),
                ("at", pa.timestamp("us", "UTC")),
                ("publish_number", pa.int64()),
                ("table_name", pa.string()),
                ("old_snapshot", pa.int64()),
                ("new_snapshot", pa.int64()),
                ("detail", pa.string()),
            ]
        )
        self._log = Log(TABLE, schema, settings)

    def write(
        self,
        run_id: str,
        event: Event,
        moves: Iterable[Move] = (),
        publish: int | None = None,
        detail: str = "",
    ) -> None:
        """Add an event: a row of its own, and one for each table."""
        common = {
            "run_id": run_id,
            "event": event,
            "at": datetime.now(UTC),
            "publish_number": publish,
            "detail": detail or None,
        }
        rows: list[Mapping[str, Any]] = [common]
        rows += [
            common | {"table_name": m.table, "old_snapshot": m.old, "new_snapshot": m.new}
            for m in moves
        ]
        patiently(lambda: self._log.append(rows))
        if event == "begun":
            patiently(lambda: self._log.compact(above=FILES))

    def runs(self) -> list[Run]:
        """All runs, in the order in which they began."""
        return group(patiently(self._log.read))

    def last(self, count: int) -> list[Run]:
        """The last of them. Raises what it does when the catalog or the store is away, at once."""
        return group(self._log.read())[-count:]

    def run(self, run_id: str) -> Run | None:
        """One of them, None when it is not known."""
        found = group(patiently(lambda: self._log.read(run_id=run_id)))
        return found[0] if found else None


def group(rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """The runs that events tell of, in the order in which they began."""
    runs: dict[str, Run] = {}
    # A row of the event itself comes before those of its tables, which have its moment. An event
    # whose answer was lost may be there twice.
    once = {(r["run_id"], r["event"], r["at"], r["table_name"] or ""): r for r in rows}
    for row in sorted(once.values(), key=lambda r: (r["at"], r["table_name"] or "")):
        run = runs.setdefault(row["run_id"], Run(row["run_id"], began=row["at"]))
        if row["table_name"] is None:
            run.state, run.ended = row["event"], row["at"]
            run.detail = row["detail"] or ""
            run.publish = row["publish_number"] or run.publish
            if row["event"] == "intended":
                run.intended = []
            continue
        move = Move(row["table_name"], row["old_snapshot"], row["new_snapshot"])
        if row["event"] == "begun":
            run.begun.append(move)
        elif row["event"] == "intended":
            run.intended.append(move)
    return list(runs.values())


def last_publish(runs: Iterable[Run]) -> int:
    """The highest number that a publish was given; 0 when there was none."""
    return max((run.publish or 0 for run in runs), default=0)
