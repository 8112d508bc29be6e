"""The exporter of metrics as a local service."""

import sys
from pathlib import Path

from cdp.settings import HOST, Settings
from cdp.stack.service import Service

PORT = 9464


def address(settings: Settings) -> str:
    return f"http://{HOST}:{settings.port(PORT)}/metrics"


def service(settings: Settings) -> Service:
    return Service(
        "metrics",
        (str(Path(sys.executable).with_name("cdp")), "metrics"),
        settings.state_dir / "metrics",
        {"HTTP": settings.port(PORT)},
        # It lives in its own directory, and its settings in the checkout's.
        {"CDP_PORT_OFFSET": str(settings.port_offset)},
    )
