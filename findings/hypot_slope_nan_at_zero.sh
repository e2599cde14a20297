#!/usr/bin/env bash
# torch.hypot at (0, 0) has a NaN gradient; the norm of the same two numbers has a zero one.
#
# Guess written down first: "hypot(x, y), abs(x + iy) and the norm of (x, y) are one function, and
# torch gives 0, a subgradient, for all of them at the origin".
#
# Seen with torch 2.13.0 and jax 0.10.2 on the CPU: linalg.vector_norm and abs of a complex number
# give (0, 0); hypot divides by its result and gives (NaN, NaN), in float64 and float32, and with a
# second argument that is a constant zero as well, where it is |x|. jax.numpy.hypot is finite there.
#
# Who meets it: whoever computes distances, amplitudes or gradient magnitudes of images by hypot:
# one point where both components vanish, as in every flat region, makes all parameters NaN.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "jax==0.10.2" "numpy==2.4.6"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import jax
import numpy as np
import torch

print("python", sys.version.split()[0], "torch", torch.__version__, "jax", jax.__version__)
functions = {
    "hypot": lambda v: torch.hypot(v[0], v[1]),
    "hypot beside a constant": lambda v: torch.hypot(v[0], torch.zeros((), dtype=v.dtype)),
    "vector_norm": torch.linalg.vector_norm,
    "complex abs": lambda v: torch.complex(v[0], v[1]).abs(),
}
same = True
for dtype in (torch.float64, torch.float32):
    for name, f in functions.items():
        x = torch.zeros(2, dtype=dtype, requires_grad=True)
        (slope,) = torch.autograd.grad(f(x), x)
        print(dtype, name, slope.tolist())
        same &= bool(torch.isnan(slope[0])) == name.startswith("hypot")
of_jax = float(jax.grad(jax.numpy.hypot)(0.0, 0.0))
print("jax.numpy.hypot", of_jax)
same &= bool(np.isfinite(of_jax))
sys.exit(0 if same else "the behaviour has changed")
PYTHON
