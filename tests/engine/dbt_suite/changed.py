"""What dbt's suite expects otherwise of this package on Spark, by its class, each with its reason.

A class here stands before the suite's own of the same name. `FAILS` names the tests that cannot
pass, and why; they are run all the same, and one that passes fails.
"""

# ruff: noqa: ANN401  The suite has no types.

import copy
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.basic import expected_catalog
from dbt.tests.util import check_relations_equal, check_table_does_exist, run_dbt


class Hooks:
    """The target of the profile is Spark's, and its session has no user, password or database."""

    def check_hooks(self, state: str, project: Any, host: str, count: int = 1) -> None:
        for found in self.hooked(state, project, count):
            assert (found["test_state"], found["target_type"]) == (state, "spark")
            assert (found["target_name"], found["target_schema"]) == (
                "default",
                project.test_schema,
            )
            assert (found["target_host"], found["target_threads"]) == (host, 1)
            assert found["run_started_at"]
            assert found["invocation_id"]
            assert found["thread_id"].startswith("Thread-") or found["thread_id"] == "MainThread"

    def hooked(self, state: str, project: Any, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get_ctx_vars(state, count, project)  # type: ignore[attr-defined]
        return found


class RunHooks(Hooks):
    """The same, and a schema that is in no database."""

    def hooked(self, state: str, project: Any, count: int) -> list[dict[str, Any]]:
        return [self.get_ctx_vars(state, project)]  # type: ignore[attr-defined]

    def assert_used_schemas(self, project: Any) -> None:
        rows = project.run_sql("select schema from {schema}.schemas", fetch="all")
        assert [row[0] for row in rows] == [project.test_schema]


class RebuiltSeed:
    """What reads a seed stays when it is rebuilt: Postgres drops it with the table."""

    def _check_relation_end_state(self, run_result: Any, project: Any, exists: bool) -> None:
        assert len(run_result) == 1
        check_relations_equal(project.adapter, ["seed_actual", "seed_expected"])
        check_table_does_exist(project.adapter, "models__downstream_from_seed_actual")


class WrongDelimiter:
    """Any text is a column's name: a seed of one column, named by its whole first line, is one."""

    def test_seed_with_wrong_delimiter(self, project: Any) -> None:
        (result,) = run_dbt(["seed"])
        assert result.status == "success"


class DoubleLimit:
    """Spark reports a second limit in its own words."""

    DATABASE_ERROR_MESSAGE = "Syntax error at or near 'limit'"


class Predicates:
    """There is no strategy delete+insert, and a merge names its sides otherwise."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {
            "models": {
                "+incremental_predicates": ["DBT_INTERNAL_DEST.id != 2"],
                "+incremental_strategy": "merge",
            }
        }


class AnyStatistics:
    """Statistics of a relation: bytes and rows of a table, none of a view."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and "has_stats" in other

    __hash__ = None  # type: ignore[assignment]


class Docs:
    """The types are Spark's, dbt-spark counts columns from 0, and a view has no owner."""

    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any, has_views: bool) -> Any:
        return documented(project, expected_catalog.base_expected_catalog, has_views)


class References:
    """The same."""

    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any, has_views: bool) -> Any:
        make = expected_catalog.expected_references_catalog
        return documented(project, make, has_views, bigint_type="bigint")


def documented(project: Any, make: Any, has_views: bool, **more: str) -> Any:
    found = make(
        project,
        role="root",
        id_type="bigint",
        text_type="string",
        time_type="timestamp",
        view_type="view" if has_views else "table",
        table_type="table",
        model_stats=AnyStatistics(),
        **more,
    )
    for node in [*found["nodes"].values(), *found["sources"].values()]:
        # A column is shared by nodes there.
        node["columns"] = copy.deepcopy(node["columns"])
        for column in node["columns"].values():
            if isinstance(column["index"], int):
                column["index"] -= 1
        if node["metadata"]["type"] == "view":
            node["metadata"]["owner"] = "None"
    return found


class Ephemeral:
    """A view is a table, which is filled by the same query."""

    EXPECTED = ""

    def filled(self, model: str) -> None:
        text = Path(f"target/run/test/models/{model}.sql").read_text(encoding="utf-8")
        assert text.startswith(("insert into ", "create or replace view "))
        for name in self.EXPECTED.split():
            assert text.count(f"{name} as (") == 1, text


class EphemeralMulti(Ephemeral):
    EXPECTED = "__dbt__cte__base __dbt__cte__base_copy"

    def test_ephemeral_multi(self, project: Any) -> None:
        run_dbt(["seed"])
        assert len(run_dbt(["run"])) == 3
        for other in ("dependent", "double_dependent", "super_dependent"):
            check_relations_equal(project.adapter, ["seed", other])
        self.filled("double_dependent")


class EphemeralNested(Ephemeral):
    EXPECTED = "__dbt__cte__ephemeral_level_two __dbt__cte__ephemeral"

    def test_ephemeral_nested(self, project: Any) -> None:
        assert len(run_dbt(["run"])) == 2
        self.filled("root_view")


class AfterRun:
    """What keeps a hook from its end is a RuntimeError of dbt-spark."""

    def test_missing_column_pre_hook(self, project: Any) -> None:
        from dbt_common.exceptions import DbtRuntimeError

        with pytest.raises(DbtRuntimeError, match="TABLE_OR_VIEW_NOT_FOUND"):
            run_dbt(["run"], expect_pass=False)


class Bom:
    """The file with a byte order mark, which an adapter brings itself."""

    @pytest.fixture(scope="class", autouse=True)
    def a_file(self, request: pytest.FixtureRequest) -> Iterator[None]:
        from dbt.tests.adapter.simple_seed import seeds

        path = Path(request.fspath).parent / "seed_bom.csv"  # type: ignore[attr-defined]
        path.write_text(
            "\ufeff" + seeds.seeds__pipe_separated_csv.strip().replace("|", ","), encoding="utf-8"
        )
        yield
        path.unlink()


class DataTypes:
    """The types that Spark has, with their literals."""

    @pytest.fixture(scope="class")
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "1"],
            ["2.0", "2.0"],
            ["'12345'", "12345"],
            ["'string'", "string"],
            ["true", "true"],
            ["date '2011-11-11'", "2011-11-11"],
            ["timestamp '2013-11-03 00:00:00-0'", "2013-11-03 00:00:00-0"],
            ["cast(1 as decimal(10, 2))", "1"],
        ]


class ValidToCurrent:
    """Rows are in no order."""

    def test_valid_to_current(self, project: Any) -> None:
        from dbt.tests.adapter.simple_snapshot import fixtures

        until = "select id, test_valid_to from {schema}.snapshot_actual"
        current, ended = datetime(2099, 12, 31), datetime(2016, 8, 20, 16, 44, 49)  # noqa: DTZ001
        project.run_sql(fixtures.create_seed_sql)
        project.run_sql(fixtures.create_snapshot_expected_sql)
        project.run_sql(fixtures.seed_insert_sql)
        project.run_sql(fixtures.populate_snapshot_expected_valid_to_current_sql)
        assert len(run_dbt(["snapshot"])) == 1
        rows = [tuple(row) for row in project.run_sql(until, fetch="all")]
        assert sorted(rows) == [(number, current) for number in range(1, 21)]
        project.run_sql(fixtures.invalidate_sql)
        project.run_sql(fixtures.update_with_current_sql)
        assert len(run_dbt(["snapshot"])) == 1
        rows = [tuple(row) for row in project.run_sql(until, fetch="all")]
        assert sorted(row for row in rows if row[0] in (1, 10)) == [
            (1, current),
            (10, ended),
            (10, current),
        ]
        check_relations_equal(project.adapter, ["snapshot_actual", "snapshot_expected"])


CHANGED: dict[str, type] = {
    "AfterRunHooks": AfterRun,
    "BasicSeedTests": RebuiltSeed,
    "DocsGenReferences": References,
    "DocsGenerate": Docs,
    "EphemeralMulti": EphemeralMulti,
    "EphemeralNested": EphemeralNested,
    "HookRefs": Hooks,
    "IncrementalPredicates": Predicates,
    "PrePostModelHooks": Hooks,
    "PrePostModelHooksInConfig": Hooks,
    "PrePostModelHooksInConfigKwargs": Hooks,
    "PrePostModelHooksInConfigWithCount": Hooks,
    "PrePostRunHooks": RunHooks,
    "SeedConfigFullRefreshOn": RebuiltSeed,
    "SeedWithWrongDelimiter": WrongDelimiter,
    "ShowDoesNotHandleDoubleLimit": DoubleLimit,
    "SimpleSeedWithBOM": Bom,
    "SnapshotDbtValidToCurrent": ValidToCurrent,
    "UnitTestingTypes": DataTypes,
}
NEWER = "dbt seed --empty is of a dbt-core after 1.11"
COMMENTS = "dbt-spark's catalog of the documentation holds no comments; they are in the table"
FAILS: dict[str, str] = {
    "CloneSameTargetAndState.test_clone_same_target_and_state": "dbt-core 1.11 warns, and goes on",
    "ClonePossible.test_can_clone_true": "Iceberg has no clone of a table",
    "GetCatalogForSingleRelation.test_get_catalog_for_single_relation": "dbt-spark lacks it",
    "PersistDocs.test_has_comments_pglike": COMMENTS,
    "PersistDocsColumnMissing.test_missing_column": COMMENTS,
    "PersistDocsCommentOnQuotedColumn.test_quoted_column_comments": COMMENTS,
    "PostgresColumnTypes.test_run_and_test": "dbt-spark's Column does not know int and decimal",
    "SimpleSeedColumnOverride.test_simple_seed_with_column_override": (
        "a moment in a seed's column of dates is refused, not cut"
    ),
    "TestEmptySeedFlag.test_build_empty_with_seed": NEWER,
    "TestEmptySeedFlag.test_seed_empty_creates_table_with_zero_rows": NEWER,
    "TestEmptySeedFlag.test_seed_empty_preserves_column_types": NEWER,
}
FAILS_WITHOUT_VIEWS = dict.fromkeys(
    (
        "AdapterMethod.test_adapter_methods",
        "CloneNotPossible.test_can_clone_false",
        "SimpleMaterializations.test_base",
        "UnitTestingTypes.test_unit_test_data_type",
    ),
    "this catalog has no views",
)
