"""Files as programs and countries write them: a source states how, and no value changes."""

import csv
import datetime
import io
import itertools
import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.errors import CdpError
from cdp.landing import csv_file, delivery
from cdp.landing.batch import Reject
from cdp.landing.dialect import APOSTROPHE
from cdp.landing.source import Source
from tests.support.delivered import Rows, described, read

VALUES = [
    "plain",
    "two\r\nlines",
    "a\nb",
    'say "hi"',
    "it's",
    "a,b;c\td|e",
    "ümlaut €",
    "",
    " x ",
    "\\",
]


def source(**dialect: Any) -> Source:  # noqa: ANN401 - as YAML has it
    return described(
        {"name": "note", "type": "string"},
        {"name": "amount", "type": "decimal", "optional": True},
        {"name": "months", "type": "integer", "optional": True},
        {"name": "billed_at", "type": "timestamp", "default": "effective_at"},
        dialect=dialect,
    )


def read_text(path: Path, text: str, of: Source) -> tuple[Rows, list[Reject]]:
    path.write_bytes(text.encode(of.dialect.encoding))
    return read(path, of)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bills"


# What a dialect can be.


@pytest.mark.parametrize(
    ("dialect", "problem"),
    [
        ({"delimiter": "||"}, "each one ASCII character"),
        ({"delimiter": "§"}, "each one ASCII character"),
        ({"delimiter": "a"}, "each one ASCII character"),
        ({"delimiter": "\n"}, "each one ASCII character"),
        ({"delimiter": ""}, "each one ASCII character"),
        ({"quote": '"', "escape": '"'}, "delimiter, quote and escape differ"),
        ({"delimiter": ";", "quote": ";"}, "delimiter, quote and escape differ"),
        ({"encoding": "klingon"}, "there is no encoding klingon"),
        ({"encoding": "hex"}, "there is no encoding hex"),
        ({"decimal_mark": ";"}, "decimal_mark"),
        ({"decimal_mark": ",", "thousands_separator": ","}, "thousands_separator differ"),
        ({"thousands_separator": "."}, "thousands_separator differ"),
        ({"thousands_separator": ""}, "thousands_separator"),
        ({"date_formats": ["%d.%m"]}, "needs one day, one month and one year"),
        ({"date_formats": ["%d.%m.%Y %y"]}, "needs one day, one month and one year"),
        ({"date_formats": ["%d.%m.%Y %Q"]}, "has %Q, which is none of"),
        ({"date_formats": ["%d.%m.%Y %"]}, "has %, which is none of"),
        ({"date_formats": ["%d.%m.%Y %I:%M"]}, "needs %p with %I"),
        ({"date_formats": ["%d.%m.%Y %H:%M %p"]}, "needs %p with %I"),
        ({"date_formats": ["%d.%m.%Y %H:%H"]}, "has a directive twice"),
        ({"date_formats": ["%d/%m/%Y", "%m/%d/%Y"]}, "a date can have two meanings"),
        ({"date_formats": ["%d/%m/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y"]}, "two meanings"),
        ({"date_formats": ["%d.%m.%y", "%y.%m.%d"]}, "a date can have two meanings"),
        ({"separator": ";"}, "separator"),
    ],
)
def test_dialect_that_cannot_be_is_refused(dialect: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="dialect") as error:
        source(**dialect)
    assert problem in str(error.value)


def test_json_lines_have_no_dialect() -> None:
    bills = source(decimal_mark=",").model_dump(by_alias=True)
    with pytest.raises(ValueError, match="JSON lines have no dialect"):
        Source.model_validate(bills | {"format": "json"})


def test_json_in_a_source_with_a_dialect_is_refused(path: Path) -> None:
    """Its numbers would be read in a notation that JSON does not have."""
    with pytest.raises(CdpError, match="no column for id"):
        read_text(path, '{"id": "1", "note": "a", "amount": "1.500"}\n', source(decimal_mark=","))


# Separators, quotes and escapes.


def written(dialect: dict[str, Any], values: list[str], end: str) -> str:
    """A file that Python's csv writes: each value in a row of its own, quoted where it has to."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=dialect.get("delimiter", ","),
        quotechar=dialect.get("quote", '"'),
        escapechar=dialect.get("escape"),
        doublequote="escape" not in dialect,
        lineterminator=end,
    )
    writer.writerow(["id", "note"])
    writer.writerows([i, value] for i, value in enumerate(values))
    return out.getvalue()


DIALECTS = [
    {"delimiter": delimiter, "quote": quote} | escape
    for delimiter, quote, escape in itertools.product(
        [",", ";", "\t", "|"], ['"', "'"], [{}, {"escape": "\\"}]
    )
]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "iso-8859-15", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: "".join(d.values()))
def test_values_are_read_as_they_were_written(
    path: Path, dialect: dict[str, Any], encoding: str
) -> None:
    for end in ("\n", "\r\n"):
        text = written(dialect, VALUES, end)
        rows, rejects = read_text(path, text, source(**dialect, encoding=encoding))
        assert [row["note"] for row in rows] == VALUES
        assert not rejects


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_blank_lines_are_no_records_whatever_the_delimiter(path: Path, mark: str) -> None:
    text = f"id{mark}note\n\n1{mark}a\n\n\n2{mark}b\n\n"
    rows, rejects = read_text(path, text, source(delimiter=mark))
    assert [(row["id"], row["note"], row["_source_row"]) for row in rows] == [
        ("1", "a", 2),
        ("2", "b", 3),
    ]
    assert not rejects


def test_quotes_are_text_where_the_dialect_has_none(path: Path) -> None:
    rows, _ = read_text(path, 'id|note\n1|"a\n2|b"c\n', source(delimiter="|", quote=None))
    assert [row["note"] for row in rows] == ['"a', 'b"c']


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("dialect", [DIALECTS[1], DIALECTS[6]], ids=["escape", "quote"])
def test_no_value_depends_on_where_a_block_ends(
    path: Path, dialect: dict[str, Any], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills = source(**dialect, encoding=encoding)
    length = len("".join(VALUES)) + 100
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", length + 100)
    for filler in range(length + 20):
        rows, rejects = read_text(path, written(dialect, ["x" * filler, *VALUES], "\r\n"), bills)
        assert [row["note"] for row in rows][1:] == VALUES, filler
        assert not rejects


@pytest.mark.parametrize(
    ("dialect", "line", "problem"),
    [
        ({"escape": "\\"}, "2,\\N", "an escape (\\) before what needs none: line 3"),
        ({"escape": "\\"}, '2,"C:\\new"', "an escape (\\) before what needs none: line 3"),
        ({"escape": "\\"}, '2,"a""b"', "text after a quote that closes a value: line 3"),
        ({"escape": "\\"}, '2,"a"b', "text after a quote that closes a value: line 3"),
        ({"delimiter": ";"}, '2;"a",b', "text after a quote that closes a value: line 3"),
        ({"quote": "'"}, "2,'a'b", "text after a quote that closes a value: line 3"),
    ],
)
def test_what_the_dialect_does_not_allow_is_refused_with_its_line(
    path: Path, dialect: dict[str, Any], line: str, problem: str
) -> None:
    mark = dialect.get("delimiter", ",")
    with pytest.raises(CdpError) as error:
        read_text(path, f"id{mark}note\n1{mark}x\n{line}\n", source(**dialect))
    assert error.value.problem.endswith(problem)


def test_a_file_in_another_dialect_is_refused(path: Path) -> None:
    with pytest.raises(CdpError, match="no column for id, note; the file has id,note"):
        read_text(path, "id,note\n1,a\n", source(delimiter=";"))


@pytest.mark.parametrize("escaped", [";", '"', "\\"])
def test_value_goes_on_after_an_escaped_mark(path: Path, escaped: str) -> None:
    for follows in ('"b', "b", ""):
        text = f"id;note\n1;a\\{escaped}{follows}\n2;d\n"
        rows, _ = read_text(path, text, source(delimiter=";", escape="\\"))
        assert [row["note"] for row in rows] == [f"a{escaped}{follows}", "d"]


# Encodings.


@pytest.mark.parametrize(
    ("encoding", "content", "problem"),
    [
        ("cp1252", "id,note\n1,Müller\n".encode(), "is in UTF-8, and the dialect .* CP1252"),
        ("cp1252", "\ufeffid,note\n1,a\n".encode(), "is in UTF-8, and the dialect .* CP1252"),
        ("cp1252", b"id,note\n1,a\n2,\x81\n", "is not in CP1252: line 3"),
        ("iso-8859-1", b"id,note\n1,a\n2,9 \x80\n", "control characters, .*ISO-8859-1: line 3"),
        ("utf-8", b"id,note\n1,a\n2,M\xfcller\n", "is not in UTF-8: line 3"),
        ("utf-8", "id,note\n1,a\n".encode("utf-16"), "is in UTF-16, and the dialect .* UTF-8"),
        ("utf-16", b"id,note\n1,ab\n2", "is not in UTF-16"),
    ],
)
def test_another_encoding_than_stated_is_refused(
    path: Path, encoding: str, content: bytes, problem: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(CdpError, match=problem):
        read(path, source(encoding=encoding))


# Numbers.


@pytest.mark.parametrize(
    ("dialect", "values"),
    [
        (
            {"decimal_mark": ",", "thousands_separator": "."},
            {
                "1.234,50": "1234.50",
                "1,5": "1.5",
                "-1.234.567": "-1234567",
                "1234567,8": "1234567.8",
                ",5": ".5",
                " 7 ": "7",
                "1,5e3": "1.5e3",
                "": "",
                # A number of the other notation would be another number in this.
                "1.5": None,
                "12.34": None,
                "1,234.50": None,
                "1.2345": None,
                "1234.567": None,
                "1,5,5": None,
                "abc": None,
            },
        ),
        (
            {"decimal_mark": ","},
            {"1,5": "1.5", "1234,50": "1234.50", "1.5": None, "1.234": None, "1.234,5": None},
        ),
        (
            {"thousands_separator": ","},
            {"1,234.50": "1234.50", "1.5": "1.5", "1,5": None, "12,34": None, ",123": None},
        ),
        (
            {"decimal_mark": ",", "thousands_separator": " "},
            {"1 234,5": "1234.5", "1\u00a0234,5": "1234.5", "1\u202f234\u202f567": "1234567"},
        ),
        ({"thousands_separator": "'"}, {"1'234.50": "1234.50", f"1{APOSTROPHE}234": None}),
        ({"thousands_separator": APOSTROPHE}, {f"1{APOSTROPHE}234.50": "1234.50"}),
        # Without a notation values pass as they are: staging judges them.
        ({"delimiter": ";"}, {"1.234,50": "1.234,50", "1.5": "1.5", "x": "x"}),
    ],
)
def test_numbers_are_read_in_the_notation_of_the_source(
    path: Path, dialect: dict[str, Any], values: dict[str, str | None]
) -> None:
    good = [value for value in values.values() if value is not None]
    bad = [text for text, value in values.items() if value is None]
    columns = {"id": [str(i) for i in range(len(values))], "note": [*values], "amount": [*values]}
    _write_csv(path, columns, dialect)
    for _ in ("csv", "parquet"):
        rows, rejects = read(path, source(**dialect))
        assert [row["amount"] for row in rows] == good
        assert [row["note"] for row in rows] == [t for t, v in values.items() if v is not None]
        assert [(bad[i] in json.loads(r.text), r.reason) for i, r in enumerate(rejects)] == [
            (True, "amount is no decimal in the dialect of the source") for _ in bad
        ]
        pq.write_table(pa.table(columns), path)


def _write_csv(path: Path, columns: dict[str, list[str]], dialect: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, delimiter=dialect.get("delimiter", ","))
        writer.writerows([[*columns], *zip(*columns.values(), strict=True)])


def test_typed_numbers_and_moments_have_no_notation(path: Path) -> None:
    bills = source(decimal_mark=",", thousands_separator=".", date_formats=["%d.%m.%Y"])
    table = {
        "id": ["1", "2"],
        "note": ["a", "b"],
        "amount": pa.array([Decimal("1234.5"), Decimal("1.234")]),
        "months": pa.array([12, None]),
        "billed_at": pa.array([datetime.datetime(2024, 2, 1), None]),  # noqa: DTZ001
    }
    pq.write_table(pa.table(table), path)
    rows, rejects = read(path, bills)
    assert [row["amount"] for row in rows] == ["1234.500", "1.234"]
    assert [row["months"] for row in rows] == ["12", None]
    assert [row["billed_at"] for row in rows] == ["2024-02-01 00:00:00.000000", None]
    assert not rejects


# Moments.

DATES: dict[str, dict[str, str | None]] = {
    "%d.%m.%Y": {
        "03.01.2025": "2025-01-03",
        "3.1.2025": "2025-01-03",
        "29.02.2024": "2024-02-29",
        "31.12.9999": "9999-12-31",
        "29.02.2023": None,
        "31.04.2024": None,
        "03.01.25": None,
        "03.01.20250": None,
        "03.01.0000": None,
        "2025-01-03": None,
        "03.01.2025 10:00": None,
        "01/03/2025": None,
    },
    "%m/%d/%Y": {"01/31/2025": "2025-01-31", "31/01/2025": None},
    "%d-%b-%y": {"03-JAN-25": "2025-01-03", "3-feb-99": "1999-02-03", "03-Foo-25": None},
    "%d %B %Y": {"3 January 2025": "2025-01-03"},
    "%Y%m%d": {"20250103": "2025-01-03", "2025013": None},
    "%d.%m.%Y %H:%M:%S": {
        "03.01.2025 23:59:59": "2025-01-03T23:59:59.000000Z",
        "03.01.2025 24:00:00": None,
        "03.01.2025 12:60:00": None,
    },
    "%m/%d/%Y %I:%M %p": {
        "1/3/2025 12:30 AM": "2025-01-03T00:30:00.000000Z",
        "1/3/2025 12:30 pm": "2025-01-03T12:30:00.000000Z",
        "1/3/2025 13:30 pm": None,
    },
    "%Y-%m-%dT%H:%M:%S.%f%z": {
        "2025-01-03T00:00:00.5+02:00": "2025-01-02T22:00:00.500000Z",
        "9999-12-31T23:59:59.9-01:00": None,
        "0001-01-01T00:00:00.0+01:00": None,
    },
}


@pytest.mark.parametrize("form", DATES)
def test_moments_are_read_in_the_formats_of_the_source(path: Path, form: str) -> None:
    values = DATES[form] | {"": "", " ": " "}
    columns = {
        "id": [str(i) for i in range(len(values))],
        "note": ["31.12.2024"] * len(values),
        "billed_at": [*values],
    }
    _write_csv(path, columns, {})
    rows, rejects = read(path, source(date_formats=[form]))
    assert [row["billed_at"] for row in rows] == [v for v in values.values() if v is not None]
    assert {row["note"] for row in rows} == {"31.12.2024"}
    reason = "billed_at is no timestamp in the dialect of the source"
    assert [r.reason for r in rejects] == [reason] * sum(v is None for v in values.values())


def test_each_of_several_formats_is_read(path: Path) -> None:
    bills = source(date_formats=["%d.%m.%Y", "%d.%m.%Y %H:%M", "%Y-%m-%d"])
    text = "id,note,billed_at\n1,a,03.01.2025\n2,b,03.01.2025 10:30\n3,c,2025-01-03\n4,d,\n"
    rows, rejects = read_text(path, text, bills)
    assert [row["billed_at"] for row in rows] == [
        "2025-01-03",
        "2025-01-03T10:30:00.000000Z",
        "2025-01-03",
        "",
    ]
    assert not rejects


def test_a_delivery_all_in_another_notation_is_refused(path: Path) -> None:
    bills = source(date_formats=["%d.%m.%Y"])
    rows, rejects = read_text(path, "id,note,billed_at\n1,a,2025-01-03\n", bills)
    with pytest.raises(CdpError, match="1 of 1 rows of bills cannot be parsed"):
        delivery.judge("bills", len(rows), len(rejects), bills)


# Any table, in any dialect.


@pytest.fixture
def anything() -> Callable[[random.Random], Iterator[tuple[str, Any, Any, Any]]]:
    signs = ["a", "ü", "€", ",", ";", "'", '"', "\\", "\n", "\r\n", " ", ".", "0", "|", "\t", "%"]

    def rows(dice: random.Random) -> Iterator[tuple[str, Any, Any, Any]]:
        for i in range(dice.randint(1, 40)):
            note = "".join(dice.choices(signs, k=dice.randint(0, 12)))
            amount = Decimal(dice.randint(-(10**12), 10**12)) / 10 ** dice.randint(0, 4)
            moment = datetime.datetime(1, 1, 1) + datetime.timedelta(  # noqa: DTZ001
                seconds=dice.randrange(0, 315_537_897_599)
            )
            yield f"k{i}", note, amount, moment

    return rows


@pytest.mark.parametrize("seed", range(60))
def test_any_table_in_any_dialect_reads_back_equal(
    path: Path, seed: int, anything: Callable[[random.Random], Iterator[tuple[str, Any, Any, Any]]]
) -> None:
    dice = random.Random(seed)  # noqa: S311
    dialect: dict[str, Any] = dict(dice.choice(DIALECTS))
    dialect["encoding"] = dice.choice(["utf-8", "cp1252", "utf-16"])
    mark = dialect["decimal_mark"] = dice.choice([".", ","])
    between = dialect["thousands_separator"] = dice.choice(
        [None, *sorted({".", ",", "'", APOSTROPHE, " "} - {mark})]
    )
    form = dice.choice(["%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"])
    table = list(anything(dice))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=dialect["delimiter"],
        quotechar=dialect["quote"],
        escapechar=dialect.get("escape"),
        doublequote="escape" not in dialect,
        quoting=dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        lineterminator=dice.choice(["\n", "\r\n"]),
    )
    writer.writerow(["id", "note", "amount", "billed_at"])
    for key, note, amount, moment in table:
        number = f"{amount:,f}" if between else f"{amount:f}"
        number = number.replace(".", "#").replace(",", between or ",").replace("#", mark)
        # Of years before 1000 strftime leaves out the zeros.
        shown = moment.strftime(form.replace("%Y", f"{moment.year:04}"))
        writer.writerow([key, note, number, shown])
    bills = source(**dialect, date_formats=[form])
    rows, rejects = read_text(path, out.getvalue(), bills)
    assert not rejects
    assert [(r["id"], r["note"]) for r in rows] == [row[:2] for row in table]
    assert [Decimal(r["amount"]) for r in rows] == [row[2] for row in table]
    found = [datetime.datetime.fromisoformat(r["billed_at"]).replace(tzinfo=None) for r in rows]
    assert found == [row[3] for row in table]
