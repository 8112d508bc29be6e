"""The Airflow of a stack, by its API."""

import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from cdp.stack import airflow
from tests.support.stack import Stack
from tests.support.waiting import wait_for

OVER = {"success", "failed"}


@dataclass
class Airflow:
    """The Airflow of the shared stack, by its API."""

    stack: Stack
    contracts: Path
    lineage: Path

    @cached_property
    def session(self) -> requests.Session:
        settings = self.stack.settings()
        password = json.loads(airflow.passwords(settings).read_text())[airflow.USER]
        token = requests.post(
            f"{airflow.address(settings)}/auth/token",
            json={"username": airflow.USER, "password": password},
            timeout=30,
        ).json()["access_token"]
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        return session

    def ask(self, path: str, method: str = "GET", **body: Any) -> dict[str, Any]:  # noqa: ANN401
        url = f"{airflow.address(self.stack.settings())}/api/v2/{path}"
        answer = self.session.request(method, url, json=body or None, timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def trigger(self, dag: str) -> str:
        """Start a run; its id."""
        self.ask(f"dags/{dag}", "PATCH", is_paused=False)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return str(self.ask(f"dags/{dag}/dagRuns", "POST", logical_date=now)["dag_run_id"])

    def runs(self, dag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(f"dags/{dag}/dagRuns")["dag_runs"]
        return found

    def states(self, dag: str, run: str) -> dict[str, str]:
        """The states of the tasks of a run."""
        told = self.ask(f"dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {each["task_id"]: each["state"] for each in told}

    def ended(self, dag: str, run: str, seconds: float = 400) -> dict[str, str]:
        """The states of the tasks once a run is over."""
        wait_for(lambda: self.ask(f"dags/{dag}/dagRuns/{run}")["state"] in OVER, seconds, 1)
        return self.states(dag, run)
