"""The gate of a promotion: each check passes what is good enough, and fails what is not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cdp.errors import CdpError
from cdp.models import gate
from cdp.models.gate import Check, Verdict
from tests.support.model_versions import blurred, figure, segment, truth, write

LABELS, CHANCES = truth()
BLURRED = blurred(CHANCES, 0.6)
# Each row of a customer of its own.
ALONE = np.arange(len(LABELS))
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a version into a folder of its own."""
    return lambda **told: write(tmp_path / str(len(list(tmp_path.iterdir()))), **told)


def check(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


def test_a_model_that_is_the_same_passes_and_each_check_is_a_line_with_figures(make: Make) -> None:
    verdict = gate.judge(make(), make())
    assert [c.name for c in verdict.checks] == ["not worse", "calibrated", "segments", "parity"]
    assert verdict.passed
    assert not verdict.failures
    for told in verdict.checks:
        assert any(letter.isdigit() for letter in told.words), told
        assert "\n" not in told.words


def test_without_a_champion_calibration_and_parity_alone_are_judged(make: Make) -> None:
    verdict = gate.judge(None, make(segments=[segment("two_year", 0.1, is_miscalibrated=True)]))
    assert [c.name for c in verdict.checks] == ["calibrated", "parity"]
    assert verdict.passed


def test_a_verdict_is_the_same_each_time_and_as_its_json(make: Make) -> None:
    old, new = make(probabilities=[BLURRED]), make(parity=None)
    verdict = gate.judge(old, new)
    assert verdict.failures == "parity"
    assert gate.judge(old, new) == verdict
    assert Verdict.of_json(json.loads(json.dumps(verdict.as_json()))) == verdict


# Not worse.


def test_who_sees_more_passes_and_who_sees_less_fails(make: Make) -> None:
    # The numbers of seeds may differ.
    less, more = make(probabilities=[BLURRED, BLURRED, BLURRED]), make()
    gained, lost = (check(gate.judge(*pair), "not worse") for pair in ((less, more), (more, less)))
    assert gained.passed
    assert "on the same 1,500 rows ROC-AUC +0.0" in gained.words
    assert not lost.passed
    assert "ROC-AUC -0.0" in lost.words


def test_a_drop_that_the_interval_cannot_tell_from_a_large_one_fails(make: Make) -> None:
    """The difference itself is small: what counts is how large it may be."""
    found = check(gate.judge(make(), make(probabilities=[blurred(CHANCES, 0.15)])), "not worse")
    difference, low = (float(found.words.split()[n].strip("(")) for n in (6, 7))
    assert low < -gate.LOST < difference
    assert not found.passed


def test_the_same_order_with_worse_probabilities_fails_by_log_loss_alone(make: Make) -> None:
    found = check(gate.judge(make(), make(probabilities=[CHANCES**1.5])), "not worse")
    assert "ROC-AUC +0.0000 (+0.0000 to +0.0000)" in found.words
    assert not found.passed


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_areas_count_ties_by_half(decimals: int) -> None:
    def area(probabilities: np.ndarray[Any, Any]) -> float:
        positive, negative = probabilities[LABELS == 1], probabilities[LABELS == 0]
        above = (positive[:, None] > negative).mean()
        return float(above + (positive[:, None] == negative).mean() / 2)

    tied = np.round(CHANCES, decimals)
    found, _ = gate._paired(LABELS, CHANCES[:, None], np.column_stack([tied, BLURRED]), ALONE)
    expected = (area(tied) + area(BLURRED)) / 2 - area(CHANCES)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.low < found.value < found.high


def test_both_sides_of_a_pair_see_the_same_resamples() -> None:
    """Else the interval of a difference between equals would be as wide as that of a figure."""
    found, loss = gate._paired(LABELS, CHANCES[:, None], CHANCES[:, None] * 0.5, ALONE)
    assert (found.low, found.value, found.high) == (0, 0, 0)
    assert loss.low > 0


@pytest.mark.parametrize(
    ("area", "loss", "passed"),
    [(0.8, 0.4, True), (0.79, 0.41, True), (0.77, 0.4, False), (0.8, 0.43, False)],
    ids=["same", "worse by chance", "lower area", "higher loss"],
)
def test_on_other_rows_reported_figures_are_compared(
    make: Make, area: float, loss: float, passed: bool
) -> None:
    old = make(metrics={"roc_auc": figure(0.8), "log_loss": figure(0.4)})
    told = {"roc_auc": figure(area), "log_loss": figure(loss)}
    found = check(gate.judge(old, make(evaluated="others", metrics=told)), "not worse")
    assert found.passed is passed
    assert found.words.startswith("evaluated on other rows than the champion")


def test_rows_of_one_customer_go_together(make: Make) -> None:
    """Four equal rows of a customer say no more than one: the interval is twice as wide."""
    alone, by_fours = (
        gate._paired(LABELS, CHANCES[:, None], BLURRED[:, None], customers)[0]
        for customers in (ALONE, np.argsort(np.argsort(CHANCES)) // 4)
    )
    assert by_fours.value == alone.value
    assert by_fours.high - by_fours.low > alone.high - alone.low


def test_segments_that_cannot_be_compared_fail(make: Make) -> None:
    found = check(gate.judge(make(), make(segments=[])), "segments")
    assert not found.passed


def test_two_that_name_no_rows_are_not_taken_for_the_same_rows(make: Make) -> None:
    found = check(gate.judge(make(evaluated=None), make(evaluated=None)), "not worse")
    assert "evaluated on other rows" in found.words


def test_labels_that_differ_fail_though_the_hash_is_the_same(make: Make) -> None:
    found = check(gate.judge(make(), make(labels=LABELS[::-1].copy())), "not worse")
    assert not found.passed
    assert "labels differ" in found.words


# Calibrated.


@pytest.mark.parametrize(
    ("ece", "passed"),
    [(figure(0.03, 0.01), True), (figure(0.04, 0.01), False), (figure(None), False)],
    ids=["may be low", "is high", "unknown"],
)
def test_the_error_of_calibration_fails_when_its_whole_interval_is_high(
    make: Make, ece: dict[str, float], passed: bool
) -> None:
    assert check(gate.judge(None, make(metrics={"ece": ece})), "calibrated").passed is passed


@pytest.mark.parametrize(("factor", "passed"), [(1.0, True), (1.05, True), (1.2, False)])
def test_the_mean_probability_is_within_three_standard_errors_of_what_happened(
    make: Make, factor: float, passed: bool
) -> None:
    moved = np.minimum(CHANCES * factor, 1.0)
    found = check(gate.judge(None, make(probabilities=[moved])), "calibrated")
    assert found.passed is passed
    assert f"observed {LABELS.mean():.4f}" in found.words


# Segments.


@pytest.mark.parametrize(
    ("area", "passed"), [(0.9, True), (0.771, True), (0.77, True), (0.769, False)]
)
def test_a_segment_may_lose_half_of_its_interval(make: Make, area: float, passed: bool) -> None:
    old = make(segments=[segment("two_year", 0.8), segment("one_year")])
    new = make(segments=[segment("one_year"), segment("two_year", area)], evaluated="others")
    found = check(gate.judge(old, new), "segments")
    assert found.passed is passed
    assert passed or "1 worse: contract_type=two_year: ROC-AUC 0.769 after 0.800" in found.words


def test_segments_that_cannot_be_compared_are_not(make: Make) -> None:
    old = make(segments=[segment("small", None)])
    new = make(
        segments=[segment("small", 0.4), segment("new", 0.4), segment("rare", None)],
        evaluated="others",
    )
    found = check(gate.judge(old, new), "segments")
    assert found.passed
    assert "none of 0" in found.words


@pytest.mark.parametrize(
    ("was", "passed"),
    [
        ([segment("two_year", is_miscalibrated=True)], True),
        ([segment("two_year")], False),
        ([], False),
    ],
    ids=["as before", "newly", "a new segment"],
)
def test_a_segment_must_not_become_miscalibrated(
    make: Make, was: list[dict[str, Any]], passed: bool
) -> None:
    new = make(segments=[segment("two_year", is_miscalibrated=True)], evaluated="others")
    found = check(gate.judge(make(segments=was), new), "segments")
    assert found.passed is passed
    assert passed or "1 newly miscalibrated: contract_type=two_year" in found.words


def test_of_many_bad_segments_a_few_are_named_and_all_counted(make: Make) -> None:
    names = [f"value {n}" for n in range(7)]
    old = make(segments=[segment(name) for name in names])
    new = make(segments=[segment(name, 0.6) for name in names], evaluated="others")
    words = check(gate.judge(old, new), "segments").words
    assert words.startswith("7 worse: ")
    assert words.endswith(", and 4 more")


# Parity.


@pytest.mark.parametrize(
    ("parity", "passed"),
    [
        ({"rows": 1000, "largest_difference": 2e-6, "other_paths": 0}, True),
        ({"rows": 1000, "largest_difference": 2.1e-6, "other_paths": 0}, False),
        ({"rows": 1000, "largest_difference": 1e-7, "other_paths": 1}, False),
        ({"rows": 0, "largest_difference": 0.0, "other_paths": 0}, False),
        ({"rows": 1000, "largest_difference": float("nan"), "other_paths": 0}, False),
        (None, False),
    ],
    ids=["at the limit", "too different", "another path", "no rows", "not a number", "none"],
)
def test_parity_must_have_been_found(
    make: Make, parity: dict[str, float] | None, passed: bool
) -> None:
    verdict = gate.judge(None, make(parity=parity))
    assert check(verdict, "parity").passed is passed
    assert verdict.passed is passed


# What cannot be judged.


@pytest.mark.parametrize("file", gate.FILES)
@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"rows": '], ids=repr)
def test_a_file_that_is_missing_or_damaged_is_named(
    make: Make, file: str, content: bytes | None
) -> None:
    old, new = make(), make()
    (new / file).unlink()
    if content is not None:
        (new / file).write_bytes(content)
    with pytest.raises(CdpError, match=f"{file} is missing or damaged") as error:
        gate.judge(old, new)
    assert "\n" not in error.value.problem


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_what_is_no_probability_is_refused(make: Make, wrong: float) -> None:
    folder = make(probabilities=[np.where(np.arange(len(CHANCES)) == 7, wrong, CHANCES)])
    with pytest.raises(CdpError, match=r"predictions\.parquet is missing or damaged"):
        gate.judge(None, folder)


def test_a_part_of_the_report_that_is_missing_is_named(make: Make) -> None:
    folder = make(candidates={"lightgbm": {"metrics": {}}})
    with pytest.raises(CdpError, match=r"has no candidates\.lightgbm\.metrics\.ece"):
        gate.judge(None, folder)


@pytest.mark.parametrize("told", [{"problem": "population"}, {"target": "another"}])
def test_models_of_different_problems_are_not_compared(make: Make, told: dict[str, str]) -> None:
    with pytest.raises(CdpError, match=r"is a model of (problem|target)"):
        gate.judge(make(), make(**told))
