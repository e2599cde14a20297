"""The array that remembers how it was made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from gradcheck._package import FOLDER
from gradcheck._types import Array
from gradcheck.explain.trace.node import Node, Pull, Scatter, SourceLocation, Span, unbroadcast

# Steps made inside these are made by the expression of the user that called them.
OWN = str(FOLDER)
SITE_PACKAGES = Path(np.__file__).parents[1]
LIBRARIES = (
    str(Path(__file__).parent),
    str(FOLDER / "adapters" / "frameworks" / "traced"),
    *(str(SITE_PACKAGES / name) for name in ("numpy", "scipy", "torch", "jax")),
    "<__array_function__",
)


# Records a call of one of NumPy's functions: called with the tape and the arguments.
Rule = Callable[..., Any]


class Tape:
    """The steps recorded so far, and the plain arrays known to hold the value of one.

    Parameters
    ----------
    apply_ufunc, apply_function
        What records the calls of NumPy's functions, see `numpy_functions`.
    """

    def __init__(
        self,
        apply_ufunc: Callable[[Tape, Any, str, Any, dict[str, Any]], Any],
        apply_function: Callable[[Tape, Any, Any, Any], tuple[bool, Any]],
    ) -> None:
        self.apply_ufunc, self.apply_function = apply_ufunc, apply_function
        self.nodes: list[Node] = []
        self.aliases: list[tuple[Array, Node]] = []
        self._located: SourceLocation | None = None

    def locate(self, file: str, span: Span) -> None:
        """Take the steps that follow to be made by the expression at ``span`` of a file.

        For code that is replayed, and not on the stack while it is recorded.
        """
        self._located = _expression(file, span)

    def add(
        self,
        op: str,
        value: Any,
        operands: tuple[Any, ...] = (),
        pulls: tuple[Pull | None, ...] = (),
    ) -> TracedArray:
        """Record a step and return its output; what is made of constants alone is one."""
        parents = tuple(self.node_of(operand) for operand in operands)
        if not any(parents):
            return TracedArray.of(np.array(strip(value)), None, self)
        plain = np.array(strip(value), dtype=np.float64)
        site = self._located or _site(sys._getframe(1))
        copies = tuple(np.array(strip(operand), dtype=np.float64) for operand in operands)
        node = Node(op, plain, copies, parents, pulls, site, len(self.nodes))
        self.nodes.append(node)
        return TracedArray.of(np.array(strip(value)), node, self)

    def node_of(self, operand: Any) -> Node | None:
        """Return the step that made ``operand``; None of a constant."""
        if isinstance(operand, TracedArray):
            return operand.node
        if not isinstance(operand, np.ndarray):
            return None
        for array, node in self.aliases:
            if operand is array:
                return node
            if np.may_share_memory(operand, array) and array.flags.c_contiguous:
                return self._view(operand, array, node)
        return None

    def _view(self, view: Array, array: Array, node: Node) -> Node:
        """Return a step that takes from ``array`` what a plain view of it shows."""
        ids = np.arange(array.size, dtype=np.int64)
        offset = view.__array_interface__["data"][0] - array.__array_interface__["data"][0]
        strides = tuple(s * 8 // array.itemsize for s in view.strides)
        places: Array = np.ndarray(view.shape, np.int64, ids, offset * 8 // array.itemsize, strides)
        pull = Scatter(places.copy(), node.value.shape)
        shown = np.array(view, dtype=np.float64)
        taken = Node("view", shown, (node.value,), (node,), (pull,), None, len(self.nodes))
        self.nodes.append(taken)
        return taken


def strip(value: Any) -> Any:
    """Return plain arrays for traced ones, in lists and tuples too."""
    if isinstance(value, TracedArray):
        return value.view(np.ndarray)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(strip(part) for part in value)
    return value


def into(tape: Tape, out: Any, made: Any) -> Any:
    """Write a result where the caller wants it."""
    plain = strip(out)
    plain[...] = strip(made)
    if isinstance(out, TracedArray):
        out.node = made.node if isinstance(made, TracedArray) else None
    elif isinstance(made, TracedArray) and made.node is not None:
        tape.aliases.insert(0, (out, made.node))
    return out


class TracedArray(np.ndarray[Any, Any]):
    """An array with the step that made it; what is done with it is recorded on its tape."""

    node: Node | None = None
    tape: Tape

    @classmethod
    def of(cls, value: Array, node: Node | None, tape: Tape) -> TracedArray:
        """Return ``value`` as made by ``node``."""
        traced = np.asarray(value).view(cls)
        traced.node, traced.tape = node, tape
        return traced

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        tape = _tape_of((*inputs, options.get("out", ())))
        return tape.apply_ufunc(tape, ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        tape = _tape_of((args, kwargs))
        handled, result = tape.apply_function(tape, function, args, kwargs)
        return result if handled else super().__array_function__(function, types, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        value = np.asarray(strip(self)[strip(index)])
        if self.node is None or value.dtype.kind != "f":
            return TracedArray.of(value, None, self.tape) if value.dtype.kind == "f" else value
        places = np.arange(self.size).reshape(self.shape)[strip(index)]
        taken = self.tape.add("getitem", value, (self,), (Scatter(np.asarray(places), self.shape),))
        if np.shares_memory(value, strip(self)):  # what is written into a view is written here
            return TracedArray.of(value, taken.node, self.tape)
        return taken

    def __setitem__(self, index: Any, value: Any) -> None:
        plain, index = strip(self), strip(index)
        before = TracedArray.of(plain.copy(), self.node, self.tape)
        places = np.arange(self.size).reshape(self.shape)
        written = np.asarray(places[index])
        plain[index] = strip(value)
        keeps = np.ones(self.size, dtype=bool)
        keeps[written.reshape(-1)] = False
        kept = np.where(keeps, np.arange(self.size), -1).reshape(self.shape)

        def to_value(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
            return unbroadcast(g[index], operands[1].shape)

        pulls = Scatter(kept, self.shape), to_value
        self.node = self.tape.add("setitem", plain, (before, value), pulls).node

    def __iter__(self) -> Any:
        return (self[n] for n in range(len(self)))

    @property
    def T(self) -> Any:  # noqa: N802 (its name in NumPy)
        """The array with its axes reversed."""
        return np.transpose(self)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Return the entries in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **options)

    def transpose(self, *axes: Any) -> Any:
        """Return the array with its axes permuted."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def astype(self, dtype: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return the array itself for floating types, plain numbers for others."""
        return np.copy(self) if np.dtype(dtype).kind == "f" else strip(self).astype(dtype)

    def fill(self, value: Any) -> None:
        """Write one value everywhere."""
        self[...] = value

    def __array_finalize__(self, source: Any) -> None:
        self.node = None
        if isinstance(source, TracedArray) and hasattr(source, "tape"):
            self.tape = source.tape


def _method(function: Any) -> Any:
    return lambda self, *arguments, **options: function(self, *arguments, **options)


# Methods that NumPy does without a call that could be recorded.
for _name, _function in {
    "ravel": np.ravel, "flatten": np.ravel, "squeeze": np.squeeze, "swapaxes": np.swapaxes,
    "repeat": np.repeat, "take": np.take, "cumsum": np.cumsum, "clip": np.clip, "dot": np.dot,
    "copy": np.copy,
}.items():  # fmt: skip
    setattr(TracedArray, _name, _method(_function))


def _tape_of(arguments: Any) -> Tape:
    """Return the tape of any traced array in arguments, which may be nested."""
    queue = [arguments]
    while queue:
        argument = queue.pop()
        if isinstance(argument, TracedArray):
            return argument.tape
        if isinstance(argument, dict):
            queue += argument.values()
        elif isinstance(argument, list | tuple):
            queue += argument
    raise LookupError("no traced array among the arguments")


def _site(frame: FrameType | None) -> SourceLocation | None:
    """Return the expression of the user's code that is being evaluated, None if it is none."""
    while frame is not None and frame.f_code.co_filename.startswith(LIBRARIES):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename.startswith(OWN):
        return None
    return _site_at(frame.f_code.co_filename, frame.f_code, frame.f_lasti)


@cache
def _site_at(file: str, code: CodeType, instruction: int) -> SourceLocation:
    """The expression at an instruction; code of two files is equal where only the file differs."""
    line, end_line, column, end_column = list(code.co_positions())[instruction // 2]
    line = line or code.co_firstlineno
    return _expression(file, (line, column or 0, end_line or line, end_column or 0))


@cache
def _expression(file: str, span: Span) -> SourceLocation:
    import linecache

    line, column, end_line, end_column = span
    source = linecache.getline(file, line)
    one_line = end_line == line and end_column > column
    text = source.encode()[column:end_column].decode(errors="replace") if one_line else source
    return SourceLocation(file, line, text.strip(), span)
