"""Generated customers: the same bytes again, the sample's joint distribution, and the truth."""

import csv
import gzip
import hashlib
import io
import json
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp import objects, spark
from cdp.errors import CdpError
from cdp.generate.job import generate
from cdp.generate.parameters import Parameters
from cdp.generate.sample import PATH, YOUNG_MONTHS
from cdp.generate.work import Job
from cdp.models import ceiling
from cdp.spark import connect
from cdp.stack import postgres
from tests.support.stack import Stack

ASKED = Parameters(300, 21, 11, 0.06, name="test_one", events_per_day=1, objects_per_day=4)
KEYS = {"usage": "event_id", "payments": "payment_id", "tickets": "ticket_id"}
INBOX = {"usage": "usage/events", "payments": "billing/payments", "tickets": "support/tickets"}
TRUTHS = {"usage": "usage_events", "payments": "payments", "tickets": "support_tickets"}
NUMBERS = {
    "usage": ("duration_seconds", "bytes", "charge"),
    "payments": ("amount",),
    "tickets": ("satisfaction",),
}
PSQL = postgres.package() / f"pginstall{postgres.MAJOR}" / "bin" / "psql"
Line = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _token(stack: Stack) -> Iterator[None]:
    """The token that Spark's client reads from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        token = stack.settings().environment()["SPARK_CONNECT_AUTHENTICATE_TOKEN"]
        patch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", token)
        yield
        # Else its client looks for the server when the session of tests has ended it.
        connect(stack.settings()).stop()
        spark._connect.cache_clear()


def job(stack: Stack, asked: Parameters, tasks: int = 0) -> Job:
    return Job(asked, stack.settings(), lambda: connect(stack.settings()), tasks)


@pytest.fixture(scope="module")
def made(stack: Stack) -> str:
    """What the command says, run once for all tests."""
    options = "--customers 300 --days 21 --seed 11 --dirt 0.06 --name test_one"
    more = "--events-per-day 1 --objects-per-day 4"
    return stack.cdp("generate", *options.split(), *more.split())


def stored(stack: Stack, prefix: str) -> dict[str, bytes]:
    """The objects below a prefix, by the rest of their keys."""
    found = stack.settings()
    s3 = objects.client(found)
    return {
        key.removeprefix(prefix): s3.get_object(Bucket=found.bucket, Key=key)["Body"].read()
        for key in objects.keys(s3, found.bucket, prefix)
    }


def everything(stack: Stack, name: str) -> dict[str, str]:
    """The SHA-256 of all that a generation has written, but of the file that tells its name."""
    found = {f"{log}{k}": v for log in INBOX for k, v in stored(stack, inbox(log, name)).items()}
    found |= stored(stack, f"generated/{name}/")
    del found["parameters.json"]
    return {key: hashlib.sha256(body).hexdigest() for key, body in found.items()}


def inbox(log: str, name: str) -> str:
    return f"inbox/{INBOX[log]}/{name}/"


def truth(stack: Stack, table: str) -> list[Line]:
    bodies = stored(stack, f"generated/{ASKED.name}/truth/{table}/").values()
    tables = [pq.read_table(io.BytesIO(body)) for body in bodies]
    rows: list[Line] = pa.concat_tables(tables).to_pylist()
    return rows


def expected(stack: Stack, name: str = ASKED.name) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored(stack, f"generated/{name}/")["expected.json"])
    return found


def parse(line: bytes, key: str) -> Line | None:
    """A line as landing takes it: a JSON object with a key, or None for quarantine."""
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    return row if isinstance(row, dict) and str(row.get(key) or "").strip() else None


def number(value: object) -> Decimal | None:
    """Raises InvalidOperation for what is no number; None for a blank."""
    return None if value in (None, "") else Decimal(str(value))


def test_the_command_tells_what_it_wrote(made: str, stack: Stack) -> None:
    assert "customers 1 to 300 of 300" in made
    for output in ("changes", "inbox", "truth/customers", "postgres"):
        assert output in made
    again = stack.cdp(
        *f"generate --customers 300 --days 21 --seed 11 --dirt 0.06 --name {ASKED.name}"
        " --events-per-day 1 --objects-per-day 4".split()
    )
    assert "is there already" in again
    other = stack.refused(
        *f"generate --customers 301 --days 21 --seed 11 --name {ASKED.name}".split()
    )
    assert "with other parameters: customers 300, dirt 0.06" in other


def test_the_bytes_do_not_depend_on_parallelism(made: str, stack: Stack) -> None:
    session = connect(stack.settings())
    twin = Parameters(**{**vars(ASKED), "name": "test_two"})
    before = session.conf.get("spark.sql.shuffle.partitions")
    session.conf.set("spark.sql.shuffle.partitions", "7")
    session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    try:
        generate(job(stack, twin, tasks=9), lambda _: None)
    finally:
        session.conf.set("spark.sql.shuffle.partitions", before)
        session.conf.unset("spark.sql.adaptive.coalescePartitions.enabled")
    one = everything(stack, ASKED.name)
    assert len(one) > 100
    assert one == everything(stack, twin.name)


@pytest.mark.full
def test_without_dirt_no_line_is_broken_and_each_row_comes_once(stack: Stack) -> None:
    clean = Parameters(120, 7, 12, 0, name="test_clean", events_per_day=1, objects_per_day=1)
    counts = generate(job(stack, clean), lambda _: None)
    for log, key in KEYS.items():
        seen = Counter[tuple[str, str]]()
        for body in stored(stack, inbox(log, clean.name)).values():
            for line in gzip.decompress(body).splitlines():
                row = parse(line, key)
                assert row is not None
                seen[row[key], row["emitted_at"]] += 1
        assert seen.total() == len(seen) == counts[log]["lines"] == counts[log]["lines_landed"]
        assert set(counts[log]["rows_by_kind"]) <= {"clean"}
        assert counts[log]["lines_broken"] == counts[log]["skewed"] == 0


@pytest.mark.parametrize("log", KEYS)
def test_the_truth_is_what_the_lines_hold(made: str, stack: Stack, log: str) -> None:
    counts = expected(stack)[log]
    found = stored(stack, inbox(log, ASKED.name))
    again = {key: body for key, body in found.items() if key.endswith("-again.jsonl.gz")}
    once = {key: body for key, body in found.items() if key not in again}
    for key, body in again.items():
        assert once[key.replace("-again", "")] == body
    assert (len(once), len(again)) == (counts["objects"], counts["objects_redelivered"])

    lines = [line for body in once.values() for line in gzip.decompress(body).split(b"\n")[:-1]]
    assert len(lines) == counts["lines"]
    rows = [row for line in lines if (row := parse(line, KEYS[log]))]
    assert len(rows) == counts["lines_landed"]
    assert len(lines) - len(rows) == counts["lines_broken"] > 0
    distinct = {json.dumps(row, sort_keys=True) for row in rows}
    assert len(distinct) == counts["rows_landed"]

    latest: dict[str, Line] = {}
    rejected = 0
    for row in map(json.loads, distinct):
        try:
            row |= {name: number(row[name]) for name in NUMBERS[log]}
            if log == "payments" and row["amount"] is None:
                raise InvalidOperation
        except InvalidOperation:
            rejected += 1
            continue
        held = latest.get(row[KEYS[log]])
        if held is None or held["emitted_at"] < row["emitted_at"]:
            latest[row[KEYS[log]]] = row
    assert rejected == counts["rejected"]
    true = {row[KEYS[log]]: row for row in truth(stack, TRUTHS[log])}
    assert len(true) == counts["truth_rows"]
    assert set(true) == set(latest)
    for key, row in latest.items():
        assert all(row[name] == true[key][name] for name in NUMBERS[log]), row
        assert row["emitted_at"] == true[key]["emitted_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in ("event_type", "status", "category", "priority"):
            if name in row:
                assert true[key][name].startswith(row[name].strip().lower()), row
    for name in NUMBERS[log]:
        if f"sum_{name}" in counts:
            total = sum(row[name] or 0 for row in true.values())
            assert Decimal(counts[f"sum_{name}"]) == total


def test_rows_come_late_out_of_order_and_twice(made: str, stack: Stack) -> None:
    counts = expected(stack)["usage"]
    kinds = counts["rows_by_kind"]
    assert set(kinds) > {"late", "out_of_order", "duplicate_same", "duplicate_later", "outlier"}
    assert counts["lines_duplicate"] == kinds["duplicate_same"] + kinds["duplicate_later"]
    assert counts["skewed"] > 0
    dirty = 1 - kinds["clean"] / counts["rows_sent"]
    assert 0.04 < dirty < 0.08
    late = swapped = 0
    for key, body in stored(stack, inbox("usage", ASKED.name)).items():
        rows = [parse(line, "event_id") for line in gzip.decompress(body).splitlines()]
        told = [row["emitted_at"] for row in rows if row]
        late += sum(moment[:10] < key[:10] for moment in told)
        swapped += sum(two < one for one, two in pairwise(told))
    assert late
    assert swapped


def test_nothing_is_used_or_paid_after_churn(made: str, stack: Stack) -> None:
    left = {row["customer_id"]: row["churned_at"] for row in truth(stack, "lives")}
    assert any(left.values())
    for table, at in (("usage_events", "true_started_at"), ("payments", "true_paid_at")):
        for row in truth(stack, table):
            assert not left[row["customer_id"]] or row[at] < left[row["customer_id"]]


def test_the_master_follows_from_its_history(made: str, stack: Stack) -> None:
    counts = expected(stack)["customers"]
    history: dict[str, list[Line]] = defaultdict(list)
    for row in sorted(truth(stack, "customer_history"), key=lambda row: row["change_seq"]):
        history[row["customer_id"]].append(row)
    assert len(history) == ASKED.customers
    for states in history.values():
        assert re.fullmatch("cu*d?", "".join(s["op"] for s in states))
        for one, two in pairwise(states):
            assert one["valid_to"] == two["valid_from"]
        assert states[-1]["is_current"]
    alive = {c: s[-1] for c, s in history.items() if s[-1]["op"] != "d"}
    master = {row["customer_id"]: row for row in truth(stack, "customers")}
    assert set(master) == set(alive)
    assert len(master) == counts["truth_rows"]
    for customer, row in master.items():
        for name in ("monthly_charges", "total_charges", "tenure_months", "churn_label", "region"):
            assert row[name] == alive[customer][name]
    changes = stored(stack, f"generated/{ASKED.name}/changes/").values()
    logged = sum(pq.read_table(io.BytesIO(body)).num_rows for body in changes)
    assert logged == counts["changes"] == sum(map(len, history.values()))


def test_customers_are_rows_of_the_sample_not_columns(stack: Stack) -> None:
    """Combinations have the sample's shares, and one that it does not hold never occurs."""
    names = ("contract_type", "internet_service", "payment_method", "tech_support", "gender")
    places = ("Contract", "InternetService", "PaymentMethod", "TechSupport", "gender")
    with PATH.open(encoding="utf-8", newline="") as f:
        real = Counter(tuple(row[p] for p in places) for row in csv.DictReader(f))
    asked = Parameters(20_000, 1, 3)
    drawn = job(stack, asked).draw(0, asked.existing)
    found = Counter({tuple(r[:-1]): r[-1] for r in drawn.groupBy(*names).count().collect()})
    assert set(found) <= set(real)
    assert _distance(real, found) < 0.05
    three, of_three = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for combination in real:
        three[combination[:3]] += real[combination]
        of_three[combination[:3]] += found[combination]
    assert _distance(three, of_three) < 0.03


def _distance(one: Counter[tuple[str, ...]], two: Counter[tuple[str, ...]]) -> float:
    """The total variation distance of two distributions, 0 to 1."""
    return sum(abs(one[k] / one.total() - two[k] / two.total()) for k in one | two) / 2


def test_identifiers_are_unique_and_another_seed_gives_others(stack: Stack) -> None:
    ids = []
    for seed in (3, 4):
        drawn = job(stack, Parameters(20_000, 1, seed)).draw(0, 20_000)
        ids.append({row[0] for row in drawn.select("customer_id").collect()})
    assert [len(found) for found in ids] == [20_000, 20_000]
    assert not ids[0] & ids[1]


@pytest.fixture(scope="module")
def many(stack: Stack) -> Job:
    """Enough lives to count in; `work/lives` of the job has them."""
    asked = Parameters(24_000, 120, 5, name="test_churn")
    work = job(stack, asked)
    work.keep(work.lives(0, asked.customers), "lives")
    return work


def lives_of(work: Job) -> None:
    """Make `lives` those of this job: other tests have their own."""
    work.session.read.parquet(work.path("work/lives")).createOrReplaceTempView("lives")


def test_churn_follows_from_tickets_failed_payments_and_decline(many: Job) -> None:
    """Of those who are there after 60 days, by what had happened until then."""
    lives_of(many)
    asked = many.asked
    day = asked.start + 60 * 86_400
    shares = {}
    for cause in (
        f"least(size(filter(tickets, t -> t < {day})), 2)",
        f"least(size(filter(payments, t -> t.failed and t.at < {day})), 1)",
        f"if(decline_at < {day}, 1, 0)",
        "case contract_type when 'Two year' then 0 when 'One year' then 1 else 2 end",
    ):
        rows = many.session.sql(
            f"select coalesce({cause}, 0), avg(if(churn_at is null, 0, 1)) from lives "  # noqa: S608
            f"where coalesce(churn_at, {asked.end}) >= {day} and not is_new group by 1 order by 1"
        ).collect()
        shares[cause] = [float(row[1]) for row in rows]
        assert len(rows) > 1
        for less, more in pairwise(shares[cause]):
            assert more > 1.2 * less, shares


def test_as_many_churn_as_the_hazards_add_up_to(many: Job) -> None:
    """In all, and where a factor is high: within four standard deviations of a sum of draws."""
    lives_of(many)
    many.frame("hazards", chunk="c0000")
    asked = many.asked
    # The last week is not a whole one, and who leaves after the period is not seen to.
    rows = many.session.sql(f"""
        select sample_churned, is_new, week < 8, sum(hazard), sum(hazard * (1 - hazard)),
            count_if(coalesce((unix_seconds(churned_at) - {asked.start}) div 604800 = week, false))
        from hazards
        join (select customer_id, is_new, timestamp_seconds(churn_at) as churned_at from lives)
        using (customer_id)
        where week < {asked.days // 7}
        group by 1, 2, 3
    """).collect()  # noqa: S608 - numbers of the test
    assert len(rows) == 8
    whole = [sum(row[i] for row in rows) for i in (3, 4, 5)]
    assert whole[2] > 1_000
    for *_, hazards, variance, churned in [*rows, whole]:
        assert abs(churned - hazards) < 4 * variance**0.5 + 1, rows


def test_the_hazards_end_with_churn_and_lead_to_the_sample(made: str, stack: Stack) -> None:
    table = ceiling.read_hazards(stack.settings(), ASKED.name)
    weeks: dict[str, list[Line]] = defaultdict(list)
    for row in sorted(table.to_pylist(), key=lambda row: row["week"]):
        weeks[row["customer_id"]].append(row)
    lives = {row["customer_id"]: row for row in truth(stack, "lives")}
    start, length = datetime.fromtimestamp(ASKED.start, UTC), timedelta(weeks=1)
    left = 0
    for customer, life in lives.items():
        rows = weeks.pop(customer, [])
        for row in rows:
            assert row["week_starts_at"] == start + row["week"] * length
            factor = 2.5 if row["sample_churned"] else 1
            assert row["hazard"] == row["hazard_without_sample"] * factor
            assert 0 < row["hazard"] < 1
        first = -((start - life["known_from"]) // length)
        last = ASKED.days // 7 - 1
        if life["churned_at"]:
            last, left = (life["churned_at"] - start) // length, left + 1
        assert [row["week"] for row in rows] == list(range(first, last + 1)), customer
    assert left
    assert not weeks


def test_the_row_of_the_sample_is_told(made: str, stack: Stack) -> None:
    with PATH.open(encoding="utf-8", newline="") as f:
        sample = list(csv.DictReader(f))
    told: dict[str, Line] = {
        row["customer_id"]: row
        for row in ceiling.read_hazards(stack.settings(), ASKED.name).to_pylist()
    }
    created = {
        row["customer_id"]: row for row in truth(stack, "customer_history") if row["op"] == "c"
    }
    assert len(told) > 290
    for customer, row in told.items():
        real, made_of = sample[row["sample_row"]], created[customer]
        for name, column in {
            "gender": "gender",
            "contract_type": "Contract",
            "internet_service": "InternetService",
            "payment_method": "PaymentMethod",
            "multiple_lines": "MultipleLines",
            "online_backup": "OnlineBackup",
            "streaming_tv": "StreamingTV",
        }.items():
            assert made_of[name] == real[column], (customer, name)
        for name, column in {"partner": "Partner", "dependents": "Dependents"}.items():
            assert made_of[name] is (real[column] == "Yes")
        assert abs(made_of["monthly_charges"] - Decimal(real["MonthlyCharges"])) < 1
        assert row["sample_churned"] is (real["Churn"] == "Yes")
        if made_of["valid_from"].timestamp() == ASKED.start:
            assert abs(made_of["tenure_months"] - int(real["tenure"])) <= 2


def test_the_row_of_the_sample_of_who_signs_up_is_told(many: Job) -> None:
    """They are drawn from a list of the young, and lead to the rows of the file all the same."""
    with PATH.open(encoding="utf-8", newline="") as f:
        sample = list(csv.DictReader(f))
    lives_of(many)
    rows = many.session.sql(
        "select sample_row, sample_churn, gender, contract_type, payment_method, paperless_billing,"
        " tech_support from lives where is_new"
    ).collect()
    assert len(rows) > 1_000
    names = ["Churn", "gender", "Contract", "PaymentMethod", "PaperlessBilling", "TechSupport"]
    for place, *told in rows:
        assert told == [sample[place][name] for name in names]
        assert int(sample[place]["tenure"]) <= YOUNG_MONTHS


def test_a_generation_without_hazards_is_told(stack: Stack) -> None:
    with pytest.raises(CdpError, match="test_none has no hazards"):
        ceiling.read_hazards(stack.settings(), "test_none")


def test_psql_makes_of_the_sql_what_the_truth_holds(
    made: str, stack: Stack, tmp_path: Path
) -> None:
    options = f"--customers 300 --days 21 --seed 11 --dirt 0.06 --name {ASKED.name}"
    more = f"--events-per-day 1 --objects-per-day 4 --sql-to {tmp_path}"
    stack.cdp("generate", *options.split(), *more.split())
    files = sorted(tmp_path.glob("*.sql.gz"))
    assert files[0].name == "0000-schema.sql.gz"
    script = b"".join(gzip.decompress(file.read_bytes()) for file in files)
    dsn = stack.settings().postgres_dsn
    with closing(psycopg2.connect(dsn)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("drop database if exists generated")
            cursor.execute("create database generated")
        try:
            target = dsn.rsplit("/", 1)[0] + "/generated"
            run = [str(PSQL), "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", target]
            subprocess.run(run, input=script, check=True, capture_output=True)
            with closing(psycopg2.connect(target)) as filled, filled.cursor() as cursor:
                cursor.execute("select * from public.customers")
                names = [column.name for column in cursor.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            with session.cursor() as cursor:
                cursor.execute("drop database generated")
    true = {
        row["customer_id"]: {name: row[name] for name in names}
        for row in truth(stack, "customer_history")
        if row["is_current"] and row["op"] != "d"
    }
    assert {row["customer_id"]: row for row in rows} == true
