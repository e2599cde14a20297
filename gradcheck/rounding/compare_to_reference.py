"""compare_to_reference(): a kernel in low precision beside the same function in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.adapters.reference_target import pairs, reference_in_float64, reference_target
from gradcheck.numerics.directions import random_cotangents
from gradcheck.numerics.formats import FORMATS
from gradcheck.rounding.comparison import ReferenceComparison
from gradcheck.rounding.comparison_report import ComparisonReport
from gradcheck.rounding.evaluation import Evaluation, evaluate
from gradcheck.rounding.precision import Precision, formats_of, output_formats
from gradcheck.state import settings_kept
from gradcheck.target import ForwardRun, Target
from gradcheck.values import TargetError
from gradcheck_arguments import Seed, checked


@checked
def compare_to_reference(
    kernel: Any,
    *inputs: Any,
    reference: Any = None,
    accumulator: str | None = None,
    intermediates: str | None = None,
    seed: Seed = 0,
) -> ComparisonReport:
    """Compare a kernel in low precision with a reference in float64, at the very same numbers.

    How far every entry of the outputs and gradients may be off is derived, not guessed: half an
    ulp of its format for the rounding of the result, and what the roundings before it make of it,
    measured on the reference.

    Parameters
    ----------
    kernel
        Anything `as_target` recognises, or a function of arrays that has no gradient.
    *inputs
        Its inputs, in its own dtype. The reference gets the same numbers, widened to float64.
    reference
        A plain implementation: of PyTorch, JAX or NumPy; its gradients are taken by autograd, or
        are its own. None: the kernel itself, where it computes in float64 if it is given that.
    accumulator
        The format in which sums are added up: ``"float32"``, ``"bfloat16"``, ``"float16"``,
        ``"tf32"``, ... None: float32 for what has fewer digits, else its own.
    intermediates
        The format in which values are kept between operations. None: measured where the kernel is
        made of operations of PyTorch or JAX, the accumulator's where it is opaque, as those of
        Triton and Numba are.
    seed
        Of the cotangents, and of the errors that are drawn.

    Returns
    -------
    ComparisonReport
        ``report.ok``: True, False or None, undecided; ``report.kind``: ``"within_rounding"``,
        ``"short_accumulator"``, ``"missed_upcast"`` or ``"systematic"``.

    Raises
    ------
    TargetError
        If the kernel or the reference cannot be called, or have other outputs.
    ValueError
        If a format is unknown.

    Notes
    -----
    The sources of the error model are named in `gradcheck.numerics.rounded_arithmetic`.

    Examples
    --------
    >>> import numpy as np
    >>> import gradcheck
    >>> x = np.linspace(-3, 3, 50, dtype=np.float32)
    >>> gradcheck.compare_to_reference(np.tanh, x, reference=np.tanh).ok
    True
    """
    with settings_kept():
        return _compared(kernel, inputs, reference, accumulator, intermediates, seed)


def assert_close_to_reference(kernel: Any, *inputs: Any, **options: Any) -> ComparisonReport:
    """Compare as `compare_to_reference` does, and raise unless all is within rounding.

    Raises
    ------
    AssertionError
        If something is not, or cannot be decided; its message is the report.
    """
    __tracebackhide__ = True
    report = compare_to_reference(kernel, *inputs, **options)
    if report.ok is not True:
        raise AssertionError(f"\n{report}")
    return report


def _compared(
    kernel: Any,
    inputs: Sequence[Any],
    reference: Any,
    accumulator: str | None,
    intermediates: str | None,
    seed: int,
) -> ComparisonReport:
    subject, differentiates = reference_target(kernel, inputs, {})
    run = _run(subject)
    other, gives_gradients = reference_in_float64(
        kernel if reference is None else reference, inputs, subject
    )
    theirs = _run(other).outputs
    refuse_other_outputs(other, theirs, subject, run)
    names = {theirs: own for own, theirs in pairs(subject, other).items()}
    cotangents = _cotangents(subject, run, seed)
    if not (differentiates and run.connected):
        found, note = (
            evaluate(subject),
            "the kernel has no gradient: the outputs alone were compared",
        )
    elif any(mine.size != y.size for mine, y in zip(run.outputs, theirs, strict=True)):
        found = evaluate(subject)
        note = "the outputs are of other shapes: they alone were compared"
    elif not gives_gradients:
        found = evaluate(subject)
        note = "the reference has no gradient: the outputs alone were compared"
    else:
        found, note = _evaluated(kernel, subject, cotangents)
    with_gradients = cotangents if found.gradients else None
    formats = formats_of(subject, run)
    precision = Precision.of(
        subject, list(formats.values()), with_gradients, accumulator, intermediates
    )
    comparison = ReferenceComparison(other, with_gradients, precision, seed, names)
    compared = comparison.of(found, formats) + comparison.of_operations(subject, formats)
    notes = [note] if note else []
    left = sorted(set(found.gradients) - set(names.values()))
    if left:
        notes.append(f"not compared, as the reference does not take them: {', '.join(left)}")
    return ComparisonReport(
        subject.name, other.name, tuple(compared), precision, seed, tuple(notes)
    )


def _run(subject: Target) -> ForwardRun:
    with subject.state.guarded(), np.errstate(all="ignore"):
        return subject.call(subject.tensors)


def _says_backward(kernel: Any) -> bool:
    """Whether a kernel comes with a backward, which is to work."""
    return not callable(kernel) or isinstance(kernel, type) or hasattr(kernel, "defvjp")


def _evaluated(kernel: Any, subject: Target, cotangents: Outputs) -> tuple[Evaluation, str]:
    """Return outputs and gradients; or the outputs, and why a framework cannot differentiate."""
    try:
        return evaluate(subject, cotangents), ""
    except Exception as error:
        if _says_backward(kernel):
            raise
        why = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}".removesuffix(": ")
        note = f"the kernel has no gradient ({why}): the outputs alone were compared"
        return evaluate(subject), note


def refuse_other_outputs(target: Target, theirs: Outputs, subject: Target, run: ForwardRun) -> None:
    """Raise where a reference returns other outputs than the subject, or not in float64."""
    own = run.outputs
    if len(own) != len(theirs):
        raise TargetError(
            f"reference: {target.name} returns {len(theirs)} outputs, {subject.name} {len(own)}; "
            "let both return the same"
        )
    if any(y.dtype.kind == "f" and y.dtype != np.float64 for y in theirs):
        raise TargetError(
            f"reference: {target.name} computes in {theirs[0].dtype} though it is given float64; "
            "give one that keeps the dtype of its inputs"
        )


def _cotangents(subject: Target, run: ForwardRun, seed: int) -> Outputs:
    """Draw cotangents, exact in the formats of the outputs."""
    drawn = random_cotangents(run.outputs, np.random.default_rng(seed), unit=subject.unit_cotangent)
    names = output_formats(run)
    carried = run.carried or (True,) * len(drawn)
    return tuple(
        (FORMATS[name].rounded(v) if name in FORMATS else v) * taken
        for v, name, taken in zip(drawn, names, carried, strict=True)
    )
