"""A catalog beside the store, in place of the store's own: it has views, and can be lost alone."""

from pathlib import Path

import pytest

from cdp.backup.tables import Tables
from tests.support.lived import TABLES, Lived
from tests.support.lost_catalog import assert_a_lost_catalog_comes_back
from tests.support.views import assert_views_are_views

# The first test of its stack waits for the population.
pytestmark = pytest.mark.timeout(1800)


def test_the_sql_layer_is_built_on_another_catalog(lived: Lived) -> None:
    settings = lived.stack.settings()
    assert settings.catalog_url.endswith(str(8182 + lived.stack.offset))
    assert "rest-catalog" in {s["name"] for s in lived.stack.status()["services"]}
    # test_transform.py holds it against the truth.
    assert set(Tables(settings).all()) >= set(TABLES)


def test_views_are_views_where_the_catalog_has_them(lived: Lived, tmp_path: Path) -> None:
    assert_views_are_views(lived.stack, tmp_path / "project")


def test_a_lost_catalog_comes_back(lived: Lived, tmp_path: Path) -> None:
    assert_a_lost_catalog_comes_back(lived.stack, tmp_path / "backup")
