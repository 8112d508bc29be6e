"""The macros of macros/iceberg, as somebody else's project has them who installs the package."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdp.spark import connect
from tests.conftest import Stack
from tests.stack.project import Project, environment, install
from tests.stack.test_demo import catalog

pytestmark = pytest.mark.stack
TRIALS = 60
BATCHES = 5
KEYS = ["A", "B", "C", "D", "E", "F"]
Key = tuple[int, int, int]
NEVER = (-1, -1, -1)


@pytest.fixture(scope="module", autouse=True)
def _environment(stack: Stack) -> Iterator[None]:
    with environment(stack):
        yield


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("somebody") / "project"
    return install(folder)


@pytest.fixture
def project(
    stack: Stack, installed: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    schema = "somebody_" + request.node.originalname.removeprefix("test_")[:40].strip("_")
    monkeypatch.setenv("SOMEBODY_SCHEMA", schema)
    made = Project(stack, installed, schema)
    yield made
    made.dbt("run-operation", "forget_schema")
    assert (schema,) not in catalog(stack).list_namespaces()


# A log in any order.


@dataclass(frozen=True)
class Change:
    """A change of the log. colour: None for a delete; key: None for a truncation."""

    key: str | None
    place: Key
    colour: str | None


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same data at every run


def log(rng: random.Random) -> list[Change]:
    """Changes in the order of the source. A place may be that of another key's change."""
    changes = []
    for at in range(40):
        for number in range(rng.randint(1, 3)):
            kind = rng.random()
            key = rng.choice(KEYS) if kind > 0.06 else None
            colour = f"{at}-{number}" if kind > 0.3 else None
            changes.append(Change(key, (at // 3, at % 3, number), colour))
    return changes


def latest_of(changes: list[Change]) -> dict[str, tuple[Key, str | None]]:
    """What the table must hold, by replaying the log in its order."""
    state: dict[str, tuple[Key, str | None]] = {}
    for change in sorted(changes, key=lambda c: c.place):
        if change.key is None:
            state = dict.fromkeys(state, (change.place, None))
        else:
            state[change.key] = (change.place, change.colour)
    return state


def versions_of(changes: list[Change]) -> set[tuple[str, int, int | None, str]]:
    """The versions that a history must have: key, from when to when, colour."""
    found = set()
    by_key: dict[str, list[tuple[Key, str | None]]] = defaultdict(list)
    for change in sorted(changes, key=lambda c: c.place):
        for key in [change.key] if change.key else list(by_key):
            by_key[key].append((change.place, change.colour))
    for key, events in by_key.items():
        ends: list[int | None] = [place[0] for place, _ in events[1:]]
        for (place, colour), end in zip(events, [*ends, None], strict=True):
            if colour is not None:
                found.add((key, place[0], end, colour))
    return found


def scattered(rng: random.Random, changes: list[Change]) -> list[tuple[int, Change]]:
    """The changes in batches, out of order and some of them several times."""
    placed = [(rng.randint(1, BATCHES), change) for change in changes]
    placed += [(rng.randint(1, BATCHES), rng.choice(changes)) for _ in changes[::4]]
    rng.shuffle(placed)
    return placed


def write_changes(project: Project, trials: dict[int, list[tuple[int, Change]]]) -> None:
    rows = [
        (
            trial,
            batch,
            change.key,
            change.colour,
            *change.place,
            change.key is not None and change.colour is None,
            change.key is None,
        )
        for trial, placed in trials.items()
        for batch, change in placed
    ]
    shape = (
        "trial int, batch int, id string, colour string, at_s bigint, lsn bigint, number bigint, "
        "is_deleted boolean, is_truncated boolean"
    )
    frame = connect(project.stack.settings()).createDataFrame(rows, shape)
    project.sql(f"create namespace if not exists lake.{project.schema}")
    frame.selectExpr(
        "trial",
        "batch",
        "id",
        "colour",
        "timestamp_seconds(at_s) as at",
        # A file of states has no place in a log; nulls are lowest.
        "nullif(lsn, 0) as lsn",
        "number",
        "is_deleted",
        "is_truncated",
    ).writeTo(f"lake.{project.schema}.changes").using("iceberg").create()


def seconds(moment: Any) -> int | None:  # noqa: ANN401
    return None if moment is None else int(moment.timestamp())


def found_latest(project: Project) -> dict[int, dict[str, tuple[Key, str | None]]]:
    found: dict[int, dict[str, tuple[Key, str | None]]] = defaultdict(dict)
    names = ("trial", "id", "at", "lsn", "number", "colour", "is_deleted")
    for trial, key, at, lsn, number, colour, is_deleted in project.rows("latest", *names):
        if key is not None:
            assert is_deleted is (colour is None)
            assert key not in found[trial]
            found[trial][key] = ((seconds(at) or 0, lsn or 0, number), colour)
    return found


def found_versions(project: Project) -> dict[int, set[tuple[str, int, int | None, str]]]:
    found: dict[int, set[tuple[str, int, int | None, str]]] = defaultdict(set)
    names = ("trial", "id", "valid_from", "valid_to", "colour", "is_deleted")
    for trial, key, since, until, colour, is_deleted in project.rows("versions", *names):
        if key is not None and not is_deleted:
            version = (key, seconds(since) or 0, seconds(until), colour)
            assert version not in found[trial]
            found[trial].add(version)
    return found


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


# Strategies.


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


def test_a_strategy_that_nobody_has_is_told(project: Project) -> None:
    (project.folder / "models" / "odd.sql").write_text(
        "{{ config(materialized='incremental', incremental_strategy='odd') }} select 1 as a"
    )
    try:
        project.dbt("build", "--select", "odd")
        said = project.dbt("build", "--select", "odd", ok=False)
    finally:
        (project.folder / "models" / "odd.sql").unlink()
    assert "no macro is named get_incremental_odd_sql" in said


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


def test_a_table_is_left_alone_when_its_query_says_that_nothing_is_new(project: Project) -> None:
    for batches in (6, 5, 7):
        # Not at the first build: there would be no table.
        project.dbt("build", "--select", "quiet", batches=batches)
    assert project.rows("quiet", "batch") == [(5,), (6,)]
    project.dbt("build", "--select", "quiet", "--full-refresh", batches=8)
    assert project.rows("quiet", "batch") == [(8,)]


# One table for ever.


def test_a_rebuild_is_a_new_snapshot_of_the_same_table(project: Project) -> None:
    rng = seeded(3)
    write_changes(project, {1: scattered(rng, log(rng))})
    project.dbt("build", batches=BATCHES)
    names = ["a_table", "appended", "overwritten", "upserted", "latest", "versions", "colours"]
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


def test_comments_are_written_once(project: Project) -> None:
    project.dbt("seed")
    first = project.table("colours")
    assert first.schema().find_field("name").doc == "The colour's name."
    project.dbt("seed")
    second = project.table("colours")
    assert len(second.metadata.metadata_log) - len(first.metadata.metadata_log) == 1
    assert project.rows("colours", "name", "hex") == sorted(
        [("red", "f00"), ("blue", "00f"), ("it's % odd", None)], key=repr
    )


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
    names += ["colours", "checked_invalidate", "checked_new_record", "stamped"]
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
    assert sorted(told) == [
        (0, "grey", True, "False"),
        (1, "blue", True, "False"),
        (1, "red", False, "False"),
        (2, "grey", False, "False"),
        (2, "grey", True, "True"),
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
