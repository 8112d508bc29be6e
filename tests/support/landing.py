"""A source of Parquet files with many rows, and the keys of the store."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cdp import objects
from tests.support.stack import Stack

ROWS = 200_000
FILES = 4


def write_source(folder: Path, table: str) -> Path:
    folder.mkdir()
    (folder / "source.yml").write_text(
        f"{{source: fault, table: {table}, description: of a test, owner: nobody, format: parquet, "
        "key: [id], ordering: id, columns: [{name: id, type: integer, required: true}, "
        "{name: payload, type: string}]}"
    )
    return folder


def write_files(folder: Path) -> list[str]:
    """Files with ids 1 to FILES * ROWS, each once."""
    paths = []
    for number in range(FILES):
        ids = pa.array(range(number * ROWS + 1, (number + 1) * ROWS + 1), pa.int64())
        path = folder / f"{number}.parquet"
        pq.write_table(pa.table({"id": ids, "payload": ids.cast(pa.string())}), path)
        paths.append(str(path))
    return paths


def keys(stack: Stack, prefix: str) -> list[str]:
    found = stack.settings()
    return list(objects.keys(objects.client(found), found.bucket, prefix))
