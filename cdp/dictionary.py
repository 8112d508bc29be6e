"""The data dictionary: what each table of the project holds, as a page, from dbt's manifest, and
what it promises, from its contract."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cdp.quality import contracts
from cdp.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = ROOT / "docs" / "data-dictionary.md"
CONTRACTS = ROOT / "contracts"
LAYERS = ("marts", "intermediate", "staging", "monitoring", "seeds")
HEAD = """# Data dictionary

What each table holds, column by column. Written by `make dictionary` from the descriptions in
`models/`, `snapshots/` and `seeds/`; `make docs` shows the same with the lineage. What is promised
stands in `contracts/`: a run that breaks a promise is not published, unless it only warns.
"""


@dataclass
class Promised:
    """What a contract says of a table, and of its columns by name, in words."""

    of_table: list[str] = field(default_factory=list)
    of_columns: dict[str, str] = field(default_factory=dict)


def promised(contract: dict[str, Any]) -> Promised:
    """What a Soda contract promises. Raises KeyError for a kind of check that has no words here."""
    found = Promised([_of_table(*_check(c)) for c in contract.get("checks") or []])
    for column in contract.get("columns") or []:
        checks = (_of_column(column, *_check(c)) for c in column.get("checks") or [])
        found.of_columns[column["name"]] = ", ".join(filter(None, checks))
    return found


def _check(told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((kind, settings),) = told.items()
    return kind, settings or {}


def _of_table(kind: str, told: dict[str, Any]) -> str:
    names = [f"`{name}`" for name in told.get("columns", [])]
    told_as: dict[str, Callable[[], str]] = {
        "schema": lambda: "these columns, of these types",
        "row_count": lambda: f"rows: {_limit(told)}",
        "duplicate": lambda: f"no two rows agree in {', '.join(names[:-1])} and {names[-1]}",
        "failed_rows": lambda: str(told["name"]),
        "freshness": lambda: f"hours since the last `{told['column']}`: {_limit(told)}",
    }
    words = told_as[kind]()
    return f"{words} (warns)" if told.get("threshold", {}).get("level") == "warn" else words


def _of_column(column: dict[str, Any], kind: str, told: dict[str, Any]) -> str:
    if kind != "invalid":
        limited = f": {_limit(told)}" if "threshold" in told else ""
        return {"missing": "null" if limited else "not null", "duplicate": "unique"}[kind] + limited
    least, most = column.get("valid_min"), column.get("valid_max")
    if values := column.get("valid_values"):
        return f"one of {', '.join(f'`{value}`' for value in values)}"
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"


def _limit(told: dict[str, Any]) -> str:
    """A threshold of a check: its one bound, and the unit when it is not rows."""
    threshold = told["threshold"]
    ((name, bound),) = [(k, v) for k, v in threshold.items() if k.startswith("must_be")]
    unit = " %" if threshold.get("metric") == "percent" else ""
    return f"{name.removeprefix('must_be_').replace('_', ' ')} {bound}{unit}"


def page(manifest: dict[str, Any]) -> str:
    """The page of a manifest, Markdown. Tables come by layer and name, columns in their order."""
    promises = {
        table: promised(yaml.safe_load(path.read_text(encoding="utf-8")))
        for table, path in contracts.find(CONTRACTS).items()
    }
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed", "snapshot"}
    ]
    parts = [HEAD]
    for layer in LAYERS:
        found = sorted((n for n in nodes if n["schema"] == layer), key=lambda n: str(n["name"]))
        parts.append(f"\n## {layer}\n")
        parts += [
            _table(node, promises.get(f"{layer}.{node['name']}", Promised())) for node in found
        ]
    parts.append("\n## raw\n\nWhat has landed, as it was received: [sources.md](sources.md).\n\n")
    parts += [
        f"- `{table}`: {'; '.join(promise.of_table)}.\n"
        for table, promise in promises.items()
        if table.startswith("raw.")
    ]
    return "".join(parts)


def _table(node: dict[str, Any], promise: Promised) -> str:
    is_table = node["config"]["materialized"] != "ephemeral"
    heading = f"`{node['schema']}.{node['name']}`" if is_table else f"`{node['name']}`, no table"
    lines = [f"\n### {heading}\n", _flat(node["description"])]
    if owner := node["config"].get("meta", {}).get("owner"):
        lines.append(f"\nOwner: {owner}.")
    if promise.of_table:
        lines.append(f"\nPromised: {'; '.join(promise.of_table)}.")
    typed = any(column.get("data_type") for column in node["columns"].values())
    heads = ["column", *(["type"] if typed else []), "holds"]
    heads += ["promised"] if any(promise.of_columns.values()) else []
    lines += [f"\n| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for name, column in node["columns"].items():
        cells = {
            "column": f"`{name}`",
            "type": column.get("data_type") or "",
            "holds": _flat(column["description"]),
            "promised": promise.of_columns.get(name, ""),
        }
        lines.append(f"| {' | '.join(cells[head] for head in heads)} |")
    return "\n".join(lines) + "\n"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page from target/manifest.json, or the manifest that is named."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "manifest.json"
    PAGE.write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
