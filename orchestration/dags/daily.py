"""Each day: all that has come, the features as of the day, and the upkeep of the tables."""

import os

from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable
from lakehouse.commands import Cdp
from lakehouse.flow import COMMON, COMPLETE, POOL, deadline, write_audit_publish

with DAG(
    "daily",
    description=__doc__,
    schedule=CronDataIntervalTimetable("30 1 * * *", timezone="UTC"),
    deadline=deadline("CDP_DAILY_DEADLINE_SECONDS", 6 * 3600),
    **COMMON,
) as dag:
    land = Cdp(task_id="land", arguments=["land"])
    load = Cdp(task_id="load", arguments=["load"], pool=POOL)
    write, publish = write_audit_publish(["--vars", COMPLETE])
    # It takes the lease of runs for one table at a time: hourly runs go on in between. A day on
    # which nothing came is a day for upkeep, too.
    upkeep = Cdp(
        task_id="upkeep", arguments=["maintain", "--wait", "2h"], trigger_rule="none_failed"
    )
    land >> load >> write
    publish >> upkeep
    if os.environ.get("CDP_CAPTURES") == "true":
        capture = Cdp(task_id="capture", arguments=["capture", "--once"])
        capture >> load
