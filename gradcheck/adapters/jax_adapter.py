"""JAX: functions of arrays, with their own ``custom_vjp`` or without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.binding import input_names
from gradcheck.target import Array, Outputs, Run, Target, Tensors, as_outputs


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
    floats = {n: np.asarray(v) for n, v in given.items() if np.asarray(v).dtype.kind == "f"}

    def build(tensors: dict[str, Array]) -> Target:
        def run(at: Tensors) -> Run:
            moving = [jax.numpy.asarray(at[name]) for name in floats]

            def function(*values: Any) -> Any:
                moved = dict(zip(floats, values, strict=True))
                return thing(*(moved.get(n, v) for n, v in given.items()))

            raw, vjp = jax.vjp(function, *moving)
            single = not isinstance(raw, tuple | list)

            def pullback(cotangents: Outputs) -> dict[str, Any]:
                v = cotangents[0] if single else type(raw)(cotangents)
                return {n: np.asarray(g) for n, g in zip(floats, vjp(v), strict=True)}

            return Run(as_outputs(raw), pullback, {n: np.asarray(at[n]) for n in floats})

        first = next(iter(tensors.values()), np.zeros(()))
        return Target.from_run(
            getattr(thing, "__name__", type(thing).__name__),
            tensors,
            run,
            recast=lambda dtype: build({n: v.astype(dtype) for n, v in tensors.items()}),
            batch=first.shape[0] if first.ndim >= 2 else 0,
            batch_tensors=tuple(tensors) if len(tensors) == 1 and first.ndim >= 2 else (),
        )

    return build({n: np.asarray(jax.numpy.asarray(v)) for n, v in floats.items()})
