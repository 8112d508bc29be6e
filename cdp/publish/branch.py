"""A session with Spark on the branches of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cdp import spark
from cdp.errors import CdpError
from cdp.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What a session with Spark reads its branch from, and the project's macros.
BRANCH, VARIABLE = "spark.wap.branch", "CDP_RUN_BRANCH"
# Each snapshot that a run makes says so in its summary.
SUMMARY = "spark.sql.iceberg.snapshot-property.run-id"


@contextmanager
def on_branch(settings: Settings, run_id: str) -> Iterator["SparkSession"]:
    """A session with Spark whose tables are those of a run's branches, where they are versioned
    by run. A session of before would not know the branches: it keeps tables as it found them.

    Nobody can begin another in its place. dbt would, when Spark has been started again, and a new
    session knows no branch: it writes to main. Raises CdpError when the session was lost.
    """
    from pyspark.errors import PySparkException

    fix = "cdp build makes a new run; spark.log may say why"
    lost = CdpError(f"the session with Spark was lost while {run_id} was written or audited", fix)
    spark.disconnect(settings)
    session = spark.connect(settings)
    try:
        session.conf.set(BRANCH, run_id)
        session.conf.set(SUMMARY, run_id)
        os.environ[VARIABLE] = run_id
        with spark.no_other_session():
            yield session
        # dbt reports what failed, and does not raise it.
        if session.is_stopped:
            raise lost
    except CdpError as error:
        # dbt raises what fails in its hooks.
        if session.is_stopped:
            raise lost from error
        raise
    except PySparkException as error:
        problem = f"Spark: {str(error).strip().splitlines()[0]}"
        raise (lost if session.is_stopped else CdpError(problem, fix)) from error
    finally:
        os.environ.pop(VARIABLE, None)
        spark.disconnect(settings)
