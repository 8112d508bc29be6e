"""`cdp maintain`: compaction, expiry and orphans, table after table, by the rules of each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cdp import spark, transform
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.loading import commits
from cdp.publish import lease
from cdp.publish.publisher import Publisher
from cdp.settings import Settings
from cdp.stack.probes import require
from cdp.upkeep import health, rules
from cdp.upkeep.health import Health, Measured
from cdp.upkeep.rules import Kept

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]
MIB = 1 << 20
# Groups of files are committed as they are done: what is killed keeps them.
COMMITS = 10
# Iceberg does not try again by itself when a manifest that it rewrites is gone.
MANIFEST_TRIES = 3
CONFLICT = "could not be found in the latest snapshot"
SHOWN = ("files", "delete_files", "manifests", "snapshots")


@dataclass(frozen=True)
class Upkeep:
    """The upkeep of tables.

    tables: `namespace.name`; all when it is empty. wait: seconds for a run to end.
    """

    tables: Sequence[str]
    settings: Settings
    say: Say
    wait: float = 0

    def chosen(self) -> list[Kept]:
        """Those tables that are there, with their rules. Raises CdpError for an unknown one."""
        known = rules.read(transform.parse([], self.settings))
        if unknown := sorted(set(self.tables) - set(known)):
            raise CdpError(
                f"there is no table {', '.join(unknown)}", f"choose from: {', '.join(known)}"
            )
        catalog = Catalog(self.settings)
        namespaces = {name.partition(".")[0] for name in known}
        standing = {table for n in namespaces for table in catalog.tables(n)}
        return [known[name] for name in self.tables or known if name in standing]

    def measure(self) -> list[tuple[Kept, Health]]:
        """How the tables are."""
        session = self._session()
        return [(kept, health.measure(kept.name, session)) for kept in self.chosen()]

    def run(self) -> None:
        """Raises CdpError when a table could not be kept: after all the others were."""
        from pyspark.errors import PySparkException

        session = self._session()
        chosen = self.chosen()
        publisher = Publisher(self.settings)
        failed = []
        for number, kept in enumerate(chosen, 1):
            try:
                done = self.keep(kept, session, publisher)
            except PySparkException as error:
                failed.append(kept.name)
                done = f"failed: {str(error).splitlines()[0]}"
            self.say(f"[{number}/{len(chosen)}] {kept.name}: {done}")
        if failed:
            raise CdpError(
                f"the upkeep of {', '.join(failed)} failed",
                "the lines above say why; cdp maintain goes on with what is left",
            )

    def _session(self) -> "SparkSession":
        require("Spark", self.settings.spark_url)
        # A session of before keeps tables as it found them.
        spark.disconnect(self.settings)
        return spark.connect(self.settings)

    def keep(self, kept: Kept, session: "SparkSession", publisher: Publisher) -> str:
        """The upkeep of a table; a line about it."""
        started = time.monotonic()
        with lease.held(self.settings, f"maintain {kept.name}", self.wait, self.say):
            publisher.recover(self.say)
            holder = waiting(kept.name, publisher)
            before = health.measure(kept.name, session)
            held = f"not compacted, since {holder} is held" if holder else ""
            left = held or rewrite(kept, before, session)
            orphans = forget(kept, before, session, Catalog(self.settings))
            after = health.measure(kept.name, session)
        seconds = time.monotonic() - started
        health.keep(
            [
                Measured(kept.name, "before", before),
                Measured(kept.name, "after", after, orphans, seconds),
            ],
            self.settings,
        )
        remark = f"; {left}" if left else ""
        return f"{told(before, after, orphans)}; {seconds:.1f} s{remark}"


def waiting(table: str, publisher: Publisher) -> str | None:
    """A run that waits to be published, and would be refused if main of the table moved."""
    held = (run for run in publisher.journal.runs() if run.state == "audited")
    return next((run.run_id for run in held if table in {m.table for m in run.begun}), None)


def rewrite(kept: Kept, found: Health, session: "SparkSession") -> str:
    """Few large files of many small ones, without the rows that were deleted.

    Returns what was left for the next time, for people; nothing when all is done.
    """
    rule = kept.rules
    is_due = found.files >= rule.compact_from_files or found.delete_files
    if rule.compaction != "none" and is_due:
        options = {
            "target-file-size-bytes": rule.file_target_mb * MIB,
            "min-input-files": rule.compact_from_files,
            "delete-file-threshold": rule.compact_from_deletes,
            "remove-dangling-deletes": "true",
            "partial-progress.enabled": "true",
            "partial-progress.max-commits": COMMITS,
        }
        by_order = rule.compaction == "sort" and is_sorted(kept.name, session)
        strategy = "'sort'" if by_order else "'binpack'"
        _call(session, "rewrite_data_files", kept.name, strategy=strategy, options=options)
        if found.delete_files:
            _call(session, "rewrite_position_delete_files", kept.name)
    if found.manifests < 2 or rewrite_manifests(kept.name, session):
        return ""
    return "manifests left as they are, since others wrote to it meanwhile"


def rewrite_manifests(table: str, session: "SparkSession") -> bool:
    """Few manifests of many; False when writers replaced one of them each time it was tried."""
    from pyspark.errors import PySparkException

    for _ in range(MANIFEST_TRIES):
        try:
            _call(session, "rewrite_manifests", table)
        except PySparkException as error:
            if CONFLICT not in str(error):
                raise
        else:
            return True
    return False


def remember(table: str, before: datetime, session: "SparkSession", catalog: Catalog) -> None:
    """Keep as properties what snapshots say of batches that are held: they are about to expire."""
    state = catalog.load(table)
    said = commits.said(state, int(before.timestamp() * 1000)) if state else {}
    if said:
        pairs = ", ".join(f"'{key}' = '{number}'" for key, number in sorted(said.items()))
        session.sql(f"alter table lake.{table} set tblproperties ({pairs})")


def forget(kept: Kept, found: Health, session: "SparkSession", catalog: Catalog) -> int:
    """Expire snapshots and remove orphans; how many of these there were."""
    now = datetime.now(UTC)
    oldest = now - timedelta(days=kept.rules.snapshots_keep_days)
    if found.oldest_snapshot_at and found.oldest_snapshot_at < oldest:
        remember(kept.name, oldest, session, catalog)
        _call(
            session,
            "expire_snapshots",
            kept.name,
            older_than=_moment(oldest),
            retain_last=str(kept.rules.snapshots_keep_last),
            stream_results="true",
        )
    orphans = _call(
        session,
        "remove_orphan_files",
        kept.name,
        older_than=_moment(now - timedelta(hours=kept.rules.orphans_after_hours)),
        # Iceberg's own S3 client lists by prefix; Hadoop's file systems do not know its addresses.
        prefix_listing="true",
    )
    return len(orphans)


def is_sorted(table: str, session: "SparkSession") -> bool:
    """Whether rows have an order in the files of a table."""
    (row,) = session.sql(f"show tblproperties lake.{table} ('sort-order')").collect()
    return "does not have property" not in str(row[-1])


def told(before: Health, after: Health, orphans: int) -> str:
    """What became of a table, for people."""
    changed = [
        f"{getattr(before, name):,} to {getattr(after, name):,} {name.replace('_', ' ')}"
        for name in SHOWN
        if getattr(before, name) != getattr(after, name)
    ]
    if orphans:
        changed.append(f"{orphans:,} orphan{'s' * (orphans > 1)} removed")
    return ", ".join(changed) or "well as it is"


def _moment(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat()}'"


def _call(
    session: "SparkSession",
    procedure: str,
    table: str,
    options: dict[str, object] | None = None,
    **arguments: str,
) -> list[Any]:
    """Call one of Iceberg's procedures; its rows. arguments: SQL expressions, of this module."""
    given = [f"table => '{table}'", *(f"{name} => {value}" for name, value in arguments.items())]
    if options:
        pairs = ", ".join(f"'{key}', '{value}'" for key, value in options.items())
        given.append(f"options => map({pairs})")
    rows: list[Any] = session.sql(f"call lake.system.{procedure}({', '.join(given)})").collect()
    return rows
