"""What the audit found, as text: counts of each library, then every kind with its operators."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.audit.classify import Kind

# These are counted alone: they are as small as the rounding of the values.
COUNTED = {Kind.ABSORBED}


def counts(audits: Sequence[dict[str, Any]], dtypes: Sequence[str]) -> Iterator[str]:
    """Yield a table of how much was asked, and how much disagreed."""
    asked = ["library", "operators", "slices", *(f"points, {d}" for d in dtypes)]
    found = [
        *(f"disagree, {d}" for d in dtypes),
        "no derivative",
        "unconfirmed",
        "not in time",
        "ours",
    ]
    yield from _rows(asked + found, (_count(audit, dtypes) for audit in audits))


def _count(audit: dict[str, Any], dtypes: Sequence[str]) -> list[str]:
    shown = [f for f in audit["found"] if f["kind"] not in COUNTED]
    disagree = {
        d: len({f["operator"] for f in shown if f["dtype"] == d and f["confirmed"]}) for d in dtypes
    }
    return [
        f"{audit['library']} {audit['version']}",
        str(audit["operators"]),
        str(audit["slices"]),
        *(str(audit["readings"].get(d, "-")) for d in dtypes),
        *(str(disagree[d]) if d in audit["readings"] else "-" for d in dtypes),
        str(audit["undecided"].get("float64", "-")),
        str(len({f["operator"] for f in shown if not f["confirmed"]})),
        str(len(audit["late"])),
        str(len(audit["ours"])),
    ]


def disagreements(audits: Sequence[dict[str, Any]], confirmed: bool) -> Iterator[str]:
    """Yield a table of what disagrees: of each operator, form by form, the worst in each dtype."""
    columns = ["kind", "library", "operator", "dtypes", "worst", "x", "gradient", "derivative",
               "relative error"]  # fmt: skip
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for audit in audits:
        for f in audit["found"]:
            if f["confirmed"] == confirmed and f["kind"] not in COUNTED:
                groups[f["kind"], audit["library"], f["operator"]].append(f)
    order = [str(kind) for kind in Kind]
    rows = sorted(groups.items(), key=lambda item: (order.index(item[0][0]), item[0]))
    yield from _rows(columns, (_disagreement(*key, group) for key, group in rows))


def _disagreement(kind: str, library: str, operator: str, group: list[dict[str, Any]]) -> list[str]:
    worst = max(group, key=_severity)
    x, gradient, truth, error = worst["worst"]
    return [kind, library, operator, ", ".join(dict.fromkeys(f["dtype"] for f in group)),
            f"{worst['form']} {worst['dtype']}", f"{x:.6g}", f"{gradient:.9g}", f"{truth:.9g}",
            f"{error:.1e}"]  # fmt: skip


def _severity(found: dict[str, Any]) -> tuple[float, float]:
    """Return what is shown first: the largest error, and of those like it the nearest to 0."""
    x, _, _, error = found["worst"]
    return (error if error == error else math.inf, -abs(x))


def _rows(columns: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield a table of Markdown."""
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
