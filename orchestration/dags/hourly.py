"""Each hour: land what has come, load it, and publish what it changes."""

from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable
from lakehouse.commands import Cdp
from lakehouse.flow import COMMON, COMPLETE, POOL, deadline, write_audit_publish

with DAG(
    "hourly",
    description=__doc__,
    schedule=CronDataIntervalTimetable("5 * * * *", timezone="UTC"),
    deadline=deadline("CDP_HOURLY_DEADLINE_SECONDS", 55 * 60),
    **COMMON,
) as dag:
    land = Cdp(task_id="land", arguments=["land"])
    load = Cdp(task_id="load", arguments=["load"], pool=POOL)
    # What is of a whole day waits for the daily run.
    write, _ = write_audit_publish(["--exclude", "tag:daily", "--vars", COMPLETE])
    land >> load >> write
