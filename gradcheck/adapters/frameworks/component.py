"""A component with its methods as people write them: they fill dicts of outputs and of partials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.frameworks.partials import Pair, of_matrices
from gradcheck.array_containers import is_sparse
from gradcheck.state import State, Stateless
from gradcheck.values import TargetError

Methods = tuple[str, str, str]

# What computes, what gives partials and what gives products with them, of an explicit and of an
# implicit component.
METHODS: tuple[Methods, Methods] = (
    ("compute", "compute_partials", "compute_jacvec_product"),
    ("apply_nonlinear", "linearize", "apply_linear"),
)

# Where OpenMDAO keeps the methods that are there to be overridden.
LIBRARY = "openmdao.core."


def methods_of(thing: Any) -> Methods | None:
    """Return the names of the methods of a component, None where it is none."""
    for names in METHODS:
        is_written, *others = (_is_written(thing, name) for name in names)
        if is_written and (any(others) or hasattr(thing, "_subjacs_info")):
            return names
    return None


def _is_written(thing: Any, name: str) -> bool:
    method = getattr(thing, name, None)
    return callable(method) and not str(getattr(method, "__module__", "")).startswith(LIBRARY)


@dataclass(frozen=True)
class Declaration:
    """A partial as it was declared.

    Attributes
    ----------
    shape
        Sizes of output and input.
    value
        What it is where nothing else is set: an array, or a sparse matrix of SciPy's.
    rows, cols
        Where the values are; None where ``value`` is the whole matrix.
    """

    shape: tuple[int, int]
    value: Any
    rows: Array | None = None
    cols: Array | None = None

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Declaration:
        """Read the metadata of OpenMDAO."""
        rows, cols, value = info["rows"], info["cols"], info["val"]
        if info.get("diagonal"):
            rows = cols = np.arange(info["shape"][0])
        if rows is not None:
            value = np.broadcast_to(0.0 if value is None else value, rows.shape)
        elif value is None:
            value = np.zeros(info["shape"])
        return cls(tuple(info["shape"]), value, rows, cols)

    def filled(self, value: Any) -> Any:
        """Return a value in the form of this partial."""
        if is_sparse(value):
            return value
        if is_sparse(self.value):
            matrix = self.value.copy()
            matrix.data = np.array(np.broadcast_to(value, matrix.data.shape), dtype=np.float64)
            return matrix
        array = np.asarray(value)
        if array.size == self.value.size:
            return array.reshape(self.value.shape)
        return np.array(np.broadcast_to(array, self.value.shape))

    def matrix(self, value: Any) -> Any:
        """Return the whole matrix of a value."""
        if self.rows is None:
            return value
        from scipy.sparse import coo_array  # which few checks need

        return coo_array((value, (self.rows, self.cols)), shape=self.shape)


class Variables(dict[str, Any]):
    """Values by name; those that have a shape keep it, as the vectors of OpenMDAO do."""

    def __setitem__(self, name: str, value: Any) -> None:
        array = np.asanyarray(value)
        if name in self and array.shape != self[name].shape:
            like = self[name]
            array = array.reshape(like.shape) if array.size == like.size else array + 0 * like
        super().__setitem__(name, array)


class Jacobian(dict[Pair, Any]):
    """The partials that a component fills in, each in the form in which it was declared."""

    def __init__(self, declared: Mapping[Pair, Declaration]) -> None:
        super().__init__({pair: d.value.copy() for pair, d in declared.items()})
        self.declared = declared

    def __setitem__(self, pair: Pair, value: Any) -> None:
        if pair not in self.declared:
            raise TargetError(
                f"the partial of {pair[0]} wrt {pair[1]} is set, but not declared: "
                f"declare_partials{pair}"
            )
        super().__setitem__(pair, self.declared[pair].filled(value))

    def matrices(self) -> dict[Pair, Any]:
        """Return the whole matrices."""
        return {pair: self.declared[pair].matrix(value) for pair, value in self.items()}


@dataclass
class Component:
    """A component and its point.

    Attributes
    ----------
    thing
        The object with the methods.
    methods
        What they are called.
    inputs, outputs
        Values by name; of an explicit component's outputs where they have to be there before they
        are computed, else none.
    declared
        The partials that were declared; None where there are no declarations.
    approximated
        Pairs whose partials nobody wrote, and the method by which they are had.
    discrete
        What the methods take besides: discrete inputs, then discrete outputs.
    mode
        Which products are judged where there are no matrices: those of ``"rev"`` or of ``"fwd"``.
    state
        What is put back before every run.
    """

    thing: Any
    methods: Methods
    inputs: dict[str, Array]
    outputs: dict[str, Array]
    declared: dict[Pair, Declaration] | None = None
    approximated: dict[Pair, str] = field(default_factory=dict)
    discrete: tuple[Any, ...] = ()
    mode: str = "rev"
    state: State = field(default_factory=Stateless)
    _computed: dict[str, Array] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """What to call it in the report."""
        by_mode = f", {self.mode}" if self.has_products else ""
        return f"partials of {type(self.thing).__name__}{by_mode}"

    @property
    def has_products(self) -> bool:
        """Whether its partials are products, and no matrices."""
        return _is_written(self.thing, self.methods[2])

    @property
    def is_implicit(self) -> bool:
        """Whether its outputs are given, and their residuals computed."""
        return self.methods == METHODS[1]

    @property
    def point(self) -> dict[str, Array]:
        """Everything that it depends on."""
        return self.inputs | (self.outputs if self.is_implicit else {})

    def compute(self, point: Tensors) -> dict[str, Array]:
        """Return every output, or every residual, by name."""
        found = Variables({name: value.copy() for name, value in self.outputs.items()})
        if self.is_implicit:
            found = Variables({name: np.zeros_like(value) for name, value in found.items()})
        getattr(self.thing, self.methods[0])(*self._given(point), found, *self.discrete)
        self._computed = dict(found)
        return self._computed

    def gradients(self, point: Tensors, cotangents: Tensors) -> dict[Pair, Array]:
        """Return the gradient of ``<cotangent, output>`` by output and input.

        The component has just been computed at this point.
        """
        if self.has_products:
            by_mode = self._by_cotangents if self.mode == "rev" else self._by_tangents
            return by_mode(point, cotangents)
        return of_matrices(self._matrices(point), point, cotangents)

    def _given(self, point: Tensors) -> list[Variables]:
        """Return what the methods take first: inputs, and outputs that are given."""
        groups = [self.inputs, self.outputs] if self.is_implicit else [self.inputs]
        return [Variables({name: point[name] for name in group}) for group in groups]

    def _matrices(self, point: Tensors) -> dict[Pair, Any]:
        filled: dict[Pair, Any] = {} if self.declared is None else Jacobian(self.declared)
        if _is_written(self.thing, self.methods[1]):
            method = getattr(self.thing, self.methods[1])
            method(*self._given(point), filled, *self.discrete[: 1 + self.is_implicit])
        if isinstance(filled, Jacobian):
            return filled.matrices()
        return {pair: self._whole(pair, value, point) for pair, value in filled.items()}

    def _whole(self, pair: Pair, value: Any, point: Tensors) -> Any:
        """Return a partial that was not declared as a matrix."""
        known = isinstance(pair, tuple) and pair[0] in self._computed and pair[1] in point
        if not known:
            raise TargetError(
                f"{self.name}: one of {pair!r} is set; expected pairs (output, input) of "
                f"{sorted(self._computed)} and {sorted(point)}"
            )
        shape = self._computed[pair[0]].size, point[pair[1]].size
        matrix = value if is_sparse(value) else np.asarray(value)
        if matrix.shape != shape and np.size(matrix) == shape[0] * shape[1]:
            matrix = matrix.reshape(shape)
        if matrix.shape != shape:
            raise TargetError(
                f"{self.name}: that of {pair[0]} wrt {pair[1]} has shape {matrix.shape}; "
                f"expected {shape}, one row for each entry of {pair[0]}"
            )
        return matrix

    def _by_cotangents(self, point: Tensors, cotangents: Tensors) -> dict[Pair, Array]:
        found: dict[Pair, Array] = {}
        for of, cotangent in cotangents.items():
            sent = _zeros(self._computed)
            sent[of] = cotangent
            got = [_zeros(group) for group in self._given(point)]
            self._product(point, got, sent)
            found |= {(of, wrt): value for group in got for wrt, value in group.items()}
        return found

    def _by_tangents(self, point: Tensors, cotangents: Tensors) -> dict[Pair, Array]:
        """Put the gradients together from products with the tangents along all axes."""
        found = {
            (of, wrt): np.zeros(value.shape) for of in cotangents for wrt, value in point.items()
        }
        for wrt, value in point.items():
            for index in np.ndindex(value.shape):
                sent = [_zeros(group) for group in self._given(point)]
                for group in sent:
                    if wrt in group:
                        group[wrt][index] = 1.0
                got = _zeros(self._computed)
                self._product(point, sent, got)
                for of, cotangent in cotangents.items():
                    found[of, wrt][index] = np.sum(cotangent * got[of])
        return found

    def _product(self, point: Tensors, inputs: list[Variables], outputs: Variables) -> None:
        method = getattr(self.thing, self.methods[2])
        discrete = self.discrete[: 1 - self.is_implicit]
        method(*self._given(point), *inputs, outputs, self.mode, *discrete)


def _zeros(values: Mapping[str, Array]) -> Variables:
    return Variables({name: np.zeros(np.shape(value)) for name, value in values.items()})
