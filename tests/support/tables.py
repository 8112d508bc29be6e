"""Tables that runs of a test publish, without an engine."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from cdp import lake
from cdp.catalog import Catalog
from cdp.publish import lease
from cdp.publish.journal import Run
from cdp.publish.publisher import Publisher, new_id
from tests.support import commands, killed
from tests.support.stack import Stack

SCHEMA = pa.schema([("number", pa.int64())])


def nothing(_line: str) -> None:
    """Hears what is said."""


@dataclass
class Tables:
    """Tables of one column in a namespace of the test's own, and runs that write to them."""

    stack: Stack
    namespace: str
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = self.stack.settings()
        self.catalog = lake.open_catalog(self.settings)
        self.publisher = Publisher(self.settings)
        self.catalog.create_namespace_if_not_exists(self.namespace)

    def make(self, *names: str) -> None:
        """Tables with the row 1, published to main."""
        for name in names:
            self.names.append(f"{self.namespace}.{name}")
            self.write(name, 1)

    def write(self, name: str, number: int, branch: str = "main") -> None:
        table = self.catalog.create_table_if_not_exists(f"{self.namespace}.{name}", schema=SCHEMA)
        table.append(pa.table({"number": [number]}, schema=SCHEMA), branch=branch)

    def rows(self, name: str, ref: str = "main") -> list[int]:
        table = self.catalog.load_table(f"{self.namespace}.{name}")
        scan = table.scan() if ref == "main" else table.scan().use_ref(ref)
        return sorted(scan.to_arrow()["number"].to_pylist())

    def all_rows(self) -> list[list[int]]:
        return [self.rows(name.split(".")[1]) for name in self.names]

    def refs(self, name: str) -> set[str]:
        state = Catalog(self.settings).load(f"{self.namespace}.{name}")
        assert state
        return set(state.refs)

    def run(self, **written: int) -> str:
        """A run that has written a row to some of the tables, and passed its audit."""
        run_id = new_id()
        self.publisher.begin(run_id, self.names)
        for name, number in written.items():
            self.write(name, number, run_id)
        self.publisher.journal.write(run_id, "audited")
        return run_id

    def publish(self, run_id: str) -> int:
        return self.publisher.publish(self.known(run_id))[0]

    def known(self, run_id: str) -> Run:
        return self.publisher.run(run_id)

    def publish_and_die(self, run_id: str, steps: int, *, at_once: bool = True) -> bool:
        """Publish in a process that is killed after so many steps; whether it was."""
        arguments = (run_id, self.settings, steps)
        publishing = commands.processes().Process(
            target=killed.publish, args=arguments, kwargs={"at_once": at_once}
        )
        publishing.start()
        publishing.join(120)
        assert publishing.exitcode in {0, -signal.SIGKILL}
        return publishing.exitcode != 0

    def recover(self) -> None:
        """What each command does first, with the lease that the killed one has left."""
        with lease.held(self.settings, "recovery"):
            self.publisher.recover(nothing)


@contextmanager
def published(stack: Stack, name: str) -> Iterator[Tables]:
    """Tables in a namespace named after a test, until it has ended."""
    made = Tables(stack, "publish_" + re.sub(r"\W+", "_", name)[:40].strip("_"))
    yield made
    for identifier in made.catalog.list_tables(made.namespace):
        made.catalog.purge_table(identifier)
    made.catalog.drop_namespace(made.namespace)
