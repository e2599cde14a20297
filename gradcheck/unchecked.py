"""What a check leaves unjudged, and why."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from gradcheck.adapters.signatures.name_tables import is_like_trained
from gradcheck.checking.context import CheckContext
from gradcheck.report.data import Unchecked
from gradcheck.target import Target

NO_GRADIENT = "backward gave no gradient of it"
LEFT_OUT = "it is none of the tensors asked for"


def left_unjudged(
    context: CheckContext, names: Container[str], *, asked: bool
) -> tuple[Unchecked, ...]:
    """Return the tensors that are not judged, and the arrays that are no tensors.

    Parameters
    ----------
    context
        Where the gradients were seen.
    names
        The tensors that are judged.
    asked
        Whether the caller chose what is judged, so that the rest is left out on purpose.
    """
    return tuple(_left(context, names, asked=asked))


def _role(target: Target, name: str) -> str:
    """Return the role of a tensor without a gradient.

    A loss is given data, by whatever names, and so is a function that is differentiated by one
    argument.
    """
    is_function = target.unit_cotangent or target.jacobians is not None
    if target.role(name) == "input" and not is_function and is_like_trained(name):
        return "parameter"
    return target.role(name)


def _left(context: CheckContext, names: Container[str], *, asked: bool) -> Iterator[Unchecked]:
    target, analytic = context.native.target, context.base.analytic
    for name in target.tensors:
        if name in names:
            continue
        if name in analytic or (asked and _role(target, name) == "parameter"):
            yield Unchecked(name, "excluded", LEFT_OUT)
        else:
            yield Unchecked(name, _role(target, name), NO_GRADIENT)
    for array in context.uncovered:
        left_out = asked and array.is_owed
        yield replace(array, role="excluded", reason=LEFT_OUT) if left_out else array
