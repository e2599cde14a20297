"""Peers that come with a tool for automatic differentiation: the claim is given as its own rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.claim import Claim, NotExpressibleError


def torch_slow(claim: Claim) -> bool:
    """``torch.autograd.gradcheck`` with every entry."""
    return _torch(claim, fast=False)


def torch_fast(claim: Claim) -> bool:
    """``torch.autograd.gradcheck`` along a random direction."""
    return _torch(claim, fast=True)


def _torch(claim: Claim, *, fast: bool) -> bool:
    import torch

    if claim.torch_function is not None or claim.component is not None:
        raise NotExpressibleError
    if claim.jvp is None:
        claim.vjp(claim.x, np.ones_like(claim.f.function(claim.x)))  # is there one?

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.x = x.numpy().copy()
            return torch.as_tensor(np.array(claim.f(ctx.x)))

        @staticmethod
        def backward(ctx: Any, v: Any) -> Any:
            if claim.gradient is not None:
                v = v.reshape(())
            return torch.as_tensor(np.array(claim.vjp(ctx.x, v.numpy().copy())))

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            assert claim.jvp is not None
            return torch.as_tensor(np.array(claim.jvp(ctx.x, t.numpy().copy())))

    forward_mode = claim.jvp is not None
    return bool(
        torch.autograd.gradcheck(
            Function.apply,
            (torch.tensor(claim.x, requires_grad=True),),
            fast_mode=fast,
            check_forward_ad=forward_mode,
            check_backward_ad=not forward_mode,
            raise_exception=False,
        )
    )


def torch_gradgradcheck(claim: Claim) -> bool:
    """``torch.autograd.gradgradcheck`` of a second backward."""
    import torch

    if claim.torch_function is None:
        raise NotExpressibleError
    x = torch.tensor(claim.x, requires_grad=True)
    apply = claim.torch_function.apply
    return bool(torch.autograd.gradgradcheck(apply, (x,), raise_exception=False))


def jax_check_grads(claim: Claim) -> bool:
    """``jax.test_util``: what ``check_grads`` calls for each mode, with its defaults."""
    import jax
    from jax.test_util import check_jvp, check_vjp

    if claim.torch_function is not None or claim.component is not None:
        raise NotExpressibleError
    jax.config.update("jax_enable_x64", True)

    def f(x: Any) -> Any:
        return np.asarray(claim.f(np.array(x)))

    def f_vjp(x: Any) -> Any:
        at = np.array(x)
        # a cotangent of JAX is the conjugate of a gradient
        return f(x), lambda v: (np.conj(claim.vjp(at, np.conj(np.array(v)))),)

    def f_jvp(primals: Any, tangents: Any) -> Any:
        (x,), (t,) = primals, tangents
        assert claim.jvp is not None
        return f(x), claim.jvp(np.array(x), np.array(t))

    if claim.jvp is not None:
        return _accepts(lambda: check_jvp(f, f_jvp, (claim.x,)))
    return _accepts(lambda: check_vjp(f, f_vjp, (claim.x,)))


def autograd_check_grads(claim: Claim) -> bool:
    """``autograd.test_util.check_grads`` of first order."""
    from autograd.extend import defjvp, defvjp, primitive
    from autograd.test_util import check_grads

    if claim.torch_function is not None or claim.component is not None:
        raise NotExpressibleError

    @primitive  # type: ignore[untyped-decorator]
    def f(x: Any) -> Any:
        return claim.f(np.asarray(x))

    if claim.jvp is not None:
        jvp = claim.jvp
        defjvp(f, lambda t, y, x: jvp(np.asarray(x), np.asarray(t)))
        return _accepts(lambda: check_grads(f, modes=["fwd"], order=1)(claim.x))
    # autograd's cotangents are conjugates, as JAX's are
    defvjp(f, lambda y, x: lambda v: np.conj(claim.vjp(np.asarray(x), np.conj(v))))
    return _accepts(lambda: check_grads(f, modes=["rev"], order=1)(claim.x))


def pytensor_verify_grad(claim: Claim) -> bool:
    """``pytensor.gradient.verify_grad`` of an Op with the claim as its gradient."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    if claim.jvp is not None or claim.torch_function is not None or claim.component is not None:
        raise NotExpressibleError
    if np.iscomplexobj(claim.x):
        raise NotExpressibleError  # verify_grad refuses complex numbers
    y = np.asarray(claim.f.function(claim.x))

    class Backward(Op):  # type: ignore[misc]
        def make_node(self, x: Any, v: Any) -> Any:
            return Apply(self, [x, v], [x.type()])

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            x, v = inputs
            outputs[0][0] = np.asarray(claim.vjp(x, v), dtype=x.dtype)

    class Forward(Op):  # type: ignore[misc]
        def make_node(self, x: Any) -> Any:
            kind = pt.TensorType(y.dtype, shape=y.shape)
            return Apply(self, [pt.as_tensor_variable(x)], [kind()])

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            outputs[0][0] = np.asarray(claim.f(inputs[0]), dtype=y.dtype)

        def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
            return [Backward()(inputs[0], cotangents[0])]

        grad = L_op = pullback

    rng = np.random.default_rng(0)
    with pytensor.config.change_flags(mode="FAST_COMPILE", linker="py"):
        return _accepts(lambda: pytensor.gradient.verify_grad(Forward(), [claim.x], rng=rng))


def _accepts(check: Callable[[], Any]) -> bool:
    """Whether a check that raises where it refuses does not."""
    try:
        check()
    except Exception as error:
        if isinstance(error, AssertionError) or "Grad" in type(error).__name__:
            return False
        raise
    return True
