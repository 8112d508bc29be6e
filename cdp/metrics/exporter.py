"""`cdp metrics`: everything in Prometheus' text format, once or for whoever asks over HTTP.

A part that is away is reported as not up; what cannot be known without it is left out.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event, Lock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cdp.metrics import families
from cdp.metrics.tables import Tables
from cdp.settings import HOST, Settings
from cdp.stack.metrics import PORT, address
from cdp.stack.probes import listening

if TYPE_CHECKING:
    from cdp.capture.slots import Slot

# The metrics of a slot: docs/ingestion.md says what becomes of one that nobody reads.
SLOTS: dict[str, tuple[str, Callable[["Slot"], float | None]]] = {
    "cdp_slot_lag_bytes": ("Log that a capture has not confirmed yet", lambda s: s.lag_bytes),
    "cdp_slot_lag_seconds": ("How long a capture is behind", lambda s: s.lag_seconds),
    "cdp_slot_retained_bytes": ("Log that is kept for a slot", lambda s: s.retained_bytes),
    "cdp_slot_active": ("Whether a capture reads the slot", lambda s: float(s.active)),
}


class Found:
    """Metrics that are being gathered, by name."""

    def __init__(self) -> None:
        self.made: dict[str, Metric] = {}

    def add(self, name: str, meaning: str, labels: dict[str, str], value: float | None) -> None:
        """One sample; none where there is no value. What only grows is called `…_total`."""
        if name not in self.made:
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            self.made[name] = kind(name, meaning)
        if value is not None:
            self.made[name].add_sample(name, labels, float(value))


class Metrics(Collector):
    """What Prometheus scrapes, made anew at each scrape; of two at once the second waits.

    say: receives a line when a part is away, and when it is back.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        self._tables = Tables(settings)
        self._lock = Lock()
        self._away: set[str] = set()

    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        with self._lock:
            told = Found()
            parts: dict[str, Callable[[], Found]] = {
                "store": lambda: self._listening(self.settings.store_url),
                "catalog": self._of_tables,
                "spark": lambda: self._listening(self.settings.spark_url),
                "trino": lambda: self._listening(self.settings.trino_address),
            }
            if self.settings.has_postgres:
                parts["postgres"] = self._of_slots
            for part, ask in parts.items():
                found = self._tried(part, ask)
                told.add("cdp_up", "Whether a part answers", {"part": part}, found is not None)
                told.made |= found.made if found else {}
        told.add("cdp_scrape_seconds", "Seconds that this took", {}, time.monotonic() - began)
        yield from told.made.values()

    def _tried(self, part: str, ask: Callable[[], Found]) -> Found | None:
        """What a part reports; None when it does not."""
        try:
            found = ask()
        except Exception as error:  # noqa: BLE001 - whatever keeps a part from answering
            if part not in self._away:
                reason = (str(error).splitlines() or [""])[0]
                self.say(f"{part} does not answer: {type(error).__name__}: {reason}")
            self._away.add(part)
            return None
        if part in self._away:
            self.say(f"{part} answers again")
        self._away.discard(part)
        return found

    def _listening(self, address: str) -> Found:
        listening(address)
        return Found()

    def _of_tables(self) -> Found:
        found = Found()
        for family in families.ALL:
            for row in self._tables.ask(family.question):
                labels = {k: str(v) for k, v in row.items() if k not in family.meanings}
                for name, meaning in family.meanings.items():
                    found.add(name, meaning, labels, row[name])
        now = datetime.now(UTC)
        for table, column in families.EVENTS.items():
            if newest := self._tables.newest(table, column):
                age = (now - newest).total_seconds()
                found.add(*families.EVENT_AGE, {"table": table}, age)
        return found

    def _of_slots(self) -> Found:
        from cdp.capture.slots import slots
        from cdp.postgres import connect

        found = Found()
        with connect(self.settings):  # raises, where `slots` would tell of none
            pass
        for slot in slots(self.settings):
            for name, (meaning, value) in SLOTS.items():
                found.add(name, meaning, {"slot": slot.name}, value(slot))
        return found


def registry(settings: Settings, say: Callable[[str], None]) -> CollectorRegistry:
    """What is exported; nothing is asked for until it is collected."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Metrics(settings, say))
    return made


def once(settings: Settings, say: Callable[[str], None]) -> str:
    """All metrics, in Prometheus' text format."""
    return generate_latest(registry(settings, say)).decode()


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Answer at /metrics, on loopback, until the process is ended."""
    start_http_server(settings.port(PORT), HOST, registry(settings, say))
    say(f"metrics are at {address(settings)}")
    Event().wait()
