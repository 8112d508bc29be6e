"""Rewrites numbers and moments from a source's dialect into the forms that staging reads."""

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from cdp.landing.dialect import Dialect, date_form, has_time
from cdp.landing.records import Which

if TYPE_CHECKING:
    import duckdb

YEARS_1_TO_9999 = [-62_135_596_800_000_000, 253_402_300_799_999_999]  # microseconds since 1970
NUMBERS = ("integer", "decimal")
BRANCH = """
when regexp_matches(text, ?) and epoch_us(try_strptime(text, ?)) between ? and ?
then strftime(make_timestamp(epoch_us(try_strptime(text, ?))), ?)
"""
DAY, INSTANT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%fZ"


class Notation:
    """Rewrites values of one dialect. A context: leaving it ends the engine that it has started."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._engine: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> "Notation":
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine:
            self._engine.close()

    def canonical(
        self, values: pa.Array, type_name: str, written: Which
    ) -> tuple[pa.Array, pa.Array | None]:
        """The values of a column as staging reads them; and which are not of the dialect, if any
        can be. These stay as they are, and so do blank ones.

        written: which values are text of the dialect.
        """
        if type_name in NUMBERS and self._dialect.rewrites_numbers:
            rewrite = self._numbers
        elif type_name == "timestamp" and self._dialect.date_formats:
            rewrite = self._moments
        else:
            return values, None
        if written is False:
            return values, None
        trimmed = pc.utf8_trim_whitespace(values.fill_null(""))
        judged = pc.not_equal(trimmed, "")
        if written is not True:
            judged = pc.and_(judged, written)
        found = rewrite(trimmed)
        foreign = pc.and_(judged, pc.is_null(found))
        return pc.if_else(pc.and_(judged, pc.is_valid(found)), found, values), foreign

    def _numbers(self, texts: pa.Array) -> pa.Array:
        """Numbers with a point and nothing between thousands; null for what is none."""
        dialect = self._dialect
        plain = texts
        if dialect.thousands_separator is not None:
            plain = pc.replace_substring_regex(plain, dialect.between_thousands, "")
        plain = pc.replace_substring(plain, dialect.decimal_mark, ".")
        return pc.if_else(pc.match_substring_regex(texts, dialect.number_form), plain, None)

    def _moments(self, texts: pa.Array) -> pa.Array:
        """Dates, and moments in UTC, in ISO 8601; null for what is none."""
        if self._engine is None:
            import duckdb

            self._engine = duckdb.connect(config={"threads": 1})
        formats = self._dialect.date_formats
        self._engine.register("texts", pa.table({"text": texts}))
        found = self._engine.sql(
            f"select case {BRANCH * len(formats)} end from texts",  # noqa: S608 - all are bound
            params=[value for each in formats for value in _bound(each)],
        )
        return found.to_arrow_table().column(0).combine_chunks()


def _bound(date_format: str) -> list[str | int]:
    """The values of the parameters of a format's branch."""
    form = INSTANT if has_time(date_format) else DAY
    return [date_form(date_format), date_format, *YEARS_1_TO_9999, date_format, form]
