"""`cdp build`: dbt, in this process, with this project's profile."""

import json
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cdp import objects
from cdp.errors import CdpError
from cdp.settings import ROOT, Settings
from cdp.stack.probes import require

# dbt's options that make a build one of a part of the project, or of its rows.
PARTS = {"--select", "-s", "--models", "-m", "--model", "--exclude", "--selector"}
PARTS |= {"--resource-type", "--resource-types", "--empty", "--sample"}
PARTS |= {"--exclude-resource-type", "--exclude-resource-types"}
# The manifest of the last build of the whole project that succeeded; pull requests defer to it.
PUBLISHED = "published/manifest.json"
# dbt's events for a node that is done.
RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult", "LogNodeResult"}


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


def build(
    arguments: list[str], settings: Settings, report: Callable[[str], None] | None = None
) -> None:
    """Run `dbt build` with the arguments. Raises CdpError when anything in it fails.

    report: receives a line for each node that is done, in place of dbt's own output.
    """
    require("Spark", settings.spark_url)
    # dbt-spark asks for Hive support at every statement, which Spark Connect warns that it ignores.
    warnings.filterwarnings("ignore", "Failed to set spark.sql.catalogImplementation")
    from dbt.cli.main import dbtRunner

    def each(event: Any) -> None:  # noqa: ANN401 - dbt's own class
        if report and event.info.name in RESULTS:
            node, seconds = event.data.node_info, event.data.execution_time
            report(f"{node.node_status:>7}  {node.resource_type} {node.node_name}  {seconds:.1f} s")

    folders = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
    quiet = ["--quiet"] if report else []
    result = dbtRunner(callbacks=[each]).invoke([*quiet, "build", *folders, *arguments])
    if result.exception:
        text = str(result.exception).strip().splitlines()
        raise CdpError(
            f"dbt build: {text[0] if text else type(result.exception).__name__}",
            "see the lines above; cdp build --help",
        ) from result.exception
    if not result.success:
        failed = [
            r.node.name
            for r in getattr(result.result, "results", [])
            if r.status in {"error", "fail"}
        ]
        raise CdpError(
            f"dbt build failed at {', '.join(failed) or 'start'}",
            f"see target/run_results.json, mend it, and run: cdp build --select "
            f"{failed[0] if failed else '…'}+",
        )
    # dbt names the target where it was told one.
    if publishes(arguments, result.result.args.get("target") or settings.dbt_target):
        _publish(settings)


def publishes(arguments: list[str], target: str) -> bool:
    """Whether a build is of the whole project, where its readers look for it."""
    return target != "ci" and not any(a.split("=")[0] in PARTS for a in arguments)


def _publish(settings: Settings) -> None:
    """Keep the manifest of a whole build in the bucket."""
    manifest = ROOT / "target" / "manifest.json"
    try:
        objects.client(settings).upload_file(str(manifest), settings.bucket, PUBLISHED)
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
