"""Partials of each output with respect to each input, by name: of components and of models.

Every pair is a tensor of its own, "y wrt x": the input x as it reaches the output y alone. So each
partial is judged, and named, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.numerics.blockwise import same
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.report.data import Unchecked
from gradcheck.state import State
from gradcheck.target import ForwardRun, Target
from gradcheck.values import TargetError

Pair = tuple[str, str]

# An output that stays as it is, bit for bit, where an input moves so far does not depend on it.
MOVES = (2.0**-4, -3.0)


class HasPartials(Protocol):
    """A component, or a whole model.

    Attributes
    ----------
    name
        What to call it in the report.
    point
        Everything that an output may depend on, by name.
    approximated
        Pairs whose partials nobody wrote, and the method by which they are had.
    state
        What is put back before every run.
    """

    approximated: dict[Pair, str]
    state: State

    @property
    def name(self) -> str:
        """What to call it in the report."""

    @property
    def point(self) -> dict[str, Array]:
        """Everything that an output may depend on, by name."""

    def compute(self, point: Tensors) -> dict[str, Array]:
        """Return every output by name."""

    def gradients(self, point: Tensors, cotangents: Tensors) -> dict[Pair, Array]:
        """Return the gradient of ``<cotangent, output>`` by output and input.

        ``compute`` was at this point before. What is missing is zero.
        """


def target(subject: HasPartials) -> Target:
    """Return the target of all partials that somebody wrote.

    Raises
    ------
    TargetError
        If there is none.
    """
    partials = Partials(subject)
    if not partials.pairs:
        raise TargetError(
            f"{subject.name}: there is none to check; no output depends on an input, or all are "
            "approximated"
        )
    left = tuple(
        Unchecked(_label(pair), "excluded", f"nobody wrote it: it is approximated by {method}")
        for pair, method in subject.approximated.items()
    )
    missing = [_label(pair) for pair in partials.pairs if pair not in partials.claimed]
    return Target.from_run(
        subject.name,
        {_label(pair): subject.point[pair[1]] for pair in partials.pairs},
        partials.run,
        roles=dict.fromkeys(map(_label, partials.pairs), "parameter"),
        state=subject.state,
        note=f"not given, and so taken for zero: {', '.join(missing)}" if missing else "",
        uncovered=lambda _: left,
    )


def _label(pair: Pair) -> str:
    of, wrt = pair
    return f"{of} wrt {wrt}"


def claimed(subject: HasPartials, point: Tensors) -> dict[Pair, Array]:
    """Return the gradients that a subject gives at a point for random cotangents."""
    rng = np.random.default_rng(0)
    outputs = subject.compute(point)
    cotangents = {name: rng.standard_normal(np.shape(y)) for name, y in outputs.items()}
    return subject.gradients(point, cotangents)


def of_matrices(
    matrices: Mapping[Pair, Any], point: Tensors, cotangents: Tensors
) -> dict[Pair, Array]:
    """Return the gradients of ``<cotangent, output>`` that whole matrices of partials give."""
    found = {}
    for (of, wrt), matrix in matrices.items():
        if of in cotangents:
            flat = matrix.T @ cotangents[of].reshape(-1)
            found[of, wrt] = np.asarray(flat).reshape(point[wrt].shape)
    return found


class Partials:
    """Runs a subject with an input of its own for each pair.

    Attributes
    ----------
    pairs
        Those to be judged: not where none is claimed and the output does not depend on the input.
    claimed
        The gradients that the subject gives for random cotangents.
    """

    def __init__(self, subject: HasPartials) -> None:
        self.subject = subject
        self.point = subject.point
        with subject.state.guarded():
            self.base = {n: np.array(y) for n, y in subject.compute(self._copied({})).items()}
            self.claimed = claimed(subject, self._copied({}))
            self.pairs = list(self._pairs())
        self.outputs = list(dict.fromkeys(of for of, _ in self.pairs))

    def _pairs(self) -> Iterator[Pair]:
        for wrt in self.point:
            pairs = [(of, wrt) for of in self.base if (of, wrt) not in self.subject.approximated]
            zero = [pair for pair in pairs if not np.any(self.claimed.get(pair, 0))]
            moved = self._moved_by(wrt) if zero else set()
            yield from (pair for pair in pairs if pair not in zero or pair[0] in moved)

    def _moved_by(self, wrt: str) -> set[str]:
        """Return the outputs that depend on an input at all."""
        value, moved = self.point[wrt], set()
        for move in MOVES:
            other = (value + move * per_entry_scale(value)).astype(value.dtype)
            try:
                found = self.subject.compute(self._copied({wrt: other}))
            except (ValueError, ArithmeticError, AssertionError):  # outside of its domain
                continue
            moved |= {name for name, y in found.items() if not same(y, self.base[name])}
        return moved

    def _copied(self, moved: Mapping[str, Any]) -> dict[str, Any]:
        """Return the point, with some values moved, to be handed out."""
        return {name: moved.get(name, value).copy() for name, value in self.point.items()}

    def run(self, at: Tensors) -> ForwardRun:
        """Compute all outputs at once where nothing is moved, else each at its own inputs."""
        own = {
            of: {w: at[_label((of, w))] for o, w in self.pairs if o == of} for of in self.outputs
        }
        moved = [of for of in self.outputs if self._is_moved(own[of])]
        groups = [[of] for of in moved] or [self.outputs]
        handed = {of: self._copied(own[of]) for of in self.outputs}
        outputs = dict(self.base)
        for group in groups:
            found = self.subject.compute(handed[group[0]])
            outputs |= {of: found[of] for of in group}

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            sent = dict(zip(self.outputs, cotangents, strict=True))
            found: dict[Pair, Array] = {}
            for group in [[of] for of in self.outputs] if moved else groups:
                if moved:  # what it remembers may be of another output's inputs
                    self.subject.compute(handed[group[0]])
                found |= self.subject.gradients(handed[group[0]], {of: sent[of] for of in group})
            zeros = {pair: np.zeros_like(self.point[pair[1]]) for pair in self.pairs}
            return {_label(pair): found.get(pair, zero) for pair, zero in zeros.items()}

        return ForwardRun(
            tuple(np.array(outputs[of]) for of in self.outputs),
            pullback,
            {_label((of, wrt)): handed[of][wrt] for of, wrt in self.pairs},
        )

    def _is_moved(self, own: Tensors) -> bool:
        return any(not same(np.asarray(value), self.point[name]) for name, value in own.items())
