"""The workflow of continuous integration, as far as it can be known without its machines."""

import subprocess
import sys

import pytest
import yaml
from pydantic import SecretStr

from cdp.settings import ROOT, Settings

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
JOB = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["changed-models"]
SETTINGS = {name: told for name, told in JOB["env"].items() if name != "CDP_CI_RUN"}


def test_the_workflow_is_valid_by_the_schema_of_workflows() -> None:
    schema = ["--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    command = [sys.executable, "-m", "check_jsonschema", *schema]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_of_the_job_comes_from_the_variable_or_the_secret_of_its_name(name: str) -> None:
    field = Settings.model_fields[name.removeprefix("CDP_").lower()]
    hidden = field.annotation is SecretStr or name == "CDP_S3_ACCESS_KEY"
    assert SETTINGS[name] == f"${{{{ {'secrets' if hidden else 'vars'}.{name} }}}}"


def test_the_job_needs_a_lakehouse_that_is_set_and_secrets_that_no_fork_gets() -> None:
    assert "vars.CDP_SPARK_REMOTE != ''" in JOB["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in JOB["if"]


def test_no_two_runs_of_the_job_share_their_schemas() -> None:
    for part in ("github.event.number", "github.run_id", "github.run_attempt"):
        assert part in JOB["env"]["CDP_CI_RUN"]


def test_the_schemas_of_a_run_are_dropped_however_it_ends() -> None:
    assert JOB["steps"][-1]["if"] == "always()"
    assert "drop_ci_schemas" in JOB["steps"][-1]["run"]
