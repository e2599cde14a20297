"""Points bound to a manifold: the check moves along it, and compares the gradient along it alone.

A target whose tensor has to stay symmetric, on a simplex or orthogonal becomes one of a free tensor
t of the same name and shape, with x = chart(t). What a gradient holds across the manifold, which no
move along it can show, is thereby gone from both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.numerics.directions import magnitudes, round_to_powers_of_two
from gradcheck.numerics.manifolds import manifold
from gradcheck.target import ForwardRun, Target

# A direction's part in the tangent space at a point: ``project(x, direction)``.
Projection = Callable[[Array, Array], Array]
Constraint = str | Projection | Mapping[str, str | Projection]

# A point on a manifold, as an iteration or a product of factors leaves it, is off it by so many
# roundings of its sums at most.
ROUNDINGS = 64.0


def constrained(target: Target, constraint: Constraint | None) -> Target:
    """Return a target whose tensors stay where ``constraint`` binds them, whatever they are set to.

    Parameters
    ----------
    target
        The target at a point that fulfils the constraint.
    constraint
        As for `gradcheck.check`.

    Raises
    ------
    ValueError
        If a tensor or a constraint of that name is not known, or the point is off it.
    """
    return target if constraint is None else moved_along(target, bindings(target, constraint))


def bindings(target: Target, constraint: Constraint | None) -> dict[str, Binding]:
    """Return what binds each tensor that is bound; raises as `constrained` does."""
    if constraint is None:
        return {}
    return {
        name: Binding.at(name, kind, target.tensors[name])
        for name, kind in _by_tensor(target, constraint).items()
    }


@dataclass(frozen=True)
class Binding:
    """A tensor at its point, with what binds it; computed in float64, kept in its own dtype."""

    base: Array
    chart: Callable[[Array, Array], Array]
    pull: Callable[[Array, Array, Array], Array]
    compared: str
    by_size: bool = False

    @classmethod
    def at(cls, name: str, kind: str | Projection, base: Array) -> Binding:
        """Return what binds a tensor, once its point is seen to fit."""
        if callable(kind):
            return cls(base, *_along_tangents(name, kind, base), "project(x, G)")
        its = manifold(kind)
        try:
            off = its.off(base.astype(np.float64))
        except (ValueError, IndexError, np.linalg.LinAlgError):  # too few axes, or not square
            off = np.inf
        # a sum of n products of such numbers is rounded n times
        allowed = ROUNDINGS * float(np.finfo(base.dtype).eps) * max(base.shape, default=1)
        if not off <= allowed:
            share = f"is off by {off:.2g}" if np.isfinite(off) else "is not so"
            raise ValueError(
                f"constraint={kind!r}: {name} of shape {base.shape} {share}, with {allowed:.1g} "
                f"for rounding: expected {its.rule}"
            )
        return cls(base, its.chart, its.pull, its.compared, its.by_size)

    def moved_to(self, base: Array) -> Binding:
        """Return what binds a tensor of other numbers, or of another dtype."""
        return replace(self, base=base)

    def point(self, moved: Array) -> Array:
        """Return the tensor itself where it has not moved, else its point in the chart."""
        if moved is self.base or np.array_equal(moved, self.base):
            return self.base
        x0, t = self.base.astype(np.float64), moved.astype(np.float64)
        with np.errstate(all="ignore"):
            return self.chart(x0, t).astype(moved.dtype)

    def pulled(self, moved: Array, gradient: Any) -> Any:
        """Return a gradient by ``moved``; as it is where it has the shape of no such gradient."""
        g = np.asarray(gradient)
        if g.size != self.base.size or g.dtype.kind not in "fiu":
            return gradient
        x0, t = self.base.astype(np.float64), moved.astype(np.float64)
        with np.errstate(all="ignore"):
            found = self.pull(x0, t, g.reshape(x0.shape).astype(np.float64))
        return found.reshape(g.shape).astype(g.dtype if g.dtype.kind == "f" else np.float64)


def _by_tensor(target: Target, constraint: Constraint) -> dict[str, str | Projection]:
    if not isinstance(constraint, Mapping):
        return {next(iter(target.tensors)): constraint}
    unknown = [name for name in constraint if name not in target.tensors]
    if unknown:
        raise ValueError(f"constraint: {unknown} are none of the tensors {list(target.tensors)}")
    return dict(constraint)


def moved_along(target: Target, bound: Mapping[str, Binding]) -> Target:
    """Return a target whose bound tensors are coordinates of their points."""

    def run(tensors: Tensors) -> ForwardRun:
        inner = target.call({**tensors, **{n: its.point(tensors[n]) for n, its in bound.items()}})
        twin.rounding = target.rounding  # of which some targets know only after a run

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            return {
                n: bound[n].pulled(tensors[n], g) if n in bound else g
                for n, g in inner.pullback(cotangents).items()
            }

        return ForwardRun(inner.outputs, pullback, inner.handed, inner.carried)

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        wide = target.cast(dtype)
        if wide is None:
            return None
        own = {n: its.moved_to(wide.tensors[n]) for n, its in bound.items()}
        return moved_along(wide, own)

    shared = bound.keys() & set(target.batch_tensors)
    notes = [
        f"{n} is moved within its constraint; of its gradient G is compared: {its.compared}"
        for n, its in bound.items()
    ]
    twin = target.running(
        run,
        recast,
        note="; ".join(filter(None, (target.note, *notes))),
        # some rows of a point are no point of the manifold
        batch=0 if shared else target.batch,
        batch_tensors=() if shared else target.batch_tensors,
        scales={
            **target.scales,
            **{
                n: round_to_powers_of_two(magnitudes(its.base))
                for n, its in bound.items()
                if its.by_size
            },
        },
    )
    return twin


def _along_tangents(
    name: str, project: Projection, x0: Array
) -> tuple[Callable[[Array, Array], Array], Callable[[Array, Array, Array], Array]]:
    """Return the chart of straight steps in the tangent space, and its pull.

    Raises
    ------
    ValueError
        If ``project`` is no orthogonal projection onto a space.
    """
    rng = np.random.default_rng(0)
    base = x0.astype(np.float64)

    def along(direction: Array) -> Array:
        found = np.asarray(project(base.copy(), direction.copy()), dtype=np.float64)
        if found.shape != base.shape:
            raise ValueError(
                f"constraint: project({name}, direction) returned the shape {found.shape}, "
                f"expected that of {name}, {base.shape}"
            )
        return found

    a, b = rng.standard_normal((2, *base.shape))
    pa, pb = along(a), along(b)
    allowed = ROUNDINGS * float(np.finfo(np.float64).eps) * base.size
    twice = float(np.max(np.abs(along(pa) - pa), initial=0.0))
    turned = abs(float(np.vdot(pa, b) - np.vdot(a, pb)))
    if not (twice <= allowed and turned <= allowed * base.size):
        raise ValueError(
            "constraint: project has to be the orthogonal projection onto the tangent space. For "
            f"random directions, project(x, project(x, a)) differs from project(x, a) by "
            f"{twice:.2g}, <project(x, a), b> from <a, project(x, b)> by {turned:.2g}"
        )
    return (lambda x, t: x + along(t - x)), (lambda _, __, g: along(g))
