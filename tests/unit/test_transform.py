"""Which builds pull requests are compared with, and what people see of dbt's messages."""

import pytest

from cdp.transform import in_one_line, publishes


@pytest.mark.parametrize(
    "arguments", [[], ["--full-refresh"], ["--vars", "{from_date: 2024-11-01}"]]
)
def test_a_build_of_the_whole_project_is_what_pull_requests_are_compared_with(
    arguments: list[str],
) -> None:
    assert publishes(arguments, "local")
    assert publishes(arguments, "cluster")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "marts"],
        ["--select=marts"],
        ["-s", "marts"],
        ["--exclude", "marts"],
        ["--exclude-resource-type", "test"],
        ["--empty"],
        ["--sample", "3 days"],
    ],
    ids=" ".join,
)
def test_a_build_of_a_part_is_not(arguments: list[str]) -> None:
    assert not publishes(arguments, "local")


def test_what_a_pull_request_builds_is_never_what_another_is_compared_with() -> None:
    assert not publishes([], "ci")


def test_a_stack_of_javas_is_left_out_of_a_message_and_the_rest_is_in_one_line() -> None:
    message = """Runtime Error in model mon_drift (models/monitoring/mon_drift.sql)
  (java.lang.IllegalStateException) Cannot call methods on a stopped SparkContext.
  It was created at:

  org.apache.spark.deploy.SparkSubmit$$anon$2.doSubmit(SparkSubmit.scala:1168)
  java.base/java.util.concurrent.Executors$RunnableAdapter.call(Unknown Source)
  \tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
  Column monthly_charges(x) is not an invoice(s) column"""
    assert in_one_line(message) == (
        "Runtime Error in model mon_drift (models/monitoring/mon_drift.sql) "
        "(java.lang.IllegalStateException) Cannot call methods on a stopped SparkContext. "
        "It was created at: Column monthly_charges(x) is not an invoice(s) column"
    )
    assert in_one_line("count(a)") == "count(a)"
