"""Functions that act on each row of an array, as softmax and log-softmax do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.function_under_test import (
    accepts,
    call,
    forward_of,
    of_arrays,
    refusal,
    shaped_like,
)
from gradcheck.properties.known_bugs import OF_BACKWARDS, Imitations, recognise
from gradcheck.properties.property import Property

AXIS_NAMES = ("axis", "dim")

# Shapes by which a function is asked whether it takes a row, a batch of them, or deeper arrays.
SHAPES: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((3,), (1,)),
    2: ((3, 3), (1, 3), (2, 3)),
    3: ((2, 3, 4), (1, 1, 3)),
    4: ((2, 1, 3, 4),),
}


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
    ndims
        Numbers of axes that the function is meant for, such as ``(1, 2)`` or ``2``; those that it
        takes without an error when not given.
    **companions
        Functions of rows to be compared with it, by name; None where there is none.
    """

    imitations: ClassVar[Imitations] = {}
    backward_imitations: ClassVar[Imitations] = {}

    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
        **companions: Callable[..., Any] | None,
    ) -> None:
        super().__init__(fn)
        self.companions = {name: f and RowFunction(f, axis) for name, f in companions.items()}
        self._meant_for = _numbers_of_axes(ndims)
        self.axis = axis
        self._forward = of_arrays(forward_of(fn), np.ones((2, 3)))
        self._backward = backward or _backward_of(fn)
        self._refusals: dict[int, str] = {}

    @cached_property
    def axis_name(self) -> str:
        """Name of the axis parameter, empty where there is none."""
        known = [accepts(self._forward, name) for name in AXIS_NAMES]
        if None not in known:
            return next((name for name, has in zip(AXIS_NAMES, known, strict=True) if has), "")
        x = np.ones((2, 3))
        return next((n for n in AXIS_NAMES if not refusal(self._forward, x, **{n: -1})), "")

    @property
    def detected(self) -> dict[str, str]:
        """Which axis is used, and which numbers of axes the function does not take."""
        axis = f"takes {self.axis_name}=" if self.axis_name else f"takes no axis, {self.axis} used"
        axis += "" if self._default_is_last else "; without it, fn(x) is another function"
        refused = {ndim: self._refuses_ndim(ndim) for ndim in SHAPES}
        if not refused[3] and (why := self.missing("deep")):
            refused |= {3: why, 4: why}
        tried = ", ".join(f"{ndim}-D" for ndim, why in refused.items() if not why)
        reasons = dict.fromkeys(why for why in refused.values() if why)
        detected = {"axis": axis, "tried on": f"{tried} arrays" if tried else "nothing"}
        return detected | ({"not tried on": "; ".join(reasons)} if reasons else {})

    @property
    def ndims(self) -> tuple[int, ...]:
        """Which of one row and a batch of rows the function takes."""
        taken = tuple(ndim for ndim in (1, 2) if not self._refuses_ndim(ndim))
        if not taken:
            raise FunctionRaisedError(
                f"{self.name} takes neither a row nor a batch: {self._refuses_ndim(2)}"
            )
        return taken

    @property
    def deep_ndims(self) -> tuple[int, ...]:
        """Which numbers of axes above two the function takes."""
        taken = [ndim for ndim in SHAPES if ndim > 2 and not self._refuses_ndim(ndim)]
        return tuple(taken) if 3 in taken else ()

    def missing(self, need: str) -> str:
        """Return why an axis, a number of axes, ``backward`` or a companion is not there."""
        if need in self.companions:
            return "" if self.companions[need] else f"no {need} was given"
        if need == "axis":
            return "" if self.axis_name else "the function takes no axis"
        if need == "batch":
            return self._refuses_ndim(2)
        if need == "vector":
            return self._refuses_ndim(1)
        if need == "deep":
            return self._refuses_deep
        if need == "last axis":
            return "" if self.axis == -1 or self.axis_name else f"axis {self.axis} is used"
        return "" if self._backward is not None else "no backward was given"

    def likely_cause(self, failed: Property) -> str:
        """Return the known bug that would explain what the function does."""
        if self.missing("batch"):
            return ""
        return self._backward_cause if "backward" in failed.needs else self.forward_cause

    @cached_property
    def forward_cause(self) -> str:
        """The known bug that the function has."""
        return recognise(self, self.imitations) or ""

    @cached_property
    def _backward_cause(self) -> str:
        return recognise(self.vjp, self.backward_imitations, OF_BACKWARDS) or ""

    def companion(self, name: str, x: Array) -> Array:
        """Return a companion of ``x``."""
        fn = self.companions[name]
        if fn is None:
            raise ValueError(f"no {name} was given")
        return fn(x)

    def fitting(self, row: Array) -> Array:
        """Return one row in a number of axes that the function takes."""
        return row if row.ndim in self.ndims else row[np.newaxis]

    def __call__(self, x: Array) -> Array:
        """Return the function of a copy of ``x`` along its last axis, in the shape of ``x``."""
        return self.along(x, -1)

    def along(self, x: Array, axis: int) -> Array:
        """Return the function of a copy of ``x`` along ``axis``, in the shape of ``x``."""
        if self.axis_name:
            return shaped_like(call(self._forward, x.copy(), **{self.axis_name: axis}), x)
        turned = np.array(np.moveaxis(x, axis, self.axis) if x.ndim > 1 else x)
        result = shaped_like(call(self._forward, turned), turned)
        return np.moveaxis(result, self.axis, axis) if x.ndim > 1 else result

    def raw(self, x: Array) -> Any:
        """Return whatever the function makes of ``x`` itself, uncopied, unconverted."""
        return self._turned(self._forward, x, **self._last_axis)

    def vjp(self, x: Array, g: Array) -> Array:
        """Return the backward's answer to the cotangent ``g`` at ``x``."""
        return shaped_like(self.raw_vjp(x.copy(), g.copy()), x)

    def raw_vjp(self, x: Array, g: Array) -> Any:
        """Return whatever the backward makes of ``x`` and ``g`` themselves."""
        if self._backward is None:
            raise ValueError("no backward was given")
        return self._turned(self._backward, x, g)

    def _turned(self, fn: Callable[..., Any], *arrays: Array, **options: int) -> Any:
        """Call ``fn`` with the last axis of all arrays where it works along."""
        if self.axis == -1 or self.axis_name or arrays[0].ndim == 1:
            return call(fn, *arrays, **options)
        turned = (np.moveaxis(array, -1, self.axis) for array in arrays)
        return np.moveaxis(call(fn, *turned), self.axis, -1)

    @property
    def _last_axis(self) -> dict[str, int]:
        return {self.axis_name: -1} if self.axis_name else {}

    @property
    def _default_is_last(self) -> bool:
        """Whether leaving the axis out is the same as -1."""
        x = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
        if not self.axis_name or refusal(self._forward, x) or self._refuses_ndim(2):
            return True
        default = np.asarray(call(self._forward, x.copy()))
        given = np.asarray(self.raw(x.copy()))
        return default.shape == given.shape and np.allclose(default, given, equal_nan=True)

    @cached_property
    def _refuses_deep(self) -> str:
        if not self.deep_ndims:
            return self._refuses_ndim(3)
        if 3 in self._meant_for or not self._along_second_axis:
            return ""
        return (
            "in 3-D it works along axis 1, as if arrays were (samples, classes, ...); pass "
            "ndims=(2, 3) to require the last axis"
        )

    @property
    def _along_second_axis(self) -> bool:
        """Whether in 3-D the function is that of the rows along axis 1, as axis=1 makes it."""
        if self.axis_name or self.axis != -1 or self._refuses_ndim(2):
            return False
        x = np.cos(np.arange(24.0)).reshape(2, 3, 4)
        rows = np.moveaxis(x, 1, -1).reshape(-1, 3)
        try:
            alone = np.stack([self(row[np.newaxis])[0] for row in rows])
            return np.allclose(self(x), np.moveaxis(alone.reshape(2, 4, 3), -1, 1), rtol=1e-9)
        except (FunctionRaisedError, PropertyViolationError):
            return False

    def _refuses_ndim(self, ndim: int) -> str:
        if self._meant_for and ndim not in self._meant_for:
            return f"it is meant for {' and '.join(f'{n}-D' for n in self._meant_for)} arrays only"
        if ndim not in self._refusals:
            answers = [self._refuses_shape(shape) for shape in SHAPES[ndim]]
            # A batch taken in some shapes only is a fault that is to be tried, and to fail;
            # a deeper array, one that the function is not made for.
            asked = any(answers) if ndim > 2 else all(answers)
            why = next(filter(None, answers), "") if asked else ""
            self._refusals[ndim] = f"it takes no {ndim}-D arrays ({why})" if why else ""
        return self._refusals[ndim]

    def _refuses_shape(self, shape: tuple[int, ...]) -> str:
        x = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
        refused = refusal(self._forward, x.copy(), **self._last_axis)
        if refused or len(shape) <= 2:
            return refused
        given = np.shape(call(self._forward, x, **self._last_axis))
        return "" if given == shape else f"from shape {shape} it makes {given}"


def _numbers_of_axes(given: int | Iterable[int] | None) -> tuple[int, ...]:
    wanted = () if given is None else (given,) if isinstance(given, int) else tuple(given)
    if not set(wanted) <= set(SHAPES) or (given is not None and not {1, 2} & set(wanted)):
        raise ValueError(f"ndims must be some of {tuple(SHAPES)}, 1 or 2 among them, got {given!r}")
    return wanted


def _backward_of(fn: Any) -> Callable[..., Any] | None:
    if not (hasattr(fn, "forward") and hasattr(fn, "backward")):
        return None

    def backward(x: Array, g: Array) -> Any:
        fn.forward(x)
        return fn.backward(g)

    return backward
