"""What a target computes in: the formats of its tensors, of its sums, and between operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Outputs
from gradcheck.numerics.formats import DOUBLE, FORMATS, SINGLE, Format
from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic
from gradcheck.rounding.evaluation import evaluate
from gradcheck.target import ForwardRun, Target


@dataclass(frozen=True)
class Precision:
    """What something computes in.

    Attributes
    ----------
    intermediates
        What results of operations are kept in.
    accumulator
        What sums are added up in.
    kept
        What values are kept in from the forward to the backward.
    lowest
        The lowest format that it may have computed in, of all that it was seen to use.
    how
        Where that is known from.
    """

    intermediates: Format
    accumulator: Format
    kept: Format
    lowest: Format
    how: str

    @classmethod
    def of(
        cls,
        subject: Target,
        formats: Sequence[Format],
        cotangents: Outputs | None,
        accumulator: str | None = None,
        intermediates: str | None = None,
    ) -> Precision:
        """Return what is declared, else seen, else usual: float32 for what has fewer digits.

        It is looked at in the forward and, where there are cotangents, in the backward.

        Raises
        ------
        ValueError
            If a format is unknown.
        """
        watched = _watched(subject, cotangents)
        seen = [FORMATS[name] for name in watched.formats if name in FORMATS]
        lowest = _narrowest([*formats, *seen])
        widest = max(formats, key=lambda known: known.digits)
        if accumulator is not None:
            sums = _named("accumulator", accumulator)
        else:
            sums = SINGLE if lowest.digits < SINGLE.digits else widest
        own, how = sums, "declared"
        if intermediates is not None:
            own = _named("intermediates", intermediates)
        elif accumulator is None:
            own, how = _narrowest([*seen, sums]), "measured" if seen else "assumed"
        kept = [lowest]  # any kernel may keep what it stores
        if watched.kept_formats is not None:
            kept = [FORMATS[name] for name in watched.kept_formats if name in FORMATS]
        return cls(own, sums, _narrowest([own, *kept]), lowest, how)

    def __str__(self) -> str:
        return (
            f"sums in {self.accumulator.name}, values between operations in "
            f"{self.intermediates.name} ({self.how})"
        )


def output_formats(run: ForwardRun) -> tuple[str, ...]:
    """Return the names of the formats of the outputs."""
    return run.formats or tuple(y.dtype.name for y in run.outputs)


def formats_of(subject: Target, run: ForwardRun) -> dict[str, Format]:
    """Return what every output and gradient is kept in, by its name in an `Evaluation`."""
    names = output_formats(run)
    single = len(names) == 1
    found = {"output" if single else f"output {n}": name for n, name in enumerate(names)}
    found |= {
        f"gradient of {name}": subject.formats.get(name, value.dtype.name)
        for name, value in subject.tensors.items()
    }
    return {name: FORMATS.get(kept_in, DOUBLE) for name, kept_in in found.items()}


def computed_in(subject: Target) -> list[Format]:
    """Return the formats in which operations of NumPy or of a framework are seen to compute."""
    return [FORMATS[name] for name in _watched(subject, None).formats if name in FORMATS]


def _watched(subject: Target, cotangents: Outputs | None) -> RoundedArithmetic:
    """Run a target in an arithmetic that makes no errors, and return what that has seen."""
    watch = RoundedArithmetic(None, SINGLE, np.random.default_rng(0))
    evaluate(subject, cotangents, watch)
    return watch


def _narrowest(formats: Sequence[Format]) -> Format:
    return min(formats, key=lambda known: known.digits)


def _named(argument: str, name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(f"{argument}={name!r}: unknown; use one of {', '.join(FORMATS)}")
    return FORMATS[name]
