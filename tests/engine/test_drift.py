"""Sudden changes of what comes are found, each kind of them, and clean days raise no alarm."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from cdp.settings import ROOT
from tests.support.project import Project, environment
from tests.support.stack import Stack

SCHEMA = "drift_tests"
CLEAN = 60
LANDED = "mon_landed_batches"
# What is tested: the models as they are, with their seeds and the tests beside them.
FILES = [
    "models/docs.md",
    "models/monitoring/mon_column_profile.sql",
    "models/monitoring/mon_column_profile.yml",
    "models/monitoring/mon_drift.sql",
    "models/monitoring/mon_drift.yml",
    "seeds/drift_thresholds.csv",
    "seeds/accepted_changes.csv",
]
DAY = date(2024, 1, 1) + timedelta(days=CLEAN + 1)


@dataclass(frozen=True)
class Alarm:
    """What a fault must raise, of the table of events."""

    column: str
    metric: str


FAULTS = {
    "nulls": {Alarm("bytes", "null_rate")},
    "renamed": {Alarm("event_type", "null_rate"), Alarm("is_rejected", "stability_index")},
    "hundredfold": {Alarm("charge", "median"), Alarm("charge", "p95")},
    "half": {Alarm("*", "row_count")},
    "again": {Alarm("usage_date", "age")},
}
# Of a whole column and of a whole table; the night runs the others.
FEW = {"nulls", "half"}
each_fault = pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=() if f in FEW else pytest.mark.full) for f in FAULTS]
)


@pytest.fixture(scope="module")
def project(bare_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of the made-up days, with sixty clean ones built."""
    folder = tmp_path_factory.mktemp("drift") / "project"
    shutil.copytree(ROOT / "tests" / "drift", folder)
    shutil.copytree(ROOT / "macros", folder / "macros")
    shutil.copytree(ROOT / "tests" / "macros" / "helpers", folder / "helpers")
    shutil.copytree(ROOT / "tests" / "data" / "generic", folder / "tests" / "generic")
    shutil.copy(ROOT / ".dbtignore", folder)
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    with environment(bare_stack), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMEBODY_SCHEMA", SCHEMA)
        made = Project(bare_stack, folder, SCHEMA)
        build(made, days=CLEAN, fault="none")
        yield made
        made.dbt("run-operation", "forget_schemas")


def build(project: Project, ok: bool = True, **variables: Any) -> str:  # noqa: ANN401
    """Have the days land, and build what is new; what failed when it must fail."""
    project.dbt("run", "--select", LANDED, **variables)
    return project.dbt("build", "--exclude", LANDED, ok=ok, **variables)


def test_clean_days_raise_no_alarm(project: Project) -> None:
    rows = project.rows("mon_drift", "profiled_on", "metric", "is_alarm")
    assert not [row for row in rows if row[2]]
    # All but the first days have a past, and each kind of metric was judged.
    assert len({row[0] for row in rows}) >= 20
    assert {row[1] for row in rows} == {
        "row_count",
        "null_rate",
        "zero_rate",
        "median",
        "age",
        "p95",
        "stability_index",
    }


@each_fault
def test_a_fault_is_found_and_keeps_the_run_from_being_published(
    project: Project, fault: str
) -> None:
    """Each on a branch of its own, after the same clean days."""
    branch = f"fault_{fault}"
    with project.branch(branch):
        said = build(project, ok=False, days=CLEAN + 1, fault=fault, complete_until=str(DAY))
    assert "mon_drift__holds" in said
    rows = project.rows(
        "mon_drift", "column_name", "metric", "profiled_on", "is_alarm", branch=branch
    )
    alarms = {Alarm(column, metric) for column, metric, day, is_alarm in rows if is_alarm}
    assert FAULTS[fault] <= alarms
    assert {row[2] for row in rows if row[3]} == {DAY}
    # A fault is told where it is, not everywhere.
    assert {a.column for a in alarms} <= {a.column for a in FAULTS[fault]} | {"event_id"}


def test_another_clean_day_after_them_raises_no_alarm(project: Project) -> None:
    build(project, days=CLEAN + 1, fault="none", complete_until=str(DAY))
    rows = project.rows("mon_drift", "profiled_on", "is_alarm")
    assert (DAY, False) in rows
    assert not [row for row in rows if row[1]]
