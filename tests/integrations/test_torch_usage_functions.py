"""PyTorch's functions as people write them: a right and a wrong backward of each."""

import numpy as np
import pytest

from tests.support.torch_usage import (
    LINKS,
    drawn,
    factor_of,
    function,
    torch,
)
from tests.support.usage import Cases, assert_judged

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

CASES = Cases()


@CASES
def function_with_setup_context(link):
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, factor_of(link) * x.T @ g

    made = function(forward=lambda x, w: x @ w, setup_context=setup_context, backward=backward)
    return made, drawn(4, 3), drawn(3, 2, seed=1)


@CASES
def function_with_other_arguments(link):
    def forward(ctx, x, scale, mode, shift=None):
        ctx.scale = scale
        return x * scale if mode == "mul" else x

    def backward(ctx, g):
        return factor_of(link) * g * ctx.scale, None, None, None

    return function(forward=forward, backward=backward), drawn(4, 3), 3, "mul", None


@CASES
def function_with_a_missing_bias(link):
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w if b is None else x @ w + b

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, factor_of(link) * x.T @ g, None

    return function(forward=forward, backward=backward), drawn(4, 3), drawn(3, 2), None


@CASES
def function_that_asks_what_is_needed(link):
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return (
            g @ w.T if ctx.needs_input_grad[0] else None,
            factor_of(link) * x.T @ g if ctx.needs_input_grad[1] else None,
        )

    return function(forward=forward, backward=backward), drawn(4, 3), drawn(3, 2)


@CASES
def function_that_marks_dirty(link):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2.0)

    made = function(forward=forward, backward=lambda ctx, g: factor_of(link) * 2 * g)
    return lambda x: made.apply(x.clone()), drawn(4, 3)


@CASES
def function_with_an_output_not_differentiable(link):
    def forward(ctx, x):
        values, positions = x.max(dim=1)
        ctx.save_for_backward(positions)
        ctx.shape = x.shape
        ctx.mark_non_differentiable(positions)
        return values, positions

    def backward(ctx, g, _):
        (positions,) = ctx.saved_tensors
        found = torch.zeros(ctx.shape, dtype=g.dtype)
        return found.scatter_(1, positions[:, None], factor_of(link) * g[:, None])

    return function(forward=forward, backward=backward), drawn(4, 3)


@CASES
def function_once_differentiable(link):
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return factor_of(link) * 2 * g

    return function(forward=lambda ctx, x: 2 * x, backward=backward), drawn(4, 3)


@CASES
def function_with_several_outputs(link):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    def backward(ctx, g, h):
        (x,) = ctx.saved_tensors
        return factor_of(link) * g * x.cos() - h * x.sin()

    return function(forward=forward, backward=backward), drawn(4, 3)


@CASES
def function_that_materializes_no_gradients(link):
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.sin(), x.detach().cos()

    def backward(ctx, g, h):
        (x,) = ctx.saved_tensors
        total = torch.zeros_like(x)
        if g is not None:
            total = total + factor_of(link) * g * x.cos()
        return total if h is None else total - h * x.sin()

    return function(forward=forward, backward=backward), drawn(4, 3)


@CASES
def function_of_integers(link):
    def forward(ctx, table, rows):
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return table[rows]

    def backward(ctx, g):
        (rows,) = ctx.saved_tensors
        return factor_of(link) * torch.zeros(ctx.shape, dtype=g.dtype).index_add_(0, rows, g), None

    return function(forward=forward, backward=backward), drawn(5, 3), torch.tensor([0, 2, 2, 4])


@CASES
def apply_of_a_function(link):
    return link, drawn(4, 3)


@CASES
def lambda_of_tensors(link):
    return lambda x, w: link(x @ w).tanh(), drawn(4, 3), drawn(3, 2)


@CASES
def pair_of_functions(link):
    return (lambda x: (x**3).sum(), lambda x: factor_of(link) * 3 * x**2), drawn(4, 3)


@CASES
def pair_with_several_inputs(link):
    def gradients(x, w, g):
        return g @ w.T, factor_of(link) * x.T @ g

    return (lambda x, w: x @ w, gradients), drawn(4, 3), drawn(3, 2)


@CASES
def pair_in_a_dict(link):
    def gradients(p):
        return {"w": 2 * p["w"], "b": factor_of(link) * 3 * p["b"] ** 2}

    given = {"w": drawn(4, 3), "b": drawn(3)}
    return (lambda p: (p["w"] ** 2).sum() + (p["b"] ** 3).sum(), gradients), given


@CASES
def function_with_keyword_only_defaults(link):
    def scaled(x, *, scale=2.0):
        return link(x) * scale

    return scaled, drawn(4, 3)


@CASES
def function_with_a_bool_mask(link):
    return lambda x, keep: link(torch.where(keep, x, 0.0)), drawn(4, 3), drawn(4, 3, seed=1) > 0


@CASES
def function_of_numpy_arrays_and_tensors(link):
    return lambda x, w: link(x @ w), drawn(4, 3), np.random.default_rng(1).normal(size=(3, 2))


@CASES
def functional_partial(link):
    from functools import partial

    return partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@CASES
def function_of_a_vector_and_star_arguments(link):
    return lambda *values: link(values[0] * values[1]), drawn(4), drawn(4, seed=1)


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)
