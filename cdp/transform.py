"""`cdp build`: dbt, in this process, with this project's profile."""

import warnings

from cdp.errors import CdpError
from cdp.settings import ROOT, Settings
from cdp.stack.probes import listening


def build(arguments: list[str], settings: Settings) -> None:
    """Run `dbt build` with the arguments. Raises CdpError when anything in it fails."""
    try:
        listening(settings.spark_url)
    except OSError as error:
        raise CdpError(f"Spark does not answer at {settings.spark_url}", "cdp up") from error
    # dbt-spark asks for Hive support at every statement, which Spark Connect warns that it ignores.
    warnings.filterwarnings("ignore", "Failed to set spark.sql.catalogImplementation")
    from dbt.cli.main import dbtRunner

    folder = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
    result = dbtRunner().invoke(["build", *folder, *arguments])
    if result.exception:
        text = str(result.exception).strip().splitlines()
        raise CdpError(f"dbt build: {text[0] if text else type(result.exception).__name__}",
                       "see the lines above; cdp build --help") from result.exception
    if not result.success:
        failed = [r.node.name for r in getattr(result.result, "results", [])
                  if r.status in {"error", "fail"}]
        raise CdpError(f"dbt build failed at {', '.join(failed) or 'start'}",
                       f"see target/run_results.json, mend it, and run: cdp build --select "
                       f"{failed[0] if failed else '…'}+")
