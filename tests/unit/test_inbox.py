"""Which objects of an inbox are deliveries."""

import pytest

from cdp.landing.inbox import is_delivered


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("_SUCCESS", 0),
        ("_SUCCESS", 12),
        ("dt=2025-01-01/_temporary/0/task/part-0.json", 99),
        ("_delta_log/00000.json", 99),
        (".part-0.json.crc", 12),
        ("part-0.json.crc", 12),
        ("events_$folder$", 0),
        ("dt=2025-01-01/", 0),
        ("part-0.json", 0),
        ("part-0.json._COPYING_", 99),
        ("part-0.json.tmp", 99),
        (".hidden/part-0.json", 99),
    ],
)
def test_what_a_writer_leaves_beside_its_objects_is_no_delivery(name: str, size: int) -> None:
    assert not is_delivered(name, size)


@pytest.mark.parametrize(
    "name",
    ["part-0.json", "dt=2025-01-01/part_0.json", "a/b.c/d", "crc", "x.tmp.json", "a_$folder$/b"],
)
def test_other_objects_are_deliveries(name: str) -> None:
    assert is_delivered(name, 1)
