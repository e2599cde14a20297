#!/usr/bin/env bash
# The gradient of torch.digamma in float64 has nine digits, at points as plain as 1 and 2.
#
# Guess written down first: "special functions in float64 and their gradients are right to 1e-13 or
# so wherever they are well conditioned; trigamma(1) is pi ** 2 / 6 to that accuracy".
#
# Seen with torch 2.13.0 on the CPU: the gradient of digamma at 1 is pi ** 2 / 6 with a relative
# error of 4.8e-10, at 0.5 with 3.1e-10, at 2 with 3.7e-10: a million units in the last place, and
# the same in torch.polygamma(1, x). torch.special.zeta(2, x), which is the same function, is right
# to 1e-15, and so is the gradient of lgamma. Central differences of digamma give the true value to
# 1e-10, so that a gradient check with a tight tolerance fails.
#
# Who meets it: whoever fits Gamma, Beta or Dirichlet distributions with second derivatives, or
# checks a hand-written trigamma by torch's in float64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import torch

print("python", sys.version.split()[0], "torch", torch.__version__)
x = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
true = torch.tensor([math.pi**2 / 2, math.pi**2 / 6, math.pi**2 / 6 - 1], dtype=torch.float64)


def error(values):
    return (values.detach() / true - 1).abs()


(slope,) = torch.autograd.grad(torch.digamma(x).sum(), x)
of_slope, of_polygamma = error(slope), error(torch.polygamma(1, x))
of_zeta = error(torch.special.zeta(torch.full_like(x, 2.0), x))
print("relative errors at 0.5, 1, 2: gradient of digamma", of_slope.tolist())
print("polygamma(1, x)", of_polygamma.tolist(), "zeta(2, x)", of_zeta.tolist())
same = bool((of_slope > 1e-10).all() and (of_slope < 1e-9).all())
same &= bool((of_polygamma > 1e-10).all() and (of_zeta < 1e-14).all())
sys.exit(0 if same else "the behaviour has changed")
PYTHON
