"""What commands say as JSON lines, for programs: each with its moment and what it is about."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

# Of the process, and not of a thread: threads speak for the command that has begun them.
_about: dict[str, Any] = {}


@contextmanager
def about(**fields: Any) -> Iterator[None]:  # noqa: ANN401 - whatever JSON can hold
    """Every line has these fields, such as run_id, until this ends."""
    before = dict(_about)
    _about.update(fields)
    try:
        yield
    finally:
        _about.clear()
        _about.update(before)


def line(message: str, **fields: Any) -> str:  # noqa: ANN401
    """A line for programs. fields: what they need not read out of the message."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"at": at, "command": command, **_about, **fields, "message": message})
