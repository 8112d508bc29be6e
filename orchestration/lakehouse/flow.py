"""The run that all DAGs have in common: written to a branch, audited there, published."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import TaskGroup
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from cosmos import DbtTaskGroup, ExecutionConfig, ProjectConfig, RenderConfig
from cosmos.config import ProfileConfig
from cosmos.constants import DbtResourceType, LoadMode, TestBehavior
from cosmos.dbt.graph import DbtNode

from lakehouse.alerts import tell_failure, tell_late, tell_resolved
from lakehouse.commands import CDP, ROOT, Cdp, Publish, Write
from lakehouse.tables import TableTask
from lakehouse.verdict import attached_tests

MANIFEST = Path(os.environ.get("CDP_MANIFEST", ROOT / "target" / "manifest.json"))
PROJECT = "cdp_lakehouse"
KINDS = (DbtResourceType.MODEL, DbtResourceType.SEED, DbtResourceType.SNAPSHOT)
# One slot: one writer of tables at a time.
POOL = "lakehouse"
DEFAULTS: dict[str, Any] = {
    "retries": int(os.environ.get("CDP_TASK_RETRIES", "2")),
    "retry_delay": timedelta(seconds=int(os.environ.get("CDP_TASK_RETRY_SECONDS", "60"))),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "on_failure_callback": tell_failure,
}

# What all DAGs have in common. One run at a time: the next finds what this one has left.
COMMON: dict[str, Any] = {
    "start_date": datetime(2024, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": DEFAULTS,
    "on_success_callback": tell_resolved,
    "tags": ["lakehouse"],
}


# The last day of which everything has come, when a run's interval has passed.
COMPLETE = """{"complete_until": "{{ macros.ds_add(data_interval_end | ds, -1) }}"}"""


def deadline(variable: str, seconds: int) -> DeadlineAlert | None:
    """Send an alert for a run that takes longer than a variable of the environment says.

    seconds: where it is not set.
    """
    # There `dags test` ends with an error: apache/airflow#73428.
    if sys.argv[1:3] == ["dags", "test"]:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=int(os.environ.get(variable, str(seconds)))),
        callback=AsyncCallback(tell_late),
    )


def write_audit_publish(arguments: Sequence[str] = ()) -> tuple[Write, Publish]:
    """The tasks of a run, between the first and the last of them.

    arguments: of `cdp build`, templated.
    """
    write = Write(
        task_id="write",
        arguments=["build", "--unaudited", "--wait", "1h", *arguments],
        pool=POOL,
        # Before the tasks of the tables, which wait for it.
        priority_weight=100,
        weight_rule="absolute",
    )
    run_id = "{{ ti.xcom_pull(task_ids='write')['run_id'] }}"
    audit = Cdp(task_id="audit", arguments=["audit", run_id], pool=POOL)
    publish = Publish(task_id="publish", arguments=["publish", run_id], pool=POOL)
    tables(write.task_id)
    write >> audit >> publish
    return write, publish


def tables(writer: str) -> TaskGroup:
    """A task for each table of dbt's, in the order in which dbt builds them.

    writer: the id of the task that runs dbt.
    """
    tests = attached_tests(MANIFEST)

    def task(node: DbtNode, task_group: TaskGroup, **_: Any) -> TableTask:  # noqa: ANN401 - Cosmos' own
        return TableTask(
            task_id=node.name,
            task_group=task_group,
            table=node.unique_id,
            tests=tests.get(node.unique_id, []),
            writer=writer,
            retries=0,
            on_failure_callback=None,
            trigger_rule="all_done",
        )

    return DbtTaskGroup(
        group_id="tables",
        project_config=ProjectConfig(
            dbt_project_path=ROOT,
            manifest_path=MANIFEST,
            project_name=PROJECT,
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name=PROJECT, target_name="local", profiles_yml_filepath=ROOT / "profiles.yml"
        ),
        # No task runs dbt: `writer` does.
        execution_config=ExecutionConfig(dbt_executable_path=Path(CDP).with_name("dbt")),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            # What has no table has no task.
            select=[f"resource_type:{kind.value}" for kind in KINDS],
            exclude=["config.materialized:ephemeral"],
            test_behavior=TestBehavior.NONE,
            emit_datasets=False,
            node_converters=dict.fromkeys(KINDS, task),
        ),
    )
