"""Read training histories, draw them, and say what went wrong."""

from diagnostics.comparison import Comparison, compare
from diagnostics.diagnosis import diagnose
from diagnostics.experiments import investigate
from diagnostics.finding import Finding, Severity
from diagnostics.history.history import History
from diagnostics.live import KerasMonitor, LightningMonitor, Monitor
from diagnostics.report.plots import HistoryDisplay, compare_histories, plot_history
from diagnostics.report.report import DiagnosisReport

__all__ = [
    "Comparison",
    "DiagnosisReport",
    "Finding",
    "History",
    "HistoryDisplay",
    "KerasMonitor",
    "LightningMonitor",
    "Monitor",
    "Severity",
    "compare",
    "compare_histories",
    "diagnose",
    "investigate",
    "plot_history",
]
