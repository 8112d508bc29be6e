"""`cdp build`: dbt, in this process, with this project's profile."""

import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cdp import kept_manifest, objects
from cdp.errors import CdpError
from cdp.settings import ROOT, Settings

# dbt's options that ask for kinds of nodes.
KINDS = {"--resource-type", "--resource-types"}
# Those that make a build one of a part of the project, or of its rows.
PARTS = {"--select", "-s", "--models", "-m", "--model", "--exclude", "--selector"}
PARTS |= {"--exclude-resource-type", "--exclude-resource-types", "--empty", "--sample", *KINDS}
# Unit tests ask for no data: they belong to a change of the code.
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
# The manifest of the last build of the whole project that succeeded; pull requests defer to it.
PUBLISHED = "published/manifest.json"
# Options that change what dbt reads of the project, each with a value.
PARSED = {"--target", "-t", "--vars"}
# What `dbt list` prints of each node.
UNIQUE_ID = ("--output-keys", "unique_id")
# dbt's events for a node that is done.
RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult", "LogNodeResult"}

# dbt's statuses of a node that is as it must be.
WELL = {"success", "pass", "warn"}

# A call in a stack of Java's: org.apache.spark.deploy.SparkSubmit$$anon$2.doSubmit(Spark.scala:1).
FRAME = re.compile(r"\s*(at )?[\w.$/<>]+\((\w+\.\w+:\d+|Native Method|Unknown Source)\)\s*$")


def dates(since: date | None, until: date | None) -> list[str]:
    """dbt's arguments for a backfill of these days, both included; none without."""
    if since is None and until is None:
        return []
    if since is None or (until is not None and until < since):
        raise CdpError(
            "a backfill goes from an earlier day to a later one",
            "give --from, and a --to that is not before it",
        )
    return ["--vars", json.dumps({"from_date": str(since), "to_date": str(until or since)})]


@dataclass(frozen=True)
class Result:
    """The outcome of a node: dbt's unique id and name for it, its kind, dbt's status and message.

    kind: test, unit_test, model, seed or snapshot. table: what it is of, `namespace.name`; the name
    of the node where it is of none. rows: how many rows a test found. sql: as it was run.
    test, arguments: the generic test and what it was given; empty for others.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    message: str
    table: str
    rows: int | None
    sql: str
    test: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Node:
    """A node that is done: dbt's unique id for it, kind, name, status, and seconds."""

    unique_id: str
    kind: str
    name: str
    status: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.status:>7}  {self.kind} {self.name}  {self.seconds:.1f} s"


Report = Callable[[Node], None]
# Receives each of dbt's own events, in its own class.
Listener = Callable[[Any], None]


@dataclass(frozen=True)
class Project:
    """What dbt has read of the project, for a target.

    tables: the nodes that are tables, models, seeds and snapshots, by `namespace.name`.
    """

    manifest: Any
    target: str
    tables: dict[str, Any]

    def grain(self, table: str) -> list[str]:
        """The columns that no two rows of a table agree in all of; none when that is not told."""
        node = self.tables.get(table)
        if node is None:
            return []
        for child in self.manifest.child_map.get(node.unique_id, []):
            test = self.manifest.nodes.get(child)
            told = getattr(test, "test_metadata", None)
            # A test of several tables belongs to the one that it is written at.
            if told and told.name == "holds" and test.attached_node == node.unique_id:
                return list(told.kwargs.get("grain") or [])
        key = node.config.get("unique_key") or []
        return [key] if isinstance(key, str) else list(key)

    def owner(self, table: str) -> str:
        """Who owns a table, by the `meta` of its node; empty when that is not told."""
        node = self.tables.get(table)
        return str(node.config.meta.get("owner", "")) if node else ""


def parse(arguments: Sequence[str], settings: Settings, *, writes: bool = False) -> Project:
    """Have dbt read the project. Raises CdpError when it cannot be read.

    arguments: of a build; those that name the target or variables count.
    writes: whether target/manifest.json is written, too.
    """
    kept: list[str] = []
    for at, argument in enumerate(arguments):
        name, equals, _ = argument.partition("=")
        if name in PARSED:
            kept += [argument] if equals else arguments[at : at + 2]
    key = kept_manifest.key(kept, target(kept, settings), settings)
    manifest = None if writes else kept_manifest.load(key)
    if manifest is None:
        manifest = _invoke(["parse", "--write-json" if writes else "--no-write-json", *kept]).result
        kept_manifest.keep(key, manifest)
    manifest.build_parent_and_child_maps()
    tables = {
        f"{node.schema}.{node.alias}": node
        for node in manifest.nodes.values()
        if node.resource_type in {"model", "seed", "snapshot"}
        and node.config.materialized not in {"ephemeral", "view"}
    }
    return Project(manifest, target(kept, settings), tables)


def target(arguments: Sequence[str], settings: Settings) -> str:
    """dbt's target, by the arguments of a build or the settings."""
    return _told(arguments, "--target", "-t") or settings.dbt_target


def excluded(project: Project, words: Sequence[str]) -> set[str]:
    """The unique ids of the nodes that words of dbt's selection name."""
    named = _invoke(["list", "--select", *words, "--output", "json", *UNIQUE_ID], project.manifest)
    return {str(json.loads(line)["unique_id"]) for line in named.result or []}


def build(
    project: Project,
    arguments: Sequence[str],
    report: Report | None = None,
    listeners: Sequence[Listener] = (),
) -> list[Result]:
    """Run `dbt build` with the arguments; what became of each node. Unit tests are run for pull
    requests, and where the arguments ask for kinds of nodes.

    report: receives each node that is done, in place of dbt's own output.
    Raises CdpError when it could not be begun.
    """
    asked = project.target == "ci" or any(a.partition("=")[0] in KINDS for a in arguments)
    left_out = () if asked else NO_UNIT_TESTS
    done = _invoke(["build", *left_out, *arguments], project.manifest, report, listeners)
    by_id = {node.unique_id: name for name, node in project.tables.items()}
    results = [_result(r, by_id) for r in getattr(done.result, "results", [])]
    if not done.success and not any(r.status in {"error", "fail"} for r in results):
        raise CdpError("dbt build failed at start", "see the lines above; cdp build --help")
    return results


def _result(result: Any, by_id: dict[str, str]) -> Result:  # noqa: ANN401 - dbt's own class
    node = result.node
    of = node.unique_id if node.unique_id in by_id else getattr(node, "attached_node", None)
    told = getattr(node, "test_metadata", None)
    return Result(
        unique_id=str(node.unique_id),
        name=node.name,
        kind=str(node.resource_type),
        status=str(result.status),
        message=in_one_line(result.message or ""),
        table=by_id.get(of or "", node.name),
        rows=result.failures,
        sql=getattr(node, "compiled_code", None) or "",
        test=told.name if told else "",
        arguments=dict(told.kwargs) if told else {},
    )


def in_one_line(message: str) -> str:
    """What people need of a message: dbt.log has the stack of Java's that may be in it."""
    return " ".join(
        word for line in message.splitlines() if not FRAME.match(line) for word in line.split()
    )


def _invoke(
    arguments: Sequence[str],
    manifest: Any = None,  # noqa: ANN401 - dbt's own class
    report: Report | None = None,
    listeners: Sequence[Listener] = (),
) -> Any:  # noqa: ANN401
    """Run dbt in this process. Raises CdpError for what it raises."""
    # dbt-spark asks for Hive support at every statement, which Spark Connect warns that it ignores.
    warnings.filterwarnings("ignore", "Failed to set spark.sql.catalogImplementation")
    from dbt.cli.main import dbtRunner

    def each(event: Any) -> None:  # noqa: ANN401
        if report and event.info.name in RESULTS:
            told = event.data.node_info
            name = (told.unique_id, told.resource_type, told.node_name, told.node_status)
            report(Node(*name, event.data.execution_time))

    command, *rest = arguments
    quiet = ["--quiet"] if report or command != "build" else []
    folders = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
    runner = dbtRunner(manifest=manifest, callbacks=[each, *listeners])
    done = runner.invoke([*quiet, command, *folders, *rest])
    if done.exception:
        text = str(done.exception).strip().splitlines()
        raise CdpError(
            f"dbt {command}: {text[0] if text else type(done.exception).__name__}",
            "see the lines above; cdp build --help",
        ) from done.exception
    return done


def _told(arguments: Sequence[str], *names: str) -> str:
    """The value of an option, the last time that it is given; empty when it is not."""
    value = ""
    for at, argument in enumerate(arguments):
        name, equals, given = argument.partition("=")
        if name in names:
            value = given if equals else "".join(arguments[at + 1 : at + 2])
    return value


def publishes(arguments: Sequence[str], target: str) -> bool:
    """Whether a build is of the whole project, where its readers look for it."""
    return target != "ci" and not any(a.split("=")[0] in PARTS for a in arguments)


def manifest_path() -> Path:
    """Where dbt writes the manifest of the project."""
    return kept_manifest.target_folder() / "manifest.json"


def keep_manifest(settings: Settings) -> None:
    """Keep the manifest of a whole build in the bucket."""
    try:
        objects.client(settings).upload_file(str(manifest_path()), settings.bucket, PUBLISHED)
    except objects.FAILURES as error:
        raise CdpError(
            f"the build is done, but its manifest was not kept: {error}", "cdp up; cdp build"
        ) from error


def fetch_state(settings: Settings, folder: Path) -> Path:
    """Write the manifest of the last whole build to a folder, for `dbt --state`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.json"
    with objects.explained():
        try:
            objects.client(settings).download_file(settings.bucket, PUBLISHED, str(path))
        except ClientError as error:
            if not objects.is_error(error, "NoSuchKey", "404"):
                raise
            raise CdpError(
                "no build of the whole project has succeeded yet", "cdp build"
            ) from error
    return path
