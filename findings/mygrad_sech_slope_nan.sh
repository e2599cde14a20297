#!/usr/bin/env bash
# MyGrad's hyperbolic secant and cosecant: zero to the right of 711, with a gradient that is NaN.
#
# Guess written down first: "sech(x) falls off like exp(-x): far out it is zero, and so is its
# gradient, as for exp(-x) or a sigmoid".
#
# Seen with mygrad 2.5.0: the gradients are sinh(x) / cosh(x) ** 2 and cosh(x) / sinh(x) ** 2. In
# float64 they are 0 from 356 on, where sech itself is still 1e-155, and NaN from 711 on, infinity
# over infinity, where the function is 0 and as smooth as can be; in float32 NaN already from 90 on.
#
# Who meets it: whoever uses a sech window or envelope on unscaled coordinates: one far sample turns
# the whole gradient of a sum to NaN, though it adds nothing to the value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "mygrad==2.5.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import mygrad
import numpy as np

print("python", sys.version.split()[0], "mygrad", version("mygrad"), "numpy", np.__version__)
at = np.array([50.0, 400.0, 720.0])
same = True
for f in (mygrad.sech, mygrad.csch):
    x = mygrad.tensor(at)
    y = f(x)
    y.sum().backward()
    single = mygrad.tensor(np.array([95.0], dtype=np.float32))
    f(single).sum().backward()
    print(f.__name__, "at", at, y.data, "gradient", x.grad, "in float32 at 95", single.grad)
    same &= bool(np.isclose(x.grad[0], -y.data[0])) and x.grad[1] == 0 < y.data[1]
    same &= y.data[2] == 0 and bool(np.isnan(x.grad[2]) and np.isnan(single.grad[0]))
sys.exit(0 if same else "the behaviour has changed")
PYTHON
