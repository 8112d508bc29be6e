"""`cdp build`: dbt, in this process, with this project's profile."""

import warnings
from collections.abc import Callable
from typing import Any

from cdp.errors import CdpError
from cdp.settings import ROOT, Settings
from cdp.stack.probes import require

# dbt's events for a node that is done.
RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult", "LogNodeResult"}


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
