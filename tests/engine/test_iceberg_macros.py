"""The macros of macros/iceberg, as somebody else's project has them who installs the package."""

from cdp.spark import connect
from tests.support.change_log import (
    BATCHES,
    found_latest,
    found_versions,
    latest_of,
    log,
    scattered,
    seeded,
    versions_of,
    write_changes,
)
from tests.support.project import Project

TRIALS = 60


# A log in any order.


def test_any_order_of_a_log_gives_the_table_and_the_history_of_its_own_order(
    project: Project,
) -> None:
    rng = seeded(20241231)
    logs = {trial: log(rng) for trial in range(TRIALS)}
    # Trial 0 has each change once, all in one batch: the clean one.
    placed = {trial: scattered(rng, changes) for trial, changes in logs.items() if trial}
    placed[0] = [(1, change) for change in logs[0]]
    write_changes(project, placed)
    nodes = ["build", "--select", "latest", "versions"]
    for batch in range(1, BATCHES + 1):
        project.dbt(*nodes, batches=batch)
    latest, versions = found_latest(project), found_versions(project)
    for trial, changes in logs.items():
        assert latest[trial] == latest_of(changes), trial
        assert versions[trial] == versions_of(changes), trial
    assert sum(c.key is None for changes in logs.values() for c in changes) > TRIALS
    # The same from a full refresh, and nothing new from a batch that comes again.
    project.dbt(*nodes, batches=3)
    assert (found_latest(project), found_versions(project)) == (latest, versions)
    project.dbt(*nodes, "--full-refresh", batches=BATCHES)
    assert (found_latest(project), found_versions(project)) == (latest, versions)


# A log's latest rows, as seeds tell them.


def test_the_latest_of_each_key_is_as_the_seed_says_or_the_test_tells(project: Project) -> None:
    project.dbt("build", "--select", "+latest_by", "latest_by_expected")
    assert len(project.rows("latest_by", "id")) == 13
    expected = f"{project.schema}.latest_by_expected"
    was = project.table("latest_by_expected").current_snapshot()
    assert was
    for change in (
        "delete from {} where region = 'us'",  # a row too many
        "insert into {0} select * from {0} where id is null and region is null",  # one copy of two
        "update {} set change_lsn = null where id = 'later'",  # another value
    ):
        project.sql(change.format(f"lake.{expected}"))
        assert "latest_by__equality" in project.dbt("test", "--select", "latest_by", ok=False)
        project.sql(f"call lake.system.rollback_to_snapshot('{expected}', {was.snapshot_id})")
    project.dbt("test", "--select", "latest_by")


# One table for ever.


def test_a_column_gained_is_added_and_one_that_is_lost_stays_null(project: Project) -> None:
    nodes = ["build", "--select", "a_table", "appended", "versions"]
    rng = seeded(7)
    write_changes(project, {1: scattered(rng, log(rng))})
    project.dbt(*nodes, batches=1)
    project.dbt(*nodes, batches=2, wide=True)
    assert project.rows("a_table", "id", "colour", "twice") == [(0, "red", 0), (1, "red", 2)]
    assert project.rows("appended", "batch", "colour", "size") == [
        (0, "red", None),
        (1, None, None),
    ]
    assert {row[0] for row in project.rows("versions", "twice")} > {None, 2}
    project.dbt("build", "--select", "a_table", batches=1)
    assert project.rows("a_table", "id", "colour", "twice") == [(0, "red", None)]


def test_a_rebuild_is_a_new_snapshot_of_the_same_table(project: Project) -> None:
    rng = seeded(3)
    write_changes(project, {1: scattered(rng, log(rng))})
    project.dbt("build", batches=BATCHES)
    names = ["a_table", "appended", "overwritten", "upserted", "latest", "versions"]
    before = {name: project.table(name) for name in names}
    for name in names:
        project.sql(f"alter table lake.{project.schema}.{name} create tag kept")
    project.dbt("build", "--full-refresh", batches=BATCHES, colour="green")
    for name, table in before.items():
        after = project.table(name)
        assert after.metadata.table_uuid == table.metadata.table_uuid, name
        was, now = table.current_snapshot(), after.current_snapshot()
        assert was
        assert now
        assert now.snapshot_id != was.snapshot_id
        assert after.snapshot_by_name("kept") == was
        assert after.scan(snapshot_id=was.snapshot_id).to_arrow().num_rows
    assert {row[0] for row in project.rows("a_table", "colour")} == {"green"}


def test_a_seed_that_has_not_changed_is_left_alone_and_one_that_has_is_written(
    project: Project,
) -> None:
    told = sorted([("red", "f00"), ("blue", "00f"), ("it's % odd", None)], key=repr)
    project.dbt("seed")
    first = project.table("colours")
    assert first.schema().find_field("name").doc == "The colour's name."
    assert project.rows("colours", "name", "hex") == told
    project.dbt("seed")
    project.dbt("seed", "--full-refresh")
    assert project.table("colours").metadata_location == first.metadata_location
    told_otherwise = "update lake.{}.colours set hex = 'fff' where name = 'red'"
    project.sql(told_otherwise.format(project.schema))
    project.dbt("seed")
    assert project.rows("colours", "name", "hex") == told


def test_a_table_is_sorted_as_its_model_says(project: Project) -> None:
    project.dbt("build", "--select", "appended")
    (field,) = project.table("appended").sort_order().fields
    assert project.table("appended").schema().find_column_name(field.source_id) == "colour"


def test_a_view_is_a_table_where_the_catalog_has_none(project: Project) -> None:
    project.dbt("build", "--select", "+a_view", batches=4)
    assert project.rows("a_view", "row_count") == [(4,)]
    project.dbt("build", "--select", "+a_view", batches=6)
    assert project.rows("a_view", "row_count") == [(6,)]


# Branches.


def test_a_run_on_a_branch_leaves_main_as_it_is(project: Project) -> None:
    rng = seeded(5)
    write_changes(project, {1: scattered(rng, log(rng))})
    project.dbt("build", batches=2)
    names = ["a_table", "a_view", "appended", "overwritten", "upserted", "latest", "versions"]
    names += ["checked_invalidate", "checked_new_record", "stamped"]
    before = {name: project.table(name).current_snapshot() for name in names}
    try:
        project.dbt("build", target="branch", batches=4, colour="blue")
        project.dbt("build", "--full-refresh", target="branch", batches=5, colour="green")
    finally:
        project.sql("set spark.wap.branch=main")
        connect(project.stack.settings()).conf.unset("spark.wap.branch")
    for name, was in before.items():
        table = project.table(name)
        assert table.current_snapshot() == was, name
        assert table.snapshot_by_name("audit") != was, name
    assert len(project.rows("a_table", "id")) == 2
    assert project.rows("a_table", "colour", branch="audit") == [("green",)] * 5
    for name in names:
        project.sql(f"call lake.system.fast_forward('{project.schema}.{name}', 'main', 'audit')")
    assert project.rows("a_table", "colour") == [("green",)] * 5


def test_a_first_run_on_a_branch_leaves_main_empty(project: Project) -> None:
    try:
        project.dbt("build", "--select", "a_table", "colours", target="branch", batches=4)
    finally:
        connect(project.stack.settings()).conf.unset("spark.wap.branch")
    for name in ("a_table", "colours"):
        assert project.table(name).current_snapshot() is None
        assert project.table(name).snapshot_by_name("audit")


# dbt's own snapshots.


def test_snapshots_close_what_changed_and_what_is_gone(project: Project) -> None:
    names = ["checked_invalidate", "checked_new_record", "stamped"]
    nodes = ["snapshot", "--select", *names]
    project.dbt(*nodes, batches=3)
    project.dbt(*nodes, batches=3)
    assert [len(project.rows(name, "id")) for name in names] == [3, 3, 4]
    project.dbt(*nodes, batches=2, colour="blue")
    open_, closed = "dbt_valid_to", "dbt_valid_from"
    kept = [
        (key, colour, until is None)
        for key, colour, until, _ in project.rows(
            "checked_invalidate", "id", "colour", open_, closed
        )
    ]
    assert sorted(kept) == [
        (0, "grey", True),
        (1, "blue", True),
        (1, "red", False),
        (2, "grey", False),
    ]
    told = [
        (key, colour, until is None, deleted)
        for key, colour, until, deleted in project.rows(
            "checked_new_record", "id", "colour", open_, "dbt_is_deleted"
        )
    ]
    # The row whose key is null is not written again at each run.
    assert sorted(told, key=repr) == [
        (1, "blue", True, "False"),
        (1, "red", False, "False"),
        (2, "grey", False, "False"),
        (2, "grey", True, "True"),
        (None, "grey", True, "False"),
    ]
    # Only rows of part 1 have a new time.
    assert sorted(
        (key, colour, until is None)
        for key, colour, until in project.rows("stamped", "id", "colour", open_)
    ) == [
        (0, "red", True),
        (1, "blue", True),
        (1, "red", False),
        (2, "red", True),
        (3, "blue", True),
        (3, "red", False),
    ]
    # Back again.
    project.dbt(*nodes, batches=3, colour="blue")
    assert (2, "grey", None) in project.rows("checked_invalidate", "id", "colour", open_)
    assert (2, "grey", None, "False") in project.rows(
        "checked_new_record", "id", "colour", open_, "dbt_is_deleted"
    )
