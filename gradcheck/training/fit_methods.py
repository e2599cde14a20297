"""Networks that only learn: ``train(X, y)`` and ``predict(X)``, taken as steps to be checked.

Such a network hands out no gradient. What can be checked is the change that one call of its
training method makes, against the loss that it reports, or else the one that it is seen to descend.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters import shows_gradients
from gradcheck.adapters.discovery.accessors import set_to
from gradcheck.adapters.signatures.methods import Method, name_of
from gradcheck.formulas import loss_identification, losses
from gradcheck.state import StateSnapshot
from gradcheck.training.estimator import (
    OwnLoss,
    RestartingFit,
    TrainingStep,
    array_of,
    find_predictor,
    find_step,
)
from gradcheck.training.step import SAME, Update, parameters_of
from gradcheck.training.suppress_output import suppress_output
from gradcheck.values import TargetError, is_scalar

EACH_SAMPLE = "it steps once a sample: checked on the first"

# Where parameters begin at zero some bugs do not show: a step so many epochs later is checked too.
LATER = 3

# Whether a method steps once shows at a lower learning rate.
SLOWER = 1 / 16


@dataclass(frozen=True)
class Training:
    """A step of a network, and all that is needed to judge it, as `check_update` takes it.

    Attributes
    ----------
    step, loss
        Make one step, and return the loss that is reported.
    learning_rate
        Of the step.
    predict, inputs, targets
        What the loss compares.
    name, description
        What is checked, and what was taken for what.
    begin
        Puts the parameters where the step is made, before anything else is done.
    later
        The step made from other parameters, where it can be asked for from these two alone.
    """

    name: str
    step: Callable[[], Any]
    loss: Callable[[], float]
    learning_rate: float
    predict: Callable[[Any], Any]
    inputs: Any
    targets: Any
    description: str
    begin: Callable[[], None] = lambda: None
    later: Training | None = None


def training_of(network: Any, arguments: Sequence[Any], params: Any = None) -> Training | None:
    """Return the step of a network that learns by a method and shows no gradient, else None.

    Parameters
    ----------
    network
        Has a method such as ``train(X, y)`` and one such as ``predict(X)``.
    arguments
        Inputs and targets.
    params
        As for `check_update`, where they are not found.

    Raises
    ------
    TargetError
        If neither the network shows a loss, nor its steps are those of any loss that is known.
    """
    is_object = hasattr(network, "__dict__") and not isinstance(network, type)
    if not is_object or len(arguments) != 2 or shows_gradients(network):
        return None
    X, y = arguments
    snapshot = StateSnapshot([network, *arguments, params])
    with snapshot.guarded(), suppress_output():
        method = find_step(network, X, y, snapshot)
        if method is None:
            return None
        estimator = _Estimator.of(network, params, method, snapshot, X, y)
        if estimator is None:
            return _restarting(network, params, method, X, y)  # it has no parameters yet
        if estimator.loss is not None and not is_scalar(estimator.loss.value()):
            return None  # a gradient beside it: more than a step to go by
        snapshot.restore(everything=True)
        if estimator.restarts(TrainingStep.of(network, method, X, y), X):
            return _restarting(network, params, method, X, y)
        return estimator.training(X, y)


def _restarting(network: Any, params: Any, method: Method, X: Any, y: Any) -> Training | None:
    """Return the first step of a method that begins with parameters of its own making."""
    fit = RestartingFit.of(network, TrainingStep.of(network, method, X, y))
    if fit is None:
        raise _refused(network, method)
    fit.run(0)
    estimator = _Estimator.of(network, params, method, StateSnapshot([network, X, y, params]), X, y)
    if estimator is None:
        return None
    if len(X) > 1 and not estimator.steps_once(fit.after(0), X):  # one sample after the other
        return _restarting(network, params, method, X[:1], y[:1])
    training = None
    with contextlib.suppress(TargetError):  # where weights are zero, losses have the same gradient
        training = estimator.named_after(LATER, fit, X, y)
    training = training or estimator.named_after(0, fit, X, y)
    description = (
        f"{training.description}; {name_of(method)} restarts with every call: checked at its first "
        "step"
    )
    later = replace(
        training,
        step=fit.after(LATER).make,
        begin=lambda: fit.run(LATER),
        description=f"{description}, and after {LATER} epochs",
    )
    step = fit.after(0).make
    return replace(
        training, step=step, begin=lambda: fit.run(0), later=later, description=description
    )


def _refused(network: Any, method: Method) -> TargetError:
    return TargetError(
        f"{type(network).__name__}.{name_of(method)} begins with parameters of its own making, "
        "so that no single step of it can be made. Move what it does in one turn of its loop to "
        "a method, and check that:\n"
        f"    def train_step(self, X, y): ...  # the body of the loop of {name_of(method)}\n"
        "    gradcheck.check(net, X, y)"
    )


@dataclass
class _Estimator:
    """A network whose step, loss and learning rate are found out."""

    network: Any
    params: Any
    method: Method
    predict: Callable[[Any], Any]
    loss: OwnLoss | None
    snapshot: StateSnapshot

    @classmethod
    def of(
        cls, network: Any, params: Any, method: Method, snapshot: StateSnapshot, X: Any, y: Any
    ) -> _Estimator | None:
        """Return what is found of a network, None where it predicts nothing."""
        predict = find_predictor(network, X)
        if predict is None:
            return None
        loss = OwnLoss.of(network, predict, X, y)
        return cls(network, params, method, predict, loss, snapshot)

    def training(self, X: Any, y: Any) -> Training:
        """Return the step on all samples at once; on the first alone where it takes one a step."""
        step = TrainingStep.of(self.network, self.method, X, y)
        if self.steps_once(step, X):
            return self.named(step, X, y)
        X, y = X[:1], y[:1]
        self.loss = self.loss and OwnLoss.of(self.network, self.predict, X, y)
        training = self.named(TrainingStep.of(self.network, self.method, X, y), X, y)
        return replace(training, description=f"{training.description}; {EACH_SAMPLE}")

    def named_after(self, epochs: int, fit: RestartingFit, X: Any, y: Any) -> Training:
        """Return the step that is made after so many epochs, with its loss and learning rate."""
        fit.run(epochs)
        self.snapshot = StateSnapshot([self.network, X, y, self.params])
        return self.named(fit.after(epochs), X, y)

    def named(self, step: TrainingStep, X: Any, y: Any) -> Training:
        """Return a step with its loss and learning rate, and where they come from."""
        loss, rate, more = self._loss_and_rate(self._update(step, X), step, X, y)
        taken = f"taken: step {step.description}, predictions {name_of(self.predict)}(X), {more}"
        name = f"{type(self.network).__name__}, a step of {name_of(self.method)}"
        return Training(name, step.make, loss, rate, self.predict, X, y, taken)

    def _update(self, step: TrainingStep, X: Any) -> Update:
        def size() -> float:
            return float(np.sum(array_of(self.predict(X)) ** 2))

        loss = self.loss.value if self.loss is not None else size
        given = self.network if self.params is None else self.params
        accessors = parameters_of(given, step.make, loss, self.snapshot)
        return Update(step.make, accessors, loss, step.rate or 1.0, self.snapshot)

    def restarts(self, step: TrainingStep, X: Any) -> bool:
        """Whether the method begins with parameters of its own making, whatever there are."""
        update = self._update(step, X)
        moved = {name: value + 1 + np.abs(value) for name, value in update.base.items()}
        ends = []
        for start in (update.base, moved):
            self.snapshot.restore(everything=True)
            update.write(start)
            step.make()
            ends.append([np.array(accessor.get()) for accessor in update.accessors.values()])
        self.snapshot.restore(everything=True)
        return all(np.array_equal(one, other) for one, other in zip(*ends, strict=True))

    def steps_once(self, step: TrainingStep, X: Any) -> bool:
        """Whether the change is proportional to the learning rate, so that there is one step."""
        kept, update = step.rate_kept, self._update(step, X)
        if kept is None:
            return True
        fast = update.implied(update.base)
        self.snapshot.restore()
        try:
            with set_to([(kept, kept.get() * SLOWER)]):
                slow = update.stepped(update.base)
        finally:
            self.snapshot.restore(everything=True)
        size = max(float(np.abs(g).max()) for g in fast.values())
        return all(np.abs(fast[n] - slow[n] / SLOWER).max() <= SAME * size for n in fast)

    def _loss_and_rate(
        self, update: Update, step: TrainingStep, X: Any, y: Any
    ) -> tuple[Callable[[], float], float, str]:
        """Return the loss, the learning rate, and where they come from."""
        if self.loss is not None:
            rate = step.rate or self._rate(update, self.loss)
            source = "" if step.rate else ", as most of the parameters show"
            return (
                self.loss.value,
                rate,
                f"loss {self.loss.description}, learning_rate={rate:g}{source}",
            )
        found = loss_identification.identify(
            lambda tensors: self._after(update, tensors, lambda: array_of(self.predict(X))),
            update.base,
            update.implied(update.base),
            y,
            downhill=True,
        )
        self.snapshot.restore(everything=True)
        kind = type(self.network).__name__
        if found is None:
            raise TargetError(
                f"{kind}: the steps of {name_of(self.method)} are not those of any loss that is "
                f"tried ({', '.join(losses.NAMES)}), and it shows no loss of its own. "
                f"Say which it is:\n    {kind}.compute_loss = lambda self, y_pred, y: ...\n"
                "    gradcheck.check(net, X, y)"
            )
        rate = step.rate or 1.0
        return (
            lambda: found.value(array_of(self.predict(X))),
            rate,
            f"learning_rate={rate:g}; it shows no loss, and descends {found.name}",
        )

    def _rate(self, update: Update, loss: OwnLoss) -> float:
        """Return the learning rate that the steps show, where none is to be found."""
        found = loss_identification.rate_of(
            lambda tensors: self._after(update, tensors, lambda: np.atleast_1d(update.loss())),
            update.base,
            update.implied(update.base),
            lambda value: float(value[0]),
        )
        self.snapshot.restore(everything=True)
        if not found:
            raise TargetError(
                f"{type(self.network).__name__}: the learning rate of {name_of(self.method)} is "
                "not to be found, and its steps do not show it. Pass it:\n"
                f"    gradcheck.check_update(lambda: net.{name_of(self.method)}(X, y), net, "
                f"lambda: net.{loss.description}, learning_rate=...)"
            )
        return found

    def _after(self, update: Update, tensors: Tensors, read: Callable[[], Array]) -> Array:
        self.snapshot.restore()
        update.write(tensors)
        with np.errstate(all="ignore"):
            return np.array(read())
