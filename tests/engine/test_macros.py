"""The macros of macros/, applied to seeds and compared with seeds of what must come out."""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from cdp.settings import ROOT
from tests.support.project import Project, environment
from tests.support.reading import catalog
from tests.support.stack import Stack

SCHEMA = "macro_tests"
# What is built from run to run, and what it is built from.
RUN_TO_RUN = ["taken_in+", "versions_in+", "mon_reconciliation"]
STILL = ["taken_in", "daily", "latest", "features", "labelled", "mon_reconciliation"]
STILL += ["mon_column_profile", "mon_drift", "versions_in", "moved"]


@pytest.fixture(scope="module")
def project(bare_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of the seeds, with the macros where its dbt_project.yml looks for them."""
    folder = tmp_path_factory.mktemp("macros") / "project"
    shutil.copytree(ROOT / "tests" / "macros", folder)
    shutil.copytree(ROOT / "macros", folder / "macros")
    shutil.copy(ROOT / ".dbtignore", folder)
    shutil.copy(ROOT / "tests" / "iceberg" / "macros" / "equality.sql", folder / "helpers")
    with environment(bare_stack), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMEBODY_SCHEMA", SCHEMA)
        made = Project(bare_stack, folder, SCHEMA, frozenset({"run"}))
        yield made
        made.dbt("run-operation", "forget_schemas")


@pytest.mark.parametrize("branch", [pytest.param("main", marks=pytest.mark.full), "run_of_a_test"])
def test_macros_give_what_the_seeds_say_from_run_to_run(project: Project, branch: str) -> None:
    """On main, and on a branch that begins after the first run."""
    project.dbt("run-operation", "forget_schemas")
    # As a load does, before a run: the scope of a run is found as it starts.
    land = ["run", "--select", "mon_landed_batches"]
    project.dbt(*land)
    project.dbt("build", "--exclude", "named", "mon_landed_batches")
    begun = project.heads()
    with project.branch(branch) if branch != "main" else nullcontext():
        # Two more batches, one of them with what happened long ago; a third is not loaded whole.
        build = ["build", "--select", *RUN_TO_RUN]
        project.dbt(*land, run=2, whole=3)
        project.dbt(*build, run=2, landed=4, whole=3)
        # Nothing new, and no commit.
        before = project.heads(branch)
        project.dbt(*build, run=3, landed=4, whole=3)
        for name in STILL:
            assert project.heads(branch)[f"{SCHEMA}.{name}"] == before[f"{SCHEMA}.{name}"]
        # A backfill of some days.
        build = ["build", "--select", "daily", "latest", "features", "labelled"]
        project.dbt(
            *build, "after_run", "filtered", run=4, from_date="2024-01-02", to_date="2024-01-11"
        )
        # It is not the seeds that make all pass.
        said = project.dbt("test", "--select", "after_run", ok=False, run=1)
        assert "after_run__equality" in said
    assert (project.heads() == begun) is (branch != "main")


def test_thresholds_of_other_features_than_those_that_are_capped_are_told(
    project: Project,
) -> None:
    project.dbt("seed", "--select", "winsor_thresholds", "capped_given")
    project.dbt("run", "--select", "capped")
    # No feature is left.
    project.sql(f"truncate table lake.{SCHEMA}.winsor_thresholds")
    said = project.dbt("run", "--select", "capped", ok=False)
    assert "macros/winsorized_features.sql name different features" in said


def test_schemas_of_the_ci_target_are_its_own_and_are_dropped(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.dbt("run", "--select", "named")
    project.dbt("run-operation", "drop_ci_schemas", ok=False)
    assert "add --target ci" in capsys.readouterr().out
    project.dbt("run", "--select", "named", target="ci")
    layers = {(f"{SCHEMA}_layer",), (f"{SCHEMA}_ci_{SCHEMA}_layer",)}
    assert layers <= set(catalog(project.stack).list_namespaces())
    names = [
        catalog(project.stack).load_table((*layer, "named")).scan().to_arrow().to_pylist()
        for layer in sorted(layers)
    ]
    assert names == [
        [{"layer": f"{SCHEMA}_ci_marts", "without_layer": f"{SCHEMA}_ci"}],
        [{"layer": "marts", "without_layer": SCHEMA}],
    ]
    project.dbt("run-operation", "drop_ci_schemas", target="ci")
    assert layers & set(catalog(project.stack).list_namespaces()) == {(f"{SCHEMA}_layer",)}
