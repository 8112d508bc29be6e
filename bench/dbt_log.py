"""Reads from dbt's log which statements each node has asked Spark."""

import json
import re
from collections import defaultdict
from pathlib import Path

# On model.cdp_lakehouse.dim_customers: /* {"app": "dbt", …, "node_id": "model.…"} */
STATEMENT = re.compile(r"On \S+: /\* (\{.*?\}) \*/\s*(.*)")


def statements(log: Path) -> dict[str, list[str]]:
    """Return the first lines of the statements of each node, by its unique id.

    Statements that belong to no node, such as those of dbt's own start and of hooks, are under the
    empty name.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for comment, first_line in STATEMENT.findall(log.read_text(encoding="utf-8")):
        node = json.loads(comment)["node_id"]
        found["" if node.startswith("operation.") else node].append(first_line)
    return found
