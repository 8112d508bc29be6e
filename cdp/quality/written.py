"""Which partitions a run has written to, so that an audit reads these and not the whole table."""

from typing import TYPE_CHECKING, Any

from cdp.catalog import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# No literals of booleans: Soda writes `from t where (…)`, and Spark reads `where (true)` as an
# alias with the name of a column.
EVERYTHING, NOTHING = "1 = 1", "1 = 0"
# A condition that names more is longer than it is useful.
MOST = 400
MONTHS = "months("


def condition(
    node: Any,  # noqa: ANN401 - dbt's own class
    state: State,
    old: int | None,
    branch: str,
    session: "SparkSession",
) -> str:
    """The SQL condition, Spark's, of the partitions of a table in which a branch has other files
    than a snapshot of before; of all rows for a table without partitions, or that is new.

    node: of dbt. state: the table in the catalog. old: the snapshot, None for none.
    """
    told = node.config.get("partition_by") or []
    by = [told] if isinstance(told, str) else list(told)
    if old is None or old not in state.snapshots or len(by) != 1:
        return EVERYTHING
    by_month = by[0].startswith(MONTHS)
    column = by[0].removeprefix(MONTHS).removesuffix(")")
    start = f"data_file.partition.{column}"
    if by_month:
        start = f"add_months(date '1970-01-01', {start}_month)"
    since = int(state.snapshots[old].get("sequence-number", 0))
    found = session.sql(
        f"select distinct cast({start} as string) from lake.{state.name}.entries "  # noqa: S608
        f"version as of '{branch}' where sequence_number > {since} order by 1"
    ).collect()
    starts = [row[0] for row in found]
    if None in starts or len(starts) > MOST:
        return EVERYTHING
    if not starts:
        return NOTHING
    if not by_month:
        return f"{column} in ({', '.join(_day(day) for day in starts)})"
    ranges = (f"{column} >= {_day(d)} and {column} < add_months({_day(d)}, 1)" for d in starts)
    return f"({' or '.join(ranges)})"


def _day(day: str) -> str:
    # Typed: compared with a text, a date is cast, and nothing is pruned.
    return f"date '{day}'"
