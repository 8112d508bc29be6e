"""How the text of a source's files is written: CSV's dialect, numbers and moments.

Without one, CSV is that of RFC 4180 in UTF-8, and values have the forms of `cdp.landing.source`.
"""

import codecs
import re
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Each directive of a date format, and the text that it stands for.
DIRECTIVES = {
    "%d": "[0-9]{1,2}",
    "%m": "[0-9]{1,2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%H": "[0-9]{1,2}",
    "%I": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%f": "[0-9]{1,6}",
    "%p": "[AaPp][Mm]",
    "%z": "[+-][0-9]{2}(?::?[0-9]{2})?",
    "%%": "%",
}
OF_A_DATE = ({"%d"}, {"%m", "%b", "%B"}, {"%Y", "%y"})
OF_A_TIME = {"%H", "%I", "%M", "%S", "%f", "%p", "%z"}
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
# Spaces that programs put between thousands.
SPACES = "\N{SPACE}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"


class Dialect(BaseModel):
    """The dialect of a source, as its YAML file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    decimal_mark: str = Field(default=".", pattern=r"^[.,]$")
    thousands_separator: str | None = Field(default=None, pattern=f"^[.,'{APOSTROPHE} _]$")
    date_formats: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        marks = [m for m in (self.delimiter, self.quote, self.escape) if m is not None]
        for mark in marks:
            if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\r\n\0":
                raise ValueError(
                    "delimiter, quote and escape are each one ASCII character, and no letter, "
                    f"digit or line break: {mark!r}"
                )
        if len(set(marks)) < len(marks):
            raise ValueError("delimiter, quote and escape differ; a quote is doubled without one")
        if self.thousands_separator == self.decimal_mark:
            raise ValueError("decimal_mark and thousands_separator differ")
        if not _is_text(self.encoding):
            raise ValueError(f"there is no encoding {self.encoding}, such as cp1252 or utf-16")
        for each in self.date_formats:
            if fault := _fault(each):
                raise ValueError(f"the date format {each!r} {fault}")
        if twice := _ambiguous(self.date_formats):
            raise ValueError(f"a date can have two meanings: {twice[0]!r} and {twice[1]!r}")
        return self

    @property
    def is_utf8(self) -> bool:
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")

    @property
    def is_wide(self) -> bool:
        """Whether a character has two bytes or more, zeros among them."""
        return codecs.lookup(self.encoding).name.startswith(("utf-16", "utf-32"))

    @property
    def rewrites_numbers(self) -> bool:
        return self.decimal_mark != "." or self.thousands_separator is not None

    @property
    def number_form(self) -> str:
        """The regular expression of a number as this dialect writes it."""
        mark = re.escape(self.decimal_mark)
        whole = "[0-9]+"
        if self.thousands_separator is not None:
            whole = f"(?:[0-9]+|[0-9]{{1,3}}(?:{self.between_thousands}[0-9]{{3}})+)"
        return rf"^[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]{{1,2}})?$"

    @property
    def between_thousands(self) -> str:
        separator = self.thousands_separator or ""
        return f"[{SPACES if separator == ' ' else re.escape(separator)}]"


def date_form(date_format: str) -> str:
    """The regular expression of the texts that a date format stands for."""
    parts = [part for part in re.split("(%.)", date_format) if part]
    form = "".join(DIRECTIVES.get(part, re.escape(part)) for part in parts)
    if re.search("%[a-zA-Z]%[a-zA-Z]", date_format):  # only widths tell where a number ends
        form = form.replace("{1,2}", "{2}")
    return f"^{form}$"


def has_time(date_format: str) -> bool:
    return not OF_A_TIME.isdisjoint(_directives(date_format))


def _directives(date_format: str) -> list[str]:
    return re.findall("%.?", date_format)


def _fault(date_format: str) -> str:
    found = _directives(date_format)
    if unknown := sorted(set(found) - set(DIRECTIVES)):
        return f"has {', '.join(unknown)}, which is none of {' '.join(DIRECTIVES)}"
    if any(len(part.intersection(found)) != 1 for part in OF_A_DATE):
        return "needs one day, one month and one year"
    if len(set(found)) < len(found):
        return "has a directive twice"
    if ("%I" in found) != ("%p" in found) or {"%H", "%I"} <= set(found):
        return "needs %p with %I, or %H alone"
    return ""


def _ambiguous(formats: tuple[str, ...]) -> tuple[str, str] | None:
    """Two formats of which one reads what the other writes as another moment, if any do."""
    moment = datetime(2003, 2, 1, 4, 5, 6, 789)  # noqa: DTZ001 - no clock is read
    for one in formats:
        text = moment.strftime(one.replace("%z", "+00:00"))
        for other in formats:
            if one == other or not re.match(date_form(other), text):
                continue
            try:
                seen = datetime.strptime(text, other)  # noqa: DTZ007
            except ValueError:
                continue
            if seen.date() != moment.date():
                return one, other
    return None


def _is_text(encoding: str) -> bool:
    try:
        "a".encode(encoding)
    except LookupError:
        return False
    return True
