"""Lines of usage of a kind that the seed does not know."""

import json
from typing import Any


def usage_event(number: int, customer_id: str, **more: Any) -> bytes:  # noqa: ANN401
    """A line of the day, of a kind that the seed does not know."""
    told = {
        "event_id": f"picture-{number}",
        "customer_id": customer_id,
        "event_type": "mms",
        "started_at": "2024-12-20T10:00:00Z",
        "charge": 0.25,
        "emitted_at": "2024-12-20T10:01:00Z",
    }
    return json.dumps(told | more).encode() + b"\n"
