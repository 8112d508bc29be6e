"""`cdp check`: the published tables against their Soda contracts, asked through Trino.

The same files serve Soda's own command line; contracts/datasource.yml says how.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cdp.errors import CdpError
from cdp.settings import Settings
from cdp.stack.probes import require


@dataclass(frozen=True)
class CheckResult:
    """One check of one table. `measured` is the number that was held against the threshold."""

    table: str
    column: str
    check: str
    outcome: str
    measured: float | None
    detail: str


def find(table: str | None, folder: Path) -> dict[str, Path]:
    """The contract files by table (`marts.dim_customers`), of one table or of all."""
    files = {f"{p.parent.name}.{p.stem}": p for p in sorted(folder.glob("*/*.yml"))}
    if table is None:
        return files
    if table not in files:
        raise CdpError(
            f"there is no contract for {table}", f"choose one of: {', '.join(files) or 'none yet'}"
        )
    return {table: files[table]}


def verify(table: str | None, settings: Settings) -> list[CheckResult]:
    """Run the contracts and return every check's result.

    Raises CdpError when a contract cannot be evaluated: that is no verdict on the table.
    """
    files = find(table, settings.contracts_dir)
    require("Trino", settings.trino_address)
    from soda_core.common.exceptions import SodaCoreException
    from soda_core.common.logging_constants import soda_logger
    from soda_core.common.yaml import ContractYamlSource, DataSourceYamlSource
    from soda_core.contracts.contract_verification import ContractVerificationSession

    soda_logger.setLevel(logging.CRITICAL)  # its log repeats as text what the results say
    source = DataSourceYamlSource.from_file_path(str(settings.contracts_dir / "datasource.yml"))
    try:
        session = ContractVerificationSession.execute(
            contract_yaml_sources=[
                ContractYamlSource.from_file_path(str(p)) for p in files.values()
            ],
            data_source_yaml_sources=[source],
        )
    except SodaCoreException as error:
        raise CdpError(f"a contract is not right: {error}", "correct the file") from error
    results = []
    for name, verification in zip(files, session.contract_verification_results, strict=True):
        unknown = [c for c in verification.check_results if c.outcome.value == "NOT_EVALUATED"]
        if unknown or verification.has_errors:
            reasons = [str(r.msg) for r in (verification.log_records or []) if r.levelno >= 40]
            reason = reasons[0].splitlines()[0] if reasons else "its checks were not evaluated"
            raise CdpError(
                f"the contract of {name} could not be verified: {reason}",
                f"cdp query 'describe {name}'; cdp build",
            )
        results += [_result(name, c) for c in verification.check_results]
    return results


def _result(table: str, result: Any) -> CheckResult:  # noqa: ANN401 - Soda's own class
    return CheckResult(
        table=table,
        column=result.check.column_name or "",
        check=result.check.name,
        outcome=result.outcome.value,
        measured=result.threshold_value,
        detail="; ".join(_mismatches(result)),
    )


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
    """Verify and show. Raises CdpError when a check failed."""
    results = verify(table, settings)
    by_table: dict[str, list[CheckResult]] = {}
    for result in results:
        by_table.setdefault(result.table, []).append(result)
    overview = Table("table", "checks", "passed", "failed", box=None)
    for name, checks in by_table.items():
        bad = sum(c.outcome == "FAILED" for c in checks)
        good = sum(c.outcome == "PASSED" for c in checks)
        overview.add_row(name, str(len(checks)), str(good), f"[red]{bad}[/]" if bad else "0")
    console.print(overview)
    failed = [r for r in results if r.outcome == "FAILED"]
    for result in failed:
        place = f"{result.table}.{result.column}" if result.column else result.table
        measured = "" if result.measured is None else f": {result.measured:g}"
        console.print(
            f"  failed  {place}  {result.check}{measured} {result.detail}".rstrip(),
            markup=False,
            soft_wrap=True,
        )
    if failed:
        tables = sorted({r.table for r in failed})
        raise CdpError(
            f"{len(failed)} of {len(results)} checks failed, in {', '.join(tables)}",
            "look at the rows with cdp query, mend the model or the source, cdp build",
        )
