"""A claimed Jacobian beside the numerical one: which of its entries are wrong, and where they lie.

A gradient made of a Jacobian is one sum of its rows, so that one wrong row spoils all of it. Here
the rows are looked at one by one: along a direction by itself every output has its own derivative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.array_containers import is_sparse
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import Evaluator, Linearization
from gradcheck.checking.jacobian.columns import column_groups, columns_at_once, flat, rows_along
from gradcheck.checking.jacobian.regions import named
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.report.data import Entry, JacobianReport
from gradcheck.target import Target

# So many columns, or groups of columns, are measured at most, six forwards each, and so many
# entries of a matrix that is not sparse.
MOST_COLUMNS = 128
MOST_NUMBERS = 1 << 21

# Random directions along each of which a row has to be right.
DIRECTIONS = 2

# Matrices of so many entries are kept to be drawn.
MOST_DRAWN = 1 << 16

# Half of all normal errors are below 0.67 standard deviations: with the margin, so many medians
# are six of these.
MEDIANS = 3.0

# So many wrong entries are listed.
MOST_ENTRIES = 8


@dataclass(frozen=True)
class JacobianEntries:
    """Entries of a claimed Jacobian beside the numerical ones.

    Attributes
    ----------
    shape
        Outputs and entries of the tensor.
    rows, columns
        Where the entries are that were measured.
    claimed, numerical, bound
        Theirs, and how far a right one may be off.
    others
        The rows in which entries are wrong besides those measured; none where all others were seen
        to be right.
    """

    shape: tuple[int, int]
    rows: Array
    columns: Array
    claimed: Array
    numerical: Array
    bound: Array
    others: Array = field(default_factory=lambda: np.zeros(0, dtype=int))

    @cached_property
    def wrong(self) -> Array:
        """Which of the measured entries are wrong."""
        return np.asarray(np.abs(self.claimed - self.numerical) > self.bound)

    @cached_property
    def is_whole(self) -> bool:
        """Whether nothing is wrong but what was measured, and every number is known."""
        return not self.others.size and bool(np.isfinite(self.bound).all())

    def dense(self, values: Array) -> Array:
        """Return measured numbers as a matrix, zero elsewhere."""
        matrix = np.zeros(self.shape)
        matrix[self.rows, self.columns] = values
        return matrix

    def sparse(self, values: Array) -> Any:
        """Return measured numbers as a sparse matrix."""
        from scipy.sparse import csr_array

        return csr_array((values, (self.rows, self.columns)), shape=self.shape)

    def of_gradient(self, point: Linearization, name: str) -> tuple[list[Entry], Array]:
        """Return the wrong entries of the gradient that the matrix makes, and the numerical one."""
        shape, cotangent = point.tensors[name].shape, flat(point.cotangents)
        numerical = (self.sparse(self.numerical).T @ cotangent).reshape(shape)
        bound = (self.sparse(self.bound).T @ np.abs(cotangent)).reshape(shape)
        analytic = np.asarray(point.analytic[name], dtype=np.float64)
        entries = [
            Entry(index, float(analytic[index]), float(numerical[index]), float(bound[index]))
            for index in np.ndindex(shape)
        ]
        return [e for e in entries if not abs(e.analytic - e.numerical) <= e.bound], numerical

    def report(self) -> JacobianReport:
        """Return where the Jacobian is wrong."""
        wrong = np.flatnonzero(self.wrong)
        gaps = np.abs(self.claimed - self.numerical)[wrong]
        worst = wrong[np.argsort(-gaps, kind="stable")][:MOST_ENTRIES]
        rows = np.union1d(self.rows[wrong], self.others)
        acting = np.flatnonzero((self.claimed != 0) | (np.abs(self.numerical) > self.bound))
        region = named(
            self.shape,
            (self.rows[wrong], self.columns[wrong]),
            (self.rows[acting], self.columns[acting]),
            self.others,
        )
        return JacobianReport(
            self.shape,
            tuple(rows.tolist()),
            tuple(np.unique(self.columns[wrong]).tolist()),
            region,
            tuple(self._entry(position) for position in worst.tolist()),
            self._matrices(),
        )

    def _matrices(self) -> tuple[Array, ...] | None:
        """Return claim, numbers and errors as matrices where these can be looked at."""
        if not self.is_whole or math.prod(self.shape) > MOST_DRAWN:
            return None
        return tuple(self.dense(v) for v in (self.claimed, self.numerical, self.wrong))

    def _entry(self, position: int) -> Entry:
        return Entry(
            (int(self.rows[position]), int(self.columns[position])),
            *(float(v[position]) for v in (self.claimed, self.numerical, self.bound)),
        )


@dataclass(frozen=True)
class ClaimedJacobian:
    """A matrix that a gradient is made of, and the means to measure it.

    Attributes
    ----------
    evaluator, point, name
        The target, the point, and the tensor.
    matrix
        What is claimed, (outputs, entries), dense or sparse.
    eps
        Rounding unit of the target.
    rng
        Source of the directions.
    """

    evaluator: Evaluator
    point: Linearization
    name: str
    matrix: Any
    eps: float
    rng: np.random.Generator

    @classmethod
    def of(cls, context: CheckContext, point: Linearization, name: str) -> ClaimedJacobian | None:
        """Return the matrix that the gradient of ``name`` is made of, None where there is none."""
        target = context.native.target
        if target.jacobians is None or target.is_complex:
            return None
        matrix = target.jacobians(target.tensors).get(name)
        if matrix is None:
            return None
        return cls(context.wide, point, name, matrix, context.eps, context.rng)

    @classmethod
    def at_point_of(cls, target: Target, name: str, matrix: Any) -> ClaimedJacobian:
        """Return a matrix that is claimed at the point of a target, apart from any check."""
        evaluator = Evaluator(target)
        outputs = evaluator.run(target.tensors).outputs
        point = Linearization(target.tensors, outputs, outputs, {}, {})
        eps = max(float(np.finfo(v.dtype).eps) for v in (*outputs, target.tensors[name]))
        return cls(evaluator, point, name, matrix, eps, np.random.default_rng(0))

    @cached_property
    def scale(self) -> Array:
        """The natural step of every entry."""
        return per_entry_scale(self.point.tensors[self.name])

    def entries(self) -> JacobianEntries | None:
        """Measure all entries; None where that takes too many evaluations.

        Columns that share no row are measured together, as far as the claimed zeros are seen to be
        zeros.
        """
        outputs, size = self.matrix.shape
        pattern = self.pattern()
        groups = column_groups(pattern, MOST_COLUMNS)
        if groups is not None and len(groups) < size:
            measured = self.by_groups(pattern, groups)
            if not measured.others.size:
                return measured
        if size <= MOST_COLUMNS and outputs * size <= MOST_NUMBERS:
            return self.of_columns(np.arange(size))
        return None

    def pattern(self) -> Any:
        """Return where the matrix may be other than zero: what a sparse one stores."""
        if not is_sparse(self.matrix):
            return self.matrix != 0
        pattern = self.matrix.tocsr().copy()
        pattern.data = np.ones(pattern.data.shape, dtype=bool)
        return pattern

    def by_groups(self, pattern: Any, groups: list[Array]) -> JacobianEntries:
        """Measure the entries of a pattern, columns without a common row together."""
        from scipy.sparse import csc_array

        columns = csc_array(pattern)
        rows, values, errors, places = [], [], [], []
        for group in groups:
            owner = np.full(columns.shape[0], group[0])
            counts = np.diff(columns.indptr)[group]
            own = np.concatenate(
                [columns.indices[slice(*columns.indptr[j : j + 2])] for j in group]
            )
            owner[own] = np.repeat(group, counts)
            value, error = self._columns(group, owner)
            rows.append(own)
            places.append(owner[own])
            values.append(value[own])
            errors.append(error[own])
        return self._compared(*map(np.concatenate, (rows, places, values, errors)))

    def of_columns(self, columns: Array) -> JacobianEntries:
        """Measure whole columns."""
        outputs = self.matrix.shape[0]
        rows = np.tile(np.arange(outputs), len(columns))
        measured = np.zeros((2, len(columns), outputs))
        for position, column in enumerate(columns):
            measured[:, position] = self._columns(np.array([column]), int(column))
        values, errors = measured.reshape(2, -1)
        return self._compared(rows, np.repeat(columns, outputs), values, errors)

    def _columns(self, columns: Array, owner: Array | int) -> tuple[Array, Array]:
        return columns_at_once(self.evaluator, self.point, self.name, self.scale, columns, owner)

    def _compared(
        self, rows: Array, columns: Array, numerical: Array, error: Array
    ) -> JacobianEntries:
        """Put claimed entries beside numerical ones, and look whether the others are right."""
        outputs = self.matrix.shape[0]
        claimed = np.asarray(self.matrix[rows, columns], dtype=np.float64).reshape(-1)
        known = np.isfinite(numerical) & np.isfinite(error)
        error = np.maximum(error, self._usual_error(rows, columns, np.where(known, error, 0.0)))
        sizes = np.where(known, np.abs(numerical), 0.0)
        counts = np.maximum(1, np.bincount(rows, minlength=outputs))
        typical = np.sqrt(np.bincount(rows, sizes**2, minlength=outputs) / counts)
        rounding = ROUNDINGS * self.eps * np.maximum(sizes, typical[rows])
        bound = np.where(known, MARGIN * (error + rounding), np.inf)
        numerical = np.where(known, numerical, claimed)
        found = JacobianEntries(self.matrix.shape, rows, columns, claimed, numerical, bound)
        if len(rows) == outputs * self.matrix.shape[1]:
            return found
        return replace(found, others=self._others_wrong(found))

    def _usual_error(self, rows: Array, columns: Array, error: Array) -> Array:
        """Return what the errors of the same output show each to be, by the median along its row.

        Of the rounding of sums that cancel their value tells nothing, and one difference may miss
        it by chance; that of an output is the same wherever it is seen.
        """
        steps = self.scale.reshape(-1)[columns]
        noise = np.zeros(self.matrix.shape[0])
        order = np.argsort(rows, kind="stable")
        for own in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
            noise[rows[own[:1]]] = MEDIANS * np.median(error[own] * steps[own]) if own.size else 0.0
        return np.asarray(noise[rows] / steps)

    def _others_wrong(self, found: JacobianEntries) -> Array:
        """Return the rows that are wrong beside the entries that were measured."""
        correction = found.sparse(found.numerical - found.claimed)
        blur = found.sparse(np.where(np.isfinite(found.bound), found.bound, 0.0))
        wrong = np.zeros(found.shape[0], dtype=bool)
        for _ in range(DIRECTIONS):
            # no round numbers: entries that were measured together cancel along equal ones
            direction = self.scale * self.rng.standard_normal(self.scale.shape)
            sizes = np.abs(direction.reshape(-1))
            corrected = self.matrix + correction
            rest, error = rows_along(self.evaluator, self.point, self.name, direction, corrected)
            rounding = ROUNDINGS * self.eps * (abs(corrected) @ sizes)
            wrong |= ~(np.abs(rest) <= MARGIN * (error + rounding) + blur @ sizes)
        return np.flatnonzero(wrong)
