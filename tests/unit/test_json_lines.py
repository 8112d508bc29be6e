"""JSON lines: which lines become rows, with which text, and which go to quarantine and why."""

import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cdp.landing import json_lines
from cdp.landing.json_lines import Parsed, Parser, blocks
from cdp.landing.lines import Rejected, Text
from cdp.landing.records import EXACT_BELOW, INEXACT_KEY
from cdp.landing.source import Source

COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "headings": ["Event ID"], "type": "string", "required": True},
    {"name": "amount", "type": "decimal"},
    {"name": "order", "headings": ["Größe"], "type": "string", "optional": True},
    {"name": "line", "type": "string"},
    {"name": "seen_at", "type": "timestamp", "default": "effective_at"},
]
TWICE = "a key of it stands twice"
NAMES = [str(c["name"]) for c in COLUMNS]


def make_source(*columns: dict[str, Any]) -> Source:
    return Source.model_validate(
        {"source": "usage", "table": "events", "description": "Events.", "owner": "someone"}
        | {"format": "json", "key": ["id"], "ordering": "id", "columns": [*columns] or COLUMNS}
    )


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(make_source())


def parse(parser: Parser, *texts: str | bytes) -> Parsed:
    """Parse texts, each a whole object; what must hold of any of them is checked."""
    given = [Text(t.encode() if isinstance(t, str) else t) for t in texts]
    found = parser.parse(given)
    kept = Counter(found.rows["_part"].to_pylist()) + Counter(r.part for r in found.rejected)
    assert [kept[part] for part in range(len(texts))] == found.received
    return found


def row(parser: Parser, line: str | bytes) -> dict[str, Any]:
    """What one line comes to, without the columns that are null."""
    found = parse(parser, line)
    assert not found.rejected
    (one,) = found.rows.to_pylist()
    assert (one.pop("_part"), one.pop("_source_row")) == (0, 1)
    return {k: v for k, v in one.items() if v is not None}


def reason(parser: Parser, line: str | bytes) -> str:
    """Why one line goes to quarantine; its text is the line's own."""
    found = parse(parser, line)
    assert len(found.rows) == 0
    (one,) = found.rejected
    text = line if isinstance(line, str) else line.decode(errors="backslashreplace")
    assert (one.part, one.number, one.text) == (0, 1, text)
    return one.reason


# Nothing is inferred from the lines before.


def test_a_field_or_type_that_comes_late_is_read_as_any(parser: Parser) -> None:
    """Readers that sample lines lose a key after the sample, and make 2 of a late 1.5."""
    early = "".join(f'{{"id":"{i}","amount":7}}\n' for i in range(25_000))
    late = '{"id":"a","amount":1.5}\n{"id":"b","amount":true}\n{"id":"c","line":"x","new":1}\n'
    found = parse(parser, early + late).rows.slice(25_000).to_pylist()
    assert [row["amount"] for row in found] == ["1.5", "true", None]
    assert (found[2]["line"], json.loads(found[2]["_extra"])) == ("x", {"new": 1})


def test_numbers_of_a_wide_object_are_not_made_of_one_type(parser: Parser) -> None:
    """One fraction among 300 keys leaves the whole numbers beside it whole."""
    wide = {f"k{i:03}": 9007199254740993 for i in range(300)} | {"k000": 1.5}
    found = row(parser, json.dumps({"id": "1", "line": wide, "o": wide, "amount": 1908.0}))
    assert json.loads(found["line"]) == wide
    assert json.loads(found["_extra"]) == {"o": wide}
    assert found["amount"] == "1908.0"


# Keys that are numbers.


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("12", "12"),
        ("12.0", "12"),
        ("-12.00", "-12"),
        ("1.2e1", "12"),
        ("1234567890123.0", "1234567890123"),
        ("12345678901234567890", "12345678901234567890"),
        ('"12.0"', "12.0"),
        ('"1e5"', "1e5"),
        ("true", "true"),
    ],
)
def test_whole_key_has_no_fraction_whatever_wrote_it(parser: Parser, number: str, key: str) -> None:
    """A program that knows no missing integers writes 12 as 12.0."""
    assert row(parser, f'{{"id": {number}, "order": {number}}}')["id"] == key
    amount = row(parser, '{"id": "1", "amount": 12.0}')["amount"]
    assert amount == "12.0"


@pytest.mark.parametrize("number", ["12.5", "1e16", "1e30", "1.5e-3"])
def test_key_that_is_no_whole_number_goes_to_quarantine(parser: Parser, number: str) -> None:
    expected = "id is a floating-point number that is not whole, or has lost digits"
    assert reason(parser, f'{{"id": {number}}}').startswith(expected)


def test_numbers_are_told_from_text_line_by_line(parser: Parser) -> None:
    found = parse(parser, '{"id":"12.0"}\n{"Event Id":12.0}\n{"id":7}\n{"id":1.5}\n')
    assert found.rows["id"].to_pylist() == ["12.0", "12", "7"]
    assert [r.number for r in found.rejected] == [4]


# Fields.


@pytest.mark.parametrize(
    "key", ["id", "ID", "Event ID", "event_id", "EVENT-ID", " event id ", "EventId", "\\u0069d"]
)
def test_field_is_found_by_name_or_heading_without_case_and_blanks(
    parser: Parser, key: str
) -> None:
    assert row(parser, f'{{"{key}": "1"}}') == {"id": "1"}


def test_lines_of_one_block_may_name_a_field_differently(parser: Parser) -> None:
    found = parse(parser, '{"id":"1"}\n{"Event ID":"2"}\n{"amount":3,"ID":"3"}\n')
    assert found.rows["id"].to_pylist() == ["1", "2", "3"]
    assert found.rows["amount"].to_pylist() == [None, None, "3"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"1"', "1"),
        ('""', ""),
        ('" a "', " a "),
        ('"null"', "null"),
        ("0", "0"),
        ("-12", "-12"),
        ("0.25", "0.25"),
        ("18446744073709551616", "18446744073709551616"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1e400", "1e400"),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('{"a": [1, null]}', '{"a":[1,null]}'),
        ("[1, 2]", "[1,2]"),
        ("[]", "[]"),
        ('"2024-01-01T00:00:00Z"', "2024-01-01T00:00:00Z"),
        ('"\\u00fc\\n\\/\\ud83d\\ude00"', "ü\n/😀"),
        ('"a\\u0000b"', "a\0b"),
    ],
)
def test_value_becomes_text(parser: Parser, value: str, text: str | None) -> None:
    assert row(parser, f'{{"id": "1", "line": {value}}}').get("line") == text


def test_number_with_a_fraction_is_kept_as_a_double_and_written_in_its_short_form(
    parser: Parser,
) -> None:
    """A sender that needs zeros at the end sends text."""
    for sent, kept in [("1.50", "1.5"), ("1e2", "100.0"), ("0.30000000000000004", None)]:
        text = row(parser, f'{{"id": "1", "amount": {sent}}}')["amount"]
        assert text == kept or sent
        assert float(text) == float(sent)
    assert row(parser, '{"id": "1", "amount": "1.50"}')["amount"] == "1.50"


@pytest.mark.parametrize(
    "number",
    [
        "0.12345678901234567890",
        "-12345678901234567.89",
        "1.2345678901234567891e3",
        "1e-400",
        "9007199254740993.0",
    ],
)
def test_number_with_more_digits_than_can_be_kept_is_quarantined(
    parser: Parser, number: str
) -> None:
    why = "a number of it has more digits than can be kept: send it as text"
    assert reason(parser, f'{{"id":"1","amount":{number}}}') == why
    assert reason(parser, f'{{"id":"1","other":[{{"n":{number}}}]}}') == why
    # The same digits as text are kept.
    assert row(parser, f'{{"id":"1","amount":"{number}"}}')["amount"] == number


@pytest.mark.parametrize(
    "number",
    ["9223372036854775807", "18446744073709551616", "-123456789012345678901",
     "0.30000000000000004", "1.5000000000000000", "1234567890.12345"],
)  # fmt: skip
def test_long_number_that_can_be_kept_is_kept(parser: Parser, number: str) -> None:
    text = row(parser, f'{{"id": "1", "amount": {number}}}')["amount"]
    assert Decimal(text) == Decimal(number)


def test_missing_field_is_null_unless_it_is_required(parser: Parser) -> None:
    assert row(parser, '{"id": "1"}') == {"id": "1"}
    assert reason(parser, '{"amount": 1}') == "id is missing"
    assert reason(parser, "{}") == "id is missing"


@pytest.mark.parametrize("value", ["null", '""', '"  "', '"\\t\\r\\n"', '"\u00a0"', '"\u2003"'])
def test_blank_required_value_is_missing(parser: Parser, value: str) -> None:
    assert reason(parser, f'{{"id": {value}}}') == "id is missing"


def test_line_without_several_required_values_is_quarantined_once_with_each_reason() -> None:
    first, second, *_ = COLUMNS
    strict = Parser(make_source(first, second | {"required": True}))
    assert reason(strict, '{"line": 1}') == "id is missing; amount is missing"


def test_column_with_a_default_is_null_where_it_lacks_though_it_is_required() -> None:
    first, *_, last = COLUMNS
    found = parse(Parser(make_source(first, last | {"required": True})), '{"id": 1}')
    assert found.rows["seen_at"].to_pylist() == [None]


def test_undeclared_fields_are_kept_as_json_with_their_own_names_and_types(parser: Parser) -> None:
    sent = {"z": 1, "a": {"b": [None, {}]}, "": "e", "n": None, "t": True, "ü": "ö", "idx": 0.5}
    found = row(parser, json.dumps({"id": "1"} | sent))
    assert found.keys() == {"id", "_extra"}
    assert json.loads(found["_extra"]) == sent


def test_several_keys_for_one_column_are_quarantined_as_neither_can_be_chosen(
    parser: Parser,
) -> None:
    assert reason(parser, '{"id":"1","Event-Id":"2"}') == "several keys mean id"
    assert reason(parser, '{"id":"1","ID":"1"}') == "several keys mean id"
    assert row(parser, '{"id":"1","ID":null}') == {"id": "1"}
    found = parse(parser, '{"id":"1"}\n{"Event-Id":"2"}\n{"id":"3","Event-Id":"4"}\n')
    assert found.rows["id"].to_pylist() == ["1", "2"]
    assert [r.number for r in found.rejected] == [3]


@pytest.mark.parametrize(
    "line",
    [
        '{"id":"1","id":"2"}',
        '{"id":"1","id":"1"}',
        '{"id":"1","z":3,"z":4}',
        '{"id":"1","\\u0069d":"2"}',
        '{"id":"1","":1,"":2}',
    ],
)
def test_line_with_a_key_that_stands_twice_is_quarantined(parser: Parser, line: str) -> None:
    assert reason(parser, line) == "a key of it stands twice"
    found = parse(parser, '{"id":"0"}\n' + line + '\n{"id":"3"}\n')
    assert found.rows["id"].to_pylist() == ["0", "3"]


@pytest.mark.parametrize(
    "key", ['a"b', "a'b", "a`b", "a/b", "a~b", "~0", "~1", "/", "//", "", " ", "$", "*", "a.b",
     "[0]", "ключ", "鍵", "🔑", "\0", "\n", "\\", "%s", "{}", "{paths}", "$patch", ":x", "?"],
)  # fmt: skip
def test_strange_key_is_kept_as_it_is(parser: Parser, key: str) -> None:
    found = row(parser, json.dumps({"id": "1", key: "v"}))
    assert json.loads(found.pop("_extra")) == {key: "v"}
    assert found == {"id": "1"}


@pytest.mark.parametrize(
    "evil",
    ["'; drop table parsed; --", "'); select 1; --", "'id'::int", "found[1]", "$paths",
     "'||version()||'", 'x" from parsed; copy parsed to \'x\'; --', "/* ", "null", "\\'", "e'\\n'"],
)  # fmt: skip
def test_sql_in_keys_and_values_is_only_text(parser: Parser, evil: str) -> None:
    found = row(parser, json.dumps({"id": evil, evil: evil, "line": evil}))
    assert (found["id"], found["line"]) == (evil, evil)
    assert json.loads(found["_extra"]) == {evil: evil}
    assert row(parser, '{"id":"after"}') == {"id": "after"}


def test_column_may_have_the_name_of_a_keyword_or_of_what_the_statements_use() -> None:
    names = [
        "select",
        "from",
        "order",
        "part",
        "number",
        "line",
        "found",
        "extra",
        "kind",
        "reason",
    ]
    columns = [COLUMNS[0], *({"name": n, "type": "string"} for n in names)]
    odd = Parser(make_source(*columns))
    sent = {"id": "1"} | {n: f"{n}!" for n in names}
    assert row(odd, json.dumps(sent)) == sent
    assert reason(odd, '{"line": "x", "number": 2, "part": 3}') == "id is missing"


# Lines.


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("closed", [True, False])
def test_lines_are_the_same_with_any_end_and_byte_order_mark(
    parser: Parser, start: str, end: str, closed: bool
) -> None:
    lines = ['{"id":"1"}', "", "  \t", " " * 200, '  {"id": "5"}  ', "oops", '{"id":"7"}', '{"x']
    found = parse(parser, start + end.join(lines) + (end if closed else ""))
    assert found.received == [5]
    rows = zip(found.rows["id"].to_pylist(), found.rows["_source_row"].to_pylist(), strict=True)
    assert list(rows) == [("1", 1), ("5", 5), ("7", 7)]
    assert found.rejected == [
        Rejected(0, 6, "oops", "it is not JSON"),
        Rejected(0, 8, '{"x', "it is not JSON"),
    ]


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", " ", "\ufeff", "\ufeff\n", "\t \v\f\n"])
def test_text_of_blank_lines_has_nothing(parser: Parser, text: str) -> None:
    assert parse(parser, text).received == [0]


@pytest.mark.parametrize(
    "line",
    ["[]", '[{"id": "1"}]', '"id"', "1", "null", "true", " [1] "],
)
def test_other_json_than_an_object_goes_to_quarantine(parser: Parser, line: str) -> None:
    assert reason(parser, line) == "it is no JSON object"


@pytest.mark.parametrize(
    "line",
    ["{", "}", '{"id":"1"', '{"id":1}}', '{"id":1} {"id":2}', "{id:1}", "{'id':'1'}", '{"id":01}',
     '{"id":+1}', '{"id":.5}', '{"id":1.}', '{"id":0x1}', '{"id":"\\x"}', '{"id":"\\ud800"}',
     '{"id":"1" "a":2}', '{"id" "1"}', '{"id":True}', '{"id":1} // c', '/**/{"id":1}', '\ufeff{}x',
     '{"id":"a\tb"}', '{"id":"a\0b"}', '{"id":"1"}\0', "\0", "\u2028{}", "<html>", "id,amount"],
)  # fmt: skip
def test_broken_line_goes_to_quarantine(parser: Parser, line: str) -> None:
    first = '{"id":"0"}\n'  # so that a mark of the byte order is not at the start
    found = parse(parser, first + line)
    assert found.rejected == [Rejected(0, 2, line, "it is not JSON")]


@pytest.mark.parametrize(
    "line",
    ['{"id":NaN}', '{"id":1,"x":nan}', '{"id":1,"x":-Infinity}', '{"id":1,"x":[ inf]}', "NaN",
     '{"id":1,}', '{"id":1 , }', '{"id":1,"x":[1,]}', '{"id":1,"x":[",]",\t]}', '[1,]'],
)  # fmt: skip
def test_json_must_be_strict_though_duckdb_and_python_take_more(parser: Parser, line: str) -> None:
    """Python's json takes NaN and Infinity; DuckDB takes also commas before a bracket."""
    assert reason(parser, line).startswith(("it is not JSON", "it is no JSON object"))


@pytest.mark.parametrize("text", ["NaN", ",]", ", }", ": inf", '\\",]', "[nan", "\\\\", ',\\"}'])
def test_what_is_no_json_outside_of_a_text_may_stand_in_one(parser: Parser, text: str) -> None:
    value = json.loads(f'"{text}"')
    assert row(parser, f'{{"id":"{text}","line":"{text}"}}') == {"id": value, "line": value}
    found = row(parser, f'{{"id":"1","{text}":[",]"]}}')
    assert json.loads(found["_extra"]) == {value: [",]"]}


def test_line_that_is_not_utf8_goes_to_quarantine_and_no_other(parser: Parser) -> None:
    lines = [b'{"id":"1"}', b'{"id":"\xff"}\r', b'{"id":"M\xfcller"}', b"\xc3", b'{"id":"5"}']
    found = parse(parser, b"\n".join(lines), b'{"id":"\xc3\xbc"}\n')
    assert found.rows["id"].to_pylist() == ["1", "5", "ü"]
    assert found.rows["_source_row"].to_pylist() == [1, 5, 1]
    assert found.rejected == [
        Rejected(0, 2, '{"id":"\\xff"}', "it is not in UTF-8"),
        Rejected(0, 3, '{"id":"M\\xfcller"}', "it is not in UTF-8"),
        Rejected(0, 4, "\\xc3", "it is not in UTF-8"),
    ]


@pytest.mark.parametrize("depth", [100, 10_000, 300_000])
def test_deeply_nested_value_is_kept(parser: Parser, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    found = row(parser, f'{{"id":"1","line":{nested},"x":{nested}}}')
    assert found["line"] == nested
    assert found["_extra"] == f'{{"x":{nested}}}'
    assert reason(parser, f'{{"id":{nested[:-1]}}}') == "it is not JSON"


def test_very_long_line_is_one_row(parser: Parser) -> None:
    long = "ü" * (4 << 20)
    found = parse(parser, f'{{"id":"1"}}\n{{"id":"2","line":"{long}","x":"{long}"}}\n{{"id":"3"}}')
    assert found.rows["_source_row"].to_pylist() == [1, 2, 3]
    assert found.rows["line"].to_pylist() == [None, long, None]


def test_thousands_of_different_keys_are_kept(parser: Parser) -> None:
    lines = [{"id": str(n), f"key {n}": n} for n in range(3000)]
    found = parse(parser, "\n".join(map(json.dumps, lines)))
    extra = [json.loads(text) for text in found.rows["_extra"].to_pylist()]
    assert extra == [{f"key {n}": n} for n in range(3000)]


# Numbers.


def test_numbers_and_texts_are_right_over_several_texts(parser: Parser) -> None:
    texts = ['\n{"id":"a2"}\nx\n{"id":"a4"}', "", '{"id":"c1"}\n\n[]\n', "\n\n", '{"id":"e1"}']
    found = parse(parser, *texts)
    assert found.received == [3, 0, 2, 0, 1]
    columns = [found.rows[name].to_pylist() for name in ("_part", "_source_row", "id")]
    assert list(zip(*columns, strict=True)) == [
        (0, 2, "a2"),
        (0, 4, "a4"),
        (2, 1, "c1"),
        (4, 1, "e1"),
    ]
    assert [(r.part, r.number) for r in found.rejected] == [(0, 3), (2, 3)]


@pytest.mark.parametrize("piece", [1, 7, 64, 1000, 10**6])
@pytest.mark.parametrize("closed", [True, False])
def test_blocks_are_whole_lines_whose_numbers_go_on(
    monkeypatch: pytest.MonkeyPatch, piece: int, closed: bool
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 200)
    lines = [f"{n}{'x' * (n % 90)}" if n % 5 else "" for n in range(1, 400)]
    lines[50] = "51" + "long" * 300
    data = ("\n".join(lines) + ("\n" if closed else "")).encode()
    found = list(blocks(iter([data[i : i + piece] for i in range(0, len(data), piece)])))
    assert len(found) < 3 if piece > len(data) else len(found) > 10
    assert b"".join(t.data for t in found) == data
    for text in found:
        for number, line in enumerate(text.data.decode().splitlines(), text.first_line):
            assert line == lines[number - 1]
    assert all(t.data.endswith(b"\n") for t in found[:-1])


def test_byte_order_mark_is_taken_off_at_the_start_of_an_object_only(parser: Parser) -> None:
    line = '\ufeff{"id":"1"}'.encode()
    assert len(parser.parse([Text(line)]).rows) == 1
    assert [r.number for r in parser.parse([Text(line, 5)]).rejected] == [5]


# Whatever a text holds, each of its lines is a row or in quarantine, as Python's json has it.


PIECES = [*map(bytes, zip(b'"{}[],:\\ \n\t\0\x1f\xff\xc3', strict=True)), b"\r\n", b"\xc3\xbc"]
PIECES += [b"\xef\xbb\xbf", b"NaN", b"-Infinity", b"null", b"true", b"1e5", b"-0.5", b"9" * 20]
PIECES += [b'"id":', b'"ID":2,', b",,", b"\\u0041", b"\\ud83d"]
KEYS = ["id", "Event ID", "event id", "amount", "order", "größe", "line", "seen_at"]
KEYS += ["x", "", "a/b", "c~d", "'", '"', "ü", "\0"]
VALUES: list[Any] = [1, -7, 2**63, 2**70, 0.1, 1e30, True, False, None, "", " ", "x", ",]", "NaN"]
VALUES += [[], {}, "ü'\"\\", [1, [None]], {"id": {"a": "b"}}, "\0", "\n", "1.50", "😀"]


AMONG = [0, 1, 1, 1, 1, 1, 1, 1, 1, 2]  # keys for the one column that is required


def dirty(rng: random.Random) -> bytes:
    """Lines of JSON, some of them damaged."""
    lines = []
    for _ in range(rng.randrange(12)):
        keys = rng.sample(KEYS[3:], rng.randrange(6)) + rng.sample(KEYS[:3], rng.choice(AMONG))
        rng.shuffle(keys)
        sent = {key: rng.choice(VALUES) for key in keys}
        if "id" in sent and rng.random() < 0.7:
            sent["id"] = rng.randrange(1000)
        line = bytearray(json.dumps(sent, ensure_ascii=rng.random() < 0.5).encode())
        for _ in range(rng.choice([0, 0, 0, 1, 1, 3])):
            at = rng.randrange(len(line))
            match rng.randrange(4):
                case 0:
                    line[at] = rng.randrange(256)
                case 1:
                    del line[at : at + rng.randint(1, 5)]
                    line = line or bytearray(b"[]")
                case _:
                    line[at:at] = rng.choice(PIECES)
        lines.append(bytes(line))
    lines += rng.choices(
        [b"", b" ", b"[1]", b"7", b" " * 70, b"{}", b'{"id":5,}'], k=rng.randrange(3)
    )
    rng.shuffle(lines)
    start = b"\xef\xbb\xbf" if rng.random() < 0.1 else b""
    return start + rng.choice([b"\n", b"\r\n"]).join(lines) + rng.choice([b"", b"\n"])


def expected(data: bytes, source: Source) -> Iterator[tuple[int, dict[str, Any] | tuple[str, str]]]:
    """Each line that is not blank: its number, and its fields or its text and the reason."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        text = line.rstrip(b"\r").decode(errors="backslashreplace")
        try:
            plain = line.decode()
        except UnicodeDecodeError:
            yield number, (text, "it is not in UTF-8")
            continue
        try:
            inexact: list[str] = []
            pairs = json.loads(
                plain,
                object_pairs_hook=_Pairs,
                parse_constant=_refuse,
                parse_float=partial(_kept, inexact),
            )
            json.dumps(pairs, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except ValueError:
            yield number, (text, "it is not JSON")
            continue
        if not isinstance(pairs, _Pairs):
            yield number, (text, "it is no JSON object")
            continue
        fields, reasons = _fields(pairs, source)
        if inexact and reasons != TWICE:
            reasons = "a number of it has more digits than can be kept: send it as text"
        yield number, (text, reasons) if reasons else fields


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it stands."""


def _kept(inexact: list[str], text: str) -> float:
    """A number as 64 bits hold it; its text is added to a list where they do not."""
    number = float(text)
    if not math.isinf(number) and Decimal(text) != Decimal(repr(number)):
        inexact.append(text)
    return number


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _fields(pairs: _Pairs, source: Source) -> tuple[dict[str, Any], str]:
    fields: dict[str, Any] = {}
    parts, reasons, doubts = [], [], []
    first: dict[str, Any] = {}
    if len({key for key, _ in pairs}) < len(pairs):
        return {}, TWICE
    for key, value in pairs:
        first.setdefault(key, value)
    for column in source.columns:
        values = [first[k] for k in sorted(first) if column.matches(k) and first[k] is not None]
        fields[column.name] = values[0] if values else None
        if column.name in source.key:
            floats = [v for v in values if isinstance(v, float)]
            parts += [
                f"{column.name} {INEXACT_KEY}"
                for v in floats
                if not (v.is_integer() and abs(v) < EXACT_BELOW)
            ]
        if column.required and (
            not values or (isinstance(values[0], str) and not values[0].strip())
        ):
            reasons.append(f"{column.name} is missing")
        if len(values) > 1:
            doubts.append(f"several keys mean {column.name}")
    extra = [(k, v) for k, v in pairs if not any(c.matches(k) for c in source.columns)]
    fields["_extra"] = _Pairs(extra) if extra else None
    return fields, "; ".join(parts + reasons + doubts)


def agrees(text: str | None, value: object) -> bool:
    """Whether a landed text is that of a JSON value."""
    if value is None or text is None:
        return value is text
    if isinstance(value, str):
        return text == value
    return bool(json.loads(text, object_pairs_hook=_Pairs) == value)


def test_each_line_of_a_dirty_block_is_a_row_or_in_quarantine_as_json_has_it(
    parser: Parser,
) -> None:
    rng = random.Random(20240607)  # noqa: S311 - the same blocks at every run
    kinds: Counter[str] = Counter()
    for _ in range(150):
        texts = [dirty(rng) for _ in range(rng.randint(1, 5))]
        found = parse(parser, *texts)
        wanted = {
            (part, number): line
            for part, data in enumerate(texts)
            for number, line in expected(data, parser.source)
        }
        assert sum(found.received) == len(wanted)
        for one in found.rejected:
            kinds[one.reason] += 1
            assert wanted.pop((one.part, one.number)) == (one.text, one.reason), texts[one.part]
        for each in found.rows.to_pylist():
            kinds["row"] += 1
            line = wanted.pop((each["_part"], each["_source_row"]))
            assert isinstance(line, dict), texts[each["_part"]]
            assert _all_agree(each, line, [*NAMES, "_extra"]), (each, line)
        assert not wanted
    assert kinds["row"] > 500
    assert min(kinds[r] for r in ("it is not JSON", "it is not in UTF-8", "id is missing")) > 45
    assert min(kinds[r] for r in ("it is no JSON object", "several keys mean id")) > 10


def _all_agree(landed: dict[str, Any], line: dict[str, Any], names: Sequence[str]) -> bool:
    return all(agrees(landed[name], line[name]) for name in names)
