"""Alerts that could not be sent wait in the state directory, and go with the next command.

A file, since what is away may be the store. One for each alert and channel, removed once sent.
"""

import json
import smtplib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import requests

from cdp.alerts import channels
from cdp.alerts.alert import Alert, Cause
from cdp.settings import Settings

FAILURES = (requests.RequestException, smtplib.SMTPException, OSError)
# Seconds before each further try: a channel that is away must not hold a run up.
PAUSES = (0.0, 1.0, 2.0)
Say = Callable[[str], None]


def send(alerts: Sequence[Alert], settings: Settings, say: Say) -> None:
    """Send alerts on every channel, after those that are waiting. Never raises for a channel."""
    away = flush(settings, say)
    for name, channel in channels.chosen(settings).items():
        for alert in alerts:
            if name not in away and (problem := _tried(channel, alert, settings)):
                say(f"warning: {name} took no alert ({problem}): it goes with the next command")
                away.add(name)
            # One that is away for the first is away for the others, and order is kept.
            if name in away:
                _put(alert, name, settings)


def flush(settings: Settings, say: Say) -> set[str]:
    """Send what is waiting, the oldest first; the channels that do not take it, and so keep it."""
    known = channels.chosen(settings)
    away: set[str] = set()
    for path, name, alert in waiting(settings):
        if name not in known:
            path.unlink()
        elif name not in away:
            if problem := _tried(known[name], alert, settings):
                away.add(name)
                say(f"warning: alerts for {name} are still waiting ({problem})")
            else:
                path.unlink()
    return away


def waiting(settings: Settings) -> Iterator[tuple[Path, str, Alert]]:
    """The files that wait, with channel and alert."""
    for path in sorted(_folder(settings).glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        cause = told["alert"].pop("cause")
        cause["lines"] = tuple(cause["lines"])
        since = datetime.fromisoformat(told["alert"].pop("since"))
        yield path, told["channel"], Alert(Cause(**cause), since=since, **told["alert"])


def _tried(channel: channels.Channel, alert: Alert, settings: Settings) -> str:
    """Send; what went wrong in the end, without an address, or nothing."""
    problem = ""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            channel(alert, settings)
        except FAILURES as error:
            problem = type(error).__name__
            if isinstance(error, requests.HTTPError):
                problem = f"HTTP {error.response.status_code}"
        else:
            return ""
    return problem


def _put(alert: Alert, channel: str, settings: Settings) -> None:
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns()}-{channel}.json"
    whole = path.with_suffix(".part")
    whole.write_text(
        json.dumps({"channel": channel, "alert": asdict(alert)}, default=str), encoding="utf-8"
    )
    whole.replace(path)


def _folder(settings: Settings) -> Path:
    return settings.state_dir / "outbox"
