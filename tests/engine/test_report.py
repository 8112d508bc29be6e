"""The report in a real browser: on a desk, on a phone, in print; of good news and of bad."""

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser

from cdp.publish.journal import Run
from cdp.report import page
from cdp.report.data import Flow, Reason, Report, Segment, Series, TableHealth
from tests.support.pages import COLOURS, shown
from tests.support.stack import Stack

NOW = datetime(2025, 3, 1, 6, 30, tzinfo=UTC)
WIDTHS = {"desk": 1280, "phone": 360}
# Width and height of the paper in pixels of CSS.
A4 = (794, 1123)
DAYS = tuple(date(2025, 2, 1) + timedelta(days=n) for n in range(28))
SECTIONS = ["runs", "flow", "problems", "tables", "drift", "churn"]
# What a source could put in a name.
SCRIPT = "<script>document.title = 'taken over'</script>"
BAD_NEWS = Report(
    made_at=NOW,
    runs=[
        Run("run_20250227_060000_aaaaaa", "published", 41, NOW - timedelta(days=2), NOW),
        Run("run_20250228_060000_bbbbbb", "discarded"),
        Run("run_20250301_060000_cccccc", "failed", detail=f"1 of 90 checks failed {SCRIPT}"),
    ],
    flows=[
        Flow("usage.events", 1_204_331_870, 31, 40_211, 1_204_200_000, 0),
        Flow("crm.customers", 50_214_332, 0, 18, 50_000_000, 20_113),
    ],
    reasons=[Reason("usage.events", "event_type_unmapped", 39_902)],
    tables=[
        TableHealth("marts.ftr_customer_churn", "data-science", 10**9, 412, 10**11, NOW, 2, 0),
        TableHealth("intermediate.int_support_tickets__versions", "", 0, 0, 0, None, 0, 1),
        TableHealth("marts.dim_customers", "customer-data", 5 * 10**7, 16, 4 * 10**9, NOW, 0, 0),
    ],
    rows_by_day=[
        Series(
            "staging.base_usage_events",
            "*",
            "row_count",
            DAYS,
            (*(10_000.0 + 400 * (n % 7) for n in range(27)), 5_000.0),
            frozenset({DAYS[-1]}),
        )
    ],
    nulls_by_day=[
        Series("staging.base_usage_events", "bytes", "null_rate", DAYS, (0.1,) * 27 + (1.0,))
    ],
    problems=[
        {
            "run_id": "run_20250301_060000_cccccc",
            "checked_at": NOW,
            "table_name": "marts.ftr_customer_churn",
            "column_name": "monthly_charges",
            "check_name": f"no_charge_is_negative {SCRIPT}",
            "outcome": "failed",
            "measured": 31_204.0,
            "detail": "",
        }
    ],
    sizes={"< 1 MB": 3, "100 to 500": 40, "> 500 MB": 0},
    segments=[Segment("month_to_month", "fiber_optic", 2128, 1162)],
    segments_of=date(2025, 2, 28),
)
# As much of each as the report shows of a large lakehouse.
CROWDED = replace(
    BAD_NEWS,
    problems=[
        p | {"check_name": f"check {n} of what a customer pays", "detail": "17 rows, one of them"}
        for p in BAD_NEWS.problems
        for n in range(40)
    ],
    tables=[replace(t, name=f"{t.name}_{n}") for t in BAD_NEWS.tables for n in range(15)],
    rows_by_day=[
        replace(s, table=f"{s.table}_{n}") for s in BAD_NEWS.rows_by_day for n in range(30)
    ],
    nulls_by_day=[
        replace(s, column=f"bytes_{n}") for s in BAD_NEWS.nulls_by_day for n in range(12)
    ],
)


@pytest.fixture(scope="module")
def reports(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of the shared stack, one of bad news, and one of much of it."""
    folder = tmp_path_factory.mktemp("report")
    found = {name: folder / f"{name}.html" for name in ("lakehouse", "bad_news", "crowded")}
    stack.cdp("report", "--to", str(found["lakehouse"]))
    found["bad_news"].write_text(page.render(BAD_NEWS), encoding="utf-8")
    found["crowded"].write_text(page.render(CROWDED), encoding="utf-8")
    return found


@pytest.fixture(params=["lakehouse", "bad_news", "crowded"])
def path(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    return reports[request.param]


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_cut_and_everything_is_there(browser: Browser, path: Path, width: int) -> None:
    opened = shown(browser, path, width)
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    for section in SECTIONS:
        assert opened.locator(f"#{section}").is_visible()
    # A table that is wider than the window is read by moving it, which people do not find.
    assert (
        opened.evaluate(
            "[...document.querySelectorAll('.scroll')]"
            ".filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText.slice(0, 80))"
        )
        == []
    )
    # The state of it all is seen at once.
    box = opened.locator("#verdict").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_by_day_and_by_night(browser: Browser, path: Path, scheme: str) -> None:
    """The contrast of text to what is behind it is at least 4.5, as WCAG asks."""
    opened = shown(browser, path, 1280)
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    faint = opened.evaluate(
        f"""() => {{
            {COLOURS}
            return [...document.querySelectorAll('h1, h2, p, td, th, .pill, .name, .soft')]
                .filter(e => e.innerText && e.innerText.trim())
                .map(e => [
                    e.innerText.slice(0, 40), ratio(getComputedStyle(e).color, behind(e))
                ])
                .filter(([, found]) => found < 4.5);
        }}"""
    )
    assert faint == []
    opened.close()


def test_print_shows_all_columns_and_tables(browser: Browser, path: Path, tmp_path: Path) -> None:
    opened = shown(browser, path, A4[0])
    names = opened.locator("#tables td.name").all_inner_texts()
    opened.pdf(path=tmp_path / "report.pdf", format="A4")
    opened.emulate_media(media="print")
    height = opened.evaluate("document.documentElement.scrollHeight")
    opened.close()
    printed = pypdf.PdfReader(tmp_path / "report.pdf")
    # Some paper is lost where a row would be cut in two, and no more.
    assert len(printed.pages) <= 1.15 * height / A4[1] + 1
    words = "".join(p.extract_text() for p in printed.pages)
    # Print has ligatures.
    text = "".join(unicodedata.normalize("NFKC", words).split())
    for name in [*names, "quarantined", "owner", "File sizes of the marts", "share"]:
        assert "".join(name.split()) in text


def test_the_page_of_a_lakehouse_tells_its_rows(
    browser: Browser, reports: dict[str, Path], stack: Stack
) -> None:
    opened = shown(browser, reports["lakehouse"], 1280)
    flow = opened.locator("#flow").inner_text()
    (customers,) = stack.query("select count(*) as n from dim_customers")
    assert f"{customers['n']:,}" in flow
    assert "crm.customers" in flow
    tables = opened.locator("#tables").inner_text()
    assert "marts.ftr_customer_churn" in tables
    assert "raw.crm_customers" in tables
    assert "month_to_month" in opened.locator("#churn").inner_text()
    opened.close()


def test_bad_news_is_said_first_and_shown(browser: Browser, reports: dict[str, Path]) -> None:
    opened = shown(browser, reports["bad_news"], WIDTHS["phone"])
    assert opened.locator("#verdict.bad").inner_text().startswith("The last run failed")
    assert "1,204,200,000" in opened.locator("#flow").inner_text()
    assert "2 failed" in opened.locator("#tables .pill.bad").inner_text()
    assert opened.locator("#drift circle.bad").count() == 1
    # What comes from outside is text.
    assert opened.title() == "Lakehouse report, 2025-03-01 06:30 UTC"
    assert "<script>" in opened.locator("#problems").inner_text()
    opened.close()
