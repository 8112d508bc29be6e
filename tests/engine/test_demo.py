"""The main job, from the real sample to answers in Trino, and the tools that people may use."""

import csv
import io
import json
from pathlib import Path

import pytest

from cdp import dictionary
from tests.support.answers import assert_answers
from tests.support.reading import catalog
from tests.support.stack import CDP, Stack

BIN = Path(CDP).parent


def test_the_demo_gives_the_answers(stack: Stack) -> None:
    assert_answers(stack)


def test_a_second_demo_gives_the_same_answers_and_loads_nothing(stack: Stack) -> None:
    tables = ("seeds.canonical_values", "staging.base_crm_customers", "marts.dim_customers")
    raw = catalog(stack).load_table("raw.crm_customers").current_snapshot().snapshot_id
    before = {name: catalog(stack).load_table(name) for name in tables}
    shown = stack.cdp("demo")
    assert "raw.crm_customers: 0 rows loaded, 7043 in all" in shown
    assert "Where the time went" in shown
    assert_answers(stack)
    assert catalog(stack).load_table("raw.crm_customers").current_snapshot().snapshot_id == raw
    # Where nothing is new nothing is done.
    for name, table in before.items():
        after = catalog(stack).load_table(name)
        assert after.metadata.table_uuid == table.metadata.table_uuid
        assert after.current_snapshot() == table.current_snapshot()


def test_a_third_engine_reads_the_same_table(stack: Stack) -> None:
    rows = catalog(stack).load_table("marts.dim_customers").scan().to_arrow()
    assert rows.num_rows == 7043
    assert sum(rows["churn_label"].to_pylist()) == 1869
    assert str(sum(rows["monthly_charges"].to_pylist())) == "456116.60"


def test_the_feature_table_is_partitioned_by_date(stack: Stack) -> None:
    table = catalog(stack).load_table("marts.ftr_customer_churn")
    assert [f.name for f in table.spec().fields] == ["as_of_date"]


def test_tables_and_columns_carry_their_descriptions(stack: Stack) -> None:
    table = catalog(stack).load_table("marts.dim_customers")
    assert "One row a customer" in table.properties["comment"]
    assert all(f.doc for f in table.schema().fields)


def test_rows_are_told_as_csv(stack: Stack) -> None:
    sql = "select customer_id, total_charges, churn_label from dim_customers order by 1 limit 2"
    shown = stack.run(CDP, "query", sql, "--format", "csv").stdout
    assert list(csv.reader(io.StringIO(shown))) == [
        ["customer_id", "total_charges", "churn_label"],
        ["0002-ORFBO", "593.30", "false"],
        ["0003-MKNFE", "542.40", "false"],
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["dbt", "test", "--select", "dim_customers", "test_type:unit"],
        ["dbt", "build", "--select", "stg_crm_customers__rejected"],
        ["cdp", "query", "select 1"],
    ],
    ids=" ".join,
)
def test_plain_tools_work_with_the_environment_file(stack: Stack, command: list[str]) -> None:
    script = f'. "{stack.state_dir}/env" && exec "$@"'
    stack.run("sh", "-c", script, "sh", str(BIN / command[0]), *command[1:])


def test_dbt_docs_know_the_columns_of_every_model(stack: Stack, tmp_path: Path) -> None:
    script = f'. "{stack.state_dir}/env" && exec "$@"'
    target = ["--target-path", str(tmp_path)]
    stack.run("sh", "-c", script, "sh", str(BIN / "dbt"), "docs", "generate", "--static", *target)
    assert (tmp_path / "static_index.html").stat().st_size > 100_000
    found = json.loads((tmp_path / "catalog.json").read_text())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    tables = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed", "snapshot"}
        and node["config"]["materialized"] != "ephemeral"
    }
    assert set(found["nodes"]) == set(tables)
    assert not found["errors"]
    # The page is that of the models: make dictionary.
    assert dictionary.PAGE.read_text(encoding="utf-8") == dictionary.page(manifest)
    for name, node in tables.items():
        assert set(found["nodes"][name]["columns"]) == set(node["columns"]), name


def test_a_failing_contract_ends_red_and_names_the_rows(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    (folder / "marts").mkdir(parents=True)
    (folder / "marts" / "dim_customers.yml").write_text(
        "dataset: lakehouse/lake/marts/dim_customers\n"
        "columns:\n"
        "  - name: total_charges\n"
        "    checks:\n"
        "      - missing:\n"
        "  - name: no_such_column\n"
        "checks:\n"
        "  - schema:\n"
    )
    done = stack.run(CDP, "check", ok=False, CDP_CONTRACTS_DIR=str(folder))
    assert "marts.dim_customers.total_charges  No missing values: 11" in done.stdout
    assert "column no_such_column is missing" in done.stdout
    assert done.stderr.startswith("error: 2 of 2 checks failed: marts.dim_customers")


def test_a_contract_of_a_table_that_is_not_there_is_an_error(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    (folder / "marts").mkdir(parents=True)
    (folder / "marts" / "nothing.yml").write_text(
        "dataset: lakehouse/lake/marts/nothing\ncolumns:\n  - name: x\nchecks:\n  - row_count:\n"
    )
    assert "marts.nothing" in stack.refused("check", CDP_CONTRACTS_DIR=str(folder))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query", "selec 1"], "Trino: line 1:1: mismatched input 'selec'"),
        (["query", "select * from no_such_table"], "does not exist"),
        (["query", "create table t as select 1 as x"], "Access Denied"),
        (["load", "crm.nothing"], "there is no source crm.nothing"),
        (["land", "crm.customers", "/no/such/file.csv"], "there is no file /no/such/file.csv"),
        (["build", "--select", "no_such_model"], "dbt build"),
        (["check", "marts.nothing"], "there is no contract for marts.nothing"),
        (["logs", "nothing"], "there is no log of nothing"),
        (["up", "--with", "nothing"], "there is no optional service nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line(stack: Stack, arguments: list[str], words: str) -> None:
    assert words in stack.refused(*arguments)


def test_debug_shows_the_trace(stack: Stack) -> None:
    assert "Traceback" in stack.cdp("query", "selec 1", "--debug", ok=False)
