"""The SQL layer on a population with a life, delivered day by day, against the truth of it."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.dbt_log import statements
from cdp import objects
from cdp.settings import ROOT
from tests.support.checkout import Checkout
from tests.support.events import usage_event
from tests.support.lived import (
    BUILT,
    CUTS,
    FEW,
    LABEL,
    MARTS,
    TABLES,
    Lived,
)
from tests.support.reading import catalog, content, read
from tests.support.stack import CDP, Stack

# Its population is delivered and built in turn, up to six times, before the first test.
pytestmark = pytest.mark.timeout(1800)
each_cut = pytest.mark.parametrize(
    "day", [pytest.param(c, marks=() if c in FEW else pytest.mark.full) for c in CUTS], ids=str
)


# What is built piece by piece is what is built at once.


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_grew_is_the_one_that_is_built_at_once(lived: Lived, table: str) -> None:
    assert lived.grown[table]
    assert lived.grown[table] == lived.rebuilt[table]


def of_tables(asked: dict[str, list[str]]) -> dict[str, list[str]]:
    """Keep the statements of models and snapshots."""
    return {node: each for node, each in asked.items() if node.startswith(("model.", "snapshot."))}


def test_a_model_asks_four_statements_at_most(lived: Lived) -> None:
    assert len(of_tables(lived.asked)) > 20
    assert not {node: asked for node, asked in of_tables(lived.asked).items() if len(asked) > 4}
    assert not {n: a for n, a in lived.asked.items() if n.startswith("seed.") and len(a) > 4}
    assert not {n: a for n, a in lived.asked.items() if n.startswith("test.") and len(a) > 1}


def test_a_model_without_new_rows_asks_nothing_of_plain_dbt_too(
    lived: Lived, tmp_path: Path
) -> None:
    own: dict[str, str] = lived.stack.settings().environment() | {"DBT_LOG_PATH": str(tmp_path)}
    dbt = str(Path(CDP).with_name("dbt"))
    select = ["--exclude-resource-type", "unit_test", "test"]
    lived.stack.run(dbt, "build", *select, ok=True, cwd=ROOT, **own)
    idle = of_tables(statements(tmp_path / "dbt.log"))
    # The newest batch left no row in these, so they look at it again.
    assert {node.split(".")[-1] for node in idle} <= {"int_churns", "mon_drift"}, idle


def test_a_full_refresh_is_a_new_snapshot_of_the_same_table(lived: Lived) -> None:
    for table, uuid in lived.uuids.items():
        found = catalog(lived.stack).load_table(table)
        assert str(found.metadata.table_uuid) == uuid
        assert len(found.snapshots()) > 1


@each_cut
def test_features_of_a_day_do_not_see_what_was_known_later(lived: Lived, day: date) -> None:
    """Built from the data up to that day, and from all of it."""
    where = f"as_of_date = '{day}'"
    now = read(lived.stack, "marts.ftr_customer_churn", BUILT | LABEL, where)
    assert len(now) > 150
    assert content(now) == content(lived.as_of[day])
    assert any(row["usage_events_30d"] for row in now)


# What is built is what happened.


def test_usage_is_that_of_the_truth(lived: Lived) -> None:
    days: dict[tuple[str, date], list[Any]] = {}
    for event in lived.truth("usage_events"):
        key = (event["customer_id"], event["started_at"].date())
        day = days.setdefault(key, [0, 0, 0, 0])
        day[0] += 1
        day[1] += event["duration_seconds"] or 0 if event["event_type"] == "voice" else 0
        day[2] += event["bytes"] or 0
        day[3] += event["charge"] or 0
    found = {
        (r["customer_id"], r["usage_date"]): [
            r["events"],
            r["call_seconds"],
            r["data_bytes"],
            r["charges"],
        ]
        for r in read(lived.stack, "marts.fct_usage_daily")
    }
    assert found == days


def test_payments_and_tickets_are_those_of_the_truth(lived: Lived) -> None:
    paid = {
        r["payment_id"]: (r["payment_status"], r["amount"], r["payment_method"], r["paid_at"])
        for r in read(lived.stack, "marts.fct_payments")
    }
    assert paid == {
        r["payment_id"]: (r["status"], r["amount"], r["method"], r["paid_at"])
        for r in lived.truth("payments")
    }
    opened = {
        r["ticket_id"]: (r["category"], r["priority"], r["satisfaction"], r["closed_at"])
        for r in read(lived.stack, "marts.fct_support_tickets")
    }
    assert opened == {
        r["ticket_id"]: (r["category"], r["priority"], r["satisfaction"], r["closed_at"])
        for r in lived.truth("support_tickets")
    }


def test_customers_and_their_history_are_those_of_the_truth(lived: Lived) -> None:
    master = {r["customer_id"]: r for r in lived.truth("customers")}
    found = {r["customer_id"]: r for r in read(lived.stack, "marts.dim_customers", {"_batch"})}
    assert set(found) == set(master)
    for customer, row in found.items():
        assert row == {name: master[customer][name] for name in row}, customer
    true = Counter(
        (r["customer_id"], r["valid_from"], r["valid_to"], r["region"], r["monthly_charges"])
        for r in lived.truth("customer_history")
        if r["op"] != "d"
    )
    history = Counter(
        (r["customer_id"], r["valid_from"], r["valid_to"], r["region"], r["monthly_charges"])
        for r in read(lived.stack, "intermediate.customers_history")
        if not r["is_deleted"]
    )
    assert history == true
    assert any(r["is_deleted"] for r in read(lived.stack, "intermediate.customers_history"))


def test_the_label_is_whether_the_customer_left_in_the_thirty_days_after(lived: Lived) -> None:
    left = {r["customer_id"]: r["churned_at"] for r in lived.truth("lives")}
    rows = read(lived.stack, "marts.ftr_customer_churn")
    last = max(row["as_of_date"] for row in rows)
    seen: Counter[Any] = Counter()
    for row in rows:
        day, churned_at = row["as_of_date"], left[row["customer_id"]]
        # The master tells a minute's changes as it ends.
        told = (churned_at + timedelta(minutes=1)).date() if churned_at else date.max
        expected = None
        if day + timedelta(days=30) < last and told > day:
            expected = told <= day + timedelta(days=30)
        assert row["churned_within_30_days"] is expected, (row["customer_id"], day)
        assert row["has_churned"] is (told <= day)
        seen[expected] += 1
    assert seen[True] > 5
    assert seen[False] > 200
    assert seen[None] > 200


def test_every_line_is_accepted_or_rejected_as_the_truth_says(lived: Lived) -> None:
    rows = lived.stack.query(
        "select source_name, sum(rejected_rows) as n from monitoring.mon_rejected_rows group by 1"
    )
    expected = lived.expected()
    found = {row["source_name"]: row["n"] for row in rows}
    # A row that is delivered twice is rejected twice.
    assert found["usage.events"] >= expected["usage"]["rejected"] > 0
    assert found["billing.payments"] >= expected["payments"]["rejected"] > 0
    assert "crm.customers" not in found
    for source, inbox, raw, base in (
        ("usage", "usage/events", "usage_events", "base_usage_events"),
        ("payments", "billing/payments", "payments", "base_billing_payments"),
        ("tickets", "support/tickets", "support_tickets", "base_support_tickets"),
    ):
        (counts,) = lived.stack.query(
            f"select (select count(*) from raw.{raw}) as raw, "  # noqa: S608
            f"(select count(*) from staging.{base}) as staged"
        )
        misplaced = lived.misplaced[f"inbox/{inbox}/"]
        assert misplaced > 5, source
        landed = expected[source]["lines_landed"] + misplaced
        assert counts["raw"] == counts["staged"] == landed


def test_every_accepted_row_is_current_superseded_or_deleted(lived: Lived) -> None:
    """As the full refresh has counted all batches: what is current is what the marts show."""
    found = {
        row["source_name"]: row
        for row in lived.stack.query(
            "select source_name, sum(accepted_rows) as accepted, sum(current_rows) as current, "
            "sum(superseded_rows) as superseded, sum(deleted_rows) as deleted "
            "from monitoring.mon_accepted_rows group by 1"
        )
    }
    for source, count, base in (
        ("crm.customers", "count(*) from marts.dim_customers", "base_crm_customers"),
        ("usage.events", "sum(events) from marts.fct_usage_daily", "base_usage_events"),
        ("billing.payments", "count(*) from marts.fct_payments", "base_billing_payments"),
        ("support.tickets", "count(*) from marts.fct_support_tickets", "base_support_tickets"),
    ):
        row = found[source]
        (counts,) = lived.stack.query(
            f"select (select {count}) as shown, "  # noqa: S608
            f"(select count_if(not is_rejected) from staging.{base}) as accepted"
        )
        assert row["current"] == counts["shown"] > 0
        assert row["accepted"] == counts["accepted"]
        assert row["accepted"] == row["current"] + row["superseded"] + row["deleted"]
        assert row["superseded"] > 0
        assert (row["deleted"] > 0) is (source == "crm.customers")


# Two engines, one answer.


TRINO_TYPES = {"string": "varchar", "int": "integer", "timestamp": "timestamp(6) with time zone"}


def documented(mart: str) -> dict[str, str]:
    """The columns of a mart with the types that its YAML file says."""
    path = ROOT / "models" / "marts" / f"{mart.removeprefix('marts.')}.yml"
    (model,) = yaml.safe_load(path.read_text())["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def checksum(name: str, kind: str, spark: bool) -> str:
    """An expression that gives the same text in both engines."""
    column = f"`{name}`" if spark else f'"{name}"'
    if kind == "boolean":
        value = f"sum(if({column}, 1, 0))"
    elif kind in {"string", "date", "timestamp"}:
        text = f"cast({column} as {'string' if spark else 'varchar'})"
        if kind == "timestamp" and spark:
            text = f"concat(date_format({column}, 'yyyy-MM-dd HH:mm:ss.SSSSSS'), ' UTC')"
        value = f"sum(crc32({f'cast({text} as binary)' if spark else f'to_utf8({text})'}))"
    else:
        value = f"sum(cast({column} as decimal(38, 4)))"
    return f"cast({value} as {'string' if spark else 'varchar'}) as {name}"


def checksums(mart: str, spark: bool) -> str:
    columns = documented(mart).items()
    sums = [checksum(name, kind, spark) for name, kind in columns]
    counts = [
        f"count({'`' if spark else chr(34)}{n}{'`' if spark else chr(34)})" for n, _ in columns
    ]
    told = [f"{count} as n{i}" for i, count in enumerate(counts)]
    return f"select count(*) as row_count, {', '.join(sums + told)} from {mart}"  # noqa: S608


@pytest.mark.parametrize("mart", MARTS)
def test_spark_and_trino_agree_on_each_mart(lived: Lived, mart: str) -> None:
    (by_trino,) = lived.stack.query(checksums(mart, spark=False))
    (by_spark,) = lived.stack.ask_spark(checksums(mart, spark=True))
    assert by_spark == by_trino
    assert by_trino["row_count"] > 0


@pytest.mark.parametrize("mart", MARTS)
def test_types_are_as_documented_in_both_engines(lived: Lived, mart: str) -> None:
    types = documented(mart)
    told = lived.stack.ask_spark(f"describe table {mart}")
    in_spark = {r["col_name"]: r["data_type"] for r in told}
    assert {name: in_spark[name] for name in types} == types
    rows = lived.stack.query(f"describe {mart}")
    assert {r["Column"]: r["Type"] for r in rows} == {
        name: TRINO_TYPES.get(kind, kind) for name, kind in types.items()
    }


# Backfills.


def files(stack: Stack, table: str, column: str) -> dict[Any, set[str]]:
    """The data files of each partition."""
    found: dict[Any, set[str]] = {}
    for task in catalog(stack).load_table(table).scan().plan_files():
        found.setdefault(task.file.partition[0], set()).add(task.file.file_path)
    return found


def test_a_backfill_computes_just_the_partitions_of_its_days(lived: Lived) -> None:
    day, table = CUTS[2], "marts.ftr_customer_churn"
    for name, column in ((table, "as_of_date"), ("marts.fct_usage_daily", "usage_date")):
        lived.stack.spark(f"delete from lake.{name} where {column} = date '{day}'")  # noqa: S608
    before = files(lived.stack, table, "as_of_date")
    days = ["--from", str(day), "--to", str(day)]
    lived.stack.cdp("build", *days, "--exclude", "monitoring", "--exclude-resource-type", "test")
    for each in MARTS:
        assert content(read(lived.stack, each, BUILT)) == lived.rebuilt[each]
    after = files(lived.stack, table, "as_of_date")
    assert {k for k in after if after[k] != before.get(k)} == {day_number(day)}


def day_number(day: date) -> int:
    """A day as Iceberg's partitions have it."""
    return (day - date(1970, 1, 1)).days


def test_a_day_that_is_no_day_is_told(lived: Lived) -> None:
    told = lived.stack.refused("build", "--from", "2024-12-02", "--to", "2024-12-01")
    assert "from an earlier day to a later one" in told


# Rows that could not be used, once what rejected them is mended. Last: it adds to the tables.

DELIVERED = "inbox/usage/events/dt=2024-12-20/pictures.jsonl"


def test_replay_after_a_mapping_is_mended_publishes_just_those_rows_once(
    lived: Lived, tmp_path: Path
) -> None:
    stack, settings = lived.stack, lived.stack.settings()
    rows = read(stack, "marts.dim_customers")
    one, two = sorted(row["customer_id"] for row in rows)[:2]
    body = usage_event(1, one) + usage_event(2, one) + usage_event(3, two)
    body += usage_event(4, two, event_type="sms", charge=-1)
    objects.client(settings).put_object(Bucket=settings.bucket, Key=DELIVERED, Body=body)
    stack.cdp("land", "usage.events")
    stack.cdp("load")
    before = {table: content(read(stack, table, BUILT)) for table in MARTS}
    untested = ["build", "--exclude-resource-type", "test"]
    stack.cdp(*untested)
    for table in ("marts.fct_usage_daily", "marts.ftr_customer_churn"):
        assert content(read(stack, table, BUILT)) == before[table]

    # They wait, by reason and batch, and are shown as they came.
    shown = [line.split() for line in stack.cdp("quarantine", "list").splitlines()]
    (unmapped,) = [line for line in shown if "event_type_unmapped" in line]
    batch = unmapped[1]
    assert unmapped == ["usage.events", batch, "staging", "event_type_unmapped", "3"]
    assert ["usage.events", batch, "staging", "charge_negative", "1"] in shown
    reason = ["usage.events", "--reason", "event_type_unmapped"]
    told = stack.cdp("quarantine", "show", *reason)
    assert told.count("event_type: mms") == 3
    assert "event_id: picture-1" in told
    assert "pictures.jsonl row 1: event_type_unmapped" in told

    # Replayed without a mend they are rejected again, and wait again.
    assert "3 rows are replayed" in stack.cdp("quarantine", "replay", *reason)
    stack.cdp(*untested, "--select", "+fct_usage_daily", "stg_usage_events__rejected")
    listed = stack.cdp("quarantine", "list")
    assert listed.count("event_type_unmapped") == 1
    assert content(read(stack, "marts.fct_usage_daily", BUILT)) == before["marts.fct_usage_daily"]

    checkout = Checkout(stack, tmp_path / "checkout")
    checkout.edit(
        "seeds/canonical_values.csv", "event_type,v,", "event_type,mms,sms\nevent_type,v,"
    )
    assert "3 rows are replayed" in stack.cdp("quarantine", "replay", *reason)
    assert "0 rows are replayed" in stack.cdp("quarantine", "replay", *reason)
    checkout.run(CDP, "build")
    was, now = (Counter(found) for found in (before["marts.fct_usage_daily"], usage(stack)))
    # Two customers' days have changed, or are new, by these events.
    gained = [json.loads(row) for row in now - was]
    lost = {json.loads(r)["customer_id"]: json.loads(r)["events"] for r in was - now}
    assert {
        row["customer_id"]: row["events"] - lost.get(row["customer_id"], 0) for row in gained
    } == {one: 2, two: 1}
    assert {row["usage_date"] for row in gained} == {"2024-12-20"}
    # The rest still waits.
    listed = stack.cdp("quarantine", "list")
    assert "event_type_unmapped" not in listed
    assert "charge_negative" in listed
    # Once: neither another replay nor another build adds to it.
    assert "0 rows are replayed" in stack.cdp("quarantine", "replay", *reason)
    checkout.run(CDP, "build")
    assert usage(stack) == now


def usage(stack: Stack) -> Counter[str]:
    return content(read(stack, "marts.fct_usage_daily", BUILT))
