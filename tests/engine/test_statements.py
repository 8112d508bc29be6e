"""How many statements a build asks Spark, by dbt's own log."""

from pathlib import Path

from bench.dbt_log import statements
from cdp.settings import ROOT
from tests.support.stack import CDP, Stack

DBT = str(Path(CDP).with_name("dbt"))


def of_tables(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Keep the statements of models and snapshots."""
    return {node: asked for node, asked in found.items() if node.startswith(("model.", "snap"))}


def test_a_model_asks_four_statements_at_most_and_none_without_new_rows(
    stack: Stack, tmp_path: Path
) -> None:
    # New rows of each log, dirty ones among them.
    stack.cdp("generate", "--customers", "30", "--days", "3", "--seed", "7", "--dirt", "0.3")
    for source in ("usage", "billing", "support"):
        stack.cdp("land", source)
    stack.cdp("load")
    stack.cdp("build", DBT_LOG_PATH=str(tmp_path / "new"))
    found = statements(tmp_path / "new" / "dbt.log")
    assert len(of_tables(found)) > 15
    assert not {node: asked for node, asked in of_tables(found).items() if len(asked) > 4}
    assert not {n: a for n, a in found.items() if n.startswith("seed.") and len(a) > 4}
    assert not {n: a for n, a in found.items() if n.startswith("test.") and len(a) > 1}
    # Plain dbt knows by itself that nothing is new.
    own: dict[str, str] = stack.settings().environment() | {"DBT_LOG_PATH": str(tmp_path / "again")}
    stack.run(DBT, "build", "--exclude-resource-type", "unit_test", ok=True, cwd=ROOT, **own)
    assert of_tables(statements(tmp_path / "again" / "dbt.log")) == {}
