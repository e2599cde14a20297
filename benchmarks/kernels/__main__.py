"""Forty kernels, right and wrong, put to five judges: ``python -m benchmarks.kernels``.

``python -m benchmarks.kernels [--seeds 200] [--dtypes NAME ...] [--kernels TEXT ...]
[--backends NAME ...] [--each]``

Every kernel runs right and wrong by one slip, at inputs of every seed, in every dtype that it
knows. All judges see the same inputs in the same run; those by fixed tolerances see one and the
same outputs and gradients beside those of the reference, which computes in float64 from the same
numbers. Prints for each judge in how many runs it raised an alarm at a right kernel, and in how
many it found a wrong one, of those whose error exceeds rounding: that is measured beside the right
kernel and independent of all judges (`exceeds_rounding`). What is undecided is neither.
"""

from __future__ import annotations

import argparse
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.kernels.backends import MODULES, Backend, backend_of, kernels
from benchmarks.kernels.case import DTYPES, Kernel
from benchmarks.kernels.judges import BASELINES, Judgement, exceeds_rounding, ours

OURS = "gradcheck"
JUDGES = (OURS, *BASELINES)


@dataclass
class Tally:
    """Runs of one kernel in one dtype, or of many together.

    Attributes
    ----------
    runs
        Of the right kernel, and as many of the wrong one.
    beyond
        Of the wrong kernel that are off by more than rounding.
    alarms, found
        By judge: right ones called wrong, and of those beyond rounding, ones called wrong.
    open
        Runs that are undecided, of right and of wrong ones.
    kinds
        What ours calls the wrong kernel where it is beyond rounding.
    named
        How many of these it calls what the slip is.
    """

    runs: int = 0
    beyond: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    named: int = 0

    def add(self, other: Tally) -> None:
        """Count the runs of another as well."""
        self.runs += other.runs
        self.beyond += other.beyond
        self.named += other.named
        for name in ("alarms", "found", "open", "kinds"):
            getattr(self, name).update(getattr(other, name))


def tally(kernel: Kernel, backend: Backend, dtype: str, seeds: int) -> Tally:
    """Put a kernel in one dtype, right and wrong, to all judges."""
    found = Tally()
    for seed in range(seeds):
        drawn = kernel.inputs(np.random.default_rng([seed, zlib.crc32(kernel.name.encode())]))
        values = [backend.array(value) for value in drawn]
        low = [backend.cast(value, dtype) for value in values]

        def numbers(function, of="", low=low, seed=seed):
            rng = np.random.default_rng(seed) if kernel.has_gradient else None
            inputs = [backend.cast(value, of) for value in low] if of else low
            return backend.evaluate(function, inputs, rng)

        functions = {wrong: kernel.function(wrong=wrong) for wrong in (False, True)}
        reference = numbers(kernel.reference, "float64")
        single = numbers(functions[False], "float32")
        got = {wrong: numbers(function) for wrong, function in functions.items()}
        beyond = exceeds_rounding(got[True], reference, single, dtype)
        found.runs += 1
        found.beyond += beyond
        for wrong, function in functions.items():
            said = {
                name: Judgement(judge(got[wrong], reference, dtype))
                for name, judge in BASELINES.items()
            }
            said[OURS] = ours(kernel, function, low, seed)
            _count(found, said, kernel, wrong=wrong, beyond=beyond)
    return found


def _count(
    found: Tally, said: dict[str, Judgement], kernel: Kernel, *, wrong: bool, beyond: bool
) -> None:
    if said[OURS].ok is None:
        found.open["wrong" if wrong else "right"] += 1
    if wrong and not beyond:
        return
    called_wrong = [name for name, judgement in said.items() if judgement.ok is False]
    (found.found if wrong else found.alarms).update(called_wrong)
    if wrong:
        found.kinds[said[OURS].kind] += 1
        found.named += said[OURS].kind == kernel.kind


def _line(name: str, found: Tally) -> str:
    cells = [
        f"{found.alarms[judge]:>5}/{found.runs:<5}{found.found[judge]:>5}/{found.beyond:<5}"
        for judge in JUDGES
    ]
    return f"{name:<44}{' '.join(cells)}"


def _header(title: str) -> str:
    return f"{title:<44}{' '.join(f'{judge:^22}' for judge in JUDGES)}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--kernels", nargs="+", default=[""], metavar="TEXT", help="parts of names")
    parser.add_argument("--backends", nargs="+", choices=MODULES, default=list(MODULES))
    parser.add_argument("--each", action="store_true", help="print every kernel in every dtype")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    start, totals, lines = time.perf_counter(), {}, []
    for name in options.backends:
        backend = backend_of(name)
        for kernel in kernels(name):
            if not any(part in kernel.name for part in options.kernels):
                continue
            for dtype in options.dtypes:
                if dtype not in kernel.dtypes:
                    continue
                found = tally(kernel, backend, dtype, options.seeds)
                totals.setdefault(dtype, Tally()).add(found)
                lines.append((f"{name}: {kernel.name}, {dtype}", found))
                if options.each:
                    kinds = ", ".join(f"{kind} {n}" for kind, n in found.kinds.most_common())
                    print(f"{_line(*lines[-1])}  {kernel.kind} <- {kinds}", flush=True)
    print(_header("right ones called wrong, wrong ones found"))
    for dtype, found in totals.items():
        print(_line(dtype, found))
        named = f"{found.named}/{found.beyond} named what they are"
        print(f"    {named}; undecided: {dict(found.open) or 'none'}")
    print(f"{len(lines)} kernels by dtype, {options.seeds} seeds, "
          f"{time.perf_counter() - start:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
