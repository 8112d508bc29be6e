"""The state of a table, by what dbt reports of it and of its tests. It needs no Airflow."""

import json
from pathlib import Path

# dbt's statuses of a node that is as it should be.
WELL = {"success", "pass", "warn", "no-op"}


def verdict(nodes: dict[str, str], table: str, tests: list[str], is_over: bool) -> str | None:
    """What became of a table, by dbt's statuses of it and of its tests: success, failed or skipped;
    None while that is not known.

    is_over: whether nothing more will be told.
    """
    status = nodes.get(table)
    if status in {None, "skipped"}:
        return "skipped" if is_over else None
    if status not in WELL or any(nodes.get(test, "pass") not in WELL for test in tests):
        # It may be tried again.
        return "failed" if is_over else None
    return "success" if is_over or all(test in nodes for test in tests) else None


def attached_tests(manifest: Path) -> dict[str, list[str]]:
    """The tests of each node that is a table, by unique ids; unit tests are not of a build."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    found: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        if node["resource_type"] == "test" and node.get("attached_node"):
            found.setdefault(node["attached_node"], []).append(unique_id)
    return found
