"""The real sample as the draw takes it: whole rows, numbered in the order of the file."""

import csv
from typing import TYPE_CHECKING

from cdp.settings import ROOT

if TYPE_CHECKING:
    import pyarrow as pa

PATH = ROOT / "data" / "telco" / "telco_customer_churn.csv"
# The names here of the file's 21 columns, in their order.
COLUMNS = (
    "customer_id",
    "gender",
    "senior_citizen",
    "partner",
    "dependents",
    "sample_tenure",
    "phone_service",
    "multiple_lines",
    "internet_service",
    "online_security",
    "online_backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
    "contract_type",
    "paperless_billing",
    "payment_method",
    "sample_monthly",
    "sample_total",
    "sample_churn",
)
# Who signs up is drawn among customers of at most so many months.
YOUNG_MONTHS = 6


def table() -> tuple["pa.Table", int, list[int]]:
    """The sample, charges in cents; how many rows there are, and which of them are the young.

    A row's sample_no is its place in the file, from 0, the header not counted. A young customer's
    row stands a second time, from -1 down.
    """
    import pyarrow as pa

    with PATH.open(encoding="utf-8", newline="") as f:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in list(csv.reader(f))[1:]]
    young = [i for i, row in enumerate(rows) if int(row["sample_tenure"]) <= YOUNG_MONTHS]
    numbered = [*enumerate(rows), *((-1 - i, rows[place]) for i, place in enumerate(young))]
    columns: dict[str, list[str] | list[int]] = {
        "sample_no": [number for number, _ in numbered],
        "sample_tenure": [int(row["sample_tenure"]) for _, row in numbered],
        "sample_monthly": [_cents(row["sample_monthly"]) for _, row in numbered],
        "sample_total": [_cents(row["sample_total"]) for _, row in numbered],
    }
    texts = [name for name in COLUMNS[1:] if name not in columns]
    columns |= {name: [row[name] for _, row in numbered] for name in texts}
    return pa.table(columns), len(rows), young


def _cents(text: str) -> int:
    euros, _, cents = text.strip().partition(".")
    return int(euros or 0) * 100 + int(cents.ljust(2, "0") or 0)
