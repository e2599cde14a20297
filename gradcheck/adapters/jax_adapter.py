"""JAX: functions of arrays, with their own ``custom_vjp`` or without."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, cast

import numpy as np

from gradcheck.adapters.binding import input_names
from gradcheck.target import Array, Outputs, Run, Target, Tensors, as_outputs

# The distance of 1 to the next number of bfloat16, which has 7 digits behind the point.
BFLOAT16 = 2.0**-7


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a transformed function (``jit``, ``custom_vjp``) or a JAX array."""
    return type(thing).__module__.partition(".")[0] in ("jax", "jaxlib")


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of ``thing``; its claims are those of ``jax.vjp``.

    Parameters
    ----------
    thing
        A function of arrays.
    arguments
        JAX or NumPy arrays, or anything else the function takes. JAX computes in float32 unless
        ``jax_enable_x64`` is set.
    params
        Not used: pass parameters as arguments.
    """
    import jax

    names = input_names(thing, len(arguments))
    given = dict(zip(names, arguments, strict=True))
    dtypes = {n: jax.numpy.asarray(v).dtype for n, v in given.items() if _is_real(v)}
    floats = {n: as_array(given[n]) for n in dtypes}

    def build(tensors: dict[str, Array], *, wide: bool = False) -> Target:
        def run(at: Tensors) -> Run:
            with _in_float64() if wide else nullcontext():
                return evaluated(at)

        def evaluated(at: Tensors) -> Run:
            own = {n: at[n].dtype if wide else dtype for n, dtype in dtypes.items()}
            moving = [jax.numpy.asarray(at[name], dtype=own[name]) for name in floats]

            def function(*values: Any) -> Any:
                moved = dict(zip(floats, values, strict=True))
                return thing(*(moved.get(n, v) for n, v in given.items()))

            raw, vjp = jax.vjp(function, *moving)
            single = not isinstance(raw, tuple | list)

            def pullback(cotangents: Outputs) -> dict[str, Any]:
                typed = [
                    jax.numpy.asarray(v, dtype=y.dtype)
                    for v, y in zip(cotangents, [raw] if single else raw, strict=True)
                ]
                v = typed[0] if single else type(raw)(typed)
                return {n: as_array(g) for n, g in zip(floats, vjp(v), strict=True)}

            results = [raw] if single else list(raw)
            if not wide:
                target.rounding = _rounding([*dtypes.values(), *(y.dtype for y in results)])
            outputs = as_outputs(tuple(map(as_array, results)))
            return Run(outputs, pullback, {n: np.asarray(at[n]) for n in floats})

        first = next(iter(tensors.values()), np.zeros(()))
        target = Target.from_run(
            getattr(thing, "__name__", type(thing).__name__),
            tensors,
            run,
            recast=lambda dtype: build({n: v.astype(dtype) for n, v in tensors.items()}, wide=True),
            batch=first.shape[0] if first.ndim >= 2 else 0,
            batch_tensors=tuple(tensors) if len(tensors) == 1 and first.ndim >= 2 else (),
        )
        return target

    return build({n: as_array(jax.numpy.asarray(given[n])) for n in floats})


def as_array(value: Any) -> Array:
    """Return an array of JAX as one of NumPy; bfloat16, which NumPy lacks, as float32."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _is_real(value: Any) -> bool:
    return as_array(value).dtype.kind == "f"


def _rounding(dtypes: Sequence[Any]) -> float | None:
    """Return the rounding unit of bfloat16 where it is among the dtypes."""
    return BFLOAT16 if "bfloat16" in map(str, dtypes) else None


def _in_float64() -> AbstractContextManager[Any]:
    """Have JAX compute in float64 for a while; older releases keep that under experimental."""
    import jax

    owner: Any = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
    return cast(AbstractContextManager[Any], owner.enable_x64(True))
