"""The queries that show what a check has found, and how a failure is told."""

import pytest

from cdp.errors import CdpError
from cdp.publish.diff import compare_sql
from cdp.quality.checks import Check, demand
from cdp.quality.dbt_tests import rule_query

TOLD = {
    "grain": ["customer_id", "as_of_date"],
    "not_null": ["customer_id"],
    "values": {"region": ["north", "south"]},
    "rules": {"charges_are_not_negative": "monthly_charges >= 0"},
}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("charges_are_not_negative", "where not (monthly_charges >= 0) limit 100"),
        ("customer_id_is_not_null", "where customer_id is null limit 100"),
        ("region_is_known", 'group by "region" order by row_count desc'),
        ("grain_is_unique", 'group by "customer_id", "as_of_date" having count(*) > 1 order by'),
    ],
)
def test_a_broken_rule_comes_with_the_query_for_its_rows(rule: str, words: str) -> None:
    query = rule_query("marts.ftr", "run_1", rule, TOLD)
    assert words in query
    assert 'from "marts"."ftr" for version as of \'run_1\'' in query


def test_what_is_published_is_asked_without_a_version() -> None:
    assert "version" not in rule_query("marts.ftr", "", "customer_id_is_not_null", TOLD)


def test_a_failure_names_each_check_and_a_warning_is_none() -> None:
    passed = Check("marts.a", "x", "No missing values", "contract", "passed")
    warned = Check("marts.a", "x", "No missing values", "contract", "warned", 3)
    failed = Check("marts.a", "x", "No invalid values", "contract", "failed", 7043)
    demand([passed, warned])
    with pytest.raises(CdpError, match=r"1 of 3 checks failed: marts\.a\.x: No invalid values"):
        demand([passed, warned, failed])
    assert str(failed) == "failed  marts.a.x  No invalid values: 7,043"


def test_what_could_not_be_built_is_told_before_what_it_kept_from_being_tested() -> None:
    broken = Check("marts.a", "", "a", "model", "failed", detail="no such column")
    failed = Check("marts.b", "", "b__holds", "test", "failed", 1)
    with pytest.raises(CdpError, match=r"1 could not be built: marts\.a: no such column"):
        demand([failed, broken])


def test_versions_are_compared_by_the_grain_of_the_table() -> None:
    sql = compare_sql("marts.a", ["id", "x", "y"], ["id"], "run_1")
    assert 'new full join lake."marts"."a" as old on new."id" = old."id"' in sql
    assert 'new."x" is distinct from old."x" or new."y" is distinct from old."y"' in sql


def test_versions_without_a_grain_are_compared_row_by_row() -> None:
    sql = compare_sql("marts.a", ["x", "y"], [], "run_1")
    assert sql.count('select "x", "y" from') == 4
    assert sql.count("except all") == 2
