"""By hand: build and test what differs from what is published, in schemas of its own."""

import os

from airflow.sdk import DAG
from lakehouse.commands import Cdp, Dbt
from lakehouse.flow import COMMON, DEFAULTS

STATE = os.path.join(os.environ.get("AIRFLOW_HOME", "."), "ci-state")  # noqa: PTH118 - an argument
# The schemas of a run bear its name.
RUN = {"CDP_CI_RUN": "airflow_{{ dag_run.run_after | ts_nodash | lower }}"}

with DAG(
    "ci",
    description=__doc__,
    schedule=None,
    **COMMON | {"default_args": DEFAULTS | {"retries": 0}},
) as dag:
    state = Cdp(task_id="state", arguments=["state", "--to", STATE])
    build = Dbt(
        task_id="build",
        arguments=[
            *("build", "--target", "ci", "--select", "state:modified+"),
            # Profiles tell of days that came: anew they would read every table.
            *("--exclude", "mon_column_profile+", "--defer", "--state", STATE),
            *("--warn-error-options", '{"silence": ["NoNodesForSelectionCriteria"]}'),
        ],
        variables=RUN,
    )
    drop = Dbt(
        task_id="drop",
        arguments=["run-operation", "drop_ci_schemas", "--target", "ci"],
        variables=RUN,
        trigger_rule="all_done",
    )
    state >> build >> drop
