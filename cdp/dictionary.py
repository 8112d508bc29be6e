"""The data dictionary: what each table of the project holds, as a page, from dbt's manifest."""

import json
import sys
from pathlib import Path
from typing import Any

from cdp.settings import ROOT

PAGE = ROOT / "docs" / "data-dictionary.md"
LAYERS = ("marts", "intermediate", "staging", "monitoring", "seeds")
HEAD = """# Data dictionary

What each table holds, column by column. Written by `make dictionary` from the descriptions in
`models/`, `snapshots/` and `seeds/`; `make docs` shows the same with the lineage.
"""


def page(manifest: dict[str, Any]) -> str:
    """The page of a manifest, Markdown. Tables come by layer and name, columns in their order."""
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed", "snapshot"}
    ]
    parts = [HEAD]
    for layer in LAYERS:
        found = sorted((n for n in nodes if n["schema"] == layer), key=lambda n: str(n["name"]))
        parts.append(f"\n## {layer}\n")
        parts += [_table(node) for node in found]
    return "".join(parts)


def _table(node: dict[str, Any]) -> str:
    is_table = node["config"]["materialized"] != "ephemeral"
    heading = f"`{node['schema']}.{node['name']}`" if is_table else f"`{node['name']}`, no table"
    lines = [f"\n### {heading}\n", _flat(node["description"])]
    if owner := node["config"].get("meta", {}).get("owner"):
        lines.append(f"Owner: {owner}.")
    typed = any(column.get("data_type") for column in node["columns"].values())
    lines.append("\n| column | type | holds |" if typed else "\n| column | holds |")
    lines.append("| --- | --- | --- |" if typed else "| --- | --- |")
    for name, column in node["columns"].items():
        kind = f" {column.get('data_type') or ''} |" if typed else ""
        lines.append(f"| `{name}` |{kind} {_flat(column['description'])} |")
    return "\n".join(lines) + "\n"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page from target/manifest.json, or the manifest that is named."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "manifest.json"
    PAGE.write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
