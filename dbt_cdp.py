"""What dbt imports when it starts, for its name begins with `dbt_`: errors of Spark are one line.

PySpark writes each error of a query to the terminal as JSON, stack traces included, and raises it
with Spark's plan; dbt reports what is raised. The whole of it stays in dbt's log.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark import SparkConnectionManager

logging.getLogger("SQLQueryContextLogger").disabled = True
_handled = SparkConnectionManager.exception_handler


@contextmanager
def _in_one_line(connections: SparkConnectionManager, sql: str) -> Iterator[None]:
    """Have dbt-spark report the first line of what Spark says: the plan follows it."""
    with _handled(connections, sql):
        try:
            yield
        except Exception as error:
            # dbt-spark has put what Spark's analysis says into an error of its own.
            said = error if _is_of_spark(error) else error.__cause__
            if said is None or not _is_of_spark(said):
                raise
            AdapterLogger("Spark").debug(str(said))
            raise RuntimeError(str(said).strip().split("\n", 1)[0].removesuffix(";")) from error


def _is_of_spark(error: BaseException) -> bool:
    """Whether an error is PySpark's, without its import: dbt that parses alone has none."""
    return type(error).__module__.startswith("pyspark.")


SparkConnectionManager.exception_handler = _in_one_line
