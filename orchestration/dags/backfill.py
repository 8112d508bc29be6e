"""By hand: compute the partitions of some days again, with all that is known of them now."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param
from lakehouse.alerts import tell_resolved
from lakehouse.flow import DEFAULTS, write_audit_publish

DAY = {"type": "string", "format": "date"}

with DAG(
    "backfill",
    description=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    default_args=DEFAULTS,
    on_success_callback=tell_resolved,
    params={
        "since": Param("2024-12-31", title="The first day", **DAY),
        "until": Param("2024-12-31", title="The last day", **DAY),
    },
    tags=["lakehouse"],
) as dag:
    write_audit_publish(["--from", "{{ params.since }}", "--to", "{{ params.until }}"])
