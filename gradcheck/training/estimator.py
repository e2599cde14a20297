"""The methods of a network that learns: one that trains on (X, y), a prediction, a loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from itertools import chain
from types import FrameType
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.discovery.accessors import Accessor, set_to
from gradcheck.adapters.discovery.attributes import attributes
from gradcheck.adapters.discovery.parameters import rates
from gradcheck.adapters.signatures.methods import (
    Method,
    find_method,
    loss_of,
    name_of,
    required_names,
)
from gradcheck.adapters.signatures.name_tables import (
    OUTPUT_NAMES,
    PREDICT_NAMES,
    SIZE_NAMES,
    STEP_METHODS,
    is_epochs,
    is_rate,
    is_target,
)
from gradcheck.explain.source.call_sites import tracing
from gradcheck.state import StateSnapshot
from gradcheck.training.suppress_output import suppress_output

# The rate for a training method that asks for one.
RATE = 0.1

INPUT_NAMES = frozenset({"x", "data", "input", "inputs", "features", "x_train"})


@dataclass(frozen=True)
class TrainingStep:
    """A call of a training method that makes one pass over a batch.

    Attributes
    ----------
    method, arguments
        The call.
    rate, rate_kept
        The learning rate, and where it is kept; None where there is none.
    once
        Numbers of epochs that are one during the call.
    """

    method: Method
    arguments: dict[str, Any]
    rate: float | None
    rate_kept: Accessor | None
    once: tuple[Accessor, ...]

    @classmethod
    def of(cls, network: Any, method: Method, X: Any, y: Any) -> TrainingStep:
        """Bind the data, one epoch of one batch, and a learning rate where one is asked for."""
        arguments: dict[str, Any] = {}
        kept = _kept_rate(network)
        rate = float(kept.get()) if kept is not None else None
        names = data_names(method)
        data = dict(zip(names, (y, X) if is_target(names[0]) else (X, y), strict=True))
        for name, parameter in inspect.signature(method).parameters.items():
            if name in data:
                arguments[name] = data[name]
            elif is_rate(name):
                default = parameter.default
                rate = default if isinstance(default, int | float) and default else RATE
                arguments[name], kept = rate, Accessor(arguments, name, True)
            elif is_epochs(name):
                arguments[name] = 1
            elif name.lower() in SIZE_NAMES:
                arguments[name] = len(X)
        once = tuple(
            Accessor(network, name, False)
            for name, value in attributes(network).items()
            if is_epochs(name) and type(value) is int and value > 1
        )
        return cls(method, arguments, rate, kept, once)

    @property
    def description(self) -> str:
        """The call as it is written."""
        given = ", ".join(
            f"{name}={value:g}" if isinstance(value, int | float) else name
            for name, value in self.arguments.items()
        )
        return f"{name_of(self.method)}({given})"

    def make(self) -> None:
        """Make the call, and show nothing of what it prints."""
        with set_to((accessor, 1) for accessor in self.once), suppress_output():
            self.method(**self.arguments)


@dataclass(frozen=True)
class OwnLoss:
    """The loss that a network reports, by a method of its own."""

    method: Method
    predict: Callable[[Any], Any]
    X: Any
    y: Any
    names: tuple[str, ...]

    @classmethod
    def of(cls, network: Any, predict: Callable[[Any], Any], X: Any, y: Any) -> OwnLoss | None:
        """Return the loss, None where the network has none that can be called."""
        method = loss_of(network)
        names = required_names(method) or [] if method is not None else []
        if method is None or not names:
            return None
        loss = cls(method, predict, X, y, tuple(names))
        try:
            loss.value()
        except Exception:  # noqa: BLE001 (a method meant for something else may raise anything)
            return None
        return loss

    @property
    def description(self) -> str:
        """The call as it is written."""
        return f"{name_of(self.method)}({', '.join(self.names)})"

    def value(self) -> Any:
        """Return what the method returns, after a forward."""
        prediction = self.predict(self.X)
        return self.method(*(self._argument(name, prediction) for name in self.names))

    def _argument(self, name: str, prediction: Any) -> Any:
        if is_target(name):
            return self.y
        is_data = name.lower() in INPUT_NAMES and name.lower() not in OUTPUT_NAMES
        return self.X if is_data else prediction


def find_step(network: Any, X: Any, y: Any, snapshot: StateSnapshot) -> Method | None:
    """Return the first method that trains on a batch and its targets, None if there is none."""
    for name in STEP_METHODS:
        method = find_method(network, [name])
        if method is None or len(data_names(method)) != 2:
            continue
        try:
            TrainingStep.of(network, method, X, y).make()
        except Exception:  # noqa: BLE001 (a method meant for something else may raise anything)
            continue
        else:
            return method
        finally:
            snapshot.restore(everything=True)
    return None


def find_predictor(network: Any, X: Any) -> Callable[[Any], Any] | None:
    """Return the method whose output for ``X`` are floating-point numbers, None if none does.

    Of one that returns classes, the raw scores are taken.
    """
    found = [find_method(network, [name]) for name in PREDICT_NAMES]
    methods = [m for m in found if m is not None and len(required_names(m) or ()) == 1]
    for predict in [*methods, *map(raw_scores_of, methods)]:
        try:
            if array_of(predict(X)).dtype.kind == "f":
                return predict
        except Exception:  # noqa: BLE001 (a method meant for something else may raise anything)
            continue
    return None


def array_of(predicted: Any) -> Array:
    """Return the output of a forward, the first of several."""
    return np.asarray(predicted[0] if isinstance(predicted, tuple) else predicted)


def data_names(method: Method) -> list[str]:
    """Return the arguments that a training method cannot do without, besides its settings."""
    return [
        name
        for name in required_names(method) or ()
        if not is_rate(name) and not is_epochs(name) and name.lower() not in SIZE_NAMES
    ]


def _kept_rate(network: Any) -> Accessor | None:
    """Return the learning rate that a network or a part keeps, by the usual names or others."""
    others = (
        Accessor(network, name, False)
        for name, value in attributes(network).items()
        if is_rate(name) and name != "step" and isinstance(value, float) and value > 0
    )
    return next(chain(rates(network), others), None)


def raw_scores_of(method: Method) -> Callable[[Any], Array]:
    """Return what predicts, for the same samples, the last floating-point numbers computed.

    These are the last variable of ``method`` that holds as many as there are samples, or else the
    last that a function called by it returned.

    Raises
    ------
    LookupError
        By what is returned: there are none.
    """
    code = getattr(getattr(method, "__func__", method), "__code__", None)

    @wraps(method)
    def scores(X: Any) -> Array:
        returned: list[Array] = []
        variables: list[Array] = []

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "return" and frame.f_code is code:
                variables.extend(value for value in frame.f_locals.values() if _is_of(value, X))
            elif event == "return" and _is_of(argument, X):
                returned.append(argument)
            return trace

        with tracing(trace):
            method(X)
        found = variables or returned
        if not found:
            raise LookupError(f"{method} makes no floating-point numbers of its samples")
        return np.array(found[-1])

    scores.__name__ = f"raw scores of {scores.__name__}"
    return scores


def _is_of(value: Any, X: Any) -> bool:
    is_array = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0
    return is_array and value is not X and len(X) in (value.shape[0], value.shape[-1])


@dataclass(frozen=True)
class RestartingFit:
    """A training method that restarts with every call.

    Attributes
    ----------
    step
        A call of it.
    epochs, rate
        The attributes or arguments that are its number of epochs and its learning rate.
    """

    step: TrainingStep
    epochs: Accessor
    rate: Accessor

    @classmethod
    def of(cls, network: Any, step: TrainingStep) -> RestartingFit | None:
        """Return the method by epochs; None where nothing says how many, or at which rate."""
        arguments = inspect.signature(step.method).parameters
        found = [Accessor(step.arguments, name, True) for name in arguments if is_epochs(name)]
        found += [
            Accessor(network, name, False)
            for name, value in attributes(network).items()
            if is_epochs(name) and type(value) is int
        ]
        return cls(step, found[0], step.rate_kept) if found and step.rate_kept else None

    def run(self, epochs: int) -> None:
        """Restart, and train so many epochs; none is one at a learning rate of zero."""
        settings = (self.epochs, max(1, epochs)), (self.rate, self.rate.get() if epochs else 0.0)
        with set_to(settings), suppress_output():
            self.step.method(**self.step.arguments)

    def after(self, epochs: int) -> TrainingStep:
        """Return the step that is made after so many epochs."""

        @wraps(self.step.method)
        def one_more(**_: Any) -> None:
            self.run(epochs + 1)

        return replace(self.step, method=one_more, once=())
