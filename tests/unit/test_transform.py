"""Which builds pull requests are compared with."""

import pytest

from cdp.transform import publishes


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
