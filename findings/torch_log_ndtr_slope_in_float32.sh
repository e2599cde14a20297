#!/usr/bin/env bash
# torch.special.log_ndtr in float32, far below zero: the values are right, the gradient is not.
#
# Guess written down first: "the logarithm of the normal distribution function is offered for its
# lower tail, so that its gradient there, about -x, is right to some units in the last place, as its
# values are; in float32 to better than 1e-5".
#
# Seen with torch 2.13.0 on the CPU: at -300 the gradient is too small by 0.16 %, at -1000 by 4.4 %,
# at -4096 by 21 %, without an infinity or NaN that would show it, while the values agree with
# float64 to 1e-7. In float64 the same gradient is right to 1e-10. The backward pass computes
# exp(-log_ndtr(x) - x * x / 2), a small difference of two numbers of some millions.
#
# Who meets it: whoever maximises a probit likelihood, or an acquisition function with logarithms of
# improbable improvements, in float32, and wonders why second-order steps do not fit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch

print("python", sys.version.split()[0], "torch", torch.__version__)
at = [-10.0, -300.0, -1000.0, -4096.0]


def value_and_slope(dtype):
    x = torch.tensor(at, dtype=dtype, requires_grad=True)
    y = torch.special.log_ndtr(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach().double(), slope.double()


single, double = value_and_slope(torch.float32), value_and_slope(torch.float64)
of_values, of_slopes = ((s / d - 1).abs().tolist() for s, d in zip(single, double))
for x, value, slope, true in zip(at, of_values, of_slopes, double[1].tolist()):
    print(f"x {x:7.0f}: relative error of the value {value:.1e}, of the gradient {slope:.1e} ({true:.6g})")
same = max(of_values) < 1e-6 and of_slopes[0] < 1e-4
same &= 5e-4 < of_slopes[1] < 5e-3 and 0.02 < of_slopes[2] < 0.1 and 0.1 < of_slopes[3] < 0.4
sys.exit(0 if same else "the behaviour has changed")
PYTHON
