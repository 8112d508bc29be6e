"""Send what fails or is late through the project's alerts."""

import asyncio
import subprocess
from typing import Any

from airflow.sdk import Context

from lakehouse.commands import CDP, ROOT, ToldError, environment

SECONDS = 120


def tell_failure(context: Context) -> None:
    """A task has failed for good, and has not told it itself."""
    error = context.get("exception")
    if isinstance(error, ToldError):
        return
    ti = context["ti"]
    _alert("alert", f"{ti.dag_id}.{ti.task_id}", str(error) or type(error).__name__)


def tell_resolved(context: Context) -> None:
    """A run of a DAG has come to its end: what was told of it is over."""
    _alert("alert", "--resolved", context["dag_run"].dag_id)


async def tell_late(**kwargs: Any) -> None:  # noqa: ANN401 - Airflow's own
    """A run of a DAG has not come to its end by its deadline."""
    run = kwargs["context"]["dag_run"]
    late = f"the run of {run['logical_date'] or run['run_after']} is late"
    await asyncio.to_thread(_alert, "alert", f"{run['dag_id']}.deadline", late)


def _alert(*arguments: str) -> None:
    subprocess.run([CDP, *arguments], cwd=ROOT, env=environment(), check=False, timeout=SECONDS)
