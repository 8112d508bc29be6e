"""What a model of macros/iceberg asks for is done, or refused in one line; nothing is ignored."""

from collections.abc import Callable, Iterator

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
