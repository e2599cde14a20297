"""Find the bug in a hand-written gradient: which tensor, which entries, and why."""

from gradcheck.adapters import as_target, register_adapter
from gradcheck.check import assert_gradients, check
from gradcheck.derivative import Derivative, Derivatives, Kink, derivative, gradient, jacobian
from gradcheck.hunt import HuntReport, hunt
from gradcheck.report import Report
from gradcheck.result import Entry, Explanation, PromiseReport, TensorReport, Verdict
from gradcheck.target import Target, TargetError
from gradcheck.update import check_update

__all__ = [
    "Derivative",
    "Derivatives",
    "Entry",
    "Explanation",
    "HuntReport",
    "Kink",
    "PromiseReport",
    "Report",
    "Target",
    "TargetError",
    "TensorReport",
    "Verdict",
    "as_target",
    "assert_gradients",
    "check",
    "check_update",
    "derivative",
    "gradient",
    "hunt",
    "jacobian",
    "register_adapter",
]
