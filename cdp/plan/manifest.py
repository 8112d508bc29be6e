"""dbt's manifest as the graph of a plan, with a checksum of each node's code."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdp.plan.graph import ALL, DataTest, Ephemeral, Graph, Node
from cdp.settings import ROOT

TABLES = {"model", "seed", "snapshot"}
RAW, LANDED = "raw", "mon_landed_batches"
# What says how a table is described, owned or kept, and not which rows it has.
ASIDE = {"meta", "tags", "docs", "group", "access", "description"}
NAMES = r"\(\s*['\"](\w+)['\"]"
VARIABLES = re.compile(rf"\bvar{NAMES}")
ENVIRONMENT = re.compile(rf"\benv_var{NAMES}")
# Of a run, and not of the code.
OF_A_RUN = {"CDP_RUN_BRANCH", "CDP_CI_RUN"}


def graph(manifest: Any) -> Graph:  # noqa: ANN401 - dbt's own class
    """The graph of the project, by dbt's manifest."""
    return Reader(manifest, variables()).graph()


def variables() -> dict[str, Any]:
    """The variables of dbt_project.yml, those of the project itself too."""
    import yaml

    given = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = given.get("vars") or {}
    return found | (found.get(given["name"]) or {})


class Reader:
    """Makes the graph of a manifest. variables: those of dbt_project.yml, by name."""

    def __init__(self, manifest: Any, variables: Mapping[str, Any]) -> None:  # noqa: ANN401 - dbt's
        self._manifest = manifest
        self._variables = variables
        self._macros: dict[str, frozenset[str]] = {}
        self._checksums: dict[str, str] = {}
        self._reads: dict[str, tuple[set[str], set[str]]] = {}
        self._nodes: dict[str, Any] = {
            i: n for i, n in manifest.nodes.items() if n.resource_type in TABLES
        }

    def graph(self) -> Graph:
        order = list(self._in_order())
        tests = [n for n in self._manifest.nodes.values() if n.resource_type == "test"]
        return Graph(
            tuple(self._node(n) for n in order if not _is_ephemeral(n)),
            tuple(self._test(n) for n in sorted(tests, key=lambda n: str(n.unique_id))),
            tuple(
                Ephemeral(n.name, tuple(sorted(self._reading(n)[0])))
                for n in order
                if _is_ephemeral(n)
            ),
        )

    def _in_order(self) -> Iterator[Any]:
        """Each after its parents; otherwise by name."""
        done: set[str] = set()

        def visit(unique_id: str) -> Iterator[Any]:
            if unique_id in done or unique_id not in self._nodes:
                return
            done.add(unique_id)
            node = self._nodes[unique_id]
            for parent in sorted(_parents(node)):
                yield from visit(parent)
            yield node

        for unique_id in sorted(self._nodes):
            yield from visit(unique_id)

    def _node(self, node: Any) -> Node:  # noqa: ANN401
        tables, raw = self._reading(node)
        return Node(
            str(node.unique_id),
            str(node.resource_type),
            node.name,
            _table(node),
            tuple(sorted(tables)),
            tuple(sorted(raw or ({ALL} if self._is_of_batches(node) else set()))),
            tuple(sorted(node.config.tags or [])),
            self._checksum(node),
        )

    def _test(self, test: Any) -> DataTest:  # noqa: ANN401
        tables, _ = self._reading(test)
        return DataTest(
            str(test.unique_id),
            test.name,
            tuple(sorted(tables)),
            self._checksum(test),
            tuple(sorted(test.config.tags or [])),
        )

    def _reading(self, node: Any) -> tuple[set[str], set[str]]:  # noqa: ANN401
        """The tables and the raw tables that a node reads, directly or through ephemerals."""
        if node.unique_id in self._reads:
            return self._reads[node.unique_id]
        tables: set[str] = set()
        raw: set[str] = set()
        for parent in _parents(node):
            if source := self._manifest.sources.get(parent):
                if source.schema == RAW:
                    raw.add(f"{RAW}.{source.identifier}")
            elif (found := self._nodes.get(parent)) is None:
                continue
            elif _is_ephemeral(found):
                more, more_raw = self._reading(found)
                tables |= more
                raw |= more_raw
            else:
                tables.add(_table(found))
        self._reads[node.unique_id] = tables, raw
        return tables, raw

    def _is_of_batches(self, node: Any) -> bool:  # noqa: ANN401
        """Whether it reads the record of batches, and nothing of raw, itself or through others."""
        ancestors, waiting = set(), [str(node.unique_id)]
        direct = {self._source(p) for p in _parents(node)}
        while waiting:
            each = waiting.pop()
            if each in ancestors:
                continue
            ancestors.add(each)
            if each in self._nodes:
                waiting += _parents(self._nodes[each])
        reads_raw = any(self._source(each).startswith(f"{RAW}.") for each in ancestors)
        return any(d.endswith(f".{LANDED}") for d in direct) and not reads_raw

    def _source(self, unique_id: str) -> str:
        source = self._manifest.sources.get(unique_id)
        return f"{source.schema}.{source.identifier}" if source else ""

    def _checksum(self, node: Any) -> str:  # noqa: ANN401
        """A hash of a node's code, and of the macros and ephemeral models that it depends on."""
        if node.unique_id in self._checksums:
            return self._checksums[node.unique_id]
        macros = set().union(*map(self._closure, node.depends_on.macros or []))
        if node.resource_type in TABLES and not _is_ephemeral(node):
            macros |= self._materialization(node)
        texts = [self._manifest.macros[m].macro_sql for m in sorted(macros)]
        given: list[Any] = [
            str(node.resource_type),
            _file_hash(node),
            {k: v for k, v in node.unrendered_config.items() if k not in ASIDE},
            _table(node) if node.resource_type in TABLES else "",
            _described(node),
            _arguments(node),
            texts,
            self._values([getattr(node, "raw_code", "") or "", *texts]),
            [
                self._checksum(parent)
                for each in sorted(_parents(node))
                if (parent := self._nodes.get(each)) and _is_ephemeral(parent)
            ],
            sorted(_parents(node)),
        ]
        body = json.dumps(given, sort_keys=True, default=str).encode()
        self._checksums[node.unique_id] = found = hashlib.sha256(body).hexdigest()[:16]
        return found

    def _closure(self, macro: str) -> frozenset[str]:
        """A macro, and those that it calls."""
        if macro not in self._macros:
            found, waiting = set(), [macro]
            while waiting:
                each = waiting.pop()
                if each not in found and each in self._manifest.macros:
                    found.add(each)
                    waiting += self._manifest.macros[each].depends_on.macros
            self._macros[macro] = frozenset(found)
        return self._macros[macro]

    def _materialization(self, node: Any) -> frozenset[str]:  # noqa: ANN401
        kind = "seed" if node.resource_type == "seed" else node.config.materialized
        found = self._manifest.find_materialization_macro_by_name(node.package_name, kind, "spark")
        return self._closure(found.unique_id) if found else frozenset()

    def _values(self, texts: Sequence[str]) -> dict[str, Any]:
        """The project's variables, and the environment's, that some code names."""
        text = "\n".join(texts)
        found = {name: self._variables.get(name) for name in VARIABLES.findall(text)}
        return found | {
            name: os.environ.get(name) for name in ENVIRONMENT.findall(text) if name not in OF_A_RUN
        }


def _is_ephemeral(node: Any) -> bool:  # noqa: ANN401
    return bool(node.config.materialized in {"ephemeral", "view"})


def _parents(node: Any) -> list[str]:  # noqa: ANN401
    # Seeds have none.
    return list(getattr(node.depends_on, "nodes", None) or [])


def _table(node: Any) -> str:  # noqa: ANN401
    return f"{node.schema}.{node.alias}"


def _file_hash(node: Any) -> str:  # noqa: ANN401
    """dbt's checksum of the file; of a seed that is large it has none but the path."""
    if node.checksum.name == "path":
        path = ROOT / node.original_file_path
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return str(node.checksum.checksum)


def _described(node: Any) -> Any:  # noqa: ANN401
    """The descriptions that dbt writes to the table."""
    kept = node.config.get("persist_docs") or {}
    table = node.description if kept.get("relation") else ""
    columns = {n: c.description for n, c in node.columns.items()} if kept.get("columns") else {}
    return [table, columns]


def _arguments(node: Any) -> Any:  # noqa: ANN401
    """What a generic test is called with."""
    given = getattr(node, "test_metadata", None)
    return [given.name, given.kwargs] if given else []
