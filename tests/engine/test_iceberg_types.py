"""What columns of macros/iceberg hold: no value is changed for the sake of its column's type."""

import pytest

from tests.support.project import Project

TABLES = ("typed_table", "typed_rows")
AMOUNTS = "id,amount,day\n1,7,2024-01-01\n"


def test_a_type_that_iceberg_can_widen_is_widened(project: Project) -> None:
    build = ["build", "--select", *TABLES]
    project.dbt(*build, type="int", value="10")
    project.dbt(*build, type="bigint", value="3000000000")
    assert project.rows("typed_table", "amount") == [(3_000_000_000,)]
    assert project.rows("typed_rows", "amount") == [(10,), (3_000_000_000,)]
    # What is narrower is held as it is.
    project.dbt(*build, type="smallint", value="7")
    assert project.rows("typed_table", "amount") == [(7,)]


@pytest.mark.parametrize("options", [[], ["--full-refresh"]], ids=["again", "full-refresh"])
def test_a_type_that_would_change_values_is_refused_in_one_line(
    project: Project, options: list[str]
) -> None:
    build = ["build", "--select", *TABLES]
    project.dbt(*build, type="int", value="10")
    said = project.dbt(*build, *options, type="decimal(4, 2)", value="10.75", ok=False)
    for table in TABLES:
        assert "cannot hold what " + table in said
        assert project.rows(table, "amount") == [(10,)]
    assert said.count("amount is int, not decimal(4,2)") == len(TABLES)


@pytest.mark.parametrize("options", [[], ["--full-refresh"]], ids=["again", "full-refresh"])
@pytest.mark.parametrize(
    ("seed", "row", "words"),
    [
        ("amounts", "1,1.5,2024-01-01", "amount is bigint, not double"),
        ("amounts", "1,2,soon", "day is date, not string"),
        ("typed_amounts", "1,1.55,2024-01-01", '"1.55" in column amount, which is no decimal(4,1)'),
        ("typed_amounts", "1,1,2024", '"2024" in column day, which is no date'),
        ("typed_amounts", "1.5,1,2024-01-01", '"1.5" in column id, which is no int'),
    ],
)
def test_a_seed_that_does_not_fit_its_table_fails_and_leaves_it(
    project: Project, options: list[str], seed: str, row: str, words: str
) -> None:
    file = project.folder / "seeds" / f"{seed}.csv"
    select = ["seed", "--select", seed]
    project.dbt(*select)
    before = project.rows(seed, "id", "amount", "day")
    try:
        file.write_text(f"id,amount,day\n{row}\n")
        assert words in project.dbt(*select, *options, ok=False)
    finally:
        file.write_text(AMOUNTS)
    assert project.rows(seed, "id", "amount", "day") == before
