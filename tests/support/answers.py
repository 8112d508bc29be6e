"""The answers that Trino must give to the real sample, whatever it runs on."""

from tests.support.stack import Stack

TOTALS = """
    select
        count(*) as customers,
        count_if(churn_label) as churned,
        count_if(total_charges is null) as without_total_charges,
        cast(sum(monthly_charges) as varchar) as monthly_charges
    from dim_customers
"""
CONTRACTS = """
    select contract_type, sum(customer_count) as customers, sum(churned_count) as churned
    from agg_churn_by_segment
    group by contract_type
    order by contract_type
"""


def assert_answers(stack: Stack) -> None:
    assert stack.query(TOTALS) == [
        {
            "customers": 7043,
            "churned": 1869,
            "without_total_charges": 11,
            "monthly_charges": "456116.60",
        }
    ]
    assert stack.query(CONTRACTS) == [
        {"contract_type": "month_to_month", "customers": 3875, "churned": 1655},
        {"contract_type": "one_year", "customers": 1473, "churned": 166},
        {"contract_type": "two_year", "customers": 1695, "churned": 48},
    ]
    assert stack.query("select count(*) as n from raw.crm_customers") == [{"n": 7043}]
    assert stack.query("select count(*) as n from ftr_customer_churn") == [{"n": 7043}]
