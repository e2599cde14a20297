"""The layers of `scale_layers` in torch, checked by the fast mode of torch.autograd.gradcheck.

Run as a file: ``python scale_torch.py LAYER TIMES`` prints a line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scale_layers import made
from torch.nn import functional

torch.set_num_threads(1)


def dense(x: Any, weights: Any, bias: Any) -> Any:
    return x @ weights + bias


def lstm(x: Any, h: Any, c: Any, weights: Any, recurrent: Any, bias: Any) -> Any:
    i, f, o, g = (x @ weights + h @ recurrent + bias).chunk(4, 1)
    new = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * new.tanh(), new


def mlp(x: Any, *parameters: Any) -> Any:
    half = len(parameters) // 2
    for weights, bias in zip(parameters[:half], parameters[half:], strict=True):
        x = (x @ weights + bias).tanh()
    return x


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Dense": dense,
    "Conv": lambda x, weights: functional.conv2d(x, weights, padding=1),
    "LSTM": lstm,
    "LayerNorm": lambda x, gamma, beta: functional.layer_norm(x, x.shape[1:], gamma, beta),
    "CE,": functional.cross_entropy,
    "MLP,": mlp,
}


def arrays_of(layer: Any) -> list[Any]:
    """Return the parameters of a layer, in the order in which it makes them."""
    held = [v if isinstance(v, list) else [v] for v in vars(layer).values()]
    return [array for arrays in held for array in arrays if isinstance(array, np.ndarray)]


def main() -> None:
    name, times = sys.argv[1], int(sys.argv[2])
    layer, inputs = made(name, wrong=False)
    tensors = [
        torch.tensor(value, requires_grad=value.dtype.kind == "f")
        for value in (*inputs, *arrays_of(layer))
    ]
    function = FUNCTIONS[name.split()[0]]
    spent, ok = [], True
    for _ in range(times + 1):
        begun = resource.getrusage(resource.RUSAGE_SELF)
        ok = ok and torch.autograd.gradcheck(function, tensors, fast_mode=True)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        spent.append(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)
    sys.stdout.write(json.dumps({"seconds": min(spent), "ok": ok}) + "\n")


if __name__ == "__main__":
    main()
