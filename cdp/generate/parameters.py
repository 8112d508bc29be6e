"""What a generation is asked for, checked; and the numbers that follow from it alone."""

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cdp.errors import CdpError

# Whoever changes what is generated raises it: two versions never mix under one name.
VERSION = 1
MOST_CUSTOMERS = 50_000_000
ROWS_A_CHUNK = 4_000_000
MOST_CUSTOMERS_A_CHUNK = 100_000
# A change's number is its second in the period, then its customer in this many bits.
CUSTOMER_BITS = 26

# Identifiers look like the sample's, four digits and five letters: a bijection of the customer's
# number modulo their count, so none occurs twice. STEP has no factor in common with PLACES.
PLACES = 10_000 * 26**5
STEP = 73_856_093_191

REGIONS = ("north", "north_east", "east", "south_east", "south", "south_west", "west", "centre")
DIRT_KINDS = (
    "blank_number",
    "malformed_number",
    "category_variant",
    "outlier",
    "truncated",
    "garbage",
    "missing_key",
    "duplicate_same",
    "duplicate_later",
    "out_of_order",
    "late",
)


@dataclass(frozen=True)
class Skew:
    """A source clock that is wrong: whose, from which second of time until which, by how much."""

    region: int
    begins: int
    ends: int
    seconds: int


@dataclass(frozen=True)
class Parameters:
    """The options of `cdp generate`. Raises CdpError when they make no sense."""

    customers: int
    days: int
    seed: int
    dirt: float = 0.02
    until: date = date(2024, 12, 31)
    name: str = ""
    events_per_day: float = 2.0
    objects_per_day: int = 0

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"s{self.seed}")
        if not self.objects_per_day:
            # About 200 usage events an object, as far as 96 objects a day, one a quarter hour.
            ideal = int(self.customers * self.events_per_day / 200)
            object.__setattr__(self, "objects_per_day", min(96, max(1, ideal)))
        faults = {
            f"--customers is 1 to {MOST_CUSTOMERS:,}": 1 <= self.customers <= MOST_CUSTOMERS,
            "--days is 1 to 3650": 1 <= self.days <= 3650,
            "--seed is 0 to 2147483647": 0 <= self.seed < 2**31,
            "--dirt is a share from 0 to 0.5": 0 <= self.dirt <= 0.5,
            "--events-per-day is 0 to 100": 0 <= self.events_per_day <= 100,
            "--objects-per-day is 1 to 1440": 1 <= self.objects_per_day <= 1440,
            "--until is a date from 1980 to 2100": 1980 <= self.until.year <= 2100,
            "--name is lower case letters, digits, underscores, at most 40": re.fullmatch(
                r"[a-z0-9][a-z0-9_]{0,39}", self.name
            ),
        }
        if wrong := [fault for fault, right in faults.items() if not right]:
            raise CdpError("; ".join(wrong), "see cdp generate --help")

    def as_stored(self) -> dict[str, Any]:
        """What decides the content, for parameters.json."""
        return {"version": VERSION, **asdict(self), "until": self.until.isoformat()}

    @property
    def start(self) -> int:
        """The period's first second, Unix time; it ends at 00:00 UTC of `until`."""
        return self.end - self.days * 86_400

    @property
    def end(self) -> int:
        return int(datetime(*self.until.timetuple()[:3], tzinfo=UTC).timestamp())

    @property
    def existing(self) -> int:
        """How many are customers when the period begins; 1.2 % a month sign up within it."""
        return max(1, round(self.customers / (1 + 0.012 * self.days / 30)))

    @property
    def chunk(self) -> int:
        """Customers that are made at once. It depends on nothing but the parameters."""
        rows = max(1.0, self.days * (self.events_per_day + 0.1))
        return max(100, min(MOST_CUSTOMERS_A_CHUNK, int(ROWS_A_CHUNK / rows)))

    @property
    def chunks(self) -> list[tuple[int, int, int]]:
        """Number, first customer, and the one after the last, of each chunk."""
        firsts = range(0, self.customers, self.chunk)
        return [(i, f, min(f + self.chunk, self.customers)) for i, f in enumerate(firsts)]

    @property
    def month_offsets(self) -> list[int]:
        """The first of each month that touches the period, in days from its begin."""
        begin = self.until - timedelta(days=self.days)
        month, found = begin.replace(day=1), []
        while month < self.until:
            found.append((month - begin).days)
            month = (month + timedelta(days=32)).replace(day=1)
        return found

    @property
    def skews(self) -> list[Skew]:
        """Two regions whose clocks are off for a tenth of the period each; none without dirt."""
        if not self.dirt:
            return []
        length = max(86_400, self.days * 8_640)
        first = self.number("skew", len(REGIONS))
        ahead = 600 + self.number("ahead", 10_200)
        behind = 300 + self.number("behind", 6_900)
        early = self.start + int(self.days * 0.2) * 86_400
        late = self.start + int(self.days * 0.6) * 86_400
        second = (first + 3) % len(REGIONS)
        return [
            Skew(first, early, early + length, ahead),
            Skew(second, late, late + length, -behind),
        ]

    def number(self, stream: str, below: int) -> int:
        """A number that follows from the seed alone, 0 to below - 1."""
        digest = hashlib.sha256(f"{self.seed}:{stream}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % below
