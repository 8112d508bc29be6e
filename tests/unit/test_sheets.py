"""Sheets of Excel workbooks: which values come out, what goes to quarantine, what is refused."""

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from cdp.errors import CdpError
from cdp.landing.batch import Reject
from cdp.landing.source import Source, find
from cdp.settings import ROOT
from tests.support.delivered import Rows, described, read

COLUMNS: list[dict[str, Any]] = [
    {"name": "value", "type": "string"},
    {"name": "amount", "type": "decimal", "optional": True},
    {"name": "billed_at", "type": "timestamp", "default": "effective_at"},
]
GOOD = described(*COLUMNS)
FORMATS = {
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss.000",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}


class Book:
    """A workbook in the making, whose first sheet has the headings `id` and `value`."""

    def __init__(self, path: Path, *headings: str, **options: Any) -> None:  # noqa: ANN401
        self.path = path
        self.book = xlsxwriter.Workbook(str(path), options | {"remove_timezone": True})
        self.sheet = self.book.add_worksheet("Bills")
        self.formats = {k: self.book.add_format({"num_format": f}) for k, f in FORMATS.items()}
        self.rows = 0
        self.add(*(headings or ("id", "value")))

    def add(self, *values: Any) -> None:  # noqa: ANN401
        for i, value in enumerate(values):
            if isinstance(value, Formula):
                self.sheet.write_formula(self.rows, i, value.text, None, value.result)
            elif isinstance(value, str):
                self.sheet.write_string(self.rows, i, value)
            elif value is not None:
                self.sheet.write(self.rows, i, value, self.formats.get(type(value)))
        self.rows += 1

    def read(self, source: Source = GOOD) -> tuple[Rows, list[Reject]]:
        self.book.close()
        return read(self.path, source)


class Formula:
    def __init__(self, text: str, result: float | str | None) -> None:
        self.text, self.result = text, "" if result is None else result


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Book]:
    return lambda *headings, **options: Book(tmp_path / "bills.xlsx", *headings, **options)


VALUES = [
    ("text", "text"),
    (" ü \n€ ", " ü \n€ "),
    ("007", "007"),
    (7, "7"),
    (-12.0, "-12"),
    (29.85, "29.85"),
    (0.1, "0.1"),
    (1e-7, "1e-07"),
    (123456789012345, "123456789012345"),
    (True, "true"),
    (False, "false"),
    (date(2024, 2, 29), "2024-02-29"),
    (date(1900, 3, 1), "1900-03-01"),
    (date(9999, 12, 31), "9999-12-31"),
    (datetime(2024, 12, 31, 23, 59, 59, 999000), "2024-12-31T23:59:59.999000"),  # noqa: DTZ001
    (time(12, 30), "12:30:00"),
    (timedelta(days=1, hours=12), "36:00:00"),
    (Formula("=1+1", 2), "2"),
    (Formula('="a"&"b"', "ab"), "ab"),
    (None, ""),
]


@pytest.mark.parametrize("epoch", [False, True], ids=["1900", "1904"])
def test_each_kind_of_cell_is_read_as_its_value(book: Callable[..., Book], epoch: bool) -> None:
    values = [v for v in VALUES if not (epoch and v[0] == date(1900, 3, 1))]
    written = book(date_1904=epoch)
    for i, (value, _) in enumerate(values):
        written.add(f"k{i}", value)
    rows, rejects = written.read()
    assert [row["value"] for row in rows] == [text for _, text in values]
    assert [row["_source_row"] for row in rows] == list(range(2, 2 + len(values)))
    assert not rejects


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (Formula("=1/0", "#DIV/0!"), "value holds an error"),
        (Formula("=NA()", "#N/A"), "value holds an error"),
        (Formula("=A1&B1", None), "value holds a formula without its value"),
    ],
)
def test_cell_without_a_value_of_its_own_goes_to_quarantine(
    book: Callable[..., Book], cell: Formula, reason: str
) -> None:
    written = book("note", "id", "value")
    written.add("", "k1", "a")
    written.add("", "k2", cell)
    written.add("", "k3", "c")
    rows, rejects = written.read()
    assert [row["id"] for row in rows] == ["k1", "k3"]
    [reject] = rejects
    assert reject.number == 3
    assert reject.reason.startswith(reason)
    assert "k2" in reject.text


def test_text_of_a_formula_may_be_empty(book: Callable[..., Book], tmp_path: Path) -> None:
    """As Excel writes what `=IF(FALSE,1,"")` comes to."""
    written = book()
    written.add("k1", Formula('=""', None))
    written.book.close()
    change(written.path, "sheet1", '<c r="B2"><f>', '<c r="B2" t="str"><f>')
    rows, rejects = read(written.path, GOOD)
    assert [row["value"] for row in rows] == [""]
    assert not rejects


def test_rows_that_hold_only_what_cannot_be_read_are_not_lost(book: Callable[..., Book]) -> None:
    written = book()
    written.add("k1", "a")
    written.add(Formula("=NA()", "#N/A"), None)
    written.add(Formula('="k"&3', None), Formula('="c"', None))
    rows, rejects = written.read()
    assert [row["id"] for row in rows] == ["k1"]
    assert [(r.number, r.reason.split(":")[0]) for r in rejects] == [
        (3, "id holds an error"),
        (4, "id holds a formula without its value"),
    ]


def test_error_in_a_column_that_is_not_declared_is_kept(book: Callable[..., Book]) -> None:
    written = book("id", "value", "looked up")
    written.add("k1", "a", Formula("=NA()", "#N/A"))
    rows, rejects = written.read()
    assert rows[0]["_extra"] == '{"looked up": "#N/A"}'
    assert not rejects


def test_blank_rows_and_columns_around_the_table_are_left_out(book: Callable[..., Book]) -> None:
    written = book("", "", "id", "", "value")
    written.add(None, None, "k1", None, "a")
    written.add()
    written.add(None, None, "k2", None, "b")
    written.sheet.write_blank(40, 8, None, written.formats[date])
    rows, rejects = written.read()
    assert [(r["id"], r["value"], r["_source_row"]) for r in rows] == [
        ("k1", "a", 2),
        ("k2", "b", 4),
    ]
    assert not rejects


@pytest.mark.parametrize("number", [12345678901234567, 1234567890123456, 1.5])
def test_key_that_may_have_lost_digits_goes_to_quarantine(
    book: Callable[..., Book], number: float
) -> None:
    written = book()
    written.add(number, "a")
    written.add(123456789012345, "b")
    written.add("12345678901234567", "c")
    rows, rejects = written.read()
    assert [row["id"] for row in rows] == ["123456789012345", "12345678901234567"]
    assert "has lost digits" in rejects[0].reason


def test_only_text_is_in_the_notation_of_the_source(book: Callable[..., Book]) -> None:
    dialect = {"decimal_mark": ",", "thousands_separator": ".", "date_formats": ["%d.%m.%Y"]}
    written = book("id", "value", "amount", "billed_at")
    written.add("k1", "a", 1.5, date(2025, 1, 3))
    written.add("k2", "b", "1.234,5", "03.01.2025")
    written.add("k3", "c", "1.5", "2025-01-03")
    rows, rejects = written.read(described(*COLUMNS, dialect=dialect))
    assert [(r["amount"], r["billed_at"]) for r in rows] == [
        ("1.5", "2025-01-03"),
        ("1234.5", "2025-01-03"),
    ]
    assert [r.number for r in rejects] == [4]


def test_cells_are_read_as_values_and_not_as_they_are_displayed(
    book: Callable[..., Book],
) -> None:
    """7.5 % is 0.075 everywhere, and 0001 in a format of four digits is the number 1."""
    written = book()
    formats = {"0.0%": 0.075, "0000": 1, '"$"#,##0.00': 1234.5, "yyyy-mm-dd": "abcd"}
    for i, (form, value) in enumerate(formats.items(), 1):
        cell = written.book.add_format({"num_format": form})
        written.sheet.write(i, 0, f"k{i}")
        written.sheet.write(i, 1, value, cell)
    rows, _ = written.read()
    assert [row["value"] for row in rows] == ["0.075", "1", "1234.5", "abcd"]


@pytest.mark.parametrize("empty", ["<v/>", "<v></v>", ""])
def test_text_cell_that_points_at_no_text_is_blank(book: Callable[..., Book], empty: str) -> None:
    """Not the first text of the workbook."""
    written = book()
    for i in range(3):
        written.add(f"k{i}", f"text {i}")
    written.book.close()
    change(written.path, "sheet1", r'(<c r="B3" t="s">)<v>[0-9]+</v>', rf"\1{empty}", regex=True)
    rows, rejects = read(written.path, GOOD)
    assert [row["value"] for row in rows] == ["text 0", "", "text 2"]
    assert not rejects


# Which sheet.


def test_the_one_visible_sheet_is_read(book: Callable[..., Book]) -> None:
    written = book()
    written.add("k1", "a")
    written.book.add_worksheet("Lists").hide()
    written.book.add_chartsheet("Chart")
    rows, _ = written.read()
    assert [row["id"] for row in rows] == ["k1"]


def test_sheet_is_named_where_there_are_several(book: Callable[..., Book]) -> None:
    written = book()
    written.add("k1", "a")
    written.book.add_worksheet("Others").write_row(0, 0, ["x"])
    with pytest.raises(CdpError, match="has 2 visible sheets: Bills, Others"):
        written.read()
    rows, _ = read(written.path, described(*COLUMNS, sheet="Bills"))
    assert [row["id"] for row in rows] == ["k1"]
    with pytest.raises(CdpError, match="has no sheet Sheet1; it has Bills, Others"):
        read(written.path, described(*COLUMNS, sheet="Sheet1"))


def test_a_sheet_of_its_own_in_the_archive_is_judged(book: Callable[..., Book]) -> None:
    """Errors of the other sheets are none of this one's."""
    written = book()
    written.add("k1", "a")
    other = written.book.add_worksheet("Others")
    other.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    source = described(*COLUMNS, sheet="Bills")
    rows, rejects = written.read(source)
    assert (len(rows), rejects) == (1, [])


def test_json_lines_have_no_sheets() -> None:
    with pytest.raises(ValueError, match="JSON lines have no dialect and no sheets"):
        described(*COLUMNS, format="json", sheet="Bills")


# What is refused, and what programs write.


def test_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bills.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bills.csv", "id,value\n1,a\n")
    with pytest.raises(CdpError, match="is a zip archive, and no Excel workbook"):
        read(path, GOOD)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_workbook_that_is_cut_off_is_refused(book: Callable[..., Book], keep: float) -> None:
    written = book()
    for i in range(200):
        written.add(f"k{i}", "a")
    written.book.close()
    content = written.path.read_bytes()
    written.path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(CdpError, match="is a zip archive, and no Excel workbook"):
        read(written.path, GOOD)


def test_empty_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bills.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.add_worksheet("Bills")
    with pytest.raises(CdpError, match="has nothing in its sheet Bills"):
        read(path, GOOD)


def test_cells_without_references_have_their_place(book: Callable[..., Book]) -> None:
    """Some programs leave out what a cell's place says already."""
    written = book("id", "value", "amount")
    written.add("k1", "a", 1)
    written.add("k2", Formula("=NA()", "#N/A"), 2)
    written.book.close()
    change(written.path, "sheet1", r'(<(?:row|c)) r="\w+"', r"\1", regex=True)
    rows, rejects = read(written.path, GOOD)
    assert [row["id"] for row in rows] == ["k1"]
    assert [(r.number, r.reason) for r in rejects] == [(3, "value holds an error")]


def change(path: Path, part: str, old: str, new: str, *, regex: bool = False) -> None:
    """Change the XML of a sheet in a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = f"xl/worksheets/{part}.xml"
    text = parts[name].decode()
    changed = re.sub(old, new, text) if regex else text.replace(old, new)
    assert changed != text
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in parts.items():
            archive.writestr(each, changed if each == name else content)


def test_the_customer_master_may_come_as_a_workbook(tmp_path: Path) -> None:
    """The public data set of this telco is one, with headings of its own."""
    source = find("crm.customers", ROOT / "sources")
    headings = [
        *("CustomerID", "Count", "Country", "State", "City", "Zip Code", "Lat Long", "Latitude"),
        *("Longitude", "Gender", "Senior Citizen", "Partner", "Dependents", "Tenure Months"),
        *("Phone Service", "Multiple Lines", "Internet Service", "Online Security"),
        *("Online Backup", "Device Protection", "Tech Support", "Streaming TV"),
        *("Streaming Movies", "Contract", "Paperless Billing", "Payment Method"),
        *("Monthly Charges", "Total Charges", "Churn Label", "Churn Value", "Churn Score"),
        *("CLTV", "Churn Reason"),
    ]
    written = Book(tmp_path / "telco.xlsx", *headings)
    text = dict.fromkeys(headings, "No")
    written.add(
        *(
            text
            | {
                "CustomerID": "3668-QPYBK",
                "Tenure Months": 2,
                "Monthly Charges": 53.85,
                "Total Charges": 108.15,
                "Zip Code": 90003,
            }
        ).values()
    )
    written.add(
        *(
            text
            | {
                "CustomerID": "9237-HQITU",
                "Tenure Months": 0,
                "Monthly Charges": 70.7,
                "Total Charges": " ",
            }
        ).values()
    )
    rows, rejects = written.read(source)
    assert not rejects
    assert [(r["customer_id"], r["tenure_months"], r["total_charges"]) for r in rows] == [
        ("3668-QPYBK", "2", "108.15"),
        ("9237-HQITU", "0", " "),
    ]
