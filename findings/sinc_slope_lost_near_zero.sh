#!/usr/bin/env bash
# The gradient of sinc near zero, in three libraries: exact at zero, and lost beside it.
#
# Guess written down first: "sinc is smooth and libraries treat its removable singularity, so that
# the gradient near zero is -pi ** 2 / 3 * x to rounding".
#
# Seen with torch 2.13.0, mygrad 2.5.0 and autograd 1.9.1: only x = 0 itself is treated (autograd's
# is NaN there). Beside it the quotient (pi x cos(pi x) - sin(pi x)) / (pi x ** 2) cancels: in
# float32 the gradient at 1e-4 is off by more than half, at 6e-5 it is 0, and in float64 it is 0 or
# off by more than a tenth below 1e-8. The values are right everywhere.
#
# Who meets it: whoever learns delays, frequencies or positions through sinc interpolation, with
# initial values near zero: the gradient is noise or nothing there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "mygrad==2.5.0" "autograd==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import autograd
import autograd.numpy as anp
import mygrad
import numpy as np
import torch

print("python", sys.version.split()[0], *(f"{n} {version(n)}" for n in ("torch", "mygrad", "autograd")))


def of_torch(x):
    given = torch.tensor(x, requires_grad=True)
    return torch.autograd.grad(torch.sinc(given).sum(), given)[0].numpy()


def of_mygrad(x):
    given = mygrad.tensor(x)
    mygrad.sinc(given).sum().backward()
    return given.grad


def of_autograd(x):
    return autograd.elementwise_grad(anp.sinc)(x)


same = True
for name, slope in (("torch", of_torch), ("mygrad", of_mygrad), ("autograd", of_autograd)):
    x = np.array([1e-1, 1e-4, 6e-5], dtype=np.float32)
    error = np.abs(slope(x) / (-np.pi**2 / 3 * x.astype(float)) - 1)
    tiny = np.array([1e-9])
    lost = np.abs(slope(tiny) / (-np.pi**2 / 3 * tiny) - 1)
    at_zero = slope(np.zeros(1))
    print(f"{name}: relative errors at 1e-4 {error[1]:.2f}, 6e-5 {error[2]:.2f} in float32, "
          f"at 1e-9 in float64 {lost[0]:.2f}; gradient at 0 {at_zero[0]}")
    same &= error[0] < 0.02 and error[1] > 0.1 and error[2] > 0.1 and lost[0] > 0.1
    same &= bool(np.isnan(at_zero[0])) == (name == "autograd")
sys.exit(0 if same else "the behaviour has changed")
PYTHON
