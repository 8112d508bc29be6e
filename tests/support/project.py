"""A dbt project of the tests, run in this process against the shared stack."""

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.table import Table

from cdp import spark
from cdp.catalog import Catalog
from cdp.publish.branch import on_branch
from cdp.publish.publisher import Publisher
from cdp.settings import ROOT
from cdp.spark import connect
from tests.support.reading import catalog
from tests.support.stack import Stack

# What dbt has read of each project, by folder, schema, target and variables.
_manifests: dict[tuple[object, ...], Any] = {}


@dataclass
class Project:
    """A dbt project that has installed the package, with a schema of its own.

    parsed: the variables that dbt reads while it parses: it parses again when one has changed.
    """

    stack: Stack
    folder: Path
    schema: str
    parsed: frozenset[str] = frozenset({"by_day", "iceberg_catalog_has_views"})

    def dbt(self, *arguments: str, target: str = "main", ok: bool = True, **variables: Any) -> str:  # noqa: ANN401
        """Run dbt in this process. What failed is the answer when it must fail."""
        from dbt.cli.main import dbtRunner

        folders = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        told = ["--target", target, "--vars", str(variables), "--quiet"]
        settings = self.stack.settings()
        # The session that `disconnect` ends is dbt's then.
        spark.fit(connect(settings), 0, settings)
        known = tuple((name, variables[name]) for name in sorted(self.parsed & set(variables)))
        kept = (self.folder, self.schema, target, known)
        if kept not in _manifests:
            done = dbtRunner().invoke(["parse", *folders, *told])
            assert done.success, done.exception
            _manifests[kept] = done.result
        # A run writes what it has compiled into it.
        manifest = copy.deepcopy(_manifests[kept])
        manifest.build_flat_graph()
        done = dbtRunner(manifest=manifest).invoke([*arguments, *folders, *told])
        results = getattr(done.result, "results", [])
        # An operation has no node.
        failed = [
            f"{r.node.name if hasattr(r, 'node') else r.unique_id}: {r.message}"
            for r in results
            if r.status in {"error", "fail"}
        ]
        text = "\n".join([*failed, *([str(done.exception)] if done.exception else [])])
        assert done.success is ok, text
        return text

    def forget(self) -> None:
        """Have dbt read the project anew: its files have changed."""
        for kept in [kept for kept in _manifests if kept[:2] == (self.folder, self.schema)]:
            del _manifests[kept]

    def table(self, name: str) -> Table:
        found: Table = catalog(self.stack).load_table(f"{self.schema}.{name}")
        return found

    def heads(self, branch: str = "") -> dict[str, int | None]:
        """Where a branch of each table is, main by default, by the whole name of the table."""
        rest = Catalog(self.stack.settings())
        states = [rest.load(table) for table in rest.tables(self.schema)]
        return {s.name: s.head(branch or "main") for s in states if s}

    @contextmanager
    def branch(self, name: str) -> Iterator[None]:
        """A branch of every table, which dbt writes to and reads from, as `cdp build` has it."""
        settings = self.stack.settings()
        Publisher(settings).begin(name, sorted(self.heads()))
        with on_branch(settings, name):
            yield

    def rows(self, name: str, *columns: str, branch: str = "main") -> list[tuple[Any, ...]]:
        """The rows of a table on a branch, in order, by a reader that is not Spark."""
        scan = self.table(name).scan()
        if branch != "main":
            scan = scan.use_ref(branch)
        found = scan.to_arrow().to_pylist()
        return sorted((tuple(r[c] for c in columns) for r in found), key=repr)

    def sql(self, statement: str) -> list[Any]:
        rows: list[Any] = connect(self.stack.settings()).sql(statement).collect()
        return rows


@contextmanager
def environment(stack: Stack) -> Iterator[None]:
    """The environment of a stack in this process, and an end of its session with Spark."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.settings().environment().items():
            patch.setenv(name, value)
        try:
            yield
        finally:
            connect(stack.settings()).stop()
            spark._connect.cache_clear()


def install(folder: Path) -> Path:
    """Somebody's project, in a folder of its own, with the package that dbt has installed."""
    from dbt.cli.main import dbtRunner

    shutil.copytree(ROOT / "tests" / "iceberg", folder)
    package = ROOT / "macros" / "iceberg"
    (folder / "packages.yml").write_text(f"packages:\n  - local: {package}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMEBODY_SCHEMA", "somebody")
        folders = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
        assert dbtRunner().invoke(["deps", "--quiet", *folders]).success
    return folder
