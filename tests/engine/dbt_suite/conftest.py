"""dbt's own tests of an adapter, with this package installed in each of their projects.

The suite's projects and assertions are as `dbt-tests-adapter` has them. `terms.py` says where
their SQL is put into Spark's words.
"""

# ruff: noqa: ANN401  The suite has no types.

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.tests.fixtures import project as fixtures
from dbt.tests.fixtures.project import *  # noqa: F403
from dbt.tests.fixtures.project import TestProjInfo
from dbt.tests.util import write_file

from cdp.settings import ROOT
from tests.engine.dbt_suite.changed import CHANGED
from tests.engine.dbt_suite.terms import CASCADE, Terms

PACKAGE = ROOT / "macros" / "iceberg"
UNCHANGED = pytest.StashKey[dict[Path, set[str]]]()


@pytest.fixture(scope="class")
def dbt_profile_target() -> dict[str, Any]:
    return {"type": "spark", "method": "session", "host": "unused", "user": "unused", "threads": 1}


@pytest.fixture(scope="class")
def dbt_project_yml(
    project_root: Any, project_config_update: Any, terms: Terms, has_views: bool
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": "test",
        "profile": "test",
        "flags": {
            "send_anonymous_usage_stats": False,
            "require_explicit_package_overrides_for_builtin_materializations": False,
        },
    }
    if isinstance(project_config_update, str):
        project_config_update = yaml.safe_load(project_config_update)
    for key, value in (project_config_update or {}).items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            config[key].update(value)
        else:
            config[key] = value
    name = config["name"]
    for kind in ("models", "seeds", "snapshots", "data_tests"):
        config.setdefault(kind, {})
        if isinstance(config[kind], dict):
            config[kind].setdefault("+file_format", "iceberg")
    config["packages-install-path"] = "dbt_packages"
    config["dispatch"] = [
        {"macro_namespace": "dbt", "search_order": [name, "spark_iceberg", "dbt"]}
    ]
    config.setdefault("vars", {})["iceberg_catalog_has_views"] = has_views
    text = terms.file(yaml.safe_dump(config), "dbt_project.yml")
    write_file(text, project_root, "dbt_project.yml")
    shutil.copytree(PACKAGE, Path(project_root) / "dbt_packages" / "spark_iceberg")
    return config


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("logs"))
        patch.setenv("DBT_LOG_PATH", folder)
        yield folder


@pytest.fixture(scope="class")
def has_views() -> bool:
    return False


@pytest.fixture(scope="class")
def test_data_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder of what an adapter brings itself: the tables that hooks write to."""
    folder = tmp_path_factory.mktemp("files") / "data"
    if "Hook" in request.cls.__name__:
        folder.mkdir()
        made = Path(__file__).with_name("hook.sql").read_text(encoding="utf-8")
        for kind in ("model", "run"):
            (folder / f"seed_{kind}.sql").write_text(made.replace("KIND", kind))
    return folder


@pytest.fixture(scope="class", autouse=True)
def terms(request: pytest.FixtureRequest) -> Iterator[Terms]:
    """Put what the suite writes and asks into Spark's terms while a class of tests runs."""
    made = Terms()
    original_run, original_write = TestProjInfo.run_sql, write_file

    def run_sql(project: Any, sql: str, fetch: str | None = None) -> Any:
        answer = None
        for statement in made.statements(sql):
            for one in emptied(project, statement):
                answer = original_run(project, one, fetch)
        return answer

    def emptied(project: Any, statement: str) -> list[str]:
        found = CASCADE.fullmatch(statement)
        if not found:
            return [statement]
        made.changed.add("a catalog drops an empty schema alone")
        tables = original_run(project, f"show tables in {found[1]}", "all")
        return [*(f"drop table {found[1]}.{row[1]}" for row in tables), f"drop schema {found[1]}"]

    def run_sql_file(project: Any, path: Any, fetch: str | None = None) -> Any:
        return run_sql(project, Path(path).read_text(encoding="utf-8"), fetch)

    def write(contents: str, *paths: Any) -> None:
        original_write(made.file(contents, str(paths[-1])), *paths)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestProjInfo, "run_sql", run_sql)
        patch.setattr(TestProjInfo, "run_sql_file", run_sql_file)
        patch.setattr(fixtures, "write_file", write)
        for base in request.cls.__mro__ if request.cls else ():
            module = sys.modules[base.__module__]
            if getattr(module, "write_file", None) is original_write:
                patch.setattr(module, "write_file", write)
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]) -> Any:
    """Keep which tests have passed with nothing put otherwise and nothing else expected."""
    report = yield
    name = item.cls.__name__.removeprefix("Test") if item.cls else ""
    if name and report.when == "call" and report.passed and name not in CHANGED:
        terms: Any = item.funcargs["terms"]
        if not terms.changed:
            kept = item.config.stash.setdefault(UNCHANGED, {})
            kept.setdefault(item.path, set()).add(item.nodeid)
    return report
