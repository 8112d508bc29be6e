"""A population with a life, delivered day by day and built in turn, with the truth of it."""

import gzip
import io
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.dbt_log import statements
from cdp import objects
from cdp.settings import Settings
from tests.support.misplaced import misplaced
from tests.support.reading import RUN_TIME, Row, catalog, content, read
from tests.support.stack import CDP, Stack

NAME = "lived"
DAYS = 64
# Until when all is delivered before each build, in turn. A last build has all the rest.
# Features are of every ninth day, and these are.
EVERY = 9
CUTS = [date(2024, 11, 7), date(2024, 11, 16), date(2024, 11, 25), date(2024, 12, 4)]
CUTS += [date(2024, 12, 13)]
# Those of them that are built before the night.
FEW = [CUTS[2]]
LABEL = {"is_label_known", "churned_within_30_days"}
# When a table was built, and from which batches.
BUILT = RUN_TIME | {f"_{name}_batch" for name in ("customers", "usage", "payments", "tickets")}
INBOXES = ("inbox/usage/events/", "inbox/billing/payments/", "inbox/support/tickets/")
# What a build adds to, and must be the same from raw alone.
TABLES = [
    "staging.base_crm_customers",
    "staging.base_usage_events",
    "staging.stg_usage_events__rejected",
    "intermediate.int_customers__latest",
    "intermediate.customers_history",
    "intermediate.int_churns",
    "intermediate.int_usage_daily",
    "intermediate.int_payments__versions",
    "intermediate.int_support_tickets__versions",
    "marts.dim_customers",
    "marts.fct_usage_daily",
    "marts.fct_payments",
    "marts.fct_support_tickets",
    "marts.ftr_customer_churn",
    "marts.ftr_winsor_bounds",
    "marts.agg_churn_by_segment",
    "monitoring.mon_rejected_rows",
]
MARTS = [t for t in TABLES if t.startswith("marts.")]


@dataclass
class Lived:
    """The population, all of it delivered and built.

    as_of: the features of each cut's day as they were when nothing later was known.
    grown: the contents of the tables after the builds in turn.
    rebuilt: the same after a full refresh. uuids: of the tables before it.
    asked: the statements of each node in the last build of what was new.
    misplaced: how many rows came with a date or a customer that others correct, by inbox.
    """

    stack: Stack
    as_of: dict[date, list[Row]]
    grown: dict[str, Counter[str]]
    uuids: dict[str, str]
    rebuilt: dict[str, Counter[str]]
    asked: dict[str, list[str]]
    misplaced: Counter[str]

    def truth(self, table: str) -> list[Row]:
        found = self.stack.settings()
        s3 = objects.client(found)
        rows: list[Row] = []
        for key in objects.keys(s3, found.bucket, f"generated/{NAME}/truth/{table}/"):
            body = s3.get_object(Bucket=found.bucket, Key=key)["Body"].read()
            rows += pq.read_table(io.BytesIO(body)).to_pylist()
        return rows

    def expected(self) -> dict[str, Any]:
        found = self.stack.settings()
        key = f"generated/{NAME}/expected.json"
        body = objects.client(found).get_object(Bucket=found.bucket, Key=key)["Body"].read()
        expected: dict[str, Any] = json.loads(body)
        return expected


class Sender:
    """Delivers what was generated as it would have come: each object when it was due."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.bucket = settings.bucket
        self.s3 = objects.client(settings)
        self.folder = folder
        self.waiting: list[tuple[datetime, str, bytes, dict[str, str]]] = []
        self.misplaced: Counter[str] = Counter()
        for inbox in INBOXES:
            for number, key in enumerate(list(objects.keys(self.s3, self.bucket, inbox))):
                found = self.s3.get_object(Bucket=self.bucket, Key=key)
                due = datetime.fromtimestamp(int(found["Metadata"]["mtime"]), UTC)
                body = found["Body"].read()
                self.waiting.append((due, key, body, found["Metadata"]))
                self.s3.delete_object(Bucket=self.bucket, Key=key)
                # What a row corrects comes before it, or three days late.
                if "-again" not in key:
                    self.misplace(inbox, key, body, number, due)
        home = f"generated/{NAME}/changes/"
        self.changes = {
            key.removeprefix(home).split("/")[0]: key
            for key in objects.keys(self.s3, self.bucket, home)
        }

    def misplace(self, inbox: str, key: str, body: bytes, number: int, due: datetime) -> None:
        """Have earlier versions of some rows of an object wait, which stood elsewhere."""
        rows = misplaced(inbox.split("/")[1], body, number)
        if rows:
            due += timedelta(days=3 if number % 3 == 0 else -3)
            self.misplaced[inbox] += len(rows)
            wrong = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
            told = {"mtime": str(int(due.timestamp()))}
            self.waiting.append((due, f"{key}-wrong.jsonl.gz", gzip.compress(wrong), told))

    def send(self, until: date) -> list[Path]:
        """Put what is due by the end of a day; returns the files of changes of by then."""
        end = datetime.combine(until + timedelta(days=1), datetime.min.time(), UTC)
        due = [each for each in self.waiting if each[0] <= end]
        self.waiting = [each for each in self.waiting if each[0] > end]
        for _, key, body, metadata in due:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=metadata)
        files = []
        for day in [d for d in self.changes if d == "initial" or d <= str(until)]:
            path = self.folder / f"{day}.parquet"
            self.s3.download_file(self.bucket, self.changes.pop(day), str(path))
            files.append(path)
        return files


def deliver(stack: Stack, sender: Sender, until: date) -> None:
    stack.cdp("land", "crm.customers", *map(str, sender.send(until)))
    # Objects without one good line are refused whole, and told; the rest lands.
    stack.run("sh", "-c", '"$0" land || true', CDP)
    stack.cdp("load")


def live(stack: Stack, log: Path, changes: Path, cuts: list[date]) -> Lived:
    """Generate the population, deliver and build it in turn, and build it again from raw alone.

    log: the folder of dbt's log in this stack. changes: where files of the master are put.
    cuts: the days of CUTS after which it is built.
    """
    options = f"--customers 220 --days {DAYS} --seed 21 --dirt 0.06 --name {NAME}"
    more = "--events-per-day 0.6 --objects-per-day 2"
    stack.cdp("generate", *options.split(), *more.split())
    sender = Sender(stack.settings(), changes)
    as_of = {}
    for cut in cuts:
        deliver(stack, sender, cut)
        if cut == cuts[0]:
            # An hourly run may be the first.
            stack.cdp("build", "--exclude", "tag:daily", "--exclude-resource-type", "test")
        stack.cdp("build", "--select", "+ftr_customer_churn", "--exclude-resource-type", "test")
        where = f"as_of_date = '{cut}'"
        as_of[cut] = read(stack, "marts.ftr_customer_churn", BUILT | LABEL, where)
    deliver(stack, sender, date.max - timedelta(days=1))
    assert not sender.waiting
    (log / "dbt.log").unlink()
    stack.cdp("build")
    asked = statements(log / "dbt.log")
    grown = {table: content(read(stack, table, BUILT)) for table in TABLES}
    uuids = {t: str(catalog(stack).load_table(t).metadata.table_uuid) for t in TABLES}
    # It is held against what the tests have passed.
    stack.cdp("build", "--full-refresh", "--exclude-resource-type", "test")
    rebuilt = {table: content(read(stack, table, BUILT)) for table in TABLES}
    return Lived(stack, as_of, grown, uuids, rebuilt, asked, sender.misplaced)
