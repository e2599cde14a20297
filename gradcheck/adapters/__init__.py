"""From what people write to a `Target`: conventions that describe it, tried in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gradcheck.adapters import second_order
from gradcheck.adapters.conventions import (
    attribute_layer,
    forward_mode,
    function_pair,
    functional_network,
    hessian,
    jacobian,
    layer,
    loss_in_backward,
    sequential,
    value_and_grad,
)
from gradcheck.adapters.frameworks import (
    jax,
    linear_operator,
    numpy_ml,
    openmdao,
    tensor_autograd,
    thinc,
    torch,
)
from gradcheck.adapters.lazy_parameters import initialized
from gradcheck.adapters.recognition import ConventionModule, described
from gradcheck.adapters.signatures.methods import backward_of, has_static_methods
from gradcheck.target import Target
from gradcheck.values import TargetError

__all__ = ["Adapter", "as_target", "parts", "register_adapter", "shows_gradients"]


class Adapter(Protocol):
    """Recognises things of one library or convention, and turns them into targets."""

    def matches(self, thing: Any) -> bool:
        """Whether ``thing`` is one of these."""

    def adapt(self, thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
        """Return the target of ``thing`` at ``arguments``."""


_FRAMEWORKS: tuple[Adapter, ...] = (
    torch,
    jax,
    thinc,
    tensor_autograd,
    numpy_ml,
    linear_operator,
    openmdao,
)
_REGISTERED: list[Adapter] = []
# Narrow forms first: what a later one would take as well, an earlier one knows better.
CONVENTIONS: tuple[ConventionModule, ...] = (
    jacobian,
    hessian,
    functional_network,
    loss_in_backward,
    sequential,
    attribute_layer,
    layer,
    forward_mode,
    function_pair,
    value_and_grad,
)


# What may be made of parts that are checked by themselves.
WITH_PARTS = (sequential, torch, openmdao, forward_mode)


def register_adapter(adapter: Adapter) -> None:
    """Try ``adapter`` before the conventions that are known.

    Parameters
    ----------
    adapter
        Anything, a module for instance, with ``matches(thing) -> bool`` and
        ``adapt(thing, arguments, params) -> Target``.
    """
    for name in ("matches", "adapt"):
        if not isinstance(getattr(adapter, name, None), Callable):  # type: ignore[arg-type]
            raise TypeError(f"adapter {adapter!r} has no function {name!r}")
    _REGISTERED.insert(0, adapter)


def shows_gradients(thing: Any) -> bool:
    """Whether ``thing`` is of a framework, a network of layers, or surely has a backward."""
    known = any(framework.matches(thing) for framework in _FRAMEWORKS)
    return known or sequential.is_network(thing) or backward_of(thing) is not None


def parts(
    thing: Any, arguments: Sequence[Any], order: int = 1
) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """Return what is to be checked by itself.

    Layers of a network, components of a problem, the ``jvp`` beside a backward, gradient and
    Hessian, and of ``order`` 2 the backward, as the function that its own gradient is of.

    Returns
    -------
    list of (name, thing, inputs)
        Empty where there is the whole alone. Gradient and Hessian are all there is to it.

    Raises
    ------
    TargetError
        If nothing takes the gradient of a gradient of ``thing``.
    """
    found = []
    if not jax.matches(thing):  # whose backward is made of the jvp that it may have
        found = [part for room in WITH_PARTS for part in room.parts(thing, arguments)]
    if not found and not shows_gradients(thing):
        found = hessian.parts(thing, arguments)
    if order == 2 and not found:
        backward, given = second_order.backward_of(thing, arguments)
        found.append(("backward", backward, given))
    return found


def as_target(thing: Any, *arguments: Any, params: Any = None) -> Target:
    """Return the `Target` of a layer, loss, pair of functions or function at ``arguments``.

    Parameters
    ----------
    thing
        An object with forward and backward, by whatever names; a network, a list of layers, or
        either with its loss as a pair; a pair ``(forward, backward)``, ``(f, grad)`` or
        ``(f, jac)``; ``(f, grad, hess)``; a function returning ``(loss, gradients)``,
        ``(y, jacobian)`` or ``(y, backprop)``; or a `Target`.
    *arguments
        The inputs at which to check: arrays, or dicts, lists and dataclasses of arrays. Integer
        arrays are taken for indices where the forward uses them as such.
    params
        Parameters to check, where they cannot be discovered: a dict or list of arrays.

    Raises
    ------
    TargetError
        If no known convention fits; the message says what was tried and what would work.
    """
    if isinstance(thing, Target):
        return thing
    for framework in _FRAMEWORKS:
        holds = getattr(framework, "holds", framework.matches)
        if framework.matches(thing) or any(map(holds, arguments)):
            return framework.adapt(thing, arguments, params)
    if forward_mode.is_triple(thing):
        thing = tuple(thing[:2])  # the third is checked by itself
    if isinstance(thing, type) and has_static_methods(thing):
        thing = (thing.forward, thing.backward)  # type: ignore[attr-defined]
    if isinstance(thing, type):
        raise TargetError(
            f"{thing.__name__} is a class: pass an instance, as in check({thing.__name__}(...), x)"
        )
    for adapter in _REGISTERED:
        if adapter.matches(thing):
            return adapter.adapt(thing, arguments, params)
    return described(CONVENTIONS, initialized(thing, arguments), arguments, params)
