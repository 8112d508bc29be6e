"""What dbt did, as events: of the build, and of each node with what it reads and writes.

dbt's own structured events are kept while it runs, and OpenLineage's processor makes events of
them when it is over: the manifest has then what was really run, and nobody who listens slowly
delays a model.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openlineage.common.provider.dbt.structured_logs import DbtStructuredLogsProcessor

from cdp.lineage.names import CDP, DBT, PRODUCER, Tables
from cdp.settings import ROOT

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

    from cdp.lineage.events import Job

# Of dbt's events. Those of its statements are left out: Spark sends each, and knows more.
KINDS = {"MainReportVersion", "NodeStart", "NodeFinished", "CommandCompleted"}
# And of nodes: a hook has no lineage. What is ephemeral is part of the models that read it.
EPHEMERAL = "ephemeral"
NODES = {"model", "seed", "snapshot", "test"}
VARIABLES = ("OPENLINEAGE_PARENT_ID", "OPENLINEAGE_ROOT_PARENT_ID")


class Heard:
    """A callback of dbt's that keeps its events, as lines of JSON."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: Any) -> None:  # noqa: ANN401 - dbt's own class
        from dbt_common.events.functions import msg_to_dict

        if event.info.name not in KINDS:
            return
        told = msg_to_dict(event)
        node = told["data"].get("node_info")
        if node and (node["resource_type"] not in NODES or node["materialized"] == EPHEMERAL):
            return
        self.lines.append(json.dumps(told))


def events(heard: Heard, target: str, job: "Job", tables: Tables) -> "Iterator[RunEvent]":
    """The events of a build. job: the command that it was part of."""
    with _parent(job):
        yield from _Processor(heard.lines, tables, target).parse()


class _Processor(DbtStructuredLogsProcessor):  # type: ignore[misc]
    """OpenLineage's, of a dbt that has run in this process, with tables called as Spark does."""

    def __init__(self, lines: list[str], tables: Tables, target: str) -> None:
        super().__init__(
            dbt_command_line=["dbt", "build", "--profiles-dir", str(ROOT)],
            project_dir=str(ROOT),
            target=target,
            producer=PRODUCER,
            job_namespace=DBT,
            logger=logging.getLogger("openlineage.dbt"),
        )
        self._lines = lines
        self._tables = tables

    def _run_dbt_command(self) -> Iterator[str]:
        yield from self._lines

    def extract_namespace(self, profile: dict[str, Any]) -> str:
        """It knows none for a session with Spark: each table has its own, below."""
        return ""

    def extract_dataset_data(self, node: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401
        from cdp.lineage.events import symlinks

        _, table, facets, inputs = super().extract_dataset_data(node, *more, **named)
        facets.pop("dataSource", None)
        facets["symlinks"] = symlinks(self._tables, table)
        return *self._tables.place(table), facets, inputs

    def _get_model_node(self, node_id: str) -> Any:  # noqa: ANN401
        """A test is a node to dbt, and no table."""
        return None if node_id.startswith("test.") else super()._get_model_node(node_id)

    def _get_model_inputs(self, node_id: str) -> list[Any]:
        """The tables that a node reads: in place of what is ephemeral, what that reads."""
        found: dict[str, Any] = {}
        for each in super()._get_model_inputs(node_id):
            node = each.metadata_node
            if node.get("config", {}).get("materialized") == EPHEMERAL:
                more = self._get_model_inputs(node["unique_id"])
            else:
                more = [each]
            found |= {one.metadata_node["unique_id"]: one for one in more}
        return list(found.values())

    def get_column_lineage(self, namespace: str, compiled_sql: str) -> None:
        """Spark sends it, from the plan of what was really run."""


@contextmanager
def _parent(job: "Job") -> Iterator[None]:
    """The processor reads from the environment what dbt was part of."""
    own = f"{CDP}/{job.name}/{job.id}"
    root = own
    if told := job.parent:
        root = "/".join(
            str(part)
            for part in (
                told.root_parent_job_namespace,
                told.root_parent_job_name,
                told.root_parent_run_id,
            )
        )
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(zip(VARIABLES, (own, root), strict=True))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
