"""What the readers of files pass on: records as text, and lines for quarantine."""

from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

INEXACT_KEY = "is a floating-point number that is not whole, or has lost digits: deliver it as text"
# From here on not each whole number is a 64-bit floating-point one.
EXACT_BELOW = 2.0**53


@dataclass
class Quarantined:
    """Lines that could not be landed: (line number, text, reason)."""

    lines: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, number: int, text: str, reason: str) -> None:
        self.lines.append((number, text, reason))


# Which values of a column: all, none, or those of a mask.
Which: TypeAlias = bool | pa.Array


@dataclass(frozen=True)
class Records:
    """Records as the file has them: one text array a heading, and the number of each record.

    written: for each heading, which of its values the file holds as text, in the source's dialect:
        True for all, False for none.
    floating: likewise, which are floating-point numbers.
    faults: what is wrong with a value, by the place of its record and that of its heading.
    exact_below: floating-point numbers of this size and more may have lost digits.
    """

    headings: list[str]
    texts: list[pa.Array]
    numbers: pa.Array
    written: list[Which]
    floating: list[Which]
    faults: dict[int, dict[int, str]] = field(default_factory=dict)
    exact_below: float = EXACT_BELOW
