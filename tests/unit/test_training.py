"""What is trained: splits, figures, encodings, reasons, ONNX, and what is refused."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import metrics as reference

from cdp.errors import CdpError
from cdp.models import judging, leakage, metrics, onnx_file, train
from cdp.models import problem as problems
from cdp.models.encoding import Encoder, Matrix
from cdp.models.estimators import ESTIMATORS
from cdp.models.fitting import How, Rows
from cdp.models.hashes import hash_each, hash_rows
from cdp.models.judging import Asked
from cdp.models.metrics import Figure, Judged
from cdp.models.model import ChurnModel
from cdp.models.problem import Problem
from cdp.models.training_set import features_frame
from cdp.models.tune import Calibration, Part, Tuned, calibrate, fit, folds_of
from cdp.settings import ROOT
from tests.support.training import BY_TIME, frame, given, problem, with_columns

every_estimator = pytest.mark.parametrize("name", ESTIMATORS)


# Problems.


@pytest.mark.parametrize("name", ["sample", "population"])
def test_the_declared_problems_read(name: str) -> None:
    assert problems.read(name, ROOT / "problems").problem == name


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"columns": {"customer_id": "numeric"}}, "customer_id must never be a feature: identif"),
        ({"columns": {"has_churned": "boolean"}}, "has_churned is the target, and a feature"),
        ({"segments": ["region"]}, "segments that are no features: region"),
        ({"columns": {"usage": "number"}}, "columns.usage"),
        ({"colums": {}}, "colums"),
        ({"split": {"kind": "time"}}, "judged_share_of_dates"),
        ({"split": BY_TIME | {"purge_days": 7}}, "purge_days is 7, and the label looks 30"),
        ({"columns": {"probability": "numeric"}}, "probability is what a model answers"),
    ],
)
def test_a_wrong_problem_is_refused(changed: dict[str, object], words: str, tmp_path: Path) -> None:
    import yaml

    declared = problem().model_dump(mode="json") | changed
    (tmp_path / "small.yml").write_text(yaml.safe_dump(declared))
    with pytest.raises(CdpError, match=words) as error:
        problems.read("small", tmp_path)
    assert error.value.fix


def test_an_unknown_problem_names_those_that_there_are() -> None:
    with pytest.raises(CdpError, match=r"there is no problem \.\./x") as error:
        problems.read("../x", ROOT / "problems")
    assert "population, sample" in error.value.fix


# Leakage: each is planted, and is refused with the column and the reason.


def later(rows: pd.DataFrame) -> None:
    rows["closed_on"] = [date(2024, 3, 1)] * len(rows)


def nearly_label(rows: pd.DataFrame) -> None:
    noise = np.random.default_rng(1).normal(0, 0.5, len(rows))
    rows["days_to_churn"] = rows["has_churned"] + noise


def state_of_churn(rows: pd.DataFrame) -> None:
    rows["has_left"] = rows["has_churned"]


def missing_when_it_stays(rows: pd.DataFrame) -> None:
    rows["reason_code"] = np.where(rows["has_churned"], 1.0, np.nan)


def identifier(rows: pd.DataFrame) -> None:
    rows["account"] = np.random.default_rng(1).permutation(len(rows)) + 10_000


def name_of_a_customer(rows: pd.DataFrame) -> None:
    rows["email"] = [f"a{i}@example.org" for i in range(len(rows))]


def always_the_same(rows: pd.DataFrame) -> None:
    rows["country"] = 1.0


def never_there(rows: pd.DataFrame) -> None:
    rows["score"] = pd.Series([None] * len(rows), dtype="float64")


@pytest.mark.parametrize(
    ("plant", "kind", "words"),
    [
        (later, "numeric", "closed_on .* holds moments after the as-of date"),
        (nearly_label, "numeric", "days_to_churn .* knows the label"),
        (state_of_churn, "boolean", "has_left .* knows the label"),
        (missing_when_it_stays, "numeric", "reason_code .* knows the label"),
        (identifier, "numeric", "account .* is an identifier: 600 different numbers"),
        (name_of_a_customer, "categorical", "email .* is an identifier: 600 different texts"),
        (always_the_same, "numeric", "country .* is 1.0 in every row"),
        (never_there, "numeric", "score .* is null in every row"),
        (identifier, "categorical", "account .* is declared categorical, and the table has int64"),
    ],
)
def test_a_column_that_leaks_or_says_nothing_is_refused(
    plant: Callable[[pd.DataFrame], None], kind: str, words: str
) -> None:
    rows = frame()
    plant(rows)
    (column,) = set(map(str, rows)) - set(map(str, frame(10)))
    with pytest.raises(CdpError, match=words) as error:
        leakage.check(given(rows, with_columns(problem(), **{column: kind})))
    assert column in error.value.fix


def test_an_honest_set_passes() -> None:
    leakage.check(given(frame()))


def test_the_state_after_churn_is_no_feature_of_the_population() -> None:
    declared = problems.read("population", ROOT / "problems").model_dump()
    declared["columns"] |= {"has_churned": "boolean"}
    with pytest.raises(ValueError, match="has_churned must never be a feature: the state after"):
        Problem.model_validate(declared)


def test_rows_that_were_resampled_before_the_split_are_refused() -> None:
    one = given(frame())
    twice = one.take(np.append(np.arange(600), np.flatnonzero(one.labels == 1)))
    with pytest.raises(CdpError, match=r"several times, such as C0.* resampled before the split"):
        leakage.check(twice)


@pytest.mark.parametrize("how", ["doubled", "relabelled", "changed", "added"])
def test_a_part_that_is_not_of_the_set_is_refused(how: str) -> None:
    """What resampling does to the rows that a split has made."""
    one = given(frame())
    rows = np.arange(300)
    part = judging.part_of(one, rows)
    if how == "doubled":
        rows = np.append(rows, 7)
        part = Part(one.frame.iloc[rows], one.labels[rows], one.groups[rows])
    elif how == "relabelled":
        part = replace(part, labels=1 - part.labels)
    elif how == "changed":
        part = replace(part, frame=part.frame.assign(usage=0.0))
    else:
        part = replace(part, frame=one.frame.iloc[:301])
    with pytest.raises(CdpError, match="resampled or changed between reading and splitting"):
        leakage.check_part(one, rows, part)


def test_a_customer_with_two_rows_on_its_last_date_is_refused() -> None:
    rows = frame()
    again = rows.assign(has_churned=~rows["has_churned"])
    twice = given(pd.concat([rows, again]), problem(as_of_dates="last"))
    with pytest.raises(CdpError, match=r"600 rows are there several times"):
        leakage.check(twice)


def test_of_several_dates_the_last_one_counts() -> None:
    one = given(frame(50, dates=3), problem(as_of_dates="last"))
    assert len(one.labels) == 50
    assert len(np.unique(one.dates)) == 1


def test_an_account_of_several_dates_is_an_identifier() -> None:
    rows = frame(600, dates=5)
    rows["account"] = rows["customer_id"].str[1:].astype("float64") + 1e6
    columns = {"account": "numeric"}
    with pytest.raises(CdpError, match=r"account .* 600 different numbers of 600 customers"):
        leakage.check(given(rows, with_columns(problem(), **columns)))


def test_infinite_values_are_refused() -> None:
    rows = frame()
    rows.loc[3, "charges"] = 1e39
    with pytest.raises(CdpError, match=r"charges .* too large for float32, in 1 rows"):
        leakage.check(given(rows))


def test_a_leak_that_points_neither_way_is_found() -> None:
    rows = frame()
    g = np.random.default_rng(4)
    rows["status"] = np.where(rows["has_churned"], 2, g.choice([1, 3], 600))
    with pytest.raises(CdpError, match=r"status .* knows the label"):
        leakage.check(given(rows, with_columns(problem(), status="numeric")))


def test_many_honest_categories_are_not_taken_for_a_leak() -> None:
    rows = frame()
    rows["town"] = [f"town {n}" for n in np.random.default_rng(4).integers(0, 100, 600)]
    leakage.check(given(rows, with_columns(problem(), town="categorical")))


def test_a_half_with_too_few_positives_is_refused() -> None:
    of = problem(split=BY_TIME)
    rows = frame(200, dates=10)
    rows.loc[rows["as_of_date"] > date(2024, 2, 20), "has_churned"] = False
    with pytest.raises(CdpError, match="rows that are judged 0 are of the rarer class"):
        judging.plan(given(rows, of), Asked())


def test_labels_that_are_numbers_and_keys_that_are_null_are_refused() -> None:
    rows = frame()
    rows["has_churned"] = rows["has_churned"].astype("int32")
    with pytest.raises(CdpError, match="has_churned is a int32, and a label is true or false"):
        leakage.check(given(rows))
    rows = frame()
    rows.loc[3, "customer_id"] = None
    with pytest.raises(CdpError, match="is null in 1 rows"):
        leakage.check(given(rows))


def test_a_customer_in_both_halves_is_refused() -> None:
    one = given(frame())
    half = np.arange(600) < 300
    leakage.check_split(one.take(half), one.take(~half))
    with pytest.raises(CdpError, match=r"1 judged rows are of customers .* such as C00299"):
        leakage.check_split(one.take(half), one.take(np.arange(600) >= 299))


@pytest.mark.parametrize(
    ("churned", "words"),
    [(0, "has_churned is false in all 600 rows: one class"), (600, "true in all"), (20, "20 rows")],
)
def test_labels_that_teach_nothing_are_refused(churned: int, words: str) -> None:
    rows = frame()
    rows["has_churned"] = np.arange(600) < churned
    with pytest.raises(CdpError, match=words):
        leakage.check(given(rows))


def test_no_rows_are_refused() -> None:
    with pytest.raises(CdpError, match="has no rows at main"):
        leakage.check(given(frame().iloc[:0]))


def test_a_result_above_the_ceiling_is_refused() -> None:
    rows = frame()
    # Each of the columns is plausible, and together they are the label.
    g = np.random.default_rng(3)
    for n in range(6):
        rows[f"part_{n}"] = rows["has_churned"] + g.normal(0, 1.3, 600)
    columns = {f"part_{n}": "numeric" for n in range(6)}
    of = with_columns(problem(ceiling={"roc_auc": 0.865}), **columns)
    one = given(rows, of)
    leakage.check(one)
    found = judging.judge(one, Asked(("logistic",), 1, 1), lambda _: None)
    with pytest.raises(CdpError, match=r"leakage: logistic reaches a ROC-AUC of 0\.9"):
        train.refuse_implausible(of, found)


# Splits.


def test_folds_keep_a_customer_together_and_are_of_even_size() -> None:
    one = given(frame(100, dates=4))
    folds = folds_of(one.groups, 5, 7)
    assert all(len(set(folds[one.groups == g])) == 1 for g in range(100))
    assert set(np.bincount(folds)) == {80}
    assert (folds == folds_of(one.groups, 5, 7)).all()
    assert (folds != folds_of(one.groups, 5, 8)).any()


def test_a_split_by_time_purges_and_separates_customers() -> None:
    of = problem(split=BY_TIME)
    one = given(frame(200, dates=10), of)
    assert of.split.kind == "time"
    trained, judged = judging.by_time(one, of.split)
    gap = one.dates[judged].min() - one.dates[trained].max()
    assert gap >= np.timedelta64(30, "D")
    assert not set(one.groups[trained]) & set(one.groups[judged])
    assert 0.2 < len(set(one.groups[judged])) / 200 < 0.4
    left_out = frozenset({"C00000", "C00001"})
    trained, judged = judging.by_time(one, of.split, left_out)
    assert not {0, 1} & set(one.groups[trained])
    assert {0, 1} <= set(one.groups[judged])


def test_too_few_dates_for_a_split_by_time_are_refused() -> None:
    of = problem(split=BY_TIME)
    assert of.split.kind == "time"
    with pytest.raises(CdpError, match="of 2 as-of dates none is 30 days before"):
        judging.by_time(given(frame(100, dates=2), of), of.split)


# Figures, against those of scikit-learn.


def test_figures_are_those_of_scikit_learn() -> None:
    g = np.random.default_rng(5)
    p = g.random(3000).round(2)  # with ties
    y = (g.random(3000) < p).astype(np.int8)
    w = g.integers(0, 4, 3000).astype(float)
    for weights in (None, w):
        found = Judged(y, p).figures(weights)
        assert found["roc_auc"] == pytest.approx(
            reference.roc_auc_score(y, p, sample_weight=weights)
        )
        average = reference.average_precision_score(y, p, sample_weight=weights)
        assert found["pr_auc"] == pytest.approx(average)
        brier = reference.brier_score_loss(y, p, sample_weight=weights)
        assert found["brier"] == pytest.approx(brier)
        loss = reference.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15), sample_weight=weights)
        assert found["log_loss"] == pytest.approx(loss)


def test_lift_capture_and_ece_by_hand() -> None:
    p = np.linspace(1, 0, 100)
    y = np.zeros(100, dtype=np.int8)
    y[:10], y[50:60] = 1, 1
    found = Judged(y, p).figures()
    assert found["capture_10"] == pytest.approx(0.5)
    assert found["lift_10"] == pytest.approx(5)
    assert found["capture_1"] == pytest.approx(0.05)
    perfect = Judged(y, y.astype(float)).figures()
    assert (perfect["roc_auc"], perfect["ece"]) == (1, 0)


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    g = np.random.default_rng(7)
    p = g.choice([0.1, 0.2, 0.4], 1000)
    y = (g.random(1000) < p).astype(np.int8)
    shuffled = g.permutation(1000)
    one, other = Judged(y, p).figures(), Judged(y[shuffled], p[shuffled]).figures()
    assert one == pytest.approx(other)
    # One probability for all ranks nobody.
    same = Judged(y, np.full(1000, y.mean())).figures()
    assert (same["lift_10"], same["roc_auc"], same["ece"]) == pytest.approx((1, 0.5, 0))


def test_intervals_hold_the_truth_and_pairs_are_compared_on_the_same_rows() -> None:
    g = np.random.default_rng(6)
    p = g.random(4000)
    y = (g.random(4000) < p).astype(np.int8)
    weights = metrics.resamples(np.arange(4000), 200, 1)
    good = metrics.judge(y, p, weights)
    worse = metrics.judge(y, np.clip(p + g.normal(0, 0.1, 4000), 0.001, 0.999), weights)
    auc = good[0]["roc_auc"]
    # Of labels that are drawn with p, uniform: 5/6.
    assert auc.low < 5 / 6 < auc.high
    gain = metrics.difference("roc_auc", good, worse)
    assert 0 < gain.low < gain.value < gain.high
    assert gain.high - gain.low < auc.high - auc.low


def test_an_ece_lies_in_its_interval_and_a_segment_is_held_to_what_it_promises() -> None:
    g = np.random.default_rng(6)
    p = g.random(2000) / 2
    y = (g.random(2000) < p).astype(np.int8)
    found, _ = metrics.judge(y, p, metrics.resamples(np.arange(2000), 200, 1))
    assert all(f.low <= f.value <= f.high for f in found.values())
    assert found["ece"].low < 0.02
    assert Judged(y, p).expected_roc_auc() == pytest.approx(found["roc_auc"].value, abs=0.03)
    # Probabilities that say more than they know promise more.
    bold = np.clip(2 * p - 0.2, 0.001, 0.999)
    assert Judged(y, bold).expected_roc_auc() > found["roc_auc"].high


def test_customers_are_resampled_whole() -> None:
    groups = np.repeat(np.arange(50), 4)
    for weights in metrics.resamples(groups, 5, 1):
        assert (weights.reshape(50, 4) == weights[::4, None]).all()


# Encoding and estimators.


def fitted(name: str, rows: pd.DataFrame, slope: float = 1.0, intercept: float = 0.0) -> ChurnModel:
    one = given(rows)
    part = Part(one.frame, one.labels, one.groups)
    calibration = Calibration(True, slope, intercept, 1, 1)
    tuned = Tuned(ESTIMATORS[name].defaults, 60, calibration)
    return judging.fitted_model("small-1", one.problem, name, part, tuned, How(1))


@pytest.mark.parametrize(
    "text", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_features_are_the_same_however_arrow_has_texts(text: pa.DataType) -> None:
    one = given(frame(50))
    at = one.table.column_names.index("contract")
    other = one.table.set_column(at, "contract", one.table["contract"].cast(text))
    assert features_frame(other, one.problem).equals(one.frame)
    texts = one.table.set_column(at, "usage2", one.table["contract"])
    with pytest.raises(CdpError, match="are no numeric feature"):
        features_frame(texts, with_columns(problem(columns={"usage2": "numeric"}, segments=[])))


def test_an_encoder_learns_from_training_rows_alone() -> None:
    rows = frame()
    one = given(rows)
    encoder = Encoder.fit(one.frame, one.problem)
    other = one.frame.iloc[:3].copy()
    other["contract"] = ["five years", None, "month"]
    other["charges"] = [math.nan, 1.0, 2.0]
    x = encoder.transform(other)
    at = {label: x[:, n].tolist() for n, label in enumerate(encoder.labels)}
    assert at["contract = month"] == [0, 0, 1]
    assert at["contract = missing"] == [0, 1, 0]
    assert at["charges"][0] == pytest.approx(rows["charges"].median())
    assert at["charges is missing"] == [1, 0, 0]
    assert x.dtype == np.float32
    with pytest.raises(CdpError, match="the rows have no column usage"):
        encoder.transform(other.drop(columns="usage"))


@every_estimator
def test_contributions_are_shapley_values(name: str) -> None:
    """They sum up to the log-odds. Those of the linear model are what a column's value changes
    against its mean over the training rows."""
    rows = frame()
    model = fitted(name, rows, slope=1.3, intercept=-0.2)
    one = given(rows).frame
    parts = model.contributions(one)
    assert np.abs(parts.sum(axis=1) - model.log_odds(one)).max() < 1e-6
    assert parts.shape == (600, len(model.columns) + 1)
    if name == "logistic":
        sample = one.iloc[:5]
        for position, column in enumerate(model.columns):
            without = pd.concat([sample] * 600).assign(
                **{column: np.repeat(one[column].to_numpy(), 5)}
            )
            mean = model.log_odds(without).reshape(600, 5).mean(axis=0)
            expected = model.log_odds(sample) - mean
            assert parts[:5, position] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_contributions_of_trees_are_those_of_all_orders_of_columns(name: str) -> None:
    """Against Shapley's formula by brute force, with the value of a set of columns as TreeSHAP has
    it: where a split's column is not in the set, both ways, by their training rows."""
    g = np.random.default_rng(2)
    x = g.normal(size=(400, 3)).astype(np.float32)
    y = (g.random(400) < 1 / (1 + np.exp(-2 * x[:, 0] * x[:, 1] - x[:, 2]))).astype(np.int8)
    encoder = Encoder(())
    larger: dict[str, Any] = {"max_depth": 3, "min_child_weight": 0.01, "colsample_bytree": 1.0}
    if name == "lightgbm":
        larger = {"num_leaves": 6, "min_data_in_leaf": 5}
    parameters = ESTIMATORS[name].defaults | larger
    one = ESTIMATORS[name].fit(Rows(x, y, encoder), parameters, How(1, rounds=4))
    trees = one.booster.trees_to_dataframe()  # type: ignore[attr-defined]
    point = x[7]

    def value(known: frozenset[int]) -> float:
        return sum(
            node_value(name, tree, tree.index[0], point, known)
            for _, tree in trees.groupby("tree_index" if name == "lightgbm" else "Tree")
        )

    expected = []
    for column in range(3):
        total = 0.0
        others = [c for c in range(3) if c != column]
        for size in range(3):
            for chosen in itertools.combinations(others, size):
                weight = math.factorial(size) * math.factorial(2 - size) / math.factorial(3)
                total += weight * (value(frozenset({*chosen, column})) - value(frozenset(chosen)))
        expected.append(total)
    found = one.contributions(point[None, :])[0]
    assert found[:3] == pytest.approx(expected, abs=1e-4)


def node_value(
    name: str, tree: pd.DataFrame, at: int, point: Matrix, known: frozenset[int]
) -> float:
    """The value of a node: of a leaf; else of one way or of both, by how many rows took them."""
    node: Any = tree.loc[at]
    if name == "lightgbm":
        if pd.isna(node["split_feature"]):
            return float(node["value"])
        column = int(node["split_feature"].removeprefix("Column_"))
        goes_left = point[column] <= node["threshold"]
        ways = [tree.index[tree["node_index"] == node[k]][0] for k in ("left_child", "right_child")]
        sizes: Any = [tree.loc[w, "count"] for w in ways]
    else:
        if node["Feature"] == "Leaf":
            return float(node["Gain"])
        column = int(node["Feature"].removeprefix("f"))
        goes_left = point[column] < node["Split"]
        ways = [tree.index[tree["ID"] == node[k]][0] for k in ("Yes", "No")]
        sizes = [tree.loc[w, "Cover"] for w in ways]
    if column in known:
        return node_value(name, tree, ways[0] if goes_left else ways[1], point, known)
    values = [node_value(name, tree, w, point, known) for w in ways]
    return float((sizes[0] * values[0] + sizes[1] * values[1]) / sum(sizes))


def test_a_calibration_is_kept_only_where_it_helps() -> None:
    g = np.random.default_rng(8)
    margins = g.normal(-1, 1.5, 6000)
    y = (g.random(6000) < 1 / (1 + np.exp(-margins))).astype(np.int8)
    folds = folds_of(np.arange(6000), 3, 1)
    assert not calibrate(margins, y, folds).is_chosen
    found = calibrate(2 * margins + 0.5, y, folds)
    assert found.is_chosen
    assert (found.slope, found.intercept) == pytest.approx((0.5, -0.25), abs=0.06)
    assert found.log_loss_after < found.log_loss_before


# ONNX.


@every_estimator
def test_onnx_answers_as_the_model_does(name: str) -> None:
    rows = frame()
    model = fitted(name, rows, slope=1.3, intercept=-0.2)
    found = onnx_file.compare(model, onnx_file.export(model), given(rows).frame, 20_000)
    assert found.rows == 20_000
    assert found.other_paths == 0
    assert found.largest_difference <= 2e-6


def test_numbers_alone_are_converted() -> None:
    """Then no column is left that is no ramp."""
    of = problem(columns={"tenure_months": "numeric", "usage": "numeric"}, segments=[])
    one = given(frame(), of)
    part = Part(one.frame, one.labels, one.groups)
    tuned = Tuned({"c": 1.0}, None, Calibration(False, 1, 0, 1, 1))
    model = judging.fitted_model("small-1", of, "logistic", part, tuned, How(1))
    assert not onnx_file.compare(model, onnx_file.export(model), one.frame, 5_000).other_paths


@every_estimator
def test_a_conversion_that_is_wrong_is_refused(name: str) -> None:
    rows = frame()
    model = fitted(name, rows)
    other = fitted(name, rows, slope=1.01)
    found = onnx_file.compare(model, onnx_file.export(other), given(rows).frame, 5_000)
    with pytest.raises(CdpError, match=r"ONNX and the model differ in .* nothing is registered"):
        onnx_file.require_parity(found)


def test_thresholds_that_are_rounded_to_nearest_would_be_found() -> None:
    """LightGBM's thresholds are float64: rounded up, rows between both take another path."""
    rows = frame(2000)
    one = given(rows)
    encoder = Encoder.fit(one.frame, one.problem)
    part = Rows(encoder.transform(one.frame), one.labels, encoder)
    limits = ESTIMATORS["lightgbm"].fit(part, ESTIMATORS["lightgbm"].defaults, How(1, rounds=60))
    for values in limits.thresholds().values():
        assert (values == values.astype(np.float32)).all()


@every_estimator
def test_a_fit_is_the_same_again(name: str) -> None:
    one = given(frame())
    part = Part(one.frame, one.labels, one.groups)
    tuned = Tuned(ESTIMATORS[name].defaults, 20, Calibration(False, 1, 0, 1, 1))
    margins = []
    for _ in range(2):
        encoder, again = fit(name, part, one.problem, tuned, How(3))
        margins.append(again.margin(encoder.transform(one.frame)))
    assert (margins[0] == margins[1]).all()


# Hashes.


def test_a_hash_tells_every_change() -> None:
    rows = frame(50)
    whole = given(rows)
    assert hash_rows(whole.table) == hash_rows(given(rows.sample(frac=1, random_state=1)).table)
    others: dict[str, Any] = {"tenure_months": 99, "charges": 0.01, "contract": "ten years"}
    others |= {c: not rows.loc[3, c] for c in ("is_senior", "has_churned")}
    for column, value in others.items():
        changed = rows.copy()
        changed.loc[3, column] = value
        one = given(changed)
        assert one.row_hash != whole.row_hash
        assert (hash_each(one.table) != hash_each(whole.table)).sum() == 1
    # What a row hashes to does not depend on other rows, nor on what pandas makes of their nulls.
    fewer = whole.take(np.arange(50) != 3)
    assert np.isin(hash_each(fewer.table), hash_each(whole.table)).all()
    with_null = rows.astype({"tenure_months": "Int32", "is_senior": "boolean"})
    with_null.loc[3, ["tenure_months", "is_senior"]] = pd.NA
    assert (hash_each(given(with_null).table) != hash_each(whole.table)).sum() == 1
    # Null is neither 0 nor empty.
    empty, null = rows.copy(), rows.copy()
    empty.loc[0, "contract"], null.loc[0, "contract"] = "", None
    assert given(empty).row_hash != given(null).row_hash
    texts = rows.copy()
    texts["contract"] = ["ab", "c", *["x"] * 48]
    moved = texts.copy()
    moved["contract"] = ["a", "bc", *["x"] * 48]
    assert given(texts).row_hash != given(moved).row_hash


def test_a_figure_without_resamples_has_no_interval() -> None:
    found = metrics.interval(0.5, np.array([math.nan]))
    assert found.value == Figure(0.5, 0, 1).value
    assert math.isnan(found.low)
