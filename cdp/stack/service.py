"""What a local service is, to those who start, show and end it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Service:
    """One supervised process. `ports` are loopback ports by purpose, the first the main one.

    user: whom root runs it as; empty for the user who runs everything.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 20
    stop_signal: str = "TERM"
    user: str = ""
