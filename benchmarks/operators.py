"""PyTorch's operators, judged on PyTorch's own samples, beside its own gradcheck.

``python -m benchmarks.operators [--dtype float32] [--samples N] [--only NAME] [--list] [--ours]``

The operators and their sample inputs are those that PyTorch is tested with (``op_db``). Their
gradients are right but for what `TRUE_FINDS` names, so that every other FAIL is a false alarm.
Needs torch and expecttest, which torch's own database imports.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import gradcheck
from benchmarks.engine import OvertimeError, guard

GUARD = 60  # seconds for one sample

# Beyond this many entries torch's slow gradcheck, which measures each of them, takes minutes.
MOST_ENTRIES = 500

# Samples of one operator of which the largest is taken.
MOST_SAMPLES = 12

# Operators that read memory they do not own where a batch is cut but not the pivots beside it.
UNSAFE = {"lu_unpack"}

# Gradients that are wrong, and how that is known.
TRUE_FINDS = {
    "nn.functional.hardsigmoid": "its slope 1/6 is rounded to single precision",
    "as_strided_scatter": "the gradient of its input arrives at the entries that were overwritten, "
    "and not at those that were kept; torch's own gradcheck fails as well",
}


@dataclass(frozen=True)
class Sample:
    """One operator at one of its own sample inputs, as a function of its differentiable tensors."""

    name: str
    function: Callable[..., Any]
    tensors: tuple[Any, ...]
    options: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """What one tool said of one sample."""

    sample: Sample
    verdict: str
    seconds: float
    reason: str = ""


def samples(dtype: str, per_operator: int = 1, only: str = "", every: int = 1) -> Iterator[Sample]:
    """Yield the largest samples of every operator that maps real tensors to real tensors.

    Of its own samples many are corner cases at which an operator is constant; the largest is not.
    """
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    kind = getattr(torch, dtype)
    for op in op_db[::every]:
        if (
            not op.supports_autograd
            or kind not in op.dtypes
            or only not in op.name
            or op.name in UNSAFE
        ):
            continue
        name = f"{op.name}.{op.variant_test_name}".rstrip(".")
        torch.manual_seed(0)
        given = op.sample_inputs("cpu", kind, requires_grad=True)
        fit = [s for s in (_sample(name, op, one) for one in islice(given, MOST_SAMPLES)) if s]
        fit.sort(key=lambda sample: -sum(tensor.numel() for tensor in sample.tensors))
        yield from fit[:per_operator]


def _sample(name: str, op: Any, given: Any) -> Sample | None:
    """Return a sample as a function of its leaves; None where nothing real is differentiated."""
    import torch

    leaves: list[Any] = []

    def collect(value: Any) -> Any:
        if torch.is_tensor(value) and value.requires_grad:
            leaves.append(value)
        return value

    tree = (given.input, tuple(given.args), dict(given.kwargs))
    _mapped(tree, collect)

    def function(*tensors: Any) -> Any:
        moving = iter(tensors)

        def replaced(value: Any) -> Any:
            return next(moving) if torch.is_tensor(value) and value.requires_grad else value

        first, rest, named = _mapped(tree, replaced)
        return given.output_process_fn_grad(op.gradcheck_wrapper(op.op, first, *rest, **named))

    entries = [leaf.numel() for leaf in leaves]
    if any(leaf.layout != torch.strided or leaf.is_complex() for leaf in leaves):
        return None
    if not leaves or not 0 < sum(entries) <= MOST_ENTRIES or min(entries) == 0:
        return None
    leaves = [leaf.detach().clone().contiguous().requires_grad_() for leaf in leaves]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = function(*leaves)
    except Exception:
        return None
    outputs = raw if isinstance(raw, tuple | list) else (raw,)
    real = all(
        torch.is_tensor(y) and y.layout == torch.strided and not y.is_complex() for y in outputs
    )
    if not real or not any(y.requires_grad and y.numel() for y in outputs):
        return None
    return Sample(
        name,
        function,
        tuple(leaves),
        {"fast_mode": op.gradcheck_fast_mode or False, "nondet_tol": op.gradcheck_nondet_tol},
    )


def _mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Return the tree of tuples, lists and dicts with every leaf changed, in one fixed order."""
    if isinstance(tree, dict):
        return {key: _mapped(value, change) for key, value in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(_mapped(value, change) for value in tree)
    return change(tree)


def ours(sample: Sample) -> tuple[str, str]:
    """Return our verdict, and the reason where it is not PASS."""
    report = gradcheck.check(sample.function, *sample.tensors, explain=False)
    broken = [p.measurement for p in report.contract.values() if p.required and p.holds is False]
    reasons = [f"{t.name}: {t.reason}" for t in report.tensors.values() if t.reason]
    return str(report.verdict), "; ".join(reasons + broken)


def theirs(sample: Sample) -> tuple[str, str]:
    """Return the verdict of ``torch.autograd.gradcheck``, its random generator held."""
    import torch

    def held(*tensors: Any) -> Any:
        torch.manual_seed(0)
        return sample.function(*tensors)

    right = torch.autograd.gradcheck(
        held, sample.tensors, raise_exception=False, check_undefined_grad=False, **sample.options
    )
    return ("PASS" if right else "FAIL"), ""


def judged(tool: Callable[[Sample], tuple[str, str]], sample: Sample) -> Row:
    """Ask one tool for its verdict on one sample."""
    started = time.perf_counter()
    try:
        with guard(GUARD), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict, reason = tool(sample)
    except (Exception, OvertimeError) as error:
        verdict, reason = "raised", f"{type(error).__name__}: {error}".partition("\n")[0]
    return Row(sample, verdict, time.perf_counter() - started, reason)


def print_table(dtype: str, tables: dict[str, list[Row]]) -> None:
    """Print what each tool said, with the false alarms counted apart from the true finds."""
    columns = ("judged", "PASS", "FAIL", "false alarms", "UNDECIDED", "raised", "seconds")
    print(f"{dtype:26s}" + "".join(f"{c:>14s}" for c in columns))
    for tool, rows in tables.items():
        count = Counter(row.verdict for row in rows)
        known = sum(r.verdict == "FAIL" and r.sample.name in TRUE_FINDS for r in rows)
        numbers = (
            len(rows),
            count["PASS"],
            count["FAIL"],
            count["FAIL"] - known,
            count["UNDECIDED"],
            count["raised"],
        )
        spent = sum(row.seconds for row in rows)
        print(f"{tool:26s}" + "".join(f"{n:14d}" for n in numbers) + f"{spent:14.1f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--samples", type=int, default=1, help="so many of each operator")
    parser.add_argument("--only", default="", help="operators whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="one operator in this many")
    parser.add_argument("--list", action="store_true", help="a line for all that did not pass")
    parser.add_argument("--ours", action="store_true", help="without torch's own gradcheck")
    options = parser.parse_args(arguments)

    tools = {"gradcheck": ours} | ({} if options.ours else {"torch.autograd.gradcheck": theirs})
    tables: dict[str, list[Row]] = {tool: [] for tool in tools}
    for sample in samples(options.dtype, options.samples, options.only, options.every):
        for tool, judge in tools.items():
            tables[tool].append(judged(judge, sample))
    print_table(options.dtype, tables)
    if options.list:
        for row in (r for rows in tables.values() for r in rows if r.verdict != "PASS"):
            known = TRUE_FINDS.get(row.sample.name, "")
            print(f"{row.verdict:9s} {row.sample.name} | {row.reason or '-'} {known}"[:300])


if __name__ == "__main__":
    main()
