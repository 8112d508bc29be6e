"""The upkeep of tables that are not the project's, in a namespace of the tests' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdp.catalog import Catalog
from cdp.upkeep.maintain import Upkeep
from cdp.upkeep.rules import Kept
from tests.support.stack import Stack
from tests.support.tables import Tables
from tests.support.upkept import RULES


class Keeper:
    """The upkeep of tables that are not the project's, in a namespace of the tests' own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.said: list[str] = []
        self.tables = Tables(stack, "upkeep")
        self.upkeep = Upkeep([], stack.settings(), self.said.append)

    def keep(self, name: str, **rules: Any) -> str:  # noqa: ANN401
        kept = Kept(f"upkeep.{name}", RULES.model_copy(update=rules))
        with self.stack.session() as session:
            return self.upkeep.keep(kept, session, self.tables.publisher)

    def files(self, name: str) -> int:
        (row,) = self.stack.query(f'select count(*) as n from upkeep."{name}$files"')  # noqa: S608
        return int(row["n"])

    def health(self, name: str) -> list[dict[str, Any]]:
        return self.stack.query(
            "select * from monitoring.mon_table_health "  # noqa: S608
            f"where table_name = 'upkeep.{name}' order by measured_at, moment desc"
        )

    def snapshots(self, name: str) -> set[int]:
        state = Catalog(self.stack.settings()).load(f"upkeep.{name}")
        assert state
        return set(state.snapshots)


def table_of(keeper: Keeper, name: str) -> Any:  # noqa: ANN401
    return keeper.tables.catalog.load_table(f"upkeep.{name}")


@contextmanager
def keeping(stack: Stack) -> Iterator[Keeper]:
    found = Keeper(stack)
    yield found
    # What is left would be in the way of whoever lists the lakehouse.
    for table in found.tables.catalog.list_tables("upkeep"):
        found.tables.catalog.drop_table(table)
    found.tables.catalog.drop_namespace("upkeep")
