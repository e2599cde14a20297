"""JAX: functions of arrays and of pytrees, with their own ``custom_vjp`` or without."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import Any, cast

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.complex_convention import Convention
from gradcheck.adapters.frameworks import jax_modules
from gradcheck.adapters.frameworks.jax_constants import Constants
from gradcheck.adapters.frameworks.jax_rounding import called
from gradcheck.adapters.frameworks.jax_value_and_grad import gradients_of, says_gradient
from gradcheck.adapters.frameworks.tensor_pair import adapt_pair, is_pair
from gradcheck.adapters.signatures.methods import input_names
from gradcheck.adapters.signatures.pytree import is_plain
from gradcheck.adapters.vmap_agreement import PROMISE, vmap_agrees
from gradcheck.numerics import real_parts
from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic, current
from gradcheck.target import ForwardRun, Target
from gradcheck.values import TargetError, as_outputs

# What stands for the module that is called, where it is a pytree itself.
MODULE = ""

# Functions with a rule of their own, which JAX maps over a batch beside the function.
WITH_RULES = ("custom_vjp", "custom_jvp")

# The distance of 1 to the next number of bfloat16, which has 7 digits after the point.
BFLOAT16 = 2.0**-7


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a transformed function (``jit``, ``custom_vjp``) or a JAX array.

    Or a module that is a pytree with such arrays, as those of Equinox and of flax's nnx are.
    """
    return _is_of_jax(thing) or (
        not isinstance(thing, list | tuple | dict | type | np.ndarray) and holds(thing)
    )


def holds(argument: Any) -> bool:
    """Whether an argument is a pytree with a JAX array among its leaves."""
    if "jax" not in sys.modules:
        return False
    leaves = sys.modules["jax"].tree_util.tree_leaves(argument)
    return any(_is_of_jax(leaf) and hasattr(leaf, "dtype") for leaf in leaves)


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of ``thing``; its gradients are those of ``jax.vjp``.

    Parameters
    ----------
    thing
        A function of arrays or pytrees, a module that is a pytree, or a pair of functions.
    arguments
        JAX or NumPy arrays, pytrees of them, or anything else the function takes. Leaves are
        called by their paths, such as ``params['w']``. JAX computes in float32 unless
        ``jax_enable_x64`` is set.
    params
        Not used: pass parameters as arguments.

    Raises
    ------
    TargetError
        If no argument holds a floating-point array.
    """
    if is_pair(thing):
        return adapt_pair(thing, arguments, params, _is_of_jax, as_array, like)
    thing, arguments = jax_modules.as_function(thing, arguments)
    names = input_names(thing, len(arguments))
    values = [np.asarray(v) if isinstance(v, list) and is_plain(v) else v for v in arguments]
    given = dict(zip(names, values, strict=True))
    if holds(thing):
        given = {MODULE: thing, **given}
    call = _Call.of(thing, given)
    if not call.floats:
        raise TargetError(
            f"{call.name} was given no floating-point array to differentiate: pass JAX or NumPy "
            "arrays of floats after it, or pytrees of them"
        )
    if says_gradient(thing):
        returned = gradients_of(call(*call.floats.values()), names, call.floats)
        floats = {name: call.floats[name] for name in returned}
        call = replace(call, floats=floats or call.floats, returns_gradients=bool(returned))
    return call.target(call.floats)


@dataclass(frozen=True, repr=False)  # which JAX would ask for its text at every call
class _Call:
    """A function with its arguments, flattened.

    Attributes
    ----------
    thing
        The function.
    leaves
        All leaves of all arguments, by their paths.
    structures
        How the arguments are put together again: a tree and its number of leaves each.
    floats
        The leaves that are differentiated.
    returns_gradients
        Whether the function returns their gradients itself, beside its value.
    """

    thing: Any
    leaves: dict[str, Any]
    structures: dict[str, Any]
    floats: dict[str, Array]
    returns_gradients: bool = False

    @classmethod
    def of(cls, thing: Any, given: dict[str, Any]) -> _Call:
        """Flatten the arguments."""
        import jax

        leaves: dict[str, Any] = {}
        structures = {}
        for name, value in given.items():
            pairs, structures[name] = jax.tree_util.tree_flatten_with_path(value)
            for path, leaf in pairs:
                label = f"{name}{jax.tree_util.keystr(path)}".removesuffix(".value").lstrip(".")
                leaves[f"module.{label}" if label in leaves else label] = leaf
        floats = {n: as_array(v) for n, v in leaves.items() if is_float(v, alone=n in given)}
        return cls(thing, leaves, structures, floats)

    @property
    def name(self) -> str:
        """What to call it."""
        return getattr(self.thing, "__name__", type(self.thing).__name__)

    @property
    def arrays(self) -> list[str]:
        """The arguments that are arrays themselves."""
        return [name for name in self.structures if name in self.floats]

    def __call__(self, *values: Any) -> Any:
        """Call the function with other values of its ``floats``."""
        moved = {**self.leaves, **dict(zip(self.floats, values, strict=True))}
        left = iter(moved.values())
        arguments = {
            name: tree.unflatten([next(left) for _ in range(tree.num_leaves)])
            for name, tree in self.structures.items()
        }
        function = arguments.pop(MODULE, self.thing)
        return function(*arguments.values())

    def target(self, tensors: dict[str, Array], *, wide: bool = False) -> Target:
        """Return the target at ``tensors``; ``wide``, in whatever dtype these have."""
        import jax

        first = tensors[self.arrays[0]] if self.arrays else np.zeros(())
        batch = first.shape[0] if first.ndim >= 2 else 0
        dtypes = {name: jax.numpy.asarray(self.leaves[name]).dtype for name in self.floats}

        def run(at: Tensors) -> ForwardRun:
            with _in_float64() if wide else nullcontext():
                return evaluated(at, self)

        def evaluated(at: Tensors, function: Callable[..., Any]) -> ForwardRun:
            own = {n: at[n].dtype if wide else dtype for n, dtype in dtypes.items()}
            moving = [jax.numpy.asarray(at[name], dtype=own[name]) for name in self.floats]
            raw, claimed = called(function, *moving), None
            if self.returns_gradients:
                raw, claimed = raw
            leaves, tree = jax.tree_util.tree_flatten(raw)
            results = [jax.numpy.asarray(leaf) for leaf in leaves]  # numbers among them, too

            @cache
            def way_back() -> Any:  # most runs need none, and it takes several times as long
                arithmetic = current()
                if arithmetic is not None:
                    return partial(_pulled, arithmetic, function, moving)
                return jax.vjp(function, *moving)[1]

            def pullback(cotangents: Outputs) -> dict[str, Any]:
                if self.returns_gradients:
                    returned = map(as_array, jax.tree_util.tree_leaves(claimed))
                    return {
                        n: cotangents[0] * g for n, g in zip(self.floats, returned, strict=True)
                    }
                with _in_float64() if wide else nullcontext():
                    own = Convention.CONJUGATE.cotangents(cotangents)
                    v = jax.tree_util.tree_unflatten(tree, map(_cotangent, own, results))
                    gradients = dict(zip(self.floats, map(as_array, way_back()(v)), strict=True))
                    return Convention.CONJUGATE.gradients(gradients)

            if not wide:
                computed = map(str, [*dtypes.values(), *(y.dtype for y in results)])
                target.rounding = BFLOAT16 if "bfloat16" in computed else None
            return ForwardRun(
                as_outputs(tuple(map(as_array, results))),
                pullback,
                {n: np.asarray(at[n]) for n in self.floats},
                formats=tuple(str(y.dtype) for y in results),
            )

        def replay(at: Tensors, locate: Callable[..., None]) -> list[Array]:
            from gradcheck.adapters.frameworks.traced.jax_forward import replayed  # for a FAIL

            moving = [jax.numpy.asarray(np.asarray(at[n]), dtype=d) for n, d in dtypes.items()]
            return replayed(self, moving, [at[name] for name in self.floats], locate)

        def mapped(at: Tensors) -> ForwardRun:
            return evaluated(at, jax.vmap(self))

        base = tensors
        if not wide:
            base = {n: as_array(jax.numpy.asarray(v)) for n, v in tensors.items()}
        has_rule = type(self.thing).__name__ in WITH_RULES and not self.returns_gradients
        target = Target.from_run(
            self.name,
            base,
            run,
            recast=lambda dtype: self.target(
                {n: real_parts.cast(v, dtype) for n, v in tensors.items()}, wide=True
            ),
            roles={n: "parameter" for n in tensors if n not in self.structures},
            batch=batch,
            batch_tensors=tuple(self.arrays) if len(self.arrays) == 1 and batch else (),
            formats={n: str(dtype) for n, dtype in dtypes.items()},
            uncovered=Constants(self, self.thing, self.leaves, self.floats),
            promises={PROMISE: lambda: vmap_agrees(base, run, mapped)} if has_rule else {},
            replay=replay,
        )
        return target


def _pulled(
    arithmetic: RoundedArithmetic, function: Any, values: Sequence[Any], cotangents: Any
) -> Any:
    """Return the gradients, in an arithmetic: the way there and back are one program."""
    import jax

    with arithmetic.keeping():
        return called(lambda *moving: jax.vjp(function, *moving)[1](cotangents), *values)


def _cotangent(cotangent: Array, result: Any) -> Any:
    """Return a cotangent as JAX wants it: of whole numbers, one of its type for nothing."""
    import jax

    if jax.numpy.issubdtype(result.dtype, jax.numpy.inexact):
        return jax.numpy.asarray(cotangent, dtype=result.dtype)
    return np.zeros(np.shape(result), dtype=jax.dtypes.float0)


def is_float(value: Any, *, alone: bool = True) -> bool:
    """Whether a leaf is an array of such numbers as NumPy has, or, ``alone``, one number."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return alone and isinstance(value, float | complex)
    return isinstance(dtype, np.dtype) and (dtype.kind in "fc" or dtype.name == "bfloat16")


def as_array(value: Any) -> Array:
    """Return an array of JAX as one of NumPy; bfloat16, which NumPy lacks, as float32."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def like(array: Array, other: Any) -> Any:
    """Return an array of NumPy as one of JAX, in bfloat16 if ``other`` is."""
    import jax

    low = str(getattr(other, "dtype", "")) == "bfloat16" and array.dtype.kind == "f"
    return jax.numpy.asarray(array, dtype=other.dtype if low else None)


def _in_float64() -> AbstractContextManager[Any]:
    """Have JAX compute in float64 for a while; older releases keep that under experimental."""
    import jax

    owner: Any = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
    return cast(AbstractContextManager[Any], owner.enable_x64(True))


def _is_of_jax(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] in ("jax", "jaxlib")
