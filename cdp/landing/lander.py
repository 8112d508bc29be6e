"""`cdp land`: a delivered file becomes Parquet in the landing zone, once.

The identity of a delivery is the SHA-256 of its bytes. Before the Parquet is written, a ledger
entry under that identity fixes the object's key and the moment of landing; whoever comes again, a
repeated command or one after a crash, finds the entry and completes exactly that object. An object
appears whole or not at all, as S3 has it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from cdp import objects
from cdp.errors import CdpError
from cdp.landing import reader
from cdp.landing.source import Source
from cdp.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Delivery:
    """The ledger's entry for one file. Times are ISO 8601 in UTC."""

    sha256: str
    source_file: str
    key: str
    landed_at: str
    effective_at: str


@dataclass(frozen=True)
class Landed:
    """What landing a file came to."""

    delivery: Delivery
    rows: int
    quarantined: int
    already: bool


def land(path: Path, source: Source, settings: Settings, effective_at: datetime | None) -> Landed:
    """Land one file for a source. A file whose bytes were landed before is left as it is.

    effective_at: the moment whose state the file tells, where its rows do not; by default when the
        file was last modified.
    Raises CdpError for a file that is not what the source says, and when the store is away.
    """
    if not path.is_file():
        raise CdpError(f"there is no file {path}", "check the path")
    s3 = objects.client(settings)
    try:
        return _land(path, source, settings, effective_at, s3)
    except (BotoCoreError, ClientError) as error:
        raise CdpError(f"the object store does not do it: {error}", "cdp status; cdp up") from error
    except OSError as error:
        raise CdpError(
            f"{path} could not be landed: {error}",
            "free disk space or check permissions, and land it again",
        ) from error


def _land(
    path: Path,
    source: Source,
    settings: Settings,
    effective_at: datetime | None,
    s3: "S3Client",
) -> Landed:
    sha256 = reader.digest(path)
    ledger = f"landing/_ledger/{source.source}/{source.table}/{sha256}.json"
    known = _read_entry(s3, settings.bucket, ledger)
    if known and (size := _landed_rows(s3, settings.bucket, known.key)) is not None:
        return Landed(known, size[0], size[1], already=True)

    moment = effective_at or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    now = datetime.now(UTC)
    delivery = known or Delivery(
        sha256=sha256,
        source_file=path.name,
        key=f"{source.landing_prefix}dt={now.date()}/{sha256[:32]}.parquet",
        landed_at=now.isoformat(),
        effective_at=moment.isoformat(),
    )
    quarantined = reader.Quarantined()
    with TemporaryDirectory(prefix="cdp-land-") as scratch:
        parquet = Path(scratch) / "rows.parquet"
        rows = _write(parquet, reader.read(path, source, quarantined), source, delivery)
        bad = len(quarantined.lines)
        _judge(path, rows, bad, source)
        standing = _enter(s3, settings.bucket, ledger, delivery)
        if standing != delivery:  # another run entered it meanwhile: write what that one would
            delivery, quarantined = standing, reader.Quarantined()
            _write(parquet, reader.read(path, source, quarantined), source, delivery)
        counts = {"rows": str(rows), "quarantined": str(bad)}
        if bad:
            rejects = Path(scratch) / "quarantine.parquet"
            pq.write_table(_quarantine_table(quarantined, delivery), rejects)
            key = delivery.key.replace("landing/", "quarantine/", 1)
            s3.upload_file(str(rejects), settings.bucket, key)
        s3.upload_file(str(parquet), settings.bucket, delivery.key, ExtraArgs={"Metadata": counts})
    return Landed(delivery, rows, bad, already=False)


def _write(target: Path, batches: Iterable[pa.Table], source: Source, delivery: Delivery) -> int:
    """Write the batches with the landing's own columns. Returns the number of rows."""
    rows = 0
    landed_at = pa.scalar(datetime.fromisoformat(delivery.landed_at), pa.timestamp("us", tz="UTC"))
    defaults = [c.name for c in source.columns if c.default == "effective_at"]
    with pq.ParquetWriter(target, schema(source), compression="zstd") as writer:
        for batch in batches:
            table = batch
            for name in defaults:
                filled = pc.fill_null(table[name], delivery.effective_at)
                table = table.set_column(table.schema.get_field_index(name), name, filled)
            count = len(table)
            table = table.append_column(
                "_source_file", pa.repeat(pa.scalar(delivery.source_file), count)
            ).append_column("_landed_at", pa.repeat(landed_at, count))
            writer.write_table(table.select(schema(source).names))
            rows += count
    return rows


def schema(source: Source) -> pa.Schema:
    """The landing schema of a source: its columns as text, then where each row came from."""
    return pa.schema(
        [
            *((c.name, pa.string()) for c in source.columns),
            ("_extra", pa.string()),
            ("_source_file", pa.string()),
            ("_source_row", pa.int64()),
            ("_landed_at", pa.timestamp("us", tz="UTC")),
        ]
    )


def _judge(path: Path, rows: int, bad: int, source: Source) -> None:
    """Refuse a file with nothing to land, or with too much that cannot be."""
    if rows == 0 and bad == 0:
        raise CdpError(
            f"{path} has a heading and no rows", "ask for the file to be delivered again"
        )
    limit = source.quarantine.max_share
    if rows == 0 or bad > limit * (rows + bad):
        raise CdpError(
            f"{bad} of {rows + bad} rows of {path} cannot be parsed; {limit:.0%} are allowed",
            "correct the file, or raise quarantine.max_share of the source",
        )


def _quarantine_table(quarantined: reader.Quarantined, delivery: Delivery) -> pa.Table:
    numbers, texts, reasons = zip(*quarantined.lines, strict=True)
    count = len(numbers)
    return pa.table(
        {
            "text": pa.array(texts, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "_source_file": pa.repeat(pa.scalar(delivery.source_file), count),
            "_source_row": pa.array(numbers, pa.int64()),
            "_landed_at": pa.repeat(
                pa.scalar(datetime.fromisoformat(delivery.landed_at), pa.timestamp("us", tz="UTC")),
                count,
            ),
        }
    )


def _read_entry(s3: "S3Client", bucket: str, key: str) -> Delivery | None:
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if objects.is_error(error, "NoSuchKey", "404"):
            return None
        raise
    return Delivery(**json.loads(body))


def _enter(s3: "S3Client", bucket: str, key: str, delivery: Delivery) -> Delivery:
    """Enter the delivery unless another run was first; returns the entry that stands."""
    body = json.dumps(asdict(delivery)).encode()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
    except ClientError as error:
        if not objects.is_error(error, "PreconditionFailed", "412"):
            raise
    return _read_entry(s3, bucket, key) or delivery


def _landed_rows(s3: "S3Client", bucket: str, key: str) -> tuple[int, int] | None:
    """Rows and quarantined lines of a landed object, None when it is not there."""
    try:
        metadata = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if objects.is_error(error, "404", "NoSuchKey"):
            return None
        raise
    return int(metadata["rows"]), int(metadata["quarantined"])
