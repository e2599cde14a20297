"""A right autograd function, checked here and by the fast mode of torch.autograd.gradcheck.

``python -m benchmarks.twins.speed [--batch N] [--device cuda]``

Both take turns on a dense layer from 784 to 300 in float32, and the fewest CPU seconds of each
count; ours includes the contract. The most memory that a check of a large layer takes beside what
was there before is told in copies of its matrix.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from gradcheck import check

INPUTS, OUTPUTS = 784, 300
LARGE = 4096
TURNS = 7


class Dense(torch.autograd.Function):
    """A linear layer."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        return grad @ w.T, x.T @ grad, grad.sum(dim=0)


def tensors(batch: int, inputs: int, outputs: int, device: str) -> list[Any]:
    """Return x, w and b in float32."""
    torch.manual_seed(0)
    shapes = (batch, inputs), (inputs, outputs), (outputs,)
    return [torch.randn(shape, device=device, requires_grad=True) for shape in shapes]


def seconds(action: Callable[[], Any]) -> float:
    """Return the CPU seconds that an action takes."""
    begun = resource.getrusage(resource.RUSAGE_SELF)
    if not action():
        raise SystemExit("a right layer is refused")
    ended = resource.getrusage(resource.RUSAGE_SELF)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


def in_fast_mode(given: list[Any]) -> bool:
    """Check with torch's own, so loosely that float32 passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises float64
        return torch.autograd.gradcheck(
            Dense.apply, given, eps=1e-2, atol=1e-1, rtol=1e-1, fast_mode=True
        )


def copies(device: str) -> float:
    """Return the most memory that a check takes, in copies of the matrix."""
    given = tensors(32, LARGE, LARGE, device)
    size = given[1].nbytes
    check(Dense, *(tensor[..., :8, :8] if tensor.ndim == 2 else tensor[:8] for tensor in given))
    if device == "cpu":
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        check(Dense, *given)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / size
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    check(Dense, *given)
    return (torch.cuda.max_memory_allocated() - before) / size


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--copies", action="store_true", help="tell the memory alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.copies:
        print(f"{copies(given.device):.1f} copies of a matrix {LARGE} x {LARGE}")
        return
    ours, theirs = [], []
    for _ in range(TURNS):
        arguments = tensors(given.batch, INPUTS, OUTPUTS, given.device)
        ours.append(seconds(partial(check, Dense, *arguments)))
        theirs.append(seconds(partial(in_fast_mode, arguments)))
    print(f"Dense {INPUTS} x {OUTPUTS} float32, batch {given.batch}, on {given.device}")
    print(f"ours {min(ours):.4f} s, torch's fast mode {min(theirs):.4f} s: "
          f"{min(ours) / min(theirs):.2f} times")  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.twins.speed", "--device", given.device]
    subprocess.run([*command, "--copies"], check=True)  # a new process: the peak is for good


if __name__ == "__main__":
    main()
