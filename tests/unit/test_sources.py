"""Source YAML: what is refused, with the place and the reason, and which headings mean a column."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.errors import CdpError
from cdp.landing import source as sources
from cdp.landing.source import Source
from cdp.settings import ROOT

SHOP: dict[str, Any] = {
    "source": "shop",
    "table": "orders",
    "description": "The orders of the shop.",
    "owner": "shop-data",
    "format": "csv",
    "key": ["order_id"],
    "ordering": "changed_at",
    "columns": [
        {"name": "order_id", "headings": ["No."], "type": "string", "required": True},
        {"name": "tenure_months", "headings": ["Dauer", "Größe"], "type": "integer"},
        {"name": "changed_at", "type": "timestamp", "default": "effective_at"},
    ],
}


def column(**values: object) -> dict[str, Any]:
    """The declaration with these values in its second column."""
    first, second, third = SHOP["columns"]
    return {"columns": [first, second | values, third]}


def write(path: Path, **values: object) -> Path:
    """A source file with these values; a key whose value is `...` is left out."""
    kept = {k: v for k, v in (SHOP | values).items() if v is not ...}
    path.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Read a source that must be refused: the reason, without the path in front of it."""

    def refused(text: str | bytes | None = None, **values: object) -> str:
        path = tmp_path / "shop_orders.yml"
        if text is None:
            write(path, **values)
        else:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(CdpError) as error:
            sources.read(path)
        problem = error.value.problem
        assert problem.startswith(f"{path} is not a valid source: ")
        assert problem.isprintable()  # so it is one line
        assert error.value.fix
        return problem.removeprefix(f"{path} is not a valid source: ")

    return refused


# What is accepted.


@pytest.mark.parametrize("path", sorted((ROOT / "sources").glob("*")), ids=lambda p: str(p.name))
def test_committed_source_is_valid_and_stands_under_its_own_name(path: Path) -> None:
    found = sources.read(path)
    assert path.name == f"{found.source}_{found.table}.yml"
    assert sources.find(found.full_name, path.parent) == found


def test_source_has_what_its_file_says_and_defaults_for_the_rest(tmp_path: Path) -> None:
    found = sources.read(write(tmp_path / "a.yml"))
    assert found.full_name == "shop.orders"
    assert found.raw_table == "raw.shop_orders"
    assert found.landing_prefix == "landing/shop/orders/"
    assert (found.location, found.captured) == ("", False)
    assert found.quarantine.max_share == 0.10
    assert [c.required for c in found.columns] == [True, False, False]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("location", ["", "inbox/shop/", "inbox/Shop-1/a.b/dt=2024/orders/"])
def test_location_of_files_is_a_prefix_of_the_inbox_or_none(
    tmp_path: Path, form: str, location: str
) -> None:
    found = sources.read(write(tmp_path / "a.yml", format=form, location=location))
    assert (found.location, found.captured) == (location, False)


def test_location_of_a_postgres_source_is_its_table(tmp_path: Path) -> None:
    found = sources.read(write(tmp_path / "a.yml", format="postgres", location="public.orders"))
    assert (found.location, found.captured) == ("public.orders", True)


def test_raw_table_may_have_a_name_of_its_own_and_the_landing_zone_keeps_the_source_s(
    tmp_path: Path,
) -> None:
    found = sources.read(write(tmp_path / "a.yml", raw_table="orders_of_the_shop"))
    assert found.raw_table == "raw.orders_of_the_shop"
    assert (found.full_name, found.landing_prefix) == ("shop.orders", "landing/shop/orders/")


# What is refused.


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize(
    "location",
    ["inbox", "inbox/", "inbox/shop", "inbox//", "inbox/a b/", "/inbox/shop/", "landing/shop/",
     "inbox/shop/\n", "s3://lake/inbox/shop/", "public.orders", "inbox/*/", "inbox/shop/?"],
)  # fmt: skip
def test_location_that_is_no_prefix_of_the_inbox_is_refused_with_one_that_is(
    refused: Callable[..., str], form: str, location: str
) -> None:
    assert "a prefix such as inbox/usage/events/" in refused(format=form, location=location)


@pytest.mark.parametrize(
    "location", ["", "orders", "public.", ".orders", "a.b.c", "inbox/shop/", "public.orders; --"]
)
def test_location_of_a_postgres_source_that_is_no_table_is_refused_with_one_that_is(
    refused: Callable[..., str], location: str
) -> None:
    problem = refused(format="postgres", location=location)
    assert "is its table, such as public.customers" in problem


@pytest.mark.parametrize("name", ["raw.orders", "Orders", "x; drop table y", "", "1st", 7])
def test_raw_table_that_is_not_a_plain_lower_case_word_is_refused(
    refused: Callable[..., str], name: object
) -> None:
    assert refused(raw_table=name).startswith("raw_table: ")


@pytest.mark.parametrize("form", ["xlsx", "JSON", "jsonl", "", None])
def test_unknown_format_is_refused_with_the_formats_there_are(
    refused: Callable[..., str], form: object
) -> None:
    problem = refused(format=form)
    assert problem.startswith("format: ")
    assert all(f"'{name}'" in problem for name in ("csv", "json", "parquet", "postgres"))


def test_unknown_key_is_refused_with_its_place(refused: Callable[..., str]) -> None:
    assert refused(ordring="x") == "ordring: Extra inputs are not permitted"
    assert refused(**column(requird=True)).startswith("columns.1.requird: Extra inputs")
    assert refused(quarantine={"share": 1}).startswith("quarantine.share: Extra inputs")


@pytest.mark.parametrize(
    "key", ["source", "table", "description", "owner", "format", "key", "ordering", "columns"]
)
def test_missing_key_is_refused_by_name(refused: Callable[..., str], key: str) -> None:
    assert refused(**{key: ...}) == f"{key}: Field required"


def test_every_mistake_is_named_at_once(refused: Callable[..., str]) -> None:
    assert refused(owner=..., format="xlsx").startswith("owner: Field required; format: Input sh")


def test_unknown_type_is_refused_with_the_types_there_are(refused: Callable[..., str]) -> None:
    problem = refused(**column(type="varchar"))
    assert problem.startswith("columns.1.type: ")
    assert all(name in problem for name in sources.FORMS)


# Of the form of a type, and no value of one: of no such day, too large, or not exact in it.
BEYOND = {
    "integer": {"2147483648"},
    "decimal": {"1e-3", "1.005", "1.0050000", "2147483647", "2147483648", "100000000.00"},
    "timestamp": {
        "0000-01-01",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:30:00+01:00",
        "2025-02-30",
        "2025-01-03T24:00:00",
    },
}


@pytest.mark.parametrize(
    ("kind", "column"),
    [("integer", "as_int"), ("decimal", "as_decimal"), ("timestamp", "as_timestamp")],
)
def test_landing_knows_the_forms_that_staging_reads(kind: str, column: str) -> None:
    """But for values that are beyond a type's range, which landing does not look at."""
    with (ROOT / "tests" / "macros" / "seeds" / "forms.csv").open(newline="") as file:
        forms = list(csv.DictReader(file))
    pattern = sources.FORMS[kind]
    assert pattern
    read = {form["text"] for form in forms if form[column]}
    known = {form["text"] for form in forms if re.search(pattern, form["text"])}
    assert read <= known
    assert known - read <= BEYOND[kind]


def test_key_column_that_is_not_declared_is_refused_by_name(refused: Callable[..., str]) -> None:
    assert "not declared: ['order_no']" in refused(key=["order_id", "order_no"])


def test_ordering_that_is_not_declared_is_refused_by_name(refused: Callable[..., str]) -> None:
    assert "not declared: ['updated']" in refused(ordering="updated")


@pytest.mark.parametrize("heading", ["Order-ID", "order id", "NO", "changed_at"])
def test_heading_that_two_columns_answer_to_is_refused(
    refused: Callable[..., str], heading: str
) -> None:
    problem = refused(**column(headings=[heading]))
    assert f"more than one column answers to the heading ['{sources.normal(heading)}']" in problem


def test_two_columns_of_one_name_are_refused(refused: Callable[..., str]) -> None:
    assert "more than one column" in refused(columns=[*SHOP["columns"], SHOP["columns"][0]])


@pytest.mark.parametrize("heading", ["", "#", " - "])
def test_heading_without_a_letter_or_digit_is_refused(
    refused: Callable[..., str], heading: str
) -> None:
    assert "a heading needs a letter or a digit" in refused(**column(headings=[heading]))


@pytest.mark.parametrize(
    "name",
    ["x y", "Orders", "x; drop table", "x;drop", "x--", "1st", "_x", "", "naïve", "x\n", "../x", 7],
)
def test_name_that_is_not_a_plain_lower_case_word_is_refused(
    refused: Callable[..., str], name: object
) -> None:
    assert refused(source=name).startswith("source: ")
    assert refused(table=name).startswith("table: ")
    assert refused(**column(name=name)).startswith("columns.1.name: ")


def test_column_with_the_name_of_the_landing_partition_is_refused(
    refused: Callable[..., str],
) -> None:
    assert "no column can be named dt" in refused(**column(name="dt"))


@pytest.mark.parametrize("share", [-0.1, 1.1, "half"])
def test_share_outside_of_zero_to_one_is_refused(
    refused: Callable[..., str], share: object
) -> None:
    assert refused(quarantine={"max_share": share}).startswith("quarantine.max_share: ")


def test_source_without_columns_is_refused(refused: Callable[..., str]) -> None:
    assert refused(columns=[]).startswith("columns: ")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- source: shop\n", "shop"])
def test_file_that_is_not_a_mapping_is_refused(refused: Callable[..., str], text: str) -> None:
    assert refused(text).startswith("source: Input should be a valid dictionary")


@pytest.mark.parametrize("text", ["source: shop\ntable: [a\n", "source: shop\n\ttable: a\n"])
def test_yaml_syntax_error_is_refused_with_line_and_column(
    refused: Callable[..., str], text: str
) -> None:
    problem = refused(text)
    assert "line 3, column 1" in problem or "line 2, column 1" in problem


def test_date_that_there_is_not_is_refused_as_any_mistake(refused: Callable[..., str]) -> None:
    assert refused("source: shop\nordering: 2024-13-45\n")


def test_file_that_is_not_utf8_is_refused(refused: Callable[..., str]) -> None:
    assert refused("description: Größe\n".encode("latin-1"))


# A folder of sources.


def test_two_files_that_name_one_source_are_refused_with_both_names(tmp_path: Path) -> None:
    write(tmp_path / "a.yml")
    second = write(tmp_path / "b.yml", owner="someone-else")
    with pytest.raises(CdpError) as error:
        sources.read_all(tmp_path)
    assert error.value.problem == f"{second} and a.yml are both sources of raw.shop_orders"


def test_two_sources_that_come_to_one_raw_table_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", source="web_shop", table="orders")
    write(tmp_path / "b.yml", source="web", table="shop_orders")
    with pytest.raises(CdpError, match=r"both sources of raw\.web_shop_orders"):
        sources.read_all(tmp_path)


def test_sources_with_one_chosen_raw_table_are_refused_and_with_two_are_not(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.yml", raw_table="orders")
    write(tmp_path / "b.yml", table="items", raw_table="orders")
    with pytest.raises(CdpError, match=r"both sources of raw\.orders"):
        sources.read_all(tmp_path)
    write(tmp_path / "b.yml", table="items", raw_table="shop_orders")
    assert list(sources.read_all(tmp_path)) == ["shop.orders", "shop.items"]


def test_two_files_of_one_source_with_different_raw_tables_are_refused(tmp_path: Path) -> None:
    """They would share a ledger."""
    write(tmp_path / "a.yml")
    second = write(tmp_path / "b.yml", raw_table="other_orders")
    with pytest.raises(CdpError) as error:
        sources.read_all(tmp_path)
    assert error.value.problem == f"{second} and a.yml are both the source shop.orders"


def test_a_name_selects_a_source_or_those_of_a_system_and_no_name_all(tmp_path: Path) -> None:
    for number, (system, table) in enumerate(
        [("shop", "orders"), ("shop", "items"), ("shop_two", "orders"), ("usage", "events")]
    ):
        write(tmp_path / f"{number}.yml", source=system, table=table)

    def selected(name: str | None) -> list[str]:
        return [s.full_name for s in sources.select(name, tmp_path)]

    assert selected("shop") == ["shop.orders", "shop.items"]
    assert selected("shop.items") == ["shop.items"]
    assert selected("usage") == ["usage.events"]
    assert selected(None) == ["shop.orders", "shop.items", "shop_two.orders", "usage.events"]


@pytest.mark.parametrize("name", ["sho", "shop.", "orders", "shop.order", "SHOP", "shop.*", ""])
def test_name_that_selects_nothing_is_refused_with_the_sources_there_are(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path / "a.yml")
    with pytest.raises(CdpError, match="there is no source") as error:
        sources.select(name, tmp_path)
    assert error.value.fix == "choose one of: shop.orders"


def test_sources_are_found_by_full_name(tmp_path: Path) -> None:
    write(tmp_path / "a.yml")
    write(tmp_path / "b.yml", table="items")
    assert list(sources.read_all(tmp_path)) == ["shop.orders", "shop.items"]
    assert sources.find("shop.items", tmp_path).table == "items"


def test_name_of_no_source_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CdpError) as error:
        sources.find("shop.order", tmp_path)
    assert error.value.fix == "choose one of: none yet"
    write(tmp_path / "a.yml")
    with pytest.raises(CdpError, match=r"there is no source shop\.order") as error:
        sources.find("shop.order", tmp_path)
    assert error.value.fix == "choose one of: shop.orders"


# Which headings mean a column.


@pytest.mark.parametrize(
    "heading",
    ["tenure_months", "Tenure Months", "TENURE MONTHS", " tenure-months ", "TenureMonths", "dauer",
     "GRÖSSE", "Gro\u0308ße"],
)  # fmt: skip
def test_heading_means_its_column_whatever_case_blanks_and_punctuation(heading: str) -> None:
    found = Source.model_validate(SHOP)
    assert found.match(["no", heading, "Changed At"])["tenure_months"] == 1


@pytest.mark.parametrize("heading", ["tenure", "months tenure", "grosze", "gre", "", "Dauern"])
def test_heading_that_is_only_like_a_column_does_not_mean_it(heading: str) -> None:
    with pytest.raises(CdpError, match="no column for tenure_months; the file has no"):
        Source.model_validate(SHOP).match(["no", heading])


def test_column_with_a_default_may_lack(tmp_path: Path) -> None:
    found = sources.read(write(tmp_path / "a.yml"))
    assert found.match(["No", "Dauer"]) == {"order_id": 0, "tenure_months": 1, "changed_at": None}


@pytest.mark.parametrize("captured", [True, False])
def test_optional_column_may_lack_and_is_found_where_it_is(tmp_path: Path, captured: bool) -> None:
    more = {"format": "postgres", "location": "public.orders"} if captured else {}
    found = sources.read(write(tmp_path / "a.yml", **column(optional=True), **more))
    assert found.match(["No"]) == {"order_id": 0, "tenure_months": None, "changed_at": None}
    assert found.match(["Dauer", "No"])["tenure_months"] == 0
    with pytest.raises(CdpError, match="2 headings mean tenure_months: Dauer, dauer"):
        found.match(["No", "Dauer", "dauer"])
    with pytest.raises(CdpError, match="no column for order_id; the file has Dauer"):
        found.match(["Dauer"])
