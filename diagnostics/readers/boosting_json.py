"""Evaluation results of gradient boosting: a dictionary of curves for each data set."""

from __future__ import annotations

from typing import Any

from diagnostics.columns import TRAINING, VALIDATION, words
from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Table, from_columns


def _curves(content: Any) -> dict[tuple[str, str], list[Any]]:
    """Curves by data set and metric."""
    if not isinstance(content, dict):
        return {}
    return {
        (str(data_set), str(metric)): values
        for data_set, metrics in content.items()
        if isinstance(metrics, dict)
        for metric, values in metrics.items()
        if isinstance(values, list)
    }


def read(source: Source) -> Table:
    """Return columns ``<set>_<metric>``; unnamed sets are training first, validation last."""
    curves = _curves(source.json)
    sets = list(dict.fromkeys(data_set for data_set, _ in curves))
    names = {data_set: _split(data_set, sets) for data_set in sets}
    table = from_columns({f"{names[s]}_{metric}": values for (s, metric), values in curves.items()})
    renamed = [f"{old!r} read as {new!r}" for old, new in names.items() if old != new]
    table.notes.extend(renamed)
    return table


def _split(data_set: str, sets: list[str]) -> str:
    """XGBoost names sets ``validation_0``, ``validation_1``: the first is the training set."""
    if len(sets) > 1 and data_set == "validation_0":
        return "train"
    known = set(words(data_set)) & (TRAINING | VALIDATION)
    return data_set if known else ("train" if data_set == sets[0] else data_set)


READER = Reader("evaluation results (JSON)", lambda source: bool(_curves(source.json)), read)
