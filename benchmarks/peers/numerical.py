"""Peers that compare with differences of the function itself, each with its own tolerances.

A tool that returns numbers and no verdict is judged as its users do: by ``np.allclose`` with its
defaults, or by 1e-5 of the norm.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from benchmarks.peers.claim import Array, Claim, NotExpressibleError

RELATIVE = 1e-5  # error of scipy's check_grad over the norm of the gradient


def real(claim: Claim) -> Claim:
    """Return a claim about functions of real numbers that are not claimed to be linear."""
    if np.iscomplexobj(claim.x) or claim.torch_function or claim.component:
        raise NotExpressibleError
    return claim


def is_scalar(claim: Claim) -> bool:
    """Whether the claim is a gradient."""
    return claim.gradient is not None


def scipy_check_grad(claim: Claim) -> bool:
    """``scipy.optimize.check_grad``: forward differences of a scalar f, or of f with a Jacobian."""
    from scipy.optimize import check_grad

    real(claim)
    if not (is_scalar(claim) or claim.jacobian or claim.hessian):
        raise NotExpressibleError
    shape = claim.x.shape

    def f(x: Array) -> Any:
        return claim.f(x.reshape(shape))

    def derivative(x: Array) -> Array:
        found = claim.matrix(x.reshape(shape))
        return found.ravel() if is_scalar(claim) else found

    x = claim.x.ravel()
    error = check_grad(f, derivative, x)
    return bool(error <= RELATIVE * np.linalg.norm(derivative(x)))


def numdifftools(claim: Claim) -> bool:
    """Numdifftools' Gradient or Jacobian, compared by ``np.allclose``."""
    import numdifftools as nd

    real(claim)
    shape = claim.x.shape

    def f(x: Array) -> Any:
        return claim.f(np.asarray(x, claim.x.dtype).reshape(shape))

    differentiate = nd.Gradient if is_scalar(claim) else nd.Jacobian
    found = np.atleast_2d(differentiate(f)(claim.x.ravel()))
    return bool(np.allclose(claim.matrix(claim.x), found))


def pyadjoint_taylor_test(claim: Claim) -> bool:
    """Pyadjoint's ``taylor_test`` of <v, f>: the remainders of first order fall with rate 2."""
    from pyadjoint import taylor_test

    if real(claim).is_operator:
        raise NotExpressibleError  # there is no remainder
    rng = np.random.default_rng(0)
    v = _cotangent(claim, rng)
    direction = rng.normal(size=claim.x.shape)

    class Vector(np.ndarray):  # type: ignore[type-arg]
        def _ad_mul(self, other: float) -> Any:
            return self * other

        def _ad_add(self, other: Any) -> Any:
            return self + other

    def functional(m: Any) -> float:
        return float(np.sum(v * claim.f(np.asarray(m).astype(claim.x.dtype))))

    slope = float(np.sum(claim.vjp(claim.x, v) * direction))
    x = claim.x.astype(np.float64)
    with contextlib.redirect_stdout(io.StringIO()):
        rate = taylor_test(functional, x.view(Vector), direction.view(Vector), dJdm=slope)
    return bool(rate > 1.9)


def pylops_dottest(claim: Claim) -> bool:
    """``pylops.utils.dottest`` of an operator with its adjoint."""
    from pylops import LinearOperator
    from pylops.utils import dottest

    if not claim.is_operator:
        raise NotExpressibleError

    class Operator(LinearOperator):
        def _matvec(self, x: Array) -> Any:
            return claim.f(x)

        def _rmatvec(self, v: Array) -> Array:
            return claim.vjp(claim.x, v)

    shape = (np.size(claim.f.function(claim.x)), claim.x.size)
    return bool(dottest(Operator(dtype=claim.x.dtype, shape=shape), raiseerror=False))


def openmdao_check_partials(claim: Claim) -> bool:
    """``Problem.check_partials`` with forward differences, and its assert with its defaults."""
    import openmdao.api as om
    from openmdao.utils.assert_utils import assert_check_partials

    component = _openmdao_component(om, claim)
    problem = om.Problem(reports=False)
    problem.model.add_subsystem("component", component)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        problem.setup()
        problem.run_model()
        found = problem.check_partials(out_stream=None)
        try:
            assert_check_partials(found)
        except ValueError:
            return False
    return True


def _openmdao_component(om: Any, claim: Claim) -> Any:
    if claim.component is not None:
        return _declared(om, claim)
    real(claim)
    y = np.asarray(claim.f.function(claim.x))

    class Component(om.ExplicitComponent):  # type: ignore[misc]
        def setup(self) -> None:
            self.add_input("x", claim.x.astype(np.float64))
            self.add_output("y", np.zeros(y.shape))

        def setup_partials(self) -> None:
            rows, columns = claim.pattern or (None, None)
            self.declare_partials("y", "x", rows=rows, cols=columns)

        def compute(self, inputs: Any, outputs: Any) -> None:
            outputs["y"] = claim.f(inputs["x"].astype(claim.x.dtype))

        def compute_partials(self, inputs: Any, partials: Any) -> None:
            whole = claim.matrix(inputs["x"].astype(claim.x.dtype))
            partials["y", "x"] = whole[claim.pattern] if claim.pattern else whole

    return Component()


def _declared(om: Any, claim: Claim) -> Any:
    """Return the component of the claim as one of OpenMDAO."""
    written = claim.component

    class Component(om.ExplicitComponent):  # type: ignore[misc]
        def setup(self) -> None:
            for name, value in zip(("angle", "area"), claim.x, strict=True):
                self.add_input(name, value)
            self.add_output("lift", 0.0)
            self.add_output("drag", 0.0)
            self.declare_partials("*", "*")

        def compute(self, inputs: Any, outputs: Any) -> None:
            written.compute(inputs, outputs)

        def compute_partials(self, inputs: Any, partials: Any) -> None:
            written.compute_partials(inputs, partials)

    return Component()


def _cotangent(claim: Claim, rng: np.random.Generator) -> Any:
    if is_scalar(claim):
        return 1.0
    return rng.normal(size=np.shape(claim.f.function(claim.x)))
