"""A function with what is claimed of its derivatives, in a form that every peer can be asked in."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class NotExpressibleError(Exception):
    """A peer has no words for what is claimed."""


class Counted:
    """A function that counts its calls, where no snapshot of its state puts the count back."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._calls = itertools.count()

    def __call__(self, *arguments: Any) -> Any:
        next(self._calls)
        return self.function(*arguments)

    @property
    def calls(self) -> int:
        """Calls so far."""
        return next(copy.copy(self._calls))


@dataclass
class Claim:
    """A function at a point, and one claim about its derivative there.

    Attributes
    ----------
    f, x
        The function of one array, and the point; for a Hessian f is the gradient.
    gradient
        ``gradient(x)``, of a scalar f.
    backward
        ``backward(x, v)`` = J^H v.
    jacobian
        ``jacobian(x)``, dense or sparse.
    hessian
        ``hessian(x)``, and ``scalar`` the function of which f is the gradient.
    jvp
        ``jvp(x, t)`` = J t.
    is_operator
        Whether f is claimed to be linear, too, ``backward`` being its adjoint.
    torch_function
        A ``torch.autograd.Function`` whose second backward is claimed.
    component
        An object with ``compute`` and ``compute_partials``; f counts the calls of the former.
    pattern
        Rows and columns at which ``jacobian`` may be nonzero.
    options
        What `gradcheck.check` is told besides.
    """

    f: Counted
    x: Array
    gradient: Callable[[Array], Array] | None = None
    backward: Callable[[Array, Array], Array] | None = None
    jacobian: Callable[[Array], Any] | None = None
    hessian: Callable[[Array], Array] | None = None
    scalar: Callable[[Array], float] | None = None
    jvp: Callable[[Array, Array], Array] | None = None
    is_operator: bool = False
    torch_function: Any = None
    component: Any = None
    pattern: tuple[Array, Array] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def vjp(self, x: Array, v: Any) -> Array:
        """Return J^H v as it is claimed.

        Raises
        ------
        NotExpressibleError
            If nothing is claimed from which it follows.
        """
        if self.gradient is not None:
            return np.asarray(v * self.gradient(x))
        if self.backward is not None:
            return self.backward(x, v)
        matrix = self.jacobian or self.hessian
        if matrix is None:
            raise NotExpressibleError
        return np.asarray(matrix(x).T @ v)

    def matrix(self, x: Array) -> Array:
        """Return the whole Jacobian that is claimed, one row for each output."""
        if self.jvp is not None:
            return np.stack([self.jvp(x, t) for t in np.eye(x.size)], axis=1)
        if self.gradient is not None:
            return self.gradient(x).reshape(1, -1)
        found = self.jacobian or self.hessian
        if found is not None:
            whole = found(x)
            return np.asarray(whole.toarray() if hasattr(whole, "toarray") else whole)
        size = np.size(self.f.function(x))
        return np.stack([self.vjp(x, v).ravel() for v in np.eye(size)])
