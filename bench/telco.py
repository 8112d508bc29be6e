"""The rows of a made-up telco: a year, days and an hour, made by Spark."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cdp.landing.source import Source
from cdp.loading import journal, loader

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# 2024-01-01 in seconds, and the days of that year.
YEAR, DAYS = 1704067200, 366
DAY_SECONDS = 86400

# Sources whose rows are written as Parquet, too, for the jobs that the platform is compared with,
# by the names of their views there.
AS_PARQUET = {
    "customers": "crm.customers",
    "events": "usage.events",
    "payments": "billing.payments",
    "tickets": "support.tickets",
}

# Rows from one number to another, one after the other in time.
NUMBERED = """
    select
        number,
        customer,
        printf('%010d', customer) as customer_id,
        timestamp_micros({since} * 1000000L + bigint((number - {first}) * {step}D)) as at
    from (select id as number, {customer} as customer from range({first}, {until}, 1, 16))
"""
CUSTOMERS = """
    select
        customer_id,
        if(pmod(xxhash64(customer, 1), 2) = 0, 'Male', 'Female') as gender,
        'No' as senior_citizen,
        if(pmod(xxhash64(customer, 2), 2) = 0, 'Yes', 'No') as partner,
        'No' as dependents,
        string(pmod(xxhash64(customer, 3), 72) + 1) as tenure_months,
        'Yes' as phone_service,
        if(pmod(xxhash64(customer, 4), 3) = 0, 'Yes', 'No') as multiple_lines,
        element_at(array('DSL', 'Fiber optic', 'No'), int(pmod(xxhash64(customer, 5), 3)) + 1)
            as internet_service,
        'No' as online_security,
        'Yes' as online_backup,
        'No' as device_protection,
        if(pmod(xxhash64(customer, 6), 4) = 0, 'Yes', 'No') as tech_support,
        'No' as streaming_tv,
        'Yes' as streaming_movies,
        element_at(
            array('Month-to-month', 'One year', 'Two year'),
            int(pmod(xxhash64(customer, number, 7), 3)) + 1
        ) as contract_type,
        'Yes' as paperless_billing,
        element_at(
            array('Electronic check', 'Mailed check', 'Credit card (automatic)'),
            int(pmod(xxhash64(customer, 8), 3)) + 1
        ) as payment_method,
        string(cast(20 + pmod(xxhash64(customer, number, 9), 10000) / 100 as decimal(10, 2)))
            as monthly_charges,
        string(cast(pmod(xxhash64(customer, 10), 700000) / 100 as decimal(12, 2)))
            as total_charges,
        if({is_change} and pmod(xxhash64(number, 11), 20) = 0, 'Yes', 'No') as churn_label,
        element_at(
            array('north', 'east', 'south', 'west'), int(pmod(xxhash64(customer, 12), 4)) + 1
        ) as region,
        'mobile' as product_line,
        string(at) as event_timestamp,
        string(at) as last_updated,
        '{op}' as _op,
        number as _lsn,
        at as _committed_at
    from ({numbered})
"""
EVENTS = """
    select
        concat('E', number) as event_id,
        customer_id,
        element_at(array('voice', 'sms', 'data'), int(pmod(xxhash64(number, 1), 3)) + 1)
            as event_type,
        -- Some are told a day late.
        string(if(pmod(xxhash64(number, 2), 50) = 0, at - interval 1 day, at)) as started_at,
        string(pmod(xxhash64(number, 3), 3600)) as duration_seconds,
        string(pmod(xxhash64(number, 4), 1000000000)) as bytes,
        string(cast(pmod(xxhash64(number, 5), 500) / 100 as decimal(14, 4))) as charge,
        if(pmod(xxhash64(number, 6), 20) = 0, 'yes', 'no') as roaming,
        'north' as region,
        concat('cell-', pmod(xxhash64(number, 7), 1000)) as cell,
        string(at) as emitted_at
    from ({numbered})
"""
PAYMENTS = """
    select
        concat('P', number) as payment_id,
        customer_id,
        date_format(at, 'yyyy-MM') as invoice_month,
        string(at) as billed_at,
        string(cast(20 + pmod(xxhash64(number, 1), 10000) / 100 as decimal(12, 2))) as amount,
        'Mailed check' as method,
        if(pmod(xxhash64(number, 2), 12) = 0, 'failed', 'paid') as status,
        string(at) as paid_at,
        string(at) as emitted_at
    from ({numbered})
"""
TICKETS = """
    select
        concat('T', number) as ticket_id,
        customer_id,
        string(at) as opened_at,
        'billing' as category,
        'low' as priority,
        string(at) as emitted_at
    from ({numbered})
"""
ROWS = {
    "crm.customers": CUSTOMERS,
    "usage.events": EVENTS,
    "billing.payments": PAYMENTS,
    "support.tickets": TICKETS,
}


@dataclass
class Part:
    """A batch of a source: how many rows, from which number, of which customers, and when.

    of_all: whether each customer has one row, in order, as in the first copy of the master.
    """

    source: str
    number: int
    rows: int
    first: int
    customers: int
    since: int
    seconds: int
    of_all: bool = False

    def query(self) -> str:
        customer = "number" if self.of_all else f"pmod(xxhash64(number, 0), {self.customers})"
        numbered = NUMBERED.format(
            customer=customer,
            first=self.first,
            until=self.first + self.rows,
            since=self.since,
            step=self.seconds * 1e6 / self.rows,
        )
        op = "r" if self.of_all else "u"
        return ROWS[self.source].format(
            numbered=numbered, op=op, is_change=str(not self.of_all).lower()
        )


@dataclass(frozen=True)
class Size:
    """How large a telco is, and what happens on its day and in its hour.

    changed: customers that change on the day; events: events of the day; hour: events of the hour.
    """

    customers: int
    events_a_customer: float
    changed: int
    events: int
    hour: int = 20_000

    def year(self) -> list[Part]:
        n = self.customers
        events = int(n * self.events_a_customer)
        span = DAYS * DAY_SECONDS
        return [
            Part("crm.customers", 1, n, 0, n, YEAR, 3600, of_all=True),
            Part("crm.customers", 2, n // 2, n, n, YEAR + 3600, span - 3600),
            Part("usage.events", 1, events, 0, n, YEAR, span),
            Part("billing.payments", 1, events // 3, 0, n, YEAR, span),
            Part("support.tickets", 1, events // 24, 0, n, YEAR, span),
        ]

    def day(self, day: int, batch: int) -> list[Part]:
        """Return what comes in on a day, counted from the year's first."""
        return self.later(day, DAY_SECONDS, batch, self.changed, self.events)

    def one_hour(self, day: int, batch: int) -> list[Part]:
        """Return what comes in in the first hour of a day."""
        return self.later(day, 3600, batch, self.changed // 24, self.hour)

    def later(self, day: int, seconds: int, batch: int, changed: int, events: int) -> list[Part]:
        """Return what comes in within so many seconds of a day: changed customers, and events."""
        since, first = YEAR + day * DAY_SECONDS, 1_000_000_000 * batch
        rows = {
            "crm.customers": changed,
            "usage.events": events,
            "billing.payments": events // 3,
            "support.tickets": events // 24,
        }
        return [
            Part(name, batch, max(count, 1), first, self.customers, since, seconds)
            for name, count in rows.items()
        ]


def put(session: "SparkSession", sources: dict[str, Source], folder: Path, part: Part) -> None:
    """Write a batch as Parquet, and the same rows into the raw table, as a load would."""
    source = sources[part.source]
    columns = loader._columns(source) | loader.LOADED
    given = session.sql(part.query())
    moment = "_committed_at" if part.source == "crm.customers" else "timestamp(emitted_at)"
    traced = {
        "_source_file": f"'bench-{part.number}'",
        "_source_row": "monotonically_increasing_id()",
        "_delivered_at": moment,
        "_landed_at": moment,
        "_batch": f"{part.number}L",
        "_landing_object": f"'bench-{part.number}'",
    }
    told = [
        name if name in given.columns else f"cast({traced.get(name, 'null')} as {kind}) as {name}"
        for name, kind in columns.items()
    ]
    given.selectExpr(*told).createOrReplaceTempView("given")
    # Rows come in the order of time: a file a day and task, without a shuffle.
    session.sql(f"insert into lake.{source.raw_table} select * from given")  # noqa: S608
    if part.source in AS_PARQUET.values():
        landed = session.table(f"lake.{source.raw_table}").where(f"_batch = {part.number}")
        landed.write.parquet(f"file://{folder / source.full_name / str(part.number)}")
    session.sql(
        f"insert into {journal.TABLE} select {part.number}, '{source.full_name}', 'file', "  # noqa: S608
        f"'{source.raw_table}', min(_landed_at), 1, count(*), count(*), 0, array(), null "
        f"from lake.{source.raw_table} where _batch = {part.number}"
    )
