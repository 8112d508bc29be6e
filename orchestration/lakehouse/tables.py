"""One task for each table of dbt's, that says what became of it: it runs nothing itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowRescheduleException,
    AirflowSkipException,
)
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.execution_time.xcom import XCom
from airflow.triggers.base import (
    BaseTrigger,
    StartTriggerArgs,
    TaskFailedEvent,
    TaskSkippedEvent,
    TaskSuccessEvent,
    TriggerEvent,
)
from asgiref.sync import sync_to_async

from lakehouse.commands import NODES
from lakehouse.verdict import verdict

# Seconds between two looks at what is told.
POLL = 2.0
ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}


class Watched:
    """What the writing task of a run has reported: asked for once, however many tasks watch it."""

    _all: ClassVar[dict[tuple[str, str, str], "Watched"]] = {}

    def __init__(self, dag_id: str, run_id: str, task_id: str) -> None:
        self._of = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id}
        self._asked = 0.0
        self._lock = asyncio.Lock()
        self.nodes: dict[str, str] = {}
        self.is_over = False

    @classmethod
    def of(cls, dag_id: str, run_id: str, task_id: str) -> "Watched":
        # Those that are over are held by the tasks that still read them.
        cls._all = {key: each for key, each in cls._all.items() if not each.is_over}
        return cls._all.setdefault((dag_id, run_id, task_id), cls(dag_id, run_id, task_id))

    async def look(self) -> None:
        """Have it be no older than the time between two looks."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked < POLL and self._asked:
                return
            state = await sync_to_async(state_of)(**self._of)
            self.nodes = await sync_to_async(self._nodes)()
            self.is_over = state in ENDED
            self._asked = now

    def _nodes(self) -> dict[str, str]:
        found = XCom.get_one(key=NODES, map_index=-1, **self._of)
        return found or {}


def state_of(dag_id: str, run_id: str, task_id: str) -> str:
    """The state of a task in a run; empty before it has one."""
    states = RuntimeTaskInstance.get_task_states(
        dag_id=dag_id, task_ids=[task_id], run_ids=[run_id]
    )
    return str(states.get(run_id, {}).get(task_id) or "")


class TableTrigger(BaseTrigger):
    """Waits until it is known what became of a table, and ends its task with that."""

    def __init__(self, table: str, tests: list[str], writer: str) -> None:
        super().__init__()
        self.table, self.tests, self.writer = table, tests, writer

    def serialize(self) -> tuple[str, dict[str, Any]]:
        told = {"table": self.table, "tests": self.tests, "writer": self.writer}
        return f"{type(self).__module__}.{type(self).__name__}", told

    async def run(self) -> AsyncIterator[TriggerEvent]:
        ti = self.task_instance
        watched = Watched.of(ti.dag_id, ti.run_id, self.writer)
        events = {
            "success": TaskSuccessEvent,
            "failed": TaskFailedEvent,
            "skipped": TaskSkippedEvent,
        }
        while True:
            await watched.look()
            if found := verdict(watched.nodes, self.table, self.tests, watched.is_over):
                yield events[found]()
                return
            await asyncio.sleep(POLL)


class TableTask(BaseOperator):
    """The task of a table. The scheduler hands it to the triggerer; it never takes a worker.

    table, tests: dbt's unique ids of it and of its tests. writer: the task that runs dbt.
    """

    ui_color = "#f3f0e6"
    start_from_trigger = True

    def __init__(self, *, table: str, tests: list[str], writer: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.table, self.tests, self.writer = table, tests, writer
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{TableTrigger.__module__}.{TableTrigger.__name__}",
            trigger_kwargs={"table": table, "tests": tests, "writer": writer},
            next_method="execute_complete",
            next_kwargs=None,
            timeout=None,
        )

    def execute(self, context: Context) -> None:
        """Without a scheduler, as in `airflow dags test`, tasks are run one after the other."""
        ti = context["ti"]
        if state_of(ti.dag_id, ti.run_id, self.writer) not in ENDED:
            raise AirflowRescheduleException(datetime.now(UTC) + timedelta(seconds=POLL))
        nodes = ti.xcom_pull(task_ids=self.writer, key=NODES) or {}
        found = verdict(nodes, self.table, self.tests, is_over=True)
        if found == "skipped":
            raise AirflowSkipException(f"{self.writer} has not come to it")
        if found == "failed":
            raise AirflowException(f"{self.table}: {nodes[self.table]}")

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Never called: the trigger ends the task."""
