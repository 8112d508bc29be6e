"""Versions of rows with another date or customer, which the rows themselves correct."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

# One in so many lines of a log was told wrong before.
EVERY = 40
# The dates of a row, which are wrong together. Of usage, another customer is told, too.
DATES = {
    "usage": ("started_at",),
    "billing": ("billed_at", "paid_at"),
    "support": ("opened_at", "closed_at"),
}
# How far the wrong dates are from the right ones: to the next day, and to another month.
SHIFTS = (timedelta(days=-1), timedelta(days=-33), timedelta(days=1))
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def misplaced(log: str, body: bytes, begin: int) -> list[dict[str, Any]]:
    """Return earlier versions of some rows of an object, at dates or of customers that are wrong.

    log: usage, billing or support. body: JSON lines, compressed. begin: a number that varies what
    is wrong from object to object.
    """
    rows = [row for line in gzip.decompress(body).splitlines() if (row := _parsed(line))]
    wrong = []
    for at in range(0, len(rows), EVERY):
        row, number = rows[at], begin + at // EVERY
        changed = dict(row)
        if log == "usage" and number % 4 == 0:
            changed["customer_id"] = rows[at - 1]["customer_id"]
        else:
            for name in DATES[log]:
                changed[name] = _shifted(row[name], SHIFTS[number % len(SHIFTS)])
        # Numbers that staging rejects stay as they are: so is the row that corrects them rejected.
        changed["emitted_at"] = _shifted(row["emitted_at"], timedelta(seconds=-1))
        wrong.append(changed)
    return wrong


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A row with a key, a customer and dates; None for another line."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not str(row.get("customer_id") or "").strip():
        return None
    keys = [str(row.get(name) or "").strip() for name in ("event_id", "payment_id", "ticket_id")]
    return row if any(keys) else None


def _shifted(moment: str | None, by: timedelta) -> str | None:
    if not moment:
        return moment
    return (datetime.strptime(moment, FORMAT).replace(tzinfo=UTC) + by).strftime(FORMAT)
