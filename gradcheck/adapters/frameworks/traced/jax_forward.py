"""A forward of JAX, its equations evaluated one by one with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck._package import FOLDER
from gradcheck._types import Array
from gradcheck.adapters.frameworks.traced.jax_operations import CONSTANTS, OPERATIONS

# What a call of a function is named by, and where its equations are: its forward's alone.
CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")


def replayed(
    function: Callable[..., Any],
    values: Sequence[Any],
    arrays: Sequence[Array],
    locate: Callable[..., None],
) -> list[Any]:
    """Evaluate a function's equations with NumPy.

    Parameters
    ----------
    function
        A function of arrays.
    values
        What JAX traces it on.
    arrays
        What stands for them.
    locate
        Told the file and the span of every expression of the user's that is evaluated next.

    Returns
    -------
    list
        The leaves of what it returns.

    Raises
    ------
    NotImplementedError
        If a primitive that depends on one of the arrays is not known.
    """
    import jax

    closed = jax.make_jaxpr(function)(*values)
    return _Evaluation(locate).of(closed, arrays, located=False)


@dataclass(frozen=True)
class _Evaluation:
    """The evaluation of equations, and who is told where each is written."""

    locate: Callable[..., None]

    def of(self, closed: Any, arrays: Sequence[Any], *, located: bool) -> list[Any]:
        """Return the outputs of a closed jaxpr.

        ``located`` where its expressions are none of the user's, as in functions of JAX's own:
        what they do is done by the expression that calls them.
        """
        jaxpr, constants = getattr(closed, "jaxpr", closed), getattr(closed, "consts", ())
        known: dict[Any, Any] = {}
        known.update(zip(jaxpr.constvars, map(_plain, constants), strict=True))
        known.update(zip(jaxpr.invars, arrays, strict=True))

        def read(atom: Any) -> Any:
            return _plain(atom.val) if hasattr(atom, "val") else known[atom]

        for equation in jaxpr.eqns:
            place = None if located else _place(equation)
            if place is not None:
                self.locate(*place)
            made = self._made(equation, [read(atom) for atom in equation.invars], located)
            known.update(zip(equation.outvars, made, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _made(self, equation: Any, operands: list[Any], located: bool) -> list[Any]:
        """Return the outputs of one equation."""
        name, parameters = equation.primitive.name, equation.params
        inner = next((parameters[key] for key in CALLS if key in parameters), None)
        if name == "scan":
            return self._scan(operands, located, **parameters)
        if name == "while":
            return self._while(operands, located, **parameters)
        if name == "cond":
            which = int(np.clip(int(operands[0]), 0, len(parameters["branches"]) - 1))
            return self.of(parameters["branches"][which], operands[1:], located=located)
        if inner is not None:
            return self.of(inner, operands, located=located or _is_of_library(inner))
        floats = [np.issubdtype(v.aval.dtype, np.floating) for v in equation.outvars]
        if not any(map(_is_traced, operands)) or not any(floats) or name in CONSTANTS:
            return _computed(equation, operands)
        if name not in OPERATIONS:
            raise NotImplementedError(f"the primitive {name} is not replayed")
        made = OPERATIONS[name](*operands, **parameters)
        return list(made) if equation.primitive.multiple_results else [made]

    def _scan(
        self, operands: list[Any], located: bool, *, jaxpr: Any, length: int, reverse: bool,
        num_consts: int, num_carry: int, **parameters: Any,
    ) -> list[Any]:  # fmt: skip
        constants, carry = operands[:num_consts], operands[num_consts : num_consts + num_carry]
        rows = operands[num_consts + num_carry :]
        stacked: list[list[Any]] = []
        for n in reversed(range(length)) if reverse else range(length):
            given = [*constants, *carry, *(x[n] for x in rows)]
            made = self.of(jaxpr, given, located=located)
            carry = made[:num_carry]
            stacked.append(made[num_carry:])
        stacked = stacked[::-1] if reverse else stacked
        return [*carry, *(np.stack(column) for column in zip(*stacked, strict=True))]

    def _while(
        self, operands: list[Any], located: bool, *, cond_nconsts: int, cond_jaxpr: Any,
        body_nconsts: int, body_jaxpr: Any, **parameters: Any,
    ) -> list[Any]:  # fmt: skip
        of_cond = operands[:cond_nconsts]
        of_body = operands[cond_nconsts : cond_nconsts + body_nconsts]
        carry = operands[cond_nconsts + body_nconsts :]
        while bool(self.of(cond_jaxpr, [*of_cond, *carry], located=located)[0]):
            carry = self.of(body_jaxpr, [*of_body, *carry], located=located)
        return carry


def _computed(equation: Any, operands: list[Any]) -> list[Any]:
    """Return what the primitive itself makes of the numbers, in its own types."""
    import jax

    given = [
        x if not isinstance(x, np.ndarray) else jax.numpy.asarray(np.asarray(x), atom.aval.dtype)
        for x, atom in zip(operands, equation.invars, strict=True)
    ]
    made = equation.primitive.bind(*given, **equation.params)
    return [_plain(v) for v in (made if equation.primitive.multiple_results else [made])]


def _plain(value: Any) -> Any:
    """Return an array of NumPy, of float64 where it is of floats; keys of JAX as they are."""
    import jax

    dtype = getattr(value, "dtype", None)
    if dtype is not None and jax.numpy.issubdtype(dtype, jax.dtypes.prng_key):
        return value
    array = np.asarray(value)
    return array.astype(np.float64) if jax.numpy.issubdtype(array.dtype, np.floating) else array


def _is_traced(value: Any) -> bool:
    """Whether an array follows what is done to it, as those of NumPy's own class do not."""
    return isinstance(value, np.ndarray) and type(value) is not np.ndarray


def _place(equation: Any) -> tuple[str, tuple[int, int, int, int]] | None:
    """Return where the user's code has an equation from; None where that is not known."""
    sources: Any = import_module("jax._src.source_info_util")
    try:
        frames = sources.user_frames(equation.source_info.traceback)
        frame = next(f for f in frames if not _is_own(f.file_name))
    except (StopIteration, AttributeError, TypeError):
        return None
    start = frame.start_line, frame.start_column
    return frame.file_name, (*start, frame.end_line, frame.end_column)


def _is_own(file: str) -> bool:
    return file.startswith(str(FOLDER))


def _is_of_library(inner: Any) -> bool:
    """Whether a function is one of JAX itself."""
    import jax

    jaxpr = getattr(inner, "jaxpr", inner)
    source = getattr(jaxpr.debug_info, "func_src_info", "") or ""
    return str(Path(jax.__file__).parent) in source
