"""A model as ONNX, with its preprocessing inside, and the proof that it answers the same.

Each feature is an input of shape (n, 1): float32, NaN where it is missing, or a string, "" where it
is missing. The outputs `log_odds` and `probability` have shape (n, 1). The calibration is folded
into leaves and weights: nothing of it is left to convert.
"""

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cdp.errors import CdpError
from cdp.models.encoding import MISSING, Categorical
from cdp.models.estimators import FittedLightGBM, FittedXGBoost
from cdp.models.metrics import Floats
from cdp.models.model import ChurnModel
from cdp.models.splines import FittedLogistic

if TYPE_CHECKING:
    import pandas as pd
    from onnx import NodeProto, TensorProto

OPSET, ML_OPSET = 17, 3
MOST_DIFFERENCE = 2e-6
ROWS = 100_000
UNSEEN = "a category that was never seen"


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: "np.typing.NDArray[Any]") -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Add a node of one output; its name."""
        from onnx import helper

        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, domain=domain, **attributes))
        return name


def export(model: ChurnModel) -> bytes:
    """Return the ONNX file of a model."""
    from onnx import TensorProto, checker, helper

    graph = Graph()
    inputs, blocks = [], []
    for part in model.encoder.parts:
        is_text = isinstance(part, Categorical)
        kind = TensorProto.STRING if is_text else TensorProto.FLOAT
        inputs.append(helper.make_tensor_value_info(part.column, kind, [None, 1]))
        if isinstance(part, Categorical):
            hot = graph.add(
                "OneHotEncoder",
                part.column,
                domain="ai.onnx.ml",
                cats_strings=list(part.categories),
                zeros=1,
            )
            shape = graph.constant(np.array([-1, part.width], dtype=np.int64))
            blocks.append(graph.add("Reshape", hot, shape))
            continue
        missing = graph.add("IsNaN", part.column)
        fill = graph.constant(np.array([[part.fill]], dtype=np.float32))
        blocks.append(graph.add("Where", missing, fill, part.column))
        if part.has_flag:
            blocks.append(graph.add("Cast", missing, to=TensorProto.FLOAT))
    x = graph.add("Concat", *blocks, axis=1)
    if isinstance(model.fitted, FittedLogistic):
        log_odds = _logistic(graph, x, model.fitted, model)
    else:
        log_odds = _trees(graph, x, model)
    graph.nodes.append(helper.make_node("Identity", [log_odds], ["log_odds"]))
    graph.nodes.append(helper.make_node("Sigmoid", [log_odds], ["probability"]))
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1])
        for name in ("log_odds", "probability")
    ]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "churn", inputs, outputs, graph.constants),
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
        ],
        ir_version=9,
        producer_name="cdp",
    )
    helper.set_model_props(made, {"model_id": model.model_id, "problem": model.problem})
    checker.check_model(made)
    return bytes(made.SerializeToString())


def _logistic(graph: Graph, x: str, fitted: FittedLogistic, model: ChurnModel) -> str:
    """Ramps and weights, in float64: their sum is rounded once."""
    from onnx import TensorProto

    wide = graph.add("Cast", x, to=TensorProto.DOUBLE)
    blocks = []
    zero, one = (graph.constant(np.array(v, dtype=np.float64)) for v in (0.0, 1.0))
    for column, knots in zip(fitted.columns, fitted.knots, strict=True):
        values = graph.add("Gather", wide, graph.constant(np.array([column])), axis=1)
        shifted = graph.add("Sub", values, graph.constant(knots[None, :-1]))
        scaled = graph.add("Div", shifted, graph.constant(np.diff(knots)[None, :]))
        blocks.append(graph.add("Clip", scaled, zero, one))
    if fitted.plain:
        others = graph.constant(np.array(fitted.plain, dtype=np.int64))
        blocks.append(graph.add("Gather", wide, others, axis=1))
    basis = graph.add("Concat", *blocks, axis=1)
    weights = graph.constant(model.slope * fitted.weights[:, None])
    intercept = graph.constant(np.array([[model.slope * fitted.intercept + model.intercept]]))
    margin = graph.add("Add", graph.add("MatMul", basis, weights), intercept)
    return graph.add("Cast", margin, to=TensorProto.FLOAT)


def _trees(graph: Graph, x: str, model: ChurnModel) -> str:
    """The trees as the library's converter has them, with the calibration in their leaves."""
    from onnx import helper
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    width = len(model.encoder.labels)
    given = [("x", FloatTensorType([None, width]))]
    fitted = model.fitted
    if isinstance(fitted, FittedLightGBM):
        made = convert_lightgbm(fitted.booster, initial_types=given, zipmap=False, target_opset=15)
        base = 0.0
    elif isinstance(fitted, FittedXGBoost):
        booster = fitted.booster.copy()
        booster.feature_names = None
        made = convert_xgboost(booster, initial_types=given, target_opset=15)
        base = _base_of(fitted)
    else:
        raise TypeError(f"no conversion for {type(fitted).__name__}")
    (node,) = (n for n in made.graph.node if n.op_type.startswith("TreeEnsemble"))
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    kind = "class" if "class_weights" in found else "target"
    trees = {name: value for name, value in found.items() if name.startswith("nodes_")}
    return graph.add(
        "TreeEnsembleRegressor",
        x,
        domain="ai.onnx.ml",
        **trees,
        n_targets=1,
        target_ids=[0] * len(found[f"{kind}_nodeids"]),
        target_nodeids=found[f"{kind}_nodeids"],
        target_treeids=found[f"{kind}_treeids"],
        target_weights=[model.slope * weight for weight in found[f"{kind}_weights"]],
        base_values=[model.slope * base + model.intercept],
        post_transform="NONE",
    )


def _base_of(fitted: FittedXGBoost) -> float:
    """The log-odds that XGBoost's trees are added to."""
    config = json.loads(fitted.booster.save_config())
    told = config["learner"]["learner_model_param"]["base_score"].strip("[]")
    share = float(np.float32(told))
    return math.log(share / (1 - share))


class Scorer:
    """An ONNX file, ready to answer. One thread: several scorers share a machine."""

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._texts = {i.name: i.type == "tensor(string)" for i in self._session.get_inputs()}

    def answer(self, frame: "pd.DataFrame") -> tuple[Floats, Floats]:
        """Return log-odds and probabilities, each of shape (n,)."""
        given = {}
        for name, is_text in self._texts.items():
            values = frame[name]
            if is_text:
                given[name] = values.fillna(MISSING).to_numpy(dtype=object)[:, None]
            else:
                given[name] = values.to_numpy(dtype=np.float32)[:, None]
        log_odds, probability = self._session.run(["log_odds", "probability"], given)
        return log_odds[:, 0].astype(np.float64), probability[:, 0].astype(np.float64)


@dataclass(frozen=True)
class Parity:
    """rows: how many were compared. largest_difference: of probabilities. other_paths: rows that
    differ by more than rounding does."""

    rows: int
    largest_difference: float
    other_paths: int


def compare(model: ChurnModel, content: bytes, frame: "pd.DataFrame", rows: int = ROWS) -> Parity:
    """Give rows to both, among them neighbours of each threshold, and return how they differ."""
    hard = hard_rows(model, frame, rows)
    differences = np.abs(Scorer(content).answer(hard)[1] - model.probability(hard))
    other = int((differences > MOST_DIFFERENCE).sum())
    return Parity(len(hard), float(differences.max()), other)


def require_parity(found: Parity) -> None:
    """Raise CdpError when ONNX answers otherwise than the model does."""
    if found.other_paths or math.isnan(found.largest_difference):
        raise CdpError(
            f"ONNX and the model differ in {found.other_paths:,} of {found.rows:,} rows, by up to "
            f"{found.largest_difference:.1e}: nothing is registered",
            "report it: cdp/models/onnx_file.py converts this estimator wrongly",
        )


def hard_rows(model: ChurnModel, frame: "pd.DataFrame", rows: int) -> "pd.DataFrame":
    """Return rows of the training set, of which a third of the values are changed: to a threshold,
    to its neighbours in float32, to nothing, to categories that are rare or were never seen."""
    generator = np.random.default_rng(0)
    hard = frame.iloc[generator.integers(0, len(frame), rows)].reset_index(drop=True)
    limits = model.fitted.thresholds()
    starts = np.cumsum([0, *(part.width for part in model.encoder.parts)])
    for start, part in zip(starts, model.encoder.parts, strict=False):
        changed = generator.random(rows) < 1 / 3
        count = int(changed.sum())
        if isinstance(part, Categorical):
            choices = np.array([*part.categories, UNSEEN, None], dtype=object)
            hard.loc[changed, part.column] = choices[generator.integers(0, len(choices), count)]
            continue
        at = np.asarray(limits.get(int(start), [0.0, 1.0]), dtype=np.float32)
        near = [np.nextafter(at, np.float32(-np.inf)), at, np.nextafter(at, np.float32(np.inf))]
        choices = np.concatenate([*near, np.array([np.nan, -1e6, 1e6], dtype=np.float32)])
        hard.loc[changed, part.column] = choices[generator.integers(0, len(choices), count)].astype(
            np.float64
        )
    return hard
