"""What a check does not cover: arrays that the output depends on, though no gradient is known.

Found by moving every array that can be reached. Which of them is a parameter, whose gradient is
owed, no number tells; four things do, and each of them is enough:

- it is kept in a container together with an array whose gradient is known;
- a method takes a step with it: ``self.a -= ...``, ``self.a = self.a - ...``;
- the backward leaves or returns something that is called its gradient, though it was not paired;
- an object keeps it under the name of a parameter. What a function reads from its closure, its
  defaults or its module is a constant of the function whatever it is called, as in mathematics;
  and so is what a loss keeps that shows gradients of its arguments alone, such as weights of
  classes.

What none of them holds of (a mask, a table, an operator, statistics) is a constant, and named.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import CellType, ModuleType
from typing import Any, cast

import numpy as np

from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.attributes import OF_ATTRIBUTE, ArrayAttribute
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.reachable_arrays import (
    is_float_array,
    is_float_array_or_number,
    reachable,
)
from gradcheck.adapters.discovery.revised_parameters import is_frozen
from gradcheck.adapters.signatures.name_tables import (
    FORWARD_NAMES,
    gradient_stems,
    is_like_trained,
    stem,
)
from gradcheck.report.data import Unchecked
from gradcheck.target import Target

NOT_SEEN = "the output depends on it, and no gradient of it was seen"
REASONS = {
    "parameter": NOT_SEEN,
    "constant": "the output depends on it; nothing says that it is trained",
    "frozen": "the output depends on it, and it is said not to be trained",
    "excluded": "it is none of the parameters asked for",
}
# Single numbers are settings (eps, beta, gamma, rates), unless they are called like these.
NUMBERS = frozenset({"w", "b", "intercept"})
MADE_LATE = (
    "the first forward makes it, and no gradient of it was seen; run the forward once before the "
    "check, so that it is there to be found"
)
UNSTEADY = "the forward is random, so that it cannot be seen whether the output depends on it"


@dataclass(frozen=True)
class Coverage:
    """Finds what a target's output depends on beside its tensors.

    Parameters
    ----------
    roots
        What the forward may read from.
    covered
        Returns where the arrays and numbers are kept whose gradients are known.
    given
        Arrays of the caller's that the forward never sees: it is given copies.
    requested
        Whether the caller said which parameters to check.
    keys
        Returns the names under which the backward handed out gradients.
    reason
        Why a parameter is not covered.
    """

    roots: tuple[Any, ...]
    covered: Callable[[], Iterable[Accessor]] = tuple
    given: tuple[Any, ...] = ()
    requested: bool = False
    keys: Callable[[], Iterable[Any]] = tuple
    reason: str = NOT_SEEN

    def __call__(self, target: Target) -> tuple[Unchecked, ...]:
        """Return the arrays that are not covered by the target's tensors."""
        target.state.restore(everything=True)  # what the last forward left is no state of its own
        homes = list(self.covered())
        covered = [array for array in (home.get() for home in homes) if is_float_array(array)]
        known = {id(array) for array in (*covered, *self.given)}
        kept = [
            attribute
            for attribute in reachable(self.roots, is_float_array_or_number)
            if attribute.array is not None or _is_weight(attribute)
        ]
        taken = {home.place for home in homes}
        pool = [
            attribute
            for attribute in kept
            if id(attribute.array) not in known and attribute.accessor.place not in taken
        ]

        effects = Effects.on_target(target, covered)
        moving = effects.those(pool, OF_ATTRIBUTE)
        made = self._made(target, kept)
        if not moving and not made:
            return ()
        steady = effects.is_steady
        evidence = CoverageEvidence(
            {_container(attribute) for attribute in kept if id(attribute.array) in known} - {None},
            self._gradients(target),
            by_name=not target.unit_cotangent or bool(homes),
        )
        target.state.restore(everything=True)
        found = [(attribute, self._role(attribute, evidence)) for attribute in moving]
        late = [(attribute, self._role(attribute, evidence)) for attribute in made]
        if not steady:
            trained = (attribute for attribute, role in found if role == "parameter")
            return tuple(Unchecked(one.name, "parameter", UNSTEADY) for one in trained)
        reasons = {**REASONS, "parameter": self.reason}
        named = [Unchecked(s.name, role, reasons[role], s.array) for s, role in found]
        reasons["parameter"] = MADE_LATE
        named += [Unchecked(attribute.name, role, reasons[role]) for attribute, role in late]
        return tuple(dict.fromkeys(named))

    def _made(self, target: Target, before: Sequence[ArrayAttribute]) -> list[ArrayAttribute]:
        """Return what the first forward makes and keeps, so that a second one depends on it."""
        target.state.restore()  # what the last run left is freed
        # the references keep the ids from being used again by what the forward makes
        known = {id(array): array for array in (attribute.array for attribute in before)}
        with np.errstate(all="ignore"):
            target.call(target.tensors)
            first = [
                attribute for attribute in reachable(self.roots) if id(attribute.array) not in known
            ]
            kept = [(attribute, attribute.array) for attribute in first]
            if kept:
                target.call(target.tensors)
        made = [attribute for attribute, array in kept if attribute.array is array]
        moving = Effects.on_target(target, runs=2).those(made, OF_ATTRIBUTE)
        target.state.restore(everything=True)
        return moving

    def _gradients(self, target: Target) -> frozenset[str]:
        """Return the stems of all that a backward leaves or returns and that is called a gradient.

        Those of gradients that are known are among them: no harm, for their parameters are too.
        """
        target.state.restore()
        with np.errstate(all="ignore"):
            run = target.call(target.tensors)
            run.pullback(tuple(np.ones_like(output) for output in run.outputs))
        left = [attribute.word for attribute in reachable(self.roots)]
        stems = {name for word in left if isinstance(word, str) for name in gradient_stems(word)}
        for key in self.keys():
            if isinstance(key, str):
                stems |= {stem(key), *gradient_stems(key)}
        return frozenset(stems)

    def _role(self, attribute: ArrayAttribute, evidence: CoverageEvidence) -> str:
        if not evidence.of(attribute):
            return "constant"
        if is_frozen(attribute.accessor.owner) or is_frozen(attribute.home.owner):
            return "frozen"
        return "excluded" if self.requested else "parameter"


@dataclass(frozen=True)
class CoverageEvidence:
    """What says of an array that it is trained.

    Attributes
    ----------
    containers
        Those of arrays whose gradients are known.
    gradients
        Stems of the names under which gradients are left or returned.
    by_name
        Whether objects keep parameters here, so that names count.
    """

    containers: set[Any]
    gradients: frozenset[str]
    by_name: bool

    def of(self, attribute: ArrayAttribute) -> bool:
        """Whether ``attribute`` holds a parameter."""
        if _container(attribute) in self.containers or stem(attribute.word) in self.gradients:
            return True
        if _is_of_function(attribute):
            return False
        stepped = attribute.word in steps_of(cast(Hashable, type(attribute.home.owner)))
        return stepped or (self.by_name and is_like_trained(attribute.word))


def _is_weight(attribute: ArrayAttribute) -> bool:
    """Whether a number is called as a weight or an intercept, the attribute of an object."""
    return not (attribute.route or _is_of_function(attribute)) and stem(attribute.word) in NUMBERS


def _is_of_function(attribute: ArrayAttribute) -> bool:
    """Whether a closure, default arguments or a module keep it."""
    return attribute.home.is_item or isinstance(attribute.home.owner, CellType | ModuleType)


def covered_by(target: Target, prefix: str) -> tuple[Unchecked, ...]:
    """Return what is not covered of a part, by the names of the whole."""
    return tuple(
        Unchecked(f"{prefix}{array.name}", array.role, array.reason)
        for array in target.uncovered(target)
    )


def _container(attribute: ArrayAttribute) -> Any:
    """Return which container an item is kept in, outermost first; None for what is no item."""
    return attribute.home.place if attribute.route else None


@cache
def steps_of(kind: Hashable) -> frozenset[str]:
    """Return the attributes that a method of a class takes a step with.

    A forward that does so keeps statistics or a state, and a constructor trains nothing.
    """
    found: set[str] = set()
    owners = kind.__mro__[:-1] if isinstance(kind, type) else ()
    for owner in owners:
        for name, member in vars(owner).items():
            if inspect.isfunction(member) and name not in FORWARD_NAMES and name != "__init__":
                found.update(_stepped(member))
    return frozenset(found)


def _stepped(method: Callable[..., Any]) -> Iterator[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return  # its source is not to be had
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
            yield from _attribute(node.target)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            names = [name for target in node.targets for name in _attribute(target)]
            used = {n.attr for n in ast.walk(node.value.left) if isinstance(n, ast.Attribute)}
            if isinstance(node.value.op, ast.Sub | ast.Add):
                yield from (name for name in names if name in used)


def _attribute(target: ast.expr) -> Sequence[str]:
    """Return the attribute that is assigned to, itself or an item of it."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return [target.attr] if isinstance(target, ast.Attribute) else []
