"""Deliveries that are not as they should be: each is refused, quarantined or rejected, and told."""

import csv
import gzip
import itertools
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp import objects
from cdp.errors import CdpError
from cdp.landing import lander
from cdp.landing.source import find
from tests.support.stack import SAMPLE, SAMPLE_MOMENT, Stack

SOURCE = """
source: test
table: {table}
description: It's a test's source \\
owner: nobody
format: csv
key: [id]
ordering: last_updated
columns:
  - {{name: id, headings: [Customer ID], type: string, required: true}}
  - {{name: months, headings: [Tenure Months], type: integer}}
  - {{name: last_updated, type: timestamp, default: effective_at}}
"""
NUMBERS = itertools.count()
GOOD = "Customer ID,Tenure Months\na,1\nb,2\nc,\n"


@dataclass
class Feed:
    """A source of its own on the shared stack, one good file already loaded."""

    stack: Stack
    folder: Path
    table: str

    @property
    def name(self) -> str:
        return f"test.{self.table}"

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def land(self, *paths: str) -> str:
        return self.stack.cdp("land", self.name, *paths, CDP_SOURCES_DIR=str(self.folder / "src"))

    def problem(self, path: str) -> str:
        """Why a file is refused, by the function behind `cdp land`."""
        settings = self.stack.settings()
        with pytest.raises(CdpError) as refused:
            lander.land(Path(path), find(self.name, self.folder / "src"), settings)
        assert refused.value.fix
        return refused.value.problem

    def refused(self, *paths: str) -> str:
        sources = str(self.folder / "src")
        return self.stack.refused("land", self.name, *paths, CDP_SOURCES_DIR=sources)

    def load(self) -> str:
        return self.stack.cdp("load", self.name, CDP_SOURCES_DIR=str(self.folder / "src"))

    def rows(self, columns: str = "id, months") -> list[tuple[object, ...]]:
        found = self.stack.query(f"select {columns} from raw.test_{self.table} order by 1, 2")  # noqa: S608
        return [tuple(row.values()) for row in found]

    def landed(self) -> list[str]:
        """Every object of the source: landed, in the ledger, in quarantine, or staged."""
        found = self.stack.settings()
        keys = objects.keys(objects.client(found), found.bucket, "")
        return sorted(k for k in keys if f"/test/{self.table}/" in k)


@pytest.fixture
def feed(stack: Stack, tmp_path: Path) -> Feed:
    """A new source."""
    table = f"feed_{next(NUMBERS)}"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "test.yml").write_text(SOURCE.format(table=table))
    return Feed(stack, tmp_path, table)


def parquet(path: Path, **columns: pa.Array) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_files_that_are_not_what_the_source_says_are_refused_whole(feed: Feed) -> None:
    """One test for all: none changes anything."""
    feed.land(feed.file("good.csv", GOOD))
    before = feed.landed()
    good_parquet = Path(parquet(feed.folder / "p", **{"Customer ID": ["x"], "Tenure Months": [1]}))
    nested = {"Customer ID": ["x"], "Tenure Months": pa.array([{"a": 1}])}
    cases: dict[str, tuple[str | bytes, str]] = {
        "empty.csv": ("", "is empty"),
        "heading.csv": ("Customer ID,Tenure Months\n", "has a heading and no rows"),
        "missing.csv": ("Customer ID,Since\nx,1\n", "no column for months"),
        "twice.csv": ("Customer ID,customer_id,Tenure Months\nx,y,1\n", "2 headings mean id"),
        "types.csv": ("Customer ID,Tenure Months\n1,x\n2,y\n", "column months should hold integer"),
        "binary.csv": (bytes(range(256)) * 9, "it is binary"),
        "text.csv": ("Dear all,\nplease find attached\n", "no column for id, months"),
        "broken.csv": (GOOD + "only one field\n" * 3, "3 of 6 rows"),
        "keyless.csv": ("Customer ID,Tenure Months\n,1\n,2\n", "2 of 2 rows"),
        "broken.jsonl": ('{"customer_id":"x","tenure months":1}\n{"customer_id"\n', "1 of 2 rows"),
        "list.jsonl": ('{"no":["x"],"months":1}\n', "1 of 1 rows"),
        "cut.csv.gz": (gzip.compress(GOOD.encode())[:-9], "is not whole"),
        "empty.csv.gz": (gzip.compress(b""), "is empty"),
        "cut.parquet": (good_parquet.read_bytes()[:-20], "cannot be read as Parquet"),
        "nested.parquet": (
            Path(parquet(feed.folder / "n", **nested)).read_bytes(),
            "nested columns: Tenure Months",
        ),
    }
    for name, (content, words) in cases.items():
        assert words in feed.problem(feed.file(name, content)), name
    # And by the command line, in one line.
    assert "is empty" in feed.refused(feed.file("empty.csv", ""))
    assert feed.landed() == before
    assert "3 rows loaded, 3 in all" in feed.load()
    assert feed.rows() == [("a", "1"), ("b", "2"), ("c", "")]


def test_one_bad_file_among_good_ones_does_not_stop_them(feed: Feed) -> None:
    line = feed.refused(feed.file("empty.csv", ""), feed.file("good.csv", GOOD))
    assert line == "error: 1 of 2 files were not landed"
    assert len([key for key in feed.landed() if key.endswith(".parquet")]) == 1


def test_a_source_with_nothing_landed_does_not_stop_the_others(feed: Feed) -> None:
    (feed.folder / "src" / "idle.yml").write_text(SOURCE.format(table="idle"))
    sources = str(feed.folder / "src")
    line = feed.stack.refused("load", CDP_SOURCES_DIR=sources)
    assert f"nothing has landed for test.idle, {feed.name}" in line
    feed.land(feed.file("good.csv", GOOD))
    shown = feed.stack.cdp("load", CDP_SOURCES_DIR=sources)
    assert "nothing has landed for test.idle" in shown
    assert f"raw.test_{feed.table}: 3 rows loaded, 3 in all" in shown


def test_harmless_differences_between_files_load_into_one_table(feed: Feed) -> None:
    """An extra column, another order, Parquet with types, JSON, a ragged line, a file again."""
    lines = [f"k{n:02},{n}" for n in range(40)]
    lines[10] = "broken"
    shown = feed.land(
        feed.file("good.csv", GOOD),
        feed.file("extra.csv", "Region,Customer ID,Tenure Months\nnorth,extra,4\n"),
        feed.file("order.csv", "TENURE MONTHS,customer_id\n5,order\n"),
        parquet(
            feed.folder / "typed.parquet",
            **{"customer id": pa.array(["typed"]), "tenure_months": pa.array([6], pa.int64())},
        ),
        feed.file("lines.jsonl.gz", gzip.compress(b'{"Customer-ID":"json","months":7,"x":[8]}\n')),
        feed.file("ragged.csv", "Customer ID,Tenure Months\n" + "\n".join(lines) + "\n"),
        feed.file("again.csv", GOOD),
    )
    assert "ragged.csv landed: 39 rows, 1 lines in quarantine" in shown
    assert "again.csv was landed before: 3 rows" in shown
    assert "46 rows loaded, 46 in all" in feed.load()
    rows = {row[0]: row[1:] for row in feed.rows("id, months, _extra")}
    assert rows["extra"] == ("4", '{"Region": "north"}')
    assert rows["order"] == ("5", None)
    assert rows["typed"] == ("6", None)
    assert rows["json"] == ("7", '{"x":[8]}')
    assert [rows[key] for key in "abc"] == [("1", None), ("2", None), ("", None)]

    (key,) = (k for k in feed.landed() if k.startswith("quarantine/"))
    found = feed.stack.settings()
    body = objects.client(found).get_object(Bucket=found.bucket, Key=key)["Body"].read()
    (row,) = pq.read_table(pa.BufferReader(body)).to_pylist()
    assert (row["text"], row["_source_file"], row["_source_row"]) == ("broken", "ragged.csv", 12)
    assert row["reason"] == "1 fields where the heading has 2"


def test_a_column_that_the_source_gains_reaches_the_raw_table(feed: Feed) -> None:
    feed.land(feed.file("good.csv", GOOD))
    feed.load()
    path = feed.folder / "src" / "test.yml"
    path.write_text(path.read_text() + "  - {name: region, type: string}\n")
    feed.land(feed.file("wider.csv", "Customer ID,Tenure Months,Region\nd,4,north\n"))
    assert "1 rows loaded, 4 in all" in feed.load()
    assert feed.rows("id, region") == [("a", None), ("b", None), ("c", None), ("d", "north")]

    path.write_text(path.read_text().replace("  - {name: region, type: string}\n", ""))
    feed.land(feed.file("narrow.csv", "Customer ID,Tenure Months\ne,5\n"))
    assert "1 rows loaded, 5 in all" in feed.load()
    assert feed.rows("id, region")[-1] == ("e", None)


def test_a_new_raw_table_is_loaded_from_the_first_object(feed: Feed) -> None:
    """A table that was dropped, or a lake behind another catalog."""
    feed.land(feed.file("good.csv", GOOD))
    feed.load()
    feed.stack.spark(f"drop table lake.raw.test_{feed.table} purge")
    assert "3 rows loaded, 3 in all" in feed.load()


def test_a_landed_object_that_is_not_parquet_loads_nothing(feed: Feed) -> None:
    found = feed.stack.settings()
    s3 = objects.client(found)
    prefix = f"landing/test/{feed.table}/"
    feed.land(feed.file("good.csv", GOOD))
    feed.load()
    # What is of no batch is not read.
    s3.put_object(Bucket=found.bucket, Key=f"{prefix}dt=2020-01-01/junk.parquet", Body=b"junk")
    before = set(objects.keys(s3, found.bucket, prefix))
    feed.land(feed.file("more.csv", "Customer ID,Tenure Months\nd,4\n"))
    (key,) = set(objects.keys(s3, found.bucket, prefix)) - before
    good = s3.get_object(Bucket=found.bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=found.bucket, Key=key, Body=b"this is not Parquet" * 50)
    sources = str(feed.folder / "src")
    line = feed.stack.refused("load", feed.name, CDP_SOURCES_DIR=sources)
    assert "cannot be read as Parquet" in line
    assert key in line
    assert len(feed.rows()) == 3
    s3.put_object(Bucket=found.bucket, Key=key, Body=good)
    assert "1 rows loaded, 4 in all" in feed.load()


def test_a_value_of_the_wrong_type_is_rejected_in_staging_with_its_reason(
    stack: Stack, tmp_path: Path
) -> None:
    with SAMPLE.open(newline="") as f:
        rows = list(csv.DictReader(f))[:3]
    for row, number in zip(rows, range(3), strict=True):
        row["customerID"] = f"bad-input-{number}"
    rows[1]["MonthlyCharges"] = "twenty"
    rows[1]["Contract"] = "Three year"
    path = tmp_path / "values.csv"
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    accepted_ids = (
        "select customer_id from staging.base_crm_customers "
        "where customer_id like 'bad-input-%' and cardinality(reject_reasons) = 0 order by 1"
    )
    build = ("build", "--select", "base_crm_customers", "stg_crm_customers__rejected")
    try:
        stack.cdp("land", "crm.customers", str(path), "--effective-at", SAMPLE_MOMENT)
        stack.cdp("load", "crm.customers")
        said = stack.cdp(*build)
        assert "rows of new batches: 2 accepted, 1 rejected, 0 quarantined" in said
        accepted = stack.query(accepted_ids)
        assert [r["customer_id"] for r in accepted] == ["bad-input-0", "bad-input-2"]
        rejected = stack.query(
            "select customer_id, array_join(reject_reasons, ',') as reasons, _source_row as line "
            "from staging.stg_crm_customers__rejected"
        )
        assert rejected == [
            {
                "customer_id": "bad-input-1",
                "reasons": "contract_type_unmapped,monthly_charges_not_decimal",
                "line": 3,
            }
        ]
        # A delivery of which most is rejected is not published.
        many = [dict(rows[0], customerID=f"bad-input-{n}") for n in range(10, 40)]
        for row in many[3:]:
            row["Contract"] = "Three year"
        path = tmp_path / "many.csv"
        with path.open("w", newline="") as f:
            writer = csv.DictWriter(f, rows[0])
            writer.writeheader()
            writer.writerows(many)
        stack.cdp("land", "crm.customers", str(path), "--effective-at", SAMPLE_MOMENT)
        stack.cdp("load", "crm.customers")
        said = stack.cdp(*build, ok=False)
        assert "base_crm_customers__few_rows_are_rejected" in said
        assert len(stack.query(accepted_ids)) == 2
    finally:
        stack.spark("delete from lake.raw.crm_customers where customer_id like 'bad-input-%'")
        # What has been taken back is not to be reconciled.
        for table in ("mon_landed_batches", "mon_reconciliation"):
            stack.spark(
                f"delete from lake.monitoring.{table} "  # noqa: S608
                "where source_name = 'crm.customers' and batch > 1"
            )
        stack.cdp(*build, "--full-refresh")
    assert stack.query("select count(*) as n from staging.base_crm_customers") == [{"n": 7043}]
