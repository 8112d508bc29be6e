"""What a run builds: nothing where nothing is new, and else what is behind, on the shared stack."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdp import objects
from cdp.catalog import Catalog, Change
from cdp.models import training_set as sets
from cdp.plan.state import KEY
from cdp.publish import lease
from cdp.settings import ROOT
from tests.support.checkout import Checkout
from tests.support.stack import CDP, Stack

pytestmark = pytest.mark.usefixtures("built")
NOTHING = "nothing new since publish"
# Where nothing listens.
NO_SPARK = "sc://localhost:1"
# A ticket of a category that is not mapped: it is rejected, so that no mart changes.
REJECTED = {
    "ticket_id": "unknown",
    "customer_id": "0002-ORFBO",
    "category": "weather",
    "opened_at": "2024-12-31T00:00:00Z",
    "emitted_at": "2024-12-31T00:00:00Z",
}


# What is tagged so.
DAILY = {"ftr_customer_churn", "ftr_winsor_bounds", "agg_churn_by_segment"}


@pytest.fixture(scope="module")
def built(stack: Stack) -> None:
    stack.cdp("build")


@pytest.fixture
def checkout(stack: Stack, tmp_path: Path) -> Iterator[Checkout]:
    yield Checkout(stack, tmp_path / "checkout")
    # What a test has built of its own making is built again as it was.
    stack.cdp("build")
    assert NOTHING in stack.cdp("build")


def runs(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.run(CDP, "runs", "--json").stdout)
    return found


def plan(checkout: Checkout, *arguments: str) -> dict[str, Any]:
    said = checkout.run(CDP, "build", "--plan", "--json", *arguments, CDP_SPARK_REMOTE=NO_SPARK)
    found: dict[str, Any] = json.loads(said)
    return found


def reasons(found: dict[str, Any]) -> dict[str, list[str]]:
    return {node["table"].partition(".")[2]: node["reasons"] for node in found["nodes"]}


def test_nothing_new_is_one_line_and_asks_neither_spark_nor_dbt(
    stack: Stack, tmp_path: Path
) -> None:
    before = runs(stack)
    branches = Catalog(stack.settings()).load("marts.dim_customers")
    done = stack.run(CDP, "build", CDP_SPARK_REMOTE=NO_SPARK, DBT_LOG_PATH=str(tmp_path))
    (line,) = done.stdout.splitlines()
    assert line.startswith(NOTHING)
    assert line.endswith(": no batch, no change of code")
    assert runs(stack) == before
    assert Catalog(stack.settings()).load("marts.dim_customers") == branches
    # dbt has not even begun.
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", ["--hold", "--unaudited", "--plan"])
def test_nothing_new_is_nothing_however_a_run_would_end(stack: Stack, how: str) -> None:
    said = stack.run(CDP, "build", how, CDP_LOG_FORMAT="json", CDP_SPARK_REMOTE=NO_SPARK).stdout
    given = json.loads(said)
    assert given["message"].startswith(NOTHING)
    assert "run_id" not in given


def test_another_command_at_work_is_respected_even_where_nothing_is_new(stack: Stack) -> None:
    with lease.held(stack.settings(), "a test"):
        assert "another command is at work: a test" in stack.refused("build")


def test_everything_is_built_where_that_is_asked_for(checkout: Checkout) -> None:
    said = checkout.run(CDP, "build", "--plan", "--all", CDP_SPARK_REMOTE=NO_SPARK)
    assert said.strip() == "as it is asked: dbt build"
    said = checkout.run(
        CDP, "build", "--plan", "--select", "dim_customers+", CDP_SPARK_REMOTE=NO_SPARK
    )
    assert said.strip() == "as it is asked: dbt build --select dim_customers+"


def test_a_lost_state_costs_work_only(stack: Stack, checkout: Checkout) -> None:
    settings = stack.settings()
    s3 = objects.client(settings)
    kept = s3.get_object(Bucket=settings.bucket, Key=KEY)["Body"].read()
    for lost in (b"", b"{", b'{"format": 0}'):
        s3.put_object(Bucket=settings.bucket, Key=KEY, Body=lost)
        found = plan(checkout)
        assert {tuple(r) for r in reasons(found).values()} == {("not known",)}
        assert found["skipped"] == 0
    s3.put_object(Bucket=settings.bucket, Key=KEY, Body=kept)


def test_new_batches_build_what_reads_them_and_test_that(stack: Stack, checkout: Checkout) -> None:
    file = checkout.folder / "tickets.jsonl"
    file.write_text(json.dumps(REJECTED) + "\n")
    stack.cdp("land", "support.tickets", str(file))
    # It has landed, and is not in raw yet.
    assert plan(checkout)["nodes"] == []
    stack.cdp("load", "support.tickets")
    found = plan(checkout)
    why = reasons(found)
    assert why["base_support_tickets"][0].startswith("support.tickets: batch")
    assert why["mon_reconciliation"][0].startswith("support.tickets: batch")
    assert why["fct_support_tickets"] == ["reads int_support_tickets__versions"]
    assert not {"base_crm_customers", "dim_customers", "canonical_values"} & set(why)
    assert found["select"] == ["base_support_tickets+", "mon_reconciliation+"]
    shown = checkout.run(CDP, "build", "--plan", CDP_SPARK_REMOTE=NO_SPARK)
    assert "staging.base_support_tickets" in shown
    assert shown.splitlines()[-1] == f"dbt build --select {' '.join(found['select'])}"

    # An hour: what is of a whole day is left out.
    said = checkout.run(CDP, "build", "--exclude", "tag:daily")
    done = checkout.results("model", "snapshot", "seed")
    assert set(done) == set(reasons(found)) - DAILY
    assert set(done.values()) == {"success"}
    tests = checkout.results("test")
    assert "base_support_tickets__every_raw_row_is_staged_once" in tests
    assert "dim_customers__holds" not in tests
    assert f"built {len(done)} of {len(done)} tables" in said
    assert f"{len(tests)} tests passed" in said
    assert "skipped: nothing new for them" in said
    # One line for people, and not one a node.
    assert "success" not in said
    # The hour is done; what is of a day may be behind, and what profiles it.
    said = checkout.run(CDP, "build", "--exclude", "tag:daily", CDP_SPARK_REMOTE=NO_SPARK)
    assert NOTHING in said
    assert set(reasons(plan(checkout))) <= DAILY | {"mon_column_profile", "mon_drift"}


def test_a_seed_that_changed_is_built_with_what_reads_it_and_a_rollback_undoes_it(
    stack: Stack, checkout: Checkout
) -> None:
    seed = checkout.folder / "seeds" / "winsor_thresholds.csv"
    header, first, *others = seed.read_text().splitlines()
    feature, lower, _ = first.split(",")
    seed.write_text("\n".join([header, f"{feature},{lower},0.9", *others]) + "\n")
    why = reasons(plan(checkout))
    assert why["winsor_thresholds"] == ["seed changed"]
    assert why["ftr_winsor_bounds"] == ["reads winsor_thresholds"]
    assert "ftr_customer_churn" not in why
    said = checkout.run(CDP, "build", "--exclude", "tag:daily", "--verbose")
    assert set(checkout.results("model", "snapshot", "seed")) == {"winsor_thresholds"}
    assert "success  seed winsor_thresholds" in said
    assert "changed: seeds.winsor_thresholds" in said
    # The daily tables are behind since.
    assert reasons(plan(checkout, "--exclude", "tag:daily")) == {}
    why = reasons(plan(checkout))
    assert why["ftr_winsor_bounds"] == ["winsor_thresholds has changed"]
    assert "winsor_thresholds" not in why
    # What is taken back is known to be another snapshot, with the seed of before. The tag of a
    # training set stays where it is.
    table = "seeds.winsor_thresholds"
    catalog = Catalog(stack.settings())
    state = catalog.load(table)
    assert state
    trained, head = sets.PREFIX + "sample_20240101_000000_abcd", state.refs["main"]
    catalog.commit([Change(state, {trained: None}, {trained: ("tag", head, 0)})])
    stack.cdp("rollback")
    moved = catalog.load(table)
    assert moved
    assert moved.refs["main"] != moved.refs[trained] == head
    assert sets.release(table, trained, stack.settings())
    assert reasons(plan(checkout))["winsor_thresholds"] == ["written to since"]
    # Undone in turn, all is as it was known.
    stack.cdp("rollback")
    assert "winsor_thresholds" not in reasons(plan(checkout))


def test_a_model_or_a_macro_that_changed_is_code(checkout: Checkout) -> None:
    model = "models/marts/fct_payments.sql"
    checkout.edit(model, "\nwith versions as (", "\n-- Another way.\nwith versions as (")
    found = plan(checkout)
    why = reasons(found)
    assert why["fct_payments"] == ["code changed"]
    assert found["select"] == ["fct_payments+"]
    macro = checkout.folder / "macros" / "winsorize.sql"
    text = macro.read_text()
    macro.write_text(text.replace("{%- endmacro", " {%- endmacro", 1))
    assert reasons(plan(checkout))["agg_churn_by_segment"] == ["code changed"]


def test_a_description_alone_is_no_reason_to_build_where_it_is_not_written(
    checkout: Checkout,
) -> None:
    checkout.edit("seeds/seeds.yml", "owner: data-science", "owner: another")
    assert NOTHING in checkout.run(CDP, "build", CDP_SPARK_REMOTE=NO_SPARK)


def test_what_something_else_has_written_is_built_again(stack: Stack, checkout: Checkout) -> None:
    stack.spark("insert into lake.seeds.drift_thresholds select * from lake.seeds.drift_thresholds")
    why = reasons(plan(checkout))
    assert why["drift_thresholds"] == ["written to since"]
    assert why["mon_drift"] == ["reads drift_thresholds"]


def test_a_table_that_was_written_by_plain_dbt_is_looked_at_once(
    stack: Stack, checkout: Checkout
) -> None:
    script = f'. "{stack.state_dir}/env" && exec "$@"'
    dbt = str(Path(CDP).with_name("dbt"))
    stack.run("sh", "-c", script, "sh", dbt, "build", "--select", "accepted_changes")
    # Where it wrote nothing, nothing is behind.
    assert NOTHING in checkout.run(CDP, "build", CDP_SPARK_REMOTE=NO_SPARK)


def test_a_late_source_warns_though_nothing_is_new_and_is_resolved(
    stack: Stack, tmp_path: Path
) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", contracts)
    contract = contracts / "raw" / "crm_customers.yml"
    text = contract.read_text()
    contract.write_text(text.replace("must_be_less_than: 72", "must_be_less_than: 0.0001"))
    folder = str(contracts)
    assert "contract of raw.crm_customers  changed" in stack.cdp(
        "build", "--plan", CDP_CONTRACTS_DIR=folder
    )
    # A run verifies the contract that changed, and people are alerted.
    said = stack.cdp("build", CDP_CONTRACTS_DIR=folder)
    assert "warned  raw.crm_customers  Data is fresh" in said
    assert severities(stack)[-1] == "warned"
    before = len(severities(stack))
    # Without a run it warns the same, and people know it already.
    said = stack.cdp("build", CDP_CONTRACTS_DIR=folder, CDP_SPARK_REMOTE=NO_SPARK)
    assert "warned  raw.crm_customers  Data is fresh" in said
    assert NOTHING in said
    assert len(severities(stack)) == before
    # Back to the contract of before: a run finds the source on time.
    stack.cdp("build")
    assert severities(stack)[-1] == "resolved"
    assert NOTHING in stack.cdp("build")


def severities(stack: Stack) -> list[str]:
    """What people were alerted to of the source."""
    path = stack.state_dir / "logs" / "alerts.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    causes = [json.loads(line)["cause"] for line in lines]
    return [c["severity"] for c in causes if c["name"] == "raw.crm_customers"]
