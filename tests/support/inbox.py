"""Inboxes of a test's own on the shared stack: what is put there, and what came of it."""

import io
import itertools
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from cdp import objects
from cdp.landing import inbox
from cdp.landing.ledger import Entry, Ledger
from cdp.landing.source import Source, find
from cdp.settings import Settings
from tests.support.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NUMBERS = itertools.count()
SOURCE = """
source: {system}
table: {table}
description: Of a test.
owner: nobody
format: {form}
{location}
key: [id]
ordering: id
quarantine: {{max_share: 0.5}}
columns:
  - {{name: id, headings: [Event ID], type: string, required: true}}
  - {{name: value, type: string, optional: true}}
"""


def lines(*ids: object) -> bytes:
    """JSON lines with these ids."""
    return b"".join(json.dumps({"id": str(i), "value": "x"}).encode() + b"\n" for i in ids)


@dataclass
class Feed:
    """A source with an inbox."""

    stack: Stack
    folder: Path
    source: Source
    settings: Settings
    s3: "S3Client"

    @classmethod
    def make(cls, stack: Stack, folder: Path, form: str = "json") -> "Feed":
        system = f"inbox_{next(NUMBERS)}"
        return _make(stack, folder, f"{system}.events", form, f"location: inbox/{system}/events/")

    def beside(self, table: str, location: str) -> "Feed":
        """Another source of the same system."""
        return _make(self.stack, self.folder, f"{self.source.source}.{table}", "json", location)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.source, self.settings)

    def key(self, name: str) -> str:
        return self.source.location + name

    def put(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.settings.bucket, Key=self.key(name), Body=body)

    def put_all(self, bodies: Mapping[str, bytes]) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.put, bodies.keys(), bodies.values()))

    def remove(self, name: str) -> None:
        self.s3.delete_object(Bucket=self.settings.bucket, Key=self.key(name))

    def land(self) -> inbox.Outcome:
        """Land what is new, in this process."""
        return inbox.land(self.source, self.settings, lambda _: None)

    def cdp(self, *arguments: str) -> str:
        return self.stack.cdp(*arguments, CDP_SOURCES_DIR=str(self.folder))

    def refused(self, *arguments: str, **more: str) -> str:
        return self.stack.refused(*arguments, CDP_SOURCES_DIR=str(self.folder), **more)

    def environment(self, **more: str) -> dict[str, str]:
        return self.stack.environment(CDP_SOURCES_DIR=str(self.folder), **more)

    def keys(self, zone: str) -> list[str]:
        """The keys of the source in a zone: landing, quarantine, staged or ledger."""
        prefix = f"{zone}/{self.source.source}/{self.source.table}/"
        return list(objects.keys(self.s3, self.settings.bucket, prefix))

    def entries(self) -> list[Entry]:
        return list(self.ledger.entries())

    def rows(self, zone: str = "landing") -> list[dict[str, Any]]:
        """Every row in the Parquet objects of a zone."""
        found: list[dict[str, Any]] = []
        for key in self.keys(zone):
            body = self.s3.get_object(Bucket=self.settings.bucket, Key=key)["Body"].read()
            found += pq.read_table(io.BytesIO(body)).to_pylist()
        return found

    def places(self) -> list[tuple[str, int, str]]:
        """Of each landed row, sorted: the object's name, the line, the id."""
        return sorted(
            (os.path.relpath(r["_source_file"], self.source.location), r["_source_row"], r["id"])
            for r in self.rows()
        )

    def ids(self) -> list[str]:
        return sorted(r["id"] for r in self.rows())


def _make(stack: Stack, folder: Path, name: str, form: str, location: str) -> Feed:
    system, table = name.split(".")
    text = SOURCE.format(system=system, table=table, form=form, location=location)
    (folder / f"{system}_{table}.yml").write_text(text)
    settings = stack.settings()
    return Feed(stack, folder, find(name, folder), settings, objects.client(settings))
