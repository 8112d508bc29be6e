"""One generation at work: a chunk of customers at a time, computed by Spark, put by object."""

import gzip
import io
import json
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cdp import objects
from cdp.generate import counts, cutter, sample
from cdp.generate.cutter import Written
from cdp.generate.parameters import Parameters
from cdp.generate.template import render
from cdp.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Say = Callable[[str], None]

# Where the objects of a log go, before the generation's name.
INBOX = {
    "usage": "inbox/usage/events",
    "payments": "inbox/billing/payments",
    "tickets": "inbox/support/tickets",
}
TRUTHS = ("usage_events", "payments", "support_tickets")
# How many changes are spelled as SQL at once, about.
CHANGES_A_RUN = 4_000_000


# How many outputs of a chunk are under way at once.
AT_ONCE = 3


@dataclass(frozen=True)
class Output:
    """A frame to write: how its objects are packed, and under which keys they are put."""

    name: str
    frame: "DataFrame"
    pack: cutter.Pack
    keys: Callable[[str, bool], list[str]]
    delivered: Callable[[str], int] | None = None


class Job:
    """One generation: its parameters, its Spark session, and what it has written so far."""

    def __init__(
        self,
        asked: Parameters,
        settings: Settings,
        connect: "Callable[[], SparkSession]",
        tasks: int = 0,
    ) -> None:
        """tasks: in how many customers are drawn; Spark's own choice when 0. It changes no byte."""
        self.asked = asked
        self.settings = settings
        self.connect = connect
        self.tasks = tasks
        self.home = f"generated/{asked.name}/"
        self.s3 = objects.client(settings)
        self.old, self.young = 0, list[int]()

    # The store.

    def read_json(self, name: str) -> dict[str, Any] | None:
        try:
            body = self.s3.get_object(Bucket=self.settings.bucket, Key=self.home + name)["Body"]
        except self.s3.exceptions.NoSuchKey:
            return None
        found: dict[str, Any] = json.loads(body.read())
        return found

    def put(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.settings.bucket, Key=self.home + name, Body=body)

    def put_json(self, name: str, value: dict[str, Any]) -> None:
        self.put(name, (json.dumps(value, indent=2) + "\n").encode())

    # Spark.

    @cached_property
    def session(self) -> "SparkSession":
        session = self.connect()
        # It writes texts that are not UTF-8, which Comet refuses to read.
        session.conf.set("spark.comet.enabled", "false")
        return session

    def frame(self, name: str, alias: str = "", **more: int | str) -> "DataFrame":
        """The query of sql/NAME.sql, known to later queries as `alias`."""
        frame = self.session.sql(render(name, self.asked, **more))
        frame.createOrReplaceTempView(alias or name)
        return frame

    def draw(self, first: int, last: int) -> "DataFrame":
        """The rows of the sample that the customers of these numbers take."""
        if not self.old:
            import pyarrow.parquet as pq

            table, self.old, self.young = sample.table()
            sink = io.BytesIO()
            pq.write_table(table, sink)
            self.put("sample.parquet", sink.getvalue())
            self.session.read.parquet(self.path("sample.parquet")).createOrReplaceTempView("sample")
        tasks = f", 1, {self.tasks}" if self.tasks else ""
        return self.frame(
            "drawn",
            first=first,
            last=last,
            tasks=tasks,
            old=self.old,
            young=len(self.young),
            young_rows=", ".join(map(str, self.young)),
        )

    def keep(self, frame: "DataFrame", view: str) -> None:
        """Compute a frame once, for the several queries that read the view.

        It is kept in the store: the driver is small, and later plans are short.
        """
        path = self.path(f"work/{view}")
        frame.write.mode("overwrite").parquet(path)
        self.session.read.parquet(path).createOrReplaceTempView(view)

    def path(self, name: str) -> str:
        return f"s3a://{self.settings.bucket}/{self.home}{name}"

    def write(self, output: Output) -> Written:
        """Sort a frame by object, and put its objects. All rows of one are in one task."""
        frame, staged = output.frame, f"staged/{output.name}"
        order = [c for c in ("object", "line_order", "tie", "copy") if c in frame.columns]
        (
            frame.repartition("object")
            .sortWithinPartitions(*order)
            .write.mode("overwrite")
            .option("compression", "lz4_raw")
            .option("mapreduce.fileoutputcommitter.algorithm.version", 2)
            .parquet(self.path(staged))
        )
        home = f"{self.home}{staged}/"
        return cutter.cut(self.settings, home, output.pack, output.keys, output.delivered)

    def _inside(self, folder: str, ending: str) -> Callable[[str, bool], list[str]]:
        return lambda name, _: [f"{self.home}{folder}/{name}.{ending}"]

    def _inbox(self, name: str, again: bool) -> list[str]:
        log, _, rest = name.partition("/")
        key = f"{INBOX[log]}/{self.asked.name}/{rest}"
        return [f"{key}.jsonl.gz", *([f"{key}-again.jsonl.gz"] if again else [])]

    def _delivered(self, name: str) -> int:
        """When an object of the inbox is delivered: as its slot of arrival ends."""
        log, day, slot = name.split("/")
        a_day = self.asked.objects_per_day
        length = 86_400 // (a_day if log == "usage" else max(1, a_day // 8))
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return int(begin.timestamp()) + (int(slot.partition("-")[0]) + 1) * length

    def lives(self, first: int, last: int) -> "DataFrame":
        """One row for each customer of these numbers, with all that happens to it."""
        self.draw(first, last)
        return self.frame("lives", "living")

    def chunk(self, number: int, first: int, last: int) -> dict[str, Any]:
        """Make the customers from first to last - 1; what was written and counted, for JSON."""
        label = f"c{number:04d}"
        self.keep(self.lives(first, last), "lives")
        self.frame("states")
        outputs = [
            self._parquet("changes", "changes", label),
            self._parquet("truth/customer_history", "customer_history", label),
            self._parquet("truth/customers", "customers", label),
            self._parquet("truth/lives", "lives_truth", label),
            self._parquet("truth/hazards", "hazards", label),
        ]
        sending = {log: self.frame(log, f"sending_{log}") for log in INBOX}
        written = self._at_once(
            [partial(self.keep, frame, f"sent_{log}") for log, frame in sending.items()], outputs
        )
        lines, *others = [
            self.frame("lines", f"lines_{log}", chunk=label, view=f"sent_{log}") for log in INBOX
        ]
        for other in others:
            lines = lines.unionAll(other)
        lines.createOrReplaceTempView("lines")
        outputs = [Output("inbox", lines, cutter.lines, self._inbox, self._delivered)]
        outputs += [self._parquet(f"truth/{name}", f"truth_{name}", label) for name in TRUTHS]
        counted: list[counts.Counts] = []
        numbers = self.session.sql(render("counts", self.asked))
        count = lambda: counted.append(counts.of_chunk(numbers.collect()))  # noqa: E731
        written |= self._at_once([count], outputs)
        cutter.remove(self.settings, f"{self.home}work/")
        return {"written": written, "counts": counted[0]}

    def _parquet(self, name: str, query: str, label: str) -> Output:
        frame = self.frame(query, chunk=label)
        return Output(name, frame, cutter.parquet, self._inside(name, "parquet"))

    def _at_once(
        self, others: list[Callable[[], None]], outputs: list[Output]
    ) -> dict[str, dict[str, Any]]:
        """Do all: while one has its objects cut, Spark computes another."""

        def timed(output: Output) -> dict[str, Any]:
            started = time.monotonic()
            done = self.write(output)
            return vars(done) | {"seconds": round(time.monotonic() - started, 2)}

        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = [pool.submit(other) for other in others]
            writing = {output.name: pool.submit(timed, output) for output in outputs}
            for each in running:
                each.result()
            return {name: each.result() for name, each in writing.items()}

    def postgres(self) -> Written:
        """The change log as SQL for psql, from its Parquet, a few days at a time."""
        schema = render("postgres_schema", self.asked).encode()
        self.put("postgres/0000-schema.sql.gz", gzip.compress(schema, 6, mtime=0))
        keys = sorted(objects.keys(self.s3, self.settings.bucket, f"{self.home}changes/"))
        groups = [[key] for key in keys if "/initial/" in key]
        days: dict[str, list[str]] = defaultdict(list)
        for key in keys[: len(keys) - len(groups)]:
            days[key.split("/")[3]].append(key)
        a_day = max(1, self.asked.customers // 20)
        a_run = max(1, CHANGES_A_RUN // a_day)
        names = sorted(days)
        for i in range(0, len(names), a_run):
            groups.append([k for name in names[i : i + a_run] for k in days[name]])
        done = Written(1, 1, 0)
        for group in groups:
            folder, _, file = group[0].removeprefix(f"{self.home}changes/").partition("/")
            initial = file.removesuffix(".parquet") if folder == "initial" else ""
            paths = [f"s3a://{self.settings.bucket}/{key}" for key in group]
            self.session.read.parquet(*paths).createOrReplaceTempView("changes")
            frame = self.frame("postgres", "statements", initial=initial)
            keys_of = self._inside("postgres", "sql.gz")
            done += self.write(Output("postgres", frame, cutter.lines, keys_of))
        return done
