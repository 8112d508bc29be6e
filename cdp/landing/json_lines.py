"""JSON lines become rows of text in the source's own columns, parsed in SQL a block at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from cdp.landing.lines import Rejected, Text, joined, lines_of, may_hold, only_utf8
from cdp.landing.records import INEXACT_KEY
from cdp.landing.source import Source

BLOCK_BYTES = 32 << 20
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())

# DuckDB takes NaN, Infinity and a comma before a closing bracket for JSON, which they are not. A
# block that may have one is doubtful; then each line without its strings decides.
LENIENT = r"[:,\[]\s*-?(?i:nan|inf)|,\s*[\]}]"
STRINGS = r'"(?:[^"\\]|\\.)*"'
DOUBTED = f"""regexp_matches(regexp_replace(line, '{STRINGS}', '""', 'g'), '{LENIENT}')"""

# DuckDB keeps a number with a fraction as 64 bits, where it is not beyond them: one of more digits
# than these have would be changed. A block that may have one is doubtful, too; then each long
# number of a line decides.
LONG = r"-?[0-9](?:[0-9.]{15,}(?:[eE][+-]?[0-9]+)?|[0-9.]*[eE]-[0-9]{3,})"
IS_EXACT = f"""
    coalesce(list_bool_and(list_transform(
        regexp_extract_all(regexp_replace(line, '{STRINGS}', '""', 'g'), '{LONG}'),
        lambda n: not regexp_matches(n, '[.eE]')
            or coalesce(isinf(try_cast(n as double)), true)
            or cast(try_cast(n as double) as varchar) = rtrim(n, '0')
    )), true)
"""

# What is JSON and begins with a brace is an object. Only inside a case is a function kept from
# lines that it would fail on.
IS_JSON = "json_valid(line) and not {doubted}"
IS_OBJECT = (
    r"case when ascii(line) = 123 then true else starts_with(ltrim(line, e' \t\r'), '{') end"
)
# Readers of JSON differ in which of two equal keys they take.
TWICE = "a key of it stands twice"
INEXACT = "a number of it has more digits than can be kept: send it as text"
# Each statement reads the lines once; none copies them.
JUDGED = """
    create or replace temp table judged as
    select
        place,
        case when {is_json} then if({is_object}, json_keys(line), []) end as keys,
        case
            when keys is null then 'it is not JSON'
            when not {is_object} then 'it is no JSON object'
            when list_unique(keys) < len(keys) then '{twice}'
            when not {is_exact} then '{inexact}'
        end as reason,
    from lines
"""
# A value that begins with a visible character need not be trimmed.
BLANK = """
    case
        when {value} is null then true
        when ascii({value}) between 33 and 126 then false
        else trim({value}, '{blanks}') = ''
    end
"""
# A key that is a floating-point number, such as 12.0: a whole one is written as such.
WHOLE = """
    coalesce(
        case
            when types[{type}] = 'DOUBLE'
            then try_cast(try_cast({value} as double) as bigint)::varchar
        end,
        {value}
    )
"""
PART_OF_ONE = """
    coalesce(types[{type}] = 'DOUBLE', false)
    and not coalesce(
        floor(try_cast({value} as double)) = try_cast({value} as double)
        and abs(try_cast({value} as double)) < 2 ^ 53,
        false
    )
"""
KEYS = """
    select distinct unnest(keys) as key
    from judged
    order by key
"""
REJECTED = "select place, reason from judged where reason is not null order by place"
PARSED = """
    create or replace temp table parsed as
    select
        place,
        part,
        number,
        case
            when {is_json} and {is_object} then json_extract_string(line, {paths})
        end as found,
        case when {is_json} and {is_object} then {extra} end as extra,
        case when {may_be_floating} then json_type(line, $keys::varchar[]) end as types,
    from lines
    where place not in (select place from judged where reason is not null)
"""


@dataclass(frozen=True)
class Parsed:
    """What a block came to.

    rows: the source's columns as text, with `_extra`, `_source_row` and `_part`, the text's index.
    received: for each text, how many lines it has; blank ones are none.
    """

    rows: pa.Table
    rejected: list[Rejected]
    received: list[int]


class Parser:
    """Parses blocks of JSON lines of one source; DuckDB in memory does the work."""

    def __init__(self, source: Source) -> None:
        import duckdb

        self.source = source
        self._db = duckdb.connect(config={"preserve_insertion_order": "true"})

    def parse(self, texts: Sequence[Text]) -> Parsed:
        """Parse some texts, each whole lines of one object."""
        readable, rejected = only_utf8(texts)
        data, counts = joined(readable)
        lines, received = lines_of(data, counts, [t.first_line for t in readable])
        for each in rejected:
            received[each.part] += 1
        self._db.register("lines", lines)
        is_json = IS_JSON.format(doubted=DOUBTED if may_hold(data, LENIENT) else "false")
        is_exact = IS_EXACT if may_hold(data, LONG) else "true"
        self._db.execute(
            JUDGED.format(
                is_json=is_json,
                is_object=IS_OBJECT,
                is_exact=is_exact,
                twice=TWICE,
                inexact=INEXACT,
            )
        )
        keys = [key for (key,) in self._db.execute(KEYS).fetchall()]
        unread = self._db.execute(REJECTED).fetchall()
        rows, missing = self._project(keys, is_json)
        rejected += _texts(lines, unread + missing)
        self._db.unregister("lines")
        return Parsed(rows, sorted(rejected, key=lambda r: (r.part, r.number)), received)

    def _project(self, keys: list[str], is_json: str) -> tuple[pa.Table, list[tuple[int, str]]]:
        """The objects in the source's columns, and the places of those without a required value.

        Only names that the source's file may have stand in these statements. A path or a patch
        made of the lines' own keys is a parameter.
        """
        places = {c.name: [k for k in keys if c.matches(k)] for c in self.source.columns}
        chosen = [key for found in places.values() for key in found]
        extra = len(chosen) < len(keys)
        of_key = [key for name in self.source.key for key in places[name]]
        may_be_floating = " or ".join(
            f"regexp_matches(found[{chosen.index(key) + 1}], '^-?[0-9]+[.eE]')" for key in of_key
        )
        self._db.execute(
            PARSED.format(
                is_json=is_json,
                is_object=IS_OBJECT,
                paths="$paths::varchar[]",
                extra="nullif(json_merge_patch(line, $patch)::varchar, '{}')" if extra else "null",
                may_be_floating=may_be_floating or "false",
            ),
            {
                "paths": [_pointer(k) for k in chosen] or ["/"],
                "keys": [_pointer(k) for k in of_key] or ["/"],
            }
            | ({"patch": json.dumps(dict.fromkeys(chosen))} if extra else {}),
        )
        positions = {
            name: [f"found[{chosen.index(key) + 1}]" for key in found]
            for name, found in places.items()
        }
        faults = []
        for i, (name, place) in enumerate(
            [(n, place) for n in self.source.key for place in range(len(places[n]))], 1
        ):
            value = positions[name][place]
            faults.append((PART_OF_ONE.format(value=value, type=i), f"{name} {INEXACT_KEY}"))
            positions[name][place] = WHOLE.format(value=value, type=i)
        values = {n: f"coalesce({', '.join(p)})" if p else "null" for n, p in positions.items()}
        required = [
            c.name
            for c in self.source.columns
            if c.default is None and (c.required or c.name in self.source.key)
        ]
        faults += [
            (BLANK.format(value=values[n], blanks=BLANKS), f"{n} is missing") for n in required
        ]
        faults += [
            (
                f"{' + '.join(f'({p} is not null)::int' for p in found)} > 1",
                f"several keys mean {n}",
            )
            for n, found in positions.items()
            if len(found) > 1
        ]
        fault = " or ".join(f"({test})" for test, _ in faults) or "false"
        reasons = ", ".join(f"if({test}, '{why}', null)" for test, why in faults)
        columns = ", ".join(f"{values[c.name]}::varchar as {c.name}" for c in self.source.columns)
        rows = self._db.sql(
            f"select {columns}, extra::varchar as _extra, number as _source_row, part as _part "  # noqa: S608
            f"from parsed where found is not null and not ({fault})"
        ).to_arrow_table()
        missing = self._db.execute(
            f"select place, concat_ws('; ', {reasons or 'null'}) from parsed "  # noqa: S608
            f"where found is not null and ({fault})"
        ).fetchall()
        return rows, missing


def _texts(lines: pa.Table, faults: list[tuple[int, str]]) -> list[Rejected]:
    """The lines at those places, without their ends."""
    found = lines.take(pa.array([place for place, _ in faults], pa.int64())).to_pylist()
    return [
        Rejected(row["part"], row["number"], row["line"].rstrip("\r\n"), reason)
        for row, (_, reason) in zip(found, faults, strict=True)
    ]


def blocks(pieces: Iterator[bytes]) -> Iterator[Text]:
    """Text in pieces of any size, as blocks of whole lines."""
    rest, number = b"", 1
    for piece in pieces:
        rest += piece
        if len(rest) < BLOCK_BYTES:
            continue
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield Text(rest[:cut], number)
            number += rest.count(b"\n", 0, cut)
            rest = rest[cut:]
    if rest:
        yield Text(rest, number)


def _pointer(key: str) -> str:
    """A JSON pointer (RFC 6901) to a key of an object."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
