"""Arguments that fit, by the names of the parameters, for all public functions and classes."""

from pathlib import Path
from typing import ClassVar

import numpy as np

import diagnostics
import gradcheck
import network as n
from diagnostics.history.table import from_columns
from gradcheck.properties import Suite, for_all, run_properties, suite
from gradcheck.properties.function_under_test import FunctionUnderTest
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest
from gradcheck.target import ForwardRun

# What may be negative: an axis counted from the end, a point, and a rate of ascent.
NEGATIVE = {"axis", "t", "value", "check_update.learning_rate", "alpha", "slope"}
# What functions return and nobody makes.
RESULTS = {
    *("Derivative", "Derivatives", "Entry", "Explanation", "HuntReport", "Kink", "PromiseReport"),
    *("Report", "TaylorReport", "TaylorRow", "TensorReport", "Property", "Result", "SuiteReport"),
    *("Dataset", "Digits", "Comparison", "DiagnosisReport", "Finding", "History"),
}
# What a check calls for every number, and what refuses in words of its own, not all by name.
UNCHECKED = {"Target.call", "register_adapter"}
# What would reach out to the network.
ONLINE = {"download_mnist"}

X = np.arange(6.0).reshape(2, 3) / 7
CURVES = {"loss": [2.0, 1.5, 1.2], "val_loss": [2.1, 1.6, 1.4]}
W = {"W": np.array([1.0, -2.0])}


class Linear:
    """A layer."""

    def forward(self, x):
        return 2.0 * x

    def backward(self, grad):
        return 2.0 * grad


class Adapter:
    """One that takes nothing."""

    def matches(self, thing):
        return False

    def adapt(self, thing, arguments, params):
        raise NotImplementedError


class Trainer:
    """Lightning's, as far as a monitor reads it."""

    callback_metrics: ClassVar[dict] = {}
    sanity_checking = False


@for_all(why="an example")
def a_property(subject):
    """Nothing is asked."""


def write_log():
    path = Path("log.csv")
    path.write_text("epoch,loss,val_loss\n1,2.0,2.1\n2,1.5,1.6\n")
    return path


def history():
    return diagnostics.History.from_dict(CURVES)


def network():
    return n.mlp([3, 4, 3])


def monitor(kind):
    return lambda: kind(tell=lambda finding: None)


# By the parameter, or by function and parameter where another value fits there.
VALUES = {
    "thing": Linear,
    "as_target.*": lambda: (X,),
    "target": Linear,
    "check.*": lambda: (X,),
    "assert_gradients.*": lambda: (X,),
    "compare_to_reference.kernel": lambda: np.tanh,
    "compare_to_reference.*": lambda: (X,),
    "assert_close_to_reference.kernel": lambda: np.tanh,
    "assert_close_to_reference.*": lambda: (X,),
    "taylor_test.*": lambda: (X,),
    "check_jacobian.f": lambda: np.sin,
    "check_jacobian.jac": lambda: lambda x: np.diag(np.cos(x.ravel())),
    "banded": lambda: None,
    "check_update.step": lambda: lambda: np.multiply(W["W"], 0.8, out=W["W"]),
    "check_update.params": lambda: W,
    "check_update.loss": lambda: lambda: float(np.sum(W["W"] ** 2)),
    "learning_rate": lambda: 0.1,
    "f": lambda: np.sum,
    "x": lambda: X,
    "adapter": Adapter,
    "hunt.layer": Linear,
    "hunt.inputs": lambda: (2, 3),
    "hunt.examples": lambda: 1,
    "Target.name": lambda: "square",
    "tensors": lambda: {"x": np.ones(2)},
    "Target.forward": lambda: lambda t: t["x"] ** 2,
    "Target.vjp": lambda: lambda t, v: {"x": 2 * t["x"] * v},
    "recast": lambda: lambda dtype: None,
    "run": lambda: lambda tensors: ForwardRun((tensors["x"],), dict, tensors),
    "dtype": lambda: np.float32,
    "suite": lambda: "softmax",
    "optimizer suite.fn": lambda: n.SGD,
    "layer suite.fn": lambda: n.Dense(3, 3),
    "loss suite.fn": n.SoftmaxCrossEntropy,
    "activation suite.fn": lambda: np.tanh,
    "layer suite.x": lambda: X,
    "fn": lambda: n.softmax,
    "run_properties.only": lambda: ["rows_sum_to_one"],
    "run_properties.examples": lambda: 1,
    "why": lambda: "an example",
    "Suite.name": lambda: "own",
    "Suite.subject": lambda: FunctionUnderTest,
    "Suite.properties": lambda: [a_property],
    "suite.name": lambda: "softmax",
    "only": lambda: ["rows_sum_to_one"],
    "skip": list,
    "expected": list,
    "names": lambda: ["rows_sum_to_one"],
    "options": dict,
    "assert_property.suite": lambda: Suite("own", SoftmaxUnderTest, [a_property]),
    "assert_property.name": lambda: "a_property",
    "value": lambda: 0.5,
    "path": lambda: "report.txt",
    "History.path": lambda: write_log(),
    "dy": lambda: np.ones((2, 3)),
    "W": lambda: X,
    "name": lambda: "W",
    "parameter": lambda: X,
    "params": lambda: {"W": X.copy()},
    "grads": lambda: {"W": X},
    "strength": lambda: 0.1,
    "features": lambda: 3,
    "prediction": lambda: n.softmax(X),
    "Loss.target": lambda: n.softmax(X),
    "HingeLoss.target": lambda: np.array([0, 2]),
    "shape": lambda: (2, 3),
    "inputs": lambda: 3,
    "outputs": lambda: 3,
    "layers": lambda: [n.Dense(3, 3)],
    "epoch": lambda: 1,
    "records": lambda: [{"val_loss": 1.0}],
    "p": lambda: n.softmax(X),
    "t": lambda: np.eye(3)[[0, 2]],
    "X": lambda: X,
    "y": lambda: np.array([0, 2]),
    "model": network,
    "sizes": lambda: [3, 4, 3],
    "history": history,
    "table": lambda: from_columns(CURVES),
    "data": lambda: CURVES,
    "role": lambda: "train_loss",
    "rows": lambda: 2,
    "runs": lambda: {"a": CURVES},
    "histories": lambda: {"a": history()},
    "predict": lambda: n.softmax,
    "state": lambda: {"records": []},
    "trainer": Trainer,
    "module": object,
}
# What methods are called on, where the class cannot be made of VALUES, or has to be used before.
OWNERS = {
    "Derivative": lambda: gradcheck.derivative(np.sin, 1.0),
    "Report": lambda: gradcheck.check(Linear(), X),
    "SuiteReport": lambda: run_properties("softmax", n.softmax, only=["rows_sum_to_one"]),
    "DiagnosisReport": lambda: diagnostics.diagnose(CURVES),
    "Comparison": lambda: diagnostics.compare({"a": CURVES}),
    "History": history,
    "Suite": lambda: suite("softmax"),
    "QuestionNetwork": lambda: n.QuestionNetwork((3, 4, 3)),
    "Monitor": monitor(diagnostics.Monitor),
    "KerasMonitor": monitor(diagnostics.KerasMonitor),
    "LightningMonitor": monitor(diagnostics.LightningMonitor),
}
