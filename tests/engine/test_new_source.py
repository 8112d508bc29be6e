"""A new source needs a file, and no code: CSV with headings of its own, JSON lines, Parquet, and a
table in Postgres."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp import objects
from tests.support.stack import SAMPLE, Stack

# The sample's headings, as another export of the same system has them.
OTHER = {
    "customerID": "CustomerID",
    "gender": "Gender",
    "SeniorCitizen": "Senior Citizen",
    "tenure": "Tenure Months",
    "Contract": "Contract",
    "MonthlyCharges": "Monthly Charges",
    "TotalCharges": "Total Charges",
    "Churn": "Churn Label",
}
MARKETING = """
source: marketing
table: customers
description: The customers as marketing exports them.
owner: marketing
format: csv
key: [customer_id]
ordering: exported_at
columns:
  - {name: customer_id, type: string, required: true}
  - {name: gender, type: string}
  - {name: is_senior_citizen, headings: [Senior Citizen], type: boolean}
  - {name: tenure_months, type: integer}
  - {name: contract_type, headings: [Contract], type: string}
  - {name: monthly_charges, type: decimal}
  - {name: total_charges, type: decimal}
  - {name: churn_label, type: boolean}
  - {name: exported_at, type: timestamp, default: effective_at}
"""
CALLS = """
source: callcentre
table: calls
description: Calls to the call centre.
owner: support
format: {format}
location: {location}
key: [call_id]
ordering: called_at
columns:
  - {{name: call_id, headings: [Call No], type: string, required: true}}
  - {{name: customer_id, type: string}}
  - {{name: waited_seconds, headings: [Seconds Waited], type: integer}}
  - {{name: called_at, type: timestamp}}
"""
ROWS = [
    {
        "call_id": f"c{n}",
        "customer_id": "7590-VHVEG",
        "Seconds Waited": n,
        "called_at": "2024-12-01",
    }
    for n in range(100)
]


def sources(folder: Path, text: str) -> str:
    (folder / "sources").mkdir()
    (folder / "sources" / "new.yml").write_text(text)
    return str(folder / "sources")


def calls(stack: Stack, table: str = "callcentre_calls") -> list[dict[str, Any]]:
    return stack.query(
        "select count(*) as n, count(distinct call_id) as calls, "  # noqa: S608
        f"sum(cast(waited_seconds as bigint)) as waited from raw.{table}"
    )


def test_a_file_of_the_same_domain_with_other_headings(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    with SAMPLE.open(newline="") as f, path.open("w", newline="") as out:
        writer = csv.DictWriter(out, [*OTHER.values(), "CLTV"])
        writer.writeheader()
        for row in csv.DictReader(f):
            renamed = {new: row[old] for old, new in OTHER.items()} | {"CLTV": "4711"}
            renamed["Senior Citizen"] = "Yes" if row["SeniorCitizen"] == "1" else "No"
            writer.writerow(renamed)
    folder = sources(tmp_path, MARKETING)
    told = stack.cdp("land", "marketing.customers", str(path), CDP_SOURCES_DIR=folder)
    assert "landed: 7043 rows" in told
    stack.cdp("load", "marketing.customers", CDP_SOURCES_DIR=folder)
    (row,) = stack.query("""
        select
            count(*) as customers,
            count_if(churn_label = 'Yes') as churned,
            count_if(is_senior_citizen = 'Yes') as seniors,
            cast(sum(cast(monthly_charges as decimal(10, 2))) as varchar) as monthly_charges,
            sum(cast(tenure_months as bigint)) as tenure_months,
            count_if(json_extract_scalar(_extra, '$.CLTV') = '4711') as surplus
        from raw.marketing_customers
    """)
    assert row == {
        "customers": 7043,
        "churned": 1869,
        "seniors": 1142,
        "monthly_charges": "456116.60",
        "tenure_months": 227990,
        "surplus": 7043,
    }


@pytest.mark.parametrize("kind", ["json", "parquet", "csv"])
def test_objects_of_an_inbox_in_each_format(stack: Stack, tmp_path: Path, kind: str) -> None:
    location = f"inbox/callcentre/{kind}/"
    text = CALLS.format(format=kind, location=location).replace("table: calls", f"table: {kind}")
    folder = sources(tmp_path, text)
    path = tmp_path / "object"
    if kind == "json":
        path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in ROWS).encode()))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    found = stack.settings()
    objects.client(found).upload_file(str(path), found.bucket, f"{location}2024-12-01.{kind}")
    stack.cdp("land", "callcentre", CDP_SOURCES_DIR=folder)
    stack.cdp("load", "callcentre", CDP_SOURCES_DIR=folder)
    expected = [{"n": 100, "calls": 100, "waited": sum(range(100))}]
    assert calls(stack, f"callcentre_{kind}") == expected


def test_a_table_in_postgres(stack: Stack, tmp_path: Path) -> None:
    text = CALLS.format(format="postgres", location="public.calls")
    folder = sources(tmp_path, text)
    connection = psycopg2.connect(stack.settings().postgres_dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "create table public.calls (call_id text primary key, customer_id text, "
                "seconds_waited integer, called_at timestamptz)"
            )
            for row in ROWS:
                cursor.execute("insert into public.calls values (%s, %s, %s, %s)", [*row.values()])
        stack.cdp("capture", "callcentre", "--once", CDP_SOURCES_DIR=folder)
        stack.cdp("load", "callcentre", CDP_SOURCES_DIR=folder)
        assert calls(stack) == [{"n": 100, "calls": 100, "waited": sum(range(100))}]
        with connection.cursor() as cursor:
            cursor.execute("update public.calls set seconds_waited = 1000 where call_id = 'c0'")
            cursor.execute("delete from public.calls where call_id = 'c1'")
        stack.cdp("capture", "callcentre", "--once", CDP_SOURCES_DIR=folder)
        stack.cdp("load", "callcentre", CDP_SOURCES_DIR=folder)
        changes = (
            "select _op as op, call_id, waited_seconds from raw.callcentre_calls "
            "where _op != 'r' order by _lsn, _source_row"
        )
        assert stack.query(changes) == [
            {"op": "u", "call_id": "c0", "waited_seconds": "1000"},
            {"op": "d", "call_id": "c1", "waited_seconds": None},
        ]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
                "where slot_name = 'cdp_callcentre_calls'"
            )
        connection.close()
