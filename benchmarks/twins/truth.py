"""Whether right layers are right and slips are wrong, by differentiating the forward with JAX.

``python -m benchmarks.twins.truth [LAYER ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from benchmarks.twins.layer import Layer, Slip
from benchmarks.twins.layers import LAYERS
from benchmarks.twins.render import in_jax

RIGHT, WRONG = 1e-10, 1e-4


def error(layer: Layer, slip: Slip | None) -> float:
    """Return the largest error of the backward, relative to the largest entry of its gradient."""
    import jax

    module: dict[str, Any] = {}
    exec(in_jax(layer, slip), module)
    forward, backward = (module[part.__name__] for part in (layer.forward, layer.backward))
    arrays = layer.arrays()
    real = [n for n, array in enumerate(arrays) if array.dtype.kind == "f"]

    def output(*moved: Any) -> Any:
        given = list(arrays)
        for n, value in zip(real, moved, strict=True):
            given[n] = value
        return forward(*map(jax.numpy.asarray, given))[0]

    y, exact = jax.vjp(output, *(jax.numpy.asarray(arrays[n]) for n in real))
    cotangent = jax.numpy.asarray(np.random.default_rng(0).normal(size=y.shape))
    saved = forward(*map(jax.numpy.asarray, arrays))[1]
    claimed = [g for g in backward(saved, cotangent) if g is not None]
    errors = [
        np.abs(np.asarray(g) - np.asarray(e)).max() / max(np.abs(np.asarray(e)).max(), 1e-9)
        for g, e in zip(claimed, exact(cotangent), strict=True)
    ]
    return float(max(errors))


def doubts(layer: Layer) -> list[str]:
    """Return what of a layer's labels does not hold."""
    wrong = [f"right, but off by {off:.1e}"] if (off := error(layer, None)) > RIGHT else []
    return wrong + [
        f"{slip.tag}: said to be wrong, but right to {off:.1e}"
        for slip in layer.slips
        if (off := error(layer, slip)) < WRONG
    ]


def main() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    for layer in LAYERS:
        if not sys.argv[1:] or layer.name in sys.argv[1:]:
            for doubt in doubts(layer):
                print(f"{layer.name}: {doubt}", flush=True)


if __name__ == "__main__":
    main()
