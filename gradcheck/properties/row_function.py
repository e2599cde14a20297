"""Functions that act on each row of an array, as softmax and log-softmax do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.subject import accepts, as_floats, call, refusal
from gradcheck.properties.violation import Array, FunctionRaisedError, PropertyViolationError

AXIS_NAMES = ("axis", "dim")

# Shapes by which a function is asked whether it takes a row, or a batch of them.
SHAPES: dict[int, tuple[tuple[int, ...], ...]] = {1: ((3,), (1,)), 2: ((3, 3), (1, 3), (2, 3))}


class RowFunction(ArrayFunction):
    """A row-wise function, called along the last axis however its user wrote it.

    Parameters
    ----------
    fn
        ``fn(x)`` or ``fn(x, axis=k)``, or an object with ``forward(x)`` (and ``backward(g)``).
        Where there is an ``axis`` (or ``dim``) it is always given, -1 unless the property is about
        another one: defaults differ between libraries.
    axis
        Along which axis a function without an ``axis`` parameter works; 0 where columns are
        samples.
    backward
        ``backward(x, g)``: the cotangent ``g`` pulled back through the function at ``x``.
    """

    def __init__(self, fn: Any, axis: int = -1, backward: Callable[..., Any] | None = None) -> None:
        super().__init__(fn)
        self.axis = axis
        self._forward = fn if callable(fn) else fn.forward
        self._backward = backward or _backward_of(fn)
        self._refusals: dict[int, str] = {}

    @cached_property
    def axis_name(self) -> str:
        """Name of the axis parameter, empty where there is none."""
        known = [accepts(self._forward, name) for name in AXIS_NAMES]
        if None not in known:
            return next((name for name, has in zip(AXIS_NAMES, known, strict=True) if has), "")
        return "axis" if not refusal(self._forward, np.ones((2, 3)), axis=-1) else ""

    @property
    def facts(self) -> dict[str, str]:
        """Which axis is used, and which numbers of axes the function does not take."""
        axis = f"takes {self.axis_name}=" if self.axis_name else f"takes no axis, {self.axis} used"
        axis += "" if self._default_is_last else "; without it, fn(x) is another function"
        refused = [f"{ndim}-D ({why})" for ndim in (1, 2) if (why := self._refuses_ndim(ndim))]
        return {"axis": axis} | ({"does not take": ", ".join(refused)} if refused else {})

    @property
    def ndims(self) -> tuple[int, ...]:
        """Which of one row and a batch of rows the function takes."""
        taken = tuple(ndim for ndim in (1, 2) if not self._refuses_ndim(ndim))
        if not taken:
            raise FunctionRaisedError(
                f"{self.name} takes neither a row nor a batch: {self._refuses_ndim(2)}"
            )
        return taken

    def missing(self, need: str) -> str:
        """Return why ``axis``, ``batch``, ``vector`` or ``backward`` is not there."""
        if need == "axis":
            return "" if self.axis_name else "the function takes no axis"
        if need == "batch":
            return self._refuses_ndim(2)
        if need == "vector":
            return self._refuses_ndim(1)
        if need == "last axis":
            return "" if self.axis == -1 or self.axis_name else f"axis {self.axis} is used"
        return "" if self._backward is not None else "no backward was given"

    def __call__(self, x: Array) -> Array:
        """Return the function of a copy of ``x`` along its last axis, in the shape of ``x``."""
        return self.along(x, -1)

    def along(self, x: Array, axis: int) -> Array:
        """Return the function of a copy of ``x`` along ``axis``, in the shape of ``x``."""
        if self.axis_name:
            return _shaped_like(call(self._forward, x.copy(), **{self.axis_name: axis}), x)
        turned = np.array(np.moveaxis(x, axis, self.axis) if x.ndim > 1 else x)
        result = _shaped_like(call(self._forward, turned), turned)
        return np.moveaxis(result, self.axis, axis) if x.ndim > 1 else result

    def raw(self, x: Array) -> Any:
        """Return whatever the function makes of ``x`` itself, uncopied, unconverted."""
        if self.axis_name:
            return call(self._forward, x, **{self.axis_name: -1})
        if x.ndim == 1 or self.axis == -1:
            return call(self._forward, x)
        return np.moveaxis(call(self._forward, np.moveaxis(x, -1, self.axis)), self.axis, -1)

    def vjp(self, x: Array, g: Array) -> Array:
        """Return the backward's answer to the cotangent ``g`` at ``x``."""
        return _shaped_like(self.raw_vjp(x.copy(), g.copy()), x)

    def raw_vjp(self, x: Array, g: Array) -> Any:
        """Return whatever the backward makes of ``x`` and ``g`` themselves."""
        if self._backward is None:
            raise ValueError("no backward was given")
        if self.axis == -1 or self.axis_name or x.ndim == 1:
            return call(self._backward, x, g)
        turned = (np.moveaxis(a, -1, self.axis) for a in (x, g))
        return np.moveaxis(call(self._backward, *turned), self.axis, -1)

    @property
    def _default_is_last(self) -> bool:
        """Whether leaving the axis out is the same as -1."""
        x = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
        if not self.axis_name or refusal(self._forward, x) or self._refuses_ndim(2):
            return True
        default = np.asarray(call(self._forward, x.copy()))
        given = np.asarray(self.raw(x.copy()))
        return default.shape == given.shape and np.allclose(default, given, equal_nan=True)

    def _refuses_ndim(self, ndim: int) -> str:
        if ndim not in self._refusals:
            options = {self.axis_name: -1} if self.axis_name else {}
            answers = [
                refusal(
                    self._forward, np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), **options
                )
                for shape in SHAPES[ndim]
            ]
            # What takes some shapes only is broken, not picky: it is to be tried, and to fail.
            self._refusals[ndim] = answers[-1] if all(answers) else ""
        return self._refusals[ndim]


def _backward_of(fn: Any) -> Callable[..., Any] | None:
    if not (hasattr(fn, "forward") and hasattr(fn, "backward")):
        return None

    def backward(x: Array, g: Array) -> Any:
        fn.forward(x)
        return fn.backward(g)

    return backward


def _shaped_like(result: Any, x: Array) -> Array:
    array = as_floats(result)
    if array.shape != x.shape:
        raise PropertyViolationError(
            "the result is not shaped like the input", got=array.shape, expected=x.shape
        )
    return array
