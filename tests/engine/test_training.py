"""Training on real features: the same set past upkeep, loopback alone, whole or not at all."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp import lake
from cdp.catalog import Catalog, Change
from cdp.models import training_set as sets
from cdp.models.registry import Registry
from cdp.publish.publisher import Publisher
from cdp.settings import ROOT
from cdp.upkeep.maintain import Upkeep
from cdp.upkeep.rules import Kept
from tests.support.stack import CDP, UNUSED, Stack
from tests.support.upkept import RULES

TABLE = "marts.ftr_customer_churn"
QUICK = ["--estimator", "logistic", "--trials", "1", "--jobs", "1"]
# `cdp`, in a process that writes down each address that it or its workers ask for.
WATCHED = """
import os, sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        with open(os.environ["WATCHED"], "a") as file:
            file.write(repr(arguments[1] if event == "socket.connect" else arguments[0]) + "\\n")
sys.addaudithook(hook)
"""
MAIN = "from cdp.__main__ import main; main()"
LOOPBACK = ("'127.0.0.1'", "('127.0.0.1'", "'localhost'", "('::1'", "'/", "b'127.0.0.1'")


@dataclass
class Trained:
    """What `cdp train sample` has said, and the addresses that were asked for."""

    said: str
    addresses: list[str]
    version: Any


def declare(folder: Path, **changed: object) -> str:
    """Declare the sample's problem in a folder, changed, and the population's as it is."""
    for name, more in (("sample", changed), ("population", {})):
        declared = yaml.safe_load((ROOT / "problems" / f"{name}.yml").read_text()) | more
        (folder / f"{name}.yml").write_text(yaml.safe_dump(declared))
    return str(folder)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a training that takes seconds: two folds, once."""
    split = {"kind": "folds", "folds": 2, "seeds": [11]}
    return {"CDP_PROBLEMS_DIR": declare(tmp_path_factory.mktemp("problems"), split=split)}


@pytest.fixture(scope="module")
def registry(stack: Stack) -> Registry:
    return Registry(stack.settings())


@pytest.fixture(scope="module")
def trained(
    stack: Stack, registry: Registry, tmp_path_factory: pytest.TempPathFactory, full: bool
) -> Iterator[Trained]:
    """All estimators, by two processes; with --full all seeds and trials, as a person would."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "sitecustomize.py").write_text(WATCHED)
    seen = folder / "addresses"
    environment = {"WATCHED": str(seen), "PYTHONPATH": f"{folder}:{ROOT}"}
    arguments = ["train", "sample", "--jobs", "2"]
    if not full:
        split = {"kind": "folds", "folds": 5, "seeds": [11]}
        declared = declare(tmp_path_factory.mktemp("problems"), split=split)
        environment["CDP_PROBLEMS_DIR"] = declared
        arguments += ["--trials", "1"]
    done = stack.run(sys.executable, "-c", MAIN, *arguments, ok=True, cwd=ROOT, **environment)
    version = registry.version("sample", "challenger")
    yield Trained(done.stdout, seen.read_text().splitlines(), version)
    for one in registry.versions("sample"):
        sets.release(TABLE, one.training_tag, stack.settings())


def tags(stack: Stack, table: str = TABLE) -> set[str]:
    state = Catalog(stack.settings()).load(table)
    assert state
    return {name for name in state.refs if name.startswith(sets.PREFIX)}


def test_training_registers_the_best_estimator_with_honest_figures(
    trained: Trained, registry: Registry, stack: Stack, full: bool
) -> None:
    report = json.loads(registry.read(trained.version, "report.json"))
    assert set(report["candidates"]) == {"logistic", "xgboost", "lightgbm"}
    assert (report["rows"], report["positives"]) == (7043, 1869)
    found = {k: v["value"] for k, v in report["candidates"][report["estimator"]]["metrics"].items()}
    # One seed, as by day, has some luck of its own.
    assert (0.848 if full else 0.845) <= found["roc_auc"] <= 0.865
    assert found["pr_auc"] >= (0.665 if full else 0.655)
    assert found["brier"] <= (0.134 if full else 0.136)
    assert found["ece"] <= (0.015 if full else 0.02)
    assert found["lift_10"] >= 2.8
    assert report["parity"]["rows"] == 100_000
    assert report["parity"]["other_paths"] == 0
    assert trained.version.training_tag in tags(stack)
    assert "cdp models promote sample" in trained.said
    card = registry.read(trained.version, "card.html").decode()
    assert trained.version.model_id in card


def test_training_asks_loopback_alone(trained: Trained) -> None:
    assert trained.addresses
    assert [a for a in trained.addresses if not a.startswith(LOOPBACK)] == []


def test_a_training_set_is_the_same_again(trained: Trained, stack: Stack) -> None:
    said = stack.cdp("train", "--verify", trained.version.model_id)
    assert f"7,043 rows, the same: {trained.version.row_hash}" in said


def test_an_unknown_model_cannot_be_verified(stack: Stack) -> None:
    assert "there is no model x-1" in stack.refused("train", "--verify", "x-1")


@pytest.fixture
def own(stack: Stack) -> Iterator[str]:
    """A copy of the features in a table that nobody else reads."""
    table = "training.features"
    with stack.session() as session:
        session.sql("create namespace if not exists lake.training")
        session.sql(f"create table lake.{table} using iceberg as select * from lake.{TABLE}")  # noqa: S608
        yield table
        session.sql(f"drop table lake.{table}")
        session.sql("drop namespace lake.training")


def test_a_set_outlives_upkeep_compaction_and_the_tags_of_publishes(
    own: str, stack: Stack, registry: Registry, tmp_path: Path
) -> None:
    settings = stack.settings()
    split = {"kind": "folds", "folds": 2, "seeds": [11]}
    declared = declare(tmp_path, split=split, table=own)
    said = stack.cdp("train", "sample", *QUICK, ok=True, CDP_PROBLEMS_DIR=declared)
    number = int(said.partition(" is version ")[2].split(" ")[0])
    version = registry.version("sample", number)
    with stack.session() as session:
        # The rows change, all files are written again, and nothing of before may be asked for.
        session.sql(f"delete from lake.{own} where contract_type = 'two_year'")  # noqa: S608
        options = "options => map('rewrite-all', 'true')"
        session.sql(f"call lake.system.rewrite_data_files(table => '{own}', {options})")
        rules = {"snapshots_keep_days": 0, "snapshots_keep_last": 1, "orphans_after_hours": 24}
        upkeep = Upkeep([], settings, lambda _: None)
        kept = Kept(own, RULES.model_copy(update=rules))
        upkeep.keep(kept, session, Publisher(settings))
        upkeep.keep(kept, session, Publisher(settings))
    state = Catalog(settings).load(own)
    assert state
    assert len(state.snapshots) == 2
    assert f"the same: {version.row_hash}" in stack.cdp("train", "--verify", version.model_id)
    # Whoever moves the tag to other rows is found out.
    tagged, head = state.refs[version.training_tag], state.refs["main"]
    for was, becomes in ((tagged, head), (head, tagged)):
        moved = {version.training_tag: ("tag", becomes, 0)}
        Catalog(settings).commit([Change(state, {version.training_tag: was}, moved)])
        if becomes == head:
            refused = stack.refused("train", "--verify", version.model_id)
            assert "of 7,043 rows 1,695 are gone, of 1,695 customers, and 0 are new" in refused
    # A feature is given up, and another one comes.
    with stack.session() as session:
        session.sql(f"alter table lake.{own} drop column has_dependents")
        session.sql(f"alter table lake.{own} add column late boolean")
    assert f"the same: {version.row_hash}" in stack.cdp("train", "--verify", version.model_id)
    columns = {"late": "boolean", "tenure_months": "numeric"}
    newer = declare(tmp_path, table=own, columns=columns, segments=["tenure_months"])
    refused = stack.refused("train", "sample", "--at", version.training_tag, CDP_PROBLEMS_DIR=newer)
    assert f"no column late at {sets.PREFIX}" in refused
    assert "which is older" in refused
    stack.cdp("models", "delete", "sample", str(version.number))


def test_what_is_not_there_is_one_line(stack: Stack) -> None:
    before = tags(stack)
    assert f"{TABLE} has nothing at yesterday" in stack.refused(
        "train", "sample", "--at", "yesterday"
    )
    assert "there is no problem churn" in stack.refused("train", "churn")
    assert "no estimator forest" in stack.refused("train", "sample", "--estimator", "forest")
    # The sample has no as-of date whose label is known.
    assert f"{TABLE} has no rows at training_population" in stack.refused("train", "population")
    assert tags(stack) == before


def test_a_registry_that_is_away_is_found_out_before_the_work(stack: Stack) -> None:
    before = tags(stack)
    began = time.monotonic()
    stack.refused("train", "sample", *QUICK, CDP_MLFLOW_URI=f"http://{UNUSED}")
    assert time.monotonic() - began < 60
    assert tags(stack) == before


def test_a_full_disk_while_saving_registers_nothing(
    stack: Stack, trained: Trained, quick: dict[str, str]
) -> None:
    before, versions = tags(stack), Registry(stack.settings()).versions("sample")
    done = subprocess.run(
        [CDP, "train", "sample", *QUICK],
        env=stack.environment(**quick),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error: the model cannot be written to" in done.stderr
    assert "nothing is registered" in done.stderr
    assert tags(stack) == before
    assert Registry(stack.settings()).versions("sample") == versions
    assert trained.version.number in {v.number for v in versions}


def test_a_killed_training_leaves_a_tag_that_a_later_one_releases(
    stack: Stack, trained: Trained, quick: dict[str, str]
) -> None:
    """And deleting a version releases its tag."""
    before, versions = tags(stack), Registry(stack.settings()).versions("sample")
    process = subprocess.Popen([CDP, "train", "sample", "--jobs", "1"], env=stack.environment())
    deadline = time.monotonic() + 60
    while tags(stack) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    (left,) = tags(stack) - before
    assert Registry(stack.settings()).versions("sample") == versions
    # As if it were of two days ago: tags are named by their moment.
    settings = stack.settings()
    old = f"{sets.PREFIX}sample_20240101_000000_abcd"
    state = Catalog(settings).load(TABLE)
    assert state
    Catalog(settings).commit([Change(state, {old: None}, {old: ("tag", state.refs[left], 0)})])
    assert sets.release(TABLE, left, settings)
    said = stack.cdp("train", "sample", *QUICK, ok=True, **quick)
    assert f"released {old}, of a training that was killed" in said
    (new,) = tags(stack) - before
    number = said.partition(" is version ")[2].split(" ")[0]
    assert f"and {new} released" in stack.cdp("models", "delete", "sample", number)
    assert tags(stack) == before
    assert trained.version.training_tag in before


def test_the_notebook_runs(stack: Stack, quick: dict[str, str], tmp_path: Path) -> None:
    """From the features at a tag to a comparison, as docs/models.md promises it."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(ROOT / "notebooks" / "churn.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment(**quick, IPYTHONDIR=str(tmp_path)).items():
            patch.setenv(name, value)
        client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}})
        client.execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert "has_left cannot be a feature of sample" in printed
    assert printed.count("charge_change") == 2
    assert "finer: roc_auc 0.8" in printed


def test_features_are_read_from_python_at_a_tag(stack: Stack, trained: Trained) -> None:
    """As docs/models.md shows it: PyIceberg, and no Spark."""
    table = lake.open_catalog(stack.settings()).load_table(TABLE)
    snapshot = table.snapshot_by_name(trained.version.training_tag)
    assert snapshot
    features = table.scan(snapshot_id=snapshot.snapshot_id).to_pandas()
    assert len(features) == 7043
