"""Read training histories, draw them, and say what went wrong."""

from diagnostics.diagnosis import diagnose
from diagnostics.finding import Finding, Severity
from diagnostics.history import History
from diagnostics.plots import compare_histories, plot_history
from diagnostics.probes import investigate
from diagnostics.report import Report

__all__ = [
    "Finding",
    "History",
    "Report",
    "Severity",
    "compare_histories",
    "diagnose",
    "investigate",
    "plot_history",
]
