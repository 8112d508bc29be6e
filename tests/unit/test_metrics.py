"""The metrics against what is written of them: the rules of alerts, the scrape, the page."""

import re
from typing import Any

import promql_parser
import pytest
import yaml

from cdp.metrics.exporter import SLOTS
from cdp.metrics.families import ALL, EVENT_AGE
from cdp.settings import ROOT
from cdp.stack.metrics import PORT

FOLDER = ROOT / "docker" / "prometheus"
PAGE = (ROOT / "docs" / "observability.md").read_text()
METRICS = {name for family in ALL for name in family.meanings}
METRICS |= {"cdp_up", "cdp_scrape_seconds", EVENT_AGE[0], *SLOTS}


def configuration(name: str) -> Any:  # noqa: ANN401 - as YAML has it
    return yaml.safe_load((FOLDER / name).read_text())


(GROUP,) = configuration("alerts.yml")["groups"]


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: str(rule["alert"]))
def test_rule_is_promql_of_metrics_that_there_are_and_says_what_to_do(rule: Any) -> None:  # noqa: ANN401
    assert promql_parser.parse(rule["expr"])
    assert set(re.findall(r"cdp_\w+", rule["expr"])) <= METRICS
    assert rule["annotations"].keys() == {"summary", "fix"}
    for name in re.findall(r"docs/[\w.-]+", rule["annotations"]["fix"]):
        assert (ROOT / name).exists()


def test_an_example_scrapes_the_exporter_and_reads_the_rules() -> None:
    found = configuration("prometheus.yml")
    (job,) = found["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{PORT}"]}]
    assert found["rule_files"] == ["alerts.yml"]


def test_the_page_names_every_metric_and_none_beside() -> None:
    assert set(re.findall(r"^\| `(cdp_\w+)`", PAGE, re.MULTILINE)) == METRICS
