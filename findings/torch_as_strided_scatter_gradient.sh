#!/usr/bin/env bash
# torch.as_strided_scatter: the gradient of the input arrives at exactly the wrong entries.
#
# Guess written down first: "the gradient of the input is that of the output with zeros where the
# source was written, as for select_scatter and slice_scatter; the operator is in torch's own
# database of operators, whose gradients are tested".
#
# Seen with torch 2.13.0 on the CPU, for contiguous float64 input: the entries that were overwritten
# get the gradient of the output, and the entries that were kept get zero. slice_scatter with the
# same result gives the right one. torch.autograd.gradcheck finds it at once for a source of ordinary
# size, so that samples of a single, fully overwritten number are what let it through.
#
# Who meets it: whoever writes into a strided view under autograd or torch.func.functionalize.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
from torch.autograd.gradcheck import GradcheckError

print("python", sys.version.split()[0], "torch", torch.__version__)
x = torch.arange(1.0, 6.0, dtype=torch.float64, requires_grad=True)
source = torch.full((2,), 9.0, dtype=torch.float64)
strided = torch.as_strided_scatter(x, source, (2,), (1,), 1)
sliced = torch.slice_scatter(x, source, 0, 1, 3)
print("outputs", strided.tolist(), sliced.tolist())
(by_stride,) = torch.autograd.grad(strided.sum(), x)
(by_slice,) = torch.autograd.grad(sliced.sum(), x)
print("gradient by as_strided_scatter", by_stride.tolist())
print("gradient by slice_scatter     ", by_slice.tolist())
try:
    found = not torch.autograd.gradcheck(
        lambda a: torch.as_strided_scatter(a, source, (2,), (1,), 1), (x,)
    )
except GradcheckError:
    found = True
print("torch.autograd.gradcheck finds it:", found)
same = torch.equal(strided, sliced) and by_slice.tolist() == [1.0, 0.0, 0.0, 1.0, 1.0]
same &= by_stride.tolist() == [0.0, 1.0, 1.0, 0.0, 0.0] and found
sys.exit(0 if same else "the behaviour has changed")
PYTHON
