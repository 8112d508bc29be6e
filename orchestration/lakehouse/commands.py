"""Tasks that run `cdp`, as a person would."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from airflow.providers.openlineage import conf as lineage
from airflow.sdk import Asset, AssetAlias, BaseOperator, Context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

ROOT = Path(os.environ.get("CDP_PROJECT_DIR", Path(__file__).resolve().parents[2]))
CDP = os.environ.get("CDP_COMMAND", str(ROOT / ".venv" / "bin" / "cdp"))
# What Airflow has in its environment, and its tasks' commands need not see.
OWN = ("AIRFLOW", "PYTHON", "VIRTUAL_ENV", "__AIRFLOW")
# Seconds between two tellings of what became of the nodes: each is a request and a row.
TELLING = 1.0
NODES = "nodes"


class ToldError(AirflowException):
    """A command has failed, and has alerted those whom it concerns."""


class VerdictError(AirflowFailException, ToldError):
    """What was written has failed its audit: to try again would give the same."""


def environment() -> dict[str, str]:
    """What the commands of tasks are given."""
    return {k: v for k, v in os.environ.items() if not k.startswith(OWN)}


def parents(context: Context) -> dict[str, str]:
    """What says of which task a command is part, in the lineage; nothing without any."""
    if lineage.is_disabled():
        return {}
    from airflow.providers.openlineage.plugins import macros

    return {
        "OPENLINEAGE_PARENT_ID": macros.lineage_parent_id(context["ti"]),
        "OPENLINEAGE_ROOT_PARENT_ID": macros.lineage_root_parent_id(context["ti"]),
    }


class Cdp(BaseOperator):
    """A command of the project. Its lines are the task's log; it fails as the command does.

    arguments: of `cdp`, templated. variables: of its environment, templated, beside Airflow's.
    Returns what it reported: run_id, publish, tables.
    """

    template_fields: Sequence[str] = ("arguments", "variables")
    ui_color = "#e8eef7"

    def __init__(
        self,
        *,
        arguments: Sequence[str],
        variables: dict[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**kwargs)
        self.arguments = list(arguments)
        self.variables = variables or {}
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for event in self._events(parents(context)):
            if "run_id" in event and "run_id" not in told:
                self.log.info("this is of the run %s", event["run_id"])
            told |= {k: event[k] for k in ("run_id", "publish", "tables") if k in event}
            self.heard(event, context)
        return told

    def command(self) -> list[str]:
        return [CDP, *self.arguments]

    def heard(self, event: dict[str, Any], context: Context) -> None:
        """Called with each line of the command, as it comes."""

    def _events(self, more: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The lines of the command. Raises AirflowException with its error when it fails.

        more: variables of its environment.
        """
        self._process = subprocess.Popen(
            self.command(),
            cwd=ROOT,
            env=environment() | {"CDP_LOG_FORMAT": "json"} | more | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A group of its own: what it starts ends with it.
            start_new_session=True,
        )
        failure: dict[str, Any] = {}
        for line in self._process.stdout or ():
            try:
                event = json.loads(line)
            except ValueError:
                event = {}
            if not isinstance(event, dict) or "message" not in event:
                event = {"message": line.rstrip()}
            self.log.info("%s", event["message"])
            if "error" in event:
                failure = event
            yield event
        if code := self._process.wait():
            reason = failure.get("error") or f"cdp {self.arguments[0]} ended with {code}"
            if failure.get("final"):
                raise VerdictError(reason)
            raise (ToldError if failure.get("told") else AirflowException)(reason)

    def on_kill(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)


class Dbt(Cdp):
    """A command of dbt's own, in the environment that `cdp env` prints."""

    def command(self) -> list[str]:
        dbt = str(Path(CDP).with_name("dbt"))
        return ["sh", "-c", 'eval "$("$0" env)"; exec "$@"', CDP, dbt, *self.arguments]


class Write(Cdp):
    """`cdp build`, which reports the state of each node: the tasks of the tables watch it.

    Where there is nothing new there is no run: it is skipped, and so is what follows.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        self._nodes: dict[str, str] = {}
        self._told = 0.0
        try:
            found = super().execute(context)
        finally:
            self._tell(context)
        if "run_id" not in found:
            raise AirflowSkipException("there is nothing new")
        return found

    def heard(self, event: dict[str, Any], context: Context) -> None:
        if "node" in event:
            self._nodes[event["node"]] = event["status"]
            if time.monotonic() - self._told > TELLING:
                self._tell(context)

    def _tell(self, context: Context) -> None:
        context["ti"].xcom_push(key=NODES, value=self._nodes)
        self._told = time.monotonic()


class Publish(Cdp):
    """`cdp publish`, with an event for the asset of each mart that it changed."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's own
        super().__init__(outlets=[PUBLISHED], **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        told = super().execute(context)
        for table in told.get("tables", []):
            if table.startswith("marts."):
                event = context["outlet_events"][PUBLISHED]
                event.add(mart(table), extra={"publish": told.get("publish")})
        return told


# Which marts a publish changes is known once it is done.
PUBLISHED = AssetAlias("published")


def mart(table: str) -> Asset:
    """The asset of a table, `marts.name`."""
    return Asset(name=table, uri=f"lake://{table.replace('.', '/')}", group="marts")
