"""How far a build has come: one line on a terminal, a line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cdp.transform import Node

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

# one: a line of progress. nodes: a line for each node.
Style = Literal["one", "nodes"]
TESTS = {"test", "unit_test"}
WELL = {"success", "pass"}
# dbt's event for a node that it begins with, and those that the report of nodes covers.
START = "LogStartLine"
COVERED = {"LogTestResult", "LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogNodeResult"}
# Seconds between two lines where there is no terminal.
PAUSE = 15.0


class Say(Protocol):
    def __call__(self, line: str, **fields: object) -> None: ...


class Progress:
    """Counts the nodes of a run, and shows them.

    say: prints a line. console: where a line of progress may be drawn; None for none.
    """

    def __init__(self, say: Say, console: "Console | None", style: Style = "one") -> None:
        self._say = say
        self._console = console if console and console.is_terminal and style == "one" else None
        self._style = style
        self._status: Status | None = None
        self._total: int | None = None
        self._current: dict[str, str] = {}
        self._began = self._told = time.monotonic()
        self.tables = 0
        self.tests: Counter[str] = Counter()

    @contextmanager
    def running(self, tables: int | None) -> Iterator[None]:
        """Show progress until this ends. tables: how many are built, None where it is not known."""
        self._total, self._began, self._told = tables, time.monotonic(), time.monotonic()
        if self._console is None:
            yield
            return
        with self._console.status(self._line()) as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    def report(self, node: Node) -> None:
        """Count a node that is done. What is not well is shown at once."""
        self._current.pop(node.unique_id, None)
        if node.kind in TESTS:
            self.tests[node.status] += 1
        else:
            self.tables += node.status in WELL
        if self._style == "nodes":
            self._say(str(node), node=node.unique_id, status=node.status, seconds=node.seconds)
        elif node.status not in WELL | {"skipped"}:
            self._say(f"{node.status}: {node.kind} {node.name}")
        self._show()

    def hear(self, event: Any) -> None:  # noqa: ANN401 - dbt's own class
        """Note what dbt begins with, and pass its warnings on."""
        if event.info.name == START:
            given = event.data.node_info
            if given.resource_type not in TESTS:
                self._current[given.unique_id] = given.node_name
                self._show(is_news=False)
        elif event.info.level == "warn" and event.info.name not in COVERED:
            self._say(f"dbt: {event.info.msg}")

    def summary(self) -> str:
        """What was done, in one line."""
        of = "" if self._total is None else f" of {self._total}"
        tests = [self._passed()]
        tests += [f"{self.tests[s]} {word}" for s, word in NOT_WELL.items() if self.tests[s]]
        seconds = time.monotonic() - self._began
        return f"built {self.tables}{of} tables in {seconds:.1f} s, {', '.join(tests)}"

    def _show(self, *, is_news: bool = True) -> None:
        if self._status:
            self._status.update(self._line())
        elif is_news and self._style == "one" and time.monotonic() - self._told > PAUSE:
            self._told = time.monotonic()
            self._say(self._line())

    def _line(self) -> str:
        of = "" if self._total is None else f" of {self._total}"
        now = ", ".join(list(self._current.values())[:4])
        line = f"{self.tables}{of} tables built, {self._passed()}"
        return line + (f"; now {now}" if now else "")

    def _passed(self) -> str:
        return "1 test passed" if self.tests["pass"] == 1 else f"{self.tests['pass']} tests passed"


NOT_WELL = {"warn": "warned", "fail": "failed", "error": "could not run", "skipped": "skipped"}
