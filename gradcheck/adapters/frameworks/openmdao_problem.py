"""Problems of OpenMDAO: their components, and their totals.

What has no public name in OpenMDAO is read here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.frameworks.partials import Pair, of_matrices
from gradcheck.state import State, restored_at_end
from gradcheck.values import TargetError

INDEPENDENT = "openmdao:indep_var"


def is_problem(thing: Any) -> bool:
    """Whether ``thing`` is a problem."""
    return _is_of(thing, "Problem")


def is_component(thing: Any) -> bool:
    """Whether ``thing`` is a component of OpenMDAO, and not only written like one."""
    return _is_of(thing, "Component")


def _is_of(thing: Any, name: str) -> bool:
    kinds = type(thing).__mro__
    return any(
        kind.__name__ == name and kind.__module__.startswith("openmdao.core.") for kind in kinds
    )


def set_up(component: Any) -> None:
    """Give a component that belongs to no problem its variables and declarations."""
    if component._problem_meta is None:
        import openmdao.api as om

        problem = om.Problem(reports=False)
        problem.model.add_subsystem("component", component, promotes=["*"])
        problem.setup()
        problem.final_setup()


def run(problem: Any, given: Mapping[str, Array]) -> None:
    """Run the model of a problem with values by name."""
    if problem.model._problem_meta is None:
        problem.setup()
    for name, value in given.items():
        problem.set_val(name, value)
    problem.run_model()


def components(problem: Any) -> list[Any]:
    """Return the components that somebody wrote, in the order in which they are run."""
    found = problem.model.system_iter(recurse=True)
    return [
        part
        for part in found
        if is_component(part) and not type(part).__module__.startswith("openmdao.")
    ]


class Totals:
    """The totals of a problem: of its responses wrt its design variables.

    Where it has none, of what nothing else takes wrt what nothing else gives.

    Parameters
    ----------
    problem
        An ``openmdao.api.Problem``.
    given
        Values by name; they are what is differentiated by, too, where there are some.

    Raises
    ------
    TargetError
        If there is nothing to differentiate.
    """

    def __init__(self, problem: Any, given: Mapping[str, Array]) -> None:
        run(problem, given)
        self.problem = problem
        self.name = f"totals of {problem._name or 'Problem'}"
        self.approximated: dict[Pair, str] = {}
        model = problem.model
        design, responses = (
            {meta["name"]: meta["indices"] for meta in declared.values()}
            for declared in (model.get_design_vars(), model.get_responses())
        )
        self.wrt = list(given or design) or _promoted(model, sources=True)
        self.of = list(responses) or _promoted(model, sources=False)
        # totals are of those entries alone that a design variable or a response was declared with
        self.entries = {
            name: np.ravel(indices.as_array())
            for name, indices in {**responses, **design}.items()
            if indices is not None
        }
        if not (self.wrt and self.of):
            raise TargetError(
                f"{self.name} has no design variables or no responses, and none can be found: "
                "add_design_var, add_objective, or give the inputs by name"
            )
        self.point = {name: self._value(name) for name in self.wrt}
        self.state: State = _Solution(problem)

    def compute(self, point: Tensors) -> dict[str, Array]:
        """Run the model, and return its responses."""
        run(self.problem, {name: self._whole(name, value) for name, value in point.items()})
        return {name: self._value(name) for name in self.of}

    def gradients(self, point: Tensors, cotangents: Tensors) -> dict[Pair, Array]:
        """Return the gradients that the totals give."""
        totals = self.problem.compute_totals(of=list(cotangents), wrt=self.wrt)
        return of_matrices(totals, point, cotangents)

    def _value(self, name: str) -> Array:
        value = np.array(self.problem.get_val(name), dtype=np.float64)
        return value.reshape(-1)[self.entries[name]] if name in self.entries else value

    def _whole(self, name: str, value: Array) -> Array:
        """Return the value of a variable, with those of its entries that are differentiated by."""
        if name not in self.entries:
            return value
        whole = np.array(self.problem.get_val(name), dtype=np.float64)
        whole.reshape(-1)[self.entries[name]] = value
        return whole


def _promoted(model: Any, *, sources: bool) -> list[str]:
    """Return the variables that nothing else gives, or those that nothing else takes."""
    taken = set(model._conn_global_abs_in2out.values())
    found = {}
    for name, meta in model.get_io_metadata(iotypes="output", return_rel_names=False).items():
        if meta["discrete"]:
            continue
        is_source = INDEPENDENT in meta["tags"]
        if is_source if sources else not is_source and name not in taken:
            found[meta["prom_name"]] = name
    return list(found)


class _Solution:
    """The solution of a model, from which its solvers start again."""

    def __init__(self, problem: Any) -> None:
        self._vector = problem.model._outputs
        self._kept = self._vector.asarray(copy=True)

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the solution back."""
        self._vector.set_val(self._kept)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Do nothing: models draw no random numbers that are known."""

    def guarded(self) -> AbstractContextManager[None]:
        """Put the solution back when the block ends, however it ends."""
        return restored_at_end(self.restore)
