"""Where alerts go: a file always; a webhook and e-mail where they are set.

A channel raises what its library raises. Addresses bear secrets: no message here quotes them.
"""

import json
import smtplib
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import requests

from cdp.alerts.alert import Alert
from cdp.settings import Settings

SECONDS = 5.0
Channel = Callable[[Alert, Settings], None]


def log(alert: Alert, settings: Settings) -> None:
    """A line of JSON in logs/alerts.jsonl of the state directory."""
    path = settings.state_dir / "logs" / "alerts.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(alert), default=str) + "\n")


def webhook(alert: Alert, settings: Settings) -> None:
    """A POST as Slack takes it."""
    address = settings.alert_webhook.get_secret_value()
    requests.post(address, json=alert.slack(), timeout=SECONDS).raise_for_status()


def email(alert: Alert, settings: Settings) -> None:
    """Plain text to all receivers, by TLS where the address or the server has it."""
    message = EmailMessage()
    message["Subject"] = f"[{alert.cause.severity}] {alert.title}"[:200]
    message["From"] = settings.alert_email_from
    message["To"] = ", ".join(settings.alert_email_to)
    message.set_content(alert.text())
    address = urlsplit(settings.alert_smtp.get_secret_value())
    kind = smtplib.SMTP_SSL if address.scheme == "smtps" else smtplib.SMTP
    with kind(address.hostname or "", address.port or 0, timeout=SECONDS) as server:
        server.ehlo()
        if address.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
            server.ehlo()
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(message)


def chosen(settings: Settings) -> dict[str, Channel]:
    """The channels that are set."""
    found: dict[str, Channel] = {"log": log}
    if settings.alert_webhook.get_secret_value():
        found["webhook"] = webhook
    if settings.alert_smtp.get_secret_value() and settings.alert_email_to:
        found["email"] = email
    return found
