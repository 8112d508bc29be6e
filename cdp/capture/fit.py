"""How a table's columns fit a source: the names they land under, and what cannot land at all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cdp.capture.pgoutput import Relation
from cdp.errors import CdpError
from cdp.landing.shape import CAPTURED, TRACED
from cdp.landing.source import Source, one_line

# Names that a column of a table cannot have where it lands.
TAKEN = {name for name, _ in (*CAPTURED, *TRACED)} | {"_batch", "_landing_object", "dt"}

# The types of Postgres whose values a declared type can hold; text can hold any.
NUMBERS = {"smallint", "integer", "bigint", "numeric"}
TEXTS = {"text", "character varying", "character"}
FITTING: Mapping[str, set[str]] = {
    "integer": NUMBERS,
    "decimal": NUMBERS | {"real", "double precision"},
    # Files say Yes and No, or 0 and 1, and so may tables that were filled from them.
    "boolean": {"boolean", "smallint", "integer", "bigint"} | TEXTS,
    "timestamp": {
        "timestamp without time zone",
        "timestamp with time zone",
        "date",
    },
}


@dataclass(frozen=True)
class Fit:
    """names: what each of the table's columns lands as. gained: those that are not declared.

    filled: declared columns that the table lacks, which hold the time of the commit.
    key: which of the table's columns are the source's key.
    """

    names: tuple[str, ...]
    gained: tuple[str, ...]
    filled: tuple[str, ...]
    key: tuple[int, ...]


def fit(
    source: Source,
    relation: Relation,
    types: Mapping[int, str],
    unsent: Mapping[str, str] = MappingProxyType({}),
) -> Fit:
    """Match a table with a source.

    types: the name of each type that the table has; of a domain, that of the type below it.
    unsent: the table's columns that the log does not hold, each with why.
    Raises CdpError, with what mends it, when the table does not fit.
    """
    table = f"{relation.schema}.{relation.name}"
    file = f"sources/{source.source}_{source.table}.yml"
    again = f"then cdp capture {source.full_name} again"
    headings = [c.name for c in relation.columns]
    names: list[str | None] = [None] * len(headings)
    filled = []
    for column in source.columns:
        found = [i for i, heading in enumerate(headings) if column.matches(heading)]
        if len(found) > 1:
            told = one_line(", ".join(headings[i] for i in found))
            raise CdpError(
                f"{len(found)} columns of {table} mean {column.name}: {told}",
                f"make the headings in {file} distinct, or rename a column; {again}",
            )
        if found:
            names[found[0]] = column.name
            kind = types[relation.columns[found[0]].type]
            if column.type != "string" and kind not in FITTING[column.type]:
                raise CdpError(
                    f"column {headings[found[0]]} of {table} is {kind}, which {column.type} "
                    "cannot hold; the capture has stopped before the change, and the slot "
                    "keeps the rest",
                    f"change its type in {file}, or convert it at the source; {again}",
                )
        elif column.default:
            filled.append(column.name)
        elif not column.optional:
            if heading := next(filter(column.matches, unsent), ""):
                raise CdpError(
                    f"column {heading} of {table} {unsent[heading]}: Postgres does not send it",
                    f"make it a stored column, or mark it `optional: true` in {file}; {again}",
                )
            raise CdpError(
                f"column {column.name} of {table} is gone; the capture has stopped before the "
                "change, and the slot keeps the rest",
                f"mark it `optional: true` in {file}, or restore it; {again}",
            )
    gained = _gained(source, [h for h, n in zip(headings, names, strict=True) if n is None])
    rest = iter(gained)
    landing = tuple(name or next(rest) for name in names)
    return Fit(landing, tuple(gained), tuple(filled), _key(source, relation, landing, again))


def _gained(source: Source, headings: Sequence[str]) -> list[str]:
    """Names for columns that are not declared: lower case words, since engines do not tell case
    apart; one that is taken gets a number."""
    taken = TAKEN | {c.name for c in source.columns}
    names: list[str] = []
    for heading in headings:
        name = plain = re.sub(r"\W+", "_", heading.lower()) or "_"
        number = 2
        while name in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def _key(source: Source, relation: Relation, names: Sequence[str], again: str) -> tuple[int, ...]:
    """Where the key stands. Raises CdpError when a delete would not tell it."""
    table = f"{relation.schema}.{relation.name}"
    key = tuple(names.index(k) for k in source.key if k in names)
    if lacking := sorted(set(source.key) - {names[i] for i in key}):
        raise CdpError(
            f"{table} has no column for {', '.join(lacking)}, of the source's key",
            f"correct the key in sources/{source.source}_{source.table}.yml; {again}",
        )
    untold = [relation.columns[i].name for i in key if not relation.columns[i].identity]
    if untold:
        raise CdpError(
            f"the replica identity of {table} does not hold {', '.join(untold)}: a delete would "
            "not tell what was deleted",
            f"at the source: alter table {table} replica identity full, or make "
            f"({', '.join(relation.columns[i].name for i in key)}) its primary key; {again}",
        )
    return key
