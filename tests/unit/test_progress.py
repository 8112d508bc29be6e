"""What people see of a build: one line of progress, what is not well at once, and a summary."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cdp import progress
from cdp.plan import show
from cdp.plan.plan import Plan, Planned
from cdp.plan.state import Known
from cdp.progress import Progress
from cdp.transform import Node


class Said(list[str]):
    def __call__(self, line: str, **fields: object) -> None:
        self.append(line)


def node(name: str, kind: str = "model", status: str = "success") -> Node:
    return Node(f"{kind}.{name}", kind, name, status, 1.25)


def event(name: str, level: str = "info", **given: Any) -> Any:  # noqa: ANN401 - as dbt's
    info = SimpleNamespace(name=name, level=level, msg="careful")
    return SimpleNamespace(info=info, data=SimpleNamespace(node_info=SimpleNamespace(**given)))


def begun(name: str, kind: str = "model") -> Any:  # noqa: ANN401
    return event(progress.START, unique_id=f"{kind}.{name}", node_name=name, resource_type=kind)


def test_without_a_terminal_a_line_is_printed_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = Said()
    made = Progress(said, Console(file=io.StringIO()))
    with made.running(3):
        made.hear(begun("one"))
        made.hear(begun("two"))
        made.report(node("one"))
        assert said == []
        monkeypatch.setattr(progress, "PAUSE", 0.0)
        made.report(node("one_holds", "test", "pass"))
        assert said == ["1 of 3 tables built, 1 test passed; now two"]
    assert made.summary().startswith("built 1 of 3 tables in ")
    assert made.summary().endswith(" s, 1 test passed")


def test_on_a_terminal_there_is_one_line_that_changes() -> None:
    said, file = Said(), io.StringIO()
    made = Progress(said, Console(file=file, force_terminal=True, width=100))
    with made.running(None):
        made.hear(begun("one"))
        made.report(node("zero"))
    assert said == []
    assert "tables built, 0 tests passed" in file.getvalue()


def test_what_is_not_well_is_printed_at_once() -> None:
    said = Said()
    made = Progress(said, None)
    with made.running(2):
        made.report(node("one", status="error"))
        made.report(node("rows_hold", "test", "fail"))
        made.report(node("rows_warn", "test", "warn"))
        made.report(node("two", status="skipped"))
        made.hear(event("DeprecatedModel", "warn"))
        made.hear(event("LogTestResult", "warn"))
    assert said == [
        "error: model one",
        "fail: test rows_hold",
        "warn: test rows_warn",
        "dbt: careful",
    ]
    assert made.summary().endswith("0 tests passed, 1 warned, 1 failed")


def test_each_node_has_a_line_where_that_is_asked_for() -> None:
    said = Said()
    made = Progress(said, None, "nodes")
    with made.running(1):
        made.report(node("one"))
        made.report(node("one_holds", "test", "pass"))
    assert said == ["success  model one  1.2 s", "   pass  test one_holds  1.2 s"]


def planned(name: str, *reasons: str, is_root: bool = True) -> Planned:
    return Planned(f"model.{name}", name, f"marts.{name}", reasons, is_root)


PLAN = Plan(
    (planned("one", "usage: batch 3"), planned("two", "reads one", is_root=False)),
    select=("one+",),
    tables=9,
)


def test_a_plan_is_summed_up_in_one_line() -> None:
    assert show.summary(PLAN) == (
        "building 2 of 9 tables (usage: batch 3); 7 skipped: nothing new for them"
    )


def test_a_plan_is_shown_with_its_reasons_and_the_command_of_dbt() -> None:
    file = io.StringIO()
    show.reasons(PLAN, ["--exclude", "tag:daily"], Console(file=file, width=40))
    assert file.getvalue().splitlines() == [
        "marts.one  usage: batch 3",
        "marts.two  reads one",
        "dbt build --select one+ --exclude tag:daily",
    ]


def test_nothing_new_names_the_last_publish() -> None:
    known = Known(publish=12, published_at="2024-12-31T06:05:09+00:00")
    assert show.nothing(known) == (
        "nothing new since publish 12 (2024-12-31 06:05 UTC): no batch, no change of code"
    )
    assert show.nothing(Known()).startswith("nothing new since the last run")
