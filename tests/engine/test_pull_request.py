"""A pull request, built by the steps of the workflow's job beside what is published."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from cdp.settings import ROOT
from tests.support.checkout import Checkout
from tests.support.reading import catalog, content, read
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("published")
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
JOB = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["changed-models"]
FETCH, BUILD, DROP = [step["run"] for step in JOB["steps"] if "name" in step]
REFUSED = DROP.replace("--target ci", "--target local")
RUN = "pr7"
# Runs whose names begin as this one's does, or as those of its schemas do.
OTHERS = ["ci_pr70_marts", "ci_pr7_0_marts", "ci_pr7_marts_marts"]


class PullRequest(Checkout):
    """A checkout with changes, and the settings of a shared lakehouse."""

    def step(self, script: str, ok: bool = True) -> str:
        """Run a step as the workflow's machine does; what it printed."""
        return self.run("bash", "-e", "-c", script, ok=ok, CDP_CI_RUN=RUN)

    def compiled(self, mart: str) -> str:
        marts = self.folder / "target" / "compiled" / "cdp_lakehouse" / "models" / "marts"
        return (marts / f"{mart}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def published(stack: Stack) -> None:
    stack.cdp("build")


@pytest.fixture(scope="module")
def unchanged(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> PullRequest:
    """One that changes no model."""
    made = PullRequest(stack, tmp_path_factory.mktemp("unchanged"))
    made.step(FETCH)
    return made


@pytest.fixture
def pull_request(stack: Stack, tmp_path: Path) -> Iterator[PullRequest]:
    """One that a test changes."""
    made = PullRequest(stack, tmp_path)
    made.step(FETCH)
    yield made
    made.step(DROP)


def lake(stack: Stack) -> dict[str, str]:
    """Every schema and table of the catalog, and where the metadata of each table are."""
    lake = catalog(stack)
    found: dict[str, str] = {}
    for (schema,) in lake.list_namespaces():
        found[schema] = ""
        for name in lake.list_tables(schema):
            found[".".join(name)] = lake.load_table(name).metadata_location
    return found


@pytest.fixture
def other_runs(stack: Stack) -> Iterator[None]:
    """Schemas of other runs, with a table each."""
    lake = catalog(stack)
    for schema in OTHERS:
        lake.create_namespace(schema)
        lake.create_table(f"{schema}.dim_customers", pa.schema([("customer_id", pa.string())]))
    yield
    for schema in OTHERS:
        lake.drop_table(f"{schema}.dim_customers")
        lake.drop_namespace(schema)


@pytest.mark.usefixtures("other_runs")
def test_what_changed_and_its_children_are_built_and_tested_beside_what_is_published(
    stack: Stack, pull_request: PullRequest
) -> None:
    before = lake(stack)
    pull_request.edit(
        "models/marts/ftr_customer_churn.sql",
        "date_add(features.as_of_date, 30) < date '{{ last_known_on }}'",
        "date '{{ last_known_on }}' > date_add(features.as_of_date, 30)",
    )
    pull_request.step(BUILD)
    built = dict.fromkeys(
        ("ftr_customer_churn", "ftr_winsor_bounds", "agg_churn_by_segment"), "success"
    )
    assert pull_request.results("model", "seed", "snapshot") == built
    assert pull_request.results("test", "unit_test") == {
        "ftr_customer_churn__holds": "pass",
        "ftr_winsor_bounds__holds": "pass",
        "bounds_are_the_percentiles_of_a_date": "pass",
        "agg_churn_by_segment__holds": "pass",
        "segments_add_up_to_the_customers": "pass",
        "the_label_is_of_the_thirty_days_after": "pass",
        "shares_are_of_all_customers_and_labels_of_those_that_have_one": "pass",
    }
    assert "from intermediate.int_churns" in pull_request.compiled("ftr_customer_churn")
    assert "from ci_pr7_marts.ftr_customer_churn" in pull_request.compiled("agg_churn_by_segment")
    after = lake(stack)
    # What was there is as it was, to the last commit of metadata.
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"ci_pr7_marts", *(f"ci_pr7_marts.{name}" for name in built)}
    for name in built:
        rows = content(read(stack, f"ci_pr7_marts.{name}"))
        assert rows == content(read(stack, f"marts.{name}"))
        assert rows
    assert "dropped ci_pr7_marts" in pull_request.step(DROP)
    assert lake(stack) == before


@pytest.mark.full
def test_a_macro_that_breaks_the_models_which_use_it_fails_the_build_and_harms_nothing(
    stack: Stack, pull_request: PullRequest
) -> None:
    before = lake(stack)
    pull_request.edit(
        "macros/latest_by.sql",
        "spark_iceberg.latest_by(keys, order_by)",
        "spark_iceberg.latest_by(keys, order_by) ~ ' + 1'",
    )
    assert "Completed with" in pull_request.step(BUILD, ok=False)
    built = pull_request.results("model", "seed", "snapshot")
    # Two of those that use it, caught by their unit tests, and what reads features.
    for name in ("fct_payments", "fct_support_tickets", "agg_churn_by_segment"):
        assert built[name] == "skipped"
    assert "dim_customers" not in built
    after = lake(stack)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("ci_pr7_") for name in set(after) - set(before))
    pull_request.step(DROP)
    assert lake(stack) == before


def test_a_pull_request_that_changes_no_model_builds_nothing_and_passes(
    stack: Stack, unchanged: PullRequest
) -> None:
    before = lake(stack)
    assert "Nothing to do" in unchanged.step(BUILD)
    assert lake(stack) == before


@pytest.mark.usefixtures("other_runs")
def test_nothing_is_dropped_on_another_target(stack: Stack, unchanged: PullRequest) -> None:
    before = lake(stack)
    assert "drop_ci_schemas drops what the target ci has made" in unchanged.step(REFUSED, ok=False)
    assert lake(stack) == before
