"""Alerts reach people, once a cause, also when a channel was away for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cdp.alerts import outbox, tell
from cdp.alerts.memory import TABLE
from cdp.quality.checks import Check
from cdp.settings import Settings
from cdp.stack.ports import taken
from tests.support.reading import catalog
from tests.support.stack import Stack, free_offset
from tests.support.webhook import Webhook

BROKEN = Check(
    "marts.dim_customers",
    "monthly_charges",
    "No invalid values",
    "contract",
    "failed",
    7043,
    query="select * from dim_customers where monthly_charges < 0",
)
ALSO = Check("marts.dim_customers", "", "charges_are_known", "test", "failed", 12)
LATE = Check("raw.usage_events", "", "Freshness", "contract", "warned", 30)
WELL = Check("marts.dim_customers", "monthly_charges", "No invalid values", "contract", "passed", 0)


@dataclass
class Mail:
    """An SMTP server that keeps what it is given."""

    port: int
    messages: list[Any] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: ANN401, N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    @contextmanager
    def up(self) -> Iterator[None]:
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()


@dataclass
class People:
    """Who is told by both, of runs that are made up; in a state directory of the test's own."""

    webhook: Webhook
    mail: Mail
    settings: Settings
    said: list[str] = field(default_factory=list)

    def run(self, *checks: Check, problem: str = "") -> None:
        found = tell.Findings("run_1", checks, problem, lambda _: "customer-data")
        tell.after_run(found, self.settings, self.said.append)

    def titles(self) -> list[str]:
        return [body["text"] for body in self.webhook.bodies]


@pytest.fixture
def people(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    monkeypatch.setattr(outbox, "PAUSES", (0.0, 0.0))
    offset = free_offset(4000)
    webhook, mail = Webhook(20_000 + offset), Mail(20_001 + offset)
    assert not taken(webhook.port)
    settings = stack.settings().model_copy(
        update={
            "state_dir": tmp_path,
            **Settings(
                _env_file=None,  # type: ignore[call-arg]
                alert_webhook=f"http://127.0.0.1:{webhook.port}/services/T0/secret",  # type: ignore[arg-type]
                alert_smtp=f"smtp://127.0.0.1:{mail.port}",  # type: ignore[arg-type]
                alert_email_from="lakehouse@example.com",
                alert_email_to="data@example.com, oncall@example.com",  # type: ignore[arg-type]
            ).model_dump(include={n for n in Settings.model_fields if n.startswith("alert_")}),
        }
    )
    # Each test begins with nobody having been told of anything.
    lake = catalog(stack)
    if lake.table_exists(TABLE):
        lake.purge_table(TABLE)
    yield People(webhook, mail, settings)
    if lake.table_exists(TABLE):
        lake.purge_table(TABLE)


def test_an_alert_says_what_broke_since_when_how_many_rows_whose_and_how_to_see_them(
    people: People,
) -> None:
    with people.webhook.up(), people.mail.up():
        people.run(BROKEN, ALSO, LATE, problem="2 of 3 checks failed")
    # One message a table, whatever number of its checks failed.
    assert people.titles() == [
        "marts.dim_customers failed: monthly_charges: No invalid values (7,043)",
        "raw.usage_events warns: Freshness (30)",
    ]
    told = json.dumps(people.webhook.bodies[0])
    for words in ("charges_are_known (12)", "*since* ", "*rows* 7,043", "*owner* customer-data"):
        assert words in told
    assert "monthly_charges &lt; 0" in told
    first = people.mail.messages[0]
    assert first["Subject"] == "[failed] " + people.titles()[0]
    assert first["To"] == "data@example.com, oncall@example.com"
    text = "\n".join(first.get_content().splitlines())
    assert "see the rows:\n  select * from dim_customers where monthly_charges < 0" in text
    logged = (people.settings.state_dir / "logs" / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["cause"]["name"] for line in logged] == [
        "marts.dim_customers",
        "raw.usage_events",
    ]
    assert not people.said


def test_a_cause_is_told_once_until_it_is_resolved_or_worse(people: People) -> None:
    with people.webhook.up(), people.mail.up():
        people.run(BROKEN, problem="failed")
        people.run(BROKEN, problem="failed")
        assert len(people.titles()) == 1
        people.run(LATE)
        people.run(WELL)
        assert people.titles()[2:] == ["marts.dim_customers: resolved"]
        people.run(WELL)
        people.run(BROKEN, problem="failed")
        assert len(people.titles()) == 4
        worse = Check("raw.usage_events", "", "Freshness", "contract", "failed", 90)
        people.run(worse, problem="failed")
        assert people.titles()[-1] == "raw.usage_events failed: Freshness (90)"


def test_a_run_that_fails_without_a_check_is_told_too_and_resolved_by_the_next(
    people: People,
) -> None:
    with people.webhook.up(), people.mail.up():
        people.run(problem="Spark went away")
        people.run()
    assert people.titles() == ["The run failed: Spark went away", "run: resolved"]


def test_what_a_task_tells_is_told_once_until_all_of_its_dag_is_over(people: People) -> None:
    told = (people.settings, people.said.append)
    with people.webhook.up(), people.mail.up():
        tell.failure("hourly.load", "the store is away", *told)
        tell.failure("hourly.load", "the store is still away", *told)
        tell.failure("hourly2.load", "another", *told)
        # That is not for a run to resolve.
        people.run(WELL)
        tell.recovered("hourly", *told)
        tell.recovered("hourly", *told)
    assert people.titles() == [
        "hourly.load failed: the store is away",
        "hourly2.load failed: another",
        "hourly.load: resolved",
    ]
    assert not people.said


def test_what_could_not_be_sent_waits_and_goes_with_the_next_run(people: People) -> None:
    people.run(BROKEN, LATE, problem="failed")
    assert [line.split(" (")[0] for line in people.said] == [
        "warning: webhook took no alert",
        "warning: email took no alert",
    ]
    # No secret is told.
    assert "secret" not in "".join(people.said)
    assert len(list(outbox.waiting(people.settings))) == 4
    # One channel is back before the other; an answer of 500 is no delivery.
    people.webhook.status = 500
    with people.webhook.up(), people.mail.up():
        people.run(WELL)
    assert len(people.mail.messages) == 3
    assert people.said[-1] == "warning: alerts for webhook are still waiting (HTTP 500)"
    people.webhook.status = 200
    with people.webhook.up(), people.mail.up():
        people.run()
        people.run()
    # Each once, in order.
    assert [title.split(": ")[0] for title in people.titles()] == [
        "marts.dim_customers failed",
        "raw.usage_events warns",
        "marts.dim_customers",
    ]
    assert not list(outbox.waiting(people.settings))
