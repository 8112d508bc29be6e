"""Reports of models that nobody trained, and their manifests: a good one, one of a generated
population, and as bad a one as may be."""

import copy
from hashlib import sha256

from tests.support.model_figures import (
    Json,
    bars,
    candidate,
    compared,
    curves,
    example,
    falling,
    figure,
    segments,
)

# What a source could put in a name.
SCRIPT = "<script>document.title = 'taken over'</script>"
HOSTILE = f'"><img src=https://example.com/x.png onerror=alert(1)> & {SCRIPT}'
LONG = "a_column_whose_name_is_much_longer_than_those_of_people_who_write_by_hand"

_BASE, _AREA = 1869 / 7043, 0.8473
_IMPORTANCE = {
    "contract_type": 0.612, "tenure_months": 0.488, "internet_service": 0.397,
    "monthly_charges": 0.214, "payment_method": 0.176, "has_online_security": 0.151,
    "has_tech_support": 0.133, "total_charges": 0.121, "has_paperless_billing": 0.094,
    "has_streaming_movies": 0.071, "has_streaming_tv": 0.058, "has_multiple_lines": 0.049,
    "service_count": 0.041, "is_senior_citizen": 0.036, "has_dependents": 0.031,
    "has_online_backup": 0.024, "average_monthly_charges": 0.019, "has_partner": 0.011,
    "has_device_protection": 0.009, "has_phone_service": 0.003,
}  # fmt: skip
GOOD: Json = {
    "problem": "sample",
    "target": "has_churned",
    "description": (
        "Which customers of the sample have left. The label is a state at one moment, not "
        "something that happens later: it says who resembles those who have left, and not who "
        "will leave when."
    ),
    "estimator": "lightgbm",
    "model_id": "sample-20261130-220105-3f9a",
    "made_at": "2026-11-30T22:01:05Z",
    "rows": 7043,
    "positives": 1869,
    "protocol": (
        "nested cross-validation: 5 seeds by 5 folds of customers, parameters tuned in each "
        "training part with 12 trials"
    ),
    "as_of_dates": ["2024-12-31"],
    "candidates": {
        "lightgbm": candidate(_AREA, _BASE, 0.0094, num_leaves=7, learning_rate=0.05, rounds=340),
        "xgboost": candidate(0.8462, _BASE, 0.0095, max_depth=3, eta=0.05128, rounds=310),
        "logistic": candidate(0.8431, _BASE, 0.0096, c=0.3, rounds=None),
    },
    "comparisons": compared(
        "lightgbm",
        """
        logistic roc_auc 0.0042 0.0017
        logistic pr_auc 0.0071 0.0058
        logistic log_loss -0.0041 0.0023
        xgboost roc_auc 0.0011 0.0013
        xgboost pr_auc -0.0008 0.0041
        xgboost log_loss -0.0006 0.0015
        """,
    ),
    "curves": curves(_AREA, _BASE),
    "importance": [{"column": c, "mean_absolute": size} for c, size in _IMPORTANCE.items()],
    "partial_dependence": [
        bars("contract_type", month_to_month=0.338, one_year=0.207, two_year=0.131),
        falling("tenure_months", 1, 72, 0.468, 0.182),
        bars("internet_service", dsl=0.231, fiber_optic=0.342, none=0.158),
        falling("monthly_charges", 18.25, 118.75, 0.221, 0.314),
        bars("payment_method", bank_transfer_automatic=0.248, electronic_check=0.311),
        bars("has_online_security", no=0.284, yes=0.219),
        bars("has_tech_support", no=0.281, yes=0.227),
        falling("total_charges", 18.8, 8684.8, 0.289, 0.251),
        {"column": "has_partner", "kind": "boolean", "points": [[False, 0.263], [True, 0.279]]},
    ],
    "segments": segments(
        _AREA,
        """
        contract_type     | month_to_month | 3875 | 0.427 | 0.773
        contract_type     | one_year       | 1473 | 0.113 | 0.781
        contract_type     | two_year       | 1695 | 0.028 | 0.792
        internet_service  | dsl            | 2421 | 0.190 | 0.836
        internet_service  | fiber_optic    | 3096 | 0.419 | 0.801
        internet_service  | none           | 1526 | 0.074 | 0.851
        tenure_months     | 1 to 9*        | 1854 | 0.491 | 0.771
        tenure_months     | over 9 to 29   | 1691 | 0.299 | 0.834
        tenure_months     | over 29 to 55  | 1745 | 0.187 | 0.839
        tenure_months     | over 55 to 72  | 1753 | 0.072 | 0.848
        is_senior_citizen | no             | 5901 | 0.236 | 0.851
        is_senior_citizen | yes            | 1142 | 0.417 | 0.794
        """,
    ),
    "examples": [
        example(
            "a customer at high risk",
            0.841,
            "tenure_months 2 .92;contract_type month_to_month .71;internet_service fiber_optic .58;"
            "payment_method electronic_check .28;has_online_security 0 .21;has_tech_support 0 .15;"
            "total_charges 171.45 .11;has_dependents 1 -.07;monthly_charges 84.5 .06;"
            "has_streaming_tv 1 -.04;service_count 3 -.03;has_partner 0 .01",
        ),
        example(
            "a customer at the median risk",
            0.187,
            "contract_type month_to_month .66;tenure_months 31 -.54;internet_service dsl -.39;"
            "monthly_charges 56.1 .22;has_tech_support 1 -.14;payment_method mailed_check -.09",
        ),
        example(
            "a customer at low risk",
            0.012,
            "contract_type two_year -1.44;tenure_months 70 -.81;internet_service none -.62;"
            "monthly_charges 19.85 -.2;has_paperless_billing 0 -.11;service_count 1 -.05;"
            "payment_method mailed_check .03;total_charges missing -.02;has_partner 1 -.01",
        ),
    ],
    "parity": {"rows": 100_000, "largest_difference": 3.1e-7, "other_paths": 0},
    "ceiling": None,
}
_CALIBRATED = {"is_chosen": True, "slope": 1.214, "intercept": 0.0871, "log_loss_after": 0.4102}
GOOD["candidates"]["xgboost"]["calibration"] |= _CALIBRATED
GOOD_MANIFEST: Json = {
    "problem": "sample",
    "model_id": "sample-20261130-220105-3f9a",
    "table": "marts.ftr_customer_churn",
    "tag": "training_sample_20261130_220105_3f9a",
    "snapshots": {"marts.ftr_customer_churn": 6283940017245098331},
    "query": (
        "select customer_id, as_of_date, contract_type, tenure_months, has_churned from "
        "marts.ftr_customer_churn for version as of 'training_sample_20261130_220105_3f9a' where "
        "region is null order by customer_id, as_of_date"
    ),
    "columns": [[c, "bool" if c.startswith(("is_", "has_")) else "double"] for c in _IMPORTANCE],
    "rows": 7043,
    **{f"{n}_hash": sha256(n.encode()).hexdigest() for n in ("row", "evaluated", "code", "lock")},
    "revision": "e43c8fe1b7d0a9c2f4f0b1a6d5c3e2f1a0b9c8d7",
    "asked": ["--trials", "12"],
    "seeds": [11, 23, 37, 53, 71],
    "libraries": {"lightgbm": "4.7.0", "xgboost": "3.1.2", "scikit-learn": "1.8.0"},
}

# A generated population whose ceiling is known: few leave, and figures are sharp.
POPULATION: Json = copy.deepcopy(GOOD) | {
    "problem": "population",
    "target": "churned_within_30_days",
    "description": (
        "Which customers leave within the 30 days that follow an as-of date, by what was known as "
        "that day ended. One row a customer and as-of date."
    ),
    "estimator": "xgboost",
    "model_id": "population-20261130-231840-b07c",
    "rows": 1_376_201,
    "positives": 29_712,
    "protocol": (
        "412,880 rows of 30% of the customers on the last 30% of the as-of dates; trained on the "
        "others until 30 days before; 12 trials"
    ),
    "as_of_dates": [f"2024-{month:02}-28" for month in range(1, 13)],
    "candidates": {
        name: candidate(area, 0.0216, 0.0048, depth=4)
        for name, area in (("xgboost", 0.8012), ("lightgbm", 0.8007), ("logistic", 0.7810))
    },
    "comparisons": compared(
        "xgboost", "lightgbm roc_auc .0005 .0011\nlogistic roc_auc .0202 .0031"
    ),
    "curves": curves(0.8012, 0.0216, 41_288),
    "segments": segments(
        0.8012,
        """
        region            | north          |  51610 | 0.0215 | 0.803
        region            | south_east     |  51322 | 0.0218 | 0.796
        region            | centre         |  51730 | 0.0221 | 0.802
        product_line      | mobile         | 165152 | 0.0131 | 0.789
        product_line      | convergent*    | 165152 | 0.0305 | 0.793
        contract_type     | month_to_month | 227084 | 0.0331 | 0.762
        contract_type     | two_year       |  90834 | 0.0046 | 0.761
        is_senior_citizen | no             | 346819 | 0.0196 | 0.803
        is_senior_citizen | yes            |  66061 | 0.0321 | 0.788
        """,
    ),
    "ceiling": {
        "oracle": figure(0.8641, 0.0041),
        "observable": figure(0.8125, 0.0047),
        "model": figure(0.8012, 0.0048),
        "unseen_rows": figure(0.7981, 0.0066),
    },
}
for _each in POPULATION["partial_dependence"]:
    _each["points"] = [[value, score / 12] for value, score in _each["points"]]
POPULATION_MANIFEST = GOOD_MANIFEST | {
    "problem": "population",
    "model_id": POPULATION["model_id"],
    "rows": 1_376_201,
    "tag": "training_population_20261130_231840_b07c",
}

# A model that tells nothing, of a table whose names nobody has read: as bad as a report may be.
BAD: Json = copy.deepcopy(GOOD) | {
    "problem": HOSTILE,
    "target": "churned_within_30_days",
    "description": HOSTILE,
    "estimator": "logistic",
    "model_id": HOSTILE,
    "rows": 400,
    "positives": 20,
    "as_of_dates": [],
    "candidates": {"logistic": candidate(0.512, 0.05, 0.041, **{HOSTILE: 0.3})},
    "comparisons": [],
    "curves": curves(0.512, 0.05, 40),
    "importance": [{"column": LONG, "mean_absolute": 0.0}, {"column": HOSTILE, "mean_absolute": 0}],
    "partial_dependence": [
        falling(HOSTILE, 3, 3, 0.05, 0.05),
        falling(LONG, -1e6, 2.5e7, 0.04, 0.06),
        bars(LONG, **{HOSTILE: 0.05, "W" * 80: 0.0}),
    ],
    "segments": segments(
        0.99,
        f"""
        {LONG}            | {HOSTILE}*                                   | 390 | 0.05 | 0.51
        {LONG}            | a value that is longer than a phone is wide | 9   | 0.0
        is_senior_citizen | yes                                          | 1   | 1.0
        """,
    ),
    "examples": [],
    "parity": {"rows": 400, "largest_difference": 0.0, "other_paths": 3},
}
BAD_MANIFEST = GOOD_MANIFEST | {
    "problem": HOSTILE,
    "table": f"marts.{LONG}",
    "tag": HOSTILE,
    "query": HOSTILE,
    "revision": None,
    "libraries": {HOSTILE: HOSTILE},
    "columns": [[HOSTILE, HOSTILE]],
}
EXAMPLES = {
    "good": (GOOD, GOOD_MANIFEST),
    "population": (POPULATION, POPULATION_MANIFEST),
    "bad": (BAD, BAD_MANIFEST),
}
