#!/usr/bin/env bash
# torch.nn.functional.hardsigmoid in float64: the forward is exact, the slope is not.
#
# Guess written down first: "in float64 the gradient between -3 and 3 is 1/6 to the last digit, as
# the forward is (x + 3) / 6 to the last digit".
#
# Seen with torch 2.13.0 on the CPU: the backward multiplies by 1/6 rounded to float32,
# 0.1666666716337204, a relative error of 3.0e-8 in every entry, while central differences of the
# forward give 1/6 to 1e-12. The relative tolerance of torch.autograd.gradcheck, 1e-3, does not
# show it; a check with a tighter tolerance fails, and is right to.
#
# Who meets it: whoever compares a hand-written hard sigmoid with torch's in float64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch

print("python", sys.version.split()[0], "torch", torch.__version__)
x = torch.linspace(-2.5, 2.5, 11, dtype=torch.float64, requires_grad=True)
f = torch.nn.functional.hardsigmoid
(gradient,) = torch.autograd.grad(f(x).sum(), x)
h = 2.0**-10
numerical = (f(x + h) - f(x - h)) / (2 * h)
forward = float((f(x) - (x + 3) / 6).detach().abs().max())
backward = float((gradient * 6 - 1).abs().max())
print(f"forward differs from (x + 3) / 6 by {forward:.1e}")
print(f"gradient {gradient[0].item()!r}, relative error {backward:.1e}")
print(f"central differences differ from 1/6 by {float((numerical * 6 - 1).detach().abs().max()):.1e}")
same = forward < 1e-15 and 2.9e-8 < backward < 3.1e-8
same &= float((numerical * 6 - 1).detach().abs().max()) < 1e-11
sys.exit(0 if same else "the behaviour has changed")
PYTHON
