"""Sources that are late, by the record of batches and the contracts of raw tables."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdp.plan import late
from cdp.plan.state import Batches
from cdp.quality.checks import Check
from cdp.settings import ROOT

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)


def checks(folder: Path, rule: str, landed_at: str) -> list[Check]:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw" / "events.yml").write_text(f"checks:\n  - freshness: {rule}\n")
    return late.checks(folder, {"usage.events": Batches("raw.events", 3, landed_at)}, NOW)


@pytest.mark.parametrize(
    ("rule", "landed_at", "outcome"),
    [
        ("{column: _landed_at, threshold: {level: warn, must_be_less_than: 6}}", "06:01", "passed"),
        ("{column: _landed_at, threshold: {level: warn, must_be_less_than: 6}}", "06:00", "warned"),
        ("{column: _landed_at, threshold: {must_be_less_than: 6}}", "05:00", "failed"),
        ("{column: _landed_at, threshold: {must_be_less_than_or_equal: 6}}", "06:00", "passed"),
        (
            "{column: _landed_at, unit: minute, threshold: {must_be_less_than: 60}}",
            "10:59",
            "failed",
        ),
    ],
)
def test_a_source_is_late_by_its_contract(
    tmp_path: Path, rule: str, landed_at: str, outcome: str
) -> None:
    (found,) = checks(tmp_path, rule, f"2024-12-31T{landed_at}:00+00:00")
    assert (found.table, found.name, found.outcome) == ("raw.events", "Data is fresh", outcome)


def test_other_columns_and_sources_without_rows_are_left_out(tmp_path: Path) -> None:
    rule = "{column: emitted_at, threshold: {must_be_less_than: 6}}"
    assert checks(tmp_path, rule, "2024-12-01T00:00:00+00:00") == []
    rule = "{column: _landed_at, threshold: {must_be_less_than: 6}}"
    assert checks(tmp_path, rule, "") == []


def test_the_contracts_of_the_project_are_understood() -> None:
    tables = [f"raw.{path.stem}" for path in (ROOT / "contracts" / "raw").glob("*.yml")]
    batches = {table: Batches(table, 1, "2024-01-01T00:00:00+00:00") for table in tables}
    found = late.checks(ROOT / "contracts", batches, NOW)
    assert {c.table for c in found} == set(tables)
    assert {c.outcome for c in found} == {"warned"}
