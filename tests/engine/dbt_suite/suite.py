"""The classes of dbt's suite that a test module runs, with what is expected otherwise of them."""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import dbt.tests.adapter
import pytest

from tests.engine.dbt_suite.changed import CHANGED, FAILS, FAILS_WITHOUT_VIEWS

ROOT = Path(next(iter(dbt.tests.adapter.__path__)))
# Where it matters whether a catalog has views.
VIEWS = (
    "aliases",
    "basic",
    "dbt_clone",
    "dbt_show",
    "ephemeral",
    "persist_docs",
    "relations",
    "store_test_failures_tests",
    "unit_testing",
)
# What the package claims to do. Left out: constraints and grants, which catalogs of Iceberg do not
# have; functions, materialized views and Python models; what dbt-spark does alone.
FOLDERS = (
    *VIEWS,
    "column_types",
    "concurrency",
    "empty",
    "hooks",
    "incremental",
    "simple_seed",
    "simple_snapshot",
)


def classes(module: str, has_views: bool) -> Iterator[type]:
    """Yield the suite's classes as those of a test module, for a catalog that has views or none."""
    for folder in VIEWS if has_views else FOLDERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            if path.stem == "__init__":
                continue
            found = importlib.import_module(f"dbt.tests.adapter.{folder}.{path.stem}")
            for name, base in vars(found).items():
                short = name.removeprefix("Base")
                if is_a_suite(base, found.__name__):
                    yield made(
                        short, base, module, FAILS if has_views else FAILS | FAILS_WITHOUT_VIEWS
                    )


def is_a_suite(base: object, module: str) -> bool:
    return (
        inspect.isclass(base)
        and base.__name__.startswith("Base")
        and base.__module__ == module
        and any(name.startswith("test") and callable(getattr(base, name)) for name in dir(base))
    )


def made(name: str, base: type, module: str, fails: dict[str, str]) -> type:
    bases = (CHANGED[name], base) if name in CHANGED else (base,)
    cls = type(f"Test{name}", bases, {"__module__": module})
    for test, reason in fails.items():
        owner, _, method = test.partition(".")
        if owner == name:
            setattr(cls, method, failing(getattr(base, method), reason))
    return cls


def failing(method: Callable[..., None], reason: str) -> Callable[..., None]:
    """Mark a test as one that fails, and not that of its owner, which another module has too."""

    @pytest.mark.xfail(reason=reason, strict=True)
    @functools.wraps(method)
    def run(*arguments: Any, **fixtures: Any) -> None:  # noqa: ANN401
        method(*arguments, **fixtures)

    return cast("Callable[..., None]", run)
