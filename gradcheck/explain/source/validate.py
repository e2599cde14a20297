"""Whether a changed backward is right: heard at the point of the check, and at another."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any, Protocol

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.evaluator import DirectionalFunction
from gradcheck.checking.linearization import CheckContext, Linearization
from gradcheck.checking.measurement import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.source.functions import Routine
from gradcheck.numerics.blockwise import norm
from gradcheck.numerics.directions import per_entry_scale, varied
from gradcheck.report.data import Entry
from gradcheck.state import StateSnapshot

# Directions along which a changed backward has to agree, beside those of known wrong entries.
DIRECTIONS = 3

# Relative accuracy that is asked of the numerical derivative, and the least that still decides.
ACCURACY = 1e-8
DECIDES = 1e-3

# Wrong entries that are looked at one by one.
ENTRIES = 2


@dataclass(frozen=True)
class MeasuredTrial:
    """The derivative along one direction of a tensor, within a bound."""

    direction: Array
    value: float
    bound: float


class Patchable(Protocol):
    """What can be run with other code in its place."""

    def patched(self, code: Any) -> AbstractContextManager[None]:
        """Run it with other code."""


@dataclass
class MutationTrial:
    """Hears what changed code claims, and compares it with numerical derivatives.

    Parameters
    ----------
    context
        Where claims are heard and numbers are measured.
    failed
        The tensors whose gradients are wrong, and their wrong entries as far as they are known.
    around
        State of all that the code reaches by its global names, which changed code may spoil.
    """

    context: CheckContext
    failed: dict[str, tuple[Entry, ...]]
    around: StateSnapshot

    def __post_init__(self) -> None:
        base = self.context.base
        self.known = {
            name: _measured(self.context, base, name, e) for name, e in self.failed.items()
        }
        # what a direction that is wrong cannot show, no change can be seen to mend
        self.failed = {
            name: entries
            for name, entries in self.failed.items()
            if self.known[name] and not self._agrees(base, name, self.known[name])
        }

    def mended(self, routine: Patchable, code: Any) -> tuple[str, ...]:
        """Return the tensors whose gradients other code of a routine gets right, spoiling none."""
        point = self._heard(routine, code)
        if point is None:
            return ()
        base = self.context.base.claimed
        for name, claim in base.items():
            if name not in self.failed and not _unchanged(point.claimed.get(name), claim):
                return ()
        return tuple(name for name in self.failed if self._agrees(point, name, self.known[name]))

    def confirmed(self, routine: Routine, code: CodeType, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of ``names`` that the code gets right at another point as well."""
        tensors = dict(self.context.native.target.tensors)
        for name in names:
            tensors[name] = self.context.side(name, np.ones(tensors[name].shape))[name]
        try:
            with self.trying(routine, code):
                point = self.context.point(tensors)
        except Exception:  # noqa: BLE001 (changed code may do anything)
            return ()
        with suppress_output():
            return tuple(
                name
                for name in names
                if self._agrees(point, name, _measured(self.context, point, name, ()))
            )

    def altered(self, routine: Patchable, code: Any, names: Sequence[str]) -> frozenset[str]:
        """Return the wrong tensors beside ``names`` whose claims other code changes as well."""
        claimed = self._claims(routine, code) or {}
        return frozenset(
            name
            for name in self.failed
            if name not in names
            and not _unchanged(claimed.get(name), self.context.base.claimed[name])
        )

    def agrees_elsewhere(self, routine: Patchable, code: Any, names: Sequence[str]) -> bool:
        """Whether the claims of changed code are right where every tensor has other values.

        A tensor that is right as the code stands has to stay so; one whose derivative cannot be
        told sharply there is left out.
        """
        context = self.context
        others = [name for name in context.base.claimed if name not in self.failed]
        tensors = dict(context.native.target.tensors)
        for name in (*names, *others):
            if tensors[name].dtype.kind == "f":
                tensors[name] = context.side(name, np.ones(tensors[name].shape))[name]
        try:
            with self.trying(routine, code):
                point = context.point(tensors)
        except Exception:  # noqa: BLE001 (changed code may do anything)
            return False
        if not all(np.isfinite(output).all() for output in point.outputs):
            return True  # outside the domain of the layer nothing is learned
        with suppress_output():
            measured = {n: _measured(context, point, n, ()) for n in (*names, *others)}
        return all(self._agrees(point, name, seen) for name, seen in measured.items() if seen)

    def reaches_wrong_alone(self, routine: Routine, code: CodeType) -> bool | None:
        """Whether other code changes wrong gradients and no right ones; None if it breaks down."""
        claimed = self._claims(routine, code)
        if not claimed:
            return None if claimed is None else False
        changed = {
            name
            for name, claim in self.context.base.claimed.items()
            if not _unchanged(claimed.get(name), claim)
        }
        return bool(changed) and changed <= set(self.failed)

    def agrees_otherwise(self, routine: Routine, code: CodeType) -> bool:
        """Whether changed code computes something else, of which it claims the right gradients."""
        base = self.context.native_base
        self.context.native.target.state.restore(everything=True)
        try:
            with self.trying(routine, code):
                run = self.context.native.run(base.tensors)
                changed = _comparable(run.outputs, base.outputs) and not _same(
                    run.outputs, base.outputs
                )
                return changed and self._is_right() and self._is_right(moved=True)
        except Exception:  # noqa: BLE001 (changed code may do anything)
            return False

    def _is_right(self, *, moved: bool = False) -> bool:
        """Whether every claim of the code as it is agrees with the derivative of its outputs."""
        tensors = dict(self.context.native.target.tensors)
        if moved:
            for name in self.failed:
                tensors[name] = self.context.side(name, np.ones(tensors[name].shape))[name]
        point = self.context.point(tensors)
        names = sorted(point.claimed, key=lambda name: name not in self.failed)
        return set(names) == set(self.context.base.claimed) and all(
            self._agrees(point, name, _measured(self.context, point, name, ())) for name in names
        )

    @contextmanager
    def trying(self, routine: Patchable, code: Any) -> Iterator[None]:
        """Run changed code, and undo whatever it does to the data around it."""
        try:
            with routine.patched(code), suppress_output():
                yield
        finally:
            self.around.restore(everything=True)

    def _heard(self, routine: Patchable, code: Any) -> Linearization | None:
        """Return the point of the check with what the code claims there."""
        claimed, wide = self._claims(routine, code), self.context.base
        return (
            Linearization(wide.tensors, wide.outputs, wide.cotangents, claimed, {})
            if claimed
            else None
        )

    def _claims(self, routine: Patchable, code: Any) -> dict[str, Array] | None:
        """Return what the code claims; nothing where it computes otherwise, None if it fails."""
        base, native = self.context.native_base, self.context.native
        native.target.state.restore(everything=True)
        try:
            with self.trying(routine, code):
                run = native.run(base.tensors)
                same = _same(run.outputs, base.outputs)
                return native.pull(run, base.cotangents) if same else {}
        except Exception:  # noqa: BLE001 (changed code may do anything)
            return None

    def _agrees(self, point: Linearization, name: str, measured: Sequence[MeasuredTrial]) -> bool:
        claim = point.claimed.get(name)
        shape = point.tensors[name].shape
        if claim is None or claim.shape != shape or not np.isfinite(claim).all() or not measured:
            return False
        rounding = ROUNDINGS * self.context.eps
        return all(
            abs(float(np.sum(claim * m.direction)) - m.value)
            <= MARGIN * (m.bound + rounding * norm(claim, m.direction))
            for m in measured
        )


def _measured(
    context: CheckContext, point: Linearization, name: str, entries: Sequence[Entry]
) -> list[MeasuredTrial]:
    """Measure along random directions and at known entries; nothing where that is too blurred."""
    value = point.tensors[name]
    scale = per_entry_scale(value)
    directions = [varied(context.rng, scale, value) for _ in range(DIRECTIONS)]
    for entry in entries[:ENTRIES]:
        alone = np.zeros(value.shape)
        alone[entry.index] = scale[entry.index]
        directions.append(alone)
    found = []
    for direction in directions:
        directional = DirectionalFunction(
            context.wide, point.tensors, point.outputs, name, direction
        )
        first = directional.derivative(point.cotangents, target=0.0)
        if not np.isfinite(first.value) or first.error_bound > DECIDES * abs(first.value):
            continue
        found.append(MeasuredTrial(direction, first.value, first.error_bound))
    return found


def _same(outputs: Outputs, before: Outputs) -> bool:
    return len(outputs) == len(before) and all(
        np.array_equal(y, known, equal_nan=known.dtype.kind == "f")
        for y, known in zip(outputs, before, strict=True)
    )


def _comparable(outputs: Outputs, before: Outputs) -> bool:
    return len(outputs) == len(before) and all(
        y.shape == known.shape and bool(np.isfinite(y).all())
        for y, known in zip(outputs, before, strict=True)
    )


def _unchanged(claim: Array | None, before: Array) -> bool:
    return (
        claim is not None
        and claim.shape == before.shape
        and np.allclose(claim, before, rtol=1e-6, atol=0.0, equal_nan=True)
    )


@contextmanager
def suppress_output() -> Iterator[None]:
    """Let changed code print, log and warn unheard."""
    level = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable()
        try:
            yield
        finally:
            logging.disable(level)
