"""Tables of any values, edges among them, and whether what has landed of them agrees."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from cdp.landing.source import FORMS, Source
from tests.support.delivered import described

SIGNS = [*"aü€𝄞,;'\"\\\n\r\t |0.%-/", "\r\n", "\u00a0", "\u200b", "null", "NaN", "1e5", "\ufeff"]
TYPES = {"text": "string", "flag": "boolean", "whole": "integer", "number": "decimal"} | {
    "moment": "timestamp"
}
# The kinds of Arrow that a column of a type may come in.
KINDS: dict[str, list[pa.DataType]] = {
    "text": [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())],
    "flag": [pa.bool_()],
    "whole": [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint32(), pa.uint64()],
    "number": [pa.decimal128(38, 9), pa.decimal128(12, 2), pa.float64(), pa.float32()],
    "moment": [
        pa.date32(),
        *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")),
        pa.timestamp("us", "Asia/Kolkata"),
    ],
}
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def source(form: str) -> Source:
    columns = ({"name": n, "type": kind, "optional": True} for n, kind in TYPES.items())
    return described(*columns, format=form, quarantine={"max_share": 1})


def values(dice: random.Random, name: str, kind: pa.DataType) -> Iterator[Any]:
    """Values of a column, edges among them."""
    while True:
        if dice.random() < 0.1:
            yield None
        elif name == "text":
            yield "".join(dice.choices(SIGNS, k=dice.randint(0, 9)))
        elif name == "flag":
            yield dice.random() < 0.5
        elif name == "whole":
            bits = kind.bit_width - (0 if "uint" in str(kind) else 1)
            low = 0 if "uint" in str(kind) else -(2**bits)
            yield dice.choice([low, 2**bits - 1, 0, dice.randint(low, 2**bits - 1)])
        elif name == "number" and pa.types.is_decimal(kind):
            digits = dice.randint(1, kind.precision)
            exact = Decimal(dice.randint(-(10**digits) + 1, 10**digits - 1))
            yield exact.scaleb(-kind.scale)
        elif name == "number":
            number = dice.choice([0.1, -0.0, 1e22, 1.5e-7, 123456.789, dice.uniform(-1e6, 1e6)])
            yield pa.scalar(number, kind).as_py()
        else:
            yield _moment(dice, kind)


def _moment(dice: random.Random, kind: pa.DataType) -> date | datetime:
    first, last = FIRST, LAST
    if kind in {pa.timestamp("ns"), pa.timestamp("ns", "UTC")}:  # it holds these years alone
        first, last = (datetime(y, 1, 1, tzinfo=UTC) for y in (1678, 2262))
    if "Kolkata" in str(kind):  # before, zones had seconds, which Arrow's CSV does not write
        first, last = datetime(1950, 1, 1, tzinfo=UTC), last - timedelta(days=1)
    span = int((last - first).total_seconds())
    moment = dice.choice([first, last, first + timedelta(seconds=dice.randint(0, span))])
    if pa.types.is_date(kind):
        return moment.date()
    unit = {"s": 1_000_000, "ms": 1_000}.get(kind.unit, 1)
    moment = moment.replace(microsecond=moment.microsecond // unit * unit)
    if dice.random() < 0.3:
        moment = moment.replace(microsecond=0)
    return moment if kind.tz else moment.replace(tzinfo=None)


def table(seed: int) -> pa.Table:
    dice = random.Random(seed)  # noqa: S311 - the same tables at every run
    rows = dice.randint(1, 60)
    columns: dict[str, pa.Array] = {"id": pa.array([f"k{i}" for i in range(rows)])}
    for name, kinds in KINDS.items():
        kind = dice.choice(kinds)
        found = values(dice, name, kind)
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        made = pa.array([next(found) for _ in range(rows)], plain)
        columns[name] = made.dictionary_encode() if plain != kind else made
    return pa.table(columns)


def agrees(text: str | None, value: Any, kind: str, arrow: pa.DataType) -> bool:  # noqa: ANN401
    """Whether a landed text is a value, or one that staging refuses. Blank text is null."""
    if kind == "string":
        return (text or "") == (value or "")
    pattern = FORMS[kind]
    if text is None or not text.strip() or not pattern or not re.match(pattern, text.strip()):
        # Nothing, where there was nothing; else what staging rejects with the text.
        return value is None or bool(text and text.strip())
    if kind == "boolean":
        return (text.lower() in {"true", "1", "t"}) is value
    if kind == "timestamp":
        return value is not None and _as_moment(text) == _as_moment(str(value))
    if pa.types.is_floating(arrow):
        return bool(pa.scalar(float(text), arrow).as_py() == value)
    return value is not None and Decimal(text) == Decimal(value)


def _as_moment(text: str) -> datetime:
    text = re.sub(r"([.][0-9]{6})0*", r"\1", text.strip().replace("Z", "+00:00").replace(" +", "+"))
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
