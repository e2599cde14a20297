"""Curves by data set and metric: ``{"train": {"loss": [...]}, "val": {"loss": [...]}}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostics.history.column_roles import TRAINING, VALIDATION, words


def curves_in(content: Any) -> dict[tuple[str, str], Any]:
    """Return the curves of a nested dictionary, by data set and metric; none in anything else."""
    if not isinstance(content, Mapping):
        return {}
    return {
        (str(data_set), str(metric)): values
        for data_set, metrics in content.items()
        if isinstance(metrics, Mapping)
        for metric, values in metrics.items()
        if hasattr(values, "__len__") and not isinstance(values, (str, Mapping))
    }


def flattened(curves: Mapping[tuple[str, str], Any]) -> tuple[dict[str, Any], list[str]]:
    """Return columns ``<set>_<metric>``, and notes on sets that were given another name."""
    sets = list(dict.fromkeys(data_set for data_set, _ in curves))
    names = {data_set: split_of(data_set, sets) for data_set in sets}
    columns = {
        f"{names[data_set]}_{metric}": values for (data_set, metric), values in curves.items()
    }
    return columns, [f"{old!r} read as {new!r}" for old, new in names.items() if old != new]


def split_of(data_set: str, sets: list[str]) -> str:
    """Return the name of a set's part of the data; an unnamed first set is the training set.

    XGBoost names sets ``validation_0``, ``validation_1``: the first is the training set.
    """
    if len(sets) > 1 and data_set == "validation_0":
        return "train"
    known = set(words(data_set)) & (TRAINING | VALIDATION)
    return data_set if known else ("train" if data_set == sets[0] else data_set)
