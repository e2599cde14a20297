"""What of a report or figure is promised: names, order, verdicts, places, lines, not measurements.

Numbers with a decimal point or an exponent differ from machine to machine and are written ``#``;
whole numbers (epochs, lines, lengths) are kept.
"""

import re

import numpy as np

from diagnostics.report.report import DiagnosisReport as Diagnosis
from gradcheck.hunt.hunt_report import HuntReport
from gradcheck.properties import SuiteReport
from gradcheck.report.outcome import Outcome
from gradcheck.report.wording import confidence_words

# A number that was measured; what stands around it says so even of a whole one, as of the epoch
# in "best validation loss 0.3 at 7".
MEASURED = re.compile(
    r"(?<![\w.])[-+]?(\d+\.\d+(e[-+]?\d+)?|\d+e[-+]?\d+)(?!\w)"
    r"|(?<=± )\d\S*|\b\d+(?=%)|(?<=# at )\d+"
)


def masked(text):
    """Return a text without measured numbers and line breaks."""
    return MEASURED.sub("#", MEASURED.sub("#", " ".join(text.split())))


def of_report(report):
    """Return the structure of any report."""
    if isinstance(report, Outcome):
        return of_check(report)
    if isinstance(report, HuntReport):
        return {"verdict": report.verdict, "first line": masked(str(report).splitlines()[0])}
    if isinstance(report, SuiteReport):
        return of_suite(report)
    if isinstance(report, Diagnosis):
        return {"ok": report.ok, "findings": [of_finding(f) for f in report.findings]}
    raise TypeError(f"no structure is known for {type(report).__name__}")


def of_check(report):
    return {
        "verdict": report.verdict,
        "explanations": [
            {
                "code": e.code,
                "tensor": e.tensor,
                "sure": confidence_words(e.confidence),
                "change": masked(e.fix),
            }
            for e in report.explanations
        ],
        "tensors": {name: tensor.verdict for name, tensor in report.tensors.items()},
        "broken": [name for name, promise in report.contract.items() if promise.verdict == "FAIL"],
    }


def of_suite(report):
    by_status = {}
    for result in report.results:
        by_status.setdefault(str(result.status), []).append(result.name)
    passed = by_status.pop("passed", [])
    return {"suite": report.suite, "ok": report.ok, "passed": len(passed), **by_status}


def of_finding(finding):
    epochs = finding.epochs
    return {
        "code": finding.code,
        "severity": finding.severity,
        "epochs": None if epochs is None else "{:g} to {:g}".format(*epochs),
        "next step": masked(finding.next_steps[0]) if finding.next_steps else "",
    }


def of_figure(figure):
    """Return titles, labels, scales, curves, spans, notes and legends of a Matplotlib figure."""
    described = {
        "title": masked(figure.get_suptitle()),
        "rows": [masked(row.get_suptitle()) for row in figure.subfigs],
        "legend": [of_legend(legend) for legend in figure.legends],
        "axes": [of_axes(axis) for axis in figure.axes],
    }
    return {name: value for name, value in described.items() if value}


def of_legend(legend):
    return [masked(text.get_text()) for text in legend.get_texts()]


def of_axes(axis):
    title = " | ".join(filter(None, (axis.get_title(loc=at) for at in ("left", "center", "right"))))
    labels = [line.get_label() for line in axis.lines]
    legend = axis.get_legend()
    bars = [patch for container in axis.containers for patch in container]
    described = {
        "title": masked(title),
        "x": masked(axis.get_xlabel()),
        "y": masked(axis.get_ylabel()),
        "log": [name for name in "xy" if getattr(axis, f"get_{name}scale")() == "log"],
        "lines": len(labels),
        "labelled": [masked(label) for label in labels if not label.startswith("_")],
        "spans": [of_span(patch) for patch in axis.patches if is_span(patch, bars)],
        "bars": len(bars),
        "points": [len(found.get_offsets()) for found in axis.collections],
        "images": ["x".join(map(str, np.shape(image.get_array()))) for image in axis.images],
        "notes": [masked(text.get_text()) for text in axis.texts if text.get_text()],
        "legend": of_legend(legend) if legend else [],
    }
    return {name: value for name, value in described.items() if value}


def is_span(patch, bars):
    """Whether a patch shades a range of x over the whole height of its axes."""
    corners = corners_of(patch)
    return patch not in bars and corners is not None and set(corners[:, 1]) == {0, 1}


def of_span(patch):
    x = corners_of(patch)[:, 0]
    return f"{x.min():g} to {x.max():g}"


def corners_of(patch):
    """Return the corners of a rectangle, or of what older versions of Matplotlib draw for one."""
    if hasattr(patch, "get_corners"):
        return patch.get_corners()
    return patch.get_xy() if hasattr(patch, "get_xy") else None
