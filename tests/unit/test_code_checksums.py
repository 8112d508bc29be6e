"""What changes the checksum of a node's code, of a manifest made by hand."""

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from cdp.plan.manifest import Reader


def node(name: str, kind: str = "model", **more: Any) -> Any:  # noqa: ANN401 - as dbt's
    given: dict[str, Any] = {
        "unique_id": f"{kind}.p.{name}",
        "resource_type": kind,
        "name": name,
        "schema": "marts",
        "alias": name,
        "package_name": "p",
        "description": "",
        "columns": {},
        "raw_code": "select 1",
        "checksum": SimpleNamespace(name="sha256", checksum=name),
        "unrendered_config": {},
        "config": Config(materialized=more.pop("materialized", "incremental"), tags=[]),
        "depends_on": SimpleNamespace(nodes=more.pop("reads", []), macros=more.pop("macros", [])),
    }
    return SimpleNamespace(**given | more)


class Config(SimpleNamespace):
    def get(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self, name, None)


def macro(sql: str, *calls: str) -> Any:  # noqa: ANN401
    return SimpleNamespace(macro_sql=sql, depends_on=SimpleNamespace(macros=list(calls)))


class Manifest(SimpleNamespace):
    def find_materialization_macro_by_name(self, *_: str) -> Any:  # noqa: ANN401
        return SimpleNamespace(unique_id="macro.materialization")


@pytest.fixture
def manifest() -> Manifest:
    nodes = [
        node("base", macros=["macro.outer"]),
        node("staged", materialized="ephemeral", reads=["model.p.base"]),
        node("mart", reads=["model.p.staged"]),
        node("alone", raw_code="select {{ var('order') }} {{ env_var('CDP_X', '1') }}"),
        node("values", kind="seed", materialized="seed"),
        node("holds", kind="test", materialized="test", reads=["model.p.staged"]),
    ]
    macros = {
        "macro.outer": macro("outer", "macro.inner"),
        # They call each other.
        "macro.inner": macro("inner", "macro.outer"),
        "macro.materialization": macro("materialization"),
    }
    return Manifest(nodes={n.unique_id: n for n in nodes}, macros=macros, sources={})


def checksums(manifest: Manifest, **variables: Any) -> dict[str, str]:  # noqa: ANN401
    graph = Reader(manifest, variables).graph()
    found = {n.name: n.checksum for n in graph.nodes}
    return found | {t.name: t.checksum for t in graph.tests}


def changed(before: Manifest, after: Manifest) -> set[str]:
    old, new = checksums(before), checksums(after)
    return {name for name in old if old[name] != new[name]}


def test_a_macro_that_is_called_by_another_one_counts(manifest: Manifest) -> None:
    after = deepcopy(manifest)
    after.macros["macro.inner"].macro_sql = "other"
    assert changed(manifest, after) == {"base"}


def test_how_tables_are_written_counts_for_all_tables(manifest: Manifest) -> None:
    after = deepcopy(manifest)
    after.macros["macro.materialization"].macro_sql = "other"
    assert changed(manifest, after) == {"base", "mart", "alone", "values"}


def test_an_ephemeral_model_counts_for_what_reads_it(manifest: Manifest) -> None:
    after = deepcopy(manifest)
    after.nodes["model.p.staged"].checksum.checksum = "other"
    assert changed(manifest, after) == {"mart", "holds"}


def test_owners_and_tags_do_not_count_and_the_rest_of_the_configuration_does(
    manifest: Manifest,
) -> None:
    after = deepcopy(manifest)
    after.nodes["model.p.mart"].unrendered_config = {"meta": {"owner": "us"}, "tags": ["daily"]}
    assert changed(manifest, after) == set()
    after.nodes["model.p.mart"].unrendered_config = {"unique_key": "id"}
    assert changed(manifest, after) == {"mart"}


def test_descriptions_count_where_they_are_written_to_the_table(manifest: Manifest) -> None:
    after = deepcopy(manifest)
    after.nodes["model.p.mart"].description = "given"
    assert changed(manifest, after) == set()
    for each in (manifest, after):
        each.nodes["model.p.mart"].config.persist_docs = {"relation": True}
    assert changed(manifest, after) == {"mart"}


def test_variables_and_the_environment_count_for_what_names_them(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = checksums(manifest, order=1), checksums(manifest, order=2)
    assert {name for name in old if old[name] != new[name]} == {"alone"}
    monkeypatch.setenv("CDP_X", "2")
    assert checksums(manifest, order=1)["alone"] != old["alone"]


def test_tables_read_through_ephemeral_models_are_read(manifest: Manifest) -> None:
    graph = Reader(manifest, {}).graph()
    reads = {n.name: n.reads for n in graph.nodes}
    assert reads["mart"] == ("marts.base",)
    assert [n.name for n in graph.nodes].index("base") < [n.name for n in graph.nodes].index("mart")
    assert [(e.name, e.reads) for e in graph.ephemerals] == [("staged", ("marts.base",))]
