"""The nodes of the project as a plan needs them: tables and tests, with what each one reads."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# A table that reads the record of batches for its own sake reads the batches of all sources.
ALL = "*"


@dataclass(frozen=True)
class Node:
    """A table: a model, a seed or a snapshot of dbt's.

    table: `namespace.name`. reads: the tables that it reads, through ephemeral models too, in the
    same words. raw: the raw tables that it reads; ALL for those of all sources.
    checksum: of its code and of all that this depends on.
    """

    unique_id: str
    kind: str
    name: str
    table: str
    reads: tuple[str, ...]
    raw: tuple[str, ...]
    tags: tuple[str, ...]
    checksum: str


@dataclass(frozen=True)
class DataTest:
    """A data test, and the tables that it reads."""

    unique_id: str
    name: str
    reads: tuple[str, ...]
    checksum: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ephemeral:
    """A model without a table, and the tables that it reads. dbt builds none, and may test it."""

    name: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """All of them; nodes stand in an order in which each comes after those that it reads."""

    nodes: tuple[Node, ...] = ()
    tests: tuple[DataTest, ...] = ()
    ephemerals: tuple[Ephemeral, ...] = ()

    def json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> "Graph":
        def made(kind: type[Any], name: str) -> tuple[Any, ...]:
            return tuple(
                kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in each.items()})
                for each in given[name]
            )

        return cls(made(Node, "nodes"), made(DataTest, "tests"), made(Ephemeral, "ephemerals"))
