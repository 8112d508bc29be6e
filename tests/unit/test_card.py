"""The model card: what it shows of a report, and that it is one page that needs nothing else."""

import copy
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cdp.errors import CdpError
from cdp.models import card
from cdp.models import card_charts as charts
from tests.support.model_report import BAD, EXAMPLES, GOOD, GOOD_MANIFEST, HOSTILE, POPULATION

Json = dict[str, Any]
PAGES = {name: card.render(*given) for name, given in EXAMPLES.items()}
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
# What brings something from elsewhere, or runs.
LOADS = {
    "script",
    "link",
    "img",
    "image",
    "iframe",
    "object",
    "embed",
    "base",
    "form",
    "use",
    "video",
}
BLOCKS = {"td", "th", "div", "li", "p", "dd", "dt", "br"}
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


class Parts(HTMLParser):
    """The tags of a page, their attributes, and its text with that of charts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.text += " " * (tag in BLOCKS)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def text(page: str) -> str:
    """The text of a page, every stretch of spaces as one, but for those that do not break."""
    return re.sub(r"[ \n]+", " ", Parts(page).text)


def figures(found: object) -> Iterator[Json]:
    """Every figure with an interval, wherever it stands."""
    if isinstance(found, dict):
        if {"value", "low", "high"} == set(found):
            yield found
        else:
            for each in found.values():
                yield from figures(each)
    elif isinstance(found, list):
        for each in found:
            yield from figures(each)


each_whole = pytest.mark.parametrize(
    ("report", "read"),
    [
        pytest.param(EXAMPLES[name][0], text(PAGES[name]), id=name)
        for name in ("good", "population")
    ],
)


def changed(**new: object) -> Json:
    return copy.deepcopy(GOOD) | new


@each_page
def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    parts = Parts(page)
    assert not parts.tags & LOADS
    for name, value in parts.attributes:
        assert name not in {"src", "srcset", "xlink:href", "data", "action"}
        assert not name.startswith("on")
        if name == "href":
            assert value.startswith("#")
            assert f'id="{value[1:]}"' in page
        if name == "style":
            assert "url(" not in value
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "<script" not in page


@each_page
def test_charts_are_well_formed(page: str) -> None:
    drawn = SVG.findall(page)
    assert len(drawn) > 8
    for each in drawn:
        chart = ElementTree.fromstring(each.replace("&nbsp;", " "))  # noqa: S314 - our own
        assert chart.get("aria-label") or chart.get("aria-hidden")
        assert "nan" not in each
        assert "inf" not in each.replace("information", "")


def test_names_that_look_like_html_are_text() -> None:
    parts = Parts(PAGES["bad"])
    read = " ".join(parts.text.split())
    assert read.count(HOSTILE) > 10
    # As an attribute, too.
    assert ("title", HOSTILE) in parts.attributes


def said(figure: Json, metric: str) -> str:
    """A figure as the card writes it, with its interval."""
    return f"{card.number(figure['value'], metric)} {card.interval(figure, metric)}"


@each_whole
def test_all_of_the_candidates_is_shown(report: Json, read: str) -> None:
    for candidate in report["candidates"].values():
        for metric, figure in candidate["metrics"].items():
            assert said(figure, metric) in read
        found = candidate["calibration"]
        before, after = (
            card.number(found[f"log_loss_{n}"], "log_loss") for n in ("before", "after")
        )
        assert f"log loss {before} before, {after} after" in read
        slope, intercept = card.number(found["slope"]), card.number(found["intercept"])
        assert f"slope {slope}, intercept {intercept}" in read
        for key, value in candidate["parameters"].items():
            assert value is None or f"{key} {value:.4g}" in read
        assert f"{candidate['seconds']:.1f}" in read
    for one in report["comparisons"]:
        assert " ".join(card.told(one)[1:]) in read
    chosen = report["candidates"][report["estimator"]]["metrics"]
    for metric in ("roc_auc", "pr_auc", "brier", "ece", "lift_10"):
        assert read.count(said(chosen[metric], metric)) >= 2


@each_whole
def test_all_of_the_segments_is_shown(report: Json, read: str) -> None:
    for one in report["segments"]:
        share = card.percent(one["positives"] / one["rows"])
        gap = one["calibration_gap"]
        signed = f"{card.signed(gap['value'], 'points')} {card.interval(gap, 'points')}"
        value = card.value_of(one["value"], one["column"])
        pills = "weaker " * one["is_weaker"] + "scored too low " * one["is_miscalibrated"]
        assert f"{value} {pills}{one['rows']:,} {share} {said(one['roc_auc'], 'roc_auc')}" in read
        assert signed in read
    for figure in (report["ceiling"] or {}).values():
        assert said(figure, "roc_auc") in read


@each_whole
def test_all_that_drives_the_model_is_shown(report: Json, read: str) -> None:
    for one in report["importance"]:
        assert f"{card.plain(one['column'])} {card.number(one['mean_absolute'])}" in read
    for one in report["partial_dependence"]:
        for value, score in one["points"] if one["kind"] != "numeric" else []:
            assert f"{card.value_of(value, one['column'])} {card.percent(score)}" in read
    for one in report["examples"]:
        assert f"{one['title']}: {card.percent(one['probability'])}" in read
        for part in one["contributions"]:
            name = f"{card.plain(part['column'])}: {card.value_of(part['value'], part['column'])}"
            assert f"{name} {card.signed(part['log_odds'], 'log_odds')}" in read


@each_whole
def test_all_of_the_training_set_is_shown(report: Json, read: str) -> None:
    manifest = next(m for each, m in EXAMPLES.values() if each is report)
    for key in ("row_hash", "evaluated_hash", "code_hash", "lock_hash", "revision", "query"):
        assert manifest[key] in read
    for key in ("tag", "table", "model_id"):
        assert manifest[key] in read
    for table, snapshot in manifest["snapshots"].items():
        assert f"{snapshot} of {table}" in read
    for name, version in {**manifest["libraries"], **dict(manifest["columns"])}.items():
        assert f"{name} {version}" in read
    assert ", ".join(map(str, manifest["seeds"])) in read
    assert f"{manifest['rows']:,} rows" in read
    assert f"{report['rows']:,} rows, of which {report['positives']:,}" in read
    assert f"the scores of {report['parity']['rows']:,} rows differ by 3.1" in read
    assert report["protocol"] in read
    assert f"cdp train {report['problem']}" in read
    assert f"cdp train --verify {report['model_id']}" in read


def test_curves_and_their_intervals_are_drawn() -> None:
    drawn = SVG.findall(PAGES["good"])
    by_name = {ElementTree.fromstring(d).get("aria-label"): d for d in drawn}  # noqa: S314
    calibration = next(d for name, d in by_name.items() if name and name.startswith("Calibration"))
    assert calibration.count("<circle") == len(GOOD["curves"]["calibration"])
    assert calibration.count('class="interval"') == len(GOOD["curves"]["calibration"])
    for name in ("Lift by share of customers", "Capture by share of customers"):
        assert by_name[name].count('class="interval"') == 4
    for name in ("ROC curve: the area below it is 0.847", "Precision-recall curve: the area"):
        (drawn,) = (d for found, d in by_name.items() if found and found.startswith(name))
        assert drawn.count('class="curve"') == 1
    assert 'class="reference"' in calibration


def test_the_summary_is_a_sentence_with_numbers() -> None:
    kind, first, second = card.summary(GOOD)
    assert kind == "warn"
    assert first.replace("\u00a0", " ") == (
        "Of the 10 % of customers with the highest scores, 81.4 % left: "
        "3.1 times as many as among all (26.5 %)."
    )
    assert second == (
        "It ranks less well in 5 of 12 segments than among all customers; "
        "1 of 12 is scored too high or too low."
    )
    assert "left within 30 days" in card.summary(POPULATION)[1]


def test_a_model_without_weak_segments_is_good_and_one_no_better_than_chance_is_bad() -> None:
    segments = [one | {"is_weaker": False, "is_miscalibrated": False} for one in GOOD["segments"]]
    kind, _, second = card.summary(changed(segments=segments))
    assert kind == "good"
    assert second == (
        "It ranks in no segment less well than among all customers; "
        "none is scored too high or too low."
    )
    assert card.summary(changed(segments=[]))[0] == "warn"
    page = card.render(changed(segments=segments), GOOD_MANIFEST)
    assert "No segment stands out" in page
    assert 'class="flagged"' not in page
    kind, _, second = card.summary(BAD)
    assert (kind, second) == (
        "bad",
        "By these figures the model is not clearly better than chance.",
    )
    assert "Do not choose anybody by it" in PAGES["bad"]
    assert "Do not choose anybody by it" not in PAGES["good"]


def test_segments_that_stand_out_are_told_in_words() -> None:
    read = text(PAGES["good"])
    assert "Weaker: contract type: month to month; contract type: one year;" in read
    assert "Scored too high or too low: tenure months: 1 to 9." in read
    assert PAGES["good"].count('class="flagged"') == 5
    assert read.count("scored too low") == 1


def test_a_segment_of_too_few_has_its_rows_alone() -> None:
    read = text(PAGES["bad"])
    assert read.count("too few to tell") == 4
    none = [one | {"roc_auc": None, "calibration_gap": None} for one in GOOD["segments"]]
    assert text(card.render(changed(segments=none), GOOD_MANIFEST)).count("too few") == 24
    assert "no segments are given" in card.render(changed(segments=[]), GOOD_MANIFEST)


def test_the_ceiling_is_shown_where_it_is_known() -> None:
    assert 'id="ceiling"' not in PAGES["good"]
    assert "generated" not in text(PAGES["good"])
    read = text(PAGES["population"]).replace("\u00a0", " ")
    assert "the dashed line, the model goes 96.4 %." in read
    assert "this model, on rows that it has not seen 0.798" in read
    partial = POPULATION["ceiling"].copy()
    del partial["unseen_rows"]
    page = card.render(POPULATION | {"ceiling": partial}, GOOD_MANIFEST)
    assert "not seen" not in page


def test_one_candidate_is_compared_with_none() -> None:
    assert 'class="best"' not in PAGES["bad"]
    assert "Differences on the same rows" not in PAGES["bad"]
    assert 'class="best"' in PAGES["good"]


def test_examples_may_be_missing() -> None:
    assert "none are given" in PAGES["bad"]
    empty = changed(importance=[], partial_dependence=[], examples=[], comparisons=[])
    empty["curves"] = {"roc": [], "precision_recall": [], "calibration": [], "lift": []}
    page = card.render(empty, GOOD_MANIFEST)
    assert "26.5" in page
    assert 'svg class="chart"' not in page


def test_best_is_what_reads_best() -> None:
    candidates = {
        name: {"metrics": {m: {"value": v, "low": v, "high": v} for m, v in values.items()}}
        for name, values in {
            "a": {"roc_auc": 0.80012, "brier": 0.1, "ece": 0.01, "own": 1.0},
            "b": {"roc_auc": 0.80018, "brier": 0.2, "ece": 0.01},
            "c": {"roc_auc": 0.7, "brier": 0.3, "ece": 0.01},
        }.items()
    }
    found = {name: [c.is_best for c in cells] for name, cells in card.compared(candidates)}
    assert found == {
        "ROC-AUC": [True, True, False],
        "Brier score": [True, False, False],
        "ECE": [False, False, False],
        "own": [True, False, False],
    }


@pytest.mark.parametrize(
    ("metric", "low", "value", "high", "expected"),
    [
        ("roc_auc", 0.001, 0.004, 0.007, (True, "better by 0.0040", "0.0010 to 0.0070")),
        ("roc_auc", -0.007, -0.004, -0.001, (True, "worse by 0.0040", "0.0010 to 0.0070")),
        ("log_loss", -0.007, -0.004, -0.001, (True, "better by 0.0040", "0.0010 to 0.0070")),
        ("brier", 0.001, 0.004, 0.007, (True, "worse by 0.0040", "0.0010 to 0.0070")),
        ("ece", -0.1, 0, 0.1, (False, "no clear difference, 0.0000", "\u22120.1000 to +0.1000")),
        ("lift_10", 0, 0.1, 0.2, (False, "no clear difference, +0.100", "0.000 to +0.200")),
    ],
)  # fmt: skip
def test_a_difference_is_told_as_better_worse_or_none(
    metric: str, low: float, value: float, high: float, expected: tuple[bool, str, str]
) -> None:
    difference = {"value": value, "low": low, "high": high}
    assert card.told({"metric": metric, "difference": difference}) == expected


@pytest.mark.parametrize("example", GOOD["examples"], ids=lambda e: str(e["title"]))
def test_the_steps_of_an_example_lead_to_its_score(example: Json) -> None:
    steps, others = card.steps(example)
    assert len(steps) <= card.STEPS + 2
    listed = len(steps) + len(others) - bool(others)
    assert listed - len(example["contributions"]) in {0, 1}
    total = example["base"] + sum(step.amount for step in steps)
    assert 1 / (1 + math.exp(-total)) == pytest.approx(example["probability"], abs=0.001)
    for one, after in pairwise(steps):
        begin = after.left if after.amount > 0 else after.left + after.width
        assert begin == pytest.approx(one.end, abs=0.5)
    for step in steps:
        assert 0 <= step.left <= step.left + step.width <= 100


def test_an_example_may_be_certain() -> None:
    steps, _ = card.steps({"probability": 1.0, "base": 0.0, "contributions": []})
    assert [step.name for step in steps] == ["everything else"]
    assert steps[0].amount == pytest.approx(13.8, abs=0.1)


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        ("month_to_month", "contract_type", "month to month"),
        ("1", "has_partner", "yes"),
        (0.0, "is_senior_citizen", "no"),
        (True, "has_partner", "yes"),
        ("missing", "has_partner", "missing"),
        (None, "tenure_months", "missing"),
        ("1", "service_count", "1"),
        (171.45, "total_charges", "171.45"),
        (-3.0, "usage_trend", "\u22123"),
    ],
)
def test_values_are_said_as_people_say_them(value: object, column: str, expected: str) -> None:
    assert card.value_of(value, column) == expected


def test_numbers_are_written_as_people_write_them() -> None:
    assert card.number(0.8473, "roc_auc") == "0.847"
    assert card.number(0.13475, "brier") == "0.1348"
    assert card.number(-0.0001) == "0.000"
    assert card.number(1234.5, "lift_10") == "1,234.50"
    assert card.number(-0.0039, "points") == "\u22120.39"
    assert card.signed(0.004) == "+0.004"
    assert card.signed(-0.00001) == "0.000"
    assert card.interval({"low": 0.1, "high": 0.2}, "capture_5") == "10.0 to 20.0\u00a0%"
    assert card.power(0) == "0"
    assert card.power(3.1e-7) == "3.1\u00a0\u00d7\u00a010\u207b\u2077"


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 0.0216), (-0.062, 0.03), (0.74, 0.86), (18.25, 118.75), (0, 8684.8), (3, 3),
     (-1e6, 2.5e7), (0, 0), (-5, -5), (0.8, 0.80001), (0, 123_456), (1e-9, 2e-9)],
)  # fmt: skip
@pytest.mark.parametrize("is_tight", [False, True])
@pytest.mark.parametrize("unit", ["", " %"])
def test_ticks_are_apart_and_on_the_scale(
    low: float, high: float, is_tight: bool, unit: str
) -> None:
    scale = charts.fitted(low, high, 0, 300, unit=unit, is_tight=is_tight)
    assert scale.low <= low or scale.low == pytest.approx(low)
    assert scale.high >= high or scale.high == pytest.approx(high)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 9
    places = [scale(value) for value, _ in ticks]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 300
    assert len({text for _, text in ticks}) == len(ticks)
    # Beyond a scale is at its end.
    assert scale(scale.high + 1) == 300


def test_a_line_of_many_points_is_drawn_with_those_that_can_be_told_apart() -> None:
    points = [[n / 100_000, (n / 100_000) ** 0.5] for n in range(100_001)]
    drawn = str(charts.roc(points, {"value": 0.7, "low": 0.6, "high": 0.8}))
    assert len(drawn) < 20_000
    assert re.search(r"326\.0,30\.0\"", drawn)


def test_all_partial_dependence_has_one_scale() -> None:
    """What the page says is the end of it is the top of its charts, and the end of its bars."""
    highest = card.prepared(GOOD)["highest"]
    assert highest == pytest.approx(0.6)
    assert "All have one scale, 0 to 60.0\u00a0%." in text(PAGES["good"])
    assert f"width:{100 * 0.338 / highest:.1f}%" in PAGES["good"]
    for top in (highest, 0.5, 0.04, 1.0):
        drawn = str(charts.dependence("a", [[0, 0.0], [1, top]], top))
        assert re.search(r'class="curve" points="[\d.]+,164\.0 [\d.]+,14\.0"', drawn)


def test_figures_are_of_the_rows_that_were_judged() -> None:
    """A split by time judges on fewer rows than the training set has."""
    rows, base = card.judged(POPULATION)
    assert rows == 412_880
    assert base == pytest.approx(0.0216, abs=1e-4)
    assert "41,288" in PAGES["population"]


def test_what_is_missing_is_told_with_what_mends_it() -> None:
    for key in ("candidates", "segments", "parity", "description"):
        report = copy.deepcopy(GOOD)
        del report[key]
        with pytest.raises(CdpError, match=key) as told:
            card.render(report, GOOD_MANIFEST)
        assert "cdp train" in told.value.fix
    with pytest.raises(CdpError, match="row_hash"):
        card.render(GOOD, {k: v for k, v in GOOD_MANIFEST.items() if k != "row_hash"})


def test_a_card_is_written_whole_and_always_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a" / "card.html"
    card.write(GOOD, GOOD_MANIFEST, path)
    assert path.read_text(encoding="utf-8") == PAGES["good"]
    assert card.render(copy.deepcopy(GOOD), copy.deepcopy(GOOD_MANIFEST)) == PAGES["good"]


def test_the_reports_of_these_tests_agree_with_themselves() -> None:
    for report in (GOOD, POPULATION):
        assert len(list(figures(report))) > 50
        for figure in figures(report):
            assert figure["low"] <= figure["value"] <= figure["high"]
        chosen = report["candidates"][report["estimator"]]["metrics"]
        assert chosen["capture_10"]["value"] == pytest.approx(
            chosen["lift_10"]["value"] / 10, abs=1e-3
        )
