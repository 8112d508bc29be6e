"""What may be asked of `cdp generate`, and the numbers that follow from it."""

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cdp.errors import CdpError
from cdp.generate import counts, parameters, sample, template
from cdp.generate.parameters import Parameters


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"customers": 0}, "--customers is 1 to 50,000,000"),
        ({"customers": 50_000_001}, "--customers is 1 to 50,000,000"),
        ({"days": 0}, "--days"),
        ({"seed": -1}, "--seed"),
        ({"dirt": 0.51}, "--dirt is a share from 0 to 0.5"),
        ({"dirt": math.nan}, "--dirt"),
        ({"name": "a/b"}, "--name"),
        ({"name": "a'; drop"}, "--name"),
        ({"events_per_day": -1.0}, "--events-per-day"),
        ({"objects_per_day": 1441}, "--objects-per-day"),
        ({"until": date(1900, 1, 1)}, "--until"),
    ],
    ids=str,
)
def test_nonsense_is_refused(wrong: dict[str, Any], words: str) -> None:
    asked: dict[str, Any] = {"customers": 10, "days": 10, "seed": 1} | wrong
    with pytest.raises(CdpError, match=words) as error:
        Parameters(**asked)
    assert error.value.fix


def test_what_is_not_asked_follows() -> None:
    small, large = Parameters(300, 14, 7), Parameters(50_000_000, 30, 7)
    assert small.name == "s7"
    assert (small.objects_per_day, large.objects_per_day) == (3, 96)
    assert small.as_stored()["until"] == "2024-12-31"
    assert small.end - small.start == 14 * 86_400


def test_chunks_hold_every_customer_once() -> None:
    asked = Parameters(1_000_000, 30, 1)
    assert [first for _, first, _ in asked.chunks][1:] == [last for *_, last in asked.chunks][:-1]
    assert (asked.chunks[0][1], asked.chunks[-1][2]) == (0, 1_000_000)
    assert asked.chunk * 30 * 2 < 5_000_000


def test_identifiers_cannot_collide_or_overflow() -> None:
    assert math.gcd(parameters.STEP, parameters.PLACES) == 1
    assert parameters.MOST_CUSTOMERS < 2**parameters.CUSTOMER_BITS
    assert parameters.STEP * parameters.MOST_CUSTOMERS + parameters.PLACES < 2**63
    assert 3650 * 86_400 * 2**parameters.CUSTOMER_BITS < 2**63


def test_months_are_those_that_touch_the_period() -> None:
    assert Parameters(10, 31, 1, until=date(2024, 12, 31)).month_offsets == [-29, 1]
    assert Parameters(10, 1, 1, until=date(2024, 12, 1)).month_offsets == [-29]


def test_clocks_are_off_only_with_dirt() -> None:
    assert not Parameters(10, 30, 1, 0).skews
    ahead, behind = Parameters(10, 30, 1).skews
    assert ahead.region != behind.region
    assert ahead.seconds >= 600
    assert behind.seconds <= -300


def test_the_sample_is_whole_and_numbered() -> None:
    table, rows, young = sample.table()
    assert rows == 7043
    assert table.num_rows == rows + len(young)
    assert min(table["sample_no"].to_pylist()) == -len(young)
    assert sum(table["sample_monthly"].to_pylist()[:rows]) == 45_611_660
    assert sum(table["sample_total"].to_pylist()[:rows]) == 1_605_616_870


def test_every_query_is_a_function_of_the_parameters() -> None:
    more: dict[str, int | str] = {
        "first": 0,
        "last": 9,
        "tasks": "",
        "old": 1,
        "young": 1,
        "young_rows": "0",
        "chunk": "c",
    }
    more |= {"view": "v", "initial": ""}
    for path in sorted(template.FOLDER.glob("*.sql")):
        text = template.render(path.stem, Parameters(10, 10, 1), **more)
        assert "rand(" not in text
        assert "current_" not in text
        assert "{{" not in text


def test_counts_are_added_over_the_chunks() -> None:
    rows = [
        {"log": "usage", "counts": {"kind:clean": Decimal("3.0000"), "lines": Decimal(4)}},
        {"log": "usage", "counts": {"kind:garbage": Decimal(1), "lines_broken": Decimal(1)}},
        {"log": "usage", "counts": {"sum_charge": Decimal("0.1000"), "sum_bytes": None}},
    ]
    found = counts.total([counts.of_chunk(rows), counts.of_chunk(rows)])["usage"]
    assert found["rows_by_kind"] == {"clean": 6, "garbage": 2}
    assert (found["lines"], found["lines_landed"], found["rows_landed"]) == (8, 6, 6)
    assert found["sum_charge"] == "0.2000"
