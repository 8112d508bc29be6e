"""Each hour: land what has come, load it, and publish what it changes."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable
from lakehouse.alerts import tell_resolved
from lakehouse.commands import Cdp
from lakehouse.flow import COMPLETE, DEFAULTS, POOL, deadline, write_audit_publish

with DAG(
    "hourly",
    description=__doc__,
    schedule=CronDataIntervalTimetable("5 * * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    on_success_callback=tell_resolved,
    deadline=deadline(timedelta(minutes=55)),
    tags=["lakehouse"],
) as dag:
    land = Cdp(task_id="land", arguments=["land"])
    load = Cdp(task_id="load", arguments=["load"], pool=POOL)
    # What is of a whole day waits for the daily run.
    write, _ = write_audit_publish(["--exclude", "tag:daily", "--vars", COMPLETE])
    land >> load >> write
