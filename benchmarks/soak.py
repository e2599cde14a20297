"""Many checks in one process: what memory they leave behind, and whether they slow down.

``python -m benchmarks.soak [--checks N]``

Right layers and, one time in ten, wrong ones are checked with everything that a check does, each
layer made anew. Printed are, after every tenth of the checks, the memory of the process in MiB, its
open files and child processes, and the seconds of the fastest check of a right layer since.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from pathlib import Path

import gradcheck
from benchmarks.scale_layers import made

EVERY = 10
NAME = "Dense 4x3"


def resident() -> float:
    """Return the memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def children() -> int:
    """Return the number of child processes of this one."""
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def one(number: int) -> float:
    """Make one check, and return the seconds that it took; endless for a wrong layer."""
    wrong = number % EVERY == 0
    layer, inputs = made(NAME, wrong=wrong)
    begun = time.perf_counter()
    report = gradcheck.check(layer, *inputs, progress=False)
    if report.ok is wrong:
        raise SystemExit(f"check {number}: {report!r}")
    return float("inf") if wrong else time.perf_counter() - begun


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checks", type=int, default=2000)
    checks = parser.parse_args(arguments).checks
    one(0), one(1)
    print(f"{'checks':>8}{'MiB':>10}{'files':>8}{'children':>10}{'seconds':>10}")
    for part in range(10):
        begin, end = part * checks // 10, (part + 1) * checks // 10
        fastest = min(one(number) for number in range(begin, end))
        gc.collect()
        files = len(os.listdir("/proc/self/fd"))
        print(f"{end:>8}{resident():>10.1f}{files:>8}{children():>10}{fastest:>10.4f}", flush=True)


if __name__ == "__main__":
    main()
