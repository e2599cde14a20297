"""What training libraries leave behind, known by the names of its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Of scikit-learn's MLPClassifier and MLPRegressor.
SCIKIT_LEARN = ("loss_curve_", "validation_scores_")


def curves_of(data: Any) -> Any:
    """Return the curves or records that an object holds, else the object itself.

    Known are Keras's ``History``, the ``Trainer`` of Hugging Face and its state, scikit-learn's
    multilayer perceptrons, the estimators of XGBoost and LightGBM, and `Monitor`.
    """
    history = getattr(data, "history", None)
    if isinstance(history, Mapping):
        return history
    log = getattr(getattr(data, "state", data), "log_history", None)
    if isinstance(log, list):
        return [row for row in log if "train_runtime" not in row]
    curves = {name: getattr(data, name, None) for name in SCIKIT_LEARN}
    if curves["loss_curve_"] is not None:
        return {name: values for name, values in curves.items() if values is not None}
    results = getattr(data, "evals_result_", None) or getattr(data, "evals_result", None)
    if results is not None:
        return results() if callable(results) else results
    return getattr(data, "records", data)
