"""From what Spark has sorted to objects: each cut out, packed, and put under its own key.

Spark's own writers name objects at random, and take a dozen requests for each. So Spark writes a
few Parquet files of rows sorted by object; here they are read a batch at a time, and each object is
put once. Its bytes follow from its rows alone, whatever the number of files.
"""

import gzip
import io
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp import objects
from cdp.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# How many objects are being packed and put at once.
WORKERS = 4
# Columns that say where a row goes; they are not part of it.
PLACING = ("object", "redelivered", "line_order", "tie", "copy")


@dataclass
class Written:
    """What one output has come to."""

    rows: int = 0
    objects: int = 0
    size: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.rows + other.rows, self.objects + other.objects, self.size + other.size)


Pack = Callable[["pa.Table"], bytes]


def lines(rows: "pa.Table") -> bytes:
    """The lines of an object, gzipped; no time stands in it."""
    text = b"".join(_text(chunk) for chunk in rows["line"].chunks)
    return gzip.compress(text, 6, mtime=0)


def _text(column: Any) -> bytes:  # noqa: ANN401 - a BinaryArray, untyped here
    """The values of a column one after the other: they lie so in memory already."""
    _, offsets, data = column.buffers()
    places = memoryview(offsets).cast("i")
    begin, end = places[column.offset], places[column.offset + len(column)]
    return bytes(memoryview(data)[begin:end]) if data else b""


def parquet(rows: "pa.Table") -> bytes:
    """The rows of an object as Parquet."""
    import pyarrow.parquet as pq

    kept = [name for name in rows.column_names if name not in PLACING]
    sink = io.BytesIO()
    # Without the metadata, in which Spark keeps the columns as they were staged.
    plain = rows.select(kept).replace_schema_metadata(None)
    pq.write_table(plain, sink, compression="zstd")
    return sink.getvalue()


def cut(
    settings: Settings,
    staged: str,
    pack: Pack,
    keys: Callable[[str, bool], list[str]],
    delivered: Callable[[str], int] | None = None,
) -> Written:
    """Put each object of the Parquet below `staged`, and remove what was staged.

    keys: the keys under which an object is put, from its name and whether it is delivered again.
    delivered: when an object was delivered, from its name, in seconds since 1970.
    """
    s3 = objects.client(settings)
    done = Written()

    def put(name: str, again: bool, rows: "pa.Table") -> Written:
        body = pack(rows)
        targets = keys(name, again)
        metadata = {"mtime": str(delivered(name))} if delivered else {}
        for key in targets:
            s3.put_object(Bucket=settings.bucket, Key=key, Body=body, Metadata=metadata)
        return Written(rows.num_rows, len(targets), len(body) * len(targets))

    with ThreadPoolExecutor(WORKERS) as pool:
        running: set[Future[Written]] = set()
        for part in sorted(objects.keys(s3, settings.bucket, staged)):
            if part.endswith(".parquet"):
                with tempfile.TemporaryDirectory() as folder:
                    local = Path(folder) / "part"
                    s3.download_file(settings.bucket, part, str(local))
                    for name, again, rows in _objects(local):
                        running.add(pool.submit(put, name, again, rows))
                        if len(running) >= 3 * WORKERS:
                            ended, running = wait(running, return_when="FIRST_COMPLETED")
                            done = sum((f.result() for f in ended), done)
        done = sum((f.result() for f in running), done)
    remove(settings, staged)
    return done


def _objects(path: Path) -> Iterator[tuple[str, bool, "pa.Table"]]:
    """The objects of a file whose rows are sorted by object."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    name, again, parts = "", False, list["pa.RecordBatch"]()
    for batch in pq.ParquetFile(path).iter_batches(32_768):
        runs = pc.run_end_encode(batch["object"])
        begin = 0
        for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            if value != name and parts:
                yield name, again, pa.Table.from_batches(parts)
                parts = []
            name = value
            if "redelivered" in batch.schema.names:
                again = batch["redelivered"][begin].as_py()
            parts.append(batch.slice(begin, end - begin))
            begin = end
    if parts:
        yield name, again, pa.Table.from_batches(parts)


def remove(settings: Settings, prefix: str) -> None:
    """Delete everything below a prefix."""
    s3 = objects.client(settings)
    found = list(objects.keys(s3, settings.bucket, prefix))
    for i in range(0, len(found), 1000):
        batch: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in found[i : i + 1000]]
        s3.delete_objects(Bucket=settings.bucket, Delete={"Objects": batch, "Quiet": True})
