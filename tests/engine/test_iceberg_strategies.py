"""How incremental models of macros/iceberg take rows in, and when they do not."""

import pytest
from pyiceberg.table import Table

from cdp import objects
from tests.support.project import Project


def test_strategies_add_replace_and_delete(project: Project) -> None:
    nodes = ["build", "--select", "appended", "overwritten", "upserted"]
    project.dbt(*nodes, batches=6)
    project.dbt(*nodes, batches=8, colour="blue")
    assert project.rows("appended", "batch", "colour") == [(5, "red"), (7, "blue")]
    assert project.rows("overwritten", "batch", "colour") == [
        (4, "red"),
        (5, "red"),
        (6, "blue"),
        (7, "blue"),
    ]
    # 5 is gone; the key that is null in part is one key.
    blue = [(0, 0), (0, 2), (0, 4), (0, 6), (1, 1), (1, 7), (1, None)]
    assert project.rows("upserted", "part", "id", "colour") == sorted(
        ((*key, "blue") for key in blue), key=repr
    )


def test_an_upsert_opens_no_file_of_a_day_that_it_does_not_name(project: Project) -> None:
    project.dbt("build", "--select", "dated", batches=3)
    where = "day = '2024-01-01'"
    (task,) = project.table("dated").scan(row_filter=where).plan_files()
    bucket, _, key = task.file.file_path.removeprefix("s3://").partition("/")
    objects.client(project.stack.settings()).delete_object(Bucket=bucket, Key=key)
    # Of two days, which the project knows of.
    project.dbt("build", "--select", "dated", first=1, batches=3, colour="blue")
    rows = project.table("dated").scan(row_filter=f"not {where}").to_arrow().to_pylist()
    assert [row["colour"] for row in rows] == ["blue", "blue"]


def test_a_merge_replaces_the_rows_of_its_keys(project: Project) -> None:
    build = ["build", "--select", "merged"]
    project.dbt(*build, batches=3)
    first = project.table("merged")
    project.dbt(*build, batches=4, colour="blue")
    # The key that is null in part is one key.
    merged = [(1, 1, "red"), (0, None, "blue"), (1, 3, "blue")]
    assert sorted(project.rows("merged", "part", "id", "colour"), key=repr) == sorted(
        merged, key=repr
    )
    project.dbt(*build, "--full-refresh", batches=2, colour="green")
    assert project.rows("merged", "id", "colour") == [(0, "green"), (1, "green")]
    assert_grown(first, project.table("merged"), snapshots=3)


def test_a_merge_updates_no_column_where_none_is_named(project: Project) -> None:
    project.dbt("build", "--select", "kept", batches=2)
    project.dbt("build", "--select", "kept", batches=3, colour="blue")
    assert project.rows("kept", "id", "colour") == [(0, "red"), (1, "red"), (2, "blue")]


def test_a_microbatch_replaces_its_days_alone_whatever_the_session(project: Project) -> None:
    # What other models of the session have set is not what it relies on.
    project.sql("set spark.sql.sources.partitionOverwriteMode = static")
    build = ["build", "--select", "days", "by_day", "--event-time-start"]
    days = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    project.dbt(*build, days[0], "--event-time-end", days[3], by_day=True, batches=3)
    first = project.table("by_day")
    project.sql("set spark.sql.sources.partitionOverwriteMode = static")
    until = [days[2], "--event-time-end", days[4]]
    project.dbt(*build, *until, by_day=True, batches=4, colour="blue")
    colours = [colour for _, colour in project.rows("by_day", "day", "colour")]
    assert colours == ["red", "red", "blue", "blue"]
    until = [days[0], "--event-time-end", days[4], "--full-refresh"]
    project.dbt(*build, *until, by_day=True, batches=4, colour="green")
    assert project.rows("by_day", "colour") == [("green",)] * 4
    assert_grown(first, project.table("by_day"), snapshots=3 + 2 + 4)


def assert_grown(first: Table, last: Table, snapshots: int) -> None:
    """It is the same table, and what it was is still in it."""
    assert last.metadata.table_uuid == first.metadata.table_uuid
    assert len(last.metadata.snapshots) == snapshots
    was = first.current_snapshot()
    assert was
    assert last.scan(snapshot_id=was.snapshot_id).to_arrow() == first.scan().to_arrow()


@pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        ("odd", 'strategy macro with the name "get_incremental_odd_sql"'),
        ("merge", "merge needs unique_key"),
    ],
)
def test_a_strategy_that_nobody_has_or_without_its_key_is_refused(
    project: Project, strategy: str, problem: str
) -> None:
    name = f"wrong_{strategy}"
    (project.folder / "models" / f"{name}.sql").write_text(
        f"{{{{ config(materialized='incremental', incremental_strategy='{strategy}') }}}} "
        "select 1 as a"
    )
    project.forget()
    try:
        said = project.dbt("build", "--select", name, ok=False)
    finally:
        (project.folder / "models" / f"{name}.sql").unlink()
        project.forget()
    assert problem in said


def test_a_table_is_left_alone_when_the_project_says_that_nothing_is_new(
    project: Project,
) -> None:
    for batches in (6, 5, 7):
        # Not at the first build: there would be no table.
        project.dbt("build", "--select", "quiet", batches=batches)
    assert project.rows("quiet", "batch") == [(5,), (6,)]
    project.dbt("build", "--select", "quiet", "--full-refresh", batches=8)
    assert project.rows("quiet", "batch") == [(8,)]


def test_a_model_as_the_documentation_of_dbt_has_it_works_on_main_and_on_a_branch(
    project: Project,
) -> None:
    build = ["build", "--select", "ordinary"]
    project.dbt(*build, batches=2)
    project.dbt(*build, batches=3, colour="blue")
    found = [(0, "blue"), (1, "blue"), (2, "blue")]
    assert project.rows("ordinary", "id", "colour") == found
    with project.branch("run_of_a_test"):
        project.dbt(*build, batches=4, colour="green")
        # Nothing is later than what the branch has.
        project.dbt(*build, batches=1, colour="red")
    green = [(number, "green") for number in range(4)]
    assert project.rows("ordinary", "id", "colour", branch="run_of_a_test") == green
    assert project.rows("ordinary", "id", "colour") == found


@pytest.mark.parametrize("is_filtered", [False, True], ids=["as configured", "filtered"])
def test_a_copy_on_write_merge_on_a_branch_replaces_what_is_new_on_the_branch(
    project: Project, is_filtered: bool
) -> None:
    """With Spark's filter of groups on, it does not: the setting can go when that case fails."""

    def sql(*statements: str) -> None:
        for statement in statements:
            project.sql(statement.replace("$s", f"lake.{project.schema}"))

    own = "(id int, colour string) using iceberg tblproperties ('write.wap.enabled' = 'true')"
    sql("create namespace if not exists $s", f"create table $s.known {own}")
    sql(f"create table $s.found {own}", "insert into $s.known values (1, 'red')")
    sql("insert into $s.found values (1, 'red')")
    switch = "spark.sql.optimizer.runtime.rowLevelOperationGroupFilter.enabled"
    with project.branch("run_of_a_test"):
        if is_filtered:
            sql(f"set {switch} = true")
        sql("insert into $s.found values (2, 'blue')", "insert into $s.known values (2, 'grey')")
        sql(
            "merge into $s.known as known using (select * from $s.found) as found "
            "on known.id = found.id when matched then update set known.colour = found.colour "
            "when not matched then insert *"
        )
    rows = project.rows("known", "id", "colour", branch="run_of_a_test")
    assert (rows == [(1, "red"), (2, "blue")]) is not is_filtered
