"""Tables against their Soda contracts, through Spark: a run's branch, or what is published."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cdp import spark
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.quality import results
from cdp.quality.checks import (
    Check,
    Outcome,
    counted_by,
    demand,
    quoted,
    relation,
    rows_where,
    show,
)
from cdp.quality.written import EVERYTHING
from cdp.settings import Settings
from cdp.stack.probes import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What the contracts name as their data source and catalog.
DATA_SOURCE, CATALOG = "lakehouse", "lake"
NEW_ROWS = "${var.new_rows}"
OUTCOMES: dict[str, Outcome] = {"PASSED": "passed", "WARN": "warned", "FAILED": "failed"}
OUTCOMES["EXCLUDED"] = "skipped"


def has_rows(catalog: Catalog, table: str) -> bool:
    """Whether there is something to check: a raw table whose source never delivered has nothing."""
    if not table.startswith("raw."):
        return True
    state = catalog.load(table)
    return state is not None and state.rows(state.head()) > 0


def find(folder: Path) -> dict[str, Path]:
    """The contract files by table, `marts.dim_customers`."""
    return {f"{p.parent.name}.{p.stem}": p for p in sorted(folder.glob("*/*.yml"))}


@dataclass(frozen=True)
class Promise:
    """The contract of a table, `namespace.name`, and the rows that it is checked of.

    new_rows: a condition in Spark's SQL, for contracts that have the variable of that name.
    has_branch: whether runs write to branches of the table; to raw tables they do not.
    """

    table: str
    path: Path
    new_rows: str = EVERYTHING
    has_branch: bool = True


def verify(promises: Sequence[Promise], session: "SparkSession", run_id: str = "") -> list[Check]:
    """Every check of contracts, for the tables as the session reads them.

    run_id: whose branches it reads, if any.
    Raises CdpError when a contract cannot be evaluated: that is no verdict on the table.
    """
    found = []
    for promise in promises:
        verification = _verify(promise, session)
        unknown = [c for c in verification.check_results if c.outcome.value == "NOT_EVALUATED"]
        if unknown or verification.has_errors:
            reasons = [str(r.msg) for r in (verification.log_records or []) if r.levelno >= 40]
            reason = reasons[0].splitlines()[0] if reasons else "its checks were not evaluated"
            raise CdpError(
                f"the contract of {promise.table} could not be verified: {reason}",
                f"cdp query 'describe {promise.table}'; cdp build",
            )
        branch = run_id if promise.has_branch else ""
        found += [_check(promise.table, branch, c) for c in verification.check_results]
    return found


def _verify(promise: Promise, session: "SparkSession") -> Any:  # noqa: ANN401 - Soda's own class
    from soda_core.common.exceptions import SodaCoreException
    from soda_core.common.logging_constants import soda_logger
    from soda_core.common.yaml import ContractYamlSource
    from soda_core.contracts.contract_verification import ContractVerificationSession
    from soda_sparkdf import SparkDataFrameDataSource
    from soda_sparkdf.common.data_sources import sparkdf_data_source

    # Soda freezes the clock of this process while it fetches rows, to have moments in UTC. It runs
    # in UTC. To patch every module costs more than the fetch, and leases need the clock.
    sparkdf_data_source.freeze_time = nullcontext
    soda_logger.setLevel(logging.CRITICAL)  # its log repeats as text what the results say
    source = SparkDataFrameDataSource.from_existing_session(
        session, DATA_SOURCE, use_catalog=True, catalog=CATALOG
    )
    contract = ContractYamlSource.from_file_path(str(promise.path))
    has_variable = NEW_ROWS in promise.path.read_text(encoding="utf-8")
    try:
        done = ContractVerificationSession.execute(
            contract_yaml_sources=[contract],
            variables={"new_rows": promise.new_rows} if has_variable else {},
            data_source_impls=[source],
        )
    except SodaCoreException as error:
        raise CdpError(f"a contract is not right: {error}", "correct the file") from error
    (result,) = done.contract_verification_results
    return result


def _check(table: str, run_id: str, result: Any) -> Check:  # noqa: ANN401 - Soda's own class
    outcome = OUTCOMES[result.outcome.value]
    column = result.check.column_name or ""
    return Check(
        table,
        column,
        result.check.name,
        "contract",
        outcome,
        result.threshold_value,
        "; ".join(_mismatches(result)),
        "" if outcome == "passed" else _query(table, run_id, column, result.check.type),
    )


def _query(table: str, run_id: str, column: str, kind: str) -> str:
    """What shows the rows that break a check of Soda's kind."""
    if kind == "missing":
        return rows_where(table, run_id, f"{quoted(column)} is null")
    if kind == "duplicate" and column:
        return counted_by(table, run_id, [column], "having count(*) > 1")
    if column:
        return counted_by(table, run_id, [column])
    if kind == "schema":
        return f"describe {table}"
    return f"select count(*) as row_count from {relation(table, run_id)}"  # noqa: S608


def _mismatches(result: Any) -> list[str]:  # noqa: ANN401
    """What differs, for a schema check."""
    found = [
        f"column {name} is missing"
        for name in getattr(result, "expected_column_names_not_actual", None) or []
    ]
    found += [
        f"column {name} is not in the contract"
        for name in getattr(result, "actual_column_names_not_expected", None) or []
    ]
    found += [
        f"{m.column} is {m.get_actual()}, not {m.get_expected()}"
        for m in getattr(result, "column_data_type_mismatches", None) or []
    ]
    return found


def check(table: str | None, settings: Settings, console: Console) -> None:
    """Verify what is published, keep the results and show them. Raises CdpError when one failed.

    table: one of those that have a contract; all by default.
    """
    files = find(settings.contracts_dir)
    if table is not None and table not in files:
        raise CdpError(
            f"there is no contract for {table}", f"choose one of: {', '.join(files) or 'none yet'}"
        )
    require("Spark", settings.spark_url)
    # A session of its own: one of before keeps tables as it found them.
    spark.disconnect(settings)
    catalog = Catalog(settings)
    promises = [
        Promise(name, path)
        for name, path in files.items()
        if name == table or (table is None and has_rows(catalog, name))
    ]
    found = verify(promises, spark.connect(settings))
    results.keep("", found, settings)
    show(found, console)
    demand(found)
