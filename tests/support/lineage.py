"""Events of OpenLineage, as tests look at them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tables = set[tuple[str, str]]


@dataclass(frozen=True)
class Event:
    """An event: who did what, of whom it is part, and which tables it reads and writes."""

    raw: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.raw["eventType"])

    @property
    def job(self) -> tuple[str, str]:
        return self.raw["job"]["namespace"], self.raw["job"]["name"]

    @property
    def run(self) -> str:
        return str(self.raw["run"]["runId"])

    @property
    def facets(self) -> dict[str, Any]:
        found: dict[str, Any] = self.raw["run"]["facets"]
        return found

    @property
    def parent(self) -> str:
        return str(self.facets.get("parent", {}).get("run", {}).get("runId", ""))

    @property
    def root(self) -> str:
        return str(self.facets.get("parent", {}).get("root", {}).get("run", {}).get("runId", ""))

    @property
    def tag(self) -> str:
        """The run of `cdp runs` that it says it is of."""
        tags = self.facets.get("tags", {}).get("tags", [])
        return "".join(t["value"] for t in tags if t["key"] == "run_id")

    @property
    def sql(self) -> str:
        return str(self.raw["job"]["facets"].get("sql", {}).get("query", ""))

    def tables(self, side: str) -> Tables:
        return {(d["namespace"], d["name"]) for d in self.raw[side]}

    def symlinks(self) -> Tables:
        """What the catalog calls its tables."""
        return {
            (each["namespace"], each["name"])
            for side in ("inputs", "outputs")
            for table in self.raw[side]
            for each in table["facets"].get("symlinks", {}).get("identifiers", [])
        }


def read(folder: Path) -> list[Event]:
    """The events of a folder. A file that is being written to may end in half a line."""
    texts = [path.read_text().splitlines(keepends=True) for path in sorted(folder.glob("*.jsonl"))]
    return of(json.loads(line) for text in texts for line in text if line.endswith("\n"))


def of(raw: Iterable[dict[str, Any]]) -> list[Event]:
    return [Event(each) for each in raw]


def the(events: Iterable[Event], kind: str, namespace: str, name: str) -> Event:
    """The one event of a job that is of a kind."""
    (found,) = (e for e in events if e.kind == kind and e.job == (namespace, name))
    return found


def assert_linked(events: list[Event], dag: str, run_id: str) -> None:
    """Each command of a run is part of a task of Airflow's and of a run of its DAG; what dbt did is
    part of the first; and Spark's statements say of which run they are."""
    own = [e for e in events if e.tag == run_id]

    def of_airflow(name: str) -> set[str]:
        return {e.run for e in events if e.job == ("airflow", name)}

    for command, task in (("build", "write"), ("audit", "audit"), ("publish", "publish")):
        done = the(own, "COMPLETE", "cdp", command)
        assert done.parent in of_airflow(f"{dag}.{task}")
        assert done.root in of_airflow(dag)
    nodes = the(own, "COMPLETE", "dbt", "dbt-run-cdp_lakehouse")
    assert nodes.parent == the(own, "COMPLETE", "cdp", "build").run
    assert any(run_id in e.sql for e in events if e.job[0] == "spark")


def made_by(events: list[Event], name: str) -> set[tuple[str, str]]:
    """The tables that dbt, or Spark, says it has made."""
    return set().union(*(e.tables("outputs") for e in events if e.job[0] == name))
