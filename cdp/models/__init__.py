"""Churn models: reproducible training sets, estimators, figures, and the registry."""

from importlib.util import find_spec

from cdp.errors import CdpError

LIBRARIES = ("lightgbm", "mlflow", "onnx", "onnxruntime", "optuna", "sklearn", "xgboost")


def require_libraries() -> None:
    """Raise CdpError when a library of models is not installed: `make demo` does not need them."""
    if any(find_spec(name) is None for name in LIBRARIES):
        raise CdpError("the libraries of models are not installed", "make install-models")
