#!/usr/bin/env bash
# Autograd's Bessel functions: the gradient by the order is 0, and nothing says that there is none.
#
# Guess written down first: "a derivative that a library does not know raises an error, as it does
# in Autograd for the first argument of gammainc ('VJP ... not defined')".
#
# Seen with autograd 1.9.1: jn, iv and ive accept a real order and are smooth in it, yet their
# gradient by the order is 0.0 everywhere, as it would be for a function that does not depend on it,
# without an error or a warning. At order 1.5 and x = 2 the true ones are -0.2518, -0.9260, -0.1253.
# gammainc raises NotImplementedError in the same place.
#
# Who meets it: whoever fits the order, such as the smoothness of a Matern kernel: it never moves
# from its initial value, and the fit looks converged.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "autograd==1.9.1" "scipy==1.17.1" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import autograd.scipy.special as special
from autograd import grad

print("python", sys.version.split()[0], *(f"{n} {version(n)}" for n in ("autograd", "scipy")))
order, x, h, same = 1.5, 2.0, 1e-6, True
for name in ("jn", "iv", "ive"):
    f = getattr(special, name)
    slope, numerical = grad(f)(order, x), (f(order + h, x) - f(order - h, x)) / (2 * h)
    print(f"{name}: gradient by the order {slope}, central difference {numerical:.4f}")
    same &= slope == 0 and abs(numerical) > 0.1
try:
    grad(special.gammainc)(order, x)
    same = False
except NotImplementedError as error:
    print("gammainc:", error)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
