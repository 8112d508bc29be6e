"""Sources of the system `chaos`, which tests fill with JSON lines."""

from pathlib import Path

# Not its tests: other tests leave batches behind that are not reconciled, as they should be.
RECONCILE = ["--select", "mon_reconciliation", "--exclude-resource-type", "test"]


def source(folder: Path, table: str) -> None:
    (folder / f"chaos_{table}.yml").write_text(
        f"{{source: chaos, table: {table}, description: of a test, owner: nobody, format: json, "
        f"location: inbox/chaos/{table}/, key: [event_id], ordering: event_id, "
        "quarantine: {max_share: 0.9}, columns: ["
        "{name: schedule, type: integer, required: true}, "
        "{name: event_id, type: string, required: true}, {name: payload, type: string}]}"
    )
