"""The metrics: what each is called, what it means, and the query that it comes from.

Names follow Prometheus' practice: a base unit at the end, `_total` for what only grows.
"""

from dataclasses import dataclass

from cdp.metrics.tables import Question

# The newest event of what people query, by the column that says when it happened.
EVENTS = {
    "marts.dim_customers": "event_timestamp",
    "marts.fct_usage_daily": "usage_date",
    "marts.fct_payments": "billed_on",
    "marts.fct_support_tickets": "opened_on",
}
EVENT_AGE = "cdp_event_age_seconds", "Seconds since the newest event of a table"


@dataclass(frozen=True)
class Family:
    """Metrics of one query: `name` to what it means. Its other columns are labels."""

    meanings: dict[str, str]
    question: Question


ROWS = Family(
    {"cdp_rows_total": "Rows of a source, by how far they have come"},
    Question(
        """
        with landed as (
            select
                source_name as source,
                sum(received) as received,
                sum(landed) as landed,
                sum(quarantined) as quarantined
            from mon_landed_batches
            group by source_name
        )

        unpivot landed
        on received, landed, quarantined
        into name stage value cdp_rows_total
        """,
        {"mon_landed_batches": ("source_name", "received", "landed", "quarantined")},
    ),
)

# Of published runs: a batch is accepted or rejected row by row, as its audit has counted.
BUILT = Family(
    {"cdp_rows_total": ROWS.meanings["cdp_rows_total"]},
    Question(
        """
        with built as (
            select
                batches.source_name as source,
                sum(batches.loaded) as loaded,
                sum(accepted.accepted_rows) as accepted,
                sum(batches.loaded - accepted.accepted_rows) as rejected
            from mon_reconciliation as batches
            inner join mon_accepted_rows as accepted
                on
                    batches.source_name = accepted.source_name
                    and batches.batch = accepted.batch
            group by batches.source_name
        )

        unpivot built
        on loaded, accepted, rejected
        into name stage value cdp_rows_total
        """,
        {
            "mon_reconciliation": ("source_name", "batch", "loaded"),
            "mon_accepted_rows": ("source_name", "batch", "accepted_rows"),
        },
    ),
)

REJECTED = Family(
    {"cdp_rejections_total": "Rows that staging rejected, by reason; with two, it counts twice"},
    Question(
        """
        select
            source_name as source,
            reject_reason as reason,
            sum(rejected_rows) as cdp_rejections_total
        from mon_rejected_rows
        group by source_name, reject_reason
        """,
        {"mon_rejected_rows": ("source_name", "reject_reason", "rejected_rows")},
    ),
)

LOADS = Family(
    {"cdp_load_age_seconds": "Seconds since the newest batch landed that is loaded, by source"},
    Question(
        """
        select
            source_name as source,
            epoch(now()) - epoch(max(landed_at)) as cdp_load_age_seconds
        from mon_landed_batches
        group by source_name
        """,
        {"mon_landed_batches": ("source_name", "landed_at")},
    ),
)

# One row an event: those of its tables are left out.
JOURNAL = {"mon_publishes": ("run_id", "event", "at", "publish_number", "table_name")}
EACH_RUN = """
    runs as (
        select
            run_id,
            arg_max(event, "at") as state,
            min("at") as began_at,
            max("at") as ended_at,
            epoch(max("at")) - epoch(min("at")) as seconds
        from mon_publishes
        where table_name is null
        group by run_id
    )
"""
RUNS = Family(
    {
        "cdp_runs": "Runs, by the state that they are in",
        "cdp_runs_seconds": "Seconds that the runs of a state took, all together",
        "cdp_last_run_seconds": "Seconds that the last run of a state took",
        "cdp_last_run_age_seconds": "Seconds since the last run of a state ended",
    },
    Question(
        f"""
        with {EACH_RUN}

        select
            state,
            count(*) as cdp_runs,
            sum(seconds) as cdp_runs_seconds,
            arg_max(seconds, began_at) as cdp_last_run_seconds,
            epoch(now()) - epoch(max(ended_at)) as cdp_last_run_age_seconds
        from runs
        group by state
        """,  # noqa: S608 - of this file
        JOURNAL,
    ),
)

LAST_RUN = Family(
    {"cdp_last_run": "1 for the run that began last, with its state"},
    Question(
        f"""
        with {EACH_RUN}

        select
            arg_max(run_id, began_at) as run_id,
            arg_max(state, began_at) as state,
            1 as cdp_last_run
        from runs
        """,  # noqa: S608 - of this file
        JOURNAL,
    ),
)

PUBLISHES = Family(
    {
        "cdp_publish_age_seconds": "Seconds since the last publish",
        "cdp_publish_number": "The number of the last publish",
    },
    Question(
        """
        select
            epoch(now()) - epoch(max("at")) as cdp_publish_age_seconds,
            max(publish_number) as cdp_publish_number
        from mon_publishes
        where event = 'published'
        having count(*) > 0
        """,
        JOURNAL,
    ),
)

CHECKS = Family(
    {"cdp_checks": "Checks of the last run that was checked, by outcome"},
    Question(
        """
        with of_runs as (
            select * from mon_check_results where run_id is not null
        ),

        last as (
            select arg_max(run_id, checked_at) as run_id from of_runs
        ),

        outcomes as (
            select unnest(['passed', 'warned', 'failed', 'skipped']) as outcome
        )

        select
            outcomes.outcome,
            count(checks.outcome) as cdp_checks
        from outcomes
        left join of_runs as checks
            on
                outcomes.outcome = checks.outcome
                and checks.run_id = (select last.run_id from last)
        group by outcomes.outcome
        """,
        {"mon_check_results": ("run_id", "checked_at", "outcome")},
    ),
)

HEALTH = Family(
    {
        "cdp_table_files": "Data files of a table, when its upkeep measured it last",
        "cdp_table_bytes": "Bytes of these files",
        "cdp_table_delete_files": "Delete files of the table",
        "cdp_table_snapshots": "Snapshots that it keeps",
        "cdp_table_measured_age_seconds": "Seconds since that",
    },
    Question(
        """
        select
            table_name as "table",
            files as cdp_table_files,
            bytes as cdp_table_bytes,
            delete_files as cdp_table_delete_files,
            snapshots as cdp_table_snapshots,
            epoch(now()) - epoch(measured_at) as cdp_table_measured_age_seconds
        from mon_table_health
        -- Of two of one moment, the one after its upkeep: `after` sorts first.
        qualify row_number() over (
            partition by table_name
            order by measured_at desc, moment
        ) = 1
        """,
        {
            "mon_table_health": (
                "table_name",
                "measured_at",
                "moment",
                "files",
                "bytes",
                "delete_files",
                "snapshots",
            )
        },
    ),
)

ALL = (ROWS, BUILT, REJECTED, LOADS, RUNS, LAST_RUN, PUBLISHES, CHECKS, HEALTH)
