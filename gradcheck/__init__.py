"""Find the bug in a hand-written gradient: which tensor, which entries, and why."""

from gradcheck.adapters import as_target, register_adapter
from gradcheck.check import assert_gradients, check
from gradcheck.check_jacobian import check_jacobian
from gradcheck.hunt import HuntReport, hunt
from gradcheck.numerics.derivative import Derivative, derivative
from gradcheck.numerics.partials import Derivatives, gradient, hessian, jacobian
from gradcheck.numerics.two_sided import Kink
from gradcheck.report.data import Entry, Explanation, PromiseReport, TensorReport, Verdict
from gradcheck.report.report import Report
from gradcheck.rounding.compare_to_reference import assert_close_to_reference, compare_to_reference
from gradcheck.target import Target
from gradcheck.taylor import TaylorReport, TaylorRow, taylor_test
from gradcheck.training.check_update import check_update
from gradcheck.values import TargetError

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
    "TaylorReport",
    "TaylorRow",
    "TensorReport",
    "Verdict",
    "as_target",
    "assert_close_to_reference",
    "assert_gradients",
    "check",
    "check_jacobian",
    "check_update",
    "compare_to_reference",
    "derivative",
    "gradient",
    "hessian",
    "hunt",
    "jacobian",
    "register_adapter",
    "taylor_test",
]
