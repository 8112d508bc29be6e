"""Reading delivered files: which rows come out, what goes to quarantine, what is refused."""

import csv
import io
import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.errors import CdpError
from cdp.landing import csv_file, delivery, reader, shape
from cdp.landing import source as sources
from cdp.landing.records import Quarantined
from cdp.landing.source import Source
from cdp.settings import ROOT

SOURCE = Source.model_validate(
    {
        "source": "crm",
        "table": "people",
        "description": "People.",
        "owner": "someone",
        "format": "csv",
        "key": ["id"],
        "ordering": "seen_at",
        "columns": [
            {"name": "id", "headings": ["Person No."], "type": "string", "required": True},
            {"name": "name", "type": "string"},
            {"name": "tenure_months", "headings": ["Tenure"], "type": "integer"},
            {"name": "seen_at", "type": "timestamp", "default": "effective_at"},
        ],
    }
)
Row = dict[str, str | int | None]


@dataclass
class Read:
    """What reading a file came to."""

    rows: list[Row] = field(default_factory=list)
    quarantined: list[tuple[int, str, str]] = field(default_factory=list)

    def column(self, name: str) -> list[str | int | None]:
        return [row[name] for row in self.rows]

    def numbers(self) -> list[int]:
        """The numbers of all records, accepted or not."""
        return sorted([*map(int, map(str, self.column("_source_row"))), *self.bad_numbers()])

    def bad_numbers(self) -> list[int]:
        return [number for number, _, _ in self.quarantined]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "delivery"


def read(path: Path, source: Source = SOURCE) -> Read:
    quarantined = Quarantined()
    rows = [row for t in reader.read(path, source, quarantined) for row in t.to_pylist()]
    return Read(rows, quarantined.lines)


@pytest.fixture
def read_csv(path: Path) -> Callable[..., Read]:
    """Write a file of these bytes, and read it."""

    def read_csv(content: str | bytes, source: Source = SOURCE) -> Read:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read(path, source)

    return read_csv


@pytest.fixture
def read_parquet(path: Path) -> Callable[..., Read]:
    """Write a Parquet file whose `name` holds these values, two of them, and read it."""

    def read_parquet(names: pa.Array, heading: str = "name") -> Read:
        columns = {"id": ["1", "2"], "name": ["a", "b"], "tenure": [3, 4]} | {heading: names}
        pq.write_table(pa.table(columns), path)
        return read(path)

    return read_parquet


def refused(path: Path, content: bytes | None = None, source: Source = SOURCE) -> str:
    """Read a file that must be refused, with a problem of one line and a fix: the problem."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CdpError) as error:
        read(path, source)
    assert error.value.problem.isprintable()  # so it is one line
    assert len(error.value.problem) < 1500
    assert error.value.fix
    return error.value.problem


# Headings.


@pytest.mark.parametrize(
    "heading", ["tenure_months", "Tenure Months", "TENURE MONTHS", "tenure", '"Tenure-\nMonths"']
)
def test_heading_matches_without_case_blanks_and_punctuation(
    read_csv: Callable[..., Read], heading: str
) -> None:
    found = read_csv(f"PERSON NO,Name,{heading}\n1,a,3\n")
    assert found.rows == [
        {"id": "1", "name": "a", "tenure_months": "3", "seen_at": None, "_extra": None}
        | {"_source_row": 2}
    ]


def test_same_rows_come_out_whatever_the_order_of_columns(read_csv: Callable[..., Read]) -> None:
    columns = {"id": ("1", "2"), "name": ("a", "b"), "Tenure": ("3", "4"), "seen_at": ("", "")}
    found = []
    for order in itertools.permutations(columns):
        lines = zip(*((name, *columns[name]) for name in order), strict=True)
        found.append(read_csv("".join(",".join(line) + "\n" for line in lines)))
    assert len(found) == 24
    assert all(each == found[0] for each in found)


def test_columns_that_lack_are_refused_with_what_lacks_and_what_was_found(path: Path) -> None:
    problem = refused(path, b"name,shoe size\na,44\n")
    assert problem == "no column for id, tenure_months; the file has name, shoe size"


def test_columns_that_lack_are_refused_when_no_row_can_be_read_either(path: Path) -> None:
    assert refused(path, b"name\na,44\n").startswith("no column for id")


def test_extra_columns_are_kept_as_json_with_their_own_headings(
    read_csv: Callable[..., Read],
) -> None:
    found = read_csv('Shoe Size,id,name,tenure,"say ""hi"", ü"\n044,1,a,3,x\n,2,b,4,\n')
    extra = [json.loads(str(text)) for text in found.column("_extra")]
    assert extra == [
        {"Shoe Size": "044", 'say "hi", ü': "x"},
        {"Shoe Size": "", 'say "hi", ü': ""},
    ]


def test_extra_columns_of_one_heading_are_all_kept(read_csv: Callable[..., Read]) -> None:
    found = read_csv("id,name,tenure,,,x,x,x (2)\n1,a,3,p,q,r,s,t\n")
    assert json.loads(str(found.column("_extra")[0])) == {"": "p", " (2)": "q", "x": "r"} | {
        "x (2)": "s",
        "x (2) (2)": "t",
    }


@pytest.mark.parametrize("second", ["ID", "id", "Person No"])
def test_two_headings_that_mean_one_column_are_refused_with_both(path: Path, second: str) -> None:
    problem = refused(path, f"id,name,tenure,{second}\n1,a,3,2\n".encode())
    assert problem == f"2 headings mean id: id, {second}"


# The form of a CSV.


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n"], ids=["plain", "bom", "blank-lines"])
@pytest.mark.parametrize("closed", [True, False])
def test_rows_are_the_same_with_any_line_end_and_byte_order_mark(
    read_csv: Callable[..., Read], start: str, end: str, closed: bool
) -> None:
    lines = ['"id",name,tenure', '1,"ü",3', "2,b,4", "3,c", "4,d,6"]
    found = read_csv(start + end.join(lines) + (end if closed else ""))
    assert [(r["id"], r["name"], r["_source_row"]) for r in found.rows] == [
        ("1", "ü", 2),
        ("2", "b", 3),
        ("4", "d", 5),
    ]
    assert found.bad_numbers() == [4]


def test_quoted_values_hold_commas_quotes_and_newlines(read_csv: Callable[..., Read]) -> None:
    values = ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "", '"', "\n\n"]
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "name", "tenure"], *([str(i), v, "1"] for i, v in enumerate(values))])
    found = read_csv(target.getvalue())
    assert found.column("name") == values
    assert found.column("_source_row") == list(range(2, 2 + len(values)))


def test_record_numbers_are_right_after_newlines_in_values_and_quarantined_lines(
    read_csv: Callable[..., Read],
) -> None:
    found = read_csv('id,name,tenure\n1,"a\n\nb",3\n2,"c\nd",4,5\n3,e,6\n,f,7\n\n5,g,8\n6\n7,h,9\n')
    assert found.column("_source_row") == [2, 4, 6, 8]
    assert found.column("id") == ["1", "3", "5", "7"]
    assert sorted(found.bad_numbers()) == [3, 5, 7]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_no_value_depends_on_where_a_block_ends(
    path: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first block's end is moved over every byte, by what stands in the first row."""
    values = ["two\r\nlines", 'say ""hi""', '""', "ü€𝄞", "a,b", "\r\n", "\r", "plain", '""""']
    rows = [*(f'{i},"{v}",1' for i, v in enumerate(values)), "9,unquoted ü,1"]
    length = len(end.join(rows).encode())
    told = [v.replace('""', '"') for v in values] + ["unquoted ü"]
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", length + 200)
    for filler in range(150, 230 + length):
        lines = ["id,name,tenure", f"f,{'x' * filler},1", *rows]
        path.write_bytes(("\ufeff" + end.join(lines) + end).encode())
        quarantined = Quarantined()
        batches = list(reader.read(path, SOURCE, quarantined))
        assert [v for b in batches for v in b["name"].to_pylist()][1:] == told, filler
        numbers = [n for b in batches for n in b["_source_row"].to_pylist()]
        assert numbers == list(range(2, 3 + len(told))), filler
        assert not quarantined.lines


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        # A quote that opens a value swallows lines up to one amid another value.
        (['1,"5 inch,1', "2,b,1", "3,c,1", '4,6" pipe,1', "5,e,1"], 5),
        (['1,"a"b,1'], 2),
        (["1,a,1", '2,"say \\"hi\\"",1'], 3),
        (['1,"a" ,1'], 2),
        (['1,"a\n""b"c,1'], 3),
        (['1,6" pipe,1', '2,"a"b,1'], 3),
    ],
)
def test_text_after_a_closing_quote_is_refused_with_its_line(
    path: Path, lines: list[str], line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 400)
    for filler in range(250, 400):
        content = "\n".join(["id,name,tenure", f"f,{'x' * filler},1", *lines, ""]).encode()
        said = refused(path, content)
        assert said.endswith(f"text after a quote that closes a value: line {line + 1}"), filler


def test_record_numbers_are_right_over_several_blocks(path: Path) -> None:
    """A record's id is its number, so that each row can be asked."""
    bulk = "x" * 3000
    records = 9000
    with path.open("w", encoding="utf-8", newline="") as f:
        f.write("id,name,tenure\r\n")
        for number in range(2, 2 + records):
            if number % 1000 == 7:
                f.write(f"{number},{bulk},1,too many\r\n")
            elif number % 1000 == 8:
                f.write(f",{bulk},{number}\r\n")
            else:
                f.write(f'{number},"{bulk}\r\nü",1\r\n')
    assert path.stat().st_size > 3 * csv_file.BLOCK_BYTES
    quarantined = Quarantined()
    batches = list(reader.read(path, SOURCE, quarantined))
    assert len(batches) > 3
    pairs = [
        pair
        for batch in batches
        for pair in zip(batch["id"].to_pylist(), batch["_source_row"].to_pylist(), strict=True)
    ]
    assert all(key == str(number) for key, number in pairs)
    bad = {number: text for number, text, _ in quarantined.lines}
    assert len(pairs) + len(quarantined.lines) == records
    assert {n % 1000 for n in bad} == {7, 8}
    assert all(str(number) in text for number, text in bad.items())


def test_wrong_byte_in_a_later_block_is_refused_with_its_line(path: Path) -> None:
    line = b"1," + b"x" * 4000 + b",1\n"
    assert refused(path, b"id,name,tenure\n" + line * 2500 + b"1,\xfc,1\n").endswith("line 2502")


@pytest.mark.parametrize("share", [0.3, 0.9], ids=["over-blocks", "in-the-last-block"])
def test_quote_without_end_in_a_file_of_several_blocks_is_refused(path: Path, share: float) -> None:
    lines = [b"1," + b"x" * 4000 + b",1\n"] * 5000
    lines[int(share * len(lines))] = b'1,"x,1\n'
    refused(path, b"id,name,tenure\n" + b"".join(lines))


# Quarantine.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2,b", "2 fields where the heading has 3"),
        ("2,b,4,5", "4 fields where the heading has 3"),
        ('2,"b,""\nc",4,', "4 fields where the heading has 3"),
        ("   ", "1 fields where the heading has 3"),
        (",,,,,,,,,", "10 fields where the heading has 3"),
    ],
)
def test_ragged_line_goes_to_quarantine_with_text_number_and_reason_and_no_other(
    read_csv: Callable[..., Read], line: str, reason: str
) -> None:
    found = read_csv(f"id,name,tenure\n1,a,3\n{line}\n3,c,5\n")
    assert found.quarantined == [(3, line, reason)]
    assert [(r["id"], r["_source_row"]) for r in found.rows] == [("1", 2), ("3", 4)]


@pytest.mark.parametrize("key", ["", '""', "  ", "\t", '"\n"'])
def test_row_with_a_blank_key_goes_to_quarantine_and_no_other(
    read_csv: Callable[..., Read], key: str
) -> None:
    found = read_csv(f"id,name,tenure,x\n1,a,3,p\n{key},b,04,q\n3,c,5,r\n")
    assert [(number, reason) for number, _, reason in found.quarantined] == [(3, "id is missing")]
    assert json.loads(found.quarantined[0][1]) == [key.strip('"'), "b", "04", "q"]
    assert [(r["id"], r["_source_row"]) for r in found.rows] == [("1", 2), ("3", 4)]


def test_row_without_several_required_values_is_quarantined_once_with_each_reason(
    read_csv: Callable[..., Read],
) -> None:
    first, second, *others = SOURCE.columns
    columns = (first, second.model_copy(update={"required": True}), *others)
    source = SOURCE.model_copy(update={"columns": columns})
    found = read_csv("id,name,tenure\n,,3\n2,,4\n3,c,5\n", source)
    assert [(number, reason) for number, _, reason in found.quarantined] == [
        (2, "id is missing; name is missing"),
        (3, "name is missing"),
    ]
    assert found.column("id") == ["3"]


def test_row_with_a_blank_key_goes_to_quarantine_though_the_column_is_not_called_required(
    read_csv: Callable[..., Read],
) -> None:
    first, *others = SOURCE.columns
    columns = (first.model_copy(update={"required": False}), *others)
    found = read_csv("id,name,tenure\n,a,3\n", SOURCE.model_copy(update={"columns": columns}))
    assert found.bad_numbers() == [2]


def test_floating_point_keys_of_parquet_are_whole_numbers_or_quarantined(path: Path) -> None:
    keys = pa.array([12.0, None, 1.5, 2.0**53 - 1, 2.0**53, 1e17, float("nan"), -3.0])
    names = pa.array([str(i) for i in range(len(keys))])
    pq.write_table(pa.table({"id": keys, "name": names, "tenure": names}), path)
    quarantined = Quarantined()
    (batch,) = reader.read(path, SOURCE, quarantined)
    assert batch["id"].to_pylist() == ["12", "9007199254740991", "-3"]
    assert batch["name"].to_pylist() == ["0", "3", "7"]
    reasons = {number: reason for number, _, reason in quarantined.lines}
    assert set(reasons) == {2, 3, 5, 6, 7}
    assert reasons[2] == "id is missing"
    assert reasons[3].startswith("id is a floating-point number that is not whole")


@pytest.mark.parametrize("year", [1, 1500, 1677, 1970, 2262, 2263, 9999])
@pytest.mark.parametrize("int96", [True, False], ids=["int96", "int64"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_every_moment_of_parquet_is_kept(
    path: Path, year: int, int96: bool, zone: str | None
) -> None:
    """INT96 is what Spark writes by itself."""
    moments = [datetime(year, 1, 1), datetime(year, 12, 31, 23, 59, 59, 999_999)]  # noqa: DTZ001
    seen = pa.array(moments, pa.timestamp("us", tz=zone))
    table = pa.table({"id": ["1", "2"], "name": ["a", "b"], "tenure": ["1", "2"], "seen_at": seen})
    pq.write_table(table, path, use_deprecated_int96_timestamps=int96)
    (batch,) = reader.read(path, SOURCE, Quarantined())
    kept = [text.removesuffix("Z") for text in batch["seen_at"].to_pylist()]
    assert kept == [moment.isoformat(" ", "microseconds") for moment in moments]


def test_null_key_in_parquet_goes_to_quarantine_with_its_row(path: Path) -> None:
    columns = {"id": ["1", None, " "], "name": ["a", "b", None], "tenure": [3, 4, None]}
    pq.write_table(pa.table(columns), path)
    found = read(path)
    assert found.column("id") == ["1"]
    assert found.quarantined == [
        (2, '[null, "b", "4"]', "id is missing"),
        (3, '[" ", null, null]', "id is missing"),
    ]


# Values.


def test_values_stay_as_they_are(read_csv: Callable[..., Read]) -> None:
    values = [
        *("", " ", " a ", "007", "1.50", "1e3", "NA", "N/A", "#N/A", "null", "NULL", "None"),
        *("NaN", "-inf", "true", "TRUE", "2024-01-01", "2024-01-01T00:00:00Z", "ü", "\u00a0", "-"),
        *("'", "\\", "\\n", "=1+1", "🙂", "0x10", "١٢"),
    ]
    lines = "".join(f"{i},{value},0{i}\n" for i, value in enumerate(values))
    found = read_csv("id,name,tenure\n" + lines)
    assert found.column("name") == values
    assert found.column("tenure_months") == [f"0{i}" for i in range(len(values))]
    assert not found.quarantined


def test_blank_is_blank_text_and_not_null(read_csv: Callable[..., Read]) -> None:
    found = read_csv('id,name,tenure,x\n1,,,\n2,"","",""\n')
    assert found.column("name") == found.column("tenure_months") == ["", ""]
    assert found.column("_extra") == ['{"x": ""}'] * 2


def test_every_column_is_text_whatever_it_holds(path: Path) -> None:
    path.write_text("id,name,tenure\n1,2024-01-01,\n2,,\n")
    (table,) = reader.read(path, SOURCE, Quarantined())
    kinds = {f.name: str(f.type) for f in table.schema}
    assert kinds.pop("_source_row") == "int64"
    assert set(kinds.values()) == {"string"}
    assert set(table.schema.names) == set(shape.landing(SOURCE).names) - {
        "_source_file",
        "_delivered_at",
        "_landed_at",
    }


def test_column_none_of_whose_values_is_of_its_type_is_refused(path: Path) -> None:
    problem = refused(path, b"id,name,tenure\n1,3,Ann\n2,4,Bob\n")
    assert problem == (
        "column tenure_months should hold integer, and none of its 2 values does "
        "(the first is 'Ann')"
    )


@pytest.mark.parametrize("values", [["x", "y", "4"], ["", " ", ""], ["1.0", "+2", " 3 "]])
def test_column_with_some_values_of_its_type_or_none_at_all_is_accepted(
    read_csv: Callable[..., Read], values: Sequence[str]
) -> None:
    lines = "".join(f"{i},a,{value}\n" for i, value in enumerate(values))
    assert read_csv("id,name,tenure\n" + lines).column("tenure_months") == values


def test_committed_sample_is_read_whole() -> None:
    source = sources.find("crm.customers", ROOT / "sources")
    path = ROOT / "data" / "telco" / "telco_customer_churn.csv"
    found = read(path, source)
    with path.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert not found.quarantined
    assert found.column("customer_id") == [row["customerID"] for row in rows]
    assert found.column("total_charges") == [row["TotalCharges"] for row in rows]
    assert found.column("_source_row") == list(range(2, 2 + len(rows)))


# Files that are refused whole.


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n\r\n\n", "has no heading line"),
        (b"\xef\xbb\xbf", "has no heading line"),
        (b"\0\1\2\3binary", "is neither Parquet, nor CSV, nor an .xlsx workbook: it is binary"),
        (b"\x1f\x8b\x08\x08\x01\x02\x03\x04\xff\xfeid,name", "is not in UTF-8: line 1"),
        ("id,name,tenure\n1,a,3\n".encode("utf-16"), "is in UTF-16, and"),
        (b"id,name,tenure\n1,a,3\n2,M\xfcller,4\n", "is not in UTF-8: line 3"),
        (b"id,name,tenure\n1,a,3\n2,M\xfcller,4,5\n", "is not in UTF-8: line 3"),
        (b"id,name,tenure\n1,a,3\n2,b,4\xc3", "is not in UTF-8: line 3"),
        (b"id;name;tenure\n1;a;3\n", "no column for id, name, tenure_months"),
        (b"id;name;tenure\n1;a;3,5\n2;b;4,5\n", "no column for id, name, tenure_months"),
        (b"id\tname\ttenure\n1\ta\t3\n", "no column for id, name, tenure_months"),
        (b'[\n  {"id": "1", "name": "a"},\n  {"id": "2"}\n]\n', "no column for id"),
        (b'{"id": "1", "name": "a"}\n{"id": "2"}\n', "no column for id"),
        (b"<html>\n<body>Not found, sorry</body>\n</html>\n", "no column for id"),
        (b"1,a,3\n2,b,4\n", "no column for id"),
        (b'id,"name,tenure\n1,a,3\n2,b,4\n', "has no heading line"),
    ],
)
def test_file_that_is_not_what_the_source_says_is_refused_in_one_line(
    path: Path, content: bytes, problem: str
) -> None:
    assert problem in refused(path, content)


@pytest.mark.parametrize(
    "line", ['2,"b,4', '2,b,"4', '"2,b,4', '2,b,"'], ids=["middle", "last", "first", "end"]
)
@pytest.mark.parametrize("rest", ["", "\n", "\n3,c,5\n4,d,6\n", "\n3,c,5\n4,d,6"])
def test_quote_without_end_is_refused_with_its_record(path: Path, line: str, rest: str) -> None:
    problem = refused(path, f"id,name,tenure\n1,a,3\n{line}{rest}".encode())
    assert problem == f"{path} holds a quote that is not closed, in record 3"


def test_quotes_amid_a_value_are_part_of_it(read_csv: Callable[..., Read]) -> None:
    found = read_csv('id,name,tenure\n1,5" pipe,3\n2,b"c,4\n')
    assert found.column("name") == ['5" pipe', 'b"c']


@pytest.mark.parametrize("content", [b"id,name,tenure\n", b"id,name,tenure"])
def test_heading_without_rows_has_nothing_to_land(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    found = read(path)
    assert found == Read()
    with pytest.raises(CdpError, match="has a heading and no rows"):
        delivery.judge(str(path), len(found.rows), len(found.quarantined), SOURCE)


def test_directory_and_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refused(tmp_path)
    assert "No such file" in refused(tmp_path / "none")


def test_strange_headings_are_shown_on_one_line_and_in_part(path: Path) -> None:
    problem = refused(path, b'"a\nb\x1b[31m",' + b"long " * 10_000 + b"\n1,2\n")
    assert "a b [31m" in problem


# Parquet.


MOMENT = datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001 - a timestamp without a zone


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([Decimal("29.50"), Decimal("-0.10")]), ["29.50", "-0.10"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([date(2024, 1, 2), None]), ["2024-01-02", None]),
        (pa.array([MOMENT, None], pa.timestamp("s")), ["2024-01-02 03:04:05.000", None]),
        (pa.array([MOMENT, None], pa.timestamp("us")), ["2024-01-02 03:04:05.000000", None]),
        (
            pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            ["2024-01-02 03:04:05.000000Z", None],
        ),
        (
            pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "Europe/Zurich")),
            ["2024-01-02 03:04:05.000000Z", None],
        ),
        (pa.array([29.85, 1e20]), ["29.85", "1e+20"]),
        (pa.array([float("nan"), None]), ["nan", None]),
        (pa.array([1.5, None], pa.float32()), ["1.5", None]),
        (pa.nulls(2), [None, None]),
        (pa.array([time(1, 2, 3), None], pa.time32("s")), ["01:02:03.000", None]),
        (pa.array([time(1, 2, 3), None], pa.time64("us")), ["01:02:03.000000", None]),
        (pa.array(["x", "x"]).dictionary_encode(), ["x", "x"]),
        (pa.array(["x", None], pa.large_string()), ["x", None]),
        (pa.array([b"x", None]), ["x", None]),
        (pa.array([" 007 ", ""]), [" 007 ", ""]),
    ],
    ids=lambda v: str(v.type) if isinstance(v, pa.Array) else "",
)
def test_typed_parquet_column_becomes_text(
    read_parquet: Callable[..., Read], names: pa.Array, texts: list[str | None]
) -> None:
    found = read_parquet(names)
    assert found.column("name") == texts
    assert found.column("tenure_months") == ["3", "4"]
    assert found.column("_source_row") == [1, 2]


def test_parquet_text_passes_as_the_type_it_was(path: Path) -> None:
    """What typed columns become looks like the type to the check of types."""
    kinds = {
        "boolean": [pa.array([True])],
        "integer": [pa.array([-1]), pa.array([1.0])],
        "decimal": [pa.array([Decimal("1.50")]), pa.array([1e-9]), pa.array([3])],
        "timestamp": [pa.array([date(2024, 1, 2)]), pa.array([MOMENT])]
        + [pa.array([MOMENT], pa.timestamp(u, z)) for u in ("ms", "ns") for z in (None, "UTC")],
    }
    _, second, *_ = SOURCE.columns
    for kind, arrays in kinds.items():
        columns = (SOURCE.columns[0], second.model_copy(update={"type": kind}))
        source = SOURCE.model_copy(update={"columns": columns})
        for values in arrays:
            pq.write_table(pa.table({"id": ["1"], "name": values}), path)
            assert len(read(path, source).rows) == 1


def test_parquet_is_known_by_its_content_and_numbered_over_batches_and_row_groups(
    tmp_path: Path,
) -> None:
    path = tmp_path / "delivery.csv"
    count = 150_000
    numbers = pa.array(range(1, 1 + count))
    columns = {"id": numbers, "name": pa.repeat("a", count), "tenure": pa.repeat(1, count)}
    pq.write_table(pa.table(columns), path, row_group_size=40_000)
    batches = list(reader.read(path, SOURCE, Quarantined()))
    assert len(batches) > 1
    table = pa.concat_tables(batches)
    assert table["_source_row"].equals(pa.chunked_array([numbers]))
    assert table["id"].cast(pa.int64()).equals(table["_source_row"])


def test_extra_parquet_columns_are_kept_as_json(read_parquet: Callable[..., Read]) -> None:
    found = read_parquet(pa.array([Decimal("1.50"), None]), heading="Fee")
    assert found.column("_extra") == ['{"Fee": "1.50"}', '{"Fee": null}']


@pytest.mark.parametrize("heading", ["name", "more"])
@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], None]),
        pa.array([{"a": 1}, None]),
        pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    ],
    ids=["list", "struct", "map"],
)
def test_nested_parquet_column_is_refused_by_name(
    path: Path, read_parquet: Callable[..., Read], values: pa.Array, heading: str
) -> None:
    with pytest.raises(CdpError, match=f"holds nested columns: {heading}$"):
        read_parquet(values, heading)
    assert heading in refused(path)


def test_parquet_without_rows_has_nothing_to_land(path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    assert read(path) == Read()


def test_parquet_is_refused_for_headings_as_a_csv_is(path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"], "ID": ["2"], "name": ["a"], "tenure": [1]}), path)
    assert refused(path) == "2 headings mean id: id, ID"
    pq.write_table(pa.table({"id": ["1"]}), path)
    assert refused(path) == "no column for name, tenure_months; the file has id"


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, 0.999])
def test_truncated_parquet_is_refused(
    path: Path, read_parquet: Callable[..., Read], kept: float
) -> None:
    read_parquet(pa.array(["a", "b"]))
    content = path.read_bytes()
    problem = refused(path, content[: max(4, int(kept * len(content)))])
    assert problem.startswith(f"{path} cannot be read as Parquet: ")


@pytest.mark.parametrize("heading", ["id", "name", "more"])
@pytest.mark.parametrize("binary", [True, False])
def test_parquet_text_that_is_not_utf8_is_refused(path: Path, heading: str, binary: bool) -> None:
    values = pa.array([b"\xff\xfe"])
    if not binary:  # bytes that call themselves text
        values = pa.Array.from_buffers(pa.string(), 1, values.buffers())
    columns = {"id": ["1"], "name": ["a"], "tenure": [1]} | {heading: values}
    pq.write_table(pa.table(columns), path)
    assert "cannot be read as Parquet: Invalid UTF8" in refused(path)


# Whatever a file holds, it is rows and quarantine, or one CdpError.


VALID_CSV = (
    b'id,name,tenure,x\n1,a,01,p\n2,"b, c",3,\n3,"d""e",4,"q\nr"\n4,,5,z\n5,f,6,y\n6,"g",7,w\n'
)


def mutated(content: bytes, seed: int) -> bytes:
    """The content with a few bytes changed, removed, added or repeated."""
    rng = random.Random(seed)  # noqa: S311 - the same files at every run
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(found))
        match rng.randrange(5):
            case 0:
                found[at] = rng.randrange(256)
            case 1:
                found[at] = rng.choice(b'",;\n\r \0\xff\xe9a')
            case 2:
                del found[at : at + rng.randint(1, 8)]
            case 3:
                found[at:at] = rng.choice([b'"', b",", b"\n", b"\r", b"\xc3", b"\xc3\xbc", b'""'])
            case _:
                start = rng.randrange(len(found))
                found[at:at] = found[start : start + rng.randint(1, 12)]
    return bytes(found)


def flipped(content: bytes, seed: int) -> bytes:
    """The content with a few bytes changed, between the marks of Parquet and of its footer."""
    rng = random.Random(seed)  # noqa: S311 - the same files at every run
    found = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        found[rng.randrange(4, len(found) - 8)] = rng.randrange(256)
    return bytes(found)


def test_every_record_of_a_damaged_csv_is_accepted_or_quarantined_or_the_file_refused(
    path: Path,
) -> None:
    accepted = 0
    for seed in range(300):
        content = mutated(VALID_CSV, seed)
        path.write_bytes(content)
        try:
            found = read(path)
        except CdpError:
            refused(path)
            continue
        accepted += 1
        text = content.decode("utf-8-sig")
        records = [record for record in csv.reader(io.StringIO(text, newline="")) if record]
        assert found.numbers() == list(range(2, 1 + len(records))), content
        for row in found.rows:
            values = [row["id"], row["name"], row["tenure_months"]]
            assert set(values) <= set(records[int(str(row["_source_row"])) - 1]), content
    assert 50 < accepted < 250


@pytest.mark.parametrize("damage", [mutated, flipped])
def test_damaged_parquet_is_read_or_refused(
    path: Path, damage: Callable[[bytes, int], bytes]
) -> None:
    seen = pa.array([MOMENT] * 3)
    names = pa.array(["a", None, "c"])
    columns = {"id": ["1", "2", "3"], "name": names, "tenure": [1, 2, 3], "seen_at": seen}
    pq.write_table(pa.table(columns), path)
    content = path.read_bytes()
    for seed in range(300):
        path.write_bytes(damage(content, seed))
        try:
            read(path)
        except CdpError:
            refused(path)
