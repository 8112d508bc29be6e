"""Stacks of tests: state directories and ports of their own, and the commands run against them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import psutil
import pytest

from cdp import show, spark, trino
from cdp.errors import CdpError
from cdp.settings import ROOT, Settings
from cdp.stack import lifecycle
from cdp.stack.ports import taken
from cdp.stack.supervisor import Supervisor
from tests.support import commands

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CDP = str(Path(sys.executable).with_name("cdp"))
SAMPLE = ROOT / "data" / "telco" / "telco_customer_churn.csv"
SAMPLE_MOMENT = "2024-12-31T00:00:00"

# The ports that a stack listens on, before the offset; gRPC ports follow by 10,000.
BASES = [
    4040,
    7077,
    7080,
    7081,
    7082,
    7091,
    7092,
    8080,
    8083,
    8085,
    8181,
    8182,
    8333,
    8888,
    9333,
    9340,
    9464,
]
BASES += [5432, 15002, 9646]


# External engines, which no command of such a stack asks.
UNUSED = "127.0.0.1:9"
WITHOUT_TRINO = {"CDP_TRINO_URL": f"http://{UNUSED}"}
WITHOUT_ENGINES = WITHOUT_TRINO | {
    "CDP_WITH_SERVICES": "postgres",
    "CDP_SPARK_REMOTE": f"sc://{UNUSED}",
}


def free_offset(start: int) -> int:
    """The first offset at which no port of a stack is taken. Each worker of xdist has a range, as
    has a session beside another by CDP_TEST_PORTS, since they look at the same time."""
    start += int(os.environ.get("CDP_TEST_PORTS", "0"))
    start += 2000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for offset in range(start, start + 2000, 50):
        ports = [base + offset + grpc for base in BASES for grpc in (0, 10_000)]
        if not any(taken(port) for port in ports):
            return offset
    raise AssertionError("no free ports")


@dataclass
class Stack:
    """A stack of this session: the commands of the project run against it."""

    state_dir: Path
    offset: int
    extra: dict[str, str] = field(default_factory=dict)
    has_other_services: bool = False

    @property
    def target(self) -> Path:
        """The folder that dbt writes to."""
        return self.state_dir / "target"

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a person who has set nothing but this stack's settings."""
        kept = {k: v for k, v in os.environ.items() if not _is_ours(k)}
        own = {"CDP_STATE_DIR": str(self.state_dir), "CDP_PORT_OFFSET": str(self.offset)}
        # A machine that runs several stacks starts one more slowly.
        own["CDP_START_TIMEOUT"] = "400"
        # What dbt has read holds for one stack: another's names and addresses are others.
        own["DBT_TARGET_PATH"] = str(self.target)
        # A store that idles takes half as much of a core with one thread as with two.
        own["GOMAXPROCS"] = "1"
        return kept | own | self.extra | more

    def run(
        self, *command: str, ok: bool = True, cwd: Path | str = ROOT, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; fail the test with its output unless it ends as expected."""
        environment = self.environment(**more)
        timeout = 1800  # that of a test comes first, where a machine is not overloaded
        if command[0] == CDP:
            done = commands.run(list(command[1:]), Path(cwd), environment, timeout)
        else:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        assert (done.returncode == 0) is ok, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def up(self, **more: str) -> str:
        """Have every part running and answering; what was printed. more: other settings."""
        self.has_other_services = bool(more)
        return self.cdp("up", ok=True, **more)

    def cdp(self, *arguments: str, ok: bool = True, **more: str) -> str:
        """Run `cdp`; what it printed, on both streams."""
        done = self.run(CDP, *arguments, ok=ok, **more)
        return done.stdout + done.stderr

    def refused(self, *arguments: str, **more: str) -> str:
        """Run `cdp`, which must fail as people should see it: one line, and what mends it."""
        done = self.run(CDP, *arguments, ok=False, **more)
        lines = done.stderr.strip().splitlines()
        assert lines[-2].startswith("error: "), done.stderr
        assert lines[-1].startswith("  fix: "), done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return lines[-2]

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query to Trino, as `cdp query --format json` prints them."""
        try:
            found = trino.query(sql, self.settings())
        except CdpError as error:
            raise AssertionError(f"{sql}\n{error}") from error
        return plain(dict(zip(found.columns, row, strict=True)) for row in found.rows)

    def spark(self, sql: str) -> None:
        """Run a statement in Spark, which may write; its rows are dropped."""
        self.ask_spark(sql)

    def ask_spark(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a statement in Spark."""
        with self.session() as session:
            return plain(row.asDict() for row in session.sql(sql).collect())

    @contextmanager
    def session(self) -> Iterator["SparkSession"]:
        """A session with Spark of its own, that knows the tables as they are now; within
        `environment`, that one."""
        found = self.settings()
        if spark._connect.cache_info().currsize:
            yield spark.connect(found)
            return
        with pytest.MonkeyPatch.context() as patch:
            for name, value in found.environment().items():
                patch.setenv(name, value)
            try:
                yield spark.connect(found)
            finally:
                spark.disconnect(found)

    def status(self) -> dict[str, Any]:
        done = self.run(CDP, "status", "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def pid(self, service: str) -> int:
        return int(Supervisor(self.state_dir).processes()[service]["pid"])

    def settings(self) -> Settings:
        """The settings as a command of this stack has them, credentials included."""
        found: dict[str, object] = {"state_dir": self.state_dir, "port_offset": self.offset}
        found |= {k.removeprefix("CDP_").lower(): v for k, v in self.extra.items()}
        for name in ("credentials.env", "stack.env"):
            path = self.state_dir / name
            for line in path.read_text().split() if path.exists() else []:
                key, _, value = line.partition("=")
                found[key.removeprefix("CDP_").lower()] = value
        return Settings.model_validate(found)

    def processes(self) -> list[psutil.Process]:
        return Supervisor(self.state_dir).survivors()


@dataclass
class Part(Stack):
    """Some parts of a stack alone."""

    without: ClassVar[dict[str, str]]
    parts: ClassVar[list[str]]

    def __post_init__(self) -> None:
        self.extra = self.without | self.extra

    def up(self, **more: str) -> str:
        """As `cdp up`, which would wait for the engines that settings name, too."""
        self.cdp("env")  # makes the credentials
        said: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (self.settings().environment() | more).items():
                patch.setenv(name, value)
            patch.setattr(lifecycle, "expected", lambda _: self.parts)
            lifecycle.up(self.settings(), said.append)
        return "\n".join(said)


class SmallStack(Part):
    """The object store, its catalog and Postgres alone, which start in seconds: no JVM."""

    without = WITHOUT_ENGINES
    parts: ClassVar = ["store", "catalog", "postgres"]


class SparkStack(Part):
    """What writes tables alone: no Trino."""

    without = WITHOUT_TRINO
    parts: ClassVar = ["store", "catalog", "spark"]


def plain(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as JSON has them: moments and decimals are texts."""
    found: list[dict[str, Any]] = json.loads(json.dumps(list(rows), default=show._plain))
    return found


def _is_ours(name: str) -> bool:
    prefixes = (
        "CDP_",
        "AIRFLOW",
        "SPARK_",
        "DBT_",
        "SODA_",
        "AWS_ACCESS",
        "AWS_SECRET",
        "AWS_REGION",
        "PG",
    )
    return name.startswith(prefixes)
