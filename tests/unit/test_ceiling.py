"""The ceiling of what can be predicted, on customers that leave by hazards that are known."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cdp.errors import CdpError
from cdp.models import ceiling
from cdp.models.ceiling import Ceiling
from cdp.models.metrics import Figure

START = datetime(2024, 1, 1, tzinfo=UTC)
WEEKS = 20
SAMPLE = 500


@dataclass
class World:
    """Customers, their hazards, and what a model is judged on.

    churned: the day of churn of each customer, counted from the start; beyond the end for none.
    estimate: by sample_row, how probable it is that it has left.
    """

    hazards: pa.Table
    rows: pd.DataFrame
    churned: np.ndarray
    estimate: np.ndarray


@pytest.fixture(scope="module")
def world() -> World:
    rng = np.random.default_rng(5)
    customers = 3000
    estimate = rng.beta(0.5, 1.2, SAMPLE)
    has_left = rng.random(SAMPLE) < estimate
    sample_row = rng.integers(0, SAMPLE, customers)
    base = np.exp(rng.normal(-5, 1, customers))
    without = np.minimum(0.3, base[:, None] * np.where(rng.random((customers, WEEKS)) < 0.1, 3, 1))
    hazard = without * np.where(has_left[sample_row], 2.5, 1)[:, None]
    leaves = rng.random((customers, WEEKS)) < hazard
    week = np.where(leaves.any(axis=1), leaves.argmax(axis=1), WEEKS)
    who, when = np.nonzero(np.arange(WEEKS)[None, :] <= week[:, None])
    order = rng.permutation(len(who))
    who, when = who[order], when[order]
    hazards = pa.table(
        {
            "customer_id": pa.array([f"c{n}" for n in who]),
            "sample_row": pa.array(sample_row[who], pa.int32()),
            "sample_churned": has_left[sample_row][who],
            "week": pa.array(when, pa.int32()),
            "week_starts_at": pa.array(
                [START + timedelta(weeks=int(w)) for w in when], pa.timestamp("us", "UTC")
            ),
            "hazard": hazard[who, when],
            "hazard_without_sample": without[who, when],
        }
    )
    churned = week * 7 + rng.integers(1, 7, customers)
    parts = []
    for day in (34, 62, 90):
        there = np.flatnonzero(churned > day)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"c{n}" for n in there],
                    "as_of_date": (START + timedelta(days=day)).date(),
                    "label": churned[there] <= day + 30,
                    # What an honest model could know: the usual hazard, roughly.
                    "probability": base[there] * np.exp(rng.normal(0, 0.3, len(there))),
                }
            )
        )
    return World(hazards, pd.concat(parts, ignore_index=True), churned, estimate)


def test_the_oracle_is_above_the_observable_and_that_above_a_model(world: World) -> None:
    found = ceiling.measure(world.rows, world.hazards, world.estimate)
    assert found.oracle.value > found.observable.value > found.model.value > 0.6
    for figure in (found.oracle, found.observable, found.model):
        assert figure.low < figure.value < figure.high
        assert figure.high - figure.low < 0.1
    assert 0 < found.standard_error < 0.02
    assert (found.rows, found.left_out) == (len(world.rows), 0)
    ceiling.refuse_above_oracle(found)
    assert found == ceiling.measure(world.rows, world.hazards, world.estimate)


def test_with_sample_churn_itself_as_its_estimate_the_observable_is_the_oracle(
    world: World,
) -> None:
    rows, has_left = (world.hazards[name].to_pylist() for name in ("sample_row", "sample_churned"))
    pairs = dict(zip(rows, has_left, strict=True))
    known = np.array([float(pairs.get(row, False)) for row in range(SAMPLE)])
    found = ceiling.measure(world.rows, world.hazards, known)
    assert found.observable == found.oracle


def test_a_leaked_label_is_refused(world: World) -> None:
    rng = np.random.default_rng(6)
    labels = world.rows["label"].to_numpy(float)
    leaked = world.rows.assign(probability=labels + rng.normal(0, 0.5, len(labels)))
    found = ceiling.measure(leaked, world.hazards, world.estimate)
    with pytest.raises(CdpError, match="it has seen the label") as error:
        ceiling.refuse_above_oracle(found)
    assert error.value.fix


def test_a_little_above_the_oracle_is_chance() -> None:
    oracle = Figure(0.75, 0.73, 0.77)
    found = Ceiling(oracle, oracle, Figure(0.759, 0.74, 0.78), 0.005, 1000, 0)
    ceiling.refuse_above_oracle(found)
    with pytest.raises(CdpError):
        ceiling.refuse_above_oracle(replace(found, standard_error=0.004))


def test_the_week_is_the_first_that_starts_after_the_day(world: World) -> None:
    weeks = world.hazards["week"].to_numpy()
    owner = world.hazards["customer_id"].to_pylist()
    for day, containing in ((34, 5), (33, 4), (36, 5)):
        rows = world.rows.query("as_of_date == @first", local_dict={"first": date(2024, 2, 4)})
        rows = rows.assign(as_of_date=(START + timedelta(days=day)).date())
        after = containing + 1
        for place, customer in zip(
            ceiling.places(rows, world.hazards), rows["customer_id"], strict=True
        ):
            assert owner[place] == customer
            left = world.churned[int(customer[1:])]
            # Who leaves before that week starts has the one that contains the day's end.
            assert weeks[place] == (after if left >= 7 * after else containing)


def test_rows_of_others_are_left_out_and_counted(world: World) -> None:
    stranger = world.rows.head(2).assign(customer_id=["7590-VHVEG", "5575-GNVDE"])
    later = world.rows.head(1).assign(as_of_date=date(2025, 1, 1))
    rows = pd.concat([stranger, world.rows, later], ignore_index=True)
    found = ceiling.measure(rows, world.hazards, world.estimate)
    assert found.left_out == 3
    assert replace(found, left_out=0) == ceiling.measure(world.rows, world.hazards, world.estimate)
    for none, hazards in ((stranger, world.hazards), (world.rows, world.hazards.slice(0, 0))):
        with pytest.raises(CdpError, match="no row has a hazard"):
            ceiling.measure(none, hazards, world.estimate)


def test_what_cannot_be_measured_is_refused(world: World) -> None:
    with pytest.raises(CdpError, match="all labels are the same"):
        ceiling.measure(world.rows.assign(label=False), world.hazards, world.estimate)
    with pytest.raises(CdpError, match="300 estimates of sample_churn"):
        ceiling.measure(world.rows, world.hazards, world.estimate[:300])
    with pytest.raises(CdpError, match="not a number"):
        ceiling.measure(world.rows.assign(probability=np.nan), world.hazards, world.estimate)


def test_the_interval_is_of_customers_not_of_rows(world: World) -> None:
    """Rows that stand ten times make nothing surer."""
    tenfold = pd.concat([world.rows] * 10, ignore_index=True)
    one = ceiling.measure(world.rows, world.hazards, world.estimate)
    ten = ceiling.measure(tenfold, world.hazards, world.estimate)
    assert ten.standard_error == pytest.approx(one.standard_error)
    assert ten.model.low == pytest.approx(one.model.low)


@pytest.mark.parametrize("steps", [2, 7, 1000])
def test_roc_auc_is_the_share_of_pairs_in_order_ties_half(steps: int) -> None:
    rng = np.random.default_rng(steps)
    labels = rng.random(300) < 0.3
    scores = np.floor(rng.random(300) * steps)
    pairs = scores[labels][:, None] - scores[~labels][None, :]
    assert ceiling.roc_auc(labels, scores) == pytest.approx(((np.sign(pairs) + 1) / 2).mean())
