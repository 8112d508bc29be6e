"""`cdp demo`: the main job on the real sample, each step with its time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from cdp import show
from cdp.landing import lander
from cdp.landing.source import find, read_all
from cdp.loading import loader
from cdp.progress import Progress, Style
from cdp.publish import run as publishing
from cdp.settings import ROOT, Settings
from cdp.stack import lifecycle
from cdp.trino import query

SAMPLE = ROOT / "data" / "telco" / "telco_customer_churn.csv"
# The sample carries no dates. This is the moment that it is taken to describe.
SAMPLE_MOMENT = datetime(2024, 12, 31, tzinfo=UTC)

Result = TypeVar("Result")

NEXT = """
Where to go next
  .venv/bin/cdp query "select * from dim_customers limit 5"    ask Trino yourself
  .venv/bin/cdp status                                         what runs, and where
  make docs                                                    the tables, column by column
  make down                                                    end the services; data stays
"""

QUESTIONS = {
    "How many customers are there, and how many left?": """
        select
            count(*) as customers,
            count_if(churn_label) as churned,
            cast(100e0 * count_if(churn_label) / count(*) as decimal(5, 2)) as churned_percent,
            count_if(total_charges is null) as without_total_charges,
            sum(monthly_charges) as monthly_charges
        from dim_customers
    """,
    "Who leaves, by contract?": """
        select
            contract_type,
            sum(customer_count) as customers,
            sum(churned_count) as churned,
            cast(100e0 * sum(churned_count) / sum(customer_count) as decimal(5, 2))
                as churned_percent
        from agg_churn_by_segment
        group by contract_type
        order by churned_percent desc
    """,
    "Which segments lose most revenue a month?": """
        select
            contract_type,
            internet_service as internet,
            payment_method,
            churned_count as churned,
            churned_monthly_charges_sum as lost_a_month
        from agg_churn_by_segment
        order by lost_a_month desc
        limit 5
    """,
}


def run(settings: Settings, console: Console, style: Style = "one") -> None:
    """Run every step; stops at the first that fails, with its CdpError.

    style: how the build shows its progress.
    """
    times: list[tuple[str, float]] = []

    def step(name: str, act: Callable[[], Result]) -> Result:
        console.rule(f"[bold]{name}", align="left", style="dim")
        started = time.monotonic()
        result = act()
        times.append((name, time.monotonic() - started))
        return result

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    source = find("crm.customers", settings.sources_dir)
    step("stack", lambda: lifecycle.up(settings, say))
    landed = step("land", lambda: lander.land(SAMPLE, source, settings, SAMPLE_MOMENT))
    say(f"{SAMPLE.name} {'was landed before' if landed.already else 'landed'}: {landed.rows} rows")
    sources = list(read_all(settings.sources_dir).values())
    step("load", lambda: loader.load_all(sources, settings, say))
    progress = Progress(lambda line, **_: say(line), console, style)
    step("build", publishing.Build([], settings, say, progress).run)
    answers = step("query", lambda: {q: query(sql, settings) for q, sql in QUESTIONS.items()})
    for question, found in answers.items():
        console.print(f"\n[bold]{question}[/]")
        console.print(show.table(found))
    _show_times(times, console)
    console.print(NEXT, markup=False, soft_wrap=True)


def _show_times(times: list[tuple[str, float]], console: Console) -> None:
    console.print("\n[bold]Where the time went[/]")
    table = Table("step", box=None, header_style="bold")
    table.add_column("seconds", justify="right")
    for name, seconds in [*times, ("all", sum(seconds for _, seconds in times))]:
        table.add_row(name, f"{seconds:.1f}")
    console.print(table)
