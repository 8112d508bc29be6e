"""dbt's results as checks: its tests, and what it could not build."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cdp.quality.checks import Check, Outcome, counted_by, rows_where
from cdp.transform import Result

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OUTCOMES: dict[str, Outcome] = {"pass": "passed", "warn": "warned", "fail": "failed"}
OUTCOMES |= {"error": "failed", "skipped": "skipped"}
# The generic test of the project that names each rule of a table, and how many rows break it.
RULES = "holds"


def checks(results: Sequence[Result], run_id: str, session: "SparkSession") -> list[Check]:
    """The checks that dbt has made. What is wrong with a table that breaks rules is asked again,
    rule by rule, of the session that it was built in."""
    found: list[Check] = []
    for result in results:
        outcome = OUTCOMES.get(result.status)
        if result.kind not in {"test", "unit_test"}:
            if outcome == "failed":
                found.append(_broken(result))
        elif outcome in ("failed", "warned") and result.test == RULES and result.rows:
            found += _broken_rules(result, outcome, run_id, session)
        elif outcome:
            detail = "" if outcome == "passed" else result.message
            found.append(Check(result.table, "", result.name, "test", outcome, result.rows, detail))
    return found


def _broken(result: Result) -> Check:
    return Check(result.table, "", result.name, result.kind, "failed", detail=result.message)


def _broken_rules(
    result: Result, outcome: Outcome, run_id: str, session: "SparkSession"
) -> Iterator[Check]:
    """A check for each rule that rows break."""
    told = dict(result.arguments)
    for rule, failures in session.sql(result.sql).collect():
        yield Check(
            result.table,
            "",
            str(rule),
            "test",
            outcome,
            float(failures),
            f"of {result.name}",
            rule_query(result.table, run_id, str(rule), told),
        )


def rule_query(table: str, run_id: str, rule: str, told: dict[str, Any]) -> str:
    """The query for the rows that break a rule of `holds`, by the arguments of the test.

    As macros/failure_counts.sql names them.
    """
    if rule == "grain_is_unique":
        return counted_by(table, run_id, told.get("grain", []), "having count(*) > 1")
    if rule in told.get("rules", {}):
        return rows_where(table, run_id, f"not ({told['rules'][rule]})")
    column = rule.removesuffix("_is_not_null")
    if column in told.get("not_null", []):
        return rows_where(table, run_id, f"{column} is null")
    return counted_by(table, run_id, [rule.removesuffix("_is_known")])
