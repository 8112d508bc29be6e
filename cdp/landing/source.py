"""What a source is: one YAML file under `sources/`, checked when it is read.

Landing keeps values as received, as text; the declared type says what the column is meant to hold.
Staging does the typing, and sends to its rejected table what does not fit.
"""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cdp.errors import CdpError
from cdp.landing.dialect import Dialect

Name = str

# Texts of a type, blanks around them apart: as staging reads them (macros/form_of.sql).
# Which booleans there are the seed canonical_values says.
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
ZONE = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
FORMS = {
    "string": None,
    "boolean": r"(?i)^(y|yes|n|no|t|true|f|false|0|1)$",
    "integer": r"^[+-]?[0-9]+([.]0*)?$",
    "decimal": r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$",
    "timestamp": rf"^{DATE}([ T]{TIME}({ZONE})?)?$",
}


def normal(heading: str) -> str:
    """A heading without case, blanks and punctuation: `Tenure Months` and `tenure_months` agree."""
    return "".join(c for c in unicodedata.normalize("NFKC", heading).casefold() if c.isalnum())


def one_line(text: str) -> str:
    """Text of a file as a message has it: on one line, printable and not too long."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= 1000 else f"{flat[:1000]} ..."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """A column: its name here, the headings that mean it, what it holds."""

    name: Name = Field(pattern=r"^[a-z][a-z0-9_]*$")
    headings: tuple[str, ...] = ()
    type: Literal["string", "boolean", "integer", "decimal", "timestamp"]
    required: bool = Field(default=False, description="a row without it is quarantined")
    optional: bool = Field(default=False, description="may be absent from what is delivered")
    default: Literal["effective_at"] | None = None

    def matches(self, heading: str) -> bool:
        return normal(heading) in {normal(h) for h in (self.name, *self.headings)}


class Quarantine(_Strict):
    max_share: float = Field(default=0.10, ge=0, le=1)


class Source(_Strict):
    """A source, as its YAML file has it."""

    source: Name = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: Name = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str
    owner: str
    format: Literal["csv", "json", "parquet", "postgres"]
    location: str = Field(default="", description="a prefix of the bucket, or a Postgres table")
    raw_name: Name | None = Field(default=None, alias="raw_table", pattern=r"^[a-z][a-z0-9_]*$")
    key: tuple[str, ...]
    ordering: str
    quarantine: Quarantine = Quarantine()
    dialect: Dialect = Dialect()
    sheet: str | None = Field(default=None, description="the sheet of a workbook to read")
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [c.name for c in self.columns]
        if unknown := sorted({*self.key, self.ordering} - set(names)):
            raise ValueError(f"key and ordering name columns that are not declared: {unknown}")
        if fault := self._location_fault():
            raise ValueError(fault)
        if self.format == "json" and (self.has_dialect or self.sheet):
            raise ValueError("JSON lines have no dialect and no sheets")
        if "dt" in names:
            raise ValueError("no column can be named dt: the landing zone's partitions are")
        if mute := sorted({h for c in self.columns for h in c.headings if not normal(h)}):
            raise ValueError(f"a heading needs a letter or a digit: {mute}")
        meanings = [m for c in self.columns for m in {normal(h) for h in (c.name, *c.headings)}]
        if twice := sorted({m for m in meanings if meanings.count(m) > 1}):
            raise ValueError(f"more than one column answers to the heading {twice}")
        return self

    def _location_fault(self) -> str:
        if self.format == "postgres":
            if not re.fullmatch(r"\w+\.\w+", self.location):
                return "the location of a Postgres source is its table, such as public.customers"
        elif self.location and not re.fullmatch(r"inbox/([\w.=-]+/)+", self.location):
            return "the location of a source is a prefix such as inbox/usage/events/"
        return ""

    @property
    def has_dialect(self) -> bool:
        return self.dialect != Dialect()

    @property
    def captured(self) -> bool:
        """Whether rows come by change data capture; files may come beside it."""
        return self.format == "postgres"

    @property
    def full_name(self) -> str:
        """`crm.customers`, as commands take it."""
        return f"{self.source}.{self.table}"

    @property
    def raw_table(self) -> str:
        return f"raw.{self.raw_name or f'{self.source}_{self.table}'}"

    @property
    def landing_prefix(self) -> str:
        return f"landing/{self.source}/{self.table}/"

    def match(self, headings: Sequence[str]) -> dict[str, int | None]:
        """The position of each column among the headings, None where a default stands in.

        Raises CdpError that names the columns that are missing, and what was found.
        """
        positions: dict[str, int | None] = {}
        missing = []
        for column in self.columns:
            found = [i for i, heading in enumerate(headings) if column.matches(heading)]
            if len(found) > 1:
                raise CdpError(
                    f"{len(found)} headings mean {column.name}: "
                    f"{one_line(', '.join(headings[i] for i in found))}",
                    "keep one of them in the file",
                )
            if not found and column.default is None and not column.optional:
                missing.append(column.name)
            positions[column.name] = found[0] if found else None
        if missing:
            raise CdpError(
                f"no column for {', '.join(missing)}; the file has {one_line(', '.join(headings))}",
                f"correct the file, or add the heading to sources/{self.source}_{self.table}.yml",
            )
        return positions


def read(path: Path) -> Source:
    """One source file. Raises CdpError with the place and the reason of each mistake."""
    try:
        return Source.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:  # a date that is none is a bare ValueError
        reasons = str(error)
        if isinstance(error, ValidationError):
            reasons = "; ".join(
                f"{'.'.join(str(p) for p in e['loc']) or 'source'}: {e['msg']}"
                for e in error.errors()
            )
        reasons = " ".join(reasons.split())
        raise CdpError(f"{path} is not a valid source: {reasons}", "see docs/sources.md") from error


def read_all(folder: Path) -> dict[str, Source]:
    """Every source of the folder, by full name. Raises CdpError for two of one name or table."""
    sources: dict[str, Source] = {}
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yml")):
        source = read(path)
        if other := files.get(source.raw_table):
            raise CdpError(
                f"{path} and {other.name} are both sources of {source.raw_table}",
                "rename the source or the table in one of them, or remove it",
            )
        if source.full_name in sources:
            other = files[sources[source.full_name].raw_table]
            raise CdpError(
                f"{path} and {other.name} are both the source {source.full_name}",
                "rename the source or the table in one of them, or remove it",
            )
        for known in sources.values():
            if _overlap(known, source):
                raise CdpError(
                    f"{path} and the source {known.full_name} have one location: {known.location}",
                    "give each source a prefix or a table of its own",
                )
        files[source.raw_table] = path
        sources[source.full_name] = source
    return sources


def _overlap(one: Source, other: Source) -> bool:
    """Whether an object, or a change, would belong to both."""
    if one.captured or other.captured or not one.location or not other.location:
        return bool(one.location) and one.location == other.location
    return one.location.startswith(other.location) or other.location.startswith(one.location)


def find(name: str, folder: Path) -> Source:
    """The source of that name, `crm.customers`."""
    sources = read_all(folder)
    if name not in sources:
        raise CdpError(
            f"there is no source {name}", f"choose one of: {', '.join(sources) or 'none yet'}"
        )
    return sources[name]


def select(name: str | None, folder: Path) -> list[Source]:
    """The sources that a name means: one (`usage.events`), those of a system (`usage`), or all."""
    chosen = [s for s in read_all(folder).values() if name in {None, s.source, s.full_name}]
    return chosen or [find(name or "", folder)]
