"""A report as builtins, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.report.data import Explanation, TensorReport

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

SCHEMA_VERSION = 3

# Gradients are listed in full up to this many entries, some 50 kB of JSON; of larger ones, the
# worst entries stand for the rest.
MOST_LISTED = 1000


def to_dict(report: Outcome) -> dict[str, Any]:
    """Return ``report`` as dicts, lists, strings and numbers.

    Notes
    -----
    ``analytic`` and ``numerical`` are null for tensors of more than `MOST_LISTED` entries.
    Infinities and NaN are the strings ``"inf"``, ``"-inf"`` and ``"nan"``.
    """
    return {"schema_version": SCHEMA_VERSION, **_report(report)}


def _report(report: Outcome) -> dict[str, Any]:
    content = {
        "target": report.target,
        "verdict": str(report.verdict),
        "ok": report.ok,
        "seed": report.seed,
        "forwards": report.forwards,
        "explanations": list(map(_explanation, report.explanations)),
        "tensors": {name: _tensor(tensor) for name, tensor in report.tensors.items()},
        "contract": {
            name: asdict(promise) | {"status": promise.status, "verdict": promise.verdict}
            for name, promise in report.contract.items()
        },
        "unchecked": [
            {"name": a.name, "role": a.role, "reason": a.reason} for a in report.unchecked
        ],
        "notes": report.notes,
        "parts": {name: _report(part) for name, part in report.parts.items()},
        "points": [{"point": n, **_report(point)} for n, point in report.points.items()],
    }
    builtins: dict[str, Any] = _plain(content)
    return builtins


def _tensor(tensor: TensorReport) -> dict[str, Any]:
    listed = max((a.size for a in (tensor.analytic, tensor.numerical) if a is not None), default=0)
    content = {name: getattr(tensor, name) for name in tensor.__dataclass_fields__}
    return content | {
        "verdict": str(tensor.verdict),
        "worst": [asdict(entry) | {"ratio": entry.ratio} for entry in tensor.worst],
        "jacobian": None
        if tensor.jacobian is None
        else asdict(replace(tensor.jacobian, matrices=None)),
        "explanations": list(map(_explanation, tensor.explanations)),
        "analytic": tensor.analytic if listed <= MOST_LISTED else None,
        "numerical": tensor.numerical if listed <= MOST_LISTED else None,
    }


def _explanation(explanation: Explanation) -> dict[str, Any]:
    return asdict(explanation) | {"tensor": explanation.tensor, "page": explanation.page}


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON-ready builtins; non-finite floats become strings."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
