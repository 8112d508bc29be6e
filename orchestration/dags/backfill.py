"""By hand: compute the partitions of some days again, with all that is known of them now."""

from airflow.sdk import DAG, Param
from lakehouse.flow import COMMON, write_audit_publish

DAY = {"type": "string", "format": "date"}

with DAG(
    "backfill",
    description=__doc__,
    schedule=None,
    params={
        "since": Param("2024-12-31", title="The first day", **DAY),
        "until": Param("2024-12-31", title="The last day", **DAY),
    },
    **COMMON,
) as dag:
    write_audit_publish(["--from", "{{ params.since }}", "--to", "{{ params.until }}"])
