"""What the report shows, asked of Trino and the catalog; plain values, none of them markup."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from cdp.catalog import Catalog
from cdp.landing.source import read_all
from cdp.publish.journal import Journal, Run
from cdp.settings import Settings
from cdp.transform import Project
from cdp.trino import query

# How many runs, days and columns are shown: what fits on a page and is still read.
RUNS, DAYS, COLUMNS = 20, 30, 12
# Upper bounds of the classes of file sizes, in bytes, with their names.
SIZES = (
    (1 << 20, "< 1 MB"),
    (16 << 20, "1 to 16"),
    (100 << 20, "16 to 100"),
    (500 << 20, "100 to 500"),
)
LARGER = "> 500 MB"
AT_ONCE = 4


@dataclass(frozen=True)
class Flow:
    """The rows of a source: received, and what became of them.

    deleted: changes that took a customer out. superseded: older versions, and copies.
    """

    source: str
    received: int
    quarantined: int = 0
    rejected: int = 0
    published: int = 0
    deleted: int = 0

    @property
    def superseded(self) -> int:
        gone = self.quarantined + self.rejected + self.published + self.deleted
        return max(self.received - gone, 0)


@dataclass(frozen=True)
class Reason:
    """Why rows of a source were rejected, and how many."""

    source: str
    reason: str
    rows: int


@dataclass(frozen=True)
class TableHealth:
    """A published table: its size, when main moved last, and the checks of the last run of it."""

    name: str
    owner: str
    rows: int
    files: int
    bytes: int
    changed_at: datetime | None
    failed: int
    warned: int

    @property
    def file_bytes(self) -> float:
        return self.bytes / self.files if self.files else 0.0


@dataclass(frozen=True)
class Series:
    """A measure by day, the oldest first; alarms are the days that were told."""

    table: str
    column: str
    metric: str
    days: tuple[date, ...]
    values: tuple[float, ...]
    alarms: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Segment:
    """Customers of a segment, and the share of them that left."""

    contract: str
    internet: str
    customers: int
    churned: int

    @property
    def rate(self) -> float:
        return self.churned / self.customers if self.customers else 0.0


@dataclass
class Report:
    """All of it. made_at: UTC."""

    made_at: datetime
    runs: list[Run]
    flows: list[Flow]
    reasons: list[Reason]
    tables: list[TableHealth]
    rows_by_day: list[Series]
    nulls_by_day: list[Series]
    problems: list[dict[str, Any]]
    sizes: dict[str, int]
    segments: list[Segment] = field(default_factory=list)
    segments_of: date | None = None

    @property
    def last_publish(self) -> Run | None:
        return next((r for r in reversed(self.runs) if r.state == "published"), None)


def collect(project: Project, settings: Settings) -> Report:
    """Raises CdpError when Trino or the catalog is away."""

    def ask(sql: str) -> list[dict[str, Any]]:
        found = query(sql, settings)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    standing = _standing(settings)
    questions = {name: sql for name, (needs, sql) in QUESTIONS.items() if needs <= standing}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(questions, pool.map(ask, questions.values()), strict=True))
    rows = {name: answers.get(name, []) for name in QUESTIONS}
    segments = rows["segments"]
    return Report(
        made_at=datetime.now(UTC),
        runs=Journal(settings).runs()[-RUNS:],
        flows=_flows(rows["received"], _rejected(settings, standing, ask), rows["published"]),
        reasons=[Reason(r["source_name"], r["reject_reason"], r["rows"]) for r in rows["reasons"]],
        tables=_tables(project, settings, standing, rows["checks"]),
        rows_by_day=_series(rows["days"], rows["alarms"], "row_count"),
        nulls_by_day=_series(rows["nulls"], rows["alarms"], "null_rate"),
        problems=rows["problems"],
        sizes=_sizes(ask(_sizes_sql(project, standing))) if standing else {},
        segments=[
            Segment(r["contract_type"], r["internet_service"], r["customers"], r["churned"])
            for r in segments
        ],
        segments_of=segments[0]["as_of_date"] if segments else None,
    )


def _standing(settings: Settings) -> set[str]:
    """The tables that there are: some come with the first run, or the first alert."""
    found = query(
        "select table_schema || '.' || table_name from lake.information_schema.tables "
        "where table_schema in ('raw', 'staging', 'intermediate', 'marts', 'monitoring')",
        settings,
    )
    return {row[0] for row in found.rows}


PROFILE, DRIFT = "monitoring.mon_column_profile", "monitoring.mon_drift"
CHECKS = "monitoring.mon_check_results"
# The last day for which there is a profile, of each table.
RECENT = f"(select max(profiled_on) - interval '{DAYS}' day from {PROFILE})"  # noqa: S608
QUESTIONS: dict[str, tuple[set[str], str]] = {
    "received": (
        {"monitoring.mon_reconciliation"},
        """
        select source_name, sum(received) as received, sum(quarantined) as quarantined
        from monitoring.mon_reconciliation
        where not is_replaced and kind <> 'replay'
        group by source_name
        order by source_name
        """,
    ),
    # The audit has counted, batch by batch, that the rest is superseded.
    "published": (
        {"marts.dim_customers", "intermediate.int_customers__latest", "marts.fct_usage_daily"}
        | {"marts.fct_payments", "marts.fct_support_tickets"},
        """
        select 'crm.customers' as source_name, count(*) as published,
            (select count(*) from intermediate.int_customers__latest where is_deleted) as deleted
        from marts.dim_customers
        union all
        select 'usage.events', coalesce(sum(events), 0), 0 from marts.fct_usage_daily
        union all
        select 'billing.payments', count(*), 0 from marts.fct_payments
        union all
        select 'support.tickets', count(*), 0 from marts.fct_support_tickets
        """,
    ),
    "reasons": (
        {"monitoring.mon_rejected_rows"},
        """
        select source_name, reject_reason, sum(rejected_rows) as rows
        from monitoring.mon_rejected_rows
        group by source_name, reject_reason
        order by rows desc
        limit 10
        """,
    ),
    # The last time that each table was checked.
    "checks": (
        {CHECKS},
        """
        select table_name, count_if(outcome = 'failed') as failed,
            count_if(outcome = 'warned') as warned
        from (
            select *, rank() over (partition by table_name order by checked_at desc) as recency
            from monitoring.mon_check_results
        )
        where recency = 1
        group by table_name
        """,
    ),
    "problems": (
        {CHECKS},
        """
        select run_id, checked_at, table_name, column_name, check_name, outcome, measured, detail
        from monitoring.mon_check_results
        where outcome in ('failed', 'warned')
            and checked_at > (select max(checked_at) - interval '7' day
                from monitoring.mon_check_results)
        order by checked_at desc, outcome, table_name
        limit 40
        """,
    ),
    "days": (
        {PROFILE},
        f"""
        select table_name, '*' as column_name, profiled_on, max(row_total) as value
        from (
            select table_name, column_name, profiled_on, sum(row_total) as row_total
            from {PROFILE}
            where profiled_on >= {RECENT}
            group by table_name, column_name, profiled_on
        )
        group by table_name, profiled_on
        order by table_name, profiled_on
        """,  # noqa: S608 - names of this module
    ),
    # Columns whose null rate has moved most.
    "nulls": (
        {PROFILE},
        f"""
        with daily as (
            select table_name, column_name, profiled_on,
                1 - cast(sum(value_count) as double) / sum(sampled_rows) as value
            from {PROFILE}
            where profiled_on >= {RECENT}
            group by table_name, column_name, profiled_on
        ),
        moving as (
            select table_name, column_name, max(value) - min(value) as spread
            from daily
            group by table_name, column_name
            having max(value) > 0
            order by spread desc
            limit {COLUMNS}
        )
        select daily.*
        from daily
        inner join moving
            on daily.table_name = moving.table_name and daily.column_name = moving.column_name
        order by moving.spread desc, table_name, column_name, profiled_on
        """,  # noqa: S608
    ),
    "alarms": (
        {DRIFT},
        f"select table_name, column_name, metric, profiled_on from {DRIFT} where is_alarm",  # noqa: S608
    ),
    "segments": (
        {"marts.agg_churn_by_segment"},
        """
        select as_of_date, contract_type, coalesce(internet_service, 'unknown') as internet_service,
            sum(customer_count) as customers, sum(churned_count) as churned
        from marts.agg_churn_by_segment
        where as_of_date = (select max(as_of_date) from marts.agg_churn_by_segment)
        group by as_of_date, contract_type, coalesce(internet_service, 'unknown')
        order by contract_type, internet_service
        """,
    ),
}


def _rejected(settings: Settings, standing: set[str], ask: Any) -> dict[str, int]:  # noqa: ANN401
    """How many rows of each source staging has rejected."""
    found = {}
    for source in read_all(settings.sources_dir).values():
        table = f"staging.stg_{source.source}_{source.table}__rejected"
        if table in standing:
            (row,) = ask(f"select count(*) as rows from {table}")  # noqa: S608 - of the project
            found[source.full_name] = row["rows"]
    return found


def _flows(
    received: Sequence[dict[str, Any]],
    rejected: dict[str, int],
    published: Sequence[dict[str, Any]],
) -> list[Flow]:
    shown = {row["source_name"]: row for row in published}
    return [
        Flow(
            name := row["source_name"],
            row["received"],
            row["quarantined"],
            rejected.get(name, 0),
            shown.get(name, {}).get("published", 0),
            shown.get(name, {}).get("deleted", 0),
        )
        for row in received
    ]


def _tables(
    project: Project, settings: Settings, standing: set[str], checks: Sequence[dict[str, Any]]
) -> list[TableHealth]:
    """The tables of the project as main has them, by the metadata of their last snapshot, and the
    raw tables that they are built from."""
    catalog = Catalog(settings)
    names = [*sorted(project.tables), *sorted(t for t in standing if t.startswith("raw."))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        states = list(filter(None, pool.map(catalog.load, names)))
    told = {row["table_name"]: row for row in checks}
    found = []
    for state in states:
        head = state.head()
        snapshot = state.snapshots.get(head or 0, {})
        summary = snapshot.get("summary", {})
        moment = snapshot.get("timestamp-ms")
        result = told.get(state.name, {})
        found.append(
            TableHealth(
                name=state.name,
                owner=project.owner(state.name),
                rows=int(summary.get("total-records", 0)),
                files=int(summary.get("total-data-files", 0)),
                bytes=int(summary.get("total-files-size", 0)),
                changed_at=datetime.fromtimestamp(moment / 1000, UTC) if moment else None,
                failed=result.get("failed", 0),
                warned=result.get("warned", 0),
            )
        )
    return found


def _series(
    rows: Sequence[dict[str, Any]], alarms: Sequence[dict[str, Any]], metric: str
) -> list[Series]:
    """One for each table and column, in the order of the rows."""
    told: dict[tuple[str, str], set[date]] = {}
    for row in alarms:
        if row["metric"] == metric:
            told.setdefault((row["table_name"], row["column_name"]), set()).add(row["profiled_on"])
    points: dict[tuple[str, str], list[tuple[date, float]]] = {}
    for row in rows:
        key = (row["table_name"], row["column_name"])
        points.setdefault(key, []).append((row["profiled_on"], float(row["value"])))
    return [
        Series(
            *key,
            metric,
            tuple(day for day, _ in found),
            tuple(value for _, value in found),
            frozenset(told.get(key, set())),
        )
        for key, found in points.items()
    ]


def _sizes_sql(project: Project, standing: set[str]) -> str:
    """The sizes of the data files of all marts."""
    marts = sorted(t for t in project.tables if t.startswith("marts.") and t in standing)
    files = (
        f'select file_size_in_bytes as bytes from marts."{t.split(".")[1]}$files" where content = 0'  # noqa: S608
        for t in marts
    )
    return " union all ".join(files) or "select 0 as bytes where false"


def _sizes(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many files there are of each class of sizes."""
    counts = {name: 0 for _, name in SIZES} | {LARGER: 0}
    for row in rows:
        name = next((name for bound, name in SIZES if row["bytes"] < bound), LARGER)
        counts[name] += 1
    return counts
