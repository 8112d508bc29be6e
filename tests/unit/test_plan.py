"""Which nodes a run builds, by what is known, what the catalog says, and what was asked for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cdp.catalog import State
from cdp.plan import asked
from cdp.plan.graph import ALL, DataTest, Ephemeral, Graph, Node
from cdp.plan.plan import Lake, Left, Plan, plan
from cdp.plan.state import Batches, Built, Fact, Known
from cdp.publish.journal import Move

# table: (reads, raw, tags)
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "seeds.values": ((), (), ()),
    "staging.customers": (("seeds.values",), ("raw.customers",), ()),
    "staging.events": (("seeds.values",), ("raw.events",), ()),
    "marts.dim": (("staging.customers",), (), ()),
    "marts.fct": (("staging.events",), (), ()),
    "marts.features": (("marts.dim", "marts.fct"), (), ("daily",)),
    "monitoring.profile": (("marts.dim", "marts.features"), (), ()),
    "monitoring.reconciled": ((), (ALL,), ()),
}
BATCHES = {"crm": Batches("raw.customers", 3), "usage": Batches("raw.events", 12)}


def name(table: str) -> str:
    return table.partition(".")[2]


def unique(table: str) -> str:
    return f"{'seed' if table.startswith('seeds') else 'model'}.{name(table)}"


GRAPH = Graph(
    tuple(
        Node(unique(t), unique(t).partition(".")[0], name(t), t, reads, raw, tags, "code")
        for t, (reads, raw, tags) in PARTS.items()
    ),
    (
        DataTest("test.dim", "dim_holds", ("marts.dim",), "code"),
        DataTest("test.both", "both_hold", ("marts.dim", "marts.features"), "code"),
    ),
    (Ephemeral("stg_events", ("staging.events",)),),
)


def table(head: int | None, *, before: Mapping[int, str] | None = None) -> State:
    """A table whose snapshots have the operations; each one follows the one before it."""
    operations = before or {}
    snapshots: dict[int, dict[str, Any]] = {}
    parent = None
    for snapshot, operation in operations.items():
        snapshots[snapshot] = {"summary": {"operation": operation}, "parent-snapshot-id": parent}
        parent = snapshot
    return State("t", "u", "l", {"main": head} if head is not None else {}, snapshots)


TABLES = {t: table(1) for t in PARTS}
LAKE = Lake(TABLES, BATCHES)


def facts(tables: Mapping[str, State] = TABLES) -> dict[str, Fact]:
    """All is built and tested as it is now."""
    heads = {t: s.head() for t, s in tables.items()}
    found = {}
    for node in GRAPH.nodes:
        read = {t: heads[t] for t in node.reads}
        batches = {s: b.last for s, b in BATCHES.items() if {b.table, ALL} & set(node.raw)}
        found[node.unique_id] = Fact("code", heads[node.table], read, batches)
    for test in GRAPH.tests:
        found[test.unique_id] = Fact("code", None, {t: heads[t] for t in test.reads})
    return found


KNOWN = Known("print", GRAPH, facts(), {})


def why(found: Plan) -> dict[str, tuple[str, ...]]:
    return {n.name: n.reasons for n in found.nodes}


def with_fact(unique_id: str, **more: Any) -> Known:  # noqa: ANN401
    changed = replace(KNOWN.facts[unique_id], **more)
    return replace(KNOWN, facts={**KNOWN.facts, unique_id: changed})


def with_table(name: str, state: State) -> Lake:
    return replace(LAKE, tables={**TABLES, name: state})


def with_batches(**last: int) -> Lake:
    batches = {s: replace(b, last=last.get(s, b.last)) for s, b in BATCHES.items()}
    return replace(LAKE, batches=batches)


def test_where_nothing_has_changed_nothing_is_built() -> None:
    found = plan(GRAPH, KNOWN, LAKE)
    assert found.is_empty
    assert (found.select, found.tables) == ((), len(PARTS))


def test_new_batches_build_what_reads_their_source() -> None:
    found = plan(GRAPH, KNOWN, with_batches(usage=15))
    assert why(found) == {
        "events": ("usage: batches 13 to 15",),
        "fct": ("reads events",),
        "features": ("reads fct",),
        "profile": ("reads features",),
        "reconciled": ("usage: batches 13 to 15",),
    }
    assert found.select == ("events+", "reconciled+")
    assert [t.name for t in found.tests] == []


def test_one_new_batch_is_named_alone() -> None:
    assert why(plan(GRAPH, KNOWN, with_batches(crm=4)))["customers"] == ("crm: batch 4",)


def test_batches_that_were_loaded_again_are_read_again() -> None:
    reasons = why(plan(GRAPH, KNOWN, with_batches(crm=1)))["customers"]
    assert reasons == ("crm: loaded again, up to batch 1",)


def test_a_first_batch_of_a_source_is_new() -> None:
    lake = replace(LAKE, batches={**BATCHES, "other": Batches("raw.other", 1)})
    assert why(plan(GRAPH, KNOWN, lake)) == {"reconciled": ("other: batch 1",)}


@pytest.mark.parametrize(
    ("unique_id", "reason"),
    [("seed.values", "seed changed"), ("model.dim", "code changed")],
)
def test_what_changed_is_built_with_what_reads_it(unique_id: str, reason: str) -> None:
    found = plan(GRAPH, with_fact(unique_id, checksum="other"), LAKE)
    assert next(iter(why(found).values())) == (reason,)
    assert found.select == (f"{name(unique_id)}+",)


def test_a_table_that_is_not_there_is_built() -> None:
    tables = {t: s for t, s in TABLES.items() if t != "marts.fct"}
    found = why(plan(GRAPH, KNOWN, replace(LAKE, tables=tables)))
    assert found["fct"] == ("its table is not there",)
    assert found["features"] == ("reads fct",)
    assert "events" not in found


def test_a_table_without_a_snapshot_of_main_is_built() -> None:
    found = why(plan(GRAPH, KNOWN, with_table("marts.fct", table(None))))
    assert found["fct"] == ("its table is not there",)


def test_a_table_that_something_else_has_written_to_is_built() -> None:
    written = table(2, before={1: "append", 2: "append"})
    found = why(plan(GRAPH, KNOWN, with_table("marts.dim", written)))
    assert found["dim"] == ("written to since",)
    assert found["features"] == ("reads dim",)
    assert "customers" not in found


def test_compaction_is_no_news() -> None:
    compacted = table(3, before={1: "append", 2: "replace", 3: "replace"})
    assert plan(GRAPH, KNOWN, with_table("marts.dim", compacted)).is_empty


def test_a_commit_of_nothing_is_no_news_where_its_summary_says_so() -> None:
    state = table(2, before={1: "append", 2: "overwrite"})
    lake = with_table("marts.dim", state)
    assert "dim" in why(plan(GRAPH, KNOWN, lake))
    state.snapshots[2]["summary"]["changed-partition-count"] = "0"
    assert plan(GRAPH, KNOWN, lake).is_empty
    state.snapshots[2]["summary"]["added-delete-files"] = "1"
    assert "dim" in why(plan(GRAPH, KNOWN, lake))


def test_what_was_written_before_a_compaction_is_news() -> None:
    compacted = table(3, before={1: "append", 2: "append", 3: "replace"})
    assert "dim" in why(plan(GRAPH, KNOWN, with_table("marts.dim", compacted)))


def test_a_snapshot_that_has_expired_is_news() -> None:
    compacted = table(3, before={2: "replace", 3: "replace"})
    assert "dim" in why(plan(GRAPH, KNOWN, with_table("marts.dim", compacted)))


def test_after_a_rollback_what_was_taken_back_is_built() -> None:
    back = {t: table(1) for t in PARTS}
    ahead = {t: table(2) if t in {"staging.events", "marts.fct"} else s for t, s in back.items()}
    known = replace(KNOWN, facts=facts(ahead))
    found = plan(GRAPH, known, replace(LAKE, tables=back))
    assert why(found)["events"] == ("written to since",)
    assert set(why(found)) == {"events", "fct", "features", "profile"}
    # Once the rollback is rolled back, all is known again.
    assert plan(GRAPH, known, replace(LAKE, tables=ahead)).is_empty


def test_without_a_state_all_is_built() -> None:
    found = plan(GRAPH, Known(), LAKE)
    assert set(why(found).values()) == {("not known",)}
    assert len(found.nodes) == len(PARTS)
    assert found.select == ("values+", "reconciled+")
    # Each test comes with its tables.
    assert found.tests == ()


def test_what_is_left_out_is_found_behind_later() -> None:
    hourly = Left({"model.features"})
    lake = with_batches(usage=13)
    found = plan(GRAPH, KNOWN, lake, hourly)
    # The profile reads nothing else that is built.
    assert set(why(found)) == {"events", "fct", "reconciled"}
    # It would be built for the table that is left out, so the descendants are not what is built.
    assert set(found.select) == {"events", "fct", "reconciled", "stg_events"}
    after = {**TABLES, "staging.events": table(2), "marts.fct": table(2)}
    heads = {t: s.head() for t, s in after.items()}
    moves = [Move(t, None, head) for t, head in heads.items()]
    done = {n.unique_id: Fact("code", batches={"usage": 13}) for n in found.nodes}
    done["model.reconciled"] = Fact("code", batches={"crm": 3, "usage": 13})
    reads = {n.unique_id: n.reads for n in GRAPH.nodes}
    built = Built(done, reads, {n.unique_id: n.table for n in GRAPH.nodes})
    known = replace(KNOWN, facts={**KNOWN.facts, **built.facts(moves)})
    lake = replace(lake, tables=after)
    assert plan(GRAPH, known, lake, hourly).is_empty
    daily = plan(GRAPH, known, lake)
    assert why(daily) == {"features": ("fct has changed",), "profile": ("reads features",)}


def test_a_parent_that_a_partial_run_has_moved_builds_its_children() -> None:
    moved = table(2, before={1: "append", 2: "append"})
    known = with_fact("model.dim", snapshot=2)
    found = why(plan(GRAPH, known, with_table("marts.dim", moved)))
    assert found == {
        "features": ("dim has changed",),
        "profile": ("dim has changed", "reads features"),
    }


def test_a_new_parent_counts_as_changed() -> None:
    known = with_fact("model.profile", read={"marts.dim": 1})
    assert why(plan(GRAPH, known, LAKE)) == {"profile": ("features has changed",)}


def test_a_test_that_is_new_runs_by_its_name() -> None:
    known = replace(KNOWN, facts={k: v for k, v in KNOWN.facts.items() if k != "test.dim"})
    found = plan(GRAPH, known, LAKE)
    assert found.nodes == ()
    assert found.select == ("dim_holds",)
    assert found.tests[0].reasons == ("it has not run yet",)
    assert plan(GRAPH, known, LAKE, Left(tests=True)).is_empty


def test_a_test_that_changed_or_was_put_off_runs_by_its_name() -> None:
    changed = plan(GRAPH, with_fact("test.dim", checksum="other"), LAKE)
    assert changed.tests[0].reasons == ("the test changed",)
    off = plan(GRAPH, with_fact("test.dim", read={"marts.dim": 7}), LAKE)
    assert off.tests[0].reasons == ("it has not run since dim has changed",)


def test_a_test_waits_for_a_table_that_is_left_out() -> None:
    known = with_fact("test.both", checksum="other")
    assert plan(GRAPH, known, LAKE, Left({"model.features"})).is_empty


def test_a_contract_that_changed_is_verified() -> None:
    lake = replace(LAKE, contracts={"marts.dim": "b", "marts.fct": "a"})
    known = replace(KNOWN, contracts={"marts.dim": "a", "marts.fct": "a"})
    found = plan(GRAPH, known, lake)
    assert (found.contracts, found.select, found.is_empty) == (("marts.dim",), (), False)


def test_a_graph_is_the_same_after_it_was_written() -> None:
    assert Graph.of_json(GRAPH.json()) == GRAPH


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--exclude", "tag:daily"],
        ["--exclude", "tag:daily", "dim", "--threads", "8"],
        ["--exclude-resource-type", "test", "--exclude-resource-type=unit_test"],
        ["--vars", '{"complete_until": "2024-12-30"}', "--target", "local"],
        ["--vars={complete_until: 2024-12-30}", "-x"],
    ],
    ids=" ".join,
)
def test_what_leaves_the_choice_to_the_plan(arguments: list[str]) -> None:
    assert asked.read(arguments).is_planned


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "dim+"],
        ["-s", "dim"],
        ["--selector=nightly"],
        ["--full-refresh"],
        ["--vars", '{"from_date": "2024-12-01"}'],
        ["--vars", "no: [yaml"],
        ["--resource-type", "model"],
        ["--empty"],
        ["--defer", "--state", "x"],
        ["dim"],
        ["--threads"],
    ],
    ids=" ".join,
)
def test_what_people_ask_for_runs_as_they_ask(arguments: list[str]) -> None:
    assert not asked.read(arguments).is_planned


def test_a_run_of_a_part_of_the_rows_is_no_whole_one() -> None:
    assert not asked.read(["--empty"]).is_whole
    assert not asked.read(["--vars", "{some: thing}"]).is_whole
    assert asked.read(["--vars", "{from_date: 2024-12-01}", "--full-refresh"]).is_whole


def test_words_of_exclusion_are_understood_without_dbt_where_that_is_easy() -> None:
    def left(*words: str) -> Left | None:
        return asked.read(["--exclude", *words]).left(GRAPH)

    assert left("tag:daily") == Left(frozenset({"model.features"}))
    assert left("dim", "dim_holds") == Left(frozenset({"model.dim", "test.dim"}))
    assert left("marts") is None
    assert left("dim+") is None
    assert asked.read(["--exclude-resource-type", "test", "seed"]).left(GRAPH) == Left(
        frozenset({"seed.values"}), tests=True
    )


def test_a_test_that_its_tag_leaves_out_waits() -> None:
    """What counts whole tables runs daily."""
    daily = DataTest("test.whole", "whole_holds", ("marts.dim",), "code", ("daily",))
    graph = replace(GRAPH, tests=(*GRAPH.tests, daily))
    left = asked.read(["--exclude", "tag:daily"]).left(graph)
    assert left == Left(frozenset({"model.features", "test.whole"}))
    assert plan(graph, KNOWN, LAKE, left).is_empty
    assert [t.name for t in plan(graph, KNOWN, LAKE).tests] == ["whole_holds"]
    # The state keeps what it is tagged with.
    assert Graph.of_json(json.loads(json.dumps(graph.json()))) == graph
