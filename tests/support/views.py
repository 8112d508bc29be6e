"""Models that are views where the catalog has views."""

from pathlib import Path

import pytest

from tests.support.project import Project, environment, install
from tests.support.stack import Stack


def assert_views_are_views(stack: Stack, folder: Path) -> None:
    """This catalog has views: a model of one is that or a table, as the variable says."""
    with environment(stack), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMEBODY_SCHEMA", "somebody")
        project = Project(stack, install(folder), "somebody")
        build = ["build", "--select", "a_table", "a_view"]
        # A view at first, and at a second run; a table in its place, at a second run too; and a
        # view in the table's.
        for batches, has_views in enumerate([True, True, False, False, True], 2):
            project.dbt(*build, batches=batches, iceberg_catalog_has_views=has_views)
            (row,) = project.sql("select row_count from lake.somebody.a_view")
            assert row[0] == batches
            views = [row[1] for row in project.sql("show views in lake.somebody")]
            tables = [row[1] for row in project.sql("show tables in lake.somebody")]
            assert views == (["a_view"] if has_views else [])
            assert sorted(tables) == (["a_table"] if has_views else ["a_table", "a_view"])
        # A view has no rows of its own.
        project.dbt("build", "--select", "a_table", batches=9, iceberg_catalog_has_views=True)
        (row,) = project.sql("select row_count from lake.somebody.a_view")
        assert row[0] == 9
        project.dbt("run-operation", "forget_schema", iceberg_catalog_has_views=True)
        assert not [r for r in project.sql("show schemas in lake") if r[0] == "somebody"]
