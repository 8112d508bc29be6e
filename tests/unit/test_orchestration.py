"""What the task of a table says, while dbt goes on and when it is over."""

import json
from pathlib import Path

import pytest
from lakehouse.verdict import attached_tests, verdict

TABLE, TESTS = "model.a", ["test.one", "test.two"]


@pytest.mark.parametrize(
    ("nodes", "going_on", "over"),
    [
        ({}, None, "skipped"),
        ({TABLE: "success"}, None, "success"),
        ({TABLE: "success", "test.one": "pass"}, None, "success"),
        ({TABLE: "success", "test.one": "pass", "test.two": "warn"}, "success", "success"),
        ({TABLE: "success", "test.one": "pass", "test.two": "fail"}, None, "failed"),
        # A failure counts once nothing more comes: the task that runs dbt may be tried again.
        ({TABLE: "error", "test.one": "skipped"}, None, "failed"),
        ({TABLE: "skipped", "test.one": "skipped"}, None, "skipped"),
    ],
)
def test_a_table_is_as_dbt_says_of_it_and_of_its_tests(
    nodes: dict[str, str], going_on: str | None, over: str
) -> None:
    assert verdict(nodes, TABLE, TESTS, is_over=False) == going_on
    assert verdict(nodes, TABLE, TESTS, is_over=True) == over


def test_the_tests_of_a_table_are_those_that_are_written_at_it(tmp_path: Path) -> None:
    nodes = {
        "model.a": {"resource_type": "model"},
        "test.one": {"resource_type": "test", "attached_node": "model.a"},
        "test.of_nobody": {"resource_type": "test", "attached_node": None},
        "unit_test.a": {"resource_type": "unit_test", "attached_node": "model.a"},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}))
    assert attached_tests(path) == {"model.a": ["test.one"]}
