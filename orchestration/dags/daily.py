"""Each day: all that has come, the features as of the day, and the upkeep of the tables."""

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable
from lakehouse.alerts import tell_resolved
from lakehouse.commands import Cdp
from lakehouse.flow import COMPLETE, DEFAULTS, POOL, deadline, write_audit_publish

with DAG(
    "daily",
    description=__doc__,
    schedule=CronDataIntervalTimetable("30 1 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    on_success_callback=tell_resolved,
    deadline=deadline(timedelta(hours=6)),
    tags=["lakehouse"],
) as dag:
    land = Cdp(task_id="land", arguments=["land"])
    load = Cdp(task_id="load", arguments=["load"], pool=POOL)
    write, publish = write_audit_publish(["--vars", COMPLETE])
    # It takes the lease of runs for one table at a time: hourly runs go on in between.
    upkeep = Cdp(task_id="upkeep", arguments=["maintain", "--wait", "2h"])
    land >> load >> write
    publish >> upkeep
    if os.environ.get("CDP_CAPTURES") == "true":
        capture = Cdp(task_id="capture", arguments=["capture", "--once"])
        capture >> load
