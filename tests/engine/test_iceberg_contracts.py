"""What a model of macros/iceberg asks for is done, or refused in one line; nothing is ignored."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.project import Project

CONTRACT = """
models:
  - name: {name}
    config: {{contract: {{enforced: true}}}}
    columns:
      - {{name: id, data_type: bigint, constraints: [{{type: not_null}}]}}
      - {{name: colour, data_type: string}}
      - {{name: price, data_type: "decimal(10, 2)"}}
"""
Write = Callable[..., str]


@pytest.fixture
def write(project: Project) -> Iterator[Write]:
    """Write a model of a test's own, with its YAML; its name."""
    made = []

    def write(name: str, sql: str, yaml: str = "", **config: object) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in config.items())
        path = project.folder / "models" / f"{name}.sql"
        path.write_text(f"{{{{ config({settings}) }}}} {sql}")
        path.with_suffix(".yml").write_text(yaml.format(name=name) or "version: 2\n")
        made.extend([path, path.with_suffix(".yml")])
        project.forget()
        return name

    yield write
    for path in made:
        path.unlink(missing_ok=True)
    project.forget()


@pytest.mark.parametrize("kind", ["table", "incremental", "view"])
def test_a_contract_holds_or_the_model_is_refused(
    project: Project, write: Write, kind: str
) -> None:
    good = "select cast(1 as bigint) as id, 'red' as colour, cast(1.5 as decimal(10, 2)) as price"
    cases = {
        "kept": (good, ""),
        "missing": ("select cast(1 as bigint) as id, 'red' as colour", "price is missing"),
        "extra": (good.replace("as price", "as price, 1 as more"), "more is not in it"),
        "typed": (good.replace("cast(1 as bigint)", "'1'"), "id is string, not bigint"),
        "nullable": (good.replace("cast(1 as", "cast(null as"), "id of nullable_{} is null"),
    }
    for name, (sql, _) in cases.items():
        write(f"{name}_{kind}", sql, CONTRACT, materialized=kind)
    said = project.dbt("build", "--select", *(f"{name}_{kind}" for name in cases), ok=False)
    for name, (_, problem) in cases.items():
        assert problem.format(kind) in said
        if problem:
            assert f"{name}_{kind}" in said
    assert project.rows(f"kept_{kind}", "id", "colour") == [(1, "red")]


def test_grants_are_refused(project: Project, write: Write) -> None:
    name = write("granted", "select 1 as id", materialized="table", grants={"select": ["anna"]})
    assert "grants of granted cannot be given" in project.dbt("build", "--select", name, ok=False)


@pytest.mark.parametrize("kind", ["table", "incremental"])
def test_a_rebuild_takes_up_other_partitions_and_properties(
    project: Project, write: Write, kind: str
) -> None:
    name = f"settled_{kind}"
    sql = "select id, id % 3 as part, timestamp '2024-01-01' as at from range(9)"
    write(name, sql, materialized=kind, partition_by=["part"])
    project.dbt("build", "--select", name)
    first = project.table(name)
    assert [str(f.transform) for f in first.spec().fields] == ["identity"]
    write(
        name,
        sql,
        materialized=kind,
        partition_by=["days(at)", "bucket(4, id)"],
        tblproperties={"write.parquet.compression-codec": "gzip", "team": "it's"},
    )
    project.dbt("build", "--select", name, "--full-refresh")
    table = project.table(name)
    assert [str(field.transform) for field in table.spec().fields] == ["day", "bucket[4]"]
    assert table.properties["write.parquet.compression-codec"] == "gzip"
    assert table.properties["team"] == "it's"
    assert table.metadata.table_uuid == first.metadata.table_uuid
    assert len(project.rows(name, "id")) == 9
    project.dbt("build", "--select", name, "--full-refresh")
    assert project.table(name).spec() == table.spec()


def test_a_table_is_made_with_partitions_of_each_kind(project: Project, write: Write) -> None:
    name = write(
        "bucketed",
        "select id, timestamp '2024-01-01' as at from range(9)",
        materialized="table",
        partition_by=["days(at)", "bucket(4, id)"],
    )
    project.dbt("build", "--select", name)
    assert [str(f.transform) for f in project.table(name).spec().fields] == ["day", "bucket[4]"]


def test_columns_are_those_of_the_query_where_the_model_says_so(
    project: Project, write: Write
) -> None:
    settings = {
        "materialized": "incremental",
        "incremental_strategy": "merge",
        "unique_key": "id",
        "on_schema_change": "sync_all_columns",
    }
    name = write("synced", "select 1 as id, 'red' as colour, 1 as size", **settings)
    project.dbt("build", "--select", name)
    write(name, "select id, cast(id as bigint) as size, 'x' as mark from range(3)", **settings)
    project.dbt("build", "--select", name)
    found = project.table(name).schema()
    assert {f.name: str(f.field_type) for f in found.fields} == {
        "id": "long",
        "size": "long",
        "mark": "string",
    }
    assert project.rows(name, "id", "size", "mark") == [(i, i, "x") for i in range(3)]


DESCRIBED = """
models:
  - name: {name}
    description: "%s"
    columns: [{{name: id, description: "%s"}}]
"""


@pytest.mark.parametrize("kind", ["table", "incremental"])
def test_a_description_that_changes_is_that_of_the_table(
    project: Project, write: Write, kind: str
) -> None:
    name = f"described_{kind}"
    sql, docs = "select 1 as id", {"relation": True, "columns": True}
    for table, column in [("It's, so far, a table.", "An id."), ("Another \\\\ one.", "The id.")]:
        write(name, sql, DESCRIBED % (table, column), materialized=kind, persist_docs=docs)
        project.dbt("build", "--select", name)
        found = project.table(name)
        assert found.properties["comment"] == table.replace("\\\\", "\\")
        assert found.schema().find_field("id").doc == column
    # Once they are as they should be, a run commits its rows alone.
    before = len(project.table(name).metadata.metadata_log)
    project.dbt("build", "--select", name)
    assert len(project.table(name).metadata.metadata_log) == before + 1


def test_columns_have_any_name(project: Project, write: Write) -> None:
    columns = "id as `Customer.Id`, id * {} as `TOTAL`, 'a' as `order`, 1 as `größe`"
    names = ["Customer.Id", "TOTAL", "order", "größe"]
    merged = {"incremental_strategy": "merge", "unique_key": "`Customer.Id`"}
    for number, settings in enumerate(
        [
            {"materialized": "table"},
            {"materialized": "incremental", "incremental_strategy": "append"},
            {"materialized": "incremental", **merged},
        ]
    ):
        name = f"named_{number}"
        for factor in (1, 2):
            write(name, f"select {columns.format(factor)} from range(2)", **settings)  # noqa: S608
            project.dbt("build", "--select", name)
        again = [(0, 0, "a", 1), (1, 2, "a", 1)]
        rows = again if number != 1 else sorted([(0, 0, "a", 1), (1, 1, "a", 1), *again])
        assert project.rows(name, *names) == rows


def test_a_wrong_column_is_one_line(project: Project, write: Write) -> None:
    name = write("wrong", "select clour from (select 'red' as colour)", materialized="table")
    said = project.dbt("build", "--select", name, ok=False)
    assert "`clour` cannot be resolved" in said
    assert len(said.strip().splitlines()) == 2, said  # Where, and what.


def test_a_run_without_rows_closes_no_version_of_a_snapshot(project: Project, write: Write) -> None:
    write("snapped", "select id from range(2)", materialized="table")
    path = project.folder / "snapshots" / "emptied.sql"
    path.write_text(
        "{% snapshot emptied %}{{ config(strategy='check', unique_key='id', check_cols='all', "
        "hard_deletes='invalidate') }} select * from {{ ref('snapped') }}{% endsnapshot %}"
    )
    try:
        project.dbt("build", "--select", "snapped", "emptied")
        assert project.rows("emptied", "id", "dbt_valid_to") == [(0, None), (1, None)]
        project.dbt("build", "--select", "emptied", "--empty")
        assert project.rows("emptied", "id", "dbt_valid_to") == [(0, None), (1, None)]
    finally:
        path.unlink()


def test_a_clone_is_refused_where_the_catalog_has_no_views(
    project: Project, write: Write, tmp_path: Path
) -> None:
    name = write("cloned", "select 1 as id", materialized="table")
    project.dbt("build", "--select", name)
    manifest = (project.folder / "target" / "manifest.json").read_text(encoding="utf-8")
    (tmp_path / "manifest.json").write_text(manifest.replace(project.schema, "elsewhere"))
    said = project.dbt("clone", "--select", name, "--state", str(tmp_path), ok=False)
    assert "dbt clone makes views, and this catalog has none" in said
